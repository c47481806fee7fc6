/* Which logical types are valid (Avro specification, "Logical Types"). */
#include <math.h>

#include "schemas/avro/schema_impl.h"

static const struct rule {
	const char *name;
	enum schema_logical logical;
	enum schema_type type;
	size_t size; /* of a fixed */
} rule[] = {
	{ "date", SCHEMA_DATE, SCHEMA_INT, 0 },
	{ "time-millis", SCHEMA_TIME_MILLIS, SCHEMA_INT, 0 },
	{ "time-micros", SCHEMA_TIME_MICROS, SCHEMA_LONG, 0 },
	{ "timestamp-millis", SCHEMA_TIMESTAMP_MILLIS, SCHEMA_LONG, 0 },
	{ "timestamp-micros", SCHEMA_TIMESTAMP_MICROS, SCHEMA_LONG, 0 },
	{ "timestamp-nanos", SCHEMA_TIMESTAMP_NANOS, SCHEMA_LONG, 0 },
	{ "local-timestamp-millis", SCHEMA_LOCAL_TIMESTAMP_MILLIS, SCHEMA_LONG, 0 },
	{ "local-timestamp-micros", SCHEMA_LOCAL_TIMESTAMP_MICROS, SCHEMA_LONG, 0 },
	{ "local-timestamp-nanos", SCHEMA_LOCAL_TIMESTAMP_NANOS, SCHEMA_LONG, 0 },
	{ "uuid", SCHEMA_UUID, SCHEMA_STRING, 0 },
	{ "uuid", SCHEMA_UUID, SCHEMA_FIXED, 16 },
	{ "big-decimal", SCHEMA_BIG_DECIMAL, SCHEMA_BYTES, 0 },
	{ "duration", SCHEMA_DURATION, SCHEMA_FIXED, 12 },
};

/* Digits that a two's complement number of so many bytes always holds. */
static int64_t digits_in(size_t bytes)
{
	return bytes == 0 ? 0 : (int64_t)floor(log10(2) * (8.0 * (double)bytes - 1));
}

static void detect_decimal(struct schema_node *node)
{
	const struct bus_json *p = bus_json_get(node->properties, "precision");
	const struct bus_json *s = bus_json_get(node->properties, "scale");
	int64_t precision;
	int64_t scale = 0;

	if (node->type != SCHEMA_BYTES && node->type != SCHEMA_FIXED)
		return;
	if (!p || !schema_whole(p, &precision) || precision <= 0 || precision > INT32_MAX)
		return;
	if (s && !schema_whole(s, &scale))
		return;
	if (scale < 0 || scale > precision)
		return;
	if (node->type == SCHEMA_FIXED && precision > digits_in(node->size))
		return;
	node->logical = SCHEMA_DECIMAL;
	node->precision = (int)precision;
	node->scale = (int)scale;
}

void schema_logical_detect(struct schema_node *node)
{
	const struct bus_json *v = bus_json_get(node->properties, "logicalType");

	if (!v || v->type != BUS_JSON_STRING)
		return;
	/* Java's own word for which class holds a string; with it a logical type is not looked for. */
	if (schema_property(node->properties, "avro.java.string"))
		return;
	if (bus_str_is(v->text, "decimal"))
		detect_decimal(node);
	for (size_t i = 0; i < BUS_LEN(rule); i++)
		if (bus_str_is(v->text, rule[i].name) && node->type == rule[i].type &&
		    (node->type != SCHEMA_FIXED || node->size == rule[i].size))
			node->logical = rule[i].logical;
}
