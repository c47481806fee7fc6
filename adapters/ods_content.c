#include "adapters/ods_content.h"

#include "adapters/ods_value.h"
#include "adapters/xlsx_cell.h"

#define MADE_FROM ((uint64_t)16 * 1024 * 1024) /* cells and spaces made by repeating that any file may have */
#define MADE_RATIO 10			       /* and for each byte of the file */

/* The innermost element that matters; what is in others is passed over. */
enum place { OUTSIDE, SPREADSHEET, TABLE, ROW, CELL, PARAGRAPH };

enum cell_type { CELL_NONE, CELL_NUMBER, CELL_DATE, CELL_TIME, CELL_BOOLEAN, CELL_STRING, CELL_ERROR };

struct span { /* of a cell: where its text begins, and what it is merged over */
	size_t at;
	uint32_t rows, columns;
};

struct adapter_ods_content {
	struct adapter_xml *xml;
	uint64_t size;
	enum place place;
	bool begun, in_body;
	unsigned passing; /* how deep within what is passed over */
	unsigned deep;	  /* elements of the paragraph in hand, itself included */

	/* the table */
	char *name;
	uint64_t tables; /* begun so far */
	bool in_table, reading;
	uint32_t row; /* the last one given or passed over */
	uint64_t made;
	struct adapter_sheet_merge *merge;
	size_t n_merges, merge_cap;
	bool merges_over;

	/* the row */
	uint32_t repeat; /* how often it stands there */
	uint32_t left;	 /* of them are to be given */
	struct adapter_sheet_cell *cell;
	struct span *span;
	size_t n, cap;
	uint32_t column;     /* of the next cell */
	uint64_t text_given; /* bytes of its cells, each as often as it is repeated */
	struct bus_buf text; /* the same, each once */
	bool too_long;
	bool merged; /* a cell of it is */

	/* the cell */
	enum cell_type type;
	uint32_t cell_repeat;
	struct span cell_span;
	bool formula, stored;
	bool spaced; /* spaces at the place of the paragraph in hand do not count */
	size_t paragraphs;
	struct bus_buf value; /* what it says it stores */
	struct bus_buf shown; /* its paragraphs */
};

/* ---- one cell ---- */

static void broken(struct adapter_cell *c, enum adapter_broken why)
{
	c->kind = ADAPTER_BROKEN;
	c->broken = why;
}

/* Programs that do not say that a formula failed show it. */
static bool is_error(struct bus_str shown)
{
	static const char *const words[] = { "#N/A",	"#REF!", "#NAME?", "#VALUE!",
					     "#DIV/0!", "#NUM!", "#NULL!" };

	for (size_t i = 0; i < BUS_LEN(words); i++)
		if (bus_str_is(shown, words[i]))
			return true;
	return shown.n > 4 && memcmp(shown.p, "Err:", 4) == 0;
}

static void take_value(struct adapter_ods_content *c, struct adapter_cell *to)
{
	struct bus_str v = bus_buf_str(&c->value), shown = bus_buf_str(&c->shown);

	to->kind = ADAPTER_TEXT;
	if (c->type == CELL_ERROR || (c->formula && is_error(shown))) {
		broken(to, ADAPTER_CELL_ERROR);
		return;
	}
	if (c->formula && !c->stored && shown.n == 0 && c->type != CELL_STRING) {
		broken(to, ADAPTER_CELL_NO_RESULT);
		return;
	}
	switch (c->type) {
	case CELL_NUMBER:
		to->kind = ADAPTER_NUMBER;
		if (!adapter_xlsx_decimal(v, &c->text, &to->rounded))
			broken(to, ADAPTER_CELL_UNREADABLE);
		break;
	case CELL_DATE:
		if (!adapter_ods_date(bus_buf_cstr(&c->value), &c->text))
			broken(to, ADAPTER_CELL_NO_DAY);
		break;
	case CELL_TIME:
		if (!adapter_ods_time(bus_buf_cstr(&c->value), &c->text))
			broken(to, ADAPTER_CELL_NO_DAY);
		break;
	case CELL_BOOLEAN:
		if (bus_str_is(v, "true") || bus_str_is(v, "false"))
			bus_buf_put(&c->text, v.p, v.n);
		else
			broken(to, ADAPTER_CELL_UNREADABLE);
		break;
	case CELL_NONE:
	case CELL_STRING:
	case CELL_ERROR:
		if (v.n == 0)
			v = shown;
		bus_buf_put(&c->text, v.p, v.n);
		break;
	}
}

