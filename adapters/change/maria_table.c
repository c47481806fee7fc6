/* A table of MariaDB: its options, what server and table must be, and what makes them so. */
#include <stdio.h>
#include <strings.h>

#include "adapters/change/maria_impl.h"
#include "adapters/source.h"
#include "bus/crypto.h"

#define NO_RIGHT 1227	    /* ER_SPECIFIC_ACCESS_DENIED_ERROR */
#define NO_TABLE_RIGHT 1142 /* ER_TABLEACCESS_DENIED_ERROR */
#define NO_COLUMN_RIGHT 1143
#define HEARTBEAT "500000000" /* ns: how long a redo or a confirmation may wait in a quiet server */

/* --- options --- */

/* A number that is hardly another replica's: from 2147483648 on, out of feed, server and user. */
static uint32_t own_server_id(const struct adapter_change *c)
{
	struct bus_buf text = { 0 };
	uint8_t digest[BUS_SHA256_LEN];

	bus_buf_printf(&text, "%s\n%s", c->feed, c->conf.connection);
	bus_sha256(text.p, text.n, digest);
	bus_buf_release(&text);
	return UINT32_C(0x80000000) | (uint32_t)digest[0] << 16 | (uint32_t)digest[1] << 8 | digest[2];
}

static enum bus_err read_conf(struct adapter_change *c, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			      struct bus_error *err)
{
	struct adapter_maria_conf *m = &c->conf.maria;
	int64_t id = own_server_id(c);
	struct bus_error why;
	enum bus_err rc = bus_yaml_int(yaml, conf, "server_id", false, 1, UINT32_MAX, &id, err);

	(void)bus_yaml_get(conf, "table"); /* it is an option, whatever `connection` is */
	if (!rc && adapter_maria_conf_read(c->conf.connection, m, &why))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "connection"), err, "%s", why.text);
	if (!rc)
		rc = adapter_change_read_table(c, yaml, conf, m->database, err);
	c->conf.server_id = (uint32_t)id;
	m->password_file = c->conf.password_file;
	m->stop_fd = c->stop_fd;
	return rc;
}

/* --- statements, their refusals with the remedy --- */

static void add(struct bus_error *err, const char *text)
{
	size_t n = strlen(err->text);

	snprintf(err->text + n, sizeof(err->text) - n, "%s", text);
}

static void remedy(const struct adapter_maria *m, struct bus_error *err)
{
	switch (adapter_maria_number(m)) {
	case NO_RIGHT:
		add(err, "; remedy: GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO <user>;");
		break;
	case NO_TABLE_RIGHT:
	case NO_COLUMN_RIGHT:
		add(err, "; remedy: GRANT SELECT ON <table> TO <user>;");
		break;
	}
}

enum bus_err adapter_change_maria_run(struct adapter_maria *m, const char *sql, struct bus_error *err)
{
	enum bus_err rc = adapter_maria_run(m, sql, CHANGE_STATEMENT_MS, err);

	if (rc == BUS_EDB)
		remedy(m, err);
	return rc;
}

enum bus_err adapter_change_maria_open(struct adapter_change *c, struct adapter_maria **out,
				       struct bus_error *err)
{
	return adapter_maria_open(&c->conf.maria, out, err);
}

static const char *text_at(const struct adapter_maria *m, size_t row, size_t column)
{
	const char *text = adapter_maria_text(m, row, column);

	return text ? text : "";
}

/* `schema`.`table`, as it is written in SQL. */
static void put_table(const char *schema, const char *table, struct bus_buf *out)
{
	adapter_maria_name(schema, out);
	bus_buf_putc(out, '.');
	adapter_maria_name(table, out);
}

/* --- the server --- */

static enum bus_err check_server(struct adapter_maria *m, struct bus_error *err)
{
	static const struct {
		const char *name, *must;
	} row[] = { { "binlog_format", "ROW" },
		    { "binlog_row_image", "FULL" },
		    { "binlog_row_metadata", "FULL" } };
	enum bus_err rc = adapter_change_maria_run(
	    m,
	    "SELECT @@global.log_bin, @@global.binlog_format, @@global.binlog_row_image, "
	    "@@global.binlog_row_metadata, @@global.gtid_slave_pos <> '' AND NOT @@global.log_slave_updates",
	    err);

