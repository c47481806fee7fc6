/* JSON and NDJSON as records; what the other kinds share. */
#include "gateway/publish/body.h"

#include <stdarg.h>
#include <stdio.h>

#include "bus/arena.h"
#include "bus/clock.h"
#include "gateway/publish/impl.h"

#define KEY_MAX 1024
#define HEADER_MAX 8192 /* bytes of one */
#define AHEAD_MS 60000	/* a clock may be ahead of ours by this much */

bool gw_body_fail(struct gw_body *body, const char *problem, const char *fmt, ...)
{
	va_list ap;

	body->problem = problem;
	va_start(ap, fmt);
	vsnprintf(body->detail, sizeof(body->detail), fmt, ap);
	va_end(ap);
	return false;
}

bool gw_body_schema(struct gw_body *body)
{
	struct gw_publish_batch *b = body->batch;
	struct bus_error err;

	if (body->encoder)
		return true;
	if (gw_publish_schema_find(b->all, b->topic, body->version, body->schema_id, &body->schema, &err))
		return gw_body_fail(body, "schema-unknown", "%s", err.text);
	b->schema_id = body->schema.id;
	body->encoder = gw_publish_encoder_new(b->all, &body->schema);
	return true;
}

void gw_body_release(struct gw_body *body)
{
	gw_publish_encoder_free(&body->encoder);
	gw_publish_schema_release(&body->schema);
}

struct gw_publish_record *gw_body_add(struct gw_body *body)
{
	struct gw_publish_record *r = gw_publish_add(body->batch);

	if (!r)
		gw_body_fail(body, "publish-too-many", "%d records, %zu bytes", GW_PUBLISH_RECORDS_MAX,
			     2 * GW_PUBLISH_BODY_MAX);
	return r;
}

static bool plain(struct bus_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e || s.p[i] == '\\' || s.p[i] == '"')
			return false;
	return true;
}

bool gw_body_text(struct gw_body *body, struct bus_str json, size_t most, struct bus_str *out)
{
	const struct bus_json_limits limits = { .depth = 1, .text = most };
	struct bus_json *v;
	char *copy;

	if (json.n < 2 || json.p[0] != '"' || json.n > 6 * most + 2)
		return false;
	*out = (struct bus_str){ json.p + 1, json.n - 2 };
	if (!plain(*out)) {
		if (bus_json_parse(json, &limits, body->batch->arena, &v, NULL))
			return false;
		*out = v->text;
	}
	copy = out->n <= most ? bus_arena_dup(body->batch->arena, out->p, out->n) : NULL;
	out->p = copy;
	return copy != NULL;
}

static bool whole(struct bus_str json, int64_t least, int64_t most, int64_t *out)
{
	struct bus_json v = { .type = BUS_JSON_NUMBER, .text = json };

	if (json.n == 0 || json.n > 20 || !(json.p[0] == '-' || (json.p[0] >= '0' && json.p[0] <= '9')))
		return false;
	return bus_json_int(&v, out) == BUS_OK && *out >= least && *out <= most;
}

bool gw_body_header(struct gw_body *body, struct gw_publish_record *r, struct bus_str name,
		    struct bus_str value)
{
	struct bus_header *list;

	if (r->n_headers == GW_PUBLISH_HEADERS_MAX)
		return false;
	if (r->n_headers % 8 == 0) {
		list = bus_arena_alloc(body->batch->arena, (r->n_headers + 8) * sizeof(*list));
		if (!list)
			return false;
		for (size_t i = 0; i < r->n_headers; i++)
			list[i] = r->header[i];
		r->header = list;
	}
	memcpy((void *)(uintptr_t)&r->header[r->n_headers++], &(struct bus_header){ name, value },
	       sizeof(struct bus_header));
	return true;
}

/* --- an envelope --- */

static bool refuse(struct gw_body *body, struct gw_publish_record *r, const char *place, const char *member,
		   const char *why)
{
	char pointer[80];

	snprintf(pointer, sizeof(pointer), "%s%s", place, member);
	gw_publish_refuse(body->batch, r, "record-invalid", pointer, why);
	return false;
}

/* Names that are ours mean something to those who read. */
static bool reserved(struct bus_str name)
{
	return name.n == 0 || (name.n >= 3 && memcmp(name.p, "ce_", 3) == 0) ||
	       (name.n >= 7 && memcmp(name.p, "titian_", 7) == 0) || bus_str_is(name, "content-type");
}

