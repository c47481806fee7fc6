/* May a schema be registered by the mode, and as which version and id? */
#include "schemas/registry/work.h"

/* The record that keeps the highest id of each context (delete.c) must fit a message of 1 MB: so many names
 * of SCHEMA_SUBJECT_MAX bytes do, with those that one batch adds. */
#define CONTEXTS_MAX 1000
/* An import by who is no admin leaves ids for the others: so far beyond the highest one at most, and not
 * above the limit. */
#define IMPORT_STEP 10000000
#define IMPORT_LIMIT 2000000000

/* "" for the default context, as Confluent's messages have it. */
static struct bus_str context_words(const char *subject)
{
	struct schema_qualified q = schema_subject_split(subject);

	if (schema_subject_is_default(q))
		return (struct bus_str){ "", 0 };
	return (struct bus_str){ subject, q.context.n + 2 };
}

bool schema_work_allowed(struct schema_work *w)
{
	const char *subject = w->q->v.subject;
	struct bus_str context = context_words(subject);
	const char *not = w->mode == SCHEMA_MODE_READONLY || w->mode == SCHEMA_MODE_READONLY_OVERRIDE
			      ? "is in read-only mode"
			  : w->q->id >= 0
			      ? (schema_mode_imports(w->mode) ? NULL : "is not in import mode")
			      : (w->mode == SCHEMA_MODE_READWRITE ? NULL : "is not in read-write mode");

	if (not )
		schema_reply_error(w->req, 42205, "Subject %s in context %.*s %s", subject, (int)context.n,
				   context.p, not );
	return !not ;
}

static bool same_content(const struct schema_content *c, const struct schema_version *v)
{
	return memcmp(c->guid, v->guid, SCHEMA_GUID_LEN) == 0 && strcmp(c->type, v->type) == 0;
}

/* An id that was asked for must mean this schema or nothing. What is soft-deleted under it gives way: its
 * versions go for good (Confluent refuses that: schema-registry#2430). */
static bool id_is_free(struct schema_work *w)
{
	struct schema_version *v = &w->q->v;
	const struct schema_table *t = schema_store_read(w->r->store);
	const struct schema_context *context =
	    schema_table_context(t, schema_subject_split(v->subject).context);
	const struct schema_content *c = context ? schema_table_content(t, context, v->id) : NULL;
	struct schema_usage *gone = NULL;
	char **name = NULL;
	size_t n = 0;
	bool taken = false;

	if (c && !same_content(c, v)) {
		gone = bus_xcalloc(c->n_uses + 1, sizeof(*gone));
		name = bus_xcalloc(c->n_uses + 1, sizeof(*name));
		for (; n < c->n_uses && !taken; n++) {
			gone[n] = c->use[n];
			name[n] = bus_xstrdup(gone[n].subject->name);
			taken = !schema_table_entry(gone[n].subject, gone[n].version)->deleted ||
				!schema_may(w->req, SCHEMA_RIGHT_DELETE, name[n]) ||
				schema_edit_referred(t, name[n], gone[n].version, true, NULL);
		}
	}
	schema_store_done(w->r->store);
	for (size_t i = 0; i < n; i++) {
		if (!taken)
			schema_edit_put(w->r, SCHEMA_RECORD_SCHEMA, name[i], gone[i].version, NULL);
		free(name[i]);
	}
	free(name);
	free(gone);
	if (taken) {
		struct bus_str where = context_words(v->subject);

		schema_reply_error(w->req, 42205,
				   "Overwrite new schema with id %d in context %.*s is not permitted.",
				   (int)v->id, (int)where.n, where.p);
	}
	return !taken;
}

