/* gw_ast_parse: tokens into queries, SELECTs, sources. Names are resolved in ast_names.c. */
#include "gateway/define/ast_impl.h"

struct cte {
	const char *name;
	const char *const *column;
	size_t n_columns, from, to; /* tokens of its query */
	struct gw_ast_select *outer;
	const struct cte *next;
};

struct parse {
	struct gw_ast *a;
	size_t i; /* token */
	int depth;
	const struct cte *with;
};

static struct gw_ast_query *read_query(struct parse *p, enum gw_ast_role role, struct gw_ast_select *within,
				       struct gw_ast_select *outer);

static const struct gw_sql_token *now(const struct parse *p)
{
	return &p->a->token[p->i];
}

static bool is(const struct parse *p, const char *word)
{
	return gw_sql_is(now(p), word);
}

static bool take(struct parse *p, const char *word)
{
	if (!is(p, word))
		return false;
	p->i++;
	return true;
}

static void give_up(struct parse *p, const char *why)
{
	if (!p->a->why)
		p->a->why = why;
	p->i = p->a->n_tokens - 1; /* END: all loops end there */
}

/* Room for one more in an array that grows at 0, 1, 2, 4, ... */
static void *grown(struct parse *p, void *array, size_t n, size_t size)
{
	void *more;

	if ((n & (n - 1)) != 0)
		return array;
	more = bus_arena_zalloc(p->a->arena, (n ? n * 2 : 1) * size);
	if (n)
		memcpy(more, array, n * size);
	return more;
}

#define PUSH(p, array, n, value)                                                                             \
	do {                                                                                                 \
		(array) = grown((p), (void *)(array), (n), sizeof(*(array)));                                \
		(array)[(n)++] = (value);                                                                    \
	} while (0)

static const char *name_of(struct parse *p, const struct gw_sql_token *t)
{
	return bus_arena_dup(p->a->arena, t->text.p, t->text.n);
}

static bool opens_query(const struct parse *p, size_t i)
{
	const struct gw_sql_token *t = &p->a->token[i];

	return gw_sql_is(t, "SELECT") || gw_sql_is(t, "WITH") || gw_sql_is(t, "VALUES");
}

/* Words at which an expression, an alias or a list ends. */
static bool ends_expression(const struct parse *p)
{
	static const char *const word[] = { "FROM",  "WHERE", "GROUP",	   "HAVING", "WINDOW", "ORDER",
					    "LIMIT", "UNION", "INTERSECT", "EXCEPT", "JOIN",   "LEFT",
					    "RIGHT", "FULL",  "INNER",	   "CROSS",  "NATURAL" };
	const struct gw_sql_token *t = now(p);

	if (t->kind == GW_SQL_END || gw_sql_is(t, ",") || gw_sql_is(t, ")"))
		return true;
	if (t->kind != GW_SQL_WORD || (p->i > 0 && gw_sql_is(t - 1, ".")))
		return false;
	if (gw_sql_is(t, "FROM") && p->i > 1 && gw_sql_is(t - 1, "DISTINCT") &&
	    (gw_sql_is(t - 2, "IS") || gw_sql_is(t - 2, "NOT")))
		return false;
	for (size_t i = 0; i < BUS_LEN(word); i++) {
		if (gw_sql_is(t, word[i]))
			return true;
	}
	return false;
}

static bool is_aggregate(const struct parse *p)
{
	static const char *const name[] = { "count",
					    "sum",
					    "total",
					    "avg",
					    "group_concat",
					    "string_agg",
					    "json_group_array",
					    "json_group_object" };
	const struct gw_sql_token *t = now(p);
	int depth = 0;

	if (t->kind != GW_SQL_WORD || !gw_sql_is(t + 1, "("))
		return false;
	for (size_t i = 0; i < BUS_LEN(name); i++) {
		if (gw_sql_is(t, name[i]))
			return true;
	}
	if (!gw_sql_is(t, "min") && !gw_sql_is(t, "max"))
		return false;
	for (t++; t->kind != GW_SQL_END; t++) { /* of several arguments: a plain function */
		depth += gw_sql_is(t, "(");
		depth -= gw_sql_is(t, ")");
		if (depth == 1 && gw_sql_is(t, ","))
			return false;
		if (depth == 0)
			break;
	}
	return true;
}

/* Over one expression, noting the sub-queries in it, aggregates, windows. */
static struct gw_ast_range read_expression(struct parse *p, struct gw_ast_select *s)
{
	struct gw_ast_range r = { .from = p->i };
	int depth = 0;

