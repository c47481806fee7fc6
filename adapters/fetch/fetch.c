#include "adapters/fetch/fetch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "adapters/care/figures.h"
#include "adapters/feed.h"
#include "adapters/fetch/kind.h"
#include "adapters/fetch/mark.h"
#include "adapters/source.h"
#include "bus/clock.h"
#include "bus/conf.h"
#include "bus/log.h"
#include "bus/wait.h"

#define EVERY_MIN_MS 1000
#define EVERY_MAX_MS (INT64_C(31) * 24 * 3600 * 1000)
#define AGAIN_MIN_MS 5000 /* after a failure; doubled up to AGAIN_MAX_MS or `every` */
#define AGAIN_MAX_MS (INT64_C(15) * 60 * 1000)
#define WAITING_MS 1000 /* between two looks whether the last file has been read */

struct adapter_fetch {
	const struct adapter_fetch_kind *kind;
	struct adapter_map *map;
	const char *dir, *feed;
	void *state;
	int64_t every_ms;
	struct adapter_mark mark; /* the thread's */
	bool more;		  /* the last fetch left something for the next */
	pthread_t thread;
	bool running;
	atomic_bool stop;
	pthread_mutex_t lock; /* for bell alone */
	pthread_cond_t bell;  /* stop has been set */
};

static const struct adapter_fetch_kind *const kinds[] = { &adapter_fetch_sql, &adapter_fetch_http,
							  &adapter_fetch_folder };

const struct adapter_fetch_kind *adapter_fetch_kind_at(size_t i)
{
	return i < BUS_LEN(kinds) ? kinds[i] : NULL;
}

static enum bus_err find_kind(struct bus_yaml *yaml, struct bus_yaml_node *conf,
			      const struct adapter_fetch_kind **out, struct bus_error *err)
{
	const char *names[BUS_LEN(kinds)], *name = NULL, *near;
	enum bus_err rc = adapter_source_word(yaml, conf, "kind", true, &name, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < BUS_LEN(kinds); i++) {
		names[i] = kinds[i]->name;
		if (strcmp(name, names[i]) == 0) {
			*out = kinds[i];
			return BUS_OK;
		}
	}
	near = bus_nearest(name, names, BUS_LEN(kinds));
	return bus_yaml_fail(yaml, bus_yaml_get(conf, "kind"), err, "no fetch kind '%s'%s%s%s", name,
			     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum bus_err read_every(struct bus_yaml *yaml, struct bus_yaml_node *conf, int64_t *out,
			       struct bus_error *err)
{
	const char *text = NULL;
	struct bus_error why;
	enum bus_err rc = adapter_source_word(yaml, conf, "every", true, &text, err);

	if (!rc && (bus_conf_ms(text, out, &why) || *out < EVERY_MIN_MS || *out > EVERY_MAX_MS))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "every"), err,
				   "every: a time from 1s to 744h, such as 15m; not '%s'", text);
	return rc;
}

/* h NULL: as an example. */
static void file_name(const struct adapter_fetch *f, int64_t ms, const struct adapter_haul *h, char *out,
		      size_t n)
{
	const char *theirs = h ? adapter_haul_file_name(h) : NULL;
	const char *ending = h && adapter_haul_ending(h) ? adapter_haul_ending(h) : f->kind->ending;
	time_t s = (time_t)(ms / 1000);
	struct tm t;

	gmtime_r(&s, &t);
	snprintf(out, n, "%.*s-%04d%02d%02dT%02d%02d%02d.%03dZ%s%s", theirs ? 70 : 180, f->feed,
		 t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, (int)(ms % 1000),
		 theirs ? "-" : ending, theirs ? theirs : "");
}

static enum bus_err check_name(struct adapter_fetch *f, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			       struct bus_error *err)
{
	char name[256];

	file_name(f, bus_clock_ms(), NULL, name, sizeof(name));
	if (adapter_map_takes(f->map, name))
		return BUS_OK;
	return bus_yaml_fail(
	    yaml, conf, err,
	    "what is fetched is called like '%s', and `files` does not take that: add \"%s-*%s\"", name,
	    f->feed, f->kind->ending);
}

enum bus_err adapter_fetch_new(struct adapter_map *m, const char *dir, struct adapter_fetch **out,
			       struct bus_error *err)
{
	struct bus_yaml *yaml;
	struct bus_yaml_node *conf = adapter_map_fetch(m, &yaml);
	struct adapter_fetch *f;
	enum bus_err rc;