bool schema_work_context_fits(struct schema_work *w)
{
	const struct schema_table *t = schema_store_read(w->r->store);
	const struct schema_context *c =
	    schema_table_context(t, schema_subject_split(w->q->v.subject).context);
	struct schema_context *const *list;
	size_t n = schema_table_contexts(t, &list), used = 0;
	bool fits = c && c->highest_id > 0;

	for (size_t i = 0; i < n && !fits; i++)
		used += list[i]->highest_id > 0;
	fits =
	    fits || used < CONTEXTS_MAX || schema_subject_is_default(schema_subject_split(w->q->v.subject));
	schema_store_done(w->r->store);
	if (!fits)
		schema_reply_error(w->req, 42208, "There are %d contexts already, and no more can be made.",
				   CONTEXTS_MAX);
	return fits;
}

static bool import_fits(struct schema_work *w, int32_t highest)
{
	const int32_t id = w->q->id;

	if (id <= highest || (id - highest <= IMPORT_STEP && id <= IMPORT_LIMIT) ||
	    schema_may(w->req, SCHEMA_RIGHT_ADMIN, w->q->v.subject))
		return true;
	schema_reply_error(
	    w->req, 42205,
	    "Id %d is too far above the highest one, %d, for who is no admin: at most %d more, and %d "
	    "at most.",
	    (int)id, (int)highest, IMPORT_STEP, IMPORT_LIMIT);
	return false;
}

bool schema_work_give_id(struct schema_work *w)
{
	struct schema_version *v = &w->q->v;
	const struct schema_table *t;
	const struct schema_context *context;
	char *name;
	int32_t highest;

	t = schema_store_read(w->r->store);
	context = schema_table_context(t, schema_subject_split(v->subject).context);
	highest = context ? context->highest_id : 0;
	schema_store_done(w->r->store);
	if (w->q->id >= 0) {
		v->id = w->q->id;
		return import_fits(w, highest) && id_is_free(w);
	}
	if (schema_store_find_id(w->r->store, v, &v->id, NULL) == BUS_OK)
		return true;
	name = bus_xstrndup(schema_subject_split(v->subject).context.p,
			    schema_subject_split(v->subject).context.n);
	v->id = schema_writer_next_id(w->r->writer, name, highest);
	free(name);
	if (v->id == 0)
		schema_reply_error(w->req, 50001, "No schema id is left");
	return v->id != 0;
}

/* A soft-deleted version with the same id gives way to this one, unless somebody refers to it. */
void schema_work_drop_twins(struct schema_work *w)
{
	const struct schema_version *v = &w->q->v;

	for (size_t i = 0; i < w->n_deleted; i++) {
		const struct schema_table *t;
		bool referred;

		if (w->deleted[i].id != v->id || w->deleted[i].version >= v->version)
			continue;
		t = schema_store_read(w->r->store);
		referred = schema_edit_referred(t, v->subject, w->deleted[i].version, true, NULL);
		schema_store_done(w->r->store);
		if (!referred)
			schema_edit_put(w->r, SCHEMA_RECORD_SCHEMA, v->subject, w->deleted[i].version, NULL);
	}
}

void schema_work_put_context(struct schema_work *w)
{
	struct schema_qualified q = schema_subject_split(w->q->v.subject);
	const struct schema_table *t = schema_store_read(w->r->store);
	const struct schema_context *c = schema_table_context(t, q.context);
	bool listed = c && c->listed;
	struct bus_buf value = { 0 };
	char *name;

	schema_store_done(w->r->store);
	if (listed || schema_subject_is_default(q))
		return;
	name = bus_xstrndup(q.context.p, q.context.n);
	schema_record_context(name, &value);
	schema_edit_put(w->r, SCHEMA_RECORD_CONTEXT, name, 0, &value);
	free(name);
}

/* The version's number; else answered. */
bool schema_work_give_version(struct schema_work *w)
{
	struct schema_version *v = &w->q->v;

	if (w->q->version > 0 && w->q->version != w->new_version + 1LL && !schema_mode_imports(w->mode)) {
		schema_reply_error(w->req, 42201, "Version is not one more than previous version");
		return false;
	}
	if (w->q->version <= 0 && w->new_version == INT32_MAX) {
		schema_reply_error(w->req, 50001, "No version of '%s' is left", v->subject);
		return false;
	}
	v->version = w->q->version > 0 ? w->q->version : w->new_version + 1;
	return true;
}
