#include "bus/admin.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/mem.h"

static enum bus_err open_handle(const struct bus_kafka_conf *conf, rd_kafka_t **out, struct bus_error *err)
{
	return bus_kafka_open(conf, NULL, RD_KAFKA_PRODUCER, out, err);
}

static enum bus_err make_topic(const struct bus_topic_spec *spec, rd_kafka_NewTopic_t **out,
			       struct bus_error *err)
{
	rd_kafka_NewTopic_t *t;
	char why[256];
	size_t i;

	t = rd_kafka_NewTopic_new(spec->name, spec->partitions, spec->replication, why, sizeof(why));
	if (!t)
		return bus_fail(err, BUS_EINVAL, "topic '%s': %s", spec->name, why);
	for (i = 0; spec->config && spec->config[i]; i++) {
		const char *eq = strchr(spec->config[i], '=');
		char *name;
		rd_kafka_resp_err_t code;

		if (!eq) {
			rd_kafka_NewTopic_destroy(t);
			return bus_fail(err, BUS_EINVAL, "topic '%s': '%s' is not name=value", spec->name,
					spec->config[i]);
		}
		name = bus_xstrndup(spec->config[i], (size_t)(eq - spec->config[i]));
		code = rd_kafka_NewTopic_set_config(t, name, eq + 1);
		free(name);
		if (code) {
			rd_kafka_NewTopic_destroy(t);
			return bus_kafka_fail(err, code, "topic '%s', '%s'", spec->name, spec->config[i]);
		}
	}
	*out = t;
	return BUS_OK;
}

/* Reads the broker's answer: made, or there already, or why not. */
static enum bus_err read_results(rd_kafka_event_t *event, size_t *created, struct bus_error *err)
{
	const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
	const rd_kafka_topic_result_t **topic;
	size_t i, n;

	if (rd_kafka_event_error(event))
		return bus_fail(err, bus_kafka_err(rd_kafka_event_error(event)), "cannot make topics: %s",
				rd_kafka_event_error_string(event));
	topic = rd_kafka_CreateTopics_result_topics(result, &n);
	for (i = 0; i < n; i++) {
		rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topic[i]);

		if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
			continue;
		if (code)
			return bus_fail(err, bus_kafka_err(code), "cannot make topic '%s': %s",
					rd_kafka_topic_result_name(topic[i]),
					rd_kafka_topic_result_error_string(topic[i]));
		(*created)++;
	}
	return BUS_OK;
}

static enum bus_err request(rd_kafka_t *rk, rd_kafka_NewTopic_t **t, size_t n, size_t *created,
			    int timeout_ms, struct bus_error *err)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_event_t *event;
	enum bus_err rc = BUS_OK;
	char why[256];

	if (rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof(why)) ||
	    rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, why, sizeof(why)))
		rc = bus_fail(err, BUS_EINVAL, "%s", why);
	if (rc == BUS_OK) {
		rd_kafka_CreateTopics(rk, t, n, options, queue);
		event = rd_kafka_queue_poll(queue, -1); /* the request's own timeout ends it */
		rc = read_results(event, created, err);
		rd_kafka_event_destroy(event);
	}
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return rc;
}

static enum bus_err wait_led(rd_kafka_t *rk, const char *topic, int64_t until, struct bus_error *err)
{
	int32_t n;

	for (;;) {
		int64_t left = until - bus_clock_mono_ms();
		bool led = false;
		enum bus_err rc = bus_kafka_partitions(rk, topic, &n, &led, left > 1 ? (int)left : 1, err);

		if (rc == BUS_OK && led)
			return BUS_OK;
		if (rc != BUS_OK && rc != BUS_ENOENT)
			return rc;
		if (bus_clock_mono_ms() >= until)
			return bus_fail(err, BUS_ETIMEOUT, "topic '%s' has no leader yet", topic);
		rd_kafka_poll(rk, 50);
	}
}

