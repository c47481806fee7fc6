#include "adapters/care/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/csv.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/utf8.h"

#define ROW_MEMORY ((size_t)8 * 1024 * 1024)
#define TABLE_MEMORY ((size_t)64 * 1024 * 1024) /* of a file that comes back */
#define SEALED_MAX ((size_t)128 * 1024 * 1024)	/* of its order */
#define LINES_MAX 100000
#define COLUMNS_MAX 4096

static const struct bus_str no_text = { "", 0 };

/* ---- out ---- */

struct writing {
	struct adapter_care *care;
	const struct adapter_map *map; /* NULL: without values */
	int64_t n;
	struct bus_buf line;
};

static void put_quoted(struct bus_buf *out, struct bus_str s, const char *before)
{
	bus_buf_putc(out, '"');
	bus_buf_puts(out, s.n > 0 ? before : "");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			bus_buf_putc(out, '"');
		bus_buf_putc(out, s.p[i]);
	}
	bus_buf_putc(out, '"');
}

static const struct bus_json *open_cells(struct adapter_care *care, const struct adapter_kept *k,
					 struct bus_arena *arena, struct bus_buf *plain)
{
	char aad[ADAPTER_REFUSAL_ID + 8];
	struct bus_json *tree = NULL;

	bus_buf_reset(plain);
	if (k->sealed_cells.n == 0 ||
	    bus_open(care->conf->opd_key, adapter_refusal_cells_aad(k->id, aad), k->sealed_cells, plain,
		     NULL) ||
	    bus_json_parse(bus_buf_str(plain), NULL, arena, &tree, NULL) || tree->type != BUS_JSON_OBJECT)
		return NULL;
	return tree;
}

static void wipe(struct bus_buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	bus_buf_release(b);
}

static void put_values(struct writing *w, const struct adapter_kept *k)
{
	struct bus_arena *arena = bus_arena_new(ROW_MEMORY);
	struct bus_buf plain = { 0 };
	const struct bus_json *tree = open_cells(w->care, k, arena, &plain);
	size_t n;
	const char *const *name = adapter_map_columns(w->map, &n);

	for (size_t i = 0; i < n; i++) {
		const struct bus_json *v = tree ? bus_json_get(tree, name[i]) : NULL;

		bus_buf_putc(&w->line, ',');
		put_quoted(&w->line, v ? adapter_cells_text(v) : no_text, "'");
	}
	wipe(&plain);
	bus_arena_free(&arena);
}

static void put_line(struct writing *w)
{
	bus_buf_puts(&w->line, "\r\n");
	fwrite(w->line.p, 1, w->line.n, stdout);
	bus_buf_reset(&w->line);
}

static void put_row(struct writing *w, const struct adapter_kept *k)
{
	char *line = bus_xasprintf("%" PRId64, k->line);
	char time[32];
	const struct bus_str told[] = { k->id,
					k->feed,
					k->file,
					bus_str(line),
					k->field,
					k->class,
					k->detail,
					bus_str(bus_clock_iso_wib(k->time_ms, time, sizeof(time))),
					bus_str(adapter_row_state_name(k->state)) };

	for (size_t i = 0; i < BUS_LEN(told); i++) {
		if (i > 0)
			bus_buf_putc(&w->line, ',');
		put_quoted(&w->line, told[i], "'");
	}
	free(line);
	if (w->map)
		put_values(w, k);
	put_line(w);
}

static enum bus_err on_row(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct writing *w = ctx;
	long limit = w->care->args->limit;

	(void)err;
	if (adapter_care_chosen(w->care, k) && (limit < 0 || w->n < limit)) {
		w->n++;
		put_row(w, k);
	}
	return BUS_OK;
}

static enum bus_err find_map(const struct adapter_care *care, struct adapter_map **out, struct bus_error *err)
{
	const struct adapter_run_conf *conf = care->conf;
	const char *feed = care->args->feed;

	if (!feed || !conf->opd_key)
		return bus_fail(err, BUS_EINVAL,
				"--csv --show-personal wants --feed, and the department's key (key.opd)");
	for (size_t i = 0; i < conf->n_mappings; i++) {
		enum bus_err rc = adapter_map_load(conf->mapping[i], &conf->env, out, err);

		if (rc || strcmp(adapter_map_feed(*out), feed) == 0)
			return rc;
		adapter_map_free(out);
	}
	return bus_fail(err, BUS_EINVAL, "no mapping of this configuration has the feed '%.100s'", feed);
}

