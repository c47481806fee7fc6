#include "adapters/reference/keep.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "adapters/reference/copy.h"
#include "adapters/reference/table.h"
#include "bus/clock.h"
#include "bus/consumer.h"
#include "bus/log.h"
#include "bus/wait.h"
#include "schemas/avro/json.h"
#include "schemas/store/plan.h"

#define BATCH 512
#define POLL_MS 200
#define CALL_MS 5000
#define QUIET_MS 2000 /* a register that is being published is not whole yet */
#define LONGEST_MS 60000
#define AGAIN_MS 3000

struct topic {
	char *name, *path;
	struct adapter_reference_table *table;
	bool dirty;
	int64_t first_ms, last_ms; /* of what is not written yet */
	size_t behind;		   /* partitions not read to where they ended when reading began */
	atomic_bool read;	   /* since the start */
};

struct part {
	size_t topic;
	int32_t partition;
	int64_t end; /* when reading began */
	bool reached;
};

struct adapter_reference {
	struct bus_kafka_conf kafka;
	char *schemas_topic;
	struct topic topic[ADAPTER_REFERENCES];
	size_t n;
	atomic_uint_fast64_t changes;
	pthread_t thread;
	bool running;
	atomic_bool stop;
	pthread_mutex_t lock; /* why; stop is set under it */
	pthread_cond_t bell;  /* stop */
	struct bus_error why; /* what the thread could not do last; text "" when all is well */
	/* The thread's own. */
	struct schema_store *store;
	struct bus_consumer *consumer;
	struct bus_record *batch;
	struct part *part;
	size_t n_parts;
	struct schema_store_plan plan;
	struct bus_buf json;
};

/* ---- records ---- */

static enum bus_err to_json(struct adapter_reference *r, struct bus_str value, struct bus_error *err)
{
	struct bus_json_out out = { .buf = &r->json };
	struct schema_json_sink sink;

	bus_buf_reset(&r->json);
	schema_json_sink_init(&sink, &out, SCHEMA_JSON_PLAIN);
	return schema_store_plan_read(&r->plan, value, &sink.sink, err);
}

static enum bus_err apply(struct adapter_reference *r, const struct bus_record *rec, struct bus_error *err)
{
	struct topic *t = &r->topic[r->part[rec->slot].topic];
	struct bus_str json = { NULL, 0 };
	enum bus_err rc = BUS_OK;

	if (!rec->key.p)
		return BUS_OK; /* no row of a register */
	if (!rec->tombstone) {
		rc = to_json(r, rec->value, err);
		if (rc == BUS_EDATA || rc == BUS_ESCHEMA) {
			bus_log(BUS_LOG_WARN, "adapter.reference_record", LOG_STR("topic", t->name),
				LOG_INT("offset", rec->offset), LOG_ERR(err));
			return BUS_OK;
		}
		json = bus_buf_str(&r->json);
	}
	if (!rc)
		rc = adapter_reference_table_put(t->table, rec->key, json, err);
	if (rc)
		return bus_fail_prefix(err, rc, "reference topic '%s'", t->name);
	t->last_ms = bus_clock_mono_ms();
	if (!t->dirty)
		t->first_ms = t->last_ms;
	t->dirty = true;
	return BUS_OK;
}

/* ---- copies ---- */

static enum bus_err write_copy(struct adapter_reference *r, struct topic *t, struct bus_error *err)
{
	struct bus_buf csv = { 0 };
	bool changed = false;
	enum bus_err rc = adapter_reference_table_write(t->table, &csv, err);

	if (!rc)
		rc = adapter_reference_copy_write(t->path, bus_buf_str(&csv), &changed, err);
	bus_buf_release(&csv);
	if (rc)
		return rc;
	t->dirty = false;
	if (changed) {
		atomic_fetch_add(&r->changes, 1);
		bus_log(BUS_LOG_INFO, "adapter.reference", LOG_STR("topic", t->name),
			LOG_INT("rows", adapter_reference_table_rows(t->table)));
	}
	atomic_store(&t->read, true);
	return BUS_OK;
}

