#include "schemas/registry.h"

static struct bus_json_out begin(struct bus_buf *b)
{
	return (struct bus_json_out){ .buf = b };
}

static void reply_texts(struct bus_http_request *req, char *const *item, size_t from, size_t to)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = begin(&b);

	bus_json_array(&j);
	for (size_t i = from; i < to; i++)
		bus_json_put_text(&j, item[i]);
	bus_json_array_end(&j);
	schema_reply(req, &b);
}

static void reply_version(struct bus_http_request *req, const struct schema_version *v, int show)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = begin(&b);

	bus_json_object(&j);
	schema_put_version(&j, v, show);
	bus_json_object_end(&j);
	schema_reply(req, &b);
}

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
	bus_buf_puts(&b, "[\"AVRO\"]");
	schema_reply(req, &b);
}

void schema_read_contexts(void *ctx, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_buf_puts(&b, "[\".\"]");
	schema_reply(req, &b);
}

/* ":*:" is Confluent's "in every context"; there is the default one here. */
static const char *prefix_of(struct bus_http_request *req)
{
	const char *p = bus_http_query(req, "subjectPrefix");

	if (!p)
		return "";
	return strncmp(p, ":*:", 3) == 0 || strncmp(p, ":.:", 3) == 0 ? p + 3 : p;
}

