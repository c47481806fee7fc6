/* Requests for records that wait without a thread: they come back when their topics have grown, when they may have other
 * partitions, or when their time is over. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/restproxy/consume.h"

#define WATCH_MS 100
#define PARTITIONS_MAX 2000 /* looked at, at a time; those over it are asked for every time */

struct look {
	char *topic;
	int32_t partition;
	int64_t end;
};

struct watch {
	struct gw_consumers *all;
	struct bus_consumer *consumer;
	struct look look[PARTITIONS_MAX];
	size_t n;
};

static struct look *find(struct watch *w, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->look[i].partition == partition && strcmp(w->look[i].topic, topic) == 0)
			return &w->look[i];
	return NULL;
}

/* Under the lock: which partitions somebody waits for. */
static void list(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->look[i].topic);
	w->n = 0;
	for (const struct gw_rp_job *job = w->all->parked; job; job = job->next)
		for (size_t t = 0; t < job->at->n_held; t++)
			for (size_t p = 0; p < job->at->held[t].n && w->n < PARTITIONS_MAX; p++)
				if (!find(w, job->at->held[t].topic, job->at->held[t].at[p].partition))
					w->look[w->n++] =
					    (struct look){ bus_xstrdup(job->at->held[t].topic),
							   job->at->held[t].at[p].partition, 0 };
}

static void ask(struct watch *w)
{
	const struct bus_consumer_conf conf = { .kafka = w->all->conf.kafka, .queue_bytes = 64 * 1024 };
	struct bus_error err;
	int64_t begin;

	if (!w->consumer && bus_consumer_open(&conf, &w->consumer, &err) != BUS_OK) {
		bus_log(BUS_LOG_WARN, "restproxy.watch", LOG_ERR(&err));
		return;
	}
	for (size_t i = 0; i < w->n && !w->all->stop; i++)
		if (bus_consumer_bounds(w->consumer, w->look[i].topic, w->look[i].partition, &begin,
					&w->look[i].end, GW_RP_ASK_MS, &err) != BUS_OK)
			w->look[i].end = INT64_MAX; /* let a worker find out */
}

static bool grown(struct watch *w, const struct gw_rp_job *job)
{
	for (size_t t = 0; t < job->at->n_held; t++)
		for (size_t p = 0; p < job->at->held[t].n; p++) {
			const struct look *l =
			    find(w, job->at->held[t].topic, job->at->held[t].at[p].partition);

			if (!l || l->end > job->at->held[t].at[p].next)
				return true;
		}
	return false;
}

void *gw_rp_watch(void *ctx)
{
	struct watch *w = bus_xcalloc(1, sizeof(*w));
	struct gw_consumers *c = ctx;
	struct gw_rp_job **at;
	uint64_t changes;
	int64_t now;

	w->all = c;
	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		list(w);
		if (c->parked) {
			pthread_mutex_unlock(&c->lock);
			ask(w);
			changes = gw_rp_state_changes(gw_rp_log_lock(c->log));
			gw_rp_log_unlock(c->log);
			pthread_mutex_lock(&c->lock);
			now = bus_clock_mono_ms();
			for (at = &c->parked; *at;)
				if ((*at)->deadline <= now || (*at)->changes != changes ||
				    gw_rp_stale(c, (*at)->at) || grown(w, *at))
					gw_rp_unpark(c, at);
				else
					at = &(*at)->next;
		}
		gw_rp_wait(c, WATCH_MS);
	}
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < w->n; i++)
		free(w->look[i].topic);
	bus_consumer_close(&w->consumer);
	free(w);
	return NULL;
}
