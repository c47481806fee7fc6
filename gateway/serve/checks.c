#include "gateway/serve/checks.h"

#include <pthread.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "gateway/engine/engine.h"
#include "gateway/engine/try.h"
#include "gateway/serve/api.h"

#define MS_DEFAULT 5000
#define ID_BYTES 12

enum kind { CHECK, VERIFY, KINDS };
enum state { WAITING, RUNNING, DONE, FAILED };

struct job {
	struct job *next; /* in its kind's queue, then among those that are over */
	char id[2 * ID_BYTES + 1], reader[GW_READER_NAME_MAX];
	enum kind kind;
	enum state state;
	char *view;	     /* VERIFY: which; CHECK: the definition's name in messages */
	struct bus_buf text; /* CHECK */
	int ms;
	bool english;
	struct bus_http_ticket *ticket; /* who waits for it; NULL: nobody */
	_Atomic int permille;
	_Atomic int64_t rows;  /* looked at, of about `of` */
	int64_t of, begun_ms;  /* monotonic */
	struct bus_buf result; /* a JSON object */
	struct bus_error fault;
};

struct gw_checks {
	struct gw_api *api;
	pthread_t thread[KINDS];
	pthread_mutex_t lock; /* guards all that follows, and jobs' state, result, fault */
	pthread_cond_t more;
	struct job *first[KINDS], *running[KINDS], *over;
	_Atomic bool stop;
};

static void job_free(struct job *j)
{
	free(j->view);
	bus_buf_release(&j->text);
	bus_buf_release(&j->result);
	free(j);
}

/* --- the work ----------------------------------------------------------------------------------------- */

static enum bus_err check(struct gw_checks *c, struct job *j)
{
	const struct gw_try t = { .file = j->view,
				  .text = bus_buf_str(&j->text),
				  .ms = j->ms,
				  .stop = &c->stop,
				  .permille = &j->permille };
	bool good;

	return gw_try_run(c->api->engine, &t, &j->result, &good, &j->fault);
}

struct progress {
	struct gw_checks *checks;
	struct job *job;
};

static bool on_progress(void *ctx, const struct gw_verdict *so_far)
{
	struct progress *p = ctx;
	int64_t permille = p->job->of > 0 ? so_far->keys * 1000 / p->job->of : 0;

	atomic_store(&p->job->rows, so_far->keys);
	atomic_store(&p->job->permille, (int)(permille > 999 ? 999 : permille));
	return !atomic_load(&p->checks->stop);
}

static enum bus_err verify(struct gw_checks *c, struct job *j)
{
	struct gw_views *views = gw_views_hold(c->api->engine);
	const struct gw_view *v = gw_views_find(views, j->view);
	struct progress p = { c, j };
	struct gw_verdict verdict = { 0 };
	struct bus_json_out out = { .buf = &j->result };
	enum bus_err rc;

	if (!v) {
		gw_views_release(&views);
		return bus_fail(&j->fault, BUS_ENOENT, "the view is gone");
	}
	j->of = gw_view_rows(c->api->engine, v);
	rc = gw_verify_view(c->api->engine, v, on_progress, &p, &verdict, &j->fault);
	gw_views_release(&views);
	if (rc != BUS_OK)
		return rc;
	bus_json_object(&out);
	bus_json_text_member(&out, "view", j->view);
	bus_json_key(&out, "good");
	bus_json_put_bool(&out, verdict.differing == 0 && !verdict.waits);
	bus_json_int_member(&out, "keys", verdict.keys);
	bus_json_int_member(&out, "differing", verdict.differing);
	bus_json_int_member(&out, "waiting", verdict.waiting);
	bus_json_key(&out, "waits");
	bus_json_put_bool(&out, verdict.waits);
	bus_json_object_end(&out);
	return BUS_OK;
}

/* --- answers ------------------------------------------------------------------------------------------ */

static void put_job(const struct job *j, struct bus_json_out *out)
{
	static const char *const state[] = { "waiting", "running", "done", "failed" };
	static const char *const kind[] = { "check", "verify" };

	bus_json_object(out);
	bus_json_text_member(out, "id", j->id);
	bus_json_text_member(out, "kind", kind[j->kind]);
	bus_json_text_member(out, "view", j->view);
	bus_json_text_member(out, "state", state[j->state]);
	bus_json_int_member(out, "permille", j->state == DONE ? 1000 : atomic_load(&j->permille));
	bus_json_int_member(out, "rows", atomic_load(&j->rows));
	bus_json_int_member(out, "ms", j->begun_ms ? bus_clock_mono_ms() - j->begun_ms : 0);
	bus_json_key(out, "result");
	if (j->state == DONE)
		bus_json_put_raw(out, bus_buf_str(&j->result));
	else
		bus_json_put_null(out);
	bus_json_text_member(out, "fault", j->state == FAILED ? j->fault.text : NULL);
	bus_json_object_end(out);
}

