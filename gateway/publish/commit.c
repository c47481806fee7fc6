/* The committing thread: what waits goes into one transaction, with its answers. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/publish/journal.h"

#define GROUP_BYTES ((size_t)8 * 1024 * 1024)
#define GROUP_RECORDS 50000
#define IDLE_MS 200
#define AGAIN_MS 200	  /* between two tries of what Kafka did not take */
#define RECORD_MS 10000	  /* that Kafka has for a record, and for a transaction whose gateway died */
#define CATCH_UP_MS 15000 /* longer than a dead gateway's transaction stays open */
#define TOLD_MS 5000	  /* until our own opening is read back */

struct work {
	struct gw_lane *lane;
	struct gw_journal *j;
	struct gw_batch_list group;
	bool lost; /* whether the last transaction was committed is not known */
};

/* --- answers of Kafka -------------------------------------------------------------------------------------------- */

static void on_sent(void *ctx, void *record, const struct bus_sent *a)
{
	struct gw_lane *lane = ctx;
	struct gw_publish_record *r = record;

	if (!r) /* an answer: the commit tells */
		return;
	if (lane->outstanding > 0)
		lane->outstanding--;
	if (a->rc == BUS_OK) {
		r->placed = a->partition;
		r->offset = a->offset;
	} else {
		r->problem = gw_publish_problem_of(a->rc);
		r->detail = a->why;
	}
}

