/* gw_view_bind: a definition against the tables that are there. */
#include <stdio.h>
#include <strings.h>

#include "gateway/store/sqlfun.h"
#include "gateway/define/plan.h"
#include "gateway/define/rollup.h"
#include "gateway/define/route_find.h"
#include "gateway/define/view.h"

#define ROUTES_MAX 32 /* found from one table */

struct watch {
	struct gw_def *d;
	const struct gw_catalogue *c;
	bool note; /* keep what is read */
};

static void note_read(struct gw_def *d, const char *table, const char *column)
{
	struct gw_read *r = NULL;

	for (size_t i = 0; i < d->n_reads && !r; i++) {
		if (strcasecmp(d->read[i].table, table) == 0)
			r = &d->read[i];
	}
	if (!r) {
		struct gw_read *grown = bus_arena_zalloc(d->arena, (d->n_reads + 1) * sizeof(*grown));

		if (d->n_reads)
			memcpy(grown, d->read, d->n_reads * sizeof(*grown));
		d->read = grown;
		r = &d->read[d->n_reads++];
		r->table = bus_arena_dup(d->arena, table, strlen(table));
	}
	if (column[0] == '\0')
		return;
	for (size_t i = 0; i < r->n; i++) {
		if (strcasecmp(r->column[i], column) == 0)
			return;
	}
	if ((r->n & (r->n - 1)) == 0) { /* at 0, 1, 2, 4, ... twice the room */
		const char **grown = bus_arena_alloc(d->arena, (r->n ? r->n * 2 : 1) * sizeof(*grown));

		if (r->n)
			memcpy(grown, r->column, r->n * sizeof(*grown));
		r->column = grown;
	}
	r->column[r->n++] = bus_arena_dup(d->arena, column, strlen(column));
}

static bool may_read(void *ctx, const char *table, const char *column)
{
	struct watch *w = ctx;

	if (!w->c->has(w->c->ctx, table, column) || strcmp(table, w->d->pub.name) == 0)
		return false;
	if (w->note)
		note_read(w->d, table, column);
	return true;
}

static bool may_call(void *ctx, const char *name)
{
	(void)ctx;
	return gw_sqlfun_allowed(name);
}

struct plan_look {
	const struct gw_def *d;
	const char *what;
	enum bus_err rc;
	struct bus_error *err;
};

static void look_at_step(void *ctx, const struct gw_plan_step *step)
{
	struct plan_look *l = ctx;

	if (step->scan && l->rc == BUS_OK)
		l->rc = bus_fail(l->err, BUS_EPARSE,
				 "%s:%d: %s would read a table from end to end (%s): declare an index on "
				 "the column it looks for, or write the join as a correlated sub-query",
				 l->d->file, l->d->body_line, l->what, step->detail);
}

static enum bus_err check_plan(struct gw_db *db, const struct gw_def *d, const char *sql, const char *what,
			       struct bus_error *err)
{
	struct plan_look look = { .d = d, .what = what, .err = err };
	enum bus_err rc = gw_plan_read(db, sql, look_at_step, &look, err);

	return rc == BUS_OK ? look.rc : rc;
}

/* Puts the declared columns in the order of the SELECT's output. */
static enum bus_err match_columns(struct gw_def *d, struct gw_stmt *s, struct bus_error *err)
{
	size_t n = (size_t)gw_stmt_columns(s), key = 0, k, *place, *scope;
	struct gw_column *c = bus_arena_zalloc(d->arena, n * sizeof(*c));

	place = bus_arena_zalloc(d->arena, d->pub.n_columns * sizeof(*place)); /* declared -> given */

