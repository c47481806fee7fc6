#include "schemas/registry/nodes.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/follow.h"
#include "bus/log.h"
#include "bus/mem.h"
#include "bus/metrics.h"
#include "bus/producer.h"
#include "bus/wait.h"
#include "schemas/registry/beat.h"

#define BEAT_MS 400
#define NODES_SILENCE 5	 /* own beats without one of the writer: it is gone */
#define NODES_OPENING 20 /* own beats a writer may take to become ready, when others could */
#define NODES_TURN 2	 /* own beats between two nodes' claims */
#define UNSURE_MS 2000	 /* without an own beat: others may have chosen another writer */
#define NODES_MAX 64
#define SEND_MS 1000
#define STUCK_MS 30000 /* a beat not acknowledged for so long: another connection */
#define LOOK_MS 10
#define LEAVE_MS 2000

struct node {
	char *id; /* name and run: a node that was started anew is another */
	char *url;
	uint64_t seen; /* own beats read when its last one was */
	bool writes;   /* its last beat's state */
};

struct schema_nodes {
	struct schema_nodes_conf conf;
	char *topic, *url, *id;
	uint8_t key_bytes[BUS_KEY_LEN];
	const uint8_t *key; /* NULL: none */
	struct bus_metric *malformed, *unsealed;
	bool told; /* of a beat that was not taken; the reading thread's */
	struct bus_follow *follow;
	struct bus_producer *producer; /* the beating thread's */
	uint64_t sent;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t stir;
	struct node node[NODES_MAX];
	size_t n_nodes;
	bool reading;	/* what is read now was written now */
	uint64_t own;	/* own beats read */
	int64_t own_ms; /* when the last was */
	int64_t term;	/* the highest claimed */
	char *writer;	/* its node's id */
	char *writer_url;
	bool gone, active; /* the writer's */
	uint64_t heard;	   /* own beats read when the writer's last was */
	uint64_t since;	   /* own beats read when it became the writer */
	bool starting;	   /* have claimed nothing yet */
	int64_t claimed;   /* the term claimed last */
	int64_t ready;	   /* the term that this node can write in; 0: none */
	bool hurry;	   /* a beat is due before its time */
	bool stop, changed;
};

/* --- reading beats ---------------------------------------------------------------------------------- */

static struct node *find_node(struct schema_nodes *n, const char *id, const char *url)
{
	struct node *oldest = NULL;

	for (size_t i = 0; i < n->n_nodes; i++) {
		if (strcmp(n->node[i].id, id) == 0)
			return &n->node[i];
		if (!oldest || n->node[i].seen < oldest->seen)
			oldest = &n->node[i];
	}
	if (n->n_nodes < NODES_MAX) {
		oldest = &n->node[n->n_nodes++];
	} else {
		free(oldest->id);
		free(oldest->url);
	}
	*oldest = (struct node){ .id = bus_xstrdup(id), .url = bus_xstrdup(url) };
	return oldest;
}

static void set_writer(struct schema_nodes *n, int64_t term, const char *id, const char *url)
{
	bool mine = strcmp(id, n->id) == 0;

	if (n->reading)
		bus_log(BUS_LOG_INFO, "registry.writer", LOG_INT("term", term), LOG_STR("url", url),
			LOG_STR("self", mine ? "yes" : "no"));
	free(n->writer);
	free(n->writer_url);
	n->writer = bus_xstrdup(id);
	n->writer_url = bus_xstrdup(url);
	n->term = term;
	n->gone = n->active = false;
	n->since = n->heard = n->own;
	n->changed = true;
}

static bool is_writer(const struct schema_nodes *n)
{
	return n->writer && !n->gone && strcmp(n->writer, n->id) == 0;
}

/* A writer of this name that is not this run of it. */
static bool is_my_past(const struct schema_nodes *n)
{
	size_t len = strlen(n->url);

	return n->writer && strncmp(n->writer, n->url, len) == 0 && n->writer[len] == ' ' && !is_writer(n);
}

