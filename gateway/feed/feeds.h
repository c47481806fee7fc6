/* gateway/feed/feeds.h - everybody who follows views: Server-Sent Events, long poll, NDJSON.
 *
 * Who asks the same (views, columns, rows, masks, way) is in one channel. A channel reads the change log once a
 * wake-up and writes the events once; its followers send the same bytes. A follower is a place in the log and
 * little more: a slow one costs its connection and a reference, reads the log itself where the channel has gone
 * on without it, and is hung up when it holds shared bytes for too long: its cursor goes on. A commit that changed
 * its view wakes it; a heartbeat every 15 s finds dead peers. A revoked key or grant ends its streams within a
 * second.
 *
 * Locks: the feeds' guards channels, followers and who they are; a channel's guards its blocks, and the log is read
 * under it. Order: feeds -> HTTP; feeds -> channel, tried only. Thread: any.
 */
#ifndef GATEWAY_FEED_FEEDS_H
#define GATEWAY_FEED_FEEDS_H

#include "gateway/serve/api.h"

#define GW_HEARTBEAT_MS 15000
#define GW_POLL_WAIT_MAX 60 /* seconds */

/* slow_s: how long a follower may hold shared bytes without taking them. */
struct gw_feeds *gw_feeds_new(int slow_s);
void gw_feeds_free(struct gw_feeds **f);				       /* when every stream is over */
void gw_feeds_on_change(void *feeds, const struct gw_view *v, int64_t newest); /* a gw_changed_fn */
void gw_feeds_tick(
    struct gw_feeds *f); /* about once a second: heartbeats, polls that ran out, the too slow */
size_t gw_feeds_count(struct gw_feeds *f);
size_t gw_feeds_following(struct gw_feeds *f, const char *reader, const struct gw_view *v); /* open feeds */

#endif
