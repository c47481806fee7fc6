/* gateway/engine/sample.h - a few keys after each other of every view, compared with the SELECT run afresh.
 *
 * Ranges of keys in turn, so that keys which should be there and are not stored are seen, too; where a range costs too
 * much (a SELECT that does not give its rows in the key's order), the stored keys one by one. A key that differs is
 * counted (titian_view_verify_differences_total), logged without its name, and evaluated again. Thread: the writer's.
 */
#ifndef GATEWAY_ENGINE_SAMPLE_H
#define GATEWAY_ENGINE_SAMPLE_H

#include "gateway/engine/core.h"

struct gw_sample { /* where it stands; zero: at the beginning */
	char view[64];
	struct bus_buf after;
	bool by_key; /* of this view */
};

/* About n keys of one view; outside a transaction. */
void gw_sample_step(struct gw_engine *e, struct gw_sample *s, int n);
void gw_sample_release(struct gw_sample *s);

#endif
