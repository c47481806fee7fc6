/* The moment a built view replaces the running one, and the moment one goes. */
#include <stdio.h>

#include "bus/log.h"
#include "gateway/define/rollup.h"
#include "gateway/engine/group_wire.h"
#include "gateway/engine/live_impl.h"
#include "gateway/engine/rollup.h"

#define WINDOW 1000 /* keys compared at a time: nothing is open on the table while its rows change */

static struct gw_live *running(struct gw_engine *e, const char *name, size_t *at)
{
	for (*at = 0; *at < e->n_views; (*at)++) {
		int c = strcmp(e->view[*at]->def->pub.name, name);

		if (c == 0)
			return e->view[*at];
		if (c > 0)
			break;
	}
	return NULL;
}

static void insert_at(struct gw_engine *e, size_t at, struct gw_live *v)
{
	e->view = bus_xrealloc(e->view, (e->n_views + 1) * sizeof(*e->view));
	memmove(&e->view[at + 1], &e->view[at], (e->n_views - at) * sizeof(*e->view));
	e->view[at] = v;
	e->n_views++;
}

static void take_out(struct gw_engine *e, size_t at)
{
	e->n_views--;
	memmove(&e->view[at], &e->view[at + 1], (e->n_views - at) * sizeof(*e->view));
}

/* Whether an unchanged value reads as another one: other columns, or other types of them. */
static bool same_shape(const struct gw_view *a, const struct gw_view *b)
{
	bool same = a->n_columns == b->n_columns && a->internal == b->internal && a->key == b->key;

	for (size_t i = 0; same && i < a->n_columns; i++)
		same = strcmp(a->column[i].name, b->column[i].name) == 0 &&
		       a->column[i].type == b->column[i].type;
	return same;
}

/* Keys in windows, as sql gives them after the last one (?1), and what each has from now on: the hash beside it and
 * the row of `row`, or nothing (row NULL). */
static enum bus_err write_window(struct gw_engine *e, struct gw_live *v, struct gw_stmt *s,
				 struct gw_stmt *row, struct bus_buf *last, bool *more, struct bus_error *err)
{
	struct gw_keys keys = { 0 };
	int64_t hash[WINDOW];
	enum bus_err rc = BUS_OK;
	struct bus_str key;
	bool there;

	gw_stmt_bind_text(s, 1, bus_buf_str(last));
	while (keys.n < WINDOW && (rc = gw_stmt_step(s, &there, err)) == BUS_OK && there) {
		hash[keys.n] = row ? gw_stmt_int(s, 1) : 0;
		gw_keys_add(&keys, gw_stmt_text(s, 0));
	}
	gw_stmt_reset(s);
	for (size_t i = 0; i < keys.n && rc == BUS_OK; i++) {
		key = gw_keys_at(&keys, i);
		if (row) {
			gw_stmt_bind_text(row, 1, key);
			rc = gw_stmt_step(row, &there, err);
		}
		if (rc == BUS_OK)
			rc = gw_eval_write(e, v, key, row, (uint64_t)hash[i], err);
		if (row)
			gw_stmt_reset(row);
	}
	*more = keys.n == WINDOW;
	if (keys.n > 0) {
		key = gw_keys_at(&keys, keys.n - 1);
		bus_buf_reset(last);
		bus_buf_put(last, key.p, key.n);
	}
	gw_keys_release(&keys);
	return rc;
}

static enum bus_err write_all(struct gw_engine *e, struct gw_live *v, const char *sql, struct gw_stmt *row,
			      struct bus_error *err)
{
	struct bus_buf last = { 0 };
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	bool more = true;

	rc = gw_db_prepare(e->db, sql, &s, err);
	while (rc == BUS_OK && more)
		rc = write_window(e, v, s, row, &last, &more, err);
	gw_stmt_free(&s);
	bus_buf_release(&last);
	return rc;
}

static bool is_scope(const struct gw_view *v, const char *column)
{
	for (size_t i = 0; i < v->n_scope && !v->internal; i++)
		if (strcmp(v->column[v->scope[i]].name, column) == 0)
			return true;
	return false;
}

/* A key's row as far as its state needs it: the scope columns. */
static enum bus_err prepare_row(struct gw_engine *e, const struct gw_view *d, struct gw_stmt **out,
				struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	for (size_t i = 0; i < d->n_columns; i++) {
		bus_buf_puts(&sql, i ? "," : "SELECT ");
		if (is_scope(d, d->column[i].name))
			bus_buf_printf(&sql, "\"s_%s\"", d->column[i].name);
		else
			bus_buf_puts(&sql, "NULL");
	}
	bus_buf_printf(&sql, " FROM \"%s%s\" WHERE key = ?", GW_BESIDE_STATE, d->name);
	rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), out, err);
	bus_buf_release(&sql);
	return rc;
}

