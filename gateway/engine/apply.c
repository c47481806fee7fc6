/* Records into tables: repeats dropped, gaps noted, what cannot be read set aside. */
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/wire.h"
#include "gateway/engine/evolve.h"
#include "gateway/engine/history.h"
#include "gateway/store/versions.h"

#define STREAMS_MAX 64	 /* of one partition: writers that took over from each other */
#define NOTES_MAX 100000 /* rows kept in _gap and in _undecodable; the counts go on */

enum bus_err gw_begin(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc;

	if (e->in_transaction)
		return BUS_OK;
	rc = gw_db_exec(e->db, err, "BEGIN IMMEDIATE");
	e->in_transaction = rc == BUS_OK;
	return rc;
}

/* The table that the topic's records go to. */
static struct gw_table *into(const struct gw_topic *t)
{
	return t->fill ? t->fill : t->table;
}

/* It has been counted, and its table has it: the topic is read again. */
static bool again(const struct gw_part *p, int64_t offset)
{
	return p->topic->fill && offset < p->kept.next;
}

static struct gw_stream *stream_of(struct gw_part *p, struct bus_str name)
{
	struct gw_stream *s;

	for (size_t i = 0; i < p->n_streams; i++) {
		if (bus_str_is(name, p->stream[i].name))
			return &p->stream[i];
	}
	if (p->n_streams == STREAMS_MAX)
		return NULL;
	p->stream = bus_xrealloc(p->stream, (p->n_streams + 1) * sizeof(*p->stream));
	s = &p->stream[p->n_streams++];
	*s = (struct gw_stream){ .name = bus_xstrndup(name.p, name.n), .offset = -1 };
	return s;
}

static enum bus_err note_gap(struct gw_engine *e, struct gw_part *p, const struct gw_stream *s, int64_t to,
			     int64_t lost, int64_t offset, struct bus_error *err)
{
	int64_t before = p->topic->count.gaps;

	if (again(p, offset))
		return BUS_OK;
	if (__builtin_add_overflow(before, lost, &p->topic->count.gaps)) /* numbers are the producer's word */
		p->topic->count.gaps = INT64_MAX;
	bus_metric_add(p->topic->gaps, lost);
	bus_log(BUS_LOG_ERROR, "gateway.gap", LOG_STR("topic", p->topic->name),
		LOG_INT("partition", p->partition), LOG_INT("offset", offset), LOG_INT("after", s->seq),
		LOG_INT("got", to), LOG_INT("lost", lost));
	if (before >= NOTES_MAX)
		return BUS_OK;
	gw_stmt_bind_text(e->gap_put, 1, bus_str(p->topic->name));
	gw_stmt_bind_int(e->gap_put, 2, p->partition);
	gw_stmt_bind_text(e->gap_put, 3, bus_str(s->name));
	gw_stmt_bind_int(e->gap_put, 4, s->seq + 1);
	gw_stmt_bind_int(e->gap_put, 5, to - 1);
	gw_stmt_bind_int(e->gap_put, 6, offset);
	return gw_stmt_run(e->gap_put, err);
}

/* *repeat: this record has been applied before. Compaction takes records out of a register's log, number
 * and offset alike; a number that is missing where no offset is missing was lost. In an event topic only
 * the beginning may be missing (kept by time). */
static enum bus_err check_order(struct gw_engine *e, struct gw_part *p, const struct bus_record *r,
				bool *repeat, struct bus_error *err)
{
	struct bus_origin origin;
	struct gw_stream *s;
	int64_t lost;
	enum bus_err rc = BUS_OK;

	*repeat = false;
	bus_wire_read_origin(r->header, r->n_headers, &origin);
	if (origin.seq <= 0)
		return BUS_OK; /* from a producer that does not number */
	s = stream_of(p, origin.stream);
	if (!s)
		return BUS_OK;
	if (!bus_wire_follows(&origin, r->topic, r->partition, s->seq, r->offset)) {
		bus_log(BUS_LOG_WARN, "gateway.number_refused", LOG_STR("topic", r->topic),
			LOG_INT("offset", r->offset));
		return BUS_OK;
	}
	*repeat = origin.seq <= s->seq;
	if (!*repeat && origin.seq > s->seq + 1) {
		lost = origin.seq - s->seq - 1;
		if (p->topic->table->is_register || s->offset < 0)
			lost -= r->offset - s->offset - 1;
		if (lost > 0)
			rc = note_gap(e, p, s, origin.seq, lost, r->offset, err);
	}
	s->offset = r->offset;
	s->moved = true;
	if (!*repeat)
		s->seq = origin.seq;
	return rc;
}

