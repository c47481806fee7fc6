#include "adapters/change/pg.h"

#include <libpq-fe.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "bus/clock.h"
#include "bus/secret.h"

#define CONNECT_MS 15000
#define ANSWER_MAX ((uint64_t)256 * 1024 * 1024) /* bytes of one answer, or one message of a stream */

struct adapter_pg {
	PGconn *conn;
	PGresult *res; /* of the last statement, or the row in hand */
	int stop_fd;
	char state[6];
	uint64_t before; /* bytes that had come when the answer in hand began */
	bool waited;	 /* for the message that is taken next */
	int columns;	 /* of the rows that are taken one by one */
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
	/* A server that never stops talking is late too. */
	return fd[0].revents && left > 0 ? BUS_OK : bus_fail(err, BUS_ETIMEOUT, "PostgreSQL does not answer");
}

/* Bytes that have come over this connection; a socket of this machine does not count them: 0. */
static uint64_t come(const struct adapter_pg *pg)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof(info);

	(void)!getsockopt(PQsocket(pg->conn), IPPROTO_TCP, TCP_INFO, &info, &n);
	return info.tcpi_bytes_received;
}

/* Takes what has come. libpq keeps all of an answer in memory, and takes as much as the server says. */
static enum bus_err take_in(struct adapter_pg *pg, struct bus_error *err)
{
	PGnotify *notify;

	if (!PQconsumeInput(pg->conn))
		return lost(pg, err);
	while ((notify = PQnotifies(pg->conn)))
		PQfreemem(notify);
	return come(pg) - pg->before <= ANSWER_MAX
		   ? BUS_OK
		   : bus_fail(err, BUS_EIO,
			      "PostgreSQL: one answer, or one change of the stream, is over %llu MB; a large "
			      "column can be left out of the publication",
			      (unsigned long long)(ANSWER_MAX / 1024 / 1024));
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

/* A notice may quote a row; libpq would write it to stderr. */
static void ignore(void *ctx, const PGresult *res)
{
	(void)ctx;
	(void)res;
}

static bool near(const char *host)
{
	return host[0] == '/' || strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
	       strcmp(host, "::1") == 0;
}

/* libpq would by itself go on without TLS, and then say the password to whoever asks for it. So without a word about it
 * another machine must prove who it is, as with MariaDB. */
static const char *tls_of(const char *connection)
{
	PQconninfoOption *all = PQconninfoParse(connection, NULL);
	const char *host = NULL, *address = NULL;
	bool said = false, far;

	for (const PQconninfoOption *o = all; o && o->keyword; o++) {
		if (!o->val || !*o->val)
			continue;
		if (strcmp(o->keyword, "host") == 0)
			host = o->val;
		else if (strcmp(o->keyword, "hostaddr") == 0)
			address = o->val;
		else if (strcmp(o->keyword, "sslmode") == 0 || strcmp(o->keyword, "service") == 0)
			said = true;
	}
	if (address)
		host = address;
	far = host && !near(host);
	PQconninfoFree(all);
	return far && !said ? "verify-full" : NULL;
}

enum bus_err adapter_pg_open(const struct adapter_pg_conf *conf, bool replication, struct adapter_pg **out,
			     struct bus_error *err)
{
	static const char settings[] =
	    "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 "
	    "-c bytea_output=hex -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 "
	    "-c default_transaction_read_only=off";
	const char *key[10] = { "sslmode",	   "dbname",	       "options",
				"client_encoding", "application_name", "keepalives_idle" };
	const char *value[10] = {
		tls_of(conf->connection), conf->connection, settings, "UTF8", "titian-adapter", "30"
	};
	struct adapter_pg *pg = bus_xcalloc(1, sizeof(*pg));
	struct bus_buf password = { 0 };
	size_t n = 6;
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
		if (pg->conn)
			PQsetNoticeReceiver(pg->conn, ignore, NULL);
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

		if (!rc)
			rc = take_in(pg, err);
		if (rc)
			return rc;
	}
	return left == 0 ? BUS_OK : lost(pg, err);
}

/* The next result into pg->res; NULL there: no more. */
static enum bus_err result(struct adapter_pg *pg, int64_t until, struct bus_error *err)
{
	while (PQisBusy(pg->conn)) {
		enum bus_err rc = wait_until(pg, POLLIN, until, err);

		if (!rc)
			rc = take_in(pg, err);
		if (rc)
			return rc;
	}
	PQclear(pg->res);
	pg->res = PQgetResult(pg->conn);
	return BUS_OK;
}

