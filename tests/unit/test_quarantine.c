#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/quarantine.h"
#include "bus/crypto.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char text[] =
    "{\"type\":\"record\",\"name\":\"K\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},"
    "{\"name\":\"baris\",\"type\":\"long\"},{\"name\":\"kolom\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"kelas\",\"type\":\"string\"},{\"name\":\"baris_tersegel\",\"type\":[\"null\",\"bytes\"]}]}";

static struct adapter_refusal refusal(void)
{
	return (struct adapter_refusal){ .feed = "f",
					 .file = "x.csv",
					 .sha256 = SHA,
					 .line = 812,
					 .nth = 1,
					 .class = "rusak",
					 .raw = BUS_STR("a;b") };
}

static struct adapter_shape fitted(const char *schema)
{
	struct adapter_shape shape = { 0 };
	struct schema *s;

	assert_int_equal(schema_parse(bus_str(schema), 0, NULL, 0, &s, NULL), BUS_OK);
	assert_int_equal(adapter_quarantine_fit(&shape, s, 5, NULL), BUS_OK);
	schema_unref(&s);
	return shape;
}

static void the_id_is_file_line_and_which_row_of_the_line(void **state)
{
	struct adapter_refusal r = refusal();
	char id[ADAPTER_REFUSAL_ID];

	(void)state;
	assert_int_equal(adapter_refusal_id(&r, id), 20);
	assert_memory_equal(id, "0123456789abcdef:812", 20);
	r.nth = 3;
	assert_int_equal(adapter_refusal_id(&r, id), 22);
	assert_memory_equal(id, "0123456789abcdef:812:3", 22);
}

static void writes_the_fields_in_the_schemas_order(void **state)
{
	/* By hand, after the Avro specification: string length 20 (0x28), long 812 (0xd8 0x0c), union
	 * branches. */
	static const char want[] = "\x28"
				   "0123456789abcdef:812"
				   "\xd8\x0c"
				   "\x00"
				   "\x0a"
				   "rusak"
				   "\x00";
	struct adapter_shape shape = fitted(text);
	struct adapter_refusal r = refusal();
	struct bus_buf out = { 0 };

	(void)state;
	assert_int_equal(adapter_refusal_encode(&r, &shape, NULL, &out, NULL), BUS_OK);
	assert_int_equal(out.n, sizeof(want) - 1);
	assert_memory_equal(out.p, want, out.n);
	bus_buf_release(&out);
	adapter_shape_release(&shape);
}

static void seals_the_row_for_the_department_under_its_id(void **state)
{
	struct adapter_shape shape = fitted("{\"type\":\"record\",\"name\":\"K\",\"fields\":[{\"name\":"
					    "\"baris_tersegel\",\"type\":[\"bytes\",\"null\"]}]}");
	struct adapter_refusal r = refusal();
	struct bus_buf out = { 0 }, plain = { 0 };
	uint8_t key[BUS_KEY_LEN] = { 1, 2, 3 };
	struct bus_str sealed;

	(void)state;
	assert_int_equal(adapter_refusal_encode(&r, &shape, key, &out, NULL), BUS_OK);
	assert_int_equal(out.p[0], 0);			   /* branch 0: bytes */
	assert_int_equal(out.p[1], 2 * (1 + 12 + 3 + 16)); /* version, nonce, row, tag */
	sealed = (struct bus_str){ out.p + 2, out.n - 2 };
	assert_int_equal(bus_open(key, BUS_STR("0123456789abcdef:812"), sealed, &plain, NULL), BUS_OK);
	assert_true(bus_str_is(bus_buf_str(&plain), "a;b"));
	bus_buf_reset(&plain);
	assert_int_not_equal(bus_open(key, BUS_STR("0123456789abcdef:813"), sealed, &plain, NULL), BUS_OK);
	bus_buf_release(&plain);
	bus_buf_release(&out);
	adapter_shape_release(&shape);
}

static void a_schema_with_a_field_it_does_not_know_does_not_fit(void **state)
{
	struct adapter_shape shape = { 0 };
	struct bus_error err;
	struct schema *s;

	(void)state;
	assert_int_equal(
	    schema_parse(BUS_STR("{\"type\":\"record\",\"name\":\"K\",\"fields\":[{\"name\":\"baru\","
				 "\"type\":\"string\"}]}"),
			 0, NULL, 0, &s, NULL),
	    BUS_OK);
	assert_int_equal(adapter_quarantine_fit(&shape, s, 5, &err), BUS_ESCHEMA);
	assert_non_null(strstr(err.text, "baru"));
	schema_unref(&s);
}

static void knows_which_rows_are_in_the_log(void **state)
{
	struct adapter_quarantine *q;
	bool fresh;

	(void)state;
	assert_int_equal(adapter_quarantine_new("/tmp", &q, NULL), BUS_OK);
	assert_int_equal(adapter_quarantine_put(q, BUS_STR("a:1"), &fresh, NULL), BUS_OK);
	assert_true(fresh);
	assert_int_equal(adapter_quarantine_put(q, BUS_STR("a:1"), &fresh, NULL), BUS_OK);
	assert_false(fresh);
	adapter_quarantine_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_id_is_file_line_and_which_row_of_the_line),
		cmocka_unit_test(writes_the_fields_in_the_schemas_order),
		cmocka_unit_test(seals_the_row_for_the_department_under_its_id),
		cmocka_unit_test(a_schema_with_a_field_it_does_not_know_does_not_fit),
		cmocka_unit_test(knows_which_rows_are_in_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
