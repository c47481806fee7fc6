/* A question as SQL: filters, order, day, and what they are bound to. The text is made of names of declared columns
 * and of parameters; what the reader wrote is only ever bound. */
#include <errno.h>
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/engine/reading.h"

enum bus_err gw_read_check_date(const struct gw_view *v, const char *date, struct bus_error *err)
{
	int y, m, d, n = 0;
	int32_t days;

	if (!v->dated)
		return BUS_OK;
	if (!date)
		return bus_fail(err, BUS_EINVAL, "view '%s' is of a day: per_tanggal is missing", v->name);
	if (strlen(date) != 10 || sscanf(date, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 ||
	    strspn(date, "0123456789-") != 10 || !bus_clock_days(y, m, d, &days))
		return bus_fail(err, BUS_EINVAL, "per_tanggal is not a day like 2025-12-31");
	return BUS_OK;
}

/* --- text ------------------------------------------------------------------------------------------- */

/* The reader's values are parameters that follow each other: the first is called :_f, so that it can be found. */
struct text {
	struct bus_buf *b;
	const struct gw_view *view;
	size_t n; /* parameters so far */
};

static const char *name_of(const struct text *t, int column)
{
	return t->view->column[column].name;
}

static void put_param(struct text *t)
{
	bus_buf_puts(t->b, t->n++ == 0 ? ":_f" : "?");
}

static void put_filter(struct text *t, const struct gw_filter *f);

static void put_parts(struct text *t, const struct gw_filter *f)
{
	bus_buf_putc(t->b, '(');
	for (size_t i = 0; i < f->n; i++) {
		if (i > 0)
			bus_buf_puts(t->b, f->op == GW_AND ? " AND " : " OR ");
		put_filter(t, &f->part[i]);
	}
	bus_buf_putc(t->b, ')');
}

static void put_list(struct text *t, size_t n)
{
	bus_buf_puts(t->b, " IN (");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			bus_buf_putc(t->b, ',');
		put_param(t);
	}
	bus_buf_putc(t->b, ')');
}

/* Depth is bounded where the filters are read. */
static void put_filter(struct text *t, const struct gw_filter *f)
{
	static const char *const op[] = {
		[GW_EQ] = "=", [GW_NEQ] = "<>", [GW_LT] = "<",	      [GW_LTE] = "<=",
		[GW_GT] = ">", [GW_GTE] = ">=", [GW_LIKE] = " GLOB ", [GW_ILIKE] = " LIKE ",
	};

	if (f->negated)
		bus_buf_puts(t->b, "NOT ");
	if (f->op == GW_AND || f->op == GW_OR) {
		put_parts(t, f);
		return;
	}
	bus_buf_printf(t->b, "(\"%s\"", name_of(t, f->column));
	switch (f->op) {
	case GW_IS_NULL:
		bus_buf_puts(t->b, " IS NULL");
		break;
	case GW_NOT_NULL:
		bus_buf_puts(t->b, " IS NOT NULL");
		break;
	case GW_IS_TRUE:
	case GW_IS_FALSE:
		bus_buf_puts(t->b, f->op == GW_IS_TRUE ? " IS 1" : " IS 0");
		break;
	case GW_IN:
		put_list(t, f->n);
		break;
	default:
		bus_buf_puts(t->b, op[f->op]);
		put_param(t);
		if (f->op == GW_ILIKE)
			bus_buf_puts(t->b, " ESCAPE '\\'");
		break;
	}
	bus_buf_putc(t->b, ')');
}

/* Rows behind the one whose order values are q->place and whose key is :_key:
 * c1 behind v1 OR (c1 IS v1 AND (c2 behind v2 OR (c2 IS v2 AND key > :_key))). */
static void put_behind(struct text *t, const struct gw_query *q, const char *key)
{
	size_t open = 0;

	for (size_t i = 0; i < q->n_order; i++) {
		const struct gw_order *o = &q->order[i];
		const char *name = name_of(t, o->column);
		bool null = q->place[i].type == GW_NULL;

		bus_buf_putc(t->b, '(');
		open++;
		if (!null) {
			bus_buf_printf(t->b, "\"%s\"%c", name, o->descending ? '<' : '>');
			put_param(t);
			if (!o->nulls_first)
				bus_buf_printf(t->b, " OR \"%s\" IS NULL", name);
			bus_buf_puts(t->b, " OR ");
		} else if (o->nulls_first) {
			bus_buf_printf(t->b, "\"%s\" IS NOT NULL OR ", name);
		}
		bus_buf_printf(t->b, "(\"%s\" IS ", name);
		open++;
		if (null)
			bus_buf_puts(t->b, "NULL");
		else
			put_param(t);
		bus_buf_puts(t->b, " AND ");
	}
	bus_buf_printf(t->b, "\"%s\">:_key", key);
	while (open-- > 0)
		bus_buf_putc(t->b, ')');
}

