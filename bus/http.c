#include "bus/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/http_impl.h"
#include "bus/log.h"

#define CONNECTIONS 10000
#define BODY_MAX (INT64_C(1024) * 1024)
#define BODIES_MAX (INT64_C(256) * 1024 * 1024)
#define UNASKED_MAX (INT64_C(64) * 1024)
#define HEADER_MS 10000
#define BODY_MS 30000
#define IDLE_MS 30000
#define THREADS_MAX 4
#define ALL_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

static void set_deadline(struct http_conn *c, int64_t ms)
{
	atomic_store_explicit(&c->deadline_ms, ms ? bus_clock_mono_ms() + ms : 0, memory_order_relaxed);
}

/* --- one request, on its connection's thread ------------------------------------------------------- */

/* The request line has come. What this returns is what MHD gives to on_request and on_completed. */
static void *on_line(void *ctx, const char *uri, struct MHD_Connection *c)
{
	struct bus_http *h = ctx;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_conn *conn = info->socket_context;
	int64_t by = bus_clock_mono_ms() + h->header_ms;

	assert(conn->req->phase == HTTP_IDLE);
	atomic_fetch_add(&h->open, 1);
	if (atomic_load_explicit(&conn->deadline_ms, memory_order_relaxed) > by)
		atomic_store_explicit(&conn->deadline_ms, by, memory_order_relaxed);
	bus_http_request_begin(conn->req, c, uri);
	return conn->req;
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **request,
			 enum MHD_RequestTerminationCode code)
{
	struct bus_http *h = ctx;
	struct bus_http_request *req = *request;
	struct http_conn *conn;
	bool orphan;

	(void)c;
	*request = NULL;
	if (!req)
		return;
	conn = req->conn;
	pthread_mutex_lock(&req->lock);
	req->mhd = NULL;
	req->sent = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
	/* Its ticket is out: stop has answered it, or MHD found, once stop had resumed it, that the peer is
	 * gone. */
	orphan = req->deferred && !req->answered && !req->again;
	req->abandoned = req->abandoned || orphan;
	pthread_mutex_unlock(&req->lock);
	if (req->streaming)
		req->stream.free_state(req->stream.state);
	if (orphan) {
		/* list_lock before the request's: the watchdog finds the request through the connection */
		pthread_mutex_lock(&h->list_lock);
		pthread_mutex_lock(&req->lock);
		orphan = !req->answered;
		if (orphan) {
			req->orphan = true;
			conn->req = NULL;
			atomic_fetch_add(&h->refs, 1);
		}
		pthread_mutex_unlock(&req->lock);
		pthread_mutex_unlock(&h->list_lock);
	}
	if (!orphan) {
		if (req->response)
			MHD_destroy_response(req->response);
		bus_http_request_reset(req);
	} else {
		struct bus_http_request *fresh = bus_http_request_new(h, conn);

		pthread_mutex_lock(&h->list_lock);
		conn->req = fresh;
		pthread_mutex_unlock(&h->list_lock);
	}
	set_deadline(conn, h->idle_ms);
	atomic_fetch_sub(&h->open, 1);
}

static enum MHD_Result queue(struct bus_http_request *req, int status, struct MHD_Response *r)
{
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	bus_http_count(req, status);
	if (req->asked && req->h->answered)
		req->h->answered(req->h->ctx, req, status);
	bus_log(BUS_LOG_DEBUG, "http.answered",
		LOG_STR("route", req->match.resource ? req->match.resource->pattern : "none"),
		LOG_INT("status", status), LOG_STR("request", req->id));
	rc = MHD_queue_response(req->mhd, (unsigned)status, r);
	MHD_destroy_response(r);
	return rc;
}

static void run(struct bus_http_request *req);

/* Hands the answer to MHD; or suspends the connection until there is one. */
static enum MHD_Result settle(struct bus_http_request *req)
{
	struct MHD_Response *r = NULL;
	bool abandoned = false;

