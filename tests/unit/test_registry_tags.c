#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schemas/registry/registry.h"

static struct bus_arena *arena;

static const struct bus_json *json(const char *text)
{
	struct bus_json *tree = NULL;

	assert_int_equal(bus_json_parse(bus_str(text), NULL, arena, &tree, NULL), BUS_OK);
	return tree;
}

static void changes(const char *text, const char *add, const char *remove, const char *wanted)
{
	struct bus_buf out = { 0 };
	struct bus_error err = { 0 };

	arena = bus_arena_new(0);
	if (schema_tags_change(text, add ? json(add) : NULL, remove ? json(remove) : NULL, arena, &out,
			       &err) != BUS_OK)
		fail_msg("%s", err.text);
	assert_string_equal(bus_buf_cstr(&out), wanted);
	bus_buf_release(&out);
	bus_arena_free(&arena);
}

#define BASE                                                                                                 \
	"{\"type\":\"record\",\"name\":\"sampleRecord\",\"namespace\":\"com.example.mynamespace\","          \
	"\"fields\":[{\"name\":\"my_field1\",\"type\":{\"type\":\"record\",\"name\":\"nestedRecordW"         \
	"ithoutNamespace\",\"fields\":[{\"name\":\"nested_field1\",\"type\":\"string\"},{\"name\":"          \
	"\"nested_field2\",\"type\":\"double\",\"default\":0,\"confluent:tags\":[\"PRIVATE\"]}]}},{"         \
	"\"name\":\"my_field2\",\"type\":{\"type\":\"record\",\"name\":\"nestedRecordWithNamespace"          \
	"\",\"namespace\":\"com.example.mynamespace.nested\",\"fields\":[{\"name\":\"nested_field1"          \
	"\",\"type\":\"string\"},{\"name\":\"nested_field2\",\"type\":\"double\",\"default\":0,\"co"         \
	"nfluent:tags\":[\"PRIVATE\"]}]}},{\"name\":\"my_field3\",\"type\":\"double\",\"doc\":\"d\""         \
	"}]}"
#define TAGGED                                                                                               \
	"{\"type\":\"record\",\"name\":\"sampleRecord\",\"namespace\":\"com.example.mynamespace\","          \
	"\"fields\":[{\"name\":\"my_field1\",\"type\":{\"type\":\"record\",\"name\":\"nestedRecordW"         \
	"ithoutNamespace\",\"fields\":[{\"name\":\"nested_field1\",\"type\":\"string\",\"confluent:"         \
	"tags\":[\"PII\"]},{\"name\":\"nested_field2\",\"type\":\"double\",\"default\":0,\"confluen"         \
	"t:tags\":[\"PRIVATE\"]}]}},{\"name\":\"my_field2\",\"type\":{\"type\":\"record\",\"name\":"         \
	"\"nestedRecordWithNamespace\",\"namespace\":\"com.example.mynamespace.nested\",\"fields\":"         \
	"[{\"name\":\"nested_field1\",\"type\":\"string\"},{\"name\":\"nested_field2\",\"type\":\"d"         \
	"ouble\",\"default\":0,\"confluent:tags\":[\"PRIVATE\",\"PII\"]}],\"confluent:tags\":[\"PII"         \
	"\"]}},{\"name\":\"my_field3\",\"type\":\"double\",\"doc\":\"d\",\"confluent:tags\":[\"PII"          \
	"\"]}],\"confluent:tags\":[\"PII\"]}"
#define CHANGES                                                                                              \
	"[{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.nestedRecordWithoutNamespace."         \
	"nested_field1\",\"entityType\":\"sr_field\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"enti"         \
	"tyPath\":\"com.example.mynamespace.nested.nestedRecordWithNamespace.nested_field2\",\"enti"         \
	"tyType\":\"sr_field\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"entityPath\":\".com.exampl"         \
	"e.mynamespace.sampleRecord.my_field3\",\"entityType\":\"sr_field\"},\"tags\":[\"PII\"]},{"          \
	"\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.sampleRecord\",\"entityType\":"          \
	"\"sr_record\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.mynames"         \
	"pace.nested.nestedRecordWithNamespace\",\"entityType\":\"sr_record\"},\"tags\":[\"PII\"]}]"

/* Confluent's AvroSchemaTest.testBasicAddAndRemoveTags and testAddBeforeRemoveTags. */
static void adds_and_takes_away_by_path(void **state)
{
	(void)state;
	changes(BASE, CHANGES, NULL, TAGGED);
	changes(TAGGED, NULL, CHANGES, BASE);
	changes("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"f\",\"type\":\"string\",\"conf"
		"luent:tags\":[\"EXISTING\"]}]}",
		"[{\"schemaEntity\":{\"entityPath\":\"r.f\",\"entityType\":\"sr_field\"},\"tags\":[\"OVERLA"
		"P\",\"NEW\"]}]",
		"[{\"schemaEntity\":{\"entityPath\":\"r.f\",\"entityType\":\"sr_field\"},\"tags\":[\"OVERLA"
		"P\",\"EXISTING\"]}]",
		"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"f\",\"type\":\"string\",\"conf"
		"luent:tags\":[\"NEW\"]}]}");
}

