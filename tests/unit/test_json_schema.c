/* JSON Schema: the metaschemas' verdicts (tests/vectors/json_schema), references, Jackson's text, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "bus/json.h"
#include "schemas/kinds/kind.h"

static enum bus_err check_with(const char *text, const struct schema_kind_reference *ref, size_t n,
			       struct bus_error *err)
{
	struct bus_buf out = { 0 };
	enum bus_err rc = schema_kind_check("JSON", bus_str(text), ref, n, 0, &out, err);

	assert_true((rc == BUS_OK) == (out.n > 0));
	bus_buf_release(&out);
	return rc;
}

static void accepts(const char *text)
{
	struct bus_error err = { 0 };

	if (check_with(text, NULL, 0, &err) != BUS_OK)
		fail_msg("%s: %s", text, err.text);
}

static void refuses(const char *text, const char *message)
{
	struct bus_error err = { 0 };

	if (check_with(text, NULL, 0, &err) != BUS_ESCHEMA)
		fail_msg("accepted: %s", text);
	if (!strstr(err.text, message))
		fail_msg("%s: '%s' does not say '%s'", text, err.text, message);
}

static void assert_text(const char *text, int flags, const char *want)
{
	struct bus_error err = { 0 };
	struct bus_buf out = { 0 };

	if (schema_kind_check("JSON", bus_str(text), NULL, 0, flags, &out, &err) != BUS_OK)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(bus_buf_cstr(&out), want);
	bus_buf_release(&out);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct bus_buf b = { 0 };
	size_t n;

	assert_non_null(f);
	do {
		bus_buf_reserve(&b, 65536);
		n = fread(b.p + b.n, 1, 65536, f);
		b.n += n;
	} while (n > 0);
	fclose(f);
	return bus_buf_take(&b, NULL);
}

static void says_of_every_keyword_what_its_metaschema_says(void **state)
{
	char *text = read_file("tests/vectors/json_schema/keywords.json");
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_json *file = NULL;
	const struct bus_json *values;
	size_t cases = 0;
	size_t wrong = 0;

	(void)state;
	assert_int_equal(bus_json_parse(bus_str(text), NULL, arena, &file, NULL), BUS_OK);
	values = bus_json_get(file, "values");
	for (const struct bus_json *row = bus_json_get(file, "rows")->first; row; row = row->next) {
		struct bus_str uri = row->first->text;
		struct bus_str keyword = row->first->next->text;
		struct bus_str verdict = row->first->next->next->text;
		size_t i = 0;

		assert_int_equal(verdict.n, values->n);
		for (const struct bus_json *v = values->first; v; v = v->next, i++, cases++) {
			bool limit = bus_str_is(keyword, "exclusiveMaximum") ||
				     bus_str_is(keyword, "exclusiveMinimum");
			char *schema = bus_xasprintf("{\"$schema\":\"%.*s\",%s\"%.*s\":%.*s}", (int)uri.n,
						     uri.p, limit ? "\"maximum\":5,\"minimum\":5," : "",
						     (int)keyword.n, keyword.p, (int)v->text.n, v->text.p);
			struct bus_error err = { 0 };

			if ((check_with(schema, NULL, 0, &err) == BUS_OK) != (verdict.p[i] == '+')) {
				print_message("%c expected: %s %s\n", verdict.p[i], schema, err.text);
				wrong++;
			}
			free(schema);
		}
	}
	assert_true(cases > 9000);
	assert_int_equal(wrong, 0);
	bus_arena_free(&arena);
	free(text);
}

/* BigDecimal's own documentation of toString, and Jackson's escapes. */
static void writes_numbers_and_strings_as_jackson(void **state)
{
	(void)state;
	assert_text("{ \"const\" : [1.23e3, 123e3, 12.3, 123e-5, 123e-10, -123e-12] }", 0,
		    "{\"const\":[1.23E+3,1.23E+5,12.3,0.00123,1.23E-8,-1.23E-10]}");
	assert_text("{\"const\":[1.0, 1.50, 0.0, -0.0, 0e5, 1e0, 10e-1, 0.000001, 0.0000001]}", 0,
		    "{\"const\":[1.0,1.50,0.0,0.0,0E+5,1,1.0,0.000001,1E-7]}");
	assert_text("{\"const\":[12345678901234567890123, -0, -7]}", 0,
		    "{\"const\":[12345678901234567890123,0,-7]}");
	assert_text("{\"title\":\"\\u00e9\\/\\\"\\\\\\n\\u001f\\u007f<&>\\u2028\"}", 0,
		    "{\"title\":\"\303\251/\\\"\\\\\\n\\u001F\177<&>\342\200\250\"}");
	assert_text(" true ", 0, "true");
	assert_text("{\"b\":1,\"a\":{\"z\":[{\"y\":1,\"x\":2}],\"A\":null}}", 0,
		    "{\"b\":1,\"a\":{\"z\":[{\"y\":1,\"x\":2}],\"A\":null}}");
}

