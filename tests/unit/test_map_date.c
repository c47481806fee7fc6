/* Dates and times. Day numbers and milliseconds were computed with Python's datetime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/map_impl.h"

struct some {
	struct map_formats f;
	struct map_pattern room[4];
};

static const struct map_formats *formats(struct some *s, bool time, const char *const *text)
{
	struct map_formats *f = &s->f;

	for (f->n = 0; text[f->n]; f->n++)
		assert_true(adapter_map_pattern_parse(text[f->n], time, &f->format[f->n]));
	return f;
}

static void check_date(const char *format, const char *in, enum map_why why, int64_t want)
{
	struct some s;
	int64_t days = -1;
	uint8_t alt = 9;
	enum map_why got = adapter_map_date_read(formats(&s, false, (const char *const[]){ format, NULL }),
						 bus_str(in), &days, &alt);

	if (got != why || (why == MAP_WHY_NONE && (days != want || alt != 0)))
		fail_msg("'%s' as %s: %d, %lld", in, format, (int)got, (long long)days);
}

static void reads_dates_as_departments_write_them(void **state)
{
	(void)state;
	check_date("DD-MM-YYYY", "03-10-1986", MAP_WHY_NONE, 6119);
	check_date("DD/MM/YYYY", "03/10/1986", MAP_WHY_NONE, 6119);
	check_date("YYYY-MM-DD", "1986-10-03", MAP_WHY_NONE, 6119);
	check_date("YYYY/MM/DD", "1986/10/03", MAP_WHY_NONE, 6119);
	check_date("MM/DD/YYYY", "10/03/1986", MAP_WHY_NONE, 6119);
	check_date("DDMMYYYY", "03101986", MAP_WHY_NONE, 6119);
	check_date("YYYYMMDD", "19861003", MAP_WHY_NONE, 6119);
	check_date("DD-MM-YYYY", "29-02-2024", MAP_WHY_NONE, 19782);
	check_date("DD-MM-YYYY", "29-02-2000", MAP_WHY_NONE, 11016);
	check_date("DD-MM-YYYY", "01-01-1800", MAP_WHY_NONE, -62091);
	check_date("DD-MM-YYYY", "31-12-2199", MAP_WHY_NONE, 84005);
}

static void refuses_days_that_do_not_exist(void **state)
{
	(void)state;
	check_date("DD-MM-YYYY", "31-02-2017", MAP_WHY_NO_DAY, 0);
	check_date("DD-MM-YYYY", "29-02-2023", MAP_WHY_NO_DAY, 0);
	check_date("DD-MM-YYYY", "29-02-1900", MAP_WHY_NO_DAY, 0);
	check_date("DD-MM-YYYY", "00-00-0000", MAP_WHY_NO_DAY, 0);
	check_date("DD-MM-YYYY", "03-13-1986", MAP_WHY_NO_DAY, 0);
	check_date("DD-MM-YYYY", "31-12-1799", MAP_WHY_YEAR, 0);
	check_date("DD-MM-YYYY", "01-01-2200", MAP_WHY_YEAR, 0);
}

static void refuses_other_forms(void **state)
{
	(void)state;
	check_date("DD-MM-YYYY", "3-10-1986", MAP_WHY_FORMAT, 0);
	check_date("DD-MM-YYYY", "03/10/1986", MAP_WHY_FORMAT, 0);
	check_date("DD-MM-YYYY", "03-10-86", MAP_WHY_FORMAT, 0);
	check_date("DD-MM-YYYY", "03-10-1986 ", MAP_WHY_FORMAT, 0);
	check_date("DD-MM-YYYY", "", MAP_WHY_FORMAT, 0);
	check_date("DD-MM-YYYY", "NULL", MAP_WHY_FORMAT, 0);
}

static void says_which_of_several_formats_took_it(void **state)
{
	struct some s;
	const struct map_formats *f =
	    formats(&s, false, (const char *const[]){ "DD/MM/YYYY", "YYYY/MM/DD", "MM/DD/YYYY", NULL });
	int64_t days;
	uint8_t alt;

	(void)state;
	assert_int_equal(adapter_map_date_read(f, BUS_STR("23/02/2012"), &days, &alt), MAP_WHY_NONE);
	assert_int_equal(days, 15393);
	assert_int_equal(alt, 0);
	assert_int_equal(adapter_map_date_read(f, BUS_STR("2012/02/23"), &days, &alt), MAP_WHY_NONE);
	assert_int_equal(days, 15393);
	assert_int_equal(alt, 1);
	assert_int_equal(adapter_map_date_read(f, BUS_STR("02/23/2012"), &days, &alt), MAP_WHY_NONE);
	assert_int_equal(days, 15393);
	assert_int_equal(alt, 2);
	assert_int_equal(adapter_map_date_read(f, BUS_STR("30/30/2012"), &days, &alt), MAP_WHY_NO_DAY);
}

static void check_time(const char *format, const char *in, enum map_why why, int64_t want)
{
	struct some s;
	int64_t ms = -1;
	uint8_t alt = 9;
	enum map_why got = adapter_map_time_read(formats(&s, true, (const char *const[]){ format, NULL }),
						 bus_str(in), &ms, &alt);

	if (got != why || (why == MAP_WHY_NONE && ms != want))
		fail_msg("'%s' as %s: %d, %lld", in, format, (int)got, (long long)ms);
}

static void reads_times_with_and_without_zone(void **state)
{
	static const char iso[] = "YYYY-MM-DDThh:mm:ssfz", pg[] = "YYYY-MM-DD hh:mm:ssfz";

	(void)state;
	check_time("DD-MM-YYYY hh:mm:ss", "10-01-2025 08:00:00", MAP_WHY_NONE, 1736470800000);
	check_time("YYYY-MM-DD hh:mm:ss", "2023-01-23 08:44:13", MAP_WHY_NONE, 1674438253000);
	check_time(iso, "2023-01-23T08:44:13+07:00", MAP_WHY_NONE, 1674438253000);
	check_time(iso, "2023-01-23T08:44:13Z", MAP_WHY_NONE, 1674463453000);
	check_time(iso, "2023-01-23T08:44:13.25Z", MAP_WHY_NONE, 1674463453250);
	check_time(iso, "2023-01-23T08:44:13.1234567+0000", MAP_WHY_NONE, 1674463453123);
	check_time(iso, "2023-01-23T01:14:13-00:30", MAP_WHY_NONE, 1674438253000);
	check_time(pg, "2025-12-31 17:03:00+07", MAP_WHY_NONE, 1767175380000);
}

static void refuses_times_that_do_not_exist(void **state)
{
	static const char iso[] = "YYYY-MM-DDThh:mm:ssfz";

	(void)state;
	check_time(iso, "2023-13-40T08:44:13+07:00", MAP_WHY_NO_DAY, 0);
	check_time(iso, "2023-02-30T08:44:13+07:00", MAP_WHY_NO_DAY, 0);
	check_time(iso, "2023-00-00T08:44:13+07:00", MAP_WHY_NO_DAY, 0);
	check_time(iso, "2023-01-23T24:00:00+07:00", MAP_WHY_RANGE, 0);
	check_time(iso, "2023-01-23T23:60:00+07:00", MAP_WHY_RANGE, 0);
	check_time(iso, "2023-01-23T08:44:13", MAP_WHY_FORMAT, 0);
	check_time(iso, "2023-01-23T08:44:13.+07:00", MAP_WHY_FORMAT, 0);
	check_time(iso, "2023-01-23T08:44:13+7", MAP_WHY_FORMAT, 0);
	check_time(iso, "2023-01-23T08:44:13+19:00", MAP_WHY_FORMAT, 0);
	check_time(iso, "2023-01-23 08:44:13+07:00", MAP_WHY_FORMAT, 0);
}

static void reads_milliseconds_but_not_seconds_as_such(void **state)
{
	(void)state;
	check_time("epoch_ms", "1765007739191", MAP_WHY_NONE, 1765007739191);
	check_time("epoch_ms", "1765007739", MAP_WHY_RANGE, 0);
	check_time("epoch_ms", "-1765007739191", MAP_WHY_RANGE, 0);
	check_time("epoch_ms", "1.7E12", MAP_WHY_FORMAT, 0);
}

static void refuses_formats_without_sense(void **state)
{
	struct map_pattern p;

	(void)state;
	assert_false(adapter_map_pattern_parse("DD-MM", false, &p));
	assert_false(adapter_map_pattern_parse("DD-MM-YY", false, &p));
	assert_false(adapter_map_pattern_parse("D-M-YYYY", false, &p));
	assert_false(adapter_map_pattern_parse("DD-MM-YYYY-DD", false, &p));
	assert_false(adapter_map_pattern_parse("dd-mm-yyyy", false, &p));
	assert_false(adapter_map_pattern_parse("", false, &p));
	assert_false(adapter_map_pattern_parse("DD-MM-YYYY hh:mm", false, &p));
	assert_false(adapter_map_pattern_parse("DD-MM-YYYY", true, &p));
	assert_false(adapter_map_pattern_parse("DD--------------------------MM-YYYY", false, &p));
	assert_true(adapter_map_pattern_parse("DD-MM-YYYY hh:mm", true, &p));
}

/* ---- NIK ---- */

