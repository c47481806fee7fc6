/* Which source's column a name means. */
#include <strings.h>

#include "gateway/define/ast_impl.h"

#define ITEMS_MAX 8192 /* of one SELECT, its stars written out */

static size_t column_of(const struct gw_ast_source *x, const struct gw_sql_token *t)
{
	if (x->table) {
		for (size_t i = 0; i < x->table->n_columns; i++) {
			if (gw_sql_names(t, x->table->column[i].name))
				return i;
		}
		return SIZE_MAX;
	}
	for (size_t i = 0; i < x->query->n_columns; i++) {
		if (gw_sql_names(t, x->query->column[i]))
			return i;
	}
	if (x->query->n_columns > 0)
		return SIZE_MAX;
	for (size_t i = 0; i < x->query->select[0]->n_items; i++) {
		if (x->query->select[0]->item[i].name && gw_sql_names(t, x->query->select[0]->item[i].name))
			return i;
	}
	return SIZE_MAX;
}

struct gw_ast_node gw_ast_resolve(const struct gw_ast *a, const struct gw_ast_select *select, size_t from,
				  size_t to)
{
	const struct gw_sql_token *t = &a->token[from];
	const struct gw_sql_token *column = to - from == 3 && gw_sql_is(&t[1], ".") ? &t[2] : t;
	struct gw_ast_node found = { 0 };
	size_t at;

	if ((to - from != 1 && column == t) || !gw_sql_is_name(t))
		return found;
	for (const struct gw_ast_select *s = select; s && !found.source; s = s->query->outer) {
		for (size_t i = 0; i < s->n_sources; i++) {
			struct gw_ast_source *x = s->source[i];

			if (column != t && (!x->name || !gw_sql_names(t, x->name)))
				continue;
			at = column_of(x, column);
			if (at == SIZE_MAX)
				continue;
			if (found.source)
				return (struct gw_ast_node){ 0 }; /* two of that name */
			found = (struct gw_ast_node){ x, at };
		}
	}
	return found;
}

struct gw_ast_query *gw_ast_query_at(const struct gw_ast_select *select, size_t token)
{
	for (size_t i = 0; i < select->n_subs; i++) {
		if (select->sub[i]->from == token)
			return select->sub[i];
	}
	return NULL;
}

bool gw_ast_same(struct gw_ast_node a, struct gw_ast_node b)
{
	return a.source && a.source == b.source && a.column == b.column;
}

const char *gw_ast_column_name(struct gw_ast_node n)
{
	if (!n.source)
		return NULL;
	if (n.source->table)
		return n.source->table->column[n.column].name;
	if (n.column < n.source->query->n_columns)
		return n.source->query->column[n.column];
	return n.source->query->select[0]->item[n.column].name;
}

enum gw_type gw_ast_type(struct gw_ast_node n)
{
	for (int i = 0; i < GW_AST_DEPTH_MAX && n.source; i++) {
		if (n.source->table)
			return n.source->table->column[n.column].type;
		if (n.column >= n.source->query->select[0]->n_items)
			break;
		n = n.source->query->select[0]->item[n.column].node;
	}
	return GW_NULL;
}

static bool same_tokens(const struct gw_ast *a, size_t from, size_t to, size_t other, size_t end)
{
	if (to - from != end - other)
		return false;
	for (size_t i = 0; i < to - from; i++) {
		const struct gw_sql_token *x = &a->token[from + i], *y = &a->token[other + i];

		if (x->kind != y->kind || x->text.n != y->text.n ||
		    (x->kind == GW_SQL_STRING ? memcmp(x->text.p, y->text.p, x->text.n)
					      : strncasecmp(x->text.p, y->text.p, x->text.n)) != 0)
			return false;
	}
	return true;
}

bool gw_ast_is_grouped(const struct gw_ast *a, const struct gw_ast_select *s, size_t item)
{
	const struct gw_ast_item *x = &s->item[item];

	if (!s->aggregate)
		return true;
	for (size_t i = 0; i < s->n_groups; i++) {
		const struct gw_ast_range *g = &s->group[i];
		const struct gw_sql_token *t = &a->token[g->from];
		struct gw_ast_node n = gw_ast_resolve(a, s, g->from, g->to);

		if (n.source ? gw_ast_same(n, x->node) : same_tokens(a, g->from, g->to, x->from, x->to))
			return true;
		if (g->to - g->from != 1)
			continue;
		if (t->kind == GW_SQL_NUMBER && (size_t)strtoul(t->text.p, NULL, 10) == item + 1)
			return true;
		if (!n.source && x->name && gw_sql_names(t, x->name))
			return true;
	}
	return false;
}

struct gw_ast_node gw_ast_through(const struct gw_ast *a, const struct gw_ast_select *s, size_t column)
{
	if (column >= s->n_items || !gw_ast_is_grouped(a, s, column))
		return (struct gw_ast_node){ 0 };
	return s->item[column].node;
}

