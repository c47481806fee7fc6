#include "adapters/care/carry.h"

#include <stdio.h>

#include "adapters/care/cells.h"
#include "adapters/care/judge.h"
#include "adapters/care/order.h"
#include "adapters/care/record.h"
#include "adapters/care/result.h"
#include "adapters/care/undo.h"
#include "adapters/desk.h"
#include "adapters/input.h"
#include "adapters/pass.h"
#include "adapters/report.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"

#define ROW_MEMORY ((size_t)8 * 1024 * 1024)
#define ACTS_BYTES ((size_t)1024 * 1024) /* acts that wait for their records to be in the log */
#define ACTS_MAX 1000

struct act { /* in carrying.acts, its key first */
	size_t key, value;
	uint64_t line;
};

struct carrying {
	struct adapter_desk *d;
	struct adapter_order order;
	struct adapter_order_reader *rows;
	struct adapter_order_result result;
	struct adapter_seen *wanted; /* version: where in the order; content 1: found in quarantine */
	char sha256[65], id[BUS_WIRE_FILE_LEN + 1];
	struct bus_arena *arena;
	struct bus_buf cells, value, acts;
	struct bus_buf undone; /* an undo's part of the report */
	struct act act[ACTS_MAX];
	size_t n_acts;
	const struct adapter_feed *begun; /* whose mapping has begun with the rows of this file */
	char begun_file[BUS_WIRE_FILE_LEN];
	char file[BUS_WIRE_FILE_LEN + 1];
};

/* ---- acts: written once what they tell of is in the log ---- */

static enum bus_err write_acts(struct carrying *c, struct bus_error *err)
{
	char *source = bus_xasprintf("/opd/%s/%s", c->d->opd, "karantina");
	struct adapter_origin origin = { .source = source, .file = c->id };
	const char *p = c->acts.p;
	enum bus_err rc = c->n_acts > 0 ? adapter_publisher_flush(c->d->publisher, err) : BUS_OK;

	origin.time_ms = bus_clock_ms();
	origin.extra = (struct bus_header){ BUS_STR(ADAPTER_ORDER_HEADER), bus_str(c->id) };
	for (size_t i = 0; i < c->n_acts && !rc; i++) {
		struct bus_str key = { p, c->act[i].key }, value = { p + key.n, c->act[i].value };

		origin.line = c->act[i].line;
		rc = adapter_publish(c->d->publisher, &c->d->quarantine_part->topic, key, &value,
				     c->d->quarantine_shape.schema_id, &origin, err);
		p = value.p + value.n;
	}
	c->n_acts = 0;
	bus_buf_reset(&c->acts);
	free(source);
	return rc;
}

static enum bus_err add_act(struct carrying *c, struct bus_str id, const struct adapter_refusal *r,
			    struct bus_error *err)
{
	enum bus_err rc;

	bus_buf_reset(&c->value);
	rc = adapter_refusal_encode(r, &c->d->quarantine_shape, c->d->opd_key, &c->value, err);
	if (rc)
		return rc;
	bus_buf_put(&c->acts, id.p, id.n);
	bus_buf_put(&c->acts, c->value.p, c->value.n);
	c->act[c->n_acts++] = (struct act){ id.n, c->value.n, r->line };
	return c->n_acts == ACTS_MAX || c->acts.n > ACTS_BYTES ? write_acts(c, err) : BUS_OK;
}

/* ---- one row ---- */

static const char *text(struct carrying *c, struct bus_str s)
{
	const char *copy = bus_arena_dup(c->arena, s.p ? s.p : "", s.n);

	return copy ? copy : "";
}

static struct adapter_feed *feed_of(struct adapter_desk *d, struct bus_str name)
{
	for (size_t i = 0; i < d->n_feeds; i++)
		if (bus_str_is(name, adapter_map_feed(d->feed[i].map)))
			return &d->feed[i];
	return NULL;
}

static enum bus_err open_cells(struct carrying *c, const struct adapter_kept *kept, struct bus_str sealed)
{
	char aad[ADAPTER_REFUSAL_ID + 8];

	bus_buf_reset(&c->cells);
	return bus_open(c->d->opd_key, adapter_refusal_cells_aad(kept->id, aad), sealed, &c->cells, NULL);
}

