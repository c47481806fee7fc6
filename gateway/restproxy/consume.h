/* gateway/restproxy/consume.h - inside the consumers of REST Proxy's API.
 *
 *   consumers.c     the whole; queue.c: requests that wait, and the threads that do them; budget.c: what they may write
 *   watch.c         whether topics that somebody waits for have grown; parked.c: who waits for what
 *   ask_consumer.c  a request taken down
 *   current.c       the instance as it is, a change of it written; create.c, subscribe.c, assign.c, seek.c, commit.c: what
 *                   is asked
 *   records.c       GET records; own.c: which partitions are its own
 *   source.c        partitions read ahead; text.c: a record as JSON
 *   topics.c        topics there are, as a reader may know them; pattern.c: those that a pattern means
 */
#ifndef GATEWAY_RESTPROXY_CONSUME_H
#define GATEWAY_RESTPROXY_CONSUME_H

#include <pthread.h>

#include "bus/arena.h"
#include "bus/consumer.h"
#include "bus/consumer_group.h"
#include "bus/json.h"
#include "bus/metrics.h"
#include "bus/shares.h"
#include "gateway/restproxy/budget.h"
#include "gateway/restproxy/consumers.h"
#include "gateway/restproxy/log.h"
#include "gateway/restproxy/rp.h"
#include "schemas/avro/cache.h"
#include "schemas/store/store.h"

#define GW_RP_JOBS_MAX 4096	    /* requests that wait */
#define GW_RP_TIMEOUT_MAX 300000    /* ms that a request for records may wait */
#define GW_RP_TIMEOUT_DEFAULT 1000  /* Confluent's */
#define GW_RP_ASK_MS 10000	    /* what the broker is given for an answer */
#define GW_RP_TRIES 10		    /* of a change that others were faster with */
#define GW_RP_BODY_MAX (256 * 1024) /* of a request */
#define GW_RP_RECORD_BYTES 100 /* about what a record of state or a committed place costs beside its value */

struct gw_rp_job;
struct gw_rp_worker;
typedef void (*gw_rp_job_fn)(struct gw_rp_worker *w, struct gw_rp_job *job);

struct gw_rp_job { /* one request */
	struct gw_consumers *all;
	gw_rp_job_fn run; /* answers, or parks it */
	struct bus_http_ticket *ticket;
	struct bus_http_request *req; /* the ticket's */
	struct gw_rp_job *next;
	char reader[GW_READER_NAME_MAX];
	char *group, *name; /* name NULL: POST /consumers/{group} */
	char *accept;	    /* of records; may be NULL */
	struct bus_buf text;
	struct bus_arena *arena;      /* while it is done, as body */
	struct bus_json *body;	      /* an object; NULL: none */
	int64_t timeout_ms;	      /* -1: the instance's */
	int64_t max_bytes;	      /* of records */
	int64_t queued;		      /* mono: since when it waits for a thread */
	int64_t deadline;	      /* mono; 0: not begun */
	bool answered, parked, reads; /* reads: it changes nothing */
	struct gw_rp_instance *at;    /* PARKED: it waits for records behind these places */
	uint64_t changes;	      /* ... or for another share */
};

struct gw_rp_topics { /* of the cluster */
	pthread_mutex_t lock;
	char **name;
	int32_t *partitions;
	size_t n;
	int64_t read_ms; /* mono; 0: never */
	uint64_t generation;
};

struct gw_rp_commits { /* what this gateway committed last for an instance that commits by itself */
	uint8_t id[GW_RP_ID_LEN];
	int64_t at_ms;
	uint64_t places;
};
#define GW_RP_COMMITS 1024

struct gw_consumers {
	struct gw_api *api;
	struct gw_consumers_conf conf;
	struct gw_rp_log *log;
	struct bus_groups *groups;
	struct gw_rp_topics topics;
	struct schema_cache *plans;
	struct bus_metric *records, *bytes, *answers, *instances, *ready, *lost, *again;
	_Atomic int64_t held; /* bytes of answers under way */

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t moved;
	struct gw_rp_job *queue, **queue_end;
	struct gw_rp_job *parked; /* just now: watch.c takes them */
	size_t n_jobs, n_queue, n_idle;
	struct bus_shares *jobs_of, *held_of; /* by reader: of n_jobs, of held */
	struct gw_rp_budget *budget;
	struct gw_rp_worker *worker;
	struct gw_rp_commits commits[GW_RP_COMMITS];
	pthread_t watch;
	bool watches;
	_Atomic bool stop;
};

