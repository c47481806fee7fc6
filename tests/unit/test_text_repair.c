#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/text_repair.h"

static void decodes(enum adapter_encoding encoding, const char *from, const char *to, bool repaired)
{
	struct adapter_text t;

	adapter_text_init(&t, encoding);
	assert_int_equal(adapter_text_row(&t, bus_str(from)), repaired);
	assert_true(bus_str_is(adapter_text_decode(&t, bus_str(from)), to));
	adapter_text_release(&t);
}

static void leaves_ascii_and_valid_utf8_where_they_stand(void **state)
{
	static const char text[] =
	    "NO\xc3\x8bL \xe2\x80\x99 \xf0\x9f\x98\x80 and a longer piece of plain text";
	struct adapter_text t;

	(void)state;
	adapter_text_init(&t, ADAPTER_UTF8);
	assert_false(adapter_text_row(&t, bus_str(text)));
	assert_ptr_equal(adapter_text_decode(&t, bus_str(text)).p, text);
	adapter_text_release(&t);
	decodes(ADAPTER_LATIN_1, "plain", "plain", false);
}

static void reads_each_bad_byte_as_windows_1252_and_keeps_valid_sequences(void **state)
{
	(void)state;
	decodes(ADAPTER_UTF8, "NO\xcbL \xc3\x8b", "NO\xc3\x8bL \xc3\x8b", true);
	decodes(ADAPTER_UTF8, "\xe2\x80", "\xc3\xa2\xe2\x82\xac",
		/* a sequence cut short: U+00E2 U+20AC; an overlong form; a surrogate */
		true);
	decodes(ADAPTER_UTF8, "\xc0\xaf", "\xc3\x80\xc2\xaf", true);
	decodes(ADAPTER_UTF8, "\xed\xa0\x80", "\xc3\xad\xc2\xa0\xe2\x82\xac", true);
	decodes(ADAPTER_UTF8, "12345678\xa0", "12345678\xc2\xa0", true);
}

/* The table at https://encoding.spec.whatwg.org/index-windows-1252.txt: some of it, and all undefined bytes.
 */
static void knows_windows_1252(void **state)
{
	static const struct {
		unsigned char byte;
		const char *utf8;
	} table[] = {
		{ 0x80, "\xe2\x82\xac" }, { 0x81, "\xc2\x81" },	    { 0x82, "\xe2\x80\x9a" },
		{ 0x83, "\xc6\x92" },	  { 0x85, "\xe2\x80\xa6" }, { 0x88, "\xcb\x86" },
		{ 0x8a, "\xc5\xa0" },	  { 0x8d, "\xc2\x8d" },	    { 0x8e, "\xc5\xbd" },
		{ 0x8f, "\xc2\x8f" },	  { 0x90, "\xc2\x90" },	    { 0x91, "\xe2\x80\x98" },
		{ 0x92, "\xe2\x80\x99" }, { 0x93, "\xe2\x80\x9c" }, { 0x96, "\xe2\x80\x93" },
		{ 0x99, "\xe2\x84\xa2" }, { 0x9d, "\xc2\x9d" },	    { 0x9e, "\xc5\xbe" },
		{ 0x9f, "\xc5\xb8" },	  { 0xa0, "\xc2\xa0" },	    { 0xc9, "\xc3\x89" },
		{ 0xff, "\xc3\xbf" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(table); i++) {
		char from[2] = { (char)table[i].byte, '\0' };

		decodes(ADAPTER_WINDOWS_1252, from, table[i].utf8, false);
	}
	decodes(ADAPTER_LATIN_1, "\x80\x9f\xe9", "\xc2\x80\xc2\x9f\xc3\xa9", false);
	decodes(ADAPTER_WINDOWS_1252, "\xc3\xa9", "\xc3\x83\xc2\xa9", false);
}

static void undoubles_quotes(void **state)
{
	struct adapter_text t;

	(void)state;
	adapter_text_init(&t, ADAPTER_UTF8);
	assert_true(adapter_text_row(&t, BUS_STR("\"\"a\"\"\"\"\xe9")));
	assert_true(
	    bus_str_is(adapter_text_unquote(&t, BUS_STR("\"\"a\"\"\"\"\xe9"), '"'), "\"a\"\"\xc3\xa9"));
	adapter_text_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_ascii_and_valid_utf8_where_they_stand),
		cmocka_unit_test(reads_each_bad_byte_as_windows_1252_and_keeps_valid_sequences),
		cmocka_unit_test(knows_windows_1252),
		cmocka_unit_test(undoubles_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
