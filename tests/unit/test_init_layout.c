/* Which rows of a sheet are its header, its records, neither. Each row below begins with what a person calls it: H header, D record,
 * T total, N note, signature or title, R the header again, # numbers of the columns, . empty; and then its cells. The rules that are found
 * must hold for all that is no record below the header, and for no record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/init/layout.h"

#define WIDTH_MAX 16

static void grid_of(const char *text, struct adapter_init_grid *g, char *says)
{
	uint32_t number = 0;

	*g = (struct adapter_init_grid){ 0 };
	for (const char *p = text; *p; p += *p == '\n') {
		struct bus_str cell[WIDTH_MAX] = { 0 };
		size_t n = 0;

		says[number] = *p++;
		while (*p == '|' && n < WIDTH_MAX) {
			size_t len = strcspn(++p, "|\n");

			cell[n++] = (struct bus_str){ p, len };
			p += len;
		}
		adapter_init_grid_put(g, ++number, cell, n, false);
	}
	says[number] = '\0';
}

static uint32_t filled(const struct adapter_init_grid *g, size_t row)
{
	uint32_t n = 0;

	for (uint32_t c = 0; c < g->width; c++)
		n += adapter_init_grid_at(g, row, c).n > 0;
	return n;
}

static bool skipped(const struct adapter_init_grid *g, const struct adapter_init_layout *l, size_t row)
{
	for (size_t i = 0; i < l->n_rules; i++) {
		const struct adapter_init_rule *r = &l->rule[i];
		struct bus_str s = adapter_init_grid_at(g, row, l->column + r->column);

		if (r->test == ADAPTER_INIT_FILLED  ? filled(g, row) <= r->filled
		    : r->test == ADAPTER_INIT_EMPTY ? s.n == 0
		    : r->test == ADAPTER_INIT_EQUALS
			? bus_str_eq(s, r->text)
			: s.n >= r->text.n && memcmp(s.p, r->text.p, r->text.n) == 0)
			return true;
	}
	return false;
}

static size_t count(const char *says, size_t from, char what)
{
	size_t n = 0;

	for (; says[from]; from++)
		n += says[from] == what;
	return n;
}

/* Names: of the columns, parted by |. */
static void check(const char *text, const char *names)
{
	struct adapter_init_grid g;
	struct adapter_init_layout l;
	struct bus_buf got = { 0 };
	char says[128];
	size_t header, below, n;

	grid_of(text, &g, says);
	header = strcspn(says, "H");
	if (!says[header])
		header = below = strcspn(says, "D");
	else
		below = header + strspn(says + header, "H");
	n = below - header;
	assert_true(adapter_init_layout(&g, 0, g.n, 0, g.width, &l));
	if (l.n_header != n || (n > 0 && l.header != header))
		fail_msg("%s\nheader of %zu rows from %zu on", text, l.n_header, l.header);
	assert_int_equal(l.numbered, count(says, below, '#') > 0);
	if (l.records != count(says, below, 'D') || l.totals != count(says, below, 'T') ||
	    l.notes != count(says, below, 'N') || l.repeats != count(says, below, 'R'))
		fail_msg("%s\n%zu records, %zu totals, %zu notes, %zu headers again", text, (size_t)l.records,
			 l.totals, l.notes, l.repeats);
	assert_int_equal(l.uncovered, 0);
	assert_int_equal(says[l.last], 'D');
	for (size_t r = l.data; r < g.n; r++)
		if (filled(&g, r) > 0 && skipped(&g, &l, r) != (says[r] != 'D'))
			fail_msg("%s\nthe rules do not fit row %zu", text, r + 1);
	for (uint32_t c = 0; c < l.n_columns; c++)
		bus_buf_printf(&got, "%s%s", c > 0 ? "|" : "", l.name[c]);
	assert_string_equal(bus_buf_cstr(&got), names);
	bus_buf_release(&got);
	adapter_init_layout_release(&l);
	adapter_init_grid_release(&g);
}

#define THREE                                                                                                \
	"D|1|SUKAJADI|120|63,24\n"                                                                           \
	"D|2|SAIL|130|70\n"                                                                                  \
	"D|3|TAMPAN|140|1,5\n"
#define PLAIN "No|Kecamatan|Penduduk|Luas"