/* A scope that is new gets its values at once, for rows that stay as they are. */
static enum bus_err fill_scopes(struct gw_engine *e, const struct gw_view *old, const struct gw_view *d,
				struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < d->n_columns && rc == BUS_OK; i++) {
		const char *c = d->column[i].name;

		if (is_scope(d, c) && !is_scope(old, c))
			rc = gw_db_exec(
			    e->db, err,
			    "UPDATE \"_view_%s\" SET \"s_%s\" = (SELECT n.\"s_%s\" FROM \"%s%s\" n "
			    "WHERE n.key = \"_view_%s\".key)",
			    d->name, c, c, GW_BESIDE_STATE, d->name, d->name);
	}
	return rc;
}

/* What differs between the view's state and what was built, as changes of the view; and keys of the old one that
 * waited where readers could see it. */
static enum bus_err write_differences(struct gw_engine *e, const struct gw_live *old, struct gw_live *v,
				      bool every, struct bus_error *err)
{
	const char *name = v->def->pub.name;
	struct gw_stmt *row = NULL;
	char *sql;
	enum bus_err rc;

	sql =
	    bus_xasprintf("SELECT v.key FROM \"_view_%s\" v LEFT JOIN \"%s%s\" n ON n.key = v.key "
			  "WHERE v.key > ?1 AND v.hash IS NOT NULL AND n.key IS NULL ORDER BY v.key LIMIT %d",
			  name, GW_BESIDE_STATE, name, WINDOW);
	rc = write_all(e, v, sql, NULL, err);
	free(sql);
	sql = bus_xasprintf("SELECT n.key, n.hash FROM \"%s%s\" n LEFT JOIN \"_view_%s\" v ON v.key = n.key "
			    "WHERE n.key > ?1 AND (%d OR v.hash IS NOT n.hash OR n.key IN (SELECT key FROM "
			    "_dirty WHERE view = %lld)) ORDER BY n.key LIMIT %d",
			    GW_BESIDE_STATE, name, name, every, old ? (long long)old->id : -1, WINDOW);
	if (rc == BUS_OK)
		rc = prepare_row(e, &v->def->pub, &row, err);
	if (rc == BUS_OK)
		rc = write_all(e, v, sql, row, err);
	gw_stmt_free(&row);
	free(sql);
	return rc;
}

/* Indexes that no view declares any more (those of sums, `_ix__sum_...`, go with their table). */
static enum bus_err drop_indexes(struct gw_engine *e, struct bus_error *err)
{
	struct gw_keys idle = { 0 };
	struct gw_stmt *s = NULL;
	struct bus_buf name = { 0 };
	enum bus_err rc;
	bool row, used;

	rc = gw_db_prepare(e->db,
			   "SELECT name FROM sqlite_schema WHERE type='index' AND substr(name,1,4)='_ix_' "
			   "AND substr(name,5,1)<>'_'",
			   &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		used = false;
		for (size_t i = 0; i < e->n_views && !used; i++)
			for (size_t k = 0; k < e->view[i]->def->n_indexes && !used; k++) {
				gw_setup_index_name(&e->view[i]->def->index[k], &name);
				used = bus_str_eq(bus_buf_str(&name), gw_stmt_text(s, 0));
			}
		if (!used)
			gw_keys_add(&idle, gw_stmt_text(s, 0));
	}
	gw_stmt_free(&s);
	for (size_t i = 0; i < idle.n && rc == BUS_OK; i++)
		rc = gw_db_exec(e->db, err, "DROP INDEX \"%.*s\"", (int)gw_keys_at(&idle, i).n,
				gw_keys_at(&idle, i).p);
	gw_keys_release(&idle);
	bus_buf_release(&name);
	return rc;
}

/* Tables and statements of the built view take the places of the running one's (old may be NULL), which is out of
 * e->view already. */
static enum bus_err exchange(struct gw_engine *e, struct gw_live *old, struct gw_live *v,
			     struct bus_error *err)
{
	const char *name = v->def->pub.name;
	enum bus_err rc = BUS_OK;

