/* gateway/define/rollup_impl.h - finding a roll-up in a SELECT's words; for rollup.c and rollup_expr.c. */
#ifndef GATEWAY_DEFINE_ROLLUP_IMPL_H
#define GATEWAY_DEFINE_ROLLUP_IMPL_H

#include "gateway/define/rollup.h"
#include "gateway/define/sql.h"

#define GW_ROLLUP_GROUPS_MAX 16
#define GW_ROLLUP_ARGS_MAX 64

struct gw_rollup_word {
	struct gw_sql_token t;
	int depth; /* of parentheses around it; a '(' and its ')' have that of what is around both */
};

struct gw_rollup_part { /* of the words: [from, to) */
	size_t from, to;
};

struct gw_rollup_reading {
	struct gw_def *d;
	struct gw_rollup *r;
	struct gw_rollup_word *word; /* n, and behind them an empty one */
	size_t n;
	const char *why; /* it is not of the form; NULL so far */
	struct gw_rollup_part item[GW_COLUMNS_MAX], group[GW_ROLLUP_GROUPS_MAX];
	struct bus_str name[GW_COLUMNS_MAX]; /* of items */
	struct gw_rollup_part where, having;
	size_t n_items, n_groups;
	struct gw_rollup_arg arg[GW_ROLLUP_ARGS_MAX];
	size_t n_args;
	const char **named; /* outputs that GROUP BY calls by their names */
};

static inline bool gw_rollup_is(const struct gw_rollup_reading *g, size_t i, const char *word)
{
	return gw_sql_is(&g->word[i].t, word);
}

/* It is not of the form, for the first reason given. False. */
static inline bool gw_rollup_no(struct gw_rollup_reading *g, const char *why)
{
	if (!g->why)
		g->why = why;
	return false;
}

bool gw_rollup_same(const struct gw_rollup_reading *g, struct gw_rollup_part a, struct gw_rollup_part b);
bool gw_rollup_is_aggregate(const struct gw_rollup_reading *g, size_t i); /* the word, with its parenthesis */
/* The words, in the definition's arena. */
const char *gw_rollup_text(struct gw_rollup_reading *g, struct gw_rollup_part p);
/* An output's expression, or HAVING, over the state: aggregates and groups are replaced, arguments noted; a column that
 * is neither stays, and SQLite will not find it there. plain: as if all were whole numbers. */
const char *gw_rollup_over_state(struct gw_rollup_reading *g, struct gw_rollup_part p, bool plain);

#endif
