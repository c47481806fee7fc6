#include "tests/support/source_rows.h"

/* D: 1 type, 2-4 code, 5-8 amount, 9-10 name. T: 2-3 records, 4-8 sum. */
#define CONF                                                                                                 \
	"{encoding: latin-1, header: {record: H}, data: {record: D, length: 10, "                            \
	"fields: {KODE: [2, 4], JUMLAH: [5, 8], NAMA: [9, 10]}}, "                                           \
	"trailer: {record: T, controls: {baris: {at: [2, 3], count: true}, jumlah: {at: [4, 8], sum: "       \
	"JUMLAH}}}}"

static void cuts_fields_out_by_their_bytes(void **state)
{
	(void)state;
	rows_are("fixed", CONF, "H1\r\nD0010100AB\r\nD0020023 C\r\nT0200123\r\n", "NAMA,KODE",
		 "2: AB|001\n3:  C|002\nbaris 2/2\njumlah 123/123\n");
	rows_are("fixed", "{data: {record: D, length: 3, fields: {A: [2, 3], B: [3, 3]}}}", "D12\nD34\n",
		 "A,B", "1: 12|2\n2: 34|4\n");
}

static void counts_bytes_before_decoding(void **state)
{
	(void)state;
	rows_are("fixed", CONF, "H\nD0010100\xc9\xe9\nT0100100\n", "NAMA",
		 "2: \xc3\x89\xc3\xa9\nbaris 1/1\njumlah 100/100\n");
}

static void a_record_of_another_length_is_counted_but_not_summed(void **state)
{
	(void)state;
	rows_are("fixed", CONF, "H\nD0010100AB\nD0010100A\nD0010100ABC\nT0300100\n", "KODE",
		 "2: 001\n3! panjang_salah\n4! panjang_salah\nbaris 3/3\njumlah 100/100\n");
}

static void shows_control_totals_that_do_not_match(void **state)
{
	(void)state;
	rows_are("fixed", CONF, "H\nD0010100AB\nT0200099\n", "KODE", "2: 001\nbaris 2/1\njumlah 99/100\n");
}

static void a_file_without_its_trailer_is_cut(void **state)
{
	(void)state;
	rows_are("fixed", CONF, "H\nD0010100AB\nD001", "KODE", "2: 001\n3! panjang_salah\ncut\n");
	rows_are("fixed", CONF, "H\nD0010100AB\nT02", "KODE", "2: 001\nbaris 2/1\ncut\n");
	rows_are("fixed", CONF, "H\nT0x00000\n", "KODE", "jumlah 0/0\ncut\n");
}

static void other_records_and_lines_after_the_trailer_are_defects(void **state)
{
	(void)state;
	rows_are("fixed", CONF, "H\nX\n\n  \nT0000000\n\nD0010100AB\n", "KODE",
		 "2! baris_rusak\n7! baris_rusak\nbaris 0/0\njumlah 0/0\n");
}

static void refuses_a_file_without_its_header(void **state)
{
	(void)state;
	rows_refused("fixed", CONF, "D0010100AB\n", 11, "KODE", BUS_EDATA, "header record 'H'");
	rows_refuses_foreign_files("fixed", CONF, "KODE");
}

static void a_line_over_the_limit_is_a_defect(void **state)
{
	size_t n = 2 * ADAPTER_ROW_MAX;
	char *text = bus_xmalloc(n), *got;

	(void)state;
	memset(text, '1', n);
	memcpy(text, "H\nD", 3);
	memcpy(text + n - 21, "\nD0010100AB\nT0200100\n", 21);
	got = rows_text("fixed", CONF, text, n, "KODE");
	assert_string_equal(got, "2! baris_terlalu_panjang\n3: 001\nbaris 2/2\njumlah 100/100\n");
	free(got);
	free(text);
}

