/* SQLite's SQL as PostgreSQL is told it, and what it is not told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/store/pg_sql.h"

static bool table(void *ctx, const char *name, struct gw_pg_table *out)
{
	static const char *const column[] = { "key", "hash", "seq" };

	(void)ctx;
	out->n = 0;
	if (strcmp(name, "_view_v") != 0)
		return false;
	for (size_t i = 0; i < BUS_LEN(column); i++) {
		out->column[i] = bus_xstrdup(column[i]);
		out->key[i] = i == 0;
	}
	out->n = BUS_LEN(column);
	return true;
}

static const struct gw_pg_world world = { NULL, table };

static void told(const char *sql, const char *want)
{
	struct bus_error err = { 0 };
	struct gw_pg_text t;
	const char *rest;

	if (gw_pg_translate(sql, &world, &t, &rest, &err) != BUS_OK)
		fail_msg("%s: %s", sql, err.text);
	assert_string_equal(bus_buf_cstr(&t.sql), want);
	assert_string_equal(rest, "");
	gw_pg_text_release(&t);
}

static void refused(const char *sql, const char *word)
{
	struct bus_error err = { 0 };
	struct gw_pg_text t;
	const char *rest;

	assert_int_equal(gw_pg_translate(sql, &world, &t, &rest, &err), BUS_EPARSE);
	if (!strstr(err.text, word))
		fail_msg("%s: '%s' does not say '%s'", sql, err.text, word);
}

static void what_compares_is_a_number_where_one_is_wanted(void **state)
{
	(void)state;
	told("SELECT a = 1 AS b FROM t", "SELECT ((\"a\" = 1::bigint))::integer::bigint AS \"b\" FROM \"t\"");
	told("SELECT sum(a = 'x') FROM t WHERE b AND NOT c",
	     "SELECT titian._sum(((\"a\" = 'x'))::integer::bigint) FROM \"t\" WHERE ((\"b\" <> 0) AND (NOT "
	     "(\"c\" <> 0)))");
	told("SELECT CASE WHEN x THEN EXISTS (SELECT 1) END",
	     "SELECT CASE  WHEN (\"x\" <> 0) THEN (EXISTS (SELECT 1::bigint))::integer::bigint END");
	told("SELECT coalesce(a = 1, 0)",
	     "SELECT coalesce(((\"a\" = 1::bigint))::integer::bigint, 0::bigint)");
}

static void signs_bind_as_in_sqlite(void **state)
{
	(void)state;
	told("SELECT a + b * c - d", "SELECT ((\"a\" + (\"b\" * \"c\")) - \"d\")");
	told("SELECT a / b % 2", "SELECT ((\"a\" / nullif(\"b\", 0)) % nullif(2::bigint, 0))");
	told("SELECT 'a' || b || 1", "SELECT titian._join(titian._join('a', \"b\"), 1::bigint)");
	told("SELECT 1 WHERE a OR b AND c = 1",
	     "SELECT 1::bigint WHERE ((\"a\" <> 0) OR ((\"b\" <> 0) AND (\"c\" = 1::bigint)))");
	told("SELECT 1 WHERE a IS NOT b AND c IS NOT NULL AND d NOTNULL",
	     "SELECT 1::bigint WHERE ((\"a\" IS DISTINCT FROM \"b\") AND (\"c\" IS NOT NULL) AND (\"d\" IS "
	     "NOT NULL))");
	told("SELECT 1 WHERE a NOT BETWEEN 1 AND 2 AND b NOT IN ('x', 'y')",
	     "SELECT 1::bigint WHERE ((NOT \"a\" BETWEEN 1::bigint AND 2::bigint) AND (NOT \"b\" IN "
	     "('x','y')))");
	told("SELECT 1 WHERE a LIKE '%x' AND b GLOB ?",
	     "SELECT 1::bigint WHERE ((titian._like(\"a\", '%x')) AND (titian._glob(\"b\", $1)))");
	told("SELECT -9223372036854775808, 9223372036854775808, 1e3",
	     "SELECT (- 9223372036854775808::double precision), 9223372036854775808::double precision, "
	     "1e3::double precision");
}

static void nulls_come_first_and_places_stay_places(void **state)
{
	(void)state;
	told("SELECT a, b FROM t GROUP BY 1, 2 ORDER BY 1, b DESC LIMIT 5",
	     "SELECT \"a\", \"b\" FROM \"t\" GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, \"b\" DESC NULLS LAST "
	     "LIMIT titian._limit(5::bigint)");
	told("CREATE TABLE IF NOT EXISTS \"x\"(key TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID",
	     "CREATE TABLE IF NOT EXISTS \"x\"(\"key\" text, \"n\" bigint); CREATE UNIQUE INDEX IF NOT "
	     "EXISTS \"_pk_x\" ON "
	     "\"x\"(\"key\" NULLS FIRST)");
	told("CREATE INDEX i ON t(a, \"b\")",
	     "CREATE INDEX \"i\" ON \"t\"(\"a\" NULLS FIRST,\"b\" NULLS FIRST)");
}

static void tables_are_joined_and_named(void **state)
{
	(void)state;
	told("SELECT * FROM a, b x LEFT JOIN c ON c.k = x.k JOIN d",
	     "SELECT * FROM \"a\" CROSS JOIN \"b\" AS \"x\" LEFT JOIN \"c\" ON (\"c\".\"k\" = \"x\".\"k\") "
	     "CROSS JOIN \"d\"");
	told("SELECT k FROM (SELECT k FROM main.t) WHERE k = :_key",
	     "SELECT \"k\" FROM (SELECT \"k\" FROM titian.\"t\") AS \"_q1\" WHERE (\"k\" = $1)");
	told("SELECT [a b], `c` FROM \"T\"", "SELECT \"a b\", \"c\" FROM \"T\"");
}

static void writing_knows_the_key(void **state)
{
	(void)state;
	told("INSERT OR REPLACE INTO _view_v VALUES(?,?,?)",
	     "INSERT INTO \"_view_v\" VALUES ($1,$2,$3) ON CONFLICT (\"key\") DO UPDATE SET \"hash\" = "
	     "excluded.\"hash\", \"seq\" = "
	     "excluded.\"seq\"");
	told("INSERT INTO _view_v(key, seq) VALUES(?2,?1) ON CONFLICT DO UPDATE SET seq = max(seq, "
	     "excluded.seq)",
	     "INSERT INTO \"_view_v\"(\"key\",\"seq\") VALUES ($2,$1) ON CONFLICT (\"key\") DO UPDATE SET "
	     "\"seq\" = (CASE WHEN "
	     "\"_view_v\".\"seq\" IS NOT NULL AND \"excluded\".\"seq\" IS NOT NULL THEN "
	     "greatest(\"_view_v\".\"seq\", "
	     "\"excluded\".\"seq\") END)");
	told("ROLLBACK TO evaluation", "ROLLBACK TO \"evaluation\"");
}

static void a_name_that_is_too_long_keeps_its_own(void **state)
{
	struct bus_buf a = { 0 }, b = { 0 };
	char x[101], y[101];

	(void)state;
	memset(x, 'n', sizeof(x));
	memset(y, 'n', sizeof(y));
	y[99] = 'm';
	gw_pg_name(&a, x, 100);
	gw_pg_name(&b, y, 100);
	assert_int_equal(a.n, 65);
	assert_int_equal(b.n, 65);
	assert_string_not_equal(bus_buf_cstr(&a), bus_buf_cstr(&b));
	bus_buf_release(&a);
	bus_buf_release(&b);
}

static void what_would_be_answered_otherwise_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "SELECT json_extract(a, '$.b') FROM t", "function 'json_extract'" },
		{ "SELECT a ->> 'b' FROM t", "->" },
		{ "SELECT pg_read_file('/etc/passwd')", "function 'pg_read_file'" },
		{ "SELECT pg_catalog.pg_sleep(10)", "'('" },
		{ "SELECT group_concat(a) FROM t", "in no order" },
		{ "SELECT k, json_group_array(a) FROM (SELECT k, a FROM t ORDER BY a) GROUP BY k",
		  "in no order" },
		{ "SELECT a COLLATE NOCASE FROM t", "COLLATE" },
		{ "SELECT CAST(a AS NUMERIC) FROM t", "CAST" },
		{ "SELECT a FROM t INTERSECT SELECT b FROM u", "INTERSECT" },
		{ "SELECT sum(a) OVER () FROM t", "OVER" },
		{ "WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x", "RECURSIVE" },
		{ "SELECT * FROM generate_series(1, 10)", "as a table" },
		{ "COPY t TO PROGRAM 'id'", "'COPY'" },
		{ "SELECT 1::text", "" },
		{ "SELECT 'a", "no SQL" },
		{ "ATTACH 'x' AS y", "'ATTACH'" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		refused(bad[i][0], bad[i][1]);
}

static void depth_and_length_are_bounded(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_puts(&b, "SELECT ");
	for (int i = 0; i < 5000; i++)
		bus_buf_putc(&b, '(');
	bus_buf_putc(&b, '1');
	for (int i = 0; i < 5000; i++)
		bus_buf_putc(&b, ')');
	refused(bus_buf_cstr(&b), "deeper");
	bus_buf_reset(&b);
	bus_buf_puts(&b, "SELECT ?");
	for (int i = 0; i < 2000; i++)
		bus_buf_puts(&b, ",?");
	refused(bus_buf_cstr(&b), "parameters");
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_compares_is_a_number_where_one_is_wanted),
		cmocka_unit_test(signs_bind_as_in_sqlite),
		cmocka_unit_test(nulls_come_first_and_places_stay_places),
		cmocka_unit_test(tables_are_joined_and_named),
		cmocka_unit_test(writing_knows_the_key),
		cmocka_unit_test(a_name_that_is_too_long_keeps_its_own),
		cmocka_unit_test(what_would_be_answered_otherwise_is_refused),
		cmocka_unit_test(depth_and_length_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
