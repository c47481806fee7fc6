/* Keys: what is answered from the replica. */
#include "schemas/registry/dek_body.h"

#define TEST_SUBJECT "__TEST"

/* Names, each once: the lists are sorted by them. */
struct names {
	struct bus_http_request *req;
	struct schema_window window;
	struct bus_buf b;
	struct bus_json_out j;
	const char *last;
};

static void names_start(struct names *l, struct bus_http_request *req)
{
	*l = (struct names){ .req = req, .window = schema_body_window(req, INT32_MAX) };
	l->j.buf = &l->b;
	bus_json_array(&l->j);
}

static void names_take(struct names *l, const char *name)
{
	if (l->last && strcmp(l->last, name) == 0)
		return;
	l->last = name;
	if (schema_window_takes(&l->window))
		bus_json_put_text(&l->j, name);
}

static void names_end(struct names *l)
{
	bus_json_array_end(&l->j);
	schema_reply(l->req, &l->b);
}

/* --- KEKs --------------------------------------------------------------------------------------------- */

struct prefixes {
	const char *subject;
	bool any, matches;
};

static bool look_at_prefix(void *ctx, const char *name, const char *value)
{
	struct prefixes *p = ctx;

	if (strcmp(name, "subjectPrefix") != 0)
		return true;
	p->any = true;
	p->matches = p->matches || (p->subject && strncmp(p->subject, value, strlen(value)) == 0);
	return true;
}

/* The names of those that have DEKs of such subjects. */
static void list_by_subject(const struct schema_keys_table *t, struct names *l, bool deleted_too)
{
	for (size_t i = 0; i < t->n_deks; i++) {
		const struct schema_dek *d = t->dek[i];
		struct prefixes p = { .subject = d->subject };

		if ((d->deleted && !deleted_too) || !schema_may(l->req, SCHEMA_RIGHT_READ, d->subject))
			continue;
		bus_http_each_query(l->req, look_at_prefix, &p);
		if (p.matches)
			names_take(l, d->kek);
	}
}

void schema_read_keks(void *ctx, struct bus_http_request *req)
{
	const bool deleted_too = schema_body_true(req, "deleted");
	const struct schema_keys_table *t;
	struct schema_registry *r = ctx;
	struct prefixes p = { 0 };
	struct names l;

	bus_http_each_query(req, look_at_prefix, &p);
	names_start(&l, req);
	t = schema_keys_read(r->keys);
	if (p.any)
		list_by_subject(t, &l, deleted_too);
	for (size_t i = 0; !p.any && i < t->n_keks; i++)
		if (deleted_too || !t->kek[i]->deleted)
			names_take(&l, t->kek[i]->name);
	schema_keys_done(r->keys);
	names_end(&l);
}

static bool is_there(const struct schema_kek *k, bool deleted_too)
{
	return k && (deleted_too || !k->deleted);
}

void schema_read_kek(void *ctx, struct bus_http_request *req)
{
	const char *name = bus_http_part(req, "name");
	struct schema_registry *r = ctx;
	struct bus_buf b = { 0 };
	const struct schema_kek *k;
	bool found;

	if (!schema_key_name(req, name))
		return;
	k = schema_keys_kek(schema_keys_read(r->keys), name);
	found = is_there(k, schema_body_true(req, "deleted"));
	if (found)
		b = schema_kek_json(k);
	schema_keys_done(r->keys);
	if (found)
		schema_reply(req, &b);
	else
		schema_key_unknown(req, name);
}

/* Would encrypt with the KMS, of a shared one; the others are no case for it. */
void schema_read_kek_test(void *ctx, struct bus_http_request *req)
{
	const char *name = bus_http_part(req, "name");
	struct schema_registry *r = ctx;
	const struct schema_kek *k;
	bool found, shared;

	if (!schema_key_name(req, name))
		return;
	k = schema_keys_kek(schema_keys_read(r->keys), name);
	found = is_there(k, false);
	shared = found && k->shared;
	schema_keys_done(r->keys);
	if (!found)
		schema_key_unknown(req, name);
	else if (!shared)
		schema_key_invalid(req, "shared");
	else
		schema_key_no_kms(req, "encrypted", TEST_SUBJECT);
}

/* --- DEKs --------------------------------------------------------------------------------------------- */

void schema_read_dek_subjects(void *ctx, struct bus_http_request *req)
{
	const bool deleted_too = schema_body_true(req, "deleted");
	const char *name = bus_http_part(req, "name");
	const struct schema_keys_table *t;
	struct schema_registry *r = ctx;
	size_t from, to;
	struct names l;
	bool found;

	if (!schema_key_name(req, name))
		return;
	names_start(&l, req);
	t = schema_keys_read(r->keys);
	found = is_there(schema_keys_kek(t, name), deleted_too);
	schema_keys_range(t, name, NULL, SCHEMA_ALGORITHM_ANY, &from, &to);
	for (; found && from < to; from++)
		if ((deleted_too || !t->dek[from]->deleted) &&
		    schema_may(req, SCHEMA_RIGHT_READ, t->dek[from]->subject))
			names_take(&l, t->dek[from]->subject);
	schema_keys_done(r->keys);
	if (found) {
		names_end(&l);
		return;
	}
	bus_buf_release(&l.b);
	schema_key_unknown(req, name);
}

void schema_read_dek_versions(void *ctx, struct bus_http_request *req)
{
	const bool deleted_too = schema_body_true(req, "deleted");
	struct schema_window w = schema_body_window(req, INT32_MAX);
	const struct schema_keys_table *t;
	struct schema_registry *r = ctx;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	struct schema_dek id;
	size_t from, to;
	bool found;

	if (!schema_key_path(r, req, 0, &id))
		return;
	bus_json_array(&j);
	t = schema_keys_read(r->keys);
	found = is_there(schema_keys_kek(t, id.kek), deleted_too);
	schema_keys_range(t, id.kek, id.subject, id.algorithm, &from, &to);
	for (; from < to; from++)
		if ((deleted_too || !t->dek[from]->deleted) && schema_window_takes(&w))
			bus_json_put_int(&j, t->dek[from]->version);
	schema_keys_done(r->keys);
	bus_json_array_end(&j);
	if (found) {
		schema_reply(req, &b);
		return;
	}
	bus_buf_release(&b);
	schema_key_unknown(req, id.kek);
}

void schema_read_dek(void *ctx, struct bus_http_request *req)
{
	const bool deleted_too = schema_body_true(req, "deleted");
	const struct schema_keys_table *t;
	struct schema_registry *r = ctx;
	const struct schema_kek *k;
	const struct schema_dek *d;
	struct bus_buf b = { 0 };
	bool kek, dek, shared;
	struct schema_dek id;

	if (!schema_key_path(r, req, 1, &id))
		return;
	t = schema_keys_read(r->keys);
	k = schema_keys_kek(t, id.kek);
	d = schema_keys_find(t, &id, deleted_too);
	kek = is_there(k, deleted_too);
	dek = d != NULL;
	shared = kek && k->shared;
	if (kek && dek && !shared)
		b = schema_dek_json(d);
	schema_keys_done(r->keys);
	if (!kek)
		schema_key_unknown(req, id.kek);
	else if (!dek)
		schema_key_unknown(req, id.subject);
	else if (shared)
		schema_key_no_kms(req, "raw", id.subject);
	else
		schema_reply(req, &b);
}
