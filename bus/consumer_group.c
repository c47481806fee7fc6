#include "bus/consumer_group.h"

#include <librdkafka/rdkafka.h>
#include <poll.h>

#include "bus/clock.h"
#include "bus/mem.h"

#define AGAIN_MS 100

struct bus_groups {
	rd_kafka_t *rk;
};

enum bus_err bus_groups_open(const struct bus_kafka_conf *conf, struct bus_groups **out,
			     struct bus_error *err)
{
	/* A consumer that joins nothing: a handle without a group of its own dies (SIGSEGV) when a broker answers
	 * NOT_COORDINATOR (librdkafka's issue 5040). */
	static const struct bus_kafka_setting setting[] = {
		{ .name = "group.id", .value = "titian-gateway" },
		{ .name = "enable.auto.commit", .value = "false" },
		{ 0 },
	};
	rd_kafka_t *rk;
	enum bus_err rc = bus_kafka_open(conf, setting, RD_KAFKA_CONSUMER, &rk, err);

	*out = NULL;
	if (rc != BUS_OK)
		return rc;
	*out = bus_xcalloc(1, sizeof(**out));
	(*out)->rk = rk;
	return BUS_OK;
}

void bus_groups_close(struct bus_groups **gp)
{
	struct bus_groups *g = *gp;

	*gp = NULL;
	if (!g)
		return;
	rd_kafka_destroy(g->rk);
	free(g);
}

/* The group has moved to another broker, or moves: it is found there in a moment. */
static bool moves(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
	       code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
	       code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

/* Whether to ask again, after a pause. */
static bool again(enum bus_err rc, bool moving, int64_t until_ms)
{
	if (rc == BUS_OK || !moving || bus_clock_mono_ms() + 2 * AGAIN_MS > until_ms)
		return false;
	(void)poll(NULL, 0, AGAIN_MS);
	return true;
}

static int left(int64_t until_ms)
{
	const int64_t ms = until_ms - bus_clock_mono_ms();

	return ms < 1 ? 1 : (int)ms;
}

static enum bus_err fail(struct bus_error *err, rd_kafka_resp_err_t code, const char *group, const char *why,
			 bool *moving)
{
	enum bus_err ours = bus_kafka_err(code);

	*moving = moves(code);
	if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP ||
	    code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
		ours = BUS_ECONFLICT;
	return bus_fail(err, ours, "consumer group '%s': %s", group, why);
}

/* What the broker says of the one group that was asked about; *list is borrowed from the event. */
static enum bus_err read_group(const rd_kafka_group_result_t **result, size_t n, const char *group,
			       const rd_kafka_topic_partition_list_t **list, bool *moving,
			       struct bus_error *err)
{
	const rd_kafka_error_t *e;

	if (n != 1)
		return bus_fail(err, BUS_EKAFKA, "consumer group '%s': no answer", group);
	e = rd_kafka_group_result_error(result[0]);
	if (e)
		return fail(err, rd_kafka_error_code(e), group, rd_kafka_error_string(e), moving);
	*list = rd_kafka_group_result_partitions(result[0]);
	for (int i = 0; *list && i < (*list)->cnt; i++)
		if ((*list)->elems[i].err)
			return fail(err, (*list)->elems[i].err, group,
				    rd_kafka_err2str((*list)->elems[i].err), moving);
	return BUS_OK;
}

static enum bus_err read_answer(rd_kafka_event_t *event, const char *group,
				const rd_kafka_topic_partition_list_t **list, bool *moving,
				struct bus_error *err)
{
	const rd_kafka_group_result_t **result;
	size_t n = 0;

	if (rd_kafka_event_error(event))
		return fail(err, rd_kafka_event_error(event), group, rd_kafka_event_error_string(event),
			    moving);
	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ALTERCONSUMERGROUPOFFSETS_RESULT)
		result = rd_kafka_AlterConsumerGroupOffsets_result_groups(
		    rd_kafka_event_AlterConsumerGroupOffsets_result(event), &n);
	else
		result = rd_kafka_ListConsumerGroupOffsets_result_groups(
		    rd_kafka_event_ListConsumerGroupOffsets_result(event), &n);
	return read_group(result, n, group, list, moving, err);
}

