/* gateway/store/keys.h - a set of byte strings, kept in the order they came. Thread: one. */
#ifndef GATEWAY_STORE_KEYS_H
#define GATEWAY_STORE_KEYS_H

#include <stdint.h>

#include "bus/buf.h"

struct gw_keys {	/* zero-initialised: empty */
	uint32_t *slot; /* open addressing; index into key + 1, 0 = free */
	size_t n_slots; /* power of two */
	struct gw_key {
		uint64_t hash;
		size_t off; /* in bytes */
		size_t n;
	} * key;
	size_t n, cap;
	struct bus_buf bytes;
};

bool gw_keys_add(struct gw_keys *k, struct bus_str s);	      /* false: it was there */
struct bus_str gw_keys_at(const struct gw_keys *k, size_t i); /* until the next add */
/* The indices 0..n-1 in the order of the keys' bytes; the caller frees it. */
uint32_t *gw_keys_order(const struct gw_keys *k);
void gw_keys_clear(struct gw_keys *k); /* gives memory back when it was much */
void gw_keys_release(struct gw_keys *k);

#endif
