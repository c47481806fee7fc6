#include "bus/buf.h"

#include <stdio.h>

void bus_buf_reserve(struct bus_buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 64;

	while (cap - b->n < more)
		cap *= 2;
	if (cap == b->cap)
		return;
	b->p = bus_xrealloc(b->p, cap);
	b->cap = cap;
}

void bus_buf_printf(struct bus_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	bus_buf_reserve(b, 64);
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= b->cap - b->n) {
		bus_buf_reserve(b, (size_t)n + 1);
		va_start(ap, fmt);
		vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

const char *bus_buf_cstr(struct bus_buf *b)
{
	bus_buf_reserve(b, 1);
	b->p[b->n] = '\0';
	return b->p;
}

char *bus_buf_take(struct bus_buf *b, size_t *n)
{
	char *p;

	bus_buf_cstr(b);
	p = b->p;
	if (n)
		*n = b->n;
	*b = (struct bus_buf){ 0 };
	return p;
}

void bus_buf_release(struct bus_buf *b)
{
	free(b->p);
	*b = (struct bus_buf){ 0 };
}
