/* GET /v1/views/{view}/changes, GET /v1/changes?views=a,b: the question, and who asks it. */
#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "gateway/feed/feeds_impl.h"

#define ARENA_MAX ((size_t)256 * 1024) /* what a question may say */

struct question {
	struct gw_api *api;
	struct gw_channel *channel;
	struct gw_subscriber *s;
	const char *after, *wait, *until;
	const char *problem;
	char detail[200], hint[120];
};

static bool refuse(struct question *q, const char *problem, const char *hint, const char *fmt, ...)
    BUS_PRINTF(4, 5);

static bool refuse(struct question *q, const char *problem, const char *hint, const char *fmt, ...)
{
	va_list ap;

	q->problem = problem;
	snprintf(q->hint, sizeof(q->hint), "%s", hint);
	va_start(ap, fmt);
	vsnprintf(q->detail, sizeof(q->detail), fmt, ap);
	va_end(ap);
	return false;
}

/* `kode_kel=eq.1471011003`, `kode_kel=in.(a,b)`: the part of the view that is followed. */
static bool add_scope(struct question *q, struct gw_part *p, const char *name, char *value)
{
	struct gw_scope_part *part = &p->scope_part[p->scope.n];
	struct bus_arena *arena = q->channel->arena;
	const struct gw_view *v = p->view;
	int column = gw_view_column(v, name);
	size_t n = strlen(value);
	const char **values;
	char *one;

	if (!(p->params.grant.clear >> column & 1))
		return refuse(q, "column-masked", "", "'%s'", name);
	if (strncmp(value, "eq.", 3) == 0) {
		value += 3;
	} else if (strncmp(value, "in.(", 4) == 0 && value[n - 1] == ')') {
		value[n - 1] = '\0';
		value += 4;
	} else {
		return refuse(q, "parameter-invalid", "eq.VALUE in.(A,B)", "'%s'", name);
	}
	if (p->scope.n == BUS_LEN(p->scope_part))
		return refuse(q, "parameter-invalid", "", "'%s'", name);
	values = bus_arena_alloc(arena, GW_IN_MAX * sizeof(*values));
	*part = (struct gw_scope_part){ .column = name, .value = values };
	while (values && (one = n > 0 ? strsep(&value, ",") : NULL)) {
		if (part->n == GW_IN_MAX || !gw_scope_value_ok(&v->column[column], one))
			return refuse(q, "parameter-invalid", "eq.VALUE in.(A,B)", "'%s'", name);
		values[part->n++] = one;
	}
	if (!values)
		return refuse(q, "parameter-invalid", "", "'%s': too much", name);
	p->scope.n++;
	return true;
}

static bool add(void *ctx, const char *name, const char *value)
{
	struct question *q = ctx;
	struct gw_channel *c = q->channel;
	char *n = bus_arena_dup(c->arena, name, strlen(name)),
	     *v = bus_arena_dup(c->arena, value, strlen(value));

	if (!n || !v)
		return refuse(q, "parameter-invalid", "", "too much");
	if (strcmp(n, "after") == 0)
		q->after = v;
	else if (strcmp(n, "wait") == 0)
		q->wait = v;
	else if (strcmp(n, "until") == 0)
		q->until = v;
	else if (strcmp(n, "ticket") == 0 || (c->several && strcmp(n, "views") == 0))
		return true;
	else if (strcmp(n, "per_tanggal") == 0) {
		for (size_t i = 0; i < c->n_parts; i++)
			if (!gw_params_add(&c->part[i].params, n, v))
				return false;
	} else if (!c->several && strcmp(n, "select") == 0)
		return gw_params_add(&c->part[0].params, n, v);
	else if (!c->several && gw_scope_ok(c->part[0].view, n))
		return add_scope(q, &c->part[0], n, v);
	else
		return refuse(q, "parameter-invalid",
			      c->several ? "views, after, wait, until, per_tanggal"
					 : "after, wait, until, select, per_tanggal, scope=eq.",
			      "'%.60s'", n);
	return true;
}

