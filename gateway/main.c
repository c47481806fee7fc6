/* titian-gateway: topics in, views out. Start order: engine (database, schemas, views), access, HTTP; stop
 * order: not ready, HTTP, engine. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"
#include "gateway/catalogue/shelf.h"
#include "gateway/commands.h"
#include "gateway/serve/api.h"
#include "gateway/serve/checks.h"
#include "gateway/serve/crowd.h"
#include "gateway/serve/kept.h"
#include "gateway/engine/engine.h"
#include "gateway/engine/group.h"
#include "gateway/engine/try.h"
#include "gateway/export/exports.h"
#include "gateway/export/store.h"
#include "gateway/feed/feeds.h"
#include "gateway/figures/figures.h"
#include "gateway/feed/records.h"
#include "gateway/hook/hooks.h"
#include "gateway/national/national.h"
#include "gateway/national/signer.h"
#include "gateway/publish/publish.h"
#include "gateway/restproxy/proxy.h"
#include "gateway/restproxy/consumers.h"
#include "gateway/serve/definitions.h"
#include "gateway/serve/promise.h"
#include "gateway/store/db.h"

#define EXPORTS_PATIENCE_MS 5000
#define ANNOUNCE_MS ((int64_t)86400 * 1000)

struct conf {
	char *bootstrap, *schemas_topic, *views_dir, *db_path, *policy, *keys, *cursor_key;
	char *exports_dir, *exports_key, *definitions_topic;
	char *store, *pg_conninfo, *pg_reader;
	char *address, *ops_address, *anybody;
	bool forwarded;
	struct bus_conf_map kafka;
	struct bus_conf_list topics, cors;
	const char **origins; /* of cors; NULL-ended */
	int64_t port, ops_port, threads, connections, cache, verify_per_s, slow, records_threads;
	int64_t exports_space, exports_keep, exports_threads, exports_per_reader;
	char *hooks_topic, *hooks_key, *hooks_hosts, *hooks_ca, *hooks_base, *hooks_type;
	struct bus_conf_list hooks_allow, hooks_ports, hooks_retry;
	int64_t hooks_give_up, hooks_timeout;
	bool hooks_deliver;
	char *publish_topic, *publish_id, *publish_city;
	int64_t publish_keep, publish_memory;
	char *rp_topic;
	int64_t rp_threads, rp_timeout, rp_memory, rp_bytes, rp_reader, rp_all;
	char *base, *figures_topic, *national_topic;
	int64_t figures_k;
	char *cat_publisher, *cat_walidata, *cat_contact, *cat_licence, *cat_place, *cat_place_code;
	struct bus_conf_map cat_names;
	char *group_topic, *group_name, *group_url;
	bool group_anew;
};

#define O(name, type, field, fallback, help) { name, BUS_CONF_##type, offsetof(struct conf, field), fallback, help }

