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

struct gw_call {
	sqlite3_context *ctx;
	sqlite3_value **arg;
	int n;
};

static enum bus_err fail(struct gw_db *db, int rc, struct bus_error *err, const char *doing)
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
			 "PRAGMA journal_size_limit=268435456; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
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
	return rc == SQLITE_OK ? BUS_OK : fail(db, rc, err, "cannot use the database");
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


void gw_db_begin_process(void)
{
	int rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

	assert(rc == SQLITE_OK); /* else a connection was open */
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
		why = fail(db, rc, err, "cannot write to the database");
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
	return fail(db, rc, err, "cannot checkpoint the database");
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

static enum bus_err prepare(struct gw_db *db, const char *sql, struct gw_stmt **out, struct bus_error *err)
{
	sqlite3_stmt *handle = NULL;
	const char *tail = NULL;
	int rc;

	*out = NULL;
	rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, &tail);
	if (rc != SQLITE_OK)
		return fail(db, rc, err, "cannot prepare SQL");
	if (!handle)
		return bus_fail(err, BUS_EPARSE, "no SQL statement");
	while (tail && strchr(" \t\r\n;", *tail) && *tail)
		tail++;
	if (tail && *tail) {
		sqlite3_finalize(handle);
		return bus_fail(err, BUS_EPARSE, "more than one SQL statement");
	}
	*out = bus_xcalloc(1, sizeof(**out));
	(*out)->handle = handle;
	(*out)->db = db;
	return BUS_OK;
}

enum bus_err gw_db_prepare(struct gw_db *db, const char *sql, struct gw_stmt **out, struct bus_error *err)
{
	struct gw_pg_stmt *s;
	enum bus_err rc;

	if (!db->pg)
		return prepare(db, sql, out, err);
	*out = NULL;
	if (gw_pg_asks_shadow(sql)) {
		rc = gw_pg_refresh(db->pg, err);
		return rc == BUS_OK ? prepare(db, sql, out, err) : rc;
	}
	rc = gw_pg_prepare(db->pg, sql, &s, err);
	if (rc != BUS_OK)
		return rc;
	*out = bus_xcalloc(1, sizeof(**out));
	(*out)->pg = s;
	(*out)->db = db;
	return BUS_OK;
}

static int on_authorize(void *ctx, int action, const char *a, const char *b, const char *database,
			const char *trigger)
{
	struct gw_db_guard *g = ctx;

	(void)database;
	(void)trigger;
	switch (action) {
	case SQLITE_SELECT:
		return SQLITE_OK;
	case SQLITE_READ:
		if (g->read(g->ctx, a, b ? b : ""))
			return SQLITE_OK;
		if (g->refused[0] == '\0')
			snprintf(g->refused, sizeof(g->refused), "it may not read '%s.%s'", a, b ? b : "");
		return SQLITE_DENY;
	case SQLITE_FUNCTION:
		if (g->function(g->ctx, b))
			return SQLITE_OK;
		if (g->refused[0] == '\0')
			snprintf(g->refused, sizeof(g->refused), "function '%s' is not allowed", b);
		return SQLITE_DENY;
	case SQLITE_RECURSIVE:
		snprintf(g->refused, sizeof(g->refused), "recursion is not allowed");
		return SQLITE_DENY;
	default:
		snprintf(g->refused, sizeof(g->refused), "only one SELECT is allowed");
		return SQLITE_DENY;
	}
}

enum bus_err gw_db_prepare_guarded(struct gw_db *db, const char *sql, struct gw_db_guard *guard,
				   struct gw_stmt **out, struct bus_error *err)
{
	enum bus_err rc;

	guard->refused[0] = '\0';
	sqlite3_set_authorizer(db->handle, on_authorize, guard);
	rc = prepare(db, sql, out, err);
	sqlite3_set_authorizer(db->handle, NULL, NULL);
	if (rc == BUS_OK && !sqlite3_stmt_readonly((*out)->handle)) {
		gw_stmt_free(out);
		return bus_fail(err, BUS_EPARSE, "only one SELECT is allowed");
	}
	if (rc == BUS_EDB)
		rc = guard->refused[0] ? bus_fail(err, BUS_EDENIED, "%s", guard->refused)
				       : bus_fail(err, BUS_EPARSE, "%s", sqlite3_errmsg(db->handle));
	return rc;
}

void gw_stmt_free(struct gw_stmt **s)
{
	if (!*s)
		return;
	gw_pg_free(&(*s)->pg);
	sqlite3_finalize((*s)->handle);
	free(*s);
	*s = NULL;
}

bool gw_db_is_typed(struct gw_db *db)
{
	return db->pg != NULL;
}