static bool read_headers(struct gw_body *body, struct gw_publish_record *r, struct bus_str json,
			 const char *place)
{
	struct bus_str name, value;
	enum gw_slice_next next;
	struct gw_slice s;

	if (bus_str_is(json, "null"))
		return true;
	if (json.p[0] != '{')
		return refuse(body, r, place, "/headers", "not an object");
	gw_slice_enter(&s, json);
	while ((next = gw_slice_member(&s, &name, &value)) == GW_SLICE_ONE) {
		if (!plain(name) || reserved(name))
			return refuse(body, r, place, "/headers",
				      "a name that is not plain, or ours: ce_, titian_");
		if (!gw_body_text(body, value, HEADER_MAX, &value) || !gw_body_header(body, r, name, value))
			return refuse(body, r, place, "/headers", "not a string, too long, or too many");
		if (gw_publish_holds_nik(name) || gw_publish_holds_nik(value)) {
			gw_publish_refuse(body->batch, r, "record-key-personal", place, "headers");
			return false;
		}
	}
	return next == GW_SLICE_END || refuse(body, r, place, "/headers", "not JSON");
}

struct envelope {
	struct bus_str key, value, headers, timestamp, partition; /* p NULL: not there */
};

static bool take_apart(struct gw_body *body, struct gw_publish_record *r, struct bus_str json,
		       const char *place, struct envelope *out)
{
	struct bus_str name, value, *to;
	enum gw_slice_next next;
	struct gw_slice s;

	if (json.n == 0 || json.p[0] != '{')
		return refuse(body, r, place, "", "not an object");
	gw_slice_enter(&s, json);
	while ((next = gw_slice_member(&s, &name, &value)) == GW_SLICE_ONE) {
		to = bus_str_is(name, "key")	     ? &out->key
		     : bus_str_is(name, "value")     ? &out->value
		     : bus_str_is(name, "headers")   ? &out->headers
		     : bus_str_is(name, "timestamp") ? &out->timestamp
		     : bus_str_is(name, "partition") ? &out->partition
						     : NULL;
		if (!to)
			return refuse(body, r, place, "",
				      "has a member other than key, value, headers, timestamp, partition");
		if (to->p)
			return refuse(body, r, place, "", "a name stands twice in it");
		*to = value;
	}
	if (next != GW_SLICE_END)
		return refuse(body, r, place, "", "not JSON");
	return out->value.p || refuse(body, r, place, "/value", "missing");
}

static void read_envelope(struct gw_body *body, struct gw_publish_record *r, struct bus_str json,
			  const char *place)
{
	struct bus_str key = { 0 };
	struct envelope e = { 0 };
	char pointer[80];
	int64_t n;

	if (!take_apart(body, r, json, place, &e))
		return;
	if (e.timestamp.p && !bus_str_is(e.timestamp, "null")) {
		if (!whole(e.timestamp, 0, INT64_C(253402300799999), &r->timestamp_ms)) {
			refuse(body, r, place, "/timestamp", "not milliseconds since 1970");
			return;
		}
		/* An older one would change what the register says of days that are past. */
		if (body->schema.register_topic) {
			refuse(body, r, place, "/timestamp", "a register's is when the record arrives");
			return;
		}
		/* What measures freshness believes it; so does Kafka's retention. */
		if (r->timestamp_ms > bus_clock_ms() + AHEAD_MS) {
			refuse(body, r, place, "/timestamp", "lies in the future");
			return;
		}
	}
	if (e.partition.p && !bus_str_is(e.partition, "null")) {
		if (!whole(e.partition, 0, INT32_MAX, &n)) {
			refuse(body, r, place, "/partition", "not the number of a partition");
			return;
		}
		r->partition = (int32_t)n;
	}
	if (e.headers.p && !read_headers(body, r, e.headers, place))
		return;
	if (e.key.p && !bus_str_is(e.key, "null") && !gw_body_text(body, e.key, KEY_MAX, &key)) {
		refuse(body, r, place, "/key", "not a string of at most 1,024 bytes");
		return;
	}
	r->tombstone = bus_str_is(e.value, "null");
	snprintf(pointer, sizeof(pointer), "%s/value", place);
	if (!r->tombstone &&
	    !gw_publish_value_json(body->encoder, body->batch, r, e.value, body->avro_spelling, pointer))
		return;
	snprintf(pointer, sizeof(pointer), "%s/key", place);
	gw_publish_key(body->encoder, body->batch, r, key, pointer);
}

static void read_row(struct gw_body *body, struct gw_publish_record *r, struct bus_str json,
		     const char *place)
{
	if (gw_publish_value_json(body->encoder, body->batch, r, json, body->avro_spelling, place))
		gw_publish_key(body->encoder, body->batch, r, (struct bus_str){ 0 }, place);
}

/* --- bodies --- */

