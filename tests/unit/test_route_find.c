/* Routes and sources found in a SELECT: what is found, what is left to the author, and that the shipped views'
 * declared routes are among what is found. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/buf.h"
#include "gateway/define/lineage.h"
#include "gateway/define/route_find.h"

#define T(n)                                                                                                 \
	{                                                                                                    \
		n, GW_TEXT, 'N'                                                                              \
	}
static const struct gw_world_column a_columns[] = {
	T("_key"), T("id"), T("b"), T("grp"), { "n", GW_INT, 'S' }
};
static const struct gw_world_column b_columns[] = { T("_key"), T("id"), T("c"), { "m", GW_INT, 'U' } };
static const struct gw_world_column c_columns[] = { T("_key"), T("name") };
static const struct gw_world_table tables[] = {
	{ .name = "uji_a", .topic = "pku.uji.a.v1", .key = "_key", .column = a_columns, .n_columns = 5 },
	{ .name = "uji_b", .topic = "pku.uji.b.v1", .key = "_key", .column = b_columns, .n_columns = 4 },
	{ .name = "uji_c", .topic = "pku.uji.c.v1", .key = "_key", .column = c_columns, .n_columns = 2 },
};
static const struct gw_world world = { tables, 3 };

/* Routes of the table as "column" or "SELECT ...", joined by " | "; "!why" when there is none. */
static void routes(const char *sql, const char *table, struct bus_buf *out)
{
	struct bus_arena *arena = bus_arena_new(0);
	const struct gw_ast *ast = gw_ast_parse(sql, &world, arena);
	struct gw_route_def route[8];
	size_t n = 0;
	enum gw_route_why why = gw_route_find(ast, 0, table, route, 8, &n);

	bus_buf_reset(out);
	if (why != GW_ROUTE_FOUND)
		bus_buf_printf(out, "!%d", (int)why);
	for (size_t i = 0; i < n && why == GW_ROUTE_FOUND; i++)
		bus_buf_printf(out, "%s%s", i ? " | " : "",
			       route[i].column ? route[i].column : route[i].select);
	bus_buf_cstr(out);
	bus_arena_free(&arena);
}

static void finds(const char *sql, const char *table, const char *want)
{
	struct bus_buf got = { 0 };

	routes(sql, table, &got);
	if (strcmp(got.p, want) != 0)
		fail_msg("%s\n  from %s: '%s', not '%s'", sql, table, got.p, want);
	bus_buf_release(&got);
}

static void refuses(const char *sql, const char *table, enum gw_route_why why)
{
	char want[8];

	snprintf(want, sizeof(want), "!%d", (int)why);
	finds(sql, table, want);
}

static void a_column_that_is_the_key_is_the_route(void **state)
{
	(void)state;
	finds("SELECT _key AS k FROM uji_a", "uji_a", "_key");
	finds("SELECT a.id AS k, a.n FROM uji_a a WHERE a.n > 3", "uji_a", "id");
	finds("SELECT grp, count(*) FROM uji_a GROUP BY grp", "uji_a", "grp");
	finds("SELECT grp AS g, sum(n) FROM uji_a GROUP BY g", "uji_a", "grp");
	finds("SELECT grp AS g, sum(n) FROM uji_a GROUP BY 1", "uji_a", "grp");
	finds("SELECT x.k FROM (SELECT id AS k FROM uji_a) x", "uji_a", "id");
	finds("WITH x(k) AS (SELECT id FROM uji_a) SELECT k FROM x", "uji_a", "id");
	finds("SELECT * FROM uji_a", "uji_a", "_key");
	finds("SELECT id AS k FROM uji_a UNION SELECT c FROM uji_b", "uji_b", "c");
}

