/* gateway/engine/scan.h - a whole view at one cut: what exports are made of.
 *
 * One read transaction, and with it one state of all tables, from the first row to the last; so it is given a
 * limit of time, and its rows should go to memory or a file, never to a slow reader. The change log's sequence
 * number of that state is told first: a follower that goes on from there misses nothing and repeats nothing.
 * Thread: the reader's; not one that answers requests.
 */
#ifndef GATEWAY_ENGINE_SCAN_H
#define GATEWAY_ENGINE_SCAN_H

#include "gateway/engine/read.h"

typedef enum bus_err (*gw_scan_begin_fn)(void *ctx, int64_t seq, struct bus_error *err);
typedef enum bus_err (*gw_scan_row_fn)(void *ctx, const struct gw_value *value, struct bus_error *err);

struct gw_scan {
	struct gw_query query; /* `after` does not count */
	const struct gw_view *before; /* every row of it first, from the same state, before `begin`; NULL: none. No dated one */
	gw_scan_row_fn before_row;
	bool all;	       /* nor does limit */
	int wait_ms; /* a view that is evaluated on reading must have nothing waiting: so long for that */
	int deadline_ms;
	const _Atomic bool *stop; /* asked now and then; may be NULL */
};

/* BUS_EINVAL as gw_page; BUS_ECONFLICT: rows were waiting for evaluation all of wait_ms, or the view
 * is not the definition that runs any more; BUS_ETIMEOUT: over the
 * deadline; BUS_ESTOPPED; or what a function returned. */
enum bus_err gw_scan(struct gw_reader *r, const struct gw_scan *s, gw_scan_begin_fn begin, gw_scan_row_fn row,
		     void *ctx, struct bus_error *err) BUS_MUSTCHECK;

#endif
