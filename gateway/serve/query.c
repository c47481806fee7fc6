#include "gateway/serve/query.h"

#include <errno.h>
#include <stdio.h>

#include "gateway/serve/moment.h"
#include "bus/clock.h"
#include "bus/yaml.h"

#define NAME_MAX 63 /* of a column in the answer */

bool gw_params_refuse(struct gw_params *p, const char *code, const char *hint, const char *fmt, ...)
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
	return sscanf(text, "%4d-%2d-%2d", &n[0], &n[1], &n[2]) == 3 &&
	       bus_clock_days(n[0], n[1], n[2], &days);
}

static void show(struct gw_params *p, size_t column, const char *name)
{
	p->column[p->n_columns] = (uint8_t)column;
	p->name[p->n_columns++] = name;
}

static void show_all(struct gw_params *p)
{
	for (size_t i = 0; i < p->view->n_columns && p->n_columns < GW_COLUMNS_MAX; i++)
		if (p->grant.shown >> i & 1)
			show(p, i, p->view->column[i].name);
}

void gw_params_begin(struct gw_params *p, const struct gw_view *v, struct gw_grant grant,
		     struct bus_arena *arena)
{
	memset(p, 0, sizeof(*p));
	p->view = v;
	p->grant = grant;
	p->arena = arena;
	p->query = (struct gw_query){ .view = v,
				      .limit = GW_LIMIT_DEFAULT,
				      .filter = p->filter,
				      .order = p->order,
				      .rows = grant.rows };
	show_all(p);
}

/* The nearest name, or all there are, as far as they fit. */
static void refuse_name(struct gw_params *p, const char *name, const char *const *shown, size_t n)
{
	const char *near = bus_nearest(name, shown, n);
	size_t at = 0;

	gw_params_refuse(p, "column-unknown", near, "'%s'", name);
	for (size_t i = 0; !near && i < n && at + strlen(shown[i]) + 2 < sizeof(p->hint); i++)
		at += (size_t)snprintf(p->hint + at, sizeof(p->hint) - at, "%s%s", i ? " " : "", shown[i]);
}

/* Names that are not shown do not exist. */
int gw_params_column(struct gw_params *p, struct bus_str name, enum gw_use use)
{
	const char *shown[GW_COLUMNS_MAX];
	char text[NAME_MAX + 1];
	size_t n = 0;

	snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
	for (size_t i = 0; i < p->view->n_columns; i++) {
		if (!(p->grant.shown >> i & 1))
			continue;
		shown[n++] = p->view->column[i].name;
		if (!bus_str_eq(name, bus_str(p->view->column[i].name)))
			continue;
		if (use == GW_USE_SHOW || p->grant.clear >> i & 1)
			return (int)i;
		gw_params_refuse(p, "column-masked", NULL, "'%s'", text);
		return -1;
	}
	refuse_name(p, text, shown, n);
	return -1;
}

static bool set_number(struct gw_params *p, const char *name, const char *value, int max, int *out)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (*end || end == value || n < 0)
		return gw_params_refuse(p, "parameter-invalid", NULL, "%s: 0..%d", name, max);
	if (errno || n > max)
		return gw_params_refuse(p, "range-too-large", NULL, "%s: 0..%d", name, max);
	*out = (int)n;
	return true;
}

/* --- select ----------------------------------------------------------------------------------------- */

static struct bus_str unquoted(struct bus_str s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return (struct bus_str){ s.p + 1, s.n - 2 };
	return s;
}

/* `column` or `name:column`. */
static bool select_one(struct gw_params *p, const char *item, size_t n)
{
	const char *colon = memchr(item, ':', n);
	struct bus_str column = { item, n }, as;
	const char *name;
	int i;

	if (n == 1 && item[0] == '*') {
		show_all(p);
		return true;
	}
	if (memchr(item, '(', n))
		return gw_params_refuse(p, "not-offered", "a,b,name:c",
					"select: other views cannot be embedded, nor rows summed up");
	if (colon && colon[1] == ':')
		return gw_params_refuse(p, "not-offered", "a,b,name:c", "select: no casts");
	if (memmem(item, n, "->", 2))
		return gw_params_refuse(p, "not-offered", "a,b,name:c", "select: no paths into JSON");
	if (colon)
		column = (struct bus_str){ colon + 1, n - (size_t)(colon + 1 - item) };
	if ((i = gw_params_column(p, unquoted(column), GW_USE_SHOW)) < 0)
		return false;
	name = p->view->column[i].name;
	if (colon) {
		as = unquoted((struct bus_str){ item, (size_t)(colon - item) });
		if (as.n == 0 || as.n > NAME_MAX)
			return gw_params_refuse(p, "parameter-invalid", "name:column",
						"select: a name has 1 to %d bytes", NAME_MAX);
		name = bus_arena_dup(p->arena, as.p, as.n);
	}
	for (size_t k = 0; name && k < p->n_columns; k++)
		if (strcmp(p->name[k], name) == 0)
			return p->column[k] == i ||
			       gw_params_refuse(p, "parameter-invalid", NULL, "select: '%s' twice", name);
	if (!name || p->n_columns == GW_COLUMNS_MAX)
		return gw_params_refuse(p, "parameter-invalid", NULL, "select: too long");
	show(p, (size_t)i, name);
	return true;
}

