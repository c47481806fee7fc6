#include "schemas/registry/dek.h"

#include <pthread.h>

#include "bus/follow.h"
#include "bus/log.h"
#include "schemas/registry/dek_record.h"

#define RECORD_ARENA ((size_t)8 * 1024 * 1024)

struct schema_keys {
	struct bus_follow *follow;
	struct bus_arena *scratch; /* the follower's */

	pthread_rwlock_t lock; /* guards table */
	struct schema_keys_table table;
};

static void records(void *ctx, const struct bus_record *record, size_t n)
{
	struct schema_keys *k = ctx;
	struct bus_error err;

	pthread_rwlock_wrlock(&k->lock);
	for (size_t i = 0; i < n; i++) {
		const struct bus_record *r = &record[i];

		bus_arena_reset(k->scratch);
		if (schema_keys_apply(&k->table, r->key, r->value, r->tombstone, r->timestamp_ms, k->scratch,
				      &err) != BUS_OK)
			bus_log(BUS_LOG_WARN, "keys.record_skipped", LOG_INT("offset", r->offset),
				LOG_ERR(&err));
	}
	pthread_rwlock_unlock(&k->lock);
}

enum bus_err schema_keys_open(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			      struct schema_keys **out, struct bus_error *err)
{
	struct schema_keys *k = bus_xcalloc(1, sizeof(*k));
	struct bus_follow_conf conf = { .kafka = *kafka, .topic = topic, .records = records, .ctx = k };
	enum bus_err rc;

	*out = NULL;
	k->scratch = bus_arena_new(RECORD_ARENA);
	pthread_rwlock_init(&k->lock, NULL);
	rc = bus_follow_open(&conf, timeout_ms, &k->follow, err);
	if (rc != BUS_OK) {
		schema_keys_close(&k);
		return rc;
	}
	*out = k;
	return BUS_OK;
}

void schema_keys_close(struct schema_keys **kk)
{
	struct schema_keys *k = *kk;

	if (!k)
		return;
	*kk = NULL;
	bus_follow_close(&k->follow);
	schema_keys_release(&k->table);
	bus_arena_free(&k->scratch);
	pthread_rwlock_destroy(&k->lock);
	free(k);
}

const struct schema_keys_table *schema_keys_read(struct schema_keys *k)
{
	pthread_rwlock_rdlock(&k->lock);
	return &k->table;
}

void schema_keys_done(struct schema_keys *k)
{
	pthread_rwlock_unlock(&k->lock);
}

enum bus_err schema_keys_wait(struct schema_keys *k, int64_t offset, int timeout_ms, struct bus_error *err)
{
	return bus_follow_wait(k->follow, offset, timeout_ms, err);
}

enum bus_err schema_keys_catch_up(struct schema_keys *k, int timeout_ms, struct bus_error *err)
{
	return bus_follow_catch_up(k->follow, timeout_ms, err);
}

int64_t schema_keys_next_offset(struct schema_keys *k)
{
	return bus_follow_next(k->follow);
}

bool schema_keys_healthy(struct schema_keys *k)
{
	return bus_follow_healthy(k->follow);
}
