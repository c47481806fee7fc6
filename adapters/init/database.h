/* adapters/init/database.h - a table or a query of an office's database, looked at instead of a file: through ODBC.
 *
 * At most ADAPTER_INIT_DB_ROWS rows are read, and none is kept. What is drafted fetches by itself (`fetch: {kind: sql}`).
 * A password comes from a file alone, and only that file's name is written. Thread: one.
 */
#ifndef ADAPTERS_INIT_DATABASE_H
#define ADAPTERS_INIT_DATABASE_H

#include <stdio.h>

#include "adapters/init/key.h"

#define ADAPTER_INIT_DB_ROWS 5000
#define ADAPTER_INIT_DB_TABLES 200 /* listed; further ones can be named */
#define ADAPTER_INIT_DB_WHOLE                                                                                \
	100000 /* a table of more rows is not read whole each time, if there is another way */

struct adapter_init_db;

struct adapter_init_db_want {
	const char *connection, *password_file; /* ODBC; connection NULL: no database */
	const char *table, *query;		/* at most one; NULL: the person is asked which table */
	const char *mark; /* column by which changes are seen; "-": the whole each time; NULL: guess */
};

/* Connects, chooses the table (asking on `in`; NULL: nobody is asked) and runs the query; its columns go into shape.
 * BUS_EINVAL: no such table, or several and none named; they are listed on out. */
enum bus_err adapter_init_db_open(const struct adapter_init_db_want *want, FILE *in, FILE *out,
				  struct adapter_init_shape *shape, struct adapter_init_db **db,
				  struct bus_error *err) BUS_MUSTCHECK;
/* The table's name; "kueri" of a query. Borrowed. */
const char *adapter_init_db_name(const struct adapter_init_db *db);
enum bus_err adapter_init_db_read(struct adapter_init_db *db, adapter_init_row_fn fn, void *ctx,
				  uint64_t *records, struct bus_error *err) BUS_MUSTCHECK;
/* After reading. Joins what the values say with the types of the database. */
void adapter_init_db_types(const struct adapter_init_db *db, struct adapter_init_guess *guess);
/* Puts the database's primary key, if it tells one, in the place of the guess. */
void adapter_init_db_key(struct adapter_init_db *db, const struct adapter_init_guess *guess,
			 struct adapter_init_shape *shape, struct adapter_init_key *key);
/* `fetch:` as YAML lines; *complete: the whole is read each time. BUS_EINVAL: no such column for the mark. */
enum bus_err adapter_init_db_fetch(struct adapter_init_db *db, const struct adapter_init_guess *guess,
				   struct adapter_init_shape *shape, struct bus_buf *out, bool *complete,
				   struct bus_error *err) BUS_MUSTCHECK;
void adapter_init_db_close(struct adapter_init_db **db);

#endif
