/* Aggregates and groups as expressions over a roll-up's state. */
#include <stdio.h>
#include <strings.h>

#include "gateway/define/rollup_impl.h"

static const char *keep(struct gw_rollup_reading *g, struct bus_buf *b)
{
	const char *s = bus_arena_dup(g->d->arena, b->p ? b->p : "", b->n);

	bus_buf_release(b);
	return s;
}

/* "w.kode_kel" is "kode_kel" where there is one table only. */
static size_t skip_alias(const struct gw_rollup_reading *g, size_t i)
{
	const struct gw_sql_token *t = &g->a->token[i];

	return gw_sql_names(t, g->r->alias) && gw_sql_is(t + 1, ".") ? i + 2 : i;
}

static bool same(const struct gw_sql_token *x, const struct gw_sql_token *y)
{
	size_t n = (size_t)(x->end - x->at);

	if (x->kind != y->kind || n != (size_t)(y->end - y->at))
		return false;
	return (x->kind == GW_SQL_WORD ? strncasecmp(x->at, y->at, n) : memcmp(x->at, y->at, n)) == 0;
}

/* The tokens of part stand at i too: what is behind them there; 0: they do not. */
static size_t behind_same(const struct gw_rollup_reading *g, struct gw_ast_range part, size_t i, size_t to)
{
	for (size_t k = part.from; k < part.to; k++, i++) {
		k = skip_alias(g, k);
		i = skip_alias(g, i);
		if (i >= to || !same(&g->a->token[k], &g->a->token[i]))
			return 0;
	}
	return i;
}

static void put_token(const struct gw_rollup_reading *g, size_t i, struct bus_buf *out)
{
	const struct gw_sql_token *t = &g->a->token[i];

	bus_buf_put(out, t->at, (size_t)(t->end - t->at));
	bus_buf_putc(out, ' ');
}

const char *gw_rollup_text(struct gw_rollup_reading *g, struct gw_ast_range p)
{
	struct bus_buf b = { 0 };

	for (size_t i = p.from; i < p.to; i++) {
		i = skip_alias(g, i);
		put_token(g, i, &b);
	}
	return keep(g, &b);
}

static size_t add_arg(struct gw_rollup_reading *g, const char *arg, bool summed)
{
	size_t i;

	for (i = 0; i < g->n_args && strcmp(g->arg[i].text, arg) != 0; i++)
		;
	if (i == GW_ROLLUP_ARGS_MAX) {
		gw_rollup_no(g, "too many aggregates");
		return 0;
	}
	if (i == g->n_args)
		g->arg[g->n_args++] = (struct gw_rollup_arg){ arg, false };
	g->arg[i].summed |= summed;
	return i;
}

/* "(SELECT sum(x) FROM t AS a WHERE the condition AND the group)", for what numbers alone do not give. */
static void put_reread(const struct gw_rollup_reading *g, const char *call, const char *arg,
		       const char *filter, struct bus_buf *out)
{
	bus_buf_printf(out, "(SELECT %s(%s) FROM \"%s\" AS \"%s\" WHERE (%s)", call, arg, g->r->table,
		       g->r->alias, g->r->where);
	if (filter)
		bus_buf_printf(out, " AND (%s)", filter);
	for (size_t i = 0; i < g->n_groups; i++)
		bus_buf_printf(out, " AND (%s) IS _r._r_g%zu", g->r->group[i], i);
	bus_buf_putc(out, ')');
}

