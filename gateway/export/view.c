/* GET /v1/views/{view} as a file: by suffix (`/v1/views/penduduk.csv`), by `format`, or by Accept. What is no file is
 * a page (gateway/serve/rows.c). */
#include <stdio.h>

#include "gateway/export/view.h"
#include "gateway/export/work.h"

struct wish {
	const struct gw_file_kind *kind;
	char name[128]; /* of the view */
	bool paged;	/* a part of the rows is asked for */
	bool bad;	/* a format that is none of ours */
};

static bool look(void *ctx, const char *name, const char *value)
{
	struct wish *w = ctx;

	if (strcmp(name, "limit") == 0 || strcmp(name, "after") == 0 || strcmp(name, "offset") == 0 ||
	    (strcmp(name, "provenance") == 0 && strcmp(value, "true") == 0) ||
	    strcmp(name, "as_of") == 0)
		w->paged = true;
	if (strcmp(name, "format") != 0)
		return true;
	w->kind = gw_file_kind_named(value);
	w->bad = !w->kind;
	return !w->bad;
}

static struct wish wish_of(const struct bus_http_request *req)
{
	const char *part = bus_http_part(req, "view"), *dot = strrchr(part, '.');
	const struct gw_file_kind *typed = gw_file_kind_typed(bus_http_header(req, "Accept"));
	struct wish w = { .kind = dot ? gw_file_kind_named(dot + 1) : NULL };
	const char *range = bus_http_header(req, "Range");
	size_t n = w.kind ? (size_t)(dot - part) : strlen(part);

	snprintf(w.name, sizeof(w.name), "%.*s", (int)n, part);
	bus_http_each_query(req, look, &w);
	if (range && strncmp(range, "bytes=", 6) != 0)
		w.paged = true; /* of rows, as PostgREST's clients ask for them */
	/* A page of CSV or NDJSON is asked for as pages are. */
	if (!w.kind && !w.bad && typed && !(w.paged && (typed == &gw_file_csv || typed == &gw_file_ndjson)))
		w.kind = typed;
	return w;
}

struct asking {
	struct gw_export *x;
	const char *problem;
};

static bool ask(void *ctx, const char *name, const char *value)
{
	struct asking *a = ctx;

	return gw_export_ask(a->x, name, value, &a->problem);
}

/* The same question as x was, by a reader who has a part of the answer: he may have the rest. */
static struct gw_export *begun_before(struct gw_exports *all, struct bus_http_request *req,
				      struct gw_export *x)
{
	const char *tag = bus_http_header(req, "If-Range");
	char id[GW_EXPORT_ID_LEN + 1];
	struct gw_export *old;

	if (!bus_http_header(req, "Range") || !tag || strlen(tag) != GW_EXPORT_ID_LEN + 2 || tag[0] != '"')
		return NULL;
	snprintf(id, sizeof(id), "%.*s", GW_EXPORT_ID_LEN, tag + 1);
	old = gw_export_find(all, id, x->reader);
	if (old && (old->job || old->view != x->view || old->kind != x->kind ||
		    old->params.grant.shown != x->params.grant.shown ||
		    old->params.grant.clear != x->params.grant.clear ||
		    old->params.grant.rows != x->params.grant.rows ||
		    !bus_str_eq(bus_buf_str(&old->question), bus_buf_str(&x->question))))
		gw_export_unref(&old);
	return old;
}

static void begin(struct gw_api *api, struct bus_http_request *req, const struct wish *w, const char *reader,
		  const struct gw_view *v, struct gw_grant grant)
{
	struct asking a = { .x = gw_export_new(api->exports, reader, v, grant) };
	struct gw_export *old;

	a.x->kind = w->kind;
	a.x->pack = w->kind->usual;
	bus_http_each_query(req, ask, &a);
	if (a.problem || !gw_export_asked(a.x, &a.problem)) {
		gw_problem(req, a.problem, a.x->params.detail, a.x->params.hint[0] ? a.x->params.hint : NULL);
		gw_export_unref(&a.x);
		return;
	}
	old = begun_before(api->exports, req, a.x);
	if (old) {
		gw_export_unref(&a.x);
		gw_export_await(old, req, true);
		return;
	}
	a.problem = gw_export_queue(a.x);
	if (!a.problem) {
		gw_export_await(a.x, req, gw_api_signs(api, req)); /* whole: its digest stands before it */
		return;
	}
	bus_http_set(req, "Retry-After", "10");
	gw_problem(req, a.problem, NULL, "DELETE /v1/exports/{id}");
	gw_export_unref(&a.x);
}

void gw_export_view(void *ctx, struct bus_http_request *req)
{
	struct gw_export *x = bus_http_attached(req); /* it has waited, and here it is again */
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	const struct gw_view *v;
	struct gw_grant grant;
	struct wish w;

	if (x) {
		gw_export_answer(x, req);
		return;
	}
	w = wish_of(req);
	if (!w.kind && !w.bad) {
		gw_rest_page(ctx, req);
		return;
	}
	if (!gw_api_reader(api, req, reader) || !(v = gw_api_view_named(api, req, reader, w.name, &grant)))
		return;
	if (w.bad) {
		gw_problem(req, "parameter-invalid", "format", "csv, ndjson, avro, xlsx, parquet");
	} else if (strcmp(bus_http_method(req), "HEAD") == 0) {
		bus_http_set(req, "Accept-Ranges", "bytes");
		bus_http_reply(req, 200, w.kind->type, NULL);
	} else {
		begin(api, req, &w, reader, v, grant);
	}
}
