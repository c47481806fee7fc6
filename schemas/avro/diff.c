#include "schemas/avro/diff.h"

#include <stdio.h>

#include "schemas/avro/diff_impl.h"

#define ARENA_MAX ((size_t)32 * 1024 * 1024)
#define PAIRS_MAX 100000
#define DEPTH_MAX 600
#define UNMATCHED_MAX 64 /* branches of a union that are matched by more than their label */

static const char *type_text(struct schema_differ *d, int side, const struct schema_node *node)
{
	bus_buf_reset(&d->text[side]);
	schema_words_type(node, &d->text[side]);
	return bus_buf_cstr(&d->text[side]);
}

static void note_types(struct schema_differ *d, enum schema_diff_code code, const struct schema_node *o,
		       const struct schema_node *n)
{
	const char *was = o ? type_text(d, 0, o) : NULL;

	schema_diff_note(d, code, false, NULL, was, n ? type_text(d, 1, n) : NULL);
}

/* --- enums --- */

/* The symbols of a that b lacks. */
static const char *lacking(struct bus_buf *text, const struct schema_node *a, const struct schema_node *b)
{
	bus_buf_reset(text);
	for (size_t i = 0; i < a->n; i++)
		if (schema_position(b, bus_str(a->symbol[i])) < 0)
			bus_buf_printf(text, "%s%s", text->n > 0 ? ", " : "", a->symbol[i]);
	return text->n > 0 ? bus_buf_cstr(text) : NULL;
}

static void enums(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n)
{
	const char *o_default = o->fallback_symbol, *n_default = n->fallback_symbol;
	const char *text;
	int32_t last = -1, at;

	if ((text = lacking(&d->text[0], o, n)))
		schema_diff_note(d, DIFF_SYMBOLS_REMOVED, false, text, NULL, NULL);
	if ((text = lacking(&d->text[0], n, o)))
		schema_diff_note(d, DIFF_SYMBOLS_ADDED, false, text, NULL, NULL);
	for (size_t i = 0; i < n->n; i++) {
		at = schema_position(o, bus_str(n->symbol[i]));
		if (at >= 0 && at < last) {
			schema_diff_note(d, DIFF_SYMBOLS_REORDERED, false, NULL, NULL, NULL);
			break;
		}
		last = at >= 0 ? at : last;
	}
	if (o_default && n_default && strcmp(o_default, n_default) != 0)
		schema_diff_note(d, DIFF_DEFAULT_CHANGED, false, NULL, o_default, n_default);
	else if (!o_default != !n_default)
		schema_diff_note(d, n_default ? DIFF_DEFAULT_ADDED : DIFF_DEFAULT_REMOVED, false, NULL,
				 o_default, n_default);
}

/* --- unions --- */

struct side { /* a union, or a type that stands for a union of itself */
	const struct schema_node *of;
	size_t n;
	bool *matched;
};

static const struct schema_node *branch(const struct side *s, size_t i)
{
	return s->of->type == SCHEMA_UNION ? s->of->branch[i] : s->of;
}

static int32_t position(const struct side *s, const char *label)
{
	if (s->of->type == SCHEMA_UNION)
		return schema_position(s->of, bus_str(label));
	return strcmp(schema_label(s->of), label) == 0 ? 0 : -1;
}

static bool alike(const struct schema_node *o, const struct schema_node *n)
{
	if (o->type != n->type || !o->name)
		return false;
	if (strcmp(schema_short_name(o->name), schema_short_name(n->name)) == 0)
		return true;
	for (size_t i = 0; i < n->n_aliases; i++)
		if (strcmp(n->alias[i], o->name) == 0)
			return true;
	return false;
}

