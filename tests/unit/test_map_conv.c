/* Conversions of text. Expected values are written down from the feeds' formats, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/map_impl.h"

static void trims_spaces_tabs_and_nbsp_at_both_ends(void **state)
{
	(void)state;
	assert_true(bus_str_is(adapter_map_trim(BUS_STR(" \t\xc2\xa0 ADI \xc2\xa0\r\n")), "ADI"));
	assert_true(bus_str_is(adapter_map_trim(BUS_STR("A \xc2\xa0 B")), "A \xc2\xa0 B"));
	assert_int_equal(adapter_map_trim(BUS_STR(" \xc2\xa0")).n, 0);
	/* The last byte of another letter is no half of an NBSP: U+0120 is C4 A0. */
	assert_true(bus_str_is(adapter_map_trim(BUS_STR("\xc4\xa0")), "\xc4\xa0"));
}

static void check_clean(const char *in, const char *out)
{
	char to[64];
	size_t n = adapter_map_clean(bus_str(in), to);

	assert_int_equal(n, strlen(out));
	assert_memory_equal(to, out, n);
}

static void cleans_inner_spaces(void **state)
{
	(void)state;
	check_clean("SITI  NUR\xc2\xa0HALIZA", "SITI NUR HALIZA");
	check_clean("A\tB\r\nC", "A B C");
	check_clean("NO\xc3\x8bL \xc2\xa0 X", "NO\xc3\x8bL X");
	check_clean("ABC", "ABC");
}

static void sees_what_needs_no_cleaning(void **state)
{
	(void)state;
	assert_false(adapter_map_clean_needed(BUS_STR("JL. PEMUDA GG. DAMAI NO. 7")));
	assert_false(adapter_map_clean_needed(BUS_STR("")));
	assert_false(adapter_map_clean_needed(BUS_STR("1471091003")));
	/* A double space at every place, so that it falls on every border of the eight-byte steps. */
	for (size_t at = 0; at < 30; at++) {
		char text[33] = "abcdefghijklmnopqrstuvwxyzABCDEF";

		text[at] = text[at + 1] = ' ';
		assert_true(adapter_map_clean_needed((struct bus_str){ text, 32 }));
		text[at] = 'x';
		assert_false(adapter_map_clean_needed((struct bus_str){ text, 32 }));
		text[at] = '\t';
		assert_true(adapter_map_clean_needed((struct bus_str){ text, 32 }));
	}
	assert_true(adapter_map_clean_needed(BUS_STR("SITI\xc2\xa0NUR")));
}

static void changes_case_of_latin_letters(void **state)
{
	char to[64];
	size_t n;

	(void)state;
	n = adapter_map_case(BUS_STR("No\xc3\xabl d'Or \xc3\xb7"), true, to);
	assert_memory_equal(to, "NO\xc3\x8bL D'OR \xc3\xb7", n);
	n = adapter_map_case(BUS_STR("CHLO\xc3\x89 \xc3\x97"), false, to);
	assert_memory_equal(to, "chlo\xc3\xa9 \xc3\x97", n);
	assert_true(adapter_map_same_word(BUS_STR("Non Aktif"), BUS_STR("NON AKTIF")));
	assert_false(adapter_map_same_word(BUS_STR("AKTIF"), BUS_STR("NON AKTIF")));
}

static void check_rupiah(const char *in, enum map_why why, int64_t want)
{
	int64_t v = -1;
	enum map_why got = adapter_map_rupiah(bus_str(in), &v);

	if (got != why || (why == MAP_WHY_NONE && v != want))
		fail_msg("'%s': %d, %lld", in, (int)got, (long long)v);
}

static void reads_rupiah_in_all_the_ways_it_is_written(void **state)
{
	(void)state;
	check_rupiah("Rp 750.000,00", MAP_WHY_NONE, 750000);
	check_rupiah("Rp750.000", MAP_WHY_NONE, 750000);
	check_rupiah("rp. 1.250.000,-", MAP_WHY_NUMBER, 0);
	check_rupiah("750000", MAP_WHY_NONE, 750000);
	check_rupiah("36000000.00", MAP_WHY_NONE, 36000000);
	check_rupiah("57.654.000", MAP_WHY_NONE, 57654000);
	check_rupiah("000000515088", MAP_WHY_NONE, 515088);
	check_rupiah("0", MAP_WHY_NONE, 0);
}

