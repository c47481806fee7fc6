#include <assert.h>
#include <sys/socket.h>

#include "bus/http_impl.h"

#define BLOCK 1024   /* MHD's own buffer of a stream, used for HTTP/1.0 readers only */
#define SPINS_MAX 64 /* calls of a source that says MORE and gives nothing, before MHD may look around */

struct bus_http_bytes {
	_Atomic int refs;
	_Atomic int64_t *held;
	size_t n;
	char *p;
};

struct bus_http_bytes *bus_http_bytes_new(struct bus_buf *b, _Atomic int64_t *held)
{
	struct bus_http_bytes *bytes = bus_xcalloc(1, sizeof(*bytes));

	atomic_init(&bytes->refs, 1);
	bytes->held = held;
	bytes->p = bus_buf_take(b, &bytes->n);
	if (held)
		atomic_fetch_add(held, (int64_t)bytes->n);
	return bytes;
}

struct bus_http_bytes *bus_http_bytes_ref(struct bus_http_bytes *b)
{
	atomic_fetch_add(&b->refs, 1);
	return b;
}

void bus_http_bytes_unref(struct bus_http_bytes **bp)
{
	struct bus_http_bytes *b = *bp;

	*bp = NULL;
	if (!b || atomic_fetch_sub(&b->refs, 1) > 1)
		return;
	if (b->held)
		atomic_fetch_sub(b->held, (int64_t)b->n);
	free(b->p);
	free(b);
}

size_t bus_http_bytes_len(const struct bus_http_bytes *b)
{
	return b->n;
}

void bus_http_lend(struct bus_http_stream *s, struct bus_http_bytes *b)
{
	assert(!s->lent);
	if (b->n == 0)
		return;
	s->lent = bus_http_bytes_ref(b);
	s->lent_sent = 0;
}

void bus_http_wake_locked(struct bus_http_request *req)
{
	if (!req->suspended)
		return;
	req->suspended = false;
	MHD_resume_connection(req->mhd);
}

/* Nothing to send. True: the connection is suspended now. False: a wake-up came meanwhile, go on; or the
 * stream is *cut: the peer has gone or the server stops. */
static bool park(struct bus_http_stream *s, bool *cut)
{
	struct bus_http_request *req = s->req;

	pthread_mutex_lock(&req->lock);
	/* A reader that closed its half only still gets an answer that never parks (an export). */
	*cut = (req->gone && s->parking) || atomic_load(&req->h->stopping);
	if (s->parking && !s->woken && !*cut) {
		req->suspended = true;
		MHD_suspend_connection(req->mhd);
		pthread_mutex_unlock(&req->lock);
		return true;
	}
	s->parking = false;
	s->woken = false;
	pthread_mutex_unlock(&req->lock);
	return false;
}

/* As much as fits of what waits to be sent: first out, then what was lent. */
static size_t take(struct bus_http_stream *s, char *buf, size_t max)
{
	size_t n = s->out.n - s->sent;

	if (n > 0) {
		n = n < max ? n : max;
		memcpy(buf, s->out.p + s->sent, n);
		s->sent += n;
		return n;
	}
	if (!s->lent)
		return 0;
	n = s->lent->n - s->lent_sent;
	n = n < max ? n : max;
	memcpy(buf, s->lent->p + s->lent_sent, n);
	s->lent_sent += n;
	if (s->lent_sent == s->lent->n)
		bus_http_bytes_unref(&s->lent);
	return n;
}

/* Asks the source; what it gives is put in s->out, compressed if that was agreed. */
static enum bus_http_more ask(struct bus_http_stream *s)
{
	struct http_gzip *gzip = s->req->gzip;
	enum bus_http_more more;
	struct bus_buf plain = { 0 };

	if (!gzip)
		return s->fn(s->state, &s->out);
	more = s->fn(s->state, &plain);
	if (s->lent)
		bus_buf_put(&plain, s->lent->p, s->lent->n);
	bus_http_bytes_unref(&s->lent);
	bus_http_gzip_put(gzip, plain.p, plain.n,
			  more == BUS_HTTP_END	  ? HTTP_GZIP_END
			  : more == BUS_HTTP_PARK ? HTTP_GZIP_NOW
						  : HTTP_GZIP_MORE,
			  &s->out);
	bus_buf_release(&plain);
	return more;
}

