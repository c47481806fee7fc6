/* schemas/avro/plain.h - how logical types are spelt in plain JSON, both ways; for avro/json.c, avro/encode.c and
 * the adapters' mapper (decimals) alone. */
#ifndef SCHEMAS_AVRO_PLAIN_H
#define SCHEMAS_AVRO_PLAIN_H

#include "bus/buf.h"
#include "schemas/avro/schema.h"

#define SCHEMA_DECIMAL_BYTES 256 /* of an unscaled decimal; longer ones are not spelt out */

/* Appends the text of a date, time or timestamp; false: the value has none (a time past midnight, a year of
 * more than four digits), or the node is of no such type: write the number. */
bool schema_plain_time(const struct schema_node *node, int64_t v, struct bus_buf *out);
bool schema_plain_time_parse(const struct schema_node *node, struct bus_str text, int64_t *v);

/* Two's complement, big-endian <-> "-12.30" (scale 2). False: too long, or no number of that precision. */
bool schema_plain_decimal(struct bus_str bytes, int scale, struct bus_buf *out);
bool schema_plain_decimal_parse(const struct schema_node *node, struct bus_str text, struct bus_buf *out);

/* 16 bytes <-> "6ba7b810-9dad-11d1-80b4-00c04fd430c8" (RFC 9562). */
void schema_plain_uuid(const char bytes[16], struct bus_buf *out);
bool schema_plain_uuid_parse(struct bus_str text, char bytes[16]);

#endif
