/* Requests for records that wait without a thread: they come back when their topics have grown, when they may have other
 * partitions, or when their time is over. While they wait they are this thread's alone. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/restproxy/consume.h"
#include "gateway/restproxy/parked.h"

#define WATCH_MS 100
#define ASK_MS 5000
#define PARTITIONS_MAX 2000 /* looked at, at a time; those over it are asked for every time */

struct watch {
	struct gw_consumers *all;
	struct bus_consumer *consumer;
	struct gw_rp_parked *parked;
};

/* A gw_rp_end_fn. */
static bool ask_end(void *ctx, const char *topic, int32_t partition, int64_t *end)
{
	struct watch *w = ctx;

	if (bus_consumer_at_time(w->consumer, topic, partition, BUS_TIME_END, end, ASK_MS, NULL) != BUS_OK)
		*end = INT64_MAX; /* let a worker find out */
	return !w->all->stop;
}

/* Those whose waiting is over. */
static struct gw_rp_job *look(struct watch *w)
{
	const struct bus_consumer_conf conf = { .kafka = w->all->conf.kafka, .queue_bytes = 64 * 1024 };
	struct gw_rp_log *log = w->all->log;
	struct bus_error err;

	if (!w->consumer && bus_consumer_open(&conf, &w->consumer, &err) != BUS_OK)
		bus_log(BUS_LOG_WARN, "restproxy.watch", LOG_ERR(&err));
	if (w->consumer)
		gw_rp_parked_ends(w->parked, ask_end, w);
	gw_rp_parked_changes(w->parked, gw_rp_log_lock(log));
	gw_rp_log_unlock(log);
	return gw_rp_parked_due(w->parked, bus_clock_mono_ms(), gw_rp_stale_before(w->all));
}

/* Under the lock. */
static void take_new(struct watch *w)
{
	struct gw_rp_job *job;

	while ((job = w->all->parked)) {
		w->all->parked = job->next;
		gw_rp_parked_add(w->parked, job);
	}
}

void *gw_rp_watch(void *ctx)
{
	struct gw_consumers *c = ctx;
	struct watch w = { .all = c, .parked = gw_rp_parked_new(PARTITIONS_MAX) };
	struct gw_rp_job *due;
	int64_t next, left;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		next = bus_clock_mono_ms() + WATCH_MS;
		take_new(&w);
		if (gw_rp_parked_count(w.parked) > 0) {
			pthread_mutex_unlock(&c->lock);
			due = look(&w);
			pthread_mutex_lock(&c->lock);
			gw_rp_unpark(c, due);
		}
		/* Whatever else moves need not be looked at. */
		while (!c->stop && (left = next - bus_clock_mono_ms()) > 0)
			gw_rp_wait(c, (int)left);
	}
	gw_rp_unpark(c, gw_rp_parked_all(w.parked)); /* who stops answers them */
	pthread_mutex_unlock(&c->lock);
	gw_rp_parked_free(&w.parked);
	bus_consumer_close(&w.consumer);
	return NULL;
}
