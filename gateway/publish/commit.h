/* gateway/publish/commit.h - between commit.c (what waits goes into transactions) and lane.c (the producer they are of).
 * On a lane's thread. */
#ifndef GATEWAY_PUBLISH_COMMIT_H
#define GATEWAY_PUBLISH_COMMIT_H

#include "gateway/publish/journal.h"

#define GW_COMMIT_RECORD_MS 10000 /* that Kafka has for a record, and for a transaction whose gateway died */

#define GW_COMMIT_SIZES 32

struct gw_commit { /* what one lane is at */
	struct gw_lane *lane;
	struct gw_journal *j;
	struct gw_batch_list group;
	struct gw_batch_list
	    rest; /* the group before it, without who made it fail: next, before all others */
	struct gw_topic_size {
		char topic[GW_PUBLISH_TOPIC_MAX + 1];
		int32_t partitions;
		int64_t at_ms;	 /* monotonic */
	} size[GW_COMMIT_SIZES]; /* of topics whose partitions were asked for */
	size_t n_sizes;
	bool lost; /* whether the last transaction was committed is not known */
};

struct gw_dead { /* somebody's incarnation, of a gateway that answers no more */
	bool take;
	uint8_t who[GW_PUBLISH_KEY_LEN];
	char id[GW_CLAIM_ID_MAX + 1];
};

/* group.c: of the group, records for a partition that is not there are refused; batches that have no others leave it. */
void gw_commit_check_partitions(struct gw_commit *k);
/* What is ready, as much as one transaction takes, into the group: either of suspects or of others. Under the lock. */
void gw_commit_take_group(struct gw_commit *k, struct gw_journal_work *w);
/* Nothing of the group is in the log: who can goes into the next one. True: who made it fail is known, so that the rest
 * need not wait for better times. */
bool gw_commit_begin_again(struct gw_commit *k);
bool gw_commit_stopping(struct gw_journal *j);
void gw_commit_pause(struct gw_journal *j, int ms); /* or until something moves */
/* A record that Kafka will never take; others may be sent again. */
bool gw_commit_for_good(const struct gw_publish_record *r);
enum bus_err gw_commit_read_answers(struct gw_journal *j,
				    struct bus_error *err) BUS_MUSTCHECK; /* all there are by now */
/* Until the producer is open and everybody knows, or we stop; then the group is answered or waits again. */
void gw_commit_reopen(struct gw_commit *k);
void gw_commit_find_dead(struct gw_journal *j, struct gw_dead *d); /* under the lock */
void gw_commit_take_over(struct gw_lane *lane, const struct gw_dead *d);

#endif
