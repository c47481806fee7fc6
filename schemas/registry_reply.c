#include <stdarg.h>
#include <stdio.h>

#include "schemas/registry.h"
#include "schemas/store_record.h"

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

void schema_reply(struct bus_http_request *req, struct bus_buf *json)
{
	bus_http_reply(req, 200, SCHEMA_REGISTRY_TYPE, json);
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
	bus_http_reply(req, status, SCHEMA_REGISTRY_TYPE, &b);
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

void schema_put_version(struct bus_json_out *j, const struct schema_version *v, int show)
{
	if (show == SCHEMA_SHOW_PLACE) {
		bus_json_key(j, "subject");
		bus_json_put_text(j, v->subject);
		bus_json_key(j, "version");
		bus_json_put_int(j, v->version);
	}
	if (show) {
		bus_json_key(j, "id");
		bus_json_put_int(j, v->id);
	}
	if (show == SCHEMA_SHOW_ID) {
		bus_json_key(j, "version");
		bus_json_put_int(j, v->version);
	}
	if (strcmp(v->type, "AVRO") != 0) {
		bus_json_key(j, "schemaType");
		bus_json_put_text(j, v->type);
	}
	if (v->n_references > 0)
		schema_record_put_references(j, v);
	bus_json_put_members(j, bus_str(v->extra));
	bus_json_key(j, "schema");
	bus_json_put_text(j, v->text);
	if (show == SCHEMA_SHOW_PLACE && v->deleted) {
		bus_json_key(j, "deleted");
		bus_json_put_bool(j, true);
	}
}
