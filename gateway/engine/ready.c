#include "gateway/engine/ready.h"

#include <stdarg.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"

#define LOOK_MS 20

void gw_ready_say(struct gw_engine *e, const char *fmt, ...)
{
	va_list args;

	pthread_mutex_lock(&e->lock);
	va_start(args, fmt);
	vsnprintf(e->waits_for, sizeof(e->waits_for), fmt, args);
	va_end(args);
	pthread_mutex_unlock(&e->lock);
}

void gw_waits_for(struct gw_engine *e, char *out, size_t n)
{
	pthread_mutex_lock(&e->lock);
	snprintf(out, n, "%s", e->waits_for);
	pthread_mutex_unlock(&e->lock);
}

/* A partition with records before its goal that are not applied; NULL: none. */
static const struct gw_part *unread(const struct gw_engine *e, struct bus_consumer *c, int64_t *at)
{
	for (size_t i = 0; i < e->n_parts; i++) {
		const struct gw_part *p = &e->part[i];

		if (bus_consumer_position(c, p->topic->name, p->partition, at, NULL) != BUS_OK)
			*at = p->next;
		if (*at < p->goal)
			return p;
	}
	return NULL;
}

enum bus_err gw_ready_look(struct gw_ready *r, struct gw_engine *e, struct bus_consumer *c, bool building,
			   struct bus_error *err)
{
	int64_t now = bus_clock_mono_ms(), at;
	const struct gw_part *p;
	const struct gw_live *v;
	enum bus_err rc;

	if (atomic_load(&e->caught_up))
		return gw_whole_mark(e, err); /* one that stood still by then */
	if (now - r->at_ms < LOOK_MS)
		return BUS_OK;
	r->at_ms = now;
	p = r->reached ? NULL : unread(e, c, &at);
	if (p) {
		gw_ready_say(e, "%s/%d: %lld / %lld", p->topic->name, (int)p->partition,
			     (long long)(at < 0 ? 0 : at), (long long)p->goal);
		return BUS_OK;
	}
	if (!r->reached)
		gw_settle_owe(e);
	r->reached = true;
	v = gw_settle_owed(e);
	if (v || building) {
		gw_ready_say(e, "view %s", v ? v->def->pub.name : "(baru / new)");
		return BUS_OK;
	}
	rc = gw_whole_mark(e, err); /* before anybody is told */
	if (rc != BUS_OK)
		return rc;
	atomic_store(&e->caught_up, true);
	bus_log(BUS_LOG_INFO, "gateway.caught_up", LOG_INT("views", e->n_views));
	return BUS_OK;
}
