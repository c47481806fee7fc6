/* The trace of what is called: functions, aggregates, CASE. */
#include "gateway/define/trace_impl.h"

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

	return gw_trace_one_of(w, word, BUS_LEN(word));
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
	return gw_trace_one_of(w, word, BUS_LEN(word));
}

bool gw_trace_has_aggregate(struct trace *t, size_t a, size_t b)
{
	for (size_t i = a; i < b; i++) {
		if (gw_trace_is_select(t, i))
			i = t->word[i].pair;
		else if (is_aggregate(t, i))
			return true;
	}
	return false;
}

bool gw_trace_counts(struct trace *t, size_t a, size_t b)
{
	for (; a < b && !is_aggregate(t, a); a++)
		;
	return a < b;
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
	gw_trace_copy(t, a, b, out);
	bus_buf_puts(out, after);
}

static bool put_trace(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct trace_parts *p)
{
	struct trace_parts inner = { .out = p->out, .grouped = p->grouped };

	if (!gw_trace_walk(t, a, b, s, &inner))
		return false;
	gw_trace_end_parts(&inner);
	return true;
}

/* coalesce, ifnull, otoritas: the first that says something. */
static bool first_said(struct trace *t, size_t a, size_t b, const char *test, const struct trace_scope *s,
		       struct trace_parts *p)
{
	size_t end;

	gw_trace_begin_part(p);
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

static bool iif(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct trace_parts *p)
{
	size_t asked = argument_end(t, a, b), yes = asked < b ? argument_end(t, asked + 1, b) : b;

	if (yes >= b)
		return gw_trace_no(t, "iif without two values");
	if (!gw_trace_walk(t, a, asked, s, p))
		return false;
	gw_trace_begin_part(p);
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
bool gw_trace_case(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct trace_parts *p)
{
	size_t base = *at + 1, i = case_mark(t, base, b), when, then, next;
	struct bus_buf asked = { 0 }; /* traces of the conditions so far, parted by commas */
	struct trace_parts conditions = { .out = &asked, .grouped = p->grouped };
	bool ok = gw_trace_walk(t, base, i, s, &conditions), otherwise = false;

	gw_trace_begin_part(p);
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
			ok = gw_trace_walk(t, when, then, s, &conditions);
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
	return ok && (i < b || gw_trace_no(t, "a CASE without END"));
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

		if ((w->kind != GW_WORD_NAME && w->kind != GW_WORD_QUOTED) || gw_trace_is_keyword(w) ||
		    gw_word_is(w + 1, "("))
			continue;
		column = gw_word_name(path ? w + 2 : w, t->arena);
		table = path ? gw_word_name(w, t->arena) : NULL;
		if (column && (table || !path) && gw_trace_column(t, &here, table, column, &none, NULL))
			*own = true;
		else
			*other = true;
		i += path ? 2 : 0;
	}
	bus_buf_release(&none);
}

/* Every row that the aggregate took. *at stands on its name, then on its last word. */
static bool aggregate(struct trace *t, size_t *at, size_t b, const struct trace_scope *s,
		      struct trace_parts *p)
{
	size_t a = *at + 2, close = t->word[*at + 1].pair, end = close;
	bool star = gw_word_is(&t->word[a], "*") || a == close;
	bool all = star || gw_word_is(&t->word[*at], "json_group_array") ||
		   gw_word_is(&t->word[*at], "json_group_object");
	struct trace_parts inner = { .out = p->out };
	bool own, other;

	if (gw_word_is(&t->word[a], "distinct"))
		a++;
	whose(t, a, close, s, &own, &other);
	if (s->n == 0 || (other && !own))
		return gw_trace_no(t, "an aggregate of another SELECT's columns");
	star = star || (!own && !other); /* count(1): its rows */
	all = all || star;
	for (size_t i = a; i < close; i++) { /* ORDER BY within decides nothing of what it is made of */
		if (gw_word_is(&t->word[i], "("))
			i = t->word[i].pair;
		else if (gw_word_is(&t->word[i], "order"))
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
		if (!gw_trace_walk(t, a, end, s, &inner))
			return false;
		gw_trace_end_parts(&inner);
		if (!all)
			bus_buf_puts(p->out, " END");
	}
	bus_buf_putc(p->out, ')');
	*at = close;
	if (gw_word_is(&t->word[close + 1], "filter") && close + 2 < b) {
		put_words(t, " ", close + 1, t->word[close + 2].pair + 1, "", p->out);
		*at = t->word[close + 2].pair;
	}
	return *at + 1 >= b || !gw_word_is(&t->word[*at + 1], "over") || gw_trace_no(t, "a window function");
}

bool gw_trace_call(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct trace_parts *p)
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
		return gw_trace_no(t, "the function %.*s", (int)w->n, w->p);
	if (gw_word_is(w, "cast")) {
		size_t as = a;

		while (as < close && !gw_word_is(&t->word[as], "as"))
			as = gw_word_is(&t->word[as], "(") ? t->word[as].pair + 1 : as + 1;
		return gw_trace_walk(t, a, as, s, p);
	}
	return gw_trace_walk(t, a, close, s, p);
}
