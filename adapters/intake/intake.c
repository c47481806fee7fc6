#include "adapters/intake/intake.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "adapters/intake/body.h"
#include "adapters/intake/key.h"
#include "adapters/intake/problem.h"
#include "adapters/intake/remember.h"
#include "adapters/intake/tokens.h"
#include "bus/clock.h"
#include "bus/cloudevent.h"
#include "bus/http.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/wait.h"

#define KEYS_MOST 100000			  /* remembered of each feed */
#define WAITING_BYTES ((int64_t)64 * 1024 * 1024) /* of rows on the way to the disk */
#define CLEAN_MS 60000
#define STOP_MS 5000
#define FEEDS_MAX 256
#define CONNECTIONS 1000
#define BODY_MS 30000	       /* a body is there within this, or at this least pace: */
#define BODY_PACE (128 * 1024) /* bytes a second */

struct job { /* a post on its way to the disk */
	struct job *next;
	struct bus_http_ticket *ticket;
	struct feed *feed;
	struct bus_buf rows;
	struct adapter_remembered about;
	char sha256[2 * BUS_SHA256_LEN + 1]; /* of the body */
	bool has_key;
	enum bus_err rc;
};

struct feed {
	char *name;
	struct adapter_spool *spool;
	struct adapter_remember *remember;
	bool touched; /* has posts in the group that is being committed */
	enum bus_err rc;
	struct bus_error why;
};

struct adapter_intake {
	const struct adapter_intake_conf *conf;
	struct adapter_spool_keys keys;
	struct adapter_tokens *tokens;
	struct feed *feed;
	size_t n_feeds;
	struct bus_http *http;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* what follows, and each feed's remember */
	pthread_cond_t more;
	struct job *first, **last;
	int wake;	 /* adapter_intake_wake */
	int64_t waiting; /* bytes of rows in jobs that are not answered */
	bool stop;
	atomic_bool refusing; /* the disk, the last time */
};

/* --- looking things up --- */

static struct feed *find_feed(const struct adapter_intake *i, const char *name)
{
	for (size_t k = 0; k < i->n_feeds; k++)
		if (strcmp(i->feed[k].name, name) == 0)
			return &i->feed[k];
	return NULL;
}

struct adapter_spool *adapter_intake_spool(const struct adapter_intake *i, const char *feed)
{
	struct feed *f = find_feed(i, feed);

	return f ? f->spool : NULL;
}

const struct adapter_spool_keys *adapter_intake_keys(const struct adapter_intake *i)
{
	return &i->keys;
}

void adapter_intake_wake(struct adapter_intake *i, int fd)
{
	pthread_mutex_lock(&i->lock);
	i->wake = fd;
	pthread_mutex_unlock(&i->lock);
}

static void count(const struct feed *f, int status)
{
	char *labels = bus_xasprintf("feed=\"%s\",status=\"%d\"", f ? f->name : "", status);

	bus_metric_add(bus_metric("titian_intake_posts_total", "counter",
				  "Posts to the intake by feed and answer.", labels),
		       1);
	free(labels);
}

/* --- a request --- */

static void refuse(struct bus_http_request *req, const struct feed *f, int status, const char *code,
		   const char *detail)
{
	count(f, status);
	adapter_intake_problem(req, code, detail);
}

/* False: refused. */
static bool read_key(struct bus_http_request *req, const struct feed *f, struct job *job)
{
	uint8_t hash[BUS_SHA256_LEN];
	enum adapter_key key = adapter_key_read(bus_http_header(req, "Idempotency-Key"), hash);

	if (key == ADAPTER_KEY_BAD) {
		refuse(req, f, 400, "idempotency-invalid", NULL);
		return false;
	}
	job->has_key = key == ADAPTER_KEY_GOOD;
	if (job->has_key)
		memcpy(job->about.key, hash, sizeof(job->about.key));
	return true;
}

static bool on_header(void *ctx, const char *name, const char *value)
{
	bus_cloudevent_header(ctx, name, value);
	return true;
}

