#include "adapters/care/undo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/care/told.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"

struct undoing { /* one topic */
	struct adapter_desk *d;
	struct adapter_feed *f;
	const struct adapter_order *order;
	const char *id; /* 16 hex digits */
	struct adapter_reversal *reversal;
	struct adapter_tally tally;
	uint32_t number;
	struct adapter_known *known;
};

/* ---- the `berkas` record ---- */

static enum bus_err publish_tally(struct undoing *u, bool closing, struct bus_error *err)
{
	const struct adapter_reversal_counts *n = adapter_reversal_counts(u->reversal);
	struct adapter_origin origin = { .source = u->f->source, .file = u->id, .time_ms = bus_clock_ms() };
	struct adapter_desk *d = u->d;
	struct bus_buf key = { 0 }, value = { 0 }, files = { 0 };
	struct bus_str avro;
	enum bus_err rc;

	if (u->order->again)
		bus_buf_putc(&files, '+');
	for (size_t i = 0; i < n->n_files; i++) {
		if (i > 0)
			bus_buf_putc(&files, ' ');
		bus_buf_puts(&files, n->file[i]);
	}
	if (closing && n->n_files > 0)
		origin.extra = (struct bus_header){ BUS_STR(ADAPTER_UNDONE_HEADER), bus_buf_str(&files) };
	adapter_tally_key(u->tally.feed, u->tally.sha256, &key);
	adapter_tally_encode(&u->tally, &d->files_shape, &value);
	avro = bus_buf_str(&value);
	rc = adapter_publish(d->publisher, &d->files_part->topic, bus_buf_str(&key), &avro,
			     d->files_shape.schema_id, &origin, err);
	if (!rc)
		rc = adapter_publisher_flush(d->publisher, err);
	if (!rc) {
		u->known->recorded = true;
		u->known->past =
		    (struct adapter_tally_past){ u->tally.status, u->tally.order, u->tally.started };
		adapter_files_note_order(d->position.files, u->tally.order);
		if (closing)
			adapter_files_note_undone(d->position.files, u->tally.feed, bus_buf_str(&files),
						  u->tally.order);
	}
	bus_buf_release(&key);
	bus_buf_release(&value);
	bus_buf_release(&files);
	return rc;
}

static enum bus_err open_tally(struct undoing *u, const char *sha256, const char *name, struct bus_error *err)
{
	struct adapter_files *files = u->d->position.files;
	struct adapter_tally *t = &u->tally;
	char time[32];
	bool resumed;

	u->number = adapter_files_number(files, bus_str(u->id));
	u->known = adapter_files_known(files, u->number, adapter_map_feed(u->f->map));
	resumed = u->known->recorded;
	t->feed = adapter_map_feed(u->f->map);
	t->status = ADAPTER_READING;
	snprintf(t->name, sizeof(t->name), "%s", name);
	snprintf(t->sha256, sizeof(t->sha256), "%s", sha256);
	snprintf(t->reason, sizeof(t->reason), "dibatalkan ke / undone to %s, oleh / by %s%s%s",
		 bus_clock_iso_wib(u->order->to_ms, time, sizeof(time)), u->order->who,
		 u->order->why[0] ? ": " : "", u->order->why);
	t->order = resumed ? u->known->past.order : adapter_files_last_order(files) + 1;
	t->started = resumed ? u->known->past.started : bus_clock_ms();
	return publish_tally(u, false, err);
}

/* ---- one key ---- */

static struct bus_str header(const struct bus_record *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (bus_str_is(r->header[i].name, name))
			return r->header[i].value;
	return (struct bus_str){ 0 };
}

static int64_t version_of(const struct bus_record *r)
{
	struct bus_str s = header(r, ADAPTER_VERSION_HEADER);
	char digits[24];

	snprintf(digits, sizeof(digits), "%.*s", (int)s.n, s.p ? s.p : "");
	return strtoll(digits, NULL, 10);
}

