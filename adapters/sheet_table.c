#include "adapters/sheet_table.h"

#include <stdio.h>
#include <strings.h>

#include "adapters/sheet_fill.h"
#include "adapters/sheet_head.h"
#include "adapters/source.h"
#include "adapters/source_rules.h"

#define HEADER_WITHIN 1000		  /* rows in which a header is looked for */
#define HEADER_CELLS ((size_t)256 * 1024) /* and cells of them */
/* One string may stand in every cell: a workbook of some kilobytes would become as many gigabytes of records. A row of
 * an honest one takes more than a thousandth of its text. */
#define GIVEN_FROM ((uint64_t)64 * 1024 * 1024)
#define GIVEN_RATIO 1000

struct table {
	struct adapter_input *in;

	/* options */
	struct bus_yaml_node *sheet_option;
	uint32_t row, row_end, column, column_end; /* the range; all of the sheet when not declared */
	int64_t header;				   /* row number of its first row; 0: found */
	int64_t header_rows;
	struct bus_yaml_node *columns;
	bool fill_merged, until_empty;
	struct adapter_rules rules;
	const char **wanted;
	size_t n_wanted;

	const struct adapter_sheet_book_kind *kind;
	void *book;
	struct adapter_sheet_merge *merge;
	size_t n_merges;
	struct adapter_sheet_head head;
	struct adapter_sheet_fill *fill;

	bool begun, ended;	  /* a row of data was given; the table is over */
	uint32_t last;		  /* row */
	struct adapter_cell *all; /* of the row in hand, one a column of head */
	size_t *at;		  /* column of each wanted name */
	struct adapter_cell *cell;
	struct bus_buf raw;
	uint64_t given; /* bytes of rows; of those passed over, of their separators */
};

void adapter_sheet_table_close(void *source)
{
	struct table *s = source;

	adapter_sheet_fill_free(&s->fill);
	adapter_sheet_head_release(&s->head);
	if (s->book)
		s->kind->close(s->book);
	bus_buf_release(&s->raw);
	free(s->merge);
	free(s->wanted);
	free(s->all);
	free(s->at);
	free(s->cell);
	free(s);
}

/* ---- options ---- */

static enum bus_err conf_range(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct table *s,
			       struct bus_error *err)
{
	struct bus_yaml_node *node = bus_yaml_get(conf, "range");
	const char *text = NULL, *p;
	enum bus_err rc = adapter_source_word(yaml, conf, "range", false, &text, err);

	s->row = 1;
	s->row_end = ADAPTER_SHEET_ROWS;
	s->column = 0;
	s->column_end = ADAPTER_SHEET_COLUMNS - 1;
	if (rc != BUS_OK || !text)
		return rc;
	p = adapter_sheet_place(text, &s->column, &s->row);
	p = p && *p == ':' ? adapter_sheet_place(p + 1, &s->column_end, &s->row_end) : NULL;
	if (!p || *p || s->row_end < s->row || s->column_end < s->column)
		return bus_yaml_fail(yaml, node, err,
				     "range is written as on the sheet: B5:F20, or B5:F for all rows "
				     "below, or 5:20");
	return BUS_OK;
}

static enum bus_err conf_header(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct table *s,
				struct bus_error *err)
{
	struct bus_yaml_node *node = bus_yaml_get(conf, "header");
	enum bus_err rc = BUS_OK;

	s->header_rows = 1;
	if (node && !(node->kind == BUS_YAML_SCALAR && strcmp(node->text, "auto") == 0))
		rc = bus_yaml_int(yaml, conf, "header", false, 1, ADAPTER_SHEET_ROWS, &s->header, err);
	if (rc == BUS_OK)
		rc = bus_yaml_int(yaml, conf, "header_rows", false, 0, ADAPTER_HEAD_ROWS, &s->header_rows,
				  err);
	if (rc != BUS_OK)
		return rc;
	if (s->header > 0 && (s->header < s->row || s->header > s->row_end))
		return bus_yaml_fail(yaml, node, err, "the header lies outside of range");
	s->columns = bus_yaml_get(conf, "columns");
	if (!s->columns != (s->header_rows > 0))
		return bus_yaml_fail(yaml, s->columns ? s->columns : conf, err,
				     s->columns ? "columns is for tables without a header: add header_rows: 0"
						: "header_rows: 0 needs columns: [NAME, ...]");
	if (!s->columns)
		return BUS_OK;
	if (s->columns->kind != BUS_YAML_LIST || !s->columns->first ||
	    bus_yaml_count(s->columns) > ADAPTER_SHEET_COLUMNS - s->column)
		return bus_yaml_fail(yaml, s->columns, err, "columns is a list of names");
	for (struct bus_yaml_node *n = s->columns->first; n; n = n->next)
		if (n->kind != BUS_YAML_SCALAR)
			return bus_yaml_fail(yaml, n, err, "a column name is a scalar");
	adapter_sheet_head_give(&s->head, s->columns, s->column);
	return BUS_OK;
}

