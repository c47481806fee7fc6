/* Schemas against Avro Java: canonical.jsonl, invalid_schemas.jsonl, and the fingerprints of
 * single_object.jsonl. */
#include "tests/support/vectors.h"

#include "bus/crypto.h"
#include "schemas/avro_canon.h"

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
};

static bool same(struct bus_buf *got, struct bus_str want, const char *what, char *why, size_t n)
{
	if (bus_str_eq(bus_buf_str(got), want))
		return true;
	snprintf(why, n, "%s is %.250s, should be %.*s", what, bus_buf_cstr(got), (int)want.n, want.p);
	return false;
}

static bool check_canonical(const struct schema *s, const struct bus_json *line, char *why, size_t n)
{
	struct bus_buf b = { 0 };
	uint8_t digest[BUS_SHA256_LEN];
	char hex[2 * BUS_SHA256_LEN + 1];
	uint64_t crc;
	bool ok;

	schema_canonical(s, &b);
	ok = same(&b, vectors_text(line, "canonical"), "canonical form", why, n);
	crc = schema_crc64(bus_buf_str(&b));
	bus_sha256(b.p, b.n, digest);
	bus_hex(digest, sizeof(digest), hex);
	if (ok && !bus_str_is(vectors_text(line, "sha256"), hex)) {
		snprintf(why, n, "SHA-256 differs");
		ok = false;
	}
	bus_buf_reset(&b);
	for (int i = 0; i < 8; i++)
		bus_buf_printf(&b, "%02x", (unsigned)(crc >> (8 * i) & 0xff));
	ok = ok && same(&b, vectors_text(line, "crc64_le_hex"), "CRC-64-AVRO", why, n);
	bus_buf_reset(&b);
	schema_to_string(s, &b);
	ok = ok && same(&b, vectors_text(line, "java_to_string"), "toString", why, n);
	bus_buf_release(&b);
	return ok;
}

static bool run_canonical(const struct bus_json *line, char *why, size_t n)
{
	const struct bus_json *strict = bus_json_get(line, "strict_ok");
	struct bus_str text = vectors_text(line, "schema");
	struct bus_str logical = vectors_text(line, "logical_type");
	struct bus_error err = { 0 };
	struct schema *s = NULL;
	bool ok;

	if (schema_parse(text, SCHEMA_LENIENT, NULL, 0, &s, &err) != BUS_OK) {
		snprintf(why, n, "refused when lenient: %s", err.text);
		return false;
	}
	ok = check_canonical(s, line, why, n);
	if (ok && !bus_str_is(logical, logical_name[schema_root(s)->logical])) {
		snprintf(why, n, "logical type is '%s'", logical_name[schema_root(s)->logical]);
		ok = false;
	}
	schema_unref(&s);
	if (schema_parse(text, SCHEMA_STRICT, NULL, 0, &s, &err) == BUS_OK) {
		if (strict->type == BUS_JSON_FALSE)
			snprintf(why, n, "accepted when strict");
		ok = ok && strict->type == BUS_JSON_TRUE;
		schema_unref(&s);
	} else {
		if (strict->type == BUS_JSON_TRUE)
			snprintf(why, n, "refused when strict: %s", err.text);
		ok = ok && strict->type == BUS_JSON_FALSE;
	}
	return ok;
}

static bool run_invalid(const struct bus_json *line, char *why, size_t n)
{
	struct bus_error err = { 0 };
	struct schema *s = NULL;
	enum bus_err rc = schema_parse(vectors_text(line, "schema"), SCHEMA_STRICT, NULL, 0, &s, &err);

	schema_unref(&s);
	if (vectors_is(line, "expect", "reject") && rc == BUS_OK) {
		snprintf(why, n, "accepted: %.*s", (int)vectors_text(line, "why").n,
			 vectors_text(line, "why").p);
		return false;
	}
	if (rc != BUS_OK && (err.code != rc || err.text[0] == '\0')) {
		snprintf(why, n, "refused without a message");
		return false;
	}
	return true;
}

static void reads_writes_and_fingerprints_schemas_as_avro_java_does(void **state)
{
	static const struct vectors_skip skip[] = {
		{ "can-00273", "a name twice in one object: two readers may see two schemas; refused" },
		{ "can-00274", "comments: JSON has none" },
		{ "can-00275", "comments: JSON has none" },
		{ NULL, NULL },
	};

	(void)state;
	vectors_run("canonical.jsonl", 514, run_canonical, skip);
}

static void refuses_what_avro_java_refuses(void **state)
{
	(void)state;
	vectors_run("invalid_schemas.jsonl", 238, run_invalid, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_writes_and_fingerprints_schemas_as_avro_java_does),
		cmocka_unit_test(refuses_what_avro_java_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
