/* Avro Java 1.12's SchemaCompatibility, reasons included, and beside them where each really is.
 *
 * Its memory of pairs is kept as it is there, by node and not by place: a pair met again gives the reasons of
 * the first time, with the places of the first time. */
#include "schemas/avro/compat_impl.h"

#include <ctype.h>

#include "schemas/avro/schema_impl.h"

#define PAIRS_MAX 100000 /* over it, or over the memory: "incompatible", with the reason */
#define ARENA_MAX ((size_t)32 * 1024 * 1024)
#define DEPTH_MAX 600

static const char *upper(const struct schema_node *node, char text[16])
{
	size_t i = 0;

	for (const char *name = schema_type_name(node->type); name[i]; i++)
		text[i] = (char)toupper((unsigned char)name[i]);
	text[i] = '\0';
	return text;
}

static struct schema_compat_result check(struct schema_compat *c, const struct schema_node *r,
					 const struct schema_node *w);
static struct schema_compat_pair *remember(struct schema_compat *c, const struct schema_node *r,
					   const struct schema_node *w);

static void check_names(struct schema_compat *c, const struct schema_node *r, const struct schema_node *w,
			struct schema_compat_result *to)
{
	size_t at;

	if (strcmp(schema_short_name(r->name), schema_short_name(w->name)) == 0)
		return;
	for (size_t i = 0; i < r->n_aliases; i++)
		if (strcmp(r->alias[i], w->name) == 0)
			return;
	at = schema_compat_enter(c, "name");
	schema_compat_fail(c, to, "NAME_MISMATCH", r, w, bus_xasprintf("expected: %s", w->name));
	schema_compat_leave(c, at);
}

static void check_symbols(struct schema_compat *c, const struct schema_node *r, const struct schema_node *w,
			  struct schema_compat_result *to)
{
	struct bus_buf missing = { 0 };
	size_t at;

	for (size_t i = 0; i < w->n; i++) {
		const char *symbol = w->symbol[w->sorted[i]];

		if (schema_position(r, bus_str(symbol)) < 0)
			bus_buf_printf(&missing, "%s%s", missing.n > 0 ? ", " : "", symbol);
	}
	if (missing.n > 0 && !r->fallback_symbol) {
		at = schema_compat_enter(c, "symbols");
		schema_compat_fail(c, to, "MISSING_ENUM_SYMBOLS", r, w,
				   bus_xasprintf("[%s]", bus_buf_cstr(&missing)));
		schema_compat_leave(c, at);
	}
	bus_buf_release(&missing);
}

/* The writer's field that this one of the reader's is read from. */
static const struct schema_field *find_field(struct schema_compat *c, const struct schema_node *w,
					     const struct schema_field *field)
{
	const struct schema_field *found = schema_field_find(w, field->name, NULL);

	for (size_t i = 0; i < field->n_aliases; i++) {
		const struct schema_field *other;
		size_t k = 0;

		while (k < i && strcmp(field->alias[k], field->alias[i]) != 0)
			k++;
		other = k < i ? NULL : schema_field_find(w, field->alias[i], NULL);
		if (other && found) {
			char *text = bus_xasprintf("Reader record field %s matches multiple fields in writer "
						   "record schema %s",
						   field->name, w->name);

			schema_compat_give_up(c, text);
			free(text);
		}
		found = other ? other : found;
	}
	return found;
}

static void check_field(struct schema_compat *c, const struct schema_field *field,
			const struct schema_node *r, const struct schema_node *w,
			struct schema_compat_result *to)
{
	const struct schema_field *written = find_field(c, w, field);
	const struct schema_step step = { c->step, SCHEMA_STEP_FIELD, { field, written }, NULL, 0, 0 };
	struct schema_compat_result result;
	size_t at;

	if (!written && field->fallback)
		return;
	c->step = &step;
	if (!written && !(field->type->type == SCHEMA_ENUM && field->type->fallback_symbol)) {
		schema_compat_fail(c, to, "READER_FIELD_MISSING_DEFAULT_VALUE", r, w,
				   bus_xstrdup(field->name));
	} else {
		at = schema_compat_enter(c, "type");
		/* An enum with a default but a field without: Java holds it against the writer's record. */
		result = check(c, field->type, written ? written->type : w);
		schema_compat_leave(c, at);
		schema_compat_merge(c, to, &result);
	}
	c->step = step.up;
}

