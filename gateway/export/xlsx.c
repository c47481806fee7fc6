/* XLSX through libxlsxwriter, in its mode of constant memory: the rows, and beside them a sheet that says what they
 * are. The library writes a file of its own, which is handed on at the end. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "bus/crypto.h"
#include "gateway/export/file.h"
#include "gateway/export/xlsx_book.h"

#define ROWS_MAX 1048575	     /* of a sheet, below its header */
#define CELL_MAX 32767		     /* characters; a cell's limit */
#define EXACT_MAX (INT64_C(1) << 53) /* numbers are doubles: beyond, digits are text */
#define CHUNK ((size_t)256 * 1024)

struct xlsx {
	const struct gw_params *params;
	struct gw_sink sink;
	char *path, *folder;
	lxw_workbook *book;
	lxw_worksheet *rows;
	lxw_row_t row;
	struct bus_buf text, clean;
};

static enum bus_err failed(lxw_error e, struct bus_error *err)
{
	return bus_fail(err, e == LXW_ERROR_MEMORY_MALLOC_FAILED ? BUS_EFULL : BUS_EIO,
			"cannot write the sheet: %s", lxw_strerror(e));
}

/* NUL ends the library's strings; a text too long would be left out by it without a word. */
static enum bus_err put_text(struct xlsx *x, lxw_worksheet *sheet, lxw_row_t row, size_t column,
			     struct bus_str s, const char *name, struct bus_error *err)
{
	struct bus_str clean = gw_cell_text(s, true, &x->clean);
	size_t characters = 0;
	lxw_error e;

	for (size_t i = 0; i < clean.n; i++) /* as Excel counts: UTF-16 */
		characters += ((unsigned char)clean.p[i] >> 6 != 2) + ((unsigned char)clean.p[i] >> 3 == 30);
	if (characters > CELL_MAX)
		return bus_fail(err, BUS_EDATA,
				"column '%s' holds a text of more than %d characters, a cell's limit", name,
				CELL_MAX);
	if (clean.n == 0)
		return BUS_OK;
	bus_buf_reset(&x->text);
	bus_buf_put(&x->text, clean.p, clean.n);
	e = worksheet_write_string(sheet, row, (lxw_col_t)column, bus_buf_cstr(&x->text), NULL);
	return e == LXW_NO_ERROR ? BUS_OK : failed(e, err);
}

static enum bus_err put_line(struct xlsx *x, lxw_worksheet *sheet, lxw_row_t row, const char *const *text,
			     size_t n, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < n && rc == BUS_OK; i++)
		if (text[i])
			rc = put_text(x, sheet, row, i, bus_str(text[i]), "dictionary", err);
	return rc;
}

/* The second sheet: what the columns mean, whose the rows are, when they were read, how they go on. */
static enum bus_err put_dictionary(struct xlsx *x, const struct gw_sheet *s, struct bus_error *err)
{
	static const char *const head[] = { "kolom / column", "judul",	       "title",
					    "jenis / type",   "satuan / unit", "kelas PDP / class",
					    "keterangan",     "about" };
	const struct gw_view *v = s->params->view;
	const char *const about[][3] = {
		{ "tayangan / view", v->name, NULL },
		{ "judul / title", v->title_id, v->title_en },
		{ "sumber / source", v->owner, NULL },
		{ "dasar / basis", v->basis, NULL },
		{ "per tanggal / of the day", s->params->query.date, NULL },
		{ "dibaca / as of", s->as_of, NULL },
		{ "kursor / cursor", s->cursor, NULL },
	};
	lxw_worksheet *sheet = workbook_add_worksheet(x->book, "Kamus");
	lxw_row_t row = 0;
	enum bus_err rc;

	if (!sheet)
		return failed(LXW_ERROR_MEMORY_MALLOC_FAILED, err);
	worksheet_set_column(sheet, 0, (lxw_col_t)(BUS_LEN(head) - 1), 24, NULL);
	rc = put_line(x, sheet, row++, head, BUS_LEN(head), err);
	for (size_t i = 0; i < s->params->n_columns && rc == BUS_OK; i++) {
		const struct gw_column *c = &v->column[s->params->column[i]];
		const char pdp[2] = { c->pdp, 0 };
		const char *const line[] = { s->params->name[i],
					     c->title_id,
					     c->title_en,
					     gw_column_type_name(c->type),
					     c->unit,
					     pdp,
					     c->about_id,
					     c->about_en };

		rc = put_line(x, sheet, row++, line, BUS_LEN(line), err);
	}
	row++;
	for (size_t i = 0; i < BUS_LEN(about) && rc == BUS_OK; i++)
		if (about[i][1])
			rc = put_line(x, sheet, row++, about[i], 3, err);
	return rc;
}

static lxw_error close_book(struct xlsx *x)
{
	lxw_error e;

	pthread_mutex_lock(&gw_xlsx_closing);
	e = workbook_close(x->book);
	pthread_mutex_unlock(&gw_xlsx_closing);
	x->book = NULL;
	return e;
}

