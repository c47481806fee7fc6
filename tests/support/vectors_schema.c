/* Sets of schemas: canonical, invalid_schemas. */
#include "bus/crypto.h"
#include "schemas/avro/canon.h"
#include "tests/support/vectors.h"

static const char *const logical_name[] = {
	[SCHEMA_LOGICAL_NONE] = "",
	[SCHEMA_DATE] = "date",
	[SCHEMA_TIME_MILLIS] = "time-millis",
	[SCHEMA_TIME_MICROS] = "time-micros",
	[SCHEMA_TIMESTAMP_MILLIS] = "timestamp-millis",
	[SCHEMA_TIMESTAMP_MICROS] = "timestamp-micros",
	[SCHEMA_LOCAL_TIMESTAMP_MILLIS] = "local-timestamp-millis",
	[SCHEMA_LOCAL_TIMESTAMP_MICROS] = "local-timestamp-micros",
	[SCHEMA_DECIMAL] = "decimal",
	[SCHEMA_UUID] = "uuid",
	[SCHEMA_DURATION] = "duration",
	[SCHEMA_TIMESTAMP_NANOS] = "timestamp-nanos",
	[SCHEMA_LOCAL_TIMESTAMP_NANOS] = "local-timestamp-nanos",
	[SCHEMA_BIG_DECIMAL] = "big-decimal",
};

static bool same(struct vectors_case *c, struct bus_buf *got, const char *name)
{
	struct bus_str want = vectors_text(c, name);

	if (bus_str_eq(bus_buf_str(got), want))
		return true;
	return vectors_differ(c, "%s is %.400s, should be %.*s", name, bus_buf_cstr(got),
			      want.n > 400 ? 400 : (int)want.n, want.p);
}

static bool same_digest(struct vectors_case *c, const char *name, const uint8_t *digest, size_t n)
{
	char hex[2 * BUS_SHA256_LEN + 1];

	bus_hex(digest, n, hex);
	return vectors_is(c, name, hex) || vectors_differ(c, "%s is %s", name, hex);
}

static bool same_fingerprints(struct vectors_case *c, const struct schema *s)
{
	uint8_t sha256[BUS_SHA256_LEN];
	uint8_t md5[BUS_MD5_LEN];
	uint8_t rabin[8];
	struct bus_buf number = { 0 };
	uint64_t crc = schema_fingerprint(s);
	bool ok;

	schema_fingerprint_bytes(crc, rabin);
	schema_fingerprint_sha256(s, sha256);
	schema_fingerprint_md5(s, md5);
	bus_buf_printf(&number, "%lld", (long long)crc);
	ok = same(c, &number, "crc64_long") && same_digest(c, "crc64_le_hex", rabin, sizeof(rabin)) &&
	     same_digest(c, "sha256", sha256, sizeof(sha256)) && same_digest(c, "md5", md5, sizeof(md5));
	bus_buf_release(&number);
	return ok;
}

static bool same_texts(struct vectors_case *c, const struct schema *s)
{
	struct bus_buf b = { 0 };
	bool ok;

	schema_canonical(s, &b);
	ok = same(c, &b, "canonical");
	bus_buf_reset(&b);
	schema_to_string(s, &b);
	ok = ok && same(c, &b, "java_to_string");
	bus_buf_release(&b);
	return ok;
}

bool vectors_canonical(struct vectors_case *c)
{
	const struct bus_json *strict = bus_json_get(c->line, "strict_ok");
	struct bus_str text = vectors_text(c, "schema");
	struct bus_error err = { 0 };
	struct schema *s = vectors_schema(c, text);
	const char *logical;
	bool accepted;

	if (!s)
		return false;
	logical = logical_name[schema_root(s)->logical];
	if (same_texts(c, s) && same_fingerprints(c, s) && !vectors_is(c, "logical_type", logical))
		(void)vectors_differ(c, "logical type is '%s'", logical);
	schema_unref(&s);
	accepted = schema_parse(text, SCHEMA_STRICT, NULL, 0, &s, &err) == BUS_OK;
	schema_unref(&s);
	if (!c->why[0] && strict && accepted != (strict->type == BUS_JSON_TRUE))
		(void)vectors_differ(c, "%s when strict %s", accepted ? "accepted" : "refused", err.text);
	return c->why[0] == '\0';
}

bool vectors_invalid(struct vectors_case *c)
{
	struct bus_error err = { 0 };
	struct schema *s = NULL;
	enum bus_err rc = schema_parse(vectors_text(c, "schema"), SCHEMA_STRICT, NULL, 0, &s, &err);
	struct bus_str why = vectors_text(c, "why");

	schema_unref(&s);
	snprintf(c->ours, sizeof(c->ours), "%s", rc == BUS_OK ? "accepted, as Avro Java" : "refused");
	if (rc == BUS_OK && vectors_is(c, "expect", "reject"))
		return vectors_differ(c, "accepted: %.*s", (int)why.n, why.p);
	if (rc != BUS_OK && (err.code != rc || err.text[0] == '\0'))
		return vectors_differ(c, "refused without a message");
	return true;
}
