/* The forms in which a stored schema may be asked for: `format`, `findTags`, `referenceFormat`. */
#include "schemas/avro/canon.h"
#include "schemas/registry/registry.h"
#include "schemas/kinds/kind.h"

static enum bus_err format_kind(struct schema_registry *r, const struct schema_version *v, const char *format,
				struct bus_buf *out, struct bus_error *err)
{
	struct schema_kind_reference *ref;
	struct schema_closure needed;
	enum bus_err rc;

	rc = schema_store_closure(r->store, v->subject, v->reference, v->n_references, true, &needed, err);
	if (rc != BUS_OK)
		return rc;
	ref = bus_xcalloc(needed.n + 1, sizeof(*ref));
	for (size_t i = 0; i < needed.n; i++)
		ref[i] =
		    (struct schema_kind_reference){ needed.item[i].name, bus_str(needed.item[i].v.text) };
	rc = schema_kind_format(v->type, format, bus_str(v->text), ref, needed.n, out, err);
	free(ref);
	schema_closure_release(&needed);
	return rc;
}

bool schema_formatted(struct schema_registry *r, struct bus_http_request *req, struct schema_version *v,
		      char **out)
{
	const char *format = bus_http_query(req, "format");
	struct bus_buf b = { 0 };
	struct bus_error err;
	enum bus_err rc;

	*out = NULL;
	if (!format || format[strspn(format, " ")] == '\0')
		return true;
	if (strcmp(v->type, "AVRO") != 0) {
		rc = schema_kind_known(v->type) ? format_kind(r, v, format, &b, &err) : BUS_ESCHEMA;
		if (rc == BUS_OK)
			*out = bus_buf_take(&b, NULL);
		bus_buf_release(&b); /* what cannot be read is served as it is stored */
		return true;
	}
	rc = schema_store_parse(r->store, v, &err);
	if (rc != BUS_OK) {
		schema_reply_error(req, 42201, "Invalid schema of type AVRO, details: %s", err.text);
		return false;
	}
	if (strcasecmp(format, "resolved") == 0)
		schema_to_string_whole(v->schema, &b);
	else
		schema_to_string(v->schema, &b);
	*out = bus_buf_take(&b, NULL);
	return true;
}

struct names {
	const char *item[32];
	size_t n;
};

static bool take_name(void *ctx, const char *name, const char *value)
{
	struct names *l = ctx;

	if (strcmp(name, "findTags") == 0 && l->n < BUS_LEN(l->item))
		l->item[l->n++] = value;
	return true;
}

bool schema_found_tags(struct schema_registry *r, struct bus_http_request *req, struct schema_version *v,
		       struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	struct names wanted = { .n = 0 };
	struct bus_error err;

	bus_http_each_query(req, take_name, &wanted);
	if (wanted.n == 0 || strcmp(v->type, "AVRO") != 0)
		return true;
	if (schema_store_parse(r->store, v, &err) != BUS_OK) {
		schema_reply_error(req, 42201, "Invalid schema of type AVRO, details: %s", err.text);
		return false;
	}
	schema_tags_list(v->schema, wanted.item, wanted.n, &j);
	if (out->n == 2) /* [] is not shown */
		bus_buf_reset(out);
	return true;
}

void schema_qualify_references(struct bus_http_request *req, struct schema_version *v)
{
	const char *form = bus_http_query(req, "referenceFormat");

	if (!form || strcmp(form, "qualified") != 0 ||
	    schema_subject_is_default(schema_subject_split(v->subject)))
		return;
	for (size_t i = 0; i < v->n_references; i++) {
		char *full = schema_subject_seen_from(v->subject, v->reference[i].subject);

		free(v->reference[i].subject);
		v->reference[i].subject = full;
	}
}
