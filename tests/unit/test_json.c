#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "bus/json.h"

static const struct bus_json_limits small = { .depth = 4, .text = 16 };

/* Every token of the text as `type text` in words, the text fed in pieces of the given size; then the
 * outcome. */
static void pull(struct bus_buf *out, struct bus_str text, size_t piece, const struct bus_json_limits *limits,
		 struct bus_error *err)
{
	static const char *const word[] = { "null", "false", "true", "number", "string", "{",
					    "[",    "}",     "]",    "name",   "more",	 "end" };
	struct bus_json_puller *j = bus_json_puller_new(limits);
	enum bus_json_type type;
	struct bus_str token;
	size_t at = 0;
	char *copy = NULL; /* of the piece alone, so that reading past it is seen */

	bus_buf_reset(out);
	for (;;) {
		if (bus_json_next(j, &type, &token, err) != BUS_OK) {
			bus_buf_puts(out, err->code == BUS_ETOOBIG ? "toobig" : "error");
			break;
		}
		if (type == BUS_JSON_MORE) {
			size_t n = text.n - at < piece ? text.n - at : piece;

			free(copy);
			copy = bus_xmalloc(n + (n == 0));
			if (n > 0)
				memcpy(copy, text.p + at, n);
			at += n;
			bus_json_feed(j, copy, n, at == text.n);
			continue;
		}
		bus_buf_puts(out, word[type]);
		if (type == BUS_JSON_NUMBER || type == BUS_JSON_STRING || type == BUS_JSON_NAME) {
			bus_buf_putc(out, ' ');
			bus_buf_put(out, token.p, token.n);
		}
		if (type == BUS_JSON_END)
			break;
		bus_buf_putc(out, '\n');
	}
	free(copy);
	bus_json_puller_free(&j);
}

/* The same listing from the tree. */
static void list(struct bus_buf *out, const struct bus_json *v, bool named)
{
	if (named) {
		bus_buf_puts(out, "name ");
		bus_buf_put(out, v->name.p, v->name.n);
		bus_buf_putc(out, '\n');
	}
	switch (v->type) {
	case BUS_JSON_NUMBER:
	case BUS_JSON_STRING:
		bus_buf_puts(out, v->type == BUS_JSON_NUMBER ? "number " : "string ");
		bus_buf_put(out, v->text.p, v->text.n);
		bus_buf_putc(out, '\n');
		break;
	case BUS_JSON_OBJECT:
	case BUS_JSON_ARRAY:
		bus_buf_puts(out, v->type == BUS_JSON_OBJECT ? "{\n" : "[\n");
		for (const struct bus_json *c = v->first; c; c = c->next)
			list(out, c, v->type == BUS_JSON_OBJECT);
		bus_buf_puts(out, v->type == BUS_JSON_OBJECT ? "}\n" : "]\n");
		break;
	default:
		bus_buf_puts(out, v->type == BUS_JSON_NULL   ? "null\n"
				  : v->type == BUS_JSON_TRUE ? "true\n"
							     : "false\n");
		break;
	}
}

static void parse(struct bus_buf *out, struct bus_str text, const struct bus_json_limits *limits,
		  struct bus_error *err)
{
	struct bus_arena *a = bus_arena_new(0);
	struct bus_json *root;
	char *copy = bus_xmalloc(text.n + 1);

	memcpy(copy, text.p, text.n);
	copy = bus_xrealloc(copy, text.n + (text.n == 0));
	bus_buf_reset(out);
	if (bus_json_parse((struct bus_str){ copy, text.n }, limits, a, &root, err) == BUS_OK) {
		list(out, root, false);
		bus_buf_puts(out, "end");
	} else {
		assert_null(root);
		bus_buf_puts(out, err->code == BUS_ETOOBIG ? "toobig" : "error");
	}
	bus_arena_free(&a);
	free(copy);
}

static void expect_both(struct bus_str text, const char *want, const struct bus_json_limits *limits)
{
	struct bus_buf got = { 0 };
	struct bus_error err;

	parse(&got, text, limits, &err);
	assert_string_equal(bus_buf_cstr(&got), want);
	for (size_t piece = 1; piece <= 9 || piece <= text.n; piece++) {
		pull(&got, text, piece, limits, &err);
		assert_string_equal(bus_buf_cstr(&got), want);
	}
	bus_buf_release(&got);
}

