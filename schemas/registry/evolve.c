/* May a schema follow those that its subject has? Confluent's isCompatibleWithPrevious(). */
#include <stdlib.h>

#include "bus/clock.h"
#include "schemas/registry/registry.h"

#define RESERVED_MAX 1000 /* names */

/* The newest live version below `below`; false: none is left. */
static bool copy_below(struct schema_registry *r, const char *subject, int below, struct schema_version *out)
{
	const struct schema_table *t = schema_store_read(r->store);
	const struct schema_subject *s = schema_table_subject(t, subject);
	bool found = false;

	for (size_t i = s ? s->n_entries : 0; i > 0 && !found; i--) {
		const struct schema_entry *e = &s->entry[i - 1];

		if (e->deleted || e->version >= below)
			continue;
		struct schema_version view = schema_table_view(s, e);

		schema_version_copy(&view, out);
		found = true;
	}
	schema_store_done(r->store);
	return found;
}

static const struct schema_metadata *metadata_of(const struct schema_version *v, struct bus_arena *arena)
{
	const struct schema_metadata *m;
	const struct schema_rule_set *rules;

	schema_meta_parse(v->extra, arena, &m, &rules);
	return m;
}

/* --- reserved fields (validateFields) ------------------------------------------------------------------ */

struct names {
	struct bus_str *item; /* sorted, each once; point into the metadata */
	size_t n;
};

static int by_bytes(const void *a, const void *b)
{
	const struct bus_str *x = a, *y = b;
	int o = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return o != 0 ? o : (x->n > y->n) - (x->n < y->n);
}

/* The names of the property "confluent:reserved"; the caller frees item. */
static struct names reserved_of(const struct schema_metadata *m)
{
	const struct bus_str *list = schema_metadata_get(m, SCHEMA_META_RESERVED);
	const char *p = list ? list->p : NULL, *end = list ? p + list->n : NULL;
	struct names l = { 0 };
	size_t cap = 0, kept = 0;

	while (p && p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p)), *stop = comma ? comma : end;
		const char *from = p, *to = stop;

		while (from < to && (unsigned char)*from <= ' ')
			from++;
		while (to > from && (unsigned char)to[-1] <= ' ')
			to--;
		if (to > from) {
			if (l.n == cap) {
				cap = cap ? 2 * cap : 16;
				l.item = bus_xrealloc(l.item, cap * sizeof(*l.item));
			}
			l.item[l.n++] = (struct bus_str){ from, (size_t)(to - from) };
		}
		p = stop + 1;
	}
	if (l.n > 0)
		qsort(l.item, l.n, sizeof(*l.item), by_bytes);
	for (size_t i = 0; i < l.n; i++)
		if (kept == 0 || !bus_str_eq(l.item[i], l.item[kept - 1]))
			l.item[kept++] = l.item[i];
	l.n = kept;
	return l;
}

static bool has_name(const struct names *l, struct bus_str name)
{
	return l->n > 0 && bsearch(&name, l->item, l->n, sizeof(*l->item), by_bytes) != NULL;
}

static void must_stay(const struct names *before, const struct names *now, struct schema_messages *why)
{
	for (size_t i = 0; i < before->n; i++)
		if (!has_name(now, before->item[i]))
			schema_messages_add(
			    why,
			    bus_xasprintf("The new schema has reserved field %.*s removed from its metadata "
					  "which is present in the old schema's metadata.",
					  (int)before->item[i].n, before->item[i].p));
}

static void must_be_free(const struct names *now, const struct schema *schema, struct schema_messages *why)
{
	const struct schema_node *root = schema ? schema_root(schema) : NULL;

	for (size_t i = 0; root && root->type == SCHEMA_RECORD && i < root->n; i++)
		if (has_name(now, bus_str(root->field[i].name)))
			schema_messages_add(why,
					    bus_xasprintf("The new schema has field that conflicts with the "
							  "reserved field %s.",
							  root->field[i].name));
}

/* The writer's thread does this: what is asked of it is bounded. */
static void check_reserved(const struct schema_request *q, const struct schema_metadata *old,
			   struct schema_messages *why)
{
	struct names now = reserved_of(q->metadata), before = reserved_of(old);

	if (now.n > RESERVED_MAX) {
		schema_messages_add(why,
				    bus_xasprintf("The new schema reserves %zu fields; at most %d can be.",
						  now.n, RESERVED_MAX));
	} else {
		must_stay(&before, &now, why);
		must_be_free(&now, q->v.schema, why);
	}
	free(now.item);
	free(before.item);
}

/* --- one after the other ------------------------------------------------------------------------------- */

static bool same_group(const struct schema_config *c, const struct schema_request *q,
		       const struct schema_metadata *other)
{
	const struct bus_str *a, *b;

	if (!c->group)
		return true;
	a = schema_metadata_get(q->metadata, c->group);
	b = schema_metadata_get(other, c->group);
	return a && b ? bus_str_eq(*a, *b) : !a && !b;
}

