/* Deleting: softly first, then for good. */
#include "schemas/registry/registry.h"

static void reply_referred(struct bus_http_request *req, const char *subject, int version)
{
	schema_reply_error(
	    req, 42206,
	    "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%s,version=%d}.",
	    subject, version);
}

/* Before a tombstone: compaction may take the last record that had the highest id of its context. */
void schema_edit_remember_ids(struct schema_registry *r)
{
	const struct schema_table *t = schema_store_read(r->store);
	struct schema_context *const *list;
	size_t n = schema_table_contexts(t, &list), kept = 0;
	struct schema_highest *highest = bus_xcalloc(n + 1, sizeof(*highest));
	struct bus_buf value = { 0 };
	int32_t top = 0;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i]->name, SCHEMA_CONTEXT_DEFAULT) == 0)
			top = list[i]->highest_id;
		else if (list[i]->highest_id > 0)
			highest[kept++] =
			    (struct schema_highest){ bus_str(list[i]->name), list[i]->highest_id };
	}
	schema_record_noop(top, highest, kept, &value);
	schema_store_done(r->store);
	free(highest);
	schema_edit_put(r, SCHEMA_RECORD_NOOP, NULL, 0, &value);
}

/* A subject that is gone keeps no settings of its own. */
static void drop_settings(struct schema_registry *r, const char *subject)
{
	const struct schema_table *t = schema_store_read(r->store);
	bool mode = schema_table_mode_set(t, subject) != SCHEMA_MODE_UNSET;
	bool config = schema_table_config_set(t, subject) != NULL;

	schema_store_done(r->store);
	if (mode)
		schema_edit_put(r, SCHEMA_RECORD_MODE, subject, 0, NULL);
	if (config)
		schema_edit_put(r, SCHEMA_RECORD_CONFIG, subject, 0, NULL);
}

/* --- a subject ------------------------------------------------------------------------------------------ */

struct versions {
	int *item; /* to be deleted */
	size_t n, n_all;
	int referred; /* the first that another subject refers to; 0: none */
	bool live;    /* one of them is */
};

static struct versions versions_of(struct schema_registry *r, const char *subject, bool permanent)
{
	const struct schema_table *t = schema_store_read(r->store);
	const struct schema_subject *s = schema_table_subject(t, subject);
	struct versions l = { .n_all = s ? s->n_entries : 0 };

	l.item = bus_xcalloc(l.n_all + 1, sizeof(*l.item));
	for (size_t i = 0; i < l.n_all; i++) {
		const struct schema_entry *e = &s->entry[i];

		l.live = l.live || !e->deleted;
		if (e->deleted && !permanent)
			continue;
		l.item[l.n++] = e->version;
		if (l.referred == 0 && schema_edit_referred(t, subject, e->version, permanent, subject))
			l.referred = e->version;
	}
	schema_store_done(r->store);
	return l;
}

static void delete_all(struct schema_registry *r, const char *subject, const struct versions *l,
		       bool permanent)
{
	struct bus_buf value = { 0 };

	if (!permanent) {
		schema_record_subject(subject, l->item[l->n - 1], &value);
		schema_edit_put(r, SCHEMA_RECORD_DELETE_SUBJECT, subject, 0, &value);
		return;
	}
	schema_edit_remember_ids(r);
	for (size_t i = l->n; i > 0; i--) /* a version may refer to an earlier one */
		schema_edit_put(r, SCHEMA_RECORD_SCHEMA, subject, l->item[i - 1], NULL);
	drop_settings(r, subject);
}

void schema_edit_delete_subject(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = schema_body_subject(r, req);
	const bool permanent = schema_body_true(req, "permanent");
	struct versions l = versions_of(r, subject, permanent);
	struct bus_buf answer = { 0 };
	struct bus_json_out j = { .buf = &answer };

	if (l.n_all == 0) {
		schema_reply_subject_unknown(req, subject);
	} else if (!permanent && !l.live) {
		schema_reply_error(req, 40404,
				   "Subject '%s' was soft deleted.Set permanent=true to delete permanently",
				   subject);
	} else if (!schema_edit_writable(r, req, subject)) {
		; /* answered */
	} else if (l.referred > 0) {
		reply_referred(req, subject, l.referred);
	} else if (permanent && l.live) {
		schema_reply_error(req, 40405,
				   "Subject '%s' was not deleted first before being permanently deleted",
				   subject);
	} else {
		delete_all(r, subject, &l, permanent);
		bus_json_array(&j);
		for (size_t i = 0; i < l.n; i++)
			bus_json_put_int(&j, l.item[i]);
		bus_json_array_end(&j);
		schema_writer_commit(r->writer, req, &answer);
	}
	free(l.item);
}

