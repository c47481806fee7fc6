#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "bus/client.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/wait.h"
#include "schemas/registry/registry.h"

#define THREADS 16
#define QUEUE_MAX 1024
#define WAIT_MS 10000	   /* for a writer to be known */
#define CALL_MS 20000	   /* its own bounds are shorter */
#define READ_BACK_MS 10000 /* for this node to read what the writer wrote */
#define LOOK_MS 50
#define REFUSED_HEADER "X-Titian-Not-Writer"

struct item {
	struct item *next;
	struct schema_errand change;
};

struct schema_forward {
	struct schema_registry *registry;
	struct bus_client_conf conf;
	bool guarded;
	struct bus_metric *forwarded, *failed;
	pthread_t thread[THREADS];
	size_t n_threads;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t more;
	struct item *first, **last;
	size_t n;
	bool stop;
};

/* --- on an HTTP thread ------------------------------------------------------------------------------ */

static const char *header(struct bus_http_request *req, const char *name)
{
	const char *value = bus_http_header(req, name);

	return value ? bus_arena_dup(bus_http_arena(req), value, strlen(value)) : NULL;
}

static void refuse_full(struct bus_http_request *req)
{
	schema_reply_error(req, 50001, "Error in the backend data store: too many changes wait");
}

/* For a node that took this one for the writer: it asks the one that is. */
static void refuse_forwarded(struct bus_http_request *req)
{
	bus_http_set(req, REFUSED_HEADER, "true");
	schema_reply_error(req, 50004, "Leader not known.");
}

static void hand_over(struct schema_registry *r, struct bus_http_request *req, struct schema_errand change)
{
	const char *forward = bus_http_header(req, "X-Forward");
	struct schema_nodes_view v = { .role = SCHEMA_NODE_WRITER };

	change.forwarded = forward && strcasecmp(forward, "false") == 0;
	change.type = header(req, "Content-Type");
	change.accept = header(req, "Accept");
	change.until_ms = bus_clock_mono_ms() + WAIT_MS;
	if (r->nodes)
		schema_nodes_view(r->nodes, &v);
	if (v.role != SCHEMA_NODE_WRITER && change.forwarded) {
		refuse_forwarded(req);
		return;
	}
	change.ticket = bus_http_defer(req);
	if (v.role != SCHEMA_NODE_WRITER) {
		schema_forward_take(r->forward, &change);
	} else if (!schema_writer_take(r->writer, &change)) {
		refuse_full(req);
		bus_http_ticket_done(change.ticket);
	}
}

void schema_registry_change(struct schema_registry *r, struct bus_http_request *req, schema_edit_fn fn,
			    bool alone)
{
	hand_over(r, req, (struct schema_errand){ .fn = fn, .alone = alone });
}

void schema_registry_change_keys(struct schema_registry *r, struct bus_http_request *req, schema_edit_fn fn)
{
	hand_over(r, req, (struct schema_errand){ .fn = fn, .keys = true });
}

/* --- the queue -------------------------------------------------------------------------------------- */

void schema_forward_take(struct schema_forward *f, const struct schema_errand *change)
{
	struct bus_http_request *req = bus_http_ticket_request(change->ticket);
	struct item *item;
	bool full;

	if (change->forwarded) {
		refuse_forwarded(req);
		bus_http_ticket_done(change->ticket);
		return;
	}
	pthread_mutex_lock(&f->lock);
	full = f->n >= QUEUE_MAX;
	if (!full) {
		item = bus_xcalloc(1, sizeof(*item));
		item->change = *change;
		*f->last = item;
		f->last = &item->next;
		f->n++;
		pthread_cond_signal(&f->more);
	}
	pthread_mutex_unlock(&f->lock);
	if (full) {
		refuse_full(req);
		bus_http_ticket_done(change->ticket);
	}
}

static struct item *next_item(struct schema_forward *f, bool *stop)
{
	struct item *item;

	pthread_mutex_lock(&f->lock);
	while (!f->first && !f->stop)
		pthread_cond_wait(&f->more, &f->lock);
	*stop = f->stop;
	item = f->first;
	if (item) {
		f->first = item->next;
		if (!f->first)
			f->last = &f->first;
		f->n--;
	}
	pthread_mutex_unlock(&f->lock);
	return item;
}

/* --- one change ------------------------------------------------------------------------------------- */

/* What Confluent calls the request in its words. */
static const char *name_of(const struct bus_http_request *req)
{
	const char *method = bus_http_method(req), *path = bus_http_path(req);
	bool delete = strcmp(method, "DELETE") == 0;

	if (strstr(path, "/dek-registry/"))
		return delete ? "delete key" : "update key";
	if (strncmp(path, "/config", 7) == 0)
		return delete ? "delete config" : "update config";
	if (strncmp(path, "/mode", 5) == 0)
		return delete ? "delete subject mode" : "update mode";
	if (delete)
		return strstr(path, "/versions/") ? "delete schema version" : "delete subject";
	return "register schema";
}

