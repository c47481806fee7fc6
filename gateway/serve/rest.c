#include <inttypes.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/serve/api.h"
#include "gateway/serve/format.h"

#define EXPORT_ROWS 1000 /* a piece of an export: one short query */
#define TABLES_MAX 64

/* --- the list of views ------------------------------------------------------------------------------ */

static void put_two(struct bus_json_out *j, const char *key, const char *id, const char *en)
{
	bus_json_key(j, key);
	bus_json_object(j);
	bus_json_key(j, "id");
	bus_json_put_text(j, id);
	bus_json_key(j, "en");
	bus_json_put_text(j, en ? en : id);
	bus_json_object_end(j);
}

static void put_columns(struct bus_json_out *j, const struct gw_view *v, struct gw_grant grant)
{
	static const char *const type[] = { "null", "integer", "number", "string", "boolean", "json" };
	char pdp[2] = "";

	bus_json_key(j, "columns");
	bus_json_array(j);
	for (size_t i = 0; i < v->n_columns; i++) {
		const struct gw_column *c = &v->column[i];

		if (!(grant.shown >> i & 1))
			continue;
		pdp[0] = c->pdp;
		bus_json_object(j);
		bus_json_key(j, "name");
		bus_json_put_text(j, c->name);
		bus_json_key(j, "type");
		bus_json_put_text(j, type[c->type]);
		bus_json_key(j, "pdp");
		bus_json_put_text(j, pdp);
		bus_json_key(j, "masked");
		bus_json_put_bool(j, !(grant.clear >> i & 1));
		put_two(j, "title", c->title_id, c->title_en);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

/* The topics' tables behind a view, through the views it reads (which have no cycle). */
static size_t tables_of(struct gw_engine *e, const struct gw_view *v, const char **table, size_t n)
{
	for (size_t i = 0; i < v->n_sources; i++) {
		const struct gw_view *inner = gw_view_find(e, v->source[i]);
		size_t k;

		if (inner) {
			n = tables_of(e, inner, table, n);
			continue;
		}
		for (k = 0; k < n && strcmp(table[k], v->source[i]) != 0; k++)
			;
		if (k == n && n < TABLES_MAX)
			table[n++] = v->source[i];
	}
	return n;
}

static void put_tables(struct bus_json_out *j, struct gw_engine *e, const struct gw_view *v)
{
	const char *table[TABLES_MAX];
	size_t n = tables_of(e, v, table, 0);

	bus_json_key(j, "tables");
	bus_json_array(j);
	for (size_t i = 0; i < n; i++)
		bus_json_put_text(j, table[i]);
	bus_json_array_end(j);
}

static void put_view(struct bus_json_out *j, struct gw_api *api, const struct gw_view *v,
		     struct gw_grant grant)
{
	bus_json_object(j);
	bus_json_key(j, "name");
	bus_json_put_text(j, v->name);
	put_two(j, "title", v->title_id, v->title_en);
	put_two(j, "about", v->about_id, v->about_en);
	bus_json_key(j, "dated");
	bus_json_put_bool(j, v->dated);
	bus_json_key(j, "key");
	bus_json_put_text(j, v->column[v->key].name);
	put_columns(j, v, grant);
	bus_json_key(j, "sources");
	bus_json_array(j);
	for (size_t i = 0; i < v->n_sources; i++)
		bus_json_put_text(j, v->source[i]);
	bus_json_array_end(j);
	put_tables(j, api->engine, v);
	bus_json_key(j, "rows");
	/* A dated view has no number of rows before the reader names the day. */
	if (v->dated)
		bus_json_put_null(j);
	else
		bus_json_put_int(j, gw_view_rows(api->engine, v));
	bus_json_key(j, "newest");
	bus_json_put_int(j, gw_newest(api->engine, v));
	bus_json_object_end(j);
}

void gw_rest_views(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	char reader[GW_READER_NAME_MAX];

	if (!gw_api_reader(api, req, reader))
		return;
	bus_json_array(&j);
	for (size_t i = 0; i < gw_view_count(api->engine); i++) {
		const struct gw_view *v = gw_view_at(api->engine, i);
		struct gw_grant grant = gw_access_grant(api->access, reader, v);

		if (!v->internal && grant.allowed)
			put_view(&j, api, v, grant);
	}
	bus_json_array_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}

/* --- a page ----------------------------------------------------------------------------------------- */

struct page {
	struct gw_params params;
	enum gw_form form;
	struct bus_buf body;
	struct bus_buf last; /* key of the last row */
	int rows;
};

static bool page_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct page *p = ctx;

	(void)hash;
	if (p->form == GW_FORM_CSV) {
		gw_format_csv(&p->params, value, &p->body);
	} else {
		if (p->rows > 0 && p->form != GW_FORM_NDJSON)
			bus_buf_putc(&p->body, ',');
		gw_format_json(&p->params, value, &p->body);
		if (p->form == GW_FORM_NDJSON)
			bus_buf_putc(&p->body, '\n');
	}
	p->last.n = 0;
	bus_buf_put(&p->last, value[p->params.view->key].s.p, value[p->params.view->key].s.n);
	p->rows++;
	return true;
}

static void page_release(struct page *p)
{
	bus_buf_release(&p->body);
	bus_buf_release(&p->last);
}

/* The same URL with another `after`. */
static void put_next_url(struct gw_api *api, struct bus_http_request *req, const struct page *p,
			 struct bus_buf *out)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	const char *query = bus_http_raw_query(req);

	bus_buf_printf(out, "/v1/views/%s?", p->params.view->name);
	while (*query) {
		size_t n = strcspn(query, "&");

		if (n > 0 && strncmp(query, "after=", 6) != 0) {
			bus_buf_put(out, query, n);
			bus_buf_putc(out, '&');
		}
		query += n + (query[n] == '&');
	}
	bus_buf_puts(out, "after=");
	gw_cursor_put_page(&cursors, p->params.view, bus_buf_str(&p->last), out);
}

