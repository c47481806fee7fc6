#include <stdarg.h>
#include <stdio.h>

#include "schemas/registry/registry.h"
#include "schemas/store/record.h"

static void put_error(struct bus_buf *out, int code, const char *message)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_key(&j, "error_code");
	bus_json_put_int(&j, code);
	bus_json_key(&j, "message");
	bus_json_put_text(&j, message);
	bus_json_object_end(&j);
}

void schema_registry_error(struct bus_buf *out, int status, const char *title, const char *detail)
{
	char message[256];

	snprintf(message, sizeof(message), "HTTP %d %s%s%s", status, title, detail ? ": " : "",
		 detail ? detail : "");
	put_error(out, status, message);
}

/* --- content types ------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	int weight; /* per mille; the server's, as Confluent's Versions.java */
} types[] = { { SCHEMA_REGISTRY_TYPE, 1000 },
	      { "application/vnd.schemaregistry+json", 900 },
	      { "application/json", 500 } };

bool schema_reply_type_ok(const char *type)
{
	for (size_t i = 0; i < BUS_LEN(types); i++)
		if (strcasecmp(type, types[i].name) == 0)
			return true;
	return false;
}

/* The weight that one element of an Accept header gives to the type, per mille; 0: none. */
static int accepts(const char *p, size_t n, const char *type)
{
	size_t len = 0;
	const char *q;
	int weight = 1000;

	while (n > 0 && *p == ' ') {
		p++;
		n--;
	}
	while (len < n && p[len] != ';' && p[len] != ' ')
		len++;
	if (!(len == strlen(type) && strncasecmp(p, type, len) == 0) &&
	    !(len == 3 && memcmp(p, "*/*", 3) == 0) &&
	    !(len == 13 && strncasecmp(p, "application/*", 13) == 0))
		return 0;
	q = memmem(p, n, "q=", 2);
	if (q && q[2] == '0' && (size_t)(q + 3 - p) <= n) {
		weight = 0;
		if ((size_t)(q + 3 - p) < n && q[3] == '.')
			for (int i = 0, digit = 100; i < 3; i++, digit /= 10) {
				const char *c = q + 4 + i;

				if ((size_t)(c - p) >= n || *c < '0' || *c > '9')
					break;
				weight += (*c - '0') * digit;
			}
	}
	return weight;
}

static const char *chosen(const struct bus_http_request *req)
{
	const char *accept = bus_http_header(req, "Accept"), *best = SCHEMA_REGISTRY_TYPE;
	int most = 0;

	for (size_t i = 0; accept && i < BUS_LEN(types); i++)
		for (const char *p = accept, *end; *p; p = *end ? end + 1 : end) {
			int weight;

			end = strchrnul(p, ',');
			weight = accepts(p, (size_t)(end - p), types[i].name) * types[i].weight;
			if (weight > most) {
				most = weight;
				best = types[i].name;
			}
		}
	return best;
}

void schema_reply_choose(struct bus_http_request *req)
{
	bus_http_set_type(req, chosen(req));
}

static const char *type_of(const struct bus_http_request *req)
{
	return bus_http_type(req) ? bus_http_type(req) : chosen(req);
}

void schema_reply(struct bus_http_request *req, struct bus_buf *json)
{
	if (json->n > 0) {
		bus_http_reply(req, 200, type_of(req), json);
		return;
	}
	bus_buf_release(json);
	bus_http_reply(req, 204, NULL, NULL);
}

void schema_reply_error(struct bus_http_request *req, int code, const char *fmt, ...)
{
	int status = code >= 10000 ? code / 100 : code;
	struct bus_buf b = { 0 };
	char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	put_error(&b, code, message ? message : "");
	free(message);
	bus_http_reply(req, status, type_of(req), &b);
}

void schema_reply_subject_unknown(struct bus_http_request *req, const char *subject)
{
	schema_reply_error(req, 40401, "Subject '%s' not found.", subject);
}

void schema_reply_version_unknown(struct bus_http_request *req, int version)
{
	schema_reply_error(req, 40402, "Version %d not found.",
			   version == SCHEMA_VERSION_LATEST ? -1 : version);
}

static void put_place(struct bus_json_out *j, const struct schema_version *v)
{
	bus_json_key(j, "subject");
	bus_json_put_text(j, v->subject);
	bus_json_key(j, "version");
	bus_json_put_int(j, v->version);
}

static void put_id(struct bus_json_out *j, const struct schema_version *v)
{
	bus_json_key(j, "id");
	bus_json_put_int(j, v->id);
}

static void put_text(struct bus_json_out *j, const struct schema_version *v, const struct schema_show *show)
{
	bus_json_key(j, "schema");
	bus_json_put_text(j, show->text ? show->text : v->text);
}

/* The order of members is that of Confluent's Schema, SchemaString and RegisterSchemaResponse, but for
 * "ruleSet". */
void schema_put_version(struct bus_json_out *j, const struct schema_version *v,
			const struct schema_show *show)
{
	char guid[37];

	if (show->shape != SCHEMA_SHAPE_REGISTERED && !show->placeless)
		put_place(j, v);
	if (show->shape != SCHEMA_SHAPE_STRING)
		put_id(j, v);
	if (show->shape == SCHEMA_SHAPE_REGISTERED) {
		bus_json_key(j, "version");
		bus_json_put_int(j, v->version);
	}
	schema_guid_text(v->guid, guid);
	bus_json_key(j, "guid");
	bus_json_put_text(j, guid);
	bus_json_key(j, "schemaType");
	bus_json_put_text(j, v->type);
	if (show->shape == SCHEMA_SHAPE_STRING)
		put_text(j, v, show);
	if (v->n_references > 0)
		schema_record_put_references(j, v);
	bus_json_put_members(j, bus_str(v->extra));
	if (show->shape != SCHEMA_SHAPE_STRING)
		put_text(j, v, show);
	if (show->tags.n > 0) {
		bus_json_key(j, "schemaTags");
		bus_json_put_raw(j, show->tags);
	}
	if (show->max_id > 0) {
		bus_json_key(j, "maxId");
		bus_json_put_int(j, show->max_id);
	}
	if (show->dated) {
		bus_json_key(j, "ts");
		bus_json_put_int(j, v->timestamp_ms);
		bus_json_key(j, "deleted");
		bus_json_put_bool(j, v->deleted);
	}
	if (show->n_aliases > 0) {
		bus_json_key(j, "aliases");
		bus_json_array(j);
		for (size_t i = 0; i < show->n_aliases; i++)
			bus_json_put_text(j, show->alias[i]);
		bus_json_array_end(j);
	}
}

struct bus_buf schema_version_json(const struct schema_version *v, const struct schema_show *show)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	schema_put_version(&j, v, show);
	bus_json_object_end(&j);
	return b;
}
