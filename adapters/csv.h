/* adapters/csv.h - one record of separated fields at a time, with quotes and line breaks inside them.
 *
 * Fields are places in the record's bytes; nothing is copied. A quoted field ends at its closing quote, which
 * a separator or the line's end must follow; a quote inside a field that began without one is a letter. When
 * quotes do not come out right the record is the first physical line alone, with a defect, and the next
 * record begins on the next line: one stray quote never swallows the rest of the file. Since a record stops
 * at the first field too many, such a line is looked at no more often than there are columns.
 * Thread: one.
 */
#ifndef ADAPTERS_CSV_H
#define ADAPTERS_CSV_H

#include "adapters/input.h"

struct adapter_csv_field {
	uint32_t at; /* in raw; a quoted field's quotes are outside */
	uint32_t n;
	bool doubled; /* holds doubled quotes */
};

struct adapter_csv {
	struct adapter_input *in; /* borrowed */
	char separator;
	char quote; /* NUL: none */
	size_t max; /* places in field; a record of more is cut short there */

	struct adapter_csv_field *field;
	size_t n;	    /* fields; max + 1 means more than max */
	struct bus_str raw; /* without the line end */
	uint64_t line;	    /* physical, of its first byte */
	bool too_long;	    /* over ADAPTER_ROW_MAX: raw is its first bytes, no fields */
	const char *broken; /* the quotes are: why; no fields then */
};

void adapter_csv_init(struct adapter_csv *c, struct adapter_input *in, char separator, char quote);
void adapter_csv_release(struct adapter_csv *c);
void adapter_csv_limit(struct adapter_csv *c, size_t max);

/* The next record, blank ones too. BUS_ENOENT at the end. Borrowed until the next call. */
enum bus_err adapter_csv_next(struct adapter_csv *c, struct bus_error *err) BUS_MUSTCHECK;

#endif
