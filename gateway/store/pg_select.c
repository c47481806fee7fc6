/* SELECT, with all that stands in it. */
#include <stdio.h>

#include "gateway/store/pg_parse.h"

bool gw_pgsql_starts_select(const struct pg_parse *p, size_t ahead)
{
	return gw_pgsql_is(p, ahead, "SELECT") || gw_pgsql_is(p, ahead, "VALUES") ||
	       gw_pgsql_is(p, ahead, "WITH");
}

/* [AS] name, if one stands here. */
static bool put_alias(struct pg_parse *p, struct bus_buf *out)
{
	if (!gw_pgsql_take(p, "AS") && !gw_pgsql_is_name(p, 0))
		return false;
	bus_buf_puts(out, " AS ");
	gw_pgsql_put_name(p, out);
	return true;
}

static void keep_sum(struct pg_parse *p, const char *text)
{
	if (gw_pgsql_is(p, 0, "AS") && gw_pgsql_peek(p, 1)->n > 3 &&
	    strncmp(gw_pgsql_peek(p, 1)->p, "_d_", 3) == 0 && p->n_sums < BUS_LEN(p->sum))
		p->sum[p->n_sums++] = (struct pg_sum){ gw_pgsql_peek(p, 1), bus_xstrdup(text) };
}

static void put_items(struct pg_parse *p, struct bus_buf *out)
{
	do {
		if (gw_pgsql_take(p, "*")) {
			bus_buf_putc(out, '*');
		} else if (gw_pgsql_is_name(p, 0) && gw_pgsql_is(p, 1, ".") && gw_pgsql_is(p, 2, "*")) {
			gw_pgsql_put_name(p, out);
			bus_buf_puts(out, ".*");
			p->at += 2;
		} else {
			size_t from = out->n;

			gw_pgsql_value(p, out);
			keep_sum(p, bus_buf_cstr(out) + from);
			put_alias(p, out);
		}
	} while (gw_pgsql_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
}

static void put_joined(struct pg_parse *p, struct bus_buf *out, bool *ordered);

/* A table, a sub-query, or a join in brackets; with its name. */
static void put_source(struct pg_parse *p, struct bus_buf *out, bool *ordered)
{
	*ordered = false;
	if (gw_pgsql_take(p, "(")) {
		bus_buf_putc(out, '(');
		if (gw_pgsql_starts_select(p, 0)) {
			gw_pgsql_select(p, out, ordered);
			gw_pgsql_want(p, ")");
			bus_buf_putc(out, ')');
			if (!put_alias(p, out)) /* PostgreSQL wants one */
				bus_buf_printf(out, " AS \"_q%d\"", ++p->subqueries);
			return;
		}
		put_joined(p, out, ordered);
		*ordered = false;
		gw_pgsql_want(p, ")");
		bus_buf_putc(out, ')');
		return;
	}
	if (gw_pgsql_is(p, 1, "(") || (gw_pgsql_is(p, 1, ".") && gw_pgsql_is(p, 3, "(")))
		gw_pgsql_fail(p, "a function '%.*s' as a table", (int)gw_pgsql_peek(p, 0)->n,
			      gw_pgsql_peek(p, 0)->p);
	gw_pgsql_put_table(p, out);
	if (gw_pgsql_is(p, 0, "INDEXED") || (gw_pgsql_is(p, 0, "NOT") && gw_pgsql_is(p, 1, "INDEXED")))
		gw_pgsql_fail(p, "INDEXED");
	put_alias(p, out);
}

static bool take_join(struct pg_parse *p, const char **word)
{
	*word = " JOIN ";
	if (gw_pgsql_take(p, ",")) {
		*word = " CROSS JOIN ";
		return true;
	}
	if (gw_pgsql_is(p, 0, "NATURAL"))
		gw_pgsql_fail(p, "NATURAL JOIN");
	if (gw_pgsql_take(p, "CROSS"))
		*word = " CROSS JOIN ";
	else if (gw_pgsql_take(p, "LEFT"))
		*word = " LEFT JOIN ";
	else if (gw_pgsql_take(p, "RIGHT"))
		*word = " RIGHT JOIN ";
	else if (gw_pgsql_take(p, "FULL"))
		*word = " FULL JOIN ";
	else if (!gw_pgsql_take(p, "INNER") && !gw_pgsql_is(p, 0, "JOIN"))
		return false;
	gw_pgsql_take(p, "OUTER");
	gw_pgsql_want(p, "JOIN");
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
		if (gw_pgsql_is(p, 0, "ON") || gw_pgsql_is(p, 0, "USING"))
			word = strcmp(word, " CROSS JOIN ") == 0 ? " JOIN " : word;
		else
			word = strcmp(word, " JOIN ") == 0 ? " CROSS JOIN " : word;
		bus_buf_printf(out, "%s%s", word, bus_buf_cstr(&source));
		if (gw_pgsql_take(p, "ON")) {
			bus_buf_puts(out, " ON ");
			gw_pgsql_truth(p, out);
		} else if (gw_pgsql_take(p, "USING")) {
			gw_pgsql_fail(p, "USING: say ON");
		}
	}
	bus_buf_release(&source);
}

