/* The trace of an expression: what its parts read. */
#include <stdio.h>
#include <strings.h>

#include "gateway/define/trace_impl.h"

void gw_trace_begin_part(struct trace_parts *p)
{
	bus_buf_puts(p->out, p->n++ ? ", " : "_asal_plus(");
}

void gw_trace_end_parts(struct trace_parts *p)
{
	bus_buf_puts(p->out, p->n ? ")" : "NULL");
}

/* A row of the source, as far as one column of it (NULL: all) is concerned. */
static void put_source(const struct trace *t, const struct gw_ast_source *x, const char *column,
		       struct bus_buf *out)
{
	const char *alias = t->alias[x->id];

	if (x->query)
		bus_buf_printf(out, "\"%s\".\"_p_%s\"", alias, column ? column : "");
	else if (x->table->topic)
		bus_buf_printf(out, "_asal('%s', \"%s\"._part, \"%s\"._off, \"%s\"._ts, \"%s\"._sid, '%s')",
			       x->table->name, alias, alias, alias, alias, column ? column : "");
	else
		bus_buf_printf(out, "_asal_v('%s', \"%s\".\"%s\", '%s')", x->table->name, alias,
			       x->table->key, column ? column : "");
}

/* The alias means another source where s stands. */
static bool is_hidden(const struct trace *t, const struct gw_ast_select *s, const struct gw_ast_source *x)
{
	for (; s && s != x->select; s = s->query->outer) {
		for (size_t i = 0; i < s->n_sources; i++) {
			const char *alias = t->alias[s->source[i]->id];

			if (alias && strcasecmp(alias, t->alias[x->id]) == 0)
				return true;
		}
	}
	return false;
}

bool gw_trace_node(struct trace *t, const struct gw_ast_select *s, struct gw_ast_node n, struct bus_buf *out,
		   enum gw_trace_way *way)
{
	const struct gw_ast_source *x = n.source;
	const struct trace_out *o = x->query ? &t->out[x->id][n.column] : NULL;

	if (is_hidden(t, s, x))
		return gw_trace_no(t, "two tables called '%s'", t->alias[x->id]);
	if (o && o->reason) {
		t->reason = o->reason;
		return false;
	}
	put_source(t, x, o ? o->name : x->table->column[n.column].name, out);
	if (way)
		*way = o ? o->way : GW_TRACE_COPIED;
	return true;
}

void gw_trace_row(struct trace *t, const struct gw_ast_select *s, struct bus_buf *out)
{
	struct trace_parts p = { .out = out };

	for (size_t i = 0; i < s->n_sources; i++) {
		gw_trace_begin_part(&p);
		put_source(t, s->source[i], NULL, out);
	}
	gw_trace_end_parts(&p);
}

/* What the row was made of that a scalar sub-query gave; of EXISTS, all rows that it found. */
static bool sub_query(struct trace *t, const struct gw_ast_query *q, bool exists, struct trace_parts *p)
{
	struct bus_buf inner = { 0 };
	struct trace_out *column;
	bool ok = gw_trace_query(t, q, !exists, &inner, &column);

	if (ok && !exists && column[0].reason)
		ok = gw_trace_no(t, "%s", column[0].reason);
	if (ok) {
		gw_trace_begin_part(p);
		if (exists)
			bus_buf_puts(p->out, "(SELECT _asal_all(\"_p_\") FROM (");
		else
			bus_buf_printf(p->out, "(SELECT \"_p_%s\" FROM (", column[0].name);
		bus_buf_put(p->out, inner.p, inner.n);
		bus_buf_puts(p->out, exists ? "))" : ") LIMIT 1)");
	}
	bus_buf_release(&inner);
	return ok;
}

/* A name, perhaps with its table's before it. *at: then on its last token. */
static bool name(struct trace *t, const struct gw_ast_select *s, size_t *at, size_t b, struct trace_parts *p)
{
	const struct gw_sql_token *w = &t->a->token[*at];
	size_t len = gw_sql_is(w + 1, ".") ? 3 : 1;
	struct gw_ast_node n = { 0 };

	if (*at + len <= b)
		n = gw_ast_resolve(t->a, s, *at, *at + len);
	if (!n.source && len == 1 && gw_sql_is_keyword(w))
		return true;
	if (!n.source)
		return gw_trace_no(t, "'%.*s' is no column found in FROM", (int)w[len - 1].text.n,
				   w[len - 1].text.p);
	*at += len - 1;
	gw_trace_begin_part(p);
	bus_buf_puts(p->out, p->grouped ? "_asal_all(" : "");
	if (!gw_trace_node(t, s, n, p->out, NULL))
		return false;
	bus_buf_puts(p->out, p->grouped ? ")" : "");
	return true;
}

bool gw_trace_walk(struct trace *t, const struct gw_ast_select *s, size_t a, size_t b, struct trace_parts *p)
{
	bool ok = ++t->nest <= TRACE_NEST_MAX || gw_trace_no(t, "expressions too deep in each other");

	for (size_t i = a; i < b && ok; i++) {
		const struct gw_sql_token *w = &t->a->token[i];
		const struct gw_ast_query *q = gw_sql_is(w, "(") ? gw_ast_query_at(s, i + 1) : NULL;

		if (q) {
			if (gw_sql_is(w - 1, "IN"))
				ok = gw_trace_no(t, "IN (SELECT ...)");
			else
				ok = sub_query(t, q, gw_sql_is(w - 1, "EXISTS"), p);
			i = w->pair;
		} else if (!gw_sql_is_name(w)) {
			continue;
		} else if (gw_sql_is(w, "CASE")) {
			ok = gw_trace_case(t, s, &i, b, p);
		} else if (gw_sql_is(w, "COLLATE")) {
			i++;
		} else if (gw_sql_is(w, "OVER") || gw_sql_is(w, "FILTER")) {
			ok = gw_trace_no(t, "a window function");
		} else if (gw_sql_is(w + 1, "(") && i + 1 < b &&
			   (gw_sql_is(w, "CAST") || !gw_sql_is_keyword(w) || gw_sql_call(t->a->token, i))) {
			ok = gw_trace_call(t, s, &i, b, p);
		} else {
			ok = name(t, s, &i, b, p);
		}
	}
	t->nest--;
	return ok;
}

bool gw_trace_expr(struct trace *t, const struct gw_ast_select *s, size_t a, size_t b, struct bus_buf *out)
{
	struct trace_parts p = { .out = out, .grouped = s->aggregate };

	if (!gw_trace_walk(t, s, a, b, &p))
		return false;
	gw_trace_end_parts(&p);
	return true;
}
