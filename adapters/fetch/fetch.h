/* adapters/fetch/fetch.h - brings by itself what nobody drops into the folder: the rows of a query, the pages of an
 * address, the files of another folder.
 *
 * A feed whose mapping has `fetch:` gets a thread. Every so often it writes what is new into a hidden file of the drop
 * folder and, when that is whole and on disk, gives it its name. From there on it is a file as any other (pass.h): what a
 * fetch brings twice is published once, a complete set is compared with the register and guarded, a bad row goes to
 * quarantine with its line. So nothing is lost or doubled wherever a kill falls; how far a fetch had got (its mark) stands
 * in a small file beside it, and losing that costs a fetch from the start, never a record.
 *
 * While a file it brought is still waiting no further one is fetched: the disk holds one a feed.
 * Thread: new, start, stop, free: one; the fetching runs on its own.
 */
#ifndef ADAPTERS_FETCH_FETCH_H
#define ADAPTERS_FETCH_FETCH_H

#include "adapters/map.h"

struct adapter_fetch;

/* *out NULL: the mapping has no `fetch:`. Its options are checked here (BUS_EPARSE, file:line), nobody is asked.
 * m and dir (the drop folder) stay until free. */
enum bus_err adapter_fetch_new(struct adapter_map *m, const char *dir, struct adapter_fetch **out,
			       struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_fetch_start(struct adapter_fetch *f, struct bus_error *err) BUS_MUSTCHECK;
/* Ends the fetch that is running, without a file, and waits for the thread. */
void adapter_fetch_stop(struct adapter_fetch *f);
void adapter_fetch_free(struct adapter_fetch **f); /* stops it first */

/* One fetch now, on this thread: for `test-connection` and tests. *rows: what it brought; file (512 bytes): its name,
 * "" when there was nothing new. */
enum bus_err adapter_fetch_once(struct adapter_fetch *f, uint64_t *rows, char *file,
				struct bus_error *err) BUS_MUSTCHECK;

#endif