	*out = NULL;
	if (!conf)
		return BUS_OK;
	f = bus_xcalloc(1, sizeof(*f));
	f->map = m;
	f->dir = dir;
	f->feed = adapter_map_feed(m);
	pthread_mutex_init(&f->lock, NULL);
	bus_cond_init(&f->bell);
	rc = conf->kind == BUS_YAML_MAP
		 ? find_kind(yaml, conf, &f->kind, err)
		 : bus_yaml_fail(yaml, conf, err, "fetch: options are needed, such as kind: sql");
	if (!rc)
		rc = read_every(yaml, conf, &f->every_ms, err);
	if (!rc)
		rc = check_name(f, yaml, conf, err);
	if (!rc)
		rc = f->kind->open(yaml, conf, adapter_map_complete(m), &f->stop, &f->state, err);
	if (rc)
		adapter_fetch_free(&f);
	*out = f;
	return rc;
}

/* A fetched file under a name of its own; true when one is still waiting to be read. */
static bool waits(const struct adapter_fetch *f)
{
	char path[4096 + 512];

	snprintf(path, sizeof(path), "%s/%s", f->dir, f->mark.file);
	return f->mark.file[0] && access(path, F_OK) == 0;
}

static bool accepted(const struct adapter_fetch *f)
{
	char path[4096 + 512];

	snprintf(path, sizeof(path), "%s/done/%s", f->dir, f->mark.file);
	return f->mark.file[0] && access(path, F_OK) == 0;
}

/* The file before, once it has been read, and the report beside it: what is fetched every few minutes for years must not
 * fill the disk. What was refused stays. */
static void discard_last(const struct adapter_fetch *f)
{
	static const char *const beside[] = { "", ".laporan.txt" };
	char path[4096 + 512];

	for (size_t i = 0; f->mark.file[0] && i < BUS_LEN(beside); i++) {
		snprintf(path, sizeof(path), "%s/done/%s%s", f->dir, f->mark.file, beside[i]);
		(void)unlink(path);
	}
}

static enum bus_err keep(struct adapter_fetch *f, struct adapter_haul *h, struct bus_error *err)
{
	int64_t now = bus_clock_ms();
	enum bus_err rc = BUS_OK;

	if (adapter_haul_rows(h) > 0) {
		discard_last(f);
		do { /* a name that is taken: the clock was set back */
			file_name(f, now++, h, f->mark.file, sizeof(f->mark.file));
			rc = adapter_haul_keep(h, f->mark.file, err);
		} while (rc == BUS_ECONFLICT && now < bus_clock_ms() + 1000);
	}
	if (rc)
		return rc;
	f->mark.when_ms = bus_clock_ms();
	if (adapter_haul_marked(h).n > 0) {
		bus_buf_reset(&f->mark.mark);
		bus_buf_put(&f->mark.mark, adapter_haul_marked(h).p, adapter_haul_marked(h).n);
	}
	return adapter_mark_save(f->dir, f->feed, &f->mark, err);
}

static enum bus_err fetch(struct adapter_fetch *f, uint64_t *rows, struct bus_error *err)
{
	struct adapter_haul *h = NULL;
	enum bus_err rc = adapter_haul_open(f->dir, f->feed, &h, err);

	f->more = false;
	if (!rc) {
		adapter_haul_set_accepted(h, accepted(f));
		rc = f->kind->run(f->state, bus_buf_str(&f->mark.mark), h, err);
	}
	if (!rc) {
		*rows = adapter_haul_rows(h);
		rc = keep(f, h, err);
	}
	if (!rc)
		f->more = adapter_haul_has_more(h);
	adapter_haul_close(&h);
	return rc;
}

static void load_mark(struct adapter_fetch *f)
{
	struct bus_error why;
	enum bus_err rc = adapter_mark_load(f->dir, f->feed, &f->mark, &why);

	if (rc && rc != BUS_ENOENT)
		bus_log(BUS_LOG_WARN, "adapter.fetch_from_start", LOG_STR("feed", f->feed), LOG_ERR(&why),
			LOG_STR("effect", "everything is fetched again; nothing is published twice"));
}

enum bus_err adapter_fetch_once(struct adapter_fetch *f, uint64_t *rows, char *file, struct bus_error *err)
{
	enum bus_err rc;

