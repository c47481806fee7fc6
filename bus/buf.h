/* bus/buf.h - growing bytes.
 *
 * Invariants: n <= cap; p is NULL only while cap is 0; after bus_buf_cstr() p[n] is 0. Zero-initialised
 * is a valid empty buffer. bus_buf_reset keeps the memory, bus_buf_release gives it back.
 */
#ifndef BUS_BUF_H
#define BUS_BUF_H

#include <stdarg.h>
#include <stdint.h>

#include "bus/mem.h"

struct bus_buf {
	char *p;
	size_t n;
	size_t cap;
};

void bus_buf_reserve(struct bus_buf *b, size_t more); /* room for more bytes after n */
void bus_buf_printf(struct bus_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *bus_buf_cstr(struct bus_buf *b); /* borrowed until the next change */
char *bus_buf_take(struct bus_buf *b, size_t *n); /* the caller owns the NUL-ended bytes; b is empty */
void bus_buf_release(struct bus_buf *b);

static inline void bus_buf_reset(struct bus_buf *b)
{
	b->n = 0;
}

static inline void bus_buf_put(struct bus_buf *b, const void *p, size_t n)
{
	if (b->cap - b->n < n)
		bus_buf_reserve(b, n);
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void bus_buf_putc(struct bus_buf *b, char c)
{
	if (b->cap == b->n)
		bus_buf_reserve(b, 1);
	b->p[b->n++] = c;
}

static inline void bus_buf_puts(struct bus_buf *b, const char *s)
{
	bus_buf_put(b, s, strlen(s));
}

static inline struct bus_str bus_buf_str(const struct bus_buf *b)
{
	return (struct bus_str){ b->p, b->n };
}

#endif