static void put_as_of(struct bus_http_request *req, int64_t seq)
{
	char when[40], text[80];

	bus_clock_iso_wib(bus_clock_ms() / 1000 * 1000, when, sizeof(when));
	snprintf(text, sizeof(text), "\"%s\";seq=%" PRId64, when, seq);
	bus_http_set(req, "Titian-As-Of", text);
}

/* One ETag per view's state, reader, question and form: unchanged as long as the view is. Returns true when
 * the reader has it already (and has been answered). */
static bool etag_matches(struct bus_http_request *req, uint64_t store, const char *reader,
			 struct gw_grant grant, int64_t seq, enum gw_form form)
{
	const char *query = bus_http_raw_query(req), *have = bus_http_header(req, "If-None-Match");
	uint8_t digest[BUS_SHA256_LEN];
	struct bus_buf text = { 0 };
	char hex[17], tag[24];

	bus_buf_printf(&text, "%" PRIx64 "\n%" PRIx64 "\n%" PRIx64 "\n%s\n%" PRId64 "\n%d\n%s\n%s", store,
		       grant.shown, grant.clear, reader, seq, (int)form, bus_http_part(req, "view"), query);
	bus_sha256(text.p, text.n, digest);
	bus_buf_release(&text);
	bus_hex(digest, 8, hex);
	snprintf(tag, sizeof(tag), "\"%s\"", hex);
	bus_http_set(req, "ETag", tag);
	bus_http_set(req, "Cache-Control", "private, no-cache");
	if (!have || !strstr(have, tag))
		return false;
	bus_http_reply(req, 304, NULL, NULL);
	return true;
}

static bool params_read(struct page *p, struct gw_api *api, struct bus_http_request *req,
			const struct gw_view *v, struct gw_grant grant)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	struct gw_params *q = &p->params;
	struct bus_buf key = { 0 };
	char *copy;

	gw_params_begin(q, v, grant, bus_http_arena(req));
	bus_http_each_query(req, gw_params_add, q);
	if (!gw_params_end(q)) {
		gw_problem(req, q->problem, q->detail, q->hint[0] ? q->hint : NULL);
		return false;
	}
	if (!gw_form_of(bus_http_header(req, "Accept"), &p->form)) {
		gw_problem(req, "accept-unknown", NULL, "application/json, text/csv, application/x-ndjson");
		return false;
	}
	if (!q->after)
		return true;
	if (gw_cursor_read_page(&cursors, v, q->after, &key)) {
		bus_buf_release(&key);
		gw_problem(req, "cursor-invalid", NULL, NULL);
		return false;
	}
	copy = bus_arena_dup(bus_http_arena(req), key.p, key.n);
	q->query.after = (struct bus_str){ copy, copy ? key.n : 0 };
	bus_buf_release(&key);
	return true;
}

