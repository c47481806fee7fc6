#include "adapters/xlsx_sheet.h"

#include "adapters/xml.h"

#define PART_MAX ((uint64_t)16 * 1024 * 1024 * 1024)

enum cell_type { CELL_NUMBER, CELL_SHARED, CELL_INLINE, CELL_STRING, CELL_BOOLEAN, CELL_ERROR, CELL_DATE };

struct adapter_xlsx_sheet {
	struct adapter_part *part;
	struct adapter_xml *xml;
	const struct adapter_xlsx_book *book;
	struct adapter_xlsx_strings *strings;

	uint32_t row; /* the last one begun */
	struct adapter_sheet_cell *cell;
	size_t n, cap;
	struct bus_buf text;  /* of the row's cells */
	struct bus_buf value; /* of the cell in hand */
	bool in_data, in_row, in_cell, too_long;

	uint32_t column;
	enum cell_type type;
	uint32_t style;
	bool formula, stored; /* the cell has a formula; a value */
	int in_value, in_phonetic;
	enum bus_err rc; /* of a handler */
	struct bus_error err;
};

/* ---- one cell ---- */

static enum cell_type type_of(const char *t)
{
	static const struct {
		const char *name;
		enum cell_type type;
	} types[] = {
		{ "n", CELL_NUMBER },	{ "s", CELL_SHARED },  { "inlineStr", CELL_INLINE },
		{ "str", CELL_STRING }, { "b", CELL_BOOLEAN }, { "e", CELL_ERROR },
		{ "d", CELL_DATE },
	};

	for (size_t i = 0; t && i < BUS_LEN(types); i++)
		if (strcmp(t, types[i].name) == 0)
			return types[i].type;
	return CELL_NUMBER;
}

static void broken(struct adapter_cell *c, enum adapter_broken why)
{
	c->kind = ADAPTER_BROKEN;
	c->broken = why;
}

static void take_number(struct adapter_xlsx_sheet *s, struct adapter_cell *c, struct bus_str v)
{
	enum adapter_xlsx_format format =
	    s->style < s->book->n_formats ? s->book->format[s->style] : ADAPTER_XLSX_NUMBER;

	c->kind = ADAPTER_TEXT;
	if (format != ADAPTER_XLSX_NUMBER) {
		if (!adapter_xlsx_date(v, format, s->book->from_1904, &s->text))
			broken(c, ADAPTER_CELL_NO_DAY);
		return;
	}
	c->kind = ADAPTER_NUMBER;
	if (!adapter_xlsx_decimal(v, &s->text, &c->rounded))
		broken(c, ADAPTER_CELL_UNREADABLE);
}

static enum bus_err take_shared(struct adapter_xlsx_sheet *s, struct adapter_cell *c, struct bus_str v)
{
	uint64_t i = 0;
	enum bus_err rc = BUS_ENOENT;

	c->kind = ADAPTER_TEXT;
	for (size_t k = 0; k < v.n; k++) {
		if (v.p[k] < '0' || v.p[k] > '9' || k > 15) {
			broken(c, ADAPTER_CELL_UNREADABLE);
			return BUS_OK;
		}
		i = i * 10 + (uint64_t)(v.p[k] - '0');
	}
	if (s->strings && v.n > 0)
		rc = adapter_xlsx_strings_get(s->strings, i, &s->text, &s->err);
	if (rc != BUS_ENOENT)
		return rc;
	broken(c, ADAPTER_CELL_UNREADABLE);
	return BUS_OK;
}

static struct bus_str without_spaces(struct bus_str v)
{
	while (v.n > 0 && (unsigned char)v.p[0] <= ' ')
		v = (struct bus_str){ v.p + 1, v.n - 1 };
	while (v.n > 0 && (unsigned char)v.p[v.n - 1] <= ' ')
		v.n--;
	return v;
}

/* What the cell says, as text appended to the row's. */
static enum bus_err take_value(struct adapter_xlsx_sheet *s, struct adapter_cell *c)
{
	struct bus_str v = bus_buf_str(&s->value), bare = without_spaces(v);

