/* Views made by chance, changes made by chance: after every batch what is stored is what the SELECT gives afresh, by
 * another SQLite over tables that this test folds from the stream itself, and who follows the feed, all of it or a
 * part, holds just that. A route taken away is refused, or verify finds what goes wrong.
 *
 *     VIEWS_RANDOM=200    definitions to try (40)      VIEWS_SEED=N    the first world (1)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "bus/log.h"
#include "tests/support/engine_support.h"
#include "tests/support/views_random.h"
#include "tests/support/views_rows.h"

#define VIEWS 5 /* of one world */
#define BATCHES 24
#define CHANGES_MAX 12
#define DAY "2020-06-15"
#define SCOPE_VALUE "t1"

/* --- the other SQLite -------------------------------------------------------------------------------- */

static int age_part(const char *s, int at, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++)
		v = v * 10 + s[at + i] - '0';
	return v;
}

static void age(sqlite3_context *ctx, int n, sqlite3_value **arg)
{
	const char *a = (const char *)sqlite3_value_text(arg[0]),
		   *b = (const char *)sqlite3_value_text(arg[1]);

	if (n == 2 && a && b) /* years, less one before the birthday: as days written MMDD compare */
		sqlite3_result_int(ctx, age_part(b, 0, 4) - age_part(a, 0, 4) -
					    (age_part(b, 5, 2) * 100 + age_part(b, 8, 2) <
					     age_part(a, 5, 2) * 100 + age_part(a, 8, 2)));
}

static void sql(sqlite3 *db, const char *text)
{
	char *why = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
}

struct world {
	struct v_chance chance;
	struct v_def view[VIEWS];
	size_t n_views;
	struct v_change *change;
	size_t n_changes, batch[BATCHES + 1]; /* batch b: changes [batch[b], batch[b + 1]) */
};

static sqlite3 *oracle_open(const struct world *w)
{
	sqlite3 *db = NULL;
	char text[2000];

	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		abort();
	sqlite3_create_function(db, "usia_tahun", 2, SQLITE_UTF8, NULL, age, NULL, NULL);
	for (int i = 0; i < TOPICS; i++) {
		snprintf(text, sizeof(text), "CREATE TABLE %s(_key TEXT PRIMARY KEY, %s)", v_topic[i].table,
			 v_topic[i].columns);
		sql(db, text);
	}
	for (size_t i = 0; i < w->n_views; i++) {
		if (w->view[i].dated)
			continue;
		snprintf(text, sizeof(text), "CREATE VIEW %s AS %s", w->view[i].name, w->view[i].body);
		sql(db, text);
	}
	return db;
}

/* The fold: a register's last word, of events with one id the first. Records that came before come to nothing. */
static void oracle_apply(sqlite3 *db, const struct v_change *x)
{
	struct bus_buf b = { 0 };
	char column[12];
	const char *p = v_topic[x->topic].columns;

	if (x->again >= 0)
		return;
	if (x->topic != EVENT || x->json[0] == '\0') {
		bus_buf_printf(&b, "DELETE FROM %s WHERE _key = '%s'", v_topic[x->topic].table, x->key);
		sql(db, bus_buf_cstr(&b));
		bus_buf_reset(&b);
	}
	if (x->json[0]) {
		bus_buf_printf(&b, "INSERT OR IGNORE INTO %s SELECT '%s'", v_topic[x->topic].table, x->key);
		for (; *p; p += strcspn(p, ","), p += *p ? 2 : 0) {
			snprintf(column, sizeof(column), "%.*s", (int)strcspn(p, " "), p);
			bus_buf_printf(&b, ", json_extract('%s', '$.%s')", x->json, column);
		}
		sql(db, bus_buf_cstr(&b));
	}
	bus_buf_release(&b);
}

