#include "adapters/office/office.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/care/status.h"
#include "adapters/desk.h"
#include "adapters/intake/key.h"
#include "adapters/intake/tokens.h"
#include "adapters/office/problem.h"
#include "adapters/office/work.h"
#include "bus/log.h"

#define WAITING_MAX 16
#define BODY_MAX ((int64_t)256 * 1024)
#define STOP_MS 5000

struct adapter_office {
	const struct adapter_run_conf *conf;
	const struct adapter_map **map;
	size_t n_maps;
	struct adapter_tokens *tokens;
	struct bus_http *http;
	struct adapter_care care; /* the thread's */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t more;
	struct adapter_office_job *first, **last;
	int waiting;
	bool stop;
};

/* ---- requests ---- */

/* Who asks; -1: refused. */
static int knock(struct adapter_office *o, struct bus_http_request *req)
{
	int who = adapter_tokens_find(o->tokens, bus_http_header(req, "Authorization"));

	if (who < 0)
		adapter_office_problem(req, "unauthorized", NULL);
	else
		bus_http_set_who(req, adapter_tokens_name(o->tokens, who));
	return who;
}

/* Before a large body. */
static bool knows(void *ctx, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX])
{
	int who = knock(ctx, req);

	if (who >= 0)
		snprintf(payer, BUS_HTTP_WHO_MAX, "%s", bus_http_who(req));
	return who >= 0;
}

static void hand_over(struct adapter_office *o, struct bus_http_request *req, struct adapter_office_job *job)
{
	bool room;

	pthread_mutex_lock(&o->lock);
	room = o->waiting < WAITING_MAX && !o->stop;
	if (room) {
		job->ticket = bus_http_defer(req);
		*o->last = job;
		o->last = &job->next;
		o->waiting++;
		pthread_cond_signal(&o->more);
	}
	pthread_mutex_unlock(&o->lock);
	if (room)
		return;
	free(job);
	adapter_office_problem(req, "busy", NULL);
}

struct reading {
	struct adapter_ask *ask;
	struct bus_error *err;
	enum bus_err rc;
};

static bool on_parameter(void *ctx, const char *name, const char *value)
{
	struct reading *r = ctx;

	r->rc = adapter_ask_parameter(r->ask, name, value, r->err);
	return r->rc == BUS_OK;
}

/* Who asks, and by the path and the query what; NULL: refused. */
static struct adapter_office_job *new_job(struct adapter_office *o, struct bus_http_request *req,
					  const char *verb)
{
	struct adapter_office_job *job;
	struct bus_error why;
	struct reading r = { .err = &why };
	int who = knock(o, req);

	if (who < 0)
		return NULL;
	job = bus_xcalloc(1, sizeof(*job));
	job->who = who;
	adapter_ask_begin(&job->ask, verb, bus_http_part(req, "id"));
	job->ask.args.who = adapter_tokens_name(o->tokens, who);
	r.ask = &job->ask;
	bus_http_each_query(req, on_parameter, &r);
	if (!r.rc)
		return job;
	adapter_office_problem(req, "question-invalid", why.text);
	free(job);
	return NULL;
}

static void ask(struct adapter_office *o, struct bus_http_request *req, const char *verb)
{
	struct adapter_office_job *job = new_job(o, req, verb);

	if (!job)
		return;
	if (job->ask.args.personal && !o->conf->opd_key) {
		adapter_office_problem(req, "key-missing", NULL);
		free(job);
		return;
	}
	hand_over(o, req, job);
}

static void on_list(void *ctx, struct bus_http_request *req)
{
	ask(ctx, req, "list");
}

static void on_show(void *ctx, struct bus_http_request *req)
{
	ask(ctx, req, "show");
}

static void on_history(void *ctx, struct bus_http_request *req)
{
	ask(ctx, req, "history");
}

/* False: refused. */
static bool take_key(struct bus_http_request *req, const char *who, struct adapter_office_job *job)
{
	uint8_t hash[BUS_SHA256_LEN];
	enum adapter_key key = adapter_key_read(bus_http_header(req, "Idempotency-Key"), hash);
	struct bus_sha256_stream *s;
	struct bus_str body = bus_http_body(req);

	if (key == ADAPTER_KEY_BAD)
		adapter_office_problem(req, "idempotency-invalid", NULL);
	if (key != ADAPTER_KEY_GOOD || job->ask.args.dry_run)
		return key != ADAPTER_KEY_BAD;
	s = bus_sha256_new();
	bus_sha256_add(s, hash, sizeof(hash));
	bus_sha256_add(s, who, strlen(who));
	bus_sha256_end(&s, hash);
	bus_hex(hash, 8, job->mark);
	job->mark[16] = '-';
	s = bus_sha256_new();
	bus_sha256_add(s, bus_http_path(req), strlen(bus_http_path(req)) + 1);
	bus_sha256_add(s, body.p, body.n);
	bus_sha256_end(&s, hash);
	bus_hex(hash, 8, job->mark + 17);
	return true;
}

