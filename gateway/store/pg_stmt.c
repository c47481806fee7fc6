/* A statement: prepared at the server, bound, run, its rows read. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/utf8.h"
#include "gateway/store/pg_impl.h"

enum {
	BOOL = 16,
	BYTEA = 17,
	INT8 = 20,
	INT2 = 21,
	INT4 = 23,
	TEXT = 25,
	FLOAT4 = 700,
	FLOAT8 = 701,
	NUMERIC = 1700
};

/* --- made at the server ------------------------------------------------------------------------------- */

static enum bus_err describe(struct gw_pg_stmt *s, struct bus_error *err)
{
	struct gw_pg *pg = s->pg;
	PGresult *res = PQsendDescribePrepared(pg->conn, s->name) ? gw_pg_answer(pg) : NULL;
	enum bus_err rc = BUS_OK;

	if (PQresultStatus(res) != PGRES_COMMAND_OK) {
		rc = gw_pg_failed(pg, res, "cannot prepare SQL", err);
	} else {
		for (int i = 0; i < s->text.n_params && i < PQnparams(res); i++)
			s->type[i] = PQparamtype(res, i);
		s->n_columns = PQnfields(res);
		s->column = bus_xrealloc(s->column, ((size_t)s->n_columns + 1) * sizeof(*s->column));
		for (int i = 0; i < s->n_columns && rc == BUS_OK; i++) {
			s->column[i] = PQftype(res, i);
			if (PQftype(res, i) == NUMERIC)
				rc = bus_fail(err, BUS_EPARSE,
					      "the PostgreSQL store does not take this: column '%s' is of no "
					      "type of its own",
					      PQfname(res, i));
		}
	}
	PQclear(res);
	return rc;
}

enum bus_err gw_pg_make(struct gw_pg_stmt *s, const char *name, const char *sql, struct bus_error *err)
{
	struct gw_pg *pg = s->pg;
	enum bus_err rc = gw_pg_drain(pg, false, NULL, err);
	bool inside;
	PGresult *res;

	if (rc != BUS_OK)
		return rc;
	inside = gw_pg_in_transaction(pg);
	if (inside && (rc = gw_pg_send_text(pg, "SAVEPOINT _made", NULL, err)) != BUS_OK)
		return rc;
	res = PQsendPrepare(pg->conn, name, sql, 0, NULL) ? gw_pg_answer(pg) : NULL;
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		rc = gw_pg_failed(pg, res, "cannot prepare SQL", err);
	PQclear(res);
	if (inside && PQstatus(pg->conn) == CONNECTION_OK &&
	    gw_pg_send_text(pg, rc == BUS_OK ? "RELEASE _made" : "ROLLBACK TO _made; RELEASE _made", NULL,
			    NULL) != BUS_OK &&
	    rc == BUS_OK)
		rc = bus_fail(err, BUS_EDB, "cannot prepare SQL");
	return rc;
}

enum bus_err gw_pg_make_plain(struct gw_pg_stmt *s, struct bus_error *err)
{
	enum bus_err rc;

	snprintf(s->name, sizeof(s->name), "s%llu", (unsigned long long)++s->pg->statements);
	rc = gw_pg_make(s, s->name, bus_buf_cstr(&s->text.sql), err);
	if (rc == BUS_OK)
		rc = describe(s, err);
	if (rc == BUS_OK)
		s->made = s->pg->connections;
	return rc;
}

enum bus_err gw_pg_prepare(struct gw_pg *pg, const char *sql, struct gw_pg_stmt **out, struct bus_error *err)
{
	struct gw_pg_stmt *s = bus_xcalloc(1, sizeof(*s));
	const char *rest;
	enum bus_err rc;

	*out = NULL;
	s->pg = pg;
	gw_pg_again(pg);
	rc = gw_pg_translate(sql, pg->shadow.world, &s->text, &rest, err);
	if (rc == BUS_OK && *rest)
		rc = bus_fail(err, BUS_EPARSE, "more than one SQL statement");
	if (rc == BUS_OK) {
		size_t n = (size_t)s->text.n_params + 1;

		s->type = bus_xcalloc(n, sizeof(*s->type));
		s->value = bus_xcalloc(n, sizeof(*s->value));
		s->length = bus_xcalloc(n, sizeof(*s->length));
		s->format = bus_xcalloc(n, sizeof(*s->format));
		s->own = bus_xcalloc(n, sizeof(*s->own));
		rc = gw_pg_make_plain(s, err);
		if (rc != BUS_OK && gw_pg_again(pg))
			rc = gw_pg_make_plain(s, err);
	}
	if (rc != BUS_OK)
		gw_pg_free(&s);
	*out = s;
	return rc;
}

