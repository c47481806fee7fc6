/* What the server refuses to take for a request: too long, too slow, smuggled. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/clock.h"
#include "tests/support/http_stage.h"

/* --- limits ----------------------------------------------------------------------------------------- */

static char *long_request(const char *before, size_t n, const char *after)
{
	struct bus_buf b = { 0 };

	bus_buf_puts(&b, before);
	for (size_t i = 0; i < n; i++)
		bus_buf_putc(&b, 'a');
	bus_buf_puts(&b, after);
	return bus_buf_take(&b, NULL);
}

static void refuses_what_is_too_long(void **state)
{
	char *r = long_request("GET /part/", 8000, " HTTP/1.1\r\nHost: h\r\n\r\n");

	(void)state;
	stage_expect(r, "]", "HTTP/1.1 200 ");
	free(r);
	r = long_request("GET /part/", 8500, " HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_expect(r, "}", "HTTP/1.1 414 ");
	free(r);
	r = long_request("GET /part/", 40000, " HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_expect(r, "\r\n\r\n", "HTTP/1.1 414 ");
	free(r);
	r = long_request("GET /hello HTTP/1.1\r\nHost: h\r\nX: ", 40000, "\r\n\r\n");
	stage_expect(r, "\r\n\r\n", "HTTP/1.1 431 ");
	free(r);
	r = long_request("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n", 100000, "");
	stage_expect(r, "100000:a", "HTTP/1.1 200 ");
	free(r);
	r = long_request("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n", 100001, "");
	stage_expect(r, "}", "HTTP/1.1 413 ");
	free(r);
	r = long_request("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n",
			 200000, "\r\n0\r\n\r\n");
	stage_expect(r, "}", "HTTP/1.1 413 ");
	free(r);
	stage_expect("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", "}",
		     "HTTP/1.1 413 ");
	stage_expect("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		     "\r\n\r\n", "HTTP/1.1 413 ");
	stage_expect(
	    "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n", "}",
	    "HTTP/1.1 413 ");
}

static void answers_what_is_too_long_while_it_still_comes(void **state)
{
	char *piece = long_request("10000\r\n", 65536, "\r\n");
	int fd = stage_dial();
	char *a = NULL;

	(void)state;
	stage_say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 17 * 16; i++) /* MiB; the end never comes */
		stage_say(fd, piece);
	a = stage_hear(fd, "}", 3000, NULL);
	assert_holds(a, "HTTP/1.1 413 ");
	assert_holds(a, "\"status\":413");
	free(a);
	free(piece);
	close(fd);
}

static void refuses_packed_bodies_and_too_many_parameters(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	stage_expect(
	    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "}",
	    "HTTP/1.1 415 ");
	stage_expect(
	    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
	    "2:{}", "HTTP/1.1 200 ");
	stage_expect("GET /hello?a=%ff HTTP/1.1\r\nHost: h\r\n\r\n", "}", "HTTP/1.1 400 ");
	bus_buf_puts(&b, "GET /hello?a");
	for (int i = 0; i < 1500; i++)
		bus_buf_puts(&b, "&a=1");
	bus_buf_puts(&b, " HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_expect(bus_buf_cstr(&b), "}", "HTTP/1.1 400 ");
	bus_buf_release(&b);
}

static void say_slowly(int fd, const char *text)
{
	size_t n;

	for (; *text; text += n) {
		n = strlen(text) < 500 ? strlen(text) : 500;
		stage_say_n(fd, text, n);
		usleep(2000);
	}
}

static void a_header_that_fits_but_comes_in_small_pieces_is_taken(void **state)
{
	char *r = long_request("GET /hello HTTP/1.1\r\nHost: h\r\nX-A: ", 3000, "\r\nX-B: b\r\n");
	char *s = long_request("X-C: ", 3000, "\r\n\r\n");
	int fd = stage_dial();
	char *a;

	(void)state;
	say_slowly(fd, r);
	say_slowly(fd, s);
	a = stage_hear(fd, "hello", 3000, NULL);
	assert_holds(a, "HTTP/1.1 200 ");
	free(a);
	free(r);
	free(s);
	close(fd);
}

/* Time until the server closes fd, while a byte is sent every 50 ms. */
static int64_t dribble(const char *first)
{
	int64_t t0 = bus_clock_mono_ms();
	bool closed = false;
	int fd = stage_dial();

	stage_say(fd, first);
	while (!closed && bus_clock_mono_ms() - t0 < 5000) {
		stage_say(fd, "x");
		free(stage_hear(fd, NULL, 50, &closed));
	}
	close(fd);
	return bus_clock_mono_ms() - t0;
}

static void deadlines_are_absolute(void **state)
{
	bool closed;
	int64_t t0;
	int fd;

	(void)state;
	assert_in_range(dribble("GET /hello HTTP/1.1\r\nHost: h\r\nX: "), 400, 4500);
	assert_in_range(dribble("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n"), 400, 4500);
	/* nothing at all after an answer: the idle time */
	fd = stage_dial();
	stage_say(fd, GET("/hello"));
	free(stage_hear(fd, "hello", 2000, NULL));
	t0 = bus_clock_mono_ms();
	free(stage_hear(fd, NULL, 5000, &closed));
	assert_true(closed);
	assert_in_range(bus_clock_mono_ms() - t0, 1200, 4500);
	close(fd);
}

/* --- smuggling: the second request must never be answered as one of its own ------------------------- */

#define INNER "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"

struct attack {
	const char *name;
	const char *request;
	size_t n;	    /* 0: strlen */
	const char *status; /* of the one answer; NULL: any refusal */
};

#define RAW(text) .request = (text), .n = sizeof(text) - 1

static const struct attack attacks[] = {
	{ "two lengths",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 33\r\n\r\n" INNER),
	  "400" },
	{ "two equal lengths",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n" INNER),
	  "400" },
	{ "length list", RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 33\r\n\r\n" INNER),
	  "400" },
	{ "length with sign", RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\n" INNER),
	  "400" },
	{ "length in hex", RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0x0\r\n\r\n" INNER),
	  "400" },
	{ "empty length", RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n" INNER), "400" },
	{ "length and chunked",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
	      "chunked\r\n\r\n0\r\n\r\n" INNER),
	  "400" },
	{ "chunked and length",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
	      "5\r\n\r\n0\r\n\r\n" INNER),
	  "400" },
	{ "space before the colon",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length : 33\r\n\r\n" INNER), "400" },
	{ "tab before the colon", RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length\t: 33\r\n\r\n" INNER),
	  "400" },
	{ "unknown encoding", RAW("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n" INNER),
	  "501" },
	{ "encoding list",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" INNER),
	  "501" },
	{ "odd chunked",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" INNER),
	  "501" },
	{ "two encodings",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
	      "identity\r\n\r\n0\r\n\r\n" INNER),
	  "400" },
	{ "chunked in 1.0",
	  RAW("POST /echo HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" INNER), "400" },
	{ "no host", RAW("GET /part/x HTTP/1.1\r\n\r\n" INNER), "400" },
	{ "two hosts", RAW("GET /part/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" INNER), "400" },
	{ "two authorizations",
	  RAW("GET /part/x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a\r\nauthorization: Bearer "
	      "b\r\n\r\n" INNER),
	  "400" },
	{ "two types",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/csv\r\nContent-Type: "
	      "application/json\r\nContent-Length: 0\r\n\r\n" INNER),
	  "400" },
	{ "two codings",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Encoding: identity\r\nContent-Encoding: "
	      "gzip\r\nContent-Length: 0\r\n\r\n" INNER),
	  "400" },
	{ "two keys",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nIdempotency-Key: 1\r\nIdempotency-key: 1\r\nContent-Length: "
	      "0\r\n\r\n" INNER),
	  "400" },
	{ "two expectations",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nExpect: x\r\nContent-Length: "
	      "0\r\n\r\n" INNER),
	  "400" },
	{ "folded header", RAW("GET /part/x HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n" INNER), "400" },
	{ "folded length", RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n 33\r\n\r\n" INNER),
	  "400" },
	{ "folded first", RAW("GET /part/x HTTP/1.1\r\n Host: h\r\n\r\n" INNER), NULL },
	{ "NUL in a value", RAW("GET /part/x HTTP/1.1\r\nHost: h\r\nX: a\0b\r\nY: c\r\n\r\n" INNER), "400" },
	{ "NUL in the last value", RAW("GET /part/x HTTP/1.1\r\nHost: h\r\nX: a\0bcdef\r\n\r\n" INNER),
	  "400" },
	{ "NUL in a length", RAW("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\0003\r\n\r\n" INNER),
	  "400" },
	{ "NUL in a name", RAW("GET /part/x HTTP/1.1\r\nHost: h\r\nX\0Y: a\r\n\r\n" INNER), NULL },
	{ "NUL in the URI", RAW("GET /part/x\0y HTTP/1.1\r\nHost: h\r\n\r\n" INNER), "400" },
	{ "bare CR in a value",
	  RAW("GET /part/x HTTP/1.1\r\nHost: h\r\nX: a\rContent-Length: 33\r\n\r\n" INNER), "400" },
	{ "escape in a value", RAW("GET /part/x HTTP/1.1\r\nHost: h\r\nX: a\x1b[2J\r\n\r\n" INNER), "400" },
	{ "space in the URI", RAW("GET /part/x y HTTP/1.1\r\nHost: h\r\n\r\n" INNER), NULL },
	{ "tab in the URI", RAW("GET /part/x\ty HTTP/1.1\r\nHost: h\r\n\r\n" INNER), "400" },
	{ "two spaces", RAW("GET  /part/x HTTP/1.1\r\nHost: h\r\n\r\n" INNER), "400" },
	{ "no URI", RAW("GET\r\nHost: h\r\n\r\n" INNER), NULL },
	{ "no version", RAW("GET /part/x\r\nHost: h\r\n\r\n" INNER), NULL },
	{ "HTTP/2 preface", RAW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" INNER), "505" },
	{ "odd method", RAW("G(T /part/x HTTP/1.1\r\nHost: h\r\n\r\n" INNER), "400" },
	{ "header without a colon", RAW("GET /part/x HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n" INNER), "400" },
	{ "empty header name", RAW("GET /part/x HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n" INNER), "400" },
	{ "broken chunk",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" INNER),
	  "400" },
	{ "chunk size overflow",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
	      "chunked\r\n\r\nfffffffffffffffff\r\n\r\n" INNER),
	  "413" },
	{ "negative chunk",
	  RAW("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" INNER),
	  "400" },
};

