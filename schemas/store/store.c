#include "schemas/store/store.h"

#include "bus/log.h"
#include "bus/mem.h"
#include "schemas/store/impl.h"

#define RECORD_ARENA ((size_t)128 * 1024 * 1024)

/* --- following the log --- */

static void apply(struct schema_store *s, const struct bus_record *r)
{
	struct schema_record record;
	struct bus_error err = { 0 };
	enum bus_err rc;

	bus_arena_reset(s->arena);
	rc = schema_record_read(r->key, r->tombstone ? (struct bus_str){ NULL, 0 } : r->value, s->arena,
				&record, &err);
	if (rc == BUS_OK) {
		rc = schema_table_apply(s->table, &record, r->offset, r->timestamp_ms, &err);
		if (rc == BUS_OK && s->watch)
			s->watch(s->watch_ctx, &record, r->offset, r->timestamp_ms);
		if (rc != BUS_OK)
			bus_log(BUS_LOG_ERROR, "store.id_conflict", LOG_INT("offset", r->offset),
				LOG_ERR(&err));
	} else {
		bus_log(BUS_LOG_WARN, "store.record_skipped", LOG_INT("offset", r->offset), LOG_ERR(&err));
	}
}

static void records(void *ctx, const struct bus_record *record, size_t n)
{
	struct schema_store *s = ctx;

	pthread_rwlock_wrlock(&s->lock);
	for (size_t i = 0; i < n; i++)
		apply(s, &record[i]);
	schema_table_settle(s->table);
	pthread_rwlock_unlock(&s->lock);
}

static void moved(void *ctx)
{
	struct schema_store *s = ctx;

	pthread_mutex_lock(&s->listener_lock);
	if (s->listener)
		s->listener(s->listener_ctx);
	pthread_mutex_unlock(&s->listener_lock);
}

enum bus_err schema_store_open(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			       struct schema_store **out, struct bus_error *err)
{
	return schema_store_open_watched(kafka, topic, timeout_ms, NULL, NULL, out, err);
}

enum bus_err schema_store_open_watched(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
				       schema_store_watch_fn watch, void *ctx, struct schema_store **out,
				       struct bus_error *err)
{
	struct schema_store *s = bus_xcalloc(1, sizeof(*s));
	struct bus_follow_conf conf = {
		.kafka = *kafka, .topic = topic, .records = records, .moved = moved, .ctx = s
	};
	enum bus_err rc;

	*out = NULL;
	s->watch = watch;
	s->watch_ctx = ctx;
	s->arena = bus_arena_new(RECORD_ARENA);
	s->table = schema_table_new();
	pthread_rwlock_init(&s->lock, NULL);
	pthread_mutex_init(&s->parsed_lock, NULL);
	pthread_mutex_init(&s->listener_lock, NULL);
	rc = bus_follow_open(&conf, timeout_ms, &s->follow, err);
	if (rc != BUS_OK) {
		schema_store_close(&s);
		return rc;
	}
	*out = s;
	return BUS_OK;
}

void schema_store_close(struct schema_store **ss)
{
	struct schema_store *s = *ss;

	if (!s)
		return;
	*ss = NULL;
	bus_follow_close(&s->follow);
	schema_table_free(&s->table);
	bus_arena_free(&s->arena);
	for (size_t i = 0; i < SCHEMA_PARSED_MAX; i++)
		schema_unref(&s->parsed[i].schema);
	pthread_mutex_destroy(&s->parsed_lock);
	pthread_mutex_destroy(&s->listener_lock);
	pthread_rwlock_destroy(&s->lock);
	free(s);
}

const struct schema_table *schema_store_read(struct schema_store *s)
{
	pthread_rwlock_rdlock(&s->lock);
	return s->table;
}

void schema_store_done(struct schema_store *s)
{
	pthread_rwlock_unlock(&s->lock);
}

/* --- waiting --- */

enum bus_err schema_store_wait(struct schema_store *s, int64_t offset, int timeout_ms, struct bus_error *err)
{
	return bus_follow_wait(s->follow, offset, timeout_ms, err);
}

enum bus_err schema_store_catch_up(struct schema_store *s, int timeout_ms, struct bus_error *err)
{
	return bus_follow_catch_up(s->follow, timeout_ms, err);
}

int64_t schema_store_next_offset(struct schema_store *s)
{
	return bus_follow_next(s->follow);
}

bool schema_store_healthy(struct schema_store *s)
{
	return bus_follow_healthy(s->follow);
}

void schema_store_on_change(struct schema_store *s, void (*fn)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&s->listener_lock);
	s->listener = fn;
	s->listener_ctx = ctx;
	pthread_mutex_unlock(&s->listener_lock);
}
