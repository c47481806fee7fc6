/* What a terminal would obey. The characters are those of ECMA-48 and of Unicode's UAX #9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bus/error.h"
#include "bus/plain.h"

static void expect(const char *text, bool lines, const char *want)
{
	char have[128];

	assert_true(strlen(text) < sizeof(have));
	memcpy(have, text, strlen(text) + 1);
	bus_plain(have, strlen(have), lines);
	assert_string_equal(have, want);
}

static void what_is_harmless_stays(void **state)
{
	(void)state;
	expect("Jalan Kératon № 5\t漢字 😀", false, "Jalan Kératon № 5\t漢字 😀");
	expect("satu\ndua", true, "satu\ndua");
	expect("", false, "");
}

static void what_a_terminal_obeys_does_not(void **state)
{
	(void)state;
	expect("a\x1b[2Jb\x1b]0;x\x07"
	       "c",
	       false, "a?[2Jb?]0;x?c");
	expect("a\nb\rc\bd\x7f", false, "a?b?c?d?");
	expect("a\r\nb", true, "a?\nb");
	expect("a\xc2\x9b"
	       "2Jb",
	       false, "a??2Jb");
	expect("a\x9b"
	       "2Jb",
	       false, "a?2Jb"); /* no UTF-8: C1 as one byte */
	expect("a\xe2\x80\xae"
	       "b\xe2\x81\xa6"
	       "c\xe2\x80\xa8"
	       "d",
	       false, "a???b???c???d");
	expect("a\xc3", false, "a?");
}

static void an_error_is_harmless_whatever_it_names(void **state)
{
	struct bus_error err;

	(void)state;
	(void)bus_fail(&err, BUS_EDATA, "no table '%s'", "x\x1b[31m\nERROR");
	assert_string_equal(err.text, "no table 'x?[31m\nERROR'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_harmless_stays),
		cmocka_unit_test(what_a_terminal_obeys_does_not),
		cmocka_unit_test(an_error_is_harmless_whatever_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
