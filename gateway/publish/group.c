/* Which batches share a transaction. One of which Kafka does not take a record undoes it for all: the rest is tried again by
 * itself, and for a while that reader's batches share theirs with their like alone. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/publish/commit.h"

#define GROUP_BYTES ((size_t)8 * 1024 * 1024)
#define GROUP_RECORDS 50000
#define SIZE_MS 1000 /* an answer about partitions is good for so long, when one is missing */
#define ASK_MS 5000
#define SUSPECT_MS 30000

static struct gw_publish_batch *pop(struct gw_batch_list *l)
{
	struct gw_publish_batch *b = l->first;

	l->first = b->next;
	if (!l->first)
		l->last = &l->first;
	return b;
}

static bool is_suspect(const struct gw_journal *j, const struct gw_publish_batch *b, int64_t now)
{
	for (size_t i = 0; i < GW_JOURNAL_SUSPECTS; i++)
		if (j->suspect[i].until > now && strcmp(j->suspect[i].reader, b->reader) == 0)
			return true;
	return b->suspect;
}

static void suspect(struct gw_journal *j, struct gw_publish_batch *b)
{
	const int64_t now = bus_clock_mono_ms();

	b->suspect = true;
	for (size_t i = 0; i < GW_JOURNAL_SUSPECTS; i++)
		if (j->suspect[i].until > now && strcmp(j->suspect[i].reader, b->reader) == 0) {
			j->suspect[i].until = now + SUSPECT_MS;
			return;
		}
	memcpy(j->suspect[j->next_suspect].reader, b->reader, sizeof(b->reader));
	j->suspect[j->next_suspect].until = now + SUSPECT_MS;
	j->next_suspect = (j->next_suspect + 1) % GW_JOURNAL_SUSPECTS;
}

/* Whether it goes into the group that is being made; if not, it is done with. */
static bool is_good(struct gw_commit *k, struct gw_publish_batch *b, int64_t now, struct gw_journal_work *w)
{
	if (memcmp(b->incarnation, k->lane->incarnation, sizeof(b->incarnation)) != 0) {
		gw_journal_again(k->j, b, w);
		return false;
	}
	if (b->until < now) {
		gw_journal_give_back(k->j, b, w);
		gw_journal_over(k->j, b, "unavailable", w);
		return false;
	}
	return true;
}

void gw_commit_take_group(struct gw_commit *k, struct gw_journal_work *w)
{
	const int64_t now = bus_clock_mono_ms();
	struct gw_batch_list *from = k->rest.first ? &k->rest : &k->lane->ready, waiting = *from;
	size_t bytes = 0, records = 0;
	struct gw_publish_batch *b, *next;

	gw_batch_list_init(from);
	for (b = waiting.first; b; b = next) {
		next = b->next;
		b->suspect = is_suspect(k->j, b, now);
		if (bytes >= GROUP_BYTES || records >= GROUP_RECORDS ||
		    (k->group.first && k->group.first->suspect != b->suspect)) {
			gw_batch_list_add(from, b);
		} else if (is_good(k, b, now, w)) {
			b->stage = GW_BATCH_TAKEN;
			bytes += b->bytes.n;
			records += b->n;
			gw_batch_list_add(&k->group, b);
		}
	}
}

/* Readies it for another try. False: there is nothing left to try. *refused: Kafka refused some of it since. */
static bool ready_again(struct gw_publish_batch *b, bool *refused)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct gw_publish_record *r = &b->record[i];

		if (r->problem && !gw_commit_for_good(r))
			r->problem = NULL;
		r->offset = -1;
		n += r->problem != NULL;
	}
	*refused = n > b->n_refused;
	b->n_refused = n;
	if (n == 0 || !b->atomic)
		return n < b->n;
	for (size_t i = 0; i < b->n; i++)
		gw_publish_refuse(b, &b->record[i], "record-not-sent", NULL, NULL);
	return false;
}

static void leave(struct gw_journal *j, struct gw_publish_batch *b, struct gw_journal_work *w)
{
	gw_journal_give_back(j, b, w);
	gw_journal_forget(j, b);
	gw_batch_list_add(&w->over, b);
}

bool gw_commit_begin_again(struct gw_commit *k)
{
	struct gw_journal *j = k->j;
	struct gw_publish_batch *b;
	struct gw_journal_work w;
	bool refused, any = false, left;

	gw_journal_work_init(&w);
	pthread_mutex_lock(&j->lock);
	while (k->group.first) {
		b = pop(&k->group);
		left = ready_again(b, &refused);
		any |= refused;
		if (refused)
			suspect(j, b);
		if (!left) {
			leave(j, b, &w);
			continue;
		}
		b->stage = GW_BATCH_READY;
		gw_batch_list_add(refused ? &k->lane->ready : &k->rest, b);
	}
	pthread_mutex_unlock(&j->lock);
	gw_journal_work_do(j, &w);
	bus_metric_add(j->aborts, 1);
	return any;
}

/* --- partitions ------------------------------------------------------------------------------------------------- */

/* Is it there, as far as can be known? Topics grow: that it is not is asked again. */
static bool is_there(struct gw_commit *k, const char *topic, int32_t partition)
{
	const int64_t now = bus_clock_mono_ms();
	struct gw_topic_size *s = NULL;
	struct bus_error err;

	for (size_t i = 0; i < k->n_sizes && !s; i++)
		if (strcmp(k->size[i].topic, topic) == 0)
			s = &k->size[i];
	if (s && (partition < s->partitions || now - s->at_ms < SIZE_MS))
		return partition < s->partitions;
	for (size_t i = 0; k->n_sizes == GW_COMMIT_SIZES && i < GW_COMMIT_SIZES && !s; i++)
		if (i + 1 == GW_COMMIT_SIZES || now - k->size[i].at_ms > SIZE_MS)
			s = &k->size[i];
	if (!s)
		s = &k->size[k->n_sizes++];
	memcpy(s->topic, topic, strlen(topic) + 1);
	s->at_ms = now;
	if (bus_sender_partitions(k->lane->sender, topic, ASK_MS, &s->partitions, &err)) {
		bus_log(BUS_LOG_WARN, "publish.partitions", LOG_ERR(&err));
		s->partitions = 0;
		s->at_ms = 0;
		return true; /* Kafka will say */
	}
	return partition < s->partitions;
}

static bool check_batch(struct gw_commit *k, struct gw_publish_batch *b)
{
	bool any = false, refused;

	for (size_t i = 0; i < b->n; i++) {
		struct gw_publish_record *r = &b->record[i];

		if (r->problem || r->partition < 0 || is_there(k, b->topic, r->partition))
			continue;
		gw_publish_refuse(b, r, "partition-unknown", NULL, NULL);
		any = true;
	}
	return !any || ready_again(b, &refused);
}

void gw_commit_check_partitions(struct gw_commit *k)
{
	struct gw_publish_batch *b, *next;
	struct gw_batch_list keep, done;
	struct gw_journal_work w;

	gw_batch_list_init(&keep);
	gw_batch_list_init(&done);
	for (b = k->group.first; b; b = next) {
		next = b->next;
		gw_batch_list_add(check_batch(k, b) ? &keep : &done, b);
	}
	gw_batch_list_init(&k->group);
	while (keep.first)
		gw_batch_list_add(&k->group, pop(&keep));
	gw_journal_work_init(&w);
	pthread_mutex_lock(&k->j->lock);
	while (done.first)
		leave(k->j, pop(&done), &w);
	pthread_mutex_unlock(&k->j->lock);
	gw_journal_work_do(k->j, &w);
}
