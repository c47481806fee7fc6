/* Which fields of which schemas each view needs, and in which of its columns: the registry tells whoever is about to
 * change one. Through views over views only what is needed goes up: a column of `warga` that a view does not read is
 * nothing to it. */
#include <strings.h>

#include "gateway/define/lineage.h"
#include "gateway/engine/engine.h"
#include "gateway/engine/world.h"
#include "schemas/store/side.h"

#define STACK_MAX 16 /* views over views */
#define VALID_S (7 * 86400) /* said every day: over a week a gateway may be down without being forgotten */

struct field {
	const char *name;
	uint64_t columns; /* of the view; 0: it decides which rows there are */
};

struct use { /* of one topic by one view */
	const struct gw_world_table *table;
	struct field *field;
	size_t n;
};

struct shape { /* a definition's SELECT, read once */
	const struct gw_def *def;
	struct gw_ast *ast;
};

struct gather {
	struct bus_arena *arena;
	const struct gw_world *world;
	struct shape *shape;
	size_t n_shapes;
	struct use *use; /* of the view at hand */
	size_t n_uses;
};

static struct gw_ast *shape_of(struct gather *g, const struct gw_def *d)
{
	for (size_t i = 0; i < g->n_shapes; i++) {
		if (g->shape[i].def == d)
			return g->shape[i].ast;
	}
	g->shape = bus_xrealloc(g->shape, (g->n_shapes + 1) * sizeof(*g->shape));
	g->shape[g->n_shapes] = (struct shape){ d, gw_ast_parse(d->body, g->world, g->arena) };
	return g->shape[g->n_shapes++].ast;
}

static struct use *use_of(struct gather *g, const struct gw_world_table *t)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		if (g->use[i].table == t)
			return &g->use[i];
	}
	g->use = bus_xrealloc(g->use, (g->n_uses + 1) * sizeof(*g->use));
	g->use[g->n_uses] = (struct use){ .table = t };
	return &g->use[g->n_uses++];
}

static void note_field(struct gather *g, const struct gw_world_table *t, size_t column, uint64_t columns)
{
	const char *name = t->column[column].name;
	struct use *u = use_of(g, t);

	if (name[0] == '_') /* ours, but for the key, which a field may be */
		name = strcmp(name, t->key) == 0 ? t->twin : NULL;
	if (!name)
		return;
	for (size_t i = 0; i < u->n; i++) {
		if (strcmp(u->field[i].name, name) == 0) {
			u->field[i].columns |= columns;
			return;
		}
	}
	u->field = bus_xrealloc(u->field, (u->n + 1) * sizeof(*u->field));
	u->field[u->n++] = (struct field){ name, columns };
}

static void need(struct gather *g, const struct gw_world_table *t, size_t column, uint64_t columns,
		 int depth);

static void need_all(struct gather *g, const struct gw_lineage *l, uint64_t columns, int depth)
{
	for (size_t i = 0; i < l->n; i++)
		need(g, l->source[i].table, l->source[i].column, columns, depth);
}

/* Everything a definition reads, for no column in particular: when its shape says no more. */
static void need_reads(struct gather *g, const struct gw_def *d, int depth)
{
	for (size_t i = 0; i < d->n_reads; i++) {
		const struct gw_world_table *t = gw_world_find(g->world, d->read[i].table);

		for (size_t k = 0; t && k < d->read[i].n; k++) {
			int column = gw_world_column(t, d->read[i].column[k]);

			if (column >= 0)
				need(g, t, (size_t)column, 0, depth);
		}
	}
}

