/* GET /v1/views/{view}, and /rest/v1/{view} for PostgREST's clients: a page of rows. */
#include "gateway/serve/rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "bus/json_out.h"
#include "gateway/serve/kept.h"
#include "gateway/serve/moment.h"
#include "gateway/serve/traced.h"

bool gw_rows_put(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct gw_rows *p = ctx;

	(void)hash;
	if (p->form == GW_FORM_CSV) {
		gw_format_csv(&p->params, value, &p->body);
	} else {
		if (p->rows > 0 && p->form != GW_FORM_NDJSON)
			bus_buf_putc(&p->body, ',');
		gw_format_row(&p->params, &p->members, value, &p->body);
		if (p->form == GW_FORM_NDJSON)
			bus_buf_putc(&p->body, '\n');
	}
	p->rows++;
	if (p->rows == p->params.query.limit) {
		bus_buf_reset(&p->last);
		gw_place_put(&p->params, value, &p->last);
	}
	return true;
}

void gw_rows_release(struct gw_rows *p)
{
	bus_buf_release(&p->body);
	bus_buf_release(&p->last);
	gw_members_release(&p->members);
}

/* --- the question ----------------------------------------------------------------------------------- */

/* PostgREST's `Range: 0-24`, in rows; bytes are not what is counted here. A limit in the URL goes first. */
static bool read_range(struct gw_params *q, struct bus_http_request *req)
{
	const char *text = bus_http_header(req, "Range");
	unsigned long long from, to;
	int n = 0;

	if (!text || q->has_limit || q->query.offset || q->after)
		return true;
	if (strncmp(text, "items=", 6) == 0)
		text += 6;
	if (strspn(text, "0123456789") == 0 || sscanf(text, "%llu-%n", &from, &n) != 1 || n == 0)
		return true;
	to = from + GW_LIMIT_DEFAULT - 1;
	if (text[n] && (sscanf(text + n, "%llu", &to) != 1 || to < from))
		return gw_params_refuse(q, "parameter-invalid", "Range: 0-99", "Range");
	if (from > GW_OFFSET_MAX || to - from >= GW_LIMIT_MAX)
		return gw_params_refuse(q, "range-too-large", NULL, "Range: %d, %d", GW_OFFSET_MAX,
					GW_LIMIT_MAX);
	q->query.offset = (int)from;
	q->query.limit = (int)(to - from) + 1;
	q->has_limit = true;
	return true;
}

static bool read_cursor(struct gw_params *q, struct gw_api *api)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	struct bus_buf place = { 0 };
	bool good = gw_cursor_read_page(&cursors, q->view, q->after, &place) == BUS_OK &&
		    gw_place_take(q, bus_buf_str(&place));

	bus_buf_release(&place);
	return good || gw_params_refuse(q, "cursor-invalid", NULL, "after");
}

/* Where all rows can be had, for a question that asks for more than a page. */
static void hint_at_export(struct gw_params *q)
{
	snprintf(q->hint, sizeof(q->hint),
		 "Link: rel=\"next\" (after=...); GET /v1/views/%s.csv, .ndjson, .xlsx, .parquet",
		 q->view->name);
}

static bool params_read(struct gw_rows *p, struct gw_api *api, struct bus_http_request *req,
			const struct gw_view *v, struct gw_grant grant)
{
	struct gw_params *q = &p->params;

	gw_params_begin(q, v, grant, bus_http_arena(req));
	bus_http_each_query(req, gw_params_add, q);
	if (gw_params_end(q) && read_range(q, req) && (!q->after || read_cursor(q, api)) &&
	    !gw_form_of(bus_http_header(req, "Accept"), &p->form, &q->no_nulls))
		gw_params_refuse(
		    q, "accept-unknown",
		    "application/json, text/csv, application/x-ndjson, application/vnd.pgrst.object+json",
		    "%s", v->name);
	if (q->as_of && !q->has_limit && (p->form == GW_FORM_CSV || p->form == GW_FORM_NDJSON))
		q->query.limit = GW_LIMIT_MAX; /* a file of the past comes in pages */
	if (!q->problem && q->provenance &&
	    (p->form == GW_FORM_CSV || (q->has_limit && q->query.limit > GW_TRACED_ROWS_MAX)))
		gw_params_refuse(q, "parameter-invalid", "limit=100", "provenance: JSON, NDJSON, limit <= %d",
				 GW_TRACED_ROWS_MAX);
	if (!q->problem)
		return true;
	if (strcmp(q->problem, "range-too-large") == 0)
		hint_at_export(q);
	gw_problem(req, q->problem, q->detail, q->hint[0] ? q->hint : NULL);
	return false;
}

