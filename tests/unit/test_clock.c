#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <time.h>

#include "bus/clock.h"

static void writes_time_in_the_citys_zone(void **state)
{
	char buf[32];

	(void)state;
	/* date -d 2025-01-10T08:00:00+07:00 +%s */
	assert_string_equal(bus_clock_iso_wib(INT64_C(1736470800000), buf, sizeof(buf)),
			    "2025-01-10T08:00:00+07:00");
	assert_string_equal(bus_clock_iso_wib(INT64_C(1736470800123), buf, sizeof(buf)),
			    "2025-01-10T08:00:00.123+07:00");
	assert_string_equal(bus_clock_iso_wib(0, buf, sizeof(buf)), "1970-01-01T07:00:00+07:00");
	assert_string_equal(bus_clock_iso_wib(INT64_C(-25200001), buf, sizeof(buf)),
			    "1969-12-31T23:59:59.999+07:00");
}

static void stays_within_four_digits_of_year(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(bus_clock_iso_wib(INT64_MAX, buf, sizeof(buf)), "9999-12-31T23:59:59.999+07:00");
	assert_string_equal(bus_clock_iso_wib(INT64_MIN, buf, sizeof(buf)), "0000-01-01T00:00:00+07:00");
}

static void http_dates_are_the_c_librarys(void **state)
{
	char got[40], want[40];
	struct tm tm;

	(void)state;
	/* About every third week from 1970 to 9999, at other times of the day. */
	for (int64_t ms = 0; ms <= INT64_C(253402300799999); ms += INT64_C(1814461007)) {
		time_t at = (time_t)(ms / 1000);

		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &tm));
		assert_string_equal(bus_clock_http(ms, got, sizeof(got)), want);
	}
	assert_string_equal(bus_clock_http(-1, got, sizeof(got)), "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_string_equal(bus_clock_http(INT64_MAX, got, sizeof(got)), "Fri, 31 Dec 9999 23:59:59 GMT");
	assert_string_equal(bus_clock_http(0, got, 5), "Thu,");
}

static void agrees_with_the_c_library_on_dates(void **state)
{
	(void)state;
	/* Every 17th day of 1,600 years around the epoch, both ways. */
	for (int32_t days = -300000; days < 300000; days += 17) {
		time_t t = (time_t)days * 86400;
		struct tm tm;
		char want[32];
		char got[32];
		int32_t back;

		assert_non_null(gmtime_r(&t, &tm));
		strftime(want, sizeof(want), "%Y-%m-%d", &tm);
		assert_string_equal(bus_clock_iso_date(days, got, sizeof(got)), want);
		assert_true(bus_clock_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, &back));
		assert_int_equal(back, days);
	}
}

static void knows_which_days_exist(void **state)
{
	int32_t days;

	(void)state;
	assert_true(bus_clock_days(2000, 2, 29, &days));
	assert_true(bus_clock_days(2024, 2, 29, &days));
	assert_false(bus_clock_days(1900, 2, 29, &days));
	assert_false(bus_clock_days(2023, 2, 29, &days));
	assert_false(bus_clock_days(2023, 4, 31, &days));
	assert_false(bus_clock_days(2023, 0, 1, &days));
	assert_false(bus_clock_days(2023, 13, 1, &days));
	assert_false(bus_clock_days(2023, 1, 0, &days));
	assert_true(bus_clock_days(0, 2, 29, &days)); /* the year before 1, a leap year */
	assert_int_equal(days, -719469);
	assert_true(bus_clock_days(1970, 1, 1, &days));
	assert_int_equal(days, 0);
}

static void writes_any_day_an_avro_date_can_hold(void **state)
{
	char buf[32];

	(void)state;
	/* java.time.LocalDate.ofEpochDay of the same numbers */
	assert_string_equal(bus_clock_iso_date(INT32_MAX, buf, sizeof(buf)), "5881580-07-11");
	assert_string_equal(bus_clock_iso_date(INT32_MIN, buf, sizeof(buf)), "-5877641-06-23");
}

static void stands_still_when_told(void **state)
{
	(void)state;
	bus_clock_fake(1234);
	assert_int_equal(bus_clock_ms(), 1234);
	bus_clock_fake(-1);
	assert_true(bus_clock_ms() > INT64_C(1700000000000));
}

static void never_runs_backwards_when_monotonic(void **state)
{
	int64_t before = bus_clock_mono_us();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = bus_clock_mono_us();

		assert_true(now >= before);
		before = now;
	}
	assert_true(bus_clock_mono_ms() >= before / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_time_in_the_citys_zone),
		cmocka_unit_test(stays_within_four_digits_of_year),
		cmocka_unit_test(agrees_with_the_c_library_on_dates),
		cmocka_unit_test(http_dates_are_the_c_librarys),
		cmocka_unit_test(knows_which_days_exist),
		cmocka_unit_test(writes_any_day_an_avro_date_can_hold),
		cmocka_unit_test(stands_still_when_told),
		cmocka_unit_test(never_runs_backwards_when_monotonic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
