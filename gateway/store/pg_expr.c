/* Expressions. Whatever has two operands is put into brackets: what binds stronger was settled here, by SQLite's rules. */
#include <stdio.h>
#include <strings.h>

#include "gateway/store/pg_parse.h"

enum level { OR, AND, NOT, EQUAL, ORDER, BITS, PLUS, TIMES, JOINED, ONE };

static enum pg_is binary(struct pg_parse *p, enum level level, struct bus_buf *out);

static void as_value(struct bus_buf *b, enum pg_is is, struct bus_buf *out)
{
	if (is == PG_TRUTH)
		bus_buf_printf(out, "(%s)::integer::bigint", bus_buf_cstr(b));
	else
		bus_buf_put(out, b->p, b->n);
}

static void value_at(struct pg_parse *p, enum level level, struct bus_buf *out)
{
	struct bus_buf b = { 0 };

	as_value(&b, binary(p, level, &b), out);
	bus_buf_release(&b);
}

static void truth_at(struct pg_parse *p, enum level level, struct bus_buf *out)
{
	struct bus_buf b = { 0 };

	if (binary(p, level, &b) == PG_TRUTH)
		bus_buf_put(out, b.p, b.n);
	else
		bus_buf_printf(out, "(%s <> 0)", bus_buf_cstr(&b));
	bus_buf_release(&b);
}

void pg_value(struct pg_parse *p, struct bus_buf *out)
{
	value_at(p, OR, out);
}

void pg_truth(struct pg_parse *p, struct bus_buf *out)
{
	truth_at(p, OR, out);
}

enum pg_is pg_expr(struct pg_parse *p, struct bus_buf *out)
{
	return binary(p, OR, out);
}

