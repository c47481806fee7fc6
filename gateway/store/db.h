/* gateway/store/db.h - SQLite: connections, statements, functions, hooks. The only includer of <sqlite3.h>.
 *
 * One connection writes and checkpoints (the materialiser's); all others are read-only and never
 * checkpoint, so that SQLite's WAL-reset race (3.7.0 to 3.51.2) has no second party. WAL,
 * synchronous=FULL: a sequence number that was handed out is never given twice.
 * Thread: a connection and its statements belong to one thread at a time.
 */
#ifndef GATEWAY_STORE_DB_H
#define GATEWAY_STORE_DB_H

#include <stdatomic.h>

#include "bus/buf.h"
#include "bus/error.h"
#include "gateway/store/value.h"

struct gw_db;
struct gw_stmt;

enum gw_db_mode { GW_DB_WRITER, GW_DB_READER };

/* How this process takes memory; before the first connection. SQLite does not count it: counting takes a lock at each
 * piece, one for all threads, and gw_db_memory_limit has no effect then. What a thread gives back is kept for it, up to
 * 8 MB: a reader's cached pages end with each transaction of the writer, and are needed again at once.
 * path: of the store; beside it is what SQLite puts aside (sorts, what a statement would take back), for rows are in it.
 * Those files have no name and are gone with their connection. Before other threads are started. */
void gw_db_begin_process(const char *path);
/* BUS_EDB; BUS_EDATA when the file is no database or is damaged. Functions of gateway/store/sqlfun.h are
 * registered on every connection. path "postgres:ROLE:CONNINFO": a database of PostgreSQL (gateway/store/pg.h), which is asked
 * in the same SQL, as far as gateway/store/pg_sql.h takes it, and gives the same answers. */
enum bus_err gw_db_open(const char *path, enum gw_db_mode mode, int64_t cache_bytes, struct gw_db **out,
			struct bus_error *err) BUS_MUSTCHECK;
void gw_db_close(struct gw_db **db);
enum bus_err gw_db_remove(const char *path, struct bus_error *err) BUS_MUSTCHECK; /* with all it holds; nobody has it open */
/* All statements of sql, which give no rows. */
enum bus_err gw_db_exec(struct gw_db *db, struct bus_error *err, const char *fmt, ...)
    BUS_PRINTF(3, 4) BUS_MUSTCHECK;
/* The first column of the first row; `none` when there is no row or it is NULL. */
enum bus_err gw_db_int(struct gw_db *db, int64_t none, int64_t *out, struct bus_error *err, const char *fmt,
		       ...) BUS_PRINTF(5, 6) BUS_MUSTCHECK;
/* Ends the open transaction, if there is one, without its changes. */
void gw_db_rollback(struct gw_db *db);
bool gw_db_in_transaction(const struct gw_db *db);
/* Adds one to *commits with each commit on db, once readers can see it. *commits outlives db. */
void gw_db_count_commits(struct gw_db *db, _Atomic uint64_t *commits);
/* Pages of the log are put into the database; `truncate` also gives the log's space back, when no reader
 * is in its way. *left: pages still in the log. */
enum bus_err gw_db_checkpoint(struct gw_db *db, bool truncate, int64_t *left,
			      struct bus_error *err) BUS_MUSTCHECK;
/* db_copy.c: the database as it is at this moment into a new (or empty) file; and a file's content in the place of this one's, in one
 * transaction (no statement of the connection may be prepared). */
