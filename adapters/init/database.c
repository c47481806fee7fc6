#include "adapters/init/database.h"

#include <ctype.h>
#include <limits.h>
#include <strings.h>

#include "adapters/fetch/odbc.h"
#include "bus/clock.h"
#include "bus/plain.h"

#define QUERY_S 60
#define COUNT_S 5	   /* of one table */
#define COUNT_ALL_MS 20000 /* of all of them together; what is left is not counted */
#define CELL_MAX ((size_t)64 * 1024)
#define NAME_MAX_BYTES 200

struct table {
	char *catalog, *schema, *name;
	int64_t rows; /* -1: not known */
};

struct adapter_init_db {
	struct adapter_odbc *odbc;
	const struct adapter_init_db_want *want;
	char *connection, *password_path;
	struct table *table;
	size_t n_tables;
	const struct table *chosen; /* NULL: a query */
	struct bus_buf from;	    /* the table, quoted; or the query */
	int64_t total;		    /* rows it has; -1: not known */
	uint64_t seen;
	size_t n; /* columns of the shape, and which of the query's each is */
	size_t at[ADAPTER_INIT_COLUMNS_MAX];
	char *name[ADAPTER_INIT_COLUMNS_MAX];
	enum adapter_odbc_holds holds[ADAPTER_INIT_COLUMNS_MAX];
	uint64_t moments[ADAPTER_INIT_COLUMNS_MAX]; /* values like 2026-11-20 08:00:00.123 */
};

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

/* ---- which table ---- */

static enum bus_err read_word(struct adapter_odbc *o, size_t i, struct bus_buf *b, struct bus_error *err)
{
	bool null, cut;
	enum bus_err rc;

	bus_buf_reset(b);
	rc = adapter_odbc_text(o, i, NAME_MAX_BYTES, b, &null, &cut, err);
	if (!rc)
		(void)bus_buf_cstr(b);
	return rc;
}

/* The database's own tables. */
static bool is_inner(const char *catalog, const char *schema)
{
	static const char *const inner[] = { "information_schema", "pg_catalog", "mysql",
					     "performance_schema", "sys",	 "INFORMATION_SCHEMA" };

	for (size_t i = 0; i < BUS_LEN(inner); i++)
		if (strcmp(schema, inner[i]) == 0 || strcmp(catalog, inner[i]) == 0)
			return true;
	return false;
}

static enum bus_err read_tables(struct adapter_init_db *db, struct bus_error *err)
{
	enum bus_err rc = adapter_odbc_tables(db->odbc, err);

