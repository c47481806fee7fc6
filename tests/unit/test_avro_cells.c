/* Cells: what a plan leaves out, what bounds them, rows of columns and CSV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schemas/avro/cells.h"
#include "schemas/avro/columns.h"
#include "tests/support/schemas.h"

/* Left out: nulls, fixed sizes, numbers, text, options both ways round, unions, blocks with and without a
 * size, a map, a record that holds itself. */
static void passes_over_what_nobody_wants(void **state)
{
	struct schema *w = schema_of_quoted(
	    "{'type':'record','name':'R','fields':["
	    "{'name':'n','type':'null'},{'name':'d','type':'double'},{'name':'b','type':'boolean'},"
	    "{'name':'i','type':'int'},{'name':'l','type':'long'},{'name':'s','type':'string'},"
	    "{'name':'t','type':'bytes'},{'name':'o','type':['null','string']},{'name':'p','type':['int','"
	    "null']},"
	    "{'name':'u','type':['int','string','null']},{'name':'a','type':{'type':'array','items':'string'}"
	    "},"
	    "{'name':'f','type':{'type':'array','items':'float'}},{'name':'m','type':{'type':'map','values':'"
	    "int'}},"
	    "{'name':'r','type':['null','R']},{'name':'last','type':'int'}]}");
	struct schema *r =
	    schema_of_quoted("{'type':'record','name':'R','fields':[{'name':'last','type':'long'}]}");
	const struct bus_str datum = BUS_STR("12345678\0"	  /* d b */
					     "\xfe\x01\x80\x80\4" /* i l */
					     "\6abc\4xy"	  /* s t */
					     "\0"		  /* o: null */
					     "\0\10"		  /* p: 4 */
					     "\2\2u"		  /* u: "u" */
					     "\2\2a\1\4\2b\0" /* a: a block of one, a block with its size */
					     "\4"
					     "12345678"
					     "\0"	 /* f */
					     "\2\2k\2\0" /* m */
					     "\2"
					     "12345678\1\2\4\0\0\0\2\4\0\0\0\0\16" /* r */
					     "\16");
	struct schema_reader *reader = schema_reader_new(NULL);
	struct schema_plan *plan = NULL;
	const struct schema_cell *root;
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(schema_plan(w, r, &plan, &err), BUS_OK);
	for (size_t n = 0; n < datum.n; n++)
		assert_int_not_equal(
		    schema_read_cells(reader, plan, (struct bus_str){ datum.p, n }, &root, NULL), BUS_OK);
	assert_int_equal(schema_read_cells(reader, plan, datum, &root, &err), BUS_OK);
	assert_int_equal(root->n, 1);
	assert_int_equal(root[root->at].i, 7);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	schema_unref(&w);
	schema_unref(&r);
}

/* Fifty defaults for each byte of input: a cell each. */
static void bounds_cells_by_the_datum(void **state)
{
	struct schema *w = schema_of_quoted(
	    "{'type':'array','items':{'type':'record','name':'R','fields':[{'name':'i','type':'int'}]}}");
	struct bus_buf text = { 0 };
	struct bus_buf datum = { 0 };
	struct schema *r;
	struct schema_reader *reader = schema_reader_new(&(struct schema_limits){ .items = 10000 });
	struct schema_plan *plan = NULL;
	const struct schema_cell *root;

	(void)state;
	bus_buf_puts(&text, "{'type':'array','items':{'type':'record','name':'R','fields':["
			    "{'name':'i','type':'int'}");
	for (int i = 0; i < 50; i++)
		bus_buf_printf(&text, ",{'name':'d%d','type':'int','default':%d}", i, i);
	bus_buf_puts(&text, "]}}");
	r = schema_of_quoted(bus_buf_cstr(&text));
	assert_int_equal(schema_plan(w, r, &plan, NULL), BUS_OK);

	bus_buf_puts(&datum, "\xc8\x01"); /* 100 */
	for (int i = 0; i < 100; i++)
		bus_buf_putc(&datum, 2);
	bus_buf_putc(&datum, 0);
	assert_int_equal(schema_read_cells(reader, plan, bus_buf_str(&datum), &root, NULL), BUS_OK);
	assert_int_equal(root->n, 100);
	assert_int_equal(root[root[root->at + 99].at + 50].i, 49);

	bus_buf_reset(&datum);
	bus_buf_puts(&datum, "\xd0\x0f"); /* 1,000 items, 51,000 cells */
	for (int i = 0; i < 1000; i++)
		bus_buf_putc(&datum, 2);
	bus_buf_putc(&datum, 0);
	assert_int_equal(schema_read_cells(reader, plan, bus_buf_str(&datum), &root, NULL), BUS_ETOOBIG);

	schema_plan_free(&plan);
	schema_reader_free(&reader);
	bus_buf_release(&text);
	bus_buf_release(&datum);
	schema_unref(&w);
	schema_unref(&r);
}

