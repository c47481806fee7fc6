/* How a file is written, as looking at it tells: its kind, its columns, and as many records as a person counts in it, read by
 * the real source with the options that were found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/init/shape.h"

struct look_case {
	const char *what;
	const char *bytes;
	size_t n; /* 0: to the end of the text */
	const char *kind;
	const char *option; /* a line of the source; NULL: any */
	const char *columns;
	uint64_t records;
};

static void write_file(char *path, const char *bytes, size_t n)
{
	int fd;

	strcpy(path, "/tmp/titian-look-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && close(fd) == 0);
}

static void count_row(void *ctx, const struct adapter_row *row)
{
	*(uint64_t *)ctx += row->defect == NULL;
}

static void check(const struct look_case *k)
{
	const struct adapter_init_want want = { 0 };
	struct adapter_init_shape shape = { 0 };
	struct bus_buf columns = { 0 };
	struct bus_error err = { 0 };
	uint64_t whole = 0, records = 0;
	char path[32];
	enum bus_err rc;

	write_file(path, k->bytes, k->n > 0 ? k->n : strlen(k->bytes));
	rc = adapter_init_look(path, &want, &shape, &err);
	if (rc == BUS_OK)
		rc = adapter_init_read(path, &shape, count_row, &whole, &records, &err);
	unlink(path);
	if (rc != BUS_OK)
		fail_msg("%s: %s", k->what, err.text);
	for (size_t i = 0; i < shape.n_columns; i++)
		bus_buf_printf(&columns, "%s%s", i > 0 ? "|" : "", shape.column[i]);
	if (strcmp(shape.kind, k->kind) != 0 || strcmp(bus_buf_cstr(&columns), k->columns) != 0 ||
	    (k->option && !strstr(bus_buf_cstr(&shape.source), k->option)) || whole != k->records ||
	    records != k->records)
		fail_msg("%s: %s, columns %s, %zu of %zu records, by\n%s", k->what, shape.kind,
			 bus_buf_cstr(&columns), (size_t)whole, (size_t)records, bus_buf_cstr(&shape.source));
	bus_buf_release(&columns);
	adapter_init_shape_release(&shape);
}

#define ROWS(s) "1" s "SUKAJADI" s "120\n2" s "SAIL" s "130\n3" s "TAMPAN" s "140\n"
#define HEAD(s) "No" s "Kecamatan" s "Penduduk\n"
#define NAMES "No|Kecamatan|Penduduk"

static void separators_and_encodings_are_found(void **state)
{
	static const char utf16[] = "\xff\xfek\0;\0n\0\n\0"
				    "1\0;\0A\0\n\0"
				    "2\0;\0B\0\n\0";
	static const struct look_case cases[] = {
		{ "semicolons", HEAD(";") ROWS(";"), 0, "delimited", "separator: \";\"", NAMES, 3 },
		{ "commas", HEAD(",") ROWS(","), 0, "delimited", "separator: \",\"", NAMES, 3 },
		{ "bars", HEAD("|") ROWS("|"), 0, "delimited", "separator: \"|\"", NAMES, 3 },
		{ "tabs", HEAD("\t") ROWS("\t"), 0, "delimited", "separator: tab", NAMES, 3 },
		{ "a byte order mark", "\xef\xbb\xbf" HEAD(";") ROWS(";"), 0, "delimited", NULL, NAMES, 3 },
		{ "Windows-1252", HEAD(";") ROWS(";") "4;CAF\xc9;7\n", 0, "delimited",
		  "encoding: windows-1252", NAMES, 4 },
		{ "UTF-16", utf16, sizeof(utf16) - 1, "delimited", NULL, "k|n", 2 },
		{ "decimal commas in quotes", "a,b\n\"1,5\",x\n\"2,5\",y\n", 0, "delimited",
		  "separator: \",\"", "a|b", 2 },
		{ "a separator in quotes", "a;b\n\"x;y\";1\n\"z\";2\n", 0, "delimited", "separator: \";\"",
		  "a|b", 2 },
		{ "a title", "DATA PENDUDUK;;\n;;\n" HEAD(";") ROWS(";") ";JUMLAH;390\n", 0, "delimited",
		  NULL, NAMES, 3 },
		{ "one column", "npsn\n10490001\n10490002\n", 0, "delimited", NULL, "npsn", 2 },
		{ "fixed places",
		  "NO  KODE     NAMA\n01  1471011  SUKAJADI\n02  1471012  LIMA PULUH\n03  1471013  BUKIT "
		  "RAYA\n04  1471014  KULIM\n",
		  0, "fixed", NULL, "NO|KODE|NAMA", 4 },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cases); i++)
		check(&cases[i]);
}

