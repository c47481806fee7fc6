#include "gateway/define/rollup.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#define TOKENS_MAX 4000
#define GROUPS_MAX 16
#define ARGS_MAX 64

enum kind { WORD, QUOTED, STRING, NUMBER, SIGN };

struct token {
	enum kind kind;
	struct bus_str text;
	int depth; /* of parentheses around it; a '(' and its ')' have that of what is around both */
};

struct part { /* of the tokens: [from, to) */
	size_t from, to;
};

struct reading {
	struct gw_def *d;
	struct gw_rollup *r;
	struct token *t;
	size_t n;
	const char *why; /* it is not of the form; NULL so far */
	struct part item[GW_COLUMNS_MAX], group[GROUPS_MAX];
	struct bus_str name[GW_COLUMNS_MAX]; /* of items */
	struct part where, having;
	size_t n_items, n_groups;
	struct gw_rollup_arg arg[ARGS_MAX];
	size_t n_args;
	const char **named; /* outputs that GROUP BY calls by their names */
};

static bool is(const struct token *t, const char *word)
{
	return (t->kind == WORD || t->kind == SIGN) && t->text.n == strlen(word) &&
	       strncasecmp(t->text.p, word, t->text.n) == 0;
}

static bool no(struct reading *g, const char *why)
{
	if (!g->why)
		g->why = why;
	return false;
}

static const char *keep(struct reading *g, struct bus_buf *b)
{
	const char *s = bus_arena_dup(g->d->arena, b->p ? b->p : "", b->n);

	bus_buf_release(b);
	return s;
}

/* One token at p; its length. */
static size_t token_at(const char *p, enum kind *kind)
{
	const char *q = p;

	if (isalpha((unsigned char)*p) || *p == '_') {
		*kind = WORD;
		while (isalnum((unsigned char)*q) || *q == '_')
			q++;
	} else if (*p == '\'' || *p == '"') {
		*kind = *p == '"' ? QUOTED : STRING;
		for (q++; *q; q++) {
			if (*q == *p && q[1] == *p)
				q++;
			else if (*q == *p)
				break;
		}
		q += *q != '\0';
	} else if (isdigit((unsigned char)*p)) {
		*kind = NUMBER;
		while (isalnum((unsigned char)*q) || *q == '.')
			q++;
	} else {
		static const char *const two[] = { "||", "<=", ">=", "<>", "!=", "==", "<<", ">>", "->" };

		*kind = SIGN;
		q++;
		for (size_t i = 0; i < BUS_LEN(two); i++) {
			if (p[0] == two[i][0] && p[1] == two[i][1])
				q = p + 2;
		}
		if (strncmp(p, "->>", 3) == 0)
			q = p + 3;
	}
	return (size_t)(q - p);
}

static bool split(struct reading *g)
{
	const char *p = g->d->body;
	int depth = 0;
	size_t len;

	g->t = bus_xcalloc(TOKENS_MAX, sizeof(*g->t));
	while (*p) {
		if (isspace((unsigned char)*p)) {
			p++;
		} else if (p[0] == '-' && p[1] == '-') {
			p += strcspn(p, "\n");
		} else if (p[0] == '/' && p[1] == '*') {
			const char *end = strstr(p + 2, "*/");

			if (!end)
				return no(g, "a comment without an end");
			p = end + 2;
		} else {
			struct token *t = &g->t[g->n];

			if (g->n + 1 >= TOKENS_MAX)
				return no(g, "the SELECT is too long");
			len = token_at(p, &t->kind);
			t->text = (struct bus_str){ p, len };
			depth -= *p == ')';
			t->depth = depth;
			depth += *p == '(';
			if (depth < 0 || strchr("`[]:?@$;", *p))
				return no(g, "names in brackets or backticks, or parameters");
			g->n++;
			p += len;
		}
	}
	return depth == 0 ? true : no(g, "parentheses that do not match");
}

/* The first of n words at depth 0 from `at` on; g->n: none. */
static size_t find(const struct reading *g, size_t at, const char *const *word, size_t n)
{
	for (; at < g->n; at++) {
		for (size_t i = 0; i < n && g->t[at].depth == 0; i++) {
			if (is(&g->t[at], word[i]))
				return at;
		}
	}
	return g->n;
}

static size_t list(struct reading *g, struct part all, struct part *out, size_t max, const char *why)
{
	size_t n = 0, from = all.from;

	for (size_t i = all.from; i <= all.to; i++) {
		if (i < all.to && !(g->t[i].depth == 0 && is(&g->t[i], ",")))
			continue;
		if (n == max || i == from) {
			no(g, why);
			return 0;
		}
		out[n++] = (struct part){ from, i };
		from = i + 1;
	}
	return n;
}

