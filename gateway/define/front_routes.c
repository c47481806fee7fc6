/* The front matter's `routes`, `indexes`, `quality`. */
#include "gateway/define/front.h"

#define ROUTES_MAX 64
#define INDEXES_MAX 64
#define INDEX_COLUMNS_MAX 16

static enum bus_err add_route(struct gw_front *f, struct bus_yaml_node *n, const char *table)
{
	struct gw_route_def *r = &f->d->route[f->d->n_routes];

	if (n->kind != BUS_YAML_SCALAR || n->text_len == 0)
		return bus_yaml_fail(f->y, n, f->err,
				     "a route is a column of '%.60s' or a SELECT that gives keys", table);
	r->table = gw_front_keep(f, table);
	r->line = n->line;
	if (strchr(n->text, ' '))
		r->select = gw_front_keep(f, n->text);
	else
		r->column = gw_front_keep(f, n->text);
	f->d->n_routes++;
	return BUS_OK;
}

enum bus_err gw_front_routes(struct gw_front *f, struct bus_yaml_node *root)
{
	struct bus_yaml_node *list = bus_yaml_get(root, "routes");
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	if (!list) /* then each table must be one that needs none: gw_view_bind looks */
		return BUS_OK;
	if (list->kind != BUS_YAML_MAP)
		return bus_yaml_fail(f->y, list, f->err,
				     "'routes' wants, for every table the SELECT reads, its way to the key");
	for (struct bus_yaml_node *t = list->first; t; t = t->next)
		n += t->kind == BUS_YAML_LIST ? bus_yaml_count(t) : 1;
	if (n > ROUTES_MAX)
		return bus_yaml_fail(f->y, list, f->err, "more than %d routes", ROUTES_MAX);
	f->d->route = bus_arena_zalloc(f->d->arena, (n + 1) * sizeof(*f->d->route));
	for (struct bus_yaml_node *t = list->first; t && rc == BUS_OK; t = t->next) {
		if (t->kind != BUS_YAML_LIST) {
			rc = add_route(f, t, t->key);
			continue;
		}
		for (struct bus_yaml_node *r = t->first; r && rc == BUS_OK; r = r->next)
			rc = add_route(f, r, t->key);
	}
	return rc;
}

static enum bus_err read_index(struct gw_front *f, struct bus_yaml_node *n, struct gw_index_def *x)
{
	const char *table;
	enum bus_err rc;

	if (n->kind != BUS_YAML_MAP || !bus_yaml_get(n, "columns"))
		return bus_yaml_fail(f->y, n, f->err, "an index is {table: ..., columns: [...]}");
	rc = bus_yaml_str(f->y, n, "table", true, &table, f->err);
	if (rc == BUS_OK)
		rc = gw_front_list(f, n, "columns", INDEX_COLUMNS_MAX, &x->column, &x->n);
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(f->y, n, f->err);
	if (rc == BUS_OK)
		x->table = gw_front_keep(f, table);
	return rc;
}

enum bus_err gw_front_indexes(struct gw_front *f, struct bus_yaml_node *root)
{
	struct bus_yaml_node *list = bus_yaml_get(root, "indexes");
	enum bus_err rc = BUS_OK;

	if (!list)
		return BUS_OK;
	if (list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(f->y, list, f->err,
				     "'indexes' wants a list of {table: ..., columns: [...]}");
	if (bus_yaml_count(list) > INDEXES_MAX)
		return bus_yaml_fail(f->y, list, f->err, "more than %d indexes", INDEXES_MAX);
	f->d->index = bus_arena_zalloc(f->d->arena, (bus_yaml_count(list) + 1) * sizeof(*f->d->index));
	for (struct bus_yaml_node *n = list->first; n && rc == BUS_OK; n = n->next)
		rc = read_index(f, n, &f->d->index[f->d->n_indexes++]);
	return rc;
}

enum bus_err gw_front_quality(struct gw_front *f, struct bus_yaml_node *root)
{
	static const char *const fate[] = { "tanda", "tolak", "lepas" };
	struct bus_yaml_node *n = bus_yaml_get(root, "quality");
	struct gw_def *d = f->d;
	enum bus_err rc;
	size_t k;

	if (!n)
		return BUS_OK;
	if (n->kind != BUS_YAML_MAP)
		return bus_yaml_fail(f->y, n, f->err, "'quality' wants {opd, umpan, kelas, nasib}");
	if ((rc = gw_front_text(f, n, "opd", &d->opd)) != BUS_OK ||
	    (rc = gw_front_text(f, n, "umpan", &d->feed)) != BUS_OK ||
	    (rc = gw_front_text(f, n, "kelas", &d->class_name)) != BUS_OK ||
	    (rc = gw_front_word(f, n, "nasib", true, fate, BUS_LEN(fate), &k)) != BUS_OK ||
	    (rc = bus_yaml_no_more(f->y, n, f->err)) != BUS_OK)
		return rc;
	if (!d->opd || !d->feed || !d->class_name)
		return bus_yaml_fail(f->y, n, f->err, "'quality' wants {opd, umpan, kelas, nasib}");
	d->quality = true;
	d->fate = (enum gw_fate)k;
	return BUS_OK;
}
