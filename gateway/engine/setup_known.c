/* Views as the store knows them from before: the same, changed, gone. */
#include "bus/log.h"
#include "gateway/engine/core.h"

enum bus_err gw_setup_reconcile(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	const char *name = v->def->pub.name;
	struct gw_stmt *s = NULL;
	int64_t there;
	enum bus_err rc;
	bool row, same = false;

	rc = gw_db_prepare(e->db, "SELECT id, digest, all_dirty, refill FROM _view WHERE name=?", &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(s, 1, bus_str(name));
	v->all = v->refill = true;
	rc = gw_stmt_step(s, &row, err);
	there = rc == BUS_OK && row;
	if (there) {
		struct gw_value digest;

		v->id = gw_stmt_int(s, 0);
		gw_stmt_value(s, 1, &digest);
		same = digest.s.n == sizeof(v->def->digest) &&
		       memcmp(digest.s.p, v->def->digest, sizeof(v->def->digest)) == 0;
		v->all = gw_stmt_int(s, 2) != 0 || !same;
		v->refill = gw_stmt_int(s, 3) != 0;
		if (v->all && same) /* it waited when the program ended */
			gw_touched_all(v);
	}
	gw_stmt_free(&s);
	if (rc == BUS_OK && !same)
		v->refill = v->def->full;
	if (rc == BUS_OK)
		rc = gw_setup_note(e, v, err);
	if (rc != BUS_OK || same || !there)
		return rc;
	bus_log(BUS_LOG_INFO, "gateway.view_changed", LOG_STR("view", name));
	rc = gw_whole_forget(e, v, err);
	return rc != BUS_OK ? rc : gw_db_exec(e->db, err, "DROP TABLE IF EXISTS \"%s\"; DROP TABLE IF EXISTS \"_sum_%s\"", name,
			  name);
}

/* Of views that were being built, and topics that were being read again. */
static enum bus_err drop_unfinished(struct gw_engine *e, struct bus_error *err)
{
	struct gw_stmt *s = NULL;
	struct gw_keys left = { 0 };
	enum bus_err rc;
	bool row;

	rc = gw_db_prepare(e->db,
			   "SELECT name FROM sqlite_schema WHERE type='table' AND "
			   "(substr(name,1,5)='" GW_BESIDE_STATE "' OR substr(name,1,8)='" GW_BESIDE_ROWS "' "
			   "OR substr(name,1,6)='_fill_')",
			   &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row)
		gw_keys_add(&left, gw_stmt_text(s, 0));
	gw_stmt_free(&s);
	for (size_t i = 0; i < left.n && rc == BUS_OK; i++)
		rc = gw_db_exec(e->db, err, "DROP TABLE \"%.*s\"", (int)gw_keys_at(&left, i).n,
				gw_keys_at(&left, i).p);
	gw_keys_release(&left);
	return rc;
}

enum bus_err gw_setup_drop_gone(struct gw_engine *e, struct bus_error *err)
{
	struct gw_stmt *s = NULL;
	struct gw_keys gone = { 0 };
	enum bus_err rc;
	size_t k;
	bool row;

	rc = gw_db_prepare(e->db, "SELECT name FROM _view", &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		for (k = 0; k < e->n_views && !bus_str_is(gw_stmt_text(s, 0), e->view[k]->def->pub.name); k++)
			;
		if (k == e->n_views && !gw_lives_keep(e, gw_stmt_text(s, 0)))
			gw_keys_add(&gone, gw_stmt_text(s, 0));
	}
	gw_stmt_free(&s);
	if (rc == BUS_OK)
		rc = drop_unfinished(e, err);
	for (size_t i = 0; i < gone.n && rc == BUS_OK; i++) {
		struct bus_str name = gw_keys_at(&gone, i);

		rc = gw_db_exec(
		    e->db, err,
		    "DROP TABLE IF EXISTS \"_view_%.*s\"; DROP TABLE IF EXISTS \"_log_%.*s\";"
		    "DROP TABLE IF EXISTS \"_left_%.*s\"; DROP TABLE IF EXISTS \"_sum_%.*s\";"
		    "DROP TABLE IF EXISTS \"%.*s\"; DELETE FROM _dirty WHERE view=(SELECT id FROM _view "
		    "WHERE name='%.*s'); DELETE FROM _whole WHERE view=(SELECT id FROM _view WHERE name='%.*s');"
		    "DELETE FROM _view WHERE name='%.*s';",
		    (int)name.n, name.p, (int)name.n, name.p, (int)name.n, name.p, (int)name.n, name.p,
		    (int)name.n, name.p, (int)name.n, name.p, (int)name.n, name.p, (int)name.n, name.p);
		bus_log(BUS_LOG_INFO, "gateway.view_dropped", LOG_INT("views", 1));
	}
	gw_keys_release(&gone);
	return rc;
}
