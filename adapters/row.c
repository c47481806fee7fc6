#include "adapters/row.h"

#include <stdio.h>

#include "adapters/care/cells.h"
#include "bus/clock.h"

/* What `best` keeps of a row, in a seen entry: version and line in their fields, the row's flags as bits in
 * `content`, and in `file` whether it stands, whether it counts as published, and which row of its line. */
#define STANDS 1u
#define PUBLISHED 2u
#define NTH_SHIFT 2

struct verdict {
	int class; /* refused: index; -1: terlalu_besar */
	const char *field;
	const char *detail;
};

static bool counted_always(const struct adapter_tally *t, size_t class)
{
	return t->class[class].fate == ADAPTER_CLASS_SEEN;
}

/* A row's flags, classes counted over every row left out. */
static uint64_t flag_bits(const struct adapter_tally *t, const struct adapter_result *res)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < res->n_flags; i++)
		if (!counted_always(t, res->flag[i]))
			bits |= UINT64_C(1) << res->flag[i];
	return bits;
}

/* Adds (or takes back) what an accepted row counts. */
static void count_accepted(struct adapter_tally *t, uint64_t bits, bool published, int64_t one)
{
	uint64_t n = (uint64_t)one;
	bool loose = false;

	t->accepted += n;
	if (published)
		t->published += n;
	else
		t->same += n;
	while (bits) {
		int class = __builtin_ctzll(bits);

		bits &= bits - 1;
		t->count[class] += n;
		loose |= t->class[class].fate == ADAPTER_CLASS_LOOSE;
	}
	if (loose)
		t->loose += n;
}

static void add_sample(struct adapter_tally *t, const struct adapter_refusal *q)
{
	struct adapter_sample *s;

	if (t->n_samples == ADAPTER_SAMPLES)
		return;
	s = &t->sample[t->n_samples++];
	s->line = q->line;
	snprintf(s->field, sizeof(s->field), "%s", q->field ? q->field : "");
	snprintf(s->class, sizeof(s->class), "%s", q->class);
	snprintf(s->detail, sizeof(s->detail), "%s", q->detail ? q->detail : "");
}

/* Its columns, for who mends the row or maps it anew; a row without a readable shape has none. */
static struct bus_str columns(struct adapter_reading *r, const struct adapter_row *row)
{
	size_t n;
	const char *const *name = adapter_map_columns(r->f->map, &n);

	if (!row || row->defect || !r->d->opd_key)
		return (struct bus_str){ NULL, 0 };
	bus_buf_reset(&r->cells);
	adapter_cells_put(name, n, row, &r->cells);
	return bus_buf_str(&r->cells);
}

/* row NULL: it is not at hand any more. */
static enum bus_err refuse(struct adapter_reading *r, const struct verdict *v, uint64_t line, uint64_t nth,
			   const struct adapter_row *row, struct bus_error *err)
{
	struct adapter_tally *t = r->t;
	struct adapter_refusal q = { .feed = t->feed,
				     .file = t->name,
				     .sha256 = t->sha256,
				     .line = line,
				     .nth = nth,
				     .field = v->field,
				     .detail = v->detail,
				     .raw = row ? row->raw : (struct bus_str){ NULL, 0 },
				     .time_ms = bus_clock_ms() };
	struct adapter_origin origin = r->origin;
	char text[ADAPTER_REFUSAL_ID];
	struct bus_str id, value;
	enum bus_err rc;
	bool fresh;

	q.class = v->class < 0 ? ADAPTER_CLASS_TOO_BIG : t->class[v->class].name;
	t->refused++;
	if (v->class < 0)
		t->too_big++;
	else
		t->count[v->class]++;
	q.cells = columns(r, row);
	if (v->class >= 0)
		t->advice[v->class] |=
		    (uint8_t)(1u << adapter_advice_of(r->f->map, q.class, q.field,
						      q.cells.p && q.cells.n <= ADAPTER_SEALED_MAX));
	add_sample(t, &q);

	id = (struct bus_str){ text, adapter_refusal_id(&q, text) };
	rc = adapter_quarantine_put(r->d->position.quarantine, id, &fresh, err);
	if (rc || !fresh)
		return rc;
	bus_buf_reset(&r->value);
	rc = adapter_refusal_encode(&q, &r->d->quarantine_shape, r->d->opd_key, &r->value, err);
	if (rc)
		return rc;
	origin.line = line;
	origin.time_ms = q.time_ms;
	origin.version = NULL;
	origin.identity = (struct bus_str){ NULL, 0 };
	value = bus_buf_str(&r->value);
	return adapter_publish(r->d->publisher, &r->d->quarantine_part->topic, id, &value,
			       r->d->quarantine_shape.schema_id, &origin, err);
}

