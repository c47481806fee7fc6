#include "gateway/engine/group_log.h"

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/consumer.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/producer.h"

#define ADMIN_MS 10000
#define PUT_MS 60000 /* for room in the producer's window, while a whole view is told */
#define QUEUE_BYTES (4 * 1024 * 1024)
#define READ_MAX 64
#define REPLICAS 3

static const struct bus_str bound = BUS_STR("titian-group");

struct gw_group_log {
	struct bus_kafka_conf kafka;
	const char *topic;
	uint8_t key[BUS_KEY_LEN];
	uint64_t node;
	const char *name;
	bool first; /* read from the log's beginning, and nothing was passed over */
	struct bus_metric *unopened;
	struct bus_consumer *consumer;
	struct bus_producer *producer;
	uint64_t token;
	struct gw_group_place place;
	uint64_t next_part;  /* of batch place.n + 1 */
	uint64_t epoch_seen; /* the highest, of records that do not count, too */
	int64_t n_seen;
	struct bus_record record[READ_MAX];
	size_t n, at;
	struct bus_buf plain, sealed;
};

static enum bus_err make_topic(const struct bus_kafka_conf *kafka, const char *topic, struct bus_error *err)
{
	/* By bytes, not by time: a city that was switched off for a month goes on where it stood. */
	static const char *const config[] = { "cleanup.policy=delete", "retention.ms=-1",
					      "retention.bytes=1073741824", "segment.bytes=67108864", NULL };
	struct bus_topic_spec spec = { .name = topic, .partitions = 1, .config = config };
	struct bus_topic_state state = { 0 };
	enum bus_err rc;
	size_t made;

	rc = bus_admin_topic(kafka, topic, &state, ADMIN_MS, err);
	if (rc == BUS_OK && state.partitions != 1)
		return bus_fail(err, BUS_EINVAL, "the group's topic '%s' has %d partitions; it needs one",
				topic, (int)state.partitions);
	if (rc != BUS_ENOENT)
		return rc;
	spec.replication = state.brokers < REPLICAS ? state.brokers : REPLICAS;
	spec.replication = spec.replication > 0 ? spec.replication : 1;
	return bus_admin_create_topics(kafka, &spec, 1, &made, ADMIN_MS, err);
}

enum bus_err gw_group_log_open(const struct bus_kafka_conf *kafka, const char *topic,
			       const uint8_t key[BUS_KEY_LEN], uint64_t node, const char *name,
			       const struct gw_group_place *from, struct gw_group_log **out,
			       struct bus_error *err)
{
	const struct bus_consumer_conf reads = { .kafka = *kafka, .queue_bytes = QUEUE_BYTES };
	const struct bus_producer_conf writes = { .kafka = *kafka };
	struct gw_group_log *l = bus_xcalloc(1, sizeof(*l));
	int64_t begin, end;
	enum bus_err rc;

	*out = NULL;
	l->kafka = *kafka;
	l->topic = topic;
	l->place = *from;
	l->node = node;
	l->name = name;
	l->unopened =
	    bus_metric("titian_group_unopened_total", "counter",
		       "Records of the group's topic that were forged or sealed with another cursor.key", "");
	memcpy(l->key, key, sizeof(l->key));
	rc = make_topic(kafka, topic, err);
	if (rc == BUS_OK)
		rc = bus_consumer_open(&reads, &l->consumer, err);
	if (rc == BUS_OK)
		rc = bus_consumer_bounds(l->consumer, topic, 0, &begin, &end, ADMIN_MS, err);
	if (rc == BUS_OK && from->offset == GW_GROUP_END)
		l->place.offset = end;
	else if (rc == BUS_OK && from->offset == GW_GROUP_ALL)
		l->place.offset = begin;
	else if (rc == BUS_OK &&
		 (from->offset == BUS_OFFSET_BEGIN ? begin > 0 : from->offset < begin || from->offset > end))
		rc = bus_fail(err, BUS_ENOENT,
			      "the group's topic '%s' reaches from %lld to %lld; this store stands at %lld",
			      topic, (long long)begin, (long long)end, (long long)from->offset);
	l->first = rc == BUS_OK && l->place.offset <= begin;
	if (rc == BUS_OK)
		rc = bus_consumer_assign(l->consumer, topic, 0, l->place.offset, 0, err);
	if (rc == BUS_OK)
		rc = bus_producer_open(&writes, &l->producer, err);
	if (rc != BUS_OK)
		gw_group_log_close(&l);
	*out = l;
	return rc;
}

void gw_group_log_close(struct gw_group_log **log)
{
	struct gw_group_log *l = *log;

	if (!l)
		return;
	*log = NULL;
	bus_producer_close(&l->producer);
	bus_consumer_close(&l->consumer);
	bus_buf_release(&l->plain);
	bus_buf_release(&l->sealed);
	explicit_bzero(l->key, sizeof(l->key));
	free(l);
}

