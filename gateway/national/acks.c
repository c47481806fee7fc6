#include "gateway/national/acks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/follow.h"
#include "bus/json.h"
#include "bus/log.h"
#include "bus/producer.h"

#define WAIT_MS 10000
#define REPLICAS 3
#define ARENA_MAX ((size_t)256 * 1024)

struct gw_acks {
	struct gw_acks_conf conf;
	struct bus_producer *producer; /* the writer's */
	pthread_mutex_t lock;	       /* the rest */
	struct bus_follow *follow;
	struct gw_ack latest[GW_ACKS_PAIRS_MAX];
	size_t n_latest;
	struct gw_ack recent[GW_ACKS_RECENT]; /* a ring */
	size_t next, n_recent;
};

static void release(struct gw_ack *k)
{
	free(k->view);
	free(k->text);
	free(k->cursor);
	*k = (struct gw_ack){ 0 };
}

static struct gw_ack copy(const struct gw_ack *k)
{
	struct gw_ack out = *k;

	out.view = bus_xstrdup(k->view);
	out.text = bus_xstrdup(k->text);
	out.cursor = bus_xstrdup(k->cursor);
	return out;
}

static char *text_of(const struct bus_json *tree, const char *name)
{
	const struct bus_json *v = bus_json_get(tree, name);

	return v && v->type == BUS_JSON_STRING ? bus_xstrndup(v->text.p, v->text.n) : NULL;
}

static bool int_of(const struct bus_json *tree, const char *name, int64_t *out)
{
	const struct bus_json *v = bus_json_get(tree, name);

	return v && bus_json_int(v, out) == BUS_OK;
}

/* False: not one of ours. */
static bool read_ack(const struct bus_record *record, struct gw_ack *k)
{
	struct bus_arena *arena = bus_arena_new(ARENA_MAX);
	struct bus_json *tree = NULL;
	struct bus_error err;
	char *reader = NULL, *status = NULL, *compared = NULL, *store = NULL;
	bool good;

	good = !record->tombstone &&
	       bus_json_parse((struct bus_str){ (const char *)record->value.p, record->value.n }, NULL, arena,
			      &tree, &err) == BUS_OK;
	if (good) {
		reader = text_of(tree, "reader");
		status = text_of(tree, "status");
		compared = text_of(tree, "compared");
		store = text_of(tree, "store");
		k->view = text_of(tree, "view");
		k->cursor = text_of(tree, "cursor");
	}
	good = good && reader && status && compared && store && k->view && k->cursor &&
	       strlen(reader) < sizeof(k->reader) && int_of(tree, "seq", &k->seq) &&
	       int_of(tree, "ms", &k->ms);
	if (good) {
		memcpy(k->reader, reader, strlen(reader) + 1);
		k->accepted = strcmp(status, "accepted") == 0;
		k->different = strcmp(compared, "different") == 0;
		k->store = strtoull(store, NULL, 16);
		k->text = bus_xstrndup((const char *)record->value.p, record->value.n);
	} else {
		release(k);
	}
	free(reader);
	free(status);
	free(compared);
	free(store);
	bus_arena_free(&arena);
	return good;
}

static void keep(struct gw_acks *a, struct gw_ack *k)
{
	size_t i;

	for (i = 0; i < a->n_latest &&
		    (strcmp(a->latest[i].reader, k->reader) != 0 || strcmp(a->latest[i].view, k->view) != 0);
	     i++)
		;
	if (i < GW_ACKS_PAIRS_MAX) {
		release(&a->latest[i]);
		a->latest[i] = copy(k);
		a->n_latest += i == a->n_latest;
	}
	release(&a->recent[a->next]);
	a->recent[a->next] = *k;
	a->next = (a->next + 1) % GW_ACKS_RECENT;
	a->n_recent += a->n_recent < GW_ACKS_RECENT;
}

static void take(void *ctx, const struct bus_record *record, size_t n)
{
	struct gw_acks *a = ctx;

	for (size_t i = 0; i < n; i++) {
		struct gw_ack k = { 0 };

		if (!read_ack(&record[i], &k)) {
			bus_log(BUS_LOG_WARN, "national.acknowledgement_ignored",
				LOG_INT("offset", record[i].offset));
			continue;
		}
		pthread_mutex_lock(&a->lock);
		keep(a, &k);
		pthread_mutex_unlock(&a->lock);
	}
}

struct gw_acks *gw_acks_new(const struct gw_acks_conf *conf)
{
	struct gw_acks *a = bus_xcalloc(1, sizeof(*a));

