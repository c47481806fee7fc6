/* Views that are defined, changed and dropped while records come: whatever happens meanwhile, what a follower
 * folds from the log is what a page shows, and that is what the SELECT gives when it is run by hand. */
#include "tests/support/live_stage.h"

static void a_definition_that_comes_is_built_and_served(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "ringkas" };

	people(t);
	tax(t, 1, 5, 100);
	engine_apply(t, 10, GW_FORCE);
	wish(t, "ringkas", SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL));
	calm(t);
	assert_int_equal(state_of(t, "ringkas").state, GW_STATE_RUNNING);
	assert_true(state_of(t, "ringkas").defined);
	follow(t, &f);
	assert_int_equal(f.n, PEOPLE);
	assert_int_equal(f.entries, PEOPLE);
	same_as_the_page(t, &f);
	tax(t, 2, 5, 11); /* kept up to date from now on, by the route of the new view */
	engine_apply(t, 10, GW_LIVE);
	follow(t, &f);
	assert_int_equal(f.entries, 1);
	assert_string_equal(f.row[find(&f, BUS_STR("o05"))].row, "id='o05';kel='k1';total=111;");
	assert_int_equal(engine_differences(t), 0);
}

static void a_changed_one_publishes_the_rows_that_differ_and_no_others(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "dewasa" };
	const struct gw_view *old;
	struct bus_error err;
	struct with w;

	people(t);
	follow(t, &f);
	assert_int_equal(f.n, PEOPLE - 17);
	old = gw_view_ref(gw_view_find(t->e, "dewasa"));
	w = (struct with){ &f, old, 0 };
	wish(t, "dewasa", ADULTS("20")); /* 17, 18 and 19 are out */
	calm(t);
	assert_int_equal(gw_view_gone(old), GW_REPLACED);
	/* The old definition reads nothing of the new one's log, and its cursor stays where it was. */
	assert_int_equal(gw_changes(gw_reader_of(t->e), old, NULL, f.cursor, 10, fold, &w, &f.cursor, &err),
			 BUS_ECONFLICT);
	gw_view_unref(&old);
	follow(t, &f);
	assert_int_equal(f.entries, 3);
	assert_int_equal(f.n, PEOPLE - 20);
	same_as_the_page(t, &f);
	assert_int_equal(engine_differences(t), 0);
	wish(t, "dewasa", NULL); /* the file's definition holds again */
	calm(t);
	assert_false(state_of(t, "dewasa").defined);
	follow(t, &f);
	assert_int_equal(f.entries, 3);
	assert_int_equal(f.n, PEOPLE - 17);
	same_as_the_page(t, &f);
}

static void other_words_change_no_row(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "dewasa" };

	people(t);
	follow(t, &f);
	wish(
	    t, "dewasa",
	    HEAD(
		"dewasa", "title: {id: Dewasa, en: Adults}\nroutes: {uji_orang: _key}\n",
		"  umur: {type: int, pdp: S}\n") "SELECT _key AS id, umur FROM uji_orang WHERE umur >= 17\n");
	assert_false(step(t)); /* at once */
	assert_string_equal(gw_view_find(t->e, "dewasa")->title_en, "Adults");
	assert_int_equal(gw_view_find(t->e, "dewasa")->column[1].pdp, 'S');
	follow(t, &f);
	assert_int_equal(f.entries, 0);
	same_as_the_page(t, &f);
	person(t, 3, 60);
	engine_apply(t, 1, GW_LIVE);
	follow(t, &f);
	assert_int_equal(f.entries, 1);
}

