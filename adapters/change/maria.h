/* adapters/change/maria.h - one connection to a MariaDB server, for reading. In this program the only includer of
 * <mysql.h>.
 *
 * No call but _take waits longer than it says, and all of them end as soon as stop_fd is readable (BUS_ESTOPPED);
 * _take waits for the server's next sign of life, and ends with adapter_maria_hang_up. Texts are UTF-8, times UTC.
 * After an error that is not the server's answer to one statement the connection is of no more use.
 * Thread: one at a time, but for adapter_maria_hang_up.
 */
#ifndef ADAPTERS_CHANGE_MARIA_H
#define ADAPTERS_CHANGE_MARIA_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"

struct adapter_maria;

enum adapter_maria_tls {
	ADAPTER_MARIA_VERIFY, /* the certificate is the host's */
	ADAPTER_MARIA_REQUIRE,
	ADAPTER_MARIA_PLAIN,
};

struct adapter_maria_conf {
	char *host, *database, *user, *ca, *cert, *key; /* NULL: not said; host with a / is a socket */
	unsigned port;					/* 0: 3306 */
	enum adapter_maria_tls tls;
	const char *password_file; /* NULL: none */
	int stop_fd;
};

/* "host=10.1.1.4 dbname=simrs user=titian sslmode=verify-full sslrootcert=ca.pem": libpq's words (PostgreSQL 15 manual,
 * 34.1.2), so that there is one way of writing it; without sslmode it is verify-full, but for a socket and loopback.
 * *out is the caller's to release, after an error too. BUS_EINVAL: which word. */
enum bus_err adapter_maria_conf_read(const char *text, struct adapter_maria_conf *out,
				     struct bus_error *err) BUS_MUSTCHECK;
void adapter_maria_conf_release(struct adapter_maria_conf *conf);

/* BUS_EIO: no connection now. BUS_EDENIED: the server does not let us in. BUS_EINVAL: it is no MariaDB of 10.5 or
 * newer, or the password file is wrong. */
enum bus_err adapter_maria_open(const struct adapter_maria_conf *conf, struct adapter_maria **out,
				struct bus_error *err) BUS_MUSTCHECK;
void adapter_maria_close(struct adapter_maria **m);

/* Runs one statement; its rows stay until the next call. BUS_EDB: the server refuses it, adapter_maria_number says how.
 * BUS_EIO: the connection is gone. BUS_ETIMEOUT. */
enum bus_err adapter_maria_run(struct adapter_maria *m, const char *sql, int64_t ms,
			       struct bus_error *err) BUS_MUSTCHECK;
size_t adapter_maria_rows(const struct adapter_maria *m);
const char *adapter_maria_text(const struct adapter_maria *m, size_t row, size_t column); /* NULL: null */
unsigned adapter_maria_number(const struct adapter_maria *m);	 /* of the last refusal; 0: none */
void adapter_maria_quote(const char *text, struct bus_buf *out); /* as a literal, appended */
void adapter_maria_name(const char *name, struct bus_buf *out);	 /* as an identifier, appended */

/* A statement whose rows are taken one by one: *value, each the bytes of a column, p NULL: null, borrowed until the
 * next one. _next: BUS_ENOENT after the last; a row that does not come within ms is BUS_ETIMEOUT. */
enum bus_err adapter_maria_begin(struct adapter_maria *m, const char *sql, int64_t ms,
				 struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_maria_next(struct adapter_maria *m, int64_t ms, struct bus_str *value, size_t n,
				struct bus_error *err) BUS_MUSTCHECK;

/* Asks for the binary log, from the beginning of file on; NULL: from where the session's @slave_connect_state says. Then
 * its events, one by one, borrowed until the next call. BUS_EDB: the server ends the stream, adapter_maria_number says why. */
enum bus_err adapter_maria_dump(struct adapter_maria *m, uint32_t server_id, const char *file,
				struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_maria_take(struct adapter_maria *m, struct bus_str *event,
				struct bus_error *err) BUS_MUSTCHECK;
/* From another thread, while m is open: _take ends at once, with BUS_ESTOPPED. */
void adapter_maria_hang_up(struct adapter_maria *m);

#endif
