/* tests/bench/views_load.h - the synthetic city in an engine of this process: its view of five tables, and the loading
 * of all records by the thread that writes. */
#ifndef TESTS_BENCH_VIEWS_LOAD_H
#define TESTS_BENCH_VIEWS_LOAD_H

#include <sys/stat.h>
#include <time.h>

#include "gateway/engine/core.h"
#include "tests/bench/views_data.h"

#define LOAD_BATCH 10000

static const char view_head[] =
    "/*---\nname: terpadu\nkey: id\nroutes:\n  uji_penduduk: _key\n  uji_kesehatan: _key\n  uji_bansos: nik\n"
    "  uji_pbb: nik_wp\n  uji_faskes: SELECT _key FROM uji_kesehatan WHERE faskes_id = :_key\n"
    "indexes:\n  - {table: uji_kesehatan, columns: [faskes_id]}\n  - {table: uji_bansos, columns: [nik]}\n"
    "  - {table: uji_pbb, columns: [nik_wp]}\n";
static const char view_tail[] =
    "columns:\n  id: {type: text, pdp: P}\n  nama: {type: text, pdp: U}\n  tgl_lahir: {type: text, pdp: U}\n"
    "  jk: {type: text, pdp: U}\n  kode_kel: {type: text, pdp: N}\n  pekerjaan: {type: text, pdp: U}\n"
    "  status: {type: text, pdp: U}\n  faskes_id: {type: text, pdp: S}\n  faskes: {type: text, pdp: S}\n"
    "  kelas: {type: int, pdp: S}\n  aktif: {type: int, pdp: S}\n  iuran: {type: int, pdp: S}\n"
    "  n_bansos: {type: int, pdp: S}\n  bansos: {type: json, pdp: S}\n  n_pbb: {type: int, pdp: S}\n"
    "  tunggakan: {type: int, pdp: S}\n---*/\n"
    "SELECT p._key AS id, p.nama, p.tgl_lahir, p.jk, p.kode_kel, p.pekerjaan, p.status,\n"
    "  k.faskes_id, f.nama AS faskes, k.kelas, k.aktif, k.iuran,\n"
    "  (SELECT count(*) FROM uji_bansos b WHERE b.nik = p._key AND b.status = 'AKTIF') AS n_bansos,\n"
    "  (SELECT json_group_array(program) FROM (SELECT b.program FROM uji_bansos b WHERE b.nik = p._key\n"
    "     ORDER BY b._key)) AS bansos,\n"
    "  (SELECT count(*) FROM uji_pbb t WHERE t.nik_wp = p._key) AS n_pbb,\n"
    "  (SELECT sum(t.terutang - t.dibayar) FROM uji_pbb t WHERE t.nik_wp = p._key AND t.terutang > "
    "t.dibayar)\n"
    "     AS tunggakan\n"
    "FROM uji_penduduk p LEFT JOIN uji_kesehatan k ON k._key = p._key LEFT JOIN uji_faskes f ON f._key = "
    "k.faskes_id\n";
static struct schema *schema[TABLES];
static struct gw_engine *engine;
static int64_t offset[TABLES];
static struct city city;
static const char *kind = "view"; /* before each name that is printed */

static void must(enum bus_err rc, const struct bus_error *err)
{
	if (rc != BUS_OK) {
		fprintf(stderr, "views: %s: %s\n", bus_err_name(rc), err->text);
		exit(1);
	}
}

static enum bus_err by_id(void *ctx, int32_t id, struct schema **out, struct bus_error *err)
{
	(void)ctx;
	if (id < 1 || id > TABLES)
		return bus_fail(err, BUS_ENOENT, "no such schema");
	*out = schema_ref(schema[id - 1]);
	return BUS_OK;
}

static enum bus_err latest(void *ctx, const char *subject, struct schema **out, int32_t *id,
			   struct bus_error *err)
{
	for (int i = 0; i < TABLES; i++) {
		if (strncmp(subject, city_topic[i], strlen(city_topic[i])) == 0) {
			*id = i + 1;
			return by_id(ctx, *id, out, err);
		}
	}
	return bus_fail(err, BUS_ENOENT, "no such subject");
}

struct batch {
	struct bus_record *rec;
	struct bus_header (*header)[2];
	struct span {
		size_t key, n_key, value, n_value, stream, n_stream, seq, n_seq;
	} * span;
	struct bus_buf bytes;
	size_t n, cap;
};

