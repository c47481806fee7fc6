#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "tests/support/engine_support.h"

#define HEAD "/*---\nname: v\nkey: k\n"
#define COLUMNS "columns:\n  k: {type: text, pdp: N}\n"
#define ROUTES "routes: {uji_a: _key}\n"

static struct engine *start(void)
{
	struct engine *t = engine_new();

	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema(
		"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
		"{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"b\",\"type\":[\"null\",\"string\"],"
		"\"default\":null}]}"));
	engine_topic(
	    t, "pku.uji.b.v1",
	    engine_schema(
		"{\"type\":\"record\",\"name\":\"B\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
		"{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\",\"default\":0}]}"));
	return t;
}

/* The definition is refused, and the message has the file and `why`. */
static void refused(const char *text, const char *why)
{
	struct engine *t = start();
	struct bus_error err = { 0 };
	enum bus_err rc;

	engine_view(t, "v", text);
	rc = engine_try_open(t, NULL, &err);
	if (rc == BUS_OK || !strstr(err.text, why) || !strstr(err.text, "v.sql"))
		fail_msg("%s: '%s' does not say '%s'", bus_err_name(rc), err.text, why);
	engine_free(&t);
}

static void the_front_matter_is_strict_and_says_where(void **state)
{
	(void)state;
	refused("SELECT 1", "v.sql:1: a view begins with");
	refused(HEAD "colour: red\n" ROUTES COLUMNS "---*/\nSELECT _key AS k FROM uji_a", "v.sql:4");
	refused("/*---\nname: V\nkey: k\n" ROUTES COLUMNS "---*/\nSELECT _key AS k FROM uji_a", "lower case");
	refused("/*---\nname: v\nkey: z\n" ROUTES COLUMNS "---*/\nSELECT _key AS k FROM uji_a", "key 'z'");
	refused(HEAD ROUTES "columns:\n  k: {type: teks, pdp: N}\n---*/\nSELECT _key AS k FROM uji_a",
		"v.sql:6");
	refused(HEAD ROUTES "columns:\n  k: {type: text, pdp: X}\n---*/\nSELECT _key AS k FROM uji_a",
		"pdp 'X'");
	refused(HEAD ROUTES COLUMNS "---*/\n", "no SQL statement");
	refused("/*---\nname: v\nkey: k\n" ROUTES COLUMNS "---*/\n\nSELEC 1", "v.sql:9: ");
}

static void every_output_column_is_declared_and_nothing_else(void **state)
{
	(void)state;
	refused(HEAD ROUTES COLUMNS "---*/\nSELECT _key AS k, b FROM uji_a", "'b' is not declared");
	refused(HEAD ROUTES COLUMNS "  b: {type: text, pdp: N}\n---*/\nSELECT _key AS k FROM uji_a",
		"declares more");
	refused(HEAD ROUTES COLUMNS "  b: {type: text, pdp: N}\n---*/\nSELECT _key AS k, b AS k FROM uji_a",
		"called 'k'");
}

static void every_table_it_reads_has_a_route_and_only_those(void **state)
{
	(void)state;
	refused(HEAD "pace: total\n" ROUTES COLUMNS
		     "---*/\nSELECT _key AS k FROM uji_a WHERE (SELECT count(*) FROM uji_b) > 1",
		"reads 'uji_b', which has no route");
	refused(HEAD "routes: {uji_a: _key, uji_b: _key}\n" COLUMNS "---*/\nSELECT _key AS k FROM uji_a",
		"a route from 'uji_b', which the SELECT does not read");
	refused(HEAD "routes: {uji_a: nothing}\n" COLUMNS "---*/\nSELECT _key AS k FROM uji_a",
		"'uji_a' has no column 'nothing'");
	refused(HEAD "routes: {uji_a: 'SELECT id FROM uji_a WHERE b = :nothing'}\n" COLUMNS
		     "---*/\nSELECT _key AS k FROM uji_a",
		"parameter ':nothing'");
	refused(HEAD "routes: {uji_a: 'SELECT _key, b FROM uji_a WHERE _key = :b'}\n" COLUMNS
		     "---*/\nSELECT _key AS k FROM uji_a",
		"one column");
	refused(HEAD "routes: {uji_a: 'DELETE FROM uji_a'}\n" COLUMNS "---*/\nSELECT _key AS k FROM uji_a",
		"only one SELECT");
}

static void only_a_select_over_known_tables_with_known_functions_is_let_in(void **state)
{
	static const struct {
		const char *sql, *why;
	} no[] = {
		{ "SELECT random() AS k FROM uji_a", "random" },
		{ "SELECT datetime('now') AS k FROM uji_a", "datetime" },
		{ "SELECT value AS k FROM _meta", "_meta" },
		{ "SELECT name AS k FROM sqlite_schema", "sqlite_" },
		{ "SELECT name AS k FROM pragma_table_info('uji_a')", "pragma" },
		{ "SELECT hex(randomblob(9)) AS k FROM uji_a", "hex" },
		{ "DELETE FROM uji_a", "only one SELECT" },
		{ "ATTACH 'x' AS y", "only one SELECT" },
		{ "PRAGMA journal_mode", "only one SELECT" },
		{ "SELECT _key AS k FROM uji_a; SELECT 1", "more than one" },
		{ "WITH RECURSIVE c(k) AS (SELECT 'a' UNION ALL SELECT k||'a' FROM c) SELECT k FROM c",
		  "recursion" },
		{ "SELECT _key AS k FROM uji_a WHERE b = :reader", ":per_tanggal" },
		{ "SELECT _key AS k FROM uji_a WHERE b = :per_tanggal", "dated" },
		{ "SELECT _key AS k FROM uji_a) UNION SELECT b FROM (SELECT b FROM uji_a", "syntax" },
		{ "SELECT _key AS k FROM nowhere", "nowhere" },
		{ "SELECT k FROM v", "no such table" },
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(no); i++) {
		snprintf(text, sizeof(text), HEAD ROUTES COLUMNS "---*/\n%s", no[i].sql);
		refused(text, no[i].why);
	}
}

