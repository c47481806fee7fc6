#include "bus/metrics.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define SERIES_MAX 4096
#define SLOTS 8192 /* power of two, twice the series: a free slot is always near */

struct bus_metric {
	char *name;
	const char *type;
	char *help;
	char *labels;
	bool counter;
	_Atomic int64_t count;	/* counter */
	_Atomic uint64_t value; /* gauge: the bits of a double */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards slot and n_series */
static struct bus_metric *slot[SLOTS];
static size_t n_series;

static size_t hash(const char *name, const char *labels)
{
	size_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (unsigned char)*name;
	for (; *labels; labels++)
		h = h * 33 + (unsigned char)*labels;
	return h ^ h >> 17;
}

/* Where it is, or where it would go. */
static struct bus_metric **find(const char *name, const char *labels)
{
	for (size_t i = hash(name, labels);; i++) {
		struct bus_metric **at = &slot[i & (SLOTS - 1)];

		if (!*at || (strcmp((*at)->name, name) == 0 && strcmp((*at)->labels, labels) == 0))
			return at;
	}
}

struct bus_metric *bus_metric(const char *name, const char *type, const char *help, const char *labels)
{
	struct bus_metric **at;
	struct bus_metric *m;

	assert(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0);
	pthread_mutex_lock(&lock);
	at = find(name, labels);
	if (!*at && n_series >= SERIES_MAX) {
		labels = "overflow=\"true\"";
		at = find(name, labels);
		assert(*at || n_series < SLOTS - 1); /* one more for each name in our source */
	}
	if (!*at) {
		m = bus_xcalloc(1, sizeof(*m));
		m->name = bus_xstrdup(name);
		m->counter = type[0] == 'c';
		m->type = m->counter ? "counter" : "gauge";
		m->help = bus_xstrdup(help);
		m->labels = bus_xstrdup(labels);
		n_series++;
		*at = m;
	}
	m = *at;
	pthread_mutex_unlock(&lock);
	return m;
}

static double to_double(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static uint64_t to_bits(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

void bus_metric_add(struct bus_metric *m, int64_t n)
{
	uint64_t old;

	if (m->counter) {
		atomic_fetch_add_explicit(&m->count, n, memory_order_relaxed);
		return;
	}
	old = atomic_load_explicit(&m->value, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&m->value, &old, to_bits(to_double(old) + (double)n),
						      memory_order_relaxed, memory_order_relaxed))
		; /* old is the newer value now */
}

/* A counter that is kept elsewhere (in a table, by a library) is set to what it is there. */
void bus_metric_set(struct bus_metric *m, double v)
{
	if (m->counter)
		atomic_store_explicit(&m->count, (int64_t)v, memory_order_relaxed);
	else
		atomic_store_explicit(&m->value, to_bits(v), memory_order_relaxed);
}

double bus_metric_get(const struct bus_metric *m)
{
	if (m->counter)
		return (double)atomic_load_explicit(&m->count, memory_order_relaxed);
	return to_double(atomic_load_explicit(&m->value, memory_order_relaxed));
}

static int by_name(const void *a, const void *b)
{
	const struct bus_metric *const *x = a;
	const struct bus_metric *const *y = b;
	int d = strcmp((*x)->name, (*y)->name);

	return d != 0 ? d : strcmp((*x)->labels, (*y)->labels);
}

static void put_help(struct bus_buf *out, const struct bus_metric *m)
{
	bus_buf_printf(out, "# HELP %s ", m->name);
	for (const char *c = m->help; *c; c++) {
		if (*c == '\n')
			bus_buf_puts(out, "\\n");
		else if (*c == '\\')
			bus_buf_puts(out, "\\\\");
		else
			bus_buf_putc(out, *c);
	}
	bus_buf_printf(out, "\n# TYPE %s %s\n", m->name, m->type);
}

static void put_value(struct bus_buf *out, const struct bus_metric *m)
{
	double v = bus_metric_get(m);

	if (m->counter)
		bus_buf_printf(out, "%lld\n",
			       (long long)atomic_load_explicit(&m->count, memory_order_relaxed));
	else if (isnan(v) || isinf(v))
		bus_buf_puts(out, isnan(v) ? "NaN\n" : v > 0 ? "+Inf\n" : "-Inf\n");
	else
		bus_buf_printf(out, v == rint(v) && fabs(v) < 1e15 ? "%.0f\n" : "%.17g\n", v);
}

void bus_metrics_text(struct bus_buf *out)
{
	const struct bus_metric **all;
	size_t n = 0;

	pthread_mutex_lock(&lock);
	all = bus_xmalloc((n_series + 1) * sizeof(struct bus_metric *));
	for (size_t i = 0; i < SLOTS; i++) {
		if (slot[i])
			all[n++] = slot[i];
	}
	pthread_mutex_unlock(&lock);
	/* A series never changes its name and is never freed, so the rest needs no lock. */
	qsort(all, n, sizeof(struct bus_metric *), by_name);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(all[i - 1]->name, all[i]->name) != 0)
			put_help(out, all[i]);
		bus_buf_puts(out, all[i]->name);
		if (*all[i]->labels)
			bus_buf_printf(out, "{%s}", all[i]->labels);
		bus_buf_putc(out, ' ');
		put_value(out, all[i]);
	}
	free(all);
}
