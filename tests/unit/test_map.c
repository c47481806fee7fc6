/* The mapping language at work, on small files written here. Records are decoded by the Avro reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/map_try.h"

#define CSV_HEAD                                                                                             \
	"feed: uji\nfiles: uji*.csv\ntopic: pku.uji.v1\nkind: register\nnulls: ['-', 'NA']\n"                \
	"source: {kind: delimited, separator: ';'}\n"
#define JSON_HEAD "feed: uji\nfiles: uji*.jsonl\ntopic: pku.uji.v1\nkind: events\nsource: {kind: jsonl}\n"
#define RECORD(fields) "{\"type\":\"record\",\"name\":\"Uji\",\"fields\":[" fields "]}"
#define TEXT(name) "{\"name\":\"" name "\",\"type\":\"string\",\"default\":\"\"}"
#define MAYBE(name) "{\"name\":\"" name "\",\"type\":[\"null\",\"string\"],\"default\":null}"
#define FLAGS "{\"name\":\"tanda\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]}"

static void start(struct map_try *t, const char *yaml, const char *schema, const char *data)
{
	if (map_try_load(t, yaml) != BUS_OK || map_try_bind(t, schema) != BUS_OK ||
	    map_try_open(t, data, strlen(data)) != BUS_OK)
		fail_msg("%s", t->err.text);
}

static void converts_from_left_to_right(void **state)
{
	struct map_try t;

	(void)state;
	start(&t,
	      CSV_HEAD "values: {id: {from: A}}\nkey: id\n"
		       "fields:\n"
		       "  a: {from: A, as: [clean, upper]}\n"
		       "  b: {from: B, as: [{strip_prefix: \"'\"}, {remove: '.'}, {cut: 2-3}]}\n"
		       "  c: {from: A, as: lower}\n"
		       "  d: {from: B, nulls: ['x'], as: {null_if: ['0', '00']}}\n",
	      RECORD(TEXT("a") "," TEXT("b") "," TEXT("c") "," MAYBE("d")),
	      "A;B\n siti  nur ;'1.2.3\nADI;00\nADI;x\nADI;1\nNA;123\n");
	assert_string_equal(map_try_next(&t),
			    "{\"a\":\"SITI NUR\",\"b\":\"23\",\"c\":\"siti  nur\",\"d\":\"'1.2.3\"}");
	assert_string_equal(map_try_next(&t), "isian_salah B"); /* "00" has no third character */
	assert_string_equal(map_try_next(&t), "isian_salah B");
	assert_string_equal(map_try_next(&t), "isian_salah B");
	assert_string_equal(map_try_next(&t), "isian_kosong A"); /* NA is nothing, and nothing is no key */
	assert_string_equal(map_try_next(&t), "");
	map_try_close(&t);
}

static void what_is_missing_becomes_else_or_null_or_the_default(void **state)
{
	struct map_try t;

	(void)state;
	start(&t,
	      CSV_HEAD "values: {id: {from: ID}, jk: {from: JK, as: {words: {laki-laki: L, Perempuan: P}}}}\n"
		       "checks: [{class: jk_salah, fate: flag, when: {bad: jk}}]\nkey: id\n"
		       "fields:\n"
		       "  jk: {value: jk, else: X}\n"
		       "  jk2: jk\n"
		       "  n: {from: N, as: whole}\n"
		       "  m: {from: N, as: whole, else: '7'}\n"
		       "  tanda: {flags: true}\n",
	      RECORD("{\"name\":\"jk\",\"type\":{\"type\":\"enum\",\"name\":\"Jk\",\"symbols\":[\"L\",\"P\","
		     "\"X\"]}},"
		     "{\"name\":\"jk2\",\"type\":[\"null\",\"Jk\"]},"
		     "{\"name\":\"n\",\"type\":\"int\",\"default\":3},"
		     "{\"name\":\"m\",\"type\":[\"long\",\"null\"]}," FLAGS),
	      "ID;JK;N\n1;PEREMPUAN;5\n2;-;-\n3;L;\n4;laki-LAKI;x\n5;-;2147483648\n");
	assert_string_equal(map_try_next(&t), "{\"jk\":\"P\",\"jk2\":\"P\",\"n\":5,\"m\":5,\"tanda\":[]}");
	assert_string_equal(map_try_next(&t), "{\"jk\":\"X\",\"jk2\":null,\"n\":3,\"m\":7,\"tanda\":[]}");
	assert_string_equal(map_try_next(&t),
			    "{\"jk\":\"X\",\"jk2\":null,\"n\":3,\"m\":7,\"tanda\":[\"jk_salah\"]} +jk_salah");
	assert_string_equal(map_try_next(&t), "isian_salah N");
	assert_string_equal(map_try_next(&t), "isian_salah N"); /* no Avro int */
	map_try_close(&t);
}

