/* The trace of what is called: functions, aggregates, CASE. */
#include "gateway/define/trace_impl.h"

/* The end of the argument that begins at a. */
static size_t argument_end(struct trace *t, size_t a, size_t b)
{
	for (; a < b && !gw_sql_is(&t->a->token[a], ","); a++) {
		if (gw_sql_is(&t->a->token[a], "("))
			a = t->a->token[a].pair;
	}
	return a;
}

static void put_words(struct trace *t, const char *before, size_t a, size_t b, const char *after,
		      struct bus_buf *out)
{
	bus_buf_puts(out, before);
	gw_trace_copy(t, a, b, out);
	bus_buf_puts(out, after);
}

static bool put_trace(struct trace *t, const struct gw_ast_select *s, size_t a, size_t b,
		      struct trace_parts *p)
{
	struct trace_parts inner = { .out = p->out, .grouped = p->grouped };

	if (!gw_trace_walk(t, s, a, b, &inner))
		return false;
	gw_trace_end_parts(&inner);
	return true;
}

/* coalesce, ifnull, otoritas: the first that says something. */
static bool first_said(struct trace *t, const struct gw_ast_select *s, size_t a, size_t b, const char *test,
		       struct trace_parts *p)
{
	size_t end;

	gw_trace_begin_part(p);
	bus_buf_puts(p->out, "CASE");
	for (; a < b; a = end + 1) {
		end = argument_end(t, a, b);
		put_words(t, " WHEN (", a, end, test, p->out);
		bus_buf_puts(p->out, " THEN ");
		if (!put_trace(t, s, a, end, p))
			return false;
	}
	bus_buf_puts(p->out, " END");
	return true;
}

static bool iif(struct trace *t, const struct gw_ast_select *s, size_t a, size_t b, struct trace_parts *p)
{
	size_t asked = argument_end(t, a, b), yes = asked < b ? argument_end(t, asked + 1, b) : b;

	if (yes >= b)
		return gw_trace_no(t, "iif without two values");
	if (!gw_trace_walk(t, s, a, asked, p))
		return false;
	gw_trace_begin_part(p);
	put_words(t, "CASE WHEN ", a, asked, " THEN ", p->out);
	if (!put_trace(t, s, asked + 1, yes, p))
		return false;
	bus_buf_puts(p->out, " ELSE ");
	if (!put_trace(t, s, yes + 1, b, p))
		return false;
	bus_buf_puts(p->out, " END");
	return true;
}

/* The next WHEN, THEN, ELSE or END of the CASE whose words begin at a. */
static size_t case_mark(struct trace *t, size_t a, size_t b)
{
	int inner = 0;

	for (; a < b; a++) {
		const struct gw_sql_token *w = &t->a->token[a];

		if (gw_sql_is(w, "("))
			a = w->pair;
		else if (gw_sql_is(w, "case"))
			inner++;
		else if (gw_sql_is(w, "end") && inner-- == 0)
			return a;
		else if (inner == 0 && (gw_sql_is(w, "when") || gw_sql_is(w, "then") || gw_sql_is(w, "else")))
			return a;
	}
	return b;
}

/* The conditions up to the one that held, and the value taken. *at stands on CASE, then on its END. */
bool gw_trace_case(struct trace *t, const struct gw_ast_select *s, size_t *at, size_t b,
		   struct trace_parts *p)
{
	size_t base = *at + 1, i = case_mark(t, base, b), when, then, next;
	struct bus_buf asked = { 0 }; /* traces of the conditions so far, parted by commas */
	struct trace_parts conditions = { .out = &asked, .grouped = p->grouped };
	bool ok = gw_trace_walk(t, s, base, i, &conditions), otherwise = false;

	gw_trace_begin_part(p);
	put_words(t, "CASE ", base, i, "", p->out);
	while (ok && i < b && !gw_sql_is(&t->a->token[i], "end")) {
		otherwise = gw_sql_is(&t->a->token[i], "else");
		when = i + 1;
		then = otherwise ? i : case_mark(t, when, b);
		next = case_mark(t, then + 1, b);
		if (otherwise) {
			bus_buf_puts(p->out, " ELSE ");
		} else {
			put_words(t, " WHEN ", when, then, " THEN ", p->out);
			ok = gw_trace_walk(t, s, when, then, &conditions);
		}
		bus_buf_puts(p->out, "_asal_plus(");
		bus_buf_put(p->out, asked.p, asked.n);
		bus_buf_puts(p->out, conditions.n ? "), " : "");
		ok = ok && put_trace(t, s, then + 1, next, p);
		bus_buf_putc(p->out, ')');
		i = next;
	}
	if (!otherwise && conditions.n) {
		bus_buf_puts(p->out, " ELSE ");
		bus_buf_put(p->out, asked.p, asked.n);
		bus_buf_putc(p->out, ')');
	}
	bus_buf_puts(p->out, " END");
	bus_buf_release(&asked);
	*at = i;
	return ok && (i < b || gw_trace_no(t, "a CASE without END"));
}

