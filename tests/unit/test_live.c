/* Views that are defined, changed and dropped while records come: whatever happens meanwhile, what a follower
 * folds from the log is what a page shows, and that is what the SELECT gives when it is run by hand. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/engine/live.h"
#include "tests/support/engine_support.h"

#define RECORD(name, fields)                                                                                 \
	"{\"type\":\"record\",\"name\":\"" name                                                              \
	"\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["                                        \
	"{\"name\":\"id\",\"type\":\"string\"}," fields "]}"
#define PERSON                                                                                               \
	RECORD(                                                                                              \
	    "O",                                                                                             \
	    "{\"name\":\"kel\",\"type\":\"string\"},{\"name\":\"umur\",\"type\":\"int\",\"x_pdp\":\"U\"}")
#define TAX RECORD("P", "{\"name\":\"orang\",\"type\":\"string\"},{\"name\":\"besar\",\"type\":\"int\"}")

/* A view of people: what it selects besides the key, as what. */
#define HEAD(name, more, columns)                                                                            \
	"/*---\nname: " name "\nkey: id\n" more "columns:\n  id: {type: text, pdp: P}\n" columns "---*/\n"
#define ADULTS(age)                                                                                          \
	HEAD("dewasa", "routes: {uji_orang: _key}\n", "  umur: {type: int, pdp: U}\n")                       \
	"SELECT _key AS id, umur FROM uji_orang WHERE umur >= " age "\n"
#define SUMMARY(more, columns, select)                                                                       \
	HEAD("ringkas",                                                                                      \
	     "store: full\nroutes: {uji_orang: _key, uji_pajak: orang}\n"                                    \
	     "indexes:\n  - {table: uji_pajak, columns: [orang]}\n" more,                                    \
	     "  kel: {type: text, pdp: N}\n" columns)                                                        \
	"SELECT o._key AS id, o.kel, " select " FROM uji_orang o\n"
#define POOR                                                                                                 \
	HEAD("ringkas", "store: full\nroutes: {uji_orang: _key}\n", "  kel: {type: text, pdp: N}\n")         \
	"SELECT _key AS id, kel FROM uji_orang\n"
#define TOTAL "coalesce((SELECT sum(p.besar) FROM uji_pajak p WHERE p.orang = o._key), 0) AS total"
#define GROUP(having)                                                                                        \
	"/*---\nname: per_kel\nkey: kel\npace: group\nroutes: {ringkas: kel}\n"                              \
	"indexes:\n  - {table: ringkas, columns: [kel]}\n"                                                   \
	"columns:\n  kel: {type: text, pdp: N}\n  n: {type: int, pdp: N}\n  total: {type: int, pdp: N}\n"    \
	"---*/\nSELECT kel, count(*) AS n, sum(total) AS total FROM ringkas GROUP BY kel HAVING " having     \
	"\n"

#define PEOPLE 40

static uint64_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static int setup(void **state)
{
	struct engine *t = engine_new();

	engine_topic(t, "pku.uji.orang.v1", engine_schema(PERSON));
	engine_topic(t, "pku.uji.pajak.v1", engine_schema(TAX));
	engine_view(t, "dewasa", ADULTS("17"));
	engine_open(t, NULL);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct engine *t = *state;

	engine_free(&t);
	return 0;
}

static void person(struct engine *t, unsigned id, unsigned age)
{
	char key[16], json[100];

	snprintf(key, sizeof(key), "o%02u", id);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"kel\":\"k%u\",\"umur\":%u}", key, id % 4, age);
	engine_put(t, 0, key, json);
}

static void tax(struct engine *t, unsigned id, unsigned who, unsigned amount)
{
	char key[16], json[100];

	snprintf(key, sizeof(key), "p%02u", id);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"orang\":\"o%02u\",\"besar\":%u}", key, who, amount);
	engine_put(t, 1, key, json);
}

static void people(struct engine *t)
{
	for (unsigned i = 0; i < PEOPLE; i++)
		person(t, i, i);
	engine_apply(t, 100, GW_FORCE);
}

static void wish(struct engine *t, const char *name, const char *text)
{
	const struct gw_wish w = { .name = name, .text = { text, text ? strlen(text) : 0 }, .by = "uji" };

	gw_wish(t->e, &w);
}

static bool step(struct engine *t)
{
	struct bus_error err = { 0 };
	bool busy;

	engine_must(gw_live_step(t->e, 1, &busy, &err), &err);
	return busy;
}

/* Until nothing is left to do. */
static void calm(struct engine *t)
{
	while (step(t))
		;
	engine_settle(t);
}

static struct gw_view_state state_of(struct engine *t, const char *name)
{
	struct gw_view_state s = { 0 };

