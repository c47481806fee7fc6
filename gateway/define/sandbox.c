#include "gateway/define/sandbox.h"

static const char *sql_type(enum gw_type type)
{
	return type == GW_INT || type == GW_BOOL ? "INTEGER"
	       : type == GW_REAL		 ? "REAL"
	       : type == GW_NULL		 ? "BLOB"
						 : "TEXT";
}

static enum bus_err make_table(struct gw_db *db, const struct gw_world_table *t, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	bus_buf_printf(&sql, "CREATE TABLE \"%s\"(", t->name);
	for (size_t i = 0; i < t->n_columns; i++)
		bus_buf_printf(&sql, "%s\"%s\" %s%s", i ? ", " : "", t->column[i].name,
			       sql_type(t->column[i].type),
			       strcmp(t->column[i].name, t->key) == 0 ? " PRIMARY KEY NOT NULL" : "");
	bus_buf_printf(&sql, ")%s", t->topic ? "" : " WITHOUT ROWID");
	rc = gw_db_exec(db, err, "%s", bus_buf_cstr(&sql));
	bus_buf_release(&sql);
	return rc;
}

static enum bus_err make_index(struct gw_db *db, const struct gw_world *w, const struct gw_def *d,
			       const struct gw_index_def *x, struct bus_error *err)
{
	const struct gw_world_table *t = gw_world_find(w, x->table);
	bool own = strcmp(x->table, d->pub.name) == 0 && d->full;
	struct bus_buf name = { 0 }, columns = { 0 };
	enum bus_err rc = BUS_OK;

	if (!t && !own)
		return bus_fail(err, BUS_EPARSE, "%s: an index on '%.60s': no such table", d->file, x->table);
	for (size_t i = 0; i < x->n && rc == BUS_OK; i++) {
		if (!own && gw_world_column(t, x->column[i]) < 0)
			rc = bus_fail(err, BUS_EPARSE, "%s: an index: '%.60s' has no column '%.60s'", d->file,
				      x->table, x->column[i]);
		bus_buf_printf(&name, "__%s", x->column[i]);
		bus_buf_printf(&columns, "%s\"%s\"", i ? ", " : "", x->column[i]);
	}
	if (rc == BUS_OK)
		rc = gw_db_exec(db, err, "CREATE INDEX IF NOT EXISTS \"_ix_%s%s\" ON \"%s\"(%s)", x->table,
				bus_buf_cstr(&name), x->table, bus_buf_cstr(&columns));
	bus_buf_release(&name);
	bus_buf_release(&columns);
	return rc;
}

/* The table it will be, for indexes on it; the world may have an older one of that name. */
static enum bus_err make_own(struct gw_db *db, const struct gw_def *d, struct bus_error *err)
{
	struct gw_world_column column[GW_COLUMNS_MAX];
	struct gw_world_table t = { .name = d->pub.name,
				    .key = d->pub.column[d->pub.key].name,
				    .column = column,
				    .n_columns = d->pub.n_columns };

	for (size_t i = 0; i < d->pub.n_columns; i++)
		column[i] = (struct gw_world_column){ d->pub.column[i].name, d->pub.column[i].type,
						      d->pub.column[i].pdp };
	return make_table(db, &t, err);
}

static enum bus_err fill(struct gw_db *db, const struct gw_world *w, const struct gw_def *d,
			 struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < w->n && rc == BUS_OK; i++) {
		if (strcmp(w->table[i].name, d->pub.name) != 0)
			rc = make_table(db, &w->table[i], err);
		else if (w->table[i].topic)
			return bus_fail(err, BUS_EPARSE, "%s: '%s' is the name of another table", d->file,
					d->pub.name);
	}
	if (rc == BUS_OK && d->full)
		rc = make_own(db, d, err);
	for (size_t i = 0; i < w->n && rc == BUS_OK; i++) {
		const struct gw_def *other = w->table[i].def;

		for (size_t k = 0; other && k < other->n_indexes && rc == BUS_OK; k++) {
			if (strcmp(other->pub.name, d->pub.name) != 0 &&
			    gw_world_find(w, other->index[k].table))
				rc = make_index(db, w, other, &other->index[k], err);
		}
	}
	for (size_t k = 0; k < d->n_indexes && rc == BUS_OK; k++)
		rc = make_index(db, w, d, &d->index[k], err);
	return rc;
}

enum bus_err gw_sandbox_open(const struct gw_world *w, const struct gw_def *d, struct gw_db **out,
			     struct bus_error *err)
{
	enum bus_err rc = gw_db_open(":memory:", GW_DB_WRITER, 4 * 1024 * 1024, out, err);

	if (rc == BUS_OK)
		rc = fill(*out, w, d, err);
	if (rc == BUS_OK)
		gw_db_narrow(*out);
	else
		gw_db_close(out);
	return rc;
}

static bool has(void *ctx, const char *table, const char *column)
{
	const struct gw_world_table *t = gw_world_find(ctx, table);

	return t && (column[0] == '\0' || gw_world_column(t, column) >= 0);
}

struct gw_catalogue gw_sandbox_catalogue(const struct gw_world *w)
{
	return (struct gw_catalogue){ (void *)(uintptr_t)w, has, w };
}
