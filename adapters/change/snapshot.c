/* The table as it was when its stream begins, as a file of the drop folder. */
#include <stdio.h>
#include <unistd.h>

#include "adapters/change/impl.h"
#include "adapters/fetch/haul.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/json_out.h"
#include "bus/utf8.h"
#include "bus/log.h"

/* What is not UTF-8 stays as it is: the line is no JSON then, and its row is refused. false. */
static bool put_bytes(struct bus_json_out *j, struct bus_str s)
{
	struct bus_buf all = { 0 }, part = { 0 };

	bus_buf_putc(&all, '"');
	while (s.n > 0) {
		size_t ok = bus_utf8_ok(s.p, s.n);
		struct bus_json_out some = { .buf = &part };

		bus_buf_reset(&part);
		bus_json_put_str(&some, (struct bus_str){ s.p, ok });
		bus_buf_put(&all, part.p + 1, part.n - 2);
		if (ok < s.n)
			bus_buf_putc(&all, s.p[ok++]);
		s = (struct bus_str){ s.p + ok, s.n - ok };
	}
	bus_buf_putc(&all, '"');
	bus_json_put_raw(j, bus_buf_str(&all));
	bus_buf_release(&all);
	bus_buf_release(&part);
	return false;
}

bool adapter_change_line(const struct adapter_change *c, const struct adapter_cell *cell, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	bool text = true;

	bus_json_object(&j);
	for (size_t i = 0; i < c->n_columns; i++) {
		if (cell[i].kind == ADAPTER_MISSING)
			continue;
		bus_json_key(&j, c->column[i]);
		if (cell[i].kind == ADAPTER_NULL)
			bus_json_put_null(&j);
		else if (bus_utf8_ok(cell[i].text.p, cell[i].text.n) == cell[i].text.n)
			bus_json_put_str(&j, cell[i].text);
		else
			text = put_bytes(&j, cell[i].text);
	}
	bus_json_object_end(&j);
	return text;
}

bool adapter_change_remember(struct adapter_change *c, struct change_stream *out)
{
	struct adapter_mark mark;
	struct bus_error why;
	bool known;

	*out = (struct change_stream){ 0 };
	known = adapter_mark_load(c->dir, c->feed, &mark, &why) == BUS_OK &&
		sscanf(bus_buf_cstr(&mark.mark), "change %64[0-9a-f] %23[0-9] %64[0-9a-f] %1023[^\n]",
		       out->sha256, out->system, out->file, out->place) >= 3 &&
		strlen(out->sha256) == 64 && strlen(out->file) == 64;
	snprintf(out->name, sizeof(out->name), "%s", mark.file);
	adapter_mark_release(&mark);
	return known;
}

enum bus_err adapter_change_note(struct adapter_change *c, const struct change_stream *s,
				 struct bus_error *err)
{
	struct adapter_mark mark = { .when_ms = bus_clock_ms() };
	enum bus_err rc;

	snprintf(mark.file, sizeof(mark.file), "%s", s->name);
	bus_buf_printf(&mark.mark, "change %s %s %s %s", s->sha256, s->system, s->file, s->place);
	rc = adapter_mark_save(c->dir, c->feed, &mark, err);
	adapter_mark_release(&mark);
	return rc;
}

struct change_writing {
	struct adapter_haul *haul;
	struct bus_sha256_stream *digest;
	struct bus_buf line;
};

static enum bus_err put(struct change_writing *w, struct bus_error *err)
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

static void end(struct change_writing *w, char *hex)
{
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256_end(&w->digest, digest);
	bus_hex(digest, sizeof(digest), hex);
}

enum bus_err adapter_change_put(struct adapter_change *c, struct change_writing *w,
				const struct adapter_cell *cell, struct bus_error *err)
{
	bus_buf_reset(&w->line);
	(void)adapter_change_line(c, cell, &w->line);
	adapter_haul_row(w->haul);
	return put(w, err);
}

void adapter_change_name(struct adapter_change *c, struct change_stream *s, struct bus_str identity)
{
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256(identity.p, identity.n, digest);
	bus_hex(digest, sizeof(digest), s->sha256);
	snprintf(s->name, sizeof(s->name), "%.180s-%.16s.jsonl", c->feed, s->sha256);
}

enum bus_err adapter_change_keep(struct adapter_change *c, struct change_stream *s,
				 adapter_change_rows_fn rows, void *ctx, struct bus_error *err)
{
	struct change_writing w = { .digest = bus_sha256_new() };
	struct change_stream last;
	int64_t began = bus_clock_mono_ms();
	enum bus_err rc = adapter_haul_open(c->dir, c->feed, &w.haul, err);

	if (!rc) {
		blank(s, &w.line);
		rc = put(&w, err);
	}
	if (!rc)
		rc = rows(c, ctx, &w, err);
	end(&w, s->file);
	(void)adapter_change_remember(c, &last);
	/* The mark first: without its file it is a snapshot that is made anew, and never one that is taken for read. */
	if (!rc)
		rc = adapter_change_note(c, s, err);
	if (!rc)
		rc = adapter_haul_keep(w.haul, s->name, err);
	if (!rc) {
		discard_last(c, last.name);
		bus_log(BUS_LOG_INFO, "adapter.change_snapshot", LOG_STR("feed", c->feed),
			LOG_STR("name", s->name), LOG_INT("rows", adapter_haul_rows(w.haul)),
			LOG_INT("ms", bus_clock_mono_ms() - began));
	}
	adapter_haul_close(&w.haul);
	bus_buf_release(&w.line);
	return rc;
}
