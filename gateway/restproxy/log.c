#include "gateway/restproxy/log.h"

#include <stdio.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/log.h"
#include "bus/wait.h"
#include "gateway/restproxy/log_impl.h"

#define OPEN_MS 600000 /* to read what is there */
#define AGAIN_MS 200   /* after trouble; twice as long each time */
#define AGAIN_MAX_MS 15000
#define ADMIN_MS 5000 /* a question; and what a stop may wait for */
#define POLL_MS 100
#define QUEUE_BYTES (4 * 1024 * 1024)

bool gw_rp_log_ready(const struct gw_rp_log *l)
{
	return l->ready;
}

uint64_t gw_rp_log_node(const struct gw_rp_log *l)
{
	return l->node;
}

struct gw_rp_state *gw_rp_log_lock(struct gw_rp_log *l)
{
	pthread_mutex_lock(&l->lock);
	return l->state;
}

void gw_rp_log_unlock(struct gw_rp_log *l)
{
	pthread_mutex_unlock(&l->lock);
}

bool gw_rp_log_wait_until(struct gw_rp_log *l, int64_t mono_ms)
{
	return bus_cond_wait(&l->moved, &l->lock, mono_ms);
}

void gw_rp_log_wait(struct gw_rp_log *l, int ms)
{
	if (!l->stop)
		(void)gw_rp_log_wait_until(l, bus_clock_mono_ms() + ms);
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static void settle(struct gw_rp_log *l, uint64_t write, int state)
{
	for (struct gw_rp_pending *p = l->pending; p; p = p->next)
		if (p->write == write && p->state == WAITS)
			p->state = state;
}

static void on_records(void *ctx, const struct bus_record *record, size_t n)
{
	struct gw_rp_log *l = ctx;
	const int64_t now = bus_clock_mono_ms();
	struct gw_rp_event e;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < n; i++) {
		gw_rp_state_read(l->state, record[i].key,
				 record[i].tombstone ? (struct bus_str){ 0 } : record[i].value,
				 record[i].timestamp_ms, now, &e);
		if (e.said == GW_RP_SAID_TAKEN || e.said == GW_RP_SAID_VOID)
			settle(l, e.write, e.said == GW_RP_SAID_TAKEN ? TAKEN : VOID);
		else if (e.said == GW_RP_SAID_BARRIER && e.node == l->node && e.number > l->barrier_read)
			l->barrier_read = e.number;
		else if (e.said == GW_RP_SAID_BROKEN)
			bus_log(BUS_LOG_WARN, "restproxy.log", LOG_STR("why", "not a record of ours"),
				LOG_INT("offset", record[i].offset));
	}
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
}

static enum bus_err open_sender(struct gw_rp_log *l, struct bus_sender **out, struct bus_error *err)
{
	const struct bus_sender_conf conf = {
		.kafka = l->conf.kafka, .timeout_ms = GW_RP_LOG_SEND_MS, .sent = gw_rp_log_sent, .ctx = l
	};

	return bus_sender_open(&conf, out, err);
}

static void take_answers(struct gw_rp_log *l)
{
	struct bus_sender *fresh, *old;
	struct bus_error err;

	while (!l->stop) {
		bus_sender_poll(l->sender, POLL_MS);
		if (bus_sender_dead(l->sender)) {
			if (open_sender(l, &fresh, &err) == BUS_OK) {
				pthread_rwlock_wrlock(&l->sender_lock);
				old = l->sender;
				l->sender = fresh;
				pthread_rwlock_unlock(&l->sender_lock);
				bus_sender_close(&old);
			} else {
				bus_log(BUS_LOG_ERROR, "restproxy.log", LOG_ERR(&err));
			}
		}
	}
}

/* --- the whole ----------------------------------------------------------------------------------------------- */

static enum bus_err make_topic(struct gw_rp_log *l, struct bus_error *err)
{
	const int64_t lag = 2 * l->conf.live_ms > 3600000 ? 2 * l->conf.live_ms : 3600000;
	char *keep = bus_xasprintf("min.compaction.lag.ms=%lld", (long long)lag);
	const char *const config[] = { "cleanup.policy=compact",
				       keep,
				       "segment.ms=3600000",
				       "min.cleanable.dirty.ratio=0.2",
				       "message.timestamp.type=LogAppendTime",
				       NULL };
	struct bus_topic_spec spec = { .name = l->topic, .partitions = 1, .config = config };
	struct bus_topic_state state = { 0 };
	enum bus_err rc = bus_admin_topic(&l->conf.kafka, l->topic, &state, ADMIN_MS, err);
	size_t made;

	if (rc == BUS_ENOENT) {
		spec.replication = state.brokers < 3 ? state.brokers : 3;
		rc = bus_admin_create_topics(&l->conf.kafka, &spec, 1, &made, ADMIN_MS, err);
	}
	free(keep);
	return rc;
}

