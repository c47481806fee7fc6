/* Random histories: whatever order, haste, crashes and repeats, views equal their recomputation, and a
 * subscriber who follows the change log from any cursor holds exactly the view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "tests/support/engine_support.h"

#define FIELDS(name, fields)                                                                                 \
	"{\"type\":\"record\",\"name\":\"" name                                                              \
	"\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["                                        \
	"{\"name\":\"id\",\"type\":\"string\"}," fields "]}"
#define MAYBE(name, type) "{\"name\":\"" name "\",\"type\":[\"null\"," type "],\"default\":null}"
#define DAY "{\"type\":\"int\",\"logicalType\":\"date\"}"

enum { PERSON, TAX, PLACE };

static const char summary[] =
    "/*---\nname: ringkas\nkey: id\ninternal: true\nstore: full\n"
    "routes: {uji_orang: _key, uji_pajak: orang}\n"
    "indexes:\n  - {table: uji_pajak, columns: [orang]}\n  - {table: ringkas, columns: [kel]}\n"
    "columns:\n  id: {type: text, pdp: P}\n  kel: {type: text, pdp: N}\n  lahir: {type: text, pdp: U}\n"
    "  total: {type: int, pdp: S}\n---*/\n"
    "SELECT o._key AS id, o.kel, o.lahir, coalesce((SELECT sum(p.besar) FROM uji_pajak p WHERE p.orang = "
    "o._key), 0)"
    " AS total FROM uji_orang o\n";
static const char card[] =
    "/*---\nname: kartu\nkey: id\nroutes:\n  ringkas: id\n  uji_tempat: SELECT id FROM ringkas WHERE kel = "
    ":_key\n"
    "columns:\n  id: {type: text, pdp: P}\n  total: {type: int, pdp: S}\n  tempat: {type: text, pdp: "
    "N}\n---*/\n"
    "SELECT r.id, r.total, (SELECT t.nama FROM uji_tempat t WHERE t._key = r.kel) AS tempat FROM ringkas r\n"
    "WHERE r.total > 0;\n";
static const char group[] =
    "/*---\nname: per_tempat\nkey: kel\nstore: full\npace: group\nroutes: {ringkas: kel}\n"
    "columns:\n  kel: {type: text, pdp: N}\n  n: {type: int, pdp: N}\n  total: {type: int, pdp: N}\n---*/\n"
    "SELECT kel, count(*) AS n, sum(total) AS total FROM ringkas WHERE kel IS NOT NULL GROUP BY kel\n";
static const char whole[] =
    "/*---\nname: seluruh\nkey: apa\nstore: full\npace: total\n"
    "routes:\n  per_tempat: SELECT 'semua'\n  uji_orang: SELECT 'semua'\n"
    "columns:\n  apa: {type: text, pdp: N}\n  tempat: {type: int, pdp: N}\n  orang: {type: int, pdp: "
    "N}\n---*/\n"
    "SELECT 'semua' AS apa, (SELECT count(*) FROM per_tempat WHERE total > 10) AS tempat,\n"
    "  (SELECT count(*) FROM uji_orang) AS orang\n";
static const char dated[] =
    "/*---\nname: dewasa\nkey: id\ndated: true\nroutes: {ringkas: id}\n"
    "columns:\n  id: {type: text, pdp: P}\n  lahir: {type: text, pdp: U}\n---*/\n"
    "SELECT id, lahir FROM ringkas WHERE :per_tanggal IS NULL OR usia_tahun(lahir, :per_tanggal) >= 17\n";

static uint64_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static struct engine *start(void)
{
	struct engine *t = engine_new();

	engine_topic(t, "pku.uji.orang.v1",
		     engine_schema(FIELDS("O", MAYBE("kel", "\"string\"") "," MAYBE("lahir", DAY))));
	engine_topic(t, "pku.uji.pajak.v1",
		     engine_schema(
			 FIELDS("P", MAYBE("orang", "\"string\"") ",{\"name\":\"besar\",\"type\":\"int\"}")));
	engine_topic(t, "pku.uji.tempat.v1",
		     engine_schema(FIELDS("T", "{\"name\":\"nama\",\"type\":\"string\"}")));
	engine_view(t, "a", card);
	engine_view(t, "b", summary);
	engine_view(t, "c", group);
	engine_view(t, "d", whole);
	engine_view(t, "e", dated);
	engine_open(t, NULL);
	t->e->route_most = pick(2) ? 2 : GW_ROUTE_MOST; /* too many to look for, half of the time */
	return t;
}

