#include "bus/follow.h"

#include <pthread.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/mem.h"
#include "bus/wait.h"

#define BATCH 500
#define POLL_MS 100
#define PAUSE_MS 1000	  /* after an error, before trying again */
#define UNHEALTHY_MS 5000 /* how long an error counts */
#define BOUNDS_MS 5000
#define QUEUE_BYTES (INT64_C(4) * 1024 * 1024)

struct bus_follow {
	struct bus_follow_conf conf;
	char *topic;
	struct bus_consumer *consumer; /* the thread's, once it runs */
	pthread_t thread;
	bool running;

	pthread_mutex_t state_lock;    /* guards what follows */
	pthread_cond_t moved;	       /* next, end_asked or end_told changed */
	int64_t next;		       /* one past the last record handed over */
	uint64_t end_wanted, end_told; /* numbers of questions about the log's end; answered up to end_told */
	int64_t end;
	enum bus_err end_rc;
	int64_t failed_at; /* monotonic ms; 0: never */
	bool stopping;
};

/* One look at the log: records, or the knowledge that there are none. */
static enum bus_err step(struct bus_follow *f, int timeout_ms, struct bus_error *err)
{
	struct bus_record record[BATCH];
	int64_t next = BUS_OFFSET_BEGIN;
	size_t n = 0;
	bool changed;
	enum bus_err rc;

	rc = bus_consumer_poll(f->consumer, record, BATCH, &n, timeout_ms, err);
	if (n > 0)
		f->conf.records(f->conf.ctx, record, n);
	if (rc == BUS_OK)
		rc = bus_consumer_position(f->consumer, f->topic, 0, &next, err);
	pthread_mutex_lock(&f->state_lock);
	changed = next > f->next;
	if (changed) {
		f->next = next;
		pthread_cond_broadcast(&f->moved);
	}
	pthread_mutex_unlock(&f->state_lock);
	if (changed && f->conf.moved)
		f->conf.moved(f->conf.ctx);
	return rc;
}

static void answer_end(struct bus_follow *f)
{
	int64_t begin, end = 0;
	uint64_t asked;
	enum bus_err rc;

	pthread_mutex_lock(&f->state_lock);
	asked = f->end_wanted;
	if (asked == f->end_told) {
		pthread_mutex_unlock(&f->state_lock);
		return;
	}
	pthread_mutex_unlock(&f->state_lock);
	rc = bus_consumer_bounds(f->consumer, f->topic, 0, &begin, &end, BOUNDS_MS, NULL);
	pthread_mutex_lock(&f->state_lock);
	f->end = end;
	f->end_rc = rc;
	f->end_told = asked;
	pthread_cond_broadcast(&f->moved);
	pthread_mutex_unlock(&f->state_lock);
}

/* False: stopping. */
static bool pause_after_error(struct bus_follow *f)
{
	int64_t until = bus_clock_mono_ms() + PAUSE_MS;
	bool go_on;

	pthread_mutex_lock(&f->state_lock);
	f->failed_at = bus_clock_mono_ms();
	while (!f->stopping && bus_cond_wait(&f->moved, &f->state_lock, until))
		;
	go_on = !f->stopping;
	pthread_mutex_unlock(&f->state_lock);
	return go_on;
}

static void *follow(void *ctx)
{
	struct bus_follow *f = ctx;
	struct bus_error err;

	for (;;) {
		bool stopping;

		pthread_mutex_lock(&f->state_lock);
		stopping = f->stopping;
		pthread_mutex_unlock(&f->state_lock);
		if (stopping)
			return NULL;
		answer_end(f);
		if (step(f, POLL_MS, &err) == BUS_OK)
			continue;
		/* What was read stays good. The log itself must be mended by people, or the program started
		 * anew to read a new one. */
		bus_log(BUS_LOG_ERROR, "follow.stuck", LOG_STR("topic", f->topic), LOG_ERR(&err));
		if (!pause_after_error(f))
			return NULL;
		if (bus_consumer_assign(f->consumer, f->topic, 0, f->next < 0 ? BUS_OFFSET_BEGIN : f->next, 0,
					&err) != BUS_OK)
			bus_log(BUS_LOG_ERROR, "follow.stuck", LOG_STR("topic", f->topic), LOG_ERR(&err));
	}
}

/* --- opening, closing --- */

static int ask_ms(const struct bus_follow *f, int64_t until)
{
	const int64_t left = until - bus_clock_mono_ms();

	return left < 1 ? 1 : f->conf.stop && left > BOUNDS_MS ? BOUNDS_MS : (int)left;
}

static enum bus_err read_to_end(struct bus_follow *f, int64_t until, struct bus_error *err)
{
	int64_t begin = 0, end = 0;
	int32_t partitions;
	enum bus_err rc;

