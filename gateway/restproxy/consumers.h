/* gateway/restproxy/consumers.h - REST Proxy's consumers (v2): their state on Kafka (state.h), so that any gateway serves
 * any request of any of them.
 *
 * HTTP's threads only take a request down; a few threads with a Kafka consumer each do it. A request first awaits a
 * barrier: it sees whatever was answered before it, on whichever gateway. What it changes is written and read back
 * before it is answered. A request for records that finds none gives its thread up to whoever waits for one, and comes
 * back when there are some.
 *
 * Bounded: instances, requests that wait, bytes read ahead, bytes of an answer and of all answers under way.
 */
#ifndef GATEWAY_RESTPROXY_CONSUMERS_H
#define GATEWAY_RESTPROXY_CONSUMERS_H

#include "bus/kafka.h"
#include "gateway/serve/api.h"

struct gw_consumers;

struct gw_consumers_conf { /* what it points to is borrowed as long as the consumers are */
	struct bus_kafka_conf kafka;
	const char *topic;	    /* of their state; made when missing */
	const char *base;	    /* URL of base_uri, without a slash at its end */
	int64_t live_ms;	    /* an instance not heard of for so long is over */
	int threads;		    /* 1 to GW_CONSUMERS_THREADS_MAX */
	int64_t memory;		    /* bytes read ahead; and again of answers under way */
	int64_t max_bytes;	    /* of keys and values in an answer, unless less is asked for */
	int64_t writes;		    /* bytes of state that a reader's requests may write in a minute */
	int64_t per_reader, in_all; /* instances */
};

#define GW_CONSUMERS_THREADS_MAX 16

enum bus_err gw_consumers_open(struct gw_api *api, const struct gw_consumers_conf *conf,
			       struct gw_consumers **out, struct bus_error *err) BUS_MUSTCHECK;
/* Answers whoever waits, ends the threads; requests after it are refused. Before HTTP stops. */
void gw_consumers_stop(struct gw_consumers *c);
void gw_consumers_free(struct gw_consumers **c); /* when no request is open */
void gw_consumers_tick(struct gw_consumers *c);	 /* about once a second */

/* handlers */
void gw_rp_consumer_create(void *api, struct bus_http_request *req);
void gw_rp_consumer_delete(void *api, struct bus_http_request *req);
void gw_rp_subscribe(void *api, struct bus_http_request *req);
void gw_rp_subscription(void *api, struct bus_http_request *req);
void gw_rp_unsubscribe(void *api, struct bus_http_request *req);
void gw_rp_assign(void *api, struct bus_http_request *req);
void gw_rp_assignments(void *api, struct bus_http_request *req);
void gw_rp_seek(void *api, struct bus_http_request *req);
void gw_rp_seek_beginning(void *api, struct bus_http_request *req);
void gw_rp_seek_end(void *api, struct bus_http_request *req);
void gw_rp_records(void *api, struct bus_http_request *req);
void gw_rp_commit(void *api, struct bus_http_request *req);
void gw_rp_committed(void *api, struct bus_http_request *req);

#endif
