/* Which tables keep their versions, and from when on that is all there was. */
#include "gateway/engine/history.h"

#include <stdio.h>

#include "bus/log.h"
#include "gateway/engine/standing.h"
#include "gateway/store/versions.h"

static enum bus_err note(struct gw_engine *e, const char *table, int32_t part, int64_t from_ms, int64_t blind,
			 struct bus_error *err)
{
	return gw_db_exec(
	    e->db, err,
	    "INSERT INTO _history VALUES('%s', %d, %lld, %lld) ON CONFLICT(tbl, part) DO UPDATE SET "
	    "from_ms=max(from_ms, excluded.from_ms), blind=max(blind, excluded.blind)",
	    table, part, (long long)from_ms, (long long)blind);
}

static enum bus_err start(struct gw_engine *e, struct gw_topic *t, struct bus_error *err)
{
	enum bus_err rc;
	int64_t there;

	rc = gw_db_int(e->db, 0, &there, err, "SELECT count(*) FROM _history WHERE tbl='%s'", t->table->name);
	if (rc == BUS_OK && !there) {
		bus_log(BUS_LOG_INFO, "gateway.history_begins", LOG_STR("table", t->table->name));
		rc = note(e, t->table->name, -1, t->count.newest_ms, 0, err);
	}
	if (rc == BUS_OK && t->table->is_register)
		rc = gw_versions_open(e->db, t->table->name, &t->table->versions, err);
	t->history = rc == BUS_OK;
	return rc;
}

static enum bus_err end(struct gw_engine *e, struct gw_topic *t, struct bus_error *err)
{
	enum bus_err rc;
	int64_t there;

	t->history = false;
	gw_versions_close(&t->table->versions);
	rc = gw_db_int(e->db, 0, &there, err, "SELECT count(*) FROM _history WHERE tbl='%s'", t->table->name);
	if (rc != BUS_OK || !there)
		return rc;
	rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err,
				"DROP TABLE IF EXISTS \"" GW_VERSIONS_PREFIX
				"%s\"; DELETE FROM _history WHERE tbl='%s'",
				t->table->name, t->table->name);
	return rc;
}

static bool wanted(struct gw_engine *e, const struct gw_topic *t)
{
	struct gw_topic_state input[GW_INPUTS_MAX];

	for (size_t i = 0; i < e->n_views; i++) {
		const struct gw_view *v = &e->view[i]->def->pub;
		size_t n = v->history ? gw_view_inputs(e, v, input, GW_INPUTS_MAX) : 0;

		for (size_t k = 0; k < n; k++) {
			if (strcmp(input[k].table, t->table->name) == 0)
				return true;
		}
	}
	return false;
}

/* A table that was opened anew, for a newer schema, goes on keeping its versions. */
static enum bus_err reopen(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < e->n_topics && rc == BUS_OK; i++) {
		struct gw_topic *t = &e->topic[i];

		if (!t->history || !t->table->is_register || t->table->versions)
			continue;
		rc = gw_begin(e, err);
		if (rc == BUS_OK)
			rc = start(e, t, err);
	}
	return rc;
}

enum bus_err gw_history_restart(struct gw_engine *e, struct gw_topic *t, struct bus_error *err)
{
	e->history_epoch = 0;
	return t->history ? end(e, t, err) : BUS_OK;
}

enum bus_err gw_history_keep(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (e->history_epoch == atomic_load(&e->set_epoch))
		return reopen(e, err);
	for (size_t i = 0; i < e->n_topics && rc == BUS_OK; i++) {
		struct gw_topic *t = &e->topic[i];
		bool want = wanted(e, t);

		if (want && (rc = gw_begin(e, err)) == BUS_OK) {
			gw_versions_close(&t->table->versions); /* indexes may have come */
			rc = start(e, t, err);
		} else if (!want) {
			rc = end(e, t, err);
		}
	}
	if (rc == BUS_OK)
		e->history_epoch = atomic_load(&e->set_epoch);
	return rc;
}

/* Records that are missing were outlived by later ones, which may stand anywhere up to the log's end as it was: until
 * there no moment is told whole. */
enum bus_err gw_history_look(struct gw_engine *e, struct gw_part *p, const struct bus_record *r,
			     struct bus_error *err)
{
	int64_t next = p->next > 0 ? p->next : 0;

	if (!p->topic->history)
		return BUS_OK;
	if (p->blind == 0) { /* not looked up yet: a restart may stand in the middle */
		enum bus_err rc = gw_db_int(e->db, 0, &p->blind, err,
					    "SELECT blind FROM _history WHERE tbl='%s' AND part=%d",
					    p->topic->table->name, p->partition);
		if (rc != BUS_OK)
			return rc;
		p->blind = p->blind > 0 ? p->blind : -1;
	}
	if (r->offset > next)
		p->blind = p->end > r->offset ? p->end : r->offset + 1;
	if (r->offset < p->blind) {
		p->known_ms = r->timestamp_ms > p->known_ms ? r->timestamp_ms : p->known_ms;
		p->blind_moved = true;
	}
	return BUS_OK;
}

enum bus_err gw_history_save(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < e->n_parts && rc == BUS_OK; i++) {
		struct gw_part *p = &e->part[i];

		if (p->blind_moved)
			rc = note(e, p->topic->table->name, p->partition, p->known_ms, p->blind, err);
		p->blind_moved = false;
	}
	return rc;
}

enum bus_err gw_history_forget(struct gw_engine *e, const char *table, struct bus_str key,
			       struct bus_error *err)
{
	for (size_t i = 0; i < e->n_topics; i++) {
		if (strcmp(e->topic[i].table->name, table) == 0 && e->topic[i].table->versions)
			return gw_versions_forget(e->topic[i].table->versions, key, err);
	}
	return BUS_OK;
}
