#include <errno.h>
#include <pthread.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/proc.h"
#include "bus/producer.h"
#include "schemas/registry.h"

#define QUEUE_MAX 1024
#define COMMIT_MS 15000
#define READ_BACK_MS 15000

struct job {
	struct job *next;
	struct bus_http_ticket *ticket;
	schema_edit_fn fn;
};

struct schema_writer {
	struct bus_producer_conf conf;
	char *id, *topic;
	struct schema_registry *registry;
	struct bus_metric *commits, *failures;

	/* the writer's thread */
	struct bus_producer *producer; /* NULL: to be opened anew */
	struct bus_buf *record;	       /* key, value pairs of the change in hand */
	size_t n_records;
	bool *tombstone;
	uint64_t token;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* the queue and the two flags */
	pthread_cond_t more;
	struct job *first, **last;
	size_t n;
	bool stop;
	bool fenced;
};

enum bus_err schema_writer_open(const struct bus_kafka_conf *kafka, const char *topic,
				struct schema_writer **out, struct bus_error *err)
{
	struct schema_writer *w = bus_xcalloc(1, sizeof(*w));
	enum bus_err rc;

	*out = NULL;
	w->id = bus_xasprintf("titian-registry-%s", topic);
	w->topic = bus_xstrdup(topic);
	w->conf = (struct bus_producer_conf){ .kafka = *kafka, .transactional_id = w->id };
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	w->commits = bus_metric("titian_registry_changes_total", "counter", "Changes written to the topic.",
				"result=\"committed\"");
	w->failures = bus_metric("titian_registry_changes_total", "counter", "Changes written to the topic.",
				 "result=\"failed\"");
	rc = bus_producer_open(&w->conf, &w->producer, err);
	if (rc != BUS_OK) {
		schema_writer_close(&w);
		return rc;
	}
	*out = w;
	return BUS_OK;
}

/* --- the change in hand ----------------------------------------------------------------------------- */

static void forget_records(struct schema_writer *w)
{
	for (size_t i = 0; i < 2 * w->n_records; i++)
		bus_buf_release(&w->record[i]);
	w->n_records = 0;
}

void schema_writer_put(struct schema_writer *w, const struct bus_buf *key, const struct bus_buf *value)
{
	size_t i = w->n_records++;

	w->record = bus_xrealloc(w->record, 2 * w->n_records * sizeof(*w->record));
	w->tombstone = bus_xrealloc(w->tombstone, w->n_records * sizeof(*w->tombstone));
	w->tombstone[i] = value == NULL;
	memset(&w->record[2 * i], 0, 2 * sizeof(*w->record));
	bus_buf_put(&w->record[2 * i], key->p, key->n);
	if (value)
		bus_buf_put(&w->record[2 * i + 1], value->p, value->n);
}

static enum bus_err send_all(struct schema_writer *w, struct bus_error *err)
{
	for (size_t i = 0; i < w->n_records; i++) {
		struct bus_str key = bus_buf_str(&w->record[2 * i]),
			       value = bus_buf_str(&w->record[2 * i + 1]);
		struct bus_str none = { NULL, 0 };
		enum bus_err rc;

		rc = bus_producer_send(w->producer, w->topic, 0, key, w->tombstone[i] ? &none : &value, NULL,
				       0, bus_clock_ms(), ++w->token, COMMIT_MS, err);
		if (rc != BUS_OK)
			return rc;
	}
	return bus_producer_flush(w->producer, COMMIT_MS, err);
}

/* librdkafka's own words for a producer whose transactional id somebody took over. */
static bool says_fenced(const struct bus_error *err)
{
	return strcasestr(err->text, "fenced") || strcasestr(err->text, "newer instance") ||
	       strcasestr(err->text, "newer producer");
}

static void set_fenced(struct schema_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->fenced = true;
	pthread_mutex_unlock(&w->lock);
}

/* After an outcome that is not known: opening anew settles it, and the store then reads what came of it. */
static enum bus_err reopen(struct schema_writer *w, struct bus_error *err)
{
	enum bus_err rc;

	bus_producer_close(&w->producer);
	rc = bus_producer_open(&w->conf, &w->producer, err);
	if (rc == BUS_OK)
		rc = schema_store_catch_up(w->registry->store, READ_BACK_MS, err);
	return rc;
}

