#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>

#include "bus/client_many.h"
#include "bus/clock.h"
#include "bus/http.h"

static struct bus_http *server;
static struct bus_http_ticket *waiting;
static char taken[200]; /* the last request */

static void take(void *ctx, struct bus_http_request *req)
{
	struct bus_str body = bus_http_body(req);
	const char *mine = bus_http_header(req, "X-Mine");

	(void)ctx;
	snprintf(taken, sizeof(taken), "%s %s %.*s", bus_http_method(req), mine ? mine : "-", (int)body.n,
		 body.p);
	bus_http_set(req, "Retry-After", "7");
	bus_http_reply(req, 204, NULL, NULL);
}

static void moved(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	bus_http_set(req, "Location", "/take");
	bus_http_reply(req, 302, NULL, NULL);
}

static void never(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	waiting = bus_http_defer(req);
}

static enum bus_http_more endless(void *state, struct bus_buf *out)
{
	(void)state;
	bus_buf_reserve(out, 65536);
	memset(out->p + out->n, 'x', 65536);
	out->n += 65536;
	return BUS_HTTP_MORE;
}

static void no_state(void *state)
{
	(void)state;
}

static void flood(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	bus_http_stream(req, 200, "text/plain", endless, no_state, NULL);
}

static const struct bus_http_route routes[] = {
	{ "POST", "/take", take },  { "OPTIONS", "/take", take }, { "GET", "/moved", moved },
	{ "GET", "/never", never }, { "GET", "/flood", flood },	  { 0 },
};

/* Names that only this test knows: address[i] in order. */
static const char *address[4];
static int asked;

static size_t find(void *ctx, const char *host, struct sockaddr_storage *out, size_t max)
{
	size_t n = 0;

	(void)ctx;
	if (strcmp(host, "kantor.test") != 0)
		return 0;
	for (; n < max && n < 4 && address[n]; n++) {
		struct sockaddr_in v4 = { .sin_family = AF_INET };

		assert_int_equal(inet_pton(AF_INET, address[n], &v4.sin_addr), 1);
		memset(&out[n], 0, sizeof(out[n]));
		memcpy(&out[n], &v4, sizeof(v4));
	}
	return n;
}

static int may_times; /* how often yes; -1: always */

static bool may(void *ctx, const struct bus_url *to, const struct sockaddr *a)
{
	struct sockaddr_in v4;

	(void)ctx;
	(void)to;
	asked++;
	memcpy(&v4, a, sizeof(v4));
	if (may_times == 0)
		return false;
	may_times -= may_times > 0;
	return a->sa_family == AF_INET && ntohl(v4.sin_addr.s_addr) >> 24 == 127;
}

static int start(void **state)
{
	const struct bus_http_conf conf = { .address = "127.0.0.1", .threads = 1, .program = "test" };
	const struct bus_many_conf many = {
		.at_once = 2, .timeout_ms = 400, .answer_max = 65536, .find = find, .may = may
	};

	may_times = -1;
	memset(address, 0, sizeof(address));
	return bus_http_start(&conf, routes, NULL, &server, NULL) ||
	       bus_many_new(&many, (struct bus_many **)state, NULL);
}

static int stop(void **state)
{
	bus_many_free((struct bus_many **)state);
	if (waiting)
		bus_http_ticket_done(waiting);
	waiting = NULL;
	bus_http_stop(&server, 1000);
	return 0;
}

struct seen {
	int times;
	struct bus_many_answer answer;
};

static void on_done(void *ctx, const struct bus_many_answer *answer)
{
	struct seen *s = ctx;

	s->times++;
	s->answer = *answer;
}

static bool send_to(struct bus_many *m, const char *method, const char *host, const char *path,
		    struct seen *s, struct bus_client_header *want)
{
	struct bus_many_call call = {
		.method = method, .done = on_done, .ctx = s, .want = want, .n_want = want != NULL
	};
	struct bus_error err;
	bool sent;

	call.url = bus_xasprintf("http://%s:%d%s", host, bus_http_port(server), path);
	assert_int_equal(bus_url_read(call.url, &call.to, &err), BUS_OK);
	call.header = bus_xcalloc(2, sizeof(*call.header));
	call.header[0] = bus_xstrdup("X-Mine: ya");
	if (strcmp(method, "POST") == 0)
		bus_buf_puts(&call.body, "isi");
	sent = bus_many_send(m, &call);
	bus_many_call_release(&call);
	return sent;
}

static struct seen one(struct bus_many *m, const char *method, const char *host, const char *path,
		       struct bus_client_header *want)
{
	int64_t until = bus_clock_mono_ms() + 20000;
	struct seen s = { 0 };

	assert_true(send_to(m, method, host, path, &s, want));
	assert_int_equal(s.times, 0);
	while (s.times == 0 && bus_clock_mono_ms() < until)
		bus_many_run(m, 100);
	assert_int_equal(s.times, 1);
	return s;
}

static void brings_a_body_and_headers_there_and_headers_back(void **state)
{
	struct bus_client_header want = { .name = "Retry-After" };
	struct seen s = one(*state, "POST", "127.0.0.1", "/take", &want);

	assert_int_equal(s.answer.status, 204);
	assert_string_equal(taken, "POST ya isi");
	assert_string_equal(want.value, "7");
	assert_int_equal(one(*state, "OPTIONS", "127.0.0.1", "/take", NULL).answer.status, 204);
	assert_string_equal(taken, "OPTIONS ya ");
}

static void follows_no_redirect(void **state)
{
	taken[0] = '\0';
	assert_int_equal(one(*state, "GET", "127.0.0.1", "/moved", NULL).answer.status, 302);
	assert_string_equal(taken, "");
}

