/* The SQLite beside a connection to PostgreSQL: tables and indexes without rows (gateway/store/pg.h). */
#include "gateway/store/db_impl.h"

static enum bus_err shadow_exec(void *ctx, const char *sql, struct bus_error *err)
{
	struct gw_db *db = ctx;

	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
		return BUS_OK;
	return bus_fail(err, BUS_EDB, "the store's definitions: %s", sqlite3_errmsg(db->handle));
}

static void shadow_rollback(void *ctx)
{
	struct gw_db *db = ctx;

	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* sql gives text; each row is put into out as fmt says. */
static enum bus_err gather(struct gw_db *db, const char *sql, const char *before, const char *after,
			   struct bus_buf *out, struct bus_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL);

	while (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		bus_buf_printf(out, "%s%s%s", before, (const char *)sqlite3_column_text(s, 0), after);
	sqlite3_finalize(s);
	return rc == SQLITE_OK
		   ? BUS_OK
		   : bus_fail(err, BUS_EDB, "the store's definitions: %s", sqlite3_errmsg(db->handle));
}

static enum bus_err shadow_dump(void *ctx, struct bus_buf *out, struct bus_error *err)
{
	return gather(
	    ctx,
	    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
	    "", ";\n", out, err);
}

static enum bus_err shadow_load(void *ctx, const char *sql, struct bus_error *err)
{
	struct bus_buf drops = { 0 };
	enum bus_err rc;

	rc = gather(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
		    "DROP TABLE \"", "\";", &drops, err);
	if (rc == BUS_OK)
		rc = shadow_exec(ctx, bus_buf_cstr(&drops), err);
	bus_buf_release(&drops);
	return rc == BUS_OK ? shadow_exec(ctx, sql, err) : rc;
}

static bool shadow_table(void *ctx, const char *name, struct gw_pg_table *out)
{
	struct gw_db *db = ctx;
	sqlite3_stmt *s = NULL;

	out->n = 0;
	if (sqlite3_prepare_v2(db->handle, "SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid", -1, &s,
			       NULL) == SQLITE_OK)
		sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
	while (s && sqlite3_step(s) == SQLITE_ROW && out->n < BUS_LEN(out->column)) {
		out->column[out->n] = bus_xstrdup((const char *)sqlite3_column_text(s, 0));
		out->key[out->n++] = sqlite3_column_int(s, 1) > 0;
	}
	sqlite3_finalize(s);
	return out->n > 0;
}

enum bus_err gw_db_attach_pg(struct gw_db *db, const char *path, enum gw_db_mode mode, struct bus_error *err)
{
	const struct gw_pg_shadow shadow = {
		.ctx = db,
		.exec = shadow_exec,
		.world = &db->pg_world,
		.dump = shadow_dump,
		.load = shadow_load,
		.rollback = shadow_rollback,
	};

	db->pg_world = (struct gw_pg_world){ db, shadow_table };
	return gw_pg_open(path, mode, &shadow, &db->pg, err);
}
