/* adapters/fetch/haul.h - what one fetch brings: a hidden file in the drop folder that becomes a file, or nothing.
 * Thread: one. */
#ifndef ADAPTERS_FETCH_HAUL_H
#define ADAPTERS_FETCH_HAUL_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"

struct adapter_haul;

/* In dir, hidden; what a killed predecessor left of this feed is overwritten. */
enum bus_err adapter_haul_open(const char *dir, const char *feed, struct adapter_haul **out,
			       struct bus_error *err) BUS_MUSTCHECK;
/* Bytes of the file. BUS_EFULL, BUS_EIO. */
enum bus_err adapter_haul_put(struct adapter_haul *h, struct bus_str bytes,
			      struct bus_error *err) BUS_MUSTCHECK;
void adapter_haul_row(struct adapter_haul *h); /* another row is in it: for counting */
uint64_t adapter_haul_rows(const struct adapter_haul *h);
uint64_t adapter_haul_bytes(const struct adapter_haul *h);
/* How far this fetch got: any text of the kind's own, given to the next run. */
void adapter_haul_mark(struct adapter_haul *h, struct bus_str mark);
struct bus_str adapter_haul_marked(const struct adapter_haul *h);
/* There may be more: when this file has been read, the next fetch does not wait for `every`. */
void adapter_haul_more(struct adapter_haul *h);
bool adapter_haul_has_more(const struct adapter_haul *h);
/* A file that had a name: kept as <feed>-<time>-<name>, and there may be more. */
void adapter_haul_file(struct adapter_haul *h, const char *name);
const char *adapter_haul_file_name(const struct adapter_haul *h);     /* NULL: none */
void adapter_haul_end_in(struct adapter_haul *h, const char *ending); /* in place of the kind's; a literal */
const char *adapter_haul_ending(const struct adapter_haul *h);	      /* NULL: the kind's */
/* The file that the fetch before brought was read to its end, and not refused. */
void adapter_haul_set_accepted(struct adapter_haul *h, bool accepted);
bool adapter_haul_accepted(const struct adapter_haul *h);
/* On disk, then under its name. BUS_ECONFLICT: the name is taken. */
enum bus_err adapter_haul_keep(struct adapter_haul *h, const char *name, struct bus_error *err) BUS_MUSTCHECK;
void adapter_haul_close(struct adapter_haul **h); /* not kept: the file goes */

#endif
