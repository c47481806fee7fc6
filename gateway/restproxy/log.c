#include "gateway/restproxy/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/follow.h"
#include "bus/log.h"
#include "bus/sender.h"

#define OPEN_MS 60000
#define OPEN_AGAIN_MS 200
#define ADMIN_MS 30000
#define SEND_MS 8000
#define WAIT_MS 10000 /* for a record to be read back */
#define POLL_MS 100
#define QUEUE_BYTES (4 * 1024 * 1024)
#define GONE_MS 60000 /* an instance that is over is forgotten by then */
#define SWEEP_MAX 500 /* records of one sweep */

struct pending { /* a write that is waited for */
	uint64_t write;
	enum { WAITS, TAKEN, VOID, FAILED } state;
	struct pending *next;
};

struct gw_rp_log {
	struct gw_rp_log_conf conf;
	char *topic;
	uint64_t node;
	struct bus_follow *follow;

	pthread_mutex_t lock; /* all that follows */
	pthread_cond_t moved;
	struct gw_rp_state *state;
	struct pending *pending;
	uint64_t barrier_sent, barrier_read;
	bool barrier_failed;
	bool stop;

	pthread_rwlock_t sender_lock; /* sent to under a read lock, replaced under the other */
	struct bus_sender *sender;
	pthread_t thread;
	bool runs;
};

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

/* False: the time is over. */
static bool wait_until(struct gw_rp_log *l, int64_t mono_ms)
{
	const struct timespec t = { .tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000 };

	return pthread_cond_timedwait(&l->moved, &l->lock, &t) != ETIMEDOUT;
}

