/* gateway/define/route_find.h - routes found in the SELECT itself: where equalities lead from a table's row to the
 * view's key.
 *
 * Careful rather than clever: a route is found only when every row that can play a part must fulfil the equalities
 * it is made of; what is not certain (LIMIT in FROM, windows, RIGHT JOIN, equality of two types) is left to the
 * author, with the reason. What is found is then tried like any other route (trial.h). Thread: the caller's.
 */
#ifndef GATEWAY_DEFINE_ROUTE_FIND_H
#define GATEWAY_DEFINE_ROUTE_FIND_H

#include "gateway/define/ast.h"
#include "gateway/define/view.h"

enum gw_route_why {
	GW_ROUTE_FOUND,
	GW_ROUTE_SHAPE,	   /* the SELECT's shape is not understood: gw_ast.why */
	GW_ROUTE_LIMIT,	   /* LIMIT outside an expression: a row that goes lets another one in */
	GW_ROUTE_WINDOW,   /* a window function: a row counts in the rows beside it */
	GW_ROUTE_OUTER,	   /* RIGHT or FULL JOIN */
	GW_ROUTE_KEY,	   /* the key is an aggregate's result, or of several tables */
	GW_ROUTE_UNJOINED, /* no equality leads from the table to the key */
};

/* All routes from a table of the SELECT, one for each part it plays (equal ones once), appended to route (max of
 * them). key: the output column. What hangs in route is in a's arena. */
enum gw_route_why gw_route_find(const struct gw_ast *a, size_t key, const char *table,
				struct gw_route_def *route, size_t max, size_t *n);
/* Why there is none, and the rewrite that would do. */
const char *gw_route_why(enum gw_route_why why, bool indonesian);

#endif