static const struct bus_conf_option options[] = {
	O("kafka.bootstrap", STR, bootstrap, NULL, "Kafka's brokers, host:port,..."),
	O("kafka", MAP, kafka, "", "Any other kafka.PROPERTY goes to librdkafka as it is."),
	O("schemas.topic", STR, schemas_topic, "_schemas", "Topic of the schema registry."),
	O("topics", LIST, topics, NULL, "Topics to materialise."),
	O("views.dir", PATH, views_dir, NULL, "Folder of view definitions, *.sql."),
	O("views.verify", INT, verify_per_s, "200",
	  "Keys a second compared with their SELECT run afresh while nothing else is to do; 0: none."),
	O("definitions.topic", STR, definitions_topic, "_titian_views",
	  "Topic of the views that are defined over HTTP; made when it is missing. \"\": none."),
	O("db.path", PATH, db_path, NULL,
	  "The views' database; may be deleted, it is rebuilt from Kafka. Keys and exports are beside it, with any store."),
	O("store", STR, store, "sqlite", "Where the views' tables are: sqlite, in db.path; or postgres (docs/growing-postgres.md)."),
	O("postgres.conninfo", STR, pg_conninfo, "",
	  "The database, as libpq takes it: host=... dbname=... user=... passfile=...; its user owns it and is no superuser."),
	O("postgres.reader", STR, pg_reader, "titian_reader", "Role that readers' connections take: it may read and nothing else."),
	O("db.cache", SIZE, cache, "32MiB", "Page cache of the writer."),
	O("http.address", STR, address, "127.0.0.1", "Address readers connect to."),
	O("http.port", PORT, port, "18080", "Port readers connect to."),
	O("http.threads", INT, threads, "0", "Threads that answer; 0: as many as cores, at most 4."),
	O("http.connections", INT, connections, "10000", "Most connections at a time."),
	O("http.cors", LIST, cors, "", "Origins whose pages may read answers in a browser: https://host; none unless named."),
	O("http.forwarded", BOOL, forwarded, "false",
	  "A proxy stands before it and writes who asks last into X-Forwarded-For: access.anybody goes by that address."),
	O("http.base", STR, base, "", "URL where readers reach this gateway, for links; default: http://ADDRESS:PORT."),
	O("ops.address", STR, ops_address, "127.0.0.1", "Address of health and metrics."),
	O("ops.port", PORT, ops_port, "18081", "Port of health and metrics."),
	O("feeds.slow", INT, slow, "60", "Seconds after which a follower that does not take what it is sent is hung up; its cursor goes on."),
	O("records.threads", INT, records_threads, "2", "Threads that read topics' records for readers, each with a consumer; 1 to 16."),
	O("access.policy", PATH, policy, NULL, "Who may read what (YAML); read again on SIGHUP."),
	O("access.keys", PATH, keys, NULL, "Readers' keys, hashed; read again on SIGHUP."),
	O("access.anybody", STR, anybody, "1200/1m",
	  "Requests for the catalogue, figures and documents that one address may make without a key; \"\": without end."),
	O("cursor.key", PATH, cursor_key, "", "Key that signs cursors; default: made beside the database."),
	O("exports.dir", PATH, exports_dir, "", "Folder of exports, ours alone; default: beside the database."),
	O("exports.space", SIZE, exports_space, "4GiB", "Most bytes of all exports together."),
	O("exports.keep", MS, exports_keep, "1h", "How long an export can be fetched."),
	O("exports.threads", INT, exports_threads, "2", "Exports made at a time; all but one may be jobs."),
	O("exports.per_reader", INT, exports_per_reader, "4", "Exports of one reader that wait or are made."),
	O("exports.key", PATH, exports_key, "", "Key that signs bundles and answers; default: made beside the database."),
	O("webhooks.topic", STR, hooks_topic, "_titian_webhooks", "Topic of webhooks and how far they are; made when missing."),
	O("webhooks.key", PATH, hooks_key, "",
	  "Key that seals that topic, the same on every gateway; default: made beside the database."),
	O("webhooks.deliver", BOOL, hooks_deliver, "true", "May deliver; of several gateways one does."),
	O("webhooks.allow", LIST, hooks_allow, "",
	  "Receivers beyond the public internet: ADDRESS/BITS, HOST:PORT, http://HOST:PORT."),
	O("webhooks.ports", LIST, hooks_ports, "", "Ports of receivers, beside 443."),
	O("webhooks.hosts", PATH, hooks_hosts, "", "Names of receivers, as in /etc/hosts; asked before the resolver."),
	O("webhooks.ca", PATH, hooks_ca, "", "PEM: who signs receivers' certificates; default: the system's."),
	O("webhooks.base", STR, hooks_base, "", "URL where receivers reach this gateway; default: http.base."),
	O("webhooks.type", STR, hooks_type, "id.go.pekanbaru.bus", "First part of the type of CloudEvents."),
	O("webhooks.retry", LIST, hooks_retry, "5s,5m,30m,2h,5h,10h,14h,20h,24h",
	  "Waits between the tries of a request; the last repeats."),
	O("webhooks.give_up", MS, hooks_give_up, "72h", "A webhook that fails for so long is suspended."),
	O("webhooks.timeout", MS, hooks_timeout, "5s", "Longest request to a receiver."),
	O("publish.topic", STR, publish_topic, "_titian_publish",
	  "Topic of answers to requests that publish, and with _claims of their Idempotency-Keys; made when missing. \"\": nothing is taken."),
	O("publish.id", STR, publish_id, "", "This gateway's name among those that publish; default: made beside the database."),
	O("publish.keep", MS, publish_keep, "24h", "How long an Idempotency-Key is remembered; the same on every gateway."),
	O("publish.memory", SIZE, publish_memory, "128MiB", "Most bytes of records on their way, and again of keys remembered."),
	O("publish.city_key", PATH, publish_city, "",
	  "City key: a NIK in the place of a key becomes its pseudonym. Without it such records are refused."),
	O("restproxy.topic", STR, rp_topic, "_titian_consumers",
	  "Topic of the consumers of REST Proxy's API, on all gateways; made when missing. \"\": none are served."),
	O("restproxy.instance_timeout", MS, rp_timeout, "5m",
	  "A consumer of REST Proxy's API not heard of for so long is over; the same on every gateway."),
	O("restproxy.threads", INT, rp_threads, "4", "Threads that read for such consumers; 1 to 16."),
	O("restproxy.memory", SIZE, rp_memory, "64MiB", "Most bytes they read ahead, and again of answers under way."),
	O("restproxy.max_bytes", SIZE, rp_bytes, "8MiB", "Most bytes of keys and values in one answer to such a consumer."),
	O("restproxy.per_reader", INT, rp_reader, "100", "Consumers of REST Proxy's API that a reader may have."),
	O("restproxy.consumers", INT, rp_all, "10000", "Consumers of REST Proxy's API in all."),
	O("figures.topic", STR, figures_topic, "_titian_figures",
	  "Topic of figures that were published, kept for ever; made when missing. \"\": none are published."),
	O("figures.k", INT, figures_k, "10", "Counts below it are withheld; 10 at least."),
	O("national.topic", STR, national_topic, "_titian_acknowledgements",
	  "Topic of what mirrors of views acknowledge, kept for ever; made when missing. \"\": nothing is acknowledged."),
	O("catalogue.publisher", STR, cat_publisher, "Pemerintah Kota Pekanbaru", "Whose catalogue it is."),
	O("catalogue.walidata", STR, cat_walidata, "diskominfo", "Short name of the department that answers for the catalogue."),
	O("catalogue.contact", STR, cat_contact, "", "E-mail of those who answer questions about data; \"\": none is told."),
	O("catalogue.licence", STR, cat_licence, "https://creativecommons.org/licenses/by/4.0/", "Licence of what is open: its URL."),
	O("catalogue.place", STR, cat_place, "Kota Pekanbaru", "The place that data are about."),
	O("catalogue.place_code", STR, cat_place_code, "14.71", "Its code (Kemendagri)."),
	O("catalogue.names", MAP, cat_names, "", "Full names of departments, by their short names."),
	O("group.topic", STR, group_topic, "",
	  "Topic of a group of gateways with one numbering, made when missing; each needs the same cursor.key. \"\": alone."),
	O("group.name", STR, group_name, "", "Name of this gateway in its group, of it alone; needed with group.topic."),
	O("group.url", STR, group_url, "",
	  "Where the others reach ops.port, http://HOST:PORT: one without a store copies ours. Needed with group.topic."),
	O("group.anew", BOOL, group_anew, "false",
	  "Begin a new numbering when no other gateway has a store: only when all of them are lost."),
	{ 0 },
};