static struct bus_str plain(const struct token *t)
{
	if (t->kind == QUOTED && t->text.n > 2)
		return (struct bus_str){ t->text.p + 1, t->text.n - 2 };
	return t->text;
}

/* "... AS name", "... name", or the name of a column alone. */
static void take_name(struct reading *g, size_t i)
{
	struct part *p = &g->item[i];
	const struct token *last = &g->t[p->to - 1], *before = p->to - p->from > 1 ? last - 1 : NULL;

	if (last->kind != WORD && last->kind != QUOTED)
		return;
	if (before && is(before, "AS")) {
		g->name[i] = plain(last);
		p->to -= 2;
	} else if (before && !is(before, ".") && !is(last, "END") && !is(last, "NULL") &&
		   (before->kind != SIGN || is(before, ")")) && before->depth == 0) {
		g->name[i] = plain(last);
		p->to--;
	} else if (!before || is(before, ".")) {
		g->name[i] = plain(last);
	}
	if (p->to == p->from)
		no(g, "an output column without an expression");
}

static bool same(const struct reading *g, struct part a, struct part b)
{
	if (a.to - a.from != b.to - b.from)
		return false;
	for (size_t i = 0; i < a.to - a.from; i++) {
		const struct token *x = &g->t[a.from + i], *y = &g->t[b.from + i];

		if (x->kind != y->kind || x->text.n != y->text.n)
			return false;
		if (x->kind == WORD ? strncasecmp(x->text.p, y->text.p, x->text.n) != 0
				    : memcmp(x->text.p, y->text.p, x->text.n) != 0)
			return false;
	}
	return true;
}

static bool is_aggregate(const struct reading *g, size_t i)
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

	if (i + 1 >= g->n || !is(&g->t[i + 1], "("))
		return false;
	for (size_t k = i + 2; k < g->n && g->t[k].depth > g->t[i + 1].depth; k++)
		arguments += g->t[k].depth == g->t[i + 1].depth + 1 && is(&g->t[k], ",");
	for (size_t k = 0; k < BUS_LEN(name); k++) {
		if (is(&g->t[i], name[k])) /* min and max of several are plain functions */
			return arguments == 1 || (k != 4 && k != 5);
	}
	return false;
}

static void put(const struct reading *g, struct part p, struct bus_buf *out)
{
	for (size_t i = p.from; i < p.to; i++) {
		bus_buf_put(out, g->t[i].text.p, g->t[i].text.n);
		bus_buf_putc(out, ' ');
	}
}

static const char *text(struct reading *g, struct part p)
{
	struct bus_buf b = { 0 };

	put(g, p, &b);
	return keep(g, &b);
}

/* "w.kode_kel" is "kode_kel" where there is one table only. */
static void drop_alias(struct reading *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (i + 2 < g->n && (g->t[i].kind == WORD || g->t[i].kind == QUOTED) &&
		    is(&g->t[i + 1], ".") && strlen(g->r->alias) == plain(&g->t[i]).n &&
		    strncasecmp(plain(&g->t[i]).p, g->r->alias, plain(&g->t[i]).n) == 0)
			i += 2;
		g->t[n++] = g->t[i];
	}
	g->n = n;
}

static bool one_table(struct reading *g)
{
	static const char *const from_word[] = { "FROM" }, *const rest[] = { "WHERE", "GROUP", "HAVING" };
	size_t from = find(g, 0, from_word, 1), end = find(g, from, rest, BUS_LEN(rest));
	const struct token *t = &g->t[from];

	if (from == g->n)
		return no(g, "it reads no table");
	if (end - from < 2 || end - from > 4 || (t[1].kind != WORD && t[1].kind != QUOTED) ||
	    (end - from == 3 && t[2].kind != WORD && t[2].kind != QUOTED) ||
	    (end - from == 4 && !is(&t[2], "AS")))
		return no(g, "it reads more than one table: put the join into a full view, and group that");
	g->r->table = bus_arena_dup(g->d->arena, plain(&t[1]).p, plain(&t[1]).n);
	g->r->alias = bus_arena_dup(g->d->arena, plain(&t[end - from - 1]).p, plain(&t[end - from - 1]).n);
	drop_alias(g);
	return true;
}

