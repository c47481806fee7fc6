/* SELECTs written with their traces: lists, FROM, compounds. */
#include "gateway/define/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "gateway/define/trace_impl.h"

bool gw_trace_no(struct trace *t, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->reason = bus_arena_dup(t->arena, text, strlen(text));
	return false;
}

void gw_trace_copy(const struct trace *t, size_t a, size_t b, struct bus_buf *out)
{
	if (a < b)
		bus_buf_put(out, t->a->token[a].at, (size_t)(t->a->token[b - 1].end - t->a->token[a].at));
}

/* A name of ours: what has none is found without it as before. */
static const char *made_name(struct trace *t, const char *kind)
{
	char made[24];

	snprintf(made, sizeof(made), "_%s%u", kind, ++t->serial);
	return bus_arena_dup(t->arena, made, strlen(made));
}

/* --- the list --------------------------------------------------------------------------------------- */

struct list { /* a SELECT's own columns, and the traces that are to follow them */
	struct trace_out *column;
	size_t n;
	struct bus_buf own, traces;
	bool gather; /* DISTINCT: rows that are one in the answer give all their traces */
};

static const char *name_of(struct trace *t, const struct list *l, const struct gw_ast_item *item)
{
	for (size_t i = 0; i < l->n && item->name; i++) {
		if (strcasecmp(l->column[i].name, item->name) == 0)
			return made_name(t, "c"); /* only the first can be asked for by its name */
	}
	return item->name ? item->name : made_name(t, "c");
}

static bool counts(const struct trace *t, const struct gw_ast_item *item)
{
	size_t i = item->from;

	while (i < item->to && !gw_sql_is_aggregate(t->a->token, i))
		i++;
	return i < item->to;
}

static bool add(struct trace *t, const struct gw_ast_select *s, const struct gw_ast_item *item,
		struct list *l)
{
	struct trace_out *o = &l->column[l->n];
	bool ok, column = item->node.source != NULL;
	struct bus_buf trace = { 0 };

	*o = (struct trace_out){ .name = name_of(t, l, item), .way = GW_TRACE_COMPUTED };
	if (strpbrk(o->name, "\"'"))
		return gw_trace_no(t, "a name with quotes in it");
	bus_buf_puts(&l->own, l->n++ ? ", " : "");
	if (item->from == item->to) /* of a star */
		bus_buf_printf(&l->own, "\"%s\".\"%s\"", t->alias[item->node.source->id],
			       gw_ast_column_name(item->node));
	gw_trace_copy(t, item->from, item->to, &l->own);
	bus_buf_printf(&l->own, " AS \"%s\"", o->name);
	bus_buf_puts(&trace, column && s->aggregate ? "_asal_all(" : "");
	if (column)
		ok = gw_trace_node(t, s, item->node, &trace, &o->way);
	else
		ok = gw_trace_expr(t, s, item->from, item->to, &trace);
	bus_buf_puts(&trace, column && s->aggregate ? ")" : "");
	o->reason = ok ? NULL : t->reason;
	if ((column && s->aggregate) || counts(t, item))
		o->way = GW_TRACE_COUNTED;
	bus_buf_puts(&l->traces, l->gather ? ", _asal_all(" : ", ");
	bus_buf_puts(&l->traces, ok ? bus_buf_cstr(&trace) : "NULL");
	bus_buf_printf(&l->traces, "%s AS \"_p_%s\"", l->gather ? ")" : "", o->name);
	bus_buf_release(&trace);
	return true;
}

/* --- FROM ------------------------------------------------------------------------------------------- */

static bool put_source(struct trace *t, const struct gw_ast_source *x, struct bus_buf *out)
{
	const char *alias = x->name ? x->name : made_name(t, "q");
	struct trace_out *column;

	if (x->with)
		return gw_trace_no(t, "WITH");
	if (strpbrk(alias, "\"'"))
		return gw_trace_no(t, "a name with quotes in it");
	for (size_t i = 0; i < x->select->n_sources && x->select->source[i] != x; i++) {
		if (strcasecmp(t->alias[x->select->source[i]->id], alias) == 0)
			return gw_trace_no(t, "two tables called '%s'", alias);
	}
	if (x->table) {
		bus_buf_printf(out, "\"%s\"", x->table->name);
	} else {
		bus_buf_putc(out, '(');
		if (!gw_trace_query(t, x->query, false, out, &column))
			return false;
		bus_buf_putc(out, ')');
		t->out[x->id] = column;
	}
	t->alias[x->id] = alias;
	bus_buf_printf(out, " AS \"%s\"", alias);
	return true;
}

