/* adapters/pass.h - one file from its first byte to its place in done/ or refused/.
 *
 * Order, so that a kill at any moment loses nothing and sends nothing twice:
 *   1. SHA-256 of the file; known as finished: straight to 6
 *   2. `berkas` record DIPROSES
 *   3. every row: map, judge against the index, publish or quarantine
 *   4. wait until all of it is in the log; remove what a complete file no longer has; wait again
 *   5. report prepared; `berkas` record SELESAI (TERPOTONG, DITOLAK); wait
 *   6. rename
 * Killed before 5: the file is still there and is read again from its start; what is in the log is not sent
 * again. Killed between 5 and 6: the file is recognised, and only moved. One thread.
 */
#ifndef ADAPTERS_PASS_H
#define ADAPTERS_PASS_H

#include "adapters/row.h"

struct adapter_input;

/* BUS_OK: it has its place. BUS_ECONFLICT: it changed while it was read; BUS_EDENIED, BUS_EIO, BUS_EFULL:
 * later again (err says why). BUS_ESTOPPED: stop the program. Others: it cannot go on (Kafka's refusal). */
enum bus_err adapter_pass(struct adapter_desk *d, struct adapter_feed *f,
			  const struct adapter_drop_file *file, struct bus_error *err) BUS_MUSTCHECK;
/* Step 6: the file to its place, its report (report.h) beside it; tried until it is done. BUS_ESTOPPED. */
enum bus_err adapter_pass_put_away(struct adapter_desk *d, const struct adapter_drop_file *file,
				   const char *feed, const char *sha256, enum adapter_drop_place place,
				   struct bus_error *err) BUS_MUSTCHECK;
/* The `berkas` record as r's tally stands. state: header titian_state, n 0: none. */
enum bus_err adapter_pass_tell(struct adapter_reading *r, struct bus_str state,
			       struct bus_error *err) BUS_MUSTCHECK;

/* The same in steps, for what is read while it grows (live.h). r: d, f, t (sha256, name, size), origin, number and
 * file_time_ms are set. */
/* Step 2. */
enum bus_err adapter_pass_begin(struct adapter_reading *r, struct adapter_known *known,
				struct bus_error *err) BUS_MUSTCHECK;
/* Step 3. BUS_ETIMEOUT: the input has no more for now; call it again. Sets r->t->end, reason and status. */
enum bus_err adapter_pass_rows(struct adapter_reading *r, struct adapter_input *in, void *source,
			       struct bus_error *err) BUS_MUSTCHECK;
/* Steps 4 and 5. folder: where the report is prepared; NULL: in done/ or refused/. */
enum bus_err adapter_pass_end(struct adapter_reading *r, struct adapter_known *known, const char *folder,
			      struct bus_error *err) BUS_MUSTCHECK;
/* Tries until it is done: a full disk passes, a missing right is given. False: the program stops. */
bool adapter_pass_again(struct adapter_desk *d, const struct bus_error *why, bool *told);

/* A file that no mapping takes: to refused/, with a report. */
enum bus_err adapter_pass_unknown(struct adapter_desk *d, const struct adapter_drop_file *file,
				  struct bus_error *err) BUS_MUSTCHECK;

#endif
