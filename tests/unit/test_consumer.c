#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "bus/consumer.h"
#include "bus/log.h"
#include "bus/producer.h"
#include "tests/support/mock.h"

#define LIST_OFFSETS 2 /* Kafka's ApiKey */
#define TOPIC "pku.dinas.uji.v1"

static struct mock start(int partitions)
{
	struct mock m = mock_start(1);

	assert_int_equal(rd_kafka_mock_topic_create(m.cluster, TOPIC, partitions, 1), 0);
	return m;
}

static void fill(const struct mock *m, int32_t partition, int n, size_t size)
{
	struct bus_producer_conf conf = { .kafka = m->kafka };
	struct bus_producer *p = NULL;
	struct bus_error err;
	char *text = calloc(1, size + 1);
	int i;

	assert_int_equal(bus_producer_open(&conf, &p, &err), BUS_OK);
	for (i = 0; i < n; i++) {
		struct bus_str value = { text, size };
		struct bus_header header[] = { { BUS_STR("no"), BUS_STR("1") }, { BUS_STR("isi"), value } };

		snprintf(text, size + 1, "%d", i);
		assert_int_equal(bus_producer_send(p, TOPIC, partition, BUS_STR("k"), &value, header,
						   (size_t)(i % 3), 0, (uint64_t)i + 1, 10000, &err),
				 BUS_OK);
	}
	assert_int_equal(bus_producer_flush(p, 10000, &err), BUS_OK);
	bus_producer_close(&p);
	free(text);
}

static struct bus_consumer *open_consumer(const struct mock *m, int64_t queue_bytes)
{
	struct bus_consumer_conf conf = { .kafka = m->kafka, .queue_bytes = queue_bytes };
	struct bus_consumer *c = NULL;
	struct bus_error err = { 0 };

	if (bus_consumer_open(&conf, &c, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return c;
}

static void reads_on_from_the_offset_it_is_given(void **state)
{
	struct mock m = start(2);
	struct bus_consumer *c;
	struct bus_record r[64];
	struct bus_error err;
	int64_t next, begin, end, expected[2] = { 40, 0 };
	size_t n, i;

	(void)state;
	fill(&m, 0, 100, 20);
	fill(&m, 1, 30, 20);
	c = open_consumer(&m, 0);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 0, 40, 11, &err), BUS_OK);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 1, BUS_OFFSET_BEGIN, 12, &err), BUS_OK);
	while (expected[0] < 100 || expected[1] < 30) {
		assert_int_equal(bus_consumer_poll(c, r, 64, &n, 5000, &err), BUS_OK);
		for (i = 0; i < n; i++) {
			int64_t offset = expected[r[i].partition]++;
			char text[32];

			assert_int_equal(r[i].offset, offset);
			assert_int_equal(r[i].slot, 11 + r[i].partition);
			assert_string_equal(r[i].topic, TOPIC);
			snprintf(text, sizeof(text), "%lld", (long long)offset);
			assert_memory_equal(r[i].value.p, text, strlen(text));
			assert_int_equal(r[i].n_headers, offset % 3);
			if (r[i].n_headers > 0)
				assert_true(bus_str_is(r[i].header[0].name, "no"));
			if (r[i].n_headers > 1)
				assert_true(bus_str_eq(r[i].header[1].value, r[i].value));
		}
	}
	assert_int_equal(bus_consumer_position(c, TOPIC, 0, &next, &err), BUS_OK);
	assert_int_equal(next, 100);
	assert_int_equal(bus_consumer_bounds(c, TOPIC, 1, &begin, &end, 5000, &err), BUS_OK);
	assert_int_equal(begin, 0);
	assert_int_equal(end, 30);
	assert_int_equal(bus_consumer_at_time(c, TOPIC, 1, BUS_TIME_END, &end, 5000, &err), BUS_OK);
	assert_int_equal(end, 30);
	assert_int_equal(bus_consumer_poll(c, r, 64, &n, 50, &err), BUS_OK);
	assert_int_equal(n, 0);
	fill(&m, 1, 1, 20); /* goes on where the end was */
	do
		assert_int_equal(bus_consumer_poll(c, r, 64, &n, 5000, &err), BUS_OK);
	while (n == 0);
	assert_int_equal(r[0].offset, 30);
	bus_consumer_close(&c);
	assert_null(c);
	mock_stop(&m);
}

