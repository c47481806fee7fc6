/* gw_ast_parse: queries, SELECTs, sources. Names are resolved in ast_names.c. */
#include "gateway/define/ast_impl.h"

void gw_ast_give_up(struct gw_ast_parse *p, const char *why)
{
	if (!p->a->why)
		p->a->why = why;
	p->i = p->a->n_tokens - 1;
}

void *gw_ast_grown(struct gw_ast_parse *p, void *array, size_t n, size_t size)
{
	void *more;

	if ((n & (n - 1)) != 0)
		return array;
	more = bus_arena_zalloc(p->a->arena, (n ? n * 2 : 1) * size);
	if (n)
		memcpy(more, array, n * size);
	return more;
}

const char *gw_ast_name(struct gw_ast_parse *p, const struct gw_sql_token *t)
{
	return bus_arena_dup(p->a->arena, t->text.p, t->text.n);
}

bool gw_ast_opens_query(const struct gw_ast_parse *p, size_t i)
{
	const struct gw_sql_token *t = &p->a->token[i];

	return gw_sql_is(t, "SELECT") || gw_sql_is(t, "WITH") || gw_sql_is(t, "VALUES");
}

/* --- FROM ------------------------------------------------------------------------------------------- */

static struct gw_ast_source *add_source(struct gw_ast_parse *p, struct gw_ast_select *s)
{
	struct gw_ast_source *x = bus_arena_zalloc(p->a->arena, sizeof(*x));

	if (p->a->n_sources == GW_AST_SOURCES_MAX) {
		gw_ast_give_up(p, "too many tables");
		return x;
	}
	x->id = p->a->n_sources;
	x->select = s;
	p->a->source[p->a->n_sources++] = x;
	return x;
}

static const struct gw_ast_with *find_cte(const struct gw_ast_parse *p, const struct gw_sql_token *t)
{
	for (const struct gw_ast_with *c = p->with; c; c = c->next) {
		if (gw_sql_names(t, c->name))
			return c;
	}
	return NULL;
}

/* A WITH's query where it is used: read again, so that each use has sources of its own. */
static void use_cte(struct gw_ast_parse *p, struct gw_ast_select *s, struct gw_ast_source *x,
		    const struct gw_ast_with *c)
{
	const struct gw_ast_with *with = p->with;
	size_t back = p->i;

	p->i = c->from;
	p->with = c->next;
	x->query = gw_ast_read_query(p, GW_AST_FROM, s, c->outer);
	x->query->as = x;
	x->with = true;
	x->query->column = c->column;
	x->query->n_columns = c->n_columns;
	p->with = with;
	if (!p->a->why)
		p->i = back;
}

static struct gw_ast_source *read_source(struct gw_ast_parse *p, struct gw_ast_select *s)
{
	struct gw_ast_source *x = add_source(p, s);

	x->from = p->i;
	if (gw_ast_take(p, "(")) {
		if (!gw_ast_opens_query(p, p->i)) {
			gw_ast_give_up(p, "a join in brackets");
			return x;
		}
		x->query = gw_ast_read_query(p, GW_AST_FROM, s, s->query->outer);
		x->query->as = x;
		if (!gw_ast_take(p, ")"))
			gw_ast_give_up(p, "a sub-query");
	} else if (gw_sql_is_name(gw_ast_now(p))) {
		const struct gw_sql_token *t = gw_ast_now(p);
		const struct gw_ast_with *c = find_cte(p, t);

		p->i++;
		x->name = gw_ast_name(p, t);
		if (gw_ast_is(p, "(") || gw_ast_is(p, "."))
			gw_ast_give_up(p, "a function or another database in FROM");
		else if (c)
			use_cte(p, s, x, c);
		else if (p->a->world && !(x->table = gw_world_find(p->a->world, x->name)))
			gw_ast_give_up(p, "a table that is not known");
	} else {
		gw_ast_give_up(p, "FROM");
	}
	if (gw_ast_take(p, "AS") ||
	    (gw_sql_is_name(gw_ast_now(p)) && !gw_ast_ends_expression(p) && !gw_ast_is(p, "ON") &&
	     !gw_ast_is(p, "USING") && !gw_ast_is(p, "NOT") && !gw_ast_is(p, "INDEXED"))) {
		x->name = gw_ast_name(p, gw_ast_now(p));
		p->i++;
	}
	x->to = p->i;
	if (gw_ast_is(p, "INDEXED") || gw_ast_is(p, "NOT"))
		gw_ast_give_up(p, "INDEXED BY");
	return x;
}

static void read_from(struct gw_ast_parse *p, struct gw_ast_select *s)
{
	bool left = false;

	for (;;) {
		struct gw_ast_source *x = read_source(p, s);

		GW_AST_PUSH(p, s->source, s->n_sources, x);
		if (gw_ast_take(p, "ON")) {
			struct gw_ast_range r = gw_ast_read_expression(p, s);

			r.optional = left ? x : NULL;
			gw_ast_add_terms(p, s, r);
		} else if (gw_ast_is(p, "USING")) {
			gw_ast_give_up(p, "USING");
		}
		left = false;
		if (gw_ast_take(p, ","))
			continue;
		if (gw_ast_is(p, "NATURAL"))
			gw_ast_give_up(p, "a NATURAL join");
		if (gw_ast_is(p, "RIGHT") || gw_ast_is(p, "FULL")) {
			s->outer_join = true;
			p->i++;
			gw_ast_take(p, "OUTER");
		} else if (gw_ast_take(p, "LEFT")) {
			left = true;
			gw_ast_take(p, "OUTER");
		} else if (!gw_ast_take(p, "INNER")) {
			gw_ast_take(p, "CROSS");
		}
		if (!gw_ast_take(p, "JOIN"))
			return;
	}
}