static void columns_come_go_and_change_their_type(void **state)
{
	static const char *const text[] = {
		HEAD("dewasa", "routes: {uji_orang: _key}\n",
		     "  umur: {type: int, pdp: U}\n  kel: {type: text, pdp: N}\n") "SELECT _key AS id, umur, "
										   "kel FROM uji_orang WHERE "
										   "umur >= 17\n",
		HEAD(
		    "dewasa", "routes: {uji_orang: _key}\n",
		    "  umur: {type: real, pdp: U}\n  kel: {type: text, pdp: N}\n") "SELECT _key AS id, umur, "
										   "kel FROM uji_orang WHERE "
										   "umur >= 17\n",
		HEAD("dewasa", "routes: {uji_orang: _key}\n",
		     "  kel: {type: text, pdp: N}\n") "SELECT _key AS id, kel FROM uji_orang WHERE umur >= "
						      "17\n",
	};
	static const char *const row[] = { "id='o20';umur=20;kel='k0';", "id='o20';umur=20.0;kel='k0';",
					   "id='o20';kel='k0';" };
	struct engine *t = *state;
	struct follower f = { .name = "dewasa" };

	people(t);
	follow(t, &f);
	for (size_t i = 0; i < BUS_LEN(text); i++) {
		wish(t, "dewasa", text[i]);
		calm(t);
		follow(t, &f);
		assert_int_equal(f.entries, PEOPLE - 17);
		assert_string_equal(f.row[find(&f, BUS_STR("o20"))].row, row[i]);
		same_as_the_page(t, &f);
		assert_int_equal(engine_differences(t), 0);
	}
}

static void a_view_that_others_read_is_exchanged_under_them(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "per_kel" }, whole = { .name = "ringkas" };

	people(t);
	for (unsigned i = 0; i < 20; i++)
		tax(t, i, i, i);
	engine_apply(t, 7, GW_FORCE);
	wish(t, "per_kel", GROUP("1")); /* waits: it reads what is not there yet */
	calm(t);
	assert_refused(t, "per_kel", "ringkas");
	wish(t, "ringkas", SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL));
	calm(t);
	calm(t);
	assert_int_equal(state_of(t, "per_kel").state, GW_STATE_RUNNING);
	follow(t, &f);
	assert_int_equal(f.n, 4);
	/* Another total, and a column before it: columns move in the table that per_kel reads. */
	wish(
	    t, "ringkas",
	    SUMMARY("", "  umur: {type: int, pdp: U}\n  total: {type: int, pdp: S}\n", "o.umur, 2 * " TOTAL));
	calm(t);
	follow(t, &whole);
	assert_string_equal(whole.row[find(&whole, BUS_STR("o05"))].row,
			    "id='o05';kel='k1';umur=5;total=10;");
	follow(t, &f);
	/* k1: 1, 5, 9, 13, 17 owe, twice */
	assert_string_equal(f.row[find(&f, BUS_STR("k1"))].row, "kel='k1';n=10;total=90;");
	tax(t, 50, 2, 1000);
	engine_apply(t, 7, GW_LIVE);
	engine_settle(t);
	follow(t, &f);
	assert_int_equal(f.entries, 1);
	same_as_the_page(t, &f);
	assert_int_equal(engine_differences(t), 0);
	/* It may lose neither the column that is read, nor its table, nor go. */
	wish(t, "ringkas", POOR);
	calm(t);
	assert_refused(t, "ringkas", "per_kel");
	assert_refused(t, "ringkas", "total");
	wish(t, "ringkas", NULL);
	calm(t);
	assert_refused(t, "ringkas", "per_kel");
	assert_int_equal(engine_differences(t), 0);
	wish(t, "per_kel", NULL);
	calm(t);
	calm(t);
	assert_null(gw_view_find(t->e, "per_kel"));
	assert_null(gw_view_find(t->e, "ringkas"));
	assert_int_equal(
	    sql_int(t, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%ringkas%' OR name LIKE "
		       "'%per_kel%' OR name LIKE '\\_ix%' ESCAPE '\\'"),
	    0);
}

