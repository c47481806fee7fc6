#include "adapters/care/order.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "adapters/quarantine.h"
#include "bus/base64.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/file.h"
#include "bus/json.h"
#include "bus/json_out.h"

#define LINE_MAX_BYTES (256 * 1024) /* a row's columns are at most 64 KiB, as base64 a third more */
#define WIB_S (7 * 3600)

static const char *const word[] = {
	[ADAPTER_MEND] = "perbaiki",
	[ADAPTER_REDRIVE] = "terbitkan",
	[ADAPTER_DISCARD] = "buang",
	[ADAPTER_UNDO] = "batalkan",
};

const char *adapter_order_word(enum adapter_order_what what)
{
	return word[what];
}

bool adapter_order_is(const char *name)
{
	size_t n = strlen(name), ending = sizeof(ADAPTER_ORDER_ENDING) - 1;

	return n > ending && strcmp(name + n - ending, ADAPTER_ORDER_ENDING) == 0;
}

static void seal_of(struct bus_pseudonym *seal, struct bus_sha256_stream **sum,
		    char hex[BUS_PSEUDONYM_LEN + 1])
{
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256_end(sum, digest);
	bus_pseudonym_make(seal, "order:", (struct bus_str){ (const char *)digest, sizeof(digest) }, hex);
}

/* ---- writing ---- */

struct adapter_order_writer {
	FILE *fp;
	char *hidden, *named;
	const char *name; /* in named */
	struct bus_buf line, base64;
	struct bus_pseudonym *seal;
	struct bus_sha256_stream *sum; /* of the lines so far */
};

static enum bus_err disk(struct bus_error *err, const char *path)
{
	enum bus_err code = BUS_EIO;

	if (errno == ENOSPC || errno == EDQUOT)
		code = BUS_EFULL;
	if (errno == EACCES || errno == EPERM)
		code = BUS_EDENIED;
	return bus_fail(err, code, "cannot write '%s': %m", path);
}

static void put_head(const struct adapter_order *o, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_int_member(&j, "titian_order", 1);
	bus_json_text_member(&j, "what", word[o->what]);
	bus_json_text_member(&j, "who", o->who);
	bus_json_text_member(&j, "why", o->why);
	bus_json_int_member(&j, "time", o->time_ms);
	bus_json_int_member(&j, "rows", o->rows);
	if (o->what == ADAPTER_UNDO) {
		bus_json_int_member(&j, "to", o->to_ms);
		bus_json_text_member(&j, "feed", o->feed);
		bus_json_bool_member(&j, "again", o->again);
		bus_json_int_member(&j, "keys", o->keys);
	}
	bus_json_object_end(&j);
	bus_buf_putc(out, '\n');
}

static void write_line(struct adapter_order_writer *w)
{
	bus_sha256_add(w->sum, w->line.p, w->line.n);
	fwrite(w->line.p, 1, w->line.n, w->fp); /* what fails is found by _send */
}

enum bus_err adapter_order_begin(const char *drop_dir, const uint8_t *city_key, const struct adapter_order *o,
				 struct adapter_order_writer **out, struct bus_error *err)
{
	struct adapter_order_writer *w = bus_xcalloc(1, sizeof(*w));
	time_t local = (time_t)(o->time_ms / 1000 + WIB_S);
	struct tm tm;
	char when[32], mark[sizeof(o->mark)];
	uint32_t chance;
	enum bus_err rc;

	*out = NULL;
	gmtime_r(&local, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &tm);
	bus_random(&chance, sizeof(chance));
	snprintf(mark, sizeof(mark), "%08" PRIx32, chance);
	if (o->mark[0])
		snprintf(mark, sizeof(mark), "%s", o->mark);
	w->hidden = bus_xasprintf("%s/.%s-%s-%s" ADAPTER_ORDER_ENDING, drop_dir, word[o->what], when, mark);
	w->named = bus_xasprintf("%s/%s-%s-%s" ADAPTER_ORDER_ENDING, drop_dir, word[o->what], when, mark);
	w->name = strrchr(w->named, '/') + 1;
	w->seal = bus_pseudonym_new(city_key);
	w->sum = bus_sha256_new();
	w->fp = fopen(w->hidden, "wxe");
	if (!w->fp) {
		rc = disk(err, w->hidden);
		adapter_order_drop(&w);
		return rc;
	}
	put_head(o, &w->line);
	write_line(w);
	*out = w;
	return BUS_OK;
}

