#include "gateway/engine/mat.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/engine/evolve.h"
#include "gateway/engine/group_impl.h"
#include "gateway/engine/ready.h"
#include "gateway/engine/sample.h"

#define BATCH_MAX 10000
#define BATCH_WAIT_MS 20
#define BACKLOG 4096 /* records in one transaction from which on views are put off */
#define COMPANY_MS 4 /* a record waits this long for company; what is there already comes along anyway */
#define QUIET_MS 200 /* without records: views that wait are evaluated */
#define IDLE_POLL_MS 100
#define BUILD_MS 20	  /* for views that are being built, between two batches */
#define EVOLVE_MS 1000	  /* between two looks at the newest schemas */
#define PARTITIONS_MS 250 /* between two topics whose partitions are counted */
#define ASK_MS 2000
#define LOOK_MS 50 /* between two looks at the partitions' ends, while records keep coming */
#define BROKER_MS 10000
#define CHECKPOINT_MS 1000
#define RETRY_MS 1000
#define SAMPLE_LEAST 10 /* keys looked at a time */
#define SAMPLE_MOST 200
/* Fetched ahead. librdkafka holds some 700 bytes beside each small record: this is 15 MB, not 2. */
#define QUEUE_BYTES (2 * 1024 * 1024)

struct gw_mat {
	struct gw_engine *e;
	struct gw_mat_conf conf;
	struct bus_consumer *consumer;
	struct bus_consumer *asker; /* assigned nothing: its questions wait behind no fetch */
	size_t asked;		    /* topics, round and round */
	int64_t asked_ms, evolved_ms;
	struct bus_record *record;
	pthread_t thread;
	bool started;
	_Atomic bool stop;
	int64_t looked_ms, checkpoint_ms, sampled_ms;
	struct gw_sample sample;
	struct gw_ready ready;
	bool written; /* since the last truncating checkpoint */
};

static void set_fault(struct gw_engine *e, const char *text)
{
	pthread_mutex_lock(&e->lock);
	if (!text) {
		e->fault_at = -1;
	} else if (e->fault_at < 0 || strcmp(e->fault[e->fault_at], text) != 0) {
		e->fault_at = (e->fault_last + 1) % GW_FAULTS;
		e->fault_last = e->fault_at;
		snprintf(e->fault[e->fault_at], sizeof(e->fault[0]), "%s", text);
	}
	pthread_mutex_unlock(&e->lock);
}

static void nap(struct gw_mat *m, int ms)
{
	struct timespec t = { 0, 20 * 1000 * 1000 };

	for (int i = 0; i < ms && !m->stop; i += 20)
		nanosleep(&t, NULL);
}

/* A topic made anew under the same name may have grown past our offset: then nothing is out of range. So the
 * last record applied is read again, if it is still there, and must be the one we know (gw_apply). */
static enum bus_err bound(struct gw_mat *m, struct bus_consumer *asker, const char *topic, int32_t partition,
			  struct bus_error *err)
{
	int slot = gw_core_part(m->e, topic, partition); /* may move e->part */
	struct gw_part *p = &m->e->part[slot];
	int64_t begin, end;
	enum bus_err rc;

	rc = bus_consumer_bounds(asker, topic, partition, &begin, &end, BROKER_MS, err);
	if (rc != BUS_OK)
		return rc;
	p->end = p->goal = end;
	if (p->next > end)
		return bus_fail(
		    err, BUS_ECONFLICT,
		    "topic '%s' partition %d ends at %lld, before what was read of it: it is another one",
		    topic, partition, (long long)end);
	p->from = p->next > begin && p->sum != 0 ? p->next - 1 : p->next;
	return BUS_OK;
}

static enum bus_err open_session(struct gw_mat *m, struct bus_error *err)
{
	const struct bus_consumer_conf conf = { .kafka = m->conf.kafka, .queue_bytes = QUEUE_BYTES };
	enum bus_err rc;
	int32_t n;

