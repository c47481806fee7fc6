/* The tables on a sheet. */
#include "adapters/init/layout.h"
#include "adapters/init/value.h"

#define TABLES_MAX 64

static uint32_t filled(const struct adapter_init_grid *g, size_t row, bool *number)
{
	uint32_t n = 0;

	*number = false;
	for (uint32_t c = 0; c < g->width; c++) {
		struct bus_str s = adapter_init_grid_at(g, row, c);

		n += s.n > 0;
		*number |= adapter_init_is_number(s) && !adapter_init_is_year(s);
	}
	return n;
}

struct span {
	size_t first, end;
	bool numbers; /* a row with words and a plain number has been seen: there is data */
};

/* Where a new table begins: words after a gap (an empty row, or one of a single cell), below rows that had numbers. */
static size_t spans(const struct adapter_init_grid *g, struct span *out)
{
	size_t n = 0;
	bool gap = true;
	uint32_t last = 0;

	for (size_t r = 0; r < g->n; r++) {
		bool number, jump = g->row[r]->number > last + 1;
		uint32_t cells = filled(g, r, &number);

		last = g->row[r]->number;
		if (cells < 2) {
			gap = true;
			continue;
		}
		gap |= jump;
		if (n == 0 || (gap && !number && out[n - 1].numbers && n < TABLES_MAX))
			out[n++] = (struct span){ r, r, false };
		out[n - 1].numbers |= number;
		out[n - 1].end = r + 1;
		gap = false;
	}
	return n;
}

static bool is_empty(const struct adapter_init_grid *g, const struct span *s, uint32_t column)
{
	for (size_t r = s->first; r < s->end; r++) {
		bool number;

		if (adapter_init_grid_at(g, r, column).n > 0 && filled(g, r, &number) > 1)
			return false;
	}
	return true;
}

/* Empty columns before the table's own, where only a title's letter or number stands. */
static uint32_t lead(const struct adapter_init_grid *g, const struct adapter_init_layout *l)
{
	uint32_t c = 0;

	for (; c + 2 < l->n_columns; c++)
		for (size_t r = l->n_header > 0 ? l->header : l->data; r <= l->last; r++)
			if (adapter_init_grid_at(g, r, l->column + c).n > 0)
				return c;
	return c;
}

static bool look(const struct adapter_init_grid *g, size_t first, size_t end, uint32_t column,
		 uint32_t n_columns, struct adapter_init_layout *out)
{
	bool found = adapter_init_layout(g, first, end, column, n_columns, out);
	uint32_t empty = found ? lead(g, out) : 0;

	if (empty == 0)
		return found;
	adapter_init_layout_release(out);
	return adapter_init_layout(g, first, end, column + empty, n_columns - empty, out);
}

size_t adapter_init_tables(const struct adapter_init_grid *g, struct adapter_init_layout *out, size_t max)
{
	struct span span[TABLES_MAX];
	size_t n_spans = spans(g, span), n = 0;

	for (size_t i = 0; i < n_spans; i++) {
		/* What stands below a table belongs to it until the next begins: notes, and totals of one cell. */
		size_t end = i + 1 < n_spans ? span[i].end : g->n;

		for (uint32_t c = 0; c < g->width && n < max; c++) {
			uint32_t first = c;

			while (c < g->width && !is_empty(g, &span[i], c))
				c++;
			if (c - first >= 2 || (c > first && first == 0 && c == g->width))
				n += look(g, span[i].first, end, first, c - first, &out[n]);
		}
	}
	return n;
}
