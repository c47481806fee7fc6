/* gateway/define/ast.h - the shape of a SELECT: which tables stand where, which equalities join them, what each
 * output column is.
 *
 * For routes, sources of columns, roll-ups and traces (route_find.h, lineage.h, rollup.h, trace.h), of statements that
 * SQLite has taken. What the shape does not capture (a table-valued function, a NATURAL join) is said in `why`, and then
 * nothing is concluded from it: who asks falls back on what the author declares. Expressions stay ranges of tokens.
 * Bounded by GW_AST_*; memory is of the arena given. Thread: the caller's.
 */
#ifndef GATEWAY_DEFINE_AST_H
#define GATEWAY_DEFINE_AST_H

#include "bus/arena.h"
#include "gateway/define/sql.h"
#include "gateway/define/world.h"

#define GW_AST_SOURCES_MAX 256 /* tables and sub-queries, each time they stand somewhere */
#define GW_AST_DEPTH_MAX 40

struct gw_ast_query;
struct gw_ast_select;
struct gw_ast_source;

struct gw_ast_range { /* tokens [from, to) */
	size_t from, to;
	struct gw_ast_source *optional; /* of a condition, as in struct gw_ast_equal; else NULL */
};

struct gw_ast_source {	  /* a table or a sub-query in FROM, or the right side of `x IN (SELECT ...)` */
	const char *name; /* its alias, else the table's name; NULL: none */
	const struct gw_world_table *table; /* NULL: a sub-query */
	struct gw_ast_query *query;	    /* NULL: a table */
	struct gw_ast_select *select;	    /* in whose FROM it stands */
	bool with;			    /* a query of WITH */
	size_t id;			    /* in gw_ast.source */
	size_t from, to;		    /* tokens, its alias with them */
};

struct gw_ast_node { /* a column of a source: of a table's, or of a sub-query's by position */
	struct gw_ast_source *source; /* NULL: none */
	size_t column;
};

struct gw_ast_item {	 /* an output column */
	size_t from, to; /* tokens of the expression */
	const char *name;
	struct gw_ast_node node; /* it is this column, untouched; source NULL: computed */
};

struct gw_ast_equal { /* a.x = b.y, which every row that counts fulfils */
	struct gw_ast_node a, b;
	struct gw_ast_source
	    *optional; /* of the ON of a LEFT JOIN: its right side; only rows of it need fulfil it */
};

struct gw_ast_select { /* SELECT ... FROM ... WHERE ... GROUP BY */
	struct gw_ast_query *query;
	size_t from, end, rest,
	    to; /* tokens: SELECT; the end of its list; what follows FROM's tables; the end */
	struct gw_ast_item *item;
	size_t n_items;
	struct gw_ast_source **source;
	size_t n_sources;
	struct gw_ast_range *term; /* ANDed conditions of WHERE and ON */
	size_t n_terms;
	struct gw_ast_equal *equal;
	size_t n_equals;
	struct gw_ast_range *group; /* GROUP BY */
	size_t n_groups;
	struct gw_ast_range *tail; /* HAVING, ORDER BY, LIMIT */
	size_t n_tail;
	struct gw_ast_range where, having; /* whole; empty: none */
	struct gw_ast_query **sub;	   /* sub-queries in its expressions */
	size_t n_subs;
	bool distinct, aggregate, window, outer_join; /* outer_join: RIGHT or FULL */
};

enum gw_ast_role { GW_AST_TOP, GW_AST_FROM, GW_AST_EXPRESSION };

struct gw_ast_query {
	enum gw_ast_role role;
	struct gw_ast_select **select; /* one, or those of UNION, INTERSECT, EXCEPT */
	size_t n_selects;
	bool limited;		      /* LIMIT */
	size_t from, tail, to;	      /* tokens; tail: ORDER BY or LIMIT, else the end */
	struct gw_ast_source *as;     /* FROM, or IN: what it is there; else NULL */
	struct gw_ast_select *within; /* the SELECT it stands in; NULL: TOP */
	struct gw_ast_select *outer;  /* whose columns its names may mean beside its own; NULL: none */
	const char *const *column;    /* names given outside: WITH x(a, b); n_columns */
	size_t n_columns;
};

struct gw_ast {
	struct gw_sql_token *token;
	size_t n_tokens; /* the END with them */
	struct gw_ast_query *top;
	struct gw_ast_source *source[GW_AST_SOURCES_MAX];
	size_t n_sources;
	const char *why; /* NULL: understood; else what is not, in a few words */
	struct bus_arena *arena;
	const struct gw_world *world;
};

/* sql and world must stay. Always gives something to look at `why` of; it is in the arena, which has no cap. world
 * NULL: only the shape, with tables and no names resolved. */
struct gw_ast *gw_ast_parse(const char *sql, const struct gw_world *world, struct bus_arena *arena);

/* What the tokens [from, to) are if they are one column's name, with or without its table's, seen from select.
 * source NULL: something else. */
struct gw_ast_node gw_ast_resolve(const struct gw_ast *a, const struct gw_ast_select *select, size_t from,
				  size_t to);
/* The sub-query in select's expressions whose text begins at the token; NULL: none does. */
struct gw_ast_query *gw_ast_query_at(const struct gw_ast_select *select, size_t token);
bool gw_ast_same(struct gw_ast_node a, struct gw_ast_node b);
/* What a sub-query's column is in one of its SELECTs: untouched, and the same for all rows of a group; source NULL:
 * something else. */
struct gw_ast_node gw_ast_through(const struct gw_ast *a, const struct gw_ast_select *select, size_t column);
/* Of an aggregate: one of the terms of GROUP BY. Of any other: true. */
bool gw_ast_is_grouped(const struct gw_ast *a, const struct gw_ast_select *select, size_t item);
/* The type of a column, as declared; NULL: not known. */
enum gw_type gw_ast_type(struct gw_ast_node n);
const char *gw_ast_column_name(struct gw_ast_node n); /* NULL: none */

#endif
