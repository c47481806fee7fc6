#include "gateway/national/replay.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bus/shares.h"

struct seen {
	uint8_t id[16], owner[16];
	int64_t until;
	uint32_t next; /* in its bucket: place + 1; 0: the last */
};

struct gw_replay {
	pthread_mutex_t lock;
	size_t room; /* of seen and of bucket */
	int64_t seconds;
	struct seen *seen; /* a ring: the oldest first, since all are kept equally long */
	uint32_t *bucket;  /* place + 1; 0: empty */
	size_t oldest, n;
	struct bus_shares *has; /* of n */
};

struct gw_replay *gw_replay_new(size_t room, int64_t seconds)
{
	struct gw_replay *r = bus_xcalloc(1, sizeof(*r));

	assert(room > 0 && (room & (room - 1)) == 0);
	r->room = room;
	r->seconds = seconds;
	r->seen = bus_xcalloc(room, sizeof(*r->seen));
	r->bucket = bus_xcalloc(room, sizeof(*r->bucket));
	r->has = bus_shares_new();
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void gw_replay_free(struct gw_replay **r)
{
	if (!*r)
		return;
	free((*r)->seen);
	free((*r)->bucket);
	bus_shares_free(&(*r)->has);
	pthread_mutex_destroy(&(*r)->lock);
	free(*r);
	*r = NULL;
}

static uint32_t *bucket_of(struct gw_replay *r, const uint8_t id[16])
{
	uint64_t h;

	memcpy(&h, id, sizeof(h));
	return &r->bucket[h & (r->room - 1)];
}

static struct bus_str whose(const uint8_t owner[16])
{
	return (struct bus_str){ (const char *)owner, 16 };
}

static void forget_oldest(struct gw_replay *r)
{
	struct seen *s = &r->seen[r->oldest];
	uint32_t *link = bucket_of(r, s->id);

	while (*link != r->oldest + 1)
		link = &r->seen[*link - 1].next;
	*link = s->next;
	(void)bus_shares_add(r->has, whose(s->owner), -1);
	r->oldest = (r->oldest + 1) & (r->room - 1);
	r->n--;
}

enum gw_replay_verdict gw_replay_take(struct gw_replay *r, const uint8_t id[16], const uint8_t owner[16],
				      int64_t now)
{
	enum gw_replay_verdict verdict = GW_REPLAY_NEW;
	uint32_t *bucket = bucket_of(r, id);
	size_t at;

	pthread_mutex_lock(&r->lock);
	while (r->n > 0 && r->seen[r->oldest].until < now)
		forget_oldest(r);
	for (uint32_t i = *bucket; i && verdict == GW_REPLAY_NEW; i = r->seen[i - 1].next)
		if (memcmp(r->seen[i - 1].id, id, sizeof(r->seen[0].id)) == 0)
			verdict = GW_REPLAY_SEEN;
	if (verdict == GW_REPLAY_NEW &&
	    (r->n == r->room ||
	     bus_shares_of(r->has, whose(owner)) >= (int64_t)(r->room + BUS_SHARE_OF - 1) / BUS_SHARE_OF))
		verdict = GW_REPLAY_FULL;
	if (verdict == GW_REPLAY_NEW) {
		at = (r->oldest + r->n++) & (r->room - 1);
		memcpy(r->seen[at].id, id, sizeof(r->seen[at].id));
		r->seen[at].until = now + r->seconds;
		r->seen[at].next = *bucket;
		memcpy(r->seen[at].owner, owner, sizeof(r->seen[at].owner));
		(void)bus_shares_add(r->has, whose(owner), 1);
		*bucket = (uint32_t)at + 1;
	}
	pthread_mutex_unlock(&r->lock);
	return verdict;
}
