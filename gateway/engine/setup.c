/* The store's tables: the engine's own, topics', views'; statements, relations and who listens to whom. */
#include <stdio.h>

#include "gateway/define/rollup.h"
#include "gateway/engine/evolve.h"
#include "gateway/engine/rollup.h"
#include "gateway/engine/world.h"

enum bus_err gw_setup_base(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc;

	rc = gw_db_exec(
	    e->db, err, "%s",
	    "CREATE TABLE IF NOT EXISTS _meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	    "CREATE TABLE IF NOT EXISTS _part(topic TEXT, part INTEGER, next INTEGER, sum INTEGER, "
	    " PRIMARY KEY(topic, part)) WITHOUT ROWID;"
	    "CREATE TABLE IF NOT EXISTS _stream(topic TEXT, part INTEGER, stream TEXT, seq INTEGER, "
	    " off INTEGER, PRIMARY KEY(topic, part, stream)) WITHOUT ROWID;"
	    "CREATE TABLE IF NOT EXISTS _topic(topic TEXT PRIMARY KEY, applied INTEGER, gaps INTEGER, "
	    " repeated INTEGER, undecodable INTEGER, newest_ms INTEGER) WITHOUT ROWID;"
	    "CREATE TABLE IF NOT EXISTS _history(tbl TEXT, part INTEGER, from_ms INTEGER, blind INTEGER, "
	    " PRIMARY KEY(tbl, part)) WITHOUT ROWID;"
	    "CREATE TABLE IF NOT EXISTS _gaps(topic TEXT, part INTEGER, stream TEXT, seq_from INTEGER, "
	    " seq_to INTEGER, off INTEGER);"
	    "CREATE TABLE IF NOT EXISTS _undecodable(topic TEXT, part INTEGER, off INTEGER, reason TEXT, "
	    " PRIMARY KEY(topic, part, off)) WITHOUT ROWID;"
	    "CREATE TABLE IF NOT EXISTS _view(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, "
	    " digest BLOB, all_dirty INTEGER, refill INTEGER, defined INTEGER, text TEXT);"
	    "CREATE TABLE IF NOT EXISTS _dirty(view INTEGER, key TEXT, PRIMARY KEY(view, key)) WITHOUT "
	    "ROWID;"
	    "CREATE TABLE IF NOT EXISTS _whole(view INTEGER PRIMARY KEY);");
	static const struct {
		size_t offset;
		const char *sql;
	} statement[] = {
		{ offsetof(struct gw_engine, dirty_put), "INSERT OR IGNORE INTO _dirty VALUES(?,?)" },
		{ offsetof(struct gw_engine, dirty_clear), "DELETE FROM _dirty WHERE view=?" },
		{ offsetof(struct gw_engine, part_put),
		  "INSERT INTO _part VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET next=excluded.next,"
		  "sum=excluded.sum" },
		{ offsetof(struct gw_engine, stream_put),
		  "INSERT INTO _stream VALUES(?,?,?,?,?) ON CONFLICT DO UPDATE SET seq=excluded.seq,"
		  "off=excluded.off" },
		{ offsetof(struct gw_engine, topic_put),
		  "INSERT OR REPLACE INTO _topic VALUES(?,?,?,?,?,?)" },
		{ offsetof(struct gw_engine, meta_put), "INSERT OR REPLACE INTO _meta VALUES(?,?)" },
		{ offsetof(struct gw_engine, gap_put), "INSERT INTO _gaps VALUES(?,?,?,?,?,?)" },
		{ offsetof(struct gw_engine, undecodable_put),
		  "INSERT OR REPLACE INTO _undecodable VALUES(?,?,?,?)" },
		{ offsetof(struct gw_engine, view_put), "UPDATE _view SET all_dirty=?, refill=? WHERE id=?" },
	};

	if (rc == BUS_OK)
		rc = gw_moment_tables(e, err);
	for (size_t i = 0; i < BUS_LEN(statement) && rc == BUS_OK; i++)
		rc = gw_db_prepare(e->db, statement[i].sql,
				   (struct gw_stmt **)(void *)((char *)e + statement[i].offset), err);
	return rc;
}

bool gw_setup_has(void *ctx, const char *table, const char *column)
{
	struct gw_rel *rel = gw_rel_find(ctx, table);

	return rel && (column[0] == '\0' || gw_rel_column(rel, column) >= 0);
}

enum bus_err gw_setup_topics(struct gw_engine *e, struct bus_error *err)
{
	struct schema *schema = NULL;
	char label[300];
	enum bus_err rc = BUS_OK;
	int32_t id;

	for (size_t i = 0; i < e->n_topics && rc == BUS_OK; i++) {
		struct gw_topic *t = &e->topic[i];

		rc = gw_evolve_start(e, t, &schema, &id, err);
		if (rc != BUS_OK)
			break;
		rc = gw_table_open(e->db, t->name, schema, id, &t->table, err);
		schema_unref(&schema);
		if (rc == BUS_OK)
			rc = gw_evolve_note(e, t, err);
		if (rc == BUS_OK)
			t->count.schema_id = id;
		if (rc == BUS_OK)
			rc = gw_rel_make(e, t->table->name, &t->rel, err);
		if (rc != BUS_OK)
			break;
		snprintf(label, sizeof(label), "topic=\"%s\"", t->name);
		t->applied = bus_metric("titian_topic_applied_total", "counter", "Records applied", label);
		t->behind = bus_metric("titian_topic_behind", "gauge", "Records not yet applied", label);
		t->gaps = bus_metric("titian_sequence_gaps_total", "counter",
				     "Sequence numbers that never came", label);
		t->repeated = bus_metric("titian_topic_repeated_total", "counter",
					 "Records dropped because they had been applied", label);
		t->undecodable = bus_metric("titian_topic_undecodable_total", "counter",
					    "Records that could not be read", label);
		t->held = bus_metric("titian_topic_schema_held", "gauge",
				     "1: a newer schema is registered that cannot be taken up", label);
	}
	return rc;
}

enum bus_err gw_setup_note(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	const struct gw_def *d = v->def;
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	bool row;

	rc = gw_db_prepare(e->db,
			   "INSERT INTO _view(name, digest, all_dirty, refill, defined, text) "
			   "VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT(name) "
			   "DO UPDATE SET digest=?2, all_dirty=?3, refill=?4, defined=?5, text=?6 RETURNING id",
			   &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(s, 1, bus_str(d->pub.name));
	gw_stmt_bind_blob(s, 2, (struct bus_str){ (const char *)d->digest, sizeof(d->digest) });
	gw_stmt_bind_int(s, 3, v->all);
	gw_stmt_bind_int(s, 4, v->refill);
	gw_stmt_bind_int(s, 5, v->defined);
	gw_stmt_bind_text(s, 6, d->text);
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK) {
		v->id = gw_stmt_int(s, 0);
		atomic_store(&v->def->id, v->id);
		v->all_saved = v->all;
		rc = gw_stmt_step(s, &row, err);
	}
	gw_stmt_free(&s);
	return rc;
}

/* The table that a full view's rows are in. */
static enum bus_err make_rows(struct gw_engine *e, const struct gw_def *d, const char *name,
			      struct bus_error *err)
{
	static const char *const type[] = { [GW_TEXT] = "TEXT",
					    [GW_JSON] = "TEXT",
					    [GW_INT] = "INTEGER",
					    [GW_BOOL] = "INTEGER",
					    [GW_REAL] = "REAL" };
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	bus_buf_printf(&sql, "CREATE TABLE IF NOT EXISTS \"%s\"(", name);
	for (size_t i = 0; i < d->pub.n_columns; i++)
		bus_buf_printf(&sql, "%s\"%s\" %s%s", i ? "," : "", d->pub.column[i].name,
			       type[d->pub.column[i].type], i == d->pub.key ? " PRIMARY KEY" : "");
	bus_buf_puts(&sql, ") WITHOUT ROWID");
	rc = gw_db_exec(e->db, err, "%s", bus_buf_cstr(&sql));
	bus_buf_release(&sql);
	return rc;
}

enum bus_err gw_setup_tables(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	static const char state[] =
	    "CREATE TABLE IF NOT EXISTS \"%s%s\"(key TEXT PRIMARY KEY, hash INTEGER, seq INTEGER) "
	    "WITHOUT ROWID;";
	const struct gw_def *d = v->def;
	const char *name = d->pub.name;
	char rows[80];
	enum bus_err rc;

	if (v->beside) {
		snprintf(rows, sizeof(rows), GW_BESIDE_ROWS "%s", name);
		rc = gw_db_exec(e->db, err, "DROP TABLE IF EXISTS \"%s\"; DROP TABLE IF EXISTS \"%s%s\";",
				rows, GW_BESIDE_STATE, name);
		if (rc == BUS_OK)
			rc = gw_db_exec(e->db, err, state, GW_BESIDE_STATE, name);
		if (rc == BUS_OK)
			rc = gw_scope_tables(e, v, err);
		return rc == BUS_OK && d->full ? make_rows(e, d, rows, err) : rc;
	}
	rc = gw_db_exec(e->db, err, state, "_view_", name);
	if (rc == BUS_OK && !d->pub.internal)
		rc = gw_db_exec(e->db, err,
				"CREATE TABLE IF NOT EXISTS \"_log_%s\"(seq INTEGER PRIMARY KEY, key TEXT)",
				name);
	if (rc == BUS_OK)
		rc = gw_scope_tables(e, v, err);
	if (rc == BUS_OK && d->full)
		rc = make_rows(e, d, name, err);
	if (rc == BUS_OK && d->full)
		rc = gw_rel_make(e, name, &v->rel, err);
	return rc;
}

void gw_setup_index_name(const struct gw_index_def *x, struct bus_buf *out)
{
	bus_buf_reset(out);
	bus_buf_printf(out, "_ix_%s", x->table);
	for (size_t i = 0; i < x->n; i++)
		bus_buf_printf(out, "__%s", x->column[i]);
}

enum bus_err gw_setup_index(struct gw_engine *e, const struct gw_def *d, const struct gw_index_def *x,
			       struct bus_error *err)
{
	struct gw_rel *rel = gw_rel_find(e, x->table);
	struct bus_buf name = { 0 }, cols = { 0 };
	enum bus_err rc = BUS_OK;

	if (!rel)
		rc = bus_fail(err, BUS_EPARSE, "%s: an index on '%s': no such table", d->file, x->table);
	gw_setup_index_name(x, &name);
	for (size_t i = 0; i < x->n && rc == BUS_OK; i++) {
		if (gw_rel_column(rel, x->column[i]) < 0)
			rc = bus_fail(err, BUS_EPARSE, "%s: an index: '%s' has no column '%s'", d->file,
				      x->table, x->column[i]);
		bus_buf_printf(&cols, "%s\"%s\"", i ? "," : "", x->column[i]);
	}
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err, "CREATE INDEX IF NOT EXISTS \"%s\" ON \"%s\"(%s)",
				bus_buf_cstr(&name), x->table, bus_buf_cstr(&cols));
	bus_buf_release(&name);
	bus_buf_release(&cols);
	return rc;
}

