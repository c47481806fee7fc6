#include "gateway/engine/defs.h"

#include <pthread.h>
#include <stdio.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/follow.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/producer.h"
#include "bus/wait.h"
#include "gateway/define/view.h"

#define WAIT_MS 10000
#define RETRY_MS 2000
#define ADMIN_MS 8000
#define PUBLISH_MS 10000
#define REPLICAS 3
#define NAME_MAX_LEN 60

struct gw_defs {
	struct gw_engine *engine;
	struct gw_defs_conf conf;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct bus_follow *follow; /* lock: set once */
	bool tried;		   /* lock: the first time */
	bool stop;		   /* lock */
	struct bus_metric *readable;
};

static struct bus_str header(const struct bus_record *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (bus_str_is(r->header[i].name, name))
			return r->header[i].value;
	return (struct bus_str){ 0 };
}

static void take(void *ctx, const struct bus_record *record, size_t n)
{
	struct gw_defs *d = ctx;
	char name[NAME_MAX_LEN + 1], by[64];

	for (size_t i = 0; i < n; i++) {
		const struct bus_record *r = &record[i];
		struct bus_str who = header(r, "titian_by");
		struct gw_wish w = { .name = name, .by = by, .when_ms = r->timestamp_ms };

		if (!r->key.p || r->key.n == 0 || r->key.n > NAME_MAX_LEN) {
			bus_log(BUS_LOG_WARN, "gateway.definition_ignored", LOG_INT("offset", r->offset),
				LOG_STR("why", "its key is no view's name"));
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)r->key.n, r->key.p);
		snprintf(by, sizeof(by), "%.*s", (int)who.n, who.p ? who.p : "");
		if (!r->tombstone) { /* one byte too many is enough to be refused for it */
			w.text = r->value;
			w.text.n = w.text.n > GW_VIEW_TEXT_MAX ? GW_VIEW_TEXT_MAX + 1 : w.text.n;
			w.text.p = w.text.p ? w.text.p : "";
		}
		gw_wish(d->engine, &w);
	}
}

static enum bus_err make_topic(struct gw_defs *d, struct bus_error *err)
{
	static const char *const config[] = { "cleanup.policy=compact", NULL };
	struct bus_topic_spec spec = { .name = d->conf.topic, .partitions = 1, .config = config };
	struct bus_topic_state state = { 0 };
	enum bus_err rc;
	size_t made;

	rc = bus_admin_topic(&d->conf.kafka, d->conf.topic, &state, ADMIN_MS, err);
	if (rc != BUS_ENOENT)
		return rc;
	spec.replication = state.brokers < REPLICAS ? state.brokers : REPLICAS;
	spec.replication = spec.replication > 0 ? spec.replication : 1;
	return bus_admin_create_topics(&d->conf.kafka, &spec, 1, &made, ADMIN_MS, err);
}

static enum bus_err connect(struct gw_defs *d, struct bus_error *err)
{
	const struct bus_follow_conf conf = {
		.kafka = d->conf.kafka, .topic = d->conf.topic, .records = take, .ctx = d
	};
	struct bus_follow *f = NULL;
	enum bus_err rc;

	rc = make_topic(d, err);
	if (rc == BUS_OK)
		rc = bus_follow_open(&conf, d->conf.wait_ms, &f, err);
	if (rc != BUS_OK)
		return rc;
	gw_wishes_read(d->engine);
	pthread_mutex_lock(&d->lock);
	d->follow = f;
	pthread_mutex_unlock(&d->lock);
	return BUS_OK;
}

static void nap(struct gw_defs *d, int ms)
{
	int64_t until = bus_clock_mono_ms() + ms;

	pthread_mutex_lock(&d->lock);
	while (!d->stop && bus_cond_wait(&d->moved, &d->lock, until))
		;
	pthread_mutex_unlock(&d->lock);
}

static bool stopped(struct gw_defs *d)
{
	bool stop;

	pthread_mutex_lock(&d->lock);
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return stop;
}