/* The row of this key that stood until now gives way to a newer one of the same file. */
static enum bus_err overtake(struct adapter_reading *r, const struct adapter_seen_entry *old,
			     struct bus_error *err)
{
	struct verdict v = {
		.class = r->f->older,
		.detail = "versi yang lebih baru ada di berkas yang sama / a newer one is in this file"
	};

	count_accepted(r->t, old->content, old->file & PUBLISHED, -1);
	return refuse(r, &v, old->line, old->file >> NTH_SHIFT, NULL, err);
}

static void note_contained(struct adapter_reading *r, struct adapter_seen_entry *e, struct bus_str key)
{
	if (e->content == 0 && adapter_index_live(r->f->part->index, key)) {
		e->content = 1;
		r->kept++;
	}
}

/* A refused row's key counts too: what the register holds of it stays. */
static enum bus_err contain(struct adapter_reading *r, struct bus_str key, struct bus_error *err)
{
	struct adapter_seen_entry *e;
	bool fresh;
	enum bus_err rc;

	if (!r->contain || key.n == 0)
		return BUS_OK;
	rc = adapter_seen_put(r->f->contained, key, &e, &fresh, err);
	if (!rc)
		note_contained(r, e, key);
	return rc;
}

/* The place of the key's partition in the stream of a followed table. */
static struct adapter_at *place_of(const struct adapter_reading *r, struct bus_str key)
{
	struct adapter_topic *t = &r->f->part->topic;

	return &t->stream[bus_wire_partition(key, t->n)].at;
}

/* Publishes what the index says is to be published. *published: it counts as this file's. */
static enum bus_err settle(struct adapter_reading *r, const struct adapter_result *res,
			   const struct adapter_index_row *row, struct verdict *v, bool *refused,
			   bool *published, struct bus_error *err)
{
	struct adapter_feed *f = r->f;
	enum adapter_verdict verdict;
	enum bus_err rc;

	*refused = false;
	*published = true;
	if (r->at && adapter_at_reached(place_of(r, res->key), r->at))
		return BUS_OK;
	rc = adapter_index_judge(f->part->index, row, &verdict, err);
	if (rc)
		return rc;
	*published = verdict == ADAPTER_SENT;
	if (verdict == ADAPTER_CONFLICT && f->unique < 0)
		verdict = ADAPTER_SEND;
	switch (verdict) {
	case ADAPTER_SENT:
	case ADAPTER_SAME:
		return BUS_OK;
	case ADAPTER_OLDER:
		*refused = true;
		*v = (struct verdict){ .class = f->older,
				       .detail =
					   "versi yang sama atau lebih baru sudah ada / the same or a newer "
					   "version is there already" };
		return BUS_OK;
	case ADAPTER_CONFLICT:
		*refused = true;
		*v = (struct verdict){
			.class = f->unique,
			.detail = "sudah ada dari berkas terdahulu dengan isi lain / came in an earlier "
				  "file with other content"
		};
		return BUS_OK;
	case ADAPTER_SEND:
		break;
	}
	r->origin.line = row->line;
	r->origin.time_ms = res->time_ms ? res->time_ms : r->file_time_ms;
	r->origin.version = f->best ? &res->version : NULL;
	rc = adapter_publish(r->d->publisher, &f->part->topic, res->key, &res->value, f->schema_id,
			     &r->origin, err);
	if (rc == BUS_ETOOBIG) {
		*refused = true;
		*v = (struct verdict){ .class = -1,
				       .detail = "rekaman terlalu besar untuk Kafka / too large for Kafka" };
		return BUS_OK;
	}
	if (rc)
		return rc;
	adapter_index_sent(f->part->index, row);
	if (r->at)
		*place_of(r, res->key) = *r->at;
	*published = true;
	return BUS_OK;
}

static enum bus_err accept_newest(struct adapter_reading *r, const struct adapter_row *row,
				  const struct adapter_result *res, const struct adapter_index_row *irow,
				  struct bus_error *err)
{
	struct adapter_seen_entry *best;
	struct verdict v = {
		.class = r->f->older,
		.detail = "versi yang sama atau lebih baru ada di berkas yang sama / the same or a newer "
			  "version is in this file"
	};
	bool fresh, refused, published;
	uint64_t bits = flag_bits(r->t, res), nth = r->nth;
	enum bus_err rc = adapter_seen_put(r->f->best, res->key, &best, &fresh, err);