void gw_rp_log_wait(struct gw_rp_log *l, int ms)
{
	if (!l->stop)
		(void)wait_until(l, bus_clock_mono_ms() + ms);
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static void settle(struct gw_rp_log *l, uint64_t write, int state)
{
	for (struct pending *p = l->pending; p; p = p->next)
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

/* --- sending ------------------------------------------------------------------------------------------------- */

/* `record` is the number of a write; 0: of a barrier; NULL would be the same, so it has one added. */
static void *tag(uint64_t write)
{
	return (void *)(uintptr_t)(write | 1);
}

static void on_sent(void *ctx, void *record, const struct bus_sent *a)
{
	struct gw_rp_log *l = ctx;
	const uint64_t write = (uint64_t)(uintptr_t)record;

	if (a->rc == BUS_OK)
		return;
	bus_log(BUS_LOG_WARN, "restproxy.log", LOG_STR("why", a->why));
	pthread_mutex_lock(&l->lock);
	for (struct pending *p = l->pending; p; p = p->next)
		if ((p->write | 1) == write && p->state == WAITS)
			p->state = FAILED;
	if (write == 1)
		l->barrier_failed = true;
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
}

static enum bus_err send(struct gw_rp_log *l, char kind, const uint8_t *id, const struct bus_buf *value,
			 uint64_t write, struct bus_error *err)
{
	const struct bus_str v = value ? bus_buf_str(value) : (struct bus_str){ 0 };
	struct bus_buf key = { 0 };
	enum bus_err rc;

	gw_rp_put_key(kind, id, &key);
	pthread_rwlock_rdlock(&l->sender_lock);
	rc = l->sender ? bus_sender_send(l->sender, l->topic, 0, bus_buf_str(&key), value ? &v : NULL, NULL,
					 0, 0, tag(write), err)
		       : bus_fail(err, BUS_ESTOPPED, "stopping");
	pthread_rwlock_unlock(&l->sender_lock);
	bus_buf_release(&key);
	return rc;
}

static enum bus_err open_sender(struct gw_rp_log *l, struct bus_sender **out, struct bus_error *err)
{
	const struct bus_sender_conf conf = {
		.kafka = l->conf.kafka, .timeout_ms = SEND_MS, .sent = on_sent, .ctx = l
	};

	return bus_sender_open(&conf, out, err);
}

static void *take_answers(void *ctx)
{
	struct gw_rp_log *l = ctx;
	struct bus_sender *fresh, *old;
	struct bus_error err;
	bool stop = false;

	while (!stop) {
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
		pthread_mutex_lock(&l->lock);
		stop = l->stop;
		pthread_mutex_unlock(&l->lock);
	}
	return NULL;
}

/* --- waiting for what was sent ------------------------------------------------------------------------------- */

enum bus_err gw_rp_log_write(struct gw_rp_log *l, const struct gw_rp_instance *i, struct bus_error *err)
{
	const int64_t until = bus_clock_mono_ms() + WAIT_MS;
	struct pending p = { .write = i->write }, **at;
	struct bus_buf value = { 0 };
	enum bus_err rc;

	gw_rp_put_instance(i, &value);
	pthread_mutex_lock(&l->lock);
	p.next = l->pending;
	l->pending = &p;
	pthread_mutex_unlock(&l->lock);
	rc = send(l, 'i', i->id, &value, i->write, err);
	bus_buf_release(&value);
	pthread_mutex_lock(&l->lock);
	while (rc == BUS_OK && p.state == WAITS && !l->stop && wait_until(l, until))
		;
	if (rc == BUS_OK && p.state == VOID)
		rc = bus_fail(err, BUS_ECONFLICT, "somebody was faster");
	else if (rc == BUS_OK && p.state != TAKEN)
		rc = bus_fail(err, l->stop ? BUS_ESTOPPED : BUS_ETIMEOUT,
			      "the consumer's state cannot be written");
	for (at = &l->pending; *at != &p; at = &(*at)->next)
		;
	*at = p.next;
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* Under the lock, which is let go meanwhile. */
static enum bus_err send_barrier(struct gw_rp_log *l, struct bus_error *err)
{
	const uint64_t number = ++l->barrier_sent;
	struct bus_buf value = { 0 };
	uint8_t id[GW_RP_ID_LEN];
	enum bus_err rc;

	memcpy(id, &l->node, sizeof(id));
	l->barrier_failed = false;
	pthread_mutex_unlock(&l->lock);
	gw_rp_put_barrier(l->node, number, &value);
	rc = send(l, 'b', id, &value, 0, err);
	bus_buf_release(&value);
	pthread_mutex_lock(&l->lock);
	if (rc != BUS_OK)
		l->barrier_failed = true;
	return rc;
}

enum bus_err gw_rp_log_barrier(struct gw_rp_log *l, struct bus_error *err)
{
	const int64_t until = bus_clock_mono_ms() + WAIT_MS;
	enum bus_err rc = BUS_OK;
	uint64_t mine;

	pthread_mutex_lock(&l->lock);
	mine = l->barrier_sent + 1; /* one that is on its way may be older than the question */
	while (rc == BUS_OK && l->barrier_read < mine) {
		if (l->stop)
			rc = bus_fail(err, BUS_ESTOPPED, "stopping");
		else if (l->barrier_sent < mine && (l->barrier_read == l->barrier_sent || l->barrier_failed))
			rc = send_barrier(l, err);
		else if (!wait_until(l, until))
			rc = bus_fail(err, BUS_ETIMEOUT, "the topic of consumers cannot be read");
	}
	if (rc == BUS_ETIMEOUT)
		l->barrier_failed = true; /* the next one does not wait for it */
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

void gw_rp_log_confirm(struct gw_rp_log *l, const uint8_t id[GW_RP_ID_LEN], uint64_t seq, bool given)
{
	struct bus_buf value = { 0 };
	struct bus_error err = { 0 };

	gw_rp_put_confirm(seq, given, &value);
	if (send(l, 'c', id, &value, 0x8000, &err) != BUS_OK)
		bus_log(BUS_LOG_WARN, "restproxy.log", LOG_ERR(&err));
	bus_buf_release(&value);
}

/* --- those that are not heard of ----------------------------------------------------------------------------- */

struct sweep {
	struct gw_rp_instance *i[SWEEP_MAX];
	size_t n;
	int64_t now, live_ms;
};

static void look(void *ctx, struct gw_rp_instance *i)
{
	struct sweep *s = ctx;

	if (s->n < SWEEP_MAX && i->seen_ms + (i->gone ? GONE_MS : s->live_ms) < s->now)
		s->i[s->n++] = gw_rp_instance_ref(i);
}

void gw_rp_log_sweep(struct gw_rp_log *l)
{
	struct sweep s = { .now = bus_clock_ms(), .live_ms = l->conf.live_ms };
	struct gw_rp_instance *over;
	struct bus_buf value = { 0 };
	enum bus_err rc = BUS_OK;
	struct bus_error err;

	pthread_mutex_lock(&l->lock);
	gw_rp_state_each(l->state, look, &s);
	pthread_mutex_unlock(&l->lock);
	for (size_t k = 0; k < s.n; k++) {
		bus_buf_reset(&value);
		if (rc == BUS_OK && s.i[k]->gone) {
			rc = send(l, 'c', s.i[k]->id, NULL, 0x8000, &err);
			rc = rc == BUS_OK ? send(l, 'i', s.i[k]->id, NULL, 0x8000, &err) : rc;
		} else if (rc == BUS_OK) {
			over = gw_rp_instance_next(s.i[k]);
			over->gone = true;
			over->node = l->node;
			gw_rp_hold_nothing(over);
			gw_rp_put_instance(over, &value);
			rc = send(l, 'i', over->id, &value, over->write, &err);
			gw_rp_instance_unref(&over);
		}
		gw_rp_instance_unref(&s.i[k]);
	}
	bus_buf_release(&value);
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

static enum bus_err follow(struct gw_rp_log *l, struct bus_error *err)
{
	const struct bus_follow_conf conf = { .kafka = l->conf.kafka,
					      .topic = l->topic,
					      .queue_bytes = QUEUE_BYTES,
					      .records = on_records,
					      .ctx = l };
	const int64_t until = bus_clock_mono_ms() + OPEN_MS;
	enum bus_err rc;

	/* A topic that was just made may have no leader yet. Reading its beginning twice changes nothing. */
	while ((rc = bus_follow_open(&conf, OPEN_MS, &l->follow, err)) != BUS_OK && bus_err_retriable(rc) &&
	       bus_clock_mono_ms() < until)
		(void)poll(NULL, 0, OPEN_AGAIN_MS);
	return rc;
}

enum bus_err gw_rp_log_open(const struct gw_rp_log_conf *conf, struct gw_rp_log **out, struct bus_error *err)
{
	struct gw_rp_log *l = bus_xcalloc(1, sizeof(*l));
	pthread_condattr_t attr;
	enum bus_err rc;

	*out = NULL;
	l->conf = *conf;
	l->topic = bus_xstrdup(conf->topic);
	l->state = gw_rp_state_new();
	bus_random(&l->node, sizeof(l->node));
	pthread_rwlock_init(&l->sender_lock, NULL);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->moved, &attr);
	pthread_condattr_destroy(&attr);
	rc = make_topic(l, err);
	if (rc == BUS_OK)
		rc = check_topic(l, err);
	if (rc == BUS_OK)
		rc = follow(l, err);
	if (rc == BUS_OK)
		rc = open_sender(l, &l->sender, err);
	if (rc == BUS_OK && pthread_create(&l->thread, NULL, take_answers, l) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot start a thread");
	else
		l->runs = rc == BUS_OK;
	if (rc != BUS_OK) {
		gw_rp_log_stop(l);
		gw_rp_log_free(&l);
	}
	*out = l;
	return rc;
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
		bus_sender_flush(l->sender, SEND_MS / 4); /* what answers were given */
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
