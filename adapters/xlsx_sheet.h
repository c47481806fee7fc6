/* adapters/xlsx_sheet.h - one worksheet of an XLSX file, row by row (ECMA-376-1, 18.3).
 *
 * Cells are given as text: shared and inline strings (rich text without its looks), plain decimals, dates in ISO 8601
 * where the number format says so, true and false. What shows no value is BROKEN. Thread: one.
 */
#ifndef ADAPTERS_XLSX_SHEET_H
#define ADAPTERS_XLSX_SHEET_H

#include "adapters/sheet.h"
#include "adapters/xlsx_book.h"
#include "adapters/xlsx_strings.h"

struct adapter_xlsx_sheet;

/* book and strings (NULL: there are none) stay until close. */
enum bus_err adapter_xlsx_sheet_open(struct adapter_package *p, const char *part,
				     const struct adapter_xlsx_book *book,
				     struct adapter_xlsx_strings *strings, struct adapter_xlsx_sheet **out,
				     struct bus_error *err) BUS_MUSTCHECK;
void adapter_xlsx_sheet_close(struct adapter_xlsx_sheet **s);

/* Row numbers rise; rows without anything may be left out. BUS_ENOENT: the end. BUS_EDATA: damaged; rows or cells out
 * of order. */
enum bus_err adapter_xlsx_sheet_next(struct adapter_xlsx_sheet *s, struct adapter_sheet_row *row,
				     struct bus_error *err) BUS_MUSTCHECK;

/* The sheet's merged cells, by first row and column; they stand behind its rows, so this reads the sheet once. The caller frees.
 * BUS_EDATA: more than 100,000. */
enum bus_err adapter_xlsx_merges(struct adapter_package *p, const char *part,
				 struct adapter_sheet_merge **out, size_t *n,
				 struct bus_error *err) BUS_MUSTCHECK;

#endif
