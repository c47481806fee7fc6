#include "gateway/store/db.h"

#include <assert.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "gateway/store/db_impl.h"
#include "gateway/store/sqlfun.h"

#define BUSY_MS 5000
#define VALUE_MAX (64 * 1024 * 1024)
#define KEPT_BYTES (8 * 1024 * 1024)
#define MAPPED_BYTES (1024 * 1024)

enum bus_err gw_db_fail(struct gw_db *db, int rc, struct bus_error *err, const char *doing)
{
	enum bus_err code = BUS_EDB;

	switch (rc & 0xff) {
	case SQLITE_INTERRUPT:
		return bus_fail(err, BUS_ETIMEOUT, "%s: the time for a query is over", doing);
	case SQLITE_NOMEM:
	case SQLITE_TOOBIG:
		code = BUS_ETOOBIG;
		break;
	case SQLITE_FULL:
		code = BUS_EFULL;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = BUS_EDATA;
		break;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		code = BUS_EIO;
		break;
	default:
		break;
	}
	return bus_fail(err, code, "%s: %s", doing,
			db && db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc));
}

int gw_db_on_progress(void *ctx)
{
	struct gw_db *db = ctx;

	return db->deadline_ms != 0 && bus_clock_mono_ms() > db->deadline_ms;
}

/* The same throughout a statement: it is set between two. */
static void on_moment(sqlite3_context *ctx, int n, sqlite3_value **arg)
{
	const struct gw_db *db = sqlite3_user_data(ctx);

	(void)n;
	(void)arg;
	sqlite3_result_int64(ctx, db->moment_ms);
}

void gw_db_moment(struct gw_db *db, int64_t ms)
{
	db->moment_ms = ms;
	if (db->pg)
		gw_pg_moment(db->pg, ms);
}

static enum bus_err prepare_connection(struct gw_db *db, enum gw_db_mode mode, int64_t cache_bytes,
				       struct bus_error *err)
{
	sqlite3 *h = db->handle;
	char sql[512];
	int rc;