static void put_cell(struct adapter_ods_content *c, const struct adapter_cell *cell, size_t at)
{
	if (c->n + c->cell_repeat > c->cap) {
		while (c->cap < c->n + c->cell_repeat)
			c->cap = c->cap ? 2 * c->cap : 64;
		c->cell = bus_xrealloc(c->cell, c->cap * sizeof(*c->cell));
		c->span = bus_xrealloc(c->span, c->cap * sizeof(*c->span));
	}
	c->cell_span.at = at;
	c->made += c->cell_repeat - 1;
	c->merged |= c->cell_span.rows > 1 || c->cell_span.columns > 1;
	for (uint32_t i = 0; i < c->cell_repeat; i++, c->n++) {
		c->cell[c->n] = (struct adapter_sheet_cell){ c->column + i, *cell };
		c->span[c->n] = c->cell_span;
	}
}

static void advance(struct adapter_ods_content *c, uint32_t columns)
{
	uint32_t room = ADAPTER_SHEET_COLUMNS - c->column;

	c->column += columns < room ? columns : room;
}

static void end_cell(struct adapter_ods_content *c)
{
	bool some = c->formula || c->stored || c->value.n > 0 || c->shown.n > 0 || c->type == CELL_ERROR;
	struct adapter_cell cell = { 0 };
	size_t at = c->text.n;

	c->place = ROW;
	if (some && !c->too_long) {
		take_value(c, &cell);
		cell.text.n = c->text.n - at; /* its place is known when the row is whole */
		some = cell.text.n > 0 || cell.kind == ADAPTER_BROKEN;
		c->text_given += (uint64_t)cell.text.n * c->cell_repeat;
		c->too_long = c->text_given > ADAPTER_ROW_MAX;
	}
	if (some && c->cell_repeat > ADAPTER_SHEET_COLUMNS - c->column) {
		adapter_xml_fail(
		    c->xml,
		    "lembar rusak: baris setelah %u terlalu lebar / the sheet is damaged: the row after "
		    "%u is too wide",
		    c->row, c->row);
		return;
	}
	if (some && !c->too_long)
		put_cell(c, &cell, at);
	advance(c, c->cell_repeat);
}

/* ---- rows ---- */

static void start_row(struct adapter_ods_content *c)
{
	c->place = ROW;
	c->n = 0;
	c->column = 0;
	c->text_given = 0;
	c->too_long = c->merged = false;
	bus_buf_reset(&c->text);
}

static void end_row(struct adapter_ods_content *c)
{
	uint32_t room = ADAPTER_SHEET_ROWS - c->row;

	c->place = TABLE;
	if (c->n == 0 && !c->too_long) {
		c->row += c->repeat < room ? c->repeat : room;
		return;
	}
	c->made += (uint64_t)c->n * (c->repeat - 1);
	if (c->repeat > room) {
		adapter_xml_fail(
		    c->xml, "lembar rusak: lebih dari %u baris / the sheet is damaged: more than %u rows",
		    ADAPTER_SHEET_ROWS, ADAPTER_SHEET_ROWS);
	} else if (c->made > MADE_FROM && c->made / MADE_RATIO > c->size) {
		adapter_xml_fail(
		    c->xml,
		    "bom: pengulangan sampai baris %u menjadi %llu sel dan spasi / a bomb: repeating makes "
		    "so many cells and spaces by row %u",
		    c->row + c->repeat, (unsigned long long)c->made, c->row + c->repeat);
	} else {
		c->left = c->repeat;
		adapter_xml_pause(c->xml);
	}
}

