#include "bus/admin.h"
#include "bus/log.h"
#include "schemas/registry/registry.h"

#define REPLICAS 3 /* asked for, when there are as many brokers */

static enum bus_err make(const struct bus_kafka_conf *kafka, const char *topic, int32_t replicas,
			 const char *const *config, int timeout_ms, struct bus_error *err)
{
	const struct bus_topic_spec spec = {
		.name = topic, .partitions = 1, .replication = replicas, .config = config
	};
	size_t created;

	return bus_admin_create_topics(kafka, &spec, 1, &created, timeout_ms, err);
}

/* Anything but "compact" alone would forget schemas after a while. */
static enum bus_err compacted(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			      struct bus_error *err)
{
	char policy[64];
	struct bus_error why;
	enum bus_err rc =
	    bus_admin_setting(kafka, topic, "cleanup.policy", policy, sizeof(policy), timeout_ms, &why);

	if (rc != BUS_OK) {
		bus_log(BUS_LOG_WARN, "registry.topic_unseen", LOG_STR("topic", topic), LOG_ERR(&why));
		return rc == BUS_ETIMEOUT ? bus_fail(err, rc, "%s", why.text) : BUS_OK;
	}
	if (strcmp(policy, "compact") == 0)
		return BUS_OK;
	rc = bus_admin_set(kafka, topic, "cleanup.policy", "compact", timeout_ms, &why);
	if (rc == BUS_OK) {
		bus_log(BUS_LOG_WARN, "registry.topic_mended", LOG_STR("topic", topic),
			{ .key = "policy_was", .text = policy });
		return BUS_OK;
	}
	if (rc == BUS_ETIMEOUT)
		return bus_fail(err, rc, "%s", why.text);
	return bus_fail(
	    err, BUS_EINVAL,
	    "topic '%s' has cleanup.policy=%s, so that Kafka would drop schemas, and it cannot be "
	    "changed from here (%s); set it to compact: kafka-configs --alter --entity-type topics "
	    "--entity-name %s --add-config cleanup.policy=compact",
	    topic, policy, why.text, topic);
}

static void warn_of_copies(const struct bus_kafka_conf *kafka, const char *topic,
			   const struct bus_topic_state *state, int timeout_ms)
{
	int32_t wanted = state->brokers < REPLICAS ? state->brokers : REPLICAS;
	char text[32];
	long in_sync;

	if (state->replicas < wanted)
		bus_log(BUS_LOG_WARN, "registry.few_replicas", LOG_STR("topic", topic),
			LOG_INT("replicas", state->replicas), LOG_INT("brokers", state->brokers));
	if (bus_admin_setting(kafka, topic, "min.insync.replicas", text, sizeof(text), timeout_ms, NULL) !=
	    BUS_OK)
		return;
	in_sync = strtol(text, NULL, 10);
	if (in_sync > state->replicas || (state->replicas > 2 && in_sync < 2))
		bus_log(BUS_LOG_WARN, "registry.in_sync", LOG_STR("topic", topic),
			LOG_INT("min.insync.replicas", in_sync), LOG_INT("replicas", state->replicas),
			LOG_STR("means", in_sync > state->replicas
					     ? "nothing can be written"
					     : "a change may be lost with the one broker that has it"));
}

enum bus_err schema_topic_prepare(const struct bus_kafka_conf *kafka, const char *topic, int32_t replicas,
				  const char *const *config, int timeout_ms, struct bus_error *err)
{
	struct bus_topic_state state;
	enum bus_err rc = bus_admin_topic(kafka, topic, &state, timeout_ms, err);

	if (rc == BUS_ENOENT) {
		if (replicas == 0)
			replicas = state.brokers < REPLICAS ? state.brokers : REPLICAS;
		return make(kafka, topic, replicas, config, timeout_ms, err);
	}
	if (rc != BUS_OK)
		return rc;
	if (state.partitions != 1)
		return bus_fail(
		    err, BUS_EINVAL,
		    "topic '%s' has %d partitions; the order of all schemas needs one: name another "
		    "topic (registry.topic), or make this one anew with one partition and copy its "
		    "records",
		    topic, (int)state.partitions);
	rc = compacted(kafka, topic, timeout_ms, err);
	if (rc == BUS_OK)
		warn_of_copies(kafka, topic, &state, timeout_ms);
	return rc;
}
