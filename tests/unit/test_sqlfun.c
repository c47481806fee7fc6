#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/store/db.h"
#include "gateway/store/sqlfun.h"

/* The expression's value; -1000 for NULL. */
static int64_t value(const char *expression)
{
	struct bus_error err = { 0 };
	struct gw_db *db = NULL;
	int64_t v;

	assert_int_equal(gw_db_open(":memory:", GW_DB_WRITER, 1024 * 1024, &db, &err), BUS_OK);
	assert_int_equal(gw_db_int(db, -1000, &v, &err, "SELECT %s", expression), BUS_OK);
	gw_db_close(&db);
	return v;
}

static void an_age_is_in_completed_years(void **state)
{
	(void)state;
	assert_int_equal(value("usia_tahun('2010-12-31', '2025-12-31')"), 15);
	assert_int_equal(value("usia_tahun('2011-01-01', '2025-12-31')"), 14);
	assert_int_equal(value("usia_tahun('2008-02-29', '2024-02-28')"), 15);
	assert_int_equal(value("usia_tahun('2008-02-29', '2024-02-29')"), 16);
	assert_int_equal(value("usia_tahun('2016-02-29', '2023-03-01')"), 7);
}

static void a_baby_s_age_is_in_completed_months(void **state)
{
	(void)state;
	assert_int_equal(value("usia_bulan('2024-12-31', '2025-12-31')"), 12);
	assert_int_equal(value("usia_bulan('2025-01-01', '2025-12-31')"), 11);
	assert_int_equal(value("usia_bulan('2024-01-31', '2024-02-29')"), 0);
	assert_int_equal(value("usia_bulan('2024-01-15', '2025-12-31')"), 23);
}

static void what_is_no_day_has_no_age(void **state)
{
	(void)state;
	assert_int_equal(value("usia_tahun(NULL, '2025-12-31')"), -1000);
	assert_int_equal(value("usia_tahun('2010-12-31', NULL)"), -1000);
	assert_int_equal(value("usia_tahun('31-12-2010', '2025-12-31')"), -1000);
	assert_int_equal(value("usia_bulan('', '2025-12-31')"), -1000);
}

static void a_name_has_a_plain_form_in_sql_too(void **state)
{
	(void)state;
	assert_int_equal(value("nama_baku('Hj. siti, S.Pd') = 'SITI'"), 1);
	assert_int_equal(value("nama_baku(NULL)"), -1000);
}

static void what_depends_on_more_than_its_arguments_is_not_allowed_in_a_view(void **state)
{
	static const char *const no[] = { "random",	"date",	    "datetime", "julianday",	  "strftime",
					  "randomblob", "zeroblob", "printf",	"load_extension", "changes" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(no); i++)
		assert_false(gw_sqlfun_allowed(no[i]));
	assert_true(gw_sqlfun_allowed("COUNT"));
	assert_true(gw_sqlfun_allowed("nama_baku"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_age_is_in_completed_years),
		cmocka_unit_test(a_baby_s_age_is_in_completed_months),
		cmocka_unit_test(what_is_no_day_has_no_age),
		cmocka_unit_test(a_name_has_a_plain_form_in_sql_too),
		cmocka_unit_test(what_depends_on_more_than_its_arguments_is_not_allowed_in_a_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
