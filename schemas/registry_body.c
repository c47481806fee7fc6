#include <stdio.h>

#include "schemas/avro_canon.h"
#include "schemas/registry.h"
#include "schemas/store_record.h"

bool schema_body_true(struct bus_http_request *req, const char *name)
{
	const char *v = bus_http_query(req, name);

	return v && strcasecmp(v, "true") == 0;
}

const char *schema_body_subject(struct bus_http_request *req)
{
	const char *s = bus_http_part(req, "subject");

	return strncmp(s, ":.:", 3) == 0 && s[3] ? s + 3 : s;
}

/* A whole decimal number of 1 to 2^31-1. */
static bool number(const char *s, int32_t *out)
{
	int64_t v = 0;

	if (!*s || strlen(s) > 10 || strspn(s, "0123456789") != strlen(s))
		return false;
	for (; *s; s++)
		v = v * 10 + (*s - '0');
	*out = (int32_t)v;
	return v >= 1 && v <= INT32_MAX;
}

bool schema_body_version(struct bus_http_request *req, int *version)
{
	const char *s = bus_http_part(req, "version");
	int32_t v;

	if (strcmp(s, "latest") == 0 || strcmp(s, "-1") == 0) {
		*version = SCHEMA_VERSION_LATEST;
		return true;
	}
	if (number(s, &v)) {
		*version = v;
		return true;
	}
	schema_reply_error(req, 42202,
			   "The specified version '%s' is not a valid version id. Allowed values are between "
			   "[1, 2^31-1] and the string \"latest\"",
			   s);
	return false;
}

bool schema_body_id(struct bus_http_request *req, int32_t *id)
{
	if (number(bus_http_part(req, "id"), id))
		return true;
	schema_reply_error(req, 404, "HTTP 404 Not Found");
	return false;
}

bool schema_body_json(struct bus_http_request *req, const struct bus_json **out)
{
	struct bus_json *tree = NULL;
	struct bus_error err;
	enum bus_err rc = bus_json_parse(bus_http_body(req), NULL, bus_http_arena(req), &tree, &err);

	if (rc == BUS_OK && tree->type == BUS_JSON_OBJECT) {
		*out = tree;
		return true;
	}
	if (rc == BUS_ETOOBIG)
		schema_reply_error(req, 42209, "Schema too large: %s", err.text);
	else
		schema_reply_error(req, 400, "Request body is not a JSON object%s%s", rc ? ": " : "",
				   rc ? err.text : "");
	return false;
}

static char *member(const struct bus_json *o, const char *name)
{
	const struct bus_json *v = bus_json_get(o, name);

	return v && v->type == BUS_JSON_STRING && !memchr(v->text.p, '\0', v->text.n)
		   ? bus_xstrndup(v->text.p, v->text.n)
		   : NULL;
}

static bool take_reference(struct schema_registry *r, struct bus_http_request *req, const struct bus_json *v,
			   struct schema_store_reference *out, struct schema_version *found)
{
	const struct bus_json *version = v->type == BUS_JSON_OBJECT ? bus_json_get(v, "version") : NULL;
	int64_t n = 0;

	if (v->type == BUS_JSON_OBJECT) {
		out->name = member(v, "name");
		out->subject = member(v, "subject");
	}
	if (!out->name || !out->subject || !version || version->type != BUS_JSON_NUMBER ||
	    bus_json_int(version, &n) != BUS_OK || n == 0 || n < -1 || n > INT32_MAX) {
		schema_reply_error(req, 42201, "Invalid schema: a reference wants name, subject and version");
		return false;
	}
	if (!schema_may(req, SCHEMA_RIGHT_READ, out->subject) ||
	    schema_store_version(r->store, out->subject, n == -1 ? 0 : (int)n, found, NULL) != BUS_OK ||
	    found->deleted || !found->schema) {
		schema_reply_error(
		    req, 42201, "Invalid schema: No schema reference found for subject \"%s\" and version %d",
		    out->subject, (int)n);
		return false;
	}
	out->version = found->version;
	return true;
}

