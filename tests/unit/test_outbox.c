#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "adapters/fetch/outbox.h"

static void conf(struct adapter_outbox *o, struct bus_yaml **y, const char *text)
{
	*o = (struct adapter_outbox){ 0 };
	assert_int_equal(bus_yaml_parse("conf.yaml", 1, text, strlen(text), y, NULL), BUS_OK);
	assert_int_equal(adapter_outbox_read(o, *y, bus_yaml_root(*y), NULL), BUS_OK);
}

/* Of the ids that are there the ones that are taken, in order, until one may not be. */
static const char *taken(struct adapter_outbox *o, const int *ids, int64_t now)
{
	static char text[200];

	text[0] = '\0';
	for (; *ids && adapter_outbox_may(o, *ids, now); ids++) {
		adapter_outbox_take(o, *ids);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ", *ids);
	}
	return text;
}

#define IDS(...) ((const int[]){ __VA_ARGS__, 0 })

static void what_lies_behind_a_gap_waits_and_not_for_ever(void **state)
{
	struct adapter_outbox o;
	struct bus_yaml *y;

	(void)state;
	conf(&o, &y, "{table: t, id: i, wait: 10s}");
	assert_int_equal(adapter_outbox_begin(&o, (struct bus_str){ 0 }, NULL), BUS_OK);
	adapter_outbox_look(&o, 8, 0);
	assert_string_equal(taken(&o, IDS(5, 6, 8), 0), "5 6 ");
	adapter_outbox_look(&o, 8, 4000);
	assert_string_equal(taken(&o, IDS(8), 4000), "");
	adapter_outbox_look(&o, 12, 5000);
	assert_string_equal(taken(&o, IDS(7, 8, 12), 5000), "7 8 "); /* it came */
	adapter_outbox_look(&o, 20, 9000);
	assert_string_equal(taken(&o, IDS(12, 20), 14999), "");
	adapter_outbox_look(&o, 20, 15000);
	assert_string_equal(taken(&o, IDS(12, 13, 20), 15000),
			    "12 13 "); /* 9 to 11 were missing for 10 s, 14 to 19 for 6 */
	assert_string_equal(taken(&o, IDS(20), 19000), "20 ");
	adapter_outbox_release(&o);
	bus_yaml_free(&y);
}

static void many_looks_never_shorten_a_wait(void **state)
{
	struct adapter_outbox o;
	struct bus_yaml *y;

	(void)state;
	conf(&o, &y, "{table: t, id: i, wait: 1000s}");
	assert_int_equal(adapter_outbox_begin(&o, BUS_STR("0\n"), NULL), BUS_OK);
	for (int s = 1; s < 5000; s++) {
		adapter_outbox_look(&o, 2 * s, s * 1000);
		for (int id = 1; id <= 2 * s; id++) /* id was there, at the earliest, at (id + 1) / 2 s */
			if (adapter_outbox_may(&o, id, s * 1000) && id > 1)
				assert_true(s - (id + 1) / 2 >= 1000);
	}
	assert_true(adapter_outbox_may(&o, 2 * 4999, 5999 * 1000));
	adapter_outbox_release(&o);
	bus_yaml_free(&y);
}

static const char *settle(const struct adapter_outbox *o)
{
	static struct bus_buf sql;

	bus_buf_reset(&sql);
	for (size_t i = 0; i < o->n_ranges; i++) {
		adapter_outbox_settle_sql(o, &o->range[i], &sql);
		bus_buf_puts(&sql, "; ");
	}
	return bus_buf_cstr(&sql);
}

static void only_what_was_taken_is_settled(void **state)
{
	struct adapter_outbox o, later;
	struct bus_yaml *y, *y2;

	(void)state;
	conf(&o, &y, "{table: db.t, id: i, after: delete, wait: 0s}");
	assert_int_equal(adapter_outbox_begin(&o, BUS_STR("7\n"), NULL), BUS_OK);
	adapter_outbox_look(&o, 12, 0);
	assert_string_equal(taken(&o, IDS(3, 8, 9, 11, 12), 0), "3 8 9 11 12 "); /* 3: late, and not lost */
	conf(&later, &y2, "{table: db.t, id: i, after: {mark: terbit}}");
	assert_int_equal(adapter_outbox_begin(&later, adapter_outbox_mark(&o), NULL), BUS_OK);
	assert_int_equal(later.last, 12);
	assert_string_equal(settle(&later),
			    "UPDATE db.t SET terbit = CURRENT_TIMESTAMP WHERE i BETWEEN 3 AND 3; "
			    "UPDATE db.t SET terbit = CURRENT_TIMESTAMP WHERE i BETWEEN 8 AND 9; "
			    "UPDATE db.t SET terbit = CURRENT_TIMESTAMP WHERE i BETWEEN 11 AND 12; ");
	adapter_outbox_settled(&later);
	assert_true(bus_str_eq(adapter_outbox_mark(&later), BUS_STR("12\n")));
	assert_non_null(strstr(settle(&o), "DELETE FROM db.t WHERE i BETWEEN 8 AND 9; "));
	adapter_outbox_release(&o);
	adapter_outbox_release(&later);
	bus_yaml_free(&y);
	bus_yaml_free(&y2);
}

static void a_mark_or_a_name_that_is_none_is_refused(void **state)
{
	static const char *const marks[] = { "x",	 "1",	   "1\n2\n",
					     "1\n2 1\n", "1\n2 3", "99999999999999999999999\n" };
	static const char *const confs[] = { "{table: 't; DROP TABLE t', id: i}",
					     "{table: t, id: 'i--'}",
					     "{table: t}",
					     "{table: t, id: i, after: hapus}",
					     "{table: t, id: i, after: {mark: 'a b'}}",
					     "{table: t, id: i, wait: 48h}" };
	struct adapter_outbox o;
	struct bus_yaml *y;

	(void)state;
	conf(&o, &y, "{table: t, id: i, after: delete}");
	for (size_t i = 0; i < BUS_LEN(marks); i++)
		assert_int_equal(adapter_outbox_begin(&o, bus_str(marks[i]), NULL), BUS_EDATA);
	adapter_outbox_release(&o);
	bus_yaml_free(&y);
	for (size_t i = 0; i < BUS_LEN(confs); i++) {
		o = (struct adapter_outbox){ 0 };
		assert_int_equal(bus_yaml_parse("conf.yaml", 1, confs[i], strlen(confs[i]), &y, NULL),
				 BUS_OK);
		assert_int_equal(adapter_outbox_read(&o, y, bus_yaml_root(y), NULL), BUS_EPARSE);
		bus_yaml_free(&y);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_behind_a_gap_waits_and_not_for_ever),
		cmocka_unit_test(many_looks_never_shorten_a_wait),
		cmocka_unit_test(only_what_was_taken_is_settled),
		cmocka_unit_test(a_mark_or_a_name_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
