/* The group's topic read back: what cannot be opened is passed over, and who has a wrong key never leads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bus/clock.h"
#include "bus/consumer.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "gateway/engine/group_log.h"
#include "tests/support/mock.h"

#define TOPIC "_group"
#define WAIT_MS 10000

static const uint8_t right[BUS_KEY_LEN] = { 1 }, wrong[BUS_KEY_LEN] = { 2 };
static const struct gw_group_place begin = { .offset = BUS_OFFSET_BEGIN };

static int64_t wrote; /* records in the topic */

static struct mock start(void)
{
	struct mock m = mock_start(1);

	assert_int_equal(rd_kafka_mock_topic_create(m.cluster, TOPIC, 1, 1), 0);
	wrote = 0;
	return m;
}

static struct gw_group_log *open_log(const struct mock *m, const uint8_t *key, uint64_t node,
				     const char *name, const struct gw_group_place *from)
{
	struct gw_group_log *l = NULL;
	struct bus_error err = { 0 };

	if (gw_group_log_open(&m->kafka, TOPIC, key, node, name, from, &l, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return l;
}

static void put(struct gw_group_log *l, enum gw_group_kind kind, uint64_t node, uint64_t epoch,
		const char *name)
{
	struct gw_group_record r = { .kind = kind, .node = node, .epoch = epoch, .store = 7 };
	struct bus_buf b = { 0 };

	snprintf(r.name, sizeof(r.name), "%s", name);
	gw_group_put_record(&b, &r);
	assert_int_equal(gw_group_log_put(l, bus_buf_str(&b), NULL), BUS_OK);
	assert_int_equal(gw_group_log_flush(l, WAIT_MS, NULL), BUS_OK);
	wrote++;
	bus_buf_release(&b);
}

/* Reads everything that is there; how many records counted. */
static int read_all(struct gw_group_log *l)
{
	struct gw_group_record r;
	struct bus_error err = { 0 };
	int64_t until = bus_clock_mono_ms() + WAIT_MS;
	enum bus_err rc;
	int n = 0;

	do {
		rc = gw_group_log_next(l, 100, &r, &err);
		if (rc != BUS_OK && rc != BUS_ETIMEOUT)
			fail_msg("%s", err.text);
		n += rc == BUS_OK;
		assert_true(bus_clock_mono_ms() < until);
	} while (rc == BUS_OK || !gw_group_log_at_end(l) || gw_group_log_place(l)->offset < wrote);
	return n;
}

static void forge(const struct mock *m, const char *bytes, size_t n)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	char why[256];
	rd_kafka_t *rk;

	rd_kafka_conf_set(c, "bootstrap.servers", m->kafka.bootstrap, why, sizeof(why));
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why));
	assert_non_null(rk);
	assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(TOPIC), RD_KAFKA_V_PARTITION(0),
					   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
					   RD_KAFKA_V_VALUE((void *)(uintptr_t)bytes, n), RD_KAFKA_V_END),
			 0);
	assert_int_equal(rd_kafka_flush(rk, WAIT_MS), 0);
	rd_kafka_destroy(rk);
	wrote++;
}

static double unopened(void)
{
	return bus_metric_get(bus_metric("titian_group_unopened_total", "counter", "", ""));
}

static void what_cannot_be_opened_is_passed_over_and_counted(void **state)
{
	struct mock m = start();
	struct gw_group_log *a = open_log(&m, right, 1, "a", &begin);
	double before = unopened();

	(void)state;
	assert_true(gw_group_log_known(a)); /* an empty log is its to begin */
	put(a, GW_GROUP_BEAT, 1, 0, "a");
	forge(&m, "", 0);
	forge(&m, "\1abcdefghijklmnopqrstuvwxyz0123456789", 37);
	put(a, GW_GROUP_CLAIM, 1, 1, "a");
	forge(&m, "x", 1);
	put(a, GW_GROUP_BEAT, 1, 1, "a");
	assert_int_equal(read_all(a), 3);
	assert_true(unopened() - before == 3);
	assert_int_equal(gw_group_log_place(a)->epoch, 1);
	assert_int_equal(gw_group_log_place(a)->leader, 1);
	assert_true(gw_group_log_known(a) && gw_group_log_at_end(a));
	gw_group_log_close(&a);
	mock_stop(&m);
}

static void who_has_another_key_does_not_lead_after_a_restart_either(void **state)
{
	struct mock m = start();
	struct gw_group_log *a = open_log(&m, right, 1, "a", &begin);
	struct gw_group_log *b = open_log(&m, wrong, 2, "b", &begin);

	(void)state;
	put(a, GW_GROUP_BEAT, 1, 0, "a");
	put(b, GW_GROUP_BEAT, 2, 0, "b"); /* both began with an empty log */
	put(b, GW_GROUP_CLAIM, 2, 1, "b");
	assert_int_equal(read_all(b), 0);
	assert_false(gw_group_log_known(b));
	assert_int_equal(gw_group_log_place(b)->epoch, 0);
	gw_group_log_close(&b);
	b = open_log(&m, wrong, 3, "b", &begin); /* its own words of an earlier life are no proof */
	read_all(b);
	assert_false(gw_group_log_known(b));
	put(b, GW_GROUP_CLAIM, 3, gw_group_log_place(b)->epoch + 1, "b");
	read_all(b);
	assert_true(gw_group_log_place(b)->leader != 3);
	gw_group_log_close(&b);

	put(a, GW_GROUP_CLAIM, 1, 1, "a");
	read_all(a);
	assert_int_equal(gw_group_log_place(a)->leader, 1);
	gw_group_log_close(&a);
	mock_stop(&m);
}

static void who_comes_later_knows_the_key_by_anothers_beat_or_from_before(void **state)
{
	struct mock m = start();
	struct gw_group_log *a = open_log(&m, right, 1, "a", &begin), *b;
	struct gw_group_place stands;

	(void)state;
	forge(&m, "x", 1); /* before anybody said anything */
	put(a, GW_GROUP_BEAT, 1, 0, "a");
	b = open_log(&m, right, 2, "b", &begin);
	assert_true(gw_group_log_known(b)); /* nothing read yet */
	read_all(b);
	assert_true(gw_group_log_known(b));
	put(b, GW_GROUP_CLAIM, 2, 1, "b");
	read_all(b);
	assert_int_equal(gw_group_log_place(b)->leader, 2);
	stands = *gw_group_log_place(b);
	gw_group_log_close(&b);

	/* Started again at the log's end, with nobody else there. */
	b = open_log(&m, right, 4, "b", &stands);
	assert_true(gw_group_log_known(b));
	put(b, GW_GROUP_CLAIM, 4, 2, "b");
	read_all(b);
	assert_int_equal(gw_group_log_place(b)->leader, 4);
	gw_group_log_close(&b);
	stands.known = false; /* the same with another key than then */
	b = open_log(&m, wrong, 5, "b", &stands);
	assert_false(gw_group_log_known(b));
	gw_group_log_close(&b);
	gw_group_log_close(&a);
	mock_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_opened_is_passed_over_and_counted),
		cmocka_unit_test(who_has_another_key_does_not_lead_after_a_restart_either),
		cmocka_unit_test(who_comes_later_knows_the_key_by_anothers_beat_or_from_before),
	};

	bus_log_setup(BUS_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
