/* Answers given again, through the real handlers: a row is changed behind the engine's back, so that what was kept and
 * what is read anew can be told apart. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/serve/kept.h"
#include "tests/support/engine_support.h"

#define VIEW                                                                                                 \
	"/*---\nname: satu\ndeprecated: 2026-07-01\nsunset: 2027-07-01\nkey: id\nroutes: {uji_a: "           \
	"_key}\ncolumns:\n  id: {type: text, pdp: P}\n"                                                      \
	"  nama: {type: text, pdp: U}\n---*/\nSELECT _key AS id, nama FROM uji_a"

static struct engine *t;
static struct gw_api api;
static struct bus_http *http;
static char policy[128], keys[128];
static struct bus_buf all, masked; /* keys of two readers */

static void put(const char *name)
{
	char json[100];

	snprintf(json, sizeof(json), "{\"id\":\"k1\",\"nama\":\"%s\"}", name);
	engine_put(t, 0, "k1", json);
	engine_apply(t, 1, GW_FORCE);
}

static void put_file(const char *path, const char *text)
{
	FILE *fp = fopen(path, "we");

	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static int start(void **state)
{
	static const struct bus_http_route routes[] = { { "GET", "/v1/views/{view}", gw_rest_page },
							{ "GET", "/v1/views/{view}/{key}", gw_rest_row },
							{ 0 } };
	const struct bus_http_conf conf = {
		.address = "127.0.0.1", .threads = 2, .program = "test", .gzip = true
	};
	struct bus_error err = { 0 };

	(void)state;
	t = engine_new();
	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema("{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
			  "\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"nama\",\"type\":"
			  "\"string\"}]}"));
	engine_view(t, "satu", VIEW);
	engine_open(t, NULL);
	put("SATU");
	engine_whole(t);
	snprintf(policy, sizeof(policy), "%s/policy.yaml", t->dir);
	snprintf(keys, sizeof(keys), "%s/keys", t->dir);
	put_file(policy,
		 "readers:\n  semua: {views: {satu: {clear: [nama]}}}\n  samar: {views: {satu: {}}}\n");
	engine_must(gw_access_key_new(keys, "semua", &all, &err), &err);
	engine_must(gw_access_key_new(keys, "samar", &masked, &err), &err);
	api = (struct gw_api){ .engine = t->e, .kept = gw_kept_new() };
	memset(api.cursors.key, 7, sizeof(api.cursors.key));
	gw_cursors_derive(&api.cursors);
	engine_must(gw_access_open(t->e, policy, keys, &api.access, &err), &err);
	engine_must(bus_http_start(&conf, routes, &api, &http, &err), &err);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	bus_http_stop(&http, 2000);
	gw_kept_free(&api.kept);
	gw_access_close(&api.access);
	bus_buf_release(&all);
	bus_buf_release(&masked);
	engine_free(&t);
	return 0;
}

/* The whole answer to a GET. more: further header lines. */
static char *ask(struct bus_buf *key, const char *path, const char *more)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)bus_http_port(http)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct bus_buf b = { 0 };
	char piece[4096];
	ssize_t n;

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	bus_buf_printf(
	    &b, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer %s\r\n%s\r\n", path,
	    bus_buf_cstr(key), more);
	assert_int_equal(send(fd, b.p, b.n, MSG_NOSIGNAL), b.n);
	bus_buf_reset(&b);
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		bus_buf_put(&b, piece, (size_t)n);
	close(fd);
	bus_buf_cstr(&b);
	return bus_buf_take(&b, NULL);
}

static void expect(struct bus_buf *key, const char *path, const char *more, const char *what)
{
	char *answer = ask(key, path, more);

	if (!strstr(answer, what))
		fail_msg("no '%s' in: %s", what, answer);
	free(answer);
}

