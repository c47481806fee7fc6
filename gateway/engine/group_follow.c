/* A batch of the leader, done here: inputs up to where it read them, then what it wrote. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/engine/evolve.h"
#include "gateway/engine/group_impl.h"
#include "gateway/engine/live_impl.h"
#include "gateway/engine/rollup.h"

#define BUILD_MS 100
#define DOUBTS_MAX 1000 /* looked at again after a batch */

static enum bus_err damaged(struct bus_error *err, const char *what)
{
	return bus_fail(err, BUS_ENOENT, "a batch of the group does not fit this store: %s", what);
}

static struct gw_live *view_of(struct gw_group *g, struct bus_str name)
{
	char text[GW_GROUP_NAME_MAX];

	snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p ? name.p : "");
	return gw_lives_running(g->e, text);
}

static struct gw_topic *topic_of(struct gw_group *g, struct bus_str name)
{
	for (size_t i = 0; i < g->e->n_topics; i++)
		if (bus_str_is(name, g->e->topic[i].name))
			return &g->e->topic[i];
	return NULL;
}

/* --- entries ------------------------------------------------------------------------------------------ */

static void doubt(struct gw_group *g, const struct gw_live *v, struct bus_str key)
{
	struct bus_buf name = { 0 };

	bus_buf_put(&name, v->def->pub.name, strlen(v->def->pub.name) + 1);
	bus_buf_put(&name, key.p, key.n);
	if (gw_keys_add(&g->doubtful, bus_buf_str(&name)))
		bus_log(BUS_LOG_DEBUG, "group.doubt", LOG_STR("view", v->def->pub.name),
			LOG_INT("batch", g->n + 1));
	bus_buf_release(&name);
	bus_metric_set(g->doubts, (double)g->doubtful.n);
}

/* A statement that stands on a row with the entry's scope columns; NULL with an error. */
static struct gw_stmt *scope_row(struct gw_group *g, struct gw_live *v, const struct gw_group_item *i,
				 enum bus_err *rc, struct bus_error *err)
{
	const struct gw_view *d = &v->def->pub;
	struct bus_buf sql = { 0 };
	bool row;

	*rc = BUS_OK;
	if (d->n_scope == 0 || d->internal)
		return v->keyed; /* nobody looks at its row */
	if (i->n_scope != d->n_scope) {
		*rc = damaged(err, "scope columns");
		return NULL;
	}
	if (!v->given) {
		for (size_t k = 1; k <= d->n_columns; k++)
			bus_buf_printf(&sql, "%s?%zu", k > 1 ? "," : "SELECT ", k);
		*rc = gw_db_prepare(g->e->db, bus_buf_cstr(&sql), &v->given, err);
		bus_buf_release(&sql);
	}
	for (size_t k = 0; k < i->n_scope && *rc == BUS_OK; k++)
		gw_stmt_bind_value(v->given, (int)d->scope[k] + 1, &i->scope[k]);
	if (*rc == BUS_OK)
		*rc = gw_stmt_step(v->given, &row, err);
	return v->given;
}

static enum bus_err entry(struct gw_group *g, const struct gw_group_item *i, struct bus_error *err)
{
	struct gw_engine *e = g->e;
	struct gw_live *v = g->at;
	bool present = i->what == GW_ITEM_PRESENT, same;
	struct gw_stmt *from = NULL;
	enum bus_err rc;

	if (!v || (i->n > 0) == v->def->pub.internal)
		return damaged(err, "an entry of no view");
	rc = gw_eval_given(e, v, i->text, present, i->hash, &same, err);
	if (rc == BUS_OK && !same)
		doubt(g, v, i->text);
	if (rc == BUS_OK && present)
		from = scope_row(g, v, i, &rc, err);
	e->given = i->n;
	if (rc == BUS_OK)
		rc = gw_eval_write(e, v, i->text, from, i->hash, err);
	e->given = 0;
	if (v->given)
		gw_stmt_reset(v->given);
	if (rc == BUS_OK && v->rel)
		rc = gw_route_flush(e, v->rel, err);
	return rc;
}

/* Rows that were not the leader's when they were written: records that compaction has taken were missing, and have come
 * in another form by now. */
enum bus_err gw_group_doubts(struct gw_group *g, struct bus_error *err)
{
	struct gw_keys old = g->doubtful;
	enum bus_err rc = BUS_OK;

