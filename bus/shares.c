#include "bus/shares.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256

struct share {
	struct share *next;
	int64_t n; /* > 0 */
	size_t len;
	char who[BUS_SHARE_NAME_MAX];
};

struct bus_shares {
	struct share *bucket[BUCKETS];
};

struct bus_shares *bus_shares_new(void)
{
	return bus_xcalloc(1, sizeof(struct bus_shares));
}

void bus_shares_free(struct bus_shares **sp)
{
	struct bus_shares *s = *sp;
	struct share *one;

	*sp = NULL;
	for (size_t i = 0; s && i < BUCKETS; i++)
		while ((one = s->bucket[i])) {
			s->bucket[i] = one->next;
			free(one);
		}
	free(s);
}

/* FNV-1a: who falls on the same bucket is only looked at a little later. */
static size_t bucket_of(struct bus_str who)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < who.n; i++)
		h = (h ^ (uint8_t)who.p[i]) * 16777619;
	return (h ^ h >> 16) % BUCKETS;
}

static bool is(const struct share *one, struct bus_str who)
{
	return one->len == who.n && memcmp(one->who, who.p, who.n) == 0;
}

int64_t bus_shares_add(struct bus_shares *s, struct bus_str who, int64_t n)
{
	struct share **at = &s->bucket[bucket_of(who)], *one;
	int64_t left;

	assert(who.n <= BUS_SHARE_NAME_MAX);
	while (*at && !is(*at, who))
		at = &(*at)->next;
	if (!*at) {
		*at = bus_xcalloc(1, sizeof(**at));
		(*at)->len = who.n;
		memcpy((*at)->who, who.p, who.n);
	}
	one = *at;
	left = one->n += n;
	if (left <= 0) {
		*at = one->next;
		free(one);
	}
	return left;
}

int64_t bus_shares_of(const struct bus_shares *s, struct bus_str who)
{
	const struct share *one = s->bucket[bucket_of(who)];

	while (one && !is(one, who))
		one = one->next;
	return one ? one->n : 0;
}
