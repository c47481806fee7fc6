#include "adapters/publish.h"

#include "adapters/care/figures.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"
#include "bus/producer.h"

#define WINDOW 3000 /* records on their way: enough for 250,000 a second at 12 ms, and 4 MB */
#define TRY_MS 500
#define STOP_MS 10000
#define TELL_MS 3000 /* a window that is full for less is just a fast file */

struct adapter_publisher {
	struct bus_producer *producer;
	struct adapter_owner *owner;
	struct adapter_stamp stamp;
	struct bus_buf frame;
	uint64_t token;
	int64_t since; /* waiting since, monotonic ms; 0: not waiting */
	bool told;     /* the log was told that Kafka keeps us waiting */
};

enum bus_err adapter_publisher_open(const struct bus_kafka_conf *kafka, struct adapter_owner *owner,
				    struct adapter_publisher **out, struct bus_error *err)
{
	struct bus_producer_conf conf = { .kafka = *kafka, .window = WINDOW };
	struct adapter_publisher *p = bus_xcalloc(1, sizeof(*p));
	enum bus_err rc = bus_producer_open(&conf, &p->producer, err);

	p->owner = owner;
	if (rc) {
		free(p);
		p = NULL;
	}
	*out = p;
	return rc;
}

void adapter_publisher_close(struct adapter_publisher **pp)
{
	struct adapter_publisher *p = *pp;

	if (!p)
		return;
	bus_producer_close(&p->producer);
	bus_buf_release(&p->frame);
	free(p);
	*pp = NULL;
}

static void waiting(struct adapter_publisher *p, const struct bus_error *why)
{
	int64_t now = bus_clock_mono_ms();

	if (p->since == 0)
		p->since = now;
	if (p->told || now - p->since < TELL_MS)
		return;
	p->told = true;
	adapter_figures_kafka(true);
	bus_log(BUS_LOG_WARN, "adapter.kafka_waiting", LOG_ERR(why),
		LOG_STR("effect", "nothing is lost; going on when Kafka answers"));
}

static void going_on(struct adapter_publisher *p)
{
	if (p->told) {
		adapter_figures_kafka(false);
		bus_log(BUS_LOG_INFO, "adapter.kafka_back",
			LOG_INT("waited_ms", bus_clock_mono_ms() - p->since));
	}
	p->told = false;
	p->since = 0;
}

/* What the producer says once it says for ever: only a new one helps. */
static enum bus_err give_up(enum bus_err rc, const struct bus_error *why, struct bus_error *err)
{
	if (err)
		*err = *why;
	if (rc == BUS_ETOOBIG)
		return rc;
	if (err)
		err->code = BUS_EFATAL;
	return BUS_EFATAL;
}

enum bus_err adapter_publish(struct adapter_publisher *p, struct adapter_topic *t, struct bus_str key,
			     const struct bus_str *avro, int32_t schema_id, const struct adapter_origin *o,
			     struct bus_error *err)
{
	int32_t partition = bus_wire_partition(key, t->n);
	struct adapter_stream *s = &t->stream[partition];
	size_t n = adapter_stamp_headers(&p->stamp, t, s, key, o);
	struct bus_error why = { 0 };
	struct bus_str value;
	enum bus_err rc;

	bus_buf_reset(&p->frame);
	if (avro) {
		bus_wire_put_prefix(&p->frame, schema_id);
		bus_buf_put(&p->frame, avro->p, avro->n);
	}
	value = bus_buf_str(&p->frame);
	for (;;) {
		rc = adapter_owner_check(p->owner, err);
		if (rc)
			return rc;
		rc = bus_producer_send(p->producer, t->name, partition, key, avro ? &value : NULL,
				       p->stamp.header, n, 0, p->token + 1, TRY_MS, &why);
		if (!rc || !bus_err_retriable(rc))
			break;
		waiting(p, &why);
		if (bus_proc_stopping())
			return bus_fail(err, BUS_ESTOPPED, "stopped while Kafka did not take records");
		if (rc != BUS_EFULL)
			bus_producer_poll(p->producer, TRY_MS);
	}
	if (rc)
		return give_up(rc, &why, err);
	if (p->since > 0)
		going_on(p);
	p->token++;
	s->seq++;
	return BUS_OK;
}

enum bus_err adapter_publisher_flush(struct adapter_publisher *p, struct bus_error *err)
{
	struct bus_error why = { 0 };
	int64_t stop_by = 0;

	for (;;) {
		enum bus_err rc = adapter_owner_check(p->owner, err);

		if (rc)
			return rc;
		rc = bus_producer_flush(p->producer, TRY_MS, &why);
		if (!rc) {
			going_on(p);
			return BUS_OK;
		}
		if (!bus_err_retriable(rc))
			return give_up(rc, &why, err);
		if (bus_proc_stopping()) {
			if (stop_by == 0)
				stop_by = bus_clock_mono_ms() + STOP_MS;
			if (bus_clock_mono_ms() >= stop_by)
				return bus_fail(err, BUS_ESTOPPED, "stopped while Kafka did not answer");
		}
		waiting(p, &why);
	}
}

void adapter_publisher_poll(struct adapter_publisher *p)
{
	bus_producer_poll(p->producer, 0);
}

uint64_t adapter_publisher_sent(const struct adapter_publisher *p)
{
	return p->token;
}

uint64_t adapter_publisher_acked(struct adapter_publisher *p)
{
	return bus_producer_acked(p->producer);
}
