#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "bus/buf.h"
#include "gateway/serve/portal.h"

#define FOLDER "gateway/portal/" /* tests run in the project's folder */

static const char *type_of(const char *name)
{
	for (size_t i = 0; i < gw_portal_files; i++)
		if (strcmp(gw_portal_file[i].name, name) == 0)
			return gw_portal_file[i].type;
	return "not there";
}

static void every_file_is_in_the_program_byte_for_byte(void **state)
{
	(void)state;
	assert_true(gw_portal_files > 0);
	for (size_t i = 0; i < gw_portal_files; i++) {
		const struct bus_file *f = &gw_portal_file[i];
		char *path = bus_xasprintf(FOLDER "%s", f->name);
		FILE *fp = fopen(path, "re");
		char *bytes = bus_xmalloc(f->n + 1);

		assert_non_null(fp);
		assert_int_equal(fread(bytes, 1, f->n + 1, fp), f->n);
		assert_memory_equal(bytes, f->bytes, f->n);
		fclose(fp);
		free(bytes);
		free(path);
	}
}

static void the_page_and_its_parts_have_their_types(void **state)
{
	(void)state;
	assert_string_equal(type_of("index.html"), "text/html; charset=utf-8");
	assert_string_equal(type_of("portal.css"), "text/css; charset=utf-8");
	assert_string_equal(type_of("portal.js"), "text/javascript; charset=utf-8");
	assert_string_equal(type_of("icon.svg"), "image/svg+xml");
}

/* The content security policy would stop them, and the page would come up broken. */
static void nothing_inline_and_nothing_from_elsewhere(void **state)
{
	static const char *const never[] = { "style=\"",    "<style",	 "onclick=", "onload=",
					     "javascript:", "innerHTML", "eval(" };

	(void)state;
	for (size_t i = 0; i < gw_portal_files; i++) {
		char *text = bus_xstrndup((const char *)gw_portal_file[i].bytes, gw_portal_file[i].n);
		char *url = text;

		for (size_t k = 0; k < BUS_LEN(never); k++)
			if (strstr(text, never[k]))
				fail_msg("%s has %s", gw_portal_file[i].name, never[k]);
		while ((url = strstr(url, "://"))) {
			if (strncmp(url, "://www.w3.org/", 14) != 0)
				fail_msg("%s names another host", gw_portal_file[i].name);
			url++;
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_is_in_the_program_byte_for_byte),
		cmocka_unit_test(the_page_and_its_parts_have_their_types),
		cmocka_unit_test(nothing_inline_and_nothing_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
