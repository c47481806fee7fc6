#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schemas/avro/canon.h"
#include "schemas/avro/normal.h"

static struct schema *parse(const char *text, const struct schema_reference *ref, size_t n)
{
	struct schema *s = NULL;
	struct bus_error err = { 0 };

	if (schema_parse(bus_str(text), SCHEMA_STRICT, ref, n, &s, &err) != BUS_OK)
		fail_msg("%s: %s", text, err.text);
	return s;
}

/* As the registry does it: normalized, parsed again, written as Java writes. */
static void becomes(const char *text, const char *normal)
{
	struct schema *s = parse(text, NULL, 0), *again;
	struct bus_buf b = { 0 }, out = { 0 };

	schema_normalize(s, SCHEMA_NORMAL_REFER, &b);
	again = parse(bus_buf_cstr(&b), NULL, 0);
	schema_to_string(again, &out);
	assert_string_equal(bus_buf_cstr(&out), normal);
	bus_buf_release(&b);
	bus_buf_release(&out);
	schema_unref(&s);
	schema_unref(&again);
}

/* Confluent's AvroSchemaTest.testNormalization and testNormalizationPreservesMetadataForPrimitiveTypes. */
static void gives_confluents_texts(void **state)
{
	(void)state;
	becomes("{\"type\":\"record\",\"name\":\"myrecord\",\"doc\":\"hi\\\"there\",\"fields\":[{\"type\":"
		"\"string\",\"name\":\"f1\",\"doc\":\"bye\\\"now\"}]}",
		"{\"type\":\"record\",\"name\":\"myrecord\",\"doc\":\"hi\\\"there\",\"fields\":[{\"name\":"
		"\"f1\",\"type\":\"string\",\"doc\":\"bye\\\"now\"}]}");
	becomes("{\"connect.name\":\"some.scope.Envelope\",\"fields\":[{\"default\":null,\"name\":\"before"
		"\",\"type\":[\"null\",{\"connect.name\":\"some.scope.Value\",\"fields\":[{\"name\":\"creat"
		"ed_at\",\"type\":{\"connect.name\":\"io.debezium.time.Timestamp\",\"connect.version\":1,\""
		"type\":\"long\"}},{\"name\":\"normal_long\",\"type\":\"long\"}],\"name\":\"Value\",\"type"
		"\":\"record\"}]},{\"default\":null,\"name\":\"after\",\"type\":[\"null\",\"Value\"]}],\"na"
		"me\":\"Envelope\",\"namespace\":\"some.scope\",\"type\":\"record\"}",
		"{\"type\":\"record\",\"name\":\"Envelope\",\"namespace\":\"some.scope\",\"fields\":[{\"nam"
		"e\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Value\",\"fields\":[{\"n"
		"ame\":\"created_at\",\"type\":{\"type\":\"long\",\"connect.name\":\"io.debezium.time.Times"
		"tamp\",\"connect.version\":1}},{\"name\":\"normal_long\",\"type\":\"long\"}],\"connect.nam"
		"e\":\"some.scope.Value\"}],\"default\":null},{\"name\":\"after\",\"type\":[\"null\",\"Valu"
		"e\"],\"default\":null}],\"connect.name\":\"some.scope.Envelope\"}");
}

/* By the rules of AvroSchemaUtils.build(): properties, aliases and the members of defaults sorted, a valid
 * logical type's own first, doubles with a point. */
static void sorts_what_has_no_order(void **state)
{
	(void)state;
	becomes("{\"type\":\"record\",\"name\":\"n.R\",\"z\":{\"b\":1,\"a\":[{\"d\":1,\"c\":2}]},\"a\":1,\""
		"aliases\":[\"B\",\"A\"],\"fields\":[{\"name\":\"d\",\"zz\":1,\"aa\":2,\"type\":{\"type\":"
		"\"bytes\",\"scale\":2,\"a\":1,\"precision\":9,\"logicalType\":\"decimal\"}},{\"name\":\"f"
		"\",\"type\":\"double\",\"default\":1,\"aliases\":[\"y\",\"x\"],\"order\":\"ignore\"},{\"na"
		"me\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"int\"},\"default\":{\"b\":1,\"a\":2}}]}",
		"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[{\"name\":\"d\",\"type"
		"\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2,\"a\":1},\""
		"aa\":2,\"zz\":1},{\"name\":\"f\",\"type\":\"double\",\"default\":1.0,\"order\":\"ignore\","
		"\"aliases\":[\"x\",\"y\"]},{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"int\"},"
		"\"default\":{\"a\":2,\"b\":1}}],\"a\":1,\"z\":{\"a\":[{\"c\":2,\"d\":1}],\"b\":1},\"aliase"
		"s\":[\"A\",\"B\"]}");
}

#define E "{\"type\":\"enum\",\"name\":\"n.E\",\"symbols\":[\"A\"]}"

static void types_of_references_are_named_or_written_out(void **state)
{
	struct schema *part = parse(E, NULL, 0);
	const struct schema_reference ref = { "n.E", part };
	struct schema *s = parse("{\"type\":\"array\",\"items\":\"n.E\"}", &ref, 1);
	struct schema *whole = parse("{\"type\":\"array\",\"items\":" E "}", NULL, 0);
	struct bus_buf a = { 0 }, b = { 0 };

	(void)state;
	schema_normalize(s, SCHEMA_NORMAL_REFER, &a);
	assert_string_equal(bus_buf_cstr(&a), "{\"type\":\"array\",\"items\":\"n.E\"}");
	bus_buf_reset(&a);
	schema_normalize(s, SCHEMA_NORMAL_WHOLE, &a);
	schema_normalize(whole, SCHEMA_NORMAL_WHOLE, &b);
	assert_string_equal(bus_buf_cstr(&a), bus_buf_cstr(&b));
	bus_buf_release(&a);
	bus_buf_release(&b);
	schema_unref(&whole);
	schema_unref(&s);
	schema_unref(&part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_confluents_texts),
		cmocka_unit_test(sorts_what_has_no_order),
		cmocka_unit_test(types_of_references_are_named_or_written_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
