#include "gateway/figures/figures.h"

#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "bus/csv.h"
#include "bus/json.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "gateway/define/view.h"
#include "gateway/engine/standing.h"
#include "gateway/figures/suppress.h"
#include "gateway/serve/desk.h"

#define WAITING_MAX 8
#define MONTHS_MAX 240 /* of an answer, and how far back one may be published */
#define RETRY_S 5

struct job {
	char view[64], month[8], by[GW_READER_NAME_MAX];
	bool english;
};

struct gw_figures_desk {
	struct gw_api *api;
	struct gw_releases *releases;
	int64_t k;
	struct gw_desk *desk;
};

/* --- publishing --------------------------------------------------------------------------------------- */

static void refuse(struct job *job, struct bus_http_request *req, enum bus_err rc,
		   const struct bus_error *err)
{
	bus_log(BUS_LOG_WARN, "figures.not_published", LOG_STR("indicator", job->view),
		LOG_STR("month", job->month), LOG_ERR(err));
	gw_problem_in(req, job->english, rc == BUS_EDATA ? "figures-invalid" : "unavailable",
		      rc == BUS_EDATA ? err->text : NULL, NULL);
}

static void publish(void *ctx, struct bus_http_request *req, void *asked)
{
	struct gw_figures_desk *d = ctx;
	struct job *job = asked;
	struct gw_views *views = gw_views_hold(d->api->engine);
	const struct gw_view *v = gw_views_find(views, job->view);
	struct bus_buf text = { 0 }, body = { 0 };
	struct gw_standing standing = { 0 };
	struct gw_release told;
	struct bus_error err = { 0 };
	enum bus_err rc = gw_releases_open(d->releases, &err);
	size_t n;

	if (v)
		gw_view_standing(d->api->engine, v, &standing);
	if (!v || !v->figures)
		rc = bus_fail(&err, BUS_EDATA, "there is no indicator '%s' any more", job->view);
	else if (rc == BUS_OK && (!gw_caught_up(d->api->engine) || standing.behind > 0))
		rc = bus_fail(&err, BUS_ETIMEOUT, "records of its topics have not been applied yet");
	if (rc == BUS_OK && gw_releases_has(d->releases, job->view, job->month))
		rc = BUS_EEXIST;
	else if (rc == BUS_OK &&
		 (rc = gw_figures_make(d->api, views, v, job->month, d->k, &text, &err)) == BUS_OK)
		rc = gw_releases_write(d->releases, job->view, job->month, bus_buf_str(&text), &err);
	/* What holds is what was told first, maybe by another gateway. */
	if ((rc == BUS_OK || rc == BUS_EEXIST) &&
	    gw_releases_of(d->releases, job->view, job->month, job->month, &told, 1, &n) && n > 0) {
		bus_buf_put(&body, told.text.p, told.text.n);
		if (rc == BUS_OK)
			bus_log(BUS_LOG_INFO, "figures.published", LOG_STR("indicator", job->view),
				LOG_STR("month", job->month), LOG_STR("by", job->by));
		bus_http_reply(req, rc == BUS_OK ? 201 : 200, "application/json", &body);
	} else {
		refuse(job, req, rc, &err);
	}
	bus_buf_release(&text);
	gw_views_release(&views);
}

/* Until the topic can be followed. */
static void follow(void *ctx)
{
	struct gw_figures_desk *d = ctx;
	struct bus_error err;

	if (gw_releases_open(d->releases, &err) != BUS_OK)
		bus_log(BUS_LOG_ERROR, "figures.topic", LOG_ERR(&err));
}

/* Every indicator's areas, which are told to everybody. */
static enum bus_err check_areas(struct gw_api *api, struct bus_error *err)
{
	struct gw_views *views = gw_views_hold(api->engine);
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < views->n && rc == BUS_OK; i++) {
		const struct gw_figures *f = views->view[i]->figures;
		const struct gw_view *areas = f ? gw_views_find(views, f->areas) : NULL;

		if (areas)
			rc = gw_figures_fit(views->view[i], areas, err);
	}
	gw_views_release(&views);
	return rc;
}

enum bus_err gw_figures_new(struct gw_api *api, const struct gw_figures_conf *conf,
			    struct gw_figures_desk **out, struct bus_error *err)
{
	struct gw_figures_desk *d;
	struct gw_desk_conf desk = { .name = "figures",
				     .waiting = WAITING_MAX,
				     .answer = publish,
				     .idle = follow,
				     .idle_s = RETRY_S };
	enum bus_err rc = check_areas(api, err);