/* Keys that the hash table must compare, and one of them again: the last value stands in the first's place.
 */
static void keeps_the_last_of_a_key(void **state)
{
	struct schema *s = schema_of_quoted("{'type':'map','values':'int'}");
	struct schema_reader *reader = schema_reader_new(NULL);
	struct schema_plan *plan = NULL;
	const struct schema_cell *root;
	struct bus_buf datum = { 0 };

	(void)state;
	assert_int_equal(schema_plan(s, NULL, &plan, NULL), BUS_OK);
	bus_buf_puts(&datum, "\xc8\x01"); /* 100 entries, then a block of one */
	for (int i = 0; i < 100; i++)
		bus_buf_printf(&datum, "\6%03d%c", i, 2 + 2 * (i % 50));
	bus_buf_puts(&datum, "\2\6"
			     "042\6");
	bus_buf_putc(&datum, 0);
	assert_int_equal(schema_read_cells(reader, plan, bus_buf_str(&datum), &root, NULL), BUS_OK);
	assert_int_equal(root->n, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(root[root->at + 2 * i + 1].i, i == 42 ? 3 : 1 + i % 50);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	bus_buf_release(&datum);
	schema_unref(&s);
}

static void makes_rows_of_records(void **state)
{
	struct schema *s = schema_of_quoted(
	    "{'type':'record','name':'R','fields':["
	    "{'name':'nama','type':'string'},{'name':'lahir','type':['null',{'type':'int','logicalType':'"
	    "date'}]},"
	    "{'name':'jam','type':{'type':'int','logicalType':'time-millis'}},{'name':'benar','type':'"
	    "boolean'},"
	    "{'name':'nilai','type':'double'},{'name':'raw','type':'bytes'},"
	    "{'name':'harga','type':{'type':'bytes','logicalType':'decimal','precision':6,'scale':2}},"
	    "{'name':'tanda','type':{'type':'array','items':'string'}},"
	    "{'name':'jenis','type':{'type':'enum','name':'E','symbols':['A','B']}}]}");
	static const char wanted[] = "nama,lahir,jam,benar,nilai,raw,harga,tanda,jenis\r\n"
				     "\"Siti, \"\"S\"\"\",2025-01-10,-1,true,-0.5,AP8=,12.30,"
				     "\"[\"\"x\"\",\"\"y\"\"]\",B\r\n";
	struct schema_columns *columns = schema_columns_new(NULL);
	const struct schema_column *c;
	struct schema_plan *plan = NULL;
	struct bus_buf out = { 0 };

	(void)state;
	assert_int_equal(schema_plan(s, NULL, &plan, NULL), BUS_OK);
	assert_int_equal(schema_columns_read(columns, plan,
					     BUS_STR("\22Siti, \"S\"\2\x84\xba\2\1\1\0\0\0\0\0\0\xe0\xbf"
						     "\4\0\xff\4\4\xce\4\2x\2y\0\2"),
					     &c, NULL),
			 BUS_OK);
	assert_int_equal(c[1].kind, SCHEMA_COLUMN_TEXT);
	assert_int_equal(c[2].kind, SCHEMA_COLUMN_INTEGER); /* a time before midnight has no text */
	assert_int_equal(c[3].kind, SCHEMA_COLUMN_BOOLEAN);
	assert_int_equal(c[4].kind, SCHEMA_COLUMN_REAL);
	assert_int_equal(c[5].kind, SCHEMA_COLUMN_BLOB);
	schema_csv_head(schema_root(s), ',', &out);
	schema_csv_row(c, schema_root(s)->n, ',', &out);
	assert_string_equal(bus_buf_cstr(&out), wanted);
	schema_plan_free(&plan);
	schema_columns_free(&columns);
	bus_buf_release(&out);
	schema_unref(&s);
}

static void has_columns_of_records_only(void **state)
{
	struct schema *s = schema_of_quoted("'int'");
	struct schema_columns *columns = schema_columns_new(NULL);
	const struct schema_column *c;
	struct schema_plan *plan = NULL;

	(void)state;
	assert_int_equal(schema_plan(s, NULL, &plan, NULL), BUS_OK);
	assert_int_equal(schema_columns_read(columns, plan, BUS_STR("\2"), &c, NULL), BUS_EINVAL);
	schema_plan_free(&plan);
	schema_columns_free(&columns);
	schema_unref(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_over_what_nobody_wants), cmocka_unit_test(bounds_cells_by_the_datum),
		cmocka_unit_test(keeps_the_last_of_a_key),	 cmocka_unit_test(makes_rows_of_records),
		cmocka_unit_test(has_columns_of_records_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
