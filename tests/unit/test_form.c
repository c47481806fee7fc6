/* The CSV a clerk opens: what a spreadsheet makes of strangers' words, and the same file when it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/care/form.h"
#include "bus/mem.h"

static enum bus_err read_text(struct bus_str text, struct adapter_form *f, struct bus_error *err)
{
	char path[] = "/tmp/test_form.XXXXXX";
	int fd = mkstemp(path);
	enum bus_err rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.p, text.n), text.n);
	close(fd);
	rc = adapter_form_read(path, f, err);
	unlink(path);
	return rc;
}

static const struct bus_str hostile[] = {
	BUS_STR("=cmd|' /C calc'!A0"),
	BUS_STR("+1"),
	BUS_STR("-1"),
	BUS_STR("@SUM(A1)"),
	BUS_STR("\t=1"),
	BUS_STR("\r=1"),
	BUS_STR("a;=1"),
	BUS_STR("a;'=1"),
	BUS_STR("a;''=1"),
	BUS_STR("a;\"=1\""),
	BUS_STR("a\n@x"),
	BUS_STR(";;=1;+2"),
	BUS_STR("'=1"),
	BUS_STR("''"),
	BUS_STR("a;'"),
	BUS_STR("\";=1"),
	BUS_STR("a, \"b\""),
	BUS_STR("a;b = c; - d"),
	BUS_STR("a;'\"'-"),
	BUS_STR(""),
};

static void what_was_written_comes_back(void **state)
{
	struct bus_buf b = { 0 };
	struct adapter_form f;

	(void)state;
	bus_buf_puts(&b, "\xef\xbb\xbf#id");
	for (size_t i = 0; i < BUS_LEN(hostile); i++) {
		bus_buf_putc(&b, ',');
		adapter_form_put_name(&b, hostile[i]);
	}
	bus_buf_puts(&b, "\r\n'a:1");
	for (size_t i = 0; i < BUS_LEN(hostile); i++) {
		bus_buf_putc(&b, ',');
		adapter_form_put(&b, hostile[i]);
	}
	assert_int_equal(read_text(bus_buf_str(&b), &f, NULL), BUS_OK);
	assert_int_equal(f.n, 1);
	assert_null(f.line[0].why);
	assert_true(bus_str_is(f.line[0].id, "a:1"));
	assert_int_equal(f.n_columns, BUS_LEN(hostile) + 1);
	for (size_t i = 0; i < BUS_LEN(hostile); i++) {
		assert_true(bus_str_eq(f.column[i + 1], hostile[i]));
		assert_true(bus_str_eq(f.line[0].cell[i + 1], hostile[i]));
	}
	adapter_form_release(&f);
	bus_buf_release(&b);
}

/* At whatever of the usual separators it splits, and whatever it makes of quotes: no cell begins as a formula. */
static void no_cell_begins_as_a_formula(void **state)
{
	(void)state;
	for (size_t i = 0; i < BUS_LEN(hostile); i++) {
		struct bus_buf b = { 0 };
		bool begins = true;

		adapter_form_put(&b, hostile[i]);
		for (const char *p = b.p; p < b.p + b.n; p++) {
			assert_false(begins && memchr("=+-@", *p, 4));
			begins = memchr(";\t\r\n", *p, 4) || (begins && *p == '"');
		}
		bus_buf_release(&b);
	}
}

static void a_column_of_the_file_is_none_of_ours(void **state)
{
	struct bus_buf b = { 0 };
	struct adapter_form f;

	(void)state;
	bus_buf_puts(&b, "#id,");
	adapter_form_put_name(&b, BUS_STR("#id"));
	bus_buf_puts(&b, "\r\na:1,a:2\r\n");
	assert_int_equal(read_text(bus_buf_str(&b), &f, NULL), BUS_OK);
	assert_null(f.column[0].p);
	assert_true(bus_str_is(f.column[1], "#id"));
	assert_non_null(adapter_form_find(&f, BUS_STR("a:1")));
	assert_null(adapter_form_find(&f, BUS_STR("a:2")));
	adapter_form_release(&f);
	bus_buf_release(&b);
}

static void as_other_spreadsheets_save_it(void **state)
{
	static const struct bus_str saved[] = { BUS_STR("\xef\xbb\xbf#id;nama\r\n'a:1;x\r\n"),
						BUS_STR("\"#id\";\"nama\"\n\"'a:1\";\"x\"\n"),
						BUS_STR("\xef\xbb\xbf\"#id\",\"nama\"\n\"'a:1\",\"x\"\n"),
						BUS_STR("#id;nama;b,c\n'a:1;x;\n") };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(saved); i++) {
		struct adapter_form f;

		assert_int_equal(read_text(saved[i], &f, NULL), BUS_OK);
		assert_int_equal(f.n, 1);
		assert_true(bus_str_is(f.line[0].id, "a:1") && bus_str_is(f.line[0].cell[1], "x"));
		adapter_form_release(&f);
	}
}

static void hostile_lines_are_refused_by_number(void **state)
{
	struct bus_error err;
	struct adapter_form f;

	(void)state;
	assert_int_equal(read_text(BUS_STR(""), &f, &err), BUS_EINVAL);
	adapter_form_release(&f);
	assert_int_equal(read_text(BUS_STR("nama,umur\n1,2\n"), &f, &err), BUS_EINVAL);
	adapter_form_release(&f);
	assert_int_equal(read_text(BUS_STR("#id,n\na:1,x\na:1,y\na:2\na:3,\xff\na:4,\"\n\na:5,z"), &f, &err),
			 BUS_OK);
	assert_int_equal(f.n, 6);
	for (size_t i = 0; i < f.n; i++)
		assert_int_equal(f.line[i].why == NULL, f.line[i].number == 2 || f.line[i].number == 8);
	adapter_form_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_comes_back),
		cmocka_unit_test(no_cell_begins_as_a_formula),
		cmocka_unit_test(a_column_of_the_file_is_none_of_ours),
		cmocka_unit_test(as_other_spreadsheets_save_it),
		cmocka_unit_test(hostile_lines_are_refused_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
