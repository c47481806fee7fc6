/* Where a fetch begins again: marks of numbers and of times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "adapters/fetch/since.h"

static struct bus_yaml *yaml;

static enum bus_err read(const char *text, struct adapter_since *s, struct bus_error *err)
{
	struct bus_error why;

	bus_yaml_free(&yaml);
	assert_int_equal(bus_yaml_parse("uji.yaml", 1, text, strlen(text), &yaml, &why), BUS_OK);
	*s = (struct adapter_since){ 0 };
	return adapter_since_read(s, yaml, bus_yaml_root(yaml), err);
}

static struct adapter_since made(const char *text)
{
	struct adapter_since s;
	struct bus_error err;

	assert_int_equal(read(text, &s, &err), BUS_OK);
	return s;
}

static const char *begins(struct adapter_since *s, const char *mark)
{
	static char from[ADAPTER_SINCE_MAX];
	struct bus_error err;

	assert_int_equal(adapter_since_begin(s, bus_str(mark), from, &err), BUS_OK);
	return from;
}

static void see(struct adapter_since *s, const char *value)
{
	struct bus_error err;

	assert_int_equal(adapter_since_see(s, bus_str(value), &err), BUS_OK);
}

static void marked(struct adapter_since *s, const char *want)
{
	struct bus_str m = adapter_since_mark(s);

	assert_int_equal(m.n, strlen(want));
	if (m.n)
		assert_memory_equal(m.p, want, m.n);
}

static void a_time_begins_an_overlap_before_the_mark(void **state)
{
	struct adapter_since s = made("column: diubah\ntype: time\noverlap: 10m\n");

	(void)state;
	assert_string_equal(begins(&s, ""), "1970-01-01 00:00:00.000000");
	marked(&s, "");
	see(&s, "2024-03-01 00:05:00");
	see(&s, "2024-02-29T23:59:59.5+07");
	see(&s, "2024-03-01");
	marked(&s, "2024-03-01 00:05:00.000000");
	assert_string_equal(begins(&s, "2024-03-01 00:05:00.000001"), "2024-02-29 23:55:00.000001");
	marked(&s, "2024-03-01 00:05:00.000001"); /* nothing newer came */
}

static void a_time_that_has_not_come_moves_no_mark(void **state)
{
	struct adapter_since s = made("column: diubah\ntype: time\noverlap: 10m\nstart: 2020-01-01\n");

	(void)state;
	assert_string_equal(begins(&s, ""), "2020-01-01 00:00:00.000000");
	see(&s, "2024-03-01 00:05:00");
	see(&s, "9999-12-31 23:59:59");
	marked(&s, "2024-03-01 00:05:00.000000");
	assert_string_equal(begins(&s, "9999-12-31 23:59:59"), "2020-01-01 00:00:00.000000");
	marked(&s, "");
}

static void a_number_begins_an_overlap_before_the_mark(void **state)
{
	struct adapter_since s = made("column: id\ntype: integer\noverlap: 5\nstart: 100\n");

	(void)state;
	assert_string_equal(begins(&s, ""), "100");
	see(&s, "9");
	see(&s, "10000000000.00");
	see(&s, "-4");
	marked(&s, "10000000000");
	assert_string_equal(begins(&s, "102"), "100"); /* never before the start */
	assert_string_equal(begins(&s, "9223372036854775807"), "9223372036854775802");
}

static void refuses(const char *conf, const char *const *no, size_t n)
{
	struct adapter_since s = made(conf);
	struct bus_error err;

	(void)begins(&s, "");
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(adapter_since_see(&s, bus_str(no[i]), &err), BUS_EDATA);
		assert_non_null(strstr(err.text, "column 'diubah'"));
		assert_true(!no[i][0] || !strstr(err.text, no[i]));
	}
	assert_int_equal(adapter_since_begin(&s, bus_str("kemarin"), (char[ADAPTER_SINCE_MAX]){ 0 }, &err),
			 BUS_EDATA);
}

static void a_value_that_is_none_is_told_without_it(void **state)
{
	static const char *const no[] = {
		"",    "1471015708900002x",   "2024-13-01", "2024-02-30 00:00:00", "2024-01-01 25:00",
		"1.5", "99999999999999999999"
	};

	(void)state;
	refuses("column: diubah\ntype: time\n", no, BUS_LEN(no));
	refuses("column: diubah\ntype: integer\n", no, BUS_LEN(no));
}

static void options_that_cannot_be_are_refused(void **state)
{
	static const char *const no[] = { "type: time\n",
					  "column: a\ntype: waktu\n",
					  "column: a\ntype: time\noverlap: lama\n",
					  "column: a\ntype: integer\nstart: x\n",
					  "column: a\ntype: integer\noverlap: -1\n",
					  "column: a\ntype: time\nbegin: 5\n" };
	struct adapter_since s;
	struct bus_error err;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(no); i++) {
		assert_int_equal(read(no[i], &s, &err), BUS_EPARSE);
		assert_non_null(strstr(err.text, "uji.yaml:"));
	}
}

static int done(void **state)
{
	(void)state;
	bus_yaml_free(&yaml);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_begins_an_overlap_before_the_mark),
		cmocka_unit_test(a_time_that_has_not_come_moves_no_mark),
		cmocka_unit_test(a_number_begins_an_overlap_before_the_mark),
		cmocka_unit_test(a_value_that_is_none_is_told_without_it),
		cmocka_unit_test(options_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
