/* gateway/publish/shares.h - how much of something each reader has, so that none has it all. A reader is known by four
 * bytes of his key's hash (gw_publish_set_key): two readers who share them share a share. Thread: the caller's lock. */
#ifndef GATEWAY_PUBLISH_SHARES_H
#define GATEWAY_PUBLISH_SHARES_H

#include <stdint.h>

#define GW_SHARE_OF 4 /* the part of the whole that one reader may have: a fourth */

struct gw_shares;

struct gw_shares *gw_shares_new(void);
void gw_shares_free(struct gw_shares **s);
int64_t gw_shares_add(struct gw_shares *s, uint32_t reader,
		      int64_t n); /* what he has then; n may be less than 0 */
int64_t gw_shares_of(const struct gw_shares *s, uint32_t reader);

#endif
