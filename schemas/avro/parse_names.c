/* Full names, namespaces, aliases, and the table of what is defined (Avro specification, "Names"). */
#include <stdio.h>
#include <xxhash.h>

#include "bus/crypto.h"
#include "schemas/avro/parse.h"

/* The seed is the parse's own: nobody can write names that all fall into one place. */
static const struct schema_node **slot_of(const struct schema_node **table, size_t size, uint64_t seed,
					  const char *name)
{
	uint64_t h = XXH3_64bits_withSeed(name, strlen(name), seed);
	size_t i;

	for (i = (size_t)h & (size - 1); table[i]; i = (i + 1) & (size - 1))
		if (strcmp(table[i]->name, name) == 0)
			break;
	return &table[i];
}

const struct schema_node *schema_name_find(const struct schema_parser *p, const char *name)
{
	return p->table_size == 0 ? NULL : *slot_of(p->table, p->table_size, p->seed, name);
}

static void grow(struct schema_parser *p)
{
	size_t size = p->table_size ? 2 * p->table_size : 64;
	const struct schema_node **table = bus_xcalloc(size, sizeof(*table));

	if (p->table_size == 0)
		bus_random(&p->seed, sizeof(p->seed));

	for (size_t i = 0; i < p->table_size; i++)
		if (p->table[i])
			*slot_of(table, size, p->seed, p->table[i]->name) = p->table[i];
	free(p->table);
	p->table = table;
	p->table_size = size;
}

enum bus_err schema_name_define(struct schema_parser *p, const struct schema_place *at,
				const struct schema_node *node)
{
	enum schema_type type;

	if (schema_type_parse(bus_str(node->name), &type) && type < SCHEMA_RECORD)
		return schema_parse_fail(p, at, "a type cannot be named '%s'", node->name);
	if (2 * (p->n_named + 1) > p->table_size)
		grow(p);
	*slot_of(p->table, p->table_size, p->seed, node->name) = node;
	p->n_named++;
	return BUS_OK;
}

/* space + "." + name in the arena; name alone when it has a dot or there is no namespace. */
static const char *qualify(struct bus_arena *arena, const char *name, const char *space)
{
	size_t n = strlen(name);
	size_t m = strlen(space);
	const char *dot = strrchr(name, '.');
	char *full;

	if (dot == name) /* ".C" is C in no namespace */
		return bus_arena_dup(arena, name + 1, n - 1);
	if (dot || m == 0)
		return bus_arena_dup(arena, name, n);
	full = bus_arena_alloc(arena, m + n + 2);
	if (full) {
		memcpy(full, space, m);
		full[m] = '.';
		memcpy(full + m + 1, name, n + 1);
	}
	return full;
}

/* Java enters a record when it has read it. */
static bool is_known(const struct schema_node *node)
{
	return node && (node->type != SCHEMA_RECORD || node->sorted);
}

const struct schema_node *schema_name_resolve(const struct schema_parser *p, const char *name,
					      const char *space, bool at_end)
{
	const bool dotted = strchr(name, '.') != NULL;
	char full[2 * SCHEMA_NAME_MAX + 2];
	const struct schema_node *node;
	const struct schema_node *other;

	if (dotted || !*space)
		return schema_name_find(p, name[0] == '.' && strrchr(name, '.') == name ? name + 1 : name);
	snprintf(full, sizeof(full), "%s.%s", space, name);
	node = schema_name_find(p, full);
	if (is_known(node) || at_end)
		return node;
	other = schema_name_find(p, name);
	return is_known(other) ? other : node;
}

static enum bus_err check_name(struct schema_parser *p, const struct schema_place *at, const char *what,
			       const char *full)
{
	size_t space = schema_space_len(full);
	struct bus_str part = { full, space };

	if (strlen(full) > SCHEMA_NAME_MAX)
		return schema_parse_fail(p, at, "%s of more than %d bytes", what, SCHEMA_NAME_MAX);
	if (p->flags & SCHEMA_LENIENT)
		return BUS_OK;
	if (!schema_name_valid(bus_str(schema_short_name(full))))
		return schema_parse_fail(p, at, "%s '%.100s': only letters, digits and _ (no digit first)",
					 what, full);
	if (full[0] == '.' || !schema_namespace_valid(part))
		return schema_parse_fail(p, at, "namespace '%.*s' of %s: not names joined by dots",
					 space > 100 ? 100 : (int)space, full, what);
	return BUS_OK;
}

enum bus_err schema_name_read(struct schema_parser *p, const struct schema_place *at,
			      const struct bus_json *v, const char *space, struct schema_node *node)
{
	const struct bus_json *space_of = bus_json_get(v, "namespace");
	const char *name = schema_member_text(v, "name");
	const char *own = schema_member_text(v, "namespace");
	enum bus_err rc;

	/* Java takes a namespace that is no text for none. */
	if (space_of && space_of->type == BUS_JSON_STRING && !own)
		return schema_parse_fail(p, at, "a namespace with U+0000 in it");
	if (!name)
		return schema_parse_fail(p, at, "%s without a name", schema_type_name(node->type));
	if (strlen(name) > SCHEMA_NAME_MAX || (own && strlen(own) > SCHEMA_NAME_MAX))
		return schema_parse_fail(p, at, "a name of more than %d bytes", SCHEMA_NAME_MAX);
	node->name = qualify(p->arena, name, own ? own : space);
	if (!node->name)
		return schema_parse_no_room(p);
	rc = check_name(p, at, "name", node->name);
	return rc == BUS_OK ? schema_name_count(p, at, node->name) : rc;
}

static bool has_alias(const struct schema_node *node, const char *alias)
{
	for (size_t i = 0; i < node->n_aliases; i++)
		if (strcmp(node->alias[i], alias) == 0)
			return true;
	return false;
}

enum bus_err schema_aliases_read(struct schema_parser *p, const struct schema_place *at,
				 const struct bus_json *v, struct schema_node *node)
{
	struct bus_str space = { node->name, schema_space_len(node->name) };
	const struct bus_json *list = bus_json_get(v, "aliases");
	const char **alias;
	char *in;

	if (!list)
		return BUS_OK;
	if (list->type != BUS_JSON_ARRAY)
		return schema_parse_fail(p, at, "aliases are not a list");
	if (list->n > SCHEMA_ALIASES_MAX)
		return schema_parse_fail(p, at, "more than %d aliases", SCHEMA_ALIASES_MAX);
	alias = bus_arena_alloc(p->arena, (list->n + 1) * sizeof(*alias));
	in = bus_arena_dup(p->arena, space.p, space.n);
	if (!alias || !in)
		return schema_parse_no_room(p);
	node->alias = alias;
	for (const struct bus_json *a = list->first; a; a = a->next) {
		const char *full;
		enum bus_err rc;

		if (a->type != BUS_JSON_STRING || a->text.n > SCHEMA_NAME_MAX || !schema_plain(a->text))
			return schema_parse_fail(p, at, "an alias that is no name");
		full = qualify(p->arena, a->text.p, in);
		if (!full)
			return schema_parse_no_room(p);
		rc = check_name(p, at, "alias", full);
		if (rc != BUS_OK)
			return rc;
		if (!has_alias(node, full))
			alias[node->n_aliases++] = full;
	}
	return BUS_OK;
}
