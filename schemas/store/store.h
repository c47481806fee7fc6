/* schemas/store/store.h - subjects, versions and ids: a replica of the `_schemas` topic.
 *
 * Confluent's record format (store/record.h). Registry, adapter and gateway hold the same store; only the
 * registry writes, and it too learns what it wrote by reading it back. Nothing is answered before the log
 * has been read to its end once (schema_store_open waits). An id in use means the same text for ever: a
 * record that says otherwise is logged (store.id_conflict) and passed over. Ids are of a context (store/subject.h).
 *
 * A subject holds versions 1.. ; a version is live, soft-deleted (kept, hidden unless asked for) or gone
 * (tombstone). Texts are kept as text and parsed when somebody needs the schema (store/parse.c keeps the last
 * thousand, 64 MiB at most); text that cannot be parsed is served as text.
 *
 * Thread: any (one rwlock inside, never held while calling out); one thread of the store's own follows the
 * topic. What comes back is the caller's own copy; schemas are counted references.
 */
#ifndef SCHEMAS_STORE_STORE_H
#define SCHEMAS_STORE_STORE_H

#include "bus/kafka.h"
#include "schemas/avro/compat.h"
#include "schemas/avro/schema.h"

#define SCHEMA_STORE_REFERENCES_MAX 64 /* of one schema */
#define SCHEMA_GUID_LEN 16

struct schema_store;

struct schema_store_reference { /* as in the API: this schema uses the named type of subject's version */
	char *name;
	char *subject;
	int version;
};

struct schema_version {
	char *subject;
	int version;
	int32_t id;
	bool deleted;
	struct schema *schema;			  /* NULL until schema_store_parse(), or not Avro */
	char *text;				  /* as stored */
	char *type;				  /* "AVRO" "JSON" "PROTOBUF" */
	struct schema_store_reference *reference; /* n_references of them */
	size_t n_references;
	char *extra; /* `"metadata":{..},"ruleSet":{..}` (schema_meta_members); "" when there are none */
	uint8_t guid[SCHEMA_GUID_LEN];
	int64_t offset;	      /* of the record that made it so */
	int64_t timestamp_ms; /* of that record */
};
void schema_version_release(struct schema_version *v);
void schema_version_copy(const struct schema_version *from, struct schema_version *to); /* the caller's own */

struct schema_version_list { /* zero-initialised is empty */
	struct schema_version *item;
	size_t n;
};
void schema_version_list_release(struct schema_version_list *l);

struct schema_name_list {
	char **item;
	size_t n;
};
void schema_name_list_release(struct schema_name_list *l);

/* Opens, reads to the end (at most timeout_ms: BUS_ETIMEOUT) and goes on following. BUS_ENOENT: no topic. */
enum bus_err schema_store_open(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			       struct schema_store **out, struct bus_error *err) BUS_MUSTCHECK;
/* Called with each record that has been applied, in the log's order, those that _open reads among them; on
 * the follower's thread and under the store's lock: it must not ask the store. */
struct schema_record;
typedef void (*schema_store_watch_fn)(void *ctx, const struct schema_record *r, int64_t offset,
				      int64_t timestamp_ms);
enum bus_err schema_store_open_watched(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
				       schema_store_watch_fn watch, void *ctx, struct schema_store **out,
				       struct bus_error *err) BUS_MUSTCHECK;
void schema_store_close(struct schema_store **s);

/* By id in the default context: a new reference; BUS_ENOENT. With wait_ms > 0 waits that long for an id not
 * seen yet. BUS_ESCHEMA: the id is known, its text is no Avro that can be parsed. Ids whose versions are gone
 * for good are still known until the store is opened anew. */
enum bus_err schema_store_by_id(struct schema_store *s, int32_t id, int wait_ms, struct schema **out,
				struct bus_error *err) BUS_MUSTCHECK;
/* version: 1.., or 0 = latest not deleted. Soft-deleted ones are found by number, with deleted set. Parsed,
 * if it can be. */
enum bus_err schema_store_version(struct schema_store *s, const char *subject, int version,
				  struct schema_version *out, struct bus_error *err) BUS_MUSTCHECK;
/* The same for who looks at very many: what it parses is not kept for others. */
enum bus_err schema_store_version_once(struct schema_store *s, const char *subject, int version,
				       struct schema_version *out, struct bus_error *err) BUS_MUSTCHECK;

enum schema_deleted { SCHEMA_LIVE, SCHEMA_WITH_DELETED, SCHEMA_ONLY_DELETED };

