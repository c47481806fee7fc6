/* Which fields of which schemas the views read: the registry tells whoever is about to change one. */
#include "gateway/engine/core.h"
#include "gateway/engine/engine.h"
#include "schemas/store/side.h"

struct list {
	struct schema_use *use;
	char **subject; /* of each use, ours */
	const char ***field;
	size_t n;
};

/* The view's use of that topic's schema; made when it is new. */
static size_t use_of(struct list *l, const char *view, const char *topic)
{
	char *subject = bus_xasprintf("%s-value", topic);
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->use[i].name, view) == 0 && strcmp(l->use[i].subject, subject) == 0) {
			free(subject);
			return i;
		}
	l->n++;
	l->use = bus_xrealloc(l->use, l->n * sizeof(*l->use));
	l->subject = bus_xrealloc(l->subject, l->n * sizeof(*l->subject));
	l->field = bus_xrealloc(l->field, l->n * sizeof(*l->field));
	l->subject[i] = subject;
	l->field[i] = NULL;
	l->use[i] = (struct schema_use){ .kind = "view", .name = view, .subject = subject };
	return i;
}

static bool has(const struct schema_use *u, const char *field)
{
	for (size_t i = 0; i < u->n_fields; i++)
		if (strcmp(u->field[i], field) == 0)
			return true;
	return false;
}

/* Columns that begin with an underscore are the gateway's own (gateway/store/table.h). */
static void add(struct list *l, const char *view, const char *topic, const struct gw_read *read)
{
	size_t i = use_of(l, view, topic);
	struct schema_use *u = &l->use[i];

	l->field[i] = bus_xrealloc(l->field[i], (u->n_fields + read->n + 1) * sizeof(**l->field));
	u->field = l->field[i];
	for (size_t k = 0; k < read->n; k++)
		if (read->column[k][0] != '_' && !has(u, read->column[k]))
			l->field[i][u->n_fields++] = read->column[k];
}

/* What a view reads; of a view that it reads, all that that one does. */
static void add_reads(struct gw_engine *e, const struct gw_views *set, struct list *l, const char *view,
		      const struct gw_def *def)
{
	const struct gw_view *inner;

	for (size_t i = 0; i < def->n_reads; i++) {
		const struct gw_read *read = &def->read[i];

		for (size_t k = 0; k < e->n_topics; k++)
			if (strcmp(e->topic[k].count.table, read->table) == 0)
				add(l, view, e->topic[k].name, read);
		inner = gw_views_find(set, read->table);
		if (inner && inner != &def->pub)
			add_reads(e, set, l, view, gw_view_def(inner));
	}
}

void gw_engine_announce(struct gw_engine *e, const struct bus_kafka_conf *kafka, const char *schemas_topic)
{
	struct gw_views *set = gw_views_hold(e);
	struct list l = { 0 };

	for (size_t i = 0; i < set->n; i++)
		add_reads(e, set, &l, set->view[i]->name, gw_view_def(set->view[i]));
	schema_side_announce(kafka, schemas_topic, "titian-gateway", "", l.use, l.n);
	for (size_t i = 0; i < l.n; i++) {
		free(l.subject[i]);
		free(l.field[i]);
	}
	free(l.use);
	free(l.subject);
	free(l.field);
	gw_views_release(&set);
}
