/* gateway/define/sandbox.h - the tables of a world, empty, in memory: where a stranger's definition is tried. Nothing
 * of the city is in it, and nothing that is done to it lasts. Thread: one. */
#ifndef GATEWAY_DEFINE_SANDBOX_H
#define GATEWAY_DEFINE_SANDBOX_H

#include "gateway/define/view.h"

/* Tables, the indexes that views of the world declare, those of d and, if it is kept as a table, its own; then
 * narrow (gw_db_narrow). BUS_EPARSE: file:line of an index on what is not there. */
enum bus_err gw_sandbox_open(const struct gw_world *w, const struct gw_def *d, struct gw_db **out,
			     struct bus_error *err) BUS_MUSTCHECK;
/* What gw_view_bind asks, of a world. */
struct gw_catalogue gw_sandbox_catalogue(const struct gw_world *w);

#endif