	while (now(p)->kind != GW_SQL_END && (depth > 0 || !ends_expression(p))) {
		if (is(p, "(") && opens_query(p, p->i + 1)) {
			struct gw_ast_query *q;

			p->i++;
			q = read_query(p, GW_AST_EXPRESSION, s, s);
			PUSH(p, s->sub, s->n_subs, q);
			if (!take(p, ")"))
				give_up(p, "sub-query");
			continue;
		}
		s->aggregate |= is_aggregate(p);
		s->window |= is(p, "OVER");
		depth += is(p, "(");
		depth -= is(p, ")");
		p->i++;
	}
	r.to = p->i;
	return r;
}

static bool is_end_of_value(const struct gw_sql_token *t)
{
	static const char *const no[] = { "IS",	     "NOT",  "AND",    "OR",   "LIKE", "IN",
					  "BETWEEN", "GLOB", "CASE",   "WHEN", "THEN", "ELSE",
					  "COLLATE", "AS",   "ESCAPE", "FROM", "ALL",  "DISTINCT" };

	if (t->kind == GW_SQL_SIGN)
		return gw_sql_is(t, ")") || gw_sql_is(t, "*");
	for (size_t i = 0; i < BUS_LEN(no); i++) {
		if (gw_sql_is(t, no[i]))
			return false;
	}
	return true;
}

static bool is_value_word(const struct gw_sql_token *t)
{
	return gw_sql_is(t, "END") || gw_sql_is(t, "NULL") || gw_sql_is(t, "ISNULL") ||
	       gw_sql_is(t, "NOTNULL");
}

/* expression [[AS] name] */
static void add_item(struct parse *p, struct gw_ast_select *s, struct gw_ast_range r)
{
	const struct gw_sql_token *t = p->a->token;
	struct gw_ast_item item = { .from = r.from, .to = r.to };
	size_t n = r.to - r.from;

	if (n == 0) {
		give_up(p, "an output without an expression");
		return;
	}
	if (n >= 3 && gw_sql_is(&t[r.to - 2], "AS")) {
		item.name = name_of(p, &t[r.to - 1]);
		item.to -= 2;
	} else if (n >= 2 && (t[r.to - 1].kind == GW_SQL_WORD || t[r.to - 1].kind == GW_SQL_QUOTED) &&
		   !is_value_word(&t[r.to - 1]) && is_end_of_value(&t[r.to - 2])) {
		item.name = name_of(p, &t[r.to - 1]);
		item.to -= 1;
	}
	PUSH(p, s->item, s->n_items, item);
}

static void read_items(struct parse *p, struct gw_ast_select *s)
{
	do
		add_item(p, s, read_expression(p, s));
	while (take(p, ","));
}

/* --- FROM ------------------------------------------------------------------------------------------- */

static struct gw_ast_source *add_source(struct parse *p, struct gw_ast_select *s)
{
	struct gw_ast_source *x = bus_arena_zalloc(p->a->arena, sizeof(*x));

	if (p->a->n_sources == GW_AST_SOURCES_MAX) {
		give_up(p, "too many tables");
		return x;
	}
	x->id = p->a->n_sources;
	x->select = s;
	p->a->source[p->a->n_sources++] = x;
	return x;
}

static const struct cte *find_cte(const struct parse *p, const struct gw_sql_token *t)
{
	for (const struct cte *c = p->with; c; c = c->next) {
		if (gw_sql_names(t, c->name))
			return c;
	}
	return NULL;
}

/* A WITH's query where it is used: read again, so that each use has sources of its own. */
static void use_cte(struct parse *p, struct gw_ast_select *s, struct gw_ast_source *x, const struct cte *c)
{
	const struct cte *with = p->with;
	size_t back = p->i;

	p->i = c->from;
	p->with = c->next;
	x->query = read_query(p, GW_AST_FROM, s, c->outer);
	x->query->as = x;
	x->with = true;
	x->query->column = c->column;
	x->query->n_columns = c->n_columns;
	p->with = with;
	if (!p->a->why)
		p->i = back;
}

static struct gw_ast_source *read_source(struct parse *p, struct gw_ast_select *s)
{
	struct gw_ast_source *x = add_source(p, s);

