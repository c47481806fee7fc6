#include "adapters/scan.h"

#include <malloc.h>

#include "bus/clock.h"
#include "bus/proc.h"

#define BATCH 1024
#define CALL_MS 10000
#define QUEUE_BYTES (INT64_C(4) * 1024 * 1024) /* in memory a small record takes four times its bytes */

struct slot { /* one partition */
	int tag;
	int32_t partition;
	int64_t next, end; /* offsets; at its end when next >= end */
};

struct reading {
	const struct adapter_scan *s;
	struct bus_consumer *consumer;
	struct bus_record *batch;
	struct slot *slot;
	size_t n, open; /* partitions, and those not at their end */
	uint64_t records;
};

static void advance(struct reading *rd, struct slot *s, int64_t next)
{
	bool was_open = s->next < s->end;

	if (next > s->next)
		s->next = next;
	if (was_open && s->next >= s->end)
		rd->open--;
}

static enum bus_err add_topic(struct reading *rd, int tag, struct bus_error *err)
{
	const char *topic = rd->s->topic[tag];
	int32_t n;
	enum bus_err rc = bus_consumer_partitions(rd->consumer, topic, &n, CALL_MS, err);

	if (rc)
		return rc == BUS_ENOENT ? bus_fail(err, rc, "topic '%s' does not exist", topic) : rc;
	if (rd->s->partitions)
		rc = rd->s->partitions(rd->s->ctx, tag, n, err);
	rd->slot = bus_xrealloc(rd->slot, (rd->n + (size_t)n) * sizeof(*rd->slot));
	for (int32_t k = 0; k < n && !rc; k++) {
		struct slot *s = &rd->slot[rd->n++];

		*s = (struct slot){ .tag = tag, .partition = k };
		rc = bus_consumer_bounds(rd->consumer, topic, k, &s->next, &s->end, CALL_MS, err);
		if (!rc && s->next < s->end)
			rd->open++;
	}
	return rc;
}

/* Only after all questions: once a partition is fetched from, an answer may wait behind an idle fetch. */
static enum bus_err assign_all(struct reading *rd, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < rd->n && !rc; i++) {
		const struct slot *s = &rd->slot[i];

		if (s->next < s->end || rd->s->settle_ms > 0)
			rc = bus_consumer_assign(rd->consumer, rd->s->topic[s->tag], s->partition,
						 BUS_OFFSET_BEGIN, (int)i, err);
	}
	return rc;
}

/* Transaction markers and compacted records at the end come as no record: the position passes them. */
static enum bus_err ask_positions(struct reading *rd, struct bus_error *err)
{
	for (size_t i = 0; i < rd->n; i++) {
		struct slot *s = &rd->slot[i];
		int64_t next;
		enum bus_err rc;

		if (s->next >= s->end)
			continue;
		rc = bus_consumer_position(rd->consumer, rd->s->topic[s->tag], s->partition, &next, err);
		if (rc)
			return rc;
		advance(rd, s, next);
	}
	return BUS_OK;
}

static enum bus_err read_some(struct reading *rd, int timeout_ms, size_t *n, struct bus_error *err)
{
	enum bus_err rc;

	if (bus_proc_stopping())
		return bus_fail(err, BUS_ESTOPPED, "stopped while reading the log");
	rc = bus_consumer_poll(rd->consumer, rd->batch, BATCH, n, timeout_ms, err);
	for (size_t i = 0; i < *n && !rc; i++) {
		struct slot *s = &rd->slot[rd->batch[i].slot];

		rc = rd->s->record(rd->s->ctx, s->tag, &rd->batch[i], err);
		advance(rd, s, rd->batch[i].offset + 1);
		rd->records++;
	}
	return rc;
}

static enum bus_err read_to_ends(struct reading *rd, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	while (rd->open > 0 && !rc) {
		size_t n;

		rc = read_some(rd, 200, &n, err);
		if (!rc && n == 0)
			rc = ask_positions(rd, err);
	}
	return rc;
}

/* Until nothing has come for so long. */
static enum bus_err settle(struct reading *rd, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + rd->s->settle_ms, now;

	while ((now = bus_clock_mono_ms()) < until) {
		size_t n;
		enum bus_err rc = read_some(rd, (int)(until - now), &n, err);

		if (rc)
			return rc;
		if (n > 0)
			until = bus_clock_mono_ms() + rd->s->settle_ms;
	}
	return BUS_OK;
}

enum bus_err adapter_scan_run(const struct adapter_scan *s, uint64_t *records, struct bus_error *err)
{
	const struct bus_consumer_conf conf = { .kafka = *s->kafka, .queue_bytes = QUEUE_BYTES };
	struct reading rd = { .s = s };
	enum bus_err rc = bus_consumer_open(&conf, &rd.consumer, err);

	*records = 0;
	if (rc)
		return rc;
	rd.batch = bus_xcalloc(BATCH, sizeof(*rd.batch));
	for (size_t i = 0; i < s->n && !rc; i++)
		rc = add_topic(&rd, (int)i, err);
	if (!rc)
		rc = assign_all(&rd, err);
	if (!rc)
		rc = read_to_ends(&rd, err);
	if (!rc && s->settle_ms > 0)
		rc = settle(&rd, err);
	*records = rd.records;
	bus_consumer_close(&rd.consumer);
	free(rd.batch);
	free(rd.slot);
	malloc_trim(0); /* a daemon that has just read a log for the last time gives its memory back */
	return rc;
}