	m->looked_ms = 0;
	m->ready = (struct gw_ready){ 0 };
	gw_ready_say(m->e, "Kafka");
	rc = bus_consumer_open(&conf, &m->consumer, err);
	for (size_t i = 0; i < m->e->n_topics && rc == BUS_OK; i++) {
		while ((rc = bus_consumer_partitions(m->consumer, m->e->topic[i].name, &n, BROKER_MS, err)) ==
			   BUS_ENOENT &&
		       !m->stop) {
			bus_log(BUS_LOG_WARN, "gateway.no_topic", LOG_STR("topic", m->e->topic[i].name));
			gw_ready_say(m->e, "%s: belum ada / not there yet", m->e->topic[i].name);
			nap(m, RETRY_MS);
		}
		for (int32_t k = 0; k < n && rc == BUS_OK; k++)
			rc = bound(m, m->consumer, m->e->topic[i].name, k, err);
	}
	/* All questions first: once a partition is fetched, every question waits behind the fetch. */
	for (size_t i = 0; i < m->e->n_parts && rc == BUS_OK; i++)
		rc = bus_consumer_assign(m->consumer, m->e->part[i].topic->name, m->e->part[i].partition,
					 m->e->part[i].from, (int)i, err);
	return rc;
}

/* How far behind each topic is, by what the last fetches told. */
static void look(struct gw_mat *m)
{
	struct gw_engine *e = m->e;
	int64_t end, behind, at;

	for (size_t i = 0; i < e->n_parts; i++) {
		struct gw_part *p = &e->part[i];

		if (bus_consumer_end(m->consumer, p->topic->name, p->partition, &end) == BUS_OK &&
		    end > p->end)
			p->end = end;
	}
	for (size_t i = 0; i < e->n_topics; i++) {
		behind = 0;
		for (size_t k = 0; k < e->n_parts; k++) {
			if (e->part[k].topic != &e->topic[i])
				continue;
			if (bus_consumer_position(m->consumer, e->topic[i].name, e->part[k].partition, &at,
						  NULL) != BUS_OK ||
			    at < e->part[k].next)
				at = e->part[k].next > 0 ? e->part[k].next : 0;
			behind += e->part[k].end > at ? e->part[k].end - at : 0;
		}
		e->topic[i].count.behind = behind;
		bus_metric_set(e->topic[i].behind, (double)behind);
		pthread_mutex_lock(&e->lock);
		e->shared[i].behind = behind;
		pthread_mutex_unlock(&e->lock);
	}
	m->looked_ms = bus_clock_mono_ms();
}

static bool nothing_behind(const struct gw_mat *m)
{
	for (size_t i = 0; i < m->e->n_topics; i++) {
		if (m->e->topic[i].count.behind > 0)
			return false;
	}
	return true;
}

static enum bus_err checkpoint(struct gw_mat *m, bool truncate, struct bus_error *err)
{
	int64_t now = bus_clock_mono_ms(), left;
	enum bus_err rc;

	if (!truncate && now - m->checkpoint_ms < CHECKPOINT_MS)
		return BUS_OK;
	m->checkpoint_ms = now;
	gw_stand_clear(m->e);
	rc = gw_db_checkpoint(m->e->db, truncate, &left, err);
	gw_stand_allow(m->e);
	return rc;
}

/* One transaction: records as long as they come at once, then the views they touch. */
static enum bus_err take_batch(struct gw_mat *m, size_t *taken, bool *pending, struct bus_error *err)
{
	size_t max = (size_t)m->conf.batch_max, n = 0;
	int64_t begin = 0, t, wait = *pending ? COMPANY_MS : IDLE_POLL_MS;
	enum bus_err rc;

