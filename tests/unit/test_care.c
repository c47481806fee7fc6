#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/care/args.h"
#include "adapters/care/care.h"
#include "adapters/care/cells.h"
#include "adapters/care/order.h"
#include "adapters/care/record.h"
#include "adapters/care/status.h"
#include "adapters/files.h"

static void columns_come_back_as_they_were(void **state)
{
	static const char *const name[] = { "a", "b.c", "d", "e", "f", "g" };
	struct bus_json yes = { .type = BUS_JSON_TRUE };
	struct adapter_cell cell[6] = {
		{ .kind = ADAPTER_TEXT, .text = BUS_STR("x\"y\n") },
		{ .kind = ADAPTER_NUMBER, .text = BUS_STR("3201E3"), .rounded = true },
		{ .kind = ADAPTER_NULL },
		{ .kind = ADAPTER_MISSING },
		{ .kind = ADAPTER_BROKEN, .broken = ADAPTER_CELL_NO_DAY },
		{ .kind = ADAPTER_TREE, .tree = &yes },
	};
	const struct adapter_row row = { .cell = cell, .n_cells = 6 };
	struct bus_arena *arena = bus_arena_new(0);
	struct adapter_cell back[7];
	struct bus_buf text = { 0 };
	struct bus_error err;
	static const char *const more[] = { "a", "baru" };

	(void)state;
	adapter_cells_put(name, 6, &row, &text);
	assert_int_equal(adapter_cells_get(bus_buf_str(&text), name, 6, arena, back, NULL), BUS_OK);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(back[i].kind, cell[i].kind);
	assert_true(bus_str_eq(back[0].text, cell[0].text));
	assert_true(bus_str_eq(back[1].text, cell[1].text) && back[1].rounded);
	assert_int_equal(back[4].broken, ADAPTER_CELL_NO_DAY);
	assert_int_equal(back[5].tree->type, BUS_JSON_TRUE);
	assert_int_equal(adapter_cells_get(bus_buf_str(&text), more, 2, arena, back, &err), BUS_EDATA);
	assert_non_null(strstr(err.text, "'baru'"));
	assert_int_equal(adapter_cells_get(BUS_STR("[1]"), name, 1, arena, back, NULL), BUS_EDATA);
	bus_buf_release(&text);
	bus_arena_free(&arena);
}

static void a_mended_column_is_a_text(void **state)
{
	static const struct adapter_cell_change change[] = { { BUS_STR("b"), BUS_STR("7") },
							     { BUS_STR("c"), BUS_STR("") } };
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_buf out = { 0 };

	(void)state;
	assert_int_equal(
	    adapter_cells_change(BUS_STR("{\"a\":{\"angka\":\"1\"},\"b\":{}}"), change, 2, arena, &out, NULL),
	    BUS_OK);
	assert_string_equal(bus_buf_cstr(&out), "{\"a\":{\"angka\":\"1\"},\"b\":\"7\",\"c\":\"\"}");
	bus_buf_release(&out);
	bus_arena_free(&arena);
}

static const uint8_t city_key[BUS_KEY_LEN] = { 5 };

static void an_order_is_read_as_it_was_written(void **state)
{
	char dir[] = "/tmp/test_care.XXXXXX", name[256], path[300];
	const struct adapter_order order = { .what = ADAPTER_UNDO,
					     .who = "sari \"s\"",
					     .why = "salah",
					     .time_ms = 1767225600123,
					     .rows = 2,
					     .to_ms = 5,
					     .feed = "f",
					     .again = true,
					     .keys = 9 };
	struct adapter_order_reader *r;
	struct adapter_order_writer *w;
	struct adapter_order_row row;
	struct adapter_order back;
	struct bus_pseudonym *seal = bus_pseudonym_new(city_key),
			     *strange = bus_pseudonym_new((const uint8_t[BUS_KEY_LEN]){ 6 });
	int64_t at, first;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(adapter_order_begin(dir, city_key, &order, &w, NULL), BUS_OK);
	adapter_order_put(w, &(struct adapter_order_row){ BUS_STR("a:1"), { 0 } });
	adapter_order_put(w, &(struct adapter_order_row){ BUS_STR("a:2"), { "\0\xff\n", 3 } });
	assert_int_equal(adapter_order_send(&w, name, NULL), BUS_OK);
	assert_true(adapter_order_is(name) && name[0] != '.');
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(adapter_order_open(path, strange, &r, &back, NULL), BUS_EDATA);
	assert_int_equal(adapter_order_open(path, seal, &r, &back, NULL), BUS_OK);
	assert_string_equal(back.who, order.who);
	assert_string_equal(back.feed, order.feed);
	assert_true(back.what == order.what && back.time_ms == order.time_ms && back.rows == 2 &&
		    back.to_ms == 5 && back.again && back.keys == 9);
	assert_int_equal(adapter_order_next(r, &row, &first, NULL), BUS_OK);
	assert_true(bus_str_is(row.id, "a:1") && row.sealed_cells.n == 0);
	assert_int_equal(adapter_order_next(r, &row, &at, NULL), BUS_OK);
	assert_true(row.sealed_cells.n == 3 && memcmp(row.sealed_cells.p, "\0\xff\n", 3) == 0);
	assert_int_equal(adapter_order_next(r, &row, &at, NULL), BUS_ENOENT);
	assert_int_equal(adapter_order_at(r, first, &row, NULL), BUS_OK);
	assert_true(bus_str_is(row.id, "a:1"));
	adapter_order_close(&r);
	bus_pseudonym_free(&seal);
	bus_pseudonym_free(&strange);
	unlink(path);
	rmdir(dir);
}