/* The row as the mapping of today sees it. *why: it cannot be seen. */
static enum bus_err map_row(struct carrying *c, struct adapter_feed *f, const struct adapter_kept *kept,
			    struct adapter_result *out, const char **why, struct bus_error *err)
{
	struct adapter_row row = { .line = (uint64_t)kept->line };
	const char *const *name = adapter_map_columns(f->map, &row.n_cells);
	struct bus_error told = { 0 };
	enum bus_err rc = BUS_OK;

	*why = NULL;
	/* "The first row of a file wins" is a rule within one file. */
	if (c->begun != f || memcmp(c->begun_file, kept->sha256.p, sizeof(c->begun_file)) != 0)
		rc = adapter_map_begin(f->map, err);
	if (rc)
		return rc;
	c->begun = f;
	memcpy(c->begun_file, kept->sha256.p, sizeof(c->begun_file));
	row.raw = bus_buf_str(&c->cells); /* only compared with other rows, and equal when they are */
	row.cell = bus_arena_zalloc(c->arena, (row.n_cells + 1) * sizeof(*row.cell));
	if (!row.cell ||
	    adapter_cells_get(bus_buf_str(&c->cells), name, row.n_cells, c->arena, row.cell, &told)) {
		*why =
		    text(c, bus_str(told.text[0] ? told.text : "baris terlalu besar / the row is too large"));
		return BUS_OK;
	}
	return adapter_map_row(f->map, &row, out, err);
}

static enum bus_err publish_row(struct carrying *c, struct adapter_feed *f, const struct adapter_kept *kept,
				const struct adapter_result *res, enum adapter_late *late, const char **why,
				struct bus_error *err)
{
	struct adapter_desk *d = c->d;
	struct adapter_index_row row = { .key = res->key,
					 .content = adapter_fingerprint(res->value),
					 .version = res->version,
					 .file = adapter_files_number(
					     d->position.files,
					     (struct bus_str){ c->file, BUS_WIRE_FILE_LEN }),
					 .line = (uint32_t)kept->line };
	struct adapter_origin origin = { .source = f->source,
					 .file = c->file,
					 .line = (uint64_t)kept->line,
					 .time_ms = res->time_ms ? res->time_ms : kept->time_ms,
					 .version = f->best ? &res->version : NULL,
					 .extra = { BUS_STR(ADAPTER_ORDER_HEADER), bus_str(c->id) } };
	char hex[BUS_PSEUDONYM_LEN + 1];
	enum bus_err rc;

	if (res->identity.n > 0 && !bus_str_eq(res->identity, res->key)) {
		bus_pseudonym_make(d->pseudonym, "id:", res->identity, hex);
		row.key = origin.identity = (struct bus_str){ hex, BUS_PSEUDONYM_LEN };
	}
	rc = adapter_late_judge(d, f, &row, late, why, err);
	if (rc || *late != ADAPTER_LATE_SEND)
		return rc;
	rc =
	    adapter_publish(d->publisher, &f->part->topic, res->key, &res->value, f->schema_id, &origin, err);
	if (!rc)
		adapter_index_sent(f->part->index, &row);
	return rc;
}

static enum bus_err redrive(struct carrying *c, const struct adapter_kept *kept, struct adapter_refusal *r,
			    struct adapter_act *act, struct bus_error *err)
{
	struct adapter_feed *f = feed_of(c->d, kept->feed);
	enum adapter_late late = ADAPTER_LATE_SEND;
	struct adapter_result res;
	const char *why;
	size_t n;
	enum bus_err rc;

