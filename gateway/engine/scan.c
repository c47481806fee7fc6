#include "gateway/engine/scan.h"

#include <time.h>

#include "bus/clock.h"
#include "gateway/engine/reading.h"

#define LOOK_MS 10
#define ROWS_BETWEEN_LOOKS 1024

enum standing { REPLACED = -1, AT_REST, WAITS };

/* What the store says of the view, in the open transaction. */
static enum bus_err look(struct gw_reader *r, const struct gw_view *v, int64_t *seq, enum standing *out,
			 struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc =
	    gw_reader_stmt(r,
			   "SELECT (SELECT CAST(value AS INTEGER) FROM _meta WHERE name = 'seq'), "
			   "all_dirty OR EXISTS(SELECT 1 FROM _dirty d WHERE d.view = v.id) "
			   "FROM _view v WHERE v.id = ?",
			   &s, err);
	bool row = false;

	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_int(s, 1, atomic_load(&gw_view_def(v)->id));
	rc = gw_stmt_step(s, &row, err);
	*seq = row ? gw_stmt_int(s, 0) : 0;
	*out = !row ? REPLACED : gw_stmt_int(s, 1) && !gw_view_def(v)->full ? WAITS : AT_REST;
	gw_stmt_reset(s);
	return rc;
}

/* A transaction in which what is read of the view is what its change log says. Rows of a thin view are computed
 * from tables that may be ahead of the log; one that changes and changes back meanwhile is never logged, and would
 * stand in an export for ever. */
static enum bus_err begin_settled(struct gw_reader *r, const struct gw_scan *s, int64_t *seq,
				  struct bus_error *err)
{
	static const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
	const int64_t until = bus_clock_mono_ms() + s->wait_ms;
	enum standing standing;

	for (;;) {
		const struct gw_view *v = s->query.view;
		enum bus_err rc = gw_read_begin(r, err);

		if (rc == BUS_OK)
			rc = look(r, v, seq, &standing, err);
		if (rc == BUS_OK && standing == AT_REST && s->before) {
			v = s->before;
			rc = look(r, v, seq, &standing, err);
		}
		if (rc != BUS_OK || standing == AT_REST)
			return rc;
		gw_db_rollback(r->db);
		if (standing == REPLACED)
			return bus_fail(err, BUS_ECONFLICT, "view '%s' has another definition now", v->name);
		if (s->stop && *s->stop)
			return bus_fail(err, BUS_ESTOPPED, "stopped");
		if (bus_clock_mono_ms() >= until)
			return bus_fail(err, BUS_ECONFLICT, "view '%s' is being brought up to date", v->name);
		nanosleep(&pause, NULL);
	}
}

static enum bus_err each_row(struct gw_reader *r, const struct gw_scan *s, const struct gw_query *q,
			     gw_scan_row_fn fn, void *ctx, struct bus_error *err)
{
	struct gw_stmt *stmt;
	uint64_t n = 0;
	bool row;
	enum bus_err rc = gw_read_prepare(r, q, GW_PAGE, &stmt, err);

	if (rc != BUS_OK)
		return rc;
	gw_db_deadline(r->db, s->deadline_ms);
	while ((rc = gw_stmt_step(stmt, &row, err)) == BUS_OK && row) {
		rc = fn(ctx, gw_read_values(r, q->view, stmt), err);
		if (rc != BUS_OK)
			break;
		if (++n % ROWS_BETWEEN_LOOKS == 0 && s->stop && *s->stop) {
			rc = bus_fail(err, BUS_ESTOPPED, "stopped");
			break;
		}
	}
	gw_stmt_reset(stmt);
	return rc;
}

enum bus_err gw_scan(struct gw_reader *r, const struct gw_scan *s, gw_scan_begin_fn begin, gw_scan_row_fn row,
		     void *ctx, struct bus_error *err)
{
	const struct gw_query before = { .view = s->before, .limit = -1 };
	struct gw_query q = s->query;
	int64_t seq;
	enum bus_err rc = gw_read_check_date(q.view, q.date, err);

	if (rc != BUS_OK)
		return rc;
	q.after = (struct bus_str){ 0 };
	if (s->all)
		q.limit = -1;
	rc = begin_settled(r, s, &seq, err);
	if (rc == BUS_OK && s->before)
		rc = each_row(r, s, &before, s->before_row, ctx, err);
	if (rc == BUS_OK)
		rc = begin(ctx, seq, err);
	if (rc == BUS_OK)
		rc = each_row(r, s, &q, row, ctx, err);
	if (r->db)
		gw_db_rollback(r->db);
	return rc;
}
