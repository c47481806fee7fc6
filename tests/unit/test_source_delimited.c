#include "tests/support/source_rows.h"

static void reads_rows_by_the_names_of_their_columns(void **state)
{
	(void)state;
	rows_are("delimited", "{}", "a,b,c\n1,2,3\n4,5,6\n", "c,a", "2: 3|1\n3: 6|4\n");
	rows_are("delimited", "{separator: tab}", "a\tb\n1\t2\n", "b", "2: 2\n");
	rows_are("delimited", "{separator: '|', quote: none}", "a|b\n\"1|2\n", "a,b", "2: \"1|2\n");
	rows_are("delimited", "{header_rows: 0, columns: [x, y]}", "1,2\n", "y", "1: 2\n");
}

static void takes_a_bom_crlf_and_a_missing_last_line_end(void **state)
{
	(void)state;
	rows_are("delimited", "{}",
		 "\xef\xbb\xbf"
		 "a,b\r\n1,2\r\n3,4",
		 "a,b", "2: 1|2\n3: 3|4\n");
	rows_are("delimited", "{}", "a,b\n1,\n,2\n", "a,b", "2: 1|\n3: |2\n");
}

/* RFC 4180 section 2, rules 5 to 7. */
static void reads_quoted_fields_with_separators_quotes_and_line_breaks(void **state)
{
	(void)state;
	rows_are("delimited", "{}", "\"aaa\",\"b b\",ccc\n\"x\"\"y\",\"1\r\n2,3\",z\nq,w,e\n", "aaa,b b,ccc",
		 "2: x\"y|1\r\n2,3|z\n4: q|w|e\n");
}

static void names_the_first_line_of_a_row_with_line_breaks_and_keeps_its_bytes(void **state)
{
	static const char text[] = "a,b\r\n1,\"x\r\n\r\ny\"\r\n2,z\r\n";
	struct adapter_row row;
	struct rows r;

	(void)state;
	assert_int_equal(rows_open(&r, "delimited", "{}", adapter_input_memory(text, sizeof(text) - 1), "b"),
			 BUS_OK);
	assert_true(rows_next(&r, &row));
	assert_int_equal(row.line, 2);
	assert_true(bus_str_is(row.raw, "1,\"x\r\n\r\ny\""));
	assert_true(bus_str_is(row.cell[0].text, "x\r\n\r\ny"));
	assert_true(rows_next(&r, &row));
	assert_int_equal(row.line, 5);
	assert_false(rows_next(&r, &row));
	assert_int_equal(adapter_input_lines(r.in), 5);
	rows_close(&r);
}

static void a_stray_quote_costs_its_own_line_only(void **state)
{
	(void)state;
	rows_are("delimited", "{}", "a,b\n1,\"x\n2,y\n3,\"z\"\n", "a,b", "2! baris_rusak\n3: 2|y\n4: 3|z\n");
	rows_are("delimited", "{}", "a,b\n1,\"x\n2,y\n3,z\n", "a,b", "2! baris_rusak\n3: 2|y\n4: 3|z\n");
	rows_are("delimited", "{}", "a,b\n1,\"x\"y\n2,5\" pipa\n", "a,b", "2! baris_rusak\n3: 2|5\" pipa\n");
}

static void a_row_with_another_number_of_fields_is_a_defect(void **state)
{
	(void)state;
	rows_are("delimited", "{}", "a,b\n1\n1,2,3\n1,2\n", "a", "2! baris_rusak\n3! baris_rusak\n4: 1\n");
	rows_are("delimited", "{defect: kolom_salah}", "a,b\n1\n2,3\n", "a", "2! kolom_salah\n3: 2\n");
}

static void a_short_last_line_without_its_end_means_a_cut_file(void **state)
{
	(void)state;
	rows_are("delimited", "{}", "a,b\n1,2\n3", "a", "2: 1\n3! baris_rusak\ncut\n");
	rows_are("delimited", "{}", "a,b\n1,2\n3,\"x", "a", "2: 1\n3! baris_rusak\ncut\n");
}

static void reads_single_bytes_that_are_not_utf8_as_windows_1252(void **state)
{
	(void)state;
	/* E9 is e acute, 92 the curly apostrophe U+2019 in Windows-1252; C3 A9 is a valid e acute. */
	rows_are("delimited", "{}",
		 "a,b\nNO\xe9L,\xc3\xa9\nSU\x92"
		 "A,x\nc\xc3\xa9,y\n",
		 "a,b",
		 "2* NO\xc3\xa9L|\xc3\xa9\n3* SU\xe2\x80\x99"
		 "A|x\n4: c\xc3\xa9|y\n");
	rows_are("delimited", "{encoding: windows-1252}", "a\n\xe9\x80\xc3\xa9\n", "a",
		 "2: \xc3\xa9\xe2\x82\xac\xc3\x83\xc2\xa9\n");
	rows_are("delimited", "{encoding: latin-1}", "a\n\xe9\x80\n", "a", "2: \xc3\xa9\xc2\x80\n");
	rows_are("delimited", "{}", "NAM\xc9\nx\n", "NAM\xc3\x89", "2: x\n");
}

