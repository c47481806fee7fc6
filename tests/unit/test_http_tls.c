/* The server over TLS, with our own client and certificates made by the openssl command
 * (tests/support/pki.sh); and the hooks before and after a handler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/client.h"
#include "bus/clock.h"
#include "bus/http.h"

static struct {
	char folder[64];
	struct bus_http *http;
	pthread_t worker;
	bool started;
	atomic_int released, asked, told;
	_Atomic(struct bus_http_ticket *) ticket;
} t;

static const char *file(const char *name)
{
	static char path[32][128];
	static int next;
	char *p = path[next++ & 31];

	snprintf(p, sizeof(path[0]), "%s/%s", t.folder, name);
	return p;
}

static void who(void *ctx, struct bus_http_request *req)
{
	const struct bus_http_certificate *c = bus_http_certificate(req);
	struct bus_buf b = { 0 };
	char peer[BUS_HTTP_PEER_LEN];

	(void)ctx;
	bus_http_peer(req, peer);
	bus_buf_printf(&b, "%s %s %s", peer, bus_http_pattern(req), c ? c->subject : "nobody");
	for (size_t i = 0; c && i < c->n_names; i++)
		bus_buf_printf(&b, " %s", c->name[i]);
	bus_http_reply(req, 200, "text/plain", &b);
}

static const struct bus_http_route routes[] = { { "GET", "/who/{a}", who }, { NULL, NULL, NULL } };

static void released(void *p)
{
	(void)p;
	atomic_fetch_add(&t.released, 1);
}

static void *give_back(void *ctx)
{
	(void)ctx;
	usleep(20000);
	bus_http_ticket_again(atomic_load(&t.ticket));
	return NULL;
}

/* "/who/no": 403. "/who/later": at first deferred, and then let in. */
static bool admit(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	atomic_fetch_add(&t.asked, 1);
	if (strcmp(bus_http_part(req, "a"), "no") == 0) {
		bus_http_reply(req, 403, NULL, NULL);
		return false;
	}
	if (strcmp(bus_http_part(req, "a"), "later") != 0 || bus_http_attached(req))
		return true;
	bus_http_attach(req, &t, released);
	atomic_store(&t.ticket, bus_http_defer(req));
	t.started = pthread_create(&t.worker, NULL, give_back, NULL) == 0;
	return false;
}

static void answered(void *ctx, const struct bus_http_request *req, int status)
{
	(void)ctx;
	(void)req;
	atomic_store(&t.told, status);
}

static void serve(struct bus_http_tls *tls)
{
	struct bus_http_conf conf = { .address = "127.0.0.1",
				      .threads = 2,
				      .program = "test",
				      .header_ms = 600,
				      .tls = tls,
				      .admit = admit,
				      .answered = answered };
	struct bus_error err;

	if (bus_http_start(&conf, routes, NULL, &t.http, &err) != BUS_OK)
		fail_msg("%s", err.text);
}

static struct bus_http_tls plain_server(void)
{
	return (struct bus_http_tls){ .certificate = file("server.pem"), .key = file("server.key") };
}

/* GET over TLS as `name` (NULL: without a certificate); the status, or minus the error. */
static int get(const char *ca, const char *name, const char *path, struct bus_buf *answer)
{
	char url[128], certificate[64], key[64];
	struct bus_client_conf conf = { .ca = file(ca) };
	struct bus_client_call call = { .method = "GET", .url = url, .timeout_ms = 5000 };
	struct bus_client *c;
	struct bus_error err;
	enum bus_err rc;
	int status;

	if (name) {
		snprintf(certificate, sizeof(certificate), "%s.pem", name);
		snprintf(key, sizeof(key), "%s.key", name);
		conf.certificate = file(certificate);
		conf.key = file(key);
	}
	snprintf(url, sizeof(url), "https://127.0.0.1:%d%s", bus_http_port(t.http), path);
	if (bus_client_open(&conf, &c, &err) != BUS_OK)
		fail_msg("%s", err.text);
	rc = bus_client_call(c, &call, &status, answer, &err);
	bus_client_close(&c);
	return rc ? -(int)rc : status;
}

static void expect(const char *name, const char *path, const char *text)
{
	struct bus_buf b = { 0 };

	assert_int_equal(get("ca.pem", name, path, &b), 200);
	assert_string_equal(bus_buf_cstr(&b), text);
	bus_buf_release(&b);
}

static void expect_refused(const char *name)
{
	struct bus_buf b = { 0 };
	int rc = get("ca.pem", name, "/who/x", &b);

	if (rc >= 0)
		fail_msg("%s was let in: %d %s", name, rc, bus_buf_cstr(&b));
	bus_buf_release(&b);
}

static int stop(void **state)
{
	(void)state;
	bus_http_stop(&t.http, 1000);
	return 0;
}

