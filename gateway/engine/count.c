/* Numbers of rows: exact, and about. */
#include <stdio.h>

#include "gateway/engine/reading.h"

#define SAMPLE 1000 /* keys; most keys are digests, so that the first ones are as good as any */

/* Of a part: the state knows where every key is. */
static enum bus_err count_part(struct gw_reader *r, const struct gw_query *q, int64_t *n,
			       struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	bus_buf_printf(&sql, "SELECT count(*) FROM \"_view_%s\" WHERE hash IS NOT NULL", q->view->name);
	gw_scope_put_sql(q->rows, "\"s_", &sql);
	rc = gw_reader_stmt(r, bus_buf_cstr(&sql), &s, err);
	bus_buf_release(&sql);
	if (rc != BUS_OK)
		return rc;
	gw_scope_bind_sql(s, q->view, q->rows);
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK)
		*n = gw_stmt_int(s, 0);
	gw_stmt_reset(s);
	return rc;
}

enum bus_err gw_count(struct gw_reader *r, const struct gw_query *q, int64_t *n, struct bus_error *err)
{
	struct gw_query all = *q;
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	*n = atomic_load(&gw_view_def(q->view)->rows);
	rc = gw_read_check_date(q->view, q->date, err);
	if (rc != BUS_OK)
		return rc;
	if (q->n_filters == 0 && !q->view->dated && !r->of_past)
		return q->rows ? count_part(r, q, n, err) : BUS_OK;
	all.after = (struct bus_str){ 0 };
	all.n_order = 0;
	rc = gw_read_prepare(r, &all, GW_COUNT, &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_read_limit(r, &all);
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK)
		*n = gw_stmt_int(s, 0);
	gw_stmt_reset(s);
	return gw_read_over(q, rc, err);
}

static enum bus_err sample_keys(struct gw_reader *r, const struct gw_view *v, struct gw_keys *keys,
				struct bus_error *err)
{
	struct gw_stmt *s;
	char sql[200];
	enum bus_err rc;
	bool row;

	snprintf(sql, sizeof(sql),
		 "SELECT key FROM \"_view_%s\" WHERE hash IS NOT NULL ORDER BY key LIMIT %d", v->name,
		 SAMPLE);
	rc = gw_reader_stmt(r, sql, &s, err);
	if (rc != BUS_OK)
		return rc;
	while ((rc = gw_stmt_step(s, &row, err)) == BUS_OK && row)
		gw_keys_add(keys, gw_stmt_text(s, 0));
	gw_stmt_reset(s);
	return rc;
}

enum bus_err gw_estimate(struct gw_reader *r, const struct gw_query *q, int64_t *n, struct bus_error *err)
{
	int64_t total = atomic_load(&gw_view_def(q->view)->rows), found = 0;
	struct gw_keys keys = { 0 };
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	/* Of a part nothing is told about the whole: neither its number nor which of its keys match. */
	if ((q->rows && q->rows->n > 0) || r->of_past || total <= SAMPLE ||
	    (q->n_filters == 0 && !q->view->dated))
		return gw_count(r, q, n, err);
	rc = gw_read_check_date(q->view, q->date, err);
	if (rc == BUS_OK)
		rc = sample_keys(r, q->view, &keys, err);
	if (rc == BUS_OK)
		rc = gw_read_prepare(r, q, GW_ONE_KEY, &s, err);
	if (rc == BUS_OK)
		gw_read_limit(r, q);
	for (size_t i = 0; i < keys.n && rc == BUS_OK; i++) {
		gw_stmt_bind_text(s, gw_stmt_param(s, ":_key"), gw_keys_at(&keys, i));
		rc = gw_stmt_step(s, &row, err);
		found += rc == BUS_OK && row;
		gw_stmt_reset(s);
	}
	*n = keys.n ? total * found / (int64_t)keys.n : 0;
	gw_keys_release(&keys);
	return gw_read_over(q, rc, err);
}
