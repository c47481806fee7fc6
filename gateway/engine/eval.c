/* Evaluating a view, comparing with what was there, writing the differences and their log. */
#include <assert.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/define/rollup.h"
#include "gateway/engine/group_wire.h"
#include "gateway/engine/rollup.h"

#define STATE_WINDOW 1000
#define ROWS_BETWEEN_LOOKS 4096
#define KEY_US 2000000 /* for one key, and for all of a view without rows */
#define ROW_US 200     /* for each row of the tables that a view reads */

struct old { /* what is stored for a key */
	bool known, present;
	uint64_t hash;
};

/* from stands on the key's row; NULL: it is gone. */
enum bus_err gw_eval_write(struct gw_engine *e, struct gw_live *v, struct bus_str key, struct gw_stmt *from,
			   uint64_t hash, struct bus_error *err)
{
	enum bus_err rc;

	v->changed = true;
	e->writing = NULL;
	if (!v->log_put) { /* internal, or being built: nobody follows it */
		if (!from) {
			gw_stmt_bind_text(v->state_remove, 1, key);
			rc = gw_stmt_run(v->state_remove, err);
			return rc == BUS_OK ? gw_group_tell_key(e, v, key, NULL, 0, err) : rc;
		}
		gw_stmt_bind_text(v->state_put, 1, key);
		gw_stmt_bind_int(v->state_put, 2, (int64_t)hash);
		gw_stmt_bind_int(v->state_put, 3, 0);
		rc = gw_scope_write(e, v, key, from, err);
		if (rc == BUS_OK)
			rc = gw_stmt_run(v->state_put, err);
		return rc == BUS_OK ? gw_group_tell_key(e, v, key, from, hash, err) : rc;
	}
	e->seq = e->given ? e->given : e->seq + 1;
	v->newest = e->seq;
	gw_stmt_bind_text(v->state_put, 1, key);
	if (from)
		gw_stmt_bind_int(v->state_put, 2, (int64_t)hash);
	else
		gw_stmt_bind_null(v->state_put, 2);
	gw_stmt_bind_int(v->state_put, 3, e->seq);
	rc = gw_scope_write(e, v, key, from, err);
	if (rc == BUS_OK)
		rc = gw_stmt_run(v->state_put, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_int(v->log_put, 1, e->seq);
	gw_stmt_bind_text(v->log_put, 2, key);
	v->log_entries++;
	rc = gw_stmt_run(v->log_put, err);
	return rc == BUS_OK ? gw_group_tell_key(e, v, key, from, hash, err) : rc;
}

static enum bus_err write_row(struct gw_engine *e, struct gw_live *v, struct gw_stmt *from,
			      struct bus_error *err)
{
	struct gw_value value;
	enum bus_err rc;

	for (int i = 0; i < gw_stmt_columns(from); i++) {
		gw_stmt_value(from, i, &value);
		gw_stmt_bind_value(v->row_put, i + 1, &value);
	}
	e->writing = v->rel;
	rc = gw_stmt_run(v->row_put, err);
	e->writing = NULL;
	if (rc == BUS_OK && v->rel && v->rel->images_wait)
		rc = gw_route_flush_images(e, v->rel, err);
	return rc;
}

/* The row that `from` stands on is what the key has now. */
static enum bus_err keep_row(struct gw_engine *e, struct gw_live *v, struct bus_str key, struct gw_stmt *from,
			     const struct old *old, bool waited, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	uint64_t hash;
	bool same;

	v->evaluations++;
	bus_buf_reset(&e->scratch);
	gw_stmt_pack(from, &e->scratch);
	hash = gw_hash(e->secret, e->scratch.p, e->scratch.n);
	/* The hash is of no day in particular. A change that shows on some day only (a birthday that is not among
	 * the columns) leaves it as it was, and followers of that day must be told. */
	same = old->present && old->hash == hash && !v->def->pub.dated && !(waited && !v->def->full);
	if (v->row_put && (!same || v->refill))
		rc = write_row(e, v, from, err);
	if (rc == BUS_OK && same && v->refill)
		rc = gw_scope_fill(v, key, from, err);
	if (rc != BUS_OK || same)
		return rc;
	v->rows += !old->present;
	return gw_eval_write(e, v, key, from, hash, err);
}

static enum bus_err drop_row(struct gw_engine *e, struct gw_live *v, struct bus_str key,
			     struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (v->row_remove) {
		gw_stmt_bind_text(v->row_remove, 1, key);
		e->writing = v->rel;
		rc = gw_stmt_run(v->row_remove, err);
		e->writing = NULL;
	}
	v->rows--;
	return rc == BUS_OK ? gw_eval_write(e, v, key, NULL, 0, err) : rc;
}

enum bus_err gw_eval_given(struct gw_engine *e, struct gw_live *v, struct bus_str key, bool present, uint64_t hash,
			   bool *same, struct bus_error *err)
{
	enum bus_err rc;
	bool was, row;

	*same = true;
	gw_stmt_bind_text(v->state_get, 1, key);
	rc = gw_stmt_step(v->state_get, &was, err);
	was = rc == BUS_OK && was && !gw_stmt_is_null(v->state_get, 0);
	gw_stmt_reset(v->state_get);
	v->rows += (int)present - (int)was;
	if (rc != BUS_OK || !v->row_put)
		return rc;
	if (!present) {
		gw_stmt_bind_text(v->row_remove, 1, key);
		e->writing = v->rel;
		rc = gw_stmt_run(v->row_remove, err);
		e->writing = NULL;
		return rc;
	}
	gw_stmt_bind_text(v->keyed, gw_stmt_param(v->keyed, ":_key"), key);
	rc = gw_stmt_step(v->keyed, &row, err);
	if (rc == BUS_OK && row) {
		bus_buf_reset(&e->scratch);
		gw_stmt_pack(v->keyed, &e->scratch);
		*same = gw_hash(e->secret, e->scratch.p, e->scratch.n) == hash;
		rc = write_row(e, v, v->keyed, err);
	}
	*same &= row;
	gw_stmt_reset(v->keyed);
	return rc;
}

static void bad_key(struct gw_engine *e, struct gw_live *v, const char *why)
{
	bus_metric_add(e->duplicates, 1);
	bus_log(BUS_LOG_ERROR, "gateway.view_key", LOG_STR("view", v->def->pub.name), LOG_STR("why", why));
}

void gw_eval_select(const struct gw_def *d, struct bus_buf *out)
{
	(d->rollup ? gw_rollup_select : gw_view_select)(d, out);
}

int64_t gw_eval_most_us(struct gw_engine *e, const struct gw_def *d)
{
	int64_t rows = 0;

	for (size_t i = 0; i < d->n_reads; i++) {
		const struct gw_rel *rel = gw_rel_find(e, d->read[i].table);

		rows += rel ? rel->rows : 0;
	}
	return KEY_US + rows * ROW_US;
}

/* A definition that passed its check may still cost n^3 on the rows there are: all others wait for the writer. Writing
 * is not under the deadline (gateway/store/db.h). */
enum bus_err gw_eval_step(struct gw_engine *e, struct gw_live *v, struct gw_stmt *s, int64_t most_us,
			  bool *row, struct bus_error *err)
{
	int64_t begin = bus_clock_mono_us(), us = v->left_us < most_us ? v->left_us : most_us;
	enum bus_err rc;

	gw_db_deadline(e->db, us > 1000 ? (int)(us / 1000) : 1);
	rc = gw_stmt_step(s, row, err);
	gw_db_deadline(e->db, 0);
	v->left_us -= bus_clock_mono_us() - begin;
	return rc == BUS_ETIMEOUT ? bus_fail(err, rc, "its SELECT takes too long on the rows there are") : rc;
}

enum bus_err gw_eval_key(struct gw_engine *e, struct gw_live *v, struct bus_str key, bool waited,
			 struct bus_error *err)
{
	struct old old = { 0 };
	enum bus_err rc;
	bool row;

	gw_stmt_bind_text(v->state_get, 1, key);
	rc = gw_stmt_step(v->state_get, &row, err);
	if (rc == BUS_OK && row) {
		old.known = true;
		old.present = !gw_stmt_is_null(v->state_get, 0);
		old.hash = (uint64_t)gw_stmt_int(v->state_get, 0);
	}
	gw_stmt_reset(v->state_get);
	if (rc != BUS_OK)
		return rc;

	gw_stmt_bind_text(v->keyed, gw_stmt_param(v->keyed, ":_key"), key);
	rc = gw_eval_step(e, v, v->keyed, KEY_US, &row, err);
	if (rc == BUS_OK && row) {
		rc = keep_row(e, v, key, v->keyed, &old, waited, err);
		if (rc == BUS_OK && (rc = gw_eval_step(e, v, v->keyed, KEY_US, &row, err)) == BUS_OK && row)
			bad_key(e, v, "two rows with one key");
		gw_stmt_reset(v->keyed);
		return rc;
	}
	gw_stmt_reset(v->keyed);
	if (rc == BUS_OK && old.present)
		rc = drop_row(e, v, key, err);
	return rc;
}

/* The stored keys in order, read a window at a time, so that nothing is open on the table while its rows
 * behind the window change. */
struct window {
	struct gw_stmt *next;
	struct gw_keys keys;
	struct old old[STATE_WINDOW];
	size_t at;
	bool end;
	struct bus_buf last;
};

static enum bus_err window_fill(struct window *w, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	struct bus_str key;
	bool row;

	gw_keys_clear(&w->keys);
	w->at = 0;
	gw_stmt_bind_text(w->next, 1, bus_buf_str(&w->last));
	while (w->keys.n < STATE_WINDOW && (rc = gw_stmt_step(w->next, &row, err)) == BUS_OK && row) {
		w->old[w->keys.n] =
		    (struct old){ true, !gw_stmt_is_null(w->next, 1), (uint64_t)gw_stmt_int(w->next, 1) };
		gw_keys_add(&w->keys, gw_stmt_text(w->next, 0));
	}
	gw_stmt_reset(w->next);
	w->end = w->keys.n == 0;
	if (!w->end) {
		key = gw_keys_at(&w->keys, w->keys.n - 1);
		bus_buf_reset(&w->last);
		bus_buf_put(&w->last, key.p, key.n);
	}
	return rc;
}

static int compare(struct bus_str a, struct bus_str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

/* Passes over stored keys up to `key` (p NULL: to the end); those before it are no longer in the view. old:
 * what is stored for key itself. */
static enum bus_err window_advance(struct gw_engine *e, struct gw_live *v, struct window *w,
				   struct bus_str key, struct old *old, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	struct bus_str stored;
	int c;

	*old = (struct old){ 0 };
	while (rc == BUS_OK) {
		if (!w->end && w->at == w->keys.n)
			rc = window_fill(w, err);
		if (rc != BUS_OK || w->end)
			break;
		stored = gw_keys_at(&w->keys, w->at);
		c = key.p ? compare(stored, key) : -1;
		if (c > 0)
			break;
		if (c == 0)
			*old = w->old[w->at];
		else if (w->old[w->at].present)
			rc = drop_row(e, v, stored, err);
		w->at++;
		if (c == 0)
			break;
	}
	return rc;
}

enum bus_err gw_eval_all(struct gw_engine *e, struct gw_live *v, const _Atomic bool *stop,
			 struct bus_error *err)
{
	struct window *w = bus_xcalloc(1, sizeof(*w));
	int key_column = (int)v->def->pub.key;
	struct bus_buf sql = { 0 }, last = { 0 };
	struct gw_stmt *s = NULL;
	struct bus_str key;
	enum bus_err rc;
	struct old old;
	uint64_t n = 0;
	bool row;

	bus_buf_printf(&sql, "SELECT key, hash FROM \"_view_%s\" WHERE key > ? ORDER BY key LIMIT %d",
		       v->def->pub.name, STATE_WINDOW);
	rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &w->next, err);
	if (rc == BUS_OK && v->sum)
		rc = gw_sum_fill(e, v, err);
	if (rc == BUS_OK && v->sum)
		rc = gw_group_tell(e, &(struct gw_group_item){ .what = GW_ITEM_SUM, .name = bus_str(v->def->pub.name) }, err);
	bus_buf_reset(&sql);
	gw_eval_select(v->def, &sql);
	bus_buf_printf(&sql, "ORDER BY \"%s\"", v->def->pub.column[key_column].name);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &s, err);
	v->left_us = gw_eval_most_us(e, v->def);
	while (rc == BUS_OK && (rc = gw_eval_step(e, v, s, v->left_us, &row, err)) == BUS_OK && row) {
		if (++n % ROWS_BETWEEN_LOOKS == 0 && stop && *stop) {
			rc = bus_fail(err, BUS_ESTOPPED, "stopping");
			break;
		}
		key = gw_stmt_text(s, key_column);
		if (!key.p || key.n == 0 || (last.p && bus_str_eq(key, bus_buf_str(&last)))) {
			bad_key(e, v, key.n ? "two rows with one key" : "a row without a key");
			continue;
		}
		bus_buf_reset(&last);
		bus_buf_put(&last, key.p, key.n);
		rc = window_advance(e, v, w, bus_buf_str(&last), &old, err);
		if (rc == BUS_OK)
			rc = keep_row(e, v, bus_buf_str(&last), s, &old,
				      gw_touched_has(v, bus_buf_str(&last)), err);
	}
	if (rc == BUS_OK)
		rc = window_advance(e, v, w, (struct bus_str){ 0 }, &old, err);
	if (rc == BUS_OK)
		v->refill = false;
	gw_stmt_free(&s);
	gw_stmt_free(&w->next);
	gw_keys_release(&w->keys);
	bus_buf_release(&w->last);
	free(w);
	bus_buf_release(&sql);
	bus_buf_release(&last);
	return rc;
}