static void a_question_about_the_end_is_over_in_time_while_the_broker_is_away(void **state)
{
	struct mock m = start(1);
	struct bus_consumer *c = open_consumer(&m, 0);
	struct bus_error err;
	int64_t begin, end, begun;

	(void)state;
	fill(&m, 0, 3, 20);
	assert_int_equal(bus_consumer_at_time(c, TOPIC, 0, BUS_TIME_END, &end, 5000, &err), BUS_OK);
	assert_int_equal(end, 3);
	rd_kafka_mock_broker_set_down(m.cluster, 1);
	begun = bus_clock_mono_ms();
	assert_int_not_equal(bus_consumer_at_time(c, TOPIC, 0, BUS_TIME_END, &end, 500, &err), BUS_OK);
	assert_int_not_equal(bus_consumer_bounds(c, TOPIC, 0, &begin, &end, 500, &err), BUS_OK);
	assert_true(bus_clock_mono_ms() - begun < 10000);
	bus_consumer_close(&c);
	mock_stop(&m);
}

static void a_partition_without_a_leader_is_asked_again(void **state)
{
	struct mock m = start(1);
	struct bus_consumer *c = open_consumer(&m, 0);
	struct bus_error err;
	int64_t begin, end;

	(void)state;
	fill(&m, 0, 3, 20);
	rd_kafka_mock_push_request_errors(
	    m.cluster, LIST_OFFSETS, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
	    RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
	assert_int_equal(bus_consumer_bounds(c, TOPIC, 0, &begin, &end, 10000, &err), BUS_OK);
	assert_int_equal(begin, 0);
	assert_int_equal(end, 3);
	bus_consumer_close(&c);
	mock_stop(&m);
}

static void knows_the_end_of_an_empty_partition(void **state)
{
	struct mock m = start(1);
	struct bus_consumer *c = open_consumer(&m, 0);
	struct bus_record r[4];
	struct bus_error err;
	int64_t next, until = bus_clock_mono_ms() + 5000;
	size_t n;

	(void)state;
	assert_int_equal(bus_consumer_position(c, TOPIC, 0, &next, &err), BUS_ENOENT);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 0, BUS_OFFSET_BEGIN, 0, &err), BUS_OK);
	assert_int_equal(bus_consumer_position(c, TOPIC, 0, &next, &err), BUS_OK);
	assert_int_equal(next, BUS_OFFSET_BEGIN);
	while (next < 0 && bus_clock_mono_ms() < until) {
		assert_int_equal(bus_consumer_poll(c, r, 4, &n, 100, &err), BUS_OK);
		assert_int_equal(bus_consumer_position(c, TOPIC, 0, &next, &err), BUS_OK);
	}
	assert_int_equal(next, 0);
	bus_consumer_close(&c);
	mock_stop(&m);
}

/* Polls until an error comes. */
static enum bus_err poll_error(struct bus_consumer *c, size_t *records, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + 8000;
	struct bus_record r[16];
	enum bus_err rc = BUS_OK;
	size_t n;

	*records = 0;
	while (rc == BUS_OK && bus_clock_mono_ms() < until) {
		rc = bus_consumer_poll(c, r, 16, &n, 100, err);
		*records += n;
	}
	return rc;
}

static void an_offset_that_is_not_there_is_told_and_never_skipped(void **state)
{
	struct mock m = start(2);
	struct bus_consumer *c;
	struct bus_record r[16];
	struct bus_error err;
	size_t n;

	(void)state;
	fill(&m, 0, 10, 20);
	fill(&m, 1, 5, 20);
	c = open_consumer(&m, 0);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 0, 500, 0, &err), BUS_OK);
	assert_int_equal(poll_error(c, &n, &err), BUS_ECONFLICT);
	assert_int_equal(n, 0);
	assert_non_null(strstr(err.text, "topic '" TOPIC "', partition 0"));
	/* told once; the others go on; after a new assignment it is read again */
	assert_int_equal(bus_consumer_poll(c, r, 16, &n, 100, &err), BUS_OK);
	assert_int_equal(n, 0);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 1, 0, 0, &err), BUS_OK);
	do
		assert_int_equal(bus_consumer_poll(c, r, 16, &n, 5000, &err), BUS_OK);
	while (n == 0);
	assert_int_equal(r[0].partition, 1);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 0, 8, 0, &err), BUS_OK);
	do
		assert_int_equal(bus_consumer_poll(c, r, 16, &n, 5000, &err), BUS_OK);
	while (n == 0 || r[0].partition == 1);
	assert_int_equal(r[0].offset, 8);
	bus_consumer_close(&c);
	mock_stop(&m);
}

