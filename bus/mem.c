#include "bus/mem.h"

#include <stdarg.h>
#include <stdio.h>

static void *checked(void *p, size_t n)
{
	if (!p && n > 0) {
		fprintf(stderr, "level=fatal id=bus.out_of_memory bytes=%zu\n", n);
		abort();
	}
	return p;
}

void *bus_xmalloc(size_t n)
{
	return checked(malloc(n), n);
}

void *bus_xcalloc(size_t n, size_t size)
{
	return checked(calloc(n, size), n * size);
}

void *bus_xrealloc(void *p, size_t n)
{
	return checked(realloc(p, n), n);
}

char *bus_xstrndup(const char *s, size_t n)
{
	char *copy = bus_xmalloc(n + 1);

	if (n > 0)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *bus_xstrdup(const char *s)
{
	return bus_xstrndup(s, strlen(s));
}

char *bus_xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return checked(n < 0 ? NULL : s, 1);
}