enum bus_err adapter_care_table(struct adapter_care *care, struct bus_error *err)
{
	struct writing w = { .care = care };
	struct adapter_map *map = NULL;
	size_t n = 0;
	enum bus_err rc = care->args->personal ? find_map(care, &map, err) : BUS_OK;
	const char *const *name = map ? adapter_map_columns(map, &n) : NULL;

	if (rc)
		return rc;
	w.map = map;
	if (map)
		fprintf(stderr, "titian-adapter: data pribadi pada stdout / personal data on stdout\n");
	/* The mark makes spreadsheets read it as UTF-8. */
	bus_buf_puts(&w.line,
		     "\xef\xbb\xbf#id,#umpan,#berkas,#baris,#kolom,#kelas,#keterangan,#waktu,#keadaan");
	for (size_t i = 0; i < n; i++) {
		bus_buf_putc(&w.line, ',');
		put_quoted(&w.line, bus_str(name[i]), "");
	}
	put_line(&w);
	rc = adapter_care_scan(care, false, on_row, &w, err);
	wipe(&w.line);
	adapter_map_free(&map);
	return rc;
}

/* ---- back ---- */

struct line {
	struct bus_str id;
	uint64_t number;
	struct bus_str *cell; /* as many as there are columns */
	const char *why;      /* refused; NULL */
	bool found;
	size_t sealed_at, sealed_n; /* the order's columns; n 0: nothing changes */
};

struct table {
	struct adapter_care *care;
	struct bus_arena *arena;
	struct bus_str *column;
	size_t n_columns, id_column;
	struct line *line; /* by id */
	size_t n;
	struct bus_buf sealed;
	int64_t rows;
};

/* The field's text, without the "'" before it; NULL in p: no memory left. */
static struct bus_str take_field(struct table *t, const struct adapter_csv *c, size_t i)
{
	struct bus_str raw = { c->raw.p + c->field[i].at, c->field[i].n };
	char *copy = bus_arena_dup(t->arena, raw.p, raw.n);
	size_t n = 0;

	for (size_t k = 0; copy && k < raw.n; k++) {
		copy[n++] = raw.p[k];
		if (c->field[i].doubled && raw.p[k] == '"' && k + 1 < raw.n && raw.p[k + 1] == '"')
			k++;
	}
	return copy && n > 0 && copy[0] == '\'' ? (struct bus_str){ copy + 1, n - 1 }
						: (struct bus_str){ copy, n };
}

static enum bus_err too_large(struct bus_error *err)
{
	return bus_fail(err, BUS_ETOOBIG, "--from: more than %zu MiB, or %d lines", TABLE_MEMORY >> 20,
			LINES_MAX);
}

static enum bus_err take_head(struct table *t, const struct adapter_csv *c, struct bus_error *err)
{
	if (c->too_long || c->broken || c->n > COLUMNS_MAX)
		return bus_fail(err, BUS_EINVAL, "--from: the first line does not name its columns");
	t->column = bus_arena_zalloc(t->arena, (c->n + 1) * sizeof(*t->column));
	t->id_column = SIZE_MAX;
	for (size_t i = 0; t->column && i < c->n; i++) {
		struct bus_str name = take_field(t, c, i);

		if (!name.p)
			return too_large(err);
		if (i == 0 && name.n >= 3 && memcmp(name.p, "\xef\xbb\xbf", 3) == 0)
			name = (struct bus_str){ name.p + 3, name.n - 3 };
		if (bus_str_is(name, "#id"))
			t->id_column = i;
		t->column[i] = name;
		t->n_columns++;
	}
	return t->id_column != SIZE_MAX
		   ? BUS_OK
		   : bus_fail(err, BUS_EINVAL,
			      "--from: the first line has no column #id, as list --csv writes it");
}

static enum bus_err take_line(struct table *t, const struct adapter_csv *c, struct bus_error *err)
{
	struct line l = { .number = c->line };

