/* titian-registry. Start order: topics, store (reads its topic to the end), nodes, writer, HTTP; stop order:
 * not ready, HTTP (with the writer still at work), writer, nodes (says that it leaves), store. */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"
#include "schemas/registry/feed.h"
#include "schemas/registry/front.h"
#include "schemas/registry/side.h"

#define STOP_MS 20000

struct conf {
	char *bootstrap, *topic, *keys_topic, *address, *url;
	char *certificate, *key, *client_ca, *client_crl, *client;
	char *policy, *users, *node_key, *node_ca, *node_certificate, *node_certificate_key;
	bool insecure;
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
	O("registry.keys_topic", STR, keys_topic, "",
	  "Topic that holds keys for field encryption; empty: _dek_registry_keys, and beside another "
	  "registry.topic that name with _keys."),
	O("registry.replication", INT, replication, "0",
	  "Replicas of the topic, when it is made; 0: as many as brokers, at most 3."),
	O("registry.url", STR, url, "",
	  "URL under which the other nodes reach this one; empty: made of http.address and http.port."),
	O("registry.start", MS, start_ms, "60s", "How long to wait for Kafka at the start."),
	O("http.address", STR, address, "127.0.0.1", "Address clients connect to."),
	O("http.port", PORT, port, "8081", "Port clients connect to."),
	O("http.threads", INT, threads, "0", "Threads that answer; 0: as many as cores, at most 4."),
	O("http.insecure", BOOL, insecure, "false",
	  "Beyond loopback: plain HTTP, or no policy, is meant; something else guards the way."),
	O("http.tls.certificate", PATH, certificate, "",
	  "PEM: the server's certificate and its chain; empty: plain HTTP. Read again on SIGHUP."),
	O("http.tls.key", PATH, key, "", "PEM: its key, not readable by others."),
	O("http.tls.client_ca", PATH, client_ca, "", "PEM: who may sign clients' certificates."),
	O("http.tls.client_crl", PATH, client_crl, "", "PEM: clients' certificates that are revoked."),
	O("http.tls.client", STR, client, "",
	  "Clients' certificates: none, optional or required; empty: optional when there is a client_ca."),
	O("access.policy", PATH, policy, "",
	  "Who may read, write, delete and configure which subjects (YAML); empty: everybody everything, on "
	  "loopback "
	  "only. Read again on SIGHUP."),
	O("access.users", PATH, users, "", "Passwords and tokens, hashed; read again on SIGHUP."),
	O("access.node_key", PATH, node_key, "",
	  "Key shared by the nodes, with which they know each other, and one tells another who asked; make "
	  "it "
	  "with: titian key new."),
	O("nodes.ca", PATH, node_ca, "",
	  "PEM: who signs the other nodes' certificates; empty: the system's."),
	O("nodes.certificate", PATH, node_certificate, "", "PEM: the certificate this node shows to others."),
	O("nodes.key", PATH, node_certificate_key, "", "PEM: its key."),
	{ 0 },
};

static const char usage[] =
    "titian-registry --config FILE          serve schemas to every client of the bus\n"
    "titian-registry token new --users FILE --name NAME\n"
    "                                      make a user's token; prints it, once\n"
    "titian-registry user new --users FILE --name NAME [--password-file FILE]\n"
    "                                      a password: the file's first line, or one that is made and "
    "printed\n";

static volatile sig_atomic_t reload;

static void on_hangup(int sig)
{
	(void)sig;
	reload = 1;
}

struct names {
	char *side, *nodes, *keys, *url;
};

