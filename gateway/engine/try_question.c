/* What the process that tries a definition is told: the tables there are, the views that are tables, what runs. */
#include "bus/json_out.h"
#include "gateway/engine/try.h"
#include "gateway/engine/world.h"

static void put_table(struct bus_json_out *j, const struct gw_world_table *t)
{
	char class[2] = "";

	bus_json_object(j);
	bus_json_text_member(j, "name", t->name);
	bus_json_text_member(j, "topic", t->topic);
	bus_json_text_member(j, "key", t->key);
	bus_json_text_member(j, "twin", t->twin);
	bus_json_key(j, "columns");
	bus_json_array(j);
	for (size_t i = 0; i < t->n_columns; i++) {
		class[0] = t->column[i].pdp;
		bus_json_object(j);
		bus_json_text_member(j, "name", t->column[i].name);
		bus_json_text_member(j, "pdp", class);
		bus_json_key(j, "type");
		bus_json_put_int(j, t->column[i].type);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
	bus_json_object_end(j);
}

/* It has not had all its topics once: what it has is not the city. */
static bool still_reading(const struct gw_views *views)
{
	for (size_t i = 0; i < views->n; i++) {
		if (gw_view_whole(views->view[i]))
			return false;
	}
	return views->n > 0;
}

void gw_try_question(struct gw_engine *e, const struct gw_try *t, struct bus_buf *out)
{
	struct gw_views *views = gw_views_hold(e);
	struct bus_arena *arena = bus_arena_new(0);
	const struct gw_world *world = gw_world_new(e, NULL, 0, arena);
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_text_member(&j, "db", e->db_path);
	bus_json_key(&j, "reading");
	bus_json_put_bool(&j, still_reading(views));
	bus_json_text_member(&j, "file", t->file);
	bus_json_key(&j, "text");
	bus_json_put_str(&j, t->text);
	bus_json_key(&j, "ms");
	bus_json_put_int(&j, t->ms);
	bus_json_key(&j, "tables");
	bus_json_array(&j);
	for (size_t i = 0; i < world->n; i++)
		put_table(&j, &world->table[i]);
	bus_json_array_end(&j);
	bus_json_key(&j, "views");
	bus_json_array(&j);
	for (size_t i = 0; i < views->n; i++) {
		const struct gw_def *d = gw_view_def(views->view[i]);

		bus_json_object(&j);
		bus_json_text_member(&j, "name", d->pub.name);
		bus_json_key(&j, "text");
		bus_json_put_str(&j, d->text);
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	bus_arena_free(&arena);
	gw_views_release(&views);
}
