#include "schemas/store/side.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/follow.h"
#include "bus/json.h"
#include "bus/log.h"
#include "bus/producer.h"

#define KEY_ARENA ((size_t)64 * 1024)
#define KEYS_MAX 50000 /* what one program may say is bounded; so is how many there are */

struct entry { /* by key */
	char *key;
	struct bus_arena *arena; /* all below lives here */
	struct schema_use *use;
	size_t n_uses;
	int64_t until_ms; /* its uses count so long; 0: for ever */
	bool is_state;
	struct schema_state state;
};

struct schema_side {
	struct bus_follow *follow;
	struct bus_arena *scratch; /* the follower's */
	atomic_size_t n_states;

	pthread_rwlock_t lock; /* guards entry */
	struct entry *entry;   /* sorted by key */
	size_t n;
};

/* --- the table -------------------------------------------------------------------------------------- */

/* Where the key is, or where it would stand. */
static size_t find(const struct schema_side *s, const char *key, bool *found)
{
	size_t low = 0, high = s->n;

	*found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(s->entry[mid].key, key);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void entry_release(struct entry *e)
{
	free(e->key);
	bus_arena_free(&e->arena);
}

static void take_away(struct schema_side *s, const char *key)
{
	bool found;
	size_t i = find(s, key, &found);

	if (!found)
		return;
	atomic_fetch_sub(&s->n_states, s->entry[i].is_state ? 1 : 0);
	entry_release(&s->entry[i]);
	s->n--;
	memmove(&s->entry[i], &s->entry[i + 1], (s->n - i) * sizeof(*s->entry));
}

static enum bus_err put(struct schema_side *s, struct entry *e, struct bus_error *err)
{
	bool found;
	size_t i;

	take_away(s, e->key);
	if (s->n >= KEYS_MAX)
		return bus_fail(err, BUS_ETOOBIG, "more than %d keys", KEYS_MAX);
	i = find(s, e->key, &found);
	s->entry = bus_xrealloc(s->entry, (s->n + 1) * sizeof(*s->entry));
	memmove(&s->entry[i + 1], &s->entry[i], (s->n - i) * sizeof(*s->entry));
	s->entry[i] = *e;
	s->n++;
	atomic_fetch_add(&s->n_states, e->is_state ? 1 : 0);
	return BUS_OK;
}

/* The key in our own spelling, whatever order its members came in; *program NULL: a STATE. */
static enum bus_err read_key(struct bus_str text, struct bus_arena *arena, char **key, const char **program,
			     struct bus_error *err)
{
	const struct bus_json *kind, *name, *version;
	struct bus_buf b = { 0 };
	struct bus_json *o;
	int64_t v = 0;
	enum bus_err rc = bus_json_parse(text, NULL, arena, &o, err);

	if (rc != BUS_OK)
		return rc;
	kind = bus_json_get(o, "keytype");
	*program = NULL;
	if (kind && kind->type == BUS_JSON_STRING && bus_str_is(kind->text, "USE")) {
		name = bus_json_get(o, "program");
		if (!name || name->type != BUS_JSON_STRING || name->text.n == 0)
			return bus_fail(err, BUS_EDATA, "a USE without a program");
		*program = bus_arena_dup(arena, name->text.p, name->text.n);
		schema_side_use_key(*program, &b);
	} else if (kind && kind->type == BUS_JSON_STRING && bus_str_is(kind->text, "STATE")) {
		name = bus_json_get(o, "subject");
		version = bus_json_get(o, "version");
		if (!name || name->type != BUS_JSON_STRING || !version ||
		    bus_json_int(version, &v) != BUS_OK || v < 1 || v > INT32_MAX)
			return bus_fail(err, BUS_EDATA, "a STATE without subject and version");
		schema_side_state_key(bus_arena_dup(arena, name->text.p, name->text.n), (int)v, &b);
	} else {
		return bus_fail(err, BUS_EDATA, "neither USE nor STATE");
	}
	*key = bus_buf_take(&b, NULL);
	return BUS_OK;
}

static enum bus_err apply(struct schema_side *s, const struct bus_record *r, struct bus_error *err)
{
	struct entry e = { 0 };
	const char *program;
	int64_t valid_s;
	enum bus_err rc;

	bus_arena_reset(s->scratch);
	if (r->value.n > SCHEMA_SIDE_VALUE_MAX || r->key.n > KEY_ARENA / 4)
		return bus_fail(err, BUS_ETOOBIG, "larger than %zu bytes", SCHEMA_SIDE_VALUE_MAX);
	rc = read_key(r->key, s->scratch, &e.key, &program, err);
	if (rc != BUS_OK)
		return rc;
	if (r->tombstone) {
		take_away(s, e.key);
		free(e.key);
		return BUS_OK;
	}
	e.arena = bus_arena_new(SCHEMA_SIDE_VALUE_MAX * 16);
	if (program)
		rc = schema_uses_read(r->value, program, e.arena, &e.use, &e.n_uses, &valid_s, err);
	else
		rc = schema_state_read(r->value, e.arena, &e.state, &e.is_state, err);
	e.until_ms = program && rc == BUS_OK && valid_s > 0 ? r->timestamp_ms + valid_s * 1000 : 0;
	e.state.since_ms = r->timestamp_ms;
	if (rc == BUS_OK && !program && !e.is_state)
		take_away(s, e.key);
	else if (rc == BUS_OK)
		rc = put(s, &e, err);
	if (rc != BUS_OK || (!program && !e.is_state))
		entry_release(&e);
	return rc;
}

static void records(void *ctx, const struct bus_record *record, size_t n)
{
	struct schema_side *s = ctx;
	struct bus_error err;

	pthread_rwlock_wrlock(&s->lock);
	for (size_t i = 0; i < n; i++)
		if (apply(s, &record[i], &err) != BUS_OK)
			bus_log(BUS_LOG_WARN, "side.record_skipped", LOG_INT("offset", record[i].offset),
				LOG_ERR(&err));
	pthread_rwlock_unlock(&s->lock);
}

enum bus_err schema_side_open(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			      struct schema_side **out, struct bus_error *err)
{
	struct schema_side *s = bus_xcalloc(1, sizeof(*s));
	struct bus_follow_conf conf = { .kafka = *kafka, .topic = topic, .records = records, .ctx = s };
	enum bus_err rc;

	*out = NULL;
	s->scratch = bus_arena_new(KEY_ARENA);
	pthread_rwlock_init(&s->lock, NULL);
	rc = bus_follow_open(&conf, timeout_ms, &s->follow, err);
	if (rc != BUS_OK) {
		schema_side_close(&s);
		return rc;
	}
	*out = s;
	return BUS_OK;
}

void schema_side_close(struct schema_side **ss)
{
	struct schema_side *s = *ss;

	if (!s)
		return;
	*ss = NULL;
	bus_follow_close(&s->follow);
	for (size_t i = 0; i < s->n; i++)
		entry_release(&s->entry[i]);
	free(s->entry);
	bus_arena_free(&s->scratch);
	pthread_rwlock_destroy(&s->lock);
	free(s);
}

enum bus_err schema_side_wait(struct schema_side *s, int64_t offset, int timeout_ms, struct bus_error *err)
{
	return bus_follow_wait(s->follow, offset, timeout_ms, err);
}

/* --- questions -------------------------------------------------------------------------------------- */

static bool holds(const struct entry *e, int64_t now)
{
	return e->until_ms == 0 || now < e->until_ms;
}

static bool same_texts(const char *const *a, const char *const *b, size_t n)
{
	for (size_t i = 0; i < n && a != b; i++)
		if (!a || !b || strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool same_use(const struct schema_use *a, const struct schema_use *b)
{
	return strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0 && a->n_fields == b->n_fields &&
	       same_texts(a->field, b->field, a->n_fields) && same_texts(a->columns, b->columns, a->n_fields);
}

struct told { /* views of one subject that have been told */
	const struct schema_use **use;
	size_t n;
};

static bool told_before(struct told *t, const struct schema_use *u)
{
	for (size_t i = 0; i < t->n; i++)
		if (same_use(t->use[i], u))
			return true;
	t->use = bus_xrealloc(t->use, (t->n + 1) * sizeof(*t->use));
	t->use[t->n++] = u;
	return false;
}

void schema_side_uses(struct schema_side *s, const char *subject,
		      void (*fn)(void *ctx, const struct schema_use *use), void *ctx)
{
	const int64_t now = bus_clock_ms();
	struct told told = { 0 };

	pthread_rwlock_rdlock(&s->lock);
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; holds(&s->entry[i], now) && k < s->entry[i].n_uses; k++) {
			const struct schema_use *u = &s->entry[i].use[k];

			if (subject && (strcmp(u->subject, subject) != 0 ||
					(strcmp(u->kind, "view") == 0 && told_before(&told, u))))
				continue;
			fn(ctx, u);
		}
	pthread_rwlock_unlock(&s->lock);
	free(told.use);
}

bool schema_side_program(struct schema_side *s, const char *program)
{
	struct bus_buf key = { 0 };
	bool found;

	schema_side_use_key(program, &key);
	pthread_rwlock_rdlock(&s->lock);
	find(s, bus_buf_cstr(&key), &found); /* one whose time is over can still be taken away */
	pthread_rwlock_unlock(&s->lock);
	bus_buf_release(&key);
	return found;
}

static const char *copy(struct bus_arena *arena, const char *text)
{
	const char *c = bus_arena_dup(arena, text, strlen(text));

	return c ? c : "";
}

bool schema_side_state(struct schema_side *s, const char *subject, int version, struct bus_arena *arena,
		       struct schema_state *out)
{
	struct bus_buf key = { 0 };
	bool found;
	size_t i;

	if (atomic_load_explicit(&s->n_states, memory_order_relaxed) == 0)
		return false;
	schema_side_state_key(subject, version, &key);
	pthread_rwlock_rdlock(&s->lock);
	i = find(s, bus_buf_cstr(&key), &found);
	if (found) {
		*out = s->entry[i].state;
		out->sunset = copy(arena, out->sunset);
		out->successor_subject = copy(arena, out->successor_subject);
		out->note = copy(arena, out->note);
	}
	pthread_rwlock_unlock(&s->lock);
	bus_buf_release(&key);
	return found;
}

/* --- writing ---------------------------------------------------------------------------------------- */

void schema_side_use_key(const char *program, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_key(&j, "keytype");
	bus_json_put_text(&j, "USE");
	bus_json_key(&j, "program");
	bus_json_put_text(&j, program);
	bus_json_object_end(&j);
}

void schema_side_state_key(const char *subject, int version, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_key(&j, "keytype");
	bus_json_put_text(&j, "STATE");
	bus_json_key(&j, "subject");
	bus_json_put_text(&j, subject);
	bus_json_key(&j, "version");
	bus_json_put_int(&j, version);
	bus_json_object_end(&j);
}

enum bus_err schema_side_write(const struct bus_kafka_conf *kafka, const char *topic, struct bus_str key,
			       const struct bus_str *value, int timeout_ms, int64_t *offset,
			       struct bus_error *err)
{
	struct bus_producer_conf conf = { .kafka = *kafka };
	static const struct bus_str none = { NULL, 0 };
	struct bus_producer *p = NULL;
	enum bus_err rc = bus_producer_open(&conf, &p, err);

	if (rc == BUS_OK)
		rc = bus_producer_send(p, topic, 0, key, value ? value : &none, NULL, 0, bus_clock_ms(), 1,
				       timeout_ms, err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(p, timeout_ms, err);
	if (rc == BUS_OK && offset)
		*offset = bus_producer_offset(p);
	bus_producer_close(&p);
	return rc;
}
