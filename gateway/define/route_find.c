#include "gateway/define/route_find.h"

#include <stdio.h>
#include <strings.h>

#include "bus/buf.h"

#define HOPS_MAX 3	 /* look-ups on the way from a row to a key */
#define PARAMETERS_MAX 8 /* of a route; as the engine takes (engine/core.h) */

/* What holds whenever a row of `row` plays a part in the view's rows, as it was before or is after a change. */
struct find {
	const struct gw_ast *a;
	struct gw_ast_source *row;
	const struct gw_ast_select *path[GW_AST_DEPTH_MAX]; /* from the row's SELECT up to the view's */
	size_t n_path;
	bool real[GW_AST_SOURCES_MAX]; /* sources with a row, not the nulls of a LEFT JOIN */
	size_t base[GW_AST_SOURCES_MAX + 1];
	size_t *parent; /* union-find over columns of sources */
	struct gw_ast_source *hop[HOPS_MAX];
	size_t n_hops;
};

/* --- equalities ------------------------------------------------------------------------------------- */

static size_t node_at(const struct find *f, struct gw_ast_node n)
{
	return f->base[n.source->id] + n.column;
}

static size_t root(struct find *f, size_t i)
{
	while (f->parent[i] != i)
		i = f->parent[i] = f->parent[f->parent[i]];
	return i;
}

static bool joined(struct find *f, struct gw_ast_node x, struct gw_ast_node y)
{
	return x.source && y.source && root(f, node_at(f, x)) == root(f, node_at(f, y));
}

static void join(struct find *f, struct gw_ast_node x, struct gw_ast_node y)
{
	f->parent[root(f, node_at(f, x))] = root(f, node_at(f, y));
}

static size_t width(const struct gw_ast_source *s)
{
	size_t n = s->query ? s->query->n_columns : s->table->n_columns;

	for (size_t i = 0; s->query && i < s->query->n_selects; i++)
		n = s->query->select[i]->n_items > n ? s->query->select[i]->n_items : n;
	return n;
}

/* The way up from the row, and whether it can be walked at all. */
static enum gw_route_why climb(struct find *f)
{
	const struct gw_ast_select *s = f->row->select;

	while (s && f->n_path < GW_AST_DEPTH_MAX) {
		const struct gw_ast_query *q = s->query;

		f->path[f->n_path++] = s;
		if (s->outer_join)
			return GW_ROUTE_OUTER;
		if (q->role != GW_AST_EXPRESSION && q->limited)
			return GW_ROUTE_LIMIT;
		if (q->role != GW_AST_EXPRESSION && s->window)
			return GW_ROUTE_WINDOW;
		s = q->within;
	}
	return GW_ROUTE_FOUND;
}

/* A sub-query's columns are what its SELECT on the way says they are. */
static void link_up(struct find *f)
{
	for (size_t i = 0; i < f->n_path; i++) {
		const struct gw_ast_select *s = f->path[i];
		struct gw_ast_source *as = s->query->as;

		if (!as)
			continue;
		f->real[as->id] = true;
		if (s->query->limited || s->window)
			continue;
		for (size_t k = 0; k < s->n_items; k++) {
			struct gw_ast_node inner = gw_ast_through(f->a, s, k), outer = { as, k };

			if (inner.source && gw_ast_type(inner) == gw_ast_type(outer))
				join(f, outer, inner);
		}
	}
}

/* Conditions that must hold: of WHERE and of inner joins; of a LEFT JOIN once its right side is known to have a row. A
 * true equality shows that both its sides have one. */
static void hold(struct find *f)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < f->n_path; i++) {
			for (size_t k = 0; k < f->path[i]->n_equals; k++) {
				const struct gw_ast_equal *e = &f->path[i]->equal[k];

				if (e->optional && !f->real[e->optional->id])
					continue;
				more |= !joined(f, e->a, e->b) || !f->real[e->a.source->id] ||
					!f->real[e->b.source->id];
				join(f, e->a, e->b);
				f->real[e->a.source->id] = f->real[e->b.source->id] = true;
			}
		}
	}
}

static enum gw_route_why prepare(struct find *f)
{
	enum gw_route_why why = climb(f);
	size_t n = 0;

