/* tests/support/engine_support.h - the gateway's engine without Kafka: schemas from memory, records made
 * here, batches applied by hand. With TITIAN_TEST_STORE on that store, else on a file. */
#ifndef TESTS_SUPPORT_ENGINE_SUPPORT_H
#define TESTS_SUPPORT_ENGINE_SUPPORT_H

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/wire.h"
#include "gateway/engine/core.h"
#include "schemas/avro/json.h"

#define ENGINE_TOPICS_MAX 40

struct engine_topic {
	const char *name;
	struct schema *schema[8]; /* versions; id = 100 * topic + version, from 1 */
	int n_versions;
	int64_t offset, seq;
};

struct engine_record { /* owned copies */
	int topic;
	char *key;
	size_t n_key;
	char *value; /* NULL: tombstone */
	size_t n_value;
	int64_t offset;
	char stream[64], seq[24];
	struct bus_header header[2];
};

struct engine {
	struct gw_engine *e;
	struct engine_topic topic[ENGINE_TOPICS_MAX];
	const char *names[ENGINE_TOPICS_MAX + 1];
	int n_topics;
	struct engine_record *record; /* waiting */
	size_t n, cap;
	char dir[64], db[96], views[96];
	int caught_up; /* times the registry's topic was read to its end */
};

static inline enum bus_err engine_by_id(void *ctx, int32_t id, struct schema **out, struct bus_error *err)
{
	struct engine *t = ctx;
	int topic = id / 100, version = id % 100;

	if (topic >= t->n_topics || version < 1 || version > t->topic[topic].n_versions)
		return bus_fail(err, BUS_ENOENT, "no such schema");
	*out = schema_ref(t->topic[topic].schema[version - 1]);
	return BUS_OK;
}

static inline void engine_catch_up(void *ctx)
{
	struct engine *t = ctx;

	t->caught_up++;
}

static inline enum bus_err engine_latest(void *ctx, const char *subject, struct schema **out, int32_t *id,
					 struct bus_error *err)
{
	struct engine *t = ctx;

	for (int i = 0; i < t->n_topics; i++) {
		size_t n = strlen(t->topic[i].name);

		if (strncmp(subject, t->topic[i].name, n) == 0 && strcmp(subject + n, "-value") == 0) {
			*out = schema_ref(t->topic[i].schema[t->topic[i].n_versions - 1]);
			*id = 100 * i + t->topic[i].n_versions;
			return BUS_OK;
		}
	}
	return bus_fail(err, BUS_ENOENT, "no such subject");
}

static inline void engine_must(enum bus_err rc, const struct bus_error *err)
{
	if (rc != BUS_OK) {
		fprintf(stderr, "%s: %s\n", bus_err_name(rc), err->text);
		abort();
	}
}

static inline struct schema *engine_schema(const char *text)
{
	struct bus_error err = { 0 };
	struct schema *s = NULL;

	engine_must(schema_parse(bus_str(text), SCHEMA_STRICT, NULL, 0, &s, &err), &err);
	return s;
}

static inline struct engine *engine_new(void)
{
	struct engine *t = bus_xcalloc(1, sizeof(*t));

	/* In memory, where the system has such a folder: a test commits tens of thousands of times. */
	strcpy(t->dir,
	       access("/dev/shm", W_OK) == 0 ? "/dev/shm/titian-engine-XXXXXX" : "/tmp/titian-engine-XXXXXX");
	if (!mkdtemp(t->dir))
		abort();
	snprintf(t->db, sizeof(t->db), "%s/views.db", t->dir);
	if (getenv("TITIAN_TEST_STORE")) { /* tests/support/postgres.py */
		snprintf(t->db, sizeof(t->db), "%s", getenv("TITIAN_TEST_STORE"));
		engine_must(gw_db_remove(t->db, NULL),
			    &(struct bus_error){ .text = "cannot empty the store" });
	}
	snprintf(t->views, sizeof(t->views), "%s/views", t->dir);
	mkdir(t->views, 0700);
	return t;
}

/* Takes the reference. A topic given before gets a version more. */
static inline int engine_topic(struct engine *t, const char *name, struct schema *s)
{
	int i;

	for (i = 0; i < t->n_topics && strcmp(t->topic[i].name, name) != 0; i++)
		;
	if (i == t->n_topics) {
		t->topic[i].name = name;
		t->names[i] = name;
		t->n_topics++;
	}
	t->topic[i].schema[t->topic[i].n_versions++] = s;
	return i;
}

static inline void engine_view(struct engine *t, const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.sql", t->views, name);
	f = fopen(path, "w");
	if (!f)
		abort();
	fputs(text, f);
	fclose(f);
}

static inline enum bus_err engine_try_open(struct engine *t, const char *views, struct bus_error *err)
{
	const struct gw_schemas schemas = { .ctx = t, .by_id = engine_by_id, .latest = engine_latest };

	return gw_core_open(t->db, views ? views : t->views, t->names, 0, &schemas, &t->e, err);
}

static inline void engine_open(struct engine *t, const char *views)
{
	struct bus_error err = { 0 };

	engine_must(engine_try_open(t, views, &err), &err);
}

