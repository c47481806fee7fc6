/* INSERT, UPDATE, DELETE; and the same for a table whose changes are followed. */
#include <stdio.h>
#include <strings.h>

#include "gateway/store/pg_parse.h"

static void put_returning(struct pg_parse *p)
{
	if (!gw_pgsql_take(p, "RETURNING"))
		return;
	bus_buf_puts(&p->out->sql, " RETURNING ");
	p->out->rows = true;
	if (gw_pgsql_take(p, "*"))
		bus_buf_putc(&p->out->sql, '*');
	else
		gw_pgsql_values(p, &p->out->sql);
}

static void put_sets(struct pg_parse *p, struct bus_buf *out)
{
	do {
		gw_pgsql_put_name(p, out);
		gw_pgsql_want(p, "=");
		bus_buf_puts(out, " = ");
		gw_pgsql_value(p, out);
	} while (gw_pgsql_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
}

static void put_where(struct pg_parse *p, struct bus_buf *out)
{
	if (!gw_pgsql_take(p, "WHERE"))
		return;
	bus_buf_puts(out, " WHERE ");
	gw_pgsql_truth(p, out);
}

struct insert {
	struct gw_pg_table table;
	struct bus_buf target, names; /* the columns, in brackets; empty: all */
	char *column[2000];	      /* those named */
	struct bus_buf *value;	      /* of one row of VALUES; NULL: a SELECT, or several rows */
	size_t n_columns, n_values;
};

static void put_keys(const struct gw_pg_table *t, struct bus_buf *out)
{
	const char *comma = "";

	bus_buf_putc(out, '(');
	for (size_t i = 0; i < t->n; i++) {
		if (!t->key[i])
			continue;
		bus_buf_puts(out, comma);
		gw_pg_name(out, t->column[i], strlen(t->column[i]));
		comma = ",";
	}
	bus_buf_putc(out, ')');
}

static void put_replace(const struct gw_pg_table *t, struct bus_buf *out)
{
	const char *comma = "";

	bus_buf_puts(out, " ON CONFLICT ");
	put_keys(t, out);
	bus_buf_puts(out, " DO UPDATE SET ");
	for (size_t i = 0; i < t->n; i++) {
		if (t->key[i])
			continue;
		bus_buf_puts(out, comma);
		gw_pg_name(out, t->column[i], strlen(t->column[i]));
		bus_buf_puts(out, " = excluded.");
		gw_pg_name(out, t->column[i], strlen(t->column[i]));
		comma = ", ";
	}
	if (!*comma) { /* nothing but a key */
		out->n -= strlen("UPDATE SET ");
		bus_buf_puts(out, "NOTHING");
	}
}

static void read_values(struct pg_parse *p, struct insert *x, struct bus_buf *out)
{
	bool single = true;

	p->at++;
	bus_buf_puts(out, " VALUES ");
	x->value = bus_xcalloc(2000, sizeof(*x->value));
	do {
		gw_pgsql_want(p, "(");
		bus_buf_putc(out, '(');
		for (size_t i = 0; p->rc == BUS_OK; i++) {
			struct bus_buf v = { 0 };

			gw_pgsql_value(p, &v);
			bus_buf_printf(out, "%s%s", i ? "," : "", bus_buf_cstr(&v));
			if (single && i < 2000) {
				x->value[i] = v;
				x->n_values = i + 1;
			} else {
				bus_buf_release(&v);
			}
			if (!gw_pgsql_take(p, ","))
				break;
		}
		gw_pgsql_want(p, ")");
		bus_buf_putc(out, ')');
		single = false;
	} while (gw_pgsql_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
}

/* The row that stands where the new one goes, and the new one. */
static void follow_insert(struct gw_pg_text *out, struct insert *x)
{
	const char *and = "";

	bus_buf_printf(&out->followed, "WITH _o AS MATERIALIZED (SELECT * FROM %s WHERE ",
		       bus_buf_cstr(&x->target));
	for (size_t i = 0; i < x->table.n; i++) {
		const char *key = x->table.column[i];
		size_t at = i;

		if (!x->table.key[i])
			continue;
		if (x->n_columns > 0) {
			for (at = 0; at < x->n_columns && strcasecmp(x->column[at], key) != 0; at++)
				;
		}
		if (at >= x->n_values) { /* a key that the database makes */
			bus_buf_reset(&out->followed);
			return;
		}
		bus_buf_puts(&out->followed, and);
		gw_pg_name(&out->followed, key, strlen(key));
		bus_buf_printf(&out->followed, " = %s", bus_buf_cstr(&x->value[at]));
		and = " AND ";
	}
	if (!*and)
		bus_buf_puts(&out->followed, "false");
	bus_buf_printf(&out->followed,
		       "), _n AS (%s RETURNING *) SELECT _o.*, _n.* FROM _n LEFT JOIN _o ON true",
		       bus_buf_cstr(&out->sql));
}

static void put_conflict(struct pg_parse *p, struct insert *x, struct bus_buf *out)
{
	bus_buf_puts(out, " ON CONFLICT ");
	if (gw_pgsql_take(p, "(")) {
		bus_buf_putc(out, '(');
		do {
			gw_pgsql_put_name(p, out);
		} while (gw_pgsql_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
		gw_pgsql_want(p, ")");
		bus_buf_putc(out, ')');
	} else if (!gw_pgsql_is(p, 1, "NOTHING")) {
		put_keys(&x->table, out);
	}
	gw_pgsql_want(p, "DO");
	if (gw_pgsql_take(p, "NOTHING")) {
		bus_buf_puts(out, " DO NOTHING");
		return;
	}
	gw_pgsql_want(p, "UPDATE");
	gw_pgsql_want(p, "SET");
	bus_buf_puts(out, " DO UPDATE SET ");
	p->target = p->out->table;
	put_sets(p, out);
	put_where(p, out);
	p->target = NULL;
}

void gw_pgsql_insert(struct pg_parse *p)
{
	struct insert *x = bus_xcalloc(1, sizeof(*x));
	struct bus_buf *out = &p->out->sql;
	bool replace = gw_pgsql_take(p, "REPLACE"), ignore = false;
	size_t at;

	if (!replace)
		gw_pgsql_want(p, "INSERT");
	if (gw_pgsql_take(p, "OR")) {
		replace = gw_pgsql_take(p, "REPLACE");
		ignore = !replace && gw_pgsql_take(p, "IGNORE");
		if (!replace && !ignore)
			gw_pgsql_fail(p, "INSERT OR %.*s", (int)gw_pgsql_peek(p, 0)->n,
				      gw_pgsql_peek(p, 0)->p);
	}
	gw_pgsql_want(p, "INTO");
	at = p->at + (gw_pgsql_is(p, 1, ".") ? 2 : 0);
	gw_pgsql_put_table(p, &x->target);
	{
		size_t behind = p->at;

		p->at = at;
		p->out->table = gw_pgsql_take_name(p);
		p->at = behind;
	}
	if (p->rc == BUS_OK && !p->out->temp && !p->world->table(p->world->ctx, p->out->table, &x->table))
		gw_pgsql_fail(p, "there is no table '%s'", p->out->table);
	bus_buf_printf(out, "INSERT INTO %s", bus_buf_cstr(&x->target));
	if (gw_pgsql_take(p, "(")) {
		bus_buf_putc(out, '(');
		do {
			size_t was = p->at;

			if (x->n_columns == 2000)
				gw_pgsql_fail(p, "too many columns");
			else
				x->column[x->n_columns++] = gw_pgsql_take_name(p);
			p->at = was;
			gw_pgsql_put_name(p, out);
		} while (gw_pgsql_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
		gw_pgsql_want(p, ")");
		bus_buf_putc(out, ')');
	}
	if (gw_pgsql_is(p, 0, "VALUES")) {
		read_values(p, x, out);
	} else {
		bus_buf_putc(out, ' ');
		gw_pgsql_select(p, out, NULL);
	}
	if (replace)
		put_replace(&x->table, out);
	else if (ignore)
		bus_buf_puts(out, " ON CONFLICT DO NOTHING");
	else if (gw_pgsql_take(p, "ON")) {
		gw_pgsql_want(p, "CONFLICT");
		put_conflict(p, x, out);
	}
	put_returning(p);
	if (p->rc == BUS_OK && !p->out->rows && x->n_values > 0)
		follow_insert(p->out, x);
	for (size_t i = 0; i < x->n_values; i++)
		bus_buf_release(&x->value[i]);
	free(x->value);
	for (size_t i = 0; i < x->n_columns; i++)
		free(x->column[i]);
	gw_pg_table_release(&x->table);
	bus_buf_release(&x->target);
	bus_buf_release(&x->names);
	free(x);
}

static void put_target(struct pg_parse *p, struct bus_buf *out)
{
	size_t at = p->at;

	if (!gw_pgsql_is(p, 1, "."))
		p->out->table = gw_pgsql_take_name(p);
	p->at = at;
	gw_pgsql_put_table(p, out);
}

void gw_pgsql_delete(struct pg_parse *p)
{
	struct bus_buf *out = &p->out->sql;

	p->at++;
	gw_pgsql_want(p, "FROM");
	bus_buf_puts(out, "DELETE FROM ");
	put_target(p, out);
	put_where(p, out);
	put_returning(p);
	if (!p->out->rows)
		bus_buf_printf(&p->out->followed, "%s RETURNING *", bus_buf_cstr(out));
}

void gw_pgsql_update(struct pg_parse *p)
{
	struct bus_buf *out = &p->out->sql;

	p->at++;
	bus_buf_puts(out, "UPDATE ");
	put_target(p, out);
	gw_pgsql_want(p, "SET");
	bus_buf_puts(out, " SET ");
	put_sets(p, out);
	put_where(p, out);
	put_returning(p);
}