/* @ in fmt is the name. */
static enum bus_err prepare_with(struct gw_engine *e, struct gw_stmt **out, struct bus_error *err,
				 const char *fmt, const char *name)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	for (const char *p = fmt; *p; p++) {
		if (*p == '@')
			bus_buf_puts(&sql, name);
		else
			bus_buf_putc(&sql, *p);
	}
	rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), out, err);
	bus_buf_release(&sql);
	return rc;
}

enum bus_err gw_setup_statements(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	const struct gw_view *d = &v->def->pub;
	const char *key = d->column[d->key].name;
	struct bus_buf sql = { 0 };
	char state[80], rows[80];
	enum bus_err rc = BUS_OK;

	snprintf(state, sizeof(state), "%s%s", v->beside ? GW_BESIDE_STATE : "_view_", d->name);
	snprintf(rows, sizeof(rows), "%s%s", v->beside ? GW_BESIDE_ROWS : "", d->name);
	if (v->beside) { /* its sums are made at the switch */
		gw_view_select(v->def, &sql);
	} else {
		if (v->def->rollup)
			rc = gw_sum_open(e, v, gw_rel_find(e, v->def->rollup->table), err);
		else
			rc = gw_db_exec(e->db, err, "DROP TABLE IF EXISTS \"_sum_%s\"", d->name);
		gw_eval_select(v->def, &sql);
	}
	bus_buf_printf(&sql, "WHERE \"%s\" = :_key", key);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->keyed, err);
	if (rc == BUS_OK)
		rc = prepare_with(e, &v->state_get, err, "SELECT hash FROM \"@\" WHERE key=?", state);
	if (rc == BUS_OK)
		rc = prepare_with(e, &v->state_put, err,
				  "INSERT INTO \"@\"(key, hash, seq) VALUES(?,?,?) ON CONFLICT DO UPDATE SET "
				  "hash=excluded.hash, seq=excluded.seq",
				  state);
	if (rc == BUS_OK)
		rc = prepare_with(e, &v->state_remove, err, "DELETE FROM \"@\" WHERE key=?", state);
	if (rc == BUS_OK)
		rc = gw_scope_prepare(e, v, err);
	if (rc == BUS_OK && !d->internal && !v->beside)
		rc = prepare_with(e, &v->log_put, err, "INSERT INTO \"_log_@\" VALUES(?,?)", d->name);
	if (rc == BUS_OK && v->def->full) {
		bus_buf_reset(&sql);
		bus_buf_printf(&sql, "DELETE FROM \"%s\" WHERE \"%s\"=?", rows, key);
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->row_remove, err);
		bus_buf_reset(&sql);
		bus_buf_printf(&sql, "INSERT INTO \"%s\"(", rows);
		for (size_t i = 0; i < d->n_columns; i++)
			bus_buf_printf(&sql, "%s\"%s\"", i ? "," : "", d->column[i].name);
		bus_buf_puts(&sql, ") VALUES(?");
		for (size_t i = 1; i < d->n_columns; i++)
			bus_buf_puts(&sql, ",?");
		bus_buf_printf(&sql, ") ON CONFLICT(\"%s\") DO ", key);
		for (size_t i = 0, n = 0; i < d->n_columns; i++) {
			if (i != d->key)
				bus_buf_printf(&sql, "%s\"%s\"=excluded.\"%s\"", n++ ? "," : "UPDATE SET ",
					       d->column[i].name, d->column[i].name);
		}
		if (d->n_columns == 1)
			bus_buf_puts(&sql, "NOTHING");
		if (rc == BUS_OK)
			rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->row_put, err);
	}
	bus_buf_release(&sql);
	return rc;
}

