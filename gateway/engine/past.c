/* A connection on which the names of tables and stored views mean what they were at a moment. */
#include "gateway/engine/past.h"

#include <stdio.h>

#include "gateway/engine/reading.h"
#include "gateway/engine/standing.h"
#include "gateway/store/versions.h"

#define PAST_CACHE (4 * 1024 * 1024)
#define TABLES_MS 10000 /* for one of them */

/* From when on all of v's topics tell everything; false: one of them keeps no history (yet). */
static enum bus_err known_from(struct gw_reader *r, const struct gw_view *v, bool *kept, int64_t *ms,
			       struct bus_error *err)
{
	struct gw_topic_state input[GW_INPUTS_MAX];
	size_t n = gw_view_inputs(r->e, v, input, GW_INPUTS_MAX);
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	*kept = n > 0;
	*ms = 0;
	rc = gw_reader_stmt(r, "SELECT max(from_ms) FROM _history WHERE tbl=?", &s, err);
	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		gw_stmt_bind_text(s, 1, bus_str(input[i].table));
		rc = gw_stmt_step(s, &row, err);
		if (rc == BUS_OK && row && !gw_stmt_is_null(s, 0))
			*ms = gw_stmt_int(s, 0) > *ms ? gw_stmt_int(s, 0) : *ms;
		else
			*kept = false;
		gw_stmt_reset(s);
	}
	return rc;
}

/* What the connection's names stand for: other views, other tables with a history, another connection. */
static enum bus_err state_of(struct gw_reader *r, struct bus_buf *out, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	bus_buf_printf(out, "%llu %llu", (unsigned long long)atomic_load(&r->e->set_epoch),
		       (unsigned long long)gw_store_id(r->e));
	rc = gw_reader_stmt(r, "SELECT DISTINCT tbl FROM _history ORDER BY tbl", &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row)
		bus_buf_printf(out, " %.*s,", (int)gw_stmt_text(s, 0).n, gw_stmt_text(s, 0).p);
	if (rc == BUS_OK)
		gw_stmt_reset(s);
	return rc;
}

/* Every topic's table by its name, as it was; one without a history is no table at all. */
static enum bus_err name_tables(struct gw_reader *past, const char *state, struct bus_error *err)
{
	const struct gw_engine *e = past->e;
	struct bus_buf sql = { 0 }, columns = { 0 };
	struct gw_stmt *s;
	char word[140];
	enum bus_err rc = BUS_OK;
	bool row;

	for (size_t i = 0; i < e->n_topics && rc == BUS_OK; i++) {
		const char *name = e->topic[i].count.table;
		int64_t versions = 0;

		snprintf(word, sizeof(word), " %s,", name);
		bus_buf_reset(&sql);
		bus_buf_reset(&columns);
		rc = gw_reader_stmt(past, "SELECT name FROM pragma_table_info(?1, 'main') ORDER BY cid", &s,
				    err);
		if (rc != BUS_OK)
			break;
		gw_stmt_bind_text(s, 1, bus_str(name));
		while ((rc = gw_stmt_step(s, &row, err)) == BUS_OK && row)
			bus_buf_printf(&columns, "%s\"%.*s\"", columns.n ? "," : "",
				       (int)gw_stmt_text(s, 0).n, gw_stmt_text(s, 0).p);
		gw_stmt_reset(s);
		if (rc == BUS_OK)
			rc = gw_db_int(
			    past->db, 0, &versions, err,
			    "SELECT count(*) FROM main.sqlite_schema WHERE name='" GW_VERSIONS_PREFIX "%s'",
			    name);
		bus_buf_printf(&sql, "CREATE TEMP VIEW \"%s\" AS SELECT %s FROM main.", name,
			       bus_buf_cstr(&columns));
		if (!strstr(state, word))
			bus_buf_puts(&sql, "\"_no_history\"");
		else if (versions)
			bus_buf_printf(
			    &sql, "\"" GW_VERSIONS_PREFIX "%s\" WHERE _ts <= _saat() AND _until > _saat()",
			    name);
		else
			bus_buf_printf(&sql, "\"%s\" WHERE _ts <= _saat()", name);
		if (rc == BUS_OK)
			rc = gw_db_exec(past->db, err, "%s", bus_buf_cstr(&sql));
	}
	bus_buf_release(&sql);
	bus_buf_release(&columns);
	return rc;
}

