/* Offsets of groups (bus/consumer_group.h) against librdkafka's mock cluster: what is committed is found again; a broker
 * that is not, or no more, the group's coordinator says so, and the one who asks sees nothing of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bus/consumer_group.h"
#include "tests/support/mock.h"

#define TOPIC "pku.uji.a.v1"
#define OFFSET_COMMIT 8 /* Kafka's number of the request */
#define OFFSET_FETCH 9

static void moved(struct mock *m, int16_t request)
{
	rd_kafka_mock_push_request_errors(m->cluster, request, 3, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
					  RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
					  RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
}

static void a_group_that_moves_is_found_again(void **unused)
{
	struct bus_group_offset said[] = { { TOPIC, 0, 41 }, { TOPIC, 1, 7 } };
	struct bus_group_offset asked[] = { { TOPIC, 0, -1 }, { TOPIC, 1, -1 } };
	struct mock m = mock_start(1);
	struct bus_groups *g;
	struct bus_error err = { 0 };

	(void)unused;
	assert_int_equal(rd_kafka_mock_topic_create(m.cluster, TOPIC, 2, 1), 0);
	assert_int_equal(bus_groups_open(&m.kafka, &g, &err), BUS_OK);
	moved(&m, OFFSET_COMMIT);
	assert_int_equal(bus_groups_commit(g, "g", said, 2, 10000, &err), BUS_OK);
	moved(&m, OFFSET_FETCH);
	assert_int_equal(bus_groups_committed(g, "g", asked, 2, 10000, &err), BUS_OK);
	assert_int_equal(asked[0].offset, 41);
	assert_int_equal(asked[1].offset, 7);
	bus_groups_close(&g);
	mock_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_group_that_moves_is_found_again) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
