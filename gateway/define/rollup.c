#include <stdio.h>
#include <strings.h>

#include "gateway/define/rollup_impl.h"

#define WORDS_MAX 4000

static bool is_name(const struct gw_rollup_word *w)
{
	return w->t.kind == GW_SQL_WORD || w->t.kind == GW_SQL_QUOTED;
}

static bool split(struct gw_rollup_reading *g)
{
	const char *p = g->d->body;
	int depth = 0;

	g->word = bus_xcalloc(WORDS_MAX, sizeof(*g->word));
	for (;;) {
		struct gw_rollup_word *w = &g->word[g->n];

		p = gw_sql_next(p, &w->t);
		if (w->t.kind == GW_SQL_END)
			break;
		if (g->n + 2 >= WORDS_MAX)
			return gw_rollup_no(g, "the SELECT is too long");
		depth -= gw_sql_is(&w->t, ")");
		w->depth = depth;
		depth += gw_sql_is(&w->t, "(");
		if (depth < 0 || w->t.kind == GW_SQL_PARAM)
			return gw_rollup_no(g, "it has parameters");
		g->n++;
	}
	memset(&g->word[g->n], 0, sizeof(*g->word));
	return depth == 0 ? true : gw_rollup_no(g, "parentheses that do not match");
}

/* The first of n words at depth 0 from `at` on; g->n: none. */
static size_t find(const struct gw_rollup_reading *g, size_t at, const char *const *word, size_t n)
{
	for (; at < g->n; at++) {
		for (size_t i = 0; i < n && g->word[at].depth == 0; i++) {
			if (gw_rollup_is(g, at, word[i]))
				return at;
		}
	}
	return g->n;
}

static size_t list(struct gw_rollup_reading *g, struct gw_rollup_part all, struct gw_rollup_part *out,
		   size_t max, const char *why)
{
	size_t n = 0, from = all.from;

	for (size_t i = all.from; i <= all.to; i++) {
		if (i < all.to && !(g->word[i].depth == 0 && gw_rollup_is(g, i, ",")))
			continue;
		if (n == max || i == from) {
			gw_rollup_no(g, why);
			return 0;
		}
		out[n++] = (struct gw_rollup_part){ from, i };
		from = i + 1;
	}
	return n;
}

/* "... AS name", "... name", or the name of a column alone. */
static void take_name(struct gw_rollup_reading *g, size_t i)
{
	struct gw_rollup_part *p = &g->item[i];
	size_t last = p->to - 1;
	const struct gw_rollup_word *w = &g->word[last];
	bool alone = p->to - p->from == 1;

	if (!is_name(w))
		return;
	if (!alone && gw_rollup_is(g, last - 1, "AS")) {
		g->name[i] = w->t.text;
		p->to -= 2;
	} else if (alone || gw_rollup_is(g, last - 1, ".")) {
		g->name[i] = w->t.text;
	} else if (!gw_rollup_is(g, last, "END") && !gw_rollup_is(g, last, "NULL") && w[-1].depth == 0 &&
		   (w[-1].t.kind != GW_SQL_SIGN || gw_rollup_is(g, last - 1, ")"))) {
		g->name[i] = w->t.text;
		p->to--;
	}
	if (p->to == p->from)
		gw_rollup_no(g, "an output column without an expression");
}

/* "w.kode_kel" is "kode_kel" where there is one table only. */
static void drop_alias(struct gw_rollup_reading *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (i + 2 < g->n && gw_rollup_is(g, i + 1, ".") && gw_sql_names(&g->word[i].t, g->r->alias))
			i += 2;
		g->word[n++] = g->word[i];
	}
	g->n = n;
}

