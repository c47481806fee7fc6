#include "gateway/serve/adapters.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/consumer.h"
#include "bus/log.h"
#include "bus/wait.h"
#include "gateway/serve/adapter_said.h"
#include "schemas/store/plan.h"

#define DEPARTMENTS_MAX 512
#define TOPICS_MAX 512
#define LOOK_MS 30000
#define ASK_MS 2000
#define POLL_MS 200
#define AGAIN_MS 5000
#define QUEUE_BYTES (256 * 1024)
#define BACK 16 /* records before the end that are read: the last one of the key is among them */
#define BATCH 64
#define SCHEMA_WAIT_MS 200

struct department {
	char *opd, *topic;
	bool read;		     /* its partition is assigned */
	int64_t end;		     /* what is before it was there when we came */
	int64_t next;		     /* what is before it has been taken */
	struct gw_adapter_said said; /* under lock */
};

struct gw_adapters {
	struct bus_kafka_conf kafka;
	struct schema_store_plan plan;
	struct bus_consumer *consumer;
	int64_t look_at; /* for topics that are not read; monotonic ms */
	int64_t anew_at; /* a topic gives no more: all are asked anew; 0: none */
	char told[sizeof(((struct bus_error *)0)->text)]; /* the fault that was logged last */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* stop, said */
	pthread_cond_t wake;
	_Atomic bool stop;
	struct department *department;
	size_t n;
};

/* ---- the departments ---- */

static bool has(const struct gw_adapters *a, const char *opd)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->department[i].opd, opd) == 0)
			return true;
	return false;
}

struct gw_adapters *gw_adapters_new(struct gw_engine *e, const struct bus_kafka_conf *kafka)
{
	const struct schema_limits limits = { .items = 4096, .bytes = 64 * 1024 };
	struct gw_topic_state *topic = bus_xcalloc(TOPICS_MAX, sizeof(*topic));
	struct gw_adapters *a = bus_xcalloc(1, sizeof(*a));
	size_t n = gw_topics(e, topic, TOPICS_MAX);

	a->kafka = *kafka;
	schema_store_plan_init(&a->plan, gw_engine_schemas(e), &limits, SCHEMA_WAIT_MS);
	a->department = bus_xcalloc(DEPARTMENTS_MAX, sizeof(*a->department));
	pthread_mutex_init(&a->lock, NULL);
	bus_cond_init(&a->wake);
	for (size_t i = 0; i < n && a->n < DEPARTMENTS_MAX; i++) {
		if (has(a, topic[i].opd))
			continue;
		a->department[a->n].opd = bus_xstrdup(topic[i].opd);
		a->department[a->n++].topic = bus_xasprintf("pku.%s.adapter.v1", topic[i].opd);
	}
	free(topic);
	return a;
}

/* ---- reading ---- */

static void take(struct gw_adapters *a, const struct bus_record *record)
{
	struct department *d = &a->department[record->slot];
	int64_t now = bus_clock_ms(), heard = now;
	struct gw_adapter_said said;
	struct bus_error why = { 0 };
	struct bus_str avro;
	enum bus_err rc;

	if (record->offset < d->next || record->tombstone || !bus_str_is(record->key, d->opd))
		return;
	d->next = record->offset + 1;
	if (record->offset < d->end && record->timestamp_ms < now)
		heard = record->timestamp_ms;
	rc = schema_store_plan_open(&a->plan, record->value, &avro, &why);
	if (!rc)
		rc = gw_adapter_said_read(a->plan.reader, a->plan.plan, avro, heard, &said, &why);
	if (rc) {
		bus_log(BUS_LOG_WARN, "gateway.adapter_unread", LOG_STR("topic", d->topic),
			LOG_INT("offset", record->offset), LOG_ERR(&why));
		return;
	}
	pthread_mutex_lock(&a->lock);
	d->said = said;
	pthread_mutex_unlock(&a->lock);
}

/* Only the partition in which the department's one key lies. BUS_ENOENT: there is no such topic yet. */
static enum bus_err assign(struct gw_adapters *a, size_t i, struct bus_error *err)
{
	struct department *d = &a->department[i];
	int32_t n, partition = 0;
	int64_t begin = 0;
	enum bus_err rc = bus_consumer_partitions(a->consumer, d->topic, &n, ASK_MS, err);

