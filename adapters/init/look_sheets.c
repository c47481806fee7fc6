/* Workbooks: every sheet, every table on it; the one with the most records is taken, or the one the person said; the others are told. */
#include <strings.h>

#include "adapters/init/found.h"
#include "adapters/init/range.h"

#define TABLES_MAX 40
#define SHEETS_MAX 64

struct best {
	struct adapter_init_grid grid;
	struct adapter_init_layout layout;
	const char *sheet;
	size_t on_sheet; /* tables of that sheet */
	size_t found;	 /* its number */
};

struct looking {
	const struct adapter_sheet_book_kind *kind;
	void *book;
	struct adapter_init_grid grid; /* of the sheet in hand */
	struct best best;
	struct adapter_init_found found;
	bool asked; /* for the table with this cell */
	uint32_t column, row;
	size_t sheets; /* that have a table to take */
};

static enum bus_err read_sheet(struct looking *k, size_t at, struct bus_error *err)
{
	struct bus_str *text = bus_xcalloc(ADAPTER_INIT_GRID_WIDTH, sizeof(*text));
	struct adapter_sheet_row row;
	enum bus_err rc = k->kind->begin(k->book, at, err);

	while (rc == BUS_OK && (rc = k->kind->next(k->book, &row, err)) == BUS_OK) {
		size_t n = 0;

		for (size_t i = 0; i < row.n && row.cell[i].column < ADAPTER_INIT_GRID_WIDTH; i++) {
			const struct adapter_cell *c = &row.cell[i].cell;

			while (n <= row.cell[i].column)
				text[n++] = (struct bus_str){ NULL, 0 };
			text[row.cell[i].column] = c->kind == ADAPTER_BROKEN ? BUS_STR("#N/A") : c->text;
		}
		adapter_init_grid_put(&k->grid, row.number, text, n, row.too_long);
	}
	if (rc == BUS_ENOENT)
		rc = k->kind->merges(k->book, at, &k->grid.merge, &k->grid.n_merges, err);
	free(text);
	return rc;
}

static uint64_t cells(const struct adapter_init_layout *l)
{
	return l->records * l->n_columns;
}

static bool is_better(const struct adapter_init_layout *a, const struct adapter_init_layout *b)
{
	if ((a->n_columns > 1) != (b->n_columns > 1))
		return a->n_columns > 1;
	return a->records != b->records ? a->records > b->records : cells(a) > cells(b);
}

static bool is_wanted(const struct looking *k, const struct adapter_init_layout *l)
{
	return !k->asked || adapter_init_found_holds(&k->grid, l, k->column, k->row);
}

/* Takes the sheet's best table if it is better than what is at hand. */
static void compare(struct looking *k, const char *sheet)
{
	struct adapter_init_layout *table = bus_xcalloc(TABLES_MAX, sizeof(*table));
	size_t n = adapter_init_tables(&k->grid, table, TABLES_MAX), top = n, found = 0;

	for (size_t i = 0; i < n; i++) {
		size_t number = adapter_init_found_add(&k->found, sheet, &k->grid, &table[i]);

		if (is_wanted(k, &table[i]) && (top == n || is_better(&table[i], &table[top]))) {
			top = i;
			found = number;
		}
	}
	k->sheets += top < n;
	if (top < n && (!k->best.sheet || is_better(&table[top], &k->best.layout))) {
		adapter_init_layout_release(&k->best.layout);
		adapter_init_grid_release(&k->best.grid);
		k->best = (struct best){ k->grid, table[top], sheet, n, found };
		k->grid = (struct adapter_init_grid){ 0 };
		table[top] = (struct adapter_init_layout){ 0 };
	}
	for (size_t i = 0; i < n; i++)
		adapter_init_layout_release(&table[i]);
	adapter_init_grid_release(&k->grid);
	free(table);
}

static void describe(const struct best *b, const char *kind, struct adapter_init_shape *out)
{
	const struct adapter_init_layout *l = &b->layout;
	bool by_header = l->names_good && !l->numbered;

	out->kind = kind;
	bus_buf_printf(&out->source, "kind: %s\nsheet: ", kind);
	{
		struct bus_buf quoted = { 0 };

		/* A name of digits would be taken for a number. */
		adapter_init_put_yaml(&quoted, b->sheet);
		bus_buf_put(&out->source, quoted.p, quoted.n);
		bus_buf_release(&quoted);
	}
	bus_buf_puts(&out->source, "\n");
	adapter_init_put_range(&b->grid, l, by_header, b->on_sheet == 1, out);
	if (by_header) {
		bus_buf_printf(&out->source, "header: auto\nheader_rows: %zu\n", l->n_header);
	} else {
		bus_buf_puts(&out->source, "header_rows: 0\ncolumns: [");
		for (uint32_t i = 0; i < l->n_columns; i++) {
			bus_buf_puts(&out->source, i > 0 ? ", " : "");
			adapter_init_put_yaml(&out->source, l->name[i]);
		}
		bus_buf_puts(&out->source, "]\n");
	}
	adapter_init_put_rules(l, (const char *const *)l->name, &out->source);
	for (uint32_t i = 0; i < l->n_columns; i++)
		if (l->name[i][0] && (by_header || adapter_init_layout_uses(&b->grid, l, i)))
			adapter_init_column_add(out, l->name[i], false);
	out->expected = l->records;
}

