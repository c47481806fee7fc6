#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "tests/support/engine_support.h"

#define COLUMNS                                                                                              \
	"columns:\n  id: {type: text, pdp: N}\n  teks: {type: text, pdp: N}\n  n: {type: int, pdp: N}\n"     \
	"  x: {type: real, pdp: N}\n  ya: {type: bool, pdp: N}\n  j: {type: json, pdp: N}\n---*/\n"
#define SELECT "SELECT _key AS id, teks, n, x, ya, j FROM uji_a"

/* The same rows thrice: evaluated on reading, stored, and of a day. */
static struct engine *start(int rows)
{
	struct engine *t = engine_new();
	char key[16], json[200], teks[40];

	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema(
		"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
		"{\"name\":\"id\",\"type\":\"string\"},"
		"{\"name\":\"teks\",\"type\":[\"null\",\"string\"]},{\"name\":\"n\",\"type\":[\"null\","
		"\"long\"]},"
		"{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"ya\",\"type\":\"boolean\"},"
		"{\"name\":\"j\",\"type\":{\"type\":\"array\",\"items\":\"int\"}}]}"));
	engine_view(t, "thin", "/*---\nname: thin\nkey: id\nroutes: {uji_a: _key}\n" COLUMNS SELECT);
	engine_view(t, "full",
		    "/*---\nname: full\nkey: id\nstore: full\nroutes: {uji_a: _key}\n" COLUMNS SELECT);
	engine_view(t, "dated",
		    "/*---\nname: dated\nkey: id\ndated: true\nroutes: {uji_a: _key}\n" COLUMNS SELECT
		    " WHERE :per_tanggal IS NULL OR teks <= :per_tanggal");
	engine_open(t, NULL);
	for (int i = 0; i < rows; i++) {
		snprintf(key, sizeof(key), "k%05d", i);
		snprintf(teks, sizeof(teks), i % 5 ? "\"2025-%02d-01\"" : "null", i % 12 + 1);
		snprintf(json, sizeof(json),
			 "{\"id\":\"%s\",\"teks\":%s,\"n\":%d,\"x\":%d.5,\"ya\":%s,\"j\":[%d,2]}", key, teks,
			 i, i, i % 2 ? "true" : "false", i);
		engine_put(t, 0, key, json);
	}
	engine_apply(t, 5000, GW_FORCE);
	return t;
}

struct seen {
	int n, stop_at;
	char last[32], first[32];
	uint64_t hash;
	struct gw_value value[6];
};

static bool see(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct seen *s = ctx;

	snprintf(s->last, sizeof(s->last), "%.*s", (int)value[0].s.n, value[0].s.p);
	if (s->n++ == 0)
		memcpy(s->first, s->last, sizeof(s->first));
	s->hash = hash;
	memcpy(s->value, value, sizeof(s->value));
	return s->n != s->stop_at;
}

#define F(c, o, v, k)                                                                                        \
	{                                                                                                    \
		.column = (c), .op = (o), .value = (v), .n = (k)                                             \
	}

static const char *const views[] = { "thin", "full", "dated" };

static struct seen page(struct engine *t, const char *view, const struct gw_filter *f, size_t n,
			const char *after, int limit)
{
	struct gw_query q = { .view = gw_view_find(t->e, view),
			      .date = "2099-01-01",
			      .filter = f,
			      .n_filters = n,
			      .after = bus_str(after),
			      .limit = limit };
	struct bus_error err = { 0 };
	struct seen s = { 0 };

	engine_must(gw_page(gw_reader_of(t->e), &q, see, &s, &err), &err);
	return s;
}

static void pages_follow_each_other_without_overlap_or_hole(void **state)
{
	struct engine *t = start(3000);
	struct seen s;

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		char after[32] = "";
		int total = 0, pages = 0;

		do {
			s = page(t, views[v], NULL, 0, after, 700);
			if (s.n)
				assert_true(strcmp(s.first, after) > 0);
			memcpy(after, s.last, sizeof(after));
			total += s.n;
			pages++;
		} while (s.n == 700);
		assert_int_equal(total, 3000);
		assert_int_equal(pages, 5);
	}
	assert_int_equal(page(t, "dated", NULL, 0, "", 10000).n, 2400); /* rows without teks are of no day */
	engine_free(&t);
}

