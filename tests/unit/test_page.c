/* Pages in any order, look-ups, estimates: on a view that is evaluated and on one that is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "gateway/engine/reading.h"
#include "tests/support/engine_support.h"

#define COLUMNS                                                                                              \
	"columns:\n  id: {type: text, pdp: N}\n  nik: {type: text, pdp: U}\n  a: {type: int, pdp: N}\n  b: " \
	"{type: text, pdp: N}\n---*/\n"
#define SELECT "SELECT _key AS id, nik, a, b FROM uji_a"
#define ROWS_MAX 4000

struct row { /* what was put in: the source of what is expected */
	char id[16], nik[32], b[16];
	bool a_null, b_null;
	int a;
};

static struct row row[ROWS_MAX];
static size_t n_rows;
static unsigned seed;

static unsigned chance(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static void put(struct engine *t, struct row *r)
{
	char json[240], a[16], b[24];

	snprintf(a, sizeof(a), r->a_null ? "null" : "%d", r->a);
	snprintf(b, sizeof(b), r->b_null ? "null" : "\"%s\"", r->b);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"nik\":\"%s\",\"a\":%s,\"b\":%s}", r->id, r->nik, a, b);
	engine_put(t, 0, r->id, json);
}

static void change(struct row *r)
{
	r->a = (int)chance(5);
	r->a_null = chance(6) == 0;
	snprintf(r->b, sizeof(r->b), "%c", 'a' + (char)chance(3));
	r->b_null = chance(4) == 0;
}

static struct engine *start(size_t rows)
{
	struct engine *t = engine_new();

	seed = 7;
	n_rows = rows;
	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema("{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
			  "\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"nik\",\"type\":"
			  "\"string\"},{\"name\":\"a\",\"type\":[\"null\",\"int\"]},{\"name\":\"b\","
			  "\"type\":[\"null\",\"string\"]}]}"));
	engine_view(
	    t, "thin",
	    "/*---\nname: thin\nkey: id\nroutes: {uji_a: _key}\nindexes:\n  - {table: uji_a, columns: "
	    "[nik]}\n" COLUMNS SELECT);
	engine_view(t, "full",
		    "/*---\nname: full\nkey: id\nstore: full\nscope: [b]\nroutes: {uji_a: _key}\n" COLUMNS SELECT);
	engine_open(t, NULL);
	for (size_t i = 0; i < rows; i++) {
		/* keys in no order of anything else */
		snprintf(row[i].id, sizeof(row[i].id), "k%06u", (unsigned)(i * 7919 % 1000003));
		snprintf(row[i].nik, sizeof(row[i].nik), "14710000%08zu", i);
		change(&row[i]);
		put(t, &row[i]);
	}
	engine_apply(t, 5000, GW_FORCE);
	return t;
}

/* --- the expected order, by qsort ------------------------------------------------------------------- */

static const struct gw_order *sort_by;
static size_t n_sort_by;

static int one_before(const struct row *x, const struct row *y, const struct gw_order *o)
{
	bool nx = o->column == 2 ? x->a_null : x->b_null, ny = o->column == 2 ? y->a_null : y->b_null;
	int c;

	if (nx || ny)
		return nx && ny ? 0 : nx == o->nulls_first ? -1 : 1;
	c = o->column == 2 ? (x->a > y->a) - (x->a < y->a) : strcmp(x->b, y->b);
	return o->descending ? -c : c;
}

static int before(const void *p, const void *q)
{
	const struct row *x = p, *y = q;
	int c = 0;

	for (size_t i = 0; i < n_sort_by && c == 0; i++)
		c = one_before(x, y, &sort_by[i]);
	return c ? c : strcmp(x->id, y->id);
}

/* --- pages ------------------------------------------------------------------------------------------ */

struct seen {
	size_t n;
	char id[ROWS_MAX][16];
	struct gw_value place[GW_ORDER_MAX]; /* of the last row */
	char text[GW_ORDER_MAX][16];
	const struct gw_query *q;
};

static bool see(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct seen *s = ctx;

	(void)hash;
	assert_true(s->n < ROWS_MAX);
	snprintf(s->id[s->n++], sizeof(s->id[0]), "%.*s", (int)value[0].s.n, value[0].s.p);
	for (size_t i = 0; i < s->q->n_order; i++) {
		const struct gw_value *v = &value[s->q->order[i].column];

		s->place[i] = *v;
		if (v->type == GW_TEXT) {
			memcpy(s->text[i], v->s.p, v->s.n);
			s->place[i].s.p = s->text[i];
		}
	}
	return true;
}