/* Whether it counts; the place moves with it. */
static bool decide(struct gw_group_log *l, const struct gw_group_record *r)
{
	struct gw_group_place *p = &l->place;

	/* A beat of ours may be of an earlier life, with a wrong key as now. */
	p->known |= l->first || (r->kind == GW_GROUP_BEAT && strcmp(r->name, l->name) != 0);
	if (!p->known && r->node == l->node)
		return false;
	switch (r->kind) {
	case GW_GROUP_BEAT:
		return true;
	case GW_GROUP_CLAIM:
		if (r->epoch != p->epoch + 1)
			return false;
		p->epoch = r->epoch;
		p->leader = r->node;
		if (p->store != r->store) /* numbered anew: whoever has the old one takes a copy */
			p->n = r->n;
		p->store = r->store;
		l->next_part = 0;
		return true;
	case GW_GROUP_VOID:
		if (r->epoch != p->epoch || r->node != p->leader || r->n != p->n + 1)
			return false;
		l->next_part = 0;
		return true;
	case GW_GROUP_BATCH:
		if (r->epoch != p->epoch || r->node != p->leader || r->n != p->n + 1 ||
		    r->part != l->next_part)
			return false;
		l->next_part = r->last ? 0 : r->part + 1;
		p->n += r->last;
		return true;
	}
	return false;
}

enum bus_err gw_group_log_next(struct gw_group_log *l, int timeout_ms, struct gw_group_record *r,
			       struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms, left;
	enum bus_err rc;

	for (;;) {
		if (l->at == l->n) {
			left = until - bus_clock_mono_ms();
			l->at = l->n = 0;
			rc = bus_consumer_poll(l->consumer, l->record, READ_MAX, &l->n,
					       left > 0 ? (int)left : 0, err);
			if (rc != BUS_OK)
				return rc;
			if (l->n == 0)
				return BUS_ETIMEOUT;
		}
		const struct bus_record *from = &l->record[l->at++];

		l->place.offset = from->offset + 1;
		bus_buf_reset(&l->plain);
		if (bus_open(l->key, bound, from->value, &l->plain, NULL) != BUS_OK) {
			l->first = false;
			bus_metric_add(l->unopened, 1);
			bus_log(BUS_LOG_WARN, "group.unopened", LOG_INT("offset", from->offset),
				LOG_STR("why", "forged, or another cursor.key: it must be the same on all "
					       "gateways of the group"));
			continue;
		}
		if (gw_group_read_record(bus_buf_str(&l->plain), r) != BUS_OK)
			return bus_fail(err, BUS_EDATA,
					"the group's topic '%s' holds a record of another version at %lld",
					l->topic, (long long)from->offset);
		l->epoch_seen = r->epoch > l->epoch_seen ? r->epoch : l->epoch_seen;
		l->n_seen = r->n > l->n_seen ? r->n : l->n_seen;
		if (decide(l, r))
			return BUS_OK;
	}
}

bool gw_group_log_waiting(const struct gw_group_log *l)
{
	return l->at < l->n;
}

bool gw_group_log_at_end(struct gw_group_log *l)
{
	int64_t end, at;

	return l->at == l->n && bus_consumer_end(l->consumer, l->topic, 0, &end) == BUS_OK &&
	       bus_consumer_position(l->consumer, l->topic, 0, &at, NULL) == BUS_OK && at >= end;
}

bool gw_group_log_known(const struct gw_group_log *l)
{
	return l->place.known || l->first;
}

const struct gw_group_place *gw_group_log_place(const struct gw_group_log *l)
{
	return &l->place;
}

void gw_group_log_trust(struct gw_group_log *l)
{
	l->place.epoch = l->epoch_seen;
	l->place.n = l->n_seen;
	l->place.leader = l->place.store = 0;
	l->place.known = true;
	l->next_part = 0;
}

enum bus_err gw_group_log_put(struct gw_group_log *l, struct bus_str bytes, struct bus_error *err)
{
	const struct bus_str none = { 0 };
	struct bus_str value;
	enum bus_err rc;

	bus_buf_reset(&l->sealed);
	rc = bus_seal(l->key, bound, bytes, &l->sealed, err);
	value = bus_buf_str(&l->sealed);
	return rc == BUS_OK ? bus_producer_send(l->producer, l->topic, 0, none, &value, NULL, 0,
						bus_clock_ms(), ++l->token, PUT_MS, err)
			    : rc;
}

enum bus_err gw_group_log_flush(struct gw_group_log *l, int timeout_ms, struct bus_error *err)
{
	return bus_producer_flush(l->producer, timeout_ms, err);
}
