/* What a schema would change and whom it would break, before it is registered; and what changed between
 * versions. */
#include <stdio.h>

#include "bus/clock.h"
#include "schemas/avro/diff.h"
#include "schemas/registry/side.h"

enum { PREVIOUS = -1, NONE = -2 }; /* in the place of a version */

#define DIFFS_MAX 20 /* versions that do not fit are explained up to so many */

static bool no_avro(struct bus_http_request *req, const struct schema_version *v)
{
	if (v->schema)
		return false;
	schema_reply_error(req, 422, "This schema is of type %s; what changes is told for AVRO", v->type);
	return true;
}

/* --- between versions ------------------------------------------------------------------------------- */

/* "3", "latest"; without one: fallback. */
static bool version_of(struct bus_http_request *req, const char *name, int fallback, int *out)
{
	const char *text = bus_http_query(req, name);
	char *end;
	long v;

	*out = text ? SCHEMA_VERSION_LATEST : fallback;
	if (!text || strcmp(text, "latest") == 0)
		return true;
	v = strtol(text, &end, 10);
	*out = (int)v;
	if (*text != '\0' && *end == '\0' && v >= 1 && v < INT32_MAX)
		return true;
	schema_reply_error(req, 42202, "'%s' is a version such as 3, or latest", name);
	return false;
}

static bool fetch(struct schema_registry *r, struct bus_http_request *req, const char *subject, int version,
		  struct schema_version *out)
{
	if (schema_store_version(r->store, subject, version, out, NULL) == BUS_OK)
		return true;
	schema_reply_version_unknown(req, version);
	return false;
}

/* The newest version below that one, or NONE. */
static int version_before(struct schema_registry *r, const char *subject, int version)
{
	struct schema_version_list l = { 0 };
	int before = NONE;

	schema_store_versions(r->store, subject, SCHEMA_LIVE, &l);
	for (size_t i = 0; i < l.n && l.item[i].version < version; i++)
		before = l.item[i].version;
	schema_version_list_release(&l);
	return before;
}

static void reply_diff(struct bus_http_request *req, const struct schema_version *old,
		       const struct schema_version *new)
{
	const char *accept = bus_http_header(req, "Accept"),
		   *language = bus_http_header(req, "Accept-Language");
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	struct schema_diff diff;

	schema_diff(old->schema, new->schema, &diff);
	if (accept && strncmp(accept, "text/plain", 10) == 0) {
		schema_diff_say(&diff, language && strncasecmp(language, "id", 2) == 0, &b);
		bus_http_reply(req, 200, "text/plain; charset=utf-8", &b);
	} else {
		bus_json_object(&j);
		bus_json_text_member(&j, "subject", new->subject);
		bus_json_key(&j, "from");
		bus_json_put_int(&j, old->version);
		bus_json_key(&j, "to");
		bus_json_put_int(&j, new->version);
		bus_json_key(&j, "diff");
		schema_diff_put(&j, &diff);
		bus_json_object_end(&j);
		schema_reply(req, &b);
	}
	schema_diff_release(&diff);
}

void schema_check_diff(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = schema_body_subject(r, req);
	struct schema_version old, new;
	int from, to;

	if (!version_of(req, "to", SCHEMA_VERSION_LATEST, &to) || !version_of(req, "from", PREVIOUS, &from))
		return;
	if (schema_store_version(r->store, subject, SCHEMA_VERSION_LATEST, &new, NULL) != BUS_OK) {
		schema_reply_subject_unknown(req, subject);
		return;
	}
	if (to != SCHEMA_VERSION_LATEST) {
		schema_version_release(&new);
		if (!fetch(r, req, subject, to, &new))
			return;
	}
	if (from == PREVIOUS)
		from = version_before(r, subject, new.version);
	if (from == NONE)
		schema_reply_error(req, 40402, "Version %d is the first; say which other one with 'from'",
				   new.version);
	else if (fetch(r, req, subject, from, &old)) {
		if (!no_avro(req, &old) && !no_avro(req, &new))
			reply_diff(req, &old, &new);
		schema_version_release(&old);
	}
	schema_version_release(&new);
}

/* --- before registering ----------------------------------------------------------------------------- */

/* A change that a program which knows the field by its name and type cannot live with. */
static bool breaks(const struct schema_change *c)
{
	static const char *const codes[] = { "field_removed", "field_renamed", "type_changed", "name_changed",
					     "size_changed",  "key_changed",   "topic_changed" };

	for (size_t i = 0; i < BUS_LEN(codes); i++)
		if (strcmp(c->code, codes[i]) == 0)
			return true;
	return false;
}

/* Whether the change lies in a field that the use names ("alamat" of "alamat.rt", or the whole record). */
static bool touches(const struct schema_change *c, const struct schema_use *u)
{
	size_t top = strcspn(c->path, ".[{");

	if (u->n_fields == 0 || c->path[0] == '\0')
		return true;
	for (size_t i = 0; i < u->n_fields; i++)
		if (strlen(u->field[i]) == top && strncmp(u->field[i], c->path, top) == 0)
			return true;
	return false;
}

/* Which of the user's own columns the changed field is in, where it has said so; none: it decides which rows there
 * are. */
static void put_columns(struct bus_json_out *j, const struct schema_change *c, const struct schema_use *u)
{
	size_t top = strcspn(c->path, ".[{");

	for (size_t i = 0; i < u->n_fields && u->columns; i++)
		if (strlen(u->field[i]) == top && strncmp(u->field[i], c->path, top) == 0) {
			bus_json_key(j, "columns");
			schema_names_put(j, u->columns[i]);
		}
}

struct affected {
	struct bus_json_out *j;
	const struct schema_diff *diff;
};

