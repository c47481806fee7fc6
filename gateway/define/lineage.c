#include "gateway/define/lineage.h"

#define STACK_MAX 16 /* views over views */

struct walk {
	const struct gw_ast *a;
	struct gw_lineage *out;
	int depth;
};

void gw_lineage_add(struct gw_lineage *l, struct gw_source s)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->source[i].table == s.table && l->source[i].column == s.column) {
			l->source[i].summed &= s.summed;
			return;
		}
	}
	if (l->n < GW_SOURCES_MAX)
		l->source[l->n++] = s;
	else
		l->unknown = true;
}

static void walk_item(struct walk *w, const struct gw_ast_select *s, size_t item, bool summed);

static void walk_node(struct walk *w, struct gw_ast_node n, bool summed)
{
	if (n.source->table) {
		gw_lineage_add(w->out, (struct gw_source){ n.source->table, n.column, summed });
		return;
	}
	for (size_t i = 0; i < n.source->query->n_selects; i++)
		walk_item(w, n.source->query->select[i], n.column, summed);
}

static void walk_tokens(struct walk *w, const struct gw_ast_select *s, size_t from, size_t to, bool summed)
{
	const struct gw_sql_token *t = w->a->token;
	const struct gw_ast_query *q;
	struct gw_ast_node n;
	size_t len;

	for (size_t i = from; i < to; i++) {
		enum gw_fun call = gw_sql_call(t, i);

		if (gw_sql_is(&t[i], "(") && (q = gw_ast_query_at(s, i + 1))) {
			if (!gw_sql_is(&t[i - 1], "EXISTS") && !gw_sql_is(&t[i - 1], "IN")) {
				for (size_t k = 0; k < q->n_selects; k++)
					walk_item(w, q->select[k], 0, summed);
			}
			i = q->to;
			continue;
		}
		if (!gw_sql_is_name(&t[i]))
			continue;
		if (gw_sql_is(&t[i + 1], "(") && (gw_sql_is(&t[i], "FILTER") || gw_sql_is(&t[i], "OVER"))) {
			i = t[i + 1].pair; /* which rows, not what value */
			continue;
		}
		if (call == GW_FUN_COUNT || call == GW_FUN_SUM) {
			if (call == GW_FUN_SUM)
				walk_tokens(w, s, i + 2, t[i + 1].pair, true);
			else
				w->out->counted = true;
			i = t[i + 1].pair;
			continue;
		}
		len = gw_sql_is(&t[i + 1], ".") ? 3 : 1;
		if (i + len > to)
			break;
		n = gw_ast_resolve(w->a, s, i, i + len);
		if (n.source)
			walk_node(w, n, summed);
		else
			w->out->unknown |= !gw_sql_is_keyword(&t[i]) && !gw_sql_is(&t[i + 1], "(");
		i += len - 1;
	}
}

static void walk_item(struct walk *w, const struct gw_ast_select *s, size_t item, bool summed)
{
	const struct gw_ast_item *x;

	if (item >= s->n_items || w->depth == GW_AST_DEPTH_MAX) {
		w->out->unknown = true;
		return;
	}
	w->depth++;
	x = &s->item[item];
	if (x->node.source)
		walk_node(w, x->node, summed);
	else
		walk_tokens(w, s, x->from, x->to, summed);
	w->depth--;
}

/* --- all that counts ------------------------------------------------------------------------------------ */

static void need_query(struct walk *w, const struct gw_ast_query *q, bool items);

/* Names in the range, and everything in its sub-queries. */
static void need_range(struct walk *w, const struct gw_ast_select *s, size_t from, size_t to)
{
	const struct gw_sql_token *t = w->a->token;
	const struct gw_ast_query *q;
	struct gw_ast_node n;
	size_t len;

	for (size_t i = from; i < to; i++) {
		if (gw_sql_is(&t[i], "(") && (q = gw_ast_query_at(s, i + 1))) {
			need_query(w, q, true);
			i = q->to;
			continue;
		}
		if (!gw_sql_is_name(&t[i]) || gw_sql_is(&t[i + 1], "("))
			continue;
		len = gw_sql_is(&t[i + 1], ".") ? 3 : 1;
		if (i + len > to)
			break;
		n = gw_ast_resolve(w->a, s, i, i + len);
		if (n.source)
			walk_node(w, n, false);
		i += len - 1;
	}
}

