/* The one thread that writes what the registry is told about uses and states: a request waits in its queue
 * until its record is in the log and has been read back. Every node writes for itself; nothing here needs the
 * fence. */
#include <errno.h>
#include <pthread.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/producer.h"
#include "schemas/registry/side.h"

#define QUEUE_MAX 256
#define WRITE_MS 15000

struct job {
	struct job *next;
	struct bus_http_ticket *ticket;
	struct bus_buf key, value, reply;
	bool tombstone;
};

struct schema_side_writer {
	struct bus_producer_conf conf;
	char *topic;
	struct schema_side *side;
	struct bus_producer *producer; /* the thread's; NULL: to be opened */
	uint64_t token;

	pthread_t thread;
	pthread_mutex_t lock; /* the queue and stop */
	pthread_cond_t more;
	struct job *first, **last;
	size_t n;
	bool stop;
};

static void job_free(struct job *job)
{
	bus_buf_release(&job->key);
	bus_buf_release(&job->value);
	bus_buf_release(&job->reply);
	free(job);
}

static enum bus_err write_one(struct schema_side_writer *w, const struct job *job, struct bus_error *err)
{
	static const struct bus_str none = { NULL, 0 };
	struct bus_str value = bus_buf_str(&job->value);
	enum bus_err rc = BUS_OK;

	if (!w->producer)
		rc = bus_producer_open(&w->conf, &w->producer, err);
	if (rc == BUS_OK)
		rc = bus_producer_send(w->producer, w->topic, 0, bus_buf_str(&job->key),
				       job->tombstone ? &none : &value, NULL, 0, bus_clock_ms(), ++w->token,
				       WRITE_MS, err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(w->producer, WRITE_MS, err);
	if (rc == BUS_OK)
		rc = schema_side_wait(w->side, bus_producer_offset(w->producer), WRITE_MS, err);
	if (rc != BUS_OK) /* what is queued in it must not come later, after another's */
		bus_producer_close(&w->producer);
	return rc;
}

static void run(struct schema_side_writer *w, struct job *job)
{
	struct bus_http_request *req = bus_http_ticket_request(job->ticket);
	struct bus_error err;

	if (write_one(w, job, &err) == BUS_OK) {
		schema_reply(req, &job->reply);
	} else {
		bus_log(BUS_LOG_ERROR, "side.write_failed", LOG_STR("topic", w->topic), LOG_ERR(&err));
		schema_reply_error(req, 50002, "The outcome of the write is not known; ask again: %s",
				   err.text);
	}
	bus_http_ticket_done(job->ticket);
	job_free(job);
}

static void *write_all(void *ctx)
{
	struct schema_side_writer *w = ctx;

	for (;;) {
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
		if (!job)
			return NULL;
		run(w, job);
	}
}

void schema_side_queue(struct schema_registry *r, struct bus_http_request *req, struct bus_buf *key,
		       struct bus_buf *value, struct bus_buf *reply)
{
	struct schema_side_writer *w = r->side_writer;
	struct job *job = bus_xcalloc(1, sizeof(*job));

	job->key = *key;
	job->reply = *reply;
	job->tombstone = value == NULL;
	if (value)
		job->value = *value;
	pthread_mutex_lock(&w->lock);
	if (w->n >= QUEUE_MAX || w->stop) {
		pthread_mutex_unlock(&w->lock);
		job_free(job);
		schema_reply_error(req, 50001, "Error in the backend data store: too many changes wait");
		return;
	}
	job->ticket = bus_http_defer(req);
	*w->last = job;
	w->last = &job->next;
	w->n++;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

enum bus_err schema_side_writer_start(const struct bus_kafka_conf *kafka, const char *topic,
				      struct schema_side *side, struct schema_side_writer **out,
				      struct bus_error *err)
{
	struct schema_side_writer *w = bus_xcalloc(1, sizeof(*w));

	*out = NULL;
	w->conf.kafka = *kafka;
	w->topic = bus_xstrdup(topic);
	w->side = side;
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	errno = pthread_create(&w->thread, NULL, write_all, w);
	if (errno != 0) {
		enum bus_err rc = bus_fail(err, BUS_EIO, "cannot start a thread: %m");

		free(w->topic);
		free(w);
		return rc;
	}
	*out = w;
	return BUS_OK;
}

void schema_side_writer_stop(struct schema_side_writer **wp)
{
	struct schema_side_writer *w = *wp;

	if (!w)
		return;
	*wp = NULL;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	bus_producer_close(&w->producer);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w->topic);
	free(w);
}
