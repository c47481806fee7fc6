#include "adapters/init/layout_impl.h"

bool adapter_init_layout_uses(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			      uint32_t i)
{
	for (size_t r = l->data; r <= l->last && r < l->end; r++)
		if (adapter_init_grid_at(g, r, l->column + i).n > 0)
			return true;
	return false;
}

bool adapter_init_layout(const struct adapter_init_grid *g, size_t first, size_t end, uint32_t column,
			 uint32_t n_columns, struct adapter_init_layout *out)
{
	struct layout_work w = { .g = g, .l = out, .key = -1 };
	size_t non_empty;

	*out = (struct adapter_init_layout){
		.first = first, .end = end, .column = column, .n_columns = n_columns, .data = first
	};
	if (end <= first || n_columns == 0)
		return false;
	w.filled = bus_xcalloc(end - first, sizeof(*w.filled));
	w.class = bus_xcalloc(end - first, sizeof(*w.class));
	w.typed = bus_xcalloc(n_columns, sizeof(*w.typed));
	w.sum = bus_xcalloc(n_columns, sizeof(*w.sum));
	w.all = bus_xcalloc(n_columns, sizeof(*w.all));
	non_empty = adapter_init_layout_count_filled(&w);
	if (non_empty > 0) {
		adapter_init_layout_find_types(&w, non_empty);
		adapter_init_layout_find_header(&w);
		adapter_init_layout_find_numbering(&w);
		adapter_init_layout_find_key(&w);
		adapter_init_layout_judge_all(&w);
	}
	if (out->records > 0) {
		adapter_init_layout_find_rules(&w);
		adapter_init_layout_find_names(&w);
	}
	free(w.filled);
	free(w.class);
	free(w.typed);
	free(w.sum);
	free(w.all);
	return out->records > 0;
}

void adapter_init_layout_release(struct adapter_init_layout *l)
{
	for (uint32_t i = 0; l->name && i < l->n_columns; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct adapter_init_layout){ 0 };
}
