/* gateway/restproxy/log.h - the topic of consumers: followed, written, waited for.
 *
 * A write is answered once it has been read back: it is true then for every gateway, or it was void. A barrier is a
 * record of no meaning: read back, everything that was acknowledged anywhere before it was asked for has been read. Those
 * who ask at a time share one.
 *
 * It opens on a thread of its own, as long as it takes: trouble is logged and tried again, and until gw_rp_log_ready nothing
 * is asked of it. Threads: any; its own takes the producer's answers then, the follower's reads the state.
 */
#ifndef GATEWAY_RESTPROXY_LOG_H
#define GATEWAY_RESTPROXY_LOG_H

#include <pthread.h>

#include "bus/kafka.h"
#include "gateway/restproxy/state.h"

struct gw_rp_log_conf { /* copied, but for what kafka points to */
	struct bus_kafka_conf kafka;
	const char *topic; /* made when missing */
	int64_t live_ms;   /* how long an instance lives that is not heard of */
};

struct gw_rp_log;

/* Waits wait_ms at most for it to be ready, unless people must mend it; fails only where there can be no thread. */
enum bus_err gw_rp_log_open(const struct gw_rp_log_conf *conf, int wait_ms, struct gw_rp_log **out,
			    struct bus_error *err) BUS_MUSTCHECK;
void gw_rp_log_stop(struct gw_rp_log *l); /* who waits is told BUS_ESTOPPED */
void gw_rp_log_free(struct gw_rp_log **l);
bool gw_rp_log_ready(const struct gw_rp_log *l);
uint64_t gw_rp_log_node(const struct gw_rp_log *l); /* this gateway, this start of it */

enum bus_err gw_rp_log_barrier(struct gw_rp_log *l, struct bus_error *err) BUS_MUSTCHECK;
/* BUS_ECONFLICT: void, somebody was faster. BUS_ETIMEOUT: not known; read on. bytes: of the record, sent or not. */
enum bus_err gw_rp_log_write(struct gw_rp_log *l, const struct gw_rp_instance *i, size_t *bytes,
			     struct bus_error *err) BUS_MUSTCHECK;
/* Not waited for, and does not block. */
void gw_rp_log_confirm(struct gw_rp_log *l, const uint8_t id[GW_RP_ID_LEN], uint64_t seq, bool given);
/* Ends those not heard of for too long, and forgets those that ended. Not waited for. About once a second. */
void gw_rp_log_sweep(struct gw_rp_log *l);

/* The state, for as long as it is locked. */
struct gw_rp_state *gw_rp_log_lock(struct gw_rp_log *l);
void gw_rp_log_unlock(struct gw_rp_log *l);
void gw_rp_log_wait(struct gw_rp_log *l, int ms); /* locked: until something was read */

#endif