/* The next page behind what s has seen; false: it was empty. */
static bool next(struct engine *t, struct gw_query *q, struct seen *s)
{
	struct bus_error err = { 0 };
	size_t had = s->n;

	s->q = q;
	if (had > 0) {
		q->after = bus_str(s->id[had - 1]);
		q->place = s->place;
	}
	engine_must(gw_page(gw_reader_of(t->e), q, see, s, &err), &err);
	assert_true(s->n - had <= (size_t)q->limit);
	return s->n > had;
}

static const struct gw_order orders[][2] = {
	{ { 2, false, false }, { 3, false, false } }, { { 2, false, true }, { 3, true, true } },
	{ { 2, true, true }, { 3, true, false } },    { { 2, true, false }, { 3, false, true } },
	{ { 3, false, false }, { 2, true, true } },   { { 3, true, false }, { 2, false, false } },
};
static const char *const views[] = { "thin", "full" };

static void pages_in_any_order_are_as_sorted_with_nulls_where_asked(void **state)
{
	static struct seen s;
	struct engine *t = start(300);

	(void)state;
	for (size_t v = 0; v < 2; v++)
		for (size_t o = 0; o < BUS_LEN(orders); o++)
			for (size_t n = 1; n <= 2; n++)
				for (int limit = 1; limit <= 64; limit = limit * 4 + 3) {
					struct gw_query q = { .view = gw_view_find(t->e, views[v]),
							      .order = orders[o],
							      .n_order = n,
							      .limit = limit };

					sort_by = orders[o];
					n_sort_by = n;
					qsort(row, n_rows, sizeof(row[0]), before);
					s.n = 0;
					while (next(t, &q, &s))
						;
					assert_int_equal(s.n, n_rows);
					for (size_t i = 0; i < n_rows; i++)
						assert_string_equal(s.id[i], row[i].id);
				}
	engine_free(&t);
}

static void rows_that_stay_are_seen_once_whatever_changes_around_them(void **state)
{
	static struct seen s;
	static bool moved[ROWS_MAX];

	(void)state;
	for (size_t v = 0; v < 2; v++)
		for (size_t n = 0; n <= 2; n++) {
			struct engine *t = start(300);
			struct gw_query q = { .view = gw_view_find(t->e, views[v]),
					      .order = orders[1],
					      .n_order = n,
					      .limit = 10 };
			size_t at = 0;

			memset(moved, 0, sizeof(moved));
			s.n = 0;
			while (next(t, &q, &s)) {
				/* between two pages some rows move, some go, some are new */
				for (int i = 0; i < 5; i++) {
					size_t k = chance((unsigned)n_rows);

					moved[k] = true;
					change(&row[k]);
					if (chance(3) == 0)
						engine_put(t, 0, row[k].id, NULL);
					else
						put(t, &row[k]);
				}
				engine_apply(t, 100, GW_FORCE);
			}
			/* what never moved: all of it, in order, once */
			struct row still[ROWS_MAX / 10];
			size_t n_still = 0;

			for (size_t i = 0; i < n_rows; i++)
				if (!moved[i])
					still[n_still++] = row[i];
			assert_true(n_still > 50);
			sort_by = orders[1];
			n_sort_by = n;
			qsort(still, n_still, sizeof(still[0]), before);
			for (size_t i = 0; i < s.n && at < n_still; i++) {
				for (size_t k = 0; k < n_still; k++)
					if (strcmp(s.id[i], still[k].id) == 0)
						assert_int_equal(k, at);
				at += strcmp(s.id[i], still[at].id) == 0;
			}
			assert_int_equal(at, n_still);
			engine_free(&t);
		}
}

