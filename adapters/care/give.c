/* Orders for rows in quarantine: which rows, the columns as mended, and the wait for the report. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>

#include "adapters/care/table.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/file.h"
#include "bus/yaml.h"

#define ROW_MEMORY ((size_t)8 * 1024 * 1024)
#define NOT_YET 4 /* exit status */

struct giving {
	struct adapter_care *care;
	struct bus_buf ids; /* each NUL-ended */
	int64_t n;
	struct bus_buf sealed; /* mend: the one row's columns */
};

void adapter_care_sign(const struct adapter_care_args *args, struct adapter_order *o)
{
	const struct passwd *user = getpwuid(getuid());
	const char *who = args->who;

	if (!who)
		who = getenv("SUDO_USER");
	if (!who)
		who = user ? user->pw_name : "?";
	snprintf(o->who, sizeof(o->who), "%s", who);
	snprintf(o->why, sizeof(o->why), "%s", args->why ? args->why : "");
	o->time_ms = bus_clock_ms();
}

/* ---- the report ---- */

#define REPORT_MAX ((size_t)1024 * 1024)

static FILE *open_report(const char *folder, const char *place, const char *name)
{
	char *path = bus_xasprintf("%s/%s/%s.laporan.txt", folder, place, name);
	FILE *fp = bus_file_open(path);

	free(path);
	return fp;
}

enum adapter_care_outcome adapter_care_report(const char *folder, const char *name, struct bus_buf *out)
{
	enum adapter_care_outcome outcome = ADAPTER_CARE_DONE;
	FILE *fp = open_report(folder, "done", name);
	char line[600];

	if (!fp) {
		outcome = ADAPTER_CARE_REFUSED;
		fp = open_report(folder, "refused", name);
	}
	if (!fp)
		return ADAPTER_CARE_WAITS;
	while (out->n < REPORT_MAX && fgets(line, sizeof(line), fp)) {
		if (outcome == ADAPTER_CARE_DONE && (strncmp(line, "Baris yang tidak jadi", 21) == 0 ||
						     strncmp(line, "tidak ada / not there", 21) == 0))
			outcome = ADAPTER_CARE_IN_PART;
		bus_buf_puts(out, line);
	}
	fclose(fp);
	return outcome;
}

static bool print_report(const char *folder, const char *name, int *status)
{
	struct bus_buf text = { 0 };
	enum adapter_care_outcome outcome = adapter_care_report(folder, name, &text);

	if (outcome != ADAPTER_CARE_WAITS) {
		*status = outcome == ADAPTER_CARE_DONE ? 0 : 1;
		fputs(bus_buf_cstr(&text), stdout);
	}
	bus_buf_release(&text);
	return outcome != ADAPTER_CARE_WAITS;
}

bool adapter_care_nobody(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool free_now = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

	if (fd >= 0)
		close(fd);
	return free_now;
}

enum bus_err adapter_care_await(const struct adapter_run_conf *conf, const char *name, long wait_s,
				int *status, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + 1000 * wait_s;

	(void)err;
	while (bus_clock_mono_ms() < until && !adapter_care_nobody(conf->drop.dir)) {
		if (print_report(conf->drop.dir, name, status))
			return BUS_OK;
		nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	}
	if (print_report(conf->drop.dir, name, status))
		return BUS_OK;
	printf("%s: perintah menunggu di folder / the order waits in the folder%s\n", name,
	       adapter_care_nobody(conf->drop.dir) ? "; adapter tidak berjalan / the adapter is not running"
						   : "");
	*status = NOT_YET;
	return BUS_OK;
}

/* ---- which rows ---- */

static enum bus_err pick_row(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct giving *g = ctx;

	if (!adapter_care_chosen(g->care, k))
		return BUS_OK;
	if (g->n == ADAPTER_ORDER_ROWS_MAX)
		return bus_fail(err, BUS_ETOOBIG, "more than %d rows: choose fewer by --file or --since",
				ADAPTER_ORDER_ROWS_MAX);
	bus_buf_put(&g->ids, k->id.p, k->id.n);
	bus_buf_putc(&g->ids, '\0');
	g->n++;
	return BUS_OK;
}

/* ---- mending ---- */

static enum bus_err unknown_column(struct bus_str set, const char *const *name, size_t n,
				   struct bus_error *err)
{
	char *word = bus_xstrndup(set.p, set.n);
	const char *near = bus_nearest(word, name, n);
	struct bus_buf all = { 0 };

	for (size_t i = 0; i < n && all.n < 200; i++)
		bus_buf_printf(&all, "%s%s", i > 0 ? ", " : "", name[i]);
	(void)bus_fail(err, BUS_EINVAL, "--set: the mapping reads no column '%.100s'%s%.100s%s%s%.200s", word,
		       near ? "; perhaps '" : "", near ? near : "", near ? "'" : "",
		       near ? "" : "; its columns: ", near ? "" : bus_buf_cstr(&all));
	bus_buf_release(&all);
	free(word);
	return BUS_EINVAL;
}

static enum bus_err check_against(const struct adapter_map *map, const struct adapter_care_args *a,
				  struct bus_error *err)
{
	size_t n;
	const char *const *name = adapter_map_columns(map, &n);

	for (size_t i = 0; i < a->n_set; i++) {
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known |= bus_str_is(a->set[i].name, name[k]);
		if (!known)
			return unknown_column(a->set[i].name, name, n, err);
	}
	return BUS_OK;
}

static enum bus_err check_columns(struct giving *g, struct bus_str feed, struct bus_error *err)
{
	struct adapter_map *loaded;
	const struct adapter_map *map;
	enum bus_err rc = adapter_care_map(g->care, feed, &loaded, &map, err);

