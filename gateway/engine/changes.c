/* The change log of a view, as its followers read it. */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/engine/reading.h"

#define SCAN_MAX 20000 /* log entries a scoped follower passes over in one call: some 20 ms */

/* The log's entries are of the definition that the store runs: read through another one, they would give its
 * reader rows that it believes to be new, and the true ones never. */
static enum bus_err check_runs(struct gw_reader *r, const struct gw_view *v, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc;
	bool row = false;

	rc = gw_reader_stmt(r, "SELECT 1 FROM _view WHERE id = ?", &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_int(s, 1, atomic_load(&gw_view_def(v)->id));
	rc = gw_stmt_step(s, &row, err);
	gw_stmt_reset(s);
	if (rc == BUS_OK && !row)
		rc = bus_fail(err, BUS_ECONFLICT, "view '%s' has another definition now", v->name);
	return rc;
}

/* An entry that its key has outlived is passed over: the newest one of the key comes later. */
static void all_entries(const struct gw_view *v, struct bus_buf *sql)
{
	bus_buf_printf(sql,
		       "SELECT l.seq, l.key, s.hash IS NULL FROM \"_log_%s\" l CROSS JOIN \"_view_%s\" s ON "
		       "s.key = l.key AND s.seq = l.seq WHERE l.seq > :_after AND l.seq <= :_to "
		       "ORDER BY l.seq LIMIT :_limit",
		       v->name, v->name);
}

/* Rows that are in the scope now, and withdrawals of those that were in it and are no more. A key that moved
 * about within the scope, or left it more than once, is one entry: its last. */
static void scoped_entries(const struct gw_view *v, const struct gw_scope *scope, struct bus_buf *sql)
{
	bus_buf_printf(
	    sql,
	    "SELECT seq, key, gone FROM (SELECT l.seq AS seq, l.key AS key, 0 AS gone FROM "
	    "\"_log_%s\" l CROSS JOIN \"_view_%s\" s ON s.key = l.key AND s.seq = l.seq WHERE l.seq > "
	    ":_after AND l.seq <= :_to AND s.hash IS NOT NULL",
	    v->name, v->name);
	gw_scope_put_sql(scope, "s.\"s_", sql);
	bus_buf_printf(
	    sql,
	    " UNION ALL SELECT f.seq, f.key, 1 FROM \"_left_%s\" f WHERE f.seq > :_after AND f.seq "
	    "<= :_to",
	    v->name);
	gw_scope_put_sql(scope, "f.\"s_", sql);
	bus_buf_printf(sql,
		       " AND NOT EXISTS (SELECT 1 FROM \"_view_%s\" s WHERE s.key = f.key AND s.hash IS NOT "
		       "NULL",
		       v->name);
	gw_scope_put_sql(scope, "s.\"s_", sql);
	bus_buf_printf(sql,
		       ") AND NOT EXISTS (SELECT 1 FROM \"_left_%s\" g WHERE g.key = f.key AND g.seq > f.seq",
		       v->name);
	gw_scope_put_sql(scope, "g.\"s_", sql);
	bus_buf_puts(sql, ")) ORDER BY seq LIMIT :_limit");
}

/* Where this call's part of a long log ends for a scoped follower: of SCAN_MAX entries perhaps none is its own. */
static enum bus_err scan_end(struct gw_reader *r, const struct gw_following *f, int64_t *to,
			     struct bus_error *err)
{
	struct gw_stmt *s;
	char sql[200];
	enum bus_err rc;
	bool row;

	snprintf(sql, sizeof(sql),
		 "SELECT seq FROM \"_log_%s\" WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 1 OFFSET %d",
		 f->view->name, SCAN_MAX - 1);
	rc = gw_reader_stmt(r, sql, &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_int(s, 1, f->after);
	gw_stmt_bind_int(s, 2, *to);
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK && row)
		*to = gw_stmt_int(s, 0);
	gw_stmt_reset(s);
	return rc;
}

static enum bus_err newest_of_all(struct gw_reader *r, int64_t *seq, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	*seq = 0;
	rc = gw_reader_stmt(r, "SELECT value FROM _meta WHERE name = 'seq'", &s, err);
	if (rc != BUS_OK)
		return rc;
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK && row)
		*seq = strtoll(gw_stmt_text(s, 0).p, NULL, 10);
	gw_stmt_reset(s);
	return rc;
}

