/* The watch: has a topic grown that somebody waits for? */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/feed/records_impl.h"

#define WATCH_MS 200 /* between two looks at the ends of topics that somebody waits for */
#define ASK_MS 10000
#define WATCHED_MAX 64 /* topics looked at, at a time */

struct watched {
	char *topic;
	int64_t *end; /* of its n partitions, as last seen */
	int32_t n;
	bool wanted;
};

struct watch {
	struct gw_records *all;
	struct bus_consumer *consumer;
	struct watched topic[WATCHED_MAX];
	size_t n;
};

/* Under the lock. A topic too many is not known: its readers are asked for every time. */
static struct watched *want(struct watch *w, const char *topic)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->topic[i].topic, topic) == 0) {
			w->topic[i].wanted = true;
			return &w->topic[i];
		}
	if (w->n == WATCHED_MAX)
		return NULL;
	w->topic[w->n] = (struct watched){ .topic = bus_xstrdup(topic), .wanted = true };
	return &w->topic[w->n++];
}

static void forget_unwanted(struct watch *w)
{
	for (size_t i = 0; i < w->n;) {
		if (w->topic[i].wanted) {
			w->topic[i++].wanted = false;
			continue;
		}
		free(w->topic[i].topic);
		free(w->topic[i].end);
		w->topic[i] = w->topic[--w->n];
	}
}

static void look(struct watch *w, struct watched *t)
{
	struct bus_error err;
	int64_t begin;
	int32_t n;

	if (bus_consumer_partitions(w->consumer, t->topic, &n, ASK_MS, &err) != BUS_OK)
		return;
	if (n > t->n) {
		t->end = bus_xrealloc(t->end, (size_t)n * sizeof(*t->end));
		memset(t->end + t->n, 0, (size_t)(n - t->n) * sizeof(*t->end));
		t->n = n;
	}
	for (int32_t p = 0; p < n; p++)
		if (bus_consumer_bounds(w->consumer, t->topic, p, &begin, &t->end[p], ASK_MS, &err) != BUS_OK)
			return;
}

/* Whether there is something behind where the reader is; one that waits is nobody's, and stands still. */
static bool grown(struct watch *w, const struct gw_tail *t)
{
	const struct watched *seen = want(w, t->topic);

	if (!seen || (t->only < 0 && seen->n > (int32_t)t->n_at))
		return true;
	for (size_t i = 0; i < t->n_at; i++)
		if (t->at[i].partition < seen->n && t->at[i].next < seen->end[t->at[i].partition])
			return true;
	return false;
}

static void submit_grown(struct watch *w)
{
	struct gw_records *r = w->all;
	int64_t now = bus_clock_mono_ms();
	struct gw_tail **at = &r->polls, *t, *over = NULL;

	pthread_mutex_lock(&r->lock);
	while ((t = *at)) {
		if (t->wait_until > now && !grown(w, t)) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		if (t->wait_until <= now || !gw_records_push(t)) {
			t->next = over;
			over = t;
		}
	}
	for (t = r->open; t; t = t->next_open)
		if (t->state == GW_TAIL_WAITING && grown(w, t))
			(void)gw_records_push(t);
	pthread_mutex_unlock(&r->lock);
	while ((t = over)) {
		over = t->next;
		gw_records_answer(t);
	}
}

void *gw_records_watch(void *ctx)
{
	struct watch w = { .all = ctx };
	struct gw_records *r = ctx;
	const struct bus_consumer_conf conf = { .kafka = *r->kafka, .queue_bytes = 64 * 1024 };
	struct bus_error err;
	bool any;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		any = r->polls != NULL;
		for (struct gw_tail *t = r->polls; t; t = t->next)
			want(&w, t->topic);
		for (struct gw_tail *t = r->open; t; t = t->next_open) {
			if (t->state != GW_TAIL_WAITING)
				continue;
			want(&w, t->topic);
			any = true;
		}
		pthread_mutex_unlock(&r->lock);
		forget_unwanted(&w);
		if (!any)
			bus_consumer_close(&w.consumer);
		if (any && !w.consumer && bus_consumer_open(&conf, &w.consumer, &err) != BUS_OK)
			bus_log(BUS_LOG_WARN, "gateway.records", LOG_ERR(&err));
		for (size_t i = 0; i < w.n && w.consumer; i++)
			look(&w, &w.topic[i]);
		if (any)
			submit_grown(&w);
		pthread_mutex_lock(&r->lock);
		if (!r->stop)
			gw_records_wait(r, WATCH_MS);
	}
	pthread_mutex_unlock(&r->lock);
	bus_consumer_close(&w.consumer);
	for (size_t i = 0; i < w.n; i++) {
		free(w.topic[i].topic);
		free(w.topic[i].end);
	}
	return NULL;
}
