#include "adapters/care/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/care/form.h"
#include "bus/clock.h"
#include "bus/crypto.h"

#define ROW_MEMORY ((size_t)8 * 1024 * 1024)
#define SEALED_MAX ((size_t)128 * 1024 * 1024) /* of its order */

static const struct bus_str no_text = { "", 0 };

/* ---- out ---- */

struct writing {
	struct adapter_care *care;
	const struct adapter_map *map; /* NULL: without values */
	int64_t n;
	struct bus_buf line;
};

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
		adapter_form_put(&w->line, v ? adapter_cells_text(v) : no_text);
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
		adapter_form_put(&w->line, told[i]);
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

enum bus_err adapter_care_table(struct adapter_care *care, struct bus_error *err)
{
	struct writing w = { .care = care };
	struct adapter_map *loaded = NULL;
	size_t n = 0;
	enum bus_err rc = BUS_OK;
	const char *const *name;

	if (care->args->personal && (!care->args->feed || !care->conf->opd_key))
		return bus_fail(err, BUS_EINVAL,
				"--csv --show-personal wants --feed, and the department's key (key.opd)");
	if (care->args->personal)
		rc = adapter_care_map(care, bus_str(care->args->feed), &loaded, &w.map, err);
	if (rc) {
		adapter_map_free(&loaded);
		return rc;
	}
	name = w.map ? adapter_map_columns(w.map, &n) : NULL;
	if (w.map)
		fprintf(stderr, "titian-adapter: data pribadi pada stdout / personal data on stdout\n");
	/* The mark makes spreadsheets read it as UTF-8. */
	bus_buf_puts(&w.line,
		     "\xef\xbb\xbf#id,#umpan,#berkas,#baris,#kolom,#kelas,#keterangan,#waktu,#keadaan");
	for (size_t i = 0; i < n; i++) {
		bus_buf_putc(&w.line, ',');
		adapter_form_put_name(&w.line, bus_str(name[i]));
	}
	put_line(&w);
	rc = adapter_care_scan(care, false, on_row, &w, err);
	wipe(&w.line);
	adapter_map_free(&loaded);
	return rc;
}

/* ---- back ---- */

struct table {
	struct adapter_care *care;
	struct adapter_form form;
	struct bus_buf sealed; /* the orders' columns */
	int64_t rows;
};

/* What differs from what was kept. l->why: a column that was not. */
static size_t compare(const struct table *t, const struct bus_json *tree, struct adapter_form_line *l,
		      struct adapter_cell_change *change)
{
	size_t n = 0;

	for (size_t i = 0; i < t->form.n_columns; i++) {
		const struct bus_json *v = NULL;

		if (!t->form.column[i].p)
			continue;
		for (const struct bus_json *m = tree->first; m && !v; m = m->next)
			v = bus_str_eq(m->name, t->form.column[i]) ? m : NULL;
		if (bus_str_eq(v ? adapter_cells_text(v) : no_text, l->cell[i]))
			continue;
		if (!v)
			l->why = "kolom yang tidak tersimpan dari baris ini / a column that was not kept of "
				 "this row";
		change[n++] = (struct adapter_cell_change){ t->form.column[i], l->cell[i] };
	}
	return n;
}

static enum bus_err mend_line(struct table *t, struct adapter_form_line *l, const struct adapter_kept *k,
			      struct bus_error *err)
{
	char aad[ADAPTER_REFUSAL_ID + 8];
	struct bus_arena *arena = bus_arena_new(ROW_MEMORY);
	struct bus_buf plain = { 0 }, mended = { 0 };
	struct adapter_cell_change *change = bus_xcalloc(t->form.n_columns + 1, sizeof(*change));
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
		rc = bus_fail(err, BUS_ETOOBIG, "--from: the order would be over %zu MiB", SEALED_MAX >> 20);
	free(change);
	wipe(&mended);
	wipe(&plain);
	bus_arena_free(&arena);
	return rc;
}

static enum bus_err on_kept(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct table *t = ctx;
	struct adapter_form_line *l = adapter_form_find(&t->form, k->id);

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
	for (size_t i = 0; i < t->form.n; i++) {
		const struct adapter_form_line *l = &t->form.line[i];
		const struct adapter_order_row row = { l->id, { t->sealed.p + l->sealed_at, l->sealed_n } };

		if (l->sealed_n > 0)
			adapter_order_put(w, &row);
	}
	return adapter_order_send(&w, name, err);
}

static bool tell_refused(const struct table *t, const char *path)
{
	bool any = false;

	for (size_t i = 0; i < t->form.n; i++) {
		const struct adapter_form_line *l = &t->form.line[i];
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
	struct table t = { .care = care };
	enum bus_err rc = BUS_OK;

	if (!care->conf->opd_key)
		rc = bus_fail(err, BUS_EINVAL, "mend wants the department's key (key.opd)");
	if (!rc && (care->args->n_operands > 0 || care->args->n_set > 0))
		rc = bus_fail(err, BUS_EINVAL, "--from names the rows and columns itself");
	if (!rc)
		rc = adapter_form_read(path, &t.form, err);
	if (!rc)
		rc = adapter_care_scan(care, false, on_kept, &t, err);
	if (!rc)
		rc = give(&t, path, status, err);
	adapter_form_release(&t.form);
	bus_buf_release(&t.sealed);
	return rc;
}
