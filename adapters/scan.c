#include "adapters/scan.h"

#include <poll.h>

#include "bus/proc.h"

#define BATCH 1024
#define CALL_MS 10000

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

static enum bus_err assign(struct reading *rd, int tag, struct bus_error *err)
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
		rd->slot[rd->n] = (struct slot){ .tag = tag, .partition = k };
		rc = bus_consumer_assign(rd->consumer, rd->s->topic[tag], k, BUS_OFFSET_BEGIN, (int)rd->n, err);
		rd->n++;
	}
	return rc;
}

static enum bus_err ask_ends(struct reading *rd, struct bus_error *err)
{
	rd->open = 0;
	for (size_t i = 0; i < rd->n; i++) {
		struct slot *s = &rd->slot[i];
		int64_t begin;
		enum bus_err rc = bus_consumer_bounds(rd->consumer, rd->s->topic[s->tag], s->partition, &begin,
						      &s->end, CALL_MS, err);

		if (rc)
			return rc;
		if (s->next < begin)
			s->next = begin;
		if (s->next < s->end)
			rd->open++;
	}
	return BUS_OK;
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

static enum bus_err read_to_ends(struct reading *rd, struct bus_error *err)
{
	while (rd->open > 0) {
		size_t n;
		enum bus_err rc;

		if (bus_proc_stopping())
			return bus_fail(err, BUS_ESTOPPED, "stopped while reading the log");
		rc = bus_consumer_poll(rd->consumer, rd->batch, BATCH, &n, 200, err);
		for (size_t i = 0; i < n && !rc; i++) {
			struct slot *s = &rd->slot[rd->batch[i].slot];

			rc = rd->s->record(rd->s->ctx, s->tag, &rd->batch[i], err);
			advance(rd, s, rd->batch[i].offset + 1);
		}
		if (!rc && n == 0)
			rc = ask_positions(rd, err);
		if (rc)
			return rc;
		rd->records += n;
	}
	return BUS_OK;
}

enum bus_err adapter_scan_run(const struct adapter_scan *s, uint64_t *records, struct bus_error *err)
{
	const struct bus_consumer_conf conf = { .kafka = *s->kafka };
	struct reading rd = { .s = s };
	uint64_t before;
	enum bus_err rc = bus_consumer_open(&conf, &rd.consumer, err);

	*records = 0;
	if (rc)
		return rc;
	rd.batch = bus_xcalloc(BATCH, sizeof(*rd.batch));
	for (size_t i = 0; i < s->n && !rc; i++)
		rc = assign(&rd, (int)i, err);
	do {
		before = rd.records;
		if (!rc)
			rc = ask_ends(&rd, err);
		if (!rc)
			rc = read_to_ends(&rd, err);
		if (!rc && rd.records > before && s->settle_ms > 0) {
			struct pollfd stop = { .fd = bus_proc_stop_fd(), .events = POLLIN };

			poll(&stop, 1, s->settle_ms);
		}
	} while (!rc && rd.records > before && s->settle_ms > 0);
	*records = rd.records;
	bus_consumer_close(&rd.consumer);
	free(rd.batch);
	free(rd.slot);
	return rc;
}