	assert_int_equal(gw_view_state(t->e, name, &s), BUS_OK);
	return s;
}

static void assert_refused(struct engine *t, const char *name, const char *why)
{
	struct gw_view_state s = state_of(t, name);

	if (s.state != GW_STATE_REFUSED || !strstr(s.fault, why))
		fail_msg("%s: state %d, '%s', not '%s'", name, s.state, s.fault, why);
}

/* --- a follower: rows as text, by key ------------------------------------------------------------------ */

struct follower {
	const char *name;
	int64_t cursor;
	int entries, n;
	struct {
		char key[16], row[80];
	} row[2 * PEOPLE];
	size_t n_columns;
};

static void row_text(const struct gw_view *v, const struct gw_value *value, char *out, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < v->n_columns && at < n; i++) {
		at += (size_t)snprintf(out + at, n - at, "%s=", v->column[i].name);
		if (value[i].type == GW_INT)
			at += (size_t)snprintf(out + at, n - at, "%lld;", (long long)value[i].i);
		else if (value[i].type == GW_REAL)
			at += (size_t)snprintf(out + at, n - at, "%.1f;", value[i].r);
		else
			at += (size_t)snprintf(out + at, n - at, "'%.*s';", (int)value[i].s.n, value[i].s.p);
	}
}

struct with {
	struct follower *f;
	const struct gw_view *v;
	int seen;
};

static int find(const struct follower *f, struct bus_str key)
{
	for (int i = 0; i < f->n; i++)
		if (bus_str_is(key, f->row[i].key))
			return i;
	return -1;
}

static bool fold(void *ctx, const struct gw_change *c)
{
	struct with *w = ctx;
	struct follower *f = w->f;
	int i = find(f, c->key);

	f->entries++;
	if (c->removed) {
		if (i >= 0)
			f->row[i] = f->row[--f->n];
		return true;
	}
	if (i < 0) {
		i = f->n++;
		snprintf(f->row[i].key, sizeof(f->row[i].key), "%.*s", (int)c->key.n, c->key.p);
	}
	row_text(w->v, c->value, f->row[i].row, sizeof(f->row[i].row));
	return true;
}

/* As the feed does it: the view of now, and the same cursor. */
static void follow(struct engine *t, struct follower *f)
{
	struct with w = { .f = f, .v = gw_view_find(t->e, f->name) };
	struct bus_error err = { 0 };
	int64_t before;

	f->entries = 0;
	do {
		before = f->cursor;
		engine_must(
		    gw_changes(gw_reader_of(t->e), w.v, NULL, f->cursor, 7, fold, &w, &f->cursor, &err),
		    &err);
	} while (f->cursor > before);
}

static bool same_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct with *w = ctx;
	char text[80];
	int i = find(w->f, value[w->v->key].s);

	(void)hash;
	row_text(w->v, value, text, sizeof(text));
	if (i < 0 || strcmp(w->f->row[i].row, text) != 0)
		fail_msg("%s: a page has %s, its follower %s", w->f->name, text,
			 i < 0 ? "nothing" : w->f->row[i].row);
	w->seen++;
	return true;
}

static void same_as_the_page(struct engine *t, struct follower *f)
{
	struct with w = { .f = f, .v = gw_view_find(t->e, f->name) };
	struct gw_query q = { .view = w.v, .limit = 1000 };
	struct bus_error err = { 0 };

	engine_must(gw_page(gw_reader_of(t->e), &q, same_row, &w, &err), &err);
	assert_int_equal(w.seen, f->n);
}

static int64_t sql_int(struct engine *t, const char *sql)
{
	int64_t n = -1;
	struct bus_error err = { 0 };

	engine_must(gw_db_int(t->e->db, 0, &n, &err, "%s", sql), &err);
	return n;
}

/* --- */

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
	"/*---\nname: dear\nkey: kel\npace: group\nroutes: {uji_orang: kel}\n"                                \
	"indexes:\n  - {table: uji_orang, columns: [kel]}\n"                                                  \
	"columns:\n  kel: {type: text, pdp: N}\n  n: {type: int, pdp: N}\n---*/\n"                            \
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
	assert_int_equal(state_of(t, "dear").state, GW_STATE_FAILED); /* not tried again for the other's change */
}

