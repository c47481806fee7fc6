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

#define TOPIC "pku.dinas.uji.v1"
#define PRODUCE 0 /* Kafka's numbers of requests */
#define ADD_PARTITIONS 24
#define END_TXN 26

static struct mock start(int partitions)
{
	struct mock m = mock_start(3);

	assert_int_equal(rd_kafka_mock_topic_create(m.cluster, TOPIC, partitions, 3), 0);
	return m;
}

static struct bus_producer *open_producer(const struct mock *m, const char *transactional_id, int window)
{
	struct bus_producer_conf conf = { .kafka = m->kafka,
					  .transactional_id = transactional_id,
					  .window = window };
	struct bus_producer *p = NULL;
	struct bus_error err = { 0 };

	if (bus_producer_open(&conf, &p, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return p;
}

static enum bus_err send_number(struct bus_producer *p, uint64_t number, int partitions, int timeout_ms,
				struct bus_error *err)
{
	char text[32];
	struct bus_str value = { text,
				 (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)number) };
	struct bus_header header[] = { { BUS_STR("titian_seq"), value }, { BUS_STR("kosong"), BUS_STR("") } };

	return bus_producer_send(p, TOPIC, (int32_t)(number % (uint64_t)partitions), BUS_STR("kunci"), &value,
				 header, 2, 1736470800000 + (int64_t)number, number, timeout_ms, err);
}

static void send_range(struct bus_producer *p, uint64_t from, uint64_t to, int partitions)
{
	struct bus_error err = { 0 };

	for (; from <= to; from++)
		if (send_number(p, from, partitions, 10000, &err) != BUS_OK)
			fail_msg("%s", err.text);
}

static void flush(struct bus_producer *p)
{
	struct bus_error err = { 0 };

	if (bus_producer_flush(p, 15000, &err) != BUS_OK)
		fail_msg("%s", err.text);
}

/* Every number 1..n is there; without the repeats each partition is ascending. Returns the records read. */
static uint64_t check_log(const struct mock *m, uint64_t n, int partitions)
{
	struct bus_consumer_conf conf = { .kafka = m->kafka };
	struct bus_consumer *c = NULL;
	struct bus_record r[100];
	struct bus_error err = { 0 };
	uint64_t highest[8] = { 0 }, distinct = 0, seen = 0;
	int64_t until = bus_clock_mono_ms() + 10000;
	size_t i, got;
	int k;

	assert_int_equal(bus_consumer_open(&conf, &c, &err), BUS_OK);
	for (k = 0; k < partitions; k++)
		assert_int_equal(bus_consumer_assign(c, TOPIC, k, BUS_OFFSET_BEGIN, k, &err), BUS_OK);
	while (distinct < n && bus_clock_mono_ms() < until) {
		assert_int_equal(bus_consumer_poll(c, r, 100, &got, 100, &err), BUS_OK);
		for (i = 0; i < got; i++) {
			uint64_t number = strtoull(r[i].value.p, NULL, 10);

			seen++;
			if (number <= highest[r[i].slot])
				continue; /* sent again: a reader drops it by its sequence */
			assert_int_equal(number % (uint64_t)partitions, r[i].partition);
			if (highest[r[i].slot])
				assert_int_equal(number, highest[r[i].slot] + (uint64_t)partitions);
			highest[r[i].slot] = number;
			distinct++;
			assert_int_equal(r[i].timestamp_ms, 1736470800000 + (int64_t)number);
			assert_int_equal(r[i].n_headers, 2);
			assert_true(bus_str_eq(r[i].header[0].value, r[i].value));
		}
	}
	assert_int_equal(distinct, n);
	bus_consumer_close(&c);
	return seen;
}

static void sends_in_order_and_moves_the_watermark(void **state)
{
	struct mock m = start(2);
	struct bus_producer *p = open_producer(&m, NULL, 0);

	(void)state;
	assert_int_equal(bus_producer_acked(p), 0);
	assert_int_equal(bus_producer_offset(p), -1);
	send_range(p, 1, 5000, 2);
	flush(p);
	assert_int_equal(bus_producer_acked(p), 5000);
	assert_int_equal(bus_producer_offset(p), 2499);
	bus_producer_close(&p);
	assert_null(p);
	assert_int_equal(check_log(&m, 5000, 2), 5000);
	mock_stop(&m);
}

static void sends_a_tombstone_and_an_empty_value(void **state)
{
	struct mock m = start(1);
	struct bus_producer *p = open_producer(&m, NULL, 0);
	struct bus_consumer_conf conf = { .kafka = m.kafka };
	struct bus_consumer *c = NULL;
	struct bus_str empty = BUS_STR(""), null = { NULL, 0 };
	struct bus_record r[10];
	struct bus_error err;
	size_t n, k;

	(void)state;
	assert_int_equal(bus_producer_send(p, TOPIC, 0, BUS_STR("a"), NULL, NULL, 0, 0, 1, 1000, &err),
			 BUS_OK);
	assert_int_equal(bus_producer_send(p, TOPIC, 0, BUS_STR("b"), &null, NULL, 0, 0, 2, 1000, &err),
			 BUS_OK);
	assert_int_equal(bus_producer_send(p, TOPIC, 0, null, &empty, NULL, 0, 0, 3, 1000, &err), BUS_OK);
	flush(p);
	bus_producer_close(&p);
	assert_int_equal(bus_consumer_open(&conf, &c, &err), BUS_OK);
	assert_int_equal(bus_consumer_assign(c, TOPIC, 0, 0, 7, &err), BUS_OK);
	for (n = 0; n < 3; n += k) {
		assert_int_equal(bus_consumer_poll(c, r, 1, &k, 5000, &err), BUS_OK);
		if (k == 0)
			continue;
		assert_int_equal(r[0].tombstone, n < 2);
		assert_int_equal(r[0].n_headers, 0);
		assert_int_equal(r[0].key.p != NULL, n < 2);
	}
	bus_consumer_close(&c);
	mock_stop(&m);
}

static void a_dead_handle_is_replaced_and_nothing_is_lost(void **state)
{
	struct mock m = start(2);
	struct bus_producer *p = open_producer(&m, NULL, 0);
	struct rd_kafka_s *dead;

	(void)state;
	send_range(p, 1, 300, 2);
	flush(p);
	rd_kafka_mock_broker_set_rtt(m.cluster, 1, 100); /* so that records are in flight */
	rd_kafka_mock_broker_set_rtt(m.cluster, 2, 100);
	rd_kafka_mock_broker_set_rtt(m.cluster, 3, 100);
	send_range(p, 301, 700, 2);
	bus_producer_poll(p, 30);
	dead = bus_producer_handle(p);
	rd_kafka_test_fatal_error(dead, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "injected");
	send_range(p, 701, 1000, 2);
	flush(p);
	assert_int_equal(bus_producer_acked(p), 1000);
	/* twice in a row, and with nothing in flight */
	rd_kafka_test_fatal_error(bus_producer_handle(p), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
				  "again");
	rd_kafka_mock_broker_set_rtt(m.cluster, 1, 0);
	rd_kafka_mock_broker_set_rtt(m.cluster, 2, 0);
	rd_kafka_mock_broker_set_rtt(m.cluster, 3, 0);
	send_range(p, 1001, 1010, 2);
	flush(p);
	assert_int_equal(bus_producer_acked(p), 1010);
	bus_producer_close(&p);
	check_log(&m, 1010, 2);
	mock_stop(&m);
}

static void too_few_replicas_and_cut_connections_lose_nothing(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
		RD_KAFKA_RESP_ERR__TRANSPORT,
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
		RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
	};
	struct mock m = start(1);
	struct bus_producer *p = open_producer(&m, NULL, 0);
	uint64_t i;

