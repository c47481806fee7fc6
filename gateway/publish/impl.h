/* gateway/publish/impl.h - inside gateway/publish: the core and its parts.
 *
 *   batch.c    a batch, filled and submitted
 *   plain.c    the way without a transaction
 *   stamp.c    the headers of a record
 *   schema.c   which schema; values and keys
 *   receipt.c  the answer's body
 *   journal.h  idempotency keys: claims.h what the log says, journal.c the topics, commit.c the transactions,
 *              lane.c their producers
 */
#ifndef GATEWAY_PUBLISH_IMPL_H
#define GATEWAY_PUBLISH_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/arena.h"
#include "bus/metrics.h"
#include "bus/sender.h"
#include "bus/shares.h"
#include "gateway/publish/publish.h"
#include "schemas/avro/read.h"

#define GW_PUBLISH_BATCHES_MAX 4096
#define GW_PUBLISH_ANSWER_MS 30000 /* the longest that a request waits */
#define GW_PUBLISH_HEADERS_MAX 32  /* of a record that come with the request */
#define GW_PUBLISH_KNOWN 64	   /* schemas whose plans are kept */

struct gw_journal;

struct gw_publish_known { /* a schema and how its key is found */
	int32_t id;
	struct schema *schema, *only_key;
	struct schema_plan *self, *key;
	uint64_t used;
};

struct gw_publish {
	struct gw_publish_conf conf;
	char *topic, *id;
	uint8_t city[BUS_KEY_LEN];
	struct bus_metric *records, *refused, *replayed, *busy;

	pthread_mutex_t held_lock; /* of what follows */
	int64_t held;		   /* bytes of batches on their way */
	struct bus_shares *held_of; /* the same by reader */
	int batches;
	_Atomic bool stop;

	pthread_rwlock_t plain_lock; /* of `plain`: sent to under a read lock, replaced under the other */
	struct bus_sender *plain;
	pthread_t plain_thread;
	bool plain_runs;

	pthread_mutex_t known_lock;
	struct gw_publish_known known[GW_PUBLISH_KNOWN];
	uint64_t known_clock;

	struct gw_journal *journal;
};

/* plain.c */
enum bus_err gw_plain_start(struct gw_publish *p, struct bus_error *err) BUS_MUSTCHECK;
void gw_plain_stop(struct gw_publish *p);
void gw_plain_submit(struct gw_publish_batch *b);

/* batch.c */
void gw_publish_finish(struct gw_publish_batch *b, const char *problem,
		       const char *detail); /* problem NULL: see records */
/* The problem of what bus/sender.h says of a record. */
const char *gw_publish_problem_of(const struct gw_publish_record *r, enum bus_err rc);

/* stamp.c */
struct gw_stamp {
	struct bus_header header[12 + GW_PUBLISH_HEADERS_MAX];
	size_t n;
	char id[2 * (GW_PUBLISH_KEY_LEN - GW_PUBLISH_READER_LEN) + 16], source[96], type[GW_PUBLISH_TOPIC_MAX + 32], time[40];
	size_t id_prefix;
};
void gw_stamp_batch(struct gw_stamp *s, const struct gw_publish_batch *b);
void gw_stamp_record(struct gw_stamp *s, const struct gw_publish_batch *b, const struct gw_publish_record *r);

/* schema.c: borrowed plans, a reference each. */
void gw_publish_known_release(struct gw_publish *p);

#endif
