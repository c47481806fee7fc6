#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bus/base64url.h"

static void writes_the_vectors_of_rfc_4648_without_padding(void **state)
{
	/* RFC 4648 section 10, padding taken away; the last two differ between base64 and base64url. */
	static const char *const vector[][2] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff", "-_8" },
		{ "\xff\xef\xbe", "_---" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(vector); i++) {
		struct bus_buf text = { 0 }, bytes = { 0 };

		bus_base64url_put(&text, vector[i][0], strlen(vector[i][0]));
		assert_string_equal(bus_buf_cstr(&text), vector[i][1]);
		assert_true(bus_base64url_read(bus_str(vector[i][1]), &bytes));
		assert_string_equal(bus_buf_cstr(&bytes), vector[i][0]);
		bus_buf_release(&text);
		bus_buf_release(&bytes);
	}
}

static void refuses_what_is_no_base64url(void **state)
{
	/* padding, the other alphabet, white space, a lone digit, bits left over */
	static const char *const bad[] = { "Zg==",  "+/8", "Zm 9v", "Zm9v\n",	"Z",
					   "Zm9vY", "Zh",  "Zm9",   "Z\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		struct bus_buf bytes = { 0 };

		assert_false(bus_base64url_read(bus_str(bad[i]), &bytes));
		bus_buf_release(&bytes);
	}
}

static void a_nul_among_the_digits_is_refused(void **state)
{
	struct bus_buf bytes = { 0 };

	(void)state;
	assert_false(bus_base64url_read(BUS_STR("Zm\0v"), &bytes));
	bus_buf_release(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_vectors_of_rfc_4648_without_padding),
		cmocka_unit_test(refuses_what_is_no_base64url),
		cmocka_unit_test(a_nul_among_the_digits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
