/* gateway/serve/promise_impl.h - shared by promise.c and promise_say.c. */
#ifndef GATEWAY_SERVE_PROMISE_IMPL_H
#define GATEWAY_SERVE_PROMISE_IMPL_H

#include "gateway/engine/standing.h"
#include "gateway/serve/promise.h"

struct gw_fresh { /* of a view, now */
	size_t n;
	struct gw_topic_state input[GW_INPUTS_MAX];
	int64_t seen_ms[GW_INPUTS_MAX];	  /* last sign of life; 0: none yet */
	int64_t age_s[GW_INPUTS_MAX];	  /* since; -1: none yet */
	int64_t promise_s[GW_INPUTS_MAX]; /* 0: none */
	bool late[GW_INPUTS_MAX], any_late;
	size_t worst; /* the input nearest to its promise, or farthest beyond */
	int64_t newest_ms, behind;
};
void gw_promise_fresh(struct gw_api *api, const struct gw_view *v, struct gw_fresh *out);

struct gw_counted { /* of a view that promises to be complete, when it was last counted */
	int64_t at_ms, seq, rows;
	int64_t said[GW_COLUMNS_MAX];
};
bool gw_promise_counted(struct gw_api *api, const struct gw_view *v,
			struct gw_counted *out); /* false: not yet */
bool gw_promise_whole(const struct gw_view *v, const struct gw_counted *n);
uint64_t gw_promise_columns(const struct gw_view *v); /* those with a promise */

#endif
