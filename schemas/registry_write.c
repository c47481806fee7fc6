#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/producer.h"
#include "schemas/registry.h"

#define QUEUE_MAX 1024
#define BATCH_MAX 500 /* changes of one transaction */
#define BATCH_BYTES ((size_t)4 * 1024 * 1024)
#define LINGER_US 1000 /* how long a batch smaller than the one before waits for more */
#define COMMIT_MS 15000
#define READ_BACK_MS 15000
#define ROLE_US 300000 /* between two looks at the role, and tries to open the producer */
#define ROLE_MS 2000

struct job {
	struct job *next;
	struct schema_errand change;
	struct bus_buf answer;
	size_t first, n;  /* its records */
	uint64_t blocker; /* the claim it met in a batch before; 0: none */
};

struct jobs {
	struct job *first, **last;
	size_t n;
};

struct record {
	struct bus_buf key, value;
	bool tombstone;
};

struct claim {
	uint64_t what;
	const struct job *by;
};

struct schema_writer {
	struct bus_producer_conf conf;
	char *id, *topic;
	struct schema_registry *registry;
	struct bus_metric *committed, *failures, *commits, *changes, *waiting;

	/* the writer's thread */
	struct bus_producer *producer; /* NULL: to be opened anew */
	int64_t term;		       /* this node may write in; 0: none */
	int64_t told;		       /* the term the other nodes think it writes in */
	uint64_t token;
	struct job *current;
	struct jobs open;  /* the batch: changes made, not committed */
	size_t last_n;	   /* of the batch before */
	struct jobs later; /* met a claim of the batch: for the next one, and run from their start */
	bool closed;	   /* no other change may join it */
	struct record *record;
	size_t n_records, cap_records, bytes;
	struct claim *claim;
	size_t n_claims, cap_claims;
	struct given {
		char *context;
		int32_t id;
	} * given; /* ids given in the batch */
	size_t n_given;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* the queue and the flags */
	pthread_cond_t more;
	struct jobs queue;
	bool stop;
	bool stirred; /* the nodes have changed */
};

static void jobs_add(struct jobs *l, struct job *job)
{
	job->next = NULL;
	*l->last = job;
	l->last = &job->next;
	l->n++;
}

static struct job *jobs_take(struct jobs *l)
{
	struct job *job = l->first;

	if (!job)
		return NULL;
	l->first = job->next;
	if (!l->first)
		l->last = &l->first;
	l->n--;
	return job;
}

struct schema_writer *schema_writer_new(const struct bus_kafka_conf *kafka, const char *topic)
{
	struct schema_writer *w = bus_xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;

	w->id = bus_xasprintf("titian-registry-%s", topic);
	w->topic = bus_xstrdup(topic);
	w->conf = (struct bus_producer_conf){ .kafka = *kafka, .transactional_id = w->id };
	w->open.last = &w->open.first;
	w->queue.last = &w->queue.first;
	w->later.last = &w->later.first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &attr);
	pthread_condattr_destroy(&attr);
	w->commits = bus_metric("titian_registry_commits_total", "counter",
				"Transactions; changes divided by them is the size of a batch.", "");
	w->committed = bus_metric("titian_registry_changes_total", "counter", "Changes written to the topic.",
				  "result=\"committed\"");
	w->failures = bus_metric("titian_registry_changes_total", "counter", "Changes written to the topic.",
				 "result=\"failed\"");
	w->waiting = bus_metric("titian_registry_queue", "gauge", "Changes that wait for the writer.", "");
	w->changes = bus_metric("titian_registry_writer_changes_total", "counter",
				"How often this node became the writer.", "");
	return w;
}

/* --- the batch in hand ------------------------------------------------------------------------------ */

static void forget_batch(struct schema_writer *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_records; i++) {
		bus_buf_release(&w->record[i].key);
		bus_buf_release(&w->record[i].value);
	}
	for (size_t i = 0; i < w->n_given; i++)
		free(w->given[i].context);
	w->n_records = w->bytes = w->n_given = 0;
	w->closed = false;
	/* The change in hand goes into the next batch, with what it has claimed. */
	for (size_t i = 0; i < w->n_claims; i++)
		if (w->current && w->claim[i].by == w->current)
			w->claim[kept++] = w->claim[i];
	w->n_claims = kept;
}