static enum bus_err read_rows(struct bus_http_request *req, enum adapter_body_kind kind, struct job *job,
			      struct bus_error *err)
{
	struct bus_str members = { NULL, 0 };
	struct bus_cloudevent event;
	enum bus_err rc = BUS_OK;

	bus_cloudevent_begin(&event);
	if (kind == ADAPTER_BODY_BINARY) {
		bus_http_each_header(req, on_header, &event);
		rc = bus_cloudevent_end(&event, &members, err);
	}
	if (!rc)
		rc = adapter_body_rows(kind, bus_http_body(req), members, &job->rows, &job->about.n, err);
	bus_cloudevent_release(&event);
	return rc;
}

static bool put_print(void *ctx, const char *name, const char *value)
{
	if (strncasecmp(name, "ce-", 3) == 0 || strcasecmp(name, "Content-Type") == 0) {
		bus_sha256_add(ctx, name, strlen(name) + 1);
		bus_sha256_add(ctx, value, strlen(value) + 1);
	}
	return true;
}

/* What makes two posts the same. */
static void print_of(struct bus_http_request *req, struct job *job)
{
	struct bus_sha256_stream *s = bus_sha256_new();
	struct bus_str body = bus_http_body(req);
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256(body.p, body.n, digest);
	bus_hex(digest, sizeof(digest), job->sha256);
	bus_http_each_header(req, put_print, s);
	bus_sha256_add(s, digest, sizeof(digest));
	bus_sha256_end(&s, job->about.digest);
}

static void answer(struct bus_http_request *req, const struct feed *f, const struct adapter_remembered *about,
		   const char *sha256)
{
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	char id[2 * ADAPTER_POST_RECEIPT + 1], when[40];

	bus_hex(about->receipt, sizeof(about->receipt), id);
	bus_json_object(&j);
	bus_json_text_member(&j, "id", id);
	bus_json_text_member(&j, "feed", f->name);
	bus_json_int_member(&j, "count", about->n);
	bus_json_text_member(&j, "sha256", sha256);
	bus_json_text_member(&j, "received_at", bus_clock_iso_wib(about->time_ms, when, sizeof(when)));
	bus_json_object_end(&j);
	count(f, 202);
	bus_http_reply(req, 202, "application/json", &body);
}

static void job_free(struct job *job)
{
	bus_buf_release(&job->rows);
	free(job);
}

/* Why nothing more is taken; NULL: there is room. Under the lock. */
static const char *no_room(const struct adapter_intake *i, int64_t more)
{
	struct adapter_spool_state state;
	int64_t bytes = more + i->waiting, now = bus_clock_ms();

	if (i->waiting > 0 && bytes > WAITING_BYTES)
		return "busy";
	for (size_t k = 0; k < i->n_feeds; k++) {
		adapter_spool_state(i->feed[k].spool, &state);
		bytes += state.bytes;
		if (state.oldest_ms && now - state.oldest_ms > i->conf->max_age_ms)
			return "spool-full";
	}
	return bytes > i->conf->max_bytes ? "spool-full" : NULL;
}

/* Under the lock. True: it is on its way, and answered by the thread that commits. */
static bool hand_over(struct adapter_intake *i, struct bus_http_request *req, struct job *job)
{
	struct feed *f = job->feed;
	struct adapter_remembered *old =
	    job->has_key ? adapter_remember_find(f->remember, job->about.key, job->about.time_ms) : NULL;
	const char *full;

	if (old && !bus_equal_secret(old->digest, job->about.digest, sizeof(old->digest))) {
		refuse(req, f, 422, "idempotency-other", NULL);
		return false;
	}
	if (old && old->pending) {
		refuse(req, f, 409, "idempotency-running", NULL);
		return false;
	}
	if (old) {
		bus_http_set(req, "Idempotency-Replayed", "true");
		answer(req, f, old, job->sha256);
		return false;
	}
	full = no_room(i, (int64_t)job->rows.n);
	if (full) {
		refuse(req, f, 503, full, NULL);
		return false;
	}
	if (job->has_key) {
		job->about.pending = true;
		adapter_remember_put(f->remember, &job->about);
	}
	i->waiting += (int64_t)job->rows.n;
	job->ticket = bus_http_defer(req);
	*i->last = job;
	i->last = &job->next;
	pthread_cond_signal(&i->more);
	return true;
}

