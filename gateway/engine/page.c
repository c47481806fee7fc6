/* Pages and single rows. */
#include "gateway/engine/reading.h"

#define DRIVEN_ROWS_MAX 2000 /* with filters: keys evaluated one by one, if no more than these */
#define KEYS_A_TURN 256
#define WALKED_SHARE 8 /* of a dated view's keys, one in so many is looked at before all rows are asked for */
#define SORTED_ROWS_MAX 100000 /* a view of more is not sorted for a page */

/* Keys from the view's state, each evaluated alone: what a page costs does not depend on the planner. */
static enum bus_err driven(struct gw_reader *r, const struct gw_query *q, struct gw_walk *w, gw_row_fn fn,
			   void *ctx, struct bus_error *err)
{
	bool all = q->n_filters == 0; /* every key is a row of the answer: passed over unevaluated */
	struct gw_stmt *keys, *one;
	struct bus_buf sql = { 0 };
	enum bus_err rc = BUS_OK;
	bool row;
	int at;

	bus_buf_printf(&sql, "SELECT key FROM \"_view_%s\" WHERE key > ?1 AND hash IS NOT NULL",
		       q->view->name);
	if (q->rows)
		gw_scope_put_sql(q->rows, "\"s_", &sql);
	bus_buf_puts(&sql, " ORDER BY key LIMIT :_limit OFFSET :_offset");
	gw_read_limit(r, q);
	while (rc == BUS_OK && w->left > 0 && !w->end) {
		int want = all && w->left < KEYS_A_TURN ? w->left : KEYS_A_TURN;

		gw_keys_clear(&r->keys);
		rc = gw_reader_stmt(r, bus_buf_cstr(&sql), &keys, err);
		if (rc != BUS_OK)
			break;
		gw_stmt_bind_text(keys, 1, bus_buf_str(&w->after));
		gw_stmt_bind_int(keys, gw_stmt_param(keys, ":_limit"), want);
		gw_stmt_bind_int(keys, gw_stmt_param(keys, ":_offset"), all ? w->pass : 0);
		if (q->rows)
			gw_scope_bind_sql(keys, q->view, q->rows);
		w->pass = all ? 0 : w->pass;
		while ((rc = gw_stmt_step(keys, &row, err)) == BUS_OK && row)
			gw_keys_add(&r->keys, gw_stmt_text(keys, 0));
		gw_stmt_reset(keys);
		if (rc == BUS_OK)
			rc = gw_read_prepare(r, q, GW_ONE_KEY, &one, err);
		at = rc == BUS_OK ? gw_stmt_param(one, ":_key") : 0;
		w->end = r->keys.n < (size_t)want;
		for (size_t i = 0; i < r->keys.n && rc == BUS_OK && w->left > 0; i++) {
			gw_stmt_bind_text(one, at, gw_keys_at(&r->keys, i));
			rc = gw_stmt_step(one, &row, err);
			if (rc == BUS_OK && row && w->pass > 0)
				w->pass--;
			else if (rc == BUS_OK && row)
				w->left = fn(ctx, gw_read_values(r, q->view, one), 0) ? w->left - 1 : 0;
			gw_stmt_reset(one);
		}
		if (r->keys.n > 0) {
			struct bus_str last = gw_keys_at(&r->keys, r->keys.n - 1);

			bus_buf_reset(&w->after);
			bus_buf_put(&w->after, last.p, last.n);
		}
	}
	bus_buf_release(&sql);
	return rc;
}

