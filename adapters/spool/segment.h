/* adapters/spool/segment.h - reading one segment: every post in it that is whole, and what is not, said where.
 *
 * Untrusted bytes (tests/fuzz/fuzz_spool.c): whatever they are, memory stays below ADAPTER_FRAME_MAX twice, and time in
 * proportion to the file. Reads while another thread appends, no further than it is told. Thread: one.
 */
#ifndef ADAPTERS_SPOOL_SEGMENT_H
#define ADAPTERS_SPOOL_SEGMENT_H

#include "adapters/spool/format.h"

struct adapter_segment;

#define ADAPTER_DAMAGE_PLACES 8

struct adapter_damage {
	struct {
		uint64_t from, to; /* bytes, the second not included */
	} place[ADAPTER_DAMAGE_PLACES];
	uint64_t places; /* all of them, those not listed too; 0: it is whole */
	uint64_t lost;	 /* posts known to be missing */
};

/* BUS_EDATA: no segment of this feed, or both heads are damaged; BUS_EDENIED: its key is not among these, or no rights;
 * BUS_ENOENT; BUS_EIO. */
enum bus_err adapter_segment_open(const char *path, const char *feed, const struct adapter_spool_keys *keys,
				  struct adapter_segment **out, struct bus_error *err) BUS_MUSTCHECK;
void adapter_segment_close(struct adapter_segment **s);
const struct adapter_segment_head *adapter_segment_about(const struct adapter_segment *s);

/* limit: bytes of it that are on disk while it grows; -1: it does not grow any more. BUS_ENOENT: its end (only then is the
 * damage all known). BUS_ETIMEOUT: not more for now. BUS_EIO. post->rows: until the next call. */
enum bus_err adapter_segment_next(struct adapter_segment *s, int64_t limit, struct adapter_post *post,
				  struct bus_error *err) BUS_MUSTCHECK;
const struct adapter_damage *adapter_segment_damage(const struct adapter_segment *s);
/* For people, in both languages: "bytes 1024-1100, 1 post lost". */
void adapter_damage_text(const struct adapter_damage *d, char *out, size_t n);

#endif
