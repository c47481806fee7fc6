/* gateway/decode.h - one Avro record -> one cell per top-level field. Thread: one. */
#ifndef GATEWAY_DECODE_H
#define GATEWAY_DECODE_H

#include "gateway/table.h"

struct gw_decode *gw_decode_new(size_t n_fields);
void gw_decode_free(struct gw_decode **d);
/* cell[i] is the reader schema's field i; borrowed from datum, the plan and d until the next call. */
enum bus_err gw_decode_record(struct gw_decode *d, const struct schema_plan *plan, struct bus_str datum,
			      const struct gw_cell **cell, struct bus_error *err) BUS_MUSTCHECK;
/* The SQLite type of a field's column. */
const char *gw_decode_column_type(const struct schema_node *type);

#endif
