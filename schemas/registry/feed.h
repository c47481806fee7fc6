/* schemas/registry/feed.h - what happens in the registry, told as it happens: GET /v1/changes.
 *
 * Events come from the log's records, so every node tells the same, with the log's offset as the cursor. With
 * `Accept: text/event-stream` they are server-sent events that go on for ever (cursor: `Last-Event-ID`, or
 * `after`); else one page as JSON, `{"changes":[..],"next":N}`, at most `limit` (1000) of them after `after`.
 * The last SCHEMA_FEED_KEPT events are kept in memory; whoever asks for older ones is told so (event `reset`,
 * or "reset":true): read the subjects anew, then go on from `next`.
 *
 *   registered   subject, version, id     a version is there (or there again, or was changed)
 *   deleted      subject, version         soft-deleted; version -1: all of them
 *   removed      subject, version         gone for good
 *   config, mode subject or null          "value": the new one, or null: back to the default
 *
 * Thread: any.
 */
#ifndef SCHEMAS_REGISTRY_FEED_H
#define SCHEMAS_REGISTRY_FEED_H

#include "schemas/registry/registry.h"
#include "schemas/store/record.h"

#define SCHEMA_FEED_KEPT 200000
#define SCHEMA_FEED_STREAMS_MAX 500
#define SCHEMA_FEED_STREAMS_EACH 50 /* of one user, or of one address that is nobody */
#define SCHEMA_FEED_HEARTBEAT_MS 15000

struct schema_feed;

struct schema_feed *schema_feed_new(void);
void schema_feed_free(struct schema_feed **f); /* after the HTTP server and the store */
/* For schema_store_watch: takes down what the record says. */
void schema_feed_record(void *feed, const struct schema_record *r, int64_t offset, int64_t timestamp_ms);
/* For schema_store_on_change, and once a second for heartbeats: wakes who waits. */
void schema_feed_wake(void *feed);
void schema_feed_tick(struct schema_feed *f);

void schema_feed_get(void *ctx, struct bus_http_request *req); /* the handler */

#endif
