/* adapters/reference/table.h - what a reference topic holds now: the last record of each key, as plain JSON.
 * Bounded by ADAPTER_REFERENCE_MAX. Thread: one. */
#ifndef ADAPTERS_REFERENCE_TABLE_H
#define ADAPTERS_REFERENCE_TABLE_H

#include "bus/buf.h"
#include "bus/error.h"

struct adapter_reference_table;

struct adapter_reference_table *adapter_reference_table_new(void);
void adapter_reference_table_free(struct adapter_reference_table **t);
/* json.p NULL: the key is gone. BUS_ETOOBIG. */
enum bus_err adapter_reference_table_put(struct adapter_reference_table *t, struct bus_str key,
					 struct bus_str json, struct bus_error *err) BUS_MUSTCHECK;
size_t adapter_reference_table_rows(const struct adapter_reference_table *t);
/* As CSV, rows in the order of their keys: the same content gives the same bytes. A column for each field that is one value,
 * at most 64; null is empty. BUS_EDATA: a row that cannot be written. */
enum bus_err adapter_reference_table_write(struct adapter_reference_table *t, struct bus_buf *out,
					   struct bus_error *err) BUS_MUSTCHECK;

#endif
