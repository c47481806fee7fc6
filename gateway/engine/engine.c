#include "gateway/engine/engine.h"

#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"
#include "gateway/engine/mat.h"
#include "schemas/store/store.h"

#define WAIT_MS 60000
#define CATCH_UP_MS 5000
#define LOOK_MS 200

static enum bus_err store_by_id(void *ctx, int32_t id, struct schema **out, struct bus_error *err)
{
	return schema_store_by_id(ctx, id, 0, out, err);
}

static void store_catch_up(void *ctx)
{
	(void)!schema_store_catch_up(ctx, CATCH_UP_MS, NULL);
}

static enum bus_err store_latest(void *ctx, const char *subject, struct schema **out, int32_t *id,
				 struct bus_error *err)
{
	struct schema_version v;
	enum bus_err rc;

	rc = schema_store_version(ctx, subject, 0, &v, err);
	if (rc != BUS_OK)
		return rc;
	if (v.schema) {
		*out = schema_ref(v.schema);
		*id = v.id;
	} else {
		rc = bus_fail(err, BUS_ESCHEMA, "the newest schema of '%s' cannot be read", subject);
	}
	schema_version_release(&v);
	return rc;
}

static bool store_version(void *ctx, const char *subject, int32_t id, int *version)
{
	struct schema_version_list l;
	bool found = false;

	schema_store_versions(ctx, subject, SCHEMA_WITH_DELETED, &l);
	for (size_t i = 0; i < l.n && !found; i++) {
		found = l.item[i].id == id;
		*version = l.item[i].version;
	}
	schema_version_list_release(&l);
	return found;
}

static void nap(void)
{
	struct timespec t = { 0, LOOK_MS * 1000 * 1000 };

	nanosleep(&t, NULL);
}

static enum bus_err open_store(const struct gw_engine_conf *conf, int64_t until, struct schema_store **out,
			       struct bus_error *err)
{
	int64_t left;
	enum bus_err rc;

	do {
		left = until - bus_clock_mono_ms();
		rc = schema_store_open(&conf->kafka, conf->schemas_topic, left > 1000 ? (int)left : 1000, out,
				       err);
		if (rc == BUS_ENOENT)
			nap();
	} while (rc == BUS_ENOENT && bus_clock_mono_ms() < until);
	return rc;
}

static enum bus_err wait_schemas(const struct gw_engine_conf *conf, struct schema_store *store, int64_t until,
				 struct bus_error *err)
{
	struct schema_version v;
	struct bus_buf missing = { 0 };
	char subject[300];
	bool told = false;
	size_t n;

	for (;;) {
		n = 0;
		bus_buf_reset(&missing);
		for (size_t i = 0; conf->topics[i]; i++) {
			snprintf(subject, sizeof(subject), "%s-value", conf->topics[i]);
			if (schema_store_version(store, subject, 0, &v, NULL) == BUS_OK)
				schema_version_release(&v);
			else
				bus_buf_printf(&missing, "%s%s", n++ ? ", " : "", conf->topics[i]);
		}
		if (n == 0 || bus_clock_mono_ms() >= until || bus_proc_stopping())
			break;
		if (!told)
			bus_log(BUS_LOG_WARN, "gateway.waiting_for_schemas", LOG_STR("topics", bus_buf_cstr(&missing)));
		told = true;
		nap();
	}
	if (n > 0)
		bus_fail(err, BUS_ETIMEOUT, "no schema is registered for %zu topics: %s", n,
			 bus_buf_cstr(&missing));
	bus_buf_release(&missing);
	return n == 0 ? BUS_OK : BUS_ETIMEOUT;
}

static enum bus_err cluster_of(const struct gw_engine_conf *conf, char *id, size_t n, struct bus_error *err)
{
	const struct bus_consumer_conf c = { .kafka = conf->kafka };
	struct bus_consumer *consumer = NULL;
	enum bus_err rc;

	rc = bus_consumer_open(&c, &consumer, err);
	if (rc == BUS_OK)
		rc = bus_consumer_cluster_id(consumer, id, n, 10000, err);
	bus_consumer_close(&consumer);
	return rc;
}

static enum bus_err check_cluster(struct gw_engine *e, const char *cluster, struct bus_error *err)
{
	char text[128];
	const char *stored = text;
	enum bus_err rc;

