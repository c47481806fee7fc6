#include "schemas/avro/schema.h"

#include "schemas/avro/schema_impl.h"

struct schema *schema_ref(struct schema *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void schema_unref(struct schema **s)
{
	struct schema *old = *s;

	*s = NULL;
	if (!old || atomic_fetch_sub_explicit(&old->refs, 1, memory_order_acq_rel) != 1)
		return;
	bus_arena_free(&old->arena);
	free(old);
}

const struct schema_node *schema_root(const struct schema *s)
{
	return s->root;
}

struct bus_str schema_text(const struct schema *s)
{
	return s->text;
}

int schema_count(const struct schema *s)
{
	return s->count;
}

size_t schema_memory(const struct schema *s)
{
	return bus_arena_used(s->arena);
}

const char *schema_property(const struct bus_json *properties, const char *name)
{
	const struct bus_json *v = properties ? bus_json_get(properties, name) : NULL;

	/* The parser ends every string of the tree with a NUL. */
	return v && v->type == BUS_JSON_STRING ? v->text.p : NULL;
}

static const char *name_at(const struct schema_node *node, size_t i)
{
	switch (node->type) {
	case SCHEMA_RECORD:
		return node->field[i].name;
	case SCHEMA_ENUM:
		return node->symbol[i];
	default:
		return schema_label(node->branch[i]);
	}
}

static int compare(struct bus_str a, const char *b)
{
	size_t n = strlen(b);
	int d = memcmp(a.p, b, a.n < n ? a.n : n);

	return d ? d : (a.n > n) - (a.n < n);
}

int32_t schema_position(const struct schema_node *node, struct bus_str name)
{
	size_t lo = 0;
	size_t hi = node->n;

	if (name.n == 0)
		name.p = "";
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = compare(name, name_at(node, node->sorted[mid]));

		if (d == 0)
			return (int32_t)node->sorted[mid];
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

const struct schema_field *schema_field_find(const struct schema_node *record, const char *name,
					     size_t *index)
{
	int32_t i = schema_position(record, bus_str(name));

	if (i < 0)
		return NULL;
	if (index)
		*index = (size_t)i;
	return &record->field[i];
}

static int by_name(const void *a, const void *b, void *node)
{
	return strcmp(name_at(node, *(const uint32_t *)a), name_at(node, *(const uint32_t *)b));
}

const uint32_t *schema_sort(struct bus_arena *arena, const struct schema_node *node, const char **twice)
{
	/* One more than needed: the table of a node with nothing in it is not NULL. */
	uint32_t *at = bus_arena_alloc(arena, (node->n + 1) * sizeof(*at));
	struct schema_node copy = *node;

	if (!at)
		return NULL;
	for (size_t i = 0; i < node->n; i++)
		at[i] = (uint32_t)i;
	qsort_r(at, node->n, sizeof(*at), by_name, &copy);
	for (size_t i = 1; twice && i < node->n; i++)
		if (strcmp(name_at(node, at[i - 1]), name_at(node, at[i])) == 0)
			*twice = name_at(node, at[i]);
	return at;
}

bool schema_promotes(enum schema_type writer, enum schema_type reader)
{
	switch (reader) {
	case SCHEMA_LONG:
		return writer == SCHEMA_INT;
	case SCHEMA_FLOAT:
		return writer == SCHEMA_INT || writer == SCHEMA_LONG;
	case SCHEMA_DOUBLE:
		return writer == SCHEMA_INT || writer == SCHEMA_LONG || writer == SCHEMA_FLOAT;
	case SCHEMA_BYTES:
		return writer == SCHEMA_STRING;
	case SCHEMA_STRING:
		return writer == SCHEMA_BYTES;
	default:
		return false;
	}
}
