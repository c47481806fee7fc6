/* The upkeep of views without Kafka and HTTP, in this process: a city loaded, a view of five tables with aggregates
 * and its roll-ups kept while rows change, built anew, looked up. Times are CPU time of the thread that writes.
 *
 *     views DIR PEOPLE [thin|full]      prints `name value unit` lines; DIR is made
 *     views DIR 0 [thin|full]           puts the definitions into DIR/views
 */
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "tests/bench/views_load.h"

#define CHANGES 100000
#define LOOKUP_SECONDS 10
#define LOOKUP_WRITES 1000 /* a second */
#define LOOKUPS_MAX 2000000

/* Two roll-ups over it, of 83 districts and six occupations: groups of 14,000 and 200,000. */
static const char rollup_kel[] =
    "/*---\nname: per_kelurahan\nkey: kode_kel\nroutes: {terpadu: kode_kel}\ncolumns:\n"
    "  kode_kel: {type: text, pdp: N}\n  jiwa: {type: int, pdp: N}\n  tunggakan: {type: int, pdp: N}\n"
    "  terlindungi: {type: int, pdp: N}\n---*/\n"
    "SELECT kode_kel, count(*) AS jiwa, sum(tunggakan) AS tunggakan, sum(aktif) AS terlindungi\n"
    "FROM terpadu WHERE status = 'H' GROUP BY kode_kel\n";
static const char rollup_job[] =
    "/*---\nname: per_pekerjaan\nkey: pekerjaan\nroutes: {terpadu: pekerjaan}\ncolumns:\n"
    "  pekerjaan: {type: text, pdp: N}\n  jiwa: {type: int, pdp: N}\n  penerima: {type: int, pdp: N}\n---*/\n"
    "SELECT pekerjaan, count(*) AS jiwa, sum(n_bansos > 0) AS penerima FROM terpadu GROUP BY pekerjaan\n";

static double size_mb(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (double)st.st_size / 1e6 : 0;
}

/* Every view evaluated as a whole, as after a changed definition. */
static void rebuild(void)
{
	struct bus_error err = { 0 };
	double t;

	for (size_t i = 0; i < engine->n_views; i++) {
		must(gw_db_exec(engine->db, &err, "DELETE FROM \"_view_%s\"; DELETE FROM \"_log_%s\"",
				engine->view[i]->def->pub.name, engine->view[i]->def->pub.name),
		     &err);
		engine->view[i]->all = true;
	}
	checkpoint();
	t = cpu();
	settle(GW_FORCE);
	printf("%s_rebuild_seconds %.2f s\n", kind, cpu() - t);
	checkpoint();
}

/* The pages of SQLite's log into its file. */
static void move_log(void)
{
	struct bus_error err = { 0 };
	int64_t left;

	must(gw_db_checkpoint(engine->db, false, &left, &err), &err);
}

static void upkeep(const char *name, size_t size, size_t changes)
{
	struct batch b = { 0 };
	uint64_t evaluations = 0, row;
	double t, cpu_s = 0, checkpointed = 0;
	int table;

	for (size_t i = 0; i < engine->n_views; i++)
		evaluations -= engine->view[i]->evaluations;
	for (size_t i = 0; i < changes; i++) {
		table = city_pick(&city, &row);
		batch_add(&b, table, row);
		if (b.n < size)
			continue;
		t = cpu();
		batch_apply(&b);
		settle(GW_LIVE);
		cpu_s += cpu() - t;
		if (cpu_s - checkpointed < 1) /* as the gateway does: gateway/engine/mat.c */
			continue;
		t = cpu();
		move_log();
		cpu_s += cpu() - t;
		checkpointed = cpu_s;
	}
	t = cpu();
	checkpoint();
	cpu_s += cpu() - t;
	for (size_t i = 0; i < engine->n_views; i++)
		evaluations += engine->view[i]->evaluations;
	batch_release(&b);
	printf("%s_%s %.0f rows/s\n", kind, name, (double)changes / cpu_s);
	printf("%s_%s_evaluations %.2f per_row\n", kind, name, (double)evaluations / (double)changes);
}

struct lookups {
	_Atomic bool stop;
	double *us, *cpu_us; /* cpu_us: without what others took of the machine meanwhile */
	size_t n;
};

static bool one_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	(void)value;
	(void)hash;
	++*(int *)ctx;
	return true;
}

