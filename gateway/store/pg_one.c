/* What stands alone: numbers, texts, names, parameters, brackets, CASE, CAST, EXISTS. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/pg_parse.h"

static void operand_value(struct pg_parse *p, struct bus_buf *out)
{
	struct bus_buf b = { 0 };

	gw_pgsql_as_value(&b, gw_pgsql_operand(p, &b), out);
	bus_buf_release(&b);
}

static void put_int(const struct pg_token *t, struct bus_buf *out)
{
	/* More than a bigint takes is a real number, as in SQLite. */
	bool real = t->n > 19 || (t->n == 19 && strncmp(t->p, "9223372036854775807", 19) > 0);

	bus_buf_printf(out, "%.*s::%s", (int)t->n, t->p, real ? "double precision" : "bigint");
}

static void put_param(struct pg_parse *p, struct bus_buf *out)
{
	const struct pg_token *t = gw_pgsql_peek(p, 0);
	int i = 0;

	p->at++;
	if (t->p[0] == '?' && t->n > 1) {
		i = atoi(t->p + 1);
	} else if (t->p[0] != '?') {
		for (i = p->out->n_params; i > 0; i--) {
			const char *name = p->out->param[i - 1];

			if (name && strlen(name) == t->n && strncmp(name, t->p, t->n) == 0)
				break;
		}
	}
	if (i == 0)
		i = p->out->n_params + 1;
	if (i < 1 || i > GW_PG_PARAMS_MAX) {
		gw_pgsql_fail(p, "more than %d parameters", GW_PG_PARAMS_MAX);
		return;
	}
	if (i > p->out->n_params) {
		p->out->n_params = i;
		if (t->p[0] != '?')
			p->out->param[i - 1] = bus_xstrndup(t->p, t->n);
	}
	/* A day stands where nothing else tells its type. */
	bus_buf_printf(out, "$%d%s", i, t->n == 12 && strncmp(t->p, ":per_tanggal", 12) == 0 ? "::text" : "");
}

static enum gw_pgsql_is put_case(struct pg_parse *p, struct bus_buf *out)
{
	bool base = !gw_pgsql_is(p, 0, "WHEN");

	bus_buf_puts(out, "CASE ");
	if (base)
		gw_pgsql_value(p, out);
	while (gw_pgsql_take(p, "WHEN") && p->rc == BUS_OK) {
		bus_buf_puts(out, " WHEN ");
		(base ? gw_pgsql_value : gw_pgsql_truth)(p, out);
		gw_pgsql_want(p, "THEN");
		bus_buf_puts(out, " THEN ");
		gw_pgsql_value(p, out);
	}
	if (gw_pgsql_take(p, "ELSE")) {
		bus_buf_puts(out, " ELSE ");
		gw_pgsql_value(p, out);
	}
	gw_pgsql_want(p, "END");
	bus_buf_puts(out, " END");
	return PG_VALUE;
}

static enum gw_pgsql_is put_cast(struct pg_parse *p, struct bus_buf *out)
{
	static const struct {
		const char *type, *function;
	} known[] = { { "INTEGER", "_int" },
		      { "INT", "_int" },
		      { "BIGINT", "_int" },
		      { "REAL", "_float" },
		      { "TEXT", "_text" } };
	struct bus_buf b = { 0 };
	size_t i;

	gw_pgsql_want(p, "(");
	gw_pgsql_value(p, &b);
	gw_pgsql_want(p, "AS");
	for (i = 0; i < BUS_LEN(known) && !gw_pgsql_is(p, 0, known[i].type); i++)
		;
	if (i == BUS_LEN(known))
		gw_pgsql_fail(p, "CAST to %.*s: INTEGER, REAL or TEXT", (int)gw_pgsql_peek(p, 0)->n,
			      gw_pgsql_peek(p, 0)->p);
	else
		bus_buf_printf(out, GW_PG_SCHEMA ".%s(%s)", known[i].function, bus_buf_cstr(&b));
	p->at++;
	gw_pgsql_want(p, ")");
	bus_buf_release(&b);
	return PG_VALUE;
}

static enum gw_pgsql_is put_bracket(struct pg_parse *p, struct bus_buf *out)
{
	enum gw_pgsql_is is;

