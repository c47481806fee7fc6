/* gateway/serve/access_rows.h - `rows: {kode_kel: [1471011003, ...]}` of a grant: the part of a view
 * that a reader may see.
 *
 * What was read once is kept until the gateway ends, and found again when the policy says the same anew: a grant
 * in use may point to it, and two grants of the same rows have the same pointer. Thread: gw_grant_rows_read is under
 * the policy's reload, one at a time; what it gives is immutable.
 */
#ifndef GATEWAY_SERVE_ACCESS_ROWS_H
#define GATEWAY_SERVE_ACCESS_ROWS_H

#include "bus/yaml.h"
#include "gateway/engine/read.h"

#define GW_GRANT_ROWS_MAX 1000 /* of one column */

struct gw_grant_rows;

/* The map under `rows`. BUS_EPARSE: not of that form. */
enum bus_err gw_grant_rows_read(struct gw_grant_rows **kept, struct bus_yaml *y, struct bus_yaml_node *map,
				const struct gw_scope **out, struct bus_error *err) BUS_MUSTCHECK;
/* Whether all its columns are scope columns of the view, and take its values; *column: the first that is not. */
bool gw_grant_rows_fit(const struct gw_scope *rows, const struct gw_view *v, const char **column);
void gw_grant_rows_free(struct gw_grant_rows **kept);
uint64_t gw_grant_rows_id(const struct gw_scope *rows); /* of its content: part of an ETag; NULL: 0 */

#endif
