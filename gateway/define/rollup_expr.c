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

bool gw_rollup_same(const struct gw_rollup_reading *g, struct gw_rollup_part a, struct gw_rollup_part b)
{
	if (a.to - a.from != b.to - b.from)
		return false;
	for (size_t i = 0; i < a.to - a.from; i++) {
		const struct gw_sql_token *x = &g->word[a.from + i].t, *y = &g->word[b.from + i].t;
		size_t n = (size_t)(x->end - x->at);

		if (x->kind != y->kind || n != (size_t)(y->end - y->at))
			return false;
		if (x->kind == GW_SQL_WORD ? strncasecmp(x->at, y->at, n) != 0 : memcmp(x->at, y->at, n) != 0)
			return false;
	}
	return true;
}

bool gw_rollup_is_aggregate(const struct gw_rollup_reading *g, size_t i)
{
	static const char *const name[] = { "count",
					    "sum",
					    "total",
					    "avg",
					    "min",
					    "max",
					    "group_concat",
					    "json_group_array",
					    "json_group_object" };
	int arguments = 1;

	if (i + 1 >= g->n || !gw_rollup_is(g, i + 1, "("))
		return false;
	for (size_t k = i + 2; k < g->n && g->word[k].depth > g->word[i + 1].depth; k++)
		arguments += g->word[k].depth == g->word[i + 1].depth + 1 && gw_rollup_is(g, k, ",");
	for (size_t k = 0; k < BUS_LEN(name); k++) {
		if (gw_rollup_is(g, i, name[k])) /* min and max of several are plain functions */
			return arguments == 1 || (k != 4 && k != 5);
	}
	return false;
}

static void put(const struct gw_rollup_reading *g, struct gw_rollup_part p, struct bus_buf *out)
{
	for (size_t i = p.from; i < p.to; i++) {
		bus_buf_put(out, g->word[i].t.at, (size_t)(g->word[i].t.end - g->word[i].t.at));
		bus_buf_putc(out, ' ');
	}
}

const char *gw_rollup_text(struct gw_rollup_reading *g, struct gw_rollup_part p)
{
	struct bus_buf b = { 0 };

	put(g, p, &b);
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
	size_t open = i + 1, close = open + 1, end, a;
	const char *filter = NULL, *arg, *value;
	struct bus_buf b = { 0 };
	char call[24];

	while (close < g->n && g->word[close].depth > g->word[open].depth)
		close++;
	end = close + 1;
	snprintf(call, sizeof(call), "%.*s", (int)g->word[i].t.text.n, g->word[i].t.text.p);
	if (end < g->n && gw_rollup_is(g, end, "FILTER")) {
		size_t stop = end + 2;

		while (stop < g->n && g->word[stop].depth > g->word[end + 1].depth)
			stop++;
		if (end + 3 >= g->n || !gw_rollup_is(g, end + 2, "WHERE")) {
			gw_rollup_no(g, "a FILTER");
			return g->n;
		}
		filter = gw_rollup_text(g, (struct gw_rollup_part){ end + 3, stop });
		end = stop + 1;
	}
	for (size_t k = open + 1; k < close; k++) {
		if (gw_rollup_is(g, k, "DISTINCT") || gw_rollup_is_aggregate(g, k))
			gw_rollup_no(g, "count(DISTINCT ...): group by that first, in a full view");
	}
	if (strcasecmp(call, "group_concat") == 0 || strncasecmp(call, "json_group", 10) == 0)
		gw_rollup_no(g, "lists of a group's rows are not kept by what changed");
	if (g->why || open + 1 >= close) {
		gw_rollup_no(g, "an aggregate of nothing");
		return g->n;
	}
	value = gw_rollup_text(g, (struct gw_rollup_part){ open + 1, close });
	if (strcasecmp(call, "min") == 0 || strcasecmp(call, "max") == 0) {
		g->r->rereads = true;
		put_reread(g, call, value, filter, out);
		return end;
	}
	if (gw_rollup_is(g, open + 1, "*") && close == open + 2) {
		if (strcasecmp(call, "count") != 0 || !filter) {
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
	a = add_arg(g, arg, strcasecmp(call, "count") != 0);
	if (strcasecmp(call, "count") == 0) {
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

/* An output's expression, or HAVING, over the state: aggregates and groups are replaced; a column that is neither
 * stays, and SQLite will not find it there. */
const char *gw_rollup_over_state(struct gw_rollup_reading *g, struct gw_rollup_part p, bool plain_form)
{
	struct bus_buf b = { 0 };
	size_t i = p.from, k;

	while (i < p.to && !g->why) {
		if (gw_rollup_is_aggregate(g, i)) {
			i = put_aggregate(g, i, plain_form, &b);
			bus_buf_putc(&b, ' ');
			continue;
		}
		for (k = 0; k < g->n_groups; k++) {
			size_t n = g->group[k].to - g->group[k].from;

			if (i + n <= p.to &&
			    gw_rollup_same(g, g->group[k], (struct gw_rollup_part){ i, i + n }))
				break;
		}
		if (k < g->n_groups) {
			bus_buf_printf(&b, "_r._r_g%zu ", k);
			i += g->group[k].to - g->group[k].from;
			continue;
		}
		bus_buf_put(&b, g->word[i].t.at, (size_t)(g->word[i].t.end - g->word[i].t.at));
		bus_buf_putc(&b, ' ');
		i++;
	}
	return keep(g, &b);
}
