/* /v1/exports: exports as jobs. A reader sees its own, and no more of one than it may see now. */
#include <inttypes.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/json.h"
#include "bus/json_out.h"
#include "gateway/export/package.h"
#include "gateway/export/view.h"

#define VALUE_MAX 4096

/* --- one, as JSON ------------------------------------------------------------------------------------- */

static void put_progress(struct bus_json_out *j, const struct gw_export *x)
{
	const int64_t rows = __atomic_load_n(&x->rows, __ATOMIC_RELAXED);
	const int64_t until = x->ended_ms ? x->ended_ms : bus_clock_mono_ms();
	const double s = x->begun_ms ? (double)(until - x->begun_ms) / 1000 : 0;
	const double rate = s > 0 ? (double)rows / s : 0;

	/* its turn among the others; the view, whose rows are being brought up to date */
	bus_json_text_member(j, "waits_for",
			     x->state == GW_EXPORT_QUEUED		? "turn"
			     : x->state == GW_EXPORT_RUNNING && !x->cut ? "view"
									: NULL);
	bus_json_key(j, "rows");
	bus_json_put_int(j, rows);
	bus_json_key(j, "bytes");
	bus_json_put_int(j, x->bytes);
	bus_json_key(j, "percent");
	if (x->state == GW_EXPORT_DONE)
		bus_json_put_int(j, 100);
	else if (x->expected > 0) /* rows may have come since they were counted */
		bus_json_put_int(j, rows < x->expected ? rows * 100 / x->expected : 99);
	else
		bus_json_put_null(j);
	bus_json_key(j, "rows_per_s");
	bus_json_put_int(j, (int64_t)rate);
	bus_json_key(j, "eta_s");
	if (x->state == GW_EXPORT_RUNNING && x->expected > rows && rate > 0)
		bus_json_put_int(j, (int64_t)((double)(x->expected - rows) / rate) + 1);
	else
		bus_json_put_null(j);
}

static void put_result(struct bus_json_out *j, const struct gw_export *x)
{
	char hex[2 * BUS_SHA256_LEN + 1], when[40], path[200];

	bus_json_key(j, "as_of");
	bus_json_put_text(j, x->cut ? x->as_of : NULL);
	bus_json_key(j, "cursor");
	bus_json_put_text(j, x->cursor);
	if (x->state != GW_EXPORT_DONE)
		return;
	bus_hex(x->digest, sizeof(x->digest), hex);
	bus_json_text_member(j, "sha256", hex);
	bus_clock_iso_wib(bus_clock_ms() + x->all->keep_ms - (bus_clock_mono_ms() - x->ended_ms), when,
			  sizeof(when));
	bus_json_text_member(j, "expires", when);
	snprintf(path, sizeof(path), "/v1/exports/%s/%s.%s", x->id, x->view->name, gw_export_suffix(x));
	bus_json_text_member(j, "file", path);
}

/* Under the lock. */
static void put_export(struct bus_json_out *j, const struct gw_export *x, bool english)
{
	static const char *const state[] = { "queued", "running", "done", "failed", "cancelled" };
	char when[40], path[200];

	bus_json_object(j);
	bus_json_text_member(j, "id", x->id);
	bus_json_text_member(j, "view", x->view->name);
	bus_json_text_member(j, "format", x->kind->name);
	bus_json_key(j, "bundle");
	bus_json_put_bool(j, x->bundle);
	bus_json_text_member(j, "state", state[x->state]);
	bus_json_text_member(j, "created", bus_clock_iso_wib(x->created_ms, when, sizeof(when)));
	put_progress(j, x);
	put_result(j, x);
	if (x->state == GW_EXPORT_FAILED) {
		bus_json_key(j, "problem");
		bus_json_object(j);
		bus_json_text_member(j, "code", x->problem);
		bus_json_text_member(j, "title", gw_problem_title(x->problem, english));
		bus_json_some_text_member(j, "detail", x->why[0] ? x->why : NULL);
		bus_json_some_text_member(j, "hint", x->hint);
		bus_json_object_end(j);
	}
	snprintf(path, sizeof(path), "/v1/exports/%s", x->id);
	bus_json_text_member(j, "self", path);
	bus_json_object_end(j);
}