bool gw_feeds_way(const struct bus_http_request *req, enum gw_way *out)
{
	const char *accept = bus_http_header(req, "Accept");

	if (accept && strstr(accept, "text/event-stream"))
		*out = GW_WAY_SSE;
	else if (accept && strstr(accept, "application/x-ndjson"))
		*out = GW_WAY_NDJSON;
	else if (!accept || strstr(accept, "application/json") || strstr(accept, "*/*"))
		*out = GW_WAY_POLL;
	else
		return false;
	return true;
}

/* --- where to start ------------------------------------------------------------------------------------ */

static bool stop_here(void *ctx, const struct gw_change *change)
{
	(void)ctx;
	(void)change;
	return false;
}

/* Whether the log has come as far as the reader has: one put back from an older copy has not, and its numbers
 * would mean other changes; in a group they are the same on every gateway, and one may be behind. A cursor may well be beyond a view's own newest change: numbers count over all
 * views. */
static bool reached(struct gw_api *api, const struct gw_channel *c, int64_t seq)
{
	const struct gw_following f = {
		.view = c->part[0].view, .date = c->part[0].params.query.date, .after = seq - 1, .limit = 1
	};
	struct bus_error err;
	int64_t last = 0;

	return seq <= gw_channel_newest(c) || gw_grouped(api->engine) ||
	       (gw_follow(gw_reader_of(api->engine), &f, stop_here, NULL, &last, &err) == BUS_OK &&
		last >= seq);
}

/* Last-Event-ID (a reader that comes back), `after`, or the beginning. An EventSource that comes back to another
 * store cannot be told by a status: its stream begins with a reset. */
static bool start(struct question *q, struct bus_http_request *req)
{
	const struct gw_cursors cursors = gw_api_cursors(q->api);
	const char *text = bus_http_header(req, "Last-Event-ID");
	bool back = text && *text;
	struct gw_subscriber *s = q->s;
	enum bus_err rc;

	if (!back)
		text = q->after;
	s->at.fresh = gw_channel_newest(q->channel);
	if (!text || !*text || strcmp(text, "0") == 0)
		return true;
	if (strcmp(text, "now") == 0) {
		s->at = (struct gw_place){ .seq = s->at.fresh };
		return true;
	}
	rc = gw_cursor_read_place(&cursors, q->channel->name, text, &s->at);
	if (rc == BUS_EINVAL)
		return refuse(q, "cursor-invalid", "", "%s", back ? "Last-Event-ID" : "after");
	if (rc == BUS_OK && reached(q->api, q->channel, s->at.seq)) {
		if (s->at.seq == 0)
			s->at.fresh = gw_channel_newest(q->channel);
		return true;
	}
	/* Of a group it may be its numbers', which this one has not taken over yet: that is no end of the cursor. */
	if (gw_grouped(q->api->engine) && !gw_caught_up(q->api->engine))
		return refuse(q, "not-ready", "GET /readyz", "%s", q->channel->name);
	if (!back || q->channel->way != GW_WAY_SSE)
		return refuse(q, "cursor-unknown", "", "%s", back ? "Last-Event-ID" : "after");
	s->anew = true;
	return true;
}

/* --- the channel it means ------------------------------------------------------------------------------ */

static struct gw_channel *channel_new(struct gw_api *api, size_t most)
{
	struct gw_channel *c = bus_xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	c->api = api;
	c->arena = bus_arena_new(ARENA_MAX);
	c->part = bus_xcalloc(most, sizeof(*c->part));
	return c;
}

static void add_part(struct gw_channel *c, const struct gw_view *v, struct gw_grant grant)
{
	struct gw_part *p = &c->part[c->n_parts++];

	p->view = gw_view_ref(v);
	gw_params_begin(&p->params, v, grant, c->arena);
	p->scope.part = p->scope_part;
	for (size_t i = 0; grant.rows && i < grant.rows->n; i++)
		p->scope_part[p->scope.n++] = grant.rows->part[i];
}

