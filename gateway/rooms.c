#include "gateway/rooms.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/door.h"
#include "gateway/engine/defs.h"
#include "gateway/engine/engine.h"
#include "gateway/export/exports.h"
#include "gateway/export/store.h"
#include "gateway/feed/feeds.h"
#include "gateway/feed/records.h"
#include "gateway/figures/figures.h"
#include "gateway/hook/hooks.h"
#include "gateway/listen.h"
#include "gateway/national/national.h"
#include "gateway/national/signer.h"
#include "gateway/publish/publish.h"
#include "gateway/restproxy/consumers.h"
#include "gateway/restproxy/proxy.h"
#include "gateway/serve/adapters.h"
#include "gateway/serve/checks.h"
#include "gateway/serve/crowd.h"
#include "gateway/serve/definitions.h"
#include "gateway/serve/kept.h"
#include "gateway/serve/promise.h"
#include "gateway/store/db.h"

#define EXPORTS_PATIENCE_MS 5000

enum bus_err gw_rooms_engine(const struct gw_options *c, const char *db_path,
			     const struct gw_group_conf *group, struct gw_engine **out, struct bus_error *err)
{
	const char **topics = bus_xcalloc(c->topics.n + 1, sizeof(*topics)); /* NULL-ended */
	const struct gw_engine_conf conf = {
		.db_path = db_path,
		.views_dir = c->views_dir,
		.kafka = gw_options_kafka(c),
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

/* A key that is made when it is not there: that of the option, or one beside the database. */
static enum bus_err load_key(const struct gw_options *c, const char *option, const char *suffix,
			     uint8_t key[BUS_KEY_LEN], struct bus_error *err)
{
	char *path = option && *option ? bus_xstrdup(option) : bus_xasprintf("%s.%s", c->db_path, suffix);
	enum bus_err rc = bus_key_create(path, err);

	if (!rc || rc == BUS_EEXIST)
		rc = bus_key_load(path, key, err);
	free(path);
	return rc;
}

/* And the signer, whose key is that of bundles. */
static enum bus_err open_exports(const struct gw_options *c, const char *base, struct gw_api *api,
				 struct bus_error *err)
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
		api->signer = gw_signer_new(api->access, conf.key, base, *c->base != 0, gw_door_refuse);
	explicit_bzero(conf.key, sizeof(conf.key));
	free(dir);
	return rc;
}

static enum bus_err open_hooks(const struct gw_options *c, const char *base, struct gw_api *api,
			       struct bus_error *err)
{
	const struct gw_hook_net_conf net = { &c->hooks_allow, &c->hooks_ports, c->hooks_hosts };
	struct gw_hooks_conf conf = {
		.kafka = gw_options_kafka(c),
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
		rc = gw_hook_schedule_read(c->hooks_retry.item, c->hooks_retry.n, c->hooks_give_up,
					   &conf.schedule, err);
	if (!rc)
		rc = gw_hook_net_new(&net, &conf.net, err);
	if (!rc)
		api->hooks = gw_hooks_new(&conf);
	explicit_bzero(conf.key, sizeof(conf.key));
	return rc;
}

static enum bus_err open_publish(const struct gw_options *c, struct gw_api *api, struct bus_error *err)
{
	uint8_t made[BUS_KEY_LEN], city[BUS_KEY_LEN];
	char hex[2 * 8 + 1], *id = NULL;
	struct gw_publish_conf conf = { .kafka = gw_options_kafka(c),
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
		rc = strlen(id) > 128 ? bus_fail(err, BUS_EINVAL, "publish.id is longer than 100 bytes")
				      : gw_publish_open(&conf, &api->publish, err);
	}
	explicit_bzero(city, sizeof(city));
	free(id);
	return rc;
}

static enum bus_err open_consumers(const struct gw_options *c, const char *base, struct gw_api *api,
				   struct bus_error *err)
{
	const struct gw_consumers_conf conf = { .kafka = gw_options_kafka(c),
						.topic = c->rp_topic,
						.base = base,
						.live_ms = c->rp_timeout,
						.threads = (int)c->rp_threads,
						.memory = c->rp_memory,
						.max_bytes = c->rp_bytes,
						.per_reader = c->rp_reader,
						.writes = c->rp_writes,
						.in_all = c->rp_all };

	return gw_consumers_open(api, &conf, &api->consumers, err);
}

static enum bus_err open_figures(const struct gw_options *c, struct gw_api *api, struct bus_error *err)
{
	const struct gw_figures_conf conf = { .releases = { gw_options_kafka(c), c->figures_topic },
					      .k = c->figures_k };

	return gw_figures_new(api, &conf, &api->figures, err);
}

static enum bus_err open_national(const struct gw_options *c, struct gw_api *api, struct bus_error *err)
{
	const struct gw_acks_conf conf = { gw_options_kafka(c), c->national_topic };

	return gw_national_new(api, &conf, &api->national, err);
}

static enum bus_err open_crowd(const struct gw_options *c, struct gw_crowd **out, struct bus_error *err)
{
	struct gw_quota each;

	if (!*c->anybody)
		return BUS_OK;
	if (!gw_quota_read(c->anybody, &each))
		return bus_fail(err, BUS_EINVAL, "access.anybody: '%s' is no quota like 1200/1m", c->anybody);
	*out = gw_crowd_new(each, c->forwarded);
	return BUS_OK;
}

static void read_group(const struct gw_options *c, const uint8_t key[BUS_KEY_LEN], struct gw_group_conf *out)
{
	if (!*c->group_topic)
		return;
	*out = (struct gw_group_conf){ .kafka = gw_options_kafka(c),
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

/* Told by the engine: the set of views became another one. */
static void on_views(void *ctx)
{
	struct gw_rooms *r = ctx;

	gw_access_bind(r->api.access);
	atomic_store(&r->views_changed, true);
}

/* What all others stand on: the store and its views, and who may read them. */
static enum bus_err open_views(const struct gw_options *c, struct gw_rooms *r, struct bus_error *err)
{
	const struct gw_defs_conf definitions = { .kafka = r->kafka, .topic = c->definitions_topic };
	char *store = NULL;
	enum bus_err rc;

	gw_db_begin_process(c->db_path);
	rc = load_key(c, c->cursor_key, "cursor.key", r->api.cursors.key, err);
	if (!rc)
		rc = gw_options_store(c, &store, err);
	if (!rc) {
		read_group(c, r->api.cursors.key, &r->group);
		rc = gw_rooms_engine(c, store, *c->group_topic ? &r->group : NULL, &r->api.engine, err);
	}
	if (!rc && *c->definitions_topic)
		rc = gw_defs_open(r->api.engine, &definitions, &r->defs, err);
	if (!rc)
		rc = gw_access_open(r->api.engine, c->policy, c->keys, &r->api.access, err);
	free(store);
	return rc;
}

enum bus_err gw_rooms_open(const struct gw_options *c, struct gw_rooms *r, struct bus_error *err)
{
	struct gw_api *api = &r->api;
	enum bus_err rc;

	r->kafka = gw_options_kafka(c);
	r->base = gw_options_base(c);
	r->catalogue = (struct gw_shelf_conf){ .base = r->base,
					       .publisher = c->cat_publisher,
					       .walidata = c->cat_walidata,
					       .contact = c->cat_contact,
					       .licence = c->cat_licence,
					       .place = c->cat_place,
					       .place_code = c->cat_place_code,
					       .kafka = c->bootstrap,
					       .names = c->cat_names };
	api->catalogue = &r->catalogue;
	if ((rc = open_views(c, r, err)) || (rc = open_hooks(c, r->base, api, err)))
		return rc;
	gw_cursors_derive(&api->cursors);
	if (*c->group_topic)
		api->copy = gw_store_copy_new(api, c->db_path, c->group_url, api->cursors.key);
	api->feeds = gw_feeds_new((int)c->slow);
	api->kept = gw_kept_new();
	if ((rc = open_crowd(c, &api->crowd, err)) ||
	    (rc = gw_records_new(api, &r->kafka, (int)c->records_threads, &api->records, err)) ||
	    (rc = gw_proxy_new(api, &r->kafka, &api->proxy, err)))
		return rc;
	api->adapters = gw_adapters_new(api->engine, &r->kafka);
	api->promises = gw_promises_new(api->engine);
	api->checks = gw_checks_new(api);
	gw_on_change(api->engine, on_change, api);
	gw_on_views(api->engine, on_views, r);
	if ((rc = gw_definitions_new(api, r->defs, &api->definitions, err)) ||
	    (rc = open_exports(c, r->base, api, err)) || (rc = gw_hooks_start(api->hooks, err)) ||
	    (*c->figures_topic && (rc = open_figures(c, api, err))) ||
	    (*c->national_topic && (rc = open_national(c, api, err))) ||
	    (*c->publish_topic && (rc = open_publish(c, api, err))) ||
	    (*c->rp_topic && (rc = open_consumers(c, r->base, api, err))) ||
	    (rc = gw_listen(c, api, &r->http, &r->ops, err)) || (rc = gw_engine_start(api->engine, err)))
		return rc;
	gw_adapters_start(api->adapters);
	return gw_promises_start(api->promises, err);
}

void gw_rooms_tick(struct gw_rooms *r)
{
	struct gw_api *api = &r->api;

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
}

void gw_rooms_close(struct gw_rooms *r)
{
	struct gw_api *api = &r->api;

	if (api->checks)
		gw_checks_stop(api->checks);
	if (api->exports)
		gw_exports_stop(api->exports);
	if (api->hooks)
		gw_hooks_stop(api->hooks);
	gw_national_stop(api->national);
	gw_records_stop(api->records);
	gw_publish_stop(api->publish);
	gw_proxy_stop(api->proxy);
	gw_consumers_stop(api->consumers);
	if (r->http)
		bus_http_stop(&r->http, 10000);
	if (r->ops)
		bus_http_stop(&r->ops, 2000);
	gw_figures_free(&api->figures);
	gw_national_free(&api->national);
	gw_definitions_free(&api->definitions);
	gw_defs_close(&r->defs);
	gw_promises_free(&api->promises);
	gw_adapters_free(&api->adapters);
	if (api->engine)
		gw_engine_stop(api->engine);
	gw_checks_free(&api->checks);
	gw_records_free(&api->records);
	gw_publish_free(&api->publish);
	gw_proxy_free(&api->proxy);
	gw_consumers_free(&api->consumers);
	gw_feeds_free(&api->feeds);
	gw_kept_free(&api->kept);
	gw_crowd_free(&api->crowd);
	gw_exports_free(&api->exports);
	gw_signer_free(&api->signer);
	gw_hooks_free(&api->hooks);
	gw_store_copy_free(&api->copy);
	gw_access_close(&api->access);
	gw_engine_close(&api->engine);
	free(r->base);
}
