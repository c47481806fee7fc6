/* Definitions that cannot be taken, evaluated or built in time: they are told why, and the others run on. */
#include "tests/support/live_stage.h"

static void what_cannot_be_taken_leaves_what_runs(void **state)
{
	static const struct {
		const char *name, *text, *why;
	} bad[] = {
		{ "dewasa", "not a definition", "begins with a line" },
		{ "dewasa", SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL), "own name" },
		{ "dewasa", ADULTS("tinggi"), "tinggi" },
		{ "dewasa",
		  HEAD("dewasa", "routes: {uji_orang: _key}\n",
		       "  umur: {type: int, pdp: U}\n") "SELECT _key AS id, umur FROM uji_orang WHERE umur > "
							"random()\n",
		  "random" },
		{ "dewasa",
		  HEAD("dewasa", "routes: {_view: name}\n",
		       "  umur: {type: int, pdp: U}\n") "SELECT name AS id, all_dirty AS umur FROM _view\n",
		  "_view" },
		{ "uji_pajak",
		  HEAD("uji_pajak", "routes: {uji_orang: _key}\n", "") "SELECT _key AS id FROM uji_orang\n",
		  "topic" },
		{ "diri", HEAD("diri", "store: full\nroutes: {diri: id}\n", "") "SELECT id FROM diri\n",
		  "diri" },
		{ "diri",
		  HEAD("diri",
		       "store: full\nroutes: {uji_orang: _key}\nindexes: [{table: diri, columns: [x]}]\n",
		       "") "SELECT _key AS id FROM uji_orang\n",
		  "'x'" },
		{ "dewasa", /* of the topic: nobody takes a mask off */
		  HEAD("dewasa", "routes: {uji_orang: _key}\n",
		       "  umur: {type: int, pdp: N}\n") "SELECT _key AS id, umur FROM uji_orang WHERE umur > "
							"3\n",
		  "made of uji_orang.umur (U)" },
		/* It can be taken, and cannot be evaluated. */
		{ "dewasa",
		  HEAD("dewasa", "routes: {uji_orang: _key}\n",
		       "  umur: {type: int, pdp: U}\n") "SELECT _key AS id, json_extract(kel, '$.x') AS umur "
							"FROM uji_orang WHERE umur >= 17\n",
		  "JSON" },
	};
	struct engine *t = *state;
	struct follower f = { .name = "dewasa" };

	people(t);
	follow(t, &f);
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		wish(t, bad[i].name, bad[i].text);
		calm(t);
		assert_refused(t, bad[i].name, bad[i].why);
		person(t, 30, 30 + (unsigned)i + 1);
		engine_apply(t, 1, GW_LIVE);
		follow(t, &f);
		assert_int_equal(f.entries, 1);
		same_as_the_page(t, &f);
	}
	assert_int_equal(engine_differences(t), 0);
	assert_int_equal(
	    sql_int(t, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_new%' ESCAPE '\\'"), 0);
	wish(t, "dewasa", ADULTS("38"));
	calm(t);
	assert_int_equal(state_of(t, "dewasa").state, GW_STATE_RUNNING);
	follow(t, &f);
	same_as_the_page(t, &f);
}

static void views_that_read_each_other_in_a_circle_are_refused(void **state)
{
	struct engine *t = *state;

	people(t);
	wish(t, "satu",
	     HEAD("satu", "store: full\nroutes: {uji_orang: _key}\n",
		  "") "SELECT _key AS id FROM uji_orang\n");
	calm(t);
	wish(t, "dua", HEAD("dua", "store: full\nroutes: {satu: id}\n", "") "SELECT id FROM satu\n");
	calm(t);
	wish(t, "satu", HEAD("satu", "store: full\nroutes: {dua: id}\n", "") "SELECT id FROM dua\n");
	calm(t);
	assert_refused(t, "satu", "reads");
	assert_int_equal(engine_differences(t), 0);
}

static void a_view_that_cannot_be_evaluated_stands_still_alone(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "json" }, other = { .name = "dewasa" };

	people(t);
	engine_put(t, 0, "o01", "{\"id\":\"o01\",\"kel\":\"{}\",\"umur\":50}");
	engine_apply(t, 1, GW_FORCE);
	wish(t, "json",
	     HEAD("json", "store: full\nroutes: {uji_orang: _key}\n",
		  "  x: {type: int, pdp: N}\n") "SELECT _key AS id, json_extract(kel, '$.x') AS x FROM "
						"uji_orang WHERE umur >= 50\n");
	calm(t);
	assert_int_equal(state_of(t, "json").state, GW_STATE_RUNNING);
	for (unsigned i = 2; i < 6; i++) { /* one by one, then as a whole: all but one are no JSON */
		person(t, i, 60);
		engine_apply(t, 1, i < 4 ? GW_LIVE : GW_FORCE);
	}
	assert_int_equal(state_of(t, "json").state, GW_STATE_STUCK);
	assert_non_null(strstr(state_of(t, "json").fault, "JSON"));
	follow(t, &other);
	assert_int_equal(other.n, PEOPLE - 17 + 5);
	assert_int_equal(gw_view_rows(t->e, gw_view_find(t->e, "json")), 1);
	gw_core_close(&t->e); /* and after a restart */
	engine_open(t, NULL);
	engine_settle(t);
	assert_int_equal(state_of(t, "json").state, GW_STATE_STUCK);
	follow(t, &f);
	assert_int_equal(f.n, 1);
	for (unsigned i = 2; i < 6; i++)
		person(t, i, 1);
	engine_put(t, 0, "o09", "{\"id\":\"o09\",\"kel\":\"{\\\"x\\\":7}\",\"umur\":50}");
	engine_apply(t, 10, GW_LIVE);
	engine_settle(t);
	assert_int_equal(state_of(t, "json").state, GW_STATE_RUNNING);
	follow(t, &f);
	assert_int_equal(f.n, 2);
	same_as_the_page(t, &f);
	assert_int_equal(engine_differences(t), 0);
}

