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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gw_view view = { .name = "v", .column = columns, .n_columns = 4, .dated = true };
	static struct http_pair pair[HTTP_QUERY_MAX];
	struct bus_arena *arena;
	struct gw_params p;
	char *text;
	size_t n;

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
		assert(p.query.limit >= 1 && p.query.limit <= GW_LIMIT_MAX);
		assert(p.n_columns >= 1 && p.n_columns <= 3);
		for (size_t i = 0; i < p.n_columns; i++)
			assert(SHOWN >> p.column[i] & 1);
		assert(p.query.n_filters <= GW_FILTERS_MAX);
		for (size_t i = 0; i < p.query.n_filters; i++) {
			const struct gw_filter *f = &p.filter[i];

			assert(CLEAR >> f->column & 1);
			assert(f->n <= GW_IN_MAX &&
			       (f->n > 0 || f->op == GW_IS_NULL || f->op == GW_NOT_NULL));
			for (size_t k = 0; k < f->n; k++)
				assert(strlen(f->value[k]) <= size);
		}
	} else {
		assert(p.problem);
	}
	bus_arena_free(&arena);
	free(text);
	return 0;
}
