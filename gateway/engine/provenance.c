#include "gateway/engine/provenance.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/engine/provenance_impl.h"
#include "gateway/engine/world.h"
#include "gateway/store/origin.h"

#define ARENA_MAX ((size_t)32 * 1024 * 1024)
#define COLUMNS_MAX 512
#define TRAILS_MAX 300 /* rows of views that one answer may lead through */

/* --- what there is to read ---------------------------------------------------------------------------- */

/* A topic's table as it stands in the store: its newest schema may be ahead of it. */
static void add_topic(struct gw_run *u, struct gw_world_table *t, const struct gw_topic *topic,
		      struct bus_arena *arena)
{
	struct gw_world_column *column = bus_arena_zalloc(arena, COLUMNS_MAX * sizeof(*column));
	struct gw_stmt *s;
	bool row;

	if (gw_reader_stmt(u->r, "SELECT name FROM pragma_table_info(?)", &s, u->err) != BUS_OK)
		return;
	gw_stmt_bind_text(s, 1, bus_str(topic->count.table));
	*t = (struct gw_world_table){ .name = topic->count.table, .topic = topic->name, .column = column };
	while (gw_stmt_step(s, &row, u->err) == BUS_OK && row && t->n_columns < COLUMNS_MAX) {
		struct bus_str text = gw_stmt_text(s, 0);

		column[t->n_columns++].name = bus_arena_dup(arena, text.p, text.n);
	}
	gw_stmt_reset(s);
}

/* What the definition reads. */
static const struct gw_world *world_of(struct gw_run *u, const struct gw_def *d, struct bus_arena *arena)
{
	struct gw_world_table *t = bus_arena_zalloc(arena, (d->n_reads + 1) * sizeof(*t));
	struct gw_world *w = bus_arena_zalloc(arena, sizeof(*w));

	w->table = t;
	for (size_t i = 0; i < d->n_reads; i++) {
		const struct gw_view *v = gw_views_find(u->views, d->read[i].table);

		if (v)
			gw_world_add_view(&t[w->n], gw_view_def(v), arena);
		for (size_t k = 0; k < u->r->e->n_topics && !v; k++) {
			const struct gw_topic *topic = &u->r->e->topic[k];

			if (strcmp(topic->count.table, d->read[i].table) == 0)
				add_topic(u, &t[w->n], topic, arena);
		}
		w->n += t[w->n].name != NULL;
	}
	return w;
}

/* --- one row of one view ------------------------------------------------------------------------------ */

/* The row's texts, joined over all the rows that the trace gives. *hash: of the view's own columns. */
static enum bus_err take(struct gw_run *u, struct gw_trail *t, struct gw_stmt *s, bool *found, uint64_t *hash)
{
	size_t n = t->view->n_columns;
	struct bus_buf joined[GW_COLUMNS_MAX + 1];
	enum bus_err rc;
	bool row;

	memset(joined, 0, sizeof(joined));
	*found = false;
	while ((rc = gw_stmt_step(s, &row, u->err)) == BUS_OK && row) {
		bus_buf_reset(&u->r->packed);
		gw_stmt_pack_first(s, (int)n, &u->r->packed);
		*hash = gw_hash(u->r->e->secret, u->r->packed.p, u->r->packed.n);
		*found = true;
		for (size_t i = 0; i <= n; i++) {
			struct bus_str text = gw_stmt_text(s, (int)(n + i));

			bus_buf_put(&joined[i], text.p, text.n);
		}
	}
	for (size_t i = 0; i <= n; i++) {
		char *copy = bus_arena_dup(u->arena, joined[i].n ? joined[i].p : "", joined[i].n);

		if (!copy && rc == BUS_OK)
			rc = bus_fail(u->err, BUS_ETOOBIG, "a trace is too long");
		t->text[i] = (struct bus_str){ copy, copy ? joined[i].n : 0 };
		bus_buf_release(&joined[i]);
	}
	return rc;
}

/* Is `hash` what is stored for the row? Views not read by others keep no row apart from it. */
static enum bus_err stored(struct gw_run *u, const struct gw_trail *t, uint64_t hash, bool *same)
{
	struct gw_stmt *s;
	char sql[160];
	enum bus_err rc;
	bool row;

	snprintf(sql, sizeof(sql), "SELECT hash FROM \"_view_%s\" WHERE key = ?", t->view->name);
	rc = gw_reader_stmt(u->r, sql, &s, u->err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(s, 1, t->key);
	rc = gw_stmt_step(s, &row, u->err);
	*same = rc == BUS_OK && row && !gw_stmt_is_null(s, 0) && (uint64_t)gw_stmt_int(s, 0) == hash;
	gw_stmt_reset(s);
	return rc;
}

/* NULL: u->err says why. */
struct gw_trail *gw_trail_of(struct gw_run *u, const struct gw_view *v, struct bus_str key, uint64_t *hash)
{
	struct gw_trail *t;
	struct bus_buf sql = { 0 };
	struct gw_stmt *s = NULL;
	struct bus_arena *arena;
	struct bus_error why;
	bool found = false, same = true;
	uint64_t own = 0;
	enum bus_err rc;

