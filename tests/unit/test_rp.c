/* REST Proxy's shapes: errors, content types. The expected values are Confluent's (Errors.java, Versions.java) and
 * those of Karapace's test_content_types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bus/json_out.h"
#include "gateway/restproxy/rp.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_has_its_status_and_words),
		cmocka_unit_test(knows_the_content_types),
		cmocka_unit_test(weighs_accept_by_its_most_exact_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
