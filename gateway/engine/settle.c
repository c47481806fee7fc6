/* Which views are evaluated when.
 *
 * A few touched keys are evaluated one by one, at once. A view of which more than a tenth is touched is
 * evaluated as a whole, which costs a tenth as much per key, but not before the records have stopped coming
 * for a moment: while a city loads, everything changes all the time. It is not put off for ever: a view that
 * never rests is evaluated once in ten times what it costs.
 */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/engine/core.h"
#include "gateway/engine/history.h"

#define ALL_LEAST 2000 /* touched keys that are fewer are never "all" */
#define ALL_SHARE 10   /* one tenth */
#define GROUP_MS 1000  /* a group's evaluation, while records keep coming */
#define OVERDUE_MS 5000
#define OVERDUE_COSTS 10
#define STUCK_MS 10000	  /* between two attempts at a view whose SELECT fails */
#define STUCK_COSTS 10	  /* more, when it failed for its time */
#define SWEEP_STEP 2000	  /* log entries looked at in one transaction */
#define SWEEP_LEAST 10000 /* superseded entries worth a pass */

/* Views read by v that still wait make v's evaluation useless: it would be done again. */
static bool source_waits(const struct gw_engine *e, const struct gw_live *v)
{
	for (size_t i = 0; i < e->n_views; i++) {
		const struct gw_live *s = e->view[i];

		if (s->rel && !s->stuck && (s->all || s->dirty.n > 0) &&
		    gw_view_reads(v->def, s->def->pub.name))
			return true;
	}
	return false;
}

static bool source_owed(const struct gw_engine *e, const struct gw_live *v)
{
	for (size_t i = 0; i < e->n_views; i++) {
		const struct gw_live *s = e->view[i];

		if (s->rel && s->owed && gw_view_reads(v->def, s->def->pub.name))
			return true;
	}
	return false;
}

static bool waits(const struct gw_live *v)
{
	return (v->all || v->dirty.n > 0) && !v->stuck;
}

void gw_settle_owe(struct gw_engine *e)
{
	for (size_t i = 0; i < e->n_views; i++)
		e->view[i]->owed = false;
	for (size_t i = 0; i < e->n_views; i++)
		e->order[i]->owed = waits(e->order[i]) || source_owed(e, e->order[i]);
}

const struct gw_live *gw_settle_owed(struct gw_engine *e)
{
	const struct gw_live *first = NULL;

	for (size_t i = 0; i < e->n_views; i++) {
		struct gw_live *v = e->order[i];

		v->owed = v->owed && (waits(v) || source_owed(e, v));
		if (v->owed && !first)
			first = v;
	}
	return first;
}

bool gw_settle_all_is_less(const struct gw_live *v)
{
	size_t most = (size_t)v->rows / ALL_SHARE;

	return !v->sum && v->dirty.n > (most > ALL_LEAST ? most : ALL_LEAST);
}

static bool all_is_due(const struct gw_engine *e, const struct gw_live *v, enum gw_haste haste, int64_t now)
{
	if (v->stuck && now - v->settled_ms < STUCK_MS + OVERDUE_COSTS * v->cost_ms && haste != GW_FORCE)
		return false;
	if (haste >= GW_QUIET)
		return haste == GW_FORCE || now - e->quiet_since_ms >= v->cost_ms / 4;
	return now - v->settled_ms > OVERDUE_MS + OVERDUE_COSTS * v->cost_ms;
}

static bool keys_are_due(const struct gw_live *v, enum gw_haste haste, int64_t now)
{
	if (haste >= GW_QUIET)
		return true;
	if (v->def->pace != GW_PACE_ROW && now - v->settled_ms < GROUP_MS)
		return false;
	return haste == GW_LIVE || now - v->settled_ms > OVERDUE_MS;
}

static enum bus_err clear_waiting(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (v->saved > 0) {
		gw_stmt_bind_int(e->dirty_clear, 1, v->id);
		rc = gw_stmt_run(e->dirty_clear, err);
	}
	gw_keys_clear(&v->dirty);
	v->saved = 0;
	return rc;
}

static enum bus_err settle_all(struct gw_engine *e, struct gw_live *v, const _Atomic bool *stop,
			       struct bus_error *err)
{
	int64_t begin = bus_clock_mono_ms(), before = v->rows;
	enum bus_err rc;

	rc = gw_eval_all(e, v, stop, err);
	if (rc == BUS_OK)
		rc = clear_waiting(e, v, err);
	if (rc != BUS_OK)
		return rc;
	v->all = false;
	gw_touched_end(v);
	v->changed = true;
	if (v->rel)
		rc = gw_route_flush(e, v->rel, err);
	v->settled_ms = bus_clock_mono_ms();
	v->cost_ms = v->settled_ms - begin;
	bus_log(BUS_LOG_DEBUG, "gateway.evaluated", LOG_STR("view", v->def->pub.name),
		LOG_INT("rows", v->rows), LOG_INT("before", before), LOG_INT("ms", v->cost_ms));
	return rc;
}

static enum bus_err settle_keys(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	uint32_t *order = gw_keys_order(&v->dirty);
	enum bus_err rc = BUS_OK;

	v->left_us = gw_eval_most_us(e, v->def);
	for (size_t i = 0; i < v->dirty.n && rc == BUS_OK; i++)
		rc = gw_eval_key(e, v, gw_keys_at(&v->dirty, order[i]), order[i] < v->saved, err);
	free(order);
	if (rc == BUS_OK)
		rc = clear_waiting(e, v, err);
	if (rc == BUS_OK && v->rel)
		rc = gw_route_flush(e, v->rel, err);
	v->settled_ms = bus_clock_mono_ms();
	return rc;
}