static const char usage[] =
	"titian-gateway --config FILE          serve the city's views\n"
	"titian-gateway check --config FILE    try views and policy against the registered schemas; serves nothing\n"
	"titian-gateway key new --keys FILE --name NAME\n"
	"                                      make a reader's key; prints the secret, once\n"
	"titian-gateway view test [--schemas DIR] [--test FILE] VIEW.sql...\n"
	"                                      run views' tests here, without Kafka; see gateway/views/README.md\n";

static volatile sig_atomic_t reload;

static void on_hangup(int sig)
{
	(void)sig;
	reload = 1;
}

/* `key new --keys FILE --name NAME`: an operator's command, not the daemon. */
static int key_command(int argc, char **argv)
{
	const char *keys = NULL, *name = NULL;
	struct bus_buf secret = { 0 };
	struct bus_error err;

	for (int i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--keys") == 0)
			keys = argv[i + 1];
		else if (strcmp(argv[i], "--name") == 0)
			name = argv[i + 1];
	}
	if (argc != 7 || strcmp(argv[2], "new") != 0 || !keys || !name) {
		fputs(usage, stderr);
		return 2;
	}
	if (gw_access_key_new(keys, name, &secret, &err)) {
		fprintf(stderr, "titian-gateway: %s\n", err.text);
		return err.code == BUS_EINVAL ? 2 : 1;
	}
	puts(bus_buf_cstr(&secret));
	bus_buf_release(&secret);
	return 0;
}

