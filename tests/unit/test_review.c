/* A definition reviewed in the sandbox: what is found, named and proposed; and that nobody's SQL does harm there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "gateway/define/review.h"

#define T(n, c)                                                                                              \
	{                                                                                                    \
		n, GW_TEXT, c                                                                                \
	}
static const struct gw_world_column a_columns[] = {
	T("_key", 'P'), T("id", 'P'), T("nama", 'U'), T("kel", 'N'), { "n", GW_INT, 'S' }
};
static const struct gw_world_column b_columns[] = {
	T("_key", 'N'), T("id", 'P'), T("status", 'S'), { "m", GW_INT, 'S' }
};
static const struct gw_world_table tables[] = {
	{ .name = "uji_a", .topic = "pku.uji.a.v1", .key = "_key", .column = a_columns, .n_columns = 5 },
	{ .name = "uji_b", .topic = "pku.uji.b.v1", .key = "_key", .column = b_columns, .n_columns = 4 },
};
static const struct gw_world world = { tables, 2 };

#define WORDS                                                                                                \
	"title: {id: a, en: b}\nabout: {id: a, en: b}\nowner: uji\npurpose: {id: a, en: b}\nbasis: "         \
	"x\ndpia: y\n"
#define VIEW(more, columns, sql)                                                                             \
	"/*---\nname: v\nkey: k\n" WORDS more                                                                \
	"columns:\n  k: {type: text, pdp: P, title: {id: a, en: b}}\n" columns "---*/\n" sql "\n"

struct found {
	struct gw_review r;
	struct bus_buf json;
};

static bool trusted; /* the author of what is reviewed */

static void review(struct found *f, const char *text)
{
	struct bus_json_out j = { .buf = &f->json };

	memset(f, 0, sizeof(*f));
	gw_review_run(&f->r, "v.sql", bus_str(text), &world, trusted, 2000);
	bus_json_object(&j);
	gw_review_put(&f->r, &j);
	bus_json_object_end(&j);
	bus_buf_cstr(&f->json);
}

static void release(struct found *f)
{
	gw_review_release(&f->r);
	bus_buf_release(&f->json);
}

/* The text has this problem, in that line and column (0: any), with that hint (NULL: any). */
static void has(const char *text, bool error, int line, int column, const char *what, const char *hint)
{
	struct found f;
	bool seen = false;

	review(&f, text);
	for (size_t i = 0; i < f.r.n_problems; i++) {
		const struct gw_problem_found *p = &f.r.problem[i];

		seen |= p->error == error && (!line || p->line == line) && (!column || p->column == column) &&
			strstr(p->en, what) && (!hint || (p->hint && strcmp(p->hint, hint) == 0));
	}
	if (!seen)
		fail_msg("no '%s' in %s", what, f.json.p);
	release(&f);
}

static void says(const char *text, bool good, const char *what)
{
	struct found f;

	review(&f, text);
	if (f.r.failed == good || (what && !strstr(f.json.p, what)))
		fail_msg("no '%s' in %s", what, f.json.p);
	release(&f);
}

static void a_good_definition_is_explained(void **state)
{
	static const char text[] = VIEW("indexes: [{table: uji_b, columns: [id]}]\n",
					"  nama: {type: text, pdp: U, title: {id: a, en: b}}\n",
					"SELECT a._key AS k, a.nama FROM uji_a a WHERE EXISTS (SELECT 1 FROM "
					"uji_b b WHERE b.id = a._key)");

	(void)state;
	says(text, true, "\"good\":true,\"problems\":[]");
	says(text, true, "\"table\":\"uji_a\",\"topic\":\"pku.uji.a.v1\"");
	says(
	    text, true,
	    "\"sources\":[{\"table\":\"uji_a\",\"column\":\"nama\",\"topic\":\"pku.uji.a.v1\",\"pdp\":\"U\"");
	says(text, true, "\"table\":\"uji_b\",\"route\":\"id\",\"found\":true");
	says(text, true, "b: looked up by id");
	says(text, true, "\"kept_by\":\"row\"");
	says(text, true, "\"missed\":0");
}

