/* Calls of functions: the listed ones, each in words that give what SQLite gives. */
#include <stdio.h>
#include <strings.h>

#include "gateway/store/pg_parse.h"

#define ARGS_MAX 127

struct call {
	struct bus_buf arg[ARGS_MAX];
	enum gw_pgsql_is is[ARGS_MAX];
	size_t n;
	bool distinct, star;
};

static void put_arg(struct call *c, size_t i, struct bus_buf *out)
{
	if (c->is[i] == PG_TRUTH)
		bus_buf_printf(out, "(%s)::integer::bigint", bus_buf_cstr(&c->arg[i]));
	else
		bus_buf_put(out, c->arg[i].p, c->arg[i].n);
}

static void put_args(struct call *c, struct bus_buf *out)
{
	for (size_t i = 0; i < c->n; i++) {
		bus_buf_puts(out, i ? ", " : "");
		put_arg(c, i, out);
	}
}

/* What JSON makes of it. */
static void put_json(struct call *c, size_t i, struct bus_buf *out)
{
	if (c->is[i] == PG_JSON) {
		bus_buf_printf(out, "coalesce(%s, 'null')", bus_buf_cstr(&c->arg[i]));
		return;
	}
	bus_buf_puts(out, GW_PG_SCHEMA "._json(");
	put_arg(c, i, out);
	bus_buf_putc(out, ')');
}

static void plain(struct call *c, const char *name, struct bus_buf *out)
{
	bus_buf_printf(out, "%s(%s", name, c->distinct ? "DISTINCT " : "");
	if (c->star)
		bus_buf_putc(out, '*');
	put_args(c, out);
	bus_buf_putc(out, ')');
}

/* max(a, b): NULL when one of them is. */
static void greatest(struct call *c, const char *name, struct bus_buf *out)
{
	bus_buf_puts(out, "(CASE WHEN ");
	for (size_t i = 0; i < c->n; i++) {
		bus_buf_puts(out, i ? " AND " : "");
		put_arg(c, i, out);
		bus_buf_puts(out, " IS NOT NULL");
	}
	bus_buf_puts(out, " THEN ");
	plain(c, name, out);
	bus_buf_puts(out, " END)");
}

static void json_array(struct call *c, struct bus_buf *out)
{
	bus_buf_puts(out, "('['");
	for (size_t i = 0; i < c->n; i++) {
		bus_buf_puts(out, i ? " || ',' || " : " || ");
		put_json(c, i, out);
	}
	bus_buf_puts(out, " || ']')");
}

static void json_object(struct pg_parse *p, struct call *c, struct bus_buf *out)
{
	if (c->n % 2)
		gw_pgsql_fail(p, "json_object of an odd number of values");
	bus_buf_puts(out, "('{'");
	for (size_t i = 0; i + 1 < c->n; i += 2) {
		bus_buf_puts(out, i ? " || ',' || " : " || ");
		put_json(c, i, out);
		bus_buf_puts(out, " || ':' || ");
		put_json(c, i + 1, out);
	}
	bus_buf_puts(out, " || '}')");
}

/* otoritas(a, b, ...): the first that says something. */
static void authority(struct call *c, struct bus_buf *out)
{
	bus_buf_puts(out, "coalesce(");
	for (size_t i = 0; i < c->n; i++) {
		bus_buf_puts(out, i ? ", " : "");
		bus_buf_puts(out, GW_PG_SCHEMA "._says(");
		put_arg(c, i, out);
		bus_buf_putc(out, ')');
	}
	bus_buf_putc(out, ')');
}

static void choice(struct call *c, struct bus_buf *out)
{
	bus_buf_printf(out, "(CASE WHEN %s", bus_buf_cstr(&c->arg[0]));
	bus_buf_puts(out, c->is[0] == PG_TRUTH ? " THEN " : " <> 0 THEN ");
	put_arg(c, 1, out);
	bus_buf_puts(out, " ELSE ");
	put_arg(c, 2, out);
	bus_buf_puts(out, " END)");
}

static void listing(struct pg_parse *p, struct call *c, bool json, struct bus_buf *out)
{
	p->lists = true;
	if (c->distinct)
		gw_pgsql_fail(p, "DISTINCT in an aggregate that lists its rows: take it into the sub-query");
	bus_buf_puts(out, json ? "('[' || coalesce(string_agg(" : "string_agg(" GW_PG_SCHEMA "._text(");
	if (json) {
		put_json(c, 0, out);
		bus_buf_puts(out, ", ','), '') || ']')");
		return;
	}
	put_arg(c, 0, out);
	bus_buf_puts(out, "), ");
	if (c->n > 1)
		put_arg(c, 1, out);
	else
		bus_buf_puts(out, "','");
	bus_buf_putc(out, ')');
}

