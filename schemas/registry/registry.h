/* schemas/registry/registry.h - titian-registry: Confluent's Schema Registry API on the schema store.
 *
 *   main.c       options, start, stop                front.c     the HTTP server: TLS, who is asking
 *   api.c        the route table; metrics            health.c    is it well, and who writes
 *   access.c     may they?                           rights.c    which right each route wants
 *   subject.c    which subject, context and settings a request is about (contexts in URLs, aliases)
 *   body.c       a request's parameters              request.c   the schema in its body
 *   read.c, list.c, lookup.c                         what is answered from the store, on the HTTP threads
 *   reply.c      Confluent's shapes, error codes     format.c    `format`, tags
 *   register.c, place.c, delete.c, config.c, mode.c, tags.c      the changes
 *   evolve.c     may this schema follow those?       compat.c    Confluent's words for why not
 *   write.c      the writer's thread                 batch.c     many changes in one transaction
 *   nodes.c      which node writes                   forward.c   changes on their way to it
 *   topic.c      the topics' settings                leave.c     the last record of a writer that stops
 *   dek.h        keys for client-side field encryption
 *   side.h       what is answered beyond Confluent's API (/v1/)
 *
 * Reading never waits. A change is checked against the store, committed to the topic through a transactional
 * producer, and answered when the store has read it back: so whoever was answered finds it, and the next
 * change sees it. Of several nodes on one topic one writes (registry/nodes.h says which), the others forward
 * changes to it and answer when their own store has read them. The transactional id "titian-registry-<topic>"
 * is the fence: whoever becomes the writer makes the commits of the one before fail.
 *
 * Source of codes, messages, shapes and rules: Confluent Schema Registry 8.x (core/.../rest/resources,
 * rest/exceptions, storage/{AbstractSchemaRegistry,KafkaSchemaRegistry,InMemoryCache}.java,
 * client/.../rest/entities).
 */
#ifndef SCHEMAS_REGISTRY_REGISTRY_H
#define SCHEMAS_REGISTRY_REGISTRY_H

#include <stdatomic.h>

#include "bus/client.h"
#include "bus/http.h"
#include "bus/json_out.h"
#include "bus/kafka.h"
#include "schemas/registry/access.h"
#include "schemas/registry/dek.h"
#include "schemas/registry/nodes.h"
#include "schemas/store/table.h"

#define SCHEMA_NEWS_HEADER                                                                                   \
	"Titian-Registered" /* of a registration answered 200: "new; version=3", "known; version=1" */
#define SCHEMA_REGISTRY_TYPE "application/vnd.schemaregistry.v1+json"
#define SCHEMA_VERSION_LATEST 0

struct schema_feed;
struct schema_access;
struct schema_side;
struct schema_side_writer;
struct schema_writer;
struct schema_forward;

struct schema_registry {
	struct schema_store *store;
	struct schema_writer *writer;
	struct schema_nodes *nodes; /* NULL: this is the only one */
	struct schema_forward *forward;
	struct schema_access *access; /* registry/access.h; NULL: everybody may do everything */
	struct schema_feed *feed;     /* registry/feed.h */
	struct schema_side *side;     /* registry/side.h */
	struct schema_side_writer *side_writer;
	struct schema_keys *keys; /* registry/dek.h */
	const char *topic, *keys_topic, *url;
	char cluster_id[64]; /* Kafka's */
	int64_t started_ms;  /* monotonic; ready after ready_ms */
	int64_t ready_ms;
	atomic_bool draining;
};

extern const struct bus_http_route schema_registry_routes[];
/* The program's shape of errors that the HTTP layer makes: bus_http_conf.write_error. */
void schema_registry_error(struct bus_buf *out, int status, const char *title, const char *detail);

/* --- registry/write.c ------------------------------------------------------------------------------- */

struct schema_writer *schema_writer_new(const struct bus_kafka_conf *kafka, const char *topic);
/* Runs the thread; with r->nodes NULL this is the only node, and writes. */
enum bus_err schema_writer_start(struct schema_writer *w, struct schema_registry *r,
				 struct bus_error *err) BUS_MUSTCHECK;