static bool failed(struct schema_writer *w, struct bus_http_request *req, enum bus_err rc,
		   const struct bus_error *err)
{
	bus_metric_add(w->failures, 1);
	if (rc == BUS_EFATAL && says_fenced(err)) {
		bus_log(BUS_LOG_ERROR, "registry.fenced", LOG_STR("topic", w->topic), LOG_ERR(err));
		set_fenced(w);
		bus_proc_stop();
		schema_reply_error(req, 50003, "Another registry has taken over the topic; this one ends");
		return false;
	}
	bus_log(BUS_LOG_ERROR, "registry.write_failed", LOG_STR("topic", w->topic), LOG_ERR(err));
	if (rc == BUS_ETOOBIG)
		schema_reply_error(req, 42209, "Schema too large: %s", err->text);
	else if (rc == BUS_EKAFKA)
		schema_reply_error(req, 50001, "Error in the backend data store: %s", err->text);
	else
		schema_reply_error(req, 50002, "The outcome of the write is not known; ask again: %s",
				   err->text);
	if (rc != BUS_EKAFKA)
		bus_producer_close(&w->producer);
	return false;
}

bool schema_writer_commit(struct schema_writer *w, struct bus_http_request *req)
{
	struct bus_error err;
	enum bus_err rc = send_all(w, &err);

	if (rc == BUS_EKAFKA) /* aborted: nothing of it is there */
		rc = send_all(w, &err);
	forget_records(w);
	if (rc != BUS_OK)
		return failed(w, req, rc, &err);
	rc = schema_store_wait(w->registry->store, bus_producer_offset(w->producer), READ_BACK_MS, &err);
	if (rc != BUS_OK) {
		schema_reply_error(req, 50002, "Written, but not yet read back; ask again: %s", err.text);
		return false;
	}
	bus_metric_add(w->commits, 1);
	return true;
}

/* --- the thread and its queue ----------------------------------------------------------------------- */

void schema_writer_queue(struct schema_registry *r, struct bus_http_request *req, schema_edit_fn fn)
{
	struct schema_writer *w = r->writer;
	struct job *job;

	pthread_mutex_lock(&w->lock);
	if (w->n >= QUEUE_MAX || w->stop || w->fenced) {
		bool fenced = w->fenced || w->stop;

		pthread_mutex_unlock(&w->lock);
		if (fenced)
			schema_reply_error(req, 50003, "This registry ends");
		else
			schema_reply_error(req, 50001,
					   "Error in the backend data store: too many changes wait");
		return;
	}
	job = bus_xcalloc(1, sizeof(*job));
	job->ticket = bus_http_defer(req);
	job->fn = fn;
	*w->last = job;
	w->last = &job->next;
	w->n++;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

/* NULL: stop. */
static struct job *next_job(struct schema_writer *w)
{
	struct job *job;

	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->stop)
		pthread_cond_wait(&w->more, &w->lock);
	job = w->first;
	if (job) {
		w->first = job->next;
		if (!w->first)
			w->last = &w->first;
		w->n--;
	}
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void run(struct schema_writer *w, struct job *job)
{
	struct bus_http_request *req = bus_http_ticket_request(job->ticket);
	struct bus_error err;

	if (schema_writer_fenced(w))
		schema_reply_error(req, 50003, "Another registry has taken over the topic; this one ends");
	else if (!w->producer && reopen(w, &err) != BUS_OK)
		schema_reply_error(req, 50001, "Error in the backend data store: %s", err.text);
	else
		job->fn(w->registry, req);
	bus_http_ticket_done(job->ticket);
	free(job);
}

static void *write_changes(void *ctx)
{
	struct schema_writer *w = ctx;
	struct job *job;

	while ((job = next_job(w)))
		run(w, job);
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

void schema_writer_close(struct schema_writer **wp)
{
	struct schema_writer *w = *wp;

	if (!w)
		return;
	*wp = NULL;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	if (w->started)
		pthread_join(w->thread, NULL);
	forget_records(w);
	bus_producer_close(&w->producer);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w->record);
	free(w->tombstone);
	free(w->id);
	free(w->topic);
	free(w);
}

bool schema_writer_fenced(struct schema_writer *w)
{
	bool fenced;

	pthread_mutex_lock(&w->lock);
	fenced = w->fenced;
	pthread_mutex_unlock(&w->lock);
	return fenced;
}