/* The Avro bytes are decoded by the Avro reader: two's complement, big-endian. */
static void identifiers_and_decimals_become_fields(void **state)
{
	struct map_try t;

	(void)state;
	start(&t,
	      CSV_HEAD "values:\n  npwp: {from: NPWP, as: npwp}\n  nop: {from: NOP, as: nop}\n"
		       "checks: [{class: nop_aneh, fate: flag, when: {doubtful: nop}}]\nkey: nop\n"
		       "fields:\n"
		       "  npwp: npwp\n  mentah: {from: NPWP}\n"
		       "  luas: {from: L, as: {decimal: ','}}\n  tetap: {from: L, as: {decimal: ','}}\n"
		       "  pecahan: {from: L, as: {decimal: ','}}\n  tanda: {flags: true}\n",
	      RECORD(TEXT("npwp") "," TEXT(
		  "mentah") ","
			    "{\"name\":\"luas\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":"
			    "\"decimal\","
			    "\"precision\":6,\"scale\":2}],\"default\":null},"
			    "{\"name\":\"tetap\",\"type\":[\"null\",{\"type\":\"fixed\",\"name\":\"T\","
			    "\"size\":4,"
			    "\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}],\"default\":null},"
			    "{\"name\":\"pecahan\",\"type\":[\"null\",\"double\"],\"default\":null}," FLAGS),
	      "NPWP;NOP;L\n01.312.166.0-091.000;14.71.060.001.001-0001.0;1.234,5\n"
	      "01.312.166.1-091.000;147106000100100013;-0,01\n"
	      "1,3E+14;147106000100100010;\n01.312.166.0-091.000;147106000100100010;1,001\n"
	      "01.312.166.0-091.000;147106000100100010;12345,00\n");
	assert_string_equal(
	    map_try_next(&t),
	    "{\"npwp\":\"0013121660091000\",\"mentah\":\"01.312.166.0-091.000\",\"luas\":\"1234.50\","
	    "\"tetap\":\"1234.50\",\"pecahan\":1234.5,\"tanda\":[]}");
	assert_string_equal(
	    map_try_next(&t),
	    "{\"npwp\":\"0013121661091000\",\"mentah\":\"01.312.166.1-091.000\",\"luas\":\"-0.01\","
	    "\"tetap\":\"-0.01\",\"pecahan\":-0.01,\"tanda\":[\"nop_aneh\"]} +nop_aneh "
	    "+isian_meragukan");
	assert_string_equal(map_try_next(&t), "isian_salah NPWP");
	assert_non_null(strstr(t.result.detail, "column must be text"));
	assert_string_equal(map_try_next(&t), "isian_salah L"); /* finer than the schema's scale */
	assert_string_equal(map_try_next(&t), "isian_salah L"); /* five digits before the point */
	map_try_close(&t);
}

static void what_may_be_a_person_s_number_is_no_key(void **state)
{
	struct map_try t;

	(void)state;
	assert_int_equal(
	    map_try_load(&t, CSV_HEAD "values: {n: {from: N, as: npwp}}\nkey: n\nfields: {n: n}\n"),
	    BUS_EPARSE);
	assert_non_null(strstr(t.err.text, "pseudonym"));
	map_try_close(&t);
	assert_int_equal(map_try_load(&t, CSV_HEAD "values: {n: {from: N}}\nkey: n\nfields: {n: n}\n"
						   "checks: [{class: a, fate: flag, when: {doubtful: n}}]\n"),
			 BUS_EPARSE);
	assert_non_null(strstr(t.err.text, "identifiers"));
	map_try_close(&t);
}