	pthread_mutex_lock(&req->lock);
	while (!req->answered && req->again) {
		req->again = false;
		req->deferred = false;
		pthread_mutex_unlock(&req->lock);
		run(req);
		pthread_mutex_lock(&req->lock);
	}
	if (!req->answered && req->gathering) {
		pthread_mutex_unlock(&req->lock);
		if (!bus_http_gather_more(req))
			return MHD_NO;
		if (!req->answered)
			return MHD_YES; /* suspended */
		pthread_mutex_lock(&req->lock);
	}
	if (!req->answered) {
		assert(req->deferred);
		if (!atomic_load(&req->h->abandoning)) {
			req->suspended = true;
			MHD_suspend_connection(req->mhd);
			pthread_mutex_unlock(&req->lock);
			return MHD_YES;
		}
		req->abandoned = true;
		abandoned = true;
	} else {
		r = req->response;
	}
	pthread_mutex_unlock(&req->lock);
	if (abandoned)
		return queue(req, 503, bus_http_unavailable(req));
	if (r && req->h->finish)
		req->h->finish(req->h->ctx, req, req->status,
			       req->whole && strcmp(req->method, "HEAD") != 0 ? &req->content : NULL);
	req->response = NULL;
	return queue(req, req->status, r);
}

static enum MHD_Result refuse(struct bus_http_request *req, int status, const char *why)
{
	bus_http_set(req, "Connection", "close");
	bus_http_refuse(req, status, why);
	return settle(req);
}

/* The headers are in; the body is not. An answer given here makes MHD close the connection. */
static enum MHD_Result begin(struct bus_http_request *req, const char *method, const char *version)
{
	struct bus_http *h = req->h;
	const char *why = NULL;
	int64_t length;
	int status;

	req->method = method;
	bus_http_request_name(req);
	status = bus_http_guard(req, version, &length, &why);
	if (!status)
		status = bus_http_request_parse(req, method, &why);
	if (status)
		return refuse(req, status, why);
	/* MHD 0.9.75 takes a bare LF for the end of a chunk, at any strictness. Whoever before us does not sees another end
	 * of this body: what follows it is not read. */
	req->last = length < 0;
	if (!bus_http_body_begin(req, length))
		return req->response ? settle(req) : refuse(req, req->refusal, bus_http_body_why(req->refusal));
	req->phase = HTTP_BODY;
	set_deadline(req->conn, length != 0 ? h->body_ms : 0);
	return MHD_YES;
}

static void allow(struct bus_http_request *req, const char *methods)
{
	bus_http_set(req, "Allow", methods);
	bus_http_preflight(req, methods);
	bus_http_reply(req, 204, NULL, NULL);
}

static void handle(struct bus_http_request *req)
{
	struct bus_http *h = req->h;

	req->asked = h->admit != NULL;
	if (!h->admit || h->admit(h->ctx, req))
		req->match.method->handler(h->ctx, req);
}

static void no_route(struct bus_http_request *req, int status, const char *why)
{
	if (req->h->refuse)
		req->h->refuse(req->h->ctx, req, status);
	else
		bus_http_refuse(req, status, why);
}

static void run(struct bus_http_request *req)
{
	struct http_match *m = &req->match;

	if (req->response) {
		return; /* refused before its body came */
	} else if (req->refusal) {
		bus_http_set(req, "Connection", "close");
		bus_http_refuse(req, req->refusal, bus_http_body_why(req->refusal));
	} else if (m->method) {
		handle(req);
	} else if (strcmp(req->method, "OPTIONS") == 0 && strcmp(bus_http_path(req), "*") == 0) {
		allow(req, ALL_METHODS);
	} else if (!m->resource) {
		no_route(req, 404, "there is nothing at this path");
	} else if (strcmp(req->method, "OPTIONS") == 0) {
		allow(req, m->resource->allow);
	} else {
		bus_http_set(req, "Allow", m->resource->allow);
		no_route(req, 405, "this path does not take this method");
	}
	if (!req->deferred && !req->response && !req->streaming) {
		bus_log(BUS_LOG_ERROR, "http.no_answer", LOG_STR("route", m->resource->pattern));
		bus_http_refuse(req, 500, NULL);
	}
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *n, void **request)
{
	struct bus_http_request *req = *request;
	size_t given = *n;

	(void)ctx;
	(void)c;
	(void)url;
	switch (req->phase) {
	case HTTP_LINE:
		return begin(req, method, version);
	case HTTP_BODY:
		*n = 0;
		if (given > 0)
			return bus_http_body_take(req, data, given) ? MHD_YES : MHD_NO;
		if (req->said)
			return MHD_NO;
		req->phase = HTTP_RUNNING;
		set_deadline(req->conn, 0);
		run(req);
		return settle(req);
	case HTTP_RUNNING: /* resumed: the ticket has been answered, or the server stops */
		return settle(req);
	case HTTP_IDLE:
		break;
	}
	assert(!"a request without a request line");
	return MHD_NO;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **socket,
			  enum MHD_ConnectionNotificationCode code)
{
	struct bus_http *h = ctx;
	struct http_conn *conn;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		conn = bus_http_conn_open(
		    h, MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
		if (h->tls)
			conn->credentials = bus_http_tls_enter(h->tls, c);
		*socket = conn;
		return;
	}
	conn = *socket;
	*socket = NULL;
	/* MHD has let go of the session before it tells us. */
	if (h->tls)
		bus_http_tls_leave(h->tls, &conn->credentials);
	bus_http_conn_close(conn);
}

