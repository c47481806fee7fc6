#include "bus/arena.h"

#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define BLOCK_MIN ((size_t)8 * 1024)
#define ALIGN ((size_t)16)

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(16) char bytes[];
};

struct bus_arena {
	struct block *head; /* the one in use; older ones behind it */
	size_t cap;
	size_t used;
};

struct bus_arena *bus_arena_new(size_t cap)
{
	struct bus_arena *a = bus_xcalloc(1, sizeof(*a));

	a->cap = cap;
	return a;
}

static void free_blocks(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		ASAN_UNPOISON_MEMORY_REGION(b->bytes, b->size);
		free(b);
		b = next;
	}
}

void bus_arena_free(struct bus_arena **a)
{
	if (!*a)
		return;
	free_blocks((*a)->head);
	free(*a);
	*a = NULL;
}

void bus_arena_reset(struct bus_arena *a)
{
	a->used = 0;
	if (!a->head)
		return;
	free_blocks(a->head->next);
	a->head->next = NULL;
	a->head->used = 0;
	ASAN_POISON_MEMORY_REGION(a->head->bytes, a->head->size);
}

size_t bus_arena_used(const struct bus_arena *a)
{
	return a->used;
}

void *bus_arena_alloc(struct bus_arena *a, size_t n)
{
	struct block *b = a->head;
	void *p;

	if (n > SIZE_MAX / 2 || (a->cap && (n > a->cap || a->used > a->cap - n)))
		return NULL;
	n = (n + ALIGN - 1) & ~(ALIGN - 1);
	if (!b || b->size - b->used < n) {
		size_t size = b ? b->size * 2 : BLOCK_MIN;

		while (size < n)
			size *= 2;
		b = bus_xmalloc(sizeof(*b) + size);
		*b = (struct block){ .next = a->head, .size = size };
		a->head = b;
		ASAN_POISON_MEMORY_REGION(b->bytes, size);
	}
	p = b->bytes + b->used;
	b->used += n;
	a->used += n;
	ASAN_UNPOISON_MEMORY_REGION(p, n);
	return p;
}

void *bus_arena_zalloc(struct bus_arena *a, size_t n)
{
	void *p = bus_arena_alloc(a, n);

	if (p)
		memset(p, 0, n);
	return p;
}

char *bus_arena_dup(struct bus_arena *a, const char *p, size_t n)
{
	char *copy = bus_arena_alloc(a, n + 1);

	if (!copy)
		return NULL;
	if (n > 0)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}