static void reads_every_kind_of_value(void **state)
{
	(void)state;
	expect_both(BUS_STR(" {\"a\" : [1, -0.5e+10, true,\tfalse,null, {}, []],\r\n \"b\":{\"c\":\"x\"}} "),
		    "{\nname a\n[\nnumber 1\nnumber -0.5e+10\ntrue\nfalse\nnull\n{\n}\n[\n]\n]\nname "
		    "b\n{\nname c\nstring x\n}\n}\nend",
		    NULL);
	expect_both(BUS_STR("0"), "number 0\nend", NULL);
	expect_both(BUS_STR("\"\""), "string \nend", NULL);
	expect_both(BUS_STR("\xef\xbb\xbf[]"), "[\n]\nend", NULL);
}

static void keeps_a_number_as_it_was_written(void **state)
{
	(void)state;
	expect_both(BUS_STR("[1471010101900001,1E5,0.10,-0]"),
		    "[\nnumber 1471010101900001\nnumber 1E5\nnumber 0.10\nnumber -0\n]\nend", NULL);
}

static void unescapes_strings(void **state)
{
	(void)state;
	/* RFC 8259 section 7: the clef, U+1D11E, as a surrogate pair */
	expect_both(BUS_STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\tA\\u0041\\u00e9\\u20AC\\uD834\\uDD1E.\""),
		    "string \"\\/\b\f\n\r\tAA\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e.\nend", NULL);
	expect_both(BUS_STR("{\"a\\nb\":\"plain first \xc3\xa9 then \\u0031\"}"),
		    "{\nname a\nb\nstring plain first \xc3\xa9 then 1\n}\nend", NULL);
}

static void keeps_a_nul_inside_a_string(void **state)
{
	struct bus_arena *a = bus_arena_new(0);
	struct bus_json *v;

	(void)state;
	assert_int_equal(bus_json_parse(BUS_STR("\"a\\u0000b\""), NULL, a, &v, NULL), BUS_OK);
	assert_true(bus_str_eq(v->text, (struct bus_str){ "a\0b", 3 }));
	bus_arena_free(&a);
}

/* By the tree, and by the puller however it is fed, whatever tokens may have come before. */
static void expect_refused(struct bus_str text)
{
	struct bus_buf got = { 0 };
	struct bus_error err;

	parse(&got, text, NULL, &err);
	if (strcmp(bus_buf_cstr(&got), "error") != 0)
		fail_msg("the tree takes '%s'", text.p);
	for (size_t piece = 1; piece <= text.n + 1; piece++) {
		const char *last;

		pull(&got, text, piece, NULL, &err);
		last = strrchr(bus_buf_cstr(&got), '\n');
		if (strcmp(last ? last + 1 : got.p, "error") != 0)
			fail_msg("the puller takes '%s' in pieces of %zu", text.p, piece);
	}
	bus_buf_release(&got);
}

static void refuses_what_is_not_json(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"[",
		"]",
		"}",
		"[1",
		"[1,",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{1:2}",
		"[1}",
		"{\"a\":1]",
		"01",
		"-",
		"-a",
		"1.",
		".5",
		"1e",
		"1e+",
		"+1",
		"0x1",
		"1.e1",
		"00",
		"--1",
		"tru",
		"trUe",
		"nul",
		"falsy",
		"truefalse",
		"NaN",
		"Infinity",
		"'a'",
		"\"a",
		"\"",
		"\"\\",
		"\"\\\"",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12G4\"",
		"\"\\u\"",
		"\"\\ud800\"",
		"\"\\ud800x\"",
		"\"\\ud800\\n\"",
		"\"\\udc00\"",
		"\"\\ud800\\ud800\"",
		"\"\\ud800\\u0041\"",
		"\"a\nb\"",
		"\"a\tb\"",
		"\"\x1f\"",
		"\"\xff\"",
		"\"\xc3\"",
		"\"\xc3(\"",
		"\"\xed\xa0\x80\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\xc0\xaf\"",
		"\"\xe0\x80\xaf\"",
		"\"\xf4\x90\x80\x80\"",
		"[1]x",
		"{} {}",
		"1 2",
		"\xef\xbb",
		"\xef\xbb\xbf",
		"\xef\xbb\xbf\xef\xbb\xbf"
		"1",
		"[\xef\xbb\xbf]",
		"//a\n1",
		"/**/1",
		"\v1",
		"\xc2\xa0"
		"1",
		"{\"a\":1 \"b\":2}",
		"[\"a\" \"b\"]",
		"{\"a\" 1}",
		":",
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		expect_refused(bus_str(bad[i]));
	expect_refused((struct bus_str){ "1\0", 2 });
	expect_refused((struct bus_str){ "[\0]", 3 });
}