	for (size_t i = 0; i < n; i++) {
		for (k = 0; k < d->pub.n_columns; k++) {
			if (strcmp(d->pub.column[k].name, gw_stmt_name(s, (int)i)) == 0)
				break;
		}
		if (k == d->pub.n_columns)
			return bus_fail(err, BUS_EPARSE,
					"%s: output column '%s' is not declared in 'columns'", d->file,
					gw_stmt_name(s, (int)i));
		c[i] = d->pub.column[k];
		place[k] = i;
		if (k == d->pub.key)
			key = i;
	}
	if (n < d->pub.n_columns)
		return bus_fail(err, BUS_EPARSE, "%s: 'columns' declares more than the SELECT gives",
				d->file);
	for (size_t i = 0; i < n; i++) {
		for (k = 0; k < i; k++) {
			if (c[k].name == c[i].name)
				return bus_fail(err, BUS_EPARSE, "%s: two output columns are called '%s'",
						d->file, c[i].name);
		}
	}
	scope = bus_arena_zalloc(d->arena, (d->pub.n_scope + 1) * sizeof(*scope));
	for (size_t i = 0; i < d->pub.n_scope; i++)
		scope[i] = place[d->pub.scope[i]];
	d->pub.scope = scope;
	d->pub.column = c;
	d->pub.key = key;
	return BUS_OK;
}

static enum bus_err check_select(struct gw_db *db, struct gw_def *d, const struct gw_catalogue *c,
				 struct bus_error *err)
{
	struct watch w = { .d = d, .c = c, .note = true };
	struct gw_db_guard guard = { .ctx = &w, .read = may_read, .function = may_call };
	struct gw_stmt *s = NULL;
	struct bus_buf sql = { 0 };
	bool day = false;
	enum bus_err rc;

	d->n_reads = 0;
	rc = gw_db_prepare_guarded(db, d->body, &guard, &s, err);
	if (rc != BUS_OK)
		return bus_fail_prefix(err, rc, "%s:%d", d->file, d->body_line);
	for (int i = 1; i <= gw_stmt_params(s) && rc == BUS_OK; i++) {
		const char *name = gw_stmt_param_name(s, i);

		if (!name || strcmp(name, ":per_tanggal") != 0)
			rc = bus_fail(err, BUS_EPARSE, "%s:%d: the only parameter of a view is :per_tanggal",
				      d->file, d->body_line);
		day = true;
	}
	if (rc == BUS_OK && day != d->pub.dated)
		rc = bus_fail(err, BUS_EPARSE, "%s: 'dated' is %s but the SELECT %s :per_tanggal", d->file,
			      d->pub.dated ? "true" : "false", day ? "uses" : "does not use");
	if (rc == BUS_OK)
		rc = match_columns(d, s, err);
	gw_stmt_free(&s);
	if (rc == BUS_OK && !gw_rollup_bind(db, d, c) && d->pace != GW_PACE_TOTAL) {
		gw_view_select(d, &sql);
		bus_buf_printf(&sql, "WHERE \"%s\" = :_key", d->pub.column[d->pub.key].name);
		rc = check_plan(db, d, bus_buf_cstr(&sql), "evaluating one key", err);
		bus_buf_release(&sql);
	}
	return rc;
}

static enum bus_err check_route(struct gw_db *db, struct gw_def *d, const struct gw_catalogue *c,
				const struct gw_route_def *r, struct bus_error *err)
{
	struct watch w = { .d = d, .c = c };
	struct gw_db_guard guard = { .ctx = &w, .read = may_read, .function = may_call };
	struct gw_stmt *s = NULL;
	enum bus_err rc = BUS_OK;
	char what[240];

	if (!gw_view_reads(d, r->table))
		return bus_fail(err, BUS_EPARSE, "%s: a route from '%s', which the SELECT does not read",
				d->file, r->table);
	if (r->column) {
		if (!c->has(c->ctx, r->table, r->column))
			return bus_fail(err, BUS_EPARSE, "%s: route: '%s' has no column '%s'", d->file,
					r->table, r->column);
		return BUS_OK;
	}
	rc = gw_db_prepare_guarded(db, r->select, &guard, &s, err);
	if (rc != BUS_OK)
		return bus_fail_prefix(err, rc, "%s: route from '%s'", d->file, r->table);
	if (gw_stmt_columns(s) != 1)
		rc = bus_fail(err, BUS_EPARSE, "%s: the route from '%s' must give one column, the key",
			      d->file, r->table);
	for (int i = 1; i <= gw_stmt_params(s) && rc == BUS_OK; i++) {
		const char *name = gw_stmt_param_name(s, i);

		if (!name || name[0] != ':' || !c->has(c->ctx, r->table, name + 1))
			rc = bus_fail(err, BUS_EPARSE, "%s: route: '%s' has no column for parameter '%s'",
				      d->file, r->table, name ? name : "?");
	}
	gw_stmt_free(&s);
	if (rc == BUS_OK && d->pace != GW_PACE_TOTAL) {
		snprintf(what, sizeof(what), "a route from '%.60s'%s%.120s%s", r->table,
			 r->line ? "" : ", found as '", r->line ? "" : r->select, r->line ? "" : "',");
		rc = check_plan(db, d, r->select, what, err);
	}
	return rc;
}