static void put_order(struct text *t, const struct gw_query *q, const char *key)
{
	bus_buf_puts(t->b, " ORDER BY ");
	for (size_t i = 0; i < q->n_order; i++) {
		const struct gw_order *o = &q->order[i];

		bus_buf_printf(t->b, "\"%s\"%s%s,", name_of(t, o->column), o->descending ? " DESC" : "",
			       o->nulls_first == !o->descending ? "" /* as SQLite has it anyhow */
			       : o->nulls_first			? " NULLS FIRST"
								: " NULLS LAST");
	}
	bus_buf_printf(t->b, "\"%s\" LIMIT :_limit OFFSET :_offset", key);
}

static void put_select(const struct gw_def *def, struct bus_buf *b)
{
	const struct gw_view *v = &def->pub;

	if (!def->full) {
		gw_view_select(def, b);
		return;
	}
	bus_buf_puts(b, "SELECT ");
	for (size_t i = 0; i < v->n_columns; i++)
		bus_buf_printf(b, "%s\"%s\"", i ? "," : "", v->column[i].name);
	bus_buf_printf(b, " FROM \"%s\" ", v->name);
}

static void put_question(const struct gw_def *def, const struct gw_query *q, enum gw_select shape,
			 struct bus_buf *b)
{
	struct text t = { .b = b, .view = q->view };
	const char *key = q->view->column[q->view->key].name;

	bus_buf_reset(b);
	if (shape == GW_COUNT)
		bus_buf_puts(b, "SELECT count(*) FROM (");
	put_select(def, b);
	bus_buf_puts(b, "WHERE ");
	if (q->rows) {
		bus_buf_putc(b, '1');
		gw_scope_put_sql(q->rows, "\"", b);
		bus_buf_puts(b, " AND ");
	}
	for (size_t i = 0; i < q->n_filters; i++) {
		put_filter(&t, &q->filter[i]);
		bus_buf_puts(b, " AND ");
	}
	if (shape == GW_ONE_KEY)
		bus_buf_printf(b, "\"%s\"=:_key", key);
	else if (shape == GW_PAGE && q->n_order > 0 && q->after.n == 0)
		bus_buf_printf(b, "+\"%s\">:_key", key); /* +: an index on the order's columns may lead */
	else if (shape == GW_PAGE)
		put_behind(&t, q, key);
	else if (shape == GW_MATCHES)
		bus_buf_puts(b, "1 LIMIT 2");
	else
		bus_buf_printf(b, "\"%s\">''", key);
	if (shape == GW_PAGE)
		put_order(&t, q, key);
	if (shape == GW_COUNT)
		bus_buf_putc(b, ')');
}

/* --- values ----------------------------------------------------------------------------------------- */

static enum bus_err bind_one(struct gw_stmt *s, int at, const struct gw_column *c, const char *text,
			     struct bus_error *err)
{
	char *end = NULL;
	long long i;
	double x;

	switch (c->type) {
	case GW_INT:
		errno = 0;
		i = strtoll(text, &end, 10);
		if (end == text || *end != '\0' || errno)
			return bus_fail(err, BUS_EINVAL, "column '%s' wants a whole number", c->name);
		gw_stmt_bind_int(s, at, i);
		return BUS_OK;
	case GW_REAL:
		x = strtod(text, &end);
		if (end == text || *end != '\0')
			return bus_fail(err, BUS_EINVAL, "column '%s' wants a number", c->name);
		gw_stmt_bind_real(s, at, x);
		return BUS_OK;
	case GW_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return bus_fail(err, BUS_EINVAL, "column '%s' wants true or false", c->name);
		gw_stmt_bind_int(s, at, text[0] == 't');
		return BUS_OK;
	default:
		gw_stmt_bind_text(s, at, bus_str(text));
		return BUS_OK;
	}
}

