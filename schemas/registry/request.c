/* The schema in a request's body. */
#include "schemas/avro/canon.h"
#include "schemas/avro/normal.h"
#include "schemas/registry/registry.h"
#include "schemas/kinds/kind.h"

void schema_request_release(struct schema_request *q)
{
	schema_version_release(&q->v);
}

void schema_request_copy(const struct schema_request *from, struct schema_request *to)
{
	*to = *from;
	to->v.schema = NULL;
	to->v.subject = bus_xstrdup(from->v.subject);
	to->v.text = from->v.text ? bus_xstrdup(from->v.text) : NULL;
	to->v.type = bus_xstrdup(from->v.type);
	to->v.extra = from->v.extra ? bus_xstrdup(from->v.extra) : NULL;
	to->v.reference = bus_xcalloc(from->v.n_references + 1, sizeof(*to->v.reference));
	for (size_t i = 0; i < from->v.n_references; i++)
		to->v.reference[i] =
		    (struct schema_store_reference){ bus_xstrdup(from->v.reference[i].name),
						     bus_xstrdup(from->v.reference[i].subject),
						     from->v.reference[i].version };
}

bool schema_request_empty(const struct schema_request *q)
{
	return !q->v.text || q->v.text[strspn(q->v.text, " \t\r\n")] == '\0';
}

static bool is_null(const struct bus_json *v)
{
	return !v || v->type == BUS_JSON_NULL;
}

static enum bus_err take_text(const struct bus_json *o, const char *name, char **out, struct bus_error *err)
{
	const struct bus_json *v = bus_json_get(o, name);

	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_STRING || memchr(v->text.p, '\0', v->text.n))
		return bus_fail(err, BUS_EDATA, "\"%s\" is not text", name);
	*out = bus_xstrndup(v->text.p, v->text.n);
	return BUS_OK;
}

static enum bus_err take_int(const struct bus_json *o, const char *name, int32_t *out, struct bus_error *err)
{
	const struct bus_json *v = bus_json_get(o, name);
	int64_t n;

	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_NUMBER || bus_json_int(v, &n) != BUS_OK || n < INT32_MIN || n > INT32_MAX)
		return bus_fail(err, BUS_EDATA, "\"%s\" is not a whole number", name);
	*out = (int32_t)n;
	return BUS_OK;
}

static enum bus_err take_references(const struct bus_json *body, struct schema_version *v,
				    struct bus_error *err)
{
	const struct bus_json *list = bus_json_get(body, "references");

	if (is_null(list))
		return BUS_OK;
	if (list->type != BUS_JSON_ARRAY)
		return bus_fail(err, BUS_EDATA, "\"references\" is not a list");
	if (list->n > SCHEMA_STORE_REFERENCES_MAX)
		return bus_fail(err, BUS_EDATA, "more than %d references", SCHEMA_STORE_REFERENCES_MAX);
	v->reference = bus_xcalloc(list->n + 1, sizeof(*v->reference));
	for (const struct bus_json *c = list->first; c; c = c->next) {
		struct schema_store_reference *ref = &v->reference[v->n_references++];
		enum bus_err rc = BUS_EDATA;

		if (c->type == BUS_JSON_OBJECT)
			rc = take_text(c, "name", &ref->name, err);
		if (rc == BUS_OK)
			rc = take_text(c, "subject", &ref->subject, err);
		if (rc == BUS_OK)
			rc = take_int(c, "version", &ref->version, err);
		if (rc != BUS_OK)
			return bus_fail(err, BUS_EDATA, "a reference has name, subject and version");
		if (!ref->name || !ref->subject || is_null(bus_json_get(c, "version")))
			return bus_fail(err, BUS_ESCHEMA,
					"Invalid schema of type %s, details: Invalid reference: a reference "
					"has name, subject and version",
					v->type);
	}
	return BUS_OK;
}

