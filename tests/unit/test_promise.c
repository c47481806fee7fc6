#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "gateway/serve/promise_impl.h"
#include "tests/support/engine_support.h"

#define T0 INT64_C(1735689600000) /* of the first record (tests/support/engine_support.h) */
#define HOUR INT64_C(3600000)

struct city {
	struct engine *t;
	struct gw_api api;
};

static const char a_schema[] =
    "{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"nik\",\"type\":[\"null\",\"string\"]}]}";
static const char file_schema[] =
    "{\"type\":\"record\",\"name\":\"B\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"umpan\",\"type\":\"string\"},"
    "{\"name\":\"status\",\"type\":\"string\"}]}";

static struct city start(void)
{
	struct city c = { .t = engine_new() };

	engine_topic(c.t, "pku.dinkes.kunjungan.v1", engine_schema(a_schema));
	engine_topic(c.t, "pku.dinsos.bansos.v1", engine_schema(a_schema));
	engine_topic(c.t, "pku.dinsos.berkas.v1", engine_schema(file_schema));
	engine_view(
	    c.t, "dasar",
	    "/*---\nname: dasar\nkey: id\nstore: full\ninternal: true\nroutes: {dinkes_kunjungan: _key}\n"
	    "columns: {id: {type: text, pdp: N}, nik: {type: text, pdp: N}}\n---*/\n"
	    "SELECT _key AS id, nik FROM dinkes_kunjungan");
	engine_view(
	    c.t, "janji",
	    "/*---\nname: janji\nkey: id\nroutes: {dasar: id, dinsos_bansos: _key}\n"
	    "freshness: {max_age: 1h, inputs: {dinsos_bansos: 2h}}\ncomplete: {rows: 3, nik: 0.5}\n"
	    "columns: {id: {type: text, pdp: N}, nik: {type: text, pdp: N}, b: {type: text, pdp: N}}\n---*/\n"
	    "SELECT d.id, d.nik, b._key AS b FROM dasar d LEFT JOIN dinsos_bansos b ON b._key = d.id");
	engine_open(c.t, NULL);
	c.api.engine = c.t->e;
	c.api.promises = gw_promises_new(c.t->e);
	return c;
}

static void end(struct city *c)
{
	gw_promises_free(&c->api.promises);
	engine_free(&c->t);
	bus_clock_fake(-1);
}

static void put(struct city *c, int topic, const char *id, const char *rest)
{
	char json[200];

	snprintf(json, sizeof(json), "{\"id\":\"%s\",%s}", id, rest);
	engine_put(c->t, topic, id, json);
	engine_apply(c->t, 10, GW_FORCE);
	gw_promises_look(c->api.promises);
}

static struct gw_fresh fresh(struct city *c, int64_t now)
{
	struct gw_fresh f;

	bus_clock_fake(now);
	gw_promise_fresh(&c->api, gw_view_find(c->t->e, "janji"), &f);
	return f;
}

static void a_feed_that_never_came_is_late(void **state)
{
	struct city c = start();
	struct gw_fresh f = fresh(&c, T0);

	(void)state;
	assert_int_equal(f.n, 2); /* through the view it reads; lists of files are no input */
	assert_true(f.any_late && f.late[0] && f.late[1]);
	assert_int_equal(f.age_s[0], -1);
	assert_int_equal(f.newest_ms, 0);
	end(&c);
}

static void each_feed_is_held_to_its_own_promise(void **state)
{
	struct city c = start();
	struct gw_fresh f;

	(void)state;
	put(&c, 0, "a", "\"nik\":null");
	put(&c, 1, "a", "\"nik\":null");
	f = fresh(&c, T0 + HOUR);
	assert_false(f.any_late);
	assert_int_equal(f.newest_ms, T0);
	assert_string_equal(f.input[f.worst].table, "dinkes_kunjungan");
	f = fresh(&c, T0 + HOUR + 1000);
	assert_true(f.any_late);
	for (size_t i = 0; i < f.n; i++)
		assert_int_equal(f.late[i], strcmp(f.input[i].table, "dinkes_kunjungan") == 0);
	f = fresh(&c, T0 + 2 * HOUR + 1000);
	assert_true(f.late[0] && f.late[1]);
	assert_string_equal(f.input[f.worst].table, "dinkes_kunjungan");
	end(&c);
}

