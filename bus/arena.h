/* bus/arena.h - memory that is let go all at once: one arena per request, per batch, per schema.
 *
 * An arena has a cap. Over it bus_arena_alloc returns NULL, and the caller refuses the request (413)
 * or the record: input from outside can never make a program grow past the cap. cap 0 means none; for
 * our own, already bounded structures. Memory is 16-byte aligned and not zeroed.
 * Thread: one at a time.
 */
#ifndef BUS_ARENA_H
#define BUS_ARENA_H

#include "bus/mem.h"

struct bus_arena;

struct bus_arena *bus_arena_new(size_t cap);
void bus_arena_free(struct bus_arena **a);
void bus_arena_reset(struct bus_arena *a); /* everything handed out is gone; keeps one block */
size_t bus_arena_used(const struct bus_arena *a);

void *bus_arena_alloc(struct bus_arena *a, size_t n); /* NULL: over the cap */
void *bus_arena_zalloc(struct bus_arena *a, size_t n);
char *bus_arena_dup(struct bus_arena *a, const char *p, size_t n); /* NUL added */

#endif
