#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/mem.h"
#include "gateway/export/range.h"

/* The examples of RFC 9110, 14.1.2, for a representation of 10,000 bytes; and what is none of them. */
static void ranges_are_those_of_rfc_9110(void **state)
{
	static const struct {
		const char *text;
		enum gw_range want;
		int64_t from, n;
	} range[] = {
		{ "bytes=0-499", GW_RANGE_PART, 0, 500 },
		{ "bytes=500-999", GW_RANGE_PART, 500, 500 },
		{ "bytes=-500", GW_RANGE_PART, 9500, 500 },
		{ "bytes=9500-", GW_RANGE_PART, 9500, 500 },
		{ "bytes=0-0,-1", GW_RANGE_WHOLE, 0, 0 },
		{ "bytes=0-0", GW_RANGE_PART, 0, 1 },
		{ "bytes=-1", GW_RANGE_PART, 9999, 1 },
		{ "bytes=9999-20000", GW_RANGE_PART, 9999, 1 },
		{ "bytes=-20000", GW_RANGE_PART, 0, 10000 },
		{ "bytes=10000-", GW_RANGE_OUTSIDE, 0, 0 },
		{ "bytes=10000-10001", GW_RANGE_OUTSIDE, 0, 0 },
		{ "bytes=-0", GW_RANGE_OUTSIDE, 0, 0 },
		{ NULL, GW_RANGE_WHOLE, 0, 0 },
		{ "", GW_RANGE_WHOLE, 0, 0 },
		{ "bytes=", GW_RANGE_WHOLE, 0, 0 },
		{ "bytes=-", GW_RANGE_WHOLE, 0, 0 },
		{ "bytes=5-1", GW_RANGE_WHOLE, 0, 0 },
		{ "bytes=+5-", GW_RANGE_WHOLE, 0, 0 },
		{ "bytes= 5-", GW_RANGE_WHOLE, 0, 0 },
		{ "bytes=5-6x", GW_RANGE_WHOLE, 0, 0 },
		{ "0-9", GW_RANGE_WHOLE, 0, 0 },
		{ "bytes=99999999999999999999-", GW_RANGE_OUTSIDE, 0, 0 },
		{ "bytes=0-99999999999999999999", GW_RANGE_PART, 0, 10000 },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(range); i++) {
		int64_t from = 0, n = 0;

		assert_int_equal(gw_range_of(range[i].text, 10000, &from, &n), range[i].want);
		assert_int_equal(from, range[i].from);
		assert_int_equal(n, range[i].n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ranges_are_those_of_rfc_9110) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
