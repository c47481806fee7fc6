/* An XLSX workbook as a book of sheets, and the source that reads a table of it. */
#include "adapters/sheet_table.h"
#include "adapters/xlsx_sheet.h"

struct xlsx {
	struct adapter_package *package;
	struct adapter_xlsx_book *book;
	struct adapter_xlsx_strings *strings;
	struct adapter_xlsx_sheet *sheet;
};

static void book_close(void *book)
{
	struct xlsx *x = book;

	adapter_xlsx_sheet_close(&x->sheet);
	adapter_xlsx_strings_free(&x->strings);
	adapter_xlsx_book_free(&x->book);
	adapter_package_close(&x->package);
	free(x);
}

static enum bus_err book_open(struct adapter_input *in, void **book, struct bus_error *err)
{
	struct xlsx *x = bus_xcalloc(1, sizeof(*x));
	enum bus_err rc = adapter_sheet_expect_zip(in, ".xlsx", err);

	if (rc == BUS_OK)
		rc = adapter_package_open(in, &x->package, err);
	if (rc == BUS_OK)
		rc = adapter_xlsx_book_read(x->package, &x->book, err);
	if (rc != BUS_OK) {
		book_close(x);
		return rc;
	}
	*book = x;
	return BUS_OK;
}

static enum bus_err book_sheet(void *book, size_t i, const char **name, bool *cells, struct bus_error *err)
{
	const struct xlsx *x = book;

	if (i >= x->book->n_sheets)
		return bus_fail(err, BUS_ENOENT, "lembar %zu tidak ada / there is no sheet %zu", i + 1,
				i + 1);
	*name = x->book->sheet[i].name;
	*cells = x->book->sheet[i].part != NULL;
	return BUS_OK;
}

static enum bus_err book_begin(void *book, size_t i, struct bus_error *err)
{
	struct xlsx *x = book;
	enum bus_err rc = BUS_OK;

	adapter_xlsx_sheet_close(&x->sheet);
	if (!x->strings && x->book->strings && adapter_package_has(x->package, x->book->strings))
		rc = adapter_xlsx_strings_read(x->package, x->book->strings, &x->strings, err);
	if (rc == BUS_OK)
		rc = adapter_xlsx_sheet_open(x->package, x->book->sheet[i].part, x->book, x->strings,
					     &x->sheet, err);
	return rc;
}

static enum bus_err book_next(void *book, struct adapter_sheet_row *row, struct bus_error *err)
{
	struct xlsx *x = book;

	return adapter_xlsx_sheet_next(x->sheet, row, err);
}

static enum bus_err book_merges(void *book, size_t i, struct adapter_sheet_merge **out, size_t *n,
				struct bus_error *err)
{
	struct xlsx *x = book;

	return adapter_xlsx_merges(x->package, x->book->sheet[i].part, out, n, err);
}

const struct adapter_sheet_book_kind adapter_sheet_book_xlsx = {
	.name = "xlsx",
	.open = book_open,
	.close = book_close,
	.sheet = book_sheet,
	.begin = book_begin,
	.next = book_next,
	.merges = book_merges,
};

static enum bus_err open_table(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
			       const char *const *wanted, size_t n_wanted, void **source,
			       struct bus_error *err)
{
	return adapter_sheet_table_open(&adapter_sheet_book_xlsx, yaml, conf, in, wanted, n_wanted, source,
					err);
}

const struct adapter_source_kind adapter_source_xlsx = {
	.name = "xlsx",
	.open = open_table,
	.next = adapter_sheet_table_next,
	.end = adapter_sheet_table_end,
	.close = adapter_sheet_table_close,
};
