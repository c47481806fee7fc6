/* Scope columns: what a grant or a follower may be limited to (a kelurahan, a school).
 *
 * A view's state keeps their values of each key, and `_left_<view>` where a key has been and is no more: one row
 * for each key and each place, with the number of the change that took it away. So a follower of one place is
 * told of a row that left it, and nobody is told of a row that never was in its place. */
#include <assert.h>
#include <stdio.h>

#include "gateway/engine/reading.h"

static bool scoped(const struct gw_live *v)
{
	return v->def->pub.n_scope > 0 && !v->def->pub.internal;
}

static const char *column_name(const struct gw_live *v, size_t i)
{
	return v->def->pub.column[v->def->pub.scope[i]].name;
}

/* Adds the columns that the table lacks. */
static enum bus_err add_columns(struct gw_engine *e, struct gw_live *v, const char *table, bool *added,
				struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	int64_t there;

	for (size_t i = 0; i < v->def->pub.n_scope && rc == BUS_OK; i++) {
		rc = gw_db_int(e->db, 0, &there, err,
			       "SELECT count(*) FROM pragma_table_info('%s_%s') WHERE name = 's_%s'", table,
			       v->def->pub.name, column_name(v, i));
		if (rc != BUS_OK || there > 0)
			continue;
		*added = true;
		rc = gw_db_exec(e->db, err, "ALTER TABLE \"%s_%s\" ADD COLUMN \"s_%s\"", table,
				v->def->pub.name, column_name(v, i));
	}
	return rc;
}

enum bus_err gw_scope_tables(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	const char *name = v->def->pub.name;
	bool fresh = false, ignored = false;
	int64_t rows = 0;
	enum bus_err rc;

	if (!scoped(v))
		return BUS_OK;
	if (v->beside)
		return add_columns(e, v, "_new", &ignored, err);
	rc = gw_db_exec(e->db, err,
			"CREATE TABLE IF NOT EXISTS \"_left_%s\"(seq INTEGER PRIMARY KEY, key TEXT);"
			"CREATE INDEX IF NOT EXISTS \"_left_key_%s\" ON \"_left_%s\"(key)",
			name, name, name);
	if (rc == BUS_OK)
		rc = add_columns(e, v, "_left", &ignored, err);
	if (rc == BUS_OK)
		rc = add_columns(e, v, "_view", &fresh, err);
	for (size_t i = 0; i < v->def->pub.n_scope && rc == BUS_OK; i++)
		rc = gw_db_exec(e->db, err,
				"CREATE INDEX IF NOT EXISTS \"_scope_%s__%s\" ON \"_view_%s\"(\"s_%s\")",
				name, column_name(v, i), name, column_name(v, i));
	if (rc == BUS_OK && fresh)
		rc = gw_db_int(e->db, 0, &rows, err, "SELECT count(*) FROM \"_view_%s\"", name);
	if (rc != BUS_OK || rows == 0)
		return rc;
	/* Rows that are there already get their values when the view is evaluated as a whole. */
	v->all = true;
	v->refill = true;
	gw_stmt_bind_int(e->view_put, 1, 1);
	gw_stmt_bind_int(e->view_put, 2, 1);
	gw_stmt_bind_int(e->view_put, 3, v->id);
	return gw_stmt_run(e->view_put, err);
}

/* fmt once for each scope column: @ is its name. */
static void put_each(const struct gw_live *v, struct bus_buf *out, const char *fmt)
{
	for (size_t i = 0; i < v->def->pub.n_scope; i++) {
		for (const char *p = fmt; *p; p++) {
			if (*p == '@')
				bus_buf_puts(out, column_name(v, i));
			else
				bus_buf_putc(out, *p);
		}
	}
}

enum bus_err gw_scope_prepare(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	const char *name = v->def->pub.name;
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	if (!scoped(v))
		return BUS_OK;
	/* The state is written with its scope from now on. */
	gw_stmt_free(&v->state_put);
	bus_buf_printf(&sql, "INSERT INTO \"%s%s\"(key, hash, seq", v->beside ? GW_BESIDE_STATE : "_view_", name);
	put_each(v, &sql, ", \"s_@\"");
	bus_buf_puts(&sql, ") VALUES(?, ?, ?");
	put_each(v, &sql, ", ?");
	bus_buf_puts(&sql, ") ON CONFLICT DO UPDATE SET hash=excluded.hash, seq=excluded.seq");
	put_each(v, &sql, ", \"s_@\"=excluded.\"s_@\"");
	rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->state_put, err);
	if (v->beside) { /* nobody has seen it, nobody is told who left */
		bus_buf_release(&sql);
		return rc;
	}
	bus_buf_reset(&sql);
	bus_buf_puts(&sql, "SELECT hash");
	put_each(v, &sql, ", \"s_@\"");
	bus_buf_printf(&sql, " FROM \"_view_%s\" WHERE key=?", name);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->scope_get, err);
	bus_buf_reset(&sql);
	bus_buf_printf(&sql, "UPDATE \"_view_%s\" SET key=key", name);
	put_each(v, &sql, ", \"s_@\"=?");
	bus_buf_puts(&sql, " WHERE key=?");
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->scope_put, err);
	bus_buf_reset(&sql);
	bus_buf_printf(&sql, "DELETE FROM \"_left_%s\" WHERE key=?", name);
	put_each(v, &sql, " AND \"s_@\" IS ?");
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->left_remove, err);
	bus_buf_reset(&sql);
	bus_buf_printf(&sql, "INSERT INTO \"_left_%s\"(seq, key", name);
	put_each(v, &sql, ", \"s_@\"");
	bus_buf_puts(&sql, ") VALUES(?, ?");
	put_each(v, &sql, ", ?");
	bus_buf_putc(&sql, ')');
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->left_put, err);
	bus_buf_release(&sql);
	return rc;
}

