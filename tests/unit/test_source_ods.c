#include "adapters/ods_value.h"
#include "adapters/sheet.h"
#include "tests/support/ods_file.h"
#include "tests/support/source_rows.h"

#define SHEET(name, rows) "<table:table table:name=\"" name "\">" rows "</table:table>"
#define ONE(rows) SHEET("Satu", rows)
#define ROW(cells) "<table:table-row>" cells "</table:table-row>"
#define ROWS(n, cells) "<table:table-row table:number-rows-repeated=\"" n "\">" cells "</table:table-row>"
#define EMPTY(n) "<table:table-cell table:number-columns-repeated=\"" n "\"/>"
#define GAP(n) ROWS(n, EMPTY("16384"))
#define CELL(atts, inside) "<table:table-cell " atts ">" inside "</table:table-cell>"
#define P(text) "<text:p>" text "</text:p>"
#define S "office:value-type=\"string\" "
#define T(text) CELL(S, P(text))
#define N(n) CELL("office:value-type=\"float\" office:value=\"" n "\"", P(n))
#define COVERED "<table:covered-table-cell/>"

static void sheets_are(const char *conf, const char *tables, const char *wanted, const char *expected)
{
	char *flat = ods_flat(tables), *got = rows_text("ods", conf, flat, strlen(flat), wanted), *zip;
	size_t n;

	assert_string_equal(got, expected);
	free(got);
	free(flat);
	zip = ods_file(tables, &n);
	got = rows_text("ods", conf, zip, n, wanted);
	assert_string_equal(got, expected);
	free(got);
	free(zip);
}

static void sheets_refused(const char *conf, const char *tables, const char *wanted, const char *part)
{
	size_t n;
	char *zip = ods_file(tables, &n);

	rows_refused("ods", conf, zip, n, wanted, BUS_EDATA, part);
	free(zip);
}

/* A sheet that is damaged behind its header. */
static void sheet_fails(const char *tables, const char *rows, const char *part)
{
	sheets_are("{}", tables, "V", rows);
	if (!strstr(rows_error, part))
		fail_msg("'%s' is not in '%s'", part, rows_error);
}

#define PEOPLE                                                                                               \
	ONE("<table:table-column/>" ROW(T("DAFTAR")) GAP("2")                                                \
		ROW(EMPTY("1") T("NO") T(" NAMA<text:line-break/>"                                           \
					 "LENGKAP ")) ROW(EMPTY("1") N("1") T("BUDI") EMPTY("16381"))        \
		    ROW(EMPTY("3")) GAP("1") ROW(EMPTY("1") N("2") T("SITI") N("99"))                        \
			ROW(EMPTY("1") T("JUMLAH") N("2")) GAP("1048567"))

static void finds_the_header_below_titles_and_passes_over_empty_rows(void **state)
{
	(void)state;
	sheets_are("{}", PEOPLE, "NAMA LENGKAP,NO", "5: BUDI|#1\n8: SITI|#2\n9: #2|JUMLAH\n");
	sheets_are("{header: 4, skip_rows: [{column: NO, prefix: JUM}]}", PEOPLE, "NAMA LENGKAP",
		   "5: BUDI\n8: SITI\n");
	sheets_are("{header_rows: 0, columns: [A, B, C], range: \"B5:D8\"}", PEOPLE, "A,C",
		   "5: #1|\\N\n8: #2|#99\n");
	sheets_are("{until_empty: true}", PEOPLE, "NO", "5: #1\n");
	sheets_are("{end_row: {column: NO, equals: TOTAL}}", PEOPLE, "NO", "5: #1\n8: #2\n9: JUMLAH\ncut\n");
	sheets_refused("{}", PEOPLE, "NO,NAMA LENGKAB", "did you mean 'NAMA LENGKAP'");
	sheets_refused("{}", ONE(""), "NO", "ends before its header");
}

struct sample {
	const char *cell, *becomes;
};

/* A sheet of one column V, a row for each cell. */
static void cells_become(const struct sample *sample, size_t n)
{
	struct bus_buf sheet = { NULL, 0, 0 }, expected = { NULL, 0, 0 };

	bus_buf_puts(&sheet, "<table:table>" ROW(T("V")));
	for (size_t i = 0; i < n; i++) {
		bus_buf_printf(&sheet, ROW("%s"), sample[i].cell);
		bus_buf_printf(&expected, "%zu: %s\n", i + 2, sample[i].becomes);
	}
	bus_buf_puts(&sheet, "</table:table>");
	sheets_are("{}", bus_buf_cstr(&sheet), "V", bus_buf_cstr(&expected));
	bus_buf_release(&sheet);
	bus_buf_release(&expected);
}

