/* Which gateway delivers. Its positions and a beat every few seconds are written under one transactional id, so that a
 * newer holder fences an older one; it sends only for as long as its last beat is recent. Another takes over when the
 * lease was given up, when it is its own from before a restart, or when no beat has come for a while. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/hook/hooks_impl.h"

#define BEAT_MS 2000
#define TRUST_MS 8000 /* how long after a beat the holder may send */
#define ABANDONED_MS                                                                                         \
	12000 /* without a beat another may take it: more than the above, whatever a commit takes */
#define BATCH 256

static void lose(struct gw_hooks *h, const struct bus_error *err)
{
	bus_log(BUS_LOG_WARN, "hook.lease_lost", LOG_STR("topic", h->conf.topic), LOG_ERR(err));
	bus_producer_close(&h->fence);
	h->fenced = true;
	pthread_mutex_lock(&h->lock);
	h->holding = false;
	h->lease_until = 0;
	h->lease_seen = bus_clock_mono_ms();
	pthread_mutex_unlock(&h->lock);
}

struct dirty {
	char id[GW_HOOK_ID_LEN + 1];
	struct gw_hook_pos pos;
};

static size_t collect(struct gw_hooks *h, struct dirty *out)
{
	size_t n = 0;

	pthread_mutex_lock(&h->lock);
	for (struct gw_hook *e = h->first; e && n < BATCH; e = e->next) {
		if (!e->dirty || e->dead || !e->sub)
			continue;
		memcpy(out[n].id, e->id, sizeof(e->id));
		out[n++].pos = e->pos;
		e->dirty = false;
	}
	pthread_mutex_unlock(&h->lock);
	return n;
}

static void put_back(struct gw_hooks *h, const struct dirty *list, size_t n)
{
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < n; i++) {
		struct gw_hook *e = gw_hook_find(h, list[i].id);

		if (e)
			e->dirty = true;
	}
	pthread_mutex_unlock(&h->lock);
}

/* A beat, and the positions that have changed, in one transaction. */
static enum bus_err commit(struct gw_hooks *h, struct bus_error *err)
{
	struct dirty *list = bus_xcalloc(BATCH, sizeof(*list));
	size_t n = collect(h, list);
	int64_t began = bus_clock_mono_ms();
	struct bus_buf value = { 0 };
	enum bus_err rc;

	bus_buf_puts(&value, h->node);
	rc = gw_hook_produce(h, h->fence, "lease", "", &value, err);
	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		bus_buf_reset(&value);
		gw_hook_pos_write(&list[i].pos, &value);
		rc = gw_hook_produce(h, h->fence, "pos", list[i].id, &value, err);
	}
	if (rc == BUS_OK)
		rc = bus_producer_flush(h->fence, GW_HOOK_WAIT_MS, err);
	if (rc) {
		put_back(h, list, n);
	} else {
		h->beat = began;
		pthread_mutex_lock(&h->lock);
		h->lease_until = began + TRUST_MS;
		pthread_mutex_unlock(&h->lock);
	}
	bus_buf_release(&value);
	free(list);
	return rc;
}

static bool some_dirty(struct gw_hooks *h)
{
	bool some = false;

	pthread_mutex_lock(&h->lock);
	for (const struct gw_hook *e = h->first; e && !some; e = e->next)
		some = e->dirty;
	pthread_mutex_unlock(&h->lock);
	return some;
}

static bool is_free(struct gw_hooks *h)
{
	int64_t now = bus_clock_mono_ms();
	bool yes;

	pthread_mutex_lock(&h->lock);
	yes = !h->lease_node[0] || now - h->lease_seen >= ABANDONED_MS ||
	      (!h->fenced && strcmp(h->lease_node, h->node) == 0);
	pthread_mutex_unlock(&h->lock);
	return yes;
}

static void take(struct gw_hooks *h)
{
	const struct bus_producer_conf conf = { .kafka = h->conf.kafka,
						.transactional_id = h->transactional_id };
	struct bus_error err;
	enum bus_err rc = bus_producer_open(&conf, &h->fence, &err);

	/* From here on nobody else's positions come any more: what is there is where we go on. */
	if (rc == BUS_OK)
		rc = bus_follow_catch_up(h->follow, GW_HOOK_WAIT_MS, &err);
	if (rc == BUS_OK)
		rc = commit(h, &err);
	if (rc) {
		bus_producer_close(&h->fence);
		bus_log(BUS_LOG_WARN, "hook.lease_not_taken", LOG_STR("topic", h->conf.topic), LOG_ERR(&err));
		return;
	}
	h->fenced = false;
	pthread_mutex_lock(&h->lock);
	h->holding = true;
	for (struct gw_hook *e = h->first; e; e = e->next)
		e->looked = -1;
	pthread_mutex_unlock(&h->lock);
	bus_log(BUS_LOG_INFO, "hook.lease_taken", LOG_STR("topic", h->conf.topic));
	gw_hooks_wake(h);
}

void gw_hook_lease_tick(struct gw_hooks *h)
{
	struct bus_error err;
	enum bus_err rc;

	if (!h->fence) {
		if (is_free(h))
			take(h);
		return;
	}
	if (bus_clock_mono_ms() - h->beat < BEAT_MS && !some_dirty(h))
		return;
	rc = commit(h, &err);
	if (rc == BUS_EFATAL)
		lose(h, &err);
	else if (rc)
		bus_log(BUS_LOG_WARN, "hook.commit_failed", LOG_STR("topic", h->conf.topic), LOG_ERR(&err));
}

void gw_hook_lease_give_up(struct gw_hooks *h)
{
	const struct bus_buf none = { 0 };
	struct bus_error err;
	enum bus_err rc = commit(h, &err);

	if (rc == BUS_OK)
		rc = gw_hook_produce(h, h->fence, "lease", "", &none, &err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(h->fence, GW_HOOK_WAIT_MS, &err);
	if (rc)
		bus_log(BUS_LOG_WARN, "hook.commit_failed", LOG_STR("topic", h->conf.topic), LOG_ERR(&err));
	bus_producer_close(&h->fence);
	pthread_mutex_lock(&h->lock);
	h->holding = false;
	pthread_mutex_unlock(&h->lock);
}