static void no_attack_yields_a_second_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < BUS_LEN(attacks); i++) {
		const struct attack *a = &attacks[i];
		int before = atomic_load(&stage.answered);
		int fd = stage_dial();
		bool closed;
		char *answer;

		stage_say_n(fd, a->request, a->n);
		answer = stage_hear(fd, NULL, 2500, &closed);
		if (!closed)
			fail_msg("%s: the connection stays open: %s", a->name, answer);
		/* 0.9.75 writes the head of its own refusal of a malformed length twice; that is one answer
		 */
		if (stage_times(answer, "HTTP/1.1 ") !=
			stage_times(answer, "HTTP/1.1 4") + stage_times(answer, "HTTP/1.1 5") ||
		    (stage_times(answer, "HTTP/1.1 ") > 1 &&
		     !strstr(answer, "wrong value for <b>Content-Length")) ||
		    atomic_load(&stage.answered) != before)
			fail_msg("%s: %s", a->name, answer);
		if (a->status && (strlen(answer) < 12 || strncmp(answer + 9, a->status, 3) != 0))
			fail_msg("%s: not %s but: %s", a->name, a->status, answer);
		free(answer);
		close(fd);
	}
}

/* 0.9.75 takes these. A proxy that reads them by the letter takes what follows for a part of the body. */
static void nothing_is_read_behind_a_body_in_chunks(void **state)
{
#define CHUNKED "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	static const char *const requests[] = { CHUNKED "5\r\nabcde\r\n0\r\n\r\n" INNER,
						CHUNKED "5\nabcde\r\n0\r\n\r\n" INNER,
						CHUNKED "5\r\nabcde\n0\r\n\r\n" INNER,
						CHUNKED "5\r\nabcde\r\n0\n\n" INNER,
						CHUNKED "5;x\r\nabcde\r\n0;y\r\n\r\n" INNER };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(requests); i++) {
		int fd = stage_dial();
		bool closed;
		char *a;

		stage_say(fd, requests[i]);
		a = stage_hear(fd, NULL, 2500, &closed);
		assert_true(closed);
		assert_int_equal(stage_times(a, "HTTP/1.1 "), 1);
		assert_null(strstr(a, "hello"));
		assert_true(strstr(a, "HTTP/1.1 4") ||
			    (strstr(a, "5:abcde") && strstr(a, "Connection: close")));
		free(a);
		close(fd);
	}
}

