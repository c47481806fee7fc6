/* A store that came from another gateway of the group. */
#include "bus/log.h"
#include "gateway/engine/core.h"
#include "gateway/engine/live_impl.h"

/* Their followers are told: what they read is of another store from now on. */
static void let_go(struct gw_engine *e, struct gw_live *v)
{
	gw_lives_stuck(e, v, NULL);
	atomic_store(&v->def->gone, GW_REPLACED);
	if (e->on_change && !v->def->pub.internal)
		e->on_change(e->on_change_ctx, &v->def->pub, v->newest);
	gw_view_free(&v->def);
	free(v);
}

enum bus_err gw_core_adopt(struct gw_engine *e, const char *path, struct bus_error *err)
{
	enum bus_err rc;

	atomic_store(&e->caught_up, false);
	atomic_store(&e->idle, false);
	gw_lives_abandon(e);
	gw_setup_undo(e);
	gw_db_rollback(e->db);
	e->in_transaction = false;
	gw_db_on_change(e->db, NULL, NULL);
	gw_stand_clear(e);
	rc = gw_db_replace(e->db, path, err);
	gw_stand_allow(e);
	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < e->n_views; i++)
		let_go(e, e->view[i]);
	e->n_views = 0;
	e->secret = (struct gw_hash_key){ 0 };
	e->moment = 0;
	rc = gw_lives_stored(e, err);
	gw_core_sort(e);
	gw_views_publish(e);
	if (rc == BUS_OK)
		rc = gw_core_reload(e, err);
	if (rc == BUS_OK)
		rc = gw_core_set_meta(e, "clean", "0", err);
	if (rc == BUS_OK)
		bus_log(BUS_LOG_INFO, "group.copied", LOG_INT("views", e->n_views), LOG_INT("seq", e->seq));
	return rc;
}