static void check_fields(struct schema_compat *c, const struct schema_node *r, const struct schema_node *w,
			 struct schema_compat_result *to)
{
	size_t in_fields = schema_compat_enter(c, "fields");

	for (size_t i = 0; i < r->n && !c->given_up; i++) {
		size_t at = schema_compat_enter_index(c, i);

		check_field(c, &r->field[i], r, w, to);
		schema_compat_leave(c, at);
	}
	schema_compat_leave(c, in_fields);
}

/* Down into a branch of a union, on one side. */
static struct schema_step branch_step(const struct schema_compat *c, const struct schema_node *of, int side,
				      size_t i)
{
	return (struct schema_step){
		.up = c->step, .kind = SCHEMA_STEP_BRANCH, .node = of, .side = side, .index = i
	};
}

/* Another pair, judged as if at the top: only whether it is compatible counts. */
static bool check_apart(struct schema_compat *c, const struct schema_step *step, const struct schema_node *r,
			const struct schema_node *w)
{
	struct bus_buf place = c->place;
	bool ok;

	c->place = (struct bus_buf){ 0 };
	c->step = step;
	ok = check(c, r, w).ok;
	c->step = step->up;
	bus_buf_release(&c->place);
	c->place = place;
	return ok;
}

/* No branch of r reads w. If one was meant to, what it lacks is the cause. */
static void fail_branch(struct schema_compat *c, const struct schema_node *r, const struct schema_node *w,
			struct schema_compat_result *to)
{
	char name[16];
	struct schema_reason *reason =
	    schema_compat_fail(c, to, "MISSING_UNION_BRANCH", r, w,
			       bus_xasprintf("reader union lacking writer type: %s", upper(w, name)));

	for (size_t i = 0; i < r->n && reason; i++) {
		const struct schema_node *branch = r->branch[i];
		const struct schema_compat_pair *pair;

		if (branch->type != w->type ||
		    (w->name && strcmp(schema_short_name(branch->name), schema_short_name(w->name)) != 0))
			continue;
		pair = remember(c, branch, w);
		if (pair->r && !pair->in_progress) {
			reason->cause = pair->result.reason;
			reason->n_causes = pair->result.n;
		}
	}
}

static void check_unions(struct schema_compat *c, const struct schema_node *r, const struct schema_node *w,
			 struct schema_compat_result *to)
{
	for (size_t i = 0; i < w->n && !c->given_up; i++) {
		const struct schema_step step = branch_step(c, w, 1, i);
		size_t at = schema_compat_enter_index(c, i);

		if (!check_apart(c, &step, r, w->branch[i])) {
			c->step = &step;
			fail_branch(c, r, w->branch[i], to);
			c->step = step.up;
		}
		schema_compat_leave(c, at);
	}
}

static void check_item(struct schema_compat *c, const char *name, const struct schema_node *r,
		       const struct schema_node *w, struct schema_compat_result *to)
{
	const struct schema_step step = { .up = c->step, .kind = SCHEMA_STEP_ITEM, .node = r };
	size_t at = schema_compat_enter(c, name);
	struct schema_compat_result result;

	c->step = &step;
	result = check(c, r->item, w->item);
	c->step = step.up;
	schema_compat_leave(c, at);
	schema_compat_merge(c, to, &result);
}

static void check_same_type(struct schema_compat *c, const struct schema_node *r, const struct schema_node *w,
			    struct schema_compat_result *to)
{
	size_t at;

	switch (r->type) {
	case SCHEMA_ARRAY:
		check_item(c, "items", r, w, to);
		break;
	case SCHEMA_MAP:
		check_item(c, "values", r, w, to);
		break;
	case SCHEMA_FIXED:
		check_names(c, r, w, to);
		if (r->size == w->size)
			break;
		at = schema_compat_enter(c, "size");
		schema_compat_fail(c, to, "FIXED_SIZE_MISMATCH", r, w,
				   bus_xasprintf("expected: %zu, found: %zu", w->size, r->size));
		schema_compat_leave(c, at);
		break;
	case SCHEMA_ENUM:
		check_names(c, r, w, to);
		check_symbols(c, r, w, to);
		break;
	case SCHEMA_RECORD:
		check_names(c, r, w, to);
		check_fields(c, r, w, to);
		break;
	case SCHEMA_UNION:
		check_unions(c, r, w, to);
		break;
	default:
		break;
	}
}

