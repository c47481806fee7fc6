/* What a column is taken for, and how sure init says it is. Each guess is tried as well: a mapping with the conversion it names reads the
 * same values, and what becomes of the first is written here by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/init/column.h"
#include "tests/support/map_try.h"

struct guess_case {
	const char *name, *values; /* a line each */
	enum adapter_init_type type;
	enum adapter_init_sure sure;
	const char *as;
	char class;
	const char *first; /* as JSON, by the mapping */
	size_t refused;	   /* rows that the mapping cannot read */
};

static void guess_of(const char *name, const char *values, struct adapter_init_guess *out)
{
	struct adapter_init_column *c = adapter_init_columns_new(1);

	for (const char *p = values; *p;) {
		size_t n = strcspn(p, "\n");
		struct adapter_cell cell = { .kind = n > 0 ? ADAPTER_TEXT : ADAPTER_MISSING,
					     .text = { p, n } };
		const struct adapter_row row = { .cell = &cell, .n_cells = 1 };

		adapter_init_columns_take(c, 1, &row);
		p += n + (p[n] == '\n');
	}
	adapter_init_column_guess(c, 0, name, false, out);
	adapter_init_columns_free(&c, 1);
}

static void check_mapping(const struct guess_case *k, const struct adapter_init_guess *g)
{
	static const char *const types[] = {
		[ADAPTER_INIT_TEXT] = "\"string\"",
		[ADAPTER_INIT_CODE] = "\"string\"",
		[ADAPTER_INIT_ID] = "\"string\"",
		[ADAPTER_INIT_WHOLE] = "\"long\"",
		[ADAPTER_INIT_RUPIAH] = "\"long\"",
		[ADAPTER_INIT_DECIMAL] = "\"double\"",
		[ADAPTER_INIT_DATE] = "{\"type\":\"int\",\"logicalType\":\"date\"}",
		[ADAPTER_INIT_TIME] = "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}",
	};
	struct bus_buf yaml = { 0 }, schema = { 0 }, data = { 0 }, want = { 0 };
	struct map_try t;
	size_t rows = 0, refused = 0;
	const char *got;

	bus_buf_puts(&yaml, "feed: uji\nfiles: [\"x\"]\ntopic: pku.uji.uji.v1\nkind: events\n"
			    "source: {kind: delimited, separator: \"|\", quote: none}\n");
	for (size_t i = 0; i < g->n_nulls; i++)
		bus_buf_printf(&yaml, "%s\"%s\"", i > 0 ? ", " : "nulls: [", g->null[i]);
	bus_buf_printf(&yaml, "%svalues:\n  no: {from: no}\n  v: {from: v", g->n_nulls > 0 ? "]\n" : "");
	if (g->as[0])
		bus_buf_printf(&yaml, ", as: %s", g->as);
	bus_buf_puts(&yaml, "}\nkey: no\nfields: {v: v}\n");
	bus_buf_printf(&schema,
		       "{\"type\":\"record\",\"name\":\"U\",\"doc\":\"u\",\"x_topik\":\"pku.uji.uji.v1\",\"x_"
		       "jenis\":\"peristiwa\","
		       "\"fields\":[{\"name\":\"v\",\"type\":[\"null\",%s],\"default\":null,\"doc\":\"v\","
		       "\"x_pdp\":\"%c\"}]}",
		       types[g->type], g->class);
	bus_buf_puts(&data, "no|v\n");
	for (const char *p = k->values; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");

		bus_buf_printf(&data, "%zu|%.*s\n", ++rows, (int)n, p);
		p += n;
	}
	if (map_try_load(&t, bus_buf_cstr(&yaml)) != BUS_OK ||
	    map_try_bind(&t, bus_buf_cstr(&schema)) != BUS_OK || map_try_open(&t, data.p, data.n) != BUS_OK)
		fail_msg("%s: %s\n%s", k->name, t.err.text, bus_buf_cstr(&yaml));
	bus_buf_printf(&want, "{\"v\":%s}", k->first);
	for (size_t i = 0; i < rows; i++) {
		got = map_try_next(&t);
		if (i == 0 && strncmp(got, want.p, want.n) != 0)
			fail_msg("%s: became %s, not %s", k->name, got, bus_buf_cstr(&want));
		refused += got[0] != '{';
		if (got[0] != '{' && refused > k->refused)
			fail_msg("%s, row %zu: %s", k->name, i + 1, got);
	}
	assert_string_equal(map_try_next(&t), "");
	if (refused != k->refused)
		fail_msg("%s: only %zu of %zu rows refused", k->name, refused, rows);
	map_try_close(&t);
	bus_buf_release(&yaml);
	bus_buf_release(&schema);
	bus_buf_release(&data);
	bus_buf_release(&want);
}

