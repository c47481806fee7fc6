#include "adapters/init/grid.h"

#include "adapters/source_rules.h"

void adapter_init_grid_release(struct adapter_init_grid *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->row[i]);
	free(g->row);
	free(g->merge);
	*g = (struct adapter_init_grid){ 0 };
}

static struct adapter_init_row *copy(uint32_t number, const struct bus_str *text, size_t n, bool broken,
				     size_t *bytes)
{
	struct adapter_init_row *r;
	char *p;

	*bytes = sizeof(*r) + n * sizeof(r->cell[0]);
	for (size_t i = 0; i < n; i++)
		*bytes += text[i].n;
	r = bus_xmalloc(*bytes);
	r->number = number;
	r->n = (uint32_t)n;
	r->broken = broken;
	p = (char *)&r->cell[n];
	for (size_t i = 0; i < n; i++) {
		if (text[i].n > 0)
			memcpy(p, text[i].p, text[i].n);
		r->cell[i].text = adapter_source_trim((struct bus_str){ p, text[i].n });
		p += text[i].n;
	}
	return r;
}

void adapter_init_grid_put(struct adapter_init_grid *g, uint32_t number, const struct bus_str *text, size_t n,
			   bool broken)
{
	struct adapter_init_row *r;
	size_t bytes;

	if (n > ADAPTER_INIT_GRID_WIDTH)
		n = ADAPTER_INIT_GRID_WIDTH;
	r = copy(number, text, n, broken, &bytes);
	for (size_t i = n; i > 0 && g->width < i; i--)
		if (r->cell[i - 1].text.n > 0)
			g->width = (uint32_t)i;
	if (g->head == 0 && (g->n == ADAPTER_INIT_GRID_ROWS || g->bytes > ADAPTER_INIT_GRID_BYTES))
		g->head = g->n;
	if (g->head > 0 && g->n - g->head == ADAPTER_INIT_GRID_TAIL) {
		free(g->row[g->head]);
		memmove(&g->row[g->head], &g->row[g->head + 1],
			(ADAPTER_INIT_GRID_TAIL - 1) * sizeof(g->row[0]));
		g->n--;
		g->left_out++;
	}
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 256;
		g->row = bus_xrealloc(g->row, g->cap * sizeof(*g->row));
	}
	g->row[g->n++] = r;
	g->bytes += bytes;
}

struct bus_str adapter_init_grid_at(const struct adapter_init_grid *g, size_t row, uint32_t column)
{
	const struct adapter_init_row *r = g->row[row];

	return column < r->n ? r->cell[column].text : (struct bus_str){ NULL, 0 };
}
