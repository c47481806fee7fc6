/* Identifiers and decimal numbers. Numbers of tax payers are examples of others: python-stdnum (stdnum/id/npwp.py),
 * Business::ID::NPWP of CPAN, the npm packages npwp and npwp-validator; the NIP are those by which Tempo
 * (28 September 2021) and Kompasiana explain the number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/map_impl.h"

static void check(const char *kind, const char *in, const char *want, enum map_why doubt)
{
	char out[32];
	size_t n = 0;
	enum map_why odd = MAP_WHY_NONE;
	enum map_why why = adapter_map_id(adapter_map_id_find(kind), bus_str(in), false, out, &n, &odd);

	if (why != MAP_WHY_NONE || n != strlen(want) || memcmp(out, want, n) != 0 || odd != doubt)
		fail_msg("%s '%s': why %d, doubt %d, %.*s", kind, in, (int)why, (int)odd, (int)n, out);
}

static void refused(const char *kind, const char *in, bool number, enum map_why want)
{
	char out[32];
	size_t n;
	enum map_why odd;
	enum map_why why = adapter_map_id(adapter_map_id_find(kind), bus_str(in), number, out, &n, &odd);

	if (why != want)
		fail_msg("%s '%s': %d", kind, in, (int)why);
}

static void tax_numbers_of_15_and_16_digits_are_one(void **state)
{
	(void)state;
	check("npwp", "01.312.166.0-091.000", "0013121660091000", MAP_WHY_NONE);
	check("npwp", "016090524017000", "0016090524017000", MAP_WHY_NONE);
	check("npwp", "01.300.066.6-091.000", "0013000666091000", MAP_WHY_NONE);
	check("npwp", "02.183.241.5-000.000", "0021832415000000", MAP_WHY_NONE);
	check("npwp", "09.254.294.3-407.000", "0092542943407000", MAP_WHY_NONE);
	check("npwp", "48.903.841.4-722.000", "0489038414722000", MAP_WHY_NONE);
	check("npwp", "0048 9038 4147 2200", "0048903841472200", MAP_WHY_CHECK_DIGIT);
	check("npwp", "0013121660091000", "0013121660091000", MAP_WHY_NONE);
	check("npwp",
	      "01\xe2\x80\x93"
	      "312.166.0\xc2\xa0"
	      "091.000",
	      "0013121660091000", MAP_WHY_NONE);
}

static void a_wrong_check_digit_is_only_a_doubt(void **state)
{
	(void)state;
	check("npwp", "01.234.567.8-901.234", "0012345678901234", MAP_WHY_CHECK_DIGIT);
	check("npwp", "216090524017001", "0216090524017001", MAP_WHY_CHECK_DIGIT);
	/* Each other ninth digit is wrong: Luhn's sum finds every single digit. */
	for (char c = '0'; c <= '9'; c++) {
		char text[] = "01.312.166.?-091.000", want[] = "001312166?091000";

		text[11] = want[9] = c;
		check("npwp", text, want, c == '0' ? MAP_WHY_NONE : MAP_WHY_CHECK_DIGIT);
	}
}

static void a_resident_s_tax_number_is_the_nik(void **state)
{
	(void)state;
	check("npwp", "1406134310869001", "1406134310869001", MAP_WHY_NONE);
	check("npwp", "1406133210869001", "1406133210869001", MAP_WHY_NIK_DATE);
	check("nitku", "1406134310869001000000", "1406134310869001000000", MAP_WHY_NONE);
	check("nitku", "0013121660091000000001", "0013121660091000000001", MAP_WHY_NONE);
	refused("nitku", "013121660091000000001", false, MAP_WHY_LENGTH);
}

