/* Who waits for records, and the threads that bring them. */
#include "gateway/feed/records.h"

#include <errno.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/wait.h"
#include "gateway/feed/records_impl.h"

#define IDLE_MS 60000 /* a consumer that nobody needed for so long is closed */

void gw_records_wait(struct gw_records *r, int ms)
{
	(void)bus_cond_wait(&r->cond, &r->lock, bus_clock_mono_ms() + ms);
}

void gw_tail_free(struct gw_tail **tp)
{
	struct gw_tail *t = *tp;

	*tp = NULL;
	if (!t)
		return;
	if (t->who)
		gw_feeds_who_leave(t->all->api->feeds, t->who);
	bus_buf_release(&t->out);
	free(t->at);
	free(t->topic);
	free(t->name);
	free(t);
}

/* --- the queue ----------------------------------------------------------------------------------------- */

bool gw_records_push(struct gw_tail *t)
{
	struct gw_records *r = t->all;

	if (r->stop || r->n_queue >= GW_RECORDS_QUEUE_MAX)
		return false;
	t->state = GW_TAIL_QUEUED;
	t->next = NULL;
	*r->queue_end = t;
	r->queue_end = &t->next;
	r->n_queue++;
	pthread_cond_broadcast(&r->cond);
	return true;
}

static void take_out(struct gw_records *r, struct gw_tail *t)
{
	struct gw_tail **at;

	for (at = &r->queue; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	if (!t->next)
		r->queue_end = at;
	r->n_queue--;
}

bool gw_records_submit(struct gw_tail *t)
{
	bool may;

	pthread_mutex_lock(&t->all->lock);
	may = gw_records_push(t);
	pthread_mutex_unlock(&t->all->lock);
	return may;
}

/* --- polls: answered through their ticket ---------------------------------------------------------------- */

void gw_records_answer(struct gw_tail *t)
{
	struct bus_http_request *req = bus_http_ticket_request(t->ticket);
	struct bus_http_ticket *ticket = t->ticket;
	struct bus_buf body = { 0 };

	if (t->rc == BUS_ENOENT) {
		gw_problem(req, "topic-unknown", NULL, "/v1/topics");
	} else if (t->rc == BUS_ECONFLICT) {
		gw_problem(req, "cursor-unknown", t->err.text, NULL);
	} else if (t->rc != BUS_OK) {
		bus_log(BUS_LOG_WARN, "gateway.records", LOG_ERR(&t->err));
		gw_problem(req, "unavailable", NULL, NULL);
	} else {
		bus_buf_puts(&body, "{\"records\":[");
		bus_buf_put(&body, t->out.p, t->out.n);
		bus_buf_puts(&body, "],\"cursor\":\"");
		gw_tail_put_cursor(t, &body);
		bus_buf_printf(&body, "\",\"up_to_date\":%s}", t->end ? "true" : "false");
		bus_http_reply(req, 200, "application/json", &body);
	}
	gw_tail_free(&t);
	bus_http_ticket_done(ticket);
}

static void poll_is_read(struct gw_tail *t)
{
	struct gw_records *r = t->all;

	if (t->rc == BUS_OK && t->records == 0 && t->end && bus_clock_mono_ms() < t->wait_until) {
		pthread_mutex_lock(&r->lock);
		if (!r->stop) {
			t->state = GW_TAIL_WAITING;
			t->next = r->polls;
			r->polls = t;
			t = NULL;
		}
		pthread_mutex_unlock(&r->lock);
	}
	if (t)
		gw_records_answer(t);
}

/* --- the pool ------------------------------------------------------------------------------------------- */

static void stream_is_read(struct gw_tail *t)
{
	struct gw_records *r = t->all;

	pthread_mutex_lock(&r->lock);
	if (!t->dead) {
		t->state = GW_TAIL_DONE;
		bus_http_wake(t->stream);
		t = NULL;
	}
	pthread_mutex_unlock(&r->lock);
	gw_tail_free(&t);
}

static void *work(void *ctx)
{
	struct gw_records_worker w = { .all = ctx };
	struct gw_records *r = ctx;
	struct gw_tail *t;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		t = r->queue;
		if (!t) {
			gw_records_wait(r, 1000);
			if (w.consumer && bus_clock_mono_ms() - w.used_ms > IDLE_MS)
				gw_records_worker_release(&w);
			continue;
		}
		take_out(r, t);
		t->state = GW_TAIL_RUNNING;
		pthread_mutex_unlock(&r->lock);
		gw_tail_read(&w, t);
		if (t->ticket)
			poll_is_read(t);
		else
			stream_is_read(t);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	gw_records_worker_release(&w);
	return NULL;
}

/* --- streams -------------------------------------------------------------------------------------------- */

void gw_records_enter(struct gw_tail *t)
{
	struct gw_records *r = t->all;

	pthread_mutex_lock(&r->lock);
	t->next_open = r->open;
	r->open = t;
	pthread_mutex_unlock(&r->lock);
}

void gw_tail_over(void *state)
{
	struct gw_tail *t = state, **at;
	struct gw_records *r = t->all;

	pthread_mutex_lock(&r->lock);
	for (at = &r->open; *at != t; at = &(*at)->next_open)
		;
	*at = t->next_open;
	if (t->state == GW_TAIL_QUEUED)
		take_out(r, t);
	if (t->state == GW_TAIL_RUNNING) {
		t->dead = true;
		t = NULL;
	}
	pthread_mutex_unlock(&r->lock);
	gw_tail_free(&t);
}

static bool still_granted(struct gw_tail *t)
{
	struct gw_access *access = t->all->api->access;
	uint64_t generation = gw_access_generation(access);
	const char *const *clear;
	size_t n;

	if (generation == t->generation)
		return true;
	t->generation = generation;
	return gw_access_key_known(access, t->reader, t->key_id) &&
	       gw_access_topic(access, t->reader, t->topic, &clear, &n) && clear == t->clear;
}

/* What was read is given; then the next is asked for, or waited for. */
static enum bus_http_more take_read(struct gw_tail *t, struct bus_buf *out)
{
	if (t->rc == BUS_ECONFLICT) { /* another topic under this name: from its beginning */
		free(t->at);
		t->at = NULL;
		t->n_at = 0;
		t->from_end = false;
		t->from_offset = t->from_ms = -1;
		t->told = false;
		gw_tail_put_event(t, "reset", false, out);
	} else if (t->rc != BUS_OK) {
		bus_log(BUS_LOG_WARN, "gateway.records", LOG_ERR(&t->err));
		return BUS_HTTP_ABORT;
	}
	bus_buf_put(out, t->out.p, t->out.n);
	bus_buf_release(&t->out);
	if (t->records > 0)
		t->told = false;
	if (t->rc != BUS_OK || !t->end)
		return BUS_HTTP_MORE;
	if (!t->told)
		gw_tail_put_event(t, "up-to-date", true, out);
	t->told = true;
	return t->until_now ? BUS_HTTP_END : BUS_HTTP_PARK;
}

enum bus_http_more gw_tail_piece(void *state, struct bus_buf *out)
{
	struct gw_tail *t = state;
	struct gw_records *r = t->all;
	enum bus_http_more more = BUS_HTTP_PARK;
	int64_t now = bus_clock_mono_ms();

	if (!still_granted(t))
		return BUS_HTTP_END;
	pthread_mutex_lock(&r->lock);
	if (!t->begun && t->way == GW_WAY_SSE)
		bus_buf_puts(out, "retry: 3000\n\n");
	t->begun = true;
	if (t->state == GW_TAIL_DONE) {
		more = take_read(t, out);
		t->state = more == BUS_HTTP_PARK ? GW_TAIL_WAITING : GW_TAIL_IDLE;
	} else if (t->state == GW_TAIL_IDLE) {
		(void)gw_records_push(t); /* when the pool is full: at the next tick */
	}
	pthread_mutex_unlock(&r->lock);
	if (out->n == 0 && more == BUS_HTTP_PARK && now - t->spoke >= GW_HEARTBEAT_MS)
		bus_buf_puts(out, t->way == GW_WAY_SSE ? ": \n\n" : "\n");
	if (out->n > 0)
		t->spoke = now;
	return more;
}

void gw_records_tick(struct gw_records *r)
{
	uint64_t generation = gw_access_generation(r->api->access);
	int64_t now = bus_clock_mono_ms();

	pthread_mutex_lock(&r->lock);
	for (struct gw_tail *t = r->open; t; t = t->next_open)
		if (t->state == GW_TAIL_IDLE || t->spoke + GW_HEARTBEAT_MS <= now ||
		    t->generation != generation)
			bus_http_wake(t->stream);
	pthread_mutex_unlock(&r->lock);
}

/* --- the whole ------------------------------------------------------------------------------------------- */

enum bus_err gw_records_new(struct gw_api *api, const struct bus_kafka_conf *kafka, int threads,
			    struct gw_records **out, struct bus_error *err)
{
	struct gw_records *r;
	enum bus_err rc = BUS_OK;

	*out = NULL;
	if (threads < 1 || threads > GW_RECORDS_THREADS_MAX)
		return bus_fail(err, BUS_EINVAL, "records.threads is 1 to %d", GW_RECORDS_THREADS_MAX);
	r = bus_xcalloc(1, sizeof(*r));
	r->api = api;
	r->kafka = kafka;
	r->queue_end = &r->queue;
	r->plans = schema_cache_new(0, 0);
	pthread_mutex_init(&r->lock, NULL);
	bus_cond_init(&r->cond);
	r->reads =
	    bus_metric("titian_records_reads_total", "counter", "Questions for records put to Kafka.", "");
	r->given = bus_metric("titian_records_given_total", "counter", "Records given to readers.", "");
	r->errors = bus_metric("titian_records_errors_total", "counter",
			       "Records that could not be decoded or resolved.", "");
	for (int i = 0; i <= threads && rc == BUS_OK; i++) {
		errno = pthread_create(&r->thread[i], NULL, i < threads ? work : gw_records_watch, r);
		if (errno == 0)
			r->n_threads++;
		else
			rc = bus_fail(err, BUS_EIO, "cannot start a thread: %m");
	}
	if (rc != BUS_OK) {
		gw_records_stop(r);
		gw_records_free(&r);
	}
	*out = r;
	return rc;
}

void gw_records_stop(struct gw_records *r)
{
	struct gw_tail *t, *next, *over;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->cond);
	pthread_mutex_unlock(&r->lock);
	for (int i = 0; i < r->n_threads; i++)
		pthread_join(r->thread[i], NULL);
	r->n_threads = 0;
	pthread_mutex_lock(&r->lock);
	over = r->polls;
	r->polls = NULL;
	for (t = r->queue; t; t = next) { /* streams end with HTTP */
		next = t->next;
		take_out(r, t);
		t->state = GW_TAIL_IDLE;
		if (!t->ticket)
			continue;
		t->rc = bus_fail(&t->err, BUS_ESTOPPED, "stopping");
		t->next = over;
		over = t;
	}
	pthread_mutex_unlock(&r->lock);
	while ((t = over)) {
		over = t->next;
		gw_records_answer(t);
	}
}

void gw_records_free(struct gw_records **rp)
{
	struct gw_records *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	schema_cache_free(&r->plans);
	pthread_cond_destroy(&r->cond);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
