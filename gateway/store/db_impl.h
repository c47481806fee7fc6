/* The inside of gateway/store/db.h, for its own files only. */
#ifndef GATEWAY_STORE_DB_IMPL_H
#define GATEWAY_STORE_DB_IMPL_H

#include <sqlite3.h>

#include "gateway/store/db.h"
#include "gateway/store/pg.h"
#include "gateway/store/pg_sql.h"

#define GW_DB_STEPS_BETWEEN_LOOKS 4000 /* of SQLite's machine, between two looks at the clock */

struct gw_db {
	sqlite3 *handle;
	struct gw_pg *pg; /* NULL: SQLite's; else handle is its shadow */
	struct gw_pg_world pg_world;
	gw_db_change_fn changed;
	void *changed_ctx;
	struct gw_db_guard *guard;
	int64_t moment_ms; /* what _saat() gives */
	int64_t deadline_ms; /* monotonic; 0: none */
};

struct gw_stmt {
	sqlite3_stmt *handle;
	struct gw_pg_stmt *pg; /* NULL: SQLite's */
	struct gw_db *db;
};

int gw_db_on_progress(void *db); /* ends what runs past the deadline */
/* What SQLite says, as an error of ours. db NULL: there is no connection. */
enum bus_err gw_db_fail(struct gw_db *db, int rc, struct bus_error *err, const char *doing);
/* db_stmt.c: borrowed from v. */
struct bus_str gw_db_text_of(sqlite3_value *v);
void gw_db_value_of(sqlite3_value *v, struct gw_value *out);
/* db_pg.c: db is an empty SQLite database, and becomes the shadow of the one at path. */
enum bus_err gw_db_attach_pg(struct gw_db *db, const char *path, enum gw_db_mode mode, struct bus_error *err);

#endif
