/* The trace of an expression: what its parts read. */
#include <stdio.h>
#include <strings.h>

#include "gateway/define/trace_impl.h"

struct parts { /* _asal_plus(...) in the making */
	struct bus_buf *out;
	size_t n;
	bool grouped; /* every row of the group, for what stands outside an aggregate */
};

static bool walk(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct parts *p);

static void begin_part(struct parts *p)
{
	bus_buf_puts(p->out, p->n++ ? ", " : "_asal_plus(");
}

static void end_parts(struct parts *p)
{
	bus_buf_puts(p->out, p->n ? ")" : "NULL");
}

static bool one_of(const struct gw_word *w, const char *const *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (gw_word_is(w, name[i]))
			return true;
	}
	return false;
}

bool trace_is_keyword(const struct gw_word *w)
{
	static const char *const word[] = { "and",    "or",	 "not",	  "is",	    "null",
					    "isnull", "notnull", "like",  "glob",   "between",
					    "in",     "true",	 "false", "escape", "distinct",
					    "from",   "regexp",	 "match", "asc",    "desc" };

	return one_of(w, word, BUS_LEN(word));
}

static bool is_scalar(const struct gw_word *w)
{
	static const char *const word[] = {
		"nama_baku",
		"usia_tahun",
		"usia_bulan",
		"waktu",
		"abs",
		"instr",
		"json_array_length",
		"json",
		"json_extract",
		"json_object",
		"json_array",
		"length",
		"like",
		"lower",
		"ltrim",
		"replace",
		"round",
		"rtrim",
		"sign",
		"substr",
		"substring",
		"trim",
		"typeof",
		"upper",
		"nullif",
		"max",
		"min",
		"cast",
	};

	return one_of(w, word, BUS_LEN(word));
}

/* min and max of one argument only: with more they are functions of a row. */
static bool is_aggregate(struct trace *t, size_t at)
{
	static const char *const word[] = { "count",
					    "sum",
					    "total",
					    "avg",
					    "group_concat",
					    "string_agg",
					    "json_group_array",
					    "json_group_object" };
	const struct gw_word *w = &t->word[at];

	if (w->kind != GW_WORD_NAME || !gw_word_is(w + 1, "("))
		return false;
	if (gw_word_is(w, "min") || gw_word_is(w, "max")) {
		for (size_t i = at + 2; i < w[1].pair; i++) {
			if (gw_word_is(&t->word[i], ","))
				return false;
			if (gw_word_is(&t->word[i], "("))
				i = t->word[i].pair;
		}
		return true;
	}
	return one_of(w, word, BUS_LEN(word));
}

bool trace_has_aggregate(struct trace *t, size_t a, size_t b)
{
	for (size_t i = a; i < b; i++) {
		if (trace_is_select(t, i))
			i = t->word[i].pair;
		else if (is_aggregate(t, i))
			return true;
	}
	return false;
}

bool trace_counts(struct trace *t, size_t a, size_t b)
{
	for (; a < b && !is_aggregate(t, a); a++)
		;
	return a < b;
}

static void put_source(const struct trace_source *x, const char *column, struct bus_buf *out)
{
	switch (x->kind) {
	case SOURCE_TOPIC:
		bus_buf_printf(out, "_asal('%s', \"%s\"._part, \"%s\"._off, \"%s\"._ts, \"%s\"._sid, '%s')",
			       x->table, x->alias, x->alias, x->alias, x->alias, column ? column : "");
		break;
	case SOURCE_VIEW:
		bus_buf_printf(out, "_asal_v('%s', \"%s\".\"%s\", '%s')", x->table, x->alias, x->key,
			       column ? column : "");
		break;
	case SOURCE_QUERY:
		bus_buf_printf(out, "\"%s\".\"_p_%s\"", x->alias, column ? column : "");
		break;
	}
}

/* Its name as declared; NULL: not one of this source. */
static const char *column_of(struct trace *t, const struct trace_source *x, const char *name,
			     enum gw_trace_way *way)
{
	for (size_t i = 0; i < x->n; i++) {
		const char *have = x->kind == SOURCE_QUERY ? x->out[i].name : x->column[i];

		if (strcasecmp(have, name) != 0)
			continue;
		if (x->kind == SOURCE_QUERY) {
			t->reason = x->out[i].reason;
			*way = x->out[i].way;
		}
		return have;
	}
	return NULL;
}

