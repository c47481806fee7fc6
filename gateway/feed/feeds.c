#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/feed/feeds_impl.h"

#define PIECE 200 /* changes a piece: about 64 KiB */

enum way { WAY_SSE, WAY_POLL, WAY_NDJSON };

struct gw_subscriber {
	struct gw_api *api;
	const struct gw_view *view;
	char reader[GW_READER_NAME_MAX];
	enum way way;
	struct bus_arena *arena; /* holds what params points to */
	struct gw_params params;
	int64_t after;	     /* everything up to here has been written */
	int64_t wait_until;  /* poll: monotonic ms */
	bool until_now;	     /* NDJSON: ends where the log now ends */
	bool told;	     /* that the reader is up to date, since the last change */
	int64_t spoke;	     /* monotonic ms of the last bytes written */
	int changes;	     /* written in this piece */
	struct bus_buf *out; /* while a piece is made */

	/* the list's lock */
	struct gw_subscriber *next, **link;
	struct bus_http_stream *stream; /* NULL: not yet; its first piece will find what came before */
};

struct gw_feeds *gw_feeds_new(void)
{
	struct gw_feeds *f = bus_xcalloc(1, sizeof(*f));

	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void gw_feeds_free(struct gw_feeds **f)
{
	if (!*f)
		return;
	pthread_mutex_destroy(&(*f)->lock);
	free(*f);
	*f = NULL;
}

size_t gw_feeds_count(struct gw_feeds *f)
{
	size_t n;

	pthread_mutex_lock(&f->lock);
	n = f->n;
	pthread_mutex_unlock(&f->lock);
	return n;
}

size_t gw_feeds_following(struct gw_feeds *f, const char *reader, const struct gw_view *v)
{
	size_t n = 0;

	pthread_mutex_lock(&f->lock);
	for (const struct gw_subscriber *s = f->first; s; s = s->next)
		n += s->view == v && strcmp(s->reader, reader) == 0;
	pthread_mutex_unlock(&f->lock);
	return n;
}

void gw_feeds_on_change(void *feeds, const struct gw_view *v, int64_t newest)
{
	struct gw_feeds *f = feeds;

	(void)newest;
	pthread_mutex_lock(&f->lock);
	for (struct gw_subscriber *s = f->first; s; s = s->next)
		if (s->view == v && s->stream)
			bus_http_wake(s->stream);
	pthread_mutex_unlock(&f->lock);
}

void gw_feeds_tick(struct gw_feeds *f)
{
	int64_t now = bus_clock_mono_ms();

	pthread_mutex_lock(&f->lock);
	for (struct gw_subscriber *s = f->first; s; s = s->next)
		if (s->stream && (__atomic_load_n(&s->spoke, __ATOMIC_RELAXED) + GW_HEARTBEAT_MS <= now ||
				  (s->way == WAY_POLL && s->wait_until <= now)))
			bus_http_wake(s->stream);
	pthread_mutex_unlock(&f->lock);
}

/* False: this reader has as many streams as it may have. */
static bool enter(struct gw_feeds *f, struct gw_subscriber *s)
{
	int same = 0;

	pthread_mutex_lock(&f->lock);
	for (struct gw_subscriber *o = f->first; o; o = o->next)
		same += strcmp(o->reader, s->reader) == 0;
	if (same < GW_STREAMS_PER_READER) {
		s->next = f->first;
		s->link = &f->first;
		if (s->next)
			s->next->link = &s->next;
		f->first = s;
		f->n++;
	}
	pthread_mutex_unlock(&f->lock);
	return same < GW_STREAMS_PER_READER;
}

static void subscriber_free(void *state)
{
	struct gw_subscriber *s = state;
	struct gw_feeds *f = s->api->feeds;

	pthread_mutex_lock(&f->lock);
	if (s->link) {
		*s->link = s->next;
		if (s->next)
			s->next->link = s->link;
		f->n--;
	}
	pthread_mutex_unlock(&f->lock);
	bus_arena_free(&s->arena);
	free(s);
}

/* --- writing ---------------------------------------------------------------------------------------- */

static void put_cursor(struct gw_subscriber *s, int64_t seq)
{
	const struct gw_cursors cursors = gw_api_cursors(s->api);

	gw_cursor_put_feed(&cursors, s->view, seq, s->out);
}

/* {"key":...,"row":{...}} of one change; with event and cursor inside where there is no SSE around it. */
static bool put_change(void *ctx, const struct gw_change *c)
{
	struct gw_subscriber *s = ctx;
	struct bus_json_out j = { .buf = s->out };
	struct bus_buf row = { 0 };

	if (s->way == WAY_SSE) {
		bus_buf_puts(s->out, "id: ");
		put_cursor(s, c->seq);
		bus_buf_printf(s->out, "\nevent: %s\ndata: ", c->removed ? "delete" : "upsert");
	} else if (s->way == WAY_POLL && s->changes > 0) {
		bus_buf_putc(s->out, ',');
	}
	bus_json_object(&j);
	if (s->way != WAY_SSE) {
		bus_json_key(&j, "event");
		bus_json_put_text(&j, c->removed ? "delete" : "upsert");
		bus_buf_puts(s->out, ",\"cursor\":\"");
		put_cursor(s, c->seq);
		bus_buf_putc(s->out, '"');
	}
	bus_json_key(&j, "key");
	bus_json_put_str(&j, c->key);
	if (!c->removed) {
		gw_format_json(&s->params, c->value, &row);
		bus_json_key(&j, "row");
		bus_json_put_raw(&j, bus_buf_str(&row));
		bus_buf_release(&row);
	}
	bus_json_object_end(&j);
	bus_buf_puts(s->out, s->way == WAY_SSE ? "\n\n" : s->way == WAY_NDJSON ? "\n" : "");
	s->changes++;
	return true;
}

static void put_up_to_date(struct gw_subscriber *s)
{
	if (s->way == WAY_SSE) {
		bus_buf_puts(s->out, "id: ");
		put_cursor(s, s->after);
		bus_buf_puts(s->out, "\nevent: up-to-date\ndata: {}\n\n");
	} else if (s->way == WAY_NDJSON) {
		bus_buf_puts(s->out, "{\"event\":\"up-to-date\",\"cursor\":\"");
		put_cursor(s, s->after);
		bus_buf_puts(s->out, "\"}\n");
	}
	s->told = true;
}

/* Whether the key behind this stream may still see what it sees. */
static bool still_granted(struct gw_subscriber *s)
{
	struct gw_grant g = gw_access_grant(s->api->access, s->reader, s->view);

	if (gw_view_gone(s->view))
		return false; /* of another shape, perhaps: it comes back with its cursor, and asks anew */
	return g.allowed && g.clear == s->params.grant.clear && g.shown == s->params.grant.shown &&
	       g.rows == s->params.grant.rows;
}

static enum bus_http_more poll_piece(struct gw_subscriber *s, bool more)
{
	if (s->changes == 0 && bus_clock_mono_ms() < s->wait_until) {
		s->out->n = 0;
		return BUS_HTTP_PARK;
	}
	bus_buf_puts(s->out, "],\"cursor\":\"");
	put_cursor(s, s->after);
	bus_buf_printf(s->out, "\",\"up_to_date\":%s}", more ? "false" : "true");
	return BUS_HTTP_END;
}

static enum bus_http_more piece(void *state, struct bus_buf *out)
{
	struct gw_subscriber *s = state;
	int64_t now = bus_clock_mono_ms();
	const struct gw_following f = { .view = s->view,
					.date = s->params.query.date,
					.rows = s->params.grant.rows,
					.after = s->after,
					.limit = PIECE };
	struct bus_error err;
	bool more;