static enum bus_err configure(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct table *s,
			      struct bus_error *err)
{
	const char *sheet = NULL;
	enum bus_err rc;

	s->sheet_option = bus_yaml_get(conf, "sheet");
	if ((rc = adapter_source_word(yaml, conf, "sheet", false, &sheet, err)) != BUS_OK ||
	    (rc = conf_range(yaml, conf, s, err)) != BUS_OK ||
	    (rc = conf_header(yaml, conf, s, err)) != BUS_OK ||
	    (rc = bus_yaml_bool(yaml, conf, "fill_merged", false, &s->fill_merged, err)) != BUS_OK ||
	    (rc = bus_yaml_bool(yaml, conf, "until_empty", false, &s->until_empty, err)) != BUS_OK ||
	    (rc = adapter_rules_conf(yaml, conf, &s->rules, err)) != BUS_OK)
		return rc;
	return bus_yaml_no_more(yaml, conf, err);
}

/* ---- which sheet ---- */

static enum bus_err no_sheet(const char *text, const char *const *names, size_t n, struct bus_error *err)
{
	const char *near = bus_nearest(text, names, n);

	if (!near && n > 0)
		near = names[0];
	return bus_fail(err, BUS_EDATA, "lembar '%s' tidak ada / there is no sheet '%s' among %zu%s%s%s",
			text, text, n, near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

static enum bus_err find_sheet(const struct table *s, size_t *at, struct bus_error *err)
{
	const char *names[ADAPTER_SHEETS_MAX], *text = s->sheet_option ? s->sheet_option->text : "";
	bool number = s->sheet_option && !s->sheet_option->quoted &&
		      strspn(text, "0123456789") == s->sheet_option->text_len,
	     cells;
	enum bus_err rc;

	for (*at = 0; *at < ADAPTER_SHEETS_MAX; ++*at) {
		rc = s->kind->sheet(s->book, *at, &names[*at], &cells, err);
		if (rc == BUS_ENOENT)
			break;
		if (rc != BUS_OK)
			return rc;
		if (s->sheet_option
			? strcasecmp(names[*at], text) != 0 && !(number && strtoul(text, NULL, 10) == *at + 1)
			: !cells)
			continue;
		return cells ? BUS_OK
			     : bus_fail(err, BUS_EDATA,
					"lembar '%s' tidak berisi sel / sheet '%s' holds no cells",
					names[*at], names[*at]);
	}
	return no_sheet(text, names, *at, err);
}

/* ---- the header ---- */

static bool names_all(const struct table *s, size_t *score)
{
	size_t rules = s->rules.n + s->rules.has_end_row;

	*score = 0;
	for (size_t i = 0; i < s->n_wanted; i++)
		*score += adapter_sheet_head_has(&s->head, s->wanted[i]);
	for (size_t i = 0; i < s->rules.n; i++)
		*score += adapter_sheet_head_has(&s->head, s->rules.rule[i].column);
	if (s->rules.has_end_row)
		*score += adapter_sheet_head_has(&s->head, s->rules.end_row.column);
	return *score == s->n_wanted + rules && *score > 0;
}

/* The columns that are looked for, in the header at hand. */
static enum bus_err find_columns(struct table *s, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < s->n_wanted && rc == BUS_OK; i++)
		rc = adapter_sheet_head_find(&s->head, s->wanted[i], &s->at[i], err);
	for (size_t i = 0; i < s->rules.n && rc == BUS_OK; i++)
		rc = adapter_sheet_head_find(&s->head, s->rules.rule[i].column, &s->rules.rule[i].at, err);
	if (rc == BUS_OK && s->rules.has_end_row)
		rc = adapter_sheet_head_find(&s->head, s->rules.end_row.column, &s->rules.end_row.at, err);
	return rc;
}

/* Reads to the header's last row. Found: the first rows, together, that name every column asked for. When there are
 * none such, the ones that name most say what is missing. */
static enum bus_err read_header(struct table *s, struct bus_error *err)
{
	uint32_t rows = (uint32_t)s->header_rows;
	struct adapter_sheet_row row;
	struct bus_error best = { 0 };
	size_t most = 0, looked = 0, score;
	enum bus_err rc;

