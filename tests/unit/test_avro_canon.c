/* What the vectors do not cover: numbers and characters as Java spells them. Expected values are those of
 * the Javadoc of Double.toString and of the Avro specification. */
#include "tests/support/schemas.h"

#include "schemas/avro/canon.h"

static void assert_default(const char *json, const char *want)
{
	struct bus_buf text = { 0 };
	struct bus_buf expected = { 0 };
	struct schema *s;

	bus_buf_printf(&text, "{\"type\":\"double\",\"x\":%s}", json);
	s = schema_of(bus_buf_cstr(&text));
	bus_buf_reset(&text);
	schema_to_string(s, &text);
	bus_buf_printf(&expected, "{\"type\":\"double\",\"x\":%s}", want);
	assert_string_equal(bus_buf_cstr(&text), bus_buf_cstr(&expected));
	schema_unref(&s);
	bus_buf_release(&text);
	bus_buf_release(&expected);
}

static void spells_numbers_as_java_does(void **state)
{
	(void)state;
	assert_default("0.0", "0.0");
	assert_default("-0.0", "-0.0");
	assert_default("-0", "0");
	assert_default("1e0", "1.0");
	assert_default("1.50", "1.5");
	assert_default("100.0", "100.0");
	assert_default("0.001", "0.001");
	assert_default("0.0123", "0.0123");
	assert_default("0.0001", "1.0E-4");
	assert_default("9999999.0", "9999999.0");
	assert_default("10000000.0", "1.0E7");
	assert_default("123456789.5", "1.234567895E8");
	assert_default("4.9e-324", "4.9E-324");
	assert_default("1.7976931348623157e308", "1.7976931348623157E308");
	assert_default("12345678901234567890", "12345678901234567890");
}

static void escapes_what_java_escapes(void **state)
{
	(void)state;
	assert_default("\"\\u0001\\u001f\\u007f\\/\\\"\\\\\\n\"", "\"\\u0001\\u001F\x7f/\\\"\\\\\\n\"");
}

static void fingerprints_nothing_as_the_specification_says(void **state)
{
	(void)state;
	assert_int_equal(schema_crc64((struct bus_str){ "", 0 }), UINT64_C(0xc15d213aa4d7a795));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spells_numbers_as_java_does),
		cmocka_unit_test(escapes_what_java_escapes),
		cmocka_unit_test(fingerprints_nothing_as_the_specification_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