/* Its route finds the right keys, and takes hours. */
#define FAR                                                                                                  \
	HEAD("jauh",                                                                                         \
	     "routes:\n  uji_orang: SELECT DISTINCT a._key FROM uji_orang a JOIN uji_orang b ON b.kel = a.kel " \
	     "JOIN uji_orang c ON c.kel = a.kel JOIN uji_orang d ON d.kel = a.kel WHERE a.kel = :kel\n"      \
	     "indexes:\n  - {table: uji_orang, columns: [kel]}\n",                                          \
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
		    HEAD("ringan", "routes: {uji_pajak: _key}\n", "") "SELECT _key AS id FROM uji_pajak WHERE besar > 9\n");
	engine_view(t, "berat",
		    "/*---\nname: berat\nkey: besar\ncolumns:\n  besar: {type: text, pdp: N}\n  n: {type: int, pdp: N}\n"
		    "---*/\nSELECT CAST(besar AS TEXT) AS besar, sum(length(" GROW GROW GROW GROW "orang" TENFOLD TENFOLD TENFOLD TENFOLD
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

/* --- chance ------------------------------------------------------------------------------------------- */

static void any_wish(struct engine *t)
{
	static const char *const adults[] = { ADULTS("5"),  ADULTS("17"), ADULTS("18"),
					      ADULTS("30"), ADULTS("x"),  NULL };
	static const char *const summary[] = {
		SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL),
		SUMMARY("", "  umur: {type: int, pdp: U}\n  total: {type: int, pdp: S}\n",
			"o.umur, 3 * " TOTAL),
		SUMMARY("", "  umur: {type: real, pdp: U}\n  total: {type: int, pdp: S}\n",
			"1.0 * o.umur AS umur, " TOTAL),
		POOR,
		NULL,
	};
	static const char *const group[] = { GROUP("1"), GROUP("sum(total) > 50"), GROUP("n > 3"), NULL };

	switch (pick(3)) {
	case 0:
		wish(t, "dewasa", adults[pick(BUS_LEN(adults))]);
		break;
	case 1:
		wish(t, "ringkas", summary[pick(BUS_LEN(summary))]);
		break;
	default:
		wish(t, "per_kel", group[pick(BUS_LEN(group))]);
	}
}

static void one_history(struct engine *t)
{
	struct follower f[] = { { .name = "dewasa" }, { .name = "ringkas" }, { .name = "per_kel" } };
	struct bus_error err = { 0 };

	for (int i = 0; i < 80; i++) {
		for (unsigned k = pick(20); k > 0; k--) {
			if (pick(2))
				tax(t, pick(60), pick(PEOPLE), pick(30));
			else if (pick(6))
				person(t, pick(PEOPLE), pick(40));
			else
				engine_put(t, 0, (char[]){ 'o', '0', (char)('0' + pick(10)), 0 }, NULL);
		}
		if (pick(12) == 0 && t->n > 0) {
			engine_must(engine_try_apply(t, 0, t->n, &err), &err);
			engine_must(gw_core_reload(t->e, &err), &err);
		}
		engine_apply(t, 1 + pick(9), pick(2) ? GW_LIVE : GW_BACKLOG);
		if (pick(4) == 0)
			any_wish(t);
		for (unsigned k = pick(4); k > 0; k--)
			(void)step(t);
		if (pick(15) == 0) {
			gw_core_close(&t->e);
			engine_open(t, NULL);
		}
		for (size_t k = 0; k < BUS_LEN(f); k++) {
			if (!gw_view_find(t->e,
					  f[k].name)) /* dropped: its log is gone, a new one begins anew */
				f[k] = (struct follower){ .name = f[k].name };
			else if (pick(3) == 0)
				follow(t, &f[k]);
		}
	}
	calm(t);
	calm(t);
	assert_int_equal(engine_differences(t), 0);
	for (size_t k = 0; k < BUS_LEN(f); k++) {
		if (!gw_view_find(t->e, f[k].name))
			continue;
		follow(t, &f[k]);
		same_as_the_page(t, &f[k]);
	}
}

struct reading {
	struct engine *t;
	_Atomic bool stop;
	_Atomic int pages;
};

static bool any_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	(void)ctx;
	(void)value;
	(void)hash;
	return true;
}

static bool any_change(void *ctx, const struct gw_change *c)
{
	(void)ctx;
	(void)c;
	return true;
}

static void *read_on(void *ctx)
{
	struct reading *r = ctx;
	struct bus_error err;
	int64_t last;
	enum bus_err rc;

	while (!r->stop) {
		struct gw_views *set = gw_views_hold(r->t->e);

		for (size_t i = 0; i < set->n; i++) {
			struct gw_query q = { .view = set->view[i], .limit = 20 };
			struct gw_view_state s;

			(void)!gw_view_state(r->t->e, set->view[i]->name, &s);
			rc = gw_page(gw_reader_of(r->t->e), &q, any_row, r, &err);
			/* A view that has gone since the set was taken may have no table any more. */
			assert_true(rc == BUS_OK || rc == BUS_EDB);
			rc = gw_changes(gw_reader_of(r->t->e), set->view[i], NULL, 0, 20, any_change, r,
					&last, &err);
			assert_true(rc == BUS_OK || rc == BUS_ECONFLICT || rc == BUS_EDB);
			r->pages++;
		}
		gw_views_release(&set);
	}
	return NULL;
}

