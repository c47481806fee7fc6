#include "bus/clock.h"
#include "bus/log.h"
#include "bus/producer.h"
#include "schemas/registry/registry.h"

#define LEAVE_MS 5000

/* Ours are transactions, and what ends one (its marker) takes an offset that no consumer is given. Karapace
 * waits until it has read the record at the topic's last offset (schema_reader.py, _is_ready): for ever, if
 * that is a marker. So a writer that leaves puts a record behind it, outside of transactions. Its magic is 1:
 * under Confluent's own NOOP key, compaction would drop ours that keeps the highest ids. */
void schema_writer_leave(const struct bus_kafka_conf *kafka, const char *topic)
{
	struct bus_producer_conf conf = { .kafka = *kafka };
	struct bus_producer *p = NULL;
	struct bus_str key = bus_str("{\"keytype\":\"NOOP\",\"magic\":1}"), none = { NULL, 0 };
	struct bus_error err;
	enum bus_err rc = bus_producer_open(&conf, &p, &err);

	if (rc == BUS_OK)
		rc = bus_producer_send(p, topic, 0, key, &none, NULL, 0, bus_clock_ms(), 1, LEAVE_MS, &err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(p, LEAVE_MS, &err);
	if (rc != BUS_OK)
		bus_log(BUS_LOG_WARN, "registry.leave", LOG_STR("topic", topic), LOG_ERR(&err));
	bus_producer_close(&p);
}