/* A topic that somebody else made must not lose what the rules rest on. */
static enum bus_err check_topic(struct gw_rp_log *l, struct bus_error *err)
{
	char lag[32] = "";
	enum bus_err rc = bus_admin_setting(&l->conf.kafka, l->topic, "min.compaction.lag.ms", lag,
					    sizeof(lag), ADMIN_MS, err);

	if (rc == BUS_OK && strtoll(lag, NULL, 10) < 2 * l->conf.live_ms)
		rc = bus_fail(err, BUS_EINVAL,
			      "topic '%s': min.compaction.lag.ms must be twice restproxy.instance_timeout",
			      l->topic);
	return rc;
}

/* A topic that was just made may have no leader yet. Reading its beginning twice changes nothing. */
static enum bus_err follow(struct gw_rp_log *l, struct bus_error *err)
{
	const struct bus_follow_conf conf = { .kafka = l->conf.kafka,
					      .topic = l->topic,
					      .queue_bytes = QUEUE_BYTES,
					      .records = on_records,
					      .ctx = l,
					      .stop = &l->stop };

	return bus_follow_open(&conf, OPEN_MS, &l->follow, err);
}

static enum bus_err open_once(struct gw_rp_log *l, struct bus_error *err)
{
	struct bus_sender *sender = NULL;
	enum bus_err rc = make_topic(l, err);

	if (rc == BUS_OK && !l->stop)
		rc = check_topic(l, err);
	if (rc == BUS_OK && !l->stop)
		rc = open_sender(l, &sender, err);
	if (rc == BUS_OK && !l->stop)
		rc = follow(l, err);
	if (rc != BUS_OK || l->stop) {
		bus_sender_close(&sender);
		return rc;
	}
	pthread_rwlock_wrlock(&l->sender_lock);
	l->sender = sender;
	pthread_rwlock_unlock(&l->sender_lock);
	pthread_mutex_lock(&l->lock);
	l->ready = true;
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
	return BUS_OK;
}

static void *run(void *ctx)
{
	struct gw_rp_log *l = ctx;
	struct bus_error err = { 0 };
	int again = AGAIN_MS;
	enum bus_err rc;
	int64_t until;

	while (!l->stop && (rc = open_once(l, &err)) != BUS_OK) {
		bus_log(BUS_LOG_ERROR, "restproxy.open", LOG_STR("topic", l->topic), LOG_ERR(&err));
		until = bus_clock_mono_ms() + again;
		again = again < AGAIN_MAX_MS / 2 ? 2 * again : AGAIN_MAX_MS;
		pthread_mutex_lock(&l->lock);
		l->hopeless = !bus_err_retriable(rc);
		pthread_cond_broadcast(&l->moved);
		while (!l->stop && gw_rp_log_wait_until(l, until))
			;
		pthread_mutex_unlock(&l->lock);
	}
	if (l->ready)
		take_answers(l);
	return NULL;
}

enum bus_err gw_rp_log_open(const struct gw_rp_log_conf *conf, int wait_ms, struct gw_rp_log **out,
			    struct bus_error *err)
{
	const int64_t until = bus_clock_mono_ms() + wait_ms;
	struct gw_rp_log *l = bus_xcalloc(1, sizeof(*l));

	*out = NULL;
	l->conf = *conf;
	l->topic = bus_xstrdup(conf->topic);
	l->state = gw_rp_state_new();
	bus_random(&l->node, sizeof(l->node));
	pthread_rwlock_init(&l->sender_lock, NULL);
	pthread_mutex_init(&l->lock, NULL);
	bus_cond_init(&l->moved);
	l->runs = pthread_create(&l->thread, NULL, run, l) == 0;
	if (!l->runs) {
		gw_rp_log_free(&l);
		return bus_fail(err, BUS_EIO, "cannot start a thread");
	}
	pthread_mutex_lock(&l->lock);
	while (!l->ready && !l->hopeless && gw_rp_log_wait_until(l, until))
		;
	pthread_mutex_unlock(&l->lock);
	*out = l;
	return BUS_OK;
}

void gw_rp_log_stop(struct gw_rp_log *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
}

void gw_rp_log_free(struct gw_rp_log **lp)
{
	struct gw_rp_log *l = *lp;

	*lp = NULL;
	if (!l)
		return;
	if (l->runs)
		pthread_join(l->thread, NULL);
	pthread_rwlock_wrlock(&l->sender_lock);
	if (l->sender)
		bus_sender_flush(l->sender, GW_RP_LOG_SEND_MS / 4); /* what answers were given */
	bus_sender_close(&l->sender);
	pthread_rwlock_unlock(&l->sender_lock);
	bus_follow_close(&l->follow);
	gw_rp_state_free(&l->state);
	pthread_cond_destroy(&l->moved);
	pthread_mutex_destroy(&l->lock);
	pthread_rwlock_destroy(&l->sender_lock);
	free(l->topic);
	free(l);
}
