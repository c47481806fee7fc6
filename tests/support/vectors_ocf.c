/* The set of container files: ocf.jsonl and the files it names. */
#include "schemas/avro/canon.h"
#include "schemas/avro/json.h"
#include "schemas/avro/ocf.h"
#include "tests/support/vectors.h"

static bool same_metadata(struct vectors_case *c, const struct schema_ocf_reader *r)
{
	const struct bus_json *want = bus_json_get(c->line, "user_meta");
	size_t n;
	const struct schema_ocf_meta *meta = schema_ocf_metadata(r, &n);

	for (const struct bus_json *v = want ? want->first : NULL; v; v = v->next) {
		size_t i = 0;

		while (i < n && !(bus_str_eq(meta[i].key, v->name) && bus_str_eq(meta[i].value, v->text)))
			i++;
		if (i == n)
			return vectors_differ(c, "metadata '%.*s' is missing or another", (int)v->name.n,
					      v->name.p);
	}
	return true;
}

static bool same_header(struct vectors_case *c, const struct schema_ocf_reader *r)
{
	struct bus_str want = vectors_text(c, "schema");
	struct bus_buf text = { 0 };
	bool ok = true;

	schema_to_string(schema_ocf_schema(r), &text);
	if (!vectors_is(c, "codec", schema_codec_name(schema_ocf_codec(r))))
		ok = vectors_differ(c, "codec is %s", schema_codec_name(schema_ocf_codec(r)));
	else if (want.n > 0 && !bus_str_eq(bus_buf_str(&text), want))
		ok = vectors_differ(c, "schema is %.400s", bus_buf_cstr(&text));
	bus_buf_release(&text);
	return ok && same_metadata(c, r);
}

/* Long records are cut with "..." in the set: those need to be read, no more. */
static bool is_cut(struct bus_str json)
{
	return json.n >= 3 && memcmp(json.p + json.n - 3, "...", 3) == 0;
}

static enum bus_err read_all(struct vectors_case *c, struct schema_ocf_reader *r,
			     const struct schema_plan *plan, bool *same, struct bus_error *err)
{
	const struct bus_json *records = bus_json_get(c->line, "records");
	const struct bus_json *want = records ? records->first : NULL;
	struct bus_buf json = { 0 };
	struct bus_json_out out = { .buf = &json };
	struct schema_json_sink sink;
	int64_t count = 0;
	int64_t n = 0;
	bool more;
	enum bus_err rc;

	schema_json_sink_init(&sink, &out, SCHEMA_JSON_AVRO);
	while ((rc = schema_ocf_next(r, plan, &sink.sink, &more, err)) == BUS_OK && more) {
		if (*same && want && !is_cut(want->text))
			*same = vectors_same_json(c, schema_ocf_schema(r), &json, want->text);
		bus_buf_reset(&json);
		want = want ? want->next : NULL;
		n++;
	}
	(void)!bus_json_int(bus_json_get(c->line, "count"), &count);
	if (rc == BUS_OK && n != count)
		*same = vectors_differ(c, "%lld records, should be %lld", (long long)n, (long long)count);
	bus_buf_release(&json);
	return rc;
}

static enum bus_err read_file(struct vectors_case *c, FILE *f, bool *same, struct bus_error *err)
{
	const struct schema_ocf_limits limits = { .datum = { .depth = 400 } };
	struct schema_ocf_reader *r = NULL;
	struct schema_plan *plan = NULL;
	enum bus_err rc = schema_ocf_open(schema_ocf_from_file, f, &limits, &r, err);

	if (rc == BUS_OK)
		rc = schema_plan(schema_ocf_schema(r), NULL, &plan, err);
	if (rc == BUS_OK && !vectors_is(c, "expect", "error"))
		*same = same_header(c, r);
	if (rc == BUS_OK)
		rc = read_all(c, r, plan, same, err);
	schema_plan_free(&plan);
	schema_ocf_close(&r);
	return rc;
}

bool vectors_ocf(struct vectors_case *c)
{
	struct bus_str name = vectors_text(c, "file");
	char *path = bus_xasprintf("%s/%.*s", c->folder, (int)name.n, name.p);
	struct bus_error err = { 0 };
	bool same = true;
	FILE *f = fopen(path, "rb");
	enum bus_err rc;

	free(path);
	if (!f)
		return vectors_differ(c, "cannot open '%.*s': %m", (int)name.n, name.p);
	rc = read_file(c, f, &same, &err);
	fclose(f);
	snprintf(c->ours, sizeof(c->ours), "%s", rc == BUS_OK ? "read" : "refused");
	if (vectors_is(c, "expect", "policy"))
		return true;
	if (vectors_is(c, "expect", "error"))
		return rc != BUS_OK || vectors_differ(c, "read without an error");
	return rc == BUS_OK ? same : vectors_differ(c, "refused: %s", err.text);
}
