/* adapters/scan.h - topics read from their beginning to their end, once. Thread: one. */
#ifndef ADAPTERS_SCAN_H
#define ADAPTERS_SCAN_H

#include "bus/consumer.h"

struct adapter_scan {
	const struct bus_kafka_conf *kafka;
	const char *const *topic;
	size_t n;
	/* The end is believed when nothing has come for so long; 0: the end at the time of asking. */
	int settle_ms;
	/* tag: the topic's index. Before any record of the topic; may be NULL. Errors end the scan. */
	enum bus_err (*partitions)(void *ctx, int tag, int32_t n, struct bus_error *err);
	enum bus_err (*record)(void *ctx, int tag, const struct bus_record *r, struct bus_error *err);
	void *ctx;
};

/* *records: how many were read. BUS_ENOENT: a topic is not there; BUS_ESTOPPED: the program stops. */
enum bus_err adapter_scan_run(const struct adapter_scan *s, uint64_t *records,
			      struct bus_error *err) BUS_MUSTCHECK;

#endif