	if (!f) {
		adapter_result_note(&c->result, ADAPTER_OF_LOCKED, kept->id, r->class,
				    "umpannya tidak ada lagi / its feed is no longer configured");
		return BUS_OK;
	}
	rc = adapter_desk_bind(c->d, f, err);
	if (!rc)
		rc = map_row(c, f, kept, &res, &why, err);
	if (rc)
		return rc;
	if (why) {
		adapter_result_note(&c->result, ADAPTER_OF_LOCKED, kept->id, r->class, why);
		return BUS_OK;
	}
	act->state = ADAPTER_ROW_OPEN;
	r->field = res.field;
	r->detail = res.detail;
	r->class = adapter_map_classes(f->map, &n)[res.reason].name;
	if (res.fate == ADAPTER_PUBLISH) {
		rc = publish_row(c, f, kept, &res, &late, &r->detail, err);
		if (rc && rc != BUS_ETOOBIG)
			return rc;
		r->field = NULL;
		if (rc == BUS_ETOOBIG) {
			r->class = ADAPTER_CLASS_TOO_BIG;
			r->detail = "rekaman terlalu besar untuk Kafka / too large for Kafka";
		} else if (late == ADAPTER_LATE_OLDER) {
			r->class = f->older >= 0 ? adapter_map_older_class(f->map) : ADAPTER_CLASS_OLDER;
		} else if (late == ADAPTER_LATE_TWICE) {
			r->class = f->unique >= 0 ? adapter_map_unique_class(f->map) : ADAPTER_CLASS_TWICE;
		} else {
			act->state = ADAPTER_ROW_PUBLISHED;
			r->class = text(c, kept->class);
			r->detail = text(c, kept->detail);
		}
	}
	if (act->state == ADAPTER_ROW_OPEN)
		adapter_result_note(&c->result, ADAPTER_OF_REFUSED, kept->id, r->class, r->detail);
	else
		adapter_result_note(&c->result,
				    late == ADAPTER_LATE_SAME ? ADAPTER_OF_SAME : ADAPTER_OF_PUBLISHED,
				    kept->id, NULL, NULL);
	/* Published: what was personal need not be kept any longer. */
	if (act->state == ADAPTER_ROW_PUBLISHED)
		r->sealed_cells.p = NULL;
	return add_act(c, kept->id, r, err);
}

static enum adapter_result_of_row past_result(const struct carrying *c, const struct adapter_kept *kept)
{
	if (kept->state == ADAPTER_ROW_PUBLISHED)
		return ADAPTER_OF_PUBLISHED;
	if (kept->state == ADAPTER_ROW_DISCARDED)
		return ADAPTER_OF_DISCARDED;
	return c->order.what == ADAPTER_MEND ? ADAPTER_OF_MENDED : ADAPTER_OF_REFUSED;
}

static enum bus_err row_in_hand(struct carrying *c, const struct adapter_kept *kept,
				const struct adapter_order_row *row, struct bus_error *err)
{
	struct adapter_act act = { .what = adapter_order_word(c->order.what),
				   .who = c->order.who,
				   .why = c->order.why,
				   .order = c->id,
				   .time_ms = bus_clock_ms() };
	struct adapter_refusal r = { .feed = text(c, kept->feed),
				     .file = text(c, kept->file),
				     .sha256 = text(c, kept->sha256),
				     .line = (uint64_t)kept->line,
				     .nth = adapter_kept_nth(kept->id),
				     .field = kept->field.n > 0 ? text(c, kept->field) : NULL,
				     .class = text(c, kept->class),
				     .detail = text(c, kept->detail),
				     .time_ms = kept->time_ms,
				     .act = &act };

	if (c->order.what == ADAPTER_DISCARD) {
		act.state = ADAPTER_ROW_DISCARDED;
		adapter_result_note(&c->result, ADAPTER_OF_DISCARDED, kept->id, NULL, NULL);
		return add_act(c, kept->id, &r, err);
	}
	r.sealed_cells = row->sealed_cells.n > 0 ? row->sealed_cells : kept->sealed_cells;
	if (r.sealed_cells.n == 0 || open_cells(c, kept, r.sealed_cells)) {
		adapter_result_note(
		    &c->result, ADAPTER_OF_LOCKED, kept->id, r.class,
		    r.sealed_cells.n == 0
			? "kolomnya tidak tersimpan; letakkan berkasnya lagi / its columns were not kept; "
			  "drop its file again"
			: "kunci OPD ini tidak membukanya / this key does not open it");
		return BUS_OK;
	}
	if (c->order.what == ADAPTER_REDRIVE)
		return redrive(c, kept, &r, &act, err);
	act.state = ADAPTER_ROW_OPEN;
	adapter_result_note(&c->result, ADAPTER_OF_MENDED, kept->id, NULL, NULL);
	return add_act(c, kept->id, &r, err);
}

