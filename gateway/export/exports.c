/* The folder, the queue and the workers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/export/work.h"

#define QUESTION_MAX ((size_t)256 * 1024)

static bool is_ours(const char *name)
{
	return strspn(name, "0123456789abcdef") >= 16 && strchr(name, '.');
}

/* What a run before this one has left, whole or not, belongs to nobody any more. */
static enum bus_err clean(const char *dir, struct bus_error *err)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		return bus_fail(err, BUS_EIO, "cannot read the folder '%s': %m", dir);
	while ((entry = readdir(d)))
		if (is_ours(entry->d_name))
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	return BUS_OK;
}

/* --- one export --------------------------------------------------------------------------------------- */

struct gw_export *gw_export_new(struct gw_exports *all, const char *reader, const struct gw_view *v,
				struct gw_grant grant)
{
	struct gw_export *x = bus_xcalloc(1, sizeof(*x));
	uint8_t chance[GW_EXPORT_ID_LEN / 2];

	bus_random(chance, sizeof(chance));
	bus_hex(chance, sizeof(chance), x->id);
	x->all = all;
	snprintf(x->reader, sizeof(x->reader), "%s", reader);
	x->split = -1;
	x->view = gw_view_ref(v);
	x->arena = bus_arena_new(QUESTION_MAX);
	gw_params_begin(&x->params, v, grant, x->arena);
	x->created_ms = bus_clock_ms();
	x->fd = -1;
	x->expected = -1;
	x->refs = 1;
	return x;
}

static void export_free(struct gw_export *x)
{
	if (x->fd >= 0)
		close(x->fd);
	if (x->path)
		unlink(x->path);
	free(x->path);
	bus_arena_free(&x->arena);
	bus_buf_release(&x->question);
	bus_buf_release(&x->cursor);
	gw_view_unref(&x->view);
	free(x);
}

/* Under the lock. */
static void drop(struct gw_export *x)
{
	if (--x->refs > 0)
		return;
	x->all->used -= x->held;
	export_free(x);
}

void gw_export_unref(struct gw_export **xp)
{
	struct gw_export *x = *xp;
	struct gw_exports *all;

	*xp = NULL;
	if (!x)
		return;
	all = x->all;
	pthread_mutex_lock(&all->lock);
	drop(x);
	pthread_mutex_unlock(&all->lock);
}

/* Under the lock: nobody finds it any more; its file goes now, its bytes once nobody reads it. */
static void forget(struct gw_export *x)
{
	struct gw_exports *all = x->all;
	struct gw_export **at = &all->first;

	if (!x->listed)
		return;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	if (all->last == &x->next)
		all->last = at;
	x->listed = false;
	if (x->path)
		unlink(x->path);
	drop(x);
}

static bool is_over(const struct gw_export *x)
{
	return x->state >= GW_EXPORT_DONE;
}

/* Under the lock: the files that are needed least, as long as there is too much. Those of jobs are promised for a
 * time: they go last. */
static bool make_room(struct gw_exports *all, const struct gw_export *keep)
{
	for (int jobs = 0; jobs < 2; jobs++) {
		struct gw_export *next;

		for (struct gw_export *x = all->first; x && all->used > all->space; x = next) {
			next = x->next;
			if (x != keep && is_over(x) && x->job == (jobs == 1) && x->refs == 1)
				forget(x);
		}
	}
	return all->used <= all->space;
}

/* --- who waits, who follows --------------------------------------------------------------------------- */

bool gw_export_waits(const struct gw_export *x, bool end)
{
	return !is_over(x) && (end || !x->cut || x->kind->rows_max || x->bundle);
}

/* Under the lock: followers are woken; who has waited long enough is handed out. */
static struct gw_waiter *tell(struct gw_export *x)
{
	struct gw_waiter **at = &x->waiters, *ready = NULL, *w;

	while ((w = *at)) {
		if (gw_export_waits(x, w->end) && !x->all->stopping) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = ready;
		ready = w;
	}
	for (struct gw_follower *f = x->followers; f; f = f->next)
		bus_http_wake(f->stream);
	return ready;
}

/* Not under the lock: a request whose peer has gone ends here, and lets go of its export. */
static void give_back(struct gw_waiter *ready)
{
	struct gw_waiter *w;

	while ((w = ready)) {
		ready = w->next;
		bus_http_ticket_again(w->ticket);
		free(w);
	}
}

static enum bus_err hold(struct gw_export *x, int64_t held, int64_t readable, struct bus_error *err)
{
	struct gw_exports *all = x->all;
	struct gw_waiter *ready;
	bool room;

	pthread_mutex_lock(&all->lock);
	x->bytes += readable;
	x->held += held;
	all->used += held;
	room = make_room(all, x);
	ready = tell(x);
	pthread_mutex_unlock(&all->lock);
	give_back(ready);
	return room ? BUS_OK : bus_fail(err, BUS_EFULL, "no room for this export");
}

