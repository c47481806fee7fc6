/* gateway/engine/verify.h - stored views against their SELECT, a range of keys at a time; for verify.c and sample.c. */
#ifndef GATEWAY_ENGINE_VERIFY_H
#define GATEWAY_ENGINE_VERIFY_H

#include "gateway/engine/reading.h"

struct gw_range {		  /* of keys, in a view; after < key <= to */
	struct bus_str after, to; /* to.p NULL: to the last */
};

struct gw_check {
	struct gw_reader *r; /* in a transaction: one state is compared */
	const struct gw_def *def;
	struct gw_range range;
	int deadline_ms; /* of each of its statements; 0: none */
	struct gw_verdict *verdict;
	/* Told now and then; false: enough. NULL: nobody. */
	bool (*progress)(void *ctx, const struct gw_verdict *so_far);
	/* Told of each key that differs. NULL: nobody. */
	void (*differs)(void *ctx, struct bus_str key);
	void *ctx;
};

/* Keys that wait for evaluation are counted and passed over. BUS_ETIMEOUT: the deadline; BUS_ESTOPPED: progress. */
enum bus_err gw_check_range(const struct gw_check *c, struct bus_error *err) BUS_MUSTCHECK;
/* One key, by its own evaluation. */
enum bus_err gw_check_key(const struct gw_check *c, struct bus_str key, struct bus_error *err) BUS_MUSTCHECK;
/* The view waits for evaluation as a whole, or is not the definition that the store has. */
enum bus_err gw_check_waits(struct gw_reader *r, const struct gw_def *def, bool *out,
			    struct bus_error *err) BUS_MUSTCHECK;
void gw_check_count(const struct gw_view *v, int64_t keys, int64_t differing); /* metrics */

#endif