static void one_change(struct engine *t)
{
	unsigned what = pick(10), id = pick(30), place = pick(6), n = pick(9);
	char key[16], json[160], kel[16] = "null", who[16] = "null";

	if (place)
		snprintf(kel, sizeof(kel), "\"t%u\"", place);
	if (pick(8))
		snprintf(who, sizeof(who), "\"o%u\"", pick(30));
	if (what < 5) {
		snprintf(key, sizeof(key), "p%u", id);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"orang\":%s,\"besar\":%u}", key, who, n);
		engine_put(t, TAX, key, pick(6) ? json : NULL);
	} else if (what < 9) {
		snprintf(key, sizeof(key), "o%u", id);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"kel\":%s,\"lahir\":\"%u-03-01\"}", key, kel,
			 2000 + n);
		engine_put(t, PERSON, key, pick(6) ? json : NULL);
	} else {
		snprintf(key, sizeof(key), "t%u", place);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"nama\":\"n%u\"}", key, n);
		engine_put(t, PLACE, key, pick(6) ? json : NULL);
	}
	if (pick(12) == 0 && t->n > 1) { /* an earlier record once more, further on in the log */
		struct engine_record *old = &t->record[pick((unsigned)t->n)], *r;
		struct bus_str avro = { old->value + 5, old->n_value - 5 },
			       key_again = { old->key, old->n_key };
		char seq[24];
		int topic = old->topic;

		memcpy(seq, old->seq, sizeof(seq));
		r = engine_add(t, topic, key_again, old->value ? &avro : NULL, 0);
		t->topic[topic].seq--;
		memcpy(r->seq, seq, sizeof(seq));
	}
}

#define SUBSCRIBER_KEYS 64

struct subscriber {
	const struct gw_view *view;
	const char *date;
	int64_t cursor;
	char key[SUBSCRIBER_KEYS][16];
	uint64_t hash[SUBSCRIBER_KEYS];
	int n;
	int64_t last_seq;
	int stop_after; /* entries; -1: never */
};

static int find(const struct subscriber *s, struct bus_str key)
{
	for (int i = 0; i < s->n; i++) {
		if (bus_str_is(key, s->key[i]))
			return i;
	}
	return -1;
}

static bool on_entry(void *ctx, const struct gw_change *c)
{
	struct subscriber *s = ctx;
	int i = find(s, c->key);

	assert_true(c->seq > s->last_seq);
	s->last_seq = c->seq;
	if (c->removed) {
		assert_null(c->value);
		if (i >= 0) {
			s->n--;
			memcpy(s->key[i], s->key[s->n], sizeof(s->key[i]));
			s->hash[i] = s->hash[s->n];
		}
	} else {
		if (i < 0) {
			i = s->n++;
			snprintf(s->key[i], sizeof(s->key[i]), "%.*s", (int)c->key.n, c->key.p);
		}
		s->hash[i] = c->hash;
	}
	return s->stop_after < 0 || --s->stop_after > 0;
}

static void follow(struct engine *t, struct subscriber *s, bool to_the_end)
{
	struct bus_error err = { 0 };
	int64_t before;

	do {
		before = s->cursor;
		s->last_seq = before;
		s->stop_after = to_the_end || pick(3) ? -1 : 1 + (int)pick(4);
		engine_must(gw_changes(gw_reader_of(t->e), s->view, s->date, s->cursor, 1 + (int)pick(7),
				       on_entry, s, &s->cursor, &err),
			    &err);
		assert_true(s->cursor >= before);
	} while (s->cursor > before && (to_the_end || pick(3)));
}

