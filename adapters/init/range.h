/* adapters/init/range.h - `range` of a table on a sheet: as little of where it stands today as will do, for next year's may be longer,
 * and so may those above it. Thread: one.
 */
#ifndef ADAPTERS_INIT_RANGE_H
#define ADAPTERS_INIT_RANGE_H

#include "adapters/init/layout.h"
#include "adapters/init/shape.h"

/* Puts `range`, and `until_empty`, into the source's options, and a note of where the table ends. by_header: it is read by the
 * names in its header; alone: no other table is on the sheet. */
void adapter_init_put_range(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			    bool by_header, bool alone, struct adapter_init_shape *out);

#endif
