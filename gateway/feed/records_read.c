/* One question to Kafka, on a thread of the pool. */
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/engine/engine.h"
#include "gateway/feed/records_impl.h"

#define ASK_MS 10000 /* what the broker is given for an answer */
#define READ_MS 5000 /* for one piece */
#define POLL_MS 200
#define FETCH_WAIT_MS 10 /* the next question is never far */
#define BATCH 500
#define QUEUE_BYTES (1024 * 1024)
#define BYTES_MAX ((size_t)256 * 1024) /* of text in one piece, and the record that goes beyond */

struct reading { /* of each partition, while it lasts */
	int64_t end;
	bool assigned, done;
};

void gw_records_worker_release(struct gw_records_worker *w)
{
	bus_consumer_close(&w->consumer);
	schema_reader_free(&w->reader);
	free(w->record);
	bus_buf_release(&w->value);
	*w = (struct gw_records_worker){ .all = w->all };
}

static enum bus_err make_ready(struct gw_records_worker *w, struct bus_error *err)
{
	const struct bus_consumer_conf conf = { .kafka = *w->all->kafka,
						.queue_bytes = QUEUE_BYTES,
						.fetch_wait_ms = FETCH_WAIT_MS };

	w->used_ms = bus_clock_mono_ms();
	if (w->consumer)
		return BUS_OK;
	w->record = bus_xcalloc(BATCH, sizeof(*w->record));
	w->reader = schema_reader_new(NULL);
	return bus_consumer_open(&conf, &w->consumer, err);
}

static void find_schemas(struct gw_records_worker *w, const struct gw_tail *t)
{
	struct schema_store *store = gw_engine_schemas(w->all->api->engine);
	struct schema_version v;
	char subject[300];

	w->n_known = 0;
	snprintf(subject, sizeof(subject), "%s-value", t->topic);
	if (schema_store_version(store, subject, 0, &v, NULL) == BUS_OK) {
		w->newest = v.schema ? schema_ref(v.schema) : NULL;
		schema_version_release(&v);
	}
	if (t->version > 0 && schema_store_version(store, subject, t->version, &v, NULL) == BUS_OK) {
		w->target = v.schema ? schema_ref(v.schema) : NULL;
		schema_version_release(&v);
	}
}

/* A place for every partition that there is. */
static enum bus_err partitions(struct gw_records_worker *w, struct gw_tail *t, struct bus_error *err)
{
	enum bus_err rc;
	int32_t n;
	size_t i;

	rc = bus_consumer_partitions(w->consumer, t->topic, &n, ASK_MS, err);
	if (rc != BUS_OK)
		return rc;
	if (t->only >= n || n > GW_RECORDS_PARTITIONS_MAX)
		return bus_fail(err, BUS_ENOENT, "the topic has %d partitions", (int)n);
	for (int32_t p = t->only < 0 ? 0 : t->only; p < (t->only < 0 ? n : t->only + 1); p++) {
		for (i = 0; i < t->n_at && t->at[i].partition != p; i++)
			;
		if (i < t->n_at)
			continue;
		t->at = bus_xrealloc(t->at, (t->n_at + 1) * sizeof(*t->at));
		t->at[t->n_at++] = (struct gw_position){ .partition = p };
	}
	return BUS_OK;
}

/* Where to begin, and where the end is. */
static enum bus_err place(struct gw_records_worker *w, struct gw_tail *t, struct gw_position *at,
			  int64_t *end, struct bus_error *err)
{
	int64_t begin;
	enum bus_err rc;

	rc = bus_consumer_bounds(w->consumer, t->topic, at->partition, &begin, end, ASK_MS, err);
	if (rc != BUS_OK)
		return rc;
	if (!at->known) {
		at->next = t->from_end ? *end : t->from_offset >= 0 ? t->from_offset : begin;
		if (t->from_ms >= 0)
			rc = bus_consumer_at_time(w->consumer, t->topic, at->partition, t->from_ms, &at->next,
						  ASK_MS, err);
		if (t->from_offset >= 0 && at->next > *end)
			at->next = *end;
		at->known = true;
	}
	if (rc != BUS_OK)
		return rc;
	if (at->next > *end)
		return bus_fail(err, BUS_ECONFLICT, "the topic ends before the cursor");
	if (at->next < begin) {
		int64_t from = at->next;

		at->next = begin;
		gw_tail_put_gap(t, at->partition, from, begin);
	}
	return BUS_OK;
}

