/* The front matter's `columns`: what every output column is. */
#include "gateway/define/front.h"

#define SOURCES_MAX GW_AUTHORITIES_MAX

/* Every entry is `table.column`. */
static enum bus_err read_sources(struct gw_front *f, struct bus_yaml_node *map, const char *key,
				 const char *const **out, size_t *n)
{
	enum bus_err rc = gw_front_list(f, map, key, SOURCES_MAX, out, n);
	const char *dot;

	for (size_t i = 0; i < *n && rc == BUS_OK; i++) {
		dot = strchr((*out)[i], '.');
		if (!dot || dot == (*out)[i] || dot[1] == '\0' || strchr(dot + 1, '.'))
			rc =
			    bus_yaml_fail(f->y, bus_yaml_get(map, key), f->err,
					  "%s '%.60s': table.column, as in the SELECT: dinsos_bansos.program",
					  key, (*out)[i]);
	}
	return rc;
}

static enum bus_err read_column(struct gw_front *f, struct bus_yaml_node *n, struct gw_column *c)
{
	static const char *const type[] = { "text", "int", "real", "bool", "json" };
	static const enum gw_type type_of[] = { GW_TEXT, GW_INT, GW_REAL, GW_BOOL, GW_JSON };
	static const char *const pdp[] = { "N", "P", "U", "S", "A" };
	static const char *const compare[] = { "exact", "plain" };
	size_t t, p, how;
	enum bus_err rc;

	if (!gw_front_is_name(n->key))
		return bus_yaml_fail(f->y, n, f->err,
				     "column name '%.60s': lower case, digits, _ only, a letter first",
				     n->key);
	if (n->kind != BUS_YAML_MAP)
		return bus_yaml_fail(f->y, n, f->err, "column '%s' wants {type: ..., pdp: ...}", n->key);
	c->name = gw_front_keep(f, n->key);
	c->line = n->line;
	if ((rc = gw_front_word(f, n, "type", true, type, BUS_LEN(type), &t)) != BUS_OK ||
	    (rc = gw_front_word(f, n, "pdp", true, pdp, BUS_LEN(pdp), &p)) != BUS_OK ||
	    (rc = gw_front_texts(f, n, "title", &c->title_id, &c->title_en)) != BUS_OK ||
	    (rc = gw_front_texts(f, n, "about", &c->about_id, &c->about_en)) != BUS_OK ||
	    (rc = gw_front_text(f, n, "unit", &c->unit)) != BUS_OK ||
	    (rc = read_sources(f, n, "from", &c->from, &c->n_from)) != BUS_OK ||
	    (rc = read_sources(f, n, "authority", &c->authority, &c->n_authority)) != BUS_OK ||
	    (rc = gw_front_word(f, n, "compare", false, compare, BUS_LEN(compare), &how)) != BUS_OK ||
	    (rc = bus_yaml_no_more(f->y, n, f->err)) != BUS_OK)
		return rc;
	c->exact = how == 0;
	c->type = type_of[t];
	c->pdp = pdp[p][0];
	return BUS_OK;
}

enum bus_err gw_front_columns(struct gw_front *f, struct bus_yaml_node *root)
{
	struct bus_yaml_node *list = bus_yaml_get(root, "columns");
	struct gw_view *v = &f->d->pub;
	enum bus_err rc = BUS_OK;
	struct gw_column *c;

	if (!list || list->kind != BUS_YAML_MAP || !list->first)
		return bus_yaml_fail(f->y, list ? list : root, f->err,
				     "'columns' wants every output column: {type: ..., pdp: ...}");
	v->n_columns = bus_yaml_count(list);
	if (v->n_columns > GW_COLUMNS_MAX)
		return bus_yaml_fail(f->y, list, f->err, "more than %d columns; make two views of it",
				     GW_COLUMNS_MAX);
	c = bus_arena_zalloc(f->d->arena, v->n_columns * sizeof(*c));
	v->column = f->column = c;
	for (struct bus_yaml_node *n = list->first; n && rc == BUS_OK; n = n->next)
		rc = read_column(f, n, c++);
	return rc;
}