	if (old.n == 0)
		return BUS_OK;
	g->doubtful = (struct gw_keys){ 0 };
	for (size_t i = 0; i < old.n && rc == BUS_OK; i++) {
		struct bus_str name = gw_keys_at(&old, i), key;
		struct gw_live *v = gw_lives_running(g->e, name.p);
		size_t n = strlen(name.p) + 1;
		bool same = i >= DOUBTS_MAX ? false : true, known;
		uint64_t hash = 0;

		key = (struct bus_str){ name.p + n, name.n - n };
		if (!v)
			continue;
		gw_stmt_bind_text(v->state_get, 1, key);
		rc = gw_stmt_step(v->state_get, &known, err);
		known = rc == BUS_OK && known && !gw_stmt_is_null(v->state_get, 0);
		if (known)
			hash = (uint64_t)gw_stmt_int(v->state_get, 0);
		gw_stmt_reset(v->state_get);
		if (rc == BUS_OK && same)
			rc = gw_eval_given(g->e, v, key, known, hash, &same, err);
		if (!same)
			gw_keys_add(&g->doubtful, name);
	}
	gw_keys_release(&old);
	bus_metric_set(g->doubts, (double)g->doubtful.n);
	return rc;
}

/* --- the end of a batch ------------------------------------------------------------------------------- */

/* Nothing of it waits at the leader's. */
static enum bus_err rest(struct gw_group *g, struct gw_live *v, struct bus_error *err)
{
	struct gw_engine *e = g->e;
	enum bus_err rc = BUS_OK;

	if (v->saved > 0) {
		gw_stmt_bind_int(e->dirty_clear, 1, v->id);
		rc = gw_stmt_run(e->dirty_clear, err);
	}
	gw_keys_clear(&v->dirty);
	v->saved = 0;
	v->all = false;
	gw_touched_end(v);
	return rc;
}

static enum bus_err waits_all(struct gw_group *g, struct gw_live *v, struct bus_error *err)
{
	enum bus_err rc;

	if (v->all)
		return BUS_OK;
	gw_touched_begin(v);
	rc = rest(g, v, err);
	gw_touched_begin(v);
	v->all = true;
	return rc;
}

static enum bus_err end(struct gw_group *g, const struct gw_group_item *i, struct bus_error *err)
{
	struct gw_engine *e = g->e;
	enum bus_err rc = BUS_OK;

	if (i->n < e->seq)
		return damaged(err, "its numbers are behind");
	e->seq = i->n;
	e->given_minute = i->part;
	for (size_t k = 0; k < e->n_views && rc == BUS_OK; k++) {
		struct gw_live *v = e->view[k];

		if (!v->waits_there && (v->dirty.n > 0 || v->all))
			rc = rest(g, v, err);
		v->waits_there = false;
	}
	if (rc == BUS_OK)
		rc = gw_group_doubts(g, err);
	g->within = false;
	g->due = true;
	g->at = NULL;
	g->n++;
	g->stands = *gw_group_log_place(g->log);
	bus_metric_add(g->batches, 1);
	return rc;
}

static enum bus_err item(struct gw_group *g, const struct gw_group_item *i, struct bus_error *err)
{
	struct gw_live *v;

	if (i->what == GW_ITEM_PRESENT || i->what == GW_ITEM_GONE)
		return entry(g, i, err);
	if (i->what == GW_ITEM_END)
		return end(g, i, err);
	v = view_of(g, i->name);
	if (!v)
		return damaged(err, "it names a view that does not run here");
	switch (i->what) {
	case GW_ITEM_VIEW:
		g->at = v;
		return BUS_OK;
	case GW_ITEM_SUM:
		return v->sum ? gw_sum_fill(g->e, v, err) : BUS_OK;
	case GW_ITEM_WAITS:
		v->waits_there = true;
		return BUS_OK;
	case GW_ITEM_WAITS_ALL:
		v->waits_there = true;
		return waits_all(g, v, err);
	default:
		return damaged(err, "an item out of place");
	}
}

static enum bus_err items(struct gw_group *g, struct bus_error *err)
{
	struct gw_group_item *i = bus_xmalloc(sizeof(*i));
	enum bus_err rc = BUS_OK;

