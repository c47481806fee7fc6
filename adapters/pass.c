#include "adapters/pass.h"

#include <poll.h>
#include <stdio.h>

#include "adapters/care/figures.h"
#include "adapters/input.h"
#include "adapters/removal.h"
#include "adapters/report.h"
#include "adapters/row.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"
#include "bus/utf8.h"

#define PROGRESS_MS 2000
#define FIGURES_MS 500
#define PROGRESS_ROWS 256 /* rows between two looks at the clock */
#define PACE_MS 20	  /* shorter waits are gathered: a row's own is microseconds */
#define PACE_LONGEST_MS 200
#define AGAIN_MS 2000 /* between two tries to write a report or move a file */

static enum bus_err unplugged(struct bus_error *err)
{
	return bus_fail(err, BUS_ESTOPPED, "plug pulled");
}

void adapter_file_label(const char *name, char *out, size_t n)
{
	size_t left = strlen(name), at = 0, digits = 0;

	while (left > 0) {
		size_t len = bus_utf8_len(name, left);
		bool digit = len == 1 && *name >= '0' && *name <= '9';

		if (at + (len ? len : 1) >= n)
			break;
		if (len <= 1)
			out[at++] = len == 0 || (unsigned char)*name < ' ' ? '?' : *name;
		for (size_t i = 0; len > 1 && i < len; i++)
			out[at++] = name[i];
		digits = digit ? digits + 1 : 0;
		if (digits >= 16)
			memset(out + at - digits, '#', digits);
		name += len ? len : 1;
		left -= len ? len : 1;
	}
	out[at] = '\0';
}

enum bus_err adapter_pass_tell(struct adapter_reading *r, struct bus_str state, struct bus_error *err)
{
	struct adapter_origin origin = { .source = r->origin.source,
					 .file = r->origin.file,
					 .time_ms = bus_clock_ms() };
	struct bus_buf key = { 0 }, value = { 0 };
	struct bus_str avro;
	enum bus_err rc;

	if (state.n > 0)
		origin.extra = (struct bus_header){ BUS_STR(ADAPTER_STATE_HEADER), state };
	adapter_tally_key(r->t->feed, r->t->sha256, &key);
	adapter_tally_encode(r->t, &r->d->files_shape, &value);
	avro = bus_buf_str(&value);
	rc = adapter_publish(r->d->publisher, &r->d->files_part->topic, bus_buf_str(&key), &avro,
			     r->d->files_shape.schema_id, &origin, err);
	bus_buf_release(&key);
	bus_buf_release(&value);
	return rc;
}

/* A file that changed while it was read is not the one its record names: the record goes. */
static enum bus_err withdraw_tally(struct adapter_reading *r, struct bus_error *err)
{
	struct adapter_origin origin = { .source = r->origin.source,
					 .file = r->origin.file,
					 .time_ms = bus_clock_ms() };
	struct bus_buf key = { 0 };
	enum bus_err rc;

	adapter_tally_key(r->t->feed, r->t->sha256, &key);
	rc = adapter_publish(r->d->publisher, &r->d->files_part->topic, bus_buf_str(&key), NULL, 0, &origin,
			     err);
	bus_buf_release(&key);
	return rc ? rc : adapter_publisher_flush(r->d->publisher, err);
}

/* What was found as a file may be a link by now, to what only we may read. */
static enum bus_err open_found(const struct adapter_drop_file *file, struct adapter_input **in,
			       struct bus_error *err)
{
	return file->link ? adapter_input_open(file->path, in, err)
			  : adapter_input_open_itself(file->path, in, err);
}

static enum bus_err hash_file(const struct adapter_drop_file *file, char *sha256, int64_t *size,
			      struct bus_error *err)
{
	struct adapter_input *in = NULL;
	enum bus_err rc = open_found(file, &in, err);

	if (!rc)
		rc = adapter_input_sha256(in, sha256, err);
	if (!rc)
		*size = (int64_t)adapter_input_bytes(in);
	adapter_input_close(&in);
	return rc;
}

/* What the file's own bytes are to blame for; the rest is a fault of the moment. */
static bool fault_of_file(enum bus_err rc)
{
	return rc == BUS_EDATA || rc == BUS_EPARSE || rc == BUS_ETOOBIG;
}