	if (c->n == 1 && c->field[0].n == 0)
		return BUS_OK;
	if (t->n == LINES_MAX)
		return too_large(err);
	if (c->too_long || c->broken || c->n != t->n_columns)
		l.why = "jumlah kolom atau tanda kutip salah / columns or quotes do not fit";
	else if (bus_utf8_ok(c->raw.p, c->raw.n) != c->raw.n)
		l.why = "bukan UTF-8; simpan sebagai CSV UTF-8 / not UTF-8; save it as CSV UTF-8";
	l.cell = bus_arena_zalloc(t->arena, (t->n_columns + 1) * sizeof(*l.cell));
	for (size_t i = 0; i < t->n_columns && l.cell && !l.why; i++) {
		l.cell[i] = take_field(t, c, i);
		if (!l.cell[i].p)
			return too_large(err);
	}
	if (!l.cell)
		return too_large(err);
	l.id = l.why ? no_text : l.cell[t->id_column];
	if (t->n % 1024 == 0)
		t->line = bus_xrealloc(t->line, (t->n + 1024) * sizeof(l));
	t->line[t->n++] = l;
	return BUS_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;
	int order = n > 0 ? memcmp(x->id.p, y->id.p, n) : 0;

	if (order != 0)
		return order;
	if (x->id.n != y->id.n)
		return x->id.n < y->id.n ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static enum bus_err read_with(struct table *t, const char *path, char separator, bool *other,
			      struct bus_error *err)
{
	struct adapter_input *in = NULL;
	struct adapter_csv c;
	enum bus_err rc = adapter_input_open(path, &in, err);

	*other = false;
	if (rc)
		return rc;
	adapter_csv_init(&c, in, separator, '"');
	adapter_csv_limit(&c, COLUMNS_MAX);
	rc = adapter_csv_next(&c, err);
	if (rc == BUS_ENOENT)
		rc = bus_fail(err, BUS_EINVAL, "--from: the file is empty");
	*other = !rc && c.n == 1 && c.raw.n > 0 && memchr(c.raw.p, ';', c.raw.n);
	if (!rc && !*other)
		rc = take_head(t, &c, err);
	while (!rc && !*other && !(rc = adapter_csv_next(&c, err)))
		rc = take_line(t, &c, err);
	adapter_csv_release(&c);
	adapter_input_close(&in);
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

static enum bus_err read_table(struct table *t, const char *path, struct bus_error *err)
{
	bool other;
	enum bus_err rc = read_with(t, path, ',', &other, err);

	if (!rc && other)
		rc = read_with(t, path, ';', &other, err);
	if (t->n > 0)
		qsort(t->line, t->n, sizeof(*t->line), by_id);
	for (size_t i = 1; i < t->n; i++)
		if (!t->line[i].why && bus_str_eq(t->line[i].id, t->line[i - 1].id))
			t->line[i].why = "#id ini ada dua kali / this #id stands twice";
	return rc;
}

/* The first line of this row; NULL: none. */
static struct line *find_line(struct table *t, struct bus_str id)
{
	const struct line key = { .id = id };
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (by_id(&t->line[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->n && bus_str_eq(t->line[low].id, id) ? &t->line[low] : NULL;
}

/* What differs from what was kept. l->why: a column that was not. */
static size_t compare(const struct table *t, const struct bus_json *tree, struct line *l,
		      struct adapter_cell_change *change)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		const struct bus_json *v = NULL;

		if (t->column[i].n > 0 && t->column[i].p[0] == '#')
			continue;
		for (const struct bus_json *m = tree->first; m && !v; m = m->next)
			v = bus_str_eq(m->name, t->column[i]) ? m : NULL;
		if (bus_str_eq(v ? adapter_cells_text(v) : no_text, l->cell[i]))
			continue;
		if (!v)
			l->why = "kolom yang tidak tersimpan dari baris ini / a column that was not kept of "
				 "this row";
		change[n++] = (struct adapter_cell_change){ t->column[i], l->cell[i] };
	}
	return n;
}

static enum bus_err mend_line(struct table *t, struct line *l, const struct adapter_kept *k,
			      struct bus_error *err)
{
	char aad[ADAPTER_REFUSAL_ID + 8];
	struct bus_arena *arena = bus_arena_new(ROW_MEMORY);
	struct bus_buf plain = { 0 }, mended = { 0 };
	struct adapter_cell_change *change = bus_xcalloc(t->n_columns + 1, sizeof(*change));
	const struct bus_json *tree = open_cells(t->care, k, arena, &plain);
	size_t n = 0, at = t->sealed.n;
	enum bus_err rc = BUS_OK;

