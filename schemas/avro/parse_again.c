/* A named type defined twice in one schema. Avro Java 1.12 takes the second definition for the first when
 * both are equal by its Schema.equals: doc, aliases and an enum's default may differ. A record that speaks of
 * itself, or of one that is still being read, is never equal there, so it is not here. */
#include <strings.h>

#include "schemas/avro/parse.h"

/* In what follows both types are of one text, read one after the other: named types in them are the same
 * node or different ones. */
static bool types_alike(const struct schema_node *old, const struct schema_node *a,
			const struct schema_node *b)
{
	static const char *const own[] = { "type", "doc",     "fields", "items",   "name", "namespace",
					   "size", "symbols", "values", "aliases", NULL };

	if (!a || !b || a->type != b->type)
		return false;
	if (a->name)
		return a == b && a != old && (a->type != SCHEMA_RECORD || a->sorted);
	if (!schema_properties_same(a->properties, b->properties, own) || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!types_alike(old, a->branch[i], b->branch[i]))
			return false;
	return a->type < SCHEMA_ARRAY || a->type == SCHEMA_UNION || types_alike(old, a->item, b->item);
}

static bool orders_alike(const struct schema_field *a, const struct schema_field *b)
{
	const char *x = schema_property(a->properties, "order");
	const char *y = schema_property(b->properties, "order");

	return strcasecmp(x ? x : "ascending", y ? y : "ascending") == 0;
}

static bool fields_alike(const struct schema_node *old, const struct schema_field *a,
			 const struct schema_field *b)
{
	static const char *const own[] = { "name", "type", "doc", "default", "order", "aliases", NULL };

	return strcmp(a->name, b->name) == 0 && types_alike(old, a->type, b->type) &&
	       schema_json_same(a->fallback, b->fallback) && orders_alike(a, b) &&
	       schema_properties_same(a->properties, b->properties, own);
}

bool schema_defined_alike(const struct schema_node *old, const struct schema_node *again)
{
	static const char *const own[] = { "type", "doc",     "fields", "items",   "name",    "namespace",
					   "size", "symbols", "values", "aliases", "default", NULL };

	if (old->type != again->type || old->n != again->n || old->size != again->size)
		return false;
	if (old->type == SCHEMA_RECORD && !old->sorted) /* itself still being read */
		return false;
	for (size_t i = 0; i < old->n; i++) {
		if (old->type == SCHEMA_RECORD && !fields_alike(old, &old->field[i], &again->field[i]))
			return false;
		if (old->type == SCHEMA_ENUM && strcmp(old->symbol[i], again->symbol[i]) != 0)
			return false;
	}
	return schema_properties_same(old->properties, again->properties, own);
}