static enum bus_err say(struct adapter_pg *pg, const char *sql, struct bus_error *err)
{
	pg->state[0] = '\0';
	pg->before = come(pg);
	PQclear(pg->res);
	pg->res = NULL;
	return PQsendQuery(pg->conn, sql) ? BUS_OK : lost(pg, err);
}

/* A statement's result is its only one. Of a COPY that nobody asked for libpq would never come to an end. */
static enum bus_err finish(struct adapter_pg *pg, int64_t until, struct bus_error *err)
{
	PGresult *keep = pg->res;
	enum bus_err rc;

	pg->res = NULL;
	rc = result(pg, until, err);
	if (!rc && pg->res)
		rc = bus_fail(err, BUS_EIO, "PostgreSQL: more than one answer to one statement");
	PQclear(pg->res);
	pg->res = keep;
	return rc;
}

enum bus_err adapter_pg_run(struct adapter_pg *pg, const char *sql, int64_t ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;
	enum bus_err rc = say(pg, sql, err), after;

	if (!rc)
		rc = flush(pg, until, err);
	if (!rc)
		rc = result(pg, until, err);
	if (rc)
		return rc;
	switch (pg->res ? PQresultStatus(pg->res) : PGRES_FATAL_ERROR) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		break;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		return bus_fail(err, BUS_EIO, "PostgreSQL answers with a COPY that was not asked for");
	default:
		if (!pg->res)
			return lost(pg, err);
		rc = refused(pg, pg->res, err);
	}
	after = finish(pg, until, rc ? NULL : err);
	return rc ? rc : after;
}

size_t adapter_pg_rows(const struct adapter_pg *pg)
{
	return (size_t)PQntuples(pg->res);
}

size_t adapter_pg_columns(const struct adapter_pg *pg)
{
	return (size_t)PQnfields(pg->res);
}

const char *adapter_pg_text(const struct adapter_pg *pg, size_t row, size_t column)
{
	if (row >= adapter_pg_rows(pg) || column >= adapter_pg_columns(pg) ||
	    PQgetisnull(pg->res, (int)row, (int)column))
		return NULL;
	return PQgetvalue(pg->res, (int)row, (int)column);
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

enum bus_err adapter_pg_begin(struct adapter_pg *pg, const char *sql, size_t columns, struct bus_error *err)
{
	enum bus_err rc = say(pg, sql, err);

	pg->columns = (int)columns;
	if (!rc && !PQsetSingleRowMode(pg->conn))
		rc = lost(pg, err);
	return rc ? rc : flush(pg, bus_clock_mono_ms() + CONNECT_MS, err);
}

enum bus_err adapter_pg_next(struct adapter_pg *pg, int64_t ms, struct bus_error *err)
{
	int64_t until = PQisBusy(pg->conn) ? bus_clock_mono_ms() + ms : 0;
	enum bus_err rc;

	if (until)
		pg->before = come(pg);
	rc = result(pg, until, err);
	if (rc)
		return rc;
	switch (pg->res ? PQresultStatus(pg->res) : PGRES_FATAL_ERROR) {
	case PGRES_SINGLE_TUPLE:
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		if (PQnfields(pg->res) != pg->columns)
			return bus_fail(err, BUS_EIO, "PostgreSQL: a row of %d columns in place of %d",
					PQnfields(pg->res), pg->columns);
		if (PQresultStatus(pg->res) == PGRES_SINGLE_TUPLE)
			return BUS_OK;
		rc = finish(pg, bus_clock_mono_ms() + ms, err);
		return rc ? rc : BUS_ENOENT;
	default:
		return pg->res ? refused(pg, pg->res, err) : lost(pg, err);
	}
}

enum bus_err adapter_pg_stream(struct adapter_pg *pg, const char *sql, int64_t ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;
	enum bus_err rc = say(pg, sql, err);

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
			pg->before = pg->waited ? come(pg) : pg->before;
			pg->waited = false;
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
		if (!rc) {
			pg->waited = true;
			rc = take_in(pg, err);
		}
		if (rc)
			return rc;
	}
}

enum bus_err adapter_pg_put(struct adapter_pg *pg, struct bus_str data, struct bus_error *err)
{
	struct pollfd fd = { .fd = PQsocket(pg->conn), .events = POLLOUT };
	int left;

	/* Of what cannot be written libpq makes a reason to read, into memory and without end. */
	left = poll(&fd, 1, 0) == 0 ? 1 : PQflush(pg->conn);
	if (left > 0)
		return bus_fail(err, BUS_EFULL, "PostgreSQL does not read what it is told");
	if (left < 0 || PQputCopyData(pg->conn, data.p, (int)data.n) != 1 || PQflush(pg->conn) < 0)
		return lost(pg, err);
	return BUS_OK; /* what is not out yet goes with the next call */
}