static void speaks_tls_to_who_trusts_its_authority(void **state)
{
	struct bus_http_tls tls = plain_server();
	struct bus_buf b = { 0 };

	(void)state;
	serve(&tls);
	expect(NULL, "/who/x", "127.0.0.1 /who/{a} nobody");
	assert_int_equal(get("other-ca.pem", NULL, "/who/x", &b), -(int)BUS_EDENIED);
	expect("dinsos", "/who/x", "127.0.0.1 /who/{a} nobody"); /* who is not asked does not tell */
	bus_buf_release(&b);
}

static void knows_clients_by_their_certificates(void **state)
{
	struct bus_http_tls tls = plain_server();

	(void)state;
	tls.client_ca = file("ca.pem");
	tls.client_crl = file("crl.pem");
	tls.client = BUS_HTTP_CLIENT_OPTIONAL;
	serve(&tls);
	expect(NULL, "/who/x", "127.0.0.1 /who/{a} nobody");
	expect("dinsos", "/who/x",
	       "127.0.0.1 /who/{a} CN=dinsos,O=Pekanbaru DNS:adapter.dinsos.test URI:urn:opd:dinsos");
	expect_refused("stranger");
	expect_refused("ended");
	expect_refused("revoked");
	expect_refused("webonly");
}

static void lets_nobody_in_without_a_required_certificate(void **state)
{
	struct bus_http_tls tls = plain_server();

	(void)state;
	tls.client_ca = file("ca.pem");
	tls.client = BUS_HTTP_CLIENT_REQUIRED;
	serve(&tls);
	expect_refused(NULL);
	expect_refused("stranger");
	expect("admin", "/who/x", "127.0.0.1 /who/{a} CN=admin DNS:admin.test");
}

static void copy(const char *from, const char *to)
{
	char line[300];

	snprintf(line, sizeof(line), "cp '%s' '%s'", file(from), file(to));
	assert_int_equal(system(line), 0);
}

static void takes_a_new_certificate_while_it_runs(void **state)
{
	struct bus_http_tls tls = { .certificate = file("live.pem"), .key = file("live.key") };
	struct bus_client_conf conf = { .ca = file("ca.pem") };
	struct bus_client *old;
	struct bus_buf b = { 0 };
	struct bus_error err;
	char url[128];
	struct bus_client_call call = { .method = "GET", .url = url, .timeout_ms = 5000 };
	int status;

	(void)state;
	copy("server.pem", "live.pem");
	copy("server.key", "live.key");
	serve(&tls);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/who/x", bus_http_port(t.http));
	assert_int_equal(bus_client_open(&conf, &old, &err), BUS_OK);
	assert_int_equal(bus_client_call(old, &call, &status, &b, &err), BUS_OK);
	/* half of a pair: what was goes on */
	copy("stranger.pem", "live.pem");
	assert_int_equal(bus_http_reload(t.http, &err), BUS_EINVAL);
	expect(NULL, "/who/x", "127.0.0.1 /who/{a} nobody");
	copy("stranger.key", "live.key");
	assert_int_equal(bus_http_reload(t.http, &err), BUS_OK);
	assert_int_equal(get("ca.pem", NULL, "/who/x", &b), -(int)BUS_EDENIED);	  /* other-ca signed it */
	assert_int_equal(bus_client_call(old, &call, &status, &b, &err), BUS_OK); /* its connection is open */
	bus_client_close(&old);
	copy("renewed.pem", "live.pem");
	copy("renewed.key", "live.key");
	assert_int_equal(bus_http_reload(t.http, &err), BUS_OK);
	expect(NULL, "/who/x", "127.0.0.1 /who/{a} nobody");
	bus_buf_release(&b);
}

/* True when the server has closed within the time. */
static bool closed_within(int fd, int ms)
{
	int64_t until = bus_clock_mono_ms() + ms;
	char c[64];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until - bus_clock_mono_ms();

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		if (recv(fd, c, sizeof(c), 0) <= 0)
			return true;
	}
}

