/* gateway/serve/beside.h - what goes with a definition that is written or dropped: the view of its conflicts
 * (gateway/define/conflict.h). Thread: the one that writes definitions. */
#ifndef GATEWAY_SERVE_BESIDE_H
#define GATEWAY_SERVE_BESIDE_H

#include "gateway/engine/defs.h"

/* May a definition of this name be written? Its authorities must give a view; names of views of conflicts are kept for
 * them. BUS_EPARSE. */
enum bus_err gw_beside_check(const char *name, struct bus_str text, struct bus_error *err) BUS_MUSTCHECK;
/* Could the view go, with what stands beside it? BUS_ECONFLICT names who reads it. */
enum bus_err gw_beside_fits(const struct gw_views *views, const char *name,
			    struct bus_error *err) BUS_MUSTCHECK;
/* gw_defs_publish of the definition (text NULL: dropped) and of what is to stand beside it: that is written after it, and
 * dropped before it. */
enum bus_err gw_beside_publish(struct gw_engine *e, struct gw_defs *defs, const char *name,
			       const struct bus_str *text, const char *by,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