static enum bus_err selected(struct gw_reader *r, const struct gw_query *q, gw_row_fn fn, void *ctx,
			     struct bus_error *err)
{
	const struct gw_def *def = gw_view_def(q->view);
	struct gw_plan plan;
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	rc = gw_read_prepare(r, q, GW_PAGE, &s, err);
	if (rc == BUS_OK && q->n_order > 0 && q->n_filters == 0 &&
	    atomic_load(&def->rows) > SORTED_ROWS_MAX) {
		rc = gw_read_plan(r, bus_buf_str(&r->sql), &plan, err);
		if (rc == BUS_OK && plan.sorts)
			rc = bus_fail(err, BUS_ETOOBIG,
				      "view '%s' has more than %d rows, and no index in this order",
				      q->view->name, SORTED_ROWS_MAX);
	}
	if (rc != BUS_OK)
		return rc;
	gw_read_limit(r, q);
	while ((rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		if (!fn(ctx, gw_read_values(r, q->view, s), 0))
			break;
	}
	gw_stmt_reset(s);
	return rc;
}

/* A thin view's rows by its keys, as far as that is cheaper than asking for all of them. */
static enum bus_err by_keys(struct gw_reader *r, const struct gw_query *q, gw_row_fn fn, void *ctx,
			    struct bus_error *err)
{
	int64_t rows = atomic_load(&gw_view_def(q->view)->rows), share = rows / WALKED_SHARE;
	struct gw_walk w = { .left = q->limit, .pass = q->offset };
	struct gw_query rest = *q;
	enum bus_err rc = BUS_OK;

	bus_buf_put(&w.after, q->after.p, q->after.n);
	if (q->n_filters == 0)
		rc = gw_walk(r, q, share > DRIVEN_ROWS_MAX ? share : DRIVEN_ROWS_MAX, &w, fn, ctx, err);
	if (rc == BUS_OK && !w.fit && (rows <= DRIVEN_ROWS_MAX || !q->view->dated)) {
		rc = driven(r, q, &w, fn, ctx, err);
	} else if (rc == BUS_OK && !w.end &&
		   w.left > 0) { /* few rows are of the day: all are looked through */
		rest.after = bus_buf_str(&w.after);
		rest.offset = w.pass;
		rest.limit = w.left;
		rc = selected(r, &rest, fn, ctx, err);
	}
	bus_buf_release(&w.after);
	bus_buf_release(&w.upto);
	return rc;
}

enum bus_err gw_page(struct gw_reader *r, const struct gw_query *q, gw_row_fn fn, void *ctx,
		     struct bus_error *err)
{
	const struct gw_def *def = gw_view_def(q->view);
	enum bus_err rc;

	rc = gw_read_check_date(q->view, q->date, err);
	if (rc == BUS_OK)
		rc = gw_read_begin_bounded(r, err);
	if (rc != BUS_OK)
		return rc;
	if (!r->of_past && !def->full && def->pace == GW_PACE_ROW && q->n_order == 0 &&
	    (q->n_filters == 0 || atomic_load(&def->rows) <= DRIVEN_ROWS_MAX))
		rc = by_keys(r, q, fn, ctx, err);
	else
		rc = selected(r, q, fn, ctx, err);
	gw_read_end(r);
	return gw_read_over(q, rc, err);
}

enum bus_err gw_read_one(struct gw_reader *r, const struct gw_query *q, struct bus_str key,
			 const struct gw_value **value, uint64_t *hash, struct gw_stmt **s,
			 struct bus_error *err)
{
	enum bus_err rc;
	bool row;

	*value = NULL;
	rc = gw_read_prepare(r, q, GW_ONE_KEY, s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(*s, gw_stmt_param(*s, ":_key"), key);
	rc = gw_stmt_step(*s, &row, err);
	if (rc == BUS_OK && row)
		*value = gw_read_row(r, q->view, *s, hash);
	return rc;
}

enum bus_err gw_get(struct gw_reader *r, const struct gw_view *v, const char *date, struct bus_str key,
		    const struct gw_scope *rows, gw_row_fn fn, void *ctx, struct bus_error *err)
{
	struct gw_query q = { .view = v, .date = date, .rows = rows };
	const struct gw_value *value;
	struct gw_stmt *s = NULL;
	uint64_t hash;
	enum bus_err rc;

	rc = gw_read_check_date(v, date, err);
	if (rc == BUS_OK)
		rc = gw_read_begin_bounded(r, err);
	if (rc != BUS_OK)
		return rc;
	rc = gw_read_one(r, &q, key, &value, &hash, &s, err);
	if (rc == BUS_OK && !value)
		rc = bus_fail(err, BUS_ENOENT, "view '%s' has no such row", v->name);
	if (rc == BUS_OK)
		fn(ctx, value, hash);
	if (s)
		gw_stmt_reset(s);
	gw_read_end(r);
	return rc;
}
