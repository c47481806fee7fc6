/* bus/kafka.h - what producer, consumer and admin share: connection settings, errors, logs.
 * librdkafka is included by kafka.c, producer.c, consumer.c and admin.c only.
 */
#ifndef BUS_KAFKA_H
#define BUS_KAFKA_H

#include "bus/conf.h"

struct bus_kafka_conf {
	const char *bootstrap; /* host:port,... */
	const char *client_id;
	const struct bus_conf_map *extra; /* `kafka.*` pass-through, may be NULL; wins over our defaults */
};

#endif