static size_t output_named(const struct gw_ast *a, const char *name)
{
	const struct gw_ast_select *s = a->top->select[0];

	for (size_t i = 0; i < s->n_items; i++) {
		if (s->item[i].name && strcasecmp(s->item[i].name, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* A column of a topic is a field; one of a view is what that view needs for it, and for having its rows at all. */
static void need(struct gather *g, const struct gw_world_table *t, size_t column, uint64_t columns, int depth)
{
	const struct gw_def *d = t->def;
	const struct gw_ast *a;
	struct gw_lineage value, rows;
	size_t output, key;

	if (!d) {
		note_field(g, t, column, columns);
		return;
	}
	if (depth == STACK_MAX)
		return;
	a = shape_of(g, d);
	output = a->why ? SIZE_MAX : output_named(a, t->column[column].name);
	key = a->why ? SIZE_MAX : output_named(a, t->key);
	if (output == SIZE_MAX || key == SIZE_MAX) {
		need_reads(g, d, depth + 1);
		return;
	}
	gw_lineage_needs(a, output, key, &value);
	gw_lineage_needs(a, GW_LINEAGE_ROWS, key, &rows);
	if (value.n == GW_SOURCES_MAX || rows.n == GW_SOURCES_MAX) {
		need_reads(g, d, depth + 1);
		return;
	}
	need_all(g, &value, columns, depth + 1);
	need_all(g, &rows, 0, depth + 1);
}

static void gather_view(struct gather *g, const struct gw_def *d)
{
	const struct gw_ast *a = shape_of(g, d);
	struct gw_lineage l;
	bool known = !a->why;

	for (size_t i = 0; i <= d->pub.n_columns && known; i++) {
		bool rows = i == d->pub.n_columns;

		gw_lineage_needs(a, rows ? GW_LINEAGE_ROWS : i, d->pub.key, &l);
		known = l.n < GW_SOURCES_MAX;
		need_all(g, &l, rows ? 0 : UINT64_C(1) << i, 0);
	}
	if (!known)
		need_reads(g, d, 0);
	for (size_t i = 0; i < d->n_reads; i++) { /* a table whose rows are only counted is read, too */
		const struct gw_world_table *t = gw_world_find(g->world, d->read[i].table);

		if (t && d->read[i].n == 0)
			need(g, t, (size_t)gw_world_column(t, t->key), 0, 0);
	}
}

/* --- said to the registry ------------------------------------------------------------------------------- */

static const char *names_of(struct gather *g, const struct gw_view *v, uint64_t columns)
{
	struct bus_buf b = { 0 };
	const char *out;

	for (size_t i = 0; i < v->n_columns; i++) {
		if (columns >> i & 1)
			bus_buf_printf(&b, "%s%s", b.n ? "," : "", v->column[i].name);
	}
	out = bus_arena_dup(g->arena, b.p ? b.p : "", b.n);
	bus_buf_release(&b);
	return out;
}

struct said {
	struct schema_use *use;
	size_t n;
};

static void say_view(struct gather *g, const struct gw_view *v, struct said *s)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		struct use *u = &g->use[i];
		const char **field = bus_arena_zalloc(g->arena, (u->n + 1) * sizeof(*field));
		const char **columns = bus_arena_zalloc(g->arena, (u->n + 1) * sizeof(*columns));
		char *subject = bus_xasprintf("%s-value", u->table->topic);

		for (size_t k = 0; k < u->n; k++) {
			field[k] = u->field[k].name;
			columns[k] = names_of(g, v, u->field[k].columns);
		}
		s->use = bus_xrealloc(s->use, (s->n + 1) * sizeof(*s->use));
		s->use[s->n++] =
		    (struct schema_use){ .kind = "view",
					 .name = v->name,
					 .owner = "",
					 .subject = bus_arena_dup(g->arena, subject, strlen(subject)),
					 .field = field,
					 .n_fields = u->n,
					 .columns = columns };
		free(subject);
		free(u->field);
	}
	g->n_uses = 0;
}

void gw_engine_announce(struct gw_engine *e, const struct bus_kafka_conf *kafka, const char *schemas_topic,
			const char *instance)
{
	struct gw_views *set = gw_views_hold(e);
	struct gather g = { .arena = bus_arena_new(0) };
	const struct gw_def **def = bus_arena_zalloc(g.arena, (set->n + 1) * sizeof(*def));
	struct said said = { 0 };
	char *program;

	for (size_t i = 0; i < set->n; i++)
		def[i] = gw_view_def(set->view[i]);
	g.world = gw_world_new(e, def, set->n, g.arena);
	for (size_t i = 0; i < set->n; i++) {
		gather_view(&g, def[i]);
		say_view(&g, set->view[i], &said);
	}
	program = bus_xasprintf("titian-gateway/%s", instance);
	schema_side_announce(kafka, schemas_topic, program, "", VALID_S, said.use, said.n);
	free(program);
	free(said.use);
	free(g.use);
	free(g.shape);
	bus_arena_free(&g.arena);
	gw_views_release(&set);
}