	l->why = tree ? NULL : "tidak terbuka dengan kunci ini / not opened by this key";
	if (tree)
		n = compare(t, tree, l, change);
	if (n > 0 && !l->why)
		rc = adapter_cells_change(bus_buf_str(&plain), change, n, arena, &mended, err);
	if (!rc && mended.n > ADAPTER_SEALED_MAX)
		l->why = "isinya terlalu besar / its columns are too large";
	if (!rc && n > 0 && !l->why) {
		rc = bus_seal(t->care->conf->opd_key, adapter_refusal_cells_aad(k->id, aad),
			      bus_buf_str(&mended), &t->sealed, err);
		l->sealed_at = at;
		l->sealed_n = t->sealed.n - at;
		t->rows++;
	}
	if (!rc && t->sealed.n > SEALED_MAX)
		rc = too_large(err);
	free(change);
	wipe(&mended);
	wipe(&plain);
	bus_arena_free(&arena);
	return rc;
}

static enum bus_err on_kept(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct table *t = ctx;
	struct line *l = find_line(t, k->id);

	if (!l || l->why || k->state != ADAPTER_ROW_OPEN)
		return BUS_OK;
	l->found = true;
	return mend_line(t, l, k, err);
}

static enum bus_err send(struct table *t, char *name, struct bus_error *err)
{
	const struct adapter_run_conf *conf = t->care->conf;
	struct adapter_order order = { .what = t->care->args->redrive ? ADAPTER_REDRIVE : ADAPTER_MEND,
				       .rows = t->rows };
	struct adapter_order_writer *w = NULL;
	enum bus_err rc;

	adapter_care_sign(t->care->args, &order);
	rc = adapter_order_begin(conf->drop.dir, conf->env.city_key, &order, &w, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < t->n; i++) {
		const struct line *l = &t->line[i];
		const struct adapter_order_row row = { l->id, { t->sealed.p + l->sealed_at, l->sealed_n } };

		if (l->sealed_n > 0)
			adapter_order_put(w, &row);
	}
	return adapter_order_send(&w, name, err);
}

static bool tell_refused(const struct table *t, const char *path)
{
	bool any = false;

	for (size_t i = 0; i < t->n; i++) {
		const struct line *l = &t->line[i];
		const char *why = l->why;

		if (!why && !l->found)
			why = "tidak ada baris terbuka dengan #id ini / no open row has this #id";
		if (!why)
			continue;
		printf("%s:%" PRIu64 ": %s\n", path, l->number, why);
		any = true;
	}
	return any;
}

static enum bus_err give(struct table *t, const char *path, int *status, struct bus_error *err)
{
	const struct adapter_care_args *a = t->care->args;
	bool refused = tell_refused(t, path);
	char name[256];
	enum bus_err rc = BUS_OK;

	if (t->rows == 0 || a->dry_run)
		printf("%" PRId64
		       " baris berubah / rows change; tidak ada yang dilakukan / nothing was done\n",
		       t->rows);
	else
		rc = send(t, name, err);
	if (!rc && t->rows > 0 && !a->dry_run)
		rc = adapter_care_await(t->care->conf, name, a->wait_s, status, err);
	if (refused && *status == 0)
		*status = 1;
	return rc;
}

enum bus_err adapter_care_from(struct adapter_care *care, const char *path, int *status,
			       struct bus_error *err)
{
	struct table t = { .care = care, .arena = bus_arena_new(TABLE_MEMORY) };
	enum bus_err rc = BUS_OK;

	if (!care->conf->opd_key)
		rc = bus_fail(err, BUS_EINVAL, "mend wants the department's key (key.opd)");
	if (!rc && (care->args->n_operands > 0 || care->args->n_set > 0))
		rc = bus_fail(err, BUS_EINVAL, "--from names the rows and columns itself");
	if (!rc)
		rc = read_table(&t, path, err);
	if (!rc)
		rc = adapter_care_scan(care, false, on_kept, &t, err);
	if (!rc)
		rc = give(&t, path, status, err);
	free(t.line);
	bus_buf_release(&t.sealed);
	bus_arena_free(&t.arena);
	return rc;
}
