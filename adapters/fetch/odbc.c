#include "adapters/fetch/odbc.h"

#include <sql.h>
#include <sqlext.h>
#include <stdio.h>

#include "adapters/feed.h"
#include "bus/secret.h"
#include "bus/utf8.h"

#define COLUMNS_MAX 1024
#define PIECE 4096 /* UTF-16 units of one SQLGetData */

struct adapter_odbc {
	SQLHENV env;
	SQLHDBC dbc;
	SQLHSTMT stmt;
	int timeout_s;
	char **column;
	enum adapter_odbc_holds *holds; /* of each */
	size_t n_columns;
	bool connected;
	SQLLEN param_len;
	SQLWCHAR piece[PIECE];
};

static bool is(SQLRETURN rc)
{
	return rc == SQL_SUCCESS || rc == SQL_SUCCESS_WITH_INFO;
}

static enum bus_err kind_of(const char *state)
{
	if (strncmp(state, "28", 2) == 0)
		return BUS_EDENIED;
	if (strncmp(state, "HYT", 3) == 0)
		return BUS_ETIMEOUT;
	if (strcmp(state, "HY008") == 0)
		return BUS_ESTOPPED;
	return strncmp(state, "42", 2) == 0 ? BUS_EINVAL : BUS_EIO;
}

/* The drivers there are, for the one who has to name one. */
static void drivers(SQLHENV env, char *out, size_t n)
{
	SQLCHAR name[100], rest[256];
	SQLSMALLINT a, b;
	SQLUSMALLINT way = SQL_FETCH_FIRST;
	size_t at = 0;

	out[0] = '\0';
	while (at < n && is(SQLDrivers(env, way, name, sizeof(name), &a, rest, sizeof(rest), &b))) {
		at += (size_t)snprintf(out + at, n - at, "%s%s", at ? ", " : "", (const char *)name);
		way = SQL_FETCH_NEXT;
	}
}

/* The first diagnostic of the handle. */
static enum bus_err fail(struct adapter_odbc *o, SQLSMALLINT type, SQLHANDLE handle, const char *what,
			 struct bus_error *err)
{
	SQLCHAR state[6] = "", text[512] = "";
	char said[256], have[160];
	SQLINTEGER native;
	SQLSMALLINT len;

	if (!is(SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof(text), &len)))
		snprintf((char *)text, sizeof(text), "the driver does not say why");
	adapter_file_label((const char *)text, said, sizeof(said));
	if (strcmp((const char *)state, "01000") == 0 || strcmp((const char *)state, "IM002") == 0) {
		drivers(o->env, have, sizeof(have));
		return bus_fail(err, BUS_EINVAL, "%s: %s; drivers that are there: %s", what, said,
				have[0] ? have
					: "none (apt install odbc-postgresql, odbc-mariadb, tdsodbc ...)");
	}
	return bus_fail(err, kind_of((const char *)state), "%s: %s: %s", what, (const char *)state, said);
}

static SQLCHAR *text_of(const char *s)
{
	union {
		const char *in;
		SQLCHAR *out;
	} u = { .in = s };

	return u.out; /* ODBC's prototypes know no const */
}

enum bus_err adapter_odbc_open(const char *connection, int timeout_s, struct adapter_odbc **out,
			       struct bus_error *err)
{
	struct adapter_odbc *o = bus_xcalloc(1, sizeof(*o));
	SQLHANDLE h = SQL_NULL_HANDLE;
	enum bus_err rc = BUS_OK;

	*out = NULL;
	o->timeout_s = timeout_s;
	if (!is(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &h)))
		rc = bus_fail(err, BUS_EIO, "unixODBC does not start");
	o->env = h;
	if (!rc && (!is(SQLSetEnvAttr(o->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0)) ||
		    !is(SQLAllocHandle(SQL_HANDLE_DBC, o->env, &h))))
		rc = fail(o, SQL_HANDLE_ENV, o->env, "unixODBC", err);
	else if (!rc)
		o->dbc = h;
	if (!rc) {
		/* Not every driver knows them; what it cannot it says, and the query decides. */
		(void)SQLSetConnectAttr(o->dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)(intptr_t)15, 0);
		(void)SQLSetConnectAttr(o->dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_ONLY, 0);
		if (!is(SQLDriverConnect(o->dbc, NULL, text_of(connection), SQL_NTS, NULL, 0, NULL,
					 SQL_DRIVER_NOPROMPT)))
			rc = fail(o, SQL_HANDLE_DBC, o->dbc, "cannot connect", err);
		else
			o->connected = true;
	}
	if (!rc && !is(SQLAllocHandle(SQL_HANDLE_STMT, o->dbc, &h)))
		rc = fail(o, SQL_HANDLE_DBC, o->dbc, "cannot make a statement", err);
	else if (!rc)
		o->stmt = h;
	if (rc)
		adapter_odbc_close(&o);
	*out = o;
	return rc;
}