static enum bus_err write_due(struct adapter_reference *r, struct bus_error *err)
{
	int64_t now = bus_clock_mono_ms();
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < r->n && !rc; i++) {
		struct topic *t = &r->topic[i];

		if (t->behind > 0 || !t->dirty || adapter_reference_table_rows(t->table) == 0)
			continue;
		if (now - t->last_ms >= QUIET_MS || now - t->first_ms >= LONGEST_MS)
			rc = write_copy(r, t, err);
	}
	return rc;
}

/* ---- reading ---- */

static void say(struct adapter_reference *r, const struct bus_error *why)
{
	bool news;

	pthread_mutex_lock(&r->lock);
	news = strcmp(r->why.text, why ? why->text : "") != 0;
	r->why = why ? *why : (struct bus_error){ 0 };
	pthread_mutex_unlock(&r->lock);
	if (why && news)
		bus_log(BUS_LOG_WARN, "adapter.reference_waits", LOG_ERR(why),
			LOG_STR("effect", "the copies from before serve; it is tried again"));
}

static enum bus_err add_topic(struct adapter_reference *r, size_t i, struct bus_error *err)
{
	struct topic *t = &r->topic[i];
	int32_t n;
	enum bus_err rc = bus_consumer_partitions(r->consumer, t->name, &n, CALL_MS, err);

	if (rc)
		return rc == BUS_ENOENT
			   ? bus_fail(err, rc,
				      "reference topic '%s' does not exist: whoever keeps it must publish it",
				      t->name)
			   : rc;
	r->part = bus_xrealloc(r->part, (r->n_parts + (size_t)n) * sizeof(*r->part));
	for (int32_t k = 0; k < n && !rc; k++) {
		struct part *p = &r->part[r->n_parts++];
		int64_t begin;

		*p = (struct part){ .topic = i, .partition = k };
		rc = bus_consumer_bounds(r->consumer, t->name, k, &begin, &p->end, CALL_MS, err);
		p->reached = !rc && begin >= p->end;
		t->behind += !p->reached;
	}
	return rc;
}

static enum bus_err begin(struct adapter_reference *r, struct bus_error *err)
{
	const struct bus_consumer_conf conf = { .kafka = r->kafka, .queue_bytes = INT64_C(1) << 20 };
	enum bus_err rc = schema_store_open(&r->kafka, r->schemas_topic, CALL_MS, &r->store, err);

	schema_store_plan_init(&r->plan, r->store, NULL, SCHEMA_STORE_PLAN_WAIT_MS);
	if (!rc)
		rc = bus_consumer_open(&conf, &r->consumer, err);
	for (size_t i = 0; i < r->n && !rc; i++) {
		r->topic[i].table = adapter_reference_table_new();
		rc = add_topic(r, i, err);
	}
	for (size_t i = 0; i < r->n_parts && !rc; i++)
		rc = bus_consumer_assign(r->consumer, r->topic[r->part[i].topic].name, r->part[i].partition,
					 BUS_OFFSET_BEGIN, (int)i, err);
	return rc;
}

static void end(struct adapter_reference *r)
{
	bus_consumer_close(&r->consumer);
	if (r->store)
		schema_store_close(&r->store);
	schema_store_plan_release(&r->plan);
	for (size_t i = 0; i < r->n; i++) {
		adapter_reference_table_free(&r->topic[i].table);
		r->topic[i].dirty = false;
		r->topic[i].behind = 0;
	}
	free(r->part);
	r->part = NULL;
	r->n_parts = 0;
}

static enum bus_err look_for_ends(struct adapter_reference *r, struct bus_error *err)
{
	for (size_t i = 0; i < r->n_parts; i++) {
		struct part *p = &r->part[i];
		int64_t next;
		enum bus_err rc;

		if (p->reached)
			continue;
		rc = bus_consumer_position(r->consumer, r->topic[p->topic].name, p->partition, &next, err);
		if (rc)
			return rc;
		p->reached = next >= p->end;
		r->topic[p->topic].behind -= p->reached;
	}
	return BUS_OK;
}

static enum bus_err follow(struct adapter_reference *r, struct bus_error *err)
{
	enum bus_err rc = begin(r, err);