static void on_post(void *ctx, struct bus_http_request *req)
{
	struct adapter_intake *i = ctx;
	int who = adapter_tokens_find(i->tokens, bus_http_header(req, "Authorization"));
	const char *name = bus_http_part(req, "feed");
	struct feed *f = find_feed(i, name);
	enum adapter_body_kind kind;
	struct bus_error why;
	struct job *job;
	enum bus_err rc;

	if (who < 0) {
		refuse(req, NULL, 401, "unauthorized", NULL);
		return;
	}
	if (!adapter_tokens_may(i->tokens, who, name)) {
		refuse(req, f, 403, "forbidden", NULL);
		return;
	}
	if (!f) {
		refuse(req, NULL, 404, "feed-unknown", NULL);
		return;
	}
	bus_http_set_who(req, adapter_tokens_name(i->tokens, who));
	if (!adapter_body_kind(bus_http_header(req, "Content-Type"),
			       bus_http_header(req, "ce-specversion") != NULL, &kind)) {
		refuse(req, f, 415, "type-unknown", NULL);
		return;
	}
	job = bus_xcalloc(1, sizeof(*job));
	job->feed = f;
	if (!read_key(req, f, job)) {
		job_free(job);
		return;
	}
	rc = read_rows(req, kind, job, &why);
	if (rc) {
		refuse(req, f, rc == BUS_ETOOBIG ? 413 : 400,
		       rc == BUS_ETOOBIG ? "body-large" : "body-invalid", why.text);
		job_free(job);
		return;
	}
	print_of(req, job);
	bus_random(job->about.receipt, sizeof(job->about.receipt));
	job->about.time_ms = bus_clock_ms();
	pthread_mutex_lock(&i->lock);
	if (!hand_over(i, req, job))
		job_free(job);
	pthread_mutex_unlock(&i->lock);
}

/* Before a large body: nobody unknown fills the memory. */
static bool knows(void *ctx, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX])
{
	struct adapter_intake *i = ctx;
	int who = adapter_tokens_find(i->tokens, bus_http_header(req, "Authorization"));

	if (who < 0) {
		refuse(req, NULL, 401, "unauthorized", NULL);
		return false;
	}
	snprintf(payer, BUS_HTTP_WHO_MAX, "%s", adapter_tokens_name(i->tokens, who));
	return true;
}

static void on_health(void *ctx, struct bus_http_request *req)
{
	struct adapter_intake *i = ctx;
	struct bus_buf body = { 0 };
	const char *full;
	bool refusing;

	pthread_mutex_lock(&i->lock);
	full = no_room(i, i->conf->max_bytes / 20); /* before the first post is refused */
	refusing = i->refusing;
	pthread_mutex_unlock(&i->lock);
	bus_buf_printf(&body, "{\"status\":\"%s\"}", refusing ? "disk-full" : full ? full : "ok");
	bus_http_reply(req, refusing || full ? 503 : 200, "application/json", &body);
}

static void set_gauge(const char *name, const char *type, const char *help, const char *labels, double v)
{
	bus_metric_set(bus_metric(name, type, help, labels), v);
}