static enum bus_err put_back(struct undoing *u, struct bus_str key, const struct bus_record *then,
			     struct bus_error *err)
{
	struct adapter_origin origin = { .source = u->f->source, .file = u->id, .time_ms = bus_clock_ms() };
	struct adapter_index_row row = { .key = key, .file = u->number, .version = version_of(then) };
	struct adapter_index *index = u->f->part->index;
	enum adapter_verdict unused; /* the moment, not the rule of order, says what stands */
	struct bus_str avro;
	int32_t schema_id;
	enum bus_err rc = bus_wire_open(then->value, &schema_id, &avro, err);

	if (rc) {
		/* Not one of ours, and a frame is all we can write. */
		bus_log(BUS_LOG_WARN, "adapter.undo_unreadable", LOG_INT("offset", then->offset));
		return BUS_OK;
	}
	row.content = adapter_fingerprint(avro);
	origin.version = u->f->best ? &row.version : NULL;
	rc = adapter_index_judge(index, &row, &unused, err);
	if (!rc)
		rc =
		    adapter_publish(u->d->publisher, &u->f->part->topic, key, &avro, schema_id, &origin, err);
	if (!rc)
		adapter_index_sent(index, &row);
	return rc;
}

static enum bus_err on_key(void *ctx, struct bus_str key, const struct bus_record *then,
			   struct bus_error *err)
{
	struct undoing *u = ctx;
	struct adapter_origin origin = { .source = u->f->source, .file = u->id, .time_ms = bus_clock_ms() };
	enum bus_err rc;

	if (then) {
		rc = put_back(u, key, then, err);
	} else {
		rc = adapter_publish(u->d->publisher, &u->f->part->topic, key, NULL, 0, &origin, err);
		if (!rc)
			adapter_index_remove(u->f->part->index, key, u->number);
	}
	if (!rc && adapter_plug_pulled(u->d, ADAPTER_AT_TOMBSTONE))
		rc = bus_fail(err, BUS_ESTOPPED, "plug pulled");
	if (!rc && bus_proc_stopping())
		rc = bus_fail(err, BUS_ESTOPPED, "stopped in the middle of an undo");
	return rc;
}

static enum bus_err undo_topic(struct undoing *u, const char *sha256, const char *name, struct bus_error *err)
{
	const struct adapter_reversal_counts *n = adapter_reversal_counts(u->reversal);
	enum bus_err rc = open_tally(u, sha256, name, err);

	if (!rc)
		rc = adapter_reversal_run(u->reversal, on_key, u, err);
	if (!rc)
		rc = adapter_publisher_flush(u->d->publisher, err);
	if (rc)
		return rc;
	u->tally.status = ADAPTER_DONE;
	u->tally.ended = bus_clock_ms();
	u->tally.rows = u->tally.accepted = u->tally.published = n->restore + n->restored;
	u->tally.removed = n->remove + n->removed;
	return publish_tally(u, true, err);
}

/* ---- the order ---- */

static bool meant(const struct adapter_desk *d, size_t i, const struct adapter_order *order)
{
	const struct adapter_map *map = d->feed[i].map;

	if (!adapter_map_register(map) || (order->feed[0] && strcmp(order->feed, adapter_map_feed(map)) != 0))
		return false;
	for (size_t k = 0; k < i && !order->feed[0]; k++)
		if (d->feed[k].part == d->feed[i].part)
			return false;
	return true;
}

static enum bus_err look(struct undoing *u, struct bus_error *err)
{
	const struct adapter_reversal_conf conf = { .kafka = &u->d->kafka,
						    .topic = u->f->part->topic.name,
						    .state_dir = u->d->state_dir,
						    .to_ms = u->order->to_ms,
						    .own = u->id };

	return adapter_reversal_look(&conf, &u->reversal, err);
}

