#include "adapters/change/pg.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/secret.h"

#define CONNECT_MS 15000

struct adapter_pg {
	PGconn *conn;
	PGresult *res; /* of the last statement, or the row in hand */
	int stop_fd;
	char state[6];
};

/* What libpq says, on one line. */
static enum bus_err lost(struct adapter_pg *pg, struct bus_error *err)
{
	const char *text = pg->conn ? PQerrorMessage(pg->conn) : "";

	return bus_fail(err, BUS_EIO, "PostgreSQL: %.*s", (int)strcspn(text, "\n"),
			*text ? text : "the connection is gone");
}

static enum bus_err refused(struct adapter_pg *pg, const PGresult *res, struct bus_error *err)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	snprintf(pg->state, sizeof(pg->state), "%s", state ? state : "");
	if (!state || PQstatus(pg->conn) != CONNECTION_OK || strncmp(state, "57P", 3) == 0)
		return lost(pg, err);
	return bus_fail(err, BUS_EDB, "PostgreSQL: %s", text ? text : "no reason given");
}

/* Until the socket is ready, a moment (monotonic) has come, or we are to stop. */
static enum bus_err wait_until(struct adapter_pg *pg, short events, int64_t until, struct bus_error *err)
{
	struct pollfd fd[2] = { { .fd = PQsocket(pg->conn), .events = events },
				{ .fd = pg->stop_fd, .events = POLLIN } };
	int64_t left = until - bus_clock_mono_ms();

	if (fd[0].fd < 0)
		return lost(pg, err);
	poll(fd, 2, left < 0 ? 0 : (int)left);
	if (fd[1].revents)
		return bus_fail(err, BUS_ESTOPPED, "stopped");
	return fd[0].revents ? BUS_OK : bus_fail(err, BUS_ETIMEOUT, "PostgreSQL does not answer");
}

static enum bus_err connect_to(struct adapter_pg *pg, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + CONNECT_MS;
	PostgresPollingStatusType s = PGRES_POLLING_WRITING;

	if (PQstatus(pg->conn) == CONNECTION_BAD)
		return lost(pg, err);
	while (s != PGRES_POLLING_OK) {
		enum bus_err rc = wait_until(pg, s == PGRES_POLLING_READING ? POLLIN : POLLOUT, until, err);

		if (rc)
			return rc;
		s = PQconnectPoll(pg->conn);
		if (s == PGRES_POLLING_FAILED) {
			rc = lost(pg, err);
			return PQconnectionNeedsPassword(pg->conn) || PQconnectionUsedPassword(pg->conn)
				   ? bus_fail_prefix(err, BUS_EDENIED, "(password_file)")
				   : rc;
		}
	}
	return PQsetnonblocking(pg->conn, 1) == 0 ? BUS_OK : lost(pg, err);
}

enum bus_err adapter_pg_open(const struct adapter_pg_conf *conf, bool replication, struct adapter_pg **out,
			     struct bus_error *err)
{
	static const char settings[] =
	    "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 "
	    "-c bytea_output=hex -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 "
	    "-c default_transaction_read_only=off";
	const char *key[10] = { "dbname", "options", "client_encoding", "application_name",
				"keepalives_idle" };
	const char *value[10] = { conf->connection, settings, "UTF8", "titian-adapter", "30" };
	struct adapter_pg *pg = bus_xcalloc(1, sizeof(*pg));
	struct bus_buf password = { 0 };
	size_t n = 5;
	enum bus_err rc = BUS_OK;

	*out = NULL;
	pg->stop_fd = conf->stop_fd;
	if (replication) {
		key[n] = "replication";
		value[n++] = "database";
	}
	if (conf->password_file) {
		rc = bus_secret_load(conf->password_file, &password, err);
		key[n] = "password";
		value[n++] = bus_buf_cstr(&password);
	}
	if (!rc) {
		pg->conn = PQconnectStartParams(key, value, 1);
		rc = pg->conn ? connect_to(pg, err) : lost(pg, err);
	}
	bus_secret_release(&password);
	if (rc)
		adapter_pg_close(&pg);
	*out = pg;
	return rc;
}

void adapter_pg_close(struct adapter_pg **pgp)
{
	struct adapter_pg *pg = *pgp;

	if (!pg)
		return;
	PQclear(pg->res);
	PQfinish(pg->conn);
	free(pg);
	*pgp = NULL;
}

int adapter_pg_version(const struct adapter_pg *pg)
{
	return PQserverVersion(pg->conn);
}

static enum bus_err flush(struct adapter_pg *pg, int64_t until, struct bus_error *err)
{
	int left;

	while ((left = PQflush(pg->conn)) > 0) {
		/* A server that sends may be waiting for us to read before it reads. */
		enum bus_err rc = wait_until(pg, POLLIN | POLLOUT, until, err);

		if (rc)
			return rc;
		if (!PQconsumeInput(pg->conn))
			return lost(pg, err);
	}
	return left == 0 ? BUS_OK : lost(pg, err);
}

/* The next result into pg->res; NULL there: no more. */
static enum bus_err result(struct adapter_pg *pg, int64_t until, struct bus_error *err)
{
	while (PQisBusy(pg->conn)) {
		enum bus_err rc = wait_until(pg, POLLIN, until, err);

		if (rc)
			return rc;
		if (!PQconsumeInput(pg->conn))
			return lost(pg, err);
	}
	PQclear(pg->res);
	pg->res = PQgetResult(pg->conn);
	return BUS_OK;
}

