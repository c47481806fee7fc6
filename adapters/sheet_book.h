/* adapters/sheet_book.h - a workbook, whatever it is written in: its sheets, their rows one by one, their merged cells.
 *
 * What is a table on a sheet (titles, headers, totals) is the business of sheet_table. Thread: one.
 */
#ifndef ADAPTERS_SHEET_BOOK_H
#define ADAPTERS_SHEET_BOOK_H

#include "adapters/input.h"
#include "adapters/sheet.h"

struct adapter_sheet_book_kind {
	const char *name; /* `source.kind` in the mapping */
	/* in stays until close. BUS_EDATA: it is none of this kind, or cannot be read; in plain words. */
	enum bus_err (*open)(struct adapter_input *in, void **book, struct bus_error *err);
	void (*close)(void *book);
	/* Sheet i (below ADAPTER_SHEETS_MAX), in the order of the tabs, hidden ones too; *name is borrowed until close;
	 * *cells: it can hold some (a chart cannot). BUS_ENOENT: there are not so many. begin() afterwards. */
	enum bus_err (*sheet)(void *book, size_t i, const char **name, bool *cells, struct bus_error *err);
	/* The next row will be the first one of sheet i, which sheet() has given, and which has cells. */
	enum bus_err (*begin)(void *book, size_t i, struct bus_error *err);
	/* Row numbers rise; rows without anything may be left out. BUS_ENOENT: the end. BUS_EDATA: damaged. */
	enum bus_err (*next)(void *book, struct adapter_sheet_row *row, struct bus_error *err);
	/* The merged cells of sheet i, by first row and column; the caller frees. begin() afterwards. Costs a reading of the
	 * sheet; with OpenDocument not when its last row has just been given. BUS_EDATA: over ADAPTER_SHEET_MERGES. */
	enum bus_err (*merges)(void *book, size_t i, struct adapter_sheet_merge **out, size_t *n,
			       struct bus_error *err);
};

extern const struct adapter_sheet_book_kind adapter_sheet_book_xlsx;
extern const struct adapter_sheet_book_kind adapter_sheet_book_ods;

/* BUS_EDATA says in plain words what a file is that is no ZIP: an old .xls, an encrypted workbook, CSV. extension: what
 * it should be, ".xlsx". */
enum bus_err adapter_sheet_expect_zip(struct adapter_input *in, const char *extension,
				      struct bus_error *err) BUS_MUSTCHECK;

/* head: a file's first bytes. True: it is a flat OpenDocument file (.fods). */
bool adapter_ods_is_flat(struct bus_str head);

#endif
