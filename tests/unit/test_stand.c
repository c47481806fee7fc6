/* A reader's snapshot that stands between calls: it is never an old one, and the writer's log does not grow by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/log.h"
#include "gateway/engine/reading.h"
#include "tests/support/engine_support.h"

#define COMMITS 150
#define READERS 2

static struct engine *start(void)
{
	struct engine *t = engine_new();

	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema(
		"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
		"\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\"}]}"));
	engine_view(t, "a",
		    "/*---\nname: a\nkey: id\nroutes: {uji_a: _key}\ncolumns:\n  id: {type: text, pdp: N}\n"
		    "  n: {type: int, pdp: N}\n---*/\nSELECT _key AS id, n FROM uji_a");
	engine_open(t, NULL);
	return t;
}

static void put(struct engine *t, int n)
{
	char json[64];

	snprintf(json, sizeof(json), "{\"id\":\"k\",\"n\":%d}", n);
	engine_put(t, 0, "k", json);
	engine_apply(t, 1, GW_LIVE);
}

static bool take_n(void *ctx, const struct gw_value *value, uint64_t hash)
{
	(void)hash;
	*(int64_t *)ctx = value[1].i;
	return true;
}

static int64_t read_n(struct gw_engine *e)
{
	struct bus_error err = { 0 };
	int64_t n = -1;

	engine_must(gw_get(gw_reader_of(e), gw_view_find(e, "a"), NULL, BUS_STR("k"), NULL, take_n, &n, &err),
		    &err);
	return n;
}

static void each_commit_is_seen_at_once(void **state)
{
	struct engine *t = start();

	(void)state;
	for (int i = 0; i < 50; i++) {
		put(t, i);
		assert_int_equal(read_n(t->e), i);
		assert_int_equal(read_n(t->e), i);
	}
	engine_free(&t);
}

static void nothing_committed_leaves_it_standing(void **state)
{
	struct engine *t = start();
	struct gw_reader *r = gw_reader_of(t->e);
	struct bus_error err = { 0 };
	int64_t ms;

	(void)state;
	put(t, 1);
	read_n(t->e);
	assert_true(r->stands && gw_db_in_transaction(r->db));
	engine_must(gw_seq_at(r, 0, &ms, &err),
		    &err); /* another kind of question has a transaction of its own */
	assert_false(gw_db_in_transaction(r->db));
	read_n(t->e);
	gw_stand_clear(t->e);
	assert_false(gw_db_in_transaction(r->db));
	read_n(t->e);
	assert_false(gw_db_in_transaction(r->db)); /* not while it is off */
	gw_stand_allow(t->e);
	read_n(t->e);
	assert_true(gw_db_in_transaction(r->db));
	engine_free(&t);
}

static int64_t log_size(const struct engine *t)
{
	char path[120];
	struct stat s;

	snprintf(path, sizeof(path), "%s-wal", t->db);
	assert_int_equal(stat(path, &s), 0);
	return s.st_size;
}

static void the_log_begins_anew_under_a_reader(void **state)
{
	struct engine *t = start();
	struct bus_error err = { 0 };
	int64_t left, settled = 0;

	(void)state;
	for (int i = 0; i < COMMITS; i++) {
		put(t, i);
		engine_must(gw_db_checkpoint(t->e->db, false, &left, &err), &err);
		read_n(t->e);
		if (i == 10)
			settled = log_size(t);
	}
	assert_true(log_size(t) <= 2 * settled);
	engine_free(&t);
}

struct shared {
	struct gw_engine *e;
	_Atomic int64_t committed;
	_Atomic bool stop;
};

static void *read_on(void *ctx)
{
	struct shared *s = ctx;
	intptr_t bad = 0;

	while (!atomic_load(&s->stop)) {
		int64_t least = atomic_load(&s->committed);

		bad += read_n(s->e) < least;
	}
	return (void *)bad;
}

static void no_reader_falls_behind(void **state)
{
	struct engine *t = start();
	struct shared s = { .e = t->e };
	pthread_t thread[READERS];
	void *bad;

	(void)state;
	put(t, 0);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_on, &s), 0);
	for (int i = 1; i < COMMITS; i++) {
		put(t, i);
		atomic_store(&s.committed, i);
	}
	atomic_store(&s.stop, true);
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(thread[i], &bad);
		assert_null(bad);
	}
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_commit_is_seen_at_once),
		cmocka_unit_test(nothing_committed_leaves_it_standing),
		cmocka_unit_test(the_log_begins_anew_under_a_reader),
		cmocka_unit_test(no_reader_falls_behind),
	};

	bus_log_setup(BUS_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
