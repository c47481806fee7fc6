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

bool gw_trace_one_of(const struct gw_word *w, const char *const *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (gw_word_is(w, name[i]))
			return true;
	}
	return false;
}

bool gw_trace_is_keyword(const struct gw_word *w)
{
	static const char *const word[] = { "and",    "or",	 "not",	  "is",	    "null",
					    "isnull", "notnull", "like",  "glob",   "between",
					    "in",     "true",	 "false", "escape", "distinct",
					    "from",   "regexp",	 "match", "asc",    "desc" };

	return gw_trace_one_of(w, word, BUS_LEN(word));
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

bool gw_trace_column(struct trace *t, const struct trace_scope *s, const char *table, const char *column,
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
	return gw_trace_no(t, "'%s' is no column found in FROM", column);
}

void gw_trace_row(struct trace *t, const struct trace_scope *s, struct bus_buf *out)
{
	struct trace_parts p = { .out = out };

	(void)t;
	for (size_t i = 0; i < s->n; i++) {
		gw_trace_begin_part(&p);
		put_source(&s->source[i], NULL, out);
	}
	gw_trace_end_parts(&p);
}

/* What the row was made of that a scalar sub-query gave; of EXISTS, all rows that it found. */
static bool sub_query(struct trace *t, size_t open, bool exists, const struct trace_scope *s,
		      struct trace_parts *p)
{
	struct trace_out column[TRACE_COLUMNS_MAX];
	size_t n;

	gw_trace_begin_part(p);
	bus_buf_puts(p->out, exists ? "(SELECT _asal_all(\"_p_\") FROM (" : "");
	if (exists) {
		if (!gw_trace_within(t, open + 1, t->word[open].pair, s, false, p->out, column, &n))
			return false;
		bus_buf_puts(p->out, "))");
		return true;
	}
	{
		struct bus_buf inner = { 0 };
		bool ok = gw_trace_within(t, open + 1, t->word[open].pair, s, true, &inner, column, &n);

		if (ok && column[0].reason)
			ok = gw_trace_no(t, "%s", column[0].reason);
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
static bool name(struct trace *t, size_t *at, size_t b, const struct trace_scope *s, struct trace_parts *p)
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
		return gw_trace_no(t, "a name with quotes in it");
	gw_trace_begin_part(p);
	if (grouped)
		bus_buf_puts(p->out, "_asal_all(");
	if (!gw_trace_column(t, s, second ? first : NULL, second ? second : first, p->out, NULL))
		return false;
	if (grouped)
		bus_buf_putc(p->out, ')');
	return true;
}

bool gw_trace_walk(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct trace_parts *p)
{
	bool ok = ++t->nest <= TRACE_NEST_MAX || gw_trace_no(t, "expressions too deep in each other");

	for (size_t i = a; i < b && ok; i++) {
		const struct gw_word *w = &t->word[i];

		if (gw_trace_is_select(t, i)) {
			ok = sub_query(t, i, false, s, p);
			i = w->pair;
		} else if (w->kind == GW_WORD_QUOTED) {
			ok = name(t, &i, b, s, p);
		} else if (w->kind != GW_WORD_NAME) {
			continue;
		} else if (gw_word_is(w, "case")) {
			ok = gw_trace_case(t, &i, b, s, p);
		} else if (gw_word_is(w, "exists") && gw_trace_is_select(t, i + 1)) {
			ok = sub_query(t, i + 1, true, s, p);
			i = t->word[i + 1].pair;
		} else if (gw_word_is(w, "in") && gw_trace_is_select(t, i + 1)) {
			ok = gw_trace_no(t, "IN (SELECT ...)");
		} else if (gw_word_is(w, "collate")) {
			i++;
		} else if (gw_word_is(w, "over") || gw_word_is(w, "filter")) {
			ok = gw_trace_no(t, "a window function");
		} else if (gw_word_is(w + 1, "(") && i + 1 < b && !gw_trace_is_keyword(w)) {
			ok = gw_trace_call(t, &i, b, s, p);
		} else if (!gw_trace_is_keyword(w)) {
			ok = name(t, &i, b, s, p);
		}
	}
	t->nest--;
	return ok;
}

bool gw_trace_expr(struct trace *t, size_t a, size_t b, const struct trace_scope *s, struct bus_buf *out)
{
	struct trace_parts p = { .out = out, .grouped = s->grouped };

	if (!gw_trace_walk(t, a, b, s, &p))
		return false;
	gw_trace_end_parts(&p);
	return true;
}
