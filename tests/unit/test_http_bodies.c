/* Who may bring a large body, and how much of them all one may have. */
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "tests/support/http_stage.h"

#define LENGTH 60000 /* of a body: over UNASKED, under a fourth of BODIES */
#define BODIES 400000
#define CONNECTIONS 50
#define UNASKED (BODIES / 4 / CONNECTIONS)

static atomic_int asked;

/* Who says no name is a stranger; they may do everything but /echo. */
static bool knows(void *ctx, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX])
{
	const char *who = bus_http_header(req, "X-Who");

	(void)ctx;
	atomic_fetch_add(&asked, 1);
	assert_string_equal(payer, "");
	assert_int_equal(bus_http_body(req).n, 0);
	if (who)
		snprintf(payer, BUS_HTTP_WHO_MAX, "%s", who);
	if (who || strcmp(bus_http_pattern(req), "/echo") != 0)
		return true;
	bus_http_set(req, "WWW-Authenticate", "Bearer");
	bus_http_problem(req, 401, "key-missing", NULL, "A key is needed", NULL, NULL);
	return false;
}

static int start(void **state)
{
	const struct bus_http_conf conf = { .address = "127.0.0.1",
					    .threads = 2,
					    .connections = CONNECTIONS,
					    .body_max = 100000,
					    .bodies_max = BODIES,
					    .body_ms = 5000,
					    .knows = knows,
					    .program = "test" };
	struct bus_error err;

	(void)state;
	atomic_store(&stage.answered, 0);
	atomic_store(&asked, 0);
	return bus_http_start(&conf, stage_routes, NULL, &stage.http, &err) == BUS_OK ? 0 : 1;
}

#define HERE(f) cmocka_unit_test_setup_teardown(f, start, stage_stop)

/* Says the head, and n bytes of the body it promises. */
static int post(const char *path, const char *who, int length, int n)
{
	char *head = bus_xasprintf("%s %s HTTP/1.1\r\nHost: h\r\n%s%s%sContent-Length: %d\r\n\r\n",
				   strcmp(path, "/hold") == 0 ? "GET" : "POST", path, who ? "X-Who: " : "",
				   who ? who : "", who ? "\r\n" : "", length);
	char *body = bus_xcalloc(1, (size_t)n + 1);
	int fd = stage_dial();

	memset(body, 'a', (size_t)n);
	stage_say(fd, head);
	stage_say_n(fd, body, (size_t)n);
	free(head);
	free(body);
	return fd;
}

static void hears(int fd, const char *until, const char *what)
{
	char *a = stage_hear(fd, until, 5000, NULL);

	assert_holds(a, what);
	free(a);
	close(fd);
}

static void a_stranger_is_told_so_and_nothing_of_his_is_kept(void **state)
{
	char *a;
	int fd;

	(void)state;
	fd = post("/echo", NULL, LENGTH, LENGTH);
	a = stage_hear(fd, NULL, 5000, NULL); /* hung up */
	assert_holds(a, "HTTP/1.1 401 ");
	assert_holds(a, "WWW-Authenticate: Bearer");
	assert_holds(a, "Connection: close");
	assert_holds(a, "/problems/key-missing");
	assert_int_equal(stage_times(a, "HTTP/1.1 "), 1);
	free(a);
	close(fd);
	/* sends nothing before it is told to */
	stage_expect(
	    "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 60000\r\n\r\n", "}",
	    "HTTP/1.1 401 ");
	/* a body without a length is asked about at once */
	stage_expect(
	    "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "}",
	    "HTTP/1.1 401 ");
	assert_int_equal(atomic_load(&asked), 3);
	assert_int_equal(atomic_load(&stage.answered), 0);
}

static void a_stranger_without_an_end_hears_it_while_he_sends(void **state)
{
	char piece[65536 + 10];
	int fd = stage_dial();
	char *a;

	(void)state;
	snprintf(piece, sizeof(piece), "10000\r\n%065536d\r\n", 0);
	stage_say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 17 * 16; i++) /* MiB */
		stage_say(fd, piece);
	a = stage_hear(fd, "}", 3000, NULL);
	assert_holds(a, "HTTP/1.1 401 ");
	assert_holds(a, "WWW-Authenticate: Bearer\r\n");
	assert_holds(a, "/problems/key-missing");
	free(a);
	close(fd);
}

static void nobody_is_asked_about_a_small_body(void **state)
{
	(void)state;
	hears(post("/echo", NULL, UNASKED, UNASKED), "aaaa", "HTTP/1.1 200 ");
	assert_int_equal(atomic_load(&asked), 0);
	hears(post("/echo", NULL, UNASKED + 1, UNASKED + 1), "}", "HTTP/1.1 401 ");
	hears(post("/echo", "dinsos", UNASKED + 1, UNASKED + 1), "aaaa", "HTTP/1.1 200 ");
	hears(post("/nowhere", NULL, LENGTH, LENGTH), "}", "HTTP/1.1 404 ");
}

/* Asks until that is the answer. */
static void comes_to(const char *path, const char *who, const char *what)
{
	int64_t end = bus_clock_mono_ms() + 5000;
	bool good = false;

	while (!good) { /* what others have let go of is counted a moment later */
		int fd = post(path, who, LENGTH, LENGTH);
		char *a = stage_hear(fd, "Content-Length", 5000, NULL);

		close(fd);
		good = strstr(a, what) != NULL;
		if (!good && bus_clock_mono_ms() > end)
			fail_msg("no '%s' for %s in: %s", what, who ? who : "nobody", a);
		free(a);
	}
}

static void one_payer_has_no_more_than_a_fourth(void **state)
{
	static const char *const payer[] = { "dinsos", NULL };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(payer); i++) {
		int first = post("/hold", payer[i], LENGTH, LENGTH); /* 60,000 of his 100,000 */

		while (!stage.held)
			usleep(1000);
		hears(post("/late", payer[i], LENGTH, LENGTH), "}", "HTTP/1.1 429 ");
		hears(post("/late", "disdik", LENGTH, LENGTH), "late", "HTTP/1.1 201 ");
		stage_reply(bus_http_ticket_request(stage.held), 200, "held");
		bus_http_ticket_done(atomic_exchange(&stage.held, NULL));
		hears(first, "held", "HTTP/1.1 200 ");
		comes_to("/late", payer[i], "HTTP/1.1 201 ");
	}
}

static void strangers_do_not_fill_the_pot(void **state)
{
	int slow[CONNECTIONS / 2];
	char who[16];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(slow); i++) /* 1.5 MB in all, were they kept */
		slow[i] = post("/echo", NULL, LENGTH, LENGTH - 1);
	while (atomic_load(&asked) < (int)BUS_LEN(slow))
		usleep(1000);
	for (int i = 0; i < 5; i++) {
		snprintf(who, sizeof(who), "opd-%d", i);
		hears(post("/echo", who, 99999, 99999), "aaaa", "HTTP/1.1 200 ");
	}
	for (size_t i = 0; i < BUS_LEN(slow); i++) {
		stage_say(slow[i], "a");
		hears(slow[i], "}", "HTTP/1.1 401 ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HERE(a_stranger_is_told_so_and_nothing_of_his_is_kept),
		HERE(a_stranger_without_an_end_hears_it_while_he_sends),
		HERE(nobody_is_asked_about_a_small_body),
		HERE(one_payer_has_no_more_than_a_fourth),
		HERE(strangers_do_not_fill_the_pot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
