/* Views against themselves: what they are now, computed from nothing, and what is stored. */
#include <stdio.h>

#include "gateway/engine/core.h"

struct side { /* (key, hash) in the order of keys */
	struct gw_stmt *s;
	int key;     /* column */
	bool stored; /* column 1 is the hash; else it is computed from the row */
	bool row;
	uint64_t hash;
};

static enum bus_err advance(struct gw_engine *e, struct side *a, struct bus_buf *scratch,
			    struct bus_error *err)
{
	enum bus_err rc = gw_stmt_step(a->s, &a->row, err);

	if (rc != BUS_OK || !a->row)
		return rc;
	if (a->stored) {
		a->hash = (uint64_t)gw_stmt_int(a->s, 1);
	} else {
		bus_buf_reset(scratch);
		gw_stmt_pack(a->s, scratch);
		a->hash = gw_hash(e->secret, scratch->p, scratch->n);
	}
	return BUS_OK;
}

static enum bus_err compare(struct gw_engine *e, struct side *a, struct side *b, int64_t *differing,
			    struct bus_error *err)
{
	struct bus_buf scratch = { 0 };
	struct bus_str x, y;
	enum bus_err rc;
	int c;

	rc = advance(e, a, &scratch, err);
	if (rc == BUS_OK)
		rc = advance(e, b, &scratch, err);
	while (rc == BUS_OK && (a->row || b->row)) {
		c = a->row ? -1 : 1;
		if (a->row && b->row) {
			x = gw_stmt_text(a->s, a->key);
			y = gw_stmt_text(b->s, b->key);
			c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
			c = c ? c : (x.n > y.n) - (x.n < y.n);
		}
		*differing += c != 0 || a->hash != b->hash;
		if (c <= 0)
			rc = advance(e, a, &scratch, err);
		if (rc == BUS_OK && c >= 0)
			rc = advance(e, b, &scratch, err);
	}
	bus_buf_release(&scratch);
	return rc;
}

/* Or is not the definition that the store has. */
static enum bus_err waits(struct gw_reader *r, const struct gw_view *v, bool *out, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	rc = gw_reader_stmt(
	    r,
	    "SELECT all_dirty OR EXISTS(SELECT 1 FROM _dirty d WHERE d.view = v.id) FROM _view v "
	    "WHERE id = ?",
	    &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_int(s, 1, atomic_load(&gw_view_def(v)->id));
	rc = gw_stmt_step(s, &row, err);
	*out = rc != BUS_OK || !row || gw_stmt_int(s, 0) != 0;
	gw_stmt_reset(s);
	return rc;
}

static enum bus_err verify_view(struct gw_reader *r, const struct gw_def *def, int64_t *differing,
				struct bus_error *err)
{
	const struct gw_view *d = &def->pub;
	struct side fresh = { .key = (int)d->key }, stored = { .stored = true },
		    table = { .key = (int)d->key };
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	gw_view_select(def, &sql);
	bus_buf_printf(&sql, "ORDER BY \"%s\"", d->column[d->key].name);
	rc = gw_reader_stmt(r, bus_buf_cstr(&sql), &fresh.s, err);
	bus_buf_reset(&sql);
	bus_buf_printf(&sql, "SELECT key, hash FROM \"_view_%s\" WHERE hash IS NOT NULL ORDER BY key",
		       d->name);
	if (rc == BUS_OK)
		rc = gw_reader_stmt(r, bus_buf_cstr(&sql), &stored.s, err);
	gw_db_deadline(gw_reader_db(r), 0);
	if (rc == BUS_OK)
		rc = compare(gw_reader_engine(r), &fresh, &stored, differing, err);
	if (rc == BUS_OK && def->full) {
		bus_buf_reset(&sql);
		bus_buf_puts(&sql, "SELECT ");
		for (size_t i = 0; i < d->n_columns; i++)
			bus_buf_printf(&sql, "%s\"%s\"", i ? "," : "", d->column[i].name);
		bus_buf_printf(&sql, " FROM \"%s\" ORDER BY \"%s\"", d->name, d->column[d->key].name);
		rc = gw_reader_stmt(r, bus_buf_cstr(&sql), &table.s, err);
		gw_db_deadline(gw_reader_db(r), 0);
		gw_stmt_reset(stored.s);
		if (rc == BUS_OK)
			rc = compare(gw_reader_engine(r), &table, &stored, differing, err);
		if (table.s)
			gw_stmt_reset(table.s);
	}
	if (fresh.s)
		gw_stmt_reset(fresh.s);
	if (stored.s)
		gw_stmt_reset(stored.s);
	bus_buf_release(&sql);
	return rc;
}

enum bus_err gw_verify(struct gw_engine *e, int64_t *differing, size_t n, struct bus_error *err)
{
	struct gw_reader *r = gw_reader_of(e);
	struct gw_views *set;
	struct gw_stmt *s;
	enum bus_err rc;
	char label[128];
	bool wait = false;

	rc = gw_reader_stmt(r, "SELECT 1", &s, err); /* opens the connection */
	if (rc == BUS_OK)
		rc = gw_db_exec(gw_reader_db(r), err, "BEGIN");
	if (rc != BUS_OK)
		return rc;
	set = gw_views_hold(e);
	for (size_t i = 0; i < n && i < set->n && rc == BUS_OK; i++) {
		differing[i] = 0;
		rc = waits(r, set->view[i], &wait, err);
		if (rc != BUS_OK)
			break;
		if (wait) {
			differing[i] = -1;
			continue;
		}
		rc = verify_view(r, gw_view_def(set->view[i]), &differing[i], err);
		snprintf(label, sizeof(label), "view=\"%s\"", set->view[i]->name);
		bus_metric_set(bus_metric("titian_view_verify_differences", "gauge",
					  "Rows that differed when the view was last verified", label),
			       (double)differing[i]);
	}
	gw_db_rollback(gw_reader_db(r));
	gw_views_release(&set);
	return rc;
}
