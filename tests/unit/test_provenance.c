/* Where cells came from: every record has an offset of its own, so what must be named can be written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/json.h"
#include "gateway/engine/provenance.h"
#include "gateway/engine/reading.h"
#include "tests/support/engine_support.h"

enum { ORANG, BANTUAN };

static const char orang[] =
    "{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"nama\",\"type\":\"string\"},"
    "{\"name\":\"kel\",\"type\":\"string\"}]}";
static const char bantuan[] =
    "{\"type\":\"record\",\"name\":\"B\",\"x_jenis\":\"register\",\"x_kunci\":\"no\",\"fields\":["
    "{\"name\":\"no\",\"type\":\"string\"},{\"name\":\"id\",\"type\":\"string\"},"
    "{\"name\":\"program\",\"type\":\"string\"},{\"name\":\"rp\",\"type\":[\"null\",\"long\"]}]}";

#define ROUTES "routes: {uji_orang: _key, uji_bantuan: id}\n"
#define INDEX "indexes: [{table: uji_bantuan, columns: [id, program]}]\n"

static void one_view(struct engine *t, const char *name, const char *more, const char *columns,
		     const char *body)
{
	char text[4000];

	snprintf(text, sizeof(text),
		 "/*---\nname: %s\nkey: id\n%scolumns: {id: {type: text, pdp: P}%s}\n---*/\n%s", name, more,
		 columns, body);
	engine_view(t, name, text);
}

#define TEXT(c) ", " c ": {type: text, pdp: N}"

static struct engine *start(void)
{
	struct engine *t = engine_new();

	engine_topic(t, "pku.uji.orang.v1", engine_schema(orang));
	engine_topic(t, "pku.uji.bantuan.v1", engine_schema(bantuan));
	one_view(t, "dasar", "store: full\ninternal: true\n" ROUTES INDEX,
		 TEXT("nama") TEXT("program") TEXT("ada"),
		 "SELECT o._key AS id, o.nama,\n"
		 " coalesce((SELECT b.program FROM uji_bantuan b WHERE b.id = o._key AND b.program <> ''\n"
		 "           ORDER BY b.program DESC LIMIT 1), 'nihil') AS program,\n"
		 " CASE WHEN EXISTS (SELECT 1 FROM uji_bantuan b WHERE b.id = o._key AND b.program = 'PKH') "
		 "THEN 'ya'\n"
		 "      ELSE o.kel END AS ada\nFROM uji_orang o");
	one_view(t, "atas", "scope: [nama]\nroutes: {dasar: id, uji_bantuan: id, uji_orang: _key}\n",
		 TEXT("nama") TEXT("program") TEXT("ada")
		     TEXT("semua") ", jumlah: {type: int, pdp: N}, rp: {type: int, pdp: N, from: "
				   "[uji_bantuan.rp]}" TEXT("gabung"),
		 "SELECT d.id, d.nama, upper(d.program) AS program, d.ada,\n"
		 " (SELECT group_concat(program, ' ') FROM (SELECT DISTINCT b.program AS program FROM "
		 "uji_bantuan b\n"
		 "   WHERE b.id = d.id ORDER BY b.program)) AS semua,\n"
		 " (SELECT count(*) FROM uji_bantuan b WHERE b.id = d.id) AS jumlah,\n"
		 " (SELECT sum(b.rp) FROM uji_bantuan b WHERE b.id = d.id) AS rp,\n"
		 " d.nama || '/' || o.kel AS gabung\n"
		 "FROM dasar d LEFT JOIN uji_orang o ON o._key = d.id");
	one_view(t, "kel",
		 "pace: group\nroutes: {uji_orang: kel, dasar: SELECT kel FROM uji_orang WHERE _key = :id}\n"
		 "indexes: [{table: uji_orang, columns: [kel]}]\n",
		 ", n: {type: int, pdp: N}, ya: {type: int, pdp: N}",
		 "SELECT o.kel AS id, count(*) AS n, count(CASE WHEN d.ada = 'ya' THEN 1 END) AS ya\n"
		 "FROM uji_orang o JOIN dasar d ON d.id = o._key GROUP BY o.kel");
	one_view(
	    t, "gabung", ROUTES INDEX, TEXT("asal"),
	    "SELECT id, asal FROM (SELECT o._key AS id, o.nama AS asal FROM uji_orang o WHERE o.nama <> 'x'\n"
	    " UNION ALL SELECT b.id, b.program FROM uji_bantuan b WHERE b.program = 'YATIM')");
	one_view(t, "tak", ROUTES INDEX, TEXT("nama") ", urut: {type: int, pdp: N, from: [uji_bantuan.no]}",
		 "SELECT o._key AS id, o.nama, o._key IN (SELECT b.id FROM uji_bantuan b) AS urut\n"
		 "FROM uji_orang o");
	one_view(t, "sama", ROUTES INDEX, TEXT("nama"),
		 "SELECT o._key AS id, (SELECT kel FROM uji_bantuan o WHERE o.id = nama LIMIT 1) AS nama\n"
		 "FROM uji_orang o");
	engine_open(t, NULL);
	/* offsets: the order of these lines */
	engine_put(t, ORANG, "a", "{\"id\":\"a\",\"nama\":\"Ani\",\"kel\":\"01\"}");		     /* 0 */
	engine_put(t, ORANG, "b", "{\"id\":\"b\",\"nama\":\"Budi\",\"kel\":\"01\"}");		     /* 1 */
	engine_put(t, ORANG, "a", "{\"id\":\"a\",\"nama\":\"Ani R\",\"kel\":\"01\"}");		     /* 2 */
	engine_put(t, BANTUAN, "1", "{\"no\":\"1\",\"id\":\"a\",\"program\":\"PKH\",\"rp\":5}");     /* 0 */
	engine_put(t, BANTUAN, "2", "{\"no\":\"2\",\"id\":\"a\",\"program\":\"BPNT\",\"rp\":null}"); /* 1 */
	engine_put(t, BANTUAN, "3", "{\"no\":\"3\",\"id\":\"a\",\"program\":\"PKH\",\"rp\":7}");     /* 2 */
	engine_put(t, BANTUAN, "4", "{\"no\":\"4\",\"id\":\"y\",\"program\":\"YATIM\",\"rp\":1}");   /* 3 */
	engine_apply(t, 3, GW_FORCE);
	assert_int_equal(engine_differences(t), 0);
	return t;
}

