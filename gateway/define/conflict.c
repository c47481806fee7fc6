#include "gateway/define/conflict.h"

#include <stdio.h>

/* A source as declared: `table.column`, and how its rows are found from the view's key. */
struct voice {
	const char *table, *column; /* in the definition's arena */
	const char *by;		    /* column of the table that holds the view's key */
	bool other;		    /* of another department than the first authority's */
};

static size_t department(const char *table)
{
	return strcspn(table, "_.");
}

/* The route's column where the view declares one, else the column called as the view's key. */
static const char *way_to(const struct gw_def *d, const char *table)
{
	for (size_t i = 0; i < d->n_routes; i++) {
		if (d->route[i].column && strcmp(d->route[i].table, table) == 0)
			return d->route[i].column;
	}
	return d->pub.column[d->pub.key].name;
}

static size_t voices(const struct gw_def *d, const struct gw_column *c, struct voice *out, size_t max)
{
	const char *first = c->n_authority ? c->authority[0] : "", *dot;
	size_t n = 0;

	for (size_t i = 0; i < c->n_authority && n < max; i++) {
		dot = strchr(c->authority[i], '.');
		out[n].table = bus_arena_dup(d->arena, c->authority[i], (size_t)(dot - c->authority[i]));
		out[n].column = dot + 1;
		out[n].by = way_to(d, out[n].table);
		out[n].other = department(c->authority[i]) != department(first) ||
			       strncmp(c->authority[i], first, department(first)) != 0;
		n++;
	}
	return n;
}

static bool disputed(const struct gw_def *d, const struct gw_column *c, struct voice *v, size_t *n)
{
	bool any = false;

	*n = voices(d, c, v, GW_AUTHORITIES_MAX);
	for (size_t i = 0; i < *n; i++)
		any |= v[i].other;
	return any;
}

/* --- the SELECT --------------------------------------------------------------------------------------- */

/* Records of v that concern w and say something; `same`: what w says, else anything but. */
static void put_where(struct bus_buf *b, const struct gw_def *d, const struct gw_column *c,
		      const struct voice *v, const char *alias, bool same)
{
	const char *open = c->exact ? "" : "nama_baku(", *close = c->exact ? "" : ")";

	bus_buf_printf(b, "WHERE %s.\"%s\" = w.\"%s\" AND %s.\"%s\" <> '' AND %s%s.\"%s\"%s %s %sw.\"%s\"%s",
		       alias, v->by, d->pub.column[d->pub.key].name, alias, v->column, open, alias, v->column,
		       close, same ? "=" : "<>", open, c->name, close);
}

static void put_source(struct bus_buf *b, const struct gw_def *d, const struct gw_column *c,
		       const struct voice *v, size_t n)
{
	bus_buf_puts(b, "  CASE");
	for (size_t i = 0; i < n; i++) {
		bus_buf_printf(b, "\n   WHEN EXISTS (SELECT 1 FROM \"%s\" s ", v[i].table);
		put_where(b, d, c, &v[i], "s", true);
		bus_buf_printf(b, ") THEN '%s.%s'", v[i].table, v[i].column);
	}
	bus_buf_printf(b, " END AS \"%s_sumber\",\n", c->name);
}

static void put_others(struct bus_buf *b, const struct gw_def *d, const struct gw_column *c,
		       const struct voice *v, size_t n)
{
	const char *between = "";

	bus_buf_puts(b, "  (SELECT json_group_array(json_object('sumber', x.sumber, 'nilai', x.nilai, "
			"'catatan', x.catatan, "
			"'sejak', x.sejak)) FROM (SELECT sumber, nilai, catatan, sejak FROM (");
	for (size_t i = 0; i < n; i++) {
		if (!v[i].other)
			continue;
		bus_buf_printf(b, "%s\n   SELECT '%s.%s' AS sumber, %zu AS urut, (SELECT z.\"%s\" FROM \"%s\" z ", between,
			       v[i].table, v[i].column, i, v[i].column, v[i].table);
		put_where(b, d, c, &v[i], "z", false);
		bus_buf_printf(b,
			       " ORDER BY z._ts DESC, z._part, z._off DESC LIMIT 1) AS nilai,\n"
			       "    count(*) AS catatan, waktu(min(s._ts)) AS sejak FROM \"%s\" s ",
			       v[i].table);
		put_where(b, d, c, &v[i], "s", false);
		bus_buf_printf(b, " GROUP BY s.\"%s\"", v[i].by);
		between = " UNION ALL";
	}
	bus_buf_printf(b, ") ORDER BY urut) x) AS \"%s_lain\"", c->name);
	for (size_t i = 0; i < n; i++) {
		if (!v[i].other)
			continue;
		bus_buf_printf(b, ",\n  (SELECT count(*) FROM \"%s\" s ", v[i].table);
		put_where(b, d, c, &v[i], "s", false);
		bus_buf_printf(b, ") AS \"%s_%s\"", c->name, v[i].table);
	}
}