static void a_field_that_must_be_there_refuses_the_row(void **state)
{
	struct map_try t;

	(void)state;
	start(&t, CSV_HEAD "values: {id: {from: ID}}\nkey: id\nfields: {id: id, nama: {from: NAMA}}\n",
	      RECORD("{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"nama\",\"type\":\"string\"}"),
	      "ID;NAMA\n1;\n2;B\n");
	assert_string_equal(map_try_next(&t), "isian_kosong NAMA");
	assert_non_null(strstr(t.result.detail, "empty"));
	assert_string_equal(map_try_next(&t), "{\"id\":\"2\",\"nama\":\"B\"}");
	assert_true(bus_str_is(t.result.key, "2"));
	map_try_close(&t);
}

static void a_word_that_is_no_symbol_is_not_passed_over(void **state)
{
	struct map_try t;

	(void)state;
	start(&t, CSV_HEAD "values: {id: {from: ID}}\nkey: id\nfields: {s: {from: S}}\n",
	      RECORD("{\"name\":\"s\",\"type\":{\"type\":\"enum\",\"name\":\"S\",\"symbols\":[\"AKTIF\","
		     "\"MUTASI\"]}}"),
	      "ID;S\n1;MUTASI\n2;LULUS\n");
	assert_string_equal(map_try_next(&t), "{\"s\":\"MUTASI\"}");
	assert_string_equal(map_try_next(&t), "isian_salah S");
	map_try_close(&t);
}

static void joins_chooses_and_hides(void **state)
{
	struct map_try t;
	uint8_t mac[BUS_SHA256_LEN];
	char hex[2 * BUS_SHA256_LEN + 1], want[512];

	(void)state;
	start(&t,
	      CSV_HEAD "values:\n"
		       "  nik: {from: NIK, as: nik}\n"
		       "  id: {pseudonym: nik}\n"
		       "  lain: {pseudonym: [{from: NIK}, {from: KK}], domain: 'uji:'}\n"
		       "checks: [{class: nik_format, fate: loose, when: {missing: nik, bad: nik}}]\n"
		       "key: [id, lain]\n"
		       "fields:\n"
		       "  id: id\n  lain: lain\n  nik: nik\n"
		       "  j: {join: [nik, {from: KK}], with: '/'}\n"
		       "  f: {first: [{from: KK}, {text: tidak ada}]}\n",
	      RECORD(MAYBE("id") "," MAYBE("lain") "," MAYBE("nik") "," TEXT("j") "," TEXT("f")),
	      "NIK;KK\n1406130310869001;99\n140613031086900;\n-;NA\n");
	/* The definition of bus/crypto.h, with the plain HMAC. */
	bus_hmac_sha256(map_support_key, "1406130310869001", 16, mac);
	bus_hex(mac, 16, hex);
	snprintf(want, sizeof(want), "{\"id\":\"%s\",\"lain\":\"", hex);
	bus_hmac_sha256(map_support_key, "uji:1406130310869001|99", 23, mac);
	bus_hex(mac, 16, hex);
	snprintf(want + strlen(want), sizeof(want) - strlen(want),
		 "%s\",\"nik\":\"1406130310869001\",\"j\":\"1406130310869001/99\",\"f\":\"99\"}", hex);
	assert_string_equal(map_try_next(&t), want);
	assert_int_equal(t.result.key.n, BUS_PSEUDONYM_LEN);
	bus_hmac_sha256(map_support_key, "uji:140613031086900|", 20, mac);
	bus_hex(mac, 16, hex);
	snprintf(want, sizeof(want),
		 "{\"id\":null,\"lain\":\"%s\",\"nik\":null,\"j\":\"\",\"f\":\"tidak ada\"} +nik_format",
		 hex);
	assert_string_equal(map_try_next(&t), want);
	assert_true(bus_str_is(t.result.key, hex));
	assert_string_equal(map_try_next(&t), "isian_kosong NIK"); /* nothing to make a key of */
	map_try_close(&t);
}

