/* What each has is his own, however alike the names are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "bus/shares.h"

static void names_of_the_same_hash_have_shares_of_their_own(void **state)
{
	/* the same 32 bits of FNV-1a, and so the same bucket */
	static const char *const alike[][2] = { { "costarring", "liquid" }, { "declinate", "macallums" } };
	struct bus_shares *s = bus_shares_new();

	(void)state;
	for (size_t i = 0; i < BUS_LEN(alike); i++) {
		struct bus_str a = bus_str(alike[i][0]), b = bus_str(alike[i][1]);

		assert_int_equal(bus_shares_add(s, a, 5), 5);
		assert_int_equal(bus_shares_of(s, b), 0);
		assert_int_equal(bus_shares_add(s, b, 7), 7);
		assert_int_equal(bus_shares_add(s, a, -5), 0);
		assert_int_equal(bus_shares_of(s, a), 0);
		assert_int_equal(bus_shares_of(s, b), 7);
	}
	assert_int_equal(bus_shares_of(s, BUS_STR("")), 0);
	assert_int_equal(bus_shares_add(s, BUS_STR(""), 1), 1);
	assert_int_equal(bus_shares_of(s, (struct bus_str){ "\0", 1 }), 0);
	bus_shares_free(&s);
}

static void a_thousand_come_and_go(void **state)
{
	struct bus_shares *s = bus_shares_new();
	char name[BUS_SHARE_NAME_MAX];

	(void)state;
	for (int round = 1; round <= 2; round++)
		for (int i = 0; i < 1000; i++) {
			snprintf(name, sizeof(name), "opd-%d", i);
			assert_int_equal(bus_shares_add(s, bus_str(name), i + 1), round * (i + 1));
		}
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "opd-%d", i);
		assert_int_equal(bus_shares_of(s, bus_str(name)), 2 * (i + 1));
		assert_int_equal(bus_shares_add(s, bus_str(name), -2 * (i + 1)), 0);
	}
	bus_shares_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_same_hash_have_shares_of_their_own),
		cmocka_unit_test(a_thousand_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