static void put_select(struct bus_buf *b, const struct gw_def *d)
{
	struct voice v[GW_AUTHORITIES_MAX];
	struct bus_buf outer = { 0 }, sum = { 0 };
	const char *key = d->pub.column[d->pub.key].name;
	size_t n;

	bus_buf_printf(&outer, "SELECT q.\"%s\"", key);
	bus_buf_printf(b, "FROM (SELECT w.\"%s\" AS \"%s\"", key, key);
	for (size_t i = 0; i < d->pub.n_columns; i++) {
		const struct gw_column *c = &d->pub.column[i];

		if (!disputed(d, c, v, &n))
			continue;
		bus_buf_printf(b, ",\n  w.\"%s\" AS \"%s\",\n", c->name, c->name);
		put_source(b, d, c, v, n);
		put_others(b, d, c, v, n);
		bus_buf_printf(&outer, ", q.\"%s\", q.\"%s_sumber\", q.\"%s_lain\"", c->name, c->name,
			       c->name);
		for (size_t k = 0; k < n; k++) {
			if (!v[k].other)
				continue;
			bus_buf_printf(&outer, ", q.\"%s_%s\"", c->name, v[k].table);
			bus_buf_printf(&sum, "%sq.\"%s_%s\" > 0", sum.n ? " OR " : "", c->name, v[k].table);
		}
	}
	if (d->full)
		bus_buf_printf(b, "\n FROM \"%s\" w) q\nWHERE ", d->pub.name);
	else
		bus_buf_printf(b, "\n FROM (\n%s\n) w) q\nWHERE ", d->body);
	bus_buf_put(b, sum.p, sum.n);
	bus_buf_putc(&outer, '\n');
	bus_buf_put(&outer, b->p, b->n);
	bus_buf_reset(b);
	bus_buf_put(b, outer.p, outer.n);
	bus_buf_release(&outer);
	bus_buf_release(&sum);
}

/* --- the front matter --------------------------------------------------------------------------------- */

static const char * or (const char *s, const char *none)
{
	return s ? s : none;
}

/* As a YAML text in single quotes. */
static void put_quoted(struct bus_buf *b, const char *s)
{
	bus_buf_putc(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			bus_buf_putc(b, '\'');
		bus_buf_putc(b, *s == '\n' ? ' ' : *s);
	}
	bus_buf_putc(b, '\'');
}

static void put_two(struct bus_buf *b, const char *before, const char *id, const char *more_id,
		    const char *en, const char *more_en, const char *after)
{
	struct bus_buf text = { 0 };

	bus_buf_printf(&text, "%s%s", id, more_id);
	bus_buf_printf(b, "%s{id: ", before);
	put_quoted(b, bus_buf_cstr(&text));
	bus_buf_reset(&text);
	bus_buf_printf(&text, "%s%s", en, more_en);
	bus_buf_puts(b, ", en: ");
	put_quoted(b, bus_buf_cstr(&text));
	bus_buf_printf(b, "}%s", after);
	bus_buf_release(&text);
}

