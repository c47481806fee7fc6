/* schemas/store_record.h - one record of the `_schemas` topic: Confluent's key and value JSON.
 *
 * Keys are compared by compaction byte for byte, so they are always written in the one form that Confluent
 * writes (member order keytype, subject, version, magic; no spaces); reading takes any order and any magic.
 *   SCHEMA          {"keytype":"SCHEMA","subject":"s","version":1,"magic":1}
 *                   {"subject","version","id",["schemaType",]["references":[..],]["metadata","ruleSet",..]
 *                    "schema","deleted"}; null: gone
 *   CONFIG, MODE    {"keytype":"CONFIG","subject":null,"magic":0}; {"compatibilityLevel":"BACKWARD"..},
 *                   {"mode":"READWRITE"}; null: back to the default
 *   DELETE_SUBJECT  {"keytype":"DELETE_SUBJECT","subject":"s","magic":0}; {"subject","version"}: versions
 *                   up to that one are soft-deleted
 *   NOOP            {"keytype":"NOOP","magic":0}; null, or {"highestId":7}: ours, written before a hard
 * delete, so that compaction cannot make us forget an id and give it again Other key types (Confluent's
 * CLEAR_SUBJECT, CONTEXT, ASSOC ...) are read as SCHEMA_RECORD_OTHER, and left alone. Source: Confluent
 * Schema Registry's own records, as its clients and `kcat` show them. Thread: any.
 */
#ifndef SCHEMAS_STORE_RECORD_H
#define SCHEMAS_STORE_RECORD_H

#include "bus/arena.h"
#include "bus/buf.h"
#include "bus/json_out.h"
#include "schemas/store.h"

enum schema_record_kind {
	SCHEMA_RECORD_SCHEMA,
	SCHEMA_RECORD_CONFIG,
	SCHEMA_RECORD_MODE,
	SCHEMA_RECORD_DELETE_SUBJECT,
	SCHEMA_RECORD_CLEAR_SUBJECT, /* every version up to it is gone */
	SCHEMA_RECORD_NOOP,
	SCHEMA_RECORD_OTHER,
};

struct schema_record { /* all of it borrows from the arena and the input */
	enum schema_record_kind kind;
	struct bus_str subject; /* p NULL: global (CONFIG, MODE) or none */
	int version;		/* SCHEMA: the key's; DELETE_SUBJECT, CLEAR_SUBJECT: the value's */
	bool tombstone;
	int32_t id; /* SCHEMA with a value; NOOP: highestId or 0 */
	/* SCHEMA with a value: */
	bool deleted;
	struct bus_str type; /* "AVRO" when the value has none */
	struct bus_str text;
	struct schema_store_reference *reference; /* strings NUL-ended, in the arena */
	size_t n_references;
	struct bus_str extra; /* `"metadata":{..},"ruleSet":{..}`: see struct schema_version */
	/* CONFIG, MODE with a value: */
	struct bus_str value; /* the whole JSON text */
};

/* An empty value, or none (value.p NULL): tombstone. BUS_EDATA or BUS_EPARSE: not such a record (say so, pass it over). */
enum bus_err schema_record_read(struct bus_str key, struct bus_str value, struct bus_arena *arena,
				struct schema_record *out, struct bus_error *err) BUS_MUSTCHECK;

/* Appends the JSON texts. */
void schema_record_key(enum schema_record_kind kind, const char *subject, int version, struct bus_buf *out);
void schema_record_schema(const struct schema_version *v, struct bus_buf *out); /* value of SCHEMA */
/* Its member "references", as records and answers have it. */
void schema_record_put_references(struct bus_json_out *j, const struct schema_version *v);
void schema_record_delete_subject(const char *subject, int version, struct bus_buf *out); /* its value */
void schema_record_noop(int32_t highest_id, struct bus_buf *out);			  /* its value */
/* The part of extra by which schemas differ: `"metadata":..,"ruleSet":..` in that order, nulls left out. */
void schema_record_identity(const char *extra, struct bus_buf *out);
/* The member of a JSON text ("compatibilityLevel", "mode"), for values kept verbatim: false when it is not
 * there, is no string or does not fit in n bytes with its NUL. */
bool schema_record_member(struct bus_str json, const char *name, char *out, size_t n);

#endif