/* A SELECT that cannot be evaluated on the rows there are (text that is no JSON, a sum that is too large, far too
 * many steps) is its author's trouble, not the city's: the view stays as it was, which its state tells, and everything else goes on. */
static enum bus_err stand_still(struct gw_engine *e, struct gw_live *v, const char *why,
				struct bus_error *err)
{
	enum bus_err rc;

	rc = gw_db_exec(e->db, err, "ROLLBACK TO evaluation; RELEASE evaluation");
	if (rc == BUS_OK)
		rc = gw_group_take_back(e, err);
	if (rc == BUS_OK)
		rc = gw_setup_load(e, v, err); /* its numbers, too */
	if (rc == BUS_OK && v->rel)
		rc = gw_db_int(e->db, 0, &v->rel->rows, err, "SELECT count(*) FROM \"%s\"", v->def->pub.name);
	v->all = true;
	gw_touched_begin(v);
	v->settled_ms = bus_clock_mono_ms();
	if (!v->stuck)
		bus_log(BUS_LOG_ERROR, "gateway.view_stuck", LOG_STR("view", v->def->pub.name),
			LOG_STR("why", why));
	v->stuck = true;
	gw_lives_stuck(e, v, why);
	return rc;
}

static enum bus_err settle_view(struct gw_engine *e, struct gw_live *v, const _Atomic bool *stop,
				struct bus_error *err)
{
	int64_t begin = bus_clock_mono_ms();
	bool all = v->all;
	struct bus_error why = { 0 };
	enum bus_err rc = BUS_OK;

	if (all)
		rc = gw_commit(e, err); /* what was applied does not wait for this */
	if (rc == BUS_OK)
		rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err, "SAVEPOINT evaluation");
	if (rc != BUS_OK)
		return rc;
	gw_group_hold(e, all);
	rc = all ? settle_all(e, v, stop, &why) : settle_keys(e, v, &why);
	if (rc == BUS_ETIMEOUT)
		v->cost_ms = STUCK_COSTS * (bus_clock_mono_ms() - begin);
	if (rc == BUS_EDB || rc == BUS_ETIMEOUT)
		return stand_still(e, v, why.text, err);
	if (rc != BUS_OK) {
		if (err)
			*err = why;
		return rc;
	}
	if (v->stuck)
		gw_lives_stuck(e, v, NULL);
	v->stuck = false;
	v->owed = v->owed && source_owed(e, v);
	rc = gw_db_exec(e->db, err, "RELEASE evaluation");
	if (rc == BUS_OK)
		rc = gw_group_release(e, err);
	return rc == BUS_OK && all ? gw_commit(e, err) : rc;
}

enum bus_err gw_settle(struct gw_engine *e, enum gw_haste haste, const _Atomic bool *stop, bool *pending,
		       struct bus_error *err)
{
	int64_t begin = bus_clock_mono_us(), now = bus_clock_mono_ms();
	enum bus_err rc = BUS_OK;

	*pending = false;
	rc = gw_history_keep(e, err);
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		struct gw_live *v = e->order[i];

		if (!v->all && gw_settle_all_is_less(v)) {
			v->all = true;
			gw_touched_begin(v);
			rc = gw_begin(e, err);
			if (rc == BUS_OK)
				rc = clear_waiting(e, v, err);
		}
		if (rc != BUS_OK || (!v->all && v->dirty.n == 0))
			continue;
		if (source_waits(e, v)) {
			*pending = true;
		} else if (v->all && all_is_due(e, v, haste, now)) {
			rc = settle_view(e, v, stop, err);
		} else if (!v->all && keys_are_due(v, haste, now)) {
			rc = settle_view(e, v, stop, err);
		} else {
			*pending |= !v->stuck; /* which is nothing that rest waits for */
		}
	}
	bus_metric_add(e->settle_us, bus_clock_mono_us() - begin);
	return rc;
}

enum bus_err gw_sweep(struct gw_engine *e, bool *more, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	int64_t to, n;

	*more = false;
	for (size_t i = 0; i < e->n_views && rc == BUS_OK && !*more; i++) {
		struct gw_live *v = e->view[i];
		const char *name = v->def->pub.name;

		if (v->def->pub.internal || v->log_entries < 2 * v->log_floor + SWEEP_LEAST)
			continue;
		rc = gw_db_int(
		    e->db, 0, &to, err,
		    "SELECT max(seq) FROM (SELECT seq FROM \"_log_%s\" WHERE seq > %lld ORDER BY seq "
		    "LIMIT %d)",
		    name, (long long)v->swept, SWEEP_STEP);
		if (rc != BUS_OK)
			break;
		if (to == 0) { /* once through: what is left is one entry a key, tombstones too */
			rc = gw_db_int(e->db, 0, &n, err, "SELECT count(*) FROM \"_log_%s\"", name);
			v->log_entries = n;
			v->log_floor = n;
			v->swept = 0;
			continue;
		}
		*more = true;
		rc = gw_begin(e, err);
		if (rc == BUS_OK)
			rc = gw_db_exec(
			    e->db, err,
			    "DELETE FROM \"_log_%s\" WHERE seq > %lld AND seq <= %lld AND NOT EXISTS "
			    "(SELECT 1 FROM \"_view_%s\" v WHERE v.key = \"_log_%s\".key AND v.seq = "
			    "\"_log_%s\".seq)",
			    name, (long long)v->swept, (long long)to, name, name, name);
		if (rc == BUS_OK)
			rc = gw_commit(e, err);
		v->swept = to;
	}
	return rc;
}
