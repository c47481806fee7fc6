#include "adapters/care/figures.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/file.h"
#include "bus/metrics.h"
#include "bus/wait.h"

#define EVERY_MS 1000
#define FOLLOW_MS 500

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

static void add(const char *name, const char *help, const char *feed, int64_t n)
{
	bus_metric_add(of_feed(name, "counter", help, feed), n);
}

static void file_in_hand(const char *feed, double bytes, double of, double rows, double since)
{
	gauge("titian_adapter_file_read_bytes", "Of the file in hand: bytes read.", feed, bytes);
	gauge("titian_adapter_file_bytes", "Bytes of the file in hand; 0: none.", feed, of);
	gauge("titian_adapter_file_rows", "Of the file in hand: rows read.", feed, rows);
	gauge("titian_adapter_file_started_seconds", "When the file in hand was begun.", feed, since);
}

static void add_class(const char *feed, const char *name, bool refuses, int64_t n)
{
	char labels[256];

	for (const char *p = name; *p; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
			return;
	snprintf(labels, sizeof(labels), "feed=\"%.120s\",class=\"%.80s\"", feed, name);
	bus_metric_add(bus_metric("titian_adapter_class_total", "counter", "Rows with this defect.", labels),
		       n);
	snprintf(labels, sizeof(labels), "class=\"%.80s\"", name);
	if (refuses)
		bus_metric_add(bus_metric("titian_adapter_refused_class_total", "counter",
					  "Rows refused for this defect, of all feeds.", labels),
			       n);
}

/* Counts may also go down: a row that a newer one replaces is refused after the fact. */
static void go_to(struct adapter_tally *t, const struct adapter_figured *now)
{
	const struct adapter_figured *was = &t->figured;
	const struct {
		const char *name, *help;
		int64_t n;
	} counter[] = {
		{ "titian_adapter_rows_total", "Rows read.", (int64_t)(now->rows - was->rows) },
		{ "titian_adapter_published_total", "Records published.",
		  (int64_t)(now->published - was->published) },
		{ "titian_adapter_same_total", "Rows that were in the log already.",
		  (int64_t)(now->same - was->same) },
		{ "titian_adapter_refused_total", "Rows refused.", (int64_t)(now->refused - was->refused) },
		{ "titian_adapter_removed_total", "Keys removed.", (int64_t)(now->removed - was->removed) },
	};

	for (size_t i = 0; i < BUS_LEN(counter); i++)
		if (counter[i].n != 0)
			add(counter[i].name, counter[i].help, t->feed, counter[i].n);
	for (size_t i = 0; i < t->n_classes; i++) {
		enum adapter_class_fate fate = t->class[i].fate;

		if (now->count[i] != was->count[i] && fate <= ADAPTER_CLASS_LOOSE &&
		    strcmp(t->class[i].name, ADAPTER_CLASS_CONTROL) != 0)
			add_class(t->feed, t->class[i].name, fate == ADAPTER_CLASS_REFUSE,
				  (int64_t)(now->count[i] - was->count[i]));
	}
	if (now->too_big != was->too_big)
		add_class(t->feed, ADAPTER_CLASS_TOO_BIG, true, (int64_t)(now->too_big - was->too_big));
	if (now->published > was->published || now->removed > was->removed)
		gauge("titian_adapter_last_record_seconds", "When a record of the feed went to Kafka last.",
		      t->feed, seconds(bus_clock_ms()));
	t->figured = *now;
}

static void follow(struct adapter_tally *t)
{
	struct adapter_figured now = { .rows = t->rows,
				       .published = t->published,
				       .same = t->same,
				       .refused = t->refused,
				       .removed = t->removed,
				       .too_big = t->too_big,
				       .at = bus_clock_mono_ms() };

	memcpy(now.count, t->count, sizeof(now.count));
	go_to(t, &now);
}

void adapter_figures_reading(struct adapter_tally *t, uint64_t bytes)
{
	file_in_hand(t->feed, (double)bytes, (double)t->size, (double)t->rows, seconds(t->started));
	follow(t);
}

void adapter_figures_followed(struct adapter_tally *t)
{
	if (bus_clock_mono_ms() - t->figured.at >= FOLLOW_MS)
		follow(t);
}

void adapter_figures_closed(struct adapter_tally *t)
{
	file_in_hand(t->feed, 0, 0, 0, 0);
	follow(t);
	t->figured.closed = true;
	add("titian_adapter_files_total", "Files read.", t->feed, 1);
	if (adapter_tally_control_wrong(t))
		add_class(t->feed, ADAPTER_CLASS_CONTROL, false, 1);
	gauge("titian_adapter_last_file_seconds", "When a file was read to its end last.", t->feed,
	      seconds(t->ended));
	if (t->ended > t->started)
		gauge("titian_adapter_last_file_rows_per_second", "How fast that was.", t->feed,
		      (double)t->rows * 1000 / (double)(t->ended - t->started));
}

void adapter_figures_withdrawn(struct adapter_tally *t)
{
	const struct adapter_figured nothing = { 0 };

	if (!t->feed || t->figured.closed)
		return;
	file_in_hand(t->feed, 0, 0, 0, 0);
	go_to(t, &nothing);
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
	char *path;
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

	if (f->refresh)
		f->refresh(f->ctx);
	bus_metric_set(bus_metric("titian_adapter_written_seconds", "gauge", "When this was written.", ""),
		       seconds(bus_clock_ms()));
	bus_metrics_text(&text);
	(void)!bus_file_put(f->path, bus_buf_str(&text), 0640, BUS_FILE_LIGHT, NULL);
	bus_buf_release(&text);
}

static void *work(void *arg)
{
	struct adapter_figures *f = arg;

	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		pthread_mutex_unlock(&f->lock);
		write_all(f);
		pthread_mutex_lock(&f->lock);
		if (!f->stop)
			(void)bus_cond_wait(&f->wake, &f->lock, bus_clock_mono_ms() + EVERY_MS);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

struct adapter_figures *adapter_figures_start(const char *drop_dir, void (*refresh)(void *ctx), void *ctx)
{
	struct adapter_figures *f = bus_xcalloc(1, sizeof(*f));

	f->path = bus_xasprintf("%s/" ADAPTER_FIGURES_FILE, drop_dir);
	f->refresh = refresh;
	f->ctx = ctx;
	pthread_mutex_init(&f->lock, NULL);
	bus_cond_init(&f->wake);
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
	free(f);
	*fp = NULL;
}