struct answer {
	struct bus_arena *arena;
	struct bus_json *root;
};

static void keep(void *ctx, const struct gw_value *value, uint64_t hash, struct bus_str provenance)
{
	struct answer *a = ctx;
	char *copy = bus_arena_dup(a->arena, provenance.p, provenance.n);

	(void)hash;
	assert_non_null(value);
	assert_int_equal(
	    bus_json_parse((struct bus_str){ copy, provenance.n }, NULL, a->arena, &a->root, NULL), BUS_OK);
}

static struct answer ask(struct engine *t, const char *view, const char *key)
{
	struct answer a = { .arena = bus_arena_new(0) };
	const struct gw_query q = { .view = gw_view_find(t->e, view) };
	struct bus_error err = { 0 };

	engine_must(gw_traced(gw_reader_of(t->e), &q, bus_str(key), UINT64_MAX, UINT64_MAX, keep, &a, &err),
		    &err);
	return a;
}

/* "orang/2 bantuan/0,2" in order, then "; way rows" */
static void is(struct engine *t, const char *view, const char *key, const char *column, const char *want)
{
	struct answer a = ask(t, view, key);
	const struct bus_json *cell = bus_json_get(a.root, column), *list, *why;
	struct bus_buf text = { 0 };
	int64_t n;

	assert_non_null(cell);
	list = bus_json_get(cell, "sources");
	if (list->type == BUS_JSON_NULL) {
		why = bus_json_get(cell, "detail");
		bus_buf_printf(&text, "%.*s: %.*s", (int)bus_json_get(cell, "reason")->text.n,
			       bus_json_get(cell, "reason")->text.p, why ? (int)why->text.n : 0,
			       why ? why->text.p : "");
	} else {
		for (const struct bus_json *s = list->first; s; s = s->next) {
			assert_int_equal(bus_json_int(bus_json_get(s, "offset"), &n), BUS_OK);
			bus_buf_printf(&text, "%.*s/%lld ", (int)bus_json_get(s, "table")->text.n - 4,
				       bus_json_get(s, "table")->text.p + 4, (long long)n);
		}
		bus_buf_printf(&text, "; %.*s ", (int)bus_json_get(cell, "way")->text.n,
			       bus_json_get(cell, "way")->text.p);
		if (bus_json_int(bus_json_get(cell, "rows"), &n) == BUS_OK)
			bus_buf_printf(&text, "%lld", (long long)n);
		if (bus_json_get(cell, "complete")->type != BUS_JSON_TRUE)
			bus_buf_puts(&text, " of more");
	}
	assert_string_equal(bus_buf_cstr(&text), want);
	bus_buf_release(&text);
	bus_arena_free(&a.arena);
}