static void a_header_stands_above_its_numbers(void **state)
{
	(void)state;
	check("H|No|Kecamatan|Penduduk|Luas\n" THREE, PLAIN);
	check("N|DATA PENDUDUK\nN|TAHUN 2024\n.\nH|No|Kecamatan|Penduduk|Luas\n" THREE, PLAIN);
	/* Years head columns where words do. */
	check("H|Uraian|2022|2023\nD|Jumlah Penduduk|100|110\nD|Jumlah KK|30|31\nD|Kepadatan|5|6\n",
	      "Uraian|2022|2023");
	/* So do ages, from one to another; and a row of few cells below is a record. */
	check("N|JUMLAH ASN MENURUT UMUR\n.\nH|GOLONGAN|62|20 - 25|26-30|31 - 35|JUMLAH\n"
	      "D|I/a||||1|1\nD|I/b||2|3|4|9\nD|I/c|1|2|5|6|14\nD|I/d||1|5|6|12\nT|JUMLAH|1|5|13|17|36\n",
	      "GOLONGAN|62|20 - 25|26-30|31 - 35|JUMLAH");
	/* Where they are values they are none of it. */
	check("H|UMUR|PRIA|WANITA\nD|20 - 25|4|31\nD|26 - 30|108|519\nD|31 - 35|140|617\nT|JUMLAH|252|1167\n",
	      "UMUR|PRIA|WANITA");
}

static void without_a_header_the_first_row_is_a_record(void **state)
{
	(void)state;
	check(THREE, "kolom_1|kolom_2|kolom_3|kolom_4");
}

static void a_header_may_have_two_rows(void **state)
{
	(void)state;
	check("H|No|Wilayah||Isi|\nH||Kecamatan|Kelurahan|Penduduk|Luas\n"
	      "D|1|SUKAJADI|JADIREJO|120|63,24\nD|2|SAIL|CINTA RAJA|130|70\nD|3|TAMPAN|DELIMA|140|1,5\n",
	      "No|Kecamatan|Kelurahan|Penduduk|Luas");
	/* The same words below two others: each is named by both. */
	check("H|No|Kecamatan|2023||2024|\nH|||Pria|Wanita|Pria|Wanita\n"
	      "D|1|SUKAJADI|120|121|130|131\nD|2|SAIL|110|111|112|113\nD|3|TAMPAN|90|91|92|93\n",
	      "No|Kecamatan|2023 / Pria|2023 / Wanita|2024 / Pria|2024 / Wanita");
}

static void a_row_that_numbers_the_columns_is_no_record(void **state)
{
	(void)state;
	check("H|No|Kecamatan|Penduduk|Luas\n#|(1)|(2)|(3)|(4)\n" THREE, PLAIN);
	check("H|No|Kecamatan|Penduduk|Luas\n#|1|2|3|4\n" THREE, PLAIN);
}

static void totals_are_passed_over(void **state)
{
	(void)state;
	check("H|No|Kecamatan|Penduduk|Luas\n" THREE "T||JUMLAH|390|134,74\n", PLAIN);
	check("H|No|Kecamatan|Penduduk|Luas\n" THREE "T|JUMLAH||390|134,74\n", PLAIN);
	check("H|No|Kecamatan|Penduduk|Luas\n"
	      "D|1|SUKAJADI|120|63,24\nD|2|SAIL|130|70\nT||Jumlah Kecamatan A|250|133,24\n"
	      "D|3|TAMPAN|140|1,5\nD|4|RUMBAI|60|2,5\nT||Jumlah Kecamatan B|200|4,0\nT||TOTAL|450|137,24\n",
	      PLAIN);
	/* Rows whose own name begins so are records. */
	check("H|Uraian|Nilai\nD|Jumlah Penduduk|100\nD|Jumlah KK|30\nD|Total Fertility "
	      "Rate|2\nD|Kepadatan|5\n",
	      "Uraian|Nilai");
}

static void notes_and_signatures_are_passed_over(void **state)
{
	(void)state;
	check("H|No|Kecamatan|Penduduk|Luas\n" THREE ".\nN|Sumber: Disdukcapil\nN|Catatan: angka sementara\n",
	      PLAIN);
	check("H|No|Kecamatan|Penduduk|Luas\n" THREE
	      "T||JUMLAH|390|134,74\n.\nN||||Pekanbaru, 31 Desember 2024\n"
	      "N||||Kepala Dinas\n.\nN||||BUDI SANTOSO\nN||||NIP. 197001011990031001\n",
	      PLAIN);
}