void schema_writer_stop(struct schema_writer *w); /* after the HTTP server */
void schema_writer_free(struct schema_writer **w);
void schema_writer_leave(const struct bus_kafka_conf *kafka, const char *topic); /* registry/leave.c */
void schema_writer_stir(struct schema_writer *w); /* any thread: the nodes have changed */

/* A change of one request, on the writer's thread: declares what it reads and writes, checks, calls
 * schema_writer_put() for each record and, last, schema_writer_commit(); or replies what is wrong. */
typedef void (*schema_edit_fn)(struct schema_registry *r, struct bus_http_request *req);
/* alone: this one must see all changes before it in the store, and need declare nothing. */
struct schema_errand {
	struct bus_http_ticket *ticket;
	schema_edit_fn fn;
	bool alone;
	bool keys;		   /* it is about keys for encryption: their topic, their replica */
	bool forwarded;		   /* by another node: not to be forwarded again */
	const char *type, *accept; /* headers, in the request's arena; NULL: none */
	int64_t until_ms;	   /* monotonic: then it is answered that there is no writer */
};
/* On an HTTP thread: the change goes to the writer, here or on another node; 50001 when too many wait.
 * Changes that wait are committed together. */
void schema_registry_change(struct schema_registry *r, struct bus_http_request *req, schema_edit_fn fn,
			    bool alone);
void schema_registry_change_keys(struct schema_registry *r, struct bus_http_request *req, schema_edit_fn fn);
bool schema_writer_take(struct schema_writer *w, const struct schema_errand *change); /* false: full */

/* What a change that is not alone reads and writes, before it asks the store about it and before it puts a
 * record. False: another change of the open batch has claimed the same; return at once, without an answer:
 * the change is run again from its start, when the store has the batch. _alone: sees all changes before it;
 * false: the request has been answered with what went wrong. */
enum schema_claim {
	SCHEMA_CLAIM_SUBJECT, /* its versions, config and mode */
	SCHEMA_CLAIM_TEXT,    /* which id a schema's text has */
	SCHEMA_CLAIM_KEK,     /* it and its DEKs */
};
bool schema_writer_claim(struct schema_writer *w, enum schema_claim kind, const void *name, size_t n);
bool schema_writer_alone(struct schema_writer *w, struct bus_http_request *req);
/* An id above `highest`, which the store knows, and above all given in the open batch; 0: none is left. */
int32_t schema_writer_next_id(struct schema_writer *w, const char *context, int32_t highest);

/* Records of this change; value NULL: tombstone. */
void schema_writer_put(struct schema_writer *w, const struct bus_buf *key, const struct bus_buf *value);
/* The same of a change of keys; time_ms: the record's, which its answer tells. */
void schema_writer_put_key(struct schema_writer *w, const struct bus_buf *key, const struct bus_buf *value,
			   int64_t time_ms);
/* Takes answer's bytes: the request gets them, with 200, when the records are in the log and the store has
 * read them; else what went wrong, and nothing of the change is in the log (or, 50002 and 50003, that is not
 * known). The edit does not touch the request any more. */
void schema_writer_commit(struct schema_writer *w, struct bus_http_request *req, struct bus_buf *answer);

/* --- registry/topic.c ------------------------------------------------------------------------------- */

/* The topic is there, with one partition, compacted. Made when it is missing, with config ("name=value",
 * NULL-ended) and so many replicas (0: as brokers, at most 3); a policy other than "compact" is mended when
 * Kafka allows it, else refused (BUS_EINVAL); few replicas are warned of. */
enum bus_err schema_topic_prepare(const struct bus_kafka_conf *kafka, const char *topic, int32_t replicas,
				  const char *const *config, int timeout_ms,
				  struct bus_error *err) BUS_MUSTCHECK;

/* --- registry/forward.c ------------------------------------------------------------------------------ */

#define SCHEMA_OFFSET_HEADER "X-Titian-Offset" /* the store has read this far: of answers to other nodes */

