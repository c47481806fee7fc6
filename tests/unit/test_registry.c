/* The registry on librdkafka's mock cluster, over HTTP. Expected shapes, codes and messages: Confluent's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/client.h"
#include "bus/metrics.h"
#include "bus/producer.h"
#include "schemas/registry/registry.h"
#include "tests/support/mock.h"

#define TOPIC "_schemas"
#define KEYS_TOPIC "_dek_registry_keys"
#define A "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"A\\\",\\\"fields\\\":["
#define X "{\\\"name\\\":\\\"x\\\",\\\"type\\\":\\\"int\\\"}"
#define Y "{\\\"name\\\":\\\"y\\\",\\\"type\\\":\\\"int\\\"}"
#define Y0 "{\\\"name\\\":\\\"y\\\",\\\"type\\\":\\\"int\\\",\\\"default\\\":0}"
#define SCHEMA(fields) "{\"schema\":\"" A fields "]}\"}"

static struct {
	struct mock m;
	struct schema_registry r;
	struct bus_http *http;
} f;

static int start(void **state)
{
	struct bus_http_conf conf = { .address = "127.0.0.1",
				      .threads = 1,
				      .program = "test",
				      .body_max = 2 * 1024 * 1024,
				      .problem_type = SCHEMA_REGISTRY_TYPE,
				      .write_error = schema_registry_error };
	struct bus_error err;

	(void)state;
	memset(&f, 0, sizeof(f));
	f.m = mock_start(1);
	f.r.topic = TOPIC;
	f.r.keys_topic = KEYS_TOPIC;
	f.r.writer = schema_writer_new(&f.m.kafka, TOPIC);
	if (rd_kafka_mock_topic_create(f.m.cluster, TOPIC, 1, 1) != 0 ||
	    rd_kafka_mock_topic_create(f.m.cluster, KEYS_TOPIC, 1, 1) != 0 ||
	    schema_store_open(&f.m.kafka, TOPIC, 10000, &f.r.store, &err) != BUS_OK ||
	    schema_keys_open(&f.m.kafka, KEYS_TOPIC, 10000, &f.r.keys, &err) != BUS_OK ||
	    schema_writer_start(f.r.writer, &f.r, &err) != BUS_OK ||
	    bus_http_start(&conf, schema_registry_routes, &f.r, &f.http, &err) != BUS_OK) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	bus_http_stop(&f.http, 5000);
	schema_writer_free(&f.r.writer);
	schema_keys_close(&f.r.keys);
	schema_store_close(&f.r.store);
	mock_stop(&f.m);
	return 0;
}

/* As wanted, where a `*` stands for any digits, letters and dashes. */
static bool matches(const char *got, const char *wanted)
{
	for (; *wanted; wanted++) {
		if (*wanted == '*')
			got += strspn(got, "0123456789abcdef-");
		else if (*got++ != *wanted)
			return false;
	}
	return *got == '\0';
}

static void ask(const char *method, const char *path, const char *body, int status, const char *answer)
{
	struct bus_buf b = { 0 };
	struct bus_error err = { 0 };
	char url[256];
	int got = 0;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", bus_http_port(f.http), path);
	if (bus_client_request(method, url, NULL, SCHEMA_REGISTRY_TYPE, bus_str(body), 20000, &got, &b,
			       &err) != BUS_OK)
		fail_msg("%s %s: %s", method, path, err.text);
	if (got != status || !matches(bus_buf_cstr(&b), answer))
		fail_msg("%s %s: %d %s\nwanted %d %s", method, path, got, bus_buf_cstr(&b), status, answer);
	bus_buf_release(&b);
}

/* MD5 of the text, by Python's hashlib */
#define X_GUID "\"guid\":\"ae0b2e64-33d5-3689-0cdb-9814614e3463\",\"schemaType\":\"AVRO\","
#define X_TEXT "\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"A\\\",\\\"fields\\\":[" X "]}\""

