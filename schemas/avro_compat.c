/* Avro Java 1.12's SchemaCompatibility, reasons included.
 *
 * Its memory of pairs is kept as it is there, by node and not by place: a pair met again gives the reasons of
 * the first time, with the places of the first time. */
#include "schemas/avro_compat.h"

#include <ctype.h>
#include <stdio.h>

#include "schemas/schema_impl.h"

#define PAIRS_MAX 100000 /* over it, or over the memory: "incompatible", with the reason */
#define ARENA_MAX ((size_t)32 * 1024 * 1024)
#define DEPTH_MAX 600

/* Reasons found under a pair: an immutable list, shared by all that contain it. */
struct result {
	bool ok;
	size_t n;
	const struct schema_reason **reason; /* n of them; room for the next power of two */
};

struct pair {
	const struct schema_node *r;
	const struct schema_node *w;
	bool in_progress;
	struct result result;
};

struct checker {
	struct bus_arena *arena;
	struct pair *pair; /* open addressing, a power of two */
	size_t size;
	size_t n_pairs;
	int depth;
	struct bus_buf place; /* where we are: "/fields/3/type", "" at the top */
	bool given_up;
	struct schema_reason exception; /* why */
};

static const char *const level_name[] = {
	[SCHEMA_COMPAT_NONE] = "NONE",
	[SCHEMA_COMPAT_BACKWARD] = "BACKWARD",
	[SCHEMA_COMPAT_BACKWARD_TRANSITIVE] = "BACKWARD_TRANSITIVE",
	[SCHEMA_COMPAT_FORWARD] = "FORWARD",
	[SCHEMA_COMPAT_FORWARD_TRANSITIVE] = "FORWARD_TRANSITIVE",
	[SCHEMA_COMPAT_FULL] = "FULL",
	[SCHEMA_COMPAT_FULL_TRANSITIVE] = "FULL_TRANSITIVE",
};

const char *schema_level_name(enum schema_level level)
{
	return level_name[level];
}

enum bus_err schema_level_parse(const char *name, enum schema_level *out)
{
	for (size_t i = 0; i < BUS_LEN(level_name); i++)
		if (strcmp(name, level_name[i]) == 0) {
			*out = (enum schema_level)i;
			return BUS_OK;
		}
	return BUS_EINVAL;
}

/* Goes down a step of the place; returns what leave() needs. */
static size_t enter(struct checker *c, const char *step)
{
	size_t before = c->place.n;

	bus_buf_putc(&c->place, '/');
	bus_buf_puts(&c->place, step);
	return before;
}

static size_t enter_index(struct checker *c, size_t i)
{
	char step[24];

	snprintf(step, sizeof(step), "%zu", i);
	return enter(c, step);
}

static void leave(struct checker *c, size_t before)
{
	c->place.n = before;
}

static void give_up(struct checker *c, const char *message)
{
	if (c->given_up)
		return;
	c->given_up = true;
	c->exception = (struct schema_reason){
		.type = "EXCEPTION",
		.location = "",
		.message = bus_arena_dup(c->arena, message, strlen(message)),
	};
	if (!c->exception.message)
		c->exception.message = "the schemas differ in too many places to be compared";
}

/* Zeroed memory for reasons; NULL: over the limit, and given up. */
static void *reason_memory(struct checker *c, size_t n)
{
	void *p = bus_arena_zalloc(c->arena, n);

	if (!p)
		give_up(c, "the schemas differ in too many places to be compared");
	return p;
}

static void add(struct checker *c, struct result *to, const struct schema_reason *reason)
{
	to->ok = false;
	if (to->n == SCHEMA_REASONS_MAX)
		return;
	/* Nobody else has this list yet; it is shared only once the pair is judged. */
	if ((to->n & (to->n - 1)) == 0) {
		const struct schema_reason **more = reason_memory(c, (2 * to->n + 1) * sizeof(*more));

		if (!more)
			return;
		if (to->n > 0)
			memcpy(more, to->reason, to->n * sizeof(*more));
		to->reason = more;
	}
	to->reason[to->n++] = reason;
}

static void merge(struct checker *c, struct result *to, const struct result *from)
{
	to->ok &= from->ok;
	for (size_t i = 0; i < from->n; i++)
		add(c, to, from->reason[i]);
}