static void a_partition_taken_away_gives_nothing_more(void **state)
{
	struct mock m = start(2);
	struct bus_consumer *c;
	struct bus_record r[5];
	struct bus_error err;
	size_t n, total = 0;

	(void)state;
	fill(&m, 0, 1000, 20);
	fill(&m, 1, 100, 20);
	c = open_consumer(&m, 0);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 0, 0, 0, &err), BUS_OK);
	do
		assert_int_equal(bus_consumer_poll(c, r, 5, &n, 5000, &err), BUS_OK);
	while (n == 0);
	assert_int_equal(bus_consumer_unassign(c, TOPIC, 0, &err), BUS_OK);
	assert_int_equal(bus_consumer_unassign(c, TOPIC, 0, &err), BUS_ENOENT);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 1, 0, 0, &err), BUS_OK);
	while (total < 100) {
		assert_int_equal(bus_consumer_poll(c, r, 5, &n, 5000, &err), BUS_OK);
		total += n;
		for (; n > 0; n--)
			assert_int_equal(r[n - 1].partition, 1);
	}
	bus_consumer_close(&c);
	mock_stop(&m);
}

static void a_small_queue_does_not_stall(void **state)
{
	struct mock m = start(1);
	struct bus_consumer *c;
	struct bus_record r[500];
	struct bus_error err;
	int64_t from;
	size_t n, total = 0;

	(void)state;
	fill(&m, 0, 8000, 2000); /* 16 MB through a queue of 1 MiB: 15 s, were it looked at once a second */
	c = open_consumer(&m, 1024 * 1024);
	from = bus_clock_mono_ms();
	assert_int_equal(bus_consumer_assign(c, TOPIC, 0, 0, 0, &err), BUS_OK);
	while (total < 8000) {
		assert_int_equal(bus_consumer_poll(c, r, 500, &n, 5000, &err), BUS_OK);
		total += n;
	}
	assert_in_range(bus_clock_mono_ms() - from, 0, 7000);
	bus_consumer_close(&c);
	mock_stop(&m);
}

static void waits_while_no_broker_answers(void **state)
{
	struct mock m = start(1);
	struct bus_consumer *c;
	struct bus_record r[16];
	struct bus_error err;
	size_t n;
	int i;

	(void)state;
	fill(&m, 0, 3, 20);
	rd_kafka_mock_broker_set_down(m.cluster, 1);
	c = open_consumer(&m, 0);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 0, 0, 0, &err), BUS_OK);
	for (i = 0; i < 5; i++) {
		assert_int_equal(bus_consumer_poll(c, r, 16, &n, 100, &err), BUS_OK);
		assert_int_equal(n, 0);
	}
	rd_kafka_mock_broker_set_up(m.cluster, 1);
	do
		assert_int_equal(bus_consumer_poll(c, r, 16, &n, 8000, &err), BUS_OK);
	while (n == 0);
	assert_int_equal(r[0].offset, 0);
	bus_consumer_close(&c);
	mock_stop(&m);
}

static void tells_cluster_and_partitions(void **state)
{
	struct mock m = start(3);
	struct bus_consumer *c = open_consumer(&m, 0);
	struct bus_error err;
	char id[64];
	int32_t n;

	(void)state;
	assert_int_equal(bus_consumer_partitions(c, TOPIC, &n, 5000, &err), BUS_OK);
	assert_int_equal(n, 3);
	assert_int_equal(bus_consumer_cluster_id(c, id, sizeof(id), 5000, &err), BUS_OK);
	assert_true(strlen(id) > 0);
	assert_int_equal(bus_consumer_cluster_id(c, id, 2, 5000, &err), BUS_EDATA);
	bus_consumer_close(&c);
	mock_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_on_from_the_offset_it_is_given),
		cmocka_unit_test(a_question_about_the_end_is_over_in_time_while_the_broker_is_away),
		cmocka_unit_test(a_partition_without_a_leader_is_asked_again),
		cmocka_unit_test(knows_the_end_of_an_empty_partition),
		cmocka_unit_test(an_offset_that_is_not_there_is_told_and_never_skipped),
		cmocka_unit_test(a_partition_taken_away_gives_nothing_more),
		cmocka_unit_test(a_small_queue_does_not_stall),
		cmocka_unit_test(waits_while_no_broker_answers),
		cmocka_unit_test(tells_cluster_and_partitions),
	};

	bus_log_setup(BUS_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
