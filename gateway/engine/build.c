/* A view built beside the one that runs: a snapshot scanned, then the keys touched since. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/engine/live_impl.h"
#include "gateway/engine/rollup.h"

#define WAIT_MS 2	   /* for the scan's next piece */
#define FEW 200		   /* touched keys that the switch itself may evaluate */
#define TOUCHED_MAX 200000 /* beyond, scanning anew is cheaper than to remember them */

/* A guess, for the percent: as many rows as it has now, or as the table has that it reads first. */
static int64_t expected(struct gw_engine *e, const struct gw_def *d)
{
	struct gw_rel *rel;

	for (size_t i = 0; i < e->n_views; i++)
		if (strcmp(e->view[i]->def->pub.name, d->pub.name) == 0 && e->view[i]->rows > 0)
			return e->view[i]->rows;
	rel = d->n_reads > 0 ? gw_rel_find(e, d->read[0].table) : NULL;
	return rel && rel->rows > 0 ? rel->rows : 1;
}

/* The keys touched meanwhile may take as much again: what gets no further must not keep others waiting. */
static enum bus_err scan_open(struct gw_engine *e, struct gw_build *b, struct bus_error *err)
{
	b->v->left_us = gw_eval_most_us(e, b->v->def);
	return gw_snapshot_open(e->db_path, b->v->def, b->v->left_us, &b->scan, err);
}

enum bus_err gw_build_new(struct gw_engine *e, struct gw_def *def, bool defined, struct gw_build **out,
			  struct bus_error *err)
{
	struct gw_build *b = bus_xcalloc(1, sizeof(*b));
	struct gw_live *v = bus_xcalloc(1, sizeof(*v));
	enum bus_err rc;

	b->v = v;
	v->def = def;
	v->defined = defined;
	v->beside = true;
	b->expected = expected(e, def);
	rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = gw_setup_tables(e, v, err);
	if (rc == BUS_OK)
		rc = gw_commit(e, err);
	if (rc == BUS_OK)
		rc = gw_setup_statements(e, v, err);
	for (size_t i = 0; i < def->n_reads && rc == BUS_OK; i++)
		rc = gw_rel_listen(e, v, &def->read[i], err);
	/* From here on it hears of every change, and nothing is open: the snapshot is the moment before. */
	if (rc == BUS_OK)
		rc = scan_open(e, b, err);
	*out = b;
	if (rc != BUS_OK)
		gw_build_free(e, out);
	return rc;
}

static enum bus_err put_row(struct gw_engine *e, struct gw_live *v, struct bus_str row, struct bus_error *err)
{
	const struct gw_view *d = &v->def->pub;
	struct gw_value value, key = { 0 };
	const char *p = row.p;
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < d->n_columns; i++) {
		p += gw_value_unpack(p, &value);
		if (i == d->key)
			key = value;
		if (v->row_put)
			gw_stmt_bind_value(v->row_put, (int)i + 1, &value);
		for (size_t k = 0; k < d->n_scope && !d->internal; k++)
			if (d->scope[k] == i)
				gw_stmt_bind_value(v->state_put, (int)k + 4, &value);
	}
	if (key.type != GW_TEXT || key.s.n == 0) {
		bus_log(BUS_LOG_ERROR, "gateway.view_key", LOG_STR("view", d->name),
			LOG_STR("why", "a row without a key"));
		if (v->row_put)
			gw_stmt_reset(v->row_put);
		return BUS_OK;
	}
	e->writing = NULL;
	if (v->row_put)
		rc = gw_stmt_run(v->row_put, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(v->state_put, 1, key.s);
	gw_stmt_bind_int(v->state_put, 2, (int64_t)gw_hash(e->secret, row.p, row.n));
	gw_stmt_bind_int(v->state_put, 3, 0);
	return gw_stmt_run(v->state_put, err);
}

static enum bus_err take_rows(struct gw_engine *e, struct gw_build *b, struct bus_error *err)
{
	const char *p = b->rows.p, *end = p + b->rows.n, *row;
	enum bus_err rc = BUS_OK;
	struct gw_value value;

	while (p < end && rc == BUS_OK) {
		row = p;
		for (size_t i = 0; i < b->v->def->pub.n_columns; i++)
			p += gw_value_unpack(p, &value);
		rc = put_row(e, b->v, (struct bus_str){ row, (size_t)(p - row) }, err);
		b->scanned++;
	}
	bus_buf_reset(&b->rows);
	return rc;
}

