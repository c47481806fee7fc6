/* gateway/publish/publish.h - records that come over HTTP, on their way to a topic. The core, without any HTTP: what a
 * shape of request (ours, REST Proxy's) fills is a batch; the core puts it into Kafka and says of each record where it
 * lies, or why not.
 *
 * Two ways to Kafka:
 *   plain          an idempotent producer, acks=all. A record is answered when every replica has it. When the broker or
 *                  the gateway dies meanwhile the sender cannot know, and is told so (publish-unknown).
 *   transaction    for a batch with an idempotency key, or all-or-nothing. Many batches share one transaction; the
 *                  answer to each is in it (topic `publish.topic`), so that whoever asks again, and wherever, gets it.
 *                  What makes it exactly once: journal.h.
 *
 * Bounded: batches and bytes on their way, keys remembered (503, Retry-After); of each a reader has a fourth (429).
 * Thread: any; a batch belongs to whoever fills it until it is submitted, then to the core until `done` is called, on
 * a thread of the core's: `done` answers and frees it, and does not block.
 */
#ifndef GATEWAY_PUBLISH_PUBLISH_H
#define GATEWAY_PUBLISH_PUBLISH_H

#include "bus/crypto.h"
#include "bus/kafka.h"
#include "bus/wire.h"
#include "schemas/avro/schema.h"
#include "schemas/store/store.h"

#define GW_PUBLISH_RECORDS_MAX 10000		      /* of a batch */
#define GW_PUBLISH_BODY_MAX ((size_t)8 * 1024 * 1024) /* of a request, as sent and unpacked */
#define GW_PUBLISH_KEY_LEN 32			      /* of an idempotency key, hashed: its reader, then it */
#define GW_PUBLISH_READER_LEN 16
#define GW_PUBLISH_TOPIC_MAX 249		      /* Kafka's */
#define GW_PUBLISH_ID_PREFIX "titian-publish-"	      /* of conf.id */

struct gw_publish;
struct gw_publish_batch;

struct gw_publish_conf { /* copied, but for what kafka points to */
	struct bus_kafka_conf kafka;
	const char *topic; /* of answers; that of claims is <topic>_claims. Made when missing */
	const char *id;	   /* this gateway's, of its transactions; no other gateway has it */
	const uint8_t
	    *city; /* key of pseudonyms (BUS_KEY_LEN), and of the hashes of idempotency keys, so the same on
				every gateway; NULL: none, a NIK in a key is refused */
	int64_t keep_ms; /* how long an idempotency key is remembered */
	int64_t
	    memory; /* bytes: of records on their way, and again of keys remembered; a reader has a fourth */
	struct schema_store *schemas; /* NULL: none are known */
};

enum bus_err gw_publish_open(const struct gw_publish_conf *conf, struct gw_publish **out,
			     struct bus_error *err) BUS_MUSTCHECK;
/* Answers what waits, ends the threads; what comes after it is refused. Before HTTP stops. */
void gw_publish_stop(struct gw_publish *p);
void gw_publish_free(struct gw_publish **p); /* when no request is open */
void gw_publish_tick(struct gw_publish *p);  /* about once a second */

/* --- a batch ------------------------------------------------------------------------------------------------ */

struct gw_publish_record {
	uint32_t key_at, key_n;	    /* in the batch's bytes */
	uint32_t value_at, value_n; /* framed, or as it shall be on the topic */
	bool has_key, tombstone;
	int32_t partition;    /* asked for; -1: by the key */
	int64_t timestamp_ms; /* 0: now */
	int32_t placed;	      /* the partition where it is */
	int64_t offset;	      /* -1: not there */
	uint32_t line;	      /* of the body, 1-based; 0: none */
	/* Headers of CloudEvents that the sender gave; p NULL: ours. In the batch's arena, as all below. */
	struct bus_str id, source, type, subject, time;
	const struct bus_header *header; /* more of them */
	size_t n_headers;
	struct gw_publish_batch *of; /* the core's */
	/* Why it is not there: a problem's code (serve/problem.c); NULL: it is, or may yet be. */
	const char *problem;
	const char *pointer, *detail; /* may be NULL; never a value */
};

struct gw_publish_batch {
	struct gw_publish *all;
	char topic[GW_PUBLISH_TOPIC_MAX + 1];
	char reader[64];
	int32_t schema_id; /* of the values, for the answer; 0: none */
	bool atomic;	   /* all or none */
	bool bare;	   /* records get only the headers that were given */
	const char *type;  /* of the values, for their header; static; NULL: Avro */
	bool keyed;	   /* the next two are set: gw_publish_set_key() */
	uint8_t key[GW_PUBLISH_KEY_LEN], print[GW_PUBLISH_KEY_LEN];
	char traceparent[64];