void schema_writer_put(struct schema_writer *w, const struct bus_buf *key, const struct bus_buf *value)
{
	struct record *r;

	if (w->n_records == w->cap_records) {
		w->cap_records = w->cap_records ? 2 * w->cap_records : 64;
		w->record = bus_xrealloc(w->record, w->cap_records * sizeof(*w->record));
	}
	r = &w->record[w->n_records++];
	*r = (struct record){ .tombstone = value == NULL };
	bus_buf_put(&r->key, key->p, key->n);
	if (value)
		bus_buf_put(&r->value, value->p, value->n);
	w->bytes += r->key.n + r->value.n;
}

static enum bus_err send(struct schema_writer *w, size_t first, size_t n, struct bus_error *err)
{
	for (size_t i = first; i < first + n; i++) {
		struct bus_str key = bus_buf_str(&w->record[i].key), value = bus_buf_str(&w->record[i].value);
		struct bus_str none = { NULL, 0 };
		enum bus_err rc;

		rc = bus_producer_send(w->producer, w->topic, 0, key, w->record[i].tombstone ? &none : &value,
				       NULL, 0, bus_clock_ms(), ++w->token, COMMIT_MS, err);
		if (rc != BUS_OK)
			return rc;
	}
	return bus_producer_flush(w->producer, COMMIT_MS, err);
}

static enum bus_err commit(struct schema_writer *w, size_t first, size_t n, struct bus_error *err)
{
	enum bus_err rc = send(w, first, n, err);

	if (rc == BUS_EKAFKA) /* aborted: nothing of it is there */
		rc = send(w, first, n, err);
	if (rc == BUS_OK)
		bus_metric_add(w->commits, 1);
	return rc;
}

/* librdkafka's own words for a producer whose transactional id somebody took over. */
static bool says_fenced(const struct bus_error *err)
{
	return strcasestr(err->text, "fenced") || strcasestr(err->text, "newer instance") ||
	       strcasestr(err->text, "newer producer");
}

static void tell(struct schema_writer *w, int64_t term)
{
	if (w->registry->nodes && w->told != term)
		schema_nodes_set_active(w->registry->nodes, w->term, term != 0);
	w->told = term;
}

/* The producer is open, and the store has all that was written before: by another node, or by this one with
 * an outcome that was not known, which opening anew settles. */
static bool may_write(struct schema_writer *w, struct bus_error *err)
{
	if (w->producer)
		return true;
	if (w->term == 0) {
		(void)bus_fail(err, BUS_ECONFLICT, "another node writes");
		return false;
	}
	if (bus_producer_open(&w->conf, &w->producer, err) == BUS_OK &&
	    schema_store_catch_up(w->registry->store, READ_BACK_MS, err) == BUS_OK)
		return true;
	bus_producer_close(&w->producer);
	return false;
}

/* Becomes what the nodes have chosen. A fenced writer is told by the beats whether it was chosen off, or a
 * node chosen off before it came late. */
static void take_role(struct schema_writer *w)
{
	struct schema_nodes_view v = { .role = SCHEMA_NODE_WRITER, .term = 1 };
	struct bus_error err;

	if (w->registry->nodes && w->term != 0 && !w->producer &&
	    schema_nodes_catch_up(w->registry->nodes, ROLE_MS, &err) != BUS_OK)
		return;
	if (w->registry->nodes)
		schema_nodes_view(w->registry->nodes, &v);
	if (v.role == SCHEMA_NODE_ALONE) /* nothing can be written; to be seen when Kafka answers */
		return;
	if (w->term != 0 && (v.role != SCHEMA_NODE_WRITER || v.term != w->term)) {
		bus_producer_close(&w->producer);
		w->term = w->told = 0;
	}
	if (v.role != SCHEMA_NODE_WRITER)
		return;
	if (w->term == 0) {
		w->term = v.term;
		bus_metric_add(w->changes, 1);
	}
	if (may_write(w, &err))
		tell(w, w->term);
	else
		bus_log(BUS_LOG_WARN, "registry.cannot_write", LOG_STR("topic", w->topic), LOG_ERR(&err));
}

/* For the node that has forwarded the request: it answers when it has read as far. */
static void tell_offset(struct schema_writer *w, struct job *job, int64_t offset)
{
	char text[24];

	if (!w->registry->nodes || !job->change.forwarded)
		return;
	snprintf(text, sizeof(text), "%lld", (long long)offset);
	bus_http_set(bus_http_ticket_request(job->change.ticket), SCHEMA_OFFSET_HEADER, text);
}