#define DEAR                                                                                                 \
	"/*---\nname: dear\nkey: kel\npace: group\nroutes: {uji_orang: kel}\n"                               \
	"indexes:\n  - {table: uji_orang, columns: [kel]}\n"                                                 \
	"columns:\n  kel: {type: text, pdp: N}\n  n: {type: int, pdp: N}\n---*/\n"                           \
	"SELECT a.kel, count(*) AS n FROM uji_orang a JOIN uji_orang b ON b.kel = a.kel "                    \
	"JOIN uji_orang c ON c.kel = a.kel JOIN uji_orang d ON d.kel = a.kel GROUP BY a.kel\n"

/* 300 to the fourth: hours. Each is too young for "dewasa". */
static void crowd(struct engine *t)
{
	for (unsigned i = 0; i < 300; i++)
		person(t, 100 + 4 * i, 1);
	person(t, 2, 60);
	engine_apply(t, 1000, GW_LIVE);
}

static void a_view_that_takes_too_long_stands_still_alone(void **state)
{
	struct engine *t = *state;
	struct follower other = { .name = "dewasa" };
	struct bus_error err = { 0 };
	bool pending;

	people(t);
	wish(t, "dear", DEAR);
	calm(t);
	assert_int_equal(state_of(t, "dear").state, GW_STATE_RUNNING);
	crowd(t);
	assert_int_equal(state_of(t, "dear").state, GW_STATE_STUCK);
	assert_non_null(strstr(state_of(t, "dear").fault, "too long"));
	follow(t, &other);
	assert_int_equal(other.n, PEOPLE - 17 + 1);
	assert_int_equal(gw_view_rows(t->e, gw_view_find(t->e, "dear")), 4);
	person(t, 3, 60);
	engine_apply(t, 1, GW_LIVE);
	follow(t, &other);
	assert_int_equal(other.n, PEOPLE - 17 + 2);
	engine_must(gw_settle(t->e, GW_FORCE, NULL, &pending, &err), &err); /* as a whole: no better */
	engine_must(gw_commit(t->e, &err), &err);
	assert_int_equal(state_of(t, "dear").state, GW_STATE_STUCK);
	wish(t, "dear", NULL);
	calm(t);
	assert_null(gw_view_find(t->e, "dear"));
	assert_int_equal(engine_differences(t), 0);
}