enum bus_err bus_admin_create_topics(const struct bus_kafka_conf *conf, const struct bus_topic_spec *topic,
				     size_t n, size_t *created, int timeout_ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms;
	rd_kafka_NewTopic_t **t = bus_xcalloc(n + 1, sizeof(rd_kafka_NewTopic_t *));
	rd_kafka_t *rk = NULL;
	enum bus_err rc;
	size_t i, made = 0;

	*created = 0;
	rc = open_handle(conf, &rk, err);
	for (; made < n && rc == BUS_OK; made += rc == BUS_OK)
		rc = make_topic(&topic[made], &t[made], err);
	if (rc == BUS_OK && n > 0)
		rc = request(rk, t, n, created, timeout_ms, err);
	for (i = 0; i < n && rc == BUS_OK; i++)
		rc = wait_led(rk, topic[i].name, until, err);
	rd_kafka_NewTopic_destroy_array(t, made);
	free(t);
	if (rk)
		rd_kafka_destroy(rk);
	return rc;
}

enum bus_err bus_admin_partitions(const struct bus_kafka_conf *conf, const char *topic, int32_t *partitions,
				  char *cluster_id, int timeout_ms, struct bus_error *err)
{
	rd_kafka_t *rk = NULL;
	enum bus_err rc;

	rc = open_handle(conf, &rk, err);
	if (rc != BUS_OK)
		return rc;
	rc = bus_kafka_partitions(rk, topic, partitions, NULL, timeout_ms, err);
	if (rc == BUS_OK && cluster_id)
		rc = bus_kafka_cluster_id(rk, cluster_id, 64, timeout_ms, err);
	rd_kafka_destroy(rk);
	return rc;
}

enum bus_err bus_admin_each_topic(const struct bus_kafka_conf *conf, bus_kafka_topic_fn fn, void *ctx,
				  int timeout_ms, struct bus_error *err)
{
	rd_kafka_t *rk = NULL;
	enum bus_err rc = open_handle(conf, &rk, err);

	if (rc != BUS_OK)
		return rc;
	rc = bus_kafka_each_topic(rk, fn, ctx, timeout_ms, err);
	rd_kafka_destroy(rk);
	return rc;
}

/* --- a topic's state and settings ------------------------------------------------------------------- */

enum bus_err bus_admin_topic(const struct bus_kafka_conf *conf, const char *topic,
			     struct bus_topic_state *out, int timeout_ms, struct bus_error *err)
{
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_resp_err_t code;
	rd_kafka_t *rk = NULL;
	enum bus_err rc;

	memset(out, 0, sizeof(*out));
	rc = open_handle(conf, &rk, err);
	if (rc != BUS_OK)
		return rc;
	code = rd_kafka_metadata(rk, 1, NULL, &md, timeout_ms);
	if (code)
		rc = bus_kafka_fail(err, code, "no answer from Kafka at '%s'", conf->bootstrap);
	else
		rc = bus_fail(err, BUS_ENOENT, "no topic '%s'", topic);
	for (int i = 0; code == 0 && i < md->topic_cnt; i++) {
		const struct rd_kafka_metadata_topic *t = &md->topics[i];

		if (strcmp(t->topic, topic) != 0 || t->partition_cnt == 0)
			continue;
		rc = BUS_OK;
		out->partitions = t->partition_cnt;
		out->replicas = t->partitions[0].replica_cnt;
		for (int j = 1; j < t->partition_cnt; j++)
			if (t->partitions[j].replica_cnt < out->replicas)
				out->replicas = t->partitions[j].replica_cnt;
	}
	if (md) {
		out->brokers = md->broker_cnt;
		rd_kafka_metadata_destroy(md);
	}
	rd_kafka_destroy(rk);
	return rc;
}

/* What DescribeConfigs and AlterConfigs answer about the one topic they were asked about. */
static enum bus_err config_result(rd_kafka_event_t *event, const char *topic,
				  const rd_kafka_ConfigResource_t **out, struct bus_error *err)
{
	const rd_kafka_ConfigResource_t **list = NULL;
	rd_kafka_resp_err_t code = rd_kafka_event_error(event);
	const char *why = rd_kafka_event_error_string(event);
	size_t n = 0;

	if (!code && rd_kafka_event_DescribeConfigs_result(event))
		list = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event),
								 &n);
	else if (!code)
		list = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &n);
	if (n == 1) {
		code = rd_kafka_ConfigResource_error(list[0]);
		why = rd_kafka_ConfigResource_error_string(list[0]);
	}
	if (code || n != 1)
		return bus_fail(err, code ? bus_kafka_err(code) : BUS_EKAFKA, "settings of topic '%s': %s",
				topic, why ? why : "no answer");
	*out = list[0];
	return BUS_OK;
}

