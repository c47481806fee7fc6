/* What the rows have in common: how full they are, which columns hold numbers, which rows look like the others. */
#include "adapters/init/layout_impl.h"

#include "adapters/init/value.h"

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* A line drawn across the table: -----, =====. */
bool adapter_init_layout_is_ruling(const struct layout_work *w, size_t row)
{
	uint32_t n = 0;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = layout_at(w, row, c);

		for (size_t i = 0; i < s.n; i++)
			if (!strchr("-=_+|* ", s.p[i]) || !s.p[i])
				return false;
		n += s.n > 0;
	}
	return n > 0;
}

size_t adapter_init_layout_count_filled(struct layout_work *w)
{
	size_t n = 0, rows = w->l->end - w->l->first;
	uint32_t *sorted = bus_xcalloc(rows + 1, sizeof(*sorted));

	for (size_t r = w->l->first; r < w->l->end; r++) {
		uint32_t *f = &w->filled[r - w->l->first];

		for (uint32_t c = 0; c < w->l->n_columns; c++)
			*f += layout_at(w, r, c).n > 0;
		if (adapter_init_layout_is_ruling(w, r))
			*f = 0;
		if (*f > 0)
			sorted[n++] = *f;
	}
	qsort(sorted, n, sizeof(*sorted), by_size);
	w->usual = n > 0 ? sorted[n / 2] : 0;
	free(sorted);
	return n;
}

/* By the lower half: there are the fewest titles. */
void adapter_init_layout_find_types(struct layout_work *w, size_t non_empty)
{
	size_t skip = (non_empty + 1) / 2, seen = 0;
	size_t *numbers = bus_xcalloc(w->l->n_columns, sizeof(*numbers));
	size_t *values = bus_xcalloc(w->l->n_columns, sizeof(*values));

	if (skip == non_empty)
		skip = non_empty - 1;
	for (size_t r = w->l->first; r < w->l->end; r++) {
		if (layout_filled(w, r) == 0 || seen++ < skip)
			continue;
		for (uint32_t c = 0; c < w->l->n_columns; c++) {
			struct bus_str s = layout_at(w, r, c);

			if (s.n == 0 || adapter_init_is_null(s))
				continue;
			values[c]++;
			numbers[c] += adapter_init_is_number(s);
		}
	}
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		w->typed[c] = values[c] > 0 && numbers[c] * 10 >= values[c] * 7;
		w->n_typed += w->typed[c];
	}
	free(numbers);
	free(values);
}

struct layout_look adapter_init_layout_look_at(const struct layout_work *w, size_t row)
{
	struct layout_look k = { 0 };
	uint32_t labels = 0;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = layout_at(w, row, c);
		bool number, label;

		if (s.n == 0 || adapter_init_is_null(s))
			continue;
		number = adapter_init_is_number(s);
		label = adapter_init_is_year(s) || adapter_init_is_span(s);
		k.texts += !number || label;
		k.numbers += number && !label;
		if (!w->typed[c])
			continue;
		k.typed++;
		k.conform += number;
		k.typed_texts += !number;
		labels += number && label;
	}
	if (k.typed_texts > 0) { /* years, and ages from one to another, head columns where words do */
		k.typed_texts += labels;
		k.conform -= labels;
	}
	return k;
}

bool adapter_init_layout_is_full(const struct layout_work *w, size_t row)
{
	uint32_t least = (w->usual * 6 + 9) / 10, two = w->l->n_columns > 1 && w->usual > 1 ? 2 : 1;

	return layout_filled(w, row) >= (least > two ? least : two);
}
