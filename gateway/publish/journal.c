/* Keys: looked up, claimed; what the two topics say of them. */
#include "gateway/publish/journal.h"

#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"

#define SAY_AGAIN 4 /* times within the time that keys are kept */

/* --- lists --------------------------------------------------------------------------------------------------- */

void gw_batch_list_init(struct gw_batch_list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

void gw_batch_list_add(struct gw_batch_list *l, struct gw_publish_batch *b)
{
	b->next = NULL;
	*l->last = b;
	l->last = &b->next;
}

static struct gw_publish_batch **place_of(struct gw_journal *j, const uint8_t *key)
{
	uint32_t h;
	struct gw_publish_batch **at;

	memcpy(&h, key + 8, sizeof(h));
	at = &j->bucket[h % GW_JOURNAL_BUCKETS];
	while (*at && memcmp((*at)->key, key, GW_PUBLISH_KEY_LEN) != 0)
		at = &(*at)->same_bucket;
	return at;
}

void gw_journal_forget(struct gw_journal *j, struct gw_publish_batch *b)
{
	struct gw_publish_batch **at = place_of(j, b->key);

	if (*at != b)
		return;
	*at = b->same_bucket;
	j->n--;
}

/* --- what is done once the lock is let go ----------------------------------------------------------------------- */

void gw_journal_work_init(struct gw_journal_work *w)
{
	gw_batch_list_init(&w->over);
	w->record = (struct bus_buf){ 0 };
}

void gw_journal_write(struct gw_journal *j, const struct bus_buf *record)
{
	struct gw_publish *p = j->all;
	const struct bus_str value = bus_buf_str(record);
	struct bus_error err = { 0 };

	pthread_rwlock_rdlock(&p->plain_lock);
	if (p->plain && bus_sender_send(p->plain, j->claims_topic, 0, (struct bus_str){ 0 }, &value, NULL, 0,
					0, NULL, &err))
		bus_log(BUS_LOG_WARN, "publish.claims", LOG_ERR(&err));
	pthread_rwlock_unlock(&p->plain_lock);
}

/* Room for a record whose length is known when it is there. */
static size_t begin_record(struct gw_journal_work *w)
{
	bus_buf_put(&w->record, "\0\0", 2);
	return w->record.n;
}

static void end_record(struct gw_journal_work *w, size_t from)
{
	uint16_t n = (uint16_t)(w->record.n - from);

	memcpy(w->record.p + from - sizeof(n), &n, sizeof(n));
}

void gw_journal_work_do(struct gw_journal *j, struct gw_journal_work *w)
{
	struct gw_publish_batch *b;
	uint16_t n;

	for (size_t at = 0; at < w->record.n; at += sizeof(n) + n) {
		struct bus_buf one;

		memcpy(&n, w->record.p + at, sizeof(n));
		one = (struct bus_buf){ .p = w->record.p + at + sizeof(n), .n = n };
		gw_journal_write(j, &one);
	}
	bus_buf_release(&w->record);
	while ((b = w->over.first)) {
		w->over.first = b->next;
		gw_publish_finish(b, NULL, NULL);
	}
}

void gw_journal_over(struct gw_journal *j, struct gw_publish_batch *b, const char *problem,
		     struct gw_journal_work *w)
{
	gw_journal_forget(j, b);
	b->problem = problem;
	gw_batch_list_add(&w->over, b);
}

void gw_journal_give_back(struct gw_journal *j, struct gw_publish_batch *b, struct gw_journal_work *w)
{
	size_t from;

	(void)j;
	if (!b->keyed)
		return;
	from = begin_record(w);
	gw_claims_put_back(&w->record, b->key, b->incarnation);
	end_record(w, from);
}

void gw_journal_say_again(struct gw_journal *j, struct gw_journal_work *w)
{
	const int64_t keep = j->all->conf.keep_ms, now = bus_clock_mono_ms();
	size_t from;

	for (size_t i = 0; i < GW_JOURNAL_LANES; i++) {
		if (!j->lane[i].open || now < j->lane[i].told_ms + keep / SAY_AGAIN)
			continue;
		j->lane[i].told_ms = now;
		from = begin_record(w);
		gw_claims_put_open(&w->record, j->lane[i].incarnation, j->lane[i].id);
		end_record(w, from);
	}
}

struct gw_lane *gw_journal_lane(struct gw_journal *j, const uint8_t *incarnation)
{
	for (size_t i = 0; i < GW_JOURNAL_LANES; i++)
		if (memcmp(j->lane[i].incarnation, incarnation, GW_PUBLISH_KEY_LEN) == 0)
			return &j->lane[i];
	return NULL;
}

/* --- asking for a key ------------------------------------------------------------------------------------------- */

/* The answer that is there, or why there is none yet. Under the lock. */
static bool known(struct gw_journal *j, struct gw_publish_batch *b)
{
	struct gw_claim at;

	gw_claims_look(j->claims, b->key, b->print, bus_clock_ms(), &at);
	if (at.state == GW_KEY_FREE)
		return false;
	if (!at.same) {
		b->problem = "idempotency-other";
	} else if (at.state == GW_KEY_DONE) {
		b->replayed = true;
		if (!gw_claims_get_answer(at.answer, b))
			b->problem = "publish-unknown";
	} else if (gw_journal_lane(j, at.holder) && !*place_of(j, b->key)) {
		return false; /* ours, and answered as not known: it goes on from where it stands */
	} else {
		b->problem = "idempotency-running";
		if (!gw_journal_lane(j, at.holder) && at.holder_id && !j->take &&
		    bus_clock_ms() - at.at_ms > GW_JOURNAL_TAKE_MS &&
		    bus_clock_mono_ms() - j->took_at > GW_JOURNAL_TAKE_MS) {
			j->take = true;
			memcpy(j->taken, at.holder, sizeof(j->taken));
			snprintf(j->taken_id, sizeof(j->taken_id), "%s", at.holder_id);
			pthread_cond_broadcast(&j->moved);
		}
	}
	return true;
}

bool gw_publish_answered(struct gw_publish_batch *b)
{
	struct gw_journal *j = b->all->journal;
	bool yes;

	pthread_mutex_lock(&j->lock);
	yes = known(j, b);
	pthread_mutex_unlock(&j->lock);
	if (b->replayed)
		bus_metric_add(b->all->replayed, 1);
	return yes;
}

void gw_journal_claim(struct gw_journal *j, struct gw_publish_batch *b, struct gw_journal_work *w)
{
	struct gw_lane *lane = NULL;
	size_t from;

	for (size_t i = 0; i < GW_JOURNAL_LANES && (!lane || !lane->open); i++)
		lane = &j->lane[j->turn++ % GW_JOURNAL_LANES];
	if (!lane->open) {
		b->stage = GW_BATCH_FRESH;
		gw_batch_list_add(&j->fresh, b);
		return;
	}
	memcpy(b->incarnation, lane->incarnation, sizeof(b->incarnation));
	if (!b->keyed) { /* nobody else has its key */
		b->stage = GW_BATCH_READY;
		gw_batch_list_add(&lane->ready, b);
		pthread_cond_broadcast(&j->moved);
		return;
	}
	b->stage = GW_BATCH_CLAIMING;
	from = begin_record(w);
	gw_claims_put_claim(&w->record, b);
	end_record(w, from);
}

void gw_journal_submit(struct gw_publish_batch *b)
{
	struct gw_journal *j = b->all->journal;
	struct gw_publish_batch **at;
	struct gw_journal_work w;
	const char *full;

	gw_journal_work_init(&w);
	pthread_mutex_lock(&j->lock);
	at = place_of(j, b->key);
	if (j->stop) {
		b->problem = "publish-busy";
	} else if (*at) {
		b->problem = memcmp((*at)->print, b->print, sizeof(b->print)) == 0 ? "idempotency-running"
										   : "idempotency-other";
	} else if (b->keyed && known(j, b)) {
		;
	} else if (b->keyed && (full = gw_claims_full(j->claims, b->key))) {
		b->problem = full;
	} else {
		b->same_bucket = NULL;
		*at = b;
		j->n++;
		gw_journal_claim(j, b, &w);
		b = NULL;
	}
	pthread_mutex_unlock(&j->lock);
	if (b)
		gw_batch_list_add(&w.over, b);
	gw_journal_work_do(j, &w);
}

void gw_journal_again(struct gw_journal *j, struct gw_publish_batch *b, struct gw_journal_work *w)
{
	struct gw_publish_batch **at;

	gw_journal_forget(j, b);
	if (b->keyed && known(j, b)) {
		gw_batch_list_add(&w->over, b);
		return;
	}
	at = place_of(j, b->key);
	b->same_bucket = NULL;
	*at = b;
	j->n++;
	gw_journal_claim(j, b, w);
}

/* --- what the topics say ------------------------------------------------------------------------------------------ */

/* A claim of ours, or of somebody for a key that we want too. */
static void on_claim(struct gw_journal *j, const struct gw_claim_event *e, struct gw_journal_work *w)
{
	struct gw_publish_batch *b = *place_of(j, e->key);
	struct gw_lane *lane = gw_journal_lane(j, e->incarnation);
	size_t from;

	if (!b || b->stage != GW_BATCH_CLAIMING ||
	    memcmp(b->incarnation, e->incarnation, GW_PUBLISH_KEY_LEN) != 0) {
		if (e->granted && lane && !b) { /* who asked has gone */
			from = begin_record(w);
			gw_claims_put_back(&w->record, e->key, e->incarnation);
			end_record(w, from);
		}
		return;
	}
	if (e->granted && lane) {
		b->history = e->history;
		b->stage = GW_BATCH_READY;
		gw_batch_list_add(&lane->ready, b);
		pthread_cond_broadcast(&j->moved);
		return;
	}
	gw_journal_again(j, b, w); /* somebody was faster, or we are not who we were */
}

void gw_journal_read_claims(void *ctx, const struct bus_record *record, size_t n)
{
	struct gw_journal *j = ctx;
	struct gw_journal_work w;
	struct gw_claim_event e;

	gw_journal_work_init(&w);
	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < n; i++) {
		gw_claims_read(j->claims, record[i].value, record[i].timestamp_ms, &e);
		if (e.said == GW_CLAIM_CLAIM)
			on_claim(j, &e, &w);
		else if (e.said == GW_CLAIM_BROKEN)
			bus_log(BUS_LOG_WARN, "publish.claims", LOG_STR("why", "not a record of ours"),
				LOG_INT("offset", record[i].offset));
	}
	pthread_cond_broadcast(&j->moved);
	pthread_mutex_unlock(&j->lock);
	gw_journal_work_do(j, &w);
}

void gw_journal_read_answers(void *ctx, const struct bus_record *record, size_t n)
{
	struct gw_journal *j = ctx;
	uint8_t key[GW_PUBLISH_KEY_LEN];
	struct gw_publish_batch *b;

	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < n; i++) {
		if (!gw_claims_read_answer(j->claims, record[i].value, record[i].timestamp_ms, key))
			continue;
		b = *place_of(j, key);
		if (b && memcmp(b->incarnation, record[i].value.p + 1 + 2 * GW_PUBLISH_KEY_LEN,
				GW_PUBLISH_KEY_LEN) == 0)
			b->committed = true;
	}
	pthread_mutex_unlock(&j->lock);
}