	while (!rc && db->n_tables < ADAPTER_INIT_DB_TABLES &&
	       (rc = adapter_odbc_next(db->odbc, err)) == BUS_OK) {
		struct bus_buf word[3] = { { 0 } };

		for (size_t i = 0; i < BUS_LEN(word) && !rc; i++)
			rc = read_word(db->odbc, i, &word[i], err);
		if (!rc && word[2].n > 0 && !is_inner(bus_buf_cstr(&word[0]), bus_buf_cstr(&word[1]))) {
			db->table = bus_xrealloc(db->table, (db->n_tables + 1) * sizeof(*db->table));
			db->table[db->n_tables++] = (struct table){ bus_xstrdup(bus_buf_cstr(&word[0])),
								    bus_xstrdup(bus_buf_cstr(&word[1])),
								    bus_xstrdup(bus_buf_cstr(&word[2])), -1 };
		}
		for (size_t i = 0; i < BUS_LEN(word); i++)
			bus_buf_release(&word[i]);
	}
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

static bool plain_schema(const struct table *t)
{
	return !*t->schema || strcmp(t->schema, "public") == 0 || strcmp(t->schema, "dbo") == 0;
}

static void put_table(struct adapter_init_db *db, const struct table *t, struct bus_buf *out)
{
	if (!plain_schema(t)) {
		adapter_odbc_put_name(db->odbc, t->schema, out);
		bus_buf_putc(out, '.');
	}
	adapter_odbc_put_name(db->odbc, t->name, out);
}

static int64_t count(struct adapter_init_db *db, const char *from)
{
	struct bus_buf sql = { 0 }, cell = { 0 };
	struct bus_error why;
	int64_t n = -1;

	bus_buf_printf(&sql, "SELECT COUNT(*) FROM %s", from);
	adapter_odbc_bound(db->odbc, 0, COUNT_S);
	if (adapter_odbc_run(db->odbc, bus_buf_cstr(&sql), NULL, ADAPTER_ODBC_TEXT, &why) == BUS_OK &&
	    adapter_odbc_next(db->odbc, &why) == BUS_OK && read_word(db->odbc, 0, &cell, &why) == BUS_OK &&
	    cell.n > 0 && isdigit((unsigned char)cell.p[0]))
		n = strtoll(bus_buf_cstr(&cell), NULL, 10);
	bus_buf_release(&sql);
	bus_buf_release(&cell);
	return n;
}

static void list(struct adapter_init_db *db, FILE *out)
{
	int64_t until = bus_clock_mono_ms() + COUNT_ALL_MS;

	fprintf(out, "Tabel / tables\n");
	for (size_t i = 0; i < db->n_tables; i++) {
		struct table *t = &db->table[i];
		struct bus_buf from = { 0 }, shown = { 0 };

		put_table(db, t, &from);
		if (bus_clock_mono_ms() < until)
			t->rows = count(db, bus_buf_cstr(&from));
		bus_buf_release(&from);
		bus_buf_printf(&shown, "%s%s%-32s", plain_schema(t) ? "" : t->schema, plain_schema(t) ? "" : ".",
			       t->name);
		bus_plain(shown.p, shown.n, false);
		fprintf(out, "  %s ", bus_buf_cstr(&shown));
		bus_buf_release(&shown);
		if (t->rows >= 0)
			fprintf(out, "%lld baris/rows\n", (long long)t->rows);
		else
			fprintf(out, "tidak terhitung/not counted\n");
	}
	if (db->n_tables == ADAPTER_INIT_DB_TABLES)
		fprintf(out, "  ... yang lain dapat disebut / others can be named\n");
}

static const struct table *find_table(const struct adapter_init_db *db, const char *word)
{
	const struct table *found = NULL;

	for (size_t i = 0; i < db->n_tables; i++) {
		const struct table *t = &db->table[i];
		size_t n = strlen(t->schema);
		bool whole = n > 0 && strncmp(word, t->schema, n) == 0 && word[n] == '.' &&
			     strcmp(word + n + 1, t->name) == 0;

		if (whole || (strcmp(word, t->name) == 0 && (!found || plain_schema(t))))
			found = t;
	}
	return found;
}

static enum bus_err choose(struct adapter_init_db *db, FILE *in, FILE *out, struct bus_error *err)
{
	char line[256];
	enum bus_err rc = read_tables(db, err);

