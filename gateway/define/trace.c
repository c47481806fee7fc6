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

void gw_trace_copy(struct trace *t, size_t a, size_t b, struct bus_buf *out)
{
	if (a < b)
		bus_buf_put(out, t->word[a].p, (size_t)(t->word[b - 1].p + t->word[b - 1].n - t->word[a].p));
}

bool gw_trace_is_select(struct trace *t, size_t at)
{
	return gw_word_is(&t->word[at], "(") &&
	       (gw_word_is(&t->word[at + 1], "select") || gw_word_is(&t->word[at + 1], "with") ||
		gw_word_is(&t->word[at + 1], "values"));
}

/* The first of the keywords (NULL-ended) from a on that is not in parentheses; b: none. */
static size_t find(struct trace *t, size_t a, size_t b, const char *const *keyword)
{
	for (; a < b; a++) {
		if (gw_word_is(&t->word[a], "("))
			a = t->word[a].pair;
		for (const char *const *k = keyword; *k; k++) {
			if (gw_word_is(&t->word[a], *k))
				return a;
		}
	}
	return b;
}

/* --- the list --------------------------------------------------------------------------------------- */

struct list { /* a SELECT's own columns, and the traces that are to follow them */
	struct trace_out *column;
	size_t n;
	struct bus_buf *own, *traces;
	bool gather; /* DISTINCT: rows that are one in the answer give all their traces */
};

static bool add(struct trace *t, struct list *l, const char *name, const char *reason, enum gw_trace_way way,
		const struct bus_buf *own, const struct bus_buf *trace)
{
	char made[24];

	for (size_t i = 0; i < l->n; i++) {
		if (strcasecmp(l->column[i].name, name) ==
		    0) { /* only the first can be asked for by its name */
			snprintf(made, sizeof(made), "_c%u", ++t->serial);
			name = bus_arena_dup(t->arena, made, strlen(made));
		}
	}
	if (l->n == TRACE_COLUMNS_MAX)
		return gw_trace_no(t, "more than %d columns", TRACE_COLUMNS_MAX);
	l->column[l->n] = (struct trace_out){ name, reason, way };
	bus_buf_puts(l->own, l->n ? ", " : "");
	bus_buf_put(l->own, own->p, own->n);
	bus_buf_printf(l->own, " AS \"%s\"", name);
	bus_buf_puts(l->traces, l->gather ? ", _asal_all(" : ", ");
	if (reason)
		bus_buf_puts(l->traces, "NULL");
	else
		bus_buf_put(l->traces, trace->p, trace->n);
	bus_buf_printf(l->traces, "%s AS \"_p_%s\"", l->gather ? ")" : "", name);
	l->n++;
	return true;
}

static bool add_star(struct trace *t, struct list *l, const struct trace_scope *s, const char *table)
{
	struct bus_buf own = { 0 }, trace = { 0 };
	bool ok = true;

	for (size_t i = 0; i < s->n && ok; i++) {
		const struct trace_source *x = &s->source[i];

		if (table && strcasecmp(x->alias, table) != 0)
			continue;
		for (size_t k = 0; k < x->n && ok; k++) {
			const char *name = x->kind == SOURCE_QUERY ? x->out[k].name : x->column[k];
			enum gw_trace_way way = GW_TRACE_COPIED;
			const char *reason = NULL;

			bus_buf_reset(&own);
			bus_buf_reset(&trace);
			bus_buf_printf(&own, "\"%s\".\"%s\"", x->alias, name);
			if (!gw_trace_column(t, s, x->alias, name, &trace, &way))
				reason = t->reason;
			ok = add(t, l, name, reason, way, &own, &trace);
		}
	}
	bus_buf_release(&own);
	bus_buf_release(&trace);
	return ok;
}

