#include "bus/utf8.h"
#include "schemas/registry.h"
#include "schemas/store_record.h"

#define SUBJECT_MAX 255

static struct bus_buf key_of(enum schema_record_kind kind, const char *subject, int version)
{
	struct bus_buf b = { 0 };

	schema_record_key(kind, subject, version, &b);
	return b;
}

/* Takes both buffers. */
static void put(struct schema_registry *r, struct bus_buf key, struct bus_buf *value)
{
	schema_writer_put(r->writer, &key, value);
	bus_buf_release(&key);
	if (value)
		bus_buf_release(value);
}

/* The subject is writable; else answered 42205. */
static bool writable(struct schema_registry *r, struct bus_http_request *req, const char *subject)
{
	char *mode = subject ? schema_store_mode(r->store, subject) : NULL;
	char name[32] = "";

	if (!mode)
		mode = schema_store_mode(r->store, NULL);
	if (mode)
		(void)schema_record_member(bus_str(mode), "mode", name, sizeof(name));
	free(mode);
	if (strncmp(name, "READONLY", 8) != 0)
		return true;
	if (subject)
		schema_reply_error(req, 42205, "Subject '%s' is in read-only mode", subject);
	else
		schema_reply_error(req, 42205, "The registry is in read-only mode");
	return false;
}

static struct bus_buf ints(const struct schema_version_list *l)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_array(&j);
	for (size_t i = 0; i < l->n; i++)
		bus_json_put_int(&j, l->item[i].version);
	bus_json_array_end(&j);
	return b;
}

static struct bus_buf registered(const struct schema_version *v)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	schema_put_version(&j, v, SCHEMA_SHOW_ID);
	bus_json_object_end(&j);
	return b;
}

/* --- schemas ---------------------------------------------------------------------------------------- */