static void normalizes_by_sorting_members_as_java_does(void **state)
{
	(void)state;
	assert_text("{\"b\":1,\"a\":{\"z\":[{\"y\":1,\"x\":2}],\"A\":null}}", SCHEMA_KIND_NORMALIZE,
		    "{\"a\":{\"A\":null,\"z\":[{\"x\":2,\"y\":1}]},\"b\":1}");
	/* U+FF5E comes after U+1F600, whose first unit is D83D. */
	assert_text("{\"\357\275\236\":1,\"\360\237\230\200\":2,\"\303\251\":3}", SCHEMA_KIND_NORMALIZE,
		    "{\"\303\251\":3,\"\360\237\230\200\":2,\"\357\275\236\":1}");
}

static void finds_what_a_reference_in_the_document_means(void **state)
{
	(void)state;
	accepts("{\"$ref\":\"#\"}");
	accepts(
	    "{\"properties\":{\"a\":{\"$ref\":\"#/definitions/A~1b%20c\"}},\"definitions\":{\"A/b c\":{}}}");
	accepts("{\"items\":[{\"$ref\":\"#/items/1\"},{\"type\":\"string\"}]}");
	accepts(
	    "{\"$ref\":\"#/components/schemas/A\",\"components\":{\"schemas\":{\"A\":{\"type\":\"null\"}}}}");
	accepts("{\"$ref\":\"#/$defs/A\",\"definitions\":{\"A\":{}}}"); /* as with Confluent */
	accepts("{\"definitions\":{\"A\":{\"$id\":\"#a\"}},\"$ref\":\"#a\"}");
	accepts("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"id\":\"http://x/y/z.json\","
		"\"items\":{\"$ref\":\"w.json#/definitions/A\"},"
		"\"definitions\":{\"q\":{\"id\":\"w.json\",\"definitions\":{\"A\":{}}}}}");
	accepts(
	    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://x.y/a/root\","
	    "\"$defs\":{\"B\":{\"$id\":\"../b\",\"$anchor\":\"here\"}},\"$ref\":\"/b#here\"}");
	accepts("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$dynamicAnchor\":\"T\","
		"\"items\":{\"$dynamicRef\":\"#T\"}}");
	accepts("{\"$ref\":\"http://json-schema.org/draft-07/schema#\"}");
	accepts("{\"properties\":{\"$ref\":{\"type\":\"string\"}}}");
	accepts("{\"const\":{\"$ref\":5},\"enum\":[{\"$ref\":\"#/nowhere\"}]}");
	refuses("{\"properties\":{\"a\":{\"$ref\":\"#/definitions/B\"}},\"definitions\":{\"A\":{}}}",
		"at '/properties/a/$ref': '#/definitions/B' leads nowhere");
	refuses("{\"$ref\":\"#/definitions/~1\",\"definitions\":{\"A\":{}}}", "leads nowhere");
	refuses("{\"items\":{\"$ref\":\"#a\"}}", "leads nowhere");
	refuses("{\"items\":{\"$ref\":\"#/%zz\"}}", "leads nowhere");
	refuses("{\"items\":{\"$ref\":\"other.json\"}}", "name it in \"references\"");
	refuses("{\"items\":{\"$ref\":\"http://example.com/x\"}}", "nothing is fetched");
	refuses("{\"items\":{\"$ref\":7}}", "at '/items/$ref': must be a string");
	refuses("{\"$ref\":\"#/x/A\",\"x\":{\"A\":{\"type\":\"text\"}}}", "at '/$ref/type': must be one of");
	refuses("{\"$ref\":\"#/title\",\"title\":\"t\"}", "a schema must be an object");
	refuses("{\"$schema\":\"https://json-schema.org/draft/2020-12/"
		"schema\",\"$defs\":{\"A\":{\"$anchor\":\"a\"},"
		"\"B\":{\"$anchor\":\"a\"}}}",
		"names another schema");
	refuses("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"#a\"}",
		"use $anchor");
}

static void finds_what_a_reference_to_another_schema_means(void **state)
{
	const struct schema_kind_reference ref[] = {
		{ "person.json",
		  BUS_STR("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"definitions\":"
			  "{\"N\":{\"id\":\"#n\",\"minimum\":1,\"exclusiveMinimum\":true}},\"other\":"
			  "{\"M\":{\"minimum\":1,\"exclusiveMinimum\":true}}}") },
		{ "http://example.com/b", BUS_STR("true") },
		{ "broken", BUS_STR("{\"type\":5}") },
	};
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(
	    check_with("{\"allOf\":[{\"$ref\":\"person.json\"},{\"$ref\":\"./person.json#/definitions/N\"},"
		       "{\"$ref\":\"person.json#n\"},{\"$ref\":\"http://example.com/b#\"}]}",
		       ref, 3, &err),
	    BUS_OK);
	/* By draft 4, in whose place the referred schema stands; and against the document's id. */
	assert_int_equal(
	    check_with("{\"$id\":\"http://example.com/a\",\"allOf\":[{\"$ref\":\"person.json#/other/M\"},"
		       "{\"$ref\":\"b\"}]}",
		       ref, 3, &err),
	    BUS_OK);
	assert_int_equal(check_with("{\"$ref\":\"person.json#/definitions/O\"}", ref, 3, &err), BUS_ESCHEMA);
	assert_int_equal(check_with("{\"$ref\":\"persona.json\"}", ref, 3, &err), BUS_ESCHEMA);
	assert_int_equal(check_with("{\"$ref\":\"broken\"}", ref, 3, &err), BUS_ESCHEMA);
	assert_non_null(strstr(err.text, "reference 'broken': at '/type'"));
}

