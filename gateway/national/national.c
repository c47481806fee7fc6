#include "gateway/national/national.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "gateway/hook/ask.h"
#include "gateway/national/compare.h"
#include "gateway/serve/desk.h"

#define WAITING_MAX 64
#define CURSOR_MAX 512
#define DETAIL_MAX 500
#define RETRY_S 5

struct job {
	char reader[GW_READER_NAME_MAX], view[64], cursor[CURSOR_MAX + 1], as_of[41], detail[DETAIL_MAX + 1];
	struct gw_claim claim;
	uint64_t store;
	bool accepted, english;
};

struct gw_national {
	struct gw_api *api;
	struct gw_acks *acks;
	struct gw_desk *desk;
	_Atomic bool stopping;
};

static void count(const char *result)
{
	char labels[40];

	snprintf(labels, sizeof(labels), "result=\"%s\"", result);
	bus_metric_add(bus_metric("titian_national_acknowledgements_total", "counter",
				  "Acknowledgements recorded, by how the mirror compared.", labels),
		       1);
}

static void put_record(const struct job *j, const struct gw_comparison *c, struct bus_buf *out)
{
	struct bus_json_out o = { .buf = out };
	int64_t now = bus_clock_ms();
	char when[40], store[20];

	snprintf(store, sizeof(store), "%016" PRIx64, j->store);
	bus_json_object(&o);
	bus_json_text_member(&o, "reader", j->reader);
	bus_json_text_member(&o, "view", j->view);
	bus_json_text_member(&o, "status", j->accepted ? "accepted" : "rejected");
	bus_json_some_text_member(&o, "detail", *j->detail ? j->detail : NULL);
	bus_json_text_member(&o, "cursor", j->cursor);
	bus_json_int_member(&o, "seq", j->claim.seq);
	bus_json_text_member(&o, "store", store);
	bus_json_some_text_member(&o, "as_of", *j->as_of ? j->as_of : NULL);
	if (j->claim.rows >= 0)
		bus_json_int_member(&o, "rows", j->claim.rows);
	if (j->claim.digest[0])
		bus_json_text_member(&o, "digest", j->claim.digest);
	bus_json_text_member(&o, "compared", gw_compared_name[c->result]);
	bus_json_some_text_member(&o, "why", c->why);
	if (c->result != GW_UNKNOWN) {
		bus_json_int_member(&o, "rows_here", c->here.rows);
		bus_json_text_member(&o, "digest_here", c->here.digest);
	}
	bus_json_text_member(&o, "recorded", bus_clock_iso_wib(now, when, sizeof(when)));
	bus_json_int_member(&o, "ms", now);
	bus_json_object_end(&o);
}

static void tell(const struct job *j, const struct gw_comparison *c)
{
	count(j->accepted ? gw_compared_name[c->result] : "rejected");
	bus_log(BUS_LOG_AUDIT, "national.acknowledged", LOG_STR("reader", j->reader),
		LOG_STR("view", j->view), LOG_STR("status", j->accepted ? "accepted" : "rejected"),
		LOG_INT("seq", j->claim.seq), LOG_STR("compared", gw_compared_name[c->result]),
		LOG_STR("why", c->why));
	if (c->result == GW_DIFFERENT)
		bus_log(BUS_LOG_ERROR, "national.different", LOG_STR("reader", j->reader),
			LOG_STR("view", j->view), LOG_INT("seq", j->claim.seq),
			LOG_INT("rows", j->claim.rows), LOG_INT("rows_here", c->here.rows));
}

static void compare(struct gw_national *n, const struct job *j, struct gw_comparison *out)
{
	struct gw_views *views = gw_views_hold(n->api->engine);
	const struct gw_view *v = gw_views_find(views, j->view);
	struct gw_grant grant = { 0 };

	*out =
	    (struct gw_comparison){ .result = GW_UNKNOWN, .why = j->accepted ? "changed-since" : "rejected" };
	if (v)
		grant = gw_access_grant(n->api->access, j->reader, v);
	if (j->accepted && grant.allowed && j->store == gw_store_id(n->api->engine))
		gw_compare(n->api, v, grant, &j->claim, &n->stopping, out);
	gw_views_release(&views);
}

static void acknowledge(void *ctx, struct bus_http_request *req, void *asked)
{
	struct gw_national *n = ctx;
	const struct job *j = asked;
	struct bus_buf text = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_ESTOPPED;
	struct gw_comparison c;

	compare(n, j, &c);
	put_record(j, &c, &text);
	if (!atomic_load(&n->stopping))
		rc = gw_acks_write(n->acks, j->reader, j->view, bus_buf_str(&text), &err);
	if (rc == BUS_OK) {
		tell(j, &c);
		bus_http_reply(req, 201, "application/json", &text);
	} else {
		bus_log(BUS_LOG_WARN, "national.not_recorded", LOG_STR("reader", j->reader), LOG_ERR(&err));
		gw_problem_in(req, j->english, "unavailable", NULL, NULL);
	}
	bus_buf_release(&text);
}

/* Until the topic can be followed. */
static void follow(void *ctx)
{
	struct gw_national *n = ctx;
	struct bus_error err;

	if (gw_acks_open(n->acks, &err) != BUS_OK)
		bus_log(BUS_LOG_ERROR, "national.topic", LOG_ERR(&err));
}

enum bus_err gw_national_new(struct gw_api *api, const struct gw_acks_conf *conf, struct gw_national **out,
			     struct bus_error *err)
{
	struct gw_national *n = bus_xcalloc(1, sizeof(*n));
	const struct gw_desk_conf desk = { .name = "acknowledgements",
					   .waiting = WAITING_MAX,
					   .answer = acknowledge,
					   .idle = follow,
					   .idle_s = RETRY_S,
					   .ctx = n };
	enum bus_err rc;

