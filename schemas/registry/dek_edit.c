/* Keys: changes, on the writer's thread. Each claims its KEK, and with it all DEKs of that: no other change
 * of the batch is about them. */
#include "bus/clock.h"
#include "schemas/registry/dek_body.h"
#include "schemas/registry/dek_record.h"

#define TEXT_MAX ((size_t)64 * 1024) /* bytes of kmsProps, doc, key material */

static bool claim(struct schema_registry *r, const char *kek)
{
	return schema_writer_claim(r->writer, SCHEMA_CLAIM_KEK, kek, strlen(kek));
}

/* Confluent's 204. */
static void done(struct schema_registry *r, struct bus_http_request *req)
{
	struct bus_buf none = { 0 };

	schema_writer_commit(r->writer, req, &none);
}

static void nothing_to_do(struct bus_http_request *req)
{
	struct bus_buf none = { 0 };

	schema_reply(req, &none);
}

static void put_kek(struct schema_registry *r, struct schema_kek *k)
{
	struct bus_buf key = { 0 }, value = { 0 };

	k->at_ms = bus_clock_ms();
	schema_kek_key(k->name, &key);
	schema_kek_value(k, &value);
	schema_writer_put_key(r->writer, &key, &value, k->at_ms);
	bus_buf_release(&key);
	bus_buf_release(&value);
}

static void put_dek(struct schema_registry *r, struct schema_dek *d)
{
	struct bus_buf key = { 0 }, value = { 0 };

	d->at_ms = bus_clock_ms();
	schema_dek_key(d, &key);
	schema_dek_value(d, &value);
	schema_writer_put_key(r->writer, &key, &value, d->at_ms);
	bus_buf_release(&key);
	bus_buf_release(&value);
}

/* Takes key. */
static void take_away(struct schema_registry *r, struct bus_buf *key)
{
	schema_writer_put_key(r->writer, key, NULL, bus_clock_ms());
	bus_buf_release(key);
}

static bool bad_body(struct bus_http_request *req, const struct bus_error *err)
{
	schema_reply_error(req, 400, "%s", err->text);
	return false;
}

static bool fits(struct bus_http_request *req, const char *field, const char *text)
{
	if (!text || strlen(text) <= TEXT_MAX)
		return true;
	schema_key_invalid(req, field);
	return false;
}

/* A copy, on the heap; NULL: there is none. */
static struct schema_kek *kek_now(struct schema_registry *r, const char *name)
{
	const struct schema_kek *k = schema_keys_kek(schema_keys_read(r->keys), name);
	struct schema_kek *copy = k ? schema_kek_copy(k) : NULL;

	schema_keys_done(r->keys);
	return copy;
}

/* --- KEKs --------------------------------------------------------------------------------------------- */

/* CreateKekRequest.validate(), before the type is put right. */
static bool key_id_fits(const struct schema_kek *k)
{
	static const struct {
		const char *type, *begins, * or ;
	} rule[] = { { "aws-kms", "arn:aws:kms:", NULL },
		     { "azure-kms", "https://", NULL },
		     { "gcp-kms", "projects/", NULL },
		     { "hcvault", "https://", "http://" } };

	for (size_t i = 0; i < BUS_LEN(rule); i++)
		if (strcmp(k->kms_type, rule[i].type) == 0)
			return strncmp(k->kms_key_id, rule[i].begins, strlen(rule[i].begins)) == 0 ||
			       (rule[i].or &&strncmp(k->kms_key_id, rule[i].or, strlen(rule[i].or)) == 0);
	return true;
}

static const char *normal_type(const char *type)
{
	if (strncasecmp(type, "aws", 3) == 0)
		return "aws-kms";
	if (strncasecmp(type, "azure", 5) == 0)
		return "azure-kms";
	return strncasecmp(type, "gcp", 3) == 0 ? "gcp-kms" : type;
}

