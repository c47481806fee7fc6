#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/serve/format.h"

static const struct gw_column columns[] = {
	{ .name = "id", .type = GW_TEXT, .pdp = 'P' },
	{ .name = "nama", .type = GW_TEXT, .pdp = 'U' },
	{ .name = "tunggakan", .type = GW_INT, .pdp = 'S' },
	{ .name = "nilai", .type = GW_REAL, .pdp = 'N' },
	{ .name = "lengkap", .type = GW_BOOL, .pdp = 'S' },
	{ .name = "rincian", .type = GW_JSON, .pdp = 'S' },
};
static const struct gw_view view = { .name = "v", .column = columns, .n_columns = 6 };
static const struct gw_grant everything = { .allowed = true, .shown = UINT64_MAX, .clear = UINT64_MAX };
static const struct gw_grant nobody = { .allowed = true, .shown = UINT64_MAX, .clear = 1 | 8 }; /* id and nilai in clear */

#define TEXT(t)                                                                                              \
	{                                                                                                    \
		.type = GW_TEXT, .s = {(t), sizeof(t) - 1 }                                                  \
	}

static const struct gw_value row[] = {
	TEXT("a1"),
	TEXT("Budi"),
	{ .type = GW_INT, .i = -7 },
	{ .type = GW_REAL, .r = 1.5 },
	{ .type = GW_BOOL, .i = 1 },
	{ .type = GW_JSON, .s = { "[1,{}]", 6 } },
};
static const struct gw_value nulls[6] = { TEXT("a2") }; /* GW_NULL is 0 */

static struct gw_params params_of(struct gw_grant grant, const char *select, bool excel)
{
	static struct bus_arena *arena;
	struct gw_params p;

	bus_arena_free(&arena);
	arena = bus_arena_new(1 << 16);
	gw_params_begin(&p, &view, grant, arena);
	if (select)
		assert_true(gw_params_add(&p, "select", select));
	p.excel = excel;
	return p;
}

static void assert_json(struct gw_grant grant, const char *select, const struct gw_value *value,
			const char *want)
{
	struct gw_params p = params_of(grant, select, false);
	struct bus_buf b = { 0 };

	gw_format_json(&p, value, &b);
	assert_string_equal(bus_buf_cstr(&b), want);
	bus_buf_release(&b);
}

static void assert_csv(struct gw_grant grant, const char *select, bool excel, const struct gw_value *value,
		       const char *want)
{
	struct gw_params p = params_of(grant, select, excel);
	struct bus_buf b = { 0 };

	gw_format_csv(&p, value, &b);
	assert_string_equal(bus_buf_cstr(&b), want);
	bus_buf_release(&b);
}

static void a_row_is_typed_json_in_the_order_asked(void **state)
{
	(void)state;
	assert_json(everything, NULL, row,
		    "{\"id\":\"a1\",\"nama\":\"Budi\",\"tunggakan\":-7,\"nilai\":1.5,\"lengkap\":true,"
		    "\"rincian\":[1,{}]}");
	assert_json(everything, "nilai,id", row, "{\"nilai\":1.5,\"id\":\"a1\"}");
}

static void what_is_masked_shows_neither_text_nor_number(void **state)
{
	(void)state;
	assert_json(nobody, NULL, row,
		    "{\"id\":\"a1\",\"nama\":\"\u2022\u2022\u2022\",\"tunggakan\":null,\"nilai\":1.5,"
		    "\"lengkap\":null,"
		    "\"rincian\":null}");
	assert_csv(nobody, NULL, false, row, "a1,\u2022\u2022\u2022,,1.5,,\r\n");
}

static void null_is_null_masked_or_not(void **state)
{
	static const char want[] =
	    "{\"id\":\"a2\",\"nama\":null,\"tunggakan\":null,\"nilai\":null,\"lengkap\":null,"
	    "\"rincian\":null}";

	(void)state;
	assert_json(everything, NULL, nulls, want);
	assert_json(nobody, NULL, nulls, want);
	assert_csv(everything, NULL, false, nulls, "a2,,,,,\r\n");
}

static void a_column_is_called_as_asked_and_nulls_may_be_left_out(void **state)
{
	struct gw_params p = params_of(nobody, "kunci:id,nama,\"Rp total\":tunggakan,nilai", false);
	struct bus_buf b = { 0 };

	(void)state;
	gw_format_json(&p, row, &b);
	assert_string_equal(bus_buf_cstr(&b),
			    "{\"kunci\":\"a1\",\"nama\":\"\u2022\u2022\u2022\",\"Rp total\":null,"
			    "\"nilai\":1.5}");
	bus_buf_reset(&b);
	gw_format_csv_head(&p, &b);
	assert_string_equal(bus_buf_cstr(&b), "kunci,nama,Rp total,nilai\r\n");
	bus_buf_reset(&b);
	p.no_nulls = true;
	gw_format_json(&p, row, &b);
	assert_string_equal(bus_buf_cstr(&b),
			    "{\"kunci\":\"a1\",\"nama\":\"\u2022\u2022\u2022\",\"nilai\":1.5}");
	bus_buf_reset(&b);
	gw_format_json(&p, nulls, &b);
	assert_string_equal(bus_buf_cstr(&b), "{\"kunci\":\"a2\"}");
	bus_buf_release(&b);
}