	if (rc)
		return rc;
	if (!fresh && res->version <= best->version)
		return refuse(r, &v, row->line, nth, row, err);
	rc = settle(r, res, irow, &v, &refused, &published, err);
	if (rc)
		return rc;
	if (refused) {
		if (fresh)
			*best =
			    (struct adapter_seen_entry){ .key = { best->key[0], best->key[1] },
							 .version = v.class < 0 ? INT64_MIN : res->version };
		return refuse(r, &v, row->line, nth, row, err);
	}
	if (!fresh && (best->file & STANDS)) {
		rc = overtake(r, best, err);
		if (rc)
			return rc;
	}
	best->version = res->version;
	best->line = irow->line;
	best->content = bits;
	best->file = (uint32_t)nth << NTH_SHIFT | (published ? PUBLISHED : 0) | STANDS;
	count_accepted(r->t, bits, published, 1);
	return BUS_OK;
}

static enum bus_err accept(struct adapter_reading *r, const struct adapter_row *row,
			   const struct adapter_result *res, struct bus_error *err)
{
	struct adapter_index_row irow = { .key = res->key,
					  .content = adapter_fingerprint(res->value),
					  .version = res->version,
					  .file = r->number,
					  .line = (uint32_t)row->line };
	char hex[BUS_PSEUDONYM_LEN + 1];
	struct verdict v;
	bool refused, published;
	enum bus_err rc;

	if (r->at) /* not a file's that may be read again from its start */
		irow.file = irow.line = 0;
	r->origin.identity = (struct bus_str){ NULL, 0 };
	if (res->identity.n > 0 && !bus_str_eq(res->identity, res->key)) {
		bus_pseudonym_make(r->d->pseudonym, "id:", res->identity, hex);
		irow.key = r->origin.identity = (struct bus_str){ hex, BUS_PSEUDONYM_LEN };
	}
	if (r->f->best)
		return accept_newest(r, row, res, &irow, err);
	rc = settle(r, res, &irow, &v, &refused, &published, err);
	if (rc)
		return rc;
	if (refused)
		return refuse(r, &v, row->line, r->nth, row, err);
	count_accepted(r->t, flag_bits(r->t, res), published, 1);
	return BUS_OK;
}

enum bus_err adapter_row_take(struct adapter_reading *r, const struct adapter_row *row, struct bus_error *err)
{
	struct adapter_result res;
	enum bus_err rc;

	r->t->rows++;
	r->nth = r->at ? r->at->n + 1 : row->line == r->line ? r->nth + 1 : 1;
	r->line = row->line;
	rc = adapter_map_row(r->f->map, row, &res, err);
	if (rc)
		return rc;
	if (res.fate == ADAPTER_REFUSE) /* a source's own class may have come up first now */
		r->t->class = adapter_map_classes(r->f->map, &r->t->n_classes);
	for (size_t i = 0; i < res.n_flags; i++)
		if (counted_always(r->t, res.flag[i]))
			r->t->count[res.flag[i]]++;
	if (res.fate == ADAPTER_REFUSE) {
		struct verdict v = { .class = res.reason, .field = res.field, .detail = res.detail };

		rc = refuse(r, &v, row->line, r->nth, row, err);
	} else {
		rc = accept(r, row, &res, err);
	}
	return rc ? rc : contain(r, res.key, err);
}

enum bus_err adapter_row_remove(struct adapter_reading *r, struct bus_str key, struct bus_error *err)
{
	struct adapter_part *part = r->f->part;
	struct adapter_at *place = place_of(r, key);
	enum bus_err rc;

	if (adapter_at_reached(place, r->at) || !adapter_index_live(part->index, key))
		return BUS_OK;
	r->origin.line = 0;
	r->origin.version = NULL;
	r->origin.identity = (struct bus_str){ NULL, 0 };
	r->origin.time_ms = r->file_time_ms;
	rc = adapter_publish(r->d->publisher, &part->topic, key, NULL, 0, &r->origin, err);
	if (rc)
		return rc;
	adapter_index_remove(part->index, key, 0);
	*place = *r->at;
	r->t->removed++;
	return BUS_OK;
}
