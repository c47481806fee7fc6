/* Which address comes after a page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "adapters/fetch/paging.h"

static struct bus_yaml *yaml;

static struct adapter_paging made(const char *conf)
{
	struct adapter_paging p;
	struct bus_error err;

	bus_yaml_free(&yaml);
	assert_int_equal(bus_yaml_parse("uji.yaml", 1, conf, strlen(conf), &yaml, &err), BUS_OK);
	assert_int_equal(adapter_paging_read(&p, yaml, bus_yaml_root(yaml), &err), BUS_OK);
	return p;
}

static enum bus_err step(struct adapter_paging *p, const char *url, const char *link, const char *body,
			 uint64_t rows, struct bus_buf *out, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_json *root;
	enum bus_err rc;

	assert_int_equal(bus_json_parse(bus_str(body), NULL, arena, &root, err), BUS_OK);
	rc = adapter_paging_next(
	    p, &(struct adapter_page){ .url = url, .link = bus_str(link), .body = root, .rows = rows }, out,
	    err);
	bus_arena_free(&arena);
	return rc;
}

static void expect(const char *conf, const char *url, const char *link, const char *body, uint64_t rows,
		   const char *want)
{
	struct adapter_paging p = made(conf);
	struct bus_buf out = { 0 };
	struct bus_error err;

	assert_int_equal(adapter_paging_begin(&p, "http://h/a", &out, &err), BUS_OK);
	assert_int_equal(step(&p, url, link, body, rows, &out, &err), BUS_OK);
	assert_string_equal(bus_buf_cstr(&out), want);
	bus_buf_release(&out);
	adapter_paging_release(&p);
}

static void links_as_rfc_8288_writes_them(void **state)
{
	static const char *const none[] = {
		"",	     "<", "</b>", "</b>; rel=prev", "</b>; title=\"rel=next", "</b>; rel=nextpage",
		"; rel=next"
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(none); i++)
		expect("by: link", "http://h/a?x=1", none[i], "[]", 1, "");
	expect("by: link", "http://h/a?x=1", "</b?y=2>; rel=next", "[]", 1, "http://h/b?y=2");
	expect("by: link", "http://h/a?x=1", "<c>; rel=\"prev\", <?z=3>; title=\"a, <b>\"; rel=\"next\"",
	       "[]", 1, "http://h/a?z=3");
	expect("by: link", "http://h/a", "<http://h:80/q>; rel=\"last Next\"", "[]", 1, "http://h:80/q");
	expect("by: link", "http://h/a", "<q>; rel=\"first last\", <r>;rel=NEXT", "[]", 1, "http://h/r");
}

static void words_and_numbers_go_into_the_query(void **state)
{
	(void)state;
	expect("by: cursor\nat: p.c\nparameter: c", "http://h/a?c=1&x=2&cc=3", "",
	       "{\"p\":{\"c\":\"a&b=\\u00e9\"}}", 1, "http://h/a?x=2&cc=3&c=a%26b%3D%C3%A9");
	expect("by: cursor\nat: c\nparameter: c", "http://h/a", "", "{\"c\":12}", 1, "http://h/a?c=12");
	expect("by: cursor\nat: c\nparameter: c", "http://h/a", "", "{\"c\":null}", 1, "");
	expect("by: cursor\nat: c.d\nparameter: c", "http://h/a", "", "{\"c\":[1]}", 1, "");
	expect("by: number\nparameter: page", "http://h/a?page=1&l=5#x", "", "[]", 5,
	       "http://h/a?l=5&page=2");
	expect("by: number\nparameter: page", "http://h/a?page=1", "", "[]", 0, "");
	expect("by: offset\nparameter: o", "http://h/a?o=0", "", "[]", 37, "http://h/a?o=37");
}

static void nowhere_else_and_not_in_circles(void **state)
{
	struct adapter_paging p = made("by: next\nat: n");
	struct bus_buf out = { 0 };
	struct bus_error err;

	(void)state;
	assert_int_equal(adapter_paging_begin(&p, "https://h/a", &out, &err), BUS_OK);
	assert_int_equal(step(&p, "https://h/a", "", "{\"n\":\"http://h/b\"}", 1, &out, &err),
			 BUS_EDATA); /* without TLS */
	assert_int_equal(step(&p, "https://h/a", "", "{\"n\":\"//evil/b\"}", 1, &out, &err), BUS_EDATA);
	assert_int_equal(step(&p, "https://h/a", "", "{\"n\":\"https://h:444/b\"}", 1, &out, &err),
			 BUS_EDATA);
	assert_int_equal(step(&p, "https://h/a", "", "{\"n\":\"file:///etc/passwd\"}", 1, &out, &err),
			 BUS_EINVAL);
	assert_int_equal(step(&p, "https://h/a", "", "{\"n\":7}", 1, &out, &err), BUS_EDATA);
	assert_int_equal(step(&p, "https://h/a", "", "{\"n\":\"a\"}", 1, &out, &err), BUS_EDATA); /* itself */
	assert_int_equal(step(&p, "https://h/a", "", "{\"n\":\"b\"}", 1, &out, &err), BUS_OK);
	assert_int_equal(step(&p, "https://h/b", "", "{\"n\":\"a\"}", 1, &out, &err),
			 BUS_EDATA); /* the one before */
	bus_buf_release(&out);
	adapter_paging_release(&p);
}

static int done(void **state)
{
	(void)state;
	bus_yaml_free(&yaml);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_as_rfc_8288_writes_them),
		cmocka_unit_test(words_and_numbers_go_into_the_query),
		cmocka_unit_test(nowhere_else_and_not_in_circles),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