	*out = NULL;
	if (rc != BUS_OK)
		return rc;
	if (conf->k < GW_FIGURES_K)
		return bus_fail(err, BUS_EINVAL, "figures.k: %lld; it may be raised above %d, never lowered",
				(long long)conf->k, GW_FIGURES_K);
	d = bus_xcalloc(1, sizeof(*d));
	d->api = api;
	d->k = conf->k;
	d->releases = gw_releases_new(&conf->releases);
	desk.ctx = d;
	rc = gw_desk_open(&desk, &d->desk, err);
	if (rc != BUS_OK)
		gw_figures_free(&d);
	*out = d;
	return rc;
}

void gw_figures_free(struct gw_figures_desk **desk)
{
	struct gw_figures_desk *d = *desk;

	*desk = NULL;
	if (!d)
		return;
	gw_desk_close(&d->desk);
	gw_releases_free(&d->releases);
	free(d);
}

static bool is_month(const char *s)
{
	return strlen(s) == 7 && strspn(s, "0123456789") == 4 && s[4] == '-' &&
	       strspn(s + 5, "0123456789") == 2 && strcmp(s + 5, "01") >= 0 && strcmp(s + 5, "12") <= 0;
}

/* "2025-11" -> months since the year 0. */
static int months(const char *month)
{
	return (int)strtol(month, NULL, 10) * 12 + (int)strtol(month + 5, NULL, 10);
}

/* Over, and no longer ago than what one answer holds. */
static bool may_be_told(const char *month)
{
	char now[40];
	int ago;

	bus_clock_iso_wib(bus_clock_ms(), now, sizeof(now));
	ago = months(now) - months(month);
	return ago > 0 && ago <= MONTHS_MAX;
}

void gw_figures_publish(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_figures_desk *d = api->figures;
	const char *name = bus_http_part(req, "indicator"), *month = bus_http_part(req, "month");
	const struct gw_view *v;
	char reader[GW_READER_NAME_MAX];
	struct job *job;

	if (!gw_api_definer(api, req, reader))
		return;
	v = gw_views_find(gw_api_views(api, req), name);
	if (!d || !v || !v->figures || v->open == GW_CLOSED) {
		gw_problem(req, "indicator-unknown", NULL, "/v1/nasional/agregat");
		return;
	}
	if (!is_month(month) || !may_be_told(month)) {
		gw_problem(req, "parameter-invalid",
			   is_month(month)
			       ? "bulan ini belum berakhir, atau lebih dari 20 tahun lalu / this month is "
				 "not over, or more than 20 years ago"
			       : "bulan: TTTT-BB / month: YYYY-MM",
			   "2025-11");
		return;
	}
	job = bus_xcalloc(1, sizeof(*job));
	snprintf(job->view, sizeof(job->view), "%s", v->name);
	snprintf(job->month, sizeof(job->month), "%s", month);
	memcpy(job->by, reader, sizeof(job->by));
	job->english = gw_english(req);
	gw_desk_take(d->desk, req, job);
}

/* --- asking ------------------------------------------------------------------------------------------- */

static void put_two(struct bus_json_out *j, const char *key, const char *id, const char *en)
{
	bus_json_key(j, key);
	bus_json_object(j);
	bus_json_text_member(j, "id", id);
	bus_json_text_member(j, "en", en ? en : id);
	bus_json_object_end(j);
}

static void put_head(struct bus_json_out *j, const struct gw_view *v)
{
	bus_json_text_member(j, "indikator", v->name);
	put_two(j, "judul", v->title_id, v->title_en);
	put_two(j, "definisi", v->about_id, v->about_en);
	bus_json_text_member(j, "produsen", v->owner);
	bus_json_text_member(j, "satuan", v->card->unit);
}

/* Open indicators are everybody's, shared ones those' who have a key. */
static bool may_know(const struct gw_view *v, bool keyed)
{
	return v->figures && (v->open == GW_OPEN || (keyed && v->open == GW_SHARED));
}

static bool who(struct gw_api *api, struct bus_http_request *req, bool *keyed)
{
	char reader[GW_READER_NAME_MAX];

	*keyed = gw_api_keyed(req);
	return *keyed ? gw_api_reader(api, req, reader) : gw_api_anybody(api, req);
}