	a->conf = *conf;
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void gw_acks_free(struct gw_acks **acks)
{
	struct gw_acks *a = *acks;

	*acks = NULL;
	if (!a)
		return;
	bus_producer_close(&a->producer);
	bus_follow_close(&a->follow);
	for (size_t i = 0; i < a->n_latest; i++)
		release(&a->latest[i]);
	for (size_t i = 0; i < GW_ACKS_RECENT; i++)
		release(&a->recent[i]);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static enum bus_err make_topic(struct gw_acks *a, struct bus_error *err)
{
	static const char *const config[] = { "cleanup.policy=delete", "retention.ms=-1",
					      "retention.bytes=-1", NULL };
	struct bus_topic_spec spec = { .name = a->conf.topic, .partitions = 1, .config = config };
	struct bus_topic_state state = { 0 };
	enum bus_err rc = bus_admin_topic(&a->conf.kafka, a->conf.topic, &state, WAIT_MS, err);
	size_t made;

	if (rc != BUS_ENOENT)
		return rc;
	spec.replication = state.brokers < REPLICAS ? state.brokers : REPLICAS;
	spec.replication = spec.replication > 0 ? spec.replication : 1;
	return bus_admin_create_topics(&a->conf.kafka, &spec, 1, &made, WAIT_MS, err);
}

static struct bus_follow *follow_of(struct gw_acks *a)
{
	struct bus_follow *f;

	pthread_mutex_lock(&a->lock);
	f = a->follow;
	pthread_mutex_unlock(&a->lock);
	return f;
}

enum bus_err gw_acks_open(struct gw_acks *a, struct bus_error *err)
{
	const struct bus_follow_conf conf = {
		.kafka = a->conf.kafka, .topic = a->conf.topic, .records = take, .ctx = a
	};
	struct bus_follow *f = NULL;
	enum bus_err rc;

	if (follow_of(a))
		return BUS_OK;
	rc = make_topic(a, err);
	if (rc == BUS_OK)
		rc = bus_follow_open(&conf, WAIT_MS, &f, err);
	if (rc != BUS_OK)
		return rc;
	pthread_mutex_lock(&a->lock);
	a->follow = f;
	pthread_mutex_unlock(&a->lock);
	return BUS_OK;
}

enum bus_err gw_acks_write(struct gw_acks *a, const char *reader, const char *view, struct bus_str text,
			   struct bus_error *err)
{
	const struct bus_producer_conf conf = { .kafka = a->conf.kafka };
	const struct bus_header head[] = { { BUS_STR("content-type"), BUS_STR("application/json") } };
	struct bus_buf key = { 0 };
	enum bus_err rc = gw_acks_open(a, err);

	if (rc == BUS_OK && !a->producer)
		rc = bus_producer_open(&conf, &a->producer, err);
	bus_buf_printf(&key, "%s|%s", reader, view);
	if (rc == BUS_OK)
		rc = bus_producer_send(a->producer, a->conf.topic, 0, bus_buf_str(&key), &text, head,
				       BUS_LEN(head), bus_clock_ms(), bus_producer_acked(a->producer) + 1,
				       WAIT_MS, err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(a->producer, WAIT_MS, err);
	if (rc == BUS_OK)
		rc = bus_follow_wait(follow_of(a), bus_producer_offset(a->producer), WAIT_MS, err);
	else
		bus_producer_close(&a->producer); /* what is under way may come; the next one begins anew */
	bus_buf_release(&key);
	return rc;
}

bool gw_acks_latest(struct gw_acks *a, const char *reader, const char *view, gw_ack_fn fn, void *ctx)
{
	bool read;

	pthread_mutex_lock(&a->lock);
	read = a->follow;
	for (size_t i = 0; i < a->n_latest; i++)
		if ((!reader || strcmp(a->latest[i].reader, reader) == 0) &&
		    (!view || strcmp(a->latest[i].view, view) == 0) && !fn(ctx, &a->latest[i]))
			break;
	pthread_mutex_unlock(&a->lock);
	return read;
}

bool gw_acks_recent(struct gw_acks *a, gw_ack_fn fn, void *ctx)
{
	bool read;

	pthread_mutex_lock(&a->lock);
	read = a->follow;
	for (size_t i = 1; i <= a->n_recent; i++)
		if (!fn(ctx, &a->recent[(a->next + GW_ACKS_RECENT - i) % GW_ACKS_RECENT]))
			break;
	pthread_mutex_unlock(&a->lock);
	return read;
}
