#include "bus/http_impl.h"

#include <arpa/inet.h>
#include <assert.h>

#define ARENA_CAP ((size_t)4 * 1024 * 1024)

struct bus_http_request *bus_http_request_new(struct bus_http *h, struct http_conn *c)
{
	struct bus_http_request *req = bus_xcalloc(1, sizeof(*req));

	req->h = h;
	req->conn = c;
	req->file = -1;
	req->stream.req = req;
	req->ticket.req = req;
	pthread_mutex_init(&req->lock, NULL);
	return req;
}

void bus_http_request_free(struct bus_http_request **reqp)
{
	struct bus_http_request *req = *reqp;

	if (!req)
		return;
	if (req->response)
		MHD_destroy_response(req->response);
	bus_http_attach(req, NULL, NULL);
	bus_arena_free(&req->arena);
	bus_buf_release(&req->uri);
	bus_buf_release(&req->text);
	bus_buf_release(&req->pairs);
	bus_http_request_drop_body(req);
	bus_buf_release(&req->head);
	bus_buf_release(&req->stream.out);
	bus_buf_release(&req->scratch);
	bus_http_bytes_unref(&req->stream.lent);
	bus_http_gzip_free(&req->gzip);
	pthread_mutex_destroy(&req->lock);
	free(req);
	*reqp = NULL;
}

void bus_http_attach(struct bus_http_request *req, void *p, void (*release)(void *p))
{
	if (req->attached)
		req->release(req->attached);
	req->attached = p;
	req->release = release;
}

bool bus_http_sent(const struct bus_http_request *req)
{
	return req->sent;
}

void *bus_http_attached(const struct bus_http_request *req)
{
	return req->attached;
}

void bus_http_request_drop_body(struct bus_http_request *req)
{
	bus_http_body_unhold(req);
	bus_buf_release(&req->body);
}

static void empty(struct bus_buf *b)
{
	if (b->cap > HTTP_KEEP)
		bus_buf_release(b);
	else
		bus_buf_reset(b);
}

void bus_http_slim(struct bus_http_request *req)
{
	bus_buf_release(&req->text);
	bus_buf_release(&req->pairs);
	req->n_pairs = 0;
	if (!req->gathering) /* its headers are still to be sent */
		bus_buf_release(&req->head);
	bus_http_request_drop_body(req);
	bus_arena_free(&req->arena);
}

void bus_http_request_reset(struct bus_http_request *req)
{
	req->phase = HTTP_IDLE;
	bus_http_attach(req, NULL, NULL);
	req->sent = false;
	req->asked = false;
	req->who[0] = '\0';
	req->whole = false;
	req->gathering = false;
	req->file = -1;
	empty(&req->uri);
	empty(&req->text);
	empty(&req->pairs);
	bus_http_body_unhold(req);
	req->pays = false;
	empty(&req->body);
	empty(&req->head);
	empty(&req->stream.out);
	empty(&req->scratch);
	bus_http_bytes_unref(&req->stream.lent);
	bus_http_gzip_free(&req->gzip);
	req->n_pairs = 0;
	req->has_cache_control = false;
	req->refusal = 0;
	req->drained = 0;
	req->said = false;
	req->id[0] = '\0';
	if (req->arena && bus_arena_used(req->arena) > HTTP_KEEP)
		bus_arena_free(&req->arena);
	else if (req->arena)
		bus_arena_reset(req->arena);
	req->response = NULL;
	req->status = 0;
	pthread_mutex_lock(&req->lock);
	req->answered = false;
	req->abandoned = false;
	req->deferred = false;
	req->again = false;
	req->streaming = false;
	req->suspended = false;
	pthread_mutex_unlock(&req->lock);
}

/* MHD takes the query apart once we have seen it, and where its pool is too small for the pieces (some hundred) it never
 * answers. We read the query ourselves, so none is left for it: the text is its own, and not constant. */
static void hide_query(const char *uri)
{
	char *query = strchr((char *)(uintptr_t)uri, '?');

	if (query && query[1])
		query[1] = '\0';
}