static bool on_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct subscriber *s = ctx; /* a copy to be used up */

	(void)hash; /* a page has none */
	if (find(s, value[s->view->key].s) < 0)
		fail_msg("the subscriber of %s lacks a row", s->view->name);
	s->stop_after++;
	return true;
}

static bool on_one(void *ctx, const struct gw_value *value, uint64_t hash)
{
	(void)value;
	*(uint64_t *)ctx = hash;
	return true;
}

static void same_as_the_view(struct engine *t, const struct subscriber *s)
{
	struct gw_query q = { .view = s->view, .date = s->date, .limit = 10000 };
	struct subscriber copy = *s;
	struct bus_error err = { 0 };
	uint64_t hash;

	copy.stop_after = 0;
	engine_must(gw_page(gw_reader_of(t->e), &q, on_row, &copy, &err), &err);
	if (copy.stop_after != s->n)
		fail_msg("the subscriber of %s has %d rows, the view %d", s->view->name, s->n,
			 copy.stop_after);
	for (int i = 0; i < s->n; i++) {
		engine_must(gw_get(gw_reader_of(t->e), s->view, s->date, bus_str(s->key[i]), NULL, on_one, &hash,
				   &err),
			    &err);
		if (hash != s->hash[i])
			fail_msg("the subscriber of %s has another row", s->view->name);
	}
}

static void one_history(uint64_t number)
{
	static const enum gw_haste hastes[] = { GW_BACKLOG, GW_LIVE, GW_LIVE, GW_QUIET, GW_FORCE };
	static const char *const names[] = { "kartu", "per_tempat", "seluruh", "dewasa", "dewasa" };
	struct subscriber sub[BUS_LEN(names)] = { 0 }, fresh;
	struct engine *t = start();
	struct bus_error err = { 0 };
	bool more = true;

	seed = number * 7919 + 1;
	for (size_t i = 0; i < BUS_LEN(names); i++) {
		sub[i].view = gw_view_find(t->e, names[i]);
		sub[i].date = i == 3 ? "2020-01-01" : i == 4 ? "2024-06-30" : NULL;
	}
	for (int step = 0; step < 40; step++) {
		for (unsigned k = pick(25); k > 0; k--)
			one_change(t);
		if (pick(8) == 0 && t->n > 0) { /* applied, and then the power goes */
			engine_must(engine_try_apply(t, 0, t->n, &err), &err);
			engine_must(gw_core_reload(t->e, &err), &err);
		}
		engine_apply(t, 1 + pick(12), hastes[pick(BUS_LEN(hastes))]);
		if (pick(10) == 0) { /* an orderly restart */
			gw_core_close(&t->e);
			engine_open(t, NULL);
			for (size_t i = 0; i < BUS_LEN(names); i++)
				sub[i].view = gw_view_find(t->e, names[i]);
		}
		for (size_t i = 0; i < BUS_LEN(names); i++) {
			if (pick(3) == 0)
				follow(t, &sub[i], false);
		}
		if (pick(5) == 0) {
			for (size_t i = 0; i < t->e->n_views; i++)
				t->e->view[i]->log_entries += 20000; /* as if it were worth sweeping */
			while (more)
				engine_must(gw_sweep(t->e, &more, &err), &err);
			more = true;
		}
	}
	engine_settle(t);
	assert_int_equal(engine_differences(t), 0);
	for (size_t i = 0; i < BUS_LEN(names); i++) {
		follow(t, &sub[i], true);
		same_as_the_view(t, &sub[i]);
		fresh = (struct subscriber){ .view = sub[i].view, .date = sub[i].date };
		follow(t, &fresh, true);
		same_as_the_view(t, &fresh);
	}
	engine_free(&t);
}

static void any_history_ends_in_the_recomputed_views_and_exact_subscribers(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 25; i++)
		one_history(i);
}

struct count {
	int n, removed;
};

static bool count_entry(void *ctx, const struct gw_change *c)
{
	struct count *n = ctx;

	n->n++;
	n->removed += c->removed;
	return true;
}