	while (rc == BUS_OK && g->items.n > 0) {
		if (gw_group_read_item(&g->items, i) != BUS_OK)
			rc = damaged(err, "it cannot be read");
		else
			rc = item(g, i, err);
	}
	free(i);
	return rc;
}

enum bus_err gw_group_finish(struct gw_group *g, struct bus_error *err)
{
	enum bus_err rc = items(g, err);

	while (rc == BUS_OK && g->within) {
		if (*g->stop)
			return bus_fail(err, BUS_ESTOPPED, "stopping");
		rc = gw_group_log_next(g->log, 100, &g->record, err);
		if (rc == BUS_ETIMEOUT) {
			rc = gw_group_try(g, err);
			continue;
		}
		if (rc != BUS_OK)
			break;
		gw_group_heard(g, &g->record);
		if (g->record.kind == GW_GROUP_BEAT)
			continue;
		if (g->record.kind != GW_GROUP_BATCH)
			return gw_group_never_ended(g, err);
		g->items = g->record.items;
		rc = items(g, err);
	}
	return rc;
}

/* --- what a batch may begin with: each ends the transaction itself, which does the rest of the batch ------- */

static enum bus_err parse(struct gw_group *g, const struct gw_group_item *i, struct gw_def **out,
			  struct bus_error *err)
{
	char name[GW_GROUP_NAME_MAX];
	struct gw_def *d = NULL;
	enum bus_err rc;

	snprintf(name, sizeof(name), "%.*s", (int)i->name.n, i->name.p);
	rc = gw_view_parse(name, i->text.p, i->text.n, &d, err);
	if (rc == BUS_OK)
		rc = gw_live_adopt(g->e, &d, err);
	if (rc == BUS_OK)
		rc = gw_live_check(g->e, d, true, err);
	if (rc != BUS_OK)
		gw_view_free(&d);
	*out = d;
	return rc;
}

/* It may read a column that the leader took up already. */
static enum bus_err definition(struct gw_group *g, const struct gw_group_item *i, struct gw_def **out,
			       struct bus_error *err)
{
	struct gw_engine *e = g->e;
	enum bus_err rc = parse(g, i, out, err);

	if (rc == BUS_OK)
		return rc;
	if (e->in_transaction)
		gw_live_roll_back(e);
	if (e->schemas.catch_up)
		e->schemas.catch_up(e->schemas.ctx);
	rc = BUS_OK;
	for (size_t k = 0; k < e->n_topics && rc == BUS_OK; k++)
		rc = gw_evolve(e, &e->topic[k], err);
	if (rc == BUS_OK)
		rc = gw_commit(e, err);
	if (rc == BUS_OK)
		rc = parse(g, i, out, err);
	return rc == BUS_OK ? rc : damaged(err, "a definition that cannot be taken here");
}

static enum bus_err define(struct gw_group *g, const struct gw_group_item *i, struct bus_error *err)
{
	struct gw_engine *e = g->e;
	struct gw_build *b = NULL;
	struct gw_def *d = NULL;
	bool ready = false;
	enum bus_err rc = definition(g, i, &d, err);

	if (rc != BUS_OK)
		return rc;
	if (i->what == GW_ITEM_WORDS) {
		struct gw_live *v = view_of(g, i->name);

		g->within = true;
		if (v)
			return gw_switch_words(e, v, d, i->n != 0, err);
		gw_view_free(&d);
		return damaged(err, "it has other words for a view that does not run here");
	}
	rc = gw_build_new(e, d, i->n != 0, &b, err);
	while (rc == BUS_OK && !ready) {
		rc = *g->stop ? bus_fail(err, BUS_ESTOPPED, "stopping")
			      : gw_build_step(e, b, BUILD_MS, &ready, err);
		gw_group_show(g, GW_GROUP_FOLLOWS);
	}
	g->within = true;
	if (rc == BUS_OK)
		rc = gw_switch_to(e, b, err);
	gw_build_free(e, &b);
	return rc;
}

static enum bus_err drop(struct gw_group *g, const struct gw_group_item *i, struct bus_error *err)
{
	struct gw_live *v = view_of(g, i->name);

	g->within = true;
	return v ? gw_switch_drop(g->e, v, err) : damaged(err, "it drops a view that does not run here");
}

