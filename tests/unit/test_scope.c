/* Followers of a part of a view: in random histories each holds exactly its part, is told once of what leaves
 * it, and never of a key that was not in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "tests/support/engine_support.h"

#define KEYS 24
#define PLACES 4
#define FOLLOWERS 12

static const char view[] = "/*---\nname: warga\nkey: id\nscope: [kel, aktif]\nroutes: {uji_orang: _key}\n"
			   "columns:\n  id: {type: text, pdp: P}\n  kel: {type: text, pdp: N}\n"
			   "  aktif: {type: bool, pdp: N}\n  n: {type: int, pdp: N}\n---*/\n"
			   "SELECT _key AS id, kel, aktif, n FROM uji_orang WHERE n > 0\n";
static const char *const place[PLACES] = { "t0", "t1", "t2", "t3" };

static uint64_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

struct truth {	   /* kept by the test itself: what each key is now */
	int place; /* -1: not in the view */
	bool active;
	int n;
};

struct follower {
	unsigned places; /* bit: in its part */
	int active;	 /* 0, 1; -1: both */
	struct gw_scope_part part[2];
	const char *value[PLACES], *active_value[1];
	struct gw_scope scope;
	int limit;
	int64_t cursor, fresh;
	int held[KEYS];	      /* n of the row; 0: none */
	bool was_in[KEYS];    /* its part, at any time since it began */
	bool gone_told[KEYS]; /* and not been in the part since */
	int told;
};

static struct engine *start(void)
{
	struct engine *t = engine_new();

	engine_topic(
	    t, "pku.uji.orang.v1",
	    engine_schema("{\"type\":\"record\",\"name\":\"O\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
			  "\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"kel\",\"type\":"
			  "[\"null\",\"string\"],\"default\":null},{\"name\":\"aktif\",\"type\":\"boolean\"},"
			  "{\"name\":\"n\",\"type\":\"int\"}]}"));
	engine_view(t, "a", view);
	engine_open(t, NULL);
	return t;
}

static bool within(const struct follower *f, const struct truth *k)
{
	return k->n > 0 && k->place >= 0 && (f->places >> k->place & 1) &&
	       (f->active < 0 || f->active == k->active);
}

static void draw(struct follower *f)
{
	static const int limits[] = { 3, 10, 1000 };

	*f = (struct follower){ .active = pick(3) ? -1 : (int)pick(2), .limit = limits[pick(3)] };
	do {
		f->places = pick(1 << PLACES);
	} while (f->places == 0);
	f->part[0] = (struct gw_scope_part){ .column = "kel", .value = f->value };
	for (int i = 0; i < PLACES; i++) {
		if (f->places >> i & 1)
			f->value[f->part[0].n++] = place[i];
	}
	f->active_value[0] = f->active == 1 ? "true" : "false";
	f->part[1] = (struct gw_scope_part){ .column = "aktif", .value = f->active_value, .n = 1 };
	f->scope = (struct gw_scope){ f->part, f->active < 0 ? 1 : 2 };
}

static void one_change(struct engine *t, struct truth *truth)
{
	unsigned i = pick(KEYS);
	char key[8], json[120], kel[8];

	snprintf(key, sizeof(key), "k%u", i);
	if (pick(6) == 0) {
		truth[i].n = 0;
		engine_put(t, 0, key, NULL);
		return;
	}
	truth[i].place = (int)pick(PLACES + 1) - 1;
	truth[i].active = pick(2);
	truth[i].n = (int)pick(6); /* 0: not in the view */
	snprintf(kel, sizeof(kel), truth[i].place < 0 ? "null" : "\"%s\"",
		 truth[i].place < 0 ? "" : place[truth[i].place]);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"kel\":%s,\"aktif\":%s,\"n\":%d}", key, kel,
		 truth[i].active ? "true" : "false", truth[i].n);
	engine_put(t, 0, key, json);
}

static bool on_entry(void *ctx, const struct gw_change *c)
{
	struct follower *f = ctx;
	int i = atoi(c->key.p + 1);

	if (!f->was_in[i])
		fail_msg("a foreign key was told");
	if (c->removed) {
		if (f->gone_told[i])
			fail_msg("one departure was told twice");
		f->gone_told[i] = true;
		f->held[i] = 0;
	} else {
		f->gone_told[i] = false;
		f->held[i] = (int)c->value[3].i;
	}
	f->told++;
	return true;
}