/* --- all bodies together ------------------------------------------------------------------------------ */

static void answers_with_status(const char *request, const char *body, const char *status)
{
	int fd = stage_dial();
	char *a;

	stage_say(fd, request);
	stage_say(fd, body);
	a = stage_hear(fd, NULL, 3000, NULL);
	assert_holds(a, status);
	free(a);
	close(fd);
}

static void holds_no_more_of_all_bodies_than_it_may(void **state)
{
	static const char post[] =
	    "POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 90000\r\n\r\n";
	static char body[90001];
	int first = stage_dial();
	char *a;

	(void)state;
	memset(body, 'a', sizeof(body) - 1);
	stage_say(first,
		  "GET /hold HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 90000\r\n\r\n");
	stage_say(first, body);
	while (!stage.held)
		usleep(1000);
	answers_with_status(post, body, "HTTP/1.1 503 "); /* 180,000 in all */
	stage_reply(bus_http_ticket_request(stage.held), 200, "held");
	bus_http_ticket_done(stage.held);
	stage.held = NULL;
	a = stage_hear(first, NULL, 3000, NULL);
	assert_holds(a, "held");
	free(a);
	close(first);
	answers_with_status(post, body, "HTTP/1.1 200 ");
}

static int dial_from(uint32_t address, int port)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void one_address_has_its_part_of_the_connections(void **state)
{
	const struct bus_http_conf conf = {
		.address = "127.0.0.1", .threads = 2, .address_connections = 3, .header_ms = 20000
	};
	struct bus_http *h = NULL;
	int slow[5], other;
	bool closed;
	char *a;

	(void)state;
	assert_int_equal(bus_http_start(&conf, stage_routes, NULL, &h, NULL), BUS_OK);
	for (size_t i = 0; i < BUS_LEN(slow); i++) {
		slow[i] = dial_from(INADDR_LOOPBACK, bus_http_port(h));
		stage_say(slow[i], "G");
		if (i < 3)
			continue;
		a = stage_hear(slow[i], NULL, 10000, &closed);
		assert_true(closed);
		assert_string_equal(a, "");
		free(a);
	}
	other = dial_from(INADDR_LOOPBACK + 1, bus_http_port(h));
	stage_say(other, GET("/hello"));
	a = stage_hear(other, "hello", 10000, NULL);
	assert_holds(a, "HTTP/1.1 200 ");
	free(a);
	stage_say(slow[0], "ET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
	a = stage_hear(slow[0], "hello", 10000, NULL);
	assert_holds(a, "HTTP/1.1 200 ");
	free(a);
	close(other);
	for (size_t i = 0; i < BUS_LEN(slow); i++)
		close(slow[i]);
	bus_http_stop(&h, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refuses_what_is_too_long),
		TEST(answers_what_is_too_long_while_it_still_comes),
		TEST(refuses_packed_bodies_and_too_many_parameters),
		TEST(a_header_that_fits_but_comes_in_small_pieces_is_taken),
		TEST(deadlines_are_absolute),
		TEST(no_attack_yields_a_second_answer),
		TEST(nothing_is_read_behind_a_body_in_chunks),
		TEST(one_address_has_its_part_of_the_connections),
		TEST(holds_no_more_of_all_bodies_than_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
