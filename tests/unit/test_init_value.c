/* What a single cell looks like, and which columns tell records apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/init/key.h"
#include "adapters/init/value.h"

static void words_for_nothing_are_known(void **state)
{
	static const char *const null[] = {
		"-", "--", "NA", "n/a", "NULL", "NaN", "#N/A", "...", "?", "\\N"
	};
	static const char *const none[] = { "0", "--1", "nama", "tidak ada", "nihil air", "" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(null); i++)
		if (!adapter_init_is_null(bus_str(null[i])))
			fail_msg("'%s' is nothing", null[i]);
	for (size_t i = 0; i < BUS_LEN(none); i++)
		if (adapter_init_is_null(bus_str(none[i])))
			fail_msg("'%s' is something", none[i]);
}

static void numbers_are_known_in_any_spelling(void **state)
{
	static const char *const number[] = { "0",
					      "1.234,50",
					      "1 842,51",
					      "Rp 750.000,00",
					      "Rp12,072",
					      "12%",
					      "(12)",
					      "-5",
					      "31/12/2024",
					      "2024-12-31",
					      "13:45",
					      "1,47E+15",
					      "'1471080101",
					      "1\xc2\xa0"
					      "234" };
	static const char *const words[] = { "",      "-",	  "RT 01", "Rp", "12 orang",
					     "SDN 1", "No. 12/A", "a1",	   "1E" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(number); i++)
		if (!adapter_init_is_number(bus_str(number[i])))
			fail_msg("'%s' is a number", number[i]);
	for (size_t i = 0; i < BUS_LEN(words); i++)
		if (adapter_init_is_number(bus_str(words[i])))
			fail_msg("'%s' is none", words[i]);
}

static void amounts_are_read_by_the_places_of_their_marks(void **state)
{
	static const struct {
		const char *text;
		double value;
	} amounts[] = {
		{ "12", 12 },
		{ "-12", -12 },
		{ "1.234.567", 1234567 },
		{ "1,234,567", 1234567 },
		{ "1.234,50", 1234.5 },
		{ "1,234.50", 1234.5 },
		{ "1.234", 1234 },
		{ "63,24", 63.24 },
		{ "1 842,51", 1842.51 },
		{ "Rp 750.000,00", 750000 },
	};
	double v;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(amounts); i++) {
		if (!adapter_init_amount(bus_str(amounts[i].text), &v) || v != amounts[i].value)
			fail_msg("'%s' is not %g", amounts[i].text, v);
	}
	assert_false(adapter_init_amount(bus_str("31/12/2024"), &v));
	assert_false(adapter_init_amount(bus_str("2024-12-31"), &v));
	assert_false(adapter_init_amount(bus_str("13:45"), &v));
	assert_false(adapter_init_amount(bus_str("JUMLAH"), &v));
}

static void years_and_small_numbers_are_known(void **state)
{
	(void)state;
	assert_true(adapter_init_is_year(bus_str("1999")) && adapter_init_is_year(bus_str("2024")));
	assert_false(adapter_init_is_year(bus_str("2124")) || adapter_init_is_year(bus_str("202")) ||
		     adapter_init_is_year(bus_str("20 4")));
	assert_int_equal(adapter_init_small(bus_str("(12)")), 12);
	assert_int_equal(adapter_init_small(bus_str("7")), 7);
	assert_int_equal(adapter_init_small(bus_str("1234")), -1);
	assert_int_equal(adapter_init_small(bus_str("()")), -1);
	assert_int_equal(adapter_init_small(bus_str("1a")), -1);
}

static void totals_and_notes_are_known_by_their_first_word(void **state)
{
	static const struct {
		const char *text;
		enum adapter_init_word word;
		size_t n;
	} words[] = {
		{ "JUMLAH", ADAPTER_INIT_TOTAL, 6 },
		{ "Jumlah :", ADAPTER_INIT_TOTAL, 6 },
		{ "TOTAL KESELURUHAN", ADAPTER_INIT_TOTAL, 5 },
		{ "Grand Total", ADAPTER_INIT_TOTAL, 11 },
		{ "Sub Total", ADAPTER_INIT_TOTAL, 9 },
		{ "Rata-rata", ADAPTER_INIT_TOTAL, 9 },
		{ "(Jumlah)", ADAPTER_INIT_TOTAL, 6 },
		{ "JUMLAH KECAMATAN TAMPAN", ADAPTER_INIT_TOTAL_OF, 6 },
		{ "Jumlah Penduduk", ADAPTER_INIT_TOTAL_OF, 6 },
		{ "Sumber: BPS", ADAPTER_INIT_NOTE_WORD, 6 },
		{ "Mengetahui,", ADAPTER_INIT_NOTE_WORD, 10 },
		{ "Dicetak 3 Januari 2025", ADAPTER_INIT_NOTE_WORD, 7 },
		{ "Totalindo", ADAPTER_INIT_NO_WORD, 0 },
		{ "Sumberejo", ADAPTER_INIT_NO_WORD, 0 },
		{ "jumlah_kk", ADAPTER_INIT_NO_WORD, 0 },
		{ "Sukajadi", ADAPTER_INIT_NO_WORD, 0 },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(words); i++) {
		size_t n = 99;
		enum adapter_init_word got = adapter_init_word_of(bus_str(words[i].text), &n);

		if (got != words[i].word || n != words[i].n)
			fail_msg("'%s': %d, %zu bytes", words[i].text, (int)got, n);
	}
}

/* ---- keys ---- */

