/* bus/sender.h - records sent to Kafka, each with an answer: where it lies, or why it does not.
 *
 * Idempotent, acks=all. Unlike bus/producer.h nothing is sent again behind the caller's back when a handle dies:
 * what was on its way then is answered BUS_EFATAL (it may be in the log all the same), and the caller opens anew.
 *
 * With a transactional id: open waits for Kafka and fences older senders of that id; what they had begun is undone or
 * done when it returns. Then begin, sends, commit or abort, on one thread. BUS_EFATAL from any of them: fenced, or the
 * outcome of a commit is not known: close, open anew (which settles it), read the log to see. Reason: an EndTxn that
 * timed out may hit a later transaction of the same epoch.
 *
 * Thread: _send from any (without a transaction); everything else from one. Answers come inside _poll, _commit, _abort
 * and _close, on that thread.
 */
#ifndef BUS_SENDER_H
#define BUS_SENDER_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/kafka.h"
#include "bus/wire.h"

struct bus_sender;

struct bus_sent { /* a record's answer */
	enum bus_err
	    rc; /* BUS_OK; BUS_EFATAL: not known; BUS_ENOENT, _EDENIED, _ETOOBIG: not for this topic */
	const char *why; /* unless BUS_OK; static text */
	int32_t partition;
	int64_t offset;
};

struct bus_sender_conf { /* what it points to must live as long as the sender */
	struct bus_kafka_conf kafka;
	const char *transactional_id; /* NULL: none */
	int linger_ms;		      /* how long a record waits for company */
	int timeout_ms; /* a record that Kafka has not taken by then is answered BUS_ETIMEOUT; it may be in the log */
	void (*sent)(void *ctx, void *record, const struct bus_sent *answer);
	void *ctx;
};

enum bus_err bus_sender_open(const struct bus_sender_conf *conf, struct bus_sender **out,
			     struct bus_error *err) BUS_MUSTCHECK;
/* Answers what is on its way BUS_EFATAL. */
void bus_sender_close(struct bus_sender **s);

/* How many partitions the topic has, as Kafka says; waits for it. BUS_ENOENT: there is no such topic. */
enum bus_err bus_sender_partitions(struct bus_sender *s, const char *topic, int timeout_ms, int32_t *n,
				   struct bus_error *err) BUS_MUSTCHECK;
/* Copies key (p NULL: none), value (NULL: tombstone) and headers. partition -1: by murmur2 of the key, as Java's
 * client. On BUS_OK exactly one answer will come with `record`; else none: BUS_EFULL, BUS_ETOOBIG, BUS_EFATAL... */
enum bus_err bus_sender_send(struct bus_sender *s, const char *topic, int32_t partition, struct bus_str key,
			     const struct bus_str *value, const struct bus_header *header, size_t n_headers,
			     int64_t timestamp_ms, void *record, struct bus_error *err) BUS_MUSTCHECK;
void bus_sender_flush(struct bus_sender *s, int timeout_ms); /* until all is answered, or the time is over */
void bus_sender_poll(struct bus_sender *s, int timeout_ms);  /* serves answers, waiting for the first */
bool bus_sender_dead(const struct bus_sender *s);	     /* open anew */

/* After the last _send of some: waits until all is answered, at most timeout_ms. */
void bus_sender_settle(struct bus_sender *s, int timeout_ms);
enum bus_err bus_sender_begin(struct bus_sender *s, struct bus_error *err) BUS_MUSTCHECK;
/* BUS_EKAFKA: nothing of it is in the log, and it has been aborted. */
enum bus_err bus_sender_commit(struct bus_sender *s, struct bus_error *err) BUS_MUSTCHECK;
/* What was sent is not in the log for readers of what is committed. */
enum bus_err bus_sender_abort(struct bus_sender *s, struct bus_error *err) BUS_MUSTCHECK;

#endif
