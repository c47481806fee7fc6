/* Lists: of everything, of subjects, of versions, of contexts. */
#include "schemas/registry/registry.h"

#define ANSWER_MAX ((size_t)64 * 1024 * 1024)
#define SCHEMAS_MAX 1000 /* of one answer: Confluent's schema.search.max.limit */

void schema_read_root(void *ctx, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_buf_puts(&b, "{}");
	schema_reply(req, &b);
}

void schema_read_types(void *ctx, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_buf_puts(&b, "[\"JSON\",\"PROTOBUF\",\"AVRO\"]");
	schema_reply(req, &b);
}

void schema_read_contexts(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *prefix = bus_http_query(req, "contextPrefix");
	struct schema_window w = schema_body_window(req, INT32_MAX);
	struct schema_context *const *list;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	size_t n;

	bus_json_array(&j);
	n = schema_table_contexts(schema_store_read(r->store), &list);
	for (size_t i = 0; i < n; i++)
		if (list[i]->listed && schema_may_context(req, list[i]->name) &&
		    (!prefix || strncmp(list[i]->name, prefix, strlen(prefix)) == 0) &&
		    schema_window_takes(&w))
			bus_json_put_text(&j, list[i]->name);
	schema_store_done(r->store);
	bus_json_array_end(&j);
	schema_reply(req, &b);
}

static bool in_state(const struct schema_subject *s, enum schema_deleted which)
{
	bool live = schema_table_entry(s, 0) != NULL;

	return s->n_entries > 0 && (which == SCHEMA_WITH_DELETED || live == (which == SCHEMA_LIVE));
}

static bool wanted(const struct schema_entry *e, enum schema_deleted which)
{
	return which == SCHEMA_WITH_DELETED || e->deleted == (which == SCHEMA_ONLY_DELETED);
}

/* Where in the sorted list the subjects of the prefix are, among others. */
static void range(const struct schema_table *t, const char *prefix, size_t *from, size_t *to)
{
	schema_table_range(t, strncmp(prefix, ":*:", 3) == 0 ? "" : prefix, from, to);
}

void schema_read_subjects(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *prefix = schema_body_prefix(req, ":*:");
	enum schema_deleted which = schema_body_deleted(req);
	struct schema_window w = schema_body_window(req, INT32_MAX);
	const struct schema_table *t = schema_store_read(r->store);
	struct schema_subject *const *list;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	size_t from, to;

	(void)schema_table_subjects(t, &list);
	range(t, prefix, &from, &to);
	bus_json_array(&j);
	for (size_t i = from; i < to; i++)
		if (schema_prefix_matches(prefix, list[i]) && in_state(list[i], which) &&
		    schema_may(req, SCHEMA_RIGHT_READ, list[i]->name) && schema_window_takes(&w))
			bus_json_put_text(&j, list[i]->name);
	schema_store_done(r->store);
	bus_json_array_end(&j);
	schema_reply(req, &b);
}

/* --- GET /schemas --------------------------------------------------------------------------------------- */

struct alias { /* of a subject: another whose settings name it */
	char *target;
	const char *name;
};

struct listing {
	const struct bus_http_request *req;
	const char *prefix, *rule_type;
	enum schema_deleted which;
	bool latest;
	struct schema_window window;
	struct alias *alias;
	size_t n_aliases;
	const struct schema_subject **subject; /* to be shown */
	size_t n_subjects;
	struct bus_json_out j;
};

static void take_subject(struct listing *l, const struct schema_subject *s)
{
	if (!schema_may(l->req, SCHEMA_RIGHT_READ, s->name))
		return;
	if ((l->n_subjects & (l->n_subjects - 1)) == 0)
		l->subject = bus_xrealloc(l->subject, (l->n_subjects ? 2 * l->n_subjects : 1) *
							  sizeof(const struct schema_subject *));
	l->subject[l->n_subjects++] = s;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct schema_subject *const *)a)->name,
		      (*(const struct schema_subject *const *)b)->name);
}

static void take_alias(struct listing *l, const struct schema_subject *s)
{
	if (!s->config || !s->config->alias || !s->config->alias[0])
		return;
	l->alias = bus_xrealloc(l->alias, (l->n_aliases + 1) * sizeof(*l->alias));
	l->alias[l->n_aliases++] =
	    (struct alias){ schema_subject_seen_from(s->name, s->config->alias), s->name };
}

/* Subjects outside of the prefix that an alias inside of it means. */
static void take_targets(struct listing *l, const struct schema_table *t)
{
	size_t inside = l->n_subjects;

	for (size_t i = 0; i < l->n_aliases; i++) {
		const struct schema_subject *s = schema_table_subject(t, l->alias[i].target);
		bool known = !s || schema_prefix_matches(l->prefix, s);

		for (size_t k = inside; k < l->n_subjects && !known; k++)
			known = l->subject[k] == s;
		if (!known)
			take_subject(l, s);
	}
	if (l->n_subjects > inside)
		qsort(l->subject, l->n_subjects, sizeof(*l->subject), by_name);
}