static bool good_subject(struct bus_http_request *req, const char *subject)
{
	size_t n = strlen(subject);

	for (const char *p = subject; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			goto bad;
	/* What is not UTF-8 could be written, and never read back. */
	if (n <= SUBJECT_MAX && bus_utf8_ok(subject, n) == n && subject[0] != ':' &&
	    strcmp(subject, "__GLOBAL") != 0 && strcmp(subject, "__EMPTY") != 0)
		return true;
bad:
	schema_reply_error(req, 42208, "The specified subject '%s' is not a valid subject.", subject);
	return false;
}

static bool compatible(struct schema_registry *r, struct bus_http_request *req,
		       const struct schema_version *v)
{
	struct schema_messages why = { 0 };
	struct schema_version_list l;
	struct bus_buf details = { 0 };
	bool ok;

	schema_store_versions(r->store, v->subject, SCHEMA_LIVE, &l);
	ok = schema_registry_compatible(schema_store_level(r->store, v->subject), v, &l, &why);
	schema_version_list_release(&l);
	if (!ok) {
		for (size_t i = 0; i < why.n; i++)
			bus_buf_printf(&details, "%s%s", i ? ", " : "", why.item[i]);
		schema_reply_error(
		    req, 409,
		    "Schema being registered is incompatible with an earlier schema for subject "
		    "\"%s\", details: [%s]",
		    v->subject, bus_buf_cstr(&details));
		bus_buf_release(&details);
	}
	schema_messages_release(&why);
	return ok;
}

/* A schema that refers to others depends on more than one can name before they are looked up. */
static bool see_references(struct schema_registry *r, struct bus_http_request *req)
{
	const struct bus_json *body, *refs;

	if (!schema_body_json(req, &body))
		return false;
	refs = bus_json_get(body, "references");
	return !refs || refs->n == 0 || schema_writer_alone(r->writer, req);
}

static bool claim(struct schema_registry *r, const struct schema_version *v)
{
	return schema_writer_claim(r->writer, SCHEMA_CLAIM_SUBJECT, v->subject, strlen(v->subject)) &&
	       schema_writer_claim(r->writer, SCHEMA_CLAIM_TEXT, v->text, strlen(v->text));
}

void schema_edit_register(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = schema_body_subject(req);
	struct schema_version wanted = { 0 }, found = { 0 };
	struct bus_buf value = { 0 }, answer;

	if (!good_subject(req, subject) || !see_references(r, req) ||
	    !schema_body_schema(r, req, SCHEMA_LENIENT, &wanted))
		return;
	wanted.subject = bus_xstrdup(subject);
	if (!claim(r, &wanted))
		goto out;
	if (schema_store_find(r->store, subject, SCHEMA_LIVE, &wanted, &found, NULL) == BUS_OK) {
		answer = registered(&found);
		schema_reply(req, &answer);
		goto out;
	}
	/* Only a schema that is new here must be as strict as Confluent wants new ones. */
	schema_version_release(&wanted);
	if (!writable(r, req, subject) || !schema_body_schema(r, req, SCHEMA_STRICT, &wanted))
		goto out;
	wanted.subject = bus_xstrdup(subject);
	if (!compatible(r, req, &wanted))
		goto out;
	/* The log has been read to its end: ids seen there are never given again. */
	if (schema_store_find_id(r->store, &wanted, &wanted.id, NULL) != BUS_OK) {
		wanted.id = schema_writer_next_id(r->writer, "", schema_store_highest_id(r->store));
		if (wanted.id == 0) {
			schema_reply_error(req, 50001, "No schema id is left");
			goto out;
		}
	}
	wanted.version = schema_store_highest_version(r->store, subject);
	if (wanted.version == INT32_MAX) {
		schema_reply_error(req, 50001, "No version of '%s' is left", subject);
		goto out;
	}
	wanted.version++;
	schema_record_schema(&wanted, &value);
	put(r, key_of(SCHEMA_RECORD_SCHEMA, subject, wanted.version), &value);
	answer = registered(&wanted);
	schema_writer_commit(r->writer, req, &answer);
out:
	schema_version_release(&found);
	schema_version_release(&wanted);
}

/* Nothing may be deleted that a live schema refers to; version 0: any version. Else answered 42206. */
static bool unreferenced(struct schema_registry *r, struct bus_http_request *req, const char *subject,
			 int version)
{
	struct schema_version_list l;
	bool none;

	schema_store_referrers(r->store, subject, version, SCHEMA_LIVE, &l);
	none = l.n == 0;
	schema_version_list_release(&l);
	if (!none)
		schema_reply_error(
		    req, 42206,
		    "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%s,"
		    "version=%d}.",
		    subject, version);
	return none;
}

/* A subject without live versions keeps no settings of its own. */
static void drop_settings(struct schema_registry *r, const char *subject)
{
	char *mode = schema_store_mode(r->store, subject);
	char *config = schema_store_config(r->store, subject);

	if (mode)
		put(r, key_of(SCHEMA_RECORD_MODE, subject, 0), NULL);
	if (config)
		put(r, key_of(SCHEMA_RECORD_CONFIG, subject, 0), NULL);
	free(mode);
	free(config);
}

/* Before a tombstone: compaction may take the last record that had the highest id. */
static void remember_highest_id(struct schema_registry *r)
{
	struct bus_buf value = { 0 };

	schema_record_noop(schema_store_highest_id(r->store), &value);
	put(r, key_of(SCHEMA_RECORD_NOOP, NULL, 0), &value);
}

void schema_edit_delete_subject(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = schema_body_subject(req);
	bool permanent = schema_body_true(req, "permanent");
	struct schema_version_list live, all;
	struct bus_buf answer;

	schema_store_versions(r->store, subject, SCHEMA_LIVE, &live);
	schema_store_versions(r->store, subject, SCHEMA_WITH_DELETED, &all);
	if (all.n == 0)
		schema_reply_subject_unknown(req, subject);
	else if (!permanent && live.n == 0)
		schema_reply_error(req, 40404,
				   "Subject '%s' was soft deleted. Set permanent=true to delete permanently",
				   subject);
	else if (permanent && live.n > 0)
		schema_reply_error(req, 40405,
				   "Subject '%s' was not deleted first before being permanently deleted",
				   subject);
	if (all.n == 0 || permanent != (live.n == 0) || !writable(r, req, subject) ||
	    !unreferenced(r, req, subject, 0))
		goto out;
	if (permanent) {
		remember_highest_id(r);
		for (size_t i = 0; i < all.n; i++)
			put(r, key_of(SCHEMA_RECORD_SCHEMA, subject, all.item[i].version), NULL);
	} else {
		struct bus_buf value = { 0 };

		schema_record_delete_subject(subject, live.item[live.n - 1].version, &value);
		put(r, key_of(SCHEMA_RECORD_DELETE_SUBJECT, subject, 0), &value);
		drop_settings(r, subject);
	}
	answer = ints(permanent ? &all : &live);
	schema_writer_commit(r->writer, req, &answer);
out:
	schema_version_list_release(&live);
	schema_version_list_release(&all);
}

/* The version a DELETE names; else answered. */
static bool find_to_delete(struct schema_registry *r, struct bus_http_request *req, bool permanent,
			   struct schema_version *out, size_t *live)
{
	const char *subject = schema_body_subject(req);
	struct schema_version_list l;
	int version;

	memset(out, 0, sizeof(*out));
	*live = 0;
	if (!schema_body_version(req, &version))
		return false;
	schema_store_versions(r->store, subject, SCHEMA_WITH_DELETED, &l);
	if (l.n == 0) {
		schema_version_list_release(&l);
		schema_reply_subject_unknown(req, subject);
		return false;
	}
	for (size_t i = l.n; i > 0; i--) {
		struct schema_version *v = &l.item[i - 1];

		*live += !v->deleted;
		if (out->subject || (version != SCHEMA_VERSION_LATEST && v->version != version) ||
		    (version == SCHEMA_VERSION_LATEST && v->deleted && !permanent))
			continue;
		*out = *v;
		memset(v, 0, sizeof(*v));
	}
	schema_version_list_release(&l);
	if (!out->subject)
		schema_reply_version_unknown(req, version);
	else if (!permanent && out->deleted)
		schema_reply_error(
		    req, 40406,
		    "Subject '%s' Version %d was soft deleted. Set permanent=true to delete permanently",
		    subject, out->version);
	else if (permanent && !out->deleted)
		schema_reply_error(
		    req, 40407,
		    "Subject '%s' Version %d was not deleted first before being permanently deleted", subject,
		    out->version);
	else
		return true;
	schema_version_release(out);
	return false;
}

void schema_edit_delete_version(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = schema_body_subject(req);
	bool permanent = schema_body_true(req, "permanent");
	struct bus_buf b = { 0 }, answer = { 0 };
	struct schema_version v;
	size_t live;

	if (!find_to_delete(r, req, permanent, &v, &live))
		return;
	if (!writable(r, req, subject) || !unreferenced(r, req, subject, v.version))
		goto out;
	if (permanent) {
		remember_highest_id(r);
		put(r, key_of(SCHEMA_RECORD_SCHEMA, subject, v.version), NULL);
	} else {
		v.deleted = true;
		schema_record_schema(&v, &b);
		put(r, key_of(SCHEMA_RECORD_SCHEMA, subject, v.version), &b);
		if (live == 1)
			drop_settings(r, subject);
	}
	bus_buf_printf(&answer, "%d", v.version);
	schema_writer_commit(r->writer, req, &answer);
out:
	schema_version_release(&v);
}

/* --- settings --------------------------------------------------------------------------------------- */

static const char *subject_or_null(struct bus_http_request *req)
{
	return strchr(bus_http_path(req) + 1, '/') ? schema_body_subject(req) : NULL;
}

void schema_edit_put_config(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = subject_or_null(req);
	const struct bus_json *body, *given;
	struct bus_buf value = { 0 }, echo = { 0 };
	enum schema_level level;
	char name[32];

	if ((subject && !good_subject(req, subject)) || !schema_body_json(req, &body))
		return;
	given = bus_json_get(body, "compatibility");
	if (!given)
		given = bus_json_get(body, "compatibilityLevel");
	if (!given || given->type != BUS_JSON_STRING || given->text.n >= sizeof(name))
		goto invalid;
	for (size_t i = 0; i < given->text.n; i++)
		name[i] = (char)(given->text.p[i] >= 'a' && given->text.p[i] <= 'z' ? given->text.p[i] - 32
										    : given->text.p[i]);
	name[given->text.n] = '\0';
	if (schema_level_parse(name, &level) != BUS_OK)
		goto invalid;
	bus_buf_printf(&value, "{\"compatibilityLevel\":\"%s\"}", schema_level_name(level));
	put(r, key_of(SCHEMA_RECORD_CONFIG, subject, 0), &value);
	bus_buf_printf(&echo, "{\"compatibility\":\"%s\"}", schema_level_name(level));
	schema_writer_commit(r->writer, req, &echo);
	return;
invalid:
	schema_reply_error(req, 42203,
			   "Invalid compatibility level. Valid values are none, backward, forward, full, "
			   "backward_transitive, forward_transitive, and full_transitive");
}

/* Takes old: what stood there, which is the answer. */
static void delete_setting(struct schema_registry *r, struct bus_http_request *req,
			   enum schema_record_kind kind, const char *subject, char *old, const char *fallback)
{
	struct bus_buf b = { 0 };

	if (!old && subject) {
		schema_reply_subject_unknown(req, subject);
		return;
	}
	put(r, key_of(kind, subject, 0), NULL);
	bus_buf_puts(&b, old ? old : fallback);
	schema_writer_commit(r->writer, req, &b);
	free(old);
}

void schema_edit_delete_config(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = subject_or_null(req);

	delete_setting(r, req, SCHEMA_RECORD_CONFIG, subject, schema_store_config(r->store, subject),
		       "{\"compatibilityLevel\":\"BACKWARD\"}");
}

void schema_edit_put_mode(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = subject_or_null(req);
	const struct bus_json *body, *given;
	struct bus_buf value = { 0 }, echo = { 0 };

	if ((subject && !good_subject(req, subject)) || !schema_body_json(req, &body))
		return;
	given = bus_json_get(body, "mode");
	if (!given || given->type != BUS_JSON_STRING ||
	    (!bus_str_is(given->text, "READWRITE") && !bus_str_is(given->text, "READONLY"))) {
		schema_reply_error(req, 42204, "Invalid mode. Valid values are READWRITE and READONLY");
		return;
	}
	bus_buf_printf(&value, "{\"mode\":\"%.*s\"}", (int)given->text.n, given->text.p);
	bus_buf_put(&echo, value.p, value.n);
	put(r, key_of(SCHEMA_RECORD_MODE, subject, 0), &value);
	schema_writer_commit(r->writer, req, &echo);
}

void schema_edit_delete_mode(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = subject_or_null(req);

	delete_setting(r, req, SCHEMA_RECORD_MODE, subject, schema_store_mode(r->store, subject),
		       "{\"mode\":\"READWRITE\"}");
}