	if (rc)
		return rc;
	if (text_at(m, 0, 0)[0] != '1')
		return bus_fail(
		    err, BUS_EINVAL,
		    "the server has no binary log; remedy: in my.cnf below [mariadb]: log_bin, "
		    "binlog_format = ROW, binlog_row_metadata = FULL, server_id = 1; then restart it");
	for (size_t i = 0; i < BUS_LEN(row); i++)
		if (strcasecmp(text_at(m, 0, i + 1), row[i].must) != 0)
			return bus_fail(
			    err, BUS_EINVAL,
			    "the server's %s is '%s'; remedy: SET GLOBAL %s = %s; and in my.cnf below "
			    "[mariadb]: %s = %s",
			    row[i].name, text_at(m, 0, i + 1), row[i].name, row[i].must, row[i].name,
			    row[i].must);
	if (text_at(m, 0, 4)[0] == '1')
		return bus_fail(err, BUS_EINVAL,
				"the server is a replica that does not log what it is told; remedy: "
				"log_slave_updates = ON in my.cnf, or follow the primary");
	return BUS_OK;
}

static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; *p; p += strspn(p, ", ")) {
		size_t k = strcspn(p, ",");

		if (k == n && strncasecmp(p, name, n) == 0)
			return true;
		p += k;
	}
	return false;
}

static enum bus_err check_log(const struct change_described *d, struct adapter_maria *m,
			      struct bus_error *err)
{
	enum bus_err rc = adapter_change_maria_run(m, "SHOW MASTER STATUS", err);

	if (rc)
		return rc;
	if (adapter_maria_rows(m) == 0)
		return bus_fail(err, BUS_EINVAL, "the server has no binary log");
	if ((text_at(m, 0, 2)[0] && !listed(text_at(m, 0, 2), d->schema)) ||
	    listed(text_at(m, 0, 3), d->schema))
		return bus_fail(
		    err, BUS_EINVAL,
		    "the server does not log the database '%s' (binlog_do_db, binlog_ignore_db); remedy: "
		    "take that out of my.cnf, then restart it",
		    d->schema);
	return BUS_OK;
}

/* --- the table --- */

static enum bus_err describe_table(struct adapter_change *c, struct adapter_maria *m,
				   struct change_described *d, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	bus_buf_puts(&sql, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE FROM "
			   "information_schema.TABLES WHERE TABLE_SCHEMA = ");
	adapter_maria_quote(c->conf.schema, &sql);
	bus_buf_puts(&sql, " AND TABLE_NAME = ");
	adapter_maria_quote(c->conf.table, &sql);
	rc = adapter_change_maria_run(m, bus_buf_cstr(&sql), err);
	bus_buf_release(&sql);
	if (rc)
		return rc;
	if (adapter_maria_rows(m) == 0)
		return bus_fail(
		    err, BUS_EINVAL,
		    "the server has no table `%s`.`%s`, or the user may not read it; remedy: GRANT "
		    "SELECT ON `%s`.`%s` TO <user>;",
		    c->conf.schema, c->conf.table, c->conf.schema, c->conf.table);
	snprintf(d->schema, sizeof(d->schema), "%s", text_at(m, 0, 0));
	snprintf(d->table, sizeof(d->table), "%s", text_at(m, 0, 1));
	if (strcmp(text_at(m, 0, 2), "BASE TABLE") != 0)
		return bus_fail(
		    err, BUS_EINVAL,
		    "`%s`.`%s` is no plain table (%s): only those have a stream of changes; the way to it is "
		    "polling: fetch: {kind: sql}",
		    d->schema, d->table, text_at(m, 0, 2));
	if (strcasecmp(text_at(m, 0, 3), "InnoDB") != 0)
		return bus_fail(
		    err, BUS_EINVAL,
		    "`%s`.`%s` is of the engine %s, which gives no consistent first reading; remedy: "
		    "ALTER TABLE `%s`.`%s` ENGINE = InnoDB;",
		    d->schema, d->table, text_at(m, 0, 3), d->schema, d->table);
	return BUS_OK;
}

static bool one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

struct told { /* of a column, by information_schema */
	const char *name, *type, *full, *charset;
};

