/* REST Proxy's shapes: errors, content types, bodies. The expected values are Confluent's (Errors.java, Versions.java) and
 * those of Karapace's test_content_types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bus/json_out.h"
#include "gateway/publish/impl.h"
#include "gateway/restproxy/body.h"

static void an_error_has_its_status_and_words(void **state)
{
	static const struct {
		int code, status;
		const char *detail, *body;
	} expected[] = {
		{ 40401, 404, NULL, "{\"error_code\":40401,\"message\":\"Topic not found.\"}" },
		{ 40402, 404, "8", "{\"error_code\":40402,\"message\":\"Partition not found. 8\"}" },
		{ 40101, 401, NULL, "{\"error_code\":40101,\"message\":\"Unauthorized\"}" },
		{ 42202, 422, NULL,
		  "{\"error_code\":42202,\"message\":\"Request includes values but does not include value "
		  "schema\"}" },
		{ 42205, 422, "x", "{\"error_code\":42205,\"message\":\"Invalid schema: x\"}" },
		{ 40001, 422, "x",
		  "{\"error_code\":40001,\"message\":\"Invalid consumer configuration. It does not abide by "
		  "the "
		  "constraints: x\"}" },
		{ 40601, 406, NULL,
		  "{\"error_code\":40601,\"message\":\"The requested embedded data format does not match the "
		  "deserializer "
		  "for this consumer instance\"}" },
		{ 50003, 503, "x", "{\"error_code\":50003,\"message\":\"Kafka error: x\"}" },
		{ 415, 415, "HTTP 415 Unsupported Media Type",
		  "{\"error_code\":415,\"message\":\"HTTP 415 Unsupported Media Type\"}" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(expected); i++) {
		struct bus_buf out = { 0 };
		struct bus_json_out j = { .buf = &out };

		bus_json_object(&j);
		gw_rp_put_error(&j, expected[i].code, expected[i].detail);
		bus_json_object_end(&j);
		assert_string_equal(bus_buf_cstr(&out), expected[i].body);
		assert_int_equal(gw_rp_status(expected[i].code), expected[i].status);
		bus_buf_release(&out);
	}
}

static void knows_the_content_types(void **state)
{
	static const struct {
		const char *type;
		int format; /* -1: refused */
	} expected[] = {
		{ NULL, GW_RP_UNSAID },
		{ "application/vnd.kafka.v2+json", GW_RP_UNSAID },
		{ "application/vnd.kafka.v1+json", GW_RP_UNSAID },
		{ "application/vnd.kafka+json", GW_RP_UNSAID },
		{ "application/json", GW_RP_UNSAID },
		{ "application/json; charset=utf-8", GW_RP_UNSAID },
		{ "application/octet-stream", GW_RP_UNSAID },
		{ "application/vnd.kafka.binary.v1+json", GW_RP_BINARY },
		{ "application/vnd.kafka.binary.v2+json", GW_RP_BINARY },
		{ "application/vnd.kafka.json.v2+json;charset=UTF-8", GW_RP_JSON },
		{ "application/vnd.kafka.json+json", GW_RP_JSON },
		{ "Application/Vnd.Kafka.Avro.V2+JSON", GW_RP_AVRO },
		{ "application/vnd.kafka.avro.v1+json", GW_RP_AVRO },
		{ "application/vnd.kafka.v3+json", -1 },
		{ "application/vnd.kafka.binary.v1+foo", -1 },
		{ "application/vnd.kafka.avro.v0+json", -1 },
		{ "application/vnd.kafka.json+avro", -1 },
		{ "application/vnd.kafka.avrov2+json", -1 },
		{ "application/vnd.kafka.jsonschema.v2+json", -1 },
		{ "application/vnd.kafka.protobuf.v2+json", -1 },
		{ "application/vnd.kafka", -1 },
		{ "application/vnd.kafka+binary", -1 },
		{ "application/text", -1 },
		{ "bar/baz", -1 },
		{ "", -1 },
		{ ";", -1 },
	};
	enum gw_rp_format f;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(expected); i++) {
		if (gw_rp_format_of(expected[i].type, &f) != (expected[i].format >= 0) ||
		    (expected[i].format >= 0 && (int)f != expected[i].format))
			fail_msg("%s", expected[i].type);
	}
	for (f = GW_RP_BINARY; f <= GW_RP_AVRO; f++) {
		enum gw_rp_format again;

		assert_true(gw_rp_format_of(gw_rp_type_of(f), &again));
		assert_int_equal(again, f);
	}
}

