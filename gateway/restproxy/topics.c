/* The topics there are. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/restproxy/consume.h"

#define FRESH_MS 5000
#define MISSED_MS 300 /* a topic that is not among them may have just been made */

void gw_rp_list_release(struct gw_rp_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	free(l->partitions);
	*l = (struct gw_rp_list){ 0 };
}

void gw_rp_list_add(void *ctx, const char *topic, int32_t partitions)
{
	struct gw_rp_list *l = ctx;

	l->name = bus_xrealloc(l->name, (l->n + 1) * sizeof(*l->name));
	l->partitions = bus_xrealloc(l->partitions, (l->n + 1) * sizeof(*l->partitions));
	l->name[l->n] = bus_xstrdup(topic);
	l->partitions[l->n++] = partitions;
}

static bool same(const struct gw_rp_topics *t, const struct gw_rp_list *l)
{
	bool yes = t->n == l->n;

	for (size_t i = 0; yes && i < l->n; i++)
		yes = t->partitions[i] == l->partitions[i] && strcmp(t->name[i], l->name[i]) == 0;
	return yes;
}

/* Under the lock. What Kafka cannot be asked stays as it was. */
static void refresh(struct gw_consumers *c, int64_t older_than_ms)
{
	struct gw_rp_topics *t = &c->topics;
	struct gw_rp_list l = { 0 }, old;
	struct bus_error err;

	if (t->read_ms && bus_clock_mono_ms() - t->read_ms < older_than_ms)
		return;
	if (bus_groups_each_topic(c->groups, gw_rp_list_add, &l, GW_RP_ASK_MS, &err) != BUS_OK) {
		bus_log(BUS_LOG_WARN, "restproxy.topics", LOG_ERR(&err));
	} else if (!same(t, &l)) {
		old = (struct gw_rp_list){ t->name, t->partitions, t->n };
		t->name = l.name;
		t->partitions = l.partitions;
		t->n = l.n;
		t->generation++;
		l = old;
	}
	gw_rp_list_release(&l);
	t->read_ms = bus_clock_mono_ms();
}

static int32_t find(const struct gw_rp_topics *t, const char *topic)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->name[i], topic) == 0)
			return t->partitions[i];
	return 0;
}

int32_t gw_rp_topic_partitions(struct gw_consumers *c, const char *reader, const char *topic)
{
	const char *const *clear;
	int32_t n;
	size_t k;

	if (!gw_access_topic(c->api->access, reader, topic, &clear, &k))
		return 0;
	pthread_mutex_lock(&c->topics.lock);
	refresh(c, FRESH_MS);
	n = find(&c->topics, topic);
	if (n == 0) {
		refresh(c, MISSED_MS);
		n = find(&c->topics, topic);
	}
	pthread_mutex_unlock(&c->topics.lock);
	return n;
}

bool gw_rp_topic_clear(struct gw_consumers *c, const char *reader, const char *topic)
{
	const char *const *clear;
	bool all = false;
	size_t n;

	if (!gw_access_topic(c->api->access, reader, topic, &clear, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		all |= strcmp(clear[i], "*") == 0;
	return all;
}

uint64_t gw_rp_topics_each(struct gw_consumers *c,
			   void (*fn)(void *ctx, const char *topic, int32_t partitions), void *ctx)
{
	struct gw_rp_topics *t = &c->topics;
	uint64_t generation;

	pthread_mutex_lock(&t->lock);
	refresh(c, FRESH_MS);
	for (size_t i = 0; fn && i < t->n; i++)
		fn(ctx, t->name[i], t->partitions[i]);
	generation = t->generation;
	pthread_mutex_unlock(&t->lock);
	return generation;
}

void gw_rp_topics_release(struct gw_rp_topics *t)
{
	struct gw_rp_list l = { t->name, t->partitions, t->n };

	gw_rp_list_release(&l);
	pthread_mutex_destroy(&t->lock);
}