/* --- the answer ------------------------------------------------------------------------------------- */

/* `Prefer: count=...`: how many rows the filters leave, -1 when nobody asked. */
static enum bus_err count(struct bus_http_request *req, struct gw_reader *r, const struct gw_params *q,
			  int64_t *n, struct bus_error *err)
{
	const char *prefer = bus_http_header(req, "Prefer"), *want = prefer ? strstr(prefer, "count=") : NULL;
	enum bus_err rc;

	*n = -1;
	if (want && strncmp(want, "count=exact", 11) == 0) {
		rc = gw_count(r, &q->query, n, err);
		bus_http_set(req, "Preference-Applied", "count=exact");
	} else if (want && strncmp(want, "count=planned", 13) == 0) {
		rc = gw_estimate(r, &q->query, n, err);
		bus_http_set(req, "Preference-Applied", "count=planned");
	} else if (want && strncmp(want, "count=estimated", 15) == 0) {
		rc = gw_estimate(r, &q->query, n, err);
		bus_http_set(req, "Preference-Applied", "count=estimated");
	} else {
		rc = BUS_OK;
	}
	return rc;
}

/* `Content-Range: 0-24/3573` and 206 when that is not all, as PostgREST has it. Behind a cursor nobody knows the
 * number of the first row. */
static int put_range(struct bus_http_request *req, const struct gw_rows *p, int64_t n)
{
	int64_t from = p->params.query.offset;
	char text[96], all[24] = "*";

	if (n >= 0)
		snprintf(all, sizeof(all), "%" PRId64, n);
	if (p->rows > 0 && !p->params.after)
		snprintf(text, sizeof(text), "%" PRId64 "-%" PRId64 "/%s", from, from + p->rows - 1, all);
	else
		snprintf(text, sizeof(text), "*/%s", all);
	bus_http_set(req, "Content-Range", text);
	if (n >= 0 && from > n)
		return 416;
	return n >= 0 && p->rows < n ? 206 : 200;
}

static void wrap(struct gw_rows *p, const char *next, const char *cursor, int64_t newest)
{
	struct bus_json_out j = { .buf = &p->body };

	switch (p->form) {
	case GW_FORM_JSON:
		bus_buf_putc(&p->body, ']');
		break;
	case GW_FORM_PAGE:
		bus_buf_puts(&p->body, "],\"next\":");
		bus_json_put_text(&j, next);
		bus_buf_printf(&p->body, ",\"cursor\":\"%s\",\"as_of\":%" PRId64 "}", cursor, newest);
		break;
	default:
		break;
	}
}