static enum bus_err send(struct adapter_pg *pg, const char *sql, struct bus_error *err)
{
	pg->state[0] = '\0';
	PQclear(pg->res);
	pg->res = NULL;
	return PQsendQuery(pg->conn, sql) ? BUS_OK : lost(pg, err);
}

/* What is left of a statement after its first result; a second one would be another statement's. */
static enum bus_err finish(struct adapter_pg *pg, int64_t until, struct bus_error *err)
{
	PGresult *keep = pg->res;
	enum bus_err rc;

	pg->res = NULL;
	do {
		rc = result(pg, until, err);
	} while (!rc && pg->res);
	PQclear(pg->res);
	pg->res = keep;
	return rc;
}

enum bus_err adapter_pg_run(struct adapter_pg *pg, const char *sql, int64_t ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;
	enum bus_err rc = send(pg, sql, err), after;

	if (!rc)
		rc = flush(pg, until, err);
	if (!rc)
		rc = result(pg, until, err);
	if (rc)
		return rc;
	if (!pg->res)
		return lost(pg, err);
	if (PQresultStatus(pg->res) != PGRES_COMMAND_OK && PQresultStatus(pg->res) != PGRES_TUPLES_OK)
		rc = refused(pg, pg->res, err);
	after = finish(pg, until, rc ? NULL : err);
	return rc ? rc : after;
}

size_t adapter_pg_rows(const struct adapter_pg *pg)
{
	return (size_t)PQntuples(pg->res);
}

const char *adapter_pg_text(const struct adapter_pg *pg, size_t row, size_t column)
{
	return PQgetisnull(pg->res, (int)row, (int)column) ? NULL
							   : PQgetvalue(pg->res, (int)row, (int)column);
}

const char *adapter_pg_state(const struct adapter_pg *pg)
{
	return pg->state;
}

static void put_escaped(char *quoted, struct bus_buf *out)
{
	bus_buf_puts(out, quoted ? quoted : "NULL"); /* text that is not UTF-8: matches nothing */
	PQfreemem(quoted);
}

void adapter_pg_quote(struct adapter_pg *pg, const char *text, struct bus_buf *out)
{
	put_escaped(PQescapeLiteral(pg->conn, text, strlen(text)), out);
}

void adapter_pg_name(struct adapter_pg *pg, const char *name, struct bus_buf *out)
{
	put_escaped(PQescapeIdentifier(pg->conn, name, strlen(name)), out);
}

enum bus_err adapter_pg_begin(struct adapter_pg *pg, const char *sql, struct bus_error *err)
{
	enum bus_err rc = send(pg, sql, err);

	if (!rc && !PQsetSingleRowMode(pg->conn))
		rc = lost(pg, err);
	return rc ? rc : flush(pg, bus_clock_mono_ms() + CONNECT_MS, err);
}

enum bus_err adapter_pg_next(struct adapter_pg *pg, int64_t ms, struct bus_error *err)
{
	int64_t until = PQisBusy(pg->conn) ? bus_clock_mono_ms() + ms : 0;
	enum bus_err rc = result(pg, until, err);

	if (rc)
		return rc;
	switch (pg->res ? PQresultStatus(pg->res) : PGRES_FATAL_ERROR) {
	case PGRES_SINGLE_TUPLE:
		return BUS_OK;
	case PGRES_TUPLES_OK:
		rc = finish(pg, bus_clock_mono_ms() + ms, err);
		return rc ? rc : BUS_ENOENT;
	default:
		return pg->res ? refused(pg, pg->res, err) : lost(pg, err);
	}
}

enum bus_err adapter_pg_stream(struct adapter_pg *pg, const char *sql, int64_t ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;
	enum bus_err rc = send(pg, sql, err);

	if (!rc)
		rc = flush(pg, until, err);
	if (!rc)
		rc = result(pg, until, err);
	if (rc)
		return rc;
	return PQresultStatus(pg->res) == PGRES_COPY_BOTH ? BUS_OK : refused(pg, pg->res, err);
}

enum bus_err adapter_pg_take(struct adapter_pg *pg, int ms, char **data, size_t *n, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;

	for (;;) {
		int got = PQgetCopyData(pg->conn, data, 1);
		enum bus_err rc;

		if (got > 0) {
			*n = (size_t)got;
			return BUS_OK;
		}
		if (got < 0) { /* the server ended it, or the connection is gone */
			(void)!result(pg, bus_clock_mono_ms() + 1000, NULL);
			return pg->res && PQresultStatus(pg->res) == PGRES_FATAL_ERROR
				   ? refused(pg, pg->res, err)
				   : lost(pg, err);
		}
		rc = wait_until(pg, POLLIN, until, err);
		if (rc)
			return rc;
		if (!PQconsumeInput(pg->conn))
			return lost(pg, err);
	}
}

enum bus_err adapter_pg_put(struct adapter_pg *pg, struct bus_str data, struct bus_error *err)
{
	if (PQputCopyData(pg->conn, data.p, (int)data.n) != 1 || PQflush(pg->conn) < 0)
		return lost(pg, err);
	return BUS_OK; /* what is not out yet goes with the next one */
}
