/* bus/producer.h - records that are in the log once, in order, or the caller knows they are not.
 *
 * Idempotent, acks=all, no message timeout, a small window (the source is the buffer). Records of one
 * partition are appended in the order of bus_producer_send. `token` numbers the caller's records
 * (ascending, its own meaning: a line, a row); bus_producer_acked gives the watermark: every record with
 * a token up to it is in the log. A fatal librdkafka error is survived inside: a new handle is opened and
 * everything above the watermark sent again (log `kafka.producer_replaced`); readers drop what they then see
 * twice by its sequence (titian_seq).
 *
 * A record that the broker will never take (no such topic, no right, too large for the topic) ends the
 * producer: from then on every call returns that error, and only what is under the watermark is in the log.
 *
 * With a transactional id each _flush commits what was sent since the last one, and the watermark moves then
 * only (readers see the records a moment later). BUS_EKAFKA from _send or _flush: aborted, nothing of it is
 * in the log, send it again. BUS_EFATAL: fenced by a newer producer of that id, or the outcome is not known:
 * close, open anew (which settles it), read the log to see. Reason: librdkafka's EndTxn may time out and hit
 * a later transaction.
 *
 * Thread: one; delivery reports run inside _send, _poll and _flush.
 */
#ifndef BUS_PRODUCER_H
#define BUS_PRODUCER_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/kafka.h"
#include "bus/wire.h"

struct bus_producer;

struct bus_producer_conf { /* what it points to must live as long as the producer */
	struct bus_kafka_conf kafka;
	const char *transactional_id; /* NULL: none. The registry's fence: each _flush commits. */
	int window; /* most records unacknowledged at a time; 0 = 20,000 (bounded by 16 MiB too) */
};

/* With a transactional id waits up to 15 s for the broker, and fences older producers of that id. */
enum bus_err bus_producer_open(const struct bus_producer_conf *conf, struct bus_producer **out,
			       struct bus_error *err) BUS_MUSTCHECK;
void bus_producer_close(struct bus_producer **p); /* does not flush */

/* Copies key, value (p NULL: tombstone) and headers. Waits (polling) while the window is full, at most
 * timeout_ms: BUS_EFULL. partition -1: by murmur2 of the key, as Java's client. A record too large for the
 * broker: BUS_ETOOBIG, before it is queued. */
enum bus_err bus_producer_send(struct bus_producer *p, const char *topic, int32_t partition,
			       struct bus_str key, const struct bus_str *value,
			       const struct bus_header *header, size_t n_headers, int64_t timestamp_ms,
			       uint64_t token, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
uint64_t bus_producer_acked(struct bus_producer *p); /* 0: nothing yet */
/* Offset of the record acknowledged last; -1: none. Means something while one partition is written. */
int64_t bus_producer_offset(const struct bus_producer *p);
void bus_producer_poll(struct bus_producer *p, int timeout_ms); /* serve delivery reports */
/* Until everything is acknowledged: BUS_ETIMEOUT leaves the rest queued. */
enum bus_err bus_producer_flush(struct bus_producer *p, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

/* --- for bus/producer.c and its test --- */
struct rd_kafka_s;
struct rd_kafka_s *bus_producer_handle(struct bus_producer *p); /* borrowed until the next call */

#endif
