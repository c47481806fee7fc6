/* A page's query string, "name=value&...", as gw_params gets it: whatever comes, a filter, a selection or a
 * day that is accepted is one that may be asked, and nothing masked is ever filtered by. */
#include <assert.h>
#include <stdint.h>

#include "bus/http_route.h"
#include "gateway/serve/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct gw_column columns[] = {
	{ .name = "id", .type = GW_TEXT, .pdp = 'P' },
	{ .name = "nama", .type = GW_TEXT, .pdp = 'U' }, /* masked */
	{ .name = "jumlah", .type = GW_INT, .pdp = 'N' },
	{ .name = "rahasia", .type = GW_TEXT, .pdp = 'S' }, /* not shown */
};
enum { SHOWN = 7, CLEAR = 5 };

/* Of a filter that was taken: no masked column, and nothing without an end. */
static void look(const struct gw_filter *f, int depth, size_t size, size_t *parts)
{
	assert(depth <= GW_FILTER_DEPTH_MAX);
	++*parts;
	if (f->op == GW_AND || f->op == GW_OR) {
		assert(f->n > 0);
		for (size_t i = 0; i < f->n; i++)
			look(&f->part[i], depth + 1, size, parts);
		return;
	}
	assert(CLEAR >> f->column & 1);
	assert(f->n <= GW_IN_MAX);
	for (size_t k = 0; k < f->n; k++)
		assert(strlen(f->value[k]) <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gw_view view = { .name = "v", .column = columns, .n_columns = 4, .dated = true };
	static struct http_pair pair[HTTP_QUERY_MAX];
	struct bus_arena *arena;
	struct gw_params p;
	size_t n, parts = 0;
	char *text;

	if (size > 8192)
		return 0;
	text = bus_xmalloc(2 * size + 2);
	arena = bus_arena_new(64 * 1024);
	gw_params_begin(&p, &view, (struct gw_grant){ .allowed = true, .shown = SHOWN, .clear = CLEAR }, arena);
	if (bus_http_query_parse((struct bus_str){ (const char *)data, size }, text, pair, &n))
		for (size_t i = 0; i < n && gw_params_add(&p, pair[i].name, pair[i].value); i++)
			;
	if (gw_params_end(&p)) {
		assert(!p.problem && p.query.date && gw_date_ok(p.query.date));
		assert(p.query.limit >= 0 && p.query.limit <= GW_LIMIT_MAX);
		assert(p.query.offset >= 0 && p.query.offset <= GW_OFFSET_MAX);
		assert(p.n_columns >= 1 && p.n_columns <= GW_COLUMNS_MAX);
		for (size_t i = 0; i < p.n_columns; i++)
			assert(SHOWN >> p.column[i] & 1 && p.name[i][0]);
		assert(p.query.n_filters <= GW_FILTERS_MAX);
		for (size_t i = 0; i < p.query.n_filters; i++)
			look(&p.filter[i], 0, size, &parts);
		assert(parts <= GW_FILTERS_MAX + GW_FILTER_PARTS_MAX);
		assert(p.query.n_order <= GW_ORDER_MAX);
		for (size_t i = 0; i < p.query.n_order; i++)
			assert(CLEAR >> p.order[i].column & 1);
	} else {
		assert(p.problem);
	}
	bus_arena_free(&arena);
	free(text);
	return 0;
}