enum bus_err adapter_undo_run(struct adapter_desk *d, const struct adapter_order *order, const char *sha256,
			      const char *name, struct bus_buf *report, struct bus_error *err)
{
	struct undoing *u = bus_xcalloc(d->n_feeds + 1, sizeof(*u));
	struct adapter_told told = { 0 };
	char id[BUS_WIRE_FILE_LEN + 1];
	uint64_t keys = 0;
	size_t n = 0;
	enum bus_err rc = adapter_publisher_flush(d->publisher, err);

	snprintf(id, sizeof(id), "%s", sha256);
	for (size_t i = 0; i < d->n_feeds && !rc; i++) {
		if (!meant(d, i, order))
			continue;
		u[n] = (struct undoing){ .d = d, .f = &d->feed[i], .order = order, .id = id };
		rc = look(&u[n], err);
		if (!rc) {
			const struct adapter_reversal_counts *c = adapter_reversal_counts(u[n++].reversal);

			keys += c->restore + c->remove + c->restored + c->removed;
		}
	}
	if (rc == BUS_ETOOBIG)
		rc = bus_fail(
		    err, BUS_EINVAL,
		    "terlalu banyak berkas sejak saat itu / too many files since; choose a later time");
	if (!rc && n == 0)
		rc = bus_fail(
		    err, BUS_EINVAL,
		    "tidak ada register dengan umpan itu / no register has that feed: events are not undone");
	if (!rc && keys > (uint64_t)order->keys)
		rc = bus_fail(err, BUS_EINVAL,
			      "%" PRIu64 " kunci kini akan berubah, bukan %" PRId64
			      " seperti yang ditunjukkan: lihat lagi / %" PRIu64
			      " keys would change now, not %" PRId64 " as was shown: look again",
			      keys, order->keys, keys, order->keys);
	for (size_t i = 0; i < n && !rc; i++)
		rc = undo_topic(&u[i], sha256, name, err);
	if (!rc)
		rc = adapter_told_read(&d->kafka, d->store, d->opd, &told, err);
	for (size_t i = 0; i < n; i++) {
		if (!rc)
			adapter_undo_text(&told, u[i].f->part->topic.name, adapter_map_feed(u[i].f->map),
					  order->to_ms, adapter_reversal_counts(u[i].reversal), report);
		adapter_reversal_free(&u[i].reversal);
	}
	adapter_told_release(&told);
	free(u);
	return rc;
}

static void put_number(struct bus_buf *out, const char *label, uint64_t n)
{
	bus_buf_printf(out, "  %-44s %10" PRIu64 "\n", label, n);
}

void adapter_undo_text(const struct adapter_told *told, const char *topic, const char *feed, int64_t to_ms,
		       const struct adapter_reversal_counts *n, struct bus_buf *out)
{
	const struct adapter_told_file *before = adapter_told_before(told, feed, to_ms);

	bus_buf_printf(out, "\n%s\n", topic);
	put_number(out, "dikembalikan / put back", n->restore + n->restored);
	put_number(out, "dihapus, baru sejak itu / removed, born since", n->remove + n->removed);
	put_number(out, "tak dapat dibatalkan / cannot be undone", n->unknown);
	if (n->n_files > 0)
		bus_buf_puts(out, "  berkas sejak itu / files since:\n");
	for (size_t i = 0; i < n->n_files && i < ADAPTER_REVERSAL_SAMPLES; i++)
		bus_buf_printf(out, "    %s\n", adapter_told_name(told, n->file[i]));
	if (n->unknown == 0)
		return;
	bus_buf_puts(
	    out, "  Nilai saat itu tidak ada lagi di log; kunci ini dibiarkan. Diterbitkan oleh:\n"
		 "  What they had is no longer in the log; these keys are left as they are. Published by:\n");
	for (size_t i = 0; i < n->n_places; i++)
		bus_buf_printf(out, "    %s, baris / line %" PRId64 "\n",
			       adapter_told_name(told, n->place[i].file), n->place[i].line);
	if (n->unknown > n->n_places)
		bus_buf_puts(out, "    ...\n");
	if (before)
		bus_buf_printf(out,
			       "  Letakkan lagi berkas terakhir sebelum saat itu / drop the last file before "
			       "that time again: "
			       "done/%s\n",
			       before->name);
}