static void remembers_pseudonyms_without_mixing_them_up(void **state)
{
	struct map_try t;
	struct bus_buf data = { 0 };

	(void)state;
	bus_buf_puts(&data, "A;B\n");
	/* More values than the cache has places, each twice, with lengths on both sides of what it holds. */
	for (int i = 0; i < 6000; i++)
		bus_buf_printf(&data, "%d;%0*d\n", i % 3000, i % 3000 % 40 + 1, i % 3000);
	start(&t,
	      CSV_HEAD "values: {a: {pseudonym: {from: A}, domain: 'd:'}}\nkey: a\n"
		       "fields: {a: a, b: {pseudonym: {from: B}, domain: 'd:'}}\n",
	      RECORD(TEXT("a") "," TEXT("b")), bus_buf_cstr(&data));
	for (int i = 0; i < 6000; i++) {
		char text[64], hex[2 * BUS_SHA256_LEN + 1], want[256];
		uint8_t mac[BUS_SHA256_LEN];

		snprintf(text, sizeof(text), "d:%d", i % 3000);
		bus_hmac_sha256(map_support_key, text, strlen(text), mac);
		bus_hex(mac, 16, hex);
		snprintf(want, sizeof(want), "{\"a\":\"%s\",\"b\":\"", hex);
		snprintf(text, sizeof(text), "d:%0*d", i % 3000 % 40 + 1, i % 3000);
		bus_hmac_sha256(map_support_key, text, strlen(text), mac);
		bus_hex(mac, 16, hex);
		snprintf(want + strlen(want), sizeof(want) - strlen(want), "%s\"}", hex);
		assert_string_equal(map_try_next(&t), want);
	}
	map_try_close(&t);
	bus_buf_release(&data);
}

static void checks_hold_in_their_order(void **state)
{
	struct map_try t;
	static const char data[] =
	    "NIK;TGL\n"
	    "1406130310869001;03-10-1986\n" /* as it should be */
	    "1406130310869001;03-10-1986\n" /* equal to the first */
	    "1406130310869001;04-10-1986\n" /* the same person once more */
	    "140613031086900;03-10-1986\n"  /* no NIK */
	    "140613031086900;03-10-1986\n"  /* no NIK, but first of all equal to a row */
	    "1406130310869002;31-02-1986\n"
	    "1406130310869003;04-10-1986\n";

	(void)state;
	start(&t,
	      CSV_HEAD "values:\n"
		       "  nik: {from: NIK, as: nik}\n"
		       "  tulis: {from: TGL, as: {date: DD-MM-YYYY}}\n"
		       "  lahir: {value: nik, as: nik_date}\n"
		       "  id: {pseudonym: nik}\n"
		       "checks:\n"
		       "  - {class: baris_ganda, fate: refuse, when: {repeated: row}}\n"
		       "  - {class: nik_format, fate: refuse, when: {missing: nik, bad: nik}}\n"
		       "  - {class: nik_ganda, fate: refuse, when: {repeated: nik}}\n"
		       "  - {class: tgl_invalid, fate: flag, when: {missing: tulis, bad: tulis}}\n"
		       "  - {class: tgl_beda, fate: flag, when: {differ: [tulis, lahir]}}\n"
		       "key: id\ntime: lahir\nfields: {tgl: {first: [tulis, lahir]}}\n",
	      RECORD("{\"name\":\"tgl\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}}"), data);
	assert_string_equal(map_try_next(&t), "{\"tgl\":\"1986-10-03\"}");
	/* 6119 days, less seven hours: midnight in the city. */
	assert_true(t.result.time_ms == 6119 * INT64_C(86400000) - 7 * INT64_C(3600000));
	assert_string_equal(map_try_next(&t), "baris_ganda -");
	assert_string_equal(map_try_next(&t), "nik_ganda NIK");
	assert_string_equal(map_try_next(&t), "nik_format NIK");
	assert_null(strstr(t.result.detail, "1406"));
	assert_string_equal(map_try_next(&t), "baris_ganda -");
	assert_string_equal(map_try_next(&t), "{\"tgl\":\"1986-10-03\"} +tgl_invalid");
	assert_string_equal(map_try_next(&t), "{\"tgl\":\"1986-10-04\"} +tgl_beda");
	assert_string_equal(map_try_next(&t), "");
	/* Another file starts anew. */
	assert_int_equal(map_try_open(&t, data, sizeof(data) - 1), BUS_OK);
	assert_string_equal(map_try_next(&t), "{\"tgl\":\"1986-10-03\"}");
	map_try_close(&t);
}