/* --- SELECT, query ---------------------------------------------------------------------------------- */

static void add_tail(struct gw_ast_parse *p, struct gw_ast_select *s)
{
	struct gw_ast_range r = gw_ast_read_expression(p, s);

	GW_AST_PUSH(p, s->tail, s->n_tail, r);
}

static struct gw_ast_select *read_select(struct gw_ast_parse *p, struct gw_ast_query *q)
{
	struct gw_ast_select *s = bus_arena_zalloc(p->a->arena, sizeof(*s));

	s->query = q;
	if (gw_ast_take(p, "VALUES")) {
		gw_ast_give_up(p, "VALUES");
		return s;
	}
	if (!gw_ast_take(p, "SELECT")) {
		gw_ast_give_up(p, "a query");
		return s;
	}
	s->from = p->i - 1;
	s->distinct = gw_ast_take(p, "DISTINCT");
	if (!s->distinct)
		gw_ast_take(p, "ALL");
	gw_ast_read_items(p, s);
	s->end = p->i;
	if (gw_ast_take(p, "FROM"))
		read_from(p, s);
	s->rest = p->i;
	if (gw_ast_take(p, "WHERE")) {
		s->where = gw_ast_read_expression(p, s);
		gw_ast_add_terms(p, s, s->where);
	}
	if (gw_ast_take(p, "GROUP")) {
		gw_ast_take(p, "BY");
		do {
			struct gw_ast_range r = gw_ast_read_expression(p, s);

			GW_AST_PUSH(p, s->group, s->n_groups, r);
		} while (gw_ast_take(p, ","));
		s->aggregate = true;
	}
	if (gw_ast_take(p, "HAVING")) {
		add_tail(p, s);
		s->having = s->tail[0];
		s->aggregate = true;
	}
	if (gw_ast_is(p, "WINDOW"))
		gw_ast_give_up(p, "WINDOW");
	s->to = p->i;
	return s;
}

static void read_with(struct gw_ast_parse *p, struct gw_ast_select *outer)
{
	gw_ast_take(p, "RECURSIVE");
	do {
		struct gw_ast_with *c = bus_arena_zalloc(p->a->arena, sizeof(*c));
		const char **column = NULL;

		c->name = gw_ast_name(p, gw_ast_now(p));
		p->i++;
		if (gw_ast_take(p, "(")) {
			do {
				GW_AST_PUSH(p, column, c->n_columns, gw_ast_name(p, gw_ast_now(p)));
				p->i++;
			} while (gw_ast_take(p, ","));
			c->column = column;
			if (!gw_ast_take(p, ")"))
				gw_ast_give_up(p, "WITH");
		}
		gw_ast_take(p, "AS");
		if (gw_ast_take(p, "NOT") || gw_ast_is(p, "MATERIALIZED"))
			gw_ast_take(p, "MATERIALIZED");
		if (!gw_ast_is(p, "(")) {
			gw_ast_give_up(p, "WITH");
			return;
		}
		c->from = p->i + 1;
		p->i = gw_ast_now(p)->pair;
		gw_ast_take(p, ")");
		c->outer = outer;
		c->next = p->with;
		p->with = c;
	} while (gw_ast_take(p, ","));
}

struct gw_ast_query *gw_ast_read_query(struct gw_ast_parse *p, enum gw_ast_role role,
				       struct gw_ast_select *within, struct gw_ast_select *outer)
{
	struct gw_ast_query *q = bus_arena_zalloc(p->a->arena, sizeof(*q));
	const struct gw_ast_with *with = p->with;

	q->role = role;
	q->within = within;
	q->outer = outer;
	q->from = p->i;
	if (++p->depth > GW_AST_DEPTH_MAX)
		gw_ast_give_up(p, "nested too deep");
	if (gw_ast_take(p, "WITH"))
		read_with(p, outer);
	for (;;) {
		struct gw_ast_select *s = read_select(p, q);

		GW_AST_PUSH(p, q->select, q->n_selects, s);
		if (gw_ast_take(p, "UNION"))
			gw_ast_take(p, "ALL");
		else if (!gw_ast_take(p, "INTERSECT") && !gw_ast_take(p, "EXCEPT"))
			break;
	}
	q->tail = p->i;
	if (gw_ast_take(p, "ORDER")) {
		gw_ast_take(p, "BY");
		do
			add_tail(p, q->select[q->n_selects - 1]);
		while (gw_ast_take(p, ","));
	}
	if (gw_ast_take(p, "LIMIT")) {
		q->limited = true;
		do
			add_tail(p, q->select[q->n_selects - 1]);
		while (gw_ast_take(p, ","));
	}
	q->to = p->i;
	p->with = with;
	p->depth--;
	return q;
}

struct gw_ast *gw_ast_parse(const char *sql, const struct gw_world *world, struct bus_arena *arena)
{
	struct gw_ast *a = bus_arena_zalloc(arena, sizeof(*a));
	struct gw_ast_parse p = { .a = a };

	a->arena = arena;
	a->world = world;
	a->token = gw_sql_scan(sql, arena, &a->n_tokens);
	a->top = gw_ast_read_query(&p, GW_AST_TOP, NULL, NULL);
	if (!a->why && gw_ast_now(&p)->kind != GW_SQL_END)
		a->why = "the end";
	if (!a->why && world)
		gw_ast_names(a);
	return a;
}