enum bus_err gw_export_held(struct gw_export *x, int64_t n, struct bus_error *err)
{
	return hold(x, n, 0, err);
}

enum bus_err gw_export_grown(struct gw_export *x, size_t n, struct bus_error *err)
{
	return hold(x, (int64_t)n, (int64_t)n, err);
}

void gw_export_cut(struct gw_export *x, int64_t seq)
{
	const struct gw_cursors cursors = gw_api_cursors(x->all->api);
	struct gw_waiter *ready;

	pthread_mutex_lock(&x->all->lock);
	x->seq = seq;
	bus_clock_iso_wib(bus_clock_ms() / 1000 * 1000, x->as_of, sizeof(x->as_of));
	gw_cursor_put_feed(&cursors, x->view, seq, &x->cursor);
	bus_buf_cstr(&x->cursor);
	x->cut = true;
	ready = tell(x);
	pthread_mutex_unlock(&x->all->lock);
	give_back(ready);
}

/* --- the queue ---------------------------------------------------------------------------------------- */

const char *gw_export_queue(struct gw_export *x)
{
	struct gw_exports *all = x->all;
	struct gw_export *oldest = NULL;
	int busy = 0, kept = 0, waiting = 0;

	pthread_mutex_lock(&all->lock);
	for (struct gw_export *o = all->first; o; o = o->next) {
		waiting += o->state == GW_EXPORT_QUEUED;
		if (strcmp(o->reader, x->reader) != 0)
			continue;
		busy += !is_over(o);
		if (!is_over(o) || o->job != x->job)
			continue;
		kept++;
		if (!oldest)
			oldest = o;
	}
	if (all->stopping || waiting >= GW_EXPORTS_WAITING || busy >= all->per_reader) {
		bool mine = busy >= all->per_reader;

		pthread_mutex_unlock(&all->lock);
		return mine ? "too-many-exports" : "unavailable";
	}
	if (kept >= 4 * all->per_reader)
		forget(oldest);
	x->refs++;
	x->listed = true;
	*all->last = x;
	all->last = &x->next;
	pthread_cond_signal(&all->work);
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

struct gw_export *gw_export_find(struct gw_exports *all, const char *id, const char *reader)
{
	struct gw_export *x;

	pthread_mutex_lock(&all->lock);
	for (x = all->first; x; x = x->next)
		if (strcmp(x->id, id) == 0 && strcmp(x->reader, reader) == 0)
			break;
	if (x)
		x->refs++;
	pthread_mutex_unlock(&all->lock);
	return x;
}

void gw_export_cancel(struct gw_export *x)
{
	struct gw_waiter *ready = NULL;

	pthread_mutex_lock(&x->all->lock);
	x->stop = true;
	if (x->state == GW_EXPORT_QUEUED) {
		x->state = GW_EXPORT_CANCELLED;
		ready = tell(x);
	}
	forget(x);
	pthread_mutex_unlock(&x->all->lock);
	give_back(ready);
}

void gw_exports_tick(struct gw_exports *all)
{
	const int64_t now = bus_clock_mono_ms();
	struct gw_export *next;

	pthread_mutex_lock(&all->lock);
	for (struct gw_export *x = all->first; x; x = next) {
		next = x->next;
		if (is_over(x) && now - x->ended_ms > all->keep_ms)
			forget(x);
	}
	pthread_mutex_unlock(&all->lock);
}

/* --- the workers -------------------------------------------------------------------------------------- */

/* Under the lock. One worker is always left to those who wait at their end of a connection. */
static struct gw_export *next_of(struct gw_exports *all)
{
	for (struct gw_export *x = all->first; x; x = x->next)
		if (x->state == GW_EXPORT_QUEUED &&
		    (!x->job || all->n_threads == 1 || all->running_jobs < all->n_threads - 1))
			return x;
	return NULL;
}

static enum bus_err begin(struct gw_export *x, struct bus_error *err)
{
	x->path = bus_xasprintf("%s/%s.%s", x->all->dir, x->id, gw_export_suffix(x));
	x->fd = open(x->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return x->fd >= 0 ? BUS_OK : bus_fail(err, BUS_EIO, "cannot make a file in '%s': %m", x->all->dir);
}

/* What went wrong as the reader is told; what is our own trouble goes to the log. */
static void fail(struct gw_export *x, enum bus_err rc, const struct bus_error *err)
{
	x->state = rc == BUS_ESTOPPED ? GW_EXPORT_CANCELLED : GW_EXPORT_FAILED;
	x->problem = rc == BUS_EINVAL			    ? "parameter-invalid"
		     : rc == BUS_EDATA || rc == BUS_ETOOBIG ? "export-impossible"
		     : rc == BUS_ECONFLICT		    ? "not-ready"
							    : "unavailable";
	if (rc == BUS_EINVAL || rc == BUS_EDATA || rc == BUS_ETOOBIG)
		snprintf(x->why, sizeof(x->why), "%.199s", err->text);
	if (rc == BUS_ETOOBIG)
		x->hint = "format=parquet; POST /v1/exports {\"bundle\": true, \"split\": \"COLUMN\"}";
	else if (rc == BUS_EDATA)
		x->hint = "format=ndjson";
	if (rc != BUS_ESTOPPED)
		bus_log(strcmp(x->problem, "unavailable") == 0 ? BUS_LOG_ERROR : BUS_LOG_INFO,
			"gateway.export_failed", LOG_STR("view", x->view->name),
			LOG_STR("format", x->kind->name), LOG_ERR(err));
}

static void work(struct gw_export *x)
{
	struct bus_error err = { 0 };
	enum bus_err rc = begin(x, &err);
	struct gw_waiter *ready;

	if (rc == BUS_OK)
		rc = x->bundle ? gw_export_bundle(x, &err) : gw_export_run(x, &err);
	pthread_mutex_lock(&x->all->lock);
	x->ended_ms = bus_clock_mono_ms();
	if (rc == BUS_OK)
		x->state = GW_EXPORT_DONE;
	else
		fail(x, rc, &err);
	ready = tell(x);
	if (rc != BUS_OK && x->path)
		unlink(x->path);
	if (rc == BUS_OK)
		bus_log(BUS_LOG_INFO, "gateway.exported", LOG_STR("view", x->view->name),
			LOG_STR("format", gw_export_suffix(x)), LOG_STR("reader", x->reader),
			LOG_INT("rows", x->rows), LOG_INT("bytes", x->bytes),
			LOG_INT("ms", x->ended_ms - x->begun_ms));
	x->all->running_jobs -= x->job;
	pthread_mutex_unlock(&x->all->lock);
	give_back(ready);
}

static void *worker(void *ctx)
{
	struct gw_exports *all = ctx;

	pthread_mutex_lock(&all->lock);
	while (!all->stopping) {
		struct gw_export *x = next_of(all);

		if (!x) {
			pthread_cond_wait(&all->work, &all->lock);
			continue;
		}
		x->state = GW_EXPORT_RUNNING;
		x->begun_ms = bus_clock_mono_ms();
		x->refs++;
		all->running_jobs += x->job;
		pthread_mutex_unlock(&all->lock);
		work(x);
		gw_export_unref(&x);
		pthread_mutex_lock(&all->lock);
		pthread_cond_broadcast(&all->work); /* a job may have waited for this one's end */
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

enum bus_err gw_exports_open(struct gw_api *api, const struct gw_exports_conf *conf, struct gw_exports **out,
			     struct bus_error *err)
{
	struct gw_exports *all = bus_xcalloc(1, sizeof(*all));
	enum bus_err rc = BUS_OK;

	*out = all;
	all->api = api;
	all->dir = bus_xstrdup(conf->dir);
	all->space = conf->space;
	all->keep_ms = conf->keep_ms;
	all->per_reader = conf->per_reader;
	all->n_threads = conf->threads;
	all->last = &all->first;
	memcpy(all->key, conf->key, sizeof(all->key));
	bus_ed25519_public(all->key, all->public_key);
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->work, NULL);
	all->thread = bus_xcalloc((size_t)all->n_threads, sizeof(*all->thread));
	if (mkdir(all->dir, 0700) != 0 && errno != EEXIST)
		rc = bus_fail(err, BUS_EIO, "cannot make the folder '%s': %m", all->dir);
	else if (chmod(all->dir, 0700) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot keep the folder '%s' to ourselves: %m", all->dir);
	if (rc == BUS_OK)
		rc = clean(all->dir, err);
	for (; rc == BUS_OK && all->started < all->n_threads; all->started++)
		if (pthread_create(&all->thread[all->started], NULL, worker, all) != 0)
			rc = bus_fail(err, BUS_EIO, "cannot start a thread for exports");
	if (rc != BUS_OK)
		gw_exports_free(out);
	return rc;
}

void gw_exports_stop(struct gw_exports *all)
{
	struct gw_waiter *ready = NULL;

	pthread_mutex_lock(&all->lock);
	all->stopping = true;
	for (struct gw_export *x = all->first; x; x = x->next) {
		struct gw_waiter **end = &ready;

		x->stop = true;
		if (x->state == GW_EXPORT_QUEUED)
			x->state = GW_EXPORT_CANCELLED;
		while (*end)
			end = &(*end)->next;
		*end = tell(x);
	}
	pthread_cond_broadcast(&all->work);
	pthread_mutex_unlock(&all->lock);
	give_back(ready);
	for (int i = 0; i < all->started; i++)
		pthread_join(all->thread[i], NULL);
	all->started = 0;
}

void gw_exports_free(struct gw_exports **e)
{
	struct gw_exports *all = *e;

	if (!all)
		return;
	gw_exports_stop(all);
	while (all->first)
		forget(all->first);
	pthread_mutex_destroy(&all->lock);
	pthread_cond_destroy(&all->work);
	explicit_bzero(all->key, sizeof(all->key));
	free(all->thread);
	free(all->dir);
	free(all);
	*e = NULL;
}