/* How the column is read, and how it is spelled, so that both are alike. false: neither. */
static bool put_column(const struct told *t, struct adapter_binlog_column *column, enum change_number *number,
		       struct bus_buf *sql)
{
	static const char *const whole[] = { "tinyint", "smallint", "mediumint", "int", "bigint", NULL };
	static const char *const times[] = { "date", "datetime", "time", NULL };
	static const char *const texts[] = { "char",	 "varchar", "tinytext", "text", "mediumtext",
					     "longtext", "enum",    "set",	"json", NULL };
	static const char *const utf8[] = { "utf8mb4", "utf8mb3", "utf8", "ascii", NULL };
	static const char *const bytes[] = { "binary",
					     "varbinary",
					     "tinyblob",
					     "blob",
					     "mediumblob",
					     "longblob",
					     "geometry",
					     "point",
					     "linestring",
					     "polygon",
					     "multipoint",
					     "multilinestring",
					     "multipolygon",
					     "geometrycollection",
					     NULL };
	static const char *const addresses[] = { "uuid", "inet4", "inet6", NULL };
	static const enum adapter_binlog_spell spells[] = { ADAPTER_BINLOG_UUID, ADAPTER_BINLOG_INET4,
							    ADAPTER_BINLOG_INET6 };
	const char *before = "", *after = "";
	bool zerofill = strstr(t->full, "zerofill") != NULL;

	column->spell = ADAPTER_BINLOG_UTF8;
	*number = CHANGE_AS_IT_IS;
	if (strstr(t->full, "COMPRESSED"))
		return false;
	if (one_of(t->type, whole) || strcmp(t->type, "bit") == 0) {
		if (zerofill || strcmp(t->type, "bit") == 0) {
			before = "CAST(";
			after = " AS UNSIGNED)";
		}
	} else if (strcmp(t->type, "float") == 0 || strcmp(t->type, "double") == 0) {
		*number = t->type[0] == 'f' ? CHANGE_FLOAT : CHANGE_DOUBLE;
		before = "CAST(";
		after = " AS DOUBLE)";
	} else if (strcmp(t->type, "timestamp") == 0) {
		before = "CONCAT(";
		after = ",'+00')";
	} else if (one_of(t->type, bytes)) {
		column->spell = ADAPTER_BINLOG_HEX;
		before = "HEX(";
		after = ")";
	} else if (one_of(t->type, addresses)) {
		for (size_t i = 0; addresses[i]; i++)
			if (strcmp(t->type, addresses[i]) == 0)
				column->spell = spells[i];
		before = "CAST(";
		after = " AS CHAR)";
	} else if (one_of(t->type, texts)) {
		if (strcmp(t->charset, "latin1") == 0)
			column->spell = ADAPTER_BINLOG_LATIN1;
		else if (!one_of(t->charset, utf8))
			return false;
	} else if (strcmp(t->type, "decimal") == 0) {
		if (zerofill)
			return false;
	} else if (!one_of(t->type, times) && strcmp(t->full, "year(4)") != 0) {
		return false;
	}
	bus_buf_puts(sql, before);
	adapter_maria_name(t->name, sql);
	bus_buf_puts(sql, after);
	return true;
}

static enum bus_err no_column(const struct adapter_maria *m, const struct change_described *d,
			      const char *wanted, struct bus_error *err)
{
	const char *names[1024], *near;
	size_t n = 0;

	for (; n < adapter_maria_rows(m) && n < BUS_LEN(names); n++)
		names[n] = text_at(m, n, 0);
	near = bus_nearest(wanted, names, n);
	return bus_fail(err, BUS_EINVAL, "the mapping uses a column '%s' that `%s`.`%s` does not have%s%s%s",
			wanted, d->schema, d->table, near ? "; did you mean '" : "", near ? near : "",
			near ? "'?" : "");
}

static enum bus_err describe_column(struct adapter_change *c, const struct adapter_maria *m, size_t i,
				    struct change_described *d, struct bus_error *err)
{
	size_t row = 0;
	struct told t;

	while (row < adapter_maria_rows(m) && strcmp(text_at(m, row, 0), c->column[i]) != 0)
		row++;
	if (row == adapter_maria_rows(m))
		return no_column(m, d, c->column[i], err);
	t = (struct told){ c->column[i], text_at(m, row, 1), text_at(m, row, 2), text_at(m, row, 3) };
	d->column[i].name = c->column[i];
	if (i > 0)
		bus_buf_putc(&d->select, ',');
	if (!put_column(&t, &d->column[i], &d->number[i], &d->select))
		return bus_fail(
		    err, BUS_EINVAL,
		    "the column '%s' of `%s`.`%s` is of a type whose changes are not read (%.80s%s%s); "
		    "remedy: "
		    "another type (for text: CHARACTER SET utf8mb4), or polling: fetch: {kind: sql}",
		    c->column[i], d->schema, d->table, t.full, t.charset[0] ? " CHARACTER SET " : "",
		    t.charset);
	return BUS_OK;
}