static void values_have_the_declared_types(void **state)
{
	struct engine *t = start(10);
	struct bus_error err = { 0 };
	struct seen s = { 0 };

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		engine_must(gw_get(gw_reader_of(t->e), gw_view_find(t->e, views[v]), NULL, BUS_STR("k00005"), NULL,
				   see, &s, &err),
			    &err);
		/* Borrowed until the statement moves on: only what is not text is looked at. */
		assert_int_equal(s.value[1].type, GW_NULL);
		assert_int_equal(s.value[2].type, GW_INT);
		assert_int_equal(s.value[2].i, 5);
		assert_int_equal(s.value[3].type, GW_REAL);
		assert_true(s.value[3].r == 5.5);
		assert_int_equal(s.value[4].type, GW_BOOL);
		assert_int_equal(s.value[4].i, 1);
		assert_int_equal(s.value[5].type, GW_JSON);
	}
	assert_int_equal(
	    gw_get(gw_reader_of(t->e), gw_view_find(t->e, "thin"), NULL, BUS_STR("nobody"), NULL, see, &s, &err),
	    BUS_ENOENT);
	engine_free(&t);
}

static void every_operator_filters_in_every_kind_of_view(void **state)
{
	static const char *const ten[] = { "10" }, *const three[] = { "10", "20", "999999" },
				 *const yes[] = { "true" }, *const like[] = { "2025-1*-01" },
				 *const half[] = { "10.5" }, *const small[] = { "K0000_" },
				 *const one[] = { "_00001" }, *const twelve[] = { "12" };
	static const struct gw_filter either[] = { F(2, GW_LT, ten, 1), F(4, GW_IS_TRUE, NULL, 0) },
				      low[] = { F(2, GW_GTE, ten, 1), F(2, GW_LT, twelve, 1) };
	static const struct {
		struct gw_filter f;
		int want;
	} check[] = {
		{ F(2, GW_EQ, ten, 1), 1 },
		{ F(2, GW_NEQ, ten, 1), 99 },
		{ F(2, GW_LT, ten, 1), 10 },
		{ F(2, GW_LTE, ten, 1), 11 },
		{ F(2, GW_GT, ten, 1), 89 },
		{ F(2, GW_GTE, ten, 1), 90 },
		{ F(2, GW_IN, three, 3), 2 },
		{ F(1, GW_IS_NULL, NULL, 0), 20 },
		{ F(1, GW_NOT_NULL, NULL, 0), 80 },
		{ F(4, GW_EQ, yes, 1), 50 },
		{ F(3, GW_EQ, half, 1), 1 },
		{ F(1, GW_LIKE, like, 1), 19 },
		{ F(0, GW_LIKE, small, 1), 0 },
		{ F(0, GW_ILIKE, small, 1), 10 },
		{ F(0, GW_LIKE, one, 1), 1 },
		{ F(4, GW_IS_FALSE, NULL, 0), 50 },
		{ { .op = GW_OR, .part = either, .n = 2 }, 55 },
		{ { .op = GW_AND, .part = low, .n = 2 }, 2 },
		{ { .op = GW_OR, .part = either, .n = 2, .negated = true }, 45 },
		/* 20 rows have no text: neither like it nor unlike it */
		{ { .column = 1, .op = GW_LIKE, .value = like, .n = 1, .negated = true }, 61 },
		{ F(0, GW_LIKE, small, 1), 0 },
		{ F(0, GW_ILIKE, small, 1), 10 },
		{ F(0, GW_LIKE, one, 1), 1 },
		{ F(4, GW_IS_FALSE, NULL, 0), 50 },
		{ { .op = GW_OR, .part = either, .n = 2 }, 55 },
		{ { .op = GW_AND, .part = low, .n = 2 }, 2 },
		{ { .op = GW_OR, .part = either, .n = 2, .negated = true }, 45 },
		/* 20 rows have no text: neither like it nor unlike it */
		{ { .column = 1, .op = GW_LIKE, .value = like, .n = 1, .negated = true }, 61 },
	};
	struct engine *t = start(100);

	(void)state;
	for (size_t i = 0; i < BUS_LEN(check); i++) {
		for (size_t v = 0; v < 2; v++) {
			struct seen s = page(t, views[v], &check[i].f, 1, "", 1000);
			struct gw_query q = { .view = gw_view_find(t->e, views[v]),
					      .filter = &check[i].f,
					      .n_filters = 1 };
			struct bus_error err = { 0 };
			int64_t n;

			if (s.n != check[i].want)
				fail_msg("filter %zu on %s: %d, not %d", i, views[v], s.n, check[i].want);
			engine_must(gw_count(gw_reader_of(t->e), &q, &n, &err), &err);
			assert_int_equal(n, check[i].want);
		}
	}
	engine_free(&t);
}

