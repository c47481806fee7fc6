/* Who writes, on librdkafka's mock cluster: several nodes in one process, and beats of nodes that are not
 * there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <unistd.h>

#include "bus/clock.h"
#include "bus/producer.h"
#include "schemas/registry/beat.h"
#include "schemas/registry/nodes.h"
#include "tests/support/mock.h"

#define TOPIC "_schemas_nodes"
#define NODES 3

static struct mock m;

static int start(void **state)
{
	(void)state;
	m = mock_start(1);
	return rd_kafka_mock_topic_create(m.cluster, TOPIC, 1, 1) != 0;
}

static int stop(void **state)
{
	(void)state;
	mock_stop(&m);
	return 0;
}

static struct schema_nodes *open_keyed(const char *url, const uint8_t *key)
{
	const struct schema_nodes_conf conf = { .kafka = m.kafka, .topic = TOPIC, .url = url, .key = key };
	struct schema_nodes *n = NULL;
	struct bus_error err;

	if (schema_nodes_open(&conf, 10000, &n, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return n;
}

static struct schema_nodes *open_node(const char *url)
{
	return open_keyed(url, NULL);
}

static void beat(const char *key, const char *text)
{
	const struct bus_producer_conf conf = { .kafka = m.kafka };
	const struct bus_str value = bus_str(text);
	struct bus_producer *p;

	assert_int_equal(bus_producer_open(&conf, &p, NULL), BUS_OK);
	assert_int_equal(bus_producer_send(p, TOPIC, 0, bus_str(key), &value, NULL, 0, 0, 1, 5000, NULL),
			 BUS_OK);
	assert_int_equal(bus_producer_flush(p, 5000, NULL), BUS_OK);
	bus_producer_close(&p);
}

/* Waits until n sees that writer; ms until then. */
static int64_t await_writer(struct schema_nodes *n, const char *url, int64_t term)
{
	int64_t from = bus_clock_mono_ms();
	struct schema_nodes_view v;

	for (;;) {
		schema_nodes_view(n, &v);
		if (strcmp(v.url, url) == 0 && v.term >= term)
			return bus_clock_mono_ms() - from;
		if (bus_clock_mono_ms() - from > 20000)
			fail_msg("the writer is '%s' of term %d, not '%s'", v.url, (int)v.term, url);
		usleep(5000);
	}
}

static void one_of_three_writes_and_the_next_takes_over(void **state)
{
	static const char *const url[NODES] = { "http://a:1", "http://b:1", "http://c:1" };
	struct schema_nodes *n[NODES];
	struct schema_nodes_view v[NODES];
	size_t writers = 0, i;

	(void)state;
	n[0] = open_node(url[0]);
	(void)await_writer(n[0], url[0], 1);
	for (i = 1; i < NODES; i++)
		n[i] = open_node(url[i]);
	for (i = 0; i < NODES; i++)
		(void)await_writer(n[i], url[0], 1);
	for (i = 0; i < NODES; i++) {
		schema_nodes_view(n[i], &v[i]);
		assert_false(v[i].active);
		writers += v[i].role == SCHEMA_NODE_WRITER;
	}
	assert_int_equal(writers, 1);
	schema_nodes_set_active(n[0], v[0].term, true);
	do
		schema_nodes_view(n[2], &v[2]);
	while (!v[2].active || v[2].live < NODES);
	schema_nodes_close(&n[0]);
	assert_in_range(await_writer(n[2], url[1], v[2].term + 1), 0, 1500);
	schema_nodes_close(&n[1]);
	assert_in_range(await_writer(n[2], url[2], v[2].term + 2), 0, 1500);
	schema_nodes_close(&n[2]);
}

static void a_silent_writer_is_replaced_after_five_beats(void **state)
{
	struct schema_nodes *n;

	(void)state;
	beat("http://dead:1", "{\"node\":\"http://dead:1 0a\",\"url\":\"http://dead:1\",\"term\":7,\"state\":"
			      "\"writer\"}");
	n = open_node("http://b:1");
	assert_in_range(await_writer(n, "http://b:1", 8), 1200, 5000);
	schema_nodes_close(&n);
}

static void who_comes_back_writes_at_once(void **state)
{
	struct schema_nodes *n;

	(void)state;
	beat("http://b:1",
	     "{\"node\":\"http://b:1 0a\",\"url\":\"http://b:1\",\"term\":7,\"state\":\"writer\"}");
	n = open_node("http://b:1");
	assert_in_range(await_writer(n, "http://b:1", 8), 0, 1100);
	schema_nodes_close(&n);
}

