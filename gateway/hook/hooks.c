#include <inttypes.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/wait.h"
#include "gateway/hook/hooks_impl.h"

#define QUEUE_MAX 64

/* --- the list ---------------------------------------------------------------------------------------- */

struct gw_hook *gw_hook_find(struct gw_hooks *h, const char *id)
{
	for (struct gw_hook *e = h->first; e; e = e->next)
		if (!e->dead && strcmp(e->id, id) == 0)
			return e;
	return NULL;
}

struct gw_hook *gw_hook_entry(struct gw_hooks *h, const char *id)
{
	struct gw_hook *e = gw_hook_find(h, id);

	if (e)
		return e;
	e = bus_xcalloc(1, sizeof(*e));
	snprintf(e->id, sizeof(e->id), "%s", id);
	e->looked = -1;
	e->next = h->first;
	h->first = e;
	h->n++;
	return e;
}

void gw_hook_drop(struct gw_hooks *h, struct gw_hook *e)
{
	e->dead = true;
	if (e->busy)
		return;
	for (struct gw_hook **at = &h->first; *at; at = &(*at)->next)
		if (*at == e) {
			*at = e->next;
			break;
		}
	h->n--;
	gw_hook_sub_unref(&e->sub);
	free(e->attempt);
	free(e);
}

void gw_hook_suspended(const struct gw_hook *e)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "reason=\"%s\"", gw_hook_reasons[e->pos.reason]);
	bus_metric_add(
	    bus_metric("titian_webhook_suspended_total", "counter", "Webhooks that were suspended.", labels),
	    1);
	bus_log(BUS_LOG_WARN, "hook.suspended", LOG_STR("webhook", e->id), LOG_STR("reader", e->sub->reader),
		LOG_STR("view", e->sub->view), LOG_STR("reason", gw_hook_reasons[e->pos.reason]));
}

void gw_hook_suspend(struct gw_hook *e, enum gw_hook_reason why)
{
	e->pos.state = GW_HOOK_SUSPENDED;
	e->pos.reason = why;
	e->dirty = true;
	gw_hook_suspended(e);
}

/* --- queues ------------------------------------------------------------------------------------------ */

bool gw_hook_put(struct gw_hooks *h, struct gw_hook_queue *q, struct gw_hook_change *c)
{
	if (q->n >= QUEUE_MAX || atomic_load(&h->stopping))
		return false;
	if (!q->first)
		q->last = &q->first;
	*q->last = c;
	q->last = &c->next;
	q->n++;
	pthread_cond_signal(&h->work);
	return true;
}

struct gw_hook_change *gw_hook_take(struct gw_hook_queue *q)
{
	struct gw_hook_change *c = q->first;

	if (c) {
		q->first = c->next;
		q->n--;
	}
	return c;
}

void gw_hook_change_free(struct gw_hook_change *c)
{
	gw_hook_sub_unref(&c->sub);
	free(c);
}

void gw_hook_refuse(struct gw_hook_change *c, const char *code)
{
	gw_problem_in(bus_http_ticket_request(c->ticket), c->english, code, NULL, NULL);
	bus_http_ticket_done(c->ticket);
	gw_hook_change_free(c);
}

/* --- the whole --------------------------------------------------------------------------------------- */

static char *origin_of(const char *base)
{
	struct bus_url url;

	return bus_xstrdup(bus_url_read(base, &url, NULL) == BUS_OK ? url.host : "titian");
}

struct gw_hooks *gw_hooks_new(const struct gw_hooks_conf *conf)
{
	struct gw_hooks *h = bus_xcalloc(1, sizeof(*h));

	h->conf = *conf;
	h->schedule = conf->schedule;
	h->base = bus_xstrdup(conf->base);
	h->names = (struct gw_hook_names){ .base = h->base, .prefix = conf->prefix };
	snprintf(h->node, sizeof(h->node), "%016" PRIx64, gw_store_id(conf->api->engine));
	h->transactional_id = bus_xasprintf("%s-deliver", conf->topic);
	h->origin = origin_of(conf->base);
	pthread_mutex_init(&h->lock, NULL);
	bus_cond_init(&h->work);
	return h;
}

enum bus_err gw_hooks_start(struct gw_hooks *h, struct bus_error *err)
{
	const struct bus_many_conf many = {
		.ca = h->conf.ca,
		.timeout_ms = h->conf.timeout_ms,
		.answer_max = 65536,
		.find = gw_hook_net_find,
		.may = gw_hook_net_may,
		.ctx = h->conf.net,
	};
	enum bus_err rc = bus_many_new(&many, &h->many, err);

	if (rc)
		return rc;
	h->running = true;
	if (pthread_create(&h->topic_thread, NULL, gw_hook_topic_run, h) != 0 ||
	    pthread_create(&h->deliver_thread, NULL, gw_hook_deliver_run, h) != 0) {
		fprintf(stderr, "level=fatal id=hook.no_thread\n");
		abort();
	}
	return BUS_OK;
}

void gw_hooks_wake(struct gw_hooks *h)
{
	bus_many_wake(h->many);
}

void gw_hooks_stop(struct gw_hooks *h)
{
	if (!h->running)
		return;
	atomic_store(&h->stopping, true);
	bus_many_wake(h->many);
	pthread_join(h->deliver_thread, NULL);
	pthread_mutex_lock(&h->lock);
	pthread_cond_signal(&h->work);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->topic_thread, NULL);
	h->running = false;
}

void gw_hooks_free(struct gw_hooks **hp)
{
	struct gw_hooks *h = *hp;

	if (!h)
		return;
	while (h->first) {
		h->first->busy = false;
		gw_hook_drop(h, h->first);
	}
	bus_many_free(&h->many);
	gw_hook_net_free(&h->conf.net);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->work);
	explicit_bzero(h->conf.key, sizeof(h->conf.key));
	free(h->transactional_id);
	free(h->origin);
	free(h->base);
	free(h);
	*hp = NULL;
}

void gw_hooks_metrics(struct gw_hooks *h)
{
	size_t n[BUS_LEN(gw_hook_states)] = { 0 }, failing = 0;
	char labels[64];
	bool holding;

	pthread_mutex_lock(&h->lock);
	for (const struct gw_hook *e = h->first; e; e = e->next) {
		if (!e->sub)
			continue;
		n[e->pos.state]++;
		failing += e->pos.state != GW_HOOK_SUSPENDED && e->pos.failures > 0;
	}
	holding = h->holding;
	pthread_mutex_unlock(&h->lock);
	for (size_t i = 0; i < BUS_LEN(gw_hook_states); i++) {
		snprintf(labels, sizeof(labels), "state=\"%s\"", gw_hook_states[i]);
		bus_metric_set(bus_metric("titian_webhooks", "gauge", "Webhooks.", labels), (double)n[i]);
	}
	bus_metric_set(
	    bus_metric("titian_webhooks_failing", "gauge", "Webhooks whose last request failed.", ""),
	    (double)failing);
	bus_metric_set(
	    bus_metric("titian_webhooks_delivering", "gauge", "1: this gateway delivers webhooks.", ""),
	    holding);
}
