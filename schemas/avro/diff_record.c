/* The fields of two records: which stands for which, what came, went, moved or changed. */
#include "schemas/avro/diff_impl.h"

/* The old field that the new one continues: of its name, else of one of its aliases. */
static int32_t continues(const struct schema_node *o, const struct schema_node *n,
			 const struct schema_field *field, const bool *taken)
{
	int32_t at = schema_position(o, bus_str(field->name));

	for (size_t i = 0; i < field->n_aliases && at < 0; i++) {
		at = schema_position(o, bus_str(field->alias[i]));
		/* Not one that is there under its own name. */
		if (at >= 0 && (taken[at] || schema_position(n, bus_str(field->alias[i])) >= 0))
			at = -1;
	}
	return at;
}

static const char *type_text(struct schema_differ *d, int side, const struct schema_node *node)
{
	bus_buf_reset(&d->text[side]);
	schema_words_type(node, &d->text[side]);
	return bus_buf_cstr(&d->text[side]);
}

static void compare(struct schema_differ *d, const struct schema_field *o, const struct schema_field *n)
{
	if (strcmp(o->name, n->name) != 0)
		schema_diff_note(d, DIFF_FIELD_RENAMED, true, NULL, o->name, n->name);
	schema_diff_aliases(d, true, o->alias, o->n_aliases, n->alias, n->n_aliases);
	schema_diff_doc(d, true, o->doc, n->doc);
	schema_diff_default(d, true, o->fallback, n->fallback);
	schema_diff_properties(d, true, o->properties, n->properties, true);
	schema_diff_types(d, o->type, n->type);
}

static void added(struct schema_differ *d, const struct schema_field *n)
{
	if (n->fallback) {
		bus_buf_reset(&d->text[0]);
		schema_words_json(n->fallback, &d->text[0]);
	}
	schema_diff_note(d, DIFF_FIELD_ADDED, true, n->fallback ? bus_buf_cstr(&d->text[0]) : NULL, NULL,
			 type_text(d, 1, n->type));
}

void schema_diff_records(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n)
{
	struct schema_step step = { .up = d->step, .kind = SCHEMA_STEP_FIELD };
	bool *taken = bus_xcalloc(o->n + 1, sizeof(bool));
	int32_t *from = bus_xcalloc(n->n + 1, sizeof(*from)), last = -1;
	bool in_order = true;

	for (size_t i = 0; i < n->n; i++) {
		from[i] = continues(o, n, &n->field[i], taken);
		if (from[i] < 0)
			continue;
		taken[from[i]] = true;
		in_order &= from[i] > last;
		last = from[i];
	}
	if (!in_order)
		schema_diff_note(d, DIFF_FIELDS_REORDERED, false, NULL, NULL, NULL);
	d->step = &step;
	for (size_t i = 0; i < o->n; i++) {
		step.field[0] = &o->field[i];
		step.field[1] = NULL;
		if (!taken[i])
			schema_diff_note(d, DIFF_FIELD_REMOVED, true, NULL, type_text(d, 0, o->field[i].type),
					 NULL);
	}
	for (size_t i = 0; i < n->n && !d->out->cut; i++) {
		step.field[0] = from[i] < 0 ? NULL : &o->field[from[i]];
		step.field[1] = &n->field[i];
		if (from[i] < 0)
			added(d, &n->field[i]);
		else
			compare(d, step.field[0], step.field[1]);
	}
	d->step = step.up;
	free(taken);
	free(from);
}