static void apply(struct schema_nodes *n, const struct schema_beat *b)
{
	bool mine = strcmp(b->id, n->id) == 0;
	bool claims = b->state == SCHEMA_BEAT_CLAIMS || b->state == SCHEMA_BEAT_WRITES;
	bool writers;

	if (mine) {
		n->own++;
		n->own_ms = bus_clock_mono_ms();
	}
	/* Only the first to claim a term gets to write in it: where compaction has taken its claim, and left
	 * one that came too late, its later beats still tell. */
	if (claims && (b->term > n->term || (b->term == n->term && b->state == SCHEMA_BEAT_WRITES &&
					     n->writer && strcmp(b->id, n->writer) != 0)))
		set_writer(n, b->term, b->id, b->url);
	if (n->reading && !mine && b->state != SCHEMA_BEAT_LEAVES && strcmp(b->url, n->url) == 0)
		bus_log(BUS_LOG_ERROR, "registry.same_url", LOG_STR("url", n->url),
			LOG_STR("mend", "each node needs a registry.url of its own"));
	writers = n->writer && strcmp(b->id, n->writer) == 0;
	if (writers && claims && b->term == n->term) {
		n->heard = n->own;
		n->changed |= n->active != (b->state == SCHEMA_BEAT_WRITES);
		n->active = b->state == SCHEMA_BEAT_WRITES;
		n->starting &= !n->reading || mine || is_my_past(n);
	}
	if (writers && b->state == SCHEMA_BEAT_LEAVES && !n->gone) {
		n->gone = n->changed = true;
		n->heard = n->own;
	}
	if (n->reading) { /* what was written before this node came says nothing about who is there */
		struct node *node = find_node(n, b->id, b->url);

		node->seen = b->state == SCHEMA_BEAT_LEAVES ? 0 : n->own + NODES_SILENCE;
	}
}

static bool take(struct schema_nodes *n, const struct bus_record *record, struct bus_arena *arena,
		 struct schema_beat *b)
{
	enum schema_beat_verdict verdict = schema_beat_read(record, n->topic, n->key, arena, b);

	if (verdict == SCHEMA_BEAT_OURS)
		return true;
	bus_metric_add(verdict == SCHEMA_BEAT_UNSEALED ? n->unsealed : n->malformed, 1);
	if (!n->told)
		bus_log(BUS_LOG_WARN, "registry.strange_beat", LOG_STR("topic", n->topic),
			LOG_INT("offset", record->offset),
			LOG_STR("reason", verdict == SCHEMA_BEAT_UNSEALED ? "not sealed with our node key"
									  : "no node writes such"));
	n->told = true;
	return false;
}

static void on_beats(void *ctx, const struct bus_record *record, size_t count)
{
	struct schema_nodes *n = ctx;
	struct bus_arena *arena = bus_arena_new(64 * 1024);
	struct schema_beat b;
	bool changed;

	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < count; i++)
		if (!record[i].tombstone && take(n, &record[i], arena, &b))
			apply(n, &b);
	changed = n->changed && n->reading;
	n->changed = false;
	pthread_cond_signal(&n->stir);
	pthread_mutex_unlock(&n->lock);
	bus_arena_free(&arena);
	if (changed && n->conf.on_change)
		n->conf.on_change(n->conf.ctx);
}

/* --- beating ---------------------------------------------------------------------------------------- */

static bool fresh(const struct schema_nodes *n, const struct node *node)
{
	return node->seen > n->own;
}

/* How many own beats after the writer's end this node has to let others go first. */
static uint64_t turn(const struct schema_nodes *n)
{
	uint64_t before = 0;

	for (size_t i = 0; i < n->n_nodes; i++)
		before += fresh(n, &n->node[i]) && strcmp(n->node[i].id, n->id) < 0 &&
			  (!n->writer || strcmp(n->node[i].id, n->writer) != 0);
	return before * NODES_TURN;
}

static bool should_claim(const struct schema_nodes *n)
{
	uint64_t silent;

	if (n->own == 0 || is_writer(n) || n->claimed > n->term)
		return false;
	if (n->starting && (!n->writer || is_my_past(n)))
		return true;
	silent = n->own - n->heard;
	if (!n->writer || n->gone)
		return silent >= turn(n);
	if (!n->active && n->own - n->since >= NODES_OPENING + turn(n))
		return true;
	return silent >= NODES_SILENCE + turn(n);
}

