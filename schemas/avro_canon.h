/* schemas/avro_canon.h - canonical forms and fingerprints (Avro specification, "Parsing Canonical Form for
 * Schemas" and "Schema Fingerprints"). Thread: any. */
#ifndef SCHEMAS_AVRO_CANON_H
#define SCHEMAS_AVRO_CANON_H

#include "bus/buf.h"
#include "schemas/schema.h"

void schema_canonical(const struct schema *s, struct bus_buf *out); /* Parsing Canonical Form */
/* What Avro Java's Schema.toString() gives: the text that Confluent's registry stores and returns. */
void schema_to_string(const struct schema *s, struct bus_buf *out);
uint64_t schema_crc64(struct bus_str canonical); /* CRC-64-AVRO (Rabin) */

#endif
