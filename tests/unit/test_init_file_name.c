/* What a file's name says of those that will come: which names the drafted pattern takes, and which it must not. */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/init/file_name.h"

struct name_case {
	const char *file;
	const char *pattern;
	const char *takes[3], *leaves[4];
	const char *entity;
};

static const struct name_case cases[] = {
	{ "/data/BKD_2023.xlsx",
	  "BKD_20[0-9][0-9]*.xlsx",
	  { "BKD_2023.xlsx", "BKD_2024.xlsx", "BKD_2031 (1).xlsx" },
	  { "BKD_1471.xlsx", "BKD_xxxx.xlsx", "BKP_2024.xlsx", "BKD_2024.csv" },
	  "bkd" },
	{ "panen 2023-2024.csv",
	  "panen 20[0-9][0-9]-20[0-9][0-9]*.csv",
	  { "panen 2024-2025.csv" },
	  { "panen 2024.csv" },
	  "panen" },
	{ "harga_2023-12-31.csv",
	  "harga_20[0-9][0-9]-[01][0-9]-[0-3][0-9]*.csv",
	  { "harga_2024-01-01.csv" },
	  { "harga_2024-99-01.csv", "harga_2024.csv" },
	  "harga" },
	{ "31.12.2023 kas.csv",
	  "[0-3][0-9].[01][0-9].20[0-9][0-9] kas*.csv",
	  { "01.01.2024 kas.csv" },
	  { "kas.csv" },
	  "kas" },
	{ "pbb20231231.txt",
	  "pbb20[0-9][0-9][01][0-9][0-3][0-9]*.txt",
	  { "pbb20240101.txt" },
	  { "pbb20245101.txt" },
	  "pbb" },
	{ "pbb_31122023.txt",
	  "pbb_[0-3][0-9][01][0-9]20[0-9][0-9]*.txt",
	  { "pbb_01012024.txt" },
	  { 0 },
	  "pbb" },
	{ "pbb_202312.txt", "pbb_20[0-9][0-9][01][0-9]*.txt", { "pbb_202401.txt" }, { 0 }, "pbb" },
	/* What stands before a year may be a district's number. */
	{ "kec_03_2023.csv",
	  "kec_03_20[0-9][0-9]*.csv",
	  { "kec_03_2024.csv" },
	  { "kec_04_2023.csv" },
	  "kec_03" },
	/* No years: parts of longer numbers, other centuries. */
	{ "321-DINAS_14712023.csv",
	  "321-DINAS_14712023*.csv",
	  { "321-DINAS_14712023.csv" },
	  { 0 },
	  "k_321_dinas_14712023" },
	{ "perda_1985.csv", "perda_1985*.csv", { 0 }, { "perda_1986.csv" }, "perda_1985" },
	/* Nothing but a year: the name stays. */
	{ "2023.csv", "20[0-9][0-9]*.csv", { "2024.csv" }, { "x.csv" }, "k_2023" },
	{ "a[1]*.csv", "a?1??*.csv", { "a[1]*.csv" }, { 0 }, "a_1" },
	{ "tanpa akhiran", "tanpa akhiran*", { "tanpa akhiran" }, { 0 }, "tanpa_akhiran" },
};

static void a_year_in_a_name_stands_for_any_year_and_for_nothing_else(void **state)
{
	(void)state;
	for (const struct name_case *k = cases; k < cases + BUS_LEN(cases); k++) {
		struct bus_buf out = { 0 };
		bool dated;

		adapter_init_file_pattern(k->file, &out, &dated);
		assert_string_equal(bus_buf_cstr(&out), k->pattern);
		assert_int_equal(dated, strchr(k->pattern, '[') != NULL);
		for (size_t i = 0; i < BUS_LEN(k->takes) && k->takes[i]; i++)
			if (fnmatch(k->pattern, k->takes[i], FNM_PERIOD) != 0)
				fail_msg("%s does not take %s", k->pattern, k->takes[i]);
		for (size_t i = 0; i < BUS_LEN(k->leaves) && k->leaves[i]; i++)
			if (fnmatch(k->pattern, k->leaves[i], FNM_PERIOD) == 0)
				fail_msg("%s takes %s", k->pattern, k->leaves[i]);
		bus_buf_release(&out);
	}
}

static void data_is_not_called_by_a_year(void **state)
{
	(void)state;
	for (const struct name_case *k = cases; k < cases + BUS_LEN(cases); k++) {
		char *entity = adapter_init_file_entity(k->file);

		assert_string_equal(entity, k->entity);
		free(entity);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_year_in_a_name_stands_for_any_year_and_for_nothing_else),
		cmocka_unit_test(data_is_not_called_by_a_year),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
