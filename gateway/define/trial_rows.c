#include "gateway/define/trial_rows.h"

#include <strings.h>

#include "gateway/define/sql.h"

#define LITERALS_MAX 256
#define SHARED 5 /* values that all text columns have in common, so that joins meet */
#define KEYS 9

struct literal {
	struct bus_str column; /* it was compared with; n 0: with something else */
	struct bus_str text;   /* as SQL has it between its quotes */
	bool number;
};

struct gw_maker {
	uint64_t state;
	struct literal literal[LITERALS_MAX];
	size_t n;
};

static bool is_comparison(const struct gw_sql_token *t)
{
	static const char *const sign[] = { "=",  "==",	  "<>", "!=",	   "<",	  ">",	 "<=", ">=",
					    "IN", "LIKE", "IS", "BETWEEN", "AND", "NOT", "(",  "," };

	for (size_t i = 0; i < BUS_LEN(sign); i++) {
		if (gw_sql_is(t, sign[i]))
			return true;
	}
	return false;
}

/* A literal belongs to the name before it, as long as only comparisons and other literals stand between. */
static void gather(struct gw_maker *m, const char *sql)
{
	struct bus_str column = { 0 };
	struct gw_sql_token t;

	for (const char *p = gw_sql_next(sql, &t); t.kind != GW_SQL_END && m->n < LITERALS_MAX;
	     p = gw_sql_next(p, &t)) {
		if (t.kind == GW_SQL_STRING || t.kind == GW_SQL_NUMBER)
			m->literal[m->n++] = (struct literal){ column, t.text, t.kind == GW_SQL_NUMBER };
		else if (!is_comparison(&t))
			column =
			    t.kind == GW_SQL_WORD || t.kind == GW_SQL_QUOTED ? t.text : (struct bus_str){ 0 };
	}
}

struct gw_maker *gw_maker_new(const struct gw_def *d, uint64_t seed)
{
	struct gw_maker *m = bus_xcalloc(1, sizeof(*m));

	m->state = seed * 0x9e3779b97f4a7c15 + 1;
	gather(m, d->body);
	for (size_t i = 0; i < d->n_routes; i++) {
		if (d->route[i].select)
			gather(m, d->route[i].select);
	}
	return m;
}

void gw_maker_free(struct gw_maker **m)
{
	free(*m);
	*m = NULL;
}

/* splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere. */
uint64_t gw_maker_random(struct gw_maker *m, uint64_t below)
{
	uint64_t z = m->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % below;
}

static bool same(struct bus_str a, const char *b)
{
	return strlen(b) == a.n && strncasecmp(a.p, b, a.n) == 0;
}

/* One of the literals that this column was compared with; NULL: there is none. */
static const struct literal *own_literal(struct gw_maker *m, const char *column)
{
	const struct literal *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->literal[i].column.n > 0 && same(m->literal[i].column, column) &&
		    gw_maker_random(m, ++n) == 0)
			found = &m->literal[i];
	}
	return found;
}

static void put_text(struct gw_maker *m, const char *column, struct bus_buf *out)
{
	const struct literal *own = own_literal(m, column);
	uint64_t dice = gw_maker_random(m, 100);

	if (own && dice < 60)
		bus_buf_printf(out, "'%.*s'", (int)own->text.n, own->text.p);
	else if (strncmp(column, "tgl", 3) == 0 || strncmp(column, "waktu", 5) == 0 ||
		 strncmp(column, "tanggal", 7) == 0)
		bus_buf_printf(out, "'20%02d-0%d-1%d'", 10 + (int)gw_maker_random(m, 15),
			       1 + (int)gw_maker_random(m, 3), (int)gw_maker_random(m, 3));
	else if (dice > 88 && m->n > 0)
		/* the beginning of something longer, for those who look at beginnings */
		bus_buf_printf(out, "'%.*s%s'", (int)m->literal[dice % m->n].text.n,
			       m->literal[dice % m->n].text.p, dice > 94 ? "471010" : "");
	else
		bus_buf_printf(out, "'k%d'", (int)gw_maker_random(m, SHARED));
}

static void put_number(struct gw_maker *m, const char *column, struct bus_buf *out)
{
	const struct literal *own = own_literal(m, column);

	if (own && own->number && gw_maker_random(m, 2))
		bus_buf_printf(out, "%.*s + %d", (int)own->text.n, own->text.p,
			       (int)gw_maker_random(m, 3) - 1);
	else
		bus_buf_printf(out, "%d", (int)gw_maker_random(m, 4));
}

void gw_maker_value(struct gw_maker *m, const struct gw_world_table *t, size_t column, struct bus_buf *out)
{
	const struct gw_world_column *c = &t->column[column];

	if (strcmp(c->name, t->key) == 0) {
		bus_buf_printf(out, "'k%d'", (int)gw_maker_random(m, KEYS));
		return;
	}
	if (gw_maker_random(m, 10) == 0) {
		bus_buf_puts(out, "NULL");
		return;
	}
	switch (c->type) {
	case GW_BOOL:
		bus_buf_printf(out, "%d", (int)gw_maker_random(m, 2));
		break;
	case GW_INT:
	case GW_REAL:
		put_number(m, c->name, out);
		break;
	case GW_JSON:
		bus_buf_puts(out, gw_maker_random(m, 2) ? "'[\"k1\"]'" : "'[]'");
		break;
	default:
		put_text(m, c->name, out);
		break;
	}
}