/* RFC 4180: quotes around what has separators, quotes or line ends; quotes doubled. */
static void csv_cells_are_quoted_as_rfc_4180_says(void **state)
{
	static const struct {
		struct gw_value value;
		const char *want;
	} cell[] = {
		{ TEXT("plain"), "plain\r\n" },
		{ TEXT("a,b"), "\"a,b\"\r\n" },
		{ TEXT("a\"b"), "\"a\"\"b\"\r\n" },
		{ TEXT("a\nb"), "\"a\nb\"\r\n" },
		{ TEXT("a\r\nb"), "\"a\r\nb\"\r\n" },
		{ TEXT("a;b"), "\"a;b\"\r\n" }, /* whatever separator the reader takes */
		{ TEXT("a\tb"), "\"a\tb\"\r\n" },
		{ TEXT(""), "\"\"\r\n" }, /* nothing at all is null */
		{ TEXT("a\xffz"), "\"a\uFFFDz\"\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cell); i++)
		assert_csv(everything, "id", false, &cell[i].value, cell[i].want);
}

/* OWASP, CSV injection: = + - @, tab, CR, LF and full-width forms at the start make a formula. */
static void no_cell_becomes_a_formula(void **state)
{
	static const struct {
		struct gw_value value;
		const char *want;
	} cell[] = {
		{ TEXT("=1+1"), "'=1+1\r\n" },
		{ TEXT("+62812"), "'+62812\r\n" },
		{ TEXT("-cmd"), "'-cmd\r\n" },
		{ TEXT("@SUM(A1)"), "'@SUM(A1)\r\n" },
		{ TEXT("\tx"), "\"'\tx\"\r\n" },
		{ TEXT("\nx"), "\"'\nx\"\r\n" },
		{ TEXT("\uFF1Dcmd"), "'\uFF1Dcmd\r\n" },
		{ TEXT("\uFF20x"), "'\uFF20x\r\n" },
		{ TEXT("=\"a\",b"), "\"'=\"\"a\"\",b\"\r\n" },
		{ TEXT("-12"), "-12\r\n" }, /* a negative number is none */
		{ TEXT("-12+cmd|x"), "'-12+cmd|x\r\n" },
		{ TEXT("a=1"), "a=1\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cell); i++)
		assert_csv(everything, "id", false, &cell[i].value, cell[i].want);
}

static void the_header_names_the_columns_and_excel_gets_its_own_kind(void **state)
{
	static const struct gw_value cell = TEXT("a;b");
	struct gw_params plain = params_of(everything, NULL, false), excel;
	struct bus_buf b = { 0 };

	(void)state;
	gw_format_csv_head(&plain, &b);
	assert_string_equal(bus_buf_cstr(&b), "id,nama,tunggakan,nilai,lengkap,rincian\r\n");
	bus_buf_reset(&b);
	excel = params_of(everything, "id,nama", true);
	gw_format_csv_head(&excel, &b);
	assert_string_equal(bus_buf_cstr(&b), "\xef\xbb\xbfid;nama\r\n");
	bus_buf_release(&b);
	assert_csv(everything, "id", true, &cell, "\"a;b\"\r\n");
}

static void accept_chooses_the_form(void **state)
{
	static const struct {
		const char *accept;
		bool good;
		enum gw_form form;
	} wish[] = {
		{ NULL, true, GW_FORM_JSON },
		{ "*/*", true, GW_FORM_JSON },
		{ "application/*", true, GW_FORM_JSON },
		{ "application/json", true, GW_FORM_JSON },
		{ "application/vnd.titian.page+json", true, GW_FORM_PAGE },
		{ "application/x-ndjson", true, GW_FORM_NDJSON },
		{ "text/csv", true, GW_FORM_CSV },
		{ "text/csv, */*;q=0.1", true, GW_FORM_CSV },
		{ "text/html,application/xhtml+xml,*/*;q=0.8", true, GW_FORM_JSON },
		{ "application/xml", false, GW_FORM_JSON },
		/* PostgREST's clients */
		{ "application/vnd.pgrst.object+json", true, GW_FORM_OBJECT },
		{ "application/vnd.pgrst.object+json;nulls=stripped", true, GW_FORM_OBJECT },
		{ "application/vnd.pgrst.array+json;nulls=stripped", true, GW_FORM_JSON },
		{ "application/geo+json", false, GW_FORM_JSON },
		{ "application/vnd.pgrst.plan+text; for=\"application/json\"; options=analyze;", false,
		  GW_FORM_JSON },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(wish); i++) {
		enum gw_form form;
		bool no_nulls;

		assert_int_equal(gw_form_of(wish[i].accept, &form, &no_nulls), wish[i].good);
		assert_int_equal(form, wish[i].form);
		assert_int_equal(no_nulls, wish[i].accept && strstr(wish[i].accept, "stripped"));
	}
	assert_string_equal(gw_form_type(GW_FORM_CSV), "text/csv; charset=utf-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_typed_json_in_the_order_asked),
		cmocka_unit_test(what_is_masked_shows_neither_text_nor_number),
		cmocka_unit_test(null_is_null_masked_or_not),
		cmocka_unit_test(a_column_is_called_as_asked_and_nulls_may_be_left_out),
		cmocka_unit_test(csv_cells_are_quoted_as_rfc_4180_says),
		cmocka_unit_test(no_cell_becomes_a_formula),
		cmocka_unit_test(the_header_names_the_columns_and_excel_gets_its_own_kind),
		cmocka_unit_test(accept_chooses_the_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