/* As long as the limits want, in pieces: what was sent is served, and a stop is heard. */
static enum bus_err keep_pace(struct adapter_reading *r, const struct adapter_row *row, struct bus_error *err)
{
	struct adapter_desk *d = r->d;
	int64_t now = bus_clock_mono_us(), bytes = (int64_t)row->raw.n;
	int64_t all = adapter_pace_take(&d->pace, now, 1, bytes),
		own = adapter_pace_take(&r->f->pace, now, 1, bytes);
	int64_t until = now + (all > own ? all : own);
	enum bus_err rc = BUS_OK;

	while (!rc && now < until && !bus_proc_stopping()) {
		struct pollfd stop = { .fd = bus_proc_stop_fd(), .events = POLLIN };
		int ms = (int)((until - now) / 1000);

		if (ms < PACE_MS)
			return BUS_OK;
		poll(&stop, 1, ms < PACE_LONGEST_MS ? ms : PACE_LONGEST_MS);
		adapter_publisher_poll(d->publisher);
		rc = adapter_owner_check(d->owner, err);
		now = bus_clock_mono_us();
	}
	return rc;
}

static bool is_paced(const struct adapter_reading *r)
{
	const struct adapter_pace *a = &r->d->pace, *b = &r->f->pace;

	return a->rows > 0 || a->bytes > 0 || b->rows > 0 || b->bytes > 0;
}

enum bus_err adapter_pass_rows(struct adapter_reading *r, struct adapter_input *in, void *source,
			       struct bus_error *err)
{
	const struct adapter_source_kind *kind = adapter_map_source(r->f->map);
	int64_t now = bus_clock_mono_ms(), progress_at = now + PROGRESS_MS, figures_at = now;
	const bool paced = is_paced(r);
	struct adapter_tally *t = r->t;
	struct adapter_row row;
	struct bus_error why;
	enum bus_err rc;

	while (!(rc = kind->next(source, &row, &why))) {
		rc = adapter_row_take(r, &row, err);
		if (!rc && paced)
			rc = keep_pace(r, &row, err);
		if (rc)
			return rc;
		if (bus_proc_stopping())
			return bus_fail(err, BUS_ESTOPPED, "stopped in the middle of a file");
		if (adapter_plug_pulled(r->d, ADAPTER_AT_ROW))
			return unplugged(err);
		if (t->rows % PROGRESS_ROWS != 0)
			continue;
		now = bus_clock_mono_ms();
		if (now >= figures_at) {
			figures_at = now + FIGURES_MS;
			adapter_figures_reading(t, adapter_input_bytes(in));
		}
		if (now < progress_at)
			continue;
		progress_at = now + PROGRESS_MS;
		t->physical = adapter_input_lines(in);
		rc = adapter_pass_tell(r, (struct bus_str){ 0 }, err);
		if (rc)
			return rc;
	}
	if (rc != BUS_ENOENT && !fault_of_file(rc)) {
		if (err)
			*err = why;
		return rc;
	}
	kind->end(source, &t->end);
	if (rc != BUS_ENOENT) {
		t->end.cut = true;
		snprintf(t->reason, sizeof(t->reason), "%s", why.text);
	} else if (t->end.cut) {
		snprintf(t->reason, sizeof(t->reason), "%s", t->end.why);
	}
	t->status = t->end.cut ? ADAPTER_CUT : ADAPTER_DONE;
	return BUS_OK;
}

/* The rows of the file, and whether it is still the one that was hashed. Sets t->status. */
static enum bus_err read_file(struct adapter_reading *r, const struct adapter_drop_file *file,
			      struct bus_error *err)
{
	const struct adapter_source_kind *kind = adapter_map_source(r->f->map);
	struct adapter_tally *t = r->t;
	struct adapter_input *in = NULL;
	void *source = NULL;
	struct bus_error why;
	char sha256[65];
	enum bus_err rc = open_found(file, &in, err);

	if (!rc)
		rc = adapter_map_begin(r->f->map, err);
	if (rc)
		goto out;
	rc = adapter_map_open_source(r->f->map, in, &source, &why);
	if (!rc) {
		rc = adapter_pass_rows(r, in, source, err);
	} else if (fault_of_file(rc)) {
		t->status = ADAPTER_REFUSED;
		snprintf(t->reason, sizeof(t->reason), "%s", why.text);
		rc = BUS_OK;
	} else if (err) {
		*err = why;
	}
	if (!rc)
		rc = adapter_input_sha256(in, sha256,
					  err); /* reads to the end: the lines are all counted then */
	if (!rc) {
		t->physical = adapter_input_lines(in);
		if (strcmp(sha256, t->sha256) != 0)
			rc = bus_fail(err, BUS_ECONFLICT, "the file changed while it was read");
	}
out:
	if (source)
		kind->close(source);
	adapter_input_close(&in);
	return rc;
}