static void check_nik(const char *nik, enum map_why why, int64_t days, char sex)
{
	int64_t d = 0;
	char s = '?';
	enum map_why got = adapter_map_nik(bus_str(nik), 26, &d, &s);

	if (got != why || (why == MAP_WHY_NONE && (d != days || s != sex)))
		fail_msg("%s: %d, %lld, %c", nik, (int)got, (long long)d, s);
}

static void reads_date_of_birth_and_sex_from_a_nik(void **state)
{
	(void)state;
	check_nik("1406130310869001", MAP_WHY_NONE, 6119, 'L');
	check_nik("1406134310869001", MAP_WHY_NONE, 6119, 'P');
	/* With 2025 as reference year 26 is still this century's, 27 no more. */
	check_nik("1471010506269001", MAP_WHY_NONE, 20609, 'L');
	check_nik("1471010506279001", MAP_WHY_NONE, -15551, 'L');
	check_nik("1471012902009001", MAP_WHY_NONE, 11016, 'L');
	/* The place of first registration is never a defect. */
	check_nik("9999990310869001", MAP_WHY_NONE, 6119, 'L');
	check_nik("0000000310869001", MAP_WHY_NONE, 6119, 'L');
}

static void refuses_what_is_no_nik(void **state)
{
	(void)state;
	check_nik("140613031086900", MAP_WHY_LENGTH, 0, 0);
	check_nik("14061303108690011", MAP_WHY_LENGTH, 0, 0);
	check_nik("", MAP_WHY_LENGTH, 0, 0);
	check_nik("1406O30310869001", MAP_WHY_DIGITS, 0, 0);
	check_nik("1406133210869001", MAP_WHY_NIK_DATE, 0, 0);
	check_nik("1406137210869001", MAP_WHY_NIK_DATE, 0, 0);
	check_nik("1406134010869001", MAP_WHY_NIK_DATE, 0, 0);
	check_nik("1406130313869001", MAP_WHY_NIK_DATE, 0, 0);
	check_nik("1471012902019001", MAP_WHY_NIK_DATE, 0, 0);
	check_nik("0000000000000000", MAP_WHY_NIK_DATE, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_dates_as_departments_write_them),
		cmocka_unit_test(refuses_days_that_do_not_exist),
		cmocka_unit_test(refuses_other_forms),
		cmocka_unit_test(says_which_of_several_formats_took_it),
		cmocka_unit_test(reads_times_with_and_without_zone),
		cmocka_unit_test(refuses_times_that_do_not_exist),
		cmocka_unit_test(reads_milliseconds_but_not_seconds_as_such),
		cmocka_unit_test(refuses_formats_without_sense),
		cmocka_unit_test(reads_date_of_birth_and_sex_from_a_nik),
		cmocka_unit_test(refuses_what_is_no_nik),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
