/* The folder and the workers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/export/work.h"

/* --- the folder --------------------------------------------------------------------------------------- */

static bool is_export(const char *name)
{
	return strspn(name, "0123456789abcdef") == GW_EXPORT_ID_LEN && name[GW_EXPORT_ID_LEN] == '.';
}

/* What a run before this one has left, whole or not, belongs to nobody any more. */
static enum bus_err clean(const char *dir, bool all, struct bus_error *err)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		return bus_fail(err, BUS_EIO, "cannot read the folder '%s': %m", dir);
	while ((entry = readdir(d)))
		if (all || is_export(entry->d_name))
			unlinkat(dirfd(d), entry->d_name, 0); /* folders stay */
	closedir(d);
	return BUS_OK;
}

/* Made when it is missing; one that others can look into is refused, not changed: it may be theirs. */
static enum bus_err own_folder(const char *dir, struct bus_error *err)
{
	struct stat st;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return bus_fail(err, BUS_EIO, "cannot make the folder '%s': %m", dir);
	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
		return bus_fail(err, BUS_EINVAL, "exports.dir: '%s' is no folder", dir);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return bus_fail(err, BUS_EINVAL,
				"exports.dir: '%s' must be ours alone; run: chmod 700 '%s', or name another",
				dir, dir);
	return BUS_OK;
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
	if (rc == BUS_EINVAL || rc == BUS_EDATA || rc == BUS_ETOOBIG || rc == BUS_ECONFLICT)
		snprintf(x->why, sizeof(x->why), "%.199s", err->text);
	if (rc == BUS_ETOOBIG)
		x->hint = "format=parquet; POST /v1/exports {\"bundle\": true, \"split\": \"COLUMN\"}";
	else if (rc == BUS_EDATA)
		x->hint = "format=ndjson";
	else if (rc == BUS_ECONFLICT)
		x->hint = x->job ? NULL : GW_EXPORT_AS_JOB;
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
	ready = gw_export_tell(x);
	if (rc != BUS_OK && x->path)
		unlink(x->path);
	if (rc == BUS_OK)
		bus_log(BUS_LOG_INFO, "gateway.exported", LOG_STR("view", x->view->name),
			LOG_STR("format", gw_export_suffix(x)), LOG_STR("reader", x->reader),
			LOG_INT("rows", x->rows), LOG_INT("bytes", x->bytes),
			LOG_INT("ms", x->ended_ms - x->begun_ms));
	x->all->running_jobs -= x->job;
	pthread_mutex_unlock(&x->all->lock);
	gw_export_give_back(ready);
}

static void *worker(void *ctx)
{
	struct gw_exports *all = ctx;

	pthread_mutex_lock(&all->lock);
	while (!all->stopping) {
		struct gw_export *x = next_of(all);

		if (!x) {
			pthread_cond_wait(&all->more, &all->lock);
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
		pthread_cond_broadcast(&all->more); /* a job may have waited for this one's end */
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

enum bus_err gw_exports_open(struct gw_api *api, const struct gw_exports_conf *conf, struct gw_exports **out,
			     struct bus_error *err)
{
	struct gw_exports *all = bus_xcalloc(1, sizeof(*all));
	enum bus_err rc;

	*out = all;
	all->api = api;
	all->dir = bus_xstrdup(conf->dir);
	all->work_dir = bus_xasprintf("%s/work", conf->dir);
	all->space = conf->space;
	all->keep_ms = conf->keep_ms;
	all->patience_ms = conf->patience_ms;
	all->per_reader = conf->per_reader;
	all->n_threads = conf->threads;
	all->last = &all->first;
	memcpy(all->key, conf->key, sizeof(all->key));
	bus_ed25519_public(all->key, all->public_key);
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->more, NULL);
	all->thread = bus_xcalloc((size_t)all->n_threads, sizeof(*all->thread));
	rc = own_folder(all->dir, err);
	if (rc == BUS_OK)
		rc = own_folder(all->work_dir, err);
	if (rc == BUS_OK)
		rc = clean(all->dir, false, err);
	if (rc == BUS_OK)
		rc = clean(all->work_dir, true, err);
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
		*end = gw_export_tell(x);
	}
	pthread_cond_broadcast(&all->more);
	pthread_mutex_unlock(&all->lock);
	gw_export_give_back(ready);
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
		gw_export_forget(all->first);
	pthread_mutex_destroy(&all->lock);
	pthread_cond_destroy(&all->more);
	explicit_bzero(all->key, sizeof(all->key));
	free(all->thread);
	free(all->dir);
	free(all->work_dir);
	free(all);
	*e = NULL;
}