static void gives_ids_versions_and_texts(void **state)
{
	(void)state;
	ask("GET", "/subjects", "", 200, "[]");
	ask("POST", "/subjects/s/versions", SCHEMA(X), 200,
	    "{\"id\":1,\"version\":1," X_GUID "\"schema\":" X_TEXT "}");
	ask("POST", "/subjects/s/versions", SCHEMA(X), 200,
	    "{\"id\":1,\"version\":1," X_GUID "\"schema\":" X_TEXT "}");
	ask("POST", "/subjects/t/versions", SCHEMA(X), 200,
	    "{\"id\":1,\"version\":1," X_GUID "\"schema\":" X_TEXT "}");
	ask("GET", "/subjects", "", 200, "[\"s\",\"t\"]");
	ask("GET", "/subjects/s/versions", "", 200, "[1]");
	ask("GET", "/subjects/s/versions/latest", "", 200,
	    "{\"subject\":\"s\",\"version\":1,\"id\":1," X_GUID "\"schema\":" X_TEXT
	    ",\"ts\":*,\"deleted\":false}");
	ask("GET", "/schemas/ids/1", "", 200,
	    "{\"subject\":\"s\",\"version\":1," X_GUID "\"schema\":" X_TEXT ",\"ts\":*,\"deleted\":false}");
	ask("GET", "/schemas/ids/1/subjects", "", 200, "[\"s\",\"t\"]");
	ask("GET", "/schemas/ids/1/versions", "", 200,
	    "[{\"subject\":\"s\",\"version\":1},{\"subject\":\"t\",\"version\":1}]");
	ask("POST", "/subjects/s", SCHEMA(X), 200,
	    "{\"subject\":\"s\",\"version\":1,\"id\":1," X_GUID "\"schema\":" X_TEXT "}");
	ask("GET", "/schemas/types", "", 200, "[\"JSON\",\"PROTOBUF\",\"AVRO\"]");
}

static void refuses_what_old_readers_could_not_read(void **state)
{
	(void)state;
	ask("POST", "/subjects/s/versions", SCHEMA(X), 200,
	    "{\"id\":1,\"version\":1," X_GUID "\"schema\":" X_TEXT "}");
	ask("POST", "/compatibility/subjects/s/versions/latest", SCHEMA(X "," Y0), 200,
	    "{\"is_compatible\":true}");
	ask("POST", "/compatibility/subjects/s/versions/1", SCHEMA(X "," Y), 200,
	    "{\"is_compatible\":false}");
	ask("POST", "/subjects/s/versions", SCHEMA(X "," Y), 409,
	    "{\"error_code\":40901,\"message\":\"Schema being registered is incompatible with an earlier "
	    "schema for "
	    "subject \\\"s\\\", details: [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The "
	    "field 'y' "
	    "at path '/fields/1' in the new schema has no default value and is missing in the old schema', "
	    "additionalInfo:'y'}, {oldSchemaVersion: 1}, {oldSchema: "
	    "'{\\\"type\\\":\\\"record\\\",\\\"name\\\":"
	    "\\\"A\\\",\\\"fields\\\":[" X "]}'}, {validateFields: 'false', compatibility: 'BACKWARD'}]\"}");
	/* FULL: the old one as the reader comes first, and by itself shows no old schema. */
	ask("PUT", "/config/s", "{\"compatibility\":\"FULL\"}", 200, "{\"compatibility\":\"FULL\"}");
	ask("POST", "/compatibility/subjects/s/versions/1?verbose=true", SCHEMA(""), 200,
	    "{\"is_compatible\":false,\"messages\":[\"{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', "
	    "description:'The field 'x' at path '/fields/0' in the old schema has no default value and is "
	    "missing in the new schema', additionalInfo:'x'}\",\"{validateFields: 'false', compatibility: "
	    "'FULL'}\"]}");
	ask("POST", "/compatibility/subjects/s/versions/1?verbose=true", SCHEMA(Y), 200,
	    "{\"is_compatible\":false,\"messages\":[\"{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', "
	    "description:'The field 'x' at path '/fields/0' in the old schema has no default value and is "
	    "missing in the new schema', "
	    "additionalInfo:'x'}\",\"{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', "
	    "description:'The field 'y' at path '/fields/0' in the new schema has no default value and is "
	    "missing in the old schema', additionalInfo:'y'}\",\"{oldSchemaVersion: 1}\",\"{oldSchema: "
	    "'{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"A\\\",\\\"fields\\\":[" X
	    "]}'}\",\"{validateFields: 'false', compatibility: 'FULL'}\"]}");
	ask("PUT", "/config/s", "{\"compatibility\":\"none\"}", 200, "{\"compatibility\":\"NONE\"}");
	ask("GET", "/config/s", "", 200, "{\"compatibilityLevel\":\"NONE\"}");
	ask("POST", "/subjects/s/versions", SCHEMA(X "," Y), 200,
	    "{\"id\":2,\"version\":2,\"guid\":\"*\",\"schemaType\":\"AVRO\",\"schema\":\"" A X "," Y "]}\"}");
}

