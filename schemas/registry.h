/* schemas/registry.h - titian-registry: Confluent's Schema Registry API on the schema store.
 *
 *   registry_main.c   options, start, stop
 *   registry_front.c  the HTTP server: TLS, who is asking
 *   registry_api.c    the route table; health and metrics
 *   registry_access.c may they?
 *   registry_read.c   what is answered from the store, on the HTTP threads
 *   registry_write.c  what changes something: one thread, many requests a transaction
 *   registry_leave.c  the last record of a writer that stops, for whoever takes the topic over
 *   registry_nodes.c  which node writes
 *   registry_forward.c  changes on their way to it
 *   registry_topic.c  the topics' settings
 *   registry_edit.c   the changes themselves, and the rules that refuse them
 *   registry_body.c   a request's body and parameters
 *   registry_reply.c  Confluent's shapes and error codes
 *   registry_compat.c is it compatible, and Confluent's words for why not
 *
 * Reading never waits. A change is checked against the store, committed to the topic through a transactional
 * producer, and answered when the store has read it back: so whoever was answered finds it, and the next
 * change sees it. Of several nodes on one topic one writes (registry_nodes.h says which), the others forward
 * changes to it and answer when their own store has read them. The transactional id "titian-registry-<topic>"
 * is the fence: whoever becomes the writer makes the commits of the one before fail.
 *
 * Source of codes, messages and shapes: Confluent Schema Registry's REST API as its clients see it. Schemas
 * of type AVRO only are taken; others that stand in the topic are served as text.
 */
#ifndef SCHEMAS_REGISTRY_H
#define SCHEMAS_REGISTRY_H

#include <stdatomic.h>

#include "bus/client.h"
#include "bus/http.h"
#include "bus/json_out.h"
#include "bus/kafka.h"
#include "schemas/registry_access.h"
#include "schemas/registry_nodes.h"
#include "schemas/store.h"

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
	struct schema_access *access; /* registry_access.h; NULL: everybody may do everything */
	struct schema_feed *feed;     /* registry_feed.h */
	struct schema_side *side;     /* registry_side.h */
	struct schema_side_writer *side_writer;
	const char *topic, *url;
	int64_t started_ms; /* monotonic; ready after ready_ms */
	int64_t ready_ms;
	atomic_bool draining;
};

extern const struct bus_http_route schema_registry_routes[];
/* The program's shape of errors that the HTTP layer makes: bus_http_conf.write_error. */
void schema_registry_error(struct bus_buf *out, int status, const char *title, const char *detail);

/* --- registry_write.c ------------------------------------------------------------------------------- */

struct schema_writer *schema_writer_new(const struct bus_kafka_conf *kafka, const char *topic);
/* Runs the thread; with r->nodes NULL this is the only node, and writes. */
enum bus_err schema_writer_start(struct schema_writer *w, struct schema_registry *r,
				 struct bus_error *err) BUS_MUSTCHECK;
void schema_writer_stop(struct schema_writer *w); /* after the HTTP server */
void schema_writer_free(struct schema_writer **w);
void schema_writer_leave(const struct bus_kafka_conf *kafka, const char *topic); /* registry_leave.c */
void schema_writer_stir(struct schema_writer *w); /* any thread: the nodes have changed */

/* A change of one request, on the writer's thread: declares what it reads and writes, checks, calls
 * schema_writer_put() for each record and, last, schema_writer_commit(); or replies what is wrong. */
typedef void (*schema_edit_fn)(struct schema_registry *r, struct bus_http_request *req);
/* alone: this one must see all changes before it in the store, and need declare nothing. */
struct schema_errand {
	struct bus_http_ticket *ticket;
	schema_edit_fn fn;
	bool alone;
	bool forwarded;			  /* by another node: not to be forwarded again */
	const char *auth, *type, *accept; /* headers, in the request's arena; NULL: none */
	int64_t until_ms;		  /* monotonic: then it is answered that there is no writer */
};
/* On an HTTP thread: the change goes to the writer, here or on another node; 50001 when too many wait.
 * Changes that wait are committed together. */
void schema_registry_change(struct schema_registry *r, struct bus_http_request *req, schema_edit_fn fn,
			    bool alone);
bool schema_writer_take(struct schema_writer *w, const struct schema_errand *change); /* false: full */

/* What a change that is not alone reads and writes, before it asks the store about it and before it puts a
 * record. False: another change of the open batch has claimed the same; return at once, without an answer:
 * the change is run again from its start, when the store has the batch. _alone: sees all changes before it;
 * false: the request has been answered with what went wrong. */
enum schema_claim {
	SCHEMA_CLAIM_SUBJECT, /* its versions, config and mode */
	SCHEMA_CLAIM_TEXT,    /* which id a schema's text has */
};
bool schema_writer_claim(struct schema_writer *w, enum schema_claim kind, const void *name, size_t n);
bool schema_writer_alone(struct schema_writer *w, struct bus_http_request *req);
/* An id above `highest`, which the store knows, and above all given in the open batch; 0: none is left. */
int32_t schema_writer_next_id(struct schema_writer *w, const char *context, int32_t highest);

/* Records of this change; value NULL: tombstone. */
void schema_writer_put(struct schema_writer *w, const struct bus_buf *key, const struct bus_buf *value);
/* Takes answer's bytes: the request gets them, with 200, when the records are in the log and the store has
 * read them; else what went wrong, and nothing of the change is in the log (or, 50002 and 50003, that is not
 * known). The edit does not touch the request any more. */
