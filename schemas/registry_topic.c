#include "bus/admin.h"
#include "schemas/registry.h"

enum bus_err schema_topic_prepare(const struct bus_kafka_conf *kafka, const char *topic, int32_t replication,
				  int timeout_ms, struct bus_error *err)
{
	static const char *const config[] = { "cleanup.policy=compact", NULL };
	const struct bus_topic_spec spec = {
		.name = topic, .partitions = 1, .replication = replication, .config = config
	};
	int32_t partitions;
	size_t created;
	enum bus_err rc = bus_admin_create_topics(kafka, &spec, 1, &created, timeout_ms, err);

	if (rc == BUS_OK)
		rc = bus_admin_partitions(kafka, topic, &partitions, NULL, timeout_ms, err);
	if (rc == BUS_OK && partitions != 1)
		return bus_fail(err, BUS_EINVAL,
				"topic '%s' has %d partitions; the registry's order needs one", topic,
				(int)partitions);
	return rc;
}