static bool for_good(const struct gw_publish_record *r)
{
	return strcmp(r->problem, "publish-unknown") != 0 && strcmp(r->problem, "publish-busy") != 0;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static bool stopping(struct gw_journal *j)
{
	bool yes;

	pthread_mutex_lock(&j->lock);
	yes = j->stop;
	pthread_mutex_unlock(&j->lock);
	return yes;
}

static enum bus_err open_sender(struct gw_lane *lane, const char *id, struct bus_sender **out,
				struct bus_error *err)
{
	const struct bus_sender_conf conf = { .kafka = lane->journal->all->conf.kafka,
					      .transactional_id = id,
					      .linger_ms = 0,
					      .timeout_ms = RECORD_MS,
					      .sent = on_sent,
					      .ctx = lane };

	return bus_sender_open(&conf, out, err);
}

static void pause_ms(struct gw_journal *j, int ms)
{
	pthread_mutex_lock(&j->lock);
	if (!j->stop)
		(void)gw_journal_wait(j, ms);
	pthread_mutex_unlock(&j->lock);
}

static void put_over(void *ctx, const uint8_t *incarnation)
{
	gw_claims_put_over(ctx, incarnation);
}

/* Batches whose time is over while we cannot do anything for them. */
static void expire(struct gw_journal *j, struct gw_batch_list *list, const char *problem)
{
	struct gw_publish_batch *b, *next;
	struct gw_journal_work w;
	struct gw_batch_list keep;
	int64_t now = bus_clock_mono_ms();

	gw_journal_work_init(&w);
	gw_batch_list_init(&keep);
	pthread_mutex_lock(&j->lock);
	for (b = list->first; b; b = next) {
		next = b->next;
		if (b->until < now)
			gw_journal_over(j, b, problem, &w);
		else
			gw_batch_list_add(&keep, b);
	}
	gw_batch_list_init(list);
	for (b = keep.first; b; b = next) {
		next = b->next;
		gw_batch_list_add(list, b);
	}
	pthread_mutex_unlock(&j->lock);
	gw_journal_work_do(j, &w);
}

struct barrier {
	struct gw_journal *j;
	int64_t offset; /* -1: not there; -2: not known yet */
};

static void on_barrier(struct gw_publish_batch *b)
{
	struct barrier *at = b->ctx;
	struct gw_journal *j = at->j;

	pthread_mutex_lock(&j->lock);
	at->offset = b->record[0].offset;
	pthread_cond_broadcast(&j->moved);
	pthread_mutex_unlock(&j->lock);
	gw_publish_batch_free(&b);
}

/* Every answer that is committed by now has been read. The end that Kafka tells a reader of what is committed is no
 * measure: answers lie behind it as long as somebody's older transaction is open. So a record of our own is written,
 * and waited for. */
static enum bus_err read_answers_to_now(struct gw_journal *j, struct bus_error *err)
{
	struct gw_publish_batch *b = gw_publish_batch_new(j->all, j->all->conf.topic, "");
	struct barrier at = { j, -2 };
	struct gw_publish_record *r = gw_publish_add(b);

	bus_buf_putc(&b->bytes, 'B');
	r->value_n = 1;
	r->partition = 0;
	r->of = b;
	b->bare = true;
	b->done = on_barrier;
	b->ctx = &at;
	gw_plain_submit(b);
	pthread_mutex_lock(&j->lock);
	while (at.offset == -2) /* answered within the sender's time */
		(void)gw_journal_wait(j, IDLE_MS);
	pthread_mutex_unlock(&j->lock);
	if (at.offset < 0)
		return bus_fail(err, BUS_EKAFKA, "cannot write to topic '%s'", j->all->conf.topic);
	return bus_follow_wait(j->answers_log, at.offset, CATCH_UP_MS, err);
}

/* Says who we are now, and that those before us are over; waits until it is read back. */
static bool announce(struct gw_lane *lane, const struct bus_buf *over, uint8_t *fresh)
{
	struct gw_journal *j = lane->journal;
	struct bus_buf record = { 0 };
	int64_t until;
	bool told = false;

	for (size_t i = 0; i < over->n; i += 1 + GW_PUBLISH_KEY_LEN) {
		struct bus_buf one = { .p = over->p + i, .n = 1 + GW_PUBLISH_KEY_LEN };

		gw_journal_write(j, &one);
	}
	gw_claims_put_open(&record, fresh, lane->id);
	gw_journal_write(j, &record);
	bus_buf_release(&record);
	until = bus_clock_mono_ms() + TOLD_MS;
	pthread_mutex_lock(&j->lock);
	while (!(told = gw_claims_opened(j->claims, fresh)) && !j->stop && bus_clock_mono_ms() < until)
		(void)gw_journal_wait(j, 50);
	pthread_mutex_unlock(&j->lock);
	return told;
}

/* Who was in the last transaction is in the log, or claims again; so does who could not claim meanwhile. */
static void go_on(struct work *k, const uint8_t *fresh)
{
	struct gw_journal *j = k->j;
	struct gw_publish_batch *b, *next;
	struct gw_batch_list waiting;
	struct gw_journal_work w;

	gw_journal_work_init(&w);
	pthread_mutex_lock(&j->lock);
	memcpy(k->lane->incarnation, fresh, sizeof(k->lane->incarnation));
	k->lane->open = true;
	waiting = j->fresh;
	if (!waiting.first)
		waiting.last = &waiting.first;
	gw_batch_list_init(&j->fresh);
	for (b = k->group.first; b; b = next) {
		next = b->next;
		if (b->committed) {
			gw_journal_forget(j, b);
			gw_batch_list_add(&w.over, b);
			continue;
		}
		for (size_t i = 0; i < b->n; i++)
			if (b->record[i].problem && !for_good(&b->record[i]))
				b->record[i].problem = NULL;
		gw_journal_again(j, b, &w);
	}
	gw_batch_list_init(&k->group);
	for (b = waiting.first; b; b = next) {
		next = b->next;
		gw_journal_again(j, b, &w);
	}
	pthread_mutex_unlock(&j->lock);
	gw_journal_work_do(j, &w);
}

static void reopen(struct work *k)
{
	struct gw_journal *j = k->j;
	struct gw_lane *lane = k->lane;
	struct bus_buf over = { 0 };
	struct bus_error err;
	uint8_t fresh[GW_PUBLISH_KEY_LEN];
	enum bus_err rc;

	/* Those that are known now: opening fences them, and whoever opened since is not among them. */
	pthread_mutex_lock(&j->lock);
	lane->open = lane->again = false;
	gw_claims_each_open(j->claims, lane->id, put_over, &over);
	pthread_mutex_unlock(&j->lock);
	bus_sender_close(&lane->sender);
	while (!stopping(j)) {
		rc = open_sender(lane, lane->id, &lane->sender, &err);
		if (rc == BUS_OK)
			rc = read_answers_to_now(j, &err);
		if (rc == BUS_OK) {
			bus_random(fresh, sizeof(fresh));
			if (announce(lane, &over, fresh)) {
				k->lost = false;
				go_on(k, fresh);
				break;
			}
			rc = bus_fail(&err, BUS_ETIMEOUT,
				      "what we wrote into the topic of claims does not come back");
		}
		bus_log(BUS_LOG_WARN, "publish.open", LOG_ERR(&err));
		bus_sender_close(&lane->sender);
		expire(j, &k->group, "publish-unknown");
		expire(j, &j->fresh, "unavailable");
		pause_ms(j, AGAIN_MS);
	}
	bus_buf_release(&over);
}

struct dead { /* somebody's incarnation, of a gateway that answers no more */
	bool take;
	uint8_t who[GW_PUBLISH_KEY_LEN];
	char id[GW_CLAIM_ID_MAX + 1];
};

/* Under the lock. */
static void find_dead(struct gw_journal *j, struct dead *d)
{
	d->take = j->take;
	j->take = false;
	if (!d->take)
		return;
	memcpy(d->who, j->taken, sizeof(d->who));
	memcpy(d->id, j->taken_id, sizeof(d->id));
	j->took_at = bus_clock_mono_ms();
	for (size_t i = 0; i < GW_JOURNAL_LANES; i++)
		if (strcmp(j->lane[i].id, d->id) == 0) { /* ourselves, in a life before: opening fences it */
			j->lane[i].again = true;
			d->take = false;
		}
}

/* It is fenced, and said to be over. */
static void take_over(struct gw_lane *lane, const struct dead *d)
{
	struct gw_journal *j = lane->journal;
	struct bus_sender *fence = NULL;
	struct bus_buf record = { 0 };
	struct bus_error err;

	if (open_sender(lane, d->id, &fence, &err)) {
		bus_log(BUS_LOG_WARN, "publish.takeover", LOG_ERR(&err));
		return;
	}
	bus_sender_close(&fence);
	gw_claims_put_over(&record, d->who);
	gw_journal_write(j, &record);
	bus_buf_release(&record);
	bus_metric_add(j->takeovers, 1);
	bus_log(BUS_LOG_WARN, "publish.takeover", { .key = "of", .text = d->id },
		LOG_STR("effect", "its open transaction is undone; its keys are free again"));
}

/* --- a transaction ------------------------------------------------------------------------------------------------- */

/* What is ready, as much as one transaction takes. Under the lock. */
static void take_group(struct work *k, struct gw_journal_work *w)
{
	struct gw_journal *j = k->j;
	struct gw_lane *lane = k->lane;
	size_t bytes = 0, records = 0;
	struct gw_publish_batch *b;

	while ((b = lane->ready.first) && bytes < GROUP_BYTES && records < GROUP_RECORDS) {
		lane->ready.first = b->next;
		if (!lane->ready.first)
			lane->ready.last = &lane->ready.first;
		if (memcmp(b->incarnation, lane->incarnation, sizeof(b->incarnation)) != 0) {
			gw_journal_again(j, b, w);
			continue;
		}
		if (b->until < bus_clock_mono_ms()) {
			gw_journal_give_back(j, b, w);
			gw_journal_over(j, b, "unavailable", w);
			continue;
		}
		b->stage = GW_BATCH_TAKEN;
		bytes += b->bytes.n;
		records += b->n;
		gw_batch_list_add(&k->group, b);
	}
}

/* Keys that were somebody's before: is there an answer by now? False: Kafka does not say. */
static bool settle_history(struct work *k)
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
	if (read_answers_to_now(j, &err)) {
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
			r->problem = gw_publish_problem_of(err.code);
		else
			lane->outstanding++;
	}
}