/* --- source.c: partitions of one instance, read ahead --------------------------------------------------------- */

struct gw_rp_slot {
	char *topic;
	int32_t partition;
	int64_t next;  /* to be handed out */
	int64_t state; /* where the instance's state has it */
	bool assigned;
	const struct gw_rp_view *view; /* text.c; of this answer */
};

struct gw_rp_source {
	struct bus_consumer *consumer; /* opened when needed */
	struct gw_rp_slot *slot;
	size_t n_slots;
	struct bus_record *record; /* fetched, at..n not handed out */
	size_t at, n;
};

enum bus_err gw_rp_source_set(struct gw_rp_worker *w, const struct gw_rp_instance *i,
			      struct bus_error *err) BUS_MUSTCHECK;
/* The record at hand, until it is taken; NULL: none within timeout_ms. */
enum bus_err gw_rp_source_next(struct gw_rp_worker *w, int timeout_ms, const struct bus_record **out,
			       struct bus_error *err) BUS_MUSTCHECK;
/* Kafka has said of every partition that there is no more. */
bool gw_rp_source_at_end(const struct gw_rp_worker *w);
void gw_rp_source_take(struct gw_rp_worker *w); /* it is in the answer */
/* The state has what was taken; or it does not, and all is read anew. */
void gw_rp_source_settled(struct gw_rp_worker *w);
void gw_rp_source_forget(struct gw_rp_worker *w);
void gw_rp_source_release(struct gw_rp_worker *w);
enum bus_err gw_rp_source_open(struct gw_rp_worker *w, struct bus_error *err) BUS_MUSTCHECK;

/* --- text.c: records as JSON ---------------------------------------------------------------------------------- */

#define GW_RP_PLANS 64

struct gw_rp_view {	     /* a topic in one answer */
	const char *topic;   /* a slot's */
	struct bus_buf head; /* {"topic":"...","key": */
	const char *const *clear;
	size_t n_clear;
	bool all_clear; /* nothing is masked */
	struct schema *newest;
};

struct gw_rp_text {
	struct gw_rp_view *view;
	size_t n_views;
	struct schema_reader *reader;
	struct {
		int32_t id;
		struct schema_plan *plan;
	} plan[GW_RP_PLANS];
	size_t n_plans, last_plan;
	struct bus_arena *arena;
};
void gw_rp_text_begin(struct gw_rp_worker *w, struct gw_rp_job *job);
/* Appended to w->out. BUS_EDATA: it cannot be given in that format; nothing is appended. */
enum bus_err gw_rp_text_put(struct gw_rp_worker *w, const struct gw_rp_instance *i,
			    const struct bus_record *r, struct bus_error *err) BUS_MUSTCHECK;
void gw_rp_text_release(struct gw_rp_worker *w);

/* --- a thread ------------------------------------------------------------------------------------------------- */

struct gw_rp_allowed { /* an instance that may read all it assigned itself, when that was asked last: own.c */
	uint8_t id[GW_RP_ID_LEN];
	uint64_t changes, access;
};

struct gw_rp_own { /* partitions that an instance shall have, as found last: own.c */
	uint8_t id[GW_RP_ID_LEN];
	uint64_t changes, topics, access;
	struct gw_rp_instance *want; /* only what it holds matters */
};

struct gw_rp_worker {
	struct gw_consumers *all;
	pthread_t thread;
	bool runs, busy;
	uint8_t served[GW_RP_ID_LEN]; /* whose records the source has; under the lock */
	char *group, *name;	      /* the same by name: under the lock */
	struct gw_rp_source source;
	struct gw_rp_text text;
	struct gw_rp_own own;
	struct gw_rp_allowed allowed;
	struct bus_buf out;
	size_t out_hint;
};

/* --- queue.c -------------------------------------------------------------------------------------------------- */