/* The words a to b are one entry of the list: an expression, and perhaps its name. */
static bool add_entry(struct trace *t, struct list *l, const struct trace_scope *s, size_t a, size_t b)
{
	struct bus_buf own = { 0 }, trace = { 0 };
	enum gw_trace_way way = GW_TRACE_COMPUTED;
	const char *name = NULL, *reason = NULL;
	char made[24];
	bool ok;

	if (b - a == 1 && gw_word_is(&t->word[a], "*"))
		return add_star(t, l, s, NULL);
	if (b - a == 3 && gw_word_is(&t->word[a + 2], "*") && gw_word_is(&t->word[a + 1], ".") &&
	    gw_word_name(&t->word[a], t->arena))
		return add_star(t, l, s, gw_word_name(&t->word[a], t->arena));
	if (b - a > 1 && t->word[b - 1].kind == GW_WORD_TEXT &&
	    (gw_word_is(&t->word[b - 2], "as") || t->word[b - 2].kind == GW_WORD_QUOTED ||
	     (t->word[b - 2].kind == GW_WORD_NAME && !gw_trace_is_keyword(&t->word[b - 2])) ||
	     gw_word_is(&t->word[b - 2], ")")))
		return gw_trace_no(t, "a name in single quotes");
	if (b - a > 2 && gw_word_is(&t->word[b - 2], "as")) {
		name = gw_word_name(&t->word[b - 1], t->arena);
		b -= 2;
	} else if (b - a > 1 && gw_word_name(&t->word[b - 1], t->arena) &&
		   !gw_word_is(&t->word[b - 1], "end") && !gw_word_is(&t->word[b - 1], "null") &&
		   !gw_word_is(&t->word[b - 1], "isnull") && !gw_word_is(&t->word[b - 1], "notnull") &&
		   (t->word[b - 2].kind != GW_WORD_SIGN || gw_word_is(&t->word[b - 2], ")")) &&
		   !gw_word_is(&t->word[b - 2], "collate") && !gw_word_is(&t->word[b - 2], "and") &&
		   !gw_word_is(&t->word[b - 2], "or") && !gw_word_is(&t->word[b - 2], "not") &&
		   !gw_word_is(&t->word[b - 2], "is") && !gw_word_is(&t->word[b - 2], "like")) {
		name = gw_word_name(&t->word[b - 1], t->arena);
		b -= 1;
	}
	if (b - a == 1 && gw_word_name(&t->word[a], t->arena) && !gw_trace_is_keyword(&t->word[a])) {
		name = name ? name : gw_word_name(&t->word[a], t->arena);
		way = GW_TRACE_COPIED;
	} else if (b - a == 3 && gw_word_is(&t->word[a + 1], ".") && gw_word_name(&t->word[a], t->arena) &&
		   gw_word_name(&t->word[b - 1], t->arena)) {
		name = name ? name : gw_word_name(&t->word[a + 2], t->arena);
		way = GW_TRACE_COPIED;
	}
	if (!name) {
		snprintf(made, sizeof(made), "_c%u", ++t->serial);
		name = bus_arena_dup(t->arena, made, strlen(made));
	}
	if (gw_trace_counts(t, a, b) || (s->grouped && way == GW_TRACE_COPIED))
		way = GW_TRACE_COUNTED;
	gw_trace_copy(t, a, b, &own);
	if (way == GW_TRACE_COPIED)
		ok = gw_trace_column(t, s, b - a == 3 ? gw_word_name(&t->word[a], t->arena) : NULL,
				     gw_word_name(&t->word[b - 1], t->arena), &trace, &way);
	else
		ok = gw_trace_expr(t, a, b, s, &trace);
	if (!ok)
		reason = t->reason;
	ok = add(t, l, name, reason, way, &own, &trace);
	bus_buf_release(&own);
	bus_buf_release(&trace);
	return ok;
}

static bool list(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct list *l)
{
	static const char *const comma[] = { ",", NULL };
	size_t end;

	for (; a < b; a = end + 1) {
		end = find(t, a, b, comma);
		if (end == a || !add_entry(t, l, s, a, end))
			return end > a ? false : gw_trace_no(t, "an empty entry in a SELECT list");
	}
	return l->n > 0 || gw_trace_no(t, "a SELECT without columns");
}

/* --- one SELECT, several ----------------------------------------------------------------------------- */