static void answer_page(struct gw_api *api, struct bus_http_request *req, struct gw_rows *p, int64_t newest,
			int64_t n, const struct gw_asked *asked)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	struct bus_buf next = { 0 }, cursor = { 0 };
	int status = put_range(req, p, n);
	char text[64];

	if (status == 416) {
		gw_problem(req, "range-beyond", NULL, NULL);
		return;
	}
	if (p->form == GW_FORM_OBJECT && p->rows != 1) {
		snprintf(text, sizeof(text), "The result contains %s rows", p->rows ? "more than 1" : "0");
		gw_problem(req, "rows-not-one", text, NULL);
		return;
	}
	/* A record sent again with the same content changes where a row comes from, and not the row. */
	if (p->params.provenance || p->params.as_of)
		bus_http_set(req, "Cache-Control", "private, no-store");
	else
		gw_answer_put_tag(req, p->tag);
	gw_cursor_put_feed(&cursors, p->params.view, newest, &cursor);
	bus_http_set(req, "Titian-Cursor", bus_buf_cstr(&cursor));
	gw_moment_headers(api, req, &p->params, newest);
	if (p->last.n > 0 && p->form != GW_FORM_OBJECT) /* the next page may turn out empty */
		gw_answer_next(api, req, &p->params, bus_buf_str(&p->last), &next);
	gw_answer_links(req, p->params.view, next.n ? bus_buf_cstr(&next) : NULL);
	wrap(p, next.n ? bus_buf_cstr(&next) : NULL, bus_buf_cstr(&cursor), newest);
	gw_kept_reply(api, req, asked, status, gw_form_type(p->form), &p->body);
	bus_buf_release(&next);
	bus_buf_release(&cursor);
}

static void begin(struct gw_rows *p)
{
	if (p->form != GW_FORM_CSV)
		gw_format_members(&p->params, &p->members);
	if (p->form == GW_FORM_CSV)
		gw_format_csv_head(&p->params, &p->body);
	else if (p->form == GW_FORM_JSON)
		bus_buf_putc(&p->body, '[');
	else if (p->form == GW_FORM_PAGE)
		bus_buf_puts(&p->body, "{\"data\":[");
	else if (p->form == GW_FORM_OBJECT && p->params.query.limit > 2)
		p->params.query.limit = 2; /* enough to know that there is not one */
}

/* Unchanged as long as the view is: its newest change, the store, and what was asked for, and how. */
static uint64_t state_of(struct gw_api *api, struct bus_http_request *req, const struct gw_rows *p,
			 int64_t newest)
{
	static const char *const part[] = { "Prefer", "Range", "Accept" };
	struct gw_hash_key key = api->cursors.tag_key;
	const uint64_t state[] = { gw_store_id(api->engine), (uint64_t)newest };

	for (size_t i = 0; i < BUS_LEN(part); i++) {
		const char *value = bus_http_header(req, part[i]);

		key.k0 = gw_hash(key, value, value ? strlen(value) : 0);
	}
	key.k0 ^= gw_hash(key, p->params.view->name, strlen(p->params.view->name));
	return gw_hash(key, state, sizeof(state));
}

void gw_rest_page(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	const struct gw_view *v;
	struct gw_grant grant;
	struct gw_rows p = { 0 };
	struct bus_error err;
	struct gw_asked asked;
	struct gw_reader *r;
	int64_t newest, n;
	enum bus_err rc;

	if (!gw_api_reader(api, req, reader) || !(v = gw_api_view(api, req, reader, &grant)))
		return;
	/* Before the first row is read: the feed from here on then misses nothing. */
	newest = gw_newest(api->engine, v);
	if (gw_kept_answer(api, req, v, &grant, newest, &asked) || !params_read(&p, api, req, v, grant))
		return;
	asked.keep = asked.keep && !p.params.provenance && !p.params.as_of;
	r = gw_moment_reader(api, req, &p.params);
	if (!r)
		return;
	p.tag = gw_answer_hash(api, req, &p.params, state_of(api, req, &p, newest));
	if (!p.params.provenance && !p.params.as_of && gw_answer_unchanged(req, p.tag))
		return;
	begin(&p);
	rc = p.params.provenance ? gw_rows_traced(r, &p, &err)
				 : gw_page(r, &p.params.query, gw_rows_put, &p, &err);
	if (!rc)
		rc = count(req, r, &p.params, &n, &err);
	if (rc)
		gw_api_fail(req, rc, &err);
	else if (p.last.n > GW_PLACE_MAX)
		gw_problem(req, "question-too-large", "order", NULL);
	else
		answer_page(api, req, &p, newest, n, &asked);
	gw_rows_release(&p);
}
