/* What the leader's transactions do, as batches of the group's log. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/engine/group_impl.h"

#define PART_BYTES (16 * 1024) /* of items; a record is that and one more item */
#define FLUSH_MS 500
#define BACK_MS 100
#define MINUTE_MS 60000

void gw_group_told_none(struct gw_group *g)
{
	free(g->told);
	g->told = NULL;
	g->n_told = 0;
	g->waits_told = 0;
	bus_buf_reset(&g->out);
	g->part = 0;
	g->about = NULL;
	g->held = false;
}

/* Partitions that are elsewhere than was told; those that are read again stand where their table does. */
static bool put_inputs(struct gw_group *g, struct bus_buf *out)
{
	struct gw_engine *e = g->e;
	bool some = false;

	g->told = bus_xrealloc(g->told, (e->n_parts + 1) * sizeof(*g->told));
	for (; g->n_told < e->n_parts; g->n_told++)
		g->told[g->n_told] = BUS_OFFSET_BEGIN;
	for (size_t i = 0; i < e->n_parts; i++) {
		const struct gw_part *p = &e->part[i];
		const struct gw_group_item item = { .what = GW_ITEM_INPUT,
						    .name = bus_str(p->topic->name),
						    .part = p->partition,
						    .n = p->next };

		if (p->topic->fill || p->next == g->told[i])
			continue;
		some = true;
		if (out) {
			gw_group_put_item(out, &item);
			g->told[i] = p->next;
		}
	}
	return some;
}

static enum bus_err send_part(struct gw_group *g, struct bus_str items, bool last, struct bus_error *err)
{
	const struct gw_group_place *place = gw_group_log_place(g->log);
	const struct gw_group_record head = { .kind = GW_GROUP_BATCH,
					      .node = g->node,
					      .epoch = place->epoch,
					      .store = gw_store_id(g->e),
					      .n = g->n + 1,
					      .part = g->part,
					      .last = last };
	struct bus_buf bytes = { 0 };
	enum bus_err rc;

	gw_group_put_record(&bytes, &head);
	if (g->part == 0)
		(void)put_inputs(g, &bytes);
	bus_buf_put(&bytes, items.p, items.n);
	rc = gw_group_log_put(g->log, bus_buf_str(&bytes), err);
	bus_buf_release(&bytes);
	g->part++;
	return rc;
}

/* What is gathered, in parts of whole items; the last few may stay. */
static enum bus_err send_parts(struct gw_group *g, struct bus_error *err)
{
	struct gw_group_item *item = g->out.n >= PART_BYTES ? bus_xmalloc(sizeof(*item)) : NULL;
	struct bus_str left = bus_buf_str(&g->out), from = left;
	enum bus_err rc = BUS_OK;

	while (item && left.n > 0 && rc == BUS_OK) {
		rc = gw_group_read_item(&left, item);
		if (rc == BUS_OK && from.n - left.n >= PART_BYTES) {
			rc = send_part(g, (struct bus_str){ from.p, from.n - left.n }, false, err);
			from = left;
		}
	}
	if (item && from.n > 0)
		memmove(g->out.p, from.p, from.n);
	g->out.n = item ? from.n : g->out.n;
	free(item);
	return rc;
}

static enum bus_err put(struct gw_group *g, const struct gw_group_item *item, struct bus_error *err)
{
	if (item->what != GW_ITEM_PRESENT && item->what != GW_ITEM_GONE)
		g->about = NULL;
	gw_group_put_item(&g->out, item);
	return g->held ? BUS_OK : send_parts(g, err);
}

enum bus_err gw_group_tell(struct gw_engine *e, const struct gw_group_item *item, struct bus_error *err)
{
	return e->group && e->group->leads ? put(e->group, item, err) : BUS_OK;
}

enum bus_err gw_group_tell_key(struct gw_engine *e, struct gw_live *v, struct bus_str key,
			       struct gw_stmt *from, uint64_t hash, struct bus_error *err)
{
	struct gw_group *g = e->group;
	const struct gw_view *d = &v->def->pub;
	const struct gw_group_item view = { .what = GW_ITEM_VIEW, .name = bus_str(d->name) };
	struct gw_group_item item;
	enum bus_err rc = BUS_OK;

	if (!g || !g->leads || v->beside)
		return BUS_OK;
	if (d->n_scope > GW_GROUP_SCOPE_MAX)
		return bus_fail(err, BUS_ETOOBIG, "view '%s' has more than %d scope columns", d->name,
				GW_GROUP_SCOPE_MAX);
	if (g->about != v)
		rc = put(g, &view, err);
	g->about = v;
	item.what = from ? GW_ITEM_PRESENT : GW_ITEM_GONE;
	item.text = key;
	item.n = d->internal ? 0 : g->e->seq;
	item.hash = hash;
	item.n_scope = 0;
	for (size_t i = 0; from && !d->internal && i < d->n_scope; i++)
		gw_stmt_value(from, (int)d->scope[i], &item.scope[item.n_scope++]);
	return rc == BUS_OK ? put(g, &item, err) : rc;
}