static void done(struct job *job)
{
	bus_http_ticket_done(job->change.ticket);
	bus_buf_release(&job->answer);
	free(job);
}

static void answer_failed(struct bus_http_request *req, enum bus_err rc, bool fenced,
			  const struct bus_error *err)
{
	if (fenced)
		schema_reply_error(req, 50003, "Another node has taken over the writing; ask again");
	else if (rc == BUS_ETOOBIG)
		schema_reply_error(req, 42209, "Schema too large: %s", err->text);
	else if (rc == BUS_EKAFKA)
		schema_reply_error(req, 50001, "Error in the backend data store: %s", err->text);
	else
		schema_reply_error(req, 50002, "The outcome of the write is not known; ask again: %s",
				   err->text);
}

/* What a failed commit means for the writer. True: another has fenced it. */
static bool take_failure(struct schema_writer *w, enum bus_err rc, const struct bus_error *err)
{
	bool fenced = rc == BUS_EFATAL && says_fenced(err);

	bus_log(BUS_LOG_ERROR, fenced ? "registry.fenced" : "registry.write_failed",
		LOG_STR("topic", w->topic), LOG_ERR(err));
	if (rc != BUS_EKAFKA)
		bus_producer_close(&w->producer);
	return fenced;
}

/* Commits a run of the batch's changes together and answers them. */
static enum bus_err settle(struct schema_writer *w, struct jobs *jobs, size_t first, size_t n)
{
	struct bus_error err;
	enum bus_err rc = commit(w, first, n, &err);
	bool written = rc == BUS_OK, fenced = false;
	int64_t offset = -1;
	struct job *job;

	if (rc == BUS_ETOOBIG && jobs->n > 1) {
		bus_producer_close(
		    &w->producer); /* aborts what was sent before the record that is too large */
		return rc;
	}
	if (written) {
		offset = bus_producer_offset(w->producer);
		rc = schema_store_wait(w->registry->store, offset, READ_BACK_MS, &err);
	} else {
		fenced = take_failure(w, rc, &err);
	}
	while ((job = jobs_take(jobs))) {
		struct bus_http_request *req = bus_http_ticket_request(job->change.ticket);

		bus_metric_add(rc == BUS_OK ? w->committed : w->failures, 1);
		if (written)
			tell_offset(w, job, offset);
		if (rc == BUS_OK)
			schema_reply(req, &job->answer);
		else if (written)
			schema_reply_error(req, 50002, "Written, but not yet read back; ask again: %s",
					   err.text);
		else
			answer_failed(req, rc, fenced, &err);
		done(job);
	}
	return rc;
}

/* One by one, when one of them cannot be written: the others do not build on it. */
static void settle_each(struct schema_writer *w)
{
	struct job *job;

	while ((job = jobs_take(&w->open))) {
		struct jobs one = { .last = &one.first };
		struct bus_error err;

		if (!may_write(w, &err)) {
			schema_reply_error(bus_http_ticket_request(job->change.ticket), 50001,
					   "Error in the backend data store: %s", err.text);
			done(job);
			continue;
		}
		jobs_add(&one, job);
		(void)settle(w, &one, job->first, job->n);
	}
}

/* Those that waited for this batch come first in the next one. */
static void requeue_later(struct schema_writer *w)
{
	struct job *job;

	if (w->later.n == 0)
		return;
	pthread_mutex_lock(&w->lock);
	while ((job = jobs_take(&w->queue)))
		jobs_add(&w->later, job);
	w->queue = w->later;
	pthread_mutex_unlock(&w->lock);
	w->later = (struct jobs){ .last = &w->later.first };
}

static void close_batch(struct schema_writer *w)
{
	if (w->open.n > 0) {
		w->last_n = w->open.n;
		if (settle(w, &w->open, 0, w->n_records) == BUS_ETOOBIG)
			settle_each(w);
	}
	forget_batch(w);
	requeue_later(w);
}

void schema_writer_commit(struct schema_writer *w, struct bus_http_request *req, struct bus_buf *answer)
{
	struct job *job = w->current;

	assert(job && req == bus_http_ticket_request(job->change.ticket));
	job->answer = *answer;
	*answer = (struct bus_buf){ 0 };
	job->n = w->n_records - job->first;
	jobs_add(&w->open, job);
	w->current = NULL;
}