/* A descriptor in base64; the text of a .proto has a space or a semicolon. */
static bool is_descriptor(const struct schema_version *v)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";

	return strcmp(v->type, "PROTOBUF") == 0 && v->text && v->text[strspn(v->text, base64)] == '\0';
}

static enum bus_err read_body(const struct bus_json *body, struct bus_arena *arena, struct schema_request *q,
			      struct bus_error *err)
{
	const struct bus_json *propagate = bus_json_get(body, "propagateSchemaTags");
	enum bus_err rc;

	rc = take_text(body, "schemaType", &q->v.type, err);
	if (rc == BUS_OK && !q->v.type)
		q->v.type = bus_xstrdup("AVRO");
	if (rc == BUS_OK)
		rc = take_text(body, "schema", &q->v.text, err);
	if (rc == BUS_OK && is_descriptor(&q->v))
		q->sent = bus_arena_dup(arena, q->v.text, strlen(q->v.text));
	if (rc == BUS_OK)
		rc = take_int(body, "id", &q->id, err);
	if (rc == BUS_OK)
		rc = take_int(body, "version", &q->version, err);
	if (rc == BUS_OK)
		rc = take_references(body, &q->v, err);
	if (rc == BUS_OK)
		rc = schema_metadata_read(bus_json_get(body, "metadata"), arena, &q->metadata, err);
	if (rc == BUS_OK)
		rc = schema_rule_set_read(bus_json_get(body, "ruleSet"), arena, &q->rules, err);
	q->propagate_tags = propagate && propagate->type == BUS_JSON_TRUE;
	q->tags_to_add = bus_json_get(body, "schemaTagsToAdd");
	q->tags_to_remove = bus_json_get(body, "schemaTagsToRemove");
	return rc;
}

bool schema_request_read(struct bus_http_request *req, const char *subject, struct schema_request *q)
{
	const struct bus_json *body;
	struct bus_error err;
	enum bus_err rc;

	*q = (struct schema_request){ .id = -1, .req = req };
	if (!schema_body_json(req, &body))
		return false;
	q->v.subject = bus_xstrdup(subject);
	rc = read_body(body, bus_http_arena(req), q, &err);
	if (rc == BUS_OK && schema_rule_set_check(q->rules, &err) == BUS_OK)
		return true;
	if (rc == BUS_OK)
		schema_reply_error(req, 42210, "%s", err.text);
	else if (rc == BUS_EDATA)
		schema_reply_error(req, 400, "%s", err.text);
	else
		schema_request_refuse(req, &err);
	schema_request_release(q);
	return false;
}

void schema_request_refuse(struct bus_http_request *req, const struct bus_error *err)
{
	if (err->code == BUS_ETOOBIG)
		schema_reply_error(req, 42209, "Schema too large: %s", err->text);
	else
		schema_reply_error(req, 42201, "%s", err->text);
}

void schema_request_seal(struct schema_request *q)
{
	struct bus_buf b = { 0 };

	schema_meta_members(q->metadata, q->rules, &b);
	free(q->v.extra);
	q->v.extra = b.n > 0 ? bus_buf_take(&b, NULL) : bus_xstrdup("");
	schema_record_guid(bus_str(q->v.text), q->v.reference, q->v.n_references, q->metadata, q->rules,
			   q->v.guid);
}

static void set_text(struct schema_version *v, struct bus_buf *text)
{
	free(v->text);
	v->text = bus_buf_take(text, NULL);
}

/* What they may not read is not there. */
static enum bus_err may_refer(const struct schema_request *q, struct bus_error *err)
{
	for (size_t i = 0; i < q->v.n_references; i++) {
		char *subject = schema_subject_seen_from(q->v.subject, q->v.reference[i].subject);
		bool may = schema_may(q->req, SCHEMA_RIGHT_READ, subject);

		if (!may)
			bus_fail(err, BUS_ENOENT,
				 "No schema reference found for subject \"%s\" and version %d", subject,
				 q->v.reference[i].version);
		free(subject);
		if (!may)
			return BUS_ENOENT;
	}
	return BUS_OK;
}

