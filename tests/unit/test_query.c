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

static void limit_is_a_number_up_to_10000(void **state)
{
	static const char *const bad[] = { "-1", "", "x", "10x", "1e3" };
	static const char *const large[] = { "10001", "99999999999999999999" };

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
	for (size_t i = 0; i < BUS_LEN(large); i++) {
		gw_params_begin(&p, &view, everything, arena);
		assert_false(gw_params_add(&p, "limit", large[i]));
		assert_string_equal(p.problem, "range-too-large");
		gw_params_begin(&p, &view, everything, arena);
		assert_false(gw_params_add(&p, "offset", large[i]));
		assert_string_equal(p.problem, "range-too-large");
	}
	gw_params_begin(&p, &view, everything, arena);
	assert_true(gw_params_add(&p, "limit", "0"));
	assert_true(gw_params_add(&p, "offset", "10000"));
	assert_int_equal(p.query.offset, 10000);
	assert_true(gw_params_add(&p, "after", "x"));
	assert_false(gw_params_end(&p)); /* two places to begin at */
}

static void select_chooses_columns_in_the_order_asked_each_once(void **state)
{
	(void)state;
	assert_true(gw_params_add(&p, "select", "jumlah,id_subjek,jumlah"));
	assert_int_equal(p.n_columns, 2);
	assert_int_equal(p.column[0], 3);
	assert_int_equal(p.column[1], 0);
	gw_params_begin(&p, &view, everything, arena);
	assert_true(gw_params_add(&p, "select", "n:jumlah,m:jumlah,\"kode_kel\",*"));
	assert_int_equal(p.n_columns, 7);
	assert_string_equal(p.name[0], "n");
	assert_string_equal(p.name[1], "m");
	assert_string_equal(p.name[2], "kode_kel");
	assert_string_equal(p.name[3], "id_subjek");
}

static void what_select_cannot_do_is_said(void **state)
{
	static const struct {
		const char *select, *problem;
	} bad[] = {
		{ "keluarga(no_kk)", "not-offered" },
		{ "count()", "not-offered" },
		{ "jumlah::text", "not-offered" },
		{ "jumlah->a", "not-offered" },
		{ "", "column-unknown" },
		{ "nama,,kode_kel", "column-unknown" },
		{ ":nama", "parameter-invalid" },
		{ "a:nama,a:jumlah", "parameter-invalid" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		gw_params_begin(&p, &view, everything, arena);
		assert_false(gw_params_add(&p, "select", bad[i].select));
		assert_string_equal(p.problem, bad[i].problem);
	}
}

static void order_is_postgrest_s_with_its_places_for_null(void **state)
{
	static const struct {
		const char *order;
		int column;
		bool descending, nulls_first;
	} good[] = {
		{ "nama", 1, false, false },	       { "nama.asc", 1, false, false },
		{ "nama.desc", 1, true, true },	       { "nama.desc.nullslast", 1, true, false },
		{ "nama.nullsfirst", 1, false, true }, { "\"nama\".asc.nullsfirst", 1, false, true },
	};
	static const char *const bad[] = { "nama.up", "nama.asc.desc", "nama.nullslast.asc", "nama.",
					   "nama.ascx" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++) {
		gw_params_begin(&p, &view, everything, arena);
		assert_true(gw_params_add(&p, "order", good[i].order));
		assert_int_equal(p.query.n_order, 1);
		assert_int_equal(p.order[0].column, good[i].column);
		assert_int_equal(p.order[0].descending, good[i].descending);
		assert_int_equal(p.order[0].nulls_first, good[i].nulls_first);
	}
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		gw_params_begin(&p, &view, everything, arena);
		assert_false(gw_params_add(&p, "order", bad[i]));
		assert_string_equal(p.problem, "parameter-invalid");
	}
	gw_params_begin(&p, &view, everything, arena);
	assert_false(gw_params_add(&p, "order", ""));
	assert_string_equal(p.problem, "column-unknown");
	/* behind the key nothing is left to decide; by the key is how it is anyhow */
	gw_params_begin(&p, &view, everything, arena);
	assert_true(gw_params_add(&p, "order", "jumlah.desc,id_subjek,nama"));
	assert_int_equal(p.query.n_order, 1);
	gw_params_begin(&p, &view, everything, arena);
	assert_true(gw_params_add(&p, "order", "id_subjek.desc,nama,jumlah"));
	assert_int_equal(p.query.n_order, 1);
	assert_int_equal(p.order[0].column, 0);
	gw_params_begin(&p, &view, masked, arena);
	assert_false(gw_params_add(&p, "order", "nama"));
	assert_string_equal(p.problem, "column-masked");
}