void schema_read_schemas(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct schema_version_list l;
	struct bus_buf b = { 0 };
	struct bus_json_out j = begin(&b);
	bool latest = schema_body_true(req, "latestOnly");
	size_t from, to, n = 0;

	schema_store_all(r->store, prefix_of(req), schema_body_deleted(req), &l);
	schema_may_versions(req, &l);
	for (size_t i = 0; i < l.n; i++) {
		bool last = i + 1 == l.n || strcmp(l.item[i].subject, l.item[i + 1].subject) != 0;

		if (latest && !last)
			schema_version_release(&l.item[i]);
		else if (n++ != i) {
			l.item[n - 1] = l.item[i];
			memset(&l.item[i], 0, sizeof(l.item[i]));
		}
	}
	l.n = n;
	schema_body_window(req, l.n, &from, &to);
	bus_json_array(&j);
	for (size_t i = from; i < to; i++) {
		bus_json_object(&j);
		schema_put_version(&j, &l.item[i], SCHEMA_SHOW_PLACE);
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	schema_version_list_release(&l);
	schema_reply(req, &b);
}

/* The text of {id}; else answered 40403. */
static bool find_id(struct schema_registry *r, struct bus_http_request *req, struct schema_version *out)
{
	int32_t id;

	if (!schema_body_id(req, &id))
		return false;
	if (schema_store_text(r->store, id, out, NULL) == BUS_OK) {
		if (schema_may_id(r, req, id, out->subject))
			return true;
		schema_version_release(out);
	}
	schema_reply_error(req, 40403, "Schema %d not found", (int)id);
	return false;
}

void schema_read_id(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct schema_version v;
	struct bus_buf b = { 0 };
	struct bus_json_out j = begin(&b);

	if (!find_id(r, req, &v))
		return;
	bus_json_object(&j);
	schema_put_version(&j, &v, 0);
	if (schema_body_true(req, "fetchMaxId")) {
		bus_json_key(&j, "maxId");
		bus_json_put_int(&j, schema_store_highest_id(r->store));
	}
	bus_json_object_end(&j);
	schema_version_release(&v);
	schema_reply(req, &b);
}

static void reply_text(struct bus_http_request *req, struct schema_version *v)
{
	struct bus_buf b = { 0 };

	bus_buf_puts(&b, v->text);
	schema_version_release(v);
	schema_reply(req, &b);
}

void schema_read_id_schema(void *ctx, struct bus_http_request *req)
{
	struct schema_version v;

	if (find_id(ctx, req, &v))
		reply_text(req, &v);
}

/* Where {id} is used, filtered by `subject`. */
static bool find_uses(struct schema_registry *r, struct bus_http_request *req, struct schema_version_list *l)
{
	struct schema_version v;

	if (!find_id(r, req, &v))
		return false;
	schema_store_uses(r->store, v.id, schema_body_deleted(req), l);
	schema_may_versions(req, l);
	schema_version_release(&v);
	return true;
}

static bool of_subject(struct bus_http_request *req, const struct schema_version *v)
{
	const char *subject = bus_http_query(req, "subject");

	return !subject || strcmp(v->subject, subject) == 0;
}

void schema_read_id_subjects(void *ctx, struct bus_http_request *req)
{
	struct schema_version_list l;
	size_t n = 0, from, to;
	char **name;

	if (!find_uses(ctx, req, &l))
		return;
	name = bus_xcalloc(l.n + 1, sizeof(*name));
	for (size_t i = 0; i < l.n; i++)
		if (of_subject(req, &l.item[i]) && (n == 0 || strcmp(name[n - 1], l.item[i].subject) != 0))
			name[n++] = l.item[i].subject;
	schema_body_window(req, n, &from, &to);
	reply_texts(req, name, from, to);
	free(name);
	schema_version_list_release(&l);
}

void schema_read_id_versions(void *ctx, struct bus_http_request *req)
{
	struct schema_version_list l;
	struct bus_buf b = { 0 };
	struct bus_json_out j = begin(&b);
	size_t from, to;

	if (!find_uses(ctx, req, &l))
		return;
	schema_body_window(req, l.n, &from, &to);
	bus_json_array(&j);
	for (size_t i = from; i < to; i++) {
		if (!of_subject(req, &l.item[i]))
			continue;
		bus_json_object(&j);
		bus_json_key(&j, "subject");
		bus_json_put_text(&j, l.item[i].subject);
		bus_json_key(&j, "version");
		bus_json_put_int(&j, l.item[i].version);
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	schema_version_list_release(&l);
	schema_reply(req, &b);
}

void schema_read_subjects(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct schema_name_list l;
	size_t from, to;

	schema_store_subjects(r->store, prefix_of(req), schema_body_deleted(req), &l);
	schema_may_names(req, &l);
	schema_body_window(req, l.n, &from, &to);
	reply_texts(req, l.item, from, to);
	schema_name_list_release(&l);
}

void schema_read_versions(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = schema_body_subject(req);
	struct schema_version_list l;
	struct bus_buf b = { 0 };
	struct bus_json_out j = begin(&b);
	size_t from, to;

	schema_store_versions(r->store, subject, schema_body_deleted(req), &l);
	if (l.n == 0) {
		schema_version_list_release(&l);
		schema_reply_subject_unknown(req, subject);
		return;
	}
	schema_body_window(req, l.n, &from, &to);
	bus_json_array(&j);
	for (size_t i = from; i < to; i++)
		bus_json_put_int(&j, l.item[i].version);
	bus_json_array_end(&j);
	schema_version_list_release(&l);
	schema_reply(req, &b);
}

/* {subject}/{version}: live, or soft-deleted when `deleted` asks for it; else answered. */
static bool find_version(struct schema_registry *r, struct bus_http_request *req, struct schema_version *out)
{
	const char *subject = schema_body_subject(req);
	bool with_deleted = schema_body_true(req, "deleted");
	struct schema_version_list l;
	size_t n;
	int version;

	memset(out, 0, sizeof(*out));
	if (!schema_body_version(req, &version))
		return false;
	schema_store_versions(r->store, subject, with_deleted ? SCHEMA_WITH_DELETED : SCHEMA_LIVE, &l);
	n = l.n;
	for (size_t i = l.n; i > 0 && !out->subject; i--)
		if (version == SCHEMA_VERSION_LATEST || l.item[i - 1].version == version) {
			*out = l.item[i - 1];
			memset(&l.item[i - 1], 0, sizeof(l.item[i - 1]));
		}
	schema_version_list_release(&l);
	if (out->subject)
		return true;
	if (n == 0)
		schema_reply_subject_unknown(req, subject);
	else
		schema_reply_version_unknown(req, version);
	return false;
}

void schema_read_version(void *ctx, struct bus_http_request *req)
{
	struct schema_version v;

	if (!find_version(ctx, req, &v))
		return;
	reply_version(req, &v, SCHEMA_SHOW_PLACE);
	schema_version_release(&v);
}

void schema_read_version_schema(void *ctx, struct bus_http_request *req)
{
	struct schema_version v;

	if (find_version(ctx, req, &v))
		reply_text(req, &v);
}

void schema_read_referrers(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct schema_version_list l;
	struct schema_version v;
	struct bus_buf b = { 0 };
	struct bus_json_out j = begin(&b);

	if (!find_version(r, req, &v))
		return;
	schema_store_referrers(r->store, v.subject, v.version, schema_body_deleted(req), &l);
	schema_may_versions(req, &l);
	schema_version_release(&v);
	bus_json_array(&j);
	for (size_t i = 0; i < l.n; i++)
		bus_json_put_int(&j, l.item[i].id);
	bus_json_array_end(&j);
	schema_version_list_release(&l);
	schema_reply(req, &b);
}

static bool has_versions(struct schema_registry *r, const char *subject, enum schema_deleted which)
{
	struct schema_version_list l;
	bool some;

	schema_store_versions(r->store, subject, which, &l);
	some = l.n > 0;
	schema_version_list_release(&l);
	return some;
}

void schema_read_lookup(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = schema_body_subject(req);
	enum schema_deleted which = schema_body_true(req, "deleted") ? SCHEMA_WITH_DELETED : SCHEMA_LIVE;
	struct schema_version wanted, found;

	if (!has_versions(r, subject, which)) {
		schema_reply_subject_unknown(req, subject);
		return;
	}
	if (!schema_body_schema(r, req, SCHEMA_LENIENT, &wanted))
		return;
	if (schema_store_find(r->store, subject, which, &wanted, &found, NULL) == BUS_OK) {
		reply_version(req, &found, SCHEMA_SHOW_PLACE);
		schema_version_release(&found);
	} else {
		schema_reply_error(req, 40403, "Schema not found");
	}
	schema_version_release(&wanted);
}

static void reply_compatible(struct bus_http_request *req, bool ok, const struct schema_messages *why)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = begin(&b);

	bus_json_object(&j);
	bus_json_key(&j, "is_compatible");
	bus_json_put_bool(&j, ok);
	if (schema_body_true(req, "verbose")) {
		bus_json_key(&j, "messages");
		bus_json_array(&j);
		for (size_t i = 0; i < why->n; i++)
			bus_json_put_text(&j, why->item[i]);
		bus_json_array_end(&j);
	}
	bus_json_object_end(&j);
	schema_reply(req, &b);
}

/* .../versions/{version}: against that one; .../versions: against all that the level looks at. */
void schema_read_compatibility(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = schema_body_subject(req);
	bool one = strstr(bus_http_path(req), "/versions/") != NULL;
	struct schema_version_list l;
	struct schema_version candidate;
	struct schema_messages why = { 0 };
	int version = SCHEMA_VERSION_LATEST;
	bool ok;

	if (one && !schema_body_version(req, &version))
		return;
	if (!schema_body_schema(r, req, SCHEMA_STRICT, &candidate))
		return;
	schema_store_versions(r->store, subject, SCHEMA_LIVE, &l);
	if (one) {
		size_t keep = 0;

		for (size_t i = 0; i < l.n; i++)
			if (l.item[i].version == version ||
			    (version == SCHEMA_VERSION_LATEST && i + 1 == l.n))
				l.item[keep++] = l.item[i];
			else
				schema_version_release(&l.item[i]);
		l.n = keep;
	}
	if (one && l.n == 0 && version != SCHEMA_VERSION_LATEST) {
		schema_reply_version_unknown(req, version);
	} else {
		ok = schema_registry_compatible(schema_store_level(r->store, subject), &candidate, &l, &why);
		reply_compatible(req, ok, &why);
	}
	schema_messages_release(&why);
	schema_version_list_release(&l);
	schema_version_release(&candidate);
}

/* Takes text. */
static void reply_setting(struct bus_http_request *req, char *text)
{
	struct bus_buf b = { 0 };

	bus_buf_puts(&b, text);
	free(text);
	schema_reply(req, &b);
}

static bool is_global(struct bus_http_request *req)
{
	return !strchr(bus_http_path(req) + 1, '/');
}

void schema_read_config(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = is_global(req) ? NULL : schema_body_subject(req);
	char *text = schema_store_config(r->store, subject);

	if (!text && subject && !schema_body_true(req, "defaultToGlobal")) {
		schema_reply_error(
		    req, 40408, "Subject '%s' does not have subject-level compatibility configured", subject);
		return;
	}
	if (!text && subject)
		text = schema_store_config(r->store, NULL);
	reply_setting(req, text ? text : bus_xstrdup("{\"compatibilityLevel\":\"BACKWARD\"}"));
}

void schema_read_mode(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *subject = is_global(req) ? NULL : schema_body_subject(req);
	char *text = schema_store_mode(r->store, subject);

	if (!text && subject && !schema_body_true(req, "defaultToGlobal")) {
		schema_reply_error(req, 40409, "Subject '%s' does not have subject-level mode configured",
				   subject);
		return;
	}
	if (!text && subject)
		text = schema_store_mode(r->store, NULL);
	reply_setting(req, text ? text : bus_xstrdup("{\"mode\":\"READWRITE\"}"));
}