enum bus_err adapter_odbc_connect(const char *connection, const char *password_file, int timeout_s,
				  struct adapter_odbc **out, struct bus_error *err)
{
	struct bus_buf b = { 0 };
	enum bus_err rc = BUS_OK;

	*out = NULL;
	bus_buf_puts(&b, connection);
	if (password_file) {
		struct bus_buf password = { 0 };

		rc = bus_secret_load(password_file, &password, err);
		if (!rc && memchr(password.p, '}', password.n))
			rc = bus_fail(err, BUS_EINVAL, "%s: a password with '}' cannot be given to ODBC",
				      password_file);
		if (!rc)
			bus_buf_printf(&b, "%sPWD={%.*s}", b.n && b.p[b.n - 1] == ';' ? "" : ";",
				       (int)password.n, password.p);
		bus_secret_release(&password);
	}
	if (!rc)
		rc = adapter_odbc_open(bus_buf_cstr(&b), timeout_s, out, err);
	bus_secret_release(&b);
	return rc;
}

static void forget_columns(struct adapter_odbc *o)
{
	for (size_t i = 0; i < o->n_columns; i++)
		free(o->column[i]);
	free(o->column);
	free(o->holds);
	o->column = NULL;
	o->holds = NULL;
	o->n_columns = 0;
}

static enum adapter_odbc_holds holds_of(SQLSMALLINT type, SQLSMALLINT digits)
{
	switch (type) {
	case SQL_TINYINT:
	case SQL_SMALLINT:
	case SQL_INTEGER:
	case SQL_BIGINT:
		return ADAPTER_ODBC_HOLDS_WHOLE;
	case SQL_NUMERIC:
	case SQL_DECIMAL:
		return digits == 0 ? ADAPTER_ODBC_HOLDS_WHOLE : ADAPTER_ODBC_HOLDS_DECIMAL;
	case SQL_REAL:
	case SQL_FLOAT:
	case SQL_DOUBLE:
		return ADAPTER_ODBC_HOLDS_DECIMAL;
	case SQL_TYPE_DATE:
		return ADAPTER_ODBC_HOLDS_DATE;
	case SQL_TYPE_TIMESTAMP:
		return ADAPTER_ODBC_HOLDS_TIME;
	case SQL_BINARY:
	case SQL_VARBINARY:
	case SQL_LONGVARBINARY:
		return ADAPTER_ODBC_HOLDS_BYTES;
	case SQL_CHAR:
	case SQL_VARCHAR:
	case SQL_LONGVARCHAR:
	case SQL_WCHAR:
	case SQL_WVARCHAR:
	case SQL_WLONGVARCHAR:
		return ADAPTER_ODBC_HOLDS_TEXT;
	default:
		return ADAPTER_ODBC_HOLDS_OTHER;
	}
}

static enum bus_err name_columns(struct adapter_odbc *o, struct bus_error *err)
{
	SQLSMALLINT n = 0, len, type, digits, nullable;
	SQLCHAR name[512];
	SQLULEN size;

	if (!is(SQLNumResultCols(o->stmt, &n)))
		return fail(o, SQL_HANDLE_STMT, o->stmt, "query", err);
	if (n < 1 || n > COLUMNS_MAX)
		return bus_fail(err, BUS_EINVAL, "the query gives %d columns; from 1 to %d are possible", n,
				COLUMNS_MAX);
	o->column = bus_xcalloc((size_t)n, sizeof(*o->column));
	o->holds = bus_xcalloc((size_t)n, sizeof(*o->holds));
	for (SQLSMALLINT i = 0; i < n; i++) {
		if (!is(SQLDescribeCol(o->stmt, (SQLUSMALLINT)(i + 1), name, sizeof(name), &len, &type, &size,
				       &digits, &nullable)))
			return fail(o, SQL_HANDLE_STMT, o->stmt, "query", err);
		o->holds[o->n_columns] = holds_of(type, digits);
		o->column[o->n_columns++] = bus_xstrdup((const char *)name);
	}
	return BUS_OK;
}