enum bus_err gw_setup_order(struct gw_engine *e, struct bus_error *err)
{
	bool *placed = bus_xcalloc(e->n_views + 1, sizeof(*placed)), ready;
	size_t n = 0, before;

	free(e->order);
	e->order = bus_xcalloc(e->n_views + 1, sizeof(struct gw_live *));
	do {
		before = n;
		for (size_t i = 0; i < e->n_views; i++) {
			ready = !placed[i];
			for (size_t k = 0; k < e->n_views && ready; k++)
				ready = placed[k] || !gw_view_reads(e->view[i]->def, e->view[k]->def->pub.name);
			if (ready) {
				placed[i] = true;
				e->order[n++] = e->view[i];
			}
		}
	} while (n > before);
	free(placed);
	return n == e->n_views ? BUS_OK : bus_fail(err, BUS_EPARSE, "views read each other in a circle");
}

enum bus_err gw_setup_load(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	const char *name = v->def->pub.name;
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	bool row;

	gw_keys_clear(&v->dirty);
	v->saved = 0;
	v->changed = true;
	v->all_saved = v->all;
	rc = gw_db_int(e->db, 0, &v->rows, err, "SELECT count(*) FROM \"_view_%s\" WHERE hash IS NOT NULL",
		       name);
	if (rc == BUS_OK && v->all && v->rows > 0)
		gw_touched_begin(v);
	if (rc == BUS_OK && !v->def->pub.internal)
		rc = gw_db_int(e->db, 0, &v->newest, err, "SELECT max(seq) FROM \"_log_%s\"", name);
	if (rc == BUS_OK && !v->def->pub.internal)
		rc = gw_db_int(e->db, 0, &v->log_entries, err, "SELECT count(*) FROM \"_log_%s\"", name);
	if (rc == BUS_OK)
		rc = gw_db_int(e->db, 0, &v->log_floor, err, "SELECT count(*) FROM \"_view_%s\"", name);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, "SELECT key FROM _dirty WHERE view=?", &s, err);
	if (rc == BUS_OK)
		gw_stmt_bind_int(s, 1, v->id);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row)
		gw_keys_add(&v->dirty, gw_stmt_text(s, 0));
	v->saved = v->dirty.n;
	gw_stmt_free(&s);
	return rc;
}

