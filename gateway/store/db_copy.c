/* A whole database: out to a file, and in from one. */
#include "gateway/store/db_impl.h"

static enum bus_err failed(sqlite3 *handle, int rc, struct bus_error *err, const char *what)
{
	return bus_fail(err,
			(rc & 0xff) == SQLITE_FULL    ? BUS_EFULL
			: (rc & 0xff) == SQLITE_IOERR ? BUS_EIO
						      : BUS_EDB,
			"%s: %s", what, sqlite3_errmsg(handle));
}

/* One transaction on either side: the copy is of one moment, and readers of `to` see the one store or the other. */
static enum bus_err copy(sqlite3 *to, sqlite3 *from, const char *what, struct bus_error *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK;

	if (b)
		sqlite3_backup_step(b, -1);
	rc = b ? sqlite3_backup_finish(b) : sqlite3_extended_errcode(to);
	return rc == SQLITE_OK ? BUS_OK : failed(to, rc, err, what);
}

static enum bus_err open_file(const char *path, int flags, sqlite3 **out, struct bus_error *err)
{
	int rc = sqlite3_open_v2(path, out, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	return rc == SQLITE_OK
		   ? BUS_OK
		   : bus_fail(err, BUS_EIO, "cannot open the copy '%s': %s", path, sqlite3_errstr(rc));
}

enum bus_err gw_db_save(struct gw_db *db, const char *path, struct bus_error *err)
{
	sqlite3 *to = NULL;
	enum bus_err rc = open_file(path, SQLITE_OPEN_CREATE, &to, err);

	if (rc == BUS_OK)
		rc = copy(to, db->handle, "cannot copy the database", err);
	sqlite3_close(to);
	return rc;
}

enum bus_err gw_db_replace(struct gw_db *db, const char *path, struct bus_error *err)
{
	sqlite3 *from = NULL;
	enum bus_err rc = open_file(path, 0, &from, err);

	if (rc == BUS_OK)
		rc = copy(db->handle, from, "cannot take the copy over", err);
	sqlite3_close(from);
	return rc;
}
