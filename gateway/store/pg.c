/* A connection at work: text and queues, transactions, deadlines, errors. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/store/pg_impl.h"

#define LOOK_MS 50	  /* between two looks at the clock */
#define GIVEN_UP_MS 2000  /* that the server has to end what it was told to */
#define TEND_LEAST 20000  /* rows changed before statistics are made anew */
#define CANCELLED "57014" /* query_canceled */

bool gw_pg_in_transaction(const struct gw_pg *pg)
{
	PGTransactionStatusType s = PQtransactionStatus(pg->conn);

	return pg->queued > 0 || s == PQTRANS_INTRANS || s == PQTRANS_INERROR;
}

bool gw_pg_lost(const struct gw_pg *pg)
{
	return pg->lost || PQstatus(pg->conn) != CONNECTION_OK;
}

bool gw_pg_again(struct gw_pg *pg)
{
	return pg->mode == GW_DB_READER && !pg->begun && gw_pg_lost(pg) &&
	       atomic_load(&pg->given_up_ms) == 0 && gw_pg_connect(pg, NULL) == BUS_OK;
}

/* The server's words may hold a row's values after a colon or in the details: only its primary message is told, which
 * for data that do not fit a type is left out, too. */
enum bus_err gw_pg_failed(struct gw_pg *pg, const PGresult *res, const char *doing, struct bus_error *err)
{
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	pg->lost |= !state || strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0;
	if (PQstatus(pg->conn) != CONNECTION_OK || !state)
		return bus_fail(err, BUS_EIO, "%s: PostgreSQL does not answer", doing);
	if (strcmp(state, CANCELLED) == 0)
		return bus_fail(err, BUS_ETIMEOUT, "%s: the time for a query is over", doing);
	if (strncmp(state, "53", 2) == 0)
		return bus_fail(err, BUS_EFULL, "%s: PostgreSQL: %s", doing, text);
	if (strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0)
		return bus_fail(err, BUS_EIO, "%s: PostgreSQL: %s", doing, text);
	if (strncmp(state, "22", 2) == 0) /* data exception: the text quotes the data */
		return bus_fail(err, BUS_EDB, "%s: PostgreSQL: a value does not fit (SQLSTATE %s)", doing,
				state);
	return bus_fail(err, BUS_EDB, "%s: PostgreSQL: %s", doing, text);
}

/* What runs ends at its deadline, or is told to by another thread. A server that is silent then, too, is not waited for:
 * the connection is as good as lost. */
static void look(struct gw_pg *pg)
{
	int64_t now = bus_clock_mono_ms(), given_up = atomic_load(&pg->given_up_ms);

	if (given_up != 0 && now > given_up + GIVEN_UP_MS)
		(void)shutdown(PQsocket(pg->conn), SHUT_RDWR);
	else if (given_up == 0 && pg->deadline_ms != 0 && now > pg->deadline_ms)
		gw_pg_interrupt(pg);
}

/* Until an answer is there to be taken without waiting. */
static void await(struct gw_pg *pg)
{
	struct pollfd p = { .fd = PQsocket(pg->conn) };
	int left;

	while ((left = PQflush(pg->conn)) >= 0 && PQisBusy(pg->conn)) {
		p.events = (short)(POLLIN | (left ? POLLOUT : 0));
		look(pg);
		if (poll(&p, 1, LOOK_MS) < 0 && errno != EINTR)
			return;
		if ((p.revents & ~POLLOUT) && !PQconsumeInput(pg->conn))
			return;
	}
	while (gw_pg_cancelling(pg)) { /* it would end the next statement */
		look(pg);
		if (PQstatus(pg->conn) != CONNECTION_OK || !PQconsumeInput(pg->conn))
			return;
		(void)poll(NULL, 0, 1);
	}
}

/* The next answer; NULL where one statement's end. */
static PGresult *take(struct gw_pg *pg)
{
	await(pg);
	return PQgetResult(pg->conn);
}

PGresult *gw_pg_answer(struct gw_pg *pg)
{
	PGresult *res, *last = NULL;

	while ((res = take(pg))) {
		PQclear(last);
		last = res;
	}
	return last;
}

static bool is_bad(const PGresult *res)
{
	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
	case PGRES_PIPELINE_SYNC:
		return false;
	default:
		return true;
	}
}

enum bus_err gw_pg_drain(struct gw_pg *pg, bool one, PGresult **last, struct bus_error *err)
{
	size_t n = pg->queued + one;
	enum bus_err rc = BUS_OK;
	PGresult *res;

