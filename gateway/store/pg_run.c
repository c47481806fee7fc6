/* A statement at work: sent, queued or asked, its rows taken. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/pg_impl.h"

#define FETCH_FIRST 100 /* rows of what may be all there is, of which often a page is wanted */
#define FETCH_MORE 1000

static enum bus_err send_moment(struct gw_pg *pg, struct bus_error *err)
{
	char sql[80];

	if (pg->moment_ms == pg->moment_sent)
		return BUS_OK;
	snprintf(sql, sizeof(sql), "SET titian.saat = '%lld'", (long long)pg->moment_ms);
	pg->moment_sent = pg->moment_ms;
	return gw_pg_send_text(pg, sql, NULL, err);
}

static enum bus_err ready(struct gw_pg_stmt *s, struct bus_error *err)
{
	struct gw_pg *pg = s->pg;
	enum bus_err rc = BUS_OK;

	if (s->bad)
		return bus_fail(
		    err, BUS_EDATA,
		    "the PostgreSQL store keeps no text with a zero byte or that is no UTF-8, and no "
		    "column of several kinds of value");
	gw_pg_again(pg);
	if (gw_pg_lost(pg))
		return gw_pg_failed(pg, NULL, "a statement failed", err);
	if (s->made != pg->connections)
		rc = gw_pg_make_plain(s, err);
	return rc == BUS_OK ? send_moment(pg, err) : rc;
}

static enum bus_err put(struct gw_pg_stmt *s, const char *name, struct bus_error *err)
{
	struct gw_pg *pg = s->pg;

	if (PQpipelineStatus(pg->conn) == PQ_PIPELINE_OFF && !PQenterPipelineMode(pg->conn))
		return gw_pg_failed(pg, NULL, "a statement failed", err);
	if (!PQsendQueryPrepared(pg->conn, name, s->text.n_params, (const char *const *)s->value, s->length,
				 s->format, 0))
		return gw_pg_failed(pg, NULL, "a statement failed", err);
	return BUS_OK;
}

static void tell(struct gw_pg_stmt *s, PGresult *res)
{
	struct gw_pg *pg = s->pg;
	bool removal = s->text.sql.p[0] == 'D';
	int half = removal ? 0 : PQnfields(res) / 2;
	bool seen;

	for (int i = 0; i < PQntuples(res); i++) {
		pg->image.res = res;
		pg->image.row = i;
		pg->image.before = 0;
		pg->image.after = half;
		/* Every table that is followed begins with a key, which is never NULL in a row that is there. */
		seen = false;
		for (int c = 0; c < half && !seen; c++)
			seen = !PQgetisnull(res, i, c);
		pg->changed(pg->changed_ctx, s->text.table,
			    removal ? GW_DB_DELETE
			    : seen  ? GW_DB_UPDATE
				    : GW_DB_INSERT);
	}
}

static bool is_followed(const struct gw_pg_stmt *s)
{
	return s->pg->changed && s->text.followed.n > 0 && !s->text.temp && s->text.table[0] != '_';
}

static enum bus_err run_followed(struct gw_pg_stmt *s, struct bus_error *err)
{
	struct gw_pg *pg = s->pg;
	PGresult *res = NULL;
	enum bus_err rc = BUS_OK;

	if (s->followed_made != pg->connections) {
		snprintf(s->followed_name, sizeof(s->followed_name), "s%llu",
			 (unsigned long long)++pg->statements);
		rc = gw_pg_make(s, s->followed_name, bus_buf_cstr(&s->text.followed), err);
		s->followed_made = pg->connections;
	}
	if (rc == BUS_OK)
		rc = put(s, s->followed_name, err);
	if (rc == BUS_OK)
		rc = gw_pg_drain(pg, true, &res, err);
	if (rc == BUS_OK)
		tell(s, res);
	PQclear(res);
	return rc;
}

/* Rows that may be all there are come in pieces, while other statements run between. */
static enum bus_err open_cursor(struct gw_pg_stmt *s, struct bus_error *err)
{
	struct gw_pg *pg = s->pg;
	struct bus_buf sql = { 0 };
	enum bus_err rc = gw_pg_drain(pg, false, NULL, err);
	PGresult *res = NULL;