/* --- what changes of one batch must not share ------------------------------------------------------- */

static bool writable(struct schema_writer *w, struct bus_http_request *req)
{
	struct bus_error err;

	if (may_write(w, &err))
		return true;
	schema_reply_error(req, 50001, "Error in the backend data store: %s", err.text);
	return false;
}

/* FNV-1a. Two names that share it cost a commit, nothing else. */
static uint64_t hash(enum schema_claim kind, const void *name, size_t n)
{
	const unsigned char *p = name;
	uint64_t h = 0xcbf29ce484222325 ^ kind;

	while (n-- > 0)
		h = (h ^ *p++) * 0x100000001b3;
	return h;
}

/* The store then has all that was changed before. */
static bool see_all(struct schema_writer *w, struct bus_http_request *req)
{
	assert(w->current->first == w->n_records);
	close_batch(w);
	w->current->first = 0;
	return writable(w, req);
}

bool schema_writer_alone(struct schema_writer *w, struct bus_http_request *req)
{
	if (w->open.n > 0 && !see_all(w, req))
		return false;
	w->closed = true; /* it may bring an id of its own: nothing joins it */
	return true;
}

/* By another change of the open batch. */
static bool is_claimed(const struct schema_writer *w, uint64_t what)
{
	for (size_t i = 0; i < w->n_claims; i++)
		if (w->claim[i].what == what && w->claim[i].by != w->current)
			return true;
	return false;
}

static void drop_claims(struct schema_writer *w, const struct job *job)
{
	while (w->n_claims > 0 && w->claim[w->n_claims - 1].by == job)
		w->n_claims--;
}

bool schema_writer_claim(struct schema_writer *w, enum schema_claim kind, const void *name, size_t n)
{
	uint64_t what = hash(kind, name, n);

	if (is_claimed(w, what)) {
		assert(w->current->first == w->n_records);
		w->current->blocker = what;
		jobs_add(&w->later,
			 w->current); /* what it has claimed stays: those behind it come behind it */
		w->current = NULL;
		return false;
	}
	if (w->n_claims == w->cap_claims) {
		w->cap_claims = w->cap_claims ? 2 * w->cap_claims : 64;
		w->claim = bus_xrealloc(w->claim, w->cap_claims * sizeof(*w->claim));
	}
	w->claim[w->n_claims++] = (struct claim){ what, w->current };
	return true;
}

int32_t schema_writer_next_id(struct schema_writer *w, const char *context, int32_t highest)
{
	struct given *g = w->given;

	while (g < w->given + w->n_given && strcmp(g->context, context) != 0)
		g++;
	if (g == w->given + w->n_given) {
		w->given = bus_xrealloc(w->given, (w->n_given + 1) * sizeof(*w->given));
		g = &w->given[w->n_given++];
		*g = (struct given){ .context = bus_xstrdup(context) };
	}
	if (g->id < highest)
		g->id = highest;
	return g->id == INT32_MAX ? 0 : ++g->id;
}

/* --- the thread and its queue ----------------------------------------------------------------------- */

bool schema_writer_take(struct schema_writer *w, const struct schema_errand *change)
{
	struct job *job;
	bool room;

	pthread_mutex_lock(&w->lock);
	room = w->queue.n < QUEUE_MAX && !w->stop;
	if (room) {
		job = bus_xcalloc(1, sizeof(*job));
		job->change = *change;
		jobs_add(&w->queue, job);
		bus_metric_set(w->waiting, (double)w->queue.n);
		pthread_cond_signal(&w->more);
	}
	pthread_mutex_unlock(&w->lock);
	return room;
}

void schema_writer_stir(struct schema_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->stirred = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

static void wait_us(struct schema_writer *w, long us)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += us * 1000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while ((!w->queue.first || !w->producer) && !w->stop && !w->stirred &&
	       pthread_cond_timedwait(&w->more, &w->lock, &until) != ETIMEDOUT)
		;
}

/* The next change. NULL: none is waiting, commit what is open; or, with nothing open, stop, or look at the
 * role. Who was answered together asks again together: a batch waits a moment for those who made up the one
 * before. */
static struct job *next_job(struct schema_writer *w)
{
	struct job *job;