static void forget(struct gw_pg *pg, const char *name, uint64_t made)
{
	char sql[64];

	if (made != pg->connections || PQstatus(pg->conn) != CONNECTION_OK ||
	    PQtransactionStatus(pg->conn) == PQTRANS_INERROR)
		return;
	snprintf(sql, sizeof(sql), "DEALLOCATE %s", name);
	(void)!gw_pg_send_text(pg, sql, NULL, NULL);
}

void gw_pg_free(struct gw_pg_stmt **statement)
{
	struct gw_pg_stmt *s = *statement;

	if (!s)
		return;
	gw_pg_reset(s);
	if (s->made)
		forget(s->pg, s->name, s->made);
	if (s->followed_made)
		forget(s->pg, s->followed_name, s->followed_made);
	for (int i = 0; s->own && i < s->text.n_params; i++)
		bus_buf_release(&s->own[i]);
	free(s->own);
	free(s->type);
	free(s->column);
	free(s->value);
	free(s->length);
	free(s->format);
	bus_buf_release(&s->text_of);
	gw_pg_text_release(&s->text);
	free(s);
	*statement = NULL;
}

/* --- bound -------------------------------------------------------------------------------------------- */

int gw_pg_param(struct gw_pg_stmt *s, const char *name)
{
	for (int i = 0; i < s->text.n_params; i++) {
		if (s->text.param[i] && strcmp(s->text.param[i], name) == 0)
			return i + 1;
	}
	return 0;
}

int gw_pg_params(struct gw_pg_stmt *s)
{
	return s->text.n_params;
}

const char *gw_pg_param_name(struct gw_pg_stmt *s, int i)
{
	return i >= 1 && i <= s->text.n_params ? s->text.param[i - 1] : NULL;
}

static bool set(struct gw_pg_stmt *s, int i, const char *p, size_t n, int format)
{
	if (i < 1 || i > s->text.n_params)
		return false;
	s->value[i - 1] = (char *)(uintptr_t)p;
	s->length[i - 1] = (int)n;
	s->format[i - 1] = format;
	return true;
}

static void set_own(struct gw_pg_stmt *s, int i, const void *p, size_t n, int format)
{
	struct bus_buf *own;

	if (!set(s, i, NULL, 0, format))
		return;
	own = &s->own[i - 1];
	bus_buf_reset(own);
	bus_buf_put(own, p, n);
	set(s, i, bus_buf_cstr(own), n, format);
}

static Oid type_of(struct gw_pg_stmt *s, int i)
{
	return i >= 1 && i <= s->text.n_params ? s->type[i - 1] : 0;
}

void gw_pg_bind_null(struct gw_pg_stmt *s, int i)
{
	set(s, i, NULL, 0, 0);
}

void gw_pg_bind_int(struct gw_pg_stmt *s, int i, int64_t v)
{
	uint64_t wire = htobe64((uint64_t)v);
	char text[24];
	int n;

	if (type_of(s, i) == INT8) {
		set_own(s, i, &wire, sizeof(wire), 1);
		return;
	}
	s->bad |= type_of(s, i) ==
		  BYTEA; /* a column of several kinds: bytes cannot tell a number from its digits */
	n = snprintf(text, sizeof(text), "%lld", (long long)v);
	set_own(s, i, text, (size_t)n, 0);
}

void gw_pg_bind_real(struct gw_pg_stmt *s, int i, double v)
{
	uint64_t bits;
	char text[40];
	int n;

	if (type_of(s, i) == FLOAT8) {
		memcpy(&bits, &v, sizeof(bits));
		bits = htobe64(bits);
		set_own(s, i, &bits, sizeof(bits), 1);
		return;
	}
	s->bad |= type_of(s, i) == BYTEA;
	n = snprintf(text, sizeof(text), "%.17g", v);
	set_own(s, i, text, (size_t)n, 0);
}