static inline void engine_free(struct engine **engine)
{
	struct engine *t = *engine;
	char command[128];

	gw_core_close(&t->e);
	for (int i = 0; i < t->n_topics; i++) {
		for (int k = 0; k < t->topic[i].n_versions; k++)
			schema_unref(&t->topic[i].schema[k]);
	}
	for (size_t i = 0; i < t->n; i++) {
		free(t->record[i].key);
		free(t->record[i].value);
	}
	free(t->record);
	snprintf(command, sizeof(command), "rm -rf '%s'", t->dir);
	if (system(command) != 0)
		abort();
	free(t);
	*engine = NULL;
}

/* avro NULL: tombstone. version 0: the newest. Returns the record for those who would change it. */
static inline struct engine_record *engine_add(struct engine *t, int topic, struct bus_str key,
					       const struct bus_str *avro, int version)
{
	struct bus_buf b = { 0 };
	struct engine_record *r;

	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 256;
		t->record = bus_xrealloc(t->record, t->cap * sizeof(*t->record));
	}
	r = &t->record[t->n++];
	memset(r, 0, sizeof(*r));
	r->topic = topic;
	r->key = bus_xstrndup(key.p ? key.p : "", key.n);
	r->n_key = key.n;
	if (avro) {
		bus_wire_put_prefix(&b, 100 * topic + (version ? version : t->topic[topic].n_versions));
		bus_buf_put(&b, avro->p, avro->n);
		r->value = bus_buf_take(&b, &r->n_value);
	}
	r->offset = t->topic[topic].offset++;
	snprintf(r->stream, sizeof(r->stream), "%s/0", t->topic[topic].name);
	snprintf(r->seq, sizeof(r->seq), "%lld", (long long)++t->topic[topic].seq);
	return r;
}

/* json NULL: tombstone. */
static inline struct engine_record *engine_put(struct engine *t, int topic, const char *key, const char *json)
{
	struct engine_topic *x = &t->topic[topic];
	struct bus_error err = { 0 };
	struct bus_buf avro = { 0 };
	struct engine_record *r;
	struct bus_str s;

	if (!json)
		return engine_add(t, topic, bus_str(key), NULL, 0);
	engine_must(
	    schema_encode_json(x->schema[x->n_versions - 1], bus_str(json), SCHEMA_JSON_PLAIN, &avro, &err),
	    &err);
	s = bus_buf_str(&avro);
	r = engine_add(t, topic, bus_str(key), &s, 0);
	bus_buf_release(&avro);
	return r;
}

static inline enum bus_err engine_try_apply(struct engine *t, size_t from, size_t n, struct bus_error *err)
{
	struct bus_record *rec = bus_xcalloc(n + 1, sizeof(*rec));
	enum bus_err rc;

	for (size_t i = 0; i < n; i++) {
		struct engine_record *r = &t->record[from + i];

		r->header[0] = (struct bus_header){ BUS_STR("titian_stream"), bus_str(r->stream) };
		r->header[1] = (struct bus_header){ BUS_STR("titian_seq"), bus_str(r->seq) };
		rec[i] = (struct bus_record){ .topic = t->topic[r->topic].name,
					      .offset = r->offset,
					      .timestamp_ms = 1735689600000 + r->offset,
					      .key = { r->key, r->n_key },
					      .value = { r->value, r->n_value },
					      .tombstone = !r->value,
					      .header = r->header,
					      .n_headers = 2,
					      .slot = gw_core_part(t->e, t->topic[r->topic].name, 0) };
	}
	rc = gw_apply(t->e, rec, n, err);
	free(rec);
	return rc;
}

static inline void engine_drop_waiting(struct engine *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->record[i].key);
		free(t->record[i].value);
	}
	t->n = 0;
}

/* What waits, in transactions of `batch` records; views settled in the given haste after each. */
static inline void engine_apply(struct engine *t, size_t batch, enum gw_haste haste)
{
	struct bus_error err = { 0 };
	bool pending;

	for (size_t i = 0; i < t->n; i += batch) {
		engine_must(engine_try_apply(t, i, t->n - i < batch ? t->n - i : batch, &err), &err);
		engine_must(gw_settle(t->e, haste, NULL, &pending, &err), &err);
		engine_must(gw_commit(t->e, &err), &err);
	}
	engine_drop_waiting(t);
}

static inline void engine_settle(struct engine *t)
{
	struct bus_error err = { 0 };
	bool pending;

	engine_must(gw_settle(t->e, GW_FORCE, NULL, &pending, &err), &err);
	engine_must(gw_commit(t->e, &err), &err);
}

/* Every view has been whole once: readers are answered. */
static inline void engine_whole(struct engine *t)
{
	struct bus_error err = { 0 };

	engine_must(gw_whole_mark(t->e, &err), &err);
}

/* Rows that differ, over all views; a view that waits counts 1,000,000. */
static inline int64_t engine_differences(struct engine *t)
{
	struct bus_error err = { 0 };
	int64_t d[200], sum = 0;

	engine_must(gw_verify(t->e, d, gw_view_count(t->e), &err), &err);
	for (size_t i = 0; i < gw_view_count(t->e); i++) {
		if (d[i])
			fprintf(stderr, "%s: %lld differ\n", gw_view_at(t->e, i)->name, (long long)d[i]);
		sum += d[i] < 0 ? 1000000 : d[i];
	}
	return sum;
}

#endif