static const struct gw_plan_slot *plan_of(struct gw_engine *e, struct gw_table *t, int32_t id)
{
	const struct gw_plan_slot *slot = gw_table_plan(t, id);
	struct schema *writer = NULL;
	enum bus_err rc;

	if (slot)
		return slot;
	rc = e->schemas.by_id(e->schemas.ctx, id, &writer, NULL);
	/* A schema is registered before its first record is sent, so one look at the registry's topic answers
	 * for every record in hand: ids that never were must not cost a wait each. */
	if (rc == BUS_ENOENT && !e->schemas_read && e->schemas.catch_up) {
		e->schemas.catch_up(e->schemas.ctx);
		e->schemas_read = true;
		rc = e->schemas.by_id(e->schemas.ctx, id, &writer, NULL);
	}
	if (rc != BUS_OK)
		writer = NULL;
	slot = gw_table_add_plan(t, id, writer);
	schema_unref(&writer);
	if (!slot->plan)
		bus_log(BUS_LOG_ERROR, "gateway.schema", LOG_STR("topic", t->topic), LOG_INT("schema_id", id),
			LOG_STR("why", "not known, or the table's schema cannot read it"));
	return slot;
}

static enum bus_err set_aside(struct gw_engine *e, struct gw_part *p, const struct bus_record *r,
			      const char *reason, struct bus_error *err)
{
	bus_log(BUS_LOG_WARN, "gateway.undecodable", LOG_STR("topic", p->topic->name),
		LOG_INT("partition", r->partition), LOG_INT("offset", r->offset), LOG_STR("reason", reason));
	bus_metric_add(p->topic->undecodable, !again(p, r->offset));
	if (++p->topic->count.undecodable > NOTES_MAX)
		return BUS_OK;
	gw_stmt_bind_text(e->undecodable_put, 1, bus_str(p->topic->name));
	gw_stmt_bind_int(e->undecodable_put, 2, r->partition);
	gw_stmt_bind_int(e->undecodable_put, 3, r->offset);
	gw_stmt_bind_text(e->undecodable_put, 4, bus_str(reason));
	return gw_stmt_run(e->undecodable_put, err);
}

/* A record of a schema that the table has not met: if it is the topic's newest one, it is taken up first. */
static enum bus_err meet(struct gw_engine *e, struct gw_topic *t, int32_t id, struct bus_error *err)
{
	struct schema *writer = NULL;

	if (t->fill)
		return BUS_OK;
	if (e->schemas.by_id(e->schemas.ctx, id, &writer, NULL) != BUS_OK && !e->schemas_read && e->schemas.catch_up) {
		e->schemas.catch_up(e->schemas.ctx);
		e->schemas_read = true;
	}
	schema_unref(&writer);
	return gw_evolve(e, t, err);
}

/* A tombstone that asks for the row's history to go as well. */
static bool erases(const struct bus_record *r)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (bus_str_is(r->header[i].name, "titian_erase") && bus_str_is(r->header[i].value, "1"))
			return true;
	}
	return false;
}

static enum bus_err write_record(struct gw_engine *e, struct gw_part *p, const struct bus_record *r,
				 struct bus_error *err)
{
	struct gw_rel *rel = p->topic->fill ? NULL : p->topic->rel; /* nobody reads what is being filled */
	struct gw_table *t = into(p->topic);
	struct gw_row row = { r->key, r->partition, r->offset, r->timestamp_ms };
	struct bus_error why;
	struct bus_str avro;
	int32_t id;
	enum bus_err rc;

	if (r->tombstone) {
		if (!t->is_register)
			return set_aside(e, p, r, "a null value in a topic of events", err);
		if (!r->key.p)
			return set_aside(e, p, r, "a null value without a key", err);
		e->writing = rel;
		rc = gw_table_remove(t, r->key, err);
		if (rc == BUS_OK && t->versions)
			rc = erases(r) ? gw_versions_forget(t->versions, r->key, err)
				       : gw_versions_remove(t->versions, r->key, r->timestamp_ms, err);
		e->writing = NULL;
		return rc;
	}
	rc = bus_wire_open(r->value, &id, &avro, &why);
	if (rc == BUS_OK && !gw_table_plan(t, id) && id != t->schema_id) { /* of a newer one, perhaps: before it is read */
		rc = meet(e, p->topic, id, err);
		if (rc != BUS_OK)
			return rc;
		t = into(p->topic);
	}
	if (rc == BUS_OK) {
		const struct gw_plan_slot *plan = plan_of(e, t, id);

		e->writing = rel;
		rc = gw_table_put(t, plan, &row, avro, &why);
		e->writing = NULL;
	}
	if (rc == BUS_EDATA || rc == BUS_ETOOBIG)
		return set_aside(e, p, r, why.text, err);
	if (rc != BUS_OK && err)
		*err = why;
	return rc;
}