static void refuses_amounts_that_could_be_read_two_ways(void **state)
{
	(void)state;
	check_rupiah("Rp12,072", MAP_WHY_NUMBER, 0);
	check_rupiah("1.5", MAP_WHY_FRACTION, 0);
	check_rupiah("1.000,50", MAP_WHY_FRACTION, 0);
	check_rupiah("1.23.456", MAP_WHY_NUMBER, 0);
	check_rupiah("1234.567", MAP_WHY_NUMBER, 0);
	check_rupiah(".500", MAP_WHY_NUMBER, 0);
	check_rupiah("Rp", MAP_WHY_NUMBER, 0);
	check_rupiah("12a", MAP_WHY_NUMBER, 0);
	check_rupiah("-5", MAP_WHY_NUMBER, 0);
	check_rupiah("1,", MAP_WHY_NUMBER, 0);
	check_rupiah("99999999999999999999", MAP_WHY_RANGE, 0);
}

static void reads_whole_numbers(void **state)
{
	int64_t v;

	(void)state;
	assert_int_equal(adapter_map_whole(BUS_STR("00000229"), &v), MAP_WHY_NONE);
	assert_int_equal(v, 229);
	assert_int_equal(adapter_map_whole(BUS_STR("-7"), &v), MAP_WHY_NONE);
	assert_int_equal(v, -7);
	assert_int_equal(adapter_map_whole(BUS_STR("9223372036854775807"), &v), MAP_WHY_NONE);
	assert_true(v == INT64_MAX);
	assert_int_equal(adapter_map_whole(BUS_STR("9223372036854775808"), &v), MAP_WHY_RANGE);
	assert_int_equal(adapter_map_whole(BUS_STR("-"), &v), MAP_WHY_NUMBER);
	assert_int_equal(adapter_map_whole(BUS_STR("1.0"), &v), MAP_WHY_NUMBER);
	assert_int_equal(adapter_map_whole(BUS_STR(""), &v), MAP_WHY_NUMBER);
}

static void cuts_by_characters_not_bytes(void **state)
{
	struct bus_str out;

	(void)state;
	assert_int_equal(adapter_map_cut(BUS_STR("147102100300100010"), 5, 10, &out), MAP_WHY_NONE);
	assert_true(bus_str_is(out, "021003"));
	assert_int_equal(adapter_map_cut(BUS_STR("NO\xc3\x8bLX"), 3, 4, &out), MAP_WHY_NONE);
	assert_true(bus_str_is(out, "\xc3\x8bL"));
	assert_int_equal(adapter_map_cut(BUS_STR("ABC"), 2, 4, &out), MAP_WHY_SHORT);
}

static void knows_numbers_that_a_spreadsheet_rounded(void **state)
{
	(void)state;
	assert_true(adapter_map_scientific(BUS_STR("1,47108E+15")));
	assert_true(adapter_map_scientific(BUS_STR("1.47E15")));
	assert_false(adapter_map_scientific(BUS_STR("1471080101019001")));
	assert_false(adapter_map_scientific(BUS_STR("1,47108E+")));
	assert_false(adapter_map_scientific(BUS_STR("E15")));
	assert_false(adapter_map_scientific(BUS_STR("1471O80101019001")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trims_spaces_tabs_and_nbsp_at_both_ends),
		cmocka_unit_test(cleans_inner_spaces),
		cmocka_unit_test(sees_what_needs_no_cleaning),
		cmocka_unit_test(changes_case_of_latin_letters),
		cmocka_unit_test(reads_rupiah_in_all_the_ways_it_is_written),
		cmocka_unit_test(refuses_amounts_that_could_be_read_two_ways),
		cmocka_unit_test(reads_whole_numbers),
		cmocka_unit_test(cuts_by_characters_not_bytes),
		cmocka_unit_test(knows_numbers_that_a_spreadsheet_rounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
