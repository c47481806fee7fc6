/* Protobuf: protoc's verdicts (tests/vectors/protobuf), Confluent's layout, descriptors, bounds. What
 * descriptors mean is compared with protoc in tests/integration/test_schema_kinds.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "bus/json.h"
#include "schemas/kinds/kind.h"

#define P3 "syntax = \"proto3\";\npackage p;\n"

static enum bus_err check_with(const char *text, const struct schema_kind_reference *ref, size_t n, int flags,
			       struct bus_buf *out, struct bus_error *err)
{
	return schema_kind_check("PROTOBUF", bus_str(text), ref, n, flags, out, err);
}

static void assert_text(const char *text, int flags, const char *want)
{
	struct bus_error err = { 0 };
	struct bus_buf out = { 0 };

	if (check_with(text, NULL, 0, flags, &out, &err) != BUS_OK)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(bus_buf_cstr(&out), want);
	bus_buf_release(&out);
}

static void refuses(const char *text, const char *message)
{
	struct bus_error err = { 0 };
	struct bus_buf out = { 0 };

	if (check_with(text, NULL, 0, 0, &out, &err) != BUS_ESCHEMA)
		fail_msg("accepted: %s", text);
	if (!strstr(err.text, message))
		fail_msg("%s: '%s' does not say '%s'", text, err.text, message);
	assert_int_equal(out.n, 0);
}

static char *format_of(const char *format, const char *text)
{
	struct bus_error err = { 0 };
	struct bus_buf out = { 0 };

	if (schema_kind_format("PROTOBUF", format, bus_str(text), NULL, 0, &out, &err) != BUS_OK)
		fail_msg("%s: %s", text, err.text);
	return bus_buf_take(&out, NULL);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct bus_buf b = { 0 };
	size_t n;

	if (!f)
		fail_msg("cannot open %s", path);
	do {
		bus_buf_reserve(&b, 65536);
		n = fread(b.p + b.n, 1, 65536, f);
		b.n += n;
	} while (n > 0);
	fclose(f);
	return bus_buf_take(&b, NULL);
}

static void takes_and_refuses_what_protoc_does(void **state)
{
	char *text = read_file("tests/vectors/protobuf/verdicts.json");
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_json *file = NULL;
	size_t cases = 0;
	size_t wrong = 0;

	(void)state;
	assert_int_equal(bus_json_parse(bus_str(text), NULL, arena, &file, NULL), BUS_OK);
	for (const struct bus_json *c = bus_json_get(file, "cases")->first; c; c = c->next, cases++) {
		bool valid = bus_json_get(c, "valid")->type == BUS_JSON_TRUE;
		struct bus_str proto = bus_json_get(c, "text")->text;
		struct bus_error err = { 0 };
		struct bus_buf out = { 0 };
		enum bus_err rc = schema_kind_check("PROTOBUF", proto, NULL, 0, 0, &out, &err);

		if ((rc == BUS_OK) != valid) {
			print_message("%s: %.*s %s\n", valid ? "refused" : "taken", (int)proto.n, proto.p,
				      err.text);
			wrong++;
		}
		bus_buf_release(&out);
	}
	assert_true(cases > 200);
	assert_int_equal(wrong, 0);
	bus_arena_free(&arena);
	free(text);
}

/* As ProtobufSchemaUtils lays it out: messages before enums, blank lines indented, one option on the line. */
static void lays_text_out_as_confluent(void **state)
{
	(void)state;
	assert_text(
	    "// c\nsyntax='proto3'; package a.b; import 'google/protobuf/any.proto'; option java_package='x';"
	    "enum E { X=0; Y=0x10 [deprecated=true]; reserved 2, 4 to 9, 20 to max; reserved 'Z'; }"
	    "message M { message In {} E e=1; map<string,In> m=2; oneof o { int32 a=3; string b=4; }"
	    "optional int64 c=5 [deprecated=true, json_name=\"cc\"]; reserved 9 to 9, 'q'; .a.b.M n=6; }"
	    "service S { rpc G(M) returns (stream M) { option deprecated=true; } rpc H(M) returns (M); }",
	    0,
	    "syntax = \"proto3\";\n"
	    "package a.b;\n"
	    "\n"
	    "import \"google/protobuf/any.proto\";\n"
	    "\n"
	    "option java_package = \"x\";\n"
	    "\n"
	    "message M {\n"
	    "  reserved 9 to 9, \"q\";\n"
	    "\n"
	    "  E e = 1;\n"
	    "  map<string, In> m = 2;\n"
	    "  optional int64 c = 5 [\n"
	    "    deprecated = true,\n"
	    "    json_name = \"cc\"\n"
	    "  ];\n"
	    "  .a.b.M n = 6;\n"
	    "\n"
	    "  oneof o {\n"
	    "    int32 a = 3;\n"
	    "    string b = 4;\n"
	    "  }\n"
	    "\n"
	    "  message In {}\n"
	    "}\n"
	    "enum E {\n"
	    "  reserved 2, 4 to 9, 20 to max;\n"
	    "  reserved \"Z\";\n"
	    "  X = 0;\n"
	    "  Y = 16 [deprecated = true];\n"
	    "}\n"
	    "\n"
	    "service S {\n"
	    "  rpc G (M) returns (stream M) {\n"
	    "    option deprecated = true;\n"
	    "  };\n"
	    "  rpc H (M) returns (M);\n"
	    "}\n");
	assert_text("message A { message B { optional int32 x=1; oneof o { int32 y=2; } } }", 0,
		    "\n"
		    "message A {\n"
		    "  message B {\n"
		    "    optional int32 x = 1;\n"
		    "  \n"
		    "    oneof o {\n"
		    "      int32 y = 2;\n"
		    "    }\n"
		    "  }\n"
		    "}\n");
	assert_text(
	    "syntax=\"proto2\"; message A { optional string s=1 [default=\"a'\\n\\\"\"]; optional bytes b=2 "
	    "[default=\"\\377\"]; repeated group G=3 { optional int32 x=1; } extensions 5, 7 to max; }"
	    "extend A { optional int32 e=5; }",
	    0,
	    "syntax = \"proto2\";\n"
	    "\n"
	    "message A {\n"
	    "  optional string s = 1 [default = \"a\\'\\n\\\"\"];\n"
	    "  optional bytes b = 2 [default = \"\\377\"];\n"
	    "\n"
	    "  repeated group G = 3 {\n"
	    "    optional int32 x = 1;\n"
	    "  }\n"
	    "\n"
	    "  extensions 5, 7 to max;\n"
	    "}\n"
	    "\n"
	    "extend A {\n"
	    "  optional int32 e = 5;\n"
	    "}\n");
	assert_text(P3 "message A { int32 a=1 [(confluent.field_meta)={doc:'d' tags:['x','y'] params "
		       "{key:'k' value:'v'}}]; }",
		    0,
		    P3 "\n"
		       "message A {\n"
		       "  int32 a = 1 [(confluent.field_meta) = {\n"
		       "    doc: \"d\",\n"
		       "    tags: [\n"
		       "      \"x\",\n"
		       "      \"y\"\n"
		       "    ],\n"
		       "    params: {\n"
		       "      key: \"k\",\n"
		       "      value: \"v\"\n"
		       "    }\n"
		       "  }];\n"
		       "}\n");
}