/* Tables and sub-queries under their names; joins and their conditions as they are written. */
static bool put_from(struct trace *t, const struct gw_ast_select *s, struct bus_buf *out)
{
	size_t at = s->end;

	bus_buf_putc(out, ' ');
	for (size_t i = 0; i < s->n_sources; i++) {
		gw_trace_copy(t, at, s->source[i]->from, out);
		bus_buf_putc(out, ' ');
		if (!put_source(t, s->source[i], out))
			return false;
		bus_buf_putc(out, ' ');
		at = s->source[i]->to;
	}
	gw_trace_copy(t, at, s->rest, out);
	return true;
}

/* --- one SELECT, several ----------------------------------------------------------------------------- */

/* SELECT ... FROM ... WHERE ... GROUP BY ... HAVING, without ORDER BY and LIMIT. */
static bool core(struct trace *t, const struct gw_ast_select *s, struct bus_buf *out,
		 struct trace_out *column)
{
	/* DISTINCT without FROM is one row */
	struct list l = { .column = column, .gather = s->distinct && s->n_sources > 0 };
	bool all = s->aggregate || l.gather, ok;
	struct bus_buf from = { 0 };

	if (s->outer_join)
		return gw_trace_no(t, "a RIGHT or FULL JOIN");
	if (s->window || (s->aggregate && l.gather))
		return gw_trace_no(t, s->window ? "a window function" : "DISTINCT with aggregates");
	ok = put_from(t, s, &from);
	for (size_t i = 0; i < s->n_items && ok; i++)
		ok = add(t, s, &s->item[i], &l);
	if (ok) {
		bus_buf_puts(out, "SELECT ");
		bus_buf_put(out, l.own.p, l.own.n);
		bus_buf_put(out, l.traces.p, l.traces.n);
		bus_buf_puts(out, all ? ", _asal_all(" : ", ");
		gw_trace_row(t, s, out);
		bus_buf_puts(out, all ? ") AS \"_p_\"" : " AS \"_p_\"");
		bus_buf_put(out, from.p, from.n);
		bus_buf_putc(out, ' ');
		gw_trace_copy(t, s->rest, s->to, out);
		for (size_t i = 0; l.gather && i < l.n; i++)
			bus_buf_printf(out, "%s%zu", i ? "," : " GROUP BY ", i + 1);
	}
	bus_buf_release(&l.own);
	bus_buf_release(&l.traces);
	bus_buf_release(&from);
	return ok;
}

/* Several SELECTs in one: the columns are the first one's; what one of them cannot say, none can. */
static bool arms(struct trace *t, const struct gw_ast_query *q, bool *distinct, struct bus_buf *out,
		 struct trace_out *column)
{
	size_t n = q->select[0]->n_items;
	struct trace_out *other = bus_arena_alloc(t->arena, (n + 1) * sizeof(*other));

	for (size_t k = 0; k < q->n_selects; k++) {
		const struct gw_ast_select *s = q->select[k];
		const struct gw_sql_token *before = &t->a->token[s->from] - 1;
		bool all = gw_sql_is(before, "ALL");

		if (s->n_items != n)
			return gw_trace_no(t, "a UNION of unequal lists");
		if (k > 0 && !all && !gw_sql_is(before, "UNION"))
			return gw_trace_no(t, "%.*s", (int)before->text.n, before->text.p);
		if (k > 1 && all == *distinct)
			return gw_trace_no(t, "UNION and UNION ALL in one");
		*distinct = k > 0 && !all;
		bus_buf_puts(out, k > 0 ? " UNION ALL " : "");
		if (!core(t, s, out, k > 0 ? other : column))
			return false;
		for (size_t i = 0; i < n && k > 0; i++) {
			if (!column[i].reason)
				column[i].reason = other[i].reason;
			if (other[i].way > column[i].way)
				column[i].way = other[i].way;
		}
	}
	return true;
}