static void reads_a_printed_list_without_record_types(void **state)
{
	(void)state;
	rows_are("fixed",
		 "title_rows: 3\nskip_rows: [{column: A, prefix: JUMLAH}, {filled: 1}]\n"
		 "data: {length: 12, shorter: true, fields: {A: [1, 6], B: [8, 12]}}",
		 "DAFTAR\nNAMA   NILAI\n------ -----\nBUDI      12\nADI    7\nKELAS\n\nJUMLAH    19\nTUTI   "
		 "1234567\n",
		 "A,B", "4: BUDI  |   12\n5: ADI   |7\n9! panjang_salah\n");
}

static void says_where_an_option_is_wrong(void **state)
{
	static const struct {
		const char *conf;
		const char *part;
	} wrong[] = {
		{ "encoding: latin-1", "needs data" },
		{ "data: {record: D, length: 5, fields: {A: [2, 6]}}", "outside a record of 5 bytes" },
		{ "data: {record: D, length: 5, fields: {A: [0, 2]}}", "counts from 1" },
		{ "data: {record: D, length: 5, fields: {A: [3, 2]}}", "counts from 1" },
		{ "data: {record: D, length: 5, fields: {A: [1]}}", "[from, to]" },
		{ "data: {record: D, length: 5, fields: {A: [1, x]}}", "[from, to]" },
		{ "data: {record: D, length: 0, fields: {A: [1, 2]}}", "conf.yaml:1" },
		{ "data: {length: 5, fields: {A: [1, 2]}}\nskip_rows: [{column: B, empty: true}]",
		  "no field 'B'" },
		{ "data: {record: D, length: 5, fields: {ABC: [1, 2]}}\n"
		  "trailer:\n  record: T\n  controls:\n    x: {at: [1, 2], sum: ABD}\n",
		  "conf.yaml:5: data has no field 'ABD'; did you mean 'ABC'" },
		{ "data: {record: D, length: 5, fields: {ABC: [1, 2]}}\n"
		  "trailer: {record: T, controls: {x: {at: [1, 2]}}}",
		  "one of count" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(wrong); i++)
		rows_refused("fixed", wrong[i].conf, NULL, 0, "", BUS_EPARSE, wrong[i].part);
	rows_refused("fixed", CONF, NULL, 0, "KODEE", BUS_EPARSE, "did you mean 'KODE'");
}

/* The layout and the totals are those of the feed's description; its T record says 2,445 records. */
static void reads_the_sample_feed_as_the_truth_says(void **state)
{
	(void)state;
	rows_feed("fixed",
		  "{encoding: latin-1, header: {record: H}, data: {record: D, length: 163, fields: "
		  "{NOP: [2, 19], TERUTANG: [131, 142], BAYAR: [143, 154]}}, trailer: {record: T, controls: "
		  "{baris: {at: [2, 11], count: true}, terutang: {at: [12, 29], sum: TERUTANG}, "
		  "bayar: {at: [30, 47], sum: BAYAR}}}}",
		  "bapenda_pbb.txt", "NOP,TERUTANG", "panjang_salah", NULL, 2445, 2447,
		  "baris 2445/2445\nterutang 1034351755/1034351755\nbayar 791023149/791023149\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_fields_out_by_their_bytes),
		cmocka_unit_test(counts_bytes_before_decoding),
		cmocka_unit_test(a_record_of_another_length_is_counted_but_not_summed),
		cmocka_unit_test(shows_control_totals_that_do_not_match),
		cmocka_unit_test(a_file_without_its_trailer_is_cut),
		cmocka_unit_test(other_records_and_lines_after_the_trailer_are_defects),
		cmocka_unit_test(refuses_a_file_without_its_header),
		cmocka_unit_test(a_line_over_the_limit_is_a_defect),
		cmocka_unit_test(reads_a_printed_list_without_record_types),
		cmocka_unit_test(says_where_an_option_is_wrong),
		cmocka_unit_test(reads_the_sample_feed_as_the_truth_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
