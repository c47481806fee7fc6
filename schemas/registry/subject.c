/* Which subject a request means: Confluent's ContextFilter (a context in the URL) and AliasFilter. */
#include "schemas/registry/registry.h"

static char *in_arena(struct bus_http_request *req, struct bus_buf *b)
{
	char *s = bus_arena_dup(bus_http_arena(req), b->p, b->n);

	bus_buf_release(b);
	return s ? s : (char *)(uintptr_t) "";
}

static bool says_context(const char *subject)
{
	return strncmp(subject, ":.", 2) == 0 || strncmp(subject, ":*:", 3) == 0;
}

/* The subject as it stands in the request, put into {context} if the URL has one; in normal form. */
static char *qualified(struct bus_http_request *req, const char *subject)
{
	const char *context = bus_http_part(req, "context");
	struct schema_qualified q = schema_subject_split(subject);
	struct bus_buf normal = { 0 }, b = { 0 };

	if (context[0] && !says_context(subject) && schema_context_normal(context, &normal))
		q.context = bus_buf_str(&normal);
	schema_subject_join(q.context, q.name, &b);
	bus_buf_release(&normal);
	return in_arena(req, &b);
}

/* Where an alias leads: of keys for encryption, one of their own comes first. */
static const char *alias_of(const struct bus_http_request *req, const struct schema_config *c)
{
	const char *alias = c ? c->alias : NULL;

	if (c && c->alias_for_deks && c->alias_for_deks[0] && strstr(bus_http_pattern(req), "/dek-registry/"))
		alias = c->alias_for_deks;
	return alias && alias[0] ? alias : NULL;
}

/* any: whether or not they may go where it leads; else an alias that leads elsewhere is none. */
static const char *follow_alias(struct schema_registry *r, struct bus_http_request *req, const char *subject,
				bool any)
{
	const struct schema_table *t = schema_store_read(r->store);
	const char *alias = alias_of(req, schema_table_config_set(t, subject));
	char *target = alias ? schema_subject_seen_from(subject, alias) : NULL;

	schema_store_done(r->store);
	if (target && (any || schema_may_follow(req, target)))
		subject = bus_arena_dup(bus_http_arena(req), target, strlen(target));
	free(target);
	return subject ? subject : "";
}

const char *schema_body_subject(struct schema_registry *r, struct bus_http_request *req)
{
	return follow_alias(r, req, qualified(req, bus_http_part(req, "subject")), false);
}

const char *schema_body_meant(struct schema_registry *r, struct bus_http_request *req)
{
	return follow_alias(r, req, qualified(req, bus_http_part(req, "subject")), true);
}

const char *schema_body_scope(struct bus_http_request *req)
{
	const char *scope = qualified(req, bus_http_part(req, "subject"));

	return scope[0] ? scope : NULL;
}

const char *schema_body_query_subject(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = bus_http_query(req, "subject");

	if (!subject && !bus_http_part(req, "context")[0])
		return NULL;
	subject = qualified(req, subject ? subject : "");
	return subject[0] ? follow_alias(r, req, subject, false) : subject;
}

const char *schema_body_prefix(struct bus_http_request *req, const char *fallback)
{
	const char *prefix = bus_http_query(req, "subjectPrefix");

	if (bus_http_part(req, "context")[0])
		return qualified(req, prefix ? prefix : "");
	return prefix ? prefix : fallback;
}

bool schema_prefix_matches(const char *prefix, const struct schema_subject *s)
{
	struct schema_qualified want = schema_subject_split(prefix), is = schema_subject_split(s->name);
	bool half =
	    strncmp(prefix, ":.", 2) == 0 && !strchr(prefix + 2, ':'); /* the beginning of a context */

	if (half)
		return is.context.n >= want.context.n &&
		       memcmp(is.context.p, want.context.p, want.context.n) == 0;
	return (bus_str_is(want.context, "*") || bus_str_eq(want.context, is.context)) &&
	       is.name.n >= want.name.n && memcmp(is.name.p, want.name.p, want.name.n) == 0;
}

bool schema_in_contexts(const struct schema_table *t, const char *subject, schema_place_fn fn, void *ctx)
{
	struct schema_qualified q = schema_subject_split(subject);
	struct schema_context *const *list;
	struct bus_buf b = { 0 };
	bool found = fn(ctx, t, subject);
	size_t n = schema_table_contexts(t, &list);

	for (size_t i = 0; !found && schema_subject_is_default(q) && i < n; i++) {
		if (!list[i]->listed || strcmp(list[i]->name, SCHEMA_CONTEXT_DEFAULT) == 0)
			continue;
		bus_buf_reset(&b);
		schema_subject_join(bus_str(list[i]->name), q.name, &b);
		found = fn(ctx, t, bus_buf_cstr(&b));
	}
	bus_buf_release(&b);
	return found;
}
