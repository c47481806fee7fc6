/* gateway/restproxy/log_impl.h - inside the topic of consumers: log.c has it as a whole and reads it, write.c writes. */
#ifndef GATEWAY_RESTPROXY_LOG_IMPL_H
#define GATEWAY_RESTPROXY_LOG_IMPL_H

#include "bus/follow.h"
#include "bus/sender.h"
#include "gateway/restproxy/log.h"

#define GW_RP_LOG_SEND_MS 8000

struct gw_rp_pending { /* a write that is waited for */
	uint64_t write;
	enum { WAITS, TAKEN, VOID, FAILED } state;
	struct gw_rp_pending *next;
};

struct gw_rp_log {
	struct gw_rp_log_conf conf;
	char *topic;
	uint64_t node;
	struct bus_follow *follow;

	pthread_mutex_t lock; /* all that follows */
	pthread_cond_t moved;
	struct gw_rp_state *state;
	struct gw_rp_pending *pending;
	uint64_t barrier_sent, barrier_read;
	bool barrier_failed;
	_Atomic bool stop;  /* set under the lock */
	_Atomic bool ready; /* follow and sender are there */
	bool hopeless;	    /* until people mend something */

	pthread_rwlock_t sender_lock; /* sent to under a read lock, replaced under the other */
	struct bus_sender *sender;
	pthread_t thread;
	bool runs;
};

/* Under the lock. False: the time is over. */
bool gw_rp_log_wait_until(struct gw_rp_log *l, int64_t mono_ms);
void gw_rp_log_sent(void *log, void *record, const struct bus_sent *answer); /* of the producer */

#endif
