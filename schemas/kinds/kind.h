/* schemas/kinds/kind.h - schemas that are not Avro: what the registry asks of JSON Schema and Protobuf.
 *
 * A schema of such a kind is text that is checked when it is registered and kept as its canonical text, the
 * one that Confluent's registry stores and returns (JsonSchema and ProtobufSchema.canonicalString): two
 * schemas are the same when their canonical texts and references are. How they evolve is not checked here:
 * the bus does that for Avro alone.
 *
 * References: everything the schema needs, also what its references refer to (Confluent's resolveReferences),
 * each by the name it is imported under and with its text as stored. What comes with the compiler
 * (google/protobuf/..., google/type/..., confluent/...) and the metaschemas need none. Nothing is ever
 * fetched.
 *
 * Thread: any. Nothing is kept between calls. Bounded: text and references together SCHEMA_KIND_TEXT_MAX
 * bytes each, SCHEMA_KIND_DEPTH_MAX levels; memory SCHEMA_KIND_MEMORY_MAX.
 */
#ifndef SCHEMAS_KINDS_KIND_H
#define SCHEMAS_KINDS_KIND_H

#include "bus/buf.h"
#include "bus/error.h"

#define SCHEMA_KIND_TEXT_MAX ((size_t)1024 * 1024)
#define SCHEMA_KIND_DEPTH_MAX 128
#define SCHEMA_KIND_MEMORY_MAX ((size_t)64 * 1024 * 1024)

struct schema_kind_reference {
	const char *name;
	struct bus_str text;
};

enum {
	SCHEMA_KIND_NORMALIZE =
	    1, /* normalize=true: members, fields, options in one order (as ParsedSchema.normalize) */
};

/* "JSON" or "PROTOBUF"; AVRO is schema_parse's. */
bool schema_kind_known(const char *type);

/* Checks the text and appends to canonical what is to be stored, returned and compared. A Protobuf schema may
 * also come as a FileDescriptorProto in base64, as Confluent's Python client sends it.
 * BUS_ESCHEMA: not such a schema; err says where (line and column, or the JSON pointer) and what would mend
 * it. BUS_ETOOBIG: over a bound above. On failure canonical is as it was. */
enum bus_err schema_kind_check(const char *type, struct bus_str text, const struct schema_kind_reference *ref,
			       size_t n_refs, int flags, struct bus_buf *canonical,
			       struct bus_error *err) BUS_MUSTCHECK;

/* The other forms of `format=`, of a schema that was registered; "" and formats that the kind does not have
 * give the canonical text, as with Confluent. Protobuf: "serialized" (FileDescriptorProto in base64) and
 * "ignore_extensions". Only what cannot be read at all is BUS_ESCHEMA: then the caller serves the stored
 * text. */
enum bus_err schema_kind_format(const char *type, const char *format, struct bus_str text,
				const struct schema_kind_reference *ref, size_t n_refs, struct bus_buf *out,
				struct bus_error *err) BUS_MUSTCHECK;

#endif
