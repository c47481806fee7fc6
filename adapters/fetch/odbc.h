/* adapters/fetch/odbc.h - one query of any database that has an ODBC driver. The only includer of <sql.h>.
 *
 * A connection and its statement; read-only (but for adapter_odbc_do), forward-only, a row at a time, so that memory does not grow with the table.
 * What a driver says is passed on with long numbers masked: a database's message may hold a row's values.
 * Thread: one, but for adapter_odbc_cancel().
 */
#ifndef ADAPTERS_FETCH_ODBC_H
#define ADAPTERS_FETCH_ODBC_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"

struct adapter_odbc;

enum adapter_odbc_type { ADAPTER_ODBC_INTEGER, ADAPTER_ODBC_TIME, ADAPTER_ODBC_TEXT };

/* What the database says a column of the query holds. */
enum adapter_odbc_holds {
	ADAPTER_ODBC_HOLDS_TEXT,
	ADAPTER_ODBC_HOLDS_WHOLE,
	ADAPTER_ODBC_HOLDS_DECIMAL,
	ADAPTER_ODBC_HOLDS_DATE,
	ADAPTER_ODBC_HOLDS_TIME, /* date and time of day */
	ADAPTER_ODBC_HOLDS_BYTES,
	ADAPTER_ODBC_HOLDS_OTHER,
};

/* connection: an ODBC connection string, with its secrets; it is not kept. BUS_EDENIED: user or password (SQLSTATE 28...);
 * BUS_EIO: the server does not answer, or the driver is not there (the message names those that are). */
enum bus_err adapter_odbc_open(const char *connection, int timeout_s, struct adapter_odbc **out,
			       struct bus_error *err) BUS_MUSTCHECK;
/* The same, with the password from a file of its own; NULL: it needs none. */
enum bus_err adapter_odbc_connect(const char *connection, const char *password_file, int timeout_s,
				  struct adapter_odbc **out, struct bus_error *err) BUS_MUSTCHECK;
/* At most this many rows of each run, where the driver knows how; the caller stops by itself as well. */
void adapter_odbc_bound(struct adapter_odbc *o, size_t rows, int timeout_s);
/* param: for every `?` of the query; NULL: it has none. Stays until the next run. */
enum bus_err adapter_odbc_run(struct adapter_odbc *o, const char *query, const char *param,
			      enum adapter_odbc_type type, struct bus_error *err) BUS_MUSTCHECK;
/* A statement that gives no rows: the one way to change anything there. */
enum bus_err adapter_odbc_do(struct adapter_odbc *o, const char *statement,
			     struct bus_error *err) BUS_MUSTCHECK;
size_t adapter_odbc_columns(const struct adapter_odbc *o);		 /* of the last run */
const char *adapter_odbc_column(const struct adapter_odbc *o, size_t i); /* its name, UTF-8 */
enum adapter_odbc_holds adapter_odbc_holds(const struct adapter_odbc *o, size_t i);
/* Tables and views that the user sees, instead of a query: catalog, schema, name, kind are the first four columns. */
enum bus_err adapter_odbc_tables(struct adapter_odbc *o, struct bus_error *err) BUS_MUSTCHECK;
/* The primary key of one, a row a column: its name is column 3, its place in the key column 4. "" for what it has none of. */
enum bus_err adapter_odbc_key(struct adapter_odbc *o, const char *catalog, const char *schema,
			      const char *table, struct bus_error *err) BUS_MUSTCHECK;
/* name, quoted as this database quotes identifiers. */
void adapter_odbc_put_name(struct adapter_odbc *o, const char *name, struct bus_buf *out);
/* The next row. BUS_ENOENT: the end. */
enum bus_err adapter_odbc_next(struct adapter_odbc *o, struct bus_error *err) BUS_MUSTCHECK;
/* Value of column i as text in UTF-8, appended to out; *null: it is none. Columns in order, each once. Over max bytes the
 * rest is left out and *cut set. */
enum bus_err adapter_odbc_text(struct adapter_odbc *o, size_t i, size_t max, struct bus_buf *out, bool *null,
			       bool *cut, struct bus_error *err) BUS_MUSTCHECK;
/* Any thread: the run or next in progress ends with an error soon. */
void adapter_odbc_cancel(struct adapter_odbc *o);
void adapter_odbc_close(struct adapter_odbc **o);

#endif