/* A number alone is the place of an output. */
static void put_term(struct pg_parse *p, struct bus_buf *out)
{
	bool place =
	    gw_pgsql_peek(p, 0)->type == PG_INT &&
	    (gw_pgsql_is(p, 1, ",") || gw_pgsql_is(p, 1, ")") || gw_pgsql_is(p, 1, "ASC") ||
	     gw_pgsql_is(p, 1, "DESC") || gw_pgsql_is(p, 1, "HAVING") || gw_pgsql_is(p, 1, "ORDER") ||
	     gw_pgsql_is(p, 1, "LIMIT") || gw_pgsql_is(p, 1, "UNION") || gw_pgsql_peek(p, 1)->type == PG_END);

	if (place)
		bus_buf_put(out, gw_pgsql_peek(p, 0)->p, gw_pgsql_peek(p, 0)->n);
	else
		gw_pgsql_value(p, out);
	p->at += place;
}

static void put_order(struct pg_parse *p, struct bus_buf *out)
{
	bus_buf_puts(out, " ORDER BY ");
	do {
		bool down;

		put_term(p, out);
		down = gw_pgsql_take(p, "DESC");
		if (!down)
			gw_pgsql_take(p, "ASC");
		bus_buf_puts(out, down ? " DESC" : "");
		if (gw_pgsql_take(p, "NULLS"))
			bus_buf_puts(out, gw_pgsql_take(p, "FIRST") ? " NULLS FIRST" : " NULLS LAST"),
			    p->at += gw_pgsql_is(p, 0, "LAST");
		else
			bus_buf_puts(out, down ? " NULLS LAST" : " NULLS FIRST");
	} while (gw_pgsql_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
}

static void put_core(struct pg_parse *p, struct bus_buf *out)
{
	bool ordered = false, outer = p->lists, grouped = false;

	if (gw_pgsql_take(p, "VALUES")) {
		bus_buf_puts(out, "VALUES ");
		do {
			gw_pgsql_want(p, "(");
			bus_buf_putc(out, '(');
			gw_pgsql_values(p, out);
			gw_pgsql_want(p, ")");
			bus_buf_putc(out, ')');
		} while (gw_pgsql_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
		return;
	}
	gw_pgsql_want(p, "SELECT");
	bus_buf_puts(out, "SELECT ");
	if (gw_pgsql_take(p, "DISTINCT"))
		bus_buf_puts(out, "DISTINCT ");
	else
		gw_pgsql_take(p, "ALL");
	p->lists = false;
	put_items(p, out);
	if (gw_pgsql_take(p, "FROM")) {
		bus_buf_puts(out, " FROM ");
		bool listed = p->lists;

		put_joined(p, out, &ordered);
		p->lists = listed;
	}
	if (gw_pgsql_take(p, "WHERE")) {
		bus_buf_puts(out, " WHERE ");
		gw_pgsql_truth(p, out);
	}
	if (gw_pgsql_take(p, "GROUP")) {
		grouped = true;
		gw_pgsql_want(p, "BY");
		bus_buf_puts(out, " GROUP BY ");
		do {
			put_term(p, out);
		} while (gw_pgsql_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
	}
	if (gw_pgsql_take(p, "HAVING")) {
		bus_buf_puts(out, " HAVING ");
		p->having = true;
		gw_pgsql_truth(p, out);
		p->having = false;
	}
	if (gw_pgsql_is(p, 0, "WINDOW"))
		gw_pgsql_fail(p, "WINDOW");
	if (p->lists && (!ordered || grouped))
		gw_pgsql_fail(p,
			      "an aggregate that lists its rows in no order of theirs: read them from a "
			      "sub-query with ORDER BY, "
			      "as in (SELECT group_concat(x) FROM (SELECT x FROM t WHERE ... ORDER BY x))");
	p->lists = outer;
}

static void put_with(struct pg_parse *p, struct bus_buf *out)
{
	if (gw_pgsql_is(p, 0, "RECURSIVE"))
		gw_pgsql_fail(p, "WITH RECURSIVE");
	bus_buf_puts(out, "WITH ");
	do {
		gw_pgsql_put_name(p, out);
		if (gw_pgsql_take(p, "(")) {
			bus_buf_putc(out, '(');
			do {
				gw_pgsql_put_name(p, out);
			} while (gw_pgsql_take(p, ",") && (bus_buf_putc(out, ','), p->rc == BUS_OK));
			gw_pgsql_want(p, ")");
			bus_buf_putc(out, ')');
		}
		gw_pgsql_want(p, "AS");
		bus_buf_puts(out, " AS ");
		if (gw_pgsql_take(p, "NOT"))
			bus_buf_puts(out, "NOT ");
		if (gw_pgsql_take(p, "MATERIALIZED"))
			bus_buf_puts(out, "MATERIALIZED ");
		gw_pgsql_want(p, "(");
		bus_buf_putc(out, '(');
		gw_pgsql_select(p, out, NULL);
		gw_pgsql_want(p, ")");
		bus_buf_putc(out, ')');
	} while (gw_pgsql_take(p, ",") && (bus_buf_puts(out, ", "), p->rc == BUS_OK));
	bus_buf_putc(out, ' ');
}

static bool take_compound(struct pg_parse *p, struct bus_buf *out)
{
	if (gw_pgsql_take(p, "UNION"))
		bus_buf_puts(out, gw_pgsql_take(p, "ALL") ? " UNION ALL " : " UNION ");
	else if (gw_pgsql_take(p, "EXCEPT"))
		bus_buf_puts(out, " EXCEPT ");
	else if (gw_pgsql_is(p, 0, "INTERSECT")) /* which binds stronger there */
		return gw_pgsql_fail(p, "INTERSECT: say it with EXISTS") == BUS_OK;
	else
		return false;
	return true;
}

/* A number below nothing is no limit. */
static void put_limit(struct pg_parse *p, struct bus_buf *out)
{
	struct bus_buf first = { 0 }, second = { 0 };

	/* A number that is bound may be that. */
	if (p->depth == 1 && gw_pgsql_peek(p, 0)->type != PG_PARAM)
		p->out->many = false;
	gw_pgsql_value(p, &first);
	if (gw_pgsql_take(p, ",")) { /* LIMIT offset, number */
		gw_pgsql_value(p, &second);
		bus_buf_printf(out, " LIMIT " GW_PG_SCHEMA "._limit(%s) OFFSET %s", bus_buf_cstr(&second),
			       bus_buf_cstr(&first));
	} else {
		bus_buf_printf(out, " LIMIT " GW_PG_SCHEMA "._limit(%s)", bus_buf_cstr(&first));
	}
	bus_buf_release(&first);
	bus_buf_release(&second);
	if (gw_pgsql_take(p, "OFFSET")) {
		bus_buf_puts(out, " OFFSET ");
		gw_pgsql_value(p, out);
	}
}

void gw_pgsql_select(struct pg_parse *p, struct bus_buf *out, bool *ordered)
{
	bool order = false;

	if (p->rc != BUS_OK)
		return;
	if (++p->depth > DEPTH_MAX) {
		gw_pgsql_fail(p, "queries in queries deeper than %d", DEPTH_MAX);
		return;
	}
	if (gw_pgsql_take(p, "WITH"))
		put_with(p, out);
	do {
		put_core(p, out);
	} while (take_compound(p, out) && p->rc == BUS_OK);
	if (gw_pgsql_take(p, "ORDER")) {
		gw_pgsql_want(p, "BY");
		order = true;
		put_order(p, out);
	}
	if (gw_pgsql_take(p, "LIMIT"))
		put_limit(p, out);
	p->depth--;
	if (ordered)
		*ordered = order;
}