void adapter_order_put(struct adapter_order_writer *w, const struct adapter_order_row *row)
{
	struct bus_json_out j = { .buf = &w->line };

	bus_buf_reset(&w->line);
	bus_json_object(&j);
	bus_json_key(&j, "id");
	bus_json_put_str(&j, row->id);
	if (row->sealed_cells.n > 0) {
		bus_buf_reset(&w->base64);
		bus_base64_put(row->sealed_cells, &w->base64);
		bus_json_key(&j, "cells");
		bus_json_put_str(&j, bus_buf_str(&w->base64));
	}
	bus_json_object_end(&j);
	bus_buf_putc(&w->line, '\n');
	write_line(w);
}

enum bus_err adapter_order_send(struct adapter_order_writer **wp, char *name, struct bus_error *err)
{
	struct adapter_order_writer *w = *wp;
	char hex[BUS_PSEUDONYM_LEN + 1];
	enum bus_err rc = BUS_OK;

	seal_of(w->seal, &w->sum, hex);
	fprintf(w->fp, "{\"seal\":\"%s\"}\n", hex);
	if (fflush(w->fp) != 0 || ferror(w->fp) || fsync(fileno(w->fp)) != 0 ||
	    rename(w->hidden, w->named) != 0)
		rc = disk(err, w->named);
	snprintf(name, 256, "%s", w->name);
	if (!rc) {
		free(w->hidden);
		w->hidden = NULL;
	}
	adapter_order_drop(wp);
	return rc;
}

void adapter_order_drop(struct adapter_order_writer **wp)
{
	struct adapter_order_writer *w = *wp;

	if (!w)
		return;
	if (w->fp)
		fclose(w->fp);
	if (w->fp && w->hidden)
		unlink(w->hidden);
	free(w->hidden);
	free(w->named);
	if (w->sum)
		bus_sha256_end(&w->sum, (uint8_t[BUS_SHA256_LEN]){ 0 });
	bus_pseudonym_free(&w->seal);
	bus_buf_release(&w->line);
	bus_buf_release(&w->base64);
	free(w);
	*wp = NULL;
}

/* ---- reading ---- */

struct adapter_order_reader {
	FILE *fp;
	char *line;
	struct bus_arena *arena;
	struct bus_buf cells;
	int64_t left; /* rows */
	long end;     /* where the seal begins */
};

static enum bus_err broken(struct bus_error *err)
{
	return bus_fail(
	    err, BUS_EDATA,
	    "perintah rusak atau tidak utuh; beri perintah itu lagi / the order is broken or not whole; "
	    "give it again");
}

static enum bus_err read_line(struct adapter_order_reader *r, struct bus_json **tree, struct bus_error *err)
{
	size_t n;

	if (!fgets(r->line, LINE_MAX_BYTES, r->fp))
		return ferror(r->fp) ? bus_fail(err, BUS_EIO, "cannot read the order: %m") : broken(err);
	n = strlen(r->line);
	bus_arena_reset(r->arena);
	if (n == 0 || r->line[n - 1] != '\n' ||
	    bus_json_parse((struct bus_str){ r->line, n - 1 }, NULL, r->arena, tree, NULL) != BUS_OK ||
	    (*tree)->type != BUS_JSON_OBJECT)
		return broken(err);
	return BUS_OK;
}

static bool take_text(const struct bus_json *object, const char *name, char *out, size_t n)
{
	const struct bus_json *v = bus_json_get(object, name);

	if (!v || v->type != BUS_JSON_STRING || v->text.n >= n || memchr(v->text.p, '\0', v->text.n))
		return false;
	memcpy(out, v->text.p, v->text.n);
	out[v->text.n] = '\0';
	return true;
}

static bool take_int(const struct bus_json *object, const char *name, int64_t *out)
{
	const struct bus_json *v = bus_json_get(object, name);

	return v && bus_json_int(v, out) == BUS_OK;
}

static bool take_head(const struct bus_json *head, struct adapter_order *o)
{
	const struct bus_json *again = bus_json_get(head, "again");
	int64_t version;
	char what[32];
	size_t i = 0;

	if (!take_int(head, "titian_order", &version) || version != 1 ||
	    !take_text(head, "what", what, sizeof(what)) || !take_text(head, "who", o->who, sizeof(o->who)) ||
	    !take_text(head, "why", o->why, sizeof(o->why)) || !take_int(head, "time", &o->time_ms) ||
	    !take_int(head, "rows", &o->rows))
		return false;
	while (i < BUS_LEN(word) && strcmp(word[i], what) != 0)
		i++;
	o->what = (enum adapter_order_what)i;
	o->again = again && again->type == BUS_JSON_TRUE;
	if (i == BUS_LEN(word) || o->rows < 0 || o->rows > ADAPTER_ORDER_ROWS_MAX || o->who[0] == '\0')
		return false;
	return o->what != ADAPTER_UNDO ||
	       (take_int(head, "to", &o->to_ms) && take_int(head, "keys", &o->keys) &&
		take_text(head, "feed", o->feed, sizeof(o->feed)));
}

