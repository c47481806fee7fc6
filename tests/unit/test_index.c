#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/index.h"

static struct adapter_index *made(enum adapter_index_rule rule)
{
	struct adapter_index *ix;

	assert_int_equal(adapter_index_new("/tmp", rule, &ix, NULL), BUS_OK);
	return ix;
}

static struct adapter_index_row row(const char *key, uint64_t content, int64_t version, uint32_t file,
				    uint32_t line)
{
	return (struct adapter_index_row){ bus_str(key), content, version, file, line };
}

static enum adapter_verdict judged(struct adapter_index *ix, struct adapter_index_row r)
{
	enum adapter_verdict v;

	assert_int_equal(adapter_index_judge(ix, &r, &v, NULL), BUS_OK);
	return v;
}

static void load(struct adapter_index *ix, struct adapter_index_row r)
{
	bool again;

	assert_int_equal(adapter_index_load(ix, &r, false, &again, NULL), BUS_OK);
}

static void sends_what_is_new_or_changed_and_not_what_is_the_same(void **state)
{
	struct adapter_index *ix = made(ADAPTER_RULE_LATEST);
	struct adapter_index_row r = row("a", 7, 0, 1, 2);

	(void)state;
	assert_int_equal(judged(ix, r), ADAPTER_SEND);
	assert_int_equal(adapter_index_count(ix), 0);
	adapter_index_sent(ix, &r);
	assert_int_equal(adapter_index_count(ix), 1);
	assert_int_equal(judged(ix, row("a", 7, 0, 2, 9)), ADAPTER_SAME);
	assert_int_equal(judged(ix, row("a", 8, 0, 2, 9)), ADAPTER_SEND);
	adapter_index_free(&ix);
}

static void knows_what_an_interrupted_reading_has_sent(void **state)
{
	struct adapter_index *ix = made(ADAPTER_RULE_LATEST);

	(void)state;
	load(ix, row("a", 7, 0, 1, 5));
	assert_int_equal(judged(ix, row("a", 7, 0, 1, 5)), ADAPTER_SENT);
	assert_int_equal(judged(ix, row("a", 6, 0, 1, 3)), ADAPTER_SENT); /* overwritten by line 5 then */
	assert_int_equal(judged(ix, row("a", 9, 0, 1, 8)), ADAPTER_SEND);
	adapter_index_free(&ix);
}

static void the_higher_version_stands(void **state)
{
	struct adapter_index *ix = made(ADAPTER_RULE_NEWEST);

	(void)state;
	load(ix, row("a", 7, 100, 1, 5));
	assert_int_equal(judged(ix, row("a", 8, 101, 2, 1)), ADAPTER_SEND);
	assert_int_equal(judged(ix, row("a", 8, 100, 2, 1)), ADAPTER_OLDER);
	assert_int_equal(judged(ix, row("a", 8, 99, 2, 1)), ADAPTER_OLDER);
	assert_int_equal(judged(ix, row("a", 7, 100, 2, 1)), ADAPTER_SAME);
	/* of the same file, interrupted after the newer one */
	assert_int_equal(judged(ix, row("a", 8, 99, 1, 1)), ADAPTER_SENT);
	adapter_index_free(&ix);
}

static void the_first_event_of_an_id_stands(void **state)
{
	struct adapter_index *ix = made(ADAPTER_RULE_FIRST);

	(void)state;
	load(ix, row("a", 7, 0, 1, 5));
	assert_int_equal(judged(ix, row("a", 7, 0, 2, 1)), ADAPTER_SAME);
	assert_int_equal(judged(ix, row("a", 8, 0, 2, 1)), ADAPTER_CONFLICT);
	assert_int_equal(judged(ix, row("a", 7, 0, 1, 5)), ADAPTER_SENT);
	adapter_index_free(&ix);
}

static void a_removed_key_is_new_again_and_tombstones_are_told_apart(void **state)
{
	struct adapter_index *ix = made(ADAPTER_RULE_NEWEST);
	struct adapter_index_row gone = row("a", 0, 0, 2, 0);
	bool again;

	(void)state;
	load(ix, row("a", 7, 100, 1, 5));
	assert_true(adapter_index_live(ix, BUS_STR("a")));
	assert_int_equal(adapter_index_load(ix, &gone, true, &again, NULL), BUS_OK);
	assert_false(again);
	assert_int_equal(adapter_index_load(ix, &gone, true, &again, NULL), BUS_OK);
	assert_true(again);
	assert_false(adapter_index_live(ix, BUS_STR("a")));
	assert_int_equal(adapter_index_count(ix), 0);
	assert_int_equal(judged(ix, row("a", 8, 3, 3, 1)), ADAPTER_SEND);
	adapter_index_free(&ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_what_is_new_or_changed_and_not_what_is_the_same),
		cmocka_unit_test(knows_what_an_interrupted_reading_has_sent),
		cmocka_unit_test(the_higher_version_stands),
		cmocka_unit_test(the_first_event_of_an_id_stands),
		cmocka_unit_test(a_removed_key_is_new_again_and_tombstones_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
