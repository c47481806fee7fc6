/* SELECT, with all that stands in it. */
#include <stdio.h>

#include "gateway/store/pg_parse.h"

bool pg_starts_select(const struct pg_parse *p, size_t ahead)
{
	return pg_is(p, ahead, "SELECT") || pg_is(p, ahead, "VALUES") || pg_is(p, ahead, "WITH");
}

/* [AS] name, if one stands here. */
static bool put_alias(struct pg_parse *p, struct bus_buf *out)
{
	if (!pg_take(p, "AS") && !pg_is_name(p, 0))
		return false;
	bus_buf_puts(out, " AS ");
	pg_put_name(p, out);
	return true;
}

static void keep_sum(struct pg_parse *p, const char *text)
{
	if (pg_is(p, 0, "AS") && pg_peek(p, 1)->n > 3 && strncmp(pg_peek(p, 1)->p, "_d_", 3) == 0 &&
	    p->n_sums < BUS_LEN(p->sum))
		p->sum[p->n_sums++] = (struct pg_sum){ pg_peek(p, 1), bus_xstrdup(text) };
}

static void put_items(struct pg_parse *p, struct bus_buf *out)
{
	do {
		if (pg_take(p, "*")) {
			bus_buf_putc(out, '*');
		} else if (pg_is_name(p, 0) && pg_is(p, 1, ".") && pg_is(p, 2, "*")) {
			pg_put_name(p, out);
			bus_buf_puts(out, ".*");
			p->at += 2;
		} else {
			size_t from = out->n;

			pg_value(p, out);
			keep_sum(p, bus_buf_cstr(out) + from);
			put_alias(p, out);
		}
	} while (pg_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
}

static void put_joined(struct pg_parse *p, struct bus_buf *out, bool *ordered);

/* A table, a sub-query, or a join in brackets; with its name. */
static void put_source(struct pg_parse *p, struct bus_buf *out, bool *ordered)
{
	*ordered = false;
	if (pg_take(p, "(")) {
		bus_buf_putc(out, '(');
		if (pg_starts_select(p, 0)) {
			pg_select(p, out, ordered);
			pg_want(p, ")");
			bus_buf_putc(out, ')');
			if (!put_alias(p, out)) /* PostgreSQL wants one */
				bus_buf_printf(out, " AS \"_q%d\"", ++p->subqueries);
			return;
		}
		put_joined(p, out, ordered);
		*ordered = false;
		pg_want(p, ")");
		bus_buf_putc(out, ')');
		return;
	}
	if (pg_is(p, 1, "(") || (pg_is(p, 1, ".") && pg_is(p, 3, "(")))
		pg_fail(p, "a function '%.*s' as a table", (int)pg_peek(p, 0)->n, pg_peek(p, 0)->p);
	pg_put_table(p, out);
	if (pg_is(p, 0, "INDEXED") || (pg_is(p, 0, "NOT") && pg_is(p, 1, "INDEXED")))
		pg_fail(p, "INDEXED");
	put_alias(p, out);
}

static bool take_join(struct pg_parse *p, const char **word)
{
	*word = " JOIN ";
	if (pg_take(p, ",")) {
		*word = " CROSS JOIN ";
		return true;
	}
	if (pg_is(p, 0, "NATURAL"))
		pg_fail(p, "NATURAL JOIN");
	if (pg_take(p, "CROSS"))
		*word = " CROSS JOIN ";
	else if (pg_take(p, "LEFT"))
		*word = " LEFT JOIN ";
	else if (pg_take(p, "RIGHT"))
		*word = " RIGHT JOIN ";
	else if (pg_take(p, "FULL"))
		*word = " FULL JOIN ";
	else if (!pg_take(p, "INNER") && !pg_is(p, 0, "JOIN"))
		return false;
	pg_take(p, "OUTER");
	pg_want(p, "JOIN");
	return true;
}

static void put_joined(struct pg_parse *p, struct bus_buf *out, bool *ordered)
{
	struct bus_buf source = { 0 };
	const char *word;
	bool inner;

	put_source(p, out, ordered);
	while (p->rc == BUS_OK && take_join(p, &word)) {
		*ordered = false;
		bus_buf_reset(&source);
		put_source(p, &source, &inner);
		/* SQLite takes a condition with any join, and a join with none. */
		if (pg_is(p, 0, "ON") || pg_is(p, 0, "USING"))
			word = strcmp(word, " CROSS JOIN ") == 0 ? " JOIN " : word;
		else
			word = strcmp(word, " JOIN ") == 0 ? " CROSS JOIN " : word;
		bus_buf_printf(out, "%s%s", word, bus_buf_cstr(&source));
		if (pg_take(p, "ON")) {
			bus_buf_puts(out, " ON ");
			pg_truth(p, out);
		} else if (pg_take(p, "USING")) {
			pg_fail(p, "USING: say ON");
		}
	}
	bus_buf_release(&source);
}

/* A number alone is the place of an output. */
static void put_term(struct pg_parse *p, struct bus_buf *out)
{
	bool place = pg_peek(p, 0)->type == PG_INT &&
		     (pg_is(p, 1, ",") || pg_is(p, 1, ")") || pg_is(p, 1, "ASC") || pg_is(p, 1, "DESC") ||
		      pg_is(p, 1, "HAVING") || pg_is(p, 1, "ORDER") || pg_is(p, 1, "LIMIT") ||
		      pg_is(p, 1, "UNION") || pg_peek(p, 1)->type == PG_END);

	if (place)
		bus_buf_put(out, pg_peek(p, 0)->p, pg_peek(p, 0)->n);
	else
		pg_value(p, out);
	p->at += place;
}

static void put_order(struct pg_parse *p, struct bus_buf *out)
{
	bus_buf_puts(out, " ORDER BY ");
	do {
		bool down;

		put_term(p, out);
		down = pg_take(p, "DESC");
		if (!down)
			pg_take(p, "ASC");
		bus_buf_puts(out, down ? " DESC" : "");
		if (pg_take(p, "NULLS"))
			bus_buf_puts(out, pg_take(p, "FIRST") ? " NULLS FIRST" : " NULLS LAST"),
			    p->at += pg_is(p, 0, "LAST");
		else
			bus_buf_puts(out, down ? " NULLS LAST" : " NULLS FIRST");
	} while (pg_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
}

static void put_core(struct pg_parse *p, struct bus_buf *out)
{
	bool ordered = false, outer = p->lists, grouped = false;

	if (pg_take(p, "VALUES")) {
		bus_buf_puts(out, "VALUES ");
		do {
			pg_want(p, "(");
			bus_buf_putc(out, '(');
			pg_values(p, out);
			pg_want(p, ")");
			bus_buf_putc(out, ')');
		} while (pg_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
		return;
	}
	pg_want(p, "SELECT");
	bus_buf_puts(out, "SELECT ");
	if (pg_take(p, "DISTINCT"))
		bus_buf_puts(out, "DISTINCT ");
	else
		pg_take(p, "ALL");
	p->lists = false;
	put_items(p, out);
	if (pg_take(p, "FROM")) {
		bus_buf_puts(out, " FROM ");
		bool listed = p->lists;

		put_joined(p, out, &ordered);
		p->lists = listed;
	}
	if (pg_take(p, "WHERE")) {
		bus_buf_puts(out, " WHERE ");
		pg_truth(p, out);
	}
	if (pg_take(p, "GROUP")) {
		grouped = true;
		pg_want(p, "BY");
		bus_buf_puts(out, " GROUP BY ");
		do {
			put_term(p, out);
		} while (pg_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
	}
	if (pg_take(p, "HAVING")) {
		bus_buf_puts(out, " HAVING ");
		p->having = true;
		pg_truth(p, out);
		p->having = false;
	}
	if (pg_is(p, 0, "WINDOW"))
		pg_fail(p, "WINDOW");
	if (p->lists && (!ordered || grouped))
		pg_fail(p, "an aggregate that lists its rows in no order of theirs: read them from a "
			   "sub-query with ORDER BY, "
			   "as in (SELECT group_concat(x) FROM (SELECT x FROM t WHERE ... ORDER BY x))");
	p->lists = outer;
}

static void put_with(struct pg_parse *p, struct bus_buf *out)
{
	if (pg_is(p, 0, "RECURSIVE"))
		pg_fail(p, "WITH RECURSIVE");
	bus_buf_puts(out, "WITH ");
	do {
		pg_put_name(p, out);
		if (pg_take(p, "(")) {
			bus_buf_putc(out, '(');
			do {
				pg_put_name(p, out);
			} while (pg_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
			pg_want(p, ")");
			bus_buf_putc(out, ')');
		}
		pg_want(p, "AS");
		bus_buf_puts(out, " AS ");
		if (pg_take(p, "NOT"))
			bus_buf_puts(out, "NOT ");
		if (pg_take(p, "MATERIALIZED"))
			bus_buf_puts(out, "MATERIALIZED ");
		pg_want(p, "(");
		bus_buf_putc(out, '(');
		pg_select(p, out, NULL);
		pg_want(p, ")");
		bus_buf_putc(out, ')');
	} while (pg_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
	bus_buf_putc(out, ' ');
}

static bool take_compound(struct pg_parse *p, struct bus_buf *out)
{
	if (pg_take(p, "UNION"))
		bus_buf_puts(out, pg_take(p, "ALL") ? " UNION ALL " : " UNION ");
	else if (pg_take(p, "EXCEPT"))
		bus_buf_puts(out, " EXCEPT ");
	else if (pg_is(p, 0, "INTERSECT")) /* which binds stronger there */
		return pg_fail(p, "INTERSECT: say it with EXISTS") == BUS_OK;
	else
		return false;
	return true;
}

/* A number below nothing is no limit. */
static void put_limit(struct pg_parse *p, struct bus_buf *out)
{
	struct bus_buf first = { 0 }, second = { 0 };

	/* A number that is bound may be that. */
	if (p->depth == 1 && pg_peek(p, 0)->type != PG_PARAM)
		p->out->many = false;
	pg_value(p, &first);
	if (pg_take(p, ",")) { /* LIMIT offset, number */
		pg_value(p, &second);
		bus_buf_printf(out, " LIMIT " GW_PG_SCHEMA "._limit(%s) OFFSET %s", bus_buf_cstr(&second),
			       bus_buf_cstr(&first));
	} else {
		bus_buf_printf(out, " LIMIT " GW_PG_SCHEMA "._limit(%s)", bus_buf_cstr(&first));
	}
	bus_buf_release(&first);
	bus_buf_release(&second);
	if (pg_take(p, "OFFSET")) {
		bus_buf_puts(out, " OFFSET ");
		pg_value(p, out);
	}
}

void pg_select(struct pg_parse *p, struct bus_buf *out, bool *ordered)
{
	bool order = false;

	if (p->rc != BUS_OK)
		return;
	if (++p->depth > DEPTH_MAX) {
		pg_fail(p, "queries in queries deeper than %d", DEPTH_MAX);
		return;
	}
	if (pg_take(p, "WITH"))
		put_with(p, out);
	do {
		put_core(p, out);
	} while (take_compound(p, out) && p->rc == BUS_OK);
	if (pg_take(p, "ORDER")) {
		pg_want(p, "BY");
		order = true;
		put_order(p, out);
	}
	if (pg_take(p, "LIMIT"))
		put_limit(p, out);
	p->depth--;
	if (ordered)
		*ordered = order;
}