/* There is one table to take, and it is clear which. */
static enum bus_err check_table(const struct looking *k, const char *want, struct bus_error *err)
{
	struct bus_buf places = { 0 };
	enum bus_err rc;

	if (k->found.n == 0)
		return bus_fail(err, BUS_EDATA,
				"tidak ada tabel di buku kerja ini / there is no table in this workbook");
	if (k->best.sheet && (!k->asked || k->sheets == 1))
		return BUS_OK;
	adapter_init_found_places(&k->found, &places);
	rc = bus_fail(err, BUS_EINVAL, "--table %s: %s: %s", want,
		      k->sheets > 1
			  ? "ada di tabel beberapa lembar, sebut --sheet / lies in tables of several "
			    "sheets, say --sheet"
			  : "tidak ada tabel di sel itu / there is no table at that cell",
		      bus_buf_cstr(&places));
	bus_buf_release(&places);
	return rc;
}

/* A cell, or a place as it was told: B47, B47:E63. */
static enum bus_err read_cell(const char *text, struct looking *k, struct bus_error *err)
{
	k->column = UINT32_MAX;
	k->asked = text != NULL;
	if (text &&
	    (!adapter_sheet_place(text, &k->column, &k->row) || k->column == UINT32_MAX || k->row == 0))
		return bus_fail(
		    err, BUS_EINVAL,
		    "--table %s: sebut satu sel tabelnya, misalnya B5 / say a cell of the table, such as B5",
		    text);
	return BUS_OK;
}

static enum bus_err look_at_sheets(struct looking *k, const struct adapter_init_want *want,
				   struct bus_error *err)
{
	const char *names[SHEETS_MAX], *near;
	bool found = !want->sheet, cells;
	size_t n = 0;
	enum bus_err rc = BUS_OK;

	for (; n < SHEETS_MAX && rc == BUS_OK; n++) {
		rc = k->kind->sheet(k->book, n, &names[n], &cells, err);
		if (rc == BUS_ENOENT)
			break;
		if (rc != BUS_OK || !cells || (want->sheet && strcasecmp(want->sheet, names[n]) != 0))
			continue;
		found = true;
		rc = read_sheet(k, n, err);
		if (rc == BUS_OK)
			compare(k, names[n]);
	}
	if (found || (rc != BUS_OK && rc != BUS_ENOENT))
		return rc == BUS_ENOENT ? BUS_OK : rc;
	near = bus_nearest(want->sheet, names, n);
	return bus_fail(err, BUS_EINVAL, "lembar '%s' tidak ada / there is no sheet '%s'%s%s%s", want->sheet,
			want->sheet, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum bus_err adapter_init_look_sheets(const char *path, const struct adapter_sheet_book_kind *kind,
				      const struct adapter_init_want *want, struct adapter_init_shape *out,
				      struct bus_error *err)
{
	struct adapter_input *in = NULL;
	struct looking k = { .kind = kind };
	enum bus_err rc = read_cell(want->table, &k, err);

	if (rc == BUS_OK)
		rc = adapter_input_open(path, &in, err);
	if (rc == BUS_OK)
		rc = kind->open(in, &k.book, err);
	if (rc == BUS_OK)
		rc = look_at_sheets(&k, want, err);
	if (rc == BUS_OK)
		rc = check_table(&k, want->table, err);
	if (rc == BUS_OK) {
		adapter_init_found_note(&k.found, k.best.found, k.asked, out);
		adapter_init_note_layout(&k.best.layout, &k.best.grid, out);
		describe(&k.best, kind->name, out);
	}
	adapter_init_layout_release(&k.best.layout);
	adapter_init_grid_release(&k.best.grid);
	adapter_init_grid_release(&k.grid);
	adapter_init_found_release(&k.found);
	if (k.book)
		kind->close(k.book);
	adapter_input_close(&in);
	return rc;
}
