/* The table as it was when its slot began, as a file of the drop folder. */
#include <stdio.h>
#include <unistd.h>

#include "adapters/change/impl.h"
#include "adapters/fetch/haul.h"
#include "bus/clock.h"
#include "bus/json_out.h"
#include "bus/log.h"

#define SLOT_MS (INT64_C(3600) * 1000) /* it begins once every transaction that is open now has ended */
#define ROW_MS (INT64_C(600) * 1000)

void adapter_change_line(const struct adapter_change *c, const struct adapter_cell *cell, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	for (size_t i = 0; i < c->n_columns; i++) {
		if (cell[i].kind == ADAPTER_MISSING)
			continue;
		bus_json_key(&j, c->column[i]);
		if (cell[i].kind == ADAPTER_NULL)
			bus_json_put_null(&j);
		else
			bus_json_put_str(&j, cell[i].text);
	}
	bus_json_object_end(&j);
}

bool adapter_change_remember(struct adapter_change *c, struct change_stream *out)
{
	struct adapter_mark mark;
	struct bus_error why;
	bool known;

	*out = (struct change_stream){ 0 };
	known = adapter_mark_load(c->dir, c->feed, &mark, &why) == BUS_OK &&
		sscanf(bus_buf_cstr(&mark.mark), "change %64[0-9a-f] %23[0-9] %64[0-9a-f]", out->sha256,
		       out->system, out->file) == 3 &&
		strlen(out->sha256) == 64 && strlen(out->file) == 64;
	snprintf(out->name, sizeof(out->name), "%s", mark.file);
	adapter_mark_release(&mark);
	return known;
}

static enum bus_err note(struct adapter_change *c, const struct change_stream *s, struct bus_error *err)
{
	struct adapter_mark mark = { .when_ms = bus_clock_ms() };
	enum bus_err rc;

	snprintf(mark.file, sizeof(mark.file), "%s", s->name);
	bus_buf_printf(&mark.mark, "change %s %s %s", s->sha256, s->system, s->file);
	rc = adapter_mark_save(c->dir, c->feed, &mark, err);
	adapter_mark_release(&mark);
	return rc;
}

