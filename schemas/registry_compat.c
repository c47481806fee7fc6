#include "schemas/registry.h"

#define MESSAGES_MAX (SCHEMA_REASONS_MAX + 3)

void schema_messages_release(struct schema_messages *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->item[i]);
	free(m->item);
	*m = (struct schema_messages){ 0 };
}

static void add(struct schema_messages *m, char *text)
{
	if (!m->item)
		m->item = bus_xcalloc(MESSAGES_MAX, sizeof(*m->item));
	m->item[m->n++] = text;
}

/* Confluent's sentence for one of Avro Java's incompatibilities. */
static char *describe(const struct schema_reason *r, const char *reader, const char *writer)
{
	if (strcmp(r->type, "NAME_MISMATCH") == 0)
		return bus_xasprintf("The name of the schema has changed (path '%s')", r->location);
	if (strcmp(r->type, "TYPE_MISMATCH") == 0)
		return bus_xasprintf(
		    "The type (path '%s') of a field in the %s schema does not match with the "
		    "%s schema",
		    r->location, reader, writer);
	if (strcmp(r->type, "FIXED_SIZE_MISMATCH") == 0)
		return bus_xasprintf(
		    "The size of FIXED type field at path '%s' in the %s schema does not match "
		    "with the %s schema",
		    r->location, reader, writer);
	if (strcmp(r->type, "MISSING_ENUM_SYMBOLS") == 0)
		return bus_xasprintf(
		    "The %s schema is missing enum symbols '%s' at path '%s' in the %s schema", reader,
		    r->message, r->location, writer);
	if (strcmp(r->type, "MISSING_UNION_BRANCH") == 0)
		return bus_xasprintf(
		    "The %s schema is missing a type inside a union field at path '%s' in the %s "
		    "schema",
		    reader, r->location, writer);
	return bus_xasprintf(
	    "The field '%s' at path '%s' in the %s schema has no default value and is missing in "
	    "the %s schema",
	    r->message, r->location, reader, writer);
}

static void explain(const struct schema_verdict *verdict, bool candidate_reads, struct schema_messages *out)
{
	const char *reader = candidate_reads ? "new" : "old";
	const char *writer = candidate_reads ? "old" : "new";

	for (size_t i = 0; i < verdict->n_reasons; i++) {
		const struct schema_reason *r = &verdict->reason[i];
		char *text = describe(r, reader, writer);

		add(out, bus_xasprintf("{errorType:'%s', description:'%s', additionalInfo:'%s'}", r->type,
				       text, r->message));
		free(text);
	}
}

static void against(const struct schema_version *old, enum schema_level level, struct schema_messages *out)
{
	add(out, bus_xasprintf("{oldSchemaVersion: %d}", old->version));
	add(out, bus_xasprintf("{oldSchema: '%s'}", old->text));
	add(out, bus_xasprintf("{validateFields: 'false', compatibility: '%s'}", schema_level_name(level)));
}

/* One pair; which of the two directions fails decides on the words. */
static bool check(enum schema_level level, const struct schema_version *candidate,
		  const struct schema_version *old, struct schema_messages *why)
{
	const struct schema *const one[] = { old->schema };
	struct schema_verdict verdict = { 0 };
	bool forward = level == SCHEMA_COMPAT_FORWARD || level == SCHEMA_COMPAT_FORWARD_TRANSITIVE;
	bool candidate_reads;
	size_t failed;

	if (!old->schema || strcmp(old->type, candidate->type) != 0) {
		if (why) {
			add(why, bus_xasprintf("Incompatible because of different schema type"));
			against(old, level, why);
		}
		return false;
	}
	if (schema_compatible(level, candidate->schema, one, 1, &verdict, &failed))
		return true;
	if (!why)
		return false;
	candidate_reads = !forward && !schema_can_read(candidate->schema, old->schema, &verdict);
	if (!candidate_reads)
		(void)schema_can_read(old->schema, candidate->schema, &verdict);
	explain(&verdict, candidate_reads, why);
	against(old, level, why);
	return false;
}

bool schema_registry_compatible(enum schema_level level, const struct schema_version *candidate,
				const struct schema_version_list *versions, struct schema_messages *why)
{
	bool transitive = level == SCHEMA_COMPAT_BACKWARD_TRANSITIVE ||
			  level == SCHEMA_COMPAT_FORWARD_TRANSITIVE || level == SCHEMA_COMPAT_FULL_TRANSITIVE;

	if (level == SCHEMA_COMPAT_NONE)
		return true;
	/* newest first, as Confluent looks at them */
	for (size_t i = versions->n; i > 0; i--) {
		if (!check(level, candidate, &versions->item[i - 1], why))
			return false;
		if (!transitive)
			return true;
	}
	return true;
}
