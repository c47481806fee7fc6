#include "adapters/init/database.h"

#include <ctype.h>
#include <limits.h>
#include <strings.h>

#include "adapters/init/database_impl.h"

#define QUERY_S 60
#define CELL_MAX ((size_t)64 * 1024)
#define NAME_MAX_BYTES 200

void adapter_init_db_close(struct adapter_init_db **dbp)
{
	struct adapter_init_db *db = *dbp;

	if (!db)
		return;
	adapter_odbc_close(&db->odbc);
	for (size_t i = 0; i < db->n_tables; i++) {
		free(db->table[i].catalog);
		free(db->table[i].schema);
		free(db->table[i].name);
	}
	for (size_t i = 0; i < db->n; i++)
		free(db->name[i]);
	free(db->table);
	free(db->connection);
	free(db->password_path);
	bus_buf_release(&db->from);
	free(db);
	*dbp = NULL;
}

const char *adapter_init_db_name(const struct adapter_init_db *db)
{
	return db->chosen ? db->chosen->name : "kueri";
}

/* ---- the connection ---- */

/* Where a word of the connection string, such as PWD, stands with its '='; NULL: nowhere. */
static const char *word_of(const char *connection, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = connection; p && *p; p = strchr(p, ';')) {
		p += strspn(p, "; ");
		if (strncasecmp(p, word, n) == 0 && p[n + strspn(p + n, " ")] == '=')
			return p;
	}
	return NULL;
}

/* What makes a driver hand over a row at a time, unless the person has said something about it. */
static char *gentle(const char *connection)
{
	static const struct {
		const char *driver, *word, *more;
	} ways[] = { { "PostgreSQL", "UseDeclareFetch", "UseDeclareFetch=1;Fetch=1000" },
		     { "MariaDB", "NO_CACHE", "FORWARDONLY=1;NO_CACHE=1" },
		     { "SQLite", "StepAPI", "StepAPI=1" } };
	const char *driver = word_of(connection, "Driver");

	for (size_t i = 0; driver && i < BUS_LEN(ways); i++) {
		const char *name = strchr(driver, '=') + 1;
		const char *end = name + strcspn(name, ";");

		name += strspn(name, " {");
		if ((size_t)(end - name) >= strlen(ways[i].driver) &&
		    strncasecmp(name, ways[i].driver, strlen(ways[i].driver)) == 0 &&
		    !word_of(connection, ways[i].word))
			return bus_xasprintf("%s%s%s", connection,
					     connection[strlen(connection) - 1] == ';' ? "" : ";",
					     ways[i].more);
	}
	return bus_xstrdup(connection);
}

static enum bus_err connect_to(struct adapter_init_db *db, struct bus_error *err)
{
	char path[PATH_MAX];

	if (word_of(db->want->connection, "PWD") || word_of(db->want->connection, "Password"))
		return bus_fail(
		    err, BUS_EINVAL,
		    "kata sandi jangan di --connection, yang akan tertulis di adapter: simpan di berkas "
		    "(chmod 600) dan beri --password-file / no password in --connection, which goes "
		    "into the adapter: put it into a file (chmod 600) and say --password-file");
	if (db->want->password_file) {
		if (!realpath(db->want->password_file, path))
			return bus_fail(err, BUS_EINVAL, "'%s': %m", db->want->password_file);
		db->password_path = bus_xstrdup(path);
	}
	db->connection = gentle(db->want->connection);
	return adapter_odbc_connect(db->connection, db->password_path, QUERY_S, &db->odbc, err);
}

/* ---- small questions ---- */

size_t adapter_init_db_column_at(const struct adapter_init_db *db, const char *name)
{
	size_t i = 0;

	while (i < db->n && strcmp(db->name[i], name) != 0)
		i++;
	return i;
}

enum bus_err adapter_init_db_word(struct adapter_odbc *o, size_t i, struct bus_buf *b, struct bus_error *err)
{
	bool null, cut;
	enum bus_err rc;

	bus_buf_reset(b);
	rc = adapter_odbc_text(o, i, NAME_MAX_BYTES, b, &null, &cut, err);
	if (!rc)
		(void)bus_buf_cstr(b);
	return rc;
}

int64_t adapter_init_db_count(struct adapter_init_db *db, const char *from)
{
	struct bus_buf sql = { 0 }, cell = { 0 };
	struct bus_error why;
	int64_t n = -1;

	bus_buf_printf(&sql, "SELECT COUNT(*) FROM %s", from);
	adapter_odbc_bound(db->odbc, 0, DB_COUNT_S);
	if (adapter_odbc_run(db->odbc, bus_buf_cstr(&sql), NULL, ADAPTER_ODBC_TEXT, &why) == BUS_OK &&
	    adapter_odbc_next(db->odbc, &why) == BUS_OK &&
	    adapter_init_db_word(db->odbc, 0, &cell, &why) == BUS_OK && cell.n > 0 &&
	    isdigit((unsigned char)cell.p[0]))
		n = strtoll(bus_buf_cstr(&cell), NULL, 10);
	bus_buf_release(&sql);
	bus_buf_release(&cell);
	return n;
}

/* ---- its columns ---- */

static bool is_writable(const char *name)
{
	return *name && !strchr(name, '.');
}

