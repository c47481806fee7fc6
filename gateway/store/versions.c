#include "gateway/store/versions.h"

#include <stdio.h>

#define FOR_EVER "9223372036854775807"

struct gw_versions {
	struct gw_stmt *close, *clean, *copy, *forget;
};

struct columns { /* of the table, quoted and parted by commas */
	struct bus_buf names, made;
};

static enum bus_err read_columns(struct gw_db *db, const char *table, struct columns *c,
				 struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	struct gw_stmt *s = NULL;
	struct bus_str name, type;
	enum bus_err rc;
	bool row;

	bus_buf_printf(&sql, "SELECT name, type FROM pragma_table_info('%s') ORDER BY cid", table);
	rc = gw_db_prepare(db, bus_buf_cstr(&sql), &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		name = gw_stmt_text(s, 0);
		type = gw_stmt_text(s, 1);
		bus_buf_printf(&c->names, "%s\"%.*s\"", c->names.n ? "," : "", (int)name.n, name.p);
		bus_buf_printf(&c->made, "%s\"%.*s\" %.*s", c->made.n ? "," : "", (int)name.n, name.p,
			       (int)type.n, type.p);
	}
	gw_stmt_free(&s);
	bus_buf_release(&sql);
	return rc;
}

/* Columns that the table got since, with the value that older rows have in it. */
static enum bus_err add_missing(struct gw_db *db, const char *table, struct bus_error *err)
{
	struct bus_buf sql = { 0 }, all = { 0 };
	struct gw_stmt *s = NULL;
	struct bus_str name, type, value;
	enum bus_err rc;
	bool row;

	bus_buf_printf(
	    &sql,
	    "SELECT name, type, coalesce(dflt_value, 'NULL') FROM pragma_table_info('%s') WHERE name NOT IN "
	    "(SELECT name FROM pragma_table_info('" GW_VERSIONS_PREFIX "%s')) ORDER BY cid",
	    table, table);
	rc = gw_db_prepare(db, bus_buf_cstr(&sql), &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		name = gw_stmt_text(s, 0);
		type = gw_stmt_text(s, 1);
		value = gw_stmt_text(s, 2);
		bus_buf_printf(
		    &all, "ALTER TABLE \"" GW_VERSIONS_PREFIX "%s\" ADD COLUMN \"%.*s\" %.*s DEFAULT %.*s;",
		    table, (int)name.n, name.p, (int)type.n, type.p, (int)value.n, value.p);
	}
	gw_stmt_free(&s);
	if (rc == BUS_OK && all.n > 0)
		rc = gw_db_exec(db, err, "%s", bus_buf_cstr(&all));
	bus_buf_release(&sql);
	bus_buf_release(&all);
	return rc;
}

/* The past is asked by the same columns as the present. */
static enum bus_err make_indexes(struct gw_db *db, const char *table, struct bus_error *err)
{
	struct bus_buf sql = { 0 }, all = { 0 };
	struct gw_stmt *s = NULL;
	struct bus_str name, columns;
	enum bus_err rc;
	bool row;

	bus_buf_printf(
	    &sql,
	    "SELECT l.name, (SELECT group_concat('\"' || i.name || '\"') FROM pragma_index_info(l.name) i) "
	    "FROM pragma_index_list('%s') l WHERE l.origin = 'c' AND l.name LIKE '\\_ix\\_%%' ESCAPE '\\'",
	    table);
	rc = gw_db_prepare(db, bus_buf_cstr(&sql), &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		name = gw_stmt_text(s, 0);
		columns = gw_stmt_text(s, 1);
		bus_buf_printf(
		    &all, "CREATE INDEX IF NOT EXISTS \"_ver%.*s\" ON \"" GW_VERSIONS_PREFIX "%s\"(%.*s);",
		    (int)name.n, name.p, table, (int)columns.n, columns.p);
	}
	gw_stmt_free(&s);
	if (rc == BUS_OK && all.n > 0)
		rc = gw_db_exec(db, err, "%s", bus_buf_cstr(&all));
	bus_buf_release(&sql);
	bus_buf_release(&all);
	return rc;
}

static enum bus_err make_table(struct gw_db *db, const char *table, const struct columns *c,
			       struct bus_error *err)
{
	struct bus_buf names = { 0 }, made = { 0 };
	enum bus_err rc;
	int64_t there;

