/* gateway/define/plan.h - how SQLite means to evaluate a statement (sqlite.org/eqp.html), step by step.
 * Thread: the connection's. */
#ifndef GATEWAY_DEFINE_PLAN_H
#define GATEWAY_DEFINE_PLAN_H

#include "gateway/store/db.h"

struct gw_plan_step {
	int depth;	    /* 0: outermost */
	const char *detail; /* SQLite's words */
	bool scan; /* a table is read from end to end; not the rows of a sub-query computed on the way */
	char table
	    [64]; /* of SCAN and SEARCH: the table's name in the statement, its alias if it has one; else "" */
};

typedef void (*gw_plan_fn)(void *ctx, const struct gw_plan_step *step);
enum bus_err gw_plan_read(struct gw_db *db, const char *sql, gw_plan_fn fn, void *ctx,
			  struct bus_error *err) BUS_MUSTCHECK;
/* The step in a sentence of people. */
void gw_plan_say(const struct gw_plan_step *step, bool indonesian, struct bus_buf *out);

#endif