static void joins_header_rows_and_lets_merged_cells_reach_right(void **state)
{
	static const char text[] = "JUDUL;;;;\n;;;;\nNO;IDENTITAS;;ALAMAT;\n;NIK;NAMA;NAMA;RT\n1;2;3;4;5\n";
	static const char conf[] = "{separator: ';', title_rows: 2, header_rows: 2}";

	(void)state;
	rows_are("delimited", conf, text, "NO,NIK,RT", "5: 1|2|5\n");
	rows_are("delimited", conf, text, "IDENTITAS / NAMA,ALAMAT / NAMA,ALAMAT / RT,IDENTITAS / NIK",
		 "5: 3|4|5|2\n");
	rows_refused("delimited", conf, text, sizeof(text) - 1, "NAMA", BUS_EDATA, "IDENTITAS / NAMA");
	rows_refused("delimited", conf, text, sizeof(text) - 1, "NIKK", BUS_EDATA, "did you mean 'NIK'");
}

static void passes_over_rows_that_are_declared_to_be_no_data(void **state)
{
	static const char conf[] = "{skip_rows: [{column: b, prefix: JUMLAH}, {column: a, equals: x y}, "
				   "{column: a, empty: true}], end_row: {column: b, equals: TOTAL}}";

	(void)state;
	rows_are("delimited", conf, "a,b\n1,2\n,JUMLAH 3\n x y ,z\n\n ,\n,q\n,TOTAL\n", "a", "2: 1\n");
	rows_are("delimited", conf, "a,b\n1,2\n", "a", "2: 1\ncut\n");
	rows_are("delimited", conf, "a,b\n,TOTAL\n3,4\n", "a", "3: 3\n");
}

static void passes_over_rows_with_few_cells(void **state)
{
	(void)state;
	rows_are("delimited", "{skip_rows: [{filled: 1}, {column: a, prefix: JUMLAH}]}",
		 "a,b,c\n1,x,2\nKEC. TAMPAN,,\n ,, \nSumber: BPS\n2,,3\nJUMLAH,,5\n", "a,c", "2: 1|2\n6: 2|3\n");
}

static void reads_utf16(void **state)
{
	static const char le[] = "\xff\xfe" "a\0;\0b\0\r\0\n\0" "1\0;\0\xe9\0\r\0\n";
	static const char bare[] = "\0a\0;\0b\0\n\0" "1\0;\0" "2\0\n";
	char *got = rows_text("delimited", "{separator: ;}", le, sizeof(le), "b");

	(void)state;
	assert_string_equal(got, "2: \xc3\xa9\n");
	free(got);
	got = rows_text("delimited", "{separator: ;}", bare, sizeof(bare) - 1, "a,b");
	assert_string_equal(got, "2: 1|2\n");
	free(got);
}

static void a_row_over_the_limit_is_a_defect_and_reading_goes_on(void **state)
{
	size_t n = 3 * ADAPTER_ROW_MAX;
	char *text = bus_xmalloc(n), *got;

	(void)state;
	memset(text, 'x', n);
	memcpy(text, "a,b\n1,", 6);
	memcpy(text + n - 5, "\n2,3\n", 5);
	got = rows_text("delimited", "{}", text, n, "a");
	assert_string_equal(got, "2! baris_terlalu_panjang\n3: 2\n");
	free(got);
	/* the same inside a quoted field over many lines: only the first line is lost to the quote */
	for (size_t i = 100; i + 10 < n; i += 100)
		text[i] = '\n';
	text[6] = '"';
	got = rows_text("delimited", "{}", text, n, "a");
	assert_memory_equal(got, "2! baris_rusak\n3! baris_rusak\n", 30);
	assert_non_null(strstr(got, ": 2\n"));
	free(got);
	memset(text, 'x', n);
	rows_refused("delimited", "{}", text, n, "a", BUS_EDATA, "header");
	free(text);
}

static void refuses_files_of_another_kind(void **state)
{
	(void)state;
	rows_refuses_foreign_files("delimited", "{}", "a");
	rows_refused("delimited", "{title_rows: 3}", "a\nb\n", 4, "a", BUS_EDATA, "ends before");
	rows_are("delimited", "{header_rows: 0, columns: [a]}", "x\n", "a", "1: x\n");
}

