/* bus/mem.h - allocation that does not fail, and the two small types everybody passes around.
 *
 * Running out of memory is not an error that a small program can mend: bus_x* abort. What grows with
 * input from outside is bounded by its caller (arena cap, buffer cap) before it gets here.
 */
#ifndef BUS_MEM_H
#define BUS_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *bus_xmalloc(size_t n);
void *bus_xcalloc(size_t n, size_t size);
void *bus_xrealloc(void *p, size_t n);
char *bus_xstrdup(const char *s);
char *bus_xstrndup(const char *s, size_t n);
char *bus_xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Bytes that somebody else owns. Not NUL-terminated; p may be NULL only when n is 0. */
struct bus_str {
	const char *p;
	size_t n;
};

#define BUS_STR(lit) ((struct bus_str){ (lit), sizeof(lit) - 1 })

static inline struct bus_str bus_str(const char *s)
{
	return (struct bus_str){ s, strlen(s) };
}

static inline bool bus_str_eq(struct bus_str a, struct bus_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool bus_str_is(struct bus_str a, const char *s)
{
	return bus_str_eq(a, bus_str(s));
}

#define BUS_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
