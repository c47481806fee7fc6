#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bus/log.h"
#include "tests/support/engine_support.h"
#include "tests/support/map_support.h" /* the shipped schema of `berkas` */

#define EVENT                                                                                                \
	"{\"type\":\"record\",\"name\":\"E\",\"x_jenis\":\"peristiwa\",\"x_kunci\":\"id\",\"fields\":["      \
	"{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"v\",\"type\":\"int\"}]}"

static struct engine *start(void)
{
	struct engine *t = engine_new();
	const char *const fate[] = { "tolak", "lepas", "tanda" };
	char text[600], name[16];

	engine_topic(t, "pku.uji.berkas.v1", map_support_schema("bersama/berkas"));
	engine_topic(t, "pku.uji.kejadian.v1", engine_schema(EVENT));
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		snprintf(
		    text, sizeof(text),
		    "/*---\nname: %s\nkey: k\ninternal: true\nquality: {opd: uji, umpan: harian, kelas: "
		    "kelas_%s, "
		    "nasib: %s}\nroutes: {uji_kejadian: _key}\ncolumns:\n  k: {type: text, pdp: N}\n---*/\n"
		    "SELECT _key AS k FROM uji_kejadian WHERE v = %d",
		    name, fate[i], fate[i], i);
		engine_view(t, name, text);
	}
	engine_open(t, NULL);
	return t;
}

static void file(struct engine *t, const char *feed, const char *name, int order, const char *status,
		 bool whole, int rows, int refused, const char *classes)
{
	char key[64], json[800];

	snprintf(key, sizeof(key), "%s:%s", feed, name);
	snprintf(json, sizeof(json),
		 "{\"id\":\"%s\",\"umpan\":\"%s\",\"nama\":\"%s\",\"sha256\":\"sha-%s\",\"ukuran\":10,"
		 "\"status\":\"%s\","
		 "\"lengkap\":%s,\"urutan\":%d,\"baris_fisik\":%d,\"baris_data\":%d,\"diterima\":%d,"
		 "\"ditolak\":%d,"
		 "\"tak_tergabung\":1,\"kelas\":%s,\"pengamatan\":{\"nik_numerik\":2},\"kendali\":[{\"nama\":"
		 "\"baris\","
		 "\"tertulis\":5,\"terhitung\":5}],\"mulai\":\"2025-01-01T00:00:00+07:00\"}",
		 key, feed, name, name, status, whole ? "true" : "false", order, rows + 1, rows,
		 rows - refused, refused, classes);
	engine_put(t, 0, key, json);
}

static const struct bus_json *feed_of(const struct bus_json *list, const char *name)
{
	for (const struct bus_json *f = list->first; f; f = f->next) {
		if (bus_str_is(bus_json_get(f, "umpan")->text, name))
			return f;
	}
	fail_msg("no feed %s", name);
	return NULL;
}

static int64_t number(const struct bus_json *v, const char *name)
{
	int64_t n = -1;

	if (!bus_json_get(v, name))
		return 0;
	assert_int_equal(bus_json_int(bus_json_get(v, name), &n), BUS_OK);
	return n;
}

static void files_and_quality_views_add_up(void **state)
{
	struct engine *t = start();
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_error err = { 0 };
	struct bus_buf out = { 0 };
	struct bus_json *list;
	const struct bus_json *f;
	char json[64], key[16];

	(void)state;
	/* A feed of pieces: all of them count, but for the one that was never read. */
	file(t, "harian", "a", 1, "SELESAI", false, 10, 2, "{\"duplikat\":2}");
	file(t, "harian", "b", 2, "TERPOTONG", false, 20, 1, "{\"duplikat\":1,\"kelas_tanda\":4}");
	file(t, "harian", "c", 3, "DITOLAK", false, 0, 0, "{}");
	/* A feed of whole registers: the newest that has been read. */
	file(t, "utuh", "p", 1, "SELESAI", true, 100, 9, "{\"x\":9}");
	file(t, "utuh", "q", 2, "SELESAI", true, 50, 3, "{\"x\":3}");
	file(t, "utuh", "r", 3, "DIPROSES", true, 7, 0, "{}");
	/* A table that is followed: read whole, then what changed; read whole again, and changed again. */
	file(t, "ikut", "p", 1, "SELESAI", true, 30, 0, "{}");
	file(t, "ikut", "q", 2, "SELESAI", false, 5, 0, "{}");
	file(t, "ikut", "r", 3, "SELESAI", true, 40, 1, "{\"x\":1}");
	file(t, "ikut", "s", 4, "SELESAI", false, 6, 2, "{\"x\":2}");
	for (int i = 0; i < 6; i++) { /* one refused, two loose, three flagged */
		snprintf(key, sizeof(key), "e%d", i);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"v\":%d}", key, i < 1 ? 0 : i < 3 ? 1 : 2);
		engine_put(t, 1, key, json);
	}
	engine_apply(t, 100, GW_FORCE);
	engine_must(gw_quality_json(gw_reader_of(t->e), &out, &err), &err);
	engine_must(bus_json_parse(bus_buf_str(&out), NULL, arena, &list, &err), &err);
	assert_int_equal(list->n, 3);

	f = feed_of(list, "harian");
	assert_int_equal(number(f, "baris_data"), 30);
	assert_int_equal(number(f, "baris_fisik"), 32);
	assert_int_equal(number(f, "diterima"), 27 - 1);
	assert_int_equal(number(f, "ditolak"), 3 + 1);
	assert_int_equal(number(f, "tak_tergabung"), 2 + 2);
	assert_int_equal(number(bus_json_get(f, "kelas"), "duplikat"), 3);
	assert_int_equal(number(bus_json_get(f, "kelas"), "kelas_tolak"), 1);
	assert_int_equal(number(bus_json_get(f, "kelas"), "kelas_lepas"), 2);
	assert_int_equal(number(bus_json_get(f, "kelas"), "kelas_tanda"), 4 + 3);
	assert_int_equal(number(bus_json_get(f, "pengamatan"), "nik_numerik"), 4);
	assert_int_equal(bus_json_get(f, "berkas")->n, 3);
	assert_true(bus_str_is(bus_json_get(f, "status")->text, "DITOLAK"));
	assert_true(bus_str_is(bus_json_get(f, "opd")->text, "uji"));

	f = feed_of(list, "utuh");
	assert_int_equal(number(f, "baris_data"), 50);
	assert_int_equal(number(f, "ditolak"), 3);
	assert_true(bus_str_is(bus_json_get(f, "sha256")->text, "sha-q"));
	assert_int_equal(bus_json_get(f, "kendali")->n, 1);

	f = feed_of(list, "ikut");
	assert_int_equal(number(f, "baris_data"), 46);
	assert_int_equal(number(f, "ditolak"), 3);
	assert_int_equal(number(bus_json_get(f, "kelas"), "x"), 3);
	assert_int_equal(bus_json_get(f, "berkas")->n, 4);
	bus_buf_release(&out);
	bus_arena_free(&arena);
	engine_free(&t);
}

static void a_city_without_files_has_an_empty_list(void **state)
{
	struct engine *t = start();
	struct bus_error err = { 0 };
	struct bus_buf out = { 0 };

	(void)state;
	engine_must(gw_quality_json(gw_reader_of(t->e), &out, &err), &err);
	assert_string_equal(bus_buf_cstr(&out), "[]");
	bus_buf_release(&out);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_and_quality_views_add_up),
		cmocka_unit_test(a_city_without_files_has_an_empty_list),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