bool trace_column(struct trace *t, const struct trace_scope *s, const char *table, const char *column,
		  struct bus_buf *out, enum gw_trace_way *way)
{
	enum gw_trace_way how = GW_TRACE_COPIED;
	const char *name;

	for (; s; s = s->up) {
		for (size_t i = 0; i < s->n; i++) {
			if (table && strcasecmp(s->source[i].alias, table) != 0)
				continue;
			t->reason = NULL;
			name = column_of(t, &s->source[i], column, &how);
			if (!name)
				continue;
			if (t->reason)
				return false;
			put_source(&s->source[i], name, out);
			if (way)
				*way = how;
			return true;
		}
	}
	return trace_no(t, "'%s' is no column found in FROM", column);
}

void trace_row(struct trace *t, const struct trace_scope *s, struct bus_buf *out)
{
	struct parts p = { .out = out };

	(void)t;
	for (size_t i = 0; i < s->n; i++) {
		begin_part(&p);
		put_source(&s->source[i], NULL, out);
	}
	end_parts(&p);
}

/* The end of the argument that begins at a. */
static size_t argument_end(struct trace *t, size_t a, size_t b)
{
	for (; a < b && !gw_word_is(&t->word[a], ","); a++) {
		if (gw_word_is(&t->word[a], "("))
			a = t->word[a].pair;
	}
	return a;
}

static void put_words(struct trace *t, const char *before, size_t a, size_t b, const char *after,
		      struct bus_buf *out)
{
	bus_buf_puts(out, before);
	trace_copy(t, a, b, out);
	bus_buf_puts(out, after);
}

static bool put_trace(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct parts *p)
{
	struct parts inner = { .out = p->out, .grouped = p->grouped };

	if (!walk(t, a, b, s, &inner))
		return false;
	end_parts(&inner);
	return true;
}

/* coalesce, ifnull, otoritas: the first that says something. */
static bool first_said(struct trace *t, size_t a, size_t b, const char *test, const struct trace_scope *s,
		       struct parts *p)
{
	size_t end;

	begin_part(p);
	bus_buf_puts(p->out, "CASE");
	for (; a < b; a = end + 1) {
		end = argument_end(t, a, b);
		put_words(t, " WHEN (", a, end, test, p->out);
		bus_buf_puts(p->out, " THEN ");
		if (!put_trace(t, a, end, s, p))
			return false;
	}
	bus_buf_puts(p->out, " END");
	return true;
}

static bool iif(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct parts *p)
{
	size_t asked = argument_end(t, a, b), yes = asked < b ? argument_end(t, asked + 1, b) : b;

	if (yes >= b)
		return trace_no(t, "iif without two values");
	if (!walk(t, a, asked, s, p))
		return false;
	begin_part(p);
	put_words(t, "CASE WHEN ", a, asked, " THEN ", p->out);
	if (!put_trace(t, asked + 1, yes, s, p))
		return false;
	bus_buf_puts(p->out, " ELSE ");
	if (!put_trace(t, yes + 1, b, s, p))
		return false;
	bus_buf_puts(p->out, " END");
	return true;
}

/* The next WHEN, THEN, ELSE or END of the CASE whose words begin at a. */
static size_t case_mark(struct trace *t, size_t a, size_t b)
{
	int inner = 0;

	for (; a < b; a++) {
		const struct gw_word *w = &t->word[a];

		if (gw_word_is(w, "("))
			a = w->pair;
		else if (gw_word_is(w, "case"))
			inner++;
		else if (gw_word_is(w, "end") && inner-- == 0)
			return a;
		else if (inner == 0 &&
			 (gw_word_is(w, "when") || gw_word_is(w, "then") || gw_word_is(w, "else")))
			return a;
	}
	return b;
}

