#include "gateway/figures/releases.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/follow.h"
#include "bus/log.h"
#include "bus/producer.h"

#define WAIT_MS 10000
#define REPLICAS 3
#define KEY_MAX 80

struct release {
	char key[KEY_MAX]; /* INDICATOR|MONTH: in the order of both */
	char *text;
	size_t n;
};

struct gw_releases {
	struct gw_releases_conf conf;
	pthread_mutex_t lock; /* the rest */
	struct bus_follow *follow;
	struct release *item; /* by key */
	size_t n;
};

/* The first that is not before key. */
static size_t place_of(const struct gw_releases *r, const char *key)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(r->item[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void keep(struct gw_releases *r, const struct bus_record *record)
{
	struct release x = { 0 };
	size_t at;

	if (!record->key.p || record->key.n == 0 || record->key.n >= KEY_MAX || record->tombstone ||
	    r->n == GW_RELEASES_MAX) {
		bus_log(BUS_LOG_WARN, "gateway.release_ignored", LOG_INT("offset", record->offset));
		return;
	}
	memcpy(x.key, record->key.p, record->key.n);
	at = place_of(r, x.key);
	if (at < r->n && strcmp(r->item[at].key, x.key) == 0)
		return; /* the first holds */
	x.text = bus_xstrndup(record->value.p, record->value.n);
	x.n = strlen(x.text);
	r->item = bus_xrealloc(r->item, (r->n + 1) * sizeof(*r->item));
	memmove(r->item + at + 1, r->item + at, (r->n - at) * sizeof(*r->item));
	r->item[at] = x;
	r->n++;
}

static void take(void *ctx, const struct bus_record *record, size_t n)
{
	struct gw_releases *r = ctx;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < n; i++)
		keep(r, &record[i]);
	pthread_mutex_unlock(&r->lock);
}

struct gw_releases *gw_releases_new(const struct gw_releases_conf *conf)
{
	struct gw_releases *r = bus_xcalloc(1, sizeof(*r));

	r->conf = *conf;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void gw_releases_free(struct gw_releases **releases)
{
	struct gw_releases *r = *releases;

	*releases = NULL;
	if (!r)
		return;
	bus_follow_close(&r->follow);
	for (size_t i = 0; i < r->n; i++)
		free(r->item[i].text);
	free(r->item);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static enum bus_err make_topic(struct gw_releases *r, struct bus_error *err)
{
	static const char *const config[] = { "cleanup.policy=delete", "retention.ms=-1",
					      "retention.bytes=-1", NULL };
	struct bus_topic_spec spec = { .name = r->conf.topic, .partitions = 1, .config = config };
	struct bus_topic_state state = { 0 };
	enum bus_err rc = bus_admin_topic(&r->conf.kafka, r->conf.topic, &state, WAIT_MS, err);
	size_t made;

	if (rc != BUS_ENOENT)
		return rc;
	spec.replication = state.brokers < REPLICAS ? state.brokers : REPLICAS;
	spec.replication = spec.replication > 0 ? spec.replication : 1;
	return bus_admin_create_topics(&r->conf.kafka, &spec, 1, &made, WAIT_MS, err);
}

static struct bus_follow *follow_of(struct gw_releases *r)
{
	struct bus_follow *f;

	pthread_mutex_lock(&r->lock);
	f = r->follow;
	pthread_mutex_unlock(&r->lock);
	return f;
}

enum bus_err gw_releases_open(struct gw_releases *r, struct bus_error *err)
{
	const struct bus_follow_conf conf = {
		.kafka = r->conf.kafka, .topic = r->conf.topic, .records = take, .ctx = r
	};
	struct bus_follow *f = NULL;
	enum bus_err rc;

	if (follow_of(r))
		return BUS_OK;
	rc = make_topic(r, err);
	if (rc == BUS_OK)
		rc = bus_follow_open(&conf, WAIT_MS, &f, err);
	if (rc != BUS_OK)
		return rc;
	pthread_mutex_lock(&r->lock);
	r->follow = f;
	pthread_mutex_unlock(&r->lock);
	return BUS_OK;
}

bool gw_releases_has(struct gw_releases *r, const char *indicator, const char *month)
{
	char key[KEY_MAX];
	size_t at;
	bool has;

	snprintf(key, sizeof(key), "%s|%s", indicator, month);
	pthread_mutex_lock(&r->lock);
	at = place_of(r, key);
	has = at < r->n && strcmp(r->item[at].key, key) == 0;
	pthread_mutex_unlock(&r->lock);
	return has;
}

static bool is_full(struct gw_releases *r)
{
	bool full;

	pthread_mutex_lock(&r->lock);
	full = r->n == GW_RELEASES_MAX;
	pthread_mutex_unlock(&r->lock);
	return full;
}

enum bus_err gw_releases_write(struct gw_releases *r, const char *indicator, const char *month,
			       struct bus_str text, struct bus_error *err)
{
	struct bus_producer_conf conf = { .kafka = r->conf.kafka };
	const struct bus_header head[] = { { BUS_STR("content-type"), BUS_STR("application/json") } };
	struct bus_producer *p = NULL;
	char key[KEY_MAX];
	int64_t offset;
	enum bus_err rc = gw_releases_open(r, err);

	/* What another gateway has just told comes first. */
	if (rc == BUS_OK)
		rc = bus_follow_catch_up(r->follow, WAIT_MS, err);
	if (rc == BUS_OK && gw_releases_has(r, indicator, month))
		return bus_fail(err, BUS_EEXIST, "%s %s has been published", indicator, month);
	if (rc == BUS_OK && is_full(r))
		return bus_fail(err, BUS_EFULL, "%d months have been published", GW_RELEASES_MAX);
	snprintf(key, sizeof(key), "%s|%s", indicator, month);
	if (rc == BUS_OK)
		rc = bus_producer_open(&conf, &p, err);
	if (rc == BUS_OK)
		rc = bus_producer_send(p, r->conf.topic, 0, bus_str(key), &text, head, BUS_LEN(head),
				       bus_clock_ms(), 1, WAIT_MS, err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(p, WAIT_MS, err);
	offset = rc == BUS_OK ? bus_producer_offset(p) : -1;
	bus_producer_close(&p);
	if (rc == BUS_OK && offset >= 0)
		rc = bus_follow_wait(r->follow, offset, WAIT_MS, err);
	return rc;
}

bool gw_releases_of(struct gw_releases *r, const char *indicator, const char *from, const char *to,
		    struct gw_release *out, size_t most, size_t *n)
{
	size_t len = strlen(indicator) + 1, first, end; /* of the key's first part, '|' with it */
	char key[KEY_MAX];
	bool read;

	snprintf(key, sizeof(key), "%s|%s", indicator, from);
	pthread_mutex_lock(&r->lock);
	read = r->follow;
	first = end = place_of(r, key);
	while (end < r->n && strncmp(r->item[end].key, key, len) == 0 &&
	       (!*to || strcmp(r->item[end].key + len, to) <= 0))
		end++;
	if (end - first > most)
		first = end - most;
	*n = end - first;
	for (size_t i = 0; i < *n; i++) {
		const struct release *x = &r->item[first + i]; /* its text stays when the item is moved */

		snprintf(out[i].month, sizeof(out[i].month), "%.7s", x->key + len);
		out[i].text = (struct bus_str){ x->text, x->n };
	}
	pthread_mutex_unlock(&r->lock);
	return read;
}
