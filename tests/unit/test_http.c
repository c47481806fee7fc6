/* The server through raw sockets: what it answers. */
#include <stdio.h>
#include <unistd.h>

#include "bus/metrics.h"
#include "tests/support/http_stage.h"

static void answers_with_the_standard_headers(void **state)
{
	char *a = stage_ask("GET /hello HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc-1\r\n\r\n", "hello");

	(void)state;
	assert_holds(a, "HTTP/1.1 200 OK\r\n");
	assert_holds(a, "X-Content-Type-Options: nosniff\r\n");
	assert_holds(a, "Cache-Control: no-store\r\n");
	assert_holds(a, "X-Request-Id: abc-1\r\n");
	assert_holds(a, "Content-Type: text/plain\r\n");
	assert_holds(a, "Content-Length: 5\r\n");
	assert_holds(a, "\r\n\r\nhello");
	free(a);
	/* an id that could do harm in a log is not taken over */
	a = stage_ask("GET /hello HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b\r\n\r\n", "hello");
	assert_null(strstr(a, "a b"));
	free(a);
}

static void decodes_parts_and_query(void **state)
{
	char *a = stage_ask(GET("/part/a%2Fb%20c?y=1&x=%C3%A9+z"), "GET]");

	(void)state;
	assert_holds(a, "[a/b c][\xc3\xa9 z][y=1&x=%C3%A9+z][GET]");
	assert_holds(a, "ETag: \"7\"\r\n");
	assert_holds(a, "Cache-Control: max-age=5\r\n");
	assert_null(strstr(a, "no-store"));
	free(a);
}

static void writes_problem_documents(void **state)
{
	char *a = stage_ask(GET("/problem"), "}");

	(void)state;
	assert_holds(a, "HTTP/1.1 409 ");
	assert_holds(a, "Content-Type: application/problem+json\r\n");
	assert_holds(
	    a, "\"type\":\"/problems/taken\",\"title\":\"Taken\",\"status\":409,"
	       "\"detail\":\"it is \\\"taken\\\"\",\"code\":\"taken\",\"message\":\"Taken\",\"details\":\"it "
	       "is \\\"taken\\\"\",\"hint\":\"take another\"");
	free(a);
}