	*taken = 0;
	do {
		rc = bus_consumer_poll(m->consumer, m->record, max - *taken, &n, (int)wait, err);
		if (n == 0 || rc != BUS_OK)
			break;
		if (begin == 0) {
			begin = bus_clock_mono_ms();
			atomic_store(&m->e->idle, false);
		}
		t = bus_clock_mono_us();
		rc = gw_apply(m->e, m->record, n, err);
		bus_metric_add(m->e->apply_us, bus_clock_mono_us() - t);
		*taken += n;
		wait = begin + COMPANY_MS - bus_clock_mono_ms();
		wait = wait > 0 ? wait : 0;
	} while (rc == BUS_OK && *taken < max && bus_clock_mono_ms() - begin < m->conf.batch_wait_ms &&
		 !m->stop);
	if (rc != BUS_OK || *taken == 0)
		return rc;
	m->e->quiet_since_ms = bus_clock_mono_ms();
	m->written = true;
	rc = gw_settle(m->e, *taken >= BACKLOG ? GW_BACKLOG : GW_LIVE, &m->stop, pending, err);
	if (rc == BUS_OK)
		rc = gw_commit(m->e, err);
	if (rc == BUS_OK)
		rc = checkpoint(m, false, err);
	return rc;
}

/* Views against their SELECT, a few keys at a time. */
static void sample(struct gw_mat *m)
{
	int64_t now = bus_clock_mono_ms(), n = (now - m->sampled_ms) * m->conf.verify_per_s / 1000;

	if (n < SAMPLE_LEAST)
		return;
	m->sampled_ms = now;
	gw_sample_step(m->e, &m->sample, n < SAMPLE_MOST ? (int)n : SAMPLE_MOST);
}

/* Nothing came: what was put off, and the housekeeping. */
static enum bus_err rest(struct gw_mat *m, bool *pending, bool building, struct bus_error *err)
{
	struct gw_engine *e = m->e;
	bool quiet = bus_clock_mono_ms() - e->quiet_since_ms >= QUIET_MS, more = false;
	enum bus_err rc;

	rc = gw_settle(e, quiet ? GW_QUIET : GW_LIVE, &m->stop, pending, err);
	if (rc == BUS_OK)
		rc = gw_commit(e, err);
	if (rc != BUS_OK)
		return rc;
	look(m);
	if (quiet && !*pending && !building && nothing_behind(m)) {
		atomic_store(&e->idle, true);
		if (m->written) {
			rc = checkpoint(m, true, err);
			m->written = false;
			malloc_trim(0); /* what loading a city took is not needed to keep it */
		}
		if (rc == BUS_OK)
			rc = gw_sweep(e, &more, err);
		m->written |= more;
		if (rc == BUS_OK)
			sample(m);
	}
	return rc;
}

static enum bus_err assign(struct gw_mat *m, int slot, struct bus_error *err)
{
	const struct gw_part *p = &m->e->part[slot];

	return bus_consumer_assign(m->consumer, p->topic->name, p->partition, p->from, slot, err);
}

/* Partitions that a topic has got since the session began. That they cannot be counted now is no matter. */
static enum bus_err watch_partitions(struct gw_mat *m, struct bus_error *err)
{
	const struct bus_consumer_conf conf = { .kafka = m->conf.kafka, .queue_bytes = 1 };
	int64_t now = bus_clock_mono_ms();
	const char *topic;
	enum bus_err rc = BUS_OK;
	int32_t n, known = 0;

	if (now - m->asked_ms < PARTITIONS_MS || m->e->n_topics == 0)
		return BUS_OK;
	m->asked_ms = now;
	if (!m->asker && bus_consumer_open(&conf, &m->asker, NULL) != BUS_OK)
		return BUS_OK;
	topic = m->e->topic[m->asked++ % m->e->n_topics].name;
	if (bus_consumer_partitions(m->asker, topic, &n, ASK_MS, NULL) != BUS_OK)
		return BUS_OK;
	for (size_t i = 0; i < m->e->n_parts; i++)
		known += strcmp(m->e->part[i].topic->name, topic) == 0;
	for (int32_t k = known; k < n && rc == BUS_OK; k++) {
		bus_log(BUS_LOG_INFO, "gateway.partition", LOG_STR("topic", topic), LOG_INT("partition", k));
		rc = bound(m, m->asker, topic, k, err);
		if (rc == BUS_OK)
			rc = assign(m, gw_core_part(m->e, topic, k), err);
	}
	return rc;
}

