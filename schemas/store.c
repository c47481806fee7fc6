#include "schemas/store.h"

#include <errno.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/mem.h"
#include "schemas/store_impl.h"

#define BATCH 500
#define POLL_MS 100
#define PAUSE_MS 1000	  /* after an error, before trying again */
#define UNHEALTHY_MS 5000 /* how long an error counts */
#define RECORD_ARENA ((size_t)128 * 1024 * 1024)
#define BOUNDS_MS 5000

/* --- following the log --- */

static void apply(struct schema_store *s, const struct bus_record *r)
{
	struct schema_record record;
	struct bus_error err = { 0 };
	enum bus_err rc;

	bus_arena_reset(s->arena);
	rc = schema_record_read(r->key, r->tombstone ? (struct bus_str){ NULL, 0 } : r->value, s->arena,
				&record, &err);
	if (rc == BUS_OK) {
		rc = schema_table_apply(s->table, &record, r->offset, r->timestamp_ms, &err);
		if (rc != BUS_OK)
			bus_log(BUS_LOG_ERROR, "store.id_conflict", LOG_INT("offset", r->offset),
				LOG_ERR(&err));
	} else {
		bus_log(BUS_LOG_WARN, "store.record_skipped", LOG_INT("offset", r->offset), LOG_ERR(&err));
	}
}

/* One look at the log: records, or the knowledge that there are none. */
static enum bus_err step(struct schema_store *s, int timeout_ms, struct bus_error *err)
{
	struct bus_record record[BATCH];
	int64_t next = BUS_OFFSET_BEGIN;
	size_t n = 0, i;
	bool changed;
	enum bus_err rc;

	rc = bus_consumer_poll(s->consumer, record, BATCH, &n, timeout_ms, err);
	if (n > 0) {
		pthread_rwlock_wrlock(&s->lock);
		for (i = 0; i < n; i++)
			apply(s, &record[i]);
		schema_table_settle(s->table);
		pthread_rwlock_unlock(&s->lock);
	}
	if (rc == BUS_OK)
		rc = bus_consumer_position(s->consumer, s->topic, 0, &next, err);
	pthread_mutex_lock(&s->state_lock);
	changed = next > s->next;
	if (changed) {
		s->next = next;
		pthread_cond_broadcast(&s->moved);
	}
	pthread_mutex_unlock(&s->state_lock);
	if (changed) {
		pthread_mutex_lock(&s->listener_lock);
		if (s->listener)
			s->listener(s->listener_ctx);
		pthread_mutex_unlock(&s->listener_lock);
	}
	return rc;
}

static void answer_end(struct schema_store *s)
{
	int64_t begin, end = 0;
	uint64_t asked;
	enum bus_err rc;

	pthread_mutex_lock(&s->state_lock);
	asked = s->end_wanted;
	if (asked == s->end_told) {
		pthread_mutex_unlock(&s->state_lock);
		return;
	}
	pthread_mutex_unlock(&s->state_lock);
	rc = bus_consumer_bounds(s->consumer, s->topic, 0, &begin, &end, BOUNDS_MS, NULL);
	pthread_mutex_lock(&s->state_lock);
	s->end = end;
	s->end_rc = rc;
	s->end_told = asked;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->state_lock);
}

static void deadline(struct timespec *t, int64_t ms)
{
	clock_gettime(CLOCK_MONOTONIC, t);
	t->tv_sec += (time_t)(ms / 1000);
	t->tv_nsec += (long)(ms % 1000) * 1000000;
	if (t->tv_nsec >= 1000000000) {
		t->tv_nsec -= 1000000000;
		t->tv_sec++;
	}
}

/* False: stopping. */
static bool pause_after_error(struct schema_store *s)
{
	struct timespec until;
	bool go_on;

	deadline(&until, PAUSE_MS);
	pthread_mutex_lock(&s->state_lock);
	s->failed_at = bus_clock_mono_ms();
	while (!s->stopping && pthread_cond_timedwait(&s->moved, &s->state_lock, &until) != ETIMEDOUT)
		;
	go_on = !s->stopping;
	pthread_mutex_unlock(&s->state_lock);
	return go_on;
}

static void *follow(void *ctx)
{
	struct schema_store *s = ctx;
	struct bus_error err;

	for (;;) {
		bool stopping;

		pthread_mutex_lock(&s->state_lock);
		stopping = s->stopping;
		pthread_mutex_unlock(&s->state_lock);
		if (stopping)
			return NULL;
		answer_end(s);
		if (step(s, POLL_MS, &err) == BUS_OK)
			continue;
		/* What was read stays good. The log itself must be mended by people, or the program started
		 * anew to read a new one. */
		bus_log(BUS_LOG_ERROR, "store.stuck", LOG_STR("topic", s->topic), LOG_ERR(&err));
		if (!pause_after_error(s))
			return NULL;
		if (bus_consumer_assign(s->consumer, s->topic, 0, s->next < 0 ? BUS_OFFSET_BEGIN : s->next, 0,
					&err) != BUS_OK)
			bus_log(BUS_LOG_ERROR, "store.stuck", LOG_STR("topic", s->topic), LOG_ERR(&err));
	}
}

/* --- opening, closing --- */

static enum bus_err read_to_end(struct schema_store *s, int64_t until, struct bus_error *err)
{
	int64_t begin = 0, end = 0, left = until - bus_clock_mono_ms();
	int32_t partitions;
	enum bus_err rc;

