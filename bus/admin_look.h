/* bus/admin_look.h - what a cluster looks like now: topics, partitions, replicas, settings, offsets. One handle that
 * stays open, for who asks often (bus/admin.h connects each time).
 *
 * Asking about a topic never makes it. Thread: one at a time; each call waits for Kafka, at most timeout_ms.
 */
#ifndef BUS_ADMIN_LOOK_H
#define BUS_ADMIN_LOOK_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/kafka.h"

struct bus_look;

enum bus_err bus_look_open(const struct bus_kafka_conf *conf, struct bus_look **out,
			   struct bus_error *err) BUS_MUSTCHECK;
void bus_look_close(struct bus_look **l);

/* As bus_kafka_each_topic. */
enum bus_err bus_look_each_topic(struct bus_look *l, bus_kafka_topic_fn fn, void *ctx, int timeout_ms,
				 struct bus_error *err) BUS_MUSTCHECK;
/* Every broker's id, in no order. */
enum bus_err bus_look_each_broker(struct bus_look *l, void (*fn)(void *ctx, int32_t id), void *ctx,
				  int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

struct bus_look_partition {		  /* borrowed for the call */
	int32_t id, leader;		  /* leader -1: none */
	const int32_t *replica, *in_sync; /* ids of brokers */
	size_t n_replicas, n_in_sync;
};
/* Its partitions, in no order. BUS_ENOENT: no such topic. */
enum bus_err bus_look_topic(struct bus_look *l, const char *topic,
			    void (*partition)(void *ctx, const struct bus_look_partition *p), void *ctx,
			    int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
/* Its settings as they hold; value NULL: secret. */
enum bus_err bus_look_settings(struct bus_look *l, const char *topic,
			       void (*setting)(void *ctx, const char *name, const char *value), void *ctx,
			       int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
/* The first offset that is kept, and one past the last. */
enum bus_err bus_look_offsets(struct bus_look *l, const char *topic, int32_t partition, int64_t *first,
			      int64_t *end, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

#endif
