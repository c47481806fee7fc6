/* adapters/seen.h - a set of 128-bit fingerprints in a file, mapped into memory.
 *
 * Rules like "the first row wins" need to know what came before; a city's file has millions of rows. The
 * table (open addressing) lies in an unlinked temporary file, so that the kernel may
 * write it out: anonymous memory does not grow with the file read. A full disk is BUS_EFULL, not SIGBUS
 * (space is allocated before it is mapped). Fingerprints are XXH3-128 of the key's bytes.
 * Thread: one.
 */
#ifndef ADAPTERS_SEEN_H
#define ADAPTERS_SEEN_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/mem.h"

struct adapter_seen;

struct adapter_seen_entry {
	uint64_t key[2];  /* fingerprint; never both 0 */
	uint64_t content; /* fingerprint of what was published; the caller's */
	uint32_t file;	  /* the caller's number of a file */
	uint32_t line;
	int64_t version; /* the caller's */
};

enum bus_err adapter_seen_new(const char *dir, struct adapter_seen **out,
			      struct bus_error *err) BUS_MUSTCHECK;
/* Entries that end before `version`, 32 bytes each instead of 40: two in a line of the processor's cache. */
enum bus_err adapter_seen_new_unversioned(const char *dir, struct adapter_seen **out,
					  struct bus_error *err) BUS_MUSTCHECK;
/* Entries of nothing but a key, 16 bytes each: for "has this been there before?". A third of the memory is a third of
 * the page faults, which are what such a set costs. */
enum bus_err adapter_seen_new_bare(const char *dir, struct adapter_seen **out,
				   struct bus_error *err) BUS_MUSTCHECK;
/* How much of several tables may stay in memory together, in bytes: what is over it is given back to the kernel, which
 * has it on disk, and comes again page by page as it is asked for. */
struct adapter_seen_budget;
struct adapter_seen_budget *adapter_seen_budget_new(size_t bytes);
void adapter_seen_budget_free(struct adapter_seen_budget **b); /* after its tables */
void adapter_seen_share(struct adapter_seen *s,
			struct adapter_seen_budget *b); /* NULL: as much as there is */

void adapter_seen_free(struct adapter_seen **s);
void adapter_seen_clear(struct adapter_seen *s);
size_t adapter_seen_count(const struct adapter_seen *s);
/* The entry of key (out NULL: not wanted); *fresh: it was not there, and is now, zeroed but for its key. Borrowed until
 * the next call. BUS_EFULL: the disk is full. */
enum bus_err adapter_seen_put(struct adapter_seen *s, struct bus_str key, struct adapter_seen_entry **out,
			      bool *fresh, struct bus_error *err) BUS_MUSTCHECK;
struct adapter_seen_entry *adapter_seen_get(struct adapter_seen *s, struct bus_str key); /* NULL: not there */
uint64_t adapter_fingerprint(struct bus_str bytes);					 /* XXH3-64 */

#endif