static bool read_kek(struct bus_http_request *req, struct schema_kek *k)
{
	struct bus_arena *arena = bus_http_arena(req);
	const struct bus_json *body;
	struct bus_error err;
	enum bus_err rc;

	*k = (struct schema_kek){ 0 };
	if (!schema_body_json(req, &body))
		return false;
	rc = schema_key_text(body, "name", arena, &k->name, &err);
	if (rc == BUS_OK)
		rc = schema_key_text(body, "kmsType", arena, &k->kms_type, &err);
	if (rc == BUS_OK)
		rc = schema_key_text(body, "kmsKeyId", arena, &k->kms_key_id, &err);
	if (rc == BUS_OK)
		rc = schema_key_props(bus_json_get(body, "kmsProps"), arena, &k->props, &err);
	if (rc == BUS_OK)
		rc = schema_key_text(body, "doc", arena, &k->doc, &err);
	if (rc == BUS_OK)
		rc = schema_key_flag(body, "shared", &k->shared, &err);
	if (rc == BUS_OK)
		rc = schema_key_flag(body, "deleted", &k->deleted, &err);
	if (rc != BUS_OK)
		return bad_body(req, &err);
	if (!schema_key_name(req, k->name))
		return false;
	if (!k->kms_key_id || !k->kms_key_id[0] || (k->kms_type && !key_id_fits(k))) {
		schema_key_invalid(req, "kmsKeyId");
		return false;
	}
	if (!k->kms_type) {
		schema_key_invalid(req, "kmsType");
		return false;
	}
	k->kms_type = normal_type(k->kms_type);
	return fits(req, "kmsType", k->kms_type) && fits(req, "kmsKeyId", k->kms_key_id) &&
	       fits(req, "kmsProps", k->props) && fits(req, "doc", k->doc);
}

void schema_edit_create_kek(struct schema_registry *r, struct bus_http_request *req)
{
	const struct schema_keys_table *t;
	const struct schema_kek *old;
	struct schema_kek k;
	struct bus_buf answer;
	bool full, taken, was_shared;

	if (!read_kek(req, &k) || !claim(r, k.name))
		return;
	t = schema_keys_read(r->keys);
	old = schema_keys_kek(t, k.name);
	full = t->n_keks > SCHEMA_KEYS_MAX;
	/* The same again with the other `deleted` undeletes or deletes it. */
	taken = old && (old->deleted == k.deleted || !schema_kek_same(old, &k));
	was_shared = old && old->shared;
	schema_keys_done(r->keys);
	if (full) {
		schema_reply_error(req, 40972, "A maximum of %d keys already exist", SCHEMA_KEYS_MAX);
	} else if (taken) {
		schema_reply_error(req, 40971, "Key '%s' already exists; use a different value", k.name);
	} else if (k.shared && !was_shared) {
		schema_key_no_kms(req, "encrypted", k.name);
	} else {
		put_kek(r, &k);
		answer = schema_kek_json(&k);
		schema_writer_commit(r->writer, req, &answer);
	}
}

/* What the body has of kmsProps, doc and shared goes into k; null takes the first two away. */
static bool read_update(struct bus_http_request *req, struct schema_kek *k)
{
	struct bus_arena *arena = bus_http_arena(req);
	const struct bus_json *body, *props;
	struct bus_error err;
	enum bus_err rc = BUS_OK;

	if (!schema_body_json(req, &body))
		return false;
	props = bus_json_get(body, "kmsProps");
	if (props)
		rc = schema_key_props(props, arena, &k->props, &err);
	if (rc == BUS_OK && bus_json_get(body, "doc"))
		rc = schema_key_text(body, "doc", arena, &k->doc, &err);
	if (rc == BUS_OK)
		rc = schema_key_flag(body, "shared", &k->shared, &err);
	if (rc != BUS_OK)
		return bad_body(req, &err);
	return fits(req, "kmsProps", k->props) && fits(req, "doc", k->doc);
}

void schema_edit_put_kek(struct schema_registry *r, struct bus_http_request *req)
{
	const char *name = bus_http_part(req, "name");
	struct schema_kek *old, k;
	struct bus_buf answer;

	if (!schema_key_name(req, name) || !claim(r, name))
		return;
	old = kek_now(r, name);
	if (!old || old->deleted) {
		schema_key_unknown(req, name);
		free(old);
		return;
	}
	k = *old;
	if (!read_update(req, &k)) {
		;
	} else if (k.shared && !old->shared) {
		schema_key_no_kms(req, "encrypted", name);
	} else if (schema_kek_same(&k, old)) {
		answer = schema_kek_json(old);
		schema_reply(req, &answer);
	} else {
		put_kek(r, &k);
		answer = schema_kek_json(&k);
		schema_writer_commit(r->writer, req, &answer);
	}
	free(old);
}

/* A DEK of it, or only a live one. */
static bool has_deks(struct schema_registry *r, const char *kek, bool deleted_too)
{
	const struct schema_keys_table *t = schema_keys_read(r->keys);
	bool some = false;
	size_t from, to;

	schema_keys_range(t, kek, NULL, SCHEMA_ALGORITHM_ANY, &from, &to);
	for (; from < to && !some; from++)
		some = deleted_too || !t->dek[from]->deleted;
	schema_keys_done(r->keys);
	return some;
}