static size_t list_end(struct trace *t, size_t a, size_t b)
{
	static const char *const word[] = { "from", "where", "group", "having", "window", NULL };
	size_t i = a;

	while ((i = find(t, i, b, word)) < b && gw_word_is(&t->word[i], "from") && i > a &&
	       gw_word_is(&t->word[i - 1], "distinct"))
		i++; /* IS [NOT] DISTINCT FROM */
	return i;
}

/* SELECT ... FROM ... WHERE ... GROUP BY ... HAVING, without ORDER BY and LIMIT. */
static bool core(struct trace *t, size_t a, size_t b, const struct trace_scope *up, struct bus_buf *out,
		 struct trace_out *column, size_t *n)
{
	static const char *const rest_word[] = { "where", "group", "having", "window", NULL };
	static const char *const group_word[] = { "group", "having", NULL }, *const window_word[] = {
		"window", NULL
	};
	struct bus_buf own = { 0 }, traces = { 0 }, from = { 0 };
	struct list l = { .column = column, .own = &own, .traces = &traces };
	struct trace_scope s = { .up = up };
	size_t end, rest;
	bool ok = true;

	if (!gw_word_is(&t->word[a], "select"))
		return gw_trace_no(t, "%.*s", (int)t->word[a].n, t->word[a].p);
	a++;
	l.gather = gw_word_is(&t->word[a], "distinct");
	a += l.gather || gw_word_is(&t->word[a], "all");
	end = list_end(t, a, b);
	l.gather = l.gather && end < b && gw_word_is(&t->word[end], "from"); /* without FROM it is one row */
	rest = find(t, end, b, rest_word);
	s.grouped = gw_trace_has_aggregate(t, a, end) || find(t, rest, b, group_word) < b;
	if (find(t, rest, b, window_word) < b || (l.gather && s.grouped))
		return gw_trace_no(t, l.gather ? "DISTINCT with aggregates" : "a window function");
	if (gw_word_is(&t->word[end], "from") && end < b)
		ok = gw_trace_from(t, end + 1, rest, &s, &from);
	ok = ok && list(t, a, end, &s, &l);
	if (ok) {
		bus_buf_puts(out, "SELECT ");
		bus_buf_put(out, own.p, own.n);
		bus_buf_put(out, traces.p, traces.n);
		bus_buf_puts(out, s.grouped || l.gather ? ", _asal_all(" : ", ");
		gw_trace_row(t, &s, out);
		bus_buf_puts(out, s.grouped || l.gather ? ") AS \"_p_\"" : " AS \"_p_\"");
		if (from.n) {
			bus_buf_puts(out, " FROM ");
			bus_buf_put(out, from.p, from.n);
		}
		bus_buf_putc(out, ' ');
		gw_trace_copy(t, rest, b, out);
		for (size_t i = 0; l.gather && i < l.n; i++)
			bus_buf_printf(out, "%s%zu", i ? "," : " GROUP BY ", i + 1);
	}
	*n = l.n;
	bus_buf_release(&own);
	bus_buf_release(&traces);
	bus_buf_release(&from);
	return ok;
}

/* Several SELECTs in one: the columns are the first one's; what one of them cannot say, none can. */
static bool arms(struct trace *t, size_t a, size_t b, const struct trace_scope *up, bool *distinct,
		 struct bus_buf *out, struct trace_out *column, size_t *n)
{
	static const char *const word[] = { "union", "except", "intersect", NULL };
	struct trace_out *other = bus_arena_alloc(t->arena, TRACE_COLUMNS_MAX * sizeof(*other));
	size_t end = find(t, a, b, word), m, first = 0;
	bool all;

	if (!other)
		return gw_trace_no(t, "a SELECT that is too large");
	if (!core(t, a, end, up, out, column, n))
		return false;
	while (end < b) {
		if (!gw_word_is(&t->word[end], "union"))
			return gw_trace_no(t, "%.*s", (int)t->word[end].n, t->word[end].p);
		all = gw_word_is(&t->word[end + 1], "all");
		if (first++ > 0 && all == *distinct)
			return gw_trace_no(t, "UNION and UNION ALL in one");
		*distinct = !all;
		a = end + (all ? 2 : 1);
		end = find(t, a, b, word);
		bus_buf_puts(out, " UNION ALL ");
		if (!core(t, a, end, up, out, other, &m))
			return false;
		if (m != *n)
			return gw_trace_no(t, "a UNION of unequal lists");
		for (size_t i = 0; i < m; i++) {
			if (!column[i].reason)
				column[i].reason = other[i].reason;
			if (other[i].way > column[i].way)
				column[i].way = other[i].way;
		}
	}
	return true;
}

