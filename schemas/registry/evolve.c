/* May a schema follow those that its subject has? Confluent's isCompatibleWithPrevious(). */
#include "schemas/registry/registry.h"

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

/* Calls fn with each name of the property "confluent:reserved". */
static void each_reserved(const struct schema_metadata *m, void (*fn)(void *ctx, struct bus_str name),
			  void *ctx)
{
	const struct bus_str *list = schema_metadata_get(m, SCHEMA_META_RESERVED);
	const char *p = list ? list->p : NULL, *end = list ? p + list->n : NULL;

	while (p && p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p)), *stop = comma ? comma : end;
		const char *from = p, *to = stop;

		while (from < to && (unsigned char)*from <= ' ')
			from++;
		while (to > from && (unsigned char)to[-1] <= ' ')
			to--;
		if (to > from)
			fn(ctx, (struct bus_str){ from, (size_t)(to - from) });
		p = stop + 1;
	}
}

struct reserved {
	const struct schema_metadata *now;
	const struct schema *schema;
	struct bus_str name;
	bool there;
	struct schema_messages *why;
};

static void is_name(void *ctx, struct bus_str name)
{
	struct reserved *x = ctx;

	x->there = x->there || bus_str_eq(name, x->name);
}

static void must_stay(void *ctx, struct bus_str name)
{
	struct reserved *x = ctx;

	x->name = name;
	x->there = false;
	each_reserved(x->now, is_name, x);
	if (!x->there)
		schema_messages_add(
		    x->why, bus_xasprintf("The new schema has reserved field %.*s removed from its metadata "
					  "which is present in the old schema's metadata.",
					  (int)name.n, name.p));
}

static void must_be_free(void *ctx, struct bus_str name)
{
	struct reserved *x = ctx;
	const struct schema_node *root = x->schema ? schema_root(x->schema) : NULL;

	for (size_t i = 0; root && root->type == SCHEMA_RECORD && i < root->n; i++)
		if (bus_str_is(name, root->field[i].name))
			schema_messages_add(x->why,
					    bus_xasprintf("The new schema has field that conflicts with the "
							  "reserved field %.*s.",
							  (int)name.n, name.p));
}

static void check_reserved(const struct schema_request *q, const struct schema_metadata *before,
			   struct schema_messages *why)
{
	struct reserved x = { .now = q->metadata, .schema = q->v.schema, .why = why };

	each_reserved(before, must_stay, &x);
	each_reserved(q->metadata, must_be_free, &x);
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
	bool first = true, go_on = level != SCHEMA_COMPAT_NONE || fields;

	while (go_on && copy_below(r, q->v.subject, below, &old)) {
		const struct schema_metadata *m = metadata_of(&old, arena);

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