static void match(struct schema_differ *d, struct side side[2], size_t i, size_t k)
{
	const struct schema_step *up = d->step;
	struct schema_step step[2];

	side[0].matched[i] = side[1].matched[k] = true;
	for (int s = 0; s < 2; s++) {
		if (side[s].of->type != SCHEMA_UNION)
			continue;
		step[s] = (struct schema_step){ .up = d->step,
						.kind = SCHEMA_STEP_BRANCH,
						.node = side[s].of,
						.side = s,
						.index = s ? k : i };
		d->step = &step[s];
	}
	schema_diff_types(d, branch(&side[0], i), branch(&side[1], k));
	d->step = up;
}

/* The branches without a partner, null left out; the first of them in *first. */
static size_t unmatched(const struct side *s, size_t *first)
{
	size_t n = 0;

	for (size_t i = s->n; i-- > 0;)
		if (!s->matched[i] && branch(s, i)->type != SCHEMA_NULL) {
			*first = i;
			n++;
		}
	return n;
}

static void match_branches(struct schema_differ *d, struct side side[2])
{
	size_t left[2], first[2] = { 0, 0 };

	for (size_t i = 0; i < side[0].n; i++) {
		int32_t k = position(&side[1], schema_label(branch(&side[0], i)));

		if (k >= 0)
			match(d, side, i, (size_t)k);
	}
	for (int s = 0; s < 2; s++)
		left[s] = unmatched(&side[s], &first[s]);
	for (size_t i = 0; i < side[0].n && left[0] <= UNMATCHED_MAX && left[1] <= UNMATCHED_MAX; i++)
		for (size_t k = 0; k < side[1].n && !side[0].matched[i]; k++)
			if (!side[1].matched[k] && alike(branch(&side[0], i), branch(&side[1], k)))
				match(d, side, i, k);
	for (int s = 0; s < 2; s++)
		left[s] = unmatched(&side[s], &first[s]);
	/* One for one: it became another type. */
	if (left[0] == 1 && left[1] == 1)
		match(d, side, first[0], first[1]);
}

static void reordered(struct schema_differ *d, const struct side side[2])
{
	int32_t last = -1;

	for (size_t k = 0; k < side[1].n; k++) {
		int32_t at = position(&side[0], schema_label(branch(&side[1], k)));

		if (at >= 0 && at < last) {
			schema_diff_note(d, DIFF_BRANCHES_REORDERED, false, NULL, type_text(d, 0, side[0].of),
					 type_text(d, 1, side[1].of));
			return;
		}
		last = at >= 0 ? at : last;
	}
}

static void unions(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n)
{
	struct side side[2] = { { o, 1, NULL }, { n, 1, NULL } };
	bool has_null[2];

	for (int s = 0; s < 2; s++) {
		if (side[s].of->type == SCHEMA_UNION)
			side[s].n = side[s].of->n;
		side[s].matched = bus_xcalloc(side[s].n + 1, sizeof(bool));
		has_null[s] = position(&side[s], "null") >= 0;
	}
	if (has_null[0] != has_null[1])
		schema_diff_note(d, has_null[1] ? DIFF_MADE_OPTIONAL : DIFF_MADE_REQUIRED, false, NULL,
				 type_text(d, 0, o), type_text(d, 1, n));
	match_branches(d, side);
	for (size_t i = 0; i < side[0].n; i++)
		if (!side[0].matched[i] && branch(&side[0], i)->type != SCHEMA_NULL)
			note_types(d, DIFF_BRANCH_REMOVED, branch(&side[0], i), NULL);
	for (size_t k = 0; k < side[1].n; k++)
		if (!side[1].matched[k] && branch(&side[1], k)->type != SCHEMA_NULL)
			note_types(d, DIFF_BRANCH_ADDED, NULL, branch(&side[1], k));
	reordered(d, side);
	free(side[0].matched);
	free(side[1].matched);
}

/* --- any type --- */

