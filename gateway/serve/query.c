#include "gateway/serve/query.h"

#include <errno.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/yaml.h"

static bool refuse(struct gw_params *p, const char *code, const char *hint, const char *fmt, ...) BUS_PRINTF(4, 5);

static bool refuse(struct gw_params *p, const char *code, const char *hint, const char *fmt, ...)
{
	va_list ap;

	p->problem = code;
	snprintf(p->hint, sizeof(p->hint), "%s", hint ? hint : "");
	va_start(ap, fmt);
	vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
	va_end(ap);
	return false;
}

bool gw_date_ok(const char *text)
{
	static const char digits[] = "0123456789";
	int32_t days;
	int n[3];

	if (strspn(text, digits) != 4 || text[4] != '-' || strspn(text + 5, digits) != 2 || text[7] != '-' ||
	    strspn(text + 8, digits) != 2 || text[10])
		return false;
	return sscanf(text, "%4d-%2d-%2d", &n[0], &n[1], &n[2]) == 3 && bus_clock_days(n[0], n[1], n[2], &days);
}

void gw_params_begin(struct gw_params *p, const struct gw_view *v, struct gw_grant grant, struct bus_arena *arena)
{
	memset(p, 0, sizeof(*p));
	p->view = v;
	p->grant = grant;
	p->arena = arena;
	p->query = (struct gw_query){ .view = v, .limit = GW_LIMIT_DEFAULT, .filter = p->filter, .rows = grant.rows };
	for (size_t i = 0; i < v->n_columns; i++)
		if (grant.shown >> i & 1)
			p->column[p->n_columns++] = (uint8_t)i;
}

/* The column's index if the reader may see it; else -1, refused. Names that are not shown do not exist. */
static int column_of(struct gw_params *p, const char *name)
{
	int column = gw_view_column(p->view, name);
	const char *shown[GW_COLUMNS_MAX];
	const char *near;
	size_t n = 0;

	if (column >= 0 && p->grant.shown >> column & 1)
		return column;
	for (size_t i = 0; i < p->view->n_columns; i++)
		if (p->grant.shown >> i & 1)
			shown[n++] = p->view->column[i].name;
	near = bus_nearest(name, shown, n);
	refuse(p, "column-unknown", near, "'%.60s'", name);
	return -1;
}

static bool set_limit(struct gw_params *p, const char *value)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno || *end || end == value || n < 1 || n > GW_LIMIT_MAX)
		return refuse(p, "parameter-invalid", "limit=100", "limit: 1..%d", GW_LIMIT_MAX);
	p->query.limit = (int)n;
	p->has_limit = true;
	return true;
}

static bool set_select(struct gw_params *p, const char *value)
{
	char *list = bus_arena_dup(p->arena, value, strlen(value)), *rest = list, *name;
	uint64_t taken = 0;

	if (!list)
		return refuse(p, "parameter-invalid", NULL, "select: too long");
	p->n_columns = 0;
	while ((name = strsep(&rest, ","))) {
		int column = column_of(p, name);

		if (column < 0)
			return false;
		if (!(taken >> column & 1))
			p->column[p->n_columns++] = (uint8_t)column;
		taken |= UINT64_C(1) << column;
	}
	return true;
}

static bool split_in(struct gw_params *p, struct gw_filter *f, const char *value)
{
	const char **item = bus_arena_alloc(p->arena, GW_IN_MAX * sizeof(*item));
	size_t n = strlen(value);
	char *list, *rest, *one;

	if (n < 2 || value[0] != '(' || value[n - 1] != ')')
		return refuse(p, "parameter-invalid", "in.(a,b)", "in: a list in parentheses is needed");
	list = bus_arena_dup(p->arena, value + 1, n - 2);
	if (!list || !item)
		return refuse(p, "parameter-invalid", NULL, "in: too long");
	for (rest = list; (one = strsep(&rest, ","));) {
		if (f->n == GW_IN_MAX)
			return refuse(p, "parameter-invalid", NULL, "in: at most %d values", GW_IN_MAX);
		item[f->n++] = one;
	}
	f->value = item;
	return true;
}

static bool set_filter(struct gw_params *p, const char *name, const char *text)
{
	static const struct {
		const char *name;
		enum gw_operator op;
	} operators[] = {
		{ "eq.", GW_EQ },   { "neq.", GW_NEQ }, { "lt.", GW_LT },     { "lte.", GW_LTE },
		{ "gt.", GW_GT },   { "gte.", GW_GTE }, { "like.", GW_LIKE }, { "in.", GW_IN },
	};
	int column = column_of(p, name);
	struct gw_filter *f;

	if (column < 0)
		return false;
	if (!(p->grant.clear >> column & 1))
		return refuse(p, "column-masked", NULL, "'%s'", name);
	if (p->query.n_filters == GW_FILTERS_MAX)
		return refuse(p, "parameter-invalid", NULL, "at most %d filters", GW_FILTERS_MAX);
	f = &p->filter[p->query.n_filters++];
	*f = (struct gw_filter){ .column = column };
	if (strcmp(text, "is.null") == 0 || strcmp(text, "not.is.null") == 0) {
		f->op = text[0] == 'i' ? GW_IS_NULL : GW_NOT_NULL;
		return true;
	}
	for (size_t i = 0; i < BUS_LEN(operators); i++) {
		size_t n = strlen(operators[i].name);
		const char **one;

		if (strncmp(text, operators[i].name, n) != 0)
			continue;
		f->op = operators[i].op;
		if (f->op == GW_IN)
			return split_in(p, f, text + n);
		one = bus_arena_alloc(p->arena, sizeof(*one));
		if (!one)
			return refuse(p, "parameter-invalid", NULL, "too many parameters");
		*one = text + n;
		f->value = one;
		f->n = 1;
		return true;
	}
	return refuse(p, "parameter-invalid", "eq. neq. lt. lte. gt. gte. like. in.() is.null not.is.null",
		      "'%s': an operator is needed, like %s=eq.VALUE", name, name);
}

bool gw_params_add(void *params, const char *name, const char *value)
{
	struct gw_params *p = params;

	if (strcmp(name, "limit") == 0)
		return set_limit(p, value);
	if (strcmp(name, "select") == 0)
		return set_select(p, value);
	if (strcmp(name, "after") == 0) {
		p->after = value;
		return true;
	}
	if (strcmp(name, "excel") == 0) {
		p->excel = strcmp(value, "1") == 0;
		return true;
	}
	if (strcmp(name, "per_tanggal") == 0) {
		if (!gw_date_ok(value))
			return refuse(p, "parameter-invalid", "per_tanggal=2025-12-31", "per_tanggal: YYYY-MM-DD");
		p->query.date = value;
		return true;
	}
	return set_filter(p, name, value);
}

bool gw_params_end(struct gw_params *p)
{
	if (p->problem)
		return false;
	if (p->view->dated && !p->query.date)
		return refuse(p, "date-missing", "per_tanggal=2025-12-31", "%s", p->view->name);
	return true;
}