#define F(type, value) "office:value-type=\"" type "\" office:value=\"" value "\" "
#define DATE(value) CELL("office:value-type=\"date\" office:date-value=\"" value "\"", P("x"))
#define TIME(value) CELL("office:value-type=\"time\" office:time-value=\"" value "\"", "")
#define BOOLEAN(value) CELL("office:value-type=\"boolean\" office:boolean-value=\"" value "\"", P("x"))
#define FORMULA "table:formula=\"of:=X()\" "
#define STORED(text) "office:string-value=\"" text "\" "
#define ERROR "calcext:value-type=\"error\" "

static void reads_every_type_of_cell(void **state)
{
	static const struct sample samples[] = {
		{ CELL(F("float", "12.50"), P("12,5")), "#12.5" },
		{ CELL(F("percentage", "0.25"), P("25%")), "#0.25" },
		{ CELL(F("currency", "1.5E6") "office:currency=\"IDR\"", P("Rp 1.500.000")), "#1500000" },
		{ CELL(F("float", "1471080101900000"), ""), "~#1471080101900000" },
		{ CELL(F("float", "dua"), ""), "!cell" },
		{ DATE("2023-03-31"), "2023-03-31" },
		{ DATE("2023-03-31T14:29:59.999999651"), "2023-03-31T14:30:00" },
		{ DATE("2023-02-30"), "!day" },
		{ TIME("PT26H05M00S"), "26:05:00" },
		{ TIME("-PT1H"), "!day" },
		{ BOOLEAN("true"), "true" },
		{ BOOLEAN("ya"), "!cell" },
		{ CELL(S STORED("tersimpan"), P("tampak")), "tersimpan" },
		{ CELL("", P("tanpa jenis")), "tanpa jenis" },
	};

	(void)state;
	cells_become(samples, BUS_LEN(samples));
}

static void reads_the_results_of_formulas_and_names_their_errors(void **state)
{
	static const struct sample samples[] = {
		{ CELL(FORMULA F("float", "2"), P("2")), "#2" },
		{ CELL(FORMULA S STORED("V"), P("V")), "V" },
		{ CELL(FORMULA S STORED("") ERROR, P("#N/A")), "!error" },
		{ CELL(ERROR FORMULA S, P("#DIV/0!")), "!error" },
		{ CELL(FORMULA F("float", "0"), P("Err:508")), "!error" },
		{ CELL(FORMULA, ""), "!result" },
		{ T("#N/A"), "#N/A" },
	};

	(void)state;
	cells_become(samples, BUS_LEN(samples));
}

/* ODF 1.3-3, 6.1.2 to 6.1.5; and what stands in a cell without being its text. */
static void text_is_put_together_of_paragraphs_spaces_and_tabs(void **state)
{
#define NOTE "<office:annotation>" P("catatan") "</office:annotation>"
#define DRAWING "<draw:frame><draw:text-box>" P("gambar") "</draw:text-box></draw:frame>"
	static const struct sample samples[] = {
		{ CELL(S, P("satu") P("") P("dua")), "satu\n\ndua" },
		{ T("\n   a\n\t b"), "a b" },
		{ T("a<text:s text:c=\"3\"/>b<text:s/> c"), "a   b  c" },
		{ T("a<text:tab/> b<text:line-break/>c"), "a\t b\nc" },
		{ T("ka<text:span>ta <text:a>tau<text:span>t</text:span></text:a></text:span>an"),
		  "kata tautan" },
		{ CELL(S, NOTE P("isi")), "isi" },
		{ CELL(S, P("x" NOTE "y") DRAWING), "xy" },
		{ T("caf\xc3\xa9 &lt;&#233;&gt;"), "caf\xc3\xa9 <\xc3\xa9>" },
	};

	(void)state;
	cells_become(samples, BUS_LEN(samples));
}

#define TIMES(n) "table:number-columns-repeated=\"" n "\" "

