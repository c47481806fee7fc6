/* gateway/define/lower.h - a column declared in a class below that of what its value is made of.
 *
 * A column's declared class decides who sees it unmasked (serve/policy.c), so whoever may define views could take
 * off masks by declaring another class. A definition that does not come from the gateway's own files is therefore
 * refused when a value of class U, S or A would appear in a lower one; only sums and averages of numbers are let
 * through, where the groups' key itself is of class N. A SELECT that cannot be followed counts as copying all that it
 * reads. Conditions are not looked at: `define` stays a right of trust. Thread: the caller's.
 */
#ifndef GATEWAY_DEFINE_LOWER_H
#define GATEWAY_DEFINE_LOWER_H

#include "gateway/define/lineage.h"

enum gw_lower { GW_LOWER_NOT, GW_LOWER_COPY, GW_LOWER_COMPUTED, GW_LOWER_UNKNOWN };

struct gw_lowered {
	enum gw_lower how;
	const char *table, *column; /* the source; UNKNOWN: the gravest that is read */
	char pdp;		    /* its class */
};

/* Of all columns of a bound definition: out has room for them. db: where its tables stand. */
void gw_lower_trace(struct gw_db *db, const struct gw_def *d, const struct gw_ast *a, struct gw_lineage *out);
/* Of one column, by the lineage of all. */
struct gw_lowered gw_lower_find(const struct gw_def *d, const struct gw_world *w, const struct gw_lineage *l,
				size_t column);
/* BUS_EPARSE: `file:line: what` of the first column that may not be. */
enum bus_err gw_lower_check(struct gw_db *db, const struct gw_def *d, const struct gw_world *w,
			    struct bus_error *err) BUS_MUSTCHECK;

#endif
