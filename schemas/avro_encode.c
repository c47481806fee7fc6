/* JSON text -> Avro. Recursion is bounded by the depth of the JSON. */
#include <math.h>

#include "schemas/avro_json.h"
#include "bus/base64.h"
#include "schemas/avro_plain.h"
#include "schemas/avro_write.h"
#include "schemas/schema_impl.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)

struct place {
	const struct place *up;
	const char *name; /* NULL: an index */
	size_t index;
};

struct encoder {
	enum schema_json spelling;
	struct bus_buf *out;
	struct bus_buf scratch; /* bytes on the way to out */
	struct bus_error *err;
};

static void put_place(const struct place *at, struct bus_buf *b)
{
	if (!at)
		return;
	put_place(at->up, b);
	if (at->name)
		bus_buf_printf(b, "/%s", at->name);
	else
		bus_buf_printf(b, "/%zu", at->index);
}

static enum bus_err misfit(struct encoder *e, const struct place *at, const char *want)
{
	struct bus_buf b = { 0 };
	enum bus_err rc;

	put_place(at, &b);
	rc = bus_fail(e->err, BUS_EDATA, "value %.300s: %s", b.n > 0 ? bus_buf_cstr(&b) : "/", want);
	bus_buf_release(&b);
	return rc;
}

static bool plain(const struct encoder *e)
{
	return e->spelling == SCHEMA_JSON_PLAIN;
}

static bool to_integer(const struct encoder *e, const struct schema_node *node, const struct bus_json *v,
		       int64_t *out)
{
	if (v->type == BUS_JSON_STRING)
		return plain(e) && schema_plain_time_parse(node, v->text, out);
	if (bus_json_int(v, out) != BUS_OK)
		return false;
	return node->type == SCHEMA_LONG || (*out >= INT32_MIN && *out <= INT32_MAX);
}

/* The bytes of a value of bytes or fixed, into e->scratch. */
static bool to_bytes(struct encoder *e, const struct schema_node *node, const struct bus_json *v)
{
	char uuid[16];
	bool ok;

	bus_buf_reset(&e->scratch);
	if (v->type != BUS_JSON_STRING)
		return false;
	if (!plain(e)) {
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

/* Members of the object that are fields of the record, and whether those that must be there are. */
static bool is_record(const struct schema_node *node, const struct bus_json *v)
{
	size_t found = 0;

	if (v->type != BUS_JSON_OBJECT)
		return false;
	for (size_t i = 0; i < node->n; i++) {
		bool given = bus_json_get(v, node->field[i].name) != NULL;

		found += given;
		if (!given && !node->field[i].fallback)
			return false;
	}
	return found == v->n;
}

/* Plain spelling: could this branch take the value? Looks at the value itself, not at what is in it. */
static bool takes(struct encoder *e, const struct schema_node *node, const struct bus_json *v)
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
		return to_integer(e, node, v, &whole);
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return schema_real(v, &real);
	case SCHEMA_STRING:
		return v->type == BUS_JSON_STRING;
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		return to_bytes(e, node, v);
	case SCHEMA_ENUM:
		return v->type == BUS_JSON_STRING && schema_position(node, v->text) >= 0;
	case SCHEMA_ARRAY:
		return v->type == BUS_JSON_ARRAY;
	case SCHEMA_MAP:
		return v->type == BUS_JSON_OBJECT;
	case SCHEMA_RECORD:
		return is_record(node, v);
	case SCHEMA_UNION:
		break;
	}
	return false;
}

static enum bus_err encode(struct encoder *e, const struct schema_node *node, const struct bus_json *v,
			   const struct place *at);

static enum bus_err encode_labelled(struct encoder *e, const struct schema_node *node,
				    const struct bus_json *v, const struct place *at)
{
	const struct bus_json *inner = v;
	struct place here = { at, NULL, 0 };
	int32_t i = -1;

	if (v->type == BUS_JSON_NULL) {
		i = schema_position(node, BUS_STR("null"));
	} else if (v->type == BUS_JSON_OBJECT && v->n == 1) {
		inner = v->first;
		i = schema_position(node, inner->name);
		/* {"null": null} would be a second spelling of null. */
		if (i >= 0 && node->branch[i]->type == SCHEMA_NULL)
			i = -1;
	}
	if (i < 0)
		return misfit(e, at, "not null and not {\"branch\": value} of the union");
	here.name = schema_label(node->branch[i]);
	schema_put_long(e->out, i);
	return encode(e, node->branch[i], inner, inner == v ? at : &here);
}

static enum bus_err encode_union(struct encoder *e, const struct schema_node *node, const struct bus_json *v,
				 const struct place *at)
{
	if (!plain(e))
		return encode_labelled(e, node, v, at);
	for (size_t i = 0; i < node->n; i++) {
		if (!takes(e, node->branch[i], v))
			continue;
		schema_put_long(e->out, (int64_t)i);
		return encode(e, node->branch[i], v, at);
	}
	return misfit(e, at, "no branch of the union takes it");
}

static enum bus_err encode_record(struct encoder *e, const struct schema_node *node, const struct bus_json *v,
				  const struct place *at)
{
	const struct bus_json *next;
	size_t found = 0;

	if (v->type != BUS_JSON_OBJECT)
		return misfit(e, at, "not an object");
	next = v->first;
	for (size_t i = 0; i < node->n; i++) {
		const struct schema_field *field = &node->field[i];
		const struct place here = { at, field->name, 0 };
		const struct bus_json *given = next; /* most often the fields stand in order */
		enum bus_err rc = BUS_OK;

		if (!given || !bus_str_is(given->name, field->name))
			given = bus_json_get(v, field->name);
		if (given) {
			found++;
			next = given->next;
			rc = encode(e, field->type, given, &here);
		} else if (!plain(e) || !field->fallback) {
			rc = misfit(e, &here, "missing");
		} else if (schema_default_encode(field->type, field->fallback, e->out) != BUS_OK) {
			rc = misfit(e, &here, "missing, and its default is no such value");
		}
		if (rc != BUS_OK)
			return rc;
	}
	return found == v->n ? BUS_OK : misfit(e, at, "a member that is no field of the record");
}

