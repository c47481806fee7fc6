#include "adapters/care/figures.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/metrics.h"

#define EVERY_MS 1000

static struct bus_metric *of_feed(const char *name, const char *type, const char *help, const char *feed)
{
	char labels[160];

	snprintf(labels, sizeof(labels), "feed=\"%.120s\"", feed);
	return bus_metric(name, type, help, labels);
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

static void gauge(const char *name, const char *help, const char *feed, double v)
{
	bus_metric_set(of_feed(name, "gauge", help, feed), v);
}

static void add(const char *name, const char *help, const char *feed, uint64_t n)
{
	bus_metric_add(of_feed(name, "counter", help, feed), (int64_t)n);
}

static void file_in_hand(const char *feed, double bytes, double of, double rows, double since)
{
	gauge("titian_adapter_file_read_bytes", "Of the file in hand: bytes read.", feed, bytes);
	gauge("titian_adapter_file_bytes", "Bytes of the file in hand; 0: none.", feed, of);
	gauge("titian_adapter_file_rows", "Of the file in hand: rows read.", feed, rows);
	gauge("titian_adapter_file_started_seconds", "When the file in hand was begun.", feed, since);
}

void adapter_figures_reading(const struct adapter_tally *t, uint64_t bytes)
{
	file_in_hand(t->feed, (double)bytes, (double)t->size, (double)t->rows, seconds(t->started));
}

static void add_class(void *ctx, const char *name, uint64_t n)
{
	const struct adapter_tally *t = ctx;
	char labels[256];

	for (const char *p = name; *p; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
			return;
	snprintf(labels, sizeof(labels), "feed=\"%.120s\",class=\"%.80s\"", t->feed, name);
	bus_metric_add(bus_metric("titian_adapter_class_total", "counter", "Rows with this defect.", labels),
		       (int64_t)n);
}

void adapter_figures_closed(const struct adapter_tally *t)
{
	struct adapter_tally copy = *t;

	file_in_hand(t->feed, 0, 0, 0, 0);
	add("titian_adapter_files_total", "Files read.", t->feed, 1);
	add("titian_adapter_rows_total", "Rows read.", t->feed, t->rows);
	add("titian_adapter_published_total", "Records published.", t->feed, t->published);
	add("titian_adapter_same_total", "Rows that were in the log already.", t->feed, t->same);
	add("titian_adapter_refused_total", "Rows refused.", t->feed, t->refused);
	add("titian_adapter_removed_total", "Keys removed.", t->feed, t->removed);
	adapter_tally_each(t, false, add_class, &copy);
	gauge("titian_adapter_last_file_seconds", "When a file was read to its end last.", t->feed,
	      seconds(t->ended));
	if (t->ended > t->started)
		gauge("titian_adapter_last_file_rows_per_second", "How fast that was.", t->feed,
		      (double)t->rows * 1000 / (double)(t->ended - t->started));
	if (t->published + t->removed > 0)
		gauge("titian_adapter_last_record_seconds", "When a file's last record was in Kafka.",
		      t->feed, seconds(t->ended));
}

void adapter_figures_kafka(bool away)
{
	struct bus_metric *m = bus_metric("titian_adapter_kafka_away_since_seconds", "gauge",
					  "Since when Kafka takes no records; 0: it does.", "");

	if (!away || bus_metric_get(m) == 0)
		bus_metric_set(m, away ? seconds(bus_clock_ms()) : 0);
}

void adapter_figures_fetched(const char *feed, bool failed, int64_t next_ms)
{
	double now = seconds(bus_clock_ms());

	gauge("titian_adapter_fetch_failed", "The last fetch failed.", feed, failed);
	gauge("titian_adapter_fetch_next_seconds", "When the next fetch begins.", feed,
	      now + seconds(next_ms));
	if (!failed)
		gauge("titian_adapter_fetch_last_seconds", "When a fetch went well last.", feed, now);
}

/* ---- the thread ---- */

struct adapter_figures {
	char *path, *hidden;
	void (*refresh)(void *ctx);
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock; /* stop */
	pthread_cond_t wake;
	bool stop;
};

/* What cannot be written is not told: the page says how old it is. */
static void write_all(struct adapter_figures *f)
{
	struct bus_buf text = { 0 };
	int fd;
	bool written;

	if (f->refresh)
		f->refresh(f->ctx);
	bus_metric_set(bus_metric("titian_adapter_written_seconds", "gauge", "When this was written.", ""),
		       seconds(bus_clock_ms()));
	bus_metrics_text(&text);
	fd = open(f->hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	written = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
	if (fd >= 0)
		close(fd);
	if (!written || rename(f->hidden, f->path) != 0)
		unlink(f->hidden);
	bus_buf_release(&text);
}

static void *work(void *arg)
{
	struct adapter_figures *f = arg;

	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		struct timespec until;

		pthread_mutex_unlock(&f->lock);
		write_all(f);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += EVERY_MS / 1000;
		pthread_mutex_lock(&f->lock);
		if (!f->stop)
			pthread_cond_timedwait(&f->wake, &f->lock, &until);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

struct adapter_figures *adapter_figures_start(const char *drop_dir, void (*refresh)(void *ctx), void *ctx)
{
	struct adapter_figures *f = bus_xcalloc(1, sizeof(*f));

	f->path = bus_xasprintf("%s/" ADAPTER_FIGURES_FILE, drop_dir);
	f->hidden = bus_xasprintf("%s/" ADAPTER_FIGURES_FILE ".new", drop_dir);
	f->refresh = refresh;
	f->ctx = ctx;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wake, NULL);
	if (pthread_create(&f->thread, NULL, work, f) != 0)
		abort();
	return f;
}

void adapter_figures_stop(struct adapter_figures **fp)
{
	struct adapter_figures *f = *fp;

	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	unlink(f->path);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->wake);
	free(f->path);
	free(f->hidden);
	free(f);
	*fp = NULL;
}
