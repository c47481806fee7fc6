/* gateway/feed/records_impl.h - inside records*.c.
 *
 *   records.c        who waits for what; the threads
 *   records_watch.c  whether a topic has grown
 *   records_read.c   one question to Kafka
 *   records_write.c  a record as text
 *   records_ask.c    GET /v1/topics/{topic}/records
 *
 * A reader of records is in one state at a time. In QUEUED and RUNNING it belongs to the pool, else to whoever
 * answers it (a stream's connection, or nobody: a poll that waits).
 */
#ifndef GATEWAY_FEED_RECORDS_IMPL_H
#define GATEWAY_FEED_RECORDS_IMPL_H

#include "bus/consumer.h"
#include "gateway/feed/feeds_impl.h"
#include "gateway/feed/records.h"
#include "schemas/avro/cache.h"
#include "schemas/store/store.h"

#define GW_RECORDS_THREADS_MAX 16
#define GW_RECORDS_QUEUE_MAX 512      /* questions that wait */
#define GW_RECORDS_PARTITIONS_MAX 200 /* a cursor is a line */

enum gw_tail_state { GW_TAIL_IDLE, GW_TAIL_QUEUED, GW_TAIL_RUNNING, GW_TAIL_DONE, GW_TAIL_WAITING };

struct gw_position {
	int32_t partition;
	bool known; /* else: where the question says */
	int64_t next;
};

struct gw_tail { /* one who reads the records of a topic */
	struct gw_records *all;
	enum gw_tail_state state; /* all->lock, as the next three */
	bool dead;		  /* its stream is over; the pool lets it go */
	struct gw_tail *next;
	struct gw_tail *next_open; /* of all streams */

	char *topic, *name; /* name: in cursors */
	int32_t only;	    /* a partition; -1: all */
	enum gw_way way;
	int limit;
	int version; /* of the topic's subject, that records are resolved to; 0: as written */
	const char *const *clear;
	size_t n_clear;
	char reader[GW_READER_NAME_MAX], key_id[GW_KEY_ID_LEN + 1];
	_Atomic uint64_t generation;
	struct gw_who *who;	      /* of a stream */
	int64_t from_offset, from_ms; /* -1: not asked */
	bool from_end, until_now;
	int64_t wait_until; /* poll: monotonic ms */

	struct gw_position *at; /* of each partition */
	size_t n_at;
	struct bus_buf out; /* what was read */
	int records;
	bool end; /* of every partition, as it was when it was asked */
	enum bus_err rc;
	struct bus_error err;

	bool begun, told;
	_Atomic int64_t spoke;
	struct bus_http_stream *stream; /* one of these two */
	struct bus_http_ticket *ticket;
};

struct gw_records {
	struct gw_api *api;
	const struct bus_kafka_conf *kafka;
	struct schema_cache *plans;
	struct bus_metric *reads, *given, *errors;
	pthread_t thread[GW_RECORDS_THREADS_MAX + 1]; /* the last one watches */
	int n_threads;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct gw_tail *queue, **queue_end;
	size_t n_queue;
	struct gw_tail *open;  /* streams */
	struct gw_tail *polls; /* WAITING, without a stream */
	_Atomic bool stop;
};

/* To the pool. False: it is full, or stops. */
bool gw_records_submit(struct gw_tail *t);
bool gw_records_push(struct gw_tail *t);	    /* the same, under the lock */
void gw_records_wait(struct gw_records *r, int ms); /* under the lock, for something to do */
void *gw_records_watch(void *records);		    /* records_watch.c; a thread of its own */
/* A poll's answer, from what was read. Takes t. */
void gw_records_answer(struct gw_tail *t);
void gw_tail_free(struct gw_tail **t);
enum bus_http_more gw_tail_piece(void *t, struct bus_buf *out);
void gw_tail_over(void *t); /* its stream is */
void gw_records_enter(struct gw_tail *t);

/* records_read.c; on a thread of the pool. */
struct gw_records_worker {
	struct gw_records *all;
	struct bus_consumer *consumer; /* opened when needed */
	struct bus_record *record;
	struct schema_reader *reader;
	int64_t used_ms;
	struct bus_buf value;
	struct {
		int32_t id;
		int version;
	} known[32]; /* of the topic at hand */
	size_t n_known;
	struct schema *target, *newest; /* of the topic at hand; NULL: none */
};
void gw_tail_read(struct gw_records_worker *w, struct gw_tail *t);
void gw_records_worker_release(struct gw_records_worker *w);

/* records_write.c */
void gw_tail_put_cursor(const struct gw_tail *t, struct bus_buf *out);
bool gw_tail_read_cursor(struct gw_tail *t, const char *text);
void gw_tail_put_record(struct gw_records_worker *w, struct gw_tail *t, const struct bus_record *r);
/* The records from..to-1 are not kept any more. */
void gw_tail_put_gap(struct gw_tail *t, int32_t partition, int64_t from, int64_t to);
void gw_tail_put_event(const struct gw_tail *t, const char *event, bool cursor, struct bus_buf *out);

#endif
