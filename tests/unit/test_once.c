#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/once.h"

static void knows_every_text_again_while_it_grows(void **state)
{
	struct adapter_once *o;
	struct bus_error err;
	bool fresh;

	(void)state;
	assert_int_equal(adapter_once_new("/tmp", &o, &err), BUS_OK);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 400000; i++) {
			char text[16];
			int n = snprintf(text, sizeof(text), "%d", i);

			assert_int_equal(
			    adapter_once_put(o, (struct bus_str){ text, (size_t)n }, &fresh, &err), BUS_OK);
			assert_true(fresh == (round == 0));
		}
	}
	assert_int_equal(adapter_once_put(o, BUS_STR(""), &fresh, &err), BUS_OK);
	assert_true(fresh);
	assert_int_equal(adapter_once_put(o, BUS_STR(""), &fresh, &err), BUS_OK);
	assert_false(fresh);
	adapter_once_free(&o);
	assert_null(o);
}

static void says_where_it_cannot_keep_them(void **state)
{
	struct adapter_once *o;
	struct bus_error err;

	(void)state;
	assert_int_equal(adapter_once_new("/tidak/ada", &o, &err), BUS_EIO);
	assert_null(o);
	assert_non_null(strstr(err.text, "/tidak/ada"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_every_text_again_while_it_grows),
		cmocka_unit_test(says_where_it_cannot_keep_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
