/* gateway/national/replay.h - what was taken once and shall not be taken again for a while: nonces of signed requests.
 * A fixed number of them, a fourth for each owner at most; when there are as many, all younger than their time, nothing new
 * is taken, and nothing old forgotten.
 * Thread: any (a lock inside). */
#ifndef GATEWAY_NATIONAL_REPLAY_H
#define GATEWAY_NATIONAL_REPLAY_H

#include <stddef.h>
#include <stdint.h>

struct gw_replay;

/* room: a power of two. seconds: how long each is remembered. */
struct gw_replay *gw_replay_new(size_t room, int64_t seconds);
void gw_replay_free(struct gw_replay **r);

enum gw_replay_verdict { GW_REPLAY_NEW, GW_REPLAY_SEEN, GW_REPLAY_FULL };
/* id, owner: 16 bytes of a good hash. now: seconds, of any clock that does not go back. */
enum gw_replay_verdict gw_replay_take(struct gw_replay *r, const uint8_t id[16], const uint8_t owner[16],
				      int64_t now);

#endif
