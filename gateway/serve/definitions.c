#include "gateway/serve/definitions.h"

#include <stdio.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "gateway/serve/beside.h"
#include "gateway/serve/checks.h"
#include "gateway/serve/desk.h"
#include "gateway/define/view.h"

#define TAG_LEN 34 /* with its quotes: 32 hex digits */

struct job {
	char view[64], by[GW_READER_NAME_MAX];
	struct bus_str text; /* of the request, which waits; p NULL: drop */
	bool apply;
};

struct gw_definitions {
	struct gw_api *api;
	struct gw_defs *defs;
	struct gw_desk *desk;
};

/* --- on the desk's thread: checked, written, answered ----------------------------------------------------------- */

static void tag_of(struct bus_str text, char out[TAG_LEN + 1])
{
	uint8_t digest[BUS_SHA256_LEN];
	char hex[33];

	bus_sha256(text.p, text.n, digest);
	bus_hex(digest, 16, hex);
	snprintf(out, TAG_LEN + 1, "\"%s\"", hex);
}

static void put_state(struct bus_json_out *j, const struct gw_view_state *s)
{
	char when[40];

	bus_json_key(j, "state");
	bus_json_put_text(j, gw_state_name(s->state));
	bus_json_key(j, "percent");
	bus_json_put_int(j, s->percent);
	bus_json_key(j, "runs");
	bus_json_put_bool(j, s->runs);
	bus_json_key(j, "origin");
	bus_json_put_text(j, s->defined ? "topic" : "file");
	bus_json_key(j, "dropping");
	bus_json_put_bool(j, s->dropping);
	bus_json_key(j, "by");
	bus_json_put_text(j, s->by[0] ? s->by : NULL);
	bus_json_key(j, "at");
	bus_json_put_text(j, s->when_ms ? bus_clock_iso_wib(s->when_ms, when, sizeof(when)) : NULL);
	bus_json_key(j, "fault");
	bus_json_put_text(j, s->fault[0] ? s->fault : NULL);
}

/* BUS_OK: it may be done; *outcome says what. report: what was found in the text, JSON. */
static enum bus_err check_drop(struct gw_definitions *d, struct job *job, const struct gw_views *views,
			       const char **outcome, struct bus_error *err)
{
	struct gw_view_state s;
	bool shipped = gw_view_shipped(d->api->engine, job->view);

	if (gw_view_state(d->api->engine, job->view, &s) != BUS_OK)
		return bus_fail(err, BUS_ENOENT, "no view of that name");
	if (!s.defined)
		return bus_fail(err, BUS_ECONFLICT, "it is defined by a file of this gateway (views.dir)");
	*outcome = shipped ? "reverted" : "dropped";
	return shipped ? BUS_OK : gw_beside_fits(views, job->view, err);
}

static void refuse(struct gw_definitions *d, const struct job *job, struct bus_http_request *req,
		   enum bus_err rc, const struct bus_error *err)
{
	if (rc == BUS_ENOENT)
		gw_problem(req, "view-unknown", NULL, gw_api_view_hint(d->api, req, NULL, job->view));
	else
		gw_problem(req, rc == BUS_ECONFLICT ? "definition-conflict" : "definition-invalid", err->text,
			   NULL);
}

static void answer(struct gw_definitions *d, const struct job *job, struct bus_http_request *req,
		   const char *outcome, const char *detail, struct bus_str report)
{
	struct gw_view_state s = { 0 };
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	char where[100];

	bus_json_object(&j);
	bus_json_key(&j, "view");
	bus_json_put_text(&j, job->view);
	bus_json_key(&j, "dry_run");
	bus_json_put_bool(&j, !job->apply);
	bus_json_key(&j, "outcome");
	bus_json_put_text(&j, outcome);
	bus_json_key(&j, "detail");
	bus_json_put_text(&j, detail);
	if (report.n > 0) {
		bus_json_key(&j, "check");
		bus_json_put_raw(&j, report);
	}
	if (job->apply && gw_view_state(d->api->engine, job->view, &s) == BUS_OK)
		put_state(&j, &s);
	bus_json_object_end(&j);
	if (job->apply) {
		snprintf(where, sizeof(where), "/v1/views/%s/state", job->view);
		bus_http_set(req, "Location", where);
	}
	bus_http_reply(req, job->apply ? 202 : 200, "application/json", &body);
}