/* All that decides what is written. */
static void identify(struct gw_channel *c)
{
	struct bus_buf *b = &c->identity;

	bus_buf_printf(b, "%d", (int)c->way);
	for (size_t i = 0; i < c->n_parts; i++) {
		const struct gw_part *p = &c->part[i];

		bus_buf_printf(b, "|%p %p %llx %llx %s|", (const void *)p->view,
			       (const void *)p->params.grant.rows, (unsigned long long)p->params.grant.shown,
			       (unsigned long long)p->params.grant.clear,
			       p->view->dated ? p->params.query.date : "");
		for (size_t k = 0; k < p->params.n_columns; k++)
			bus_buf_put(b, p->params.name[k], strlen(p->params.name[k]) + 1);
		bus_buf_put(b, p->params.column, p->params.n_columns);
		for (size_t k = 0; k < p->scope.n; k++) {
			bus_buf_put(b, p->scope_part[k].column, strlen(p->scope_part[k].column) + 1);
			for (size_t j = 0; j < p->scope_part[k].n; j++)
				bus_buf_put(b, p->scope_part[k].value[j],
					    strlen(p->scope_part[k].value[j]) + 1);
			bus_buf_putc(b, '\0');
		}
	}
}

static void read_question(struct question *q, struct bus_http_request *req)
{
	struct gw_channel *c = q->channel;
	char *end;
	long wait;

	if (!gw_feeds_way(req, &c->way)) {
		refuse(q, "accept-unknown", "application/json, text/event-stream, application/x-ndjson",
		       "Accept");
		return;
	}
	bus_http_each_query(req, add, q);
	for (size_t i = 0; i < c->n_parts && !q->problem; i++) {
		struct gw_params *p = &c->part[i].params;

		if (!gw_params_end(p))
			refuse(q, p->problem, p->hint, "%s", p->detail);
	}
	if (q->problem)
		return;
	wait = q->wait ? strtol(q->wait, &end, 10) : 0;
	if (q->wait && (*end || end == q->wait || wait < 0 || wait > GW_POLL_WAIT_MAX)) {
		refuse(q, "parameter-invalid", "wait=30", "wait: 0..%d", GW_POLL_WAIT_MAX);
		return;
	}
	if (q->until && strcmp(q->until, "now") != 0) {
		refuse(q, "parameter-invalid", "until=now", "until: now");
		return;
	}
	q->s->wait_until = bus_clock_mono_ms() + wait * 1000;
	if (q->until)
		q->s->until = gw_channel_newest(c) > 0 ? gw_channel_newest(c) : 1;
	start(q, req);
}

bool gw_feeds_ask_who(struct gw_api *api, struct bus_http_request *req, char *reader, char *key_id)
{
	const char *ticket = bus_http_query(req, "ticket");

	if (!ticket) {
		if (!gw_api_reader(api, req, reader))
			return false;
		gw_api_key_id(req, key_id);
		return true;
	}
	if (gw_tickets_take(api->feeds, ticket, reader, key_id) &&
	    gw_access_key_known(api->access, reader, key_id)) {
		bus_http_set_who(req, reader);
		return gw_api_quota(api, req, reader);
	}
	gw_problem(req, "key-unknown", "ticket", "POST /v1/tickets");
	return false;
}

