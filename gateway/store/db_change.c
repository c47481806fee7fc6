/* Rows as they are changed, before and after. */
#include <assert.h>

#include "gateway/store/db_impl.h"

static void on_preupdate(void *ctx, sqlite3 *handle, int op, const char *database, const char *table,
			 sqlite3_int64 old_rowid, sqlite3_int64 new_rowid)
{
	struct gw_db *db = ctx;

	(void)handle;
	(void)database;
	(void)old_rowid;
	(void)new_rowid;
	db->changed(db->changed_ctx, table,
		    op == SQLITE_INSERT	  ? GW_DB_INSERT
		    : op == SQLITE_UPDATE ? GW_DB_UPDATE
					  : GW_DB_DELETE);
}

void gw_db_on_change(struct gw_db *db, gw_db_change_fn fn, void *ctx)
{
	db->changed = fn;
	db->changed_ctx = ctx;
	if (db->pg)
		gw_pg_on_change(db->pg, fn, ctx);
	else
		sqlite3_preupdate_hook(db->handle, fn ? on_preupdate : NULL, db);
}

void gw_db_old(struct gw_db *db, int column, struct gw_value *out)
{
	sqlite3_value *v = NULL;
	int rc;

	if (db->pg) {
		gw_pg_image(db->pg, false, column, out);
		return;
	}
	rc = sqlite3_preupdate_old(db->handle, column, &v);
	assert(rc == SQLITE_OK);
	gw_db_value_of(v, out);
}

void gw_db_new(struct gw_db *db, int column, struct gw_value *out)
{
	sqlite3_value *v = NULL;
	int rc;

	if (db->pg) {
		gw_pg_image(db->pg, true, column, out);
		return;
	}
	rc = sqlite3_preupdate_new(db->handle, column, &v);
	assert(rc == SQLITE_OK);
	gw_db_value_of(v, out);
}

bool gw_db_differs(struct gw_db *db, int column)
{
	struct gw_value a, b;

	gw_db_old(db, column, &a);
	gw_db_new(db, column, &b);
	if (a.type != b.type)
		return true;
	if (a.type == GW_TEXT)
		return !bus_str_eq(a.s, b.s);
	return a.type == GW_INT ? a.i != b.i : a.type == GW_REAL && a.r != b.r;
}
