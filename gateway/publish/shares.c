#include "gateway/publish/shares.h"

#include "bus/mem.h"

#define BUCKETS 256

struct share {
	struct share *next;
	uint32_t reader;
	int64_t n; /* > 0: who has nothing is not kept */
};

struct gw_shares {
	struct share *bucket[BUCKETS];
};

struct gw_shares *gw_shares_new(void)
{
	return bus_xcalloc(1, sizeof(struct gw_shares));
}

void gw_shares_free(struct gw_shares **sp)
{
	struct gw_shares *s = *sp;
	struct share *one;

	*sp = NULL;
	for (size_t i = 0; s && i < BUCKETS; i++)
		while ((one = s->bucket[i])) {
			s->bucket[i] = one->next;
			free(one);
		}
	free(s);
}

int64_t gw_shares_add(struct gw_shares *s, uint32_t reader, int64_t n)
{
	struct share **at = &s->bucket[reader % BUCKETS], *one;
	int64_t left;

	while (*at && (*at)->reader != reader)
		at = &(*at)->next;
	if (!*at) {
		*at = bus_xcalloc(1, sizeof(**at));
		(*at)->reader = reader;
	}
	one = *at;
	left = one->n += n;
	if (left <= 0) {
		*at = one->next;
		free(one);
	}
	return left;
}

int64_t gw_shares_of(const struct gw_shares *s, uint32_t reader)
{
	const struct share *one = s->bucket[reader % BUCKETS];

	while (one && one->reader != reader)
		one = one->next;
	return one ? one->n : 0;
}
