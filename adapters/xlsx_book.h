/* adapters/xlsx_book.h - what a workbook says about its sheets, and how its numbers are to be read.
 *
 * OOXML transitional and strict (ECMA-376-1): relations are known by the last word of their type. Thread: one.
 */
#ifndef ADAPTERS_XLSX_BOOK_H
#define ADAPTERS_XLSX_BOOK_H

#include "adapters/package.h"
#include "adapters/sheet.h"
#include "adapters/xlsx_cell.h"

struct adapter_xlsx_sheet_name {
	char *name;
	char *part; /* NULL: a sheet without cells (a chart) */
};

struct adapter_xlsx_book {
	struct adapter_xlsx_sheet_name sheet[ADAPTER_SHEETS_MAX]; /* in the order of the tabs */
	size_t n_sheets;
	char *strings; /* parts; NULL: there is none */
	char *styles;
	bool from_1904;	 /* day 0 is 1904-01-01 */
	uint8_t *format; /* of each cell style: enum adapter_xlsx_format */
	size_t n_formats;
};

/* BUS_EDATA: no XLSX; .xlsb, ODS and other packages are named, with the way out. */
enum bus_err adapter_xlsx_book_read(struct adapter_package *p, struct adapter_xlsx_book **out,
				    struct bus_error *err) BUS_MUSTCHECK;
void adapter_xlsx_book_free(struct adapter_xlsx_book **b);

#endif
