#include "adapters/connect.h"

#include <dirent.h>
#include <stdarg.h>
#include <unistd.h>

#include "adapters/change/change.h"
#include "adapters/may_write.h"
#include "bus/admin.h"
#include "schemas/store/store.h"

#define ASK_MS 10000

struct test {
	const struct adapter_run_conf *conf;
	FILE *out;
	int failed;
	bool unasked; /* of some topic it is not known whether it may be written */
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

/* The schemas of the topics that every department has, in Titian's sources. */
#define COMMON "schemas/avsc/bersama"

struct topic {
	char *name;
	bool common;	  /* every department has it; else its schema is the department's own */
	const char *note; /* what it is good for, when the adapter runs without it; NULL */
};

/* The folder or file with its schema, as a command of the remedy takes it. The caller frees it. */
static char *schema_path(const struct test *t, const struct topic *topic)
{
	const char *dir = t->conf->schemas_dir;
	char *path = bus_xasprintf("%s/bersama", dir ? dir : "");

	if (topic->common && dir && access(path, R_OK) == 0)
		return path;
	free(path);
	return bus_xstrdup(topic->common ? COMMON : dir ? dir : "SKEMA");
}

static char *with_note(char *remedy, const struct topic *topic)
{
	char *both;

	if (!topic->note || !remedy)
		return remedy;
	both = bus_xasprintf("%s\n              %s", remedy, topic->note);
	free(remedy);
	return both;
}

static char *topic_remedy(const struct test *t, const struct topic *topic, enum bus_err rc)
{
	char *path = schema_path(t, topic), *remedy = NULL;

	if (rc == BUS_ENOENT)
		remedy = bus_xasprintf("minta Diskominfo / ask Diskominfo: titian topic apply --bootstrap %s "
				       "--opd %s %s",
				       t->conf->kafka.bootstrap, t->conf->opd, path);
	else if (rc == BUS_EDENIED)
		remedy = bus_xstrdup("minta Diskominfo hak baca dan tulis (READ, WRITE) / ask Diskominfo for "
				     "the right to read and write it");
	free(path);
	return with_note(remedy, topic);
}

static void test_topic(struct test *t, const struct topic *topic)
{
	struct bus_error err = { 0 };
	bool asked = false;
	char *remedy;
	int32_t n = 0;
	enum bus_err rc = bus_admin_partitions(&t->conf->kafka, topic->name, &n, NULL, ASK_MS, &err);

	if (rc == BUS_OK)
		rc = adapter_may_write(&t->conf->kafka, topic->name, ASK_MS, &asked, &err);
	remedy = topic_remedy(t, topic, rc);
	if (rc == BUS_OK)
		report(t, rc, NULL, NULL, "topik / topic %s: %d partisi / partitions%s", topic->name, (int)n,
		       asked ? ", boleh ditulis / may be written" : "");
	else
		report(t, rc, &err, remedy, "topik / topic %s", topic->name);
	t->unasked |= rc == BUS_OK && !asked;
	free(remedy);
}

static void test_subject(struct test *t, struct schema_store *store, const struct topic *topic)
{
	char *subject = bus_xasprintf("%s-value", topic->name), *path = schema_path(t, topic), *remedy = NULL;
	struct schema_version v = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc = schema_store_version(store, subject, 0, &v, &err);

	if (rc == BUS_ENOENT)
		remedy = bus_xasprintf("minta Diskominfo / ask Diskominfo: titian schema register --registry "
				       "URL --opd %s %s",
				       t->conf->opd, path);
	remedy = with_note(remedy, topic);
	if (rc == BUS_OK)
		report(t, rc, NULL, NULL, "skema / schema %s: versi / version %d", subject, v.version);
	else
		report(t, rc, &err, remedy, "skema / schema %s", subject);
	schema_version_release(&v);
	free(remedy);
	free(path);
	free(subject);
}

static void test_centre(struct test *t, const struct topic *topic, size_t n)
{
	struct schema_store *store = NULL;
	struct bus_error err = { 0 };
	char cluster[64] = "";
	int32_t partitions;
	enum bus_err rc =
	    bus_admin_partitions(&t->conf->kafka, t->conf->schemas_topic, &partitions, cluster, ASK_MS, &err);

	report(t, rc == BUS_ENOENT ? BUS_OK : rc, &err,
	       "apakah alamat di kafka.bootstrap benar, dan terbuka dari sini / is kafka.bootstrap right, "
	       "and reachable from here?",
	       "Kafka %s", t->conf->kafka.bootstrap);
	if (rc != BUS_OK && rc != BUS_ENOENT) {
		fprintf(t->out,
			"%-13s topik dan skema tidak ditanyakan, sebab Kafka tidak menjawab / topics and "
			"schemas are not asked for, as Kafka does not answer\n",
			"-");
		return;
	}
	for (size_t i = 0; i < n; i++)
		test_topic(t, &topic[i]);
	rc = schema_store_open(&t->conf->kafka, t->conf->schemas_topic, ASK_MS, &store, &err);
	report(t, rc, &err, "apakah titian-registry sudah berjalan / has titian-registry been started?",
	       "registri / registry (%s)", t->conf->schemas_topic);
	for (size_t i = 0; i < n && rc == BUS_OK; i++)
		test_subject(t, store, &topic[i]);
	if (store)
		schema_store_close(&store);
	if (t->unasked)
		fprintf(
		    t->out,
		    "%-13s hak menulis ke topik lain tidak dicoba, sebab mencobanya berarti menerbitkan / "
		    "the right to write to the other topics is not tried: trying is publishing\n",
		    "-");
}

/* Those that the mappings publish to, each once, and the department's common ones. The caller frees list and names. */
static struct topic *find_topics(struct test *t, size_t *n)
{
	const struct adapter_run_conf *conf = t->conf;
	struct topic *topic = bus_xcalloc(conf->n_mappings + 3, sizeof(*topic));

