#include "tests/support/source_rows.h"

#define ROWS "rows: /data/row"

static void reads_elements_attributes_and_text(void **state)
{
	(void)state;
	rows_are("xml", ROWS,
		 "<?xml version=\"1.0\"?>\n<data>\n <row id='1'><a> x </a><b k=\"&lt;v&gt;\">teks<i>di "
		 "dalam</i>ekor</b></row>\n"
		 " <lain><row><a>bukan</a></row></lain>\n <row><a/><a>kedua</a></row>\n</data>\n",
		 "@id,a,b,b/text(),b/@k,b/i,.,c",
		 "3: 1| x |teksdi dalamekor|teksekor|<v>|di dalam| x teksdi dalamekor|?\n"
		 "5: ?||?|?|?|?|kedua|?\n");
}

static void the_first_that_a_path_finds_stands(void **state)
{
	(void)state;
	rows_are("xml", ROWS,
		 "<data><row><t j='hp'>1</t><t j='rumah'>2</t><t "
		 "j='hp'>3</t><u><t>4</t></u><u><t>5</t></u></row></data>",
		 "t,t[3],t[@j='rumah'],t[@j='hp'][2],u/t,u[2]/t,*[2],t[4]", "1: 1|3|2|3|4|5|2|?\n");
}

static void names_with_a_prefix_are_of_their_namespace(void **state)
{
	(void)state;
	rows_are("xml",
		 "rows: /s:Envelope/s:Body/*/p:row\n"
		 "namespaces: {s: 'http://schemas.xmlsoap.org/soap/envelope/', p: 'urn:p'}",
		 "<x:Envelope xmlns:x='http://schemas.xmlsoap.org/soap/envelope/'><x:Body><r xmlns='urn:p'>"
		 "<row xmlns:q='urn:q' q:id='a' id='b'><nik>1</nik><q:nik>2</q:nik></row><q:row "
		 "xmlns:q='urn:q'/></r></x:Body></x:Envelope>",
		 "p:nik,nik,@id,nik[2]", "1: 1|1|a|2\n");
}

static void rows_may_stand_anywhere(void **state)
{
	(void)state;
	rows_are("xml", "rows: //kec/desa",
		 "<a><kec><desa><n>1</n><kec><desa><n>dalam</n></desa></kec></desa><x><kec><kec><desa><n>2</"
		 "n></desa></kec></kec></x>"
		 "<desa><n>3</n></desa></kec><desa/></a>",
		 "n,kec/desa/n", "1: 1|dalam\n1: 2|?\n1: 3|?\n");
	rows_are("xml", "rows: \"//tabel[@nama='penduduk'][2]/baris[2]\"",
		 "<d><tabel nama='penduduk'><baris><n>1</n></baris></tabel><tabel nama='x'/><tabel "
		 "nama='penduduk'><baris/>"
		 "<baris><n>2</n></baris></tabel></d>",
		 "n", "1: 2\n");
}

static void nil_is_null_and_empty_is_empty(void **state)
{
	(void)state;
	rows_are("xml", ROWS,
		 "<data xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><row><a "
		 "xsi:nil='true'/><b></b><c><![CDATA[<&]]></c></row></data>",
		 "a,b,c", "1: \\N||<&\n");
}

static void a_document_that_is_cut_gives_what_stands_before(void **state)
{
	static const char text[] = "<data><row><a>1</a></row>\n<row><a>2</a></row>\n</data>";

	(void)state;
	for (size_t n = 7; n < sizeof(text) - 1; n++) {
		char *got = rows_text("xml", ROWS, text, n, "a");

		assert_string_equal(got, n < 25 ? "cut\n" : n < 45 ? "1: 1\ncut\n" : "1: 1\n2: 2\ncut\n");
		free(got);
	}
}

static void what_is_broken_in_its_middle_is_an_error_with_its_line(void **state)
{
	char *got = rows_text("xml", ROWS, "<data><row/>\n<row><a></b></row></data>", 37, "a");

	(void)state;
	assert_string_equal(got, "1: ?\nerror\n");
	assert_non_null(strstr(rows_error, "line 2"));
	free(got);
}

static void bombs_and_other_files_are_refused(void **state)
{
	static const char *const bad[] = {
		"<!DOCTYPE data [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
		"\"&a;&a;&a;\">]><data><row><a>&b;</a></row></data>",
		"<!DOCTYPE data SYSTEM \"file:///etc/passwd\"><data><row/></data>",
		"<!DOCTYPE data [<!ENTITY x SYSTEM "
		"\"file:///etc/passwd\">]><data><row><a>&x;</a></row></data>",
		"<data><row><a>&tidak;</a></row></data>",
		"<html><body>Silakan masuk</body></html>",
	};
	char deep[1024] = "<data>";

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		char *got = rows_text("xml", ROWS, bad[i], strlen(bad[i]), "a");

		assert_string_equal(got, "error\n");
		free(got);
	}
	assert_non_null(strstr(rows_error, "<html>"));
	for (int i = 0; i < 70; i++)
		strcat(deep, "<x>");
	free(rows_text("xml", ROWS, deep, strlen(deep), "a"));
	assert_non_null(strstr(rows_error, "64"));
}