static void keeps_to_its_limits(void **state)
{
	(void)state;
	expect_both(BUS_STR("[[[[1]]]]"), "[\n[\n[\n[\nnumber 1\n]\n]\n]\n]\nend", &small);
	expect_both(BUS_STR("\"0123456789abcdef\""), "string 0123456789abcdef\nend", &small);
	expect_both(BUS_STR("\"0123456789abcde\\u0066\""), "string 0123456789abcdef\nend", &small);
	expect_both(BUS_STR("\"0123456789abcdefg\""), "toobig", &small);
	expect_both(BUS_STR("\"0123456789abcdef\\u0067\""), "toobig", &small);
	expect_both(BUS_STR("1234567890123456"), "number 1234567890123456\nend", &small);
	expect_both(BUS_STR("12345678901234567"), "toobig", &small);
}

static void refuses_depth_over_the_limit(void **state)
{
	struct bus_arena *a = bus_arena_new(0);
	struct bus_json *v;
	struct bus_error err;
	struct bus_buf got = { 0 };
	char deep[2000];

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_int_equal(bus_json_parse((struct bus_str){ deep, sizeof(deep) }, NULL, a, &v, &err),
			 BUS_ETOOBIG);
	assert_non_null(strstr(err.text, "column 65"));
	pull(&got, (struct bus_str){ deep, sizeof(deep) }, 7, NULL, &err);
	assert_int_equal(err.code, BUS_ETOOBIG);
	assert_non_null(strstr(err.text, "column 65"));
	bus_buf_release(&got);
	bus_arena_free(&a);
}

static void tells_line_and_column(void **state)
{
	static const char text[] = "{\n  \"a\": 1,\n  \"b\": oops\n}";
	struct bus_buf got = { 0 };
	struct bus_error err;

	(void)state;
	parse(&got, BUS_STR(text), NULL, &err);
	assert_string_equal(err.text, "line 3, column 8: a value must stand here");
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		pull(&got, BUS_STR(text), piece, NULL, &err);
		assert_string_equal(err.text, "line 3, column 8: a value must stand here");
	}
	bus_buf_release(&got);
}

static void knows_the_line_of_each_token(void **state)
{
	static const uint64_t want[] = { 1, 2, 3, 4 };
	struct bus_json_puller *j = bus_json_puller_new(NULL);
	enum bus_json_type type;
	struct bus_str t;

	(void)state;
	bus_json_feed(j, "[\n1,\n2\n]", 8, true);
	for (size_t i = 0; i < BUS_LEN(want); i++) {
		assert_int_equal(bus_json_next(j, &type, &t, NULL), BUS_OK);
		assert_int_equal(bus_json_line(j), want[i]);
		assert_int_equal(bus_json_depth(j), i < 3 ? 1 : 0);
	}
	bus_json_puller_free(&j);
}

static void repeats_an_error_until_it_is_reset(void **state)
{
	struct bus_json_puller *j = bus_json_puller_new(NULL);
	struct bus_error err;
	enum bus_json_type type;
	struct bus_str t;

	(void)state;
	bus_json_feed(j, "x1", 2, true);
	assert_int_equal(bus_json_next(j, &type, &t, &err), BUS_EPARSE);
	assert_int_equal(bus_json_next(j, &type, &t, NULL), BUS_EPARSE);
	bus_json_puller_reset(j);
	bus_json_feed(j, "1", 1, true);
	assert_int_equal(bus_json_next(j, &type, &t, &err), BUS_OK);
	assert_true(bus_str_is(t, "1"));
	assert_int_equal(bus_json_next(j, &type, &t, &err), BUS_OK);
	assert_int_equal(type, BUS_JSON_END);
	bus_json_puller_free(&j);
	bus_json_puller_free(&j);
}

