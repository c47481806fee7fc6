/* Which table: the one that was named, the only one, or the one the person says. */
#include "adapters/init/database_impl.h"
#include "bus/clock.h"
#include "bus/plain.h"

#define COUNT_ALL_MS 20000 /* of all tables together; what is left is not counted */

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
			rc = adapter_init_db_word(db->odbc, i, &word[i], err);
		if (!rc && word[2].n > 0 && !is_inner(bus_buf_cstr(&word[0]), bus_buf_cstr(&word[1]))) {
			db->table = bus_xrealloc(db->table, (db->n_tables + 1) * sizeof(*db->table));
			db->table[db->n_tables++] =
			    (struct db_table){ bus_xstrdup(bus_buf_cstr(&word[0])),
					       bus_xstrdup(bus_buf_cstr(&word[1])),
					       bus_xstrdup(bus_buf_cstr(&word[2])), -1 };
		}
		for (size_t i = 0; i < BUS_LEN(word); i++)
			bus_buf_release(&word[i]);
	}
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

static bool plain_schema(const struct db_table *t)
{
	return !*t->schema || strcmp(t->schema, "public") == 0 || strcmp(t->schema, "dbo") == 0;
}

void adapter_init_db_put_table(struct adapter_init_db *db, const struct db_table *t, struct bus_buf *out)
{
	if (!plain_schema(t)) {
		adapter_odbc_put_name(db->odbc, t->schema, out);
		bus_buf_putc(out, '.');
	}
	adapter_odbc_put_name(db->odbc, t->name, out);
}

static void list(struct adapter_init_db *db, FILE *out)
{
	int64_t until = bus_clock_mono_ms() + COUNT_ALL_MS;

	fprintf(out, "Tabel / tables\n");
	for (size_t i = 0; i < db->n_tables; i++) {
		struct db_table *t = &db->table[i];
		struct bus_buf from = { 0 }, shown = { 0 };

		adapter_init_db_put_table(db, t, &from);
		if (bus_clock_mono_ms() < until)
			t->rows = adapter_init_db_count(db, bus_buf_cstr(&from));
		bus_buf_release(&from);
		bus_buf_printf(&shown, "%s%s%-32s", plain_schema(t) ? "" : t->schema,
			       plain_schema(t) ? "" : ".", t->name);
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

static const struct db_table *find_table(const struct adapter_init_db *db, const char *word)
{
	const struct db_table *found = NULL;

	for (size_t i = 0; i < db->n_tables; i++) {
		const struct db_table *t = &db->table[i];
		size_t n = strlen(t->schema);
		bool whole = n > 0 && strncmp(word, t->schema, n) == 0 && word[n] == '.' &&
			     strcmp(word + n + 1, t->name) == 0;

		if (whole || (strcmp(word, t->name) == 0 && (!found || plain_schema(t))))
			found = t;
	}
	return found;
}

enum bus_err adapter_init_db_choose(struct adapter_init_db *db, FILE *in, FILE *out, struct bus_error *err)
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
