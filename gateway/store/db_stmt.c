/* Statements: prepared, bound, stepped; what they give. */
#include <stdio.h>

#include "gateway/store/db_impl.h"

static enum bus_err prepare(struct gw_db *db, const char *sql, struct gw_stmt **out, struct bus_error *err)
{
	sqlite3_stmt *handle = NULL;
	const char *tail = NULL;
	int rc;

	*out = NULL;
	rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, &tail);
	if (rc != SQLITE_OK)
		return gw_db_fail(db, rc, err, "cannot prepare SQL");
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
	return gw_db_fail(s->db, rc, err, "a statement failed");
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

struct bus_str gw_db_text_of(sqlite3_value *v)
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

void gw_db_value_of(sqlite3_value *v, struct gw_value *out)
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
		out->s = gw_db_text_of(v);
		break;
	}
}

void gw_stmt_value(struct gw_stmt *s, int column, struct gw_value *out)
{
	if (s->pg)
		gw_pg_value(s->pg, column, out);
	else
		gw_db_value_of(sqlite3_column_value(s->handle, column), out);
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