/* Prefer: count=exact -> how many rows the filters leave, as Content-Range. */
static enum bus_err put_count(struct bus_http_request *req, struct gw_reader *r, const struct page *p,
			      struct bus_error *err)
{
	const char *prefer = bus_http_header(req, "Prefer");
	struct gw_query all = p->params.query;
	enum bus_err rc;
	char text[64];
	int64_t n;

	if (!prefer || !strstr(prefer, "count=exact"))
		return BUS_OK;
	all.after = (struct bus_str){ 0 };
	if ((rc = gw_count(r, &all, &n, err)))
		return rc;
	if (p->rows > 0 && !p->params.after)
		snprintf(text, sizeof(text), "0-%d/%" PRId64, p->rows - 1, n);
	else
		snprintf(text, sizeof(text), "*/%" PRId64, n);
	bus_http_set(req, "Content-Range", text);
	return BUS_OK;
}

static void answer_page(struct gw_api *api, struct bus_http_request *req, struct page *p, int64_t newest)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	struct bus_buf next = { 0 }, link = { 0 }, cursor = { 0 }, whole = { 0 };

	gw_cursor_put_feed(&cursors, p->params.view, newest, &cursor);
	bus_http_set(req, "Titian-Cursor", bus_buf_cstr(&cursor));
	put_as_of(req, newest);
	if (p->rows == p->params.query.limit) { /* the next page may turn out empty */
		put_next_url(api, req, p, &next);
		bus_buf_printf(&link, "<%s>; rel=\"next\"", bus_buf_cstr(&next));
		bus_http_set(req, "Link", bus_buf_cstr(&link));
	}
	if (p->form == GW_FORM_JSON) {
		bus_buf_putc(&whole, '[');
		bus_buf_put(&whole, p->body.p, p->body.n);
		bus_buf_puts(&whole, "]");
	} else if (p->form == GW_FORM_PAGE) {
		bus_buf_puts(&whole, "{\"data\":[");
		bus_buf_put(&whole, p->body.p, p->body.n);
		bus_buf_puts(&whole, "],\"next\":");
		struct bus_json_out j = { .buf = &whole };
		bus_json_put_text(&j, next.n ? bus_buf_cstr(&next) : NULL);
		bus_buf_printf(&whole, ",\"cursor\":\"%s\",\"as_of\":%" PRId64 "}", bus_buf_cstr(&cursor),
			       newest);
	}
	bus_http_reply(req, 200, gw_form_type(p->form), whole.n ? &whole : &p->body);
	bus_buf_release(&next);
	bus_buf_release(&link);
	bus_buf_release(&cursor);
	bus_buf_release(&whole);
}

/* --- an export: CSV and NDJSON without a limit, the whole view piece by piece ------------------------ */

struct export
{
	struct page page; /* its params point into arena */
	struct bus_arena *arena;
	struct gw_engine *engine;
	struct bus_buf after;
	bool begun;
};

static void export_free(void *state)
{
	struct export *x = state;

	page_release(&x->page);
	bus_buf_release(&x->after);
	bus_arena_free(&x->arena);
	free(x);
}

static enum bus_http_more export_piece(void *state, struct bus_buf *out)
{
	struct export *x = state;
	struct gw_query *q = &x->page.params.query;
	struct bus_error err;

	if (!x->begun && x->page.form == GW_FORM_CSV)
		gw_format_csv_head(&x->page.params, out);
	x->begun = true;
	x->page.rows = 0;
	x->page.body.n = 0;
	q->after = bus_buf_str(&x->after);
	if (gw_page(gw_reader_of(x->engine), q, page_row, &x->page, &err))
		return BUS_HTTP_ABORT;
	bus_buf_put(out, x->page.body.p, x->page.body.n);
	if (x->page.rows < q->limit)
		return BUS_HTTP_END;
	x->after.n = 0;
	bus_buf_put(&x->after, x->page.last.p, x->page.last.n);
	return BUS_HTTP_MORE;
}

/* The request's memory goes with the request; an export keeps its own copy of the question. */
static bool export_add(void *ctx, const char *name, const char *value)
{
	struct export *x = ctx;
	char *n = bus_arena_dup(x->arena, name, strlen(name)),
	     *v = bus_arena_dup(x->arena, value, strlen(value));

	return n && v && gw_params_add(&x->page.params, n, v);
}

