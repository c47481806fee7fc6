/* adapters/once.h - has this text been there before? A set of 128-bit fingerprints, 16 bytes each.
 *
 * The same as seen.h, for who asks nothing but that: the mapper's `repeated`, twice a row. A third of the
 * memory is a third of the page faults, which are what such a set costs. Thread: one.
 */
#ifndef ADAPTERS_ONCE_H
#define ADAPTERS_ONCE_H

#include "bus/error.h"
#include "bus/mem.h"

struct adapter_once;

enum bus_err adapter_once_new(const char *dir, struct adapter_once **out,
			      struct bus_error *err) BUS_MUSTCHECK;
void adapter_once_free(struct adapter_once **o);
/* *fresh: text was not there, and is now. BUS_EFULL: the disk is full. */
enum bus_err adapter_once_put(struct adapter_once *o, struct bus_str text, bool *fresh,
			      struct bus_error *err) BUS_MUSTCHECK;

#endif
