#include "schemas/registry/registry.h"

#define OLD_SCHEMA_MAX 10240 /* UTF-16 units of the old schema's text that Confluent shows */

void schema_messages_release(struct schema_messages *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->item[i]);
	free(m->item);
	*m = (struct schema_messages){ 0 };
}

void schema_messages_add(struct schema_messages *m, char *text)
{
	if ((m->n & (m->n - 1)) == 0) /* full at 0, 1, 2, 4, 8 ... */
		m->item = bus_xrealloc(m->item, (m->n ? 2 * m->n : 1) * sizeof(*m->item));
	m->item[m->n++] = text;
}

/* Confluent's sentence for one of Avro Java's incompatibilities (its Difference.java). */
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

/* Judges one direction; its reasons go to out. */
static bool read_by(const struct schema *reader, const struct schema *writer, const char *reader_is,
		    const char *writer_is, struct schema_messages *out)
{
	struct schema_verdict verdict;
	bool ok = schema_can_read(reader, writer, &verdict);

	for (size_t i = 0; i < verdict.n_reasons; i++) {
		const struct schema_reason *r = &verdict.reason[i];
		char *text;

		if (strcmp(r->type, "EXCEPTION") == 0) {
			schema_messages_add(
			    out,
			    bus_xasprintf("Unexpected exception during compatibility check: %s", r->message));
			continue;
		}
		text = describe(r, reader_is, writer_is);
		schema_messages_add(out,
				    bus_xasprintf("{errorType:'%s', description:'%s', additionalInfo:'%s'}",
						  r->type, text, r->message));
		free(text);
	}
	schema_verdict_release(&verdict);
	return ok;
}

/* Bytes of the text's first `units` UTF-16 units; all of it if it has no more. */
static size_t utf16_prefix(const char *text, size_t units)
{
	size_t i = 0;

	while (text[i]) {
		unsigned char c = (unsigned char)text[i];
		size_t wide = c >= 0xf0 ? 2 : 1;

		if (units < wide)
			break;
		units -= wide;
		do
			i++;
		while (((unsigned char)text[i] & 0xc0) == 0x80);
	}
	return i;
}

static void add_old(const struct schema_version *old, struct schema_messages *out)
{
	size_t n = utf16_prefix(old->text, OLD_SCHEMA_MAX);

	schema_messages_add(out, bus_xasprintf("{oldSchemaVersion: %d}", old->version));
	if (old->text[n])
		schema_messages_add(out,
				    bus_xasprintf("{oldSchema: <truncated> '%.*s...'}", (int)n, old->text));
	else
		schema_messages_add(out, bus_xasprintf("{oldSchema: '%s'}", old->text));
}

/* Never half a check: what is not Avro may only stay as it is, but under NONE. */
static bool unchecked(const struct schema_version *candidate, const struct schema_version *old,
		      struct schema_messages *why)
{
	if (memcmp(candidate->guid, old->guid, SCHEMA_GUID_LEN) == 0)
		return true;
	if (strcmp(old->type, "AVRO") == 0)
		schema_messages_add(
		    why, bus_xasprintf("The old schema, version %d, cannot be read", old->version));
	else
		schema_messages_add(
		    why, bus_xasprintf("This bus checks the evolution of Avro schemas only; a %s schema that "
				       "differs from version %d is taken at level NONE",
				       old->type, old->version));
	add_old(old, why);
	return false;
}

/* One pair, in Confluent's order (its SchemaValidatorBuilder.java): at the FULL levels first whether the old
 * schema reads the new one's data, and the old schema is shown only if the other direction fails too. */
bool schema_registry_compatible(enum schema_level level, const struct schema_version *candidate,
				const struct schema_version *old, struct schema_messages *why)
{
	const bool full = level == SCHEMA_COMPAT_FULL || level == SCHEMA_COMPAT_FULL_TRANSITIVE;
	const bool forward = level == SCHEMA_COMPAT_FORWARD || level == SCHEMA_COMPAT_FORWARD_TRANSITIVE;
	bool old_reads = true;
	bool new_reads = true;

	if (strcmp(old->type, candidate->type) != 0) {
		schema_messages_add(why, bus_xstrdup("Incompatible because of different schema type"));
		return false;
	}
	if (!old->schema || !candidate->schema)
		return unchecked(candidate, old, why);
	if (full || forward)
		old_reads = read_by(old->schema, candidate->schema, "old", "new", why);
	if (!forward)
		new_reads = read_by(candidate->schema, old->schema, "new", "old", why);
	if (forward ? !old_reads : !new_reads)
		add_old(old, why);
	return old_reads && new_reads;
}