	if (last)
		*last = NULL;
	if (PQpipelineStatus(pg->conn) == PQ_PIPELINE_OFF)
		return PQstatus(pg->conn) == CONNECTION_OK ? BUS_OK
							   : gw_pg_failed(pg, NULL, "cannot write", err);
	if (!PQpipelineSync(pg->conn))
		rc = gw_pg_failed(pg, NULL, "a statement failed", err);
	for (size_t i = 0; i < n && PQstatus(pg->conn) == CONNECTION_OK; i++) {
		while ((res = take(pg))) {
			if (is_bad(res) && rc == BUS_OK)
				rc = gw_pg_failed(pg, res, "a statement failed", err);
			if (one && last && i + 1 == n && !*last)
				*last = res;
			else
				PQclear(res);
		}
	}
	while (PQstatus(pg->conn) == CONNECTION_OK && (res = take(pg))) { /* the sync itself */
		bool end = PQresultStatus(res) == PGRES_PIPELINE_SYNC;

		PQclear(res);
		if (end)
			break;
	}
	if (PQstatus(pg->conn) != CONNECTION_OK && rc == BUS_OK)
		rc = gw_pg_failed(pg, NULL, "a statement failed", err);
	pg->queued = 0;
	PQexitPipelineMode(pg->conn);
	if (rc != BUS_OK && last && *last) {
		PQclear(*last);
		*last = NULL;
	}
	return rc;
}

enum bus_err gw_pg_send_text(struct gw_pg *pg, const char *sql, PGresult **last, struct bus_error *err)
{
	enum bus_err rc = gw_pg_drain(pg, false, NULL, err);
	PGresult *res, *keep = NULL;

	if (last)
		*last = NULL;
	if (rc != BUS_OK)
		return rc;
	if (!PQsendQuery(pg->conn, sql))
		return gw_pg_failed(pg, NULL, "cannot write to the database", err);
	while ((res = take(pg))) {
		if (is_bad(res) && rc == BUS_OK)
			rc = gw_pg_failed(pg, res, "cannot write to the database", err);
		PQclear(keep);
		keep = res;
	}
	if (PQstatus(pg->conn) != CONNECTION_OK && rc == BUS_OK)
		rc = gw_pg_failed(pg, NULL, "cannot write to the database", err);
	if (rc == BUS_OK && last)
		*last = keep;
	else
		PQclear(keep);
	return rc;
}

/* What the shadow has, for the next start, and for readers. */
static enum bus_err keep_definitions(struct gw_pg *pg, struct bus_error *err)
{
	struct bus_buf dump = { 0 }, sql = { 0 };
	PGresult *res = NULL;
	char *quoted;
	enum bus_err rc;

	rc = pg->shadow.dump(pg->shadow.ctx, &dump, err);
	if (rc == BUS_OK) {
		quoted = PQescapeLiteral(pg->conn, bus_buf_cstr(&dump), dump.n);
		bus_buf_printf(&sql,
			       "UPDATE " GW_PG_SCHEMA
			       "._titian SET version = version + 1, definitions = %s RETURNING version",
			       quoted ? quoted : "NULL");
		PQfreemem(quoted);
		rc = gw_pg_send_text(pg, bus_buf_cstr(&sql), &res, err);
	}
	if (rc == BUS_OK)
		pg->version = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	bus_buf_release(&dump);
	bus_buf_release(&sql);
	if (rc == BUS_OK)
		pg->defined = false;
	return rc;
}

enum bus_err gw_pg_guarded(struct gw_pg *pg, const char *sql, struct bus_error *err)
{
	struct bus_buf b = { 0 };
	enum bus_err rc;
	bool inside = gw_pg_in_transaction(pg);

	if (inside)
		bus_buf_printf(&b, "SAVEPOINT _one; %s; RELEASE _one", sql);
	rc = gw_pg_send_text(pg, inside ? bus_buf_cstr(&b) : sql, NULL, err);
	if (rc != BUS_OK && inside && PQstatus(pg->conn) == CONNECTION_OK)
		(void)!gw_pg_send_text(pg, "ROLLBACK TO _one; RELEASE _one", NULL, NULL);
	bus_buf_release(&b);
	return rc;
}

static enum bus_err transact(struct gw_pg *pg, struct gw_pg_text *t, struct bus_error *err)
{
	const char *sql = bus_buf_cstr(&t->sql);
	enum bus_err rc;

	if (strcmp(sql, "BEGIN") == 0) {
		if (gw_pg_lost(pg)) {
			rc = gw_pg_connect(pg, err);
			if (rc != BUS_OK)
				return rc;
		}
		sql = pg->mode == GW_DB_READER ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN";
		rc = gw_pg_send_text(pg, sql, NULL, err);
		if (rc != BUS_OK && gw_pg_again(pg))
			rc = gw_pg_send_text(pg, sql, NULL, err);
		pg->begun = rc == BUS_OK;
		return rc;
	}
	if (strcmp(sql, "COMMIT") == 0 && pg->defined) {
		rc = keep_definitions(pg, err);
		if (rc != BUS_OK)
			return rc;
	}
	pg->begun = pg->begun && strcmp(sql, "COMMIT") != 0 && strcmp(sql, "ROLLBACK") != 0;
	return gw_pg_send_text(pg, sql, NULL, err);
}

