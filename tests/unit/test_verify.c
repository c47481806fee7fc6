/* Stored rows that are not what their SELECT gives are found: all at once on demand, and by and by without being asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "gateway/engine/sample.h"
#include "tests/support/engine_support.h"

static const char thin[] =
    "/*---\nname: tipis\nkey: k\nroutes: {uji_a: _key}\ncolumns:\n  k: {type: text, pdp: N}\n"
    "  x: {type: int, pdp: N}\n---*/\nSELECT _key AS k, x FROM uji_a\n";
static const char full[] =
    "/*---\nname: penuh\nkey: k\nstore: full\nroutes: {uji_a: _key}\ncolumns:\n  k: {type: text, pdp: N}\n"
    "  x: {type: int, pdp: N}\n---*/\nSELECT _key AS k, x FROM uji_a WHERE x > 2\n";

static struct engine *start(int rows)
{
	struct engine *t = engine_new();
	char key[16], json[64];

	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema(
		"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
		"\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"x\",\"type\":\"int\"}]}"));
	engine_view(t, "tipis", thin);
	engine_view(t, "penuh", full);
	engine_open(t, NULL);
	for (int i = 0; i < rows; i++) {
		snprintf(key, sizeof(key), "a%04d", i);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"x\":%d}", key, i % 10);
		engine_put(t, 0, key, json);
	}
	engine_apply(t, 1000, GW_FORCE);
	return t;
}

static void sql(struct engine *t, const char *text)
{
	struct bus_error err = { 0 };

	engine_must(gw_db_exec(t->e->db, &err, "%s", text), &err);
}

static double counted(const char *metric, const char *view)
{
	char label[64];

	snprintf(label, sizeof(label), "view=\"%s\"", view);
	return bus_metric_get(bus_metric(metric, "counter", "", label));
}

static void on_demand_every_kind_of_difference_is_counted(void **state)
{
	struct engine *t = start(100);
	const struct gw_view *v = gw_view_find(t->e, "tipis");
	struct gw_verdict d;
	struct bus_error err = { 0 };

	(void)state;
	engine_must(gw_verify_view(t->e, v, NULL, NULL, &d, &err), &err);
	assert_int_equal(d.keys, 100);
	assert_int_equal(d.differing + d.waiting + d.waits, 0);
	sql(t, "UPDATE _view_tipis SET hash = hash + 1 WHERE key = 'a0007'");
	sql(t, "DELETE FROM _view_tipis WHERE key IN ('a0000', 'a0099')");
	sql(t, "INSERT INTO _view_tipis(key, hash, seq) VALUES('b', 1, 1)");
	engine_must(gw_verify_view(t->e, v, NULL, NULL, &d, &err), &err);
	assert_int_equal(d.keys, 101);
	assert_int_equal(d.differing, 4);
	sql(t, "UPDATE penuh SET x = 3 WHERE k = 'a0004'");
	engine_must(gw_verify_view(t->e, gw_view_find(t->e, "penuh"), NULL, NULL, &d, &err), &err);
	assert_int_equal(d.differing, 1);
	engine_free(&t);
}

static void what_waits_for_evaluation_is_no_difference(void **state)
{
	struct engine *t = start(100);
	const struct gw_view *v = gw_view_find(t->e, "tipis");
	struct gw_verdict d;
	struct bus_error err = { 0 };

	(void)state;
	engine_put(t, 0, "a0001", "{\"id\":\"a0001\",\"x\":77}");
	engine_put(t, 0, "a0200", "{\"id\":\"a0200\",\"x\":1}");
	engine_put(t, 0, "a0002", NULL);
	engine_apply(t, 10, GW_BACKLOG); /* committed, and put off */
	engine_must(gw_verify_view(t->e, v, NULL, NULL, &d, &err), &err);
	assert_int_equal(d.differing, 0);
	assert_int_equal(d.waiting, 3);
	t->e->view[1]->all = true;
	engine_must(gw_begin(t->e, &err), &err);
	engine_must(gw_commit(t->e, &err), &err);
	engine_must(gw_verify_view(t->e, v, NULL, NULL, &d, &err), &err);
	assert_true(d.waits);
	engine_settle(t);
	engine_must(gw_verify_view(t->e, v, NULL, NULL, &d, &err), &err);
	assert_int_equal(d.differing + d.waiting + d.waits, 0);
	assert_int_equal(d.keys, 100);
	engine_free(&t);
}

