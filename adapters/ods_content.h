/* adapters/ods_content.h - the content of an OpenDocument spreadsheet as a stream: its tables, their rows (ODF 1.3-3, 9).
 *
 * Cells are given as text: plain decimals, dates and times in ISO 8601, true and false, paragraphs with a line break between
 * them. What shows no value is BROKEN; what a merged cell covers is empty; notes, drawings and recorded changes are passed
 * over. Repeated cells and rows are given as often as they are repeated, empty ones cost nothing; a file of which repeating
 * makes more than 16 Mi cells and spaces, and more than ten for each of its bytes, is a bomb. Thread: one.
 */
#ifndef ADAPTERS_ODS_CONTENT_H
#define ADAPTERS_ODS_CONTENT_H

#include "adapters/sheet.h"
#include "adapters/xml.h"

#define ADAPTER_ODS_NAMESPACE "urn:oasis:names:tc:opendocument:xmlns:office:1.0"

struct adapter_ods_content;

/* Of content.xml, or of a flat document (.fods); size: of the file, in bytes. read_ctx stays until free. */
struct adapter_ods_content *adapter_ods_content_new(adapter_xml_read_fn *read, void *read_ctx, uint64_t size);
void adapter_ods_content_free(struct adapter_ods_content **c);

/* Goes on to where the next table begins. *name is borrowed until the next table. What LibreOffice keeps of other files is no
 * table. BUS_ENOENT: there are no more. BUS_EDATA: damaged, or no spreadsheet. */
enum bus_err adapter_ods_content_table(struct adapter_ods_content *c, const char **name,
				       struct bus_error *err) BUS_MUSTCHECK;
/* The table's next row that is not empty. BUS_ENOENT: its end. */
enum bus_err adapter_ods_content_row(struct adapter_ods_content *c, struct adapter_sheet_row *row,
				     struct bus_error *err) BUS_MUSTCHECK;
/* The merged cells of the table's rows given so far that hold something, by row and column; the caller frees. BUS_EDATA:
 * more than ADAPTER_SHEET_MERGES. */
enum bus_err adapter_ods_content_merges(struct adapter_ods_content *c, struct adapter_sheet_merge **out,
					size_t *n, struct bus_error *err) BUS_MUSTCHECK;

#endif
