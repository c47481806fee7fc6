/* A page in the order of the keys, from the table of the view's keys: what it costs is the keys it looks at, and depends
 * neither on how many there are nor on which table SQLite would begin with. One statement looks up the rows of all keys,
 * if SQLite would look up each as it does when asked for that key alone. */
#include <ctype.h>

#include "gateway/engine/reading.h"

#define FIRST_KEYS 256 /* looked at before it is known how many of them are rows of the day */
#define FIRST "SEARCH _k USING PRIMARY KEY (key>? AND key<?)"

/* Which keys are rows; `k`: the name of their table, with a point, or "". */
static void put_keys_of(const struct gw_query *q, const char *k, struct bus_buf *b)
{
	bus_buf_printf(b, "%shash IS NOT NULL", k);
	if (q->rows) {
		struct bus_buf prefix = { 0 };

		bus_buf_printf(&prefix, "%s\"s_", k);
		gw_scope_put_sql(q->rows, bus_buf_cstr(&prefix), b);
		bus_buf_release(&prefix);
	}
}

static void put_walk(const struct gw_query *q, struct bus_buf *b)
{
	const struct gw_view *v = q->view;

	bus_buf_reset(b);
	bus_buf_puts(b, "SELECT ");
	for (size_t i = 0; i < v->n_columns; i++) {
		bus_buf_puts(b, i ? ",_v.\"" : "_v.\"");
		bus_buf_puts(b, v->column[i].name);
		bus_buf_putc(b, '"');
	}
	bus_buf_puts(b, " FROM \"_view_");
	bus_buf_puts(b, v->name);
	bus_buf_puts(b, "\" _k CROSS JOIN (\n");
	bus_buf_puts(b, gw_view_def(v)->body);
	bus_buf_puts(b, "\n) _v WHERE _v.\"");
	bus_buf_puts(b, v->column[v->key].name);
	bus_buf_puts(b, "\"=_k.key AND _k.key>:_key AND _k.key<=:_upto AND ");
	put_keys_of(q, "_k.", b);
	if (q->rows)
		gw_scope_put_sql(q->rows, "_v.\"", b);
	bus_buf_puts(b, " ORDER BY _k.key");
}

/* --- is it as good as key by key? -------------------------------------------------------------------- */

/* The steps of the plan, without the numbers that SQLite gives to sub-queries. *first: the first step apart. */
static enum bus_err plan_of(struct gw_reader *r, struct bus_str sql, bool *first, struct bus_buf *out,
			    struct bus_error *err)
{
	struct bus_buf text = { 0 };
	struct gw_stmt *s = NULL;
	struct bus_str step;
	enum bus_err rc;
	bool row;

	bus_buf_printf(&text, "EXPLAIN QUERY PLAN %.*s", (int)sql.n, sql.p);
	rc = gw_db_prepare(r->db, bus_buf_cstr(&text), &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		step = gw_stmt_text(s, 3);
		if (first && !*first) {
			*first = true;
			if (bus_str_is(step, FIRST))
				continue;
		}
		for (size_t i = 0; i < step.n; i++) {
			if (!isdigit((unsigned char)step.p[i]))
				bus_buf_putc(out, step.p[i]);
		}
		bus_buf_putc(out, '\n');
	}
	gw_stmt_free(&s);
	bus_buf_release(&text);
	return rc;
}

static enum bus_err judge(struct gw_reader *r, const struct gw_query *q, struct kept *walk,
			  struct bus_error *err)
{
	struct bus_buf together = { 0 }, alone = { 0 };
	struct gw_stmt *one;
	bool first = false;
	enum bus_err rc;

	rc = plan_of(r, bus_str(walk->sql), &first, &together, err);
	if (rc == BUS_OK)
		rc = gw_read_prepare(r, q, GW_ONE_KEY, &one, err);
	if (rc == BUS_OK)
		rc = plan_of(r, bus_buf_str(&r->sql), NULL, &alone, err);
	walk->fit = rc == BUS_OK && bus_str_eq(bus_buf_str(&together), bus_buf_str(&alone));
	walk->judged = atomic_load(&r->e->set_epoch);
	bus_buf_release(&together);
	bus_buf_release(&alone);
	return rc;
}

static enum bus_err prepare(struct gw_reader *r, const struct gw_query *q, struct gw_stmt **out,
			    struct bus_error *err)
{
	struct kept *walk;
	enum bus_err rc;

