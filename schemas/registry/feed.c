#include "schemas/registry/feed.h"

#include <errno.h>
#include <pthread.h>

#include "bus/clock.h"

#define PIECE 200 /* events a piece of a stream */
#define PAGE_MAX 1000

struct event {
	int64_t offset, timestamp_ms;
	enum schema_record_kind kind;
	bool tombstone, deleted;
	int version;
	int32_t id;
	char *subject; /* NULL: global */
	char *value;   /* of config and mode, JSON; NULL: none */
};

struct stream {
	struct schema_feed *feed;
	struct schema_registry *registry;
	const struct bus_http_request *req; /* whose rights count */
	char *prefix, *reader;		    /* reader: the user, or the address of whoever is nobody */
	int64_t after;			    /* told up to here */
	int64_t spoke;			    /* monotonic ms; the feed's lock */
	struct bus_http_stream *http;
	struct stream *next, **link;
};

struct schema_feed {
	pthread_mutex_t lock; /* all below; never held while the store is asked */
	struct event *event;  /* by offset */
	size_t n, cap;
	int64_t forgotten; /* the highest offset that is no longer kept; -1: none */
	struct stream *first;
	size_t n_streams;
};

struct schema_feed *schema_feed_new(void)
{
	struct schema_feed *f = bus_xcalloc(1, sizeof(*f));

	pthread_mutex_init(&f->lock, NULL);
	f->forgotten = -1;
	return f;
}

static void forget(struct schema_feed *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(f->event[i].subject);
		free(f->event[i].value);
	}
	if (n > 0 && n <= f->n)
		f->forgotten = f->event[n - 1].offset;
	f->n -= n;
	if (f->n > 0)
		memmove(f->event, f->event + n, f->n * sizeof(*f->event));
}

void schema_feed_free(struct schema_feed **ff)
{
	struct schema_feed *f = *ff;

	if (!f)
		return;
	*ff = NULL;
	forget(f, f->n);
	free(f->event);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* --- taking down ------------------------------------------------------------------------------------ */

/* JSON has line breaks between its tokens only; in an event they would end the line. */
static char *one_line(struct bus_str json)
{
	char *line = bus_xstrndup(json.p, json.n);

	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return line;
}

void schema_feed_record(void *feed, const struct schema_record *r, int64_t offset, int64_t timestamp_ms)
{
	struct schema_feed *f = feed;
	struct event *e;

	if (r->kind == SCHEMA_RECORD_NOOP || r->kind == SCHEMA_RECORD_CONTEXT ||
	    r->kind == SCHEMA_RECORD_OTHER)
		return;
	pthread_mutex_lock(&f->lock);
	if (f->n == SCHEMA_FEED_KEPT)
		forget(f, SCHEMA_FEED_KEPT / 4);
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 256;
		f->event = bus_xrealloc(f->event, f->cap * sizeof(*f->event));
	}
	e = &f->event[f->n++];
	*e = (struct event){ .offset = offset,
			     .timestamp_ms = timestamp_ms,
			     .kind = r->kind,
			     .tombstone = r->tombstone,
			     .deleted = r->deleted,
			     .version = r->version,
			     .id = r->id };
	if (r->subject.p)
		e->subject = bus_xstrndup(r->subject.p, r->subject.n);
	if ((r->kind == SCHEMA_RECORD_CONFIG || r->kind == SCHEMA_RECORD_MODE) && !r->tombstone)
		e->value = one_line(r->value);
	pthread_mutex_unlock(&f->lock);
}

static void wake(struct schema_feed *f, int64_t spoke_before)
{
	pthread_mutex_lock(&f->lock);
	for (struct stream *s = f->first; s; s = s->next)
		if (s->http && s->spoke <= spoke_before)
			bus_http_wake(s->http);
	pthread_mutex_unlock(&f->lock);
}

void schema_feed_wake(void *feed)
{
	wake(feed, INT64_MAX);
}

void schema_feed_tick(struct schema_feed *f)
{
	wake(f, bus_clock_mono_ms() - SCHEMA_FEED_HEARTBEAT_MS);
}