/* What decides the query's rows; and, if asked, its outputs. */
static void need_query(struct walk *w, const struct gw_ast_query *q, bool items)
{
	if (++w->depth > GW_AST_DEPTH_MAX)
		return;
	for (size_t k = 0; k < q->n_selects; k++) {
		const struct gw_ast_select *s = q->select[k];

		for (size_t i = 0; i < s->n_items && items; i++) {
			if (s->item[i].node.source)
				walk_node(w, s->item[i].node, false);
			else
				need_range(w, s, s->item[i].from, s->item[i].to);
		}
		for (size_t i = 0; i < s->n_terms; i++)
			need_range(w, s, s->term[i].from, s->term[i].to);
		for (size_t i = 0; i < s->n_groups; i++)
			need_range(w, s, s->group[i].from, s->group[i].to);
		for (size_t i = 0; i < s->n_tail; i++)
			need_range(w, s, s->tail[i].from, s->tail[i].to);
		for (size_t i = 0; i < s->n_sources; i++) {
			if (s->source[i]->query)
				need_query(w, s->source[i]->query, false);
		}
	}
	w->depth--;
}

static void need_item(struct walk *w, size_t column)
{
	for (size_t i = 0; i < w->a->top->n_selects; i++) {
		const struct gw_ast_select *s = w->a->top->select[i];

		if (column >= s->n_items)
			continue;
		if (s->item[column].node.source)
			walk_node(w, s->item[column].node, false);
		else
			need_range(w, s, s->item[column].from, s->item[column].to);
	}
}

void gw_lineage_needs(const struct gw_ast *a, size_t column, size_t key, struct gw_lineage *out)
{
	struct walk w = { a, out, 0 };

	memset(out, 0, sizeof(*out));
	if (a->why)
		return;
	need_item(&w, column == GW_LINEAGE_ROWS ? key : column);
	if (column == GW_LINEAGE_ROWS)
		need_query(&w, a->top, false);
}

/* A column that is another's, untouched, all the way down. */
static bool is_copy(struct gw_ast_node n)
{
	for (int i = 0; i < GW_AST_DEPTH_MAX && n.source; i++) {
		if (n.source->table)
			return true;
		if (n.source->query->n_selects != 1 || n.column >= n.source->query->select[0]->n_items)
			return false;
		n = n.source->query->select[0]->item[n.column].node;
	}
	return false;
}

void gw_lineage_of(const struct gw_ast *a, size_t column, struct gw_lineage *out)
{
	struct walk w = { a, out, 0 };

	memset(out, 0, sizeof(*out));
	out->computed = true;
	out->unknown = a->why != NULL;
	if (a->why)
		return;
	for (size_t i = 0; i < a->top->n_selects; i++)
		walk_item(&w, a->top->select[i], column, false);
	out->computed = a->top->n_selects != 1 || column >= a->top->select[0]->n_items ||
			!is_copy(a->top->select[0]->item[column].node);
}

bool gw_lineage_declared(const struct gw_world *w, const char *name, struct gw_source *out)
{
	const char *dot = strchr(name, '.');
	char table[80];
	int column;

	if (!dot || (size_t)(dot - name) >= sizeof(table))
		return false;
	memcpy(table, name, (size_t)(dot - name));
	table[dot - name] = '\0';
	out->table = gw_world_find(w, table);
	column = out->table ? gw_world_column(out->table, dot + 1) : -1;
	out->column = column < 0 ? 0 : (size_t)column;
	out->summed = false;
	return column >= 0;
}

static int column_named(const struct gw_view *v, const char *name)
{
	for (size_t i = 0; i < v->n_columns; i++) {
		if (strcmp(v->column[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

/* What the view's SELECT gives under that name. */
static size_t output_at(const struct gw_ast *a, const struct gw_def *d, const char *name)
{
	const struct gw_ast_select *s = a->top->select[0];

	for (size_t i = 0; i < s->n_items; i++) {
		if (s->item[i].name && strcmp(s->item[i].name, name) == 0)
			return i;
	}
	return d->pub.n_columns;
}

static void deeper(const struct gw_world *w, struct gw_source s, struct gw_lineage *out, int depth)
{
	const struct gw_def *d = s.table->def;
	struct gw_lineage inner = { 0 };
	struct bus_arena *arena;
	const char *name;
	struct gw_ast *a;
	int column;

	if (!d || depth == STACK_MAX) {
		gw_lineage_add(out, s);
		return;
	}
	name = s.table->column[s.column].name;
	column = column_named(&d->pub, name);
	arena = bus_arena_new(0);
	a = gw_ast_parse(d->body, w, arena);
	if (!a->why)
		gw_lineage_of(a, output_at(a, d, name), &inner);
	for (size_t i = 0; column >= 0 && i < d->pub.column[column].n_from; i++) {
		struct gw_source declared;

		if (gw_lineage_declared(w, d->pub.column[column].from[i], &declared))
			gw_lineage_add(&inner, declared);
	}
	for (size_t i = 0; i < inner.n; i++) {
		inner.source[i].summed |= s.summed;
		deeper(w, inner.source[i], out, depth + 1);
	}
	bus_arena_free(&arena);
}

void gw_lineage_deep(const struct gw_world *w, const struct gw_lineage *of, struct gw_lineage *out)
{
	memset(out, 0, sizeof(*out));
	out->computed = of->computed;
	for (size_t i = 0; i < of->n; i++)
		deeper(w, of->source[i], out, 0);
}