static void check(const struct guess_case *k, size_t n)
{
	for (; n > 0; n--, k++) {
		struct adapter_init_guess g;

		guess_of(k->name, k->values, &g);
		if (g.type != k->type || g.sure != k->sure || strcmp(g.as, k->as) != 0 || g.class != k->class)
			fail_msg("%s, %.40s: type %d, sure %d, class %c, as %s, since %s", k->name, k->values,
				 (int)g.type, (int)g.sure, g.class, g.as, g.why);
		assert_non_null(strstr(g.why, " / "));
		check_mapping(k, &g);
	}
}

#define CHECK(cases) check(cases, BUS_LEN(cases))

static void dates_are_told_by_their_form(void **state)
{
	static const struct guess_case cases[] = {
		{ "tanggal", "2024-02-29\n2024-12-31\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH,
		  "{date: YYYY-MM-DD}", 'N', "\"2024-02-29\"", 0 },
		{ "tanggal", "29-02-2024\n31-12-2024\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH,
		  "{date: DD-MM-YYYY}", 'N', "\"2024-02-29\"", 0 },
		{ "tanggal", "29/02/2024\n01/12/2024\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH,
		  "{date: DD/MM/YYYY}", 'N', "\"2024-02-29\"", 0 },
		{ "tanggal", "2024/02/29\n2024/12/31\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH,
		  "{date: YYYY/MM/DD}", 'N', "\"2024-02-29\"", 0 },
		{ "tanggal", "29.02.2024\n31.12.2024\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH,
		  "{date: DD.MM.YYYY}", 'N', "\"2024-02-29\"", 0 },
		{ "tanggal", "02/29/2024\n12/01/2024\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH,
		  "{date: MM/DD/YYYY}", 'N', "\"2024-02-29\"", 0 },
		{ "TGL_MASUK", "20240229\n20241231\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH,
		  "{date: YYYYMMDD}", 'N', "\"2024-02-29\"", 0 },
		{ "tgl", "29022024\n31122024\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH, "{date: DDMMYYYY}",
		  'N', "\"2024-02-29\"", 0 },
		{ "tgl_lahir", "29-02-2024\n31-12-2024\n", ADAPTER_INIT_DATE, ADAPTER_INIT_HIGH,
		  "{date: DD-MM-YYYY}", 'U', "\"2024-02-29\"", 0 },
		/* No day over 12 says which comes first. */
		{ "tanggal", "01/02/2024\n03/04/2024\n", ADAPTER_INIT_DATE, ADAPTER_INIT_MEDIUM,
		  "{date: DD/MM/YYYY}", 'N', "\"2024-02-01\"", 0 },
		/* One of ten is something else: its row will be refused. */
		{ "tanggal",
		  "01-02-2024\n2-2-2024\n03-02-2024\n04-02-2024\n05-02-2024\n06-02-2024\n07-02-2024\n"
		  "08-02-2024\n09-02-2024\n10-02-2024\n",
		  ADAPTER_INIT_DATE, ADAPTER_INIT_MEDIUM, "{date: DD-MM-YYYY}", 'N', "\"2024-02-01\"", 1 },
	};

	(void)state;
	CHECK(cases);
}

