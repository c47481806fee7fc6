#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/publish/impl.h"
#include "gateway/publish/journal.h"

#define ARENA_MAX ((size_t)16 * 1024 * 1024)
#define BYTES_MAX ((size_t)2 * GW_PUBLISH_BODY_MAX) /* keys and values; defaults take no JSON */
#define RECORD_COST 256				    /* of a record on its way, beside its bytes */

struct gw_publish_batch *gw_publish_batch_new(struct gw_publish *p, const char *topic, const char *reader)
{
	struct gw_publish_batch *b = bus_xcalloc(1, sizeof(*b));

	b->all = p;
	snprintf(b->topic, sizeof(b->topic), "%s", topic);
	snprintf(b->reader, sizeof(b->reader), "%s", reader);
	b->arena = bus_arena_new(ARENA_MAX);
	return b;
}

void gw_publish_batch_free(struct gw_publish_batch **bp)
{
	struct gw_publish_batch *b = *bp;

	*bp = NULL;
	if (!b)
		return;
	bus_arena_free(&b->arena);
	bus_buf_release(&b->bytes);
	free(b->record);
	free(b);
}

struct gw_publish_record *gw_publish_add(struct gw_publish_batch *b)
{
	if (b->n == GW_PUBLISH_RECORDS_MAX || b->bytes.n > BYTES_MAX)
		return NULL;
	if (b->n == b->cap) {
		b->cap = b->cap ? 4 * b->cap : 4;
		b->record = bus_xrealloc(b->record, b->cap * sizeof(*b->record));
	}
	b->record[b->n] = (struct gw_publish_record){ .partition = -1, .offset = -1 };
	return &b->record[b->n++];
}

static const char *keep(struct gw_publish_batch *b, const char *text)
{
	return text ? bus_arena_dup(b->arena, text, strlen(text)) : NULL;
}

void gw_publish_refuse(struct gw_publish_batch *b, struct gw_publish_record *r, const char *problem,
		       const char *pointer, const char *detail)
{
	if (r->problem)
		return;
	r->problem = problem;
	r->pointer = keep(b, pointer);
	r->detail = keep(b, detail);
	b->n_refused++;
}

void gw_publish_set_key(struct gw_publish_batch *b, const char *key, struct bus_str print)
{
	struct bus_sha256_stream *s = bus_sha256_new();
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256_add(s, b->reader, strlen(b->reader) + 1);
	bus_sha256_add(s, key, strlen(key));
	bus_sha256_end(&s, digest);
	memcpy(b->key, digest, sizeof(b->key));
	s = bus_sha256_new();
	bus_sha256_add(s, b->topic, strlen(b->topic) + 1);
	bus_sha256_add(s, print.p, print.n);
	bus_sha256_end(&s, digest);
	memcpy(b->print, digest, sizeof(b->print));
	b->keyed = true;
}

const char *gw_publish_problem_of(enum bus_err rc)
{
	switch (rc) {
	case BUS_ETOOBIG:
		return "record-too-large";
	case BUS_ENOENT:
	case BUS_EDENIED:
		return "topic-unavailable";
	case BUS_EFULL:
		return "publish-busy";
	case BUS_EINVAL:
	case BUS_EDATA:
		return "record-refused";
	default:
		return "publish-unknown";
	}
}

void gw_publish_finish(struct gw_publish_batch *b, const char *problem, const char *detail)
{
	struct gw_publish *p = b->all;

	if (problem) {
		b->problem = problem;
		b->detail = detail;
	}
	if (b->held) {
		atomic_fetch_sub(&p->held, (int64_t)b->held);
		atomic_fetch_sub(&p->batches, 1);
	}
	b->n_refused = 0; /* several threads may have had a part in it */
	for (size_t i = 0; i < b->n; i++)
		b->n_refused += b->record[i].problem != NULL;
	bus_metric_add(p->refused, (int64_t)b->n_refused);
	if (!b->problem && !b->replayed)
		bus_metric_add(p->records, (int64_t)(b->n - b->n_refused));
	if (b->replayed)
		bus_metric_add(p->replayed, 1);
	b->done(b);
}

/* Room for it, or false. */
static bool hold(struct gw_publish_batch *b)
{
	struct gw_publish *p = b->all;
	size_t cost = b->bytes.n + b->n * RECORD_COST;

	if (atomic_load(&p->stop))
		return false;
	if (atomic_fetch_add(&p->held, (int64_t)cost) + (int64_t)cost > p->conf.memory ||
	    atomic_load(&p->batches) >= GW_PUBLISH_BATCHES_MAX) {
		atomic_fetch_sub(&p->held, (int64_t)cost);
		bus_metric_add(p->busy, 1);
		return false;
	}
	atomic_fetch_add(&p->batches, 1);
	b->held = cost;
	return true;
}

void gw_publish_submit(struct gw_publish_batch *b)
{
	if (b->atomic && b->n_refused > 0)
		for (size_t i = 0; i < b->n; i++)
			gw_publish_refuse(b, &b->record[i], "record-not-sent", NULL, NULL);
	if (b->n_refused == b->n) {
		gw_publish_finish(b, NULL, NULL);
		return;
	}
	if (!hold(b)) {
		gw_publish_finish(b, "publish-busy", NULL);
		return;
	}
	b->until = bus_clock_mono_ms() + GW_PUBLISH_ANSWER_MS;
	for (size_t i = 0; i < b->n; i++)
		b->record[i].of = b;
	if (!b->keyed)
		bus_random(b->key, sizeof(b->key));
	if (b->keyed || b->atomic)
		gw_journal_submit(b);
	else
		gw_plain_submit(b);
}
