#include "tests/support/alloc.h"

#include <malloc.h>
#include <stdlib.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static __thread long long held;
static __thread long long most;

static void *count(void *p)
{
	held += (long long)malloc_usable_size(p);
	if (held > most)
		most = held;
	return p;
}

void alloc_mark(void)
{
	held = 0;
	most = 0;
}

size_t alloc_peak(void)
{
	return (size_t)most;
}

void *__wrap_malloc(size_t n)
{
	return count(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
	held -= (long long)malloc_usable_size(p);
	return count(__real_realloc(p, n));
}

void __wrap_free(void *p)
{
	held -= (long long)malloc_usable_size(p);
	__real_free(p);
}