	if (rc)
		return rc;
	if (db->n_tables == 0)
		return bus_fail(
		    err, BUS_EINVAL,
		    "pengguna ini tidak melihat tabel apa pun / this user sees no table: GRANT SELECT");
	if (db->want->table)
		db->chosen = find_table(db, db->want->table);
	else if (db->n_tables == 1)
		db->chosen = &db->table[0];
	if (db->chosen)
		return BUS_OK;
	list(db, out);
	if (db->want->table || !in)
		return bus_fail(
		    err, BUS_EINVAL, "%s%s: pilih tabel dengan --table / choose a table with --table",
		    db->want->table ? "tidak ada tabel / no table " : "beberapa tabel / several tables",
		    db->want->table ? db->want->table : "");
	while (!db->chosen) {
		fprintf(out, "Tabel yang mana / which table: ");
		fflush(out);
		if (!fgets(line, sizeof(line), in))
			return bus_fail(err, BUS_ESTOPPED,
					"berhenti: tidak ada yang ditulis / stopped: nothing was written");
		line[strcspn(line, "\r\n")] = '\0';
		db->chosen = find_table(db, line);
	}
	return BUS_OK;
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
		put_table(db, db->chosen, &db->from);
	else
		put_query(db->want->query, &db->from);
	bus_buf_printf(&from, db->chosen ? "%s" : "(%s\n) titian_q", bus_buf_cstr(&db->from));
	db->total = db->chosen && db->chosen->rows >= 0 ? db->chosen->rows : count(db, bus_buf_cstr(&from));
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
		rc = choose(db, in, out, err);
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

/* ---- what the database says of it ---- */

static void set(struct adapter_init_guess *g, enum adapter_init_type type, const char *as)
{
	g->type = type;
	g->sure = ADAPTER_INIT_HIGH;
	snprintf(g->as, sizeof(g->as), "%s", as);
	snprintf(g->why, sizeof(g->why), "%s",
		 type == ADAPTER_INIT_TIME
		     ? "menurut basis data; waktu tanpa zona dianggap WIB / the database says so; a time "
		       "without zone is taken for WIB"
		     : "menurut basis data / the database says so");
}

static void doubt(struct adapter_init_guess *g, enum adapter_init_sure sure)
{
	size_t n = strlen(g->why);

	if (g->sure > sure)
		g->sure = sure;
	snprintf(g->why + n, sizeof(g->why) - n, "; basis data berkata lain / the database says otherwise");
}

static bool is_amount(enum adapter_init_type t)
{
	return t == ADAPTER_INIT_WHOLE || t == ADAPTER_INIT_RUPIAH || t == ADAPTER_INIT_DECIMAL;
}

/* Some databases (SQLite) take any value whatever the column's type: values that contradict it win. */
static void join(enum adapter_odbc_holds holds, uint64_t moments, struct adapter_init_guess *g)
{
	bool empty = g->filled == 0, number = empty || is_amount(g->type) || g->type == ADAPTER_INIT_CODE;

	switch (holds) {
	case ADAPTER_ODBC_HOLDS_WHOLE:
		if (number && g->type != ADAPTER_INIT_DECIMAL)
			set(g, ADAPTER_INIT_WHOLE, "whole");
		else if (number)
			set(g, ADAPTER_INIT_DECIMAL, "{decimal: \".\"}");
		else if (g->type == ADAPTER_INIT_TEXT)
			doubt(g, ADAPTER_INIT_LOW);
		break;
	case ADAPTER_ODBC_HOLDS_DECIMAL:
		if (number)
			set(g, ADAPTER_INIT_DECIMAL, "{decimal: \".\"}");
		else if (g->type == ADAPTER_INIT_TEXT)
			doubt(g, ADAPTER_INIT_LOW);
		break;
	case ADAPTER_ODBC_HOLDS_DATE:
		if (empty)
			set(g, ADAPTER_INIT_DATE, "{date: YYYY-MM-DD}");
		break;
	case ADAPTER_ODBC_HOLDS_TIME:
		if (empty || (moments > 0 && moments == g->filled))
			set(g, ADAPTER_INIT_TIME, "{time: \"YYYY-MM-DD hh:mm:ssf\"}");
		break;
	case ADAPTER_ODBC_HOLDS_TEXT:
		if (!empty && is_amount(g->type))
			doubt(g, ADAPTER_INIT_MEDIUM);
		break;
	case ADAPTER_ODBC_HOLDS_BYTES:
	case ADAPTER_ODBC_HOLDS_OTHER:
		break;
	}
}

void adapter_init_db_types(const struct adapter_init_db *db, struct adapter_init_guess *guess)
{
	for (size_t i = 0; i < db->n; i++)
		join(db->holds[i], db->moments[i], &guess[i]);
}

static size_t column_at(const struct adapter_init_db *db, const char *name)
{
	size_t i = 0;

	while (i < db->n && strcmp(db->name[i], name) != 0)
		i++;
	return i;
}

/* The primary key's columns in their order; false: it tells none, or one that is not among ours. */
static bool primary_key(struct adapter_init_db *db, struct adapter_init_key *key)
{
	struct adapter_init_key found = { .sure = ADAPTER_INIT_HIGH, .unique = true };
	unsigned long place[ADAPTER_INIT_KEY_PARTS];
	struct bus_buf name = { 0 }, word = { 0 };
	struct bus_error why;
	bool good = true;
	enum bus_err rc;

	adapter_odbc_bound(db->odbc, 0, COUNT_S);
	rc = adapter_odbc_key(db->odbc, db->chosen->catalog, db->chosen->schema, db->chosen->name, &why);
	while (!rc && good && (rc = adapter_odbc_next(db->odbc, &why)) == BUS_OK) {
		size_t at, i = found.n;
		unsigned long p;

		if ((rc = read_word(db->odbc, 3, &name, &why)) || (rc = read_word(db->odbc, 4, &word, &why)))
			break;
		at = column_at(db, bus_buf_cstr(&name));
		good = at < db->n && found.n < ADAPTER_INIT_KEY_PARTS;
		/* Some drivers put the column's place in the table here: good enough for an order, and for no more. */
		p = strtoul(bus_buf_cstr(&word), NULL, 10);
		for (; good && i > 0 && place[i - 1] > p; i--) {
			place[i] = place[i - 1];
			found.part[i] = found.part[i - 1];
		}
		if (good) {
			place[i] = p;
			found.part[i] = at;
			found.n++;
		}
	}
	bus_buf_release(&name);
	bus_buf_release(&word);
	if (rc != BUS_ENOENT || !good || found.n == 0)
		return false;
	*key = found;
	return true;
}

void adapter_init_db_key(struct adapter_init_db *db, const struct adapter_init_guess *guess,
			 struct adapter_init_shape *shape, struct adapter_init_key *key)
{
	if (db->chosen && primary_key(db, key)) {
		for (size_t i = 0; i < key->n; i++)
			key->personal |= guess[key->part[i]].class != 'N';
		adapter_init_note(shape, ADAPTER_INIT_HIGH, false,
				  "kunci: kunci utama tabel / key: the table's primary key");
	} else if (db->total < 0 || (uint64_t)db->total > db->seen) {
		if (key->sure > ADAPTER_INIT_MEDIUM)
			key->sure = ADAPTER_INIT_MEDIUM;
		adapter_init_note(
		    shape, ADAPTER_INIT_MEDIUM, true,
		    "kunci: basis data tidak menyebut kunci utama; ditebak dari %llu baris / key: the "
		    "database tells no primary key; guessed from %llu rows",
		    (unsigned long long)db->seen, (unsigned long long)db->seen);
	}
}

/* ---- how it is fetched ---- */

/* A time that moves with every change, by its name; n: none. */
static size_t find_mark(const struct adapter_init_db *db, const struct adapter_init_guess *guess)
{
	static const char *const words[] = { "diubah",	  "updated", "update",	"modified",
					     "perubahan", "ubah",    "changed", "mutakhir" };

	for (size_t w = 0; w < BUS_LEN(words); w++)
		for (size_t i = 0; i < db->n; i++)
			if (guess[i].type == ADAPTER_INIT_TIME && guess[i].empty == 0 &&
			    db->moments[i] == guess[i].filled && strcasestr(db->name[i], words[w]))
				return i;
	return db->n;
}

static bool has_control(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if ((*c < ' ' && *c != '\n') || *c == 0x7f)
			return true;
	return false;
}

/* As a block of YAML, each of its lines after indent. */
static void put_select(struct adapter_init_db *db, size_t mark, const char *indent, struct bus_buf *out)
{
	struct bus_buf sql = { 0 };

	bus_buf_puts(&sql, "SELECT ");
	for (size_t i = 0; i < db->n; i++) {
		bus_buf_puts(&sql, i > 0 ? ", " : "");
		adapter_odbc_put_name(db->odbc, db->name[i], &sql);
	}
	bus_buf_printf(&sql, db->chosen ? " FROM %s" : "\nFROM (%s\n) titian_q", bus_buf_cstr(&db->from));
	if (mark < db->n) {
		bus_buf_puts(&sql, "\nWHERE ");
		adapter_odbc_put_name(db->odbc, db->name[mark], &sql);
		bus_buf_puts(&sql, " > ? ORDER BY ");
		adapter_odbc_put_name(db->odbc, db->name[mark], &sql);
	}
	if (has_control(bus_buf_cstr(&sql))) { /* a column's name: YAML takes it as an escape alone */
		bus_buf_puts(out, "query: ");
		adapter_init_put_yaml(out, bus_buf_cstr(&sql));
	} else {
		bus_buf_puts(out, "query: |-\n");
		bus_buf_puts(out, indent);
		for (const char *p = bus_buf_cstr(&sql); *p; p++) {
			bus_buf_putc(out, *p);
			if (*p == '\n')
				bus_buf_puts(out, indent);
		}
	}
	bus_buf_release(&sql);
}

static void put_mark(const struct adapter_init_db *db, const struct adapter_init_guess *guess, size_t mark,
		     struct bus_buf *out)
{
	bus_buf_puts(out, "{column: ");
	adapter_init_put_yaml(out, db->name[mark]);
	bus_buf_puts(out, guess[mark].type == ADAPTER_INIT_TIME ? ", type: time, overlap: 1h}"
								: ", type: integer, overlap: 1000}");
}

static enum bus_err choose_mark(struct adapter_init_db *db, const struct adapter_init_guess *guess,
				size_t *mark, struct bus_error *err)
{
	const char *want = db->want->mark;

	*mark = find_mark(db, guess);
	if (!want) {
		if (db->total >= 0 && db->total <= ADAPTER_INIT_DB_WHOLE)
			*mark = db->n;
		return BUS_OK;
	}
	*mark = strcmp(want, "-") == 0 ? db->n : column_at(db, want);
	if (strcmp(want, "-") != 0 && (*mark == db->n || (guess[*mark].type != ADAPTER_INIT_TIME &&
							  guess[*mark].type != ADAPTER_INIT_WHOLE)))
		return bus_fail(err, BUS_EINVAL,
				"--mark %s: harus kolom waktu atau bilangan bulat yang hanya bertambah / "
				"must be a column "
				"of times or whole numbers that only grows",
				want);
	return BUS_OK;
}

static void note_way(const struct adapter_init_db *db, size_t mark, struct adapter_init_shape *shape)
{
	if (mark < db->n)
		adapter_init_note(shape, ADAPTER_INIT_MEDIUM, true,
				  "diambil yang berubah sejak '%s' terakhir; baris yang dihapus di sana "
				  "tidak terlihat / what changed "
				  "since the last '%s' is fetched; rows deleted there are not seen",
				  db->name[mark], db->name[mark]);
	else
		adapter_init_note(
		    shape, db->total > ADAPTER_INIT_DB_WHOLE ? ADAPTER_INIT_LOW : ADAPTER_INIT_MEDIUM,
		    db->total > ADAPTER_INIT_DB_WHOLE,
		    "diambil seluruhnya tiap kali; yang terbit hanya bedanya, dan yang hilang dihapus / the "
		    "whole is "
		    "fetched each time; only differences are published, and what is gone is removed");
}

enum bus_err adapter_init_db_fetch(struct adapter_init_db *db, const struct adapter_init_guess *guess,
				   struct adapter_init_shape *shape, struct bus_buf *out, bool *complete,
				   struct bus_error *err)
{
	size_t mark, other = find_mark(db, guess);
	enum bus_err rc = choose_mark(db, guess, &mark, err);

	if (rc)
		return rc;
	*complete = mark == db->n;
	note_way(db, mark, shape);
	bus_buf_puts(out, "fetch:\n  kind: sql\n  every: 15m\n  connection: ");
	adapter_init_put_yaml(out, db->connection);
	if (db->password_path) {
		bus_buf_puts(out, "\n  password_file: ");
		adapter_init_put_yaml(out, db->password_path);
	}
	bus_buf_puts(out, "\n  ");
	put_select(db, mark, "    ", out);
	if (mark < db->n) {
		bus_buf_puts(out, "\n  mark: ");
		put_mark(db, guess, mark, out);
	} else if (other < db->n) {
		bus_buf_puts(out, "\n  # Bila tabelnya besar, yang berubah saja (complete: false):\n"
				  "  # When the table is big, only what changed (complete: false):\n  # ");
		put_select(db, other, "  #   ", out);
		bus_buf_puts(out, "\n  # mark: ");
		put_mark(db, guess, other, out);
	}
	bus_buf_puts(out, "\n");
	return BUS_OK;
}
