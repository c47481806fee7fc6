/* What is answered about one schema: by id, by GUID, by subject and version. */
#include "schemas/registry/side.h"

static bool plain(struct bus_http_request *req)
{
	return !bus_http_query(req, "format") && !bus_http_query(req, "findTags") &&
	       !bus_http_query(req, "referenceFormat");
}

/* Takes v: answers with it, in the form the query asks for. */
static void reply_version(struct schema_registry *r, struct bus_http_request *req, struct schema_version *v,
			  struct schema_show show)
{
	struct bus_buf tags = { 0 }, b;
	char *text = NULL;

	if (schema_formatted(r, req, v, &text) && schema_found_tags(r, req, v, &tags)) {
		schema_qualify_references(req, v);
		show.text = text;
		show.tags = bus_buf_str(&tags);
		b = schema_version_json(v, &show);
		schema_reply(req, &b);
	}
	bus_buf_release(&tags);
	free(text);
	schema_version_release(v);
}

static void reply_text(struct schema_registry *r, struct bus_http_request *req, struct schema_version *v)
{
	struct bus_buf b = { 0 };
	char *text = NULL;

	if (schema_formatted(r, req, v, &text)) {
		bus_buf_puts(&b, text ? text : v->text);
		schema_reply(req, &b);
	}
	free(text);
	schema_version_release(v);
}

/* --- ids -------------------------------------------------------------------------------------------- */

struct id_use { /* where an id is used: Confluent's getSchemaKeyUsingContexts() */
	int32_t id;
	const struct bus_http_request *req;
	const struct schema_content *content;
	const struct schema_subject *subject;
	const struct schema_entry *entry;
};

/* The oldest use that is theirs to read. */
static const struct schema_entry *first_use(const struct bus_http_request *req,
					    const struct schema_content *c,
					    const struct schema_subject **subject)
{
	for (size_t i = 0; i < c->n_uses; i++)
		if (schema_may(req, SCHEMA_RIGHT_READ, c->use[i].subject->name)) {
			*subject = c->use[i].subject;
			return schema_table_entry(c->use[i].subject, c->use[i].version);
		}
	return NULL;
}

static bool find_use(void *ctx, const struct schema_table *t, const char *subject)
{
	struct schema_qualified q = schema_subject_split(subject);
	const struct schema_context *context = schema_table_context(t, q.context);
	const struct schema_content *c;
	struct id_use *x = ctx;

	c = context ? schema_table_content(t, context, x->id) : NULL;
	if (!c)
		return false;
	x->entry = NULL;
	if (q.name.n == 0) {
		x->entry = first_use(x->req, c, &x->subject);
	} else if (schema_may(x->req, SCHEMA_RIGHT_READ, subject)) {
		x->subject = schema_table_subject(t, subject);
		x->entry = x->subject ? schema_table_use(c, x->subject) : NULL;
	}
	x->content = x->entry ? x->entry->content : NULL;
	return x->entry != NULL;
}

/* Under the lock. A subject that does not use the id leaves its context. */
static bool find_id(const struct schema_table *t, const char *subject, struct id_use *x)
{
	struct schema_qualified q = schema_subject_split(subject ? subject : "");

	if (q.name.n == 0 || !schema_subject_is_default(q))
		return find_use(x, t, subject ? subject : "");
	return schema_in_contexts(t, subject, find_use, x) || find_use(x, t, "");
}

/* A copy of the version by which {id} is known; else answered 40403. */
static bool copy_id(struct schema_registry *r, struct bus_http_request *req, struct schema_version *out,
		    int32_t *max_id)
{
	const char *subject = schema_body_query_subject(r, req);
	const struct schema_table *t;
	struct id_use x = { .req = req };
	bool found;

	if (!schema_body_id(req, &x.id))
		return false;
	t = schema_store_read(r->store);
	found = find_id(t, subject, &x);
	if (found) {
		const struct schema_version view = schema_table_view(x.subject, x.entry);

		schema_version_copy(&view, out);
		*max_id = x.subject->context->highest_id;
	}
	schema_store_done(r->store);
	if (found)
		schema_side_headers(r, req, out);
	else
		schema_reply_error(req, 40403, "Schema %d not found", (int)x.id);
	return found;
}

