/* The members, the records, what is in each. */
#include "gateway/restproxy/body.h"

#include <stdarg.h>
#include <stdio.h>

#include "bus/arena.h"
#include "bus/base64.h"
#include "bus/json_out.h"
#include "gateway/publish/impl.h"
#include "gateway/serve/problem.h"
#include "schemas/avro/json.h"

#define KEY_MAX 1024

struct record {
	struct bus_str key, value, partition; /* p NULL: not there */
};

bool gw_rp_body_fail(struct gw_rp_body *b, int error, const char *fmt, ...)
{
	va_list ap;

	b->error = error;
	va_start(ap, fmt);
	vsnprintf(b->detail, sizeof(b->detail), fmt, ap);
	va_end(ap);
	return false;
}

bool gw_rp_body_number(struct bus_str json, int64_t least, int64_t *out)
{
	struct bus_json v = { .type = BUS_JSON_NUMBER, .text = json };

	if (json.n > 2 && json.p[0] == '"' && json.p[json.n - 1] == '"')
		v.text = (struct bus_str){ json.p + 1, json.n - 2 };
	for (size_t i = 0; i < v.text.n; i++)
		if (v.text.p[i] < '0' || v.text.p[i] > '9')
			return false;
	return v.text.n > 0 && v.text.n <= 10 && bus_json_int(&v, out) == BUS_OK && *out >= least &&
	       *out <= INT32_MAX;
}

static bool given(struct bus_str s)
{
	return s.p && !bus_str_is(s, "null");
}

/* --- a record ------------------------------------------------------------------------------------------------ */

static bool refuse(struct gw_rp_body *b, int error, const char *place, const char *member, const char *why)
{
	return gw_rp_body_fail(b, error, "%s%s: %s", place, member, why);
}

/* What gateway/publish says of a record, as an error of all of the request. */
static bool refused(struct gw_rp_body *b, const struct gw_publish_record *r, const char *place)
{
	const bool invalid = strcmp(r->problem, "record-invalid") == 0;

	return gw_rp_body_fail(b, invalid ? GW_RP_JSON_CONVERSION : GW_RP_PAYLOAD, "%s: %s%s%s",
			       r->pointer ? r->pointer : place,
			       invalid && r->detail ? "" : gw_problem_title(r->problem, true),
			       !invalid && r->detail ? ": " : "", r->detail ? r->detail : "");
}

static bool take_apart(struct gw_rp_body *b, struct bus_str json, const char *place, struct record *out)
{
	struct bus_str name, value, *to;
	enum gw_slice_next next;
	struct gw_slice s;

	*out = (struct record){ 0 };
	if (json.p[0] != '{')
		return refuse(b, 400, place, "", "not an object");
	gw_slice_enter(&s, json);
	while ((next = gw_slice_member(&s, &name, &value)) == GW_SLICE_ONE) {
		to = bus_str_is(name, "key")	     ? &out->key
		     : bus_str_is(name, "value")     ? &out->value
		     : bus_str_is(name, "partition") ? &out->partition
						     : NULL;
		if (!to)
			return refuse(b, 422, place, "", "unrecognized field; key, value, partition");
		if (to->p)
			return refuse(b, 400, place, "", "a name stands twice in it");
		*to = value;
	}
	return next == GW_SLICE_END || refuse(b, 400, place, "", "not JSON");
}

/* JSON with nothing between its parts: bytes that are the same for the same key. */
static bool put_json(struct gw_rp_body *b, struct bus_str json, const char *place, const char *member)
{
	struct bus_arena *arena = bus_arena_new(GW_PUBLISH_BODY_MAX);
	struct bus_json_out j = { .buf = &b->base.batch->bytes };
	struct bus_json *v;
	const bool good = bus_json_parse(json, NULL, arena, &v, NULL) == BUS_OK;

	if (good)
		bus_json_put_tree(&j, v);
	bus_arena_free(&arena);
	return good || refuse(b, 400, place, member, "not JSON");
}

static bool put_base64(struct gw_rp_body *b, struct bus_str json, const char *place, const char *member)
{
	struct bus_str text = { json.p + 1, json.n - 2 };

	if (json.p[0] != '"' || json.n < 2 || !bus_base64_parse(text, &b->base.batch->bytes))
		return refuse(b, 400, place, member, "not a base64 string");
	return true;
}

static bool put_bytes(struct gw_rp_body *b, struct bus_str json, const char *place, const char *member)
{
	return b->format == GW_RP_JSON ? put_json(b, json, place, member)
				       : put_base64(b, json, place, member);
}