static bool has_rule(const struct listing *l, const struct schema_entry *e)
{
	const struct schema_metadata *m;
	const struct schema_rule_set *rules;
	struct bus_arena *arena;
	bool has;

	if (!l->rule_type)
		return true;
	if (!e->content->extra)
		return false;
	arena = bus_arena_new(0);
	schema_meta_parse(e->content->extra, arena, &m, &rules);
	has = schema_rule_set_has_type(rules, l->rule_type);
	bus_arena_free(&arena);
	return has;
}

static void put_entry(struct listing *l, const struct schema_subject *s, const struct schema_entry *e)
{
	const struct schema_version v = schema_table_view(s, e);
	struct schema_show show = { .dated = true };
	const char **alias = NULL;

	if (!has_rule(l, e) || !schema_window_takes(&l->window))
		return;
	for (size_t i = 0; i < l->n_aliases; i++)
		if (strcmp(l->alias[i].target, s->name) == 0) {
			alias = bus_xrealloc(alias, (show.n_aliases + 1) * sizeof(*alias));
			alias[show.n_aliases++] = l->alias[i].name;
		}
	show.alias = alias;
	bus_json_object(&l->j);
	schema_put_version(&l->j, &v, &show);
	bus_json_object_end(&l->j);
	free(alias);
}

static void put_subject(struct listing *l, const struct schema_subject *s)
{
	const struct schema_entry *last = NULL;

	for (size_t i = 0; i < s->n_entries && l->window.left > 0 && l->j.buf->n <= ANSWER_MAX; i++) {
		const struct schema_entry *e = &s->entry[i];

		if (!wanted(e, l->which))
			continue;
		if (!l->latest)
			put_entry(l, s, e);
		last = e;
	}
	if (l->latest && last)
		put_entry(l, s, last);
}

/* Associations of topics are not kept here, so no schema has any: filters by them let through what asks for
 * NONE. */
static bool by_association(struct bus_http_request *req)
{
	const char *lifecycle = bus_http_query(req, "lifecycle");

	return (bus_http_query(req, "resourceType") || bus_http_query(req, "associationType") || lifecycle) &&
	       !(lifecycle && strcasecmp(lifecycle, "NONE") == 0);
}

void schema_read_schemas(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *rule_type = bus_http_query(req, "ruleType");
	const bool aliases = schema_body_true(req, "aliases");
	struct listing l = { .req = req,
			     .prefix = schema_body_prefix(req, ""),
			     .rule_type = rule_type && rule_type[0] ? rule_type : NULL,
			     .which = schema_body_true(req, "deleted") ? SCHEMA_WITH_DELETED : SCHEMA_LIVE,
			     .latest = schema_body_true(req, "latestOnly"),
			     .window = schema_body_window(req, SCHEMAS_MAX) };
	const struct schema_table *t;
	struct schema_subject *const *list;
	struct bus_buf b = { 0 };
	size_t from, to;

	l.j = (struct bus_json_out){ .buf = &b };
	bus_json_array(&l.j);
	t = schema_store_read(r->store);
	(void)schema_table_subjects(t, &list);
	range(t, l.prefix, &from, &to);
	for (size_t i = from; i < to && !by_association(req); i++) {
		if (!schema_prefix_matches(l.prefix, list[i]))
			continue;
		take_subject(&l, list[i]);
		if (aliases && schema_may(req, SCHEMA_RIGHT_READ, list[i]->name))
			take_alias(&l, list[i]);
	}
	take_targets(&l, t);
	for (size_t i = 0; i < l.n_subjects && l.window.left > 0 && b.n <= ANSWER_MAX; i++)
		put_subject(&l, l.subject[i]);
	schema_store_done(r->store);
	bus_json_array_end(&l.j);
	for (size_t i = 0; i < l.n_aliases; i++)
		free(l.alias[i].target);
	free(l.alias);
	free(l.subject);
	if (b.n > ANSWER_MAX) {
		bus_buf_release(&b);
		schema_reply_error(
		    req, 400,
		    "The answer would be larger than %d MiB; ask for fewer: limit, offset, subjectPrefix",
		    (int)(ANSWER_MAX / 1024 / 1024));
		return;
	}
	schema_reply(req, &b);
}

/* --- GET /subjects/{subject}/versions --------------------------------------------------------------------
 */

void schema_read_versions(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = schema_body_subject(r, req);
	const bool negative = schema_body_true(req, "deletedAsNegative");
	const bool deleted = schema_body_true(req, "deleted") || schema_body_true(req, "deletedOnly");
	enum schema_deleted which = negative ? SCHEMA_WITH_DELETED : schema_body_deleted(req);
	struct schema_window w = schema_body_window(req, INT32_MAX);
	const struct schema_table *t = schema_store_read(r->store);
	const struct schema_subject *s = schema_table_subject(t, subject);
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	bool some = schema_table_has(t, subject, deleted);

	bus_json_array(&j);
	for (size_t i = 0; s && i < s->n_entries; i++)
		if (wanted(&s->entry[i], which) && schema_window_takes(&w))
			bus_json_put_int(&j, negative && s->entry[i].deleted ? -s->entry[i].version
									     : s->entry[i].version);
	schema_store_done(r->store);
	bus_json_array_end(&j);
	if (some) {
		schema_reply(req, &b);
		return;
	}
	bus_buf_release(&b);
	schema_reply_subject_unknown(req, subject);
}
