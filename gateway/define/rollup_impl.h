/* gateway/define/rollup_impl.h - finding a roll-up in a SELECT; for rollup.c and rollup_expr.c. */
#ifndef GATEWAY_DEFINE_ROLLUP_IMPL_H
#define GATEWAY_DEFINE_ROLLUP_IMPL_H

#include "gateway/define/ast.h"
#include "gateway/define/rollup.h"

#define GW_ROLLUP_GROUPS_MAX 16
#define GW_ROLLUP_ARGS_MAX 64

struct gw_rollup_reading {
	struct gw_def *d;
	struct gw_rollup *r;
	const struct gw_ast *a; /* the shape alone */
	const struct gw_ast_select *s;
	const char *why; /* it is not of the form; NULL so far */
	struct gw_ast_range group[GW_ROLLUP_GROUPS_MAX];
	size_t n_groups;
	struct gw_rollup_arg arg[GW_ROLLUP_ARGS_MAX];
	size_t n_args;
	const char **named; /* outputs that GROUP BY calls by their names */
};

/* It is not of the form, for the first reason given. False. */
static inline bool gw_rollup_no(struct gw_rollup_reading *g, const char *why)
{
	if (!g->why)
		g->why = why;
	return false;
}

/* The tokens, in the definition's arena; without the table's name before its columns: there is one table only. */
const char *gw_rollup_text(struct gw_rollup_reading *g, struct gw_ast_range p);
/* An output's expression, or HAVING, over the state: aggregates and groups are replaced, arguments noted; a column that
 * is neither stays, and SQLite will not find it there. plain: as if all were whole numbers. */
const char *gw_rollup_over_state(struct gw_rollup_reading *g, struct gw_ast_range p, bool plain);

#endif
