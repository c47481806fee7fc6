/* Statements, by their first word. */
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

static void put_transaction(struct pg_parse *p)
{
	struct bus_buf *out = &p->out->sql;

	if (gw_pgsql_take(p, "BEGIN")) {
		if (!gw_pgsql_take(p, "IMMEDIATE"))
			gw_pgsql_take(p, "DEFERRED");
		bus_buf_puts(out, "BEGIN");
	} else if (gw_pgsql_take(p, "COMMIT") || gw_pgsql_take(p, "END")) {
		bus_buf_puts(out, "COMMIT");
	} else if (gw_pgsql_take(p, "ROLLBACK")) {
		bus_buf_puts(out, "ROLLBACK");
		if (gw_pgsql_take(p, "TO")) {
			bus_buf_puts(out, " TO ");
			gw_pgsql_put_name(p, out);
		}
	} else {
		bus_buf_puts(out, gw_pgsql_is(p, 0, "SAVEPOINT") ? "SAVEPOINT " : "RELEASE ");
		p->at++;
		gw_pgsql_put_name(p, out);
	}
}

static void put_pragma(struct pg_parse *p)
{
	p->out->kind = GW_PG_OTHER;
	if (gw_pgsql_is(p, 1, "query_only")) {
		p->out->kind = GW_PG_READ_ONLY;
		bus_buf_printf(&p->out->sql, "SET default_transaction_read_only = %s",
			       gw_pgsql_is(p, 3, "OFF") ? "off" : "on");
	}
	p->at = p->n;
}

static const struct {
	const char *word;
	enum gw_pg_kind kind;
	void (*put)(struct pg_parse *p);
} statement[] = {
	{ "INSERT", GW_PG_WRITE, gw_pgsql_insert },	 { "REPLACE", GW_PG_WRITE, gw_pgsql_insert },
	{ "DELETE", GW_PG_WRITE, gw_pgsql_delete },	 { "UPDATE", GW_PG_WRITE, gw_pgsql_update },
	{ "CREATE", GW_PG_DEFINE, gw_pgsql_create },	 { "DROP", GW_PG_DEFINE, gw_pgsql_drop },
	{ "ALTER", GW_PG_DEFINE, gw_pgsql_alter },	 { "BEGIN", GW_PG_TRANSACT, put_transaction },
	{ "COMMIT", GW_PG_TRANSACT, put_transaction },	 { "END", GW_PG_TRANSACT, put_transaction },
	{ "ROLLBACK", GW_PG_TRANSACT, put_transaction }, { "SAVEPOINT", GW_PG_TRANSACT, put_transaction },
	{ "RELEASE", GW_PG_TRANSACT, put_transaction },	 { "PRAGMA", GW_PG_OTHER, put_pragma },
};

enum bus_err gw_pg_translate(const char *sql, const struct gw_pg_world *world, struct gw_pg_text *out,
			     const char **rest, struct bus_error *err)
{
	struct pg_parse p = { .world = world, .out = out, .err = err };
	bool ordered = false;
	size_t i;

	memset(out, 0, sizeof(*out));
	gw_pgsql_lex(sql, &p, rest);
	for (i = 0; i < BUS_LEN(statement) && !gw_pgsql_is(&p, 0, statement[i].word); i++)
		;
	if (p.rc != BUS_OK) {
	} else if (i < BUS_LEN(statement)) {
		out->kind = statement[i].kind;
		statement[i].put(&p);
	} else if (gw_pgsql_starts_select(&p, 0)) {
		out->kind = GW_PG_SELECT;
		out->rows = out->many = true;
		gw_pgsql_select(&p, &out->sql, &ordered);
		out->many = out->many && (ordered || out->n_params == 0);
	} else {
		gw_pgsql_fail(&p, "'%.*s'", (int)gw_pgsql_peek(&p, 0)->n, gw_pgsql_peek(&p, 0)->p);
	}
	if (p.rc == BUS_OK && p.at < p.n)
		gw_pgsql_fail(&p, "'%.*s' where the statement should end", (int)gw_pgsql_peek(&p, 0)->n,
			      gw_pgsql_peek(&p, 0)->p);
	for (i = 0; i < p.n_sums; i++)
		free(p.sum[i].text);
	free(p.t);
	if (p.rc != BUS_OK)
		gw_pg_text_release(out);
	return p.rc;
}