void schema_edit_delete_kek(struct schema_registry *r, struct bus_http_request *req)
{
	const bool permanent = schema_body_true(req, "permanent");
	const char *name = bus_http_part(req, "name");
	struct bus_buf key = { 0 };
	struct schema_kek *k;

	if (!schema_key_name(req, name) || !claim(r, name))
		return;
	k = kek_now(r, name);
	if (!k) {
		schema_key_unknown(req, name);
	} else if (has_deks(r, name, permanent)) {
		schema_reply_error(req, 42272, "One or more references exist to the key '%s'", name);
	} else if (permanent && !k->deleted) {
		schema_reply_error(req, 40471,
				   "Key '%s' was not deleted first before being permanently deleted", name);
	} else if (permanent) {
		schema_kek_key(name, &key);
		take_away(r, &key);
		done(r, req);
	} else if (!k->deleted) {
		k->deleted = true;
		put_kek(r, k);
		done(r, req);
	} else {
		nothing_to_do(req);
	}
	free(k);
}

void schema_edit_undelete_kek(struct schema_registry *r, struct bus_http_request *req)
{
	const char *name = bus_http_part(req, "name");
	struct schema_kek *k;

	if (!schema_key_name(req, name) || !claim(r, name))
		return;
	k = kek_now(r, name);
	if (!k) {
		schema_key_unknown(req, name);
	} else if (k->deleted) {
		k->deleted = false;
		put_kek(r, k);
		done(r, req);
	} else {
		nothing_to_do(req);
	}
	free(k);
}

/* --- DEKs --------------------------------------------------------------------------------------------- */

static bool read_dek(struct schema_registry *r, struct bus_http_request *req, struct schema_dek *d)
{
	const struct bus_json *body, *algorithm, *version;
	struct bus_arena *arena = bus_http_arena(req);
	const char *name = bus_http_part(req, "name");
	struct bus_error err;
	int64_t n = 1;
	enum bus_err rc;

	*d = (struct schema_dek){ .kek = name, .algorithm = SCHEMA_AES256_GCM };
	if (!schema_body_json(req, &body))
		return false;
	rc = schema_key_text(body, "subject", arena, &d->subject, &err);
	if (bus_http_part(req, "subject")[0])
		d->subject = schema_body_subject(r, req);
	if (rc == BUS_OK)
		rc = schema_key_text(body, "encryptedKeyMaterial", arena, &d->material, &err);
	if (rc == BUS_OK)
		rc = schema_key_flag(body, "deleted", &d->deleted, &err);
	algorithm = bus_json_get(body, "algorithm");
	if (rc == BUS_OK && algorithm && algorithm->type != BUS_JSON_NULL &&
	    (algorithm->type != BUS_JSON_STRING || !schema_algorithm_parse(algorithm->text, &d->algorithm)))
		rc = bus_fail(&err, BUS_EDATA, "\"algorithm\" is none of AES128_GCM, AES256_GCM, AES256_SIV");
	if (rc != BUS_OK)
		return bad_body(req, &err);
	if (!schema_key_name(req, name) || !schema_key_subject(req, d->subject))
		return false;
	version = bus_json_get(body, "version");
	if (version && version->type != BUS_JSON_NULL &&
	    (bus_json_int(version, &n) != BUS_OK || n < 1 || n > INT32_MAX)) {
		schema_key_invalid(req, "version");
		return false;
	}
	d->version = (int)n;
	return fits(req, "encryptedKeyMaterial", d->material) && fits(req, "subject", d->subject);
}

/* A subject in the body, in normal form; the path's is. */
static bool settle_subject(struct bus_http_request *req, struct schema_dek *d)
{
	char *normal;

	if (bus_http_part(req, "subject")[0])
		return true;
	normal = schema_subject_normal(d->subject);
	d->subject = bus_arena_dup(bus_http_arena(req), normal, strlen(normal));
	free(normal);
	if (!d->subject) {
		schema_key_invalid(req, "subject");
		return false;
	}
	if (schema_may(req, SCHEMA_RIGHT_WRITE, d->subject))
		return true;
	schema_reply_error(req, 40301, "User is denied operation %s on Subject: %s",
			   schema_right_name(SCHEMA_RIGHT_WRITE), d->subject);
	return false;
}

static bool imports(struct schema_registry *r, const char *subject)
{
	int mode = schema_table_mode_for(schema_store_read(r->store), subject);

	schema_store_done(r->store);
	return mode == SCHEMA_MODE_IMPORT;
}