static bool one_table(struct gw_rollup_reading *g)
{
	static const char *const from_word[] = { "FROM" }, *const rest[] = { "WHERE", "GROUP", "HAVING" };
	size_t from = find(g, 0, from_word, 1), end = find(g, from, rest, BUS_LEN(rest));
	const struct gw_rollup_word *w = &g->word[from];

	if (from == g->n)
		return gw_rollup_no(g, "it reads no table");
	if (end - from < 2 || end - from > 4 || !is_name(&w[1]) || (end - from == 3 && !is_name(&w[2])) ||
	    (end - from == 4 && (!gw_rollup_is(g, from + 2, "AS") || !is_name(&w[3]))))
		return gw_rollup_no(
		    g, "it reads more than one table: put the join into a full view, and group that");
	g->r->table = bus_arena_dup(g->d->arena, w[1].t.text.p, w[1].t.text.n);
	g->r->alias = bus_arena_dup(g->d->arena, w[end - from - 1].t.text.p, w[end - from - 1].t.text.n);
	if (strchr(g->r->table, '"') || strchr(g->r->alias, '"')) /* what we write has them in such quotes */
		return gw_rollup_no(g, "a name with a quote in it");
	drop_alias(g);
	return true;
}

static bool shape(struct gw_rollup_reading *g)
{
	static const char *const never[] = { "UNION",	"INTERSECT", "EXCEPT", "JOIN",	 "ORDER",
					     "LIMIT",	"WITH",	     "OVER",   "WINDOW", "COLLATE",
					     "INDEXED", "RAISE",     "MATCH" };
	static const char *const from_word[] = { "FROM" }, *const rest[] = { "WHERE", "GROUP", "HAVING" };
	size_t from, at, end;

	if (g->n < 4 || !gw_rollup_is(g, 0, "SELECT") || gw_rollup_is(g, 1, "DISTINCT") ||
	    gw_rollup_is(g, 1, "ALL"))
		return gw_rollup_no(g, "not a plain SELECT");
	for (size_t i = 1; i < g->n; i++) {
		if (gw_rollup_is(g, i, "SELECT"))
			return gw_rollup_no(g, "it has a sub-query: put it into a full view, and group that");
		for (size_t k = 0; k < BUS_LEN(never); k++) {
			if (gw_rollup_is(g, i, never[k]))
				return gw_rollup_no(
				    g, "it joins, orders or combines: put that into a full view, and "
				       "group that");
		}
	}
	if (!one_table(g))
		return false;
	from = find(g, 1, from_word, 1);
	end = find(g, from, rest, BUS_LEN(rest));
	g->n_items =
	    list(g, (struct gw_rollup_part){ 1, from }, g->item, GW_COLUMNS_MAX, "its list of columns");
	for (size_t i = 0; i < g->n_items; i++)
		take_name(g, i);
	for (at = end; at < g->n && !g->why; at = end) {
		end = find(g, at + 1, rest, BUS_LEN(rest));
		if (gw_rollup_is(g, at, "WHERE"))
			g->where = (struct gw_rollup_part){ at + 1, end };
		else if (gw_rollup_is(g, at, "HAVING"))
			g->having = (struct gw_rollup_part){ at + 1, end };
		else if (at + 1 < end && gw_rollup_is(g, at + 1, "BY"))
			g->n_groups = list(g, (struct gw_rollup_part){ at + 2, end }, g->group,
					   GW_ROLLUP_GROUPS_MAX, "its GROUP BY");
	}
	return !g->why;
}

/* A name that an output's expression uses can only be a column of the one table. */
static bool is_column(const struct gw_rollup_reading *g, struct bus_str name)
{
	for (size_t i = 0; i < g->n_items; i++) {
		for (size_t k = g->item[i].from; k < g->item[i].to; k++) {
			const struct gw_sql_token *t = &g->word[k].t;

			if (is_name(&g->word[k]) && t->text.n == name.n &&
			    strncasecmp(t->text.p, name.p, name.n) == 0 && !gw_rollup_is(g, k + 1, "("))
				return true;
		}
	}
	return false;
}

/* GROUP BY 1, or the name of an output column, stand for its expression. A name that is a column of the table too
 * would be that column: gw_rollup_bind looks. */
