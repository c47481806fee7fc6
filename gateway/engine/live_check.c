/* A definition against the tables and views that are there. */
#include "gateway/define/lower.h"
#include "gateway/engine/live_impl.h"
#include "gateway/engine/world.h"

static const struct gw_read *reads(const struct gw_def *d, const char *table)
{
	for (size_t i = 0; i < d->n_reads; i++)
		if (strcmp(d->read[i].table, table) == 0)
			return &d->read[i];
	return NULL;
}

/* Indicators and the views that their areas are of: def may be the one or the other. */
static enum bus_err figures_fit(const struct gw_views *views, const struct gw_def *def, struct bus_error *err)
{
	const struct gw_figures *own = def->pub.figures;
	const struct gw_view *areas = own ? gw_views_find(views, own->areas) : NULL;
	enum bus_err rc = areas ? gw_figures_fit(&def->pub, areas, err) : BUS_OK;

	for (size_t i = 0; i < views->n && rc == BUS_OK; i++) {
		const struct gw_figures *f = views->view[i]->figures;

		if (f && strcmp(f->areas, def->pub.name) == 0)
			rc = gw_figures_fit(views->view[i], &def->pub, err);
	}
	return rc;
}

enum bus_err gw_view_fits(const struct gw_views *views, const char *name, const struct gw_def *def,
			  struct bus_error *err)
{
	for (size_t i = 0; i < views->n; i++) {
		const struct gw_def *d = gw_view_def(views->view[i]);
		const struct gw_read *r = reads(d, name);

		if (!r || strcmp(d->pub.name, name) == 0)
			continue;
		if (!def || !def->full)
			return bus_fail(err, BUS_ECONFLICT,
					"view '%s' reads it: change or drop that one first", d->pub.name);
		for (size_t k = 0; k < r->n; k++)
			if (gw_view_column(&def->pub, r->column[k]) < 0)
				return bus_fail(
				    err, BUS_ECONFLICT,
				    "view '%s' reads its column '%s', which would be gone: change or "
				    "drop that one first",
				    d->pub.name, r->column[k]);
	}
	return def ? figures_fit(views, def, err) : BUS_OK;
}

/* Whether the view `from` reads `name`, itself or through others. */
static bool leads_to(struct gw_engine *e, const char *from, const char *name, int depth)
{
	struct gw_live *v = gw_lives_running(e, from);

	for (size_t i = 0; v && depth > 0 && i < v->def->n_reads; i++)
		if (strcmp(v->def->read[i].table, name) == 0 ||
		    leads_to(e, v->def->read[i].table, name, depth - 1))
			return true;
	return false;
}

static enum bus_err check_circle(struct gw_engine *e, const struct gw_def *d, struct bus_error *err)
{
	for (size_t i = 0; i < d->n_reads; i++)
		if (leads_to(e, d->read[i].table, d->pub.name, 32))
			return bus_fail(err, BUS_EPARSE, "%s: it reads '%s', which reads it", d->file,
					d->read[i].table);
	return BUS_OK;
}

/* The tables as they would be with d. */
static const struct gw_world *world_with(struct gw_engine *e, const struct gw_def *d, struct bus_arena *arena)
{
	const struct gw_def **def = bus_arena_zalloc(arena, (e->n_views + 1) * sizeof(*def));
	size_t n = 0;

	for (size_t i = 0; i < e->n_views; i++)
		if (strcmp(e->view[i]->def->pub.name, d->pub.name) != 0)
			def[n++] = e->view[i]->def;
	def[n++] = d;
	return gw_world_new(e, def, n, arena);
}

/* Everything that can be said of a definition against what is there. Its indexes are made for it, and are gone
 * again with the transaction when it is refused. */
static enum bus_err check_in(struct gw_engine *e, struct gw_def *d, bool trusted, struct bus_arena *arena,
			     struct bus_error *err)
{
	struct gw_catalogue catalogue = { e, gw_setup_has, world_with(e, d, arena) };
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < e->n_topics; i++)
		if (strcmp(e->topic[i].table->name, d->pub.name) == 0)
			return bus_fail(err, BUS_EPARSE, "%s: '%s' is the name of a topic's table", d->file,
					d->pub.name);
	rc = gw_begin(e, err);
	for (size_t i = 0; i < d->n_indexes && rc == BUS_OK; i++) {
		const struct gw_index_def *x = &d->index[i];

		if (strcmp(x->table, d->pub.name) != 0) {
			rc = gw_setup_index(e, d, x, err);
			continue;
		}
		/* Its own table does not stand yet. */
		for (size_t k = 0; k < x->n && rc == BUS_OK; k++)
			if (!d->full || gw_view_column(&d->pub, x->column[k]) < 0)
				rc = bus_fail(err, BUS_EPARSE, "%s: an index: '%s' has no column '%s'",
					      d->file, x->table, x->column[k]);
	}
	if (rc == BUS_OK)
		rc = gw_view_bind(e->db, d, &catalogue, err);
	if (rc == BUS_OK && !trusted)
		rc = gw_lower_check(e->db, d, catalogue.world, err);
	if (rc == BUS_OK)
		rc = check_circle(e, d, err);
	if (rc == BUS_OK)
		rc = gw_view_fits(e->set, d->pub.name, d, err);
	if (rc == BUS_OK)
		return gw_commit(e, err);
	gw_live_roll_back(e);
	return rc;
}

enum bus_err gw_live_check(struct gw_engine *e, struct gw_def *d, bool trusted, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(0);
	enum bus_err rc = check_in(e, d, trusted, arena, err);

	bus_arena_free(&arena);
	return rc;
}

static bool same_list(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Other words at most: the same rows, found in the same way. */
bool gw_live_same_rows(const struct gw_def *a, const struct gw_def *b)
{
	bool same = memcmp(a->digest, b->digest, sizeof(a->digest)) == 0 && a->pace == b->pace &&
		    a->pub.internal == b->pub.internal && a->pub.key == b->pub.key &&
		    a->n_routes == b->n_routes && a->n_indexes == b->n_indexes &&
		    a->pub.n_columns == b->pub.n_columns;

	for (size_t i = 0; same && i < a->pub.n_columns; i++)
		same = a->pub.column[i].type == b->pub.column[i].type &&
		       strcmp(a->pub.column[i].name, b->pub.column[i].name) == 0;
	for (size_t i = 0; same && i < a->n_routes; i++)
		same = strcmp(a->route[i].table, b->route[i].table) == 0 &&
		       same_list(a->route[i].column, b->route[i].column) &&
		       same_list(a->route[i].select, b->route[i].select);
	for (size_t i = 0; same && i < a->n_indexes; i++) {
		same = strcmp(a->index[i].table, b->index[i].table) == 0 && a->index[i].n == b->index[i].n;
		for (size_t k = 0; same && k < a->index[i].n; k++)
			same = strcmp(a->index[i].column[k], b->index[i].column[k]) == 0;
	}
	return same;
}