	rc = bus_consumer_partitions(s->consumer, s->topic, &partitions, left > 0 ? (int)left : 1, err);
	if (rc != BUS_OK)
		return rc;
	if (partitions != 1)
		return bus_fail(err, BUS_EINVAL,
				"topic '%s' has %d partitions, not 1: its order means something", s->topic,
				(int)partitions);
	left = until - bus_clock_mono_ms();
	rc = bus_consumer_bounds(s->consumer, s->topic, 0, &begin, &end, left > 0 ? (int)left : 1, err);
	if (rc == BUS_OK)
		rc = bus_consumer_assign(s->consumer, s->topic, 0, BUS_OFFSET_BEGIN, 0, err);
	while (rc == BUS_OK && begin < end && s->next < end) {
		if (bus_clock_mono_ms() >= until)
			return bus_fail(err, BUS_ETIMEOUT, "topic '%s' is read up to %lld of %lld", s->topic,
					(long long)(s->next < 0 ? 0 : s->next), (long long)end);
		rc = step(s, POLL_MS, err);
	}
	if (rc == BUS_OK && s->next < end)
		s->next = end;
	return rc;
}

enum bus_err schema_store_open(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			       struct schema_store **out, struct bus_error *err)
{
	struct bus_consumer_conf conf = { .kafka = *kafka, .queue_bytes = 4 * 1024 * 1024 };
	int64_t until = bus_clock_mono_ms() + timeout_ms;
	struct schema_store *s = bus_xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;
	enum bus_err rc;

	*out = NULL;
	s->topic = bus_xstrdup(topic);
	s->arena = bus_arena_new(RECORD_ARENA);
	s->table = schema_table_new();
	s->next = BUS_OFFSET_BEGIN;
	pthread_rwlock_init(&s->lock, NULL);
	pthread_mutex_init(&s->state_lock, NULL);
	pthread_mutex_init(&s->listener_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->moved, &attr);
	pthread_condattr_destroy(&attr);
	rc = bus_consumer_open(&conf, &s->consumer, err);
	if (rc == BUS_OK)
		rc = read_to_end(s, until, err);
	if (rc == BUS_OK && pthread_create(&s->thread, NULL, follow, s) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot start a thread");
	if (rc != BUS_OK) {
		schema_store_close(&s);
		return rc;
	}
	s->running = true;
	*out = s;
	return BUS_OK;
}

void schema_store_close(struct schema_store **ss)
{
	struct schema_store *s = *ss;

	if (!s)
		return;
	*ss = NULL;
	if (s->running) {
		pthread_mutex_lock(&s->state_lock);
		s->stopping = true;
		pthread_cond_broadcast(&s->moved);
		pthread_mutex_unlock(&s->state_lock);
		pthread_join(s->thread, NULL);
	}
	bus_consumer_close(&s->consumer);
	schema_table_free(&s->table);
	bus_arena_free(&s->arena);
	pthread_cond_destroy(&s->moved);
	pthread_mutex_destroy(&s->listener_lock);
	pthread_mutex_destroy(&s->state_lock);
	pthread_rwlock_destroy(&s->lock);
	free(s->topic);
	free(s);
}

/* --- waiting --- */

enum bus_err schema_store_wait(struct schema_store *s, int64_t offset, int timeout_ms, struct bus_error *err)
{
	struct timespec until;
	enum bus_err rc = BUS_OK;

	deadline(&until, timeout_ms);
	pthread_mutex_lock(&s->state_lock);
	while (s->next <= offset && rc == BUS_OK)
		if (pthread_cond_timedwait(&s->moved, &s->state_lock, &until) == ETIMEDOUT &&
		    s->next <= offset)
			rc = bus_fail(err, BUS_ETIMEOUT, "offset %lld of '%s' is not read back yet",
				      (long long)offset, s->topic);
	pthread_mutex_unlock(&s->state_lock);
	return rc;
}

enum bus_err schema_store_catch_up(struct schema_store *s, int timeout_ms, struct bus_error *err)
{
	int64_t begun = bus_clock_mono_ms(), end, left;
	struct timespec until;
	uint64_t mine;
	enum bus_err rc = BUS_OK;

	deadline(&until, timeout_ms);
	pthread_mutex_lock(&s->state_lock);
	mine = ++s->end_wanted;
	while (s->end_told < mine && rc == BUS_OK)
		if (pthread_cond_timedwait(&s->moved, &s->state_lock, &until) == ETIMEDOUT &&
		    s->end_told < mine)
			rc = bus_fail(err, BUS_ETIMEOUT, "no answer from Kafka about the end of '%s'",
				      s->topic);
	if (rc == BUS_OK && s->end_rc != BUS_OK)
		rc = bus_fail(err, s->end_rc, "no answer from Kafka about the end of '%s'", s->topic);
	end = s->end;
	pthread_mutex_unlock(&s->state_lock);
	if (rc != BUS_OK || end == 0)
		return rc;
	left = timeout_ms - (bus_clock_mono_ms() - begun);
	return schema_store_wait(s, end - 1, left > 0 ? (int)left : 0, err);
}

int64_t schema_store_next_offset(struct schema_store *s)
{
	int64_t next;

	pthread_mutex_lock(&s->state_lock);
	next = s->next < 0 ? 0 : s->next;
	pthread_mutex_unlock(&s->state_lock);
	return next;
}

bool schema_store_healthy(struct schema_store *s)
{
	bool healthy;

	pthread_mutex_lock(&s->state_lock);
	healthy = s->failed_at == 0 || bus_clock_mono_ms() - s->failed_at > UNHEALTHY_MS;
	pthread_mutex_unlock(&s->state_lock);
	return healthy;
}

void schema_store_on_change(struct schema_store *s, void (*fn)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&s->listener_lock);
	s->listener = fn;
	s->listener_ctx = ctx;
	pthread_mutex_unlock(&s->listener_lock);
}