void pg_values(struct pg_parse *p, struct bus_buf *out)
{
	do {
		pg_value(p, out);
	} while (pg_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
}

/* --- one operand -------------------------------------------------------------------------------------- */

static void put_int(const struct pg_token *t, struct bus_buf *out)
{
	/* More than a bigint takes is a real number, as in SQLite. */
	bool real = t->n > 19 || (t->n == 19 && strncmp(t->p, "9223372036854775807", 19) > 0);

	bus_buf_printf(out, "%.*s::%s", (int)t->n, t->p, real ? "double precision" : "bigint");
}

static void put_param(struct pg_parse *p, struct bus_buf *out)
{
	const struct pg_token *t = pg_peek(p, 0);
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
		pg_fail(p, "more than %d parameters", GW_PG_PARAMS_MAX);
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

static enum pg_is put_case(struct pg_parse *p, struct bus_buf *out)
{
	bool base = !pg_is(p, 0, "WHEN");

	bus_buf_puts(out, "CASE ");
	if (base)
		pg_value(p, out);
	while (pg_take(p, "WHEN") && p->rc == BUS_OK) {
		bus_buf_puts(out, " WHEN ");
		(base ? pg_value : pg_truth)(p, out);
		pg_want(p, "THEN");
		bus_buf_puts(out, " THEN ");
		pg_value(p, out);
	}
	if (pg_take(p, "ELSE")) {
		bus_buf_puts(out, " ELSE ");
		pg_value(p, out);
	}
	pg_want(p, "END");
	bus_buf_puts(out, " END");
	return PG_VALUE;
}

static enum pg_is put_cast(struct pg_parse *p, struct bus_buf *out)
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

	pg_want(p, "(");
	pg_value(p, &b);
	pg_want(p, "AS");
	for (i = 0; i < BUS_LEN(known) && !pg_is(p, 0, known[i].type); i++)
		;
	if (i == BUS_LEN(known))
		pg_fail(p, "CAST to %.*s: INTEGER, REAL or TEXT", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
	else
		bus_buf_printf(out, GW_PG_SCHEMA ".%s(%s)", known[i].function, bus_buf_cstr(&b));
	p->at++;
	pg_want(p, ")");
	bus_buf_release(&b);
	return PG_VALUE;
}

static enum pg_is put_bracket(struct pg_parse *p, struct bus_buf *out)
{
	enum pg_is is;

	if (pg_starts_select(p, 0)) {
		bus_buf_putc(out, '(');
		pg_select(p, out, NULL);
		is = PG_VALUE;
	} else {
		bus_buf_putc(out, '(');
		struct bus_buf b = { 0 };

		is = pg_expr(p, &b);
		if (pg_is(p, 0, ",")) { /* a row of values */
			as_value(&b, is, out);
			is = PG_VALUE;
			while (pg_take(p, ",") && p->rc == BUS_OK) {
				bus_buf_puts(out, ", ");
				pg_value(p, out);
			}
		} else {
			bus_buf_put(out, b.p, b.n);
		}
		bus_buf_release(&b);
	}
	pg_want(p, ")");
	bus_buf_putc(out, ')');
	return is;
}

static enum pg_is put_exists(struct pg_parse *p, struct bus_buf *out)
{
	pg_want(p, "(");
	bus_buf_puts(out, "EXISTS (");
	pg_select(p, out, NULL);
	pg_want(p, ")");
	bus_buf_putc(out, ')');
	return PG_TRUTH;
}

static enum pg_is put_named(struct pg_parse *p, struct bus_buf *out)
{
	if (pg_is(p, 1, "(") && pg_peek(p, 0)->type == PG_WORD) {
		char *name = pg_take_name(p);
		enum pg_is is;

		p->at++;
		is = pg_call(p, name, out);
		free(name);
		return is;
	}
	if (!pg_is(p, 1, ".")) {
		const struct pg_token *t = pg_peek(p, 0);

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
		pg_put_name(p, out);
	} else if (pg_is(p, 3, ".")) {
		pg_fail(p, "a column with its database");
	} else {
		pg_put_name(p, out);
		p->at++;
		bus_buf_putc(out, '.');
		pg_put_name(p, out);
	}
	return PG_VALUE;
}

static enum pg_is one(struct pg_parse *p, struct bus_buf *out)
{
	const struct pg_token *t = pg_peek(p, 0);

	if (pg_take(p, "-")) {
		bus_buf_puts(out, "(- ");
		value_at(p, ONE, out);
		bus_buf_putc(out, ')');
		return PG_VALUE;
	}
	if (pg_take(p, "+")) /* which only says that no index should lead */
		return binary(p, ONE, out);
	if (pg_take(p, "~")) {
		bus_buf_puts(out, "(~ ");
		value_at(p, ONE, out);
		bus_buf_putc(out, ')');
		return PG_VALUE;
	}
	if (pg_take(p, "("))
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
	if (pg_take(p, "NULL")) {
		bus_buf_puts(out, "NULL");
		return PG_VALUE;
	}
	if ((pg_is(p, 0, "TRUE") || pg_is(p, 0, "FALSE")) && !pg_is(p, 1, ".")) {
		bus_buf_puts(out, pg_is(p, 0, "TRUE") ? "true" : "false");
		p->at++;
		return PG_TRUTH;
	}
	if (pg_take(p, "CASE"))
		return put_case(p, out);
	if (pg_take(p, "EXISTS"))
		return put_exists(p, out);
	if (pg_is(p, 0, "CAST") && pg_is(p, 1, "(")) {
		p->at++;
		return put_cast(p, out);
	}
	if (pg_is_name(p, 0) || (t->type == PG_WORD && pg_is(p, 1, "(")))
		return put_named(p, out);
	pg_fail(p, "'%.*s' where a value should stand", (int)(t->n > 40 ? 40 : t->n), t->p);
	p->at++;
	return PG_VALUE;
}

/* --- two operands ------------------------------------------------------------------------------------- */

static void put_in(struct pg_parse *p, struct bus_buf *out)
{
	bus_buf_puts(out, " IN (");
	pg_want(p, "(");
	if (pg_starts_select(p, 0))
		pg_select(p, out, NULL);
	else if (pg_is(p, 0, ")"))
		pg_fail(p, "IN () of nothing");
	else
		pg_values(p, out);
	pg_want(p, ")");
	bus_buf_putc(out, ')');
}

/* left is the operand before; what stands here is LIKE or GLOB. */
static void put_like(struct pg_parse *p, struct bus_buf *left, bool glob, struct bus_buf *out)
{
	bus_buf_printf(out, GW_PG_SCHEMA ".%s(%s, ", glob ? "_glob" : "_like", bus_buf_cstr(left));
	value_at(p, ORDER, out);
	if (pg_take(p, "ESCAPE")) {
		bus_buf_puts(out, ", ");
		value_at(p, ORDER, out);
	}
	bus_buf_putc(out, ')');
}

/* What may follow an operand at the level of =. False: nothing of it does. */
static bool equal_tail(struct pg_parse *p, struct bus_buf *left, struct bus_buf *out)
{
	static const char *const sign[][2] = { { "=", "=" }, { "==", "=" }, { "<>", "<>" }, { "!=", "<>" } };
	bool negated = pg_is(p, 0, "NOT") && pg_peek(p, 1)->type == PG_WORD;

	if (negated && pg_is(p, 1, "NULL")) {
		p->at += 2;
		bus_buf_printf(out, "(%s IS NOT NULL)", bus_buf_cstr(left));
		return true;
	}
	p->at += negated;
	for (size_t i = 0; i < BUS_LEN(sign) && !negated; i++) {
		if (!pg_take(p, sign[i][0]))
			continue;
		bus_buf_printf(out, "(%s %s ", bus_buf_cstr(left), sign[i][1]);
		value_at(p, ORDER, out);
		bus_buf_putc(out, ')');
		return true;
	}
	if (!negated && (pg_is(p, 0, "ISNULL") || pg_is(p, 0, "NOTNULL"))) {
		bus_buf_printf(out, "(%s IS %sNULL)", bus_buf_cstr(left),
			       pg_is(p, 0, "NOTNULL") ? "NOT " : "");
		p->at++;
		return true;
	}
	if (!negated && pg_take(p, "IS")) {
		negated = pg_take(p, "NOT");
		if (pg_take(p, "NULL")) {
			bus_buf_printf(out, "(%s IS %sNULL)", bus_buf_cstr(left), negated ? "NOT " : "");
			return true;
		}
		if (pg_is(p, 0, "DISTINCT"))
			pg_fail(p, "IS DISTINCT FROM");
		bus_buf_printf(out, "(%s IS %sDISTINCT FROM ", bus_buf_cstr(left), negated ? "" : "NOT ");
		value_at(p, ORDER, out);
		bus_buf_putc(out, ')');
		return true;
	}
	if (pg_is(p, 0, "IN") || pg_is(p, 0, "LIKE") || pg_is(p, 0, "GLOB") || pg_is(p, 0, "BETWEEN")) {
		bus_buf_puts(out, negated ? "(NOT " : "(");
		if (pg_take(p, "IN")) {
			bus_buf_puts(out, bus_buf_cstr(left));
			put_in(p, out);
		} else if (pg_take(p, "BETWEEN")) {
			bus_buf_printf(out, "%s BETWEEN ", bus_buf_cstr(left));
			value_at(p, ORDER, out);
			pg_want(p, "AND");
			bus_buf_puts(out, " AND ");
			value_at(p, ORDER, out);
		} else {
			bool glob = pg_is(p, 0, "GLOB");

			p->at++;
			put_like(p, left, glob, out);
		}
		bus_buf_putc(out, ')');
		return true;
	}
	if (negated || pg_is(p, 0, "MATCH") || pg_is(p, 0, "REGEXP"))
		pg_fail(p, "'%.*s' after a value", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
	return false;
}

/* The sign that stands here and belongs to the level; NULL: none. */
static const char *sign_of(struct pg_parse *p, enum level level)
{
	static const char *const sign[ONE][4] = {
		[ORDER] = { "<", "<=", ">", ">=" }, [BITS] = { "&", "|" }, [PLUS] = { "+", "-" },
		[TIMES] = { "*", "/", "%" },	    [JOINED] = { "||" },
	};

	for (size_t i = 0; i < 4 && sign[level][i]; i++) {
		if (pg_take(p, sign[level][i]))
			return sign[level][i];
	}
	return NULL;
}

static enum pg_is signs(struct pg_parse *p, enum level level, struct bus_buf *out)
{
	struct bus_buf left = { 0 }, both = { 0 }, right = { 0 };
	enum pg_is is = binary(p, level + 1, &left);
	const char *sign;

	while (p->rc == BUS_OK && (sign = sign_of(p, level))) {
		bus_buf_reset(&right);
		value_at(p, level + 1, &right);
		bus_buf_reset(&both);
		if (level == JOINED) {
			bus_buf_puts(&both, GW_PG_SCHEMA "._join(");
			as_value(&left, is, &both);
			bus_buf_printf(&both, ", %s)", bus_buf_cstr(&right));
		} else {
			bus_buf_putc(&both, '(');
			as_value(&left, is, &both);
			/* By nothing is NULL. */
			bus_buf_printf(&both, *sign == '/' || *sign == '%' ? " %s nullif(%s, 0))" : " %s %s)",
				       sign, bus_buf_cstr(&right));
		}
		is = level == ORDER ? PG_TRUTH : PG_VALUE;
		bus_buf_reset(&left);
		bus_buf_put(&left, both.p, both.n);
	}
	if (level == JOINED && (pg_is(p, 0, "->") || pg_is(p, 0, "->>")))
		pg_fail(p, "-> and ->>: the type of what they give is known only with each row");
	if (level == BITS && (pg_is(p, 0, "<<") || pg_is(p, 0, ">>")))
		pg_fail(p, "<< and >>");
	bus_buf_put(out, left.p, left.n);
	bus_buf_release(&left);
	bus_buf_release(&both);
	bus_buf_release(&right);
	return is;
}

static enum pg_is equals(struct pg_parse *p, struct bus_buf *out)
{
	struct bus_buf left = { 0 }, plain = { 0 }, both = { 0 };
	enum pg_is is = binary(p, ORDER, &left);

	while (p->rc == BUS_OK) {
		bus_buf_reset(&plain);
		as_value(&left, is, &plain);
		bus_buf_reset(&both);
		if (!equal_tail(p, &plain, &both))
			break;
		is = PG_TRUTH;
		bus_buf_reset(&left);
		bus_buf_put(&left, both.p, both.n);
	}
	bus_buf_put(out, left.p, left.n);
	bus_buf_release(&left);
	bus_buf_release(&plain);
	bus_buf_release(&both);
	return is;
}

static enum pg_is logic(struct pg_parse *p, enum level level, const char *word, struct bus_buf *out)
{
	struct bus_buf first = { 0 }, all = { 0 };
	enum pg_is is = binary(p, level + 1, &first);

	if (!pg_is(p, 0, word)) {
		bus_buf_put(out, first.p, first.n);
	} else {
		if (is == PG_TRUTH)
			bus_buf_printf(&all, "(%s", bus_buf_cstr(&first));
		else
			bus_buf_printf(&all, "((%s <> 0)", bus_buf_cstr(&first));
		while (p->rc == BUS_OK && pg_take(p, word)) {
			bus_buf_printf(&all, " %s ", word);
			truth_at(p, level + 1, &all);
		}
		bus_buf_printf(out, "%s)", bus_buf_cstr(&all));
		is = PG_TRUTH;
	}
	bus_buf_release(&first);
	bus_buf_release(&all);
	return is;
}

static enum pg_is binary(struct pg_parse *p, enum level level, struct bus_buf *out)
{
	enum pg_is is = PG_VALUE;

	if (p->rc != BUS_OK)
		return is;
	if (++p->depth > DEPTH_MAX) {
		pg_fail(p, "an expression deeper than %d", DEPTH_MAX);
		return is;
	}
	if (level == OR || level == AND) {
		is = logic(p, level, level == OR ? "OR" : "AND", out);
	} else if (level == NOT && pg_take(p, "NOT")) {
		bus_buf_puts(out, "(NOT ");
		truth_at(p, NOT, out);
		bus_buf_putc(out, ')');
		is = PG_TRUTH;
	} else if (level == NOT) {
		is = binary(p, EQUAL, out);
	} else if (level == EQUAL) {
		is = equals(p, out);
	} else if (level == ONE) {
		is = one(p, out);
		if (pg_take(p, "COLLATE") && !pg_take(p, "BINARY"))
			pg_fail(p, "COLLATE %.*s", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
	} else {
		is = signs(p, level, out);
	}
	p->depth--;
	return is;
}