static enum bus_err encode_items(struct encoder *e, const struct schema_node *node, const struct bus_json *v,
				 const struct place *at)
{
	const bool map = node->type == SCHEMA_MAP;
	struct place here = { at, map ? "*" : NULL, 0 };

	if (v->type != (map ? BUS_JSON_OBJECT : BUS_JSON_ARRAY))
		return misfit(e, at, map ? "not an object" : "not an array");
	if (v->n > 0)
		schema_put_long(e->out, (int64_t)v->n);
	for (const struct bus_json *child = v->first; child; child = child->next, here.index++) {
		enum bus_err rc;

		if (map)
			schema_put_text(e->out, child->name);
		rc = encode(e, node->item, child, &here);
		if (rc != BUS_OK)
			return rc;
	}
	schema_put_long(e->out, 0);
	return BUS_OK;
}

/* Java's decoder takes the short names of the infinities too. */
static bool to_real(const struct bus_json *v, double *out)
{
	if (v->type == BUS_JSON_STRING && (bus_str_is(v->text, "INF") || bus_str_is(v->text, "-INF"))) {
		*out = v->text.p[0] == '-' ? -(double)INFINITY : (double)INFINITY;
		return true;
	}
	return schema_real(v, out);
}

static enum bus_err encode_real(struct encoder *e, const struct schema_node *node, const struct bus_json *v,
				const struct place *at)
{
	double real;

	if (!to_real(v, &real))
		return misfit(e, at, "not a number");
	if (node->type == SCHEMA_DOUBLE)
		schema_put_double(e->out, real);
	else
		schema_put_float(e->out, (float)real);
	return BUS_OK;
}

static enum bus_err encode_bytes(struct encoder *e, const struct schema_node *node, const struct bus_json *v,
				 const struct place *at)
{
	if (!to_bytes(e, node, v))
		return misfit(e, at,
			      node->type == SCHEMA_FIXED ? "not bytes of the fixed size" : "not bytes");
	if (node->type == SCHEMA_BYTES)
		schema_put_long(e->out, (int64_t)e->scratch.n);
	bus_buf_put(e->out, e->scratch.p, e->scratch.n);
	return BUS_OK;
}

static enum bus_err encode_symbol(struct encoder *e, const struct schema_node *node, const struct bus_json *v,
				  const struct place *at)
{
	int32_t i = v->type == BUS_JSON_STRING ? schema_position(node, v->text) : -1;

	if (i < 0)
		return misfit(e, at, "not a symbol of the enum");
	schema_put_long(e->out, i);
	return BUS_OK;
}

static enum bus_err encode(struct encoder *e, const struct schema_node *node, const struct bus_json *v,
			   const struct place *at)
{
	int64_t whole;

	switch (node->type) {
	case SCHEMA_NULL:
		return v->type == BUS_JSON_NULL ? BUS_OK : misfit(e, at, "not null");
	case SCHEMA_BOOLEAN:
		if (v->type != BUS_JSON_TRUE && v->type != BUS_JSON_FALSE)
			return misfit(e, at, "not true or false");
		schema_put_boolean(e->out, v->type == BUS_JSON_TRUE);
		return BUS_OK;
	case SCHEMA_INT:
	case SCHEMA_LONG:
		if (!to_integer(e, node, v, &whole))
			return misfit(e, at, node->type == SCHEMA_INT ? "not an int" : "not a long");
		schema_put_long(e->out, whole);
		return BUS_OK;
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return encode_real(e, node, v, at);
	case SCHEMA_STRING:
		if (v->type != BUS_JSON_STRING)
			return misfit(e, at, "not a string");
		schema_put_text(e->out, v->text);
		return BUS_OK;
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		return encode_bytes(e, node, v, at);
	case SCHEMA_ENUM:
		return encode_symbol(e, node, v, at);
	case SCHEMA_RECORD:
		return encode_record(e, node, v, at);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		return encode_items(e, node, v, at);
	case SCHEMA_UNION:
		break;
	}
	return encode_union(e, node, v, at);
}

enum bus_err schema_encode_json(struct schema *s, struct bus_str json, enum schema_json spelling,
				struct bus_buf *out, struct bus_error *err)
{
	const struct bus_json_limits limits = { .depth = BUS_JSON_DEPTH_MAX, .text = ARENA_MAX };
	struct encoder e = { .spelling = spelling, .out = out, .err = err };
	struct bus_arena *arena;
	struct bus_json *tree;
	size_t before = out->n;
	enum bus_err rc;

	if (json.n >= 3 && memcmp(json.p, "\xef\xbb\xbf", 3) == 0)
		return bus_fail(err, BUS_EPARSE, "a byte order mark before the value");
	arena = bus_arena_new(ARENA_MAX);
	rc = bus_json_parse(json, &limits, arena, &tree, err);
	if (rc == BUS_OK)
		rc = encode(&e, s->root, tree, NULL);
	bus_buf_release(&e.scratch);
	bus_arena_free(&arena);
	if (rc != BUS_OK)
		out->n = before;
	return rc;
}