/* conf: whom this node trusts and who it is towards the others; outlives it. A
 * request's own Authorization never goes with it: who asked is vouched for (registry/vouch.h), or, with a policy
 * and no node key, nothing is passed on. guarded: not over plain HTTP beyond loopback. */
enum bus_err schema_forward_start(struct schema_registry *r, const struct bus_client_conf *conf, bool guarded,
				  struct schema_forward **out, struct bus_error *err) BUS_MUSTCHECK;
/* Answers what is left 50003. After the HTTP server and the writer. */
void schema_forward_stop(struct schema_forward **f);
/* Any thread: to whoever writes, when that is known. Answers in any case. */
void schema_forward_take(struct schema_forward *f, const struct schema_errand *change);

/* --- registry/subject.c: names are in the request's arena -------------------------------------------- */

/* {subject} in its normal form, in {context} when the URL has one and the name none, aliases followed. Never
 * NULL. */
const char *schema_body_subject(struct schema_registry *r, struct bus_http_request *req);
/* The same, also where an alias leads to what they may not touch, and is not followed otherwise. For
 * registry/access.c. */
const char *schema_body_meant(struct schema_registry *r, struct bus_http_request *req);
/* Whose settings (/config, /mode): a subject or `:.ctx:` in normal form, aliases not followed; NULL: the top
 * level. */
const char *schema_body_scope(struct bus_http_request *req);
/* Query `subject` or `subjectPrefix` in {context}; NULL: none given and no {context}. */
const char *schema_body_query_subject(struct schema_registry *r, struct bus_http_request *req);
const char *schema_body_prefix(struct bus_http_request *req, const char *fallback);
/* Is the subject of that subjectPrefix: `:*:s` of every context, `s` of the default one. */
bool schema_prefix_matches(const char *prefix, const struct schema_subject *s);
/* The subject, or if it is unqualified and not there, that of another context which fn takes. Under the lock.
 */
typedef bool (*schema_place_fn)(void *ctx, const struct schema_table *t, const char *subject);
bool schema_in_contexts(const struct schema_table *t, const char *subject, schema_place_fn fn, void *ctx);

/* --- registry/body.c: false means that the request has been answered with the error ------------------- */

bool schema_body_true(struct bus_http_request *req, const char *name); /* a query flag: "true" in any case */
/* {version}: 1.. or SCHEMA_VERSION_LATEST ("latest", "-1"); else 42202. */
bool schema_body_version(struct bus_http_request *req, int *version);
bool schema_body_id(struct bus_http_request *req, int32_t *id); /* {id}: else 404 */
/* The body as an object in the request's arena; 400 when it is none. */
bool schema_body_json(struct bus_http_request *req, const struct bus_json **out);
struct schema_window { /* offset and limit of the query: steps through a list */
	size_t skip, left;
};
struct schema_window schema_body_window(struct bus_http_request *req, size_t most);
bool schema_window_takes(struct schema_window *w);		       /* the next one is shown */
enum schema_deleted schema_body_deleted(struct bus_http_request *req); /* deleted, deletedOnly */

/* --- registry/request.c -------------------------------------------------------------------------------- */

struct schema_request { /* Confluent's RegisterSchemaRequest; what is not owned by v lives in the request's
			   arena */
	struct schema_version v; /* subject, text, type, references; extra and guid when sealed */
	const char *sent;	 /* a Protobuf descriptor in base64, as it came; NULL: v.text says it */
	const struct schema_metadata *metadata;
	const struct schema_rule_set *rules;
	int32_t id;  /* -1: none */
	int version; /* 0: none, -1: the latest */
	const struct bus_json *tags_to_add, *tags_to_remove;
	bool propagate_tags;
	const struct bus_http_request *req; /* whose: what it refers to must be theirs to read */
};
void schema_request_release(struct schema_request *q);
/* The body; answers 400 and 42210. */
bool schema_request_read(struct bus_http_request *req, const char *subject, struct schema_request *q);
void schema_request_copy(const struct schema_request *from, struct schema_request *to);
bool schema_request_empty(const struct schema_request *q); /* no text */
/* Checks the text and makes it Confluent's canonical one, normalized if asked; then seals. BUS_ESCHEMA
 * (42201) or BUS_ETOOBIG (42209) with Confluent's words. strict: as a new schema. */
