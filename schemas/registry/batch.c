#include <assert.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "schemas/registry/write_impl.h"

#define COMMIT_MS 15000

/* --- the batch in hand ------------------------------------------------------------------------------ */

void schema_writer_forget_batch(struct schema_writer *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_records; i++) {
		bus_buf_release(&w->record[i].key);
		bus_buf_release(&w->record[i].value);
	}
	for (size_t i = 0; i < w->n_given; i++)
		free(w->given[i].context);
	w->n_records = w->bytes = w->n_given = 0;
	w->closed = false;
	/* The change in hand goes into the next batch, with what it has claimed. */
	for (size_t i = 0; i < w->n_claims; i++)
		if (w->current && w->claim[i].by == w->current)
			w->claim[kept++] = w->claim[i];
	w->n_claims = kept;
}

static void put(struct schema_writer *w, const struct bus_buf *key, const struct bus_buf *value,
		int64_t time_ms)
{
	struct record *r;

	if (w->n_records == w->cap_records) {
		w->cap_records = w->cap_records ? 2 * w->cap_records : 64;
		w->record = bus_xrealloc(w->record, w->cap_records * sizeof(*w->record));
	}
	r = &w->record[w->n_records++];
	*r = (struct record){ .tombstone = value == NULL, .time_ms = time_ms };
	bus_buf_put(&r->key, key->p, key->n);
	if (value)
		bus_buf_put(&r->value, value->p, value->n);
	w->bytes += r->key.n + r->value.n;
}

void schema_writer_put(struct schema_writer *w, const struct bus_buf *key, const struct bus_buf *value)
{
	assert(!w->keys);
	put(w, key, value, 0);
}

void schema_writer_put_key(struct schema_writer *w, const struct bus_buf *key, const struct bus_buf *value,
			   int64_t time_ms)
{
	assert(w->keys);
	put(w, key, value, time_ms);
}

static enum bus_err send(struct schema_writer *w, size_t first, size_t n, struct bus_error *err)
{
	for (size_t i = first; i < first + n; i++) {
		struct bus_str key = bus_buf_str(&w->record[i].key), value = bus_buf_str(&w->record[i].value);
		struct bus_str none = { NULL, 0 };
		int64_t time_ms = w->record[i].time_ms;
		enum bus_err rc;

		rc = bus_producer_send(w->producer, w->keys ? w->registry->keys_topic : w->topic, 0, key,
				       w->record[i].tombstone ? &none : &value, NULL, 0,
				       time_ms != 0 ? time_ms : bus_clock_ms(), ++w->token, COMMIT_MS, err);
		if (rc != BUS_OK)
			return rc;
	}
	return bus_producer_flush(w->producer, COMMIT_MS, err);
}

static enum bus_err commit(struct schema_writer *w, size_t first, size_t n, struct bus_error *err)
{
	enum bus_err rc = send(w, first, n, err);

	if (rc == BUS_EKAFKA) /* aborted: nothing of it is there */
		rc = send(w, first, n, err);
	if (rc == BUS_OK)
		bus_metric_add(w->commits, 1);
	return rc;
}

/* librdkafka's own words for a producer whose transactional id somebody took over. */
static bool says_fenced(const struct bus_error *err)
{
	return strcasestr(err->text, "fenced") || strcasestr(err->text, "newer instance") ||
	       strcasestr(err->text, "newer producer");
}

void schema_writer_tell_offset(struct schema_writer *w, struct job *job, int64_t offset)
{
	char text[24];

	if (!w->registry->nodes || !job->change.forwarded)
		return;
	snprintf(text, sizeof(text), "%lld", (long long)offset);
	bus_http_set(bus_http_ticket_request(job->change.ticket), SCHEMA_OFFSET_HEADER, text);
}

void schema_writer_done(struct job *job)
{
	bus_http_ticket_done(job->change.ticket);
	bus_buf_release(&job->answer);
	free(job);
}

static void answer_failed(struct bus_http_request *req, enum bus_err rc, bool fenced,
			  const struct bus_error *err)
{
	if (fenced)
		schema_reply_error(req, 50003, "Another node has taken over the writing; ask again");
	else if (rc == BUS_ETOOBIG)
		schema_reply_error(req, 42209, "Schema too large: %s", err->text);
	else if (rc == BUS_EKAFKA)
		schema_reply_error(req, 50001, "Error in the backend data store: %s", err->text);
	else
		schema_reply_error(req, 50002, "The outcome of the write is not known; ask again: %s",
				   err->text);
}

/* What a failed commit means for the writer. True: another has fenced it. */
static bool take_failure(struct schema_writer *w, enum bus_err rc, const struct bus_error *err)
{
	bool fenced = rc == BUS_EFATAL && says_fenced(err);

	bus_log(BUS_LOG_ERROR, fenced ? "registry.fenced" : "registry.write_failed",
		LOG_STR("topic", w->topic), LOG_ERR(err));
	if (rc != BUS_EKAFKA)
		bus_producer_close(&w->producer);
	return fenced;
}

/* Commits a run of the batch's changes together and answers them. */
static enum bus_err settle(struct schema_writer *w, struct jobs *jobs, size_t first, size_t n)
{
	struct bus_error err;
	enum bus_err rc = commit(w, first, n, &err);
	bool written = rc == BUS_OK, fenced = false;
	int64_t offset = -1;
	struct job *job;