static bool resolve_groups(struct gw_rollup_reading *g)
{
	g->r->named = g->named = bus_arena_zalloc(g->d->arena, (g->n_groups + 1) * sizeof(*g->named));
	for (size_t i = 0; i < g->n_groups; i++) {
		const struct gw_sql_token *t = &g->word[g->group[i].from].t;
		char digits[8] = "";

		if (g->group[i].to - g->group[i].from != 1)
			continue;
		if (t->kind == GW_SQL_NUMBER) {
			size_t k;

			snprintf(digits, sizeof(digits), "%.*s", (int)t->text.n, t->text.p);
			k = strtoul(digits, NULL, 10);
			if (k < 1 || k > g->n_items)
				return gw_rollup_no(g, "a number in GROUP BY that is no column's");
			g->group[i] = g->item[k - 1];
			continue;
		}
		for (size_t k = 0; k < g->n_items; k++) {
			if (is_name(&g->word[g->group[i].from]) && bus_str_eq(g->name[k], t->text) &&
			    !is_column(g, t->text)) {
				g->group[i] = g->item[k];
				g->named[g->r->n_named++] =
				    bus_arena_dup(g->d->arena, g->name[k].p, g->name[k].n);
				break;
			}
		}
	}
	for (size_t i = 0; i < g->n_groups; i++) {
		for (size_t k = g->group[i].from; k < g->group[i].to; k++) {
			if (gw_rollup_is_aggregate(g, k))
				return gw_rollup_no(g, "an aggregate in GROUP BY");
		}
	}
	for (size_t k = g->where.from; k < g->where.to; k++) {
		if (gw_rollup_is_aggregate(g, k))
			return gw_rollup_no(g, "an aggregate in WHERE");
	}
	return true;
}

static bool read_all(struct gw_rollup_reading *g)
{
	struct gw_rollup *r = g->r;
	const char **group, **item, **plain_item;
	struct gw_rollup_arg *arg;
	bool any = false;

	for (size_t i = 0; i < g->n; i++)
		any |= gw_rollup_is_aggregate(g, i);
	if (!any)
		return gw_rollup_no(g, "it has no aggregate");
	r->where = g->where.to > g->where.from ? gw_rollup_text(g, g->where) : "true";
	r->whole = g->n_groups == 0;
	r->n_groups = g->n_groups;
	group = bus_arena_zalloc(g->d->arena, (g->n_groups + 1) * sizeof(*group));
	for (size_t i = 0; i < g->n_groups; i++)
		group[i] = gw_rollup_text(g, g->group[i]);
	r->group = group;
	r->n_items = g->n_items;
	item = bus_arena_zalloc(g->d->arena, g->n_items * sizeof(*item));
	plain_item = bus_arena_zalloc(g->d->arena, g->n_items * sizeof(*item));
	for (size_t i = 0; i < g->n_items; i++) {
		if (bus_str_is(g->name[i], g->d->pub.column[g->d->pub.key].name)) {
			r->key = gw_rollup_text(g, g->item[i]);
			for (size_t k = g->item[i].from; k < g->item[i].to; k++) {
				if (gw_rollup_is_aggregate(g, k))
					gw_rollup_no(g, "an aggregate in its key");
			}
		}
		item[i] = gw_rollup_over_state(g, g->item[i], false);
		plain_item[i] = gw_rollup_over_state(g, g->item[i], true);
	}
	r->item = item;
	r->plain_item = plain_item;
	r->having = g->having.to > g->having.from ? gw_rollup_over_state(g, g->having, false) : "true";
	arg = bus_arena_zalloc(g->d->arena, (g->n_args + 1) * sizeof(*arg));
	memcpy(arg, g->arg, g->n_args * sizeof(*arg));
	r->arg = arg;
	r->n_args = g->n_args;
	return r->key ? !g->why : gw_rollup_no(g, "its key is not among the columns");
}

void gw_rollup_find(struct gw_def *d)
{
	struct gw_rollup_reading *g = bus_xcalloc(1, sizeof(*g));

	g->d = d;
	g->r = bus_arena_zalloc(d->arena, sizeof(*g->r));
	if (d->pub.dated)
		gw_rollup_no(g, "it depends on the day");
	else if (d->pub.column[d->pub.key].pdp != 'N')
		gw_rollup_no(g, "its groups are persons, whose rows are few");
	if (!g->why && split(g) && shape(g) && resolve_groups(g) && read_all(g)) {
		d->rollup = g->r;
		d->full = true;
	} else {
		d->no_rollup = g->why;
	}
	free(g->word);
	free(g);
}
