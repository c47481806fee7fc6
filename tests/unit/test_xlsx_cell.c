#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/sheet.h"
#include "adapters/xlsx_cell.h"
#include "adapters/xlsx_strings.h"

static void decimal_is(const char *stored, const char *expected, bool rounded)
{
	struct bus_buf out = { NULL, 0, 0 };
	bool lost = false;

	assert_true(adapter_xlsx_decimal(bus_str(stored), &out, &lost));
	assert_string_equal(bus_buf_cstr(&out), expected);
	if (lost != rounded)
		fail_msg("%s: rounded is %d", stored, lost);
	bus_buf_release(&out);
}

static void a_number_is_a_plain_decimal_of_the_stored_digits(void **state)
{
	(void)state;
	decimal_is("0", "0", false);
	decimal_is("-0", "0", false);
	decimal_is("7", "7", false);
	decimal_is("007", "7", false);
	decimal_is("1.0", "1", false);
	decimal_is("1.50", "1.5", false);
	decimal_is("+.5", "0.5", false);
	decimal_is("5.", "5", false);
	decimal_is("-12.25", "-12.25", false);
	decimal_is("1E3", "1000", false);
	decimal_is("1.2345E2", "123.45", false);
	decimal_is("1.5e-3", "0.0015", false);
	decimal_is("1E-10", "0.0000000001", false);
	decimal_is("0E5", "0", false);
	decimal_is("123456789012345", "123456789012345", false);
}

/* Python: repr(float('1162.6569999999999')) == '1162.657', 0.1 + 0.02 == 0.12000000000000001. */
static void a_fraction_of_a_double_is_the_shortest_that_reads_back(void **state)
{
	(void)state;
	decimal_is("1162.6569999999999", "1162.657", false);
	decimal_is("0.12000000000000001", "0.12000000000000001", false);
	decimal_is("4.0000000000000002E-4", "0.0004", false);
}

static void a_number_of_sixteen_digits_that_excel_has_rounded_is_known(void **state)
{
	(void)state;
	decimal_is("1.471080101900001E+15", "1471080101900001",
		   false); /* 2^53 holds it: a program wrote it */
	decimal_is("1.47108010190000E+15", "1471080101900000", true);
	decimal_is("1471080101900000", "1471080101900000", true);
	decimal_is("9171080101900001", "9171080101900001", true); /* over 2^53 */
	decimal_is("12345678901234500000", "12345678901234500000", true);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const none[] = { "",	   "-",	   ".",	    "1,5", "1 000", "1E",
					    "1E+", "0x10", "1e999", "abc", "1.2.3", "NaN" };
	struct bus_buf out = { NULL, 0, 0 };
	bool rounded;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(none); i++)
		if (adapter_xlsx_decimal(bus_str(none[i]), &out, &rounded))
			fail_msg("'%s' was taken", none[i]);
	assert_int_equal(out.n, 0);
	bus_buf_release(&out);
}

static void date_is(const char *stored, enum adapter_xlsx_format f, bool from_1904, const char *expected)
{
	struct bus_buf out = { NULL, 0, 0 };

	assert_int_equal(adapter_xlsx_date(bus_str(stored), f, from_1904, &out), expected != NULL);
	if (expected)
		assert_string_equal(bus_buf_cstr(&out), expected);
	bus_buf_release(&out);
}

/* The examples of ECMA-376-1, 18.17.4.1 and .2, and what openpyxl's from_excel makes of the others. */
static void dates_of_both_systems(void **state)
{
	(void)state;
	date_is("1", ADAPTER_XLSX_DATE, false, "1900-01-01");
	date_is("59", ADAPTER_XLSX_DATE, false, "1900-02-28");
	date_is("60", ADAPTER_XLSX_DATE, false, NULL);
	date_is("61", ADAPTER_XLSX_DATE, false, "1900-03-01");
	date_is("0", ADAPTER_XLSX_DATE, false, NULL);
	date_is("-1", ADAPTER_XLSX_DATE, false, NULL);
	date_is("45016", ADAPTER_XLSX_DATE, false, "2023-03-31");
	date_is("2958465", ADAPTER_XLSX_DATE, false, "9999-12-31");
	date_is("2958466", ADAPTER_XLSX_DATE, false, NULL);
	date_is("0", ADAPTER_XLSX_DATE, true, "1904-01-01");
	date_is("43554", ADAPTER_XLSX_DATE, true, "2023-03-31");
	date_is("2957003", ADAPTER_XLSX_DATE, true, "9999-12-31");
	date_is("2957004", ADAPTER_XLSX_DATE, true, NULL);
	date_is("45016.604166666664", ADAPTER_XLSX_DATE_TIME, false, "2023-03-31T14:30:00");
	date_is("45016", ADAPTER_XLSX_DATE_TIME, false, "2023-03-31T00:00:00");
	date_is("45016.00000145", ADAPTER_XLSX_DATE_TIME, false, "2023-03-31T00:00:00.125");
	date_is("0.5", ADAPTER_XLSX_TIME, false, "12:00:00");
	date_is("1.5", ADAPTER_XLSX_TIME, false, "12:00:00");
	date_is("1.5", ADAPTER_XLSX_ELAPSED, false, "36:00:00");
	date_is("x", ADAPTER_XLSX_DATE, false, NULL);
}