/* The beat to send now. */
static struct bus_buf next_beat(struct schema_nodes *n)
{
	enum schema_beat_state state = SCHEMA_BEAT_FOLLOWS;
	int64_t term;

	pthread_mutex_lock(&n->lock);
	n->hurry = false;
	term = n->term;
	if (n->stop) {
		state = SCHEMA_BEAT_LEAVES;
	} else if (is_writer(n)) {
		state = n->ready == n->term ? SCHEMA_BEAT_WRITES : SCHEMA_BEAT_CLAIMS;
	} else if (should_claim(n)) {
		state = SCHEMA_BEAT_CLAIMS;
		term = n->claimed = n->term + 1;
		n->starting = false;
	}
	pthread_mutex_unlock(&n->lock);
	struct schema_beat b = { .term = term, .state = state };
	snprintf(b.id, sizeof(b.id), "%s", n->id);
	snprintf(b.url, sizeof(b.url), "%s", n->url);
	return schema_beat_write(&b, n->topic, n->key);
}

static void send(struct schema_nodes *n)
{
	struct bus_buf beat = next_beat(n);
	struct bus_str value = bus_buf_str(&beat);
	struct bus_error err;

	if (bus_producer_send(n->producer, n->topic, 0, bus_str(n->url), &value, NULL, 0, bus_clock_ms(),
			      ++n->sent, SEND_MS, &err) == BUS_OK)
		bus_producer_poll(n->producer, 0);
	else
		bus_log(BUS_LOG_WARN, "registry.beat_failed", LOG_ERR(&err));
	bus_buf_release(&beat);
}

/* A producer that was refused (the topic is gone, or not allowed) sends no more: another may. */
static void open_again(struct schema_nodes *n)
{
	const struct bus_producer_conf conf = { .kafka = n->conf.kafka };
	struct bus_producer *fresh_one;
	struct bus_error err;

	if (bus_producer_open(&conf, &fresh_one, &err) != BUS_OK) {
		bus_log(BUS_LOG_WARN, "registry.beat_failed", LOG_ERR(&err));
		return;
	}
	bus_producer_close(&n->producer);
	n->producer = fresh_one;
	n->sent = 0;
	pthread_mutex_lock(&n->lock);
	n->claimed = 0;
	pthread_mutex_unlock(&n->lock);
}

static void wait_ms(struct schema_nodes *n, int64_t ms)
{
	(void)bus_cond_wait(&n->stir, &n->lock, bus_clock_mono_ms() + ms);
}

static void *beat(void *ctx)
{
	struct schema_nodes *n = ctx;
	int64_t due = 0, sent_at = 0;
	struct bus_error err;
	bool stop = false;

	while (!stop) {
		/* One on its way at a time: after a partition no old beats come in a row. */
		int64_t now = bus_clock_mono_ms();
		bool on_way, go;

		bus_producer_poll(n->producer, 0);
		on_way = bus_producer_acked(n->producer) != n->sent;
		if (on_way && now - sent_at > STUCK_MS) {
			open_again(n);
			on_way = false;
		}
		pthread_mutex_lock(&n->lock);
		go = !on_way && (now >= due || n->hurry || should_claim(n));
		if (!go && !n->stop)
			wait_ms(n, on_way ? LOOK_MS : due - now);
		stop = n->stop;
		pthread_mutex_unlock(&n->lock);
		if (go) {
			send(n);
			sent_at = now;
			due = now + BEAT_MS;
		}
	}
	send(n);
	if (bus_producer_flush(n->producer, LEAVE_MS, &err) != BUS_OK)
		bus_log(BUS_LOG_WARN, "registry.beat_failed", LOG_ERR(&err));
	return NULL;
}

/* --- opening, closing, asking ----------------------------------------------------------------------- */

enum bus_err schema_nodes_open(const struct schema_nodes_conf *conf, int timeout_ms,
			       struct schema_nodes **out, struct bus_error *err)
{
	const struct bus_producer_conf producer = { .kafka = conf->kafka };
	struct bus_follow_conf follow = { .kafka = conf->kafka, .topic = conf->topic, .records = on_beats };
	struct schema_nodes *n;
	unsigned char run[6];
	enum bus_err rc;

