/* gateway/define/index_find.h - the indexes that a definition lacks: tried, not guessed. */
#ifndef GATEWAY_DEFINE_INDEX_FIND_H
#define GATEWAY_DEFINE_INDEX_FIND_H

#include "gateway/define/view.h"

#define GW_INDEX_FIND_MAX 16

struct gw_index_found {
	const char *table, *column; /* of the world */
};

/* Columns an index on which leaves one table less read from end to end, when one key is evaluated and a route asked.
 * They are made in db (a sandbox), so that what is asked next stands on them. d: its columns are in the SELECT's
 * order, as after a gw_view_bind that refused the plan. */
size_t gw_index_find(struct gw_db *db, const struct gw_def *d, const struct gw_world *w,
		     struct gw_index_found out[GW_INDEX_FIND_MAX]);

#endif
