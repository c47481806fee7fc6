#include "adapters/care/status.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/care/care.h"
#include "adapters/care/figures.h"
#include "bus/clock.h"
#include "bus/file.h"
#include "bus/json_out.h"
#include "bus/plain.h"
#include "bus/proc.h"

#define FIGURES_MAX ((size_t)4 * 1024 * 1024)
#define OLD_S 10 /* figures are written every second */
#define WATCH_MS 1000
#define BAR 24
#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

struct waiting {
	uint64_t n;
	int64_t oldest_ms; /* mtime */
	char first[256];   /* its name, as it may be shown */
};

struct page {
	const struct adapter_run_conf *conf;
	const struct adapter_map *const *map;
	size_t n_maps;
	char *text; /* the figures */
	struct bus_buf out;
	double now;
	bool running, colour;
};

double adapter_status_figure(const char *text, const char *name, const char *labels, double missing)
{
	char *start = labels[0] ? bus_xasprintf("\n%s{%s} ", name, labels) : bus_xasprintf("\n%s ", name);
	const char *found = text ? strstr(text, start) : NULL;
	double v = found ? strtod(found + strlen(start), NULL) : missing;

	free(start);
	return isfinite(v) ? v : missing;
}

static double of_feed(const struct page *p, const char *name, const char *feed)
{
	char *labels = bus_xasprintf("feed=\"%s\"", feed);
	double v = adapter_status_figure(p->text, name, labels, 0);

	free(labels);
	return v;
}

static void read_figures(struct page *p)
{
	char *path = bus_xasprintf("%s/" ADAPTER_FIGURES_FILE, p->conf->drop.dir);
	FILE *fp = bus_file_open(path);
	size_t n;

	free(p->text);
	p->text = NULL;
	free(path);
	if (!fp)
		return;
	p->text = bus_xmalloc(FIGURES_MAX + 2);
	p->text[0] = '\n';
	n = fread(p->text + 1, 1, FIGURES_MAX, fp);
	p->text[n + 1] = '\0';
	bus_plain(p->text, n + 1, true);
	fclose(fp);
}

/* The files of this feed that lie in the folder, the one in hand among them. */
static struct waiting look_at_folder(const struct page *p, const struct adapter_map *map)
{
	struct waiting w = { .oldest_ms = INT64_MAX };
	DIR *dir = opendir(p->conf->drop.dir);
	struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || !adapter_map_takes(map, e->d_name) ||
		    adapter_order_is(e->d_name) || fstatat(dirfd(dir), e->d_name, &st, 0) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		w.n++;
		if ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 >= w.oldest_ms)
			continue;
		w.oldest_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
		adapter_file_label(e->d_name, w.first, sizeof(w.first));
	}
	if (dir)
		closedir(dir);
	return w;
}

/* ---- words ---- */

/* "12 s", "3 m", "5 h", "2 d". */
static const char *span(double s, char out[16])
{
	if (s < 0)
		s = 0;
	if (s < 100)
		snprintf(out, 16, "%.0f s", s);
	else if (s < 6000)
		snprintf(out, 16, "%.0f m", s / 60);
	else if (s < 360000)
		snprintf(out, 16, "%.0f h", s / 3600);
	else
		snprintf(out, 16, "%.0f d", fmin(s / 86400, 99999));
	return out;
}

static const char *since(const struct page *p, double at, char out[16])
{
	if (at <= 0)
		return "-";
	return span(p->now - at, out);
}

static void head(struct page *p, const char *colour)
{
	if (p->colour)
		bus_buf_puts(&p->out, colour);
}

#define RED "\033[31m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static void put_title(struct page *p)
{
	double written = adapter_status_figure(p->text, "titian_adapter_written_seconds", "", 0);
	double away = adapter_status_figure(p->text, "titian_adapter_kafka_away_since_seconds", "", 0);
	char time[32], a[16];

	head(p, BOLD);
	bus_buf_printf(&p->out, "%-20s", p->conf->opd);
	head(p, PLAIN);
	bus_buf_printf(&p->out, " %s\n", bus_clock_iso_wib((int64_t)p->now * 1000, time, sizeof(time)));
	if (!p->running) {
		head(p, RED);
		bus_buf_puts(&p->out, "adapter tidak berjalan / the adapter is not running\n");
		head(p, PLAIN);
	} else if (!p->text || p->now - written > OLD_S) {
		head(p, RED);
		bus_buf_printf(&p->out, "angka lama / figures are old: %s\n", since(p, written, a));
		head(p, PLAIN);
	}
	if (p->running && away > 0) {
		head(p, RED);
		bus_buf_printf(
		    &p->out,
		    "Kafka tidak menjawab / does not answer, %s; tidak ada yang hilang / nothing is lost\n",
		    span(p->now - away, a));
		head(p, PLAIN);
	}
}