void gw_scope_undo(struct gw_live *v)
{
	gw_stmt_free(&v->scope_get);
	gw_stmt_free(&v->scope_put);
	gw_stmt_free(&v->left_remove);
	gw_stmt_free(&v->left_put);
}

static bool same_value(const struct gw_value *a, const struct gw_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case GW_NULL:
		return true;
	case GW_REAL:
		return a->r == b->r;
	case GW_TEXT:
	case GW_JSON:
		return bus_str_eq(a->s, b->s);
	default:
		return a->i == b->i;
	}
}

/* The key is no more where scope_get stands: the last change of its kind is the one that counts. */
static enum bus_err leave(struct gw_engine *e, struct gw_live *v, struct bus_str key, struct bus_error *err)
{
	struct gw_value value;
	enum bus_err rc;

	gw_stmt_bind_int(v->left_put, 1, e->seq);
	gw_stmt_bind_text(v->left_put, 2, key);
	gw_stmt_bind_text(v->left_remove, 1, key);
	for (size_t i = 0; i < v->def->pub.n_scope; i++) {
		gw_stmt_value(v->scope_get, 1 + (int)i, &value);
		gw_stmt_bind_value(v->left_put, 3 + (int)i, &value);
		gw_stmt_bind_value(v->left_remove, 2 + (int)i, &value);
	}
	rc = gw_stmt_run(v->left_remove, err);
	return rc == BUS_OK ? gw_stmt_run(v->left_put, err) : rc;
}

enum bus_err gw_scope_write(struct gw_engine *e, struct gw_live *v, struct bus_str key, struct gw_stmt *from,
			    struct bus_error *err)
{
	struct gw_value was, is;
	bool row, left;
	enum bus_err rc;

	if (!scoped(v))
		return BUS_OK;
	for (size_t i = 0; v->beside && i < v->def->pub.n_scope; i++) {
		gw_stmt_value(from, (int)v->def->pub.scope[i], &is);
		gw_stmt_bind_value(v->state_put, 4 + (int)i, &is);
	}
	if (v->beside)
		return BUS_OK;
	gw_stmt_bind_text(v->scope_get, 1, key);
	rc = gw_stmt_step(v->scope_get, &row, err);
	left = rc == BUS_OK && row && !from;
	for (size_t i = 0; i < v->def->pub.n_scope && rc == BUS_OK; i++) {
		if (!from) {
			gw_stmt_bind_null(v->state_put, 4 + (int)i);
			continue;
		}
		gw_stmt_value(from, (int)v->def->pub.scope[i], &is);
		gw_stmt_bind_value(v->state_put, 4 + (int)i, &is);
		if (row) {
			gw_stmt_value(v->scope_get, 1 + (int)i, &was);
			left |= !same_value(&was, &is);
		}
	}
	/* A key that was not present has left nothing. */
	if (rc == BUS_OK && left && !gw_stmt_is_null(v->scope_get, 0))
		rc = leave(e, v, key, err);
	gw_stmt_reset(v->scope_get);
	return rc;
}

enum bus_err gw_scope_fill(struct gw_live *v, struct bus_str key, struct gw_stmt *from, struct bus_error *err)
{
	struct gw_value value;

	if (!scoped(v))
		return BUS_OK;
	for (size_t i = 0; i < v->def->pub.n_scope; i++) {
		gw_stmt_value(from, (int)v->def->pub.scope[i], &value);
		gw_stmt_bind_value(v->scope_put, 1 + (int)i, &value);
	}
	gw_stmt_bind_text(v->scope_put, 1 + (int)v->def->pub.n_scope, key);
	return gw_stmt_run(v->scope_put, err);
}

void gw_scope_put_sql(const struct gw_scope *s, const char *prefix, struct bus_buf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		bus_buf_printf(out, " AND %s%s\" IN (", prefix, s->part[i].column);
		for (size_t k = 0; k < s->part[i].n; k++)
			bus_buf_printf(out, "%s:_s%zu_%zu", k ? "," : "", i, k);
		bus_buf_putc(out, ')');
	}
}

void gw_scope_bind_sql(struct gw_stmt *stmt, const struct gw_view *v, const struct gw_scope *s)
{
	char name[56];

	for (size_t i = 0; i < s->n; i++) {
		enum gw_type type = v->column[gw_view_column(v, s->part[i].column)].type;

		for (size_t k = 0; k < s->part[i].n; k++) {
			const char *text = s->part[i].value[k];
			int at;

			snprintf(name, sizeof(name), ":_s%zu_%zu", i, k);
			at = gw_stmt_param(stmt, name);
			if (type == GW_INT)
				gw_stmt_bind_int(stmt, at, strtoll(text, NULL, 10));
			else if (type == GW_BOOL)
				gw_stmt_bind_int(stmt, at, strcmp(text, "true") == 0);
			else
				gw_stmt_bind_text(stmt, at, bus_str(text));
		}
	}
}

bool gw_scope_ok(const struct gw_view *v, const char *column)
{
	for (size_t i = 0; i < v->n_scope; i++)
		if (strcmp(v->column[v->scope[i]].name, column) == 0)
			return true;
	return false;
}

bool gw_scope_value_ok(const struct gw_column *c, const char *text)
{
	size_t digits = strspn(text + (text[0] == '-'), "0123456789");

	switch (c->type) {
	case GW_TEXT:
		return true;
	case GW_INT:
		return digits > 0 && digits <= 18 && text[(text[0] == '-') + digits] == '\0';
	case GW_BOOL:
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
	default:
		return false;
	}
}
