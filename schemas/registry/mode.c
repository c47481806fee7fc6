/* Modes: Confluent's ModeResource and KafkaSchemaRegistry.setMode(). */
#include "schemas/registry/registry.h"

static struct bus_buf shown(int mode)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	if (mode != SCHEMA_MODE_UNSET) {
		bus_json_key(&j, "mode");
		bus_json_put_text(&j, schema_mode_name(mode));
	}
	bus_json_object_end(&j);
	return b;
}

void schema_read_mode(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *scope = schema_body_scope(req);
	const struct schema_table *t = schema_store_read(r->store);
	int mode = schema_body_true(req, "defaultToGlobal") ? schema_table_mode_for(t, scope)
							    : schema_table_mode(t, scope);
	struct bus_buf b;

	schema_store_done(r->store);
	if (mode == SCHEMA_MODE_UNSET) {
		schema_reply_error(req, 40409, "Subject '%s' does not have subject-level mode configured",
				   scope);
		return;
	}
	b = shown(mode);
	schema_reply(req, &b);
}

/* --- to IMPORT ------------------------------------------------------------------------------------------ */

struct remains { /* soft-deleted versions */
	struct {
		char *subject;
		int version;
	} * item;
	size_t n;
};

static void forget(struct remains *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->item[i].subject);
	free(l->item);
}

/* What is left of the scope when nothing in it is live. A version that is referred to: its place; else NULL.
 */
static const char *collect(const struct schema_table *t, const char *scope, struct remains *l, int *version)
{
	struct schema_subject *const *list;
	size_t n = schema_table_subjects(t, &list);

	for (size_t i = 0; i < n; i++) {
		if (!schema_table_matches(scope, list[i]))
			continue;
		for (size_t k = 0; k < list[i]->n_entries; k++) {
			*version = list[i]->entry[k].version;
			if (schema_edit_referred(t, list[i]->name, *version, true, NULL))
				return list[i]->name;
			l->item = bus_xrealloc(l->item, (l->n + 1) * sizeof(*l->item));
			l->item[l->n].subject = bus_xstrdup(list[i]->name);
			l->item[l->n++].version = *version;
		}
	}
	return NULL;
}

/* Only into what is empty; what was deleted softly goes for good. False: answered. */
static bool empty_scope(struct schema_registry *r, struct bus_http_request *req, const char *scope)
{
	const struct schema_table *t = schema_store_read(r->store);
	struct remains l = { 0 };
	struct bus_buf value = { 0 };
	bool live = schema_table_has(t, scope ? scope : NULL, false);
	const char *held = NULL;
	int version = 0;

	if (!live)
		held = collect(t, scope, &l, &version);
	if (live)
		schema_reply_error(req, 42205, "Cannot import since found existing subjects");
	else if (held)
		schema_reply_error(req, 42206,
				   "One or more references exist to the schema "
				   "{magic=1,keytype=SCHEMA,subject=%s,version=%d}.",
				   held, version);
	schema_store_done(r->store);
	if (!live && !held) {
		if (l.n > 0)
			schema_edit_remember_ids(r);
		for (size_t i = 0; i < l.n; i++)
			schema_edit_put(r, SCHEMA_RECORD_SCHEMA, l.item[i].subject, l.item[i].version, NULL);
		schema_record_subject(scope, 0, &value);
		schema_edit_put(r, SCHEMA_RECORD_CLEAR_SUBJECT, scope, 0, &value);
	}
	forget(&l);
	return !live && !held;
}

/* --- changing ------------------------------------------------------------------------------------------- */

static bool is_global(const char *scope)
{
	struct schema_qualified q;

	if (!scope)
		return false;
	q = schema_subject_split(scope);
	return q.name.n == 0 && bus_str_is(q.context, SCHEMA_CONTEXT_GLOBAL);
}

/* The body's mode, SCHEMA_MODE_UNSET for null; else answered 42204. */
static bool given_mode(struct bus_http_request *req, const char *scope, int *mode)
{
	const struct bus_json *body, *v;

	*mode = SCHEMA_MODE_UNSET;
	if (!schema_body_json(req, &body))
		return false;
	v = bus_json_get(body, "mode");
	if (!v || v->type == BUS_JSON_NULL)
		return true;
	if (v->type != BUS_JSON_STRING || !schema_mode_parse(v->text, mode)) {
		schema_reply_error(req, 42204,
				   "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.");
		return false;
	}
	if (*mode == SCHEMA_MODE_FORWARD && !is_global(scope)) {
		schema_reply_error(req, 42204, "Forward mode only supported on global level");
		return false;
	}
	return true;
}

void schema_edit_put_mode(struct schema_registry *r, struct bus_http_request *req)
{
	const char *scope = schema_body_scope(req);
	struct bus_buf value = { 0 }, answer;
	int mode, now;

	if ((scope && !schema_edit_subject_valid(req, scope, true)) || !given_mode(req, scope, &mode))
		return;
	now = schema_table_mode_for(schema_store_read(r->store), scope);
	schema_store_done(r->store);
	if (mode == SCHEMA_MODE_IMPORT && now != SCHEMA_MODE_IMPORT && !schema_body_true(req, "force") &&
	    !empty_scope(r, req, scope))
		return;
	if (mode != SCHEMA_MODE_UNSET)
		schema_record_mode(scope, mode, &value);
	schema_edit_put(r, SCHEMA_RECORD_MODE, scope, 0, mode != SCHEMA_MODE_UNSET ? &value : NULL);
	answer = shown(mode);
	schema_writer_commit(r->writer, req, &answer);
}

/* Modes of the subjects in a context. */
static void delete_below(struct schema_registry *r, const char *context)
{
	const struct schema_table *t = schema_store_read(r->store);
	struct schema_subject *const *list;
	size_t n = schema_table_subjects(t, &list), found = 0;
	char **name = bus_xcalloc(n + 1, sizeof(*name));

	for (size_t i = 0; i < n; i++)
		if (list[i]->mode != SCHEMA_MODE_UNSET && schema_subject_split(list[i]->name).name.n > 0 &&
		    bus_str_is(schema_subject_split(context ? context : "").context, list[i]->context->name))
			name[found++] = bus_xstrdup(list[i]->name);
	schema_store_done(r->store);
	for (size_t i = 0; i < found; i++) {
		schema_edit_put(r, SCHEMA_RECORD_MODE, name[i], 0, NULL);
		free(name[i]);
	}
	free(name);
}

void schema_edit_delete_mode(struct schema_registry *r, struct bus_http_request *req)
{
	const char *scope = schema_body_scope(req);
	const bool recursive = schema_body_true(req, "recursive");
	int old = schema_table_mode(schema_store_read(r->store), scope);
	struct bus_buf answer;

	schema_store_done(r->store);
	if (old == SCHEMA_MODE_UNSET && !recursive) {
		schema_reply_subject_unknown(req, scope);
		return;
	}
	schema_edit_put(r, SCHEMA_RECORD_MODE, scope, 0, NULL);
	if (recursive && (!scope || schema_subject_split(scope).name.n == 0))
		delete_below(r, scope);
	answer = shown(old);
	schema_writer_commit(r->writer, req, &answer);
}