/* Takes message. */
static void fail(struct checker *c, struct result *to, const char *type, char *message)
{
	size_t n = strlen(message);
	struct schema_reason *reason = NULL;
	char *copy;

	to->ok = false;
	if (to->n < SCHEMA_REASONS_MAX)
		reason = reason_memory(c, sizeof(*reason));
	/* One block: the place, then the message. */
	copy = reason ? reason_memory(c, c->place.n + n + 3) : NULL;
	if (copy) {
		*reason = (struct schema_reason){ type, copy, copy + c->place.n + 2 };
		copy[0] = '/';
		if (c->place.n > 0)
			memcpy(copy, c->place.p, c->place.n);
		memcpy(copy + c->place.n + 2, message, n);
		add(c, to, reason);
	}
	free(message);
}

static const char *upper(const struct schema_node *node, char text[16])
{
	size_t i = 0;

	for (const char *name = schema_type_name(node->type); name[i]; i++)
		text[i] = (char)toupper((unsigned char)name[i]);
	text[i] = '\0';
	return text;
}

static struct result check(struct checker *c, const struct schema_node *r, const struct schema_node *w);

static void check_names(struct checker *c, const struct schema_node *r, const struct schema_node *w,
			struct result *to)
{
	size_t at;

	if (strcmp(schema_short_name(r->name), schema_short_name(w->name)) == 0)
		return;
	for (size_t i = 0; i < r->n_aliases; i++)
		if (strcmp(r->alias[i], w->name) == 0)
			return;
	at = enter(c, "name");
	fail(c, to, "NAME_MISMATCH", bus_xasprintf("expected: %s", w->name));
	leave(c, at);
}

static void check_symbols(struct checker *c, const struct schema_node *r, const struct schema_node *w,
			  struct result *to)
{
	struct bus_buf missing = { 0 };
	size_t at;

	for (size_t i = 0; i < w->n; i++) {
		const char *symbol = w->symbol[w->sorted[i]];

		if (schema_position(r, bus_str(symbol)) < 0)
			bus_buf_printf(&missing, "%s%s", missing.n > 0 ? ", " : "", symbol);
	}
	if (missing.n > 0 && !r->fallback_symbol) {
		at = enter(c, "symbols");
		fail(c, to, "MISSING_ENUM_SYMBOLS", bus_xasprintf("[%s]", bus_buf_cstr(&missing)));
		leave(c, at);
	}
	bus_buf_release(&missing);
}

/* The writer's field that this one of the reader's is read from. */
static const struct schema_field *find_field(struct checker *c, const struct schema_node *w,
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

			give_up(c, text);
			free(text);
		}
		found = other ? other : found;
	}
	return found;
}

static void check_field(struct checker *c, const struct schema_field *field, const struct schema_node *w,
			struct result *to)
{
	const struct schema_field *written = find_field(c, w, field);
	struct result result;
	size_t at;

	if (!written && field->fallback)
		return;
	if (!written && !(field->type->type == SCHEMA_ENUM && field->type->fallback_symbol)) {
		fail(c, to, "READER_FIELD_MISSING_DEFAULT_VALUE", bus_xstrdup(field->name));
		return;
	}
	at = enter(c, "type");
	/* An enum with a default but a field without: Java holds it against the writer's record. */
	result = check(c, field->type, written ? written->type : w);
	leave(c, at);
	merge(c, to, &result);
}

static void check_fields(struct checker *c, const struct schema_node *r, const struct schema_node *w,
			 struct result *to)
{
	size_t in_fields = enter(c, "fields");

	for (size_t i = 0; i < r->n && !c->given_up; i++) {
		size_t at = enter_index(c, i);

		check_field(c, &r->field[i], w, to);
		leave(c, at);
	}
	leave(c, in_fields);
}

/* Another pair, judged as if at the top: only whether it is compatible counts. */
static bool check_apart(struct checker *c, const struct schema_node *r, const struct schema_node *w)
{
	struct bus_buf place = c->place;
	bool ok;

	c->place = (struct bus_buf){ 0 };
	ok = check(c, r, w).ok;
	bus_buf_release(&c->place);
	c->place = place;
	return ok;
}

static void fail_branch(struct checker *c, const struct schema_node *w, struct result *to)
{
	char name[16];

	fail(c, to, "MISSING_UNION_BRANCH",
	     bus_xasprintf("reader union lacking writer type: %s", upper(w, name)));
}

static void check_unions(struct checker *c, const struct schema_node *r, const struct schema_node *w,
			 struct result *to)
{
	for (size_t i = 0; i < w->n && !c->given_up; i++) {
		size_t at = enter_index(c, i);

		if (!check_apart(c, r, w->branch[i]))
			fail_branch(c, w->branch[i], to);
		leave(c, at);
	}
}

static void check_item(struct checker *c, const char *step, const struct schema_node *r,
		       const struct schema_node *w, struct result *to)
{
	size_t at = enter(c, step);
	struct result result = check(c, r->item, w->item);

	leave(c, at);
	merge(c, to, &result);
}