static enum bus_err describe_columns(struct adapter_change *c, struct adapter_maria *m,
				     struct change_described *d, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	bus_buf_puts(&sql, "SELECT COLUMN_NAME, LOWER(DATA_TYPE), COLUMN_TYPE, CHARACTER_SET_NAME FROM "
			   "information_schema.COLUMNS WHERE TABLE_SCHEMA = ");
	adapter_maria_quote(d->schema, &sql);
	bus_buf_puts(&sql, " AND TABLE_NAME = ");
	adapter_maria_quote(d->table, &sql);
	rc = adapter_change_maria_run(m, bus_buf_cstr(&sql), err);
	bus_buf_release(&sql);
	for (size_t row = 0; !rc && row < adapter_maria_rows(m); row++)
		if (strstr(text_at(m, row, 2), "mariadb-5.3"))
			return bus_fail(err, BUS_EINVAL,
					"`%s`.`%s` has times in the form of MariaDB 5.3; remedy: ALTER TABLE "
					"`%s`.`%s` FORCE;",
					d->schema, d->table, d->schema, d->table);
	bus_buf_puts(&d->select, "SELECT ");
	for (size_t i = 0; !rc && i < c->n_columns; i++)
		rc = describe_column(c, m, i, d, err);
	bus_buf_puts(&d->select, c->n_columns > 0 ? " FROM " : "1 FROM ");
	put_table(d->schema, d->table, &d->select);
	return rc;
}

enum bus_err adapter_change_maria_describe(struct adapter_change *c, struct adapter_maria *m,
					   struct change_described *d, struct bus_error *err)
{
	enum bus_err rc;

	*d = (struct change_described){ .column = bus_xcalloc(c->n_columns + 1, sizeof(*d->column)),
					.number = bus_xcalloc(c->n_columns + 1, sizeof(*d->number)) };
	rc =
	    c->n_columns <= ADAPTER_PG_COLUMNS_MAX
		? describe_table(c, m, d, err)
		: bus_fail(err, BUS_ETOOBIG, "the mapping uses more than %d columns", ADAPTER_PG_COLUMNS_MAX);
	return rc ? rc : describe_columns(c, m, d, err);
}

void adapter_change_described_release(struct change_described *d)
{
	free(d->column);
	free(d->number);
	bus_buf_release(&d->select);
	*d = (struct change_described){ 0 };
}

static bool wanted(const struct adapter_change *c, const char *name)
{
	for (size_t i = 0; i < c->n_columns; i++)
		if (strcasecmp(c->column[i], name) == 0)
			return true;
	return false;
}

/* What InnoDB does to the rows of a child by itself is in no log. */
static enum bus_err check_cascades(struct adapter_change *c, const struct change_described *d,
				   struct adapter_maria *m, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	bus_buf_puts(
	    &sql, "SELECT r.CONSTRAINT_NAME, r.DELETE_RULE, r.UPDATE_RULE, k.COLUMN_NAME FROM "
		  "information_schema.REFERENTIAL_CONSTRAINTS r JOIN information_schema.KEY_COLUMN_USAGE k "
		  "ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME "
		  "AND k.TABLE_NAME = r.TABLE_NAME WHERE r.CONSTRAINT_SCHEMA = ");
	adapter_maria_quote(d->schema, &sql);
	bus_buf_puts(&sql, " AND r.TABLE_NAME = ");
	adapter_maria_quote(d->table, &sql);
	rc = adapter_change_maria_run(m, bus_buf_cstr(&sql), err);
	bus_buf_release(&sql);
	for (size_t i = 0; !rc && i < adapter_maria_rows(m); i++) {
		const char *gone = text_at(m, i, 1), *changed = text_at(m, i, 2);
		bool ours = wanted(c, text_at(m, i, 3));

		if ((strcmp(gone, "CASCADE") == 0 && adapter_map_register(c->map)) ||
		    (ours && (strncmp(gone, "SET", 3) == 0 || strcmp(changed, "CASCADE") == 0 ||
			      strncmp(changed, "SET", 3) == 0)))
			return bus_fail(err, BUS_EINVAL,
					"the foreign key '%.64s' of `%s`.`%s` changes rows without a word in "
					"the binary log "
					"(ON DELETE %s ON UPDATE %s); remedy: make it RESTRICT, or polling: "
					"fetch: {kind: sql}",
					text_at(m, i, 0), d->schema, d->table, gone, changed);
	}
	return rc;
}

static enum bus_err check_reading(struct change_described *d, struct adapter_maria *m, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	bus_buf_printf(&sql, "%s LIMIT 0", bus_buf_cstr(&d->select));
	rc = adapter_change_maria_run(m, bus_buf_cstr(&sql), err);
	bus_buf_release(&sql);
	return rc;
}