const char *gw_stmt_type(struct gw_stmt *s, int column)
{
	return s->pg ? gw_pg_column_type(s->pg, column) : "";
}

int gw_stmt_param(struct gw_stmt *s, const char *name)
{
	return s->pg ? gw_pg_param(s->pg, name) : sqlite3_bind_parameter_index(s->handle, name);
}

int gw_stmt_params(struct gw_stmt *s)
{
	return s->pg ? gw_pg_params(s->pg) : sqlite3_bind_parameter_count(s->handle);
}

const char *gw_stmt_param_name(struct gw_stmt *s, int i)
{
	return s->pg ? gw_pg_param_name(s->pg, i) : sqlite3_bind_parameter_name(s->handle, i);
}

void gw_stmt_bind_null(struct gw_stmt *s, int i)
{
	if (s->pg)
		gw_pg_bind_null(s->pg, i);
	else if (i > 0)
		sqlite3_bind_null(s->handle, i);
}

void gw_stmt_bind_int(struct gw_stmt *s, int i, int64_t v)
{
	if (s->pg)
		gw_pg_bind_int(s->pg, i, v);
	else if (i > 0)
		sqlite3_bind_int64(s->handle, i, v);
}

void gw_stmt_bind_real(struct gw_stmt *s, int i, double v)
{
	if (s->pg)
		gw_pg_bind_real(s->pg, i, v);
	else if (i > 0)
		sqlite3_bind_double(s->handle, i, v);
}

void gw_stmt_bind_text(struct gw_stmt *s, int i, struct bus_str v)
{
	if (s->pg)
		gw_pg_bind_text(s->pg, i, v, false);
	else if (i > 0)
		sqlite3_bind_text64(s->handle, i, v.p ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8);
}

