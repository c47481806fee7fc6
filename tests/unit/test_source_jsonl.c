#include "tests/support/source_rows.h"

static void reads_members_by_path(void **state)
{
	(void)state;
	rows_are("jsonl", "{}",
		 "{\"id\":\"A\",\"f\":{\"k\":\"1\",\"n\":null},\"l\":[1],\"t\":true}\n"
		 "{\"f\":{\"x\":{}},\"id\":\"B\"}\n{\"f\":null}\n",
		 "id,f.k,f.n,l,t,f.x,f", "1: A|1|\\N|[]|true|?|{}\n2: B|?|?|?|?|{}|{}\n3: ?|?|?|?|?|?|\\N\n");
}

static void items_of_an_array_are_read_by_number(void **state)
{
	(void)state;
	rows_are(
	    "jsonl", "{}",
	    "{\"t\":[\"a\",{\"k\":\"b\"},[1,2]],\"g\":{\"type\":\"Point\",\"coordinates\":[101.50,0.5]}}\n"
	    "{\"t\":{\"0\":\"x\"},\"g\":{\"type\":\"Point\"}}\n",
	    "t.0,t.1.k,t.2.1,t.3,g.@lon,g.@lat,g.coordinates.1",
	    "1: a|b|#2|?|#101.50|#0.5|#0.5\n2: x|?|?|?|?|?|?\n");
}

static void a_number_keeps_its_digits(void **state)
{
	(void)state;
	/* over 2^53: a double would end in 2 */
	rows_are("jsonl", "{}", "{\"nik\":9471145201239001}\n{\"nik\":1.50e+3}\n", "nik",
		 "1: #9471145201239001\n2: #1.50e+3\n");
}

static void undoes_escapes(void **state)
{
	(void)state;
	rows_are("jsonl", "{}", "{\"a\":\"SU\\u2019A\\n\\ud83d\\ude00\"}\n", "a",
		 "1: SU\xe2\x80\x99"
		 "A\n\xf0\x9f\x98\x80\n");
}

static void a_line_that_is_no_object_is_a_defect(void **state)
{
	(void)state;
	rows_are(
	    "jsonl", "{}",
	    "{\"a\":1}\n{\"a\":\n[1]\n\n{\"a\":\"\xe9\"}\n{\"a\":1}x\n{\"a\":1,\"a\":2}\n {\"a\":2} \r\n",
	    "a", "1: #1\n2! json_rusak\n3! json_rusak\n5! json_rusak\n6! json_rusak\n7! json_rusak\n8: #2\n");
	rows_are("jsonl", "{defect: rusak}", "x\n", "a", "1! rusak\n");
}

static void the_detail_names_the_column_and_none_of_the_data(void **state)
{
	static const char text[] = "{\"nik\":\"1471145201239001\n";
	struct adapter_row row;
	struct rows r;

	(void)state;
	assert_int_equal(rows_open(&r, "jsonl", "{}", adapter_input_memory(text, sizeof(text) - 1), "nik"),
			 BUS_OK);
	assert_true(rows_next(&r, &row));
	assert_non_null(strstr(row.detail, "column 25"));
	assert_null(strstr(row.detail, "1471"));
	rows_close(&r);
}

static void a_broken_last_line_without_its_end_means_a_cut_file(void **state)
{
	(void)state;
	rows_are("jsonl", "{}", "{\"a\":1}\n{\"a\":", "a", "1: #1\n2! json_rusak\ncut\n");
	rows_are("jsonl", "{}", "{\"a\":1}\n{\"a\":2}", "a", "1: #1\n2: #2\n");
	rows_are("jsonl", "{}", "\xef\xbb\xbf{\"a\":1}", "a", "1: #1\n");
}

static void lines_over_a_limit_are_defects(void **state)
{
	size_t n = 2 * ADAPTER_ROW_MAX;
	char *text = bus_xmalloc(n), *got;

	(void)state;
	memset(text, '[', n);
	text[n / 4] = '\n'; /* half a MiB of brackets: too deep */
	memcpy(text + n - 9, "\n{\"a\":1}\n", 9);
	got = rows_text("jsonl", "{}", text, n, "a");
	assert_string_equal(got, "1! json_rusak\n2! baris_terlalu_panjang\n3: #1\n");
	free(got);
	/* a million small values would take a hundred times their bytes */
	memset(text, '0', n);
	memcpy(text, "{\"a\":[0", 7);
	for (size_t i = 7; i + 20 < ADAPTER_ROW_MAX; i += 2)
		text[i] = ',';
	memcpy(text + ADAPTER_ROW_MAX - 10, "]}\n", 3);
	got = rows_text("jsonl", "{}", text, ADAPTER_ROW_MAX - 7, "a");
	assert_string_equal(got, "1! json_rusak\n");
	free(got);
	free(text);
}

static void refuses_foreign_files_and_wrong_options(void **state)
{
	(void)state;
	rows_refuses_foreign_files("jsonl", "{}", "a");
	rows_refused("jsonl", "rows: data", NULL, 0, "a", BUS_EPARSE, "conf.yaml:1");
	rows_refused("jsonl", "{}", NULL, 0, "a..b", BUS_EPARSE, "'a..b' is no path");
}

static void reads_the_sample_feed_as_the_truth_says(void **state)
{
	(void)state;
	rows_feed("jsonl", "{}", "dinkes_kunjungan.jsonl", "id,nik,faskes.kode,diagnosa", "json_rusak", NULL,
		  3026, 3026, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_members_by_path),
		cmocka_unit_test(items_of_an_array_are_read_by_number),
		cmocka_unit_test(a_number_keeps_its_digits),
		cmocka_unit_test(undoes_escapes),
		cmocka_unit_test(a_line_that_is_no_object_is_a_defect),
		cmocka_unit_test(the_detail_names_the_column_and_none_of_the_data),
		cmocka_unit_test(a_broken_last_line_without_its_end_means_a_cut_file),
		cmocka_unit_test(lines_over_a_limit_are_defects),
		cmocka_unit_test(refuses_foreign_files_and_wrong_options),
		cmocka_unit_test(reads_the_sample_feed_as_the_truth_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
