/* The sample city through the shipped mappings: every class that one file decides, row by row, as the
 * generator's own list of defects (deploy/demo/cacat.csv) and its truth have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/input.h"
#include "adapters/map.h"
#include "tests/support/map_support.h"

#define CITY "deploy/demo"
#define LINES 5000
#define CLASS 32

struct city_feed {
	const char *file, *mapping, *schema;
	const char *elsewhere; /* classes that need other feeds, or the runner */
};

static const struct city_feed feeds[] = {
	{ "disdukcapil_penduduk.psv", "disdukcapil/penduduk", "disdukcapil/penduduk", "" },
	{ "disdukcapil_peristiwa.psv", "disdukcapil/peristiwa", "disdukcapil/peristiwa",
	  "nik_tidak_dikenal" },
	{ "dinkes_kunjungan.jsonl", "dinkes/kunjungan", "dinkes/kunjungan",
	  "nik_tidak_dikenal setelah_meninggal nama_beda" },
	{ "dinsos_bansos.csv", "dinsos/bansos", "dinsos/bansos", "nik_tidak_dikenal kk_beda nama_beda" },
	{ "disdik_siswa.csv", "disdik/siswa", "disdik/siswa", "nama_beda" },
	{ "bapenda_pbb.txt", "bapenda/pbb", "bapenda/pbb", "" },
	{ "dpmptsp_nib.json", "dpmptsp/nib", "dpmptsp/nib", "nik_tidak_dikenal versi_lama" },
	{ "bkpsdm_pegawai.sql", "bkpsdm/asn", "bkpsdm/asn", "" },
};

struct outcome {
	char class[LINES][CLASS]; /* by line: the class expected and not yet met */
	int64_t rows, refused, accepted;
	int64_t count[ADAPTER_CLASSES_MAX];
};

static void expect(struct outcome *o, const struct city_feed *f)
{
	FILE *in = fopen(CITY "/cacat.csv", "r");
	char text[256];

	assert_non_null(in);
	while (fgets(text, sizeof(text), in)) {
		size_t name = strlen(f->file);
		char *class = strrchr(text, ',');
		long line;

		if (strncmp(text, f->file, name) != 0 || text[name] != ',')
			continue;
		line = strtol(text + name + 1, NULL, 10);
		class[strcspn(class, "\r\n")] = '\0';
		class ++;
		assert_true(line > 0 && line < LINES);
		if (!strstr(f->elsewhere, class))
			snprintf(o->class[line], CLASS, "%s", class);
	}
	fclose(in);
}

/* One class a row: what the row is refused for, or its flag. */
static void met(struct outcome *o, const char *file, uint64_t line, const char *class)
{
	assert_true(line < LINES);
	if (strcmp(o->class[line], class) != 0)
		fail_msg("%s line %llu: '%s', expected '%s'", file, (unsigned long long)line, class,
			 o->class[line]);
	o->class[line][0] = '\0';
}

static void one_row(struct outcome *o, const struct city_feed *f, struct adapter_map *m,
		    const struct adapter_row *row, const struct adapter_result *r)
{
	size_t n;
	const struct adapter_class *class = adapter_map_classes(m, &n);

	o->rows++;
	if (r->fate == ADAPTER_REFUSE) {
		o->refused++;
		o->count[r->reason]++;
		met(o, f->file, row->line, class[r->reason].name);
		assert_true(r->detail[0] != '\0');
	} else {
		o->accepted++;
		assert_true(r->key.n > 0 && r->value.n > 0);
	}
	for (size_t i = 0; i < r->n_flags; i++) {
		o->count[r->flag[i]]++;
		if (class[r->flag[i]].fate == ADAPTER_CLASS_FLAG ||
		    class[r->flag[i]].fate == ADAPTER_CLASS_LOOSE)
			met(o, f->file, row->line, class[r->flag[i]].name);
	}
}

