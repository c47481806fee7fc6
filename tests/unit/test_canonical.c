#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "gateway/national/canonical.h"

/* RFC 8785, appendix B: bits of a double, and how ECMAScript writes it. */
static void numbers_are_written_as_the_rfc_writes_them(void **state)
{
	static const struct {
		uint64_t bits;
		const char *text;
	} number[] = {
		{ 0x0000000000000000, "0" },
		{ 0x8000000000000000, "0" },
		{ 0x0000000000000001, "5e-324" },
		{ 0x8000000000000001, "-5e-324" },
		{ 0x7fefffffffffffff, "1.7976931348623157e+308" },
		{ 0xffefffffffffffff, "-1.7976931348623157e+308" },
		{ 0x4340000000000000, "9007199254740992" },
		{ 0xc340000000000000, "-9007199254740992" },
		{ 0x4430000000000000, "295147905179352830000" },
		{ 0x44b52d02c7e14af5, "9.999999999999997e+22" },
		{ 0x44b52d02c7e14af6, "1e+23" },
		{ 0x44b52d02c7e14af7, "1.0000000000000001e+23" },
		{ 0x444b1ae4d6e2ef4e, "999999999999999700000" },
		{ 0x444b1ae4d6e2ef4f, "999999999999999900000" },
		{ 0x444b1ae4d6e2ef50, "1e+21" },
		{ 0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7" },
		{ 0x3eb0c6f7a0b5ed8d, "0.000001" },
		{ 0x41b3de4355555553, "333333333.3333332" },
		{ 0x41b3de4355555554, "333333333.33333325" },
		{ 0x41b3de4355555555, "333333333.3333333" },
		{ 0x41b3de4355555556, "333333333.3333334" },
		{ 0x41b3de4355555557, "333333333.33333343" },
		{ 0xbecbf647612f3696, "-0.0000033333333333333333" },
		{ 0x43143ff3c1cb0959, "1424953923781206.2" },
	};
	struct bus_buf out = { 0 };
	double v;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(number); i++) {
		memcpy(&v, &number[i].bits, sizeof(v));
		bus_buf_reset(&out);
		gw_canonical_number(v, &out);
		assert_string_equal(bus_buf_cstr(&out), number[i].text);
	}
	bus_buf_release(&out);
}

/* By RFC 8785, 3.2.2.2 and 3.2.3: names in order, few escapes; masked as in pages. */
static void a_row_has_one_spelling(void **state)
{
	static const struct gw_column column[] = {
		{ .name = "nama", .type = GW_TEXT },  { .name = "id", .type = GW_TEXT },
		{ .name = "nilai", .type = GW_REAL }, { .name = "jumlah", .type = GW_INT },
		{ .name = "aktif", .type = GW_BOOL }, { .name = "rahasia", .type = GW_TEXT },
		{ .name = "gaji", .type = GW_INT },   { .name = "tak_tampak", .type = GW_INT },
	};
	static const struct gw_view view = {
		.name = "v", .column = column, .n_columns = BUS_LEN(column), .key = 1
	};
	const struct gw_grant grant = { .allowed = true, .shown = 0x7f, .clear = 0x1f };
	const struct gw_value value[] = {
		{ .type = GW_TEXT, .s = BUS_STR("\"\xe2\x82\xac\\\n\x0f</\xc3\xb6") },
		{ .type = GW_TEXT, .s = BUS_STR("a") },
		{ .type = GW_REAL, .r = 4.50 },
		{ .type = GW_INT, .i = INT64_MIN },
		{ .type = GW_BOOL, .i = 1 },
		{ .type = GW_TEXT, .s = BUS_STR("x") },
		{ .type = GW_INT, .i = 7 },
		{ .type = GW_INT, .i = 8 },
	};
	struct gw_canonical c;
	struct bus_buf out = { 0 };

	(void)state;
	gw_canonical_begin(&c, &view, grant);
	assert_true(c.possible);
	gw_canonical_row(&c, value, &out);
	assert_string_equal(bus_buf_cstr(&out),
			    "{\"aktif\":true,\"gaji\":null,\"id\":\"a\",\"jumlah\":-9223372036854775808,"
			    "\"nama\":\"\\\"\xe2\x82\xac\\\\\\n\\u000f</\xc3\xb6\",\"nilai\":4.5,"
			    "\"rahasia\":\"\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\"}");
	bus_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_as_the_rfc_writes_them),
		cmocka_unit_test(a_row_has_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