/* of: only rows whose scope column has this value. */
static void oracle_rows(sqlite3 *db, const struct v_def *d, const char *of, struct rows *out)
{
	sqlite3_stmt *s = NULL;
	struct bus_buf b = { 0 };
	char text[2400];

	rows_clear(out);
	snprintf(text, sizeof(text), "SELECT * FROM (%s) WHERE %s %s %s", d->body, of ? d->scope_name : "1",
		 of ? "=" : "OR", of ? "'" SCOPE_VALUE "'" : "1");
	if (sqlite3_prepare_v2(db, text, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	if (d->dated)
		sqlite3_bind_text(s, sqlite3_bind_parameter_index(s, ":per_tanggal"), DAY, -1, SQLITE_STATIC);
	while (sqlite3_step(s) == SQLITE_ROW) {
		bus_buf_reset(&b);
		for (int i = 0; i < sqlite3_column_count(s); i++) {
			struct gw_value v = { .i = sqlite3_column_int64(s, i),
					      .r = sqlite3_column_double(s, i) };
			int type = sqlite3_column_type(s, i);

			v.type = type == SQLITE_NULL	  ? GW_NULL
				 : type == SQLITE_FLOAT	  ? GW_REAL
				 : type == SQLITE_INTEGER ? GW_INT
							  : GW_TEXT;
			if (type == SQLITE_TEXT)
				v.s = bus_str((const char *)sqlite3_column_text(s, i));
			cell(&b, &v);
		}
		rows_put(out, bus_str((const char *)sqlite3_column_text(s, 0)), &b);
	}
	sqlite3_finalize(s);
	bus_buf_release(&b);
}

/* --- the gateway's ----------------------------------------------------------------------------------- */

struct taker {
	const struct gw_view *view;
	struct rows *rows;
	struct bus_buf cells;
	int left;
};

static bool take_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct taker *t = ctx;

	(void)hash;
	bus_buf_reset(&t->cells);
	for (size_t i = 0; i < t->view->n_columns; i++)
		cell(&t->cells, &value[i]);
	rows_put(t->rows, value[t->view->key].s, &t->cells);
	return true;
}

static void page_rows(struct engine *t, const struct v_def *d, struct rows *out)
{
	struct taker k = { .view = gw_view_find(t->e, d->name), .rows = out };
	struct gw_query q = { .view = k.view, .date = d->dated ? DAY : NULL, .limit = 10000 };
	struct bus_error err = { 0 };

	rows_clear(out);
	engine_must(gw_page(gw_reader_of(t->e), &q, take_row, &k, &err), &err);
	bus_buf_release(&k.cells);
}

struct follower {
	const struct v_def *def;
	bool part; /* of a part: rows whose scope column is SCOPE_VALUE */
	int64_t cursor, fresh;
	struct rows rows;
};

static bool take_change(void *ctx, const struct gw_change *c)
{
	struct taker *t = ctx;

	if (c->removed)
		rows_remove(t->rows, c->key);
	else
		take_row(t, c->value, c->hash);
	return --t->left > 0; /* as a client that hangs up in the middle */
}

static void follow(struct engine *t, struct v_chance *chance, struct follower *f, bool to_the_end)
{
	const char *const value = SCOPE_VALUE;
	const struct gw_scope_part part = { f->def->scope_name, &value, 1 };
	const struct gw_scope scope = { &part, 1 };
	struct taker k = { .view = gw_view_find(t->e, f->def->name), .rows = &f->rows };
	struct gw_following q = { .view = k.view,
				  .date = f->def->dated ? DAY : NULL,
				  .rows = f->part ? &scope : NULL,
				  .limit = to_the_end ? 1000 : 1 + (int)v_pick(chance, 4) };
	struct bus_error err = { 0 };
	int64_t before;

	if (f->cursor == 0)
		f->fresh = gw_newest(t->e, k.view);
	do {
		before = f->cursor;
		q.after = f->cursor;
		q.fresh = f->fresh;
		k.left = INT32_MAX;
		engine_must(gw_follow(gw_reader_of(t->e), &q, take_change, &k, &f->cursor, &err), &err);
		assert_true(f->cursor >= before);
	} while (f->cursor > before && (to_the_end || v_pick(chance, 3)));
	bus_buf_release(&k.cells);
}

/* --- worlds ------------------------------------------------------------------------------------------ */

static void world_make(struct world *w, uint64_t seed)
{
	static const unsigned middle[] = { 1, 2, 3, 4, 5, 6, 6, 6, 6, 8, 9 };
	struct v_chance *c = &w->chance;

	memset(w, 0, sizeof(*w));
	c->seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 7;
	w->n_views = VIEWS;
	for (size_t i = 0; i < VIEWS; i++) {
		/* The first is what the last may stand on: a full view or a roll-up, with columns of fixed names. */
		unsigned class = i == 0		  ? (v_pick(c, 3) ? 0 : 6)
				 : i + 1 == VIEWS ? 10
						  : middle[v_pick(c, BUS_LEN(middle))];

		snprintf(w->view[i].name, sizeof(w->view[i].name), "v%zu", i);
		v_make(c, &w->view[i], class, &w->view[0]);
		w->view[i].internal = i == 0 && v_pick(c, 3) == 0 && w->view[i].scope < 0;
	}
	w->change = bus_xcalloc(BATCHES * CHANGES_MAX, sizeof(*w->change));
	for (size_t b = 0; b < BATCHES; b++) {
		size_t n = b == 0 ? CHANGES_MAX : v_pick(c, CHANGES_MAX);

		for (size_t i = 0; i < n; i++) {
			struct v_change *x = &w->change[w->n_changes];

			v_next(c, x);
			if (w->n_changes > 0 && v_pick(c, 15) == 0) {
				x->again = (int)v_pick(c, (unsigned)w->n_changes);
				while (w->change[x->again].again >= 0)
					x->again = w->change[x->again].again;
				x->topic = w->change[x->again].topic;
			}
			w->n_changes++;
		}
		w->batch[b + 1] = w->n_changes;
	}
}

static struct engine *world_engine(const struct world *w, int mutated, int without, int blind)
{
	struct engine *t = engine_new();
	struct bus_buf text = { 0 };

	for (int i = 0; i < TOPICS; i++)
		engine_topic(t, v_topic[i].topic, engine_schema(v_topic[i].schema));
	for (size_t i = 0; i < w->n_views; i++) {
		v_text(&w->view[i], (int)i == mutated ? without : -1, (int)i == mutated ? blind : -1, &text);
		engine_view(t, w->view[i].name, bus_buf_cstr(&text));
	}
	bus_buf_release(&text);
	return t;
}

/* The changes of a batch as records, waiting. seq of each change is kept, for those that come again. */
static void world_records(struct engine *t, const struct world *w, size_t b, int64_t *seq)
{
	for (size_t i = w->batch[b]; i < w->batch[b + 1]; i++) {
		const struct v_change *x = &w->change[i];
		const struct v_change *of = x->again >= 0 ? &w->change[x->again] : x;
		struct engine_record *r;

		if (of->topic == EVENT && !of->json[0])
			continue;
		r = engine_put(t, of->topic, of->key, of->json[0] ? of->json : NULL);
		seq[i] = t->topic[of->topic].seq;
		if (x->again >= 0) {
			t->topic[of->topic].seq--;
			snprintf(r->seq, sizeof(r->seq), "%lld", (long long)seq[x->again]);
		}
	}
}

static void complain(const struct world *w, uint64_t seed, size_t b, const struct v_def *d, const char *what,
		     const struct rows *got, const struct rows *want)
{
	struct bus_buf text = { 0 };

	v_text(d, -1, -1, &text);
	(void)w;
	rows_show("got", got);
	rows_show("want", want);
	fail_msg("world %llu, batch %zu, %s (%s): %s\n%s", (unsigned long long)seed, b, d->name, d->kind,
		 what, bus_buf_cstr(&text));
}

static int rollups, kept; /* made; of them, kept by what changed */

static void one_world(uint64_t seed)
{
	static const enum gw_haste hastes[] = { GW_BACKLOG, GW_LIVE, GW_LIVE, GW_QUIET };
	struct follower f[3 * VIEWS] = { 0 };
	struct rows want = { 0 }, got = { 0 };
	struct bus_error err = { 0 };
	struct world w;
	struct engine *t;
	int64_t *seq;
	sqlite3 *db;

	world_make(&w, seed);
	t = world_engine(&w, -1, -1, -1);
	if (engine_try_open(t, NULL, &err) != BUS_OK)
		fail_msg("world %llu: %s\n%s\n%s", (unsigned long long)seed, err.text, w.view[0].body,
			 w.view[VIEWS - 1].body);
	for (size_t i = 0; i < w.n_views; i++) { /* in the order of their names, as the engine's */
		rollups += strncmp(w.view[i].kind, "a roll-up", 9) == 0;
		kept += t->e->view[i]->sum != NULL;
	}
	db = oracle_open(&w);
	seq = bus_xcalloc(w.n_changes + 1, sizeof(*seq));
	for (size_t i = 0; i < 3 * VIEWS; i++)
		f[i] = (struct follower){ .def = &w.view[i / 3], .part = i % 3 == 2 };
	for (size_t b = 0; b < BATCHES; b++) {
		world_records(t, &w, b, seq);
		for (size_t i = w.batch[b]; i < w.batch[b + 1]; i++)
			oracle_apply(db, &w.change[i]);
		if (v_pick(&w.chance, 9) == 0 && t->n > 0) { /* applied, and then the power goes */
			engine_must(engine_try_apply(t, 0, t->n, &err), &err);
			engine_must(gw_core_reload(t->e, &err), &err);
		}
		engine_apply(t, 1 + v_pick(&w.chance, CHANGES_MAX),
			     hastes[v_pick(&w.chance, BUS_LEN(hastes))]);
		if (v_pick(&w.chance, 12) == 0) {
			gw_core_close(&t->e);
			engine_open(t, NULL);
		}
		if (v_pick(&w.chance, 8) == 0) { /* as if a tenth of it had been touched */
			struct gw_live *v = t->e->view[v_pick(&w.chance, VIEWS)];

			v->all = true;
			gw_touched_begin(v);
			engine_must(gw_begin(t->e, &err), &err);
			engine_must(gw_commit(t->e, &err), &err);
		}
		for (size_t i = 1; i < 3 * VIEWS; i += 3) { /* who sees rows that wait for evaluation */
			if (!w.view[i / 3].internal && v_pick(&w.chance, 3) == 0)
				follow(t, &w.chance, &f[i], false);
		}
		if (v_pick(&w.chance, 6) == 0)
			continue; /* what waits goes on waiting */
		engine_settle(t);
		if (engine_differences(t) != 0)
			fail_msg("world %llu, batch %zu: verify", (unsigned long long)seed, b);
		for (size_t i = 0; i < w.n_views; i++) {
			oracle_rows(db, &w.view[i], NULL, &want);
			page_rows(t, &w.view[i], &got);
			if (!rows_same(&got, &want))
				complain(&w, seed, b, &w.view[i], "not what the SELECT gives afresh", &got,
					 &want);
		}
		for (size_t i = 0; i < 3 * VIEWS; i++) {
			if (w.view[i / 3].internal || (f[i].part && w.view[i / 3].scope < 0) ||
			    (i % 3 == 1 && v_pick(&w.chance, 3)))
				continue;
			follow(t, &w.chance, &f[i], i % 3 != 1);
			if (i % 3 == 1)
				continue;
			oracle_rows(db, &w.view[i / 3], f[i].part ? SCOPE_VALUE : NULL, &want);
			if (!rows_same(&f[i].rows, &want))
				complain(&w, seed, b, &w.view[i / 3],
					 f[i].part ? "who follows a part holds something else"
						   : "who follows holds something else",
					 &f[i].rows, &want);
		}
	}
	engine_settle(t);
	for (size_t i = 1; i < 3 * VIEWS; i += 3) { /* who hung up in the middle, time and again */
		if (w.view[i / 3].internal)
			continue;
		follow(t, &w.chance, &f[i], true);
		oracle_rows(db, &w.view[i / 3], NULL, &want);
		if (!rows_same(&f[i].rows, &want))
			complain(&w, seed, BATCHES, &w.view[i / 3], "a slow follower holds something else",
				 &f[i].rows, &want);
	}
	for (size_t i = 0; i < 3 * VIEWS; i++)
		rows_clear(&f[i].rows);
	rows_clear(&want);
	rows_clear(&got);
	sqlite3_close(db);
	free(seq);
	free(w.change);
	engine_free(&t);
}

static unsigned number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void any_view_is_its_select_afresh_after_any_batch(void **state)
{
	unsigned worlds = (number("VIEWS_RANDOM", 40) + VIEWS - 1) / VIEWS, first = number("VIEWS_SEED", 1);

	(void)state;
	for (unsigned i = 0; i < worlds; i++)
		one_world(first + i);
	printf("views: %u, of them roll-ups: %d, kept by what changed: %d\n", worlds * VIEWS, rollups, kept);
	assert_true(kept * 10 > rollups * 9);
}

/* --- routes taken away ------------------------------------------------------------------------------- */

struct verdict {
	int refused, inferred, found, harmless; /* routes */
};

/* A route is left out (and the engine has found another), or leads nowhere: whenever a row is not what it should be,
 * verify says so. */
static bool is_found(uint64_t seed, const struct world *w, size_t view, struct engine *t)
{
	struct rows want = { 0 };
	struct bus_error err = { 0 };
	sqlite3 *db = oracle_open(w);
	int64_t *seq = bus_xcalloc(w->n_changes + 1, sizeof(*seq)), d[VIEWS], sum;
	struct follower f = { .def = &w->view[view] };
	struct v_chance chance = { .seed = seed };
	bool found = false;

	engine_settle(t); /* else all is evaluated as a whole first, and no route is needed */
	for (size_t b = 0; b < BATCHES; b++) {
		world_records(t, w, b, seq);
		for (size_t i = w->batch[b]; i < w->batch[b + 1]; i++)
			oracle_apply(db, &w->change[i]);
		engine_apply(t, CHANGES_MAX, GW_LIVE);
		engine_settle(t);
		engine_must(gw_verify(t->e, d, gw_view_count(t->e), &err), &err);
		sum = 0;
		for (size_t i = 0; i < gw_view_count(t->e); i++)
			sum += d[i];
		found |= sum > 0;
		if (w->view[view].internal || w->view[view].dated)
			continue;
		/* Who follows is told of what was noticed: if that is not the SELECT afresh, verify must know. */
		follow(t, &chance, &f, true);
		oracle_rows(db, &w->view[view], NULL, &want);
		if (!rows_same(&f.rows, &want) && sum == 0)
			complain(w, seed, b, &w->view[view], "a route is missing and verify does not find it",
				 &f.rows, &want);
	}
	rows_clear(&want);
	rows_clear(&f.rows);
	sqlite3_close(db);
	free(seq);
	return found;
}

static void one_route(uint64_t seed, const struct world *w, size_t view, int route, struct verdict *v)
{
	const char *table = w->view[view].route[route].table;
	struct engine *t = world_engine(w, (int)view, route, -1);
	struct bus_error err = { 0 };
	int ways = 0;

	for (size_t i = 0; i < w->view[view].n_routes; i++)
		ways += strcmp(w->view[view].route[i].table, table) == 0;
	if (engine_try_open(t, NULL, &err) != BUS_OK) {
		v->refused++;
	} else {
		bool wrong = is_found(seed, w, view, t);

		/* One of two that were written is gone, and what is left was believed: or all of it is ours. */
		if (wrong && ways == 1)
			fail_msg("world %llu, %s: the route found for %s is wrong", (unsigned long long)seed,
				 w->view[view].name, table);
		v->inferred += ways == 1;
	}
	engine_free(&t);
	t = world_engine(w, (int)view, -1, route);
	engine_must(engine_try_open(t, NULL, &err), &err);
	if (is_found(seed, w, view, t))
		v->found++;
	else
		v->harmless++;
	engine_free(&t);
}

static void a_route_taken_away_is_refused_or_found(void **state)
{
	unsigned worlds = (number("VIEWS_RANDOM", 40) + VIEWS - 1) / VIEWS, first = number("VIEWS_SEED", 1);
	bool all = worlds > 10;
	struct verdict v = { 0 };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < worlds; i++) {
		world_make(&w, first + i);
		for (size_t k = 0; k < VIEWS; k++) {
			for (size_t r = 0; r < w.view[k].n_routes; r++) {
				if (!all && r != v_pick(&w.chance, (unsigned)w.view[k].n_routes))
					continue;
				one_route(first + i, &w, k, (int)r, &v);
			}
		}
		free(w.change);
	}
	printf("routes: %d; left out: %d refused, %d found by the engine itself; leading nowhere: %d seen by "
	       "verify, %d "
	       "made no difference\n",
	       v.found + v.harmless, v.refused, v.inferred, v.found, v.harmless);
	assert_true(v.found > 2 * v.harmless);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_view_is_its_select_afresh_after_any_batch),
		cmocka_unit_test(a_route_taken_away_is_refused_or_found),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
