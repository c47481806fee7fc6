/* Reference tables: codes that changed, on the day when they did, and the copies of those that are topics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/reference/copy.h"
#include "adapters/reference/table.h"
#include "tests/support/map_try.h"

#define HEAD                                                                                                 \
	"feed: uji\nfiles: uji*.csv\ntopic: pku.uji.v1\nkind: events\n"                                      \
	"source: {kind: delimited, separator: ';'}\n"                                                        \
	"values:\n  id: {from: ID}\n  tgl: {from: TGL, as: {date: YYYY-MM-DD}}\n"
#define SCHEMA                                                                                               \
	"{\"type\":\"record\",\"name\":\"Uji\",\"fields\":[{\"name\":\"kel\",\"type\":\"string\"},"          \
	"{\"name\":\"tanda\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]}]}"

static char folder[64];

static void write_file(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static enum bus_err load(struct map_try *t, const char *yaml)
{
	struct adapter_map_env env = map_support_env();
	char path[160];
	enum bus_err rc;

	*t = (struct map_try){ 0 };
	write_file("map.yaml", yaml);
	snprintf(path, sizeof(path), "%s/map.yaml", folder);
	if (strstr(yaml, "wilayah_peta_2022") == NULL)
		env.ref_dir = folder;
	env.ref_copies = folder;
	rc = adapter_map_load(path, &env, &t->map, &t->err);
	return rc == BUS_OK ? map_try_bind(t, SCHEMA) : rc;
}

static void begin(struct map_try *t, const char *yaml, const char *data)
{
	if (load(t, yaml) != BUS_OK || map_try_open(t, data, strlen(data)) != BUS_OK)
		fail_msg("%s", t->err.text);
}

static void wants(struct map_try *t, const char *kel, const char *flag)
{
	char want[160];

	snprintf(want, sizeof(want), "{\"kel\":\"%s\",\"tanda\":[%s%s%s]}%s%s", kel, flag ? "\"" : "",
		 flag ? flag : "", flag ? "\"" : "", flag ? " +" : "", flag ? flag : "");
	assert_string_equal(map_try_next(t), want);
}

/* The comparison of Kemendagri's files of 2020 and 2025: 19 of the 83 kelurahan have another code. */
static void the_kelurahan_that_changed_their_code_are_translated(void **state)
{
	static const char *const moved[][2] = {
		{ "08.1011", "13.1005" }, { "10.1001", "14.1001" }, { "12.1003", "15.1004" },
		{ "12.1002", "15.1005" }, { "10.1008", "14.1002" }, { "06.1009", "12.1010" },
		{ "10.1006", "14.1004" }, { "10.1009", "14.1005" }, { "08.1013", "13.1002" },
		{ "10.1007", "14.1003" }, { "08.1006", "13.1001" }, { "06.1008", "12.1009" },
		{ "12.1007", "15.1003" }, { "11.1006", "08.1014" }, { "12.1008", "15.1002" },
		{ "12.1005", "15.1001" }, { "08.1007", "13.1003" }, { "08.1012", "13.1004" },
		{ "06.1006", "12.1011" },
	};
	struct bus_buf data = { 0 };
	struct map_try t;

	(void)state;
	bus_buf_printf(&data, "ID;TGL;KEL\n");
	for (size_t i = 0; i < BUS_LEN(moved); i++)
		bus_buf_printf(&data, "a;2019-05-01;14.71.%s\nb;2024-05-01;14.71.%s\n", moved[i][0],
			       moved[i][1]);
	bus_buf_printf(&data, "c;2024-05-01;1471011002\nd;2024-05-01;14.71.08.1011\ne;;14.71.08.1011\n"
			      "f;2019-05-01;14.71.99.1011\n");
	begin(&t,
	      HEAD "  kel:\n    from: KEL\n    as: {lookup: {table: wilayah_peta_2022.csv, key: kode, give: "
		   "kode_kini, "
		   "ignore: '.', on: tgl}}\n"
		   "checks:\n  - {class: kode_lama, fate: flag, when: {translated: kel}}\n"
		   "key: id\nfields: {kel: kel, tanda: {flags: true}}\n",
	      bus_buf_cstr(&data));
	for (size_t i = 0; i < BUS_LEN(moved); i++) {
		char now[32];

		snprintf(now, sizeof(now), "14.71.%s", moved[i][1]);
		wants(&t, now, "kode_lama");
		wants(&t, now, NULL);
	}
	wants(&t, "14.71.01.1002", NULL);
	assert_string_equal(map_try_next(&t), "isian_salah KEL"); /* two years after it was given up */
	assert_non_null(strstr(t.result.detail, "not in force"));
	wants(&t, "14.71.13.1005", "kode_lama"); /* no day: it stood for one thing at all times */
	assert_string_equal(map_try_next(&t), "isian_salah KEL");
	assert_non_null(strstr(t.result.detail, "not in the reference table"));
	bus_buf_release(&data);
	map_try_close(&t);
}