static void order(struct adapter_office *o, struct bus_http_request *req, const char *verb)
{
	struct adapter_office_job *job = new_job(o, req, verb);
	const char *lacking;
	struct bus_error why;

	if (!job)
		return;
	if (adapter_ask_body(&job->ask, bus_http_body(req), bus_http_arena(req), &why)) {
		adapter_office_problem(req, "body-invalid", why.text);
		free(job);
		return;
	}
	lacking = adapter_ask_lack(&job->ask);
	if (!lacking && strcmp(verb, "mend") == 0 && !o->conf->opd_key)
		lacking = "key-missing";
	if (lacking)
		adapter_office_problem(req, lacking, NULL);
	if (lacking || !take_key(req, job->ask.args.who, job)) {
		free(job);
		return;
	}
	hand_over(o, req, job);
}

static void on_mend(void *ctx, struct bus_http_request *req)
{
	order(ctx, req, "mend");
}

static void on_redrive(void *ctx, struct bus_http_request *req)
{
	order(ctx, req, "redrive");
}

static void on_discard(void *ctx, struct bus_http_request *req)
{
	order(ctx, req, "discard");
}

/* Waiting, or put away: its report comes after it. */
static bool was_given(const struct adapter_office *o, const char *name)
{
	static const char *const place[] = { ".", "done", "refused" };
	bool there = false;

	for (size_t i = 0; i < BUS_LEN(place) && !there; i++) {
		char *path = bus_xasprintf("%s/%s/%s", o->conf->drop.dir, place[i], name);

		there = access(path, F_OK) == 0;
		free(path);
	}
	return there;
}

static void on_order(void *ctx, struct bus_http_request *req)
{
	static const char *const state[] = { [ADAPTER_CARE_WAITS] = "waiting",
					     [ADAPTER_CARE_DONE] = "done",
					     [ADAPTER_CARE_IN_PART] = "in_part",
					     [ADAPTER_CARE_REFUSED] = "refused" };
	struct adapter_office *o = ctx;
	const char *name = bus_http_part(req, "order");
	struct bus_buf report = { 0 }, body = { 0 };
	struct bus_json_out j = { .buf = &body };
	enum adapter_care_outcome outcome;
	bool given;

	if (knock(o, req) < 0)
		return;
	if (strchr(name, '/') || name[0] == '.' || !adapter_order_is(name)) {
		adapter_office_problem(req, "order-unknown", NULL);
		return;
	}
	given = was_given(o, name);
	outcome = adapter_care_report(o->conf->drop.dir, name, &report);
	if (outcome == ADAPTER_CARE_WAITS && !given) {
		adapter_office_problem(req, "order-unknown", NULL);
		bus_buf_release(&report);
		return;
	}
	bus_json_object(&j);
	bus_json_text_member(&j, "order", name);
	bus_json_text_member(&j, "state", state[outcome]);
	bus_json_text_member(&j, "report", outcome == ADAPTER_CARE_WAITS ? NULL : bus_buf_cstr(&report));
	bus_json_object_end(&j);
	bus_buf_release(&report);
	bus_http_set(req, "Cache-Control", "no-store");
	bus_http_reply(req, 200, "application/json", &body);
}

static void on_status(void *ctx, struct bus_http_request *req)
{
	struct adapter_office *o = ctx;
	int who = knock(o, req);
	const struct adapter_map **seen;
	struct bus_buf body = { 0 };
	size_t n = 0;

	if (who < 0)
		return;
	seen = bus_xcalloc(o->n_maps + 1, sizeof(*seen));
	for (size_t i = 0; i < o->n_maps; i++)
		if (adapter_tokens_may(o->tokens, who, adapter_map_feed(o->map[i])))
			seen[n++] = o->map[i];
	adapter_status_json(o->conf, seen, n, &body);
	free(seen);
	bus_http_set(req, "Cache-Control", "no-store");
	bus_http_reply(req, 200, "application/json", &body);
}

/* ---- the thread ---- */

struct seeing {
	const struct adapter_tokens *tokens;
	int who;
};

static bool may(void *ctx, struct bus_str feed)
{
	const struct seeing *s = ctx;
	char name[128];

	snprintf(name, sizeof(name), "%.*s", (int)feed.n, feed.p ? feed.p : "");
	return adapter_tokens_may(s->tokens, s->who, name);
}

static struct adapter_office_job *take_job(struct adapter_office *o, bool *stop)
{
	struct adapter_office_job *job;

	pthread_mutex_lock(&o->lock);
	while (!o->first && !o->stop)
		pthread_cond_wait(&o->more, &o->lock);
	job = o->first;
	if (job) {
		o->first = job->next;
		o->waiting--;
	}
	if (!o->first)
		o->last = &o->first;
	*stop = o->stop;
	pthread_mutex_unlock(&o->lock);
	return job;
}

