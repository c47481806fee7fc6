/* Drafts from samples: types, classes, what is not given out; the guesses from names. */
#include "tests/support/schemas.h"

#include "schemas/catalogue/derive.h"
#include "schemas/catalogue/lint.h"
#include "schemas/catalogue/personal.h"

static const struct schema_draft draft = { "Contoh", "id.go.pekanbaru.opd.v1", "pku.opd.contoh.v1", NULL };

static char *text_of(const char *sample)
{
	struct bus_buf b = { 0 };
	struct schema_derive *d;
	struct bus_error err = { 0 };
	struct schema *s;

	if (schema_derive_open(bus_str(sample), SCHEMA_SAMPLE_AUTO, &d, &err) != BUS_OK)
		fail_msg("%s", err.text);
	schema_derive_put(d, &draft, &b);
	s = schema_of(bus_buf_cstr(&b));
	schema_unref(&s);
	schema_derive_free(&d);
	return bus_buf_take(&b, NULL);
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in %s", part, text);
}

static void has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("%s in %s", part, text);
}

#define DOC "\"doc\":\"PERIKSA: terangkan kolom ini / CHECK: describe this field\""

/* `header` and n rows, each made with its number. */
static char *many(const char *header, const char *row, int n)
{
	struct bus_buf b = { 0 };
	char *text;

	bus_buf_puts(&b, header);
	for (int i = 0; i < n; i++) {
		for (const char *c = row; *c; c++)
			if (*c == '#')
				bus_buf_printf(&b, "%04d", i);
			else if (*c == '@' && c[1] == '@')
				bus_buf_puts(&b, i % 2 ? "Aktif" : "Lulus"), c++;
			else
				bus_buf_putc(&b, *c);
		bus_buf_putc(&b, '\n');
	}
	text = text_of(bus_buf_cstr(&b));
	bus_buf_release(&b);
	return text;
}

static void reads_csv_as_offices_write_it(void **state)
{
	char *text = many("\xef\xbb\xbf\"NIK\";Nama Lengkap;tglLahir;Kode;Jumlah;Nilai;Status;Sejak\r\n",
			  "147100000000#;\"Orang; #\";23/11/1990;0#;1#;12.50;@@;2026-01-02", 40);

	(void)state;
	has(text,
	    "{\"name\":\"nik\",\"type\":\"string\"," DOC ",\"x_pdp\":\"U\",\"x_pola\":\"^[0-9]{16}$\"}");
	has(text, "{\"name\":\"nama_lengkap\",\"type\":\"string\"," DOC ",\"x_pdp\":\"U\"}");
	has(text, "{\"name\":\"tgl_lahir\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}," DOC
		  ",\"x_pdp\":\"U\"}");
	has(text, "{\"name\":\"kode\",\"type\":\"string\"");
	has(text, "{\"name\":\"jumlah\",\"type\":\"long\"");
	has(text,
	    "{\"name\":\"nilai\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":18,"
	    "\"scale\":2}");
	has(text,
	    "{\"name\":\"status\",\"type\":{\"type\":\"enum\",\"name\":\"Status\",\"symbols\":[\"LULUS\","
	    "\"AKTIF\",\"TIDAK_DIKETAHUI\"],\"default\":\"TIDAK_DIKETAHUI\"}");
	has(text, "{\"name\":\"sejak\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}");
	has(text, "\"x_jenis\":\"register\",\"x_kunci\":\"kode\"");
	free(text);
}

static void gives_out_no_personal_value(void **state)
{
	/* Few values, each often: but what they are is personal, or there is no header. */
	char *text = many("agama,nama_ibu,peta\n", "Aktif,Siti,x", 50);

	(void)state;
	has_not(text, "enum");
	has_not(text, "Siti");
	free(text);
	text = text_of("1471010101010001,Budi\n1471010101010002,Ani\n");
	has(text, "\"kolom_1\"");
	has_not(text, "1471");
	has_not(text, "udi");
	free(text);
	text = text_of("{\"warga\":[{\"per_nik\":{\"1471010101010001\":{\"lunas\":true}}}]}");
	has(text, "{\"type\":\"map\",\"values\":{\"type\":\"record\",\"name\":\"PerNik\"");
	has_not(text, "1471");
	free(text);
}