/* The Fetch standard, "CORS protocol and HTTP caches" and "CORS-preflight fetch". */
static void only_pages_of_named_origins_may_read(void **state)
{
	char *a = stage_ask("GET /hello HTTP/1.1\r\nHost: h\r\nOrigin: https://data.pekanbaru.go.id\r\n\r\n",
			    "hello");

	(void)state;
	assert_holds(a, "Access-Control-Allow-Origin: https://data.pekanbaru.go.id\r\n");
	assert_holds(a, "Vary: Origin\r\n");
	free(a);
	a = stage_ask(
	    "GET /hello HTTP/1.1\r\nHost: h\r\nOrigin: https://data.pekanbaru.go.id.evil.example\r\n\r\n",
	    "hello");
	assert_null(strstr(a, "Access-Control"));
	assert_holds(a, "Vary: Origin\r\n");
	free(a);
	a = stage_ask("OPTIONS /hello HTTP/1.1\r\nHost: h\r\nOrigin: https://data.pekanbaru.go.id\r\n"
		      "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: "
		      "authorization,prefer\r\n\r\n",
		      "\r\n\r\n");
	assert_holds(a, "HTTP/1.1 204 ");
	assert_holds(a, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n");
	assert_holds(a, "Access-Control-Allow-Headers: authorization,prefer\r\n");
	free(a);
	a = stage_ask("OPTIONS /hello HTTP/1.1\r\nHost: h\r\nOrigin: null\r\nAccess-Control-Request-Method: "
		      "GET\r\n\r\n",
		      "\r\n\r\n");
	assert_null(strstr(a, "Access-Control"));
	free(a);
}

/* W3C Trace Context, 3.2.2 */
static void a_request_is_called_by_the_trace_it_belongs_to(void **state)
{
	(void)state;
	stage_expect("GET /hello HTTP/1.1\r\nHost: h\r\ntraceparent: "
		     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n",
		     "hello", "X-Request-Id: 4bf92f3577b34da6a3ce929d0e0e4736\r\n");
	stage_expect("GET /hello HTTP/1.1\r\nHost: h\r\nX-Request-Id: mine\r\ntraceparent: "
		     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n",
		     "hello", "X-Request-Id: mine\r\n");
	char *a = stage_ask("GET /hello HTTP/1.1\r\nHost: h\r\ntraceparent: "
			    "00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n\r\n",
			    "hello");
	assert_null(strstr(a, "X-Request-Id: 000000000000"));
	free(a);
}

static void a_handler_without_an_answer_is_a_500(void **state)
{
	(void)state;
	stage_expect(GET("/nothing"), "}", "HTTP/1.1 500 ");
}

static void unknown_paths_and_methods_are_problems(void **state)
{
	char *a = stage_ask(GET("/nowhere"), "}");

	(void)state;
	assert_holds(a, "HTTP/1.1 404 ");
	assert_holds(a, "application/problem+json");
	free(a);
	a = stage_ask("DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n", "}");
	assert_holds(a, "HTTP/1.1 405 ");
	assert_holds(a, "Allow: GET, HEAD, OPTIONS\r\n");
	free(a);
	a = stage_ask("OPTIONS /late HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n");
	assert_holds(a, "HTTP/1.1 204 ");
	assert_holds(a, "Allow: GET, HEAD, POST, OPTIONS\r\n");
	free(a);
	stage_expect("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n", "HTTP/1.1 204 ");
	stage_expect(GET("/part/%zz"), "}", "HTTP/1.1 400 ");
	stage_expect(GET("/part/%00"), "}", "HTTP/1.1 400 ");
	stage_expect(GET("/hello?a=%"), "}", "HTTP/1.1 400 ");
}

static void head_is_get_without_a_body(void **state)
{
	int fd = stage_dial();
	char *a;

	(void)state;
	stage_say(fd, "HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n" GET("/part/x"));
	a = stage_hear(fd, "GET]", 3000, NULL);
	assert_holds(a, "Content-Length: 5\r\n");
	assert_null(strstr(a, "\r\n\r\nhello"));
	assert_int_equal(stage_times(a, "HTTP/1.1 200 OK"), 2);
	free(a);
	stage_say(fd, "HEAD /feed HTTP/1.1\r\nHost: h\r\n\r\n");
	free(stage_hear(fd, "\r\n\r\n", 3000, NULL));
	for (int i = 0; i < 100 && !atomic_load(&stage.freed); i++)
		usleep(10000);
	assert_int_equal(atomic_load(&stage.freed), 1);
	close(fd);
}

static void takes_bodies_with_a_length_and_in_chunks(void **state)
{
	(void)state;
	stage_expect("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde", "5:abcde",
		     "5:abcde");
	stage_expect("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
		     "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		     "5:abcde", "5:abcde");
	stage_expect("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "0:", "\r\n\r\n0:");
	stage_expect("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab",
		     "2:ab", "HTTP/1.1 100 Continue");
}

static void serves_pipelined_requests_in_order(void **state)
{
	struct bus_buf b = { 0 };
	int fd = stage_dial();
	char *a;

	(void)state;
	for (int i = 0; i < 200; i++)
		bus_buf_printf(&b, "GET /part/n%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
	stage_say_n(fd, b.p, b.n);
	a = stage_hear(fd, "[n199]", 5000, NULL);
	assert_int_equal(stage_times(a, "HTTP/1.1 200 OK"), 200);
	for (int i = 0; i < 199; i++) {
		char one[16], two[16];

		snprintf(one, sizeof(one), "[n%d]", i);
		snprintf(two, sizeof(two), "[n%d]", i + 1);
		assert_true(strstr(a, one) < strstr(a, two));
	}
	free(a);
	bus_buf_release(&b);
	close(fd);
}

static void serves_http_1_0_and_closes(void **state)
{
	int fd = stage_dial();
	bool closed;
	char *a;

	(void)state;
	stage_say(fd, "GET /hello HTTP/1.0\r\n\r\n");
	a = stage_hear(fd, NULL, 3000, &closed);
	assert_holds(a, "hello");
	assert_true(closed);
	free(a);
	close(fd);
}

static void says_why_it_cannot_listen(void **state)
{
	struct bus_http_conf conf = { .address = "127.0.0.1",
				      .port = bus_http_port(stage.http),
				      .program = "test" };
	struct bus_http *other;
	struct bus_error err;

	(void)state;
	assert_int_equal(bus_http_start(&conf, stage_routes, NULL, &other, &err), BUS_EIO);
	assert_holds(err.text, "cannot listen on 127.0.0.1:");
	assert_holds(err.text, "Address already in use");
	conf.address = "no such place";
	assert_int_equal(bus_http_start(&conf, stage_routes, NULL, &other, &err), BUS_EINVAL);
}

static void counts_requests_by_route_and_status(void **state)
{
	const char *labels = "program=\"test\",route=\"/part/{a}\",status=\"200\"";
	struct bus_metric *m =
	    bus_metric("titian_http_requests_total", "counter", "Requests answered.", labels);
	double before = bus_metric_get(m);
	int fd = stage_dial();

	(void)state;
	stage_say(fd, GET("/part/b"));
	free(stage_hear(fd, "]", 3000, NULL));
	assert_int_equal((int)(bus_metric_get(m) - before), 1);
	m = bus_metric("titian_http_connections", "gauge", "Open HTTP connections.", "program=\"test\"");
	assert_true(bus_metric_get(m) >= 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_with_the_standard_headers),
		TEST(decodes_parts_and_query),
		TEST(writes_problem_documents),
		TEST(only_pages_of_named_origins_may_read),
		TEST(a_request_is_called_by_the_trace_it_belongs_to),
		TEST(a_handler_without_an_answer_is_a_500),
		TEST(unknown_paths_and_methods_are_problems),
		TEST(head_is_get_without_a_body),
		TEST(takes_bodies_with_a_length_and_in_chunks),
		TEST(serves_pipelined_requests_in_order),
		TEST(serves_http_1_0_and_closes),
		TEST(says_why_it_cannot_listen),
		TEST(counts_requests_by_route_and_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