/* Takes job; answers at once when too many wait, in all or of its reader. */
void gw_rp_submit(struct gw_rp_job *job);
/* Bytes of an answer that is under way; less than 0: it is over. */
void gw_rp_hold_bytes(struct gw_consumers *c, const char *reader, int64_t bytes);
/* Bytes of state that were written for a reader, or are committed to Kafka: restproxy.writes. */
void gw_rp_wrote(struct gw_consumers *c, const char *reader, int64_t bytes);
/* No more than all of them, or than one reader's share, is under way. */
bool gw_rp_bytes_left(struct gw_consumers *c, const char *reader);
void gw_rp_job_free(struct gw_rp_job **job);
void gw_rp_over(struct gw_rp_job *job);						      /* it is answered */
void *gw_rp_work(void *worker);							      /* a thread */
void gw_rp_say(struct gw_rp_job *job, int error_code, const char *detail);	      /* answers */
void gw_rp_say_for(struct gw_rp_job *job, int error_code, const char *detail, int s); /* with Retry-After */
void gw_rp_say_err(struct gw_rp_job *job, const struct bus_error *err);		      /* Kafka's trouble */
void gw_rp_answer(struct gw_rp_job *job, int status, struct bus_buf *body);	      /* NULL: none */
/* A text of the body with a NUL behind it, the job's. NULL: the body needs too much memory, 413 is answered. */
const char *gw_rp_copy(struct gw_rp_job *job, struct bus_str text);
void gw_rp_serves(struct gw_rp_worker *w, const struct gw_rp_instance *i);
bool gw_rp_others_wait(struct gw_consumers *c);
void gw_rp_park(struct gw_rp_job *job, struct gw_rp_instance *at, uint64_t changes);
void *gw_rp_watch(void *consumers); /* watch.c */
void gw_rp_unpark(struct gw_consumers *c,
		  struct gw_rp_job *jobs);	 /* by next: back to the queue. Under the lock */
void gw_rp_wait(struct gw_consumers *c, int ms); /* under the lock */

/* --- current.c ------------------------------------------------------------------------------------------------ */

/* The instance as it is, or 40403 is answered. What became of its last answer is known: next is to be written, its
 * places where the peer is. The caller owns both. */
struct gw_rp_at {
	struct gw_rp_instance *i, *next;
	uint64_t changes;
};
bool gw_rp_current(struct gw_rp_job *job, struct gw_rp_at *out);
void gw_rp_at_release(struct gw_rp_at *at);
/* gw_rp_log_write, at the cost of its reader. */
enum bus_err gw_rp_put(struct gw_consumers *c, const struct gw_rp_instance *i,
		       struct bus_error *err) BUS_MUSTCHECK;
/* Writes at->next. True: written. False: to be tried again (*again), or answered. */
bool gw_rp_write(struct gw_rp_job *job, struct gw_rp_at *at, int *tries, bool *again);
/* It has not been heard of for a while. */
bool gw_rp_stale(const struct gw_consumers *c, const struct gw_rp_instance *i);
int64_t gw_rp_stale_before(const struct gw_consumers *c); /* one last heard of before it is */
/* A request that changes nothing is a sign of life all the same. */
void gw_rp_touch(struct gw_rp_job *job, const struct gw_rp_at *at);

/* --- own.c ---------------------------------------------------------------------------------------------------- */

/* Lets go of what is another's now, takes what is its own and free; writes it. True: at is as it shall be. False: to be
 * found anew (*again), or answered. */
bool gw_rp_settle_own(struct gw_rp_worker *w, struct gw_rp_job *job, struct gw_rp_at *at, int *tries,
		      bool *again);
/* It may still read all that it assigned itself, or it is answered what it may not. */
bool gw_rp_still_allowed(struct gw_rp_worker *w, struct gw_rp_job *job, const struct gw_rp_at *at);
/* First places of partitions that were just taken (next is -1): committed, else as auto.offset.reset says. */
enum bus_err gw_rp_begin_places(struct gw_rp_worker *w, struct gw_rp_instance *i,
				struct bus_error *err) BUS_MUSTCHECK;

/* --- commit.c ------------------------------------------------------------------------------------------------- */

/* The places of an instance that commits by itself. now: even when it was done a moment ago. Trouble is logged: the
 * records come again. */
void gw_rp_commit_places(struct gw_consumers *c, const struct gw_rp_instance *i, bool now);

/* --- topics.c ------------------------------------------------------------------------------------------------- */

/* Partitions of a topic that is there and may be read by the reader; 0: none. raw: as bytes, so nothing of it may be
 * masked. */
int32_t gw_rp_topic_partitions(struct gw_consumers *c, const char *reader, const char *topic);
bool gw_rp_topic_clear(struct gw_consumers *c, const char *reader, const char *topic);
uint64_t gw_rp_topics_each(struct gw_consumers *c,
			   void (*fn)(void *ctx, const char *topic, int32_t partitions),
			   void *ctx); /* its generation */
void gw_rp_topics_release(struct gw_rp_topics *t);

struct gw_rp_list {
	char **name;
	int32_t *partitions;
	size_t n;
};
void gw_rp_list_add(void *list, const char *topic, int32_t partitions); /* for gw_rp_topics_each */
void gw_rp_list_release(struct gw_rp_list *l);

#endif