	(void)state;
	send_range(p, 1, 10, 1);
	flush(p);
	rd_kafka_mock_push_request_errors_array(m.cluster, PRODUCE, BUS_LEN(errors), errors);
	for (i = 11; i <= 60; i++) {
		send_range(p, i, i, 1);
		if (i % 10 == 0)
			bus_producer_poll(p, 20); /* several batches */
	}
	flush(p);
	assert_int_equal(bus_producer_acked(p), 60);
	bus_producer_close(&p);
	check_log(&m, 60, 1);
	mock_stop(&m);
}

static void a_full_window_says_so_and_empties_later(void **state)
{
	struct mock m = start(1);
	struct bus_producer *p = open_producer(&m, NULL, 50);
	struct bus_error err;
	uint64_t i;

	(void)state;
	send_range(p, 1, 1, 1);
	flush(p);
	for (i = 1; i <= 3; i++)
		rd_kafka_mock_broker_set_down(m.cluster, (int32_t)i);
	send_range(p, 2, 51, 1);
	assert_int_equal(send_number(p, 52, 1, 100, &err), BUS_EFULL);
	assert_int_equal(bus_producer_acked(p), 1);
	assert_int_equal(bus_producer_flush(p, 100, &err), BUS_ETIMEOUT);
	for (i = 1; i <= 3; i++)
		rd_kafka_mock_broker_set_up(m.cluster, (int32_t)i);
	send_range(p, 52, 60, 1);
	flush(p);
	assert_int_equal(bus_producer_acked(p), 60);
	bus_producer_close(&p);
	check_log(&m, 60, 1);
	mock_stop(&m);
}

