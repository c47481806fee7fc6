/* gateway/feed/records.h - topics' records as they are: pages by offset or time, and feeds with one cursor over all
 * partitions; SSE, long poll, NDJSON.
 *
 * Kafka is read by a few threads, each with a consumer of its own that is given the partitions of one question at a
 * time; questions wait in a bounded queue. One thread more looks whether topics with waiting readers have grown.
 * HTTP's threads never touch Kafka. Records are decoded by the schema they were written with, or resolved to a
 * version that the reader names; fields of personal data are masked unless the policy clears them. A record that
 * cannot be given so stands in its place with the reason.
 */
#ifndef GATEWAY_FEED_RECORDS_H
#define GATEWAY_FEED_RECORDS_H

#include "bus/kafka.h"
#include "gateway/serve/api.h"

#define GW_RECORDS_LIMIT_MAX 1000

struct gw_records;

/* kafka is borrowed. BUS_EIO: no thread; BUS_EINVAL: too many. */
enum bus_err gw_records_new(struct gw_api *api, const struct bus_kafka_conf *kafka, int threads,
			    struct gw_records **out, struct bus_error *err) BUS_MUSTCHECK;
/* Answers whoever waits, ends the threads; questions after it are refused. Before HTTP stops. */
void gw_records_stop(struct gw_records *r);
void gw_records_free(struct gw_records **r); /* when every stream is over */
void gw_records_tick(struct gw_records *r);  /* about once a second: heartbeats, revoked grants */

#endif
