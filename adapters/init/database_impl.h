/* adapters/init/database_impl.h - what the parts of a database that is looked at share. */
#ifndef ADAPTERS_INIT_DATABASE_IMPL_H
#define ADAPTERS_INIT_DATABASE_IMPL_H

#include "adapters/fetch/odbc.h"
#include "adapters/init/database.h"

#define DB_COUNT_S 5 /* of one table */

struct db_table {
	char *catalog, *schema, *name;
	int64_t rows; /* -1: not known */
};

struct adapter_init_db {
	struct adapter_odbc *odbc;
	const struct adapter_init_db_want *want;
	char *connection, *password_path;
	struct db_table *table;
	size_t n_tables;
	const struct db_table *chosen; /* NULL: a query */
	struct bus_buf from;	       /* the table, quoted; or the query */
	int64_t total;		       /* rows it has; -1: not known */
	uint64_t seen;
	size_t n; /* columns of the shape, and which of the query's each is */
	size_t at[ADAPTER_INIT_COLUMNS_MAX];
	char *name[ADAPTER_INIT_COLUMNS_MAX];
	enum adapter_odbc_holds holds[ADAPTER_INIT_COLUMNS_MAX];
	uint64_t moments[ADAPTER_INIT_COLUMNS_MAX]; /* values like 2026-11-20 08:00:00.123 */
};

/* database.c */
/* Which of our columns is called so; db->n: none. */
size_t adapter_init_db_column_at(const struct adapter_init_db *db, const char *name);
/* Column i of the row in hand as a name, ended by NUL. */
enum bus_err adapter_init_db_word(struct adapter_odbc *o, size_t i, struct bus_buf *b,
				  struct bus_error *err) BUS_MUSTCHECK;
/* Rows of a table, or of a query in brackets; -1: not known, or it takes too long. */
int64_t adapter_init_db_count(struct adapter_init_db *db, const char *from);

/* database_tables.c */
/* Sets db->chosen, by name or by asking. */
enum bus_err adapter_init_db_choose(struct adapter_init_db *db, FILE *in, FILE *out,
				    struct bus_error *err) BUS_MUSTCHECK;
/* Its name, quoted. */
void adapter_init_db_put_table(struct adapter_init_db *db, const struct db_table *t, struct bus_buf *out);

#endif
