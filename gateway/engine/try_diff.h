/* gateway/engine/try_diff.h - what a definition would change: its rows as they would be now, beside those of the running
 * one, both computed on one snapshot. Counts only, and none below GW_DIFF_FEW: no key, no value leaves. Thread: one. */
#ifndef GATEWAY_ENGINE_TRY_DIFF_H
#define GATEWAY_ENGINE_TRY_DIFF_H

#include "bus/json_out.h"
#include "gateway/define/view.h"

#define GW_DIFF_FEW 10 /* rows: fewer are not told, as somebody's own could be found out so */

typedef void (*gw_diff_fn)(void *ctx, int64_t rows); /* rows looked at so far */

/* Appends the members rows_before, rows_now, added, changed, removed, without_key, same_key, columns (of each that both
 * have: how many rows differ; of each new one, and gone one), wrong_type, ms, few_below (a count below it is null, a
 * column that differs in fewer rows is "same"), complete (false: the time was over, the
 * numbers are of what was looked at). db: the store, read-only, narrow. before NULL: there is none. An error: nothing is
 * appended. */
enum bus_err gw_try_diff(struct gw_db *db, const struct gw_def *now, const struct gw_def *before, int ms,
			 gw_diff_fn fn, void *ctx, struct bus_json_out *j,
			 struct bus_error *err) BUS_MUSTCHECK;

#endif