static void says_not(const char *text, const char *what)
{
	struct found f;

	review(&f, text);
	if (strstr(f.json.p, what))
		fail_msg("'%s' in %s", what, f.json.p);
	release(&f);
}

/* What is said is how it is kept: by sums, not by evaluating the SELECT. */
static void a_roll_up_is_explained_as_it_is_kept(void **state)
{
	static const char text[] =
	    "/*---\nname: v\nkey: k\npace: total\n" WORDS
	    "columns:\n  k: {type: text, pdp: N, title: {id: a, en: b}}\n"
	    "  rows: {type: int, pdp: N, title: {id: a, en: b}}\n"
	    "  due: {type: int, pdp: N, title: {id: a, en: b}}\n---*/\n"
	    "SELECT kel AS k, count(*) AS rows, sum(n) AS due FROM uji_a WHERE kel <> '' GROUP BY kel\n";

	(void)state;
	says(text, true, "\"kept_by\":\"delta\"");
	says(text, true,
	     "\"name\":\"rows\",\"type\":\"int\",\"pdp\":\"N\",\"key\":false,\"computed\":true,"
	     "\"counted\":true,\"unknown\":false,\"sources\":[]");
	says(text, true, "its old row is taken out of the sums of its group, its new one put in");
	says(text, true, "the sums kept of its group: looked up by the key");
	says_not(text, "all of its rows are read");
	says_not(text, "steps_per_key");
}

static void the_place_of_a_mistake_is_told(void **state)
{
	(void)state;
	has(VIEW("", "", "SELECT _key AS k\nFROM uji_a\nWHERE nowhere = 1"), true, 15, 7,
	    "no such column: nowhere", NULL);
	has(VIEW("", "", "SELECT x.kell AS k FROM uji_a x"), true, 0, 0, "no such column: x.kell; did you mean 'kel'?", NULL);
	has(VIEW("", "", "SELECT nowhere AS k FROM uji_a"), true, 0, 0, "nowhere; uji_a: _key, ", NULL);
	has(VIEW("", "", "SELECT _key AS k FROM uji_aa"), true, 0, 0, "no such table: uji_aa; did you mean 'uji_a'?", NULL);
	has(VIEW("", "", "SELECT _key AS k, FROM uji_a"), true, 13, 0, "syntax error", NULL);
	has(VIEW("colour: red\n", "", "SELECT _key AS k FROM uji_a"), true, 10, 0, "colour", NULL);
	has(VIEW("", "  x: {type: text, pdp: N, from: [uji_a.nothing]}\n",
		 "SELECT _key AS k, kel AS x FROM uji_a"),
	    true, 12, 0, "no such column", NULL);
}

static void the_missing_index_is_named_as_it_is_to_be_written(void **state)
{
	(void)state;
	has(VIEW("", "",
		 "SELECT a._key AS k FROM uji_a a WHERE EXISTS (SELECT 1 FROM uji_b b WHERE b.id = a.id)"),
	    true, 0, 0, "an index on 'id' is missing", "indexes:\n  - {table: uji_b, columns: [id]}");
	/* of a route that was found */
	has(VIEW("", "", "SELECT a._key AS k FROM uji_a a JOIN uji_b b ON b._key = a.id"), true, 0, 0,
	    "an index on 'id' is missing", "indexes:\n  - {table: uji_a, columns: [id]}");
	/* no equality: an index is not enough */
	has(VIEW("", "", "SELECT a._key AS k FROM uji_a a JOIN uji_b b ON b.m > a.n"), true, 0, 0,
	    "no equality of columns leads from this table to the key", NULL);
}