void schema_edit_create_dek(struct schema_registry *r, struct bus_http_request *req)
{
	const bool rewrap = schema_body_true(req, "rewrap");
	bool full, kek, shared, old, taken;
	const struct schema_keys_table *t;
	const struct schema_kek *k;
	const struct schema_dek *was;
	struct schema_dek d;
	struct bus_buf answer;

	if (!read_dek(r, req, &d) || !settle_subject(req, &d) || !claim(r, d.kek))
		return;
	t = schema_keys_read(r->keys);
	k = schema_keys_kek(t, d.kek);
	was = schema_keys_dek(t, &d);
	full = t->n_deks > SCHEMA_KEYS_MAX;
	kek = k && (!k->deleted || d.deleted);
	shared = k && k->shared;
	old = was != NULL;
	taken = was && !rewrap && (was->deleted == d.deleted || !schema_dek_same(was, &d));
	schema_keys_done(r->keys);
	if (!kek) {
		schema_key_unknown(req, d.kek);
	} else if (full) {
		schema_reply_error(req, 40972, "A maximum of %d keys already exist", SCHEMA_KEYS_MAX);
	} else if (taken || (d.material && shared && old)) {
		schema_reply_error(req, 40971, "Key '%s' already exists; use a different value", d.subject);
	} else if (!d.material && !shared) {
		schema_key_invalid(req, "encryptedKeyMaterial");
	} else if (shared && !(d.material && imports(r, d.subject))) {
		schema_key_no_kms(req, d.material ? "raw" : "encrypted", d.subject);
	} else {
		put_dek(r, &d);
		answer = schema_dek_json(&d);
		schema_writer_commit(r->writer, req, &answer);
	}
}

struct some { /* copies */
	struct schema_dek **item;
	size_t n;
};

static void some_release(struct some *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->item[i]);
	free(l->item);
}

/* What the path names, deleted ones too: a version, or (-1) all of the algorithm. False: answered. `latest`
 * is the highest version here; Confluent finds that, then deletes version -1, which is nothing. */
static bool collect(struct schema_registry *r, struct bus_http_request *req, const struct schema_dek *id,
		    bool *kek_deleted, struct some *l)
{
	const struct schema_keys_table *t = schema_keys_read(r->keys);
	const struct schema_kek *k = schema_keys_kek(t, id->kek);
	const struct schema_dek *one;
	size_t from, to;
	bool kek = k != NULL;

	*kek_deleted = kek && k->deleted;
	*l = (struct some){ 0 };
	schema_keys_range(t, id->kek, id->subject, id->algorithm, &from, &to);
	l->item = bus_xcalloc(to - from + 1, sizeof(struct schema_dek *));
	if (kek && id->version >= 0) {
		one = schema_keys_find(t, id, true);
		if (one)
			l->item[l->n++] = schema_dek_copy(one);
	} else if (kek) {
		for (; from < to; from++)
			l->item[l->n++] = schema_dek_copy(t->dek[from]);
	}
	schema_keys_done(r->keys);
	if (!kek)
		schema_key_unknown(req, id->kek);
	else if (l->n == 0)
		schema_key_unknown(req, id->subject);
	if (l->n == 0)
		some_release(l);
	return l->n > 0;
}

static bool all_deleted(const struct some *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->item[i]->deleted)
			return false;
	return true;
}

/* Gives those that are not so already the mark; 0: there are none. */
static size_t mark(struct schema_registry *r, struct some *l, bool deleted)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->item[i]->deleted != deleted) {
			l->item[i]->deleted = deleted;
			put_dek(r, l->item[i]);
			n++;
		}
	return n;
}

void schema_edit_delete_deks(struct schema_registry *r, struct bus_http_request *req)
{
	const bool permanent = schema_body_true(req, "permanent");
	struct bus_buf key = { 0 };
	struct schema_dek id;
	bool kek_deleted;
	struct some l;

	if (!schema_key_path(r, req, -1, &id) || !claim(r, id.kek) || !collect(r, req, &id, &kek_deleted, &l))
		return;
	if (permanent && !all_deleted(&l)) {
		schema_reply_error(req, 40471,
				   "Key '%s' was not deleted first before being permanently deleted",
				   id.subject);
	} else if (permanent) {
		for (size_t i = 0; i < l.n; i++) {
			schema_dek_key(l.item[i], &key);
			take_away(r, &key);
		}
		done(r, req);
	} else if (mark(r, &l, true) > 0) {
		done(r, req);
	} else {
		nothing_to_do(req);
	}
	some_release(&l);
}

void schema_edit_undelete_deks(struct schema_registry *r, struct bus_http_request *req)
{
	struct schema_dek id;
	bool kek_deleted;
	struct some l;

	if (!schema_key_path(r, req, -1, &id) || !claim(r, id.kek) || !collect(r, req, &id, &kek_deleted, &l))
		return;
	if (kek_deleted)
		schema_reply_error(req, 40472, "Key '%s' must be undeleted first", id.kek);
	else if (mark(r, &l, false) > 0)
		done(r, req);
	else
		nothing_to_do(req);
	some_release(&l);
}