/* Names with a version in the wanted state, sorted; prefix of the full name, "" for all. ONLY_DELETED:
 * subjects that have no live version. */
void schema_store_subjects(struct schema_store *s, const char *prefix, enum schema_deleted which,
			   struct schema_name_list *out);
/* The versions of a subject in ascending order, not parsed; an empty list: no such subject, or none in that
 * state. */
void schema_store_versions(struct schema_store *s, const char *subject, enum schema_deleted which,
			   struct schema_version_list *out);

/* Parses v->text into v->schema (no-op when it is there), references looked up as seen from v->subject.
 * BUS_ESCHEMA: not Avro, or not readable; BUS_ENOENT: a reference is not there; BUS_ETOOBIG. */
enum bus_err schema_store_parse(struct schema_store *s, struct schema_version *v,
				struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_store_parse_once(struct schema_store *s, struct schema_version *v, /* not kept */
				     struct bus_error *err) BUS_MUSTCHECK;

enum schema_level schema_store_level(struct schema_store *s,
				     const char *subject); /* the one that holds for it */
bool schema_store_has(struct schema_store *s, const char *subject, bool deleted_too); /* has it a version? */
int32_t schema_store_highest_id(struct schema_store *s); /* of the default context; 0: none */
size_t schema_store_count(struct schema_store *s);	 /* live versions */

/* Waits until the record at `offset` is applied: BUS_OK or BUS_ETIMEOUT. */
enum bus_err schema_store_wait(struct schema_store *s, int64_t offset, int timeout_ms,
			       struct bus_error *err) BUS_MUSTCHECK;
/* Waits until everything that is in the log now is applied (asks the broker for its end). A transaction's end
 * may show a moment after its commit; opening the next producer of that id settles it first. */
enum bus_err schema_store_catch_up(struct schema_store *s, int timeout_ms,
				   struct bus_error *err) BUS_MUSTCHECK;
int64_t schema_store_next_offset(struct schema_store *s); /* one past the last record applied */
/* False while the log cannot be followed (log follow.stuck says why): readiness. */
bool schema_store_healthy(struct schema_store *s);

/* Called on the store's thread after each batch, without the lock: registry requests that wait for their
 * own record look at schema_store_next_offset(). One listener; NULL takes it away, and does not return
 * while a call is running. */
void schema_store_on_change(struct schema_store *s, void (*fn)(void *ctx), void *ctx);

/* --- for the registry: the table itself (store/table.h), and what must be parsed -------------------------
 */

struct schema_table;
/* Borrowed until schema_store_done(), which must follow soon: nothing new is applied meanwhile. No store
 * function may be called in between. */
const struct schema_table *schema_store_read(struct schema_store *s);
void schema_store_done(struct schema_store *s);

/* Everything that references lead to, what is needed first (Confluent's resolveReferences). */
struct schema_closure {
	struct schema_needed {
		char *name;		 /* by which it is referred to first */
		struct schema_version v; /* subject in full; not parsed */
	} * item;
	size_t n;
};
void schema_closure_release(struct schema_closure *c);
/* References are seen from the subject; version -1 is set to the latest. BUS_ENOENT in Confluent's words;
 * BUS_ETOOBIG: more than 200 schemas, 1 MiB of text or 64 levels. */
enum bus_err schema_store_closure(struct schema_store *s, const char *subject,
				  struct schema_store_reference *reference, size_t n, bool with_deleted,
				  struct schema_closure *out, struct bus_error *err) BUS_MUSTCHECK;
/* v->schema of v->text with the closure of its references. */
enum bus_err schema_closure_parse(const struct schema_closure *c, struct schema_version *v, int flags,
				  struct bus_error *err) BUS_MUSTCHECK;

/* Is the schema a version of the subject? v: subject, text, type, guid, schema (Avro), references, extra. The
 * same content first; then, as Confluent's canLookup has it, one that differs in spelling only, or whose
 * references are written out, or in the "confluent:version" of its metadata. exact: the same content.
 * BUS_ENOENT. */
enum bus_err schema_store_find(struct schema_store *s, const struct schema_version *v,
			       enum schema_deleted which, bool latest_only, struct schema_version *out,
			       bool *exact, struct bus_error *err) BUS_MUSTCHECK;
/* The id that the content has in its subject's context, or had; else BUS_ENOENT. */
enum bus_err schema_store_find_id(struct schema_store *s, const struct schema_version *v, int32_t *id,
				  struct bus_error *err) BUS_MUSTCHECK;

#endif
