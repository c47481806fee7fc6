/* adapters/sheet.h - a row of a spreadsheet as its reader gives it, and places on a sheet ("B5"). */
#ifndef ADAPTERS_SHEET_H
#define ADAPTERS_SHEET_H

#include "adapters/adapter.h"
#include "bus/buf.h"

#define ADAPTER_SHEET_ROWS ((uint32_t)1048576)
#define ADAPTER_SHEET_COLUMNS ((uint32_t)16384)
#define ADAPTER_SHEETS_MAX 1024	    /* of a workbook */
#define ADAPTER_SHEET_MERGES 100000 /* merged cells of a sheet */

struct adapter_sheet_cell {
	uint32_t column; /* 0 is A */
	struct adapter_cell cell;
};

struct adapter_sheet_row {		 /* borrowed until the next one */
	uint32_t number;		 /* the sheet's own, from 1 */
	struct adapter_sheet_cell *cell; /* those with something in them, from left to right */
	size_t n;
	bool too_long; /* over ADAPTER_ROW_MAX; no cells */
};

struct adapter_sheet_merge {	     /* one cell over several places; both ends included */
	uint32_t row, row_end;	     /* from 1 */
	uint32_t column, column_end; /* 0 is A */
};

/* A place such as B5, B or 5 at p, up to a colon or the end; *column or *row untouched where it has none. Returns what
 * stands behind it; NULL: no place. */
const char *adapter_sheet_place(const char *p, uint32_t *column, uint32_t *row);
/* "AB"; 4 bytes are enough. */
char *adapter_sheet_letters(uint32_t column, char out[4]);
/* Appends hh:mm:ss[.fff] of a time in ms; hours may be over 24. */
void adapter_sheet_put_time(struct bus_buf *out, int64_t ms);

#endif