static void a_route_that_leads_elsewhere_is_caught(void **state)
{
	(void)state;
	has(VIEW("routes: {uji_a: id}\n", "", "SELECT _key AS k FROM uji_a WHERE n > 1"), true, 10, 0,
	    "do not suffice", NULL);
	has(VIEW("routes: {uji_a: _key, uji_b: _key}\nindexes: [{table: uji_b, columns: [id]}]\n", "",
		 "SELECT a._key AS k FROM uji_a a WHERE NOT EXISTS (SELECT 1 FROM uji_b b WHERE b.id = "
		 "a._key)"),
	    true, 10, 0, "the routes from 'uji_b' do not suffice", NULL);
	/* one of two parts that a table plays */
	has(VIEW("routes: {uji_a: _key}\nindexes: [{table: uji_a, columns: [id]}]\n", "",
		 "SELECT a._key AS k FROM uji_a a WHERE EXISTS (SELECT 1 FROM uji_a z WHERE z.id = a._key "
		 "AND z.n > 1)"),
	    true, 10, 0, "the routes from 'uji_a' do not suffice", NULL);
}

static void classes_keys_and_types_are_looked_at(void **state)
{
	(void)state;
	has(VIEW("", "  x: {type: text, pdp: N, title: {id: a, en: b}}\n",
		 "SELECT _key AS k, nama AS x FROM uji_a"),
	    true, 12, 0, "column 'x' is a copy of uji_a.nama (U)", "pdp: U");
	has(VIEW("", "  x: {type: text, pdp: U, title: {id: a, en: b}}\n",
		 "SELECT _key AS k, nama || n AS x FROM uji_a"),
	    true, 12, 0, "computed from uji_a.n (S)", "pdp: S");
	has(VIEW("indexes: [{table: uji_a, columns: [id]}]\n", "", "SELECT id AS k FROM uji_a"), false, 14, 0,
	    "two rows have one key", NULL);
	has(VIEW("indexes: [{table: uji_a, columns: [id]}]\n", "", "SELECT id AS k FROM uji_a"), false, 14, 0,
	    "no key (null)", NULL);
	has(VIEW("", "  x: {type: int, pdp: S, title: {id: a, en: b}}\n",
		 "SELECT _key AS k, 'x' || n AS x FROM uji_a"),
	    false, 12, 0, "not of its declared type", NULL);
	has("/*---\nname: v\nkey: k\ncolumns: {k: {type: text, pdp: P}}\n---*/\nSELECT _key AS k FROM uji_a",
	    false, 2, 0, "'owner' is missing", NULL);
}

#define X(type, sql) VIEW("", "  x: {type: " type ", pdp: N, title: {id: a, en: b}}\n", sql)
#define GROUPS(by, pdp, sql)                                                                                 \
	"/*---\nname: v\nkey: k\npace: total\nroutes: {uji_a: " by "}\n" WORDS                               \
	"columns:\n  k: {type: text, pdp: " pdp "}\n  x: {type: int, pdp: N}\n---*/\n" sql "\n"

