#include "adapters/connect.h"

#include <dirent.h>
#include <stdarg.h>
#include <unistd.h>

#include "adapters/change/change.h"
#include "bus/admin.h"
#include "schemas/store/store.h"

#define ASK_MS 10000

struct test {
	const struct adapter_run_conf *conf;
	FILE *out;
	int failed;
};

/* remedy: NULL when err says it. */
static void report(struct test *t, enum bus_err rc, const struct bus_error *err, const char *remedy,
		   const char *fmt, ...) BUS_PRINTF(5, 6);
static void report(struct test *t, enum bus_err rc, const struct bus_error *err, const char *remedy,
		   const char *fmt, ...)
{
	va_list ap;

	fprintf(t->out, "%-13s ", rc == BUS_OK ? "ok" : "GAGAL/FAILED");
	va_start(ap, fmt);
	vfprintf(t->out, fmt, ap);
	va_end(ap);
	fputc('\n', t->out);
	if (rc == BUS_OK)
		return;
	t->failed++;
	if (err && err->text[0])
		fprintf(t->out, "              %s\n", err->text);
	if (remedy)
		fprintf(t->out, "              -> %s\n", remedy);
}

/* ---- what is on this machine ---- */

static void test_folder(struct test *t)
{
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_OK;

	if (access(t->conf->drop.dir, R_OK | W_OK | X_OK) != 0)
		rc = bus_fail(&err, BUS_EDENIED, "'%s': %m", t->conf->drop.dir);
	report(t, rc, &err,
	       "buat foldernya, milik pengguna adapter / make the folder, and let the adapter's user own it: "
	       "install -d -o "
	       "titian FOLDER",
	       "folder %s", t->conf->drop.dir);
}

/* ---- sources ---- */

