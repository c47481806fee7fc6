/* tests/support/live_stage.h - an engine with people and taxes, views of them that come and go, and a follower that
 * folds a view's log and compares itself with the page. For tests/unit/test_live*.c.
 */
#ifndef TESTS_SUPPORT_LIVE_STAGE_H
#define TESTS_SUPPORT_LIVE_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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

static inline unsigned pick(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static inline int setup(void **state)
{
	struct engine *t = engine_new();

	engine_topic(t, "pku.uji.orang.v1", engine_schema(PERSON));
	engine_topic(t, "pku.uji.pajak.v1", engine_schema(TAX));
	engine_view(t, "dewasa", ADULTS("17"));
	engine_open(t, NULL);
	*state = t;
	return 0;
}

static inline int teardown(void **state)
{
	struct engine *t = *state;

	engine_free(&t);
	return 0;
}

static inline void person(struct engine *t, unsigned id, unsigned age)
{
	char key[16], json[100];

	snprintf(key, sizeof(key), "o%02u", id);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"kel\":\"k%u\",\"umur\":%u}", key, id % 4, age);
	engine_put(t, 0, key, json);
}

static inline void tax(struct engine *t, unsigned id, unsigned who, unsigned amount)
{
	char key[16], json[100];

	snprintf(key, sizeof(key), "p%02u", id);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"orang\":\"o%02u\",\"besar\":%u}", key, who, amount);
	engine_put(t, 1, key, json);
}

static inline void people(struct engine *t)
{
	for (unsigned i = 0; i < PEOPLE; i++)
		person(t, i, i);
	engine_apply(t, 100, GW_FORCE);
}

static inline void wish(struct engine *t, const char *name, const char *text)
{
	const struct gw_wish w = { .name = name, .text = { text, text ? strlen(text) : 0 }, .by = "uji" };

	gw_wish(t->e, &w);
}

static inline bool step(struct engine *t)
{
	struct bus_error err = { 0 };
	bool busy;

	engine_must(gw_live_step(t->e, 1, &busy, &err), &err);
	return busy;
}

/* Until nothing is left to do. */
static inline void calm(struct engine *t)
{
	while (step(t))
		;
	engine_settle(t);
}

static inline struct gw_view_state state_of(struct engine *t, const char *name)
{
	struct gw_view_state s = { 0 };

	assert_int_equal(gw_view_state(t->e, name, &s), BUS_OK);
	return s;
}

static inline void assert_refused(struct engine *t, const char *name, const char *why)
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

static inline void row_text(const struct gw_view *v, const struct gw_value *value, char *out, size_t n)
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

static inline int find(const struct follower *f, struct bus_str key)
{
	for (int i = 0; i < f->n; i++)
		if (bus_str_is(key, f->row[i].key))
			return i;
	return -1;
}

static inline bool fold(void *ctx, const struct gw_change *c)
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
static inline void follow(struct engine *t, struct follower *f)
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

static inline bool same_row(void *ctx, const struct gw_value *value, uint64_t hash)
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

static inline void same_as_the_page(struct engine *t, struct follower *f)
{
	struct with w = { .f = f, .v = gw_view_find(t->e, f->name) };
	struct gw_query q = { .view = w.v, .limit = 1000 };
	struct bus_error err = { 0 };

	engine_must(gw_page(gw_reader_of(t->e), &q, same_row, &w, &err), &err);
	assert_int_equal(w.seen, f->n);
}

static inline int64_t sql_int(struct engine *t, const char *sql)
{
	int64_t n = -1;
	struct bus_error err = { 0 };

	engine_must(gw_db_int(t->e->db, 0, &n, &err, "%s", sql), &err);
	return n;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
