#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/http_impl.h"
#include "bus/json_out.h"

#define PROBLEM_JSON "application/problem+json"

const char *bus_http_reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reason[] = {
		{ 400, "Bad request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not found" },
		{ 405, "Method not allowed" },
		{ 413, "Content too large" },
		{ 414, "URI too long" },
		{ 415, "Unsupported media type" },
		{ 429, "Too many requests" },
		{ 500, "Internal error" },
		{ 501, "Not implemented" },
		{ 503, "Service unavailable" },
		{ 505, "HTTP version not supported" },
	};

	for (size_t i = 0; i < BUS_LEN(reason); i++)
		if (reason[i].status == status)
			return reason[i].text;
	return "Error";
}

void bus_http_count(struct bus_http_request *req, int status)
{
	struct http_resource *r = req->match.resource ? req->match.resource : &req->h->table.other;
	int i = status - HTTP_STATUS_FIRST;
	struct bus_metric *m;
	char labels[256];

	assert(i >= 0 && i < HTTP_STATUS_COUNT);
	m = atomic_load_explicit(&r->series[i], memory_order_acquire);
	if (!m) {
		snprintf(labels, sizeof(labels), "program=\"%s\",route=\"%s\",status=\"%d\"", req->h->program,
			 r->pattern, status);
		m = bus_metric("titian_http_requests_total", "counter", "Requests answered.", labels);
		atomic_store_explicit(&r->series[i], m, memory_order_release);
	}
	bus_metric_add(m, 1);
}

void bus_http_set(struct bus_http_request *req, const char *name, const char *value)
{
	assert(!strpbrk(value, "\r\n"));
	if (strcasecmp(name, "Cache-Control") == 0)
		req->has_cache_control = true;
	bus_buf_put(&req->head, name, strlen(name) + 1);
	bus_buf_put(&req->head, value, strlen(value) + 1);
}

const char *bus_http_given(const struct bus_http_request *req, const char *name)
{
	return MHD_get_response_header(req->response, name);
}

void bus_http_add(struct bus_http_request *req, const char *name, const char *value)
{
	assert(!strpbrk(value, "\r\n"));
	MHD_add_response_header(req->response, name, value);
}

bool bus_http_file_bytes(const struct bus_http_request *req, size_t max, struct bus_buf *out)
{
	size_t left = req->file >= 0 && req->file_n <= (int64_t)max ? (size_t)req->file_n : 0;
	int64_t at = req->file_at;
	ssize_t n;

	bus_buf_reserve(out, left);
	for (n = 1; left > 0 && n != 0; left -= n > 0 ? (size_t)n : 0, at += n > 0 ? n : 0) {
		n = pread(req->file, out->p + out->n, left, at);
		if (n < 0 && errno != EINTR)
			return false;
		out->n += n > 0 ? (size_t)n : 0;
	}
	return req->file >= 0 && left == 0 && at > req->file_at;
}

void bus_http_add_head(struct bus_http_request *req, struct MHD_Response *r, const char *type)
{
	const char *p = req->head.p;
	const char *end = p + req->head.n;

	if (type)
		MHD_add_response_header(r, "Content-Type", type);
	bus_http_cors(req, r);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (!req->has_cache_control)
		MHD_add_response_header(r, "Cache-Control", "no-store");
	MHD_add_response_header(r, "X-Request-Id", req->id);
	while (p < end) {
		const char *value = p + strlen(p) + 1;

		MHD_add_response_header(r, p, value);
		p = value + strlen(value) + 1;
	}
	if (req->last || atomic_load_explicit(&req->h->stopping, memory_order_relaxed))
		MHD_add_response_header(r, "Connection", "close");
}

static struct MHD_Response *whole(struct bus_http_request *req, struct bus_buf *body, const char *type)
{
	struct MHD_Response *r;

	if (body && body->n > 0) {
		bus_http_gzip_body(req, type, body);
		r = MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_FREE);
		req->content = bus_buf_str(body);
		if (r)
			*body = (struct bus_buf){ 0 };
		else
			bus_buf_release(body);
	} else {
		static char nothing[1];

		req->content = (struct bus_str){ nothing, 0 };
		r = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
		if (body)
			bus_buf_release(body);
	}
	req->whole = true;
	if (r)
		bus_http_add_head(req, r, type);
	return r;
}

void bus_http_reply(struct bus_http_request *req, int status, const char *type, struct bus_buf *body)
{
	assert(!req->response);
	assert(status >= 200 && status < HTTP_STATUS_FIRST + HTTP_STATUS_COUNT);
	req->response = whole(req, body, type);
	req->status = status;
	/* A deferred answer is handed over by bus_http_ticket_done(). */
	if (!req->deferred) {
		pthread_mutex_lock(&req->lock);
		req->answered = true;
		pthread_mutex_unlock(&req->lock);
	}
}

