/* gateway/serve/promise.h - how fresh and how whole an answer is: what a view promises, measured, and said with it.
 *
 * A feed shows that it lives by its records, or by a file its department has read to the end and found nothing new
 * in (only differences are published). Its age is the time since; a view is late when a feed behind it is older
 * than promised for it. A thread looks at departments' files and counts what `complete` promises, at most a
 * twentieth of the time; ages are of the moment they are asked for. Thread: any.
 */
#ifndef GATEWAY_SERVE_PROMISE_H
#define GATEWAY_SERVE_PROMISE_H

#include "bus/json_out.h"
#include "gateway/serve/api.h"

struct gw_promises *gw_promises_new(struct gw_engine *e);
enum bus_err gw_promises_start(struct gw_promises *p, struct bus_error *err) BUS_MUSTCHECK; /* the thread */
void gw_promises_look(struct gw_promises *p);  /* one round of it, for tests and at start */
void gw_promises_free(struct gw_promises **p); /* stops it first */

/* Headers of an answer from v: `Titian-As-Of` (time of the newest record behind it; seq: the newest change it can know;
 * lag: records of its topics not applied yet), `Last-Modified`, and where v promises it `Titian-Freshness` and
 * `Titian-Complete`. */
void gw_promise_headers(struct gw_api *api, struct bus_http_request *req, const struct gw_view *v,
			int64_t seq);

/* Members "as_of", "lag", "freshness", "complete" of an object in hand. shown: columns the reader may know of. */
void gw_promise_put(struct gw_api *api, struct bus_json_out *j, const struct gw_view *v, uint64_t shown);

/* Gauges of every view, brought up to date. */
void gw_promise_metrics(struct gw_api *api);

#endif