void bus_http_request_begin(struct bus_http_request *req, struct MHD_Connection *c, const char *uri)
{
	size_t n = uri ? strlen(uri) : 0;

	req->phase = HTTP_LINE;
	req->last = false;
	req->mhd_uri = uri;
	req->uri_sent = n;
	bus_buf_put(&req->uri, uri, n > HTTP_URI_MAX ? HTTP_URI_MAX : n);
	bus_buf_cstr(&req->uri);
	if (uri)
		hide_query(uri);
	req->match.resource = NULL;
	req->path_at = 0;
	req->path_len = 0;
	req->raw_query = "";
	pthread_mutex_lock(&req->lock);
	req->mhd = c;
	pthread_mutex_unlock(&req->lock);
}

static void find_path(struct bus_http_request *req)
{
	char *uri = req->uri.p;
	size_t at = 0;
	char *query;

	/* absolute form (RFC 9112, 3.2.2): "http://host/path" */
	if (strncasecmp(uri, "http://", 7) == 0) {
		at = 7 + strcspn(uri + 7, "/?");
		if (uri[at] != '/')
			at = 0;
	}
	query = strchr(uri + at, '?');
	req->path_at = at;
	if (query) {
		*query = '\0';
		req->raw_query = query + 1;
	}
	req->path_len = strlen(uri + at);
}

static bool decode_parts(struct bus_http_request *req, char *out)
{
	size_t named = 0;

	for (size_t i = 0; i < req->match.resource->n_parts; i++) {
		size_t n;

		if (!req->match.resource->part[i].named)
			continue;
		if (!bus_http_decode(req->match.part[named], false, out, &n))
			return false;
		req->part[named++] = out;
		out += n + 1;
	}
	return true;
}

/* MHD's copy goes with the connection; a deferred request may outlive it. No other methods have a route. */
static const char *lasting(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

	for (size_t i = 0; i < BUS_LEN(known); i++)
		if (strcmp(known[i], method) == 0)
			return known[i];
	return method;
}

int bus_http_request_parse(struct bus_http_request *req, const char *method, const char **why)
{
	struct bus_str path, query;

	find_path(req);
	req->method = lasting(method);
	path = (struct bus_str){ req->uri.p + req->path_at, req->path_len };
	query = bus_str(req->raw_query);
	*why = "the path or the query holds a broken %-escape, %00, no UTF-8 or too many parameters";
	if (path.p[0] != '/' && strcmp(path.p, "*") != 0)
		return 400;
	bus_http_table_match(&req->h->table, method, path, &req->match);
	/* One reservation for all: the pointers into text must stay good. */
	bus_buf_reserve(&req->text, path.n + 2 * query.n + 4);
	if (query.n > 0) {
		size_t most = query.n / 2 + 1;

		if (most > HTTP_QUERY_MAX)
			most = HTTP_QUERY_MAX;
		bus_buf_reserve(&req->pairs, most * sizeof(struct http_pair));
		if (!bus_http_query_parse(query, req->text.p + path.n + 1,
					  (struct http_pair *)(void *)req->pairs.p, &req->n_pairs))
			return 400;
	}
	if (req->match.resource && !decode_parts(req, req->text.p))
		return 400;
	return 0;
}

const char *bus_http_method(const struct bus_http_request *req)
{
	return req->method;
}

const char *bus_http_part(const struct bus_http_request *req, const char *name)
{
	size_t len = strlen(name);
	size_t named = 0;

	for (size_t i = 0; i < req->match.resource->n_parts; i++) {
		const struct http_part *p = &req->match.resource->part[i];

		if (!p->named)
			continue;
		if (p->n == len && memcmp(p->text, name, len) == 0)
			return req->part[named];
		named++;
	}
	return "";
}

const char *bus_http_header(const struct bus_http_request *req, const char *name)
{
	return req->mhd ? MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, name) : NULL;
}

struct each_header {
	bool (*fn)(void *ctx, const char *name, const char *value);
	void *ctx;
};

static enum MHD_Result one_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	const struct each_header *e = ctx;

	(void)kind;
	return e->fn(e->ctx, name, value ? value : "") ? MHD_YES : MHD_NO;
}