static void an_equality_carries_the_key(void **state)
{
	(void)state;
	finds("SELECT a.id AS k FROM uji_a a JOIN uji_b b ON b.id = a.id", "uji_b", "id");
	finds("SELECT a.id AS k FROM uji_a a, uji_b b WHERE (b.id = a.id AND b.m > 1)", "uji_b", "id");
	finds("SELECT a.id AS k FROM uji_a a LEFT JOIN uji_b b ON b.id = a.id", "uji_b", "id");
	finds("SELECT a.id AS k FROM uji_a a WHERE EXISTS (SELECT 1 FROM uji_b b WHERE b.c = a.id)", "uji_b",
	      "c");
	finds("SELECT a.id AS k FROM uji_a a WHERE NOT EXISTS (SELECT 1 FROM uji_b WHERE c = a.id)", "uji_b",
	      "c");
	finds("SELECT a.id AS k, (SELECT max(b.m) FROM uji_b b WHERE b.id = a.id ORDER BY m LIMIT 1) FROM "
	      "uji_a a",
	      "uji_b", "id");
	finds("SELECT a.id AS k FROM uji_a a WHERE a.id IN (SELECT c FROM uji_b WHERE m > 0)", "uji_b", "c");
	finds("SELECT a.id AS k, t.s FROM uji_a a LEFT JOIN (SELECT c, sum(m) AS s FROM uji_b GROUP BY c) t "
	      "ON t.c = a.id",
	      "uji_b", "c");
	finds("SELECT a.id AS k FROM uji_a a JOIN uji_b b ON b.id = a.id JOIN uji_a z ON z.grp = b.id",
	      "uji_a", "id | grp");
}

static void a_look_up_leads_over_other_tables(void **state)
{
	(void)state;
	finds("SELECT a._key AS k FROM uji_a a JOIN uji_b b ON b._key = a.b", "uji_b",
	      "SELECT DISTINCT t1.\"_key\" FROM \"uji_a\" t1 WHERE t1.\"b\" = :_key");
	finds(
	    "SELECT a._key AS k FROM uji_a a JOIN uji_b b ON b._key = a.b LEFT JOIN uji_c c ON c._key = b.c",
	    "uji_c",
	    "SELECT DISTINCT t2.\"_key\" FROM \"uji_b\" t1, \"uji_a\" t2 WHERE t1.\"c\" = :_key AND t2.\"b\" "
	    "= "
	    "t1.\"_key\"");
}

static void a_key_that_is_computed_is_computed_again(void **state)
{
	(void)state;
	finds("SELECT substr(a.grp, 1, 6) AS k, count(*) FROM uji_a a GROUP BY 1", "uji_a",
	      "SELECT substr(:grp, 1, 6)");
	finds("SELECT CASE WHEN grp = 'x' THEN 'y' ELSE grp END AS k, count(*) FROM uji_a GROUP BY k",
	      "uji_a", "SELECT CASE WHEN :grp = 'x' THEN 'y' ELSE :grp END");
	finds("SELECT 'all' AS k, count(*) FROM uji_a", "uji_a", "SELECT 'all'");
	finds("SELECT 'all' AS k, (SELECT count(*) FROM uji_b) FROM uji_a", "uji_b", "SELECT 'all'");
}

static void what_is_not_certain_is_left_to_the_author(void **state)
{
	(void)state;
	refuses("SELECT a.id AS k, (SELECT max(m) FROM uji_b) FROM uji_a a", "uji_b", GW_ROUTE_UNJOINED);
	refuses("SELECT a.id AS k FROM uji_a a WHERE a.n < (SELECT b.m FROM uji_b b WHERE b.m > a.n)",
		"uji_b", GW_ROUTE_UNJOINED);
	refuses("SELECT a.id AS k FROM uji_a a JOIN uji_b b ON b.id = a.id OR b.c = a.id", "uji_b",
		GW_ROUTE_UNJOINED);
	refuses("SELECT a.id AS k FROM uji_a a JOIN uji_b b ON b.m = a.id", "uji_b", GW_ROUTE_UNJOINED);
	refuses("SELECT a.id AS k FROM uji_a a WHERE a.id NOT IN (SELECT c FROM uji_b)", "uji_b",
		GW_ROUTE_UNJOINED);
	refuses("SELECT a.id AS k FROM uji_a a WHERE NOT a.id IN (SELECT c FROM uji_b)", "uji_b",
		GW_ROUTE_UNJOINED);
	refuses("SELECT a.id AS k FROM uji_a a WHERE a.id IN (SELECT c FROM uji_b LIMIT 3)", "uji_b",
		GW_ROUTE_UNJOINED);
	refuses("SELECT a.id AS k FROM uji_a a JOIN (SELECT id FROM uji_b LIMIT 5) b ON b.id = a.id", "uji_b",
		GW_ROUTE_LIMIT);
	refuses("SELECT id AS k FROM uji_a ORDER BY n LIMIT 10", "uji_a", GW_ROUTE_LIMIT);
	refuses("SELECT id AS k, sum(n) OVER (ORDER BY n) FROM uji_a", "uji_a", GW_ROUTE_WINDOW);
	refuses("SELECT a.id AS k FROM uji_b b RIGHT JOIN uji_a a ON a.id = b.id", "uji_b", GW_ROUTE_OUTER);
	refuses("SELECT max(id) AS k FROM uji_a", "uji_a", GW_ROUTE_KEY);
	refuses("SELECT 'x' || max(id) AS k FROM uji_a", "uji_a", GW_ROUTE_KEY);
	refuses("SELECT a.id || b.id AS k FROM uji_a a, uji_b b", "uji_a", GW_ROUTE_KEY);
	/* a.id and c.name meet in b only, which need not have a row */
	refuses(
	    "SELECT a.id AS k FROM uji_a a JOIN uji_c c LEFT JOIN uji_b b ON b.id = a.id AND b.id = c.name",
	    "uji_c", GW_ROUTE_UNJOINED);
	/* not the group's column, some row's of the group */
	refuses("SELECT a.id AS k FROM uji_a a JOIN (SELECT c, id FROM uji_b GROUP BY c) t ON t.id = a.id",
		"uji_b", GW_ROUTE_UNJOINED);
	/* the shape is not read */
	refuses("SELECT a.id AS k FROM uji_a a NATURAL JOIN uji_b", "uji_b", GW_ROUTE_SHAPE);
	refuses("SELECT a.id AS k FROM uji_a a JOIN uji_b USING (id)", "uji_b", GW_ROUTE_SHAPE);
	refuses("SELECT id AS k FROM json_each('[]'), uji_a", "uji_a", GW_ROUTE_SHAPE);
}