	if (s->formula && (!s->stored || (bare.n == 0 && s->type != CELL_STRING))) {
		broken(c, ADAPTER_CELL_NO_RESULT);
		return BUS_OK;
	}
	c->kind = ADAPTER_TEXT;
	switch (s->type) {
	case CELL_NUMBER:
		take_number(s, c, bare);
		break;
	case CELL_SHARED:
		return take_shared(s, c, bare);
	case CELL_INLINE:
	case CELL_STRING:
		adapter_xlsx_unescape(v, &s->text);
		break;
	case CELL_BOOLEAN:
		if (bus_str_is(bare, "1") || bus_str_is(bare, "true"))
			bus_buf_puts(&s->text, "true");
		else if (bus_str_is(bare, "0") || bus_str_is(bare, "false"))
			bus_buf_puts(&s->text, "false");
		else
			broken(c, ADAPTER_CELL_UNREADABLE);
		break;
	case CELL_ERROR:
		broken(c, ADAPTER_CELL_ERROR);
		break;
	case CELL_DATE: /* ISO 8601 already; a date alone may be written as its midnight */
		if (bare.n > 10 && memcmp(bare.p + 10, "T00:00:00", bare.n - 10 < 9 ? bare.n - 10 : 9) == 0 &&
		    s->style < s->book->n_formats && s->book->format[s->style] == ADAPTER_XLSX_DATE)
			bare.n = 10;
		bus_buf_put(&s->text, bare.p, bare.n);
		break;
	}
	return BUS_OK;
}

static void fail(struct adapter_xlsx_sheet *s, enum bus_err rc)
{
	s->rc = rc;
	adapter_xml_fail(s->xml, "%s", s->err.text);
}

static void end_cell(struct adapter_xlsx_sheet *s)
{
	struct adapter_sheet_cell *c;
	size_t at = s->text.n;
	enum bus_err rc;

	s->in_cell = false;
	if (s->too_long || (!s->formula && s->value.n == 0))
		return;
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->cell = bus_xrealloc(s->cell, s->cap * sizeof(*s->cell));
	}
	c = &s->cell[s->n];
	*c = (struct adapter_sheet_cell){ .column = s->column };
	rc = take_value(s, &c->cell);
	if (rc != BUS_OK) {
		fail(s, rc);
		return;
	}
	c->cell.text =
	    (struct bus_str){ NULL, s->text.n - at }; /* its place is known when the row is whole */
	if (s->text.n > ADAPTER_ROW_MAX)
		s->too_long = true;
	else if (c->cell.text.n > 0 || c->cell.kind == ADAPTER_BROKEN)
		s->n++;
}

/* ---- elements ---- */

static void start_row(struct adapter_xlsx_sheet *s, const char **atts)
{
	const char *r = adapter_xml_att(atts, "r");
	uint32_t number = s->row + 1;

	if (r) {
		uint32_t none = 0;

		number = 0;
		if (!adapter_sheet_place(r, &none, &number))
			number = 0;
	}
	if (number <= s->row || number > ADAPTER_SHEET_ROWS) {
		adapter_xml_fail(
		    s->xml,
		    "lembar rusak: nomor baris setelah %u salah / the sheet is damaged: the row number "
		    "after %u is wrong",
		    s->row, s->row);
		return;
	}
	s->row = number;
	s->n = 0;
	s->column = UINT32_MAX;
	s->too_long = false;
	bus_buf_reset(&s->text);
	s->in_row = true;
}

static void start_cell(struct adapter_xlsx_sheet *s, const char **atts)
{
	const char *r = adapter_xml_att(atts, "r"), *style = adapter_xml_att(atts, "s");
	uint32_t column = s->column + 1, row = s->row;

	if (r && !adapter_sheet_place(r, &column, &row))
		column = UINT32_MAX;
	if (column >= ADAPTER_SHEET_COLUMNS || row != s->row ||
	    (s->column != UINT32_MAX && column <= s->column)) {
		adapter_xml_fail(
		    s->xml,
		    "lembar rusak: sel baris %u tidak berurutan / the sheet is damaged: cells of row %u "
		    "are out of order",
		    s->row, s->row);
		return;
	}
	s->column = column;
	s->type = type_of(adapter_xml_att(atts, "t"));
	s->style = style ? (uint32_t)strtoul(style, NULL, 10) : 0;
	s->formula = s->stored = false;
	s->in_value = s->in_phonetic = 0;
	s->in_cell = true;
	bus_buf_reset(&s->value);
}