/* A key that is made when it is not there: that of the option, or one beside the database. */
static enum bus_err load_key(const struct conf *c, const char *option, const char *suffix, uint8_t key[BUS_KEY_LEN],
			     struct bus_error *err)
{
	char *path = option && *option ? bus_xstrdup(option) : bus_xasprintf("%s.%s", c->db_path, suffix);
	enum bus_err rc = bus_key_create(path, err);

	if (!rc || rc == BUS_EEXIST)
		rc = bus_key_load(path, key, err);
	free(path);
	return rc;
}

/* And the signer, whose key is that of bundles. */
static enum bus_err open_exports(const struct conf *c, const char *base, struct gw_api *api, struct bus_error *err)
{
	char *dir = *c->exports_dir ? bus_xstrdup(c->exports_dir) : bus_xasprintf("%s.exports", c->db_path);
	struct gw_exports_conf conf = { .dir = dir,
					.space = c->exports_space,
					.keep_ms = c->exports_keep,
					.patience_ms = EXPORTS_PATIENCE_MS,
					.threads = c->exports_threads < 1    ? 1
						   : c->exports_threads > 16 ? 16
									     : (int)c->exports_threads,
					.per_reader =
					    c->exports_per_reader < 1 ? 1 : (int)c->exports_per_reader };
	enum bus_err rc = load_key(c, c->exports_key, "exports.key", conf.key, err);

	if (!rc)
		rc = gw_exports_open(api, &conf, &api->exports, err);
	if (!rc)
		api->signer = gw_signer_new(api->access, conf.key, base, *c->base != 0);
	explicit_bzero(conf.key, sizeof(conf.key));
	free(dir);
	return rc;
}

static struct bus_kafka_conf kafka_conf(const struct conf *c)
{
	return (struct bus_kafka_conf){ .bootstrap = c->bootstrap,
					.client_id = "titian-gateway",
					.extra = &c->kafka };
}

static _Atomic bool views_changed; /* the registry is to be told what they read */

static void on_views(void *access)
{
	gw_access_bind(access);
	atomic_store(&views_changed, true);
}

/* This gateway among all, as operators know it. */
static void name_instance(const struct bus_http *http, char *out, size_t size)
{
	char host[256];

	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	snprintf(out, size, "%s:%d", host[0] ? host : "localhost", bus_http_port(http));
}

/* Until the stop signal: heartbeats, and files read again on SIGHUP. */
static void serve(struct gw_api *api, const struct conf *c, const char *instance)
{
	const struct bus_kafka_conf kafka = kafka_conf(c);
	struct pollfd stop = { .fd = bus_proc_stop_fd(), .events = POLLIN };
	int64_t announced = bus_clock_mono_ms();
	bool told = false;

	while (!bus_proc_stopping()) {
		struct bus_error err;

		poll(&stop, 1, 1000);
		gw_feeds_tick(api->feeds);
		gw_kept_tick(api->kept);
		gw_records_tick(api->records);
		gw_exports_tick(api->exports);
		gw_store_copy_tick(api->copy);
		if (api->national)
			gw_national_tick(api->national);
		if (api->publish)
			gw_publish_tick(api->publish);
		gw_consumers_tick(api->consumers);
		if (atomic_exchange(&views_changed, false) || bus_clock_mono_ms() > announced + ANNOUNCE_MS) {
			gw_engine_announce(api->engine, &kafka, c->schemas_topic, instance);
			announced = bus_clock_mono_ms();
		}
		if (reload) {
			reload = 0;
			if (gw_access_reload(api->access, &err))
				bus_log(BUS_LOG_ERROR, "gateway.reload_failed", LOG_ERR(&err));
			else
				bus_log(BUS_LOG_INFO, "gateway.reloaded");
		}
		if (!told && gw_engine_fault(api->engine)) {
			bus_log(BUS_LOG_ERROR, "gateway.fault", LOG_STR("reason", gw_engine_fault(api->engine)));
			told = true;
		}
	}
}

