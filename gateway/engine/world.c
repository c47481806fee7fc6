#include "gateway/engine/world.h"

#include <stdio.h>

static const char *keep(struct bus_arena *arena, const char *s)
{
	return bus_arena_dup(arena, s, strlen(s));
}

static enum gw_type type_of(const struct schema_node *type)
{
	const char *sql = gw_table_column_type(type);

	return strcmp(sql, "TEXT") == 0	     ? GW_TEXT
	       : strcmp(sql, "INTEGER") == 0 ? GW_INT
	       : strcmp(sql, "REAL") == 0    ? GW_REAL
					     : GW_NULL;
}

static char class_of(const struct schema_field *f)
{
	const char *pdp = f ? schema_property(f->properties, "x_pdp") : NULL;

	return pdp && pdp[0] && strchr("NPUSA", pdp[0]) ? pdp[0] : 'N';
}

static void add_topic(struct gw_world_table *t, const struct gw_world_topic *topic, struct bus_arena *arena)
{
	static const char *const own[] = { "_key", "_part", "_off", "_ts", "_sid" };
	const struct schema_node *root = schema_root(topic->schema);
	const char *key = schema_property(root->properties, "x_kunci");
	struct gw_world_column *c = bus_arena_zalloc(arena, (BUS_LEN(own) + root->n) * sizeof(*c));
	const struct schema_field *field;
	size_t n = 0, at;

	for (; n < BUS_LEN(own); n++)
		c[n] = (struct gw_world_column){ own[n], n ? GW_INT : GW_TEXT, 'N' };
	field = key ? schema_field_find(root, key, &at) : NULL;
	c[0].pdp = class_of(field);
	for (size_t i = 0; i < root->n; i++)
		c[n++] = (struct gw_world_column){ keep(arena, root->field[i].name),
						   type_of(root->field[i].type), class_of(&root->field[i]) };
	*t = (struct gw_world_table){ .name = keep(arena, topic->table),
				      .topic = keep(arena, topic->topic),
				      .key = own[0],
				      .twin =
					  field && type_of(field->type) == GW_TEXT ? keep(arena, key) : NULL,
				      .column = c,
				      .n_columns = n };
}

void gw_world_add_view(struct gw_world_table *t, const struct gw_def *d, struct bus_arena *arena)
{
	const struct gw_view *v = &d->pub;
	struct gw_world_column *c = bus_arena_zalloc(arena, v->n_columns * sizeof(*c));

	for (size_t i = 0; i < v->n_columns; i++)
		c[i] = (struct gw_world_column){ v->column[i].name, v->column[i].type, v->column[i].pdp };
	*t = (struct gw_world_table){ .name = v->name,
				      .def = d,
				      .key = v->column[v->key].name,
				      .column = c,
				      .n_columns = v->n_columns };
}

const struct gw_world *gw_world_make(const struct gw_world_topic *topic, size_t n_topics,
				     const struct gw_def *const *def, size_t n, struct bus_arena *arena)
{
	struct gw_world *w = bus_arena_zalloc(arena, sizeof(*w));
	struct gw_world_table *t = bus_arena_zalloc(arena, (n_topics + n + 1) * sizeof(*t));

	w->table = t;
	for (size_t i = 0; i < n_topics; i++) {
		if (schema_root(topic[i].schema)->type == SCHEMA_RECORD)
			add_topic(&t[w->n++], &topic[i], arena);
	}
	for (size_t i = 0; i < n; i++) {
		if (def[i]->full)
			gw_world_add_view(&t[w->n++], def[i], arena);
	}
	return w;
}

const struct gw_world *gw_world_new(struct gw_engine *e, const struct gw_def *const *def, size_t n,
				    struct bus_arena *arena)
{
	struct gw_world_topic *topic = bus_xcalloc(e->n_topics + 1, sizeof(*topic));
	struct schema **schema = bus_xcalloc(e->n_topics + 1, sizeof(struct schema *));
	const struct gw_world *w;
	char subject[300];
	size_t k = 0;
	int32_t id;

	for (size_t i = 0; i < e->n_topics; i++) {
		snprintf(subject, sizeof(subject), "%s-value", e->topic[i].name);
		if (e->schemas.latest(e->schemas.ctx, subject, &schema[k], &id, NULL) != BUS_OK)
			continue;
		topic[k] = (struct gw_world_topic){ e->topic[i].name, e->topic[i].count.table, schema[k] };
		k++;
	}
	w = gw_world_make(topic, k, def, n, arena);
	for (size_t i = 0; i < k; i++)
		schema_unref(&schema[i]);
	free(schema);
	free(topic);
	return w;
}
