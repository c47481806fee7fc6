#include "deploy/ctl/scan.h"

#include "bus/clock.h"
#include "bus/mem.h"
#include "bus/wire.h"
#include "deploy/ctl/ctl.h"
#include "schemas/avro/cache.h"
#include "schemas/store/store.h"

#define SCHEMAS_TOPIC "_schemas"
#define BATCH 200

struct scan {
	struct bus_consumer *consumer;
	struct schema_store *store;
	struct schema_cache *plans;
};

static struct schema_plan *plan_of(struct scan *s, int32_t id, struct bus_error *err)
{
	struct schema *schema = NULL;
	struct schema_plan *plan = NULL;

	if (schema_store_by_id(s->store, id, 1000, &schema, err) == BUS_OK)
		(void)!schema_cache_plan(s->plans, schema, NULL, &plan, err);
	schema_unref(&schema);
	return plan;
}

static bool hand_over(struct scan *s, const struct bus_record *r, ctl_scan_fn fn, void *ctx)
{
	struct schema_plan *plan = NULL;
	struct bus_str avro = { NULL, 0 };
	struct bus_error err = { 0 };
	int32_t id = 0;
	bool more;

	if (r->tombstone)
		return fn(ctx, r, 0, NULL, avro, NULL);
	if (bus_wire_open(r->value, &id, &avro, &err) == BUS_OK)
		plan = plan_of(s, id, &err);
	more = fn(ctx, r, id, plan, avro, plan ? NULL : err.text);
	schema_plan_free(&plan);
	return more;
}

static enum bus_err scan_partition(struct scan *s, const char *topic, int32_t partition, int64_t n,
				   ctl_scan_fn fn, void *ctx, bool *enough, struct bus_error *err)
{
	struct bus_record record[BATCH];
	int64_t begin, end, at, until = bus_clock_mono_ms() + CTL_TIMEOUT_MS;
	enum bus_err rc;
	size_t got, i;

	rc = bus_consumer_bounds(s->consumer, topic, partition, &begin, &end, CTL_TIMEOUT_MS, err);
	if (rc != BUS_OK || begin >= end)
		return rc;
	at = n > 0 && end - n > begin ? end - n : begin;
	rc = bus_consumer_assign(s->consumer, topic, partition, at, 0, err);
	while (rc == BUS_OK && at < end && !*enough) {
		rc = bus_consumer_poll(s->consumer, record, BATCH, &got, 200, err);
		for (i = 0; i < got && rc == BUS_OK && !*enough; i++)
			if (record[i].offset < end)
				*enough = !hand_over(s, &record[i], fn, ctx);
		if (rc == BUS_OK)
			rc = bus_consumer_position(s->consumer, topic, partition, &at, err);
		if (got > 0)
			until = bus_clock_mono_ms() + CTL_TIMEOUT_MS;
		else if (rc == BUS_OK && bus_clock_mono_ms() > until)
			rc = bus_fail(err, BUS_ETIMEOUT, "topic '%s' gives no more records", topic);
	}
	if (rc == BUS_OK)
		rc = bus_consumer_unassign(s->consumer, topic, partition, err);
	return rc;
}

enum bus_err ctl_scan(const struct bus_kafka_conf *kafka, const char *topic, int64_t n, ctl_scan_fn fn,
		      void *ctx, struct bus_error *err)
{
	struct bus_consumer_conf conf = { .kafka = *kafka };
	struct scan s = { .plans = schema_cache_new(0, 0) };
	int32_t partitions = 0, i;
	bool enough = false;
	enum bus_err rc;

	rc = bus_consumer_open(&conf, &s.consumer, err);
	if (rc == BUS_OK)
		rc = bus_consumer_partitions(s.consumer, topic, &partitions, CTL_TIMEOUT_MS, err);
	if (rc == BUS_OK)
		rc = schema_store_open(kafka, SCHEMAS_TOPIC, CTL_TIMEOUT_MS, &s.store, err);
	for (i = 0; i < partitions && rc == BUS_OK && !enough; i++)
		rc = scan_partition(&s, topic, i, n, fn, ctx, &enough, err);
	schema_cache_free(&s.plans);
	schema_store_close(&s.store);
	bus_consumer_close(&s.consumer);
	return rc;
}