#define WIDTH_MAX 6

/* Rows of cells, a line each, cells parted by |; the first line names the columns. */
static void key_of(const char *text, struct adapter_init_key *out)
{
	struct adapter_init_guess guess[WIDTH_MAX];
	struct adapter_init_column *columns = NULL;
	struct adapter_init_prints *prints = NULL;
	char name[WIDTH_MAX][32];
	size_t width = 0;
	bool head = true;

	for (const char *p = text; *p; p += *p == '\n') {
		struct adapter_cell cell[WIDTH_MAX];
		const struct adapter_row row = { .cell = cell, .n_cells = WIDTH_MAX };
		size_t i = 0;

		memset(cell, 0, sizeof(cell));
		for (;; i++, p++) {
			size_t n = strcspn(p, "|\n");

			assert_true(i < WIDTH_MAX);
			cell[i].kind = n > 0 ? ADAPTER_TEXT : ADAPTER_MISSING;
			cell[i].text = (struct bus_str){ p, n };
			p += n;
			if (*p != '|')
				break;
		}
		if (head) {
			width = i + 1;
			columns = adapter_init_columns_new(width);
			prints = adapter_init_prints_new(width);
			for (i = 0; i < width; i++)
				snprintf(name[i], sizeof(name[i]), "%.*s", (int)cell[i].text.n,
					 cell[i].text.p);
		} else {
			struct adapter_row cut = row;

			cut.n_cells = width;
			adapter_init_columns_take(columns, width, &cut);
			adapter_init_prints_take(prints, &cut);
		}
		head = false;
	}
	for (size_t i = 0; i < width; i++)
		adapter_init_column_guess(columns, i, name[i], false, &guess[i]);
	adapter_init_key_find(prints, guess, width, out);
	adapter_init_columns_free(&columns, width);
	adapter_init_prints_free(&prints);
}

static void an_identifier_is_a_key_before_a_running_number(void **state)
{
	struct adapter_init_key k;

	(void)state;
	key_of("no|nama|npsn\n1|SD A|10490001\n2|SD B|10490002\n3|SD C|10490003\n", &k);
	assert_int_equal(k.n, 1);
	assert_int_equal(k.part[0], 2);
	assert_true(k.unique && !k.personal);
	assert_int_equal(k.sure, ADAPTER_INIT_HIGH);
}

static void a_key_of_a_person_is_marked_as_one(void **state)
{
	struct adapter_init_key k;

	(void)state;
	key_of("no|nik|bantuan\n1|1471080101900001|PKH\n2|1471080101900002|PKH\n3|1471080101900003|BPNT\n",
	       &k);
	assert_int_equal(k.part[0], 1);
	assert_true(k.personal && k.unique);
}

static void two_columns_are_a_key_when_neither_is_one(void **state)
{
	struct adapter_init_key k;

	(void)state;
	key_of("kode_kec|tahun|jumlah\n1471011|2023|5\n1471011|2024|5\n1471012|2023|5\n1471012|2024|7\n", &k);
	assert_int_equal(k.n, 2);
	assert_int_equal(k.part[0] + k.part[1], 1); /* the first two, in either order */
	assert_true(k.unique);
	assert_int_equal(k.again, 0);
}

static void records_that_come_twice_are_counted(void **state)
{
	struct adapter_init_key k;

	(void)state;
	key_of("kode|nama\nA|x\nB|y\nA|x\nA|x\n", &k);
	assert_false(k.unique);
	assert_int_equal(k.again, 2);
	assert_int_equal(k.part[0], 0);
}

static void a_code_that_is_missing_in_a_row_is_no_key(void **state)
{
	struct adapter_init_key k;

	(void)state;
	key_of("kode|nama\nA1|Ani\n|Budi\nA3|Citra\n", &k);
	assert_false(k.n == 1 && k.part[0] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_for_nothing_are_known),
		cmocka_unit_test(numbers_are_known_in_any_spelling),
		cmocka_unit_test(amounts_are_read_by_the_places_of_their_marks),
		cmocka_unit_test(years_and_small_numbers_are_known),
		cmocka_unit_test(totals_and_notes_are_known_by_their_first_word),
		cmocka_unit_test(an_identifier_is_a_key_before_a_running_number),
		cmocka_unit_test(a_key_of_a_person_is_marked_as_one),
		cmocka_unit_test(two_columns_are_a_key_when_neither_is_one),
		cmocka_unit_test(records_that_come_twice_are_counted),
		cmocka_unit_test(a_code_that_is_missing_in_a_row_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