static void refuses_paths_that_lead_nowhere(void **state)
{
	static const char *const bad[] = {
		"[{\"schemaEntity\":{\"entityPath\":\"none.there\",\"entityType\":\"sr_field\"},\"tags\":["
		"\"x\"]}]",
		"[{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.sampleRecord.my_field9\",\"en"
		"tityType\":\"sr_field\"},\"tags\":[\"x\"]}]",
		"[{}]", "[1]"
	};
	struct bus_error err;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		struct bus_buf out = { 0 };

		arena = bus_arena_new(0);
		assert_int_equal(schema_tags_change(BASE, json(bad[i]), NULL, arena, &out, &err),
				 BUS_ESCHEMA);
		if (i == 0)
			assert_string_equal(err.text, "No matching path 'none.there' found in the schema");
		bus_buf_release(&out);
		bus_arena_free(&arena);
	}
}

static void lists(const char *name, const char *wanted)
{
	struct schema *s = NULL;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	assert_int_equal(schema_parse(bus_str(TAGGED), SCHEMA_STRICT, NULL, 0, &s, NULL), BUS_OK);
	schema_tags_list(s, &name, name ? 1 : 0, &j);
	assert_string_equal(bus_buf_cstr(&b), wanted);
	bus_buf_release(&b);
	schema_unref(&s);
}

static void lists_what_is_tagged(void **state)
{
	(void)state;
	lists("PII",
	      "[{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.sampleRecord\",\"entityType\""
	      ":\"sr_record\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.myname"
	      "space.nestedRecordWithoutNamespace.nested_field1\",\"entityType\":\"sr_field\"},\"tags\":["
	      "\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.nested.nestedRecordW"
	      "ithNamespace\",\"entityType\":\"sr_record\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"enti"
	      "tyPath\":\"com.example.mynamespace.nested.nestedRecordWithNamespace.nested_field2\",\"enti"
	      "tyType\":\"sr_field\"},\"tags\":[\"PRIVATE\",\"PII\"]},{\"schemaEntity\":{\"entityPath\":"
	      "\"com.example.mynamespace.sampleRecord.my_field3\",\"entityType\":\"sr_field\"},\"tags\":["
	      "\"PII\"]}]");
	lists("*",
	      "[{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.sampleRecord\",\"entityType\""
	      ":\"sr_record\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.myname"
	      "space.nestedRecordWithoutNamespace.nested_field1\",\"entityType\":\"sr_field\"},\"tags\":["
	      "\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.nestedRecordWithoutN"
	      "amespace.nested_field2\",\"entityType\":\"sr_field\"},\"tags\":[\"PRIVATE\"]},{\"schemaEnt"
	      "ity\":{\"entityPath\":\"com.example.mynamespace.nested.nestedRecordWithNamespace\",\"entit"
	      "yType\":\"sr_record\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example"
	      ".mynamespace.nested.nestedRecordWithNamespace.nested_field2\",\"entityType\":\"sr_field\"}"
	      ",\"tags\":[\"PRIVATE\",\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespa"
	      "ce.sampleRecord.my_field3\",\"entityType\":\"sr_field\"},\"tags\":[\"PII\"]}]");
	lists(NULL,
	      "[{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.sampleRecord\",\"entityType\""
	      ":\"sr_record\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.myname"
	      "space.nestedRecordWithoutNamespace.nested_field1\",\"entityType\":\"sr_field\"},\"tags\":["
	      "\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespace.nestedRecordWithoutN"
	      "amespace.nested_field2\",\"entityType\":\"sr_field\"},\"tags\":[\"PRIVATE\"]},{\"schemaEnt"
	      "ity\":{\"entityPath\":\"com.example.mynamespace.nested.nestedRecordWithNamespace\",\"entit"
	      "yType\":\"sr_record\"},\"tags\":[\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example"
	      ".mynamespace.nested.nestedRecordWithNamespace.nested_field2\",\"entityType\":\"sr_field\"}"
	      ",\"tags\":[\"PRIVATE\",\"PII\"]},{\"schemaEntity\":{\"entityPath\":\"com.example.mynamespa"
	      "ce.sampleRecord.my_field3\",\"entityType\":\"sr_field\"},\"tags\":[\"PII\"]}]");
	lists("NONE", "[]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_and_takes_away_by_path),
		cmocka_unit_test(refuses_paths_that_lead_nowhere),
		cmocka_unit_test(lists_what_is_tagged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
