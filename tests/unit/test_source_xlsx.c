#include "tests/support/source_rows.h"
#include "tests/support/xlsx_file.h"

#define T(ref, text) "<c r=\"" ref "\" t=\"inlineStr\"><is><t>" text "</t></is></c>"
#define N(ref, number) "<c r=\"" ref "\"><v>" number "</v></c>"
#define ROW(n, cells) "<row r=\"" n "\">" cells "</row>"
#define DATA(rows) "<sheetData>" rows "</sheetData>"

static char *text_of(const char *conf, const struct xlsx_book *b, const char *wanted)
{
	size_t n;
	char *file = xlsx_file(b, &n), *got = rows_text("xlsx", conf, file, n, wanted);

	free(file);
	return got;
}

static void book_is(const char *conf, const struct xlsx_book *b, const char *wanted, const char *expected)
{
	char *got = text_of(conf, b, wanted);

	assert_string_equal(got, expected);
	free(got);
}

static void sheet_is(const char *conf, const char *sheet, const char *wanted, const char *expected)
{
	book_is(conf, &(struct xlsx_book){ .first = sheet }, wanted, expected);
}

static void book_refused(const char *conf, const struct xlsx_book *b, const char *wanted, const char *part)
{
	size_t n;
	char *file = xlsx_file(b, &n);

	rows_refused("xlsx", conf, file, n, wanted, BUS_EDATA, part);
	free(file);
}

#define PEOPLE                                                                                               \
	DATA(ROW("1", T("A1", "DAFTAR")) ROW("4", T("B4", "NO") T("C4", " NAMA\nLENGKAP "))                  \
		 ROW("5", N("B5", "1") T("C5", "BUDI")) ROW("6", "<c r=\"B6\" s=\"0\"/>")                    \
		     ROW("8", N("B8", "2") T("C8", "SITI") N("D8", "99"))                                    \
			 ROW("9", T("B9", "JUMLAH") N("C9", "2")))

static void finds_the_header_below_titles_and_passes_over_empty_rows(void **state)
{
	(void)state;
	sheet_is("{}", PEOPLE, "NAMA LENGKAP,NO", "5: BUDI|#1\n8: SITI|#2\n9: #2|JUMLAH\n");
	sheet_is("{header: 4, skip_rows: [{column: NO, prefix: JUM}]}", PEOPLE, "NAMA LENGKAP",
		 "5: BUDI\n8: SITI\n");
	sheet_is("{header_rows: 0, columns: [A, B, C], range: \"B5:D8\"}", PEOPLE, "A,C",
		 "5: #1|\\N\n8: #2|#99\n");
	sheet_is("{until_empty: true}", PEOPLE, "NO", "5: #1\n");
	sheet_is("{range: \"B4:C5\"}", PEOPLE, "NO", "5: #1\n");
}

static void an_end_row_that_is_missing_means_cut(void **state)
{
	(void)state;
	sheet_is("{end_row: {column: NO, equals: JUMLAH}}", PEOPLE, "NO", "5: #1\n8: #2\n");
	sheet_is("{end_row: {column: NO, equals: TOTAL}}", PEOPLE, "NO", "5: #1\n8: #2\n9: JUMLAH\ncut\n");
}

static void says_which_column_is_not_there(void **state)
{
	(void)state;
	book_refused("{}", &(struct xlsx_book){ .first = PEOPLE }, "NO,NAMA LENGKAB",
		     "did you mean 'NAMA LENGKAP'");
	book_refused("{header: 5}", &(struct xlsx_book){ .first = PEOPLE }, "NO", "no column 'NO'");
	book_refused("{header: 50}", &(struct xlsx_book){ .first = PEOPLE }, "NO", "ends before its header");
	book_refused("{}", &(struct xlsx_book){ .first = DATA(ROW("1", T("A1", "X") T("B1", "X"))) }, "X",
		     "X (A) and X (B)");
	book_refused("{}", &(struct xlsx_book){ .first = DATA("") }, "NO", "ends before its header");
}

