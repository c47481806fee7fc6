/* gateway/serve/quota.h - how many requests a reader may make in a stretch of time, and how many it has made.
 *
 * `quota: 600/1m` of a reader in the policy. Counted in whole stretches: at the end of each the count begins anew. A
 * count outlives a policy that is read again. Thread: gw_quota_count and _take any; the rest one at a time.
 */
#ifndef GATEWAY_SERVE_QUOTA_H
#define GATEWAY_SERVE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/http.h"

struct gw_quota { /* requests 0: without end */
	uint32_t requests, seconds;
};
bool gw_quota_read(const char *text, struct gw_quota *out); /* "600/1m"; s, m, h, d */

struct gw_meter;
/* The meter of that name, made when it is new; it lives as long as the list. */
struct gw_meter *gw_meter_of(struct gw_meter **list, const char *reader);
void gw_meters_free(struct gw_meter **list);

struct gw_quota_left {
	struct gw_quota quota;
	uint32_t left, reset_s; /* until the count begins anew */
	bool over;		/* this request is one too many */
};
/* One request more, at now_ms (monotonic). state begins as 0. */
struct gw_quota_left gw_quota_count(_Atomic uint64_t *state, struct gw_quota q, int64_t now_ms);
struct gw_quota_left gw_quota_take(struct gw_meter *m, struct gw_quota q, int64_t now_ms);
/* RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11); Retry-After when it is over. */
void gw_quota_headers(struct bus_http_request *req, const struct gw_quota_left *l);

#endif