/* --- a version -------------------------------------------------------------------------------------------
 */

/* A copy of the version that a DELETE names; else answered. */
static bool find(struct schema_registry *r, struct bus_http_request *req, bool permanent,
		 struct schema_version *out, bool *last, bool *referred)
{
	const char *subject = schema_body_subject(r, req);
	const struct schema_table *t;
	const struct schema_subject *s;
	const struct schema_entry *e;
	bool some, found;
	int version;

	if (!schema_body_version(req, &version))
		return false;
	t = schema_store_read(r->store);
	s = schema_table_subject(t, subject);
	e = s ? schema_table_entry(s, version) : NULL;
	found = e != NULL;
	some = s && s->n_entries > 0;
	if (e) {
		const struct schema_version view = schema_table_view(s, e);

		schema_version_copy(&view, out);
		*last = s->n_entries == 1;
		*referred = schema_edit_referred(t, subject, e->version, permanent, NULL);
	}
	schema_store_done(r->store);
	if (found && (permanent || !out->deleted))
		return true;
	if (!some)
		schema_reply_subject_unknown(req, subject);
	else if (!found)
		schema_reply_version_unknown(req, version);
	else
		schema_reply_error(
		    req, 40406,
		    "Subject '%s' Version %d was soft deleted.Set permanent=true to delete permanently",
		    subject, out->version);
	if (found)
		schema_version_release(out);
	return false;
}

void schema_edit_delete_version(struct schema_registry *r, struct bus_http_request *req)
{
	const bool permanent = schema_body_true(req, "permanent");
	struct bus_buf value = { 0 }, answer = { 0 };
	struct schema_version v;
	bool last, referred;

	if (!find(r, req, permanent, &v, &last, &referred))
		return;
	if (!schema_edit_writable(r, req, v.subject)) {
		; /* answered */
	} else if (referred) {
		reply_referred(req, v.subject, v.version);
	} else if (permanent && !v.deleted) {
		schema_reply_error(
		    req, 40407,
		    "Subject '%s' Version %d was not deleted first before being permanently deleted",
		    v.subject, v.version);
	} else {
		if (permanent) {
			schema_edit_remember_ids(r);
			schema_edit_put(r, SCHEMA_RECORD_SCHEMA, v.subject, v.version, NULL);
			if (last)
				drop_settings(r, v.subject);
		} else {
			v.deleted = true;
			schema_record_schema(&v, &value);
			schema_edit_put(r, SCHEMA_RECORD_SCHEMA, v.subject, v.version, &value);
		}
		bus_buf_printf(&answer, "%d", v.version);
		schema_writer_commit(r->writer, req, &answer);
	}
	schema_version_release(&v);
}

/* --- a context -------------------------------------------------------------------------------------------
 */

void schema_edit_delete_context(struct schema_registry *r, struct bus_http_request *req)
{
	struct bus_buf name = { 0 }, full = { 0 }, answer = { 0 };

	if (!schema_context_normal(bus_http_part(req, "context"), &name)) {
		schema_reply_error(req, 400, "Context name '%s' cannot contain a colon",
				   bus_http_part(req, "context"));
		return;
	}
	schema_subject_join(bus_buf_str(&name), (struct bus_str){ "", 0 }, &full);
	if (full.n == 0 || schema_store_has(r->store, bus_buf_cstr(&full), true)) {
		schema_reply_error(req, 42211, "The specified context '%s' is not empty.",
				   bus_buf_cstr(&full));
	} else {
		schema_edit_put(r, SCHEMA_RECORD_CONTEXT, bus_buf_cstr(&name), 0, NULL);
		schema_writer_commit(r->writer, req, &answer);
	}
	bus_buf_release(&name);
	bus_buf_release(&full);
}