#define MERGED                                                                                               \
	DATA(ROW("2", T("A2", "TAHUN") T("B2", "PRIA") T("D2", "WANITA"))                                    \
		 ROW("3", T("B3", "ASLI") T("C3", "DATANG") T("D3", "ASLI") T("E3", "DATANG"))               \
		     ROW("4", N("A4", "2022") N("B4", "1") N("C4", "2") N("D4", "3") N("E4", "4"))           \
			 ROW("5", N("B5", "5") N("C5", "6")))                                                \
	"<mergeCells><mergeCell ref=\"D2:E2\"/><mergeCell ref=\"A2:A3\"/><mergeCell ref=\"B2:C2\"/>"         \
	"<mergeCell ref=\"A4:A5\"/><mergeCell ref=\"C4:D4\"/><mergeCell ref=\"nonsense\"/></mergeCells>"

static void merged_headers_name_every_column_they_cover(void **state)
{
	(void)state;
	sheet_is("{header_rows: 2}", MERGED, "TAHUN,PRIA / DATANG,WANITA / DATANG",
		 "4: #2022|#2|#4\n5: \\N|#6|\\N\n");
	sheet_is("{header: 2, header_rows: 2}", MERGED, "WANITA / ASLI", "4: #3\n5: \\N\n");
	book_refused("{header_rows: 2}", &(struct xlsx_book){ .first = MERGED }, "DATANG",
		     "PRIA / DATANG (C) and WANITA / DATANG (E)");
}

static void merged_cells_of_the_data_are_filled_when_asked(void **state)
{
	(void)state;
	sheet_is("{header_rows: 2, fill_merged: true}", MERGED, "TAHUN,PRIA / DATANG,WANITA / ASLI",
		 "4: #2022|#2|#3\n5: #2022|#6|\\N\n");
}

/* They cannot overlap; a file in which they do costs no more than one in which they do not. */
static void merged_cells_that_overlap_are_ignored(void **state)
{
	(void)state;
	sheet_is(
	    "{fill_merged: true, header: 1}",
	    DATA(ROW("1", T("A1", "A") T("B1", "B") T("C1", "C")) ROW("2",
								      N("A2", "1") N("B2", "2") N("C2", "3"))
		     ROW("3",
			 N("C3", "4"))) "<mergeCells><mergeCell ref=\"A2:XFD9\"/><mergeCell ref=\"B2:B9\"/>"
					"<mergeCell ref=\"B2:XFD1048576\"/></mergeCells>",
	    "A,B,C", "2: #1|#2|#3\n3: #1|#1|#4\n");
}

static void reads_every_type_of_cell(void **state)
{
	const struct xlsx_book b = {
		.first = DATA(ROW(
		    "1",
		    T("A1",
		      "V")) "<row><c t=\"s\"><v>1</v></c></row>"
			    "<row><c t=\"s\"><v>2</v></c></row>" ROW(
				"4", "<c r=\"A4\" t=\"str\"><f>A1&amp;\"x\"</f><v>Vx</v></c>")
				  ROW("5", "<c r=\"A5\" t=\"b\"><v>1</v></c>")
				      ROW("6", "<c r=\"A6\" t=\"e\"><v>#N/A</v></c>") ROW(
					  "7", "<c r=\"A7\"><f>SUM(A1:A2)</f></c>")
					  ROW("8", "<c r=\"A8\"><f>1+1</f><v/></c>") ROW(
					      "9", "<c r=\"A9\" t=\"s\"><v>77</v></c>")
					      ROW("10", "<c r=\"A10\" s=\"1\"><v>45016</v></c>") ROW(
						  "11", "<c r=\"A11\" s=\"1\"><v>60</v></c>")
						  ROW("12", "<c r=\"A12\"><v>zwei</v></c>") ROW(
						      "13", "<c r=\"A13\" "
							    "t=\"d\"><v>2023-03-31T10:00:00</v></c>")
						      ROW("14",
							  "<c r=\"A14\"><v>1.47108010190000E+15</v></c>")
							  ROW("15", "<c r=\"A15\" "
								    "t=\"inlineStr\"><is><r><t>ka</t></"
								    "r><r><rPr><b/"
								    "></rPr><t xml:space=\"preserve\">ta "
								    "</t></r><rPh><t>no</t></rPh></is></c>")
							      ROW("16",
								  "<c r=\"A16\" s=\"2\"><v>45016.5</v></c>")),
		.strings = "<si><t>nol</t></si><si><t>sa&#xE9;_x000D_tu</t></si>"
			   "<si><r><t>du</t></r><rPh><t>x</t></rPh><r><t>a</t></r></si>",
		.styles =
		    "<numFmts><numFmt numFmtId=\"164\" formatCode=\"dd\\/mm\\/yyyy\\ hh:mm\"/></numFmts>"
		    "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
		    "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs>",
	};

	(void)state;
	book_is("{}", &b, "V",
		"2: sa\xc3\xa9\rtu\n3: dua\n4: Vx\n5: true\n6: !error\n7: !result\n8: !result\n9: !cell\n"
		"10: 2023-03-31\n11: !day\n12: !cell\n13: 2023-03-31T10:00:00\n14: ~#1471080101900000\n15: "
		"kata \n"
		"16: 2023-03-31T12:00:00\n");
}