static void records_that_come_while_it_is_built_are_in_it(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "ringkas" };

	people(t);
	wish(t, "ringkas", SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL));
	assert_true(step(t)); /* the snapshot is taken */
	assert_int_equal(state_of(t, "ringkas").state, GW_STATE_BUILDING);
	assert_false(state_of(t, "ringkas").runs);
	tax(t, 1, 3, 5);
	person(t, 70, 1);
	engine_put(t, 0, "o04", NULL);
	engine_apply(t, 1, GW_LIVE);
	calm(t);
	follow(t, &f);
	assert_int_equal(f.n, PEOPLE);
	assert_int_equal(find(&f, BUS_STR("o04")), -1);
	assert_string_equal(f.row[find(&f, BUS_STR("o03"))].row, "id='o03';kel='k3';total=5;");
	same_as_the_page(t, &f);
	assert_int_equal(engine_differences(t), 0);
}

static void what_was_defined_runs_again_after_a_restart(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "dewasa" };

	people(t);
	wish(t, "dewasa", ADULTS("20"));
	wish(t, "ringkas", SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL));
	calm(t);
	follow(t, &f);
	wish(t, "dewasa", ADULTS("30"));
	assert_true(step(t)); /* being built when the end comes */
	gw_core_close(&t->e);
	engine_open(t, NULL);
	engine_settle(t);
	assert_int_equal(engine_differences(t), 0);
	assert_int_equal(gw_view_rows(t->e, gw_view_find(t->e, "dewasa")), PEOPLE - 20);
	assert_int_equal(gw_view_rows(t->e, gw_view_find(t->e, "ringkas")), PEOPLE);
	assert_int_equal(
	    sql_int(t, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_new%' ESCAPE '\\'"), 0);
	/* The topic, read again, names one of them only. */
	wish(t, "dewasa", ADULTS("20"));
	gw_wishes_read(t->e);
	calm(t);
	assert_null(gw_view_find(t->e, "ringkas"));
	follow(t, &f);
	assert_int_equal(f.entries, 0);
	same_as_the_page(t, &f);
}

static void what_cannot_be_set_up_at_the_start_waits_with_its_cursors(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "ringkas" };
	const char *topics[] = { t->names[0], NULL };
	const struct gw_schemas schemas = { .ctx = t, .by_id = engine_by_id, .latest = engine_latest };
	struct bus_error err = { 0 };

	people(t);
	wish(t, "ringkas", SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL));
	calm(t);
	follow(t, &f);
	gw_core_close(&t->e);
	/* One of its topics is not materialised any more. */
	engine_must(gw_core_open(t->db, t->views, topics, 0, &schemas, &t->e, &err), &err);
	assert_null(gw_view_find(t->e, "ringkas"));
	assert_refused(t, "ringkas", "uji_pajak");
	calm(t);
	gw_core_close(&t->e);
	engine_open(t, NULL);
	calm(t);
	assert_non_null(gw_view_find(t->e, "ringkas"));
	follow(t, &f);
	assert_int_equal(f.entries, 0);
	same_as_the_page(t, &f);
	assert_int_equal(engine_differences(t), 0);
}

static void held_views_outlive_their_set(void **state)
{
	struct engine *t = *state;
	struct gw_views *set = gw_views_hold(t->e);
	const struct gw_view *old = gw_views_find(set, "dewasa");

	people(t);
	wish(t, "dewasa", ADULTS("20"));
	wish(t, "ringkas", SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL));
	calm(t);
	assert_int_equal(set->n, 1);
	assert_string_equal(old->name, "dewasa");
	assert_true(old != gw_view_find(t->e, "dewasa"));
	assert_int_equal(gw_view_count(t->e), 2);
	gw_views_release(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_definition_that_comes_is_built_and_served),
		T(a_changed_one_publishes_the_rows_that_differ_and_no_others),
		T(other_words_change_no_row),
		T(columns_come_go_and_change_their_type),
		T(a_view_that_others_read_is_exchanged_under_them),
		T(records_that_come_while_it_is_built_are_in_it),
		T(what_was_defined_runs_again_after_a_restart),
		T(what_cannot_be_set_up_at_the_start_waits_with_its_cursors),
		T(held_views_outlive_their_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