static rd_kafka_AdminOptions_t *options(struct bus_groups *g, rd_kafka_admin_op_t op, int timeout_ms)
{
	rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(g->rk, op);
	char why[256];

	(void)rd_kafka_AdminOptions_set_request_timeout(o, timeout_ms, why, sizeof(why));
	return o;
}

static rd_kafka_topic_partition_list_t *as_list(const struct bus_group_offset *o, size_t n)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

	for (size_t i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, o[i].topic, o[i].partition)->offset = o[i].offset;
	return list;
}

static enum bus_err commit(struct bus_groups *g, const char *group, const struct bus_group_offset *o,
			   size_t n, int timeout_ms, bool *moving, struct bus_error *err)
{
	rd_kafka_topic_partition_list_t *list = as_list(o, n);
	rd_kafka_AlterConsumerGroupOffsets_t *ask = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
	rd_kafka_AdminOptions_t *how = options(g, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout_ms);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(g->rk);
	const rd_kafka_topic_partition_list_t *said = NULL;
	rd_kafka_event_t *event;
	enum bus_err rc;

	rd_kafka_AlterConsumerGroupOffsets(g->rk, &ask, 1, how, queue);
	event = rd_kafka_queue_poll(queue, -1); /* the request's own timeout ends it */
	rc = read_answer(event, group, &said, moving, err);
	rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(how);
	rd_kafka_AlterConsumerGroupOffsets_destroy(ask);
	rd_kafka_topic_partition_list_destroy(list);
	return rc;
}

enum bus_err bus_groups_commit(struct bus_groups *g, const char *group, const struct bus_group_offset *o,
			       size_t n, int timeout_ms, struct bus_error *err)
{
	const int64_t until = bus_clock_mono_ms() + timeout_ms;
	bool moving = false;
	enum bus_err rc;

	do
		rc = commit(g, group, o, n, left(until), &moving, err);
	while (again(rc, moving, until));
	return rc;
}

static void take_offsets(const rd_kafka_topic_partition_list_t *said, struct bus_group_offset *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const rd_kafka_topic_partition_t *p =
		    rd_kafka_topic_partition_list_find(said, o[i].topic, o[i].partition);

		o[i].offset = p && p->offset >= 0 ? p->offset : -1;
	}
}

static enum bus_err committed(struct bus_groups *g, const char *group, struct bus_group_offset *o, size_t n,
			      int timeout_ms, bool *moving, struct bus_error *err)
{
	rd_kafka_topic_partition_list_t *list = as_list(o, n);
	rd_kafka_ListConsumerGroupOffsets_t *ask = rd_kafka_ListConsumerGroupOffsets_new(group, list);
	rd_kafka_AdminOptions_t *how = options(g, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout_ms);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(g->rk);
	const rd_kafka_topic_partition_list_t *said = NULL;
	rd_kafka_event_t *event;
	enum bus_err rc;

	rd_kafka_ListConsumerGroupOffsets(g->rk, &ask, 1, how, queue);
	event = rd_kafka_queue_poll(queue, -1);
	rc = read_answer(event, group, &said, moving, err);
	if (rc == BUS_OK && said)
		take_offsets(said, o, n);
	rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(how);
	rd_kafka_ListConsumerGroupOffsets_destroy(ask);
	rd_kafka_topic_partition_list_destroy(list);
	return rc;
}

enum bus_err bus_groups_committed(struct bus_groups *g, const char *group, struct bus_group_offset *o,
				  size_t n, int timeout_ms, struct bus_error *err)
{
	const int64_t until = bus_clock_mono_ms() + timeout_ms;
	bool moving = false;
	enum bus_err rc;

	do
		rc = committed(g, group, o, n, left(until), &moving, err);
	while (again(rc, moving, until));
	return rc;
}

enum bus_err bus_groups_each_topic(struct bus_groups *g, bus_kafka_topic_fn fn, void *ctx, int timeout_ms,
				   struct bus_error *err)
{
	return bus_kafka_each_topic(g->rk, fn, ctx, timeout_ms, err);
}
