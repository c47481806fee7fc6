/* The topic of webhooks: read for ever, and written where an API request changes a subscription. */
#include <stdio.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/wait.h"
#include "gateway/hook/hooks_impl.h"

#define OPEN_AGAIN_MS 5000
#define TICK_MS 500
#define READ_MS 60000

/* --- reading ----------------------------------------------------------------------------------------- */

static void apply_sub(struct gw_hooks *h, const char *id, struct gw_hook_sub *s) /* taken; NULL: gone */
{
	struct gw_hook *e;

	pthread_mutex_lock(&h->lock);
	e = s ? gw_hook_entry(h, id) : gw_hook_find(h, id);
	if (s) {
		gw_hook_sub_unref(&e->sub);
		e->sub = s;
		e->looked = -1;
	} else if (e) {
		gw_hook_drop(h, e);
	}
	pthread_mutex_unlock(&h->lock);
}

/* Who delivers knows better than what it wrote. */
static void apply_pos(struct gw_hooks *h, const char *id, const struct gw_hook_pos *p)
{
	pthread_mutex_lock(&h->lock);
	if (!h->holding)
		gw_hook_entry(h, id)->pos = *p;
	pthread_mutex_unlock(&h->lock);
}

static void apply_lease(struct gw_hooks *h, struct bus_str node)
{
	pthread_mutex_lock(&h->lock);
	snprintf(h->lease_node, sizeof(h->lease_node), "%.*s", (int)node.n, node.p);
	h->lease_seen = bus_clock_mono_ms();
	pthread_mutex_unlock(&h->lock);
}

static enum bus_err apply(struct gw_hooks *h, const char *key, bool tombstone, struct bus_str value,
			  struct bus_error *err)
{
	struct gw_hook_sub *s = NULL;
	struct gw_hook_pos p;
	enum bus_err rc = BUS_OK;

	if (strcmp(key, "lease/") == 0) {
		apply_lease(h, value);
	} else if (strncmp(key, "sub/", 4) == 0) {
		if (!tombstone)
			rc = gw_hook_sub_read(value, &s, err);
		if (rc == BUS_OK)
			apply_sub(h, key + 4, s);
	} else if (strncmp(key, "pos/", 4) == 0 && !tombstone) {
		rc = gw_hook_pos_read(value, &p, err);
		if (rc == BUS_OK)
			apply_pos(h, key + 4, &p);
	}
	return rc;
}

static void take_record(struct gw_hooks *h, const struct bus_record *r)
{
	struct bus_buf plain = { 0 };
	struct bus_error err;
	char key[32];
	enum bus_err rc = BUS_OK;

	if (!r->key.p || r->key.n >= sizeof(key))
		return;
	memcpy(key, r->key.p, r->key.n);
	key[r->key.n] = '\0';
	if (!r->tombstone)
		rc = bus_open(h->conf.key, r->key, r->value, &plain, &err);
	if (rc == BUS_OK)
		rc = apply(h, key, r->tombstone, bus_buf_str(&plain), &err);
	if (rc)
		bus_log(BUS_LOG_ERROR, "hook.record_unreadable", LOG_STR("topic", h->conf.topic),
			LOG_INT("offset", r->offset), LOG_ERR(&err),
			LOG_STR("hint", "webhooks.key must be the file of the gateway that wrote it"));
	if (plain.n > 0)
		explicit_bzero(plain.p, plain.n);
	bus_buf_release(&plain);
}

static void take_records(void *ctx, const struct bus_record *record, size_t n)
{
	for (size_t i = 0; i < n; i++)
		take_record(ctx, &record[i]);
}

static enum bus_err open_topic(struct gw_hooks *h, struct bus_error *err)
{
	static const char *const config[] = { "cleanup.policy=compact", NULL };
	const struct bus_topic_spec spec = { h->conf.topic, 1, -1, config };
	const struct bus_follow_conf follow = {
		.kafka = h->conf.kafka,
		.topic = h->conf.topic,
		.records = take_records,
		.ctx = h,
	};
	size_t created;
	enum bus_err rc = bus_admin_create_topics(&h->conf.kafka, &spec, 1, &created, GW_HOOK_WAIT_MS, err);

	return rc ? rc : bus_follow_open(&follow, READ_MS, &h->follow, err);
}

/* --- writing ----------------------------------------------------------------------------------------- */

enum bus_err gw_hook_produce(struct gw_hooks *h, struct bus_producer *p, const char *kind, const char *id,
			     const struct bus_buf *value, struct bus_error *err)
{
	struct bus_buf sealed = { 0 };
	struct bus_str bytes;
	char key[32];
	enum bus_err rc = BUS_OK;

	snprintf(key, sizeof(key), "%s/%s", kind, id);
	if (value->n > 0)
		rc = bus_seal(h->conf.key, bus_str(key), bus_buf_str(value), &sealed, err);
	bytes = value->n > 0 ? bus_buf_str(&sealed) : (struct bus_str){ 0 };
	if (rc == BUS_OK)
		rc = bus_producer_send(p, h->conf.topic, 0, bus_str(key), &bytes, NULL, 0, bus_clock_ms(),
				       ++h->token, GW_HOOK_WAIT_MS, err);
	bus_buf_release(&sealed);
	return rc;
}