	if (take(p, "(")) {
		if (!opens_query(p, p->i)) {
			give_up(p, "a join in brackets");
			return x;
		}
		x->query = read_query(p, GW_AST_FROM, s, s->query->outer);
		x->query->as = x;
		if (!take(p, ")"))
			give_up(p, "a sub-query");
	} else if (now(p)->kind == GW_SQL_WORD || now(p)->kind == GW_SQL_QUOTED) {
		const struct gw_sql_token *t = now(p);
		const struct cte *c = find_cte(p, t);

		p->i++;
		x->name = name_of(p, t);
		if (is(p, "(") || is(p, "."))
			give_up(p, "a function or another database in FROM");
		else if (c)
			use_cte(p, s, x, c);
		else if (!(x->table = gw_world_find(p->a->world, x->name)))
			give_up(p, "a table that is not known");
	} else {
		give_up(p, "FROM");
	}
	if (take(p, "AS") ||
	    ((now(p)->kind == GW_SQL_WORD || now(p)->kind == GW_SQL_QUOTED) && !ends_expression(p) &&
	     !is(p, "ON") && !is(p, "USING") && !is(p, "NOT") && !is(p, "INDEXED"))) {
		x->name = name_of(p, now(p));
		p->i++;
	}
	if (is(p, "INDEXED") || is(p, "NOT"))
		give_up(p, "INDEXED BY");
	return x;
}

static void add_term(struct parse *p, struct gw_ast_select *s, struct gw_ast_range r);

static void read_from(struct parse *p, struct gw_ast_select *s)
{
	bool left = false;

	for (;;) {
		struct gw_ast_source *x = read_source(p, s);

		PUSH(p, s->source, s->n_sources, x);
		if (take(p, "ON")) {
			struct gw_ast_range r = read_expression(p, s);

			r.optional = left ? x : NULL;
			add_term(p, s, r);
		} else if (is(p, "USING")) {
			give_up(p, "USING");
		}
		left = false;
		if (take(p, ","))
			continue;
		if (is(p, "NATURAL"))
			give_up(p, "a NATURAL join");
		if (is(p, "RIGHT") || is(p, "FULL")) {
			s->outer_join = true;
			p->i++;
			take(p, "OUTER");
		} else if (take(p, "LEFT")) {
			left = true;
			take(p, "OUTER");
		} else if (!take(p, "INNER")) {
			take(p, "CROSS");
		}
		if (!take(p, "JOIN"))
			return;
	}
}

/* --- conditions ------------------------------------------------------------------------------------- */

/* The end of the bracket that opens at i. */
static size_t behind_bracket(const struct gw_ast *a, size_t i, size_t to)
{
	int depth = 0;

	for (; i < to; i++) {
		depth += gw_sql_is(&a->token[i], "(");
		depth -= gw_sql_is(&a->token[i], ")");
		if (depth == 0)
			return i + 1;
	}
	return to;
}

/* Splits at AND; an OR anywhere in it makes it one condition that says nothing of its parts. */
static void add_term(struct parse *p, struct gw_ast_select *s, struct gw_ast_range r)
{
	const struct gw_sql_token *t = p->a->token;
	size_t begin = r.from;
	int depth = 0, cases = 0, between = 0;
	struct gw_ast_range part;

	while (r.to - r.from > 2 && gw_sql_is(&t[r.from], "(") && !opens_query(p, r.from + 1) &&
	       behind_bracket(p->a, r.from, r.to) == r.to) {
		r.from++;
		r.to--;
		begin = r.from;
	}
	for (size_t i = r.from; i < r.to; i++) {
		depth += gw_sql_is(&t[i], "(");
		depth -= gw_sql_is(&t[i], ")");
		if (depth > 0 || (i > 0 && gw_sql_is(&t[i - 1], ".")))
			continue;
		cases += gw_sql_is(&t[i], "CASE");
		cases -= gw_sql_is(&t[i], "END");
		if (cases == 0 && gw_sql_is(&t[i], "OR")) {
			PUSH(p, s->term, s->n_terms, r);
			return;
		}
	}
	depth = cases = 0;
	for (size_t i = r.from; i <= r.to; i++) {
		bool end = i == r.to;

		if (!end) {
			depth += gw_sql_is(&t[i], "(");
			depth -= gw_sql_is(&t[i], ")");
			cases += depth == 0 && gw_sql_is(&t[i], "CASE");
			cases -= depth == 0 && gw_sql_is(&t[i], "END");
			between += depth == 0 && cases == 0 && gw_sql_is(&t[i], "BETWEEN");
			if (depth > 0 || cases > 0 || !gw_sql_is(&t[i], "AND"))
				continue;
			if (between > 0) {
				between--;
				continue;
			}
		}
		part = (struct gw_ast_range){ begin, i, r.optional };
		if (part.from == r.from && end)
			PUSH(p, s->term, s->n_terms, part);
		else
			add_term(p, s, part);
		begin = i + 1;
	}
}

/* --- SELECT, query ---------------------------------------------------------------------------------- */

static void add_rest(struct parse *p, struct gw_ast_select *s)
{
	struct gw_ast_range r = read_expression(p, s);

	PUSH(p, s->rest, s->n_rest, r);
}

