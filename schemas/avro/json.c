#include "schemas/avro/json.h"

#include <math.h>
#include <stdio.h>

#include "bus/base64.h"
#include "schemas/avro/plain.h"

static bool is_labelled(const struct schema_json_sink *s)
{
	const int level = s->out->depth - 1;

	return level >= 0 && (s->labelled[level / 64] >> (level % 64) & 1);
}

/* What was just opened: is it there for a label? */
static void mark(struct schema_json_sink *s, bool label)
{
	const int level = s->out->depth - 1;
	const uint64_t bit = UINT64_C(1) << (level % 64);

	if (label)
		s->labelled[level / 64] |= bit;
	else
		s->labelled[level / 64] &= ~bit;
}

static enum bus_err open_object(struct schema_json_sink *s, bool label)
{
	if (s->out->depth >= SCHEMA_JSON_DEPTH_MAX)
		return BUS_ETOOBIG;
	bus_json_object(s->out);
	mark(s, label);
	return BUS_OK;
}

/* A value is complete: so is the object of its label, if it has one. */
static enum bus_err done(struct schema_json_sink *s)
{
	if (is_labelled(s))
		bus_json_object_end(s->out);
	return BUS_OK;
}

/* A string whose characters need no escapes but those given here. */
static void put_ascii(struct schema_json_sink *s, const struct bus_buf *text)
{
	bus_json_put_str(s->out, bus_buf_str(text));
}

static enum bus_err on_null(void *ctx, const struct schema_node *node)
{
	struct schema_json_sink *s = ctx;

	(void)node;
	bus_json_put_null(s->out);
	return done(s);
}

static enum bus_err on_boolean(void *ctx, const struct schema_node *node, bool v)
{
	struct schema_json_sink *s = ctx;

	(void)node;
	bus_json_put_bool(s->out, v);
	return done(s);
}

static enum bus_err on_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	struct schema_json_sink *s = ctx;
	struct bus_buf b = { 0 };

	if (s->spelling == SCHEMA_JSON_PLAIN && node->logical != SCHEMA_LOGICAL_NONE &&
	    schema_plain_time(node, v, &b))
		put_ascii(s, &b);
	else
		bus_json_put_int(s->out, v);
	bus_buf_release(&b);
	return done(s);
}

/* Quarters and tenths and their like: digits over a power of ten, both exact in a float. The same text as
 * below; false: not such a number. */
static bool put_short_float(struct bus_json_out *out, float v)
{
	static const float ten[] = { 1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F };
	const float size = fabsf(v);

	if (!(size >= 1e-4F && size < 1e6F))
		return false;
	for (size_t k = 0; k < BUS_LEN(ten) && size * ten[k] < 1e6F; k++) {
		const float n = floorf(size * ten[k] + 0.5F);

		if (n / ten[k] == size) {
			bus_json_put_double(out, (double)n / (double)ten[k] * (v < 0 ? -1 : 1));
			return true;
		}
	}
	return false;
}

/* The fewest digits that read back as the same float, by way of a double too: 0.1, not 0.10000000149011612.
 */
static void put_float(struct bus_json_out *out, float v)
{
	char text[32];

	if (put_short_float(out, v))
		return;
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)v);
		if (strtof(text, NULL) == v && (float)strtod(text, NULL) == v)
			break;
	}
	bus_json_put_raw(out, bus_str(text));
}

static enum bus_err on_real(void *ctx, const struct schema_node *node, double v)
{
	struct schema_json_sink *s = ctx;

	if (node->type == SCHEMA_FLOAT && isfinite(v) && v != 0)
		put_float(s->out, (float)v);
	else
		bus_json_put_double(s->out, v);
	return done(s);
}

static enum bus_err on_text(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct schema_json_sink *s = ctx;

	(void)node;
	bus_json_put_str(s->out, v);
	return done(s);
}

/* Bytes as the characters U+0000 to U+00FF. */
static void put_latin1(struct bus_json_out *out, struct bus_str v)
{
	struct bus_buf b = { 0 };

	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c >= 0x80) {
			bus_buf_putc(&b, (char)(0xc0 | c >> 6));
			bus_buf_putc(&b, (char)(0x80 | (c & 0x3f)));
		} else {
			bus_buf_putc(&b, (char)c);
		}
	}
	bus_json_put_str(out, bus_buf_str(&b));
	bus_buf_release(&b);
}

static void put_plain_bytes(struct schema_json_sink *s, const struct schema_node *node, struct bus_str v)
{
	struct bus_buf b = { 0 };

	if (node->logical == SCHEMA_UUID && node->type == SCHEMA_FIXED)
		schema_plain_uuid(v.p, &b);
	else if (node->logical != SCHEMA_DECIMAL || !schema_plain_decimal(v, node->scale, &b))
		bus_base64_put(v, &b);
	put_ascii(s, &b);
	bus_buf_release(&b);
}

static enum bus_err on_bytes(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct schema_json_sink *s = ctx;

	if (s->spelling == SCHEMA_JSON_PLAIN)
		put_plain_bytes(s, node, v);
	else
		put_latin1(s->out, v);
	return done(s);
}

static enum bus_err on_symbol(void *ctx, const struct schema_node *node, int32_t index)
{
	struct schema_json_sink *s = ctx;

	bus_json_put_text(s->out, node->symbol[index]);
	return done(s);
}

static enum bus_err on_branch(void *ctx, const struct schema_node *node, int32_t index)
{
	struct schema_json_sink *s = ctx;
	const struct schema_node *branch = node->branch[index];
	enum bus_err rc;

	if (s->spelling == SCHEMA_JSON_PLAIN || branch->type == SCHEMA_NULL)
		return BUS_OK;
	rc = open_object(s, true);
	if (rc != BUS_OK)
		return rc;
	bus_json_key(s->out, schema_label(branch));
	return BUS_OK;
}

static enum bus_err on_object(void *ctx, const struct schema_node *node)
{
	(void)node;
	return open_object(ctx, false);
}

static enum bus_err on_field(void *ctx, const struct schema_node *node, size_t index)
{
	struct schema_json_sink *s = ctx;

	bus_json_key(s->out, node->field[index].name);
	return BUS_OK;
}

static enum bus_err on_array(void *ctx, const struct schema_node *node)
{
	struct schema_json_sink *s = ctx;

	(void)node;
	if (s->out->depth >= SCHEMA_JSON_DEPTH_MAX)
		return BUS_ETOOBIG;
	bus_json_array(s->out);
	mark(s, false);
	return BUS_OK;
}

static enum bus_err on_key(void *ctx, const struct schema_node *node, struct bus_str name)
{
	struct schema_json_sink *s = ctx;

	(void)node;
	bus_json_key_str(s->out, name);
	return BUS_OK;
}

static enum bus_err on_end(void *ctx, const struct schema_node *node)
{
	struct schema_json_sink *s = ctx;

	if (node->type == SCHEMA_ARRAY)
		bus_json_array_end(s->out);
	else
		bus_json_object_end(s->out);
	return done(s);
}

void schema_json_sink_init(struct schema_json_sink *s, struct bus_json_out *out, enum schema_json spelling)
{
	*s = (struct schema_json_sink){
		.sink = {
			.ctx = s,
			.null = on_null,
			.boolean = on_boolean,
			.integer = on_integer,
			.real = on_real,
			.text = on_text,
			.bytes = on_bytes,
			.symbol = on_symbol,
			.branch = on_branch,
			.record = on_object,
			.field = on_field,
			.array = on_array,
			.map = on_object,
			.key = on_key,
			.end = on_end,
		},
		.out = out,
		.spelling = spelling,
	};
}