static void start_export(struct gw_api *api, struct bus_http_request *req, const struct page *p)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	struct export *x = bus_xcalloc(1, sizeof(*x));
	struct bus_buf cursor = { 0 }, name = { 0 };
	int64_t newest = gw_newest(api->engine, p->params.view);

	x->engine = api->engine;
	x->arena = bus_arena_new(256 * 1024);
	x->page.form = p->form;
	gw_params_begin(&x->page.params, p->params.view, p->params.grant, x->arena);
	bus_http_each_query(req, export_add, x);
	x->page.params.query.limit = EXPORT_ROWS;
	gw_cursor_put_feed(&cursors, p->params.view, newest, &cursor);
	bus_http_set(req, "Titian-Cursor", bus_buf_cstr(&cursor));
	put_as_of(req, newest);
	bus_buf_printf(&name, "attachment; filename=\"%s.%s\"", p->params.view->name,
		       p->form == GW_FORM_CSV ? "csv" : "ndjson");
	bus_http_set(req, "Content-Disposition", bus_buf_cstr(&name));
	bus_http_stream(req, 200, gw_form_type(p->form), export_piece, export_free, x);
	bus_buf_release(&cursor);
	bus_buf_release(&name);
}

void gw_rest_page(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	const struct gw_view *v;
	struct gw_grant grant;
	struct page p = { 0 };
	struct bus_error err;
	struct gw_reader *r;
	enum bus_err rc;
	int64_t newest;

	if (!gw_api_reader(api, req, reader) || !(v = gw_api_view(api, req, reader, &grant)) ||
	    !params_read(&p, api, req, v, grant))
		return;
	/* Before the first row is read: the feed from here on then misses nothing. */
	newest = gw_newest(api->engine, v);
	if (etag_matches(req, gw_store_id(api->engine), reader, grant, newest, p.form))
		return;
	if (!p.params.has_limit && !p.params.after && (p.form == GW_FORM_CSV || p.form == GW_FORM_NDJSON)) {
		start_export(api, req, &p);
		return;
	}
	if (p.form == GW_FORM_CSV)
		gw_format_csv_head(&p.params, &p.body);
	r = gw_reader_of(api->engine);
	rc = gw_page(r, &p.params.query, page_row, &p, &err);
	if (!rc)
		rc = put_count(req, r, &p, &err);
	if (rc)
		gw_api_fail(req, rc, &err);
	else
		answer_page(api, req, &p, newest);
	page_release(&p);
}

/* --- one row ---------------------------------------------------------------------------------------- */

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
	char reader[GW_READER_NAME_MAX], tag[24];
	const struct gw_view *v;
	struct gw_grant grant;
	struct one o = { 0 };
	struct bus_error err;
	const char *have;
	enum bus_err rc;

	if (!gw_api_reader(api, req, reader) || !(v = gw_api_view(api, req, reader, &grant)))
		return;
	gw_params_begin(&o.params, v, grant, bus_http_arena(req));
	bus_http_each_query(req, gw_params_add, &o.params);
	if (!gw_params_end(&o.params)) {
		gw_problem(req, o.params.problem, o.params.detail, o.params.hint[0] ? o.params.hint : NULL);
		return;
	}
	rc = gw_get(gw_reader_of(api->engine), v, o.params.query.date, bus_str(key), one_row, &o, &err);
	if (rc) {
		gw_api_fail(req, rc, &err);
		bus_buf_release(&o.body);
		return;
	}
	/* The grant is part of what was answered. */
	snprintf(tag, sizeof(tag), "\"%016" PRIx64 "\"",
		 o.hash ^ (grant.clear * UINT64_C(0x9e3779b97f4a7c15)) ^
		     (grant.shown * UINT64_C(0xc2b2ae3d27d4eb4f)));
	bus_http_set(req, "ETag", tag);
	bus_http_set(req, "Cache-Control", "private, no-cache");
	have = bus_http_header(req, "If-None-Match");
	if (have && strstr(have, tag))
		bus_http_reply(req, 304, NULL, NULL);
	else
		bus_http_reply(req, 200, "application/json", &o.body);
	bus_buf_release(&o.body);
}