void gw_figures_list(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const struct gw_views *views = gw_api_views(api, req);
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	bool keyed;

	if (!who(api, req, &keyed))
		return;
	bus_json_array(&j);
	for (size_t i = 0; i < views->n && api->figures; i++) {
		const struct gw_view *v = views->view[i];
		struct gw_release told[MONTHS_MAX];
		size_t n;

		if (!may_know(v, keyed))
			continue;
		(void)gw_releases_of(api->figures->releases, v->name, "", "", told, MONTHS_MAX, &n);
		bus_json_object(&j);
		put_head(&j, v);
		bus_json_key(&j, "bulan");
		bus_json_put_int(&j, (int64_t)n);
		bus_json_text_member(&j, "dari", n ? told[0].month : NULL);
		bus_json_text_member(&j, "sampai", n ? told[n - 1].month : NULL);
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}

static void put_line(struct bus_buf *csv, const char *indicator, const char *month, struct bus_str area,
		     const struct bus_json *count)
{
	bool told = count->type == BUS_JSON_NUMBER;

	bus_csv_put(csv, bus_str(indicator), ',');
	bus_buf_printf(csv, ",%s,", month);
	bus_csv_put(csv, area, ',');
	bus_buf_printf(csv, ",%.*s,%s\r\n", told ? (int)count->text.n : 0, told ? count->text.p : "",
		       told ? "diberitakan" : "ditahan");
}

/* A month's areas as lines, its sum last. */
static void put_lines(struct bus_buf *csv, const char *indicator, const struct gw_release *r)
{
	struct bus_arena *a = bus_arena_new((size_t)8 * 1024 * 1024);
	struct bus_json *tree = NULL;
	struct bus_error err;

	if (bus_json_parse(r->text, NULL, a, &tree, &err) == BUS_OK) {
		const struct bus_json *areas = bus_json_get(tree, "wilayah"),
				      *sum = bus_json_get(tree, "jumlah");

		for (const struct bus_json *c = areas ? areas->first : NULL; c; c = c->next)
			put_line(csv, indicator, r->month, c->name, c);
		if (sum)
			put_line(csv, indicator, r->month, BUS_STR("JUMLAH"), sum);
	}
	bus_arena_free(&a);
}

void gw_figures_one(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *from = bus_http_query(req, "dari"), *to = bus_http_query(req, "sampai");
	const char *format = bus_http_query(req, "format");
	const struct gw_view *v = gw_views_find(gw_api_views(api, req), bus_http_part(req, "indicator"));
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct gw_release told[MONTHS_MAX];
	size_t n = 0;
	bool keyed, csv = format && strcmp(format, "csv") == 0;

	if (!who(api, req, &keyed))
		return;
	if (!v || !api->figures || !may_know(v, keyed)) {
		gw_problem(req, "indicator-unknown", NULL, "/v1/nasional/agregat");
		return;
	}
	if ((from && !is_month(from)) || (to && !is_month(to)) ||
	    (format && strcmp(format, "csv") != 0 && strcmp(format, "json") != 0)) {
		gw_problem(req, "parameter-invalid", NULL, "dari=2025-01&sampai=2025-12&format=csv");
		return;
	}
	if (!gw_releases_of(api->figures->releases, v->name, from ? from : "", to ? to : "", told, MONTHS_MAX,
			    &n)) {
		gw_problem(req, "unavailable", NULL, NULL);
		return;
	}
	if (csv) {
		bus_buf_puts(&body, "indikator,bulan,kode_wilayah,jumlah,status\r\n");
	} else {
		bus_json_object(&j);
		put_head(&j, v);
		put_two(&j, "keterangan",
			"null: ditahan. Angka di bawah k (sedikitnya 10), termasuk nol, ditahan agar tak "
			"seorang pun dapat "
			"dikenali; beberapa angka lain ikut ditahan agar yang kecil tidak terhitung dari "
			"jumlahnya, dan bila "
			"itu tidak cukup, seluruh bulan. Sekali diberitakan, angka sebuah bulan tidak diubah "
			"lagi.",
			"null: withheld. Counts below k (10 at least), zero included, are withheld so that "
			"nobody can be "
			"recognised; some others with them, so that the sum does not give the small ones "
			"away, and where "
			"that is not enough, the whole month. Once published, a month's figures are not "
			"changed.");
		bus_json_key(&j, "bulan");
		bus_json_array(&j);
	}
	for (size_t i = 0; i < n; i++)
		if (csv)
			put_lines(&body, v->name, &told[i]);
		else
			bus_json_put_raw(&j, told[i].text);
	if (!csv) {
		bus_json_array_end(&j);
		bus_json_object_end(&j);
	}
	bus_http_reply(req, 200, csv ? "text/csv; charset=utf-8" : "application/json", &body);
}