	struct bus_buf bytes;	 /* of keys and values */
	struct bus_arena *arena; /* of texts */
	struct gw_publish_record *record;
	size_t n, cap, n_refused;

	/* The outcome of all of it. problem NULL: see the records. */
	const char *problem, *detail;
	bool replayed; /* answered from an earlier request of the same key */
	void (*done)(struct gw_publish_batch *b);
	void *ctx;

	/* --- the core's --- */
	struct gw_publish_batch *next, *same_bucket;
	size_t held;				 /* bytes counted */
	_Atomic size_t waiting;			 /* records without an answer */
	int64_t until;				 /* monotonic ms: answered by then */
	uint8_t incarnation[GW_PUBLISH_KEY_LEN]; /* that claimed its key */
	enum { GW_BATCH_FRESH, GW_BATCH_CLAIMING, GW_BATCH_READY, GW_BATCH_TAKEN } stage;
	bool history;		    /* the key was somebody's before: an answer may be on its way */
	size_t answer_at, answer_n; /* while it is committed */
	bool committed;		    /* its answer was read back from the log */
	bool suspect; /* Kafka refused a record of it, or just before of another of its reader */
};

struct gw_publish_batch *gw_publish_batch_new(struct gw_publish *p, const char *topic, const char *reader);
void gw_publish_batch_free(struct gw_publish_batch **b);
/* The next record, zero but for partition, offset -1. NULL: GW_PUBLISH_RECORDS_MAX, or too many bytes. */
struct gw_publish_record *gw_publish_add(struct gw_publish_batch *b);
void gw_publish_refuse(struct gw_publish_batch *b, struct gw_publish_record *r, const char *problem,
		       const char *pointer, const char *detail); /* texts are copied; code is static */
/* The key as sent, of this reader; print: of everything that makes two requests the same one. */
void gw_publish_set_key(struct gw_publish_batch *b, const char *key, struct bus_str print);
/* A batch with a key, before its records are read: true when there is nothing to read any more, because the answer is
 * known (records, replayed) or the request cannot be taken (problem). */
bool gw_publish_answered(struct gw_publish_batch *b);
/* To Kafka. Takes b: done is called, perhaps before this returns. Records that are refused are left out; of an atomic
 * batch with one of them nothing is sent. */
void gw_publish_submit(struct gw_publish_batch *b);

/* --- values and keys: schema.c ------------------------------------------------------------------------------ */

struct gw_publish_schema { /* what values of one topic are written with */
	struct schema *schema;
	int32_t id;
	const struct schema_field *key; /* x_kunci; NULL: keys are the sender's */
	bool key_personal;		/* of class U, S or A: it cannot be a key */
	bool register_topic;		/* x_jenis: register: a key is needed */
};
/* version: 1.., 0: the latest; id > 0: that one, which must be a version of the topic's values. BUS_ENOENT. */
enum bus_err gw_publish_schema_find(struct gw_publish *p, const char *topic, int version, int32_t id,
				    struct gw_publish_schema *out, struct bus_error *err) BUS_MUSTCHECK;
void gw_publish_schema_release(struct gw_publish_schema *s);

struct gw_publish_encoder; /* what one thread needs to look into values; bounded */
struct gw_publish_encoder *gw_publish_encoder_new(struct gw_publish *p, const struct gw_publish_schema *s);
void gw_publish_encoder_free(struct gw_publish_encoder **e);
/* JSON -> the record's value; pointer: where it is in the body ("/records/3/value"). False: r is refused. */
bool gw_publish_value_json(struct gw_publish_encoder *e, struct gw_publish_batch *b,
			   struct gw_publish_record *r, struct bus_str json, bool avro_spelling,
			   const char *pointer);
/* A datum written with `writer`, which may be another version: resolved. False: r is refused. */
bool gw_publish_value_avro(struct gw_publish_encoder *e, struct gw_publish_batch *b,
			   struct gw_publish_record *r, struct bus_str datum, struct schema *writer,
			   const char *pointer);
/* After the value: key as given (p NULL: from the value), checked: it is what the schema says, and no NIK. */
bool gw_publish_key(struct gw_publish_encoder *e, struct gw_publish_batch *b, struct gw_publish_record *r,
		    struct bus_str key, const char *pointer);
/* Whether these are the sixteen digits of a NIK, with a day of birth in them. */
bool gw_publish_is_nik(struct bus_str s);
bool gw_publish_holds_nik(struct bus_str s); /* somewhere in it, between what are no digits */

/* --- the answer: receipt.c ---------------------------------------------------------------------------------- */

/* The body for what became of the batch, in the words of the reader's language: records with partition and offset, or
 * problem. The one place where a receipt is built: a signature would go over these bytes. */
void gw_publish_receipt(const struct gw_publish_batch *b, bool english, struct bus_buf *out);

#endif
