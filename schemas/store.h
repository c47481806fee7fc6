/* schemas/store.h - subjects, versions and ids: a replica of the `_schemas` topic.
 *
 * Confluent's record format (key and value JSON: SCHEMA, CONFIG, MODE, DELETE_SUBJECT, NOOP ...). Registry,
 * adapter and gateway hold the same store; only the registry writes. Nothing is answered before the log has
 * been read to its end once (schema_store_open waits). An id, once seen, means the same text for ever.
 * Thread: any (a rwlock inside); one thread of the store's own follows the topic.
 */
#ifndef SCHEMAS_STORE_H
#define SCHEMAS_STORE_H

#include "bus/kafka.h"
#include "schemas/avro_compat.h"
#include "schemas/schema.h"

struct schema_store;

struct schema_version {
	char *subject;
	int version;
	int32_t id;
	bool deleted;
	struct schema *schema; /* one reference held by this struct; NULL if it cannot be parsed */
	char *text; /* as stored */
};
void schema_version_release(struct schema_version *v);

/* Opens, reads to the end (at most timeout_ms: BUS_ETIMEOUT) and goes on following. */
enum bus_err schema_store_open(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			       struct schema_store **out, struct bus_error *err) BUS_MUSTCHECK;
void schema_store_close(struct schema_store **s);

/* By id: a new reference; BUS_ENOENT. With wait_ms > 0 waits that long for an id not seen yet. */
enum bus_err schema_store_by_id(struct schema_store *s, int32_t id, int wait_ms, struct schema **out,
				struct bus_error *err) BUS_MUSTCHECK;
/* version: 1.., or 0 = latest not deleted. */
enum bus_err schema_store_version(struct schema_store *s, const char *subject, int version,
				  struct schema_version *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