static void logicals(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n)
{
	if (o->logical != n->logical)
		note_types(d, DIFF_LOGICAL_CHANGED, o, n);
	else if (o->logical == SCHEMA_DECIMAL && o->scale != n->scale)
		note_types(d, DIFF_SCALE_CHANGED, o, n);
	else if (o->logical == SCHEMA_DECIMAL && o->precision != n->precision)
		note_types(d, n->precision < o->precision ? DIFF_PRECISION_LOWERED : DIFF_PRECISION_RAISED, o,
			   n);
}

/* True the first time. */
static bool first_time(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n)
{
	const struct schema_differ_pair *p = d->seen[o->index];
	struct schema_differ_pair *added;

	while (p && p->index != n->index)
		p = p->next;
	if (p)
		return false;
	added = d->n_seen < PAIRS_MAX ? bus_arena_alloc(d->out->memory, sizeof(*added)) : NULL;
	if (!added) {
		d->out->cut = true;
		return false;
	}
	*added = (struct schema_differ_pair){ d->seen[o->index], n->index };
	d->seen[o->index] = added;
	d->n_seen++;
	return true;
}

static void named(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n)
{
	char was[24], now[24];

	if (strcmp(o->name, n->name) != 0)
		schema_diff_note(d, DIFF_NAME_CHANGED, false, NULL, o->name, n->name);
	schema_diff_aliases(d, false, o->alias, o->n_aliases, n->alias, n->n_aliases);
	schema_diff_doc(d, false, o->doc, n->doc);
	if (o->type == SCHEMA_RECORD) {
		schema_diff_records(d, o, n);
	} else if (o->type == SCHEMA_ENUM) {
		enums(d, o, n);
	} else if (o->size != n->size) {
		snprintf(was, sizeof(was), "%zu", o->size);
		snprintf(now, sizeof(now), "%zu", n->size);
		schema_diff_note(d, DIFF_SIZE_CHANGED, false, NULL, was, now);
	}
}

static void same_type(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n)
{
	const struct schema_step step = { .up = d->step, .kind = SCHEMA_STEP_ITEM, .node = n };
	bool logical = o->logical != SCHEMA_LOGICAL_NONE || n->logical != SCHEMA_LOGICAL_NONE;

	if (o->name && !first_time(d, o, n))
		return;
	logicals(d, o, n);
	schema_diff_properties(d, false, o->properties, n->properties, logical);
	if (o->name) {
		named(d, o, n);
	} else if (o->item) {
		d->step = &step;
		schema_diff_types(d, o->item, n->item);
		d->step = step.up;
	}
}

void schema_diff_types(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n)
{
	if (d->depth == DEPTH_MAX || d->out->cut) {
		d->out->cut = true;
		return;
	}
	d->depth++;
	if (o->type == SCHEMA_UNION || n->type == SCHEMA_UNION)
		unions(d, o, n);
	else if (o->type != n->type)
		note_types(d, DIFF_TYPE_CHANGED, o, n);
	else
		same_type(d, o, n);
	d->depth--;
}

void schema_diff(const struct schema *old, const struct schema *new, struct schema_diff *out)
{
	struct schema_differ d = { .schema = { old, new }, .out = out };

	*out = (struct schema_diff){ .memory = bus_arena_new(ARENA_MAX) };
	out->change = bus_xcalloc(SCHEMA_CHANGES_MAX, sizeof(*out->change));
	d.seen = bus_xcalloc((size_t)schema_count(old) + 1, sizeof(const struct schema_differ_pair *));
	schema_diff_types(&d, old->root, new->root);
	(void)schema_explain(new, old, true, &out->backward);
	(void)schema_explain(old, new, false, &out->forward);
	free(d.seen);
	bus_buf_release(&d.text[0]);
	bus_buf_release(&d.text[1]);
}

void schema_diff_release(struct schema_diff *d)
{
	schema_explanation_release(&d->backward);
	schema_explanation_release(&d->forward);
	free(d->change);
	bus_arena_free(&d->memory);
	*d = (struct schema_diff){ 0 };
}
