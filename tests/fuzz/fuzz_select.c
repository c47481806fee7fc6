/* The shape of any text as a SELECT: read, resolved, asked for routes and sources, without SQLite having taken it. What is
 * found stays inside the text and the world. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "gateway/define/lineage.h"
#include "gateway/define/route_find.h"

static const struct gw_world_column a_columns[] = { { "_key", GW_TEXT, 'P' },
						    { "id", GW_TEXT, 'P' },
						    { "n", GW_INT, 'S' } };
static const struct gw_world_column b_columns[] = { { "_key", GW_TEXT, 'N' }, { "id", GW_TEXT, 'P' } };
static const struct gw_world_table tables[] = {
	{ .name = "a", .topic = "pku.uji.a.v1", .key = "_key", .column = a_columns, .n_columns = 3 },
	{ .name = "b", .topic = "pku.uji.b.v1", .key = "_key", .column = b_columns, .n_columns = 2 },
};
static const struct gw_world world = { tables, 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_arena *arena = bus_arena_new(0);
	struct gw_route_def route[8];
	struct gw_lineage l;
	struct gw_ast *ast;
	char *text;
	size_t n = 0;

	if (size > 20000) {
		bus_arena_free(&arena);
		return 0;
	}
	text = bus_xstrndup((const char *)data, size);
	ast = gw_ast_parse(text, &world, arena);
	for (size_t i = 0; i < ast->n_tokens; i++)
		assert(ast->token[i].at >= text && ast->token[i].end <= text + strlen(text));
	for (size_t column = 0; column < 3; column++) {
		gw_lineage_of(ast, column, &l);
		gw_lineage_needs(ast, column, 0, &l);
		assert(l.n <= GW_SOURCES_MAX);
	}
	gw_lineage_needs(ast, GW_LINEAGE_ROWS, 0, &l);
	for (size_t i = 0; i < world.n; i++)
		(void)gw_route_find(ast, 0, world.table[i].name, route, 8, &n);
	assert(n <= 8);
	for (size_t i = 0; i < n; i++)
		assert((route[i].column != NULL) != (route[i].select != NULL));
	free(text);
	bus_arena_free(&arena);
	return 0;
}
