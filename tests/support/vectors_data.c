/* Sets of data: encode (both ways), encode_errors, resolve, malformed_binary, single_object. */
#include <time.h>

#include "schemas/avro/canon.h"
#include "schemas/avro/cells.h"
#include "schemas/avro/json.h"
#include "schemas/avro/object.h"
#include "tests/support/alloc.h"
#include "tests/support/vectors.h"

/* A malformed datum is refused within a millisecond and a mebibyte; the sanitizers make all slower. */
#ifdef __SANITIZE_ADDRESS__
#define SLOW_NS (20 * INT64_C(1000000))
#else
#define SLOW_NS INT64_C(1000000)
#endif
#define MUCH ((size_t)1024 * 1024)
#define TRIES 5 /* the machine may have other things to do */

static enum bus_err decode(struct schema *w, struct schema *r, const struct schema_limits *limits,
			   struct bus_str datum, struct bus_buf *json, struct bus_error *err)
{
	struct schema_reader *reader = schema_reader_new(limits);
	struct bus_json_out out = { .buf = json };
	struct schema_json_sink sink;
	struct schema_plan *plan = NULL;
	enum bus_err rc = schema_plan(w, r, &plan, err);

	schema_json_sink_init(&sink, &out, SCHEMA_JSON_AVRO);
	if (rc == BUS_OK)
		rc = schema_read(reader, plan, datum, &sink.sink, err);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	return rc;
}

static const struct schema_limits deep = { .depth = 400 };

static bool check_decode(struct vectors_case *c, struct schema *s, struct bus_str datum, struct bus_str want)
{
	struct bus_buf json = { 0 };
	struct bus_error err = { 0 };
	bool ok;

	if (decode(s, NULL, &deep, datum, &json, &err) == BUS_OK)
		ok = vectors_same_json(c, s, &json, want);
	else
		ok = vectors_differ(c, "not decoded: %s", err.text);
	bus_buf_release(&json);
	return ok;
}

/* The datum, read through the plan and written as one of the reader's. */
static bool rewrite(struct schema *w, struct schema *r, struct bus_str datum, struct bus_buf *out)
{
	struct schema_reader *reader = schema_reader_new(&deep);
	struct schema_plan *plan = NULL;
	const struct schema_cell *root;
	bool ok = schema_plan(w, r, &plan, NULL) == BUS_OK &&
		  schema_read_cells(reader, plan, datum, &root, NULL) == BUS_OK;

	if (ok)
		schema_write_cells(schema_root(r), root, root, out);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	return ok;
}

static bool check_rewrite(struct vectors_case *c, struct schema *s, struct bus_str datum)
{
	struct bus_buf got = { 0 };
	bool ok = rewrite(s, s, datum, &got) && bus_str_eq(bus_buf_str(&got), datum);

	bus_buf_release(&got);
	return ok || vectors_differ(c, "other bytes when written as it was read");
}

static bool check_encode(struct vectors_case *c, struct schema *s, struct bus_str want)
{
	struct bus_str json = vectors_text(c, "json");
	struct bus_buf got = { 0 };
	struct bus_error err = { 0 };
	bool ok = true;

	if (schema_encode_json(s, json, SCHEMA_JSON_AVRO, &got, &err) != BUS_OK)
		ok = vectors_differ(c, "not encoded: %s", err.text);
	else if (!bus_str_eq(bus_buf_str(&got), want))
		ok = vectors_differ(c, "other bytes for %.*s", json.n > 400 ? 400 : (int)json.n, json.p);
	bus_buf_release(&got);
	return ok;
}

bool vectors_encode(struct vectors_case *c)
{
	struct schema *s = vectors_schema(c, vectors_text(c, "schema"));
	struct bus_buf binary = { 0 };
	bool ok = s != NULL;

	vectors_hex(vectors_text(c, "binary"), &binary);
	if (ok && !vectors_is(c, "dir", "encode"))
		ok = check_decode(c, s, bus_buf_str(&binary), vectors_text(c, "json_java"));
	if (ok && !vectors_is(c, "dir", "decode"))
		ok = check_encode(c, s, bus_buf_str(&binary)) && check_rewrite(c, s, bus_buf_str(&binary));
	bus_buf_release(&binary);
	schema_unref(&s);
	return ok;
}

bool vectors_encode_error(struct vectors_case *c)
{
	struct schema *s = vectors_schema(c, vectors_text(c, "schema"));
	struct bus_buf got = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc;
	bool ok = s != NULL;

	if (ok) {
		rc = schema_encode_json(s, vectors_text(c, "json"), SCHEMA_JSON_AVRO, &got, &err);
		snprintf(c->ours, sizeof(c->ours), "%s", rc == BUS_OK ? "taken, as Avro Java" : "refused");
		if (rc == BUS_OK && vectors_is(c, "expect", "reject"))
			ok = vectors_differ(c, "encoded");
		if (rc != BUS_OK && (got.n > 0 || err.text[0] == '\0'))
			ok = vectors_differ(c, "refused without a message, or with bytes");
	}
	bus_buf_release(&got);
	schema_unref(&s);
	return ok;
}