/* Does v read the stored view, directly or through others? */
static bool reads(const struct gw_views *views, const struct gw_view *v, const char *name)
{
	for (size_t i = 0; i < v->n_sources; i++) {
		const struct gw_view *inner = gw_views_find(views, v->source[i]);

		if (inner && (strcmp(inner->name, name) == 0 || reads(views, inner, name))) /* there is no circle */
			return true;
	}
	return false;
}

/* The rows of a stored view then, with the indexes that it has today. */
static enum bus_err make_table(struct gw_reader *past, const struct gw_def *d, struct bus_error *err)
{
	struct bus_buf sql = { 0 }, indexes = { 0 };
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	bus_buf_printf(&sql, "CREATE TEMP TABLE \"%s\" AS ", d->pub.name);
	gw_view_select(d, &sql);
	gw_db_deadline(past->db, TABLES_MS);
	rc = gw_db_exec(past->db, err, "%s", bus_buf_cstr(&sql));
	bus_buf_printf(&indexes, "CREATE INDEX temp.\"_key_%s\" ON \"%s\"(\"%s\");", d->pub.name, d->pub.name,
		       d->pub.column[d->pub.key].name);
	if (rc == BUS_OK)
		rc = gw_reader_stmt(past,
				    "SELECT l.name, (SELECT group_concat('\"' || i.name || '\"') FROM "
				    "pragma_index_info(l.name, 'main') i) FROM pragma_index_list(?1, 'main') l "
				    "WHERE l.origin = 'c'",
				    &s, err);
	if (rc == BUS_OK) {
		gw_stmt_bind_text(s, 1, bus_str(d->pub.name));
		while ((rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
			struct bus_str name = gw_stmt_text(s, 0), columns = gw_stmt_text(s, 1);

			bus_buf_printf(&indexes, "CREATE INDEX temp.\"%.*s\" ON \"%s\"(%.*s);", (int)name.n, name.p,
				       d->pub.name, (int)columns.n, columns.p);
		}
		gw_stmt_reset(s);
	}
	if (rc == BUS_OK)
		rc = gw_db_exec(past->db, err, "%s", bus_buf_cstr(&indexes));
	bus_buf_release(&sql);
	bus_buf_release(&indexes);
	return rc;
}

/* Stored views by their names: what their SELECT gives of that. tables: those that v reads as tables, in the order in
 * which they read each other. */
static enum bus_err name_views(struct gw_reader *past, const struct gw_view *v, bool tables, struct bus_error *err)
{
	struct gw_views *views = gw_views_hold(past->e);
	bool *done = bus_xcalloc(views->n + 1, sizeof(*done)), more = true;
	struct bus_buf sql = { 0 };
	enum bus_err rc = BUS_OK;

	while (more && rc == BUS_OK) {
		more = false;
		for (size_t i = 0; i < views->n && rc == BUS_OK; i++) {
			const struct gw_def *d = gw_view_def(views->view[i]);
			bool ready = d->full && !done[i];

			for (size_t k = 0; k < views->n && ready && tables; k++)
				ready = done[k] || !gw_view_def(views->view[k])->full ||
					!reads(views, &d->pub, views->view[k]->name);
			if (!ready)
				continue;
			done[i] = more = true;
			bus_buf_reset(&sql);
			bus_buf_printf(&sql, "CREATE TEMP VIEW \"%s\" AS ", d->pub.name);
			gw_view_select(d, &sql);
			rc = tables && reads(views, v, d->pub.name)
				 ? make_table(past, d, err)
				 : gw_db_exec(past->db, err, "%s", bus_buf_cstr(&sql));
		}
	}
	bus_buf_release(&sql);
	free(done);
	gw_views_release(&views);
	return rc;
}

static enum bus_err open_past(struct gw_reader *r, const struct gw_view *v, bool tables, int64_t moment_ms,
			      struct bus_buf *state, struct bus_error *err)
{
	struct gw_reader *past = r->past;
	enum bus_err rc;

