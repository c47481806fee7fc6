/* Which SELECTs are kept by what changed, and why others are not. That those which are give what the SELECT gives is
 * tested with views made by chance (test_views_random.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "gateway/define/rollup.h"
#include "tests/support/engine_support.h"

#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":[\"null\",\"" type "\"],\"default\":null}"

static struct engine *start(const char *pdp, const char *columns, const char *extra, const char *select)
{
	struct engine *t = engine_new();
	char text[2000];

	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema("{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
			  "\"fields\":[{\"name\":\"id\",\"type\":\"string\"}," FIELD("g", "string") "," FIELD(
			      "h", "string") "," FIELD("x", "long") "," FIELD("r", "double") "]}"));
	snprintf(text, sizeof(text),
		 "/*---\nname: v\nkey: k\npace: total\nroutes: {uji_a: g}\n%scolumns:\n  k: {type: text, "
		 "pdp: %s}\n%s"
		 "---*/\n%s",
		 extra, pdp, columns, select);
	engine_view(t, "v", text);
	engine_open(t, NULL);
	return t;
}

static void is_kept(const char *extra, const char *select)
{
	struct engine *t = start("N", "  n: {type: int, pdp: N}\n", extra, select);

	if (!t->e->view[0]->sum)
		fail_msg("%s: %s", select, t->e->view[0]->def->no_rollup);
	engine_free(&t);
}

static void is_not_kept(const char *select, const char *why)
{
	struct engine *t = start("N", "  n: {type: int, pdp: N}\n", "", select);

	if (t->e->view[0]->sum || !strstr(t->e->view[0]->def->no_rollup, why))
		fail_msg("%s: %s", select, t->e->view[0]->def->no_rollup);
	engine_free(&t);
}

static void a_select_that_groups_one_table_is_kept_by_what_changed(void **state)
{
	(void)state;
	is_kept("", "SELECT g AS k, count(*) AS n FROM uji_a WHERE g IS NOT NULL GROUP BY g");
	is_kept("", "select a.g as k, Sum(a.x) + 1 n from uji_a a where a.g > '' group by a.g");
	is_kept("", "SELECT g k, sum(x) FILTER (WHERE h = 'group by') AS n FROM uji_a -- FROM b\nGROUP BY k");
	is_kept(
	    "",
	    "SELECT coalesce(g, '/* no */') AS k, avg(x) * 2 AS n FROM uji_a GROUP BY 1 HAVING count(*) > 1");
	is_kept("", "SELECT g || '''' || h AS k, count(x) AS n FROM uji_a AS \"b\" GROUP BY g, \"b\".h");
	is_kept("", "SELECT 'all' AS k, total(x) AS n FROM uji_a");
	is_kept(
	    "",
	    "SELECT CASE WHEN x > 1 THEN 'a' ELSE 'b' END AS k, max(1, count(*)) AS n FROM uji_a GROUP BY k");
	is_kept("indexes:\n  - {table: uji_a, columns: [g, x]}\n",
		"SELECT g AS k, max(x) AS n FROM uji_a GROUP BY g");
	is_kept("", "SELECT g AS k, sum(CAST(round(r * 100) AS INTEGER)) AS n FROM uji_a GROUP BY g");
}

static void what_is_not_surely_of_that_form_is_evaluated_and_says_why(void **state)
{
	(void)state;
	is_not_kept("SELECT _key AS k, x AS n FROM uji_a", "no aggregate");
	is_not_kept("SELECT a.g AS k, count(*) AS n FROM uji_a a JOIN uji_a b ON b._key = a.g GROUP BY a.g",
		    "joins");
	is_not_kept("SELECT a.g AS k, count(*) AS n FROM uji_a a, uji_a b GROUP BY a.g",
		    "more than one table");
	is_not_kept("SELECT g AS k, count(*) AS n FROM (SELECT g FROM uji_a) GROUP BY g", "sub-query");
	is_not_kept("SELECT g AS k, count(*) AS n FROM uji_a WHERE x = (SELECT max(x) FROM uji_a) GROUP BY g",
		    "sub-query");
	is_not_kept("SELECT g AS k, count(DISTINCT x) AS n FROM uji_a GROUP BY g", "DISTINCT");
	is_not_kept("SELECT g AS k, length(group_concat(h)) AS n FROM uji_a GROUP BY g", "lists");
	is_not_kept("SELECT g AS k, sum(r) AS n FROM uji_a GROUP BY g", "real numbers");
	is_not_kept("SELECT g AS k, count(*) + x AS n FROM uji_a GROUP BY g", "neither grouped by nor");
	is_not_kept("SELECT h AS k, count(*) AS n FROM uji_a GROUP BY g", "neither grouped by nor");
	is_not_kept("SELECT upper(g) AS k, count(*) AS n FROM uji_a WHERE k > 'A' GROUP BY 1",
		    "name of an output");
	is_not_kept("SELECT g AS k, min(x) AS n FROM uji_a GROUP BY g", "index");
	is_not_kept("SELECT g COLLATE NOCASE AS k, count(*) AS n FROM uji_a GROUP BY 1", "joins, orders");
	is_not_kept("SELECT g AS k, count(*) AS n FROM uji_a AS [a\" JOIN _meta AS \"b] GROUP BY g",
		    "quote in it");
	is_not_kept("SELECT DISTINCT g AS k, count(*) AS n FROM uji_a GROUP BY g", "plain SELECT");
	is_not_kept("SELECT g AS k, count(*) AS n FROM uji_a GROUP BY g UNION SELECT 'x', 0", "combines");
}

static void groups_of_persons_are_not(void **state)
{
	struct engine *t = start("P", "  n: {type: int, pdp: N}\n", "",
				 "SELECT g AS k, count(*) AS n FROM uji_a GROUP BY g");

	(void)state;
	assert_null(t->e->view[0]->sum);
	assert_false(t->e->view[0]->def->full);
	engine_free(&t);
}

/* Numbers in the state that are wrong are in the view, and verify says so. */
static void a_wrong_number_is_found_by_verify(void **state)
{
	struct engine *t = start("N", "  n: {type: int, pdp: N}\n", "",
				 "SELECT g AS k, count(*) AS n FROM uji_a GROUP BY g");
	struct bus_error err = { 0 };
	int64_t d = 0;

	(void)state;
	engine_put(t, 0, "a1", "{\"id\":\"a1\",\"g\":\"x\"}");
	engine_put(t, 0, "a2", "{\"id\":\"a2\",\"g\":\"x\"}");
	engine_apply(t, 10, GW_FORCE);
	engine_must(gw_verify(t->e, &d, 1, &err), &err);
	assert_int_equal(d, 0);
	engine_must(gw_db_exec(t->e->db, &err, "UPDATE \"_sum_v\" SET _r_n = _r_n + 1"), &err);
	engine_put(t, 0, "a3", "{\"id\":\"a3\",\"g\":\"x\"}");
	engine_apply(t, 10, GW_FORCE);
	engine_must(gw_verify(t->e, &d, 1, &err), &err);
	assert_int_equal(d, 1);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_select_that_groups_one_table_is_kept_by_what_changed),
		cmocka_unit_test(what_is_not_surely_of_that_form_is_evaluated_and_says_why),
		cmocka_unit_test(groups_of_persons_are_not),
		cmocka_unit_test(a_wrong_number_is_found_by_verify),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