/* --- after reading ---------------------------------------------------------------------------------- */

static size_t n_columns_of(const struct gw_ast_source *x)
{
	return x->table ? x->table->n_columns : x->query->select[0]->n_items;
}

/* `*` and `t.*` become the columns they stand for. */
static void expand_stars(struct gw_ast *a, struct gw_ast_select *s)
{
	struct gw_ast_item *all;
	size_t n = 0, room = s->n_items;

	for (size_t i = 0; i < s->n_sources; i++)
		room += s->n_items * n_columns_of(s->source[i]);
	if (room > ITEMS_MAX) {
		a->why = "too many columns";
		return;
	}
	all = bus_arena_zalloc(a->arena, (room + 1) * sizeof(*all));
	for (size_t i = 0; i < s->n_items; i++) {
		const struct gw_ast_item *x = &s->item[i];
		const struct gw_sql_token *t = &a->token[x->from];
		bool all_of = x->to - x->from == 1 && gw_sql_is(t, "*");
		bool one_of = x->to - x->from == 3 && gw_sql_is(&t[1], ".") && gw_sql_is(&t[2], "*");

		if (!all_of && !one_of) {
			all[n++] = *x;
			continue;
		}
		for (size_t k = 0; k < s->n_sources; k++) {
			struct gw_ast_source *from = s->source[k];

			if (one_of && (!from->name || !gw_sql_names(t, from->name)))
				continue;
			for (size_t c = 0; c < n_columns_of(from); c++) {
				struct gw_ast_node node = { from, c };

				all[n++] = (struct gw_ast_item){ .from = x->from,
								 .to = x->from,
								 .name = gw_ast_column_name(node),
								 .node = node };
			}
		}
	}
	s->item = all;
	s->n_items = n;
}

static void name_items(struct gw_ast *a, struct gw_ast_select *s)
{
	for (size_t i = 0; i < s->n_items; i++) {
		struct gw_ast_item *x = &s->item[i];

		if (x->to > x->from)
			x->node = gw_ast_resolve(a, s, x->from, x->to);
		if (!x->name)
			x->name = gw_ast_column_name(x->node);
	}
}

/* The IN's right side, as a source of one column. */
static struct gw_ast_source *in_source(struct gw_ast *a, struct gw_ast_select *s, size_t bracket, size_t end)
{
	struct gw_ast_query *q = gw_ast_query_at(s, bracket + 1);

	if (!q || q->to + 1 != end || a->n_sources == GW_AST_SOURCES_MAX)
		return NULL;
	if (!q->as) {
		q->as = bus_arena_zalloc(a->arena, sizeof(*q->as));
		*q->as = (struct gw_ast_source){ .query = q, .select = s, .id = a->n_sources };
		a->source[a->n_sources++] = q->as;
	}
	return q->as;
}

static void find_equals(struct gw_ast *a, struct gw_ast_select *s)
{
	s->equal = bus_arena_zalloc(a->arena, (s->n_terms + 1) * sizeof(*s->equal));
	for (size_t i = 0; i < s->n_terms; i++) {
		const struct gw_ast_range *r = &s->term[i];
		struct gw_ast_equal e = { .optional = r->optional };
		const struct gw_sql_token *t = a->token;
		size_t at = 0;

		for (size_t k = r->from; k < r->to && !at; k++) {
			if (gw_sql_is(&t[k], "("))
				k = t[k].pair;
			else if (gw_sql_is(&t[k], "=") || gw_sql_is(&t[k], "==") || gw_sql_is(&t[k], "IN"))
				at = k;
		}
		if (!at)
			continue;
		e.a = gw_ast_resolve(a, s, r->from, at);
		if (gw_sql_is(&t[at], "IN"))
			e.b = (struct gw_ast_node){ in_source(a, s, at + 1, r->to), 0 };
		else
			e.b = gw_ast_resolve(a, s, at + 1, r->to);
		/* Values of two types may be equal and yet be written otherwise. */
		if (e.a.source && e.b.source && gw_ast_type(e.a) == gw_ast_type(e.b) &&
		    gw_ast_type(e.a) != GW_NULL)
			s->equal[s->n_equals++] = e;
	}
}

static void name_query(struct gw_ast *a, struct gw_ast_query *q);

static void name_select(struct gw_ast *a, struct gw_ast_select *s)
{
	for (size_t i = 0; i < s->n_sources; i++) {
		if (s->source[i]->query)
			name_query(a, s->source[i]->query);
	}
	expand_stars(a, s);
	name_items(a, s);
	for (size_t i = 0; i < s->n_subs; i++)
		name_query(a, s->sub[i]);
	find_equals(a, s);
}

static void name_query(struct gw_ast *a, struct gw_ast_query *q)
{
	for (size_t i = 0; i < q->n_selects; i++)
		name_select(a, q->select[i]);
}

void gw_ast_names(struct gw_ast *a)
{
	name_query(a, a->top);
}