#define CODES                                                                                                \
	"kode,kini,dari,sampai\nA,a1,,2020-12-31\nA,a2,2021-01-01,\nB,b1,2020-01-01,2020-12-31\n"            \
	"C,c1,2020-01-01,2020-12-31\nC,c2,2020-12-31,\n"

static void the_day_chooses_and_what_stands_for_two_things_is_refused(void **state)
{
	struct map_try t;

	(void)state;
	write_file("kode.csv", CODES);
	begin(&t,
	      HEAD
	      "  kel:\n    from: KEL\n    as: {lookup: {table: kode.csv, key: kode, give: kini, on: tgl, "
	      "valid: [dari, sampai], outside: true}}\n"
	      "checks:\n  - {class: di_luar, fate: flag, when: {fallback: kel}}\n"
	      "key: id\nfields: {kel: kel, tanda: {flags: true}}\n",
	      "ID;TGL;KEL\n1;2020-12-31;A\n2;2021-01-01;A\n3;;A\n4;2020-12-30;C\n5;2020-12-31;C\n6;2021-01-"
	      "01;C\n"
	      "7;2025-01-01;B\n8;2019-12-31;C\n9;2020-01-01;B\n");
	wants(&t, "a1", NULL);
	wants(&t, "a2", NULL);
	assert_string_equal(map_try_next(&t), "isian_salah KEL");
	assert_non_null(strstr(t.result.detail, "more than one thing"));
	wants(&t, "c1", NULL);
	assert_string_equal(map_try_next(&t), "isian_salah KEL");
	wants(&t, "c2", NULL);
	wants(&t, "b1", "di_luar");
	assert_string_equal(map_try_next(&t), "isian_salah KEL");
	wants(&t, "b1", NULL);
	map_try_close(&t);
}

static void says_what_a_lookup_needs(void **state)
{
	static const struct {
		const char *lookup, *says;
	} wrong[] = {
		{ "{table: kode.csv, key: kode, give: kini, on: id, valid: [dari, sampai]}",
		  "no date or time" },
		{ "{table: kode.csv, key: kode, give: kini, on: tgll}", "did you mean 'tgl'" },
		{ "{table: kode.csv, key: kode, give: kini, on: tgl}", "no column 'berlaku_dari'" },
		{ "{table: kode.csv, key: kode, give: kini, on: tgl, valid: [kode, sampai]}",
		  "must be days" },
		{ "{table: kode.csv, key: kode, give: kini, outside: true}", "go with `on`" },
		{ "{table: kode.csv, topic: pku.x.v1, key: kode, give: kini}", "either `table` or `topic`" },
		{ "{table: kode.csv, key: kode, give: kini}", "stands for something else" },
		{ "{topic: pku.x.y.v1, key: kode, give: kini}", "there is no copy" },
	};

	(void)state;
	write_file("kode.csv", CODES);
	for (size_t i = 0; i < BUS_LEN(wrong); i++) {
		struct bus_buf yaml = { 0 };
		struct map_try t;

		bus_buf_printf(
		    &yaml, HEAD "  kel:\n    from: KEL\n    as: {lookup: %s}\nkey: id\nfields: {kel: kel}\n",
		    wrong[i].lookup);
		assert_int_not_equal(load(&t, bus_buf_cstr(&yaml)), BUS_OK);
		if (!strstr(t.err.text, wrong[i].says))
			fail_msg("wanted '%s', got '%s'", wrong[i].says, t.err.text);
		bus_buf_release(&yaml);
		map_try_close(&t);
	}
}

#define FROM_TOPIC                                                                                           \
	HEAD "  kel: {from: KEL, as: {lookup: {topic: pku.rujuk.kode.v1, key: kode, give: kini}}}\n"         \
	     "key: id\nfields: {kel: kel}\n"

static void copy(struct adapter_reference_table *t, bool *changed)
{
	struct bus_buf csv = { 0 };
	struct bus_error err;
	char *path = adapter_reference_copy_path(folder, "pku.rujuk.kode.v1");

	assert_int_equal(adapter_reference_table_write(t, &csv, &err), BUS_OK);
	if (adapter_reference_copy_write(path, bus_buf_str(&csv), changed, &err) != BUS_OK)
		fail_msg("%s", err.text);
	assert_true(adapter_reference_copy_whole(path));
	bus_buf_release(&csv);
	free(path);
}

static void put(struct adapter_reference_table *t, const char *key, const char *json)
{
	assert_int_equal(adapter_reference_table_put(
			     t, bus_str(key), json ? bus_str(json) : (struct bus_str){ NULL, 0 }, NULL),
			 BUS_OK);
}