static void refuses_a_name_that_stands_twice(void **state)
{
	struct bus_arena *a = bus_arena_new(0);
	struct bus_json *v;
	struct bus_error err;

	(void)state;
	assert_int_equal(bus_json_parse(BUS_STR("{\"a\":1,\"b\":2,\"\\u0061\":3}"), NULL, a, &v, &err),
			 BUS_EPARSE);
	assert_non_null(strstr(err.text, "column 14"));
	assert_int_equal(bus_json_parse(BUS_STR("{\"a\":{\"a\":1},\"b\":{\"a\":2}}"), NULL, a, &v, &err),
			 BUS_OK);
	assert_int_equal(bus_json_parse(BUS_STR("{\"\":1,\"\":1}"), NULL, a, &v, &err), BUS_EPARSE);
	bus_arena_free(&a);
}

/* n members; the last has the name of member `twin`, or its own when twin is n - 1. */
static enum bus_err parse_wide(int n, int twin)
{
	struct bus_arena *a = bus_arena_new(0);
	struct bus_buf b = { 0 };
	struct bus_json *v;
	enum bus_err rc;

	bus_buf_puts(&b, "{");
	for (int i = 0; i < n; i++)
		bus_buf_printf(&b, "%s\"m%d\":%d", i ? "," : "", i == n - 1 ? twin : i, i);
	bus_buf_puts(&b, "}");
	rc = bus_json_parse(bus_buf_str(&b), NULL, a, &v, NULL);
	bus_buf_release(&b);
	bus_arena_free(&a);
	return rc;
}

static void finds_twins_in_wide_objects_too(void **state)
{
	static const int widths[] = { 2, 31, 32, 33, 34, 100, 50000 };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(widths); i++) {
		int n = widths[i];

		assert_int_equal(parse_wide(n, n - 1), BUS_OK);
		assert_int_equal(parse_wide(n, 0), BUS_EPARSE);
		assert_int_equal(parse_wide(n, n - 2), BUS_EPARSE);
		assert_int_equal(parse_wide(n, n / 2 - 1), BUS_EPARSE);
	}
}

static void never_grows_past_the_arenas_cap(void **state)
{
	struct bus_arena *a = bus_arena_new(4096);
	struct bus_buf b = { 0 };
	struct bus_json *v;
	struct bus_error err;

	(void)state;
	bus_buf_putc(&b, '[');
	for (int i = 0; i < 1000; i++)
		bus_buf_puts(&b, "1,");
	bus_buf_puts(&b, "1]");
	assert_int_equal(bus_json_parse(bus_buf_str(&b), NULL, a, &v, &err), BUS_ETOOBIG);
	bus_buf_release(&b);
	bus_arena_free(&a);
}

static void borrows_plain_strings_from_the_text(void **state)
{
	static const char text[] = "{\"name\":\"plain\"}";
	struct bus_arena *a = bus_arena_new(0);
	struct bus_json *v;

	(void)state;
	assert_int_equal(bus_json_parse(BUS_STR(text), NULL, a, &v, NULL), BUS_OK);
	assert_ptr_equal(v->first->name.p, text + 2);
	assert_ptr_equal(v->first->text.p, text + 9);
	bus_arena_free(&a);
}

static void finds_members_by_name(void **state)
{
	struct bus_arena *a = bus_arena_new(0);
	struct bus_json *v;

	(void)state;
	assert_int_equal(bus_json_parse(BUS_STR("{\"a\":[1,2],\"ab\":3}"), NULL, a, &v, NULL), BUS_OK);
	assert_int_equal(bus_json_get(v, "a")->n, 2);
	assert_true(bus_str_is(bus_json_get(v, "ab")->text, "3"));
	assert_null(bus_json_get(v, "b"));
	assert_null(bus_json_get(NULL, "b"));
	assert_null(bus_json_get(bus_json_get(v, "a"), "b"));
	bus_arena_free(&a);
}