static void readers_go_on_while_views_come_and_go(void **state)
{
	struct engine *t = *state;
	struct reading r = { .t = t };
	pthread_t thread[2];

	seed = 11;
	people(t);
	for (size_t i = 0; i < BUS_LEN(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_on, &r), 0);
	for (int i = 0; i < 25; i++) {
		any_wish(t);
		person(t, pick(PEOPLE), pick(40));
		engine_apply(t, 1, GW_LIVE);
		for (unsigned k = pick(5); k > 0; k--)
			(void)step(t);
	}
	calm(t);
	r.stop = true;
	for (size_t i = 0; i < BUS_LEN(thread); i++)
		pthread_join(thread[i], NULL);
	assert_true(r.pages > 25);
}

/* --- kill -9 ------------------------------------------------------------------------------------------ */

/* A gateway of its own: it takes the definition up, until somebody kills it. */
static void build_until_killed(struct engine *t, const char *text)
{
	struct bus_error err = { 0 };
	bool busy = true, pending;

	engine_open(t, NULL);
	wish(t, "dewasa", text);
	while (busy)
		engine_must(gw_live_step(t->e, 1, &busy, &err), &err);
	for (;;)
		engine_must(gw_settle(t->e, GW_FORCE, NULL, &pending, &err), &err);
}

static void killed_at_any_moment_the_store_has_the_old_or_the_new(void **state)
{
	static const char *const text[] = { ADULTS("3"), ADULTS("30") };
	const char *more = getenv("TITIAN_KILLS"); /* make soak-definitions */
	struct engine *t = *state;
	struct follower f = { .name = "dewasa" };
	int old = 0, is_new = 0, kills = more ? atoi(more) : 12;

	seed = more ? (uint64_t)time(NULL) : 7;
	printf("seed %llu\n", (unsigned long long)seed);
	people(t);
	follow(t, &f);
	for (int i = 0; i < kills; i++) {
		const char *want = text[i % 2];
		pid_t child;

		gw_core_close(&t->e);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			build_until_killed(t, want);
		usleep(pick(60000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		engine_open(t, NULL);
		engine_settle(t);
		if (bus_str_is(gw_view_def(gw_view_find(t->e, "dewasa"))->text, want))
			is_new++;
		else
			old++;
		assert_int_equal(engine_differences(t), 0);
		follow(t, &f);
		same_as_the_page(t, &f);
		wish(t, "dewasa", want); /* the topic still says so */
		calm(t);
		follow(t, &f);
		same_as_the_page(t, &f);
		assert_int_equal(f.n, i % 2 ? PEOPLE - 30 : PEOPLE - 3);
		assert_int_equal(
		    sql_int(t, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_new%' ESCAPE "
			       "'\\'"),
		    0);
	}
	printf("%d kills: %d left the old one, %d the new one\n", kills, old, is_new);
}

static void any_history_of_records_and_definitions_ends_in_exact_followers(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		void *t;

		seed = i * 7919 + 1;
		setup(&t);
		one_history(t);
		teardown(&t);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_definition_that_comes_is_built_and_served),
		T(a_changed_one_publishes_the_rows_that_differ_and_no_others),
		T(other_words_change_no_row),
		T(columns_come_go_and_change_their_type),
		T(a_view_that_others_read_is_exchanged_under_them),
		T(what_cannot_be_taken_leaves_what_runs),
		T(views_that_read_each_other_in_a_circle_are_refused),
		T(records_that_come_while_it_is_built_are_in_it),
		T(what_was_defined_runs_again_after_a_restart),
		T(what_cannot_be_set_up_at_the_start_waits_with_its_cursors),
		T(a_view_that_cannot_be_evaluated_stands_still_alone),
		T(a_view_that_takes_too_long_stands_still_alone),
		T(a_build_that_takes_too_long_fails_and_the_next_goes_on),
		T(a_route_that_takes_too_long_is_given_up_and_its_view_evaluated_as_a_whole),
		cmocka_unit_test(sums_that_take_too_long_to_make_leave_their_view_standing_still),
		T(held_views_outlive_their_set),
		T(readers_go_on_while_views_come_and_go),
		T(killed_at_any_moment_the_store_has_the_old_or_the_new),
		cmocka_unit_test(any_history_of_records_and_definitions_ends_in_exact_followers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