	if (rc == BUS_ETOOBIG && jobs->n > 1) {
		bus_producer_close(
		    &w->producer); /* aborts what was sent before the record that is too large */
		return rc;
	}
	if (written) {
		offset = bus_producer_offset(w->producer);
		rc = w->keys ? schema_keys_wait(w->registry->keys, offset, SCHEMA_READ_BACK_MS, &err)
			     : schema_store_wait(w->registry->store, offset, SCHEMA_READ_BACK_MS, &err);
	} else {
		fenced = take_failure(w, rc, &err);
	}
	while ((job = schema_jobs_take(jobs))) {
		struct bus_http_request *req = bus_http_ticket_request(job->change.ticket);

		bus_metric_add(rc == BUS_OK ? w->committed : w->failures, 1);
		if (written)
			schema_writer_tell_offset(w, job, offset);
		if (rc == BUS_OK)
			schema_reply(req, &job->answer);
		else if (written)
			schema_reply_error(req, 50002, "Written, but not yet read back; ask again: %s",
					   err.text);
		else
			answer_failed(req, rc, fenced, &err);
		schema_writer_done(job);
	}
	return rc;
}

/* One by one, when one of them cannot be written: the others do not build on it. */
static void settle_each(struct schema_writer *w)
{
	struct job *job;

	while ((job = schema_jobs_take(&w->open))) {
		struct jobs one = { .last = &one.first };
		struct bus_error err;

		if (!schema_writer_may_write(w, &err)) {
			schema_reply_error(bus_http_ticket_request(job->change.ticket), 50001,
					   "Error in the backend data store: %s", err.text);
			schema_writer_done(job);
			continue;
		}
		schema_jobs_add(&one, job);
		(void)settle(w, &one, job->first, job->n);
	}
}

/* Those that waited for this batch come first in the next one. */
static void requeue_later(struct schema_writer *w)
{
	struct job *job;

	if (w->later.n == 0)
		return;
	pthread_mutex_lock(&w->lock);
	while ((job = schema_jobs_take(&w->queue)))
		schema_jobs_add(&w->later, job);
	w->queue = w->later;
	pthread_mutex_unlock(&w->lock);
	w->later = (struct jobs){ .last = &w->later.first };
}

void schema_writer_close_batch(struct schema_writer *w)
{
	if (w->open.n > 0) {
		w->last_n = w->open.n;
		if (settle(w, &w->open, 0, w->n_records) == BUS_ETOOBIG)
			settle_each(w);
	}
	schema_writer_forget_batch(w);
	requeue_later(w);
}

void schema_writer_commit(struct schema_writer *w, struct bus_http_request *req, struct bus_buf *answer)
{
	struct job *job = w->current;

	assert(job && req == bus_http_ticket_request(job->change.ticket));
	job->answer = *answer;
	*answer = (struct bus_buf){ 0 };
	job->n = w->n_records - job->first;
	schema_jobs_add(&w->open, job);
	w->current = NULL;
}

/* --- what changes of one batch must not share ------------------------------------------------------- */

bool schema_writer_writable(struct schema_writer *w, struct bus_http_request *req)
{
	struct bus_error err;

	if (schema_writer_may_write(w, &err))
		return true;
	schema_reply_error(req, 50001, "Error in the backend data store: %s", err.text);
	return false;
}

/* FNV-1a. Two names that share it cost a commit, nothing else. */
static uint64_t hash(enum schema_claim kind, const void *name, size_t n)
{
	const unsigned char *p = name;
	uint64_t h = 0xcbf29ce484222325 ^ kind;

	while (n-- > 0)
		h = (h ^ *p++) * 0x100000001b3;
	return h;
}

/* The store then has all that was changed before. */
static bool see_all(struct schema_writer *w, struct bus_http_request *req)
{
	assert(w->current->first == w->n_records);
	schema_writer_close_batch(w);
	w->current->first = 0;
	return schema_writer_writable(w, req);
}

bool schema_writer_alone(struct schema_writer *w, struct bus_http_request *req)
{
	if (w->open.n > 0 && !see_all(w, req))
		return false;
	w->closed = true; /* it may bring an id of its own: nothing joins it */
	return true;
}

bool schema_writer_is_claimed(const struct schema_writer *w, uint64_t what)
{
	for (size_t i = 0; i < w->n_claims; i++)
		if (w->claim[i].what == what && w->claim[i].by != w->current)
			return true;
	return false;
}

void schema_writer_drop_claims(struct schema_writer *w, const struct job *job)
{
	while (w->n_claims > 0 && w->claim[w->n_claims - 1].by == job)
		w->n_claims--;
}

bool schema_writer_claim(struct schema_writer *w, enum schema_claim kind, const void *name, size_t n)
{
	uint64_t what = hash(kind, name, n);

	if (schema_writer_is_claimed(w, what)) {
		assert(w->current->first == w->n_records);
		w->current->blocker = what;
		schema_jobs_add(&w->later,
				w->current); /* what it has claimed stays: those behind it come behind it */
		w->current = NULL;
		return false;
	}
	if (w->n_claims == w->cap_claims) {
		w->cap_claims = w->cap_claims ? 2 * w->cap_claims : 64;
		w->claim = bus_xrealloc(w->claim, w->cap_claims * sizeof(*w->claim));
	}
	w->claim[w->n_claims++] = (struct claim){ what, w->current };
	return true;
}

int32_t schema_writer_next_id(struct schema_writer *w, const char *context, int32_t highest)
{
	struct given *g = w->given;

	while (g < w->given + w->n_given && strcmp(g->context, context) != 0)
		g++;
	if (g == w->given + w->n_given) {
		w->given = bus_xrealloc(w->given, (w->n_given + 1) * sizeof(*w->given));
		g = &w->given[w->n_given++];
		*g = (struct given){ .context = bus_xstrdup(context) };
	}
	if (g->id < highest)
		g->id = highest;
	return g->id == INT32_MAX ? 0 : ++g->id;
}