/* Of PostgREST's documentation, "Logical operators" and "Reserved characters". */
static void filters_may_be_trees(void **state)
{
	const struct gw_filter *f = &p.filter[0];

	(void)state;
	assert_true(gw_params_add(&p, "or", "(jumlah.lt.18,jumlah.gt.21)"));
	assert_int_equal(f->op, GW_OR);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->part[1].op, GW_GT);
	assert_string_equal(f->part[1].value[0], "21");
	assert_true(gw_params_add(&p, "not.and", "(jumlah.gte.11,jumlah.lte.17)"));
	assert_true(p.filter[1].negated);
	assert_int_equal(p.filter[1].op, GW_AND);
	assert_true(gw_params_add(
	    &p, "and", "(jumlah.gte.14,or(jumlah.not.eq.15,not.and(nama.is.null,kode_kel.in.(1,\"2,)\"))))"));
	f = &p.filter[2].part[1];
	assert_int_equal(f->op, GW_OR);
	assert_true(f->part[0].negated);
	assert_int_equal(f->part[0].op, GW_EQ);
	f = &f->part[1];
	assert_true(f->negated);
	assert_int_equal(f->part[0].op, GW_IS_NULL);
	assert_int_equal(f->part[1].op, GW_IN);
	assert_int_equal(f->part[1].n, 2);
	assert_string_equal(f->part[1].value[1], "2,)");
	/* quotes: in trees and lists they are taken off, alone they are part of the value */
	assert_true(gw_params_add(&p, "or", "(nama.eq.\"Hebdon,\\\"John\\\"\",\"kode_kel\".like.*a*)"));
	assert_string_equal(p.filter[3].part[0].value[0], "Hebdon,\"John\"");
	assert_int_equal(p.filter[3].part[1].column, 2);
	assert_true(gw_params_add(&p, "nama", "eq.\"a,b\""));
	assert_string_equal(p.filter[4].value[0], "\"a,b\"");
	assert_true(gw_params_add(&p, "nama", "not.in.(\"a,b\",c d)"));
	assert_true(p.filter[5].negated);
	assert_string_equal(p.filter[5].value[0], "a,b");
	assert_string_equal(p.filter[5].value[1], "c d");
	assert_true(gw_params_add(&p, "nama", "in.()"));
	assert_int_equal(p.filter[6].n, 0);
	assert_true(gw_params_end(&p));
}

static void a_broken_tree_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "jumlah.eq.1",
					   "(jumlah.eq.1",
					   "(jumlah.eq.1)x",
					   "(jumlah.eq.1,)",
					   "()",
					   "(and)",
					   "(and(jumlah.eq.1)",
					   "(jumlah)",
					   "(jumlah.)",
					   "(nama.eq.\"a)",
					   "(jumlah.in.(1,2)",
					   "(or(or(or(or(or(or(or(or(or(jumlah.eq.1))))))))))" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		gw_params_begin(&p, &view, everything, arena);
		if (gw_params_add(&p, "or", bad[i]))
			fail_msg("'%s' was taken", bad[i]);
	}
	gw_params_begin(&p, &view, masked, arena);
	assert_false(gw_params_add(&p, "or", "(jumlah.eq.1,and(nama.eq.A))"));
	assert_string_equal(p.problem, "column-masked");
	gw_params_begin(&p, &view, hidden, arena);
	assert_false(gw_params_add(&p, "or", "(kode_kel.eq.1,nama.eq.A)"));
	assert_string_equal(p.problem, "column-unknown");
}

