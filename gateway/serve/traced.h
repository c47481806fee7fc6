/* gateway/serve/traced.h - rows with the member `_provenance` (gateway/engine/provenance.h): ?provenance=true.
 * Thread: the reader's. */
#ifndef GATEWAY_SERVE_TRACED_H
#define GATEWAY_SERVE_TRACED_H

#include "gateway/serve/rows.h"

#define GW_TRACED_ROWS_MAX 100 /* of a page: a row costs some evaluations */

/* The page as gw_page with gw_rows_put would make it, its rows traced; a row that is gone by then is left out. */
enum bus_err gw_rows_traced(struct gw_reader *r, struct gw_rows *p, struct bus_error *err) BUS_MUSTCHECK;
/* One row as a JSON object. BUS_ENOENT. */
enum bus_err gw_row_traced(struct gw_reader *r, const struct gw_params *p, struct bus_str key,
			   struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