static void reads_the_1904_system_and_strict_files(void **state)
{
	struct xlsx_book b = { .first = DATA(ROW("1", T("A1", "V"))
						 ROW("2", "<c r=\"A2\" s=\"0\"><v>43554</v></c>")),
			       .styles = "<cellXfs><xf numFmtId=\"14\"/></cellXfs>",
			       .book = "date1904=\"true\"",
			       .base = XLSX_STRICT };

	(void)state;
	book_is("{}", &b, "V", "2: 2023-03-31\n");
}

static void chooses_the_sheet_by_name_or_number(void **state)
{
	const struct xlsx_book b = { .first = DATA(ROW("1", T("A1", "V")) ROW("2", N("A2", "1"))),
				     .second = DATA(ROW("1", T("A1", "V")) ROW("2", N("A2", "2"))) };

	(void)state;
	book_is("{}", &b, "V", "2: #1\n");
	book_is("{sheet: 2}", &b, "V", "2: #2\n");
	book_is("{sheet: dua & tiga}", &b, "V", "2: #2\n");
	book_refused("{sheet: \"2\"}", &b, "V", "no sheet '2' among 2");
	book_refused("{sheet: Sat}", &b, "V", "did you mean 'Satu'");
}

static void a_sheet_out_of_order_is_damaged(void **state)
{
	(void)state;
	sheet_is("{}", DATA(ROW("1", T("A1", "V")) ROW("3", N("A3", "1")) ROW("3", N("A3", "2"))), "V",
		 "3: #1\nerror\n");
	assert_non_null(strstr(rows_error, "row number after 3"));
	sheet_is("{}", DATA(ROW("1", T("A1", "V")) ROW("2", N("B2", "1") N("A2", "2"))), "V", "error\n");
	assert_non_null(strstr(rows_error, "out of order"));
	sheet_is("{}", DATA(ROW("1", T("A1", "V")) ROW("1048577", "")), "V", "error\n");
	sheet_is("{}", DATA(ROW("1", T("A1", "V")) ROW("2", N("XFE2", "1"))), "V", "error\n");
	sheet_is("{}", DATA(ROW("1", T("A1", "V")) ROW("2", N("A2", "1"))) "<oops>", "V", "2: #1\nerror\n");
}

static void entities_and_depth_are_refused(void **state)
{
	static const char bomb[] = "<!DOCTYPE sst [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
				   "<sst><si><t>&b;</t></si></sst>";
	static const char rels[] = "<Relationships><Relationship Id=\"a\" Type=\"x/officeDocument\" "
				   "Target=\"w.xml\"/></Relationships>";
	struct xlsx_part parts[] = { { "_rels/.rels", rels, 0 },
				     { "w.xml", bomb, 0 },
				     { "_rels/w.xml.rels", rels, 0 } };
	struct bus_buf deep = { NULL, 0, 0 };
	size_t n;
	char *file = xlsx_zip(parts, 3, &n);

	(void)state;
	rows_refused("xlsx", "{}", file, n, "V", BUS_EDATA, "DOCTYPE");
	free(file);
	for (int i = 0; i < 1000; i++)
		bus_buf_puts(&deep, "<a>");
	parts[1].text = bus_buf_cstr(&deep);
	file = xlsx_zip(parts, 3, &n);
	rows_refused("xlsx", "{}", file, n, "V", BUS_EDATA, "deeper than 64");
	free(file);
	bus_buf_release(&deep);
}