/* What makes a record itself, within its partition and offset; never 0. */
static uint64_t sum_of(const struct bus_record *r)
{
	uint64_t h = XXH3_64bits_withSeed(r->value.p, r->value.n, (XXH64_hash_t)r->timestamp_ms);

	return XXH3_64bits_withSeed(r->key.p, r->key.n, h) | 1;
}

struct place { /* of a record in the order in which tables like them: by table, then key */
	const struct bus_record *r;
	uint32_t at;
};

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int c = x->r->slot - y->r->slot;

	if (c == 0 && x->r->key.p && y->r->key.p) {
		size_t n = x->r->key.n < y->r->key.n ? x->r->key.n : y->r->key.n;

		c = memcmp(x->r->key.p, y->r->key.p, n);
		if (c == 0)
			c = (x->r->key.n > y->r->key.n) - (x->r->key.n < y->r->key.n);
	}
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

enum bus_err gw_apply(struct gw_engine *e, const struct bus_record *rec, size_t n, struct bus_error *err)
{
	struct place *place;
	uint32_t *last; /* by partition: its last record, + 1 */
	size_t k = 0;
	bool repeat;
	enum bus_err rc;

	rc = gw_begin(e, err);
	if (rc != BUS_OK)
		return rc;
	rc = gw_history_keep(e, err);
	if (rc != BUS_OK)
		return rc;
	e->schemas_read = false;
	place = bus_xmalloc((n + 1) * sizeof(*place));
	last = bus_xcalloc(e->n_parts + 1, sizeof(*last));
	/* Order and repeats are judged as the records came; only then are they sorted. Records of one key
	 * stay in order: a key lives in one partition. */
	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		struct gw_part *p = &e->part[rec[i].slot];
		struct gw_topic *t = p->topic;

		if (rec[i].offset < p->next) { /* before the point to go on from: asked for, to see it */
			if (rec[i].offset == p->next - 1 && p->sum != 0 && sum_of(&rec[i]) != p->sum)
				rc = bus_fail(
				    err, BUS_ECONFLICT,
				    "topic '%s' partition %d holds another record at offset %lld than it "
				    "did: it was made anew",
				    t->name, p->partition, (long long)rec[i].offset);
			continue;
		}
		rc = gw_history_look(e, p, &rec[i], err);
		if (rc != BUS_OK)
			break;
		rc = check_order(e, p, &rec[i], &repeat, err);
		p->next = rec[i].offset + 1;
		last[rec[i].slot] = (uint32_t)i + 1;
		p->moved = true;
		t->moved = true;
		if (rec[i].timestamp_ms > t->count.newest_ms)
			t->count.newest_ms = rec[i].timestamp_ms;
		if (repeat) {
			t->count.repeated += !again(p, rec[i].offset);
			bus_metric_add(t->repeated, !again(p, rec[i].offset));
			continue;
		}
		t->count.applied += !again(p, rec[i].offset);
		bus_metric_add(t->applied, !again(p, rec[i].offset));
		place[k] = (struct place){ &rec[i], (uint32_t)i };
		k++;
	}
	qsort(place, k, sizeof(*place), by_place);
	for (size_t i = 0; i < k && rc == BUS_OK; i++) {
		struct gw_part *p = &e->part[place[i].r->slot];

		rc = write_record(e, p, place[i].r, err);
		if (rc == BUS_OK && p->topic->rel->images_wait)
			rc = gw_route_flush_images(e, p->topic->rel, err);
	}
	for (size_t i = 0; i < e->n_parts; i++) {
		if (last[i])
			e->part[i].sum = sum_of(&rec[last[i] - 1]);
	}
	free(place);
	free(last);
	if (rc == BUS_OK)
		rc = gw_history_save(e, err);
	for (size_t i = 0; i < e->n_topics && rc == BUS_OK; i++) {
		if (e->topic[i].moved)
			rc = gw_route_flush(e, e->topic[i].rel, err);
	}
	return rc;
}

static enum bus_err save_positions(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < e->n_parts && rc == BUS_OK; i++) {
		struct gw_part *p = &e->part[i];