static enum bus_err start_http(const struct conf *c, struct gw_api *api, struct bus_http **http,
			       struct bus_http **ops, struct bus_error *err)
{
	static const struct bus_http_large large[] = { { "/v1/topics/{topic}/records", GW_PUBLISH_BODY_MAX, true },
						       { "/topics/{topic}", GW_PUBLISH_BODY_MAX, true },
						       { "/topics/{topic}/partitions/{partition}", GW_PUBLISH_BODY_MAX, true },
						       { 0 } };
	/* The form's is what curl -d says of any body, and the text's what browsers say. */
	static const char *const types[] = { "application/json",
					     "+json",
					     "application/sql",
					     "application/x-ndjson",
					     "application/ndjson",
					     "application/jsonl",
					     "application/vnd.apache.avro",
					     "application/vnd.apache.avro+binary",
					     "application/avro",
					     "avro/binary",
					     "avro/json",
					     "application/octet-stream",
					     "application/x-www-form-urlencoded",
					     "text/plain",
					     NULL };
	const struct bus_http_conf front = { .address = c->address,
					     .port = (int)c->port,
					     .threads = (int)c->threads,
					     .connections = (int)c->connections,
					     .exposed = true, /* a proxy that speaks TLS stands before it */
					     .refuse = gw_rp_refuse,
					     .problem_type = GW_RP_TYPE,
					     .write_error = gw_rp_write_error,
					     .own_shape = gw_rp_path,
					     .large = large,
					     .types = types,
					     .origins = c->origins,
					     .gzip = true,
					     .admit = gw_signer_admit,
					     .finish = gw_signer_finish,
					     .program = "gateway" };
	const struct bus_http_conf side = { .address = c->ops_address,
					    .port = (int)c->ops_port,
					    .threads = 1,
					    .connections = 64,
					    .exposed = true,
					    .program = "gateway-ops" };
	enum bus_err rc = bus_http_start(&side, gw_ops_routes, api, ops, err);

	return rc ? rc : bus_http_start(&front, gw_api_routes, api, http, err);
}

/* What gw_db_open is told; the caller frees it. */
static enum bus_err store_path(const struct conf *c, char **out, struct bus_error *err)
{
	if (strcmp(c->store, "sqlite") == 0) {
		*out = bus_xstrdup(c->db_path);
		return BUS_OK;
	}
	if (strcmp(c->store, "postgres") != 0)
		return bus_fail(err, BUS_EINVAL, "store: '%s' is neither sqlite nor postgres", c->store);
	if (!*c->pg_conninfo)
		return bus_fail(err, BUS_EINVAL, "store: postgres wants postgres.conninfo");
	*out = bus_xasprintf("postgres:%s:%s", c->pg_reader, c->pg_conninfo);
	return BUS_OK;
}

/* The engine, its store at db_path. */
static enum bus_err open_engine(const struct conf *c, const char *db_path, const struct gw_group_conf *group,
				struct gw_engine **out, struct bus_error *err)
{
	const char **topics = bus_xcalloc(c->topics.n + 1, sizeof(*topics)); /* NULL-ended */
	const struct gw_engine_conf conf = {
		.db_path = db_path,
		.views_dir = c->views_dir,
		.kafka = kafka_conf(c),
		.schemas_topic = c->schemas_topic,
		.topics = topics,
		.cache_bytes = c->cache,
		.verify_per_s = (int)c->verify_per_s,
		.group = group,
	};
	enum bus_err rc;

	for (size_t i = 0; i < c->topics.n; i++)
		topics[i] = c->topics.item[i];
	rc = gw_engine_open(&conf, out, err);
	free(topics);
	return rc;
}

/* Views and policy as the daemon would take them, on a store that is thrown away. */
static enum bus_err check(const struct conf *c, struct bus_error *err)
{
	static const char *const file[] = { "city.db", "city.db-wal", "city.db-shm" };
	char folder[] = "/tmp/titian-check-XXXXXX", path[64];
	struct gw_access *access = NULL;
	struct gw_engine *engine = NULL;
	enum bus_err rc;