	for (t = u->trail; t; t = t->next) {
		if (t->view == v && bus_str_eq(t->key, key))
			return t;
	}
	t = bus_arena_zalloc(u->arena, sizeof(*t));
	if (!t || ++u->n_trails > TRAILS_MAX) {
		bus_fail(u->err, BUS_ETOOBIG, "it leads through more than %d rows", TRAILS_MAX);
		return NULL;
	}
	*t = (struct gw_trail){ .view = v, .next = u->trail };
	t->key = (struct bus_str){ bus_arena_dup(u->arena, key.p, key.n), key.n };
	t->column = bus_arena_zalloc(u->arena, v->n_columns * sizeof(*t->column));
	t->text = bus_arena_zalloc(u->arena, (v->n_columns + 1) * sizeof(*t->text));
	if (!t->key.p || !t->column || !t->text) {
		bus_fail(u->err, BUS_ETOOBIG, "a trace is too long");
		return NULL;
	}
	arena = bus_arena_new(0); /* bounded as the definition is */
	rc = gw_trace_select(gw_view_def(v), world_of(u, gw_view_def(v), arena), u->arena, &sql, t->column,
			     &why);
	bus_arena_free(&arena);
	if (rc != BUS_OK) {
		t->reason = "untraceable";
		t->detail = bus_arena_dup(u->arena, why.text, strlen(why.text));
		rc = BUS_OK;
	} else {
		bus_buf_printf(&sql, "WHERE \"%s\" = :_key", v->column[v->key].name);
		rc = gw_reader_stmt(u->r, bus_buf_cstr(&sql), &s, u->err);
		if (rc == BUS_EDB) { /* something that we take for what it is not */
			t->reason = "untraceable";
			t->detail = "SQLite does not take the SELECT with its traces";
			u->trail = t;
			bus_buf_release(&sql);
			return t;
		}
		if (rc == BUS_OK) {
			gw_stmt_bind_text(s, gw_stmt_param(s, ":_key"), key);
			if (u->date)
				gw_stmt_bind_text(s, gw_stmt_param(s, ":per_tanggal"), bus_str(u->date));
			rc = take(u, t, s, &found, &own);
			gw_stmt_reset(s);
		}
		if (rc == BUS_OK && gw_view_def(v)->full)
			rc = stored(u, t, own, &same);
		if (!found || !same)
			t->reason = "pending";
	}
	bus_buf_release(&sql);
	*hash = own;
	u->trail = t;
	return rc == BUS_OK ? t : NULL;
}

enum bus_err gw_traced(struct gw_reader *r, const struct gw_query *asked, struct bus_str key, uint64_t shown,
		       uint64_t clear, gw_traced_fn fn, void *ctx, struct bus_error *err)
{
	const struct gw_view *v = asked->view;
	const struct gw_query q = { .view = v, .date = asked->date, .rows = asked->rows };
	struct bus_error own = { 0 };
	struct gw_run u = { .r = r, .date = q.date, .err = &own };
	const struct gw_value *value = NULL;
	struct bus_buf json = { 0 };
	struct gw_stmt *s = NULL;
	uint64_t hash = 0, traced = 0;
	struct gw_trail *t = NULL;
	enum bus_err rc;

	rc = gw_read_check_date(v, q.date, err);
	if (rc == BUS_OK)
		rc = gw_read_begin_bounded(r, err);
	if (rc == BUS_OK && gw_db_is_typed(r->db)) { /* a trace is text where the column has another type */
		gw_read_end(r);
		rc = bus_fail(err, BUS_EINVAL, "provenance is not told by a store on PostgreSQL: ask a gateway whose store is SQLite");
	}
	if (rc != BUS_OK)
		return rc;
	u.views = gw_views_hold(r->e);
	u.arena = bus_arena_new(ARENA_MAX);
	rc = gw_read_one(r, &q, key, &value, &hash, &s, err);
	if (rc == BUS_OK && !value) /* nor is a row traced that is not the reader's */
		rc = bus_fail(err, BUS_ENOENT, "view '%s' has no such row", v->name);
	if (s)
		gw_stmt_reset(s);
	s = NULL; /* tracing may take its place among the statements kept: it is read again */
	if (rc == BUS_OK)
		t = gw_trail_of(&u, v, key, &traced);
	if (t)
		gw_trail_put(&u, t, shown, clear, &json);
	else if (rc == BUS_OK)
		rc = bus_fail(err, own.code, "%s", own.text);
	if (rc == BUS_OK)
		rc = gw_read_one(r, &q, key, &value, &hash, &s, err);
	if (rc == BUS_OK && !t->reason && traced != hash) {
		/* What was traced is not what is answered: then nothing is said about it. */
		t->reason = "pending";
		bus_buf_reset(&json);
		gw_trail_put(&u, t, shown, clear, &json);
	}
	if (rc == BUS_OK)
		fn(ctx, value, hash, bus_buf_str(&json));
	if (s)
		gw_stmt_reset(s);
	gw_read_end(r);
	bus_buf_release(&json);
	bus_arena_free(&u.arena);
	gw_views_release(&u.views);
	return rc;
}