static void what_postgrest_has_and_we_do_not_is_said_and_a_slip_is_put_right(void **state)
{
	static const char *const others[] = { "fts.a",	      "plfts(english).a", "cs.{a}",
					      "cd.{a}",	      "ov.(1,2)",	  "match.^a",
					      "isdistinct.a", "like(any).{a,b}" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(others); i++) {
		gw_params_begin(&p, &view, everything, arena);
		assert_false(gw_params_add(&p, "nama", others[i]));
		assert_string_equal(p.problem, "not-offered");
	}
	gw_params_begin(&p, &view, everything, arena);
	assert_false(gw_params_add(&p, "nama", "ilik.a*"));
	assert_string_equal(p.problem, "operator-unknown");
	assert_string_equal(p.hint, "nama=ilike.VALUE");
	gw_params_begin(&p, &view, everything, arena);
	assert_false(gw_params_add(&p, "nama", "lke.a*"));
	assert_string_equal(p.hint, "nama=like.VALUE");
	assert_string_equal(p.detail, "'nama': 'lke' is no operator");
	gw_params_begin(&p, &view, everything, arena);
	assert_false(gw_params_add(&p, "nama", "Siti.Rahma")); /* a value, it seems */
	assert_null(strstr(p.detail, "Siti"));
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
		{ "ilike.a%", GW_ILIKE, "a%" },
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
	assert_int_equal(p.filter[9].op, GW_IS_NULL);
	assert_false(p.filter[9].negated);
	assert_int_equal(p.filter[10].op, GW_IS_NULL);
	assert_true(p.filter[10].negated);
	assert_true(gw_params_add(&p, "kode_kel", "in.(147101,,147102)"));
	assert_int_equal(p.filter[11].op, GW_IN);
	assert_int_equal(p.filter[11].n, 3);
	assert_string_equal(p.filter[11].value[1], "");
	assert_string_equal(p.filter[11].value[2], "147102");
	assert_true(gw_params_add(&p, "jumlah", "is.not_null"));
	assert_true(gw_params_add(&p, "jumlah", "is.TRUE"));
	assert_int_equal(p.filter[12].op, GW_NOT_NULL);
	assert_int_equal(p.filter[13].op, GW_IS_TRUE);
	assert_int_equal(p.query.n_filters, 14);
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
		assert_true(strcmp(p.problem, "operator-unknown") == 0 ||
			    strcmp(p.problem, "parameter-invalid") == 0);
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
	assert_string_equal(p.hint, "id_subjek kode_kel"); /* a hint must not tell either */
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
	/* in all, wherever they stand */
	gw_params_begin(&p, &view, everything, arena);
	bus_buf_reset(&list);
	bus_buf_puts(&list, "(jumlah.eq.1");
	for (int i = 1; i < GW_FILTER_PARTS_MAX / 2; i++)
		bus_buf_puts(&list, ",jumlah.eq.1");
	bus_buf_puts(&list, ")");
	assert_true(gw_params_add(&p, "or", bus_buf_cstr(&list)));
	assert_true(gw_params_add(&p, "or", bus_buf_cstr(&list)));
	assert_false(gw_params_add(&p, "or", "(jumlah.eq.1)"));
	/* a pattern: its length and its wildcards */
	gw_params_begin(&p, &view, everything, arena);
	assert_true(gw_params_add(&p, "nama", "like.*a*a*a*a*a*a*a*"));
	assert_false(gw_params_add(&p, "nama", "ilike.*a*a*a*a*a*a*a*a*"));
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
		T(limit_is_a_number_up_to_10000),
		T(select_chooses_columns_in_the_order_asked_each_once),
		T(what_select_cannot_do_is_said),
		T(order_is_postgrest_s_with_its_places_for_null),
		T(filters_may_be_trees),
		T(a_broken_tree_is_refused),
		T(what_postgrest_has_and_we_do_not_is_said_and_a_slip_is_put_right),
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
