/* Who waits for records, and the threads that bring them. */
#include "gateway/feed/records.h"

#include <errno.h>
#include <time.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "gateway/feed/records_impl.h"

#define WATCH_MS 200  /* between two looks at the ends of topics that somebody waits for */
#define IDLE_MS 60000 /* a consumer that nobody needed for so long is closed */
#define ASK_MS 10000
#define WATCHED_MAX 64 /* topics looked at, at a time */

static void wait_until_ms(struct gw_records *r, int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	pthread_cond_timedwait(&r->cond, &r->lock, &t);
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

/* Under the lock. */
static bool push(struct gw_tail *t)
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
	may = push(t);
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
			wait_until_ms(r, 1000);
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

/* --- the watch: has a topic grown that somebody waits for? ------------------------------------------------- */

struct watched {
	char *topic;
	int64_t *end; /* of its n partitions, as last seen */
	int32_t n;
	bool wanted;
};

struct watch {
	struct gw_records *all;
	struct bus_consumer *consumer;
	struct watched topic[WATCHED_MAX];
	size_t n;
};

/* Under the lock. A topic too many is not known: its readers are asked for every time. */
static struct watched *want(struct watch *w, const char *topic)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->topic[i].topic, topic) == 0) {
			w->topic[i].wanted = true;
			return &w->topic[i];
		}
	if (w->n == WATCHED_MAX)
		return NULL;
	w->topic[w->n] = (struct watched){ .topic = bus_xstrdup(topic), .wanted = true };
	return &w->topic[w->n++];
}

static void forget_unwanted(struct watch *w)
{
	for (size_t i = 0; i < w->n;) {
		if (w->topic[i].wanted) {
			w->topic[i++].wanted = false;
			continue;
		}
		free(w->topic[i].topic);
		free(w->topic[i].end);
		w->topic[i] = w->topic[--w->n];
	}
}

static void look(struct watch *w, struct watched *t)
{
	struct bus_error err;
	int64_t begin;
	int32_t n;

	if (bus_consumer_partitions(w->consumer, t->topic, &n, ASK_MS, &err) != BUS_OK)
		return;
	if (n > t->n) {
		t->end = bus_xrealloc(t->end, (size_t)n * sizeof(*t->end));
		memset(t->end + t->n, 0, (size_t)(n - t->n) * sizeof(*t->end));
		t->n = n;
	}
	for (int32_t p = 0; p < n; p++)
		if (bus_consumer_bounds(w->consumer, t->topic, p, &begin, &t->end[p], ASK_MS, &err) != BUS_OK)
			return;
}

/* Whether there is something behind where the reader is; one that waits is nobody's, and stands still. */
static bool grown(struct watch *w, const struct gw_tail *t)
{
	const struct watched *seen = want(w, t->topic);

	if (!seen || (t->only < 0 && seen->n > (int32_t)t->n_at))
		return true;
	for (size_t i = 0; i < t->n_at; i++)
		if (t->at[i].partition < seen->n && t->at[i].next < seen->end[t->at[i].partition])
			return true;
	return false;
}

static void submit_grown(struct watch *w)
{
	struct gw_records *r = w->all;
	int64_t now = bus_clock_mono_ms();
	struct gw_tail **at = &r->polls, *t, *over = NULL;

	pthread_mutex_lock(&r->lock);
	while ((t = *at)) {
		if (t->wait_until > now && !grown(w, t)) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		if (t->wait_until <= now || !push(t)) {
			t->next = over;
			over = t;
		}
	}
	for (t = r->open; t; t = t->next_open)
		if (t->state == GW_TAIL_WAITING && grown(w, t))
			(void)push(t);
	pthread_mutex_unlock(&r->lock);
	while ((t = over)) {
		over = t->next;
		gw_records_answer(t);
	}
}

static void *watch(void *ctx)
{
	struct watch w = { .all = ctx };
	struct gw_records *r = ctx;
	const struct bus_consumer_conf conf = { .kafka = *r->kafka, .queue_bytes = 64 * 1024 };
	struct bus_error err;
	bool any;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		any = r->polls != NULL;
		for (struct gw_tail *t = r->polls; t; t = t->next)
			want(&w, t->topic);
		for (struct gw_tail *t = r->open; t; t = t->next_open) {
			if (t->state != GW_TAIL_WAITING)
				continue;
			want(&w, t->topic);
			any = true;
		}
		pthread_mutex_unlock(&r->lock);
		forget_unwanted(&w);
		if (!any)
			bus_consumer_close(&w.consumer);
		if (any && !w.consumer && bus_consumer_open(&conf, &w.consumer, &err) != BUS_OK)
			bus_log(BUS_LOG_WARN, "gateway.records", LOG_ERR(&err));
		for (size_t i = 0; i < w.n && w.consumer; i++)
			look(&w, &w.topic[i]);
		if (any)
			submit_grown(&w);
		pthread_mutex_lock(&r->lock);
		if (!r->stop)
			wait_until_ms(r, WATCH_MS);
	}
	pthread_mutex_unlock(&r->lock);
	bus_consumer_close(&w.consumer);
	for (size_t i = 0; i < w.n; i++) {
		free(w.topic[i].topic);
		free(w.topic[i].end);
	}
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
		(void)push(t); /* when the pool is full: at the next tick */
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
	pthread_cond_init(&r->cond, NULL);
	r->reads =
	    bus_metric("titian_records_reads_total", "counter", "Questions for records put to Kafka.", "");
	r->given = bus_metric("titian_records_given_total", "counter", "Records given to readers.", "");
	r->errors = bus_metric("titian_records_errors_total", "counter",
			       "Records that could not be decoded or resolved.", "");
	for (int i = 0; i <= threads && rc == BUS_OK; i++) {
		errno = pthread_create(&r->thread[i], NULL, i < threads ? work : watch, r);
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