static void documents_and_dumps_are_found_by_their_content(void **state)
{
	static const struct look_case cases[] = {
		{ "an array", "[{\"id\":1,\"nama\":\"A\"},{\"id\":2,\"nama\":\"B\"}]", 0, "json", NULL,
		  "id|nama", 2 },
		{ "an array further in",
		  "{\"status\":\"ok\",\"data\":{\"rows\":[{\"id\":1},{\"id\":2},{\"id\":3}]}}", 0, "json",
		  "rows: data.rows", "id", 3 },
		{ "objects in lines",
		  "{\"id\":1,\"alamat\":{\"rt\":\"01\"}}\n{\"id\":2,\"alamat\":{\"rt\":\"02\"}}\n", 0,
		  "jsonl", NULL, "id|alamat.rt", 2 },
		{ "GeoJSON",
		  "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{"
		  "\"kode\":\"K1\"},"
		  "\"geometry\":{\"type\":\"Point\",\"coordinates\":[101.4,0.5]}}]}",
		  0, "json", "rows: features", "type|properties.kode|geometry.@lon|geometry.@lat", 1 },
		{ "XML", "<?xml version=\"1.0\"?>\n<d><u><k>1</k><n>A</n></u><u><k>2</k><n>B</n></u></d>", 0,
		  "xml", NULL, "k|n", 2 },
		{ "a dump of MySQL",
		  "-- MySQL dump 10.13\nCREATE TABLE `w` (\n `id` int,\n `n` varchar(9)\n);\nINSERT INTO `w` "
		  "VALUES "
		  "(1,'A;\\'(x'),(2,NULL);\n",
		  0, "sqldump", "table: w", "id|n", 2 },
		{ "a dump of PostgreSQL",
		  "--\n-- PostgreSQL database dump\n--\nCOPY public.p (a, b) FROM "
		  "stdin;\n1\tx\n2\t\\N\n\\.\n",
		  0, "pgdump", "table: public.p", "a|b", 2 },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cases); i++)
		check(&cases[i]);
}

static void what_cannot_be_read_is_told_in_plain_words(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *says;
	} cases[] = {
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0", 16, "xlsx" },
		{ "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", 24, "PDF" },
		{ "", 0, "kosong" },
		{ " \n\n", 3, "kosong" },
		{ "<!DOCTYPE html><html><body>Masuk</body></html>", 46, "HTML" },
		{ "<html><body>Masuk</body></html>", 31, "HTML" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\3", 10, "gzip" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cases); i++) {
		const struct adapter_init_want want = { 0 };
		struct adapter_init_shape shape = { 0 };
		struct bus_error err = { 0 };
		char path[32];
		enum bus_err rc;

		write_file(path, cases[i].bytes, cases[i].n);
		rc = adapter_init_look(path, &want, &shape, &err);
		unlink(path);
		if (rc == BUS_OK || !strstr(err.text, cases[i].says) || !strstr(err.text, " / "))
			fail_msg("%.8s: %d, %s", cases[i].bytes, (int)rc, rc == BUS_OK ? "" : err.text);
		adapter_init_shape_release(&shape);
	}
}

static void texts_that_look_like_something_else_are_quoted(void **state)
{
	static const char *const quoted[] = { "No", "yes", "null", "~",	 "12", "1.5",  "a: b", "# x",
					      "-",  "",	   "[a]",  "{a", "'a", "a\tb", " a" };
	static const char *const plain[] = { "Kecamatan", "pelaku.nik", "kode_kel" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(quoted); i++) {
		struct bus_buf b = { 0 };

		adapter_init_put_yaml(&b, quoted[i]);
		if (b.n < 2 || b.p[0] != '"' || b.p[b.n - 1] != '"')
			fail_msg("'%s' is written %s", quoted[i], bus_buf_cstr(&b));
		bus_buf_release(&b);
	}
	for (size_t i = 0; i < BUS_LEN(plain); i++) {
		struct bus_buf b = { 0 };

		adapter_init_put_yaml(&b, plain[i]);
		assert_string_equal(bus_buf_cstr(&b), plain[i]);
		bus_buf_release(&b);
	}
}

/* A flat OpenDocument with a sheet of these rows: cells parted by |, numbers as such. */
static void put_sheet(struct bus_buf *out, const char *name, const char *rows)
{
	bus_buf_printf(out, "<table:table table:name=\"%s\">", name);
	for (const char *p = rows; *p; p += *p == '\n') {
		bus_buf_puts(out, "<table:table-row>");
		for (bool more = true; more; p += more) {
			int n = (int)strcspn(p, "|\n");

			if (n > 0 && p[0] >= '0' && p[0] <= '9')
				bus_buf_printf(
				    out,
				    "<table:table-cell office:value-type=\"float\" office:value=\"%.*s\"/>",
				    n, p);
			else
				bus_buf_printf(
				    out,
				    n > 0 ? "<table:table-cell office:value-type=\"string\"><text:p>%.*s"
					    "</text:p></table:table-cell>"
					  : "<table:table-cell/>%.*s",
				    n, p);
			p += n;
			more = *p == '|';
		}
		bus_buf_puts(out, "</table:table-row>");
	}
	bus_buf_puts(out, "</table:table>");
}

