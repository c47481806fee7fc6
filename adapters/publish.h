/* adapters/publish.h - records on their way to Kafka: numbered, framed, waited for.
 *
 * While Kafka is away or its window is full, adapter_publish waits, says so once, and goes on when it is
 * back; only a stopping program (BUS_ESTOPPED) or an error of ours comes back. A sequence number is used up
 * only by a record that was taken over by the producer. BUS_EFATAL: Kafka refuses for good (a topic is gone,
 * no rights): begin anew with a new publisher and the position from the log. Thread: one.
 */
#ifndef ADAPTERS_PUBLISH_H
#define ADAPTERS_PUBLISH_H

#include "adapters/owner.h"
#include "adapters/stream.h"
#include "bus/error.h"
#include "bus/kafka.h"

struct adapter_publisher;

/* owner: asked before each record, and while waiting; its errors come back. Outlives the publisher. */
enum bus_err adapter_publisher_open(const struct bus_kafka_conf *kafka, struct adapter_owner *owner,
				    struct adapter_publisher **out, struct bus_error *err) BUS_MUSTCHECK;
void adapter_publisher_close(struct adapter_publisher **p); /* does not flush */

/* avro NULL: a tombstone. BUS_ETOOBIG: the broker would not take it; nothing was sent, no number used. */
enum bus_err adapter_publish(struct adapter_publisher *p, struct adapter_topic *t, struct bus_str key,
			     const struct bus_str *avro, int32_t schema_id, const struct adapter_origin *o,
			     struct bus_error *err) BUS_MUSTCHECK;
/* Until every record is in the log, or the program stops (then 10 s more, and BUS_ESTOPPED). */
enum bus_err adapter_publisher_flush(struct adapter_publisher *p, struct bus_error *err) BUS_MUSTCHECK;
void adapter_publisher_poll(struct adapter_publisher *p); /* serves delivery reports; does not wait */
/* How many records were handed over by now, and up to which of them all are in the log. */
uint64_t adapter_publisher_sent(const struct adapter_publisher *p);
uint64_t adapter_publisher_acked(struct adapter_publisher *p);

#endif
