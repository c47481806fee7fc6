#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schemas/store/subject.h"

/* Cases of Confluent's QualifiedSubjectTest.java, for the one tenant there is here. */

static void is(const char *subject, const char *context, const char *name, const char *normal)
{
	struct schema_qualified q = schema_subject_split(subject);
	char *n = schema_subject_normal(subject);

	if (!bus_str_is(q.context, context) || !bus_str_is(q.name, name) || strcmp(n, normal) != 0)
		fail_msg("'%s': context '%.*s', name '%.*s', '%s'", subject, (int)q.context.n, q.context.p,
			 (int)q.name.n, q.name.p, n);
	free(n);
}

static void a_context_stands_before_the_name(void **state)
{
	(void)state;
	is("subject1", ".", "subject1", "subject1");
	is("", ".", "", "");
	is(":.:", ".", "", "");
	is(":.:subject1", ".", "subject1", "subject1");
	is(":.ctx1:subject1", ".ctx1", "subject1", ":.ctx1:subject1");
	is(":.ctx1:sub:ject1", ".ctx1", "sub:ject1", ":.ctx1:sub:ject1");
	is(":.ctx1:", ".ctx1", "", ":.ctx1:");
	is(":.ctx1", ".ctx1", "", ":.ctx1:");
	is(":*:", "*", "", ":*:");
	is(":ctx1:subject1", ".", ":ctx1:subject1", ":ctx1:subject1");
	is("::subject1", ".", "::subject1", "::subject1");
}

static void seen_from(const char *parent, const char *subject, const char *full)
{
	char *got = schema_subject_seen_from(parent, subject);

	assert_string_equal(got, full);
	free(got);
}

static void references_and_aliases_are_of_their_subjects_context(void **state)
{
	(void)state;
	seen_from("a", "b", "b");
	seen_from(":.c:a", "b", ":.c:b");
	seen_from(":.c:a", ":.d:b", ":.d:b");
	seen_from("a", ":.d:b", ":.d:b");
}

static void some_names_are_not_taken(void **state)
{
	char longest[SCHEMA_SUBJECT_MAX + 2];

	(void)state;
	assert_true(schema_subject_valid("foo", false));
	assert_true(schema_subject_valid("  ", false));
	assert_true(schema_subject_valid(":.c:foo", false));
	assert_false(schema_subject_valid("a\x1f", false));
	assert_false(schema_subject_valid("a\xc2\x80", false)); /* U+0080, a control too */
	assert_true(schema_subject_valid("a\xc2\xa0", false));
	assert_false(schema_subject_valid("__GLOBAL", false));
	assert_false(schema_subject_valid("__EMPTY", true));
	assert_false(schema_subject_valid(":.c:__GLOBAL", false));
	assert_false(schema_subject_valid(":.__GLOBAL:foo", false));
	assert_true(schema_subject_valid(":.__GLOBAL:", true));
	assert_false(schema_subject_valid("\xff", true));
	memset(longest, 'a', sizeof(longest));
	longest[SCHEMA_SUBJECT_MAX + 1] = '\0';
	assert_false(schema_subject_valid(longest, false));
	longest[SCHEMA_SUBJECT_MAX] = '\0';
	assert_true(schema_subject_valid(longest, false));
}

static void contexts_in_urls_may_be_written_in_several_ways(void **state)
{
	static const char *const way[] = { ".ctx", ":.ctx:", "ctx", ":.ctx" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(way); i++) {
		struct bus_buf b = { 0 };

		assert_true(schema_context_normal(way[i], &b));
		assert_string_equal(bus_buf_cstr(&b), ".ctx");
		bus_buf_release(&b);
	}
	assert_false(schema_context_normal("a:b", &(struct bus_buf){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_context_stands_before_the_name),
		cmocka_unit_test(references_and_aliases_are_of_their_subjects_context),
		cmocka_unit_test(some_names_are_not_taken),
		cmocka_unit_test(contexts_in_urls_may_be_written_in_several_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
