/* Views as they were: beside an engine that has read no further. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "gateway/engine/history.h"
#include "gateway/engine/past.h"
#include "tests/support/engine_support.h"

#define T0                                                                                                   \
	INT64_C(                                                                                             \
	    1735689600000) /* of offset 0; each record is a millisecond later (tests/support/engine_support.h) */

enum { ORANG, BANTUAN, PERISTIWA };

#define RECORD(kind, key, more)                                                                              \
	"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"" kind "\",\"x_kunci\":\"" key "\",\"fields\":["  \
	"{\"name\":\"id\",\"type\":\"string\"}" more "]}"
#define FIELD(n) ",{\"name\":\"" n "\",\"type\":\"string\"}"

static void views(struct engine *t, const char *history)
{
	char text[1500];

	engine_topic(t, "pku.uji.orang.v1",
		     engine_schema(RECORD("register", "id", FIELD("nama") FIELD("kel"))));
	engine_topic(t, "pku.uji.bantuan.v1",
		     engine_schema(RECORD("register", "id", FIELD("orang") FIELD("program"))));
	engine_topic(t, "pku.uji.mati.v1", engine_schema(RECORD("peristiwa", "id", FIELD("orang"))));
	engine_view(
	    t, "dasar",
	    "/*---\nname: dasar\nkey: id\nstore: full\ninternal: true\n"
	    "routes: {uji_orang: _key, uji_mati: orang}\nindexes: [{table: uji_mati, columns: [orang]}]\n"
	    "columns: {id: {type: text, pdp: N}, nama: {type: text, pdp: N}, kel: {type: text, pdp: N},"
	    " mati: {type: bool, pdp: N}}\n---*/\n"
	    "SELECT o._key AS id, o.nama, o.kel, EXISTS (SELECT 1 FROM uji_mati m WHERE m.orang = o._key) AS "
	    "mati\n"
	    "FROM uji_orang o");
	snprintf(text, sizeof(text),
		 "/*---\nname: atas\nkey: id\n%sroutes: {dasar: id, uji_bantuan: orang}\n"
		 "indexes: [{table: uji_bantuan, columns: [orang, program]}]\n"
		 "columns: {id: {type: text, pdp: N}, nama: {type: text, pdp: N}, mati: {type: bool, pdp: N},"
		 " program: {type: text, pdp: N}}\n---*/\n"
		 "SELECT d.id, d.nama, d.mati, (SELECT group_concat(program, ' ') FROM (SELECT b.program "
		 "FROM uji_bantuan b\n"
		 "  WHERE b.orang = d.id ORDER BY b.program)) AS program FROM dasar d WHERE d.nama <> ''",
		 history);
	engine_view(t, "atas", text);
	snprintf(text, sizeof(text),
		 "/*---\nname: kel\nkey: kel\nstore: full\npace: group\n%sroutes: {dasar: kel}\n"
		 "indexes: [{table: dasar, columns: [kel]}]\n"
		 "columns: {kel: {type: text, pdp: N}, n: {type: int, pdp: N}}\n---*/\n"
		 "SELECT d.kel, count(*) AS n FROM dasar d GROUP BY d.kel",
		 history);
	engine_view(t, "kel", text);
	engine_view(t, "lain",
		    "/*---\nname: lain\nkey: id\nroutes: {uji_orang: _key}\ncolumns: {id: {type: text, pdp: "
		    "N}}\n---*/\n"
		    "SELECT _key AS id FROM uji_orang");
	engine_open(t, NULL);
}

static bool put_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct bus_buf *b = ctx;

	bus_buf_printf(b, "%.*s %llx\n", (int)value[0].s.n, value[0].s.p, (unsigned long long)hash);
	return true;
}

static struct bus_str put_hashes(struct engine *t, struct gw_reader *r, const char *view, struct bus_buf *b)
{
	struct gw_query q = { .view = gw_view_find(t->e, view), .limit = 10000 };
	struct bus_error err = { 0 };

	bus_buf_reset(b);
	engine_must(gw_page(r, &q, put_row, b, &err), &err);
	return bus_buf_str(b);
}

static struct gw_reader *at(struct engine *t, const char *view, int64_t ms)
{
	struct bus_error err = { 0 };
	struct gw_reader *past;
	int64_t known;

	engine_must(gw_reader_past(gw_reader_of(t->e), gw_view_find(t->e, view), ms, &past, &known, &err),
		    &err);
	return past;
}

struct step { /* one record of a random log */
	int topic;
	char key[8], json[120];
	bool gone;
	int64_t at; /* its offset in engines: its time */
};

static uint32_t seed;