bool gw_trace_query(struct trace *t, const struct gw_ast_query *q, bool once, struct bus_buf *out,
		    struct trace_out **columns)
{
	size_t n = q->select[0]->n_items;
	struct trace_out *column = bus_arena_alloc(t->arena, (n + 1) * sizeof(*column));
	bool distinct = false, ok;
	struct bus_buf inner = { 0 };

	*columns = column;
	if (gw_sql_is(&t->a->token[q->from], "WITH"))
		return gw_trace_no(t, "WITH");
	ok = arms(t, q, &distinct, &inner, column);
	if (ok && distinct) {
		bus_buf_puts(out, "SELECT ");
		for (size_t i = 0; i < n; i++)
			bus_buf_printf(out, "\"%s\", ", column[i].name);
		for (size_t i = 0; i < n; i++)
			bus_buf_printf(out, "_asal_all(\"_p_%s\") AS \"_p_%s\", ", column[i].name,
				       column[i].name);
		bus_buf_puts(out, "_asal_all(\"_p_\") AS \"_p_\" FROM (");
		bus_buf_put(out, inner.p, inner.n);
		bus_buf_puts(out, ")");
		for (size_t i = 0; i < n; i++)
			bus_buf_printf(out, "%s%zu", i ? "," : " GROUP BY ", i + 1);
	} else if (ok) {
		bus_buf_put(out, inner.p, inner.n);
	}
	bus_buf_putc(out, ' ');
	gw_trace_copy(t, q->tail, q->to, out);
	if (once && !q->limited)
		bus_buf_puts(out, " LIMIT 1");
	bus_buf_release(&inner);
	return ok;
}

static void put_columns(const struct trace *t, const struct gw_def *d, const struct trace_out *have,
			struct bus_arena *arena, struct bus_buf *out, struct gw_trace_column *column)
{
	const size_t n = t->a->top->select[0]->n_items;
	size_t k;

	for (size_t i = 0; i < d->pub.n_columns; i++)
		bus_buf_printf(out, "\"%s\", ", d->pub.column[i].name);
	for (size_t i = 0; i < d->pub.n_columns; i++) {
		for (k = 0; k < n && strcasecmp(have[k].name, d->pub.column[i].name) != 0; k++)
			;
		column[i] = (struct gw_trace_column){ "a column without a name", GW_TRACE_COMPUTED };
		if (k < n)
			column[i] = (struct gw_trace_column){ have[k].reason, have[k].way };
		if (!column[i].reason)
			bus_buf_printf(out, "\"_p_%s\", ", have[k].name);
		else if (!(column[i].reason =
			       bus_arena_dup(arena, column[i].reason, strlen(column[i].reason))))
			column[i].reason = "a reason that is too long";
		if (column[i].reason)
			bus_buf_puts(out, "NULL, ");
	}
}

enum bus_err gw_trace_select(const struct gw_def *d, const struct gw_world *world, struct bus_arena *arena,
			     struct bus_buf *out, struct gw_trace_column *column, struct bus_error *err)
{
	struct trace t = { .arena = bus_arena_new(0) }; /* what is built of the text is bounded as that is */
	struct trace_out *have;
	struct bus_buf body = { 0 };
	enum bus_err rc = BUS_OK;

	t.a = gw_ast_parse(d->body, world, t.arena);
	t.reason = t.a->why;
	if (t.reason || !gw_trace_query(&t, t.a->top, false, &body, &have)) {
		rc = bus_fail(err, BUS_EPARSE, "%s", t.reason);
	} else {
		bus_buf_puts(out, "SELECT ");
		put_columns(&t, d, have, arena, out, column);
		bus_buf_puts(out, "\"_p_\" FROM (\n");
		bus_buf_put(out, body.p, body.n);
		bus_buf_puts(out, "\n) ");
	}
	bus_buf_release(&body);
	bus_arena_free(&t.arena);
	return rc;
}
