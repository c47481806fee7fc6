#include "tests/support/http_stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/clock.h"

struct stage_feed { /* one parked reader: says "tick N\n" for every tick it has not told yet */
	struct stage_feed *next;
	struct bus_http_stream *stream;
	int told;
};

struct stage stage = { .lock = PTHREAD_MUTEX_INITIALIZER };

void stage_reply(struct bus_http_request *req, int status, const char *text)
{
	struct bus_buf b = { 0 };

	bus_buf_puts(&b, text);
	bus_http_reply(req, status, "text/plain", &b);
}

static void hello(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	atomic_fetch_add(&stage.answered, 1);
	stage_reply(req, 200, "hello");
}

static void echo(void *ctx, struct bus_http_request *req)
{
	struct bus_str body = bus_http_body(req);
	struct bus_buf b = { 0 };

	(void)ctx;
	atomic_fetch_add(&stage.answered, 1);
	bus_buf_printf(&b, "%zu:", body.n);
	bus_buf_put(&b, body.p, body.n);
	bus_http_reply(req, 200, "text/plain", &b);
}

static void part(void *ctx, struct bus_http_request *req)
{
	const char *x = bus_http_query(req, "x");
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_http_set(req, "ETag", "\"7\"");
	bus_http_set(req, "Cache-Control", "max-age=5");
	assert_non_null(bus_arena_alloc(bus_http_arena(req), 100));
	bus_buf_printf(&b, "[%s][%s][%s][%s]", bus_http_part(req, "a"), x ? x : "none",
		       bus_http_raw_query(req), bus_http_method(req));
	bus_http_reply(req, 200, "text/plain", &b);
}

static void problem(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	bus_http_problem(req, 409, "taken", NULL, "Taken", "it is \"taken\"", "take another");
}

static void nothing(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	(void)req;
}

static void *answer_late(void *ctx)
{
	struct bus_http_ticket *ticket = ctx;

	usleep(30000);
	stage_reply(bus_http_ticket_request(ticket), 201, "late");
	bus_http_ticket_done(ticket);
	return NULL;
}

static void late(void *ctx, struct bus_http_request *req)
{
	pthread_t thread;

	(void)ctx;
	assert_int_equal(pthread_create(&thread, NULL, answer_late, bus_http_defer(req)), 0);
	pthread_detach(thread);
}

static void at_once(void *ctx,
		    struct bus_http_request *req) /* the answer is there before the handler returns */
{
	struct bus_http_ticket *ticket = bus_http_defer(req);

	(void)ctx;
	stage_reply(bus_http_ticket_request(ticket), 200, "at once");
	bus_http_ticket_done(ticket);
}

static void hold(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	atomic_store(&stage.held, bus_http_defer(req));
}

static enum bus_http_more feed_read(void *state, struct bus_buf *out)
{
	struct stage_feed *f = state;
	enum bus_http_more more;

	pthread_mutex_lock(&stage.lock);
	while (f->told < stage.ticks)
		bus_buf_printf(out, "tick %d\n", ++f->told);
	more = stage.last ? BUS_HTTP_END : BUS_HTTP_PARK;
	pthread_mutex_unlock(&stage.lock);
	return more;
}

static void feed_free(void *state)
{
	struct stage_feed *f = state;

	pthread_mutex_lock(&stage.lock);
	for (struct stage_feed **p = &stage.feeds; *p; p = &(*p)->next)
		if (*p == f) {
			*p = f->next;
			break;
		}
	pthread_mutex_unlock(&stage.lock);
	free(f);
	atomic_fetch_add(&stage.freed, 1);
}

static void feed(void *ctx, struct bus_http_request *req)
{
	struct stage_feed *f = bus_xcalloc(1, sizeof(*f));

	(void)ctx;
	pthread_mutex_lock(&stage.lock);
	f->told = stage.ticks;
	f->next = stage.feeds;
	stage.feeds = f;
	if (strcmp(bus_http_pattern(req), "/gathered") == 0)
		bus_http_gather(req);
	f->stream = bus_http_stream(req, 200, "text/event-stream", feed_read, feed_free, f);
	pthread_mutex_unlock(&stage.lock);
}

void stage_tick(bool last)
{
	pthread_mutex_lock(&stage.lock);
	stage.ticks++;
	stage.last = last;
	for (struct stage_feed *f = stage.feeds; f; f = f->next)
		bus_http_wake(f->stream);
	pthread_mutex_unlock(&stage.lock);
}

struct count {
	int left;
	enum bus_http_more then;
};

static enum bus_http_more count_read(void *state, struct bus_buf *out)
{
	struct count *c = state;