	*out = NULL;
	put_walk(q, &r->sql);
	rc = gw_reader_kept(r, bus_buf_cstr(&r->sql), &walk, err);
	/* Definitions come with indexes, and take them along. */
	if (rc == BUS_OK && walk->judged != atomic_load(&r->e->set_epoch))
		rc = judge(r, q, walk, err);
	if (rc == BUS_OK && walk->fit)
		*out = walk->stmt;
	return rc;
}

/* --- the walk ----------------------------------------------------------------------------------------- */

/* The n-th key behind w->after, or none: then w->upto is empty, and all that are left are walked. */
static enum bus_err find_upto(struct gw_reader *r, const struct gw_query *q, struct gw_walk *w, int64_t n,
			      struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	bus_buf_reset(&w->upto);
	bus_buf_printf(&sql, "SELECT key FROM \"_view_%s\" WHERE key>?1 AND ", q->view->name);
	put_keys_of(q, "", &sql);
	bus_buf_puts(&sql, " ORDER BY key LIMIT 1 OFFSET :_n");
	rc = gw_reader_stmt(r, bus_buf_cstr(&sql), &s, err);
	bus_buf_release(&sql);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(s, 1, bus_buf_str(&w->after));
	gw_stmt_bind_int(s, gw_stmt_param(s, ":_n"), n - 1);
	if (q->rows)
		gw_scope_bind_sql(s, q->view, q->rows);
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK && row)
		bus_buf_put(&w->upto, gw_stmt_text(s, 0).p, gw_stmt_text(s, 0).n);
	gw_stmt_reset(s);
	return rc;
}

static void go_on_from(struct gw_walk *w, struct bus_str key)
{
	bus_buf_reset(&w->after);
	bus_buf_put(&w->after, key.p, key.n);
}

/* Rows of the keys behind w->after, up to w->upto. */
static enum bus_err stretch(struct gw_reader *r, const struct gw_query *q, struct gw_stmt *s,
			    struct gw_walk *w, gw_row_fn fn, void *ctx, struct bus_error *err)
{
	int upto = gw_stmt_param(s, ":_upto");
	enum bus_err rc = BUS_OK;
	bool row;

	gw_stmt_bind_text(s, gw_stmt_param(s, ":_key"), bus_buf_str(&w->after));
	if (w->upto.n > 0)
		gw_stmt_bind_text(s, upto, bus_buf_str(&w->upto));
	else
		gw_stmt_bind_blob(s, upto, BUS_STR("")); /* stands behind every text */
	if (q->date)
		gw_stmt_bind_text(s, gw_stmt_param(s, ":per_tanggal"), bus_str(q->date));
	if (q->rows)
		gw_scope_bind_sql(s, q->view, q->rows);
	while (w->left > 0 && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		if (w->pass > 0)
			w->pass--;
		else
			w->left = fn(ctx, gw_read_values(r, q->view, s), 0) ? w->left - 1 : 0;
	}
	gw_stmt_reset(s);
	return rc;
}

enum bus_err gw_walk(struct gw_reader *r, const struct gw_query *q, int64_t most, struct gw_walk *w,
		     gw_row_fn fn, void *ctx, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc = prepare(r, q, &s, err);

	w->fit = s != NULL;
	if (!w->fit)
		return rc;
	/* Every key is a row: passed over unevaluated, and as many as are asked for are looked at. */
	if (!q->view->dated) {
		if (w->pass > 0) {
			rc = find_upto(r, q, w, w->pass, err);
			w->end = w->upto.n == 0;
			w->pass = 0;
			go_on_from(w, bus_buf_str(&w->upto));
		}
		bus_buf_reset(&w->upto);
		if (rc == BUS_OK && !w->end)
			rc = stretch(r, q, s, w, fn, ctx, err);
		w->end = true;
	}
	for (int64_t n = FIRST_KEYS; rc == BUS_OK && w->left > 0 && !w->end && most > 0; n *= 2) {
		n = n < most ? n : most;
		most -= n;
		rc = find_upto(r, q, w, n, err);
		w->end = w->upto.n == 0;
		if (rc == BUS_OK)
			rc = stretch(r, q, s, w, fn, ctx, err);
		go_on_from(w, bus_buf_str(&w->upto));
	}
	return rc;
}