	for (size_t i = 0; i < f->a->n_sources; i++) {
		f->base[i] = n;
		n += width(f->a->source[i]);
	}
	f->parent = bus_arena_alloc(f->a->arena, (n + 1) * sizeof(*f->parent));
	for (size_t i = 0; i < n; i++)
		f->parent[i] = i;
	f->real[f->row->id] = true;
	if (why == GW_ROUTE_FOUND) {
		link_up(f);
		hold(f);
	}
	return why;
}

/* --- the key, as said by columns of one source -------------------------------------------------------- */

static int column_equal_to(struct find *f, struct gw_ast_source *s, struct gw_ast_node n)
{
	for (size_t c = 0; c < width(s); c++) {
		if (joined(f, n, (struct gw_ast_node){ s, c }))
			return (int)c;
	}
	return -1;
}

/* The expression [from, to) with columns of s instead of those it names; before: what stands before a column's name.
 * False: it needs more than s has. */
static bool rewrite(struct find *f, const struct gw_ast_select *top, const struct gw_ast_item *key,
		    struct gw_ast_source *s, const char *before, const char *after, struct bus_buf *out)
{
	const struct gw_sql_token *t = f->a->token;
	const char *done = t[key->from].at;
	struct gw_ast_node n;

	for (size_t i = key->from; i < key->to; i++) {
		size_t len = gw_sql_is(&t[i + 1], ".") ? 3 : 1;
		int column;

		if (gw_sql_is(&t[i], "SELECT") || t[i].kind == GW_SQL_PARAM)
			return false;
		if (!gw_sql_is_name(&t[i]) || gw_sql_is(&t[i + 1], "(") || i + len > key->to)
			continue;
		n = gw_ast_resolve(f->a, top, i, i + len);
		if (!n.source)
			continue; /* a word of SQL: SQLite knew it */
		column = column_equal_to(f, s, n);
		if (column < 0)
			return false;
		bus_buf_put(out, done, (size_t)(t[i].at - done));
		bus_buf_printf(out, "%s%s%s", before,
			       gw_ast_column_name((struct gw_ast_node){ s, (size_t)column }), after);
		done = t[i + len - 1].end;
		i += len - 1;
	}
	bus_buf_put(out, done, (size_t)(t[key->to - 1].end - done));
	return true;
}

/* The key in terms of s: SQL text into out; a plain column of s: its number, else -1. */
static bool key_of(struct find *f, size_t key, struct gw_ast_source *s, const char *before, const char *after,
		   struct bus_buf *out, int *column)
{
	const struct gw_ast_select *top = f->path[f->n_path - 1];
	const struct gw_ast_item *item = &top->item[key];

	*column = -1;
	bus_buf_reset(out);
	if (!item->node.source)
		return rewrite(f, top, item, s, before, after, out);
	*column = column_equal_to(f, s, item->node);
	if (*column >= 0)
		bus_buf_printf(out, "%s%s%s", before,
			       gw_ast_column_name((struct gw_ast_node){ s, (size_t)*column }), after);
	return *column >= 0;
}

/* --- look-ups on the way ------------------------------------------------------------------------------ */

static const char *column_name(struct gw_ast_source *s, int column)
{
	return gw_ast_column_name((struct gw_ast_node){ s, (size_t)column });
}

/* A table, or a sub-query in FROM that can stand alone, of named columns. */
static bool can_hop(const struct find *f, const struct gw_ast_source *s)
{
	if (s->table)
		return true;
	if (!s->query || s->query->role != GW_AST_FROM || s->query->outer)
		return false;
	for (size_t i = 0; i < f->n_path; i++) {
		if (f->path[i]->query == s->query) /* what it gave is changed by the row itself */
			return false;
	}
	for (size_t i = 0; i < f->a->n_sources; i++) {
		if (f->a->source[i]->with) /* its text may call names of WITH */
			return false;
	}
	for (size_t i = 0; i < s->query->select[0]->n_items; i++) {
		if (!s->query->select[0]->item[i].name)
			return false;
	}
	return true;
}

static bool on_path(const struct find *f, const struct gw_ast_select *s)
{
	for (size_t i = 0; i < f->n_path; i++) {
		if (f->path[i] == s)
			return true;
	}
	return false;
}

