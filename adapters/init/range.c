#include "adapters/init/range.h"

#define HEADER_WITHIN 1000 /* rows in which the source looks for it */

static bool is_empty(const struct adapter_init_grid *g, const struct adapter_init_layout *l, size_t row)
{
	for (uint32_t c = 0; c < l->n_columns; c++)
		if (adapter_init_grid_at(g, row, l->column + c).n > 0)
			return false;
	return true;
}

/* The row, and the one before it on the sheet, hold something. */
static bool goes_on(const struct adapter_init_grid *g, const struct adapter_init_layout *l, size_t row)
{
	return g->row[row]->number == g->row[row - 1]->number + 1 && !is_empty(g, l, row);
}

/* An empty row ends the table, and none stands in it. */
static bool ends_empty(const struct adapter_init_grid *g, const struct adapter_init_layout *l)
{
	for (size_t r = l->data + 1; r <= l->last; r++)
		if (!goes_on(g, l, r))
			return false;
	return g->left_out == 0 && l->uncovered == 0;
}

/* A row that holds every word of the header's. */
static bool reads_as_header(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			    size_t row)
{
	uint32_t end = l->column + l->n_columns;

	for (uint32_t c = l->column; c < end; c++) {
		struct bus_str want = adapter_init_grid_at(g, l->header, c);
		bool there = want.n == 0;

		for (uint32_t k = l->column; k < end && !there; k++)
			there = bus_str_eq(want, adapter_init_grid_at(g, row, k));
		if (!there)
			return false;
	}
	return true;
}

/* `header: auto` finds it wherever it stands: no row above reads so. */
static bool is_found_by_header(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			       bool alone)
{
	if (l->n_header != 1 || g->row[l->header]->number > HEADER_WITHIN)
		return alone;
	for (size_t r = 0; r < l->header; r++)
		if (reads_as_header(g, l, r))
			return false;
	return true;
}

void adapter_init_put_range(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			    bool by_header, bool alone, struct adapter_init_shape *out)
{
	bool open = alone ? l->uncovered == 0 : ends_empty(g, l);
	unsigned last = (unsigned)g->row[l->last]->number;
	char from[4], to[4];

	bus_buf_printf(&out->source, "range: \"%s", adapter_sheet_letters(l->column, from));
	if (!open || !by_header || !is_found_by_header(g, l, alone))
		bus_buf_printf(&out->source, "%u", (unsigned)g->row[by_header ? l->header : l->data]->number);
	bus_buf_printf(&out->source, ":%s", adapter_sheet_letters(l->column + l->n_columns - 1, to));
	if (!open)
		bus_buf_printf(&out->source, "%u", last);
	bus_buf_puts(&out->source, "\"\n");
	if (open && !alone)
		bus_buf_puts(&out->source, "until_empty: true\n");
	if (!open)
		adapter_init_note(
		    out, ADAPTER_INIT_LOW, true,
		    "tabel dibaca sampai baris %u saja: bila berkas berikutnya lebih panjang, ubah "
		    "range / the table is read to row %u only: change range when the next file is longer",
		    last, last);
	else if (!alone)
		adapter_init_note(
		    out, ADAPTER_INIT_MEDIUM, false,
		    "baris kosong pertama mengakhiri tabel / the first empty row ends the table");
}
