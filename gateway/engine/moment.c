/* When changes were committed, by the minute: for those who know a time, and want a place in the change log. */
#include <inttypes.h>

#include "bus/clock.h"
#include "gateway/engine/reading.h"

#define MINUTE_MS 60000

enum bus_err gw_moment_tables(struct gw_engine *e, struct bus_error *err)
{
	return gw_db_exec(e->db, err,
			  "CREATE TABLE IF NOT EXISTS _moment(minute INTEGER PRIMARY KEY, seq INTEGER)");
}

/* The first commit of a minute notes what had been committed before it: every later change came in that minute, or
 * after it. Some 10 MB for a year of changes in every minute. */
enum bus_err gw_moment_note(struct gw_engine *e, struct bus_error *err)
{
	int64_t minute = e->given_minute ? e->given_minute : bus_clock_ms() / MINUTE_MS;
	enum bus_err rc;

	if (minute == e->moment)
		return BUS_OK;
	rc = gw_db_exec(e->db, err, "INSERT OR IGNORE INTO _moment VALUES(%" PRId64 ",%" PRId64 ")", minute,
			e->seq_saved);
	if (rc == BUS_OK)
		e->moment = minute;
	return rc;
}

/* The least of all later minutes: a clock that was put back has noted them out of order. */
enum bus_err gw_seq_at(struct gw_reader *r, int64_t ms, int64_t *seq, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc = gw_read_begin(r, err);
	bool row;

	if (rc != BUS_OK)
		return rc;
	rc = gw_reader_stmt(r,
			    "SELECT coalesce((SELECT min(seq) FROM _moment WHERE minute >= ?), (SELECT "
			    "CAST(value AS INTEGER) FROM _meta WHERE name = 'seq'), 0)",
			    &s, err);
	if (rc == BUS_OK) {
		gw_stmt_bind_int(s, 1, ms / MINUTE_MS);
		rc = gw_stmt_step(s, &row, err);
		*seq = rc == BUS_OK && row ? gw_stmt_int(s, 0) : 0;
		gw_stmt_reset(s);
	}
	gw_db_rollback(r->db);
	return rc;
}