static bool transitive(enum schema_level level)
{
	return level == SCHEMA_COMPAT_BACKWARD_TRANSITIVE || level == SCHEMA_COMPAT_FORWARD_TRANSITIVE ||
	       level == SCHEMA_COMPAT_FULL_TRANSITIVE;
}

bool schema_registry_check(struct schema_registry *r, const struct schema_config *config,
			   const struct schema_request *q, int only, struct schema_messages *why)
{
	const enum schema_level level = (enum schema_level)config->level;
	const bool fields = config->validate_fields > 0;
	struct bus_arena *arena = bus_arena_new(0);
	struct schema_version old;
	int below = only > 0 ? only + 1 : INT32_MAX;
	const int64_t until_ms = bus_clock_mono_ms() + SCHEMA_CHECK_MS;
	bool first = true, go_on = level != SCHEMA_COMPAT_NONE || fields;
	size_t checked = 0;

	while (go_on && copy_below(r, q->v.subject, below, &old)) {
		const struct schema_metadata *m;

		if (checked++ > 0 && bus_clock_mono_ms() >= until_ms) {
			schema_messages_add(
			    why, bus_xasprintf("The check took longer than %d ms: %zu versions, down "
					       "to version %d, were compared and the others not.",
					       SCHEMA_CHECK_MS, checked - 1, below));
			schema_version_release(&old);
			break;
		}
		bus_arena_reset(arena);
		m = metadata_of(&old, arena);
		below = old.version;
		if (first && fields)
			check_reserved(q, m, why);
		first = false;
		if (level != SCHEMA_COMPAT_NONE && same_group(config, q, m)) {
			(void)!schema_store_parse(r->store, &old, NULL);
			go_on = schema_registry_compatible(level, &q->v, &old, why) && transitive(level);
		} else {
			go_on = level != SCHEMA_COMPAT_NONE;
		}
		go_on = go_on && only <= 0;
		schema_version_release(&old);
	}
	if (first && fields)
		check_reserved(q, NULL, why);
	if (why->n > 0)
		schema_messages_add(why, bus_xasprintf("{validateFields: '%s', compatibility: '%s'}",
						       fields ? "true" : "false", schema_level_name(level)));
	bus_arena_free(&arena);
	return why->n == 0;
}

/* --- POST /compatibility ---------------------------------------------------------------------------------
 */

static void reply_compatible(struct bus_http_request *req, bool ok, const struct schema_messages *why)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	bus_json_key(&j, "is_compatible");
	bus_json_put_bool(&j, ok);
	if (schema_body_true(req, "verbose")) {
		bus_json_key(&j, "messages");
		bus_json_array(&j);
		for (size_t i = 0; i < why->n; i++)
			bus_json_put_text(&j, why->item[i]);
		bus_json_array_end(&j);
	}
	bus_json_object_end(&j);
	schema_reply(req, &b);
}

/* The number of a live version that the path names; -1: none. */
static int live_version(struct schema_registry *r, const char *subject, int version)
{
	const struct schema_table *t = schema_store_read(r->store);
	const struct schema_subject *s = schema_table_subject(t, subject);
	const struct schema_entry *e = s ? schema_table_entry(s, version) : NULL;
	int found = e && !e->deleted ? e->version : -1;

	schema_store_done(r->store);
	return found;
}

/* .../versions/{version}: against that one; .../versions: against all that the level looks at. */
void schema_read_compatibility(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = schema_body_subject(r, req);
	struct schema_messages why = { 0 };
	const struct schema_table *t;
	struct schema_config config;
	struct schema_request q;
	struct bus_error err = { 0 };
	int version = SCHEMA_VERSION_LATEST, only = 0, mode;
	enum bus_err rc = BUS_OK;

	if (bus_http_part(req, "version")[0]) {
		if (!schema_body_version(req, &version))
			return;
		only = live_version(r, subject, version);
		if (only < 0 && version != SCHEMA_VERSION_LATEST) {
			schema_reply_version_unknown(req, version);
			return;
		}
	}
	if (!schema_request_read(req, subject, &q))
		return;
	t = schema_store_read(r->store);
	schema_table_config_for(t, subject, &config);
	mode = schema_table_mode_for(t, subject);
	schema_store_done(r->store);
	if (schema_request_empty(&q))
		rc = bus_fail(&err, BUS_ESCHEMA, "Empty schema");
	else
		rc = schema_request_parse(r, &q, config.validate_new_schemas != 0,
					  mode != SCHEMA_MODE_IMPORT && mode != SCHEMA_MODE_FORWARD &&
					      (schema_body_true(req, "normalize") || config.normalize > 0),
					  &err);
	if (rc == BUS_OK) {
		bool ok = only < 0 || schema_registry_check(r, &config, &q, only, &why);

		reply_compatible(req, ok, &why);
	} else if (schema_body_true(req, "verbose") && err.code != BUS_ETOOBIG) {
		schema_messages_add(&why, bus_xstrdup(err.text));
		reply_compatible(req, false, &why);
	} else {
		schema_request_refuse(req, &err);
	}
	schema_messages_release(&why);
	schema_config_release(&config);
	schema_request_release(&q);
}