static void gives_up_on_silence(void **state)
{
	struct seen s = one(*state, "GET", "127.0.0.1", "/never", NULL);

	assert_int_equal(s.answer.status, 0);
	assert_int_equal(s.answer.rc, BUS_ETIMEOUT);
	assert_in_range(s.answer.ms, 300, 10000);
}

static void reads_so_much_of_an_answer_and_no_more(void **state)
{
	assert_int_equal(one(*state, "GET", "127.0.0.1", "/flood", NULL).answer.status, 200);
}

static void connects_to_the_addresses_of_the_name_that_were_looked_at(void **state)
{
	address[0] = "127.0.0.1";
	asked = 0;
	assert_int_equal(one(*state, "POST", "kantor.test", "/take", NULL).answer.status, 204);
	assert_int_equal(asked, 2); /* before, and at the socket */
}

static void refuses_a_name_one_of_whose_addresses_is_not_allowed(void **state)
{
	struct seen s;

	address[0] = "127.0.0.1";
	address[1] = "10.0.0.1";
	taken[0] = '\0';
	s = one(*state, "POST", "kantor.test", "/take", NULL);
	assert_int_equal(s.answer.status, 0);
	assert_int_equal(s.answer.rc, BUS_EDENIED);
	assert_string_equal(taken, "");
}

static void asks_again_at_the_socket(void **state)
{
	struct seen s;

	may_times = 1;
	taken[0] = '\0';
	s = one(*state, "POST", "127.0.0.1", "/take", NULL);
	assert_int_equal(s.answer.rc, BUS_EDENIED);
	assert_string_equal(s.answer.why, "the address is not allowed");
	assert_string_equal(taken, "");
}

static void tells_that_a_name_is_not_there(void **state)
{
	struct seen s = one(*state, "POST", "tidak.ada.invalid", "/take", NULL);

	assert_int_equal(s.answer.rc, BUS_EIO);
	assert_string_equal(s.answer.why, "the host's name has no address");
}

static void takes_so_many_at_once(void **state)
{
	struct seen s[3] = { 0 };
	int64_t until = bus_clock_mono_ms() + 20000;

	assert_true(send_to(*state, "POST", "127.0.0.1", "/take", &s[0], NULL));
	assert_true(send_to(*state, "POST", "127.0.0.1", "/take", &s[1], NULL));
	assert_false(send_to(*state, "POST", "127.0.0.1", "/take", &s[2], NULL));
	while (s[0].times + s[1].times < 2 && bus_clock_mono_ms() < until)
		bus_many_run(*state, 100);
	assert_int_equal(s[0].answer.status, 204);
	assert_int_equal(s[1].answer.status, 204);
	assert_true(send_to(*state, "POST", "127.0.0.1", "/take", &s[2], NULL));
}

static void *waker(void *m)
{
	bus_many_wake(m);
	return NULL;
}

static void wakes(void **state)
{
	int64_t began = bus_clock_mono_ms();
	pthread_t t;

	pthread_create(&t, NULL, waker, *state);
	bus_many_run(*state, 20000);
	assert_true(bus_clock_mono_ms() - began < 15000);
	pthread_join(t, NULL);
}

static void takes_a_url_apart(void **state)
{
	static const struct {
		const char *text, *host;
		bool https;
		int port;
	} good[] = {
		{ "https://sistem.dinsos.go.id/kait?a=1", "sistem.dinsos.go.id", true, 443 },
		{ "http://LOCALHOST:8080", "localhost", false, 8080 },
		{ "https://[2001:DB8::1]:8443/", "2001:db8::1", true, 8443 },
		{ "https://0x7f000001/", "127.0.0.1", true, 443 },
		{ "https://2130706433/", "127.0.0.1", true, 443 },
		{ "https://127.1/", "127.0.0.1", true, 443 },
	};
	static const char *const bad[] = {
		"",
		"ftp://a/",
		"file:///etc/passwd",
		"gopher://a/",
		"https://",
		"https://a:b@c/",
		"https://a@c/",
		"https://a/#b",
		"https://a b/",
		"https://a/\r\nX: y",
		"https://k\xc3\xb6ln/",
		"https://a:0/",
		"https://a:65536/",
		"https://[fe80::1%25eth0]/",
		"//a/",
		"a",
		"https://a/\x7f",
	};
	struct bus_url u;
	struct bus_error err;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++) {
		assert_int_equal(bus_url_read(good[i].text, &u, &err), BUS_OK);
		assert_string_equal(u.host, good[i].host);
		assert_int_equal(u.https, good[i].https);
		assert_int_equal(u.port, good[i].port);
	}
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		if (bus_url_read(bad[i], &u, &err) != BUS_EINVAL)
			fail_msg("taken: '%s'", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_url_apart),
		cmocka_unit_test_setup_teardown(brings_a_body_and_headers_there_and_headers_back, start,
						stop),
		cmocka_unit_test_setup_teardown(follows_no_redirect, start, stop),
		cmocka_unit_test_setup_teardown(gives_up_on_silence, start, stop),
		cmocka_unit_test_setup_teardown(reads_so_much_of_an_answer_and_no_more, start, stop),
		cmocka_unit_test_setup_teardown(connects_to_the_addresses_of_the_name_that_were_looked_at,
						start, stop),
		cmocka_unit_test_setup_teardown(refuses_a_name_one_of_whose_addresses_is_not_allowed, start,
						stop),
		cmocka_unit_test_setup_teardown(asks_again_at_the_socket, start, stop),
		cmocka_unit_test_setup_teardown(tells_that_a_name_is_not_there, start, stop),
		cmocka_unit_test_setup_teardown(takes_so_many_at_once, start, stop),
		cmocka_unit_test_setup_teardown(wakes, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