static void weighs_accept_by_its_most_exact_range(void **state)
{
	static const struct {
		const char *accept;
		int q;
	} expected[] = {
		{ NULL, 1000 },
		{ "*/*", 1000 },
		{ "application/*;q=0.5", 500 },
		{ "*/json", 1000 },
		{ "text/html, */*; q=0.1", 100 },
		{ "*/*, application/json;q=0", 0 },
		{ "application/json;q=0.25, */*", 250 },
		{ "application/json ; charset=utf-8 ; q=0.125", 125 },
		{ "application/json;q=7", 1000 },
		{ "application/json;q=0.12345678901234567890", 123 },
		{ "foo/*", 0 },
		{ "*/baz", 0 },
		{ "bar/json", 0 },
		{ "application/octet-stream", 0 },
		{ "json", 0 },
		{ "", 0 },
		{ ",,;q=,", 0 },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(expected); i++)
		if (gw_rp_quality(expected[i].accept, "application/json") != expected[i].q)
			fail_msg("'%s': %d", expected[i].accept,
				 gw_rp_quality(expected[i].accept, "application/json"));
}

/* --- bodies: to a register whose key is in its values, or to a topic without a schema ------------------------------ */

static const char register_text[] =
    "{\"type\":\"record\",\"name\":\"R\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\",\"x_pdp\":\"P\"},{\"name\":\"n\",\"type\":[\"null\",\"long\"],"
    "\"default\":null}]}";

static struct gw_publish all = { .known_lock = PTHREAD_MUTEX_INITIALIZER };

/* The caller lets go of it: end(). */
static int read_body(struct gw_rp_body *b, enum gw_rp_format format, bool with_schema, const char *text)
{
	*b = (struct gw_rp_body){ .format = format, .partition = -1, .bytes = true };
	b->base.batch = gw_publish_batch_new(&all, "t", "r");
	if (with_schema) {
		struct gw_publish_schema *s = &b->base.schema;

		assert_int_equal(schema_parse(bus_str(register_text), SCHEMA_STRICT, NULL, 0, &s->schema, NULL),
				 BUS_OK);
		s->id = 7;
		s->register_topic = true;
		s->key = &schema_root(s->schema)->field[0];
		b->base.encoder = gw_publish_encoder_new(&all, s);
	}
	return gw_rp_body_read(b, bus_str(text)) ? 0 : b->error;
}

static void end(struct gw_rp_body *b)
{
	gw_publish_batch_free(&b->base.batch);
	gw_rp_body_release(b);
	gw_publish_known_release(&all);
}

static void assert_key(const struct gw_rp_body *b, size_t i, const char *key)
{
	const struct gw_publish_record *r = &b->base.batch->record[i];

	assert_true(r->has_key);
	assert_true(bus_str_is((struct bus_str){ b->base.batch->bytes.p + r->key_at, r->key_n }, key));
}

static void assert_value(const struct gw_rp_body *b, size_t i, const char *value, size_t n)
{
	const struct gw_publish_record *r = &b->base.batch->record[i];

	assert_false(r->tombstone);
	assert_int_equal(r->value_n, n);
	assert_memory_equal(b->base.batch->bytes.p + r->value_at, value, n);
}

static void json_becomes_the_schemas_avro_and_its_key_is_found(void **state)
{
	struct gw_rp_body b;

	(void)state;
	assert_int_equal(read_body(&b, GW_RP_JSON, true,
				   "{\"records\":[{\"value\":{\"id\":\"a\",\"n\":3},\"partition\":2},"
				   "{\"key\":\"b\",\"value\":null}]}"),
			 0);
	assert_int_equal(b.base.batch->n, 2);
	assert_value(&b, 0, "\0\0\0\0\7\2a\2\6", 9);
	assert_key(&b, 0, "a");
	assert_key(&b, 1, "b");
	assert_int_equal(b.base.batch->record[0].partition, 2);
	assert_int_equal(b.base.batch->record[1].partition, -1);
	assert_true(b.base.batch->record[1].tombstone);
	end(&b);
}

static void bytes_are_as_they_were_and_json_has_no_white_space(void **state)
{
	struct gw_rp_body b;

	(void)state;
	assert_int_equal(read_body(&b, GW_RP_BINARY, false,
				   "{\"records\":[{\"value\":\"\"},{\"key\":\"YQ==\",\"value\":\"AP8=\"}]}"),
			 0);
	assert_value(&b, 0, "", 0);
	assert_non_null(b.base.batch->bytes.p);
	assert_value(&b, 1, "\0\xff", 2);
	assert_key(&b, 1, "a");
	end(&b);
	assert_int_equal(
	    read_body(
		&b, GW_RP_JSON, false,
		"{ \"records\" : [ { \"key\" : { \"a\" : [ 1.50 , null ] } , \"value\" : \"\\u00e9\" } ] }"),
	    0);
	assert_key(&b, 0, "{\"a\":[1.50,null]}");
	assert_value(&b, 0, "\"\xc3\xa9\"", 4);
	end(&b);
}