	if (!mkdtemp(folder))
		return bus_fail(err, BUS_EIO, "cannot make a folder in /tmp: %m");
	snprintf(path, sizeof(path), "%s/%s", folder, file[0]);
	rc = open_engine(c, path, NULL, &engine, err);
	if (!rc)
		rc = gw_access_open(engine, c->policy, c->keys, &access, err);
	if (!rc)
		printf("baik / good: %zu views\n", gw_view_count(engine));
	gw_access_close(&access);
	gw_engine_close(&engine);
	for (size_t i = 0; i < BUS_LEN(file); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, file[i]);
		unlink(path);
	}
	rmdir(folder);
	return rc;
}

static enum bus_err open_hooks(const struct conf *c, const char *base, struct gw_api *api, struct bus_error *err)
{
	const struct gw_hook_net_conf net = { &c->hooks_allow, &c->hooks_ports, c->hooks_hosts };
	struct gw_hooks_conf conf = {
		.kafka = kafka_conf(c),
		.topic = c->hooks_topic,
		.deliver = c->hooks_deliver,
		.base = *c->hooks_base ? c->hooks_base : base,
		.prefix = c->hooks_type,
		.ca = c->hooks_ca,
		.timeout_ms = (int)c->hooks_timeout,
		.api = api,
	};
	enum bus_err rc = load_key(c, c->hooks_key, "webhooks.key", conf.key, err);

	if (!rc)
		rc = gw_hook_schedule_read(c->hooks_retry.item, c->hooks_retry.n, c->hooks_give_up, &conf.schedule,
					   err);
	if (!rc)
		rc = gw_hook_net_new(&net, &conf.net, err);
	if (!rc)
		api->hooks = gw_hooks_new(&conf);
	explicit_bzero(conf.key, sizeof(conf.key));
	return rc;
}

static enum bus_err open_publish(const struct conf *c, struct gw_api *api, struct bus_error *err)
{
	uint8_t made[BUS_KEY_LEN], city[BUS_KEY_LEN];
	char hex[2 * 8 + 1], *id = NULL;
	struct gw_publish_conf conf = { .kafka = kafka_conf(c),
					.topic = c->publish_topic,
					.city = *c->publish_city ? city : NULL,
					.keep_ms = c->publish_keep,
					.memory = c->publish_memory,
					.schemas = gw_engine_schemas(api->engine) };
	enum bus_err rc = BUS_OK;

	if (*c->publish_city)
		rc = bus_key_load(c->publish_city, city, err);
	if (!rc && !*c->publish_id)
		rc = load_key(c, NULL, "publish.id", made, err);
	if (!rc) {
		bus_hex(made, *c->publish_id ? 0 : 8, hex);
		id = bus_xasprintf(GW_PUBLISH_ID_PREFIX "%s", *c->publish_id ? c->publish_id : hex);
		conf.id = id;
		rc = strlen(id) > 128 ? bus_fail(err, BUS_EINVAL, "publish.id is longer than 100 bytes") :
					gw_publish_open(&conf, &api->publish, err);
	}
	explicit_bzero(city, sizeof(city));
	free(id);
	return rc;
}

static enum bus_err open_consumers(const struct conf *c, const char *base, struct gw_api *api, struct bus_error *err)
{
	const struct gw_consumers_conf conf = { .kafka = kafka_conf(c),
						.topic = c->rp_topic,
						.base = base,
						.live_ms = c->rp_timeout,
						.threads = (int)c->rp_threads,
						.memory = c->rp_memory,
						.max_bytes = c->rp_bytes,
						.per_reader = c->rp_reader,
						.in_all = c->rp_all };

	return gw_consumers_open(api, &conf, &api->consumers, err);
}

/* A bus_proc_check_fn: what a group needs. */
static enum bus_err check_group(void *ctx, struct bus_error *err)
{
	const struct conf *c = ctx;
	const char *why = NULL, *at = "group.topic";