	*out = NULL;
	if (!schema_node_url_ok(conf->url))
		return bus_fail(err, BUS_EINVAL, "option 'registry.url': '%s' is not http(s)://host:port",
				conf->url);
	n = bus_xcalloc(1, sizeof(*n));
	follow.ctx = n;
	n->conf = *conf;
	n->conf.topic = n->conf.url = NULL;
	n->conf.key = NULL;
	if (conf->key)
		n->key = memcpy(n->key_bytes, conf->key, BUS_KEY_LEN);
	n->malformed = bus_metric("titian_registry_strange_beats_total", "counter",
				  "Heartbeats of nodes that were not believed.", "reason=\"malformed\"");
	n->unsealed = bus_metric("titian_registry_strange_beats_total", "counter",
				 "Heartbeats of nodes that were not believed.", "reason=\"unsealed\"");
	n->topic = bus_xstrdup(conf->topic);
	n->url = bus_xstrdup(conf->url);
	bus_random(run, sizeof(run));
	n->id = bus_xasprintf("%s %02x%02x%02x%02x%02x%02x", conf->url, run[0], run[1], run[2], run[3],
			      run[4], run[5]);
	n->starting = true;
	pthread_mutex_init(&n->lock, NULL);
	bus_cond_init(&n->stir);
	rc = bus_follow_open(&follow, timeout_ms, &n->follow, err);
	if (rc == BUS_OK)
		rc = bus_producer_open(&producer, &n->producer, err);
	pthread_mutex_lock(&n->lock);
	n->reading = true;
	pthread_mutex_unlock(&n->lock);
	if (rc == BUS_OK) {
		errno = pthread_create(&n->thread, NULL, beat, n);
		n->running = errno == 0;
		if (errno != 0)
			rc = bus_fail(err, BUS_EIO, "cannot start a thread: %m");
	}
	if (rc != BUS_OK) {
		schema_nodes_close(&n);
		return rc;
	}
	*out = n;
	return BUS_OK;
}

void schema_nodes_close(struct schema_nodes **nn)
{
	struct schema_nodes *n = *nn;

	if (!n)
		return;
	*nn = NULL;
	pthread_mutex_lock(&n->lock);
	n->stop = true;
	pthread_cond_signal(&n->stir);
	pthread_mutex_unlock(&n->lock);
	if (n->running)
		pthread_join(n->thread, NULL);
	bus_follow_close(&n->follow);
	bus_producer_close(&n->producer);
	for (size_t i = 0; i < n->n_nodes; i++) {
		free(n->node[i].id);
		free(n->node[i].url);
	}
	pthread_cond_destroy(&n->stir);
	pthread_mutex_destroy(&n->lock);
	explicit_bzero(n->key_bytes, sizeof(n->key_bytes));
	free(n->writer);
	free(n->writer_url);
	free(n->topic);
	free(n->url);
	free(n->id);
	free(n);
}

void schema_nodes_view(struct schema_nodes *n, struct schema_nodes_view *out)
{
	*out = (struct schema_nodes_view){ .role = SCHEMA_NODE_ALONE };
	pthread_mutex_lock(&n->lock);
	out->term = n->term;
	for (size_t i = 0; i < n->n_nodes; i++)
		out->live += fresh(n, &n->node[i]);
	if (n->writer && !n->gone && n->own > 0 && bus_clock_mono_ms() - n->own_ms < UNSURE_MS) {
		out->role = is_writer(n) ? SCHEMA_NODE_WRITER : SCHEMA_NODE_FOLLOWER;
		out->active = is_writer(n) ? n->ready == n->term : n->active;
		snprintf(out->url, sizeof(out->url), "%s", n->writer_url);
	}
	pthread_mutex_unlock(&n->lock);
}

void schema_nodes_set_active(struct schema_nodes *n, int64_t term, bool active)
{
	pthread_mutex_lock(&n->lock);
	n->ready = active ? term : 0;
	n->hurry = true;
	pthread_cond_signal(&n->stir);
	pthread_mutex_unlock(&n->lock);
}

enum bus_err schema_nodes_catch_up(struct schema_nodes *n, int timeout_ms, struct bus_error *err)
{
	return bus_follow_catch_up(n->follow, timeout_ms, err);
}
