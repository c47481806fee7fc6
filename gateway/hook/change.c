/* Making, changing and removing webhooks. Handlers check and hand over; the topic's thread writes and answers. */
#include <stdio.h>
#include <time.h>

#include "bus/clock.h"
#include "gateway/hook/ask.h"
#include "gateway/hook/hooks_impl.h"

#define OVERLAP_S (24 * 3600) /* how long an old secret signs on */
#define OVERLAP_MAX_S (7 * 24 * 3600)

/* --- handing over ------------------------------------------------------------------------------------ */

/* s is taken; NULL: remove it. */
static void hand_over(struct gw_hooks *h, struct bus_http_request *req, struct gw_hook_queue *q,
		      const char *id, struct gw_hook_sub *s, int64_t version, bool secrets)
{
	struct gw_hook_change *c = bus_xcalloc(1, sizeof(*c));
	bool taken;

	memcpy(c->id, id, sizeof(c->id));
	c->sub = s;
	c->version = version;
	c->secrets = secrets;
	c->english = gw_english(req);
	c->ticket = bus_http_defer(req);
	pthread_mutex_lock(&h->lock);
	taken = gw_hook_put(h, q, c);
	pthread_mutex_unlock(&h->lock);
	if (!taken)
		gw_hook_refuse(c, "unavailable");
}

/* --- what may be asked ------------------------------------------------------------------------------- */

static bool url_good(struct gw_hooks *h, struct gw_ask *a, const char *url)
{
	struct bus_url to;
	struct bus_error err;

	if (gw_hook_net_url(h->conf.net, url, &to, &err) == BUS_OK)
		return true;
	gw_ask_refuse(a, "url-refused", err.text, "https://HOST/...");
	return false;
}

static char *keep(const char *text)
{
	return text ? bus_xstrdup(text) : NULL;
}

static void take_filter(struct gw_ask *a, struct gw_hook_sub *s)
{
	const struct bus_json *list = bus_json_get(a->body, "filter");

	if (!list || list->type == BUS_JSON_NULL || a->refused)
		return;
	if (list->type != BUS_JSON_OBJECT || list->n > GW_HOOK_FILTERS_MAX) {
		gw_ask_refuse(a, "parameter-invalid", "filter: an object of at most 8 members is needed",
			      "{\"kode_kel\":\"eq.1471011003\"}");
		return;
	}
	for (const struct bus_json *v = list->first; v; v = v->next) {
		struct gw_hook_filter *f = &s->filter[s->n_filters];

		if (v->type != BUS_JSON_STRING || v->text.n > 1024) {
			gw_ask_refuse(a, "parameter-invalid",
				      "filter: text is needed, like \"eq.1471011003\"", NULL);
			return;
		}
		f->column = bus_xstrndup(v->name.p, v->name.n);
		f->value = bus_xstrndup(v->text.p, v->text.n);
		s->n_filters++;
	}
}

/* Select, day and filters must fit the view. */
static bool params_good(struct gw_ask *a, const struct gw_hook_sub *s, const struct gw_view *v,
			struct gw_grant grant)
{
	struct gw_hook_part *p = bus_arena_alloc(bus_http_arena(a->req), sizeof(*p));

	if (!p)
		gw_ask_refuse(a, "unavailable", NULL, NULL);
	else if (!gw_hook_part_make(s, v, grant, bus_http_arena(a->req), p))
		gw_ask_refuse(a, p->params.problem, p->params.detail[0] ? p->params.detail : NULL,
			      p->params.hint[0] ? p->params.hint : NULL);
	return !a->refused;
}