	sqlite3_extended_result_codes(h, 1);
	sqlite3_busy_timeout(h, BUSY_MS);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(h, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	sqlite3_limit(h, SQLITE_LIMIT_SQL_LENGTH, 1024 * 1024);
	sqlite3_limit(h, SQLITE_LIMIT_EXPR_DEPTH, 200);
	sqlite3_limit(h, SQLITE_LIMIT_COMPOUND_SELECT, 50);
	gw_sqlfun_register(db);
	sqlite3_create_function_v2(h, "_saat", 0, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, db, on_moment,
				   NULL, NULL, NULL);

	if (mode == GW_DB_WRITER) {
		snprintf(sql, sizeof(sql),
			 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
			 "PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
			 "PRAGMA journal_size_limit=268435456; PRAGMA mmap_size=0; PRAGMA temp_store=FILE;"
			 "PRAGMA cache_size=-%lld;",
			 (long long)(cache_bytes / 1024));
	} else {
		/* A reader that closes last must not be the one that checkpoints. Pages are checked cell by cell where
		 * they are written: a reader reads each again after every transaction. */
		sqlite3_db_config(h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		snprintf(sql, sizeof(sql),
			 "PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0; PRAGMA cell_size_check=OFF;"
			 "PRAGMA mmap_size=0; PRAGMA cache_size=-%lld;",
			 (long long)(cache_bytes / 1024));
	}
	sqlite3_progress_handler(h, GW_DB_STEPS_BETWEEN_LOOKS, gw_db_on_progress, db);
	rc = sqlite3_exec(h, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK) /* the file is looked at here, not at open */
		rc = sqlite3_exec(h, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	return rc == SQLITE_OK ? BUS_OK : gw_db_fail(db, rc, err, "cannot use the database");
}

enum bus_err gw_db_remove(const char *path, struct bus_error *err)
{
	static const char *const end[] = { "", "-wal", "-shm" };
	char *name;

	if (gw_pg_is(path))
		return gw_pg_drop(path, err);
	for (size_t i = 0; i < BUS_LEN(end); i++) {
		name = bus_xasprintf("%s%s", path, end[i]);
		unlink(name);
		free(name);
	}
	return BUS_OK;
}


void gw_db_begin_process(const char *path)
{
	const char *name = strrchr(path, '/');
	char *folder = name ? bus_xstrndup(path, (size_t)(name - path) + 1) : bus_xstrdup(".");
	int rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

	assert(rc == SQLITE_OK); /* else a connection was open */
	setenv("SQLITE_TMPDIR", folder, 1);
	free(folder);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES); /* else setting the other keeps it at 128 KiB */
}

enum bus_err gw_db_open(const char *path, enum gw_db_mode mode, int64_t cache_bytes, struct gw_db **out,
			struct bus_error *err)
{
	struct gw_db *db = bus_xcalloc(1, sizeof(*db));
	const char *file = gw_pg_is(path) ? ":memory:" : path;
	bool pg = gw_pg_is(path);
	int flags = mode == GW_DB_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	enum bus_err rc;
	int s, fd;

	*out = NULL;
	if (pg)
		flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	/* It holds the city in clear: nobody else's. SQLite gives its other files the mode of this one. */
	if (mode == GW_DB_WRITER && file[0] != ':' &&
	    (fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) >= 0)
		close(fd);
	s = sqlite3_open_v2(file, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (s != SQLITE_OK) {
		rc = bus_fail(err, (s & 0xff) == SQLITE_CANTOPEN ? BUS_EIO : BUS_EDB,
			      "cannot open the database '%s': %s", path, sqlite3_errstr(s));
		gw_db_close(&db);
		return rc;
	}
	rc = prepare_connection(db, pg ? GW_DB_WRITER : mode, cache_bytes, err);
	if (rc == BUS_OK && pg)
		rc = gw_db_attach_pg(db, path, mode, err);
	if (rc != BUS_OK) {
		gw_db_close(&db);
		return rc;
	}
	*out = db;
	return BUS_OK;
}

void gw_db_close(struct gw_db **db)
{
	int rc;

	if (!*db)
		return;
	gw_pg_close(&(*db)->pg);
	rc = sqlite3_close((*db)->handle);
	assert(rc == SQLITE_OK); /* else a statement was forgotten */
	free(*db);
	*db = NULL;
}

enum bus_err gw_db_exec(struct gw_db *db, struct bus_error *err, const char *fmt, ...)
{
	enum bus_err why = BUS_OK;
	va_list ap;
	char *text;
	int n, rc;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (db->pg)
		why = gw_pg_exec(db->pg, text, err);
	else if ((rc = sqlite3_exec(db->handle, text, NULL, NULL, NULL)) != SQLITE_OK)
		why = gw_db_fail(db, rc, err, "cannot write to the database");
	free(text);
	return why;
}

enum bus_err gw_db_int(struct gw_db *db, int64_t none, int64_t *out, struct bus_error *err, const char *fmt,
		       ...)
{
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	va_list ap;
	char *text;
	bool row;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	*out = none;
	rc = gw_db_prepare(db, text, &s, err);
	free(text);
	if (rc == BUS_OK)
		rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK && row && !gw_stmt_is_null(s, 0))
		*out = gw_stmt_int(s, 0);
	gw_stmt_free(&s);
	return rc;
}

void gw_db_rollback(struct gw_db *db)
{
	if (db->pg)
		gw_pg_rollback(db->pg);
	else if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool gw_db_in_transaction(const struct gw_db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

static int on_commit(void *commits, sqlite3 *handle, const char *database, int pages)
{
	(void)handle;
	(void)database;
	(void)pages;
	atomic_fetch_add((_Atomic uint64_t *)commits, 1);
	return SQLITE_OK;
}

void gw_db_count_commits(struct gw_db *db, _Atomic uint64_t *commits)
{
	sqlite3_wal_hook(db->handle, on_commit, commits);
}

enum bus_err gw_db_checkpoint(struct gw_db *db, bool truncate, int64_t *left, struct bus_error *err)
{
	int total = 0, done = 0, rc;

	*left = 0;
	if (db->pg)
		return gw_pg_tend(db->pg, err);
	/* TRUNCATE waits for readers; a passive one first, so that it has little to do. */
	rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &total, &done);
	if (rc == SQLITE_OK && truncate && total == done && total > 0) {
		sqlite3_busy_timeout(db->handle, 50);
		rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, &total, &done);
		sqlite3_busy_timeout(db->handle, BUSY_MS);
	}
	*left = total > done ? total - done : 0;
	if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY)
		return BUS_OK;
	return gw_db_fail(db, rc, err, "cannot checkpoint the database");
}

void gw_db_interrupt(struct gw_db *db)
{
	sqlite3_interrupt(db->handle);
	if (db->pg)
		gw_pg_interrupt(db->pg);
}

void gw_db_deadline(struct gw_db *db, int ms)
{
	db->deadline_ms = ms > 0 ? bus_clock_mono_ms() + ms : 0;
	if (db->pg)
		gw_pg_deadline(db->pg, db->deadline_ms);
}
