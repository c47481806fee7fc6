#include "gateway/options.h"

#include <stddef.h>
#include <string.h>

#include "bus/proc.h"
#include "gateway/engine/group.h"

#define O(name, type, field, fallback, help) { name, BUS_CONF_##type, offsetof(struct gw_options, field), fallback, help }

const struct bus_conf_option gw_options_table[] = {
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
	O("restproxy.writes", SIZE, rp_writes, "8MiB",
	  "Most bytes of consumers' state that one reader's requests may write in a minute, on this gateway."),
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

struct bus_kafka_conf gw_options_kafka(const struct gw_options *c)
{
	return (struct bus_kafka_conf){ .bootstrap = c->bootstrap,
					.client_id = "titian-gateway",
					.extra = &c->kafka };
}

char *gw_options_base(const struct gw_options *c)
{
	char *base = *c->base ? bus_xstrdup(c->base) : bus_xasprintf("http://%s:%d", c->address, (int)c->port);
	size_t n = strlen(base);

	while (n > 0 && base[n - 1] == '/')
		base[--n] = '\0';
	return base;
}

enum bus_err gw_options_store(const struct gw_options *c, char **out, struct bus_error *err)
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

enum bus_err gw_options_check(void *options, struct bus_error *err)
{
	const struct gw_options *c = options;
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