/* "2026-11-23T10:00:00+07:00", or with Z; ms since 1970. */
static bool time_read(const char *text, int64_t *ms)
{
	struct tm tm = { 0 };
	const char *zone = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours, minutes, used = 0;

	if (!zone)
		return false;
	*ms = (int64_t)timegm(&tm) * 1000;
	if (strcmp(zone, "Z") == 0)
		return true;
	/* A '+' that nobody escaped is a blank once the query is decoded. */
	if ((*zone != '+' && *zone != '-' && *zone != ' ') ||
	    sscanf(zone + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || zone[1 + used])
		return false;
	*ms -= (*zone == '-' ? -1 : 1) * (hours * INT64_C(60) + minutes) * 60000;
	return true;
}

/* "0", "now", a time or a cursor, as a cursor. It stands in the subscription before anything is delivered: a snapshot that
 * is cut off by a kill goes on as the one it was, and tells removals of rows that were sent already. */
static void place_of(struct gw_hooks *h, struct gw_ask *a, const struct gw_view *v, const char *from,
		     struct gw_hook_sub *s)
{
	const struct gw_cursors cursors = gw_api_cursors(h->conf.api);
	int64_t newest = gw_newest(h->conf.api->engine, v);
	struct gw_place at = { 0 };
	struct bus_buf text = { 0 };
	struct bus_error err;
	enum bus_err rc = BUS_OK;
	int64_t ms;

	s->anew = !from || strcmp(from, "0") == 0;
	if (s->anew)
		at.fresh = newest;
	else if (strcmp(from, "now") == 0)
		at.seq = newest;
	else if (time_read(from, &ms) && gw_seq_at(gw_reader_of(h->conf.api->engine), ms, &at.seq, &err))
		gw_ask_refuse(a, "unavailable", NULL, NULL);
	else if (!time_read(from, &ms))
		rc = gw_cursor_read_place(&cursors, v->name, from, &at);
	/* Everything, for one who has some of it: removals too. */
	if (at.seq == 0 && at.fresh == 0)
		at.fresh = 1;
	if (rc)
		gw_ask_refuse(a, rc == BUS_ENOENT ? "cursor-unknown" : "cursor-invalid", "from",
			      "0, now, 2026-11-23T10:00:00+07:00");
	gw_cursor_put_place(&cursors, v->name, at, &text);
	snprintf(s->from, sizeof(s->from), "%s", bus_buf_cstr(&text));
	bus_buf_release(&text);
}

static const struct gw_view *view_of(struct gw_api *api, struct gw_ask *a, const char *reader,
				     const char *name, struct gw_grant *grant)
{
	const struct gw_view *v = NULL;

	if (!name)
		gw_ask_refuse(a, "parameter-invalid", "view: text is needed", "/v1/views");
	else if (!a->refused && !(v = gw_api_view_named(api, a->req, reader, name, grant)))
		a->refused = true;
	return v;
}

static bool room(struct gw_hooks *h, struct gw_ask *a, const char *reader)
{
	size_t mine = 0, all = 0;
	bool known;

	pthread_mutex_lock(&h->lock);
	for (const struct gw_hook *e = h->first; e; e = e->next)
		if (!e->dead && e->sub) {
			all++;
			mine += strcmp(e->sub->reader, reader) == 0;
		}
	known = h->known;
	pthread_mutex_unlock(&h->lock);
	if (!known)
		gw_ask_refuse(a, "not-ready", h->conf.topic, NULL);
	else if (mine >= GW_HOOKS_PER_READER || all >= GW_HOOKS_MAX)
		gw_ask_refuse(a, "too-many-webhooks", NULL, "DELETE /v1/webhooks/{id}");
	return !a->refused;
}

/* --- making one -------------------------------------------------------------------------------------- */

static void fill(struct gw_hooks *h, struct gw_ask *a, struct gw_hook_sub *s)
{
	int64_t most;

	s->url = keep(gw_ask_text(a, "url"));
	s->select = keep(gw_ask_text(a, "select"));
	s->date = keep(gw_ask_text(a, "per_tanggal"));
	s->format = (enum gw_hook_format)gw_ask_word(a, "format", gw_hook_formats, 4, GW_HOOK_STANDARD);
	s->signature =
	    (enum gw_hook_signature)gw_ask_word(a, "signature", gw_hook_signatures, 2, GW_HOOK_ED25519);
	s->rate = gw_ask_number(a, "rate", 0, GW_HOOK_RATE_MAX, 0);
	most = s->format == GW_HOOK_STANDARD || s->format == GW_HOOK_BATCH ? GW_HOOK_BATCH_MAX : 1;
	s->max_batch =
	    gw_ask_number(a, "max_batch", 1, most, s->format == GW_HOOK_BATCH ? GW_HOOK_BATCH_MAX : 1);
	take_filter(a, s);
	if (!s->url)
		gw_ask_refuse(a, "parameter-invalid", "url: text is needed", "https://HOST/...");
	else if (!a->refused)
		(void)url_good(h, a, s->url);
}

void gw_hooks_create(void *ctx, struct bus_http_request *req)
{
	static const char *const member[] = { "view", "url",	"filter",    "select", "per_tanggal",
					      "from", "format", "signature", "rate",   "max_batch" };
	struct gw_api *api = ctx;
	struct gw_hooks *h = api->hooks;
	char reader[GW_READER_NAME_MAX];
	struct gw_hook_sub *s = NULL;
	const struct gw_view *v;
	struct gw_grant grant;
	struct gw_ask a;
	const char *name;

	if (!gw_api_reader(api, req, reader) || !gw_ask_begin(&a, req, member, BUS_LEN(member)))
		return;
	name = gw_ask_text(&a, "view");
	if (a.refused || !(v = view_of(api, &a, reader, name, &grant)) || !room(h, &a, reader))
		return;
	s = gw_hook_sub_new();
	gw_hook_sub_id(s->id);
	memcpy(s->reader, reader, sizeof(s->reader));
	gw_api_key_id(req, s->key_id);
	s->view = bus_xstrdup(v->name);
	s->created = bus_clock_ms();
	s->version = s->epoch = s->round = 1;
	fill(h, &a, s);
	place_of(h, &a, v, gw_ask_text(&a, "from"), s);
	if (a.refused || !params_good(&a, s, v, grant)) {
		gw_hook_sub_unref(&s);
		return;
	}
	gw_hook_sub_rotate(s, 0);
	hand_over(h, req, &h->changes, s->id, s, 0, true);
}

/* --- changing one ------------------------------------------------------------------------------------ */

/* The reader's own, to be changed: a copy, one version on, bound to the key that asks. Or answered, and NULL. */
static struct gw_hook_sub *draft(struct gw_api *api, struct bus_http_request *req)
{
	const struct gw_hook *e = gw_hook_mine(api, req);
	struct gw_hook_sub *s;

	if (!e)
		return NULL;
	s = gw_hook_sub_copy(e->sub);
	pthread_mutex_unlock(&api->hooks->lock);
	s->version++;
	gw_api_key_id(req, s->key_id);
	return s;
}

static void change(struct gw_hooks *h, struct gw_ask *a, struct gw_hook_sub *s)
{
	int64_t overlap = gw_ask_number(a, "overlap", 0, OVERLAP_MAX_S, OVERLAP_S);
	const char *url = gw_ask_text(a, "url");
	bool was = s->suspended;

	s->rate = gw_ask_number(a, "rate", 0, GW_HOOK_RATE_MAX, s->rate);
	s->max_batch =
	    gw_ask_number(a, "max_batch", 1,
			  s->format == GW_HOOK_STANDARD || s->format == GW_HOOK_BATCH ? GW_HOOK_BATCH_MAX : 1,
			  s->max_batch);
	s->suspended = gw_ask_flag(a, "suspended", s->suspended);
	if (gw_ask_flag(a, "rotate", false))
		gw_hook_sub_rotate(s, bus_clock_ms() + overlap * 1000);
	if (url && url_good(h, a, url)) {
		free(s->url);
		s->url = bus_xstrdup(url);
	}
	/* `suspended: false` resumes one that failures have suspended, too. */
	if (url || gw_ask_has(a, "suspended") || was != s->suspended)
		s->epoch++;
}

void gw_hooks_change(void *ctx, struct bus_http_request *req)
{
	static const char *const member[] = { "url", "suspended", "rotate", "overlap", "rate", "max_batch" };
	struct gw_api *api = ctx;
	struct gw_hook_sub *s = draft(api, req);
	struct gw_ask a;
	bool rotated;

	if (!s)
		return;
	if (gw_ask_begin(&a, req, member, BUS_LEN(member)))
		change(api->hooks, &a, s);
	rotated = !a.refused && gw_ask_flag(&a, "rotate", false);
	if (a.refused)
		gw_hook_sub_unref(&s);
	else
		hand_over(api->hooks, req, &api->hooks->changes, s->id, s, s->version - 1, rotated);
}

void gw_hooks_remove(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_hook_sub *s = draft(api, req);

	if (!s)
		return;
	hand_over(api->hooks, req, &api->hooks->changes, s->id, NULL, s->version - 1, false);
	gw_hook_sub_unref(&s);
}

void gw_hooks_redrive(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_hook_sub *s = draft(api, req);
	const char *from = bus_http_query(req, "from");
	struct gw_ask a = { .req = req };
	const struct gw_view *v;
	struct gw_grant grant;

	if (!s)
		return;
	if (!from)
		gw_ask_refuse(&a, "parameter-invalid", "from", "from=0");
	v = a.refused ? NULL : view_of(api, &a, s->reader, s->view, &grant);
	if (v)
		place_of(api->hooks, &a, v, from, s);
	if (a.refused) {
		gw_hook_sub_unref(&s);
		return;
	}
	s->suspended = false;
	s->round++;
	s->epoch++;
	hand_over(api->hooks, req, &api->hooks->changes, s->id, s, s->version - 1, false);
}

void gw_hooks_test(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_hook_sub *s = draft(api, req);

	if (!s)
		return;
	hand_over(api->hooks, req, &api->hooks->tests, s->id, s, s->version - 1, false);
	gw_hooks_wake(api->hooks);
}