static void an_offset_passes_over_rows_of_the_answer(void **state)
{
	static const char *const three[] = { "3" };
	static const struct gw_filter is_three = { .column = 2, .op = GW_EQ, .value = three, .n = 1 };
	static struct seen all, part;
	struct engine *t = start(700);

	(void)state;
	for (size_t v = 0; v < 2; v++)
		for (size_t filters = 0; filters < 2; filters++)
			for (size_t n = 0; n < 2; n++) {
				struct gw_query q = { .view = gw_view_find(t->e, views[v]),
						      .filter = &is_three,
						      .n_filters = filters,
						      .order = orders[2],
						      .n_order = n,
						      .limit = 1000 };

				all.n = part.n = 0;
				assert_true(next(t, &q, &all));
				q.after = (struct bus_str){ 0 };
				q.offset = 37;
				q.limit = 11;
				assert_true(next(t, &q, &part));
				assert_int_equal(part.n, 11);
				for (size_t i = 0; i < part.n; i++)
					assert_string_equal(part.id[i], all.id[37 + i]);
			}
	engine_free(&t);
}

/* As if it were of a city: the planner is asked, not the clock. */
static void a_large_view_is_sorted_by_an_index_or_not_at_all(void **state)
{
	static const struct gw_order by_a = { .column = 2 }, by_key = { .column = 0, .descending = true };
	struct engine *t = start(50);
	struct gw_query q = { .view = gw_view_find(t->e, "full"), .order = &by_a, .n_order = 1, .limit = 10 };
	struct gw_def *def = (struct gw_def *)(uintptr_t)gw_view_def(q.view);
	struct bus_error err = { 0 };
	static struct seen s;

	(void)state;
	s.n = 0;
	s.q = &q;
	atomic_store(&def->rows, 100001);
	assert_int_equal(gw_page(gw_reader_of(t->e), &q, see, &s, &err), BUS_ETOOBIG);
	assert_int_equal(s.n, 0);
	q.order = &by_key;
	engine_must(gw_page(gw_reader_of(t->e), &q, see, &s, &err), &err);
	assert_int_equal(s.n, 10);
	atomic_store(&def->rows, 100000);
	q.order = &by_a;
	engine_must(gw_page(gw_reader_of(t->e), &q, see, &s, &err), &err);
	assert_int_equal(s.n, 20);
	engine_free(&t);
}

/* --- look-ups --------------------------------------------------------------------------------------- */

struct found {
	size_t n;
	char id[8][16];
};

static void find(void *ctx, size_t i, const struct gw_value *value, uint64_t hash)
{
	struct found *f = ctx;

	assert_int_equal(i, f->n);
	assert_true(value ? hash != 0 : hash == 0);
	snprintf(f->id[f->n++], sizeof(f->id[0]), "%.*s", value ? (int)value[0].s.n : 1,
		 value ? value[0].s.p : "-");
}

static void a_lookup_answers_in_the_order_asked_and_says_what_is_not_there(void **state)
{
	struct engine *t = start(3000); /* more than a small view: an index is needed */
	const char *const niks[] = { row[9].nik, "9999999999999999", row[2].nik, row[9].nik };
	const char *const ids[] = { row[5].id, row[1].id, "", "k" };
	struct gw_query q = { .view = gw_view_find(t->e, "thin") };
	struct bus_error err = { 0 };
	struct found f = { 0 };

	(void)state;
	engine_must(gw_lookup(gw_reader_of(t->e), &q, 1, niks, 4, find, &f, &err), &err);
	assert_int_equal(f.n, 4);
	assert_string_equal(f.id[0], row[9].id);
	assert_string_equal(f.id[1], "-");
	assert_string_equal(f.id[2], row[2].id);
	assert_string_equal(f.id[3], row[9].id);
	f.n = 0;
	engine_must(gw_lookup(gw_reader_of(t->e), &q, 0, ids, 4, find, &f, &err), &err);
	assert_string_equal(f.id[0], row[5].id);
	assert_string_equal(f.id[1], row[1].id);
	assert_string_equal(f.id[2], "-");
	assert_string_equal(f.id[3], "-");
	engine_free(&t);
}

static void a_lookup_by_what_has_no_index_or_several_rows_is_refused(void **state)
{
	struct engine *t = start(3000);
	const char *const value[] = { "14710000" };
	struct gw_query thin = { .view = gw_view_find(t->e, "thin") },
			full = { .view = gw_view_find(t->e, "full") };
	struct bus_error err = { 0 };
	struct found f = { 0 };

	(void)state;
	assert_int_equal(gw_lookup(gw_reader_of(t->e), &thin, 3, value, 1, find, &f, &err), BUS_EINVAL);
	assert_int_equal(gw_lookup(gw_reader_of(t->e), &full, 1, value, 1, find, &f, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "'nik'"));
	assert_null(strstr(err.text, "14710000"));
	strcpy(row[1].nik, row[0].nik);
	put(t, &row[1]);
	engine_apply(t, 1, GW_LIVE);
	const char *const twice[] = { row[0].nik };

	f.n = 0;
	assert_int_equal(gw_lookup(gw_reader_of(t->e), &thin, 1, twice, 1, find, &f, &err), BUS_ECONFLICT);
	assert_null(strstr(err.text, row[0].nik));
	engine_free(&t);
}

