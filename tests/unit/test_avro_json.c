/* What the vectors do not cover: the plain spelling, places in errors, and a second opinion on our bytes. */
#include "tests/support/schemas.h"

#include <avro.h>

#include "schemas/avro/json.h"
#include "schemas/avro/write.h"

static enum bus_err to_json(struct schema *s, struct bus_str datum, enum schema_json spelling,
			    struct bus_buf *json)
{
	struct schema_reader *reader = schema_reader_new(NULL);
	struct bus_json_out out = { .buf = json };
	struct schema_json_sink sink;
	struct schema_plan *plan = NULL;
	enum bus_err rc = schema_plan(s, NULL, &plan, NULL);

	schema_json_sink_init(&sink, &out, spelling);
	assert_int_equal(rc, BUS_OK);
	rc = schema_read(reader, plan, datum, &sink.sink, NULL);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	return rc;
}

/* The datum is spelt so, and what is spelt so gives the datum. */
static void assert_plain(const char *schema, struct bus_str datum, const char *json)
{
	struct schema *s = schema_of_quoted(schema);
	struct bus_buf text = { 0 };
	struct bus_buf back = { 0 };
	struct bus_error err = { 0 };

	assert_int_equal(to_json(s, datum, SCHEMA_JSON_PLAIN, &text), BUS_OK);
	assert_string_equal(bus_buf_cstr(&text), json);
	if (schema_encode_json(s, bus_str(json), SCHEMA_JSON_PLAIN, &back, &err) != BUS_OK)
		fail_msg("%s: %s", json, err.text);
	assert_int_equal(back.n, datum.n);
	assert_memory_equal(back.p, datum.p, datum.n);
	bus_buf_release(&text);
	bus_buf_release(&back);
	schema_unref(&s);
}

static void assert_plain_long(const char *schema, int64_t v, const char *json)
{
	struct bus_buf b = { 0 };

	schema_put_long(&b, v);
	assert_plain(schema, bus_buf_str(&b), json);
	bus_buf_release(&b);
}

static void spells_days_and_times_for_people(void **state)
{
	const char *date = "{'type':'int','logicalType':'date'}";
	const char *millis = "{'type':'long','logicalType':'timestamp-millis'}";
	const char *micros = "{'type':'long','logicalType':'timestamp-micros'}";
	const char *nanos = "{'type':'long','logicalType':'timestamp-nanos'}";
	const char *local = "{'type':'long','logicalType':'local-timestamp-millis'}";
	const char *time = "{'type':'int','logicalType':'time-millis'}";
	const char *time_micros = "{'type':'long','logicalType':'time-micros'}";

	(void)state;
	assert_plain_long(date, 20098, "\"2025-01-10\"");
	assert_plain_long(date, -1, "\"1969-12-31\"");
	assert_plain_long(date, 2932896, "\"9999-12-31\"");
	assert_plain_long(date, 2932897, "2932897"); /* no year of four digits */
	assert_plain_long(date, INT32_MIN, "-2147483648");
	assert_plain_long(millis, INT64_MIN, "-9223372036854775808");
	assert_plain_long(millis, INT64_C(253402275599999), "\"9999-12-31T23:59:59.999+07:00\"");
	assert_plain_long(millis, INT64_C(253402275600000), "253402275600000");
	assert_plain_long(millis, INT64_C(1736470800000), "\"2025-01-10T08:00:00+07:00\"");
	assert_plain_long(millis, INT64_C(1736470800123), "\"2025-01-10T08:00:00.123+07:00\"");
	assert_plain_long(millis, -1, "\"1970-01-01T06:59:59.999+07:00\"");
	assert_plain_long(micros, INT64_C(1736470800123000), "\"2025-01-10T08:00:00.123+07:00\"");
	assert_plain_long(micros, INT64_C(1736470800123456), "\"2025-01-10T08:00:00.123456+07:00\"");
	assert_plain_long(micros, -1, "\"1970-01-01T06:59:59.999999+07:00\"");
	assert_plain_long(nanos, INT64_C(1736470800000000007), "\"2025-01-10T08:00:00.000000007+07:00\"");
	assert_plain_long(local, INT64_C(1736496000000), "\"2025-01-10T08:00:00\"");
	assert_plain_long(time, 0, "\"00:00:00\"");
	assert_plain_long(time, 86399999, "\"23:59:59.999\"");
	assert_plain_long(time, 86400000, "86400000"); /* no time of day */
	assert_plain_long(time_micros, 1, "\"00:00:00.000001\"");
}