	if (gw_pgsql_starts_select(p, 0)) {
		bus_buf_putc(out, '(');
		gw_pgsql_select(p, out, NULL);
		is = PG_VALUE;
	} else {
		bus_buf_putc(out, '(');
		struct bus_buf b = { 0 };

		is = gw_pgsql_expr(p, &b);
		if (gw_pgsql_is(p, 0, ",")) { /* a row of values */
			gw_pgsql_as_value(&b, is, out);
			is = PG_VALUE;
			while (gw_pgsql_take(p, ",") && p->rc == BUS_OK) {
				bus_buf_puts(out, ", ");
				gw_pgsql_value(p, out);
			}
		} else {
			bus_buf_put(out, b.p, b.n);
		}
		bus_buf_release(&b);
	}
	gw_pgsql_want(p, ")");
	bus_buf_putc(out, ')');
	return is;
}

static enum gw_pgsql_is put_exists(struct pg_parse *p, struct bus_buf *out)
{
	gw_pgsql_want(p, "(");
	bus_buf_puts(out, "EXISTS (");
	gw_pgsql_select(p, out, NULL);
	gw_pgsql_want(p, ")");
	bus_buf_putc(out, ')');
	return PG_TRUTH;
}

static enum gw_pgsql_is put_named(struct pg_parse *p, struct bus_buf *out)
{
	if (gw_pgsql_is(p, 1, "(") && gw_pgsql_peek(p, 0)->type == PG_WORD) {
		char *name = gw_pgsql_take_name(p);
		enum gw_pgsql_is is;

		p->at++;
		is = gw_pgsql_call(p, name, out);
		free(name);
		return is;
	}
	if (!gw_pgsql_is(p, 1, ".")) {
		const struct pg_token *t = gw_pgsql_peek(p, 0);

		for (size_t i = 0; i < p->n_sums && p->having; i++) {
			if (p->sum[i].name->n != t->n || strncmp(p->sum[i].name->p, t->p, t->n) != 0)
				continue;
			bus_buf_puts(out, p->sum[i].text);
			p->at++;
			return PG_VALUE;
		}
		if (p->target) {
			gw_pg_name(out, p->target, strlen(p->target));
			bus_buf_putc(out, '.');
		}
		gw_pgsql_put_name(p, out);
	} else if (gw_pgsql_is(p, 3, ".")) {
		gw_pgsql_fail(p, "a column with its database");
	} else {
		gw_pgsql_put_name(p, out);
		p->at++;
		bus_buf_putc(out, '.');
		gw_pgsql_put_name(p, out);
	}
	return PG_VALUE;
}

enum gw_pgsql_is gw_pgsql_one(struct pg_parse *p, struct bus_buf *out)
{
	const struct pg_token *t = gw_pgsql_peek(p, 0);

	if (gw_pgsql_take(p, "-")) {
		bus_buf_puts(out, "(- ");
		operand_value(p, out);
		bus_buf_putc(out, ')');
		return PG_VALUE;
	}
	if (gw_pgsql_take(p, "+")) /* which only says that no index should lead */
		return gw_pgsql_operand(p, out);
	if (gw_pgsql_take(p, "~")) {
		bus_buf_puts(out, "(~ ");
		operand_value(p, out);
		bus_buf_putc(out, ')');
		return PG_VALUE;
	}
	if (gw_pgsql_take(p, "("))
		return put_bracket(p, out);
	switch (t->type) {
	case PG_INT:
		put_int(t, out);
		p->at++;
		return PG_VALUE;
	case PG_REAL:
		bus_buf_printf(out, "%.*s::double precision", (int)t->n, t->p);
		p->at++;
		return PG_VALUE;
	case PG_STRING:
		bus_buf_put(out, t->p, t->n);
		p->at++;
		return PG_VALUE;
	case PG_PARAM:
		put_param(p, out);
		return PG_VALUE;
	default:
		break;
	}
	if (gw_pgsql_take(p, "NULL")) {
		bus_buf_puts(out, "NULL");
		return PG_VALUE;
	}
	if ((gw_pgsql_is(p, 0, "TRUE") || gw_pgsql_is(p, 0, "FALSE")) && !gw_pgsql_is(p, 1, ".")) {
		bus_buf_puts(out, gw_pgsql_is(p, 0, "TRUE") ? "true" : "false");
		p->at++;
		return PG_TRUTH;
	}
	if (gw_pgsql_take(p, "CASE"))
		return put_case(p, out);
	if (gw_pgsql_take(p, "EXISTS"))
		return put_exists(p, out);
	if (gw_pgsql_is(p, 0, "CAST") && gw_pgsql_is(p, 1, "(")) {
		p->at++;
		return put_cast(p, out);
	}
	if (gw_pgsql_is_name(p, 0) || (t->type == PG_WORD && gw_pgsql_is(p, 1, "(")))
		return put_named(p, out);
	gw_pgsql_fail(p, "'%.*s' where a value should stand", (int)(t->n > 40 ? 40 : t->n), t->p);
	p->at++;
	return PG_VALUE;
}