static void normalizes_as_confluent(void **state)
{
	(void)state;
	assert_text(
	    "syntax='proto2'; package p; import 'google/protobuf/timestamp.proto'; import "
	    "'google/protobuf/any.proto';"
	    "option java_package='x'; option go_package='y';"
	    "message M { optional E e=9; optional google.protobuf.Any a=1 [deprecated=true, ctype=CORD];"
	    "map<int32, N> m=4; oneof late { int32 l=8; int32 k=7; } oneof early { N n=6; } reserved 30, 20 "
	    "to 22, 25 to 25;"
	    "reserved 'z', 'y'; message N {} }"
	    "enum E { B=2; A=1; option allow_alias=true; C=1; }",
	    SCHEMA_KIND_NORMALIZE,
	    "package p;\n"
	    "\n"
	    "import \"google/protobuf/any.proto\";\n"
	    "import \"google/protobuf/timestamp.proto\";\n"
	    "\n"
	    "option go_package = \"y\";\n"
	    "option java_package = \"x\";\n"
	    "\n"
	    "message M {\n"
	    "  reserved 20 to 22;\n"
	    "  reserved 25;\n"
	    "  reserved 30;\n"
	    "  reserved \"y\";\n"
	    "  reserved \"z\";\n"
	    "\n"
	    "  optional .google.protobuf.Any a = 1 [\n"
	    "    ctype = CORD,\n"
	    "    deprecated = true\n"
	    "  ];\n"
	    "  map<int32, .p.M.N> m = 4;\n"
	    "  optional .p.E e = 9;\n"
	    "\n"
	    "  oneof early {\n"
	    "    .p.M.N n = 6;\n"
	    "  }\n"
	    "  oneof late {\n"
	    "    int32 k = 7;\n"
	    "    int32 l = 8;\n"
	    "  }\n"
	    "\n"
	    "  message N {}\n"
	    "}\n"
	    "enum E {\n"
	    "  option allow_alias = true;\n"
	    "  A = 1;\n"
	    "  C = 1;\n"
	    "  B = 2;\n"
	    "}\n");
	/* What a descriptor says of a map is a map again. */
	assert_text(P3 "message A { repeated .p.A.MEntry m=1; message MEntry { option map_entry=true; string "
		       "key=1; A value=2; } }",
		    SCHEMA_KIND_NORMALIZE,
		    P3 "\n"
		       "message A {\n"
		       "  map<string, .p.A> m = 1;\n"
		       "}\n");
}