	if (!still_granted(s))
		return BUS_HTTP_END;
	s->out = out;
	s->changes = 0;
	if (s->way == WAY_POLL)
		bus_buf_puts(out, "{\"changes\":[");
	if (gw_follow(gw_reader_of(s->api->engine), &f, put_change, s, &s->after, &err))
		return BUS_HTTP_ABORT;
	more = s->after < gw_newest(s->api->engine, s->view);
	if (s->way == WAY_POLL)
		return poll_piece(s, more);
	if (s->changes > 0)
		s->told = false;
	if (more || s->changes == PIECE) {
		__atomic_store_n(&s->spoke, now, __ATOMIC_RELAXED);
		return BUS_HTTP_MORE;
	}
	if (!s->told)
		put_up_to_date(s);
	if (s->until_now)
		return BUS_HTTP_END;
	if (out->n == 0 && now - s->spoke >= GW_HEARTBEAT_MS)
		bus_buf_puts(out, s->way == WAY_SSE ? ": \n\n" : "\n");
	if (out->n > 0)
		__atomic_store_n(&s->spoke, now, __ATOMIC_RELAXED);
	return BUS_HTTP_PARK;
}

/* --- asking ----------------------------------------------------------------------------------------- */

struct question { /* the parameters that are the feed's own */
	struct gw_subscriber *s;
	const char *after, *wait, *until;
};

static bool question_add(void *ctx, const char *name, const char *value)
{
	struct question *q = ctx;
	char *n = bus_arena_dup(q->s->arena, name, strlen(name)),
	     *v = bus_arena_dup(q->s->arena, value, strlen(value));

	if (!n || !v)
		return false;
	if (strcmp(n, "after") == 0)
		q->after = v;
	else if (strcmp(n, "wait") == 0)
		q->wait = v;
	else if (strcmp(n, "until") == 0)
		q->until = v;
	else if (strcmp(n, "ticket") == 0)
		return true;
	else if (strcmp(n, "select") == 0 || strcmp(n, "per_tanggal") == 0)
		return gw_params_add(&q->s->params, n, v);
	else {
		q->s->params.problem = "parameter-invalid";
		snprintf(q->s->params.detail, sizeof(q->s->params.detail), "'%.60s'", n);
		snprintf(q->s->params.hint, sizeof(q->s->params.hint),
			 "after, wait, until, select, per_tanggal");
		return false;
	}
	return true;
}

static bool stop_here(void *ctx, const struct gw_change *change)
{
	(void)ctx;
	(void)change;
	return false;
}

/* Whether the log has come as far as the reader has: one put back from an older copy has not, and its numbers
 * would mean other changes. A cursor may well be beyond the view's own newest change: numbers count over all
 * views. */
static bool reached(struct gw_api *api, struct gw_subscriber *s)
{
	struct bus_error err;
	int64_t last = 0;

	if (s->after <= gw_newest(api->engine, s->view))
		return true;
	return gw_changes(gw_reader_of(api->engine), s->view, s->params.query.date, s->after - 1, 1,
			  stop_here, NULL, &last, &err) == BUS_OK &&
	       last >= s->after;
}

/* Where to start: Last-Event-ID (a reader that comes back), `after`, or the beginning. */
static const char *start_of(struct gw_api *api, struct bus_http_request *req, struct question *q)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	const char *text = bus_http_header(req, "Last-Event-ID");
	struct gw_subscriber *s = q->s;