	if (c->left == 0)
		return c->then;
	for (int i = 0; i < 1000; i++)
		bus_buf_printf(out, "%07d\n", c->left);
	return --c->left == 0 && c->then == BUS_HTTP_END ? BUS_HTTP_END : BUS_HTTP_MORE;
}

static void count_free(void *state)
{
	free(state);
	atomic_fetch_add(&stage.freed, 1);
}

static void export(void *ctx, struct bus_http_request *req)
{
	struct count *c = bus_xcalloc(1, sizeof(*c));

	(void)ctx;
	c->left = 100;
	c->then = BUS_HTTP_END;
	bus_http_stream(req, 200, "text/plain", count_read, count_free, c);
}

static void aborted(void *ctx, struct bus_http_request *req)
{
	struct count *c = bus_xcalloc(1, sizeof(*c));

	(void)ctx;
	c->left = 2;
	c->then = BUS_HTTP_ABORT;
	bus_http_stream(req, 200, "text/plain", count_read, count_free, c);
}

const struct bus_http_route stage_routes[] = {
	{ "GET", "/hello", hello },	{ "POST", "/echo", echo },	{ "GET", "/part/{a}", part },
	{ "GET", "/problem", problem }, { "GET", "/nothing", nothing }, { "GET", "/late", late },
	{ "POST", "/late", late },	{ "GET", "/at-once", at_once }, { "GET", "/hold", hold },
	{ "GET", "/feed", feed },	{ "GET", "/gathered", feed },	{ "GET", "/export", export },	{ "GET", "/abort", aborted },
	{ NULL, NULL, NULL },
};

/* How much is sent, said before it; and what was set. */
static void finish(void *ctx, struct bus_http_request *req, int status, const struct bus_str *content)
{
	char text[80];

	(void)ctx;
	snprintf(text, sizeof(text), "%d, %d bytes, %s", status, content ? (int)content->n : -1,
		 bus_http_given(req, "Content-Type") ? bus_http_given(req, "Content-Type") : "no type");
	bus_http_add(req, "X-Finish", text);
}

static const char *const origins[] = { "https://data.pekanbaru.go.id", NULL };

int stage_start(void **state)
{
	struct bus_http_conf conf = { .address = "127.0.0.1",
				      .threads = 2,
				      .body_max = 100000,
				      .bodies_max = 150000,
				      .header_ms = 600,
				      .body_ms = 600,
				      .idle_ms = 1500,
				      .origins = origins,
				      .finish = finish,
				      .program = "test" };
	struct bus_error err;

	(void)state;
	stage.ticks = 0;
	stage.last = false;
	atomic_store(&stage.freed, 0);
	if (bus_http_start(&conf, stage_routes, NULL, &stage.http, &err) != BUS_OK) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return 0;
}

int stage_stop(void **state)
{
	(void)state;
	bus_http_stop(&stage.http, 2000);
	return 0;
}

/* --- a client that does no more than it is told ----------------------------------------------------- */

int stage_try(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int rc = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 ? fd : -errno;

	if (rc < 0)
		close(fd);
	return rc;
}

int stage_dial(void)
{
	int fd = stage_try(bus_http_port(stage.http));

	assert_true(fd >= 0);
	return fd;
}

void stage_say_n(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w <= 0)
			return; /* refused and closed: the answer tells */
		p += w;
		n -= (size_t)w;
	}
}

void stage_say(int fd, const char *text)
{
	stage_say_n(fd, text, strlen(text));
}

/* Reads until stop appears, the peer closes, or ms pass. *closed may be NULL. */
char *stage_hear(int fd, const char *until, int ms, bool *closed)
{
	int64_t end = bus_clock_mono_ms() + ms;
	struct bus_buf b = { 0 };
	char piece[65536];

	if (closed)
		*closed = false;
	while (bus_clock_mono_ms() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, 20) == 0)
			continue;
		n = recv(fd, piece, sizeof(piece), 0);
		if (n <= 0) {
			if (closed)
				*closed = true;
			break;
		}
		bus_buf_put(&b, piece, (size_t)n);
		if (until && strstr(bus_buf_cstr(&b), until))
			break;
	}
	bus_buf_cstr(&b);
	return bus_buf_take(&b, NULL);
}

char *stage_ask(const char *request, const char *until)
{
	int fd = stage_dial();
	char *answer;

	stage_say(fd, request);
	answer = stage_hear(fd, until, 5000, NULL);
	close(fd);
	return answer;
}

int stage_times(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

void stage_expect(const char *request, const char *until, const char *what)
{
	char *answer = stage_ask(request, until);

	assert_holds(answer, what);
	free(answer);
}
