#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bus/http_route.h"

static void nop(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	(void)req;
}

static const struct bus_http_route routes[] = {
	{ "GET", "/", nop },
	{ "GET", "/subjects", nop },
	{ "GET", "/subjects/{subject}/versions/{version}", nop },
	{ "DELETE", "/subjects/{subject}/versions/{version}", nop },
	{ "GET", "/subjects/{subject}/versions/latest", nop },
	{ NULL, NULL, NULL },
};

static struct http_match find(struct http_table *t, const char *method, const char *path)
{
	struct http_match m;

	bus_http_table_match(t, method, bus_str(path), &m);
	return m;
}

static void a_literal_part_wins_over_a_named_one(void **state)
{
	struct http_table t;
	struct http_match m;

	(void)state;
	assert_int_equal(bus_http_table_build(routes, &t, NULL), BUS_OK);
	m = find(&t, "GET", "/subjects/a/versions/latest");
	assert_string_equal(m.resource->pattern, "/subjects/{subject}/versions/latest");
	m = find(&t, "GET", "/subjects/a/versions/7");
	assert_string_equal(m.resource->pattern, "/subjects/{subject}/versions/{version}");
	assert_true(bus_str_is(m.part[0], "a"));
	assert_true(bus_str_is(m.part[1], "7"));
	/* a method that the exact pattern does not have is looked for further on */
	m = find(&t, "DELETE", "/subjects/a/versions/latest");
	assert_non_null(m.method);
	assert_string_equal(m.resource->pattern, "/subjects/{subject}/versions/{version}");
	bus_http_table_release(&t);
}

static void paths_that_are_no_route_find_nothing(void **state)
{
	static const char *const none[] = { "/subjects/",
					    "/subjects//versions/1",
					    "/x",
					    "//",
					    "subjects",
					    "",
					    "/subjects/a/versions",
					    "/1/2/3/4/5/6/7/8/9/10/11/12/13/14" };
	struct http_table t;

	(void)state;
	assert_int_equal(bus_http_table_build(routes, &t, NULL), BUS_OK);
	for (size_t i = 0; i < BUS_LEN(none); i++)
		assert_null(find(&t, "GET", none[i]).resource);
	assert_non_null(find(&t, "GET", "/").method);
	bus_http_table_release(&t);
}

static void a_path_with_another_method_is_found_without_one(void **state)
{
	struct http_table t;
	struct http_match m;

	(void)state;
	assert_int_equal(bus_http_table_build(routes, &t, NULL), BUS_OK);
	m = find(&t, "PUT", "/subjects");
	assert_non_null(m.resource);
	assert_null(m.method);
	assert_string_equal(m.resource->allow, "GET, HEAD, OPTIONS");
	assert_non_null(find(&t, "HEAD", "/subjects").method);
	assert_string_equal(find(&t, "PUT", "/subjects/a/versions/1").resource->allow,
			    "GET, HEAD, DELETE, OPTIONS");
	bus_http_table_release(&t);
}

static void an_encoded_slash_does_not_split(void **state)
{
	struct http_table t;
	struct http_match m;

	(void)state;
	assert_int_equal(bus_http_table_build(routes, &t, NULL), BUS_OK);
	m = find(&t, "GET", "/subjects/a%2Fb/versions/1");
	assert_true(bus_str_is(m.part[0], "a%2Fb"));
	bus_http_table_release(&t);
}

static void refuses_routes_that_cannot_be(void **state)
{
	static const struct bus_http_route twice[] = { { "GET", "/a", nop }, { "GET", "/a", nop }, { 0 } };
	static const struct bus_http_route same[] = { { "GET", "/{a}", nop }, { "PUT", "/{b}", nop }, { 0 } };
	static const struct bus_http_route bare[] = { { "GET", "a", nop }, { 0 } };
	struct bus_error err;
	struct http_table t;

	(void)state;
	assert_int_equal(bus_http_table_build(twice, &t, &err), BUS_EINVAL);
	assert_int_equal(bus_http_table_build(same, &t, &err), BUS_EINVAL);
	assert_int_equal(bus_http_table_build(bare, &t, &err), BUS_EINVAL);
}

static void decodes_percent_escapes_and_refuses_broken_ones(void **state)
{
	static const char *const broken[] = {
		"%", "%4", "a%zz", "%4g", "%00", "a%", "%ff", "%c3", "%ed%a0%80"
	};
	char out[64];
	size_t n;

	(void)state;
	assert_true(bus_http_decode(BUS_STR("a%2Fb%c3%a9+c"), false, out, &n));
	assert_string_equal(out, "a/b\xc3\xa9+c");
	assert_int_equal(n, 7);
	assert_true(bus_http_decode(BUS_STR("a+b%2B"), true, out, &n));
	assert_string_equal(out, "a b+");
	for (size_t i = 0; i < BUS_LEN(broken); i++)
		assert_false(bus_http_decode(bus_str(broken[i]), false, out, &n));
}

static void parses_a_query_in_order(void **state)
{
	struct http_pair pair[HTTP_QUERY_MAX];
	char text[256];
	size_t n;

	(void)state;
	assert_true(bus_http_query_parse(BUS_STR("a=1&b&&c=x%3Dy=z&=v&a=2"), text, pair, &n));
	assert_int_equal(n, 5);
	assert_string_equal(pair[0].name, "a");
	assert_string_equal(pair[0].value, "1");
	assert_string_equal(pair[1].name, "b");
	assert_string_equal(pair[1].value, "");
	assert_string_equal(pair[2].value, "x=y=z");
	assert_string_equal(pair[3].name, "");
	assert_string_equal(pair[4].value, "2");
	assert_true(bus_http_query_parse(BUS_STR(""), text, pair, &n));
	assert_int_equal(n, 0);
	assert_false(bus_http_query_parse(BUS_STR("a=%0"), text, pair, &n));
}

static void refuses_too_many_parameters(void **state)
{
	struct http_pair pair[HTTP_QUERY_MAX];
	struct bus_buf raw = { 0 };
	char *text;
	size_t n;

	(void)state;
	for (int i = 0; i < HTTP_QUERY_MAX; i++)
		bus_buf_puts(&raw, "a&");
	text = bus_xmalloc(2 * raw.n + 64);
	assert_true(bus_http_query_parse(bus_buf_str(&raw), text, pair, &n));
	assert_int_equal(n, HTTP_QUERY_MAX);
	bus_buf_puts(&raw, "a");
	assert_false(bus_http_query_parse(bus_buf_str(&raw), text, pair, &n));
	free(text);
	bus_buf_release(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_literal_part_wins_over_a_named_one),
		cmocka_unit_test(paths_that_are_no_route_find_nothing),
		cmocka_unit_test(a_path_with_another_method_is_found_without_one),
		cmocka_unit_test(an_encoded_slash_does_not_split),
		cmocka_unit_test(refuses_routes_that_cannot_be),
		cmocka_unit_test(decodes_percent_escapes_and_refuses_broken_ones),
		cmocka_unit_test(parses_a_query_in_order),
		cmocka_unit_test(refuses_too_many_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