	gw_reader_empty(past);
	bus_buf_reset(&past->state);
	past->as_tables = false;
	rc = gw_db_open(r->e->db_path, GW_DB_READER, PAST_CACHE, &past->db, err);
	if (rc == BUS_OK && gw_db_is_typed(past->db)) /* whose tables of a moment would be made for each reader */
		rc = bus_fail(err, BUS_EINVAL,
			      "views as they were are not told by a store on PostgreSQL: ask a gateway whose store is SQLite");
	if (rc == BUS_OK) /* the file itself is open for reading only */
		rc = gw_db_exec(past->db, err, "PRAGMA query_only=OFF");
	if (rc == BUS_OK) {
		gw_db_moment(past->db, moment_ms);
		rc = name_tables(past, bus_buf_cstr(state), err);
	}
	if (rc == BUS_OK)
		rc = name_views(past, v, tables, err);
	if (rc == BUS_OK)
		rc = gw_db_exec(past->db, err, "PRAGMA query_only=ON");
	past->as_tables = tables;
	if (rc == BUS_OK)
		bus_buf_put(&past->state, state->p, state->n);
	else
		gw_reader_empty(past);
	return rc;
}

/* A key of v is looked for in a stored view by what only an index of that finds: then its rows of the moment are made
 * once, and not for every key. */
static enum bus_err wants_tables(struct gw_reader *past, const struct gw_view *v, bool *out, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	struct gw_plan plan = { 0 };
	enum bus_err rc;

	gw_view_select(gw_view_def(v), &sql);
	bus_buf_printf(&sql, "WHERE \"%s\"=:_key", v->column[v->key].name);
	rc = gw_read_plan(past, bus_buf_str(&sql), &plan, err);
	*out = plan.scans;
	bus_buf_release(&sql);
	return rc;
}

/* What tables of the moment stand for: until another record is applied. */
static enum bus_err put_moment(struct gw_reader *r, const struct gw_view *v, int64_t moment_ms, struct bus_buf *state,
			       struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc = gw_reader_stmt(r, "SELECT sum(applied) FROM _topic", &s, err);
	bool row;

	if (rc != BUS_OK)
		return rc;
	rc = gw_stmt_step(s, &row, err);
	bus_buf_printf(state, " %s %lld %lld", v->name, (long long)moment_ms,
		       rc == BUS_OK && row ? (long long)gw_stmt_int(s, 0) : 0);
	gw_stmt_reset(s);
	return rc;
}

/* Names on r->past that mean what v needs at the moment. */
static enum bus_err prepare_past(struct gw_reader *r, const struct gw_view *v, int64_t moment_ms, struct bus_error *err)
{
	struct bus_buf state = { 0 }, with = { 0 };
	bool tables = false, same;
	enum bus_err rc;

	rc = state_of(r, &state, err);
	bus_buf_put(&with, state.p, state.n);
	if (rc == BUS_OK)
		rc = put_moment(r, v, moment_ms, &with, err);
	same = r->past->as_tables && bus_str_eq(bus_buf_str(&with), bus_buf_str(&r->past->state));
	if (rc != BUS_OK || same)
		goto out;
	if (r->past->as_tables || !bus_str_eq(bus_buf_str(&state), bus_buf_str(&r->past->state)))
		rc = open_past(r, v, false, moment_ms, &state, err);
	if (rc == BUS_OK)
		rc = wants_tables(r->past, v, &tables, err);
	if (rc == BUS_OK && tables)
		rc = open_past(r, v, true, moment_ms, &with, err);
out:
	bus_buf_release(&state);
	bus_buf_release(&with);
	return rc;
}

enum bus_err gw_reader_past(struct gw_reader *r, const struct gw_view *v, int64_t moment_ms, struct gw_reader **out,
			    int64_t *known_ms, struct bus_error *err)
{
	enum bus_err rc;
	bool kept = false;

	*out = NULL;
	*known_ms = 0;
	if (!v->history)
		return bus_fail(err, BUS_ENOENT, "view '%s' declares no history", v->name);
	rc = known_from(r, v, &kept, known_ms, err);
	if (rc == BUS_OK && (!kept || moment_ms < *known_ms))
		rc = bus_fail(err, BUS_ECONFLICT, "the history of view '%s' does not reach back to that moment", v->name);
	if (rc == BUS_OK && !r->past) {
		r->past = gw_reader_new(r->e);
		r->past->of_past = true;
	}
	if (rc == BUS_OK)
		rc = prepare_past(r, v, moment_ms, err);
	if (rc == BUS_OK) {
		gw_db_moment(r->past->db, moment_ms);
		*out = r->past;
	}
	return rc;
}
