/* gateway/store/origin.h - rows as text: what the SQL functions of a trace (gateway/define/trace.h) give and take.
 *
 *   _asal(table, _part, _off, _ts, _sid, column)   a topic's row; NULL when there is none
 *   _asal_v(view, key, column)                     a stored view's row
 *   _asal_plus(a, b, ...)                          all of them
 *   _asal_all(a)                                   aggregate: all of them; beyond GW_ORIGINS_LISTED rows, their number
 * Thread: the connection's.
 */
#ifndef GATEWAY_STORE_ORIGIN_H
#define GATEWAY_STORE_ORIGIN_H

#include "gateway/store/db.h"

#define GW_ORIGINS_LISTED 32

enum gw_origin_kind { GW_ORIGIN_ROW, GW_ORIGIN_VIEW, GW_ORIGIN_NUMBER };
struct gw_origin {
	enum gw_origin_kind kind;
	struct bus_str table, column; /* column empty: the row as such */
	struct bus_str key;	      /* of a view's row */
	int64_t partition, offset, ts_ms, schema_id;
	int64_t number;	     /* NUMBER: so many rows there were, of which some are listed */
	struct bus_str same; /* what makes it this row, whatever the column */
};

/* Takes the first of *rest; false: none (left). */
bool gw_origin_next(struct bus_str *rest, struct gw_origin *out);

void gw_origin_register(struct gw_db *db);

#endif