static void put_columns(struct bus_buf *b, const struct gw_def *d)
{
	const struct gw_column *key = &d->pub.column[d->pub.key];
	struct voice v[GW_AUTHORITIES_MAX];
	size_t n;

	bus_buf_printf(b, "columns:\n  %s: {type: text, pdp: %c, ", key->name, key->pdp);
	put_two(b, "title: ", or (key->title_id, key->name), "", or (key->title_en, key->name), "", "}\n");
	for (size_t i = 0; i < d->pub.n_columns; i++) {
		const struct gw_column *c = &d->pub.column[i];
		const char *id = or (c->title_id, c->name), *en = or (c->title_en, id);

		if (!disputed(d, c, v, &n))
			continue;
		bus_buf_printf(b, "  %s: {type: %s, pdp: %c, ", c->name,
			       c->type == GW_INT    ? "int"
			       : c->type == GW_REAL ? "real"
			       : c->type == GW_BOOL ? "bool"
						    : "text",
			       c->pdp);
		put_two(b, "title: ", id, ", yang berlaku", en, ", as it holds", "}\n");
		bus_buf_printf(b, "  %s_sumber: {type: text, pdp: %c, ", c->name, c->pdp);
		put_two(b, "title: ", id, ": menurut siapa", en, ": according to whom", "}\n");
		bus_buf_printf(b, "  %s_lain: {type: json, pdp: %c, ", c->name, c->pdp);
		put_two(b, "title: ", id, ": menurut yang lain", en, ": according to the others", "}\n");
		for (size_t k = 0; k < n; k++) {
			if (!v[k].other)
				continue;
			bus_buf_printf(b, "  %s_%s: {type: int, pdp: %c, ", c->name, v[k].table, c->pdp);
			put_two(b, "title: ", id, ": rekaman yang berbeda", en, ": records that differ",
				"}\n");
		}
	}
}

/* The routes of a view whose SELECT stands in ours. */
static void put_own_routes(struct bus_buf *b, const struct gw_def *d, struct bus_buf *done)
{
	char word[140];

	for (size_t i = 0; i < d->n_routes; i++) {
		snprintf(word, sizeof(word), " %s ", d->route[i].table);
		if (strstr(bus_buf_cstr(done), word))
			continue;
		bus_buf_puts(done, word);
		bus_buf_printf(b, "  %s:\n", d->route[i].table);
		for (size_t k = i; k < d->n_routes; k++) {
			if (strcmp(d->route[k].table, d->route[i].table) != 0)
				continue;
			bus_buf_puts(b, "    - ");
			put_quoted(b, d->route[k].column ? d->route[k].column : d->route[k].select);
			bus_buf_putc(b, '\n');
		}
	}
}

static void put_routes(struct bus_buf *b, const struct gw_def *d)
{
	struct voice v[GW_AUTHORITIES_MAX];
	struct bus_buf done = { 0 };
	char word[140];
	size_t n;

	bus_buf_puts(b, "routes:\n");
	if (d->full)
		bus_buf_printf(b, "  %s: %s\n", d->pub.name, d->pub.column[d->pub.key].name);
	else
		put_own_routes(b, d, &done);
	for (size_t i = 0; i < d->pub.n_columns; i++) {
		if (!disputed(d, &d->pub.column[i], v, &n))
			continue;
		for (size_t k = 0; k < n; k++) {
			snprintf(word, sizeof(word), " %s ", v[k].table);
			if (strstr(bus_buf_cstr(&done), word))
				continue;
			bus_buf_puts(&done, word);
			bus_buf_printf(b, "  %s: %s\n", v[k].table, v[k].by);
		}
	}
	bus_buf_release(&done);
}

static void put_definition(struct bus_buf *b, const struct gw_def *d)
{
	const struct gw_view *p = &d->pub;
	struct bus_buf body = { 0 };

	bus_buf_printf(b, "/*---\nname: %s%s\nkey: %s\nstore: full\n", p->name, GW_CONFLICT_SUFFIX,
		       p->column[p->key].name);
	put_two(b, "title: ", or (p->title_id, p->name), ": sengketa antar-OPD",
		or (p->title_en, or (p->title_id, p->name)), ": where departments disagree", "\n");
	put_two(b, "about: ",
		"Baris yang menurut rekaman OPD lain berbunyi lain. Yang berlaku ditentukan urutan "
		"kewenangan yang "
		"dinyatakan tayangan ",
		p->name,
		"Rows of which another department's records say something else. What holds is decided by the "
		"order of "
		"authority that the view declares: ",
		p->name, "\n");
	if (p->owner)
		bus_buf_printf(b, "owner: %s\n", p->owner);
	if (p->purpose_id)
		put_two(b, "purpose: ", p->purpose_id, "", or (p->purpose_en, p->purpose_id), "", "\n");
	if (p->basis) {
		bus_buf_puts(b, "basis: ");
		put_quoted(b, p->basis);
		bus_buf_putc(b, '\n');
	}
	if (p->dpia)
		bus_buf_printf(b, "dpia: %s\n", p->dpia);
	put_routes(b, d);
	put_columns(b, d);
	bus_buf_puts(b, "---*/\n");
	put_select(&body, d);
	bus_buf_put(b, body.p, body.n);
	bus_buf_release(&body);
}

