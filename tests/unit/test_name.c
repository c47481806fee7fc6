/* Expected forms are those of Python's str.upper() and split() under the city's rule 5 of reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/store/name.h"

static void two_spellings_of_a_name_get_one_form(void **state)
{
	static const char *const pair[][2] = {
		{ "  dr. h. zulkifli\xc2\xa0"
		  "amri, S.Pd",
		  "ZULKIFLI AMRI" },
		{ "M\xe2\x80\x99Natsir", "M'NATSIR" },
		{ "o`neil  de\xe2\x80\x98la", "O'NEIL DE'LA" },
		{ "Hj. Siti  Chlo\xc3\xa9", "SITI CHLO\xc3\x89" },
		{ "\xc3\xbf\xc4\xb1\xc5\xbf stra\xc3\x9f"
		  "e",
		  "\xc5\xb8IS STRASSE" },
		{ "\xc5\xa1\xc4\x8d\xc5\xbe \xc4\x81\xc5\x89", "\xc5\xa0\xc4\x8c\xc5\xbd \xc4\x80\xca\xbcN" },
		{ "H.", "" },
		{ "Prof. Dr. Ir. A", "A" },
		{ "Ir . B", "IR . B" },
		{ "", "" },
		{ "A,B", "A" },
		{ "\xe2\x80\x83"
		  "ANA\xe3\x80\x80"
		  "B ",
		  "ANA B" },
		{ "\xc2\xb5 \xc3\xb7", "\xce\x9c \xc3\xb7" },
		{ "a drs. b", "A DRS. B" },
	};
	struct bus_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(pair); i++) {
		bus_buf_reset(&b);
		gw_name_plain(bus_str(pair[i][0]), &b);
		assert_string_equal(bus_buf_cstr(&b), pair[i][1]);
	}
	bus_buf_release(&b);
}

static void bytes_that_are_no_utf8_stay_as_they_are(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	gw_name_plain(BUS_STR("a\xff\xe2\x80 b\xc3"), &b);
	assert_string_equal(bus_buf_cstr(&b), "A\xff\xe2\x80 B\xc3");
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_spellings_of_a_name_get_one_form),
		cmocka_unit_test(bytes_that_are_no_utf8_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