static void a_nul_byte_further_on_is_a_defect_of_its_row(void **state)
{
	static const char head[] = "a,b\n", tail[] = "1,\0\n2,3\n";
	size_t rows = 20000;
	char *text = bus_xmalloc(4 + rows * 4 + 8), *got;

	(void)state;
	memcpy(text, head, 4);
	for (size_t i = 0; i < rows; i++)
		memcpy(text + 4 + 4 * i, "1,2\n", 4);
	memcpy(text + 4 + rows * 4, tail, 8);
	got = rows_text("delimited", "{}", text, 4 + rows * 4 + 8, "b");
	assert_non_null(strstr(got, "\n20002! baris_rusak\n20003: 3\n"));
	free(got);
	free(text);
}

static void says_where_an_option_is_wrong(void **state)
{
	static const struct {
		const char *conf;
		const char *part;
	} wrong[] = {
		{ "separator: ab", "conf.yaml:1: separator must be one" },
		{ "a_b: 1\n", "conf.yaml:1: " },
		{ "quote: none\nseperator: ';'\n", "conf.yaml:2: " },
		{ "encoding: utf8", "did you mean utf-8" },
		{ "header_rows: 0", "needs columns" },
		{ "columns: [a]", "header_rows: 0" },
		{ "skip_rows:\n- {column: a}\n", "conf.yaml:2: a rule needs exactly one" },
		{ "skip_rows:\n- {prefix: a}\n", "conf.yaml:2: " },
		{ "end_row: x", "a rule is a map" },
		{ "separator: '\"'", "must differ" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(wrong); i++)
		rows_refused("delimited", wrong[i].conf, NULL, 0, "", BUS_EPARSE, wrong[i].part);
	rows_refused("delimited", "{header_rows: 0, columns: [nama]}", NULL, 0, "name", BUS_EPARSE,
		     "conf.yaml:1");
}

static void reads_the_sample_feeds_as_the_truth_says(void **state)
{
	(void)state;
	rows_feed("delimited", "{separator: '|', quote: none}", "disdukcapil_penduduk.psv", "NIK,NAMA_LGKP",
		  "baris_rusak", "encoding", 2045, 2046, "");
	rows_feed("delimited", "{separator: '|', quote: none}", "disdukcapil_peristiwa.psv", "NIK",
		  "baris_rusak", NULL, 254, 255, "");
	rows_feed("delimited",
		  "{separator: ';', title_rows: 3, header_rows: 2, skip_rows: [{column: NO, empty: true}], "
		  "end_row: {column: NAMA PENERIMA, equals: JUMLAH SELURUHNYA}}",
		  "dinsos_bansos.csv", "NO,NIK,NO KK,NAMA PENERIMA,BANTUAN / NOMINAL", "baris_rusak", NULL,
		  158, 182, "");
	rows_feed("delimited", "{encoding: windows-1252}", "disdik_siswa.csv", "nisn,nama_siswa",
		  "baris_rusak", NULL, 383, 384, "");
}

static void reads_a_department_s_real_file(void **state)
{
	struct adapter_input *in;
	struct adapter_row row;
	struct rows r;
	size_t n = 0;

	(void)state;
	assert_int_equal(adapter_input_open("tests/data/real/kemkes_dinas_kesehatan.csv", &in, NULL), BUS_OK);
	assert_int_equal(rows_open(&r, "delimited", "{}", in, "kode_kab,unit_kerja"), BUS_OK);
	for (; rows_next(&r, &row); n++) {
		assert_null(row.defect);
		assert_int_equal(row.cell[0].text.n, 4);
	}
	assert_int_equal(n, 548);
	rows_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rows_by_the_names_of_their_columns),
		cmocka_unit_test(takes_a_bom_crlf_and_a_missing_last_line_end),
		cmocka_unit_test(reads_quoted_fields_with_separators_quotes_and_line_breaks),
		cmocka_unit_test(names_the_first_line_of_a_row_with_line_breaks_and_keeps_its_bytes),
		cmocka_unit_test(a_stray_quote_costs_its_own_line_only),
		cmocka_unit_test(a_row_with_another_number_of_fields_is_a_defect),
		cmocka_unit_test(a_short_last_line_without_its_end_means_a_cut_file),
		cmocka_unit_test(reads_single_bytes_that_are_not_utf8_as_windows_1252),
		cmocka_unit_test(joins_header_rows_and_lets_merged_cells_reach_right),
		cmocka_unit_test(passes_over_rows_that_are_declared_to_be_no_data),
		cmocka_unit_test(passes_over_rows_with_few_cells),
		cmocka_unit_test(reads_utf16),
		cmocka_unit_test(a_row_over_the_limit_is_a_defect_and_reading_goes_on),
		cmocka_unit_test(refuses_files_of_another_kind),
		cmocka_unit_test(a_nul_byte_further_on_is_a_defect_of_its_row),
		cmocka_unit_test(says_where_an_option_is_wrong),
		cmocka_unit_test(reads_the_sample_feeds_as_the_truth_says),
		cmocka_unit_test(reads_a_department_s_real_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