bool adapter_pass_again(struct adapter_desk *d, const struct bus_error *why, bool *told)
{
	int64_t until = bus_clock_mono_ms() + AGAIN_MS;

	if (!*told)
		bus_log(BUS_LOG_ERROR, "adapter.disk_waiting", LOG_ERR(why),
			LOG_STR("remedy", "make room or give rights; nothing is lost, tried every 2 s"));
	*told = true;
	while (bus_clock_mono_ms() < until && !bus_proc_stopping())
		adapter_drop_wait(d->drop, bus_proc_stop_fd(), -1, 200);
	return !bus_proc_stopping();
}

static enum adapter_drop_place place_of(enum adapter_status s)
{
	return s == ADAPTER_DONE ? ADAPTER_DROP_DONE : ADAPTER_DROP_REFUSED;
}

static enum bus_err prepare_report(struct adapter_desk *d, const struct adapter_tally *t, const char *folder,
				   struct bus_error *err)
{
	struct bus_error why;
	bool told = false;

	if (!adapter_report_needed(t))
		return BUS_OK;
	while (adapter_report_prepare(t, folder, &why))
		if (!adapter_pass_again(d, &why, &told))
			return bus_fail(err, BUS_ESTOPPED, "stopped before the report could be written");
	return BUS_OK;
}

enum bus_err adapter_pass_put_away(struct adapter_desk *d, const struct adapter_drop_file *file,
				   const char *feed, const char *sha256, enum adapter_drop_place place,
				   struct bus_error *err)
{
	const char *folder = adapter_drop_folder(d->drop, place);
	struct bus_error why;
	bool told = false;
	char moved[4096 + 512];
	enum bus_err rc;

	while ((rc = adapter_drop_move(d->drop, file, place, moved, sizeof(moved), &why))) {
		if (rc == BUS_ECONFLICT) {
			/* It was taken away or replaced; what has its name now is a file of its own. */
			bus_log(BUS_LOG_WARN, "adapter.file_gone", LOG_STR("feed", feed ? feed : ""),
				LOG_ERR(&why));
			snprintf(moved, sizeof(moved), "%s/%s", folder, file->name);
			break;
		}
		if (!adapter_pass_again(d, &why, &told))
			return bus_fail(err, BUS_ESTOPPED, "stopped before the file could be moved");
	}
	while (adapter_report_place(feed, sha256, folder, moved, &why))
		if (!adapter_pass_again(d, &why, &told))
			return bus_fail(err, BUS_ESTOPPED, "stopped before the report could be named");
	return BUS_OK;
}

static void log_done(const struct adapter_desk *d, const struct adapter_tally *t)
{
	bus_log(t->status == ADAPTER_DONE ? BUS_LOG_INFO : BUS_LOG_WARN, "adapter.file_done",
		LOG_STR("opd", d->opd), LOG_STR("feed", t->feed), LOG_STR("name", t->name),
		LOG_STR("status", adapter_status_name(t->status)), LOG_INT("rows", t->rows),
		LOG_INT("accepted", t->accepted), LOG_INT("refused", t->refused),
		LOG_INT("published", t->published), LOG_INT("same", t->same), LOG_INT("removed", t->removed),
		LOG_INT("ms", t->ended - t->started), LOG_STR("reason", t->reason));
}

enum bus_err adapter_pass_end(struct adapter_reading *r, struct adapter_known *known, const char *folder,
			      struct bus_error *err)
{
	struct adapter_desk *d = r->d;
	struct adapter_tally *t = r->t;
	struct bus_buf state = { 0 };
	enum bus_err rc = adapter_publisher_flush(d->publisher, err);

	if (!rc && r->contain && t->status == ADAPTER_DONE) {
		r->origin.line = 0;
		r->origin.version = NULL;
		r->origin.identity = (struct bus_str){ NULL, 0 };
		r->origin.time_ms = r->file_time_ms;
		rc = adapter_removal(d, r->f, t, &r->origin, r->number, r->kept, known->held, err);
		if (!rc)
			rc = adapter_publisher_flush(d->publisher, err);
	}
	if (rc)
		return rc;
	if (adapter_plug_pulled(d, ADAPTER_AT_ACKED))
		return unplugged(err);
	t->ended = bus_clock_ms();
	rc = prepare_report(d, t, folder ? folder : adapter_drop_folder(d->drop, place_of(t->status)), err);
	if (rc)
		return rc;
	adapter_position_put_state(&d->position, &state);
	rc = adapter_pass_tell(r, bus_buf_str(&state), err);
	bus_buf_release(&state);
	if (!rc)
		rc = adapter_publisher_flush(d->publisher, err);
	if (rc)
		return rc;
	known->recorded = true;
	known->past = (struct adapter_tally_past){ t->status, t->order, t->started };
	adapter_files_note_order(d->position.files, t->order);
	log_done(d, t);
	adapter_figures_closed(t);
	return adapter_plug_pulled(d, ADAPTER_AT_CLOSED) ? unplugged(err) : BUS_OK;
}

