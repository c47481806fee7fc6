/* adapters/care/form.h - the CSV that a clerk opens in a spreadsheet, and the same file when it comes back.
 *
 * Values are strangers' words. Each is written with a "'" before it, and one more wherever a spreadsheet that splits at ';', tab
 * or a line break, as the locale has it, would begin a formula (OWASP, "CSV Injection"); coming back, these are taken off and
 * nothing else. A column that is ours begins with '#'; another whose name does so, or begins as a formula, has a "'" before it.
 * Separated by ',', or by ';' as some spreadsheets save it. Bounded: 64 MiB, 100,000 lines, 4,096 columns. One thread.
 */
#ifndef ADAPTERS_CARE_FORM_H
#define ADAPTERS_CARE_FORM_H

#include "bus/arena.h"
#include "bus/buf.h"
#include "bus/error.h"

void adapter_form_put(struct bus_buf *out, struct bus_str value);
void adapter_form_put_name(struct bus_buf *out, struct bus_str column); /* not of a column of ours */

struct adapter_form_line {
	struct bus_str id;	    /* of #id; "" when the line is refused as it stands */
	uint64_t number;	    /* in the file */
	struct bus_str *cell;	    /* as many as there are columns; not read when the line is refused */
	const char *why;	    /* refused; NULL */
	bool found;		    /* the reader's, from here on: a row has this id */
	size_t sealed_at, sealed_n; /* ... and these are its new columns; n 0: nothing changes */
};

struct adapter_form {
	struct bus_arena *arena;
	struct bus_str *column; /* p NULL: a column of ours */
	size_t n_columns;
	struct adapter_form_line *line; /* by id */
	size_t n;
};

/* To be released on failure too. BUS_EINVAL: no column #id; BUS_ETOOBIG; of the file: adapter_input_open's. */
enum bus_err adapter_form_read(const char *path, struct adapter_form *out,
			       struct bus_error *err) BUS_MUSTCHECK;
/* The first line of this row; NULL: none. */
struct adapter_form_line *adapter_form_find(struct adapter_form *f, struct bus_str id);
void adapter_form_release(struct adapter_form *f);

#endif