/* What still waits for evaluation: whoever takes over goes on with it. */
static uint64_t put_waits(struct gw_group *g)
{
	struct gw_engine *e = g->e;

	bus_buf_reset(&g->waits);
	for (size_t i = 0; i < e->n_views; i++) {
		const struct gw_live *v = e->view[i];
		const struct gw_group_item item = { .what = v->all ? GW_ITEM_WAITS_ALL : GW_ITEM_WAITS,
						    .name = bus_str(v->def->pub.name) };

		if (v->all || v->dirty.n > 0)
			gw_group_put_item(&g->waits, &item);
	}
	return XXH3_64bits(g->waits.p, g->waits.n) | 1;
}

/* Everything that was sent is acknowledged, and has been read back in its place. */
static enum bus_err settle(struct gw_group *g, struct bus_error *err)
{
	struct gw_group_record r;
	enum bus_err rc;

	while ((rc = gw_group_log_flush(g->log, FLUSH_MS, err)) == BUS_ETIMEOUT && !*g->stop)
		;
	while (rc == BUS_OK && gw_group_log_place(g->log)->n <= g->n) {
		if (*g->stop)
			return bus_fail(err, BUS_ESTOPPED, "stopping");
		rc = gw_group_log_next(g->log, BACK_MS, &r, err);
		if (rc == BUS_ETIMEOUT) {
			rc = BUS_OK;
		} else if (rc == BUS_OK) {
			gw_group_heard(g, &r);
			if (gw_group_log_place(g->log)->leader != g->node)
				rc = bus_fail(err, BUS_EFATAL, "another gateway leads now");
		}
	}
	return rc;
}

static enum bus_err publish(struct gw_group *g, struct bus_error *err)
{
	const struct gw_group_item end = { .what = GW_ITEM_END,
					   .n = g->e->seq,
					   .part = bus_clock_ms() / MINUTE_MS };
	int64_t begin = bus_clock_mono_us();
	uint64_t waits = put_waits(g);
	enum bus_err rc;

	if (g->part == 0 && g->out.n == 0 && waits == g->waits_told && !put_inputs(g, NULL))
		return BUS_OK; /* nothing that others should know */
	bus_buf_put(&g->out, g->waits.p, g->waits.n);
	gw_group_put_item(&g->out, &end);
	rc = send_part(g, bus_buf_str(&g->out), true, err);
	bus_buf_reset(&g->out);
	if (rc == BUS_OK)
		rc = settle(g, err);
	if (rc != BUS_OK)
		return rc;
	g->waits_told = waits;
	g->part = 0;
	g->about = NULL;
	g->n++;
	g->stands = *gw_group_log_place(g->log);
	bus_metric_add(g->batches, 1);
	bus_metric_add(g->wait_us, bus_clock_mono_us() - begin);
	return gw_group_note(g, err);
}

void gw_group_hold(struct gw_engine *e, bool all)
{
	struct gw_group *g = e->group;

	if (!g)
		return;
	g->held = !all; /* a whole view's entries are too many to keep, and taken back by themselves */
	g->mark = g->out.n;
}

enum bus_err gw_group_release(struct gw_engine *e, struct bus_error *err)
{
	struct gw_group *g = e->group;

	if (!g || !g->leads)
		return BUS_OK;
	g->held = false;
	return send_parts(g, err);
}

enum bus_err gw_group_take_back(struct gw_engine *e, struct bus_error *err)
{
	struct gw_group *g = e->group;
	struct gw_group_record r = { .kind = GW_GROUP_VOID };
	struct bus_buf bytes = { 0 };
	enum bus_err rc;

	if (!g || !g->leads)
		return BUS_OK;
	if (g->held || g->part == 0) {
		g->held = false;
		g->out.n = g->mark;
		g->about = NULL;
		return BUS_OK;
	}
	r.node = g->node;
	r.epoch = gw_group_log_place(g->log)->epoch;
	r.store = gw_store_id(e);
	r.n = g->n + 1;
	gw_group_told_none(g);
	gw_group_put_record(&bytes, &r);
	rc = gw_group_log_put(g->log, bus_buf_str(&bytes), err);
	bus_buf_release(&bytes);
	return rc;
}

bool gw_group_numbers(const struct gw_engine *e)
{
	return !e->group || e->group->leads;
}

enum bus_err gw_group_commit(struct gw_engine *e, struct bus_error *err)
{
	struct gw_group *g = e->group;
	enum bus_err rc = BUS_OK;

	if (!g || !g->log)
		return BUS_OK;
	if (g->leads)
		return publish(g, err);
	if (g->within)
		rc = gw_group_finish(g, err);
	g->due = false;
	return rc == BUS_OK ? gw_group_note(g, err) : rc;
}
