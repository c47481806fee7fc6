#include "schemas/kinds/kind.h"

#include "schemas/kinds/json_schema.h"
#include "schemas/kinds/proto.h"

struct kind {
	const char *type;
	enum bus_err (*check)(struct bus_str text, const struct schema_kind_reference *ref, size_t n_refs,
			      int flags, struct bus_buf *canonical, struct bus_error *err);
	enum bus_err (*format)(const char *format, struct bus_str text,
			       const struct schema_kind_reference *ref, size_t n_refs, struct bus_buf *out,
			       struct bus_error *err);
};

static const struct kind kinds[] = {
	{ "JSON", schema_json_check, schema_json_format },
	{ "PROTOBUF", schema_proto_check, schema_proto_format },
};

static const struct kind *find(const char *type)
{
	for (size_t i = 0; i < BUS_LEN(kinds); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

bool schema_kind_known(const char *type)
{
	return find(type) != NULL;
}

static enum bus_err too_big(struct bus_str text, const struct schema_kind_reference *ref, size_t n_refs,
			    struct bus_error *err)
{
	size_t sum = 0;

	for (size_t i = 0; i < n_refs; i++)
		sum += ref[i].text.n;
	if (text.n > SCHEMA_KIND_TEXT_MAX || sum > SCHEMA_KIND_TEXT_MAX)
		return bus_fail(err, BUS_ETOOBIG, "the schema%s longer than %zu bytes",
				text.n > SCHEMA_KIND_TEXT_MAX ? " is" : "'s references together are",
				SCHEMA_KIND_TEXT_MAX);
	return BUS_OK;
}

enum bus_err schema_kind_check(const char *type, struct bus_str text, const struct schema_kind_reference *ref,
			       size_t n_refs, int flags, struct bus_buf *canonical, struct bus_error *err)
{
	const struct kind *kind = find(type);
	enum bus_err rc;

	if (!kind)
		return bus_fail(err, BUS_ESCHEMA, "Invalid schema type %s", type);
	rc = too_big(text, ref, n_refs, err);
	return rc ? rc : kind->check(text, ref, n_refs, flags, canonical, err);
}

enum bus_err schema_kind_format(const char *type, const char *format, struct bus_str text,
				const struct schema_kind_reference *ref, size_t n_refs, struct bus_buf *out,
				struct bus_error *err)
{
	const struct kind *kind = find(type);
	enum bus_err rc;

	if (!kind)
		return bus_fail(err, BUS_ESCHEMA, "Invalid schema type %s", type);
	rc = too_big(text, ref, n_refs, err);
	return rc ? rc : kind->format(format, text, ref, n_refs, out, err);
}
