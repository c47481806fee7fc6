/* tests/support/ods_file.h - OpenDocument spreadsheets in memory, of what a test writes out. */
#ifndef TESTS_SUPPORT_ODS_FILE_H
#define TESTS_SUPPORT_ODS_FILE_H

#include "tests/support/xlsx_file.h"

#define ODS_NAMESPACES                                                                                       \
	"xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "                                 \
	"xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" "                                   \
	"xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\""

/* A flat document (.fods) whose tables are given. The caller frees. */
static inline char *ods_flat(const char *tables)
{
	return bus_xasprintf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document " ODS_NAMESPACES
			     "><office:styles/><office:body><office:spreadsheet>%s</office:spreadsheet>"
			     "</office:body></office:document>",
			     tables);
}

/* The same in a ZIP (.ods). */
static inline char *ods_file(const char *tables, size_t *n)
{
	char *content = bus_xasprintf("<office:document-content " ODS_NAMESPACES
				      "><office:automatic-styles><p>no</p></office:automatic-styles>"
				      "<office:body><office:spreadsheet>%s</office:spreadsheet></office:body>"
				      "</office:document-content>",
				      tables),
	     *file;
	struct xlsx_part parts[] = { { "mimetype", "application/vnd.oasis.opendocument.spreadsheet", 0 },
				     { "META-INF/manifest.xml", "<manifest:manifest/>", 0 },
				     { "content.xml", content, 0 } };

	file = xlsx_zip(parts, 3, n);
	free(content);
	return file;
}

#endif
