/* What the vectors do not cover: limits, sinks that stop, the order of events, sharing. */
#include "tests/support/schemas.h"

#include <pthread.h>

#include "schemas/avro/read.h"
#include "schemas/avro/write.h"

static enum bus_err read_with(const struct schema_limits *limits, struct schema *w, struct schema *r,
			      struct bus_str datum, const struct schema_sink *sink, struct bus_error *err)
{
	struct schema_reader *reader = schema_reader_new(limits);
	struct schema_plan *plan = NULL;
	enum bus_err rc;

	assert_int_equal(schema_plan(w, r, &plan, err), BUS_OK);
	rc = schema_read(reader, plan, datum, sink, err);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	return rc;
}

static enum bus_err read_nothing(const struct schema_limits *limits, const char *schema, struct bus_str datum)
{
	static const struct schema_sink nobody;
	struct schema *s = schema_of_quoted(schema);
	struct bus_error err = { 0 };
	enum bus_err rc = read_with(limits, s, NULL, datum, &nobody, &err);

	if (rc != BUS_OK)
		assert_int_not_equal(err.text[0], '\0');
	schema_unref(&s);
	return rc;
}

static void bounds_depth_items_and_bytes(void **state)
{
	const char *list = "{'type':'record','name':'L','fields':[{'name':'next','type':['null','L']}]}";
	const struct schema_limits few = { .depth = 3, .items = 4, .bytes = 5 };

	(void)state;
	assert_int_equal(read_nothing(&few, list, BUS_STR("\2\2\0")), BUS_OK);
	assert_int_equal(read_nothing(&few, list, BUS_STR("\2\2\2\0")), BUS_ETOOBIG);
	assert_int_equal(read_nothing(&few, "{'type':'array','items':'int'}", BUS_STR("\x8\0\0\0\0\0")),
			 BUS_OK);
	assert_int_equal(read_nothing(&few, "{'type':'array','items':'int'}", BUS_STR("\4\0\0\6\0\0\0\0")),
			 BUS_ETOOBIG);
	assert_int_equal(read_nothing(&few, "'bytes'", BUS_STR("\xa\0\0\0\0\0")), BUS_OK);
	assert_int_equal(read_nothing(&few, "'bytes'", BUS_STR("\xc\0\0\0\0\0\0")), BUS_ETOOBIG);
	assert_int_equal(read_nothing(&few, "'string'",
				      BUS_STR("\xc"
					      "abcdef")),
			 BUS_ETOOBIG);
}

/* No byte of input, and 2^40 records: each level holds the one below it twice. */
static void bounds_records_that_take_no_bytes(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_puts(&b, "{'type':'record','name':'R40','fields':[{'name':'a','type':");
	for (int i = 39; i >= 0; i--)
		bus_buf_printf(&b, "{'type':'record','name':'R%d','fields':[%s", i,
			       i > 0 ? "{'name':'a','type':" : "]}");
	for (int i = 0; i < 40; i++)
		bus_buf_printf(&b, "},{'name':'b','type':'R%d'}]}", i);
	assert_int_equal(read_nothing(NULL, bus_buf_cstr(&b), (struct bus_str){ "", 0 }), BUS_ETOOBIG);
	bus_buf_release(&b);
	assert_int_equal(read_nothing(NULL, "{'type':'record','name':'R','fields':[{'name':'x','type':'R'}]}",
				      (struct bus_str){ NULL, 0 }),
			 BUS_ETOOBIG);
}

static enum bus_err log_field(void *ctx, const struct schema_node *node, size_t index)
{
	bus_buf_printf(ctx, " %s=", node->field[index].name);
	return BUS_OK;
}

static enum bus_err log_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	bus_buf_printf(ctx, "%s:%lld", schema_type_name(node->type), (long long)v);
	return BUS_OK;
}

static enum bus_err log_real(void *ctx, const struct schema_node *node, double v)
{
	bus_buf_printf(ctx, "%s:%g", schema_type_name(node->type), v);
	return BUS_OK;
}

static enum bus_err log_text(void *ctx, const struct schema_node *node, struct bus_str v)
{
	bus_buf_printf(ctx, "%s:%.*s", schema_type_name(node->type), (int)v.n, v.p);
	return BUS_OK;
}

static enum bus_err log_branch(void *ctx, const struct schema_node *node, int32_t index)
{
	bus_buf_printf(ctx, "%s#%d/", schema_type_name(node->type), (int)index);
	return BUS_OK;
}

static enum bus_err log_begin(void *ctx, const struct schema_node *node)
{
	bus_buf_printf(ctx, "<%s", schema_type_name(node->type));
	return BUS_OK;
}

static enum bus_err log_end(void *ctx, const struct schema_node *node)
{
	bus_buf_printf(ctx, " %s>", schema_type_name(node->type));
	return BUS_OK;
}

