#include <assert.h>

#include "bus/http_impl.h"

#define BLOCK 1024   /* MHD's own buffer of a stream, used for HTTP/1.0 readers only */
#define SPINS_MAX 64 /* calls of a source that says MORE and gives nothing, before MHD may look around */

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

static ssize_t read_stream(void *ctx, uint64_t pos, char *buf, size_t max)
{
	struct bus_http_stream *s = ctx;
	bool cut;

	(void)pos;
	for (int i = 0; i < SPINS_MAX; i++) {
		if (s->sent < s->out.n) {
			size_t n = s->out.n - s->sent;

			if (n > max)
				n = max;
			memcpy(buf, s->out.p + s->sent, n);
			s->sent += n;
			return (ssize_t)n;
		}
		if (s->ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (park(s, &cut))
			return 0;
		if (cut)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		s->sent = 0;
		bus_buf_reset(&s->out);
		switch (s->fn(s->state, &s->out)) {
		case BUS_HTTP_MORE:
			break;
		case BUS_HTTP_PARK:
			s->parking = true;
			/* It may stay long: ten thousand feeds must not each keep a buffer. */
			if (s->out.n == 0)
				bus_buf_release(&s->out);
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
	req->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, s, NULL);
	if (req->response)
		bus_http_add_head(req, req->response, type);
	req->status = status;
	pthread_mutex_lock(&req->lock);
	s->woken = false;
	req->streaming = true;
	req->answered = true;
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