/* Records in the order they come, until it is enough. False: more were fetched than taken. */
static bool take(struct gw_records_worker *w, struct gw_tail *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct bus_record *r = &w->record[i];

		if (t->out.n >= BYTES_MAX)
			return false;
		t->at[r->slot].next = r->offset + 1;
		gw_tail_put_record(w, t, r);
	}
	return true;
}

static enum bus_err read_partitions(struct gw_records_worker *w, struct gw_tail *t, struct reading *of,
				    struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + READ_MS, next;
	enum bus_err rc = BUS_OK;
	size_t open = 0, n;

	for (size_t i = 0; i < t->n_at && rc == BUS_OK; i++) {
		if (t->at[i].next >= of[i].end)
			continue;
		rc = bus_consumer_assign(w->consumer, t->topic, t->at[i].partition, t->at[i].next, (int)i,
					 err);
		of[i].assigned = rc == BUS_OK;
		open += of[i].assigned;
	}
	while (rc == BUS_OK && open > 0 && t->records < t->limit && bus_clock_mono_ms() < until &&
	       !w->all->stop) {
		size_t want = (size_t)(t->limit - t->records);

		rc = bus_consumer_poll(w->consumer, w->record, want < BATCH ? want : BATCH, &n, POLL_MS, err);
		if (rc != BUS_OK || !take(w, t, n))
			break;
		open = 0;
		for (size_t i = 0; i < t->n_at; i++) {
			/* Over a transaction's end too, which is no record. */
			if (of[i].assigned &&
			    bus_consumer_position(w->consumer, t->topic, t->at[i].partition, &next, NULL) ==
				BUS_OK &&
			    next > t->at[i].next)
				t->at[i].next = next;
			open += of[i].assigned && t->at[i].next < of[i].end;
		}
	}
	for (size_t i = 0; i < t->n_at; i++)
		if (of[i].assigned)
			(void)!bus_consumer_unassign(w->consumer, t->topic, t->at[i].partition, NULL);
	return rc;
}

static enum bus_err answer(struct gw_records_worker *w, struct gw_tail *t, struct bus_error *err)
{
	struct reading *of;
	enum bus_err rc;

	rc = make_ready(w, err);
	if (rc == BUS_OK)
		rc = partitions(w, t, err);
	if (rc != BUS_OK)
		return rc;
	/* All questions first: once a partition is fetched, every question waits behind the fetch. */
	of = bus_xcalloc(t->n_at + 1, sizeof(*of));
	for (size_t i = 0; i < t->n_at && rc == BUS_OK; i++)
		rc = place(w, t, &t->at[i], &of[i].end, err);
	if (rc == BUS_OK)
		rc = read_partitions(w, t, of, err);
	t->end = true;
	for (size_t i = 0; i < t->n_at; i++)
		t->end &= t->at[i].next >= of[i].end;
	free(of);
	return rc;
}

void gw_tail_read(struct gw_records_worker *w, struct gw_tail *t)
{
	t->err = (struct bus_error){ 0 };
	t->records = 0;
	bus_buf_reset(&t->out);
	find_schemas(w, t);
	t->rc = answer(w, t, &t->err);
	schema_unref(&w->newest);
	schema_unref(&w->target);
	bus_metric_add(w->all->reads, 1);
	bus_metric_add(w->all->given, t->records);
	if (t->rc != BUS_OK) /* a consumer that failed is not used again */
		gw_records_worker_release(w);
}
