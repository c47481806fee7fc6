/* Rates and hours, by clocks of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/pace.h"
#include "adapters/quiet.h"

/* Takes n rows of so many bytes one after the other, waiting as told; the time that took. */
static int64_t take(struct adapter_pace *p, int64_t now, int n, int64_t bytes)
{
	int64_t began = now;

	for (int i = 0; i < n; i++)
		now += adapter_pace_take(p, now, 1, bytes);
	return now - began;
}

static void keeps_to_the_rate_but_for_a_short_burst(void **state)
{
	struct adapter_pace p = { .rows = 500 };

	(void)state;
	assert_int_equal(take(&p, 10000000, 5000, 100), 10000000 - ADAPTER_PACE_BURST_US);
	/* After an hour of rest it is the same burst, not an hour's rows. */
	assert_int_equal(take(&p, 3700000000, 1000, 100), 2000000 - ADAPTER_PACE_BURST_US);
}

static void the_tighter_of_two_limits_holds(void **state)
{
	struct adapter_pace p = { .rows = 1000, .bytes = 10000 };

	(void)state;
	assert_int_equal(take(&p, 10000000, 1000, 100), 10000000 - ADAPTER_PACE_BURST_US);
	p = (struct adapter_pace){ .rows = 1000, .bytes = 10000 };
	assert_int_equal(take(&p, 10000000, 1000, 1), 1000000 - ADAPTER_PACE_BURST_US);
	p = (struct adapter_pace){ 0 };
	assert_int_equal(take(&p, 10000000, 1000, 1 << 20), 0);
}

#define DAY_MS INT64_C(86400000)
#define WIB(h, m) (20000 * DAY_MS + ((h)*60 + (m)-7 * 60) * INT64_C(60000))

static void quiet_hours_are_of_wib_and_may_pass_midnight(void **state)
{
	struct adapter_quiet q;

	(void)state;
	assert_int_equal(adapter_quiet_parse("07:30-16:00", &q, NULL), BUS_OK);
	assert_false(adapter_quiet_now(&q, WIB(7, 29)));
	assert_true(adapter_quiet_now(&q, WIB(7, 30)));
	assert_true(adapter_quiet_now(&q, WIB(15, 59)));
	assert_false(adapter_quiet_now(&q, WIB(16, 0)));
	assert_false(adapter_quiet_now(&q, WIB(0, 0)));
	assert_int_equal(adapter_quiet_parse("22:00-04:15", &q, NULL), BUS_OK);
	assert_true(adapter_quiet_now(&q, WIB(23, 59)));
	assert_true(adapter_quiet_now(&q, WIB(4, 14)));
	assert_false(adapter_quiet_now(&q, WIB(4, 15)));
	assert_false(adapter_quiet_now(&q, WIB(21, 59)));
	assert_int_equal(adapter_quiet_parse("00:00-24:00", &q, NULL), BUS_OK);
	assert_true(adapter_quiet_now(&q, WIB(23, 59)));
	assert_int_equal(adapter_quiet_parse("", &q, NULL), BUS_OK);
	assert_false(adapter_quiet_now(&q, WIB(12, 0)));
}

static void refuses_hours_that_are_none(void **state)
{
	static const char *const wrong[] = { "7",	    "07:30",	   "07:30-24:01",     "25:00-26:00",
					     "07:60-08:00", "08:00-08:00", "07:30-16:00 WIB", "-7:30-16:00" };
	struct adapter_quiet q;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(adapter_quiet_parse(wrong[i], &q, NULL), BUS_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_to_the_rate_but_for_a_short_burst),
		cmocka_unit_test(the_tighter_of_two_limits_holds),
		cmocka_unit_test(quiet_hours_are_of_wib_and_may_pass_midnight),
		cmocka_unit_test(refuses_hours_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
