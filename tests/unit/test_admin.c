#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/admin.h"
#include "bus/admin_look.h"
#include "bus/clock.h"
#include "bus/consumer_group.h"
#include "bus/log.h"
#include "tests/support/mock.h"

static void tells_a_topics_partitions_and_the_cluster(void **state)
{
	struct mock m = mock_start(1);
	struct bus_error err;
	char cluster[64] = "";
	int32_t n = 0;

	(void)state;
	assert_int_equal(rd_kafka_mock_topic_create(m.cluster, "pku.dinas.uji.v1", 6, 1), 0);
	assert_int_equal(bus_admin_partitions(&m.kafka, "pku.dinas.uji.v1", &n, cluster, 5000, &err), BUS_OK);
	assert_int_equal(n, 6);
	assert_true(strlen(cluster) > 0);
	mock_stop(&m);
}

static void count_topic(void *ctx, const char *topic, int32_t partitions)
{
	if (strcmp(topic, "a") == 0 || strcmp(topic, "b") == 0)
		*(int *)ctx += partitions;
}

static void says_so_when_nobody_answers(void **state)
{
	struct bus_kafka_conf nobody = { .bootstrap = "127.0.0.1:1" };
	struct bus_topic_spec spec = { .name = "pku.dinas.uji.v1", .partitions = 1, .replication = 1 };
	int64_t from = bus_clock_mono_ms();
	struct bus_error err;
	size_t created;
	int32_t n;
	int made = 0;

	(void)state;
	assert_int_equal(bus_admin_partitions(&nobody, "pku.dinas.uji.v1", &n, NULL, 500, &err),
			 BUS_ETIMEOUT);
	assert_non_null(strstr(err.text, "pku.dinas.uji.v1"));
	assert_int_equal(bus_admin_create_topics(&nobody, &spec, 1, &created, 500, &err), BUS_ETIMEOUT);
	assert_int_equal(created, 0);
	assert_int_equal(bus_admin_each_topic(&nobody, count_topic, &made, 500, &err), BUS_ETIMEOUT);
	assert_non_null(strstr(err.text, "no answer from Kafka at '127.0.0.1:1'"));
	assert_in_range(bus_clock_mono_ms() - from, 0, 4000);
}

static void refuses_what_is_no_topic_and_no_setting(void **state)
{
	struct bus_kafka_conf nobody = { .bootstrap = "127.0.0.1:1" };
	const char *const config[] = { "cleanup.policy=compact", "retention", NULL };
	struct bus_topic_spec spec = {
		.name = "pku.dinas.uji.v1", .partitions = 1, .replication = 1, .config = config
	};
	struct bus_error err;
	size_t created;

	(void)state;
	assert_int_equal(bus_admin_create_topics(&nobody, &spec, 1, &created, 500, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "'retention' is not name=value"));
	spec.config = NULL;
	spec.partitions = -2;
	assert_int_equal(bus_admin_create_topics(&nobody, &spec, 1, &created, 500, &err), BUS_EINVAL);
}

/* Whichever handle is asked. */
static void names_every_topic(void **state)
{
	struct mock m = mock_start(1);
	struct bus_groups *groups;
	struct bus_look *look;
	struct bus_error err;
	int partitions = 0;

	(void)state;
	assert_int_equal(rd_kafka_mock_topic_create(m.cluster, "a", 2, 1), 0);
	assert_int_equal(rd_kafka_mock_topic_create(m.cluster, "b", 3, 1), 0);
	assert_int_equal(bus_admin_each_topic(&m.kafka, count_topic, &partitions, 5000, &err), BUS_OK);
	assert_int_equal(partitions, 5);
	assert_int_equal(bus_look_open(&m.kafka, &look, &err), BUS_OK);
	assert_int_equal(bus_look_each_topic(look, count_topic, &partitions, 5000, &err), BUS_OK);
	assert_int_equal(partitions, 10);
	bus_look_close(&look);
	assert_int_equal(bus_groups_open(&m.kafka, &groups, &err), BUS_OK);
	assert_int_equal(bus_groups_each_topic(groups, count_topic, &partitions, 5000, &err), BUS_OK);
	assert_int_equal(partitions, 15);
	bus_groups_close(&groups);
	mock_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_a_topics_partitions_and_the_cluster),
		cmocka_unit_test(says_so_when_nobody_answers),
		cmocka_unit_test(refuses_what_is_no_topic_and_no_setting),
		cmocka_unit_test(names_every_topic),
	};

	bus_log_setup(BUS_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
