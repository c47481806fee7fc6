#include "adapters/may_write.h"

#include <string.h>

#include "bus/admin.h"
#include "bus/producer.h"

enum bus_err adapter_may_write(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			       bool *asked, struct bus_error *err)
{
	const struct bus_producer_conf conf = { .kafka = *kafka, .window = 1 };
	const struct bus_str no_key = { NULL, 0 }, empty = BUS_STR("");
	struct bus_producer *producer = NULL;
	char policy[64];
	enum bus_err rc =
	    bus_admin_setting(kafka, topic, "cleanup.policy", policy, sizeof(policy), timeout_ms, NULL);

	*asked = rc == BUS_OK && strstr(policy, "compact");
	if (!*asked)
		return BUS_OK;
	rc = bus_producer_open(&conf, &producer, err);
	if (rc == BUS_OK)
		rc = bus_producer_send(producer, topic, 0, no_key, &empty, NULL, 0, 0, 1, timeout_ms, err);
	if (rc == BUS_OK)
		rc = bus_producer_flush(producer, timeout_ms, err);
	bus_producer_close(&producer);
	return rc == BUS_EDATA ? BUS_OK : rc;
}
