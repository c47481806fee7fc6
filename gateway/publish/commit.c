/* The committing thread: what waits goes into one transaction, with its answers. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/publish/commit.h"

#define IDLE_MS 200
#define AGAIN_MS 200 /* between two tries of what Kafka did not take */

/* --- a transaction ------------------------------------------------------------------------------------------------- */

/* Keys that were somebody's before: is there an answer by now? False: Kafka does not say. */
static bool settle_history(struct gw_commit *k)
{
	struct gw_journal *j = k->j;
	struct gw_publish_batch *b, *next;
	struct gw_batch_list keep;
	struct gw_journal_work w;
	struct bus_error err;
	bool any = false;

	for (b = k->group.first; b; b = b->next)
		any |= b->history;
	if (!any)
		return true;
	if (gw_commit_read_answers(j, &err)) {
		bus_log(BUS_LOG_WARN, "publish.answers", LOG_ERR(&err));
		return false;
	}
	gw_journal_work_init(&w);
	gw_batch_list_init(&keep);
	pthread_mutex_lock(&j->lock);
	for (b = k->group.first; b; b = next) {
		struct gw_claim at;

		next = b->next;
		gw_claims_look(j->claims, b->key, b->print, bus_clock_ms(), &at);
		if (b->history && at.state == GW_KEY_DONE)
			gw_journal_again(j, b, &w);
		else
			gw_batch_list_add(&keep, b);
		b->history = false;
	}
	pthread_mutex_unlock(&j->lock);
	gw_batch_list_init(&k->group);
	for (b = keep.first; b; b = next) {
		next = b->next;
		gw_batch_list_add(&k->group, b);
	}
	gw_journal_work_do(j, &w);
	return true;
}

static void send_records(struct gw_lane *lane, struct gw_publish_batch *b)
{
	struct gw_stamp stamp;
	struct bus_error err = { 0 };

	gw_stamp_batch(&stamp, b);
	for (size_t i = 0; i < b->n; i++) {
		struct gw_publish_record *r = &b->record[i];
		const struct bus_str key = { r->has_key ? b->bytes.p + r->key_at : NULL, r->key_n };
		const struct bus_str value = { b->bytes.p + r->value_at, r->value_n };

		if (r->problem)
			continue;
		gw_stamp_record(&stamp, b, r);
		if (bus_sender_send(lane->sender, b->topic, r->partition, key, r->tombstone ? NULL : &value,
				    stamp.header, stamp.n, r->timestamp_ms, r, &err))
			gw_publish_refuse(b, r, gw_publish_problem_of(r, err.code), NULL, NULL);
		else
			lane->outstanding++;
	}
}

/* Records without a place. Of a batch that may lack some, those that will never be taken are no reason to fail. */
static size_t missing(const struct gw_commit *k, bool all)
{
	size_t n = 0;

	for (const struct gw_publish_batch *b = k->group.first; b; b = b->next)
		for (size_t i = 0; i < b->n; i++)
			n += b->record[i].problem &&
			     (all || (!b->atomic && gw_commit_for_good(&b->record[i])));
	return n;
}

/* Every record is answered. False: what was sent has no place, and with it the transaction is lost. */
static bool all_sent(struct gw_commit *k)
{
	const size_t refused = missing(k, false); /* before they went to Kafka */

	bus_sender_settle(k->lane->sender, 2 * GW_COMMIT_RECORD_MS);
	return k->lane->outstanding == 0 && missing(k, true) == refused;
}

static enum bus_err send_answers(struct gw_commit *k, struct bus_buf *answers, struct bus_error *err)
{
	struct gw_journal *j = k->j;
	struct gw_lane *lane = k->lane;
	enum bus_err rc = BUS_OK;

	for (struct gw_publish_batch *b = k->group.first; b && rc == BUS_OK; b = b->next) {
		struct bus_str value;

		b->answer_at = answers->n;
		gw_claims_put_answer(answers, b);
		b->answer_n = answers->n - b->answer_at;
		value = (struct bus_str){ answers->p + b->answer_at, b->answer_n };
		rc = bus_sender_send(lane->sender, j->all->conf.topic, 0, (struct bus_str){ 0 }, &value, NULL,
				     0, 0, NULL, err);
	}
	return rc;
}

