/* What views promise, measured: departments' files looked at, columns counted, one thread. */
#include "gateway/serve/promise.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/wait.h"
#include "gateway/engine/standing.h"
#include "gateway/serve/promise_impl.h"

#define LOOK_MS 1000	/* between two rounds */
#define MEASURE_REST 20 /* times what counting a view cost, until it is counted again */
#define VIEWS_MAX 1000
#define TABLES_MAX 512

struct seen {		   /* a feed's last file */
	const char *table; /* the engine's */
	int64_t ms;
};

struct counted {
	char view[64];
	struct gw_counted n;
	int64_t rest_until_ms; /* monotonic */
};

struct gw_promises {
	struct gw_engine *engine;
	pthread_t thread;
	bool started, stop;
	pthread_mutex_t lock; /* guards what follows, and stop */
	pthread_cond_t wake;
	struct seen seen[TABLES_MAX];
	size_t n_seen;
	struct counted counted[VIEWS_MAX];
	size_t n_counted;
};

static int64_t seen_of(struct gw_promises *p, const char *table)
{
	int64_t ms = 0;

	if (!p)
		return 0;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n_seen && ms == 0; i++)
		ms = strcmp(p->seen[i].table, table) == 0 ? p->seen[i].ms : 0;
	pthread_mutex_unlock(&p->lock);
	return ms;
}

static int64_t promise_for(const struct gw_view *v, const char *table)
{
	for (size_t i = 0; i < v->n_input_ages; i++) {
		if (strcmp(v->input_age[i].table, table) == 0)
			return v->input_age[i].max_age_s;
	}
	return v->max_age_s;
}

void gw_promise_fresh(struct gw_api *api, const struct gw_view *v, struct gw_fresh *out)
{
	int64_t now = bus_clock_ms(), seen;
	double worst = -1;

	/* Not the arrays: they are large, and filled as far as they count. */
	out->any_late = false;
	out->worst = 0;
	out->newest_ms = out->behind = 0;
	out->n = gw_view_inputs(api->engine, v, out->input, GW_INPUTS_MAX);
	for (size_t i = 0; i < out->n; i++) {
		struct gw_topic_state *t = &out->input[i];
		int64_t promise = promise_for(v, t->table), age = -1;
		double over;

		seen = seen_of(api->promises, t->table);
		if (t->newest_ms > seen)
			seen = t->newest_ms;
		if (seen > 0)
			age = now > seen ? (now - seen) / 1000 : 0;
		out->seen_ms[i] = seen;
		out->age_s[i] = age;
		out->promise_s[i] = promise;
		out->late[i] = promise > 0 && (age < 0 || age > promise);
		out->any_late |= out->late[i];
		out->behind += t->behind;
		if (t->newest_ms > out->newest_ms)
			out->newest_ms = t->newest_ms;
		/* The one nearest to its promise, or farthest beyond it; without promises the oldest. */
		over = age < 0 ? 1e18 : promise > 0 ? (double)age / (double)promise : (double)age * 1e-12;
		if (over > worst) {
			worst = over;
			out->worst = i;
		}
	}
}