static bool check_resolve(struct vectors_case *c, struct schema *w, struct schema *r)
{
	const struct bus_json *expected = bus_json_get(c->line, "expected");
	struct bus_buf binary = { 0 };
	struct bus_buf json = { 0 };
	struct bus_buf rewritten = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc;
	bool ok = true;

	vectors_hex(vectors_text(c, "binary"), &binary);
	rc = decode(w, r, &deep, bus_buf_str(&binary), &json, &err);
	if (expected && rc != BUS_OK)
		ok = vectors_differ(c, "refused: %s", err.text);
	else if (!expected && rc == BUS_OK)
		ok = vectors_differ(c, "read as %.400s", bus_buf_cstr(&json));
	else if (expected)
		ok = vectors_same_json(c, r, &json, expected->text) &&
		     rewrite(w, r, bus_buf_str(&binary), &rewritten) &&
		     check_decode(c, r, bus_buf_str(&rewritten), expected->text);
	bus_buf_release(&rewritten);
	bus_buf_release(&json);
	bus_buf_release(&binary);
	return ok;
}

bool vectors_resolve(struct vectors_case *c)
{
	struct schema *w = vectors_schema(c, vectors_text(c, "writer"));
	struct schema *r = vectors_schema(c, vectors_text(c, "reader"));
	bool ok = w && r && check_resolve(c, w, r);

	schema_unref(&w);
	schema_unref(&r);
	return ok;
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One datum under the limits that a program has by itself, measured. */
static bool check_malformed(struct vectors_case *c, struct schema *s, struct bus_str datum)
{
	struct bus_error err = { 0 };
	int64_t took = INT64_MAX;
	size_t held = 0;
	enum bus_err rc = BUS_OK;

	for (int i = 0; i < TRIES && took > SLOW_NS; i++) {
		struct bus_buf json = { 0 };
		int64_t before;

		alloc_mark();
		before = cpu_ns();
		rc = decode(s, NULL, NULL, datum, &json, &err);
		took = cpu_ns() - before;
		held = alloc_peak();
		bus_buf_release(&json);
	}
	snprintf(c->ours, sizeof(c->ours), "%s", rc == BUS_OK ? "read" : "refused");
	if (rc == BUS_OK && vectors_is(c, "expect", "error"))
		return vectors_differ(c, "accepted");
	if (rc != BUS_OK && took > SLOW_NS)
		return vectors_differ(c, "took %lld us", (long long)took / 1000);
	if (rc != BUS_OK && held > MUCH)
		return vectors_differ(c, "took %zu bytes of memory", held);
	return true;
}

bool vectors_malformed(struct vectors_case *c)
{
	struct schema *s = vectors_schema(c, vectors_text(c, "schema"));
	struct bus_buf binary = { 0 };
	bool ok = s != NULL;

	vectors_hex(vectors_text(c, "hex"), &binary);
	ok = ok && check_malformed(c, s, bus_buf_str(&binary));
	bus_buf_release(&binary);
	schema_unref(&s);
	return ok;
}

static bool check_message(struct vectors_case *c, struct schema *s, struct bus_str want)
{
	struct bus_buf binary = { 0 };
	struct bus_buf got = { 0 };
	struct bus_error err = { 0 };
	struct bus_str datum;
	uint64_t fingerprint;
	bool ok = true;

	vectors_hex(vectors_text(c, "binary"), &binary);
	schema_object_begin(schema_fingerprint(s), &got);
	if (schema_encode_json(s, vectors_text(c, "json"), SCHEMA_JSON_AVRO, &got, &err) != BUS_OK)
		ok = vectors_differ(c, "not encoded: %s", err.text);
	else if (!bus_str_eq(bus_buf_str(&got), want))
		ok = vectors_differ(c, "other message");
	else if (schema_object_parse(want, &fingerprint, &datum, &err) != BUS_OK)
		ok = vectors_differ(c, "not read: %s", err.text);
	else if (fingerprint != schema_fingerprint(s) || !bus_str_eq(datum, bus_buf_str(&binary)))
		ok = vectors_differ(c, "read as another schema's or another datum");
	bus_buf_release(&binary);
	bus_buf_release(&got);
	return ok;
}

bool vectors_single_object(struct vectors_case *c)
{
	struct schema *s = vectors_schema(c, vectors_text(c, "schema"));
	struct bus_buf message = { 0 };
	bool ok = s != NULL;

	vectors_hex(vectors_text(c, "message"), &message);
	ok = ok && check_message(c, s, bus_buf_str(&message));
	bus_buf_release(&message);
	schema_unref(&s);
	return ok;
}