static void keep_merges(struct adapter_ods_content *c)
{
	for (size_t i = 0; i < c->n && c->merged; i++) {
		const struct span *s = &c->span[i];
		uint32_t column = c->cell[i].column;

		if (s->rows == 1 && s->columns == 1)
			continue;
		c->merges_over = c->n_merges == ADAPTER_SHEET_MERGES;
		if (c->merges_over)
			return;
		if (c->n_merges == c->merge_cap) {
			c->merge_cap = c->merge_cap ? 2 * c->merge_cap : 64;
			c->merge = bus_xrealloc(c->merge, c->merge_cap * sizeof(*c->merge));
		}
		c->merge[c->n_merges] = (struct adapter_sheet_merge){ c->row, c->row + s->rows - 1, column,
								      column + s->columns - 1 };
		if (c->merge[c->n_merges].row_end > ADAPTER_SHEET_ROWS)
			c->merge[c->n_merges].row_end = ADAPTER_SHEET_ROWS;
		if (c->merge[c->n_merges].column_end >= ADAPTER_SHEET_COLUMNS)
			c->merge[c->n_merges].column_end = ADAPTER_SHEET_COLUMNS - 1;
		c->n_merges++;
	}
}

/* ---- elements ---- */

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static const char *local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

/* From 1 to most. */
static uint32_t count(const char *s, uint32_t most)
{
	unsigned long n = s ? strtoul(s, NULL, 10) : 1;

	return n < 1 ? 1 : n > most ? most : (uint32_t)n;
}

static enum cell_type type_of(const char *name)
{
	static const struct {
		const char *name;
		enum cell_type type;
	} types[] = {
		{ "float", CELL_NUMBER }, { "percentage", CELL_NUMBER }, { "currency", CELL_NUMBER },
		{ "date", CELL_DATE },	  { "time", CELL_TIME },	 { "boolean", CELL_BOOLEAN },
		{ "error", CELL_ERROR },
	};

	for (size_t i = 0; i < BUS_LEN(types); i++)
		if (strcmp(name, types[i].name) == 0)
			return types[i].type;
	return CELL_STRING;
}

/* The type is said twice by LibreOffice: in the standard's words, and in its own, which know errors. */
static void start_cell(struct adapter_ods_content *c, const char **atts)
{
	static const char *const names[] = {
		[CELL_NUMBER] = "value",	  [CELL_DATE] = "date-value",	  [CELL_TIME] = "time-value",
		[CELL_BOOLEAN] = "boolean-value", [CELL_STRING] = "string-value",
	};
	const char *stored[CELL_ERROR + 1] = { NULL };

	c->place = CELL;
	c->type = CELL_NONE;
	c->formula = false;
	c->paragraphs = 0;
	c->cell_repeat = 1;
	c->cell_span = (struct span){ 0, 1, 1 };
	bus_buf_reset(&c->value);
	bus_buf_reset(&c->shown);
	for (const char **a = atts; *a; a += 2) {
		const char *name = local(*a);

		if (strcmp(name, "value-type") == 0 && c->type != CELL_ERROR)
			c->type = type_of(a[1]);
		else if (strcmp(name, "formula") == 0)
			c->formula = true;
		else if (strcmp(name, "number-columns-repeated") == 0)
			c->cell_repeat = count(a[1], ADAPTER_SHEET_COLUMNS);
		else if (strcmp(name, "number-columns-spanned") == 0)
			c->cell_span.columns = count(a[1], ADAPTER_SHEET_COLUMNS);
		else if (strcmp(name, "number-rows-spanned") == 0)
			c->cell_span.rows = count(a[1], ADAPTER_SHEET_ROWS);
		for (size_t i = CELL_NUMBER; i < BUS_LEN(names); i++)
			if (strcmp(name, names[i]) == 0)
				stored[i] = a[1];
	}
	c->stored = stored[c->type] != NULL;
	if (c->stored)
		bus_buf_puts(&c->value, stored[c->type]);
}

/* Whether what the cell shows can tell more than what it stores. */
static bool is_shown_asked(const struct adapter_ods_content *c)
{
	return c->type == CELL_STRING || c->type == CELL_NONE || c->formula;
}

static void put_shown(struct adapter_ods_content *c, const char *p, size_t n)
{
	if (c->shown.n + n > ADAPTER_ROW_MAX)
		c->too_long = true;
	else if (!c->too_long)
		bus_buf_put(&c->shown, p, n);
}

