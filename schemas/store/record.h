/* schemas/store/record.h - one record of the `_schemas` topic: Confluent's key and value JSON.
 *
 * Keys are compared by compaction byte for byte, so they are always written in the one form that Confluent
 * writes (its *Key.java: order of members, no spaces); reading takes any order, any magic and any spaces.
 *   SCHEMA          {"keytype":"SCHEMA","subject":"s","version":1,"magic":1}
 *                   {"subject","version","id",["schemaType",]["references":[..],]["metadata",]["ruleSet",]
 *                    "schema","deleted"}; null: gone
 *   CONFIG          {"keytype":"CONFIG",["subject":"s",]"magic":0}; {["subject",]"compatibilityLevel":..}, the
 *                   fields of store/config.h; null: nothing set
 *   MODE            {"keytype":"MODE",["subject":"s",]"magic":0}; {["subject",]"mode":"READWRITE"}; null
 *   DELETE_SUBJECT  {"keytype":"DELETE_SUBJECT","subject":"s","magic":0}; {"subject","version"}: versions
 *                   up to that one are soft-deleted
 *   CLEAR_SUBJECT   {"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}; {"subject"}: what is soft-deleted in
 *                   the subject (or context, or, null, anywhere) is gone
 *   CONTEXT         {"keytype":"CONTEXT","tenant":"default","context":".c","magic":0}; {"tenant","context"}; null
 *   NOOP            {"keytype":"NOOP","magic":0}; null, or {"highestId":7,"contexts":{".c":3}}: ours, written
 *                   before a hard delete, so that compaction cannot make us forget an id and give it again
 *
 * Other key types (ASSOC ...) are read as SCHEMA_RECORD_OTHER, and left alone. Members that Confluent's registry
 * does not know are passed over, as it does. Source: its core/.../storage/{Schema,Config,..}{Key,Value}.java.
 * Thread: any.
 */
#ifndef SCHEMAS_STORE_RECORD_H
#define SCHEMAS_STORE_RECORD_H

#include "bus/arena.h"
#include "bus/buf.h"
#include "bus/json_out.h"
#include "schemas/store/meta.h"
#include "schemas/store/store.h"
#include "schemas/store/config.h"

enum schema_record_kind {
	SCHEMA_RECORD_SCHEMA,
	SCHEMA_RECORD_CONFIG,
	SCHEMA_RECORD_MODE,
	SCHEMA_RECORD_DELETE_SUBJECT,
	SCHEMA_RECORD_CLEAR_SUBJECT,
	SCHEMA_RECORD_CONTEXT,
	SCHEMA_RECORD_NOOP,
	SCHEMA_RECORD_OTHER,
};

struct schema_highest {
	struct bus_str context;
	int32_t id;
};

struct schema_record { /* all of it borrows from the arena and the input */
	enum schema_record_kind kind;
	struct bus_str subject; /* p NULL: all (CONFIG, MODE, CLEAR_SUBJECT) or none. CONTEXT: its name */
	int version;		/* SCHEMA: the key's; DELETE_SUBJECT: the value's */
	bool tombstone;
	int32_t id; /* SCHEMA with a value; NOOP: highestId or 0 */
	/* SCHEMA with a value: */
	bool deleted;
	struct bus_str type; /* "AVRO" when the value has none */
	struct bus_str text;
	struct schema_store_reference *reference; /* strings NUL-ended, in the arena */
	size_t n_references;
	struct bus_str extra; /* schema_meta_members() */
	uint8_t guid[SCHEMA_GUID_LEN];
	/* NOOP: */
	struct schema_highest *highest;
	size_t n_highest;
	/* CONFIG, MODE with a value: */
	struct bus_str value; /* the whole JSON text */
	const struct bus_json *settings;
};

/* An empty value, or none (value.p NULL): tombstone. BUS_EDATA or BUS_EPARSE: not such a record (say so, pass
 * it over). */
enum bus_err schema_record_read(struct bus_str key, struct bus_str value, struct bus_arena *arena,
				struct schema_record *out, struct bus_error *err) BUS_MUSTCHECK;

/* Appends the JSON texts. */
void schema_record_key_text(const char *s, struct bus_buf *out); /* as Confluent's serializer writes one */
void schema_record_key(enum schema_record_kind kind, const char *subject, int version, struct bus_buf *out);
void schema_record_schema(const struct schema_version *v, struct bus_buf *out); /* value of SCHEMA */
/* Its member "references", as records and answers have it. */
void schema_record_put_references(struct bus_json_out *j, const struct schema_version *v);
void schema_record_subject(const char *subject, int version,
			   struct bus_buf *out); /* of DELETE_ (CLEAR_: 0) SUBJECT */
void schema_record_config(const char *subject, const struct schema_config *c, struct bus_buf *out);
void schema_record_mode(const char *subject, int mode, struct bus_buf *out);
void schema_record_context(const char *context, struct bus_buf *out); /* its value */
void schema_record_noop(int32_t highest_id, const struct schema_highest *context, size_t n,
			struct bus_buf *out);

/* The content's GUID as Confluent computes it (Schema.updateHash): MD5 of text, references, metadata, rules.
 */
void schema_record_guid(struct bus_str text, const struct schema_store_reference *reference,
			size_t n_references, const struct schema_metadata *m, const struct schema_rule_set *s,
			uint8_t out[SCHEMA_GUID_LEN]);
void schema_guid_text(const uint8_t guid[SCHEMA_GUID_LEN], char out[37]);
/* With dashes or without; false: no GUID. */
bool schema_guid_parse(const char *text, uint8_t out[SCHEMA_GUID_LEN]);

#endif
