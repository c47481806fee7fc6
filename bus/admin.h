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

/* As bus_kafka_each_topic. */
enum bus_err bus_admin_each_topic(const struct bus_kafka_conf *conf, bus_kafka_topic_fn fn, void *ctx,
				  int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

struct bus_topic_state {
	int32_t partitions;
	int32_t replicas; /* of the partition that has fewest */
	int32_t brokers;  /* of the cluster */
};
/* BUS_ENOENT: the topic is not there; brokers is filled all the same. */
enum bus_err bus_admin_topic(const struct bus_kafka_conf *conf, const char *topic,
			     struct bus_topic_state *out, int timeout_ms,
			     struct bus_error *err) BUS_MUSTCHECK;
/* A setting as it holds for the topic, its own or the broker's. BUS_ENOENT: no such setting; BUS_ETOOBIG:
 * over n bytes. */
enum bus_err bus_admin_setting(const struct bus_kafka_conf *conf, const char *topic, const char *name,
			       char *value, size_t n, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
/* Sets one; the topic's own others stay. */
enum bus_err bus_admin_set(const struct bus_kafka_conf *conf, const char *topic, const char *name,
			   const char *value, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

#endif
