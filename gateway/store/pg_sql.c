/* Statements: what writes, what defines, what begins and ends. */
#include "gateway/store/pg_sql.h"

#include <stdio.h>
#include <strings.h>

#include "gateway/store/pg_parse.h"

void gw_pg_table_release(struct gw_pg_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->column[i]);
	t->n = 0;
}

void gw_pg_text_release(struct gw_pg_text *t)
{
	bus_buf_release(&t->sql);
	bus_buf_release(&t->followed);
	for (int i = 0; i < t->n_params; i++)
		free(t->param[i]);
	free(t->table);
	memset(t, 0, sizeof(*t));
}

/* --- writing ------------------------------------------------------------------------------------------ */

static void put_returning(struct pg_parse *p)
{
	if (!pg_take(p, "RETURNING"))
		return;
	bus_buf_puts(&p->out->sql, " RETURNING ");
	p->out->rows = true;
	if (pg_take(p, "*"))
		bus_buf_putc(&p->out->sql, '*');
	else
		pg_values(p, &p->out->sql);
}

static void put_sets(struct pg_parse *p, struct bus_buf *out)
{
	do {
		pg_put_name(p, out);
		pg_want(p, "=");
		bus_buf_puts(out, " = ");
		pg_value(p, out);
	} while (pg_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
}

static void put_where(struct pg_parse *p, struct bus_buf *out)
{
	if (!pg_take(p, "WHERE"))
		return;
	bus_buf_puts(out, " WHERE ");
	pg_truth(p, out);
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
		pg_want(p, "(");
		bus_buf_putc(out, '(');
		for (size_t i = 0; p->rc == BUS_OK; i++) {
			struct bus_buf v = { 0 };

			pg_value(p, &v);
			bus_buf_printf(out, "%s%s", i ? "," : "", bus_buf_cstr(&v));
			if (single && i < 2000) {
				x->value[i] = v;
				x->n_values = i + 1;
			} else {
				bus_buf_release(&v);
			}
			if (!pg_take(p, ","))
				break;
		}
		pg_want(p, ")");
		bus_buf_putc(out, ')');
		single = false;
	} while (pg_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
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
	if (pg_take(p, "(")) {
		bus_buf_putc(out, '(');
		do {
			pg_put_name(p, out);
		} while (pg_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
		pg_want(p, ")");
		bus_buf_putc(out, ')');
	} else if (!pg_is(p, 1, "NOTHING")) {
		put_keys(&x->table, out);
	}
	pg_want(p, "DO");
	if (pg_take(p, "NOTHING")) {
		bus_buf_puts(out, " DO NOTHING");
		return;
	}
	pg_want(p, "UPDATE");
	pg_want(p, "SET");
	bus_buf_puts(out, " DO UPDATE SET ");
	p->target = p->out->table;
	put_sets(p, out);
	put_where(p, out);
	p->target = NULL;
}

static void put_insert(struct pg_parse *p)
{
	struct insert *x = bus_xcalloc(1, sizeof(*x));
	struct bus_buf *out = &p->out->sql;
	bool replace = pg_take(p, "REPLACE"), ignore = false;
	size_t at;

	if (!replace)
		pg_want(p, "INSERT");
	if (pg_take(p, "OR")) {
		replace = pg_take(p, "REPLACE");
		ignore = !replace && pg_take(p, "IGNORE");
		if (!replace && !ignore)
			pg_fail(p, "INSERT OR %.*s", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
	}
	pg_want(p, "INTO");
	at = p->at + (pg_is(p, 1, ".") ? 2 : 0);
	pg_put_table(p, &x->target);
	{
		size_t behind = p->at;

		p->at = at;
		p->out->table = pg_take_name(p);
		p->at = behind;
	}
	if (p->rc == BUS_OK && !p->out->temp && !p->world->table(p->world->ctx, p->out->table, &x->table))
		pg_fail(p, "there is no table '%s'", p->out->table);
	bus_buf_printf(out, "INSERT INTO %s", bus_buf_cstr(&x->target));
	if (pg_take(p, "(")) {
		bus_buf_putc(out, '(');
		do {
			size_t was = p->at;

			if (x->n_columns == 2000)
				pg_fail(p, "too many columns");
			else
				x->column[x->n_columns++] = pg_take_name(p);
			p->at = was;
			pg_put_name(p, out);
		} while (pg_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
		pg_want(p, ")");
		bus_buf_putc(out, ')');
	}
	if (pg_is(p, 0, "VALUES")) {
		read_values(p, x, out);
	} else {
		bus_buf_putc(out, ' ');
		pg_select(p, out, NULL);
	}
	if (replace)
		put_replace(&x->table, out);
	else if (ignore)
		bus_buf_puts(out, " ON CONFLICT DO NOTHING");
	else if (pg_take(p, "ON")) {
		pg_want(p, "CONFLICT");
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

	if (!pg_is(p, 1, "."))
		p->out->table = pg_take_name(p);
	p->at = at;
	pg_put_table(p, out);
}

static void put_delete(struct pg_parse *p)
{
	struct bus_buf *out = &p->out->sql;

	p->at++;
	pg_want(p, "FROM");
	bus_buf_puts(out, "DELETE FROM ");
	put_target(p, out);
	put_where(p, out);
	put_returning(p);
	if (!p->out->rows)
		bus_buf_printf(&p->out->followed, "%s RETURNING *", bus_buf_cstr(out));
}

static void put_update(struct pg_parse *p)
{
	struct bus_buf *out = &p->out->sql;

	p->at++;
	bus_buf_puts(out, "UPDATE ");
	put_target(p, out);
	pg_want(p, "SET");
	bus_buf_puts(out, " SET ");
	put_sets(p, out);
	put_where(p, out);
	put_returning(p);
}

/* --- defining ----------------------------------------------------------------------------------------- */

struct made { /* a table that is being written down */
	struct bus_buf columns, keys;
};

static void put_key(struct made *m, const char *p, size_t n)
{
	bus_buf_puts(&m->keys, m->keys.n ? ", " : "");
	gw_pg_name(&m->keys, p, n);
	bus_buf_puts(&m->keys, " NULLS FIRST");
}

static const char *type_of(struct pg_parse *p)
{
	static const char *const type[][2] = { { "INTEGER", "bigint" },
					       { "TEXT", "text" },
					       { "REAL", "double precision" },
					       { "BLOB", "bytea" } };

	for (size_t i = 0; i < BUS_LEN(type); i++) {
		if (pg_take(p, type[i][0]))
			return type[i][1];
	}
	return "text";
}

static void put_column(struct pg_parse *p, struct made *m)
{
	struct bus_buf *out = &m->columns;
	char *name = pg_take_name(p);

	gw_pg_name(out, name, strlen(name));
	bus_buf_printf(out, " %s", type_of(p));
	while (p->rc == BUS_OK && !pg_is(p, 0, ",") && !pg_is(p, 0, ")") && pg_peek(p, 0)->type != PG_END) {
		if (pg_take(p, "PRIMARY")) {
			pg_want(p, "KEY");
			put_key(m, name, strlen(name));
			bus_buf_puts(out,
				     pg_take(p, "AUTOINCREMENT") ? " GENERATED BY DEFAULT AS IDENTITY" : "");
		} else if (pg_take(p, "NOT")) {
			pg_want(p, "NULL");
			bus_buf_puts(out, " NOT NULL");
		} else if (pg_take(p, "UNIQUE")) {
			bus_buf_puts(out, " UNIQUE");
		} else if (pg_take(p, "DEFAULT")) {
			bus_buf_puts(out, " DEFAULT ");
			pg_value(p, out);
		} else {
			pg_fail(p, "'%.*s' of a column", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
		}
	}
	free(name);
}

static void put_body(struct pg_parse *p, struct made *m)
{
	do {
		if (pg_is(p, 0, "PRIMARY")) {
			p->at++;
			pg_want(p, "KEY");
			pg_want(p, "(");
			do {
				char *key = pg_take_name(p);

				put_key(m, key, strlen(key));
				free(key);
			} while (pg_take(p, ",") && p->rc == BUS_OK);
			pg_want(p, ")");
			continue;
		}
		if (m->columns.n)
			bus_buf_puts(&m->columns, ", ");
		put_column(p, m);
	} while (pg_take(p, ",") && p->rc == BUS_OK);
	pg_want(p, ")");
	if (pg_take(p, "WITHOUT"))
		p->at++;
}

/* A key is an index that keeps NULLs where SQLite has them, so that it serves ORDER BY. */
static void put_create_table(struct pg_parse *p, bool temp, bool soft)
{
	struct bus_buf *out = &p->out->sql;
	struct made m = { 0 };
	struct bus_buf name = { 0 };
	char *plain;
	size_t at = p->at;

	plain = pg_take_name(p);
	p->at = at;
	pg_put_table(p, &name);
	if (temp)
		p->out->temp = true;
	bus_buf_printf(out, "CREATE %sTABLE %s%s", temp ? "TEMP " : "", soft ? "IF NOT EXISTS " : "",
		       bus_buf_cstr(&name));
	if (pg_take(p, "AS")) {
		bus_buf_puts(out, " AS ");
		pg_select(p, out, NULL);
	} else {
		pg_want(p, "(");
		put_body(p, &m);
		bus_buf_printf(out, "(%s)", bus_buf_cstr(&m.columns));
		if (m.keys.n && !temp) {
			char key[600];

			snprintf(key, sizeof(key), "_pk_%s", plain);
			bus_buf_puts(out, "; CREATE UNIQUE INDEX IF NOT EXISTS ");
			gw_pg_name(out, key, strlen(key));
			bus_buf_printf(out, " ON %s(%s)", bus_buf_cstr(&name), bus_buf_cstr(&m.keys));
		}
	}
	free(plain);
	bus_buf_release(&name);
	bus_buf_release(&m.columns);
	bus_buf_release(&m.keys);
}

static void put_create_index(struct pg_parse *p, bool soft)
{
	struct bus_buf *out = &p->out->sql;

	bus_buf_printf(out, "CREATE INDEX %s", soft ? "IF NOT EXISTS " : "");
	if (pg_is(p, 0, "temp") && pg_is(p, 1, ".")) { /* it goes where its table is */
		p->out->temp = true;
		p->at += 2;
	}
	pg_put_name(p, out);
	pg_want(p, "ON");
	bus_buf_puts(out, p->out->temp ? " ON pg_temp." : " ON ");
	pg_put_table(p, out);
	pg_want(p, "(");
	bus_buf_putc(out, '(');
	do {
		pg_put_name(p, out);
		bus_buf_puts(out, " NULLS FIRST");
	} while (pg_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
	pg_want(p, ")");
	bus_buf_putc(out, ')');
}

static bool take_soft(struct pg_parse *p, bool is)
{
	if (!pg_take(p, "IF"))
		return false;
	if (!is)
		pg_want(p, "NOT");
	pg_want(p, "EXISTS");
	return true;
}

static void put_create(struct pg_parse *p)
{
	bool temp;

	p->at++;
	temp = pg_take(p, "TEMP");
	if (pg_take(p, "TABLE")) {
		bool soft = take_soft(p, false);

		put_create_table(p, temp, soft);
	} else if (temp && pg_take(p, "VIEW")) {
		p->out->temp = true;
		bus_buf_puts(&p->out->sql, "CREATE TEMP VIEW ");
		pg_put_table(p, &p->out->sql);
		pg_want(p, "AS");
		bus_buf_puts(&p->out->sql, " AS ");
		pg_select(p, &p->out->sql, NULL);
	} else if (pg_take(p, "INDEX")) {
		bool soft = take_soft(p, false);

		put_create_index(p, soft);
	} else {
		pg_fail(p, "CREATE %.*s", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
	}
}

static void put_drop(struct pg_parse *p)
{
	static const char *const kind[] = { "TABLE", "VIEW", "INDEX" };
	bool soft;

	p->at++;
	for (size_t i = 0; i < BUS_LEN(kind); i++) {
		if (!pg_take(p, kind[i]))
			continue;
		soft = take_soft(p, true);
		bus_buf_printf(&p->out->sql, "DROP %s %s", kind[i], soft ? "IF EXISTS " : "");
		pg_put_table(p, &p->out->sql);
		return;
	}
	pg_fail(p, "DROP %.*s", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
}

/* Statements that follow know a table by its name, its key's index among them. */
static void put_rename(struct pg_parse *p, const char *from, struct bus_buf *table)
{
	char key[600], name[600];
	char *to = pg_take_name(p);

	bus_buf_printf(&p->out->sql, "ALTER TABLE %s RENAME TO ", bus_buf_cstr(table));
	gw_pg_name(&p->out->sql, to, strlen(to));
	snprintf(key, sizeof(key), "_pk_%s", from);
	snprintf(name, sizeof(name), "_pk_%s", to);
	bus_buf_puts(&p->out->sql, "; ALTER INDEX IF EXISTS ");
	gw_pg_name(&p->out->sql, key, strlen(key));
	bus_buf_puts(&p->out->sql, " RENAME TO ");
	gw_pg_name(&p->out->sql, name, strlen(name));
	free(to);
}

static void put_alter(struct pg_parse *p)
{
	struct bus_buf table = { 0 };
	struct made m = { 0 };
	char *from;
	size_t at;

	p->at++;
	pg_want(p, "TABLE");
	at = p->at;
	from = pg_take_name(p);
	p->at = at;
	pg_put_table(p, &table);
	if (pg_take(p, "RENAME")) {
		pg_want(p, "TO");
		put_rename(p, from, &table);
	} else if (pg_take(p, "ADD")) {
		pg_take(p, "COLUMN");
		put_column(p, &m);
		bus_buf_printf(&p->out->sql, "ALTER TABLE %s ADD COLUMN %s", bus_buf_cstr(&table),
			       bus_buf_cstr(&m.columns));
	} else {
		pg_fail(p, "ALTER TABLE %.*s", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
	}
	free(from);
	bus_buf_release(&table);
	bus_buf_release(&m.columns);
	bus_buf_release(&m.keys);
}

/* --- the rest ----------------------------------------------------------------------------------------- */

static void put_transaction(struct pg_parse *p)
{
	struct bus_buf *out = &p->out->sql;

	if (pg_take(p, "BEGIN")) {
		if (!pg_take(p, "IMMEDIATE"))
			pg_take(p, "DEFERRED");
		bus_buf_puts(out, "BEGIN");
	} else if (pg_take(p, "COMMIT") || pg_take(p, "END")) {
		bus_buf_puts(out, "COMMIT");
	} else if (pg_take(p, "ROLLBACK")) {
		bus_buf_puts(out, "ROLLBACK");
		if (pg_take(p, "TO")) {
			bus_buf_puts(out, " TO ");
			pg_put_name(p, out);
		}
	} else {
		bus_buf_puts(out, pg_is(p, 0, "SAVEPOINT") ? "SAVEPOINT " : "RELEASE ");
		p->at++;
		pg_put_name(p, out);
	}
}

static void put_pragma(struct pg_parse *p)
{
	p->out->kind = GW_PG_OTHER;
	if (pg_is(p, 1, "query_only")) {
		p->out->kind = GW_PG_READ_ONLY;
		bus_buf_printf(&p->out->sql, "SET default_transaction_read_only = %s",
			       pg_is(p, 3, "OFF") ? "off" : "on");
	}
	p->at = p->n;
}

static const struct {
	const char *word;
	enum gw_pg_kind kind;
	void (*put)(struct pg_parse *p);
} statement[] = {
	{ "INSERT", GW_PG_WRITE, put_insert },
	{ "REPLACE", GW_PG_WRITE, put_insert },
	{ "DELETE", GW_PG_WRITE, put_delete },
	{ "UPDATE", GW_PG_WRITE, put_update },
	{ "CREATE", GW_PG_DEFINE, put_create },
	{ "DROP", GW_PG_DEFINE, put_drop },
	{ "ALTER", GW_PG_DEFINE, put_alter },
	{ "BEGIN", GW_PG_TRANSACT, put_transaction },
	{ "COMMIT", GW_PG_TRANSACT, put_transaction },
	{ "END", GW_PG_TRANSACT, put_transaction },
	{ "ROLLBACK", GW_PG_TRANSACT, put_transaction },
	{ "SAVEPOINT", GW_PG_TRANSACT, put_transaction },
	{ "RELEASE", GW_PG_TRANSACT, put_transaction },
	{ "PRAGMA", GW_PG_OTHER, put_pragma },
};

enum bus_err gw_pg_translate(const char *sql, const struct gw_pg_world *world, struct gw_pg_text *out,
			     const char **rest, struct bus_error *err)
{
	struct pg_parse p = { .world = world, .out = out, .err = err };
	bool ordered = false;
	size_t i;

	memset(out, 0, sizeof(*out));
	pg_lex(sql, &p, rest);
	for (i = 0; i < BUS_LEN(statement) && !pg_is(&p, 0, statement[i].word); i++)
		;
	if (p.rc != BUS_OK) {
	} else if (i < BUS_LEN(statement)) {
		out->kind = statement[i].kind;
		statement[i].put(&p);
	} else if (pg_starts_select(&p, 0)) {
		out->kind = GW_PG_SELECT;
		out->rows = out->many = true;
		pg_select(&p, &out->sql, &ordered);
		out->many = out->many && (ordered || out->n_params == 0);
	} else {
		pg_fail(&p, "'%.*s'", (int)pg_peek(&p, 0)->n, pg_peek(&p, 0)->p);
	}
	if (p.rc == BUS_OK && p.at < p.n)
		pg_fail(&p, "'%.*s' where the statement should end", (int)pg_peek(&p, 0)->n,
			pg_peek(&p, 0)->p);
	for (i = 0; i < p.n_sums; i++)
		free(p.sum[i].text);
	free(p.t);
	if (p.rc != BUS_OK)
		gw_pg_text_release(out);
	return p.rc;
}
