/* What of the writer is read as what of the reader (Avro specification, "Schema Resolution"; where it is
 * silent or loose, Avro Java 1.12.2's Resolver and Schema.applyAliases).
 *
 * Records are matched by structure whatever their names; the names only order the choice in a union. Enums
 * and fixed are matched by their unqualified names. Aliases of the reader rename the writer's types and
 * fields before anything else.
 */
#include "schemas/avro/plan.h"
#include "schemas/avro/schema_impl.h"

#define STEPS_MAX 4000000 /* fields looked at: bounds what unions of many records cost */
#define DEPTH_MAX 300

struct alias {
	const char *record; /* of a field's alias: the reader's record; of a type's: "" */
	const char *from;
	const char *to;
	size_t seq; /* the last one wins, as in Java's maps */
};

enum known { UNKNOWN, IN_PROGRESS, NO, YES };

struct pair {
	const struct schema_node *w;
	const struct schema_node *r;
	enum known equal;    /* as branches of unions */
	enum known mismatch; /* as records in a choice */
};

struct schema_resolver {
	struct alias *alias;
	size_t n_aliases;
	struct pair *pair; /* open addressing, a power of two */
	size_t n_pairs;
	size_t size;
	int rounds; /* of renaming: Java does it twice, or until the writer's schema is the reader's */
	long steps;
	int depth;
};

static int by_name(const void *x, const void *y)
{
	const struct alias *a = x;
	const struct alias *b = y;
	int d = strcmp(a->record, b->record);

	if (d == 0)
		d = strcmp(a->from, b->from);
	return d != 0 ? d : (a->seq > b->seq) - (a->seq < b->seq);
}

static void add_alias(struct schema_resolver *r, const char *record, const char *from, const char *to)
{
	if ((r->n_aliases & (r->n_aliases - 1)) == 0)
		r->alias = bus_xrealloc(r->alias, (r->n_aliases ? 2 * r->n_aliases : 1) * sizeof(*r->alias));
	r->alias[r->n_aliases] = (struct alias){ record, from, to, r->n_aliases };
	r->n_aliases++;
}

static void gather_aliases(struct schema_resolver *r, const struct schema_node *node, bool *seen)
{
	if (seen[node->index])
		return;
	seen[node->index] = true;
	for (size_t i = 0; i < node->n_aliases; i++)
		add_alias(r, "", node->alias[i], node->name);
	if (node->item)
		gather_aliases(r, node->item, seen);
	for (size_t i = 0; node->type == SCHEMA_UNION && i < node->n; i++)
		gather_aliases(r, node->branch[i], seen);
	for (size_t i = 0; node->type == SCHEMA_RECORD && i < node->n; i++) {
		for (size_t k = 0; k < node->field[i].n_aliases; k++)
			add_alias(r, node->name, node->field[i].alias[k], node->field[i].name);
		gather_aliases(r, node->field[i].type, seen);
	}
}

struct schema_resolver *schema_resolver_new(const struct schema *writer, const struct schema *reader)
{
	struct schema_resolver *r = bus_xcalloc(1, sizeof(*r));
	bool *seen;

	if (writer == reader)
		return r;
	seen = bus_xcalloc((size_t)reader->count, sizeof(*seen));
	gather_aliases(r, reader->root, seen);
	free(seen);
	if (r->n_aliases == 0)
		return r;
	qsort(r->alias, r->n_aliases, sizeof(*r->alias), by_name);
	while (r->rounds < 2 && !schema_resolve_same(writer, reader, r))
		r->rounds++;
	return r;
}

void schema_resolver_free(struct schema_resolver **r)
{
	if (*r) {
		free((*r)->alias);
		free((*r)->pair);
		free(*r);
	}
	*r = NULL;
}

bool schema_resolver_exhausted(const struct schema_resolver *r)
{
	return r->steps > STEPS_MAX;
}

