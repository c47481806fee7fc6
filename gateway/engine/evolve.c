#include "gateway/engine/evolve.h"
#include "gateway/engine/history.h"

#include <stdio.h>

#include "bus/log.h"
#include "bus/metrics.h"
#include "schemas/avro/compat.h"

enum fit { FIT_PLACE, FIT_REPLAY };

static void meta_name(const struct gw_topic *t, char *out, size_t n)
{
	snprintf(out, n, "schema:%s", t->name);
}

enum bus_err gw_evolve_note(struct gw_engine *e, const struct gw_topic *t, struct bus_error *err)
{
	char name[300], id[16];

	meta_name(t, name, sizeof(name));
	snprintf(id, sizeof(id), "%d", t->table->schema_id);
	return gw_core_set_meta(e, name, id, err);
}

static enum bus_err newest(struct gw_engine *e, const struct gw_topic *t, struct schema **out, int32_t *id,
			   struct bus_error *err)
{
	char subject[300];

	snprintf(subject, sizeof(subject), "%s-value", t->name);
	return e->schemas.latest(e->schemas.ctx, subject, out, id, err);
}

enum bus_err gw_evolve_start(struct gw_engine *e, struct gw_topic *t, struct schema **out, int32_t *id,
			     struct bus_error *err)
{
	char name[300], text[32];
	enum bus_err rc;

	meta_name(t, name, sizeof(name));
	rc = gw_core_meta(e, name, text, sizeof(text), err);
	if (rc != BUS_OK)
		return rc;
	*id = (int32_t)strtol(text, NULL, 10);
	if (text[0] && e->schemas.by_id(e->schemas.ctx, *id, out, NULL) == BUS_OK)
		return BUS_OK;
	return newest(e, t, out, id, err);
}

/* A type without the null of its union; NULL: a union of several. */
static const struct schema_node *plain(const struct schema_node *type)
{
	const struct schema_node *only = NULL;

	if (type->type != SCHEMA_UNION)
		return type;
	for (size_t i = 0; i < type->n; i++) {
		if (type->branch[i]->type == SCHEMA_NULL)
			continue;
		if (only)
			return NULL;
		only = type->branch[i];
	}
	return only;
}

/* Whether a cell written through `a` is what `b` would make of the record. Types inside others are not looked into:
 * their JSON may hold what a nested field's default would add. */
static bool same_cells(const struct schema_node *a, const struct schema_node *b)
{
	a = plain(a);
	b = plain(b);
	if (!a || !b || a->logical != b->logical)
		return false;
	if (a->type == SCHEMA_INT && b->type == SCHEMA_LONG && a->logical == SCHEMA_LOGICAL_NONE)
		return true;
	if (a->type == SCHEMA_FLOAT && b->type == SCHEMA_DOUBLE)
		return true;
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case SCHEMA_BOOLEAN:
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		return a->precision == b->precision && a->scale == b->scale;
	case SCHEMA_ENUM: /* symbols may be added; one taken away reads as the default */
		for (size_t i = 0; i < a->n; i++) {
			size_t k;

			for (k = 0; k < b->n && strcmp(a->symbol[i], b->symbol[k]) != 0; k++)
				;
			if (k == b->n)
				return false;
		}
		return true;
	default:
		return false;
	}
}

static bool same_json(const struct bus_json *a, const struct bus_json *b)
{
	bool same = a->type == b->type && a->n == b->n && bus_str_eq(a->name, b->name) &&
		    bus_str_eq(a->text, b->text);

	for (a = a->first, b = b->first; same && a && b; a = a->next, b = b->next)
		same = same_json(a, b); /* as deep as the parser let it be */
	return same;
}

/* A structure that is written as it was. */
static bool same_text(const struct schema_field *a, const struct schema_field *b)
{
	const struct bus_json *was = a->properties ? bus_json_get(a->properties, "type") : NULL,
			      *is = b->properties ? bus_json_get(b->properties, "type") : NULL;

	return was && is && same_json(was, is);
}

/* A default that a column's DEFAULT can say (gateway/store/table.c). */
static bool plain_default(const struct schema_field *f)
{
	const struct schema_node *type = f->type->type == SCHEMA_UNION ? f->type->branch[0] : f->type;

	switch (f->fallback->type) {
	case BUS_JSON_NULL:
		return true;
	case BUS_JSON_TRUE:
	case BUS_JSON_FALSE:
	case BUS_JSON_NUMBER:
		return type->logical == SCHEMA_LOGICAL_NONE;
	case BUS_JSON_STRING:
		return type->logical == SCHEMA_LOGICAL_NONE &&
		       (type->type == SCHEMA_STRING || type->type == SCHEMA_ENUM);
	default:
		return false;
	}
}

static bool read_by_a_view(const struct gw_def *d, const char *table, const char *column)
{
	for (size_t i = 0; i < d->n_reads; i++)
		for (size_t k = 0; strcmp(d->read[i].table, table) == 0 && k < d->read[i].n; k++)
			if (strcmp(d->read[i].column[k], column) == 0)
				return true;
	for (size_t i = 0; i < d->n_indexes; i++)
		for (size_t k = 0; strcmp(d->index[i].table, table) == 0 && k < d->index[i].n; k++)
			if (strcmp(d->index[i].column[k], column) == 0)
				return true;
	return false;
}