static enum bus_err refill(struct gw_group *g, const struct gw_group_item *i, struct bus_error *err)
{
	struct gw_engine *e = g->e;
	struct gw_topic *t = topic_of(g, i->name);
	int32_t id = (int32_t)i->part;
	struct schema *schema = NULL;
	enum bus_err rc = BUS_OK;

	if (!t)
		return damaged(err, "it has a topic that is not read here");
	if (e->schemas.by_id(e->schemas.ctx, id, &schema, NULL) != BUS_OK && e->schemas.catch_up) {
		e->schemas.catch_up(e->schemas.ctx);
		rc = e->schemas.by_id(e->schemas.ctx, id, &schema, err);
	}
	if (rc != BUS_OK)
		return rc;
	schema_unref(&t->replay);
	t->replay = schema;
	t->replay_id = id;
	rc = gw_refill_begin(e, t, err);
	for (size_t k = 0; k < e->n_parts && rc == BUS_OK; k++)
		if (e->part[k].topic == t)
			rc = gw_cut_restart(g->cut, (int)k, err);
	if (rc == BUS_OK)
		rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = gw_cut_reach(g->cut, g->stop, err);
	g->within = true;
	return rc == BUS_OK ? gw_refill_end(e, t, err) : rc;
}

/* --- a part ------------------------------------------------------------------------------------------- */

static enum bus_err inputs(struct gw_group *g, struct gw_group_item *i, struct bus_error *err)
{
	while (g->items.n > 0 && *g->items.p == GW_ITEM_INPUT) {
		size_t known = g->e->n_parts;
		char topic[256];
		int slot;

		if (gw_group_read_item(&g->items, i) != BUS_OK)
			return damaged(err, "it cannot be read");
		snprintf(topic, sizeof(topic), "%.*s", (int)i->name.n, i->name.p);
		slot = gw_core_part(g->e, topic, (int32_t)i->part);
		if (slot < 0) {
			bus_log(
			    BUS_LOG_ERROR, "group.topics", LOG_STR("topic", &topic[0]),
			    LOG_STR("why",
				    "the leader reads it, and `topics` of this gateway does not name it"));
			return damaged(err, "it has a topic that is not read here");
		}
		if (g->e->n_parts > known && gw_cut_restart(g->cut, slot, err) != BUS_OK)
			return err->code;
		gw_cut_at(g->cut, slot, i->n);
	}
	return BUS_OK;
}

static enum bus_err first_part(struct gw_group *g, struct bus_error *err)
{
	struct gw_group_item *i = bus_xmalloc(sizeof(*i));
	struct bus_str rest_of;
	enum bus_err rc;
	char what;

	rc = inputs(g, i, err);
	what = rc == BUS_OK && g->items.n > 0 ? *g->items.p : '\0';
	if (rc == BUS_OK && strchr("SRXT", what) && what)
		rc = gw_commit(g->e, err); /* the batches before it */
	else if (rc == BUS_OK && !g->record.last)
		rc = gw_commit(g->e, err); /* a long one is a transaction of its own */
	if (rc == BUS_OK && what != GW_ITEM_REFILL)
		rc = gw_begin(g->e, err);
	if (rc == BUS_OK && what != GW_ITEM_REFILL)
		rc = gw_cut_reach(g->cut, g->stop, err);
	if (rc != BUS_OK || !what || !strchr("SRXT", what)) {
		g->within = rc == BUS_OK;
		free(i);
		return rc == BUS_OK ? items(g, err) : rc;
	}
	rest_of = g->items;
	rc = gw_group_read_item(&rest_of, i) == BUS_OK ? BUS_OK : damaged(err, "it cannot be read");
	g->items = rest_of;
	if (rc == BUS_OK && what == GW_ITEM_DROP)
		rc = drop(g, i, err);
	else if (rc == BUS_OK && what == GW_ITEM_REFILL)
		rc = refill(g, i, err);
	else if (rc == BUS_OK)
		rc = define(g, i, err);
	free(i);
	if (rc == BUS_OK)
		gw_lives_follow(g->e);
	return rc;
}

enum bus_err gw_group_apply(struct gw_group *g, struct bus_error *err)
{
	enum bus_err rc;

	g->items = g->record.items;
	rc = g->record.part == 0 ? first_part(g, err) : items(g, err);
	if (rc == BUS_OK && g->record.last && g->within)
		rc = damaged(err, "it has no end");
	return rc;
}