	load_mark(f);
	rc = fetch(f, rows, err);
	snprintf(file, 256, "%s", rc || *rows == 0 ? "" : f->mark.file);
	adapter_mark_release(&f->mark);
	return rc;
}

/* Until ms are over or stop is set. */
static void rest(struct adapter_fetch *f, int64_t ms)
{
	int64_t until = bus_clock_mono_ms() + ms;

	pthread_mutex_lock(&f->lock);
	while (!atomic_load(&f->stop) && bus_cond_wait(&f->bell, &f->lock, until))
		;
	pthread_mutex_unlock(&f->lock);
}

static void tell(struct adapter_fetch *f, enum bus_err rc, uint64_t rows, int64_t ms, int64_t again_ms,
		 const struct bus_error *why)
{
	char label[256];
	const char *name = label;

	adapter_file_label(f->mark.file, label, sizeof(label)); /* it may be called after a person's number */
	if (rc)
		bus_log(BUS_LOG_WARN, "adapter.fetch_failed", LOG_STR("feed", f->feed), LOG_ERR(why),
			LOG_INT("again_ms", again_ms),
			LOG_STR("effect", "nothing is lost: it is tried again"));
	else
		bus_log(rows ? BUS_LOG_INFO : BUS_LOG_DEBUG, "adapter.fetched", LOG_STR("feed", f->feed),
			LOG_INT("rows", rows), LOG_STR("name", name), LOG_INT("ms", ms));
	if (!rc && rows == 0 && adapter_map_complete(f->map) && f->kind->ending[0])
		bus_log(BUS_LOG_WARN, "adapter.fetched_nothing", LOG_STR("feed", f->feed),
			LOG_STR("effect",
				"a whole register without a row is taken for a fault: nothing is removed"));
}

static int64_t until_due(const struct adapter_fetch *f)
{
	int64_t due = f->mark.when_ms + f->every_ms - bus_clock_ms();

	/* A clock that was set back must not put the next fetch off for years. */
	return due < 0 ? 0 : due > f->every_ms ? f->every_ms : due;
}

static void *work(void *ctx)
{
	struct adapter_fetch *f = ctx;
	int64_t again_ms = 0;

	load_mark(f);
	while (!atomic_load(&f->stop)) {
		struct bus_error why = { 0 };
		uint64_t rows = 0;
		int64_t began;
		enum bus_err rc;

		rest(f, again_ms ? again_ms : f->more ? 0 : until_due(f));
		while (!atomic_load(&f->stop) && waits(f))
			rest(f, WAITING_MS);
		if (atomic_load(&f->stop))
			break;
		began = bus_clock_mono_ms();
		rc = fetch(f, &rows, &why);
		if (rc == BUS_ESTOPPED)
			break;
		if (!rc)
			again_ms = 0;
		else if (again_ms == 0)
			again_ms = AGAIN_MIN_MS;
		else if (again_ms < AGAIN_MAX_MS)
			again_ms *= 2;
		tell(f, rc, rows, bus_clock_mono_ms() - began, again_ms, &why);
		adapter_figures_fetched(f->feed, rc != BUS_OK, again_ms ? again_ms : until_due(f));
	}
	return NULL;
}

enum bus_err adapter_fetch_start(struct adapter_fetch *f, struct bus_error *err)
{
	int rc = pthread_create(&f->thread, NULL, work, f);

	if (rc) {
		errno = rc;
		return bus_fail(err, BUS_EFULL, "cannot start the thread that fetches: %m");
	}
	f->running = true;
	return BUS_OK;
}

void adapter_fetch_stop(struct adapter_fetch *f)
{
	pthread_mutex_lock(&f->lock);
	atomic_store(&f->stop, true);
	pthread_cond_signal(&f->bell);
	pthread_mutex_unlock(&f->lock);
	if (f->state && f->kind->wake)
		f->kind->wake(f->state);
	if (f->running)
		pthread_join(f->thread, NULL);
	f->running = false;
}

void adapter_fetch_free(struct adapter_fetch **fp)
{
	struct adapter_fetch *f = *fp;

	if (!f)
		return;
	adapter_fetch_stop(f);
	if (f->state)
		f->kind->close(f->state);
	adapter_mark_release(&f->mark);
	pthread_cond_destroy(&f->bell);
	pthread_mutex_destroy(&f->lock);
	free(f);
	*fp = NULL;
}