	rc = gw_core_meta(e, "cluster", text, sizeof(text), err);
	if (rc == BUS_OK && stored[0] && strcmp(stored, cluster) != 0) {
		bus_log(BUS_LOG_ERROR, "gateway.rebuild",
			LOG_STR("why", "the store is of another Kafka cluster"), LOG_STR("stored", stored),
			LOG_STR("cluster", cluster));
		rc = gw_core_wipe(e, err);
	}
	return rc == BUS_OK ? gw_core_set_meta(e, "cluster", cluster, err) : rc;
}

enum bus_err gw_engine_open(const struct gw_engine_conf *conf, struct gw_engine **out, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + (conf->wait_ms > 0 ? conf->wait_ms : WAIT_MS);
	struct gw_mat_conf mat = { conf->kafka, conf->batch_max, conf->batch_wait_ms, conf->verify_per_s };
	struct gw_schemas schemas = { NULL, store_by_id, store_latest, store_version, store_catch_up };
	struct schema_store *store = NULL;
	char cluster[128];
	enum bus_err rc;

	*out = NULL;
	/* What librdkafka's threads allocate, ours frees: with an arena for each thread (glibc's default, 8 a
	 * core) the same records lie about several times (a city's load: 180 MB at most against 138). */
	mallopt(M_ARENA_MAX, 2);
	rc = open_store(conf, until, &store, err);
	if (rc == BUS_OK)
		rc = wait_schemas(conf, store, until, err);
	if (rc == BUS_OK)
		rc = cluster_of(conf, cluster, sizeof(cluster), err);
	if (rc == BUS_OK) {
		schemas.ctx = store;
		rc = gw_core_open_in(conf->group, conf->db_path, conf->views_dir, conf->topics, conf->cache_bytes,
				     &schemas, out, err);
	}
	if (rc != BUS_OK) {
		schema_store_close(&store);
		return rc;
	}
	(*out)->store = store;
	rc = check_cluster(*out, cluster, err);
	if (rc != BUS_OK) {
		gw_engine_close(out);
		return rc;
	}
	(*out)->mat = gw_mat_new(*out, &mat);
	return BUS_OK;
}

enum bus_err gw_engine_start(struct gw_engine *e, struct bus_error *err)
{
	return gw_mat_start(e->mat, err);
}

void gw_engine_stop(struct gw_engine *e)
{
	if (e->mat)
		gw_mat_stop(e->mat);
}

void gw_engine_close(struct gw_engine **e)
{
	struct schema_store *store;

	if (!*e)
		return;
	gw_engine_stop(*e);
	store = (*e)->store;
	gw_mat_free(&(*e)->mat);
	gw_core_close(e);
	schema_store_close(&store);
}

const char *gw_engine_fault(struct gw_engine *e)
{
	const char *text;

	pthread_mutex_lock(&e->lock);
	text = e->fault_at >= 0 ? e->fault[e->fault_at] : NULL;
	pthread_mutex_unlock(&e->lock);
	return text;
}

int gw_view_column(const struct gw_view *v, const char *name)
{
	for (size_t i = 0; i < v->n_columns; i++) {
		if (strcmp(v->column[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

uint64_t gw_store_id(struct gw_engine *e)
{
	return atomic_load(&e->store_id);
}

void gw_on_change(struct gw_engine *e, gw_changed_fn fn, void *ctx)
{
	e->on_change = fn;
	e->on_change_ctx = ctx;
}

size_t gw_topics(struct gw_engine *e, struct gw_topic_state *out, size_t max)
{
	size_t n = e->n_topics < max ? e->n_topics : max;

	pthread_mutex_lock(&e->lock);
	memcpy(out, e->shared, n * sizeof(*out));
	pthread_mutex_unlock(&e->lock);
	return n;
}

bool gw_caught_up(struct gw_engine *e)
{
	return atomic_load(&e->caught_up);
}

bool gw_idle(struct gw_engine *e)
{
	return atomic_load(&e->idle);
}

struct schema_store *gw_engine_schemas(struct gw_engine *e)
{
	return e->store;
}

enum bus_err gw_engine_save(struct gw_engine *e, const char *path, struct bus_error *err)
{
	struct gw_db *db = NULL;
	enum bus_err rc = gw_db_open(e->db_path, GW_DB_READER, 0, &db, err);

	if (rc == BUS_OK)
		rc = gw_db_save(db, path, err);
	gw_db_close(&db);
	return rc;
}