static const char *keep(struct gw_def *d, const char *s)
{
	return s ? bus_arena_dup(d->arena, s, strlen(s)) : NULL;
}

/* Routes from the table as the SELECT itself has them, put behind those of the author. */
static enum bus_err find_routes(struct gw_db *db, struct gw_def *d, const struct gw_catalogue *c,
				const struct gw_ast *ast, const char *table, struct bus_error *err)
{
	struct gw_route_def found[ROUTES_MAX], *all;
	enum gw_route_why why = GW_ROUTE_SHAPE;
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	if (ast)
		why = gw_route_find(ast, d->pub.key, table, found, ROUTES_MAX, &n);
	if (why != GW_ROUTE_FOUND || n == 0)
		return bus_fail(
		    err, BUS_EPARSE,
		    "%s:%d: the SELECT reads '%s', which has no route: which keys can a change of one of its "
		    "rows touch? None was found: %s",
		    d->file, d->body_line, table, gw_route_why(why, false));
	all = bus_arena_zalloc(d->arena, (d->n_routes + n) * sizeof(*all));
	if (d->n_routes)
		memcpy(all, d->route, d->n_routes * sizeof(*all));
	d->route = all;
	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		struct gw_route_def *r = &all[d->n_routes++];

		r->table = keep(d, found[i].table);
		r->column = keep(d, found[i].column);
		r->select = keep(d, found[i].select);
		rc = check_route(db, d, c, r, err);
	}
	return rc;
}

static enum bus_err bind_routes(struct gw_db *db, struct gw_def *d, const struct gw_catalogue *c,
				const struct gw_ast *ast, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	size_t k;

	for (size_t i = 0; i < d->n_routes && rc == BUS_OK; i++)
		rc = check_route(db, d, c, &d->route[i], err);
	for (size_t i = 0; i < d->n_reads && rc == BUS_OK; i++) {
		for (k = 0; k < d->n_routes && strcmp(d->route[k].table, d->read[i].table) != 0; k++)
			;
		if (k == d->n_routes && !d->rollup)
			rc = find_routes(db, d, c, ast, d->read[i].table, err);
	}
	return rc;
}

enum bus_err gw_view_bind(struct gw_db *db, struct gw_def *d, const struct gw_catalogue *c,
			  struct bus_error *err)
{
	struct bus_arena *scratch = bus_arena_new(0);
	const char **source;
	enum bus_err rc;

	rc = check_select(db, d, c, err);
	if (rc == BUS_OK)
		rc = bind_routes(db, d, c, c->world ? gw_ast_parse(d->body, c->world, scratch) : NULL, err);
	bus_arena_free(&scratch);
	if (rc != BUS_OK)
		return rc;
	source = bus_arena_zalloc(d->arena, (d->n_reads + 1) * sizeof(*source));
	for (size_t i = 0; i < d->n_reads; i++)
		source[i] = d->read[i].table;
	d->pub.source = source;
	d->pub.n_sources = d->n_reads;
	return BUS_OK;
}