static void reply(struct gw_export *x, struct bus_http_request *req, int status)
{
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	pthread_mutex_lock(&x->all->lock);
	put_export(&j, x, gw_english(req));
	pthread_mutex_unlock(&x->all->lock);
	bus_http_reply(req, status, "application/json", &body);
}

/* --- the question, as a body --------------------------------------------------------------------------- */

/* A member as text, as it would stand in a query; false: neither text, number, nor truth. */
static bool text_of(const struct bus_json *v, struct bus_buf *out)
{
	bus_buf_reset(out);
	if (v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE) {
		bus_buf_puts(out, v->type == BUS_JSON_TRUE ? "true" : "false");
	} else if (v->type == BUS_JSON_ARRAY) {
		for (const struct bus_json *e = v->first; e; e = e->next) {
			if (e->type != BUS_JSON_STRING)
				return false;
			if (e != v->first)
				bus_buf_putc(out, ',');
			bus_buf_put(out, e->text.p, e->text.n);
		}
	} else if (v->type == BUS_JSON_STRING || v->type == BUS_JSON_NUMBER) {
		bus_buf_put(out, v->text.p, v->text.n);
	} else {
		return false;
	}
	return out->n <= VALUE_MAX && !(out->n > 0 && memchr(out->p, 0, out->n));
}

static bool ask_one(struct gw_export *x, const struct bus_json *member, const char **problem)
{
	struct bus_buf value = { 0 }, name = { 0 };
	bool ok = text_of(member, &value);

	bus_buf_put(&name, member->name.p, member->name.n);
	if (!ok) {
		*problem = "parameter-invalid";
		snprintf(x->params.detail, sizeof(x->params.detail), "'%.60s'", bus_buf_cstr(&name));
	} else {
		/* As a query says it. */
		if (strcmp(bus_buf_cstr(&name), "excel") == 0) {
			ok = bus_str_is(bus_buf_str(&value), "true") || bus_str_is(bus_buf_str(&value), "1");
			bus_buf_reset(&value);
			bus_buf_puts(&value, ok ? "1" : "0");
		}
		ok = gw_export_ask(x, bus_buf_cstr(&name), bus_buf_cstr(&value), problem);
	}
	bus_buf_release(&value);
	bus_buf_release(&name);
	return ok;
}

static bool ask_all(struct gw_export *x, const struct bus_json *body, const char **problem)
{
	const struct bus_json *format = bus_json_get(body, "format");

	/* First: what else may be asked for is of the kind of file. */
	if (format && !ask_one(x, format, problem))
		return false;
	for (const struct bus_json *m = body->first; m; m = m->next) {
		if (m == format || bus_str_is(m->name, "view"))
			continue;
		if (!bus_str_is(m->name, "filters")) {
			if (!ask_one(x, m, problem))
				return false;
			continue;
		}
		for (const struct bus_json *f = m->type == BUS_JSON_OBJECT ? m->first : NULL; f; f = f->next)
			if (!ask_one(x, f, problem))
				return false;
	}
	return gw_export_asked(x, problem);
}

static const struct bus_json *body_of(struct bus_http_request *req)
{
	const struct bus_json_limits limits = { .depth = 8, .text = VALUE_MAX };
	struct bus_json *body;
	struct bus_error err;

	if (bus_json_parse(bus_http_body(req), &limits, bus_http_arena(req), &body, &err) == BUS_OK &&
	    body->type == BUS_JSON_OBJECT)
		return body;
	gw_problem(req, "parameter-invalid", NULL, "{\"view\": \"penduduk\", \"format\": \"parquet\"}");
	return NULL;
}