static void on_start(void *ctx, const char *name, const char **atts)
{
	struct adapter_xlsx_sheet *s = ctx;

	if (s->in_cell) {
		if (strcmp(name, "v") == 0 || (strcmp(name, "t") == 0 && s->type == CELL_INLINE)) {
			s->in_value++;
			s->stored = true;
		} else if (strcmp(name, "f") == 0) {
			s->formula = true;
		} else if (strcmp(name, "rPh") == 0) {
			s->in_phonetic++;
		}
	} else if (s->in_row) {
		if (strcmp(name, "c") == 0)
			start_cell(s, atts);
	} else if (s->in_data) {
		if (strcmp(name, "row") == 0)
			start_row(s, atts);
	} else if (strcmp(name, "sheetData") == 0) {
		s->in_data = true;
	}
}

static void on_end(void *ctx, const char *name)
{
	struct adapter_xlsx_sheet *s = ctx;

	if (s->in_cell) {
		if (strcmp(name, "v") == 0 || (strcmp(name, "t") == 0 && s->type == CELL_INLINE))
			s->in_value -= s->in_value > 0;
		else if (strcmp(name, "rPh") == 0)
			s->in_phonetic -= s->in_phonetic > 0;
		else if (strcmp(name, "c") == 0)
			end_cell(s);
	} else if (s->in_row) {
		if (strcmp(name, "row") == 0) {
			s->in_row = false;
			adapter_xml_pause(s->xml);
		}
	} else if (s->in_data && strcmp(name, "sheetData") == 0) {
		s->in_data = false;
	}
}

static void on_text(void *ctx, const char *p, int n)
{
	struct adapter_xlsx_sheet *s = ctx;

	if (s->in_value == 0 || s->in_phonetic > 0 || !s->in_cell || s->too_long)
		return;
	if (s->value.n + (size_t)n > ADAPTER_ROW_MAX)
		s->too_long = true;
	else
		bus_buf_put(&s->value, p, (size_t)n);
}

static const struct adapter_xml_handler handler = { on_start, on_end, on_text };

/* ---- the sheet ---- */

enum bus_err adapter_xlsx_sheet_open(struct adapter_package *p, const char *part,
				     const struct adapter_xlsx_book *book,
				     struct adapter_xlsx_strings *strings, struct adapter_xlsx_sheet **out,
				     struct bus_error *err)
{
	struct adapter_xlsx_sheet *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc = adapter_part_open(p, part, PART_MAX, &s->part, err);

	*out = NULL;
	if (rc != BUS_OK) {
		adapter_xlsx_sheet_close(&s);
		return rc == BUS_ENOENT ? BUS_EDATA : rc;
	}
	s->book = book;
	s->strings = strings;
	s->xml = adapter_xml_new(adapter_part_read, s->part, &handler, s);
	*out = s;
	return BUS_OK;
}

void adapter_xlsx_sheet_close(struct adapter_xlsx_sheet **s)
{
	if (!*s)
		return;
	adapter_xml_free(&(*s)->xml);
	adapter_part_close(&(*s)->part);
	bus_buf_release(&(*s)->text);
	bus_buf_release(&(*s)->value);
	free((*s)->cell);
	free(*s);
	*s = NULL;
}

enum bus_err adapter_xlsx_sheet_next(struct adapter_xlsx_sheet *s, struct adapter_sheet_row *row,
				     struct bus_error *err)
{
	enum bus_err rc = adapter_xml_next(s->xml, err);
	size_t at = 0;

	if (rc != BUS_OK)
		return s->rc != BUS_OK ? bus_fail(err, s->rc, "%s", s->err.text) : rc;
	for (size_t i = 0; i < s->n; i++) {
		struct adapter_cell *c = &s->cell[i].cell;

		c->text.p = c->text.n > 0 ? s->text.p + at : "";
		at += c->text.n;
	}
	*row = (struct adapter_sheet_row){ s->row, s->cell, s->too_long ? 0 : s->n, s->too_long };
	return BUS_OK;
}