static enum bus_err open_file(struct adapter_reading *r, struct adapter_known *known, struct bus_error *err)
{
	char held[40];
	enum bus_err rc;

	snprintf(held, sizeof(held), "held=%lld", (long long)known->held);
	bus_log(BUS_LOG_INFO, "adapter.file_started", LOG_STR("opd", r->d->opd), LOG_STR("feed", r->t->feed),
		LOG_STR("name", r->t->name), LOG_INT("bytes", r->t->size));
	rc = adapter_pass_tell(r, bus_str(held), err);
	if (!rc) {
		known->recorded = true;
		known->past = (struct adapter_tally_past){ r->t->status, r->t->order, r->t->started };
	}
	/* The removal's guard after an interruption needs what this record says. */
	if (!rc && r->contain)
		rc = adapter_publisher_flush(r->d->publisher, err);
	if (!rc && adapter_plug_pulled(r->d, ADAPTER_AT_START))
		return unplugged(err);
	return rc;
}

enum bus_err adapter_pass_begin(struct adapter_reading *r, struct adapter_known *known, struct bus_error *err)
{
	struct adapter_desk *d = r->d;
	struct adapter_feed *f = r->f;
	struct adapter_tally *t = r->t;
	bool resumed = known->recorded && known->past.status == ADAPTER_READING;

	t->feed = adapter_map_feed(f->map);
	t->class = adapter_map_classes(f->map, &t->n_classes);
	t->complete = adapter_map_complete(f->map);
	/* A finished file that is read again comes after everything that came since. */
	t->order = resumed || (known->recorded && known->past.status != ADAPTER_DONE)
		       ? known->past.order
		       : adapter_files_last_order(d->position.files) + 1;
	t->started = resumed ? known->past.started : bus_clock_ms();
	adapter_files_note_order(d->position.files, t->order);
	if (!resumed || known->held < 0)
		known->held = (int64_t)adapter_index_count(f->part->index);
	r->contain = f->contained && known->held > 0;
	if (f->best)
		adapter_seen_clear(f->best);
	if (f->contained)
		adapter_seen_clear(f->contained);
	return open_file(r, known, err);
}

static enum bus_err run_pass(struct adapter_reading *r, const struct adapter_drop_file *file,
			     struct adapter_known *known, struct bus_error *err)
{
	struct adapter_desk *d = r->d;
	enum bus_err rc = adapter_pass_begin(r, known, err);

	if (!rc)
		rc = read_file(r, file, err);
	if (!rc && adapter_plug_pulled(d, ADAPTER_AT_END))
		rc = unplugged(err);
	if (!rc) {
		rc = adapter_pass_end(r, known, NULL, err);
		return rc ? rc
			  : adapter_pass_put_away(d, file, r->t->feed, r->t->sha256, place_of(r->t->status),
						  err);
	}
	if (rc == BUS_ECONFLICT) {
		known->recorded = false;
		if (withdraw_tally(r, NULL))
			return bus_fail(err, BUS_ESTOPPED,
					"stopped before the record of a changed file was gone");
	} else if (rc == BUS_ESTOPPED && bus_proc_stopping()) {
		(void)!adapter_publisher_flush(d->publisher, NULL); /* so that less is read again */
	}
	return rc;
}

/* What an undo took back does not come again by itself. */
static enum bus_err put_undone(struct adapter_desk *d, struct adapter_feed *f, struct adapter_tally *t,
			       const struct adapter_drop_file *file, struct bus_error *err)
{
	enum bus_err rc;

	t->feed = adapter_map_feed(f->map);
	t->status = ADAPTER_REFUSED;
	t->started = bus_clock_ms();
	snprintf(t->reason, sizeof(t->reason),
		 "isi berkas ini telah dibatalkan (undo); ubah berkasnya, atau batalkan lagi dengan "
		 "--allow-again / this content was taken back by an undo; change the file, or undo again with "
		 "--allow-again");
	bus_log(BUS_LOG_WARN, "adapter.file_undone", LOG_STR("opd", d->opd), LOG_STR("feed", t->feed),
		LOG_STR("name", t->name), LOG_STR("effect", "nothing is published"));
	rc = prepare_report(d, t, adapter_drop_folder(d->drop, ADAPTER_DROP_REFUSED), err);
	return rc ? rc : adapter_pass_put_away(d, file, t->feed, t->sha256, ADAPTER_DROP_REFUSED, err);
}