static void put_progress(struct page *p, const char *feed, const struct waiting *w)
{
	double bytes = of_feed(p, "titian_adapter_file_bytes", feed);
	double read = of_feed(p, "titian_adapter_file_read_bytes", feed);
	double took = p->now - of_feed(p, "titian_adapter_file_started_seconds", feed);
	double share = bytes > 0 ? fmin(read / bytes, 1) : 0;
	char left[16];

	if (bytes <= 0 || !p->running)
		return;
	bus_buf_puts(&p->out, "  [");
	for (int i = 0; i < BAR; i++)
		bus_buf_putc(&p->out, i < share * BAR ? '#' : '.');
	bus_buf_printf(&p->out, "] %3.0f %%  %.0f baris/rows", 100 * share,
		       of_feed(p, "titian_adapter_file_rows", feed));
	if (share > 0.01 && took > 0)
		bus_buf_printf(&p->out, ", %s lagi/left", span(took * (1 - share) / share, left));
	bus_buf_printf(&p->out, "\n  %.70s\n", w->first);
}

/* The classes of this feed, from the text itself: which there are is not known before. */
static void put_classes(struct page *p, const char *feed)
{
	char *start = bus_xasprintf("\ntitian_adapter_class_total{feed=\"%s\",class=\"", feed);
	size_t column = 0;

	for (const char *at = p->text; at && (at = strstr(at, start));) {
		const char *name = at + strlen(start), *end = strchr(name, '"');
		size_t n = end ? (size_t)(end - name) : 0;

		if (!end || end[1] != '}')
			break;
		if (column > 0 && column + n > 60) {
			bus_buf_putc(&p->out, '\n');
			column = 0;
		}
		bus_buf_printf(&p->out, "%s%.*s %.0f", column == 0 ? "  " : ", ", (int)n, name,
			       strtod(end + 2, NULL));
		column += n + 8;
		at = end;
	}
	if (column > 0)
		bus_buf_putc(&p->out, '\n');
	free(start);
}

static void put_fetch(struct page *p, const char *feed)
{
	double last = of_feed(p, "titian_adapter_fetch_last_seconds", feed);
	double next = of_feed(p, "titian_adapter_fetch_next_seconds", feed);
	bool failed = of_feed(p, "titian_adapter_fetch_failed", feed) > 0;
	char a[16], b[16];

	if (next <= 0)
		return;
	bus_buf_printf(&p->out, "  ambil / fetch: %s lalu/ago, lagi/next %s%s\n", since(p, last, a),
		       span(next - p->now, b),
		       failed ? ", GAGAL / FAILED (adapter.fetch_failed di/in log)" : "");
}

static void put_spool(struct page *p, const char *feed)
{
	double bytes = of_feed(p, "titian_spool_bytes", feed);
	char a[16];

	if (bytes > 0)
		bus_buf_printf(&p->out, "  spul / spool: %.0f KiB, %s\n", bytes / 1024,
			       span(of_feed(p, "titian_spool_oldest_seconds", feed), a));
}

static void put_feed(struct page *p, const struct adapter_map *map)
{
	const char *feed = adapter_map_feed(map);
	struct waiting w = look_at_folder(p, map);
	char last[16], oldest[16];

	bus_buf_printf(&p->out, "%-28.28s %8s %9.0f %5" PRIu64 " %7s %9.0f %8.0f\n", feed,
		       since(p, of_feed(p, "titian_adapter_last_record_seconds", feed), last),
		       of_feed(p, "titian_adapter_last_file_rows_per_second", feed), w.n,
		       w.n ? span(p->now - (double)w.oldest_ms / 1000, oldest) : "-",
		       of_feed(p, "titian_adapter_published_total", feed),
		       of_feed(p, "titian_adapter_refused_total", feed));
	put_progress(p, feed, &w);
	put_classes(p, feed);
	put_fetch(p, feed);
	put_spool(p, feed);
}

static void put_page(struct page *p)
{
	put_title(p);
	head(p, BOLD);
	bus_buf_printf(&p->out, "%-28s %8s %9s %5s %7s %9s %8s\n", "umpan / feed", "terakhir", "baris/d",
		       "antre", "tertua", "terbit", "ditolak");
	bus_buf_printf(&p->out, "%-28s %8s %9s %5s %7s %9s %8s\n", "", "last", "rows/s", "queue", "oldest",
		       "published", "refused");
	head(p, PLAIN);
	for (size_t i = 0; i < p->n_maps; i++)
		put_feed(p, p->map[i]);
}

/* ---- JSON ---- */