		if (!p->moved || p->topic->fill) /* what is read again counts when it is the table */
			continue;
		gw_stmt_bind_text(e->part_put, 1, bus_str(p->topic->name));
		gw_stmt_bind_int(e->part_put, 2, p->partition);
		gw_stmt_bind_int(e->part_put, 3, p->next);
		gw_stmt_bind_int(e->part_put, 4, (int64_t)p->sum);
		rc = gw_stmt_run(e->part_put, err);
		for (size_t k = 0; k < p->n_streams && rc == BUS_OK; k++) {
			struct gw_stream *s = &p->stream[k];

			if (!s->moved)
				continue;
			gw_stmt_bind_text(e->stream_put, 1, bus_str(p->topic->name));
			gw_stmt_bind_int(e->stream_put, 2, p->partition);
			gw_stmt_bind_text(e->stream_put, 3, bus_str(s->name));
			gw_stmt_bind_int(e->stream_put, 4, s->seq);
			gw_stmt_bind_int(e->stream_put, 5, s->offset);
			rc = gw_stmt_run(e->stream_put, err);
			s->moved = false;
		}
		p->moved = false;
	}
	for (size_t i = 0; i < e->n_topics && rc == BUS_OK; i++) {
		const struct gw_topic_state *c = &e->topic[i].count;

		if (!e->topic[i].moved)
			continue;
		gw_stmt_bind_text(e->topic_put, 1, bus_str(e->topic[i].name));
		gw_stmt_bind_int(e->topic_put, 2, c->applied);
		gw_stmt_bind_int(e->topic_put, 3, c->gaps);
		gw_stmt_bind_int(e->topic_put, 4, c->repeated);
		gw_stmt_bind_int(e->topic_put, 5, c->undecodable);
		gw_stmt_bind_int(e->topic_put, 6, c->newest_ms);
		rc = gw_stmt_run(e->topic_put, err);
	}
	return rc;
}

/* Keys that wait outlive a crash: applying a record and evaluating what it touched may be two
 * transactions. */
static enum bus_err save_waiting(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		struct gw_live *v = e->view[i];

		if (v->all != v->all_saved) {
			gw_stmt_bind_int(e->view_put, 1, v->all);
			gw_stmt_bind_int(e->view_put, 2, v->refill);
			gw_stmt_bind_int(e->view_put, 3, v->id);
			rc = gw_stmt_run(e->view_put, err);
			v->all_saved = v->all;
		}
		for (; v->saved < v->dirty.n && rc == BUS_OK; v->saved++) {
			gw_stmt_bind_int(e->dirty_put, 1, v->id);
			gw_stmt_bind_text(e->dirty_put, 2, gw_keys_at(&v->dirty, v->saved));
			rc = gw_stmt_run(e->dirty_put, err);
		}
	}
	return rc;
}

static void publish(struct gw_engine *e)
{
	atomic_store(&e->seq_shown, e->seq_saved);
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n_topics; i++) {
		e->topic[i].count.rows = e->topic[i].rel->rows;
		e->shared[i] = e->topic[i].count;
		e->topic[i].moved = false;
	}
	pthread_mutex_unlock(&e->lock);
	for (size_t i = 0; i < e->n_views; i++) {
		struct gw_live *v = e->view[i];

		if (!v->changed)
			continue;
		v->changed = false;
		gw_live_show(v);
		if (e->on_change && !v->def->pub.internal)
			e->on_change(e->on_change_ctx, &v->def->pub, v->newest);
	}
}

enum bus_err gw_commit(struct gw_engine *e, struct bus_error *err)
{
	int64_t begin = bus_clock_mono_us();
	char seq[24];
	enum bus_err rc;

	if (!e->in_transaction)
		return BUS_OK;
	rc = gw_group_commit(e, err);
	if (rc == BUS_OK)
		rc = save_positions(e, err);
	if (rc == BUS_OK)
		rc = save_waiting(e, err);
	if (rc == BUS_OK && e->seq != e->seq_saved) {
		snprintf(seq, sizeof(seq), "%lld", (long long)e->seq);
		rc = gw_core_set_meta(e, "seq", seq, err);
		if (rc == BUS_OK)
			rc = gw_moment_note(e, err);
	}
	if (rc == BUS_OK)
		rc = gw_stand_commit(e, err);
	if (rc != BUS_OK) {
		e->moment = 0; /* what was noted may be rolled back */
		return rc;
	}
	e->in_transaction = false;
	e->seq_saved = e->seq;
	publish(e);
	bus_metric_add(e->commit_us, bus_clock_mono_us() - begin);
	return BUS_OK;
}
