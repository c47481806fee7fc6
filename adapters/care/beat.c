#include "adapters/care/beat.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "adapters/care/order.h"
#include "adapters/care/word.h"
#include "adapters/drop.h"
#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "bus/producer.h"
#include "bus/wait.h"

#define TICK_MS 1000
#define ASK_MS 2000
#define LAST_MS 5000
#define AGAIN_MS 30000 /* after a fault */
#define RATE_MS 60000
#define SAMPLES 64 /* of the last minute, as often as a beat may come */
#define FILES_MAX 100000

struct sample {
	int64_t at, rows;
};

struct adapter_beat {
	struct adapter_beat_conf conf;
	char *topic, *subject;
	pthread_t thread;
	pthread_mutex_t lock; /* stop, in_order */
	pthread_cond_t wake;
	bool stop, in_order;
	/* the thread's own */
	struct bus_producer *producer;
	struct adapter_shape shape;
	uint64_t token;
	int64_t due; /* monotonic ms */
	bool told;
	struct sample sample[SAMPLES];
	size_t n_samples;
	uint64_t run; /* of the program: with the token, the event's id */
};

/* ---- what is said ---- */

static void count_files(const char *folder, struct adapter_word *w)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	struct stat st;

	while (dir && w->waiting_files < FILES_MAX && (e = readdir(dir))) {
		if (adapter_drop_ignores(e->d_name) || adapter_order_is(e->d_name) ||
		    fstatat(dirfd(dir), e->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
			continue;
		w->waiting_files++;
		w->waiting_bytes += st.st_size;
	}
	if (dir)
		closedir(dir);
}

/* Rows a second since the oldest sample of the last minute. */
static double rate_of(struct adapter_beat *b, int64_t rows)
{
	struct sample now = { bus_clock_mono_ms(), rows };
	size_t old = 0;

	while (old < b->n_samples && (now.at - b->sample[old].at > RATE_MS || b->n_samples - old == SAMPLES))
		old++;
	b->n_samples -= old;
	memmove(b->sample, b->sample + old, b->n_samples * sizeof(*b->sample));
	b->sample[b->n_samples++] = now;
	if (now.at <= b->sample[0].at || rows <= b->sample[0].rows)
		return 0;
	return (double)(rows - b->sample[0].rows) * 1000 / (double)(now.at - b->sample[0].at);
}

static void find_words(struct adapter_beat *b, struct adapter_word *w)
{
	struct bus_buf figures = { 0 };

	bus_metrics_text(&figures);
	adapter_word_sum(bus_buf_str(&figures), w);
	bus_buf_release(&figures);
	count_files(b->conf.drop_dir, w);
	w->opd = b->conf.opd;
	w->began_ms = b->conf.began_ms;
	w->said_ms = bus_clock_ms();
	w->every_ms = b->conf.every_ms;
	w->spool_max = b->conf.spool_max;
	w->rate = rate_of(b, w->rows);
}

/* ---- how it gets there ---- */

static void give_up(struct adapter_beat *b, const struct bus_error *why)
{
	if (!b->told)
		bus_log(BUS_LOG_WARN, "adapter.status_untold", LOG_STR("opd", b->conf.opd), LOG_ERR(why),
			LOG_STR("effect", "the city does not see how this adapter is doing; data goes on"),
			LOG_STR("remedy", "titian schema register and titian topic apply, both with "
					  "schemas/avsc; and the right to write to the topic"));
	b->told = true;
	bus_producer_close(&b->producer);
	b->due = bus_clock_mono_ms() + (b->conf.every_ms > AGAIN_MS ? b->conf.every_ms : AGAIN_MS);
}

/* The topic is looked at first: a producer that meets none would make one, or fail. */
static enum bus_err get_ready(struct adapter_beat *b, struct bus_error *err)
{
	const struct bus_producer_conf conf = { .kafka = b->conf.kafka, .window = 2 };
	enum bus_err rc = BUS_OK;
	int32_t n;

	if (!b->shape.schema)
		rc = adapter_word_bind(&b->shape, b->conf.store, b->subject, err);
	if (rc || b->producer)
		return rc;
	rc = bus_admin_partitions(&b->conf.kafka, b->topic, &n, NULL, ASK_MS, err);
	if (rc == BUS_ENOENT)
		rc = bus_fail(err, rc, "topic '%s' does not exist", b->topic);
	b->token = 0;
	return rc ? rc : bus_producer_open(&conf, &b->producer, err);
}

/* A CloudEvent, as every record of ours; of no stream: only the last one counts. */
static enum bus_err send_word(struct adapter_beat *b, const struct adapter_word *w, struct bus_error *err)
{
	char *source = bus_xasprintf("/opd/%s", b->conf.opd),
	     *type = bus_xasprintf("id.go.pekanbaru.bus.%s.adapter.v1", b->conf.opd),
	     *id = bus_xasprintf("%016llx/%lld", (unsigned long long)b->run, (long long)w->said_ms);
	char time[32];
	const struct bus_header header[] = {
		{ BUS_STR("ce_specversion"), BUS_STR("1.0") },
		{ BUS_STR("ce_id"), bus_str(id) },
		{ BUS_STR("ce_source"), bus_str(source) },
		{ BUS_STR("ce_type"), bus_str(type) },
		{ BUS_STR("ce_subject"), bus_str(b->conf.opd) },
		{ BUS_STR("ce_time"), bus_str(bus_clock_iso_wib(w->said_ms, time, sizeof(time))) },
		{ BUS_STR("content-type"), BUS_STR("application/avro") },
	};
	struct bus_buf frame = { 0 };
	struct bus_str value;
	enum bus_err rc;

	bus_wire_put_prefix(&frame, b->shape.schema_id);
	adapter_word_encode(w, &b->shape, &frame);
	value = bus_buf_str(&frame);
	rc = bus_producer_send(b->producer, b->topic, -1, bus_str(b->conf.opd), &value, header,
			       BUS_LEN(header), 0, b->token + 1, 0, err);
	if (!rc)
		b->token++;
	bus_buf_release(&frame);
	free(source);
	free(type);
	free(id);
	return rc;
}

static void say(struct adapter_beat *b, bool stopped)
{
	struct adapter_word w = { .stopped = stopped };
	struct bus_error why = { 0 };
	enum bus_err rc = get_ready(b, &why);

	if (!rc) {
		find_words(b, &w);
		rc = send_word(b, &w, &why);
	}
	if (rc)
		give_up(b, &why);
	else
		b->due = bus_clock_mono_ms() + b->conf.every_ms;
}

/* What is on its way: none must be, before the next one is sent. */
static bool has_arrived(struct adapter_beat *b)
{
	struct bus_error why;
	enum bus_err rc;

	if (!b->producer)
		return true;
	bus_producer_poll(b->producer, 0);
	rc = bus_producer_flush(b->producer, 0, &why);
	if (!rc && b->token > 0)
		b->told = false;
	if (rc && rc != BUS_ETIMEOUT && !bus_err_retriable(rc))
		give_up(b, &why);
	return rc != BUS_ETIMEOUT;
}

static void *work(void *arg)
{
	struct adapter_beat *b = arg;

	pthread_mutex_lock(&b->lock);
	while (!b->stop) {
		pthread_mutex_unlock(&b->lock);
		if (has_arrived(b) && bus_clock_mono_ms() >= b->due)
			say(b, false);
		pthread_mutex_lock(&b->lock);
		if (!b->stop)
			(void)bus_cond_wait(&b->wake, &b->lock, bus_clock_mono_ms() + TICK_MS);
	}
	pthread_mutex_unlock(&b->lock);
	if (b->in_order && b->producer && bus_producer_flush(b->producer, LAST_MS, NULL) == BUS_OK) {
		say(b, true);
		if (b->producer)
			(void)!bus_producer_flush(b->producer, LAST_MS, NULL);
	}
	return NULL;
}

struct adapter_beat *adapter_beat_start(const struct adapter_beat_conf *conf)
{
	struct adapter_beat *b = bus_xcalloc(1, sizeof(*b));

	b->conf = *conf;
	b->topic = bus_xasprintf("pku.%s.adapter.v1", conf->opd);
	b->subject = bus_xasprintf("%s-value", b->topic);
	b->due = bus_clock_mono_ms();
	bus_random(&b->run, sizeof(b->run));
	pthread_mutex_init(&b->lock, NULL);
	bus_cond_init(&b->wake);
	if (pthread_create(&b->thread, NULL, work, b) != 0)
		abort();
	return b;
}

void adapter_beat_stop(struct adapter_beat **bp, bool in_order)
{
	struct adapter_beat *b = *bp;

	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->stop = true;
	b->in_order = in_order;
	pthread_cond_signal(&b->wake);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->thread, NULL);
	bus_producer_close(&b->producer);
	adapter_shape_release(&b->shape);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->wake);
	free(b->topic);
	free(b->subject);
	free(b);
	*bp = NULL;
}