static void sources(const char *sql, size_t column, bool computed, const char *want)
{
	struct bus_arena *arena = bus_arena_new(0);
	const struct gw_ast *ast = gw_ast_parse(sql, &world, arena);
	struct gw_lineage l;
	struct bus_buf got = { 0 };

	assert_null(ast->why);
	gw_lineage_of(ast, column, &l);
	for (size_t i = 0; i < l.n; i++)
		bus_buf_printf(&got, "%s%s.%s%s", i ? " " : "", l.source[i].table->name,
			       l.source[i].table->column[l.source[i].column].name,
			       l.source[i].summed ? "+" : "");
	if (strcmp(bus_buf_cstr(&got), want) != 0 || l.computed != computed)
		fail_msg("%s [%zu]: %s'%s', not '%s'", sql, column, l.computed ? "computed " : "", got.p,
			 want);
	bus_buf_release(&got);
	bus_arena_free(&arena);
}

static void a_column_is_traced_to_what_it_is_made_of(void **state)
{
	(void)state;
	sources("SELECT a.id AS k, b.m FROM uji_a a JOIN uji_b b ON b.id = a.id", 1, false, "uji_b.m");
	sources("SELECT x.k, x.n FROM (SELECT id AS k, n FROM uji_a) x", 1, false, "uji_a.n");
	sources("SELECT id AS k, n + 1 FROM uji_a", 1, true, "uji_a.n");
	sources("SELECT id AS k, n * b FROM uji_a", 1, true, "uji_a.n uji_a.b"); /* b is no name of it */
	sources("SELECT a.id AS k, coalesce((SELECT b.m FROM uji_b b WHERE b.id = a.id LIMIT 1), a.n) FROM "
		"uji_a a",
		1, true, "uji_b.m uji_a.n");
	sources("SELECT a.id AS k, EXISTS (SELECT 1 FROM uji_b b WHERE b.id = a.id) FROM uji_a a", 1, true,
		"");
	sources("SELECT grp AS k, sum(n), count(id) FROM uji_a GROUP BY grp", 1, true, "uji_a.n+");
	sources("SELECT grp AS k, sum(n), count(id) FROM uji_a GROUP BY grp", 2, true, "");
	sources("SELECT id AS k, b FROM uji_a UNION ALL SELECT id, c FROM uji_b", 1, true, "uji_a.b uji_b.c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_column_that_is_the_key_is_the_route),
		cmocka_unit_test(an_equality_carries_the_key),
		cmocka_unit_test(a_look_up_leads_over_other_tables),
		cmocka_unit_test(a_key_that_is_computed_is_computed_again),
		cmocka_unit_test(what_is_not_certain_is_left_to_the_author),
		cmocka_unit_test(a_column_is_traced_to_what_it_is_made_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
