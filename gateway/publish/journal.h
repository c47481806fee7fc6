/* gateway/publish/journal.h - publishing exactly once: keys claimed, records and answers committed together.
 *
 * A batch with a key goes: looked up, claimed (claims.h), granted, committed in one transaction with whatever else
 * waits, answered. The claim goes to Kafka while the transaction before it is under way; so a request waits for its own
 * claim and for at most two commits. Everything that can break is settled the same way: the producer is closed and
 * opened anew, which fences the old one and ends its transaction; the answers are read to their end; what has none is
 * claimed and committed again. A gateway that died is fenced by whoever is asked for one of its keys, after
 * GW_JOURNAL_TAKE_MS, or by itself when it starts again.
 *
 * Threads: requests submit; two followers (bus/follow.h) read the topics; a thread for each lane commits.
 */
#ifndef GATEWAY_PUBLISH_JOURNAL_H
#define GATEWAY_PUBLISH_JOURNAL_H

#include "bus/follow.h"
#include "gateway/publish/claims.h"
#include "gateway/publish/impl.h"

#define GW_JOURNAL_TAKE_MS 5000 /* a claim without an answer for so long: its gateway may be dead */
#define GW_JOURNAL_BUCKETS 1024
/* After a commit the broker writes the transaction's ends for a while, and librdkafka asks again after 20 ms: lanes take
 * turns. */
#define GW_JOURNAL_LANES 3
#define GW_JOURNAL_SUSPECTS 32

struct gw_batch_list {
	struct gw_publish_batch *first, **last;
};

struct gw_lane { /* one transactional producer, its thread */
	struct gw_journal *journal;
	char *id;		    /* transactional */
	struct gw_batch_list ready; /* granted; under the journal's lock, as all but the last four */
	uint8_t incarnation[GW_PUBLISH_KEY_LEN];
	bool open;	 /* the producer is, and everybody knows */
	int64_t told_ms; /* monotonic: that was said last */
	bool again;	 /* it is to be opened anew */

	struct bus_sender *sender; /* the lane's thread's alone */
	size_t outstanding;	   /* records of the transaction at hand without an answer */
	pthread_t thread;
	bool runs;
};

struct gw_journal {
	struct gw_publish *all;
	char *claims_topic;
	struct bus_follow *claims_log, *answers_log;

	pthread_mutex_t lock;
	pthread_cond_t moved; /* something for the committing threads; monotonic */
	struct gw_claims *claims;
	struct gw_publish_batch
	    *bucket[GW_JOURNAL_BUCKETS]; /* every batch between submit and its answer, by key */
	struct gw_batch_list fresh;	 /* to be claimed once a lane is open */
	size_t n;
	struct gw_lane lane[GW_JOURNAL_LANES];
	unsigned turn; /* the lane that the next batch goes to */
	bool take;     /* somebody's incarnation shall be fenced */
	uint8_t taken[GW_PUBLISH_KEY_LEN];
	char taken_id[GW_CLAIM_ID_MAX + 1];
	int64_t took_at;
	struct {
		char reader[64];
		int64_t until;		/* monotonic ms */
	} suspect[GW_JOURNAL_SUSPECTS]; /* readers of whom Kafka refused a record not long ago */
	unsigned next_suspect;
	bool stop;
	struct bus_metric *commits, *aborts, *takeovers, *keys;
};

enum bus_err gw_journal_start(struct gw_publish *p, struct gw_journal **out,
			      struct bus_error *err) BUS_MUSTCHECK;
void gw_journal_stop(struct gw_journal *j);
void gw_journal_free(struct gw_journal **j);
void gw_journal_submit(struct gw_publish_batch *b);
void gw_journal_tick(struct gw_journal *j);

/* --- between journal.c (keys), journal_start.c, commit.c and lane.c --- */
void gw_journal_read_claims(void *journal, const struct bus_record *record, size_t n); /* of the followers */
void gw_journal_read_answers(void *journal, const struct bus_record *record, size_t n);
struct gw_lane *gw_journal_lane(struct gw_journal *j, const uint8_t *incarnation); /* NULL: none of ours */
void gw_batch_list_init(struct gw_batch_list *l);
void gw_batch_list_add(struct gw_batch_list *l, struct gw_publish_batch *b);
/* To the topic of claims; bytes of one record. Not while the lock is held. */
void gw_journal_write(struct gw_journal *j, const struct bus_buf *record);
/* Under the lock: asks for the key, or knows that it need not. over: batches that are answered, to be finished once the
 * lock is let go; write: claims, to be written then. */
struct gw_journal_work {
	struct gw_batch_list over;
	struct bus_buf record; /* one after the other, each with its length before it */
};
void gw_journal_work_init(struct gw_journal_work *w);
void gw_journal_work_do(struct gw_journal *j, struct gw_journal_work *w); /* without the lock */
void gw_journal_claim(struct gw_journal *j, struct gw_publish_batch *b, struct gw_journal_work *w);
void gw_journal_forget(struct gw_journal *j,
		       struct gw_publish_batch *b); /* it is answered: no batch of ours any more */
/* Under the lock: lanes that are open say so again, before they are forgotten. */
void gw_journal_say_again(struct gw_journal *j, struct gw_journal_work *w);
void gw_journal_give_back(struct gw_journal *j, struct gw_publish_batch *b, struct gw_journal_work *w);
void gw_journal_over(struct gw_journal *j, struct gw_publish_batch *b, const char *problem,
		     struct gw_journal_work *w);
/* A batch whose claim is no good any more: answered, or claimed again. It is in no list. */
void gw_journal_again(struct gw_journal *j, struct gw_publish_batch *b, struct gw_journal_work *w);
void *gw_journal_commit(void *journal);		    /* the committing thread */
bool gw_journal_wait(struct gw_journal *j, int ms); /* under the lock; false: the time is over */

#endif