void bus_http_each_header(const struct bus_http_request *req,
			  bool (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
	struct each_header e = { fn, ctx };

	MHD_get_connection_values(req->mhd, MHD_HEADER_KIND, one_header, &e);
}

void bus_http_set_who(struct bus_http_request *req, const char *who)
{
	size_t n = strlen(who);

	assert(n < sizeof(req->who));
	memcpy(req->who, who, n + 1);
}

const char *bus_http_who(const struct bus_http_request *req)
{
	return req->who;
}

void bus_http_set_type(struct bus_http_request *req, const char *type)
{
	req->type = type;
}

const char *bus_http_type(const struct bus_http_request *req)
{
	return req->type;
}

static const struct http_pair *pairs(const struct bus_http_request *req)
{
	return (const struct http_pair *)(const void *)req->pairs.p;
}

const char *bus_http_query(const struct bus_http_request *req, const char *name)
{
	for (size_t i = 0; i < req->n_pairs; i++)
		if (strcmp(pairs(req)[i].name, name) == 0)
			return pairs(req)[i].value;
	return NULL;
}

void bus_http_each_query(const struct bus_http_request *req,
			 bool (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
	for (size_t i = 0; i < req->n_pairs; i++)
		if (!fn(ctx, pairs(req)[i].name, pairs(req)[i].value))
			return;
}

struct bus_str bus_http_body(const struct bus_http_request *req)
{
	return (struct bus_str){ req->body.p ? req->body.p : "", req->body.n };
}

struct bus_buf *bus_http_scratch(struct bus_http_request *req)
{
	bus_buf_reset(&req->scratch);
	return &req->scratch;
}

struct bus_arena *bus_http_arena(struct bus_http_request *req)
{
	if (!req->arena)
		req->arena = bus_arena_new(ARENA_CAP);
	return req->arena;
}

static bool good_id(const char *id)
{
	size_t n = id ? strlen(id) : 0;

	if (n == 0 || n > HTTP_ID_MAX)
		return false;
	return strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

/* The trace-id of a W3C traceparent, "00-<32 hex>-<16 hex>-<2 hex>"; all zero is none. */
static bool trace_id(const char *sent, char *out)
{
	static const char hex[] = "0123456789abcdef";

	if (!sent || strlen(sent) < 55 || strspn(sent, hex) != 2 || sent[2] != '-' || strspn(sent + 3, hex) != 32 ||
	    sent[35] != '-' || strspn(sent + 3, "0") == 32 || strncmp(sent, "ff", 2) == 0)
		return false;
	memcpy(out, sent + 3, 32);
	out[32] = '\0';
	return true;
}

void bus_http_request_name(struct bus_http_request *req)
{
	const char *sent = bus_http_header(req, "X-Request-Id");
	uint64_t n;

	if (good_id(sent)) {
		memcpy(req->id, sent, strlen(sent) + 1);
		return;
	}
	if (trace_id(bus_http_header(req, "traceparent"), req->id))
		return;
	/* splitmix64: every number once, in an order that tells nothing */
	n = atomic_fetch_add_explicit(&req->h->next_id, UINT64_C(0x9e3779b97f4a7c15), memory_order_relaxed);
	n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
	n ^= n >> 31;
	for (int i = 0; i < 16; i++)
		req->id[i] = "0123456789abcdef"[(n >> (60 - 4 * i)) & 15];
	req->id[16] = '\0';
}

const char *bus_http_id(const struct bus_http_request *req)
{
	return req->id;
}

const char *bus_http_raw_query(const struct bus_http_request *req)
{
	return req->raw_query;
}

const char *bus_http_path(const struct bus_http_request *req)
{
	return req->uri.p + req->path_at;
}

const char *bus_http_pattern(const struct bus_http_request *req)
{
	return req->match.resource ? req->match.resource->pattern : "";
}

void bus_http_peer(const struct bus_http_request *req, char out[BUS_HTTP_PEER_LEN])
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr_in *in = info ? (const void *)info->client_addr : NULL;

	if (!in || in->sin_family != AF_INET || !inet_ntop(AF_INET, &in->sin_addr, out, BUS_HTTP_PEER_LEN))
		out[0] = '\0';
}

const struct bus_http_certificate *bus_http_certificate(const struct bus_http_request *req)
{
	if (!req->h->tls)
		return NULL;
	if (!req->conn->peer)
		req->conn->peer = bus_http_tls_peer(req->mhd);
	return bus_http_peer_certificate(req->conn->peer);
}
