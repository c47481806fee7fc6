/* Relations that views read, and the views that listen to their changes. */
#include <assert.h>
#include <strings.h>

#include "gateway/engine/core.h"

enum bus_err gw_rel_make(struct gw_engine *e, const char *name, struct gw_rel **out, struct bus_error *err)
{
	struct gw_rel *rel = bus_xcalloc(1, sizeof(*rel));
	struct bus_buf sql = { 0 };
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	bool row;

	rel->name = bus_xstrdup(name);
	bus_buf_printf(&sql, "SELECT name FROM pragma_table_info('%s') ORDER BY cid", name);
	rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		struct bus_str column = gw_stmt_text(s, 0);

		rel->column = bus_xrealloc(rel->column, (rel->n_columns + 1) * sizeof(*rel->column));
		rel->column[rel->n_columns++] = bus_xstrndup(column.p, column.n);
	}
	gw_stmt_free(&s);
	bus_buf_release(&sql);
	if (rc == BUS_OK)
		rc = gw_db_int(e->db, 0, &rel->rows, err, "SELECT count(*) FROM \"%s\"", name);
	*out = rel;
	return rc;
}

static void listener_release(struct gw_listener *l)
{
	for (size_t k = 0; k < l->n_routes; k++) {
		gw_stmt_free(&l->route[k].select);
		gw_keys_release(&l->route[k].pending);
	}
	free(l->route);
	free(l->reads);
}

void gw_rel_free(struct gw_rel **rel)
{
	struct gw_rel *r = *rel;

	if (!r)
		return;
	for (size_t i = 0; i < r->n_listeners; i++)
		listener_release(&r->listener[i]);
	for (size_t i = 0; i < r->n_columns; i++)
		free(r->column[i]);
	free(r->column);
	free(r->listener);
	free(r->name);
	free(r);
	*rel = NULL;
}

int gw_rel_column(const struct gw_rel *rel, const char *name)
{
	for (size_t i = 0; i < rel->n_columns; i++) {
		if (strcasecmp(rel->column[i], name) == 0)
			return (int)i;
	}
	return -1;
}

struct gw_rel *gw_rel_find(struct gw_engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_topics; i++) {
		if (e->topic[i].rel && strcmp(e->topic[i].rel->name, name) == 0)
			return e->topic[i].rel;
	}
	for (size_t i = 0; i < e->n_views; i++) {
		if (e->view[i]->rel && strcmp(e->view[i]->rel->name, name) == 0)
			return e->view[i]->rel;
	}
	return NULL;
}

static enum bus_err prepare_route(struct gw_engine *e, const struct gw_rel *rel,
				  const struct gw_route_def *def, struct gw_route *r, struct bus_error *err)
{
	enum bus_err rc;

	*r = (struct gw_route){ .column = -1 };
	if (def->column) {
		r->column = gw_rel_column(rel, def->column);
		assert(r->column >= 0); /* gw_view_bind saw it */
		return BUS_OK;
	}
	rc = gw_db_prepare(e->db, def->select, &r->select, err);
	if (rc != BUS_OK)
		return rc;
	r->n_params = gw_stmt_params(r->select);
	if (r->n_params > GW_ROUTE_PARAMS_MAX)
		return bus_fail(err, BUS_EPARSE, "a route from '%s' has more than %d parameters", rel->name,
				GW_ROUTE_PARAMS_MAX);
	for (int i = 0; i < r->n_params; i++)
		r->param[i] = gw_rel_column(rel, gw_stmt_param_name(r->select, i + 1) + 1);
	return BUS_OK;
}

enum bus_err gw_rel_listen(struct gw_engine *e, struct gw_live *v, const struct gw_read *read,
			   struct bus_error *err)
{
	struct gw_rel *rel = gw_rel_find(e, read->table);
	struct gw_listener *l;
	enum bus_err rc = BUS_OK;
	int column;

	rel->listener = bus_xrealloc(rel->listener, (rel->n_listeners + 1) * sizeof(*rel->listener));
	l = &rel->listener[rel->n_listeners++];
	*l = (struct gw_listener){ .view = v };
	l->reads = bus_xcalloc(rel->n_columns, sizeof(*l->reads));
	for (size_t i = 0; i < read->n; i++) {
		column = gw_rel_column(rel, read->column[i]);
		if (column >= 0)
			l->reads[column] = true;
	}
	l->route = bus_xcalloc(v->def->n_routes, sizeof(*l->route));
	for (size_t i = 0; i < v->def->n_routes && rc == BUS_OK; i++) {
		if (strcmp(v->def->route[i].table, read->table) == 0)
			rc = prepare_route(e, rel, &v->def->route[i], &l->route[l->n_routes++], err);
	}
	return rc;
}

static void unlisten(struct gw_rel *rel, const struct gw_live *v)
{
	size_t n = 0;

	for (size_t i = 0; rel && i < rel->n_listeners; i++) {
		if (rel->listener[i].view == v)
			listener_release(&rel->listener[i]);
		else
			rel->listener[n++] = rel->listener[i];
	}
	if (rel)
		rel->n_listeners = n;
}

void gw_rel_unlisten(struct gw_engine *e, const struct gw_live *v)
{
	for (size_t i = 0; i < e->n_topics; i++)
		unlisten(e->topic[i].rel, v);
	for (size_t i = 0; i < e->n_views; i++)
		unlisten(e->view[i]->rel, v);
}