	if (!rc)
		rc = check_against(map, g->care->args, err);
	adapter_map_free(&loaded);
	return rc;
}

static enum bus_err mend_row(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct giving *g = ctx;
	const struct adapter_care_args *a = g->care->args;
	const uint8_t *key = g->care->conf->opd_key;
	char aad_text[ADAPTER_REFUSAL_ID + 8];
	struct bus_str aad = adapter_refusal_cells_aad(k->id, aad_text);
	struct bus_buf plain = { 0 }, mended = { 0 };
	struct bus_arena *arena;
	enum bus_err rc;

	if (!adapter_care_chosen(g->care, k))
		return BUS_OK;
	rc = check_columns(g, k->feed, err);
	if (!rc && k->sealed_cells.n > 0 && bus_open(key, aad, k->sealed_cells, &plain, NULL))
		rc = bus_fail(err, BUS_EDENIED, "the department's key does not open this row");
	arena = bus_arena_new(ROW_MEMORY);
	if (!rc)
		rc = adapter_cells_change(bus_buf_str(&plain), a->set, a->n_set, arena, &mended, err);
	if (!rc && mended.n > ADAPTER_SEALED_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "a row's columns are at most %zu bytes", ADAPTER_SEALED_MAX);
	if (!rc)
		rc = bus_seal(key, aad, bus_buf_str(&mended), &g->sealed, err);
	if (!rc)
		rc = pick_row(ctx, k, err);
	bus_arena_free(&arena);
	for (size_t i = 0; i < 2; i++) {
		struct bus_buf *b = i ? &plain : &mended;

		if (b->p)
			explicit_bzero(b->p, b->cap);
		bus_buf_release(b);
	}
	return rc;
}

/* ---- */

static enum bus_err send(struct giving *g, enum adapter_order_what what, const char *mark, char *name,
			 struct bus_error *err)
{
	struct adapter_order order = { .what = what, .rows = g->n };
	struct adapter_order_writer *w = NULL;
	const char *id = g->ids.p;
	enum bus_err rc;

	adapter_care_sign(g->care->args, &order);
	snprintf(order.mark, sizeof(order.mark), "%s", mark);
	rc = adapter_order_begin(g->care->conf->drop.dir, g->care->conf->env.city_key, &order, &w, err);
	if (rc)
		return rc;
	for (int64_t i = 0; i < g->n; i++, id += strlen(id) + 1)
		adapter_order_put(w, &(struct adapter_order_row){ bus_str(id), bus_buf_str(&g->sealed) });
	return adapter_order_send(&w, name, err);
}

static enum bus_err check_asked(const struct adapter_care *care, enum adapter_order_what what,
				struct bus_error *err)
{
	const struct adapter_care_args *a = care->args;
	bool chosen = a->n_operands > 0 || a->feed || a->file || a->class || a->all ||
		      a->since_ms != INT64_MIN || a->until_ms != INT64_MAX;

	if (what == ADAPTER_MEND && (a->n_operands != 1 || a->n_set == 0))
		return bus_fail(err, BUS_EINVAL, "mend wants the id of one row, and --set COLUMN=VALUE");
	if (!chosen)
		return bus_fail(err, BUS_EINVAL,
				"%s: which rows? Give ids, or choose by --class, --file, --feed, --since; "
				"--all takes all",
				a->verb);
	if (what == ADAPTER_DISCARD && (!a->why || !a->why[0]))
		return bus_fail(err, BUS_EINVAL, "discard wants a reason: --why TEXT");
	if (what == ADAPTER_MEND && !care->conf->opd_key)
		return bus_fail(err, BUS_EINVAL, "mend wants the department's key (key.opd)");
	return BUS_OK;
}

enum bus_err adapter_care_order(struct adapter_care *care, const char *mark, int64_t *rows, char *name,
				struct bus_error *err)
{
	const char *verb = care->args->verb;
	struct giving g = { .care = care };
	enum adapter_order_what what = ADAPTER_DISCARD;
	enum bus_err rc;

	if (strcmp(verb, "mend") == 0)
		what = ADAPTER_MEND;
	else if (strcmp(verb, "redrive") == 0)
		what = ADAPTER_REDRIVE;
	rc = check_asked(care, what, err);
	if (!rc)
		rc = adapter_care_scan(care, false, what == ADAPTER_MEND ? mend_row : pick_row, &g, err);
	if (!rc && g.n == 0)
		rc = bus_fail(
		    err, BUS_ENOENT,
		    "no open row in quarantine is chosen by that; list --state all shows the others");
	*rows = g.n;
	name[0] = '\0';
	if (!rc && !care->args->dry_run)
		rc = send(&g, care->args->redrive ? ADAPTER_REDRIVE : what, mark, name, err);
	bus_buf_release(&g.ids);
	bus_buf_release(&g.sealed);
	return rc;
}

enum bus_err adapter_care_give(struct adapter_care *care, int *status, struct bus_error *err)
{
	char name[256];
	int64_t rows;
	enum bus_err rc;

	if (care->args->from)
		return adapter_care_from(care, care->args->from, status, err);
	rc = adapter_care_order(care, "", &rows, name, err);

	if (rc)
		return rc;
	if (!care->args->dry_run)
		return adapter_care_await(care->conf, name, care->args->wait_s, status, err);
	printf("%" PRId64 " baris terpilih, tidak ada yang dilakukan / rows are chosen, nothing was done\n",
	       rows);
	return BUS_OK;
}
