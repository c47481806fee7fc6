/* gateway/store/hash.h - SipHash-2-4 (Aumasson and Bernstein, 2012): the keyed hash of a row. Keyed, because a
 * row's hash is given to readers as its ETag and a row with few possible values could be guessed from an
 * unkeyed one. Thread: any. */
#ifndef GATEWAY_STORE_HASH_H
#define GATEWAY_STORE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct gw_hash_key {
	uint64_t k0, k1;
};

uint64_t gw_hash(struct gw_hash_key key, const void *p, size_t n);

#endif
