/* gateway/restproxy/change.h - requests of consumers as a worker does them: each answers job, or parks it. */
#ifndef GATEWAY_RESTPROXY_CHANGE_H
#define GATEWAY_RESTPROXY_CHANGE_H

#include "gateway/restproxy/consume.h"

void gw_rp_do_create(struct gw_rp_worker *w, struct gw_rp_job *job); /* create.c */
void gw_rp_do_delete(struct gw_rp_worker *w, struct gw_rp_job *job);
void gw_rp_do_subscribe(struct gw_rp_worker *w, struct gw_rp_job *job); /* subscribe.c */
void gw_rp_do_unsubscribe(struct gw_rp_worker *w, struct gw_rp_job *job);
void gw_rp_do_subscription(struct gw_rp_worker *w, struct gw_rp_job *job);
void gw_rp_do_assign(struct gw_rp_worker *w, struct gw_rp_job *job); /* assign.c */
void gw_rp_do_assignments(struct gw_rp_worker *w, struct gw_rp_job *job);
void gw_rp_do_seek(struct gw_rp_worker *w, struct gw_rp_job *job); /* seek.c */
void gw_rp_do_seek_beginning(struct gw_rp_worker *w, struct gw_rp_job *job);
void gw_rp_do_seek_end(struct gw_rp_worker *w, struct gw_rp_job *job);
void gw_rp_do_records(struct gw_rp_worker *w, struct gw_rp_job *job); /* records.c */
void gw_rp_do_commit(struct gw_rp_worker *w, struct gw_rp_job *job);  /* commit.c */
void gw_rp_do_committed(struct gw_rp_worker *w, struct gw_rp_job *job);

/* The consumer must choose one way. */
#define GW_RP_ONE_WAY                                                                                        \
	"You must choose only one way to configure your consumer: (1) subscribe to specific topics by "      \
	"name, "                                                                                             \
	"(2) subscribe to topics matching a regex pattern, (3) assign itself specific topic-partitions."
/* The consumer of that format may read the topic, or it is answered why not. What it may not read is not there; what it
 * might have to see masked is not given as bytes. */
bool gw_rp_may_read(struct gw_rp_job *job, const struct gw_rp_instance *i, const char *topic);

/* The error with the topic that was named, unless that is personal. */
void gw_rp_say_topic(struct gw_rp_job *job, int error_code, const char *topic);

/* {"NAME": [{"topic", "partition", NUMBER}]} of the body into out's places, NUMBER as next; number NULL: none. Nothing
 * when the member is missing. False: answered 422. */
bool gw_rp_read_places(struct gw_rp_job *job, const char *name, const char *number,
		       struct gw_rp_instance *out);

#endif
