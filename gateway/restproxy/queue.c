/* Requests that wait, and the threads that do them. No desk (serve/desk.h): there are several threads, the one that has an instance
 * read ahead comes first, and a request may be parked and come back. */

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/wait.h"
#include "gateway/restproxy/consume.h"

#define QUEUED_MS 20000			    /* the longest that a request waits for a thread */
#define ARENA_MAX ((size_t)4 * 1024 * 1024) /* of a body's tree */

/* --- a request ----------------------------------------------------------------------------------------------- */

void gw_rp_job_free(struct gw_rp_job **jp)
{
	struct gw_rp_job *job = *jp;

	*jp = NULL;
	if (!job)
		return;
	gw_rp_instance_unref(&job->at);
	bus_arena_free(&job->arena);
	bus_buf_release(&job->text);
	free(job->accept);
	free(job->group);
	free(job->name);
	free(job);
}

void gw_rp_say(struct gw_rp_job *job, int error_code, const char *detail)
{
	gw_rp_fail(job->req, error_code, detail);
	job->answered = true;
}

void gw_rp_say_for(struct gw_rp_job *job, int error_code, const char *detail, int s)
{
	gw_rp_fail_for(job->req, error_code, detail, s);
	job->answered = true;
}

void gw_rp_say_err(struct gw_rp_job *job, const struct bus_error *err)
{
	bus_log(BUS_LOG_WARN, "restproxy.consumers", LOG_ERR(err));
	gw_rp_say(job, err->code == BUS_ECONFLICT ? GW_RP_ILLEGAL_STATE : GW_RP_KAFKA_RETRY, err->text);
}

void gw_rp_answer(struct gw_rp_job *job, int status, struct bus_buf *body)
{
	gw_rp_reply(job->req, status, body);
	job->answered = true;
}

const char *gw_rp_copy(struct gw_rp_job *job, struct bus_str text)
{
	const char *copy = bus_arena_dup(job->arena, text.p, text.n);

	if (!copy && !job->answered)
		gw_rp_say(job, 413, "the body has too many parts");
	return copy;
}

/* False: answered. */
static bool read_body(struct gw_rp_job *job)
{
	const struct bus_json_limits limits = { .depth = 8 };
	struct bus_error err;
	enum bus_err rc;

	if (job->text.n == 0)
		return true;
	job->arena = bus_arena_new(ARENA_MAX);
	rc = bus_json_parse(bus_buf_str(&job->text), &limits, job->arena, &job->body, &err);
	if (rc == BUS_OK && job->body->type == BUS_JSON_OBJECT)
		return true;
	gw_rp_say(job,
		  rc == BUS_OK	      ? 422
		  : rc == BUS_ETOOBIG ? 413
				      : 400,
		  rc == BUS_OK ? "the body is an object" : "the body is not JSON");
	return false;
}

void gw_rp_over(struct gw_rp_job *job)
{
	struct bus_http_ticket *ticket = job->ticket;

	gw_rp_job_free(&job);
	bus_http_ticket_done(ticket);
}

/* --- the queue ----------------------------------------------------------------------------------------------- */

void gw_rp_wait(struct gw_consumers *c, int ms)
{
	(void)bus_cond_wait(&c->moved, &c->lock, bus_clock_mono_ms() + ms);
}

static void push(struct gw_consumers *c, struct gw_rp_job *job)
{
	job->next = NULL;
	job->queued = bus_clock_mono_ms();
	*c->queue_end = job;
	c->queue_end = &job->next;
	c->n_queue++;
	pthread_cond_broadcast(&c->moved);
}

void gw_rp_submit(struct gw_rp_job *job)
{
	struct gw_consumers *c = job->all;
	bool taken, shared;

	pthread_mutex_lock(&c->lock);
	shared = bus_shares_of(c->jobs_of, bus_str(job->reader)) < GW_RP_JOBS_MAX / BUS_SHARE_OF;
	taken = shared && !c->stop && c->n_jobs < GW_RP_JOBS_MAX;
	if (taken) {
		c->n_jobs++;
		bus_shares_add(c->jobs_of, bus_str(job->reader), 1);
		push(c, job);
	}
	pthread_mutex_unlock(&c->lock);
	if (taken)
		return;
	gw_rp_say_for(job, shared ? GW_RP_KAFKA_RETRY : 429, "too many requests wait", 1);
	gw_rp_over(job);
}

void gw_rp_hold_bytes(struct gw_consumers *c, const char *reader, int64_t bytes)
{
	atomic_fetch_add(&c->held, bytes);
	pthread_mutex_lock(&c->lock);
	bus_shares_add(c->held_of, bus_str(reader), bytes);
	pthread_mutex_unlock(&c->lock);
}

void gw_rp_wrote(struct gw_consumers *c, const char *reader, int64_t bytes)
{
	pthread_mutex_lock(&c->lock);
	gw_rp_budget_take(c->budget, reader, bytes, bus_clock_mono_ms());
	pthread_mutex_unlock(&c->lock);
}

