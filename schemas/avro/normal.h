/* schemas/avro/normal.h - the one spelling of all that mean the same: what Confluent's `normalize=true` makes
 * of an Avro schema (AvroSchemaUtils.toNormalizedString). Full names, properties and aliases sorted,
 * documentation and defaults kept. Parsed and written by schema_to_string() it is the text that Confluent
 * registers. Thread: any. */
#ifndef SCHEMAS_AVRO_NORMAL_H
#define SCHEMAS_AVRO_NORMAL_H

#include "bus/buf.h"
#include "schemas/avro/schema.h"

enum {
	SCHEMA_NORMAL_REFER = 0, /* types of references by their name */
	SCHEMA_NORMAL_WHOLE = 1, /* written out: equal for schemas that differ in how they refer */
};
void schema_normalize(const struct schema *s, int flags, struct bus_buf *out);

#endif
