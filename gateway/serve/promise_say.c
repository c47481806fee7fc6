/* What views promise, said: in headers, in the list of views, as gauges, as the list of who is late. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/metrics.h"
#include "gateway/serve/promise_impl.h"

static void put_int(struct bus_buf *b, const char *before, int64_t n)
{
	struct bus_json_out j = { .buf = b };

	bus_buf_puts(b, before);
	bus_json_put_int(&j, n);
}

void gw_promise_headers(struct gw_api *api, struct bus_http_request *req, const struct gw_view *v,
			int64_t seq)
{
	struct bus_buf *text = bus_http_scratch(req);
	struct gw_counted n;
	struct gw_fresh f;
	char when[40] = "", modified[40];

	gw_promise_fresh(api, v, &f);
	if (f.newest_ms) {
		bus_clock_iso_wib(f.newest_ms, when, sizeof(when));
		bus_http_set(req, "Last-Modified", bus_clock_http(f.newest_ms, modified, sizeof(modified)));
	}
	bus_buf_putc(text, '"');
	bus_buf_puts(text, when);
	put_int(text, "\";seq=", seq);
	put_int(text, ";lag=", f.behind);
	bus_http_set(req, "Titian-As-Of", bus_buf_cstr(text));
	if (v->max_age_s && f.n > 0) {
		size_t w = f.worst;

		bus_buf_reset(text);
		bus_buf_puts(text, f.any_late ? "late" : "fresh");
		if (f.age_s[w] >= 0)
			put_int(text, ";age=", f.age_s[w]);
		put_int(text, ";promise=", f.promise_s[w]);
		bus_buf_puts(text, ";feed=\"");
		bus_buf_puts(text, f.input[w].table);
		bus_buf_putc(text, '"');
		bus_http_set(req, "Titian-Freshness", bus_buf_cstr(text));
	}
	if (gw_promise_counted(api, v, &n)) {
		bus_buf_reset(text);
		put_int(text, gw_promise_whole(v, &n) ? "yes;rows=" : "no;rows=", n.rows);
		put_int(text, ";seq=", n.seq);
		bus_http_set(req, "Titian-Complete", bus_buf_cstr(text));
	}
}

static void put_time(struct bus_json_out *j, const char *key, int64_t ms)
{
	char when[40];

	bus_json_key(j, key);
	bus_json_put_text(j, ms ? bus_clock_iso_wib(ms, when, sizeof(when)) : NULL);
}

static void put_number(struct bus_json_out *j, const char *key, int64_t n, bool some)
{
	bus_json_key(j, key);
	if (some)
		bus_json_put_int(j, n);
	else
		bus_json_put_null(j);
}

static void put_inputs(struct bus_json_out *j, const struct gw_fresh *f)
{
	bus_json_key(j, "inputs");
	bus_json_array(j);
	for (size_t i = 0; i < f->n; i++) {
		bus_json_object(j);
		bus_json_text_member(j, "opd", f->input[i].opd);
		bus_json_text_member(j, "table", f->input[i].table);
		bus_json_text_member(j, "topic", f->input[i].topic);
		put_time(j, "newest", f->input[i].newest_ms);
		put_time(j, "seen", f->seen_ms[i]);
		put_number(j, "age_s", f->age_s[i], f->age_s[i] >= 0);
		put_number(j, "promise_s", f->promise_s[i], f->promise_s[i] > 0);
		bus_json_key(j, "late");
		bus_json_put_bool(j, f->late[i]);
		put_number(j, "lag", f->input[i].behind, true);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

static void put_freshness(struct bus_json_out *j, const struct gw_view *v, const struct gw_fresh *f)
{
	bus_json_key(j, "freshness");
	bus_json_object(j);
	bus_json_text_member(j, "state", !v->max_age_s ? "unpromised" : f->any_late ? "late" : "fresh");
	put_number(j, "age_s", f->n ? f->age_s[f->worst] : -1, f->n && f->age_s[f->worst] >= 0);
	put_number(j, "promise_s", f->n ? f->promise_s[f->worst] : 0, f->n && f->promise_s[f->worst] > 0);
	put_inputs(j, f);
	bus_json_object_end(j);
}

static void put_share(struct bus_json_out *j, const char *name, double share, double least)
{
	bus_json_object(j);
	bus_json_text_member(j, "column", name);
	bus_json_key(j, "share");
	bus_json_put_double(j, share);
	bus_json_key(j, "promise");
	bus_json_put_double(j, least);
	bus_json_key(j, "met");
	bus_json_put_bool(j, share >= least);
	bus_json_object_end(j);
}

static void put_complete(struct gw_api *api, struct bus_json_out *j, const struct gw_view *v, uint64_t shown)
{
	struct gw_counted n;

	bus_json_key(j, "complete");
	if (!gw_promise_counted(api, v, &n)) {
		bus_json_put_null(j);
		return;
	}
	bus_json_object(j);
	bus_json_text_member(j, "state", gw_promise_whole(v, &n) ? "yes" : "no");
	put_number(j, "rows", n.rows, true);
	put_number(j, "promise_rows", v->least_rows, v->least_rows > 0);
	bus_json_key(j, "columns");
	bus_json_array(j);
	for (size_t i = 0; i < v->n_columns; i++) {
		if (v->column[i].least_share > 0 && (shown >> i & 1))
			put_share(j, v->column[i].name, n.rows ? (double)n.said[i] / (double)n.rows : 1,
				  v->column[i].least_share);
	}
	bus_json_array_end(j);
	put_time(j, "counted", n.at_ms);
	put_number(j, "seq", n.seq, true);
	bus_json_object_end(j);
}

void gw_promise_put(struct gw_api *api, struct bus_json_out *j, const struct gw_view *v, uint64_t shown)
{
	struct gw_fresh f;

	gw_promise_fresh(api, v, &f);
	put_time(j, "as_of", f.newest_ms);
	put_number(j, "lag", f.behind, true);
	put_freshness(j, v, &f);
	put_complete(api, j, v, shown);
}

static void set(const char *name, const char *help, const char *view, double v)
{
	char labels[128];

	snprintf(labels, sizeof(labels), "view=\"%s\"", view);
	bus_metric_set(bus_metric(name, "gauge", help, labels), v);
}

void gw_promise_metrics(struct gw_api *api)
{
	struct gw_views *views = gw_views_hold(api->engine);
	struct gw_counted n;
	struct gw_fresh f;

	for (size_t i = 0; i < views->n; i++) {
		const struct gw_view *v = views->view[i];

		if (v->internal)
			continue;
		gw_promise_fresh(api, v, &f);
		if (f.n && f.age_s[f.worst] >= 0)
			set("titian_view_lag_seconds", "Age of the feed nearest to its promise.", v->name,
			    (double)f.age_s[f.worst]);
		if (v->max_age_s)
			set("titian_view_late", "1: a feed is older than promised.", v->name, f.any_late);
		if (gw_promise_counted(api, v, &n))
			set("titian_view_incomplete", "1: rows or columns are missing that are promised.",
			    v->name, !gw_promise_whole(v, &n));
	}
	gw_views_release(&views);
}

static bool is_late(struct gw_api *api, const struct gw_view *v)
{
	struct gw_counted n;
	struct gw_fresh f;

	gw_promise_fresh(api, v, &f);
	return f.any_late || (gw_promise_counted(api, v, &n) && !gw_promise_whole(v, &n));
}

/* Every view that promises something, those that do not keep it first. */
void gw_rest_freshness(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	char reader[GW_READER_NAME_MAX];
	const struct gw_views *views = gw_api_views(api, req);
	int64_t late = 0;

	if (!gw_api_reader(api, req, reader))
		return;
	if (!gw_access_status(api->access, reader)) {
		gw_problem(req, "not-granted", NULL, NULL);
		return;
	}
	bus_json_object(&j);
	bus_json_key(&j, "views");
	bus_json_array(&j);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < views->n; i++) {
			const struct gw_view *v = views->view[i];

			if (v->internal || (!v->max_age_s && !v->least_rows && !gw_promise_columns(v)) ||
			    is_late(api, v) != (pass == 0))
				continue;
			late += pass == 0;
			bus_json_object(&j);
			bus_json_text_member(&j, "view", v->name);
			bus_json_text_member(&j, "owner", v->owner);
			gw_promise_put(api, &j, v, UINT64_MAX);
			bus_json_object_end(&j);
		}
	}
	bus_json_array_end(&j);
	bus_json_key(&j, "late");
	bus_json_put_int(&j, late);
	bus_json_object_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
	bus_buf_release(&body);
}
