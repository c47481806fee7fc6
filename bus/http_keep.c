/* Answers that are given again, as they were, to others who ask the same. */
#include <assert.h>

#include "bus/http_impl.h"

struct bus_http_answer {
	_Atomic int refs;
	int status;
	const char *type;
	struct bus_buf head; /* name NUL value NUL ... */
	struct bus_buf body;
};

struct bus_http_answer *bus_http_answer_ref(struct bus_http_answer *a)
{
	atomic_fetch_add(&a->refs, 1);
	return a;
}

void bus_http_answer_unref(struct bus_http_answer **ap)
{
	struct bus_http_answer *a = *ap;

	*ap = NULL;
	if (!a || atomic_fetch_sub(&a->refs, 1) > 1)
		return;
	bus_buf_release(&a->head);
	bus_buf_release(&a->body);
	free(a);
}

size_t bus_http_answer_size(const struct bus_http_answer *a)
{
	return sizeof(*a) + a->head.cap + a->body.cap;
}

size_t bus_http_mark(const struct bus_http_request *req)
{
	return req->head.n;
}

static void let_go(void *answer)
{
	struct bus_http_answer *a = answer;

	bus_http_answer_unref(&a);
}

/* Its headers are in req's head already. */
static void give(struct bus_http_request *req, struct bus_http_answer *a)
{
	static char nothing[1];

	assert(!req->response && !req->deferred);
	req->response = MHD_create_response_from_buffer_with_free_callback_cls(
	    a->body.n, a->body.p ? a->body.p : nothing, let_go, bus_http_answer_ref(a));
	if (req->response)
		bus_http_add_head(req, req->response, a->type);
	else
		let_go(a);
	req->content = (struct bus_str){ a->body.p ? a->body.p : nothing, a->body.n };
	req->whole = true;
	req->status = a->status;
	pthread_mutex_lock(&req->lock);
	req->answered = true;
	pthread_mutex_unlock(&req->lock);
}

struct bus_http_answer *bus_http_reply_kept(struct bus_http_request *req, size_t mark, int status,
					    const char *type, struct bus_buf *body)
{
	struct bus_http_answer *a = bus_xcalloc(1, sizeof(*a));

	atomic_init(&a->refs, 1);
	a->status = status;
	a->type = type;
	if (body->n > 0)
		bus_http_gzip_body(req, type, body);
	a->body = *body;
	*body = (struct bus_buf){ 0 };
	bus_buf_put(&a->head, req->head.p + mark, req->head.n - mark);
	give(req, a);
	return a;
}

void bus_http_reply_again(struct bus_http_request *req, struct bus_http_answer *a)
{
	bus_buf_put(&req->head, a->head.p, a->head.n);
	req->has_cache_control = true; /* what is kept says so itself */
	give(req, a);
}
