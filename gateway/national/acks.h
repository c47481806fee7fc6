/* gateway/national/acks.h - what mirrors of our views say they have: a topic, followed for ever.
 *
 * One partition, kept for ever: it is evidence of what was handed over. Key: `READER|VIEW`; value: JSON, as it is shown.
 * In memory: the newest of each reader and view, and the last GW_ACKS_RECENT. Every gateway reads the same.
 * Thread: any, but gw_acks_open and gw_acks_write: one thread, and they take seconds.
 */
#ifndef GATEWAY_NATIONAL_ACKS_H
#define GATEWAY_NATIONAL_ACKS_H

#include "bus/kafka.h"
#include "gateway/serve/policy.h"

#define GW_ACKS_RECENT 1000
#define GW_ACKS_PAIRS_MAX 4096 /* readers and views; the newest of further ones are not kept */

struct gw_acks_conf {
	struct bus_kafka_conf kafka; /* borrowed strings */
	const char *topic;
};

struct gw_ack {
	char reader[GW_READER_NAME_MAX];
	char *view;
	char *text; /* JSON */
	char *cursor;
	int64_t seq, ms; /* of the cursor; when it was recorded */
	uint64_t store;	 /* that seq is of */
	bool accepted, different;
};

struct gw_acks *gw_acks_new(const struct gw_acks_conf *conf);
void gw_acks_free(struct gw_acks **a);
/* Makes the topic when it is missing, reads it to its end; no-op when it is followed already. */
enum bus_err gw_acks_open(struct gw_acks *a, struct bus_error *err) BUS_MUSTCHECK;
/* Writes one; waits until it is read back. */
enum bus_err gw_acks_write(struct gw_acks *a, const char *reader, const char *view, struct bus_str text,
			   struct bus_error *err) BUS_MUSTCHECK;
/* Under a lock: fn must not call back; false: stop. */
typedef bool (*gw_ack_fn)(void *ctx, const struct gw_ack *ack);
/* The newest of each reader and view; NULL: of any. False: the topic has not been read. */
bool gw_acks_latest(struct gw_acks *a, const char *reader, const char *view, gw_ack_fn fn, void *ctx);
/* The last ones, newest first. */
bool gw_acks_recent(struct gw_acks *a, gw_ack_fn fn, void *ctx);

#endif