/* A time without a zone is WIB. */
static void times_are_told_by_their_form(void **state)
{
#define AT "\"2024-02-29T13:45:00+07:00\""
	static const struct guess_case cases[] = {
		{ "waktu", "2024-02-29T13:45:00+07:00\n2024-03-01T00:00:00Z\n", ADAPTER_INIT_TIME,
		  ADAPTER_INIT_HIGH, "{time: iso}", 'N', AT, 0 },
		{ "waktu", "2024-02-29T13:45:00\n2024-03-01T00:00:00.5\n", ADAPTER_INIT_TIME,
		  ADAPTER_INIT_HIGH, "{time: iso_local}", 'N', AT, 0 },
		{ "waktu", "2024-02-29 13:45:00\n", ADAPTER_INIT_TIME, ADAPTER_INIT_HIGH,
		  "{time: \"YYYY-MM-DD hh:mm:ss\"}", 'N', AT, 0 },
		{ "waktu", "29-02-2024 13:45:00\n", ADAPTER_INIT_TIME, ADAPTER_INIT_HIGH,
		  "{time: \"DD-MM-YYYY hh:mm:ss\"}", 'N', AT, 0 },
		{ "waktu", "29/02/2024 13:45:00\n", ADAPTER_INIT_TIME, ADAPTER_INIT_HIGH,
		  "{time: \"DD/MM/YYYY hh:mm:ss\"}", 'N', AT, 0 },
		{ "waktu", "29/02/2024 13:45\n", ADAPTER_INIT_TIME, ADAPTER_INIT_HIGH,
		  "{time: \"DD/MM/YYYY hh:mm\"}", 'N', AT, 0 },
	};

	(void)state;
	CHECK(cases);
}

static void what_is_no_date_is_not_taken_for_one(void **state)
{
	static const struct guess_case cases[] = {
		{ "jumlah", "20240229\n20241231\n", ADAPTER_INIT_WHOLE, ADAPTER_INIT_HIGH, "whole", 'N',
		  "20240229", 0 },
		{ "tanggal", "31-13-2024\n32-01-2024\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_HIGH, "clean", 'N',
		  "\"31-13-2024\"", 0 },
	};

	(void)state;
	CHECK(cases);
}

static void identifiers_are_told_by_name_and_length(void **state)
{
	static const struct guess_case cases[] = {
		{ "NIK", "1471080101900001\n1471084101900002\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH,
		  "nik_lenient", 'U', "\"1471080101900001\"", 0 },
		{ "IDENTITAS / NIK", "1471080101900001\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH, "nik_lenient",
		  'U', "\"1471080101900001\"", 0 },
		{ "No. KK", "1471080101150001\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH, "kk", 'U',
		  "\"1471080101150001\"", 0 },
		{ "npwp", "01.234.567.8-901.000\n012345678901000\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH,
		  "npwp", 'S', "\"0012345678901000\"", 0 },
		{ "nip", "197001011990031001\n19700101 199003 1 001\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH,
		  "nip", 'U', "\"197001011990031001\"", 0 },
		{ "nop", "14.71.060.001.005-0012.0\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH, "nop", 'N',
		  "\"147106000100500120\"", 0 },
		{ "npsn", "10490001\n10490002\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH, "npsn", 'N',
		  "\"10490001\"", 0 },
		{ "nisn", "0179000001\n0149000002\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH, "nisn", 'A',
		  "\"0179000001\"", 0 },
		{ "nib", "9912345678901\n", ADAPTER_INIT_ID, ADAPTER_INIT_HIGH, "nib", 'N',
		  "\"9912345678901\"", 0 },
		/* Without the name, but a province and a day of birth in each. */
		{ "nomor", "1471080101900001\n1471084101900002\n", ADAPTER_INIT_ID, ADAPTER_INIT_MEDIUM,
		  "nik_lenient", 'U', "\"1471080101900001\"", 0 },
		/* The name, but one in five is cut. */
		{ "nik", "1471080101900001\n1471080101900002\n1471080101900003\n1471080101900004\n14710801\n",
		  ADAPTER_INIT_ID, ADAPTER_INIT_MEDIUM, "nik_lenient", 'U', "\"1471080101900001\"", 1 },
	};

	(void)state;
	CHECK(cases);
}

