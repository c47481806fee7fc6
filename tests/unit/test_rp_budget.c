/* What a reader's requests may write in a minute (gateway/restproxy/budget.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "gateway/restproxy/budget.h"

static void who_has_written_enough_waits_for_the_next_minute(void **unused)
{
	struct gw_rp_budget *b = gw_rp_budget_new(1000);

	(void)unused;
	assert_int_equal(gw_rp_budget_wait(b, "dinsos", 120000), 0);
	gw_rp_budget_take(b, "dinsos", 999, 120000);
	assert_int_equal(gw_rp_budget_wait(b, "dinsos", 120000), 0);
	gw_rp_budget_take(b, "dinsos", 5000, 121000);
	assert_int_equal(gw_rp_budget_wait(b, "dinsos", 121000), 59);
	assert_int_equal(gw_rp_budget_wait(b, "dinsos", 179999), 1);
	assert_int_equal(gw_rp_budget_wait(b, "disdik", 121000), 0);
	assert_int_equal(gw_rp_budget_wait(b, "dinsos", 180000), 0);
	gw_rp_budget_free(&b);
	assert_null(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_written_enough_waits_for_the_next_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
