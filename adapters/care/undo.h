/* adapters/care/undo.h - a bad load is taken back: registers hold again what they held at a moment (reversal.h).
 *
 * By the running adapter, as an order (order.h): values of then are published again under new numbers, keys born since get a
 * tombstone. Per feed a `berkas` record says so, as of a file: `nama` is the order's, `alasan` who and why. The files that were
 * read since are remembered there (header titian_undone) and do not come again by themselves. Events are not undone: what
 * happened stays in the log, and readers keep an event that they have (DESIGN.md); correct it by another event.
 * Killed in the middle: the order is carried out again; what holds its value of then already is passed over. One thread.
 */
#ifndef ADAPTERS_CARE_UNDO_H
#define ADAPTERS_CARE_UNDO_H

#include "adapters/care/args.h"
#include "adapters/care/order.h"
#include "adapters/care/reversal.h"
#include "adapters/run.h"

/* report: what it came to, appended. BUS_EINVAL: not to be carried out (err says why, in both languages). */
enum bus_err adapter_undo_run(struct adapter_desk *d, const struct adapter_order *order, const char *sha256,
			      const char *name, struct bus_buf *report, struct bus_error *err) BUS_MUSTCHECK;

/* One topic's part of a report; what is left to do, or what was done. */
struct adapter_told;
void adapter_undo_text(const struct adapter_told *told, const char *topic, const char *feed, int64_t to_ms,
		       const struct adapter_reversal_counts *n, struct bus_buf *out);

/* The command: shows what would be undone; with --yes gives the order. Exit status. */
int adapter_care_undo(const struct adapter_run_conf *conf, const struct adapter_care_args *args);

#endif