	if (!rc)
		say(r, NULL);
	while (!rc && !atomic_load(&r->stop)) {
		size_t n = 0;

		rc = bus_consumer_poll(r->consumer, r->batch, BATCH, &n, POLL_MS, err);
		for (size_t i = 0; i < n && !rc; i++)
			rc = apply(r, &r->batch[i], err);
		if (!rc && n == 0)
			rc = look_for_ends(r, err);
		if (!rc)
			rc = write_due(r, err);
	}
	end(r);
	return rc;
}

static void *work(void *ctx)
{
	struct adapter_reference *r = ctx;

	while (!atomic_load(&r->stop)) {
		struct bus_error why = { 0 };
		int64_t until;

		if (follow(r, &why))
			say(r, &why);
		until = bus_clock_mono_ms() + AGAIN_MS;
		pthread_mutex_lock(&r->lock);
		while (!atomic_load(&r->stop) && bus_cond_wait(&r->bell, &r->lock, until))
			;
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

/* ---- what the runner asks ---- */

enum bus_err adapter_reference_start(const struct adapter_reference_conf *conf,
				     struct adapter_reference **out, struct bus_error *err)
{
	struct adapter_reference *r;
	int rc;

	*out = NULL;
	if (conf->n == 0)
		return BUS_OK;
	if (conf->n > ADAPTER_REFERENCES)
		return bus_fail(err, BUS_EINVAL, "more than %d reference topics", ADAPTER_REFERENCES);
	if (mkdir(conf->dir, 0750) != 0 && errno != EEXIST)
		return bus_fail(err, BUS_EIO, "cannot make the folder '%s' (referensi.copies): %m",
				conf->dir);
	r = bus_xcalloc(1, sizeof(*r));
	r->kafka = conf->kafka;
	r->schemas_topic = bus_xstrdup(conf->schemas_topic);
	r->n = conf->n;
	for (size_t i = 0; i < r->n; i++) {
		r->topic[i].name = bus_xstrdup(conf->topic[i]);
		r->topic[i].path = adapter_reference_copy_path(conf->dir, conf->topic[i]);
	}
	r->batch = bus_xcalloc(BATCH, sizeof(*r->batch));
	pthread_mutex_init(&r->lock, NULL);
	bus_cond_init(&r->bell);
	rc = pthread_create(&r->thread, NULL, work, r);
	r->running = rc == 0;
	if (rc) {
		errno = rc;
		adapter_reference_stop(&r);
		return bus_fail(err, BUS_EFULL, "cannot start the thread that keeps reference tables: %m");
	}
	*out = r;
	return BUS_OK;
}

void adapter_reference_stop(struct adapter_reference **rp)
{
	struct adapter_reference *r = *rp;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->stop, true);
	pthread_cond_signal(&r->bell);
	pthread_mutex_unlock(&r->lock);
	if (r->running)
		pthread_join(r->thread, NULL);
	for (size_t i = 0; i < r->n; i++) {
		free(r->topic[i].name);
		free(r->topic[i].path);
	}
	bus_buf_release(&r->json);
	pthread_cond_destroy(&r->bell);
	pthread_mutex_destroy(&r->lock);
	free(r->schemas_topic);
	free(r->batch);
	free(r);
	*rp = NULL;
}

bool adapter_reference_ready(struct adapter_reference *r, bool old, struct bus_error *err)
{
	for (size_t i = 0; r && i < r->n; i++) {
		struct topic *t = &r->topic[i];

		if (atomic_load(&t->read) || (old && adapter_reference_copy_whole(t->path)))
			continue;
		pthread_mutex_lock(&r->lock);
		if (r->why.text[0])
			bus_fail(err, BUS_ENOENT, "reference topic '%s' is waited for: %s", t->name,
				 r->why.text);
		else
			bus_fail(
			    err, BUS_ENOENT,
			    "reference topic '%s' is waited for: it is being read, or nothing is in it yet",
			    t->name);
		pthread_mutex_unlock(&r->lock);
		return false;
	}
	return true;
}

uint64_t adapter_reference_changes(struct adapter_reference *r)
{
	return r ? atomic_load(&r->changes) : 0;
}