static void repeated_cells_and_rows_are_as_many(void **state)
{
#define HEAD ROW(T("A") T("B") T("C") T("D"))
#define THRICE ROWS("3", N("1") CELL(S TIMES("2"), P("x")) N("4"))
#define FIVES ROW(CELL(F("float", "5") TIMES("4"), ""))
	(void)state;
	sheets_are("{}", ONE(HEAD THRICE GAP("2") FIVES), "A,B,C,D",
		   "2: #1|x|x|#4\n3: #1|x|x|#4\n4: #1|x|x|#4\n7: #5|#5|#5|#5\n");
	/* the last row and column there are */
	sheets_are("{header_rows: 0, columns: [Z], range: \"XFD:XFD\"}",
		   ONE(GAP("1048575") ROW(EMPTY("16383") N("7")) GAP("99")), "Z", "1048576: #7\n");
}

#define IN(name, inside) "<table:" name ">" inside "</table:" name ">"

static void rows_in_groups_are_rows_and_other_tables_are_not(void **state)
{
#define OTHER IN("table", ROW(T("V")))
#define SHAPES IN("shapes", "<draw:frame>" OTHER "</draw:frame>")
#define FIRST IN("table-header-rows", ROW(T("V")))
#define GROUPS IN("table-row-group", IN("table-row-group", ROW(N("1"))) ROW(N("2")))
#define LAST IN("table-rows", ROW(N("3")))
	(void)state;
	sheets_are("{}", IN("tracked-changes", OTHER) IN("table", SHAPES FIRST GROUPS LAST), "V",
		   "2: #1\n3: #2\n4: #3\n");
}

/* Their texts would name every sheet of the other file. */
static void copies_of_other_files_are_no_sheets(void **state)
{
	(void)state;
	sheets_are("{sheet: 2}",
		   ONE(ROW(T("V"))) SHEET("&apos;file:///a.ods&apos;#$Satu", ROW(T("W")))
		       SHEET("Dua", ROW(T("V")) ROW(N("2"))),
		   "V", "2: #2\n");
}

static void chooses_the_sheet_by_name_or_number(void **state)
{
#define THREE                                                                                                \
	ONE(ROW(T("V")) ROW(N("1")))                                                                         \
	SHEET("Dua &amp; Tiga", ROW(T("V")) ROW(N("2")))                                                     \
	"<table:table/>" SHEET("Akhir", ROW(T("V")) ROW(N("4")))
	(void)state;
	sheets_are("{}", THREE, "V", "2: #1\n");
	sheets_are("{sheet: 2}", THREE, "V", "2: #2\n");
	sheets_are("{sheet: dua & tiga}", THREE, "V", "2: #2\n");
	sheets_are("{sheet: Akhir}", THREE, "V", "2: #4\n");
	sheets_are("{sheet: Akhir, fill_merged: true}", THREE, "V", "2: #4\n");
	sheets_refused("{sheet: \"2\"}", THREE, "V", "no sheet '2' among 4");
	sheets_refused("{sheet: Sat}", THREE, "V", "did you mean 'Satu'");
	sheets_refused("{sheet: 3}", THREE, "V", "ends before its header");
	sheets_refused("{}", "", "V", "no sheet '' among 0");
}

#define ACROSS(n) "table:number-columns-spanned=\"" n "\" "
#define DOWN(n) "table:number-rows-spanned=\"" n "\" "
#define MERGED                                                                                               \
	ONE(GAP("1") ROW(CELL(S DOWN("2"), P("TAHUN")) CELL(S ACROSS("2"), P("PRIA")) COVERED CELL(          \
	    S ACROSS("2"), P("WANITA")) COVERED) ROW(COVERED T("ASLI") T("DATANG") T("ASLI") T("DATANG"))    \
		ROW(CELL(F("float", "2022") DOWN("2"), "") N("1")                                            \
			CELL(F("float", "2") ACROSS("2"), "") "<table:covered-table-cell " F(                \
			    "float", "3") "/>" N("4")) ROW(COVERED N("5") N("6")))

static void merged_headers_name_every_column_they_cover(void **state)
{
	(void)state;
	sheets_are("{header_rows: 2}", MERGED, "TAHUN,PRIA / DATANG,WANITA / DATANG",
		   "4: #2022|#2|#4\n5: \\N|#6|\\N\n");
	sheets_are("{header: 2, header_rows: 2}", MERGED, "WANITA / ASLI", "4: \\N\n5: \\N\n");
	sheets_refused("{header_rows: 2}", MERGED, "DATANG", "PRIA / DATANG (C) and WANITA / DATANG (E)");
}