static void refuse(struct schema_forward *f, struct bus_http_request *req, int code)
{
	bus_metric_add(f->failed, 1);
	if (code == 50003)
		schema_reply_error(req, code, "Error while forwarding %s request to the leader",
				   name_of(req));
	else
		schema_reply_error(req, code, "Leader not known.");
}

static void refuse_because(struct schema_forward *f, struct bus_http_request *req, const char *url,
			   const char *why)
{
	bus_metric_add(f->failed, 1);
	bus_log(BUS_LOG_WARN, "registry.forward_refused", LOG_STR("url", url), LOG_STR("reason", why));
	schema_reply_error(req, 50003, "Error while forwarding %s request to the leader: %s", name_of(req),
			   why);
}

struct watch {
	struct schema_forward *f;
	int64_t term;
};

/* An answer of a writer that was chosen off will not come, or mean nothing. */
static bool still_writer(void *ctx)
{
	const struct watch *watch = ctx;
	struct schema_nodes_view v;

	schema_nodes_view(watch->f->registry->nodes, &v);
	return v.role == SCHEMA_NODE_ALONE || v.term == watch->term;
}

enum { ANSWER_TYPE, ANSWER_OFFSET, ANSWER_REFUSED, ANSWER_NEWS, N_ANSWER };

static enum bus_err read_back(struct schema_registry *r, bool keys, int64_t offset, struct bus_error *err)
{
	return keys ? schema_keys_wait(r->keys, offset, READ_BACK_MS, err)
		    : schema_store_wait(r->store, offset, READ_BACK_MS, err);
}

/* Could a registry have said that? */
static bool answer_ok(int status, const char *type, const struct bus_buf *answer)
{
	return status >= 200 && status <= 599 && (type[0] ? schema_reply_type_ok(type) : answer->n == 0);
}

/* False: that node does not write. */
static bool relay(struct schema_forward *f, const struct schema_errand *change, const char *url, int status,
		  const struct bus_client_header *want, struct bus_buf *answer)
{
	struct bus_http_request *req = bus_http_ticket_request(change->ticket);
	struct bus_error err;

	if (want[ANSWER_REFUSED].value[0])
		return false;
	if (!answer_ok(status, want[ANSWER_TYPE].value, answer)) {
		refuse_because(f, req, url, "its answer is not a registry's");
		return true;
	}
	if (want[ANSWER_OFFSET].value[0] &&
	    read_back(f->registry, change->keys, strtoll(want[ANSWER_OFFSET].value, NULL, 10), &err) !=
		BUS_OK)
		schema_reply_error(req, 50002, "Written, but not yet read back; ask again: %s", err.text);
	else {
		if (want[ANSWER_NEWS].value[0])
			bus_http_set(req, SCHEMA_NEWS_HEADER, want[ANSWER_NEWS].value);
		bus_http_reply(req, status, want[ANSWER_TYPE].value, answer);
	}
	bus_metric_add(f->forwarded, 1);
	return true;
}

static char *line(const char *name, const char *value)
{
	return value ? bus_xasprintf("%s: %s", name, value) : NULL;
}

/* NULL: it may. Who asked is told by a vouch alone: a password or token that went with the request would go to
 * whoever says that he is the writer. */
static const char *may_not_forward(const struct schema_forward *f, const struct schema_nodes_view *writer,
				   bool vouched)
{
	if (f->registry->access && !vouched)
		return "a node with a policy passes nothing on without a node key; set access.node_key on "
		       "all "
		       "nodes";
	if (f->guarded && !bus_client_guarded(writer->url))
		return "its URL is plain HTTP; give all nodes a certificate and an https registry.url";
	return NULL;
}

