#include <assert.h>
#include <errno.h>
#include <time.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "schemas/registry/write_impl.h"

#define QUEUE_MAX 1024
#define LINGER_US 1000 /* how long a batch smaller than the one before waits for more */
#define ROLE_US 300000 /* between two looks at the role, and tries to open the producer */
#define ROLE_MS 2000

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

/* --- the role --------------------------------------------------------------------------------------- */

static void tell(struct schema_writer *w, int64_t term)
{
	if (w->registry->nodes && w->told != term)
		schema_nodes_set_active(w->registry->nodes, w->term, term != 0);
	w->told = term;
}

bool schema_writer_may_write(struct schema_writer *w, struct bus_error *err)
{
	if (w->producer)
		return true;
	if (w->term == 0) {
		(void)bus_fail(err, BUS_ECONFLICT, "another node writes");
		return false;
	}
	if (bus_producer_open(&w->conf, &w->producer, err) == BUS_OK &&
	    schema_store_catch_up(w->registry->store, SCHEMA_READ_BACK_MS, err) == BUS_OK &&
	    schema_keys_catch_up(w->registry->keys, SCHEMA_READ_BACK_MS, err) == BUS_OK)
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
	if (schema_writer_may_write(w, &err))
		tell(w, w->term);
	else
		bus_log(BUS_LOG_WARN, "registry.cannot_write", LOG_STR("topic", w->topic), LOG_ERR(&err));
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
		schema_jobs_add(&w->queue, job);
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
	job = w->producer || w->stop ? schema_jobs_take(&w->queue) : NULL;
	bus_metric_set(w->waiting, (double)w->queue.n);
	pthread_mutex_unlock(&w->lock);
	return job;
}

int64_t schema_writer_next_offset(struct schema_writer *w)
{
	return w->keys ? schema_keys_next_offset(w->registry->keys)
		       : schema_store_next_offset(w->registry->store);
}

static void run(struct schema_writer *w, struct job *job)
{
	struct bus_http_request *req = bus_http_ticket_request(job->change.ticket);

	if (job->change.alone || w->closed || job->change.keys != w->keys || w->open.n >= SCHEMA_BATCH_MAX ||
	    w->bytes >= SCHEMA_BATCH_BYTES)
		schema_writer_close_batch(w);
	if (job->blocker && schema_writer_is_claimed(w, job->blocker)) {
		schema_jobs_add(&w->later, job);
		return;
	}
	job->first = w->n_records;
	w->current = job;
	w->closed = job->change.alone;
	w->keys = job->change.keys;
	if (schema_writer_writable(w, req)) {
		schema_writer_tell_offset(w, job, schema_writer_next_offset(w) - 1);
		job->change.fn(w->registry, req);
	}
	if (w->current) { /* answered already, and nothing changed */
		assert(w->n_records == job->first);
		schema_writer_drop_claims(w, job);
		w->current = NULL;
		schema_writer_done(job);
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
	while ((job = schema_jobs_take(&w->queue)))
		schema_jobs_add(&all, job);
	pthread_mutex_unlock(&w->lock);
	while ((job = schema_jobs_take(&all))) {
		if (!leading) {
			schema_forward_take(w->registry->forward, &job->change);
			free(job);
		} else if (now < job->change.until_ms) {
			schema_jobs_add(&later, job);
		} else {
			schema_reply_error(bus_http_ticket_request(job->change.ticket), 50001,
					   "Error in the backend data store: it does not take changes now");
			schema_writer_done(job);
		}
	}
	pthread_mutex_lock(&w->lock);
	while ((job = schema_jobs_take(&later)))
		schema_jobs_add(&w->queue, job);
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
			schema_writer_close_batch(w);
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
	schema_writer_forget_batch(w);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w->record);
	free(w->claim);
	free(w->given);
	free(w->id);
	free(w->topic);
	free(w);
}