static void says_what_is_not_there_in_confluents_words(void **state)
{
	(void)state;
	ask("GET", "/subjects/s/versions", "", 404,
	    "{\"error_code\":40401,\"message\":\"Subject 's' not found.\"}");
	ask("GET", "/schemas/ids/7", "", 404, "{\"error_code\":40403,\"message\":\"Schema 7 not found\"}");
	ask("GET", "/config/s", "", 404,
	    "{\"error_code\":40408,\"message\":\"Subject 's' does not have subject-level compatibility "
	    "configured\"}");
	ask("GET", "/config", "", 200, "{\"compatibilityLevel\":\"BACKWARD\"}");
	ask("GET", "/mode", "", 200, "{\"mode\":\"READWRITE\"}");
	ask("POST", "/subjects/s/versions", "{\"schema\":\"\"}", 422,
	    "{\"error_code\":42201,\"message\":\"Empty schema\"}");
	ask("PUT", "/config", "{\"compatibility\":\"UP\"}", 422,
	    "{\"error_code\":42203,\"message\":\"Invalid compatibility level. Valid values are none, "
	    "backward, forward, "
	    "full, backward_transitive, forward_transitive, and full_transitive\"}");
	ask("GET", "/nowhere", "", 404,
	    "{\"error_code\":404,\"message\":\"HTTP 404 Not found: there is nothing at this path\"}");
}

static void deletes_softly_first(void **state)
{
	(void)state;
	ask("POST", "/subjects/s/versions", SCHEMA(X), 200,
	    "{\"id\":1,\"version\":1," X_GUID "\"schema\":" X_TEXT "}");
	ask("DELETE", "/subjects/s?permanent=true", "", 404,
	    "{\"error_code\":40405,\"message\":\"Subject 's' was not deleted first before being permanently "
	    "deleted\"}");
	ask("DELETE", "/subjects/s/versions/1", "", 200, "1");
	ask("DELETE", "/subjects/s/versions/1", "", 404,
	    "{\"error_code\":40406,\"message\":\"Subject 's' Version 1 was soft deleted.Set permanent=true "
	    "to delete "
	    "permanently\"}");
	ask("GET", "/subjects?deleted=true", "", 200, "[\"s\"]");
	ask("GET", "/subjects", "", 200, "[]");
	ask("POST", "/subjects/s/versions", SCHEMA(X), 200,
	    "{\"id\":1,\"version\":2," X_GUID "\"schema\":" X_TEXT "}");
	ask("DELETE", "/subjects/s", "", 200, "[2]");
	/* version 1 had the same id: it went when the schema was registered anew */
	ask("DELETE", "/subjects/s?permanent=true", "", 200, "[2]");
	ask("GET", "/subjects?deleted=true", "", 200, "[]");
	/* the id is gone with its versions, and is not given again */
	ask("POST", "/subjects/u/versions", SCHEMA(X "," Y), 200,
	    "{\"id\":2,\"version\":1,\"guid\":\"*\",\"schemaType\":\"AVRO\",\"schema\":\"" A X "," Y "]}\"}");
}

static void refuses_subjects_that_could_not_be_read_back(void **state)
{
	static const char *const path[] = { "/subjects/%ff/versions", "/config/a%c3", "/mode/a%0ab" };
	static const char *const method[] = { "POST", "PUT", "PUT" };
	static const char *const body[] = { SCHEMA(X), "{\"compatibility\":\"NONE\"}",
					    "{\"mode\":\"READONLY\"}" };
	/* What is no UTF-8 is refused by HTTP already. */
	static const int status[] = { 400, 400, 422 };
	static const char *const code[] = { "\"error_code\":400", "\"error_code\":400", "\"error_code\":42208" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(path); i++) {
		struct bus_buf b = { 0 };
		char url[256];
		int got = 0;

		snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", bus_http_port(f.http), path[i]);
		assert_int_equal(bus_client_request(method[i], url, NULL, SCHEMA_REGISTRY_TYPE,
						    bus_str(body[i]), 20000, &got, &b, NULL),
				 BUS_OK);
		assert_int_equal(got, status[i]);
		assert_non_null(strstr(bus_buf_cstr(&b), code[i]));
		bus_buf_release(&b);
	}
	assert_int_equal(schema_store_next_offset(f.r.store), 0);
}

static void after_the_last_version_none_is_given(void **state)
{
	const struct bus_producer_conf conf = { .kafka = f.m.kafka };
	const struct bus_str key = BUS_STR("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2147483647,"
					   "\"magic\":1}");
	const struct bus_str value = BUS_STR(
	    "{\"subject\":\"s\",\"version\":2147483647,\"id\":1,\"schema\":\"" A X "]}\",\"deleted\":false}");
	struct bus_producer *p;

	(void)state;
	assert_int_equal(bus_producer_open(&conf, &p, NULL), BUS_OK);
	assert_int_equal(bus_producer_send(p, TOPIC, 0, key, &value, NULL, 0, 0, 1, 5000, NULL), BUS_OK);
	assert_int_equal(bus_producer_flush(p, 5000, NULL), BUS_OK);
	bus_producer_close(&p);
	assert_int_equal(schema_store_catch_up(f.r.store, 5000, NULL), BUS_OK);
	ask("POST", "/subjects/s/versions", SCHEMA(X "," Y0), 500,
	    "{\"error_code\":50001,\"message\":\"No version of 's' is left\"}");
}