static const struct gw_world *views_world(struct gw_engine *e, struct bus_arena *arena)
{
	const struct gw_def **def = bus_arena_zalloc(arena, (e->n_views + 1) * sizeof(*def));

	for (size_t i = 0; i < e->n_views; i++)
		def[i] = e->view[i]->def;
	return gw_world_new(e, def, e->n_views, arena);
}

enum bus_err gw_setup_views(struct gw_engine *e, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(0);
	struct gw_catalogue catalogue = { e, gw_setup_has, views_world(e, arena) };
	char label[128];
	enum bus_err rc;

	rc = gw_setup_drop_gone(e, err);
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		if (gw_rel_find(e, e->view[i]->def->pub.name))
			rc = bus_fail(err, BUS_EPARSE, "%s: '%s' is the name of another table",
				      e->view[i]->def->file, e->view[i]->def->pub.name);
		if (rc == BUS_OK)
			rc = gw_setup_reconcile(e, e->view[i], err);
		if (rc == BUS_OK)
			rc = gw_setup_tables(e, e->view[i], err);
	}
	e->culprit = NULL;
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		for (size_t k = 0; k < e->view[i]->def->n_indexes && rc == BUS_OK; k++)
			rc = gw_setup_index(e, e->view[i]->def, &e->view[i]->def->index[k], err);
		if (rc != BUS_OK)
			e->culprit = e->view[i];
	}
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		if (!e->view[i]->def->pub.source) /* readers hold what was bound: never twice */
			rc = gw_view_bind(e->db, e->view[i]->def, &catalogue, err);
		if (rc != BUS_OK)
			e->culprit = e->view[i];
	}
	if (rc == BUS_OK)
		rc = gw_setup_order(e, err);
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		struct gw_live *v = e->view[i];

		rc = gw_setup_statements(e, v, err);
		if (rc == BUS_EPARSE && err) { /* what this store does not take */
			struct bus_error why = *err;

			rc = bus_fail(err, rc, "%s: %s", v->def->file, why.text);
		}
		for (size_t k = 0; k < v->def->n_reads && rc == BUS_OK; k++)
			rc = gw_rel_listen(e, v, &v->def->read[k], err);
		if (rc == BUS_OK)
			rc = gw_setup_load(e, v, err);
		snprintf(label, sizeof(label), "view=\"%s\"", v->def->pub.name);
		v->metric_rows =
		    bus_metric("titian_view_rows", "gauge", "Keys now present in the view", label);
	}
	bus_arena_free(&arena);
	return rc == BUS_OK ? gw_whole_load(e, err) : rc;
}