/* Nobody but this test writes so: the view's newest change stays what it was. */
static void change_unseen(const char *name)
{
	struct bus_error err = { 0 };

	engine_must(gw_db_exec(t->e->db, &err, "UPDATE uji_a SET nama='%s'", name), &err);
}

static void the_same_question_gets_the_same_answer_until_something_changes(void **state)
{
	static const char *const paths[] = { "/v1/views/satu", "/v1/views/satu/k1" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(paths); i++) {
		put("SATU");
		expect(&all, paths[i], "", "SATU");
		change_unseen("DUA");
		expect(&all, paths[i], "", "SATU");
		expect(&all, paths[i], "", "ETag: W/\"");
		expect(&all, paths[i], "", "Cache-Control: private, no-cache\r\n");
		expect(&all, paths[i], "Cache-Control: no-cache\r\n", "DUA");
		put("TIGA");
		expect(&all, paths[i], "", "TIGA");
	}
}

static void another_question_or_other_rights_have_their_own(void **state)
{
	char *id;

	(void)state;
	put("SATU");
	expect(&all, "/v1/views/satu", "", "SATU");
	expect(&masked, "/v1/views/satu", "", "\xe2\x80\xa2");
	expect(&all, "/v1/views/satu", "", "SATU");
	change_unseen("DUA");
	expect(&all, "/v1/views/satu?limit=3", "", "DUA");
	expect(&all, "/v1/views/satu", "Accept: text/csv\r\n", "k1,DUA\r\n");
	expect(&all, "/v1/views/satu", "Prefer: count=exact\r\n", "Content-Range: 0-0/1\r\n");
	expect(&all, "/v1/views/satu", "", "SATU");
	/* each request has a name of its own, kept or not */
	expect(&all, "/v1/views/satu", "X-Request-Id: saya\r\n", "X-Request-Id: saya\r\n");
	id = ask(&all, "/v1/views/satu", "");
	assert_null(strstr(id, "saya"));
	free(id);
}

static void what_is_no_row_or_no_right_is_not_kept(void **state)
{
	struct bus_error err = { 0 };

	(void)state;
	expect(&all, "/v1/views/satu/k2", "", "404");
	engine_put(t, 0, "k2", "{\"id\":\"k2\",\"nama\":\"BARU\"}");
	engine_apply(t, 1, GW_FORCE);
	expect(&all, "/v1/views/satu/k2", "", "BARU");
	put_file(policy, "readers:\n  samar: {views: {satu: {}}}\n  semua: {views: {}}\n");
	engine_must(gw_access_reload(api.access, &err), &err);
	expect(&all, "/v1/views/satu/k2", "", "404");
	expect(&all, "/v1/views/satu", "", "404");
}

/* RFC 9745, RFC 8594; midnight in Pekanbaru, UTC+7 */
static void a_view_that_ends_says_so_with_every_answer(void **state)
{
	static const char *const paths[] = { "/v1/views/satu", "/v1/views/satu/k1" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(paths); i++)
		for (int kept = 0; kept < 2; kept++) {
			expect(&all, paths[i], "", "Deprecation: @1782838800\r\n");
			expect(&all, paths[i], "", "Sunset: Wed, 30 Jun 2027 17:00:00 GMT\r\n");
		}
}

static void it_lasts_a_second_and_then_goes(void **state)
{
	int64_t until = bus_clock_mono_ms() + 1100;

	(void)state;
	put("SATU");
	expect(&all, "/v1/views/satu", "", "SATU");
	change_unseen("DUA");
	while (bus_clock_mono_ms() < until)
		usleep(10000);
	expect(&all, "/v1/views/satu", "", "DUA");
	gw_kept_tick(api.kept);
	expect(&all, "/v1/views/satu", "", "DUA");
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_same_question_gets_the_same_answer_until_something_changes),
		T(another_question_or_other_rights_have_their_own),
		T(what_is_no_row_or_no_right_is_not_kept),
		T(a_view_that_ends_says_so_with_every_answer),
		T(it_lasts_a_second_and_then_goes),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
