/* gateway/define/trace.h - a view's SELECT written once more, so that beside every output column it also gives the rows
 * that the column was made of.
 *
 * Only SELECT lists change: FROM, WHERE, GROUP BY, ORDER BY and LIMIT stay as they are written, so the same rows are
 * read. What a column's expression reads, each part gives its row (functions of gateway/store/origin.h):
 *   a column                    the row it stands in; of a sub-query in FROM, what that column was made of there
 *   (SELECT ...)                what the row it took was made of
 *   count, sum, max ...         every row that was counted, summed, compared
 *   EXISTS (...)                every row found
 *   coalesce, ifnull, otoritas  the value that was taken
 *   CASE, iif                   the conditions that were asked, and the value that was taken
 *   anything else               all its parts
 * What none of these is (window functions, WITH, IN (SELECT ...), EXCEPT, USING) has no trace, and the
 * reason is said: never a guess. Thread: any.
 */
#ifndef GATEWAY_DEFINE_TRACE_H
#define GATEWAY_DEFINE_TRACE_H

#include "bus/arena.h"
#include "gateway/define/view.h"
#include "gateway/define/world.h"

enum gw_trace_way { GW_TRACE_COPIED, GW_TRACE_COMPUTED, GW_TRACE_COUNTED };
struct gw_trace_column {       /* of the view, in its order */
	const char *reason;    /* why it has no trace; NULL: it has one */
	enum gw_trace_way way; /* a copy of one column; computed of several; over a number of rows */
};

/* The SELECT: the view's columns, then for each that has a trace its text (gateway/store/origin.h), NULL for the
 * others, then that of the row itself. It may give a row several times, to be joined. column has n_columns entries.
 * world: the tables as they are now; arena: for reasons. BUS_EPARSE: no trace at all, and why. */
enum bus_err gw_trace_select(const struct gw_def *d, const struct gw_world *world, struct bus_arena *arena,
			     struct bus_buf *out, struct gw_trace_column *column,
			     struct bus_error *err) BUS_MUSTCHECK;

#endif