/* The conditions up to the one that held, and the value taken. *at stands on CASE, then on its END. */
static bool case_parts(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct parts *p)
{
	size_t base = *at + 1, i = case_mark(t, base, b), when, then, next;
	struct bus_buf asked = { 0 }; /* traces of the conditions so far, parted by commas */
	struct parts conditions = { .out = &asked, .grouped = p->grouped };
	bool ok = walk(t, base, i, s, &conditions), otherwise = false;

	begin_part(p);
	put_words(t, "CASE ", base, i, "", p->out);
	while (ok && i < b && !gw_word_is(&t->word[i], "end")) {
		otherwise = gw_word_is(&t->word[i], "else");
		when = i + 1;
		then = otherwise ? i : case_mark(t, when, b);
		next = case_mark(t, then + 1, b);
		if (otherwise) {
			bus_buf_puts(p->out, " ELSE ");
		} else {
			put_words(t, " WHEN ", when, then, " THEN ", p->out);
			ok = walk(t, when, then, s, &conditions);
		}
		bus_buf_puts(p->out, "_asal_plus(");
		bus_buf_put(p->out, asked.p, asked.n);
		bus_buf_puts(p->out, conditions.n ? "), " : "");
		ok = ok && put_trace(t, then + 1, next, s, p);
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
	return ok && (i < b || trace_no(t, "a CASE without END"));
}

/* Does a name of these words stand in this SELECT's own FROM, and is there one that does not? An aggregate over another
 * SELECT's columns belongs to that one. */
static void whose(struct trace *t, size_t a, size_t b, const struct trace_scope *s, bool *own, bool *other)
{
	const struct trace_scope here = { .source = s->source, .n = s->n };
	struct bus_buf none = { 0 };
	const char *table, *column;

	*own = *other = false;
	for (size_t i = a; i < b; i++) {
		const struct gw_word *w = &t->word[i];
		bool path = i + 2 < b && gw_word_is(w + 1, ".");

		if ((w->kind != GW_WORD_NAME && w->kind != GW_WORD_QUOTED) || trace_is_keyword(w) ||
		    gw_word_is(w + 1, "("))
			continue;
		column = gw_word_name(path ? w + 2 : w, t->arena);
		table = path ? gw_word_name(w, t->arena) : NULL;
		if (column && (table || !path) && trace_column(t, &here, table, column, &none, NULL))
			*own = true;
		else
			*other = true;
		i += path ? 2 : 0;
	}
	bus_buf_release(&none);
}

/* Every row that the aggregate took. *at stands on its name, then on its last word. */
static bool aggregate(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct parts *p)
{
	size_t a = *at + 2, close = t->word[*at + 1].pair, end = close;
	bool star = gw_word_is(&t->word[a], "*") || a == close;
	bool all = star || gw_word_is(&t->word[*at], "json_group_array") ||
		   gw_word_is(&t->word[*at], "json_group_object");
	struct parts inner = { .out = p->out };
	bool own, other;

	if (gw_word_is(&t->word[a], "distinct"))
		a++;
	whose(t, a, close, s, &own, &other);
	if (s->n == 0 || (other && !own))
		return trace_no(t, "an aggregate of another SELECT's columns");
	star = star || (!own && !other); /* count(1): its rows */
	all = all || star;
	for (size_t i = a; i < close; i++) { /* ORDER BY within decides nothing of what it is made of */
		if (gw_word_is(&t->word[i], "("))
			i = t->word[i].pair;
		else if (gw_word_is(&t->word[i], "order"))
			end = i, i = close;
	}
	begin_part(p);
	bus_buf_puts(p->out, "_asal_all(");
	if (star) {
		trace_row(t, s, p->out);
	} else {
		if (!all)
			put_words(t, "CASE WHEN (", a, argument_end(t, a, end), ") IS NOT NULL THEN ",
				  p->out);
		if (!walk(t, a, end, s, &inner))
			return false;
		end_parts(&inner);
		if (!all)
			bus_buf_puts(p->out, " END");
	}
	bus_buf_putc(p->out, ')');
	*at = close;
	if (gw_word_is(&t->word[close + 1], "filter") && close + 2 < b) {
		put_words(t, " ", close + 1, t->word[close + 2].pair + 1, "", p->out);
		*at = t->word[close + 2].pair;
	}
	return *at + 1 >= b || !gw_word_is(&t->word[*at + 1], "over") || trace_no(t, "a window function");
}

static bool function(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct parts *p)
{
	const struct gw_word *w = &t->word[*at];
	size_t a = *at + 2, close = w[1].pair;

	if (is_aggregate(t, *at))
		return aggregate(t, at, b, s, p);
	*at = close;
	if (gw_word_is(w, "coalesce") || gw_word_is(w, "ifnull"))
		return first_said(t, a, close, ") IS NOT NULL", s, p);
	if (gw_word_is(w, "otoritas"))
		return first_said(t, a, close, ") <> ''", s, p);
	if (gw_word_is(w, "iif"))
		return iif(t, a, close, s, p);
	if (!is_scalar(w))
		return trace_no(t, "the function %.*s", (int)w->n, w->p);
	if (gw_word_is(w, "cast")) {
		size_t as = a;

		while (as < close && !gw_word_is(&t->word[as], "as"))
			as = gw_word_is(&t->word[as], "(") ? t->word[as].pair + 1 : as + 1;
		return walk(t, a, as, s, p);
	}
	return walk(t, a, close, s, p);
}

/* What the row was made of that a scalar sub-query gave; of EXISTS, all rows that it found. */
static bool sub_query(struct trace *t, size_t open, bool exists, const struct trace_scope *s, struct parts *p)
{
	struct trace_out column[TRACE_COLUMNS_MAX];
	size_t n;

	begin_part(p);
	bus_buf_puts(p->out, exists ? "(SELECT _asal_all(\"_p_\") FROM (" : "");
	if (exists) {
		if (!trace_select(t, open + 1, t->word[open].pair, s, false, p->out, column, &n))
			return false;
		bus_buf_puts(p->out, "))");
		return true;
	}
	{
		struct bus_buf inner = { 0 };
		bool ok = trace_select(t, open + 1, t->word[open].pair, s, true, &inner, column, &n);

		if (ok && column[0].reason)
			ok = trace_no(t, "%s", column[0].reason);
		if (ok) {
			bus_buf_printf(p->out, "(SELECT \"_p_%s\" FROM (", column[0].name);
			bus_buf_put(p->out, inner.p, inner.n);
			bus_buf_puts(p->out, ") LIMIT 1)");
		}
		bus_buf_release(&inner);
		return ok;
	}
}

/* A name, perhaps with its table's before it. *at: then on its last word. */
static bool name(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct parts *p)
{
	const char *first = gw_word_name(&t->word[*at], t->arena), *second = NULL;
	bool grouped = p->grouped;

	if (*at + 2 < b && gw_word_is(&t->word[*at + 1], ".")) {
		second = gw_word_name(&t->word[*at + 2], t->arena);
		*at += 2;
		if (!second)
			first = NULL;
	}
	if (!first)
		return trace_no(t, "a name with quotes in it");
	begin_part(p);
	if (grouped)
		bus_buf_puts(p->out, "_asal_all(");
	if (!trace_column(t, s, second ? first : NULL, second ? second : first, p->out, NULL))
		return false;
	if (grouped)
		bus_buf_putc(p->out, ')');
	return true;
}

static bool walk(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct parts *p)
{
	bool ok = ++t->nest <= TRACE_NEST_MAX || trace_no(t, "expressions too deep in each other");

	for (size_t i = a; i < b && ok; i++) {
		const struct gw_word *w = &t->word[i];

		if (trace_is_select(t, i)) {
			ok = sub_query(t, i, false, s, p);
			i = w->pair;
		} else if (w->kind == GW_WORD_QUOTED) {
			ok = name(t, &i, b, s, p);
		} else if (w->kind != GW_WORD_NAME) {
			continue;
		} else if (gw_word_is(w, "case")) {
			ok = case_parts(t, &i, b, s, p);
		} else if (gw_word_is(w, "exists") && trace_is_select(t, i + 1)) {
			ok = sub_query(t, i + 1, true, s, p);
			i = t->word[i + 1].pair;
		} else if (gw_word_is(w, "in") && trace_is_select(t, i + 1)) {
			ok = trace_no(t, "IN (SELECT ...)");
		} else if (gw_word_is(w, "collate")) {
			i++;
		} else if (gw_word_is(w, "over") || gw_word_is(w, "filter")) {
			ok = trace_no(t, "a window function");
		} else if (gw_word_is(w + 1, "(") && i + 1 < b && !trace_is_keyword(w)) {
			ok = function(t, &i, b, s, p);
		} else if (!trace_is_keyword(w)) {
			ok = name(t, &i, b, s, p);
		}
	}
	t->nest--;
	return ok;
}

bool trace_expr(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct bus_buf *out)
{
	struct parts p = { .out = out, .grouped = s->grouped };

	if (!walk(t, a, b, s, &p))
		return false;
	end_parts(&p);
	return true;
}