enum bus_err schema_request_parse(struct schema_registry *r, struct schema_request *q, bool strict,
				  bool normalize, struct bus_error *err) BUS_MUSTCHECK;
void schema_request_seal(
    struct schema_request *q); /* extra and guid, after text, metadata or rules have changed */
void schema_request_refuse(struct bus_http_request *req, const struct bus_error *err);
/* Gives it the metadata and rules that registering would: defaults, its own or the version before's,
 * overrides; and marks new_version (0: no mark) where Confluent does. previous may be NULL. */
void schema_request_populate(struct bus_http_request *req, const struct schema_config *c,
			     struct schema_request *q, const struct schema_version *previous,
			     int new_version);

/* --- registry/format.c --------------------------------------------------------------------------------- */

/* The text in the form that `format` names; NULL: as stored. On the heap. False: answered. */
bool schema_formatted(struct schema_registry *r, struct bus_http_request *req, struct schema_version *v,
		      char **out);
/* JSON of `findTags`: the tagged places of the schema, `[..]`; nothing when not asked for. False: answered.
 */
bool schema_found_tags(struct schema_registry *r, struct bus_http_request *req, struct schema_version *v,
		       struct bus_buf *out);
/* referenceFormat=qualified: references with their context. In place. */
void schema_qualify_references(struct bus_http_request *req, struct schema_version *v);

/* --- registry/reply.c ---------------------------------------------------------------------------------- */

/* On an HTTP thread, before all else: which of Confluent's types the answer has (Accept). */
void schema_reply_choose(struct bus_http_request *req);
bool schema_reply_type_ok(const char *type); /* is it one of those that answers have? */
void schema_reply(struct bus_http_request *req, struct bus_buf *json); /* 200; 204 with nothing in it */
/* The status is the first three digits of code (40401 -> 404). */
void schema_reply_error(struct bus_http_request *req, int code, const char *fmt, ...) BUS_PRINTF(3, 4);
void schema_reply_subject_unknown(struct bus_http_request *req, const char *subject); /* 40401 */
void schema_reply_version_unknown(struct bus_http_request *req, int version);	      /* 40402 */

enum schema_shape { SCHEMA_SHAPE_ENTITY, SCHEMA_SHAPE_STRING, SCHEMA_SHAPE_REGISTERED };
struct schema_show {
	enum schema_shape shape;
	bool dated;	     /* ts, deleted: it is a stored version */
	bool placeless;	     /* without subject and version */
	const char *text;    /* in the place of v's; NULL: v's */
	struct bus_str tags; /* JSON; n 0: none */
	int32_t max_id;	     /* 0: not shown */
	const char *const *alias;
	size_t n_aliases;
};
/* Members of one version, inside an open object. */
void schema_put_version(struct bus_json_out *j, const struct schema_version *v,
			const struct schema_show *show);
/* It as a whole answer. */
struct bus_buf schema_version_json(const struct schema_version *v, const struct schema_show *show);

/* --- registry/evolve.c, registry/compat.c -----------------------------------------------------------------
 */

struct schema_messages { /* Confluent's, one string each */
	char **item;
	size_t n;
};
void schema_messages_add(struct schema_messages *m, char *text); /* takes text */
void schema_messages_release(struct schema_messages *m);
/* One pair under the level, which is not NONE; both parsed, or not Avro. False: why says it. */
bool schema_registry_compatible(enum schema_level level, const struct schema_version *candidate,
				const struct schema_version *old, struct schema_messages *why);
/* Comparing with all versions of a subject takes so long at most: others wait behind a registration. */
#define SCHEMA_CHECK_MS 2000
/* May the request's schema (parsed, sealed) follow the live versions of its subject (only: that version
 * alone)? False as well when there was no time to compare with all of them; why says so. */
bool schema_registry_check(struct schema_registry *r, const struct schema_config *config,
			   const struct schema_request *q, int only, struct schema_messages *why);