static void what_is_no_whole_order_is_refused(void **state)
{
	static const char head[] =
	    "{\"titian_order\":1,\"what\":\"buang\",\"who\":\"s\",\"why\":\"\",\"time\":1,\"rows\":%s}\n%s";
	static const struct {
		const char *rows, *rest;
		enum bus_err open, next;
	} tried[] = {
		{ "1", "{\"id\":\"a:1\"}\n", BUS_OK, BUS_ENOENT }, /* whole: the second row is not there */
		{ "1", "{\"id\":\"a:1\"}", BUS_EDATA, 0 },	   /* cut */
		{ "2", "{\"id\":\"a:1\"}\n", BUS_OK, BUS_EDATA },
		{ "0", "{\"id\":\"a:1\"}\n", BUS_OK, BUS_EDATA },
		{ "1", "{\"id\":\"a:1\",\"cells\":\"!\"}\n", BUS_OK, BUS_EDATA },
		{ "1", "{\"id\":7}\n", BUS_OK, BUS_EDATA },
		{ "-1", "", BUS_EDATA, 0 },
		{ "1000001", "", BUS_EDATA, 0 },
		{ "\"1\"", "", BUS_EDATA, 0 },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(tried); i++) {
		char path[] = "/tmp/test_care.XXXXXX";
		struct adapter_order_reader *r;
		struct adapter_order_row row;
		struct adapter_order order;
		enum bus_err rc;
		int64_t at;
		FILE *fp = fdopen(mkstemp(path), "w");

		struct bus_pseudonym *seal = bus_pseudonym_new(city_key);
		char *text = bus_xasprintf(head, tried[i].rows, tried[i].rest), hex[BUS_PSEUDONYM_LEN + 1];
		uint8_t digest[BUS_SHA256_LEN];

		bus_sha256(text, strlen(text), digest);
		bus_pseudonym_make(seal, "order:", (struct bus_str){ (const char *)digest, sizeof(digest) },
				   hex);
		fprintf(fp, "%s{\"seal\":\"%s\"}\n", text, hex);
		fclose(fp);
		free(text);
		assert_int_equal(adapter_order_open(path, seal, &r, &order, NULL), tried[i].open);
		bus_pseudonym_free(&seal);
		if (!tried[i].open) {
			while (!(rc = adapter_order_next(r, &row, &at, NULL)))
				;
			assert_int_equal(rc, tried[i].next);
		}
		adapter_order_close(&r);
		unlink(path);
	}
}

static void times_as_people_write_them(void **state)
{
	/* date -u -d '2026-11-23 01:30 UTC' +%s gives 1795397400. */
	static const int64_t morning = INT64_C(1795397400000), now = INT64_C(1795400000000);
	static const struct {
		const char *text;
		int64_t want;
	} good[] = {
		{ "2026-11-23T08:30", morning },
		{ "2026-11-23 08:30:00", morning },
		{ "2026-11-23T08:30:00+07:00", morning },
		{ "2026-11-23T01:30:00Z", morning },
		{ "2026-11-23T08:30:00.250", morning + 250 },
		{ "2026-11-22T20:30:00-05:00", morning },
		{ "2h", now - 7200000 },
		{ "90s", now - 90000 },
		{ "3d", now - INT64_C(259200000) },
	};
	static const char *const bad[] = { "",
					   "2",
					   "h",
					   "-1h",
					   "2026-02-30",
					   "2026-11-23T25:00",
					   "2026-11-23T08:30x",
					   "kemarin",
					   " 2h",
					   "+2h",
					   "\n2h",
					   "1000001d",
					   "99999999999999999999s",
					   "2026-11-23 ",
					   "2026-11-23T08:30+15:00",
					   "2026-11-23T08:30:00+07:0" };
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++) {
		assert_true(adapter_care_time(good[i].text, now, &ms));
		assert_int_equal(ms, good[i].want);
	}
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_false(adapter_care_time(bad[i], now, &ms));
}

struct words {
	char text[200];
	char *argv[20];
	int n;
};

static enum bus_err take(struct words *w, const char *command, const char *line, struct adapter_care_args *a,
			 struct bus_error *err)
{
	char *rest = w->text;

	snprintf(w->text, sizeof(w->text), "%s", line);
	w->n = 0;
	while ((w->argv[w->n] = strsep(&rest, " ")))
		w->n++;
	return adapter_care_args(command, &w->n, w->argv, a, err);
}