enum bus_err adapter_pass(struct adapter_desk *d, struct adapter_feed *f,
			  const struct adapter_drop_file *file, struct bus_error *err)
{
	struct adapter_tally *t = bus_xcalloc(1, sizeof(*t));
	struct adapter_reading r = { .d = d, .f = f, .t = t };
	char short_sha[BUS_WIRE_FILE_LEN + 1];
	struct adapter_known *known;
	enum bus_err rc = hash_file(file, t->sha256, &t->size, err);

	if (rc)
		goto out;
	adapter_file_label(file->name, t->name, sizeof(t->name));
	memcpy(short_sha, t->sha256, BUS_WIRE_FILE_LEN);
	short_sha[BUS_WIRE_FILE_LEN] = '\0';
	r.origin = (struct adapter_origin){ .source = f->source, .file = short_sha };
	r.file_time_ms = file->mtime_ns / 1000000;
	r.number = adapter_files_number(d->position.files, bus_str(short_sha));
	known = adapter_files_known(d->position.files, r.number, adapter_map_feed(f->map));
	if (adapter_files_undone(known)) {
		rc = put_undone(d, f, t, file, err);
		goto out;
	}
	/* A register's older file may say what no longer holds: dropped again, it is a change back. */
	if (known->recorded && known->past.status == ADAPTER_DONE &&
	    (!adapter_map_register(f->map) || adapter_files_newest(d->position.files, known))) {
		bus_log(BUS_LOG_INFO, "adapter.file_known", LOG_STR("opd", d->opd),
			LOG_STR("feed", adapter_map_feed(f->map)), LOG_STR("name", t->name),
			LOG_STR("effect", "this content was read before; nothing is published"));
		rc = adapter_pass_put_away(d, file, adapter_map_feed(f->map), t->sha256, ADAPTER_DROP_DONE,
					   err);
	} else {
		rc = run_pass(&r, file, known, err);
	}
out:
	bus_buf_release(&r.value);
	bus_buf_release(&r.cells);
	if (rc)
		adapter_figures_withdrawn(t);
	free(t);
	return rc;
}

/* "...; yang dikenal / those known: a*.csv, b*.xlsx" */
static void put_known(const struct adapter_desk *d, char *out, size_t size)
{
	struct bus_buf all = { 0 };
	const char *between = "; yang dikenal / those known: ";

	bus_buf_puts(
	    &all, "tidak ada pemetaan untuk berkas bernama demikian / no mapping takes a file of this name");
	for (size_t i = 0; i < d->n_feeds; i++) {
		size_t n;
		const char *const *pattern = adapter_map_patterns(d->feed[i].map, &n);

		for (size_t k = 0; k < n; k++, between = ", ")
			bus_buf_printf(&all, "%s%s", between, pattern[k]);
	}
	snprintf(out, size, "%s", bus_buf_cstr(&all));
	if (all.n >= size)
		memcpy(out + size - 4, "...", 4);
	bus_buf_release(&all);
}

enum bus_err adapter_pass_unknown(struct adapter_desk *d, const struct adapter_drop_file *file,
				  struct bus_error *err)
{
	struct adapter_tally *t = bus_xcalloc(1, sizeof(*t));
	enum bus_err rc;

	adapter_file_label(file->name, t->name, sizeof(t->name));
	t->status = ADAPTER_REFUSED;
	t->started = bus_clock_ms();
	t->size = file->size;
	put_known(d, t->reason, sizeof(t->reason));
	bus_log(BUS_LOG_WARN, "adapter.file_unknown", LOG_STR("opd", d->opd), LOG_STR("name", t->name),
		LOG_STR("remedy", "rename it as the mapping's `files` patterns say, or add a mapping"));
	rc = prepare_report(d, t, adapter_drop_folder(d->drop, ADAPTER_DROP_REFUSED), err);
	if (!rc)
		rc = adapter_pass_put_away(d, file, NULL, t->sha256, ADAPTER_DROP_REFUSED, err);
	free(t);
	return rc;
}