/* 100 MB of spaces in 100 KB; and a tag that does not end. */
static void bombs_of_bytes_are_refused(void **state)
{
	size_t n, size = (size_t)100 * 1024 * 1024;
	char *sheet = bus_xmalloc(size + 1), *file;
	struct xlsx_book b = { .first = sheet };

	(void)state;
	memset(sheet, ' ', size);
	sheet[size] = '\0';
	book_refused("{}", &b, "V", "a ZIP bomb");
	memset(sheet, 'a', size / 10);
	sheet[0] = '<';
	sheet[size / 10] = '\0';
	file = xlsx_file(&b, &n);
	rows_refused("xlsx", "{}", file, n, "V", BUS_EDATA, "a tag over 1 MiB");
	free(file);
	free(sheet);
}

/* A long text in a cell that is merged over all 16,384 columns would be the name of each. */
static void a_header_whose_names_would_fill_the_memory_is_refused(void **state)
{
	size_t size = 64 * 1024;
	char *text = bus_xmalloc(size + 1), *strings;

	(void)state;
	memset(text, 'x', size);
	text[size] = '\0';
	strings = bus_xasprintf("<si><t>%s</t></si>", text);
	book_refused("{header_rows: 2}",
		     &(struct xlsx_book){
			 .first = DATA(ROW("1", "<c r=\"A1\" t=\"s\"><v>0</v></c>") ROW(
			     "2", T("A2", "NO") T("XFD2", "X"))) "<mergeCells>"
								 "<mergeCell ref=\"A1:XFD1\"/></mergeCells>",
			 .strings = strings },
		     "NO", "the header in row 1 is too long");
	free(strings);
	free(text);
}

/* Each row is lawful, and all say the same string: a few kilobytes would become gigabytes of records. */
static void one_string_in_very_many_rows_is_a_bomb(void **state)
{
	size_t size = ADAPTER_ROW_MAX - 100, n, rows = 0;
	char *text = bus_xmalloc(size + 1), *strings, *file;
	struct bus_buf sheet = { NULL, 0, 0 };
	struct bus_error err = { 0 };
	struct adapter_row row;
	struct rows r;
	enum bus_err rc;

	(void)state;
	memset(text, 'x', size);
	text[size] = '\0';
	strings = bus_xasprintf("<si><t>%s</t></si>", text);
	bus_buf_puts(&sheet, "<sheetData>" ROW("1", T("A1", "V")));
	for (int i = 0; i < 100; i++)
		bus_buf_puts(&sheet, "<row><c t=\"s\"><v>0</v></c></row>");
	bus_buf_puts(&sheet, "</sheetData>");
	file = xlsx_file(&(struct xlsx_book){ .first = bus_buf_cstr(&sheet), .strings = strings }, &n);
	assert_int_equal(rows_open(&r, "xlsx", "{}", adapter_input_memory(file, n), "V"), BUS_OK);
	while ((rc = r.kind->next(r.source, &row, &err)) == BUS_OK) {
		assert_int_equal(row.cell[0].text.n, size);
		rows++;
	}
	assert_int_equal(rc, BUS_EDATA);
	assert_non_null(strstr(err.text, "a bomb"));
	assert_int_equal(rows, 64);
	rows_close(&r);
	bus_buf_release(&sheet);
	free(file);
	free(strings);
	free(text);
}

/* A ZIP64 directory: its end record is `far` bytes before the locator that says where it is, and a record that counts
 * one part stands at the end as a decoy. */