static enum bus_err bind(struct adapter_odbc *o, const char *query, const char *param,
			 enum adapter_odbc_type type, struct bus_error *err)
{
	static const SQLSMALLINT sql_type[] = { SQL_BIGINT, SQL_TYPE_TIMESTAMP, SQL_VARCHAR };
	static const SQLULEN size[] = { 19, 26, 255 };
	SQLSMALLINT n = 0;

	if (!is(SQLPrepare(o->stmt, text_of(query), SQL_NTS)) || !is(SQLNumParams(o->stmt, &n)))
		return fail(o, SQL_HANDLE_STMT, o->stmt, "query", err);
	o->param_len = SQL_NTS;
	for (SQLSMALLINT i = 0; i < n; i++)
		if (!is(SQLBindParameter(o->stmt, (SQLUSMALLINT)(i + 1), SQL_PARAM_INPUT, SQL_C_CHAR,
					 sql_type[type], size[type], type == ADAPTER_ODBC_TIME ? 6 : 0,
					 text_of(param), (SQLLEN)strlen(param), &o->param_len)))
			return fail(o, SQL_HANDLE_STMT, o->stmt, "query", err);
	return BUS_OK;
}

enum bus_err adapter_odbc_run(struct adapter_odbc *o, const char *query, const char *param,
			      enum adapter_odbc_type type, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	SQLRETURN ran;

	forget_columns(o);
	(void)SQLFreeStmt(o->stmt, SQL_CLOSE);
	(void)SQLFreeStmt(o->stmt, SQL_RESET_PARAMS);
	(void)SQLSetStmtAttr(o->stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_FORWARD_ONLY, 0);
	(void)SQLSetStmtAttr(o->stmt, SQL_ATTR_CONCURRENCY, (SQLPOINTER)SQL_CONCUR_READ_ONLY, 0);
	(void)SQLSetStmtAttr(o->stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)(intptr_t)o->timeout_s, 0);
	if (param)
		rc = bind(o, query, param, type, err);
	if (rc)
		return rc;
	ran = param ? SQLExecute(o->stmt) : SQLExecDirect(o->stmt, text_of(query), SQL_NTS);
	if (!is(ran) && ran != SQL_NO_DATA)
		return fail(o, SQL_HANDLE_STMT, o->stmt, "query", err);
	return name_columns(o, err);
}

enum bus_err adapter_odbc_do(struct adapter_odbc *o, const char *statement, struct bus_error *err)
{
	SQLRETURN ran;

	forget_columns(o);
	(void)SQLFreeStmt(o->stmt, SQL_CLOSE);
	(void)SQLFreeStmt(o->stmt, SQL_RESET_PARAMS);
	(void)SQLSetConnectAttr(o->dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_WRITE, 0);
	ran = SQLExecDirect(o->stmt, text_of(statement), SQL_NTS);
	if (!is(ran) && ran != SQL_NO_DATA)
		return fail(o, SQL_HANDLE_STMT, o->stmt, "statement", err);
	(void)SQLSetConnectAttr(o->dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_ONLY, 0);
	return BUS_OK;
}

void adapter_odbc_bound(struct adapter_odbc *o, size_t rows, int timeout_s)
{
	o->timeout_s = timeout_s;
	(void)SQLSetStmtAttr(o->stmt, SQL_ATTR_MAX_ROWS, (SQLPOINTER)rows, 0);
}

/* Of the catalogue: the statement is used again as it is for queries. */
static void renew(struct adapter_odbc *o)
{
	forget_columns(o);
	(void)SQLFreeStmt(o->stmt, SQL_CLOSE);
	(void)SQLFreeStmt(o->stmt, SQL_RESET_PARAMS);
}

enum bus_err adapter_odbc_tables(struct adapter_odbc *o, struct bus_error *err)
{
	renew(o);
	if (!is(SQLTables(o->stmt, NULL, 0, NULL, 0, NULL, 0, text_of("TABLE,VIEW"), SQL_NTS)))
		return fail(o, SQL_HANDLE_STMT, o->stmt, "list of tables", err);
	return name_columns(o, err);
}

enum bus_err adapter_odbc_key(struct adapter_odbc *o, const char *catalog, const char *schema,
			      const char *table, struct bus_error *err)
{
	renew(o);
	if (!is(SQLPrimaryKeys(o->stmt, *catalog ? text_of(catalog) : NULL, SQL_NTS,
			       *schema ? text_of(schema) : NULL, SQL_NTS, text_of(table), SQL_NTS)))
		return fail(o, SQL_HANDLE_STMT, o->stmt, "primary key", err);
	return name_columns(o, err);
}

