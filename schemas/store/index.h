/* schemas/store/index.h - a hash table of things that carry their own links: no allocation per entry. For
 * this folder.
 *
 *     for (struct schema_link *l = schema_index_first(&x, hash); l; l = schema_index_next(l))
 *             ... l is inside of a candidate: same hash, compare the rest
 */
#ifndef SCHEMAS_STORE_INDEX_H
#define SCHEMAS_STORE_INDEX_H

#include <stdint.h>

#include "bus/mem.h"

struct schema_link {
	struct schema_link *next;
	uint64_t hash;
};

struct schema_index { /* zero-initialised is empty */
	struct schema_link **bucket;
	size_t cap, n; /* a power of two, or 0 */
};

#define SCHEMA_LINKED(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

void schema_index_add(struct schema_index *x, struct schema_link *l, uint64_t hash);
void schema_index_remove(struct schema_index *x, struct schema_link *l); /* must be in it */
void schema_index_release(struct schema_index *x);			 /* the things are the caller's */
struct schema_link *schema_index_first(const struct schema_index *x, uint64_t hash);
struct schema_link *schema_index_next(const struct schema_link *l); /* of the same hash; NULL: no more */

uint64_t schema_hash(uint64_t seed, const void *p, size_t n);

#endif
