#include "tests/support/source_rows.h"

static void reads_the_elements_of_the_array_that_rows_names(void **state)
{
	(void)state;
	rows_are("json", "{rows: data}",
		 "{\"x\":[1,{\"data\":[9]}],\n\"data\":[\n{\"a\":1},\n\n "
		 "{\"a\":{\"b\":\"]}\\\"\"}}\n],\"y\":[2]}\n",
		 "a,a.b", "3: #1|?\n5: {}|]}\"\n");
	rows_are("json", "{rows: a.b}",
		 "{\"b\":[{\"c\":0}],\"a\":{\"x\":{\"b\":[{\"c\":0}]},\"b\":[{\"c\":1}]}}", "c", "1: #1\n");
	rows_are("json", "{}", "[{\"a\":1},{\"a\":2}]", "a", "1: #1\n1: #2\n");
	rows_are("json", "{}", "\xef\xbb\xbf []", "a", "");
}

static void gives_a_row_s_own_bytes(void **state)
{
	static const char text[] = "{\"data\": [ {\"a\": [1, 2]} , {}]}";
	struct adapter_row row;
	struct rows r;

	(void)state;
	assert_int_equal(
	    rows_open(&r, "json", "{rows: data}", adapter_input_memory(text, sizeof(text) - 1), "a"), BUS_OK);
	assert_true(rows_next(&r, &row));
	assert_true(bus_str_is(row.raw, "{\"a\": [1, 2]}"));
	assert_true(rows_next(&r, &row));
	assert_true(bus_str_is(row.raw, "{}"));
	assert_false(rows_next(&r, &row));
	rows_close(&r);
}

static void an_element_that_is_no_object_is_a_defect(void **state)
{
	(void)state;
	rows_are("json", "{}", "[1, \"x\",\n null,[{}],{\"a\":1,\"a\":1},{\"a\":2}]", "a",
		 "1! json_rusak\n1! json_rusak\n2! json_rusak\n2! json_rusak\n2! json_rusak\n2: #2\n");
}

static void gives_the_rows_before_a_cut(void **state)
{
	static const char text[] = "{\"data\":[{\"a\":1},{\"a\":2}],\"z\":0}";
	static const struct {
		size_t n;
		const char *expected;
	} cuts[] = {
		{ 5, "cut\n" },
		{ 9, "cut\n" },
		{ 12, "cut\n" },
		{ 16, "1: #1\ncut\n" },
		{ 17, "1: #1\ncut\n" },
		{ 21, "1: #1\ncut\n" },
		{ 24, "1: #1\n1: #2\ncut\n" },
		{ 25, "1: #1\n1: #2\ncut\n" },
		{ sizeof(text) - 2, "1: #1\n1: #2\ncut\n" },
		{ sizeof(text) - 1, "1: #1\n1: #2\n" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cuts); i++) {
		char *got = rows_text("json", "{rows: data}", text, cuts[i].n, "a");

		assert_string_equal(got, cuts[i].expected);
		free(got);
	}
}