static void a_build_that_takes_too_long_fails_and_the_next_goes_on(void **state)
{
	struct engine *t = *state;

	people(t);
	crowd(t);
	wish(t, "dear", DEAR);
	wish(t, "dewasa", ADULTS("30"));
	calm(t);
	assert_int_equal(state_of(t, "dear").state, GW_STATE_FAILED);
	assert_non_null(strstr(state_of(t, "dear").fault, "too long"));
	assert_null(gw_view_find(t->e, "dear"));
	assert_int_equal(state_of(t, "dewasa").state, GW_STATE_RUNNING);
	assert_int_equal(gw_view_rows(t->e, gw_view_find(t->e, "dewasa")), PEOPLE - 30 + 1);
	assert_int_equal(state_of(t, "dear").state,
			 GW_STATE_FAILED); /* not tried again for the other's change */
}

/* Its route finds the right keys, and takes hours. */
#define FAR                                                                                                  \
	HEAD("jauh",                                                                                         \
	     "routes:\n  uji_orang: SELECT DISTINCT a._key FROM uji_orang a JOIN uji_orang b ON b.kel = "    \
	     "a.kel "                                                                                        \
	     "JOIN uji_orang c ON c.kel = a.kel JOIN uji_orang d ON d.kel = a.kel WHERE a.kel = :kel\n"      \
	     "indexes:\n  - {table: uji_orang, columns: [kel]}\n",                                           \
	     "  umur: {type: int, pdp: U}\n")                                                                \
	"SELECT _key AS id, umur FROM uji_orang WHERE umur >= 18\n"

static void a_route_that_takes_too_long_is_given_up_and_its_view_evaluated_as_a_whole(void **state)
{
	struct engine *t = *state;
	struct follower f = { .name = "jauh" }, other = { .name = "dewasa" };

	people(t);
	wish(t, "jauh", FAR);
	calm(t);
	follow(t, &f);
	assert_int_equal(f.n, PEOPLE - 18);
	crowd(t);
	engine_settle(t);
	assert_int_equal(state_of(t, "jauh").state, GW_STATE_RUNNING);
	follow(t, &f);
	assert_int_equal(f.n, PEOPLE - 18 + 1);
	same_as_the_page(t, &f);
	follow(t, &other);
	assert_int_equal(other.n, PEOPLE - 17 + 1);
	assert_int_equal(engine_differences(t), 0);
}

#define GROW "replace("
#define TENFOLD ", 'a', 'aaaaaaaaaa')"

/* Each row takes a moment, and the rows are too many. */
static void sums_that_take_too_long_to_make_leave_their_view_standing_still(void **state)
{
	struct engine *t = engine_new();
	char json[300], word[151] = "";
	bool sums = false;

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	engine_topic(t, "pku.uji.pajak.v1", engine_schema(TAX));
	engine_view(t, "ringan",
		    HEAD("ringan", "routes: {uji_pajak: _key}\n",
			 "") "SELECT _key AS id FROM uji_pajak WHERE besar > 9\n");
	engine_view(t, "berat",
		    "/*---\nname: berat\nkey: besar\ncolumns:\n  besar: {type: text, pdp: N}\n  n: {type: "
		    "int, pdp: N}\n"
		    "---*/\nSELECT CAST(besar AS TEXT) AS besar, sum(length(" GROW GROW GROW GROW
		    "orang" TENFOLD TENFOLD TENFOLD TENFOLD
		    ")) AS n FROM uji_pajak GROUP BY uji_pajak.besar\n");
	engine_open(t, NULL);
	for (size_t i = 0; i < t->e->n_views; i++)
		sums |= t->e->view[i]->sum != NULL;
	assert_true(sums);
	for (unsigned i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof(key), "p%02u", i);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"orang\":\"%s\",\"besar\":%u}", key, word, i);
		engine_put(t, 0, key, json);
	}
	engine_apply(t, 100, GW_FORCE);
	assert_int_equal(state_of(t, "berat").state, GW_STATE_STUCK);
	assert_non_null(strstr(state_of(t, "berat").fault, "too long"));
	assert_int_equal(gw_view_rows(t->e, gw_view_find(t->e, "ringan")), 90);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_cannot_be_taken_leaves_what_runs),
		T(views_that_read_each_other_in_a_circle_are_refused),
		T(a_view_that_cannot_be_evaluated_stands_still_alone),
		T(a_view_that_takes_too_long_stands_still_alone),
		T(a_build_that_takes_too_long_fails_and_the_next_goes_on),
		T(a_route_that_takes_too_long_is_given_up_and_its_view_evaluated_as_a_whole),
		cmocka_unit_test(sums_that_take_too_long_to_make_leave_their_view_standing_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