#define SESSION                                                                                              \
	"SET @mariadb_slave_capability = 4, @master_heartbeat_period = " HEARTBEAT                           \
	", @master_binlog_checksum = @@global.binlog_checksum, @slave_gtid_strict_mode = 1, "                \
	"@slave_gtid_ignore_duplicates = 0"

static uint32_t trial_id(const struct adapter_change *c)
{
	return c->conf.server_id ^ UINT32_C(0x40000000);
}

enum bus_err adapter_change_maria_dump(struct adapter_change *c, struct adapter_maria *m,
				       const struct adapter_gtid_place *p, bool trial, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	bus_buf_puts(&sql, SESSION ", @slave_connect_state = '");
	adapter_gtid_put(p, &sql);
	bus_buf_putc(&sql, '\'');
	rc = adapter_change_maria_run(m, bus_buf_cstr(&sql), err);
	bus_buf_release(&sql);
	return rc ? rc : adapter_maria_dump(m, trial ? trial_id(c) : c->conf.server_id, NULL, err);
}

enum bus_err adapter_change_maria_begun(struct adapter_change *c, const char *file, uint64_t *begun,
					struct bus_error *err)
{
	struct adapter_maria *m = NULL;
	enum bus_err rc = adapter_change_maria_open(c, &m, err);

	if (!rc)
		rc = adapter_change_maria_run(m, SESSION, err);
	if (!rc)
		rc = adapter_maria_dump(m, trial_id(c), file, err);
	/* A rotation into the file, and then its own first event. */
	for (int i = 0; !rc && i < 4; i++) {
		struct adapter_binlog *log = adapter_binlog_new("", "", NULL, 0, false);
		struct adapter_binlog_event ev;
		struct bus_str event;

		rc = adapter_maria_take(m, &event, err);
		if (!rc && adapter_binlog_read(log, event, &ev, NULL) == BUS_OK &&
		    ev.kind == ADAPTER_BINLOG_FORMAT) {
			*begun = ev.time_s;
			adapter_binlog_free(&log);
			break;
		}
		adapter_binlog_free(&log);
		if (!rc && i == 3)
			rc = bus_fail(err, BUS_EIO, "MariaDB: a file of the log has no beginning");
	}
	if (rc == BUS_EDB)
		rc = bus_fail_prefix(err, BUS_ENOENT, "'%s'", file);
	adapter_maria_close(&m);
	return rc;
}

/* Whether the log is given to us is known once it is asked for. */
static enum bus_err check_stream(struct adapter_change *c, struct bus_error *err)
{
	struct adapter_gtid_place place;
	struct adapter_maria *m = NULL;
	struct bus_str event;
	enum bus_err rc = adapter_change_maria_open(c, &m, err);

	if (!rc)
		rc = adapter_change_maria_run(m, "SELECT @@global.gtid_binlog_pos", err);
	if (!rc)
		rc = adapter_gtid_read(text_at(m, 0, 0), &place, err);
	if (!rc)
		rc = adapter_change_maria_dump(c, m, &place, true, err);
	if (!rc)
		rc = adapter_maria_take(m, &event, err);
	if (rc == BUS_EDB)
		remedy(m, err);
	adapter_maria_close(&m);
	return rc;
}

enum bus_err adapter_change_maria_check(struct adapter_change *c, struct adapter_maria *m,
					struct bus_error *err)
{
	struct change_described d = { 0 };
	enum bus_err rc = check_server(m, err);

	if (!rc)
		rc = adapter_change_maria_describe(c, m, &d, err);
	if (!rc)
		rc = check_reading(&d, m, err);
	if (!rc)
		rc = check_cascades(c, &d, m, err);
	if (!rc)
		rc = check_log(&d, m, err);
	if (!rc)
		rc = check_stream(c, err);
	adapter_change_described_release(&d);
	return rc;
}

static enum bus_err test(struct adapter_change *c, struct bus_error *err)
{
	struct adapter_maria *m = NULL;
	enum bus_err rc = adapter_change_maria_open(c, &m, err);

	if (!rc)
		rc = adapter_change_maria_check(c, m, err);
	adapter_maria_close(&m);
	return rc;
}

const struct change_kind adapter_change_mariadb = {
	.name = "mariadb",
	.title = "MariaDB",
	.lag_id = "binlog belum terbaca",
	.lag_en = "of binlog are yet to be read",
	.read = read_conf,
	.test = test,
	.snapshot = adapter_change_maria_snapshot,
	.follow = adapter_change_maria_follow,
};