/* The hot path writes the answer under the lock, without a copy. */
void schema_read_id(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct schema_show show = { .shape = SCHEMA_SHAPE_STRING, .dated = true };
	const char *subject = schema_body_query_subject(r, req);
	const bool max = schema_body_true(req, "fetchMaxId");
	const struct schema_table *t;
	struct schema_version v;
	struct bus_buf b = { 0 };
	struct id_use x = { .req = req };
	bool found;

	if (!plain(req)) {
		if (!copy_id(r, req, &v, &show.max_id))
			return;
		show.max_id = max ? show.max_id : 0;
		reply_version(r, req, &v, show);
		return;
	}
	if (!schema_body_id(req, &x.id))
		return;
	t = schema_store_read(r->store);
	found = find_id(t, subject, &x);
	if (found) {
		v = schema_table_view(x.subject, x.entry);
		show.max_id = max ? x.subject->context->highest_id : 0;
		schema_side_headers(r, req, &v);
		b = schema_version_json(&v, &show);
	}
	schema_store_done(r->store);
	if (found)
		schema_reply(req, &b);
	else
		schema_reply_error(req, 40403, "Schema %d not found", (int)x.id);
}

void schema_read_id_schema(void *ctx, struct bus_http_request *req)
{
	struct schema_version v;
	int32_t max_id;

	if (copy_id(ctx, req, &v, &max_id))
		reply_text(ctx, req, &v);
}

/* The subjects that use {id}, each once, with the newest version that does. */
static void reply_uses(struct schema_registry *r, struct bus_http_request *req, bool versions)
{
	const char *subject = schema_body_query_subject(r, req);
	const bool deleted = schema_body_true(req, "deleted");
	struct schema_window w = schema_body_window(req, INT32_MAX);
	const struct schema_table *t;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	struct id_use x = { .req = req };
	bool found;

	if (!schema_body_id(req, &x.id))
		return;
	t = schema_store_read(r->store);
	found = find_id(t, subject, &x);
	bus_json_array(&j);
	for (size_t i = 0; found && i < x.content->n_uses; i++) {
		const struct schema_usage *u = &x.content->use[i];
		const struct schema_entry *e = schema_table_entry(u->subject, u->version);

		if (schema_table_use(x.content, u->subject) != e || (e->deleted && !deleted) ||
		    !schema_may(req, SCHEMA_RIGHT_READ, u->subject->name) || !schema_window_takes(&w))
			continue;
		if (versions) {
			bus_json_object(&j);
			bus_json_key(&j, "subject");
			bus_json_put_text(&j, u->subject->name);
			bus_json_key(&j, "version");
			bus_json_put_int(&j, u->version);
			bus_json_object_end(&j);
		} else {
			bus_json_put_text(&j, u->subject->name);
		}
	}
	schema_store_done(r->store);
	bus_json_array_end(&j);
	if (found) {
		schema_reply(req, &b);
		return;
	}
	bus_buf_release(&b);
	schema_reply_error(req, 40403, "Schema not found");
}

void schema_read_id_subjects(void *ctx, struct bus_http_request *req)
{
	reply_uses(ctx, req, false);
}

void schema_read_id_versions(void *ctx, struct bus_http_request *req)
{
	reply_uses(ctx, req, true);
}

/* --- GUIDs ------------------------------------------------------------------------------------------ */

/* Under the lock: the next context from *i on that has the content, the default one first. */
static const struct schema_content *next_guid(const struct schema_table *t,
					      const struct bus_http_request *req, const uint8_t *guid,
					      size_t *i, const struct schema_subject **subject,
					      const struct schema_entry **entry)
{
	struct schema_context *const *list;
	size_t n = schema_table_contexts(t, &list);

	for (; *i < n; (*i)++) { /* "." sorts before ".anything" */
		const struct schema_content *c = schema_table_guid(t, list[*i], guid, NULL);

		*entry = c ? first_use(req, c, subject) : NULL;
		if (*entry) {
			(*i)++;
			return c;
		}
	}
	return NULL;
}

void schema_read_guid(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *text = bus_http_part(req, "guid");
	const struct schema_content *c = NULL;
	const struct schema_subject *subject;
	const struct schema_entry *entry;
	const struct schema_table *t;
	uint8_t guid[SCHEMA_GUID_LEN];
	struct schema_version v;
	size_t i = 0;

	t = schema_store_read(r->store);
	if (schema_guid_parse(text, guid))
		c = next_guid(t, req, guid, &i, &subject, &entry);
	if (c) {
		const struct schema_version view = schema_table_view(subject, entry);

		schema_version_copy(&view, &v);
	}
	schema_store_done(r->store);
	if (!c) {
		schema_reply_error(req, 40403, "Schema %s not found", text);
		return;
	}
	reply_version(r, req, &v,
		      (struct schema_show){ .shape = SCHEMA_SHAPE_STRING, .dated = true, .placeless = true });
}