/* Asks about the resource, or (alter) sets what it holds. The event is the caller's to destroy. */
static rd_kafka_event_t *ask_configs(rd_kafka_t *rk, rd_kafka_ConfigResource_t *resource, bool alter,
				     int timeout_ms)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(
	    rk, alter ? RD_KAFKA_ADMIN_OP_ALTERCONFIGS : RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_event_t *event;
	char why[128];

	(void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof(why));
	if (alter)
		rd_kafka_AlterConfigs(rk, &resource, 1, options, queue);
	else
		rd_kafka_DescribeConfigs(rk, &resource, 1, options, queue);
	event = rd_kafka_queue_poll(queue, -1); /* the request's own timeout ends it */
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return event;
}

static enum bus_err describe(rd_kafka_t *rk, const char *topic, int timeout_ms, rd_kafka_event_t **event,
			     const rd_kafka_ConfigResource_t **out, struct bus_error *err)
{
	rd_kafka_ConfigResource_t *r = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

	*event = ask_configs(rk, r, false, timeout_ms);
	rd_kafka_ConfigResource_destroy(r);
	return config_result(*event, topic, out, err);
}

enum bus_err bus_admin_setting(const struct bus_kafka_conf *conf, const char *topic, const char *name,
			       char *value, size_t n, int timeout_ms, struct bus_error *err)
{
	const rd_kafka_ConfigEntry_t **entry;
	const rd_kafka_ConfigResource_t *r;
	rd_kafka_event_t *event = NULL;
	rd_kafka_t *rk = NULL;
	size_t count = 0;
	enum bus_err rc;

	rc = open_handle(conf, &rk, err);
	if (rc != BUS_OK)
		return rc;
	rc = describe(rk, topic, timeout_ms, &event, &r, err);
	if (rc == BUS_OK) {
		entry = rd_kafka_ConfigResource_configs(r, &count);
		rc = bus_fail(err, BUS_ENOENT, "topic '%s' has no setting '%s'", topic, name);
		for (size_t i = 0; i < count; i++) {
			const char *v = rd_kafka_ConfigEntry_value(entry[i]);

			if (strcmp(rd_kafka_ConfigEntry_name(entry[i]), name) != 0 || !v)
				continue;
			rc = strlen(v) < n ? BUS_OK : bus_fail(err, BUS_ETOOBIG, "setting '%s'", name);
			if (rc == BUS_OK)
				memcpy(value, v, strlen(v) + 1);
		}
	}
	rd_kafka_event_destroy(event);
	rd_kafka_destroy(rk);
	return rc;
}

/* AlterConfigs replaces all that the topic has of its own: the others are sent again with the one. */
enum bus_err bus_admin_set(const struct bus_kafka_conf *conf, const char *topic, const char *name,
			   const char *value, int timeout_ms, struct bus_error *err)
{
	rd_kafka_ConfigResource_t *wanted = NULL;
	const rd_kafka_ConfigEntry_t **entry;
	const rd_kafka_ConfigResource_t *r;
	rd_kafka_event_t *event = NULL;
	rd_kafka_t *rk = NULL;
	size_t count = 0;
	enum bus_err rc;

	rc = open_handle(conf, &rk, err);
	if (rc != BUS_OK)
		return rc;
	rc = describe(rk, topic, timeout_ms, &event, &r, err);
	if (rc == BUS_OK) {
		wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
		entry = rd_kafka_ConfigResource_configs(r, &count);
		for (size_t i = 0; i < count; i++)
			if (rd_kafka_ConfigEntry_source(entry[i]) ==
				RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG &&
			    strcmp(rd_kafka_ConfigEntry_name(entry[i]), name) != 0)
				(void)rd_kafka_ConfigResource_set_config(
				    wanted, rd_kafka_ConfigEntry_name(entry[i]),
				    rd_kafka_ConfigEntry_value(entry[i]));
		(void)rd_kafka_ConfigResource_set_config(wanted, name, value);
		rd_kafka_event_destroy(event);
		event = ask_configs(rk, wanted, true, timeout_ms);
		rc = config_result(event, topic, &r, err);
		rd_kafka_ConfigResource_destroy(wanted);
	}
	rd_kafka_event_destroy(event);
	rd_kafka_destroy(rk);
	return rc;
}
