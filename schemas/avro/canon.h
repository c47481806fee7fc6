/* schemas/avro/canon.h - canonical forms and fingerprints (Avro specification, "Parsing Canonical Form for
 * Schemas" and "Schema Fingerprints"). Thread: any. */
#ifndef SCHEMAS_AVRO_CANON_H
#define SCHEMAS_AVRO_CANON_H

#include "bus/buf.h"
#include "bus/crypto.h"
#include "schemas/avro/schema.h"

void schema_canonical(const struct schema *s, struct bus_buf *out); /* Parsing Canonical Form */
/* What Avro Java's Schema.toString() gives: the text that Confluent's registry stores and returns. */
void schema_to_string(const struct schema *s, struct bus_buf *out);
/* The same with the types of references written out where they are used first: a schema that stands alone. */
void schema_to_string_whole(const struct schema *s, struct bus_buf *out);
uint64_t schema_crc64(struct bus_str canonical); /* CRC-64-AVRO (Rabin) */

/* Fingerprints of the canonical form; schema_fingerprint is CRC-64-AVRO. */
uint64_t schema_fingerprint(const struct schema *s);
void schema_fingerprint_md5(const struct schema *s, uint8_t out[BUS_MD5_LEN]);
void schema_fingerprint_sha256(const struct schema *s, uint8_t out[BUS_SHA256_LEN]);
#define SCHEMA_FINGERPRINT_LEN 8
/* As it stands in a message (avro/object.h): little-endian. */
void schema_fingerprint_bytes(uint64_t fingerprint, uint8_t out[SCHEMA_FINGERPRINT_LEN]);

/* A string as Jackson writes it, quotes and all: what Java's texts of schemas of every kind are made with. */
void schema_put_jackson(struct bus_buf *out, struct bus_str s);

#endif
