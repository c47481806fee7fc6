/* gateway/define/trace_impl.h - shared by trace.c (SELECTs), trace_expr.c (expressions), trace_call.c (calls, CASE). */
#ifndef GATEWAY_DEFINE_TRACE_IMPL_H
#define GATEWAY_DEFINE_TRACE_IMPL_H

#include "gateway/define/ast.h"
#include "gateway/define/trace.h"

#define TRACE_NEST_MAX 400 /* of expressions; SQLite takes 200 */

struct trace_out { /* an output column of a SELECT */
	const char *name;
	const char *reason;
	enum gw_trace_way way;
};

struct trace {
	struct bus_arena *arena;
	const struct gw_ast *a;
	const char *alias[GW_AST_SOURCES_MAX];		 /* of sources, by id; NULL: not written yet */
	const struct trace_out *out[GW_AST_SOURCES_MAX]; /* of those that are queries */
	const char *reason;				 /* why not; set before a function says false */
	int nest;					 /* expressions in each other */
	unsigned serial;
};

bool gw_trace_no(struct trace *t, const char *fmt, ...) BUS_PRINTF(2, 3); /* false */
/* The tokens a to b (b not included) as they stand in the text. */
void gw_trace_copy(const struct trace *t, size_t a, size_t b, struct bus_buf *out);

struct trace_parts { /* _asal_plus(...) in the making */
	struct bus_buf *out;
	size_t n;
	bool grouped; /* every row of the group, for what stands outside an aggregate */
};
void gw_trace_begin_part(struct trace_parts *p);
void gw_trace_end_parts(struct trace_parts *p);

/* trace.c: the query, written with its traces; *column: what its columns are, as many as its first SELECT has. once: only
 * its first row is wanted. */
bool gw_trace_query(struct trace *t, const struct gw_ast_query *q, bool once, struct bus_buf *out,
		    struct trace_out **column);
/* trace_expr.c: the trace of an expression of s, as SQL. */
bool gw_trace_expr(struct trace *t, const struct gw_ast_select *s, size_t a, size_t b, struct bus_buf *out);
/* Of a column, as seen from s. way: may be NULL. */
bool gw_trace_node(struct trace *t, const struct gw_ast_select *s, struct gw_ast_node n, struct bus_buf *out,
		   enum gw_trace_way *way);
void gw_trace_row(struct trace *t, const struct gw_ast_select *s, struct bus_buf *out);
/* The parts of an expression. */
bool gw_trace_walk(struct trace *t, const struct gw_ast_select *s, size_t a, size_t b, struct trace_parts *p);
/* trace_call.c: *at stands on a function's name, on CASE; then on its last token. */
bool gw_trace_call(struct trace *t, const struct gw_ast_select *s, size_t *at, size_t b,
		   struct trace_parts *p);
bool gw_trace_case(struct trace *t, const struct gw_ast_select *s, size_t *at, size_t b,
		   struct trace_parts *p);

#endif