	if (!old || old->def->full) /* one that could not be set up at the start has left its table */
		rc = gw_db_exec(e->db, err, "DROP TABLE IF EXISTS \"%s\"", name);
	if (rc == BUS_OK && v->def->full)
		rc = gw_db_exec(e->db, err, "ALTER TABLE \"" GW_BESIDE_ROWS "%s\" RENAME TO \"%s\"", name,
				name);
	if (rc == BUS_OK && v->def->pub.internal) /* nobody is told of what is gone */
		rc = gw_db_exec(e->db, err, "DROP TABLE IF EXISTS \"_log_%s\"", name);
	if (old)
		gw_sum_close(e, old);
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err, "DROP TABLE IF EXISTS \"_sum_%s\"", name);
	gw_setup_release(v);
	v->beside = false;
	if (rc == BUS_OK)
		rc = gw_setup_tables(e, v, err);
	if (rc == BUS_OK)
		rc = gw_setup_statements(e, v, err);
	if (rc == BUS_OK && v->sum)
		rc = gw_sum_fill(e, v, err);
	if (rc == BUS_OK && old)
		rc = fill_scopes(e, &old->def->pub, &v->def->pub, err);
	v->all = v->refill = false; /* what asked for it has been done */
	if (rc == BUS_OK && gw_group_numbers(e))
		rc = write_differences(e, old, v,
				       old && (v->def->pub.dated || !same_shape(&old->def->pub, &v->def->pub)), err);
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err, "DROP TABLE \"%s%s\"", GW_BESIDE_STATE, name);
	if (rc == BUS_OK && old)
		rc = gw_db_exec(e->db, err,
				"DELETE FROM _dirty WHERE view=%lld; DELETE FROM _whole WHERE view=%lld;"
				"DELETE FROM _view WHERE id=%lld",
				(long long)old->id, (long long)old->id, (long long)old->id);
	if (rc == BUS_OK)
		rc = gw_setup_note(e, v, err);
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++)
		for (size_t k = 0; k < e->view[i]->def->n_indexes && rc == BUS_OK; k++)
			rc = gw_setup_index(e, e->view[i]->def, &e->view[i]->def->index[k], err);
	return rc == BUS_OK ? drop_indexes(e, err) : rc;
}

/* Views that read the table which was exchanged. */
enum bus_err gw_switch_rewire(struct gw_engine *e, const char *name, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < e->n_views; i++) {
		struct gw_live *d = e->view[i];

		if (d->sum && strcmp(d->def->rollup->table, name) == 0) { /* its columns may be elsewhere */
			gw_sum_close(e, d);
			rc = gw_sum_open(e, d, gw_rel_find(e, name), err);
		}
		for (size_t k = 0; k < d->def->n_reads && rc == BUS_OK; k++) {
			if (strcmp(d->def->read[k].table, name) != 0)
				continue;
			d->all = true;
			gw_touched_begin(d);
			rc = gw_rel_listen(e, d, &d->def->read[k], err);
		}
	}
	return rc;
}

/* Tells whoever still reads it. */
static void say_gone(struct gw_engine *e, struct gw_live *old, enum gw_gone how)
{
	atomic_store(&old->def->gone, how);
	if (e->on_change && !old->def->pub.internal)
		e->on_change(e->on_change_ctx, &old->def->pub, old->newest);
}

static void let_go(struct gw_engine *e, struct gw_live **old)
{
	if (!*old)
		return;
	gw_lives_stuck(e, *old, NULL);
	gw_rel_unlisten(e, *old);
	gw_sum_close(e, *old);
	gw_setup_release(*old);
	gw_rel_free(&(*old)->rel);
	gw_view_free(&(*old)->def);
	free(*old);
	*old = NULL;
}

static void name_metric(struct gw_live *v)
{
	char label[128];

	snprintf(label, sizeof(label), "view=\"%s\"", v->def->pub.name);
	v->metric_rows = bus_metric("titian_view_rows", "gauge", "Keys now present in the view", label);
}

/* Keys that were touched and are not evaluated yet wait as they do in any view. */
static void carry_over(struct gw_build *b, struct gw_keys *dirty)
{
	for (; b->todo_at < b->todo.n; b->todo_at++)
		gw_keys_add(&b->v->dirty, gw_keys_at(&b->todo, b->todo_at));
	for (size_t i = 0; i < dirty->n; i++)
		gw_keys_add(&b->v->dirty, gw_keys_at(dirty, i));
}

/* The other gateways of the group: what happens to the view in this transaction. */
static enum bus_err tell(struct gw_engine *e, enum gw_group_what what, const struct gw_def *d, bool defined,
			 struct bus_error *err)
{
	const struct gw_group_item item = { .what = what, .name = bus_str(d->pub.name), .n = defined, .text = d->text };

	return gw_group_tell(e, &item, err);
}

/* In a group nothing of a view may be older than the offsets of the batch that brings it: the others evaluate what it names
 * at those. */
static enum bus_err settle_now(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	v->left_us = gw_eval_most_us(e, v->def);
	for (size_t i = 0; i < v->dirty.n && rc == BUS_OK; i++)
		rc = gw_eval_key(e, v, gw_keys_at(&v->dirty, i), false, err);
	if (rc == BUS_OK)
		gw_keys_clear(&v->dirty);
	if (rc == BUS_OK && v->rel)
		rc = gw_route_flush(e, v->rel, err);
	return rc;
}