static void speaks_in_the_readers_types_and_order(void **state)
{
	struct schema *w = schema_of_quoted("{'type':'record','name':'R','fields':[{'name':'a','type':'int'},"
					    "{'name':'gone','type':{'type':'array','items':'string'}},"
					    "{'name':'b','type':'long'}]}");
	struct schema *r =
	    schema_of_quoted("{'type':'record','name':'R','fields':["
			     "{'name':'n','type':{'type':'array','items':'int'},'default':[5,6]},"
			     "{'name':'bb','type':'double','aliases':['b']},"
			     "{'name':'a','type':['null','long']},"
			     "{'name':'s','type':'string','default':'ya'}]}");
	struct bus_buf log = { 0 };
	const struct schema_sink sink = { .ctx = &log,
					  .field = log_field,
					  .integer = log_integer,
					  .real = log_real,
					  .text = log_text,
					  .branch = log_branch,
					  .record = log_begin,
					  .array = log_begin,
					  .end = log_end };
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(read_with(NULL, w, r, BUS_STR("\2\2\4ab\0\6"), &sink, &err), BUS_OK);
	assert_string_equal(
	    bus_buf_cstr(&log),
	    "<record n=<arrayint:5int:6 array> bb=double:3 a=union#1/long:1 s=string:ya record>");
	bus_buf_release(&log);
	schema_unref(&w);
	schema_unref(&r);
}

static enum bus_err refuse(void *ctx, const struct schema_node *node, int64_t v)
{
	(void)ctx;
	(void)node;
	return v == 2 ? BUS_EFULL : BUS_OK;
}

static void stops_when_the_sink_says_so_and_reads_the_next_datum(void **state)
{
	struct schema *s = schema_of_quoted("{'type':'array','items':'int'}");
	const struct schema_sink sink = { .integer = refuse };
	struct schema_reader *reader = schema_reader_new(NULL);
	struct schema_plan *plan = NULL;
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(schema_plan(s, NULL, &plan, NULL), BUS_OK);
	assert_int_equal(schema_read(reader, plan, BUS_STR("\4\2\4\0"), &sink, &err), BUS_EFULL);
	assert_int_equal(err.code, BUS_EFULL);
	assert_int_equal(schema_read(reader, plan, BUS_STR("\4\2\2\0"), &sink, &err), BUS_OK);
	assert_int_equal(schema_read(reader, plan, BUS_STR("\4\2\2\0\0"), &sink, NULL), BUS_EDATA);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	schema_unref(&s);
}

static void fails_only_where_data_reach_what_cannot_be_resolved(void **state)
{
	static const struct schema_sink nobody;
	struct schema *w = schema_of_quoted("['int','string']");
	struct schema *r = schema_of("\"int\"");
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(read_with(NULL, w, r, BUS_STR("\0\2"), &nobody, &err), BUS_OK);
	assert_int_equal(read_with(NULL, w, r, BUS_STR("\2\2x"), &nobody, &err), BUS_EDATA);
	assert_non_null(strstr(err.text, "string is not read as int"));
	schema_unref(&w);
	schema_unref(&r);
}

/* n records that match no other: every pair must be looked at, and there are n * n. */
static void refuses_pairs_of_schemas_made_to_be_slow(void **state)
{
	struct bus_buf b = { 0 };
	struct schema_plan *plan = NULL;
	struct schema *s[2];

	(void)state;
	for (int k = 0; k < 2; k++) {
		bus_buf_reset(&b);
		for (int i = 0; i < 5000; i++)
			bus_buf_printf(
			    &b, "%s{'type':'record','name':'%c%d','fields':[{'name':'f','type':'%s'}]}",
			    i ? "," : "[", 'A' + k, i, k ? "int" : "string");
		bus_buf_putc(&b, ']');
		s[k] = schema_of_quoted(bus_buf_cstr(&b));
	}
	assert_int_equal(schema_plan(s[0], s[1], &plan, NULL), BUS_ETOOBIG);
	assert_null(plan);
	bus_buf_release(&b);
	schema_unref(&s[0]);
	schema_unref(&s[1]);
}

static enum bus_err add_up(void *ctx, const struct schema_node *node, int64_t v)
{
	(void)node;
	*(int64_t *)ctx += v;
	return BUS_OK;
}

struct job {
	const struct schema_plan *plan;
	int64_t sum;
	enum bus_err rc;
};

static void *read_often(void *arg)
{
	struct job *job = arg;
	struct schema_reader *reader = schema_reader_new(NULL);
	const struct schema_sink sink = { .ctx = &job->sum, .integer = add_up };

	for (int i = 0; i < 1000 && job->rc == BUS_OK; i++)
		job->rc = schema_read(reader, job->plan, BUS_STR("\6\2\4\6\0"), &sink, NULL);
	schema_reader_free(&reader);
	return NULL;
}

static void shares_a_plan_between_threads(void **state)
{
	struct schema *s = schema_of_quoted("{'type':'array','items':'long'}");
	struct schema_plan *plan = NULL;
	struct job job[2];
	pthread_t thread[2];

	(void)state;
	assert_int_equal(schema_plan(s, NULL, &plan, NULL), BUS_OK);
	schema_unref(&s);
	for (int i = 0; i < 2; i++) {
		job[i] = (struct job){ plan, 0, BUS_OK };
		assert_int_equal(pthread_create(&thread[i], NULL, read_often, &job[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(job[i].rc, BUS_OK);
		assert_int_equal(job[i].sum, 6000);
	}
	schema_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_depth_items_and_bytes),
		cmocka_unit_test(bounds_records_that_take_no_bytes),
		cmocka_unit_test(speaks_in_the_readers_types_and_order),
		cmocka_unit_test(stops_when_the_sink_says_so_and_reads_the_next_datum),
		cmocka_unit_test(fails_only_where_data_reach_what_cannot_be_resolved),
		cmocka_unit_test(refuses_pairs_of_schemas_made_to_be_slow),
		cmocka_unit_test(shares_a_plan_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
