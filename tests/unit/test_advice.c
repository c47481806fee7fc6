#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/advice.h"
#include "adapters/tally.h"
#include "tests/support/map_try.h"

static const char mapping[] = "feed: uji\n"
			      "files: ['*.csv']\n"
			      "topic: pku.uji.benda.v1\n"
			      "kind: register\n"
			      "source: {kind: delimited}\n"
			      "values:\n"
			      "  nik: {from: NIK, as: nik}\n"
			      "  orang: {pseudonym: nik}\n"
			      "  nama: {from: NAMA}\n"
			      "  versi: {from: VERSI, as: whole}\n"
			      "checks:\n"
			      "  - {class: baris_ganda, fate: refuse, when: {repeated: row}}\n"
			      "  - {class: nik_salah, fate: refuse, when: {missing: nik, bad: nik}}\n"
			      "  - {class: nama_salah, fate: refuse, when: {missing: nama}}\n"
			      "  - {class: nama_apa, fate: refuse, when: {missing: nama, repeated: nama}}\n"
			      "newest_by: {value: versi, older: versi_lama}\n"
			      "key: orang\n"
			      "fields: {nama: nama}\n";

static void the_advice_is_by_class_and_column(void **state)
{
	static const struct {
		const char *class, *field;
		bool kept;
		enum adapter_advice advice;
	} one[] = {
		{ "nama_salah", "NAMA", true, ADAPTER_ADVICE_VALUE },
		{ "nama_salah", "NAMA", false, ADAPTER_ADVICE_LOST },
		{ "nik_salah", "NIK", true, ADAPTER_ADVICE_KEY }, /* what the key's pseudonym is made of */
		{ "isian_salah", "NIK", true, ADAPTER_ADVICE_KEY },
		{ "isian_salah", NULL, true, ADAPTER_ADVICE_VALUE },
		{ "baris_ganda", NULL, true, ADAPTER_ADVICE_TWICE },
		{ "baris_ganda", NULL, false, ADAPTER_ADVICE_TWICE },
		{ "nama_apa", "NAMA", true, ADAPTER_ADVICE_VALUE },  /* may be either: the column is named */
		{ "versi_lama", NULL, false, ADAPTER_ADVICE_OLDER }, /* overtaken: not kept, and no matter */
		{ "lebih_lama", NULL, true, ADAPTER_ADVICE_OLDER },
		{ "ganda", NULL, true, ADAPTER_ADVICE_TWICE },
		{ "terlalu_besar", NULL, true, ADAPTER_ADVICE_SIZE },
		{ "baris_rusak", NULL, false, ADAPTER_ADVICE_LOST },
		{ "kelas_lama", "LAIN", true, ADAPTER_ADVICE_VALUE }, /* of a mapping that was changed since */
	};
	struct map_try t;

	(void)state;
	assert_int_equal(map_try_load(&t, mapping), BUS_OK);
	for (size_t i = 0; i < BUS_LEN(one); i++)
		if (adapter_advice_of(t.map, one[i].class, one[i].field, one[i].kept) != one[i].advice)
			fail_msg("%s of %s", one[i].class, one[i].field ? one[i].field : "the row");
	assert_int_equal(adapter_advice_of(NULL, "nik_salah", "NIK", true), ADAPTER_ADVICE_VALUE);
	map_try_close(&t);
}

static void in_a_whole_register_a_key_is_mended_in_the_source(void **state)
{
	struct bus_buf some = { 0 }, whole = { 0 };

	(void)state;
	adapter_advice_text(ADAPTER_ADVICE_KEY, false, "  ", &some);
	adapter_advice_text(ADAPTER_ADVICE_KEY, true, "  ", &whole);
	assert_null(strstr(bus_buf_cstr(&some), "hanya sampai berkas berikutnya"));
	assert_non_null(strstr(bus_buf_cstr(&whole), "hanya sampai berkas berikutnya"));
	bus_buf_release(&some);
	bus_buf_release(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_advice_is_by_class_and_column),
		cmocka_unit_test(in_a_whole_register_a_key_is_mended_in_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