static void look_at_tables(const struct adapter_init_want *want, struct adapter_init_shape *shape,
			   uint64_t *records, enum bus_err *rc, struct bus_error *err)
{
	struct bus_buf b = { 0 };
	uint64_t whole = 0;
	char path[32];

	bus_buf_puts(&b, "<?xml version=\"1.0\"?><office:document "
			 "xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "
			 "xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" "
			 "xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" "
			 "office:mimetype=\"application/vnd.oasis.opendocument.spreadsheet\">"
			 "<office:body><office:spreadsheet>");
	put_sheet(&b, "Satu",
		  "A.|PENDUDUK|||B.|LUAS\n\n"
		  "|KECAMATAN|JIWA|||KECAMATAN|LUAS\n|SAIL|10|||SAIL|3\n|KULIM|20|||KULIM|4\n|JUMLAH|30|||"
		  "JUMLAH|7\n\n\n"
		  "C.|SEKOLAH\n\n|KECAMATAN|SD\n|SAIL|1\n|KULIM|2\n|RUMBAI|4\n|JUMLAH|7\n\n"
		  "D.|GURU\n\n|KECAMATAN|JIWA\n|SAIL|5\n|KULIM|6\n|JUMLAH|11\n");
	put_sheet(&b, "Dua", "RT|KELUARGA\n1|7\n2|8\n");
	bus_buf_puts(&b, "</office:spreadsheet></office:body></office:document>");
	write_file(path, b.p, b.n);
	*rc = adapter_init_look(path, want, shape, err);
	if (*rc == BUS_OK)
		*rc = adapter_init_read(path, shape, count_row, &whole, records, err);
	unlink(path);
	bus_buf_release(&b);
}

static void a_table_of_several_is_chosen_by_a_cell(void **state)
{
	static const struct {
		const char *sheet, *cell, *range, *column;
		uint64_t records;
	} cases[] = {
		{ NULL, NULL, "range: \"B:C\"\nuntil_empty: true", "SD", 3 },
		{ NULL, "C4", "range: \"B:C\"\nuntil_empty: true", "JIWA", 2 },
		{ NULL, "$f$3:G6", "range: \"F:G\"\nuntil_empty: true", "LUAS", 2 },
		/* The first table's header reads the same: this one is found below it only. */
		{ "satu", "B20", "range: \"B19:C\"\nuntil_empty: true", "JIWA", 2 },
		{ "Dua", "A1", "range: \"A:B\"\n", "KELUARGA", 2 },
	};
	static const struct {
		const char *cell, *says;
	} wrong[] = { { "D4", "'Satu' B3:C5" },
		      { "B90", "'Dua' A1:B3" },
		      { "JIWA", "B5" },
		      { "B", "B5" },
		      { "0", "B5" },
		      { "B2x", "B5" },
		      { "B3", "--sheet" } };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cases); i++) {
		const struct adapter_init_want want = { .sheet = cases[i].sheet, .table = cases[i].cell };
		struct adapter_init_shape shape = { 0 };
		struct bus_error err = { 0 };
		uint64_t records = 0;
		enum bus_err rc;

		look_at_tables(&want, &shape, &records, &rc, &err);
		if (rc != BUS_OK)
			fail_msg("%s: %s", cases[i].column, err.text);
		if (records != cases[i].records || strcmp(shape.column[1], cases[i].column) != 0 ||
		    !strstr(bus_buf_cstr(&shape.source), cases[i].range))
			fail_msg("%zu records of %s, by\n%s", (size_t)records, shape.column[1],
				 bus_buf_cstr(&shape.source));
		adapter_init_shape_release(&shape);
	}
	for (size_t i = 0; i < BUS_LEN(wrong); i++) {
		const struct adapter_init_want want = { .table = wrong[i].cell };
		struct adapter_init_shape shape = { 0 };
		struct bus_error err = { 0 };
		uint64_t records = 0;
		enum bus_err rc;

		look_at_tables(&want, &shape, &records, &rc, &err);
		if (rc != BUS_EINVAL || !strstr(err.text, wrong[i].says))
			fail_msg("%s: %d, %s", wrong[i].cell, (int)rc, err.text);
		adapter_init_shape_release(&shape);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separators_and_encodings_are_found),
		cmocka_unit_test(documents_and_dumps_are_found_by_their_content),
		cmocka_unit_test(what_cannot_be_read_is_told_in_plain_words),
		cmocka_unit_test(texts_that_look_like_something_else_are_quoted),
		cmocka_unit_test(a_table_of_several_is_chosen_by_a_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
