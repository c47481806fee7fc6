/* gateway/serve/api.h - what the gateway's handlers share: who asks, for which view, how it wants it, and how
 * we say no. Handlers run on the HTTP pool's threads and never block.
 */
#ifndef GATEWAY_SERVE_API_H
#define GATEWAY_SERVE_API_H

#include "bus/http.h"
#include "gateway/serve/access.h"
#include "gateway/serve/cursor.h"
#include "gateway/engine/read.h"

struct gw_records; /* gateway/feed/records.h */
struct gw_feeds;    /* gateway/feed/feeds.h */
struct gw_promises; /* gateway/serve/promise.h */
struct gw_kept;	    /* gateway/serve/kept.h */
struct gw_exports;  /* gateway/export/exports.h */
struct gw_store_copy;
struct gw_checks;   /* gateway/serve/checks.h */
struct gw_hooks; /* gateway/hook/hooks.h */
struct gw_publish; /* gateway/publish/publish.h */
struct gw_proxy; /* gateway/restproxy/proxy.h */
struct gw_consumers; /* gateway/restproxy/consumers.h */
struct gw_figures_desk; /* gateway/figures/figures.h */
struct gw_signer; /* gateway/national/signer.h */
struct gw_national; /* gateway/national/national.h */
struct gw_shelf_conf; /* gateway/catalogue/shelf.h */
struct gw_crowd; /* gateway/serve/crowd.h */
struct gw_definitions; /* gateway/serve/definitions.h */
struct gw_adapters; /* gateway/serve/adapters.h */

struct gw_api {
	struct gw_engine *engine;
	struct gw_access *access;
	struct gw_cursors cursors; /* the key; ask gw_api_cursors() */
	struct gw_feeds *feeds;
	struct gw_records *records;
	struct gw_promises *promises; /* NULL: nothing is measured */
	struct gw_exports *exports;
	struct gw_hooks *hooks;
	struct gw_publish *publish; /* NULL: nothing is taken */
	struct gw_proxy *proxy;
	struct gw_consumers *consumers; /* NULL: none are served */
	_Atomic bool consumers_wait; /* for their topic: they are answered 503 */
	struct gw_definitions *definitions;
	struct gw_adapters *adapters;
	struct gw_checks *checks;
	const struct gw_shelf_conf *catalogue;
	struct gw_store_copy *copy; /* gateway/export/store.h; NULL: no group */
	struct gw_figures_desk *figures; /* NULL: none are published */
	struct gw_kept *kept; /* NULL: no answer is kept */
	struct gw_crowd *crowd; /* NULL: who has no key is not counted */
	struct gw_signer *signer; /* NULL: nothing is signed */
	struct gw_national *national; /* NULL: no acknowledgements are taken */
};

extern const struct bus_http_route gw_api_routes[]; /* the public port */
extern const struct bus_http_route gw_ops_routes[]; /* the operations port; same context */

/* A problem document in the reader's language (Accept-Language; Indonesian unless English is asked for).
 * code is one of the table in problem.c (assert); detail may be NULL and never holds personal data. */
void gw_problem(struct bus_http_request *req, const char *code, const char *detail, const char *hint);
const char *gw_problem_title(const char *code, bool english);
/* The same, when the request's headers may be gone: a deferred request. */
void gw_problem_in(struct bus_http_request *req, bool english, const char *code, const char *detail,
		   const char *hint);
bool gw_english(const struct bus_http_request *req);

/* The key as sent: `Authorization: Bearer KEY` or `X-Api-Key: KEY`; NULL: none. */
const char *gw_api_key(const struct bus_http_request *req);
/* Whether somebody says who asks: by a key, or by a signature that was found good. */
bool gw_api_keyed(const struct bus_http_request *req);
/* Whose key this is, or (key NULL) who signed the request: fills name (GW_READER_NAME_MAX), and tells the request. NULL,
 * or the problem's code. */
const char *gw_api_identify(struct gw_api *api, struct bus_http_request *req, const char *key, char *name);
void gw_api_unknown(struct bus_http_request *req, const char *problem); /* answers 401; of gw_api_identify */
/* Of the key that the request came with, or GW_KEY_ID_SIGNED; once it is known who asks. */
void gw_api_key_id(const struct bus_http_request *req, char id[9]);
/* Whether the answer is to be signed: for this reader, once it is known who asks, or because the request says so. */
bool gw_api_signs(struct gw_api *api, const struct bus_http_request *req);
/* Who asks: fills name (GW_READER_NAME_MAX) or answers 401, or 429 beyond its quota,
 * and returns false. Once a request. */
bool gw_api_reader(struct gw_api *api, struct bus_http_request *req, char *name);
/* Somebody without a key, whom this costs something; false: answered 429, too many of that address. */
bool gw_api_anybody(struct gw_api *api, struct bus_http_request *req);
/* As gw_api_reader, of who may define views; else 401 or 403. */
bool gw_api_definer(struct gw_api *api, struct bus_http_request *req, char *name);
/* One request more of a reader that is known otherwise; false: answered 429. */
bool gw_api_quota(struct gw_api *api, struct bus_http_request *req, const char *name);
/* The view of the path and what the reader may see of it, or answers 401/404 and returns NULL. An unknown
 * view and one that is not granted get the same answer. One that has not been whole yet (gw_view_whole) is 503 on every
 * way of reading. */
