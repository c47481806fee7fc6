/* The consumers as a whole: opened, told the time, stopped. */
#include "gateway/restproxy/consumers.h"

#include "bus/wait.h"
#include "gateway/restproxy/consume.h"

#define OPEN_MS 10000 /* that the gateway's start waits for their topic; it is opened on */

static void count_metrics(struct gw_consumers *c)
{
	c->records = bus_metric("titian_consumers_records_total", "counter",
				"Records given to consumers of REST Proxy's API.", "");
	c->bytes = bus_metric("titian_consumers_bytes_total", "counter", "Their keys and values, bytes.", "");
	c->answers = bus_metric("titian_consumers_answers_total", "counter", "Answers with records.", "");
	c->instances =
	    bus_metric("titian_consumers", "gauge", "Consumers of REST Proxy's API, on all gateways.", "");
	c->ready = bus_metric("titian_consumers_ready", "gauge",
			      "1: their topic is read, and they are served; 0: they are answered 503.", "");
	c->lost =
	    bus_metric("titian_consumers_conflicts_total", "counter",
		       "Changes of a consumer that came after another gateway's, and were tried again.", "");
	c->again = bus_metric("titian_consumers_again_total", "counter",
			      "Answers whose records were given again: no word that they had arrived.", "");
}

enum bus_err gw_consumers_open(struct gw_api *api, const struct gw_consumers_conf *conf,
			       struct gw_consumers **out, struct bus_error *err)
{
	const struct gw_rp_log_conf log = { .kafka = conf->kafka,
					    .topic = conf->topic,
					    .live_ms = conf->live_ms };
	struct gw_consumers *c;
	enum bus_err rc;

	*out = NULL;
	if (conf->threads < 1 || conf->threads > GW_CONSUMERS_THREADS_MAX)
		return bus_fail(err, BUS_EINVAL, "restproxy.threads is 1 to %d", GW_CONSUMERS_THREADS_MAX);
	if (conf->max_bytes < 1 || conf->live_ms < 1000 || conf->writes < 1)
		return bus_fail(
		    err, BUS_EINVAL,
		    "restproxy.max_bytes, restproxy.instance_timeout (1s), restproxy.writes: too small");
	c = bus_xcalloc(1, sizeof(*c));
	c->api = api;
	c->conf = *conf;
	c->queue_end = &c->queue;
	c->plans = schema_cache_new(0, 0);
	c->jobs_of = bus_shares_new();
	c->held_of = bus_shares_new();
	c->budget = gw_rp_budget_new(conf->writes);
	c->worker = bus_xcalloc((size_t)conf->threads, sizeof(*c->worker));
	pthread_mutex_init(&c->topics.lock, NULL);
	pthread_mutex_init(&c->lock, NULL);
	bus_cond_init(&c->moved);
	count_metrics(c);
	rc = gw_rp_log_open(&log, OPEN_MS, &c->log, err);
	if (rc == BUS_OK)
		rc = bus_groups_open(&conf->kafka, &c->groups, err);
	for (int i = 0; i < conf->threads && rc == BUS_OK; i++) {
		c->worker[i].all = c;
		c->worker[i].runs =
		    pthread_create(&c->worker[i].thread, NULL, gw_rp_work, &c->worker[i]) == 0;
		if (!c->worker[i].runs)
			rc = bus_fail(err, BUS_EIO, "cannot start a thread");
	}
	if (rc == BUS_OK && pthread_create(&c->watch, NULL, gw_rp_watch, c) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot start a thread");
	else
		c->watches = rc == BUS_OK;
	if (rc != BUS_OK) {
		gw_consumers_stop(c);
		gw_consumers_free(&c);
	}
	*out = c;
	gw_consumers_tick(c);
	return rc;
}

void gw_consumers_tick(struct gw_consumers *c)
{
	bool ready;

	if (!c)
		return;
	ready = gw_rp_log_ready(c->log);
	c->api->consumers_wait = !ready;
	bus_metric_set(c->ready, ready);
	if (!ready)
		return;
	gw_rp_log_sweep(c->log);
	bus_metric_set(c->instances, (double)gw_rp_state_count(gw_rp_log_lock(c->log), NULL));
	gw_rp_log_unlock(c->log);
}

void gw_consumers_stop(struct gw_consumers *c)
{
	struct gw_rp_job *job;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
	gw_rp_log_stop(c->log);
	for (int i = 0; i < c->conf.threads; i++)
		if (c->worker[i].runs)
			pthread_join(c->worker[i].thread, NULL);
	if (c->watches)
		pthread_join(c->watch, NULL);
	c->watches = false;
	for (int i = 0; i < c->conf.threads; i++)
		c->worker[i].runs = false;
	while ((job = c->queue ? c->queue : c->parked)) {
		if (c->queue)
			c->queue = job->next;
		else
			c->parked = job->next;
		gw_rp_say(job, GW_RP_KAFKA_RETRY, "the gateway stops");
		gw_rp_over(job);
	}
}

void gw_consumers_free(struct gw_consumers **cp)
{
	struct gw_consumers *c = *cp;

	*cp = NULL;
	if (!c)
		return;
	for (int i = 0; i < c->conf.threads; i++) {
		struct gw_rp_worker *w = &c->worker[i];

		gw_rp_source_release(w);
		gw_rp_text_release(w);
		gw_rp_instance_unref(&w->own.want);
		bus_buf_release(&w->out);
		free(w->group);
		free(w->name);
	}
	gw_rp_log_free(&c->log);
	bus_groups_close(&c->groups);
	gw_rp_topics_release(&c->topics);
	schema_cache_free(&c->plans);
	bus_shares_free(&c->jobs_of);
	bus_shares_free(&c->held_of);
	gw_rp_budget_free(&c->budget);
	pthread_cond_destroy(&c->moved);
	pthread_mutex_destroy(&c->lock);
	free(c->worker);
	free(c);
}