static void a_directory_of_too_many_parts_is_refused_wherever_its_end_lies(void **state)
{
	static const size_t far[] = { 56, 200000 };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(far); i++) {
		size_t n = 4 + far[i] + 56 + 20 + 22;
		char *file = bus_xcalloc(1, n), *locator = file + 4 + far[i] + 56;
		uint64_t at = 4, many = 1000000, one = 1;

		memcpy(file, "PK\3\4", 4);
		memcpy(file + 4, "PK\6\6", 4);
		memcpy(file + 4 + 32, &many, 8);
		memcpy(locator - 56, "PK\6\6", 4);
		memcpy(locator - 56 + 32, &one, 8);
		memcpy(locator, "PK\6\7", 4);
		memcpy(locator + 8, &at, 8);
		memcpy(locator + 20, "PK\5\6", 4);
		rows_refused("xlsx", "{}", file, n, "V", BUS_EDATA, "more than 65,534 parts");
		free(file);
	}
}

static void a_row_over_the_limit_is_a_defect_and_the_next_is_read(void **state)
{
	char *long_text = bus_xmalloc(ADAPTER_ROW_MAX + 2), *sheet;

	(void)state;
	memset(long_text, 'x', ADAPTER_ROW_MAX + 1);
	long_text[ADAPTER_ROW_MAX + 1] = '\0';
	sheet = bus_xasprintf(
	    "<sheetData><row><c t=\"inlineStr\"><is><t>V</t></is></c></row>"
	    "<row><c t=\"inlineStr\"><is><t>%s</t></is></c></row><row><c><v>5</v></c></row></sheetData>",
	    long_text);
	sheet_is("{}", sheet, "V", "2! baris_terlalu_panjang\n3: #5\n");
	free(sheet);
	sheet = bus_xasprintf("<si><t>%s</t></si>", long_text);
	book_is("{}",
		&(struct xlsx_book){
		    .first = DATA(ROW("1", T("A1", "V")) ROW("2", "<c r=\"A2\" t=\"s\"><v>0</v></c>")),
		    .strings = sheet },
		"V", "2! baris_terlalu_panjang\n");
	free(sheet);
	free(long_text);
}

/* 200,000 strings of 100 bytes: more than is kept in memory. */
static void strings_beyond_memory_are_read_from_a_file(void **state)
{
	struct bus_buf strings = { NULL, 0, 0 }, sheet = { NULL, 0, 0 }, expected = { NULL, 0, 0 };

	(void)state;
	bus_buf_puts(&sheet, "<sheetData>" ROW("1", T("A1", "V")));
	for (int i = 0; i < 200000; i++)
		bus_buf_printf(&strings, "<si><t>%0100d</t></si>", i);
	for (int i = 0; i < 200000; i += 19997) {
		bus_buf_printf(&sheet, "<row><c t=\"s\"><v>%d</v></c></row>", i);
		bus_buf_printf(&expected, "%d: %0100d\n", i / 19997 + 2, i);
	}
	bus_buf_puts(&sheet, "</sheetData>");
	book_is("{}", &(struct xlsx_book){ .first = bus_buf_cstr(&sheet), .strings = bus_buf_cstr(&strings) },
		"V", bus_buf_cstr(&expected));
	bus_buf_release(&strings);
	bus_buf_release(&sheet);
	bus_buf_release(&expected);
}

static void a_damaged_or_cut_file_is_refused(void **state)
{
	size_t n;
	char *file = xlsx_file(&(struct xlsx_book){ .first = PEOPLE }, &n);

	(void)state;
	rows_refused("xlsx", "{}", file, n / 2, "NO", BUS_EDATA, "cut off");
	rows_refused("xlsx", "{}", file, 30, "NO", BUS_EDATA, "cut off");
	free(file);
}