	rc = gw_db_int(db, 0, &there, err,
		       "SELECT count(*) FROM sqlite_schema WHERE name='" GW_VERSIONS_PREFIX "%s'", table);
	if (rc != BUS_OK || there)
		return rc == BUS_OK ? add_missing(db, table, err) : rc;
	bus_buf_put(&names, c->names.p, c->names.n);
	bus_buf_put(&made, c->made.p, c->made.n);
	rc = gw_db_exec(db, err,
			"CREATE TABLE \"" GW_VERSIONS_PREFIX "%s\"(%s, _until INTEGER);"
			"CREATE INDEX \"_ver_key_%s\" ON \"" GW_VERSIONS_PREFIX "%s\"(_key, _until);"
			"INSERT INTO \"" GW_VERSIONS_PREFIX "%s\"(%s, _until) SELECT %s, " FOR_EVER
			" FROM \"%s\"",
			table, bus_buf_cstr(&made), table, table, table, bus_buf_cstr(&names),
			bus_buf_cstr(&names), table);
	bus_buf_release(&names);
	bus_buf_release(&made);
	return rc;
}

static enum bus_err prepare(struct gw_db *db, struct gw_stmt **out, struct bus_error *err, const char *fmt,
			    const char *table, const char *names)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	for (const char *p = fmt; *p; p++) {
		if (*p == '@')
			bus_buf_puts(&sql, table);
		else if (*p == '*')
			bus_buf_puts(&sql, names);
		else
			bus_buf_putc(&sql, *p);
	}
	rc = gw_db_prepare(db, bus_buf_cstr(&sql), out, err);
	bus_buf_release(&sql);
	return rc;
}

enum bus_err gw_versions_open(struct gw_db *db, const char *table, struct gw_versions **out,
			      struct bus_error *err)
{
	struct gw_versions *v = bus_xcalloc(1, sizeof(*v));
	struct columns c = { 0 };
	enum bus_err rc;

	*out = NULL;
	rc = read_columns(db, table, &c, err);
	if (rc == BUS_OK)
		rc = make_table(db, table, &c, err);
	if (rc == BUS_OK)
		rc = make_indexes(db, table, err);
	if (rc == BUS_OK)
		rc = prepare(db, &v->close, err,
			     "UPDATE \"_ver_@\" SET _until=?2 WHERE _key=?1 AND _until>?2", table, "");
	if (rc == BUS_OK) /* versions that no moment sees */
		rc = prepare(db, &v->clean, err, "DELETE FROM \"_ver_@\" WHERE _key=?1 AND _until<=_ts",
			     table, "");
	if (rc == BUS_OK)
		rc = prepare(db, &v->copy, err,
			     "INSERT INTO \"_ver_@\"(*, _until) SELECT *, " FOR_EVER
			     " FROM \"@\" WHERE _key=?1",
			     table, bus_buf_cstr(&c.names));
	if (rc == BUS_OK)
		rc = prepare(db, &v->forget, err, "DELETE FROM \"_ver_@\" WHERE _key=?1", table, "");
	bus_buf_release(&c.names);
	bus_buf_release(&c.made);
	if (rc != BUS_OK)
		gw_versions_close(&v);
	*out = v;
	return rc;
}

void gw_versions_close(struct gw_versions **v)
{
	if (!*v)
		return;
	gw_stmt_free(&(*v)->close);
	gw_stmt_free(&(*v)->clean);
	gw_stmt_free(&(*v)->copy);
	gw_stmt_free(&(*v)->forget);
	free(*v);
	*v = NULL;
}

enum bus_err gw_versions_remove(struct gw_versions *v, struct bus_str key, int64_t ts_ms,
				struct bus_error *err)
{
	enum bus_err rc;

	gw_stmt_bind_text(v->close, 1, key);
	gw_stmt_bind_int(v->close, 2, ts_ms);
	rc = gw_stmt_run(v->close, err);
	gw_stmt_bind_text(v->clean, 1, key);
	return rc == BUS_OK ? gw_stmt_run(v->clean, err) : rc;
}

enum bus_err gw_versions_put(struct gw_versions *v, struct bus_str key, int64_t ts_ms, struct bus_error *err)
{
	enum bus_err rc = gw_versions_remove(v, key, ts_ms, err);

	gw_stmt_bind_text(v->copy, 1, key);
	return rc == BUS_OK ? gw_stmt_run(v->copy, err) : rc;
}

enum bus_err gw_versions_forget(struct gw_versions *v, struct bus_str key, struct bus_error *err)
{
	gw_stmt_bind_text(v->forget, 1, key);
	return gw_stmt_run(v->forget, err);
}
