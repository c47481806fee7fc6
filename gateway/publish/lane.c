/* A lane's producer: opened, which settles whatever the one before had begun; and those of gateways that died, fenced. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/publish/commit.h"

#define AGAIN_MS 200 /* between two tries of what Kafka did not take */
#define IDLE_MS 200
#define CATCH_UP_MS 15000 /* longer than a dead gateway's transaction stays open */
#define TOLD_MS 5000	  /* until our own opening is read back */

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
		r->problem = gw_publish_problem_of(r, a->rc);
		r->detail = a->why;
	}
}

bool gw_commit_for_good(const struct gw_publish_record *r)
{
	return strcmp(r->problem, "publish-unknown") != 0 && strcmp(r->problem, "publish-busy") != 0;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

bool gw_commit_stopping(struct gw_journal *j)
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
					      .timeout_ms = GW_COMMIT_RECORD_MS,
					      .sent = on_sent,
					      .ctx = lane };

	return bus_sender_open(&conf, out, err);
}

void gw_commit_pause(struct gw_journal *j, int ms)
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
enum bus_err gw_commit_read_answers(struct gw_journal *j, struct bus_error *err)
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
static void go_on(struct gw_commit *k, const uint8_t *fresh)
{
	struct gw_journal *j = k->j;
	struct gw_publish_batch *b, *next;
	struct gw_batch_list waiting;
	struct gw_journal_work w;

	gw_journal_work_init(&w);
	pthread_mutex_lock(&j->lock);
	memcpy(k->lane->incarnation, fresh, sizeof(k->lane->incarnation));
	k->lane->open = true;
	k->lane->told_ms = bus_clock_mono_ms();
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
			if (b->record[i].problem && !gw_commit_for_good(&b->record[i]))
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

void gw_commit_reopen(struct gw_commit *k)
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
	while (!gw_commit_stopping(j)) {
		rc = open_sender(lane, lane->id, &lane->sender, &err);
		if (rc == BUS_OK)
			rc = gw_commit_read_answers(j, &err);
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
		expire(
		    j, &k->rest,
		    "unavailable"); /* granted to who we were: once that one is over, their keys are free */
		expire(j, &lane->ready, "unavailable");
		expire(j, &j->fresh, "unavailable");
		gw_commit_pause(j, AGAIN_MS);
	}
	bus_buf_release(&over);
}

/* Under the lock. */
void gw_commit_find_dead(struct gw_journal *j, struct gw_dead *d)
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
void gw_commit_take_over(struct gw_lane *lane, const struct gw_dead *d)
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