static void merged_cells_of_the_data_are_filled_when_asked(void **state)
{
	(void)state;
	sheets_are("{header_rows: 2, fill_merged: true}", MERGED, "TAHUN,PRIA / DATANG,WANITA / ASLI",
		   "4: #2022|#2|#2\n5: #2022|#6|\\N\n");
}

static void too_many_merged_cells_are_refused_where_they_are_asked_for(void **state)
{
#define CROWD                                                                                                \
	ONE(ROW(CELL(S TIMES("1000"), P("V"))) ROWS("101", CELL(F("float", "1") DOWN("2") TIMES("1000"), "")))
	size_t n;
	char *zip = ods_file(CROWD, &n);
	struct adapter_row row;
	struct rows r;

	(void)state;
	rows_refused("ods", "{header: 1, fill_merged: true, range: \"A:A\"}", zip, n, "V", BUS_EDATA,
		     "more than 100000 merged cells");
	assert_int_equal(rows_open(&r, "ods", "{range: \"A:A\"}", adapter_input_memory(zip, n), "V"), BUS_OK);
	assert_true(rows_next(&r, &row));
	rows_close(&r);
	free(zip);
}

static void a_sheet_larger_than_there_are_is_damaged(void **state)
{
	(void)state;
	sheet_fails(ONE(ROW(T("V")) ROW(N("1")) ROWS("1048575", N("2"))), "2: #1\nerror\n",
		    "more than 1048576 rows");
	sheet_fails(ONE(ROW(T("V")) GAP("99999999") ROW(N("2"))), "error\n", "more than 1048576 rows");
	sheet_fails(ONE(ROW(T("V")) ROW(EMPTY("16384") N("2"))), "error\n", "is too wide");
	sheet_fails(ONE(ROW(T("V")) ROW(N("2")) "<oops>"), "2: #2\nerror\n", "damaged or cut");
}

/* Some 500 bytes that say 16 milliards of cells; and the same by columns alone. */
static void repeating_cannot_be_a_bomb(void **state)
{
	struct bus_buf b = { NULL, 0, 0 };

	(void)state;
	sheet_fails(ONE(ROW(T("V")) ROWS("1048575", CELL(F("float", "1") TIMES("16384"), ""))), "error\n",
		    "a bomb");
	bus_buf_puts(&b, ROW(T("V")));
	for (int i = 0; i < 1100; i++)
		bus_buf_puts(&b, ROW(CELL(F("float", "1") TIMES("16384"), "")));
	{
		char *tables = bus_xasprintf(ONE("%s"), bus_buf_cstr(&b));

		/* As plain text it has bytes enough, packed it has not. */
		sheets_refused("{header: 1100}", tables, "V", "a bomb");
		free(tables);
	}
	bus_buf_reset(&b);
	for (int i = 0; i < 20; i++)
		bus_buf_puts(&b, ROW(T("x<text:s text:c=\"999999\"/>")));
	{
		char *tables = bus_xasprintf(ONE("%s"), bus_buf_cstr(&b));

		sheets_refused("{header: 20}", tables, "V", "a bomb");
		free(tables);
	}
	bus_buf_release(&b);
}

static void one_text_in_very_many_rows_is_a_bomb(void **state)
{
	size_t size = ADAPTER_ROW_MAX - 100, n, rows = 0;
	char *text = bus_xmalloc(size + 1), *tables, *file;
	struct bus_error err = { 0 };
	struct adapter_row row;
	struct rows r;
	enum bus_err rc;

	(void)state;
	memset(text, 'x', size);
	text[size] = '\0';
	tables = bus_xasprintf(ONE(ROW(T("V")) ROWS("1000000", T("%s"))), text);
	file = ods_file(tables, &n);
	assert_int_equal(rows_open(&r, "ods", "{}", adapter_input_memory(file, n), "V"), BUS_OK);
	while ((rc = r.kind->next(r.source, &row, &err)) == BUS_OK)
		rows++;
	assert_int_equal(rc, BUS_EDATA);
	assert_non_null(strstr(err.text, "a bomb"));
	assert_int_equal(rows, 64);
	rows_close(&r);
	free(file);
	free(tables);
	free(text);
}