static void finish_group(struct gw_commit *k, const struct bus_buf *answers)
{
	const size_t head = 1 + 3 * GW_PUBLISH_KEY_LEN;
	struct gw_journal *j = k->j;
	struct gw_journal_work w;
	struct gw_publish_batch *b, *next;

	gw_journal_work_init(&w);
	pthread_mutex_lock(&j->lock);
	for (b = k->group.first; b; b = next) {
		next = b->next;
		if (b->keyed)
			gw_claims_done(
			    j->claims, b->key, b->print,
			    (struct bus_str){ answers->p + b->answer_at + head, b->answer_n - head },
			    bus_clock_ms());
		gw_journal_forget(j, b);
		gw_batch_list_add(&w.over, b);
	}
	pthread_mutex_unlock(&j->lock);
	gw_batch_list_init(&k->group);
	gw_journal_work_do(j, &w);
}

static void commit_group(struct gw_commit *k)
{
	struct gw_journal *j = k->j;
	struct gw_lane *lane = k->lane;
	const struct bus_str place = BUS_STR("P"); /* no answer: read over */
	struct bus_buf answers = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc;

	if (!settle_history(k)) {
		(void)gw_commit_begin_again(k);
		gw_commit_pause(j, AGAIN_MS);
		return;
	}
	gw_commit_check_partitions(k);
	if (!k->group.first)
		return;
	lane->outstanding = 0;
	rc = bus_sender_begin(lane->sender, &err);
	if (rc == BUS_OK) /* so that the partition of answers is made part of it together with the others */
		rc = bus_sender_send(lane->sender, j->all->conf.topic, 0, (struct bus_str){ 0 }, &place, NULL,
				     0, 0, NULL, &err);
	for (struct gw_publish_batch *b = k->group.first; b && rc == BUS_OK; b = b->next)
		send_records(lane, b);
	if (rc == BUS_OK && !all_sent(k))
		rc = bus_fail(&err, BUS_EKAFKA, "Kafka did not take every record");
	if (rc == BUS_OK)
		rc = send_answers(k, &answers, &err);
	if (rc == BUS_OK)
		rc = bus_sender_commit(lane->sender, &err);
	else if (!bus_err_fatal(rc) && bus_sender_abort(lane->sender, NULL) != BUS_OK)
		rc = BUS_EFATAL;
	if (rc == BUS_OK) {
		bus_metric_add(j->commits, 1);
		finish_group(k, &answers);
	} else if (rc == BUS_EFATAL) {
		bus_log(BUS_LOG_WARN, "publish.lost", LOG_ERR(&err),
			LOG_STR("effect", "opening anew and reading the log to see"));
		k->lost = true;
	} else {
		bus_log(BUS_LOG_WARN, "publish.again", LOG_ERR(&err));
		if (!gw_commit_begin_again(k))
			gw_commit_pause(j, AGAIN_MS);
	}
	bus_buf_release(&answers);
}

void *gw_journal_commit(void *ctx)
{
	struct gw_lane *lane = ctx;
	struct gw_journal *j = lane->journal;
	struct gw_commit k = { .lane = lane, .j = j };
	struct gw_journal_work w;
	struct gw_dead dead;
	bool again;

	gw_batch_list_init(&k.group);
	gw_batch_list_init(&k.rest);
	while (!gw_commit_stopping(j)) {
		if (!lane->sender || bus_sender_dead(lane->sender) || k.lost) {
			gw_commit_reopen(&k);
			continue;
		}
		gw_journal_work_init(&w);
		pthread_mutex_lock(&j->lock);
		if (!lane->ready.first && !k.rest.first && !lane->again && !j->take && !j->stop)
			(void)gw_journal_wait(j, IDLE_MS);
		gw_commit_find_dead(j, &dead);
		again = lane->again;
		gw_commit_take_group(&k, &w);
		pthread_mutex_unlock(&j->lock);
		gw_journal_work_do(j, &w);
		if (k.group.first)
			commit_group(&k);
		else
			bus_sender_poll(lane->sender, 0);
		if (dead.take)
			gw_commit_take_over(lane, &dead);
		if (again)
			bus_sender_close(&lane->sender);
	}
	bus_sender_close(&lane->sender);
	pthread_mutex_lock(&j->lock);
	again = lane->open && !k.lost;
	lane->open = false;
	pthread_mutex_unlock(&j->lock);
	if (again) { /* nothing of ours is under way: others need not wait */
		struct bus_buf record = { 0 };

		gw_claims_put_over(&record, lane->incarnation);
		gw_journal_write(j, &record);
		bus_buf_release(&record);
	}
	return NULL;
}
