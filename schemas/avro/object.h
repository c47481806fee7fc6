/* schemas/avro/object.h - single-object encoding: a datum that carries its schema's fingerprint.
 *
 *     C3 01 | CRC-64-AVRO of the writer's schema, 8 bytes little-endian | the datum
 *
 * Avro specification, "Single-object encoding". Who reads one finds the schema by its fingerprint
 * (avro/canon.h: schema_fingerprint) and hands the datum to schema_read. Thread: any.
 */
#ifndef SCHEMAS_AVRO_OBJECT_H
#define SCHEMAS_AVRO_OBJECT_H

#include "bus/buf.h"
#include "bus/error.h"

#define SCHEMA_OBJECT_HEADER 10 /* bytes before the datum */

/* Appends the header; the caller appends the datum. */
void schema_object_begin(uint64_t fingerprint, struct bus_buf *out);
/* BUS_EDATA: no single-object message. The datum is borrowed from the message, and not looked at. */
enum bus_err schema_object_parse(struct bus_str message, uint64_t *fingerprint, struct bus_str *datum,
				 struct bus_error *err) BUS_MUSTCHECK;

#endif