	*n = 0;
	for (size_t i = 0; i < conf->n_mappings; i++) {
		struct adapter_map *m = NULL;
		struct bus_error err = { 0 };
		enum bus_err rc = adapter_map_load(conf->mapping[i], &conf->env, &m, &err);
		bool known = false;

		if (rc != BUS_OK) {
			report(t, rc, &err, "titian adapter check", "pemetaan / mapping %s",
			       conf->mapping[i]);
			continue;
		}
		for (size_t k = 0; k < *n && !known; k++)
			known = strcmp(topic[k].name, adapter_map_topic(m)) == 0;
		if (!known)
			topic[(*n)++].name = bus_xstrdup(adapter_map_topic(m));
		test_fetch(t, m);
		test_change(t, m);
		adapter_map_free(&m);
	}
	topic[(*n)++] = (struct topic){ bus_xasprintf("pku.%s.berkas.v1", conf->opd), true, NULL };
	topic[(*n)++] = (struct topic){ bus_xasprintf("pku.%s.karantina.v1", conf->opd), true, NULL };
	if (conf->status_every_ms > 0)
		topic[(*n)++] = (struct topic){
			bus_xasprintf("pku.%s.adapter.v1", conf->opd), true,
			"tanpa itu data tetap terbit, tetapi kota tidak melihat keadaan adapter ini "
			"(status.every: 0s: tidak perlu) / without it data is published all the same, but "
			"the city does not see how this adapter is doing (status.every: 0s: not wanted)"
		};
	return topic;
}

int adapter_connect_test(const struct adapter_run_conf *conf, FILE *out)
{
	struct test t = { .conf = conf, .out = out };
	struct topic *topic;
	size_t n;

	test_folder(&t);
	topic = find_topics(&t, &n);
	test_centre(&t, topic, n);
	for (size_t i = 0; i < n; i++)
		free(topic[i].name);
	free(topic);
	if (t.failed > 0)
		fprintf(out, "%d gagal / failed\n", t.failed);
	else
		fprintf(out, "semua baik / all is well\n");
	return t.failed;
}