static void a_record_that_is_never_taken_ends_the_producer(void **state)
{
	struct mock m = start(1);
	struct bus_producer *p = open_producer(&m, NULL, 0);
	struct bus_error err;

	(void)state;
	send_range(p, 1, 3, 1);
	flush(p);
	rd_kafka_mock_push_request_errors(m.cluster, PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	send_range(p, 4, 4, 1);
	assert_int_equal(bus_producer_flush(p, 5000, &err), BUS_EDENIED);
	assert_non_null(strstr(err.text, TOPIC));
	assert_int_equal(send_number(p, 5, 1, 100, &err), BUS_EDENIED);
	assert_int_equal(bus_producer_acked(p), 3);
	bus_producer_close(&p);
	mock_stop(&m);
}

static void refuses_a_record_larger_than_a_message_may_be(void **state)
{
	struct mock m = start(1);
	struct bus_producer *p = open_producer(&m, NULL, 0);
	struct bus_str big = { calloc(1, 2000000), 2000000 };
	struct bus_error err;

	(void)state;
	assert_int_equal(bus_producer_send(p, TOPIC, 0, BUS_STR("k"), &big, NULL, 0, 0, 1, 100, &err),
			 BUS_ETOOBIG);
	send_range(p, 1, 2, 1);
	flush(p);
	assert_int_equal(bus_producer_acked(p), 2);
	free((void *)(uintptr_t)big.p);
	bus_producer_close(&p);
	mock_stop(&m);
}

static void a_transaction_counts_when_it_is_committed(void **state)
{
	struct mock m = start(1);
	struct bus_producer *p = open_producer(&m, "titian-registry", 0);
	int i;

	(void)state;
	send_range(p, 1, 5, 1);
	for (i = 0; i < 20; i++)
		bus_producer_poll(p, 10);
	assert_int_equal(bus_producer_acked(p), 0);
	flush(p);
	assert_int_equal(bus_producer_acked(p), 5);
	assert_int_equal(bus_producer_offset(p), 4);
	flush(p); /* of nothing */
	send_range(p, 6, 6, 1);
	flush(p);
	assert_int_equal(bus_producer_acked(p), 6);
	bus_producer_close(&p);
	mock_stop(&m);
}

static void a_fenced_producer_says_so_from_then_on(void **state)
{
	struct mock m = start(1);
	struct bus_producer *p = open_producer(&m, "titian-registry", 0);
	struct bus_error err = { 0 };

	(void)state;
	send_range(p, 1, 1, 1);
	flush(p);
	rd_kafka_mock_push_request_errors(m.cluster, END_TXN, 1, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
	send_range(p, 2, 2, 1);
	assert_int_equal(bus_producer_flush(p, 5000, &err), BUS_EFATAL);
	assert_int_equal(send_number(p, 3, 1, 1000, &err), BUS_EFATAL);
	assert_int_equal(bus_producer_acked(p), 1);
	bus_producer_close(&p);
	mock_stop(&m);
}

static void an_aborted_transaction_may_be_sent_again(void **state)
{
	struct mock m = start(1);
	struct bus_producer *p = open_producer(&m, "titian-registry", 0);
	struct bus_error err = { 0 };

	(void)state;
	rd_kafka_mock_push_request_errors(m.cluster, ADD_PARTITIONS, 1,
					  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	send_range(p, 1, 1, 1);
	assert_int_equal(bus_producer_flush(p, 5000, &err), BUS_EKAFKA);
	assert_int_equal(bus_producer_acked(p), 0);
	send_range(p, 1, 1, 1);
	flush(p);
	assert_int_equal(bus_producer_acked(p), 1);
	bus_producer_close(&p);
	mock_stop(&m);
}

static void settings_that_promises_rest_on_cannot_be_changed(void **state)
{
	char *key[] = { (char[]){ "acks" } }, *value[] = { (char[]){ "1" } };
	struct bus_conf_map extra = { key, value, 1 };
	struct bus_producer_conf conf = { .kafka = { .bootstrap = "127.0.0.1:1", .extra = &extra } };
	char *linger[] = { (char[]){ "linger.msec" } };
	struct bus_producer *p = NULL;
	struct bus_error err;

	(void)state;
	assert_int_equal(bus_producer_open(&conf, &p, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "kafka.acks"));
	extra.key = linger;
	assert_int_equal(bus_producer_open(&conf, &p, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "linger.msec"));
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_in_order_and_moves_the_watermark),
		cmocka_unit_test(sends_a_tombstone_and_an_empty_value),
		cmocka_unit_test(a_dead_handle_is_replaced_and_nothing_is_lost),
		cmocka_unit_test(too_few_replicas_and_cut_connections_lose_nothing),
		cmocka_unit_test(a_full_window_says_so_and_empties_later),
		cmocka_unit_test(a_record_that_is_never_taken_ends_the_producer),
		cmocka_unit_test(refuses_a_record_larger_than_a_message_may_be),
		cmocka_unit_test(a_transaction_counts_when_it_is_committed),
		cmocka_unit_test(a_fenced_producer_says_so_from_then_on),
		cmocka_unit_test(an_aborted_transaction_may_be_sent_again),
		cmocka_unit_test(settings_that_promises_rest_on_cannot_be_changed),
	};

	bus_log_setup(BUS_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