static void a_topic_s_copy_is_taken_up_between_two_files(void **state)
{
	struct adapter_reference_table *table = adapter_reference_table_new();
	const char *data = "ID;TGL;KEL\n1;;A\n2;;B\n3;;C\n";
	struct map_try t;
	bool changed;
	size_t n;

	(void)state;
	put(table, "B", "{\"kode\":\"B\",\"kini\":\"b \\\"1\\\",\\n2\",\"n\":null}");
	put(table, "A", "{\"kode\":\"A\",\"kini\":\"a1\",\"n\":5,\"lebih\":[1,{\"a\":2}]}");
	put(table, "C", "{\"kode\":\"C\",\"kini\":\"c1\"}");
	put(table, "Z", NULL);
	copy(table, &changed);
	assert_true(changed);
	copy(table, &changed);
	assert_false(changed);
	begin(&t, FROM_TOPIC, data);
	wants(&t, "a1", NULL);
	assert_string_equal(map_try_next(&t), "{\"kel\":\"b \\\"1\\\",\\n2\",\"tanda\":[]}");
	wants(&t, "c1", NULL);
	assert_int_equal(adapter_map_refresh(t.map, &n, &t.err), BUS_OK);
	assert_int_equal(n, 0);

	put(table, "A", "{\"kode\":\"A\",\"kini\":\"a2\"}");
	put(table, "C", NULL);
	assert_int_equal(adapter_reference_table_rows(table), 2);
	copy(table, &changed);
	assert_true(changed);
	assert_int_equal(adapter_map_refresh(t.map, &n, &t.err), BUS_OK);
	assert_int_equal(n, 1);
	assert_int_equal(map_try_open(&t, data, strlen(data)), BUS_OK);
	wants(&t, "a2", NULL);
	map_try_next(&t);
	assert_string_equal(map_try_next(&t), "isian_salah KEL");

	/* One that cannot be used leaves the one in use. */
	put(table, "A2", "{\"kode\":\"A\",\"kini\":\"a3\"}");
	copy(table, &changed);
	assert_int_equal(adapter_map_refresh(t.map, &n, &t.err), BUS_EPARSE);
	assert_int_equal(n, 0);
	assert_int_equal(map_try_open(&t, data, strlen(data)), BUS_OK);
	wants(&t, "a2", NULL);
	map_try_close(&t);
	adapter_reference_table_free(&table);
}

static void a_copy_of_which_one_byte_is_other_is_no_copy(void **state)
{
	struct adapter_reference_table *table = adapter_reference_table_new();
	char *path = adapter_reference_copy_path(folder, "pku.rujuk.kode.v1"), *text;
	struct map_try t;
	bool changed;
	size_t n;

	(void)state;
	put(table, "A", "{\"kode\":\"A\",\"kini\":\"a9\"}");
	copy(table, &changed);
	text = map_support_file(path, &n);
	for (size_t i = 0; i < n; i++) {
		uint8_t digest[BUS_SHA256_LEN];
		size_t at;

		text[i] ^= 1;
		assert_int_equal(adapter_reference_copy_check(path, text, n, digest, &at, NULL), BUS_EDATA);
		text[i] ^= 1;
		assert_int_equal(adapter_reference_copy_check(path, text, i, digest, &at, NULL), BUS_EDATA);
	}
	assert_int_equal(truncate(path, (off_t)n - 3), 0);
	assert_false(adapter_reference_copy_whole(path));
	assert_int_equal(load(&t, FROM_TOPIC), BUS_EDATA);
	assert_non_null(strstr(t.err.text, "damaged"));
	copy(table, &changed); /* the same content, and yet written again */
	assert_true(changed);
	free(text);
	free(path);
	adapter_reference_table_free(&table);
}

static void note(void *ctx, const char *topic)
{
	bus_buf_printf(ctx, "%s ", topic);
}

static void finds_the_topics_of_a_mapping(void **state)
{
	struct bus_buf found = { 0 };
	char path[160];

	(void)state;
	write_file("map.yaml",
		   HEAD "  a: {from: A, as: [clean, {known: {topic: pku.a.v1, key: k}}]}\n"
			"fields:\n  b: {each: B, item: {from: x, as: {lookup: {topic: pku.b.v1, key: k}}}}\n"
			"  topic: {from: topic}\n");
	snprintf(path, sizeof(path), "%s/map.yaml", folder);
	assert_int_equal(adapter_map_topics(path, note, &found, NULL), BUS_OK);
	assert_string_equal(bus_buf_cstr(&found), "pku.a.v1 pku.b.v1 ");
	bus_buf_release(&found);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/titian-ref-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "map.yaml", "kode.csv", "pku.rujuk.kode.v1.csv" };
	char path[160];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kelurahan_that_changed_their_code_are_translated),
		cmocka_unit_test(the_day_chooses_and_what_stands_for_two_things_is_refused),
		cmocka_unit_test(says_what_a_lookup_needs),
		cmocka_unit_test(a_topic_s_copy_is_taken_up_between_two_files),
		cmocka_unit_test(a_copy_of_which_one_byte_is_other_is_no_copy),
		cmocka_unit_test(finds_the_topics_of_a_mapping),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