void schema_writer_commit(struct schema_writer *w, struct bus_http_request *req, struct bus_buf *answer);

/* --- registry_topic.c ------------------------------------------------------------------------------- */

/* The topic is there, with one partition, compacted. Made when it is missing, with config ("name=value",
 * NULL-ended) and so many replicas (0: as brokers, at most 3); a policy other than "compact" is mended when
 * Kafka allows it, else refused (BUS_EINVAL); few replicas are warned of. */
enum bus_err schema_topic_prepare(const struct bus_kafka_conf *kafka, const char *topic, int32_t replicas,
				  const char *const *config, int timeout_ms,
				  struct bus_error *err) BUS_MUSTCHECK;

/* --- registry_forward.c ------------------------------------------------------------------------------ */

#define SCHEMA_OFFSET_HEADER "X-Titian-Offset" /* the store has read this far: of answers to other nodes */

/* conf: whom this node trusts and who it is towards the others; outlives it. A request's own Authorization
 * goes with it. */
enum bus_err schema_forward_start(struct schema_registry *r, const struct bus_client_conf *conf,
				  struct schema_forward **out, struct bus_error *err) BUS_MUSTCHECK;
/* Answers what is left 50003. After the HTTP server and the writer. */
void schema_forward_stop(struct schema_forward **f);
/* Any thread: to whoever writes, when that is known. Answers in any case. */
void schema_forward_take(struct schema_forward *f, const struct schema_errand *change);

/* --- registry_body.c: false means that the request has been answered with the error ----------------- */

bool schema_body_true(struct bus_http_request *req, const char *name); /* a query flag: "true" in any case */
/* {subject}, without the default context's prefix ":.:". */
const char *schema_body_subject(struct bus_http_request *req);
/* {version}: 1.. or SCHEMA_VERSION_LATEST ("latest", "-1"); else 42202. */
bool schema_body_version(struct bus_http_request *req, int *version);
bool schema_body_id(struct bus_http_request *req, int32_t *id); /* {id}: else 404 */
/* The body as an object in the request's arena; 42201 or 400-ish when it is none. */
bool schema_body_json(struct bus_http_request *req, const struct bus_json **out);
/* {"schema","schemaType","references","metadata","ruleSet"}: parsed, references resolved, text as
 * Schema.toString() gives it. Release with schema_version_release(). */
bool schema_body_schema(struct schema_registry *r, struct bus_http_request *req, int flags,
			struct schema_version *out);
/* Sorted lists: offset and limit of the query. */
void schema_body_window(struct bus_http_request *req, size_t n, size_t *from, size_t *to);
enum schema_deleted schema_body_deleted(struct bus_http_request *req); /* deleted, deletedOnly */

/* --- registry_reply.c ------------------------------------------------------------------------------- */

void schema_reply(struct bus_http_request *req, struct bus_buf *json); /* 200 */
/* The status is the first three digits of code (40401 -> 404). */
void schema_reply_error(struct bus_http_request *req, int code, const char *fmt, ...) BUS_PRINTF(3, 4);
void schema_reply_subject_unknown(struct bus_http_request *req, const char *subject); /* 40401 */
void schema_reply_version_unknown(struct bus_http_request *req, int version);	      /* 40402 */
enum {
	SCHEMA_SHOW_PLACE = 1, /* subject, version, id */
	SCHEMA_SHOW_ID = 2,    /* id and version only (what registering gives) */
};
/* Members of one version, inside an open object. */
void schema_put_version(struct bus_json_out *j, const struct schema_version *v, int show);

/* --- registry_compat.c ------------------------------------------------------------------------------ */

/* The candidate against versions, oldest first, under the level. Versions without a parsed schema count as
 * incompatible, except under NONE. why: Confluent's messages, one string each. */
struct schema_messages {
	char **item;
	size_t n;
};
void schema_messages_release(struct schema_messages *m);
bool schema_registry_compatible(enum schema_level level, const struct schema_version *candidate,
				const struct schema_version_list *versions, struct schema_messages *why);

/* --- handlers, by file ------------------------------------------------------------------------------ */

void schema_read_root(void *ctx, struct bus_http_request *req);
void schema_read_types(void *ctx, struct bus_http_request *req);
void schema_read_schemas(void *ctx, struct bus_http_request *req);
void schema_read_id(void *ctx, struct bus_http_request *req);
void schema_read_id_schema(void *ctx, struct bus_http_request *req);
void schema_read_id_subjects(void *ctx, struct bus_http_request *req);
void schema_read_id_versions(void *ctx, struct bus_http_request *req);
void schema_read_subjects(void *ctx, struct bus_http_request *req);
void schema_read_versions(void *ctx, struct bus_http_request *req);
void schema_read_version(void *ctx, struct bus_http_request *req);
void schema_read_version_schema(void *ctx, struct bus_http_request *req);
void schema_read_referrers(void *ctx, struct bus_http_request *req);
void schema_read_lookup(void *ctx, struct bus_http_request *req);
void schema_read_compatibility(void *ctx, struct bus_http_request *req);
void schema_read_config(void *ctx, struct bus_http_request *req);
void schema_read_mode(void *ctx, struct bus_http_request *req);
void schema_read_contexts(void *ctx, struct bus_http_request *req);

void schema_nodes_get_master(void *ctx, struct bus_http_request *req);
void schema_nodes_get_health(void *ctx, struct bus_http_request *req);

void schema_edit_register(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_subject(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_version(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_put_config(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_config(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_put_mode(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_mode(struct schema_registry *r, struct bus_http_request *req);

#endif
