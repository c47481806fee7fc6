/* Views that have been whole once: evaluated, with all they read, on everything there was to read when the goal of a session
 * was first reached (ready.h). Until then nobody is answered from them: an empty page would say that the city is empty. The
 * store remembers it, so that who starts again goes on answering from what it has, of whatever age. */
#include "gateway/engine/core.h"

/* Views that are read as they are evaluated show what their sources have now. */
static bool sources_whole(const struct gw_engine *e, const struct gw_live *v)
{
	for (size_t i = 0; i < e->n_views; i++)
		if (!e->view[i]->whole && gw_view_reads(v->def, e->view[i]->def->pub.name))
			return false;
	return true;
}

/* A follower's view waits as long as the leader's does. */
static bool evaluated(const struct gw_engine *e, const struct gw_live *v)
{
	return !v->stuck && (gw_group_numbers(e) || !v->all);
}

enum bus_err gw_whole_load(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	int64_t noted;

	for (size_t i = 0; i < e->n_views; i++)
		e->view[i]->whole = false;
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		struct gw_live *v = e->order[i];

		rc = gw_db_int(e->db, 0, &noted, err, "SELECT count(*) FROM _whole WHERE view=%lld",
			       (long long)v->id);
		v->whole = rc == BUS_OK && noted > 0 && sources_whole(e, v);
	}
	return rc;
}

static enum bus_err note(struct gw_engine *e, const struct gw_live *v, struct bus_error *err)
{
	return gw_db_exec(e->db, err, "INSERT OR IGNORE INTO _whole VALUES(%lld)", (long long)v->id);
}

enum bus_err gw_whole_forget(struct gw_engine *e, const struct gw_live *v, struct bus_error *err)
{
	return gw_db_exec(e->db, err, "DELETE FROM _whole WHERE view=%lld", (long long)v->id);
}

enum bus_err gw_whole_switch(struct gw_engine *e, const struct gw_live *old, struct gw_live *v,
			     struct bus_error *err)
{
	v->whole = (atomic_load(&e->caught_up) || (old && old->whole)) && sources_whole(e, v);
	return v->whole ? note(e, v, err) : BUS_OK;
}

enum bus_err gw_whole_mark(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	bool some = false;

	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		struct gw_live *v = e->order[i];

		if (v->whole || !evaluated(e, v) || !sources_whole(e, v))
			continue;
		rc = gw_begin(e, err);
		if (rc == BUS_OK)
			rc = note(e, v, err);
		v->whole = v->changed = some = true; /* shown when it is committed */
	}
	return rc == BUS_OK && some ? gw_commit(e, err) : rc;
}

void gw_whole_hide(struct gw_engine *e)
{
	for (size_t i = 0; i < e->n_views; i++) {
		e->view[i]->whole = false;
		atomic_store(&e->view[i]->def->whole, false);
	}
}