static void follow(struct engine *t, struct follower *f, bool to_the_end)
{
	struct bus_error err = { 0 };
	int64_t before;

	do {
		const struct gw_following q = { .view = gw_view_find(t->e, "warga"),
						.rows = &f->scope,
						.after = f->cursor,
						.fresh = f->fresh,
						.limit = f->limit };

		before = f->cursor;
		if (before == 0)
			f->fresh = gw_newest(t->e, q.view);
		f->told = 0;
		engine_must(gw_follow(gw_reader_of(t->e), &q, on_entry, f, &f->cursor, &err), &err);
		assert_true(f->cursor >= before && f->told <= f->limit);
	} while (f->cursor > before && (to_the_end || pick(3)));
}

static void one_history(uint64_t number)
{
	static const enum gw_haste hastes[] = { GW_LIVE, GW_LIVE, GW_QUIET, GW_FORCE };
	struct follower f[FOLLOWERS];
	struct truth truth[KEYS] = { 0 };
	struct engine *t = start();
	struct bus_error err = { 0 };
	bool more = true;

	seed = number * 7919 + 1;
	for (int i = 0; i < FOLLOWERS; i++)
		draw(&f[i]);
	for (int step = 0; step < 14; step++) {
		for (unsigned k = pick(12); k > 0; k--) {
			one_change(t, truth);
			engine_apply(t, 1, hastes[pick(BUS_LEN(hastes))]);
			for (int i = 0; i < FOLLOWERS; i++) {
				for (int key = 0; key < KEYS; key++) {
					if (!within(&f[i], &truth[key]))
						continue;
					f[i].was_in[key] = true;
					f[i].gone_told[key] = false;
				}
			}
		}
		for (int i = 0; i < FOLLOWERS; i++) {
			if (pick(6) == 0)
				follow(t, &f[i], false);
			if (f[i].cursor == 0) { /* what was before its snapshot it must never hear of */
				for (int key = 0; key < KEYS; key++)
					f[i].was_in[key] = within(&f[i], &truth[key]);
			}
		}
		if (pick(10) == 0) {
			t->e->view[0]->log_entries += 20000; /* as if it were worth sweeping */
			for (more = true; more;)
				engine_must(gw_sweep(t->e, &more, &err), &err);
		}
	}
	for (int i = 0; i < FOLLOWERS; i++) {
		follow(t, &f[i], true);
		for (int key = 0; key < KEYS; key++) {
			int n = within(&f[i], &truth[key]) ? truth[key].n : 0;

			if (f[i].held[key] != n)
				fail_msg("history %llu, follower %d, k%d: holds %d, must hold %d",
					 (unsigned long long)number, i, key, f[i].held[key], n);
		}
	}
	engine_free(&t);
}

static void every_follower_holds_exactly_its_part_in_any_history(void **state)
{
	const char *from = getenv("SCOPE_FROM"), *histories = getenv("SCOPE_HISTORIES");
	uint64_t first = from ? strtoull(from, NULL, 10) : 0,
		 n = histories ? strtoull(histories, NULL, 10) : 300;

	(void)state;
	for (uint64_t i = first; i < first + n; i++)
		one_history(i);
}

struct seen {
	int n, removed;
	char key[8];
};

static bool see_change(void *ctx, const struct gw_change *c)
{
	struct seen *s = ctx;

	s->n++;
	s->removed += c->removed;
	snprintf(s->key, sizeof(s->key), "%.*s", (int)c->key.n, c->key.p);
	return true;
}

static bool see_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct seen *s = ctx;

	(void)hash;
	s->n++;
	snprintf(s->key, sizeof(s->key), "%.*s", (int)value[0].s.n, value[0].s.p);
	return true;
}