static bool is_wanted(void *ctx, struct bus_str id)
{
	struct carrying *c = ctx;

	return adapter_seen_get(c->wanted, id) != NULL;
}

static enum bus_err on_row(void *ctx, const struct adapter_kept *kept, struct bus_error *err)
{
	struct carrying *c = ctx;
	struct adapter_seen_entry *e = adapter_seen_get(c->wanted, kept->id);
	struct adapter_order_row row;
	enum bus_err rc;

	e->content = 1;
	bus_arena_reset(c->arena);
	if (bus_str_is(kept->order, c->id)) {
		enum adapter_result_of_row of = past_result(c, kept);

		adapter_result_note(&c->result, of, kept->id, text(c, kept->class),
				    of == ADAPTER_OF_REFUSED ? text(c, kept->detail) : NULL);
		return BUS_OK;
	}
	if (kept->state != ADAPTER_ROW_OPEN) {
		adapter_result_note(&c->result, ADAPTER_OF_SETTLED, kept->id,
				    adapter_row_state_name(kept->state), text(c, kept->who));
		return BUS_OK;
	}
	snprintf(c->file, sizeof(c->file), "%.*s", (int)kept->sha256.n, kept->sha256.p ? kept->sha256.p : "");
	if (kept->sha256.n < BUS_WIRE_FILE_LEN || kept->line < 0 ||
	    memcmp(c->file, kept->id.p, BUS_WIRE_FILE_LEN) != 0 ||
	    adapter_files_number(c->d->position.files, bus_str(c->file)) == 0) {
		adapter_result_note(&c->result, ADAPTER_OF_LOCKED, kept->id, "",
				    "rekamannya rusak / its record is damaged");
		return BUS_OK;
	}
	rc = adapter_order_at(c->rows, e->version, &row, err);
	if (!rc)
		rc = row_in_hand(c, kept, &row, err);
	if (!rc && adapter_plug_pulled(c->d, ADAPTER_AT_ROW))
		rc = bus_fail(err, BUS_ESTOPPED, "plug pulled");
	if (!rc && bus_proc_stopping())
		rc = bus_fail(err, BUS_ESTOPPED, "stopped in the middle of an order");
	return rc;
}

/* ---- the order ---- */

static enum bus_err read_order(struct carrying *c, const char *path, struct bus_error *err)
{
	struct adapter_order_row row;
	int64_t at;
	enum bus_err rc = adapter_order_open(path, c->d->pseudonym, &c->rows, &c->order, err);

	while (!rc && !(rc = adapter_order_next(c->rows, &row, &at, err))) {
		struct adapter_seen_entry *e;
		bool fresh;

		rc = adapter_seen_put(c->wanted, row.id, &e, &fresh, err);
		if (!rc && !fresh)
			rc = bus_fail(err, BUS_EDATA, "a row stands twice in the order");
		if (!rc)
			e->version = at;
	}
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

/* What keeps an order of this kind from being carried out here, for good. NULL: nothing. */
static const char *hindrance(const struct carrying *c)
{
	if (c->order.what == ADAPTER_UNDO)
		return NULL;
	if (!adapter_quarantine_keeps_acts(&c->d->quarantine_shape))
		return "skema karantina di registri belum mengenal tindakan; daftarkan schemas/avsc/bersama "
		       "dahulu / the "
		       "quarantine schema in the registry knows no acts yet; register schemas/avsc/bersama "
		       "first";
	if (c->order.what != ADAPTER_DISCARD && !c->d->opd_key)
		return "adapter ini tidak punya kunci OPD (key.opd) / this adapter has no key of the "
		       "department (key.opd)";
	return NULL;
}

static enum bus_err carry(struct carrying *c, struct bus_error *err)
{
	struct adapter_kept_scan scan = { .kafka = &c->d->kafka,
					  .store = c->d->store,
					  .topic = c->d->quarantine_part->topic.name,
					  .state_dir = c->d->state_dir,
					  .wanted = is_wanted,
					  .row = on_row,
					  .ctx = c };
	uint64_t unreadable;
	enum bus_err rc = adapter_publisher_flush(c->d->publisher, err);