static void a_copied_column_is_of_the_record_that_stands(void **state)
{
	struct engine *t = start();

	(void)state;
	is(t, "dasar", "a", "nama", "orang/2 ; copied 1");
	is(t, "atas", "a", "nama", "orang/2 ; copied 1"); /* through the view between */
	is(t, "atas", "b", "nama", "orang/1 ; copied 1");
	engine_free(&t);
}

static void a_sub_query_is_of_the_row_it_took(void **state)
{
	struct engine *t = start();
	struct answer a;
	const struct bus_json *s;

	(void)state;
	/* Both PKH records are as good: the one that SQLite took is named, and it is one of them. */
	a = ask(t, "dasar", "a");
	s = bus_json_get(bus_json_get(a.root, "program"), "sources");
	assert_int_equal(s->n, 1);
	bus_arena_free(&a.arena);
	is(t, "dasar", "b", "program", "; computed 0"); /* the constant */
	is(t, "atas", "b", "program", "; computed 0");
	engine_free(&t);
}

static void conditions_count_and_branches_not_taken_do_not(void **state)
{
	struct engine *t = start();

	(void)state;
	is(t, "dasar", "a", "ada", "bantuan/0 bantuan/2 ; computed 2");
	is(t, "dasar", "b", "ada", "orang/1 ; computed 1");
	is(t, "atas", "a", "ada", "bantuan/0 bantuan/2 ; computed 2");
	is(t, "atas", "a", "gabung", "orang/2 ; computed 1");
	engine_free(&t);
}

static void aggregates_are_of_every_row_they_took(void **state)
{
	struct engine *t = start();

	(void)state;
	is(t, "atas", "a", "jumlah", "bantuan/0 bantuan/1 bantuan/2 ; counted 3");
	is(t, "atas", "a", "rp", "bantuan/0 bantuan/2 ; counted 2"); /* a null is not summed */
	is(t, "atas", "b", "jumlah", "; counted 0");
	is(t, "atas", "a", "semua",
	   "bantuan/0 bantuan/1 bantuan/2 ; counted 3"); /* DISTINCT: both that say PKH */
	is(t, "kel", "01", "n", "orang/1 orang/2 ; counted 2");
	is(t, "kel", "01", "ya", "bantuan/0 bantuan/2 ; counted 2");
	engine_free(&t);
}

static void arms_of_a_union_are_told_apart(void **state)
{
	struct engine *t = start();

	(void)state;
	is(t, "gabung", "a", "asal", "orang/2 ; copied 1");
	is(t, "gabung", "y", "asal", "bantuan/3 ; copied 1");
	engine_free(&t);
}

static void what_cannot_be_exact_is_said_to_be_so(void **state)
{
	struct engine *t = start();
	struct answer a;

	(void)state;
	is(t, "tak", "a", "urut", "untraceable: IN (SELECT ...)");
	is(t, "tak", "a", "nama", "orang/2 ; copied 1");		  /* the others are not harmed */
	is(t, "sama", "a", "nama", "untraceable: two tables called 'o'"); /* kel is of the outer one */
	a = ask(t, "tak", "a");
	assert_true(bus_str_is(bus_json_get(bus_json_get(a.root, "urut"), "declared")->first->text,
			       "uji_bantuan.no"));
	bus_arena_free(&a.arena);
	engine_free(&t);
}