static void a_row_outside_is_a_missing_one_on_every_way(void **state)
{
	const char *const t1[] = { "t1" };
	struct engine *t = start();
	const struct gw_view *v = gw_view_find(t->e, "warga");
	const struct gw_scope_part part = { "kel", t1, 1 };
	const struct gw_scope scope = { &part, 1 };
	struct gw_query q = { .view = v, .limit = 100, .rows = &scope };
	struct seen s = { 0 };
	struct bus_error err = { 0 };
	int64_t n, before;

	(void)state;
	engine_put(t, 0, "k2", "{\"id\":\"k2\",\"kel\":\"t2\",\"aktif\":true,\"n\":1}");
	engine_put(t, 0, "k3", "{\"id\":\"k3\",\"aktif\":true,\"n\":1}");
	engine_apply(t, 10, GW_FORCE);
	before = gw_newest(t->e, v);
	engine_put(t, 0, "k1", "{\"id\":\"k1\",\"kel\":\"t1\",\"aktif\":true,\"n\":1}");
	engine_apply(t, 10, GW_FORCE);
	engine_must(gw_page(gw_reader_of(t->e), &q, see_row, &s, &err), &err);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.key, "k1");
	engine_must(gw_count(gw_reader_of(t->e), &q, &n, &err), &err);
	assert_int_equal(n, 1);
	engine_must(gw_get(gw_reader_of(t->e), v, NULL, BUS_STR("k1"), &scope, see_row, &s, &err), &err);
	assert_int_equal(gw_get(gw_reader_of(t->e), v, NULL, BUS_STR("k2"), &scope, see_row, &s, &err),
			 BUS_ENOENT);
	assert_int_equal(gw_get(gw_reader_of(t->e), v, NULL, BUS_STR("k3"), &scope, see_row, &s, &err),
			 BUS_ENOENT);
	/* Not evaluated yet, and elsewhere already: neither its new row nor that it went is told too early. */
	engine_put(t, 0, "k1", "{\"id\":\"k1\",\"kel\":\"t2\",\"aktif\":true,\"n\":1}");
	engine_must(engine_try_apply(t, 0, t->n, &err), &err);
	engine_must(gw_commit(t->e, &err), &err);
	s = (struct seen){ 0 };
	engine_must(
	    gw_follow(gw_reader_of(t->e),
		      &(struct gw_following){ .view = v, .rows = &scope, .after = before, .limit = 10 },
		      see_change, &s, &n, &err),
	    &err);
	assert_int_equal(s.n, 0);
	engine_settle(t);
	engine_free(&t);
}

static void scope_declared_later_is_filled_without_telling_anybody(void **state)
{
	const char *const t1[] = { "t1" };
	struct engine *t = start();
	struct gw_scope_part part = { "kel", t1, 1 };
	const struct gw_scope scope = { &part, 1 };
	char *without = bus_xstrdup(view), *at = strstr(without, "scope: [kel, aktif]\n");
	struct bus_error err = { 0 };
	struct seen s = { 0 };
	int64_t before, last;

	(void)state;
	gw_core_close(&t->e);
	unlink(t->db);
	memmove(at, at + strlen("scope: [kel, aktif]\n"), strlen(at + strlen("scope: [kel, aktif]\n")) + 1);
	engine_view(t, "a", without);
	free(without);
	engine_open(t, NULL);
	engine_put(t, 0, "k1", "{\"id\":\"k1\",\"kel\":\"t1\",\"aktif\":true,\"n\":1}");
	engine_put(t, 0, "k2", "{\"id\":\"k2\",\"kel\":\"t2\",\"aktif\":true,\"n\":1}");
	engine_apply(t, 10, GW_FORCE);
	before = gw_newest(t->e, gw_view_find(t->e, "warga"));
	gw_core_close(&t->e);
	engine_view(t, "a", view);
	engine_open(t, NULL);
	engine_settle(t);
	assert_int_equal(gw_newest(t->e, gw_view_find(t->e, "warga")), before);
	engine_put(t, 0, "k1", NULL);
	engine_put(t, 0, "k2", NULL);
	engine_apply(t, 10, GW_FORCE);
	engine_must(
	    gw_follow(gw_reader_of(t->e),
		      &(struct gw_following){
			  .view = gw_view_find(t->e, "warga"), .rows = &scope, .after = before, .limit = 10 },
		      see_change, &s, &last, &err),
	    &err);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.removed, 1);
	assert_string_equal(s.key, "k1");
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_follower_holds_exactly_its_part_in_any_history),
		cmocka_unit_test(a_row_outside_is_a_missing_one_on_every_way),
		cmocka_unit_test(scope_declared_later_is_filled_without_telling_anybody),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
