/* What a request brings along: how much of it is read, how much is kept, and on whose account.
 *
 * A body that is refused is read on for a while all the same, and not kept: a peer that finds its connection closed while it
 * sends mostly never sees why. What a peer has sent that hung up in the middle of it counts until the body's deadline. */
#include <assert.h>
#include <stdio.h>

#include "bus/http_impl.h"

const char *bus_http_body_why(int status)
{
	switch (status) {
	case 413:
		return "the body is over the limit";
	case 415:
		return "Content-Type or Content-Encoding of the body";
	case 429:
		return "too much of yours is being sent at once; try again";
	default:
		return "too much is being sent at once; try again";
	}
}

static int64_t body_max(const struct bus_http_request *req)
{
	const struct http_resource *r = req->match.resource;

	return r && r->body_max ? r->body_max : req->h->body_max;
}

/* Whose bytes they will be; a stranger may have been answered. */
static void ask(struct bus_http_request *req)
{
	struct bus_http *h = req->h;

	req->payer[0] = '\0';
	req->pays = true;
	if (!req->match.method || h->knows(h->ctx, req, req->payer))
		return;
	assert(req->response && !req->deferred);
	bus_http_add(req, "Connection", "close");
	req->refusal = req->status;
}

bool bus_http_body_begin(struct bus_http_request *req, int64_t length)
{
	if (length > body_max(req))
		req->refusal = 413;
	else if (length != 0 && req->match.method && bus_http_odd_body(req))
		req->refusal = 415;
	else if (req->h->knows && (length < 0 || length > req->h->unasked))
		ask(req);
	return !req->refusal || (length <= HTTP_DRAIN_MAX && !bus_http_header(req, "Expect"));
}

/* n bytes more: 0, or what speaks against it. */
static int hold(struct bus_http_request *req, int64_t n)
{
	struct bus_http *h = req->h;
	int64_t his = 0;

	req->held += n;
	if (req->pays) {
		pthread_mutex_lock(&h->payers_lock);
		his = bus_shares_add(h->payers, bus_str(req->payer), n);
		pthread_mutex_unlock(&h->payers_lock);
	}
	if (atomic_fetch_add(&h->bodies, n) + n > h->bodies_max)
		return 503;
	/* one request always has room in his part */
	return his > req->held && his > h->bodies_max / BUS_SHARE_OF ? 429 : 0;
}

void bus_http_body_unhold(struct bus_http_request *req)
{
	struct bus_http *h = req->h;

	if (req->held == 0)
		return;
	atomic_fetch_sub(&h->bodies, req->held);
	if (req->pays) {
		pthread_mutex_lock(&h->payers_lock);
		(void)bus_shares_add(h->payers, bus_str(req->payer), -req->held);
		pthread_mutex_unlock(&h->payers_lock);
	}
	req->held = 0;
}

bool bus_http_body_take(struct bus_http_request *req, const char *p, size_t n)
{
	if (!req->refusal)
		req->refusal = (int64_t)(req->body.n + n) > body_max(req) ? 413 : hold(req, (int64_t)n);
	if (req->refusal && req->held > 0) {
		req->drained = (int64_t)req->body.n;
		bus_http_request_drop_body(req);
	}
	if (req->refusal) {
		req->drained += (int64_t)n;
		if (req->drained > HTTP_DRAIN_MAX && !req->said) {
			bus_http_say_now(req, req->refusal, bus_http_body_why(req->refusal));
			req->said = true;
		}
		return req->drained <= 2 * HTTP_DRAIN_MAX;
	}
	bus_buf_put(&req->body, p, n);
	return true;
}
