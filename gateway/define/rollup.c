#include <stdio.h>
#include <strings.h>

#include "gateway/define/rollup_impl.h"

/* Words that no roll-up has, wherever they stand. */
static bool plain_words(struct gw_rollup_reading *g)
{
	static const char *const never[] = { "UNION",	"INTERSECT", "EXCEPT", "JOIN",	 "ORDER",
					     "LIMIT",	"WITH",	     "OVER",   "WINDOW", "COLLATE",
					     "INDEXED", "RAISE",     "MATCH" };
	const struct gw_sql_token *t = g->a->token;

	if (!gw_sql_is(&t[0], "SELECT") || gw_sql_is(&t[1], "DISTINCT") || gw_sql_is(&t[1], "ALL"))
		return gw_rollup_no(g, "not a plain SELECT");
	for (size_t i = 1; i < g->a->n_tokens; i++) {
		if (t[i].kind == GW_SQL_PARAM)
			return gw_rollup_no(g, "it has parameters");
		if (gw_sql_is(&t[i], "SELECT"))
			return gw_rollup_no(g, "it has a sub-query: put it into a full view, and group that");
		for (size_t k = 0; k < BUS_LEN(never); k++) {
			if (gw_sql_is(&t[i], never[k]))
				return gw_rollup_no(
				    g, "it joins, orders or combines: put that into a full view, and "
				       "group that");
		}
	}
	return g->a->why ? gw_rollup_no(g, g->a->why) : true;
}

static bool one_table(struct gw_rollup_reading *g)
{
	const struct gw_sql_token *t;

	if (g->s->n_sources == 0)
		return gw_rollup_no(g, "it reads no table");
	if (g->s->n_sources > 1)
		return gw_rollup_no(
		    g, "it reads more than one table: put the join into a full view, and group that");
	t = &g->a->token[g->s->source[0]->from];
	g->r->table = bus_arena_dup(g->d->arena, t->text.p, t->text.n);
	g->r->alias = bus_arena_dup(g->d->arena, g->s->source[0]->name, strlen(g->s->source[0]->name));
	if (strchr(g->r->table, '"') || strchr(g->r->alias, '"')) /* what we write has them in such quotes */
		return gw_rollup_no(g, "a name with a quote in it");
	return true;
}

static bool shape(struct gw_rollup_reading *g)
{
	if (!plain_words(g) || !one_table(g))
		return false;
	for (size_t i = 0; i < g->s->n_groups; i++) {
		if (i == GW_ROLLUP_GROUPS_MAX || g->s->group[i].from == g->s->group[i].to)
			return gw_rollup_no(g, "its GROUP BY");
		g->group[g->n_groups++] = g->s->group[i];
	}
	return true;
}

/* "... AS name", or the name of a column alone. */
static bool is_called(const struct gw_rollup_reading *g, const struct gw_ast_item *x, const char *name)
{
	const struct gw_sql_token *t = &g->a->token[x->from];
	size_t n = x->to - x->from;

	if (x->name)
		return strcasecmp(x->name, name) == 0;
	return n == 1 ? gw_sql_names(t, name) : n == 3 && gw_sql_is(&t[1], ".") && gw_sql_names(&t[2], name);
}

/* A name that an output's expression uses can only be a column of the one table. */
static bool is_column(const struct gw_rollup_reading *g, const char *name)
{
	for (size_t i = 0; i < g->s->n_items; i++) {
		for (size_t k = g->s->item[i].from; k < g->s->item[i].to; k++) {
			if (gw_sql_names(&g->a->token[k], name) && !gw_sql_is(&g->a->token[k + 1], "("))
				return true;
		}
	}
	return false;
}

static struct gw_ast_range range_of(const struct gw_ast_item *x)
{
	return (struct gw_ast_range){ .from = x->from, .to = x->to };
}

static bool has_aggregate(const struct gw_rollup_reading *g, struct gw_ast_range p)
{
	while (p.from < p.to && !gw_sql_is_aggregate(g->a->token, p.from))
		p.from++;
	return p.from < p.to;
}

/* GROUP BY 1, or the name of an output column, stand for its expression. A name that is a column of the table too
 * would be that column: gw_rollup_bind looks. */
