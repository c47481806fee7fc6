/* Looking up: is this schema registered here, and which version has this metadata? */
#include "schemas/registry/registry.h"
#include "schemas/registry/side.h"

struct contexts { /* the names under which an unqualified subject may be found */
	const struct bus_http_request *req;
	char **item;
	size_t n;
};

static bool take_name(void *ctx, const struct schema_table *t, const char *subject)
{
	struct contexts *l = ctx;
	const struct schema_subject *s = schema_table_subject(t, subject);

	if (l->n > 0 && (!s || s->n_entries == 0 || !schema_may(l->req, SCHEMA_RIGHT_READ, subject)))
		return false;
	l->item = bus_xrealloc(l->item, (l->n + 1) * sizeof(*l->item));
	l->item[l->n++] = bus_xstrdup(subject);
	return false;
}

/* With the metadata and rules that registering would have given it: those of the latest version, defaults. */
static void populate(struct schema_registry *r, struct bus_http_request *req,
		     const struct schema_config *config, struct schema_request *q)
{
	struct schema_version latest;

	if (schema_store_version(r->store, q->v.subject, SCHEMA_VERSION_LATEST, &latest, NULL) != BUS_OK)
		return;
	schema_request_populate(req, config, q, &latest, 0);
	schema_version_release(&latest);
}

/* Under one name. A schema that cannot be parsed: BUS_ESCHEMA. */
static enum bus_err find(struct schema_registry *r, struct bus_http_request *req,
			 const struct schema_request *asked, const char *subject, struct schema_version *out,
			 bool *exact, struct bus_error *err)
{
	enum schema_deleted which = schema_body_true(req, "deleted") ? SCHEMA_WITH_DELETED : SCHEMA_LIVE;
	const struct schema_table *t;
	struct schema_config config;
	struct schema_request q;
	uint8_t before[SCHEMA_GUID_LEN];
	enum bus_err rc;
	bool normalize;
	int mode;

	schema_request_copy(asked, &q);
	free(q.v.subject);
	q.v.subject = bus_xstrdup(subject);
	t = schema_store_read(r->store);
	schema_table_config_for(t, subject, &config);
	mode = schema_table_mode_for(t, subject);
	schema_store_done(r->store);
	normalize = mode != SCHEMA_MODE_IMPORT && mode != SCHEMA_MODE_FORWARD &&
		    (schema_body_true(req, "normalize") || config.normalize > 0);
	if (schema_request_empty(&q))
		rc = bus_fail(err, BUS_ENOENT, "no schema");
	else
		rc = schema_request_parse(r, &q, false, normalize, err);
	if (rc == BUS_OK) {
		rc = schema_store_find(r->store, &q.v, which, false, out, exact, NULL);
		memcpy(before, q.v.guid, sizeof(before));
		if (rc == BUS_ENOENT)
			populate(r, req, &config, &q);
		if (rc == BUS_ENOENT && memcmp(before, q.v.guid, sizeof(before)) != 0)
			rc = schema_store_find(r->store, &q.v, which, false, out, exact, NULL);
	}
	schema_config_release(&config);
	schema_request_release(&q);
	return rc;
}

static void reply_found(struct schema_registry *r, struct bus_http_request *req, struct schema_version *v,
			bool dated)
{
	struct bus_buf b;
	char *text = NULL;

	if (schema_formatted(r, req, v, &text)) {
		b = schema_version_json(v, &(struct schema_show){ .dated = dated, .text = text });
		schema_side_headers(r, req, v);
		schema_reply(req, &b);
	}
	free(text);
	schema_version_release(v);
}

static void reply_none(struct schema_registry *r, struct bus_http_request *req, const char *subject)
{
	if (schema_store_has(r->store, subject, schema_body_true(req, "deleted")))
		schema_reply_error(req, 40403, "Schema not found");
	else
		schema_reply_subject_unknown(req, subject);
}

void schema_read_lookup(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = schema_body_subject(r, req);
	struct contexts names = { .req = req };
	struct schema_request asked;
	struct schema_version found;
	struct bus_error err;
	enum bus_err rc = BUS_ENOENT;
	bool exact = false;

	if (!schema_request_read(req, subject, &asked))
		return;
	(void)schema_in_contexts(schema_store_read(r->store), subject, take_name, &names);
	schema_store_done(r->store);
	for (size_t i = 0; i < names.n && rc == BUS_ENOENT; i++) {
		rc = find(r, req, &asked, names.item[i], &found, &exact, &err);
		if (rc != BUS_OK && i > 0)
			rc = BUS_ENOENT; /* as it is seen from there, it is none */
	}
	if (rc == BUS_OK)
		reply_found(r, req, &found, !exact);
	else if (rc == BUS_ENOENT)
		reply_none(r, req, subject);
	else
		schema_request_refuse(req, &err);
	for (size_t i = 0; i < names.n; i++)
		free(names.item[i]);
	free(names.item);
	schema_request_release(&asked);
}

/* --- GET /subjects/{subject}/metadata ---------------------------------------------------------------------
 */

struct wanted { /* pairs of `key` and `value`, in their order */
	const char *key[32], *value[32];
	size_t n_keys, n_values;
};

static bool take_pair(void *ctx, const char *name, const char *value)
{
	struct wanted *w = ctx;

	if (strcmp(name, "key") == 0 && w->n_keys < BUS_LEN(w->key))
		w->key[w->n_keys++] = value;
	else if (strcmp(name, "value") == 0 && w->n_values < BUS_LEN(w->value))
		w->value[w->n_values++] = value;
	return true;
}

static bool has_all(const struct wanted *w, const struct schema_entry *e)
{
	const struct schema_metadata *m = NULL;
	const struct schema_rule_set *rules;
	struct bus_arena *arena = bus_arena_new(0);
	bool has;

	if (e->content->extra)
		schema_meta_parse(e->content->extra, arena, &m, &rules);
	has = m != NULL;
	for (size_t i = 0; has && i < w->n_keys && i < w->n_values; i++) {
		const struct bus_str *value = schema_metadata_get(m, w->key[i]);

		has = value && bus_str_is(*value, w->value[i]);
	}
	bus_arena_free(&arena);
	return has;
}

void schema_read_latest_with(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = schema_body_subject(r, req);
	const bool deleted = schema_body_true(req, "deleted");
	struct wanted w = { .n_keys = 0 };
	const struct schema_table *t;
	const struct schema_subject *s;
	struct schema_version found = { 0 };

	bus_http_each_query(req, take_pair, &w);
	t = schema_store_read(r->store);
	s = schema_table_subject(t, subject);
	for (size_t i = s ? s->n_entries : 0; i > 0 && !found.subject; i--) {
		const struct schema_entry *e = &s->entry[i - 1];

		if ((!e->deleted || deleted) && has_all(&w, e)) {
			const struct schema_version view = schema_table_view(s, e);

			schema_version_copy(&view, &found);
		}
	}
	schema_store_done(r->store);
	if (found.subject)
		reply_found(r, req, &found, true);
	else
		reply_none(r, req, subject);
}