/* True: the request has been answered. */
static bool forward(struct schema_forward *f, const struct schema_errand *change,
		    const struct schema_nodes_view *writer, struct bus_client *client)
{
	struct bus_http_request *req = bus_http_ticket_request(change->ticket);
	const char *query = bus_http_raw_query(req), *method = bus_http_method(req), *header[5];
	struct bus_buf asked_by = { 0 };
	bool vouched = schema_access_vouch(f->registry->access, req, &asked_by);
	char *url = bus_xasprintf("%s%s%s%s", writer->url, bus_http_path(req), query[0] ? "?" : "", query);
	char *more[] = { line("X-Forward", "false"), line("X-Request-Id", bus_http_id(req)),
			 vouched ? line(SCHEMA_NODE_HEADER, bus_buf_cstr(&asked_by)) : NULL,
			 line("Accept", change->accept) };
	struct bus_client_header want[N_ANSWER] = { { .name = "Content-Type" },
						    { .name = SCHEMA_OFFSET_HEADER },
						    { .name = REFUSED_HEADER },
						    { .name = SCHEMA_NEWS_HEADER } };
	struct watch watch = { f, writer->term };
	const char *why = may_not_forward(f, writer, vouched);
	bool answered, unsent;
	const struct bus_client_call call = { .method = method,
					      .url = url,
					      .type = change->type,
					      .body = bus_http_body(req),
					      .header = header,
					      .timeout_ms = CALL_MS,
					      .go_on = still_writer,
					      .ctx = &watch,
					      .want = want,
					      .n_want = N_ANSWER,
					      .unsent = &unsent };
	struct bus_buf answer = { 0 };
	struct bus_error err;
	size_t n = 0;
	int status;

	for (size_t i = 0; i < BUS_LEN(more); i++)
		if (more[i])
			header[n++] = more[i];
	header[n] = NULL;
	if (why) {
		refuse_because(f, req, writer->url, why);
		answered = true;
	} else if (bus_client_call(client, &call, &status, &answer, &err) == BUS_OK) {
		answered = relay(f, change, writer->url, status, want, &answer);
	} else {
		bus_log(BUS_LOG_WARN, "registry.forward_failed", LOG_STR("url", writer->url), LOG_ERR(&err));
		/* Not done, or done again without harm: the next writer knows what the last one committed. */
		answered = !unsent && strcmp(method, "DELETE") == 0;
		if (answered)
			refuse(f, req, 50003);
	}
	bus_buf_release(&answer);
	bus_buf_release(&asked_by);
	for (size_t i = 0; i < BUS_LEN(more); i++)
		free(more[i]);
	free(url);
	return answered;
}

/* Waits a moment, or until stop. */
static void pause_a_moment(struct schema_forward *f)
{
	pthread_mutex_lock(&f->lock);
	if (!f->stop)
		(void)bus_cond_wait(&f->more, &f->lock, bus_clock_mono_ms() + LOOK_MS);
	pthread_mutex_unlock(&f->lock);
}

static bool stopping(struct schema_forward *f)
{
	bool stop;

	pthread_mutex_lock(&f->lock);
	stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

/* Until it is answered, or the writer of this node has taken it. */
static void carry(struct schema_forward *f, struct bus_client *client, const struct schema_errand *change)
{
	struct bus_http_request *req = bus_http_ticket_request(change->ticket);
	bool tried = false;

	for (;;) {
		struct schema_nodes_view v;

		schema_nodes_view(f->registry->nodes, &v);
		if (v.role == SCHEMA_NODE_WRITER && schema_writer_take(f->registry->writer, change))
			return;
		if (v.role == SCHEMA_NODE_FOLLOWER) {
			tried = true;
			if (forward(f, change, &v, client))
				break;
		}
		if (bus_clock_mono_ms() >= change->until_ms || stopping(f)) {
			refuse(f, req, tried ? 50003 : 50004);
			break;
		}
		pause_a_moment(f);
	}
	bus_http_ticket_done(change->ticket);
}

static void *carry_all(void *ctx)
{
	struct schema_forward *f = ctx;
	struct bus_client *client;
	struct item *item;
	bool stop;

	if (bus_client_open(&f->conf, &client, NULL) != BUS_OK)
		return NULL;

	while ((item = next_item(f, &stop)) || !stop) {
		if (!item)
			continue;
		carry(f, client, &item->change);
		free(item);
	}
	bus_client_close(&client);
	return NULL;
}

/* --- start, stop ------------------------------------------------------------------------------------ */

enum bus_err schema_forward_start(struct schema_registry *r, const struct bus_client_conf *conf, bool guarded,
				  struct schema_forward **out, struct bus_error *err)
{
	struct schema_forward *f = bus_xcalloc(1, sizeof(*f));
	struct bus_client *client;
	enum bus_err rc;

	*out = NULL;
	f->registry = r;
	f->conf = *conf;
	f->guarded = guarded;
	f->last = &f->first;
	f->forwarded = bus_metric("titian_registry_forwards_total", "counter",
				  "Changes passed on to the writer.", "result=\"answered\"");
	f->failed = bus_metric("titian_registry_forwards_total", "counter",
			       "Changes passed on to the writer.", "result=\"failed\"");
	pthread_mutex_init(&f->lock, NULL);
	bus_cond_init(&f->more);
	rc = bus_client_open(conf, &client, err); /* are its files good? */
	bus_client_close(&client);
	for (; rc == BUS_OK && f->n_threads < THREADS; f->n_threads += rc == BUS_OK) {
		errno = pthread_create(&f->thread[f->n_threads], NULL, carry_all, f);
		if (errno != 0)
			rc = bus_fail(err, BUS_EIO, "cannot start a thread: %m");
	}
	if (rc == BUS_OK)
		*out = f;
	else
		schema_forward_stop(&f);
	return rc;
}

void schema_forward_stop(struct schema_forward **ff)
{
	struct schema_forward *f = *ff;

	if (!f)
		return;
	*ff = NULL;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->more);
	pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < f->n_threads; i++)
		pthread_join(f->thread[i], NULL);
	pthread_cond_destroy(&f->more);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