void gw_stmt_bind_copy(struct gw_stmt *s, int i, struct bus_str v)
{
	if (s->pg)
		gw_pg_bind_text(s->pg, i, v, true);
	else if (i > 0)
		sqlite3_bind_text64(s->handle, i, v.p ? v.p : "", v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void gw_stmt_bind_blob(struct gw_stmt *s, int i, struct bus_str v)
{
	if (s->pg)
		gw_pg_bind_blob(s->pg, i, v);
	else if (i > 0)
		sqlite3_bind_blob64(s->handle, i, v.p ? v.p : "", v.n, SQLITE_STATIC);
}

void gw_stmt_bind_value(struct gw_stmt *s, int i, const struct gw_value *v)
{
	switch (v->type) {
	case GW_NULL:
		gw_stmt_bind_null(s, i);
		break;
	case GW_INT:
	case GW_BOOL:
		gw_stmt_bind_int(s, i, v->i);
		break;
	case GW_REAL:
		gw_stmt_bind_real(s, i, v->r);
		break;
	case GW_TEXT:
	case GW_JSON:
		gw_stmt_bind_text(s, i, v->s);
		break;
	}
}

enum bus_err gw_stmt_step(struct gw_stmt *s, bool *row, struct bus_error *err)
{
	int rc;

	if (s->pg)
		return gw_pg_step(s->pg, row, err);
	rc = sqlite3_step(s->handle);
	*row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return BUS_OK;
	return fail(s->db, rc, err, "a statement failed");
}

void gw_stmt_reset(struct gw_stmt *s)
{
	if (s->pg)
		gw_pg_reset(s->pg);
	else
		sqlite3_reset(s->handle);
}

enum bus_err gw_stmt_run(struct gw_stmt *s, struct bus_error *err)
{
	bool row;
	enum bus_err rc = gw_stmt_step(s, &row, err);

	gw_stmt_reset(s);
	return rc;
}

int gw_stmt_columns(struct gw_stmt *s)
{
	return s->pg ? gw_pg_columns(s->pg) : sqlite3_column_count(s->handle);
}

const char *gw_stmt_name(struct gw_stmt *s, int column)
{
	return s->pg ? gw_pg_column_name(s->pg, column) : sqlite3_column_name(s->handle, column);
}

bool gw_stmt_is_null(struct gw_stmt *s, int column)
{
	struct gw_value v;

	if (s->pg) {
		gw_pg_value(s->pg, column, &v);
		return v.type == GW_NULL;
	}
	return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

int64_t gw_stmt_int(struct gw_stmt *s, int column)
{
	return s->pg ? gw_pg_int(s->pg, column) : sqlite3_column_int64(s->handle, column);
}

static struct bus_str text_of(sqlite3_value *v)
{
	/* Pointer first, then length: the order SQLite asks for. */
	const char *p = sqlite3_value_type(v) == SQLITE_BLOB ? sqlite3_value_blob(v)
							     : (const char *)sqlite3_value_text(v);

	return (struct bus_str){ p, p ? (size_t)sqlite3_value_bytes(v) : 0 };
}

struct bus_str gw_stmt_text(struct gw_stmt *s, int column)
{
	const char *p;

	if (s->pg)
		return gw_pg_text(s->pg, column);
	p = (const char *)sqlite3_column_text(s->handle, column);
	return (struct bus_str){ p, p ? (size_t)sqlite3_column_bytes(s->handle, column) : 0 };
}

static void value_of(sqlite3_value *v, struct gw_value *out)
{
	memset(out, 0, sizeof(*out));
	switch (sqlite3_value_type(v)) {
	case SQLITE_INTEGER:
		out->type = GW_INT;
		out->i = sqlite3_value_int64(v);
		break;
	case SQLITE_FLOAT:
		out->type = GW_REAL;
		out->r = sqlite3_value_double(v);
		break;
	case SQLITE_NULL:
		out->type = GW_NULL;
		break;
	default:
		out->type = GW_TEXT;
		out->s = text_of(v);
		break;
	}
}

void gw_stmt_value(struct gw_stmt *s, int column, struct gw_value *out)
{
	if (s->pg)
		gw_pg_value(s->pg, column, out);
	else
		value_of(sqlite3_column_value(s->handle, column), out);
}

void gw_stmt_pack(struct gw_stmt *s, struct bus_buf *out)
{
	gw_stmt_pack_first(s, gw_stmt_columns(s), out);
}

void gw_stmt_pack_first(struct gw_stmt *s, int n, struct bus_buf *out)
{
	struct gw_value v;
	int64_t len;

	for (int i = 0; i < n; i++) {
		gw_stmt_value(s, i, &v);
		bus_buf_putc(out, (char)v.type);
		if (v.type == GW_INT) {
			bus_buf_put(out, &v.i, sizeof(v.i));
		} else if (v.type == GW_REAL) {
			bus_buf_put(out, &v.r, sizeof(v.r));
		} else if (v.type == GW_TEXT) {
			len = (int64_t)v.s.n;
			bus_buf_put(out, &len, sizeof(len));
			bus_buf_put(out, v.s.p, v.s.n);
		}
	}
}

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
	value_of(v, out);
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
	value_of(v, out);
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

static void on_call(sqlite3_context *ctx, int n, sqlite3_value **arg)
{
	struct gw_call c = { ctx, arg, n };

	((gw_function)sqlite3_user_data(ctx))(&c);
}

void gw_db_function(struct gw_db *db, const char *name, int n_args, gw_function fn)
{
	int rc = sqlite3_create_function_v2(db->handle, name, n_args,
					    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, (void *)fn,
					    on_call, NULL, NULL, NULL);

	assert(rc == SQLITE_OK);
}

struct aggregate { /* what a registered aggregate calls */
	gw_function step, end;
};

static void on_step(sqlite3_context *ctx, int n, sqlite3_value **arg)
{
	struct gw_call c = { ctx, arg, n };

	((const struct aggregate *)sqlite3_user_data(ctx))->step(&c);
}

static void on_end(sqlite3_context *ctx)
{
	struct gw_call c = { ctx, NULL, 0 };

	((const struct aggregate *)sqlite3_user_data(ctx))->end(&c);
}

void gw_db_aggregate(struct gw_db *db, const char *name, int n_args, gw_function step, gw_function end)
{
	struct aggregate *a = bus_xcalloc(1, sizeof(*a));
	int rc;

	*a = (struct aggregate){ step, end };
	rc = sqlite3_create_function_v2(db->handle, name, n_args,
					SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, a, NULL, on_step, on_end,
					free);
	assert(rc == SQLITE_OK);
}

void *gw_call_state(struct gw_call *c, size_t n)
{
	return sqlite3_aggregate_context(c->ctx, c->arg ? (int)n : 0);
}

int gw_call_args(struct gw_call *c)
{
	return c->n;
}

int64_t gw_call_int(struct gw_call *c, int i)
{
	return sqlite3_value_int64(c->arg[i]);
}

bool gw_call_null(struct gw_call *c, int i)
{
	return sqlite3_value_type(c->arg[i]) == SQLITE_NULL;
}

struct bus_str gw_call_text(struct gw_call *c, int i)
{
	return text_of(c->arg[i]);
}

void gw_call_return_text(struct gw_call *c, struct bus_str v)
{
	sqlite3_result_text64(c->ctx, v.p ? v.p : "", v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void gw_call_return_int(struct gw_call *c, int64_t v)
{
	sqlite3_result_int64(c->ctx, v);
}

void gw_call_return_arg(struct gw_call *c, int i)
{
	sqlite3_result_value(c->ctx, c->arg[i]);
}