static void *run(void *ctx)
{
	struct gw_defs *d = ctx;
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_EIO;

	while (!stopped(d)) {
		if (rc != BUS_OK)
			rc = connect(d, &err);
		if (rc != BUS_OK)
			bus_log(BUS_LOG_ERROR, "gateway.definitions", LOG_STR("topic", d->conf.topic),
				LOG_ERR(&err));
		pthread_mutex_lock(&d->lock);
		d->tried = true;
		pthread_cond_broadcast(&d->moved);
		pthread_mutex_unlock(&d->lock);
		bus_metric_set(d->readable, gw_defs_healthy(d));
		nap(d, RETRY_MS);
	}
	return NULL;
}

enum bus_err gw_defs_open(struct gw_engine *e, const struct gw_defs_conf *conf, struct gw_defs **out,
			  struct bus_error *err)
{
	struct gw_defs *d = bus_xcalloc(1, sizeof(*d));

	*out = NULL;
	d->engine = e;
	d->conf = *conf;
	d->conf.wait_ms = conf->wait_ms > 0 ? conf->wait_ms : WAIT_MS;
	pthread_mutex_init(&d->lock, NULL);
	bus_cond_init(&d->moved);
	d->readable = bus_metric("titian_definitions_readable", "gauge",
				 "1: the topic of views' definitions is being read", "");
	if (pthread_create(&d->thread, NULL, run, d) != 0) {
		pthread_cond_destroy(&d->moved);
		pthread_mutex_destroy(&d->lock);
		free(d);
		return bus_fail(err, BUS_EIO, "cannot start the thread of the definitions");
	}
	pthread_mutex_lock(&d->lock);
	while (!d->tried)
		pthread_cond_wait(&d->moved, &d->lock);
	pthread_mutex_unlock(&d->lock);
	*out = d;
	return BUS_OK;
}

void gw_defs_close(struct gw_defs **defs)
{
	struct gw_defs *d = *defs;

	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_broadcast(&d->moved);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	bus_follow_close(&d->follow);
	pthread_cond_destroy(&d->moved);
	pthread_mutex_destroy(&d->lock);
	free(d);
	*defs = NULL;
}

static struct bus_follow *follow_of(struct gw_defs *d)
{
	struct bus_follow *f;

	pthread_mutex_lock(&d->lock);
	f = d->follow;
	pthread_mutex_unlock(&d->lock);
	return f;
}

bool gw_defs_healthy(struct gw_defs *d)
{
	struct bus_follow *f = follow_of(d);

	return f && bus_follow_healthy(f);
}

enum bus_err gw_defs_publish(struct gw_defs *d, const char *name, const struct bus_str *text, const char *by,
			     struct bus_error *err)
{
	static const struct bus_str none = { NULL, 0 };
	struct bus_producer_conf conf = { .kafka = d->conf.kafka };
	struct bus_follow *f = follow_of(d);
	int64_t now = bus_clock_ms(), offset;
	struct bus_producer *p = NULL;
	uint8_t id[8];
	char hex[17], when[40];
	enum bus_err rc;

	if (!f)
		return bus_fail(err, BUS_EKAFKA, "the topic of the definitions cannot be read");
	bus_random(id, sizeof(id));
	bus_hex(id, sizeof(id), hex);
	bus_clock_iso_wib(now, when, sizeof(when));
	const struct bus_header head[] = {
		{ BUS_STR("ce_specversion"), BUS_STR("1.0") },
		{ BUS_STR("ce_id"), bus_str(hex) },
		{ BUS_STR("ce_source"), BUS_STR("/titian-gateway") },
		{ BUS_STR("ce_type"), text ? BUS_STR("id.go.pekanbaru.bus.view.defined")
					   : BUS_STR("id.go.pekanbaru.bus.view.dropped") },
		{ BUS_STR("ce_subject"), bus_str(name) },
		{ BUS_STR("ce_time"), bus_str(when) },
		{ BUS_STR("content-type"), BUS_STR("application/sql") },
		{ BUS_STR("titian_by"), bus_str(by) },
	};
	rc = bus_producer_open(&conf, &p, err);
	if (rc == BUS_OK)
		rc = bus_producer_send(p, d->conf.topic, 0, bus_str(name), text ? text : &none, head,
				       BUS_LEN(head), now, 1, PUBLISH_MS, err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(p, PUBLISH_MS, err);
	offset = rc == BUS_OK ? bus_producer_offset(p) : -1;
	bus_producer_close(&p);
	if (rc == BUS_OK && offset >= 0)
		rc = bus_follow_wait(f, offset, PUBLISH_MS, err);
	return rc;
}
