#include "adapters/json_row.h"

#include <stdio.h>

#include "adapters/geojson.h"

#define PARTS_MAX 16
#define TREE_MAX ((size_t)8 * 1024 * 1024) /* bytes of one row's tree */

struct node {		     /* of the wanted paths, as a tree of names */
	struct bus_str name; /* in paths */
	size_t first;	     /* child, 0: none (0 is the root) */
	size_t next;
	size_t cell; /* SIZE_MAX: only on the way */
};

struct adapter_json_row {
	struct bus_arena *arena;
	struct node *node;
	size_t n_nodes;
	struct adapter_cell *cell;
	size_t n_cells;
	char **path;  /* copies of wanted */
	size_t *same; /* same[i] != i: wanted twice, the first has the value */
};

/* The child of a node with this name; made when there is none. */
static size_t child(struct adapter_json_row *r, size_t parent, struct bus_str name)
{
	size_t *at = &r->node[parent].first;

	while (*at != 0) {
		if (bus_str_eq(r->node[*at].name, name))
			return *at;
		at = &r->node[*at].next;
	}
	*at = r->n_nodes;
	r->node[r->n_nodes] = (struct node){ .name = name, .cell = SIZE_MAX };
	return r->n_nodes++;
}

static size_t parts(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == '.';
	return n;
}

static bool add_path(struct adapter_json_row *r, const char *path, size_t cell)
{
	size_t at = 0;

	if (parts(path) > PARTS_MAX)
		return false;
	for (;;) {
		size_t n = strcspn(path, ".");

		if (n == 0)
			return false;
		at = child(r, at, (struct bus_str){ path, n });
		if (path[n] == '\0')
			break;
		path += n + 1;
	}
	if (r->node[at].cell == SIZE_MAX)
		r->node[at].cell = cell;
	r->same[cell] = r->node[at].cell;
	return true;
}

enum bus_err adapter_json_row_new(struct bus_yaml *yaml, struct bus_yaml_node *conf,
				  const char *const *wanted, size_t n_wanted, struct adapter_json_row **out,
				  struct bus_error *err)
{
	struct adapter_json_row *r = bus_xcalloc(1, sizeof(*r));
	size_t n_nodes = 1;

	*out = NULL;
	for (size_t i = 0; i < n_wanted; i++)
		n_nodes += parts(wanted[i]);
	r->arena = bus_arena_new(TREE_MAX);
	r->node = bus_xcalloc(n_nodes, sizeof(*r->node));
	r->node[0].cell = SIZE_MAX;
	r->n_nodes = 1;
	r->cell = bus_xcalloc(n_wanted + 1, sizeof(*r->cell));
	r->same = bus_xcalloc(n_wanted + 1, sizeof(*r->same));
	r->n_cells = n_wanted;
	r->path = bus_xcalloc(n_wanted + 1, sizeof(*r->path));
	for (size_t i = 0; i < n_wanted; i++) {
		r->path[i] = bus_xstrdup(wanted[i]);
		if (add_path(r, r->path[i], i))
			continue;
		adapter_json_row_free(&r);
		return bus_yaml_fail(yaml, conf, err, "'%s' is no path: names joined by '.', at most %d",
				     wanted[i], PARTS_MAX);
	}
	*out = r;
	return BUS_OK;
}

void adapter_json_row_free(struct adapter_json_row **r)
{
	if (!*r)
		return;
	for (size_t i = 0; i < (*r)->n_cells; i++)
		free((*r)->path[i]);
	free((*r)->path);
	bus_arena_free(&(*r)->arena);
	free((*r)->node);
	free((*r)->cell);
	free((*r)->same);
	free(*r);
	*r = NULL;
}

static void set_cell(struct adapter_cell *cell, const struct bus_json *v)
{
	switch (v->type) {
	case BUS_JSON_NULL:
		cell->kind = ADAPTER_NULL;
		break;
	case BUS_JSON_STRING:
		cell->kind = ADAPTER_TEXT;
		cell->text = v->text;
		break;
	case BUS_JSON_NUMBER:
		cell->kind = ADAPTER_NUMBER;
		cell->text = v->text;
		break;
	default:
		cell->kind = ADAPTER_TREE;
		cell->tree = v;
	}
}

/* `@lon` and `@lat` at the end of a path: where a GeoJSON geometry is. */
static void take_place(struct adapter_json_row *r, const struct node *parent, const struct bus_json *object)
{
	static const char *const axis[] = { "@lon", "@lat" };

	for (size_t at = parent->first; at != 0; at = r->node[at].next) {
		const struct node *n = &r->node[at];

		for (int i = 0; i < 2 && n->cell != SIZE_MAX; i++) {
			char *room;

			if (!bus_str_eq(n->name, bus_str(axis[i])))
				continue;
			room = bus_arena_alloc(r->arena, ADAPTER_GEO_TEXT);
			if (room && adapter_geojson_place(object, i, room, &r->cell[n->cell].text))
				r->cell[n->cell].kind = ADAPTER_NUMBER;
		}
	}
}

/* Members of an object by their name, items of an array by their number. Recursion as deep as the longest path, at most
 * PARTS_MAX. */
static void take(struct adapter_json_row *r, const struct node *parent, const struct bus_json *tree)
{
	char number[24];
	size_t i = 0;

	if (tree->type == BUS_JSON_OBJECT)
		take_place(r, parent, tree);
	for (const struct bus_json *m = tree->first; m; m = m->next, i++) {
		struct bus_str name = m->name;

		if (tree->type == BUS_JSON_ARRAY)
			name = (struct bus_str){ number, (size_t)snprintf(number, sizeof(number), "%zu", i) };
		for (size_t at = parent->first; at != 0; at = r->node[at].next) {
			const struct node *n = &r->node[at];

			if (!bus_str_eq(n->name, name))
				continue;
			if (n->cell != SIZE_MAX)
				set_cell(&r->cell[n->cell], m);
			if (n->first != 0 && (m->type == BUS_JSON_OBJECT || m->type == BUS_JSON_ARRAY))
				take(r, n, m);
			break;
		}
	}
}

enum bus_err adapter_json_row_read(struct adapter_json_row *r, struct bus_str text, struct adapter_row *row,
				   struct bus_error *err)
{
	struct bus_json *tree;
	enum bus_err rc;

	bus_arena_reset(r->arena);
	rc = bus_json_parse(text, NULL, r->arena, &tree, err);
	if (rc != BUS_OK)
		return rc;
	if (tree->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "bukan objek JSON / no JSON object");
	for (size_t i = 0; i < r->n_cells; i++)
		r->cell[i] = (struct adapter_cell){ .kind = ADAPTER_MISSING };
	take(r, &r->node[0], tree);
	for (size_t i = 0; i < r->n_cells; i++)
		if (r->same[i] != i)
			r->cell[i] = r->cell[r->same[i]];
	row->cell = r->cell;
	row->n_cells = r->n_cells;
	return BUS_OK;
}
