/* Expressions. Whatever has two operands is put into brackets: what binds stronger was settled here, by SQLite's rules. */
#include <stdio.h>
#include <strings.h>

#include "gateway/store/pg_parse.h"

enum level { OR, AND, NOT, EQUAL, ORDER, BITS, PLUS, TIMES, JOINED, ONE };

static enum gw_pgsql_is binary(struct pg_parse *p, enum level level, struct bus_buf *out);

void gw_pgsql_as_value(struct bus_buf *b, enum gw_pgsql_is is, struct bus_buf *out)
{
	if (is == PG_TRUTH)
		bus_buf_printf(out, "(%s)::integer::bigint", bus_buf_cstr(b));
	else
		bus_buf_put(out, b->p, b->n);
}

static void value_at(struct pg_parse *p, enum level level, struct bus_buf *out)
{
	struct bus_buf b = { 0 };

	gw_pgsql_as_value(&b, binary(p, level, &b), out);
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

void gw_pgsql_value(struct pg_parse *p, struct bus_buf *out)
{
	value_at(p, OR, out);
}

void gw_pgsql_truth(struct pg_parse *p, struct bus_buf *out)
{
	truth_at(p, OR, out);
}

enum gw_pgsql_is gw_pgsql_operand(struct pg_parse *p, struct bus_buf *out)
{
	return binary(p, ONE, out);
}

enum gw_pgsql_is gw_pgsql_expr(struct pg_parse *p, struct bus_buf *out)
{
	return binary(p, OR, out);
}

void gw_pgsql_values(struct pg_parse *p, struct bus_buf *out)
{
	do {
		gw_pgsql_value(p, out);
	} while (gw_pgsql_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
}

/* --- two operands ------------------------------------------------------------------------------------- */

static void put_in(struct pg_parse *p, struct bus_buf *out)
{
	bus_buf_puts(out, " IN (");
	gw_pgsql_want(p, "(");
	if (gw_pgsql_starts_select(p, 0))
		gw_pgsql_select(p, out, NULL);
	else if (gw_pgsql_is(p, 0, ")"))
		gw_pgsql_fail(p, "IN () of nothing");
	else
		gw_pgsql_values(p, out);
	gw_pgsql_want(p, ")");
	bus_buf_putc(out, ')');
}

/* left is the operand before; what stands here is LIKE or GLOB. */
static void put_like(struct pg_parse *p, struct bus_buf *left, bool glob, struct bus_buf *out)
{
	bus_buf_printf(out, GW_PG_SCHEMA ".%s(%s, ", glob ? "_glob" : "_like", bus_buf_cstr(left));
	value_at(p, ORDER, out);
	if (gw_pgsql_take(p, "ESCAPE")) {
		bus_buf_puts(out, ", ");
		value_at(p, ORDER, out);
	}
	bus_buf_putc(out, ')');
}

/* What may follow an operand at the level of =. False: nothing of it does. */
static bool equal_tail(struct pg_parse *p, struct bus_buf *left, struct bus_buf *out)
{
	static const char *const sign[][2] = { { "=", "=" }, { "==", "=" }, { "<>", "<>" }, { "!=", "<>" } };
	bool negated = gw_pgsql_is(p, 0, "NOT") && gw_pgsql_peek(p, 1)->type == PG_WORD;

	if (negated && gw_pgsql_is(p, 1, "NULL")) {
		p->at += 2;
		bus_buf_printf(out, "(%s IS NOT NULL)", bus_buf_cstr(left));
		return true;
	}
	p->at += negated;
	for (size_t i = 0; i < BUS_LEN(sign) && !negated; i++) {
		if (!gw_pgsql_take(p, sign[i][0]))
			continue;
		bus_buf_printf(out, "(%s %s ", bus_buf_cstr(left), sign[i][1]);
		value_at(p, ORDER, out);
		bus_buf_putc(out, ')');
		return true;
	}
	if (!negated && (gw_pgsql_is(p, 0, "ISNULL") || gw_pgsql_is(p, 0, "NOTNULL"))) {
		bus_buf_printf(out, "(%s IS %sNULL)", bus_buf_cstr(left),
			       gw_pgsql_is(p, 0, "NOTNULL") ? "NOT " : "");
		p->at++;
		return true;
	}
	if (!negated && gw_pgsql_take(p, "IS")) {
		negated = gw_pgsql_take(p, "NOT");
		if (gw_pgsql_take(p, "NULL")) {
			bus_buf_printf(out, "(%s IS %sNULL)", bus_buf_cstr(left), negated ? "NOT " : "");
			return true;
		}
		if (gw_pgsql_is(p, 0, "DISTINCT"))
			gw_pgsql_fail(p, "IS DISTINCT FROM");
		bus_buf_printf(out, "(%s IS %sDISTINCT FROM ", bus_buf_cstr(left), negated ? "" : "NOT ");
		value_at(p, ORDER, out);
		bus_buf_putc(out, ')');
		return true;
	}
	if (gw_pgsql_is(p, 0, "IN") || gw_pgsql_is(p, 0, "LIKE") || gw_pgsql_is(p, 0, "GLOB") ||
	    gw_pgsql_is(p, 0, "BETWEEN")) {
		bus_buf_puts(out, negated ? "(NOT " : "(");
		if (gw_pgsql_take(p, "IN")) {
			bus_buf_puts(out, bus_buf_cstr(left));
			put_in(p, out);
		} else if (gw_pgsql_take(p, "BETWEEN")) {
			bus_buf_printf(out, "%s BETWEEN ", bus_buf_cstr(left));
			value_at(p, ORDER, out);
			gw_pgsql_want(p, "AND");
			bus_buf_puts(out, " AND ");
			value_at(p, ORDER, out);
		} else {
			bool glob = gw_pgsql_is(p, 0, "GLOB");

			p->at++;
			put_like(p, left, glob, out);
		}
		bus_buf_putc(out, ')');
		return true;
	}
	if (negated || gw_pgsql_is(p, 0, "MATCH") || gw_pgsql_is(p, 0, "REGEXP"))
		gw_pgsql_fail(p, "'%.*s' after a value", (int)gw_pgsql_peek(p, 0)->n, gw_pgsql_peek(p, 0)->p);
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
		if (gw_pgsql_take(p, sign[level][i]))
			return sign[level][i];
	}
	return NULL;
}

static enum gw_pgsql_is signs(struct pg_parse *p, enum level level, struct bus_buf *out)
{
	struct bus_buf left = { 0 }, both = { 0 }, right = { 0 };
	enum gw_pgsql_is is = binary(p, level + 1, &left);
	const char *sign;

	while (p->rc == BUS_OK && (sign = sign_of(p, level))) {
		bus_buf_reset(&right);
		value_at(p, level + 1, &right);
		bus_buf_reset(&both);
		if (level == JOINED) {
			bus_buf_puts(&both, GW_PG_SCHEMA "._join(");
			gw_pgsql_as_value(&left, is, &both);
			bus_buf_printf(&both, ", %s)", bus_buf_cstr(&right));
		} else {
			bus_buf_putc(&both, '(');
			gw_pgsql_as_value(&left, is, &both);
			/* By nothing is NULL. */
			bus_buf_printf(&both, *sign == '/' || *sign == '%' ? " %s nullif(%s, 0))" : " %s %s)",
				       sign, bus_buf_cstr(&right));
		}
		is = level == ORDER ? PG_TRUTH : PG_VALUE;
		bus_buf_reset(&left);
		bus_buf_put(&left, both.p, both.n);
	}
	if (level == JOINED && (gw_pgsql_is(p, 0, "->") || gw_pgsql_is(p, 0, "->>")))
		gw_pgsql_fail(p, "-> and ->>: the type of what they give is known only with each row");
	if (level == BITS && (gw_pgsql_is(p, 0, "<<") || gw_pgsql_is(p, 0, ">>")))
		gw_pgsql_fail(p, "<< and >>");
	bus_buf_put(out, left.p, left.n);
	bus_buf_release(&left);
	bus_buf_release(&both);
	bus_buf_release(&right);
	return is;
}

static enum gw_pgsql_is equals(struct pg_parse *p, struct bus_buf *out)
{
	struct bus_buf left = { 0 }, plain = { 0 }, both = { 0 };
	enum gw_pgsql_is is = binary(p, ORDER, &left);

	while (p->rc == BUS_OK) {
		bus_buf_reset(&plain);
		gw_pgsql_as_value(&left, is, &plain);
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

static enum gw_pgsql_is logic(struct pg_parse *p, enum level level, const char *word, struct bus_buf *out)
{
	struct bus_buf first = { 0 }, all = { 0 };
	enum gw_pgsql_is is = binary(p, level + 1, &first);

	if (!gw_pgsql_is(p, 0, word)) {
		bus_buf_put(out, first.p, first.n);
	} else {
		if (is == PG_TRUTH)
			bus_buf_printf(&all, "(%s", bus_buf_cstr(&first));
		else
			bus_buf_printf(&all, "((%s <> 0)", bus_buf_cstr(&first));
		while (p->rc == BUS_OK && gw_pgsql_take(p, word)) {
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

static enum gw_pgsql_is binary(struct pg_parse *p, enum level level, struct bus_buf *out)
{
	enum gw_pgsql_is is = PG_VALUE;

	if (p->rc != BUS_OK)
		return is;
	if (++p->depth > DEPTH_MAX) {
		gw_pgsql_fail(p, "an expression deeper than %d", DEPTH_MAX);
		return is;
	}
	if (level == OR || level == AND) {
		is = logic(p, level, level == OR ? "OR" : "AND", out);
	} else if (level == NOT && gw_pgsql_take(p, "NOT")) {
		bus_buf_puts(out, "(NOT ");
		truth_at(p, NOT, out);
		bus_buf_putc(out, ')');
		is = PG_TRUTH;
	} else if (level == NOT) {
		is = binary(p, EQUAL, out);
	} else if (level == EQUAL) {
		is = equals(p, out);
	} else if (level == ONE) {
		is = gw_pgsql_one(p, out);
		if (gw_pgsql_take(p, "COLLATE") && !gw_pgsql_take(p, "BINARY"))
			gw_pgsql_fail(p, "COLLATE %.*s", (int)gw_pgsql_peek(p, 0)->n, gw_pgsql_peek(p, 0)->p);
	} else {
		is = signs(p, level, out);
	}
	p->depth--;
	return is;
}
