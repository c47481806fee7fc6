#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "bus/client.h"
#include "bus/http.h"

static struct bus_http *server;

/* What came in: method, authorization, type, body. */
static void mirror(void *ctx, struct bus_http_request *req)
{
	const char *auth = bus_http_header(req, "Authorization");
	const char *type = bus_http_header(req, "Content-Type");
	struct bus_str body = bus_http_body(req);
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_buf_printf(&b, "%s|%s|%s|", bus_http_method(req), auth ? auth : "-", type ? type : "-");
	bus_buf_put(&b, body.p, body.n);
	bus_http_reply(req, 200, "text/plain", &b);
}

static void moved(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	bus_http_set(req, "Location", "/mirror");
	bus_http_reply(req, 302, NULL, NULL);
}

static void never(void *ctx, struct bus_http_request *req)
{
	struct bus_http_ticket **ticket = ctx;

	*ticket = bus_http_defer(req);
}

static enum bus_http_more endless(void *state, struct bus_buf *out)
{
	(void)state;
	bus_buf_reserve(out, 65536);
	memset(out->p + out->n, 'x', 65536);
	out->n += 65536;
	return BUS_HTTP_MORE;
}

static enum bus_http_more broken(void *state, struct bus_buf *out)
{
	bool *told = state;

	if (*told)
		return BUS_HTTP_ABORT;
	*told = true;
	bus_buf_puts(out, "half");
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

static void half(void *ctx, struct bus_http_request *req)
{
	static bool told;

	(void)ctx;
	bus_http_stream(req, 200, "text/plain", broken, no_state, &told);
}

static const struct bus_http_route routes[] = {
	{ "GET", "/mirror", mirror },	 { "POST", "/mirror", mirror }, { "PUT", "/mirror", mirror },
	{ "DELETE", "/mirror", mirror }, { "GET", "/moved", moved },	{ "GET", "/flood", flood },
	{ "GET", "/half", half },	 { NULL, NULL, NULL },
};

static int start(void **state)
{
	struct bus_http_conf conf = { .address = "127.0.0.1", .threads = 1, .program = "test" };

	(void)state;
	return bus_http_start(&conf, routes, NULL, &server, NULL) == BUS_OK ? 0 : 1;
}

static int stop(void **state)
{
	(void)state;
	bus_http_stop(&server, 1000);
	return 0;
}

static enum bus_err ask(const char *method, const char *path, const char *bearer, const char *type,
			const char *body, int *status, struct bus_buf *answer, struct bus_error *err)
{
	char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", bus_http_port(server), path);
	return bus_client_request(method, url, bearer, type, bus_str(body), 5000, status, answer, err);
}

static void sends_method_key_type_and_body(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_error err;
	int status;

	(void)state;
	assert_int_equal(ask("GET", "/mirror", NULL, NULL, "", &status, &b, &err), BUS_OK);
	assert_int_equal(status, 200);
	assert_string_equal(bus_buf_cstr(&b), "GET|-|-|");
	bus_buf_reset(&b);
	assert_int_equal(ask("POST", "/mirror", "k.s", "application/json", "{}", &status, &b, &err), BUS_OK);
	assert_string_equal(bus_buf_cstr(&b), "POST|Bearer k.s|application/json|{}");
	bus_buf_reset(&b);
	assert_int_equal(ask("PUT", "/mirror", NULL, "text/plain", "", &status, &b, &err), BUS_OK);
	assert_string_equal(bus_buf_cstr(&b), "PUT|-|text/plain|");
	bus_buf_reset(&b);
	assert_int_equal(ask("DELETE", "/mirror", NULL, NULL, "", &status, &b, &err), BUS_OK);
	assert_string_equal(bus_buf_cstr(&b), "DELETE|-|-|");
	bus_buf_reset(&b);
	assert_int_equal(ask("HEAD", "/mirror", NULL, NULL, "", &status, &b, &err), BUS_OK);
	assert_int_equal(status, 200);
	assert_int_equal(b.n, 0);
	bus_buf_release(&b);
}

static void an_error_status_is_an_answer(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_error err;
	int status;

	(void)state;
	assert_int_equal(ask("GET", "/none", NULL, NULL, "", &status, &b, &err), BUS_OK);
	assert_int_equal(status, 404);
	assert_non_null(strstr(bus_buf_cstr(&b), "\"status\":404"));
	bus_buf_release(&b);
}

static void redirects_are_not_followed(void **state)
{
	struct bus_buf b = { 0 };
	int status;

	(void)state;
	assert_int_equal(ask("GET", "/moved", NULL, NULL, "", &status, &b, NULL), BUS_OK);
	assert_int_equal(status, 302);
	bus_buf_release(&b);
}

static void an_answer_without_its_end_is_an_error(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_error err;
	int status;

	(void)state;
	assert_int_equal(ask("GET", "/half", NULL, NULL, "", &status, &b, &err), BUS_EIO);
	bus_buf_release(&b);
}

static void an_endless_answer_is_cut_off(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_error err;
	int status;

	(void)state;
	assert_int_equal(ask("GET", "/flood", NULL, NULL, "", &status, &b, &err), BUS_ETOOBIG);
	assert_true(b.n <= (size_t)64 * 1024 * 1024);
	bus_buf_release(&b);
}

static void failures_say_why_and_never_repeat_the_url(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_error err;
	int status;

	(void)state;
	assert_int_equal(bus_client_request("GET", "http://127.0.0.1:1/secret", NULL, NULL, BUS_STR(""), 1000,
					    &status, &b, &err),
			 BUS_EIO);
	assert_null(strstr(err.text, "secret"));
	assert_int_equal(
	    bus_client_request("GET", "file:///etc/passwd", NULL, NULL, BUS_STR(""), 1000, &status, &b, &err),
	    BUS_EINVAL);
	assert_int_equal(b.n, 0);
	bus_buf_release(&b);
}

static void gives_up_after_the_time(void **state)
{
	static const struct bus_http_route slow[] = { { "GET", "/never", never }, { NULL, NULL, NULL } };
	struct bus_http_conf conf = { .address = "127.0.0.1", .threads = 1, .program = "test" };
	struct bus_http_ticket *ticket = NULL;
	struct bus_buf b = { 0 };
	struct bus_http *h;
	struct bus_error err;
	char url[128];
	int status;

	(void)state;
	assert_int_equal(bus_http_start(&conf, slow, &ticket, &h, &err), BUS_OK);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/never", bus_http_port(h));
	assert_int_equal(bus_client_request("GET", url, NULL, NULL, BUS_STR(""), 100, &status, &b, &err),
			 BUS_ETIMEOUT);
	bus_http_stop(&h, 0);
	bus_http_reply(bus_http_ticket_request(ticket), 200, NULL, NULL);
	bus_http_ticket_done(ticket);
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_method_key_type_and_body),
		cmocka_unit_test(an_error_status_is_an_answer),
		cmocka_unit_test(redirects_are_not_followed),
		cmocka_unit_test(an_answer_without_its_end_is_an_error),
		cmocka_unit_test(an_endless_answer_is_cut_off),
		cmocka_unit_test(failures_say_why_and_never_repeat_the_url),
		cmocka_unit_test(gives_up_after_the_time),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