static void nobody_takes_a_mask_off_by_declaring_a_class(void **state)
{
	static const char *const lowered[] = {
		X("text", "SELECT _key AS k, z.y AS x FROM (SELECT _key, nama AS y FROM uji_a) z"),
		X("text", "WITH z AS (SELECT _key AS i, nama AS y FROM uji_a) SELECT i AS k, y AS x FROM z"),
		X("text",
		  "SELECT _key AS k, (SELECT b.status FROM uji_b b WHERE b._key = a._key) AS x FROM uji_a a"),
		X("text", "SELECT _key AS k, kel AS x FROM uji_a UNION ALL SELECT _key, nama FROM uji_a"),
		X("text", "SELECT _key AS k, substr(nama, 1, 90) AS x FROM uji_a"),
		X("text", "SELECT _key AS k, max(nama) AS x FROM uji_a GROUP BY _key"),
		X("bool", "SELECT _key AS k, nama || '' AS x FROM uji_a"),
		X("int", "SELECT _key AS k, sum(n) AS x FROM uji_a GROUP BY _key"), /* groups of one person */
		X("text", "SELECT _key AS k, main.uji_a.nama AS x FROM uji_a"),
		GROUPS("kel", "N", "SELECT kel AS k, sum(CAST(nama AS INT)) AS x FROM uji_a GROUP BY kel"),
		GROUPS("nama", "P", "SELECT nama AS k, count(*) AS x FROM uji_a GROUP BY nama"),
	};
	static const char *const fair[] = {
		X("bool",
		  "SELECT _key AS k, EXISTS (SELECT 1 FROM uji_b b WHERE b._key = a._key) AS x FROM uji_a a"),
		X("text",
		  "SELECT _key AS k, CASE WHEN kel IS NULL THEN '-' ELSE upper(kel) END AS x FROM uji_a"),
		GROUPS("kel", "N",
		       "SELECT kel AS k, count(*) AS x FROM uji_a WHERE kel IS NOT NULL GROUP BY kel"),
		GROUPS("kel", "N",
		       "SELECT kel AS k, sum(n) AS x FROM uji_a WHERE kel IS NOT NULL GROUP BY kel"),
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(lowered); i++) {
		has(lowered[i], true, 0, 0, "class must not be lower", NULL);
		trusted = true; /* a file of the gateway's own */
		says(lowered[i], true, NULL);
		trusted = false;
	}
	for (size_t i = 0; i < BUS_LEN(fair); i++)
		says(fair[i], true, NULL);
}

static void a_key_says_nothing_of_a_person(void **state)
{
	(void)state;
	has("/*---\nname: v\nkey: k\ncolumns: {k: {type: text, pdp: U}}\n---*/\nSELECT nama AS k FROM uji_a",
	    true, 3, 0, "use one of class N or P", NULL);
	has("/*---\nname: v\nkey: k\ninternal: true\ncolumns: {k: {type: text, pdp: U}}\n---*/\nSELECT nama "
	    "AS k FROM "
	    "uji_a",
	    true, 0, 0, "an index on 'nama' is missing", NULL);
}