static bool resolve_group(struct gw_rollup_reading *g, struct gw_ast_range *group)
{
	const struct gw_sql_token *t = &g->a->token[group->from];
	const struct gw_ast_item *x = NULL;
	char *name = bus_arena_dup(g->d->arena, t->text.p, t->text.n);

	if (group->to - group->from != 1)
		return true;
	if (t->kind == GW_SQL_NUMBER) {
		size_t k = strtoul(name, NULL, 10);

		if (k < 1 || k > g->s->n_items)
			return gw_rollup_no(g, "a number in GROUP BY that is no column's");
		*group = range_of(&g->s->item[k - 1]);
		return true;
	}
	for (size_t k = 0; k < g->s->n_items && !x && gw_sql_is_name(t) && !is_column(g, name); k++)
		x = is_called(g, &g->s->item[k], name) ? &g->s->item[k] : NULL;
	if (x) {
		*group = range_of(x);
		g->named[g->r->n_named++] = name;
	}
	return true;
}

static bool resolve_groups(struct gw_rollup_reading *g)
{
	g->r->named = g->named = bus_arena_zalloc(g->d->arena, (g->n_groups + 1) * sizeof(*g->named));
	for (size_t i = 0; i < g->n_groups; i++) {
		if (!resolve_group(g, &g->group[i]))
			return false;
		if (has_aggregate(g, g->group[i]))
			return gw_rollup_no(g, "an aggregate in GROUP BY");
	}
	return has_aggregate(g, g->s->where) ? gw_rollup_no(g, "an aggregate in WHERE") : true;
}

static bool read_all(struct gw_rollup_reading *g)
{
	const struct gw_ast_select *s = g->s;
	struct gw_rollup *r = g->r;
	const char **group, **item, **plain_item;
	struct gw_rollup_arg *arg;

	if (!has_aggregate(g, (struct gw_ast_range){ .from = s->from, .to = s->to }))
		return gw_rollup_no(g, "it has no aggregate");
	r->where = s->where.to > s->where.from ? gw_rollup_text(g, s->where) : "true";
	r->whole = g->n_groups == 0;
	r->n_groups = g->n_groups;
	group = bus_arena_zalloc(g->d->arena, (g->n_groups + 1) * sizeof(*group));
	for (size_t i = 0; i < g->n_groups; i++)
		group[i] = gw_rollup_text(g, g->group[i]);
	r->group = group;
	r->n_items = s->n_items;
	item = bus_arena_zalloc(g->d->arena, s->n_items * sizeof(*item));
	plain_item = bus_arena_zalloc(g->d->arena, s->n_items * sizeof(*item));
	for (size_t i = 0; i < s->n_items; i++) {
		struct gw_ast_range p = range_of(&s->item[i]);

		if (is_called(g, &s->item[i], g->d->pub.column[g->d->pub.key].name)) {
			r->key = gw_rollup_text(g, p);
			if (has_aggregate(g, p))
				gw_rollup_no(g, "an aggregate in its key");
		}
		item[i] = gw_rollup_over_state(g, p, false);
		plain_item[i] = gw_rollup_over_state(g, p, true);
	}
	r->item = item;
	r->plain_item = plain_item;
	r->having = s->having.to > s->having.from ? gw_rollup_over_state(g, s->having, false) : "true";
	arg = bus_arena_zalloc(g->d->arena, (g->n_args + 1) * sizeof(*arg));
	memcpy(arg, g->arg, g->n_args * sizeof(*arg));
	r->arg = arg;
	r->n_args = g->n_args;
	return r->key ? !g->why : gw_rollup_no(g, "its key is not among the columns");
}

void gw_rollup_find(struct gw_def *d)
{
	struct gw_rollup_reading *g = bus_xcalloc(1, sizeof(*g));
	struct bus_arena *arena = bus_arena_new(0); /* of a SELECT, whose length is bounded */

	g->d = d;
	g->r = bus_arena_zalloc(d->arena, sizeof(*g->r));
	g->a = gw_ast_parse(d->body, NULL, arena);
	g->s = g->a->top->select[0];
	if (d->pub.dated)
		gw_rollup_no(g, "it depends on the day");
	else if (d->pub.column[d->pub.key].pdp != 'N')
		gw_rollup_no(g, "its groups are persons, whose rows are few");
	if (!g->why && shape(g) && resolve_groups(g) && read_all(g)) {
		d->rollup = g->r;
		d->full = true;
	} else {
		d->no_rollup = g->why;
	}
	bus_arena_free(&arena);
	free(g);
}
