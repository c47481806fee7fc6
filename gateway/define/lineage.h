/* gateway/define/lineage.h - what an output column's value is made of.
 *
 * Of the SELECT's own text: columns that the value is copied or computed from, through sub-queries and WITH, not
 * those that only decide which rows there are (conditions, EXISTS, IN). Thread: the caller's.
 */
#ifndef GATEWAY_DEFINE_LINEAGE_H
#define GATEWAY_DEFINE_LINEAGE_H

#include "gateway/define/ast.h"
#include "gateway/define/view.h"

#define GW_SOURCES_MAX 64

struct gw_source {
	const struct gw_world_table *table;
	size_t column;
	bool
	    summed; /* only as part of a sum, an average, a number of rows: no row's own value comes through */
};

struct gw_lineage {
	bool computed; /* else the value is source[0]'s, untouched */
	bool counted;  /* a number of rows is part of it */
	bool unknown;  /* there may be other sources: the text could not be followed */
	struct gw_source source[GW_SOURCES_MAX];
	size_t n; /* sources beyond the room are left out */
};

/* Of the output column, as the SELECT reads it. */
void gw_lineage_of(const struct gw_ast *a, size_t column, struct gw_lineage *out);
#define GW_LINEAGE_ROWS SIZE_MAX
/* All that the output column's value depends on: also what its sub-queries' conditions read. GW_LINEAGE_ROWS: what decides
 * which rows there are, and their keys (`key`: that column). n = GW_SOURCES_MAX: there may be more. */
void gw_lineage_needs(const struct gw_ast *a, size_t column, size_t key, struct gw_lineage *out);
/* The same down to the topics: columns of views become what those are made of. */
void gw_lineage_deep(const struct gw_world *w, const struct gw_lineage *of, struct gw_lineage *out);
void gw_lineage_add(struct gw_lineage *l, struct gw_source s); /* unless it is there */
/* "table.column" as declared in `from`; false: no such column. */
bool gw_lineage_declared(const struct gw_world *w, const char *name, struct gw_source *out);

#endif
