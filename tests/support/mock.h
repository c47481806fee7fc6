/* tests/support/mock.h - librdkafka's mock cluster, for tests of what speaks to Kafka. No network but
 * loopback, no Java, ready at once. */
#ifndef TESTS_SUPPORT_MOCK_H
#define TESTS_SUPPORT_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "bus/kafka.h"

struct mock {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	struct bus_kafka_conf kafka;
};

static inline struct mock mock_start(int brokers)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	struct mock m = { 0 };
	char why[256];

	rd_kafka_conf_set(c, "log_level", "0", why, sizeof(why));
	m.rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why));
	if (!m.rk)
		abort();
	m.cluster = rd_kafka_mock_cluster_new(m.rk, brokers);
	if (!m.cluster)
		abort();
	m.kafka = (struct bus_kafka_conf){ .bootstrap = rd_kafka_mock_cluster_bootstraps(m.cluster),
					   .client_id = "test" };
	return m;
}

static inline void mock_stop(struct mock *m)
{
	rd_kafka_mock_cluster_destroy(m->cluster);
	rd_kafka_destroy(m->rk);
}

#endif