static ssize_t read_stream(void *ctx, uint64_t pos, char *buf, size_t max)
{
	struct bus_http_stream *s = ctx;
	bool cut;

	(void)pos;
	for (int i = 0; i < SPINS_MAX; i++) {
		size_t n = take(s, buf, max);

		if (n > 0)
			return (ssize_t)n;
		if (s->ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		/* It may stay long: ten thousand feeds must not each keep a buffer. */
		if (s->parking) {
			bus_buf_release(&s->out);
			s->sent = 0;
		}
		if (park(s, &cut))
			return 0;
		if (cut)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		s->sent = 0;
		bus_buf_reset(&s->out);
		switch (ask(s)) {
		case BUS_HTTP_MORE:
			break;
		case BUS_HTTP_PARK:
			s->parking = true;
			break;
		case BUS_HTTP_END:
			s->ended = true;
			break;
		case BUS_HTTP_ABORT:
			return MHD_CONTENT_READER_END_WITH_ERROR;
		}
	}
	return 0;
}

void bus_http_gather(struct bus_http_request *req)
{
	req->gathering = true;
}

/* So that other connections of the thread have their turn: MHD calls again at once. */
static void let_others(struct bus_http_request *req)
{
	pthread_mutex_lock(&req->lock);
	req->suspended = true;
	MHD_suspend_connection(req->mhd);
	bus_http_wake_locked(req);
	pthread_mutex_unlock(&req->lock);
}

bool bus_http_gather_more(struct bus_http_request *req)
{
	struct bus_http_stream *s = &req->stream;
	enum bus_http_more more;
	bool cut;

	for (int i = 0; i < SPINS_MAX; i++) {
		if (park(s, &cut))
			return true;
		if (cut)
			return false;
		more = s->fn(s->state, &s->out);
		if (s->lent)
			bus_buf_put(&s->out, s->lent->p, s->lent->n);
		bus_http_bytes_unref(&s->lent);
		if (more == BUS_HTTP_ABORT || s->out.n > BUS_HTTP_GATHER_MAX)
			return false;
		if (more == BUS_HTTP_END) {
			bus_http_reply(req, req->status, s->type, &s->out);
			return true;
		}
		s->parking = more == BUS_HTTP_PARK;
	}
	let_others(req);
	return true;
}

struct bus_http_stream *bus_http_stream(struct bus_http_request *req, int status, const char *type,
					bus_http_source_fn fn, void (*free_state)(void *state), void *state)
{
	struct bus_http_stream *s = &req->stream;

	assert(!req->response && !req->deferred);
	s->fn = fn;
	s->free_state = free_state;
	s->state = state;
	s->sent = 0;
	s->parking = false;
	s->ended = false;
	s->type = type;
	if (!req->gathering)
		req->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, s, NULL);
	if (req->response)
		bus_http_add_head(req, req->response, type);
	req->status = status;
	pthread_mutex_lock(&req->lock);
	s->woken = false;
	req->streaming = true;
	req->answered = !req->gathering;
	pthread_mutex_unlock(&req->lock);
	return s;
}

void bus_http_wake(struct bus_http_stream *s)
{
	struct bus_http_request *req = s->req;

	pthread_mutex_lock(&req->lock);
	if (req->mhd) {
		s->woken = true;
		bus_http_wake_locked(req);
	}
	pthread_mutex_unlock(&req->lock);
}

void bus_http_cut(struct bus_http_stream *s)
{
	struct bus_http_request *req = s->req;

	pthread_mutex_lock(&req->lock);
	/* The socket is the connection's as long as its request is not over. */
	if (req->mhd) {
		shutdown(req->conn->fd, SHUT_RDWR);
		req->gone = true;
		bus_http_wake_locked(req);
	}
	pthread_mutex_unlock(&req->lock);
}
