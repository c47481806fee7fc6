/* Views against themselves: what they are now, computed from nothing, and what is stored. */
#include "gateway/engine/verify.h"

#include <stdio.h>

#define ROWS_BETWEEN_LOOKS 4096

struct side { /* (key, hash) in the order of keys */
	struct gw_stmt *s;
	int key;     /* column */
	bool stored; /* column 1 is the hash; else it is computed from the row */
	bool row;
	uint64_t hash;
};

static enum bus_err advance(const struct gw_check *c, struct side *a, struct bus_error *err)
{
	struct bus_buf *scratch = &c->r->packed;
	enum bus_err rc = gw_stmt_step(a->s, &a->row, err);

	if (rc != BUS_OK || !a->row)
		return rc;
	if (a->stored) {
		a->hash = (uint64_t)gw_stmt_int(a->s, 1);
	} else {
		bus_buf_reset(scratch);
		gw_stmt_pack(a->s, scratch);
		a->hash = gw_hash(c->r->e->secret, scratch->p, scratch->n);
	}
	return BUS_OK;
}

/* A key that waits for its evaluation is no difference: the same transaction that changed its source put it there. */
static enum bus_err differs(const struct gw_check *c, struct bus_str key, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc;
	bool waits;

	rc = gw_reader_stmt(c->r, "SELECT 1 FROM _dirty WHERE view = ? AND key = ?", &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_int(s, 1, atomic_load(&c->def->id));
	gw_stmt_bind_text(s, 2, key);
	rc = gw_stmt_step(s, &waits, err);
	gw_stmt_reset(s);
	gw_db_deadline(c->r->db, c->deadline_ms);
	if (rc != BUS_OK)
		return rc;
	c->verdict->waiting += waits;
	c->verdict->differing += !waits;
	if (!waits && c->differs)
		c->differs(c->ctx, key);
	return BUS_OK;
}

static enum bus_err compare(const struct gw_check *c, struct side *a, struct side *b, bool count,
			    struct bus_error *err)
{
	struct bus_str x = { 0 }, y = { 0 };
	enum bus_err rc;
	int order;

	gw_db_deadline(c->r->db, c->deadline_ms);
	rc = advance(c, a, err);
	if (rc == BUS_OK)
		rc = advance(c, b, err);
	while (rc == BUS_OK && (a->row || b->row)) {
		order = a->row ? -1 : 1;
		if (a->row)
			x = gw_stmt_text(a->s, a->key);
		if (b->row)
			y = gw_stmt_text(b->s, b->key);
		if (a->row && b->row) {
			order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
			order = order ? order : (x.n > y.n) - (x.n < y.n);
		}
		if (order != 0 || a->hash != b->hash)
			rc = differs(c, order <= 0 ? x : y, err);
		c->verdict->keys += count;
		if (rc == BUS_OK && c->progress && c->verdict->keys % ROWS_BETWEEN_LOOKS == 0 &&
		    !c->progress(c->ctx, c->verdict))
			rc = bus_fail(err, BUS_ESTOPPED, "stopped");
		if (rc == BUS_OK && order <= 0)
			rc = advance(c, a, err);
		if (rc == BUS_OK && order >= 0)
			rc = advance(c, b, err);
	}
	return rc;
}

/* A SELECT's rows in the range, in order: `sql` ends where a condition may stand. */
static enum bus_err open_side(const struct gw_check *c, struct bus_buf *sql, const char *key,
			      const char *condition, struct gw_stmt **out, struct bus_error *err)
{
	enum bus_err rc;

	bus_buf_printf(sql, "WHERE \"%s\" > :_after%s%s%s%s ORDER BY \"%s\"", key,
		       c->range.to.p ? " AND \"" : "", c->range.to.p ? key : "",
		       c->range.to.p ? "\" <= :_to" : "", condition, key);
	rc = gw_reader_stmt(c->r, bus_buf_cstr(sql), out, err);
	bus_buf_release(sql);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(*out, gw_stmt_param(*out, ":_after"), c->range.after);
	gw_stmt_bind_text(*out, gw_stmt_param(*out, ":_to"), c->range.to);
	return BUS_OK;
}

enum bus_err gw_check_range(const struct gw_check *c, struct bus_error *err)
{
	const struct gw_view *d = &c->def->pub;
	const char *key = d->column[d->key].name;
	struct side fresh = { .key = (int)d->key }, stored = { .stored = true },
		    table = { .key = (int)d->key };
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	gw_view_select(c->def, &sql);
	rc = open_side(c, &sql, key, "", &fresh.s, err);
	bus_buf_printf(&sql, "SELECT key, hash FROM \"_view_%s\" ", d->name);
	if (rc == BUS_OK)
		rc = open_side(c, &sql, "key", " AND hash IS NOT NULL", &stored.s, err);
	if (rc == BUS_OK)
		rc = compare(c, &fresh, &stored, true, err);
	if (fresh.s)
		gw_stmt_reset(fresh.s);
	if (stored.s)
		gw_stmt_reset(stored.s);
	if (rc == BUS_OK && c->def->full) {
		bus_buf_puts(&sql, "SELECT ");
		for (size_t i = 0; i < d->n_columns; i++)
			bus_buf_printf(&sql, "%s\"%s\"", i ? "," : "", d->column[i].name);
		bus_buf_printf(&sql, " FROM \"%s\" ", d->name);
		rc = open_side(c, &sql, key, "", &table.s, err);
		if (rc == BUS_OK)
			rc = compare(c, &table, &stored, false, err);
		if (table.s)
			gw_stmt_reset(table.s);
		gw_stmt_reset(stored.s);
	}
	bus_buf_release(&sql);
	return rc;
}

enum bus_err gw_check_key(const struct gw_check *c, struct bus_str key, struct bus_error *err)
{
	const struct gw_view *d = &c->def->pub;
	struct side fresh = { .key = (int)d->key }, stored = { .stored = true };
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	gw_view_select(c->def, &sql);
	bus_buf_printf(&sql, "WHERE \"%s\" = :_key", d->column[d->key].name); /* ?1 may be its :per_tanggal */
	rc = gw_reader_stmt(c->r, bus_buf_cstr(&sql), &fresh.s, err);
	bus_buf_reset(&sql);
	bus_buf_printf(&sql, "SELECT key, hash FROM \"_view_%s\" WHERE key = ?1 AND hash IS NOT NULL",
		       d->name);
	if (rc == BUS_OK)
		rc = gw_reader_stmt(c->r, bus_buf_cstr(&sql), &stored.s, err);
	if (rc == BUS_OK) {
		gw_stmt_bind_text(fresh.s, gw_stmt_param(fresh.s, ":_key"), key);
		gw_stmt_bind_text(stored.s, 1, key);
		rc = compare(c, &fresh, &stored, true, err);
	}
	if (fresh.s)
		gw_stmt_reset(fresh.s);
	if (stored.s)
		gw_stmt_reset(stored.s);
	bus_buf_release(&sql);
	return rc;
}

enum bus_err gw_check_waits(struct gw_reader *r, const struct gw_def *def, bool *out, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	rc = gw_reader_stmt(r, "SELECT all_dirty FROM _view WHERE id = ?", &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_int(s, 1, atomic_load(&def->id));
	rc = gw_stmt_step(s, &row, err);
	*out = rc != BUS_OK || !row || gw_stmt_int(s, 0) != 0;
	gw_stmt_reset(s);
	return rc;
}

void gw_check_count(const struct gw_view *v, int64_t keys, int64_t differing)
{
	char label[128];

	snprintf(label, sizeof(label), "view=\"%s\"", v->name);
	bus_metric_add(bus_metric("titian_view_verify_keys_total", "counter",
				  "Keys of the view compared with its SELECT run afresh", label),
		       keys);
	bus_metric_add(
	    bus_metric("titian_view_verify_differences_total", "counter",
		       "Of them, those that differed: a fault of the definition's routes or of ours", label),
	    differing);
}

enum bus_err gw_verify_view(struct gw_engine *e, const struct gw_view *v, gw_verify_fn fn, void *ctx,
			    struct gw_verdict *out, struct bus_error *err)
{
	struct gw_check c = {
		.r = gw_reader_of(e),
		.def = gw_view_def(v),
		.range = { .after = BUS_STR("") },
		.verdict = out,
		.progress = fn,
		.ctx = ctx,
	};
	struct gw_stmt *s;
	enum bus_err rc;

	*out = (struct gw_verdict){ 0 };
	rc = gw_reader_stmt(c.r, "SELECT 1", &s, err); /* opens the connection */
	if (rc == BUS_OK)
		rc = gw_db_exec(c.r->db, err, "BEGIN");
	if (rc != BUS_OK)
		return rc;
	rc = gw_check_waits(c.r, c.def, &out->waits, err);
	if (rc == BUS_OK && !out->waits)
		rc = gw_check_range(&c, err);
	gw_db_rollback(c.r->db);
	gw_check_count(v, out->keys, out->differing);
	return rc;
}

enum bus_err gw_verify(struct gw_engine *e, int64_t *differing, size_t n, struct bus_error *err)
{
	struct gw_views *set = gw_views_hold(e);
	struct gw_verdict verdict;
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < n && i < set->n && rc == BUS_OK; i++) {
		rc = gw_verify_view(e, set->view[i], NULL, NULL, &verdict, err);
		differing[i] = verdict.waits || verdict.waiting ? -1 : verdict.differing;
	}
	gw_views_release(&set);
	return rc;
}