/* The bytes are those of Python's google.protobuf for
 * syntax = "proto3"; package p; message A { map<string, int32> m = 1; optional string s = 2; oneof o { bool b
 * = 3; } } as its generated module holds them (no json_name). */
static void reads_a_descriptor_in_base64(void **state)
{
	static const char descriptor[] =
	    "Cg10eXBlcy1kLnByb3RvEgFwIm0KAUESFgoBbRgBIAMoCzILLnAuQS5NRW50cnkSDgoBcxgCIAEoCUgBiAEBEgsKAWIYAyAB"
	    "KAhIABooCgZNRW50cnkSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgFOgI4AUIDCgFvQgQKAl9zYgZwcm90bzM=";

	(void)state;
	assert_text(descriptor, 0,
		    P3 "\n"
		       "message A {\n"
		       "  repeated .p.A.MEntry m = 1;\n"
		       "  optional string s = 2;\n"
		       "\n"
		       "  oneof o {\n"
		       "    bool b = 3;\n"
		       "  }\n"
		       "\n"
		       "  message MEntry {\n"
		       "    option map_entry = true;\n"
		       "  \n"
		       "    string key = 1;\n"
		       "    int32 value = 2;\n"
		       "  }\n"
		       "}\n");
	refuses("AAAA", "descriptor");
	/* Of protoc --encode; the first three protoc refuses too, the others have no text that says the same. */
	refuses("Ig4KAUESCQoBeRgCIAIoBWIGcHJvdG8z", "a label that it cannot have"); /* required in proto3 */
	refuses("IhUKAUESCwoBeRgCIAMoBUgAQgMKAW9iBnByb3RvMw==", "a label");	    /* repeated in a oneof */
	refuses("IhQKAUESDwoBeRgCIAEoCDoEdHJ1X2IGcHJvdG8y", "default_value");	    /* bool: tru_ */
	refuses("IhUKAUESEAoBeRgCIAEoAToFMS4yLjNiBnByb3RvMg==", "default_value");   /* double: 1.2.3 */
	refuses("Ih0KAUESEwoFb3RoZXIYAiABKAoyBC5BLkcaAwoBR2IGcHJvdG8y", "another name"); /* group G other */
	refuses("IgkKB21lc3NhZ2UiFwoBQRISCgF5GAIgASgLMgdtZXNzYWdlYgZwcm90bzM=",
		"field"); /* of type message */
	refuses("not base64 nor proto", "stands where");
	refuses("notbase64", "neither .proto text nor");
}

