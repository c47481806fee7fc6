/* What the server must be, and the SQL that makes it so. */
#include <stdio.h>

#include "adapters/change/impl.h"

#define QUICK_MS 10000
#define OLDEST 100000

static void add(struct bus_error *err, const char *fmt, ...) BUS_PRINTF(2, 3);

/* Behind what the server said, the way out. */
static void add(struct bus_error *err, const char *fmt, ...)
{
	size_t n = strlen(err->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text + n, sizeof(err->text) - n, fmt, ap);
	va_end(ap);
}

static void remedy(const char *state, struct bus_error *err)
{
	static const struct {
		const char *state, *text;
	} known[] = {
		{ "42501", "; remedy: ALTER ROLE <user> REPLICATION; GRANT SELECT ON <table> TO <user>;" },
		{ "55000", "; remedy: ALTER SYSTEM SET wal_level = 'logical'; then restart the server" },
		{ "53400", "; remedy: raise max_replication_slots, then restart the server" },
		{ "53300", "; remedy: raise max_wal_senders, then restart the server" },
		{ "55006", "; another adapter follows this slot, or the last connection has not ended yet" },
	};

	for (size_t i = 0; i < BUS_LEN(known); i++)
		if (strcmp(state, known[i].state) == 0)
			add(err, "%s", known[i].text);
}

enum bus_err adapter_change_run(struct adapter_pg *pg, const char *sql, int64_t ms, struct bus_error *err)
{
	enum bus_err rc = adapter_pg_run(pg, sql, ms, err);

	if (rc == BUS_EDB)
		remedy(adapter_pg_state(pg), err);
	return rc;
}

enum bus_err adapter_change_ask(struct adapter_pg *pg, const char *sql, int64_t ms,
				const struct change_shape *shape, struct bus_error *err)
{
	enum bus_err rc = adapter_change_run(pg, sql, ms, err);
	size_t n = rc ? 0 : adapter_pg_rows(pg);
	bool fits = !rc && adapter_pg_columns(pg) >= shape->columns && (n == 1 || !shape->one);

	for (size_t i = 0; fits && i < n; i++)
		for (size_t k = 0; k < shape->filled; k++)
			fits &= adapter_pg_text(pg, i, k) != NULL;
	return rc || fits
		   ? rc
		   : bus_fail(err, BUS_EIO,
			      "PostgreSQL: the answer to '%.40s' is not what it should be (%zu rows of "
			      "%zu columns, or values that are missing)",
			      sql, n, adapter_pg_columns(pg));
}

/* A number, into a place of so many bytes. */
static bool put_digits(const char *text, char *out, size_t size)
{
	size_t n = strspn(text, "0123456789");

	snprintf(out, size, "%s", text);
	return n > 0 && n < size && text[n] == '\0';
}

enum bus_err adapter_change_identify(struct adapter_pg *pg, struct change_system *out, struct bus_error *err)
{
	static const struct change_shape shape = { .columns = 3, .filled = 3, .one = true };
	enum bus_err rc = adapter_change_ask(pg, "IDENTIFY_SYSTEM", CHANGE_STATEMENT_MS, &shape, err);

	if (rc)
		return rc;
	if (!put_digits(adapter_pg_text(pg, 0, 0), out->id, sizeof(out->id)) ||
	    !put_digits(adapter_pg_text(pg, 0, 1), out->timeline, sizeof(out->timeline)) ||
	    !adapter_pg_lsn_read(bus_str(adapter_pg_text(pg, 0, 2)), &out->end))
		return bus_fail(err, BUS_EIO,
				"PostgreSQL: the answer to 'IDENTIFY_SYSTEM' is not a number, a timeline and "
				"a place in the log");
	return BUS_OK;
}

enum bus_err adapter_change_open(struct adapter_change *c, bool replication, struct adapter_pg **out,
				 struct bus_error *err)
{
	const struct adapter_pg_conf conf = { .connection = c->conf.connection,
					      .password_file = c->conf.password_file,
					      .stop_fd = c->stop_fd };
	enum bus_err rc = adapter_pg_open(&conf, replication, out, err);