static bool set_select(struct gw_params *p, const char *value)
{
	p->n_columns = 0;
	for (;;) {
		size_t n = strcspn(value, ",");

		if (!select_one(p, value, n))
			return false;
		if (!value[n])
			return true;
		value += n + 1;
	}
}

/* --- order ------------------------------------------------------------------------------------------ */

/* `column`, `column.desc`, `column.asc.nullsfirst`; PostgreSQL takes null for the greatest value. */
static bool order_one(struct gw_params *p, const char *item, size_t n)
{
	struct gw_order *o = &p->order[p->query.n_order];
	size_t name = 0, word;

	while (name < n && item[name] != '.')
		name++;
	if (p->query.n_order == GW_ORDER_MAX)
		return gw_params_refuse(p, "parameter-invalid", NULL, "order: at most %d columns",
					GW_ORDER_MAX);
	*o = (struct gw_order){ .column = gw_params_column(p, unquoted((struct bus_str){ item, name }),
							   GW_USE_VALUE) };
	if (o->column < 0)
		return false;
	if (name < n && n - name >= 4 && strncmp(item + name, ".asc", 4) == 0)
		name += 4;
	else if (name < n && n - name >= 5 && strncmp(item + name, ".desc", 5) == 0) {
		o->descending = true;
		name += 5;
	}
	o->nulls_first = o->descending;
	word = n - name;
	if (word == 11 && strncmp(item + name, ".nullsfirst", word) == 0)
		o->nulls_first = true;
	else if (word == 10 && strncmp(item + name, ".nullslast", word) == 0)
		o->nulls_first = false;
	else if (word > 0)
		return gw_params_refuse(p, "parameter-invalid", "order=column.desc.nullslast",
					"order: after the column, asc or desc, then nullsfirst or nullslast");
	for (size_t i = 0; i < p->query.n_order; i++)
		if (p->order[i].column == o->column)
			return true; /* has been decided */
	p->query.n_order++;
	return true;
}

static bool set_order(struct gw_params *p, const char *value)
{
	for (;;) {
		size_t n = strcspn(value, ",");

		if (!order_one(p, value, n))
			return false;
		if (!value[n])
			break;
		value += n + 1;
	}
	/* No two rows share the key: what comes behind it decides nothing; and by the key is as it is anyhow. */
	for (size_t i = 0; i < p->query.n_order; i++)
		if (p->order[i].column == (int)p->view->key)
			p->query.n_order = i + p->order[i].descending;
	return true;
}

/* --- all -------------------------------------------------------------------------------------------- */

bool gw_params_add(void *params, const char *name, const char *value)
{
	struct gw_params *p = params;

	if (strcmp(name, "limit") == 0) {
		p->has_limit = true;
		return set_number(p, name, value, GW_LIMIT_MAX, &p->query.limit);
	}
	if (strcmp(name, "offset") == 0)
		return set_number(p, name, value, GW_OFFSET_MAX, &p->query.offset);
	if (strcmp(name, "select") == 0)
		return set_select(p, value);
	if (strcmp(name, "order") == 0)
		return set_order(p, value);
	if (strcmp(name, "after") == 0) {
		p->after = value;
		return true;
	}
	if (strcmp(name, "excel") == 0) {
		p->excel = strcmp(value, "1") == 0;
		if (!p->excel && strcmp(value, "0") != 0)
			return gw_params_refuse(p, "parameter-invalid", "excel=1", "excel: 0, 1");
		return true;
	}
	if (strcmp(name, "provenance") == 0) {
		p->provenance = strcmp(value, "true") == 0;
		if (!p->provenance && strcmp(value, "false") != 0)
			return gw_params_refuse(p, "parameter-invalid", "provenance=true", "provenance: true, false");
		return true;
	}
	if (strcmp(name, "as_of") == 0) {
		p->as_of = gw_moment_read(value, &p->moment_ms) && p->moment_ms >= 0;
		return p->as_of || gw_params_refuse(p, "parameter-invalid", "as_of=2025-12-31, as_of=2025-12-31T10:00:00Z",
						    "as_of");
	}
	if (strcmp(name, "per_tanggal") == 0) {
		if (!gw_date_ok(value))
			return gw_params_refuse(p, "parameter-invalid", "per_tanggal=2025-12-31",
						"per_tanggal: YYYY-MM-DD");
		p->query.date = value;
		return true;
	}
	return gw_filter_add(p, name, value);
}

bool gw_params_end(struct gw_params *p)
{
	if (p->problem)
		return false;
	if (p->as_of && p->provenance)
		return gw_params_refuse(p, "parameter-invalid", NULL, "provenance: as_of");
	if (p->view->dated && !p->query.date)
		return gw_params_refuse(p, "date-missing", "per_tanggal=2025-12-31", "%s", p->view->name);
	if (p->after && p->query.offset > 0)
		return gw_params_refuse(p, "parameter-invalid", NULL, "after, offset: one of them");
	return true;
}