/* The body's own members but the schema's, as far as they belong to what a schema is. */
static char *identity(struct bus_str body)
{
	const char *first = memchr(body.p, '{', body.n);
	const char *last = memrchr(body.p, '}', body.n);
	struct bus_buf out = { 0 };
	char *inner = bus_xstrndup(first + 1, (size_t)(last - first - 1));

	schema_record_identity(inner, &out);
	free(inner);
	return bus_buf_take(&out, NULL);
}

static bool parse(struct bus_http_request *req, int flags, const struct schema_version *found,
		  struct schema_version *out)
{
	struct schema_reference ref[SCHEMA_STORE_REFERENCES_MAX];
	struct bus_buf text = { 0 };
	struct bus_error err;

	for (size_t i = 0; i < out->n_references; i++)
		ref[i] = (struct schema_reference){ out->reference[i].name, found[i].schema };
	if (schema_parse(bus_str(out->text), flags, ref, out->n_references, &out->schema, &err) != BUS_OK) {
		if (err.code == BUS_ETOOBIG)
			schema_reply_error(req, 42209, "Schema too large: %s", err.text);
		else
			schema_reply_error(req, 42201, "Invalid schema of type AVRO, details: %s", err.text);
		return false;
	}
	schema_to_string(out->schema, &text);
	free(out->text);
	out->text = bus_buf_take(&text, NULL);
	return true;
}

bool schema_body_schema(struct schema_registry *r, struct bus_http_request *req, int flags,
			struct schema_version *out)
{
	struct schema_version found[SCHEMA_STORE_REFERENCES_MAX] = { 0 };
	const struct bus_json *body, *refs, *v;
	bool ok = false;
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	if (!schema_body_json(req, &body))
		return false;
	out->type = member(body, "schemaType");
	if (!out->type)
		out->type = bus_xstrdup("AVRO");
	out->text = member(body, "schema");
	refs = bus_json_get(body, "references");
	if (!out->text || !out->text[0]) {
		schema_reply_error(req, 42201, "Empty schema");
		goto out;
	}
	if (strcmp(out->type, "AVRO") != 0) {
		schema_reply_error(req, 42201, "Invalid schema type %s: this registry takes AVRO", out->type);
		goto out;
	}
	if (refs && refs->type == BUS_JSON_ARRAY && refs->n > SCHEMA_STORE_REFERENCES_MAX) {
		schema_reply_error(req, 42201, "Invalid schema: more than %d references",
				   SCHEMA_STORE_REFERENCES_MAX);
		goto out;
	}
	if (refs && refs->type == BUS_JSON_ARRAY && refs->n > 0) {
		out->reference = bus_xcalloc(refs->n, sizeof(*out->reference));
		for (v = refs->first; v; v = v->next) {
			out->n_references = n + 1;
			if (!take_reference(r, req, v, &out->reference[n], &found[n]))
				goto out;
			n++;
		}
	}
	out->extra = identity(bus_http_body(req));
	ok = parse(req, flags, found, out);
out:
	for (size_t i = 0; i < BUS_LEN(found); i++)
		schema_version_release(&found[i]);
	if (!ok)
		schema_version_release(out);
	return ok;
}

static size_t size_query(struct bus_http_request *req, const char *name, size_t fallback)
{
	const char *s = bus_http_query(req, name);
	int32_t v;

	if (s && strcmp(s, "0") == 0)
		return 0;
	return s && number(s, &v) ? (size_t)v : fallback;
}

void schema_body_window(struct bus_http_request *req, size_t n, size_t *from, size_t *to)
{
	size_t limit = size_query(req, "limit", n);

	*from = size_query(req, "offset", 0);
	if (*from > n)
		*from = n;
	*to = limit < n - *from ? *from + limit : n;
}

enum schema_deleted schema_body_deleted(struct bus_http_request *req)
{
	if (schema_body_true(req, "deletedOnly"))
		return SCHEMA_ONLY_DELETED;
	return schema_body_true(req, "deleted") ? SCHEMA_WITH_DELETED : SCHEMA_LIVE;
}
