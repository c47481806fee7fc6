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

static void keyed_hash(const uint8_t key[BUS_KEY_LEN], char what, const char *name, struct bus_str more,
		       uint8_t out[BUS_SHA256_LEN])
{
	struct bus_buf b = { 0 };

	bus_buf_putc(&b, what);
	bus_buf_put(&b, name, strlen(name) + 1);
	bus_buf_put(&b, more.p, more.n);
	bus_hmac_sha256(key, b.p, b.n, out);
	bus_buf_release(&b);
}

void gw_publish_set_key(struct gw_publish_batch *b, const char *key, struct bus_str print)
{
	uint8_t own[BUS_KEY_LEN] = { 0 }, digest[BUS_SHA256_LEN];

	if (b->all && b->all->conf.city) /* without: all gateways must agree still (publish.no_city_key) */
		bus_hmac_sha256(b->all->conf.city, "publish-key", 11, own);
	keyed_hash(own, 'r', b->reader, (struct bus_str){ 0 }, digest);
	memcpy(b->key, digest, GW_PUBLISH_READER_LEN); /* claims.c counts by it */
	keyed_hash(own, 'k', b->reader, bus_str(key), digest);
	memcpy(b->key + GW_PUBLISH_READER_LEN, digest, sizeof(b->key) - GW_PUBLISH_READER_LEN);
	keyed_hash(own, 'p', b->topic, print, digest);
	memcpy(b->print, digest, sizeof(b->print));
	explicit_bzero(own, sizeof(own));
	b->keyed = true;
}

const char *gw_publish_problem_of(const struct gw_publish_record *r, enum bus_err rc)
{
	switch (rc) {
	case BUS_ETOOBIG:
		return "record-too-large";
	case BUS_ENOENT: /* its schema is known, so the topic is there, as a rule */
		return r->partition >= 0 ? "partition-unknown" : "topic-unavailable";
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
		pthread_mutex_lock(&p->held_lock);
		p->held -= (int64_t)b->held;
		p->batches--;
		(void)bus_shares_add(p->held_of, bus_str(b->reader), -(int64_t)b->held);
		pthread_mutex_unlock(&p->held_lock);
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

/* Room for it: NULL, or the problem. */
static const char *hold(struct gw_publish_batch *b)
{
	struct gw_publish *p = b->all;
	const int64_t cost = (int64_t)(b->bytes.n + b->n * RECORD_COST);
	const char *problem = NULL;

	if (atomic_load(&p->stop))
		return "publish-busy";
	pthread_mutex_lock(&p->held_lock);
	if (bus_shares_of(p->held_of, bus_str(b->reader)) >
		0 && /* the one request always has room in his part */
	    bus_shares_of(p->held_of, bus_str(b->reader)) + cost > p->conf.memory / BUS_SHARE_OF)
		problem = "publish-share";
	else if (p->held + cost > p->conf.memory || p->batches >= GW_PUBLISH_BATCHES_MAX)
		problem = "publish-busy";
	if (!problem) {
		p->held += cost;
		p->batches++;
		(void)bus_shares_add(p->held_of, bus_str(b->reader), cost);
		b->held = (size_t)cost;
	}
	pthread_mutex_unlock(&p->held_lock);
	if (problem)
		bus_metric_add(p->busy, 1);
	return problem;
}

void gw_publish_submit(struct gw_publish_batch *b)
{
	const char *problem;

	if (b->atomic && b->n_refused > 0)
		for (size_t i = 0; i < b->n; i++)
			gw_publish_refuse(b, &b->record[i], "record-not-sent", NULL, NULL);
	if (b->n_refused == b->n) {
		gw_publish_finish(b, NULL, NULL);
		return;
	}
	problem = hold(b);
	if (problem) {
		gw_publish_finish(b, problem, NULL);
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