void gw_pg_bind_text(struct gw_pg_stmt *s, int i, struct bus_str v, bool copy)
{
	Oid type = type_of(s, i);

	if (type != BYTEA && (memchr(v.p ? v.p : "", '\0', v.n) || bus_utf8_ok(v.p, v.n) != v.n))
		s->bad = true;
	if ((type == TEXT || type == BYTEA) && !copy)
		set(s, i, v.p ? v.p : "", v.n, 1);
	else
		set_own(s, i, v.p ? v.p : "", v.n, type == TEXT || type == BYTEA);
}

void gw_pg_bind_blob(struct gw_pg_stmt *s, int i, struct bus_str v)
{
	if (type_of(s, i) == BYTEA)
		set(s, i, v.p ? v.p : "", v.n, 1);
	else if (v.n ==
		 0) /* in SQLite bytes stand behind every text: so does the last character there can be */
		gw_pg_bind_text(s, i, BUS_STR("\xf4\x8f\xbf\xbf"), false);
	else
		gw_pg_bind_text(s, i, v, false);
}

/* --- read --------------------------------------------------------------------------------------------- */

int gw_pg_columns(struct gw_pg_stmt *s)
{
	return s->n_columns;
}

const char *gw_pg_column_type(struct gw_pg_stmt *s, int column)
{
	switch (s->column[column]) {
	case BOOL:
	case INT2:
	case INT4:
	case INT8:
		return " INTEGER";
	case FLOAT4:
	case FLOAT8:
		return " REAL";
	case BYTEA:
		return " BLOB";
	default:
		return " TEXT";
	}
}

const char *gw_pg_column_name(struct gw_pg_stmt *s, int column)
{
	return PQfname(s->res, column);
}

void gw_pg_read_value(const PGresult *res, int row, int column, struct gw_value *out, struct bus_buf *own)
{
	const char *p = PQgetvalue(res, row, column);
	size_t n = (size_t)PQgetlength(res, row, column), bytes;
	unsigned char *raw;

	memset(out, 0, sizeof(*out));
	if (PQgetisnull(res, row, column)) {
		out->type = GW_NULL;
		return;
	}
	switch (PQftype(res, column)) {
	case INT2:
	case INT4:
	case INT8:
		out->type = GW_INT;
		out->i = strtoll(p, NULL, 10);
		return;
	case BOOL:
		out->type = GW_INT;
		out->i = p[0] == 't';
		return;
	case FLOAT4:
	case FLOAT8:
		out->type = GW_REAL;
		out->r = strtod(p, NULL);
		return;
	case BYTEA:
		out->type = GW_TEXT;
		raw = own ? PQunescapeBytea((const unsigned char *)p, &bytes) : NULL;
		if (raw) {
			bus_buf_reset(own);
			bus_buf_put(own, raw, bytes);
			out->s = (struct bus_str){ bus_buf_cstr(own), own->n };
			PQfreemem(raw);
			return;
		}
		break;
	default:
		out->type = GW_TEXT;
		break;
	}
	out->s = (struct bus_str){ p, n };
}

void gw_pg_value(struct gw_pg_stmt *s, int column, struct gw_value *out)
{
	gw_pg_read_value(s->res, s->row, column, out, &s->text_of);
}

int64_t gw_pg_int(struct gw_pg_stmt *s, int column)
{
	struct gw_value v;

	gw_pg_value(s, column, &v);
	switch (v.type) {
	case GW_INT:
		return v.i;
	case GW_REAL:
		return (int64_t)v.r;
	case GW_TEXT:
		return strtoll(v.s.p, NULL, 10);
	default:
		return 0;
	}
}

struct bus_str gw_pg_text(struct gw_pg_stmt *s, int column)
{
	struct gw_value v;

	if (PQgetisnull(s->res, s->row, column))
		return (struct bus_str){ NULL, 0 };
	gw_pg_value(s, column, &v);
	if (v.type == GW_TEXT)
		return v.s;
	return (struct bus_str){ PQgetvalue(s->res, s->row, column),
				 (size_t)PQgetlength(s->res, s->row, column) };
}