	if (!rc)
		rc = adapter_kept_scan(&scan, &unreadable, err);
	if (!rc)
		rc = write_acts(c, err);
	if (!rc)
		rc = adapter_publisher_flush(c->d->publisher, err);
	return rc;
}

/* Rows that quarantine does not have, any more or at all. */
static uint64_t not_found(const struct carrying *c)
{
	uint64_t found = 0;

	for (int i = 0; i < ADAPTER_OF_N; i++)
		found += c->result.n[i];
	return (uint64_t)c->order.rows > found ? (uint64_t)c->order.rows - found : 0;
}

static enum bus_err close_order(struct carrying *c, const struct adapter_drop_file *file, const char *refused,
				struct bus_error *err)
{
	enum adapter_drop_place place = refused ? ADAPTER_DROP_REFUSED : ADAPTER_DROP_DONE;
	struct bus_buf report = { 0 };
	enum bus_err rc;

	c->result.n[ADAPTER_OF_UNKNOWN] = refused ? 0 : not_found(c);
	adapter_result_text(&c->result, file->name, refused, &report);
	bus_buf_put(&report, c->undone.p, c->undone.n);
	rc = adapter_report_write(NULL, c->sha256, bus_buf_str(&report),
				  adapter_drop_folder(c->d->drop, place), err);
	bus_buf_release(&report);
	if (rc)
		return rc;
	bus_log(BUS_LOG_AUDIT, refused ? "adapter.order_refused" : "adapter.order_done",
		LOG_STR("opd", c->d->opd), LOG_STR("order", c->id),
		LOG_STR("what", refused ? "" : adapter_order_word(c->order.what)),
		LOG_STR("who", c->order.who), LOG_INT("published", c->result.n[ADAPTER_OF_PUBLISHED]),
		LOG_INT("refused", c->result.n[ADAPTER_OF_REFUSED]),
		LOG_INT("discarded", c->result.n[ADAPTER_OF_DISCARDED]), LOG_STR("reason", refused));
	return adapter_pass_put_away(c->d, file, NULL, c->sha256, place, err);
}

static enum bus_err hash(struct carrying *c, const char *path, struct bus_error *err)
{
	struct adapter_input *in = NULL;
	enum bus_err rc = adapter_input_open(path, &in, err);

	if (!rc)
		rc = adapter_input_sha256(in, c->sha256, err);
	adapter_input_close(&in);
	memcpy(c->id, c->sha256, BUS_WIRE_FILE_LEN);
	return rc;
}

enum bus_err adapter_order_carry(struct adapter_desk *d, const struct adapter_drop_file *file,
				 struct bus_error *err)
{
	struct carrying *c = bus_xcalloc(1, sizeof(*c));
	struct bus_error why = { 0 };
	const char *refused = NULL;
	enum bus_err rc = hash(c, file->path, err);

	c->d = d;
	c->result.order = &c->order;
	c->arena = bus_arena_new(ROW_MEMORY);
	if (!rc)
		rc = adapter_seen_new(d->state_dir, &c->wanted, err);
	if (!rc) {
		rc = read_order(c, file->path, &why);
		refused = rc == BUS_EDATA ? why.text : !rc ? hindrance(c) : NULL;
		if (rc == BUS_EDATA)
			rc = BUS_OK;
		else if (rc && err)
			*err = why;
	}
	if (!rc && !refused && c->order.what == ADAPTER_UNDO) {
		rc = adapter_undo_run(d, &c->order, c->sha256, file->name, &c->undone, &why);
		refused = rc == BUS_EINVAL ? why.text : NULL;
		if (refused)
			rc = BUS_OK;
		else if (rc && err)
			*err = why;
	} else if (!rc && !refused) {
		rc = carry(c, err);
	}
	if (!rc)
		rc = close_order(c, file, refused, err);
	adapter_order_close(&c->rows);
	adapter_seen_free(&c->wanted);
	bus_arena_free(&c->arena);
	if (c->cells.p)
		explicit_bzero(c->cells.p, c->cells.cap);
	bus_buf_release(&c->cells);
	bus_buf_release(&c->value);
	bus_buf_release(&c->acts);
	bus_buf_release(&c->undone);
	free(c);
	return rc;
}