/* name: SQLite's; pg: what it is called there, our own with a leading dot; arguments from least to most. */
static const struct known {
	const char *name, *pg;
	int least, most;
} known[] = {
	{ "abs", "abs", 1, 1 },
	{ "coalesce", "coalesce", 2, ARGS_MAX },
	{ "ifnull", "coalesce", 2, 2 },
	{ "instr", "._instr", 2, 2 },
	{ "length", "._length", 1, 1 },
	{ "like", "._like", 2, 3 },
	{ "lower", "lower", 1, 1 },
	{ "ltrim", "ltrim", 1, 2 },
	{ "nama_baku", ".nama_baku", 1, 1 },
	{ "nullif", "nullif", 2, 2 },
	{ "quote", "._quote", 1, 1 },
	{ "replace", "replace", 3, 3 },
	{ "round", "._round", 1, 2 },
	{ "rtrim", "rtrim", 1, 2 },
	{ "sign", "._sign", 1, 1 },
	{ "substr", "._substr", 2, 3 },
	{ "substring", "._substr", 2, 3 },
	{ "trim", "btrim", 1, 2 },
	{ "typeof", "._typeof", 1, 1 },
	{ "upper", "upper", 1, 1 },
	{ "usia_bulan", ".usia_bulan", 2, 2 },
	{ "usia_tahun", ".usia_tahun", 2, 2 },
	{ "waktu", ".waktu", 1, 1 },
	{ "_saat", "._saat", 0, 0 },
	{ "json_array_length", "._json_length", 1, 1 },
	/* aggregates */
	{ "avg", "._avg", 1, 1 },
	{ "count", "count", 0, 1 },
	{ "max", "max", 1, ARGS_MAX },
	{ "min", "min", 1, ARGS_MAX },
	{ "sum", "._sum", 1, 1 },
	{ "total", "._total", 1, 1 },
	/* said in other words */
	{ "group_concat", NULL, 1, 2 },
	{ "iif", NULL, 3, 3 },
	{ "json_array", NULL, 0, ARGS_MAX },
	{ "json_group_array", NULL, 1, 1 },
	{ "json_object", NULL, 0, ARGS_MAX },
	{ "otoritas", NULL, 1, ARGS_MAX },
};

static const struct known *find(struct pg_parse *p, const char *name)
{
	for (size_t i = 0; i < BUS_LEN(known); i++) {
		if (strcasecmp(name, known[i].name) == 0)
			return &known[i];
	}
	gw_pgsql_fail(p, "function '%s'", name);
	return NULL;
}

static enum gw_pgsql_is say(struct pg_parse *p, const struct known *k, struct call *c, struct bus_buf *out)
{
	char own[40];

	if (k->pg && c->n > 1 && (strcmp(k->name, "max") == 0 || strcmp(k->name, "min") == 0)) {
		greatest(c, k->name[1] == 'a' ? "greatest" : "least", out);
	} else if (k->pg) {
		snprintf(own, sizeof(own), GW_PG_SCHEMA "%s", k->pg);
		plain(c, k->pg[0] == '.' ? own : k->pg, out);
	} else if (strcmp(k->name, "iif") == 0) {
		choice(c, out);
	} else if (strcmp(k->name, "otoritas") == 0) {
		authority(c, out);
	} else if (strcmp(k->name, "json_object") == 0) {
		json_object(p, c, out);
		return PG_JSON;
	} else if (strcmp(k->name, "json_array") == 0) {
		json_array(c, out);
		return PG_JSON;
	} else {
		bool json = strcmp(k->name, "json_group_array") == 0;

		listing(p, c, json, out);
		return json ? PG_JSON : PG_VALUE;
	}
	return PG_VALUE;
}

enum gw_pgsql_is gw_pgsql_call(struct pg_parse *p, const char *name, struct bus_buf *out)
{
	const struct known *k = find(p, name);
	struct call *c = bus_xcalloc(1, sizeof(*c));
	enum gw_pgsql_is is = PG_VALUE;

	c->distinct = gw_pgsql_take(p, "DISTINCT");
	if (gw_pgsql_take(p, "*")) {
		c->star = true;
	} else if (!gw_pgsql_is(p, 0, ")")) {
		do {
			if (c->n == ARGS_MAX) {
				gw_pgsql_fail(p, "more than %d arguments", ARGS_MAX);
				break;
			}
			c->is[c->n] = gw_pgsql_expr(p, &c->arg[c->n]);
			bus_buf_cstr(&c->arg[c->n]);
			c->n++;
		} while (gw_pgsql_take(p, ",") && p->rc == BUS_OK);
	}
	gw_pgsql_want(p, ")");
	if (k && ((int)c->n < k->least || (int)c->n > k->most))
		gw_pgsql_fail(p, "%s with %zu arguments", k->name, c->n);
	if (c->star && k && strcmp(k->name, "count") != 0)
		gw_pgsql_fail(p, "%s(*)", k->name);
	if (k && p->rc == BUS_OK)
		is = say(p, k, c, out);
	if (gw_pgsql_is(p, 0, "OVER"))
		gw_pgsql_fail(p, "OVER: windows");
	if (gw_pgsql_take(p, "FILTER")) {
		if (is == PG_JSON)
			gw_pgsql_fail(p, "FILTER after json_group_array: take it into WHERE");
		gw_pgsql_want(p, "(");
		gw_pgsql_want(p, "WHERE");
		bus_buf_puts(out, " FILTER (WHERE ");
		gw_pgsql_truth(p, out);
		gw_pgsql_want(p, ")");
		bus_buf_putc(out, ')');
	}
	for (size_t i = 0; i < c->n; i++)
		bus_buf_release(&c->arg[i]);
	free(c);
	return is;
}
