#include "adapters/intake/remember.h"

#define NONE UINT32_MAX

/* A ring in the order of coming; each place also in a chain by its key. */
struct slot {
	struct adapter_remembered e;
	uint32_t next; /* in its chain */
	bool used;
};

struct adapter_remember {
	struct slot *slot;
	uint32_t *chain, chains; /* first slot of each; a power of two */
	uint32_t most, at;	 /* at: the place to be used next, the oldest when the ring is full */
	int64_t keep_ms;
};

struct adapter_remember *adapter_remember_new(size_t most, int64_t keep_ms)
{
	struct adapter_remember *r = bus_xcalloc(1, sizeof(*r));

	r->most = (uint32_t)most;
	r->keep_ms = keep_ms;
	r->slot = bus_xcalloc(most, sizeof(*r->slot)); /* touched only as it fills */
	for (r->chains = 1; r->chains < r->most; r->chains *= 2)
		;
	r->chain = bus_xmalloc(r->chains * sizeof(*r->chain));
	memset(r->chain, 0xff, r->chains * sizeof(*r->chain));
	return r;
}

void adapter_remember_free(struct adapter_remember **rp)
{
	if (!*rp)
		return;
	free((*rp)->slot);
	free((*rp)->chain);
	free(*rp);
	*rp = NULL;
}

/* Keys are hashes: their first bytes are as good as any. */
static uint32_t *chain_of(struct adapter_remember *r, const uint8_t *key)
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return &r->chain[h & (r->chains - 1)];
}

static uint32_t *place_of(struct adapter_remember *r, const uint8_t *key)
{
	uint32_t *at = chain_of(r, key);

	while (*at != NONE && memcmp(r->slot[*at].e.key, key, ADAPTER_POST_KEY) != 0)
		at = &r->slot[*at].next;
	return at;
}

void adapter_remember_forget(struct adapter_remember *r, const uint8_t *key)
{
	uint32_t *at = place_of(r, key);

	if (*at == NONE)
		return;
	r->slot[*at].used = false;
	*at = r->slot[*at].next;
}

struct adapter_remembered *adapter_remember_find(struct adapter_remember *r, const uint8_t *key,
						 int64_t now_ms)
{
	uint32_t at = *place_of(r, key);

	if (at == NONE)
		return NULL;
	if (!r->slot[at].e.pending && now_ms - r->slot[at].e.time_ms > r->keep_ms) {
		adapter_remember_forget(r, key);
		return NULL;
	}
	return &r->slot[at].e;
}

void adapter_remember_put(struct adapter_remember *r, const struct adapter_remembered *e)
{
	struct slot *s = &r->slot[r->at];
	uint32_t *chain;

	adapter_remember_forget(r, e->key);
	if (s->used)
		adapter_remember_forget(r, s->e.key);
	chain = chain_of(r, e->key);
	*s = (struct slot){ .e = *e, .next = *chain, .used = true };
	*chain = r->at;
	r->at = (r->at + 1) % r->most;
}