/* *fit: how it can be taken up. An error: why not. */
static enum bus_err compare(struct gw_engine *e, const struct gw_topic *t, const struct schema *schema,
			    int32_t id, enum fit *fit, struct bus_error *err)
{
	const struct schema_node *was = schema_root(t->table->schema), *is = schema_root(schema);
	struct schema_verdict why = { 0 };
	enum bus_err rc = BUS_OK;
	size_t at;

	*fit = gw_table_plan(t->table, id) ? FIT_REPLAY
					   : FIT_PLACE; /* its records have been read without its fields */
	if (is->type != SCHEMA_RECORD)
		return bus_fail(err, BUS_ESCHEMA, "it is no record");
	if (!schema_can_read(schema, t->table->schema, &why))
		rc = bus_fail(err, BUS_ECONFLICT, "it cannot read what was written before: %s",
			      why.n_reasons ? why.reason[0].message : "");
	schema_verdict_release(&why);
	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < was->n; i++) {
		const struct schema_field *f = &was->field[i];

		if (!schema_field_find(is, f->name, &at)) {
			*fit = FIT_REPLAY;
			for (size_t k = 0; k < e->n_views; k++)
				if (read_by_a_view(e->view[k]->def, t->table->name, f->name))
					return bus_fail(err, BUS_ECONFLICT,
							"field '%s' would be gone, which view '%s' reads",
							f->name, e->view[k]->def->pub.name);
		} else if (!same_cells(f->type, is->field[at].type) && !same_text(f, &is->field[at])) {
			*fit = FIT_REPLAY;
		}
	}
	for (size_t i = 0; i < is->n; i++) {
		const struct schema_field *f = &is->field[i];

		if (schema_field_find(was, f->name, &at))
			continue;
		if (!f->fallback || !plain_default(f) || f->n_aliases > 0)
			*fit = FIT_REPLAY;
	}
	return BUS_OK;
}

/* Columns that the table has got: nobody reads them yet. */
static void grow(struct gw_rel *rel, const struct schema_node *root)
{
	for (size_t i = 0; i < root->n; i++) {
		if (gw_rel_column(rel, root->field[i].name) >= 0)
			continue;
		rel->column = bus_xrealloc(rel->column, (rel->n_columns + 1) * sizeof(*rel->column));
		rel->column[rel->n_columns++] = bus_xstrdup(root->field[i].name);
		for (size_t k = 0; k < rel->n_listeners; k++) {
			struct gw_listener *l = &rel->listener[k];

			l->reads = bus_xrealloc(l->reads, rel->n_columns * sizeof(*l->reads));
			l->reads[rel->n_columns - 1] = false;
		}
	}
}

static enum bus_err take_up(struct gw_engine *e, struct gw_topic *t, struct schema *schema, int32_t id,
			    struct bus_error *err)
{
	struct gw_table *fresh = NULL;
	enum bus_err rc;

	rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = gw_table_open(e->db, t->name, schema, id, &fresh, err);
	if (rc != BUS_OK)
		return rc;
	gw_table_close(&t->table);
	t->table = fresh;
	grow(t->rel, schema_root(schema));
	rc = gw_history_keep(e, err);
	return rc == BUS_OK ? gw_evolve_note(e, t, err) : rc;
}

void gw_evolve_hold(struct gw_engine *e, struct gw_topic *t, const char *why)
{
	if (why && strcmp(t->count.held, why) != 0)
		bus_log(BUS_LOG_ERROR, "gateway.schema_held", LOG_STR("topic", t->name), LOG_STR("why", why));
	snprintf(t->count.held, sizeof(t->count.held), "%s", why ? why : "");
	t->count.schema_id = t->table->schema_id;
	bus_metric_set(t->held, why != NULL);
	pthread_mutex_lock(&e->lock);
	memcpy(e->shared[t - e->topic].held, t->count.held, sizeof(t->count.held));
	e->shared[t - e->topic].schema_id = t->count.schema_id;
	pthread_mutex_unlock(&e->lock);
}

enum bus_err gw_evolve(struct gw_engine *e, struct gw_topic *t, struct bus_error *err)
{
	struct schema *schema = NULL;
	struct bus_error why = { 0 };
	char text[200];
	enum bus_err rc;
	enum fit fit;
	int32_t id;

	if (t->fill || t->replay)
		return BUS_OK;
	if (newest(e, t, &schema, &id, NULL) != BUS_OK)
		return BUS_OK; /* what there is goes on */
	if (id == t->table->schema_id || (id == t->looked_id && e->views_epoch == t->looked_epoch)) {
		schema_unref(&schema);
		return BUS_OK;
	}
	t->looked_id = id;
	t->looked_epoch = e->views_epoch;
	rc = compare(e, t, schema, id, &fit, &why);
	if (rc != BUS_OK) {
		snprintf(text, sizeof(text), "schema %d: %.160s", id, why.text);
		gw_evolve_hold(e, t, text);
		rc = BUS_OK;
	} else if (fit == FIT_REPLAY) {
		t->replay = schema_ref(schema);
		t->replay_id = id;
	} else {
		rc = take_up(e, t, schema, id, err);
		if (rc == BUS_OK) {
			gw_evolve_hold(e, t, NULL);
			gw_lives_changed(e);
			bus_log(BUS_LOG_INFO, "gateway.schema_taken", LOG_STR("topic", t->name),
				LOG_INT("schema_id", id));
		}
	}
	schema_unref(&schema);
	return rc;
}
