/* GET /v1/views/{view}: a page of rows. */
#include "gateway/serve/rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "bus/json_out.h"
#include "gateway/serve/access_rows.h"
#include "gateway/serve/promise.h"

bool gw_rows_put(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct gw_rows *p = ctx;

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

void gw_rows_release(struct gw_rows *p)
{
	bus_buf_release(&p->body);
	bus_buf_release(&p->last);
}

/* The same URL with another `after`. */
static void put_next_url(struct gw_api *api, struct bus_http_request *req, const struct gw_rows *p,
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

/* One ETag per view's state, reader, question and form: unchanged as long as the view is. Returns true when
 * the reader has it already (and has been answered). */
static bool etag_matches(struct bus_http_request *req, uint64_t store, const char *reader,
			 struct gw_grant grant, int64_t seq, enum gw_form form)
{
	const char *query = bus_http_raw_query(req), *have = bus_http_header(req, "If-None-Match");
	uint8_t digest[BUS_SHA256_LEN];
	struct bus_buf text = { 0 };
	char hex[17], tag[24];

	bus_buf_printf(&text,
		       "%" PRIx64 "\n%" PRIx64 "\n%" PRIx64 "\n%" PRIx64 "\n%s\n%" PRId64 "\n%d\n%s\n%s",
		       store, grant.shown, grant.clear, gw_grant_rows_id(grant.rows), reader, seq, (int)form,
		       bus_http_part(req, "view"), query);
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

static bool params_read(struct gw_rows *p, struct gw_api *api, struct bus_http_request *req,
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
static enum bus_err put_count(struct bus_http_request *req, struct gw_reader *r, const struct gw_rows *p,
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

static void answer_page(struct gw_api *api, struct bus_http_request *req, struct gw_rows *p, int64_t newest)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	struct bus_buf next = { 0 }, link = { 0 }, cursor = { 0 }, whole = { 0 };

	gw_cursor_put_feed(&cursors, p->params.view, newest, &cursor);
	bus_http_set(req, "Titian-Cursor", bus_buf_cstr(&cursor));
	gw_promise_headers(api, req, p->params.view, newest);
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

void gw_rest_page(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	const struct gw_view *v;
	struct gw_grant grant;
	struct gw_rows p = { 0 };
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
		gw_rows_stream(api, req, &p);
		return;
	}
	if (p.form == GW_FORM_CSV)
		gw_format_csv_head(&p.params, &p.body);
	r = gw_reader_of(api->engine);
	rc = gw_page(r, &p.params.query, gw_rows_put, &p, &err);
	if (!rc)
		rc = put_count(req, r, &p, &err);
	if (rc)
		gw_api_fail(req, rc, &err);
	else
		answer_page(api, req, &p, newest);
	gw_rows_release(&p);
}