static bool shape(struct reading *g)
{
	static const char *const never[] = { "UNION",	"INTERSECT", "EXCEPT", "JOIN",	 "ORDER",
					     "LIMIT",	"WITH",	     "OVER",   "WINDOW", "COLLATE",
					     "INDEXED", "RAISE",     "MATCH" };
	static const char *const from_word[] = { "FROM" }, *const rest[] = { "WHERE", "GROUP", "HAVING" };
	size_t from, at, end;

	if (g->n < 4 || !is(&g->t[0], "SELECT") || is(&g->t[1], "DISTINCT") || is(&g->t[1], "ALL"))
		return no(g, "not a plain SELECT");
	for (size_t i = 1; i < g->n; i++) {
		if (is(&g->t[i], "SELECT"))
			return no(g, "it has a sub-query: put it into a full view, and group that");
		for (size_t k = 0; k < BUS_LEN(never); k++) {
			if (is(&g->t[i], never[k]))
				return no(g, "it joins, orders or combines: put that into a full view, and "
					     "group that");
		}
	}
	if (!one_table(g))
		return false;
	from = find(g, 1, from_word, 1);
	end = find(g, from, rest, BUS_LEN(rest));
	g->n_items = list(g, (struct part){ 1, from }, g->item, GW_COLUMNS_MAX, "its list of columns");
	for (size_t i = 0; i < g->n_items; i++)
		take_name(g, i);
	for (at = end; at < g->n && !g->why; at = end) {
		end = find(g, at + 1, rest, BUS_LEN(rest));
		if (is(&g->t[at], "WHERE"))
			g->where = (struct part){ at + 1, end };
		else if (is(&g->t[at], "HAVING"))
			g->having = (struct part){ at + 1, end };
		else if (at + 1 < end && is(&g->t[at + 1], "BY"))
			g->n_groups =
			    list(g, (struct part){ at + 2, end }, g->group, GROUPS_MAX, "its GROUP BY");
	}
	return !g->why;
}

/* A name that an output's expression uses can only be a column of the one table. */
static bool is_column(const struct reading *g, struct bus_str name)
{
	for (size_t i = 0; i < g->n_items; i++) {
		for (size_t k = g->item[i].from; k < g->item[i].to; k++) {
			const struct token *t = &g->t[k];

			if ((t->kind == WORD || t->kind == QUOTED) && plain(t).n == name.n &&
			    strncasecmp(plain(t).p, name.p, name.n) == 0 && !is(t + 1, "("))
				return true;
		}
	}
	return false;
}

/* GROUP BY 1, or the name of an output column, stand for its expression. A name that is a column of the table too
 * would be that column: gw_rollup_bind looks. */
static bool resolve_groups(struct reading *g)
{
	g->r->named = g->named = bus_arena_zalloc(g->d->arena, (g->n_groups + 1) * sizeof(*g->named));
	for (size_t i = 0; i < g->n_groups; i++) {
		const struct token *t = &g->t[g->group[i].from];
		char digits[8] = "";

		if (g->group[i].to - g->group[i].from != 1)
			continue;
		if (t->kind == NUMBER) {
			size_t k;

			snprintf(digits, sizeof(digits), "%.*s", (int)t->text.n, t->text.p);
			k = strtoul(digits, NULL, 10);
			if (k < 1 || k > g->n_items)
				return no(g, "a number in GROUP BY that is no column's");
			g->group[i] = g->item[k - 1];
			continue;
		}
		for (size_t k = 0; k < g->n_items; k++) {
			if ((t->kind == WORD || t->kind == QUOTED) && bus_str_eq(g->name[k], plain(t)) &&
			    !is_column(g, plain(t))) {
				g->group[i] = g->item[k];
				g->named[g->r->n_named++] =
				    bus_arena_dup(g->d->arena, g->name[k].p, g->name[k].n);
				break;
			}
		}
	}
	for (size_t i = 0; i < g->n_groups; i++) {
		for (size_t k = g->group[i].from; k < g->group[i].to; k++) {
			if (is_aggregate(g, k))
				return no(g, "an aggregate in GROUP BY");
		}
	}
	for (size_t k = g->where.from; k < g->where.to; k++) {
		if (is_aggregate(g, k))
			return no(g, "an aggregate in WHERE");
	}
	return true;
}

static size_t add_arg(struct reading *g, const char *arg, bool summed)
{
	size_t i;

	for (i = 0; i < g->n_args && strcmp(g->arg[i].text, arg) != 0; i++)
		;
	if (i == ARGS_MAX) {
		no(g, "too many aggregates");
		return 0;
	}
	if (i == g->n_args)
		g->arg[g->n_args++] = (struct gw_rollup_arg){ arg, false };
	g->arg[i].summed |= summed;
	return i;
}