static void two_officers_may_sign_side_by_side(void **state)
{
	(void)state;
	check("H|No|Kecamatan|Penduduk|Luas\n" THREE ".\nN|Mengetahui,||Pekanbaru, 31 Desember 2024|\n"
	      "N|Sekretaris||Kepala Dinas|\n.\nN|ANI||BUDI|\n",
	      PLAIN);
}

static void an_empty_first_column_is_not_in_the_way(void **state)
{
	(void)state;
	check("N||REKAPITULASI\nH||No|Kecamatan|Penduduk\nD||1|SUKAJADI|120\nD||2|SAIL|130\nD||3|TAMPAN|"
	      "140\nT||JUMLAH||390\n",
	      "|No|Kecamatan|Penduduk");
}

static void a_table_of_words_alone_has_a_header(void **state)
{
	(void)state;
	check("N|DAFTAR SEKOLAH\nH|Nama|Jenis|Kecamatan\nD|SDN A|NEGERI|SAIL\nD|SD IT B|SWASTA|KULIM\nD|SDN "
	      "C|NEGERI|TAMPAN\n"
	      "N|Sumber: Disdik\n",
	      "Nama|Jenis|Kecamatan");
}

static void records_with_holes_are_records(void **state)
{
	(void)state;
	check("H|No|Kecamatan|Penduduk|Luas\nD|1|SUKAJADI|120|63,24\nD|2|SAIL||\nD|3|TAMPAN|-|1,5\nD|4|KULIM|"
	      "NA|2\n"
	      "D|5|RUMBAI|50|2\n",
	      PLAIN);
}

static void groups_and_pages_are_passed_over(void **state)
{
	(void)state;
	check(
	    "H|No|Kecamatan|Penduduk|Luas\nN|WILAYAH A\n"
	    "D|1|SUKAJADI|120|63,24\nD|2|SAIL|130|70\nD|3|LIMA PULUH|12|7\nD|4|BUKIT RAYA|13|9\nN|WILAYAH B\n"
	    "D|5|TAMPAN|140|1,5\nD|6|RUMBAI|150|2,5\nD|7|KULIM|15|3,5\n",
	    PLAIN);
	check("H|No|Kecamatan|Penduduk|Luas\nD|1|SUKAJADI|120|63,24\nD|2|SAIL|130|70\n.\nR|No|Kecamatan|"
	      "Penduduk|Luas\n"
	      "D|3|TAMPAN|140|1,5\nD|4|RUMBAI|150|2,5\n",
	      PLAIN);
}

static void lines_drawn_across_are_no_records(void **state)
{
	(void)state;
	check("H|No|Kecamatan|Penduduk|Luas\n" THREE "N|---|--------|----|----\nT||JUMLAH|390|134,74\n",
	      PLAIN);
}

static void a_header_without_numbers_below_it_is_less_sure(void **state)
{
	struct adapter_init_grid g;
	struct adapter_init_layout l;
	char says[16];

	(void)state;
	grid_of("H|nama|jenis\nD|SDN A|NEGERI\nD|SD IT B|SWASTA\nD|SDN C|NEGERI\n", &g, says);
	assert_true(adapter_init_layout(&g, 0, g.n, 0, g.width, &l));
	assert_int_equal(l.n_header, 1);
	assert_false(l.header_sure);
	adapter_init_layout_release(&l);
	adapter_init_grid_release(&g);
	grid_of("H|nama|murid\nD|SDN A|120\nD|SD IT B|80\n", &g, says);
	assert_true(adapter_init_layout(&g, 0, g.n, 0, g.width, &l));
	assert_true(l.header_sure);
	adapter_init_layout_release(&l);
	adapter_init_grid_release(&g);
}

static void where_nothing_is_there_is_no_record(void **state)
{
	struct adapter_init_grid g;
	struct adapter_init_layout l;
	char says[16];

	(void)state;
	grid_of(".|\n.|\n", &g, says);
	assert_false(adapter_init_layout(&g, 0, g.n, 0, g.width, &l));
	adapter_init_layout_release(&l);
	adapter_init_grid_release(&g);
	grid_of("H|No|Kecamatan|Penduduk\n", &g, says);
	adapter_init_layout(&g, 0, g.n, 0, g.width, &l);
	assert_true(l.n_header + l.records <= 1);
	adapter_init_layout_release(&l);
	adapter_init_grid_release(&g);
}

