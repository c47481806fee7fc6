/* What the vectors do not cover: names of levels, the bounds on what a check costs. */
#include "tests/support/schemas.h"

#include <time.h>

#include "schemas/avro/compat.h"

static void knows_its_levels_by_name(void **state)
{
	enum schema_level level;

	(void)state;
	for (int i = SCHEMA_COMPAT_NONE; i <= SCHEMA_COMPAT_FULL_TRANSITIVE; i++) {
		assert_int_equal(schema_level_parse(schema_level_name((enum schema_level)i), &level), BUS_OK);
		assert_int_equal(level, i);
	}
	assert_string_equal(schema_level_name(SCHEMA_COMPAT_FULL_TRANSITIVE), "FULL_TRANSITIVE");
	assert_int_equal(schema_level_parse("backward", &level), BUS_EINVAL);
}

static void takes_the_first_version_under_every_level(void **state)
{
	struct schema *s = schema_of("\"int\"");

	(void)state;
	for (int i = SCHEMA_COMPAT_NONE; i <= SCHEMA_COMPAT_FULL_TRANSITIVE; i++)
		assert_true(schema_compatible((enum schema_level)i, s, NULL, 0, NULL, NULL));
	schema_unref(&s);
}

/* Records of one field each, all different, in a union: n * n pairs. */
static struct schema *many_records(int n, const char *type, const char *prefix)
{
	struct bus_buf b = { 0 };
	struct schema *s;

	for (int i = 0; i < n; i++)
		bus_buf_printf(
		    &b,
		    "%s{\"type\":\"record\",\"name\":\"%s%d\",\"fields\":[{\"name\":\"f\",\"type\":\"%s\"}]}",
		    i ? "," : "[", prefix, i, type);
	bus_buf_putc(&b, ']');
	s = schema_of(bus_buf_cstr(&b));
	bus_buf_release(&b);
	return s;
}

static void gives_the_first_reasons_of_many(void **state)
{
	struct schema *a = many_records(210, "int", "A");
	struct schema *b = many_records(210, "string", "B");
	struct schema_verdict why;

	(void)state;
	assert_false(schema_can_read(a, b, &why));
	assert_int_equal(why.n_reasons, SCHEMA_REASONS_MAX);
	assert_string_equal(why.reason[199].location, "/199");
	assert_string_equal(why.reason[199].message, "reader union lacking writer type: RECORD");
	schema_verdict_release(&why);
	schema_unref(&a);
	schema_unref(&b);
}

static void gives_up_soon_on_schemas_made_to_be_slow(void **state)
{
	struct schema *a = many_records(5000, "int", "A");
	struct schema *b = many_records(5000, "string", "B");
	struct schema_verdict why;
	clock_t before = clock();

	(void)state;
	assert_false(schema_can_read(a, b, &why));
	assert_int_equal(why.n_reasons, 1);
	assert_string_equal(why.reason[0].type, "EXCEPTION");
	assert_true(clock() - before <
		    3 * CLOCKS_PER_SEC); /* a fraction of a second; sanitizers are slower */
	schema_verdict_release(&why);
	schema_unref(&a);
	schema_unref(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_levels_by_name),
		cmocka_unit_test(takes_the_first_version_under_every_level),
		cmocka_unit_test(gives_the_first_reasons_of_many),
		cmocka_unit_test(gives_up_soon_on_schemas_made_to_be_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
