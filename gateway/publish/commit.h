/* gateway/publish/commit.h - between commit.c (what waits goes into transactions) and lane.c (the producer they are of).
 * On a lane's thread. */
#ifndef GATEWAY_PUBLISH_COMMIT_H
#define GATEWAY_PUBLISH_COMMIT_H

#include "gateway/publish/journal.h"

#define GW_COMMIT_RECORD_MS 10000 /* that Kafka has for a record, and for a transaction whose gateway died */

struct gw_commit { /* what one lane is at */
	struct gw_lane *lane;
	struct gw_journal *j;
	struct gw_batch_list group;
	bool lost; /* whether the last transaction was committed is not known */
};

struct gw_dead { /* somebody's incarnation, of a gateway that answers no more */
	bool take;
	uint8_t who[GW_PUBLISH_KEY_LEN];
	char id[GW_CLAIM_ID_MAX + 1];
};

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