static void clear(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *path = bus_xasprintf("%s/%s", dir, e->d_name);

		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlink(path);
		free(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

static void test_fetch(struct test *t, struct adapter_map *m)
{
	char *dir = bus_xasprintf("%s/titian-coba-XXXXXX", t->conf->state_dir);
	struct adapter_fetch *fetch = NULL;
	struct bus_error err = { 0 };
	uint64_t rows = 0;
	char file[512] = "";
	enum bus_err rc;

	if (!mkdtemp(dir)) {
		rc = bus_fail(&err, BUS_EIO, "'%s': %m", t->conf->state_dir);
	} else {
		rc = adapter_fetch_new(m, dir, &fetch, &err);
		if (rc == BUS_OK && fetch)
			rc = adapter_fetch_once(fetch, &rows, file, &err);
		if (fetch || rc != BUS_OK)
			report(t, rc, &err, NULL, "mengambil / fetching %s: %llu baris / rows",
			       adapter_map_feed(m), (unsigned long long)rows);
		adapter_fetch_free(&fetch);
		clear(dir);
		rc = BUS_OK;
	}
	if (rc != BUS_OK)
		report(t, rc, &err, "lihat state.dir / see state.dir", "folder %s", t->conf->state_dir);
	free(dir);
}

static void test_change(struct test *t, struct adapter_map *m)
{
	struct adapter_change *change = NULL;
	struct bus_error err = { 0 };
	enum bus_err rc = adapter_change_new(m, t->conf->drop.dir, &change, &err);

	if (rc == BUS_OK && change)
		rc = adapter_change_test(change, &err);
	if (change || rc != BUS_OK)
		report(t, rc, &err, NULL, "mengikuti tabel / following the table of %s", adapter_map_feed(m));
	adapter_change_free(&change);
}

/* ---- Kafka ---- */

static void test_topic(struct test *t, const char *topic)
{
	struct bus_error err = { 0 };
	int32_t n = 0;
	enum bus_err rc = bus_admin_partitions(&t->conf->kafka, topic, &n, NULL, ASK_MS, &err);

	report(t, rc, &err,
	       rc == BUS_ENOENT	   ? "minta Diskominfo / ask Diskominfo: titian topic apply SKEMA"
	       : rc == BUS_EDENIED ? "minta hak tulis dan baca / ask for the right to write and read it"
				   : NULL,
	       "topik / topic %s: %d partisi / partitions", topic, (int)n);
}

static void test_subject(struct test *t, struct schema_store *store, const char *topic)
{
	char *subject = bus_xasprintf("%s-value", topic);
	struct schema_version v = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc = schema_store_version(store, subject, 0, &v, &err);

	report(t, rc, &err, rc == BUS_ENOENT ? "daftarkan / register it: titian schema register SKEMA" : NULL,
	       "skema / schema %s: versi / version %d", subject, v.version);
	schema_version_release(&v);
	free(subject);
}

static void test_centre(struct test *t, char *const *topic, size_t n)
{
	struct schema_store *store = NULL;
	struct bus_error err = { 0 };
	char cluster[64] = "";
	int32_t partitions;
	enum bus_err rc =
	    bus_admin_partitions(&t->conf->kafka, t->conf->schemas_topic, &partitions, cluster, ASK_MS, &err);

	report(t, rc == BUS_ENOENT ? BUS_OK : rc, &err,
	       "apakah alamat di kafka.bootstrap benar, dan terbuka dari sini / is kafka.bootstrap right, "
	       "and reachable from "
	       "here?",
	       "Kafka %s", t->conf->kafka.bootstrap);
	if (rc != BUS_OK && rc != BUS_ENOENT)
		return; /* nothing else can be asked */
	for (size_t i = 0; i < n; i++)
		test_topic(t, topic[i]);
	rc = schema_store_open(&t->conf->kafka, t->conf->schemas_topic, ASK_MS, &store, &err);
	report(t, rc, &err, "apakah titian-registry sudah berjalan / has titian-registry been started?",
	       "registri / registry (%s)", t->conf->schemas_topic);
	for (size_t i = 0; i < n && rc == BUS_OK; i++)
		test_subject(t, store, topic[i]);
	if (store)
		schema_store_close(&store);
}

int adapter_connect_test(const struct adapter_run_conf *conf, FILE *out)
{
	struct test t = { .conf = conf, .out = out };
	char **topic = bus_xcalloc(conf->n_mappings + 2, sizeof(*topic));
	size_t n = 0;

	test_folder(&t);
	for (size_t i = 0; i < conf->n_mappings; i++) {
		struct adapter_map *m = NULL;
		struct bus_error err = { 0 };
		enum bus_err rc = adapter_map_load(conf->mapping[i], &conf->env, &m, &err);

		if (rc != BUS_OK) {
			report(&t, rc, &err, "titian adapter check", "pemetaan / mapping %s",
			       conf->mapping[i]);
			continue;
		}
		topic[n] = bus_xstrdup(adapter_map_topic(m));
		for (size_t k = 0; k < n; k++)
			if (topic[n] && strcmp(topic[k], topic[n]) == 0) {
				free(topic[n]);
				topic[n] = NULL;
			}
		n += topic[n] != NULL;
		test_fetch(&t, m);
		test_change(&t, m);
		adapter_map_free(&m);
	}
	topic[n++] = bus_xasprintf("pku.%s.berkas.v1", conf->opd);
	topic[n++] = bus_xasprintf("pku.%s.karantina.v1", conf->opd);
	test_centre(&t, topic, n);
	for (size_t i = 0; i < n; i++)
		free(topic[i]);
	free(topic);
	/* No write is harmless: even an aborted transaction leaves its records in the topic, and a broker tells rights only then. */
	fprintf(out,
		"%-13s hak menulis tidak dicoba, sebab mencobanya berarti menerbitkan / the right to write "
		"is not "
		"tried: trying is publishing\n",
		"-");
	if (t.failed > 0)
		fprintf(out, "%d gagal / failed\n", t.failed);
	else
		fprintf(out, "semua baik / all is well\n");
	return t.failed;
}
