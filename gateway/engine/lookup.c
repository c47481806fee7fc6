/* Many rows by an identifier, in one state of the view. */
#include "gateway/engine/reading.h"

/* May a column lead to its rows? Through an index, or because the view is small. */
#define SMALL_ROWS 2000

static enum bus_err served(struct gw_reader *r, const struct gw_query *q, struct bus_error *err)
{
	struct gw_plan plan;
	enum bus_err rc;

	if (atomic_load(&gw_view_def(q->view)->rows) <= SMALL_ROWS)
		return BUS_OK;
	rc = gw_read_plan(r, bus_buf_str(&r->sql), &plan, err);
	if (rc == BUS_OK && plan.scans)
		rc = bus_fail(err, BUS_EINVAL, "no index leads from column '%s' to the rows of view '%s'",
			      q->view->column[q->filter[0].column].name, q->view->name);
	return rc;
}

static enum bus_err by_column(struct gw_reader *r, const struct gw_query *q, gw_found_fn fn, void *ctx,
			      size_t i, struct bus_error *err)
{
	const struct gw_value *value;
	struct gw_stmt *s;
	enum bus_err rc;
	uint64_t hash = 0;
	bool row;

	rc = gw_read_prepare(r, q, GW_MATCHES, &s, err);
	if (rc == BUS_OK && i == 0)
		rc = served(r, q, err);
	if (rc != BUS_OK)
		return rc;
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK) {
		value = row ? gw_read_row(r, q->view, s, &hash) : NULL;
		fn(ctx, i, value, hash);
		if (row && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row)
			rc = bus_fail(err, BUS_ECONFLICT, "value %zu of the list has several rows", i + 1);
	}
	gw_stmt_reset(s);
	return rc;
}

static enum bus_err by_key(struct gw_reader *r, const struct gw_query *q, const char *key, gw_found_fn fn,
			   void *ctx, size_t i, struct bus_error *err)
{
	const struct gw_value *value = NULL;
	struct gw_stmt *s = NULL;
	uint64_t hash = 0;
	enum bus_err rc = gw_read_one(r, q, bus_str(key), &value, &hash, &s, err);

	if (rc == BUS_OK)
		fn(ctx, i, value, hash);
	if (s)
		gw_stmt_reset(s);
	return rc;
}

enum bus_err gw_lookup(struct gw_reader *r, const struct gw_query *q, int column, const char *const *value,
		       size_t n, gw_found_fn fn, void *ctx, struct bus_error *err)
{
	struct gw_filter is = { .column = column, .op = GW_EQ, .n = 1 };
	struct gw_query one = {
		.view = q->view, .date = q->date, .filter = &is, .n_filters = 1, .rows = q->rows
	};
	struct gw_query keyed = { .view = q->view, .date = q->date, .rows = q->rows };
	enum bus_err rc = gw_read_check_date(q->view, q->date, err);

	if (rc == BUS_OK)
		rc = gw_read_begin_bounded(r, err);
	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		is.value = &value[i];
		rc = column == (int)q->view->key ? by_key(r, &keyed, value[i], fn, ctx, i, err)
						 : by_column(r, &one, fn, ctx, i, err);
	}
	gw_read_end(r);
	return gw_read_over(&one, rc, err);
}
