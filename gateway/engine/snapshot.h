/* gateway/engine/snapshot.h - a whole view evaluated on a snapshot of the store, by a thread of its own, and taken
 * up by the materialiser in pieces: however long one step of SQLite is, records go on being applied.
 *
 * Bounded: one piece is being filled while one waits to be taken (GW_SNAPSHOT_PIECE each, one row more at most).
 * The snapshot holds back checkpoints for as long as it lasts. Thread: the materialiser's, all of it.
 */
#ifndef GATEWAY_ENGINE_SNAPSHOT_H
#define GATEWAY_ENGINE_SNAPSHOT_H

#include "gateway/define/view.h"

#define GW_SNAPSHOT_PIECE ((size_t)128 * 1024)

struct gw_snapshot;

/* The snapshot is what is committed now. def is kept until the end. most_us: that its SELECT may take in all; the end
 * is BUS_ETIMEOUT after it. */
enum bus_err gw_snapshot_open(const char *db_path, struct gw_def *def, int64_t most_us, struct gw_snapshot **out,
			      struct bus_error *err) BUS_MUSTCHECK;
/* The next piece, put into *rows (whose old bytes go back): each row as gw_stmt_pack wrote it. It is empty when
 * none is ready after wait_ms. *end: there will be no more. */
enum bus_err gw_snapshot_take(struct gw_snapshot *s, struct bus_buf *rows, int wait_ms, bool *end,
			      struct bus_error *err) BUS_MUSTCHECK;
void gw_snapshot_close(struct gw_snapshot **s); /* interrupts it, too */

#endif
