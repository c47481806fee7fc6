/* adapters/live.h - a feed's spool, read as it grows: each segment is a file of the feed (pass.h), whose rows are published
 * as soon as they are on disk.
 *
 * A segment is known by its id, whatever becomes of its bytes; a row by its place in it. So all that holds for files holds
 * for it: after a kill it is read again from its start, and what is in the log is not sent again. A segment that was read
 * to its end before (adapter_spool_again) is moved, and nothing is published. What is damaged in it is in the reason of its
 * `berkas` record and in the report; everything whole is published, and lines keep their numbers.
 * Two readings whose rows stand under the same keys must not mix, or a restart could put back what was replaced since:
 * before another file of the same topic is read, adapter_live_yield().
 * One thread: the runner's.
 */
#ifndef ADAPTERS_LIVE_H
#define ADAPTERS_LIVE_H

#include "adapters/feed.h"
#include "adapters/spool/spool.h"

struct adapter_live;

/* The desk is connected. rate: rows a second at most; 0: any number. */
struct adapter_live *adapter_live_new(struct adapter_desk *d, struct adapter_feed *f,
				      struct adapter_spool *spool, const struct adapter_spool_keys *keys,
				      int64_t rate);
void adapter_live_free(struct adapter_live **l);

/* What is there, for at most 100 ms. *wait_ms is lowered to when it wants to be called again. Errors as adapter_pass(). */
enum bus_err adapter_live_turn(struct adapter_live *l, int *wait_ms, struct bus_error *err) BUS_MUSTCHECK;
/* It cannot go on now: the segment in hand is read again from its start, 5 s later. Told once. */
void adapter_live_later(struct adapter_live *l, const struct bus_error *why);
bool adapter_live_reading(const struct adapter_live *l);
/* The segment in hand ends as soon as it can, and for a second after it no other begins. */
void adapter_live_yield(struct adapter_live *l);

#endif
