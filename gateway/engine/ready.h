/* gateway/engine/ready.h - when a gateway that starts has caught up.
 *
 * It has when everything that could be read as its session began is in its tables, and every view that this touched has been
 * evaluated since. That is a fixed goal: records that keep coming do not move it, and a transaction that somebody leaves open
 * does not hold it up (what comes after it cannot be read by anybody). Thread: the materialiser's, but gw_waits_for.
 */
#ifndef GATEWAY_ENGINE_READY_H
#define GATEWAY_ENGINE_READY_H

#include "bus/consumer.h"
#include "gateway/engine/core.h"

struct gw_ready {
	bool reached;  /* every partition's goal; the views are what is missing */
	int64_t at_ms; /* of the last look */
};

/* After a transaction. Sets e->caught_up once it has, and marks views as whole. Costs next to nothing from then on. */
enum bus_err gw_ready_look(struct gw_ready *r, struct gw_engine *e, struct bus_consumer *c, bool building,
			   struct bus_error *err) BUS_MUSTCHECK;
/* For people, while it has not: what for. */
void gw_ready_say(struct gw_engine *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
