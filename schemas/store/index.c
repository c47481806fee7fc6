#include "schemas/store/index.h"

static void grow(struct schema_index *x)
{
	size_t cap = x->cap ? 2 * x->cap : 64;
	struct schema_link **bucket = bus_xcalloc(cap, sizeof(struct schema_link *));

	for (size_t i = 0; i < x->cap; i++)
		for (struct schema_link *l = x->bucket[i], *next; l; l = next) {
			next = l->next;
			l->next = bucket[l->hash & (cap - 1)];
			bucket[l->hash & (cap - 1)] = l;
		}
	free(x->bucket);
	x->bucket = bucket;
	x->cap = cap;
}

void schema_index_add(struct schema_index *x, struct schema_link *l, uint64_t hash)
{
	if (x->n >= x->cap)
		grow(x);
	l->hash = hash;
	l->next = x->bucket[hash & (x->cap - 1)];
	x->bucket[hash & (x->cap - 1)] = l;
	x->n++;
}

void schema_index_remove(struct schema_index *x, struct schema_link *l)
{
	struct schema_link **slot = &x->bucket[l->hash & (x->cap - 1)];

	while (*slot != l)
		slot = &(*slot)->next;
	*slot = l->next;
	x->n--;
}

void schema_index_release(struct schema_index *x)
{
	free(x->bucket);
	*x = (struct schema_index){ 0 };
}

struct schema_link *schema_index_first(const struct schema_index *x, uint64_t hash)
{
	struct schema_link *l = x->cap ? x->bucket[hash & (x->cap - 1)] : NULL;

	while (l && l->hash != hash)
		l = l->next;
	return l;
}

struct schema_link *schema_index_next(const struct schema_link *l)
{
	struct schema_link *next = l->next;

	while (next && next->hash != l->hash)
		next = next->next;
	return next;
}

uint64_t schema_hash(uint64_t seed, const void *p, size_t n) /* FNV-1a, stirred */
{
	const unsigned char *c = p;
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;

	while (n-- > 0)
		h = (h ^ *c++) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}