void gw_exports_make(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX], path[80];
	const struct bus_json *body, *name;
	const char *problem = NULL;
	const struct gw_view *v;
	struct gw_grant grant;
	struct gw_export *x;

	if (!gw_api_reader(api, req, reader) || !(body = body_of(req)))
		return;
	name = bus_json_get(body, "view");
	v = gw_api_view_named(api, req, reader,
			      name && name->type == BUS_JSON_STRING
				  ? bus_arena_dup(bus_http_arena(req), name->text.p, name->text.n)
				  : "",
			      &grant);
	if (!v)
		return;
	x = gw_export_new(api->exports, reader, v, grant);
	x->job = true;
	if (!ask_all(x, body, &problem)) {
		gw_problem(req, problem, x->params.detail[0] ? x->params.detail : NULL,
			   x->params.hint[0] ? x->params.hint : NULL);
	} else if ((problem = gw_export_queue(x))) {
		bus_http_set(req, "Retry-After", "10");
		gw_problem(req, problem, NULL, "DELETE /v1/exports/{id}");
	} else {
		snprintf(path, sizeof(path), "/v1/exports/%s", x->id);
		bus_http_set(req, "Location", path);
		reply(x, req, 202);
	}
	gw_export_unref(&x);
}

/* --- those that are there ------------------------------------------------------------------------------ */

/* Whether who was granted `then` is granted at least as much now. */
static bool covers(const struct gw_grant *now, const struct gw_grant *then)
{
	return now->allowed && !(then->shown & ~now->shown) && !(then->clear & ~now->clear) &&
	       (!now->rows || now->rows == then->rows);
}

/* The export of the path, if it is this reader's and he may still have it; else answers. With a reference. */
static struct gw_export *mine(struct gw_api *api, struct bus_http_request *req, bool to_read)
{
	char reader[GW_READER_NAME_MAX];
	struct gw_export *x;
	struct gw_grant now;

	if (!gw_api_reader(api, req, reader))
		return NULL;
	x = gw_export_find(api->exports, bus_http_part(req, "id"), reader);
	if (x && (!x->job || (to_read && gw_view_gone(x->view) == GW_DROPPED)))
		gw_export_unref(&x);
	if (!x) {
		gw_problem(req, "export-unknown", NULL, "POST /v1/exports");
		return NULL;
	}
	now = gw_access_grant(api->access, reader, x->view);
	if (to_read && !covers(&now, &x->params.grant)) {
		gw_problem(req, "not-granted", NULL, "POST /v1/exports");
		gw_export_unref(&x);
	}
	return x;
}

void gw_exports_list(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_exports *all = api->exports;
	char reader[GW_READER_NAME_MAX];
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	if (!gw_api_reader(api, req, reader))
		return;
	bus_json_array(&j);
	pthread_mutex_lock(&all->lock);
	for (struct gw_export *x = all->first; x; x = x->next)
		if (x->job && strcmp(x->reader, reader) == 0)
			put_export(&j, x, gw_english(req));
	pthread_mutex_unlock(&all->lock);
	bus_json_array_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}

void gw_exports_one(void *ctx, struct bus_http_request *req)
{
	struct gw_export *x = mine(ctx, req, false);

	if (x)
		reply(x, req, 200);
	gw_export_unref(&x);
}

void gw_exports_delete(void *ctx, struct bus_http_request *req)
{
	struct gw_export *x = mine(ctx, req, false);

	if (!x)
		return;
	gw_export_cancel(x);
	bus_http_reply(req, 204, NULL, NULL);
	gw_export_unref(&x);
}

void gw_exports_file(void *ctx, struct bus_http_request *req)
{
	struct gw_export *x = mine(ctx, req, true);
	enum gw_export_state state;
	char name[160];

	if (!x)
		return;
	pthread_mutex_lock(&x->all->lock);
	state = x->state;
	pthread_mutex_unlock(&x->all->lock);
	snprintf(name, sizeof(name), "%s.%s", x->view->name, gw_export_suffix(x));
	if (strcmp(name, bus_http_part(req, "file")) != 0) {
		gw_problem(req, "export-unknown", NULL, name);
	} else if (state == GW_EXPORT_QUEUED || state == GW_EXPORT_RUNNING) {
		bus_http_set(req, "Retry-After", "1");
		gw_problem(req, "export-running", NULL, NULL);
	} else {
		gw_export_answer(x, req);
	}
	gw_export_unref(&x);
}

void gw_exports_key(void *ctx, struct bus_http_request *req)
{
	const struct gw_api *api = ctx;
	struct bus_buf pem = { 0 };

	gw_package_key(api->exports, &pem);
	bus_http_reply(req, 200, "application/x-pem-file", &pem);
}