/* The path reaches us as it was sent: routes are matched before decoding. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *c, char *s)
{
	(void)ctx;
	(void)c;
	return strlen(s);
}

/* --- start and stop --------------------------------------------------------------------------------- */

static enum bus_err open_socket(const char *address, int port, int *out, int *bound, struct bus_error *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t len = sizeof(a);
	int on = 1;
	int fd;

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		return bus_fail(err, BUS_EINVAL, "'%s' is not an IPv4 address", address);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return bus_fail(err, BUS_EIO, "cannot make a socket: %m");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
		enum bus_err rc = bus_fail(err, BUS_EIO, "cannot listen on %s:%d: %m", address, port);

		close(fd);
		return rc;
	}
	*out = fd;
	*bound = ntohs(a.sin_port);
	return BUS_OK;
}

static bool is_loopback(const char *address)
{
	struct in_addr a;

	return inet_pton(AF_INET, address, &a) != 1 || ntohl(a.s_addr) >> 24 == IN_LOOPBACKNET;
}

static void raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r); /* what we have then bounds the connections */
	}
}

static int default_threads(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (int)cores;
}

static enum bus_err start_mhd(struct bus_http *h, const struct bus_http_conf *conf, int fd,
			      struct bus_error *err)
{
	int threads = conf->threads ? conf->threads : default_threads();
	int limit = conf->connections ? conf->connections : CONNECTIONS;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
	struct MHD_OptionItem more[5];
	size_t n = 0;

	/* MHD divides the connections evenly among the threads. */
	if (threads > 1)
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE, threads, NULL };
	if (conf->address_connections)
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_PER_IP_CONNECTION_LIMIT,
						     conf->address_connections, NULL };
	if (h->tls) {
		flags |= MHD_USE_TLS;
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
						     (void *)(uintptr_t)bus_http_tls_priorities };
		more[n++] =
		    (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, bus_http_tls_callback };
	}
	more[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	h->daemon = MHD_start_daemon(
	    flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_ARRAY, more,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)(limit < threads ? threads : limit),
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(IDLE_MS / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    HTTP_POOL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
	    on_connection, h, MHD_OPTION_URI_LOG_CALLBACK, on_line, h, MHD_OPTION_UNESCAPE_CALLBACK,
	    keep_escapes, NULL, MHD_OPTION_END);
	return h->daemon ? BUS_OK : bus_fail(err, BUS_EIO, "cannot start the HTTP server: %m");
}

enum bus_err bus_http_start(const struct bus_http_conf *conf, const struct bus_http_route *routes, void *ctx,
			    struct bus_http **out, struct bus_error *err)
{
	struct bus_http *h = bus_xcalloc(1, sizeof(*h));
	enum bus_err rc;
	uint64_t seed;
	char *labels;
	int fd = -1;