	if (rc && strstr(err->text, "replication role"))
		add(err, "; remedy: ALTER ROLE <user> REPLICATION;");
	return rc;
}

/* "schema"."table", as it is written in SQL. */
static void put_table(struct adapter_change *c, struct adapter_pg *pg, struct bus_buf *out)
{
	adapter_pg_name(pg, c->conf.schema, out);
	bus_buf_putc(out, '.');
	adapter_pg_name(pg, c->conf.table, out);
}

static enum bus_err ask(struct adapter_pg *pg, struct bus_buf *sql, size_t columns, size_t filled,
			struct bus_error *err)
{
	const struct change_shape shape = { .columns = columns, .filled = filled };
	enum bus_err rc = adapter_change_ask(pg, bus_buf_cstr(sql), QUICK_MS, &shape, err);

	bus_buf_reset(sql);
	return rc;
}

static enum bus_err check_level(struct adapter_pg *pg, struct bus_error *err)
{
	static const struct change_shape shape = { .columns = 1, .filled = 1, .one = true };
	enum bus_err rc = adapter_change_ask(pg, "SHOW wal_level", QUICK_MS, &shape, err);

	if (!rc && strcmp(adapter_pg_text(pg, 0, 0), "logical") != 0)
		rc = bus_fail(
		    err, BUS_EINVAL,
		    "the server's wal_level is '%s'; remedy: ALTER SYSTEM SET wal_level = 'logical'; "
		    "then restart the server",
		    adapter_pg_text(pg, 0, 0));
	return rc;
}

static enum bus_err check_table(struct adapter_change *c, struct adapter_pg *pg, const char *table,
				struct bus_buf *sql, char *identity, struct bus_error *err)
{
	enum bus_err rc;

	bus_buf_puts(sql,
		     "SELECT c.relkind, c.relreplident, has_table_privilege(c.oid, 'SELECT') FROM pg_class c "
		     "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ");
	adapter_pg_quote(pg, c->conf.schema, sql);
	bus_buf_puts(sql, " AND c.relname = ");
	adapter_pg_quote(pg, c->conf.table, sql);
	rc = ask(pg, sql, 3, 3, err);
	if (rc)
		return rc;
	if (adapter_pg_rows(pg) == 0)
		return bus_fail(err, BUS_EINVAL, "the database has no table %s", table);
	if (!strchr("rp", adapter_pg_text(pg, 0, 0)[0]))
		return bus_fail(err, BUS_EINVAL, "%s is no table: only tables have a stream of changes",
				table);
	if (adapter_pg_text(pg, 0, 2)[0] != 't')
		return bus_fail(err, BUS_EDENIED,
				"the user may not read %s; remedy: GRANT SELECT ON %s TO <user>;", table,
				table);
	*identity = adapter_pg_text(pg, 0, 1)[0];
	return BUS_OK;
}

static bool told_in(const struct adapter_pg *pg, const char *name, bool *key)
{
	for (size_t i = 0; i < adapter_pg_rows(pg); i++) {
		if (strcmp(adapter_pg_text(pg, i, 0), name) != 0)
			continue;
		*key = adapter_pg_text(pg, i, 1)[0] == 't';
		return true;
	}
	return false;
}

static enum bus_err no_column(const struct adapter_pg *pg, const char *wanted, const char *table,
			      struct bus_error *err)
{
	const char *names[ADAPTER_PG_COLUMNS_MAX], *near;
	size_t n = 0;

