/* gateway/engine/rollup.h - a roll-up's numbers, kept by the images of changed rows (gateway/define/rollup.h).
 *
 * Images are gathered while rows are written and put into the state before the transaction ends, so state and source
 * table always agree; which groups they touched goes into the view's dirty keys. A view that is to be evaluated as a
 * whole gathers none: its state is then made from the table. Thread: the writer's.
 */
#ifndef GATEWAY_ENGINE_ROLLUP_H
#define GATEWAY_ENGINE_ROLLUP_H

#include "gateway/engine/core.h"

/* State and statements of v, which reads rel. The view is to be evaluated as a whole when the state is new. */
enum bus_err gw_sum_open(struct gw_engine *e, struct gw_live *v, const struct gw_rel *rel,
			 struct bus_error *err) BUS_MUSTCHECK;
void gw_sum_close(struct gw_engine *e, struct gw_live *v);
/* In the hook: one image of the changed row; true: so many wait that gw_sum_flush should not. */
bool gw_sum_image(struct gw_engine *e, struct gw_live *v, bool after);
enum bus_err gw_sum_flush(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
/* The state made anew from the table. */
enum bus_err gw_sum_fill(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;

#endif
