/* The set of views, as every thread but the writer's sees it: replaced whole, let go when nobody holds it. */
#include "gateway/engine/core.h"

static struct gw_views *set_of(struct gw_engine *e)
{
	struct gw_views *set = bus_xcalloc(1, sizeof(*set) + e->n_views * sizeof(set->view[0]));

	atomic_init(&set->refs, 1);
	for (size_t i = 0; i < e->n_views; i++)
		set->view[set->n++] = gw_view_ref(&e->view[i]->def->pub);
	return set;
}

void gw_views_publish(struct gw_engine *e)
{
	struct gw_views *set = set_of(e), *old;

	pthread_mutex_lock(&e->lock);
	old = e->set;
	e->set = set;
	atomic_fetch_add(&e->set_epoch, 1);
	pthread_mutex_unlock(&e->lock);
	gw_views_release(&old);
	if (e->on_views)
		e->on_views(e->on_views_ctx);
}

struct gw_views *gw_views_hold(struct gw_engine *e)
{
	struct gw_views *set;

	pthread_mutex_lock(&e->lock);
	set = e->set;
	atomic_fetch_add(&set->refs, 1);
	pthread_mutex_unlock(&e->lock);
	return set;
}

void gw_views_release(struct gw_views **set)
{
	if (*set && atomic_fetch_sub(&(*set)->refs, 1) == 1) {
		for (size_t i = 0; i < (*set)->n; i++)
			gw_view_unref(&(*set)->view[i]);
		free(*set);
	}
	*set = NULL;
}

const struct gw_view *gw_views_find(const struct gw_views *set, const char *name)
{
	size_t low = 0, high = set->n, mid;
	int c;

	while (low < high) {
		mid = (low + high) / 2;
		c = strcmp(set->view[mid]->name, name);
		if (c == 0)
			return set->view[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

size_t gw_view_count(struct gw_engine *e)
{
	return e->set->n;
}

const struct gw_view *gw_view_at(struct gw_engine *e, size_t i)
{
	return i < e->set->n ? e->set->view[i] : NULL;
}

const struct gw_view *gw_view_find(struct gw_engine *e, const char *name)
{
	return gw_views_find(e->set, name);
}

void gw_on_views(struct gw_engine *e, void (*fn)(void *ctx), void *ctx)
{
	e->on_views = fn;
	e->on_views_ctx = ctx;
}

void gw_live_show(struct gw_live *v)
{
	atomic_store(&v->def->rows, v->rows);
	atomic_store(&v->def->newest, v->newest);
	atomic_store(&v->def->whole, v->whole); /* last: then there are rows */
	bus_metric_set(v->metric_rows, (double)v->rows);
}

int64_t gw_newest(struct gw_engine *e, const struct gw_view *v)
{
	(void)e;
	return atomic_load(&gw_view_def(v)->newest);
}

int64_t gw_view_rows(struct gw_engine *e, const struct gw_view *v)
{
	(void)e;
	return atomic_load(&gw_view_def(v)->rows);
}
