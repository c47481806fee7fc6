/* Where the header stands, and a row below it that numbers the columns. */
#include "adapters/init/layout_impl.h"

#include "adapters/init/value.h"

#define HEADER_WITHIN 200 /* rows in which a header is looked for */
#define HEADER_MAX 5

static int atoi_n(struct bus_str s)
{
	int v = 0;

	for (size_t i = 0; i < s.n && i < 9; i++)
		v = v * 10 + (s.p[i] - '0');
	return v;
}

/* Uraian; 2021; 2022; 2023: nothing but rising years above the numbers. */
static bool heads_by_years(const struct layout_work *w, size_t row)
{
	uint32_t years = 0;
	int last = 0;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = layout_at(w, row, c);

		if (!w->typed[c] || s.n == 0)
			continue;
		if (!adapter_init_is_year(s) || atoi_n(s) <= last)
			return false;
		last = atoi_n(s);
		years++;
	}
	return years >= 2 && adapter_init_layout_look_at(w, row).texts > years;
}

static bool heads(const struct layout_work *w, size_t row)
{
	struct layout_look k = adapter_init_layout_look_at(w, row);

	if (w->n_typed == 0)
		return k.texts > 0 && k.numbers == 0;
	if (heads_by_years(w, row))
		return true;
	return k.typed_texts > 0 && k.typed_texts * 2 >= k.typed && k.numbers * 5 <= k.texts + k.numbers;
}

static bool adjacent(const struct layout_work *w, size_t a, size_t b)
{
	return w->g->row[b]->number == w->g->row[a]->number + (b - a);
}

/* A column is filled in row a and in none of rows [from, to). */
static bool fills_gap(const struct layout_work *w, size_t a, size_t from, size_t to)
{
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		bool gap = layout_at(w, a, c).n > 0;

		for (size_t r = from; r < to && gap; r++)
			gap = layout_at(w, r, c).n == 0;
		if (gap)
			return true;
	}
	return false;
}

void adapter_init_layout_find_header(struct layout_work *w)
{
	struct adapter_init_layout *l = w->l;
	size_t looked = 0, r;

	l->data = l->first;
	for (r = l->first; r < l->end && looked < HEADER_WITHIN; r++) {
		struct layout_look k;

		if (layout_filled(w, r) == 0)
			continue;
		looked++;
		if (!adapter_init_layout_is_full(w, r))
			continue;
		if (heads(w, r))
			break;
		k = adapter_init_layout_look_at(w, r);
		if (k.conform > 0 && k.typed_texts == 0) {
			l->data = r;
			return;
		}
	}
	if (r == l->end || looked == HEADER_WITHIN)
		return;
	l->header = r;
	l->n_header = 1;
	l->header_sure = w->n_typed > 0;
	while (l->header > l->first && l->n_header < HEADER_MAX && adjacent(w, l->header - 1, l->header) &&
	       layout_filled(w, l->header - 1) >= 2 &&
	       adapter_init_layout_look_at(w, l->header - 1).numbers == 0 &&
	       fills_gap(w, l->header - 1, l->header, l->header + l->n_header)) {
		l->header--;
		l->n_header++;
	}
	for (r = l->header + l->n_header; r < l->end && l->n_header < HEADER_MAX && adjacent(w, r - 1, r);
	     r++) {
		bool gap = fills_gap(w, r, l->header, r);

		if (layout_filled(w, r) < 2 || !heads(w, r))
			break;
		if (w->n_typed == 0 ? !gap || !fills_gap(w, l->header, r, r + 1)
				    : !gap && adapter_init_layout_look_at(w, r).typed_texts < 2)
			break;
		l->n_header++;
	}
	l->data = l->header + l->n_header;
}

/* A row that numbers the columns: (1) (2) (3). The one below it does not go on counting. */
static bool is_numbering(const struct layout_work *w, size_t row)
{
	int last = 0, next;
	uint32_t n = 0, first = 0;
	size_t below = row + 1;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = layout_at(w, row, c);
		int v;

		if (s.n == 0)
			continue;
		v = adapter_init_small(s);
		if (v <= last || v > last + 2 || (n == 0 && v != 1))
			return false;
		if (n++ == 0)
			first = c;
		last = v;
	}
	if (n < 2 || n * 10 < w->l->n_columns * 5)
		return false;
	while (below < w->l->end && layout_filled(w, below) == 0)
		below++;
	next = below < w->l->end ? adapter_init_small(layout_at(w, below, first)) : -1;
	return n >= 3 ? next != 2 : next == 1;
}

void adapter_init_layout_find_numbering(struct layout_work *w)
{
	struct adapter_init_layout *l = w->l;
	size_t r = l->data;

	while (r < l->end && layout_filled(w, r) == 0)
		r++;
	if (l->n_header > 0 && r < l->end && is_numbering(w, r)) {
		l->numbered = true;
		l->data = r + 1;
	}
}
