#include "gateway/engine/sample.h"

#include <stdio.h>

#include "bus/log.h"
#include "gateway/engine/verify.h"

#define RANGE_MS 30 /* of a range, after which the view's keys are looked at one by one */

static struct gw_live *at(struct gw_engine *e, const struct gw_sample *s)
{
	for (size_t i = 0; i < e->n_views; i++) {
		if (strcmp(e->view[i]->def->pub.name, s->view) >= 0)
			return e->view[i];
	}
	return e->n_views > 0 ? e->view[0] : NULL;
}

static void go_to(struct gw_sample *s, const struct gw_live *v, bool next)
{
	/* The next view is the first whose name is greater: of all names, this one with the least letter more. */
	snprintf(s->view, sizeof(s->view), "%s%s", v->def->pub.name, next ? "!" : "");
	bus_buf_reset(&s->after);
	s->by_key = false;
}

static void on_difference(void *ctx, struct bus_str key)
{
	struct gw_live *v = ctx;

	gw_keys_add(&v->dirty, key);
	bus_log(BUS_LOG_ERROR, "gateway.view_differs", LOG_STR("view", v->def->pub.name),
		LOG_STR("why", "a stored row is not what its SELECT gives; it is evaluated again"));
}

/* The next n stored keys, removed ones too: they bound the range. */
static enum bus_err next_keys(struct gw_reader *r, const struct gw_live *v, const struct gw_sample *s, int n,
			      struct bus_error *err)
{
	struct gw_stmt *keys;
	enum bus_err rc;
	char sql[160];
	bool row;

	gw_keys_clear(&r->keys);
	snprintf(sql, sizeof(sql), "SELECT key FROM \"_view_%s\" WHERE key > ? ORDER BY key LIMIT ?",
		 v->def->pub.name);
	rc = gw_reader_stmt(r, sql, &keys, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(keys, 1, bus_buf_str(&s->after));
	gw_stmt_bind_int(keys, 2, n);
	while ((rc = gw_stmt_step(keys, &row, err)) == BUS_OK && row)
		gw_keys_add(&r->keys, gw_stmt_text(keys, 0));
	gw_stmt_reset(keys);
	return rc;
}

static enum bus_err look(struct gw_engine *e, struct gw_sample *s, struct gw_live *v, int n,
			 struct bus_error *err)
{
	struct gw_reader *r = gw_reader_of(e);
	struct gw_verdict verdict = { 0 };
	struct gw_check c = { .r = r,
			      .def = v->def,
			      .deadline_ms = RANGE_MS,
			      .verdict = &verdict,
			      .differs = on_difference,
			      .ctx = v };
	enum bus_err rc;
	bool last;

	rc = next_keys(r, v, s, n, err);
	if (rc != BUS_OK)
		return rc;
	last = r->keys.n < (size_t)n;
	c.range.after = s->after.n ? bus_buf_str(&s->after) : BUS_STR("");
	if (!last)
		c.range.to = gw_keys_at(&r->keys, r->keys.n - 1);
	if (!s->by_key)
		rc = gw_check_range(&c, err);
	s->by_key |= rc == BUS_ETIMEOUT;
	for (size_t i = 0; s->by_key && i < r->keys.n && (rc == BUS_OK || rc == BUS_ETIMEOUT); i++)
		rc = gw_check_key(&c, gw_keys_at(&r->keys, i), err);
	gw_check_count(&v->def->pub, verdict.keys, verdict.differing);
	if (rc == BUS_OK && !last) {
		struct bus_str to = gw_keys_at(&r->keys, r->keys.n - 1);

		bus_buf_reset(&s->after);
		bus_buf_put(&s->after, to.p, to.n);
	} else if (rc == BUS_OK ||
		   rc == BUS_ETIMEOUT) { /* done, or even one key is dear: verify looks at those */
		go_to(s, v, true);
	}
	return rc == BUS_ETIMEOUT ? BUS_OK : rc;
}

void gw_sample_step(struct gw_engine *e, struct gw_sample *s, int n)
{
	struct bus_error err = { 0 };
	struct gw_reader *r = gw_reader_of(e);
	struct gw_live *v = at(e, s);
	enum bus_err rc;

	if (!v)
		return;
	if (strcmp(s->view, v->def->pub.name) != 0)
		go_to(s, v, false);
	if (v->all || v->dirty.n > 0) { /* its turn comes again */
		go_to(s, v, true);
		return;
	}
	rc = gw_read_begin(r, &err);
	if (rc == BUS_OK)
		rc = look(e, s, v, n, &err);
	if (r->db)
		gw_db_rollback(r->db);
	if (rc != BUS_OK) {
		bus_log(BUS_LOG_WARN, "gateway.sample", LOG_STR("view", v->def->pub.name), LOG_ERR(&err));
		go_to(s, v, true);
	}
}

void gw_sample_release(struct gw_sample *s)
{
	bus_buf_release(&s->after);
}