static void a_file_with_nothing_new_is_a_sign_of_life(void **state)
{
	struct city c = start();
	struct gw_fresh f;

	(void)state;
	put(&c, 0, "a", "\"nik\":null");
	put(&c, 1, "a", "\"nik\":null");
	c.t->topic[0].offset = 3 * HOUR; /* the record's time follows its offset */
	put(&c, 0, "a", "\"nik\":\"1\"");
	f = fresh(&c, T0 + 3 * HOUR);
	assert_true(f.any_late);
	c.t->topic[2].offset = 2 * HOUR;
	put(&c, 2, "x", "\"umpan\":\"bansos\",\"status\":\"DIPROSES\"");
	assert_true(fresh(&c, T0 + 3 * HOUR).any_late); /* not read to its end */
	put(&c, 2, "x", "\"umpan\":\"bansos\",\"status\":\"SELESAI\"");
	f = fresh(&c, T0 + 3 * HOUR);
	assert_false(f.any_late);
	assert_int_equal(f.newest_ms, T0 + 3 * HOUR); /* of records that the view reads */
	end(&c);
}

static void what_is_missing_is_counted(void **state)
{
	struct city c = start();
	const struct gw_view *v = gw_view_find(c.t->e, "janji");
	struct gw_counted n;

	(void)state;
	assert_false(gw_promise_counted(&c.api, v, &n));
	put(&c, 0, "a", "\"nik\":null");
	assert_true(gw_promise_counted(&c.api, v, &n));
	assert_int_equal(n.rows, 1);
	assert_false(gw_promise_whole(v, &n)); /* three are promised */
	put(&c, 0, "b", "\"nik\":\"\"");
	put(&c, 0, "c", "\"nik\":\"9\"");
	put(&c, 0, "d", "\"nik\":null");
	do /* counting rests between rounds */
		gw_promises_look(c.api.promises);
	while (gw_promise_counted(&c.api, v, &n) && n.rows < 4);
	assert_int_equal(n.said[gw_view_column(v, "nik")], 1); /* neither null nor empty */
	assert_false(gw_promise_whole(v, &n));
	put(&c, 0, "d", "\"nik\":\"8\"");
	do
		gw_promises_look(c.api.promises);
	while (gw_promise_counted(&c.api, v, &n) && n.said[gw_view_column(v, "nik")] < 2);
	assert_true(gw_promise_whole(v, &n)); /* half of four */
	assert_int_equal(n.seq, gw_newest(c.t->e, v));
	end(&c);
}

static void refused(const char *line, const char *why)
{
	struct bus_error err = { 0 };
	struct gw_def *d = NULL;
	char text[400];

	snprintf(text, sizeof(text),
		 "/*---\nname: v\nkey: k\nroutes: {uji_a: _key}\n%s\ncolumns: {k: {type: text, pdp: N}}\n"
		 "---*/\nSELECT _key AS k FROM uji_a",
		 line);
	assert_int_equal(gw_view_parse("v.sql", text, strlen(text), &d, &err), BUS_EPARSE);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in '%s'", why, err.text);
}

static void promises_that_cannot_be_kept_are_refused(void **state)
{
	(void)state;
	refused("complete: {}", "wants {rows");
	refused("complete: {rows: 0}", "rows");
	refused("complete: {kk: 0.5}", "did you mean 'k'");
	refused("complete: {k: 0}", "above 0");
	refused("complete: {k: 1.01}", "at most 1");
	refused("complete: {k: nan}", "at most 1");
	refused("freshness: {max_age: 1h, inputs: {uji_a: 5}}", "uji_a '5'");
	refused("freshness: {max_age: 1h, inputs: [a]}", "wants {table: age}");
	refused("dated: true\ncomplete: {rows: 1}", "depends on the day");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_feed_that_never_came_is_late),
		cmocka_unit_test(each_feed_is_held_to_its_own_promise),
		cmocka_unit_test(a_file_with_nothing_new_is_a_sign_of_life),
		cmocka_unit_test(what_is_missing_is_counted),
		cmocka_unit_test(promises_that_cannot_be_kept_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
