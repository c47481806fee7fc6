/* adapters/removal.h - keys that a complete file no longer has are removed by tombstones. One thread. */
#ifndef ADAPTERS_REMOVAL_H
#define ADAPTERS_REMOVAL_H

#include "adapters/feed.h"

/* After all rows of a whole, complete file: kept live keys of the topic are in f->contained, held were live
 * before the file. Keys are only fingerprints in the index, so the topic is read again for them; and only if
 * one is missing. When more than remove_max percent of held would go, nothing goes and t->reason says so.
 * Sets t->removed, counting what an interrupted reading had removed already. */
enum bus_err adapter_removal(struct adapter_desk *d, struct adapter_feed *f, struct adapter_tally *t,
			     const struct adapter_origin *origin, uint32_t file_number, size_t kept,
			     int64_t held, struct bus_error *err) BUS_MUSTCHECK;

#endif
