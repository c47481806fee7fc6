/* adapters/care/beat.h - tells the bus how this adapter is doing, so that the city sees a line per department.
 *
 * A thread of its own with a producer of its own sends a record (word.h) to the compacted topic `pku.<opd>.adapter.v1`: at
 * once when it begins, then every so often, and a last one when the program stops in order. At most one is on its
 * way. Whatever goes wrong (no topic yet, no schema, no right, Kafka away) is told once and concerns no data.
 */
#ifndef ADAPTERS_CARE_BEAT_H
#define ADAPTERS_CARE_BEAT_H

#include "bus/kafka.h"
#include "schemas/store/store.h"

#define ADAPTER_BEAT_LEAST_MS 1000
#define ADAPTER_BEAT_MOST_MS 3600000

struct adapter_beat;

struct adapter_beat_conf { /* what it points to lives as long as the beat */
	struct bus_kafka_conf kafka;
	struct schema_store *store;
	const char *opd, *drop_dir;
	int64_t every_ms;  /* ADAPTER_BEAT_LEAST_MS to _MOST_MS */
	int64_t began_ms;  /* of the program */
	int64_t spool_max; /* bytes; 0: no spool */
};

struct adapter_beat *adapter_beat_start(const struct adapter_beat_conf *conf);
/* in_order: says so, waiting at most 10 s for Kafka. */
void adapter_beat_stop(struct adapter_beat **b, bool in_order);

#endif