/* A file says it already, and nothing else is wished: no record is needed. What the topic says is written again: a
 * drop that was just asked for may not be done yet, and this one is meant to hold after it. */
static bool file_says(struct gw_definitions *d, const struct job *job)
{
	struct gw_view_state s;
	const struct gw_view *v;
	struct gw_views *now;
	bool yes = false;

	if (!job->text.p || gw_view_state(d->api->engine, job->view, &s) != BUS_OK || s.defined)
		return false;
	now = gw_views_hold(d->api->engine);
	v = gw_views_find(now, job->view);
	if (v) {
		const struct bus_str text = gw_view_def(v)->text;

		yes = text.n == job->text.n && memcmp(text.p, job->text.p, text.n) == 0;
	}
	gw_views_release(&now);
	return yes;
}

static enum bus_err write_down(struct gw_definitions *d, const struct job *job, const char *outcome,
			       struct bus_error *err)
{
	enum bus_err rc;

	if (file_says(d, job))
		return BUS_OK;
	if (!d->defs)
		return bus_fail(err, BUS_EKAFKA, "this gateway has no topic of definitions");
	rc = gw_beside_publish(d->api->engine, d->defs, job->view, job->text.p ? &job->text : NULL, job->by, err);
	if (rc == BUS_OK)
		bus_log(BUS_LOG_INFO, "gateway.definition", LOG_STR("view", job->view),
			LOG_STR("by", job->by), LOG_STR("outcome", outcome));
	else
		bus_log(BUS_LOG_ERROR, "gateway.definition_not_written", LOG_STR("view", job->view),
			LOG_ERR(err));
	return rc;
}

static void run_job(void *ctx, struct bus_http_request *req, void *asked)
{
	struct gw_definitions *d = ctx;
	struct job *job = asked;
	struct gw_views *views = gw_views_hold(d->api->engine);
	struct bus_buf report = { 0 };
	const char *outcome = "refused";
	struct bus_error err = { 0 };
	enum bus_err rc;

	rc = job->text.p
		 ? gw_view_try(d->api->engine, views, job->view, job->text, &report, &outcome, &err)
		 : check_drop(d, job, views, &outcome, &err);
	if (rc == BUS_OK && job->text.p)
		rc = gw_beside_check(job->view, job->text, &err);
	if (rc != BUS_OK && (job->apply || !job->text.p))
		refuse(d, job, req, rc, &err);
	else if (job->apply && write_down(d, job, outcome, &err) != BUS_OK)
		gw_problem(req, "definition-not-written", NULL, "GET /v1/views/{view}/state");
	else
		answer(d, job, req, outcome, rc == BUS_OK ? NULL : err.text, bus_buf_str(&report));
	bus_buf_release(&report);
	gw_views_release(&views);
}

enum bus_err gw_definitions_new(struct gw_api *api, struct gw_defs *defs, struct gw_definitions **out,
				struct bus_error *err)
{
	struct gw_definitions *d = bus_xcalloc(1, sizeof(*d));
	const struct gw_desk_conf desk = {
		.name = "definitions", .waiting = GW_DEFINITIONS_WAITING, .answer = run_job, .ctx = d
	};
	enum bus_err rc;

	d->api = api;
	d->defs = defs;
	rc = gw_desk_open(&desk, &d->desk, err);
	if (rc != BUS_OK)
		gw_definitions_free(&d);
	*out = d;
	return rc;
}

void gw_definitions_free(struct gw_definitions **definitions)
{
	struct gw_definitions *d = *definitions;

	if (!d)
		return;
	gw_desk_close(&d->desk);
	free(d);
	*definitions = NULL;
}

/* --- asking ------------------------------------------------------------------------------------------- */