/* Every record is answered. False: not all of them have a place. */
static bool all_sent(struct work *k, size_t *refused_before)
{
	struct gw_lane *lane = k->lane;
	size_t refused = 0;

	bus_sender_settle(lane->sender, 2 * RECORD_MS);
	for (const struct gw_publish_batch *b = k->group.first; b; b = b->next)
		for (size_t i = 0; i < b->n; i++)
			refused += b->record[i].problem != NULL;
	return lane->outstanding == 0 && refused == *refused_before;
}

static enum bus_err send_answers(struct work *k, struct bus_buf *answers, struct bus_error *err)
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

static void finish_group(struct work *k, const struct bus_buf *answers)
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

/* Nothing of it is in the log: who can goes into the next one. */
static void begin_again(struct work *k)
{
	struct gw_journal *j = k->j;
	struct gw_publish_batch *b, *next;
	struct gw_journal_work w;

	gw_journal_work_init(&w);
	pthread_mutex_lock(&j->lock);
	for (b = k->group.first; b; b = next) {
		bool refused = false, left = false;

		next = b->next;
		for (size_t i = 0; i < b->n; i++) {
			struct gw_publish_record *r = &b->record[i];

			if (r->problem && !for_good(r))
				r->problem = NULL;
			r->offset = -1;
			refused |= r->problem != NULL;
			left |= r->problem == NULL;
		}
		if (refused && b->atomic) {
			for (size_t i = 0; i < b->n; i++)
				if (!b->record[i].problem)
					b->record[i].problem = "record-not-sent";
			left = false;
		}
		if (left) {
			b->stage = GW_BATCH_READY;
			gw_batch_list_add(&k->lane->ready, b);
			continue;
		}
		gw_journal_give_back(j, b, &w);
		gw_journal_forget(j, b);
		gw_batch_list_add(&w.over, b);
	}
	pthread_mutex_unlock(&j->lock);
	gw_batch_list_init(&k->group);
	gw_journal_work_do(j, &w);
	bus_metric_add(j->aborts, 1);
}

