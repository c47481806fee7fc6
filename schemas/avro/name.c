/* Names and the names of types (Avro specification, "Names"). */
#include "schemas/avro/schema_impl.h"

static const char *const type_name[] = {
	[SCHEMA_NULL] = "null",	  [SCHEMA_BOOLEAN] = "boolean", [SCHEMA_INT] = "int",
	[SCHEMA_LONG] = "long",	  [SCHEMA_FLOAT] = "float",	[SCHEMA_DOUBLE] = "double",
	[SCHEMA_BYTES] = "bytes", [SCHEMA_STRING] = "string",	[SCHEMA_RECORD] = "record",
	[SCHEMA_ENUM] = "enum",	  [SCHEMA_ARRAY] = "array",	[SCHEMA_MAP] = "map",
	[SCHEMA_UNION] = "union", [SCHEMA_FIXED] = "fixed",
};

const char *schema_type_name(enum schema_type type)
{
	return type_name[type];
}

bool schema_type_parse(struct bus_str name, enum schema_type *out)
{
	for (size_t i = 0; i < BUS_LEN(type_name); i++)
		if (bus_str_is(name, type_name[i])) {
			*out = (enum schema_type)i;
			return true;
		}
	return false;
}

bool schema_is_named(enum schema_type type)
{
	return type == SCHEMA_RECORD || type == SCHEMA_ENUM || type == SCHEMA_FIXED;
}

const char *schema_label(const struct schema_node *node)
{
	return node->name ? node->name : type_name[node->type];
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool schema_name_valid(struct bus_str name)
{
	if (name.n == 0 || !is_letter(name.p[0]))
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (!is_letter(name.p[i]) && !(name.p[i] >= '0' && name.p[i] <= '9'))
			return false;
	return true;
}

bool schema_namespace_valid(struct bus_str space)
{
	size_t from = 0;

	for (size_t i = 0; space.n > 0 && i <= space.n; i++) {
		if (i < space.n && space.p[i] != '.')
			continue;
		if (!schema_name_valid((struct bus_str){ space.p + from, i - from }))
			return false;
		from = i + 1;
	}
	return true;
}

const char *schema_short_name(const char *full)
{
	const char *dot = strrchr(full, '.');

	return dot ? dot + 1 : full;
}

size_t schema_space_len(const char *full)
{
	const char *dot = strrchr(full, '.');

	return dot ? (size_t)(dot - full) : 0;
}
