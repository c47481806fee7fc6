/* bus/admin.h - topics: make them, look at them. Thread: any, one call at a time; each call connects. */
#ifndef BUS_ADMIN_H
#define BUS_ADMIN_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/kafka.h"

struct bus_topic_spec {
	const char *name;
	int32_t partitions;
	int32_t replication;
	const char *const *config; /* "key=value" strings, NULL-ended; may be NULL */
};

/* Makes what is missing; what is there stays as it is. *created counts. Waits until a leader answers. */
enum bus_err bus_admin_create_topics(const struct bus_kafka_conf *conf, const struct bus_topic_spec *topic,
				     size_t n, size_t *created, int timeout_ms,
				     struct bus_error *err) BUS_MUSTCHECK;

/* Partitions of the topic; BUS_ENOENT when it is not there. cluster_id: 64 bytes, may be NULL. */
enum bus_err bus_admin_partitions(const struct bus_kafka_conf *conf, const char *topic, int32_t *partitions,
				  char *cluster_id, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

/* Every topic of the cluster, internal ones too, in no order. */
enum bus_err bus_admin_each_topic(const struct bus_kafka_conf *conf,
				  void (*fn)(void *ctx, const char *topic, int32_t partitions), void *ctx,
				  int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

#endif