static void words_that_do_not_belong_are_named(void **state)
{
	struct adapter_care_args a;
	struct bus_error err;
	struct words w;

	(void)state;
	assert_int_equal(take(&w, "quarantine", "p list --config f --class x", &a, NULL), BUS_OK);
	assert_int_equal(w.n, 3); /* what all commands share stays */
	assert_string_equal(w.argv[1], "--config");
	assert_string_equal(a.class, "x");
	assert_int_equal(take(&w, "quarantine", "p list --set a=b", &a, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "--set is no option of quarantine list"));
	assert_int_equal(take(&w, "quarantine", "p lihat", &a, NULL), BUS_EINVAL);
	assert_int_equal(take(&w, "quarantine", "p mend id --set a", &a, NULL), BUS_EINVAL);
	assert_int_equal(take(&w, "undo", "p --to kemarin", &a, NULL), BUS_EINVAL);
}

static void which_row_of_its_line(void **state)
{
	(void)state;
	assert_int_equal(adapter_kept_nth(BUS_STR("0123456789abcdef:12")), 1);
	assert_int_equal(adapter_kept_nth(BUS_STR("0123456789abcdef:12:3")), 3);
	assert_int_equal(adapter_kept_nth(BUS_STR("x")), 1);
	assert_int_equal(adapter_kept_nth(BUS_STR("a:b:c")), 1);
}

static void a_figure_is_found_by_its_whole_name(void **state)
{
	static const char text[] = "\n# HELP a b\nab 7\na 3\na{feed=\"x\"} 4.5\n";

	(void)state;
	assert_true(adapter_status_figure(text, "a", "", 0) == 3);
	assert_true(adapter_status_figure(text, "a", "feed=\"x\"", 0) == 4.5);
	assert_true(adapter_status_figure(text, "a", "feed=\"y\"", -1) == -1);
	assert_true(adapter_status_figure(NULL, "a", "", 2) == 2);
}

static void an_undone_file_stays_away_until_it_may_come(void **state)
{
	static const char hex[] = "0123456789abcdef fedcba9876543210";
	struct adapter_files *f = adapter_files_new();
	struct adapter_known *known;

	(void)state;
	adapter_files_note_undone(f, "umpan", bus_str(hex), 5);
	known = adapter_files_known(f, adapter_files_number(f, BUS_STR("fedcba9876543210")), "umpan");
	assert_true(adapter_files_undone(known));
	adapter_files_note_undone(f, "umpan", BUS_STR("+fedcba9876543210"),
				  4); /* an earlier one, read later */
	assert_true(adapter_files_undone(known));
	adapter_files_note_undone(f, "umpan", BUS_STR("+fedcba9876543210"), 6);
	assert_false(adapter_files_undone(known));
	known = adapter_files_known(f, adapter_files_number(f, BUS_STR("0123456789abcdef")), "umpan");
	assert_true(adapter_files_undone(known));
	known->past.order = 7; /* it has been read again since */
	assert_false(adapter_files_undone(known));
	adapter_files_note_undone(f, "umpan", BUS_STR("not hex at all...."), 9);
	adapter_files_free(&f);
}

/* Whoever may put files there may wait for somebody who reads an order's report, or give him one without an end. */
static void a_report_is_a_plain_file_and_bounded(void **state)
{
	char dir[] = "/tmp/titian-care-XXXXXX", line[1025];
	struct bus_buf text = { 0 };
	char *done, *report;
	FILE *fp;

	(void)state;
	assert_non_null(mkdtemp(dir));
	done = bus_xasprintf("%s/done", dir);
	report = bus_xasprintf("%s/buang-1.perintah.laporan.txt", done);
	assert_int_equal(mkdir(done, 0700), 0);
	assert_int_equal(mkfifo(report, 0666), 0);
	assert_int_equal(adapter_care_report(dir, "buang-1.perintah", &text), ADAPTER_CARE_WAITS);
	unlink(report);
	fp = fopen(report, "we");
	memset(line, 'x', 1023);
	line[1023] = '\n';
	line[1024] = '\0';
	for (int i = 0; i < 3 * 1024; i++)
		fputs(line, fp);
	fclose(fp);
	assert_int_equal(adapter_care_report(dir, "buang-1.perintah", &text), ADAPTER_CARE_DONE);
	assert_in_range(text.n, 1024 * 1024, 1025 * 1024);
	bus_buf_release(&text);
	unlink(report);
	rmdir(done);
	rmdir(dir);
	free(report);
	free(done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_come_back_as_they_were),
		cmocka_unit_test(a_mended_column_is_a_text),
		cmocka_unit_test(an_order_is_read_as_it_was_written),
		cmocka_unit_test(what_is_no_whole_order_is_refused),
		cmocka_unit_test(times_as_people_write_them),
		cmocka_unit_test(words_that_do_not_belong_are_named),
		cmocka_unit_test(which_row_of_its_line),
		cmocka_unit_test(a_figure_is_found_by_its_whole_name),
		cmocka_unit_test(an_undone_file_stays_away_until_it_may_come),
		cmocka_unit_test(a_report_is_a_plain_file_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
