#include "bus/admin_look.h"

#include <librdkafka/rdkafka.h>

#include "bus/mem.h"

struct bus_look {
	rd_kafka_t *rk;
};

enum bus_err bus_look_open(const struct bus_kafka_conf *conf, struct bus_look **out, struct bus_error *err)
{
	/* A consumer that reads nothing: unlike a producer it may be told not to make topics. */
	static const struct bus_kafka_setting settings[] = {
		{ .name = "allow.auto.create.topics", .value = "false" }, { 0 }
	};
	rd_kafka_t *rk;
	enum bus_err rc = bus_kafka_open(conf, settings, RD_KAFKA_CONSUMER, &rk, err);

	*out = NULL;
	if (rc != BUS_OK)
		return rc;
	*out = bus_xcalloc(1, sizeof(**out));
	(*out)->rk = rk;
	return BUS_OK;
}

void bus_look_close(struct bus_look **l)
{
	if (*l)
		rd_kafka_destroy((*l)->rk);
	free(*l);
	*l = NULL;
}

enum bus_err bus_look_each_topic(struct bus_look *l, bus_kafka_topic_fn fn, void *ctx, int timeout_ms,
				 struct bus_error *err)
{
	return bus_kafka_each_topic(l->rk, fn, ctx, timeout_ms, err);
}

enum bus_err bus_look_each_broker(struct bus_look *l, void (*fn)(void *ctx, int32_t id), void *ctx,
				  int timeout_ms, struct bus_error *err)
{
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_resp_err_t code;

	rd_kafka_poll(l->rk, 0); /* its errors, which are logged */
	code = rd_kafka_metadata(l->rk, 0, NULL, &md, timeout_ms);
	if (code)
		return bus_kafka_fail(err, code, "no answer from Kafka about its brokers");
	for (int i = 0; i < md->broker_cnt; i++)
		fn(ctx, md->brokers[i].id);
	rd_kafka_metadata_destroy(md);
	return BUS_OK;
}

enum bus_err bus_look_topic(struct bus_look *l, const char *topic,
			    void (*partition)(void *ctx, const struct bus_look_partition *p), void *ctx,
			    int timeout_ms, struct bus_error *err)
{
	const struct rd_kafka_metadata *md = NULL;
	const struct rd_kafka_metadata_topic *t;
	rd_kafka_topic_t *rkt;
	rd_kafka_resp_err_t code;
	enum bus_err rc = BUS_OK;

	rd_kafka_poll(l->rk, 0);
	rkt = rd_kafka_topic_new(l->rk, topic, NULL);
	if (!rkt)
		return bus_kafka_fail(err, rd_kafka_last_error(), "topic '%s'", topic);
	code = rd_kafka_metadata(l->rk, 0, rkt, &md, timeout_ms);
	rd_kafka_topic_destroy(rkt);
	if (code)
		return bus_kafka_fail(err, code, "no answer from Kafka about topic '%s'", topic);
	t = md->topic_cnt == 1 ? &md->topics[0] : NULL;
	if (!t || (!t->err && t->partition_cnt == 0))
		rc = bus_fail(err, BUS_ENOENT, "there is no topic '%s'", topic);
	else if (t->err)
		rc = bus_kafka_fail(err, t->err, "topic '%s'", topic);
	for (int i = 0; rc == BUS_OK && i < t->partition_cnt; i++) {
		const struct rd_kafka_metadata_partition *p = &t->partitions[i];

		partition(ctx, &(struct bus_look_partition){ .id = p->id,
							     .leader = p->leader,
							     .replica = p->replicas,
							     .in_sync = p->isrs,
							     .n_replicas = (size_t)p->replica_cnt,
							     .n_in_sync = (size_t)p->isr_cnt });
	}
	rd_kafka_metadata_destroy(md);
	return rc;
}

enum bus_err bus_look_settings(struct bus_look *l, const char *topic,
			       void (*setting)(void *ctx, const char *name, const char *value), void *ctx,
			       int timeout_ms, struct bus_error *err)
{
	rd_kafka_ConfigResource_t *asked = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_AdminOptions_t *options =
	    rd_kafka_AdminOptions_new(l->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(l->rk);
	const rd_kafka_ConfigResource_t **list = NULL;
	const rd_kafka_DescribeConfigs_result_t *result;
	const rd_kafka_ConfigEntry_t **entry;
	rd_kafka_resp_err_t code;
	rd_kafka_event_t *event;
	size_t n = 0, count = 0;
	char why[128];

	(void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof(why));
	rd_kafka_DescribeConfigs(l->rk, &asked, 1, options, queue);
	event = rd_kafka_queue_poll(queue, -1); /* the request's own timeout ends it */
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	rd_kafka_ConfigResource_destroy(asked);
	code = rd_kafka_event_error(event);
	result = rd_kafka_event_DescribeConfigs_result(event);
	if (!code && result)
		list = rd_kafka_DescribeConfigs_result_resources(result, &n);
	if (list && n == 1)
		code = rd_kafka_ConfigResource_error(list[0]);
	if (list && n == 1 && !code) {
		entry = rd_kafka_ConfigResource_configs(list[0], &count);
		for (size_t i = 0; i < count; i++)
			setting(ctx, rd_kafka_ConfigEntry_name(entry[i]),
				rd_kafka_ConfigEntry_value(entry[i]));
	}
	rd_kafka_event_destroy(event);
	if (!code && n == 1)
		return BUS_OK;
	return bus_kafka_fail(err, code ? code : RD_KAFKA_RESP_ERR__FAIL, "settings of topic '%s'", topic);
}

enum bus_err bus_look_offsets(struct bus_look *l, const char *topic, int32_t partition, int64_t *first,
			      int64_t *end, int timeout_ms, struct bus_error *err)
{
	rd_kafka_resp_err_t code =
	    rd_kafka_query_watermark_offsets(l->rk, topic, partition, first, end, timeout_ms);

	return code ? bus_kafka_fail(err, code, "offsets of topic '%s'", topic) : BUS_OK;
}