/* Each is refused or done in bounded time, and none of them crashes what reviews it. */
static void nobody_s_sql_does_harm(void **state)
{
	static const char *const sql[] = {
		"SELECT name AS k FROM sqlite_schema",
		"SELECT name AS k FROM pragma_table_info('uji_a')",
		"SELECT value AS k FROM json_each('[1]')",
		"SELECT load_extension('x') AS k FROM uji_a",
		"SELECT printf('%.*c', 2000000000, 'x') AS k FROM uji_a",
		"SELECT format('%.*c', 2000000000, 'x') AS k FROM uji_a",
		"SELECT hex(zeroblob(1000000000)) AS k FROM uji_a",
		"SELECT hex(randomblob(1000000000)) AS k FROM uji_a",
		"SELECT CAST(random() AS TEXT) AS k FROM uji_a",
		"SELECT readfile('/etc/passwd') AS k FROM uji_a",
		"WITH RECURSIVE c(k) AS (SELECT 'a' UNION ALL SELECT k || 'a' FROM c) SELECT k FROM c",
		"SELECT a._key AS k FROM uji_a a, uji_a b, uji_a c, uji_a d, uji_a e, uji_a f, uji_a g, "
		"uji_a h, uji_a i",
		"SELECT _key AS k FROM uji_a WHERE (SELECT count(*) FROM uji_a a, uji_a b, uji_a c, uji_a d, "
		"uji_a e, uji_a f, "
		"uji_a g, uji_a h, uji_a i, uji_a j) > 1",
		"SELECT _key AS k FROM uji_a WHERE nama = ?1000000",
		"SELECT _key AS k FROM uji_a WHERE :per_tanggal IS NULL",
		"+SELECT _key AS k FROM uji_a WHERE nama LIKE "
		"'%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%b'",
		"SELECT "
		"replace(replace(replace(replace(replace(replace(replace(replace('aaaaaaaaaa','a','"
		"aaaaaaaaaa'),'a',"
		"'aaaaaaaaaa'),'a','aaaaaaaaaa'),'a','aaaaaaaaaa'),'a','aaaaaaaaaa'),'a','aaaaaaaaaa'),'a','"
		"aaaaaaaaaa'),'a',"
		"'aaaaaaaaaa') AS k FROM uji_a",
		"SELECT group_concat(a.nama || b.nama || c.nama || d.nama) AS k FROM uji_a a, uji_a b, uji_a "
		"c, uji_a d, "
		"uji_a e, uji_a f",
		"VALUES ('a')",
		"+SELECT 'a' AS k",
		"+SELECT \"_key\" AS \"k\" FROM \"uji_a\" AS \"a b.c\" WHERE \"a b.c\".\"n\" > 1",
		"+SELECT [_key] AS k FROM `uji_a`",
		"ATTACH '/tmp/x' AS y",
		"PRAGMA writable_schema = 1",
		"CREATE TABLE x(y)",
		"INSERT INTO uji_a(_key) VALUES ('x') RETURNING _key AS k",
		"SELECT _key AS k FROM uji_a) UNION SELECT name FROM (SELECT name FROM sqlite_schema",
		"SELECT _key AS k FROM uji_a /* no end",
		"SELECT 'k",
		"",
		";;;",
		"EXPLAIN SELECT _key AS k FROM uji_a",
	};
	struct bus_buf text = { 0 };
	int64_t begin;
	struct found f;
	bool fine; /* marked with +: odd, but nothing is wrong with it */

	(void)state;
	for (size_t i = 0; i < BUS_LEN(sql) + 4; i++) {
		bus_buf_reset(&text);
		bus_buf_puts(&text, VIEW("pace: total\n", "", ""));
		fine = i < BUS_LEN(sql) && sql[i][0] == '+';
		if (i < BUS_LEN(sql))
			bus_buf_puts(&text, sql[i] + fine);
		for (int k = 0; i == BUS_LEN(sql) && k < 30000; k++) /* deep */
			bus_buf_puts(&text, k == 0 ? "SELECT " : "(");
		for (int k = 0; i == BUS_LEN(sql) + 1 && k < 40000; k++) /* wide */
			bus_buf_puts(&text, k == 0 ? "SELECT 1" : ",1");
		for (int k = 0; i == BUS_LEN(sql) + 2 && k < 3000; k++)
			bus_buf_puts(&text, k == 0 ? "SELECT _key AS k FROM uji_a"
						   : " UNION ALL SELECT _key FROM uji_a");
		for (int k = 0; i == BUS_LEN(sql) + 3 && k < 63; k++)
			bus_buf_printf(&text, k == 0 ? "SELECT a0._key AS k FROM uji_a a%d" : ", uji_a a%d",
				       k);
		begin = bus_clock_mono_ms();
		review(&f, bus_buf_cstr(&text));
		if (bus_clock_mono_ms() - begin > 15000)
			fail_msg("case %zu took %lld ms", i, (long long)(bus_clock_mono_ms() - begin));
		if (!f.r.failed && !strstr(f.json.p, "\"level\":\"warning\"") && !fine)
			fail_msg("case %zu: nothing said against it: %s", i, f.json.p);
		release(&f);
	}
	bus_buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_definition_is_explained),
		cmocka_unit_test(a_roll_up_is_explained_as_it_is_kept),
		cmocka_unit_test(the_place_of_a_mistake_is_told),
		cmocka_unit_test(the_missing_index_is_named_as_it_is_to_be_written),
		cmocka_unit_test(a_route_that_leads_elsewhere_is_caught),
		cmocka_unit_test(classes_keys_and_types_are_looked_at),
		cmocka_unit_test(nobody_takes_a_mask_off_by_declaring_a_class),
		cmocka_unit_test(a_key_says_nothing_of_a_person),
		cmocka_unit_test(nobody_s_sql_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
