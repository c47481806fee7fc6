/* adapters/change/pg.h - one connection to a PostgreSQL server, for reading. In this program the only includer of
 * <libpq-fe.h>.
 *
 * No call waits longer than it says, and all of them end as soon as stop_fd is readable (BUS_ESTOPPED). Values come as
 * texts of fixed settings (dates ISO, time zone UTC), so that a snapshot and the stream after it spell a value alike.
 * After an error that is not the server's answer to one statement the connection is of no more use.
 * Thread: one at a time.
 */
#ifndef ADAPTERS_CHANGE_PG_H
#define ADAPTERS_CHANGE_PG_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"

struct adapter_pg;

struct adapter_pg_conf {
	const char *connection;	   /* libpq's, without a password */
	const char *password_file; /* NULL: none */
	int stop_fd;
};

/* replication: a connection that speaks the replication protocol too. BUS_EIO: no connection now. BUS_EDENIED: the
 * server does not let us in. BUS_EINVAL: `connection` or the password file is wrong. */
enum bus_err adapter_pg_open(const struct adapter_pg_conf *conf, bool replication, struct adapter_pg **out,
			     struct bus_error *err) BUS_MUSTCHECK;
void adapter_pg_close(struct adapter_pg **pg);
int adapter_pg_version(const struct adapter_pg *pg); /* 150004 */

/* An answer, row or message over 256 MB, which all come into memory, is BUS_EIO; on a socket of this machine they are not
 * counted.
 *
 * Runs one statement; its rows stay until the next call. BUS_EDB: the server refuses it, adapter_pg_state says how.
 * BUS_EIO: the connection is gone. BUS_ETIMEOUT. */
enum bus_err adapter_pg_run(struct adapter_pg *pg, const char *sql, int64_t ms,
			    struct bus_error *err) BUS_MUSTCHECK;
size_t adapter_pg_rows(const struct adapter_pg *pg);
size_t adapter_pg_columns(const struct adapter_pg *pg);
/* NULL: null, or there is no such place. */
const char *adapter_pg_text(const struct adapter_pg *pg, size_t row, size_t column);
const char *adapter_pg_state(const struct adapter_pg *pg); /* SQLSTATE of the last refusal; "": none */
void adapter_pg_quote(struct adapter_pg *pg, const char *text,
		      struct bus_buf *out); /* as a literal, appended */
void adapter_pg_name(struct adapter_pg *pg, const char *name, struct bus_buf *out); /* as an identifier */

/* A statement whose rows, of so many columns, are taken one by one. _next: BUS_ENOENT after the last; a row that does
 * not come within ms is BUS_ETIMEOUT. */
enum bus_err adapter_pg_begin(struct adapter_pg *pg, const char *sql, size_t columns,
			      struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_pg_next(struct adapter_pg *pg, int64_t ms, struct bus_error *err) BUS_MUSTCHECK;

/* START_REPLICATION. Then messages both ways. */
enum bus_err adapter_pg_stream(struct adapter_pg *pg, const char *sql, int64_t ms,
			       struct bus_error *err) BUS_MUSTCHECK;
/* The next message, the caller's to free (libpq's memory is malloc's but on Windows). BUS_ETIMEOUT: none within ms. */
enum bus_err adapter_pg_take(struct adapter_pg *pg, int ms, char **data, size_t *n,
			     struct bus_error *err) BUS_MUSTCHECK;
/* BUS_EFULL: what was put before is not out yet, and data is dropped. */
enum bus_err adapter_pg_put(struct adapter_pg *pg, struct bus_str data, struct bus_error *err) BUS_MUSTCHECK;

#endif