static void what_only_looks_like_an_identifier_is_none(void **state)
{
	static const struct guess_case cases[] = {
		/* 16 digits, month 13: an account's number, and the name says so. */
		{ "no_rekening", "1471080113900001\n1471080113900002\n", ADAPTER_INIT_CODE,
		  ADAPTER_INIT_MEDIUM, "", 'S', "\"1471080113900001\"", 0 },
		/* 17 digits are no NIP. */
		{ "nip", "19700101199003100\n19700101199003101\n", ADAPTER_INIT_WHOLE, ADAPTER_INIT_HIGH,
		  "whole", 'U', "19700101199003100", 0 },
		{ "npsn", "20254860.0\n20254872.0\n", ADAPTER_INIT_CODE, ADAPTER_INIT_LOW, "", 'N',
		  "\"20254860.0\"", 0 },
		{ "nik", "1,47108E+15\n1,47108E+15\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_LOW, "", 'U',
		  "\"1,47108E+15\"", 0 },
		/* "teknik" is not NIK. */
		{ "teknik", "12\n7\n", ADAPTER_INIT_WHOLE, ADAPTER_INIT_HIGH, "whole", 'N', "12", 0 },
	};

	(void)state;
	CHECK(cases);
}

static void digits_that_are_no_amount_stay_text(void **state)
{
	static const struct guess_case cases[] = {
		{ "kbli", "01111\n47711\n", ADAPTER_INIT_CODE, ADAPTER_INIT_HIGH, "", 'N', "\"01111\"", 0 },
		{ "kode_pos", "28111\n28292\n", ADAPTER_INIT_CODE, ADAPTER_INIT_MEDIUM, "", 'N', "\"28111\"",
		  0 },
		{ "addr:postcode", "28261\n28155\n", ADAPTER_INIT_CODE, ADAPTER_INIT_MEDIUM, "", 'N',
		  "\"28261\"", 0 },
		{ "addr_postcode", "28261\n28155\n", ADAPTER_INIT_CODE, ADAPTER_INIT_MEDIUM, "", 'N',
		  "\"28261\"", 0 },
		{ "kodepos", "28261\n28155\n", ADAPTER_INIT_CODE, ADAPTER_INIT_MEDIUM, "", 'N', "\"28261\"",
		  0 },
		{ "seri", "1234567890123456789\n", ADAPTER_INIT_CODE, ADAPTER_INIT_HIGH, "", 'N',
		  "\"1234567890123456789\"", 0 },
		{ "rt", "1\n12\n", ADAPTER_INIT_CODE, ADAPTER_INIT_MEDIUM, "", 'U', "\"1\"", 0 },
		{ "anggota", "0\n1\n20\n", ADAPTER_INIT_WHOLE, ADAPTER_INIT_HIGH, "whole", 'N', "0", 0 },
	};

	(void)state;
	CHECK(cases);
}

static void numbers_are_read_by_their_marks(void **state)
{
	static const struct guess_case cases[] = {
		{ "luas", "63,24\n70\n1,5\n", ADAPTER_INIT_DECIMAL, ADAPTER_INIT_HIGH, "{decimal: \",\"}",
		  'N', "63.24", 0 },
		{ "luas", "63.24\n70\n1.5\n", ADAPTER_INIT_DECIMAL, ADAPTER_INIT_HIGH, "{decimal: \".\"}",
		  'N', "63.24", 0 },
		{ "luas", "1.234,50\n99,5\n", ADAPTER_INIT_DECIMAL, ADAPTER_INIT_HIGH, "{decimal: \",\"}",
		  'N', "1234.5", 0 },
		{ "luas", "1,234.50\n99.5\n", ADAPTER_INIT_DECIMAL, ADAPTER_INIT_HIGH, "{decimal: \".\"}",
		  'N', "1234.5", 0 },
		/* A mark before three digits parts thousands; that is all that can be known. */
		{ "nilai", "1.234\n56.789\n", ADAPTER_INIT_DECIMAL, ADAPTER_INIT_MEDIUM, "{decimal: \",\"}",
		  'N', "1234", 0 },
		{ "nilai", "1,234\n56,789\n", ADAPTER_INIT_DECIMAL, ADAPTER_INIT_MEDIUM, "{decimal: \".\"}",
		  'N', "1234", 0 },
		{ "luas", "1 842,51\n265,00\n-3\n", ADAPTER_INIT_DECIMAL, ADAPTER_INIT_HIGH,
		  "[{remove: \" \"}, {decimal: \",\"}]", 'N', "1842.51", 0 },
		{ "nilai", "1 842\n265\n", ADAPTER_INIT_DECIMAL, ADAPTER_INIT_MEDIUM,
		  "[{remove: \" \"}, {decimal: \",\"}]", 'N', "1842", 0 },
		{ "nilai", "-5\n3\n12\n", ADAPTER_INIT_WHOLE, ADAPTER_INIT_HIGH, "whole", 'N', "-5", 0 },
		{ "nilai", "Rp 750.000,00\nRp750.000\nRp. 36.000\n", ADAPTER_INIT_RUPIAH, ADAPTER_INIT_HIGH,
		  "rupiah", 'N', "750000", 0 },
		{ "harga", "Rp12,072\nRp9,500\n", ADAPTER_INIT_WHOLE, ADAPTER_INIT_MEDIUM,
		  "[{strip_prefix: Rp}, {remove: \",\"}, whole]", 'N', "12072", 0 },
	};

	(void)state;
	CHECK(cases);
}