static void several_filters_must_all_hold_and_two_patterns_do_not_mix(void **state)
{
	static const char *const a[] = { "2025-*" }, *const b[] = { "*-03-01" },
				 *const percent[] = { "*\\%*" };
	const struct gw_filter both[] = { F(1, GW_LIKE, a, 1), F(1, GW_LIKE, b, 1) };
	const struct gw_filter literal = F(1, GW_LIKE, percent, 1);
	struct engine *t = start(100);

	(void)state;
	/* i % 12 == 2 and i % 5 != 0: 2, 14, 26, 38, (50), 62, 74, 86, 98 */
	assert_int_equal(page(t, "thin", both, 2, "", 1000).n, 8);
	assert_int_equal(page(t, "full", both, 2, "", 1000).n, 8);
	assert_int_equal(page(t, "full", &literal, 1, "", 1000).n, 0);
	engine_free(&t);
}

static void values_that_do_not_fit_and_days_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "ten" };
	const struct gw_filter number = F(2, GW_EQ, bad, 1), real = F(3, GW_EQ, bad, 1),
			       boolean = F(4, GW_EQ, bad, 1), pattern = F(2, GW_LIKE, bad, 1);
	const struct gw_filter *const all[] = { &number, &real, &boolean, &pattern };
	static const char *const days[] = { NULL,	 "",	       "2025-02-30",
					    "2025-1-1",	 "31-12-2025", "2025-12-31x",
					    "+025-12-31" };
	struct engine *t = start(3);
	struct bus_error err = { 0 };
	struct seen s = { 0 };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(all); i++) {
		struct gw_query q = {
			.view = gw_view_find(t->e, "thin"), .filter = all[i], .n_filters = 1, .limit = 1
		};

		assert_int_equal(gw_page(gw_reader_of(t->e), &q, see, &s, &err), BUS_EINVAL);
		assert_null(strstr(err.text, "ten"));
	}
	for (size_t i = 0; i < BUS_LEN(days); i++) {
		struct gw_query q = { .view = gw_view_find(t->e, "dated"), .date = days[i], .limit = 1 };

		assert_int_equal(gw_page(gw_reader_of(t->e), &q, see, &s, &err), BUS_EINVAL);
	}
	engine_free(&t);
}

static void a_reader_may_stop_and_a_row_s_hash_changes_with_it(void **state)
{
	struct engine *t = start(10);
	struct gw_query q = { .view = gw_view_find(t->e, "thin"), .limit = 10 };
	struct bus_error err = { 0 };
	struct seen s = { .stop_at = 3 }, before = { 0 }, after = { 0 };

	(void)state;
	engine_must(gw_page(gw_reader_of(t->e), &q, see, &s, &err), &err);
	assert_int_equal(s.n, 3);
	engine_must(gw_get(gw_reader_of(t->e), q.view, NULL, BUS_STR("k00001"), NULL, see, &before, &err), &err);
	engine_put(t, 0, "k00001",
		   "{\"id\":\"k00001\",\"teks\":null,\"n\":1,\"x\":1.5,\"ya\":true,\"j\":[1,3]}");
	engine_apply(t, 1, GW_LIVE);
	engine_must(gw_get(gw_reader_of(t->e), q.view, NULL, BUS_STR("k00001"), NULL, see, &after, &err), &err);
	assert_true(before.hash != after.hash);
	engine_must(gw_get(gw_reader_of(t->e), gw_view_find(t->e, "full"), NULL, BUS_STR("k00001"), NULL, see,
			   &before, &err),
		    &err);
	assert_true(before.hash == after.hash);
	engine_free(&t);
}

