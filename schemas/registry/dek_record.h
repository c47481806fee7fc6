/* schemas/registry/dek_record.h - records of the topic `_dek_registry_keys`, in Confluent's format, so that
 * its registry and ours can take each other's over:
 *
 *   {"tenant":"default","name":"k","type":"KEK"}
 *       {"name":"k","kmsType":"..","kmsKeyId":"..","kmsProps":{},"doc":"..","shared":false,"deleted":false,
 *        "type":"KEK"}
 *   {"tenant":"default","kekName":"k","subject":"s","algorithm":"AES256_GCM","version":1,"type":"DEK"}
 *       {"kekName":"k","subject":"s","algorithm":"AES256_GCM","version":1,"encryptedKeyMaterial":"..",
 *        "deleted":false,"type":"DEK"}
 *
 * A null value takes the key away. The bytes of keys are those of Confluent's serializer, or compaction would
 * keep two. Errors say what is wrong with a record, never what is in it. Thread: any. Source:
 * dek-registry/.../storage/serialization (Jackson: members that the constructor takes come first).
 */
#ifndef SCHEMAS_REGISTRY_DEK_RECORD_H
#define SCHEMAS_REGISTRY_DEK_RECORD_H

#include "bus/arena.h"
#include "bus/error.h"
#include "bus/json.h"
#include "bus/json_out.h"
#include "schemas/registry/dek_table.h"

#define SCHEMA_KEY_PROPS_MAX 1000 /* of one KEK */

void schema_kek_key(const char *name, struct bus_buf *out);
void schema_dek_key(const struct schema_dek *id, struct bus_buf *out);
void schema_kek_value(const struct schema_kek *k, struct bus_buf *out);
void schema_dek_value(const struct schema_dek *d, struct bus_buf *out);

/* A record, into the table. BUS_EDATA, BUS_EPARSE or BUS_ETOOBIG: it is none of ours, and nothing has
 * changed. tombstone: no value. arena: for the meantime. */
enum bus_err schema_keys_apply(struct schema_keys_table *t, struct bus_str key, struct bus_str value,
			       bool tombstone, int64_t at_ms, struct bus_arena *arena,
			       struct bus_error *err) BUS_MUSTCHECK;

/* --- members of records and of requests; text in the arena --- */

/* A text; NULL where there is none, or null. BUS_EDATA. */
enum bus_err schema_key_text(const struct bus_json *o, const char *name, struct bus_arena *arena,
			     const char **out, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_key_flag(const struct bus_json *o, const char *name, bool *out,
			     struct bus_error *err) BUS_MUSTCHECK;
/* kmsProps, which may be NULL or null, as struct schema_kek has them. */
enum bus_err schema_key_props(const struct bus_json *props, struct bus_arena *arena, const char **out,
			      struct bus_error *err) BUS_MUSTCHECK;

#endif
