/* Which settings hold for a subject: as Confluent's InMemoryCache.config() and mode() look them up. The
 * default context's are those of the top level (subject null). */
#include "schemas/store/table_impl.h"

#define GLOBAL ":" SCHEMA_CONTEXT_GLOBAL ":"

static const struct schema_subject *find(const struct schema_table *t, const char *subject)
{
	return schema_table_subject(t, subject);
}

/* `:.ctx:` of a subject in a context of its own; NULL: it is in the default one. The caller frees it. */
static char *own_context(const char *subject)
{
	struct schema_qualified q = schema_subject_split(subject);
	struct bus_buf b = { 0 };

	if (schema_subject_is_default(q))
		return NULL;
	schema_subject_join(q.context, (struct bus_str){ "", 0 }, &b);
	return bus_buf_take(&b, NULL);
}

const struct schema_config *schema_table_config_set(const struct schema_table *t, const char *subject)
{
	const struct schema_subject *s = subject ? find(t, subject) : NULL;

	return subject ? (s ? s->config : NULL) : t->config;
}

int schema_table_mode_set(const struct schema_table *t, const char *subject)
{
	const struct schema_subject *s = subject ? find(t, subject) : NULL;

	return subject ? (s ? s->mode : SCHEMA_MODE_UNSET) : t->mode;
}

static bool top(const char *subject)
{
	return !subject || bus_str_is(schema_subject_split(subject).context, SCHEMA_CONTEXT_GLOBAL);
}

static void fill(const struct schema_config *set, struct schema_config *out)
{
	if (set)
		schema_config_copy(set, out);
	else
		schema_config_init(out);
	if (out->level < 0)
		out->level = SCHEMA_COMPAT_BACKWARD;
}

bool schema_table_config(const struct schema_table *t, const char *subject, struct schema_config *out)
{
	const struct schema_config *set = schema_table_config_set(t, subject);

	fill(set, out);
	return set || top(subject);
}

void schema_table_config_for(const struct schema_table *t, const char *subject, struct schema_config *out)
{
	const struct schema_config *set = schema_table_config_set(t, subject);
	char *context;

	if (set) {
		fill(set, out);
		if (subject && t->config)
			schema_config_inherit(out, t->config);
		return;
	}
	context = subject ? own_context(subject) : NULL;
	set = schema_table_config_set(t, context);
	free(context);
	fill(set ? set : schema_table_config_set(t, GLOBAL), out);
}

int schema_table_mode(const struct schema_table *t, const char *subject)
{
	int mode = schema_table_mode_set(t, subject);

	return mode == SCHEMA_MODE_UNSET && top(subject) ? SCHEMA_MODE_READWRITE : mode;
}

int schema_table_mode_for(const struct schema_table *t, const char *subject)
{
	int mode = schema_table_mode_set(t, subject);
	char *context;

	if (mode != SCHEMA_MODE_UNSET)
		return mode;
	context = subject ? own_context(subject) : NULL;
	mode = schema_table_mode_set(t, context);
	free(context);
	if (mode == SCHEMA_MODE_UNSET)
		mode = schema_table_mode_set(t, GLOBAL);
	return mode == SCHEMA_MODE_UNSET ? SCHEMA_MODE_READWRITE : mode;
}