/* Nothing that the partition still has is from before the place where it was. */
static bool at_end(void *ctx, int slot)
{
	struct gw_mat *m = ctx;
	const struct gw_part *p = &m->e->part[slot];
	int64_t at;

	return bus_consumer_position(m->consumer, p->topic->name, p->partition, &at, NULL) == BUS_OK &&
	       (at >= p->kept.next || (at >= 0 && at >= p->end));
}

static enum bus_err refill(struct gw_mat *m, struct gw_topic *t, struct bus_error *err)
{
	enum bus_err rc = gw_refill_begin(m->e, t, err);

	for (size_t i = 0; i < m->e->n_parts && rc == BUS_OK; i++)
		if (m->e->part[i].topic == t)
			rc = assign(m, (int)i, err);
	return rc;
}

/* Newer schemas, and tables that are being filled for them. Between transactions. */
static enum bus_err evolve(struct gw_mat *m, struct bus_error *err)
{
	struct gw_engine *e = m->e;
	bool due = bus_clock_mono_ms() - m->evolved_ms >= EVOLVE_MS;
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < e->n_topics && rc == BUS_OK; i++) {
		struct gw_topic *t = &e->topic[i];

		if (due)
			rc = gw_evolve(e, t, err);
		if (rc == BUS_OK && e->in_transaction)
			rc = gw_commit(e, err);
		if (rc == BUS_OK && t->replay)
			rc = refill(m, t, err);
		else if (rc == BUS_OK && t->fill && gw_refill_done(e, t, at_end, m))
			rc = gw_refill_end(e, t, err);
	}
	if (due)
		m->evolved_ms = bus_clock_mono_ms();
	return rc;
}

/* A gateway whose group another one leads: its batches, and while none comes, the housekeeping. */
static enum bus_err follow(struct gw_mat *m, struct bus_error *err)
{
	struct gw_engine *e = m->e;
	bool idle, more = false;
	enum bus_err rc;

	rc = gw_group_step(e->group, IDLE_POLL_MS, &idle, err);
	atomic_store(&e->idle, rc == BUS_OK && idle && gw_group_ready(e->group));
	if (!gw_group_ready(e->group))
		gw_ready_say(e, "%s", gw_group_waits_for(e->group));
	if (rc == BUS_OK && gw_group_ready(e->group) && !e->in_transaction)
		rc = gw_whole_mark(e, err); /* before anybody is told */
	if (rc == BUS_OK && atomic_load(&e->caught_up) != gw_group_ready(e->group)) {
		atomic_store(&e->caught_up, gw_group_ready(e->group));
		bus_log(BUS_LOG_INFO, gw_group_ready(e->group) ? "gateway.caught_up" : "gateway.behind",
			LOG_INT("views", e->n_views));
	}
	m->written |= !idle;
	if (rc == BUS_OK && (idle || bus_clock_mono_ms() - m->looked_ms > LOOK_MS))
		look(m);
	if (rc == BUS_OK && !e->in_transaction)
		rc = checkpoint(m, idle && m->written, err);
	m->written &= !idle;
	if (rc == BUS_OK && idle)
		rc = gw_sweep(e, &more, err);
	m->written |= more;
	if (rc == BUS_OK && idle) {
		gw_lives_follow(e);
		sample(m);
	}
	return rc;
}

static enum bus_err session(struct gw_mat *m, struct bus_error *err)
{
	struct gw_group *group = m->e->group;
	bool pending = true, building = false;
	size_t taken;
	enum bus_err rc;