/* Seconds that its reader must wait before it may change more. */
static int budget_wait(const struct gw_rp_job *job)
{
	struct gw_consumers *c = job->all;
	int s;

	if (job->reads || job->deadline > 0) /* what has begun goes on */
		return 0;
	pthread_mutex_lock(&c->lock);
	s = gw_rp_budget_wait(c->budget, job->reader, bus_clock_mono_ms());
	pthread_mutex_unlock(&c->lock);
	return s;
}

bool gw_rp_bytes_left(struct gw_consumers *c, const char *reader)
{
	int64_t share;

	pthread_mutex_lock(&c->lock);
	share = bus_shares_of(c->held_of, bus_str(reader));
	pthread_mutex_unlock(&c->lock);
	return atomic_load(&c->held) <= c->conf.memory && share <= c->conf.memory / BUS_SHARE_OF;
}

void gw_rp_unpark(struct gw_consumers *c, struct gw_rp_job *jobs)
{
	struct gw_rp_job *job;

	while ((job = jobs)) {
		jobs = job->next;
		gw_rp_instance_unref(&job->at);
		push(c, job);
	}
}

void gw_rp_park(struct gw_rp_job *job, struct gw_rp_instance *at, uint64_t changes)
{
	job->at = gw_rp_instance_ref(at);
	job->changes = changes;
	job->parked = true;
}

/* Work for somebody else than this worker: no thread is free for it. */
bool gw_rp_others_wait(struct gw_consumers *c)
{
	bool yes;

	pthread_mutex_lock(&c->lock);
	yes = c->stop || c->n_queue > c->n_idle;
	pthread_mutex_unlock(&c->lock);
	return yes;
}

/* --- the threads --------------------------------------------------------------------------------------------- */

static bool is_at(const struct gw_rp_worker *w, const struct gw_rp_job *job)
{
	return w->name && job->name && strcmp(w->name, job->name) == 0 && strcmp(w->group, job->group) == 0;
}

/* Whoever has the instance's records read ahead does it, unless it is busy. */
static struct gw_rp_job *choose(struct gw_rp_worker *w)
{
	struct gw_consumers *c = w->all;
	struct gw_rp_job **at, **mine = NULL, *job;
	bool elsewhere;

	for (at = &c->queue; *at && !mine; at = &(*at)->next) {
		elsewhere = false;
		for (int i = 0; i < c->conf.threads && !is_at(w, *at); i++)
			elsewhere |= !c->worker[i].busy && is_at(&c->worker[i], *at);
		if (!elsewhere)
			mine = at;
	}
	if (!mine)
		return NULL;
	job = *mine;
	*mine = job->next;
	if (!job->next)
		c->queue_end = mine;
	c->n_queue--;
	return job;
}

void gw_rp_serves(struct gw_rp_worker *w, const struct gw_rp_instance *i)
{
	struct gw_consumers *c = w->all;

	if (w->name && memcmp(w->served, i->id, sizeof(w->served)) == 0)
		return;
	pthread_mutex_lock(&c->lock);
	memcpy(w->served, i->id, sizeof(w->served));
	free(w->group);
	free(w->name);
	w->group = bus_xstrdup(i->group);
	w->name = bus_xstrdup(i->name);
	pthread_mutex_unlock(&c->lock);
}

static void run_job(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_consumers *c = w->all;
	const int wait_s = budget_wait(job);
	struct bus_error err = { 0 };

	job->parked = false;
	if (bus_clock_mono_ms() - job->queued >
	    QUEUED_MS) /* Kafka is slow or away: the others need not find out */
		gw_rp_say(job, GW_RP_KAFKA_RETRY, "no thread was free in time");
	else if (wait_s > 0)
		gw_rp_say_for(job, 429,
			      "your requests have changed too much this minute: wait for Retry-After",
			      wait_s);
	else if (gw_rp_log_barrier(c->log, &err) != BUS_OK)
		gw_rp_say_err(job, &err);
	else if (read_body(job))
		job->run(w, job);
	pthread_mutex_lock(&c->lock);
	w->busy = false;
	if (job->parked && !c->stop) {
		job->next = c->parked;
		c->parked = job;
		job = NULL;
	} else {
		c->n_jobs--;
		bus_shares_add(c->jobs_of, bus_str(job->reader), -1);
	}
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
	if (!job)
		return;
	if (!job->answered)
		gw_rp_say(job, GW_RP_KAFKA_RETRY, "the gateway stops");
	gw_rp_over(job);
}

void *gw_rp_work(void *ctx)
{
	struct gw_rp_worker *w = ctx;
	struct gw_consumers *c = w->all;
	struct gw_rp_job *job;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		job = choose(w);
		if (!job) {
			c->n_idle++;
			gw_rp_wait(c, 1000);
			c->n_idle--;
			continue;
		}
		w->busy = true;
		pthread_mutex_unlock(&c->lock);
		run_job(w, job);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}