static void commit_group(struct work *k)
{
	struct gw_journal *j = k->j;
	struct gw_lane *lane = k->lane;
	const struct bus_str place = BUS_STR("P"); /* no answer: read over */
	struct bus_buf answers = { 0 };
	struct bus_error err = { 0 };
	size_t refused = 0;
	enum bus_err rc;

	if (!settle_history(k)) {
		begin_again(k);
		pause_ms(j, AGAIN_MS);
		return;
	}
	if (!k->group.first)
		return;
	lane->outstanding = 0;
	rc = bus_sender_begin(lane->sender, &err);
	if (rc == BUS_OK) /* so that the partition of answers is made part of it together with the others */
		rc = bus_sender_send(lane->sender, j->all->conf.topic, 0, (struct bus_str){ 0 }, &place, NULL,
				     0, 0, NULL, &err);
	for (struct gw_publish_batch *b = k->group.first; b && rc == BUS_OK; b = b->next) {
		for (size_t i = 0; i < b->n; i++)
			refused += b->record[i].problem != NULL;
		send_records(lane, b);
	}
	if (rc == BUS_OK && !all_sent(k, &refused))
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
		begin_again(k);
		pause_ms(j, AGAIN_MS);
	}
	bus_buf_release(&answers);
}

void *gw_journal_commit(void *ctx)
{
	struct gw_lane *lane = ctx;
	struct gw_journal *j = lane->journal;
	struct work k = { .lane = lane, .j = j };
	struct gw_journal_work w;
	struct dead dead;
	bool again;

	gw_batch_list_init(&k.group);
	while (!stopping(j)) {
		if (!lane->sender || bus_sender_dead(lane->sender) || k.lost) {
			reopen(&k);
			continue;
		}
		gw_journal_work_init(&w);
		pthread_mutex_lock(&j->lock);
		if (!lane->ready.first && !lane->again && !j->take && !j->stop)
			(void)gw_journal_wait(j, IDLE_MS);
		find_dead(j, &dead);
		again = lane->again;
		take_group(&k, &w);
		pthread_mutex_unlock(&j->lock);
		gw_journal_work_do(j, &w);
		if (k.group.first)
			commit_group(&k);
		else
			bus_sender_poll(lane->sender, 0);
		if (dead.take)
			take_over(lane, &dead);
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
