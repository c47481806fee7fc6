/* The change log of a view, as its followers read it. */
#include <stdio.h>

#include "gateway/engine/reading.h"

enum bus_err gw_changes(struct gw_reader *r, const struct gw_view *v, const char *date, int64_t after,
			int limit, gw_change_fn fn, void *ctx, int64_t *last, struct bus_error *err)
{
	struct gw_query q = { .view = v, .date = date };
	struct gw_stmt *log, *newest, *one = NULL;
	struct gw_change c;
	bool row, more = true;
	char sql[400];
	int n = 0;
	enum bus_err rc;

	*last = after;
	rc = gw_read_check_date(v, date, err);
	if (rc == BUS_OK)
		rc = gw_read_begin(r, err);
	if (rc != BUS_OK)
		return rc;
	/* An entry that its key has outlived is passed over: the newest one of the key comes later. */
	snprintf(sql, sizeof(sql),
		 "SELECT l.seq, l.key, s.hash IS NULL FROM \"_log_%s\" l CROSS JOIN \"_view_%s\" s ON s.key "
		 "= l.key "
		 "AND s.seq = l.seq WHERE l.seq > ? ORDER BY l.seq LIMIT ?",
		 v->name, v->name);
	rc = gw_reader_stmt(r, sql, &log, err);
	if (rc != BUS_OK)
		goto out;
	gw_stmt_bind_int(log, 1, after);
	gw_stmt_bind_int(log, 2, limit);
	while (more && (rc = gw_stmt_step(log, &row, err)) == BUS_OK && row) {
		c = (struct gw_change){ .seq = gw_stmt_int(log, 0),
					.key = gw_stmt_text(log, 1),
					.removed = true };
		n++;
		*last = c.seq;
		if (gw_stmt_int(log, 2) == 0) {
			rc = gw_read_one(r, &q, c.key, &c.value, &c.hash, &one, err);
			c.removed = !c.value;
		}
		if (rc != BUS_OK)
			break;
		if (!c.removed || after > 0)
			more = fn(ctx, &c);
		if (one)
			gw_stmt_reset(one);
		one = NULL;
	}
	if (one)
		gw_stmt_reset(one);
	gw_stmt_reset(log);
	if (rc == BUS_OK && more && n < limit) {
		rc = gw_reader_stmt(r, "SELECT value FROM _meta WHERE name = 'seq'", &newest, err);
		if (rc == BUS_OK && (rc = gw_stmt_step(newest, &row, err)) == BUS_OK && row &&
		    strtoll(gw_stmt_text(newest, 0).p, NULL, 10) > *last)
			*last = strtoll(gw_stmt_text(newest, 0).p, NULL, 10);
		if (newest)
			gw_stmt_reset(newest);
	}
out:
	gw_db_rollback(r->db);
	return rc;
}
