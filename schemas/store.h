/* schemas/store.h - subjects, versions and ids: a replica of the `_schemas` topic.
 *
 * Confluent's record format (store_record.h). Registry, adapter and gateway hold the same store; only the
 * registry writes, and it too learns what it wrote by reading it back. Nothing is answered before the log
 * has been read to its end once (schema_store_open waits). An id, once seen, means the same text for ever:
 * a record that says otherwise is logged (store.id_conflict) and passed over.
 *
 * A subject holds versions 1.. ; a version is live, soft-deleted (kept, hidden unless `deleted` is asked
 * for) or gone (tombstone). Text that cannot be parsed is kept and served as text (schema NULL).
 *
 * Thread: any (one rwlock inside, never held while calling out); one thread of the store's own follows the
 * topic. What comes back is the caller's own copy; schemas are counted references.
 */
#ifndef SCHEMAS_STORE_H
#define SCHEMAS_STORE_H

#include "bus/kafka.h"
#include "schemas/avro_compat.h"
#include "schemas/schema.h"

#define SCHEMA_STORE_REFERENCES_MAX 32

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
	struct schema *schema; /* one reference held by this struct; NULL: not Avro, or cannot be parsed */
	char *text;	       /* as stored */
	char *type;	       /* "AVRO" "JSON" "PROTOBUF" */
	struct schema_store_reference *reference; /* n_references of them */
	size_t n_references;
	/* The value's other members ("metadata", "ruleSet", "schemaTags" ...), as `"name":value,...` without
	 * braces, verbatim but for nulls, which are left out; "" when there are none. */
	char *extra;
	int64_t offset;	      /* of the record that made it so */
	int64_t timestamp_ms; /* of that record */
};
void schema_version_release(struct schema_version *v);

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
/* Called with each record that has been applied, in the log's order, those that _open reads among them; on the
 * follower's thread and under the store's lock: it must not ask the store. */
struct schema_record;
typedef void (*schema_store_watch_fn)(void *ctx, const struct schema_record *r, int64_t offset,
				      int64_t timestamp_ms);
enum bus_err schema_store_open_watched(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
				       schema_store_watch_fn watch, void *ctx, struct schema_store **out,
				       struct bus_error *err) BUS_MUSTCHECK;
void schema_store_close(struct schema_store **s);

/* By id: a new reference; BUS_ENOENT. With wait_ms > 0 waits that long for an id not seen yet. BUS_ESCHEMA:
 * the id is known, its text cannot be parsed. */
enum bus_err schema_store_by_id(struct schema_store *s, int32_t id, int wait_ms, struct schema **out,
				struct bus_error *err) BUS_MUSTCHECK;
/* version: 1.., or 0 = latest not deleted. Soft-deleted ones are found by number, with deleted set. */
enum bus_err schema_store_version(struct schema_store *s, const char *subject, int version,
				  struct schema_version *out, struct bus_error *err) BUS_MUSTCHECK;

/* --- for the registry ------------------------------------------------------------------------------- */

enum schema_deleted { SCHEMA_LIVE, SCHEMA_WITH_DELETED, SCHEMA_ONLY_DELETED };

/* Names with a version in the wanted state, sorted; prefix "" for all. ONLY_DELETED: subjects that have
 * no live version. */
void schema_store_subjects(struct schema_store *s, const char *prefix, enum schema_deleted which,
			   struct schema_name_list *out);
/* The versions of a subject in ascending order; an empty list: no such subject, or none in that state. */
void schema_store_versions(struct schema_store *s, const char *subject, enum schema_deleted which,
			   struct schema_version_list *out);
/* Every version of every subject with that prefix, by subject, then version. */
void schema_store_all(struct schema_store *s, const char *prefix, enum schema_deleted which,
		      struct schema_version_list *out);
/* All (subject, version) of an id, by subject, then version. Empty: unknown id, or only deleted ones. */
void schema_store_uses(struct schema_store *s, int32_t id, enum schema_deleted which,
		       struct schema_version_list *out);
/* What an id means, whatever became of the versions that used it; the oldest of its records gives the
 * subject and version. BUS_ENOENT. */
enum bus_err schema_store_text(struct schema_store *s, int32_t id, struct schema_version *out,
			       struct bus_error *err) BUS_MUSTCHECK;
/* Versions that name (subject, version) in their references; version 0: any version of it. Live only unless
 * which says otherwise. */
void schema_store_referrers(struct schema_store *s, const char *subject, int version,
			    enum schema_deleted which, struct schema_version_list *out);

/* Is this schema registered already? Sameness is type, canonical text (schema_to_string; for what is no
 * Avro the text itself), references, and of extra "metadata" and "ruleSet".
 * In the subject, newest first (BUS_ENOENT: not there): */
enum bus_err schema_store_find(struct schema_store *s, const char *subject, enum schema_deleted which,
			       const struct schema_version *wanted, struct schema_version *out,
			       struct bus_error *err) BUS_MUSTCHECK;
/* In any subject, deleted or not: the id to use again, or BUS_ENOENT. Of `wanted` (here and above) schema,
 * text, type, references and extra are read. */
enum bus_err schema_store_find_id(struct schema_store *s, const struct schema_version *wanted, int32_t *id,
				  struct bus_error *err) BUS_MUSTCHECK;

int32_t schema_store_highest_id(struct schema_store *s); /* of every id ever seen in the log; 0: none */
int schema_store_highest_version(struct schema_store *s, const char *subject); /* deleted too; 0: none */
size_t schema_store_count(struct schema_store *s);			       /* live versions */

/* CONFIG and MODE records. subject NULL: global. The value's JSON text, verbatim, owned by the caller
 * (free), or NULL when nothing is set there: the caller falls back (subject -> global -> default). */
char *schema_store_config(struct schema_store *s, const char *subject);
char *schema_store_mode(struct schema_store *s, const char *subject);
/* The level that holds for the subject: its own, else the global one, else BACKWARD. */
enum schema_level schema_store_level(struct schema_store *s, const char *subject);

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

#endif
