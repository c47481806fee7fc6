/* This gateway lives: told by a thread of its own, since an evaluation may keep the materialiser for a minute. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/producer.h"
#include "bus/wait.h"
#include "gateway/engine/engine.h"
#include "gateway/engine/group_impl.h"

#define BEAT_MS 500
#define WAIT_MS 2000

static void beat(struct gw_group *g, struct bus_producer **p, uint64_t *token, bool leaves)
{
	const struct bus_producer_conf conf = { .kafka = g->conf.kafka, .window = 16 };
	struct bus_buf bytes = { 0 }, sealed = { 0 };
	struct bus_str none = { 0 }, value;
	struct gw_group_record r;
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_OK;
	bool may;

	pthread_mutex_lock(&g->lock);
	r = g->beat;
	may = g->may_beat;
	pthread_mutex_unlock(&g->lock);
	if (atomic_load(&g->heard_ms) > 0)
		bus_metric_set(g->silent, (double)((bus_clock_mono_ms() - atomic_load(&g->heard_ms)) / 1000));
	if (!may)
		return;
	r.at_ms = bus_clock_ms();
	r.fault = gw_engine_fault(g->e) != NULL;
	if (leaves)
		r.role = GW_GROUP_LEAVES;
	if (!*p)
		rc = bus_producer_open(&conf, p, &err);
	gw_group_put_record(&bytes, &r);
	if (rc == BUS_OK)
		rc = bus_seal(g->key, BUS_STR("titian-group"), bus_buf_str(&bytes), &sealed, &err);
	value = bus_buf_str(&sealed);
	if (rc == BUS_OK)
		rc = bus_producer_send(*p, g->conf.topic, 0, none, &value, NULL, 0, bus_clock_ms(), ++*token,
				       WAIT_MS, &err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(*p, WAIT_MS, &err);
	if (rc != BUS_OK) { /* what is queued would be old news */
		bus_log(BUS_LOG_WARN, "group.beat", LOG_ERR(&err));
		bus_producer_close(p);
	}
	bus_buf_release(&bytes);
	bus_buf_release(&sealed);
}

static void *run(void *ctx)
{
	struct gw_group *g = ctx;
	struct bus_producer *p = NULL;
	uint64_t token = 0;
	int64_t until;
	bool end;

	do {
		beat(g, &p, &token, false);
		until = bus_clock_mono_ms() + BEAT_MS;
		pthread_mutex_lock(&g->lock);
		while (!g->end && bus_cond_wait(&g->moved, &g->lock, until))
			;
		end = g->end;
		pthread_mutex_unlock(&g->lock);
	} while (!end);
	beat(g, &p, &token, true);
	bus_producer_close(&p);
	return NULL;
}

void gw_group_beat_start(struct gw_group *g)
{
	if (!g->started)
		g->started = pthread_create(&g->thread, NULL, run, g) == 0;
}

void gw_group_beat_stop(struct gw_group *g)
{
	if (!g->started)
		return;
	pthread_mutex_lock(&g->lock);
	g->end = true;
	pthread_cond_broadcast(&g->moved);
	pthread_mutex_unlock(&g->lock);
	pthread_join(g->thread, NULL);
	g->started = g->end = false;
}
