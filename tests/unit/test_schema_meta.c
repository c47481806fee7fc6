#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schemas/store/record.h"

static struct bus_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = bus_arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bus_arena_free(&arena);
	return 0;
}

static const struct bus_json *json(const char *text)
{
	struct bus_json *tree = NULL;

	assert_int_equal(bus_json_parse(bus_str(text), NULL, arena, &tree, NULL), BUS_OK);
	return tree;
}

static const struct schema_metadata *metadata(const char *text)
{
	const struct schema_metadata *m;
	struct bus_error err = { 0 };

	if (schema_metadata_read(json(text), arena, &m, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return m;
}

static const struct schema_rule_set *rules(const char *text)
{
	const struct schema_rule_set *s;
	struct bus_error err = { 0 };

	if (schema_rule_set_read(json(text), arena, &s, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return s;
}

static void becomes(const struct schema_metadata *m, const struct schema_rule_set *s, const char *text)
{
	struct bus_buf b = { 0 };

	schema_meta_members(m, s, &b);
	assert_string_equal(bus_buf_cstr(&b), text);
	bus_buf_release(&b);
}

#define TEXT                                                                                                 \
	"{\"type\":\"record\",\"name\":\"myrecord\",\"fields\":[{\"type\":\"string\",\"default\":null,"      \
	"\"name\":\"f\"}]}"

/* The hashes that Confluent pins in SchemaValuesTest.testSchemaValueMD5. */
static void the_guid_is_confluents(void **state)
{
	static const int8_t bare[] = { 29, 32,	-53, -71, -27, -29, 94, -105,
				       84, -25, -38, 23,  11,  110, 93, -37 };
	static const int8_t with[] = { 22,  -15,  -20, -91, -21,  -7,  34, -77,
				       -38, -128, 33,  47,  -113, -89, 52, 46 };
	uint8_t guid[SCHEMA_GUID_LEN], back[SCHEMA_GUID_LEN];
	char text[37];

	(void)state;
	schema_record_guid(bus_str(TEXT), NULL, 0, NULL, NULL, guid);
	assert_memory_equal(guid, bare, sizeof(guid));
	schema_guid_text(guid, text);
	assert_string_equal(text, "1d20cbb9-e5e3-5e97-54e7-da170b6e5ddb");
	assert_true(schema_guid_parse(text, back));
	assert_memory_equal(back, guid, sizeof(guid));
	assert_true(schema_guid_parse("1D20cbb9e5e35e9754e7da170b6e5ddb", back));
	assert_memory_equal(back, guid, sizeof(guid));
	assert_false(schema_guid_parse("1d20cbb9-e5e3-5e97-54e7_da170b6e5ddb", back));
	assert_false(schema_guid_parse("1d20cbb9", back));
	/* Its Rule(null, null, TRANSFORM, WRITEREAD, null ..) stands in the place of migration rules. */
	schema_record_guid(bus_str(TEXT), NULL, 0, metadata("{}"), rules("{\"migrationRules\":[{}]}"), guid);
	assert_memory_equal(guid, with, sizeof(guid));
}

static void what_is_a_set_is_sorted(void **state)
{
	(void)state;
	becomes(
	    metadata(
		"{\"sensitive\":[\"b\",\"a\",\"b\"],\"unknown\":1,\"properties\":{\"z\":1,\"a\":true,\"n\":"
		"null},\"tags\":{\"q\":[\"2\",\"1\"],\"p\":[]}}"),
	    rules("{\"domainRules\":[{\"params\":{\"y\":\"1\",\"x\":\"2\"},\"tags\":[\"t\",\"s\"],\"expr\":"
		  "\"\",\"name\":"
		  "\"r\",\"disabled\":true}],\"enableAt\":\"CLIENT_AFTER_VALIDATION\"}"),
	    "\"metadata\":{\"tags\":{\"p\":[],\"q\":[\"1\",\"2\"]},\"properties\":{\"a\":\"true\",\"z\":"
	    "\"1\"},"
	    "\"sensitive\":[\"a\",\"b\"]},\"ruleSet\":{\"domainRules\":[{\"name\":\"r\",\"kind\":"
	    "\"TRANSFORM\",\"mode\":"
	    "\"WRITEREAD\",\"tags\":[\"s\",\"t\"],\"params\":{\"x\":\"2\",\"y\":\"1\"},\"disabled\":true}],"
	    "\"enableAt\":"
	    "\"CLIENT_AFTER_VALIDATION\"}");
	becomes(NULL, NULL, "");
}

/* Metadata.mergeMetadata, RuleSet.mergeRuleSets. */
static void the_newer_wins(void **state)
{
	const struct schema_metadata *m = schema_metadata_merge(
	    metadata("{\"properties\":{\"a\":\"1\",\"b\":\"1\"},\"sensitive\":[\"x\"]}"),
	    metadata("{\"properties\":{\"b\":\"2\",\"c\":\"2\"},\"tags\":{\"p\":[\"t\"]}}"), arena);
	const struct schema_rule_set *s = schema_rule_set_merge(
	    rules("{\"domainRules\":[{\"name\":\"a\",\"expr\":\"1\"},{\"name\":\"b\",\"expr\":\"1\"}],"
		  "\"enableAt\":\"X\"}"),
	    rules("{\"domainRules\":[{\"name\":\"a\",\"expr\":\"2\"},{\"name\":\"c\",\"expr\":\"2\"}]}"),
	    arena);

	(void)state;
	becomes(m, NULL,
		"\"metadata\":{\"tags\":{\"p\":[\"t\"]},\"properties\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"2\"},"
		"\"sensitive\":["
		"\"x\"]}");
#define RULE(name, expr)                                                                                     \
	"{\"name\":\"" name "\",\"kind\":\"TRANSFORM\",\"mode\":\"WRITEREAD\",\"expr\":\"" expr              \
	"\",\"disabled\":false}"
	becomes(NULL, s,
		"\"ruleSet\":{\"domainRules\":[" RULE("b", "1") "," RULE("a", "2") "," RULE(
		    "c", "2") "],\"enableAt\":"
			      "\"X\"}");
	becomes(NULL, schema_rule_set_without(s, json("[\"a\",\"none\"]"), arena),
		"\"ruleSet\":{\"domainRules\":[" RULE("b", "1") "," RULE("c", "2") "],\"enableAt\":\"X\"}");
	assert_ptr_equal(schema_metadata_merge(NULL, m, arena), m);
	becomes(schema_metadata_set(m, "b", NULL, arena), NULL,
		"\"metadata\":{\"tags\":{\"p\":[\"t\"]},\"properties\":{\"a\":\"1\",\"c\":\"2\"},"
		"\"sensitive\":[\"x\"]}");
	becomes(schema_metadata_set(NULL, "b", "3", arena), NULL,
		"\"metadata\":{\"properties\":{\"b\":\"3\"}}");
}

static void refuses(const char *text, const char *why)
{
	struct bus_error err = { 0 };

	assert_int_equal(schema_rule_set_check(rules(text), &err), BUS_EINVAL);
	assert_string_equal(err.text, why);
}

/* Texts: Confluent's RuleSet.validate and Rule.validate. */
static void bad_rules_are_refused_in_confluents_words(void **state)
{
	const struct schema_rule_set *s;

	(void)state;
	assert_int_equal(
	    schema_rule_set_check(rules("{\"migrationRules\":[{\"name\":\"a-1\",\"type\":\"CEL\",\"mode\":"
					"\"UPGRADE\"}],\"domainRules\":[{\"name\":\"_\",\"type\":\"CEL\","
					"\"onFailure\":\"NONE,ERROR\"}]}"),
				  NULL),
	    BUS_OK);
	refuses("{\"domainRules\":[{\"type\":\"CEL\"}]}", "Missing rule name");
	refuses("{\"domainRules\":[{\"name\":\"\",\"type\":\"CEL\"}]}", "Empty rule name");
	refuses("{\"domainRules\":[{\"name\":\"1a\",\"type\":\"CEL\"}]}",
		"Illegal initial character in rule name: 1a");
	refuses("{\"domainRules\":[{\"name\":\"a b\",\"type\":\"CEL\"}]}",
		"Illegal character in rule name: a b");
	refuses("{\"domainRules\":[{\"name\":\"a\"}]}", "Missing rule type");
	refuses("{\"domainRules\":[{\"name\":\"a\",\"type\":\"CEL\",\"mode\":\"UPGRADE\"}]}",
		"Domain rules can only be WRITE, READ, WRITEREAD");
	refuses("{\"migrationRules\":[{\"name\":\"a\",\"type\":\"CEL\"}]}",
		"Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN");
	refuses("{\"encodingRules\":[{\"name\":\"a\",\"type\":\"CEL\",\"mode\":\"WRITE\",\"onSuccess\":"
		"\"NONE,NONE\"}]}",
		"Multiple actions only valid with WRITEREAD and UPDOWN");
	refuses("{\"domainRules\":[{\"name\":\"a\",\"type\":\"CEL\"}],\"encodingRules\":[{\"name\":\"a\","
		"\"type\":\"CEL\"}]}",
		"Found rule with duplicate name 'a'");
	assert_int_equal(
	    schema_rule_set_read(json("{\"domainRules\":[{\"mode\":\"SIDEWAYS\"}]}"), arena, &s, NULL),
	    BUS_EDATA);
	assert_int_equal(schema_rule_set_read(json("{\"domainRules\":{}}"), arena, &s, NULL), BUS_EDATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_guid_is_confluents, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_a_set_is_sorted, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newer_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_rules_are_refused_in_confluents_words, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
