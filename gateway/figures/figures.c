#include "gateway/figures/figures.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bus/clock.h"
#include "bus/json.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "gateway/engine/standing.h"
#include "gateway/figures/suppress.h"

#define WAITING_MAX 8
#define MONTHS_MAX 240 /* of an answer */
#define RETRY_S 5

struct job {
	struct job *next;
	struct bus_http_ticket *ticket;
	char view[64], month[8], by[GW_READER_NAME_MAX];
	bool english;
};

struct gw_figures_desk {
	struct gw_api *api;
	struct gw_releases *releases;
	int64_t k;
	pthread_t thread;
	pthread_mutex_t lock; /* the rest */
	pthread_cond_t more;
	struct job *first, **last;
	size_t n;
	bool stop;
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

struct found {
	struct bus_buf *out;
	size_t n;
};

static void put_text(void *ctx, const char *month, struct bus_str text)
{
	struct found *f = ctx;

	(void)month;
	if (f->n++ == 0)
		bus_buf_put(f->out, text.p, text.n);
}

static void publish(struct gw_figures_desk *d, struct job *job)
{
	struct bus_http_request *req = bus_http_ticket_request(job->ticket);
	struct gw_views *views = gw_views_hold(d->api->engine);
	const struct gw_view *v = gw_views_find(views, job->view);
	struct bus_buf text = { 0 }, body = { 0 };
	struct found found = { .out = &body };
	struct gw_standing standing = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc = gw_releases_open(d->releases, &err);

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
	if (rc == BUS_OK || rc == BUS_EEXIST) {
		gw_releases_each(d->releases, job->view, job->month, job->month, put_text, &found);
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

static void *run(void *ctx)
{
	struct gw_figures_desk *d = ctx;
	struct bus_error err;
	struct job *job;

	if (gw_releases_open(d->releases, &err) != BUS_OK)
		bus_log(BUS_LOG_ERROR, "figures.topic", LOG_ERR(&err));
	pthread_mutex_lock(&d->lock);
	for (;;) {
		while (!d->first && !d->stop) {
			struct timespec until;

			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_sec += RETRY_S;
			if (pthread_cond_timedwait(&d->more, &d->lock, &until) != 0 && !d->stop) {
				pthread_mutex_unlock(&d->lock);
				if (gw_releases_open(d->releases, &err) != BUS_OK) /* until it can be followed */
					bus_log(BUS_LOG_ERROR, "figures.topic", LOG_ERR(&err));
				pthread_mutex_lock(&d->lock);
			}
		}
		job = d->first;
		if (!job)
			break;
		d->first = job->next;
		if (!d->first)
			d->last = &d->first;
		d->n--;
		pthread_mutex_unlock(&d->lock);
		publish(d, job);
		bus_http_ticket_done(job->ticket);
		free(job);
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

enum bus_err gw_figures_new(struct gw_api *api, const struct gw_figures_conf *conf,
			    struct gw_figures_desk **out, struct bus_error *err)
{
	struct gw_figures_desk *d;

	if (conf->k < GW_FIGURES_K)
		return bus_fail(err, BUS_EINVAL, "figures.k: %lld; it may be raised above %d, never lowered",
				(long long)conf->k, GW_FIGURES_K);
	d = bus_xcalloc(1, sizeof(*d));
	d->api = api;
	d->k = conf->k;
	d->releases = gw_releases_new(&conf->releases);
	d->last = &d->first;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->more, NULL);
	if (pthread_create(&d->thread, NULL, run, d) != 0) {
		gw_releases_free(&d->releases);
		free(d);
		return bus_fail(err, BUS_EIO, "cannot start the thread of the figures");
	}
	*out = d;
	return BUS_OK;
}

void gw_figures_free(struct gw_figures_desk **desk)
{
	struct gw_figures_desk *d = *desk;

	*desk = NULL;
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->more);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	gw_releases_free(&d->releases);
	pthread_cond_destroy(&d->more);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static bool is_month(const char *s)
{
	return strlen(s) == 7 && strspn(s, "0123456789") == 4 && s[4] == '-' &&
	       strspn(s + 5, "0123456789") == 2 && strcmp(s + 5, "01") >= 0 && strcmp(s + 5, "12") <= 0;
}

static bool is_over(const char *month)
{
	char now[40];

	bus_clock_iso_wib(bus_clock_ms(), now, sizeof(now));
	return strncmp(month, now, 7) < 0;
}

void gw_figures_publish(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_figures_desk *d = api->figures;
	const char *name = bus_http_part(req, "indicator"), *month = bus_http_part(req, "month");
	const struct gw_view *v;
	char reader[GW_READER_NAME_MAX];
	struct job *job;
	bool full;

	if (!gw_api_definer(api, req, reader))
		return;
	v = gw_views_find(gw_api_views(api, req), name);
	if (!d || !v || !v->figures || v->open == GW_CLOSED) {
		gw_problem(req, "indicator-unknown", NULL, "/v1/nasional/agregat");
		return;
	}
	if (!is_month(month) || !is_over(month)) {
		gw_problem(req, "parameter-invalid",
			   is_month(month) ? "bulan ini belum berakhir / this month is not over" : "bulan",
			   "2025-11");
		return;
	}
	job = bus_xcalloc(1, sizeof(*job));
	snprintf(job->view, sizeof(job->view), "%s", v->name);
	snprintf(job->month, sizeof(job->month), "%s", month);
	memcpy(job->by, reader, sizeof(job->by));
	job->english = gw_english(req);
	pthread_mutex_lock(&d->lock);
	full = d->stop || d->n == WAITING_MAX;
	if (!full) {
		job->ticket = bus_http_defer(req);
		*d->last = job;
		d->last = &job->next;
		d->n++;
		pthread_cond_signal(&d->more);
	}
	pthread_mutex_unlock(&d->lock);
	if (full) {
		free(job);
		gw_problem(req, "unavailable", NULL, NULL);
	}
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
	return !*keyed || gw_api_reader(api, req, reader);
}

struct months {
	struct bus_json_out *j;
	struct bus_buf *csv; /* NULL: JSON */
	const char *name;
	size_t n;
	char first[8], last[8];
};

static void note_month(void *ctx, const char *month, struct bus_str text)
{
	struct months *m = ctx;

	(void)text;
	if (m->n++ == 0)
		snprintf(m->first, sizeof(m->first), "%s", month);
	snprintf(m->last, sizeof(m->last), "%s", month);
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
		struct months m = { 0 };

		if (!may_know(v, keyed))
			continue;
		gw_releases_each(api->figures->releases, v->name, "", "", note_month, &m);
		bus_json_object(&j);
		put_head(&j, v);
		bus_json_key(&j, "bulan");
		bus_json_put_int(&j, (int64_t)m.n);
		bus_json_text_member(&j, "dari", m.n ? m.first : NULL);
		bus_json_text_member(&j, "sampai", m.n ? m.last : NULL);
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}

/* A month's areas as lines, its sum last. */
static void put_lines(struct months *m, const char *month, struct bus_str text)
{
	struct bus_arena *a = bus_arena_new((size_t)8 * 1024 * 1024);
	struct bus_json *tree = NULL;
	struct bus_error err;

	if (bus_json_parse(text, NULL, a, &tree, &err) == BUS_OK) {
		const struct bus_json *areas = bus_json_get(tree, "wilayah"),
				      *sum = bus_json_get(tree, "jumlah");

		for (const struct bus_json *c = areas ? areas->first : NULL; c; c = c->next)
			bus_buf_printf(m->csv, "%s,%s,%.*s,%.*s,%s\r\n", m->name, month, (int)c->name.n,
				       c->name.p, c->type == BUS_JSON_NUMBER ? (int)c->text.n : 0,
				       c->text.p ? c->text.p : "",
				       c->type == BUS_JSON_NUMBER ? "diberitakan" : "ditahan");
		if (sum)
			bus_buf_printf(m->csv, "%s,%s,JUMLAH,%.*s,%s\r\n", m->name, month,
				       sum->type == BUS_JSON_NUMBER ? (int)sum->text.n : 0,
				       sum->text.p ? sum->text.p : "",
				       sum->type == BUS_JSON_NUMBER ? "diberitakan" : "ditahan");
	}
	bus_arena_free(&a);
}

static void put_release(void *ctx, const char *month, struct bus_str text)
{
	struct months *m = ctx;

	if (m->n++ >= MONTHS_MAX)
		return;
	if (m->csv)
		put_lines(m, month, text);
	else
		bus_json_put_raw(m->j, text);
}

void gw_figures_one(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *from = bus_http_query(req, "dari"), *to = bus_http_query(req, "sampai");
	const char *format = bus_http_query(req, "format");
	const struct gw_view *v = gw_views_find(gw_api_views(api, req), bus_http_part(req, "indicator"));
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct months m = { .j = &j };
	bool keyed, read;

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
	m.name = v->name;
	if (format && strcmp(format, "csv") == 0) {
		m.csv = &body;
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
	read = gw_releases_each(api->figures->releases, v->name, from ? from : "", to ? to : "", put_release,
				&m);
	if (!read) {
		bus_buf_release(&body);
		gw_problem(req, "unavailable", NULL, NULL);
		return;
	}
	if (!m.csv) {
		bus_json_array_end(&j);
		bus_json_object_end(&j);
	}
	bus_http_reply(req, 200, m.csv ? "text/csv; charset=utf-8" : "application/json", &body);
}
