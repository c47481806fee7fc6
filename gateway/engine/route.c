/* From changed rows to the keys of views that they can touch. */
#include <assert.h>
#include <stdio.h>

#include "bus/log.h"
#include "gateway/engine/rollup.h"
#include "gateway/store/versions.h"

#define ROUTE_MS 2000 /* of a route's SELECTs for one batch; as eval.c gives one key */

/* Which keys a change touches matters only while some are not touched. */
static bool listens(const struct gw_live *v)
{
	return !v->all || (v->touched && !v->touched_whole);
}

static void mark(struct gw_live *v, const struct gw_value *value)
{
	struct bus_str key = value->s;
	char number[24];

	if (value->type == GW_INT) {
		snprintf(number, sizeof(number), "%lld", (long long)value->i);
		key = bus_str(number);
	} else if (value->type != GW_TEXT) {
		return;
	}
	if (v->all) {
		if (v->touched)
			gw_touched_add(v, key);
		return;
	}
	gw_keys_add(&v->dirty, key);
	/* A view that others read, evaluated as a whole, touches all their keys at once: they are not gathered. */
	if (gw_settle_all_is_less(v) && !v->beside) {
		v->all = true;
		gw_touched_begin(v);
		gw_keys_clear(&v->dirty); /* v->saved stays: what _dirty has goes when the view is evaluated */
	}
}

/* What a change touches is not looked for: the view is evaluated as a whole, or stands still, when its turn comes. */
static void touch_all(struct gw_live *v)
{
	v->all = true;
	if (!v->beside) /* a build begins anew with a snapshot */
		gw_touched_all(v);
}

/* One image (before or after) of the changed row. */
static void route_image(struct gw_engine *e, struct gw_rel *rel, struct gw_listener *l, bool after)
{
	void (*get)(struct gw_db * db, int column, struct gw_value *out) = after ? gw_db_new : gw_db_old;
	struct gw_value value;

	if (l->view->sum) {
		rel->images_wait |= gw_sum_image(e, l->view, after);
		return;
	}
	for (size_t i = 0; i < l->n_routes; i++) {
		struct gw_route *r = &l->route[i];

		if (r->column >= 0) {
			get(e->db, r->column, &value);
			mark(l->view, &value);
			continue;
		}
		bus_buf_reset(&e->scratch);
		bus_buf_putc(&e->scratch, 'R');
		for (int k = 0; k < r->n_params; k++) {
			get(e->db, r->param[k], &value);
			gw_value_pack(&e->scratch, &value);
		}
		gw_keys_add(&r->pending, bus_buf_str(&e->scratch));
		if (r->pending.n >= e->route_most) { /* as when a full view that this one reads is written anew */
			touch_all(l->view);
			gw_keys_clear(&r->pending);
		}
	}
}

void gw_route_change(void *engine, const char *table, enum gw_db_op op)
{
	struct gw_engine *e = engine;
	struct gw_rel *rel = e->writing;

	if (!rel || strncmp(table, GW_VERSIONS_PREFIX, strlen(GW_VERSIONS_PREFIX)) == 0)
		return;
	assert(strcmp(rel->name, table) == 0);
	rel->rows += op == GW_DB_INSERT ? 1 : op == GW_DB_DELETE ? -1 : 0;
	for (size_t i = 0; i < rel->n_listeners; i++) {
		struct gw_listener *l = &rel->listener[i];

		if (!listens(l->view))
			continue;
		if (op == GW_DB_UPDATE) {
			size_t c;

			for (c = 0; c < rel->n_columns; c++) {
				if (l->reads[c] && gw_db_differs(e->db, (int)c))
					break;
			}
			if (c == rel->n_columns)
				continue; /* nothing that this view reads has changed */
		}
		if (op != GW_DB_INSERT)
			route_image(e, rel, l, false);
		if (op != GW_DB_DELETE)
			route_image(e, rel, l, true);
	}
}

/* All others wait for the writer: what takes longer than that to find is not looked for, and the view is evaluated as a
 * whole when its turn comes (settle.c). */
static enum bus_err look_up(struct gw_engine *e, struct gw_live *v, struct gw_route *r, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	struct gw_value value;
	const char *p;
	bool row;

	gw_db_deadline(e->db, ROUTE_MS); /* nothing is written meanwhile */
	for (size_t i = 0; i < r->pending.n && rc == BUS_OK; i++) {
		p = gw_keys_at(&r->pending, i).p + 1;
		for (int k = 0; k < r->n_params; k++) {
			p += gw_value_unpack(p, &value);
			gw_stmt_bind_value(r->select, k + 1, &value);
		}
		while ((rc = gw_stmt_step(r->select, &row, err)) == BUS_OK && row) {
			gw_stmt_value(r->select, 0, &value);
			mark(v, &value);
		}
		gw_stmt_reset(r->select);
	}
	gw_db_deadline(e->db, 0);
	if (rc != BUS_ETIMEOUT)
		return rc;
	bus_log(BUS_LOG_WARN, "gateway.route_slow", LOG_STR("view", v->def->pub.name),
		LOG_INT("ms", ROUTE_MS));
	touch_all(v);
	return BUS_OK;
}

enum bus_err gw_route_flush_images(struct gw_engine *e, struct gw_rel *rel, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < rel->n_listeners && rc == BUS_OK; i++) {
		if (rel->listener[i].view->sum)
			rc = gw_sum_flush(e, rel->listener[i].view, err);
	}
	rel->images_wait = false;
	return rc;
}

enum bus_err gw_route_flush(struct gw_engine *e, struct gw_rel *rel, struct bus_error *err)
{
	enum bus_err rc = gw_route_flush_images(e, rel, err);

	for (size_t i = 0; i < rel->n_listeners; i++) {
		struct gw_listener *l = &rel->listener[i];

		for (size_t k = 0; k < l->n_routes && rc == BUS_OK; k++) {
			if (l->route[k].column >= 0 || l->route[k].pending.n == 0)
				continue;
			if (listens(l->view))
				rc = look_up(e, l->view, &l->route[k], err);
			gw_keys_clear(&l->route[k].pending);
		}
	}
	return rc;
}