static bool is_seal(const char *line, const char *hex)
{
	static const char before[] = "{\"seal\":\"", after[] = "\"}\n";
	size_t n = sizeof(before) - 1;

	return strlen(line) == n + BUS_PSEUDONYM_LEN + sizeof(after) - 1 && memcmp(line, before, n) == 0 &&
	       bus_equal_secret(line + n, hex, BUS_PSEUDONYM_LEN) &&
	       strcmp(line + n + BUS_PSEUDONYM_LEN, after) == 0;
}

/* Reads all of it once: nothing of an order is looked at before it is known who may have written it. */
static enum bus_err check_seal(struct adapter_order_reader *r, struct bus_pseudonym *seal,
			       struct bus_error *err)
{
	struct bus_sha256_stream *sum = bus_sha256_new();
	struct bus_buf last = { 0 };
	char hex[BUS_PSEUDONYM_LEN + 1];
	bool sealed;

	while (fgets(r->line, LINE_MAX_BYTES, r->fp)) {
		bus_sha256_add(sum, last.p, last.n);
		bus_buf_reset(&last);
		bus_buf_puts(&last, r->line);
	}
	r->end = ftell(r->fp) - (long)last.n;
	seal_of(seal, &sum, hex);
	sealed = is_seal(bus_buf_cstr(&last), hex);
	bus_buf_release(&last);
	if (ferror(r->fp) || fseek(r->fp, 0, SEEK_SET) != 0)
		return bus_fail(err, BUS_EIO, "cannot read the order: %m");
	return sealed
		   ? BUS_OK
		   : bus_fail(err, BUS_EDATA,
			      "perintah rusak, tidak utuh, atau tanpa kunci adapter ini; beri perintah itu "
			      "lagi / the order is "
			      "broken, not whole, or was not given with this adapter's key; give it again");
}

enum bus_err adapter_order_open(const char *path, struct bus_pseudonym *seal,
				struct adapter_order_reader **out, struct adapter_order *o,
				struct bus_error *err)
{
	struct adapter_order_reader *r = bus_xcalloc(1, sizeof(*r));
	struct bus_json *head;
	enum bus_err rc;

	*o = (struct adapter_order){ 0 };
	r->arena = bus_arena_new((size_t)4 * LINE_MAX_BYTES);
	r->line = bus_xmalloc(LINE_MAX_BYTES);
	r->fp = bus_file_open(path);
	if (!r->fp)
		rc = bus_fail(err, errno == EACCES ? BUS_EDENIED : BUS_EIO, "cannot open the order: %m");
	else
		rc = check_seal(r, seal, err);
	if (!rc)
		rc = read_line(r, &head, err);
	if (!rc && !take_head(head, o))
		rc = broken(err);
	r->left = o->rows;
	if (rc)
		adapter_order_close(&r);
	*out = r;
	return rc;
}

void adapter_order_close(struct adapter_order_reader **rp)
{
	struct adapter_order_reader *r = *rp;

	if (!r)
		return;
	if (r->fp)
		fclose(r->fp);
	free(r->line);
	bus_arena_free(&r->arena);
	bus_buf_release(&r->cells);
	free(r);
	*rp = NULL;
}

static enum bus_err read_row(struct adapter_order_reader *r, struct adapter_order_row *row,
			     struct bus_error *err)
{
	const struct bus_json *id, *cells;
	struct bus_json *tree;
	enum bus_err rc = read_line(r, &tree, err);

	if (rc)
		return rc;
	id = bus_json_get(tree, "id");
	cells = bus_json_get(tree, "cells");
	if (!id || id->type != BUS_JSON_STRING || id->text.n == 0 || id->text.n > ADAPTER_REFUSAL_ID)
		return broken(err);
	bus_buf_reset(&r->cells);
	if (cells && (cells->type != BUS_JSON_STRING || !bus_base64_parse(cells->text, &r->cells)))
		return broken(err);
	*row = (struct adapter_order_row){ id->text, bus_buf_str(&r->cells) };
	return BUS_OK;
}

enum bus_err adapter_order_next(struct adapter_order_reader *r, struct adapter_order_row *row, int64_t *at,
				struct bus_error *err)
{
	*at = ftell(r->fp);
	if (r->left == 0) {
		/* A longer order than its first line says is not the one that was given. */
		return *at == r->end ? BUS_ENOENT : broken(err);
	}
	r->left--;
	return read_row(r, row, err);
}

enum bus_err adapter_order_at(struct adapter_order_reader *r, int64_t at, struct adapter_order_row *row,
			      struct bus_error *err)
{
	if (fseek(r->fp, at, SEEK_SET) != 0)
		return bus_fail(err, BUS_EIO, "cannot read the order: %m");
	return read_row(r, row, err);
}
