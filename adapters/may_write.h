/* adapters/may_write.h - may we write to a topic? Asked without leaving anything there.
 *
 * Kafka tells that right only to who makes use of it. A compacted topic takes no record without a key, and a broker looks at the
 * right before it looks at the record: one without a key is turned away either for its writer's sake or for its own. Other
 * topics would take it, and are not asked. Thread: one; waits for Kafka, at most timeout_ms for each of two questions.
 */
#ifndef ADAPTERS_MAY_WRITE_H
#define ADAPTERS_MAY_WRITE_H

#include <stdbool.h>

#include "bus/kafka.h"

/* *asked false, with BUS_OK: the topic is not compacted, or whether it is may not be known to us. BUS_EDENIED: no. */
enum bus_err adapter_may_write(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			       bool *asked, struct bus_error *err) BUS_MUSTCHECK;

#endif