/* A long text in 16,384 cells of the header; a million spaces told in a few bytes, in each of many. */
static void a_row_over_the_limit_is_a_defect_and_the_next_is_read(void **state)
{
	char *text = bus_xmalloc(ADAPTER_ROW_MAX + 2), *tables;

	(void)state;
	memset(text, 'x', ADAPTER_ROW_MAX + 1);
	text[ADAPTER_ROW_MAX + 1] = '\0';
	tables = bus_xasprintf(ONE(ROW(T("V")) ROW(T("%s")) ROW(N("5"))), text);
	sheets_are("{}", tables, "V", "2! baris_terlalu_panjang\n3: #5\n");
	free(tables);
	text[65536] = '\0';
	tables = bus_xasprintf(ONE(ROW(CELL(S TIMES("16384"), P("%s"))) ROW(T("V"))
				       ROW(CELL(S TIMES("16384"), P("%s"))) ROW(N("5"))),
			       text, text);
	sheets_are("{header: 2}", tables, "V", "3! baris_terlalu_panjang\n4: #5\n");
	free(tables);
	free(text);
	sheets_are("{}",
		   ONE(ROW(T("V")) ROW(T("<text:s text:c=\"999999999\"/>x")
					   T("<text:s text:c=\"999999999\"/>x")) ROW(N("5"))),
		   "V", "2! baris_terlalu_panjang\n3: #5\n");
}

static void bombs_of_bytes_entities_and_depth_are_refused(void **state)
{
	size_t n, size = (size_t)100 * 1024 * 1024;
	char *tables = bus_xmalloc(size + 1), *file;
	struct xlsx_part part = { "content.xml",
				  "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><a>&b;</a>", 0 };
	struct bus_buf deep = { NULL, 0, 0 };

	(void)state;
	memset(tables, ' ', size);
	tables[size] = '\0';
	sheets_refused("{}", tables, "V", "a ZIP bomb");
	free(tables);
	file = xlsx_zip(&part, 1, &n);
	rows_refused("ods", "{}", file, n, "V", BUS_EDATA, "DOCTYPE");
	free(file);
	for (int i = 0; i < 1000; i++)
		bus_buf_puts(&deep, "<a>");
	sheets_refused("{}", bus_buf_cstr(&deep), "V", "deeper than 64");
	bus_buf_release(&deep);
}

static void sheets_beyond_the_limit_are_not_looked_at(void **state)
{
	struct bus_buf b = { NULL, 0, 0 };

	(void)state;
	for (int i = 0; i < ADAPTER_SHEETS_MAX; i++)
		bus_buf_puts(&b, "<table:table/>");
	bus_buf_puts(&b, ONE(ROW(T("V"))));
	sheets_refused("{sheet: Satu}", bus_buf_cstr(&b), "V", "no sheet 'Satu' among 1024");
	bus_buf_release(&b);
}

static void names_the_files_it_does_not_read(void **state)
{
	static const struct {
		const char *part, *text, *says;
	} zips[] = {
		{ "content.xml",
		  "<office:document-content><office:body><office:text><text:p>a</text:p></office:text></"
		  "office:body>"
		  "</office:document-content>",
		  "no spreadsheet" },
		{ "content.xml", "<html><body/></html>", "no OpenDocument" },
		{ "encrypted-package", "x", "encrypted: save it without a password" },
		{ "META-INF/manifest.xml",
		  "<manifest:manifest><manifest:file-entry manifest:full-path=\"content.xml\">"
		  "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>",
		  "encrypted: save it without a password" },
		{ "[Content_Types].xml", "<Types/>", "use kind: xlsx" },
		{ "data.csv", "a,b", "no .ods" },
	};
	char *file, *flat;
	size_t n;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(zips); i++) {
		struct xlsx_part part = { zips[i].part, zips[i].text, 0 };

		file = xlsx_zip(&part, 1, &n);
		rows_refused("ods", "{}", file, n, "V", BUS_EDATA, zips[i].says);
		free(file);
	}
	rows_refused("ods", "{}", "", 0, "V", BUS_EDATA, "empty");
	rows_refused("ods", "{}", "NO;NAMA\n", 8, "V", BUS_EDATA, "kind: delimited");
	rows_refused("ods", "{}", "<html><table>", 13, "V", BUS_EDATA, "HTML");
	rows_refused("ods", "{}", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", 12, "V", BUS_EDATA,
		     "soffice --headless --convert-to xlsx");
	file = ods_file(PEOPLE, &n);
	rows_refused("ods", "{}", file, n / 2, "NO", BUS_EDATA, "cut off");
	rows_refused("xlsx", "{}", file, n, "NO", BUS_EDATA, "use kind: ods");
	free(file);
	flat = ods_flat(PEOPLE);
	rows_refused("ods", "{}", flat, 600, "NO", BUS_EDATA, "damaged or cut");
	free(flat);
}

