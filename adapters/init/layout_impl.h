/* adapters/init/layout_impl.h - what the steps of a layout share; layout.c says in which order they go. */
#ifndef ADAPTERS_INIT_LAYOUT_IMPL_H
#define ADAPTERS_INIT_LAYOUT_IMPL_H

#include "adapters/init/layout.h"

enum layout_fate { CLASS_BLANK, CLASS_DATA, CLASS_TOTAL, CLASS_NOTE, CLASS_REPEAT };

struct layout_work {
	const struct adapter_init_grid *g;
	struct adapter_init_layout *l;
	uint32_t *filled; /* of each row of the grid from l->first on */
	uint8_t *class;
	bool *typed; /* of each column: it holds numbers, mostly */
	size_t n_typed;
	uint32_t usual; /* cells that are filled in a row of the middle */
	int key;	/* the first column that is always filled; -1: none */
	double *sum, *all;
	size_t n_sum;
};

struct layout_look { /* of one row */
	uint32_t texts, numbers, typed, typed_texts, conform;
};

static inline struct bus_str layout_at(const struct layout_work *w, size_t row, uint32_t column)
{
	return adapter_init_grid_at(w->g, row, w->l->column + column);
}

static inline uint32_t layout_filled(const struct layout_work *w, size_t row)
{
	return w->filled[row - w->l->first];
}

/* layout_common.c */
/* Returns how many rows are not empty. */
size_t adapter_init_layout_count_filled(struct layout_work *w);
void adapter_init_layout_find_types(struct layout_work *w, size_t non_empty);
struct layout_look adapter_init_layout_look_at(const struct layout_work *w, size_t row);
bool adapter_init_layout_is_full(const struct layout_work *w, size_t row);
bool adapter_init_layout_is_ruling(const struct layout_work *w, size_t row);

/* layout_header.c */
void adapter_init_layout_find_header(struct layout_work *w);
void adapter_init_layout_find_numbering(struct layout_work *w);

/* layout_rows.c */
void adapter_init_layout_find_key(struct layout_work *w);
void adapter_init_layout_judge_all(struct layout_work *w);

/* layout_rules.c */
void adapter_init_layout_find_rules(struct layout_work *w);

/* layout_names.c */
void adapter_init_layout_find_names(struct layout_work *w);

#endif