static enum bus_err parse_avro(const struct schema_closure *needed, struct schema_request *q, int flags,
			       bool normalize, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	enum bus_err rc;

	schema_unref(&q->v.schema);
	rc = schema_closure_parse(needed, &q->v, flags, err);
	if (rc == BUS_OK && normalize) {
		schema_normalize(q->v.schema, SCHEMA_NORMAL_REFER, &text);
		set_text(&q->v, &text);
		schema_unref(&q->v.schema);
		rc = schema_closure_parse(needed, &q->v, SCHEMA_LENIENT, err);
	}
	if (rc != BUS_OK)
		return rc;
	schema_to_string(q->v.schema, &text);
	set_text(&q->v, &text);
	return BUS_OK;
}

static enum bus_err parse_kind(const struct schema_closure *needed, struct schema_request *q, bool normalize,
			       struct bus_error *err)
{
	struct schema_kind_reference *ref = bus_xcalloc(needed->n + 1, sizeof(*ref));
	struct bus_buf text = { 0 };
	enum bus_err rc;

	for (size_t i = 0; i < needed->n; i++)
		ref[i] =
		    (struct schema_kind_reference){ needed->item[i].name, bus_str(needed->item[i].v.text) };
	rc = schema_kind_check(q->v.type, bus_str(q->v.text), ref, needed->n,
			       normalize ? SCHEMA_KIND_NORMALIZE : 0, &text, err);
	free(ref);
	if (rc == BUS_OK)
		set_text(&q->v, &text);
	bus_buf_release(&text);
	return rc;
}

static int by_subject(const void *a, const void *b)
{
	const struct schema_store_reference *x = a, *y = b;
	int order = strcmp(x->subject, y->subject);

	if (order == 0)
		order = (x->version > y->version) - (x->version < y->version);
	return order != 0 ? order : strcmp(x->name, y->name);
}

/* Sorted, each once (ParsedSchema.normalize). */
static void sort_references(struct schema_version *v)
{
	size_t kept = 0;

	if (v->n_references == 0)
		return;
	qsort(v->reference, v->n_references, sizeof(*v->reference), by_subject);
	for (size_t i = 0; i < v->n_references; i++) {
		if (kept > 0 && by_subject(&v->reference[kept - 1], &v->reference[i]) == 0) {
			free(v->reference[i].name);
			free(v->reference[i].subject);
			continue;
		}
		v->reference[kept++] = v->reference[i];
	}
	v->n_references = kept;
}

enum bus_err schema_request_parse(struct schema_registry *r, struct schema_request *q, bool strict,
				  bool normalize, struct bus_error *err)
{
	const bool avro = strcmp(q->v.type, "AVRO") == 0;
	struct schema_closure needed = { 0 };
	enum bus_err rc;

	if (!avro && !schema_kind_known(q->v.type))
		return bus_fail(err, BUS_ESCHEMA, "Invalid schema type %s", q->v.type);
	rc = may_refer(q, err);
	if (rc == BUS_OK)
		rc = schema_store_closure(r->store, q->v.subject, q->v.reference, q->v.n_references, !strict,
					  &needed, err);
	if (rc == BUS_OK && avro)
		rc = parse_avro(&needed, q, strict ? SCHEMA_STRICT : SCHEMA_LENIENT, normalize, err);
	else if (rc == BUS_OK)
		rc = parse_kind(&needed, q, normalize, err);
	schema_closure_release(&needed);
	if (rc == BUS_ETOOBIG)
		return rc;
	if (rc != BUS_OK)
		return bus_fail_prefix(err, BUS_ESCHEMA, "Invalid schema of type %s, details", q->v.type);
	if (normalize)
		sort_references(&q->v);
	schema_request_seal(q);
	return BUS_OK;
}