static const char *renamed_once(const struct schema_resolver *r, const char *record, const char *name)
{
	const struct alias key = { record, name, NULL, SIZE_MAX };
	size_t lo = 0;
	size_t hi = r->n_aliases;

	/* The last one that is not above the key: with SIZE_MAX as its number, the last of that name. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_name(&r->alias[mid], &key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || strcmp(r->alias[lo - 1].record, record) != 0 ||
	    strcmp(r->alias[lo - 1].from, name) != 0)
		return name;
	return r->alias[lo - 1].to;
}

const char *schema_resolve_name(const struct schema_resolver *r, const char *record, const char *name)
{
	for (int i = 0; i < r->rounds; i++) {
		if (record[0] != '\0')
			record = renamed_once(r, "", record);
		name = renamed_once(r, record, name);
	}
	return name;
}

static bool same_short_name(const struct schema_resolver *r, const struct schema_node *w,
			    const struct schema_node *u)
{
	return strcmp(schema_short_name(schema_resolve_name(r, "", w->name)), schema_short_name(u->name)) ==
	       0;
}

static size_t pair_at(const struct pair *pair, size_t size, const struct schema_node *w,
		      const struct schema_node *u)
{
	uint64_t h = ((uint64_t)(uintptr_t)w * UINT64_C(0x9e3779b97f4a7c15)) ^
		     ((uint64_t)(uintptr_t)u * UINT64_C(0xc2b2ae3d27d4eb4f));
	size_t i;

	h ^= h >> 29;
	for (i = (size_t)h & (size - 1); pair[i].w; i = (i + 1) & (size - 1))
		if (pair[i].w == w && pair[i].r == u)
			break;
	return i;
}

/* What is known of two nodes; good until the next call. */
static struct pair *pair_of(struct schema_resolver *r, const struct schema_node *w,
			    const struct schema_node *u)
{
	struct pair *p;

	if (2 * (r->n_pairs + 1) > r->size) {
		size_t size = r->size ? 2 * r->size : 64;
		struct pair *bigger = bus_xcalloc(size, sizeof(*bigger));

		for (size_t i = 0; i < r->size; i++)
			if (r->pair[i].w)
				bigger[pair_at(bigger, size, r->pair[i].w, r->pair[i].r)] = r->pair[i];
		free(r->pair);
		r->pair = bigger;
		r->size = size;
	}
	p = &r->pair[pair_at(r->pair, r->size, w, u)];
	if (!p->w) {
		p->w = w;
		p->r = u;
		r->n_pairs++;
	}
	return p;
}

/* False: over a bound; the caller takes the answer that ends the search. */
static bool enter(struct schema_resolver *r, size_t steps)
{
	r->steps += (long)steps + 1;
	if (r->depth == DEPTH_MAX || schema_resolver_exhausted(r))
		return false;
	r->depth++;
	return true;
}

static bool types_equal(struct schema_resolver *r, const struct schema_node *w, const struct schema_node *u);

static bool records_equal(struct schema_resolver *r, const struct schema_node *w, const struct schema_node *u)
{
	enum known known = pair_of(r, w, u)->equal;
	bool equal = w->n == u->n;

	if (known != UNKNOWN)
		return known != NO;
	pair_of(r, w, u)->equal = IN_PROGRESS;
	for (size_t i = 0; i < w->n && equal; i++)
		equal = strcmp(schema_resolve_name(r, w->name, w->field[i].name), u->field[i].name) == 0 &&
			types_equal(r, w->field[i].type, u->field[i].type);
	pair_of(r, w, u)->equal = equal ? YES : NO;
	return equal;
}

static bool shapes_equal(struct schema_resolver *r, const struct schema_node *w, const struct schema_node *u)
{
	bool equal = w->n == u->n;

	if (w->name && !same_short_name(r, w, u))
		return false;
	switch (w->type) {
	case SCHEMA_RECORD:
		return records_equal(r, w, u);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		return types_equal(r, w->item, u->item);
	case SCHEMA_FIXED:
		return w->size == u->size;
	case SCHEMA_UNION:
		for (size_t i = 0; i < w->n && equal; i++)
			equal = types_equal(r, w->branch[i], u->branch[i]);
		return equal;
	case SCHEMA_ENUM:
		for (size_t i = 0; i < w->n && equal; i++)
			equal = strcmp(w->symbol[i], u->symbol[i]) == 0;
		return equal;
	default:
		return true;
	}
}

static bool types_equal(struct schema_resolver *r, const struct schema_node *w, const struct schema_node *u)
{
	bool equal;

	if (w->type != u->type || !enter(r, w->n))
		return false;
	equal = shapes_equal(r, w, u);
	r->depth--;
	return equal;
}

bool schema_resolve_unions_equal(struct schema_resolver *r, const struct schema_node *w,
				 const struct schema_node *u)
{
	return types_equal(r, w, u);
}

static int by_index(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a;
	int32_t y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

/* Two of the writer's fields with one name. Fields that no alias renamed differ (the parser saw to it). */
static bool collides(const struct schema_resolver *r, const struct schema_node *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const char *name = schema_resolve_name(r, w->name, w->field[i].name);
		size_t other;

		if (name == w->field[i].name || !schema_field_find(w, name, &other) || other == i)
			continue;
		if (strcmp(schema_resolve_name(r, w->name, name), name) == 0)
			return true;
	}
	return false;
}

bool schema_resolve_fields(struct schema_resolver *r, const struct schema_node *w,
			   const struct schema_node *u, int32_t *out)
{
	int32_t *sorted;
	bool twice = false;

	r->steps += (long)w->n;
	for (size_t i = 0; i < w->n; i++)
		out[i] = schema_position(u, bus_str(r->n_aliases > 0
							? schema_resolve_name(r, w->name, w->field[i].name)
							: w->field[i].name));
	if (r->n_aliases == 0)
		return true;
	sorted = bus_xmalloc((w->n + 1) * sizeof(*sorted));
	memcpy(sorted, out, w->n * sizeof(*sorted));
	qsort(sorted, w->n, sizeof(*sorted), by_index);
	for (size_t i = 1; i < w->n; i++)
		twice |= sorted[i] >= 0 && sorted[i] == sorted[i - 1];
	free(sorted);
	return !twice && !collides(r, w);
}

static bool misses_field(struct schema_resolver *r, const struct schema_node *w, const struct schema_node *u,
			 int32_t *map)
{
	bool *has = bus_xcalloc(u->n + 1, sizeof(*has));
	bool misses = !schema_resolve_fields(r, w, u, map);

	for (size_t i = 0; i < w->n; i++)
		if (map[i] >= 0)
			has[map[i]] = true;
	for (size_t i = 0; i < u->n; i++)
		misses |= !has[i] && !u->field[i].fallback;
	free(has);
	return misses;
}

const char *schema_resolve_clash(struct schema_resolver *r, const struct schema_node *w,
				 const struct schema_node *u)
{
	const char *why = NULL;
	int32_t *map;

	if (w->type != u->type)
		return schema_promotes(w->type, u->type) ? NULL : "another type";
	switch (w->type) {
	case SCHEMA_ENUM:
		return same_short_name(r, w, u) ? NULL : "another name";
	case SCHEMA_FIXED:
		if (!same_short_name(r, w, u))
			return "another name";
		return w->size == u->size ? NULL : "another size";
	case SCHEMA_RECORD:
		r->steps += (long)(w->n + u->n);
		map = bus_xmalloc((w->n + 1) * sizeof(*map));
		if (misses_field(r, w, u, map))
			why = "a field without default is not written";
		free(map);
		return why;
	default:
		return NULL;
	}
}

static bool clashes(struct schema_resolver *r, const struct schema_node *w, const struct schema_node *u)
{
	if (w->type == SCHEMA_UNION)
		return false; /* some branch may do; seen when data come */
	if (u->type == SCHEMA_UNION)
		return schema_resolve_branch(r, w, u) < 0;
	return schema_resolve_clash(r, w, u) != NULL;
}

/* Is a record of the reader no match in structure: a field is missing, or one that is there clashes. */
static bool records_differ(struct schema_resolver *r, const struct schema_node *w,
			   const struct schema_node *u)
{
	enum known known = pair_of(r, w, u)->mismatch;
	bool differ;
	int32_t *map;

	if (known != UNKNOWN)
		return known == YES;
	if (!enter(r, w->n + u->n))
		return true;
	pair_of(r, w, u)->mismatch = IN_PROGRESS;
	map = bus_xmalloc((w->n + 1) * sizeof(*map));
	differ = misses_field(r, w, u, map);
	for (size_t i = 0; i < w->n && !differ; i++)
		differ = map[i] >= 0 && clashes(r, w->field[i].type, u->field[map[i]].type);
	free(map);
	pair_of(r, w, u)->mismatch = differ ? YES : NO;
	r->depth--;
	return differ;
}

/* The first branch of the same type, by full name for named types; of records, else by structure. */
static int32_t exact_branch(struct schema_resolver *r, const struct schema_node *w,
			    const struct schema_node *u)
{
	int32_t structure = -1;

	for (size_t i = 0; i < u->n; i++) {
		const struct schema_node *b = u->branch[i];

		if (b->type != w->type)
			continue;
		if (!schema_is_named(w->type) || strcmp(schema_resolve_name(r, "", w->name), b->name) == 0)
			return (int32_t)i;
		if (w->type == SCHEMA_RECORD && (structure < 0 || same_short_name(r, w, b)) &&
		    !records_differ(r, w, b))
			structure = (int32_t)i;
	}
	return structure;
}

int32_t schema_resolve_branch(struct schema_resolver *r, const struct schema_node *w,
			      const struct schema_node *u)
{
	int32_t found = exact_branch(r, w, u);

	r->steps += (long)u->n;
	for (size_t i = 0; found < 0 && i < u->n; i++)
		if (schema_promotes(w->type, u->branch[i]->type))
			found = (int32_t)i;
	return found;
}
