/* bus/consumer_group.h - offsets that consumer groups committed to Kafka (__consumer_offsets), read and written by one
 * who is no member; and which topics there are.
 *
 * One handle serves every group (KIP-396). Kafka lets offsets be written while the group has no members of its own:
 * BUS_ECONFLICT else. A group that moves to another broker is asked for again until it is found.
 * Thread: any, several at a time; calls wait for the broker, at most timeout_ms.
 */
#ifndef BUS_CONSUMER_GROUP_H
#define BUS_CONSUMER_GROUP_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/kafka.h"

struct bus_group_offset {
	const char *topic; /* borrowed from the caller */
	int32_t partition;
	int64_t offset; /* of the record to be read next; -1: none was committed */
};

struct bus_groups;

enum bus_err bus_groups_open(const struct bus_kafka_conf *conf, struct bus_groups **out,
			     struct bus_error *err) BUS_MUSTCHECK;
void bus_groups_close(struct bus_groups **g);

enum bus_err bus_groups_commit(struct bus_groups *g, const char *group, const struct bus_group_offset *o,
			       size_t n, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
/* Fills offset of each. */
enum bus_err bus_groups_committed(struct bus_groups *g, const char *group, struct bus_group_offset *o,
				  size_t n, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
/* As bus_kafka_each_topic. */
enum bus_err bus_groups_each_topic(struct bus_groups *g, bus_kafka_topic_fn fn, void *ctx, int timeout_ms,
				   struct bus_error *err) BUS_MUSTCHECK;

#endif