void bus_http_file(struct bus_http_request *req, int status, const char *type, int fd, int64_t from, int64_t n)
{
	struct MHD_Response *r;

	if (n == 0) {
		close(fd);
		bus_http_reply(req, status, type, NULL);
		return;
	}
	assert(!req->response && !req->deferred);
	r = MHD_create_response_from_fd_at_offset64((uint64_t)n, fd, (uint64_t)from);
	if (r)
		bus_http_add_head(req, r, type);
	else
		close(fd);
	req->response = r;
	req->file = r ? fd : -1;
	req->file_at = from;
	req->file_n = n;
	req->status = status;
	pthread_mutex_lock(&req->lock);
	req->answered = true;
	pthread_mutex_unlock(&req->lock);
}

static void put_problem(struct bus_buf *b, const struct bus_http_request *req, int status, const char *type,
			const char *code, const char *title, const char *detail, const char *hint)
{
	struct bus_json_out j = { .buf = b };
	char url[128];

	snprintf(url, sizeof(url), "/problems/%s", type);
	bus_json_object(&j);
	bus_json_text_member(&j, "type", url);
	bus_json_text_member(&j, "title", title);
	bus_json_key(&j, "status");
	bus_json_put_int(&j, status);
	bus_json_some_text_member(&j, "detail", detail);
	bus_json_text_member(&j, "code", code);
	bus_json_text_member(&j, "message", title);
	bus_json_text_member(&j, "details", detail);
	bus_json_text_member(&j, "hint", hint);
	bus_json_text_member(&j, "instance", req->id);
	bus_json_object_end(&j);
}

void bus_http_problem(struct bus_http_request *req, int status, const char *type, const char *code,
		      const char *title, const char *detail, const char *hint)
{
	struct bus_buf b = { 0 };

	put_problem(&b, req, status, type, code ? code : type, title, detail, hint);
	bus_http_reply(req, status, PROBLEM_JSON, &b);
}

static const char *put_refusal(struct bus_buf *b, const struct bus_http_request *req, int status,
			       const char *detail)
{
	char code[32];

	if (req->h->write_error && (!req->h->own_shape || (req->uri.p && req->h->own_shape(req)))) {
		req->h->write_error(b, status, bus_http_reason(status), detail);
		return req->h->problem_type ? req->h->problem_type : PROBLEM_JSON;
	}
	snprintf(code, sizeof(code), "http-%d", status);
	put_problem(b, req, status, code, code, bus_http_reason(status), detail, NULL);
	return PROBLEM_JSON;
}

void bus_http_refuse(struct bus_http_request *req, int status, const char *detail)
{
	struct bus_buf b = { 0 };
	const char *type = put_refusal(&b, req, status, detail);

	if (status == 429 || status == 503)
		bus_http_set(req, "Retry-After", "1");
	bus_http_reply(req, status, type, &b);
}

/* For a request whose ticket may be writing its answer at this moment: nothing of the request is changed. */
struct MHD_Response *bus_http_unavailable(struct bus_http_request *req)
{
	struct bus_buf b = { 0 };
	const char *type = put_refusal(&b, req, 503, "the server is stopping");
	struct MHD_Response *r = MHD_create_response_from_buffer(b.n, b.p, MHD_RESPMEM_MUST_FREE);

	if (!r) {
		bus_buf_release(&b);
		return NULL;
	}
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "X-Request-Id", req->id);
	MHD_add_response_header(r, "Connection", "close");
	return r;
}

static enum MHD_Result put_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	bus_buf_printf(ctx, "%s: %s\r\n", name, value);
	return MHD_YES;
}

void bus_http_say_now(struct bus_http_request *req, int status, const char *detail)
{
	struct bus_buf b = { 0 };

	if (!req->response) {
		bus_http_set(req, "Connection", "close");
		bus_http_refuse(req, status, detail);
	}
	bus_buf_printf(&b, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n", status, bus_http_reason(status), req->content.n);
	MHD_get_response_headers(req->response, put_header, &b);
	bus_buf_puts(&b, "\r\n");
	bus_buf_put(&b, req->content.p, req->content.n);
	if (req->h->tls)
		bus_http_tls_say(req->mhd, b.p, b.n);
	else
		(void)send(req->conn->fd, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(req->conn->fd, SHUT_WR);
	bus_http_count(req, status);
	bus_buf_release(&b);
}

struct bus_http_ticket *bus_http_defer(struct bus_http_request *req)
{
	assert(!req->response && !req->deferred);
	req->deferred = true;
	return &req->ticket;
}

struct bus_http_request *bus_http_ticket_request(struct bus_http_ticket *t)
{
	return t->req;
}

/* The ticket comes back, with an answer or without. */
static void give_back(struct bus_http_request *req, bool again)
{
	struct bus_http *h = req->h;
	bool orphan;

	pthread_mutex_lock(&req->lock);
	orphan = req->orphan;
	if (again && !req->abandoned)
		req->again = true;
	else
		req->answered = true;
	if (!req->abandoned)
		bus_http_wake_locked(req);
	pthread_mutex_unlock(&req->lock);
	if (!orphan)
		return;
	bus_http_request_free(&req);
	bus_http_release(h);
}

void bus_http_ticket_done(struct bus_http_ticket *t)
{
	give_back(t->req, false);
}

void bus_http_ticket_again(struct bus_http_ticket *t)
{
	give_back(t->req, true);
}