enum bus_err gw_switch_to(struct gw_engine *e, struct gw_build *b, struct bus_error *err)
{
	struct gw_live *v = b->v, *old;
	struct gw_keys dirty = v->dirty;
	const char *name = v->def->pub.name;
	enum bus_err rc;
	size_t at;

	v->dirty = (struct gw_keys){ 0 };
	old = running(e, name, &at);
	if (old)
		e->view[at] = v;
	else
		insert_at(e, at, v);
	rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = tell(e, GW_ITEM_DEFINE, v->def, v->defined, err);
	if (rc == BUS_OK)
		rc = exchange(e, old, v, err);
	if (rc == BUS_OK)
		rc = gw_setup_load(e, v, err);
	if (rc == BUS_OK)
		carry_over(b, &dirty);
	gw_keys_release(&dirty);
	if (rc == BUS_OK)
		rc = gw_switch_rewire(e, name, err);
	if (rc == BUS_OK)
		rc = gw_setup_order(e, err);
	if (rc == BUS_OK)
		rc = gw_whole_switch(e, old, v, err);
	if (rc == BUS_OK && gw_grouped(e) && gw_group_numbers(e))
		rc = settle_now(e, v, err);
	name_metric(v);
	if (rc == BUS_OK)
		rc = gw_commit(e, err);
	if (rc != BUS_OK) { /* v is still the build's */
		if (old)
			e->view[at] = old;
		else
			take_out(e, at);
		return rc;
	}
	b->v = NULL;
	gw_views_publish(e);
	if (old)
		say_gone(e, old, GW_REPLACED);
	let_go(e, &old);
	bus_log(BUS_LOG_INFO, "gateway.view_switched", LOG_STR("view", v->def->pub.name),
		LOG_INT("rows", v->rows));
	return BUS_OK;
}

enum bus_err gw_switch_words(struct gw_engine *e, struct gw_live *v, struct gw_def *def, bool defined,
			     struct bus_error *err)
{
	struct gw_def *old = v->def;
	bool was = v->defined;
	enum bus_err rc;

	rc = gw_begin(e, err);
	v->def = def;
	v->defined = defined;
	if (rc == BUS_OK)
		rc = tell(e, GW_ITEM_WORDS, def, defined, err);
	if (rc == BUS_OK)
		rc = gw_setup_note(e, v, err);
	if (rc == BUS_OK)
		rc = gw_commit(e, err);
	if (rc != BUS_OK) {
		v->def = old;
		v->defined = was;
		gw_view_free(&def);
		return rc;
	}
	gw_live_show(v);
	gw_views_publish(e);
	atomic_store(&old->gone, GW_REPLACED);
	if (e->on_change && !old->pub.internal)
		e->on_change(e->on_change_ctx, &old->pub, v->newest);
	gw_view_free(&old);
	bus_log(BUS_LOG_INFO, "gateway.view_switched", LOG_STR("view", def->pub.name),
		LOG_INT("rows", v->rows));
	return BUS_OK;
}

enum bus_err gw_switch_drop(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	const char *name = v->def->pub.name;
	size_t at;
	enum bus_err rc;

	(void)running(e, name, &at);
	rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = tell(e, GW_ITEM_DROP, v->def, v->defined, err);
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err,
				"DROP TABLE IF EXISTS \"_view_%s\"; DROP TABLE IF EXISTS \"_log_%s\";"
				"DROP TABLE IF EXISTS \"_left_%s\"; DROP TABLE IF EXISTS \"_sum_%s\";"
				"DELETE FROM _dirty WHERE view=%lld; DELETE FROM _whole WHERE view=%lld;"
				"DELETE FROM _view WHERE id=%lld",
				name, name, name, name, (long long)v->id, (long long)v->id, (long long)v->id);
	if (rc == BUS_OK && v->def->full)
		rc = gw_db_exec(e->db, err, "DROP TABLE \"%s\"", name);
	if (rc != BUS_OK)
		return rc;
	take_out(e, at);
	rc = drop_indexes(e, err);
	if (rc == BUS_OK)
		rc = gw_setup_order(e, err);
	if (rc == BUS_OK)
		rc = gw_commit(e, err);
	if (rc != BUS_OK) {
		insert_at(e, at, v);
		return rc;
	}
	gw_views_publish(e);
	bus_log(BUS_LOG_INFO, "gateway.view_dropped", LOG_STR("view", name));
	bus_metric_set(v->metric_rows, 0);
	say_gone(e, v, GW_DROPPED);
	let_go(e, &v);
	return BUS_OK;
}