static void *work(void *ctx)
{
	struct adapter_office *o = ctx;
	struct adapter_office_job *job;
	bool stop;

	while ((job = take_job(o, &stop))) {
		struct seeing seeing = { o->tokens, job->who };

		o->care.may_ctx = &seeing;
		if (stop)
			adapter_office_problem(bus_http_ticket_request(job->ticket), "busy", NULL);
		else
			adapter_office_work(&o->care, job);
		bus_http_ticket_done(job->ticket);
		free(job);
	}
	return NULL;
}

/* ---- start and stop ---- */

static enum bus_err load(const struct adapter_office_conf *c, struct adapter_tokens **out,
			 struct bus_error *err)
{
	*out = NULL;
	if (!c->tokens[0])
		return bus_fail(err, BUS_EINVAL, "desk.address needs desk.tokens");
	return adapter_tokens_load(c->tokens, out, err);
}

enum bus_err adapter_office_check(const struct adapter_office_conf *conf, struct bus_error *err)
{
	struct adapter_tokens *tokens;
	enum bus_err rc = load(conf, &tokens, err);

	adapter_tokens_free(&tokens);
	return rc;
}

static enum bus_err listen_http(struct adapter_office *o, struct bus_error *err)
{
	static const struct bus_http_route routes[] = {
		{ "GET", "/v1/status", on_status },
		{ "GET", "/v1/quarantine", on_list },
		{ "GET", "/v1/quarantine/{id}", on_show },
		{ "GET", "/v1/quarantine/{id}/history", on_history },
		{ "POST", "/v1/quarantine/mend", on_mend },
		{ "POST", "/v1/quarantine/redrive", on_redrive },
		{ "POST", "/v1/quarantine/discard", on_discard },
		{ "POST", "/v1/quarantine/{id}/mend", on_mend },
		{ "POST", "/v1/quarantine/{id}/redrive", on_redrive },
		{ "POST", "/v1/quarantine/{id}/discard", on_discard },
		{ "GET", "/v1/orders/{order}", on_order },
		{ NULL, NULL, NULL },
	};
	static const char *const types[] = { "application/json", NULL };
	const struct adapter_office_conf *c = o->conf->office;
	const struct bus_http_tls tls = { .certificate = c->certificate, .key = c->key };
	const struct bus_http_conf conf = { .address = c->address,
					    .port = c->port,
					    .threads = 1,
					    .connections = 100,
					    .address_connections = 25,
					    .body_max = BODY_MAX,
					    .types = types,
					    .program = "titian-adapter",
					    .knows = knows,
					    .tls = c->certificate[0] ? &tls : NULL };
	enum bus_err rc = bus_http_start(&conf, routes, o, &o->http, err);

	if (!rc)
		bus_log(BUS_LOG_INFO, "desk.ready", LOG_STR("address", c->address),
			LOG_INT("port", bus_http_port(o->http)));
	return rc;
}

enum bus_err adapter_office_start(const struct adapter_run_conf *conf, const struct adapter_desk *desk,
				  struct adapter_office **out, struct bus_error *err)
{
	struct adapter_office *o = bus_xcalloc(1, sizeof(*o));
	enum bus_err rc = load(conf->office, &o->tokens, err);

	*out = NULL;
	o->conf = conf;
	o->last = &o->first;
	o->map = bus_xcalloc(desk->n_feeds + 1, sizeof(*o->map));
	for (size_t i = 0; i < desk->n_feeds; i++)
		o->map[o->n_maps++] = desk->feed[i].map;
	o->care = (struct adapter_care){ .conf = conf, .map = o->map, .n_maps = o->n_maps, .may = may };
	o->care.topic = bus_xasprintf("pku.%s.karantina.v1", conf->opd);
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->more, NULL);
	if (!rc && (errno = pthread_create(&o->thread, NULL, work, o)) != 0)
		rc = bus_fail(err, BUS_EFULL, "cannot start the thread of the desk: %m");
	else
		o->running = !rc;
	if (!rc)
		rc = listen_http(o, err);
	if (rc)
		adapter_office_stop(&o);
	*out = o;
	return rc;
}

void adapter_office_stop(struct adapter_office **op)
{
	struct adapter_office *o = *op;

	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->stop = true;
	pthread_cond_signal(&o->more);
	pthread_mutex_unlock(&o->lock);
	bus_http_stop(&o->http, STOP_MS);
	if (o->running)
		pthread_join(o->thread, NULL);
	if (o->care.store)
		schema_store_close(&o->care.store);
	free(o->care.topic);
	adapter_tokens_free(&o->tokens);
	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->more);
	free(o->map);
	free(o);
	*op = NULL;
}
