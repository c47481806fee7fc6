#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "bus/json_out.h"

static void expect(struct bus_buf *b, const char *want)
{
	assert_string_equal(bus_buf_cstr(b), want);
	bus_buf_release(b);
}

static void puts_commas_where_they_belong(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	(void)state;
	bus_json_object(&j);
	bus_json_key(&j, "a");
	bus_json_put_int(&j, 7);
	bus_json_key(&j, "b");
	bus_json_array(&j);
	bus_json_array(&j);
	bus_json_array_end(&j);
	bus_json_object(&j);
	bus_json_object_end(&j);
	bus_json_put_null(&j);
	bus_json_put_bool(&j, true);
	bus_json_put_text(&j, NULL);
	bus_json_put_raw(&j, BUS_STR("{\"x\":1}"));
	bus_json_array_end(&j);
	bus_json_key_str(&j, BUS_STR("c"));
	bus_json_put_bool(&j, false);
	bus_json_object_end(&j);
	expect(&b, "{\"a\":7,\"b\":[[],{},null,true,null,{\"x\":1}],\"c\":false}");
}

static void escapes_what_could_end_a_string_or_a_script(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	(void)state;
	bus_json_put_str(&j,
			 BUS_STR("\"\\\b\f\n\r\t\x01\0</script>&\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\x7f"));
	expect(&b, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u0000\\u003c/"
		   "script\\u003e\\u0026\\u2028\\u2029\xe2\x80\xaa\x7f\"");
}

static void keeps_utf8_and_mends_what_is_none(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	(void)state;
	bus_json_put_text(&j, "\xc3\xa9 \xf0\x9f\x8c\x89 \xff \xc3( \xed\xa0\x80 \xc0\xaf \xe2\x82");
	expect(&b,
	       "\"\xc3\xa9 \xf0\x9f\x8c\x89 \xef\xbf\xbd \xef\xbf\xbd( \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
	       "\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\"");
}

static void writes_every_integer(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	(void)state;
	bus_json_array(&j);
	bus_json_put_int(&j, INT64_MIN);
	bus_json_put_int(&j, INT64_MAX);
	bus_json_put_int(&j, 0);
	bus_json_put_int(&j, -1);
	bus_json_array_end(&j);
	expect(&b, "[-9223372036854775808,9223372036854775807,0,-1]");
}

static void writes_the_shortest_double_that_reads_back(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	(void)state;
	bus_json_array(&j);
	bus_json_put_double(&j, 0.1);
	bus_json_put_double(&j, 0.1 + 0.2);
	bus_json_put_double(&j, 5);
	bus_json_put_double(&j, -0.0);
	bus_json_put_double(&j, 1e300);
	bus_json_put_double(&j, NAN);
	bus_json_put_double(&j, -INFINITY);
	bus_json_array_end(&j);
	expect(&b, "[0.1,0.30000000000000004,5,-0.0,1e+300,\"NaN\",\"-Infinity\"]");
	bus_json_put_double(&j, DBL_MAX);
	assert_true(strtod(bus_buf_cstr(&b), NULL) == DBL_MAX);
	bus_buf_release(&b);
}

static void nests_without_a_limit(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	(void)state;
	for (int i = 0; i < 3000; i++)
		bus_json_array(&j);
	bus_json_put_int(&j, 1);
	bus_json_put_int(&j, 2);
	for (int i = 0; i < 3000; i++)
		bus_json_array_end(&j);
	assert_int_equal(b.n, 3000 + 3 + 3000);
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_commas_where_they_belong),
		cmocka_unit_test(escapes_what_could_end_a_string_or_a_script),
		cmocka_unit_test(keeps_utf8_and_mends_what_is_none),
		cmocka_unit_test(writes_every_integer),
		cmocka_unit_test(writes_the_shortest_double_that_reads_back),
		cmocka_unit_test(nests_without_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