	n->api = api;
	n->acks = gw_acks_new(conf);
	rc = gw_desk_open(&desk, &n->desk, err);
	if (rc != BUS_OK)
		gw_national_free(&n);
	*out = n;
	return rc;
}

void gw_national_stop(struct gw_national *n)
{
	if (n)
		atomic_store(&n->stopping, true);
}

void gw_national_free(struct gw_national **national)
{
	struct gw_national *n = *national;

	*national = NULL;
	if (!n)
		return;
	gw_national_stop(n);
	gw_desk_close(&n->desk);
	gw_acks_free(&n->acks);
	free(n);
}

struct gw_acks *gw_national_acks(struct gw_national *n)
{
	return n->acks;
}

/* --- asking ------------------------------------------------------------------------------------------- */

static bool has_nik(const char *text)
{
	for (; text && *text; text++)
		if (strspn(text, "0123456789") >= 16)
			return true;
	return false;
}

static void read_digest(struct gw_ask *a, struct gw_claim *claim)
{
	const char *digest = gw_ask_text(a, "digest");

	if (!digest)
		return;
	if (strlen(digest) != GW_DIGEST_HEX - 1 ||
	    strspn(digest, "0123456789abcdefABCDEF") != GW_DIGEST_HEX - 1)
		gw_ask_refuse(a, "parameter-invalid", "digest", "64 hex");
	else
		for (size_t i = 0; i < GW_DIGEST_HEX; i++)
			claim->digest[i] = (char)tolower((unsigned char)digest[i]);
}

static void read_cursor(struct gw_api *api, struct gw_ask *a, const struct gw_view *v, struct job *j)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	const char *text = gw_ask_text(a, "cursor");
	enum bus_err rc = text && strlen(text) <= CURSOR_MAX
			      ? gw_cursor_read_feed(&cursors, v, text, &j->claim.seq)
			      : BUS_EINVAL;

	if (rc != BUS_OK)
		gw_ask_refuse(a, rc == BUS_ENOENT ? "cursor-unknown" : "cursor-invalid", "cursor", NULL);
	else
		snprintf(j->cursor, sizeof(j->cursor), "%s", text);
	j->store = cursors.store;
}

static void read_words(struct gw_ask *a, const char *name, char *out, size_t size)
{
	const char *text = gw_ask_text(a, name);

	if (text && (strlen(text) >= size || has_nik(text)))
		gw_ask_refuse(a, "parameter-invalid", name, "tanpa NIK / no NIK; 500 byte");
	else if (text)
		snprintf(out, size, "%s", text);
}

void gw_national_acknowledge(void *ctx, struct bus_http_request *req)
{
	static const char *const member[] = {
		"view", "cursor", "rows", "digest", "as_of", "status", "detail"
	};
	static const char *const status[] = { "accepted", "rejected" };
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	const struct gw_view *v;
	struct gw_grant grant;
	struct gw_ask a;
	const char *name;
	struct job j = { 0 }, *kept;

	if (!gw_api_reader(api, req, reader) || !gw_ask_begin(&a, req, member, BUS_LEN(member)))
		return;
	name = gw_ask_text(&a, "view");
	if (!name)
		gw_ask_refuse(&a, "parameter-invalid", "view", "{\"view\": ..., \"cursor\": ...}");
	if (a.refused || !(v = gw_api_view_named(api, req, reader, name, &grant)))
		return;
	memcpy(j.reader, reader, sizeof(j.reader));
	snprintf(j.view, sizeof(j.view), "%s", v->name);
	j.english = gw_english(req);
	j.accepted = gw_ask_word(&a, "status", status, BUS_LEN(status), 0) == 0;
	j.claim.rows = gw_ask_number(&a, "rows", 0, INT64_MAX, -1);
	read_digest(&a, &j.claim);
	read_words(&a, "as_of", j.as_of, sizeof(j.as_of));
	read_words(&a, "detail", j.detail, sizeof(j.detail));
	read_cursor(api, &a, v, &j);
	if (a.refused)
		return;
	if (!api->national) {
		gw_problem(req, "unavailable", NULL, NULL);
		return;
	}
	kept = bus_xmalloc(sizeof(*kept));
	*kept = j;
	gw_desk_take(api->national->desk, req, kept);
}

/* --- gauges ------------------------------------------------------------------------------------------- */

static void set(const struct gw_ack *k, const char *name, const char *help, double value)
{
	char labels[GW_READER_NAME_MAX + 160];

	snprintf(labels, sizeof(labels), "reader=\"%s\",view=\"%.100s\"", k->reader, k->view);
	bus_metric_set(bus_metric(name, "gauge", help, labels), value);
}

struct gauging {
	const struct gw_views *views;
	struct gw_engine *engine;
};

static bool gauge(void *ctx, const struct gw_ack *k)
{
	const struct gauging *g = ctx;
	const struct gw_view *v = gw_views_find(g->views, k->view);

	set(k, "titian_national_acknowledged_age_seconds", "Since the newest acknowledgement of a mirror.",
	    (double)(bus_clock_ms() - k->ms) / 1000);
	set(k, "titian_national_different", "1: the mirror's rows were not ours, as last acknowledged.",
	    k->different);
	set(k, "titian_national_behind", "1: the view has changes that its mirror has not acknowledged.",
	    !v || !k->accepted || k->store != gw_store_id(g->engine) || gw_newest(g->engine, v) > k->seq);
	return true;
}

void gw_national_tick(struct gw_national *n)
{
	struct gauging g = { .engine = n->api->engine };
	struct gw_views *views = gw_views_hold(n->api->engine);

	g.views = views;
	gw_acks_latest(n->acks, NULL, NULL, gauge, &g);
	gw_views_release(&views);
}