static void xlsx_free(void *w)
{
	struct xlsx *x = w;

	/* The library frees a book by writing it; of one that is not wanted the file goes at once. */
	if (x->book)
		close_book(x);
	if (x->path)
		unlink(x->path);
	free(x->path);
	free(x->folder);
	bus_buf_release(&x->text);
	bus_buf_release(&x->clean);
	free(x);
}

static enum bus_err xlsx_open(const struct gw_sheet *s, const struct gw_sink *sink, void **out,
			      struct bus_error *err)
{
	struct xlsx *x = bus_xcalloc(1, sizeof(*x));
	lxw_workbook_options options = { .constant_memory = LXW_TRUE, .use_zip64 = LXW_TRUE };
	enum bus_err rc = BUS_OK;
	uint8_t chance[8];
	char hex[17];

	bus_random(chance, sizeof(chance));
	bus_hex(chance, sizeof(chance), hex);
	x->params = s->params;
	x->sink = *sink;
	x->path = bus_xasprintf("%s/%s.xlsx.part", s->folder, hex);
	options.tmpdir = x->folder = bus_xstrdup(s->folder);
	x->book = workbook_new_opt(x->path, &options);
	x->rows = x->book ? workbook_add_worksheet(x->book, "Data") : NULL;
	if (!x->rows)
		rc = failed(LXW_ERROR_MEMORY_MALLOC_FAILED, err);
	else
		worksheet_freeze_panes(x->rows, 1, 0);
	for (size_t i = 0; i < s->params->n_columns && rc == BUS_OK; i++)
		rc = put_text(x, x->rows, 0, i, bus_str(s->params->name[i]), "header", err);
	if (rc == BUS_OK)
		rc = put_dictionary(x, s, err);
	if (rc != BUS_OK) {
		xlsx_free(x);
		x = NULL;
	}
	*out = x;
	return rc;
}

static enum bus_err put_cell(struct xlsx *x, const struct gw_column *c, size_t i, const struct gw_value *v,
			     struct bus_error *err)
{
	lxw_error e = LXW_NO_ERROR;
	char digits[32];

	if (v->type == GW_TEXT || v->type == GW_JSON)
		return put_text(x, x->rows, x->row, i, v->s, c->name, err);
	if (v->type == GW_INT && (v->i > EXACT_MAX || v->i < -EXACT_MAX)) {
		snprintf(digits, sizeof(digits), "%lld", (long long)v->i);
		return put_text(x, x->rows, x->row, i, bus_str(digits), c->name, err);
	}
	if (v->type == GW_INT)
		e = worksheet_write_number(x->rows, x->row, (lxw_col_t)i, (double)v->i, NULL);
	else if (v->type == GW_REAL)
		e = worksheet_write_number(x->rows, x->row, (lxw_col_t)i, v->r, NULL);
	else if (v->type == GW_BOOL)
		e = worksheet_write_boolean(x->rows, x->row, (lxw_col_t)i, v->i != 0, NULL);
	return e == LXW_NO_ERROR ? BUS_OK : failed(e, err);
}

static enum bus_err xlsx_row(void *w, const struct gw_value *value, struct bus_error *err)
{
	struct xlsx *x = w;
	enum bus_err rc = BUS_OK;

	if (x->row == ROWS_MAX)
		return bus_fail(err, BUS_ETOOBIG, "a sheet ends after %d rows", ROWS_MAX);
	x->row++;
	for (size_t i = 0; i < x->params->n_columns && rc == BUS_OK; i++)
		rc = put_cell(x, &x->params->view->column[x->params->column[i]], i,
			      gw_cell(x->params, value, i), err);
	return rc;
}

static enum bus_err hand_on(struct xlsx *x, struct bus_error *err)
{
	int fd = open(x->path, O_RDONLY | O_CLOEXEC);
	char *chunk = bus_xmalloc(CHUNK);
	enum bus_err rc = BUS_OK;
	ssize_t n = 0;

	if (fd < 0)
		rc = bus_fail(err, BUS_EIO, "cannot read the sheet: %m");
	while (rc == BUS_OK && (n = read(fd, chunk, CHUNK)) > 0)
		rc = x->sink.put(x->sink.ctx, chunk, (size_t)n, err);
	if (rc == BUS_OK && n < 0)
		rc = bus_fail(err, BUS_EIO, "cannot read the sheet: %m");
	if (fd >= 0)
		close(fd);
	free(chunk);
	return rc;
}

static enum bus_err xlsx_end(void *w, struct bus_error *err)
{
	struct xlsx *x = w;
	lxw_error e = close_book(x);

	if (e != LXW_NO_ERROR)
		return failed(e, err);
	return hand_on(x, err);
}

const struct gw_file_kind gw_file_xlsx = {
	.name = "xlsx",
	.suffix = "xlsx",
	.type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	.rows_max = ROWS_MAX,
	.open = xlsx_open,
	.row = xlsx_row,
	.end = xlsx_end,
	.free = xlsx_free,
};