static struct gw_ast_select *read_select(struct parse *p, struct gw_ast_query *q)
{
	struct gw_ast_select *s = bus_arena_zalloc(p->a->arena, sizeof(*s));

	s->query = q;
	if (take(p, "VALUES")) {
		give_up(p, "VALUES");
		return s;
	}
	if (!take(p, "SELECT")) {
		give_up(p, "a query");
		return s;
	}
	if (!take(p, "DISTINCT"))
		take(p, "ALL");
	read_items(p, s);
	if (take(p, "FROM"))
		read_from(p, s);
	if (take(p, "WHERE"))
		add_term(p, s, read_expression(p, s));
	if (take(p, "GROUP")) {
		take(p, "BY");
		do {
			struct gw_ast_range r = read_expression(p, s);

			PUSH(p, s->group, s->n_groups, r);
		} while (take(p, ","));
		s->aggregate = true;
	}
	if (take(p, "HAVING")) {
		add_rest(p, s);
		s->aggregate = true;
	}
	if (is(p, "WINDOW"))
		give_up(p, "WINDOW");
	return s;
}

static void read_with(struct parse *p, struct gw_ast_select *outer)
{
	take(p, "RECURSIVE");
	do {
		struct cte *c = bus_arena_zalloc(p->a->arena, sizeof(*c));
		const char **column = NULL;

		c->name = name_of(p, now(p));
		p->i++;
		if (take(p, "(")) {
			do {
				PUSH(p, column, c->n_columns, name_of(p, now(p)));
				p->i++;
			} while (take(p, ","));
			c->column = column;
			if (!take(p, ")"))
				give_up(p, "WITH");
		}
		take(p, "AS");
		if (take(p, "NOT") || is(p, "MATERIALIZED"))
			take(p, "MATERIALIZED");
		if (!is(p, "(")) {
			give_up(p, "WITH");
			return;
		}
		c->from = p->i + 1;
		p->i = behind_bracket(p->a, p->i, p->a->n_tokens - 1);
		c->to = p->i - 1;
		c->outer = outer;
		c->next = p->with;
		p->with = c;
	} while (take(p, ","));
}

static struct gw_ast_query *read_query(struct parse *p, enum gw_ast_role role, struct gw_ast_select *within,
				       struct gw_ast_select *outer)
{
	struct gw_ast_query *q = bus_arena_zalloc(p->a->arena, sizeof(*q));
	const struct cte *with = p->with;

	q->role = role;
	q->within = within;
	q->outer = outer;
	q->from = p->i;
	if (++p->depth > GW_AST_DEPTH_MAX)
		give_up(p, "nested too deep");
	if (take(p, "WITH"))
		read_with(p, outer);
	for (;;) {
		struct gw_ast_select *s = read_select(p, q);

		PUSH(p, q->select, q->n_selects, s);
		if (take(p, "UNION"))
			take(p, "ALL");
		else if (!take(p, "INTERSECT") && !take(p, "EXCEPT"))
			break;
	}
	if (take(p, "ORDER")) {
		take(p, "BY");
		do
			add_rest(p, q->select[q->n_selects - 1]);
		while (take(p, ","));
	}
	if (take(p, "LIMIT")) {
		q->limited = true;
		do
			add_rest(p, q->select[q->n_selects - 1]);
		while (take(p, ","));
	}
	q->to = p->i;
	p->with = with;
	p->depth--;
	return q;
}

static void read_tokens(struct gw_ast *a, const char *sql)
{
	struct gw_sql_token t;
	size_t n = 1;

	for (const char *p = gw_sql_next(sql, &t); t.kind != GW_SQL_END; p = gw_sql_next(p, &t))
		n++;
	/* One more at either end, so that looking one aside is no care. */
	a->token = (struct gw_sql_token *)bus_arena_zalloc(a->arena, (n + 3) * sizeof(*a->token)) + 1;
	for (const char *p = sql; a->n_tokens < n;)
		p = gw_sql_next(p, &a->token[a->n_tokens++]);
}

struct gw_ast *gw_ast_parse(const char *sql, const struct gw_world *world, struct bus_arena *arena)
{
	struct gw_ast *a = bus_arena_zalloc(arena, sizeof(*a));
	struct parse p = { .a = a };

	a->arena = arena;
	a->world = world;
	read_tokens(a, sql);
	a->top = read_query(&p, GW_AST_TOP, NULL, NULL);
	if (!a->why && now(&p)->kind != GW_SQL_END)
		a->why = "the end";
	if (!a->why)
		gw_ast_names(a);
	return a;
}
