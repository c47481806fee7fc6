/* Workbooks: every sheet, every table on it; the one with the most records is taken, the others are told. */
#include <stdio.h>
#include <strings.h>

#include "adapters/init/layout.h"
#include "adapters/init/shape.h"

#define TABLES_MAX 40
#define SHEETS_MAX 64

struct best {
	struct adapter_init_grid grid;
	struct adapter_init_layout layout;
	const char *sheet;
	size_t on_sheet; /* tables of that sheet */
};

struct looking {
	const struct adapter_sheet_book_kind *kind;
	void *book;
	struct adapter_init_grid grid; /* of the sheet in hand */
	struct best best;
	struct bus_buf others;
	size_t n_others;
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

static void place(const struct adapter_init_grid *g, const struct adapter_init_layout *l, char out[48])
{
	char from[4], to[4];
	size_t first = l->n_header > 0 ? l->header : l->data;

	snprintf(out, 48, "%s%u:%s%u", adapter_sheet_letters(l->column, from),
		 (unsigned)g->row[first]->number, adapter_sheet_letters(l->column + l->n_columns - 1, to),
		 (unsigned)g->row[l->last]->number);
}

static void tell(struct looking *k, const struct adapter_init_grid *g, const struct adapter_init_layout *l,
		 const char *sheet)
{
	char where[48];

	if (k->n_others++ >= 12)
		return;
	place(g, l, where);
	bus_buf_printf(&k->others, "%s'%.31s' %s (%llu)", k->others.n > 0 ? ", " : "", sheet, where,
		       (unsigned long long)l->records);
}

/* Takes the sheet's best table if it is better than what is at hand. */
static void compare(struct looking *k, const char *sheet)
{
	struct adapter_init_layout *table = bus_xcalloc(TABLES_MAX, sizeof(*table));
	size_t n = adapter_init_tables(&k->grid, table, TABLES_MAX), top = 0;

	for (size_t i = 1; i < n; i++)
		if (is_better(&table[i], &table[top]))
			top = i;
	for (size_t i = 0; i < n; i++)
		if (i != top)
			tell(k, &k->grid, &table[i], sheet);
	if (n > 0 && (!k->best.sheet || is_better(&table[top], &k->best.layout))) {
		if (k->best.sheet)
			tell(k, &k->best.grid, &k->best.layout, k->best.sheet);
		adapter_init_layout_release(&k->best.layout);
		adapter_init_grid_release(&k->best.grid);
		k->best = (struct best){ k->grid, table[top], sheet, n };
		k->grid = (struct adapter_init_grid){ 0 };
		table[top] = (struct adapter_init_layout){ 0 };
	} else if (n > 0) {
		tell(k, &k->grid, &table[top], sheet);
	}
	for (size_t i = 0; i < n; i++)
		adapter_init_layout_release(&table[i]);
	adapter_init_grid_release(&k->grid);
	free(table);
}

/* The only table of its sheet: its columns to the last row, so that next year's file may be longer. */
static void put_range(const struct best *b, bool by_header, struct adapter_init_shape *out)
{
	const struct adapter_init_layout *l = &b->layout;
	char from[4], to[4];
	uint32_t first = b->grid.row[by_header ? l->header : l->data]->number;

	adapter_sheet_letters(l->column, from);
	adapter_sheet_letters(l->column + l->n_columns - 1, to);
	if (by_header && b->on_sheet == 1 && l->uncovered == 0)
		bus_buf_printf(&out->source, "range: \"%s:%s\"\n", from, to);
	else if (b->on_sheet == 1 && l->uncovered == 0)
		bus_buf_printf(&out->source, "range: \"%s%u:%s\"\n", from, (unsigned)first, to);
	else
		bus_buf_printf(&out->source, "range: \"%s%u:%s%u\"\n", from, (unsigned)first, to,
			       (unsigned)b->grid.row[l->last]->number);
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
	put_range(b, by_header, out);
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

static void note(struct looking *k, struct adapter_init_shape *out)
{
	char where[48];

	place(&k->best.grid, &k->best.layout, where);
	adapter_init_note(
	    out, k->n_others > 0 ? ADAPTER_INIT_MEDIUM : ADAPTER_INIT_HIGH, k->n_others > 0,
	    "tabel di lembar '%.31s', %s: yang paling banyak barisnya / table on sheet '%.31s', %s: the "
	    "one with the most rows",
	    k->best.sheet, where, k->best.sheet, where);
	if (k->n_others > 0)
		adapter_init_note(
		    out, ADAPTER_INIT_MEDIUM, true,
		    "tabel lain (jumlah baris): %s; pilih lembar dengan --sheet / other tables (rows): %s; "
		    "choose a sheet with --sheet",
		    bus_buf_cstr(&k->others), bus_buf_cstr(&k->others));
	adapter_init_note_layout(&k->best.layout, &k->best.grid, out);
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
	enum bus_err rc = adapter_input_open(path, &in, err);

	if (rc == BUS_OK)
		rc = kind->open(in, &k.book, err);
	if (rc == BUS_OK)
		rc = look_at_sheets(&k, want, err);
	if (rc == BUS_OK && !k.best.sheet)
		rc = bus_fail(err, BUS_EDATA,
			      "tidak ada tabel di buku kerja ini / there is no table in this workbook");
	if (rc == BUS_OK) {
		describe(&k.best, kind->name, out);
		note(&k, out);
	}
	adapter_init_layout_release(&k.best.layout);
	adapter_init_grid_release(&k.best.grid);
	adapter_init_grid_release(&k.grid);
	bus_buf_release(&k.others);
	if (k.book)
		kind->close(k.book);
	adapter_input_close(&in);
	return rc;
}
