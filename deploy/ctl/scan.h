/* deploy/ctl/scan.h - reading a topic's records with their schemas, from the log itself: the registry may be
 * down. One thread. */
#ifndef DEPLOY_CTL_SCAN_H
#define DEPLOY_CTL_SCAN_H

#include "bus/consumer.h"
#include "schemas/avro/read.h"

/* One record. plan and avro are set when the value is a frame with a known schema; else why says what is
 * wrong (NULL for a tombstone). False: enough. */
typedef bool (*ctl_scan_fn)(void *ctx, const struct bus_record *r, int32_t schema_id,
			    const struct schema_plan *plan, struct bus_str avro, const char *why);

/* Calls fn with the records that stand in the topic now, partition by partition; the last n of each partition
 * (n 0: all). BUS_ENOENT: no such topic. */
enum bus_err ctl_scan(const struct bus_kafka_conf *kafka, const char *topic, int64_t n, ctl_scan_fn fn,
		      void *ctx, struct bus_error *err) BUS_MUSTCHECK;

#endif