static bool bytes_record(struct gw_rp_body *b, struct gw_publish_record *r, const struct record *in,
			 const char *place)
{
	struct gw_publish_batch *batch = b->base.batch;

	bus_buf_reserve(&batch->bytes, 1); /* an empty value is no tombstone: it stands somewhere */
	r->value_at = (uint32_t)batch->bytes.n;
	if (!r->tombstone && !put_bytes(b, in->value, place, "/value"))
		return false;
	r->value_n = (uint32_t)(batch->bytes.n - r->value_at);
	if (!given(in->key))
		return !r->tombstone ||
		       refuse(b, GW_RP_PAYLOAD, place, "", "null without a key removes nothing");
	r->key_at = (uint32_t)batch->bytes.n;
	if (!put_bytes(b, in->key, place, "/key"))
		return false;
	r->key_n = (uint32_t)(batch->bytes.n - r->key_at);
	r->has_key = true;
	if (r->key_n == 0)
		return refuse(b, GW_RP_PAYLOAD, place, "/key", "empty");
	if (r->key_n > KEY_MAX)
		return refuse(b, GW_RP_PAYLOAD, place, "/key", "longer than 1,024 bytes");
	if (gw_publish_holds_nik((struct bus_str){ batch->bytes.p + r->key_at, r->key_n }))
		return refuse(b, GW_RP_PAYLOAD, place, "/key", gw_problem_title("record-key-personal", true));
	return true;
}

/* Whether the key that was written last holds a NIK, whatever its schema: it is written as text once more. */
static bool avro_key_is_personal(struct gw_rp_body *b, struct bus_str datum)
{
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };
	struct schema_json_sink sink;
	bool holds;

	schema_json_sink_init(&sink, &j, SCHEMA_JSON_AVRO);
	holds = schema_read(b->key_reader, b->key_plan, datum, &sink.sink, NULL) != BUS_OK ||
		gw_publish_holds_nik(bus_buf_str(&text));
	bus_buf_release(&text);
	return holds;
}

static bool avro_key(struct gw_rp_body *b, struct gw_publish_record *r, struct bus_str json,
		     const char *place)
{
	struct bus_buf *bytes = &b->base.batch->bytes;
	struct bus_error err = { 0 };
	struct bus_str datum;

	if (!given(json))
		return !r->tombstone ||
		       refuse(b, GW_RP_PAYLOAD, place, "", "null without a key removes nothing");
	r->key_at = (uint32_t)bytes->n;
	bus_wire_put_prefix(bytes, b->key_schema_id);
	if (schema_encode_json(b->key_schema, json, SCHEMA_JSON_AVRO, bytes, &err))
		return refuse(b, GW_RP_JSON_CONVERSION, place, "/key", err.text);
	r->key_n = (uint32_t)(bytes->n - r->key_at);
	r->has_key = true;
	datum = (struct bus_str){ bytes->p + r->key_at + BUS_WIRE_PREFIX, r->key_n - BUS_WIRE_PREFIX };
	if (r->key_n > KEY_MAX)
		return refuse(b, GW_RP_PAYLOAD, place, "/key", "longer than 1,024 bytes");
	if (avro_key_is_personal(b, datum))
		return refuse(b, GW_RP_PAYLOAD, place, "/key", gw_problem_title("record-key-personal", true));
	return true;
}

static bool text_key(struct gw_rp_body *b, struct gw_publish_record *r, struct bus_str json,
		     const char *place, const char *pointer)
{
	struct bus_str key = { 0 }, name, branch;
	struct gw_slice s;

	if (given(json) && json.p[0] == '{' && b->format == GW_RP_AVRO) { /* {"string": "..."} of a union */
		gw_slice_enter(&s, json);
		if (gw_slice_member(&s, &name, &branch) == GW_SLICE_ONE && bus_str_is(name, "string") &&
		    gw_slice_peek(&s) == '}')
			json = branch;
	}
	if (given(json) && !gw_body_text(&b->base, json, KEY_MAX, &key))
		return refuse(b, GW_RP_PAYLOAD, place, "/key", "not a string of at most 1,024 bytes");
	return gw_publish_key(b->base.encoder, b->base.batch, r, key, pointer) || refused(b, r, place);
}

static bool schema_record(struct gw_rp_body *b, struct gw_publish_record *r, const struct record *in,
			  const char *place)
{
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "%s/value", place);
	if (!r->tombstone && !gw_publish_value_json(b->base.encoder, b->base.batch, r, in->value,
						    b->format == GW_RP_AVRO, pointer))
		return refused(b, r, place);
	if (b->keys == GW_RP_KEYS_AVRO)
		return avro_key(b, r, in->key, place);
	snprintf(pointer, sizeof(pointer), "%s/key", place);
	return text_key(b, r, in->key, place, pointer);
}

