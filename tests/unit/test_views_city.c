/* The shipped views against a city's exact truth: its files through the shipped mappings, the records through
 * the engine, every figure of `pandangan` and every class that only the gateway settles. CITY names another
 * folder of generated files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "adapters/input.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "tests/support/engine_support.h"
#include "tests/support/map_support.h"

struct feed {
	const char *file, *mapping;
};

/* Disdukcapil last: everything else is there before a single resident is known. */
static const struct feed feeds[] = {
	{ "dinkes_kunjungan.jsonl", "dinkes/kunjungan" },
	{ "dinsos_bansos.csv", "dinsos/bansos" },
	{ "disdik_siswa.csv", "disdik/siswa" },
	{ "bapenda_pbb.txt", "bapenda/pbb" },
	{ "dpmptsp_nib.json", "dpmptsp/nib" },
	{ "bkpsdm_pegawai.sql", "bkpsdm/asn" },
	{ "disdukcapil_peristiwa.psv", "disdukcapil/peristiwa" },
	{ "disdukcapil_penduduk.psv", "disdukcapil/penduduk" },
};

static const char *city_feeds(void)
{
	return getenv("CITY") ? getenv("CITY") : "deploy/demo/feeds";
}

/* What adapters tell about files has no rows here, but a view reads it. */
static void add_reports(struct engine *t)
{
	static const char *const opd[] = { "disdukcapil", "dinkes", "dinsos", "disdik", "bapenda", "dpmptsp", "bkpsdm" };

	for (size_t i = 0; i < BUS_LEN(opd); i++)
		engine_topic(t, bus_xasprintf("pku.%s.berkas.v1", opd[i]), map_support_schema("bersama/berkas"));
}

static void read_feed(struct engine *t, const struct feed *f)
{
	struct adapter_map *m = map_support_load(f->mapping, f->mapping);
	const struct adapter_source_kind *kind = adapter_map_source(m);
	int topic = engine_topic(t, bus_xstrdup(adapter_map_topic(m)), map_support_schema(f->mapping));
	struct gw_keys newest = { 0 };
	int64_t *version = NULL;
	struct adapter_input *in;
	struct adapter_result result;
	struct adapter_row row;
	struct bus_error err = { 0 };
	char path[300];
	void *source;
	enum bus_err rc;

	snprintf(path, sizeof(path), "%s/%s", city_feeds(), f->file);
	assert_int_equal(adapter_input_open(path, &in, &err), BUS_OK);
	assert_int_equal(adapter_map_begin(m, &err), BUS_OK);
	assert_int_equal(adapter_map_open_source(m, in, &source, &err), BUS_OK);
	while ((rc = kind->next(source, &row, &err)) == BUS_OK) {
		assert_int_equal(adapter_map_row(m, &row, &result, &err), BUS_OK);
		if (result.fate == ADAPTER_REFUSE)
			continue;
		if (adapter_map_newest(m)) { /* the runner's part: a higher version wins */
			size_t i = newest.n;

			if (gw_keys_add(&newest, result.key)) {
				version = bus_xrealloc(version, newest.n * sizeof(*version));
			} else {
				for (i = 0; !bus_str_eq(gw_keys_at(&newest, i), result.key); i++)
					;
				if (result.version < version[i])
					continue;
			}
			version[i] = result.version;
		}
		engine_add(t, topic, result.key, &result.value, 0);
	}
	assert_int_equal(rc, BUS_ENOENT);
	kind->close(source);
	adapter_input_close(&in);
	adapter_map_free(&m);
	gw_keys_release(&newest);
	free(version);
}

struct set {
	const struct gw_view *view;
	int column, sum, only; /* column to collect; -1 or column to add up; -1 or boolean column */
	char (*key)[40];
	size_t n;
	int64_t total, all;
};

static bool collect(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct set *s = ctx;

	(void)hash;
	s->all++;
	if (s->only >= 0 && !value[s->only].i)
		return true;
	if (s->sum >= 0)
		s->total += value[s->sum].i;
	s->key = bus_xrealloc(s->key, (s->n + 1) * sizeof(*s->key));
	snprintf(s->key[s->n++], sizeof(*s->key), "%.*s", (int)value[s->column].s.n, value[s->column].s.p);
	return true;
}