static void what_is_only_seen_counts_over_refused_rows_too(void **state)
{
	struct map_try t;

	(void)state;
	start(&t,
	      CSV_HEAD "values: {id: {from: ID}, n: {from: N, as: whole}}\n"
		       "checks:\n"
		       "  - {class: catatan, fate: note, when: {missing: n}}\n"
		       "  - {class: ganda, fate: refuse, when: {repeated: id}}\n"
		       "  - {class: terlambat, fate: seen, when: {falls: n}}\n"
		       "key: id\nfields: {id: id, tanda: {flags: true}}\n",
	      RECORD(TEXT("id") "," FLAGS), "ID;N\n1;5\n2;7\n1;6\n3;7\n4;6\n1;\n5;\n");
	assert_string_equal(map_try_next(&t), "{\"id\":\"1\",\"tanda\":[]}");
	assert_string_equal(map_try_next(&t), "{\"id\":\"2\",\"tanda\":[]}");
	assert_string_equal(map_try_next(&t), "ganda ID +terlambat");
	assert_string_equal(map_try_next(&t), "{\"id\":\"3\",\"tanda\":[]}"); /* equal is not before */
	assert_string_equal(map_try_next(&t), "{\"id\":\"4\",\"tanda\":[]} +terlambat");
	assert_string_equal(map_try_next(&t), "ganda ID"); /* a note is of published rows only */
	assert_string_equal(map_try_next(&t), "{\"id\":\"5\",\"tanda\":[]} +catatan");
	map_try_close(&t);
}

static void only_the_first_reason_makes_a_row_loose(void **state)
{
	struct map_try t;

	(void)state;
	start(&t,
	      CSV_HEAD "values: {id: {from: ID}, tulis: {from: NIK}, nik: {value: tulis, as: nik}}\n"
		       "checks:\n"
		       "  - {class: nik_excel, fate: loose, when: {scientific: tulis}}\n"
		       "  - {class: nik_format, fate: loose, when: {missing: nik, bad: nik}}\n"
		       "  - {class: perbaikan, fate: flag, when: {repaired: row}}\n"
		       "key: id\nfields: {nik: nik, tanda: {flags: true}}\n",
	      RECORD(MAYBE("nik") "," FLAGS), "ID;NIK\n1;1,47108E+15\n2;123\n\x92;-\n");
	assert_string_equal(map_try_next(&t), "{\"nik\":null,\"tanda\":[\"nik_excel\"]} +nik_excel");
	assert_string_equal(map_try_next(&t), "{\"nik\":null,\"tanda\":[\"nik_format\"]} +nik_format");
	assert_string_equal(map_try_next(&t),
			    "{\"nik\":null,\"tanda\":[\"nik_format\",\"perbaikan\"]} +nik_format +perbaikan");
	map_try_close(&t);
}

static void finds_codes_in_reference_tables(void **state)
{
	struct map_try t;

	(void)state;
	/* From the official lists: Sidomulyo Timur has kept its code, Tuahkarya came from Tampan
	 * (14.71.08.1007) to Tuahmadani. */
	start(
	    &t,
	    CSV_HEAD
	    "values:\n"
	    "  id: {from: ID}\n"
	    "  kel:\n    from: KEL\n    as: {lookup: {table: kelurahan.csv, key: [kode10, kode_sebelum_2020],"
	    " give: kode10, ignore: '.'}}\n"
	    "  nop: {from: NOP, as: [{cut: 5-10}, {lookup: {table: kelurahan.csv, key: nop_kec+nop_kel, "
	    "give: nama}}]}\n"
	    "checks:\n"
	    "  - {class: lama, fate: flag, when: {fallback: kel}}\n"
	    "  - {class: salah, fate: flag, when: {bad: [kel, nop]}}\n"
	    "key: id\nfields: {kel: {value: kel, else: TIDAK_DIKETAHUI}, nop: nop}\n",
	    RECORD(TEXT("kel") "," MAYBE("nop")),
	    "ID;KEL;NOP\n1;1471091003;147106000100100010\n2;14.71.09.1003;\n3;1471081007;\n4;147109100;\n"
	    "5;1471991001;147199900100100010\n");
	assert_string_equal(map_try_next(&t), "{\"kel\":\"1471091003\",\"nop\":\"Jadirejo\"}");
	assert_string_equal(map_try_next(&t), "{\"kel\":\"1471091003\",\"nop\":null}");
	assert_string_equal(map_try_next(&t), "{\"kel\":\"1471131003\",\"nop\":null} +lama");
	assert_string_equal(map_try_next(&t), "{\"kel\":\"TIDAK_DIKETAHUI\",\"nop\":null} +salah");
	assert_string_equal(map_try_next(&t), "{\"kel\":\"TIDAK_DIKETAHUI\",\"nop\":null} +salah");
	map_try_close(&t);
}