static void a_nik_is_lenient_about_all_but_its_digits(void **state)
{
	(void)state;
	check("nik_lenient", "1406 1343 1086 9001", "1406134310869001", MAP_WHY_NONE);
	check("nik_lenient", "1471012902009001", "1471012902009001", MAP_WHY_NONE); /* 29 February 2000 */
	check("nik_lenient", "1471012902019001", "1471012902019001", MAP_WHY_NIK_DATE);
	check("nik_lenient", "1471017202019001", "1471017202019001", MAP_WHY_NIK_DATE);
	check("nik_lenient", "9906134310869001", "9906134310869001", MAP_WHY_PART);
	refused("nik_lenient", "140613431086900", false, MAP_WHY_LENGTH);
	refused("nik_lenient", "14061343108690011", false, MAP_WHY_LENGTH);
	refused("nik_lenient", "1406O34310869001", false, MAP_WHY_DIGITS);
	refused("nik_lenient", "0000000000000000", false, MAP_WHY_NO_NUMBER);
	refused("nik_lenient", "- -", false, MAP_WHY_LENGTH);
}

static void what_a_spreadsheet_made_a_number_is_refused_with_the_reason(void **state)
{
	(void)state;
	refused("npwp", "1.47E+15", false, MAP_WHY_ROUNDED);
	refused("nik_lenient", "1,47109E+15", false, MAP_WHY_ROUNDED);
	refused("npwp", "13121660091000", true, MAP_WHY_ZEROS);
	refused("npwp", "131216600910000", true, MAP_WHY_ZEROS);
	refused("npwp", "13121660091000.0", false, MAP_WHY_ZEROS);
	refused("npwp", "13121660091000", false, MAP_WHY_LENGTH);
	refused("nisn", "41234567", true, MAP_WHY_ZEROS);
	refused("nip", "19860926201505100", true, MAP_WHY_ZEROS);
	assert_non_null(strstr(adapter_map_why_text(MAP_WHY_ROUNDED), "column must be text"));
}

static void other_numbers(void **state)
{
	(void)state;
	check("kk", "1471010506260001", "1471010506260001", MAP_WHY_NONE);
	check("kk", "1471014506260001", "1471014506260001", MAP_WHY_NO_DAY);
	check("nop", "14.71.060.001.001-0001.0", "147106000100100010", MAP_WHY_NONE);
	check("nop", "147106000100100017", "147106000100100017", MAP_WHY_NONE);
	check("nop", "147106000100100013", "147106000100100013", MAP_WHY_PART);
	check("nib", "9120001234567", "9120001234567", MAP_WHY_NONE);
	refused("nib", "912000123456", false, MAP_WHY_LENGTH);
	check("npsn", "10404001", "10404001", MAP_WHY_NONE);
	check("npsn", "P2961234", "P2961234", MAP_WHY_PART);
	refused("npsn", "1P404001", false, MAP_WHY_DIGITS);
	check("nisn", "0041234567", "0041234567", MAP_WHY_NONE);
	refused("nisn", "P041234567", false, MAP_WHY_DIGITS);
	check("nip", "19860926 201505 1 001", "198609262015051001", MAP_WHY_NONE);
	check("nip", "19680411 199303 1 009", "196804111993031009", MAP_WHY_NONE);
	check("nip", "198609262022211001", "198609262022211001", MAP_WHY_NONE); /* with a contract */
	check("nip", "198602302015051001", "198602302015051001", MAP_WHY_NO_DAY);
	check("nip", "198609262015131001", "198609262015131001", MAP_WHY_PART);
	check("nip", "198609262015053001", "198609262015053001", MAP_WHY_PART);
}

static void number(const char *in, char mark, bool cell, enum map_why why, const char *want)
{
	char out[MAP_DECIMAL_MAX];
	size_t n = 0;
	enum map_why got = adapter_map_decimal(bus_str(in), mark, cell, out, &n);

	if (got != why || (why == MAP_WHY_NONE && (strcmp(out, want) != 0 || n != strlen(want))))
		fail_msg("'%s': %d, %s", in, (int)got, got == MAP_WHY_NONE ? out : "");
}

