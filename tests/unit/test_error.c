#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "bus/error.h"

static void says_what_failed_and_why(void **state)
{
	struct bus_error err;

	(void)state;
	errno = ENOENT;
	assert_int_equal(bus_fail(&err, BUS_EIO, "cannot open '%s': %m", "x"), BUS_EIO);
	assert_int_equal(err.code, BUS_EIO);
	assert_string_equal(err.text, "cannot open 'x': No such file or directory");
}

static void returns_the_code_when_nobody_wants_the_text(void **state)
{
	(void)state;
	assert_int_equal(bus_fail(NULL, BUS_EDATA, "%d", 1), BUS_EDATA);
	assert_int_equal(bus_fail_prefix(NULL, BUS_EDATA, "%d", 1), BUS_EDATA);
}

static void cuts_a_long_text_visibly(void **state)
{
	struct bus_error err;
	char longer[1000];

	(void)state;
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	bus_fail(&err, BUS_EINVAL, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_string_equal(err.text + sizeof(err.text) - 5, "a...");
}

static void puts_the_place_before_the_reason_and_keeps_the_code(void **state)
{
	struct bus_error err;

	(void)state;
	bus_fail(&err, BUS_EPARSE, "no colon");
	assert_int_equal(bus_fail_prefix(&err, BUS_EIO, "line %d", 7), BUS_EPARSE);
	assert_string_equal(err.text, "line 7: no colon");
}

static void knows_what_may_be_tried_again(void **state)
{
	(void)state;
	assert_true(bus_err_retriable(BUS_EKAFKA));
	assert_false(bus_err_retriable(BUS_EDATA));
	assert_true(bus_err_fatal(BUS_EFATAL));
	assert_false(bus_err_fatal(BUS_EKAFKA));
	assert_string_equal(bus_err_name(BUS_ESTOPPED), "estopped");
	assert_string_equal(bus_err_name((enum bus_err)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_failed_and_why),
		cmocka_unit_test(returns_the_code_when_nobody_wants_the_text),
		cmocka_unit_test(cuts_a_long_text_visibly),
		cmocka_unit_test(puts_the_place_before_the_reason_and_keeps_the_code),
		cmocka_unit_test(knows_what_may_be_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