static void start_paragraph(struct adapter_ods_content *c)
{
	c->place = PARAGRAPH;
	c->deep = 1;
	c->spaced = true;
	if (c->paragraphs++ > 0)
		put_shown(c, "\n", 1);
}

static void start_in_paragraph(struct adapter_ods_content *c, const char *name, const char **atts)
{
	static const char *const no_text[] = { "annotation", "note", "frame", "ruby-text", NULL };

	if (is_one_of(name, no_text)) {
		c->passing = 1;
		return;
	}
	c->deep++;
	if (strcmp(name, "s") == 0) {
		uint32_t n = count(adapter_xml_att(atts, "c"), ADAPTER_ROW_MAX);

		for (uint32_t i = 0; i < n && !c->too_long; i++, c->made++)
			put_shown(c, " ", 1);
	} else if (strcmp(name, "tab") == 0) {
		put_shown(c, "\t", 1);
	} else if (strcmp(name, "line-break") == 0) {
		put_shown(c, "\n", 1);
	} else {
		return;
	}
	c->spaced = false;
}

static void start_outside(struct adapter_ods_content *c, const char *name)
{
	static const char *const roots[] = { "document-content", "document", NULL };

	if (!c->begun && !is_one_of(name, roots)) {
		adapter_xml_fail(c->xml, "XML ini bukan OpenDocument / this XML is no OpenDocument");
	} else if (c->in_body && strcmp(name, "spreadsheet") == 0) {
		c->place = SPREADSHEET;
	} else if (c->in_body) {
		adapter_xml_fail(
		    c->xml,
		    "dokumen OpenDocument, bukan lembar sebar / an OpenDocument file, no spreadsheet");
	} else if (c->begun && strcmp(name, "body") == 0) {
		c->in_body = true;
	} else if (c->begun) {
		c->passing = 1;
	}
	c->begun = true;
}

/* A copy of another file's sheet, kept for formulas that look there: its name is 'file:///...'#$Sheet. */
static bool is_foreign(const char *name)
{
	return name[0] == '\'' && strstr(name, "'#$");
}

static void start_table(struct adapter_ods_content *c, const char **atts)
{
	const char *name = adapter_xml_att(atts, "name");

	if (name && is_foreign(name)) {
		c->passing = 1;
		return;
	}
	free(c->name);
	c->name = bus_xstrdup(name ? name : "");
	c->place = TABLE;
	c->tables++;
	c->in_table = true;
	c->row = 0;
	c->made = 0;
	c->n_merges = 0;
	c->merges_over = false;
	adapter_xml_pause(c->xml);
}

static void on_start(void *ctx, const char *name, const char **atts)
{
	static const char *const groups[] = { "table-header-rows", "table-row-group", "table-rows", NULL };
	struct adapter_ods_content *c = ctx;

	if (c->passing > 0) {
		c->passing++;
		return;
	}
	switch (c->place) {
	case OUTSIDE:
		start_outside(c, name);
		return;
	case SPREADSHEET:
		if (strcmp(name, "table") == 0)
			start_table(c, atts);
		else
			c->passing = 1;
		return;
	case TABLE:
		if (c->reading && strcmp(name, "table-row") == 0) {
			c->repeat = count(adapter_xml_att(atts, "number-rows-repeated"), ADAPTER_SHEET_ROWS);
			start_row(c);
		} else if (!c->reading || !is_one_of(name, groups)) {
			c->passing = 1;
		}
		return;
	case ROW:
		if (strcmp(name, "table-cell") == 0) {
			start_cell(c, atts);
		} else {
			if (strcmp(name, "covered-table-cell") == 0)
				advance(c, count(adapter_xml_att(atts, "number-columns-repeated"),
						 ADAPTER_SHEET_COLUMNS));
			c->passing = 1;
		}
		return;
	case CELL:
		if ((strcmp(name, "p") == 0 || strcmp(name, "h") == 0) && is_shown_asked(c))
			start_paragraph(c);
		else
			c->passing = 1;
		return;
	case PARAGRAPH:
		start_in_paragraph(c, name, atts);
		return;
	}
}