/* One entry to fn. *more: fn wants to go on. */
static enum bus_err one_entry(struct gw_reader *r, const struct gw_following *f, struct gw_change *c,
			      gw_change_fn fn, void *ctx, bool *more, struct bus_error *err)
{
	const struct gw_query q = { .view = f->view,
				    .date = f->date,
				    .rows = f->rows && f->rows->n > 0 ? f->rows : NULL };
	struct gw_stmt *one = NULL;
	enum bus_err rc = BUS_OK;
	bool pending = false;

	if (!c->removed) {
		rc = gw_read_one(r, &q, c->key, &c->value, &c->hash, &one, err);
		c->removed = !c->value;
		/* The rows behind it have changed and the view is not evaluated yet: what becomes of the key
		 * will be a later entry. On a day it may be missing for good. */
		pending = c->removed && !f->view->dated;
	}
	if (rc == BUS_OK && !pending &&
	    (!c->removed || ((f->after > 0 || f->fresh > 0) && c->seq > f->fresh)))
		*more = fn(ctx, c);
	if (one)
		gw_stmt_reset(one);
	return rc;
}

enum bus_err gw_follow(struct gw_reader *r, const struct gw_following *f, gw_change_fn fn, void *ctx,
		       int64_t *last, struct bus_error *err)
{
	const struct gw_scope *scope = f->rows && f->rows->n > 0 ? f->rows : NULL;
	int64_t to = f->to ? f->to : INT64_MAX, newest;
	struct bus_buf sql = { 0 };
	struct gw_stmt *log;
	struct gw_change c;
	bool row, more = true;
	int n = 0;
	enum bus_err rc;

	*last = f->after;
	rc = gw_read_check_date(f->view, f->date, err);
	if (rc == BUS_OK)
		rc = gw_read_begin(r, err);
	if (rc != BUS_OK)
		return rc;
	rc = check_runs(r, f->view, err);
	if (rc != BUS_OK)
		goto out;
	rc = newest_of_all(r, &newest, err);
	if (to > newest)
		to = newest > f->after ? newest : f->after;
	if (rc == BUS_OK && scope)
		rc = scan_end(r, f, &to, err);
	if (scope)
		scoped_entries(f->view, scope, &sql);
	else
		all_entries(f->view, &sql);
	if (rc == BUS_OK)
		rc = gw_reader_stmt(r, bus_buf_cstr(&sql), &log, err);
	if (rc != BUS_OK)
		goto out;
	gw_stmt_bind_int(log, gw_stmt_param(log, ":_after"), f->after);
	gw_stmt_bind_int(log, gw_stmt_param(log, ":_to"), to);
	gw_stmt_bind_int(log, gw_stmt_param(log, ":_limit"), f->limit);
	if (scope)
		gw_scope_bind_sql(log, f->view, scope);
	while (more && (rc = gw_stmt_step(log, &row, err)) == BUS_OK && row) {
		c = (struct gw_change){ .seq = gw_stmt_int(log, 0),
					.key = gw_stmt_text(log, 1),
					.removed = gw_stmt_int(log, 2) != 0 };
		n++;
		*last = c.seq;
		rc = one_entry(r, f, &c, fn, ctx, &more, err);
		if (rc != BUS_OK)
			break;
	}
	gw_stmt_reset(log);
	if (rc == BUS_OK && more && n < f->limit)
		*last = to;
out:
	gw_db_rollback(r->db);
	bus_buf_release(&sql);
	return rc;
}

enum bus_err gw_changes(struct gw_reader *r, const struct gw_view *v, const char *date, int64_t after,
			int limit, gw_change_fn fn, void *ctx, int64_t *last, struct bus_error *err)
{
	const struct gw_following f = { .view = v, .date = date, .after = after, .limit = limit };

	return gw_follow(r, &f, fn, ctx, last, err);
}
