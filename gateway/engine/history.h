/* gateway/engine/history.h - views as they were: `history: true`, ?as_of=.
 *
 * What is kept is not the view's rows but every version of the rows of the topics behind it (gateway/store/versions.h); a
 * view at a moment is its SELECT over the topics as they were then, views between too. So the answer is what a reader
 * would get who had stopped reading the log at records of that moment, whatever the order in which topics were read, and
 * a rebuilt store gives the same. "Moment" is the time of records at the bus, not that of what they tell.
 *
 * Known is what the log still told: from a view's first declaration on, and behind any gap that compaction or retention
 * left (`_history`).
 */
#ifndef GATEWAY_ENGINE_HISTORY_H
#define GATEWAY_ENGINE_HISTORY_H

#include "gateway/engine/core.h"
#include "gateway/engine/read.h"

/* --- the writer's, in the open transaction (begun when there is one to do) --- */
/* Begins and ends keeping versions as the set of views wants it; cheap when nothing has changed. */
enum bus_err gw_history_keep(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
/* The table has been read again from the beginning with another schema: its versions were of the old one. */
enum bus_err gw_history_restart(struct gw_engine *e, struct gw_topic *t, struct bus_error *err) BUS_MUSTCHECK;
/* A record is about to be applied: notes what the log no longer told before it. */
enum bus_err gw_history_look(struct gw_engine *e, struct gw_part *p, const struct bus_record *r,
			     struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_history_save(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* what was noted */
/* Erasure: no version of the key stays in the table's history. Done for a tombstone with the header
 * `titian_erase: 1`, so that a rebuilt store forgets as well. */
enum bus_err gw_history_forget(struct gw_engine *e, const char *table, struct bus_str key,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