static void broken_json_is_an_error_with_its_line_and_column(void **state)
{
	static const struct {
		const char *text;
		const char *rows;
		const char *place;
	} broken[] = {
		{ "{\"data\":[\n{\"a\":1},\n  {\"a\":x}]}", "2: #1\nerror\n", "line 3, column 8" },
		{ "{\"data\":[{\"a\":1} {\"a\":1}]}", "1: #1\nerror\n", "line 1, column 18" },
		{ "{\"data\":[{\"a\":1},\n]}", "1: #1\nerror\n", "line 2, column 1" },
		{ "{\"data\":[\n\n {\"a\":1}],\n z}", "3: #1\nerror\n", "line 4, column 2" },
		{ "{\"data\":[ {\"a\":1}] z}", "1: #1\nerror\n", "line 1, column 20" },
		{ "{\"data\":[{\"a\":1}]}\nz", "1: #1\nerror\n", "line 2, column 1" },
		{ "{\"data\":[],\n\"data\":[{\"a\":1}]}", "error\n", "is there twice" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(broken); i++) {
		rows_are("json", "{rows: data}", broken[i].text, "a", broken[i].rows);
		if (!strstr(rows_error, broken[i].place))
			fail_msg("'%s' is not in '%s'", broken[i].place, rows_error);
	}
}

static void refuses_a_document_without_the_array(void **state)
{
	(void)state;
	rows_refused("json", "{rows: data}", "{\"x\":1}", 7, "a", BUS_EDATA, "no array 'data'");
	rows_refused("json", "{rows: data}", "{\"data\":\n1}", 11, "a", BUS_EDATA, "line 2: 'data'");
	rows_refused("json", "{rows: data}", "{\"data\":{}}", 11, "a", BUS_EDATA, "is no array");
	rows_refused("json", "{}", "{}", 2, "a", BUS_EDATA, "is no array");
	rows_refused("json", "{rows: data}", "{\"data\" x", 9, "a", BUS_EDATA, "line 1, column 9");
	rows_refuses_foreign_files("json", "{rows: data}", "a");
	rows_refused("json", "rows: a..b", NULL, 0, "a", BUS_EPARSE, "conf.yaml:1: rows is a path");
}

/* Longer than one piece of the input, so that rows lie across two. */
static void rows_may_lie_across_the_pieces_of_a_long_document(void **state)
{
	struct bus_buf text = { NULL, 0, 0 };
	struct adapter_row row;
	struct rows r;
	char *long_row;
	int n = 0;

	(void)state;
	bus_buf_puts(&text, "{\"data\":[");
	for (int i = 0; i < 60000; i++)
		bus_buf_printf(&text, "%s\n{\"a\":\"%d\",\"b\":[\"\\\"\",{}]}", i > 0 ? "," : "", i);
	long_row = bus_xmalloc(2 * ADAPTER_ROW_MAX);
	memset(long_row, 'x', 2 * ADAPTER_ROW_MAX);
	bus_buf_puts(&text, ",\n{\"a\":\"");
	bus_buf_put(&text, long_row, 2 * ADAPTER_ROW_MAX);
	bus_buf_puts(&text, "\"},\n{\"a\":\"last\"}]}\n");
	assert_int_equal(rows_open(&r, "json", "{rows: data}", adapter_input_memory(text.p, text.n), "a"),
			 BUS_OK);
	for (; n < 60000; n++) {
		char expected[16];

		assert_true(rows_next(&r, &row));
		snprintf(expected, sizeof(expected), "%d", n);
		assert_null(row.defect);
		assert_int_equal(row.line, n + 2);
		assert_true(bus_str_is(row.cell[0].text, expected));
	}
	assert_true(rows_next(&r, &row));
	assert_string_equal(row.defect, "baris_terlalu_panjang");
	assert_true(row.raw.n <= 4096);
	assert_true(rows_next(&r, &row));
	assert_true(bus_str_is(row.cell[0].text, "last"));
	assert_int_equal(row.line, 60003);
	assert_false(rows_next(&r, &row));
	rows_close(&r);
	bus_buf_release(&text);
	free(long_row);
}

static void reads_the_sample_feed_as_the_truth_says(void **state)
{
	(void)state;
	rows_feed("json", "{rows: data}", "dpmptsp_nib.json", "nib,pelaku.nik,diperbarui,proyek",
		  "json_rusak", NULL, 82, 84, "");
}

static void reads_a_real_document_behind_a_byte_order_mark(void **state)
{
	struct adapter_input *in;
	struct adapter_row row;
	struct rows r;
	size_t n = 0;

	(void)state;
	assert_int_equal(adapter_input_open("tests/data/real/pekanbaru_osm_fire_station.geojson", &in, NULL),
			 BUS_OK);
	assert_int_equal(rows_open(&r, "json", "{rows: features}", in, "properties.name"), BUS_OK);
	for (; rows_next(&r, &row); n++)
		assert_int_equal(row.cell[0].kind, ADAPTER_TEXT);
	assert_int_equal(n, 8);
	rows_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_elements_of_the_array_that_rows_names),
		cmocka_unit_test(gives_a_row_s_own_bytes),
		cmocka_unit_test(an_element_that_is_no_object_is_a_defect),
		cmocka_unit_test(gives_the_rows_before_a_cut),
		cmocka_unit_test(broken_json_is_an_error_with_its_line_and_column),
		cmocka_unit_test(refuses_a_document_without_the_array),
		cmocka_unit_test(rows_may_lie_across_the_pieces_of_a_long_document),
		cmocka_unit_test(reads_the_sample_feed_as_the_truth_says),
		cmocka_unit_test(reads_a_real_document_behind_a_byte_order_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
