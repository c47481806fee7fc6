/* tests/support/xlsx_file.h - an .xlsx in memory, of parts a test writes out. */
#ifndef TESTS_SUPPORT_XLSX_FILE_H
#define TESTS_SUPPORT_XLSX_FILE_H

#include <zip.h>

#include "bus/buf.h"

#define XLSX_OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define XLSX_STRICT "http://purl.oclc.org/ooxml/officeDocument/relationships"

struct xlsx_part {
	const char *name, *text;
	size_t n; /* 0: up to the NUL */
};

/* A ZIP of n parts. The caller frees. */
static inline char *xlsx_zip(const struct xlsx_part *part, size_t n, size_t *size)
{
	zip_error_t err;
	zip_source_t *to;
	zip_stat_t st;
	zip_t *z;
	char *bytes;

	zip_error_init(&err);
	to = zip_source_buffer_create(NULL, 0, 0, &err);
	z = to ? zip_open_from_source(to, ZIP_TRUNCATE, &err) : NULL;
	if (!z)
		abort();
	zip_source_keep(to);
	for (size_t i = 0; i < n; i++) {
		zip_source_t *s =
		    zip_source_buffer(z, part[i].text, part[i].n ? part[i].n : strlen(part[i].text), 0);

		if (zip_file_add(z, part[i].name, s, 0) < 0)
			abort();
	}
	if (zip_close(z) != 0 || zip_source_open(to) != 0 || zip_source_stat(to, &st) != 0)
		abort();
	bytes = bus_xmalloc(st.size + 1);
	if (zip_source_read(to, bytes, st.size) != (zip_int64_t)st.size)
		abort();
	zip_source_close(to);
	zip_source_free(to);
	*size = st.size;
	return bytes;
}

/* A workbook of one or two sheets, whose <sheetData> and what follows it are given (second NULL: one). strings: the
 * <si> elements, styles: what is inside of <styleSheet>, book: attributes of <workbookPr>. base: XLSX_OFFICE or
 * XLSX_STRICT. */
struct xlsx_book {
	const char *first, *second, *strings, *styles, *book, *base;
};

static inline char *xlsx_file(const struct xlsx_book *b, size_t *size)
{
	static const char names[][32] = { "_rels/.rels",
					  "xl/workbook.xml",
					  "xl/_rels/workbook.xml.rels",
					  "xl/worksheets/sheet1.xml",
					  "xl/sharedStrings.xml",
					  "xl/styles.xml",
					  "xl/worksheets/sheet2.xml" };
	const char *base = b->base ? b->base : XLSX_OFFICE;
	char *text[BUS_LEN(names)], *bytes;
	struct xlsx_part part[BUS_LEN(names)];
	size_t n = b->second ? 7 : 6;

	text[0] = bus_xasprintf(
	    "<Relationships><Relationship Id=\"a\" Type=\"%s/officeDocument\" Target=\"/xl/workbook.xml\"/>"
	    "</Relationships>",
	    base);
	text[1] =
	    bus_xasprintf("<workbook xmlns:r=\"%s\"><workbookPr %s/><sheets>"
			  "<sheet name=\"Satu\" sheetId=\"1\" r:id=\"r1\"/>%s</sheets></workbook>",
			  base, b->book ? b->book : "",
			  b->second ? "<sheet name=\"Dua &amp; Tiga\" sheetId=\"7\" r:id=\"r4\"/>" : "");
	text[2] = bus_xasprintf(
	    "<Relationships><Relationship Id=\"r1\" Type=\"%s/worksheet\" Target=\"worksheets/sheet1.xml\"/>"
	    "<Relationship Id=\"r2\" Type=\"%s/sharedStrings\" Target=\"sharedStrings.xml\"/>"
	    "<Relationship Id=\"r3\" Type=\"%s/styles\" Target=\"../xl/./styles.xml\"/>"
	    "<Relationship Id=\"r4\" Type=\"%s/worksheet\" "
	    "Target=\"worksheets/sheet2.xml\"/></Relationships>",
	    base, base, base, base);
	text[3] = bus_xasprintf("<worksheet>%s</worksheet>", b->first);
	text[4] = bus_xasprintf("<sst>%s</sst>", b->strings ? b->strings : "");
	text[5] = bus_xasprintf("<styleSheet>%s</styleSheet>", b->styles ? b->styles : "");
	text[6] = bus_xasprintf("<worksheet>%s</worksheet>", b->second ? b->second : "");
	for (size_t i = 0; i < n; i++)
		part[i] = (struct xlsx_part){ names[i], text[i], 0 };
	bytes = xlsx_zip(part, n, size);
	for (size_t i = 0; i < BUS_LEN(names); i++)
		free(text[i]);
	return bytes;
}

#endif
