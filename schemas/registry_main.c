/* titian-registry. Start order: topics, store (reads its topic to the end), nodes, writer, HTTP; stop order:
 * not ready, HTTP (with the writer still at work), writer, nodes (says that it leaves), store. */
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"
#include "schemas/registry_feed.h"
#include "schemas/registry_side.h"

#define BODY_MAX (INT64_C(2) * 1024 * 1024)
#define STOP_MS 20000

struct conf {
	char *bootstrap, *topic, *address, *url;
	struct bus_conf_map kafka;
	int64_t port, threads, replication, start_ms;
};

#define O(name, type, field, fallback, help)                                                                 \
	{                                                                                                    \
		name, BUS_CONF_##type, offsetof(struct conf, field), fallback, help                          \
	}

static const struct bus_conf_option options[] = {
	O("kafka.bootstrap", STR, bootstrap, NULL, "Kafka's brokers, host:port,..."),
	O("kafka", MAP, kafka, "", "Any other kafka.PROPERTY goes to librdkafka as it is."),
	O("registry.topic", STR, topic, "_schemas", "Topic that holds all schemas; made when it is missing."),
	O("registry.replication", INT, replication, "1", "Replicas of the topic, when it is made."),
	O("registry.url", STR, url, "",
	  "URL under which the other nodes reach this one; empty: made of http.address and http.port."),
	O("registry.start", MS, start_ms, "60s", "How long to wait for Kafka at the start."),
	O("http.address", STR, address, "127.0.0.1", "Address clients connect to."),
	O("http.port", PORT, port, "8081", "Port clients connect to."),
	O("http.threads", INT, threads, "0", "Threads that answer; 0: as many as cores, at most 4."),
	{ 0 },
};

static const char usage[] =
    "titian-registry --config FILE          serve schemas to every client of the bus\n";

struct names {
	char *side, *nodes, *url;
};

static void make_names(const struct conf *c, struct names *out)
{
	char host[HOST_NAME_MAX + 1] = "localhost";
	bool anywhere = strcmp(c->address, "0.0.0.0") == 0 || strcmp(c->address, "::") == 0;

	out->side = bus_xasprintf("%s%s", c->topic, SCHEMA_SIDE_SUFFIX);
	out->nodes = bus_xasprintf("%s_nodes", c->topic);
	if (anywhere)
		(void)gethostname(host, sizeof(host) - 1);
	if (c->url[0])
		out->url = bus_xstrdup(c->url);
	else
		out->url = bus_xasprintf("http://%s:%d", anywhere ? host : c->address, (int)c->port);
}

static void stir(void *ctx)
{
	struct schema_registry *r = ctx;

	schema_writer_stir(r->writer);
}

static int left(int64_t until)
{
	int64_t ms = until - bus_clock_mono_ms();

	return ms < 1000 ? 1000 : ms > 15000 ? 15000 : (int)ms;
}

/* A broker that is not there yet is waited for. */
static enum bus_err open_all(const struct bus_kafka_conf *kafka, const struct conf *c,
			     const struct names *name, struct schema_registry *r, struct bus_error *err)
{
	const struct schema_nodes_conf nodes = {
		.kafka = *kafka, .topic = name->nodes, .url = name->url, .on_change = stir, .ctx = r
	};
	int64_t until = bus_clock_mono_ms() + c->start_ms;
	enum bus_err rc;

	for (;;) {
		rc = schema_topic_prepare(kafka, c->topic, (int32_t)c->replication, left(until), err);
		if (rc == BUS_OK)
			rc = schema_topic_prepare(kafka, name->side, (int32_t)c->replication, left(until),
						  err);
		if (rc == BUS_OK)
			rc = schema_topic_prepare(kafka, name->nodes, (int32_t)c->replication, left(until),
						  err);
		if (rc == BUS_OK && !r->store)
			rc = schema_store_open_watched(kafka, c->topic, (int)c->start_ms, schema_feed_record,
						       r->feed, &r->store, err);
		if (rc == BUS_OK && !r->side)
			rc = schema_side_open(kafka, name->side, (int)c->start_ms, &r->side, err);
		if (rc == BUS_OK && !r->side_writer)
			rc = schema_side_writer_start(kafka, name->side, r->side, &r->side_writer, err);
		if (rc == BUS_OK)
			rc = schema_nodes_open(&nodes, (int)c->start_ms, &r->nodes, err);
		if (rc == BUS_OK || bus_proc_stopping() || bus_clock_mono_ms() >= until ||
		    !bus_err_retriable(rc))
			return rc;
		bus_log(BUS_LOG_WARN, "registry.waiting", LOG_ERR(err));
		usleep(500000);
	}
}

/* Until the stop signal: heartbeats of the feed. */
static void serve(struct schema_registry *r)
{
	struct pollfd stop = { .fd = bus_proc_stop_fd(), .events = POLLIN };

	while (!bus_proc_stopping()) {
		poll(&stop, 1, 1000);
		schema_feed_tick(r->feed);
	}
}

int main(int argc, char **argv)
{
	struct schema_registry r = { 0 };
	struct bus_http *http = NULL;
	struct conf c = { 0 };
	struct bus_error err;
	struct names name;
	enum bus_err rc;

	bus_proc_options(argc, argv, usage, options, &c);
	bus_proc_signals();
	const struct bus_kafka_conf kafka = { .bootstrap = c.bootstrap,
					      .client_id = "titian-registry",
					      .extra = &c.kafka };
	const struct bus_client_conf others = { .insecure = true };
	const struct bus_http_conf front = { .address = c.address,
					     .port = (int)c.port,
					     .threads = (int)c.threads,
					     .body_max = BODY_MAX,
					     .program = "registry",
					     .problem_type = SCHEMA_REGISTRY_TYPE,
					     .write_error = schema_registry_error };

	r.topic = c.topic;
	r.feed = schema_feed_new();
	r.started_ms = bus_clock_mono_ms();
	r.writer = schema_writer_new(&kafka, c.topic);
	make_names(&c, &name);
	rc = open_all(&kafka, &c, &name, &r, &err);
	if (rc == BUS_OK)
		rc = schema_forward_start(&r, &others, &r.forward, &err);
	if (rc == BUS_OK)
		rc = schema_writer_start(r.writer, &r, &err);
	r.ready_ms = bus_clock_mono_ms() - r.started_ms;
	if (rc == BUS_OK)
		rc = bus_http_start(&front, schema_registry_routes, &r, &http, &err);
	if (rc == BUS_OK) {
		bus_proc_ready("registry");
		bus_log(BUS_LOG_INFO, "registry.serving", LOG_INT("port", bus_http_port(http)),
			LOG_INT("schemas", schema_store_count(r.store)),
			LOG_INT("highest_id", schema_store_highest_id(r.store)));
		schema_store_on_change(r.store, schema_feed_wake, r.feed);
		serve(&r);
	} else if (!bus_proc_stopping()) {
		fprintf(stderr, "titian-registry: %s\n", err.text);
	}
	atomic_store(&r.draining, true);
	bus_http_stop(&http, STOP_MS);
	schema_writer_stop(r.writer);
	schema_forward_stop(&r.forward);
	schema_nodes_close(&r.nodes); /* another node writes from here on */
	schema_writer_free(&r.writer);
	schema_side_writer_stop(&r.side_writer);
	schema_side_close(&r.side);
	schema_store_close(&r.store);
	schema_feed_free(&r.feed);
	free(name.side);
	free(name.nodes);
	free(name.url);
	bus_conf_release(options, &c);
	return rc != BUS_OK ? 1 : 0;
}