/* Equalities between p and what is known after `hops` look-ups, as SQL; 0: none. */
static size_t put_joins(struct find *f, struct gw_ast_source *p, size_t hops, size_t at, struct bus_buf *out)
{
	size_t n = 0;

	for (size_t c = 0; c < width(p); c++) {
		struct gw_ast_node y = { p, c };
		const char *name = gw_ast_column_name(y);
		int x = column_equal_to(f, f->row, y);

		if (x >= 0) {
			if (out)
				bus_buf_printf(out, "%st%zu.\"%s\" = :%s", n ? " AND " : "", at, name,
					       column_name(f->row, x));
			n++;
			continue;
		}
		for (size_t h = 0; h < hops; h++) {
			x = column_equal_to(f, f->hop[h], y);
			if (x < 0)
				continue;
			if (out)
				bus_buf_printf(out, "%st%zu.\"%s\" = t%zu.\"%s\"", n ? " AND " : "", at, name,
					       h + 1, column_name(f->hop[h], x));
			n++;
			break;
		}
	}
	return n;
}

static bool is_hop(const struct find *f, const struct gw_ast_source *s)
{
	for (size_t i = 0; i < f->n_hops; i++) {
		if (f->hop[i] == s)
			return true;
	}
	return false;
}

/* SELECT key FROM p1 t1 JOIN p2 t2 ON ... WHERE t1.y = :x */
static void put_look_up(struct find *f, const char *key, struct bus_buf *out)
{
	bus_buf_printf(out, "SELECT DISTINCT %s FROM ", key);
	for (size_t h = 0; h < f->n_hops; h++) {
		const struct gw_ast_query *q = f->hop[h]->query;
		const struct gw_sql_token *t = f->a->token;

		bus_buf_puts(out, h ? ", " : "");
		if (q)
			bus_buf_printf(out, "(%.*s)", (int)(t[q->to - 1].end - t[q->from].at), t[q->from].at);
		else
			bus_buf_printf(out, "\"%s\"", f->hop[h]->table->name);
		bus_buf_printf(out, " t%zu", h + 1);
	}
	for (size_t h = 0; h < f->n_hops; h++) {
		bus_buf_puts(out, h ? " AND " : " WHERE ");
		put_joins(f, f->hop[h], h, h + 1, out);
	}
}

static bool look_up(struct find *f, size_t key, struct bus_buf *out)
{
	struct bus_buf text = { 0 };
	char before[16];
	bool found = false;
	int column;

	while (!found && f->n_hops < HOPS_MAX) {
		size_t had = f->n_hops;

		for (size_t i = 0; i < f->a->n_sources && f->n_hops < HOPS_MAX && !found; i++) {
			struct gw_ast_source *p = f->a->source[i];

			if (!can_hop(f, p) || p == f->row || !f->real[i] || !on_path(f, p->select) ||
			    is_hop(f, p) || put_joins(f, p, had, 0, NULL) == 0)
				continue;
			f->hop[f->n_hops++] = p;
			snprintf(before, sizeof(before), "t%zu.\"", f->n_hops);
			found = key_of(f, key, p, before, "\"", &text, &column);
		}
		if (f->n_hops == had)
			break;
	}
	if (found)
		put_look_up(f, bus_buf_cstr(&text), out);
	bus_buf_release(&text);
	return found;
}

/* --- one occurrence, all occurrences ------------------------------------------------------------------ */

static size_t parameters(const char *sql)
{
	struct gw_sql_token t;
	size_t n = 0;

	for (const char *p = gw_sql_next(sql, &t); t.kind != GW_SQL_END; p = gw_sql_next(p, &t))
		n += t.kind == GW_SQL_PARAM;
	return n;
}

static void add(const struct gw_ast *a, const char *table, const char *column, const struct bus_buf *select,
		struct gw_route_def *route, size_t max, size_t *n)
{
	struct gw_route_def r = { .table = table, .column = column };

	if (select)
		r.select = bus_arena_dup(a->arena, select->p, select->n);
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(route[i].table, table) == 0 &&
		    (column ? route[i].column && strcmp(route[i].column, column) == 0
			    : route[i].select && strcmp(route[i].select, r.select) == 0))
			return;
	}
	if (*n < max)
		route[(*n)++] = r;
}

static bool is_text(const struct gw_ast *a, const struct gw_ast_item *item)
{
	return item->to - item->from == 1 && a->token[item->from].kind == GW_SQL_STRING;
}

