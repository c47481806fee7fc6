/* Pages of a thin view by its keys: the same rows, whether the day has many, few or none, however it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/log.h"
#include "gateway/engine/reading.h"
#include "tests/support/engine_support.h"

#define ROWS 6000 /* more than a page looks at one by one, three times over */
#define PAGES_MAX 12

#define COLUMNS                                                                                              \
	"columns:\n  id: {type: text, pdp: N}\n  hari: {type: text, pdp: N}\n  kel: {type: text, pdp: N}\n"  \
	"  hash: {type: int, pdp: N}\n---*/\n"
#define SELECT "SELECT _key AS id, hari, kel, n AS hash FROM uji_a WHERE "
#define OF_DAY "(:per_tanggal IS NULL OR hari = :per_tanggal)"

static const char *day_of(int i)
{
	return i % 10 == 0    ? "2025-01-01" /* here and there */
	       : i > ROWS - 8 ? "2025-01-02" /* the last few */
	       : i < 300      ? "2025-01-03" /* the first, and no more of them */
			      : "2025-01-04";
}

static const char *part_of(int i)
{
	static const char *const part[] = { "1", "2", "3", "4" };

	return part[i / 3 % 4];
}

static struct engine *start(void)
{
	struct engine *t = engine_new();
	char key[16], json[120];

	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema(
		"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
		"\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"hari\",\"type\":\"string\"},"
		"{\"name\":\"kel\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\"}]}"));
	engine_view(t, "plain",
		    "/*---\nname: plain\nkey: id\nroutes: {uji_a: _key}\n" COLUMNS SELECT "n >= 0");
	engine_view(
	    t, "day",
	    "/*---\nname: day\nkey: id\ndated: true\nscope: [kel]\nroutes: {uji_a: _key}\n" COLUMNS SELECT
		OF_DAY);
	engine_view(
	    t, "halves",
	    "/*---\nname: halves\nkey: id\ndated: true\nscope: [kel]\nroutes: {uji_a: _key}\n" COLUMNS SELECT
	    "n % 2 = 0 AND " OF_DAY "\nUNION ALL\n" SELECT "n % 2 = 1 AND " OF_DAY);
	engine_open(t, NULL);
	for (int i = 0; i < ROWS; i++) {
		snprintf(key, sizeof(key), "k%05d", i * 7919 % ROWS); /* in no order */
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"hari\":\"%s\",\"kel\":\"%s\",\"n\":%d}", key,
			 day_of(i * 7919 % ROWS), part_of(i * 7919 % ROWS), i * 7919 % ROWS);
		engine_put(t, 0, key, json);
	}
	engine_apply(t, ROWS, GW_FORCE);
	return t;
}

struct seen {
	int n[ROWS + 1];
	int count;
};

static bool see(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct seen *s = ctx;
	char key[16];

	(void)hash;
	snprintf(key, sizeof(key), "k%05d", (int)value[3].i);
	assert_true(s->count < ROWS && bus_str_is(value[0].s, key));
	s->n[s->count++] = (int)value[3].i;
	return true;
}

static struct seen seen;

/* The numbers behind `after` that are of the day and the part, in order: as they were made, not as they are read. */
static int expected(const char *day, const struct gw_scope *rows, int after, int offset, int limit, int *out)
{
	int n = 0;

	for (int i = after + 1; i < ROWS && n < limit; i++) {
		bool in = !day || strcmp(day, day_of(i)) == 0;

		for (size_t k = 0; rows && k < rows->part[0].n; k++)
			if (strcmp(rows->part[0].value[k], part_of(i)) == 0)
				break;
			else
				in = in && k + 1 < rows->part[0].n;
		if (in && offset-- <= 0)
			out[n++] = i;
	}
	return n;
}

static void check_pages(struct engine *t, const char *view, const char *day, const struct gw_scope *rows,
			int limit, int offset)
{
	static int want[ROWS];
	struct gw_query q = {
		.view = gw_view_find(t->e, view), .date = day, .rows = rows, .limit = limit, .offset = offset
	};
	struct bus_error err = { 0 };
	int last = -1, n;
	char key[16];

	for (int page = 0; page < PAGES_MAX; page++) {
		seen.count = 0;
		engine_must(gw_page(gw_reader_of(t->e), &q, see, &seen, &err), &err);
		n = expected(day, rows, last, q.offset, limit, want);
		assert_int_equal(seen.count, n);
		assert_memory_equal(seen.n, want, (size_t)n * sizeof(*want));
		if (n < limit)
			return;
		last = want[n - 1];
		snprintf(key, sizeof(key), "k%05d", last);
		q.after = bus_str(key);
		q.offset = 0;
	}
}

static void pages_have_the_rows_of_their_day(void **state)
{
	static const char *const value[] = { "1", "3" };
	static const char *const view[] = { "day", "halves" };
	static const char *const day[] = { "2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04",
					   "2025-01-05" };
	static const int limit[] = { 1, 99, 256, ROWS + 1 }, offset[] = { 0, 5, 580 };
	const struct gw_scope_part part = { "kel", value, 2 };
	const struct gw_scope scope = { &part, 1 };
	struct engine *t = start();

	(void)state;
	for (size_t v = 0; v < BUS_LEN(view); v++)
		for (size_t d = 0; d < BUS_LEN(day); d++)
			for (size_t l = 0; l < BUS_LEN(limit); l++)
				for (size_t o = 0; o < BUS_LEN(offset); o++) {
					check_pages(t, view[v], day[d], NULL, limit[l], offset[o]);
					check_pages(t, view[v], day[d], &scope, limit[l], offset[o]);
				}
	for (size_t l = 0; l < BUS_LEN(limit); l++)
		for (size_t o = 0; o < BUS_LEN(offset); o++)
			check_pages(t, "plain", NULL, NULL, limit[l], offset[o]);
	check_pages(t, "plain", NULL, NULL, 5, ROWS - 2);
	check_pages(t, "plain", NULL, NULL, 5, ROWS + 2);
	engine_free(&t);
}

static bool walks(struct engine *t, const char *view, int64_t most, struct gw_walk *w)
{
	struct gw_query q = { .view = gw_view_find(t->e, view), .date = "2025-01-02", .limit = 3 };
	struct gw_reader *r = gw_reader_of(t->e);
	struct bus_error err = { 0 };

	*w = (struct gw_walk){ .left = q.limit };
	seen.count = 0;
	engine_must(gw_read_begin_bounded(r, &err), &err);
	engine_must(gw_walk(r, &q, most, w, see, &seen, &err), &err);
	gw_read_end(r);
	return w->fit;
}

static void a_walk_looks_at_no_more_keys_than_it_may(void **state)
{
	struct engine *t = start();
	struct gw_walk w;

	(void)state;
	assert_true(walks(t, "day", 1000, &w));
	assert_true(bus_str_is(bus_buf_str(&w.after), "k00999"));
	assert_int_equal(w.left, 3);
	assert_false(w.end);
	bus_buf_release(&w.after);
	bus_buf_release(&w.upto);
	assert_true(walks(t, "day", 2 * ROWS, &w));
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.n[0], ROWS - 7);
	bus_buf_release(&w.after);
	bus_buf_release(&w.upto);
	assert_false(walks(t, "halves", ROWS, &w)); /* SQLite would make all of it first */
	assert_int_equal(seen.count, 0);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_have_the_rows_of_their_day),
		cmocka_unit_test(a_walk_looks_at_no_more_keys_than_it_may),
	};

	bus_log_setup(BUS_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