static void *other_thread(void *ctx)
{
	struct engine *t = ctx;
	struct seen s = page(t, "thin", NULL, 0, "", 1000);

	return (void *)(uintptr_t)s.n;
}

static void each_thread_reads_on_its_own(void **state)
{
	struct engine *t = start(50);
	pthread_t thread[4];
	void *n;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, other_thread, t), 0);
	for (size_t i = 0; i < BUS_LEN(thread); i++) {
		pthread_join(thread[i], &n);
		assert_int_equal((uintptr_t)n, 50);
	}
	engine_free(&t);
}

struct pair {
	struct engine *t;
	_Atomic bool stop;
	_Atomic int pages, torn;
};

struct two {
	int n;
	int64_t value[2];
};

static bool see_two(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct two *p = ctx;

	(void)hash;
	if (p->n < 2)
		p->value[p->n] = value[2].i;
	p->n++;
	return true;
}

static void *watch_pair(void *ctx)
{
	struct pair *p = ctx;
	struct gw_topic_state state;
	struct bus_error err;

	while (!p->stop) {
		for (size_t v = 0; v < 2; v++) {
			struct gw_query q = { .view = gw_view_find(p->t->e, views[v]), .limit = 10 };
			struct two two = { 0 };

			if (gw_page(gw_reader_of(p->t->e), &q, see_two, &two, &err) != BUS_OK)
				p->torn++;
			p->torn += two.n != 2 || two.value[0] != two.value[1];
			p->pages++;
		}
		gw_topics(p->t->e, &state, 1);
		p->torn += state.rows != 2 || gw_view_rows(p->t->e, gw_view_at(p->t->e, 0)) != 2;
		(void)gw_store_id(p->t->e);
	}
	return NULL;
}

static void a_reader_sees_whole_transactions_while_the_writer_writes(void **state)
{
	struct pair p = { .t = start(2) };
	struct gw_db *db = p.t->e->db;
	struct bus_error err = { 0 };
	pthread_t thread[2];
	char json[200], key[16];
	int64_t left;

	(void)state;
	for (int i = 0; i < 2; i++) {
		snprintf(key, sizeof(key), "k%05d", i);
		snprintf(json, sizeof(json),
			 "{\"id\":\"%s\",\"teks\":null,\"n\":7,\"x\":0,\"ya\":true,\"j\":[]}", key);
		engine_put(p.t, 0, key, json);
	}
	engine_apply(p.t, 2, GW_LIVE);
	for (size_t i = 0; i < BUS_LEN(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, watch_pair, &p), 0);
	for (int round = 0; round < 300; round++) {
		for (int i = 0; i < 2; i++) {
			snprintf(key, sizeof(key), "k%05d", i);
			snprintf(json, sizeof(json),
				 "{\"id\":\"%s\",\"teks\":null,\"n\":%d,\"x\":0,\"ya\":true,\"j\":[]}", key,
				 round);
			engine_put(p.t, 0, key, json);
		}
		engine_apply(p.t, 2, GW_LIVE);
		if (round % 50 == 0)
			engine_must(gw_db_checkpoint(db, true, &left, &err), &err);
	}
	p.stop = true;
	for (size_t i = 0; i < BUS_LEN(thread); i++)
		pthread_join(thread[i], NULL);
	assert_true(p.pages > 10);
	assert_int_equal(p.torn, 0);
	engine_free(&p.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_follow_each_other_without_overlap_or_hole),
		cmocka_unit_test(values_have_the_declared_types),
		cmocka_unit_test(every_operator_filters_in_every_kind_of_view),
		cmocka_unit_test(several_filters_must_all_hold_and_two_patterns_do_not_mix),
		cmocka_unit_test(values_that_do_not_fit_and_days_that_are_none_are_refused),
		cmocka_unit_test(a_reader_may_stop_and_a_row_s_hash_changes_with_it),
		cmocka_unit_test(each_thread_reads_on_its_own),
		cmocka_unit_test(a_reader_sees_whole_transactions_while_the_writer_writes),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