/* Is a name of these tokens a column of this SELECT's own FROM, and is there one that is not? An aggregate over another
 * SELECT's columns belongs to that one. */
static void whose(const struct trace *t, const struct gw_ast_select *s, size_t a, size_t b, bool *own,
		  bool *other)
{
	*own = *other = false;
	for (size_t i = a; i < b; i++) {
		const struct gw_sql_token *w = &t->a->token[i];
		size_t len = gw_sql_is(w + 1, ".") ? 3 : 1;
		struct gw_ast_node n;

		if (!gw_sql_is_name(w) || gw_sql_is(w + 1, "("))
			continue;
		n = gw_ast_resolve(t->a, s, i, i + len);
		*own |= n.source && n.source->select == s;
		*other |= n.source ? n.source->select != s : len == 3 || !gw_sql_is_keyword(w);
		i += len - 1;
	}
}

/* Every row that the aggregate took. *at stands on its name, then on its last token. */
static bool aggregate(struct trace *t, const struct gw_ast_select *s, size_t *at, size_t b,
		      struct trace_parts *p)
{
	const struct gw_sql_token *w = t->a->token;
	size_t a = *at + 2, close = w[*at + 1].pair, end = close;
	bool star = gw_sql_is(&w[a], "*") || a == close;
	bool all = gw_sql_call(w, *at) == GW_FUN_LIST_ALL;
	struct trace_parts inner = { .out = p->out };
	bool own, other;

	if (gw_sql_is(&w[a], "DISTINCT"))
		a++;
	whose(t, s, a, close, &own, &other);
	if (s->n_sources == 0 || (other && !own))
		return gw_trace_no(t, "an aggregate of another SELECT's columns");
	star = star || (!own && !other);     /* count(1): its rows */
	for (size_t i = a; i < close; i++) { /* ORDER BY within decides nothing of what it is made of */
		if (gw_sql_is(&w[i], "("))
			i = w[i].pair;
		else if (gw_sql_is(&w[i], "ORDER"))
			end = i, i = close;
	}
	gw_trace_begin_part(p);
	bus_buf_puts(p->out, "_asal_all(");
	if (star) {
		gw_trace_row(t, s, p->out);
	} else {
		if (!all)
			put_words(t, "CASE WHEN (", a, argument_end(t, a, end), ") IS NOT NULL THEN ",
				  p->out);
		if (!gw_trace_walk(t, s, a, end, &inner))
			return false;
		gw_trace_end_parts(&inner);
		if (!all)
			bus_buf_puts(p->out, " END");
	}
	bus_buf_putc(p->out, ')');
	*at = close;
	if (gw_sql_is(&w[close + 1], "FILTER") && close + 2 < b) {
		put_words(t, " ", close + 1, w[close + 2].pair + 1, "", p->out);
		*at = w[close + 2].pair;
	}
	return *at + 1 >= b || !gw_sql_is(&w[*at + 1], "OVER") || gw_trace_no(t, "a window function");
}

/* CAST(value AS type): the end of the value. */
static size_t cast_end(const struct trace *t, size_t a, size_t b)
{
	while (a < b && !gw_sql_is(&t->a->token[a], "AS"))
		a = t->a->token[a].pair + 1;
	return a;
}

bool gw_trace_call(struct trace *t, const struct gw_ast_select *s, size_t *at, size_t b,
		   struct trace_parts *p)
{
	const struct gw_sql_token *w = &t->a->token[*at];
	enum gw_fun kind = gw_sql_call(t->a->token, *at);
	size_t a = *at + 2, close = w[1].pair;

	if (gw_sql_is_aggregate(t->a->token, *at))
		return aggregate(t, s, at, b, p);
	*at = close;
	if (gw_sql_is(w, "CAST"))
		return gw_trace_walk(t, s, a, cast_end(t, a, close), p);
	switch (kind) {
	case GW_FUN_FIRST:
		return first_said(t, s, a, close, ") IS NOT NULL", p);
	case GW_FUN_FIRST_TEXT:
		return first_said(t, s, a, close, ") <> ''", p);
	case GW_FUN_IF:
		return iif(t, s, a, close, p);
	case GW_FUN_PLAIN:
		return gw_trace_walk(t, s, a, close, p);
	default:
		return gw_trace_no(t, "the function %.*s", (int)w->text.n, w->text.p);
	}
}
