/* schemas/registry/side.h - what the registry answers beyond Confluent's API, under /v1/: for people and
 * tools that ask what a change would break, who uses a schema, and what is going away.
 *
 *   side.c        uses and states, over HTTP
 *   side_write.c  the thread that writes them to the side topic (store/side.h)
 *   check.c       what a schema would change and break, before it is registered; differences
 *   search.c      subjects with their newest versions, a page at a time; fields by name, type, class
 *   feed.c        the changes of the registry as server-sent events
 *
 * Errors have Confluent's shape; their code is the HTTP status.
 */
#ifndef SCHEMAS_REGISTRY_SIDE_H
#define SCHEMAS_REGISTRY_SIDE_H

#include "schemas/registry/registry.h"
#include "schemas/store/side.h"

struct schema_side_writer;

/* What it is given must outlive it. Stop it after the HTTP server: it answers what is queued first. */
enum bus_err schema_side_writer_start(const struct bus_kafka_conf *kafka, const char *topic,
				      struct schema_side *side, struct schema_side_writer **out,
				      struct bus_error *err) BUS_MUSTCHECK;
void schema_side_writer_stop(struct schema_side_writer **w);
/* Takes the three buffers. value NULL: the key goes away. 200 with reply once it is in the log. */
void schema_side_queue(struct schema_registry *r, struct bus_http_request *req, struct bus_buf *key,
		       struct bus_buf *value, struct bus_buf *reply);

/* For whoever answers with that version: when it is deprecated, the headers that say so (RFC 9745
 * Deprecation, RFC 8594 Sunset, RFC 8288 Link to its successor). */
void schema_side_headers(struct schema_registry *r, struct bus_http_request *req,
			 const struct schema_version *v);

/* --- handlers --- */
void schema_side_get_uses(void *ctx, struct bus_http_request *req);
void schema_side_get_subject_uses(void *ctx, struct bus_http_request *req);
void schema_side_put_uses(void *ctx, struct bus_http_request *req);
void schema_side_delete_uses(void *ctx, struct bus_http_request *req);
void schema_side_get_state(void *ctx, struct bus_http_request *req);
void schema_side_put_state(void *ctx, struct bus_http_request *req);
void schema_side_delete_state(void *ctx, struct bus_http_request *req);
void schema_check_diff(void *ctx, struct bus_http_request *req);      /* from, to */
void schema_check_candidate(void *ctx, struct bus_http_request *req); /* a body as for registering */
void schema_search_subjects(void *ctx,
			    struct bus_http_request *req);	    /* subjectPrefix, after, limit, schema */
void schema_search_fields(void *ctx, struct bus_http_request *req); /* q, field, type, class, and the same */

#endif