static bool at_most(void *ctx, const struct gw_verdict *so_far)
{
	++*(int *)ctx;
	return so_far->keys < 5000;
}

static void its_progress_is_told_and_it_can_be_stopped(void **state)
{
	struct engine *t = start(9000);
	struct gw_verdict d;
	struct bus_error err = { 0 };
	int told = 0;

	(void)state;
	assert_int_equal(gw_verify_view(t->e, gw_view_find(t->e, "tipis"), at_most, &told, &d, &err),
			 BUS_ESTOPPED);
	assert_int_equal(told, 2);
	assert_int_equal(d.keys, 8192);
	engine_free(&t);
}

/* As the materialiser does while nothing comes, until every view has had its turn. */
static void sample(struct engine *t, struct gw_sample *s, double keys)
{
	double end = counted("titian_view_verify_keys_total", "tipis") + keys;

	for (int i = 0; i < 10000 && counted("titian_view_verify_keys_total", "tipis") < end; i++) {
		gw_sample_step(t->e, s, 20);
		engine_settle(t);
	}
}

static void by_and_by_every_difference_is_found_counted_and_mended(void **state)
{
	struct engine *t = start(300);
	struct gw_sample s = { 0 };
	double before = counted("titian_view_verify_differences_total", "tipis");
	struct gw_verdict d;
	struct bus_error err = { 0 };

	(void)state;
	sample(t, &s, 600);
	assert_true(counted("titian_view_verify_differences_total", "tipis") == before);
	sql(t, "UPDATE _view_tipis SET hash = hash + 1 WHERE key = 'a0123'");
	sql(t, "DELETE FROM _view_tipis WHERE key IN ('a0000', 'a0299')");
	sql(t, "INSERT INTO _view_tipis(key, hash, seq) VALUES('b', 1, 1)");
	sample(t, &s, 700);
	assert_true(counted("titian_view_verify_differences_total", "tipis") == before + 4);
	engine_must(gw_verify_view(t->e, gw_view_find(t->e, "tipis"), NULL, NULL, &d, &err), &err);
	assert_int_equal(d.differing, 0);
	assert_int_equal(d.keys, 300);
	gw_sample_release(&s);
	engine_free(&t);
}

/* Without an order to go by a range costs the whole view; the stored keys are looked at one by one. */
static void a_view_without_an_order_is_looked_at_key_by_key(void **state)
{
	struct engine *t = start(50);
	struct gw_sample s = { .by_key = true };
	double before = counted("titian_view_verify_differences_total", "tipis");

	(void)state;
	sql(t, "UPDATE _view_tipis SET hash = hash + 1 WHERE key = 'a0033'");
	strcpy(s.view, "tipis");
	for (int i = 0; i < 3; i++)
		gw_sample_step(t->e, &s, 20);
	assert_true(counted("titian_view_verify_differences_total", "tipis") == before + 1);
	engine_settle(t);
	assert_int_equal(engine_differences(t), 0);
	gw_sample_release(&s);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_demand_every_kind_of_difference_is_counted),
		cmocka_unit_test(what_waits_for_evaluation_is_no_difference),
		cmocka_unit_test(its_progress_is_told_and_it_can_be_stopped),
		cmocka_unit_test(by_and_by_every_difference_is_found_counted_and_mended),
		cmocka_unit_test(a_view_without_an_order_is_looked_at_key_by_key),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
