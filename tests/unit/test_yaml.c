#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "bus/buf.h"
#include "bus/yaml.h"

static struct bus_yaml *parse(const char *text)
{
	struct bus_yaml *y;
	struct bus_error err;

	if (bus_yaml_parse("f.yaml", 1, text, strlen(text), &y, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return y;
}

static void expect_error(const char *text, const char *begin)
{
	struct bus_yaml *y;
	struct bus_error err;

	assert_int_equal(bus_yaml_parse("f.yaml", 1, text, strlen(text), &y, &err), BUS_EPARSE);
	assert_null(y);
	if (strncmp(err.text, begin, strlen(begin)) != 0)
		fail_msg("'%s' does not begin with '%s'", err.text, begin);
}

static void knows_kinds_and_lines(void **state)
{
	struct bus_yaml *y = parse("# comment\n"
				   "name: x\n"
				   "list:\n"
				   "  - 1\n"
				   "  - 'two'\n"
				   "map: { a: 1, b: [] }\n"
				   "block: |\n"
				   "  line one\n"
				   "  line two\n");
	struct bus_yaml_node *root = bus_yaml_root(y);
	struct bus_yaml_node *n;

	(void)state;
	assert_int_equal(root->kind, BUS_YAML_MAP);
	assert_int_equal(bus_yaml_count(root), 4);
	n = bus_yaml_get(root, "name");
	assert_string_equal(n->text, "x");
	assert_int_equal(n->line, 2);
	assert_false(n->quoted);
	n = bus_yaml_get(root, "list");
	assert_int_equal(n->kind, BUS_YAML_LIST);
	assert_int_equal(n->line, 3);
	assert_int_equal(n->first->line, 4);
	assert_null(n->first->key);
	assert_true(n->first->next->quoted);
	assert_int_equal(n->first->next->line, 5);
	n = bus_yaml_get(root, "map");
	assert_int_equal(bus_yaml_get(n, "b")->kind, BUS_YAML_LIST);
	assert_int_equal(bus_yaml_count(bus_yaml_get(n, "b")), 0);
	n = bus_yaml_get(root, "block");
	assert_string_equal(n->text, "line one\nline two\n");
	assert_int_equal(n->text_len, 18);
	assert_true(n->quoted);
	bus_yaml_free(&y);
	bus_yaml_free(&y);
}

static void counts_lines_from_where_it_is_told(void **state)
{
	struct bus_yaml *y;
	struct bus_error err;

	(void)state;
	assert_int_equal(bus_yaml_parse("view.sql", 10, "a: 1\nb: [\n", 10, &y, &err), BUS_EPARSE);
	assert_memory_equal(err.text, "view.sql:1", 10); /* 11 or 12, as the parser sees the end */
	assert_int_equal(bus_yaml_parse("view.sql", 10, "a: 1\nb: 2\n", 10, &y, &err), BUS_OK);
	assert_int_equal(bus_yaml_get(bus_yaml_root(y), "b")->line, 11);
	bus_yaml_free(&y);
}

static void takes_an_empty_text_as_an_empty_map(void **state)
{
	static const char *const empty[] = { "", "\n", "# only a comment\n" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(empty); i++) {
		struct bus_yaml *y = parse(empty[i]);

		assert_int_equal(bus_yaml_root(y)->kind, BUS_YAML_MAP);
		assert_int_equal(bus_yaml_count(bus_yaml_root(y)), 0);
		bus_yaml_free(&y);
	}
}

static void refuses_what_is_clever(void **state)
{
	(void)state;
	expect_error("a: &x 1\n", "f.yaml:1: anchors");
	expect_error("a: 1\nb: *x\n", "f.yaml:2: aliases");
	expect_error("a: !!int 1\n", "f.yaml:1: tags");
	expect_error("a: !x [1]\n", "f.yaml:1: tags");
	expect_error("a: !x {b: 1}\n", "f.yaml:1: tags");
	expect_error("%TAG !e! tag:example.org,2000:\n---\na: 1\n", "f.yaml:");
	expect_error("<<: { a: 1 }\n", "f.yaml:1: merge keys");
	expect_error("a: 1\n---\nb: 2\n", "f.yaml:2: a second document");
	expect_error("? [a]\n: 1\n", "f.yaml:1: a key must be plain text");
	expect_error("? {a: 1}\n: 1\n", "f.yaml:1: a key must be plain text");
	expect_error("a: \"x\\0y\"\n", "f.yaml:1: text must not hold a NUL");
	expect_error("'': 1\n", "f.yaml:1: a key is empty");
}

static void refuses_a_key_that_stands_twice(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	expect_error("a: 1\nb: 2\na: 3\n", "f.yaml:3: key 'a' stands twice; the first is in line 1");
	expect_error("x: { a: 1, 'a': 2 }\n", "f.yaml:1: key 'a' stands twice");
	for (int i = 0; i < 40; i++)
		bus_buf_printf(&b, "k%d: 1\n", i);
	bus_buf_puts(&b, "k30: 2\n");
	expect_error(bus_buf_cstr(&b), "f.yaml:41: key 'k30' stands twice; the first is in line 31");
	bus_buf_release(&b);
}

static void says_where_and_what_to_do_about_bad_syntax(void **state)
{
	(void)state;
	expect_error("a: 1\n\tb: 2\n", "f.yaml:2: ");
	expect_error("a: b: c\n", "f.yaml:1: mapping values are not allowed in this context");
	expect_error("a: [1, 2\nb: 1\n", "f.yaml:2: ");
	expect_error("a: 'x\n", "f.yaml:");
	expect_error("a: \xff\n", "f.yaml:");
	expect_error("a: @x\n", "f.yaml:1: found character that cannot start any token");
}

static void refuses_depth_and_size(void **state)
{
	struct bus_yaml *y;
	struct bus_error err;
	char *big = bus_xmalloc(1024 * 1024 + 1);
	char deep[200];

	(void)state;
	memset(deep, '[', 33);
	memset(deep + 33, ']', 33);
	deep[66] = '\0';
	expect_error(deep, "f.yaml:1: nested deeper than 32");
	deep[65] = '\0';
	y = parse(deep + 1);
	bus_yaml_free(&y);
	memset(big, '#', 1024 * 1024 + 1);
	assert_int_equal(bus_yaml_parse("f", 1, big, 1024 * 1024 + 1, &y, &err), BUS_ETOOBIG);
	assert_int_equal(bus_yaml_parse("f", 1, big, 1024 * 1024, &y, &err), BUS_OK);
	bus_yaml_free(&y);
	free(big);
}

static void names_the_unknown_key_and_the_one_meant(void **state)
{
	struct bus_yaml *y = parse("sorce: x\nmode: y\n");
	struct bus_yaml_node *root = bus_yaml_root(y);
	struct bus_error err;

	(void)state;
	assert_non_null(bus_yaml_get(root, "mode"));
	assert_null(bus_yaml_get(root, "source"));
	assert_null(bus_yaml_get(root, "separator"));
	assert_int_equal(bus_yaml_no_more(y, root, &err), BUS_EPARSE);
	assert_string_equal(err.text, "f.yaml:1: unknown key 'sorce'; did you mean 'source'?");
	assert_non_null(bus_yaml_get(root, "sorce"));
	assert_int_equal(bus_yaml_no_more(y, root, &err), BUS_OK);
	assert_int_equal(bus_yaml_no_more(y, NULL, &err), BUS_OK);
	assert_null(bus_yaml_get(NULL, "x"));
	bus_yaml_free(&y);
}

static void reads_typed_values_strictly(void **state)
{
	struct bus_yaml *y =
	    parse("n: 12\nneg: -3\nquoted: '12'\noctal: 010\nhuge: 99999999999999999999\n"
		  "t: true\nf: false\nyes: yes\nempty:\ntilde: ~\nnull: null\nblank: ''\nlist: [1]\n");
	struct bus_yaml_node *root = bus_yaml_root(y);
	struct bus_error err;
	const char *s = "default";
	int64_t n = 7;
	bool b = false;

	(void)state;
	assert_int_equal(bus_yaml_int(y, root, "n", true, 0, 100, &n, &err), BUS_OK);
	assert_int_equal(n, 12);
	assert_int_equal(bus_yaml_int(y, root, "neg", true, -5, 100, &n, &err), BUS_OK);
	assert_int_equal(n, -3);
	assert_int_equal(bus_yaml_int(y, root, "n", true, 0, 11, &n, &err), BUS_EPARSE);
	assert_string_equal(err.text, "f.yaml:1: 'n' is 12; from 0 to 11 is allowed");
	assert_int_equal(bus_yaml_int(y, root, "quoted", true, 0, 100, &n, &err), BUS_EPARSE);
	assert_int_equal(bus_yaml_int(y, root, "octal", true, 0, 100, &n, &err), BUS_EPARSE);
	assert_int_equal(bus_yaml_int(y, root, "huge", true, 0, 100, &n, &err), BUS_EPARSE);
	assert_int_equal(bus_yaml_int(y, root, "list", true, 0, 100, &n, &err), BUS_EPARSE);
	assert_int_equal(n, -3);
	assert_int_equal(bus_yaml_bool(y, root, "t", true, &b, &err), BUS_OK);
	assert_true(b);
	assert_int_equal(bus_yaml_bool(y, root, "f", true, &b, &err), BUS_OK);
	assert_false(b);
	assert_int_equal(bus_yaml_bool(y, root, "yes", true, &b, &err), BUS_EPARSE);
	assert_int_equal(bus_yaml_str(y, root, "yes", true, &s, &err), BUS_OK);
	assert_string_equal(s, "yes");
	assert_int_equal(bus_yaml_str(y, root, "blank", true, &s, &err), BUS_OK);
	assert_string_equal(s, "");
	assert_int_equal(bus_yaml_str(y, root, "empty", true, &s, &err), BUS_EPARSE);
	assert_int_equal(bus_yaml_str(y, root, "tilde", true, &s, &err), BUS_EPARSE);
	assert_int_equal(bus_yaml_str(y, root, "null", true, &s, &err), BUS_EPARSE);
	s = "default";
	assert_int_equal(bus_yaml_str(y, root, "absent", false, &s, &err), BUS_OK);
	assert_string_equal(s, "default");
	assert_int_equal(bus_yaml_str(y, root, "absent", true, &s, &err), BUS_EPARSE);
	assert_string_equal(err.text, "f.yaml:1: key 'absent' is missing");
	assert_int_equal(bus_yaml_str(y, root, "list", false, &s, &err), BUS_EPARSE);
	assert_string_equal(err.text, "f.yaml:13: 'list' must be a single value, not a list");
	bus_yaml_free(&y);
}

static void reads_a_file_and_says_when_it_is_not_there(void **state)
{
	char path[] = "/tmp/test_yaml.XXXXXX";
	struct bus_yaml *y;
	struct bus_error err;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a: 1\n", 5), 5);
	close(fd);
	assert_int_equal(bus_yaml_load(path, &y, &err), BUS_OK);
	assert_string_equal(bus_yaml_file(y), path);
	bus_yaml_free(&y);
	unlink(path);
	assert_int_equal(bus_yaml_load(path, &y, &err), BUS_ENOENT);
	assert_int_equal(bus_yaml_load("/tmp", &y, &err), BUS_EIO);
}

static void finds_the_nearest_name(void **state)
{
	static const char *const names[] = { "http.port", "http.address", "kafka", "topic" };

	(void)state;
	assert_string_equal(bus_nearest("http.prot", names, 4), "http.port");
	assert_string_equal(bus_nearest("kakfa", names, 4), "kafka");
	assert_string_equal(bus_nearest("Topics", names, 4), "topic");
	assert_null(bus_nearest("zzzzz", names, 4));
	assert_null(bus_nearest("", names, 4));
	assert_null(bus_nearest("x", NULL, 0));
	assert_null(bus_nearest("a-word-that-is-much-longer-than-any-name-could-be-here", names, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_kinds_and_lines),
		cmocka_unit_test(counts_lines_from_where_it_is_told),
		cmocka_unit_test(takes_an_empty_text_as_an_empty_map),
		cmocka_unit_test(refuses_what_is_clever),
		cmocka_unit_test(refuses_a_key_that_stands_twice),
		cmocka_unit_test(says_where_and_what_to_do_about_bad_syntax),
		cmocka_unit_test(refuses_depth_and_size),
		cmocka_unit_test(names_the_unknown_key_and_the_one_meant),
		cmocka_unit_test(reads_typed_values_strictly),
		cmocka_unit_test(reads_a_file_and_says_when_it_is_not_there),
		cmocka_unit_test(finds_the_nearest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