static uint32_t chance(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static struct step step(int i)
{
	struct step s = { .topic = (int)chance(8) };

	s.topic = s.topic < 4 ? ORANG : s.topic < 7 ? BANTUAN : PERISTIWA;
	/* Mostly in order, at times earlier than records before it. */
	s.at = 10 * i - (chance(5) == 0 ? (int64_t)chance(200) : 0);
	s.at = s.at < 0 ? 0 : s.at;
	snprintf(s.key, sizeof(s.key), "%c%u", "obm"[s.topic],
		 s.topic == PERISTIWA ? (unsigned)i : chance(12));
	s.gone = s.topic != PERISTIWA && chance(6) == 0;
	if (s.topic == ORANG)
		snprintf(s.json, sizeof(s.json), "{\"id\":\"%s\",\"nama\":\"%s%u\",\"kel\":\"k%u\"}", s.key,
			 chance(7) ? "N" : "", chance(4), chance(3));
	else if (s.topic == BANTUAN)
		snprintf(s.json, sizeof(s.json), "{\"id\":\"%s\",\"orang\":\"o%u\",\"program\":\"P%u\"}",
			 s.key, chance(12), chance(4));
	else
		snprintf(s.json, sizeof(s.json), "{\"id\":\"%s\",\"orang\":\"o%u\"}", s.key, chance(12));
	return s;
}

static void send(struct engine *t, const struct step *s)
{
	struct engine_record *r = engine_put(t, s->topic, s->key, s->gone ? NULL : s->json);

	(void)r;
}

/* The harness gives a record the time of its offset; here time and offset are told apart. */
static void apply(struct engine *t, const struct step *s, size_t n)
{
	struct bus_record *rec = bus_xcalloc(n + 1, sizeof(*rec));
	struct bus_error err = { 0 };
	bool pending;

	for (size_t i = 0; i < n; i++)
		send(t, &s[i]);
	for (size_t i = 0; i < n; i++) {
		struct engine_record *r = &t->record[i];

		rec[i] = (struct bus_record){ .topic = t->topic[r->topic].name,
					      .offset = r->offset,
					      .timestamp_ms = T0 + s[i].at,
					      .key = { r->key, r->n_key },
					      .value = { r->value, r->n_value },
					      .tombstone = !r->value,
					      .slot = gw_core_part(t->e, t->topic[r->topic].name, 0) };
	}
	engine_must(gw_apply(t->e, rec, n, &err), &err);
	engine_must(gw_settle(t->e, GW_LIVE, NULL, &pending, &err), &err);
	engine_must(gw_commit(t->e, &err), &err);
	engine_drop_waiting(t);
	free(rec);
}

/* Of a log in which times are not quite in order, at many moments: the same rows as an engine has that was given the
 * records of up to that moment only. */
static void a_moment_is_what_its_records_say(void **state)
{
	enum { STEPS = 400 };
	struct step *all = bus_xcalloc(STEPS, sizeof(*all)), *some = bus_xcalloc(STEPS, sizeof(*some));
	static const char *const view[] = { "atas", "kel" };
	struct bus_buf a = { 0 }, b = { 0 };

	(void)state;
	for (seed = 1; seed <= 3; seed++) {
		uint32_t first = seed;
		struct engine *t = engine_new(), *u;

		views(t, "history: true\n");
		for (int i = 0; i < STEPS; i++)
			all[i] = step(i);
		for (int i = 0; i < STEPS;) {
			int n = 1 + (int)chance(20);

			n = n > STEPS - i ? STEPS - i : n;
			apply(t, &all[i], (size_t)n);
			i += n;
		}
		engine_settle(t);
		assert_int_equal(engine_differences(t), 0);
		for (int64_t ms = 0; ms < 10 * STEPS + 300; ms += 333) {
			size_t n = 0;

			for (int i = 0; i < STEPS; i++) {
				if (all[i].at <= ms)
					some[n++] = all[i];
			}
			u = engine_new();
			views(u, "");
			memcpy(&u->e->secret, &t->e->secret,
			       sizeof(u->e->secret)); /* hashes that can be compared */
			apply(u, some, n);
			engine_settle(u);
			for (size_t k = 0; k < 2; k++) {
				bus_buf_reset(&a);
				bus_buf_reset(&b);
				assert_true(bus_str_eq(put_hashes(t, at(t, view[k], T0 + ms), view[k], &a),
						       put_hashes(u, gw_reader_of(u->e), view[k], &b)));
			}
			engine_free(&u);
		}
		engine_free(&t);
		seed = first;
	}
	bus_buf_release(&a);
	bus_buf_release(&b);
	free(all);
	free(some);
}

static void simple(struct engine *t, int topic, const char *key, const char *json, int64_t ms)
{
	struct step s = { .topic = topic, .at = ms, .gone = !json };

	snprintf(s.key, sizeof(s.key), "%s", key);
	snprintf(s.json, sizeof(s.json), "%s", json ? json : "");
	apply(t, &s, 1);
}

static enum bus_err try_at(struct engine *t, const char *view, int64_t ms, int64_t *known)
{
	struct bus_error err = { 0 };
	struct gw_reader *past;

	return gw_reader_past(gw_reader_of(t->e), gw_view_find(t->e, view), T0 + ms, &past, known, &err);
}

static void what_was_not_known_is_not_told(void **state)
{
	struct engine *t = engine_new();
	int64_t known;

	(void)state;
	views(t, "");
	simple(t, ORANG, "o1", "{\"id\":\"o1\",\"nama\":\"A\",\"kel\":\"k\"}", 100);
	assert_int_equal(try_at(t, "atas", 100, &known), BUS_ENOENT);
	/* Declared now: what was before cannot be told any more. */
	gw_core_close(&t->e);
	{
		const char *const history = "history: true\n";
		struct engine *other = engine_new();

		views(other, history);
		snprintf(t->views, sizeof(t->views), "%s", other->views);
		engine_open(t, NULL);
		simple(t, ORANG, "o2", "{\"id\":\"o2\",\"nama\":\"B\",\"kel\":\"k\"}", 200);
		assert_int_equal(try_at(t, "atas", 99, &known), BUS_ECONFLICT);
		assert_int_equal(known, T0 + 100);
		assert_int_equal(try_at(t, "atas", 100, &known), BUS_OK);
		engine_free(&other);
	}
	engine_free(&t);
}

static void a_gap_in_the_log_hides_what_was_before_its_end(void **state)
{
	struct engine *t = engine_new();
	int64_t known;

	(void)state;
	views(t, "history: true\n");
	simple(t, ORANG, "o1", "{\"id\":\"o1\",\"nama\":\"A\",\"kel\":\"k\"}", 100);
	assert_int_equal(try_at(t, "atas", 0, &known), BUS_OK);
	t->topic[ORANG].offset += 3; /* compacted away */
	t->e->part[gw_core_part(t->e, "pku.uji.orang.v1", 0)].end = 6;
	simple(t, ORANG, "o2", "{\"id\":\"o2\",\"nama\":\"B\",\"kel\":\"k\"}", 200);
	simple(t, ORANG, "o3", "{\"id\":\"o3\",\"nama\":\"C\",\"kel\":\"k\"}", 300);
	simple(t, ORANG, "o4", "{\"id\":\"o4\",\"nama\":\"D\",\"kel\":\"k\"}",
	       400); /* beyond the end as it was */
	assert_int_equal(try_at(t, "atas", 299, &known), BUS_ECONFLICT);
	assert_int_equal(known, T0 + 300);
	assert_int_equal(try_at(t, "atas", 300, &known), BUS_OK);
	engine_free(&t);
}

static void erased_is_erased_from_the_past_too(void **state)
{
	struct engine *t = engine_new();
	struct bus_header erase = { BUS_STR("titian_erase"), BUS_STR("1") };
	struct bus_record rec;
	struct bus_buf b = { 0 };
	struct bus_error err = { 0 };

	(void)state;
	views(t, "history: true\n");
	simple(t, ORANG, "o1", "{\"id\":\"o1\",\"nama\":\"A\",\"kel\":\"k\"}", 100);
	simple(t, ORANG, "o2", "{\"id\":\"o2\",\"nama\":\"B\",\"kel\":\"k\"}", 150);
	simple(t, ORANG, "o1", "{\"id\":\"o1\",\"nama\":\"AA\",\"kel\":\"k\"}", 200);
	simple(t, ORANG, "o2", NULL, 250); /* gone, and its past stays */
	rec = (struct bus_record){ .topic = "pku.uji.orang.v1",
				   .offset = t->topic[ORANG].offset++,
				   .timestamp_ms = T0 + 300,
				   .key = BUS_STR("o1"),
				   .tombstone = true,
				   .header = &erase,
				   .n_headers = 1,
				   .slot = gw_core_part(t->e, "pku.uji.orang.v1", 0) };
	engine_must(gw_apply(t->e, &rec, 1, &err), &err);
	engine_settle(t);
	put_hashes(t, at(t, "atas", T0 + 220), "atas", &b);
	assert_true(strncmp(bus_buf_cstr(&b), "o2 ", 3) == 0 && strchr(b.p, '\n') == b.p + b.n - 1);
	engine_must(gw_begin(t->e, &err), &err);
	engine_must(gw_history_forget(t->e, "uji_orang", BUS_STR("o2"), &err), &err);
	engine_must(gw_commit(t->e, &err), &err);
	put_hashes(t, at(t, "atas", T0 + 220), "atas", &b);
	assert_int_equal(b.n, 0);
	bus_buf_release(&b);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_is_what_its_records_say),
		cmocka_unit_test(what_was_not_known_is_not_told),
		cmocka_unit_test(a_gap_in_the_log_hides_what_was_before_its_end),
		cmocka_unit_test(erased_is_erased_from_the_past_too),
	};

	bus_log_setup(BUS_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
