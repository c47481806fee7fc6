/* A topic read again from its beginning, into a table beside the one that views read. */
#include <stdio.h>

#include "bus/log.h"
#include "gateway/engine/evolve.h"
#include "gateway/engine/group_wire.h"
#include "gateway/engine/history.h"

static void fill_name(const struct gw_topic *t, char *out, size_t n)
{
	snprintf(out, n, "_fill_%s", t->count.table);
}

/* Where the topic stood: kept, and the partitions at their beginning. */
static void set_back(struct gw_engine *e, struct gw_topic *t)
{
	for (size_t i = 0; i < e->n_parts; i++) {
		struct gw_part *p = &e->part[i];

		if (p->topic != t)
			continue;
		p->kept = (struct gw_kept){ p->next, p->sum, p->stream, p->n_streams };
		p->next = p->from = BUS_OFFSET_BEGIN;
		p->sum = 0;
		p->stream = NULL;
		p->n_streams = 0;
	}
}

enum bus_err gw_refill_begin(struct gw_engine *e, struct gw_topic *t, struct bus_error *err)
{
	char name[200];
	enum bus_err rc;

	fill_name(t, name, sizeof(name));
	rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err, "DROP TABLE IF EXISTS \"%s\"", name);
	if (rc == BUS_OK)
		rc = gw_table_open_as(e->db, t->name, name, t->replay, t->replay_id, &t->fill, err);
	if (rc == BUS_OK) /* every record is judged anew */
		rc = gw_db_exec(e->db, err, "DELETE FROM _undecodable WHERE topic='%s'", t->name);
	if (rc != BUS_OK)
		return rc;
	t->count.undecodable = 0;
	t->moved = true;
	rc = gw_commit(e, err);
	if (rc != BUS_OK)
		return rc;
	schema_unref(&t->replay);
	set_back(e, t);
	bus_log(BUS_LOG_INFO, "gateway.refill", LOG_STR("topic", t->name),
		LOG_INT("schema_id", t->replay_id));
	return BUS_OK;
}

bool gw_refill_done(struct gw_engine *e, const struct gw_topic *t, bool (*at_end)(void *ctx, int slot),
		    void *ctx)
{
	for (size_t i = 0; i < e->n_parts; i++) {
		const struct gw_part *p = &e->part[i];

		if (p->topic == t && p->next < p->kept.next && !(at_end && at_end(ctx, (int)i)))
			return false;
	}
	return true;
}

/* The numbers of streams whose last records compaction has taken are known from before. */
static void merge_streams(struct gw_part *p)
{
	size_t k;

	for (size_t i = 0; i < p->kept.n_streams; i++) {
		struct gw_stream *old = &p->kept.stream[i];

		for (k = 0; k < p->n_streams && strcmp(p->stream[k].name, old->name) != 0; k++)
			;
		if (k == p->n_streams) {
			p->stream = bus_xrealloc(p->stream, (p->n_streams + 1) * sizeof(*p->stream));
			p->stream[p->n_streams++] = *old;
			old->name = NULL;
		} else if (old->seq > p->stream[k].seq) {
			p->stream[k].seq = old->seq;
			p->stream[k].offset = old->offset;
		}
		if (k < p->n_streams)
			p->stream[k].moved = true;
		free(old->name);
	}
	free(p->kept.stream);
	p->kept.stream = NULL;
	p->kept.n_streams = 0;
}

static void go_on(struct gw_engine *e, struct gw_topic *t)
{
	for (size_t i = 0; i < e->n_parts; i++) {
		struct gw_part *p = &e->part[i];

		if (p->topic != t)
			continue;
		merge_streams(p);
		if (p->next < p->kept.next) {
			p->next = p->kept.next;
			p->sum = p->kept.sum;
		}
		p->moved = true;
	}
	t->moved = true;
}

enum bus_err gw_refill_end(struct gw_engine *e, struct gw_topic *t, struct bus_error *err)
{
	struct schema *schema = schema_ref(t->fill->schema);
	int32_t id = t->fill->schema_id;
	struct gw_rel *old = t->rel;
	char name[200];
	enum bus_err rc;

	const struct gw_group_item told = { .what = GW_ITEM_REFILL, .name = bus_str(t->name), .part = id };

	gw_lives_abandon(e); /* what is being built listens to the old table */
	fill_name(t, name, sizeof(name));
	gw_table_close(&t->fill);
	gw_table_close(&t->table);
	rc = gw_begin(e, err);
	if (rc == BUS_OK)
		rc = gw_group_tell(e, &told, err);
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err, "DROP TABLE \"%s\"; ALTER TABLE \"%s\" RENAME TO \"%s\"",
				t->count.table, name, t->count.table);
	if (rc == BUS_OK)
		rc = gw_table_open(e->db, t->name, schema, id, &t->table, err);
	if (rc == BUS_OK)
		rc = gw_history_restart(e, t, err);
	schema_unref(&schema);
	if (rc == BUS_OK)
		rc = gw_rel_make(e, t->count.table, &t->rel, err);
	if (rc != BUS_OK) {
		t->rel = old;
		return rc;
	}
	gw_rel_free(&old);
	go_on(e, t);
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++)
		for (size_t k = 0; k < e->view[i]->def->n_indexes && rc == BUS_OK; k++)
			rc = gw_setup_index(e, e->view[i]->def, &e->view[i]->def->index[k], err);
	if (rc == BUS_OK)
		rc = gw_switch_rewire(e, t->count.table, err);
	if (rc == BUS_OK)
		rc = gw_evolve_note(e, t, err);
	if (rc == BUS_OK)
		rc = gw_commit(e, err);
	if (rc != BUS_OK)
		return rc;
	gw_evolve_hold(e, t, NULL);
	gw_lives_changed(e);
	bus_log(BUS_LOG_INFO, "gateway.schema_taken", LOG_STR("topic", t->name), LOG_INT("schema_id", id));
	return BUS_OK;
}

void gw_refill_forget(struct gw_engine *e, struct gw_topic *t)
{
	gw_table_close(&t->fill);
	schema_unref(&t->replay);
	t->looked_id = 0;
	for (size_t i = 0; i < e->n_parts; i++) {
		struct gw_kept *k = &e->part[i].kept;

		if (e->part[i].topic != t)
			continue;
		for (size_t s = 0; s < k->n_streams; s++)
			free(k->stream[s].name);
		free(k->stream);
		*k = (struct gw_kept){ 0 };
	}
}