static void on_end(void *ctx, const char *name)
{
	struct adapter_ods_content *c = ctx;

	if (c->passing > 0) {
		c->passing--;
		return;
	}
	switch (c->place) {
	case OUTSIDE:
		return;
	case SPREADSHEET:
		c->place = OUTSIDE;
		return;
	case TABLE:
		if (strcmp(name, "table") != 0)
			return;
		c->place = SPREADSHEET;
		c->in_table = false;
		adapter_xml_pause(c->xml);
		return;
	case ROW:
		end_row(c);
		return;
	case CELL:
		end_cell(c);
		return;
	case PARAGRAPH:
		if (--c->deep == 0)
			c->place = CELL;
		return;
	}
}

/* Runs of white space count as one space, and none at a paragraph's begin (ODF 1.3-3, 6.1.2). */
static void on_text(void *ctx, const char *p, int n)
{
	struct adapter_ods_content *c = ctx;
	int from = 0;

	if (c->place != PARAGRAPH || c->passing > 0)
		return;
	for (int i = 0; i <= n; i++) {
		bool space = i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r');

		if (i < n && !space) {
			c->spaced = false;
			continue;
		}
		put_shown(c, p + from, (size_t)(i - from));
		from = i + 1;
		if (space && !c->spaced)
			put_shown(c, " ", 1);
		c->spaced |= space;
	}
}

static const struct adapter_xml_handler handler = { on_start, on_end, on_text };

/* ---- the stream ---- */

struct adapter_ods_content *adapter_ods_content_new(adapter_xml_read_fn *read, void *read_ctx, uint64_t size)
{
	struct adapter_ods_content *c = bus_xcalloc(1, sizeof(*c));

	c->size = size;
	c->xml = adapter_xml_new(read, read_ctx, &handler, c);
	return c;
}

void adapter_ods_content_free(struct adapter_ods_content **c)
{
	if (!*c)
		return;
	adapter_xml_free(&(*c)->xml);
	bus_buf_release(&(*c)->text);
	bus_buf_release(&(*c)->value);
	bus_buf_release(&(*c)->shown);
	free((*c)->name);
	free((*c)->merge);
	free((*c)->cell);
	free((*c)->span);
	free(*c);
	*c = NULL;
}

enum bus_err adapter_ods_content_table(struct adapter_ods_content *c, const char **name,
				       struct bus_error *err)
{
	uint64_t before = c->tables;
	enum bus_err rc = BUS_OK;

	c->reading = false;
	c->left = 0;
	while (rc == BUS_OK && c->tables == before)
		rc = adapter_xml_next(c->xml, err);
	if (rc == BUS_OK)
		*name = c->name;
	return rc;
}

enum bus_err adapter_ods_content_row(struct adapter_ods_content *c, struct adapter_sheet_row *row,
				     struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	c->reading = true;
	while (rc == BUS_OK && c->left == 0 && c->in_table)
		rc = adapter_xml_next(c->xml, err);
	if (rc != BUS_OK)
		return rc;
	if (c->left == 0)
		return bus_fail(err, BUS_ENOENT, "akhir lembar / the sheet's end");
	for (size_t i = 0; i < c->n && c->left == c->repeat; i++) {
		struct adapter_cell *cell = &c->cell[i].cell;

		cell->text.p = cell->text.n > 0 ? c->text.p + c->span[i].at : "";
	}
	c->left--;
	c->row++;
	keep_merges(c);
	*row = (struct adapter_sheet_row){ c->row, c->cell, c->too_long ? 0 : c->n, c->too_long };
	return BUS_OK;
}

enum bus_err adapter_ods_content_merges(struct adapter_ods_content *c, struct adapter_sheet_merge **out,
					size_t *n, struct bus_error *err)
{
	*out = NULL;
	*n = 0;
	if (c->merges_over)
		return bus_fail(err, BUS_EDATA, "lebih dari %d sel gabungan / more than %d merged cells",
				ADAPTER_SHEET_MERGES, ADAPTER_SHEET_MERGES);
	*out = c->merge;
	*n = c->n_merges;
	c->merge = NULL;
	c->n_merges = c->merge_cap = 0;
	return BUS_OK;
}
