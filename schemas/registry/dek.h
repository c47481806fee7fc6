/* schemas/registry/dek.h - Confluent's /dek-registry/v1: keys for client-side field encryption. A KEK names a
 * key that a KMS holds; a DEK is a subject's data key, encrypted with it by a client. The registry keeps and
 * hands out what it is given; it holds no key in clear and calls no KMS. So a KEK with `shared`, whose DEKs a
 * server encrypts, is refused (50070), and of one that another registry made nothing that needs the KMS is
 * answered.
 *
 *   dek_table.c   the keys             dek_record.c  their records
 *   dek.c         a replica of the topic              dek_body.c  what requests and answers have in common
 *   dek_read.c    answers from it      dek_edit.c    changes, by the registry's one writer: two nodes never
 *                                                    both make version 1
 *
 * Encrypted key material and kmsProps stand in answers and in the topic, nowhere else: not in logs, errors,
 * metrics, the audit, nor the feed. Source of codes, messages, shapes and rules: Confluent's dek-registry
 * (web/rest/resources, web/rest/exceptions, storage/AbstractDekRegistry).
 */
#ifndef SCHEMAS_REGISTRY_DEK_H
#define SCHEMAS_REGISTRY_DEK_H

#include "bus/http.h"
#include "bus/kafka.h"
#include "schemas/registry/dek_table.h"

#define SCHEMA_KEYS_TOPIC "_dek_registry_keys"
#define SCHEMA_KEYS_MAX 20000 /* KEKs, and DEKs: Confluent's dek.registry.max.keys */

struct schema_keys;
struct schema_registry;

/* Reads the topic to its end and follows it. Errors as bus_follow_open. */
enum bus_err schema_keys_open(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			      struct schema_keys **out, struct bus_error *err) BUS_MUSTCHECK;
void schema_keys_close(struct schema_keys **k);
/* Thread: any. Borrowed until _done, which must follow soon. */
const struct schema_keys_table *schema_keys_read(struct schema_keys *k);
void schema_keys_done(struct schema_keys *k);
/* As those of the store. */
enum bus_err schema_keys_wait(struct schema_keys *k, int64_t offset, int timeout_ms,
			      struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_keys_catch_up(struct schema_keys *k, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;
int64_t schema_keys_next_offset(struct schema_keys *k);
bool schema_keys_healthy(struct schema_keys *k);

/* --- handlers --- */
void schema_read_keks(void *ctx, struct bus_http_request *req); /* subjectPrefix, deleted, offset, limit */
void schema_read_kek(void *ctx, struct bus_http_request *req);	/* deleted */
void schema_read_kek_test(void *ctx, struct bus_http_request *req);
void schema_read_dek_subjects(void *ctx, struct bus_http_request *req); /* deleted, offset, limit */
void schema_read_dek_versions(void *ctx, struct bus_http_request *req); /* algorithm and those */
void schema_read_dek(void *ctx, struct bus_http_request *req); /* algorithm, deleted; {version}: or 1 */

/* --- changes: schema_edit_fn --- */
void schema_edit_create_kek(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_put_kek(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_delete_kek(struct schema_registry *r, struct bus_http_request *req); /* permanent */
void schema_edit_undelete_kek(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_create_dek(struct schema_registry *r, struct bus_http_request *req); /* rewrap */
/* One {version}, or all; algorithm, permanent */
void schema_edit_delete_deks(struct schema_registry *r, struct bus_http_request *req);
void schema_edit_undelete_deks(struct schema_registry *r, struct bus_http_request *req);

#endif