static void tables_on_one_sheet_are_parted(void **state)
{
	struct adapter_init_layout l[4];
	struct adapter_init_grid g;
	char says[32];
	size_t n;

	(void)state;
	grid_of("N|A. RINGKASAN\nH|Uraian|Nilai\nD|Pria|10\nD|Wanita|12\n.\nN|B. "
		"RINCIAN\nH|No|Kecamatan|Penduduk|Luas\n" THREE,
		&g, says);
	n = adapter_init_tables(&g, l, 4);
	assert_int_equal(n, 2);
	assert_int_equal(l[0].records, 2);
	assert_string_equal(l[0].name[0], "Uraian");
	assert_int_equal(l[1].records, 3);
	assert_string_equal(l[1].name[2], "Penduduk");
	for (size_t i = 0; i < n; i++)
		adapter_init_layout_release(&l[i]);
	adapter_init_grid_release(&g);
	/* Side by side, an empty column between. */
	grid_of("H|Kecamatan|Pria||Kecamatan|Wanita\nD|SAIL|10||SAIL|12\nD|KULIM|20||KULIM|22\nD|RUMBAI|30||"
		"RUMBAI|33\n",
		&g, says);
	n = adapter_init_tables(&g, l, 4);
	assert_int_equal(n, 2);
	assert_int_equal(l[1].column, 3);
	assert_string_equal(l[1].name[1], "Wanita");
	for (size_t i = 0; i < n; i++)
		adapter_init_layout_release(&l[i]);
	adapter_init_grid_release(&g);
	/* The letter before a title is no column of the table. */
	grid_of(
	    "N|A.|PENDUDUK\n.\nH||Kecamatan|Pria|Wanita\nD||SAIL|10|12\nD||KULIM|20|22\nD||RUMBAI|30|33\n",
	    &g, says);
	n = adapter_init_tables(&g, l, 4);
	assert_int_equal(n, 1);
	assert_int_equal(l[0].column, 1);
	assert_int_equal(l[0].n_columns, 3);
	assert_int_equal(l[0].records, 3);
	adapter_init_layout_release(&l[0]);
	adapter_init_grid_release(&g);
}

static void rules_are_written_as_the_source_reads_them(void **state)
{
	static const char *const name[] = { "No", "Kecamatan", "Penduduk: jiwa" };
	struct adapter_init_layout l = {
		.rule = { { ADAPTER_INIT_PREFIX, 1, { "Jumlah", 6 }, 0 },
			  { ADAPTER_INIT_EQUALS, 2, { "#", 1 }, 0 },
			  { ADAPTER_INIT_EMPTY, 0, { NULL, 0 }, 0 },
			  { ADAPTER_INIT_FILLED, 0, { NULL, 0 }, 1 } },
		.n_rules = 4,
	};
	struct bus_buf out = { 0 };

	(void)state;
	adapter_init_put_rules(&l, name, &out);
	/* Unquoted, No is a truth, `: ` parts a key from its value, and # begins a comment. */
	assert_string_equal(bus_buf_cstr(&out), "skip_rows:\n"
						"  - {column: Kecamatan, prefix: Jumlah}\n"
						"  - {column: \"Penduduk: jiwa\", equals: \"#\"}\n"
						"  - {column: \"No\", empty: true}\n"
						"  - {filled: 1}\n");
	bus_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_stands_above_its_numbers),
		cmocka_unit_test(without_a_header_the_first_row_is_a_record),
		cmocka_unit_test(a_header_may_have_two_rows),
		cmocka_unit_test(a_row_that_numbers_the_columns_is_no_record),
		cmocka_unit_test(totals_are_passed_over),
		cmocka_unit_test(notes_and_signatures_are_passed_over),
		cmocka_unit_test(two_officers_may_sign_side_by_side),
		cmocka_unit_test(an_empty_first_column_is_not_in_the_way),
		cmocka_unit_test(a_table_of_words_alone_has_a_header),
		cmocka_unit_test(records_with_holes_are_records),
		cmocka_unit_test(groups_and_pages_are_passed_over),
		cmocka_unit_test(lines_drawn_across_are_no_records),
		cmocka_unit_test(a_header_without_numbers_below_it_is_less_sure),
		cmocka_unit_test(where_nothing_is_there_is_no_record),
		cmocka_unit_test(tables_on_one_sheet_are_parted),
		cmocka_unit_test(rules_are_written_as_the_source_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