	rc = open_session(m, err);
	if (rc == BUS_OK && group)
		rc = gw_group_open(group, &m->stop, m->consumer, err);
	if (rc == BUS_OK)
		set_fault(m->e, NULL);
	while (rc == BUS_OK && !m->stop) {
		if (group && !group->leads) {
			rc = follow(m, err);
			continue;
		}
		if (group)
			rc = gw_group_look(group, err);
		if (rc != BUS_OK)
			break;
		pending |= building; /* then it does not wait long for a record */
		rc = take_batch(m, &taken, &pending, err);
		if (rc == BUS_OK)
			rc = evolve(m, err);
		if (rc == BUS_OK)
			rc = watch_partitions(m, err);
		if (rc == BUS_OK)
			rc = gw_live_step(m->e, BUILD_MS, &building, err);
		m->written |= building;
		if (rc == BUS_OK && taken == 0)
			rc = rest(m, &pending, building, err);
		else if (rc == BUS_OK && bus_clock_mono_ms() - m->looked_ms > LOOK_MS)
			look(m);
		if (rc == BUS_OK)
			rc = gw_ready_look(&m->ready, m->e, m->consumer, building, err);
	}
	bus_consumer_close(&m->asker);
	bus_consumer_close(&m->consumer);
	return rc;
}

static void *run(void *ctx)
{
	struct gw_mat *m = ctx;
	struct gw_group *group = m->e->group;
	struct bus_error err = { 0 };
	enum bus_err rc;

	while (!m->stop) {
		rc = session(m, &err);
		atomic_store(&m->e->idle, false);
		if (m->stop || rc == BUS_OK || rc == BUS_ESTOPPED)
			break;
		if (group && rc == BUS_EFATAL) { /* another leads, or a batch was taken back */
			bus_log(BUS_LOG_WARN, "group.session", LOG_ERR(&err));
			rc = gw_core_reload(m->e, &err);
		} else if (group && rc == BUS_ENOENT) {
			bus_log(BUS_LOG_WARN, "group.copy_needed", LOG_ERR(&err));
			rc = gw_group_copy(group, &err);
		} else if (rc == BUS_ECONFLICT && (!group || group->leads)) {
			/* The rows are of a log that is no more: a store is what its log says. */
			bus_log(BUS_LOG_ERROR, "gateway.rebuild", LOG_ERR(&err));
			if (group)
				gw_group_wipe(group);
			rc = gw_core_wipe(m->e, &err);
		} else {
			bus_log(BUS_LOG_ERROR, "gateway.stopped", LOG_ERR(&err));
			set_fault(m->e, err.text);
			nap(m, RETRY_MS);
			rc = gw_core_reload(m->e, &err);
		}
		while (rc != BUS_OK && !m->stop) {
			set_fault(m->e, err.text);
			bus_log(BUS_LOG_ERROR, "gateway.stopped", LOG_ERR(&err));
			nap(m, RETRY_MS);
			rc = gw_core_reload(m->e, &err);
		}
	}
	if (group)
		gw_group_close(group);
	if (m->e->in_transaction) { /* stopped within an evaluation: it is done again */
		gw_db_rollback(m->e->db);
		m->e->in_transaction = false;
	}
	return NULL;
}

struct gw_mat *gw_mat_new(struct gw_engine *e, const struct gw_mat_conf *conf)
{
	struct gw_mat *m = bus_xcalloc(1, sizeof(*m));

	m->e = e;
	m->conf = *conf;
	if (m->conf.batch_max <= 0)
		m->conf.batch_max = BATCH_MAX;
	if (m->conf.batch_wait_ms <= 0)
		m->conf.batch_wait_ms = BATCH_WAIT_MS;
	m->record = bus_xcalloc((size_t)m->conf.batch_max, sizeof(*m->record));
	return m;
}

void gw_mat_free(struct gw_mat **m)
{
	if (!*m)
		return;
	assert(!(*m)->started);
	gw_sample_release(&(*m)->sample);
	free((*m)->record);
	free(*m);
	*m = NULL;
}

enum bus_err gw_mat_start(struct gw_mat *m, struct bus_error *err)
{
	int rc = pthread_create(&m->thread, NULL, run, m);

	if (rc != 0)
		return bus_fail(err, BUS_EIO, "cannot start the materialiser: %s", strerrordesc_np(rc));
	m->started = true;
	return BUS_OK;
}

void gw_mat_stop(struct gw_mat *m)
{
	if (!m->started)
		return;
	m->stop = true;
	pthread_join(m->thread, NULL);
	m->started = false;
}
