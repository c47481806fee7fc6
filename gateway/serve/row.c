/* GET /v1/views/{view}/{key}: one row. */
#include "gateway/serve/answer.h"
#include "gateway/serve/format.h"
#include "gateway/serve/kept.h"
#include "gateway/serve/moment.h"
#include "gateway/serve/promise.h"
#include "gateway/serve/traced.h"

struct one {
	struct gw_params params;
	struct bus_buf body;
	uint64_t hash;
};

static bool one_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct one *o = ctx;

	gw_format_json(&o->params, value, &o->body);
	o->hash = hash;
	return false;
}

void gw_rest_row(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *key = bus_http_part(req, "key");
	char reader[GW_READER_NAME_MAX];
	const struct gw_view *v;
	struct gw_grant grant;
	struct one o = { 0 };
	struct bus_error err;
	struct gw_asked asked;
	struct gw_reader *r;
	uint64_t tag;
	enum bus_err rc;
	int64_t newest;

	if (!gw_api_reader(api, req, reader) || !(v = gw_api_view(api, req, reader, &grant)))
		return;
	newest = gw_newest(api->engine, v);
	if (gw_kept_answer(api, req, v, &grant, newest, &asked))
		return;
	gw_params_begin(&o.params, v, grant, bus_http_arena(req));
	bus_http_each_query(req, gw_params_add, &o.params);
	if (!gw_params_end(&o.params)) {
		gw_problem(req, o.params.problem, o.params.detail, o.params.hint[0] ? o.params.hint : NULL);
		return;
	}
	if (o.params.provenance) {
		rc = gw_row_traced(gw_reader_of(api->engine), &o.params, bus_str(key), &o.body, &err);
		if (rc) {
			gw_api_fail(req, rc, &err);
		} else {
			gw_promise_headers(api, req, v, newest);
			bus_http_set(req, "Cache-Control", "private, no-store");
			bus_http_reply(req, 200, "application/json", &o.body);
		}
		bus_buf_release(&o.body);
		return;
	}
	r = gw_moment_reader(api, req, &o.params);
	if (!r)
		return;
	rc = gw_get(r, v, o.params.query.date, bus_str(key), grant.rows, one_row, &o, &err);
	if (rc) {
		gw_api_fail(req, rc, &err);
		bus_buf_release(&o.body);
		return;
	}
	gw_answer_links(req, v, NULL);
	gw_moment_headers(api, req, &o.params, newest);
	tag = gw_answer_hash(api, req, &o.params, o.hash);
	if (o.params.as_of) {
		bus_http_reply(req, 200, "application/json", &o.body);
	} else if (!gw_answer_unchanged(req, tag)) {
		gw_answer_put_tag(req, tag);
		gw_kept_reply(api, req, &asked, 200, "application/json", &o.body);
	}
	bus_buf_release(&o.body);
}
