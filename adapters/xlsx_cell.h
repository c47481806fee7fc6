/* adapters/xlsx_cell.h - a stored number of a spreadsheet as text: plain decimals, dates and times in ISO 8601.
 *
 * Whether a number is a date is said by its cell's number format alone (ECMA-376-1, 18.8.30). Thread: any.
 */
#ifndef ADAPTERS_XLSX_CELL_H
#define ADAPTERS_XLSX_CELL_H

#include <stdint.h>

#include "bus/buf.h"

enum adapter_xlsx_format {
	ADAPTER_XLSX_NUMBER,
	ADAPTER_XLSX_DATE,
	ADAPTER_XLSX_DATE_TIME,
	ADAPTER_XLSX_TIME,
	ADAPTER_XLSX_ELAPSED, /* [h]:mm: hours beyond 24 */
};

enum adapter_xlsx_format adapter_xlsx_format_builtin(uint32_t id);
enum adapter_xlsx_format adapter_xlsx_format_parse(const char *code);

/* Appends the number as a plain decimal, no digit of it changed: 1.471E+15 is 1471000000000000, 5.0 is 5. Fractions of
 * more than 15 digits become the shortest that is the same double: 1162.6569999999999 is what Excel stores of 1162.657.
 * False: it is no number (nothing is appended). *rounded: it has 16 digits or more before the point and cannot be what was
 * typed: spreadsheets keep 15. */
bool adapter_xlsx_decimal(struct bus_str stored, struct bus_buf *out, bool *rounded);

/* Appends YYYY-MM-DD, YYYY-MM-DDThh:mm:ss[.fff] or hh:mm:ss[.fff]. False: no such day (below 0, after 9999, or
 * 1900-02-29, which the 1900 system has and the calendar has not). */
bool adapter_xlsx_date(struct bus_str stored, enum adapter_xlsx_format format, bool from_1904,
		       struct bus_buf *out);

#endif