static enum bus_err write_change(struct gw_hooks *h, const struct gw_hook_change *c, struct bus_error *err)
{
	const struct bus_producer_conf conf = { .kafka = h->conf.kafka };
	struct bus_buf value = { 0 }, none = { 0 };
	enum bus_err rc = BUS_OK;

	if (!h->writer)
		rc = bus_producer_open(&conf, &h->writer, err);
	if (rc)
		return rc;
	if (c->sub)
		gw_hook_sub_write(c->sub, &value);
	rc = gw_hook_produce(h, h->writer, "sub", c->id, &value, err);
	if (rc == BUS_OK && !c->sub)
		rc = gw_hook_produce(h, h->writer, "pos", c->id, &none, err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(h->writer, GW_HOOK_WAIT_MS, err);
	if (rc == BUS_OK)
		rc = bus_follow_wait(h->follow, bus_producer_offset(h->writer), GW_HOOK_WAIT_MS, err);
	if (rc) /* what is queued in it must not come later, after another's */
		bus_producer_close(&h->writer);
	if (value.n > 0)
		explicit_bzero(value.p, value.n);
	bus_buf_release(&value);
	return rc;
}

/* Is it still the subscription that the request saw? */
static bool current(struct gw_hooks *h, const struct gw_hook_change *c)
{
	const struct gw_hook *e;
	bool same;

	pthread_mutex_lock(&h->lock);
	e = gw_hook_find(h, c->id);
	same = (e && e->sub ? e->sub->version : 0) == c->version;
	pthread_mutex_unlock(&h->lock);
	return same;
}

static void answer(struct gw_hooks *h, struct gw_hook_change *c)
{
	struct bus_http_request *req = bus_http_ticket_request(c->ticket);
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	const struct gw_hook *e = NULL;
	char place[64];

	if (c->sub) {
		pthread_mutex_lock(&h->lock);
		e = gw_hook_find(h, c->id);
		if (e && e->sub)
			gw_hook_show(h, e, c->secrets, &j);
		pthread_mutex_unlock(&h->lock);
		snprintf(place, sizeof(place), "/v1/webhooks/%s", c->id);
		bus_http_set(req, "Location", place);
	}
	if (body.n > 0)
		bus_http_reply(req, c->version ? 200 : 201, "application/json", &body);
	else
		bus_http_reply(req, 204, NULL, NULL);
	bus_http_ticket_done(c->ticket);
	gw_hook_change_free(c);
}

static void run_change(struct gw_hooks *h, struct gw_hook_change *c)
{
	struct bus_error err;

	if (!h->follow || atomic_load(&h->stopping)) {
		gw_hook_refuse(c, "unavailable");
		return;
	}
	if (!current(h, c)) {
		gw_hook_refuse(c, "webhook-changed");
		return;
	}
	if (write_change(h, c, &err)) {
		bus_log(BUS_LOG_ERROR, "hook.write_failed", LOG_STR("topic", h->conf.topic), LOG_ERR(&err));
		gw_hook_refuse(c, "unavailable");
		return;
	}
	answer(h, c);
	gw_hooks_wake(h);
}

/* --- the thread -------------------------------------------------------------------------------------- */

static struct gw_hook_change *next_change(struct gw_hooks *h, bool wait)
{
	struct gw_hook_change *c;

	pthread_mutex_lock(&h->lock);
	if (wait && !h->changes.first && !atomic_load(&h->stopping))
		(void)bus_cond_wait(&h->work, &h->lock, bus_clock_mono_ms() + TICK_MS);
	c = gw_hook_take(&h->changes);
	pthread_mutex_unlock(&h->lock);
	return c;
}

static void try_to_open(struct gw_hooks *h, int64_t *next_try)
{
	struct bus_error err;

	if (bus_clock_mono_ms() < *next_try)
		return;
	if (open_topic(h, &err)) {
		bus_log(BUS_LOG_WARN, "hook.topic_unavailable", LOG_STR("topic", h->conf.topic),
			LOG_ERR(&err));
		*next_try = bus_clock_mono_ms() + OPEN_AGAIN_MS;
		return;
	}
	pthread_mutex_lock(&h->lock);
	h->known = true;
	pthread_mutex_unlock(&h->lock);
}

void *gw_hook_topic_run(void *hooks)
{
	struct gw_hooks *h = hooks;
	struct gw_hook_change *c;
	int64_t next_try = 0;

	while (!atomic_load(&h->stopping)) {
		if (!h->follow)
			try_to_open(h, &next_try);
		else if (h->conf.deliver)
			gw_hook_lease_tick(h);
		for (bool wait = true; (c = next_change(h, wait)); wait = false)
			run_change(h, c);
	}
	while ((c = next_change(h, false)))
		run_change(h, c);
	if (h->fence)
		gw_hook_lease_give_up(h);
	bus_producer_close(&h->writer);
	if (h->follow)
		bus_follow_close(&h->follow);
	return NULL;
}
