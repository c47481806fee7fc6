#include "adapters/sheet_fill.h"

struct active {
	const struct adapter_sheet_merge *merge;
	struct adapter_cell value;
	char *text; /* of value */
};

struct adapter_sheet_fill {
	const struct adapter_sheet_merge *merge;
	size_t n, next;
	struct active
	    *active; /* merges that reach the row in hand; they do not overlap: one a column at most */
	size_t n_active;
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
		if (f->active[i].merge->row_end < number)
			free(f->active[i].text);
		else
			f->active[kept++] = f->active[i];
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

		if (m->row < number || m->column < first || m->column - first >= n ||
		    f->n_active == ADAPTER_SHEET_COLUMNS)
			continue;
		from = &cell[m->column - first];
		if (from->kind == ADAPTER_NULL)
			continue;
		a->merge = m;
		a->value = *from;
		a->text = bus_xstrndup(from->text.n > 0 ? from->text.p : "", from->text.n);
		a->value.text.p = a->text;
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

		for (uint32_t c = a->merge->column; c <= a->merge->column_end && c - first < n; c++)
			if (cell[c - first].kind == ADAPTER_NULL)
				cell[c - first] = a->value;
	}
}