	if (!text || !*text)
		text = q->after;
	if (!text || !*text || strcmp(text, "0") == 0)
		return NULL;
	if (strcmp(text, "now") == 0) {
		s->after = gw_newest(api->engine, s->view);
		return NULL;
	}
	switch (gw_cursor_read_feed(&cursors, s->view, text, &s->after)) {
	case BUS_OK:
		return reached(api, s) ? NULL : "cursor-unknown";
	case BUS_ENOENT:
		return "cursor-unknown";
	default:
		return "cursor-invalid";
	}
}

static bool way_of(const struct bus_http_request *req, enum way *out)
{
	const char *accept = bus_http_header(req, "Accept");

	if (accept && strstr(accept, "text/event-stream"))
		*out = WAY_SSE;
	else if (accept && strstr(accept, "application/x-ndjson"))
		*out = WAY_NDJSON;
	else if (!accept || strstr(accept, "application/json") || strstr(accept, "*/*"))
		*out = WAY_POLL;
	else
		return false;
	return true;
}

/* By key or, for browsers, by ticket. */
static bool who(struct gw_api *api, struct bus_http_request *req, char *reader)
{
	const char *ticket = bus_http_query(req, "ticket");

	if (!ticket)
		return gw_api_reader(api, req, reader);
	if (gw_tickets_take(api->feeds, ticket, reader))
		return true;
	gw_problem(req, "key-unknown", "ticket", "POST /v1/tickets");
	return false;
}

/* What is wrong with the question, as a problem's code; NULL: nothing, and s is filled. */
static const char *ask(struct gw_api *api, struct bus_http_request *req, struct gw_subscriber *s)
{
	struct question q = { .s = s };
	int64_t wait = 0;

	bus_http_each_query(req, question_add, &q);
	if (!gw_params_end(&s->params))
		return s->params.problem;
	if (!way_of(req, &s->way))
		return "accept-unknown";
	if (q.wait) {
		char *end;

		wait = strtol(q.wait, &end, 10);
		if (*end || wait < 0 || wait > GW_POLL_WAIT_MAX) {
			snprintf(s->params.detail, sizeof(s->params.detail), "wait: 0..%d", GW_POLL_WAIT_MAX);
			return "parameter-invalid";
		}
	}
	s->wait_until = bus_clock_mono_ms() + wait * 1000;
	s->until_now = q.until && strcmp(q.until, "now") == 0;
	return start_of(api, req, &q);
}

void gw_feeds_changes(void *ctx, struct bus_http_request *req)
{
	static const char *const type[] = { "text/event-stream", "application/json", "application/x-ndjson" };
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	const struct gw_view *v;
	struct gw_grant grant;
	struct gw_subscriber *s;
	const char *problem;

	if (!who(api, req, reader) || !(v = gw_api_view(api, req, reader, &grant)))
		return;
	s = bus_xcalloc(1, sizeof(*s));
	s->api = api;
	s->view = v;
	s->arena = bus_arena_new(64 * 1024);
	s->spoke = bus_clock_mono_ms();
	memcpy(s->reader, reader, sizeof(reader));
	gw_params_begin(&s->params, v, grant, s->arena);
	problem = ask(api, req, s);
	if (!problem && !enter(api->feeds, s)) {
		bus_http_set(req, "Retry-After", "15");
		problem = "too-many-streams";
	}
	if (problem) {
		gw_problem(req, problem, s->params.detail[0] ? s->params.detail : NULL,
			   s->params.hint[0] ? s->params.hint : NULL);
		subscriber_free(s);
		return;
	}
	if (s->way == WAY_SSE)
		bus_http_set(req, "X-Accel-Buffering", "no");
	pthread_mutex_lock(&api->feeds->lock);
	s->stream = bus_http_stream(req, 200, type[s->way], piece, subscriber_free, s);
	pthread_mutex_unlock(&api->feeds->lock);
}

void gw_feeds_ticket(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX], ticket[33];
	struct bus_buf body = { 0 };

	if (!gw_api_reader(api, req, reader))
		return;
	gw_tickets_new(api->feeds, reader, ticket);
	bus_buf_printf(&body, "{\"ticket\":\"%s\",\"expires_in\":60}", ticket);
	bus_http_reply(req, 201, "application/json", &body);
}