static void names_the_files_it_does_not_read(void **state)
{
	static const struct {
		const char *part, *says;
	} zips[] = { { "xl/workbook.bin", ".xlsb is not supported" },
		     { "content.xml", "use kind: ods" },
		     { "word/document.xml", "Word" },
		     { "data.csv", "no .xlsx" } };
	static const struct {
		const char *bytes;
		size_t n;
		const char *says;
	} foreign[] = { { "", 0, "empty" },
			{ "NO;NAMA\n", 8, "kind: delimited" },
			{ "%PDF-1.7\n", 9, "PDF" },
			{ "<html><table>", 13, "HTML" },
			{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", 12, "soffice --headless --convert-to xlsx" } };
	char ole[8192] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

	(void)state;
	for (size_t i = 0; i < BUS_LEN(zips); i++) {
		struct xlsx_part part = { zips[i].part, "x", 0 };
		size_t n;
		char *file = xlsx_zip(&part, 1, &n);

		rows_refused("xlsx", "{}", file, n, "NO", BUS_EDATA, zips[i].says);
		free(file);
	}
	for (size_t i = 0; i < BUS_LEN(foreign); i++)
		rows_refused("xlsx", "{}", foreign[i].bytes, foreign[i].n, "NO", BUS_EDATA, foreign[i].says);
	/* [MS-CFB]: sectors of 512 bytes, the directory in sector 2; [MS-OFFCRYPTO] 2.3.4.4: EncryptedPackage. */
	ole[30] = 9;
	ole[48] = 2;
	memcpy(ole + 1536 + 256, "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", 32);
	rows_refused("xlsx", "{}", ole, sizeof(ole), "NO", BUS_EDATA, "encrypted");
}

static void says_where_an_option_is_wrong(void **state)
{
	static const char *const wrong[][2] = {
		{ "range: B5", "as on the sheet" },
		{ "range: \"F5:B\"", "as on the sheet" },
		{ "range: \"B5:F2\"", "as on the sheet" },
		{ "header: nol", "conf.yaml:1" },
		{ "header: 0", "conf.yaml:1" },
		{ "{header: 3, range: \"A5:B\"}", "outside of range" },
		{ "header_rows: 0", "needs columns" },
		{ "columns: [A]", "header_rows: 0" },
		{ "{header_rows: 0, columns: [{a: 1}]}", "scalar" },
		{ "sheet: [1]", "conf.yaml:1" },
		{ "shet: 1", "sheet" },
		{ "skip_rows: [{column: A}]", "exactly one of" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(wrong); i++)
		rows_refused("xlsx", wrong[i][0], NULL, 0, "", BUS_EPARSE, wrong[i][1]);
	rows_refused("xlsx", "{header_rows: 0, columns: [KODE, NAMA]}", NULL, 0, "KODEE", BUS_EPARSE,
		     "did you mean 'KODE'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_header_below_titles_and_passes_over_empty_rows),
		cmocka_unit_test(an_end_row_that_is_missing_means_cut),
		cmocka_unit_test(says_which_column_is_not_there),
		cmocka_unit_test(merged_headers_name_every_column_they_cover),
		cmocka_unit_test(merged_cells_of_the_data_are_filled_when_asked),
		cmocka_unit_test(merged_cells_that_overlap_are_ignored),
		cmocka_unit_test(reads_every_type_of_cell),
		cmocka_unit_test(reads_the_1904_system_and_strict_files),
		cmocka_unit_test(chooses_the_sheet_by_name_or_number),
		cmocka_unit_test(a_sheet_out_of_order_is_damaged),
		cmocka_unit_test(entities_and_depth_are_refused),
		cmocka_unit_test(bombs_of_bytes_are_refused),
		cmocka_unit_test(a_header_whose_names_would_fill_the_memory_is_refused),
		cmocka_unit_test(one_string_in_very_many_rows_is_a_bomb),
		cmocka_unit_test(a_directory_of_too_many_parts_is_refused_wherever_its_end_lies),
		cmocka_unit_test(a_row_over_the_limit_is_a_defect_and_the_next_is_read),
		cmocka_unit_test(strings_beyond_memory_are_read_from_a_file),
		cmocka_unit_test(a_damaged_or_cut_file_is_refused),
		cmocka_unit_test(names_the_files_it_does_not_read),
		cmocka_unit_test(says_where_an_option_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
