#include "gateway/engine/standing.h"

#include <stdio.h>

#include "gateway/engine/reading.h"

#define MEASURE_MS 60000
#define FILES "berkas"

static size_t add_inputs(struct gw_engine *e, const struct gw_views *views, const struct gw_view *v, struct gw_topic_state *out, size_t n,
			 size_t max)
{
	for (size_t i = 0; i < v->n_sources; i++) {
		const struct gw_view *inner = gw_views_find(views, v->source[i]);
		size_t k;

		if (inner) { /* views have no cycle */
			n = add_inputs(e, views, inner, out, n, max);
			continue;
		}
		for (k = 0; k < n && strcmp(out[k].table, v->source[i]) != 0; k++)
			;
		if (k < n || n == max)
			continue;
		for (size_t t = 0; t < e->n_topics; t++) {
			if (strcmp(e->topic[t].count.table, v->source[i]) == 0 &&
			    strcmp(e->topic[t].count.entity, FILES) != 0)
				out[n++] = e->shared[t];
		}
	}
	return n;
}

size_t gw_view_inputs(struct gw_engine *e, const struct gw_view *v, struct gw_topic_state *out, size_t max)
{
	struct gw_views *views = gw_views_hold(e);
	size_t n;

	pthread_mutex_lock(&e->lock);
	n = add_inputs(e, views, v, out, 0, max);
	pthread_mutex_unlock(&e->lock);
	gw_views_release(&views);
	return n;
}

void gw_view_standing(struct gw_engine *e, const struct gw_view *v, struct gw_standing *out)
{
	struct gw_topic_state input[GW_INPUTS_MAX];
	size_t n = gw_view_inputs(e, v, input, GW_INPUTS_MAX);

	*out = (struct gw_standing){ 0 };
	for (size_t i = 0; i < n; i++) {
		out->behind += input[i].behind;
		if (input[i].newest_ms > out->newest_ms)
			out->newest_ms = input[i].newest_ms;
	}
}

/* A department's only feed, its list of files apart. */
static bool only_feed(const struct gw_engine *e, const struct gw_topic_state *input)
{
	for (size_t i = 0; i < e->n_topics; i++) {
		const struct gw_topic_state *t = &e->topic[i].count;

		if (strcmp(t->opd, input->opd) == 0 && strcmp(t->entity, FILES) != 0 &&
		    strcmp(t->table, input->table) != 0)
			return false;
	}
	return true;
}

enum bus_err gw_feed_seen(struct gw_reader *r, const struct gw_topic_state *input, int64_t *ms,
			  struct bus_error *err)
{
	char files[128], sql[300];
	struct gw_stmt *s = NULL;
	bool there = false, row;
	enum bus_err rc;

	*ms = 0;
	snprintf(files, sizeof(files), "%s_" FILES, input->opd);
	for (size_t i = 0; i < r->e->n_topics && !there; i++)
		there = strcmp(r->e->topic[i].count.table, files) == 0;
	if (!there)
		return BUS_OK;
	snprintf(sql, sizeof(sql), "SELECT max(_ts) FROM \"%s\" WHERE status='SELESAI' AND (?1 OR umpan=?2)",
		 files);
	rc = gw_reader_stmt(r, sql, &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_int(s, 1, only_feed(r->e, input));
	gw_stmt_bind_text(s, 2, bus_str(input->table));
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK && row)
		*ms = gw_stmt_int(s, 0);
	gw_stmt_reset(s);
	return rc;
}

enum bus_err gw_measure(struct gw_reader *r, const struct gw_view *v, uint64_t columns, int64_t *rows,
			int64_t said[GW_COLUMNS_MAX], struct bus_error *err)
{
	const struct gw_def *def = gw_view_def(v);
	struct gw_stmt *s = NULL;
	struct bus_buf sql = { 0 };
	int at = 1;
	enum bus_err rc;
	bool row;

	bus_buf_puts(&sql, "SELECT count(*)");
	for (size_t i = 0; i < v->n_columns; i++) {
		if (columns >> i & 1)
			bus_buf_printf(&sql, ", total(\"%s\" IS NOT NULL AND \"%s\" <> '')",
				       v->column[i].name, v->column[i].name);
	}
	bus_buf_puts(&sql, " FROM (");
	if (def->full)
		bus_buf_printf(&sql, "SELECT * FROM \"%s\"", v->name);
	else
		gw_view_select(def, &sql);
	bus_buf_putc(&sql, ')');
	rc = gw_reader_stmt(r, bus_buf_cstr(&sql), &s, err);
	if (rc == BUS_OK) {
		gw_db_deadline(r->db, MEASURE_MS);
		rc = gw_stmt_step(s, &row, err);
	}
	if (rc == BUS_OK) {
		*rows = gw_stmt_int(s, 0);
		for (size_t i = 0; i < v->n_columns; i++)
			said[i] = columns >> i & 1 ? gw_stmt_int(s, at++) : 0;
	}
	if (s)
		gw_stmt_reset(s);
	bus_buf_release(&sql);
	return rc;
}