/* Without the lock: the request is answered on this thread. */
static void answer_waiting(struct bus_http_ticket *ticket, const struct job *j)
{
	struct bus_http_request *req = bus_http_ticket_request(ticket);
	struct bus_buf body = { 0 };

	if (j->state == DONE) {
		bus_buf_put(&body, j->result.p, j->result.n);
		bus_http_reply(req, 200, "application/json", &body);
	} else {
		gw_problem_in(req, j->english,
			      j->fault.code == BUS_ETOOBIG ? "definition-costly" : "unavailable",
			      j->fault.text, NULL);
	}
	bus_http_ticket_done(ticket);
}

static struct job *newest_of(struct job **list)
{
	struct job *j = *list;

	*list = j->next;
	return j;
}

/* Those that are over, newest first, and no more than are kept. With the lock. */
static void put_away(struct gw_checks *c, struct job *j)
{
	struct job **at = &c->over;
	int n = 0;

	j->next = c->over;
	c->over = j;
	while (*at && n < GW_CHECKS_KEPT) {
		at = &(*at)->next;
		n++;
	}
	while (*at)
		job_free(newest_of(at));
}

static void work(struct gw_checks *c, enum kind kind)
{
	pthread_mutex_lock(&c->lock);
	for (;;) {
		struct bus_http_ticket *ticket;
		struct job *j;
		enum bus_err rc;

		while (!c->first[kind] && !atomic_load(&c->stop))
			pthread_cond_wait(&c->more, &c->lock);
		if (!c->first[kind])
			break;
		j = newest_of(&c->first[kind]);
		c->running[kind] = j;
		j->state = RUNNING;
		j->begun_ms = bus_clock_mono_ms();
		pthread_mutex_unlock(&c->lock);
		if (atomic_load(&c->stop))
			rc = bus_fail(&j->fault, BUS_ESTOPPED, "stopping");
		else
			rc = kind == CHECK ? check(c, j) : verify(c, j);
		pthread_mutex_lock(&c->lock);
		j->state = rc == BUS_OK ? DONE : FAILED;
		ticket = j->ticket;
		j->ticket = NULL;
		pthread_mutex_unlock(&c->lock);
		if (ticket)
			answer_waiting(ticket, j);
		pthread_mutex_lock(&c->lock);
		c->running[kind] = NULL;
		if (ticket)
			job_free(j); /* nobody knows its id */
		else
			put_away(c, j);
	}
	pthread_mutex_unlock(&c->lock);
}

static void *check_thread(void *c)
{
	work(c, CHECK);
	return NULL;
}

static void *verify_thread(void *c)
{
	work(c, VERIFY);
	return NULL;
}

/* --- requests ----------------------------------------------------------------------------------------- */

/* Takes the job; false: too many wait, and it is gone. */
static bool enqueue(struct gw_checks *c, struct job *j)
{
	struct job **at;
	int n = 0;

	pthread_mutex_lock(&c->lock);
	for (at = &c->first[j->kind]; *at; at = &(*at)->next)
		n++;
	if (n < GW_CHECKS_WAITING && !atomic_load(&c->stop)) {
		*at = j;
		pthread_cond_broadcast(&c->more);
		pthread_mutex_unlock(&c->lock);
		return true;
	}
	pthread_mutex_unlock(&c->lock);
	return false;
}

static struct job *new_job(enum kind kind, const char *reader, const char *view)
{
	struct job *j = bus_xcalloc(1, sizeof(*j));
	uint8_t id[ID_BYTES];

	bus_random(id, sizeof(id));
	bus_hex(id, sizeof(id), j->id);
	snprintf(j->reader, sizeof(j->reader), "%s", reader);
	j->kind = kind;
	j->view = bus_xstrdup(view);
	return j;
}

/* Where to ask for it. Copied before it is anybody else's. */
static void answer_accepted(struct bus_http_request *req, const char *id)
{
	struct bus_buf body = { 0 };
	char where[64];

	snprintf(where, sizeof(where), "/v1/checks/%s", id);
	bus_http_set(req, "Location", where);
	bus_buf_printf(&body, "{\"id\":\"%s\",\"state\":\"waiting\"}", id);
	bus_http_reply(req, 202, "application/json", &body);
}

static void too_many(struct bus_http_request *req, struct job *j)
{
	job_free(j);
	bus_http_set(req, "Retry-After", "5");
	gw_problem(req, "too-many-checks", NULL, NULL);
}