/* Answers: with a stream, or with what is wrong. Takes c. */
static void answer(struct gw_api *api, struct bus_http_request *req, struct gw_channel *c, const char *reader,
		   const char *key_id)
{
	static const char *const type[] = { "text/event-stream", "application/json", "application/x-ndjson" };
	struct gw_subscriber *s = bus_xcalloc(1, sizeof(*s));
	struct question q = { .api = api, .channel = c, .s = s };

	snprintf(s->key_id, sizeof(s->key_id), "%s", key_id);
	s->spoke = bus_clock_mono_ms();
	s->store = gw_store_id(api->engine);
	read_question(&q, req);
	if (q.problem) {
		gw_channel_free(&c);
	} else {
		identify(c);
		c = gw_channel_enter(api->feeds, c);
		if (!gw_feeds_enter(api->feeds, s, c, reader, gw_access_streams(api->access, reader))) {
			gw_channel_leave(api->feeds, &c);
			bus_http_set(req, "Retry-After", "15");
			refuse(&q, "too-many-streams", "", "%d", gw_access_streams(api->access, reader));
		}
	}
	if (q.problem) {
		if (strcmp(q.problem, "not-ready") == 0)
			bus_http_set(req, "Retry-After", "1");
		gw_problem(req, q.problem, q.detail[0] ? q.detail : NULL, q.hint[0] ? q.hint : NULL);
		free(s);
		return;
	}
	if (c->way == GW_WAY_SSE)
		bus_http_set(req, "X-Accel-Buffering", "no");
	if (s->until)
		bus_http_compress(req); /* it is a file, and over soon */
	if (c->way == GW_WAY_POLL && gw_api_signs(api, req))
		bus_http_gather(req); /* its digest stands before it */
	pthread_mutex_lock(&api->feeds->lock);
	s->stream = bus_http_stream(req, 200, type[c->way], gw_subscriber_piece, gw_subscriber_free, s);
	pthread_mutex_unlock(&api->feeds->lock);
	bus_http_slim(req);
}

void gw_feeds_changes(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX], key_id[GW_KEY_ID_LEN + 1] = "";
	const struct gw_view *v;
	struct gw_grant grant;
	struct gw_channel *c;

	if (!gw_feeds_ask_who(api, req, reader, key_id) || !(v = gw_api_view(api, req, reader, &grant)))
		return;
	c = channel_new(api, 1);
	c->name = bus_xstrdup(v->name);
	add_part(c, v, grant);
	answer(api, req, c, reader, key_id);
}

/* The names in `views`, each once, in the order of the alphabet: NULL-ended, in the request's arena; NULL: none, or
 * too many. */
static const char **names_of(struct bus_http_request *req)
{
	const char *list = bus_http_query(req, "views");
	const char **name = bus_arena_zalloc(bus_http_arena(req), (GW_CHANNEL_VIEWS_MAX + 1) * sizeof(*name));
	char *rest = list ? bus_arena_dup(bus_http_arena(req), list, strlen(list)) : NULL, *one;
	size_t n = 0, at;

	while (name && (one = strsep(&rest, ","))) {
		for (at = 0; at < n && strcmp(name[at], one) < 0; at++)
			;
		if (at < n && strcmp(name[at], one) == 0)
			continue;
		if (n == GW_CHANNEL_VIEWS_MAX)
			return NULL;
		memmove(&name[at + 1], &name[at], (n - at) * sizeof(*name));
		name[at] = one;
		n++;
	}
	return n > 0 ? name : NULL;
}

void gw_feeds_several(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX], key_id[GW_KEY_ID_LEN + 1] = "";
	struct bus_buf joined = { 0 };
	const char **name;
	struct gw_channel *c;

	if (!gw_feeds_ask_who(api, req, reader, key_id))
		return;
	name = names_of(req);
	if (!name) {
		gw_problem(req, "parameter-invalid", "views", "views=a,b");
		return;
	}
	c = channel_new(api, GW_CHANNEL_VIEWS_MAX);
	c->several = true;
	for (; *name; name++) {
		struct gw_grant grant;
		const struct gw_view *v = gw_api_view_named(api, req, reader, *name, &grant);

		if (!v) {
			bus_buf_release(&joined);
			gw_channel_free(&c);
			return;
		}
		add_part(c, v, grant);
		bus_buf_printf(&joined, "%s%s", joined.n ? "," : "", v->name);
	}
	c->name = bus_xstrdup(bus_buf_cstr(&joined));
	bus_buf_release(&joined);
	answer(api, req, c, reader, key_id);
}

void gw_feeds_ticket(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX], key_id[GW_KEY_ID_LEN + 1] = "", ticket[33];
	struct bus_buf body = { 0 };

	if (!gw_api_reader(api, req, reader))
		return;
	gw_api_key_id(req, key_id);
	gw_tickets_new(api->feeds, reader, key_id, ticket);
	bus_buf_printf(&body, "{\"ticket\":\"%s\",\"expires_in\":60}", ticket);
	bus_http_reply(req, 201, "application/json", &body);
}
