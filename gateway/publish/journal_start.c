/* The journal's beginning and end, and what is done once a second. */
#include <poll.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/wait.h"
#include "gateway/publish/journal.h"

#define OPEN_MS 60000
#define OPEN_AGAIN_MS 200
#define ADMIN_MS 30000
#define QUEUE_BYTES (4 * 1024 * 1024)

static enum bus_err make_topics(struct gw_journal *j, struct bus_error *err)
{
	const struct gw_publish_conf *conf = &j->all->conf;
	char *keep = bus_xasprintf("retention.ms=%lld", (long long)conf->keep_ms + 3600000);
	const char *const config[] = { "cleanup.policy=delete", keep, "segment.ms=3600000",
				       "message.timestamp.type=LogAppendTime", NULL };
	struct bus_topic_spec spec[] = { { .name = j->claims_topic, .partitions = 1, .config = config },
					 { .name = conf->topic, .partitions = 1, .config = config } };
	struct bus_topic_state state = { 0 };
	enum bus_err rc = bus_admin_topic(&conf->kafka, conf->topic, &state, ADMIN_MS, err);
	size_t made;

	if (rc == BUS_OK || rc == BUS_ENOENT) {
		spec[0].replication = spec[1].replication = state.brokers < 3 ? state.brokers : 3;
		rc = bus_admin_create_topics(&conf->kafka, spec, BUS_LEN(spec), &made, ADMIN_MS, err);
	}
	free(keep);
	return rc;
}

static enum bus_err follow(struct gw_journal *j, const char *topic,
			   void (*records)(void *ctx, const struct bus_record *record, size_t n),
			   struct bus_follow **out, struct bus_error *err)
{
	const struct bus_follow_conf conf = { .kafka = j->all->conf.kafka,
					      .topic = topic,
					      .queue_bytes = QUEUE_BYTES,
					      .records = records,
					      .ctx = j };

	int64_t until = bus_clock_mono_ms() + OPEN_MS;
	enum bus_err rc;

	/* A topic that was just made may have no leader yet. Reading its beginning twice changes nothing. */
	while ((rc = bus_follow_open(&conf, OPEN_MS, out, err)) != BUS_OK && bus_err_retriable(rc) &&
	       bus_clock_mono_ms() < until)
		(void)poll(NULL, 0, OPEN_AGAIN_MS);
	return rc;
}

enum bus_err gw_journal_start(struct gw_publish *p, struct gw_journal **out, struct bus_error *err)
{
	struct gw_journal *j = bus_xcalloc(1, sizeof(*j));
	enum bus_err rc;

	*out = j;
	j->all = p;
	j->claims_topic = bus_xasprintf("%s_claims", p->conf.topic);
	j->claims = gw_claims_new(p->conf.keep_ms, p->conf.memory);
	gw_batch_list_init(&j->fresh);
	for (size_t i = 0; i < GW_JOURNAL_LANES; i++) {
		j->lane[i].journal = j;
		j->lane[i].id = bus_xasprintf("%s-%zu", p->conf.id, i);
		gw_batch_list_init(&j->lane[i].ready);
	}
	pthread_mutex_init(&j->lock, NULL);
	bus_cond_init(&j->moved);
	j->commits =
	    bus_metric("titian_publish_commits_total", "counter", "Transactions of published records.", "");
	j->aborts =
	    bus_metric("titian_publish_aborts_total", "counter", "Transactions that were begun again.", "");
	j->takeovers = bus_metric("titian_publish_takeovers_total", "counter",
				  "Dead gateways whose keys were taken over.", "");
	j->keys = bus_metric("titian_publish_keys", "gauge", "Idempotency keys remembered.", "");
	rc = make_topics(j, err);
	/* Claims first: an answer finds the claim that it belongs to. */
	if (rc == BUS_OK)
		rc = follow(j, j->claims_topic, gw_journal_read_claims, &j->claims_log, err);
	if (rc == BUS_OK)
		rc = follow(j, p->conf.topic, gw_journal_read_answers, &j->answers_log, err);
	for (size_t i = 0; i < GW_JOURNAL_LANES && rc == BUS_OK; i++) {
		if (pthread_create(&j->lane[i].thread, NULL, gw_journal_commit, &j->lane[i]) != 0)
			rc = bus_fail(err, BUS_EIO, "cannot start a thread");
		else
			j->lane[i].runs = true;
	}
	return rc;
}

bool gw_journal_wait(struct gw_journal *j, int ms)
{
	return bus_cond_wait(&j->moved, &j->lock, bus_clock_mono_ms() + ms);
}

void gw_journal_tick(struct gw_journal *j)
{
	int64_t now = bus_clock_mono_ms();
	struct gw_publish_batch *b, *next;
	struct gw_journal_work w;

	gw_journal_work_init(&w);
	pthread_mutex_lock(&j->lock);
	gw_claims_sweep(j->claims, bus_clock_ms());
	gw_journal_say_again(j, &w);
	bus_metric_set(j->keys, (int64_t)gw_claims_count(j->claims));
	for (size_t i = 0; i < GW_JOURNAL_BUCKETS; i++)
		for (b = j->bucket[i]; b; b = next) { /* claims that were not written, or not read */
			next = b->same_bucket;
			if (b->stage == GW_BATCH_CLAIMING && b->until < now)
				gw_journal_over(j, b, "publish-unknown", &w);
		}
	pthread_mutex_unlock(&j->lock);
	gw_journal_work_do(j, &w);
}

void gw_journal_stop(struct gw_journal *j)
{
	struct gw_journal_work w;

	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_broadcast(&j->moved);
	pthread_mutex_unlock(&j->lock);
	for (size_t i = 0; i < GW_JOURNAL_LANES; i++) {
		if (j->lane[i].runs)
			pthread_join(j->lane[i].thread, NULL);
		j->lane[i].runs = false;
	}
	bus_follow_close(&j->claims_log);
	bus_follow_close(&j->answers_log);
	gw_journal_work_init(&w);
	for (size_t i = 0; i < GW_JOURNAL_BUCKETS; i++)
		while (j->bucket[i])
			gw_journal_over(j, j->bucket[i], "publish-unknown", &w);
	gw_journal_work_do(j, &w);
}

void gw_journal_free(struct gw_journal **jp)
{
	struct gw_journal *j = *jp;

	*jp = NULL;
	if (!j)
		return;
	gw_claims_free(&j->claims);
	pthread_cond_destroy(&j->moved);
	pthread_mutex_destroy(&j->lock);
	for (size_t i = 0; i < GW_JOURNAL_LANES; i++)
		free(j->lane[i].id);
	free(j->claims_topic);
	free(j);
}

void gw_publish_tick(struct gw_publish *p)
{
	gw_journal_tick(p->journal);
}
