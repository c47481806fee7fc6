/* gateway/serve/kept.h - answers kept for as long as they are the same: many ask for the same page, or look whether it has
 * changed.
 *
 * An answer is given again to whoever asks the very same (path, query, representation) with the same rights, while the
 * view has no newer change, and for a second at most where it says how old it is. Bounded in number and bytes;
 * what is not asked for again is gone after a few seconds. `Cache-Control: no-cache` in a request passes by it.
 * Thread: any; locks inside, each for a part of the table.
 */
#ifndef GATEWAY_SERVE_KEPT_H
#define GATEWAY_SERVE_KEPT_H

#include "gateway/serve/api.h"

struct gw_kept;

struct gw_kept *gw_kept_new(void);
void gw_kept_free(struct gw_kept **k);
void gw_kept_tick(struct gw_kept *k); /* now and then: lets go of what is over */

struct gw_asked { /* a question, and what its answer depends on */
	uint64_t question[2];
	uint64_t store;
	int64_t newest;
	uint64_t rights; /* generation of policy and views */
	size_t mark;	 /* headers of the answer begin here */
	int64_t age_ms;	 /* how old the answer may become: a second, unless the caller sets it */
	bool keep;
};
/* v NULL: what is asked is of no view. newest: of the view, before anything is read. True: it has been answered. */
bool gw_kept_answer(struct gw_api *api, struct bus_http_request *req, const struct gw_view *v,
		    const struct gw_grant *grant, int64_t newest, struct gw_asked *out);
/* Answers, and keeps the answer. Takes body's bytes. */
void gw_kept_reply(struct gw_api *api, struct bus_http_request *req, const struct gw_asked *asked, int status,
		   const char *type, struct bus_buf *body);

#endif
