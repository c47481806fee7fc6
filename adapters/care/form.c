#include "adapters/care/form.h"

#include <stdlib.h>

#include "adapters/csv.h"
#include "bus/utf8.h"

#define FORM_MEMORY ((size_t)64 * 1024 * 1024)
#define LINES_MAX 100000
#define COLUMNS_MAX 4096

/* ---- out ---- */

/* Were a cell to begin after s.p[at], it would be a formula: quotes do not change that. */
static bool formula_after(struct bus_str s, size_t at)
{
	if (!memchr(";\t\r\n", s.p[at], 4))
		return false;
	do
		at++;
	while (at < s.n && (s.p[at] == '\'' || s.p[at] == '"'));
	return at < s.n && memchr("=+-@", s.p[at], 4);
}

static void put_quoted(struct bus_buf *out, struct bus_str s, bool mark)
{
	bus_buf_puts(out, mark ? "\"'" : "\"");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			bus_buf_putc(out, '"');
		bus_buf_putc(out, s.p[i]);
		if (formula_after(s, i))
			bus_buf_putc(out, '\'');
	}
	bus_buf_putc(out, '"');
}

void adapter_form_put(struct bus_buf *out, struct bus_str value)
{
	put_quoted(out, value, value.n > 0);
}

void adapter_form_put_name(struct bus_buf *out, struct bus_str column)
{
	put_quoted(out, column, column.n > 0 && memchr("=+-@\t\r\n#'", column.p[0], 9));
}

/* ---- back ---- */

/* As it was given to put_quoted; NULL in p: no memory left. */
static struct bus_str take_field(struct adapter_form *t, const struct adapter_csv *c, size_t i)
{
	struct bus_str raw = { c->raw.p + c->field[i].at, c->field[i].n };
	char *copy = bus_arena_dup(t->arena, raw.p, raw.n);
	struct bus_str text = { copy, 0 };
	size_t n = 0;

	if (!copy)
		return text;
	for (size_t k = 0; k < raw.n; k++) {
		copy[text.n++] = raw.p[k];
		if (c->field[i].doubled && raw.p[k] == '"' && k + 1 < raw.n && raw.p[k + 1] == '"')
			k++;
	}
	for (size_t k = text.n > 0 && copy[0] == '\''; k < text.n; k++) {
		bool marked = k + 1 < text.n && copy[k + 1] == '\'' && formula_after(text, k);

		copy[n++] = copy[k];
		k += marked;
	}
	return (struct bus_str){ copy, n };
}

static enum bus_err too_large(struct bus_error *err)
{
	return bus_fail(err, BUS_ETOOBIG, "--from: more than %zu MiB, or %d lines", FORM_MEMORY >> 20,
			LINES_MAX);
}

static enum bus_err take_head(struct adapter_form *t, const struct adapter_csv *c, size_t *id_column,
			      struct bus_error *err)
{
	bool any = false;

	if (c->too_long || c->broken || c->n > COLUMNS_MAX)
		return bus_fail(err, BUS_EINVAL, "--from: the first line does not name its columns");
	t->n_columns = 0;
	t->column = bus_arena_zalloc(t->arena, (c->n + 1) * sizeof(*t->column));
	for (size_t i = 0; t->column && i < c->n; i++) {
		bool ours = c->field[i].n > 0 && c->raw.p[c->field[i].at] == '#';
		struct bus_str name = take_field(t, c, i);

		if (!name.p)
			return too_large(err);
		if (ours && !any && bus_str_is(name, "#id")) {
			*id_column = i;
			any = true;
		}
		t->column[i] = ours ? (struct bus_str){ 0 } : name;
		t->n_columns++;
	}
	return any ? BUS_OK
		   : bus_fail(err, BUS_EINVAL,
			      "--from: the first line has no column #id, as list --csv writes it");
}

static enum bus_err take_line(struct adapter_form *t, const struct adapter_csv *c, size_t id_column,
			      struct bus_error *err)
{
	struct adapter_form_line l = { .number = c->line, .id = { "", 0 } };

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
	if (!l.why)
		l.id = l.cell[id_column];
	if (t->n % 1024 == 0)
		t->line = bus_xrealloc(t->line, (t->n + 1024) * sizeof(l));
	t->line[t->n++] = l;
	return BUS_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct adapter_form_line *x = a, *y = b;
	size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;
	int order = n > 0 ? memcmp(x->id.p, y->id.p, n) : 0;

	if (order != 0)
		return order;
	if (x->id.n != y->id.n)
		return x->id.n < y->id.n ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* *headed: the first line is one of ours, so separated. */
static enum bus_err read_with(struct adapter_form *t, const char *path, char separator, bool *headed,
			      struct bus_error *err)
{
	struct adapter_input *in = NULL;
	struct adapter_csv c;
	struct bus_str mark;
	size_t id_column = 0;
	enum bus_err rc = adapter_input_open(path, &in, err);

	*headed = false;
	if (rc)
		return rc;
	adapter_csv_init(&c, in, separator, '"');
	adapter_csv_limit(&c, COLUMNS_MAX);
	rc = adapter_input_peek(in, 3, &mark, err);
	if (!rc && bus_str_is(mark, "\xef\xbb\xbf"))
		adapter_input_skip(in, 3);
	if (!rc)
		rc = adapter_csv_next(&c, err);
	if (rc == BUS_ENOENT)
		rc = bus_fail(err, BUS_EINVAL, "--from: the file is empty");
	if (!rc)
		rc = take_head(t, &c, &id_column, err);
	*headed = !rc;
	while (!rc && !(rc = adapter_csv_next(&c, err)))
		rc = take_line(t, &c, id_column, err);
	adapter_csv_release(&c);
	adapter_input_close(&in);
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

enum bus_err adapter_form_read(const char *path, struct adapter_form *out, struct bus_error *err)
{
	bool headed;
	enum bus_err rc;

	*out = (struct adapter_form){ .arena = bus_arena_new(FORM_MEMORY) };
	rc = read_with(out, path, ',', &headed, err);
	if (rc == BUS_EINVAL && !headed)
		rc = read_with(out, path, ';', &headed, err);
	if (out->n > 0)
		qsort(out->line, out->n, sizeof(*out->line), by_id);
	for (size_t i = 1; i < out->n; i++)
		if (!out->line[i].why && bus_str_eq(out->line[i].id, out->line[i - 1].id))
			out->line[i].why = "#id ini ada dua kali / this #id stands twice";
	return rc;
}

struct adapter_form_line *adapter_form_find(struct adapter_form *f, struct bus_str id)
{
	const struct adapter_form_line key = { .id = id };
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (by_id(&f->line[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->n && bus_str_eq(f->line[low].id, id) ? &f->line[low] : NULL;
}

void adapter_form_release(struct adapter_form *f)
{
	free(f->line);
	bus_arena_free(&f->arena);
	*f = (struct adapter_form){ 0 };
}