/* --- telling ---------------------------------------------------------------------------------------- */

static const char *name_of(const struct event *e)
{
	switch (e->kind) {
	case SCHEMA_RECORD_CONFIG:
		return "config";
	case SCHEMA_RECORD_MODE:
		return "mode";
	case SCHEMA_RECORD_DELETE_SUBJECT:
		return "deleted";
	case SCHEMA_RECORD_CLEAR_SUBJECT:
		return "removed";
	default:
		return e->tombstone ? "removed" : e->deleted ? "deleted" : "registered";
	}
}

static void put_event(struct bus_json_out *j, const struct event *e)
{
	bool setting = e->kind == SCHEMA_RECORD_CONFIG || e->kind == SCHEMA_RECORD_MODE;

	bus_json_object(j);
	bus_json_key(j, "offset");
	bus_json_put_int(j, e->offset);
	bus_json_key(j, "event");
	bus_json_put_text(j, name_of(e));
	bus_json_key(j, "subject");
	bus_json_put_text(j, e->subject);
	if (setting) {
		bus_json_key(j, "value");
		bus_json_put_raw(j, bus_str(e->value ? e->value : "null"));
	} else {
		bus_json_key(j, "version");
		bus_json_put_int(j, e->kind == SCHEMA_RECORD_SCHEMA ? e->version : -1);
	}
	if (e->kind == SCHEMA_RECORD_SCHEMA && !e->tombstone) {
		bus_json_key(j, "id");
		bus_json_put_int(j, e->id);
	}
	bus_json_key(j, "at");
	bus_json_put_int(j, e->timestamp_ms);
	bus_json_object_end(j);
}

/* The first event after that offset; the lock is held. */
static size_t first_after(const struct schema_feed *f, int64_t after)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->event[mid].offset <= after)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool wanted(const struct event *e, const char *prefix, const struct bus_http_request *req)
{
	if (!e->subject)
		return prefix[0] == '\0';
	return strncmp(e->subject, prefix, strlen(prefix)) == 0 &&
	       schema_may(req, SCHEMA_RIGHT_READ, e->subject);
}

static enum bus_http_more next_piece(void *state, struct bus_buf *out)
{
	struct stream *s = state;
	struct schema_feed *f = s->feed;
	int told = 0;
	bool more;
	size_t i;

	if (atomic_load(&s->registry->draining))
		return BUS_HTTP_ABORT;
	pthread_mutex_lock(&f->lock);
	if (s->after < f->forgotten) {
		s->after = f->forgotten;
		bus_buf_printf(out, "id: %lld\nevent: reset\ndata: {}\n\n", (long long)s->after);
	}
	for (i = first_after(f, s->after); i < f->n && told < PIECE; i++) {
		const struct event *e = &f->event[i];

		s->after = e->offset;
		if (!wanted(e, s->prefix, s->req))
			continue;
		bus_buf_printf(out, "id: %lld\nevent: %s\ndata: ", (long long)e->offset, name_of(e));
		put_event(&(struct bus_json_out){ .buf = out }, e);
		bus_buf_puts(out, "\n\n");
		told++;
	}
	more = i < f->n;
	if (out->n == 0 && bus_clock_mono_ms() - s->spoke >= SCHEMA_FEED_HEARTBEAT_MS)
		bus_buf_puts(out, ":\n\n");
	if (out->n > 0)
		s->spoke = bus_clock_mono_ms();
	pthread_mutex_unlock(&f->lock);
	return more ? BUS_HTTP_MORE : BUS_HTTP_PARK;
}

static void stream_free(void *state)
{
	struct stream *s = state;
	struct schema_feed *f = s->feed;

	pthread_mutex_lock(&f->lock);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	f->n_streams--;
	pthread_mutex_unlock(&f->lock);
	free(s->prefix);
	free(s->reader);
	free(s);
}