static void many_rows_are_counted_and_the_first_listed(void **state)
{
	struct engine *t = start();
	char key[16], json[100];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "m%d", i);
		snprintf(json, sizeof(json), "{\"no\":\"%s\",\"id\":\"b\",\"program\":\"P%d\",\"rp\":1}", key,
			 i % 3);
		engine_put(t, BANTUAN, key, json);
	}
	engine_apply(t, 100, GW_FORCE);
	{
		struct answer a = ask(t, "atas", "b");
		const struct bus_json *cell = bus_json_get(a.root, "jumlah");
		int64_t n;

		assert_int_equal(bus_json_int(bus_json_get(cell, "rows"), &n), BUS_OK);
		assert_int_equal(n, 1000);
		assert_int_equal(bus_json_get(cell, "sources")->n, 32);
		assert_int_equal(bus_json_get(cell, "complete")->type, BUS_JSON_FALSE);
		assert_int_equal(bus_json_int(bus_json_get(bus_json_get(a.root, "semua"), "rows"), &n),
				 BUS_OK);
		assert_int_equal(n, 1000);
		bus_arena_free(&a.arena);
	}
	engine_free(&t);
}

static void a_view_that_waits_is_not_guessed_at(void **state)
{
	struct engine *t = start();
	struct bus_error err = { 0 };

	(void)state;
	engine_put(t, ORANG, "a", "{\"id\":\"a\",\"nama\":\"Lain\",\"kel\":\"01\"}");
	engine_must(engine_try_apply(t, 0, 1, &err), &err);
	engine_must(gw_commit(t->e, &err), &err);
	is(t, "atas", "a", "nama", "pending: ");
	engine_settle(t);
	is(t, "atas", "a", "nama", "orang/3 ; copied 1");
	engine_free(&t);
}

static void masked_columns_are_not_traced(void **state)
{
	struct engine *t = start();
	struct answer a = { .arena = bus_arena_new(0) };
	struct bus_error err = { 0 };
	const struct gw_view *v = gw_view_find(t->e, "atas");
	const struct gw_query q = { .view = v };

	(void)state;
	engine_must(gw_traced(gw_reader_of(t->e), &q, bus_str("a"), 7, 5, keep, &a, &err), &err);
	assert_int_equal(a.root->n, 3);
	assert_true(
	    bus_str_is(bus_json_get(bus_json_get(a.root, v->column[1].name), "reason")->text, "masked"));
	assert_int_equal(gw_traced(gw_reader_of(t->e), &q, bus_str("zz"), 7, 5, keep, &a, &err), BUS_ENOENT);
	bus_arena_free(&a.arena);
	engine_free(&t);
}

static void a_row_of_others_is_not_traced(void **state)
{
	static const char *const mine[] = { "Budi" };
	static const struct gw_scope_part part = { .column = "nama", .value = mine, .n = 1 };
	static const struct gw_scope rows = { &part, 1 };
	struct engine *t = start();
	struct gw_reader *r = gw_reader_of(t->e);
	struct answer a = { .arena = bus_arena_new(0) };
	struct bus_error err = { 0 };
	const struct gw_query q = { .view = gw_view_find(t->e, "atas"), .rows = &rows };
	uint64_t asked = r->clock;

	(void)state;
	assert_int_equal(gw_traced(r, &q, bus_str("a"), 7, 7, keep, &a, &err), BUS_ENOENT);
	assert_int_equal(r->clock - asked, 2); /* statements: the beginning, and the row */
	engine_must(gw_traced(r, &q, bus_str("b"), 7, 7, keep, &a, &err), &err);
	assert_int_equal(a.root->n, 3);
	bus_arena_free(&a.arena);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copied_column_is_of_the_record_that_stands),
		cmocka_unit_test(a_sub_query_is_of_the_row_it_took),
		cmocka_unit_test(conditions_count_and_branches_not_taken_do_not),
		cmocka_unit_test(aggregates_are_of_every_row_they_took),
		cmocka_unit_test(arms_of_a_union_are_told_apart),
		cmocka_unit_test(what_cannot_be_exact_is_said_to_be_so),
		cmocka_unit_test(many_rows_are_counted_and_the_first_listed),
		cmocka_unit_test(a_view_that_waits_is_not_guessed_at),
		cmocka_unit_test(masked_columns_are_not_traced),
		cmocka_unit_test(a_row_of_others_is_not_traced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