static enum bus_err one(struct gw_pg *pg, struct gw_pg_text *t, const char *original, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	switch (t->kind) {
	case GW_PG_OTHER:
		return BUS_OK;
	case GW_PG_TRANSACT:
		rc = transact(pg, t, err);
		return rc == BUS_OK && pg->mode == GW_DB_WRITER
			   ? pg->shadow.exec(pg->shadow.ctx, original, err)
			   : rc;
	case GW_PG_DEFINE:
		rc = gw_pg_guarded(pg, bus_buf_cstr(&t->sql), err);
		if (rc == BUS_OK && !t->temp) {
			rc = pg->shadow.exec(pg->shadow.ctx, original, err);
			pg->defined = true;
			if (rc == BUS_OK && !gw_pg_in_transaction(pg))
				rc = keep_definitions(pg, err);
		}
		return rc;
	default:
		return gw_pg_guarded(pg, bus_buf_cstr(&t->sql), err);
	}
}

enum bus_err gw_pg_exec(struct gw_pg *pg, const char *sql, struct bus_error *err)
{
	struct gw_pg_text t;
	enum bus_err rc = BUS_OK;
	const char *rest;
	char *original;

	for (; *sql && rc == BUS_OK; sql = rest) {
		rc = gw_pg_translate(sql, pg->shadow.world, &t, &rest, err);
		if (rc != BUS_OK)
			break;
		original = bus_xstrndup(sql, (size_t)(rest - sql));
		rc = one(pg, &t, original, err);
		free(original);
		gw_pg_text_release(&t);
	}
	return rc;
}

void gw_pg_rollback(struct gw_pg *pg)
{
	struct bus_error err;

	gw_pg_deadline(pg, 0);
	pg->begun = false;
	(void)!gw_pg_drain(pg, false, NULL, NULL);
	if (PQstatus(pg->conn) == CONNECTION_OK && PQtransactionStatus(pg->conn) != PQTRANS_IDLE)
		(void)!gw_pg_send_text(pg, "ROLLBACK", NULL, NULL);
	if (pg->mode == GW_DB_WRITER)
		pg->shadow.rollback(pg->shadow.ctx);
	pg->defined = false;
	if (gw_pg_lost(pg) && gw_pg_connect(pg, &err) != BUS_OK)
		bus_log(BUS_LOG_WARN, "gateway.postgres", LOG_STR("why", err.text));
}

enum bus_err gw_pg_tend(struct gw_pg *pg, struct bus_error *err)
{
	if (pg->changes < TEND_LEAST || gw_pg_in_transaction(pg))
		return BUS_OK;
	pg->changes = 0;
	return gw_pg_send_text(pg, "ANALYZE", NULL, err);
}

void gw_pg_deadline(struct gw_pg *pg, int64_t mono_ms)
{
	pg->deadline_ms = mono_ms;
	atomic_store(&pg->given_up_ms, 0);
}

void gw_pg_moment(struct gw_pg *pg, int64_t ms)
{
	pg->moment_ms = ms;
}

enum bus_err gw_pg_refresh(struct gw_pg *pg, struct bus_error *err)
{
	enum bus_err rc;
	PGresult *res = NULL;
	char sql[200];

	if (pg->mode == GW_DB_WRITER)
		return BUS_OK;
	snprintf(sql, sizeof(sql),
		 "SELECT version, definitions FROM " GW_PG_SCHEMA "._titian WHERE version <> %lld",
		 (long long)pg->version);
	rc = gw_pg_send_text(pg, sql, &res, err);
	if (rc != BUS_OK && gw_pg_again(pg)) /* which has asked for them */
		return BUS_OK;
	if (rc == BUS_OK && PQntuples(res) > 0) {
		rc = pg->shadow.load(pg->shadow.ctx, PQgetvalue(res, 0, 1), err);
		pg->version = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	}
	PQclear(res);
	return rc;
}

void gw_pg_on_change(struct gw_pg *pg, gw_db_change_fn fn, void *ctx)
{
	pg->changed = fn;
	pg->changed_ctx = ctx;
}

void gw_pg_image(struct gw_pg *pg, bool after, int column, struct gw_value *out)
{
	int first = after ? pg->image.after : pg->image.before;

	/* Bytes are read into nothing that lasts: no route leads over them. */
	gw_pg_read_value(pg->image.res, pg->image.row, first + column, out, NULL);
}