void adapter_intake_figures(void *intake)
{
	struct adapter_intake *i = intake;

	for (size_t k = 0; k < i->n_feeds; k++) {
		char *labels = bus_xasprintf("feed=\"%s\"", i->feed[k].name);
		struct adapter_spool_state s;

		adapter_spool_state(i->feed[k].spool, &s);
		set_gauge("titian_spool_bytes", "gauge", "Bytes that wait in the spool.", labels,
			  (double)s.bytes);
		set_gauge("titian_spool_segments", "gauge", "Segments that wait in the spool.", labels,
			  (double)s.segments);
		set_gauge("titian_spool_oldest_seconds", "gauge", "Age of the oldest segment that waits.",
			  labels, s.oldest_ms ? (double)(bus_clock_ms() - s.oldest_ms) / 1000 : 0);
		set_gauge("titian_spool_commits_total", "counter", "Groups of posts brought to disk.", labels,
			  (double)s.commits);
		set_gauge("titian_spool_posts_total", "counter", "Posts brought to disk.", labels,
			  (double)s.posts);
		free(labels);
	}
}

static void on_metrics(void *ctx, struct bus_http_request *req)
{
	struct adapter_intake *i = ctx;
	struct bus_buf body = { 0 };

	if (adapter_tokens_find(i->tokens, bus_http_header(req, "Authorization")) < 0) {
		adapter_intake_problem(req, "unauthorized", NULL);
		return;
	}
	adapter_intake_figures(i);
	bus_metrics_text(&body);
	bus_http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
}

/* --- the thread that commits --- */

static void put_job(struct job *job)
{
	struct adapter_post post = { .n = job->about.n,
				     .time_ms = job->about.time_ms,
				     .has_key = job->has_key,
				     .rows = bus_buf_str(&job->rows) };
	struct bus_error why;

	memcpy(post.key, job->about.key, sizeof(post.key));
	memcpy(post.digest, job->about.digest, sizeof(post.digest));
	memcpy(post.receipt, job->about.receipt, sizeof(post.receipt));
	job->rc = adapter_spool_put(job->feed->spool, &post, &why);
	job->feed->touched |= !job->rc;
}

static void commit_feeds(struct adapter_intake *i)
{
	for (size_t k = 0; k < i->n_feeds; k++) {
		struct feed *f = &i->feed[k];

		if (!f->touched)
			continue;
		f->rc = adapter_spool_commit(f->spool, &f->why);
		f->touched = false;
		if (f->rc && !i->refusing)
			bus_log(BUS_LOG_ERROR, "intake.disk_refuses", LOG_STR("feed", f->name),
				LOG_ERR(&f->why),
				LOG_STR("effect", "posts are refused with 503 until the disk takes them"));
		i->refusing = f->rc != BUS_OK;
	}
}

static void settle(struct adapter_intake *i, struct job *job)
{
	struct bus_http_request *req = bus_http_ticket_request(job->ticket);
	struct feed *f = job->feed;
	enum bus_err rc = job->rc ? job->rc : f->rc;

	pthread_mutex_lock(&i->lock);
	i->waiting -= (int64_t)job->rows.n;
	if (job->has_key) {
		job->about.pending = false;
		if (rc)
			adapter_remember_forget(f->remember, job->about.key);
		else
			adapter_remember_put(f->remember, &job->about);
	}
	pthread_mutex_unlock(&i->lock);
	if (!rc)
		answer(req, f, &job->about, job->sha256);
	else if (rc == BUS_ETOOBIG)
		refuse(req, f, 413, "body-large", NULL);
	else
		refuse(req, f, 503, "disk-full", NULL);
	bus_http_ticket_done(job->ticket);
	job_free(job);
}

/* All that waits, or NULL after a second; *stop: and no more will come. */
static struct job *take_jobs(struct adapter_intake *i, bool *stop)
{
	int64_t until = bus_clock_mono_ms() + 1000;
	struct job *jobs;

	pthread_mutex_lock(&i->lock);
	while (!i->first && !i->stop && bus_cond_wait(&i->more, &i->lock, until))
		;
	jobs = i->first;
	i->first = NULL;
	i->last = &i->first;
	*stop = i->stop && !jobs;
	pthread_mutex_unlock(&i->lock);
	return jobs;
}

