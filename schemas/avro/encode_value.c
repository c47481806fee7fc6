#include "schemas/avro/encode.h"

#include <math.h>

#include "bus/base64.h"
#include "schemas/avro/plain.h"
#include "schemas/avro/schema_impl.h"

#define PEEK_MAX 64 /* times the text, looking ahead for the branch of a union */

bool schema_encode_whole(const struct schema_encoder *e, const struct schema_node *node,
			 const struct bus_json *v, int64_t *out)
{
	if (v->type == BUS_JSON_STRING)
		return schema_encode_plain(e) && schema_plain_time_parse(node, v->text, out);
	if (bus_json_int(v, out) != BUS_OK)
		return false;
	return node->type == SCHEMA_LONG || (*out >= INT32_MIN && *out <= INT32_MAX);
}

/* The bytes of a value of bytes or fixed, into e->scratch. */
bool schema_encode_bytes(struct schema_encoder *e, const struct schema_node *node, const struct bus_json *v)
{
	char uuid[16];
	bool ok;

	bus_buf_reset(&e->scratch);
	if (v->type != BUS_JSON_STRING)
		return false;
	if (!schema_encode_plain(e)) {
		ok = schema_latin1(v->text, &e->scratch);
	} else if (node->logical == SCHEMA_DECIMAL) {
		ok = schema_plain_decimal_parse(node, v->text, &e->scratch);
	} else if (node->logical == SCHEMA_UUID) {
		ok = schema_plain_uuid_parse(v->text, uuid);
		bus_buf_put(&e->scratch, uuid, ok ? sizeof(uuid) : 0);
	} else {
		ok = bus_base64_parse(v->text, &e->scratch);
	}
	return ok && (node->type == SCHEMA_BYTES || e->scratch.n == node->size);
}

const char *schema_encode_unfit(const struct schema_encoder *e, const struct schema_node *node)
{
	switch (schema_encode_plain(e) ? node->logical : SCHEMA_LOGICAL_NONE) {
	case SCHEMA_DATE:
		return "not a date";
	case SCHEMA_TIME_MILLIS:
	case SCHEMA_TIME_MICROS:
		return "not a time of day";
	case SCHEMA_TIMESTAMP_MILLIS:
	case SCHEMA_TIMESTAMP_MICROS:
	case SCHEMA_TIMESTAMP_NANOS:
		return "not a timestamp";
	case SCHEMA_LOCAL_TIMESTAMP_MILLIS:
	case SCHEMA_LOCAL_TIMESTAMP_MICROS:
	case SCHEMA_LOCAL_TIMESTAMP_NANOS:
		return "not a local timestamp";
	case SCHEMA_DECIMAL:
		return "not a decimal (in quotes) of the schema's precision and scale";
	case SCHEMA_UUID:
		return "not a UUID";
	default:
		return node->type == SCHEMA_INT	    ? "not an int"
		       : node->type == SCHEMA_LONG  ? "not a long"
		       : node->type == SCHEMA_FIXED ? "not bytes of the fixed size"
						    : "not bytes";
	}
}

/* Java's decoder takes the short names of the infinities too. */
bool schema_encode_real(const struct bus_json *v, double *out)
{
	if (v->type == BUS_JSON_STRING && (bus_str_is(v->text, "INF") || bus_str_is(v->text, "-INF"))) {
		*out = v->text.p[0] == '-' ? -(double)INFINITY : (double)INFINITY;
		return true;
	}
	return schema_real(v, out);
}

/* Plain spelling: could this branch take the value? Of an object or array nothing is known but that it is
 * one. */
static bool takes(struct schema_encoder *e, const struct schema_node *node, const struct bus_json *v)
{
	int64_t whole;
	double real;

	switch (node->type) {
	case SCHEMA_NULL:
		return v->type == BUS_JSON_NULL;
	case SCHEMA_BOOLEAN:
		return v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE;
	case SCHEMA_INT:
	case SCHEMA_LONG:
		return schema_encode_whole(e, node, v, &whole);
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return schema_real(v, &real);
	case SCHEMA_STRING:
		return v->type == BUS_JSON_STRING;
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		return schema_encode_bytes(e, node, v);
	case SCHEMA_ENUM:
		return v->type == BUS_JSON_STRING && schema_position(node, v->text) >= 0;
	case SCHEMA_ARRAY:
		return v->type == BUS_JSON_ARRAY;
	case SCHEMA_MAP:
	case SCHEMA_RECORD:
		return v->type == BUS_JSON_OBJECT;
	case SCHEMA_UNION:
		break;
	}
	return false;
}

/* Looks ahead: are the members of the object that has just begun fields of the record, and are those there
 * that must be? What is in them is not looked at. A fault in the JSON is told when it is come to. */
static bool is_record(struct schema_encoder *e, const struct schema_node *node)
{
	const struct bus_json_limits limits = { .depth = BUS_JSON_DEPTH_MAX, .text = SCHEMA_ENCODE_TEXT_MAX };
	const size_t from = (size_t)bus_json_offset(e->json) - 1;
	struct bus_json_puller *ahead = bus_json_puller_new(&limits);
	bool *given = bus_xcalloc(node->n + 1, sizeof(*given));
	enum bus_json_type type = BUS_JSON_OBJECT;
	struct bus_str name;
	bool fits = true;

	bus_json_feed(ahead, e->text.p + from, e->text.n - from, true);
	while (fits && bus_json_next(ahead, &type, &name, NULL) == BUS_OK && bus_json_depth(ahead) > 0) {
		int32_t i;

		if (type != BUS_JSON_NAME || bus_json_depth(ahead) > 1)
			continue;
		i = schema_position(node, name);
		fits = i >= 0;
		if (fits)
			given[i] = true;
	}
	for (size_t i = 0; i < node->n; i++)
		fits = fits && (given[i] || node->field[i].fallback);
	e->peeked += (size_t)bus_json_offset(ahead);
	bus_json_puller_free(&ahead);
	free(given);
	return fits;
}

int32_t schema_encode_choose(struct schema_encoder *e, const struct schema_node *node,
			     const struct bus_json *v)
{
	size_t n = 0;
	int32_t found = -1;

	for (size_t i = 0; i < node->n; i++) {
		if (!takes(e, node->branch[i], v))
			continue;
		found = found < 0 ? (int32_t)i : found;
		n++;
	}
	if (n < 2 || v->type != BUS_JSON_OBJECT)
		return found;
	for (size_t i = 0; i < node->n && e->peeked / PEEK_MAX <= e->text.n; i++)
		if (takes(e, node->branch[i], v) &&
		    (node->branch[i]->type == SCHEMA_MAP || is_record(e, node->branch[i])))
			return (int32_t)i;
	return -1;
}