void gw_check_log(const char *reader, struct bus_str text)
{
	uint8_t digest[BUS_SHA256_LEN];
	char hex[2 * BUS_SHA256_LEN + 1];
	const char *sum = hex;

	bus_sha256(text.p, text.n, digest);
	bus_hex(digest, sizeof(digest), hex);
	bus_log(BUS_LOG_INFO, "gateway.check", LOG_STR("by", reader), LOG_STR("sha256", sum));
}

void gw_rest_check(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *ms = bus_http_query(req, "ms"), *prefer = bus_http_header(req, "Prefer");
	char reader[GW_READER_NAME_MAX], id[2 * ID_BYTES + 1];
	bool later = prefer && strstr(prefer, "respond-async");
	struct bus_http_ticket *ticket;
	struct bus_str text = bus_http_body(req);
	struct job *j;

	if (!gw_api_definer(api, req, reader))
		return;
	if (ms && (strspn(ms, "0123456789") != strlen(ms) || strlen(ms) < 1 || strlen(ms) > 6 ||
		   atoi(ms) > GW_TRY_MS_MAX)) {
		gw_problem(req, "parameter-invalid", "ms: 0 to 600000", NULL);
		return;
	}
	if (text.n == 0) {
		gw_problem(req, "definition-invalid", "0 bytes", "gateway/views/README.md");
		return;
	}
	gw_check_log(reader, text);
	j = new_job(CHECK, reader, "definition");
	bus_buf_put(&j->text, text.p, text.n);
	j->ms = ms ? atoi(ms) : MS_DEFAULT;
	j->english = gw_english(req);
	if (later) {
		memcpy(id, j->id, sizeof(id));
		if (enqueue(api->checks, j))
			answer_accepted(req, id);
		else
			too_many(req, j);
		return;
	}
	/* The ticket is made before the job is anybody's: from then on the request belongs to the thread. */
	ticket = j->ticket = bus_http_defer(req);
	if (enqueue(api->checks, j))
		return;
	too_many(bus_http_ticket_request(ticket), j);
	bus_http_ticket_done(ticket);
}

void gw_rest_verify(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *view = bus_http_part(req, "view");
	char reader[GW_READER_NAME_MAX], id[2 * ID_BYTES + 1];
	struct job *j;

	if (!gw_api_definer(api, req, reader))
		return;
	if (!gw_views_find(gw_api_views(api, req), view)) {
		gw_problem(req, "view-unknown", NULL, gw_api_view_hint(api, req, NULL, view));
		return;
	}
	j = new_job(VERIFY, reader, view);
	memcpy(id, j->id, sizeof(id));
	if (enqueue(api->checks, j))
		answer_accepted(req, id);
	else
		too_many(req, j);
}

static const struct job *find_in(const struct job *list, const char *id, const char *reader)
{
	for (; list; list = list->next) {
		if (strcmp(list->id, id) == 0 && strcmp(list->reader, reader) == 0)
			return list;
	}
	return NULL;
}

void gw_rest_check_job(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_checks *c = api->checks;
	const char *id = bus_http_part(req, "id");
	char reader[GW_READER_NAME_MAX];
	struct bus_buf body = { 0 };
	struct bus_json_out out = { .buf = &body };
	const struct job *j;

	if (!gw_api_definer(api, req, reader))
		return;
	pthread_mutex_lock(&c->lock);
	j = find_in(c->over, id, reader);
	for (int k = 0; k < KINDS && !j; k++) {
		j = find_in(c->first[k], id, reader);
		if (!j && c->running[k] && strcmp(c->running[k]->id, id) == 0 &&
		    strcmp(c->running[k]->reader, reader) == 0)
			j = c->running[k];
	}
	if (j)
		put_job(j, &out);
	pthread_mutex_unlock(&c->lock);
	if (j)
		bus_http_reply(req, 200, "application/json", &body);
	else
		gw_problem(req, "check-unknown", NULL, NULL);
}

/* --- beginning and end -------------------------------------------------------------------------------- */

struct gw_checks *gw_checks_new(struct gw_api *api)
{
	struct gw_checks *c = bus_xcalloc(1, sizeof(*c));

	c->api = api;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->more, NULL);
	if (pthread_create(&c->thread[CHECK], NULL, check_thread, c) != 0 ||
	    pthread_create(&c->thread[VERIFY], NULL, verify_thread, c) != 0)
		abort(); /* at the start, with nothing to give back */
	return c;
}

void gw_checks_stop(struct gw_checks *c)
{
	if (atomic_exchange(&c->stop, true))
		return;
	pthread_mutex_lock(&c->lock);
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->lock);
	for (int k = 0; k < KINDS; k++)
		pthread_join(c->thread[k], NULL);
}

void gw_checks_free(struct gw_checks **checks)
{
	struct gw_checks *c = *checks;

	if (!c)
		return;
	gw_checks_stop(c);
	while (c->over)
		job_free(newest_of(&c->over));
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->more);
	free(c);
	*checks = NULL;
}