static void text_and_descriptor_say_the_same(void **state)
{
	static const char *const file[] = { "everything2.proto", "everything3.proto", "nopackage.proto",
					    "scopes.proto", "unicode.proto" };
	char *options = read_file("tests/vectors/protobuf/good/city/options.proto");
	const struct schema_kind_reference ref = { "city/options.proto", bus_str(options) };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(file); i++) {
		char *path = bus_xasprintf("tests/vectors/protobuf/good/%s", file[i]);
		char *text = read_file(path);
		struct bus_buf canonical = { 0 };
		struct bus_buf again = { 0 };
		struct bus_buf serialized = { 0 };
		struct bus_buf back = { 0 };
		struct bus_buf normal = { 0 };
		struct bus_error err = { 0 };

		if (check_with(text, &ref, 1, 0, &canonical, &err) != BUS_OK)
			fail_msg("%s: %s", path, err.text);
		assert_int_equal(check_with(bus_buf_cstr(&canonical), &ref, 1, 0, &again, &err), BUS_OK);
		assert_string_equal(bus_buf_cstr(&again), bus_buf_cstr(&canonical));
		assert_int_equal(check_with(text, &ref, 1, SCHEMA_KIND_NORMALIZE, &normal, &err), BUS_OK);
		bus_buf_reset(&again);
		assert_int_equal(
		    check_with(bus_buf_cstr(&normal), &ref, 1, SCHEMA_KIND_NORMALIZE, &again, &err), BUS_OK);
		assert_string_equal(bus_buf_cstr(&again), bus_buf_cstr(&normal));
		/* The same schema by another way: text -> descriptor -> text -> descriptor. */
		assert_int_equal(
		    schema_kind_format("PROTOBUF", "serialized", bus_str(text), &ref, 1, &serialized, &err),
		    BUS_OK);
		if (check_with(bus_buf_cstr(&serialized), &ref, 1, 0, &back, &err) != BUS_OK)
			fail_msg("%s: %s", path, err.text);
		bus_buf_release(&canonical);
		bus_buf_release(&again);
		bus_buf_release(&serialized);
		bus_buf_release(&back);
		bus_buf_release(&normal);
		free(text);
		free(path);
	}
	free(options);
}

static void finds_types_of_references_and_says_which_is_missing(void **state)
{
	const struct schema_kind_reference ref[] = {
		{ "b.proto",
		  BUS_STR("syntax = \"proto3\"; package b; import public \"c.proto\"; message B {}") },
		{ "c.proto", BUS_STR("syntax = \"proto3\"; package c; message C {}") },
	};
	const char *text = "syntax = \"proto3\"; import \"b.proto\"; message A { b.B b = 1; c.C c = 2; }";
	struct bus_buf out = { 0 };
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(check_with(text, ref, 2, 0, &out, &err), BUS_OK);
	bus_buf_reset(&out);
	assert_int_equal(check_with(text, ref, 1, 0, &out, &err), BUS_ESCHEMA);
	assert_non_null(strstr(err.text, "'c.proto' is imported by 'b.proto' and not given"));
	assert_int_equal(check_with(text, NULL, 0, 0, &out, &err), BUS_ESCHEMA);
	assert_string_equal(err.text,
			    "line 1, column 27: 'b.proto' is imported and not given: register it and name it "
			    "in \"references\"");
	assert_int_equal(
	    check_with("syntax = \"proto3\"; import \"google/protobuf/any.proto\"; message A { b.B b = 1; }",
		       ref, 2, 0, &out, &err),
	    BUS_ESCHEMA);
	bus_buf_release(&out);
}

