#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/store/keys.h"

static void keeps_each_key_once_in_the_order_they_came(void **state)
{
	struct gw_keys k = { 0 };
	char text[16];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 5000; i++) {
			snprintf(text, sizeof(text), "k%d", i * 7919 % 5000);
			assert_int_equal(gw_keys_add(&k, bus_str(text)), round == 0);
		}
	}
	assert_int_equal(k.n, 5000);
	assert_true(bus_str_is(gw_keys_at(&k, 1), "k2919"));
	gw_keys_release(&k);
}

static void orders_by_bytes_and_takes_zero_bytes_and_the_empty_key(void **state)
{
	struct gw_keys k = { 0 };
	const struct bus_str in[] = { BUS_STR("b"), BUS_STR("a\0b"), BUS_STR(""), BUS_STR("a"),
				      BUS_STR("\xc3\xa9") };
	static const uint32_t want[] = { 2, 3, 1, 0, 4 };
	uint32_t *order;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(in); i++)
		assert_true(gw_keys_add(&k, in[i]));
	order = gw_keys_order(&k);
	assert_memory_equal(order, want, sizeof(want));
	free(order);
	gw_keys_release(&k);
}

static void a_cleared_set_is_empty_whether_it_was_small_or_large(void **state)
{
	struct gw_keys k = { 0 };
	char text[64];

	(void)state;
	for (int large = 0; large < 2; large++) {
		for (int i = 0; i < (large ? 20000 : 3); i++) {
			snprintf(text, sizeof(text), "%050d", i);
			gw_keys_add(&k, bus_str(text));
		}
		gw_keys_clear(&k);
		assert_int_equal(k.n, 0);
		assert_true(gw_keys_add(&k, BUS_STR("again")));
		assert_false(gw_keys_add(&k, BUS_STR("again")));
		gw_keys_clear(&k);
	}
	gw_keys_release(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_each_key_once_in_the_order_they_came),
		cmocka_unit_test(orders_by_bytes_and_takes_zero_bytes_and_the_empty_key),
		cmocka_unit_test(a_cleared_set_is_empty_whether_it_was_small_or_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