static void take_columns(struct adapter_init_db *db, struct adapter_init_shape *shape)
{
	size_t bytes = 0, unwritable = 0;

	for (size_t i = 0; i < adapter_odbc_columns(db->odbc); i++) {
		const char *name = adapter_odbc_column(db->odbc, i);

		if (adapter_odbc_holds(db->odbc, i) == ADAPTER_ODBC_HOLDS_BYTES) {
			bytes++;
		} else if (!is_writable(name)) {
			unwritable++;
		} else {
			adapter_init_column_add(shape, name, false);
			if (db->n < shape->n_columns) {
				db->at[db->n] = i;
				db->holds[db->n] = adapter_odbc_holds(db->odbc, i);
				db->name[db->n++] = bus_xstrdup(name);
			}
		}
	}
	if (bytes > 0)
		adapter_init_note(
		    shape, ADAPTER_INIT_HIGH, true,
		    "%zu kolom berisi bita (gambar, berkas) tidak dipetakan / %zu columns of bytes "
		    "(pictures, files) are left out",
		    bytes, bytes);
	if (unwritable > 0)
		adapter_init_note(
		    shape, ADAPTER_INIT_LOW, true,
		    "%zu kolom tanpa nama atau bertitik tidak dipetakan: beri nama dengan AS / %zu "
		    "columns without a name or with a point in it are left out: name them with AS",
		    unwritable, unwritable);
}

/* The query without the semicolon at its end. */
static void put_query(const char *query, struct bus_buf *out)
{
	size_t n = strlen(query);

	while (n > 0 && (isspace((unsigned char)query[n - 1]) || query[n - 1] == ';'))
		n--;
	bus_buf_put(out, query, n);
}

static enum bus_err begin(struct adapter_init_db *db, struct adapter_init_shape *shape, struct bus_error *err)
{
	struct bus_buf sql = { 0 }, from = { 0 };
	enum bus_err rc;

	if (db->chosen)
		adapter_init_db_put_table(db, db->chosen, &db->from);
	else
		put_query(db->want->query, &db->from);
	bus_buf_printf(&from, db->chosen ? "%s" : "(%s\n) titian_q", bus_buf_cstr(&db->from));
	db->total = db->chosen && db->chosen->rows >= 0 ? db->chosen->rows
							: adapter_init_db_count(db, bus_buf_cstr(&from));
	bus_buf_printf(&sql, db->chosen ? "SELECT * FROM %s" : "%s", bus_buf_cstr(&db->from));
	adapter_odbc_bound(db->odbc, ADAPTER_INIT_DB_ROWS, QUERY_S);
	rc = adapter_odbc_run(db->odbc, bus_buf_cstr(&sql), NULL, ADAPTER_ODBC_TEXT, err);
	if (!rc)
		take_columns(db, shape);
	if (!rc && db->n == 0)
		rc = bus_fail(err, BUS_EDATA,
			      "tidak ada kolom yang dapat dipetakan / no column can be mapped");
	bus_buf_release(&sql);
	bus_buf_release(&from);
	return rc;
}

enum bus_err adapter_init_db_open(const struct adapter_init_db_want *want, FILE *in, FILE *out,
				  struct adapter_init_shape *shape, struct adapter_init_db **dbp,
				  struct bus_error *err)
{
	struct adapter_init_db *db = bus_xcalloc(1, sizeof(*db));
	enum bus_err rc;

	db->want = want;
	rc = connect_to(db, err);
	if (!rc && !want->query)
		rc = adapter_init_db_choose(db, in, out, err);
	if (!rc)
		rc = begin(db, shape, err);
	if (!rc) {
		shape->kind = "jsonl";
		bus_buf_puts(&shape->source, "kind: jsonl\n");
	} else {
		adapter_init_db_close(&db);
	}
	*dbp = db;
	return rc;
}

/* ---- its rows ---- */

static bool is_moment(struct bus_str s)
{
	static const char shape[] = "9999-99-99 99:99:99";
	size_t n = sizeof(shape) - 1;

	if (s.n < n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char want = i < n ? shape[i] : i == n ? '.' : '9';

		if (want == '9' ? !isdigit((unsigned char)s.p[i]) : s.p[i] != want)
			return false;
	}
	return s.n != n + 1;
}

enum bus_err adapter_init_db_read(struct adapter_init_db *db, adapter_init_row_fn fn, void *ctx,
				  uint64_t *records, struct bus_error *err)
{
	struct bus_buf *text = bus_xcalloc(db->n, sizeof(*text));
	struct adapter_cell *cell = bus_xcalloc(db->n, sizeof(*cell));
	enum bus_err rc = BUS_OK;

	while (!rc && db->seen < ADAPTER_INIT_DB_ROWS && (rc = adapter_odbc_next(db->odbc, err)) == BUS_OK) {
		struct adapter_row row = { .line = db->seen + 1, .cell = cell, .n_cells = db->n };

		for (size_t i = 0; i < db->n && !rc; i++) {
			bool null, cut;

			bus_buf_reset(&text[i]);
			rc = adapter_odbc_text(db->odbc, db->at[i], CELL_MAX, &text[i], &null, &cut, err);
			cell[i] = (struct adapter_cell){ .kind = null ? ADAPTER_NULL : ADAPTER_TEXT,
							 .text = bus_buf_str(&text[i]) };
			db->moments[i] += !rc && !null && is_moment(cell[i].text);
		}
		if (rc)
			break;
		db->seen++;
		fn(ctx, &row);
	}
	for (size_t i = 0; i < db->n; i++)
		bus_buf_release(&text[i]);
	free(text);
	free(cell);
	*records = db->total >= 0 ? (uint64_t)db->total : db->seen;
	if (rc && rc != BUS_ENOENT)
		return rc;
	return db->seen > 0
		   ? BUS_OK
		   : bus_fail(
			 err, BUS_EDATA,
			 "tidak ada baris di sana, maka tidak ada yang dapat ditebak / there is no row, so "
			 "nothing can be guessed");
}