static void reads_whole_numbers_however_written(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} good[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "0e99", 0 },
		{ "0.000", 0 },
		{ "1e3", 1000 },
		{ "1.5e1", 15 },
		{ "100e-2", 1 },
		{ "1.0", 1 },
		{ "-12.00", -12 },
		{ "0.005e3", 5 },
		{ "1471010101900001", INT64_C(1471010101900001) },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
		{ "9223372036854775807.000", INT64_MAX },
		{ "0.9223372036854775807e19", INT64_MAX },
		{ "1000000000000000000000e-3", INT64_C(1000000000000000000) },
	};
	static const char *const bad[] = { "1.5",
					   "1e-1",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "1e19",
					   "1e99999999999999999999",
					   "1e-99999999999999999999",
					   "0.1",
					   "10000000000000000000",
					   "99999999999999999999",
					   "true",
					   "\"1\"" };
	struct bus_arena *a = bus_arena_new(0);
	struct bus_json *v;
	int64_t got;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++) {
		assert_int_equal(bus_json_parse(bus_str(good[i].text), NULL, a, &v, NULL), BUS_OK);
		assert_int_equal(bus_json_int(v, &got), BUS_OK);
		assert_true(got == good[i].want);
	}
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		assert_int_equal(bus_json_parse(bus_str(bad[i]), NULL, a, &v, NULL), BUS_OK);
		assert_int_equal(bus_json_int(v, &got), BUS_EDATA);
	}
	assert_int_equal(bus_json_int(NULL, &got), BUS_EDATA);
	bus_arena_free(&a);
}

/* What Avro Java 1.12.2 (Jackson) makes of these texts. */
static void takes_comments_and_twins_when_lax(void **state)
{
	static const struct bus_json_limits lax = { .lax = true };
	static const char *const bad[] = { "1 // c", "1 /* c */", "/* c", "/ 1", "# c\n1", "[1,/]" };
	struct bus_arena *a = bus_arena_new(0);
	struct bus_buf wide = { 0 };
	struct bus_buf got = { 0 };
	struct bus_error err = { 0 };
	struct bus_json *v;

	(void)state;
	parse(&got, BUS_STR("// c\n{/**/\"a\"/*:*/:1,//\r\"b\" : [ /* ] */ ],\"a\":{\"c\":2}/***/}"), &lax,
	      &err);
	assert_string_equal(bus_buf_cstr(&got), "{\nname a\n{\nname c\nnumber 2\n}\nname b\n[\n]\n}\nend");
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_int_equal(bus_json_parse(bus_str(bad[i]), &lax, a, &v, NULL), BUS_EPARSE);
	bus_buf_puts(&wide, "{\"x\":0");
	for (int i = 0; i < 100; i++)
		bus_buf_printf(&wide, ",\"n%d\":1,\"x\":%d", i, i);
	bus_buf_puts(&wide, "}");
	assert_int_equal(bus_json_parse(bus_buf_str(&wide), &lax, a, &v, NULL), BUS_OK);
	assert_int_equal(v->n, 101);
	assert_true(bus_str_is(v->first->name, "x") && bus_str_is(v->first->text, "99"));
	bus_buf_release(&wide);
	bus_buf_release(&got);
	bus_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_kind_of_value),
		cmocka_unit_test(keeps_a_number_as_it_was_written),
		cmocka_unit_test(unescapes_strings),
		cmocka_unit_test(keeps_a_nul_inside_a_string),
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(keeps_to_its_limits),
		cmocka_unit_test(refuses_depth_over_the_limit),
		cmocka_unit_test(tells_line_and_column),
		cmocka_unit_test(knows_the_line_of_each_token),
		cmocka_unit_test(repeats_an_error_until_it_is_reset),
		cmocka_unit_test(refuses_a_name_that_stands_twice),
		cmocka_unit_test(finds_twins_in_wide_objects_too),
		cmocka_unit_test(never_grows_past_the_arenas_cap),
		cmocka_unit_test(borrows_plain_strings_from_the_text),
		cmocka_unit_test(finds_members_by_name),
		cmocka_unit_test(reads_whole_numbers_however_written),
		cmocka_unit_test(takes_comments_and_twins_when_lax),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