static void read_view(struct engine *t, const char *name, const char *column, const char *sum,
		      const char *only, struct set *s)
{
	struct bus_error err = { 0 };
	struct gw_query q = { .date = "2025-12-31", .limit = 1000000 };

	*s = (struct set){ .view = gw_view_find(t->e, name) };
	assert_non_null(s->view);
	s->column = gw_view_column(s->view, column);
	s->sum = sum ? gw_view_column(s->view, sum) : -1;
	s->only = only ? gw_view_column(s->view, only) : -1;
	q.view = s->view;
	assert_int_equal(gw_page(gw_reader_of(t->e), &q, collect, s, &err), BUS_OK);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void check_set(struct engine *t, const struct bus_json *truth, const char *name, const char *column,
		      const char *sum, const char *only, struct set *s)
{
	const struct bus_json *want = bus_json_get(truth, name);
	struct bus_sha256_stream *h = bus_sha256_new();
	uint8_t digest[BUS_SHA256_LEN];
	char hex[2 * BUS_SHA256_LEN + 1];
	int64_t n;

	assert_non_null(want);
	read_view(t, name, column, sum, only, s);
	qsort(s->key, s->n, sizeof(*s->key), by_text);
	for (size_t i = 0; i < s->n; i++) {
		bus_sha256_add(h, s->key[i], strlen(s->key[i]));
		bus_sha256_add(h, "\n", 1);
	}
	bus_sha256_end(&h, digest);
	bus_hex(digest, sizeof(digest), hex);
	assert_int_equal(bus_json_int(bus_json_get(want, "jumlah"), &n), BUS_OK);
	if ((int64_t)s->n != n)
		fail_msg("%s: %zu, not %lld", name, s->n, (long long)n);
	if (!bus_str_is(bus_json_get(want, "sha256")->text, hex))
		fail_msg("%s: another set of %zu", name, s->n);
	free(s->key);
}

static int64_t number(const struct bus_json *v, const char *name)
{
	int64_t n;

	assert_non_null(bus_json_get(v, name));
	assert_int_equal(bus_json_int(bus_json_get(v, name), &n), BUS_OK);
	return n;
}

struct map_check {
	const struct bus_json *want;
	int key, value;
	size_t n;
};

static bool check_pair(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct map_check *m = ctx;
	char key[40];

	(void)hash;
	snprintf(key, sizeof(key), "%.*s", (int)value[m->key].s.n, value[m->key].s.p);
	assert_int_equal(value[m->value].i, number(m->want, key));
	m->n++;
	return true;
}

static void check_map(struct engine *t, const struct bus_json *truth, const char *name, const char *key,
		      const char *value)
{
	struct bus_error err = { 0 };
	struct gw_query q = { .view = gw_view_find(t->e, name), .limit = 10000 };
	struct map_check m = { .want = bus_json_get(truth, name) };

	m.key = gw_view_column(q.view, key);
	m.value = gw_view_column(q.view, value);
	assert_int_equal(gw_page(gw_reader_of(t->e), &q, check_pair, &m, &err), BUS_OK);
	assert_int_equal(m.n, m.want->n);
}

static bool check_totals(void *ctx, const struct gw_value *value, uint64_t hash)
{
	const struct bus_json *want = ctx;

	(void)hash;
	assert_int_equal(value[1].i, number(want, "awal"));
	assert_int_equal(value[2].i, number(want, "hidup_di_kota"));
	assert_int_equal(value[3].i, number(want, "meninggal"));
	assert_int_equal(value[4].i, number(want, "pindah_keluar"));
	assert_int_equal(value[5].i, number(bus_json_get(want, "per_jk"), "L"));
	assert_int_equal(value[6].i, number(bus_json_get(want, "per_jk"), "P"));
	return true;
}

static void check_class(struct engine *t, const struct bus_json *feeds_truth, const char *file,
			const char *opd, const char *class_name)
{
	const struct bus_json *want =
	    bus_json_get(bus_json_get(bus_json_get(feeds_truth, file), "cacat"), class_name);
	char name[80];
	int64_t n = 0;

	snprintf(name, sizeof(name), "mutu_%s_%s", opd, class_name);
	if (want)
		assert_int_equal(bus_json_int(want, &n), BUS_OK);
	if (gw_view_rows(t->e, gw_view_find(t->e, name)) != n)
		fail_msg("%s: %lld, not %lld", name, (long long)gw_view_rows(t->e, gw_view_find(t->e, name)),
			 (long long)n);
}

static void check_city(struct engine *t, const struct bus_json *truth)
{
	const struct bus_json *p = bus_json_get(truth, "pandangan"), *f = bus_json_get(truth, "feeds");
	struct bus_error err = { 0 };
	struct set s;

	assert_int_equal(gw_get(gw_reader_of(t->e), gw_view_find(t->e, "penduduk"), NULL, BUS_STR("kota"), NULL,
				check_totals, (void *)(uintptr_t)bus_json_get(p, "penduduk"), &err),
			 BUS_OK);
	check_map(t, p, "penduduk_hidup_per_kelurahan", "kode_kel", "jumlah");
	check_map(t, p, "tunggakan_pbb_per_kecamatan", "kode_kec", "tunggakan");
	check_set(t, p, "keluarga_bansos_ada_meninggal", "no_kk", NULL, NULL, &s);
	check_set(t, p, "penerima_bansos_meninggal", "nik", NULL, NULL, &s);
	check_set(t, p, "anak_7_15_tidak_terdaftar", "nik", NULL, NULL, &s);
	check_set(t, p, "pemilik_nib_aktif_menunggak_pbb", "nik", "tunggakan", NULL, &s);
	assert_int_equal(s.total, number(bus_json_get(p, "pemilik_nib_aktif_menunggak_pbb"), "total_rupiah"));
	check_set(t, p, "asn_aktif_penerima_bansos", "nik", NULL, NULL, &s);
	check_set(t, p, "asn_aktif_meninggal", "nik", NULL, NULL, &s);
	check_set(t, p, "kunjungan_setelah_meninggal", "id_kunjungan", NULL, NULL, &s);
	check_set(t, p, "imunisasi_dasar_lengkap_12_23_bulan", "nik", NULL, "lengkap", &s);
	assert_int_equal(s.all, number(bus_json_get(p, "imunisasi_dasar_lengkap_12_23_bulan"), "anak"));

	check_class(t, f, "dinkes_kunjungan.jsonl", "dinkes", "nama_beda");
	check_class(t, f, "dinkes_kunjungan.jsonl", "dinkes", "setelah_meninggal");
	check_class(t, f, "dinkes_kunjungan.jsonl", "dinkes", "nik_tidak_dikenal");
	check_class(t, f, "dinsos_bansos.csv", "dinsos", "nama_beda");
	check_class(t, f, "dinsos_bansos.csv", "dinsos", "kk_beda");
	check_class(t, f, "dinsos_bansos.csv", "dinsos", "nik_tidak_dikenal");
	check_class(t, f, "disdik_siswa.csv", "disdik", "nama_beda");
	check_class(t, f, "disdik_siswa.csv", "disdik", "nik_tidak_dikenal");
	check_class(t, f, "bapenda_pbb.txt", "bapenda", "nik_tidak_dikenal");
	check_class(t, f, "bkpsdm_pegawai.sql", "bkpsdm", "nik_tidak_dikenal");
	check_class(t, f, "dpmptsp_nib.json", "dpmptsp", "nik_tidak_dikenal");
	check_class(t, f, "disdukcapil_peristiwa.psv", "disdukcapil", "nik_tidak_dikenal");
}

static void run_city(size_t batch, enum gw_haste haste)
{
	struct engine *t = engine_new();
	char truth_path[300];
	const struct bus_json *truth;
	int64_t begin, applied, n;

	snprintf(truth_path, sizeof(truth_path), "%s/truth.json",
		 getenv("CITY") ? getenv("CITY") : "deploy/demo");
	add_reports(t);
	for (size_t i = 0; i < BUS_LEN(feeds); i++)
		read_feed(t, &feeds[i]);
	engine_open(t, "gateway/views");
	n = (int64_t)t->n;
	begin = bus_clock_mono_ms();
	engine_apply(t, batch, haste);
	applied = bus_clock_mono_ms();
	engine_settle(t);
	print_message("%lld records: applied in %lld ms, views settled in %lld ms\n", (long long)n,
		      (long long)(applied - begin), (long long)(bus_clock_mono_ms() - applied));
	truth = map_support_json(truth_path);
	check_city(t, truth);
	assert_int_equal(engine_differences(t), 0);
	map_support_json_free();
	for (int i = 0; i < t->n_topics; i++)
		free((void *)(uintptr_t)t->topic[i].name);
	engine_free(&t);
}

static void a_city_read_in_bulk_gives_its_exact_truth(void **state)
{
	(void)state;
	run_city(20000, GW_BACKLOG);
}

static void a_city_read_in_small_batches_gives_its_exact_truth(void **state)
{
	(void)state;
	if (getenv("CITY"))
		skip();
	run_city(37, GW_LIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_city_read_in_bulk_gives_its_exact_truth),
		cmocka_unit_test(a_city_read_in_small_batches_gives_its_exact_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
