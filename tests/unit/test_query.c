#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/serve/query.h"

static const struct gw_column columns[] = {
	{ .name = "id_subjek", .type = GW_TEXT, .pdp = 'P' },
	{ .name = "nama", .type = GW_TEXT, .pdp = 'U' },
	{ .name = "kode_kel", .type = GW_TEXT, .pdp = 'N' },
	{ .name = "jumlah", .type = GW_INT, .pdp = 'N' },
};
static const struct gw_view view = { .name = "v", .column = columns, .n_columns = 4 };
static const struct gw_view dated = { .name = "d", .column = columns, .n_columns = 4, .dated = true };
static const struct gw_grant everything = { .allowed = true, .shown = UINT64_MAX, .clear = UINT64_MAX };
static const struct gw_grant masked = { .allowed = true, .shown = UINT64_MAX, .clear = 1 | 4 | 8 }; /* nama is */
static const struct gw_grant hidden = { .allowed = true, .shown = 1 | 4, .clear = UINT64_MAX };     /* nama and jumlah are not there */

static struct gw_params p;
static struct bus_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = bus_arena_new(1 << 20);
	gw_params_begin(&p, &view, everything, arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bus_arena_free(&arena);
	return 0;
}

static void without_parameters_it_is_a_hundred_rows_of_all_columns(void **state)
{
	(void)state;
	assert_true(gw_params_end(&p));
	assert_int_equal(p.query.limit, 100);
	assert_int_equal(p.n_columns, 4);
	assert_int_equal(p.query.n_filters, 0);
	assert_null(p.after);
}

static void limit_is_a_number_from_1_to_10000(void **state)
{
	static const char *const bad[] = {
		"0", "-1", "10001", "", "x", "10x", "1e3", "99999999999999999999"
	};

	(void)state;
	assert_true(gw_params_add(&p, "limit", "10000"));
	assert_int_equal(p.query.limit, 10000);
	assert_true(p.has_limit);
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		gw_params_begin(&p, &view, everything, arena);
		assert_false(gw_params_add(&p, "limit", bad[i]));
		assert_string_equal(p.problem, "parameter-invalid");
		assert_false(gw_params_end(&p));
	}
}

static void select_chooses_columns_in_the_order_asked_each_once(void **state)
{
	(void)state;
	assert_true(gw_params_add(&p, "select", "jumlah,id_subjek,jumlah"));
	assert_int_equal(p.n_columns, 2);
	assert_int_equal(p.column[0], 3);
	assert_int_equal(p.column[1], 0);
}