static void run_feed(struct outcome *o, const struct city_feed *f, struct adapter_map **out)
{
	struct adapter_map *m = map_support_load(f->mapping, f->schema);
	const struct adapter_source_kind *kind = adapter_map_source(m);
	struct adapter_input *in;
	struct adapter_row row;
	struct adapter_result result;
	struct adapter_end end = { 0 };
	struct bus_error err = { 0 };
	char path[128];
	void *source;
	enum bus_err rc;

	snprintf(path, sizeof(path), CITY "/feeds/%s", f->file);
	assert_true(adapter_map_takes(m, f->file));
	expect(o, f);
	assert_int_equal(adapter_input_open(path, &in, &err), BUS_OK);
	assert_int_equal(adapter_map_begin(m, &err), BUS_OK);
	if (adapter_map_open_source(m, in, &source, &err) != BUS_OK)
		fail_msg("%s", err.text);
	while ((rc = kind->next(source, &row, &err)) == BUS_OK) {
		assert_int_equal(adapter_map_row(m, &row, &result, &err), BUS_OK);
		one_row(o, f, m, &row, &result);
	}
	assert_int_equal(rc, BUS_ENOENT);
	kind->end(source, &end);
	assert_false(end.cut);
	for (size_t i = 0; i < end.n_controls; i++)
		assert_int_equal(end.control[i].said, end.control[i].counted);
	kind->close(source);
	adapter_input_close(&in);
	for (size_t i = 0; i < LINES; i++)
		if (o->class[i][0])
			fail_msg("%s line %zu: '%s' was not found", f->file, i, o->class[i]);
	*out = m;
}

static int64_t count_of(const struct adapter_map *m, const struct outcome *o, const char *class)
{
	int i = adapter_map_class_index(m, class);

	return i < 0 ? 0 : o->count[i];
}

static const struct bus_json *must(const struct bus_json *v, const char *name)
{
	const struct bus_json *found = bus_json_get(v, name);

	if (!found)
		fail_msg("no member %s in the truth", name);
	return found;
}

static int64_t number(const struct bus_json *v)
{
	int64_t n;

	assert_int_equal(bus_json_int(v, &n), BUS_OK);
	return n;
}

static void compare(const struct city_feed *f, const struct adapter_map *m, const struct outcome *o,
		    const struct bus_json *truth)
{
	const struct bus_json *feed = must(must(truth, "feeds"), f->file), *classes = must(feed, "cacat");
	int64_t later = 0;

	assert_int_equal(o->rows, number(must(feed, "baris_data")));
	for (const struct bus_json *c = classes->first; c; c = c->next) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)c->name.n, c->name.p);
		if (!strstr(f->elsewhere, name))
			assert_int_equal(count_of(m, o, name), number(c));
		/* Refused for what only the runner or the gateway can know. */
		else if (strcmp(name, "versi_lama") == 0 || strcmp(f->file, "disdukcapil_peristiwa.psv") == 0)
			later += number(c);
	}
	assert_int_equal(o->refused + later, number(must(feed, "ditolak")));
	assert_int_equal(o->accepted - later, number(must(feed, "diterima")));
}

static void finds_exactly_the_defects_of_the_sample_city(void **state)
{
	struct bus_json *truth = map_support_json(CITY "/truth.json");
	const struct bus_json *seen = must(truth, "teramati"),
			      *variants = must(seen, "dinkes_variasi_tak_berbahaya");

	(void)state;
	for (size_t i = 0; i < BUS_LEN(feeds); i++) {
		struct outcome *o = bus_xcalloc(1, sizeof(*o));
		struct adapter_map *m = NULL;

		run_feed(o, &feeds[i], &m);
		compare(&feeds[i], m, o, truth);
		if (strstr(feeds[i].file, "peristiwa"))
			assert_int_equal(count_of(m, o, "terlambat"),
					 number(must(seen, "peristiwa_datang_terlambat")));
		if (strstr(feeds[i].file, "dinkes")) {
			assert_int_equal(count_of(m, o, "nik_numerik"),
					 number(must(variants, "nik_numerik")));
			assert_int_equal(count_of(m, o, "waktu_tanpa_zona"),
					 number(must(variants, "waktu_tanpa_zona")));
		}
		adapter_map_free(&m);
		free(o);
	}
	map_support_json_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_exactly_the_defects_of_the_sample_city),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
