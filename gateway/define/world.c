#include "gateway/define/world.h"

#include <strings.h>

const struct gw_world_table *gw_world_find(const struct gw_world *w, const char *table)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcasecmp(w->table[i].name, table) == 0)
			return &w->table[i];
	}
	return NULL;
}

int gw_world_column(const struct gw_world_table *t, const char *column)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		if (strcasecmp(t->column[i].name, column) == 0)
			return (int)i;
	}
	return -1;
}

static int rank(char pdp)
{
	return pdp == 'N' ? 0 : pdp == 'P' ? 1 : pdp == 'U' ? 2 : 3;
}

bool gw_world_graver(char a, char b)
{
	return rank(a) > rank(b);
}