void adapter_odbc_put_name(struct adapter_odbc *o, const char *name, struct bus_buf *out)
{
	SQLCHAR quote[8] = "";
	SQLSMALLINT len = 0;
	char mark;

	if (!is(SQLGetInfo(o->dbc, SQL_IDENTIFIER_QUOTE_CHAR, quote, sizeof(quote), &len)) || len != 1)
		quote[0] = '"';
	mark = (char)quote[0];
	bus_buf_putc(out, mark);
	for (; *name; name++) {
		if (*name == mark)
			bus_buf_putc(out, mark);
		bus_buf_putc(out, *name);
	}
	bus_buf_putc(out, mark);
}

size_t adapter_odbc_columns(const struct adapter_odbc *o)
{
	return o->n_columns;
}

const char *adapter_odbc_column(const struct adapter_odbc *o, size_t i)
{
	return o->column[i];
}

enum adapter_odbc_holds adapter_odbc_holds(const struct adapter_odbc *o, size_t i)
{
	return o->holds[i];
}

enum bus_err adapter_odbc_next(struct adapter_odbc *o, struct bus_error *err)
{
	SQLRETURN rc = SQLFetch(o->stmt);

	if (rc == SQL_NO_DATA)
		return BUS_ENOENT;
	return is(rc) ? BUS_OK : fail(o, SQL_HANDLE_STMT, o->stmt, "reading rows", err);
}

static void put_code(struct bus_buf *out, uint32_t c)
{
	char bytes[4];

	bus_buf_put(out, bytes, bus_utf8_put(c, bytes));
}

/* UTF-16 to UTF-8; a half of a pair alone becomes U+FFFD. *high: of a pair that the next piece ends. */
static void put_wide(struct bus_buf *out, const SQLWCHAR *w, size_t n, uint32_t *high)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t c = w[i];

		if (*high && c >= 0xdc00 && c < 0xe000) {
			put_code(out, 0x10000 + ((*high - 0xd800) << 10) + (c - 0xdc00));
			*high = 0;
			continue;
		}
		if (*high)
			put_code(out, 0xfffd);
		*high = c >= 0xd800 && c < 0xdc00 ? c : 0;
		if (!*high)
			put_code(out, c >= 0xdc00 && c < 0xe000 ? 0xfffd : c);
	}
}

enum bus_err adapter_odbc_text(struct adapter_odbc *o, size_t i, size_t max, struct bus_buf *out, bool *null,
			       bool *cut, struct bus_error *err)
{
	size_t from = out->n;
	uint32_t high = 0;
	SQLRETURN rc;

	*null = *cut = false;
	do {
		SQLLEN len = 0;
		size_t n;

		rc =
		    SQLGetData(o->stmt, (SQLUSMALLINT)(i + 1), SQL_C_WCHAR, o->piece, sizeof(o->piece), &len);
		if (rc == SQL_NO_DATA)
			break;
		if (!is(rc))
			return fail(o, SQL_HANDLE_STMT, o->stmt, "reading rows", err);
		if (len == SQL_NULL_DATA) {
			*null = true;
			return BUS_OK;
		}
		/* len is what was left before this piece; of a piece that is not the last the end is a NUL. */
		n = len == SQL_NO_TOTAL || (size_t)len >= sizeof(o->piece) ? PIECE - 1
									   : (size_t)len / sizeof(SQLWCHAR);
		put_wide(out, o->piece, n, &high);
		*cut = out->n - from > max;
	} while (rc == SQL_SUCCESS_WITH_INFO && !*cut);
	if (high)
		put_code(out, 0xfffd);
	return BUS_OK;
}

void adapter_odbc_cancel(struct adapter_odbc *o)
{
	(void)SQLCancel(o->stmt);
}

void adapter_odbc_close(struct adapter_odbc **op)
{
	struct adapter_odbc *o = *op;

	if (!o)
		return;
	forget_columns(o);
	if (o->stmt)
		SQLFreeHandle(SQL_HANDLE_STMT, o->stmt);
	if (o->connected)
		SQLDisconnect(o->dbc);
	if (o->dbc)
		SQLFreeHandle(SQL_HANDLE_DBC, o->dbc);
	if (o->env)
		SQLFreeHandle(SQL_HANDLE_ENV, o->env);
	free(o);
	*op = NULL;
}