static void reads_lists_and_records_in_json(void **state)
{
	struct map_try t;

	(void)state;
	start(&t,
	      JSON_HEAD "values:\n"
			"  id: {from: id}\n"
			"  icd: {each: d, item: {as: {known: {table: icd10.csv, key: kode}}}}\n"
			"checks: [{class: icd_salah, fate: flag, when: {bad: icd}}]\n"
			"key: id\n"
			"fields:\n"
			"  d: {each: d, else: ''}\n"
			"  p:\n    each: a.p\n    fields:\n"
			"      n: {from: n, as: whole}\n"
			"      t: {each: x, item: {join: [{from: j.k}, {from: s}], with: ':'}}\n",
	      RECORD("{\"name\":\"d\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]},"
		     "{\"name\":\"p\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"
		     "\"P\",\"fields\":["
		     "{\"name\":\"n\",\"type\":\"int\",\"default\":4},{\"name\":\"lain\",\"type\":"
		     "\"boolean\",\"default\":true},"
		     "{\"name\":\"t\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]}]}},"
		     "\"default\":[]}"),
	      "{\"id\":\"1\",\"d\":[\"A00\",\"J06.9\"],\"a\":{\"p\":[{\"n\":1,\"x\":[{\"j\":{\"k\":\"A\"},"
	      "\"s\":\"B\"}]},{}]}}\n"
	      "{\"id\":\"2\",\"d\":[\"\"]}\n"
	      "{\"id\":\"3\",\"d\":[\"I1O\"],\"a\":{\"p\":[]}}\n"
	      "{\"id\":\"4\",\"d\":[]}\n"
	      "{\"id\":\"5\",\"d\":\"A00\"}\n"
	      "{\"id\":\"6\",\"a\":{\"p\":[{\"n\":\"x\"}]}}\n"
	      "{\"id\":\"7\",\"a\":{\"p\":[7]}}\n"
	      "{\"id\":[1]}\n");
	assert_string_equal(map_try_next(&t),
			    "{\"d\":[\"A00\",\"J06.9\"],\"p\":[{\"n\":1,\"lain\":true,\"t\":[\"A:B\"]},"
			    "{\"n\":4,\"lain\":true,\"t\":[]}]}");
	assert_string_equal(map_try_next(&t), "{\"d\":[\"\"],\"p\":[]} +icd_salah");
	assert_string_equal(map_try_next(&t), "{\"d\":[\"I1O\"],\"p\":[]} +icd_salah");
	assert_string_equal(map_try_next(&t), "{\"d\":[],\"p\":[]}");
	/* The check has looked at `icd`, but nobody at what is to be published. */
	assert_string_equal(map_try_next(&t), "isian_salah d");
	assert_string_equal(map_try_next(&t), "isian_salah a.p");
	assert_string_equal(map_try_next(&t), "isian_salah a.p");
	assert_string_equal(map_try_next(&t), "isian_salah id");
	map_try_close(&t);
}

static void keeps_every_digit_of_a_bare_number(void **state)
{
	struct map_try t;

	(void)state;
	/* 2^53 is 9007199254740992: a double would lose the last digits. */
	start(&t,
	      JSON_HEAD "values: {nik: {from: nik, as: nik}, id: {pseudonym: nik}}\n"
			"checks: [{class: nik_numerik, fate: note, when: {number: nik}}]\nkey: id\n"
			"fields: {nik: nik, ya: {from: ya}}\n",
	      RECORD(TEXT("nik") ",{\"name\":\"ya\",\"type\":\"boolean\",\"default\":false}"),
	      "{\"nik\":9103011506879003,\"ya\":true}\n{\"nik\":\"9103011506879003\",\"ya\":null}\n");
	assert_string_equal(map_try_next(&t), "{\"nik\":\"9103011506879003\",\"ya\":true} +nik_numerik");
	assert_string_equal(map_try_next(&t), "{\"nik\":\"9103011506879003\",\"ya\":false}");
	map_try_close(&t);
}