static void make_names(const struct conf *c, struct names *out)
{
	char host[HOST_NAME_MAX + 1] = "localhost";
	bool anywhere = strcmp(c->address, "0.0.0.0") == 0 || strcmp(c->address, "::") == 0;

	out->side = bus_xasprintf("%s%s", c->topic, SCHEMA_SIDE_SUFFIX);
	out->nodes = bus_xasprintf("%s_nodes", c->topic);
	if (c->keys_topic[0])
		out->keys = bus_xstrdup(c->keys_topic);
	else if (strcmp(c->topic, "_schemas") == 0)
		out->keys = bus_xstrdup(SCHEMA_KEYS_TOPIC);
	else
		out->keys = bus_xasprintf("%s_keys", c->topic);
	if (anywhere)
		(void)gethostname(host, sizeof(host) - 1);
	if (c->url[0])
		out->url = bus_xstrdup(c->url);
	else
		out->url = bus_xasprintf("%s://%s:%d", c->certificate[0] ? "https" : "http",
					 anywhere ? host : c->address, (int)c->port);
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

static enum bus_err prepare_topics(const struct bus_kafka_conf *kafka, const struct conf *c,
				   const struct names *name, int64_t until, struct bus_error *err)
{
	static const char *const kept[] = { "cleanup.policy=compact", NULL };
	/* Two beats a second and node: what is behind them is soon of no use. */
	static const char *const beats[] = { "cleanup.policy=compact", "segment.ms=60000",
					     "min.cleanable.dirty.ratio=0.1", NULL };
	int32_t replicas = (int32_t)c->replication;
	enum bus_err rc = schema_topic_prepare(kafka, c->topic, replicas, kept, left(until), err);

	if (rc == BUS_OK)
		rc = schema_topic_prepare(kafka, name->side, replicas, kept, left(until), err);
	if (rc == BUS_OK)
		rc = schema_topic_prepare(kafka, name->keys, replicas, kept, left(until), err);
	if (rc == BUS_OK)
		rc = schema_topic_prepare(kafka, name->nodes, replicas, beats, left(until), err);
	return rc;
}

/* A broker that is not there yet is waited for. */
static enum bus_err open_all(const struct bus_kafka_conf *kafka, const struct conf *c,
			     const struct names *name, struct schema_registry *r, struct bus_error *err)
{
	const struct schema_nodes_conf nodes = {
		.kafka = *kafka,
		.topic = name->nodes,
		.url = name->url,
		.key = schema_access_node_key(r->access),
		.on_change = stir,
		.ctx = r,
	};
	int64_t until = bus_clock_mono_ms() + c->start_ms;
	enum bus_err rc;

	for (;;) {
		rc = prepare_topics(kafka, c, name, until, err);
		if (rc == BUS_OK)
			rc = bus_admin_partitions(kafka, c->topic, &(int32_t){ 0 }, r->cluster_id,
						  left(until), err);
		if (rc == BUS_OK && !r->store)
			rc = schema_store_open_watched(kafka, c->topic, (int)c->start_ms, schema_feed_record,
						       r->feed, &r->store, err);
		if (rc == BUS_OK && !r->keys)
			rc = schema_keys_open(kafka, name->keys, (int)c->start_ms, &r->keys, err);
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

/* Until the stop signal: heartbeats of the feed, files read again on SIGHUP. */
static void serve(struct schema_registry *r, struct bus_http *http)
{
	struct pollfd stop = { .fd = bus_proc_stop_fd(), .events = POLLIN };

	while (!bus_proc_stopping()) {
		poll(&stop, 1, 1000);
		schema_feed_tick(r->feed);
		if (reload) {
			reload = 0;
			schema_front_reload(r, http);
		}
	}
}

static struct schema_front_conf front_of(const struct conf *c)
{
	return (struct schema_front_conf){
		.address = c->address,
		.port = (int)c->port,
		.threads = (int)c->threads,
		.certificate = c->certificate,
		.key = c->key,
		.client_ca = c->client_ca,
		.client_crl = c->client_crl,
		.client = c->client,
		.insecure = c->insecure,
		.access = { .policy = c->policy, .users = c->users, .node_key = c->node_key },
	};
}

/* --check: what the start would refuse, short of Kafka. */
static enum bus_err check(void *ctx, struct bus_error *err)
{
	const struct schema_front_conf front = front_of(ctx);
	struct schema_registry r = { 0 };
	enum bus_err rc = schema_front_check(&front, &r, err);

	schema_access_close(&r.access);
	return rc;
}

int main(int argc, char **argv)
{
	struct schema_registry r = { 0 };
	struct bus_http *http = NULL;
	struct conf c = { 0 };
	struct bus_error err;
	struct names name;
	struct sigaction hangup = { .sa_handler = on_hangup };
	enum bus_err rc;
	int done = schema_front_command(argc, argv);

	if (done >= 0)
		return done;
	bus_proc_check(check);
	bus_proc_options(argc, argv, usage, options, &c);
	bus_proc_signals();
	sigaction(SIGHUP, &hangup, NULL);
	const struct bus_kafka_conf kafka = { .bootstrap = c.bootstrap,
					      .client_id = "titian-registry",
					      .extra = &c.kafka };
	const struct bus_client_conf others = { .ca = c.node_ca,
						.certificate = c.node_certificate,
						.key = c.node_certificate_key,
						.insecure = true };
	const struct schema_front_conf front = front_of(&c);

	r.topic = c.topic;
	r.feed = schema_feed_new();
	r.started_ms = bus_clock_mono_ms();
	r.writer = schema_writer_new(&kafka, c.topic);
	make_names(&c, &name);
	r.keys_topic = name.keys;
	rc = schema_front_check(&front, &r, &err);
	if (rc == BUS_OK)
		rc = open_all(&kafka, &c, &name, &r, &err);
	if (rc == BUS_OK)
		rc = schema_forward_start(&r, &others, c.certificate[0] || c.node_ca[0], &r.forward, &err);
	if (rc == BUS_OK)
		rc = schema_writer_start(r.writer, &r, &err);
	r.ready_ms = bus_clock_mono_ms() - r.started_ms;
	if (rc == BUS_OK)
		rc = schema_front_start(&front, &r, &http, &err);
	if (rc == BUS_OK) {
		bus_proc_ready("registry");
		bus_log(BUS_LOG_INFO, "registry.serving", LOG_INT("port", bus_http_port(http)),
			LOG_INT("schemas", schema_store_count(r.store)),
			LOG_INT("highest_id", schema_store_highest_id(r.store)));
		schema_store_on_change(r.store, schema_feed_wake, r.feed);
		serve(&r, http);
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
	schema_keys_close(&r.keys);
	schema_store_close(&r.store);
	schema_feed_free(&r.feed);
	schema_access_close(&r.access);
	free(name.side);
	free(name.nodes);
	free(name.keys);
	free(name.url);
	bus_conf_release(options, &c);
	return rc == BUS_EINVAL || rc == BUS_EPARSE ? 2 : rc != BUS_OK ? 1 : 0;
}