static void number_formats(void **state)
{
	static const struct {
		const char *code;
		enum adapter_xlsx_format is;
	} codes[] = {
		{ "General", ADAPTER_XLSX_NUMBER },
		{ "0", ADAPTER_XLSX_NUMBER },
		{ "#,##0.00", ADAPTER_XLSX_NUMBER },
		{ "0.00E+00", ADAPTER_XLSX_NUMBER },
		{ "@", ADAPTER_XLSX_NUMBER },
		{ "\"Rp\"#,##0;[Red]\\-\"Rp\"#,##0", ADAPTER_XLSX_NUMBER },
		{ "0\" hari\"", ADAPTER_XLSX_NUMBER },
		{ "[$Rp-421]#,##0", ADAPTER_XLSX_NUMBER },
		{ "[Magenta]0", ADAPTER_XLSX_NUMBER },
		{ "0;dd", ADAPTER_XLSX_NUMBER },
		{ "_-* #,##0_-", ADAPTER_XLSX_NUMBER },
		{ "0\\d", ADAPTER_XLSX_NUMBER },
		{ "yyyy\\-mm\\-dd;@", ADAPTER_XLSX_DATE },
		{ "[$-421]dd mmmm yyyy;@", ADAPTER_XLSX_DATE },
		{ "MMM-YY", ADAPTER_XLSX_DATE },
		{ "mmmm", ADAPTER_XLSX_DATE },
		{ "dd/mm/yyyy hh:mm", ADAPTER_XLSX_DATE_TIME },
		{ "h:mm AM/PM", ADAPTER_XLSX_TIME },
		{ "mm:ss.0", ADAPTER_XLSX_TIME },
		{ "[h]:mm:ss", ADAPTER_XLSX_ELAPSED },
		{ "\"open", ADAPTER_XLSX_NUMBER },
		{ "d[", ADAPTER_XLSX_NUMBER },
		{ "\\", ADAPTER_XLSX_NUMBER },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(codes); i++)
		if (adapter_xlsx_format_parse(codes[i].code) != codes[i].is)
			fail_msg("%s", codes[i].code);
	assert_int_equal(adapter_xlsx_format_builtin(0), ADAPTER_XLSX_NUMBER);
	assert_int_equal(adapter_xlsx_format_builtin(14), ADAPTER_XLSX_DATE);
	assert_int_equal(adapter_xlsx_format_builtin(21), ADAPTER_XLSX_TIME);
	assert_int_equal(adapter_xlsx_format_builtin(22), ADAPTER_XLSX_DATE_TIME);
	assert_int_equal(adapter_xlsx_format_builtin(46), ADAPTER_XLSX_ELAPSED);
	assert_int_equal(adapter_xlsx_format_builtin(49), ADAPTER_XLSX_NUMBER);
}

static void escaped_characters_are_read(void **state)
{
	static const char *const pairs[][2] = {
		{ "a_x000D_b", "a\rb" },
		{ "_x005F_x000D_", "_x000D_" },
		{ "_x00e9_", "\xc3\xa9" },
		{ "_xD800_", "_xD800_" },
		{ "_x0000_", "_x0000_" },
		{ "_x12_", "_x12_" },
		{ "_", "_" },
		{ "__x0041_", "_A" },
		{ "NO_KK", "NO_KK" },
		{ "_x00GG_", "_x00GG_" },
	};
	struct bus_buf out = { NULL, 0, 0 };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(pairs); i++) {
		bus_buf_reset(&out);
		adapter_xlsx_unescape(bus_str(pairs[i][0]), &out);
		assert_string_equal(bus_buf_cstr(&out), pairs[i][1]);
	}
	bus_buf_release(&out);
}

static void places_on_a_sheet(void **state)
{
	static const char *const none[] = { "",		":",   "5B",	  "B0",		"XFE1",
					    "A1048577", "A-1", "AAAAAAA", "99999999999" };
	uint32_t column = 9, row = 9;
	char letters[4];

	(void)state;
	assert_string_equal(adapter_sheet_place("$B$5:F", &column, &row), ":F");
	assert_true(column == 1 && row == 5);
	assert_string_equal(adapter_sheet_place("xfd1048576", &column, &row), "");
	assert_true(column == 16383 && row == 1048576);
	assert_non_null(adapter_sheet_place("C", &column, &row));
	assert_true(column == 2 && row == 1048576);
	for (size_t i = 0; i < BUS_LEN(none); i++)
		if (adapter_sheet_place(none[i], &column, &row))
			fail_msg("'%s' was taken", none[i]);
	assert_string_equal(adapter_sheet_letters(0, letters), "A");
	assert_string_equal(adapter_sheet_letters(25, letters), "Z");
	assert_string_equal(adapter_sheet_letters(26, letters), "AA");
	assert_string_equal(adapter_sheet_letters(16383, letters), "XFD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_a_plain_decimal_of_the_stored_digits),
		cmocka_unit_test(a_fraction_of_a_double_is_the_shortest_that_reads_back),
		cmocka_unit_test(a_number_of_sixteen_digits_that_excel_has_rounded_is_known),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(dates_of_both_systems),
		cmocka_unit_test(number_formats),
		cmocka_unit_test(escaped_characters_are_read),
		cmocka_unit_test(places_on_a_sheet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