/* So much was touched that a new snapshot costs less. */
static enum bus_err scan_again(struct gw_engine *e, struct gw_build *b, struct bus_error *err)
{
	enum bus_err rc;

	rc = gw_db_exec(e->db, err, "DELETE FROM \"%s%s\"", GW_BESIDE_STATE, b->v->def->pub.name);
	if (rc == BUS_OK && b->v->def->full)
		rc = gw_db_exec(e->db, err, "DELETE FROM \"%s%s\"", GW_BESIDE_ROWS, b->v->def->pub.name);
	if (rc == BUS_OK)
		rc = gw_commit(e, err);
	if (rc != BUS_OK)
		return rc;
	b->v->all = false;
	b->scanned = 0;
	gw_keys_clear(&b->v->dirty);
	return scan_open(e, b, err);
}

static enum bus_err step_scan(struct gw_engine *e, struct gw_build *b, int64_t until, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	bool end = false;

	do {
		rc = gw_snapshot_take(b->scan, &b->rows, WAIT_MS, &end, err);
		if (rc == BUS_OK && b->rows.n > 0)
			rc = gw_begin(e, err);
		if (rc == BUS_OK)
			rc = take_rows(e, b, err);
	} while (rc == BUS_OK && !end && bus_clock_mono_ms() < until);
	if (rc == BUS_OK && end) {
		gw_snapshot_close(&b->scan);
		if (b->v->all)
			rc = gw_begin(e, err);
		if (rc == BUS_OK && b->v->all)
			rc = scan_again(e, b, err);
	}
	return rc;
}

static enum bus_err step_keys(struct gw_engine *e, struct gw_build *b, int64_t until, struct bus_error *err)
{
	enum bus_err rc = gw_begin(e, err);

	while (rc == BUS_OK && bus_clock_mono_ms() < until) {
		if (b->todo_at == b->todo.n) {
			if (b->v->dirty.n <= FEW)
				break;
			gw_keys_release(&b->todo);
			b->todo = b->v->dirty;
			b->todo_at = 0;
			b->v->dirty = (struct gw_keys){ 0 };
		}
		rc = gw_eval_key(e, b->v, gw_keys_at(&b->todo, b->todo_at++), false, err);
	}
	return rc;
}

enum bus_err gw_build_step(struct gw_engine *e, struct gw_build *b, int ms, bool *ready,
			   struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;
	enum bus_err rc = BUS_OK;

	*ready = false;
	if (!b->v->all && b->v->dirty.n > TOUCHED_MAX)
		b->v->all = true;
	if (b->v->all)
		gw_keys_clear(&b->v->dirty);
	if (b->scan) {
		rc = step_scan(e, b, until, err);
	} else if (b->v->all) {
		rc = gw_begin(e, err);
		if (rc == BUS_OK)
			rc = scan_again(e, b, err);
	} else {
		if (!b->v->def->rollup) /* whose sums are made at the switch; its groups are looked at then */
			rc = step_keys(e, b, until, err);
		*ready =
		    rc == BUS_OK && (b->v->def->rollup || (b->todo_at == b->todo.n && b->v->dirty.n <= FEW));
	}
	return rc == BUS_OK ? gw_commit(e, err) : rc;
}

void gw_build_free(struct gw_engine *e, struct gw_build **build)
{
	struct gw_build *b = *build;
	const char *name;

	if (!b)
		return;
	gw_snapshot_close(&b->scan);
	if (b->v) { /* else it runs now */
		name = b->v->def->pub.name;
		gw_rel_unlisten(e, b->v);
		gw_sum_close(e, b->v);
		gw_setup_release(b->v);
		gw_rel_free(&b->v->rel);
		if (!e->in_transaction) /* what is left behind is made anew by the next build, or dropped at the start */
			(void)!gw_db_exec(e->db, NULL,
					  "DROP TABLE IF EXISTS \"%s%s\"; DROP TABLE IF EXISTS \"%s%s\"",
					  GW_BESIDE_STATE, name, GW_BESIDE_ROWS, name);
		gw_view_free(&b->v->def);
		free(b->v);
	}
	gw_keys_release(&b->todo);
	bus_buf_release(&b->rows);
	free(b);
	*build = NULL;
}