static void value_is(bool (*fn)(const char *, struct bus_buf *), const char *stored, const char *expected)
{
	struct bus_buf out = { NULL, 0, 0 };

	if (fn(stored, &out) != (expected != NULL))
		fail_msg("'%s'", stored);
	assert_string_equal(bus_buf_cstr(&out), expected ? expected : "");
	bus_buf_release(&out);
}

static void dates_and_times_to_the_millisecond(void **state)
{
	static const char *const dates[][2] = {
		{ "1899-12-30", "1899-12-30" },
		{ "2024-02-29T00:00:00", "2024-02-29T00:00:00" },
		{ "2024-12-31T23:59:59.9999", "2025-01-01T00:00:00" },
		{ "2024-01-02T03:04:05.25Z", "2024-01-02T03:04:05.250" },
		{ "2024-01-02T03:04:05,0004", "2024-01-02T03:04:05" },
		{ "2023-02-29", NULL },
		{ "-0044-03-15", NULL },
		{ "12024-01-01", NULL },
		{ "024-01-01", NULL },
		{ "2024-01-02T24:00:00", NULL },
		{ "2024-01-02T03:04", NULL },
		{ "2024-01-02x", NULL },
		{ "", NULL },
	};
	static const char *const times[][2] = {
		{ "PT14H30M00S", "14:30:00" },
		{ "PT0S", "00:00:00" },
		{ "PT30H", "30:00:00" },
		{ "P1DT2H", "26:00:00" },
		{ "P2D", "48:00:00" },
		{ "PT59M59.9995S", "01:00:00" },
		{ "PT09H15M30.5S", "09:15:30.500" },
		{ "PT90M", "01:30:00" },
		{ "-PT1H", NULL },
		{ "PT", NULL },
		{ "P", NULL },
		{ "P1Y", NULL },
		{ "PT1S2M", NULL },
		{ "PT1.5H", NULL },
		{ "PT99999H", NULL },
		{ "PT1234567890S", NULL },
		{ "14:30:00", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(dates); i++)
		value_is(adapter_ods_date, dates[i][0], dates[i][1]);
	for (size_t i = 0; i < BUS_LEN(times); i++)
		value_is(adapter_ods_time, times[i][0], times[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_header_below_titles_and_passes_over_empty_rows),
		cmocka_unit_test(reads_every_type_of_cell),
		cmocka_unit_test(reads_the_results_of_formulas_and_names_their_errors),
		cmocka_unit_test(text_is_put_together_of_paragraphs_spaces_and_tabs),
		cmocka_unit_test(repeated_cells_and_rows_are_as_many),
		cmocka_unit_test(rows_in_groups_are_rows_and_other_tables_are_not),
		cmocka_unit_test(copies_of_other_files_are_no_sheets),
		cmocka_unit_test(chooses_the_sheet_by_name_or_number),
		cmocka_unit_test(merged_headers_name_every_column_they_cover),
		cmocka_unit_test(merged_cells_of_the_data_are_filled_when_asked),
		cmocka_unit_test(too_many_merged_cells_are_refused_where_they_are_asked_for),
		cmocka_unit_test(a_sheet_larger_than_there_are_is_damaged),
		cmocka_unit_test(repeating_cannot_be_a_bomb),
		cmocka_unit_test(one_text_in_very_many_rows_is_a_bomb),
		cmocka_unit_test(a_row_over_the_limit_is_a_defect_and_the_next_is_read),
		cmocka_unit_test(bombs_of_bytes_entities_and_depth_are_refused),
		cmocka_unit_test(sheets_beyond_the_limit_are_not_looked_at),
		cmocka_unit_test(names_the_files_it_does_not_read),
		cmocka_unit_test(dates_and_times_to_the_millisecond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