static void what_can_be_read_two_ways_is_left_as_text_and_said_so(void **state)
{
	static const struct guess_case cases[] = {
		{ "luas", "1.5\n2,5\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_LOW, "", 'N', "\"1.5\"", 0 },
		{ "luas", "1.234\n5,678\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_LOW, "", 'N', "\"1.234\"", 0 },
		{ "nilai", "12\n34\ndua belas\n56\n78\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM, "clean",
		  'N', "\"12\"", 0 },
		/* Half of them are words, and each of the others is a fraction and parts its thousands. */
		{ "nilai", "1.234,50\ntidak ada data\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_HIGH, "clean", 'N',
		  "\"1.234,50\"", 0 },
		/* A sign in front that the mapping would refuse. */
		{ "selisih", "+3\n-4\n5\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM, "clean", 'N', "\"+3\"",
		  0 },
		{ "nilai", "Rp 1.000\nRp 2.500,00\nRp -\n", ADAPTER_INIT_RUPIAH, ADAPTER_INIT_MEDIUM,
		  "rupiah", 'N', "1000", 1 },
		/* Both orders in one column: neither may be chosen. */
		{ "tanggal", "13/01/2024\n01/13/2024\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM, "clean", 'N',
		  "\"13/01/2024\"", 0 },
		{ "tanggal", "13/01/2024\n13-01-2024\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM, "clean", 'N',
		  "\"13/01/2024\"", 0 },
		{ "tanggal", "1/2/2024\n12/11/2024\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM, "clean", 'N',
		  "\"1/2/2024\"", 0 },
		{ "tanggal", "29/02/24\n01/12/24\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM, "clean", 'N',
		  "\"29/02/24\"", 0 },
		{ "tanggal", "5 Januari 2024\n17 Agustus 2024\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM,
		  "clean", 'N', "\"5 Januari 2024\"", 0 },
	};

	(void)state;
	CHECK(cases);
}

static void words_stay_words(void **state)
{
	static const struct guess_case cases[] = {
		{ "uraian", "Jalan  rusak\nLampu mati\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_HIGH, "clean", 'N',
		  "\"Jalan rusak\"", 0 },
		{ "aktif", "Ya\nTidak\nYa\nYa\nTidak\nYa\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_HIGH, "clean",
		  'N', "\"Ya\"", 0 },
		{ "kontak", "a@contoh.id\nb.c@contoh.id\n", ADAPTER_INIT_TEXT, ADAPTER_INIT_HIGH, "clean",
		  'U', "\"a@contoh.id\"", 0 },
	};
	struct adapter_init_guess g;

	(void)state;
	CHECK(cases);
	guess_of("aktif", "Ya\nTidak\nYa\nYa\nTidak\nYa\n", &g);
	assert_string_equal(g.choices, "Ya, Tidak");
	/* Two words in four rows are no list of choices; those of persons are nobody else's to see. */
	guess_of("aktif", "Ya\nTidak\nYa\nYa\n", &g);
	assert_string_equal(g.choices, "");
	guess_of("jenis_kelamin", "L\nP\nL\nL\nP\nL\n", &g);
	assert_string_equal(g.choices, "");
}

