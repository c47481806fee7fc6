#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/pass.h"
#include "adapters/report.h"

static const struct adapter_class classes[] = { { "nik_format", ADAPTER_CLASS_REFUSE },
						{ "nik_kosong", ADAPTER_CLASS_LOOSE },
						{ "terlambat", ADAPTER_CLASS_SEEN } };

static struct adapter_tally *tally(enum adapter_status status)
{
	struct adapter_tally *t = bus_xcalloc(1, sizeof(*t));

	t->feed = "uji";
	snprintf(t->name, sizeof(t->name), "x.csv");
	snprintf(t->sha256, sizeof(t->sha256), "0123456789abcdef");
	t->status = status;
	t->class = classes;
	t->n_classes = BUS_LEN(classes);
	return t;
}

static void assert_report(const struct adapter_tally *t, const char *part, bool there)
{
	struct bus_buf out = { 0 };

	adapter_report_text(t, &out);
	if ((strstr(bus_buf_cstr(&out), part) != NULL) != there)
		fail_msg("'%s' is %sin: %s", part, there ? "not " : "", out.p);
	bus_buf_release(&out);
}

static void says_what_where_and_why(void **state)
{
	struct adapter_tally *t = tally(ADAPTER_DONE);

	(void)state;
	assert_false(adapter_report_needed(t));
	t->rows = 10;
	t->refused = 2;
	t->count[0] = 2;
	t->count[2] = 4;
	t->n_samples = 1;
	t->sample[0] = (struct adapter_sample){ 812, "NIK", "nik_format", "bukan 16 digit / not 16 digits" };
	assert_true(adapter_report_needed(t));
	assert_report(t, "baris / line 812, kolom / column NIK: nik_format: bukan 16 digit", true);
	assert_report(t, "2  nik_format               ditolak / refused\n", true);
	assert_report(t, "nik_kosong", false); /* no such row */
	t->count[1] = 1;
	assert_report(t, "1  nik_kosong               diterima, tak tergabung / kept",
		      true); /* published, that is */
	t->count[1] = 0;
	assert_report(t, "terlambat", false); /* an observation, no defect */
	assert_report(t, "--file 0123456789abcdef\n", true);
	assert_report(t, "  nik_format:\n", false); /* refused, and nothing known to do */
	t->advice[0] = 1u << ADAPTER_ADVICE_LOST;
	assert_report(t, "  nik_format:\n    Kolomnya tidak tersimpan", true);
	t->advice[0] = 1u << ADAPTER_ADVICE_VALUE;
	t->advice[1] = 1u << ADAPTER_ADVICE_VALUE;
	assert_report(t, "  nik_format, nik_kosong:\n    Isi kolomnya", true);
	assert_report(t, "tidak tersimpan", false);
	t->too_big = 1;
	assert_report(t, "  terlalu_besar:\n", true);
	free(t);
}

static void tells_control_totals_that_differ(void **state)
{
	struct adapter_tally *t = tally(ADAPTER_DONE);

	(void)state;
	t->end.n_controls = 1;
	t->end.control[0] = (struct adapter_control){ "baris", 100, 99 };
	assert_true(adapter_report_needed(t));
	assert_report(t, "tertulis 100, terhitung 99", true);
	assert_report(t, "trailer_salah", true);
	free(t);
}

static void a_prepared_report_gets_its_name_with_the_file(void **state)
{
	char dir[] = "/tmp/titian-report-XXXXXX", *hidden, *moved, *placed;
	struct adapter_tally *t = tally(ADAPTER_CUT);

	(void)state;
	assert_non_null(mkdtemp(dir));
	hidden = bus_xasprintf("%s/.uji.0123456789abcdef.laporan", dir);
	moved = bus_xasprintf("%s/x.csv", dir);
	placed = bus_xasprintf("%s.laporan.txt", moved);
	assert_int_equal(adapter_report_prepare(t, dir, NULL), BUS_OK);
	assert_int_equal(access(hidden, F_OK), 0);
	assert_int_equal(adapter_report_place("uji", t->sha256, dir, moved, NULL), BUS_OK);
	assert_int_not_equal(access(hidden, F_OK), 0);
	assert_int_equal(access(placed, F_OK), 0);
	assert_int_equal(adapter_report_place("uji", t->sha256, dir, moved, NULL),
			 BUS_OK); /* none: nothing to do */
	unlink(placed);
	rmdir(dir);
	free(hidden);
	free(moved);
	free(placed);
	free(t);
}

/* Whoever knows a file knows the name its report gets first: a pipe there would hold the adapter for ever, a file of theirs
 * would give them the report to write on. */
static void what_somebody_laid_where_the_report_goes_is_not_written_to(void **state)
{
	char dir[] = "/tmp/titian-report-XXXXXX", *hidden;
	struct adapter_tally *t = tally(ADAPTER_CUT);
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	hidden = bus_xasprintf("%s/.uji.0123456789abcdef.laporan", dir);
	assert_int_equal(mkfifo(hidden, 0666), 0);
	assert_int_equal(adapter_report_prepare(t, dir, NULL), BUS_OK);
	assert_int_equal(lstat(hidden, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(chmod(hidden, 0666), 0);
	assert_int_equal(adapter_report_prepare(t, dir, NULL), BUS_OK);
	assert_int_equal(lstat(hidden, &st), 0);
	assert_int_equal(st.st_mode & 006, 0);
	unlink(hidden);
	rmdir(dir);
	free(hidden);
	free(t);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	struct adapter_tally *t = tally(ADAPTER_CUT);
	struct bus_error err;

	(void)state;
	assert_int_equal(adapter_report_prepare(t, "/nowhere", &err), BUS_EIO);
	assert_int_equal(err.code, BUS_EIO);
	free(t);
}

static void a_label_holds_no_long_number_and_is_utf8(void **state)
{
	char out[256];

	(void)state;
	adapter_file_label("surat_1471011011019001_a.csv", out, sizeof(out));
	assert_string_equal(out, "surat_################_a.csv");
	adapter_file_label("a\xff"
			   "b\xc3\xa9.csv",
			   out, sizeof(out));
	assert_string_equal(out, "a?b\xc3\xa9.csv");
	adapter_file_label("20250110.csv", out, sizeof(out));
	assert_string_equal(out, "20250110.csv");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_where_and_why),
		cmocka_unit_test(tells_control_totals_that_differ),
		cmocka_unit_test(a_prepared_report_gets_its_name_with_the_file),
		cmocka_unit_test(what_somebody_laid_where_the_report_goes_is_not_written_to),
		cmocka_unit_test(a_folder_that_is_not_there_is_told),
		cmocka_unit_test(a_label_holds_no_long_number_and_is_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