static void put_double(struct bus_json_out *j, const char *name, double v)
{
	bus_json_key(j, name);
	if (v == rint(v) && fabs(v) <= WHOLE_MAX)
		bus_json_put_int(j, (int64_t)v);
	else
		bus_json_put_double(j, v);
}

static void put_json(struct page *p)
{
	static const char *const name[] = { "last_record_seconds", "last_file_rows_per_second",
					    "published_total",	   "refused_total",
					    "removed_total",	   "file_bytes",
					    "file_read_bytes",	   "file_rows",
					    "fetch_last_seconds",  "fetch_next_seconds",
					    "fetch_failed" };
	struct bus_json_out j = { .buf = &p->out };
	char metric[96];

	bus_json_object(&j);
	bus_json_text_member(&j, "opd", p->conf->opd);
	bus_json_bool_member(&j, "running", p->running);
	put_double(&j, "written_seconds",
		   adapter_status_figure(p->text, "titian_adapter_written_seconds", "", 0));
	put_double(&j, "kafka_away_since_seconds",
		   adapter_status_figure(p->text, "titian_adapter_kafka_away_since_seconds", "", 0));
	bus_json_key(&j, "feeds");
	bus_json_array(&j);
	for (size_t i = 0; i < p->n_maps; i++) {
		const char *feed = adapter_map_feed(p->map[i]);
		struct waiting w = look_at_folder(p, p->map[i]);

		bus_json_object(&j);
		bus_json_text_member(&j, "feed", feed);
		for (size_t k = 0; k < BUS_LEN(name); k++) {
			snprintf(metric, sizeof(metric), "titian_adapter_%s", name[k]);
			put_double(&j, name[k], of_feed(p, metric, feed));
		}
		put_double(&j, "spool_bytes", of_feed(p, "titian_spool_bytes", feed));
		bus_json_int_member(&j, "waiting_files", (int64_t)w.n);
		put_double(&j, "waiting_seconds", w.n ? p->now - (double)w.oldest_ms / 1000 : 0);
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	bus_buf_putc(&p->out, '\n');
}

/* ---- */

static bool is_fresh(const struct page *p)
{
	return p->running && p->text &&
	       p->now - adapter_status_figure(p->text, "titian_adapter_written_seconds", "", 0) <= OLD_S;
}

static void look_again(struct page *p)
{
	read_figures(p);
	p->now = (double)bus_clock_ms() / 1000;
	p->running = !adapter_care_nobody(p->conf->drop.dir);
}

void adapter_status_json(const struct adapter_run_conf *conf, const struct adapter_map *const *map, size_t n,
			 struct bus_buf *out)
{
	struct page p = { .conf = conf, .map = map, .n_maps = n };

	look_again(&p);
	put_json(&p);
	bus_buf_put(out, p.out.p, p.out.n);
	bus_buf_release(&p.out);
	free(p.text);
}

static bool show(struct page *p, const struct adapter_care_args *args, bool redraw)
{
	look_again(p);
	bus_buf_reset(&p->out);
	if (redraw)
		bus_buf_puts(&p->out, "\033[H\033[J");
	if (args->json)
		put_json(p);
	else
		put_page(p);
	/* Lines that a terminal already failed to take leave nothing to flush: only ferror knows of them. */
	fwrite(p->out.p, 1, p->out.n, stdout);
	return fflush(stdout) == 0 && !ferror(stdout);
}

int adapter_care_status(const struct adapter_run_conf *conf, const struct adapter_care_args *args)
{
	bool terminal = isatty(STDOUT_FILENO);
	const char *plain = getenv("NO_COLOR");
	struct adapter_map **map = bus_xcalloc(conf->n_mappings + 1, sizeof(*map));
	struct page p = { .conf = conf,
			  .map = (const struct adapter_map *const *)map,
			  .n_maps = conf->n_mappings,
			  .colour = terminal && !(plain && plain[0]) };
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_OK;
	int status = 2;

	for (size_t i = 0; i < conf->n_mappings && !rc; i++)
		rc = adapter_map_load(conf->mapping[i], &conf->env, &map[i], &err);
	if (!rc && args->watch)
		bus_proc_signals();
	if (!rc) {
		bool shown = show(&p, args, false);

		while (shown && args->watch && !bus_proc_stopping()) {
			poll(&(struct pollfd){ .fd = bus_proc_stop_fd(), .events = POLLIN }, 1, WATCH_MS);
			shown = !bus_proc_stopping() && show(&p, args, terminal && !args->json);
		}
		status = is_fresh(&p) ? 0 : 1;
	} else {
		fprintf(stderr, "titian-adapter: %s\n", err.text);
	}
	for (size_t i = 0; i < conf->n_mappings; i++)
		adapter_map_free(&map[i]);
	free(map);
	free(p.text);
	bus_buf_release(&p.out);
	return status;
}