	for (; n < adapter_pg_rows(pg) && n < BUS_LEN(names); n++)
		names[n] = adapter_pg_text(pg, n, 0);
	near = bus_nearest(wanted, names, n);
	return bus_fail(err, BUS_EINVAL, "the mapping uses a column '%s' that %s does not have%s%s%s", wanted,
			table, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The columns that the mapping uses are there; those that its key is made of come with a row that is deleted. */
static enum bus_err check_columns(struct adapter_change *c, struct adapter_pg *pg, const char *table,
				  char identity, struct bus_buf *sql, struct bus_error *err)
{
	bool some = false;
	enum bus_err rc;

	bus_buf_puts(sql,
		     "SELECT a.attname, coalesce(a.attnum = ANY (i.indkey), false) FROM pg_attribute a "
		     "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
		     "LEFT JOIN pg_index i ON i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN "
		     "i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END "
		     "WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = ");
	adapter_pg_quote(pg, c->conf.schema, sql);
	bus_buf_puts(sql, " AND c.relname = ");
	adapter_pg_quote(pg, c->conf.table, sql);
	rc = ask(pg, sql, 2, 2, err);
	for (size_t i = 0; !rc && i < adapter_pg_rows(pg); i++)
		some |= adapter_pg_text(pg, i, 1)[0] == 't';
	for (size_t i = 0; !rc && i < c->n_columns; i++) {
		bool key = false;

		if (!told_in(pg, c->column[i], &key))
			return no_column(pg, c->column[i], table, err);
		if (c->in_key[i] && !key && identity != 'f' && adapter_map_register(c->map))
			return bus_fail(
			    err, BUS_EINVAL,
			    "a row that is deleted from %s does not say its '%s', which the record's key "
			    "is made of; remedy: ALTER TABLE %s REPLICA IDENTITY FULL;",
			    table, c->column[i], table);
	}
	if (!rc && !some && identity != 'f')
		return bus_fail(
		    err, BUS_EINVAL,
		    "%s has no primary key, and PostgreSQL would refuse UPDATE and DELETE on it once it is "
		    "published; remedy: ALTER TABLE %s REPLICA IDENTITY FULL;",
		    table, table);
	return rc;
}

static enum bus_err check_publication(struct adapter_change *c, struct adapter_pg *pg, const char *table,
				      struct bus_buf *sql, struct bus_error *err)
{
	const char *p = c->conf.publication;
	enum bus_err rc;

	bus_buf_puts(sql, "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate FROM pg_publication "
			  "WHERE pubname = ");
	adapter_pg_quote(pg, p, sql);
	rc = ask(pg, sql, 1, 1, err);
	if (rc)
		return rc;
	if (adapter_pg_rows(pg) == 0)
		return bus_fail(err, BUS_EINVAL,
				"the database has no publication '%s'; remedy, by the table's owner: "
				"CREATE PUBLICATION \"%s\" FOR TABLE %s;",
				p, p, table);
	if (adapter_pg_text(pg, 0, 0)[0] != 't')
		return bus_fail(
		    err, BUS_EINVAL,
		    "the publication leaves out some kinds of changes; remedy: "
		    "ALTER PUBLICATION \"%s\" SET (publish = 'insert, update, delete, truncate');",
		    p);
	bus_buf_puts(sql, adapter_pg_version(pg) >= 150000
			      ? "SELECT a, false FROM pg_publication_tables, unnest(attnames) a"
			      : "SELECT tablename, false FROM pg_publication_tables");
	bus_buf_puts(sql, " WHERE pubname = ");
	adapter_pg_quote(pg, p, sql);
	bus_buf_puts(sql, " AND schemaname = ");
	adapter_pg_quote(pg, c->conf.schema, sql);
	bus_buf_puts(sql, " AND tablename = ");
	adapter_pg_quote(pg, c->conf.table, sql);
	rc = ask(pg, sql, 2, 2, err);
	if (rc)
		return rc;
	if (adapter_pg_rows(pg) == 0)
		return bus_fail(
		    err, BUS_EINVAL,
		    "the publication does not have %s; remedy: ALTER PUBLICATION \"%s\" ADD TABLE %s; (a "
		    "partitioned one also: SET (publish_via_partition_root = true))",
		    table, p, table);
	for (size_t i = 0; i < c->n_columns && adapter_pg_version(pg) >= 150000; i++) {
		bool key;

		if (!told_in(pg, c->column[i], &key))
			return bus_fail(err, BUS_EINVAL,
					"the publication '%s' leaves out the column '%s' of %s", p,
					c->column[i], table);
	}
	return BUS_OK;
}

enum bus_err adapter_change_check(struct adapter_change *c, struct adapter_pg *pg, struct bus_error *err)
{
	struct bus_buf sql = { 0 }, name = { 0 };
	const char *table;
	char identity = 'd';
	enum bus_err rc;

	put_table(c, pg, &name);
	table = bus_buf_cstr(&name);
	if (adapter_pg_version(pg) < OLDEST)
		rc = bus_fail(
		    err, BUS_EINVAL,
		    "the server is no PostgreSQL 10 or newer (it says %d); the way to an older one is "
		    "polling: fetch: {kind: sql}",
		    adapter_pg_version(pg));
	else
		rc = check_level(pg, err);
	if (!rc)
		rc = check_table(c, pg, table, &sql, &identity, err);
	if (!rc)
		rc = check_columns(c, pg, table, identity, &sql, err);
	if (!rc)
		rc = check_publication(c, pg, table, &sql, err);
	bus_buf_release(&sql);
	bus_buf_release(&name);
	return rc;
}

enum bus_err adapter_change_pg_test(struct adapter_change *c, struct bus_error *err)
{
	struct adapter_pg *pg = NULL;
	enum bus_err rc = adapter_change_open(c, false, &pg, err);

	if (!rc)
		rc = adapter_change_check(c, pg, err);
	adapter_pg_close(&pg);
	if (!rc)
		rc = adapter_change_open(c, true, &pg, err);
	adapter_pg_close(&pg);
	return rc;
}

enum bus_err adapter_change_slot(struct adapter_change *c, struct adapter_pg *pg, struct change_slot *out,
				 struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	const char *held;
	enum bus_err rc;

	*out = (struct change_slot){ .held = -1 };
	bus_buf_puts(&sql, "SELECT ");
	bus_buf_puts(&sql, adapter_pg_version(pg) >= 130000 ? "coalesce(wal_status, '')" : "''");
	bus_buf_puts(&sql,
		     ", pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots "
		     "WHERE database = current_database() AND plugin = 'pgoutput' AND slot_name = ");
	adapter_pg_quote(pg, c->conf.slot, &sql);
	rc = ask(pg, &sql, 2, 1, err);
	bus_buf_release(&sql);
	if (rc || adapter_pg_rows(pg) == 0)
		return rc;
	held = adapter_pg_text(pg, 0, 1);
	out->there = true;
	out->lost = strcmp(adapter_pg_text(pg, 0, 0), "lost") == 0;
	out->held = held ? strtoll(held, NULL, 10) : -1;
	return BUS_OK;
}

enum bus_err adapter_change_select(struct adapter_change *c, struct adapter_pg *pg, struct bus_buf *sql,
				   struct bus_error *err)
{
	struct bus_buf q = { 0 };
	enum bus_err rc = BUS_OK;

	bus_buf_puts(sql, "SELECT ");
	for (size_t i = 0; i < c->n_columns; i++) {
		if (i > 0)
			bus_buf_putc(sql, ',');
		adapter_pg_name(pg, c->column[i], sql);
	}
	bus_buf_puts(sql, " FROM ");
	put_table(c, pg, sql);
	if (adapter_pg_version(pg) < 150000)
		return BUS_OK;
	bus_buf_puts(&q, "SELECT rowfilter FROM pg_publication_tables WHERE pubname = ");
	adapter_pg_quote(pg, c->conf.publication, &q);
	bus_buf_puts(&q, " AND schemaname = ");
	adapter_pg_quote(pg, c->conf.schema, &q);
	bus_buf_puts(&q, " AND tablename = ");
	adapter_pg_quote(pg, c->conf.table, &q);
	rc = ask(pg, &q, 1, 0, err);
	if (!rc && adapter_pg_rows(pg) > 0 && adapter_pg_text(pg, 0, 0))
		bus_buf_printf(sql, " WHERE (%s)", adapter_pg_text(pg, 0, 0));
	bus_buf_release(&q);
	return rc;
}