void gw_setup_release(struct gw_live *v)
{
	gw_stmt_free(&v->keyed);
	gw_stmt_free(&v->state_get);
	gw_stmt_free(&v->state_put);
	gw_stmt_free(&v->state_remove);
	gw_stmt_free(&v->log_put);
	gw_scope_undo(v);
	gw_stmt_free(&v->given);
	gw_stmt_free(&v->row_put);
	gw_stmt_free(&v->row_remove);
	gw_keys_release(&v->dirty);
	gw_touched_end(v);
}

void gw_setup_undo(struct gw_engine *e)
{
	for (size_t i = 0; i < e->n_views; i++) {
		gw_sum_close(e, e->view[i]);
		gw_setup_release(e->view[i]);
		gw_rel_free(&e->view[i]->rel);
	}
	e->history_epoch = 0;
	for (size_t i = 0; i < e->n_topics; i++) {
		gw_refill_forget(e, &e->topic[i]);
		gw_table_close(&e->topic[i].table);
		gw_rel_free(&e->topic[i].rel);
	}
	gw_stmt_free(&e->dirty_put);
	gw_stmt_free(&e->dirty_clear);
	gw_stmt_free(&e->part_put);
	gw_stmt_free(&e->stream_put);
	gw_stmt_free(&e->topic_put);
	gw_stmt_free(&e->meta_put);
	gw_stmt_free(&e->gap_put);
	gw_stmt_free(&e->undecodable_put);
	gw_stmt_free(&e->view_put);
}
