/* gateway/store/pg_sql.h - statements as SQLite takes them, said so that PostgreSQL gives the same answers.
 *
 * What is translated is a listed dialect: the SQL of this program, and of views, which SQLite has taken and whose
 * functions are listed (gateway/store/sqlfun.h). What the two would answer differently is said by a function of
 * gateway/store/pg_functions.sql; what has no such is refused in plain words: never silently something else.
 *
 *   truth values   are numbers in SQLite: what compares is kept apart from what is a number, and made one where needed
 *   NULLs          come first: ORDER BY and indexes say so
 *   numbers        are bigint and double precision; a division by zero is NULL
 *   text           compares by its bytes: the database is of locale C
 *   names          are quoted as they were written; one longer than 63 bytes ends in its hash
 *   order          of what an aggregate lists must be that of an ordered sub-query
 *
 * Bounded: tokens, depth, parameters. Thread: any; nothing is kept between calls.
 */
#ifndef GATEWAY_STORE_PG_SQL_H
#define GATEWAY_STORE_PG_SQL_H

#include "bus/buf.h"
#include "bus/error.h"

#define GW_PG_SCHEMA "titian" /* of all tables and functions */
#define GW_PG_PARAMS_MAX 1000

enum gw_pg_kind {
	GW_PG_SELECT,
	GW_PG_WRITE,	 /* INSERT, UPDATE, DELETE */
	GW_PG_DEFINE,	 /* CREATE, DROP, ALTER: for the shadow of the schema, too */
	GW_PG_TRANSACT,	 /* BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE: for the shadow, too */
	GW_PG_READ_ONLY, /* PRAGMA query_only */
	GW_PG_OTHER,	 /* any other PRAGMA: nothing to do */
};

/* What the translator asks about a table: its columns in their order; the key's are marked. */
struct gw_pg_table {
	char *column[2000];
	bool key[2000];
	size_t n;
};
struct gw_pg_world {
	void *ctx;
	bool (*table)(void *ctx, const char *name, struct gw_pg_table *out); /* false: no such table */
};
void gw_pg_table_release(struct gw_pg_table *t);

struct gw_pg_text {
	struct bus_buf sql;
	enum gw_pg_kind kind;
	bool rows; /* it gives rows: SELECT, RETURNING */
	bool many; /* they may be all there are: no LIMIT, and in an order or with nothing bound */
	bool temp; /* of a table of this connection */
	int n_params;
	char *param[GW_PG_PARAMS_MAX]; /* its name with the colon; NULL: nameless */
	char *table;		       /* that is written */
	/* The same for a table whose changes are followed: gives the columns of the row before, then after (of a
	 * DELETE: before). Empty when it is of a kind that cannot be. */
	struct bus_buf followed;
};

/* The first statement of sql; *rest: what follows it. BUS_EPARSE: it is not of the dialect; err says what is not. */
enum bus_err gw_pg_translate(const char *sql, const struct gw_pg_world *world, struct gw_pg_text *out,
			     const char **rest, struct bus_error *err) BUS_MUSTCHECK;
void gw_pg_text_release(struct gw_pg_text *t);
/* The name as PostgreSQL is told it, quoted. */
void gw_pg_name(struct bus_buf *out, const char *p, size_t n);

#endif
