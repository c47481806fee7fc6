/* bus/consumer.h - records of assigned partitions from offsets that the caller owns.
 *
 * No group, no commit, auto.offset.reset=error: a topic cut or made anew under the reader is reported
 * (BUS_ECONFLICT, with topic and partition), never skipped. read_committed, check.crcs. The local queue
 * is bounded by bytes. Thread: one.
 *
 * A partition that fails (cut, gone, a batch whose checksum is wrong) gives no more records: its error is
 * returned by one _poll, after the records that came before it; it is read again after a new _assign.
 */
#ifndef BUS_CONSUMER_H
#define BUS_CONSUMER_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/kafka.h"
#include "bus/wire.h"

#define BUS_OFFSET_BEGIN INT64_C(-2)

struct bus_record { /* borrowed until the next bus_consumer_poll */
	const char *topic;
	int32_t partition;
	int64_t offset;
	int64_t timestamp_ms;
	struct bus_str key; /* p NULL: no key */
	struct bus_str value;
	bool tombstone; /* value is null */
	const struct bus_header *header;
	size_t n_headers;
	int slot; /* what bus_consumer_assign gave for this partition */
};

struct bus_consumer;

struct bus_consumer_conf {
	struct bus_kafka_conf kafka;
	int64_t queue_bytes; /* most bytes fetched ahead, one fetch more at most; 0 = 16 MiB */
	int fetch_wait_ms;   /* how long a question may wait behind an idle fetch; 0 = 250 */
};

enum bus_err bus_consumer_open(const struct bus_consumer_conf *conf, struct bus_consumer **out,
			       struct bus_error *err) BUS_MUSTCHECK;
void bus_consumer_close(struct bus_consumer **c);

/* Adds a partition, to be read from offset (or BUS_OFFSET_BEGIN). slot is the caller's number for it. A
 * partition that is assigned already starts again from offset. A topic that is not there is told by
 * _poll; the partition must be one of bus_consumer_partitions(). */
enum bus_err bus_consumer_assign(struct bus_consumer *c, const char *topic, int32_t partition, int64_t offset,
				 int slot, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err bus_consumer_unassign(struct bus_consumer *c, const char *topic, int32_t partition,
				   struct bus_error *err) BUS_MUSTCHECK;

/* Up to max records, waiting at most timeout_ms for the first. *n may be 0. Connection trouble is waited
 * out inside (and logged); what comes back as an error needs the caller: BUS_ECONFLICT (offset or topic is
 * not there any more), BUS_EDENIED, BUS_EDATA (damaged at the broker), each naming topic and partition. */
enum bus_err bus_consumer_poll(struct bus_consumer *c, struct bus_record *out, size_t max, size_t *n,
			       int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

/* Where the reader will go on: one past the last record handed out, control records (transaction markers)
 * passed over once the end is reached. Equal to _bounds' end: all is read, on a topic with transactions too.
 * BUS_OFFSET_BEGIN until something is known; BUS_ENOENT: not assigned. */
enum bus_err bus_consumer_position(struct bus_consumer *c, const char *topic, int32_t partition,
				   int64_t *next, struct bus_error *err) BUS_MUSTCHECK;
/* First and one-past-last offset at the broker (read_committed: last stable offset). */
enum bus_err bus_consumer_bounds(struct bus_consumer *c, const char *topic, int32_t partition, int64_t *begin,
				 int64_t *end, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
/* The first record with a timestamp of at_ms or later; one past the last record when there is none, or at_ms is
 * BUS_TIME_END. */
#define BUS_TIME_END INT64_C(-1)
enum bus_err bus_consumer_at_time(struct bus_consumer *c, const char *topic, int32_t partition, int64_t at_ms,
				  int64_t *offset, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
/* One past the last record as the last fetch told it: no question to the broker, which would wait behind a
 * fetch that waits for data (up to fetch.wait.max.ms a question). BUS_ENOENT: nothing fetched yet. */
enum bus_err bus_consumer_end(struct bus_consumer *c, const char *topic, int32_t partition,
			      int64_t *end) BUS_MUSTCHECK;
enum bus_err bus_consumer_cluster_id(struct bus_consumer *c, char *out, size_t n, int timeout_ms,
				     struct bus_error *err) BUS_MUSTCHECK;
enum bus_err bus_consumer_partitions(struct bus_consumer *c, const char *topic, int32_t *n, int timeout_ms,
				     struct bus_error *err) BUS_MUSTCHECK; /* BUS_ENOENT */

#endif