	while ((rc = s->kind->next(s->book, &row, err)) == BUS_OK) {
		if (row.number < s->row || (s->header > 0 && row.number < s->header))
			continue;
		if (row.number > s->row_end || (s->header == 0 && row.number >= s->row + HEADER_WITHIN) ||
		    (s->header > 0 && row.number >= s->header + rows) || looked > HEADER_CELLS)
			break;
		looked += row.n;
		s->last = row.number;
		adapter_sheet_head_put(&s->head, &row, s->column, s->column_end, rows);
		if (s->header > 0 && row.number < s->header + rows - 1)
			continue;
		rc = adapter_sheet_head_name(&s->head, s->merge, s->n_merges, err);
		if (rc != BUS_OK)
			return rc;
		if (s->header > 0)
			return find_columns(s, err);
		if (names_all(s, &score))
			return find_columns(s, err);
		if (score > most || best.code == BUS_OK) {
			most = score;
			(void)!find_columns(s, &best);
		}
	}
	if (rc != BUS_OK && rc != BUS_ENOENT)
		return rc;
	if (best.code != BUS_OK)
		return bus_fail(err, BUS_EDATA, "kepala tabel tidak ditemukan / no header found: %s",
				best.text);
	return bus_fail(err, BUS_EDATA,
			"lembar berakhir sebelum kepala tabel / the sheet ends before its header");
}

/* ---- opening ---- */

static enum bus_err open_sheet(struct table *s, struct bus_error *err)
{
	size_t at = 0;
	enum bus_err rc = s->kind->open(s->in, &s->book, err);

	if (rc == BUS_OK)
		rc = find_sheet(s, &at, err);
	if (rc == BUS_OK && (s->fill_merged || s->header_rows > 1))
		rc = s->kind->merges(s->book, at, &s->merge, &s->n_merges, err);
	if (rc == BUS_OK)
		rc = s->kind->begin(s->book, at, err);
	if (rc == BUS_OK)
		rc = s->columns ? find_columns(s, err) : read_header(s, err);
	if (rc == BUS_OK && s->fill_merged)
		s->fill = adapter_sheet_fill_new(s->merge, s->n_merges);
	if (rc == BUS_OK)
		s->all = bus_xcalloc(s->head.n + 1, sizeof(*s->all));
	return rc == BUS_ENOENT ? BUS_EDATA : rc;
}

enum bus_err adapter_sheet_table_open(const struct adapter_sheet_book_kind *kind, struct bus_yaml *yaml,
				      struct bus_yaml_node *conf, struct adapter_input *in,
				      const char *const *wanted, size_t n_wanted, void **source,
				      struct bus_error *err)
{
	struct table *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	*source = NULL;
	s->kind = kind;
	s->in = in;
	s->n_wanted = n_wanted;
	s->wanted = bus_xcalloc(n_wanted + 1, sizeof(*s->wanted));
	memcpy(s->wanted, wanted, n_wanted * sizeof(*wanted));
	s->at = bus_xcalloc(n_wanted + 1, sizeof(*s->at));
	s->cell = bus_xcalloc(n_wanted + 1, sizeof(*s->cell));
	rc = configure(yaml, conf, s, err);
	if (rc == BUS_OK && in) {
		rc = open_sheet(s, err);
	} else if (rc == BUS_OK && s->columns) {
		rc = find_columns(s, err);
		if (rc == BUS_EDATA) /* without a header it is the mapping that contradicts itself */
			rc = bus_yaml_fail(yaml, s->columns, err, "%s", err ? err->text : "");
	}
	if (rc != BUS_OK || !in) {
		adapter_sheet_table_close(s);
		return rc;
	}
	*source = s;
	return BUS_OK;
}

/* ---- rows ---- */

static void put_raw(struct bus_buf *out, const struct adapter_cell *c)
{
	static const char *const words[] = { "#ERROR!", "", "#DATE!", "#CELL!" };
	struct bus_str text = c->kind == ADAPTER_BROKEN ? bus_str(words[c->broken]) : c->text;
	bool quoted = false;

	for (size_t i = 0; i < text.n && !quoted; i++)
		quoted = strchr(",\"\r\n", text.p[i]) != NULL;
	if (quoted)
		bus_buf_putc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			bus_buf_putc(out, '"');
		bus_buf_putc(out, text.p[i]);
	}
	if (quoted)
		bus_buf_putc(out, '"');
}

