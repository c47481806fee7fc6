#include "gateway/define/index_find.h"

#include <strings.h>

#include "gateway/define/plan.h"
#include "gateway/define/route_find.h"

#define SCANS_MAX 8
#define ROUTES_MAX 32

struct scans {
	char name[SCANS_MAX][64];
	size_t n, all;
};

struct search {
	struct gw_db *db;
	struct gw_index_found *out;
	size_t n;
};

static void note_scan(void *ctx, const struct gw_plan_step *step)
{
	struct scans *s = ctx;

	if (!step->scan)
		return;
	s->all++;
	if (s->n < SCANS_MAX)
		memcpy(s->name[s->n++], step->table, sizeof(step->table));
}

static struct scans scans_of(struct search *x, const char *sql)
{
	struct scans s = { .n = 0 };

	if (gw_plan_read(x->db, sql, note_scan, &s, NULL) != BUS_OK)
		s.all = 0;
	return s;
}

/* Whether an index on that column helps; it stays when it does. */
static bool helps(struct search *x, const char *sql, const struct gw_world_table *t, const char *column,
		  size_t before)
{
	if (gw_db_exec(x->db, NULL, "CREATE INDEX IF NOT EXISTS \"_ix_%s__%s\" ON \"%s\"(\"%s\")", t->name,
		       column, t->name, column) != BUS_OK)
		return false;
	if (scans_of(x, sql).all < before) {
		x->out[x->n++] = (struct gw_index_found){ t->name, column };
		return true;
	}
	(void)!gw_db_exec(x->db, NULL, "DROP INDEX \"_ix_%s__%s\"", t->name, column);
	return false;
}

/* Every column of the source that the text names. */
static bool try_columns(struct search *x, const char *sql, const struct gw_ast *a,
			const struct gw_ast_source *s, size_t before)
{
	bool tried[GW_COLUMNS_MAX * 4] = { false };

	for (size_t i = 0; i + 1 < a->n_tokens; i++) {
		size_t len = gw_sql_is(&a->token[i + 1], ".") ? 3 : 1;
		struct gw_ast_node n;

		if (i + len >= a->n_tokens || (i > 0 && gw_sql_is(&a->token[i - 1], ".")))
			continue;
		n = gw_ast_resolve(a, s->select, i, i + len);
		if (n.source != s || n.column >= BUS_LEN(tried) || tried[n.column])
			continue;
		tried[n.column] = true;
		if (helps(x, sql, s->table, gw_ast_column_name(n), before))
			return true;
	}
	return false;
}

static void search(struct search *x, const char *sql, const struct gw_ast *a)
{
	bool more = !a->why;

	while (more && x->n < GW_INDEX_FIND_MAX) {
		struct scans s = scans_of(x, sql);

		more = false;
		for (size_t i = 0; i < s.n && !more; i++) {
			for (size_t k = 0; k < a->n_sources && !more; k++) {
				const struct gw_ast_source *from = a->source[k];

				if (from->table && from->name && strcasecmp(from->name, s.name[i]) == 0)
					more = try_columns(x, sql, a, from, s.all);
			}
		}
	}
}

size_t gw_index_find(struct gw_db *db, const struct gw_def *d, const struct gw_world *w,
		     struct gw_index_found out[GW_INDEX_FIND_MAX])
{
	struct search x = { .db = db, .out = out };
	struct bus_arena *arena = bus_arena_new(0);
	struct gw_ast *a = gw_ast_parse(d->body, w, arena);
	struct gw_route_def found[ROUTES_MAX];
	struct bus_buf sql = { 0 };
	size_t n = 0;

	gw_view_select(d, &sql);
	bus_buf_printf(&sql, "WHERE \"%s\" = :_key", d->pub.column[d->pub.key].name);
	search(&x, bus_buf_cstr(&sql), a);
	for (size_t i = 0; i < d->n_routes; i++) {
		if (d->route[i].select)
			search(&x, d->route[i].select, gw_ast_parse(d->route[i].select, w, arena));
	}
	for (size_t i = 0; i < d->n_reads; i++)
		(void)gw_route_find(a, d->pub.key, d->read[i].table, found, ROUTES_MAX, &n);
	for (size_t i = 0; i < n; i++) {
		if (found[i].select)
			search(&x, found[i].select, gw_ast_parse(found[i].select, w, arena));
	}
	bus_buf_release(&sql);
	bus_arena_free(&arena);
	return x.n;
}
