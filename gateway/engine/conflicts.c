#include "gateway/engine/conflicts.h"

#include <stdio.h>

#include "bus/json_out.h"
#include "gateway/engine/reading.h"

/* A topic's department, or who answers for a view. */
static void put_opd(struct bus_json_out *j, const char *key, struct gw_reader *r,
		    const struct gw_views *views, struct bus_str table)
{
	const char *opd = NULL;
	char name[128];

	snprintf(name, sizeof(name), "%.*s", (int)table.n, table.p ? table.p : "");
	for (size_t i = 0; i < r->e->n_topics && !opd; i++)
		opd = strcmp(r->e->topic[i].count.table, name) == 0 ? r->e->topic[i].count.opd : NULL;
	if (!opd && gw_views_find(views, name))
		opd = gw_views_find(views, name)->owner;
	bus_json_text_member(j, key, opd);
}

static enum bus_err put_pairs(struct gw_reader *r, const struct gw_views *views, const struct gw_view *v,
			      const struct gw_column *c, struct bus_json_out *j, struct bus_error *err)
{
	struct gw_stmt *s;
	struct bus_str who;
	char sql[500];
	enum bus_err rc;
	bool row;

	snprintf(
	    sql, sizeof(sql),
	    "SELECT \"%s_sumber\", count(*), sum(\"%s\") FROM \"%s\" WHERE \"%s\" > 0 GROUP BY 1 ORDER BY 1",
	    c->conflict_of, c->name, v->name, c->name);
	rc = gw_reader_stmt(r, sql, &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		who = gw_stmt_text(s, 0);
		bus_json_object(j);
		bus_json_text_member(j, "view", v->conflicts_of);
		bus_json_text_member(j, "column", c->conflict_of);
		bus_json_key(j, "authority");
		if (who.p)
			bus_json_put_str(j, who);
		else
			bus_json_put_null(j);
		if (who.p)
			who.n = strcspn(who.p, ".");
		put_opd(j, "authority_opd", r, views, who);
		bus_json_text_member(j, "other", c->conflict_table);
		put_opd(j, "other_opd", r, views, bus_str(c->conflict_table));
		bus_json_key(j, "rows");
		bus_json_put_int(j, gw_stmt_int(s, 1));
		bus_json_key(j, "records");
		bus_json_put_int(j, gw_stmt_int(s, 2));
		bus_json_object_end(j);
	}
	if (rc == BUS_OK)
		gw_stmt_reset(s);
	return rc;
}

enum bus_err gw_conflicts_json(struct gw_reader *r, struct bus_buf *out, struct bus_error *err)
{
	struct bus_json_out j = { .buf = out };
	struct gw_views *views = gw_views_hold(r->e);
	enum bus_err rc = gw_read_begin(r, err);

	bus_json_array(&j);
	for (size_t i = 0; i < views->n && rc == BUS_OK; i++) {
		const struct gw_view *v = views->view[i];

		for (size_t k = 0; v->conflicts_of && k < v->n_columns && rc == BUS_OK; k++) {
			if (v->column[k].conflict_table)
				rc = put_pairs(r, views, v, &v->column[k], &j, err);
		}
	}
	bus_json_array_end(&j);
	if (r->db)
		gw_db_rollback(r->db);
	gw_views_release(&views);
	return rc;
}