static void reads_json_and_lines(void **state)
{
	char *text = text_of("[{\"id\":\"007\",\"n\":1,\"ok\":true,\"waktu\":\"2026-11-23T10:00:00+07:00\","
			     "\"alamat\":{\"rt\":\"1\"},\"hasil\":[1.5,null]},{\"id\":\"008\",\"n\":null}]");

	(void)state;
	has(text, "{\"name\":\"id\",\"type\":\"string\"");
	has(text, "{\"name\":\"n\",\"type\":[\"null\",\"long\"]," DOC ",\"default\":null,");
	has(text, "{\"name\":\"ok\",\"type\":[\"null\",\"boolean\"]");
	has(text, "{\"name\":\"waktu\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-"
		  "millis\"}]");
	has(text,
	    "{\"type\":\"record\",\"name\":\"Alamat\",\"fields\":[{\"name\":\"rt\",\"type\":\"string\"");
	has(text, "{\"type\":\"array\",\"items\":[\"null\",\"double\"]}");
	free(text);
	text = text_of("{\"a\":\"5\"}\n{\"a\":\"6\"}\n");
	has(text, "{\"name\":\"a\",\"type\":\"string\""); /* a number in quotes is a code */
	free(text);
}

static enum bus_err refused(const char *sample, enum schema_sample format)
{
	struct schema_derive *d;
	struct bus_error err;
	enum bus_err rc = schema_derive_open(bus_str(sample), format, &d, &err);

	schema_derive_free(&d);
	return rc;
}

static void refuses_what_is_no_sample(void **state)
{
	(void)state;
	assert_int_equal(refused("", SCHEMA_SAMPLE_AUTO), BUS_EDATA);
	assert_int_equal(refused("a,b\n", SCHEMA_SAMPLE_CSV), BUS_EDATA);
	assert_int_equal(refused("[1,2]", SCHEMA_SAMPLE_AUTO), BUS_EPARSE);
	assert_int_equal(refused("[{\"a\":", SCHEMA_SAMPLE_AUTO), BUS_EPARSE);
	assert_int_equal(refused("{\"a\":1}\nx\n", SCHEMA_SAMPLE_LINES), BUS_EPARSE);
	assert_int_equal(refused("{\"1471010101010001\":1}", SCHEMA_SAMPLE_JSON), BUS_EDATA);
}

static void guesses_classes_from_names(void **state)
{
	static const struct {
		const char *name;
		char class;
	} of[] = { { "NIK", 'U' },	    { "tglLahir", 'U' },
		   { "nama", 'U' },	    { "nama_kelurahan", 'N' },
		   { "diagnosa", 'S' },	    { "nisn", 'A' },
		   { "id_subjek", 'P' },    { "kode_kel", 'N' },
		   { "No. HP", 'U' },	    { "alamat_sekolah", 'N' },
		   { "gaji_pokok", 'S' },   { "teknik", 'N' },
		   { "phone_number", 'U' }, { "birthDate", 'U' },
		   { "tgl_lhr", 'U' },	    { "sumber_data", 'N' } };
	bool sure;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(of); i++)
		if (schema_class_of_name(of[i].name, &sure) != of[i].class)
			fail_msg("%s is not %c", of[i].name, of[i].class);
}

static void a_draft_is_found_unfinished(void **state)
{
	char *text = text_of("a,b\n1,2\n2,3\n");
	struct schema *s = schema_of(text);
	struct schema_lint l;

	(void)state;
	schema_lint(s, true, &l);
	assert_int_equal(l.n, 0); /* it can be used */
	schema_lint_release(&l);
	schema_lint(s, false, &l);
	assert_int_equal(l.n, 4); /* owner, and three docs */
	assert_string_equal(l.fault[0].rule->code, "owner-missing");
	schema_lint_release(&l);
	schema_unref(&s);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_csv_as_offices_write_it),
		cmocka_unit_test(gives_out_no_personal_value),
		cmocka_unit_test(reads_json_and_lines),
		cmocka_unit_test(refuses_what_is_no_sample),
		cmocka_unit_test(guesses_classes_from_names),
		cmocka_unit_test(a_draft_is_found_unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