static void a_row_over_the_limit_is_a_defect_and_the_next_is_read(void **state)
{
	struct bus_buf b = { 0 };
	char *got;

	(void)state;
	bus_buf_puts(&b, "<data><row><a>1</a></row>\n<row>");
	for (int i = 0; i < 100000; i++)
		bus_buf_puts(&b, "<b>0123456789abcdef</b>\n");
	bus_buf_puts(&b, "</row><row><a>2</a></row></data>");
	got = rows_text("xml", ROWS, b.p, b.n, "a,b");
	assert_string_equal(got, "1: 1|?\n2! baris_terlalu_panjang\n100002: 2|?\n");
	free(got);
	bus_buf_release(&b);
}

/* Rows over the edges of the pieces that are read: the raw row is always its own bytes. */
static void a_row_is_kept_as_it_stands(void **state)
{
	struct bus_buf b = { 0 };
	struct adapter_row row;
	struct rows r;
	int n = 0;

	(void)state;
	bus_buf_puts(&b, "<?xml version='1.0' encoding='ISO-8859-1'?><data>");
	for (int i = 0; i < 20000; i++)
		bus_buf_printf(&b, "<!-- %.*s --><row n='%d'><a>\xe9%d</a></row>\n", i % 50,
			       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", i, i);
	bus_buf_puts(&b, "</data>");
	assert_int_equal(rows_open(&r, "xml", ROWS, adapter_input_memory(b.p, b.n), "a,@n"), BUS_OK);
	for (; rows_next(&r, &row); n++) {
		char want[100];
		int len = snprintf(want, sizeof(want), "<row n='%d'><a>\xe9%d</a></row>", n, n);

		assert_int_equal(row.raw.n, len);
		assert_memory_equal(row.raw.p, want, row.raw.n);
		len = snprintf(want, sizeof(want), "\xc3\xa9%d", n);
		assert_true(bus_str_eq(row.cell[0].text, (struct bus_str){ want, (size_t)len }));
		assert_int_equal(row.line, n + 1);
	}
	assert_int_equal(n, 20000);
	rows_close(&r);
	bus_buf_release(&b);
}

static void a_document_in_utf_16_is_read(void **state)
{
	static const char text[] =
	    "\xff\xfe<?xml version='1.0' encoding='UTF-16'?>\n<data><row><a>\xe9</a></row></data>";
	char wide[200] = { text[0], text[1] };
	char *got;

	(void)state;
	for (size_t i = 2; i < sizeof(text) - 1; i++)
		wide[2 * i - 2] = text[i];
	got = rows_text("xml", ROWS, wide, 2 * (sizeof(text) - 1) - 2, "a");
	assert_string_equal(got, "2: \xc3\xa9\n");
	free(got);
}

static void a_path_that_is_none_is_told_with_its_place(void **state)
{
	static const struct {
		const char *conf, *wanted, *part;
	} bad[] = { { "rows: data", "a", "it must begin with / or //" },
		    { "rows: /data/", "a", "a name is missing" },
		    { "rows: /data//row", "a", "steps are parted by one /" },
		    { "rows: /p:data", "a", "not among the `namespaces`" },
		    { "rows: /data/@id", "a", "a name is missing" },
		    { ROWS, "/a", "it leads from the row on" },
		    { ROWS, "a/@b/c", "nothing can follow" },
		    { ROWS, "a[0]", "then a number from 1" },
		    { ROWS, "a[@b=c]", "write [@attribute='text']" },
		    { ROWS, "a[last()]", "then a number from 1" },
		    { ROWS, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", "over 16 steps" },
		    { ROWS, "..", "a name is missing" } };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		rows_refused("xml", bad[i].conf, NULL, 0, bad[i].wanted, BUS_EPARSE, bad[i].part);
	rows_refused("xml", ROWS "\nnamespace: {}", NULL, 0, "a", BUS_EPARSE, "unknown key");
}

static void what_is_no_xml_is_refused(void **state)
{
	(void)state;
	rows_refused("xml", ROWS, "a,b\n1,2\n", 8, "a", BUS_EDATA, "no XML");
	rows_refused("xml", ROWS, "", 0, "a", BUS_EDATA, "empty");
	rows_refused("xml", ROWS, "%PDF-1.4", 8, "a", BUS_EDATA, "PDF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_elements_attributes_and_text),
		cmocka_unit_test(the_first_that_a_path_finds_stands),
		cmocka_unit_test(names_with_a_prefix_are_of_their_namespace),
		cmocka_unit_test(rows_may_stand_anywhere),
		cmocka_unit_test(nil_is_null_and_empty_is_empty),
		cmocka_unit_test(a_document_that_is_cut_gives_what_stands_before),
		cmocka_unit_test(what_is_broken_in_its_middle_is_an_error_with_its_line),
		cmocka_unit_test(bombs_and_other_files_are_refused),
		cmocka_unit_test(a_row_over_the_limit_is_a_defect_and_the_next_is_read),
		cmocka_unit_test(a_row_is_kept_as_it_stands),
		cmocka_unit_test(a_document_in_utf_16_is_read),
		cmocka_unit_test(a_path_that_is_none_is_told_with_its_place),
		cmocka_unit_test(what_is_no_xml_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