bool gw_trace_within(struct trace *t, size_t a, size_t b, const struct trace_scope *up, bool once,
		     struct bus_buf *out, struct trace_out *column, size_t *n)
{
	static const char *const word[] = { "order", "limit", NULL }, *const limit[] = { "limit", NULL };
	size_t tail = find(t, a, b, word);
	bool distinct = false, ok;
	struct bus_buf inner = { 0 };

	if (++t->depth > TRACE_DEPTH_MAX)
		return gw_trace_no(t, "SELECTs too deep in each other");
	ok = arms(t, a, tail, up, &distinct, &inner, column, n);
	if (ok && distinct) {
		bus_buf_puts(out, "SELECT ");
		for (size_t i = 0; i < *n; i++)
			bus_buf_printf(out, "\"%s\", ", column[i].name);
		for (size_t i = 0; i < *n; i++)
			bus_buf_printf(out, "_asal_all(\"_p_%s\") AS \"_p_%s\", ", column[i].name,
				       column[i].name);
		bus_buf_puts(out, "_asal_all(\"_p_\") AS \"_p_\" FROM (");
		bus_buf_put(out, inner.p, inner.n);
		bus_buf_puts(out, ")");
		for (size_t i = 0; i < *n; i++)
			bus_buf_printf(out, "%s%zu", i ? "," : " GROUP BY ", i + 1);
	} else if (ok) {
		bus_buf_put(out, inner.p, inner.n);
	}
	bus_buf_putc(out, ' ');
	gw_trace_copy(t, tail, b, out);
	if (once && find(t, tail, b, limit) == b)
		bus_buf_puts(out, " LIMIT 1");
	bus_buf_release(&inner);
	t->depth--;
	return ok;
}

enum bus_err gw_trace_select(const struct gw_def *d, const struct gw_trace_tables *tables,
			     struct bus_arena *arena, struct bus_buf *out, struct gw_trace_column *column,
			     struct bus_error *err)
{
	struct trace_out *have = bus_arena_alloc(arena, TRACE_COLUMNS_MAX * sizeof(*have));
	struct trace t = { .arena = arena, .tables = tables };
	struct bus_buf body = { 0 };
	size_t n_words, n = 0, k;
	enum bus_err rc = BUS_OK;

	t.word = gw_sql_scan(d->body, arena, &n_words);
	if (!t.word || !have)
		return bus_fail(err, BUS_ETOOBIG, "the SELECT is too long to be traced");
	if (!gw_trace_within(&t, 0, n_words, NULL, false, &body, have, &n))
		rc = bus_fail(err, BUS_EPARSE, "%s", t.reason);
	bus_buf_puts(out, "SELECT ");
	for (size_t i = 0; i < d->pub.n_columns && rc == BUS_OK; i++)
		bus_buf_printf(out, "\"%s\", ", d->pub.column[i].name);
	for (size_t i = 0; i < d->pub.n_columns && rc == BUS_OK; i++) {
		for (k = 0; k < n && strcasecmp(have[k].name, d->pub.column[i].name) != 0; k++)
			;
		column[i] = k < n ? (struct gw_trace_column){ have[k].reason, have[k].way }
				  : (struct gw_trace_column){ "a column without a name", GW_TRACE_COMPUTED };
		if (column[i].reason)
			bus_buf_puts(out, "NULL, ");
		else
			bus_buf_printf(out, "\"_p_%s\", ", have[k].name);
	}
	bus_buf_puts(out, "\"_p_\" FROM (\n");
	bus_buf_put(out, body.p, body.n);
	bus_buf_puts(out, "\n) ");
	bus_buf_release(&body);
	return rc;
}
