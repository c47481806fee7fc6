/* gateway/store/pg.h - the store on PostgreSQL: what gateway/store/db.c does when a database is called
 * "postgres:ROLE:CONNINFO" (gateway/store/db.h). The only includer of <libpq-fe.h>.
 *
 * A connection has an empty SQLite database beside it, its shadow: the same tables and indexes without rows. What is asked
 * about tables (sqlite_schema, pragma_table_info), what a stranger's SELECT may do, and what a plan is, the shadow
 * answers, so that both stores take and refuse the same. The server keeps the shadow's definitions for the next start.
 *
 * The writer's connection holds a lock: there is one writer. It may not be a superuser's, nor
 * of who may read the server's files or run programs, or become somebody who may. Readers become ROLE, which may read and nothing else, in transactions that are read-only, and the server ends what runs for a minute.
 *
 * What is given up (a deadline, an interruption) is cancelled at the server; one that is silent for 2 s more has lost the
 * connection.
 *
 * What writes and gives nothing back is sent on without waiting (a pipeline); its errors come with the next answer, before the
 * transaction's end at the latest. A connection that was lost is made anew when the transaction is given up.
 */
#ifndef GATEWAY_STORE_PG_H
#define GATEWAY_STORE_PG_H

#include "gateway/store/db.h"

struct gw_pg;
struct gw_pg_stmt;
struct gw_pg_shadow { /* how the SQLite beside is asked; calls happen on the connection's thread */
	void *ctx;
	enum bus_err (*exec)(void *ctx, const char *sql, struct bus_error *err);
	struct gw_pg_world *world;
	/* Its definitions, one after the other, each ended with ';'. */
	enum bus_err (*dump)(void *ctx, struct bus_buf *out, struct bus_error *err);
	enum bus_err (*load)(void *ctx, const char *sql,
			     struct bus_error *err); /* in place of all there was */
	void (*rollback)(void *ctx);
};

bool gw_pg_is(const char *path); /* it names a database of PostgreSQL */
/* Does the shadow answer this? */
bool gw_pg_asks_shadow(const char *sql);

enum bus_err gw_pg_open(const char *path, enum gw_db_mode mode, const struct gw_pg_shadow *shadow,
			struct gw_pg **out, struct bus_error *err) BUS_MUSTCHECK;
void gw_pg_close(struct gw_pg **pg);
enum bus_err gw_pg_drop(const char *path, struct bus_error *err) BUS_MUSTCHECK; /* everything of ours */
enum bus_err gw_pg_exec(struct gw_pg *pg, const char *sql, struct bus_error *err) BUS_MUSTCHECK;
void gw_pg_rollback(struct gw_pg *pg);
/* New statistics when many rows have changed. */
enum bus_err gw_pg_tend(struct gw_pg *pg, struct bus_error *err) BUS_MUSTCHECK;
void gw_pg_deadline(struct gw_pg *pg, int64_t mono_ms); /* 0: none */
void gw_pg_interrupt(struct gw_pg *pg);			/* any thread */
void gw_pg_moment(struct gw_pg *pg, int64_t ms);
/* A reader's shadow follows what the writer has defined. */
enum bus_err gw_pg_refresh(struct gw_pg *pg, struct bus_error *err) BUS_MUSTCHECK;

/* fn is told of rows that a statement has changed, once it has run. */
void gw_pg_on_change(struct gw_pg *pg, gw_db_change_fn fn, void *ctx);
void gw_pg_image(struct gw_pg *pg, bool after, int column, struct gw_value *out);

enum bus_err gw_pg_prepare(struct gw_pg *pg, const char *sql, struct gw_pg_stmt **out,
			   struct bus_error *err) BUS_MUSTCHECK;
void gw_pg_free(struct gw_pg_stmt **s);
int gw_pg_param(struct gw_pg_stmt *s, const char *name);
int gw_pg_params(struct gw_pg_stmt *s);
const char *gw_pg_param_name(struct gw_pg_stmt *s, int i);
void gw_pg_bind_null(struct gw_pg_stmt *s, int i);
void gw_pg_bind_int(struct gw_pg_stmt *s, int i, int64_t v);
void gw_pg_bind_real(struct gw_pg_stmt *s, int i, double v);
void gw_pg_bind_text(struct gw_pg_stmt *s, int i, struct bus_str v, bool copy);
void gw_pg_bind_blob(struct gw_pg_stmt *s, int i, struct bus_str v);
enum bus_err gw_pg_step(struct gw_pg_stmt *s, bool *row, struct bus_error *err) BUS_MUSTCHECK;
void gw_pg_reset(struct gw_pg_stmt *s);
int gw_pg_columns(struct gw_pg_stmt *s);
const char *gw_pg_column_name(struct gw_pg_stmt *s, int column);
const char *gw_pg_column_type(struct gw_pg_stmt *s, int column);
void gw_pg_value(struct gw_pg_stmt *s, int column, struct gw_value *out);
int64_t gw_pg_int(struct gw_pg_stmt *s, int column);
struct bus_str gw_pg_text(struct gw_pg_stmt *s, int column);

#endif
