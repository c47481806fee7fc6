/* schemas/avro_json.h - Avro <-> JSON text.
 *
 * Two spellings. SCHEMA_JSON_AVRO is Avro's own JSON encoding (union values labelled, bytes as U+0000..FF):
 * what Confluent's tools speak. SCHEMA_JSON_PLAIN is for people and services: no labels, dates and
 * timestamps as ISO 8601 (timestamps in WIB, +07:00), decimals as text, bytes as base64.
 */
#ifndef SCHEMAS_AVRO_JSON_H
#define SCHEMAS_AVRO_JSON_H

#include "bus/json_out.h"
#include "schemas/avro_read.h"

enum schema_json { SCHEMA_JSON_AVRO, SCHEMA_JSON_PLAIN };

/* A sink that writes to j. Storage is the caller's; good for one datum after schema_json_sink_reset. */
struct schema_json_sink {
	struct schema_sink sink; /* pass &x.sink to schema_read */
	struct bus_json_out *out;
	enum schema_json spelling;
	uint64_t labelled; /* bit per depth: an object was opened for a union label */
	int depth;
};
void schema_json_sink_init(struct schema_json_sink *s, struct bus_json_out *out, enum schema_json spelling);

/* JSON text -> Avro binary appended to out. BUS_EDATA with the JSON pointer of what does not fit. */
enum bus_err schema_encode_json(struct schema *s, struct bus_str json, enum schema_json spelling,
				struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
