/* bus/producer.h - records that are in the log once, in order, or the caller knows they are not.
 *
 * Idempotent, acks=all, no message timeout, a small window (the source is the buffer). Records of one
 * partition are appended in the order of bus_producer_send. `token` numbers the caller's records
 * (monotonic, its own meaning: a line, a row); bus_producer_acked gives the watermark: every record with
 * a token up to it is in the log. A fatal librdkafka error is survived inside: a new handle is opened and
 * everything above the watermark sent again; readers drop what they then see twice by its sequence
 * (titian_seq). Thread: one; delivery reports run inside _send, _poll and _flush.
 */
#ifndef BUS_PRODUCER_H
#define BUS_PRODUCER_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/kafka.h"
#include "bus/wire.h"

struct bus_producer;

struct bus_producer_conf {
	struct bus_kafka_conf kafka;
	const char *transactional_id; /* NULL: none. The registry's fence: each _flush commits. */
	int window; /* most records unacknowledged at a time; 0 = 20,000 (bounded by 16 MiB too) */
};

enum bus_err bus_producer_open(const struct bus_producer_conf *conf, struct bus_producer **out,
			       struct bus_error *err) BUS_MUSTCHECK;
void bus_producer_close(struct bus_producer **p); /* does not flush */

/* Copies key, value (p NULL: tombstone) and headers. Waits (polling) while the window is full, at most
 * timeout_ms: BUS_EFULL. A record too large for the broker: BUS_ETOOBIG, before it is queued. */
enum bus_err bus_producer_send(struct bus_producer *p, const char *topic, int32_t partition,
			       struct bus_str key, const struct bus_str *value,
			       const struct bus_header *header, size_t n_headers, int64_t timestamp_ms,
			       uint64_t token, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
uint64_t bus_producer_acked(struct bus_producer *p); /* 0: nothing yet */
void bus_producer_poll(struct bus_producer *p, int timeout_ms); /* serve delivery reports */
enum bus_err bus_producer_flush(struct bus_producer *p, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

#endif