static void cuts_a_handshake_that_does_not_end(void **state)
{
	static const char hello[] = "\x16\x03\x01\x02\x00\x01"; /* a ClientHello of 512 bytes, begun */
	struct bus_http_tls tls = plain_server();
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int silent, slow;

	(void)state;
	serve(&tls);
	a.sin_port = htons((uint16_t)bus_http_port(t.http));
	silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	slow = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(silent, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(connect(slow, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(send(slow, hello, 6, MSG_NOSIGNAL), 6);
	/* a byte now and then buys no time */
	for (int i = 0; i < 20 && send(slow, "", 1, MSG_NOSIGNAL) == 1; i++)
		usleep(50000);
	assert_true(closed_within(slow, 500));
	assert_true(closed_within(silent, 500));
	expect(NULL, "/who/x", "127.0.0.1 /who/{a} nobody");
	close(silent);
	close(slow);
}

static void asks_before_a_handler_and_tells_after_it(void **state)
{
	struct bus_http_tls tls = plain_server();
	struct bus_buf b = { 0 };

	(void)state;
	atomic_store(&t.asked, 0);
	serve(&tls);
	assert_int_equal(get("ca.pem", NULL, "/who/no", &b), 403);
	assert_int_equal(atomic_load(&t.told), 403);
	assert_int_equal(get("ca.pem", NULL, "/nothing", &b), 404);
	assert_int_equal(atomic_load(&t.asked), 1);
	expect(NULL, "/who/later", "127.0.0.1 /who/{a} nobody");
	assert_int_equal(atomic_load(&t.asked), 3);
	assert_int_equal(atomic_load(&t.told), 200);
	pthread_join(t.worker, NULL);
	bus_http_stop(&t.http, 1000);
	assert_int_equal(atomic_load(&t.released), 1);
	bus_buf_release(&b);
}

/* What goes past MHD goes through its session. */
static void answers_what_is_too_long_while_it_still_comes(void **state)
{
	struct bus_http_tls tls = plain_server();
	char command[300], said[8] = "";
	FILE *curl;

	(void)state;
	serve(&tls);
	snprintf(command, sizeof(command),
		 "head -c 100000000 /dev/zero | curl -s -o /dev/null -w '%%{http_code}' --cacert %s -T - -X GET "
		 "https://127.0.0.1:%d/who/a",
		 file("ca.pem"), bus_http_port(t.http));
	curl = popen(command, "r");
	assert_non_null(curl);
	assert_non_null(fgets(said, sizeof(said), curl));
	pclose(curl);
	assert_string_equal(said, "413");
}

static void will_not_listen_beyond_this_machine_in_the_clear(void **state)
{
	struct bus_http_conf conf = { .address = "0.0.0.0", .threads = 1, .program = "test" };
	struct bus_error err;

	(void)state;
	assert_int_equal(bus_http_start(&conf, routes, NULL, &t.http, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "without TLS"));
}

static void says_what_is_wrong_with_its_files(void **state)
{
	struct bus_http_conf conf = { .address = "127.0.0.1", .threads = 1, .program = "test" };
	const struct {
		struct bus_http_tls tls;
		enum bus_err rc;
		const char *says;
	} wrong[] = {
		{ { .certificate = file("server.pem") }, BUS_EINVAL, "both" },
		{ { .certificate = file("none.pem"), .key = file("server.key") }, BUS_ENOENT, "none.pem" },
		{ { .certificate = file("server.pem"), .key = file("admin.key") },
		  BUS_EINVAL,
		  "cannot be used" },
		{ { .certificate = file("server.pem"), .key = file("open.key") }, BUS_EINVAL, "chmod 600" },
		{ { .certificate = file("server.pem"),
		    .key = file("server.key"),
		    .client = BUS_HTTP_CLIENT_REQUIRED },
		  BUS_EINVAL,
		  "no CA" },
		{ { .certificate = file("server.pem"),
		    .key = file("server.key"),
		    .client = BUS_HTTP_CLIENT_OPTIONAL,
		    .client_ca = file("server.key") },
		  BUS_EINVAL,
		  "holds no certificate" },
	};
	struct bus_error err;

	(void)state;
	copy("server.key", "open.key");
	assert_int_equal(chmod(file("open.key"), 0644), 0);
	for (size_t i = 0; i < BUS_LEN(wrong); i++) {
		conf.tls = &wrong[i].tls;
		assert_int_equal(bus_http_start(&conf, routes, NULL, &t.http, &err), wrong[i].rc);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("'%s' does not say '%s'", err.text, wrong[i].says);
	}
}

static int make_pki(void **state)
{
	char line[128];

	(void)state;
	snprintf(t.folder, sizeof(t.folder), "/tmp/test_http_tls.XXXXXX");
	if (!mkdtemp(t.folder))
		return -1;
	snprintf(line, sizeof(line), "sh tests/support/pki.sh %s", t.folder);
	return system(line);
}

static int drop_pki(void **state)
{
	char line[128];

	(void)state;
	snprintf(line, sizeof(line), "rm -rf %s", t.folder);
	return system(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(speaks_tls_to_who_trusts_its_authority, stop),
		cmocka_unit_test_teardown(knows_clients_by_their_certificates, stop),
		cmocka_unit_test_teardown(lets_nobody_in_without_a_required_certificate, stop),
		cmocka_unit_test_teardown(takes_a_new_certificate_while_it_runs, stop),
		cmocka_unit_test_teardown(cuts_a_handshake_that_does_not_end, stop),
		cmocka_unit_test_teardown(asks_before_a_handler_and_tells_after_it, stop),
		cmocka_unit_test_teardown(answers_what_is_too_long_while_it_still_comes, stop),
		cmocka_unit_test(will_not_listen_beyond_this_machine_in_the_clear),
		cmocka_unit_test(says_what_is_wrong_with_its_files),
	};

	return cmocka_run_group_tests(tests, make_pki, drop_pki);
}