static void reads_times_of_other_zones(void **state)
{
	struct schema *s = schema_of_quoted("{'type':'long','logicalType':'timestamp-millis'}");
	static const char *const bad[] = { "\"2025-01-10\"",
					   "\"2025-02-30T08:00:00Z\"",
					   "\"2025-01-10T08:00:00\"",
					   "\"2025-01-10T24:00:00Z\"",
					   "\"2025-01-10T08:00:00Zx\"",
					   "\"2025-01-10T08:00:00.Z\"",
					   "\"2025-01-10T08:00:00.0001Z\"" };
	struct bus_buf got = { 0 };
	struct bus_buf want = { 0 };

	(void)state;
	schema_put_long(&want, INT64_C(1736470800000));
	assert_int_equal(
	    schema_encode_json(s, BUS_STR("\"2025-01-10T01:00:00Z\""), SCHEMA_JSON_PLAIN, &got, NULL),
	    BUS_OK);
	assert_memory_equal(got.p, want.p, want.n);
	bus_buf_reset(&got);
	assert_int_equal(
	    schema_encode_json(s, BUS_STR("\"2025-01-09T20:30:00.0-04:30\""), SCHEMA_JSON_PLAIN, &got, NULL),
	    BUS_OK);
	assert_memory_equal(got.p, want.p, want.n);
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_int_equal(schema_encode_json(s, bus_str(bad[i]), SCHEMA_JSON_PLAIN, &got, NULL),
				 BUS_EDATA);
	bus_buf_release(&got);
	bus_buf_release(&want);
	schema_unref(&s);
}

