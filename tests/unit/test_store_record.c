#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "schemas/store/record.h"

/* Records as Confluent's registry writes them (its documentation, "Schema Registry ... _schemas", and what
 * kcat shows of such a topic). */

static struct bus_arena *arena;

static struct schema_record read_ok(const char *key, const char *value)
{
	struct schema_record r;
	struct bus_error err = { 0 };
	struct bus_str v = { NULL, 0 };

	bus_arena_reset(arena);
	if (value)
		v = bus_str(value);
	if (schema_record_read(bus_str(key), v, arena, &r, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return r;
}

static bool refused(const char *key, const char *value)
{
	struct schema_record r;
	enum bus_err rc;

	bus_arena_reset(arena);
	rc = schema_record_read(bus_str(key), bus_str(value), arena, &r, NULL);
	return rc == BUS_EDATA || rc == BUS_EPARSE;
}

static void reads_a_schema(void **state)
{
	struct schema_record r =
	    read_ok("{\"keytype\":\"SCHEMA\",\"subject\":\"Kafka-value\",\"version\":1,\"magic\":1}",
		    "{\"subject\":\"Kafka-value\",\"version\":1,\"id\":7,\"schema\":\"\\\"string\\\"\","
		    "\"deleted\":false}");

	(void)state;
	assert_int_equal(r.kind, SCHEMA_RECORD_SCHEMA);
	assert_true(bus_str_is(r.subject, "Kafka-value"));
	assert_int_equal(r.version, 1);
	assert_int_equal(r.id, 7);
	assert_false(r.deleted || r.tombstone);
	assert_true(bus_str_is(r.type, "AVRO"));
	assert_true(bus_str_is(r.text, "\"string\""));
	assert_int_equal(r.n_references, 0);
	assert_int_equal(r.extra.n, 0);
}

static void takes_any_order_of_members_and_any_magic(void **state)
{
	struct schema_record r =
	    read_ok("{\"magic\":0,\"version\":3,\"subject\":\"s\",\"keytype\":\"SCHEMA\"}",
		    "{\"deleted\":true,\"schema\":\"{}\",\"id\":2,\"schemaType\":\"JSON\"}");

	(void)state;
	assert_int_equal(r.version, 3);
	assert_true(r.deleted);
	assert_true(bus_str_is(r.type, "JSON"));
}

/* What Confluent's registry does not know it passes over; metadata and rules it sorts. GUID:
 * Schema.updateHash(), worked out with Python's hashlib. */
static void keeps_references_metadata_and_rules(void **state)
{
	struct schema_record r =
	    read_ok("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}",
		    "{\"subject\":\"s\",\"version\":1,\"id\":1,\"guid\":\"x\",\"ts\":7,\"references\":[{"
		    "\"name\":\"a.B\","
		    "\"subject\":\"b\",\"version\":4}],\"metadata\" : "
		    "{\"tags\":{},\"properties\":{\"y\":\"2\",\"x\": "
		    "\"1\\u00e9,}\"}} "
		    ",\"ruleSet\":{\"domainRules\":[{\"mode\":\"WRITE\",\"type\":\"CEL\",\"name\":\"r\"}]},"
		    "\"schema\":\"\\\"int\\\"\",\"schemaTags\":[ 1,[2] ],\"deleted\":false}");
	char guid[37];

	(void)state;
	assert_int_equal(r.n_references, 1);
	assert_string_equal(r.reference[0].name, "a.B");
	assert_string_equal(r.reference[0].subject, "b");
	assert_int_equal(r.reference[0].version, 4);
	assert_string_equal(
	    r.extra.p, "\"metadata\":{\"properties\":{\"x\":\"1\xc3\xa9,}\",\"y\":\"2\"}},\"ruleSet\":{"
		       "\"domainRules\":[{\"name\":\"r\",\"kind\":\"TRANSFORM\",\"mode\":\"WRITE\",\"type\":"
		       "\"CEL\",\"disabled\":false}]}");
	schema_guid_text(r.guid, guid);
	assert_string_equal(guid, "45234074-5f90-592f-028a-c62ce32fd277");
}

static void reads_config_mode_and_deletions(void **state)
{
	struct schema_record r;

	(void)state;
	r = read_ok("{\"keytype\":\"CONFIG\",\"subject\":null,\"magic\":0}",
		    "{\"compatibilityLevel\":\"FULL\"}");
	assert_int_equal(r.kind, SCHEMA_RECORD_CONFIG);
	assert_null(r.subject.p);
	assert_true(bus_str_is(bus_json_get(r.settings, "compatibilityLevel")->text, "FULL"));
	r = read_ok("{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0}", "{\"mode\":\"READONLY\"}");
	assert_int_equal(r.kind, SCHEMA_RECORD_MODE);
	assert_true(bus_str_is(r.subject, "s"));
	r = read_ok("{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}",
		    "{\"subject\":\"s\",\"version\":2}");
	assert_int_equal(r.kind, SCHEMA_RECORD_DELETE_SUBJECT);
	assert_int_equal(r.version, 2);
	r = read_ok("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2,\"magic\":1}", NULL);
	assert_true(r.tombstone);
	r = read_ok("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2,\"magic\":1}", "");
	assert_true(r.tombstone); /* Karapace's messaging.py */
	r = read_ok("{\"keytype\":\"NOOP\",\"magic\":0}", NULL);
	assert_int_equal(r.kind, SCHEMA_RECORD_NOOP);
	r = read_ok("{\"keytype\":\"NOOP\",\"magic\":0}", "{\"highestId\":41}");
	assert_int_equal(r.id, 41);
	r = read_ok("{\"keytype\":\"NOOP\",\"magic\":0}", "{\"highestId\":41,\"contexts\":{\".x\":3}}");
	assert_int_equal(r.n_highest, 1);
	assert_true(bus_str_is(r.highest[0].context, ".x"));
	assert_int_equal(r.highest[0].id, 3);
	r = read_ok("{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".x\",\"magic\":0}", "{}");
	assert_int_equal(r.kind, SCHEMA_RECORD_CONTEXT);
	assert_true(bus_str_is(r.subject, ".x"));
	r = read_ok("{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":null,\"magic\":0}", "{}");
	assert_int_equal(r.kind, SCHEMA_RECORD_CLEAR_SUBJECT);
	assert_null(r.subject.p);
	r = read_ok("{\"keytype\":\"ASSOC\",\"magic\":0}", "{}");
	assert_int_equal(r.kind, SCHEMA_RECORD_OTHER);
}

static void refuses_what_is_no_such_record(void **state)
{
	static const char key[] = "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}";

	(void)state;
	assert_true(refused("", "{}"));
	assert_true(refused("[]", "{}"));
	assert_true(refused("{\"subject\":\"s\"}", "{}"));
	assert_true(refused("{\"keytype\":\"SCHEMA\",\"version\":1}", "{\"id\":1,\"schema\":\"\"}"));
	assert_true(refused("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":0}", "{}"));
	assert_true(refused("{\"keytype\":\"SCHEMA\",\"subject\":\"a\\u0000b\",\"version\":1}", "{}"));
	assert_true(refused(key, "{\"id\":1}"));
	assert_true(refused(key, "{\"schema\":\"x\"}"));
	assert_true(refused(key, "{\"id\":-1,\"schema\":\"x\"}"));
	assert_true(refused(key, "{\"id\":2147483648,\"schema\":\"x\"}"));
	assert_true(refused(key, "{\"id\":1,\"schema\":{}}"));
	assert_true(refused(key, "{\"id\":1,\"schema\":\"x\",\"references\":[{\"name\":\"n\"}]}"));
	assert_true(refused(key, "not json"));
}

static void writes_keys_in_confluents_one_form(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	schema_record_key(SCHEMA_RECORD_SCHEMA, "Kafka-value", 1, &b);
	assert_string_equal(bus_buf_cstr(&b),
			    "{\"keytype\":\"SCHEMA\",\"subject\":\"Kafka-value\",\"version\":1,\"magic\":1}");
	bus_buf_reset(&b);
	schema_record_key(SCHEMA_RECORD_CONFIG, NULL, 0, &b);
	assert_string_equal(bus_buf_cstr(&b), "{\"keytype\":\"CONFIG\",\"magic\":0}"); /* since 6.2 */
	bus_buf_reset(&b);
	schema_record_key(SCHEMA_RECORD_DELETE_SUBJECT, "a\"\\<\n\x01\xc3\xa9", 0, &b);
	assert_string_equal(bus_buf_cstr(&b),
			    "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"a\\\"\\\\<\\n\\u0001\xc3\xa9\","
			    "\"magic\":0}");
	bus_buf_reset(&b);
	schema_record_key(SCHEMA_RECORD_NOOP, NULL, 0, &b);
	assert_string_equal(bus_buf_cstr(&b), "{\"keytype\":\"NOOP\",\"magic\":0}");
	bus_buf_reset(&b);
	schema_record_key(SCHEMA_RECORD_CONTEXT, ".c", 0, &b);
	assert_string_equal(
	    bus_buf_cstr(&b),
	    "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".c\",\"magic\":0}");
	bus_buf_release(&b);
}

static void what_it_writes_it_reads(void **state)
{
	struct schema_store_reference ref = { bus_xstrdup("a.B"), bus_xstrdup("b-value"), 2 };
	struct schema_version v = { .subject = bus_xstrdup("s"),
				    .version = 5,
				    .id = 9,
				    .deleted = true,
				    .text = bus_xstrdup("{\"type\":\"<\xc3\xa9\"}"),
				    .type = bus_xstrdup("JSON"),
				    .extra = bus_xstrdup("\"metadata\":{\"properties\":{\"a\":\"1\"}}"),
				    .n_references = 1 };
	struct bus_buf b = { 0 };
	struct schema_record r;

	(void)state;
	v.reference = &ref;
	schema_record_schema(&v, &b);
	r = read_ok("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":5,\"magic\":1}", bus_buf_cstr(&b));
	assert_int_equal(r.id, 9);
	assert_true(r.deleted);
	assert_true(bus_str_is(r.text, v.text));
	assert_true(bus_str_is(r.type, "JSON"));
	assert_string_equal(r.reference[0].subject, "b-value");
	assert_string_equal(r.extra.p, v.extra);
	v.reference = NULL;
	v.n_references = 0;
	free(ref.name);
	free(ref.subject);
	schema_version_release(&v);
	bus_buf_reset(&b);
	schema_record_noop(12, NULL, 0, &b);
	assert_int_equal(read_ok("{\"keytype\":\"NOOP\",\"magic\":0}", bus_buf_cstr(&b)).id, 12);
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_schema),
		cmocka_unit_test(takes_any_order_of_members_and_any_magic),
		cmocka_unit_test(keeps_references_metadata_and_rules),
		cmocka_unit_test(reads_config_mode_and_deletions),
		cmocka_unit_test(refuses_what_is_no_such_record),
		cmocka_unit_test(writes_keys_in_confluents_one_form),
		cmocka_unit_test(what_it_writes_it_reads),
	};
	int failed;

	arena = bus_arena_new(0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	bus_arena_free(&arena);
	return failed;
}