static void a_list_without_end_is_refused(void **state)
{
	struct map_try t;
	struct bus_buf data = { 0 };

	(void)state;
	bus_buf_puts(&data, "{\"id\":\"1\",\"d\":[\"A\"");
	for (int i = 0; i < 10000; i++)
		bus_buf_puts(&data, ",\"A\"");
	bus_buf_puts(&data, "]}\n");
	start(&t, JSON_HEAD "values: {id: {from: id}}\nkey: id\nfields: {d: {each: d}}\n",
	      RECORD("{\"name\":\"d\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]}"),
	      bus_buf_cstr(&data));
	assert_string_equal(map_try_next(&t), "isian_salah d");
	map_try_close(&t);
	bus_buf_release(&data);
}

static void carries_the_version_of_newest_by(void **state)
{
	struct map_try t;

	(void)state;
	start(&t,
	      CSV_HEAD "values: {id: {from: ID}, v: {from: V, as: {time: epoch_ms}}}\nkey: id\ntime: v\n"
		       "newest_by: {value: v, older: versi_lama}\nfields: {id: id}\n",
	      RECORD(TEXT("id")), "ID;V\n1;1765007739191\n");
	assert_true(adapter_map_newest(t.map));
	assert_string_equal(adapter_map_older_class(t.map), "versi_lama");
	assert_true(adapter_map_class_index(t.map, "versi_lama") >= 0);
	assert_string_equal(map_try_next(&t), "{\"id\":\"1\"}");
	assert_true(t.result.version == 1765007739191 && t.result.time_ms == 1765007739191);
	map_try_close(&t);
}

static void unreadable_rows_are_refused_with_their_source_s_class(void **state)
{
	struct map_try t;

	(void)state;
	start(&t, CSV_HEAD "values: {id: {from: A}}\nkey: id\nfields: {id: id}\n", RECORD(TEXT("id")),
	      "A;B\n1\n2;3\n");
	assert_int_equal(adapter_map_class_index(t.map, "baris_rusak"), -1);
	assert_string_equal(map_try_next(&t), "baris_rusak -");
	assert_true(adapter_map_class_index(t.map, "baris_rusak") >= 0);
	assert_string_equal(map_try_next(&t), "{\"id\":\"2\"}");
	map_try_close(&t);
}

static void tells_what_it_takes(void **state)
{
	struct map_try t;

	(void)state;
	assert_int_equal(map_try_load(&t, CSV_HEAD
				      "complete: true\nremove_max: 25\nvalues: {id: {from: A}}\n"
				      "checks: [{class: ganda, fate: refuse, when: {repeated: id}}]\n"
				      "key: id\nfields: {id: id}\n"),
			 BUS_OK);
	assert_true(adapter_map_takes(t.map, "uji_2025.csv"));
	assert_false(adapter_map_takes(t.map, "lain.csv"));
	assert_false(adapter_map_takes(t.map, ".uji.csv"));
	assert_true(adapter_map_complete(t.map) && adapter_map_register(t.map));
	assert_int_equal(adapter_map_remove_max(t.map), 25);
	assert_string_equal(adapter_map_feed(t.map), "uji");
	assert_string_equal(adapter_map_topic(t.map), "pku.uji.v1");
	assert_string_equal(adapter_map_unique_class(t.map), "ganda");
	assert_false(adapter_map_newest(t.map));
	map_try_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts_from_left_to_right),
		cmocka_unit_test(what_is_missing_becomes_else_or_null_or_the_default),
		cmocka_unit_test(identifiers_and_decimals_become_fields),
		cmocka_unit_test(what_may_be_a_person_s_number_is_no_key),
		cmocka_unit_test(a_field_that_must_be_there_refuses_the_row),
		cmocka_unit_test(a_word_that_is_no_symbol_is_not_passed_over),
		cmocka_unit_test(joins_chooses_and_hides),
		cmocka_unit_test(remembers_pseudonyms_without_mixing_them_up),
		cmocka_unit_test(checks_hold_in_their_order),
		cmocka_unit_test(what_is_only_seen_counts_over_refused_rows_too),
		cmocka_unit_test(only_the_first_reason_makes_a_row_loose),
		cmocka_unit_test(finds_codes_in_reference_tables),
		cmocka_unit_test(reads_lists_and_records_in_json),
		cmocka_unit_test(keeps_every_digit_of_a_bare_number),
		cmocka_unit_test(a_list_without_end_is_refused),
		cmocka_unit_test(carries_the_version_of_newest_by),
		cmocka_unit_test(unreadable_rows_are_refused_with_their_source_s_class),
		cmocka_unit_test(tells_what_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
