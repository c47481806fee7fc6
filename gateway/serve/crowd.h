/* gateway/serve/crowd.h - those who ask without a key: how many requests one address may make in a stretch of time.
 *
 * A table of counts that does not grow: an address has its place in it by a keyed hash, and who falls on the same place
 * shares its count. Of IPv6 an address is its first 64 bits, which is what one household has. Thread: any.
 */
#ifndef GATEWAY_SERVE_CROWD_H
#define GATEWAY_SERVE_CROWD_H

#include "gateway/serve/quota.h"

struct gw_crowd;

/* forwarded: the address is the last that X-Forwarded-For names, as the proxy before us wrote it; else the connection's. */
struct gw_crowd *gw_crowd_new(struct gw_quota each, bool forwarded);
void gw_crowd_free(struct gw_crowd **c);
/* One request more, at now_ms (monotonic). */
struct gw_quota_left gw_crowd_take(struct gw_crowd *c, const struct bus_http_request *req, int64_t now_ms);

/* The last address of what X-Forwarded-For says; false: none. Untrusted text. */
bool gw_crowd_address(const char *forwarded, uint8_t out[16]);

#endif