static bool take_record(struct gw_rp_body *b, struct bus_str json, const char *place)
{
	struct gw_publish_record *r;
	struct record in;
	int64_t n;

	if (!take_apart(b, json, place, &in))
		return false;
	if (!in.key.p && !in.value.p)
		return refuse(b, 422, place, "", "neither key nor value");
	if (b->format == GW_RP_AVRO && given(in.key) && !b->key_said)
		return gw_rp_body_fail(b, GW_RP_KEY_SCHEMA_MISSING, "%s", "");
	if (b->format == GW_RP_AVRO && given(in.value) && !b->value_said)
		return gw_rp_body_fail(b, GW_RP_VALUE_SCHEMA_MISSING, "%s", "");
	if (given(in.partition) && !gw_rp_body_number(in.partition, 0, &n))
		return refuse(b, 422, place, "/partition", "not the number of a partition");
	r = gw_publish_add(b->base.batch);
	if (!r)
		return gw_rp_body_fail(b, 413, "at most %d records, %zu bytes", GW_PUBLISH_RECORDS_MAX,
				       2 * GW_PUBLISH_BODY_MAX);
	r->partition = given(in.partition) ? (int32_t)n : b->partition;
	r->tombstone = !given(in.value);
	return b->keys == GW_RP_KEYS_BYTES ? bytes_record(b, r, &in, place) : schema_record(b, r, &in, place);
}

/* --- the whole ----------------------------------------------------------------------------------------------- */

static bool take_list(struct gw_rp_body *b, struct bus_str list)
{
	enum gw_slice_next next;
	struct bus_str item;
	struct gw_slice s;
	char place[32];

	gw_slice_enter(&s, list);
	while ((next = gw_slice_item(&s, &item)) == GW_SLICE_ONE) {
		snprintf(place, sizeof(place), "/records/%zu", b->base.batch->n);
		if (!take_record(b, item, place))
			return false;
	}
	if (next != GW_SLICE_END)
		return gw_rp_body_fail(b, 400, "/records: not JSON");
	return b->base.batch->n > 0 || gw_rp_body_fail(b, 422, "records may not be empty");
}

static bool read_members(struct gw_rp_body *b, struct bus_str json, struct gw_rp_schemas *schemas,
			 struct bus_str *records)
{
	struct bus_str name, value, *to;
	enum gw_slice_next next;
	struct gw_slice s;

	gw_slice_enter(&s, json);
	while ((next = gw_slice_member(&s, &name, &value)) == GW_SLICE_ONE) {
		to = bus_str_is(name, "records")	   ? records
		     : bus_str_is(name, "value_schema")	   ? &schemas->value
		     : bus_str_is(name, "value_schema_id") ? &schemas->value_id
		     : bus_str_is(name, "key_schema")	   ? &schemas->key
		     : bus_str_is(name, "key_schema_id")   ? &schemas->key_id
							   : NULL;
		if (!to)
			return gw_rp_body_fail(b, 422,
					       "Unrecognized field; records, value_schema, value_schema_id, "
					       "key_schema, key_schema_id");
		if (to->p)
			return gw_rp_body_fail(b, 400, "a name stands twice in the body");
		*to = value;
	}
	return next == GW_SLICE_END || gw_rp_body_fail(b, 400, "not JSON");
}

bool gw_rp_body_read(struct gw_rp_body *b, struct bus_str text)
{
	struct gw_slice s = { text.p, text.p + text.n, false };
	struct gw_rp_schemas schemas = { 0 };
	struct bus_str json, records = { 0 };

	if (!gw_slice_value(&s, &json) || !gw_slice_over(&s) || json.p[0] != '{')
		return gw_rp_body_fail(b, 400, "the body is not a JSON object");
	if (!read_members(b, json, &schemas, &records))
		return false;
	if (!given(records))
		return gw_rp_body_fail(b, 422, "records may not be empty");
	if (records.p[0] != '[')
		return gw_rp_body_fail(b, 400, "/records: not an array");
	return gw_rp_body_schemas(b, &schemas) && take_list(b, records);
}

void gw_rp_body_release(struct gw_rp_body *b)
{
	schema_plan_free(&b->key_plan);
	schema_reader_free(&b->key_reader);
	schema_unref(&b->key_schema);
	gw_body_release(&b->base);
}