	rc = bus_consumer_partitions(f->consumer, f->topic, &partitions, ask_ms(f, until), err);
	if (rc != BUS_OK)
		return rc;
	if (partitions != 1)
		return bus_fail(err, BUS_EINVAL,
				"topic '%s' has %d partitions, not 1: its order means something", f->topic,
				(int)partitions);
	rc = bus_consumer_bounds(f->consumer, f->topic, 0, &begin, &end, ask_ms(f, until), err);
	if (rc == BUS_OK)
		rc = bus_consumer_assign(f->consumer, f->topic, 0, BUS_OFFSET_BEGIN, 0, err);
	while (rc == BUS_OK && begin < end && f->next < end) {
		if (f->conf.stop && *f->conf.stop)
			return bus_fail(err, BUS_ESTOPPED, "stopping");
		if (bus_clock_mono_ms() >= until)
			return bus_fail(err, BUS_ETIMEOUT, "topic '%s' is read up to %lld of %lld", f->topic,
					(long long)(f->next < 0 ? 0 : f->next), (long long)end);
		rc = step(f, POLL_MS, err);
	}
	if (rc == BUS_OK && f->next < end)
		f->next = end;
	return rc;
}

enum bus_err bus_follow_open(const struct bus_follow_conf *conf, int timeout_ms, struct bus_follow **out,
			     struct bus_error *err)
{
	struct bus_consumer_conf reader = { .kafka = conf->kafka,
					    .queue_bytes =
						conf->queue_bytes ? conf->queue_bytes : QUEUE_BYTES };
	int64_t until = bus_clock_mono_ms() + timeout_ms;
	struct bus_follow *f = bus_xcalloc(1, sizeof(*f));
	enum bus_err rc;

	*out = NULL;
	f->conf = *conf;
	f->topic = bus_xstrdup(conf->topic);
	f->next = BUS_OFFSET_BEGIN;
	pthread_mutex_init(&f->state_lock, NULL);
	bus_cond_init(&f->moved);
	rc = bus_consumer_open(&reader, &f->consumer, err);
	if (rc == BUS_OK)
		rc = read_to_end(f, until, err);
	if (rc == BUS_OK && pthread_create(&f->thread, NULL, follow, f) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot start a thread");
	if (rc != BUS_OK) {
		bus_follow_close(&f);
		return rc;
	}
	f->running = true;
	*out = f;
	return BUS_OK;
}

void bus_follow_close(struct bus_follow **ff)
{
	struct bus_follow *f = *ff;

	if (!f)
		return;
	*ff = NULL;
	if (f->running) {
		pthread_mutex_lock(&f->state_lock);
		f->stopping = true;
		pthread_cond_broadcast(&f->moved);
		pthread_mutex_unlock(&f->state_lock);
		pthread_join(f->thread, NULL);
	}
	bus_consumer_close(&f->consumer);
	pthread_cond_destroy(&f->moved);
	pthread_mutex_destroy(&f->state_lock);
	free(f->topic);
	free(f);
}

/* --- waiting --- */

enum bus_err bus_follow_wait(struct bus_follow *f, int64_t offset, int timeout_ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms;
	enum bus_err rc = BUS_OK;

	pthread_mutex_lock(&f->state_lock);
	while (f->next <= offset && rc == BUS_OK)
		if (!bus_cond_wait(&f->moved, &f->state_lock, until) && f->next <= offset)
			rc = bus_fail(err, BUS_ETIMEOUT, "offset %lld of '%s' is not read back yet",
				      (long long)offset, f->topic);
	pthread_mutex_unlock(&f->state_lock);
	return rc;
}

enum bus_err bus_follow_catch_up(struct bus_follow *f, int timeout_ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms, end, left;
	uint64_t mine;
	enum bus_err rc = BUS_OK;

	pthread_mutex_lock(&f->state_lock);
	mine = ++f->end_wanted;
	while (f->end_told < mine && rc == BUS_OK)
		if (!bus_cond_wait(&f->moved, &f->state_lock, until) && f->end_told < mine)
			rc = bus_fail(err, BUS_ETIMEOUT, "no answer from Kafka about the end of '%s'",
				      f->topic);
	if (rc == BUS_OK && f->end_rc != BUS_OK)
		rc = bus_fail(err, f->end_rc, "no answer from Kafka about the end of '%s'", f->topic);
	end = f->end;
	pthread_mutex_unlock(&f->state_lock);
	if (rc != BUS_OK || end == 0)
		return rc;
	left = until - bus_clock_mono_ms();
	return bus_follow_wait(f, end - 1, left > 0 ? (int)left : 0, err);
}

int64_t bus_follow_next(struct bus_follow *f)
{
	int64_t next;

	pthread_mutex_lock(&f->state_lock);
	next = f->next < 0 ? 0 : f->next;
	pthread_mutex_unlock(&f->state_lock);
	return next;
}

bool bus_follow_healthy(struct bus_follow *f)
{
	bool healthy;

	pthread_mutex_lock(&f->state_lock);
	healthy = f->failed_at == 0 || bus_clock_mono_ms() - f->failed_at > UNHEALTHY_MS;
	pthread_mutex_unlock(&f->state_lock);
	return healthy;
}