/* The row's cells into `all`. False: there is nothing in the table's columns. */
static bool spread(struct table *s, const struct adapter_sheet_row *row)
{
	bool some = row->too_long;

	for (size_t i = 0; i < s->head.n; i++)
		s->all[i] = (struct adapter_cell){ .kind = ADAPTER_NULL };
	for (size_t i = 0; i < row->n; i++) {
		const struct adapter_sheet_cell *c = &row->cell[i];

		if (c->column < s->head.first || c->column - s->head.first >= s->head.n)
			continue;
		s->all[c->column - s->head.first] = c->cell;
		some |= c->cell.kind == ADAPTER_BROKEN || adapter_source_trim(c->cell.text).n > 0;
	}
	return some;
}

static bool holds(const struct table *s, const struct adapter_rule *rule)
{
	const struct adapter_cell *c = &s->all[rule->at];

	return c->kind != ADAPTER_BROKEN && adapter_rule_holds(rule, c->text);
}

static size_t count_filled(const struct table *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->head.n; i++)
		n += s->all[i].kind == ADAPTER_BROKEN || adapter_source_trim(s->all[i].text).n > 0;
	return n;
}

/* A row the options declare to be no data. */
static bool is_passed_over(struct table *s)
{
	if (s->rules.filled > 0 && count_filled(s) <= s->rules.filled)
		return true;
	if (s->rules.has_end_row && holds(s, &s->rules.end_row)) {
		s->rules.end_seen = true;
		return true;
	}
	for (size_t i = 0; i < s->rules.n; i++)
		if (holds(s, &s->rules.rule[i]))
			return true;
	return false;
}

static void give(struct table *s, const struct adapter_sheet_row *from, struct adapter_row *row)
{
	bus_buf_reset(&s->raw);
	for (size_t i = 0; i < s->head.n && s->raw.n <= ADAPTER_ROW_MAX; i++) {
		if (i > 0)
			bus_buf_putc(&s->raw, ',');
		put_raw(&s->raw, &s->all[i]);
	}
	*row = (struct adapter_row){ .line = from->number, .raw = bus_buf_str(&s->raw), .cell = s->cell };
	if (from->too_long || s->raw.n > ADAPTER_ROW_MAX) {
		row->raw.n = 0;
		row->defect = ADAPTER_DEFECT_LONG;
		row->detail = ADAPTER_DETAIL_LONG;
		return;
	}
	for (size_t i = 0; i < s->n_wanted; i++)
		s->cell[i] = s->all[s->at[i]];
	row->n_cells = s->n_wanted;
}

enum bus_err adapter_sheet_table_next(void *source, struct adapter_row *out, struct bus_error *err)
{
	struct table *s = source;
	struct adapter_sheet_row row;
	enum bus_err rc;

	while (!s->ended && (rc = s->kind->next(s->book, &row, err)) == BUS_OK) {
		bool gap = s->begun && row.number > s->last + 1, some, passed_over;

		if (row.number < s->row)
			continue;
		some = row.number <= s->row_end && spread(s, &row);
		if (row.number > s->row_end || (s->until_empty && (gap || (s->begun && !some)))) {
			s->ended = true;
			break;
		}
		s->last = row.number;
		if (!some)
			continue;
		s->begun = true;
		adapter_input_note_line(s->in, row.number);
		if (s->fill)
			adapter_sheet_fill_row(s->fill, row.number, s->head.first, s->all, s->head.n);
		passed_over = !row.too_long && is_passed_over(s);
		if (!passed_over)
			give(s, &row, out);
		s->given += passed_over ? s->head.n : s->raw.n;
		if (s->given > GIVEN_FROM && s->given / GIVEN_RATIO > (uint64_t)adapter_input_size(s->in))
			return bus_fail(err, BUS_EDATA,
					"bom: baris %u menjadikan isi berkas seribu kali lebih besar / a "
					"bomb: with row %u "
					"the file's rows are over a thousand times its size",
					row.number, row.number);
		if (!passed_over)
			return BUS_OK;
	}
	return s->ended ? BUS_ENOENT : rc;
}

void adapter_sheet_table_end(void *source, struct adapter_end *out)
{
	struct table *s = source;

	*out = (struct adapter_end){ .cut = s->rules.has_end_row && !s->rules.end_seen };
	if (out->cut)
		adapter_rules_why(&s->rules, out->why, sizeof(out->why));
}