/* GLOB tells A from a, as PostgreSQL's LIKE does and SQLite's does not. */
static void put_glob(struct bus_buf *b, const char *p)
{
	for (; *p; p++) {
		bool literal = *p == '\\' && p[1];

		p += literal;
		if (!literal && (*p == '*' || *p == '%'))
			bus_buf_putc(b, '*');
		else if (!literal && *p == '_')
			bus_buf_putc(b, '?');
		else if (strchr("*?[", *p))
			bus_buf_printf(b, "[%c]", *p);
		else
			bus_buf_putc(b, *p);
	}
}

static void put_like(struct bus_buf *b, const char *p)
{
	for (; *p; p++) {
		if (*p == '\\' && p[1])
			bus_buf_putc(b, *p++);
		else if (*p == '\\')
			bus_buf_putc(b, '\\');
		else if (*p == '*') {
			bus_buf_putc(b, '%');
			continue;
		}
		bus_buf_putc(b, *p);
	}
}

static enum bus_err bind_filter(struct gw_reader *r, struct gw_stmt *s, const struct gw_view *v,
				const struct gw_filter *f, int *at, struct bus_error *err)
{
	const struct gw_column *c = &v->column[f->column];
	enum bus_err rc = BUS_OK;

	switch (f->op) {
	case GW_AND:
	case GW_OR:
		for (size_t i = 0; i < f->n && rc == BUS_OK; i++)
			rc = bind_filter(r, s, v, &f->part[i], at, err);
		return rc;
	case GW_IS_NULL:
	case GW_NOT_NULL:
		return BUS_OK;
	case GW_IS_TRUE:
	case GW_IS_FALSE:
		return c->type == GW_BOOL
			   ? BUS_OK
			   : bus_fail(err, BUS_EINVAL, "column '%s' is neither true nor false", c->name);
	case GW_LIKE:
	case GW_ILIKE:
		if (c->type != GW_TEXT && c->type != GW_JSON)
			return bus_fail(err, BUS_EINVAL, "column '%s' is no text", c->name);
		bus_buf_reset(&r->pattern);
		if (f->op == GW_LIKE)
			put_glob(&r->pattern, f->value[0]);
		else
			put_like(&r->pattern, f->value[0]);
		/* A second pattern would move the first: each gets its own copy. */
		gw_stmt_bind_copy(s, (*at)++, bus_buf_str(&r->pattern));
		return BUS_OK;
	default:
		for (size_t i = 0; i < f->n && rc == BUS_OK; i++)
			rc = bind_one(s, (*at)++, c, f->value[i], err);
		return rc;
	}
}

/* In the order in which put_question has written them. */
static enum bus_err bind_question(struct gw_reader *r, struct gw_stmt *s, const struct gw_query *q,
				  enum gw_select shape, struct bus_error *err)
{
	int at = gw_stmt_param(s, ":_f");
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < q->n_filters && rc == BUS_OK; i++)
		rc = bind_filter(r, s, q->view, &q->filter[i], &at, err);
	if (shape != GW_PAGE)
		return rc;
	for (size_t i = 0; q->after.n > 0 && i < q->n_order; i++) {
		if (q->place[i].type == GW_NULL)
			continue;
		gw_stmt_bind_value(s, at++, &q->place[i]);
		gw_stmt_bind_value(s, at++, &q->place[i]);
	}
	gw_stmt_bind_text(s, gw_stmt_param(s, ":_key"), q->after);
	gw_stmt_bind_int(s, gw_stmt_param(s, ":_limit"), q->limit);
	gw_stmt_bind_int(s, gw_stmt_param(s, ":_offset"), q->offset);
	return rc;
}

enum bus_err gw_read_prepare(struct gw_reader *r, const struct gw_query *q, enum gw_select shape,
			     struct gw_stmt **out, struct bus_error *err)
{
	enum bus_err rc;

	put_question(gw_view_def(q->view), q, shape, &r->sql);
	rc = gw_reader_stmt(r, bus_buf_cstr(&r->sql), out, err);
	if (rc != BUS_OK)
		return rc;
	if (q->date)
		gw_stmt_bind_text(*out, gw_stmt_param(*out, ":per_tanggal"), bus_str(q->date));
	if (q->rows)
		gw_scope_bind_sql(*out, q->view, q->rows);
	return bind_question(r, *out, q, shape, err);
}