enum bus_err gw_db_save(struct gw_db *db, const char *path, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_db_replace(struct gw_db *db, const char *path, struct bus_error *err) BUS_MUSTCHECK;
/* From now on a statement that still runs after ms milliseconds ends with BUS_ETIMEOUT; 0: no limit. A
 * statement that writes loses its whole transaction with it: on the writer it is for SELECTs alone. */
void gw_db_deadline(struct gw_db *db, int ms);
/* The statement that runs ends with BUS_ETIMEOUT. Any thread, while the connection is open. */
void gw_db_interrupt(struct gw_db *db);

/* What the SQL function _saat() gives on this connection: milliseconds since 1970. */
void gw_db_moment(struct gw_db *db, int64_t ms);

enum bus_err gw_db_prepare(struct gw_db *db, const char *sql, struct gw_stmt **out,
			   struct bus_error *err) BUS_MUSTCHECK;

/* What a statement written by others may do: read tables and call functions, as these two answer (false:
 * refused). column is "" when the table's rows count but none of its columns is read. Anything else
 * (writing, PRAGMA, ATTACH, recursion) is refused. */
struct gw_db_guard {
	void *ctx;
	bool (*read)(void *ctx, const char *table, const char *column);
	bool (*function)(void *ctx, const char *name);
	char refused[120]; /* what was refused, in words; "" nothing */
};
enum bus_err gw_db_prepare_guarded(struct gw_db *db, const char *sql, struct gw_db_guard *guard,
				   struct gw_stmt **out, struct bus_error *err) BUS_MUSTCHECK;

/* db_sandbox.c: for SQL of people we do not know. */
/* Narrows what statements prepared from now on may be: length, columns, depth, terms, arguments, parameters,
 * size of a value. Never widens. A connection is narrowed once its tables
 * are there. */
void gw_db_narrow(struct gw_db *db);
/* The most that SQLite may take in this process, all connections together; over it a statement ends with
 * BUS_ETOOBIG. SQLite counts for the whole process, so this is for a process of its own (engine/try.h). */
void gw_db_memory_limit(int64_t bytes);
/* Where in the text the last statement that could not be prepared went wrong, in bytes; -1: not known. */
int gw_db_error_offset(struct gw_db *db);
/* The table's column that an output column is, untouched; false: it is computed. Borrowed from s. */
bool gw_stmt_origin(struct gw_stmt *s, int column, const char **table, const char **origin);
/* Steps of SQLite's machine since the last call: what the statement cost, the same on every machine. */
int64_t gw_stmt_steps(struct gw_stmt *s);
/* Rows that a statement without an index looked at, one after another, since the last call. */
int64_t gw_stmt_scanned(struct gw_stmt *s);

/* An expression has a type of its own here, before there is a row: PostgreSQL. SQLite's values alone have one. */
bool gw_db_is_typed(struct gw_db *db);
/* The output column's, as in a CREATE TABLE, with a blank before it; "" where there is none. */
const char *gw_stmt_type(struct gw_stmt *s, int column);

void gw_stmt_free(struct gw_stmt **s);
int gw_stmt_param(struct gw_stmt *s, const char *name); /* ":name" -> 1..; 0: no such parameter */
int gw_stmt_params(struct gw_stmt *s);
const char *gw_stmt_param_name(struct gw_stmt *s, int i); /* with its colon; NULL: nameless */
/* Bound text and bytes are borrowed until the statement is reset. i 0 is ignored. */
void gw_stmt_bind_null(struct gw_stmt *s, int i);
void gw_stmt_bind_int(struct gw_stmt *s, int i, int64_t v);
void gw_stmt_bind_real(struct gw_stmt *s, int i, double v);
void gw_stmt_bind_text(struct gw_stmt *s, int i, struct bus_str v);
void gw_stmt_bind_copy(struct gw_stmt *s, int i, struct bus_str v); /* text, copied */
void gw_stmt_bind_blob(struct gw_stmt *s, int i, struct bus_str v);
void gw_stmt_bind_value(struct gw_stmt *s, int i, const struct gw_value *v);
/* *row: there is a row to look at. */
enum bus_err gw_stmt_step(struct gw_stmt *s, bool *row, struct bus_error *err) BUS_MUSTCHECK;
void gw_stmt_reset(struct gw_stmt *s);
/* Steps a statement that gives no rows, and resets it. */
enum bus_err gw_stmt_run(struct gw_stmt *s, struct bus_error *err) BUS_MUSTCHECK;

int gw_stmt_columns(struct gw_stmt *s);
const char *gw_stmt_name(struct gw_stmt *s, int column);
bool gw_stmt_is_null(struct gw_stmt *s, int column);
int64_t gw_stmt_int(struct gw_stmt *s, int column);
struct bus_str gw_stmt_text(struct gw_stmt *s, int column); /* until the next step; n 0 for NULL */
/* NULL, INT, REAL or TEXT, as stored (bytes as TEXT). */
void gw_stmt_value(struct gw_stmt *s, int column, struct gw_value *out);
/* Appends type and value of all columns, or of the first n, for the row's hash. */
void gw_stmt_pack(struct gw_stmt *s, struct bus_buf *out);
void gw_stmt_pack_first(struct gw_stmt *s, int n, struct bus_buf *out);

/* Called for each row about to change, on the writer. Inside, gw_db_old and gw_db_new give its columns (by
 * position in the table) before and after; gw_db_differs compares the two of an update. */
enum gw_db_op { GW_DB_INSERT, GW_DB_UPDATE, GW_DB_DELETE };
typedef void (*gw_db_change_fn)(void *ctx, const char *table, enum gw_db_op op);
void gw_db_on_change(struct gw_db *db, gw_db_change_fn fn, void *ctx);
void gw_db_old(struct gw_db *db, int column, struct gw_value *out);
void gw_db_new(struct gw_db *db, int column, struct gw_value *out);
bool gw_db_differs(struct gw_db *db, int column);

/* SQL functions: deterministic, from their arguments only. */
struct gw_call;
typedef void (*gw_function)(struct gw_call *c);
void gw_db_function(struct gw_db *db, const char *name, int n_args, gw_function fn);
bool gw_call_null(struct gw_call *c, int i);
struct bus_str gw_call_text(struct gw_call *c, int i);
int64_t gw_call_int(struct gw_call *c, int i);
int gw_call_args(struct gw_call *c); /* their number; n_args -1: any */
/* An aggregate: step a row, end once a group (also when a query is given up). What gw_call_state gives is the group's,
 * n zeroed bytes at first; NULL: no memory, or a group without rows at its end. */
void gw_db_aggregate(struct gw_db *db, const char *name, int n_args, gw_function step, gw_function end);
void *gw_call_state(struct gw_call *c, size_t n);
void gw_call_return_text(struct gw_call *c, struct bus_str v); /* copied */
void gw_call_return_arg(struct gw_call *c, int i); /* as it came */
void gw_call_return_int(struct gw_call *c, int64_t v);

#endif