	if (!*c->group_topic)
		return BUS_OK;
	if (!*c->cursor_key)
		why = "group.topic needs cursor.key: one file, the same on every gateway";
	else if (strcmp(c->store, "sqlite") != 0)
		why = "group.topic: gateways of a group copy each other's store: it is SQLite's";
	else if (!*c->group_name)
		why = "group.topic needs group.name: one of its own for each gateway";
	else if (!*c->group_url)
		why = "group.topic needs group.url: where the other gateways reach this one's ops.port, http://HOST:PORT";
	else if (strlen(c->group_name) >= GW_GROUP_NAME_MAX)
		why = "group.name is too long", at = "group.name";
	else if (strlen(c->group_url) >= GW_GROUP_URL_MAX ||
		 (strncmp(c->group_url, "http://", 7) != 0 && strncmp(c->group_url, "https://", 8) != 0))
		why = "group.url is http://HOST:PORT", at = "group.url";
	return why ? bus_conf_refuse(bus_proc_config(), at, why, err) : BUS_OK;
}

static void read_group(const struct conf *c, const uint8_t key[BUS_KEY_LEN], struct gw_group_conf *out)
{
	if (!*c->group_topic)
		return;
	*out = (struct gw_group_conf){ .kafka = kafka_conf(c),
				       .topic = c->group_topic,
				       .name = c->group_name,
				       .url = c->group_url,
				       .anew = c->group_anew };
	memcpy(out->key, key, BUS_KEY_LEN);
}

/* A gw_changed_fn: everybody who follows. */
static void on_change(void *ctx, const struct gw_view *v, int64_t newest)
{
	struct gw_api *api = ctx;

	gw_feeds_on_change(api->feeds, v, newest);
	gw_hooks_wake(api->hooks);
}

/* Without a slash at its end. */
static char *base_of(const struct conf *c)
{
	char *base = *c->base ? bus_xstrdup(c->base) : bus_xasprintf("http://%s:%d", c->address, (int)c->port);
	size_t n = strlen(base);

	while (n > 0 && base[n - 1] == '/')
		base[--n] = '\0';
	return base;
}

static enum bus_err open_crowd(const struct conf *c, struct gw_crowd **out, struct bus_error *err)
{
	struct gw_quota each;

	if (!*c->anybody)
		return BUS_OK;
	if (!gw_quota_read(c->anybody, &each))
		return bus_fail(err, BUS_EINVAL, "access.anybody: '%s' is no quota like 1200/1m", c->anybody);
	*out = gw_crowd_new(each, c->forwarded);
	return BUS_OK;
}

static enum bus_err run(const struct conf *c, struct bus_error *err)
{
	const struct bus_kafka_conf kafka = kafka_conf(c);
	struct bus_http *http = NULL, *ops = NULL;
	const struct gw_defs_conf definitions = { .kafka = kafka, .topic = c->definitions_topic };
	const struct gw_acks_conf acks = { kafka, c->national_topic };
	const struct gw_figures_conf figures = { .releases = { kafka, c->figures_topic }, .k = c->figures_k };
	char *base = base_of(c);
	const struct gw_shelf_conf catalogue = { .base = base,
						.publisher = c->cat_publisher,
						.walidata = c->cat_walidata,
						.contact = c->cat_contact,
						.licence = c->cat_licence,
						.place = c->cat_place,
						.place_code = c->cat_place_code,
						.kafka = c->bootstrap,
						.names = c->cat_names };
	struct gw_group_conf group = { 0 };
	struct gw_api api = { .catalogue = &catalogue };
	struct gw_defs *defs = NULL;
	char instance[300];
	char *store = NULL;
	enum bus_err rc;