	s->portal = bus_xasprintf("c%llu", (unsigned long long)++pg->statements);
	bus_buf_printf(&sql, "DECLARE %s NO SCROLL CURSOR FOR %s", s->portal, bus_buf_cstr(&s->text.sql));
	if (rc == BUS_OK && !PQenterPipelineMode(pg->conn))
		rc = gw_pg_failed(pg, NULL, "a statement failed", err);
	if (rc == BUS_OK && !PQsendQueryParams(pg->conn, bus_buf_cstr(&sql), s->text.n_params, s->type,
					       (const char *const *)s->value, s->length, s->format, 0))
		rc = gw_pg_failed(pg, NULL, "a statement failed", err);
	if (rc == BUS_OK)
		rc = gw_pg_drain(pg, true, &res, err);
	PQclear(res);
	bus_buf_release(&sql);
	s->cursor = rc == BUS_OK;
	return rc;
}

static enum bus_err fetch(struct gw_pg_stmt *s, bool begins, struct bus_error *err)
{
	char sql[64];
	enum bus_err rc;

	PQclear(s->res);
	s->res = NULL;
	snprintf(sql, sizeof(sql), "FETCH %d FROM %s", begins ? FETCH_FIRST : FETCH_MORE, s->portal);
	rc = gw_pg_send_text(s->pg, sql, &s->res, err);
	s->row = 0;
	s->cursor = rc == BUS_OK && PQntuples(s->res) > 0;
	return rc;
}

static enum bus_err first(struct gw_pg_stmt *s, struct bus_error *err)
{
	struct gw_pg *pg = s->pg;
	enum bus_err rc = ready(s, err);
	bool inside;

	if (rc != BUS_OK)
		return rc;
	s->stage = GW_PG_ROWS;
	if (s->text.kind == GW_PG_WRITE)
		pg->changes++;
	if (!s->text.rows) {
		s->stage = GW_PG_DONE;
		if (is_followed(s))
			return run_followed(s, err);
		inside = gw_pg_in_transaction(pg);
		rc = put(s, s->name, err);
		pg->queued += rc == BUS_OK;
		/* Outside of a transaction it is over only when the server says so. */
		if (rc == BUS_OK && (pg->queued >= GW_PG_QUEUE_MAX || !inside))
			rc = gw_pg_drain(pg, false, NULL, err);
		return rc;
	}
	if (s->text.many && gw_pg_in_transaction(pg)) {
		rc = open_cursor(s, err);
		return rc == BUS_OK ? fetch(s, true, err) : rc;
	}
	rc = put(s, s->name, err);
	if (rc == BUS_OK)
		rc = gw_pg_drain(pg, true, &s->res, err);
	s->row = 0;
	return rc;
}

enum bus_err gw_pg_step(struct gw_pg_stmt *s, bool *row, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	*row = false;
	if (s->stage == GW_PG_DONE)
		s->stage = GW_PG_IDLE;
	if (s->stage == GW_PG_IDLE)
		rc = first(s, err);
	else
		s->row++;
	if (rc != BUS_OK && s->stage != GW_PG_IDLE && s->row == 0 && gw_pg_again(s->pg)) {
		s->cursor = false;
		rc = first(s, err);
	}
	if (rc == BUS_OK && s->stage == GW_PG_ROWS && s->row >= PQntuples(s->res) && s->cursor)
		rc = fetch(s, false, err);
	if (rc != BUS_OK) {
		gw_pg_reset(s);
		return rc;
	}
	*row = s->stage == GW_PG_ROWS && s->row < PQntuples(s->res);
	if (!*row && s->stage == GW_PG_ROWS) {
		gw_pg_reset(s);
		s->stage = GW_PG_DONE;
	}
	return BUS_OK;
}

void gw_pg_reset(struct gw_pg_stmt *s)
{
	struct gw_pg *pg = s->pg;
	char sql[64];

	PQclear(s->res);
	s->res = NULL;
	s->bad = false;
	if (s->portal && s->made == pg->connections && PQtransactionStatus(pg->conn) == PQTRANS_INTRANS) {
		snprintf(sql, sizeof(sql), "CLOSE %s",
			 s->portal); /* it may have gone with a point gone back to */
		(void)!gw_pg_guarded(pg, sql, NULL);
	}
	free(s->portal);
	s->portal = NULL;
	s->cursor = false;
	s->stage = GW_PG_IDLE;
}