static enum gw_route_why find_one(const struct gw_ast *a, size_t key, struct gw_ast_source *row,
				  struct gw_route_def *route, size_t max, size_t *n)
{
	struct find f = { .a = a, .row = row };
	struct bus_buf text = { 0 }, select = { 0 };
	const char *table = row->table->name;
	enum gw_route_why why = prepare(&f);
	const struct gw_ast_select *top;
	int column;

	if (why != GW_ROUTE_FOUND)
		return why;
	top = f.path[f.n_path - 1];
	if (key >= top->n_items || (!gw_ast_is_grouped(a, top, key) && !is_text(a, &top->item[key])))
		return GW_ROUTE_KEY;
	if (key_of(&f, key, row, ":", "", &text, &column)) {
		if (column >= 0) {
			add(a, table, row->table->column[column].name, NULL, route, max, n);
		} else {
			bus_buf_printf(&select, "SELECT %s", bus_buf_cstr(&text));
			add(a, table, NULL, &select, route, max, n);
		}
	} else if (look_up(&f, key, &select) && parameters(bus_buf_cstr(&select)) <= PARAMETERS_MAX) {
		add(a, table, NULL, &select, route, max, n);
	} else {
		why = top->item[key].node.source ? GW_ROUTE_UNJOINED : GW_ROUTE_KEY;
	}
	bus_buf_release(&text);
	bus_buf_release(&select);
	return why;
}

enum gw_route_why gw_route_find(const struct gw_ast *a, size_t key, const char *table,
				struct gw_route_def *route, size_t max, size_t *n)
{
	enum gw_route_why why = GW_ROUTE_FOUND;

	if (a->why)
		return GW_ROUTE_SHAPE;
	for (size_t i = 0; i < a->n_sources && why == GW_ROUTE_FOUND; i++) {
		if (a->source[i]->table && strcasecmp(a->source[i]->table->name, table) == 0)
			why = find_one(a, key, a->source[i], route, max, n);
	}
	return why;
}

const char *gw_route_why(enum gw_route_why why, bool indonesian)
{
	static const struct {
		const char *id, *en;
	} words[] = {
		[GW_ROUTE_FOUND] = { "", "" },
		[GW_ROUTE_SHAPE] = { "bentuk SELECT ini tidak dapat dibaca; tulis rutenya sendiri di "
				     "'routes'",
				     "the shape of this SELECT is not understood; write the route in "
				     "'routes'" },
		[GW_ROUTE_LIMIT] = { "LIMIT di FROM: baris yang keluar memasukkan baris lain; pakai subkueri "
				     "skalar "
				     "(SELECT ... ORDER BY ... LIMIT 1) yang terikat pada kunci",
				     "LIMIT in FROM: a row that goes lets another one in; use a scalar "
				     "sub-query (SELECT ... "
				     "ORDER BY ... LIMIT 1) that is tied to the key" },
		[GW_ROUTE_WINDOW] = { "fungsi jendela: satu baris terhitung pada baris di sebelahnya; tulis "
				      "sebagai subkueri "
				      "terikat, atau buat tayangan penuh per kelompok",
				      "a window function: a row counts in the rows beside it; write it as a "
				      "correlated "
				      "sub-query, or make a full view by group" },
		[GW_ROUTE_OUTER] = { "RIGHT JOIN dan FULL JOIN tidak ditelusuri; tukar sisinya menjadi LEFT "
				     "JOIN, atau UNION "
				     "ALL dua LEFT JOIN",
				     "RIGHT and FULL JOIN are not followed; turn the sides into a LEFT JOIN, "
				     "or a UNION ALL "
				     "of two" },
		[GW_ROUTE_KEY] = { "kunci dihitung dari hasil agregat atau dari beberapa tabel; jadikan "
				   "kunci sebuah kolom, "
				   "atau tulis rutenya sendiri",
				   "the key is computed from an aggregate or from several tables; make it a "
				   "column, or write "
				   "the route yourself" },
		[GW_ROUTE_UNJOINED] = { "tidak ada persamaan kolom dari tabel ini sampai ke kunci; "
					"sambungkan dengan "
					"kolom = kolom (bertipe sama), atau tulis rutenya sendiri",
					"no equality of columns leads from this table to the key; join it by "
					"column = column "
					"(of one type), or write the route yourself" },
	};

	return indonesian ? words[why].id : words[why].en;
}