bool gw_promise_counted(struct gw_api *api, const struct gw_view *v, struct gw_counted *out)
{
	struct gw_promises *p = api->promises;
	bool found = false;

	if (!p)
		return false;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n_counted && !found; i++) {
		found = strcmp(p->counted[i].view, v->name) == 0 && p->counted[i].n.at_ms > 0;
		if (found)
			*out = p->counted[i].n;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

bool gw_promise_whole(const struct gw_view *v, const struct gw_counted *n)
{
	if (n->rows < v->least_rows)
		return false;
	for (size_t i = 0; i < v->n_columns; i++) {
		if (v->column[i].least_share > 0 &&
		    (double)n->said[i] < v->column[i].least_share * (double)n->rows)
			return false;
	}
	return true;
}

uint64_t gw_promise_columns(const struct gw_view *v)
{
	uint64_t set = 0;

	for (size_t i = 0; i < v->n_columns; i++)
		set |= (uint64_t)(v->column[i].least_share > 0) << i;
	return set;
}

/* --- the thread ------------------------------------------------------------------------------------- */

static void look_at_files(struct gw_promises *p)
{
	struct gw_topic_state *topic = bus_xcalloc(TABLES_MAX, sizeof(*topic));
	size_t n = gw_topics(p->engine, topic, TABLES_MAX);
	int64_t ms;

	for (size_t i = 0; i < n; i++) {
		if (gw_feed_seen(gw_reader_of(p->engine), &topic[i], &ms, NULL) != BUS_OK)
			continue; /* the store is being made anew: next time */
		pthread_mutex_lock(&p->lock);
		p->seen[i] = (struct seen){ topic[i].table, ms };
		if (i >= p->n_seen)
			p->n_seen = i + 1;
		pthread_mutex_unlock(&p->lock);
	}
	free(topic);
}

static struct counted *counted_of(struct gw_promises *p, const char *view)
{
	struct counted *c = NULL;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n_counted && !c; i++) {
		if (strcmp(p->counted[i].view, view) == 0)
			c = &p->counted[i];
	}
	if (!c && p->n_counted < VIEWS_MAX) {
		c = &p->counted[p->n_counted++];
		snprintf(c->view, sizeof(c->view), "%s", view);
	}
	pthread_mutex_unlock(&p->lock);
	return c;
}

static void count(struct gw_promises *p, const struct gw_view *v)
{
	struct counted *c = counted_of(p, v->name);
	struct gw_counted n = { 0 };
	struct bus_error err;
	int64_t begin = bus_clock_mono_ms(), ms;

	n.seq = gw_newest(p->engine, v);
	if (!c || begin < c->rest_until_ms || (c->n.at_ms > 0 && c->n.seq == n.seq))
		return;
	n.at_ms = bus_clock_ms();
	if (gw_measure(gw_reader_of(p->engine), v, gw_promise_columns(v), &n.rows, n.said, &err) != BUS_OK) {
		bus_log(BUS_LOG_WARN, "gateway.not_measured", LOG_STR("view", v->name), LOG_ERR(&err));
		n = c->n;
	}
	ms = bus_clock_mono_ms() - begin;
	pthread_mutex_lock(&p->lock);
	c->n = n;
	c->rest_until_ms = begin + ms * MEASURE_REST;
	pthread_mutex_unlock(&p->lock);
}

void gw_promises_look(struct gw_promises *p)
{
	struct gw_views *views = gw_views_hold(p->engine);

	look_at_files(p);
	for (size_t i = 0; i < views->n; i++) {
		const struct gw_view *v = views->view[i];

		if (v->least_rows > 0 || gw_promise_columns(v))
			count(p, v);
	}
	gw_views_release(&views);
}

static void *run(void *ctx)
{
	struct gw_promises *p = ctx;
	bool stop = false;

	while (!stop) {
		int64_t until;

		gw_promises_look(p);
		until = bus_clock_mono_ms() + LOOK_MS;
		pthread_mutex_lock(&p->lock);
		while (!p->stop && bus_cond_wait(&p->wake, &p->lock, until))
			;
		stop = p->stop;
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

struct gw_promises *gw_promises_new(struct gw_engine *e)
{
	struct gw_promises *p = bus_xcalloc(1, sizeof(*p));

	p->engine = e;
	pthread_mutex_init(&p->lock, NULL);
	bus_cond_init(&p->wake);
	return p;
}

enum bus_err gw_promises_start(struct gw_promises *p, struct bus_error *err)
{
	int rc = pthread_create(&p->thread, NULL, run, p);

	p->started = rc == 0;
	return p->started ? BUS_OK : bus_fail(err, BUS_EIO, "cannot start a thread: %s", strerror(rc));
}

void gw_promises_free(struct gw_promises **promises)
{
	struct gw_promises *p = *promises;

	if (!p)
		return;
	if (p->started) {
		pthread_mutex_lock(&p->lock);
		p->stop = true;
		pthread_cond_signal(&p->wake);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
	*promises = NULL;
}
