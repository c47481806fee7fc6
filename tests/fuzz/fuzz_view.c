/* A definition from outside: front matter, SELECT, routes found in it, its trial; in the sandbox, with little time. What
 * is bound keeps its promises: routes for every table, columns as SQLite gives them. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "bus/json.h"
#include "gateway/define/review.h"

#define T(n, c)                                                                                              \
	{                                                                                                    \
		n, GW_TEXT, c                                                                                \
	}
static const struct gw_world_column a_columns[] = {
	T("_key", 'P'), T("id", 'P'), T("kel", 'N'), { "n", GW_INT, 'S' }
};
static const struct gw_world_column b_columns[] = { T("_key", 'N'), T("id", 'P'), { "m", GW_REAL, 'S' } };
static const struct gw_world_table tables[] = {
	{ .name = "a",
	  .topic = "pku.uji.a.v1",
	  .key = "_key",
	  .twin = "id",
	  .column = a_columns,
	  .n_columns = 4 },
	{ .name = "b", .topic = "pku.uji.b.v1", .key = "_key", .column = b_columns, .n_columns = 3 },
};
static const struct gw_world world = { tables, 2 };

static bool has_route(const struct gw_def *d, const char *table)
{
	for (size_t i = 0; i < d->n_routes; i++) {
		if (strcmp(d->route[i].table, table) == 0)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_review *r = bus_xcalloc(1, sizeof(*r));
	struct bus_buf json = { 0 };
	struct bus_json_out j = { .buf = &json };
	struct bus_json *root;
	struct bus_arena *arena = bus_arena_new(0);

	if (size <= 20000) {
		gw_review_run(r, "f", (struct bus_str){ (const char *)data, size }, &world, false, 20);
		assert(r->bound || r->failed);
		for (size_t i = 0; i < (r->bound ? r->def->n_reads : 0); i++)
			assert(r->def->rollup || has_route(r->def, r->def->read[i].table));
		bus_json_object(&j);
		gw_review_put(r, &j);
		bus_json_object_end(&j);
		assert(bus_json_parse(bus_buf_str(&json), NULL, arena, &root, NULL) == BUS_OK);
		gw_review_release(r);
	}
	bus_buf_release(&json);
	bus_arena_free(&arena);
	free(r);
	return 0;
}