/* "(SELECT sum(x) FROM t AS a WHERE the condition AND the group)", for what numbers alone do not give. */
static void put_reread(const struct reading *g, const char *call, const char *arg, const char *filter,
		       struct bus_buf *out)
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
static size_t put_aggregate(struct reading *g, size_t i, bool plain_form, struct bus_buf *out)
{
	size_t open = i + 1, close = open + 1, end, a;
	const char *filter = NULL, *arg, *value;
	struct bus_buf b = { 0 };
	char call[24];

	while (close < g->n && g->t[close].depth > g->t[open].depth)
		close++;
	end = close + 1;
	snprintf(call, sizeof(call), "%.*s", (int)g->t[i].text.n, g->t[i].text.p);
	if (end < g->n && is(&g->t[end], "FILTER")) {
		size_t stop = end + 2;

		while (stop < g->n && g->t[stop].depth > g->t[end + 1].depth)
			stop++;
		if (end + 3 >= g->n || !is(&g->t[end + 2], "WHERE")) {
			no(g, "a FILTER");
			return g->n;
		}
		filter = text(g, (struct part){ end + 3, stop });
		end = stop + 1;
	}
	for (size_t k = open + 1; k < close; k++) {
		if (is(&g->t[k], "DISTINCT") || is_aggregate(g, k))
			no(g, "count(DISTINCT ...): group by that first, in a full view");
	}
	if (strcasecmp(call, "group_concat") == 0 || strncasecmp(call, "json_group", 10) == 0)
		no(g, "lists of a group's rows are not kept by what changed");
	if (g->why || open + 1 >= close) {
		no(g, "an aggregate of nothing");
		return g->n;
	}
	value = text(g, (struct part){ open + 1, close });
	if (strcasecmp(call, "min") == 0 || strcasecmp(call, "max") == 0) {
		g->r->rereads = true;
		put_reread(g, call, value, filter, out);
		return end;
	}
	if (is(&g->t[open + 1], "*") && close == open + 2) {
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
static const char *over_state(struct reading *g, struct part p, bool plain_form)
{
	struct bus_buf b = { 0 };
	size_t i = p.from, k;

	while (i < p.to && !g->why) {
		if (is_aggregate(g, i)) {
			i = put_aggregate(g, i, plain_form, &b);
			bus_buf_putc(&b, ' ');
			continue;
		}
		for (k = 0; k < g->n_groups; k++) {
			size_t n = g->group[k].to - g->group[k].from;

			if (i + n <= p.to && same(g, g->group[k], (struct part){ i, i + n }))
				break;
		}
		if (k < g->n_groups) {
			bus_buf_printf(&b, "_r._r_g%zu ", k);
			i += g->group[k].to - g->group[k].from;
			continue;
		}
		bus_buf_put(&b, g->t[i].text.p, g->t[i].text.n);
		bus_buf_putc(&b, ' ');
		i++;
	}
	return keep(g, &b);
}

static bool read_all(struct reading *g)
{
	struct gw_rollup *r = g->r;
	const char **group, **item, **plain_item;
	struct gw_rollup_arg *arg;
	bool any = false;

	for (size_t i = 0; i < g->n; i++)
		any |= is_aggregate(g, i);
	if (!any)
		return no(g, "it has no aggregate");
	r->where = g->where.to > g->where.from ? text(g, g->where) : "true";
	r->whole = g->n_groups == 0;
	r->n_groups = g->n_groups;
	group = bus_arena_zalloc(g->d->arena, (g->n_groups + 1) * sizeof(*group));
	for (size_t i = 0; i < g->n_groups; i++)
		group[i] = text(g, g->group[i]);
	r->group = group;
	r->n_items = g->n_items;
	item = bus_arena_zalloc(g->d->arena, g->n_items * sizeof(*item));
	plain_item = bus_arena_zalloc(g->d->arena, g->n_items * sizeof(*item));
	for (size_t i = 0; i < g->n_items; i++) {
		if (bus_str_is(g->name[i], g->d->pub.column[g->d->pub.key].name)) {
			r->key = text(g, g->item[i]);
			for (size_t k = g->item[i].from; k < g->item[i].to; k++) {
				if (is_aggregate(g, k))
					no(g, "an aggregate in its key");
			}
		}
		item[i] = over_state(g, g->item[i], false);
		plain_item[i] = over_state(g, g->item[i], true);
	}
	r->item = item;
	r->plain_item = plain_item;
	r->having = g->having.to > g->having.from ? over_state(g, g->having, false) : "true";
	arg = bus_arena_zalloc(g->d->arena, (g->n_args + 1) * sizeof(*arg));
	memcpy(arg, g->arg, g->n_args * sizeof(*arg));
	r->arg = arg;
	r->n_args = g->n_args;
	return r->key ? !g->why : no(g, "its key is not among the columns");
}

void gw_rollup_find(struct gw_def *d)
{
	struct reading *g = bus_xcalloc(1, sizeof(*g));

	g->d = d;
	g->r = bus_arena_zalloc(d->arena, sizeof(*g->r));
	if (d->pub.dated)
		no(g, "it depends on the day");
	else if (d->pub.column[d->pub.key].pdp != 'N')
		no(g, "its groups are persons, whose rows are few");
	if (!g->why && split(g) && shape(g) && resolve_groups(g) && read_all(g)) {
		d->rollup = g->r;
		d->full = true;
	} else {
		d->no_rollup = g->why;
	}
	free(g->t);
	free(g);
}
