/* gateway/restproxy/parked.h - requests for records that wait without a thread: what they wait for.
 *
 * Each waits for records behind its places, for another share of its group, or for its time to be over. What it waits for is
 * found once, when it comes; a look at all of them then compares numbers. Thread: one, without a lock.
 */
#ifndef GATEWAY_RESTPROXY_PARKED_H
#define GATEWAY_RESTPROXY_PARKED_H

#include "gateway/restproxy/state.h"

struct gw_rp_job; /* consume.h: at, changes, deadline and next are what matters here */
struct gw_rp_parked;

/* places: partitions looked at, at a time; who waits for more is due at once. */
struct gw_rp_parked *gw_rp_parked_new(size_t places);
void gw_rp_parked_free(struct gw_rp_parked **p); /* when none is in it */
void gw_rp_parked_add(struct gw_rp_parked *p, struct gw_rp_job *job);
size_t gw_rp_parked_count(const struct gw_rp_parked *p);

/* Each partition that somebody waits for: fn says where it ends now. False: enough. */
typedef bool (*gw_rp_end_fn)(void *ctx, const char *topic, int32_t partition, int64_t *end);
void gw_rp_parked_ends(struct gw_rp_parked *p, gw_rp_end_fn fn, void *ctx);
/* Who of them has another share by now. The state is locked. */
void gw_rp_parked_changes(struct gw_rp_parked *p, const struct gw_rp_state *s);
/* Those whose waiting is over, by next, no longer in it: at now_ms (mono), and whoever was last heard of before seen_ms. All:
 * every one. */
struct gw_rp_job *gw_rp_parked_due(struct gw_rp_parked *p, int64_t now_ms, int64_t seen_ms);
struct gw_rp_job *gw_rp_parked_all(struct gw_rp_parked *p);

#endif