static void put_affected(void *ctx, const struct schema_use *u)
{
	const struct affected *a = ctx;
	bool any = false, broken = false;

	for (size_t i = 0; i < a->diff->n; i++) {
		const struct schema_change *c = &a->diff->change[i];

		/* What is added or explained concerns nobody who does not look for it. */
		if (!touches(c, u) || !(breaks(c) || c->warning))
			continue;
		if (!any) {
			bus_json_object(a->j);
			bus_json_text_member(a->j, "program", u->program);
			bus_json_text_member(a->j, "owner", u->owner);
			bus_json_text_member(a->j, "kind", u->kind);
			bus_json_text_member(a->j, "name", u->name);
			bus_json_key(a->j, "because");
			bus_json_array(a->j);
		}
		any = true;
		broken = broken || breaks(c);
		bus_json_object(a->j);
		bus_json_text_member(a->j, "code", c->code);
		bus_json_text_member(a->j, "path", c->path);
		put_columns(a->j, c, u);
		bus_json_text_member(a->j, "en", c->sentence.en);
		bus_json_text_member(a->j, "id", c->sentence.id);
		bus_json_object_end(a->j);
	}
	if (!any)
		return;
	bus_json_array_end(a->j);
	bus_json_key(a->j, "breaks");
	bus_json_put_bool(a->j, broken);
	bus_json_object_end(a->j);
}

/* Each version that the level looks at and the candidate does not fit: its number and the difference; and,
 * when time was up, how many were not looked at. */
static void put_conflicts(struct bus_json_out *j, struct schema_registry *r, enum schema_level level,
			  const struct schema_version *candidate, struct schema_version_list *versions)
{
	const int64_t until_ms = bus_clock_mono_ms() + SCHEMA_CHECK_MS;
	size_t unchecked = 0;
	int told = 0;

	bus_json_key(j, "conflicts");
	bus_json_array(j);
	for (size_t i = level == SCHEMA_COMPAT_NONE ? 0 : versions->n; i-- > 0 && told < DIFFS_MAX;) {
		struct schema_version *old = &versions->item[i];
		struct schema_messages why = { 0 };
		struct schema_diff diff;
		bool fits;

		if (i + 1 < versions->n && !schema_level_transitive(level))
			break;
		if (bus_clock_mono_ms() >= until_ms) {
			unchecked = i + 1;
			break;
		}
		(void)!schema_store_parse(r->store, old, NULL);
		fits = schema_registry_compatible(level, candidate, old, &why);
		schema_messages_release(&why);
		if (fits)
			continue;
		told++;
		bus_json_object(j);
		bus_json_key(j, "version");
		bus_json_put_int(j, old->version);
		if (old->schema) {
			schema_diff(old->schema, candidate->schema, &diff);
			bus_json_key(j, "diff");
			schema_diff_put(j, &diff);
			schema_diff_release(&diff);
		}
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
	if (unchecked > 0) {
		bus_json_key(j, "unchecked");
		bus_json_put_int(j, (int64_t)unchecked);
	}
}

static void put_impact(struct bus_json_out *j, struct schema_registry *r, const struct schema_version *old,
		       const struct schema_version *candidate)
{
	struct schema_diff diff;
	struct affected a = { .j = j, .diff = &diff };

	schema_diff(old->schema, candidate->schema, &diff);
	bus_json_key(j, "diff");
	schema_diff_put(j, &diff);
	bus_json_key(j, "affected");
	bus_json_array(j);
	schema_side_uses(r->side, candidate->subject, put_affected, &a);
	bus_json_array_end(j);
	schema_diff_release(&diff);
}

void schema_check_candidate(void *ctx, struct bus_http_request *req)
{
	struct schema_version same;
	struct schema_version_list versions = { 0 };
	struct schema_registry *r = ctx;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	struct schema_messages why = { 0 };
	struct schema_config config;
	struct schema_request q;
	struct bus_error err;
	bool known, exact;

	if (!schema_request_read(req, schema_body_subject(r, req), &q))
		return;
	if (schema_request_empty(&q))
		(void)bus_fail(&err, BUS_ESCHEMA, "Empty schema");
	if (schema_request_empty(&q) || schema_request_parse(r, &q, true, false, &err) != BUS_OK) {
		schema_request_refuse(req, &err);
		schema_request_release(&q);
		return;
	}
	if (no_avro(req, &q.v)) {
		schema_request_release(&q);
		return;
	}
	schema_table_config_for(schema_store_read(r->store), q.v.subject, &config);
	schema_store_done(r->store);
	known = schema_store_find(r->store, &q.v, SCHEMA_LIVE, false, &same, &exact, NULL) == BUS_OK;
	schema_store_versions(r->store, q.v.subject, SCHEMA_LIVE, &versions);
	bus_json_object(&j);
	bus_json_text_member(&j, "subject", q.v.subject);
	bus_json_text_member(&j, "compatibility", schema_level_name((enum schema_level)config.level));
	bus_json_key(&j, "known");
	bus_json_put_bool(&j, known);
	if (known) {
		bus_json_key(&j, "version");
		bus_json_put_int(&j, same.version);
		schema_version_release(&same);
	}
	bus_json_key(&j, "compatible");
	bus_json_put_bool(&j, known || schema_registry_check(r, &config, &q, 0, &why));
	if (!known) {
		struct schema_version *last = versions.n > 0 ? &versions.item[versions.n - 1] : NULL;

		put_conflicts(&j, r, (enum schema_level)config.level, &q.v, &versions);
		if (last && schema_store_parse(r->store, last, NULL) == BUS_OK)
			put_impact(&j, r, last, &q.v);
	}
	bus_json_object_end(&j);
	schema_messages_release(&why);
	schema_config_release(&config);
	schema_version_list_release(&versions);
	schema_request_release(&q);
	schema_reply(req, &b);
}