static bool enter(struct schema_feed *f, struct stream *s)
{
	size_t same = 0;
	bool room;

	pthread_mutex_lock(&f->lock);
	for (const struct stream *o = f->first; o; o = o->next)
		same += strcmp(o->reader, s->reader) == 0;
	room = f->n_streams < SCHEMA_FEED_STREAMS_MAX && same < SCHEMA_FEED_STREAMS_EACH;
	if (room) {
		s->next = f->first;
		s->link = &f->first;
		if (s->next)
			s->next->link = &s->next;
		f->first = s;
		f->n_streams++;
	}
	pthread_mutex_unlock(&f->lock);
	return room;
}

static void follow(struct schema_registry *r, struct bus_http_request *req, int64_t after, const char *prefix)
{
	struct schema_feed *f = r->feed;
	struct stream *s = bus_xcalloc(1, sizeof(*s));
	struct bus_http_stream *http;
	char peer[BUS_HTTP_PEER_LEN];

	s->feed = f;
	s->registry = r;
	s->req = req;
	s->prefix = bus_xstrdup(prefix);
	bus_http_peer(req, peer);
	s->reader = bus_xstrdup(schema_user(req)[0] ? schema_user(req) : peer);
	s->after = after;
	s->spoke =
	    bus_clock_mono_ms() - SCHEMA_FEED_HEARTBEAT_MS; /* the first piece says something at once */
	if (!enter(f, s)) {
		free(s->prefix);
		free(s->reader);
		free(s);
		schema_reply_error(req, 503,
				   "%d readers follow the changes already, or %d of yours; ask again later",
				   SCHEMA_FEED_STREAMS_MAX, SCHEMA_FEED_STREAMS_EACH);
		return;
	}
	http = bus_http_stream(req, 200, "text/event-stream", next_piece, stream_free, s);
	/* The stream may be over already, and s gone: look for it by its place in the list. */
	pthread_mutex_lock(&f->lock);
	for (struct stream *o = f->first; o; o = o->next)
		if (o == s)
			o->http = http;
	pthread_mutex_unlock(&f->lock);
	schema_feed_wake(f);
}

static void page(struct schema_feed *f, struct bus_http_request *req, int64_t after, const char *prefix,
		 int64_t limit)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	bool reset;
	int64_t n = 0;

	bus_json_object(&j);
	bus_json_key(&j, "changes");
	bus_json_array(&j);
	pthread_mutex_lock(&f->lock);
	reset = after < f->forgotten;
	if (reset)
		after = f->forgotten;
	for (size_t i = first_after(f, after); i < f->n && n < limit; i++) {
		after = f->event[i].offset;
		if (!wanted(&f->event[i], prefix, req))
			continue;
		put_event(&j, &f->event[i]);
		n++;
	}
	pthread_mutex_unlock(&f->lock);
	bus_json_array_end(&j);
	bus_json_key(&j, "next");
	bus_json_put_int(&j, after);
	bus_json_key(&j, "reset");
	bus_json_put_bool(&j, reset);
	bus_json_object_end(&j);
	schema_reply(req, &b);
}

/* A whole number at least `low`; fallback when the text is NULL. */
static bool number(struct bus_http_request *req, const char *name, const char *text, int64_t low,
		   int64_t *value)
{
	char *end;

	if (!text)
		return true;
	errno = 0;
	*value = strtoll(text, &end, 10);
	if (*text != '\0' && *end == '\0' && errno == 0 && *value >= low)
		return true;
	schema_reply_error(req, 400, "'%s' is a whole number from %lld", name, (long long)low);
	return false;
}

void schema_feed_get(void *ctx, struct bus_http_request *req)
{
	const char *accept = bus_http_header(req, "Accept"), *last = bus_http_header(req, "Last-Event-ID");
	const char *prefix = bus_http_query(req, "subjectPrefix");
	struct schema_registry *r = ctx;
	int64_t after = -1, limit = PAGE_MAX;

	if (!number(req, "after", last ? last : bus_http_query(req, "after"), -1, &after) ||
	    !number(req, "limit", bus_http_query(req, "limit"), 1, &limit))
		return;
	if (accept && strstr(accept, "text/event-stream"))
		follow(r, req, after, prefix ? prefix : "");
	else
		page(r->feed, req, after, prefix ? prefix : "", limit < PAGE_MAX ? limit : PAGE_MAX);
}
