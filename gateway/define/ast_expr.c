/* Expressions: where they end, what is in them; output columns and conditions. */
#include "gateway/define/ast_impl.h"

static bool is_one_of(const struct gw_sql_token *t, const char *const *word, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (gw_sql_is(t, word[i]))
			return true;
	}
	return false;
}

/* Words at which an expression, an alias or a list ends. */
bool gw_ast_ends_expression(const struct gw_ast_parse *p)
{
	static const char *const word[] = { "FROM",  "WHERE", "GROUP",	   "HAVING", "WINDOW", "ORDER",
					    "LIMIT", "UNION", "INTERSECT", "EXCEPT", "JOIN",   "LEFT",
					    "RIGHT", "FULL",  "INNER",	   "CROSS",  "NATURAL" };
	const struct gw_sql_token *t = gw_ast_now(p);

	if (t->kind == GW_SQL_END || gw_sql_is(t, ",") || gw_sql_is(t, ")"))
		return true;
	if (t->kind != GW_SQL_WORD || gw_sql_is(t - 1, "."))
		return false;
	if (gw_sql_is(t, "FROM") && p->i > 1 && gw_sql_is(t - 1, "DISTINCT") &&
	    (gw_sql_is(t - 2, "IS") || gw_sql_is(t - 2, "NOT")))
		return false;
	return is_one_of(t, word, BUS_LEN(word));
}

struct gw_ast_range gw_ast_read_expression(struct gw_ast_parse *p, struct gw_ast_select *s)
{
	struct gw_ast_range r = { .from = p->i };
	int depth = 0;

	while (gw_ast_now(p)->kind != GW_SQL_END && (depth > 0 || !gw_ast_ends_expression(p))) {
		if (gw_ast_is(p, "(") && gw_ast_opens_query(p, p->i + 1)) {
			struct gw_ast_query *q;

			p->i++;
			q = gw_ast_read_query(p, GW_AST_EXPRESSION, s, s);
			GW_AST_PUSH(p, s->sub, s->n_subs, q);
			if (!gw_ast_take(p, ")"))
				gw_ast_give_up(p, "sub-query");
			continue;
		}
		s->aggregate |= gw_sql_is_aggregate(p->a->token, p->i);
		s->window |= gw_ast_is(p, "OVER");
		depth += gw_ast_is(p, "(");
		depth -= gw_ast_is(p, ")");
		p->i++;
	}
	r.to = p->i;
	return r;
}

/* --- output columns ----------------------------------------------------------------------------------- */

static bool is_end_of_value(const struct gw_sql_token *t)
{
	static const char *const no[] = { "IS",	  "NOT",     "AND",	 "OR",	   "LIKE",
					  "IN",	  "BETWEEN", "GLOB",	 "CASE",   "WHEN",
					  "THEN", "ELSE",    "COLLATE",	 "AS",	   "ESCAPE",
					  "FROM", "ALL",     "DISTINCT", "REGEXP", "MATCH" };

	return t->kind == GW_SQL_SIGN ? gw_sql_is(t, ")") : !is_one_of(t, no, BUS_LEN(no));
}

static bool is_value_word(const struct gw_sql_token *t)
{
	static const char *const word[] = { "END", "NULL", "ISNULL", "NOTNULL" };

	return is_one_of(t, word, BUS_LEN(word));
}

/* expression [[AS] name] */
static void add_item(struct gw_ast_parse *p, struct gw_ast_select *s, struct gw_ast_range r)
{
	const struct gw_sql_token *t = p->a->token;
	struct gw_ast_item item = { .from = r.from, .to = r.to };
	size_t n = r.to - r.from;

	if (n == 0) {
		gw_ast_give_up(p, "an output without an expression");
		return;
	}
	if (n >= 3 && gw_sql_is(&t[r.to - 2], "AS")) {
		item.name = gw_ast_name(p, &t[r.to - 1]);
		item.to -= 2;
	} else if (n >= 2 && gw_sql_is_name(&t[r.to - 1]) && !is_value_word(&t[r.to - 1]) &&
		   is_end_of_value(&t[r.to - 2])) {
		item.name = gw_ast_name(p, &t[r.to - 1]);
		item.to -= 1;
	}
	GW_AST_PUSH(p, s->item, s->n_items, item);
}

void gw_ast_read_items(struct gw_ast_parse *p, struct gw_ast_select *s)
{
	do
		add_item(p, s, gw_ast_read_expression(p, s));
	while (gw_ast_take(p, ","));
}

/* --- conditions --------------------------------------------------------------------------------------- */

/* Does the word stand in it, outside brackets and CASE? The first from `at` on; r.to: it does not. */
static size_t find_in(const struct gw_ast *a, struct gw_ast_range r, size_t at, const char *word)
{
	const struct gw_sql_token *t = a->token;
	int cases = 0, between = 0;

	for (size_t i = at; i < r.to; i++) {
		if (gw_sql_is(&t[i], "(")) {
			i = t[i].pair;
			continue;
		}
		if (gw_sql_is(&t[i - 1], "."))
			continue;
		cases += gw_sql_is(&t[i], "CASE");
		cases -= gw_sql_is(&t[i], "END");
		if (cases > 0)
			continue;
		between += gw_sql_is(&t[i], "BETWEEN");
		if (!gw_sql_is(&t[i], word))
			continue;
		if (between == 0 || !gw_sql_is(&t[i], "AND"))
			return i;
		between--;
	}
	return r.to;
}

/* An OR anywhere in it makes it one condition that says nothing of its parts. */
void gw_ast_add_terms(struct gw_ast_parse *p, struct gw_ast_select *s, struct gw_ast_range r)
{
	const struct gw_sql_token *t = p->a->token;
	struct gw_ast_range part = r;

	while (r.to - r.from > 2 && gw_sql_is(&t[r.from], "(") && !gw_ast_opens_query(p, r.from + 1) &&
	       t[r.from].pair == r.to - 1) {
		r.from++;
		r.to--;
	}
	if (find_in(p->a, r, r.from, "OR") < r.to) {
		GW_AST_PUSH(p, s->term, s->n_terms, r);
		return;
	}
	part = r;
	part.to = find_in(p->a, r, r.from, "AND");
	if (part.to == r.to) {
		GW_AST_PUSH(p, s->term, s->n_terms, r);
		return;
	}
	for (;;) {
		gw_ast_add_terms(p, s, part);
		if (part.to == r.to)
			return;
		part.from = part.to + 1;
		part.to = find_in(p->a, r, part.from, "AND");
	}
}