	pthread_mutex_lock(&w->lock);
	if (w->open.n == 0)
		wait_us(w, ROLE_US);
	else if (w->open.n < w->last_n && !w->closed)
		wait_us(w, LINGER_US);
	w->stirred = false;
	job = w->producer || w->stop ? jobs_take(&w->queue) : NULL;
	bus_metric_set(w->waiting, (double)w->queue.n);
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void run(struct schema_writer *w, struct job *job)
{
	struct bus_http_request *req = bus_http_ticket_request(job->change.ticket);

	if (job->change.alone || w->closed || w->open.n >= BATCH_MAX || w->bytes >= BATCH_BYTES)
		close_batch(w);
	if (job->blocker && is_claimed(w, job->blocker)) {
		jobs_add(&w->later, job);
		return;
	}
	job->first = w->n_records;
	w->current = job;
	w->closed = job->change.alone;
	if (writable(w, req)) {
		tell_offset(w, job, schema_store_next_offset(w->registry->store) - 1);
		job->change.fn(w->registry, req);
	}
	if (w->current) { /* answered already, and nothing changed */
		assert(w->n_records == job->first);
		drop_claims(w, job);
		w->current = NULL;
		done(job);
	}
}

/* What waits goes to where it can be done: to the writer, when that is another; or, when this one is it and
 * cannot write, is told so in the end. */
static void hand_back(struct schema_writer *w, bool leading)
{
	struct jobs all = { .last = &all.first }, later = { .last = &later.first };
	int64_t now = bus_clock_mono_ms();
	struct job *job;

	pthread_mutex_lock(&w->lock);
	while ((job = jobs_take(&w->queue)))
		jobs_add(&all, job);
	pthread_mutex_unlock(&w->lock);
	while ((job = jobs_take(&all))) {
		if (!leading) {
			schema_forward_take(w->registry->forward, &job->change);
			free(job);
		} else if (now < job->change.until_ms) {
			jobs_add(&later, job);
		} else {
			schema_reply_error(bus_http_ticket_request(job->change.ticket), 50001,
					   "Error in the backend data store: it does not take changes now");
			done(job);
		}
	}
	pthread_mutex_lock(&w->lock);
	while ((job = jobs_take(&later)))
		jobs_add(&w->queue, job);
	pthread_mutex_unlock(&w->lock);
}

static bool stopping(struct schema_writer *w)
{
	bool stop;

	pthread_mutex_lock(&w->lock);
	stop = w->stop && w->queue.n == 0;
	pthread_mutex_unlock(&w->lock);
	return stop;
}

/* True: this node is the writer, and sure of it. */
static bool leads(struct schema_writer *w)
{
	struct schema_nodes_view v;

	if (!w->registry->nodes)
		return true;
	schema_nodes_view(w->registry->nodes, &v);
	return v.role == SCHEMA_NODE_WRITER && v.term == w->term;
}

static void *write_changes(void *ctx)
{
	struct schema_writer *w = ctx;
	struct job *job;

	do {
		if (w->open.n == 0 && (!w->producer || !leads(w))) {
			take_role(w);
			if (!w->producer || !leads(w))
				hand_back(w, leads(w));
		}
		job = next_job(w);
		if (job)
			run(w, job);
		else
			close_batch(w);
	} while (job || w->open.n > 0 || !stopping(w));
	return NULL;
}

enum bus_err schema_writer_start(struct schema_writer *w, struct schema_registry *r, struct bus_error *err)
{
	w->registry = r;
	errno = pthread_create(&w->thread, NULL, write_changes, w);
	if (errno != 0)
		return bus_fail(err, BUS_EIO, "cannot start the writer's thread: %m");
	w->started = true;
	return BUS_OK;
}

void schema_writer_stop(struct schema_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	if (w->started)
		pthread_join(w->thread, NULL);
	w->started = false;
	if (w->producer)
		schema_writer_leave(&w->conf.kafka, w->topic);
	bus_producer_close(&w->producer);
}

void schema_writer_free(struct schema_writer **wp)
{
	struct schema_writer *w = *wp;

	if (!w)
		return;
	*wp = NULL;
	schema_writer_stop(w);
	forget_batch(w);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w->record);
	free(w->claim);
	free(w->given);
	free(w->id);
	free(w->topic);
	free(w);
}