/* `apply` or its opposite, `dry_run`. False: neither true nor false, and answered. */
static bool read_apply(struct bus_http_request *req, bool *apply)
{
	const char *yes = bus_http_query(req, "apply"), *no = bus_http_query(req, "dry_run");

	if ((yes && strcmp(yes, "true") != 0 && strcmp(yes, "false") != 0) ||
	    (no && strcmp(no, "true") != 0 && strcmp(no, "false") != 0) ||
	    (yes && no && strcmp(yes, no) == 0)) {
		gw_problem(req, "parameter-invalid", "apply: true or false", "apply=true");
		return false;
	}
	*apply = yes ? strcmp(yes, "true") == 0 : no && strcmp(no, "false") == 0;
	return true;
}

static bool still_the_one(struct gw_api *api, struct bus_http_request *req, const char *view)
{
	const struct gw_view *v = gw_views_find(gw_api_views(api, req), view);
	const char *want = bus_http_header(req, "If-Match");
	char tag[TAG_LEN + 1] = "";

	if (!want || strcmp(want, "*") == 0)
		return true;
	if (v)
		tag_of(gw_view_def(v)->text, tag);
	if (v && strstr(want, tag))
		return true;
	gw_problem(req, "definition-other", NULL, "GET /v1/views/{view}/definition");
	return false;
}

static void ask(struct gw_api *api, struct bus_http_request *req, bool drop)
{
	struct gw_definitions *d = api->definitions;
	const char *view = bus_http_part(req, "view");
	char reader[GW_READER_NAME_MAX];
	bool apply;
	struct job *job;

	if (!gw_api_definer(api, req, reader) || !read_apply(req, &apply) || !still_the_one(api, req, view))
		return;
	if (strlen(view) >= sizeof(job->view)) {
		gw_problem(req, "parameter-invalid", NULL, NULL);
		return;
	}
	job = bus_xcalloc(1, sizeof(*job));
	job->apply = apply;
	if (!drop)
		gw_check_log(reader, bus_http_body(req));
	snprintf(job->view, sizeof(job->view), "%s", view);
	memcpy(job->by, reader, sizeof(job->by));
	if (!drop) {
		job->text = bus_http_body(req);
		job->text.p = job->text.p ? job->text.p : "";
	}
	gw_desk_take(d->desk, req, job);
}

void gw_rest_define(void *ctx, struct bus_http_request *req)
{
	ask(ctx, req, false);
}

void gw_rest_drop(void *ctx, struct bus_http_request *req)
{
	ask(ctx, req, true);
}

void gw_rest_definition(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX], tag[TAG_LEN + 1];
	const struct gw_view *v;
	struct bus_buf body = { 0 };

	if (!gw_api_definer(api, req, reader))
		return;
	v = gw_views_find(gw_api_views(api, req), bus_http_part(req, "view"));
	if (!v) {
		gw_problem(req, "view-unknown", NULL,
			   gw_api_view_hint(api, req, NULL, bus_http_part(req, "view")));
		return;
	}
	tag_of(gw_view_def(v)->text, tag);
	bus_http_set(req, "ETag", tag);
	bus_buf_put(&body, gw_view_def(v)->text.p, gw_view_def(v)->text.n);
	bus_http_reply(req, 200, "application/sql", &body);
}

void gw_rest_state(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	struct gw_view_state s;
	const struct gw_view *v;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	if (!gw_api_definer(api, req, reader))
		return;
	if (gw_view_state(api->engine, bus_http_part(req, "view"), &s) != BUS_OK) {
		gw_problem(req, "view-unknown", NULL,
			   gw_api_view_hint(api, req, NULL, bus_http_part(req, "view")));
		return;
	}
	v = gw_views_find(gw_api_views(api, req), s.name);
	if (v && s.state == GW_STATE_RUNNING && !gw_view_whole(v)) { /* it runs once its readers are answered */
		s.state = GW_STATE_BUILDING;
		s.percent = 99;
	}
	bus_json_object(&j);
	bus_json_key(&j, "view");
	bus_json_put_text(&j, s.name);
	put_state(&j, &s);
	bus_json_object_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}