void schema_read_guid_ids(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const struct schema_subject *subject;
	const struct schema_entry *entry;
	const struct schema_content *c;
	const struct schema_table *t;
	uint8_t guid[SCHEMA_GUID_LEN];
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	bool known = schema_guid_parse(bus_http_part(req, "guid"), guid);
	size_t i = 0;

	bus_json_array(&j);
	t = schema_store_read(r->store);
	while (known && (c = next_guid(t, req, guid, &i, &subject, &entry))) {
		bus_json_object(&j);
		bus_json_key(&j, "context");
		bus_json_put_text(&j, c->context->name);
		bus_json_key(&j, "id");
		bus_json_put_int(&j, c->id);
		bus_json_object_end(&j);
	}
	schema_store_done(r->store);
	bus_json_array_end(&j);
	schema_reply(req, &b);
}

/* --- subject and version ------------------------------------------------------------------------------ */

struct place {
	const struct bus_http_request *req;
	int version;
	bool deleted;
	const struct schema_subject *subject;
	const struct schema_entry *entry;
};

static bool find_place(void *ctx, const struct schema_table *t, const char *subject)
{
	struct place *p = ctx;

	p->subject = schema_may(p->req, SCHEMA_RIGHT_READ, subject) ? schema_table_subject(t, subject) : NULL;
	p->entry = p->subject ? schema_table_entry(p->subject, p->version) : NULL;
	if (p->entry && p->entry->deleted && !p->deleted)
		p->entry = NULL;
	return p->entry != NULL;
}

/* {subject}/{version}: live, or soft-deleted when `deleted` says so; else answered. */
static bool copy_version(struct schema_registry *r, struct bus_http_request *req, bool deleted,
			 struct schema_version *out)
{
	const char *subject = schema_body_subject(r, req);
	struct place p = { .req = req, .deleted = deleted };
	const struct schema_table *t;
	bool found, some;

	if (!schema_body_version(req, &p.version))
		return false;
	t = schema_store_read(r->store);
	found = schema_in_contexts(t, subject, find_place, &p);
	some = found || schema_table_has(t, subject, deleted);
	if (found) {
		const struct schema_version view = schema_table_view(p.subject, p.entry);

		schema_version_copy(&view, out);
	}
	schema_store_done(r->store);
	if (!some)
		schema_reply_subject_unknown(req, subject);
	else if (!found)
		schema_reply_version_unknown(req, p.version);
	return found;
}

void schema_read_version(void *ctx, struct bus_http_request *req)
{
	struct schema_version v;

	if (!copy_version(ctx, req, schema_body_true(req, "deleted"), &v))
		return;
	schema_side_headers(ctx, req, &v);
	reply_version(ctx, req, &v, (struct schema_show){ .dated = true });
}

void schema_read_version_schema(void *ctx, struct bus_http_request *req)
{
	struct schema_version v;

	if (!copy_version(ctx, req, schema_body_true(req, "deleted"), &v))
		return;
	schema_side_headers(ctx, req, &v);
	reply_text(ctx, req, &v);
}

struct referrers {
	const struct bus_http_request *req;
	bool deleted;
	struct referrer {
		const char *context;
		int32_t id;
	} * item;
	size_t n;
};

static void take_referrer(void *ctx, const struct schema_content *c)
{
	struct referrers *l = ctx;
	bool used = false;

	for (size_t i = 0; i < c->n_uses && !used; i++)
		used = (l->deleted || !schema_table_entry(c->use[i].subject, c->use[i].version)->deleted) &&
		       schema_may(l->req, SCHEMA_RIGHT_READ, c->use[i].subject->name);
	for (size_t i = 0; i < l->n && used; i++)
		used = l->item[i].id != c->id || strcmp(l->item[i].context, c->context->name) != 0;
	if (!used)
		return;
	l->item = bus_xrealloc(l->item, (l->n + 1) * sizeof(*l->item));
	l->item[l->n++] = (struct referrer){ c->context->name, c->id };
}

static int by_context_and_id(const void *a, const void *b)
{
	const struct referrer *x = a, *y = b;
	int order = strcmp(x->context, y->context);

	return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

void schema_read_referrers(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct schema_window w = schema_body_window(req, 1000);
	struct referrers l = { .req = req, .deleted = schema_body_true(req, "deleted") };
	struct schema_version v;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	if (!copy_version(r, req, true, &v))
		return;
	bus_json_array(&j);
	schema_table_referrers(schema_store_read(r->store), v.subject, v.version, take_referrer, &l);
	if (l.n > 0)
		qsort(l.item, l.n, sizeof(*l.item), by_context_and_id);
	schema_store_done(r->store);
	for (size_t i = 0; i < l.n; i++)
		if (schema_window_takes(&w))
			bus_json_put_int(&j, l.item[i].id);
	bus_json_array_end(&j);
	free(l.item);
	schema_version_release(&v);
	schema_reply(req, &b);
}
