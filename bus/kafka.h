/* bus/kafka.h - what producer, consumer and admin share: connection settings, errors, logs.
 *
 * librdkafka is included by kafka.c and those that ask, read and write: admin*.c, consumer*.c, producer.c, sender.c. Its log lines come out as
 * `kafka.log`, its errors that it mends itself as `kafka.error`; both rate limited by bus_log.
 */
#ifndef BUS_KAFKA_H
#define BUS_KAFKA_H

#include <stdint.h>

#include "bus/conf.h"

struct bus_kafka_conf {
	const char *bootstrap; /* host:port,... */
	const char *client_id;
	/* `kafka.*` pass-through, may be NULL; wins over our defaults, but for what our promises rest on
	 * (acks, idempotence, offsets): setting those is BUS_EINVAL. */
	const struct bus_conf_map *extra;
};

/* Told of a topic; its name is borrowed for the call. */
typedef void (*bus_kafka_topic_fn)(void *ctx, const char *topic, int32_t partitions);

/* --- for those that include librdkafka --------------------------------------------------------------- */

struct rd_kafka_conf_s;
struct rd_kafka_s;

struct bus_kafka_setting {
	const char *name; /* NULL ends the list */
	const char *value;
	/* A property that older librdkafkas lack: passed over when unknown; *known tells. */
	bool optional;
	bool *known;
};

/* A librdkafka configuration: ours first, then conf's; logs and errors go to bus_log. Whoever makes a handle
 * of it owns it then; else rd_kafka_conf_destroy(). */
enum bus_err bus_kafka_conf_make(const struct bus_kafka_conf *conf, const struct bus_kafka_setting *setting,
				 struct rd_kafka_conf_s **out, struct bus_error *err) BUS_MUSTCHECK;
/* A handle for questions, made of the same; rd_kafka_destroy() it. type: rd_kafka_type_t. */
enum bus_err bus_kafka_open(const struct bus_kafka_conf *conf, const struct bus_kafka_setting *setting,
			    int type, struct rd_kafka_s **out, struct bus_error *err) BUS_MUSTCHECK;
/* Every topic of the cluster, internal ones too, in no order; but those that are made or taken away just now, of which
 * Kafka has nothing to say. Also hands on what the handle has to log. */
enum bus_err bus_kafka_each_topic(struct rd_kafka_s *rk, bus_kafka_topic_fn fn, void *ctx, int timeout_ms,
				  struct bus_error *err) BUS_MUSTCHECK;
/* The bus_err of a librdkafka error code (rd_kafka_resp_err_t). */
enum bus_err bus_kafka_err(int code);
/* Fills err with "<what>: <librdkafka's words>". */
enum bus_err bus_kafka_fail(struct bus_error *err, int code, const char *fmt, ...) BUS_PRINTF(3, 4);
/* Partitions of a topic as the brokers say now; BUS_ENOENT. led: every one has a leader; may be NULL. */
enum bus_err bus_kafka_partitions(struct rd_kafka_s *rk, const char *topic, int32_t *n, bool *led,
				  int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err bus_kafka_cluster_id(struct rd_kafka_s *rk, char *out, size_t n, int timeout_ms,
				  struct bus_error *err) BUS_MUSTCHECK;
void bus_kafka_log_error(const struct rd_kafka_s *rk, int code, const char *reason); /* `kafka.error` */

#endif
