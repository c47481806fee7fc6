#include "gateway/store/keys.h"

#include <assert.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS_FIRST 64
#define KEEP_BYTES ((size_t)256 * 1024)

static void grow(struct gw_keys *k)
{
	size_t n = k->n_slots ? k->n_slots * 2 : SLOTS_FIRST, at;

	free(k->slot);
	k->slot = bus_xcalloc(n, sizeof(*k->slot));
	k->n_slots = n;
	for (size_t i = 0; i < k->n; i++) {
		for (at = k->key[i].hash & (n - 1); k->slot[at]; at = (at + 1) & (n - 1))
			;
		k->slot[at] = (uint32_t)i + 1;
	}
}

bool gw_keys_add(struct gw_keys *k, struct bus_str s)
{
	uint64_t hash = XXH3_64bits(s.p, s.n);
	const struct gw_key *old;
	size_t at;

	if (k->n * 2 >= k->n_slots)
		grow(k);
	for (at = hash & (k->n_slots - 1); k->slot[at]; at = (at + 1) & (k->n_slots - 1)) {
		old = &k->key[k->slot[at] - 1];
		if (old->hash == hash && old->n == s.n && memcmp(k->bytes.p + old->off, s.p, s.n) == 0)
			return false;
	}
	if (k->n == k->cap) {
		k->cap = k->cap ? k->cap * 2 : SLOTS_FIRST;
		k->key = bus_xrealloc(k->key, k->cap * sizeof(*k->key));
	}
	assert(k->n < UINT32_MAX);
	k->key[k->n] = (struct gw_key){ hash, k->bytes.n, s.n };
	bus_buf_put(&k->bytes, s.p, s.n);
	k->slot[at] = (uint32_t)++k->n;
	return true;
}

struct bus_str gw_keys_at(const struct gw_keys *k, size_t i)
{
	return (struct bus_str){ k->bytes.p + k->key[i].off, k->key[i].n };
}

static int by_bytes(const void *a, const void *b, void *ctx)
{
	const struct gw_keys *k = ctx;
	struct bus_str x = gw_keys_at(k, *(const uint32_t *)a), y = gw_keys_at(k, *(const uint32_t *)b);
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return c ? c : x.n < y.n ? -1 : x.n > y.n;
}

uint32_t *gw_keys_order(const struct gw_keys *k)
{
	uint32_t *order = bus_xmalloc((k->n + 1) * sizeof(*order));

	for (size_t i = 0; i < k->n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, k->n, sizeof(*order), by_bytes, (void *)(uintptr_t)k);
	return order;
}

void gw_keys_clear(struct gw_keys *k)
{
	if (k->bytes.cap > KEEP_BYTES) {
		gw_keys_release(k);
		return;
	}
	if (k->n)
		memset(k->slot, 0, k->n_slots * sizeof(*k->slot));
	k->n = 0;
	bus_buf_reset(&k->bytes);
}

void gw_keys_release(struct gw_keys *k)
{
	free(k->slot);
	free(k->key);
	bus_buf_release(&k->bytes);
	memset(k, 0, sizeof(*k));
}