/* The aggregate at i, as an expression over the state; the first token after it. */
static size_t put_aggregate(struct gw_rollup_reading *g, size_t i, bool plain_form, struct bus_buf *out)
{
	const struct gw_sql_token *t = g->a->token;
	enum gw_fun kind = gw_sql_call(t, i);
	size_t open = i + 1, close = t[open].pair, end = close + 1, a;
	const char *filter = NULL, *arg, *value;
	struct bus_buf b = { 0 };
	char call[24];

	snprintf(call, sizeof(call), "%.*s", (int)t[i].text.n, t[i].text.p);
	if (gw_sql_is(&t[end], "FILTER")) {
		if (!gw_sql_is(&t[end + 1], "(") || !gw_sql_is(&t[end + 2], "WHERE")) {
			gw_rollup_no(g, "a FILTER");
			return end;
		}
		filter = gw_rollup_text(g, (struct gw_ast_range){ .from = end + 3, .to = t[end + 1].pair });
		end = t[end + 1].pair + 1;
	}
	for (size_t k = open + 1; k < close; k++) {
		if (gw_sql_is(&t[k], "DISTINCT") || gw_sql_is_aggregate(t, k))
			gw_rollup_no(g, "count(DISTINCT ...): group by that first, in a full view");
	}
	if (kind == GW_FUN_LIST || kind == GW_FUN_LIST_ALL)
		gw_rollup_no(g, "lists of a group's rows are not kept by what changed");
	if (g->why || open + 1 >= close) {
		gw_rollup_no(g, "an aggregate of nothing");
		return end;
	}
	value = gw_rollup_text(g, (struct gw_ast_range){ .from = open + 1, .to = close });
	if (kind == GW_FUN_EXTREME) {
		g->r->rereads = true;
		put_reread(g, call, value, filter, out);
		return end;
	}
	if (gw_sql_is(&t[open + 1], "*") && close == open + 2) {
		if (kind != GW_FUN_COUNT || !filter) {
			bus_buf_puts(out, "_r._r_n");
			return end;
		}
		value = "1";
	}
	if (filter) {
		bus_buf_printf(&b, "CASE WHEN %s THEN %s END", filter, value);
		value = keep(g, &b);
	}
	arg = value;
	a = add_arg(g, arg, kind != GW_FUN_COUNT);
	if (kind == GW_FUN_COUNT) {
		bus_buf_printf(out, "_r._r_c%zu", a);
		return end;
	}
	bus_buf_puts(out, "CASE ");
	if (!plain_form) {
		bus_buf_printf(out, "WHEN _r._r_x%zu <> 0 OR typeof(_r._r_s%zu) <> 'integer'", a, a);
		if (strcasecmp(call, "sum") != 0) /* beyond 2^53 a whole number has no exact real one */
			bus_buf_printf(
			    out, " OR _r._r_s%zu NOT BETWEEN -9007199254740992 AND 9007199254740992", a);
		bus_buf_puts(out, " THEN ");
		put_reread(g, call, arg, NULL, out);
	}
	if (strcasecmp(call, "total") == 0)
		bus_buf_printf(out, " WHEN true THEN CAST(_r._r_s%zu AS REAL) END", a);
	else
		bus_buf_printf(out, " WHEN _r._r_c%zu = 0 THEN NULL ELSE ", a);
	if (strcasecmp(call, "avg") == 0)
		bus_buf_printf(out, "CAST(_r._r_s%zu AS REAL) / _r._r_c%zu END", a, a);
	else if (strcasecmp(call, "sum") == 0)
		bus_buf_printf(out, "_r._r_s%zu END", a);
	return end;
}

const char *gw_rollup_over_state(struct gw_rollup_reading *g, struct gw_ast_range p, bool plain_form)
{
	struct bus_buf b = { 0 };
	size_t i = p.from, k, behind;

	while (i < p.to && !g->why) {
		if (gw_sql_is_aggregate(g->a->token, i)) {
			i = put_aggregate(g, i, plain_form, &b);
			bus_buf_putc(&b, ' ');
			continue;
		}
		behind = 0;
		for (k = 0; k < g->n_groups && !behind; k++)
			behind = behind_same(g, g->group[k], i, p.to);
		if (behind) {
			bus_buf_printf(&b, "_r._r_g%zu ", k - 1);
			i = behind;
			continue;
		}
		i = skip_alias(g, i);
		put_token(g, i++, &b);
	}
	return keep(g, &b);
}