/* Which column of the view each one is about, and whose records it counts. */
static void mark(const struct gw_def *d, struct gw_def *made)
{
	struct gw_column *column = (struct gw_column *)(uintptr_t)made->pub.column;
	struct voice v[GW_AUTHORITIES_MAX];
	size_t n, k, at = 1;

	made->pub.conflicts_of = bus_arena_dup(made->arena, d->pub.name, strlen(d->pub.name));
	column[0].conflict_of = column[0].name;
	for (size_t i = 0; i < d->pub.n_columns; i++) {
		const char *of;

		if (!disputed(d, &d->pub.column[i], v, &n))
			continue;
		of = bus_arena_dup(made->arena, d->pub.column[i].name, strlen(d->pub.column[i].name));
		for (k = 0; k < 3; k++)
			column[at++].conflict_of = of;
		for (k = 0; k < n; k++) {
			if (!v[k].other)
				continue;
			column[at].conflict_of = of;
			column[at++].conflict_table =
			    bus_arena_dup(made->arena, v[k].table, strlen(v[k].table));
		}
	}
}

enum bus_err gw_conflict_view(const struct gw_def *d, struct gw_def **out, struct bus_error *err)
{
	struct voice v[GW_AUTHORITIES_MAX];
	struct bus_buf text = { 0 };
	const struct gw_column *c = NULL;
	char file[300];
	enum bus_err rc;
	size_t n;

	*out = NULL;
	for (size_t i = 0; i < d->pub.n_columns && !c; i++) {
		if (disputed(d, &d->pub.column[i], v, &n))
			c = &d->pub.column[i];
	}
	if (!c)
		return BUS_OK;
	if (d->pub.dated || (!d->full && d->n_routes == 0))
		return bus_fail(
		    err, BUS_EPARSE, "%s:%d: 'authority' of column '%s': %s", d->file, c->line, c->name,
		    d->pub.dated ? "a view that depends on the day cannot have it"
				 : "where departments disagree is kept by the view's routes: declare them, "
				   "or 'store: full'");
	put_definition(&text, d);
	snprintf(file, sizeof(file), "%s (authority)", d->file);
	rc = gw_view_parse(file, bus_buf_cstr(&text), text.n, out, err);
	if (rc == BUS_OK)
		mark(d, *out);
	bus_buf_release(&text);
	return rc;
}

bool gw_conflict_base(const char *name, char base[64])
{
	size_t n = strlen(name), end = strlen(GW_CONFLICT_SUFFIX);

	if (n <= end || n - end >= 64 || strcmp(name + n - end, GW_CONFLICT_SUFFIX) != 0)
		return false;
	memcpy(base, name, n - end);
	base[n - end] = '\0';
	return true;
}

enum bus_err gw_conflict_adopt(struct gw_def **d, const struct gw_def *base, struct bus_error *err)
{
	struct gw_def *made = NULL;
	enum bus_err rc = BUS_OK;
	char name[64];

	if (!gw_conflict_base((*d)->pub.name, name))
		return BUS_OK;
	if (base)
		rc = gw_conflict_view(base, &made, err);
	if (rc != BUS_OK)
		return rc;
	if (!made || !bus_str_eq(made->text, (*d)->text)) {
		gw_view_free(&made);
		return bus_fail(
		    err, BUS_ECONFLICT,
		    "%s: the name is kept for what the authorities of view '%s' give, and this is not it",
		    (*d)->file, name);
	}
	gw_view_free(d);
	*d = made;
	return BUS_OK;
}