static void check_same_type(struct checker *c, const struct schema_node *r, const struct schema_node *w,
			    struct result *to)
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
		at = enter(c, "size");
		fail(c, to, "FIXED_SIZE_MISMATCH",
		     bus_xasprintf("expected: %zu, found: %zu", w->size, r->size));
		leave(c, at);
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

static void check_other_type(struct checker *c, const struct schema_node *r, const struct schema_node *w,
			     struct result *to)
{
	char reader[16];
	char writer[16];

	if (w->type == SCHEMA_UNION) {
		for (size_t i = 0; i < w->n && !c->given_up; i++) {
			size_t at = enter_index(c, i);
			struct result result = check(c, r, w->branch[i]);

			leave(c, at);
			merge(c, to, &result);
		}
		return;
	}
	if (r->type == SCHEMA_UNION) {
		for (size_t i = 0; i < r->n; i++)
			if (check_apart(c, r->branch[i], w))
				return;
		fail_branch(c, w, to);
		return;
	}
	if (!schema_promotes(w->type, r->type))
		fail(c, to, "TYPE_MISMATCH",
		     bus_xasprintf("reader type: %s not compatible with writer type: %s", upper(r, reader),
				   upper(w, writer)));
}

static size_t slot_of(const struct pair *pair, size_t size, const struct schema_node *r,
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
static struct pair *remember(struct checker *c, const struct schema_node *r, const struct schema_node *w)
{
	if (2 * (c->n_pairs + 1) > c->size) {
		size_t size = c->size ? 2 * c->size : 256;
		struct pair *bigger = bus_xcalloc(size, sizeof(*bigger));

		for (size_t i = 0; i < c->size; i++)
			if (c->pair[i].r)
				bigger[slot_of(bigger, size, c->pair[i].r, c->pair[i].w)] = c->pair[i];
		free(c->pair);
		c->pair = bigger;
		c->size = size;
	}
	return &c->pair[slot_of(c->pair, c->size, r, w)];
}

static struct result check(struct checker *c, const struct schema_node *r, const struct schema_node *w)
{
	struct result result = { .ok = true };
	struct pair *pair = remember(c, r, w);

	if (pair->r)
		return pair->in_progress ? result : pair->result;
	if (c->depth == DEPTH_MAX || c->n_pairs == PAIRS_MAX)
		give_up(c, "the schemas have too many combinations, or nest too deep, to be compared");
	if (c->given_up)
		return result;
	*pair = (struct pair){ r, w, true, result };
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

bool schema_can_read(const struct schema *reader, const struct schema *writer, struct schema_verdict *why)
{
	struct checker c = { .arena = bus_arena_new(ARENA_MAX) };
	struct result result = check(&c, reader->root, writer->root);
	bool ok = result.ok && !c.given_up;

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

void schema_verdict_release(struct schema_verdict *why)
{
	free(why->reason);
	bus_arena_free(&why->memory);
	*why = (struct schema_verdict){ 0 };
}

/* The reasons are kept only of a "no". */
static bool judge(const struct schema *reader, const struct schema *writer, struct schema_verdict *why)
{
	bool ok = schema_can_read(reader, writer, why);

	if (ok && why) {
		schema_verdict_release(why);
		why->ok = true;
	}
	return ok;
}

/* One version; FULL asks for both directions, backward first. */
static bool check_version(enum schema_level level, const struct schema *candidate,
			  const struct schema *version, struct schema_verdict *why)
{
	const bool forward = level == SCHEMA_COMPAT_FORWARD || level == SCHEMA_COMPAT_FORWARD_TRANSITIVE;
	const bool backward = level == SCHEMA_COMPAT_BACKWARD || level == SCHEMA_COMPAT_BACKWARD_TRANSITIVE;

	if (!forward && !judge(candidate, version, why))
		return false;
	return backward || judge(version, candidate, why);
}

bool schema_compatible(enum schema_level level, const struct schema *candidate,
		       const struct schema *const *version, size_t n, struct schema_verdict *why,
		       size_t *failed)
{
	const bool transitive = level == SCHEMA_COMPAT_BACKWARD_TRANSITIVE ||
				level == SCHEMA_COMPAT_FORWARD_TRANSITIVE ||
				level == SCHEMA_COMPAT_FULL_TRANSITIVE;

	if (why)
		*why = (struct schema_verdict){ .ok = true };
	if (level == SCHEMA_COMPAT_NONE)
		return true;
	for (size_t i = transitive || n == 0 ? 0 : n - 1; i < n; i++) {
		if (check_version(level, candidate, version[i], why))
			continue;
		if (failed)
			*failed = i;
		return false;
	}
	return true;
}