static void reads_decimals_by_their_mark(void **state)
{
	(void)state;
	number("1.234,50", ',', false, MAP_WHY_NONE, "1234.5");
	number("1.234", ',', false, MAP_WHY_NONE, "1234");
	number("1.234", '.', false, MAP_WHY_NONE, "1.234");
	number("-0,000", ',', false, MAP_WHY_NONE, "0");
	number("-007,10", ',', false, MAP_WHY_NONE, "-7.1");
	number("0,05", ',', false, MAP_WHY_NONE, "0.05");
	number("12,345,678.9", '.', false, MAP_WHY_NONE, "12345678.9");
	number("100000", ',', false, MAP_WHY_NONE, "100000");
	number("1.23", ',', false, MAP_WHY_DECIMAL, NULL);
	number("1.2345", ',', false, MAP_WHY_DECIMAL, NULL);
	number("1234.567", ',', false, MAP_WHY_DECIMAL, NULL);
	number("1,2,3", ',', false, MAP_WHY_DECIMAL, NULL);
	number("1,234.567", ',', false, MAP_WHY_DECIMAL, NULL);
	number(",5", ',', false, MAP_WHY_DECIMAL, NULL);
	number("5,", ',', false, MAP_WHY_DECIMAL, NULL);
	number("-", ',', false, MAP_WHY_DECIMAL, NULL);
	number("", ',', false, MAP_WHY_DECIMAL, NULL);
	number("1e3", ',', false, MAP_WHY_DECIMAL, NULL);
}

static void a_cell_that_is_a_number_has_a_point_and_an_exponent(void **state)
{
	char many[128];

	(void)state;
	number("0.1", ',', true, MAP_WHY_NONE, "0.1");
	number("1.5E-3", ',', true, MAP_WHY_NONE, "0.0015");
	number("1.5E+3", ',', true, MAP_WHY_NONE, "1500");
	number("15E-1", ',', true, MAP_WHY_NONE, "1.5");
	number("-2e0", ',', true, MAP_WHY_NONE, "-2");
	number("0E99999999999", ',', true, MAP_WHY_NONE, "0");
	number("1E61", ',', true, MAP_WHY_RANGE, NULL);
	number("1E-61", ',', true, MAP_WHY_RANGE, NULL);
	number("1E", ',', true, MAP_WHY_DECIMAL, NULL);
	number("1,5", ',', true, MAP_WHY_DECIMAL, NULL);
	memset(many, '9', sizeof(many));
	many[61] = '\0';
	number(many, ',', false, MAP_WHY_RANGE, NULL);
	many[60] = '\0';
	number(many, ',', false, MAP_WHY_NONE, many);
	memset(many, '0', sizeof(many));
	many[1] = '.';
	many[127] = '\0';
	number(many, '.', false, MAP_WHY_RANGE, NULL);
}

/* Whatever number C itself prints is read as that number. */
static void agrees_with_the_c_library(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[64], out[MAP_DECIMAL_MAX];
		size_t n;
		double v;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		v = (double)(int64_t)(seed >> 20) / (double)(1u << (seed % 31));
		snprintf(text, sizeof(text), i % 2 ? "%.17g" : "%.9e", i % 4 < 2 ? v : -v);
		assert_int_equal(adapter_map_decimal(bus_str(text), '.', true, out, &n), MAP_WHY_NONE);
		if (strtod(out, NULL) != strtod(text, NULL))
			fail_msg("'%s' -> '%s'", text, out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tax_numbers_of_15_and_16_digits_are_one),
		cmocka_unit_test(a_wrong_check_digit_is_only_a_doubt),
		cmocka_unit_test(a_resident_s_tax_number_is_the_nik),
		cmocka_unit_test(a_nik_is_lenient_about_all_but_its_digits),
		cmocka_unit_test(what_a_spreadsheet_made_a_number_is_refused_with_the_reason),
		cmocka_unit_test(other_numbers),
		cmocka_unit_test(reads_decimals_by_their_mark),
		cmocka_unit_test(a_cell_that_is_a_number_has_a_point_and_an_exponent),
		cmocka_unit_test(agrees_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