/* Each item of an array; where: the pointer of the array itself. */
static bool read_array(struct gw_body *body, struct bus_str json, const char *where, bool envelopes)
{
	struct gw_publish_record *r;
	enum gw_slice_next next;
	struct bus_str item;
	struct gw_slice s;
	char place[64];

	gw_slice_enter(&s, json);
	while ((next = gw_slice_item(&s, &item)) == GW_SLICE_ONE) {
		snprintf(place, sizeof(place), "%s/%zu", where, body->batch->n);
		if (body->kind == GW_BODY_EVENTS) {
			gw_body_event(body, item, place);
			if (body->problem)
				return false;
			continue;
		}
		r = gw_body_add(body);
		if (!r)
			return false;
		if (envelopes)
			read_envelope(body, r, item, place);
		else
			read_row(body, r, item, place);
	}
	return next == GW_SLICE_END || gw_body_fail(body, "body-invalid", "not JSON, %s, byte %zu",
						    where[0] ? where : "/", (size_t)(s.p - json.p));
}

/* {"records": [...], "schema": 2, "schema_id": 7}; *list: p NULL when it is none. */
static bool read_list(struct gw_body *body, struct bus_str json, struct bus_str *list)
{
	struct bus_str name, value, version = { 0 }, id = { 0 };
	enum gw_slice_next next;
	bool others = false;
	struct gw_slice s;
	int64_t n;

	*list = (struct bus_str){ 0 };
	gw_slice_enter(&s, json);
	while ((next = gw_slice_member(&s, &name, &value)) == GW_SLICE_ONE) {
		if (bus_str_is(name, "records") && value.p[0] == '[' && !list->p)
			*list = value;
		else if (bus_str_is(name, "schema") && !version.p)
			version = value;
		else if (bus_str_is(name, "schema_id") && !id.p)
			id = value;
		else
			others = true;
	}
	if (next != GW_SLICE_END)
		return gw_body_fail(body, "body-invalid", "not JSON, byte %zu", (size_t)(s.p - json.p));
	if (!list->p)
		return true;
	if (others)
		return gw_body_fail(body, "body-invalid", "beside records: schema, schema_id; each once");
	if ((version.p || id.p) && (body->schema_asked || (version.p && id.p)))
		return gw_body_fail(body, "body-invalid", "the schema is named twice");
	if (id.p && !whole(id, 1, INT32_MAX, &n))
		return gw_body_fail(body, "body-invalid", "schema_id is no number");
	if (id.p)
		body->schema_id = (int32_t)n;
	if (version.p && !bus_str_is(version, "\"latest\"") && !whole(version, 1, INT32_MAX, &n))
		return gw_body_fail(body, "body-invalid", "schema is no version, and not \"latest\"");
	if (version.p && version.p[0] != '"')
		body->version = (int)n;
	return true;
}

static bool read_json(struct gw_body *body, struct bus_str text)
{
	struct gw_slice s = { text.p, text.p + text.n, false };
	struct bus_str json, list = { 0 };
	struct gw_publish_record *r;

	if (!gw_slice_value(&s, &json) || !gw_slice_over(&s))
		return gw_body_fail(body, "body-invalid", "not one JSON value, byte %zu",
				    (size_t)(s.p - text.p));
	if (body->kind == GW_BODY_JSON && json.p[0] == '{' && !body->rows && !read_list(body, json, &list))
		return false;
	if (!gw_body_schema(body))
		return false;
	if (list.p)
		return read_array(body, list, "/records", true);
	if (body->kind == GW_BODY_EVENT) {
		gw_body_event(body, json, "");
		return !body->problem;
	}
	if (json.p[0] == '[')
		return read_array(body, json, "", body->records);
	if (body->kind == GW_BODY_EVENTS)
		return gw_body_fail(body, "body-invalid", "a batch of events is an array");
	r = gw_body_add(body);
	if (r && body->records)
		read_envelope(body, r, json, "");
	else if (r)
		read_row(body, r, json, "");
	return r != NULL;
}

static bool blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p == end;
}

static bool read_lines(struct gw_body *body, struct bus_str text)
{
	const char *p = text.p, *end = text.p + text.n, *stop;
	struct gw_publish_record *r;
	uint32_t line = 1;

	if (!gw_body_schema(body))
		return false;
	for (; p < end; p = stop + 1, line++) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			stop = end;
		if (blank(p, stop))
			continue;
		r = gw_body_add(body);
		if (!r)
			return false;
		r->line = line;
		if (body->records)
			read_envelope(body, r, (struct bus_str){ p, (size_t)(stop - p) }, "");
		else
			read_row(body, r, (struct bus_str){ p, (size_t)(stop - p) }, "");
	}
	return true;
}

bool gw_body_read(struct gw_body *body, struct bus_str text)
{
	bool good = body->kind == GW_BODY_NDJSON ? read_lines(body, text)
		    : body->kind == GW_BODY_AVRO ? gw_body_avro(body, text)
						 : read_json(body, text);

	if (good && body->batch->n == 0)
		return gw_body_fail(body, "body-invalid", "no record in it");
	return good;
}