	gw_db_begin_process(c->db_path);
	if ((rc = load_key(c, c->cursor_key, "cursor.key", api.cursors.key, err)) ||
	    (rc = store_path(c, &store, err)))
		goto out;
	read_group(c, api.cursors.key, &group);
	if ((rc = open_engine(c, store, *c->group_topic ? &group : NULL, &api.engine, err)) ||
	    (*c->definitions_topic && (rc = gw_defs_open(api.engine, &definitions, &defs, err))) ||
	    (rc = gw_access_open(api.engine, c->policy, c->keys, &api.access, err)) ||
	    (rc = open_hooks(c, base, &api, err)))
		goto out;
	gw_cursors_derive(&api.cursors);
	if (*c->group_topic)
		api.copy = gw_store_copy_new(&api, c->db_path, c->group_url, api.cursors.key);
	api.feeds = gw_feeds_new((int)c->slow);
	api.kept = gw_kept_new();
	if ((rc = open_crowd(c, &api.crowd, err)))
		goto out;
	if ((rc = gw_records_new(&api, &kafka, (int)c->records_threads, &api.records, err)))
		goto out;
	if ((rc = gw_proxy_new(&api, &kafka, &api.proxy, err)))
		goto out;
	api.promises = gw_promises_new(api.engine);
	api.checks = gw_checks_new(&api);
	gw_on_change(api.engine, on_change, &api);
	gw_on_views(api.engine, on_views, api.access);
	if ((rc = gw_definitions_new(&api, defs, &api.definitions, err)) || (rc = open_exports(c, base, &api, err)) ||
	    (rc = gw_hooks_start(api.hooks, err)) ||
	    (*c->figures_topic && (rc = gw_figures_new(&api, &figures, &api.figures, err))) ||
	    (*c->national_topic && (rc = gw_national_new(&api, &acks, &api.national, err))) ||
	    (*c->publish_topic && (rc = open_publish(c, &api, err))) ||
	    (*c->rp_topic && (rc = open_consumers(c, base, &api, err))) || (rc = start_http(c, &api, &http, &ops, err)) ||
	    (rc = gw_engine_start(api.engine, err)))
		goto out;
	if ((rc = gw_promises_start(api.promises, err)))
		goto out;
	bus_proc_ready("titian-gateway");
	name_instance(http, instance, sizeof(instance));
	gw_engine_announce(api.engine, &kafka, c->schemas_topic, instance);
	serve(&api, c, instance);
out:
	if (api.checks)
		gw_checks_stop(api.checks);
	if (api.exports)
		gw_exports_stop(api.exports);
	if (api.hooks)
		gw_hooks_stop(api.hooks);
	gw_national_stop(api.national);
	gw_records_stop(api.records);
	gw_publish_stop(api.publish);
	gw_proxy_stop(api.proxy);
	gw_consumers_stop(api.consumers);
	if (http)
		bus_http_stop(&http, 10000);
	if (ops)
		bus_http_stop(&ops, 2000);
	gw_figures_free(&api.figures);
	gw_national_free(&api.national);
	gw_definitions_free(&api.definitions);
	gw_defs_close(&defs);
	gw_promises_free(&api.promises);
	free(store);
	if (api.engine)
		gw_engine_stop(api.engine);
	gw_checks_free(&api.checks);
	gw_records_free(&api.records);
	gw_publish_free(&api.publish);
	gw_proxy_free(&api.proxy);
	gw_consumers_free(&api.consumers);
	gw_feeds_free(&api.feeds);
	gw_kept_free(&api.kept);
	gw_crowd_free(&api.crowd);
	gw_exports_free(&api.exports);
	gw_signer_free(&api.signer);
	gw_hooks_free(&api.hooks);
	gw_store_copy_free(&api.copy);
	gw_access_close(&api.access);
	gw_engine_close(&api.engine);
	free(base);
	return rc;
}

int main(int argc, char **argv)
{
	struct sigaction hangup = { .sa_handler = on_hangup };
	struct conf conf = { 0 };
	struct bus_error err = { 0 };
	bool only_check = argc > 1 && strcmp(argv[1], "check") == 0;
	enum bus_err rc;

	if (argc > 1 && strcmp(argv[1], "key") == 0)
		return key_command(argc, argv);
	if (argc == 2 && strcmp(argv[1], "try") == 0) /* started by another of us: engine/try.h */
		return gw_try_main();
	if (argc > 1 && strcmp(argv[1], "view") == 0)
		return gw_view_command(argc - 2, argv + 2);
	if (only_check) {
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	bus_proc_check(check_group);
	bus_proc_options(argc, argv, usage, options, &conf);
	conf.origins = bus_xcalloc(conf.cors.n + 1, sizeof(*conf.origins));
	for (size_t i = 0; i < conf.cors.n; i++)
		conf.origins[i] = conf.cors.item[i];
	bus_proc_signals();
	sigaction(SIGHUP, &hangup, NULL);
	rc = check_group(&conf, &err);
	if (!rc)
		rc = only_check ? check(&conf, &err) : run(&conf, &err);
	if (rc)
		fprintf(stderr, "titian-gateway: %s\n", err.text);
	free(conf.origins);
	bus_conf_release(options, &conf);
	return rc == BUS_EPARSE || rc == BUS_EINVAL ? 2 : rc ? 1 : 0;
}