const struct gw_view *gw_api_view(struct gw_api *api, struct bus_http_request *req, char *name,
				  struct gw_grant *grant);
const struct gw_view *gw_api_view_named(struct gw_api *api, struct bus_http_request *req, const char *reader,
					const char *view, struct gw_grant *grant);
void gw_api_not_ready(struct bus_http_request *req, const char *what); /* answers 503, to be asked again in a second */
/* The hint to "view-unknown": the view whose name is nearest, of those that reader may see (NULL: of all, for who may
 * define); else where they are listed. */
const char *gw_api_view_hint(struct gw_api *api, struct bus_http_request *req, const char *reader,
			     const char *name);
/* The views as they were when this request first asked: held until it, or its stream, is over. */
const struct gw_views *gw_api_views(struct gw_api *api, struct bus_http_request *req);
/* The cursors of the store as it is now: a store rebuilt under running readers is another one. */
struct gw_cursors gw_api_cursors(const struct gw_api *api);
void gw_api_refuse(void *ctx, struct bus_http_request *req, int status); /* no such path, no such method */
/* An engine error as an answer: 400, 404, 409 or 503. */
void gw_api_fail(struct bus_http_request *req, enum bus_err rc, const struct bus_error *err);

/* handlers */
void gw_rest_views(void *ctx, struct bus_http_request *req);
void gw_rest_page(void *ctx, struct bus_http_request *req);
void gw_problem_page(void *ctx, struct bus_http_request *req);
void gw_problem_list(void *ctx, struct bus_http_request *req);
void gw_rest_check(void *ctx, struct bus_http_request *req);
void gw_rest_verify(void *ctx, struct bus_http_request *req);
void gw_rest_check_job(void *ctx, struct bus_http_request *req);
void gw_rest_lookup(void *ctx, struct bus_http_request *req);
void gw_rest_row(void *ctx, struct bus_http_request *req);
void gw_rest_define(void *ctx, struct bus_http_request *req);
void gw_rest_drop(void *ctx, struct bus_http_request *req);
void gw_rest_definition(void *ctx, struct bus_http_request *req);
void gw_rest_state(void *ctx, struct bus_http_request *req);
void gw_rest_topics(void *ctx, struct bus_http_request *req);
void gw_rest_quality(void *ctx, struct bus_http_request *req);
void gw_rest_adapters(void *ctx, struct bus_http_request *req);
void gw_rest_readers(void *ctx, struct bus_http_request *req);
void gw_rest_conflicts(void *ctx, struct bus_http_request *req);
void gw_rest_freshness(void *ctx, struct bus_http_request *req);
void gw_rest_gateways(void *ctx, struct bus_http_request *req);
void gw_rest_whoami(void *ctx, struct bus_http_request *req);
void gw_feeds_changes(void *ctx, struct bus_http_request *req);
void gw_feeds_several(void *ctx, struct bus_http_request *req);
void gw_feeds_records(void *ctx, struct bus_http_request *req);
void gw_publish_post(void *ctx, struct bus_http_request *req);
void gw_feeds_ticket(void *ctx, struct bus_http_request *req);
void gw_hooks_create(void *ctx, struct bus_http_request *req);
void gw_hooks_list(void *ctx, struct bus_http_request *req);
void gw_hooks_one(void *ctx, struct bus_http_request *req);
void gw_hooks_change(void *ctx, struct bus_http_request *req);
void gw_hooks_remove(void *ctx, struct bus_http_request *req);
void gw_hooks_test(void *ctx, struct bus_http_request *req);
void gw_hooks_redrive(void *ctx, struct bus_http_request *req);
void gw_hooks_attempts(void *ctx, struct bus_http_request *req);
void gw_openapi(void *ctx, struct bus_http_request *req);
void gw_openapi_31(void *ctx, struct bus_http_request *req);
void gw_figures_list(void *ctx, struct bus_http_request *req);
void gw_figures_one(void *ctx, struct bus_http_request *req);
void gw_figures_publish(void *ctx, struct bus_http_request *req);
void gw_catalogue(void *ctx, struct bus_http_request *req);
void gw_catalogue_jsonld(void *ctx, struct bus_http_request *req);
void gw_catalogue_turtle(void *ctx, struct bus_http_request *req);
void gw_catalogue_dataset(void *ctx, struct bus_http_request *req);
void gw_catalogue_project(void *ctx, struct bus_http_request *req);
void gw_catalogue_openapi(void *ctx, struct bus_http_request *req);
void gw_catalogue_asyncapi(void *ctx, struct bus_http_request *req);
void gw_catalogue_dictionary(void *ctx, struct bus_http_request *req);
void gw_catalogue_ckan(void *ctx, struct bus_http_request *req);
void gw_signer_directory(void *ctx, struct bus_http_request *req);
void gw_national_offer(void *ctx, struct bus_http_request *req);
void gw_national_acknowledge(void *ctx, struct bus_http_request *req);
void gw_national_acknowledged(void *ctx, struct bus_http_request *req);
void gw_portal(void *ctx, struct bus_http_request *req);
void gw_ops_health(void *ctx, struct bus_http_request *req);
void gw_ops_ready(void *ctx, struct bus_http_request *req);
void gw_ops_ready_why(void *ctx, struct bus_http_request *req); /* names topics and views: not for everybody */
void gw_ops_metrics(void *ctx, struct bus_http_request *req);

#endif