static void spells_decimals_as_text(void **state)
{
	const char *money = "{'type':'bytes','logicalType':'decimal','precision':20,'scale':2}";
	const char *whole = "{'type':'bytes','logicalType':'decimal','precision':50,'scale':0}";
	const char *fixed =
	    "{'type':'fixed','name':'F','size':4,'logicalType':'decimal','precision':9,'scale':3}";
	struct schema *s = schema_of_quoted(money);
	static const char *const bad[] = { "\"1.234\"", "\"\"",	  "\"-\"",
					   "\".5\"",	"\"1.\"", "\"1e2\"",
					   "\"+1\"",	"12.34",  "\"1234567890123456789.00\"",
					   "\"1.2.3\"" };
	struct bus_buf got = { 0 };

	(void)state;
	assert_plain(money, BUS_STR("\4\x04\xd2"), "\"12.34\"");
	assert_plain(money, BUS_STR("\2\x85"), "\"-1.23\""); /* 256 - 123 */
	assert_plain(money, BUS_STR("\2\0"), "\"0.00\"");
	assert_plain(money, BUS_STR("\2\xff"), "\"-0.01\"");
	assert_plain(whole, BUS_STR("\2\x80"), "\"-128\"");
	assert_plain(whole, BUS_STR("\4\0\x80"), "\"128\"");
	assert_plain(whole, BUS_STR("\xa\x80\0\0\0\0"), "\"-549755813888\"");
	assert_plain(whole, BUS_STR("\x22\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		     "\"340282366920938463463374607431768211456\"");
	assert_plain(fixed, BUS_STR("\xff\xff\xfb\x2e"), "\"-1.234\"");
	assert_int_equal(schema_encode_json(s, BUS_STR("\"12.3400\""), SCHEMA_JSON_PLAIN, &got, NULL),
			 BUS_OK);
	assert_memory_equal(got.p, "\4\x04\xd2", 3);
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_int_equal(schema_encode_json(s, bus_str(bad[i]), SCHEMA_JSON_PLAIN, &got, NULL),
				 BUS_EDATA);
	bus_buf_release(&got);
	schema_unref(&s);
}

/* RFC 4648, section 10, and the example of RFC 9562, section 4. */
static void spells_bytes_as_base64_and_uuids_as_uuids(void **state)
{
	const char *uuid = "{'type':'fixed','name':'U','size':16,'logicalType':'uuid'}";
	struct schema *s = schema_of("\"bytes\"");
	static const char *const bad[] = { "\"Zg\"",   "\"Zg=\"",  "\"Zh==\"",	"\"Z===\"",
					   "\"Zm9=\"", "\"====\"", "\"Zm 9v\"", "\"Zg==Zg==\"" };
	struct bus_buf got = { 0 };

	(void)state;
	assert_plain("'bytes'", BUS_STR("\0"), "\"\"");
	assert_plain("'bytes'", BUS_STR("\2f"), "\"Zg==\"");
	assert_plain("'bytes'", BUS_STR("\4fo"), "\"Zm8=\"");
	assert_plain("'bytes'", BUS_STR("\6foo"), "\"Zm9v\"");
	assert_plain("'bytes'",
		     BUS_STR("\xc"
			     "foobar"),
		     "\"Zm9vYmFy\"");
	assert_plain("{'type':'fixed','name':'F','size':2}", BUS_STR("\xff\xfe"), "\"//4=\"");
	assert_plain(uuid, BUS_STR("\xf8\x1d\x4f\xae\x7d\xec\x11\xd0\xa7\x65\0\xa0\xc9\x1e\x6b\xf6"),
		     "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"");
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_int_equal(schema_encode_json(s, bus_str(bad[i]), SCHEMA_JSON_PLAIN, &got, NULL),
				 BUS_EDATA);
	bus_buf_release(&got);
	schema_unref(&s);
}

static void spells_unions_without_labels(void **state)
{
	const char *schema =
	    "{'type':'record','name':'R','fields':[{'name':'u','type':["
	    "'null',{'type':'int','logicalType':'date'},{'type':'enum','name':'E','symbols':['A']},"
	    "{'type':'map','values':'float'}]}]}";

	(void)state;
	assert_plain(schema, BUS_STR("\0"), "{\"u\":null}");
	assert_plain(schema, BUS_STR("\2\0"), "{\"u\":\"1970-01-01\"}");
	assert_plain(schema, BUS_STR("\4\0"), "{\"u\":\"A\"}");
	assert_plain(schema, BUS_STR("\6\2\2k\xcd\xcc\xcc\x3d\0"), "{\"u\":{\"k\":0.1}}");
}

static void fills_defaults_in_the_plain_spelling_only(void **state)
{
	struct schema *s = schema_of_quoted("{'type':'record','name':'R','fields':[{'name':'a','type':'int'},"
					    "{'name':'b','type':['null','string'],'default':null}]}");
	struct bus_buf got = { 0 };

	(void)state;
	assert_int_equal(schema_encode_json(s, BUS_STR("{\"a\":1}"), SCHEMA_JSON_PLAIN, &got, NULL), BUS_OK);
	assert_memory_equal(got.p, "\2\0", 2);
	assert_int_equal(schema_encode_json(s, BUS_STR("{\"a\":1}"), SCHEMA_JSON_AVRO, &got, NULL),
			 BUS_EDATA);
	assert_int_equal(got.n, 2);
	bus_buf_release(&got);
	schema_unref(&s);
}

static void names_the_place_but_not_the_data(void **state)
{
	struct schema *s = schema_of_quoted("{'type':'record','name':'R','fields':[{'name':'m','type':"
					    "{'type':'map','values':{'type':'array','items':'int'}}}]}");
	struct bus_buf got = { 0 };
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(schema_encode_json(s, BUS_STR("{\"m\":{\"3201\":[1,\"rahasia\"]}}"),
					    SCHEMA_JSON_AVRO, &got, &err),
			 BUS_EDATA);
	assert_string_equal(err.text, "value /m/*/1: not an int");
	bus_buf_release(&got);
	schema_unref(&s);
}

static void names_a_member_that_could_be_a_field_and_what_a_union_takes(void **state)
{
	static const struct {
		const char *json, *why;
	} bad[] = {
		{ "{'keterangn':'x'}", "value /keterangn: no field of the record; did you mean 'keterangan'?" },
		{ "{'zzz':1}", "value /zzz: no field of the record" },
		{ "{'1471014504900001':1}", "value /: a member that is no field of the record" }, /* may be data */
		{ "{'nilai':'tujuh'}", "value /nilai: wants null or long" },
		{ "{'lahir':'tujuh'}", "value /lahir: wants null, date or boolean" },
	};
	struct schema *s = schema_of_quoted(
	    "{'type':'record','name':'R','fields':[{'name':'keterangan','type':'string'},"
	    "{'name':'nilai','type':['null','long']},"
	    "{'name':'lahir','type':['null',{'type':'int','logicalType':'date'},'boolean']}]}");

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		struct bus_buf got = { 0 };
		struct bus_error err = { 0 };
		char json[80];

		snprintf(json, sizeof(json), "%s", bad[i].json);
		for (char *p = json; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		assert_int_equal(schema_encode_json(s, bus_str(json), SCHEMA_JSON_PLAIN, &got, &err), BUS_EDATA);
		assert_string_equal(err.text, bad[i].why);
		bus_buf_release(&got);
	}
	schema_unref(&s);
}

static void names_the_logical_type_that_a_value_is_not(void **state)
{
	static const struct {
		const char *type, *json, *why;
	} bad[] = {
		{ "{'type':'int','logicalType':'date'}", "\"2026-02-30\"", "value /: not a date" },
		{ "{'type':'long','logicalType':'time-micros'}", "\"25:00\"", "value /: not a time of day" },
		{ "{'type':'long','logicalType':'timestamp-millis'}", "\"kemarin\"",
		  "value /: not a timestamp" },
		{ "{'type':'long','logicalType':'local-timestamp-micros'}", "true",
		  "value /: not a local timestamp" },
		{ "{'type':'bytes','logicalType':'decimal','precision':5,'scale':2}", "\"1.234\"",
		  "value /: not a decimal (in quotes) of the schema's precision and scale" },
		{ "{'type':'fixed','name':'U','size':16,'logicalType':'uuid'}", "\"x\"",
		  "value /: not a UUID" },
		{ "'bytes'", "1", "value /: not bytes" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		struct schema *s = schema_of_quoted(bad[i].type);
		struct bus_buf got = { 0 };
		struct bus_error err = { 0 };

		assert_int_equal(schema_encode_json(s, bus_str(bad[i].json), SCHEMA_JSON_PLAIN, &got, &err),
				 BUS_EDATA);
		assert_string_equal(err.text, bad[i].why);
		bus_buf_release(&got);
		schema_unref(&s);
	}
}

static void refuses_json_that_would_nest_too_deep(void **state)
{
	struct schema *s =
	    schema_of_quoted("{'type':'record','name':'L','fields':[{'name':'n','type':['null','L']}]}");
	struct bus_buf datum = { 0 };
	struct bus_buf json = { 0 };
	struct bus_json_out out = { .buf = &json };
	struct schema_json_sink sink;

	(void)state;
	for (int i = 0; i < 40; i++)
		bus_buf_putc(&datum, 2);
	bus_buf_putc(&datum, 0);
	assert_int_equal(to_json(s, bus_buf_str(&datum), SCHEMA_JSON_PLAIN, &json), BUS_OK);
	bus_buf_reset(&json);
	assert_int_equal(to_json(s, bus_buf_str(&datum), SCHEMA_JSON_AVRO, &json), BUS_OK);
	schema_json_sink_init(&sink, &out, SCHEMA_JSON_AVRO);
	for (int i = 0; i < SCHEMA_JSON_DEPTH_MAX; i++)
		assert_int_equal(sink.sink.array(sink.sink.ctx, schema_root(s)), BUS_OK);
	assert_int_equal(sink.sink.array(sink.sink.ctx, schema_root(s)), BUS_ETOOBIG);
	assert_int_equal(sink.sink.record(sink.sink.ctx, schema_root(s)), BUS_ETOOBIG);
	bus_buf_release(&datum);
	bus_buf_release(&json);
	schema_unref(&s);
}

static void takes_fields_in_any_order(void **state)
{
	struct schema *s = schema_of_quoted("{'type':'record','name':'R','fields':[{'name':'a','type':'int'},"
					    "{'name':'r','type':['null','R'],'default':null},{'name':'l','"
					    "type':{'type':'array','items':'string'}},"
					    "{'name':'z','type':'string'}]}");
	struct bus_buf want = { 0 };
	struct bus_buf got = { 0 };
	struct bus_buf json = { 0 };
	struct bus_error err = { 0 };

	(void)state;
	/* 70 items: the count takes two bytes, and what was written before it is known moves. */
	bus_buf_puts(&json, "{\"z\":\"end\",\"l\":[\"x\"");
	bus_buf_put(&want, "\6\2\12\0\2\2y\0\2q\x8c\1\2x", 14);
	for (int i = 1; i < 70; i++) {
		bus_buf_puts(&json, ",\"x\"");
		bus_buf_puts(&want, "\2x");
	}
	bus_buf_puts(&json, "],\"r\":{\"l\":[\"y\"],\"a\":5,\"z\":\"q\"},\"a\":3}");
	bus_buf_put(&want, "\0\6end", 5);
	assert_int_equal(schema_encode_json(s, bus_buf_str(&json), SCHEMA_JSON_PLAIN, &got, &err), BUS_OK);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
	assert_int_equal(
	    schema_encode_json(s, BUS_STR("{\"a\":1,\"z\":\"\",\"a\":1}"), SCHEMA_JSON_PLAIN, &got, &err),
	    BUS_EPARSE);
	assert_int_equal(got.n, want.n);
	bus_buf_release(&json);
	bus_buf_release(&want);
	bus_buf_release(&got);
	schema_unref(&s);
}

static void refuses_a_key_twice(void **state)
{
	struct schema *s = schema_of_quoted("{'type':'map','values':'int'}");
	struct bus_buf got = { 0 };
	struct bus_buf json = { 0 };

	(void)state;
	assert_int_equal(
	    schema_encode_json(s, BUS_STR("{\"a\":1,\"b\":2,\"a\":1}"), SCHEMA_JSON_AVRO, &got, NULL),
	    BUS_EPARSE);
	bus_buf_putc(&json, '{');
	for (int i = 0; i < 30; i++)
		bus_buf_printf(&json, "\"k%d\":1,", i);
	bus_buf_puts(&json, "\"k7\":1}");
	assert_int_equal(schema_encode_json(s, bus_buf_str(&json), SCHEMA_JSON_AVRO, &got, NULL), BUS_EPARSE);
	assert_int_equal(got.n, 0);
	bus_buf_release(&json);
	bus_buf_release(&got);
	schema_unref(&s);
}

/* Two records: the members say which; what is in them is not asked. */
static void looks_ahead_for_the_record_that_fits(void **state)
{
	struct schema *s =
	    schema_of_quoted("[{'type':'record','name':'A','fields':[{'name':'x','type':'int'}]},"
			     "{'type':'record','name':'B','fields':[{'name':'x','type':['int','A']},"
			     "{'name':'y','type':'int','default':1}]},{'type':'map','values':'int'}]");
	struct bus_buf got = { 0 };

	(void)state;
	assert_int_equal(
	    schema_encode_json(s, BUS_STR("{\"y\":4,\"x\":{\"x\":3}}"), SCHEMA_JSON_PLAIN, &got, NULL),
	    BUS_OK);
	assert_int_equal(got.n, 4);
	assert_memory_equal(got.p, "\2\2\6\10", 4);
	bus_buf_reset(&got);
	assert_int_equal(schema_encode_json(s, BUS_STR("{\"q\":4}"), SCHEMA_JSON_PLAIN, &got, NULL), BUS_OK);
	assert_memory_equal(got.p, "\4\2\2q\10\0", 6);
	bus_buf_release(&got);
	schema_unref(&s);
}

/* avro-c reads what we wrote, and sees the same values. */
static void writes_what_another_implementation_reads(void **state)
{
	static const char text[] =
	    "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
	    "{\"name\":\"s\",\"type\":\"string\"},{\"name\":\"l\",\"type\":\"long\"},"
	    "{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"u\",\"type\":[\"null\",\"int\"]},"
	    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"boolean\"}},"
	    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"float\"}}]}";
	static const char json[] =
	    "{\"s\":\"Kécamatan\",\"l\":-9223372036854775808,\"d\":-2.5,\"u\":{\"int\":-7},"
	    "\"a\":[true,false,true],\"m\":{\"x\":0.5}}";
	struct schema *s = schema_of(text);
	struct bus_buf datum = { 0 };
	avro_schema_t theirs = NULL;
	avro_value_iface_t *iface;
	avro_reader_t reader;
	avro_value_t value;
	avro_value_t field;
	avro_value_t item;
	const char *string;
	size_t size;
	int64_t l;
	double d;
	float f;
	int n;
	int b;

	(void)state;
	assert_int_equal(schema_encode_json(s, bus_str(json), SCHEMA_JSON_AVRO, &datum, NULL), BUS_OK);
	assert_int_equal(avro_schema_from_json_length(text, sizeof(text) - 1, &theirs), 0);
	iface = avro_generic_class_from_schema(theirs);
	assert_int_equal(avro_generic_value_new(iface, &value), 0);
	reader = avro_reader_memory(datum.p, (int64_t)datum.n);
	assert_int_equal(avro_value_read(reader, &value), 0);

	avro_value_get_by_name(&value, "s", &field, NULL);
	avro_value_get_string(&field, &string, &size);
	assert_string_equal(string, "Kécamatan");
	avro_value_get_by_name(&value, "l", &field, NULL);
	avro_value_get_long(&field, &l);
	assert_int_equal(l, INT64_MIN);
	avro_value_get_by_name(&value, "d", &field, NULL);
	avro_value_get_double(&field, &d);
	assert_true(d == -2.5);
	avro_value_get_by_name(&value, "u", &field, NULL);
	avro_value_get_current_branch(&field, &item);
	avro_value_get_int(&item, &n);
	assert_int_equal(n, -7);
	avro_value_get_by_name(&value, "a", &field, NULL);
	avro_value_get_size(&field, &size);
	assert_int_equal(size, 3);
	avro_value_get_by_index(&field, 1, &item, NULL);
	avro_value_get_boolean(&item, &b);
	assert_int_equal(b, 0);
	avro_value_get_by_name(&value, "m", &field, NULL);
	avro_value_get_by_name(&field, "x", &item, NULL);
	avro_value_get_float(&item, &f);
	assert_true(f == 0.5F);

	avro_value_decref(&value);
	avro_value_iface_decref(iface);
	avro_reader_free(reader);
	avro_schema_decref(theirs);
	bus_buf_release(&datum);
	schema_unref(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spells_days_and_times_for_people),
		cmocka_unit_test(reads_times_of_other_zones),
		cmocka_unit_test(spells_decimals_as_text),
		cmocka_unit_test(spells_bytes_as_base64_and_uuids_as_uuids),
		cmocka_unit_test(spells_unions_without_labels),
		cmocka_unit_test(fills_defaults_in_the_plain_spelling_only),
		cmocka_unit_test(names_the_place_but_not_the_data),
		cmocka_unit_test(names_a_member_that_could_be_a_field_and_what_a_union_takes),
		cmocka_unit_test(names_the_logical_type_that_a_value_is_not),
		cmocka_unit_test(refuses_json_that_would_nest_too_deep),
		cmocka_unit_test(takes_fields_in_any_order),
		cmocka_unit_test(refuses_a_key_twice),
		cmocka_unit_test(looks_ahead_for_the_record_that_fits),
		cmocka_unit_test(writes_what_another_implementation_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
