/* tests/bench/raw.h - what the two that measure plain librdkafka share: its settings, the clock, and giving up. */
#ifndef TESTS_BENCH_RAW_H
#define TESTS_BENCH_RAW_H

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void die(const char *what, const char *why)
{
	fprintf(stderr, "plain librdkafka: %s: %s\n", what, why);
	exit(1);
}

static inline void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char why[200];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
		die(name, why);
}

static inline rd_kafka_t *start(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char why[200];
	rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));

	if (!rk)
		die("settings", why);
	if (type == RD_KAFKA_CONSUMER)
		rd_kafka_poll_set_consumer(rk);
	return rk;
}

static inline double now(void) /* s */
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