/* --- changes that wait together --- */

struct post {
	const char *path, *body;
	pthread_t thread;
	int status;
	struct bus_buf answer;
};

static void *post(void *ctx)
{
	struct post *p = ctx;
	char url[256];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", bus_http_port(f.http), p->path);
	if (bus_client_request("POST", url, NULL, SCHEMA_REGISTRY_TYPE, bus_str(p->body), 20000, &p->status,
			       &p->answer, NULL) != BUS_OK)
		p->status = -1;
	return NULL;
}

static double queued(void)
{
	return bus_metric_get(
	    bus_metric("titian_registry_queue", "gauge", "Changes that wait for the writer.", ""));
}

/* While a first change is being committed the others gather in the queue, in this order. */
static void post_together(struct post *many, const char *const *answer, size_t n)
{
	struct post first = { .path = "/subjects/first/versions", .body = "{\"schema\":\"\\\"int\\\"\"}" };

	rd_kafka_mock_broker_set_rtt(f.m.cluster, 1, 200);
	pthread_create(&first.thread, NULL, post, &first);
	usleep(100000); /* it is being committed: without that the test proves less, and passes */
	for (size_t i = 0; i < n; i++) {
		double before = queued();

		pthread_create(&many[i].thread, NULL, post, &many[i]);
		for (int tries = 0; queued() == before && tries < 1000; tries++)
			usleep(1000);
	}
	pthread_join(first.thread, NULL);
	assert_int_equal(first.status, 200);
	bus_buf_release(&first.answer);
	for (size_t i = 0; i < n; i++) {
		pthread_join(many[i].thread, NULL);
		if (many[i].status != 200 ||
		    strncmp(bus_buf_cstr(&many[i].answer), answer[i], strlen(answer[i])) != 0)
			fail_msg("%zu: %d %s\nwanted %s", i, many[i].status, bus_buf_cstr(&many[i].answer),
				 answer[i]);
		bus_buf_release(&many[i].answer);
	}
}

/* The second of them claims its subject, and then meets the text of the first: it waits for the next batch,
 * and the third must still see it. */
static void changes_of_one_batch_see_each_other(void **state)
{
	struct post many[] = { { .path = "/subjects/a/versions", .body = SCHEMA(X) },
			       { .path = "/subjects/b/versions", .body = SCHEMA(X) },
			       { .path = "/subjects/b/versions", .body = SCHEMA(X "," Y0) },
			       { .path = "/subjects/a/versions", .body = SCHEMA(X "," Y0) } };
	const char *const answer[] = { "{\"id\":2,\"version\":1,", "{\"id\":2,\"version\":1,",
				       "{\"id\":3,\"version\":2,", "{\"id\":3,\"version\":2," };

	(void)state;
	post_together(many, answer, BUS_LEN(many));
	ask("GET", "/subjects/b/versions", "", 200, "[1,2]");
}

/* One that brings its id: those behind it must not be given the same. */
static void an_id_that_is_brought_is_not_given_again(void **state)
{
	struct post many[] = { { .path = "/subjects/old/versions",
				 .body = "{\"id\":3,\"version\":1,\"schema\":\"\\\"long\\\"\"}" },
			       { .path = "/subjects/a/versions", .body = SCHEMA(X) },
			       { .path = "/subjects/b/versions", .body = SCHEMA(X "," Y0) } };
	const char *const answer[] = { "{\"id\":3,\"version\":1,", "{\"id\":4,", "{\"id\":5," };

	(void)state;
	ask("PUT", "/mode/old", "{\"mode\":\"IMPORT\"}", 200, "{\"mode\":\"IMPORT\"}");
	post_together(many, answer, BUS_LEN(many));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_ids_versions_and_texts, start, stop),
		cmocka_unit_test_setup_teardown(refuses_what_old_readers_could_not_read, start, stop),
		cmocka_unit_test_setup_teardown(says_what_is_not_there_in_confluents_words, start, stop),
		cmocka_unit_test_setup_teardown(deletes_softly_first, start, stop),
		cmocka_unit_test_setup_teardown(refuses_subjects_that_could_not_be_read_back, start, stop),
		cmocka_unit_test_setup_teardown(after_the_last_version_none_is_given, start, stop),
		cmocka_unit_test_setup_teardown(changes_of_one_batch_see_each_other, start, stop),
		cmocka_unit_test_setup_teardown(an_id_that_is_brought_is_not_given_again, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
