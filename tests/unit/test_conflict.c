/* Where departments disagree: the view that is written from a declaration of authorities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/define/conflict.h"
#include "tests/support/engine_support.h"

enum { PENDUDUK, BANSOS, KUNJUNGAN };

#define FIELD(n) ",{\"name\":\"" n "\",\"type\":[\"null\",\"string\"],\"default\":null}"
#define RECORD(more)                                                                                         \
	"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["       \
	"{\"name\":\"id\",\"type\":\"string\"}" more "]}"

static const char warga[] =
    "/*---\nname: warga\nkey: id\nstore: full\ninternal: true\nowner: disdukcapil\n"
    "routes:\n  disdukcapil_penduduk: _key\n  dinsos_bansos: id_subjek\n"
    "indexes:\n  - {table: dinsos_bansos, columns: [id_subjek]}\n  - {table: dinkes_kunjungan, columns: "
    "[id]}\n"
    "columns:\n  id: {type: text, pdp: P}\n"
    "  nama: {type: text, pdp: U, title: {id: Nama, en: Name}, compare: plain,\n"
    "         authority: [disdukcapil_penduduk.nama, dinsos_bansos.nama, dinkes_kunjungan.nama, "
    "disdukcapil_penduduk.alias]}\n"
    "  kk: {type: text, pdp: S, authority: [disdukcapil_penduduk.kk, dinsos_bansos.kk]}\n---*/\n"
    "SELECT p._key AS id, otoritas(p.nama, (SELECT b.nama FROM dinsos_bansos b WHERE b.id_subjek = p._key\n"
    "  AND b.nama <> '' ORDER BY b._key LIMIT 1)) AS nama, p.kk FROM disdukcapil_penduduk p";

/* thin: the same view, its rows computed when they are read. */
static struct engine *start(bool thin)
{
	struct engine *t = engine_new();

	engine_topic(t, "pku.disdukcapil.penduduk.v1",
		     engine_schema(RECORD(FIELD("nama") FIELD("alias") FIELD("kk"))));
	engine_topic(t, "pku.dinsos.bansos.v1",
		     engine_schema(RECORD(FIELD("id_subjek") FIELD("nama") FIELD("kk"))));
	engine_topic(t, "pku.dinkes.kunjungan.v1", engine_schema(RECORD(FIELD("nama"))));
	if (thin) {
		char text[2000], *at;

		snprintf(text, sizeof(text), "%s", warga);
		at = strstr(text, "store: full\n");
		memset(at, ' ', strlen("store: full"));
		engine_view(t, "warga", text);
	} else {
		engine_view(t, "warga", warga);
	}
	engine_open(t, NULL);
	return t;
}

static void put(struct engine *t, int topic, const char *id, const char *more)
{
	char json[200];

	snprintf(json, sizeof(json), "{\"id\":\"%s\"%s}", id, more ? more : "");
	engine_put(t, topic, id, more ? json : NULL);
	engine_apply(t, 1, GW_LIVE);
	engine_settle(t);
	assert_int_equal(engine_differences(t), 0); /* kept = computed afresh, warga__sengketa too */
}

struct text {
	struct bus_buf b;
	const struct gw_view *v;
};

static bool put_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct text *x = ctx;

	(void)hash;
	for (size_t i = 0; i < x->v->n_columns; i++) {
		if (value[i].type == GW_INT)
			bus_buf_printf(&x->b, "%lld|", (long long)value[i].i);
		else
			bus_buf_printf(&x->b, "%.*s|", (int)value[i].s.n, value[i].s.p ? value[i].s.p : "");
	}
	bus_buf_putc(&x->b, '\n');
	return true;
}

static void conflicts_are(struct engine *t, const char *want)
{
	struct text x = { .v = gw_view_find(t->e, "warga__sengketa") };
	struct gw_query q = { .view = x.v, .limit = 100 };
	struct bus_error err = { 0 };

	engine_must(gw_page(gw_reader_of(t->e), &q, put_row, &x, &err), &err);
	assert_string_equal(bus_buf_cstr(&x.b), want);
	bus_buf_release(&x.b);
}

#define A                                                                                                    \
	"[{\"sumber\":\"dinsos_bansos.nama\",\"nilai\":\"Joko\",\"catatan\":1,\"sejak\":\"2025-01-01T07:00:" \
	"00.001+07:00\"}]"

