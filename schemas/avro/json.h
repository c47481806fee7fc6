/* schemas/avro/json.h - Avro <-> JSON text.
 *
 * Two spellings. SCHEMA_JSON_AVRO is Avro's own JSON encoding (union values labelled, bytes as U+0000..FF):
 * what Confluent's tools speak. SCHEMA_JSON_PLAIN is for people and services: no labels, dates and
 * timestamps as ISO 8601 (timestamps in WIB, +07:00), decimals as text, bytes as base64.
 */
#ifndef SCHEMAS_AVRO_JSON_H
#define SCHEMAS_AVRO_JSON_H

#include "bus/json_out.h"
#include "schemas/avro/read.h"

enum schema_json { SCHEMA_JSON_AVRO, SCHEMA_JSON_PLAIN };

/* A sink that writes to out. Storage is the caller's. A datum that was read to its end leaves it ready for
 * the next one; after an error: init again, and what was written is not JSON. BUS_ETOOBIG when the text would
 * nest deeper than SCHEMA_JSON_DEPTH_MAX, labels and what the caller has open included. */
#define SCHEMA_JSON_DEPTH_MAX                                                                                \
	2560 /* a reader's deepest datum, each value in a union, and room for the caller */
struct schema_json_sink {
	struct schema_sink sink; /* pass &x.sink to schema_read */
	struct bus_json_out *out;
	enum schema_json spelling;
	uint64_t labelled[SCHEMA_JSON_DEPTH_MAX / 64]; /* bit per depth of out: opened for a union's label */
};
void schema_json_sink_init(struct schema_json_sink *s, struct bus_json_out *out, enum schema_json spelling);

/* JSON text -> Avro binary appended to out (nothing is, on failure). BUS_EPARSE: not JSON, or a name twice in
 * an object; BUS_EDATA: the JSON pointer of what does not fit (keys of maps as '*': they are data). Every
 * field must be there and none besides; in the plain spelling a field with a default may be missing, and the
 * first branch of a union that takes the value is taken. */
enum bus_err schema_encode_json(struct schema *s, struct bus_str json, enum schema_json spelling,
				struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
