/* gateway/restproxy/proxy.h - what this API keeps between requests: questions about the cluster, which one thread puts
 * to Kafka and answers, and inline schemas that were seen.
 *
 * Bounded: GW_PROXY_QUEUE_MAX questions wait, GW_PROXY_READER_MAX of a reader; one that is beyond it, or has waited too
 * long, is answered 503 (429: too many of one reader).
 * Thread: any.
 */
#ifndef GATEWAY_RESTPROXY_PROXY_H
#define GATEWAY_RESTPROXY_PROXY_H

#include "bus/kafka.h"
#include "gateway/restproxy/rp.h"

#define GW_PROXY_QUEUE_MAX 256
#define GW_PROXY_READER_MAX 16

struct gw_proxy;
struct gw_rp_memo;

/* kafka is borrowed. BUS_EIO: no thread. */
enum bus_err gw_proxy_new(struct gw_api *api, const struct bus_kafka_conf *kafka, struct gw_proxy **out,
			  struct bus_error *err) BUS_MUSTCHECK;
void gw_proxy_stop(struct gw_proxy *p); /* answers who waits, ends the thread. Before HTTP stops */
void gw_proxy_free(struct gw_proxy **p);
struct gw_rp_memo *gw_proxy_memo(struct gw_proxy *p);

/* --- between proxy.c and look.c --- */

enum gw_look {
	GW_LOOK_TOPICS,
	GW_LOOK_TOPIC,
	GW_LOOK_PARTITIONS,
	GW_LOOK_PARTITION,
	GW_LOOK_OFFSETS,
	GW_LOOK_BROKERS
};

struct gw_question { /* about the cluster, of one who may ask it */
	struct gw_question *next;
	enum gw_look what;
	char reader[GW_READER_NAME_MAX];
	char *topic; /* NULL: none */
	int32_t partition;
	int64_t until; /* monotonic ms: not worth asking later */
	struct bus_http_ticket *ticket;
};
struct bus_look;
/* Answers it: on the proxy's thread. False: Kafka did not answer, so that the next one connects anew. */
bool gw_look_answer(struct gw_api *api, struct bus_look *look, const struct gw_question *q);

#endif