static void an_estimate_is_near_and_exact_where_that_is_free(void **state)
{
	static const char *const zero[] = { "0" };
	static const struct gw_filter none = { .column = 2, .op = GW_EQ, .value = zero, .n = 1 };
	struct engine *t = start(4000);
	struct gw_query q = { .view = gw_view_find(t->e, "thin") };
	struct bus_error err = { 0 };
	int64_t about, exact;

	(void)state;
	engine_must(gw_estimate(gw_reader_of(t->e), &q, &exact, &err), &err);
	assert_int_equal(exact, 4000);
	q.filter = &none;
	q.n_filters = 1;
	engine_must(gw_count(gw_reader_of(t->e), &q, &exact, &err), &err);
	engine_must(gw_estimate(gw_reader_of(t->e), &q, &about, &err), &err);
	assert_in_range(exact, 500, 900); /* a sixth of five sixths of 4,000 */
	assert_in_range(about, exact * 3 / 4, exact * 5 / 4);
	engine_free(&t);
}

static void an_estimate_of_a_part_tells_nothing_of_the_rest(void **state)
{
	static const char *const mine[] = { "a" }, *const zero[] = { "0" };
	static const struct gw_scope_part part = { .column = "b", .value = mine, .n = 1 };
	static const struct gw_scope rows = { &part, 1 };
	static const struct gw_filter none = { .column = 2, .op = GW_EQ, .value = zero, .n = 1 };
	struct engine *t = start(4000);
	struct gw_query q = { .view = gw_view_find(t->e, "full"), .filter = &none, .n_filters = 1, .rows = &rows };
	struct bus_error err = { 0 };
	int64_t about, want = 0;

	(void)state;
	for (size_t i = 0; i < n_rows; i++)
		want += !row[i].a_null && row[i].a == 0 && !row[i].b_null && strcmp(row[i].b, "a") == 0;
	engine_must(gw_estimate(gw_reader_of(t->e), &q, &about, &err), &err);
	assert_int_equal(about, want);
	engine_free(&t);
}

static enum bus_err count_long(struct gw_reader *r, struct bus_error *err)
{
	struct gw_stmt *s;
	bool is;
	enum bus_err rc = gw_reader_stmt(
	    r, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000000) SELECT count(*) FROM n",
	    &s, err);

	if (rc != BUS_OK)
		return rc;
	rc = gw_stmt_step(s, &is, err);
	gw_stmt_reset(s);
	return rc;
}

static void one_request_has_one_deadline(void **state)
{
	struct engine *t = start(1);
	struct gw_reader *r = gw_reader_of(t->e);
	struct bus_error err = { 0 };

	(void)state;
	engine_must(gw_read_begin_bounded(r, &err), &err);
	engine_must(count_long(r, &err), &err);
	gw_db_deadline(r->db, 1); /* most of it is over */
	assert_int_equal(count_long(r, &err), BUS_ETIMEOUT);
	assert_int_equal(count_long(r, &err), BUS_ETIMEOUT);
	gw_read_end(r);
	engine_must(count_long(r, &err), &err);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_in_any_order_are_as_sorted_with_nulls_where_asked),
		cmocka_unit_test(rows_that_stay_are_seen_once_whatever_changes_around_them),
		cmocka_unit_test(an_offset_passes_over_rows_of_the_answer),
		cmocka_unit_test(a_large_view_is_sorted_by_an_index_or_not_at_all),
		cmocka_unit_test(a_lookup_answers_in_the_order_asked_and_says_what_is_not_there),
		cmocka_unit_test(a_lookup_by_what_has_no_index_or_several_rows_is_refused),
		cmocka_unit_test(an_estimate_is_near_and_exact_where_that_is_free),
		cmocka_unit_test(an_estimate_of_a_part_tells_nothing_of_the_rest),
		cmocka_unit_test(one_request_has_one_deadline),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
