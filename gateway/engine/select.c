/* A question as SQL: filters, day, and what they are bound to. */
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

static void put_filter(struct bus_buf *b, const struct gw_view *v, const struct gw_filter *f, size_t i)
{
	static const char *const op[] = {
		[GW_EQ] = "=", [GW_NEQ] = "<>", [GW_LT] = "<", [GW_LTE] = "<=", [GW_GT] = ">", [GW_GTE] = ">="
	};
	const char *name = v->column[f->column].name;

	bus_buf_printf(b, " AND \"%s\" ", name);
	switch (f->op) {
	case GW_IS_NULL:
		bus_buf_puts(b, "IS NULL");
		break;
	case GW_NOT_NULL:
		bus_buf_puts(b, "IS NOT NULL");
		break;
	case GW_LIKE:
		bus_buf_printf(b, "LIKE :_f%zu_0 ESCAPE '\\'", i);
		break;
	case GW_IN:
		bus_buf_puts(b, "IN (");
		for (size_t k = 0; k < f->n; k++)
			bus_buf_printf(b, "%s:_f%zu_%zu", k ? "," : "", i, k);
		bus_buf_putc(b, ')');
		break;
	default:
		bus_buf_printf(b, "%s :_f%zu_0", op[f->op], i);
		break;
	}
}

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

static enum bus_err bind_filters(struct gw_reader *r, struct gw_stmt *s, const struct gw_query *q,
				 struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	char name[56];

	for (size_t i = 0; i < q->n_filters && rc == BUS_OK; i++) {
		const struct gw_filter *f = &q->filter[i];
		const struct gw_column *c = &q->view->column[f->column];
		size_t n = f->op == GW_IN ? f->n : f->op == GW_IS_NULL || f->op == GW_NOT_NULL ? 0 : 1;

		if (f->op == GW_LIKE) {
			if (c->type != GW_TEXT && c->type != GW_JSON)
				return bus_fail(err, BUS_EINVAL, "column '%s' is no text", c->name);
			bus_buf_reset(&r->pattern);
			for (const char *p = f->value[0]; *p; p++) {
				if (*p == '%' || *p == '_' || *p == '\\')
					bus_buf_putc(&r->pattern, '\\');
				bus_buf_putc(&r->pattern, *p == '*' ? '%' : *p);
			}
			snprintf(name, sizeof(name), ":_f%zu_0", i);
			/* A second pattern would move the first: each gets its own copy. */
			gw_stmt_bind_copy(s, gw_stmt_param(s, name), bus_buf_str(&r->pattern));
			continue;
		}
		for (size_t k = 0; k < n && rc == BUS_OK; k++) {
			snprintf(name, sizeof(name), ":_f%zu_%zu", i, k);
			rc = bind_one(s, gw_stmt_param(s, name), c, f->value[k], err);
		}
	}
	return rc;
}

enum bus_err gw_read_prepare(struct gw_reader *r, const struct gw_query *q, enum gw_select shape,
			     struct gw_stmt **out, struct bus_error *err)
{
	const struct gw_def *def = gw_view_def(q->view);
	const char *key = q->view->column[q->view->key].name;
	struct bus_buf *b = &r->sql;
	enum bus_err rc;

	bus_buf_reset(b);
	if (shape == GW_COUNT)
		bus_buf_puts(b, "SELECT count(*) FROM (");
	if (def->full) {
		bus_buf_puts(b, "SELECT ");
		for (size_t i = 0; i < q->view->n_columns; i++)
			bus_buf_printf(b, "%s\"%s\"", i ? "," : "", q->view->column[i].name);
		bus_buf_printf(b, " FROM \"%s\" ", q->view->name);
	} else {
		gw_view_select(def, b);
	}
	bus_buf_printf(b, "WHERE \"%s\" %s :_key", key, shape == GW_ONE_KEY ? "=" : ">");
	for (size_t i = 0; i < q->n_filters; i++)
		put_filter(b, q->view, &q->filter[i], i);
	if (shape == GW_KEYS_AFTER)
		bus_buf_printf(b, " ORDER BY \"%s\" LIMIT :_limit", key);
	if (shape == GW_COUNT)
		bus_buf_putc(b, ')');
	rc = gw_reader_stmt(r, bus_buf_cstr(b), out, err);
	if (rc != BUS_OK)
		return rc;
	if (q->date)
		gw_stmt_bind_text(*out, gw_stmt_param(*out, ":per_tanggal"), bus_str(q->date));
	return bind_filters(r, *out, q, err);
}
