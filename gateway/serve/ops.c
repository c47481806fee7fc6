#include <stdio.h>

#include "bus/metrics.h"
#include "gateway/serve/api.h"
#include "gateway/engine/engine.h"
#include "gateway/feed/feeds.h"
#include "gateway/hook/hooks.h"
#include "gateway/serve/promise.h"

#define TOPICS_MAX 512

#define OK "{\"status\":\"ok\"}"

static void answer(struct bus_http_request *req, const char *text)
{
	struct bus_buf body = { 0 };

	bus_buf_puts(&body, text);
	bus_http_reply(req, 200, "application/json", &body);
}

void gw_ops_health(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *fault = gw_engine_fault(api->engine);

	if (fault)
		gw_problem(req, "unavailable", fault, NULL);
	else
		answer(req, OK);
}

static void answer_ready(struct gw_api *api, struct bus_http_request *req, bool why)
{
	char what[200] = "log", detail[256];

	if (gw_engine_fault(api->engine)) {
		gw_problem(req, "unavailable", gw_engine_fault(api->engine), NULL);
	} else if (!gw_caught_up(api->engine)) {
		if (why)
			gw_waits_for(api->engine, what, sizeof(what));
		snprintf(detail, sizeof(detail), "menunggu / waiting for: %s", what);
		gw_problem(req, "not-ready", detail, "/v1/topics");
	} else if (why && api->consumers_wait) { /* ready all the same: the rest is served */
		answer(req, "{\"status\":\"ok\",\"waits\":[\"restproxy.topic\"]}");
	} else {
		answer(req, OK);
	}
}

void gw_ops_ready(void *ctx, struct bus_http_request *req)
{
	answer_ready(ctx, req, false);
}

void gw_ops_ready_why(void *ctx, struct bus_http_request *req)
{
	answer_ready(ctx, req, true);
}

static void set(const char *name, const char *help, const char *label, const char *value, int64_t v)
{
	char labels[200];

	snprintf(labels, sizeof(labels), "%s=\"%s\"", label, value);
	bus_metric_set(bus_metric(name, "gauge", help, labels), (double)v);
}

/* Gauges are brought up to date when somebody looks. */
static void refresh(struct gw_api *api)
{
	struct gw_topic_state *topic = bus_xcalloc(TOPICS_MAX, sizeof(*topic));
	size_t n = gw_topics(api->engine, topic, TOPICS_MAX);
	struct gw_views *views;

	for (size_t i = 0; i < n; i++) {
		const char *name = topic[i].topic;

		set("titian_topic_applied", "Records applied.", "topic", name, topic[i].applied);
		set("titian_topic_behind", "Records not applied yet.", "topic", name, topic[i].behind);
		set("titian_topic_gaps", "Sequence numbers that never came.", "topic", name, topic[i].gaps);
		set("titian_topic_undecodable", "Records that could not be decoded.", "topic", name,
		    topic[i].undecodable);
	}
	free(topic);
	views = gw_views_hold(api->engine);
	for (size_t i = 0; i < views->n; i++) {
		const struct gw_view *v = views->view[i];

		set("titian_view_rows", "Keys now in the view.", "view", v->name,
		    gw_view_rows(api->engine, v));
		set("titian_view_newest", "Number of the newest change.", "view", v->name,
		    gw_newest(api->engine, v));
	}
	gw_views_release(&views);
	gw_promise_metrics(api);
	bus_metric_set(bus_metric("titian_feed_clients", "gauge", "Readers that follow a view.", ""),
		       (double)gw_feeds_count(api->feeds));
	gw_hooks_metrics(api->hooks);
}

void gw_ops_metrics(void *ctx, struct bus_http_request *req)
{
	struct bus_buf body = { 0 };

	refresh(ctx);
	bus_metrics_text(&body);
	bus_http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
}
