/* What `titian-adapter preview` and `check` print, for the sample city. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/preview.h"
#include "tests/support/map_support.h"

static const char *const mappings[] = { "adapters/opd/disdukcapil/penduduk.yaml",
					"adapters/opd/dinsos/bansos.yaml", "adapters/opd/bapenda/pbb.yaml" };

struct shown {
	char *text;
	size_t n;
	enum bus_err rc;
	struct bus_error err;
};

static struct shown preview(const char *file, int limit, bool personal)
{
	struct adapter_map_env env = map_support_env();
	struct adapter_preview_conf conf = { .mapping = mappings,
					     .n_mappings = BUS_LEN(mappings),
					     .env = &env,
					     .file = file,
					     .limit = limit,
					     .personal = personal };
	struct shown s = { 0 };
	FILE *out = open_memstream(&s.text, &s.n);

	s.rc = adapter_preview(&conf, out, &s.err);
	fclose(out);
	return s;
}

static void shows_records_masked_and_counts(void **state)
{
	struct shown s = preview("deploy/demo/feeds/disdukcapil_penduduk.psv", 2, false);

	(void)state;
	assert_int_equal(s.rc, BUS_OK);
	/* The first resident is in cacat.csv nowhere; her data must not be here, what is public must. */
	assert_non_null(strstr(s.text, "2\t{\"id_subjek\":\""));
	assert_non_null(strstr(s.text, "\"nik\":\"\u2022\u2022\u2022\""));
	assert_non_null(strstr(s.text, "\"kode_kel\":\"1471091003\",\"tanda\":[]"));
	assert_null(strstr(s.text, "1406130310869001"));
	assert_null(strstr(s.text, "SYARIFUDDIN"));
	/* Counts of truth.json. */
	assert_non_null(strstr(s.text, "baris / rows                    2045\n"));
	assert_non_null(strstr(s.text, "diterima / accepted             2000\n"));
	assert_non_null(strstr(s.text, "ditolak / refused                 45\n"));
	assert_non_null(strstr(s.text, "kode_wilayah_lama                200  "));
	/* The first two refusals, with line, class and column. */
	assert_non_null(strstr(s.text, "52\tDITOLAK/REFUSED\tbaris_ganda\t"));
	free(s.text);
}

static void shows_personal_fields_when_asked(void **state)
{
	struct shown s = preview("deploy/demo/feeds/disdukcapil_penduduk.psv", 1, true);

	(void)state;
	assert_int_equal(s.rc, BUS_OK);
	assert_non_null(strstr(s.text, "\"nama\":\"SYARIFUDDIN WIJAYA\""));
	assert_non_null(strstr(s.text, "\"tgl_lahir\":\"1986-10-03\""));
	free(s.text);
}

static void shows_control_totals_and_loose_rows(void **state)
{
	struct shown s = preview("deploy/demo/feeds/bapenda_pbb.txt", 1, false);

	(void)state;
	assert_int_equal(s.rc, BUS_OK);
	assert_non_null(strstr(s.text, "tak tergabung / loose            483\n"));
	assert_non_null(strstr(s.text, "1034351755  terhitung / counted 1034351755\n"));
	assert_null(strstr(s.text, "DIFFERS"));
	free(s.text);
}

static void says_why_it_cannot(void **state)
{
	struct shown s = preview("deploy/demo/feeds/lain.csv", 1, false);

	(void)state;
	assert_int_equal(s.rc, BUS_EINVAL);
	free(s.text);
	s = preview("/tidak/ada/dinsos_bansos.csv", 1, false);
	assert_int_equal(s.rc, BUS_ENOENT);
	free(s.text);
}

static void checks_all_mappings_against_the_catalogue(void **state)
{
	struct adapter_map_env env = map_support_env();
	struct adapter_preview_conf conf = { .mapping = mappings,
					     .n_mappings = BUS_LEN(mappings),
					     .env = &env };
	struct shown s = { 0 };
	FILE *out = open_memstream(&s.text, &s.n);

	(void)state;
	s.rc = adapter_preview_check(&conf, out, &s.err);
	fclose(out);
	assert_int_equal(s.rc, BUS_OK);
	assert_non_null(strstr(s.text, "dinsos_bansos -> pku.dinsos.bansos.v1\n"));
	free(s.text);
	conf.avsc_dir = "schemas/avsc/dinkes"; /* not theirs */
	out = open_memstream(&s.text, &s.n);
	assert_int_equal(adapter_preview_check(&conf, out, &s.err), BUS_EINVAL);
	fclose(out);
	assert_non_null(strstr(s.err.text, "pku.disdukcapil.penduduk.v1"));
	free(s.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_records_masked_and_counts),
		cmocka_unit_test(shows_personal_fields_when_asked),
		cmocka_unit_test(shows_control_totals_and_loose_rows),
		cmocka_unit_test(says_why_it_cannot),
		cmocka_unit_test(checks_all_mappings_against_the_catalogue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
