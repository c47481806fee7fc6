/* FROM: tables, stored views, sub-queries. */
#include <stdio.h>
#include <strings.h>

#include "gateway/define/trace_impl.h"

#define SOURCES_MAX 64

static bool is_join(const struct gw_word *w)
{
	static const char *const word[] = { ",",     "join", "left",	"inner", "cross",
					    "right", "full", "natural", "outer" };

	for (size_t i = 0; i < BUS_LEN(word); i++) {
		if (gw_word_is(w, word[i]))
			return true;
	}
	return false;
}

static bool from_query(struct trace *t, size_t open, const struct trace_scope *up, struct trace_source *x,
		       struct bus_buf *out)
{
	struct trace_out *column = bus_arena_alloc(t->arena, TRACE_COLUMNS_MAX * sizeof(*column));

	if (!column)
		return gw_trace_no(t, "a SELECT that is too large");
	x->kind = SOURCE_QUERY;
	x->out = column;
	bus_buf_putc(out, '(');
	if (!gw_trace_within(t, open + 1, t->word[open].pair, up, false, out, column, &x->n))
		return false;
	bus_buf_putc(out, ')');
	return true;
}

static bool from_table(struct trace *t, size_t at, struct trace_source *x, struct bus_buf *out)
{
	enum gw_trace_kind kind = GW_TRACE_NONE;

	x->table = gw_word_name(&t->word[at], t->arena);
	if (x->table && !gw_word_is(&t->word[at + 1], ".") && !gw_word_is(&t->word[at + 1], "("))
		kind = t->tables->table(t->tables->ctx, x->table, &x->column, &x->n, &x->key);
	if (kind == GW_TRACE_NONE)
		return gw_trace_no(t, "'%.*s' in FROM", (int)t->word[at].n, t->word[at].p);
	x->kind = kind == GW_TRACE_VIEW ? SOURCE_VIEW : SOURCE_TOPIC;
	bus_buf_printf(out, "\"%s\"", x->table);
	return true;
}

/* One table or sub-query with its alias. *at: then behind it. */
static bool from_source(struct trace *t, size_t *at, size_t b, const struct trace_scope *up,
			struct trace_source *x, struct bus_buf *out)
{
	const struct gw_word *w;
	char name[24];

	memset(x, 0, sizeof(*x));
	if (gw_trace_is_select(t, *at)) {
		if (!from_query(t, *at, up, x, out))
			return false;
		*at = t->word[*at].pair + 1;
	} else {
		if (!from_table(t, *at, x, out))
			return false;
		(*at)++;
	}
	x->alias = x->table;
	if (*at < b && gw_word_is(&t->word[*at], "as"))
		(*at)++;
	w = &t->word[*at];
	if (*at < b && w->kind == GW_WORD_TEXT)
		return gw_trace_no(t, "a name in single quotes");
	if (*at < b && !is_join(w) && !gw_word_is(w, "on") && !gw_word_is(w, "using") &&
	    !gw_word_is(w, "indexed") && !gw_word_is(w, "not") && gw_word_name(w, t->arena)) {
		x->alias = gw_word_name(w, t->arena);
		(*at)++;
	}
	if (!x->alias) { /* a name of ours: its columns are found without it as before */
		snprintf(name, sizeof(name), "_q%u", ++t->serial);
		x->alias = bus_arena_dup(t->arena, name, strlen(name));
	}
	bus_buf_printf(out, " AS \"%s\"", x->alias);
	return true;
}

bool gw_trace_from(struct trace *t, size_t a, size_t b, struct trace_scope *s, struct bus_buf *out)
{
	size_t end;

	s->source = bus_arena_zalloc(t->arena, SOURCES_MAX * sizeof(*s->source));
	while (a < b) {
		if (s->n == SOURCES_MAX || !s->source)
			return gw_trace_no(t, "more than %d tables in FROM", SOURCES_MAX);
		if (!from_source(t, &a, b, s->up, &s->source[s->n++], out))
			return false;
		for (size_t i = 0; i + 1 < s->n; i++) {
			if (strcasecmp(s->source[i].alias, s->source[s->n - 1].alias) == 0)
				return gw_trace_no(t, "two tables called '%s'", s->source[i].alias);
		}
		for (end = a; end < b && !is_join(&t->word[end]); end++) { /* ON ... */
			if (gw_word_is(&t->word[end], "("))
				end = t->word[end].pair;
		}
		for (; end < b && is_join(&t->word[end]); end++) {
			if (gw_word_is(&t->word[end], "natural") || gw_word_is(&t->word[end], "full") ||
			    gw_word_is(&t->word[end], "right"))
				return gw_trace_no(t, "a NATURAL, RIGHT or FULL JOIN");
		}
		bus_buf_putc(out, ' ');
		gw_trace_copy(t, a, end, out);
		bus_buf_putc(out, ' ');
		a = end;
	}
	return true;
}