static void *look_up(void *ctx)
{
	const struct gw_view *v = gw_view_find(engine, "terpadu");
	struct gw_reader *r = gw_reader_of(engine);
	struct city c = { city.people, 12345 };
	struct bus_error err = { 0 };
	struct lookups *l = ctx;
	double cpu_begin;
	int64_t begin;
	char key[24];
	int found = 0;

	while (!l->stop && l->n < LOOKUPS_MAX) {
		city_key(PEOPLE, city_chance(&c, c.people), key);
		cpu_begin = cpu();
		begin = bus_clock_mono_us();
		must(gw_get(r, v, NULL, bus_str(key), NULL, one_row, &found, &err), &err);
		l->us[l->n] = (double)(bus_clock_mono_us() - begin);
		l->cpu_us[l->n++] = (cpu() - cpu_begin) * 1e6;
	}
	if (found != (int)l->n)
		exit(1);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_percentiles(const char *name, double *us, size_t n)
{
	qsort(us, n, sizeof(*us), by_size);
	printf("%s_%s_p50_us %.0f us\n%s_%s_p99_us %.0f us\n", kind, name, us[n / 2], kind, name, us[n * 99 / 100]);
}

static void lookups_under_writes(void)
{
	struct lookups l = { .us = bus_xcalloc(LOOKUPS_MAX, sizeof(double)),
			     .cpu_us = bus_xcalloc(LOOKUPS_MAX, sizeof(double)) };
	int64_t begin = bus_clock_mono_ms();
	struct batch b = { 0 };
	pthread_t thread;
	uint64_t row;
	int table;

	pthread_create(&thread, NULL, look_up, &l);
	for (int i = 0; i < LOOKUP_SECONDS * 20; i++) { /* 50 records each 50 ms */
		while (bus_clock_mono_ms() - begin < i * 50)
			usleep(500);
		for (int k = 0; k < LOOKUP_WRITES / 20; k++) {
			table = city_pick(&city, &row);
			batch_add(&b, table, row);
		}
		batch_apply(&b);
		settle(GW_LIVE);
		if (i % 20 == 19)
			move_log();
	}
	l.stop = true;
	pthread_join(thread, NULL);
	print_percentiles("lookup", l.us, l.n);
	print_percentiles("lookup_cpu", l.cpu_us, l.n);
	batch_release(&b);
	free(l.us);
	free(l.cpu_us);
}

int main(int argc, char **argv)
{
	struct bus_error err = { 0 };
	struct rusage usage;
	char path[300];
	bool full = argc > 3 && strcmp(argv[3], "full") == 0;
	int64_t pages;

	if (argc < 3) {
		fprintf(stderr, "views DIR PEOPLE [thin|full]\n");
		return 2;
	}
	bus_log_setup(BUS_LOG_WARN, false);
	city = (struct city){ strtoull(argv[2], NULL, 10), 1 };
	snprintf(path, sizeof(path), "%s/views", argv[1]);
	gw_db_begin_process(path);
	mkdir(argv[1], 0700);
	mkdir(path, 0700);
	put_view(argv[1], "terpadu", view_head, full ? "store: full\n" : "", view_tail);
	if (full) {
		put_view(argv[1], "per_kelurahan", rollup_kel, "", "");
		put_view(argv[1], "per_pekerjaan", rollup_job, "", "");
	}
	if (city.people == 0)
		return 0;
	kind = full ? "view_full" : "view";
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_city(argv[1]);
	load();
	upkeep("upkeep_batch_100_rows_per_s", 100, CHANGES / 2);
	upkeep("upkeep_rows_per_s", 1000, CHANGES);
	upkeep("upkeep_batch_10000_rows_per_s", 10000, CHANGES);
	lookups_under_writes();
	rebuild();
	settle(GW_FORCE);
	int64_t differing[8] = { 0 }, all = 0;
	must(gw_verify(engine, differing, engine->n_views, &err), &err);
	for (size_t i = 0; i < engine->n_views; i++)
		all += differing[i] < 0 ? 1000000 : differing[i];
	printf("%s_differences %lld rows\n", kind, (long long)all);
	must(gw_db_int(engine->db, 0, &pages, &err,
		       "SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%%terpadu%%'"),
	     &err);
	printf("%s_size_mb %.0f MB\n", kind, (double)pages / 1e6);
	gw_core_close(&engine);
	snprintf(path, sizeof(path), "%s/views.db", argv[1]);
	printf("%s_store_mb %.0f MB\n", kind, size_mb(path));
	getrusage(RUSAGE_SELF, &usage);
	printf("%s_rss_mb %.0f MB\n", kind, (double)usage.ru_maxrss / 1024);
	for (int i = 0; i < TABLES; i++)
		schema_unref(&schema[i]);
	return all ? 1 : 0;
}