static void the_other_word(bool thin)
{
	struct engine *t = start(thin);
	const struct gw_view *v = gw_view_find(t->e, "warga__sengketa");

	assert_non_null(v);
	assert_false(v->internal);
	assert_string_equal(v->conflicts_of, "warga");
	assert_string_equal(v->owner, "disdukcapil");
	assert_string_equal(v->column[gw_view_column(v, "nama_dinsos_bansos")].conflict_table,
			    "dinsos_bansos");
	assert_int_equal(v->column[gw_view_column(v, "kk_lain")].pdp, 'S');
	assert_int_equal(gw_view_column(v, "nama_disdukcapil_penduduk"),
			 -1); /* nobody disagrees with himself */
	put(t, PENDUDUK, "a", ",\"nama\":\"Budi\",\"alias\":\"Bud\",\"kk\":\"1\"");
	conflicts_are(t, "");
	put(t, BANSOS, "x",
	    ",\"id_subjek\":\"a\",\"nama\":\"H. BUDI\",\"kk\":\"1\""); /* the same name in plain form */
	conflicts_are(t, "");
	put(t, BANSOS, "y", ",\"id_subjek\":\"a\",\"nama\":\"Joko\",\"kk\":\"1\"");
	conflicts_are(t, "a|Budi|disdukcapil_penduduk.nama|" A "|1|0|1|disdukcapil_penduduk.kk|[]|0|\n");
	put(t, KUNJUNGAN, "a", ",\"nama\":\"Joko\"");
	put(t, BANSOS, "z", ",\"id_subjek\":\"a\",\"nama\":\"Tono\",\"kk\":\"2\"");
	conflicts_are(t, "a|Budi|disdukcapil_penduduk.nama|"
			 "[{\"sumber\":\"dinsos_bansos.nama\",\"nilai\":\"Tono\",\"catatan\":2,\"sejak\":"
			 "\"2025-01-01T07:00:00.001+07:00\"},"
			 "{\"sumber\":\"dinkes_kunjungan.nama\",\"nilai\":\"Joko\",\"catatan\":1,\"sejak\":"
			 "\"2025-01-01T07:00:00+07:00\"}]|2|1|"
			 "1|disdukcapil_penduduk.kk|"
			 "[{\"sumber\":\"dinsos_bansos.kk\",\"nilai\":\"2\",\"catatan\":1,\"sejak\":\"2025-"
			 "01-01T07:00:00.002+07:00\"}]|1|\n");
	put(t, BANSOS, "y", NULL);
	put(t, BANSOS, "z",
	    ",\"id_subjek\":\"b\",\"nama\":\"Tono\",\"kk\":\"2\""); /* of another person after all */
	put(t, PENDUDUK, "a",
	    ",\"nama\":\"Joko\",\"alias\":\"Bud\",\"kk\":\"1\""); /* Dukcapil mends its own */
	put(t, BANSOS, "x", NULL);
	conflicts_are(t, "");
	engine_free(&t);
}

static void the_other_word_is_kept_and_goes_when_it_is_mended(void **state)
{
	(void)state;
	the_other_word(false);
	the_other_word(true);
}

static void who_decided_is_the_first_who_says_so(void **state)
{
	struct engine *t = start(true);

	(void)state;
	put(t, PENDUDUK, "a", ",\"nama\":\"\",\"kk\":\"1\"");
	put(t, BANSOS, "x", ",\"id_subjek\":\"a\",\"nama\":\"Sari\",\"kk\":\"1\"");
	put(t, KUNJUNGAN, "a", ",\"nama\":\"Dewi\"");
	conflicts_are(t, "a|Sari|dinsos_bansos.nama|"
			 "[{\"sumber\":\"dinkes_kunjungan.nama\",\"nilai\":\"Dewi\",\"catatan\":1,\"sejak\":"
			 "\"2025-01-01T07:00:00+07:00\"}]|0|1|1|disdukcapil_penduduk.kk|[]|0|\n");
	engine_free(&t);
}

static void refused(const char *from, const char *to, const char *why)
{
	struct bus_error err = { 0 };
	struct gw_def *d, *made = NULL;
	struct bus_buf text = { 0 };
	const char *at = strstr(warga, from);

	assert_non_null(at);
	bus_buf_put(&text, warga, (size_t)(at - warga));
	bus_buf_puts(&text, to);
	bus_buf_puts(&text, at + strlen(from));
	if (strstr(to, "dated")) { /* which cannot be stored in full */
		bus_buf_reset(&text);
		bus_buf_put(&text, warga, (size_t)(strstr(warga, "store: full") - warga));
		at = strstr(warga, "internal: true");
		bus_buf_put(&text, at, (size_t)(strstr(warga, from) - at));
		bus_buf_puts(&text, to);
		bus_buf_puts(&text, strstr(warga, from) + strlen(from));
	}
	engine_must(gw_view_parse("w.sql", bus_buf_cstr(&text), text.n, &d, &err), &err);
	if (why) {
		assert_int_equal(gw_conflict_view(d, &made, &err), BUS_EPARSE);
		if (!strstr(err.text, why))
			fail_msg("'%s' is not in '%s'", why, err.text);
	} else {
		engine_must(gw_conflict_view(d, &made, &err), &err);
		assert_null(made);
	}
	gw_view_free(&d);
	bus_buf_release(&text);
}

static void a_view_without_conflicts_has_none_beside_it(void **state)
{
	(void)state;
	refused("routes:\n  disdukcapil_penduduk: _key\n  dinsos_bansos: id_subjek\n",
		"dated: true\nroutes: {}\n",
		"w.sql:13: 'authority' of column 'nama': a view that depends on the day");
	/* One department alone has nobody to disagree with. */
	refused("dinsos_bansos.nama, dinkes_kunjungan.nama, disdukcapil_penduduk.alias]}\n"
		"  kk: {type: text, pdp: S, authority: [disdukcapil_penduduk.kk, dinsos_bansos.kk]}",
		"disdukcapil_penduduk.alias]}\n  kk: {type: text, pdp: S}", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_other_word_is_kept_and_goes_when_it_is_mended),
		cmocka_unit_test(who_decided_is_the_first_who_says_so),
		cmocka_unit_test(a_view_without_conflicts_has_none_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
