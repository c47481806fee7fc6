/* Which fields of which schemas the views read: the registry tells whoever is about to change one. */
#include "gateway/core.h"
#include "gateway/engine.h"
#include "schemas/side.h"

struct list {
	struct schema_use *use;
	char **subject; /* of each use, ours */
	const char ***field;
	size_t n;
};

static void add(struct list *l, const char *view, const struct gw_table *t, const struct gw_read *read)
{
	const char **field = bus_xcalloc(read->n + 1, sizeof(*field));
	size_t i = l->n++, n = 0, at;

	for (size_t k = 0; k < read->n; k++)
		if (schema_field_find(schema_root(t->schema), read->column[k], &at))
			field[n++] = read->column[k];
	l->use = bus_xrealloc(l->use, l->n * sizeof(*l->use));
	l->subject = bus_xrealloc(l->subject, l->n * sizeof(*l->subject));
	l->field = bus_xrealloc(l->field, l->n * sizeof(*l->field));
	l->subject[i] = bus_xasprintf("%s-value", t->topic);
	l->field[i] = field;
	l->use[i] = (struct schema_use){
		.kind = "view", .name = view, .subject = l->subject[i], .field = field, .n_fields = n
	};
}

/* What a view reads; of a view that it reads, all that that one does. */
static void add_reads(struct gw_engine *e, struct list *l, const char *view, const struct gw_def *def)
{
	for (size_t i = 0; i < def->n_reads; i++) {
		const struct gw_read *read = &def->read[i];

		for (size_t k = 0; k < e->n_topics; k++)
			if (strcmp(e->topic[k].table->name, read->table) == 0)
				add(l, view, e->topic[k].table, read);
		for (size_t k = 0; k < e->n_views; k++)
			if (e->view[k].def != def && strcmp(e->view[k].def->pub.name, read->table) == 0)
				add_reads(e, l, view, e->view[k].def);
	}
}

void gw_engine_announce(struct gw_engine *e, const struct bus_kafka_conf *kafka, const char *schemas_topic)
{
	struct list l = { 0 };

	for (size_t i = 0; i < e->n_views; i++)
		add_reads(e, &l, e->view[i].def->pub.name, e->view[i].def);
	schema_side_announce(kafka, schemas_topic, "titian-gateway", "", l.use, l.n);
	for (size_t i = 0; i < l.n; i++) {
		free(l.subject[i]);
		free(l.field[i]);
	}
	free(l.use);
	free(l.subject);
	free(l.field);
}