static void words_for_nothing_do_not_count(void **state)
{
	static const struct guess_case cases[] = {
		{ "nilai", "12\n-\nNA\n\n7\n", ADAPTER_INIT_WHOLE, ADAPTER_INIT_HIGH, "whole", 'N', "12", 0 },
	};
	struct adapter_init_guess g;

	(void)state;
	CHECK(cases);
	guess_of("nilai", cases[0].values, &g);
	assert_int_equal(g.filled, 2);
	assert_int_equal(g.empty, 3);
	assert_int_equal(g.n_nulls, 2);
	assert_string_equal(g.null[0], "-");
	assert_string_equal(g.null[1], "NA");
	guess_of("nilai", "\n-\n", &g);
	assert_int_equal(g.type, ADAPTER_INIT_TEXT);
	assert_int_equal(g.sure, ADAPTER_INIT_LOW);
	assert_false(g.unique);
}

static void a_value_that_comes_twice_is_noticed(void **state)
{
	struct adapter_init_guess g;

	(void)state;
	guess_of("kode", "A1\nA2\nA3\n", &g);
	assert_true(g.unique);
	assert_int_equal(g.distinct, 3);
	guess_of("kode", "A1\nA2\nA1\n", &g);
	assert_false(g.unique);
	assert_int_equal(g.distinct, 2);
}

static void a_person_is_not_shown(void **state)
{
	struct adapter_init_guess g;

	(void)state;
	guess_of("nik", "1471080101900001\n", &g);
	assert_string_equal(g.example, "9999999999999999");
	guess_of("nama", "Siti 2\n", &g);
	assert_string_equal(g.example, "xxxx 9");
	guess_of("uraian", "Siti 2\n", &g);
	assert_string_equal(g.example, "Siti 2");
	/* 16 digits under a name that says nothing are a person's too. */
	guess_of("kolom1", "1471080101900001\n", &g);
	assert_string_equal(g.example, "9999999999999999");
}

static void what_a_school_is_is_nobody_s(void **state)
{
	static const char *const names[] = { "Bentuk Pendidikan", "jenjang_pendidikan",
					     "nama_satuan_pendidikan", "Satuan Pendidikan" };
	static const char *const persons[] = { "pendidikan", "pendidikan_terakhir",
					       "jenjang_pendidikan_terakhir" };
	struct adapter_init_guess g;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(names); i++) {
		guess_of(names[i], "SD\nSMP\n", &g);
		if (g.class != 'N')
			fail_msg("%s is %c", names[i], g.class);
	}
	for (size_t i = 0; i < BUS_LEN(persons); i++) {
		guess_of(persons[i], "SD\nSMP\n", &g);
		if (g.class != 'U')
			fail_msg("%s is %c", persons[i], g.class);
	}
}

static void names_become_names_of_fields(void **state)
{
	static const char *const names[][2] = {
		{ "Nama Satuan (km2)", "nama_satuan_km2" },
		{ "NIK", "nik" },
		{ "2021", "k_2021" },
		{ "  % ", "kolom" },
		{ "Kec./Kota (LN)", "kec_kota_ln" },
		{ "Jumlah\nPenduduk", "jumlah_penduduk" },
		{ "Caf\xc3\xa9", "caf" },
	};
	char out[64], longest[201];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(names); i++) {
		adapter_init_field_name(names[i][0], out);
		assert_string_equal(out, names[i][1]);
	}
	memset(longest, '9', 200);
	longest[200] = '\0';
	adapter_init_field_name(longest, out);
	assert_true(strlen(out) <= 60 && out[0] == 'k');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_told_by_their_form),
		cmocka_unit_test(times_are_told_by_their_form),
		cmocka_unit_test(what_is_no_date_is_not_taken_for_one),
		cmocka_unit_test(identifiers_are_told_by_name_and_length),
		cmocka_unit_test(what_only_looks_like_an_identifier_is_none),
		cmocka_unit_test(digits_that_are_no_amount_stay_text),
		cmocka_unit_test(numbers_are_read_by_their_marks),
		cmocka_unit_test(what_can_be_read_two_ways_is_left_as_text_and_said_so),
		cmocka_unit_test(words_stay_words),
		cmocka_unit_test(words_for_nothing_do_not_count),
		cmocka_unit_test(a_value_that_comes_twice_is_noticed),
		cmocka_unit_test(a_person_is_not_shown),
		cmocka_unit_test(what_a_school_is_is_nobody_s),
		cmocka_unit_test(names_become_names_of_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
