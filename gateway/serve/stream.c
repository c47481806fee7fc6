/* A whole view as CSV or NDJSON, piece by piece. */
#include <stdio.h>

#include "gateway/serve/promise.h"
#include "gateway/serve/rows.h"

#define EXPORT_ROWS 1000 /* a piece: one short query */

struct export
{
	struct gw_rows page;		 /* its params point into arena */
	struct bus_arena *arena, *place; /* place: of the row that the last piece ended with */
	struct gw_engine *engine;
	bool ended;
};

static void export_free(void *state)
{
	struct export *x = state;

	gw_rows_release(&x->page);
	bus_arena_free(&x->arena);
	bus_arena_free(&x->place);
	free(x);
}

/* The next piece into the page's body. */
static enum bus_err read_piece(struct export *x, struct bus_error *err)
{
	struct gw_params *q = &x->page.params;
	enum bus_err rc;

	x->page.rows = 0;
	rc = gw_page(gw_reader_of(x->engine), &q->query, gw_rows_put, &x->page, err);
	if (rc)
		return rc;
	x->ended = x->page.rows < q->query.limit;
	if (x->ended)
		return BUS_OK;
	bus_arena_reset(x->place);
	q->arena = x->place;
	q->query.offset = 0;
	if (!gw_place_take(q, bus_buf_str(&x->page.last)))
		return bus_fail(err, BUS_ETOOBIG, "a row's place is too large");
	return BUS_OK;
}

static enum bus_http_more export_piece(void *state, struct bus_buf *out)
{
	struct export *x = state;
	struct bus_error err;

	/* The first one was made with the headers: a question that is refused must be told before them. */
	if (x->page.body.n == 0 && !x->ended && read_piece(x, &err))
		return BUS_HTTP_ABORT;
	bus_buf_put(out, x->page.body.p, x->page.body.n);
	bus_buf_reset(&x->page.body);
	return x->ended ? BUS_HTTP_END : BUS_HTTP_MORE;
}

/* The request's memory goes with the request; an export keeps its own copy of the question. */
static bool export_add(void *ctx, const char *name, const char *value)
{
	struct export *x = ctx;
	char *n = bus_arena_dup(x->arena, name, strlen(name)),
	     *v = bus_arena_dup(x->arena, value, strlen(value));

	return n && v && gw_params_add(&x->page.params, n, v);
}

void gw_rows_stream(struct gw_api *api, struct bus_http_request *req, const struct gw_rows *p)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	struct export *x = bus_xcalloc(1, sizeof(*x));
	struct bus_buf cursor = { 0 }, name = { 0 };
	int64_t newest = gw_newest(api->engine, p->params.view);
	struct bus_error err;
	enum bus_err rc;

	x->engine = api->engine;
	x->arena = bus_arena_new(256 * 1024);
	x->place = bus_arena_new(256 * 1024);
	x->page.form = p->form;
	gw_params_begin(&x->page.params, p->params.view, p->params.grant, x->arena);
	bus_http_each_query(req, export_add, x);
	x->page.params.query.limit = EXPORT_ROWS;
	if (p->form == GW_FORM_CSV)
		gw_format_csv_head(&x->page.params, &x->page.body);
	rc = read_piece(x, &err);
	if (rc) {
		gw_api_fail(req, rc, &err);
		export_free(x);
		return;
	}
	gw_cursor_put_feed(&cursors, p->params.view, newest, &cursor);
	bus_http_set(req, "Titian-Cursor", bus_buf_cstr(&cursor));
	gw_promise_headers(api, req, p->params.view, newest);
	gw_answer_links(req, p->params.view, NULL);
	bus_buf_printf(&name, "attachment; filename=\"%s.%s\"", p->params.view->name,
		       p->form == GW_FORM_CSV ? "csv" : "ndjson");
	bus_http_set(req, "Content-Disposition", bus_buf_cstr(&name));
	bus_http_stream(req, 200, gw_form_type(p->form), export_piece, export_free, x);
	bus_buf_release(&cursor);
	bus_buf_release(&name);
}