	*out = NULL;
	atomic_init(&h->refs, 1);
	pthread_mutex_init(&h->list_lock, NULL);
	pthread_mutex_init(&h->payers_lock, NULL);
	h->ctx = ctx;
	h->body_max = conf->body_max ? conf->body_max : BODY_MAX;
	h->bodies_max = conf->bodies_max ? conf->bodies_max : BODIES_MAX;
	h->header_ms = conf->header_ms ? conf->header_ms : HEADER_MS;
	h->body_ms = conf->body_ms ? conf->body_ms : BODY_MS;
	h->idle_ms = conf->idle_ms ? conf->idle_ms : IDLE_MS;
	h->program = bus_xstrdup(conf->program ? conf->program : "titian");
	h->types = conf->types;
	h->problem_type = conf->problem_type;
	h->write_error = conf->write_error;
	h->own_shape = conf->own_shape;
	h->refuse = conf->refuse;
	h->origins = conf->origins;
	h->gzip = conf->gzip;
	h->admit = conf->admit;
	h->knows = conf->knows;
	h->payers = bus_shares_new();
	h->unasked = h->bodies_max / BUS_SHARE_OF / (conf->connections ? conf->connections : CONNECTIONS);
	if (h->unasked > UNASKED_MAX)
		h->unasked = UNASKED_MAX;
	h->answered = conf->answered;
	h->finish = conf->finish;
	bus_random(&seed, sizeof(seed));
	atomic_init(&h->next_id, seed);
	labels = bus_xasprintf("program=\"%s\"", h->program);
	h->connections = bus_metric("titian_http_connections", "gauge", "Open HTTP connections.", labels);
	free(labels);
	raise_file_limit();
	rc = bus_http_table_build(routes, &h->table, err);
	for (const struct bus_http_large *l = conf->large; rc == BUS_OK && l && l->pattern; l++) {
		for (size_t i = 0; i < h->table.n; i++) {
			struct http_resource *r = &h->table.resource[i];

			if (strcmp(r->pattern, l->pattern) == 0) {
				r->body_max = l->body_max;
				r->any_body = l->any;
			}
		}
	}
	if (rc == BUS_OK && conf->tls)
		rc = bus_http_tls_open(conf->tls, &h->tls, err);
	else if (rc == BUS_OK && !conf->exposed && conf->address && !is_loopback(conf->address))
		rc =
		    bus_fail(err, BUS_EINVAL,
			     "will not listen on %s without TLS: whoever is on the way would read and change "
			     "everything. Give a certificate and its key, or say that plain HTTP is meant "
			     "(insecure)",
			     conf->address);
	if (rc == BUS_OK)
		rc = open_socket(conf->address ? conf->address : "127.0.0.1", conf->port, &fd, &h->port, err);
	if (rc != BUS_OK)
		goto out;
	rc = bus_http_watch_start(h, err);
	if (rc != BUS_OK)
		goto out;
	rc = start_mhd(h, conf, fd, err);
	if (rc != BUS_OK) {
		bus_http_watch_stop(h);
		goto out;
	}
	h->listening = fd; /* MHD's to close */
	*out = h;
	return BUS_OK;
out:
	if (fd >= 0)
		close(fd);
	bus_http_release(h);
	return rc;
}

int bus_http_port(const struct bus_http *h)
{
	return h->port;
}

enum bus_err bus_http_reload(struct bus_http *h, struct bus_error *err)
{
	return h->tls ? bus_http_tls_reload(h->tls, err) : BUS_OK;
}

/* stopping or abandoning has been set: whoever is suspended shall see it. */
static void stir(struct http_conn *c)
{
	pthread_mutex_lock(&c->req->lock);
	if (c->req->streaming || atomic_load(&c->h->abandoning))
		bus_http_wake_locked(c->req);
	pthread_mutex_unlock(&c->req->lock);
}

static void wait_for_requests(struct bus_http *h, int timeout_ms)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms;

	while (atomic_load(&h->open) > 0 && bus_clock_mono_ms() < until)
		usleep(5000);
}

/* Refuses new connections. Not MHD_quiesce_daemon(): that takes the socket out of each thread's epoll set while
 * the thread itself may do so as well, and who comes second ends the process (libmicrohttpd 0.9.75, daemon.c:5531).
 * Instead something that never becomes readable takes the socket's number: the socket itself is closed by it. */
static void stop_listening(struct bus_http *h)
{
	int nothing = eventfd(0, EFD_CLOEXEC);

	if (nothing < 0 || dup3(nothing, h->listening, O_CLOEXEC) < 0)
		bus_log(BUS_LOG_WARN, "http.still_listens", LOG_INT("errno", errno));
	if (nothing >= 0)
		close(nothing);
}

void bus_http_stop(struct bus_http **hp, int timeout_ms)
{
	struct bus_http *h = *hp;

	if (!h)
		return;
	*hp = NULL;
	stop_listening(h);
	atomic_store(&h->stopping, true);
	bus_http_conn_each(h, stir);
	wait_for_requests(h, timeout_ms);
	/* From here on nothing is suspended any more: MHD must not be stopped while something is. */
	atomic_store(&h->abandoning, true);
	bus_http_conn_each(h, stir);
	wait_for_requests(h, 200);
	MHD_stop_daemon(h->daemon);
	bus_http_watch_stop(h);
	assert(!h->conns);
	bus_http_release(h);
}