static void hex(const uint8_t *bytes, char *out)
{
	for (size_t i = 0; i < BUS_SHA256_LEN; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

struct writing {
	struct adapter_haul *haul;
	struct bus_sha256_stream *digest;
	struct bus_buf line;
};

static enum bus_err put(struct writing *w, struct bus_error *err)
{
	bus_buf_putc(&w->line, '\n');
	bus_sha256_add(w->digest, w->line.p, w->line.n);
	return adapter_haul_put(w->haul, bus_buf_str(&w->line), err);
}

/* A blank line that is another one for each stream: the same table read twice is two files, and an empty table is one. */
static void blank(const struct change_stream *s, struct bus_buf *out)
{
	for (size_t i = 0; i < 4 * BUS_WIRE_FILE_LEN; i++) {
		char digit = s->sha256[i / 4];
		int v = digit <= '9' ? digit - '0' : digit - 'a' + 10;

		bus_buf_putc(out, v >> (i % 4) & 1 ? '\t' : ' ');
	}
}

static enum bus_err put_rows(struct adapter_change *c, struct adapter_pg *pg, struct writing *w,
			     struct bus_error *err)
{
	struct adapter_cell *cell = bus_xcalloc(c->n_columns + 1, sizeof(*cell));
	enum bus_err rc;

	while (!(rc = adapter_pg_next(pg, ROW_MS, err))) {
		for (size_t i = 0; i < c->n_columns; i++) {
			const char *text = adapter_pg_text(pg, 0, i);

			cell[i] = text ? (struct adapter_cell){ .kind = ADAPTER_TEXT, .text = bus_str(text) }
				       : (struct adapter_cell){ .kind = ADAPTER_NULL };
		}
		bus_buf_reset(&w->line);
		adapter_change_line(c, cell, &w->line);
		adapter_haul_row(w->haul);
		rc = put(w, err);
		if (rc)
			break;
	}
	free(cell);
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

static enum bus_err write_table(struct adapter_change *c, struct adapter_pg *pg, const char *snapshot,
				struct change_stream *s, struct writing *w, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	uint8_t digest[BUS_SHA256_LEN];
	enum bus_err rc = adapter_change_run(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
					     CHANGE_STATEMENT_MS, err);

	bus_buf_puts(&sql, "SET TRANSACTION SNAPSHOT ");
	adapter_pg_quote(pg, snapshot, &sql);
	if (!rc)
		rc = adapter_change_run(pg, bus_buf_cstr(&sql), CHANGE_STATEMENT_MS, err);
	bus_buf_reset(&sql);
	if (!rc)
		rc = adapter_change_select(c, pg, &sql, err);
	if (!rc)
		rc = adapter_pg_begin(pg, bus_buf_cstr(&sql), err);
	if (!rc) {
		blank(s, &w->line);
		rc = put(w, err);
	}
	if (!rc)
		rc = put_rows(c, pg, w, err);
	bus_sha256_end(&w->digest, digest);
	hex(digest, s->file);
	bus_buf_release(&sql);
	return rc;
}

/* The file of the snapshot before, once it has been read. */
static void discard_last(const struct adapter_change *c, const char *name)
{
	static const char *const beside[] = { "", ".laporan.txt" };
	char path[4096 + 512];

	for (size_t i = 0; name[0] && i < BUS_LEN(beside); i++) {
		snprintf(path, sizeof(path), "%s/done/%s%s", c->dir, name, beside[i]);
		(void)unlink(path);
	}
}

static enum bus_err keep_table(struct adapter_change *c, struct adapter_pg *pg, const char *snapshot,
			       struct change_stream *s, struct bus_error *err)
{
	struct writing w = { .digest = bus_sha256_new() };
	struct change_stream last;
	int64_t began = bus_clock_mono_ms();
	enum bus_err rc = adapter_haul_open(c->dir, c->feed, &w.haul, err);

	if (!rc)
		rc = write_table(c, pg, snapshot, s, &w, err);
	(void)adapter_change_remember(c, &last);
	/* The mark first: without its file it is a snapshot that is made anew, and never one that is taken for read. */
	if (!rc)
		rc = note(c, s, err);
	if (!rc)
		rc = adapter_haul_keep(w.haul, s->name, err);
	if (!rc) {
		discard_last(c, last.name);
		bus_log(BUS_LOG_INFO, "adapter.change_snapshot", LOG_STR("feed", c->feed),
			LOG_STR("name", s->name), LOG_INT("rows", adapter_haul_rows(w.haul)),
			LOG_INT("ms", bus_clock_mono_ms() - began));
	}
	adapter_haul_close(&w.haul);
	if (w.digest) {
		uint8_t unused[BUS_SHA256_LEN];

		bus_sha256_end(&w.digest, unused);
	}
	bus_buf_release(&w.line);
	return rc;
}

static enum bus_err drop_slot(struct adapter_change *c, struct adapter_pg *pg, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	struct change_slot slot;
	enum bus_err rc = adapter_change_slot(c, pg, &slot, err);

	if (rc || !slot.there)
		return rc;
	bus_buf_puts(&sql, "SELECT pg_drop_replication_slot(");
	adapter_pg_quote(pg, c->conf.slot, &sql);
	bus_buf_putc(&sql, ')');
	rc = adapter_change_run(pg, bus_buf_cstr(&sql), CHANGE_STATEMENT_MS, err);
	bus_buf_release(&sql);
	return rc;
}

/* *snapshot (64 bytes): exported until the next statement of pg. */
static enum bus_err make_slot(struct adapter_change *c, struct adapter_pg *pg, struct change_stream *s,
			      char *snapshot, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	uint8_t digest[BUS_SHA256_LEN];
	enum bus_err rc = adapter_change_run(pg, "IDENTIFY_SYSTEM", CHANGE_STATEMENT_MS, err);

	if (!rc) {
		snprintf(s->system, sizeof(s->system), "%s", adapter_pg_text(pg, 0, 0));
		bus_buf_printf(&text, "CREATE_REPLICATION_SLOT %s LOGICAL pgoutput EXPORT_SNAPSHOT",
			       c->conf.slot);
		rc = adapter_change_run(pg, bus_buf_cstr(&text), SLOT_MS, err);
	}
	if (!rc) {
		bus_buf_reset(&text);
		bus_buf_printf(&text, "%s\n%s\n%s\n%s\n%s", s->system, c->conf.connection, c->feed,
			       c->conf.slot, adapter_pg_text(pg, 0, 1));
		bus_sha256(text.p, text.n, digest);
		hex(digest, s->sha256);
		snprintf(s->name, sizeof(s->name), "%.180s-%.16s.jsonl", c->feed, s->sha256);
		snprintf(snapshot, 64, "%s", adapter_pg_text(pg, 0, 2));
	}
	bus_buf_release(&text);
	return rc;
}

enum bus_err adapter_change_snapshot(struct adapter_change *c, struct change_stream *out,
				     struct bus_error *err)
{
	struct adapter_pg *walsender = NULL, *pg = NULL;
	char snapshot[64];
	enum bus_err rc = adapter_change_open(c, false, &pg, err);

	*out = (struct change_stream){ 0 };
	/* First of all: what cannot be followed now must not fill the server's disk. */
	if (!rc)
		rc = drop_slot(c, pg, err);
	if (!rc)
		rc = adapter_change_check(c, pg, err);
	if (!rc)
		rc = adapter_change_open(c, true, &walsender, err);
	if (!rc)
		rc = make_slot(c, walsender, out, snapshot, err);
	if (!rc)
		rc = keep_table(c, pg, snapshot, out, err);
	adapter_pg_close(&walsender);
	adapter_pg_close(&pg);
	return rc;
}