	if (!rc) {
		partition = bus_wire_partition(bus_str(d->opd), n);
		rc = bus_consumer_bounds(a->consumer, d->topic, partition, &begin, &d->end, ASK_MS, err);
	}
	if (!rc && d->end < d->next)
		d->next = 0; /* the topic was made anew */
	if (!rc)
		rc = bus_consumer_assign(a->consumer, d->topic, partition,
					 d->end - BACK > begin ? d->end - BACK : begin, (int)i, err);
	d->read = !rc;
	return rc;
}

static void tell(struct gw_adapters *a, const struct bus_error *why)
{
	if (strcmp(a->told, why->text) == 0)
		return;
	snprintf(a->told, sizeof(a->told), "%s", why->text);
	bus_log(BUS_LOG_WARN, "gateway.adapters_unread", LOG_ERR(why),
		LOG_STR("effect", "what an adapter says of itself is not taken up; tried again"));
}

/* One that cannot be read is no reason for the others not to be; Kafka away is one for all. */
static void look(struct gw_adapters *a)
{
	a->look_at = bus_clock_mono_ms() + LOOK_MS;
	for (size_t i = 0; i < a->n && !atomic_load(&a->stop); i++) {
		struct bus_error why = { 0 };
		enum bus_err rc = a->department[i].read ? BUS_OK : assign(a, i, &why);

		if (rc && rc != BUS_ENOENT)
			tell(a, &why);
		if (bus_err_retriable(rc)) {
			a->look_at = bus_clock_mono_ms() + AGAIN_MS;
			return;
		}
	}
}

static enum bus_err open_anew(struct gw_adapters *a, struct bus_error *err)
{
	const struct bus_consumer_conf conf = { .kafka = a->kafka, .queue_bytes = QUEUE_BYTES };

	bus_consumer_close(&a->consumer);
	for (size_t i = 0; i < a->n; i++)
		a->department[i].read = false;
	a->look_at = a->anew_at = 0;
	return bus_consumer_open(&conf, &a->consumer, err);
}

static void turn(struct gw_adapters *a)
{
	struct bus_record record[BATCH];
	struct bus_error why = { 0 };
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	if (!a->consumer || (a->anew_at > 0 && bus_clock_mono_ms() >= a->anew_at))
		rc = open_anew(a, &why);
	if (!rc && bus_clock_mono_ms() >= a->look_at)
		look(a);
	if (!rc)
		rc = bus_consumer_poll(a->consumer, record, BATCH, &n, POLL_MS, &why);
	for (size_t i = n; i-- > 0;) /* the last one of each counts, and only that is looked at */
		take(a, &record[i]);
	if (!rc)
		return;
	tell(a, &why);
	if (a->anew_at == 0)
		a->anew_at = bus_clock_mono_ms() + LOOK_MS;
	if (a->consumer)
		return;
	pthread_mutex_lock(&a->lock);
	if (!atomic_load(&a->stop))
		(void)bus_cond_wait(&a->wake, &a->lock, bus_clock_mono_ms() + AGAIN_MS);
	pthread_mutex_unlock(&a->lock);
}

static void *work(void *arg)
{
	struct gw_adapters *a = arg;

	while (!atomic_load(&a->stop))
		turn(a);
	return NULL;
}

void gw_adapters_start(struct gw_adapters *a)
{
	if (pthread_create(&a->thread, NULL, work, a) != 0)
		abort();
	a->started = true;
}

void gw_adapters_free(struct gw_adapters **ap)
{
	struct gw_adapters *a = *ap;

	*ap = NULL;
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	atomic_store(&a->stop, true);
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	if (a->started)
		pthread_join(a->thread, NULL);
	bus_consumer_close(&a->consumer);
	schema_store_plan_release(&a->plan);
	for (size_t i = 0; i < a->n; i++) {
		free(a->department[i].opd);
		free(a->department[i].topic);
	}
	free(a->department);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void gw_adapters_json(struct gw_adapters *a, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	int64_t now = bus_clock_ms();

	bus_json_array(&j);
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->n; i++)
		gw_adapter_said_put(&j, a->department[i].opd, &a->department[i].said, now);
	pthread_mutex_unlock(&a->lock);
	bus_json_array_end(&j);
}