static void batch_add(struct batch *b, int table, uint64_t row)
{
	struct span *s;
	char key[24], text[64];

	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 1024;
		b->rec = bus_xrealloc(b->rec, b->cap * sizeof(*b->rec));
		b->span = bus_xrealloc(b->span, b->cap * sizeof(*b->span));
		b->header = bus_xrealloc(b->header, b->cap * sizeof(*b->header));
	}
	s = &b->span[b->n];
	city_key(table, row, key);
	s->key = b->bytes.n;
	bus_buf_puts(&b->bytes, key);
	s->n_key = b->bytes.n - s->key;
	s->value = b->bytes.n;
	bus_wire_put_prefix(&b->bytes, table + 1);
	city_row(&city, table, row, &b->bytes);
	s->n_value = b->bytes.n - s->value;
	s->stream = b->bytes.n;
	bus_buf_printf(&b->bytes, "%s/0", city_topic[table]);
	s->n_stream = b->bytes.n - s->stream;
	s->seq = b->bytes.n;
	snprintf(text, sizeof(text), "%lld", (long long)offset[table] + 1);
	bus_buf_puts(&b->bytes, text);
	s->n_seq = b->bytes.n - s->seq;
	b->rec[b->n++] = (struct bus_record){ .topic = city_topic[table],
					      .offset = offset[table]++,
					      .timestamp_ms = 1735689600000,
					      .slot = table };
}

static void batch_apply(struct batch *b)
{
	struct bus_error err = { 0 };

	for (size_t i = 0; i < b->n; i++) { /* the bytes stand still now */
		const struct span *s = &b->span[i];

		b->rec[i].key = (struct bus_str){ b->bytes.p + s->key, s->n_key };
		b->rec[i].value = (struct bus_str){ b->bytes.p + s->value, s->n_value };
		b->header[i][0] =
		    (struct bus_header){ BUS_STR("titian_stream"), { b->bytes.p + s->stream, s->n_stream } };
		b->header[i][1] =
		    (struct bus_header){ BUS_STR("titian_seq"), { b->bytes.p + s->seq, s->n_seq } };
		b->rec[i].header = b->header[i];
		b->rec[i].n_headers = 2;
	}
	must(gw_apply(engine, b->rec, b->n, &err), &err);
	b->n = 0;
	bus_buf_reset(&b->bytes);
}

static void batch_release(struct batch *b)
{
	free(b->rec);
	free(b->span);
	free(b->header);
	bus_buf_release(&b->bytes);
}

static void settle(enum gw_haste haste)
{
	struct bus_error err = { 0 };
	bool pending;

	must(gw_settle(engine, haste, NULL, &pending, &err), &err);
	must(gw_commit(engine, &err), &err);
}

static void checkpoint(void)
{
	struct bus_error err = { 0 };
	int64_t left;

	must(gw_db_checkpoint(engine->db, true, &left, &err), &err);
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put_view(const char *dir, const char *name, const char *a, const char *b, const char *c)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/views/%s.sql", dir, name);
	f = fopen(path, "w");
	if (!f)
		exit(1);
	fprintf(f, "%s%s%s", a, b, c);
	fclose(f);
}

/* DIR with the view, and others if there are; the engine on it, empty. */
static void open_city(const char *dir)
{
	static const char *const names[] = { "pku.uji.penduduk.v1", "pku.uji.kesehatan.v1",
					     "pku.uji.bansos.v1",   "pku.uji.pbb.v1",
					     "pku.uji.faskes.v1",   NULL };
	const struct gw_schemas schemas = { .by_id = by_id, .latest = latest };
	struct bus_error err = { 0 };
	char path[300], views[300];

	for (int i = 0; i < TABLES; i++)
		must(schema_parse(bus_str(city_schema[i]), SCHEMA_STRICT, NULL, 0, &schema[i], &err), &err);
	snprintf(path, sizeof(path), "%s/views.db", dir);
	snprintf(views, sizeof(views), "%s/views", dir);
	must(gw_core_open(path, views, names, 0, &schemas, &engine, &err), &err);
	for (int i = 0; i < TABLES; i++)
		gw_core_part(engine, names[i], 0);
}

static void load(void)
{
	struct batch b = { 0 };
	double cpu_s = 0, t;

	for (int table = TABLES - 1; table >= 0; table--) {
		for (uint64_t i = 0, n = city_rows(&city, table); i < n; i++) {
			batch_add(&b, table, i);
			if (b.n < LOAD_BATCH && i + 1 < n)
				continue;
			t = cpu();
			batch_apply(&b);
			settle(GW_BACKLOG);
			cpu_s += cpu() - t;
		}
		checkpoint();
	}
	batch_release(&b);
	printf("%s_load_rows_per_s %.0f rows/s\n", kind,
	       (double)(offset[0] + offset[1] + offset[2] + offset[3] + offset[4]) / cpu_s);
	t = cpu();
	settle(GW_FORCE);
	printf("%s_first_build_seconds %.2f s\n", kind, cpu() - t);
	checkpoint();
}

#endif