static void what_cannot_be_taken_refuses_the_whole(void **state)
{
	static const struct {
		enum gw_rp_format format;
		bool with_schema;
		const char *text;
		int error;
	} bad[] = {
		{ GW_RP_BINARY, false, "", 400 },
		{ GW_RP_BINARY, false, "{\"records\":[{\"value\":\"YQ\"}]}", 400 },
		{ GW_RP_BINARY, false, "{\"records\":[{\"value\":\"\"}]} x", 400 },
		{ GW_RP_BINARY, false, "{\"records\":[{\"value\":\"\"}],\"records\":[]}", 400 },
		{ GW_RP_BINARY, false, "{\"records\":[{\"value\":\"\",\"value\":\"\"}]}", 400 },
		{ GW_RP_BINARY, false, "{\"records\":[{\"value\":\"\"},]}", 400 },
		{ GW_RP_BINARY, false, "{\"records\":{\"value\":\"\"}}", 400 },
		{ GW_RP_BINARY, false, "{\"rec\\u006frds\":[{\"value\":\"\"}]}", 422 },
		{ GW_RP_BINARY, false, "{\"records\":[{\"value\":\"\",\"partition\":2147483648}]}", 422 },
		{ GW_RP_BINARY, false, "{\"records\":[{\"value\":\"\",\"partition\":1.5}]}", 422 },
		{ GW_RP_BINARY, false, "{\"records\":[{\"key\":null,\"value\":null}]}", GW_RP_PAYLOAD },
		{ GW_RP_BINARY, false, "{\"records\":[{\"key\":\"MTQ3MTAxNTcwODkwMDAwMg==\"}]}",
		  GW_RP_PAYLOAD },
		{ GW_RP_JSON, false, "{\"records\":[{\"value\":{\"a\":1]}]}", 400 },
		{ GW_RP_JSON, false, "{\"records\":[{\"key\":[1471015708900002],\"value\":1}]}",
		  GW_RP_PAYLOAD },
		{ GW_RP_JSON, false, "{\"records\":[{\"key\":\"\\u0031471015708900002\",\"value\":1}]}",
		  GW_RP_PAYLOAD },
		{ GW_RP_JSON, true, "{\"records\":[{\"value\":{\"id\":7}}]}", GW_RP_JSON_CONVERSION },
		{ GW_RP_JSON, true, "{\"records\":[{\"key\":7,\"value\":{\"id\":\"a\"}}]}", GW_RP_PAYLOAD },
		{ GW_RP_JSON, true, "{\"records\":[{\"key\":\"b\",\"value\":{\"id\":\"a\"}}]}",
		  GW_RP_PAYLOAD },
		{ GW_RP_BINARY, true, "{\"records\":[{\"value\":\"YQ==\"}]}", GW_RP_SCHEMA_INVALID },
		{ GW_RP_AVRO, true, "{\"records\":[{\"value\":{\"id\":\"a\"}}]}",
		  GW_RP_VALUE_SCHEMA_MISSING },
		{ GW_RP_AVRO, true, "{\"records\":[{\"key\":\"a\"}]}", GW_RP_KEY_SCHEMA_MISSING },
		{ GW_RP_AVRO, false, "{\"records\":[{\"value\":\"a\"}]}", GW_RP_SCHEMA_INVALID },
	};
	struct gw_rp_body b;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		const int error = read_body(&b, bad[i].format, bad[i].with_schema, bad[i].text);

		if (error != bad[i].error)
			fail_msg("%s: %d %s", bad[i].text, error, b.detail);
		assert_null(strstr(b.detail, "1471015708900002"));
		end(&b);
	}
}

static void bytes_go_only_where_the_policy_says_so(void **state)
{
	struct gw_rp_body b = { .format = GW_RP_BINARY, .partition = -1 };

	(void)state;
	b.base.batch = gw_publish_batch_new(&all, "t", "r");
	assert_false(gw_rp_body_read(&b, BUS_STR("{\"records\":[{\"value\":\"YQ==\"}]}")));
	assert_int_equal(b.error, GW_RP_FORBIDDEN);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_has_its_status_and_words),
		cmocka_unit_test(knows_the_content_types),
		cmocka_unit_test(weighs_accept_by_its_most_exact_range),
		cmocka_unit_test(json_becomes_the_schemas_avro_and_its_key_is_found),
		cmocka_unit_test(bytes_are_as_they_were_and_json_has_no_white_space),
		cmocka_unit_test(what_cannot_be_taken_refuses_the_whole),
		cmocka_unit_test(bytes_go_only_where_the_policy_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