static void gives_other_formats(void **state)
{
	static const char text[] = P3 "import \"google/protobuf/descriptor.proto\";\n"
				      "extend google.protobuf.FieldOptions { int32 n = 50001; }\n"
				      "message A { int32 a = 1 [(n) = 5, deprecated = true]; }";
	char *ignored = format_of("ignore_extensions", text);
	char *plain = format_of("", text);
	char *unknown = format_of("no_such_format", text);

	(void)state;
	assert_string_equal(ignored, P3 "\nimport \"google/protobuf/descriptor.proto\";\n\nmessage A {\n"
					"  int32 a = 1 [deprecated = true];\n}\n");
	assert_non_null(strstr(plain, "(n) = 5"));
	assert_string_equal(plain, unknown);
	free(ignored);
	free(plain);
	free(unknown);
}

static void says_where_and_what_would_mend_it(void **state)
{
	(void)state;
	refuses("syntax = \"proto3\";\nmessage A {\n  Nowhere a = 1;\n}",
		"line 3, column 11: 'Nowhere' is not defined");
	refuses("message A { int32 a = 1; }", "begins with optional, required or repeated");
	refuses("edition = \"2023\";", "editions are not taken");
	refuses("// nothing\n;", "defines nothing");
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void hostile(struct bus_buf *b, enum bus_err want)
{
	struct bus_buf out = { 0 };
	struct bus_error err = { 0 };
	double start = seconds();
	enum bus_err rc = schema_kind_check("PROTOBUF", bus_buf_str(b), NULL, 0, 0, &out, &err);

	if (rc != want)
		fail_msg("%.60s...: %s %s", b->p, bus_err_name(rc), err.text);
	/* Under ASan: ten times slower than what runs, and other tests run beside this one. */
	if (seconds() - start > 2)
		fail_msg("%.60s...: %f s", b->p, seconds() - start);
	bus_buf_release(&out);
	bus_buf_reset(b);
}

static void is_done_with_hostile_schemas_soon(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		bus_buf_printf(&b, "message M%d {", i);
	hostile(&b, BUS_ESCHEMA);
	bus_buf_puts(&b, P3 "message A {");
	for (int i = 1; i < 15000; i++)
		bus_buf_printf(&b, "A f%d=%d;", i, i);
	bus_buf_puts(&b, "}");
	hostile(&b, BUS_OK);
	bus_buf_puts(&b, P3 "enum E { Z=0;");
	for (int i = 1; i < 40000; i++)
		bus_buf_printf(&b, "V%d=%d;", i, i);
	bus_buf_puts(&b, "}");
	hostile(&b, BUS_OK);
	bus_buf_puts(&b, P3);
	for (int i = 1; i < 60000; i++)
		bus_buf_puts(&b, "option a=1;");
	hostile(&b, BUS_ESCHEMA);
	bus_buf_puts(&b, P3 "option java_package = {");
	for (int i = 1; i < 1000; i++)
		bus_buf_puts(&b, "a{");
	hostile(&b, BUS_ESCHEMA);
	bus_buf_puts(&b, "message A { reserved 1");
	for (int i = 1; i < 100000; i++)
		bus_buf_printf(&b, ",%d", i * 2 + 1);
	bus_buf_puts(&b, "; }");
	hostile(&b, BUS_OK);
	bus_buf_puts(&b, "message ");
	for (int i = 0; i < 1000000; i++)
		bus_buf_putc(&b, 'a');
	bus_buf_puts(&b, " { optional A");
	hostile(&b, BUS_ESCHEMA);
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_and_refuses_what_protoc_does),
		cmocka_unit_test(lays_text_out_as_confluent),
		cmocka_unit_test(normalizes_as_confluent),
		cmocka_unit_test(reads_a_descriptor_in_base64),
		cmocka_unit_test(text_and_descriptor_say_the_same),
		cmocka_unit_test(finds_types_of_references_and_says_which_is_missing),
		cmocka_unit_test(gives_other_formats),
		cmocka_unit_test(says_where_and_what_would_mend_it),
		cmocka_unit_test(is_done_with_hostile_schemas_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
