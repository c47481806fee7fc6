/* gateway/define/trace_impl.h - shared by trace.c (SELECTs), trace_from.c, trace_expr.c (expressions), trace_call.c. */
#ifndef GATEWAY_DEFINE_TRACE_IMPL_H
#define GATEWAY_DEFINE_TRACE_IMPL_H

#include "gateway/define/sqlscan.h"
#include "gateway/define/trace.h"

#define TRACE_COLUMNS_MAX 256 /* of one SELECT, stars written out */
#define TRACE_DEPTH_MAX 40    /* of SELECTs in each other */
#define TRACE_NEST_MAX 400    /* of expressions; SQLite takes 200 */

enum source_kind { SOURCE_TOPIC, SOURCE_VIEW, SOURCE_QUERY };

struct trace_out { /* an output column of a SELECT */
	const char *name;
	const char *reason;
	enum gw_trace_way way;
};

struct trace_source { /* what stands in FROM */
	enum source_kind kind;
	const char *alias, *table, *key;
	const char *const *column; /* of a table */
	size_t n;
	const struct trace_out *out; /* of a query; n of them */
};

struct trace_scope {
	const struct trace_scope *up;
	struct trace_source *source;
	size_t n;
	bool grouped; /* a row of it stands for several */
};

struct trace {
	struct bus_arena *arena;
	const struct gw_trace_tables *tables;
	const struct gw_word *word;
	const char *reason; /* why not; set before a function says false */
	int depth;	    /* SELECTs in each other */
	int nest;	    /* expressions in each other */
	unsigned serial;
};

bool gw_trace_no(struct trace *t, const char *fmt, ...) BUS_PRINTF(2, 3); /* false */
/* The words a to b (b not included) as they stand in the text. */
void gw_trace_copy(struct trace *t, size_t a, size_t b, struct bus_buf *out);
bool gw_trace_is_select(struct trace *t, size_t at); /* "(" and SELECT behind it */

struct trace_parts { /* _asal_plus(...) in the making */
	struct bus_buf *out;
	size_t n;
	bool grouped; /* every row of the group, for what stands outside an aggregate */
};
void gw_trace_begin_part(struct trace_parts *p);
void gw_trace_end_parts(struct trace_parts *p);
bool gw_trace_one_of(const struct gw_word *w, const char *const *name, size_t n);

/* trace.c: the SELECT in words a to b, written with its traces; its output columns, TRACE_COLUMNS_MAX at most. once: only
 * its first row is wanted. */
bool gw_trace_within(struct trace *t, size_t a, size_t b, const struct trace_scope *up, bool once,
		     struct bus_buf *out, struct trace_out *column, size_t *n);
/* trace_from.c: the words a to b behind FROM, its sub-queries with their traces; what stands there is s's. */
bool gw_trace_from(struct trace *t, size_t a, size_t b, struct trace_scope *s, struct bus_buf *out);
/* trace_expr.c: the trace of an expression, as SQL. */
bool gw_trace_expr(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct bus_buf *out);
bool gw_trace_has_aggregate(struct trace *t, size_t a, size_t b); /* of this SELECT, not of one within */
bool gw_trace_is_keyword(const struct gw_word *w);		  /* of expressions */
bool gw_trace_counts(struct trace *t, size_t a, size_t b);	  /* anywhere */
/* Of one column, or (column NULL) of a row. way: may be NULL. */
bool gw_trace_column(struct trace *t, const struct trace_scope *s, const char *table, const char *column,
		     struct bus_buf *out, enum gw_trace_way *way);
void gw_trace_row(struct trace *t, const struct trace_scope *s, struct bus_buf *out);
/* The parts of an expression. */
bool gw_trace_walk(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct trace_parts *p);
/* trace_call.c: *at stands on a function's name, on CASE; then on its last word. */
bool gw_trace_call(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct trace_parts *p);
bool gw_trace_case(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct trace_parts *p);

#endif