static void clean(struct adapter_intake *i)
{
	for (size_t k = 0; k < i->n_feeds; k++) {
		size_t n = adapter_spool_clean(i->feed[k].spool, i->conf->keep_ms,
					       i->conf->keep_bytes / (int64_t)i->n_feeds);

		if (n > 0)
			bus_log(BUS_LOG_INFO, "intake.cleaned", LOG_STR("feed", i->feed[k].name),
				LOG_INT("segments", n));
	}
}

static void ring(struct adapter_intake *i)
{
	pthread_mutex_lock(&i->lock);
	if (i->wake >= 0)
		(void)!write(i->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
	pthread_mutex_unlock(&i->lock);
}

static void *commit_loop(void *ctx)
{
	struct adapter_intake *i = ctx;
	int64_t clean_at = 0;
	bool stop = false;

	while (!stop) {
		struct job *jobs = take_jobs(i, &stop), *next;

		for (struct job *job = jobs; job; job = job->next)
			put_job(job);
		commit_feeds(i);
		if (jobs)
			ring(i);
		for (; jobs; jobs = next) {
			next = jobs->next;
			settle(i, jobs);
		}
		if (bus_clock_mono_ms() >= clean_at) {
			clean(i);
			clean_at = bus_clock_mono_ms() + CLEAN_MS;
		}
	}
	return NULL;
}

/* --- start and stop --- */

static enum bus_err load(struct adapter_intake *i, struct bus_error *err)
{
	const struct adapter_intake_conf *c = i->conf;
	enum bus_err rc = BUS_OK;

	if (!c->tokens[0] || !c->spool_dir[0] || !c->spool_key[0])
		return bus_fail(err, BUS_EINVAL,
				"intake.listen needs intake.tokens, spool.dir and spool.key");
	if (c->address_connections < 1 || c->address_connections > CONNECTIONS)
		return bus_fail(err, BUS_EINVAL, "intake.address_connections: 1 to %d", CONNECTIONS);
	if (c->body_max < 1 || c->body_max > WAITING_BYTES)
		return bus_fail(err, BUS_EINVAL, "intake.body_max: 1 to %d MiB", (int)(WAITING_BYTES >> 20));
	if (c->max_age_ms <= c->segment_ms)
		return bus_fail(err, BUS_EINVAL, "spool.max_age must be longer than spool.segment_age");
	rc = adapter_spool_keys_add(&i->keys, c->spool_key, err);
	for (size_t k = 0; k < c->n_old_keys && !rc; k++)
		rc = adapter_spool_keys_add(&i->keys, c->old_keys[k], err);
	return rc ? rc : adapter_tokens_load(c->tokens, &i->tokens, err);
}

enum bus_err adapter_intake_check(const struct adapter_intake_conf *conf, struct bus_error *err)
{
	struct adapter_intake i = { .conf = conf };
	enum bus_err rc = load(&i, err);

	adapter_tokens_free(&i.tokens);
	explicit_bzero(&i.keys, sizeof(i.keys));
	return rc;
}

static void remember_post(void *ctx, const struct adapter_post *post)
{
	struct adapter_remembered e = { .n = post->n, .time_ms = post->time_ms };

	if (!post->has_key)
		return;
	memcpy(e.key, post->key, sizeof(e.key));
	memcpy(e.digest, post->digest, sizeof(e.digest));
	memcpy(e.receipt, post->receipt, sizeof(e.receipt));
	adapter_remember_put(ctx, &e);
}

static enum bus_err open_feed(struct adapter_intake *i, const char *name, struct bus_error *err)
{
	const struct adapter_intake_conf *c = i->conf;
	struct feed *f = &i->feed[i->n_feeds++];
	char *dir = bus_xasprintf("%s/%s", c->spool_dir, name);
	struct adapter_spool_conf conf = { .dir = dir,
					   .feed = name,
					   .keys = &i->keys,
					   .segment_bytes = c->segment_bytes,
					   .segment_ms = c->segment_ms };
	enum bus_err rc = adapter_spool_open(&conf, &f->spool, err);

	free(dir);
	f->name = bus_xstrdup(name);
	f->remember = adapter_remember_new(KEYS_MOST, c->remember_ms);
	if (!rc)
		adapter_spool_posts(f->spool, bus_clock_ms() - c->remember_ms, remember_post, f->remember);
	return rc;
}

static enum bus_err listen_http(struct adapter_intake *i, struct bus_error *err)
{
	static const struct bus_http_route routes[] = { { "POST", "/v1/feeds/{feed}", on_post },
							{ "GET", "/healthz", on_health },
							{ "GET", "/metrics", on_metrics },
							{ NULL, NULL, NULL } };
	const struct adapter_intake_conf *c = i->conf;
	const struct bus_http_tls tls = { .certificate = c->certificate, .key = c->key };
	const struct bus_http_conf conf = { .address = c->address,
					    .port = c->port,
					    .threads = 2,
					    .connections = CONNECTIONS,
					    .address_connections = c->address_connections,
					    .body_ms = BODY_MS + (int)(c->body_max / BODY_PACE) * 1000,
					    .body_max = c->body_max,
					    .bodies_max = WAITING_BYTES,
					    .program = "titian-adapter",
					    .knows = knows,
					    .tls = c->certificate[0] ? &tls : NULL };
	enum bus_err rc = bus_http_start(&conf, routes, i, &i->http, err);

	if (!rc)
		bus_log(BUS_LOG_INFO, "intake.ready", LOG_STR("address", c->address),
			LOG_INT("port", bus_http_port(i->http)), LOG_INT("feeds", i->n_feeds));
	return rc;
}

enum bus_err adapter_intake_start(const struct adapter_intake_conf *conf, const char *const *feeds, size_t n,
				  struct adapter_intake **out, struct bus_error *err)
{
	struct adapter_intake *i = bus_xcalloc(1, sizeof(*i));
	enum bus_err rc;

	*out = NULL;
	i->conf = conf;
	i->last = &i->first;
	i->feed = bus_xcalloc(n ? n : 1, sizeof(*i->feed));
	pthread_mutex_init(&i->lock, NULL);
	bus_cond_init(&i->more);
	i->wake = -1;
	rc = load(i, err);
	if (!rc && (n == 0 || n > FEEDS_MAX))
		rc = bus_fail(err, BUS_EINVAL,
			      "intake: no mapping can be posted to (source kind: jsonl, not `complete`, no "
			      "`fetch`), or over %d",
			      FEEDS_MAX);
	for (size_t k = 0; k < n && !rc; k++)
		rc = open_feed(i, feeds[k], err);
	if (!rc && (errno = pthread_create(&i->thread, NULL, commit_loop, i)) != 0)
		rc = bus_fail(err, BUS_EFULL, "cannot start the thread that writes the spool: %m");
	i->running = !rc;
	if (!rc)
		rc = listen_http(i, err);
	if (rc)
		adapter_intake_stop(&i);
	*out = i;
	return rc;
}

void adapter_intake_stop(struct adapter_intake **ip)
{
	struct adapter_intake *i = *ip;

	if (!i)
		return;
	bus_http_stop(&i->http, STOP_MS);
	pthread_mutex_lock(&i->lock);
	i->stop = true;
	pthread_cond_signal(&i->more);
	pthread_mutex_unlock(&i->lock);
	if (i->running)
		pthread_join(i->thread, NULL);
	for (size_t k = 0; k < i->n_feeds; k++) {
		adapter_spool_close(&i->feed[k].spool);
		adapter_remember_free(&i->feed[k].remember);
		free(i->feed[k].name);
	}
	free(i->feed);
	adapter_tokens_free(&i->tokens);
	explicit_bzero(&i->keys, sizeof(i->keys));
	pthread_mutex_destroy(&i->lock);
	pthread_cond_destroy(&i->more);
	free(i);
	*ip = NULL;
}