static void a_plan_that_reads_a_whole_table_for_one_key_is_refused(void **state)
{
	(void)state;
	refused(HEAD "routes: {uji_a: b}\n" COLUMNS
		     "---*/\nSELECT b AS k FROM uji_a WHERE b IS NOT NULL GROUP BY b",
		"declare an index");
	refused(HEAD "routes: {uji_a: _key, uji_b: 'SELECT _key FROM uji_a WHERE b = :_key'}\n" COLUMNS
		     "---*/\nSELECT a._key AS k FROM uji_a a LEFT JOIN uji_b b ON b._key = a.b WHERE b.n > 1",
		"would read a table from end to end");
	refused(HEAD "routes: {uji_a: _key, uji_b: _key}\n" COLUMNS
		     "---*/\nSELECT a._key AS k FROM uji_a a LEFT JOIN (SELECT n, count(*) AS c FROM uji_b "
		     "GROUP BY n) t "
		     "ON t.n = a.b WHERE t.c > 1",
		"from end to end");
}

static void the_day_a_view_ends_is_a_day(void **state)
{
	(void)state;
	refused(HEAD "sunset: soon\n" ROUTES COLUMNS "---*/\nSELECT _key AS k FROM uji_a",
		"sunset: a day like 2027-06-30");
	refused(HEAD "deprecated: 2027-02-30\n" ROUTES COLUMNS "---*/\nSELECT _key AS k FROM uji_a",
		"deprecated: a day");
}

static void an_index_makes_it_acceptable_and_the_lineage_is_known(void **state)
{
	struct engine *t = start();
	const struct gw_view *v;

	(void)state;
	engine_view(
	    t, "v",
	    HEAD
	    "routes: {uji_a: _key, uji_b: 'SELECT _key FROM uji_a WHERE b = :_key'}\n"
	    "indexes:\n  - {table: uji_a, columns: [b]}\n"
	    "columns:\n  n: {type: int, pdp: N, title: {id: Banyak, en: Number}}\n  k: {type: text, pdp: P}\n"
	    "---*/\nSELECT a._key AS k, b.n FROM uji_a a JOIN uji_b b ON b._key = a.b -- why not\n");
	engine_open(t, NULL);
	v = gw_view_find(t->e, "v");
	assert_non_null(v);
	assert_int_equal(v->n_sources, 2);
	assert_int_equal(v->n_columns, 2);
	assert_string_equal(v->column[0].name, "k"); /* in the order of the SELECT */
	assert_int_equal(v->key, 0);
	assert_string_equal(v->column[1].title_en, "Number");
	assert_int_equal(v->column[0].pdp, 'P');
	assert_false(v->dated || v->internal);
	engine_free(&t);
}

static void views_that_read_each_other_are_refused(void **state)
{
	struct engine *t = start();
	struct bus_error err = { 0 };

	(void)state;
	engine_view(t, "x",
		    "/*---\nname: x\nkey: k\nstore: full\nroutes: {y: k}\n" COLUMNS "---*/\nSELECT k FROM y");
	engine_view(t, "y",
		    "/*---\nname: y\nkey: k\nstore: full\nroutes: {x: k}\n" COLUMNS "---*/\nSELECT k FROM x");
	assert_int_equal(engine_try_open(t, NULL, &err), BUS_EPARSE);
	assert_non_null(strstr(err.text, "circle"));
	engine_free(&t);
}

static void a_view_may_not_take_a_table_s_name(void **state)
{
	(void)state;
	refused("/*---\nname: uji_b\nkey: k\nstore: full\n" ROUTES COLUMNS
		"---*/\nSELECT _key AS k FROM uji_a",
		"name of another table");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_front_matter_is_strict_and_says_where),
		cmocka_unit_test(every_output_column_is_declared_and_nothing_else),
		cmocka_unit_test(every_table_it_reads_has_a_route_and_only_those),
		cmocka_unit_test(only_a_select_over_known_tables_with_known_functions_is_let_in),
		cmocka_unit_test(a_plan_that_reads_a_whole_table_for_one_key_is_refused),
		cmocka_unit_test(the_day_a_view_ends_is_a_day),
		cmocka_unit_test(an_index_makes_it_acceptable_and_the_lineage_is_known),
		cmocka_unit_test(views_that_read_each_other_are_refused),
		cmocka_unit_test(a_view_may_not_take_a_table_s_name),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
