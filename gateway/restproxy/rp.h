/* gateway/restproxy/rp.h - Confluent REST Proxy's API, v2, for programs that speak it: what its handlers share.
 *
 * Shapes, codes and statuses are those of kafka-rest 8 (Errors.java, entities/v2) and, where that is silent, of
 * Karapace's tests. What differs stands in docs/rest-proxy.md. Nothing here ever answers a problem document.
 *
 *   error.c      {"error_code": 40401, "message": "..."}
 *   media.c      content types
 *   ask.c        who asks
 *   produce.c    what comes: body.h
 *   proxy.h      what is kept, and questions about the cluster
 * Thread: any; handlers run on the HTTP pool's threads and never block.
 */
#ifndef GATEWAY_RESTPROXY_RP_H
#define GATEWAY_RESTPROXY_RP_H

#include "gateway/serve/api.h"

/* --- errors -------------------------------------------------------------------------------------------------- */

enum gw_rp_error { /* those below 1000 are a status alone */
		   GW_RP_CONSUMER_RANGE = 40001,
		   GW_RP_KEY_UNKNOWN = 40101,
		   GW_RP_FORBIDDEN = 40301,
		   GW_RP_TOPIC_UNKNOWN = 40401,
		   GW_RP_PARTITION_UNKNOWN = 40402,
		   GW_RP_CONSUMER_UNKNOWN = 40403,
		   GW_RP_LEADER_NONE = 40404,
		   GW_RP_GROUP_UNKNOWN = 40405,
		   GW_RP_FORMAT_OTHER = 40601,
		   GW_RP_SUBSCRIBED = 40901,
		   GW_RP_CONSUMER_EXISTS = 40902,
		   GW_RP_ILLEGAL_STATE = 40903,
		   GW_RP_KEY_SCHEMA_MISSING = 42201,
		   GW_RP_VALUE_SCHEMA_MISSING = 42202,
		   GW_RP_JSON_CONVERSION = 42203,
		   GW_RP_CONSUMER_CONFIG = 42204,
		   GW_RP_SCHEMA_INVALID = 42205,
		   GW_RP_PAYLOAD = 42206,
		   GW_RP_SERIALIZATION = 42207,
		   GW_RP_KAFKA = 50002,
		   GW_RP_KAFKA_RETRY = 50003, /* 503 */
};

int gw_rp_status(int error_code);
const char *gw_rp_words(int error_code); /* Confluent's; "" for a bare status */
/* Answers with the error; detail is added to its words, NULL: nothing; never a value. A 503 gets Retry-After. Also for
 * a request that was deferred. */
void gw_rp_fail(struct bus_http_request *req, int error_code, const char *detail);
/* The same with Retry-After; s 0: none. */
void gw_rp_fail_for(struct bus_http_request *req, int error_code, const char *detail, int s);
/* The same as members of an object that is open. */
struct bus_json_out;
void gw_rp_put_error(struct bus_json_out *j, int error_code, const char *detail);

/* For bus_http_conf: what HTTP itself says no to, on these paths in this shape, else as gw_api_refuse has it. */
bool gw_rp_path(const struct bus_http_request *req);
void gw_rp_write_error(struct bus_buf *out, int status, const char *title, const char *detail);
void gw_rp_refuse(void *api, struct bus_http_request *req, int status);

/* --- content types ------------------------------------------------------------------------------------------- */

#define GW_RP_TYPE "application/vnd.kafka.v2+json"

/* The embedded format; as bits of a set, 1 << format. */
enum gw_rp_format { GW_RP_UNSAID, GW_RP_BINARY, GW_RP_JSON, GW_RP_AVRO };

/* "application/vnd.kafka.avro.v2+json; charset=utf-8" and the like; v1 and no version too. UNSAID: a type without a
 * format, application/json, application/octet-stream, or none (NULL). False: another type. */
bool gw_rp_format_of(const char *type, enum gw_rp_format *out);
const char *gw_rp_type_of(enum gw_rp_format format);	 /* application/vnd.kafka.FORMAT.v2+json */
const char *gw_rp_format_name(enum gw_rp_format format); /* "binary", "json", "avro"; "" */
/* What an Accept header thinks of a type, in thousandths; the most exact of its ranges counts. NULL: all of it. */
int gw_rp_quality(const char *accept, const char *type);
/* The request's Content-Type, or 415 is answered. */
bool gw_rp_content(struct bus_http_request *req, enum gw_rp_format *out);
/* For every answer but records: sets its type (bus_http_set_type) as Accept has it, or 406 is answered. */
bool gw_rp_accept(struct bus_http_request *req);
/* An answer of the type set; takes body. */
void gw_rp_reply(struct bus_http_request *req, int status, struct bus_buf *body);

/* --- who asks ------------------------------------------------------------------------------------------------ */

/* As gw_api_reader, in this API's shape, and with HTTP Basic besides: any user name, the key as password. Fills name
 * (GW_READER_NAME_MAX) or answers 401 or 429. Once a request. */
bool gw_rp_reader(struct gw_api *api, struct bus_http_request *req, char *name);
/* The key as sent: gw_api_key's, or the password of HTTP Basic, put there. NULL: none. */
const char *gw_rp_key(const struct bus_http_request *req, char password[GW_KEY_LEN + 1]);
void gw_rp_unknown(struct bus_http_request *req, const char *problem); /* 401; of gw_api_identify */
/* The reader may read its records, or publish to it. */
bool gw_rp_may_see(struct gw_api *api, const char *reader, const char *topic);
/* {partition} of the path, or 404 is answered. */
bool gw_rp_partition(struct bus_http_request *req, int32_t *out);

/* --- handlers ------------------------------------------------------------------------------------------------ */

void gw_rp_produce(void *api, struct bus_http_request *req);
void gw_rp_topics(void *api, struct bus_http_request *req);
void gw_rp_topic(void *api, struct bus_http_request *req);
void gw_rp_partitions(void *api, struct bus_http_request *req);
void gw_rp_one_partition(void *api, struct bus_http_request *req);
void gw_rp_offsets(void *api, struct bus_http_request *req);
void gw_rp_brokers(void *api, struct bus_http_request *req);

#endif