static void the_first_claim_of_a_term_has_it(void **state)
{
	struct schema_nodes_view v;
	struct schema_nodes *n;

	(void)state;
	beat("http://a:1",
	     "{\"node\":\"http://a:1 0a\",\"url\":\"http://a:1\",\"term\":3,\"state\":\"candidate\"}");
	beat("http://b:1",
	     "{\"node\":\"http://b:1 0b\",\"url\":\"http://b:1\",\"term\":3,\"state\":\"candidate\"}");
	beat("http://b:1",
	     "{\"node\":\"http://b:1 0b\",\"url\":\"http://b:1\",\"term\":2,\"state\":\"writer\"}");
	beat("x", "no beat at all");
	beat("x", "{\"node\":7,\"url\":\"http://x:1\",\"term\":9,\"state\":\"writer\"}");
	beat("x", "{\"node\":\"x\",\"url\":\"http://x:1\",\"term\":-9,\"state\":\"writer\"}");
	beat("x", "{\"node\":\"x\",\"url\":\"http://x:1\",\"term\":9,\"state\":\"king\"}");
	n = open_node("http://c:1");
	(void)await_writer(n, "http://a:1", 3);
	schema_nodes_view(n, &v);
	assert_int_equal(v.term, 3);
	schema_nodes_close(&n);
}

static void forged(const char *url, long long term)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"node\":\"%s aaaaaa\",\"url\":\"%s\",\"term\":%lld,\"state\":\"writer\"}", url, url,
		 term);
	beat(url, text);
}

static void a_term_out_of_reach_is_none(void **state)
{
	struct schema_nodes_view v;
	struct schema_nodes *n;

	(void)state;
	forged("http://evil:1", INT64_MAX);
	forged("http://evil:1", INT32_MAX);
	forged("http://evil:1", 2 + SCHEMA_TERM_SLACK + 1); /* at offset 2 */
	beat("evil", "{\"node\":\"http://e:1 a\",\"url\":\"http://e:1\",\"term\":60,\"state\":\"writer\"}");
	beat("http://e:1", "{\"node\":\"f a\",\"url\":\"http://e:1\",\"term\":60,\"state\":\"writer\"}");
	forged("http://u:p@e:1", 60);
	forged("file:///e", 60);
	n = open_node("http://b:1");
	(void)await_writer(n, "http://b:1", 1);
	forged("http://evil:1", INT64_MAX);
	assert_int_equal(schema_nodes_catch_up(n, 5000, NULL), BUS_OK);
	schema_nodes_view(n, &v);
	assert_int_equal(v.role, SCHEMA_NODE_WRITER);
	assert_int_equal(v.term, 1);
	schema_nodes_close(&n);
}

/* Before the node is there, and under its eyes. */
static void the_highest_term_disturbs_until_it_is_silent(void **state)
{
	struct schema_nodes *n;

	(void)state;
	forged("http://evil:1", SCHEMA_TERM_SLACK);
	n = open_node("http://b:1");
	(void)await_writer(n, "http://b:1", SCHEMA_TERM_SLACK + 1);
	forged("http://evil:1", SCHEMA_TERM_SLACK + 2);
	(void)await_writer(n, "http://evil:1", SCHEMA_TERM_SLACK + 2);
	(void)await_writer(n, "http://b:1", SCHEMA_TERM_SLACK + 3);
	schema_nodes_close(&n);
}

static void sealed(const uint8_t *key, const char *topic, int64_t term)
{
	const struct schema_beat b = {
		.id = "http://c:1 0c", .url = "http://c:1", .term = term, .state = SCHEMA_BEAT_WRITES
	};
	struct bus_buf text = schema_beat_write(&b, topic, key);

	beat(b.url, bus_buf_cstr(&text));
	bus_buf_release(&text);
}

static void with_a_key_only_sealed_beats_count(void **state)
{
	const uint8_t key[BUS_KEY_LEN] = { 1 }, other[BUS_KEY_LEN] = { 2 };
	struct schema_nodes_view v;
	struct schema_nodes *a, *b;

	(void)state;
	a = open_keyed("http://a:1", key);
	(void)await_writer(a, "http://a:1", 1);
	b = open_keyed("http://b:1", key);
	(void)await_writer(b, "http://a:1", 1);
	forged("http://evil:1", 60);
	sealed(NULL, TOPIC, 60);
	sealed(other, TOPIC, 60);
	sealed(key, "_another_nodes", 60);
	assert_int_equal(schema_nodes_catch_up(b, 5000, NULL), BUS_OK);
	schema_nodes_view(b, &v);
	assert_string_equal(v.url, "http://a:1");
	assert_int_equal(v.term, 1);
	sealed(key, TOPIC, 60);
	(void)await_writer(b, "http://c:1", 60);
	schema_nodes_close(&b);
	schema_nodes_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_of_three_writes_and_the_next_takes_over, start, stop),
		cmocka_unit_test_setup_teardown(a_silent_writer_is_replaced_after_five_beats, start, stop),
		cmocka_unit_test_setup_teardown(who_comes_back_writes_at_once, start, stop),
		cmocka_unit_test_setup_teardown(the_first_claim_of_a_term_has_it, start, stop),
		cmocka_unit_test_setup_teardown(a_term_out_of_reach_is_none, start, stop),
		cmocka_unit_test_setup_teardown(the_highest_term_disturbs_until_it_is_silent, start, stop),
		cmocka_unit_test_setup_teardown(with_a_key_only_sealed_beats_count, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