/* --- registry/tags.c ---------------------------------------------------------------------------------------
 */

#define SCHEMA_TAGS "confluent:tags"
/* The text with tags of its records and fields added and taken away (Confluent's schemaTagsToAdd/Remove:
 * lists of
 * {"schemaEntity":{"entityPath","entityType"},"tags"}; either may be NULL). BUS_ESCHEMA: no such place. */
enum bus_err schema_tags_change(const char *text, const struct bus_json *add, const struct bus_json *remove,
				struct bus_arena *arena, struct bus_buf *out,
				struct bus_error *err) BUS_MUSTCHECK;
/* What is tagged, in that form; names: only what has one of them (`*`: any), n 0: everything. */
void schema_tags_list(const struct schema *s, const char *const *name, size_t n, struct bus_json_out *j);

/* --- handlers, by file -------------------------------------------------------------------------------------
 */

void schema_read_root(void *ctx, struct bus_http_request *req);
void schema_read_types(void *ctx, struct bus_http_request *req);
void schema_read_cluster(void *ctx, struct bus_http_request *req);
void schema_read_server_version(void *ctx, struct bus_http_request *req);
void schema_read_deployment(void *ctx, struct bus_http_request *req);
void schema_read_schemas(void *ctx, struct bus_http_request *req);
void schema_read_id(void *ctx, struct bus_http_request *req);
void schema_read_id_schema(void *ctx, struct bus_http_request *req);
void schema_read_id_subjects(void *ctx, struct bus_http_request *req);
void schema_read_id_versions(void *ctx, struct bus_http_request *req);
void schema_read_guid(void *ctx, struct bus_http_request *req);
void schema_read_guid_ids(void *ctx, struct bus_http_request *req);
void schema_read_subjects(void *ctx, struct bus_http_request *req);
void schema_read_versions(void *ctx, struct bus_http_request *req);
void schema_read_version(void *ctx, struct bus_http_request *req);
void schema_read_version_schema(void *ctx, struct bus_http_request *req);
void schema_read_referrers(void *ctx, struct bus_http_request *req);
void schema_read_lookup(void *ctx, struct bus_http_request *req);
void schema_read_latest_with(void *ctx, struct bus_http_request *req);
void schema_read_compatibility(void *ctx, struct bus_http_request *req);
void schema_read_config(void *ctx, struct bus_http_request *req);
void schema_read_mode(void *ctx, struct bus_http_request *req);
void schema_read_contexts(void *ctx, struct bus_http_request *req);

void schema_nodes_get_master(void *ctx, struct bus_http_request *req);
void schema_nodes_get_health(void *ctx, struct bus_http_request *req);
void schema_nodes_metrics(struct schema_registry *r); /* before they are printed */

void schema_edit_register(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_subject(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_version(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_put_config(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_config(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_put_mode(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_mode(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_tags(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_context(struct schema_registry *r, struct bus_http_request *req);

/* Registers the request's schema, or answers why not. look_first: a version that has it already is the
 * answer. */
void schema_edit_register_request(struct schema_registry *r, struct bus_http_request *req,
				  struct schema_request *q, bool normalize, bool force, bool look_first);
/* A NOOP record with the highest ids, before tombstones (registry/delete.c). */
void schema_edit_remember_ids(struct schema_registry *r);

/* What the edits share (registry/edit.c). */
/* Takes value's bytes; NULL: tombstone. */
void schema_edit_put(struct schema_registry *r, enum schema_record_kind kind, const char *subject,
		     int version, struct bus_buf *value);
/* The subject may be changed; else answered 42205. */
bool schema_edit_writable(struct schema_registry *r, struct bus_http_request *req, const char *subject);
/* Under the lock: is the version referred to by another that is there (deleted_too: or soft-deleted)? */
bool schema_edit_referred(const struct schema_table *t, const char *subject, int version, bool deleted_too,
			  const char *not_by);
bool schema_edit_subject_valid(struct bus_http_request *req, const char *subject,
			       bool settings); /* or 42208 */

#endif