static void every_operator_is_read(void **state)
{
	static const struct {
		const char *text;
		enum gw_operator op;
		const char *value;
	} good[] = {
		{ "eq.1471011003", GW_EQ, "1471011003" },
		{ "neq.a.b", GW_NEQ, "a.b" },
		{ "lt.", GW_LT, "" },
		{ "lte.7", GW_LTE, "7" },
		{ "gt.7", GW_GT, "7" },
		{ "gte.7", GW_GTE, "7" },
		{ "like.AN*", GW_LIKE, "AN*" },
		{ "eq.is.null", GW_EQ, "is.null" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++) {
		const struct gw_filter *f = &p.filter[i];

		assert_true(gw_params_add(&p, "kode_kel", good[i].text));
		assert_int_equal(f->column, 2);
		assert_int_equal(f->op, good[i].op);
		assert_int_equal(f->n, 1);
		assert_string_equal(f->value[0], good[i].value);
	}
	assert_true(gw_params_add(&p, "nama", "is.null"));
	assert_true(gw_params_add(&p, "nama", "not.is.null"));
	assert_int_equal(p.filter[8].op, GW_IS_NULL);
	assert_int_equal(p.filter[9].op, GW_NOT_NULL);
	assert_true(gw_params_add(&p, "kode_kel", "in.(147101,,147102)"));
	assert_int_equal(p.filter[10].op, GW_IN);
	assert_int_equal(p.filter[10].n, 3);
	assert_string_equal(p.filter[10].value[1], "");
	assert_string_equal(p.filter[10].value[2], "147102");
	assert_int_equal(p.query.n_filters, 11);
	assert_true(gw_params_end(&p));
}

static void a_filter_without_a_known_operator_is_refused_with_the_list(void **state)
{
	static const char *const bad[] = {
		"1471", "=1", "EQ.1", "equals.1", "", "in.1,2", "in.(1,2", "is.nul"
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		gw_params_begin(&p, &view, everything, arena);
		assert_false(gw_params_add(&p, "kode_kel", bad[i]));
		assert_string_equal(p.problem, "parameter-invalid");
		assert_true(strlen(p.hint) > 0);
	}
}

static void an_unknown_name_is_refused_with_the_nearest(void **state)
{
	(void)state;
	assert_false(gw_params_add(&p, "kode_kell", "eq.1"));
	assert_string_equal(p.problem, "column-unknown");
	assert_string_equal(p.hint, "kode_kel");
	gw_params_begin(&p, &view, everything, arena);
	assert_false(gw_params_add(&p, "select", "id_subjek,jumlh"));
	assert_string_equal(p.hint, "jumlah");
}

static void a_column_that_is_not_shown_does_not_exist(void **state)
{
	(void)state;
	gw_params_begin(&p, &view, hidden, arena);
	assert_int_equal(p.n_columns, 2);
	assert_false(gw_params_add(&p, "nama", "eq.A"));
	assert_string_equal(p.problem, "column-unknown");
	assert_string_not_equal(p.hint, "nama"); /* a hint must not tell either */
	gw_params_begin(&p, &view, hidden, arena);
	assert_false(gw_params_add(&p, "select", "jumlah"));
	assert_string_equal(p.problem, "column-unknown");
}

static void a_masked_column_may_be_selected_but_never_filtered_by(void **state)
{
	static const char *const filters[] = { "eq.A", "is.null", "in.(A)", "like.A*" };

	(void)state;
	gw_params_begin(&p, &view, masked, arena);
	assert_true(gw_params_add(&p, "select", "nama"));
	for (size_t i = 0; i < BUS_LEN(filters); i++) {
		gw_params_begin(&p, &view, masked, arena);
		assert_false(gw_params_add(&p, "nama", filters[i]));
		assert_string_equal(p.problem, "column-masked");
		assert_null(strstr(p.detail, filters[i]));
	}
}

static void there_is_an_end_to_filters_and_lists(void **state)
{
	struct bus_buf list = { 0 };

	(void)state;
	for (int i = 0; i < GW_FILTERS_MAX; i++)
		assert_true(gw_params_add(&p, "jumlah", "gt.1"));
	assert_false(gw_params_add(&p, "jumlah", "gt.1"));
	assert_string_equal(p.problem, "parameter-invalid");
	gw_params_begin(&p, &view, everything, arena);
	bus_buf_puts(&list, "in.(1");
	for (int i = 1; i < GW_IN_MAX; i++)
		bus_buf_puts(&list, ",1");
	bus_buf_puts(&list, ")");
	assert_true(gw_params_add(&p, "jumlah", bus_buf_cstr(&list)));
	assert_int_equal(p.filter[0].n, GW_IN_MAX);
	list.n--;
	bus_buf_puts(&list, ",1)");
	assert_false(gw_params_add(&p, "jumlah", bus_buf_cstr(&list)));
	bus_buf_release(&list);
}

static void a_question_larger_than_its_memory_is_refused(void **state)
{
	struct bus_arena *small = bus_arena_new(64);

	(void)state;
	gw_params_begin(&p, &view, everything, small);
	assert_false(gw_params_add(&p, "kode_kel", "in.(1,2)"));
	assert_string_equal(p.problem, "parameter-invalid");
	bus_arena_free(&small);
}

static void a_day_is_one_that_exists(void **state)
{
	static const char *const good[] = { "2025-12-31", "2024-02-29", "1945-08-17" };
	static const char *const bad[] = { "2025-02-29", "2025-13-01", "2025-00-10", "2025-1-01",
					   "31-12-2025", "",	       "today",	     "2025-12-31T00:00",
					   "2025/12/31", "-025-01-01" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++)
		assert_true(gw_date_ok(good[i]));
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_false(gw_date_ok(bad[i]));
	assert_false(gw_params_add(&p, "per_tanggal", "2025-02-30"));
	assert_string_equal(p.problem, "parameter-invalid");
}

static void a_dated_view_needs_its_day(void **state)
{
	(void)state;
	gw_params_begin(&p, &dated, everything, arena);
	assert_false(gw_params_end(&p));
	assert_string_equal(p.problem, "date-missing");
	gw_params_begin(&p, &dated, everything, arena);
	assert_true(gw_params_add(&p, "per_tanggal", "2025-12-31"));
	assert_true(gw_params_end(&p));
	assert_string_equal(p.query.date, "2025-12-31");
	/* and one that needs none takes it, so that one program can ask all views alike */
	gw_params_begin(&p, &view, everything, arena);
	assert_true(gw_params_add(&p, "per_tanggal", "2025-12-31"));
	assert_true(gw_params_end(&p));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_parameters_it_is_a_hundred_rows_of_all_columns),
		T(limit_is_a_number_from_1_to_10000),
		T(select_chooses_columns_in_the_order_asked_each_once),
		T(every_operator_is_read),
		T(a_filter_without_a_known_operator_is_refused_with_the_list),
		T(an_unknown_name_is_refused_with_the_nearest),
		T(a_column_that_is_not_shown_does_not_exist),
		T(a_masked_column_may_be_selected_but_never_filtered_by),
		T(there_is_an_end_to_filters_and_lists),
		T(a_question_larger_than_its_memory_is_refused),
		T(a_day_is_one_that_exists),
		T(a_dated_view_needs_its_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
