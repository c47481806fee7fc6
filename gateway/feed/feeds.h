/* gateway/feed/feeds.h - everybody who follows a view: Server-Sent Events, long poll, NDJSON.
 *
 * A subscriber is a place in the view's change log and nothing more: a slow reader costs its connection, not
 * memory. It reads what fits, and parks; a commit that changed its view wakes it, a heartbeat every 15 s
 * finds dead peers. A revoked key ends its streams at the next wake.
 * One lock guards the list of subscribers; it is held while waking (bus_http_wake), never while reading.
 * Lock order: list -> HTTP. Thread: any.
 */
#ifndef GATEWAY_FEED_FEEDS_H
#define GATEWAY_FEED_FEEDS_H

#include "gateway/serve/api.h"

#define GW_STREAMS_PER_READER 20
#define GW_HEARTBEAT_MS 15000
#define GW_POLL_WAIT_MAX 60 /* seconds */

struct gw_feeds *gw_feeds_new(void);
void gw_feeds_free(struct gw_feeds **f); /* when every stream is over */
void gw_feeds_on_change(void *feeds, const struct gw_view *v, int64_t newest); /* a gw_changed_fn */
void gw_feeds_tick(struct gw_feeds *f); /* about once a second: heartbeats and polls that ran out */
size_t gw_feeds_count(struct gw_feeds *f);
size_t gw_feeds_following(struct gw_feeds *f, const char *reader, const struct gw_view *v); /* open feeds */

/* One-use passes of 60 s, so that a browser's EventSource, which cannot send a header, can follow. */
void gw_tickets_new(struct gw_feeds *f, const char *reader, char out[33]);
bool gw_tickets_take(struct gw_feeds *f, const char *ticket, char *reader);

#endif