static void refuses_patterns_that_no_dialect_takes(void **state)
{
	static const char *const good[] = { "^a+?$",	"a{2,}",	"x{,3}",     "[]a]",	 "[^-a]",
					    "(?:a|b)*", "(?=x)(?!y)",	"[\\\\w-.]", "\\\\p{L}", "a|",
					    "{a}",	"[a-z0-9_.-]+", "\\\\(",     "]" };
	static const char *const bad[] = { "(",	  "a)",	    "[a",    "*a",	"a**",
					   "a|+", "x{3,2}", "[z-a]", "[a\\\\]", "(?:a" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++) {
		char *s =
		    bus_xasprintf("{\"pattern\":\"%s\",\"patternProperties\":{\"%s\":{}}}", good[i], good[i]);

		accepts(s);
		free(s);
	}
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		char *s = bus_xasprintf("{\"pattern\":\"%s\"}", bad[i]);
		char *t = bus_xasprintf("{\"patternProperties\":{\"%s\":{}}}", bad[i]);

		refuses(s, "at '/pattern': ");
		refuses(t, "is no regular expression");
		free(s);
		free(t);
	}
}

static void says_where_it_is_no_schema(void **state)
{
	(void)state;
	refuses("{\"type\":", "not JSON: line 1, column 9");
	refuses("{\"a\":1,\"a\":2}", "not JSON: line 1");
	refuses("[]", "at '/': a schema must be an object, true or false");
	refuses("\"string\"", "a schema must be an object");
	refuses("{\"properties\":{\"a/b\":{\"anyOf\":[{},{\"type\":\"strng\"}]}}}",
		"at '/properties/a~1b/anyOf/1/type': must be one of \"array\"");
	refuses("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"exclusiveMinimum\":true}",
		"needs 'minimum' beside it");
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Under ASan: ten times slower than what runs; 50 ms there. */
static void is_done_with_hostile_schemas_soon(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_error err;
	double start = seconds();

	(void)state;
	for (int i = 0; i < 200; i++)
		bus_buf_puts(&b, "{\"not\":");
	assert_int_not_equal(check_with(bus_buf_cstr(&b), NULL, 0, &err), BUS_OK);
	bus_buf_reset(&b);
	bus_buf_puts(&b, "{\"definitions\":{");
	for (int i = 0; i < 20000; i++)
		bus_buf_printf(&b, "\"d%05d\":{},", i);
	bus_buf_puts(&b, "\"z\":{\"allOf\":[");
	for (int i = 0; i < 18000; i++)
		bus_buf_printf(&b, "{\"$ref\":\"#/definitions/d%05d\"},", 19999 - i);
	bus_buf_puts(&b, "{}]}}}");
	assert_true(b.n < SCHEMA_KIND_TEXT_MAX);
	assert_int_equal(check_with(bus_buf_cstr(&b), NULL, 0, &err), BUS_OK);
	bus_buf_reset(&b);
	bus_buf_puts(&b, "{\"required\":[");
	for (int i = 0; i < 100000; i++)
		bus_buf_printf(&b, "\"%d\",", i);
	bus_buf_puts(&b, "\"0\"]}");
	assert_int_equal(check_with(bus_buf_cstr(&b), NULL, 0, &err), BUS_ESCHEMA);
	bus_buf_reset(&b);
	bus_buf_reserve(&b, SCHEMA_KIND_TEXT_MAX + 1);
	memset(b.p, ' ', SCHEMA_KIND_TEXT_MAX + 1);
	b.n = SCHEMA_KIND_TEXT_MAX + 1;
	assert_int_equal(check_with(bus_buf_cstr(&b), NULL, 0, &err), BUS_ETOOBIG);
	assert_true(seconds() - start < 1.0);
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_of_every_keyword_what_its_metaschema_says),
		cmocka_unit_test(writes_numbers_and_strings_as_jackson),
		cmocka_unit_test(normalizes_by_sorting_members_as_java_does),
		cmocka_unit_test(finds_what_a_reference_in_the_document_means),
		cmocka_unit_test(finds_what_a_reference_to_another_schema_means),
		cmocka_unit_test(refuses_patterns_that_no_dialect_takes),
		cmocka_unit_test(says_where_it_is_no_schema),
		cmocka_unit_test(is_done_with_hostile_schemas_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
