#include "adapters/sheet_fill.h"

struct active {
	const struct adapter_sheet_merge *merge;
	size_t width; /* within the table */
	struct adapter_cell value;
	char *text; /* of value */
};

struct adapter_sheet_fill {
	const struct adapter_sheet_merge *merge;
	size_t n, next;
	struct active *active; /* merges that reach the row in hand */
	size_t n_active;
	size_t covered; /* columns of theirs; merges that overlap go over the table's own, and are ignored */
};

struct adapter_sheet_fill *adapter_sheet_fill_new(const struct adapter_sheet_merge *merge, size_t n)
{
	struct adapter_sheet_fill *f = bus_xcalloc(1, sizeof(*f));

	f->merge = merge;
	f->n = n;
	f->active = bus_xcalloc(ADAPTER_SHEET_COLUMNS, sizeof(*f->active));
	return f;
}

static void end_merges(struct adapter_sheet_fill *f, uint32_t number)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n_active; i++) {
		if (f->active[i].merge->row_end >= number) {
			f->active[kept++] = f->active[i];
			continue;
		}
		f->covered -= f->active[i].width;
		free(f->active[i].text);
	}
	f->n_active = kept;
}

void adapter_sheet_fill_free(struct adapter_sheet_fill **f)
{
	if (!*f)
		return;
	end_merges(*f, UINT32_MAX);
	free((*f)->active);
	free(*f);
	*f = NULL;
}

static void begin_merges(struct adapter_sheet_fill *f, uint32_t number, uint32_t first,
			 const struct adapter_cell *cell, size_t n)
{
	for (; f->next < f->n && f->merge[f->next].row <= number; f->next++) {
		const struct adapter_sheet_merge *m = &f->merge[f->next];
		struct active *a = &f->active[f->n_active];
		const struct adapter_cell *from;
		size_t width, right;

		if (m->row < number || m->column < first || m->column - first >= n)
			continue;
		from = &cell[m->column - first];
		width = m->column_end - m->column + 1;
		right = n - (m->column - first);
		if (width > right)
			width = right;
		if (from->kind == ADAPTER_NULL || f->covered + width > n)
			continue;
		*a = (struct active){ m, width, *from,
				      bus_xstrndup(from->text.n > 0 ? from->text.p : "", from->text.n) };
		a->value.text.p = a->text;
		f->covered += width;
		f->n_active++;
	}
}

void adapter_sheet_fill_row(struct adapter_sheet_fill *f, uint32_t number, uint32_t first,
			    struct adapter_cell *cell, size_t n)
{
	end_merges(f, number);
	begin_merges(f, number, first, cell, n);
	for (size_t i = 0; i < f->n_active; i++) {
		const struct active *a = &f->active[i];

		struct adapter_cell *to = &cell[a->merge->column - first];

		for (size_t k = 0; k < a->width; k++)
			if (to[k].kind == ADAPTER_NULL)
				to[k] = a->value;
	}
}