static void check_other_type(struct schema_compat *c, const struct schema_node *r,
			     const struct schema_node *w, struct schema_compat_result *to)
{
	char reader[16];
	char writer[16];

	if (w->type == SCHEMA_UNION) {
		for (size_t i = 0; i < w->n && !c->given_up; i++) {
			const struct schema_step step = branch_step(c, w, 1, i);
			size_t at = schema_compat_enter_index(c, i);
			struct schema_compat_result result;

			c->step = &step;
			result = check(c, r, w->branch[i]);
			c->step = step.up;
			schema_compat_leave(c, at);
			schema_compat_merge(c, to, &result);
		}
		return;
	}
	if (r->type == SCHEMA_UNION) {
		for (size_t i = 0; i < r->n; i++) {
			const struct schema_step step = branch_step(c, r, 0, i);

			if (check_apart(c, &step, r->branch[i], w))
				return;
		}
		fail_branch(c, r, w, to);
		return;
	}
	if (!schema_promotes(w->type, r->type))
		schema_compat_fail(c, to, "TYPE_MISMATCH", r, w,
				   bus_xasprintf("reader type: %s not compatible with writer type: %s",
						 upper(r, reader), upper(w, writer)));
}

static size_t slot_of(const struct schema_compat_pair *pair, size_t size, const struct schema_node *r,
		      const struct schema_node *w)
{
	uint64_t h = ((uint64_t)(uintptr_t)r * UINT64_C(0x9e3779b97f4a7c15)) ^
		     ((uint64_t)(uintptr_t)w * UINT64_C(0xc2b2ae3d27d4eb4f));
	size_t i;

	h ^= h >> 29;
	for (i = (size_t)h & (size - 1); pair[i].r; i = (i + 1) & (size - 1))
		if (pair[i].r == r && pair[i].w == w)
			break;
	return i;
}

/* The pair's place in the memory; good until the next call. */
static struct schema_compat_pair *remember(struct schema_compat *c, const struct schema_node *r,
					   const struct schema_node *w)
{
	if (2 * (c->n_pairs + 1) > c->size) {
		size_t size = c->size ? 2 * c->size : 256;
		struct schema_compat_pair *bigger = bus_xcalloc(size, sizeof(*bigger));

		for (size_t i = 0; i < c->size; i++)
			if (c->pair[i].r)
				bigger[slot_of(bigger, size, c->pair[i].r, c->pair[i].w)] = c->pair[i];
		free(c->pair);
		c->pair = bigger;
		c->size = size;
	}
	return &c->pair[slot_of(c->pair, c->size, r, w)];
}

static struct schema_compat_result check(struct schema_compat *c, const struct schema_node *r,
					 const struct schema_node *w)
{
	struct schema_compat_result result = { .ok = true };
	struct schema_compat_pair *pair = remember(c, r, w);

	if (pair->r)
		return pair->in_progress ? result : pair->result;
	if (c->depth == DEPTH_MAX || c->n_pairs == PAIRS_MAX)
		schema_compat_give_up(
		    c, "the schemas have too many combinations, or nest too deep, to be compared");
	if (c->given_up)
		return result;
	*pair = (struct schema_compat_pair){ r, w, true, result };
	c->n_pairs++;
	c->depth++;
	if (r->type == w->type)
		check_same_type(c, r, w, &result);
	else
		check_other_type(c, r, w, &result);
	c->depth--;
	pair = remember(c, r, w);
	pair->in_progress = false;
	pair->result = result;
	return result;
}

bool schema_judge(const struct schema *reader, const struct schema *writer, bool places,
		  struct schema_verdict *why)
{
	struct schema_compat c = { .arena = bus_arena_new(ARENA_MAX), .places = places };
	struct schema_compat_result result;
	bool ok;

	result = check(&c, reader->root, writer->root);
	ok = result.ok && !c.given_up;
	if (why) {
		*why = (struct schema_verdict){ .ok = ok, .memory = c.arena };
		why->n_reasons = c.given_up ? 1 : result.n;
		why->reason = bus_xcalloc(why->n_reasons + 1, sizeof(*why->reason));
		why->reason[0] = c.exception;
		for (size_t i = 0; i < result.n && !c.given_up; i++)
			why->reason[i] = *result.reason[i];
	} else {
		bus_arena_free(&c.arena);
	}
	bus_buf_release(&c.place);
	free(c.pair);
	return ok;
}

bool schema_can_read(const struct schema *reader, const struct schema *writer, struct schema_verdict *why)
{
	return schema_judge(reader, writer, false, why);
}
