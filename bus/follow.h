/* bus/follow.h - a topic of one partition, read from its beginning and for ever: the reading half of a
 * replica.
 *
 * bus_follow_open returns when the topic has been read to the end it had then; from there a thread of its own
 * goes on. Records are handed over in order, each once. Trouble with the topic (cut, made anew, a damaged
 * batch) is logged (`follow.stuck`) and tried again every second from where it stood; people must mend it.
 *
 * Thread: any, but for the two callbacks: they run on the opener's thread inside bus_follow_open and on the
 * follower's own afterwards, never two at a time; they must not call back into here but for bus_follow_next.
 */
#ifndef BUS_FOLLOW_H
#define BUS_FOLLOW_H

#include "bus/consumer.h"

struct bus_follow;

struct bus_follow_conf {
	struct bus_kafka_conf kafka;
	const char *topic;						       /* copied */
	int64_t queue_bytes;						       /* 0 = 4 MiB */
	void (*records)(void *ctx, const struct bus_record *record, size_t n); /* n > 0 */
	void (*moved)(void *ctx); /* after them, when bus_follow_next has grown; may be NULL */
	void *ctx;
	/* Opening ends within 5 s of its becoming true. NULL: it takes the time it was given. */
	const _Atomic bool *stop;
};

/* BUS_ENOENT: no such topic. BUS_EINVAL: it has several partitions. BUS_ETIMEOUT: not read within timeout_ms.
 * BUS_ESTOPPED: conf->stop.
 */
enum bus_err bus_follow_open(const struct bus_follow_conf *conf, int timeout_ms, struct bus_follow **out,
			     struct bus_error *err) BUS_MUSTCHECK;
void bus_follow_close(struct bus_follow **f); /* no callback runs afterwards */

/* Waits until the record at `offset` has been handed over: BUS_OK or BUS_ETIMEOUT. */
enum bus_err bus_follow_wait(struct bus_follow *f, int64_t offset, int timeout_ms,
			     struct bus_error *err) BUS_MUSTCHECK;
/* Waits until everything that is in the topic now has been (asks the broker for its end). A transaction's end
 * may show a moment after its commit; opening the next producer of that id settles it first. */
enum bus_err bus_follow_catch_up(struct bus_follow *f, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
int64_t bus_follow_next(struct bus_follow *f); /* one past the last record handed over */
/* False while the topic could not be read within the last seconds: readiness. */
bool bus_follow_healthy(struct bus_follow *f);

#endif