static void only_real_differences_are_logged(void **state)
{
	struct engine *t = start();
	struct bus_error err = { 0 };
	struct count n = { 0 };
	int64_t before, last;
	const struct gw_view *v = gw_view_find(t->e, "kartu");

	(void)state;
	engine_put(t, PERSON, "o1", "{\"id\":\"o1\",\"kel\":\"t1\"}");
	engine_put(t, TAX, "p1", "{\"id\":\"p1\",\"orang\":\"o1\",\"besar\":5}");
	engine_apply(t, 10, GW_FORCE);
	before = gw_newest(t->e, v);
	assert_int_equal(gw_view_rows(t->e, v), 1);
	engine_put(t, TAX, "p1", "{\"id\":\"p1\",\"orang\":\"o1\",\"besar\":5}"); /* the same again */
	engine_put(t, PERSON, "o1",
		   "{\"id\":\"o1\",\"kel\":\"t1\",\"lahir\":\"2001-01-01\"}"); /* not in the card */
	engine_apply(t, 10, GW_FORCE);
	assert_int_equal(gw_newest(t->e, v), before);
	engine_put(t, TAX, "p1", NULL);
	engine_apply(t, 10, GW_FORCE);
	assert_int_equal(gw_view_rows(t->e, v), 0);
	engine_must(gw_changes(gw_reader_of(t->e), v, NULL, before, 10, count_entry, &n, &last, &err), &err);
	assert_int_equal(n.n, 1);
	assert_int_equal(n.removed, 1);
	n = (struct count){ 0 }; /* who never had it is not told that it went */
	engine_must(gw_changes(gw_reader_of(t->e), v, NULL, 0, 10, count_entry, &n, &last, &err), &err);
	assert_int_equal(n.n, 0);
	engine_free(&t);
}

static void a_changed_definition_publishes_the_rows_that_differ(void **state)
{
	struct engine *t = start();
	struct bus_error err = { 0 };
	struct count n = { 0 };
	int64_t before, last;
	uint64_t id = gw_store_id(t->e);
	char key[16], json[100];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "o%d", i);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"kel\":\"t1\"}", key);
		engine_put(t, PERSON, key, json);
		snprintf(json, sizeof(json), "{\"id\":\"p%d\",\"orang\":\"o%d\",\"besar\":%d}", i, i, i + 1);
		snprintf(key, sizeof(key), "p%d", i);
		engine_put(t, TAX, key, json);
	}
	engine_apply(t, 100, GW_FORCE);
	before = gw_newest(t->e, gw_view_find(t->e, "kartu"));
	gw_core_close(&t->e);
	{
		char *changed = bus_xstrdup(card), *at = strstr(changed, "r.total > 0");

		memcpy(at, "r.total > 5", strlen("r.total > 5"));
		engine_view(t, "a", changed);
		free(changed);
	}
	engine_open(t, NULL);
	engine_settle(t);
	assert_true(gw_store_id(t->e) == id); /* cursors go on */
	engine_must(gw_changes(gw_reader_of(t->e), gw_view_find(t->e, "kartu"), NULL, before, 100,
			       count_entry, &n, &last, &err),
		    &err);
	assert_int_equal(n.n, 5);
	assert_int_equal(n.removed, 5);
	assert_int_equal(engine_differences(t), 0);
	engine_free(&t);
}

static void a_view_taken_away_leaves_nothing_behind(void **state)
{
	struct engine *t = start();
	struct bus_error err = { 0 };
	char path[200];
	int64_t n;

	(void)state;
	gw_core_close(&t->e);
	snprintf(path, sizeof(path), "%s/d.sql", t->views);
	assert_int_equal(unlink(path), 0);
	engine_open(t, NULL);
	engine_must(gw_db_int(t->e->db, -1, &n, &err,
			      "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%%seluruh%%'"),
		    &err);
	assert_int_equal(n, 0);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_history_ends_in_the_recomputed_views_and_exact_subscribers),
		cmocka_unit_test(only_real_differences_are_logged),
		cmocka_unit_test(a_changed_definition_publishes_the_rows_that_differ),
		cmocka_unit_test(a_view_taken_away_leaves_nothing_behind),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
