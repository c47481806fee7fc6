#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bus/utf8.h"

/* Every code point in the three-bit patterns of RFC 3629, section 3, written here a second time. */
static size_t encode(uint32_t c, unsigned char *out)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (unsigned char)(0x80 + c % 64);
		c /= 64;
	}
	out[0] = (unsigned char)(lead[n] + c);
	return n;
}

static void takes_every_character_and_no_surrogate(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x110fff; c++) {
		unsigned char bytes[4];
		char put[4];
		size_t n = encode(c, bytes);
		size_t want = (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff ? 0 : n;

		if (bus_utf8_len((const char *)bytes, n) != want)
			fail_msg("U+%04X", (unsigned)c);
		if (want && (bus_utf8_put(c, put) != n || memcmp(put, bytes, n) != 0))
			fail_msg("U+%04X is written otherwise", (unsigned)c);
		if (n > 1 && bus_utf8_len((const char *)bytes, n - 1) != 0)
			fail_msg("U+%04X cut short", (unsigned)c);
	}
}

static void refuses_what_is_too_long_or_out_of_place(void **state)
{
	static const char *const bad[] = { "\x80",
					   "\xbf",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xe0\x9f\xbf",
					   "\xf0\x8f\xbf\xbf",
					   "\xf8\x88\x80\x80\x80",
					   "\xfe",
					   "\xff",
					   "\xc3(",
					   "\xe2\x82(",
					   "\xf0\x9f\x8c(" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(bus_utf8_len(bad[i], strlen(bad[i])), 0);
}

static void finds_where_text_ceases_to_be_utf8(void **state)
{
	char text[64];

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, 'a', sizeof(text));
		text[at] = '\xff';
		assert_int_equal(bus_utf8_ok(text, sizeof(text)), at);
		assert_int_equal(bus_utf8_ok(text, at), at);
	}
	assert_int_equal(bus_utf8_ok("caf\xc3\xa9 \xf0\x9f\x8c\x89", 10), 10);
	assert_int_equal(bus_utf8_ok("caf\xc3\xa9 \xf0\x9f\x8c\x89", 9), 6);
	assert_int_equal(bus_utf8_ok("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_character_and_no_surrogate),
		cmocka_unit_test(refuses_what_is_too_long_or_out_of_place),
		cmocka_unit_test(finds_where_text_ceases_to_be_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
