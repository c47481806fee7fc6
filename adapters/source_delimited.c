/* CSV, PSV, TSV as departments send them: titles, headers of several rows, totals and signatures. Options:
 * adapters/README.md. */
#include <stdio.h>

#include "adapters/csv.h"
#include "adapters/source.h"
#include "adapters/source_rules.h"

#define COLUMNS_MAX 4096
#define ROWS_BEFORE_MAX 1000

struct delimited {
	struct adapter_csv csv;
	struct adapter_input *in;
	struct adapter_text text;

	int64_t title_rows;
	int64_t header_rows;
	const char *defect;
	struct adapter_rules rules;
	bool torn; /* the last line is short and has no line end */

	/* A column's short name is its last header cell, its long one the header cells joined. */
	char **short_name;
	char **long_name;
	size_t n_columns;

	size_t *at; /* column number of each wanted name */
	struct adapter_cell *cell;
	size_t n_wanted;
	char detail[160];
};

static void delimited_close(void *source)
{
	struct delimited *s = source;

	for (size_t i = 0; i < s->n_columns; i++) {
		free(s->short_name[i]);
		free(s->long_name[i]);
	}
	free(s->short_name);
	free(s->long_name);
	free(s->at);
	free(s->cell);
	adapter_csv_release(&s->csv);
	adapter_text_release(&s->text);
	free(s);
}

/* ---- options ---- */

static enum bus_err conf_char(struct bus_yaml *yaml, struct bus_yaml_node *conf, const char *key,
			      const char *word, char meaning, char *out, struct bus_error *err)
{
	struct bus_yaml_node *node = bus_yaml_get(conf, key);
	const char *text = NULL;
	enum bus_err rc;

	rc = bus_yaml_str(yaml, conf, key, false, &text, err);
	if (rc != BUS_OK || !text)
		return rc;
	if (strcmp(text, word) == 0 || (meaning && node->text_len == 1 && text[0] == meaning)) {
		*out = meaning;
		return BUS_OK;
	}
	if (node->text_len != 1 || (unsigned char)text[0] < 0x20 || (unsigned char)text[0] > 0x7e)
		return bus_yaml_fail(yaml, node, err, "%s must be one ASCII character or %s", key, word);
	*out = text[0];
	return BUS_OK;
}

static enum bus_err conf_columns(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct delimited *s,
				 struct bus_error *err)
{
	struct bus_yaml_node *list = bus_yaml_get(conf, "columns");
	size_t i = 0;

	if (!list != (s->header_rows > 0))
		return bus_yaml_fail(yaml, list ? list : conf, err,
				     list ? "columns is for files without a header: add header_rows: 0"
					  : "header_rows: 0 needs columns: [NAME, ...]");
	if (!list)
		return BUS_OK;
	if (list->kind != BUS_YAML_LIST || !list->first || bus_yaml_count(list) > COLUMNS_MAX)
		return bus_yaml_fail(yaml, list, err, "columns is a list of 1 to %d names", COLUMNS_MAX);
	s->short_name = bus_xcalloc(bus_yaml_count(list), sizeof(char *));
	s->long_name = bus_xcalloc(bus_yaml_count(list), sizeof(char *));
	for (struct bus_yaml_node *n = list->first; n; n = n->next, i++) {
		if (n->kind != BUS_YAML_SCALAR)
			return bus_yaml_fail(yaml, n, err, "a column name is a scalar");
		s->short_name[i] = bus_xstrdup(n->text);
		s->long_name[i] = bus_xstrdup(n->text);
		s->n_columns = i + 1;
	}
	return BUS_OK;
}

static enum bus_err configure(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct delimited *s,
			      struct bus_error *err)
{
	enum adapter_encoding encoding = ADAPTER_UTF8;
	char separator = ',', quote = '"';
	enum bus_err rc;

	s->header_rows = 1;
	s->defect = "baris_rusak";
	if ((rc = conf_char(yaml, conf, "separator", "tab", '\t', &separator, err)) != BUS_OK ||
	    (rc = conf_char(yaml, conf, "quote", "none", '\0', &quote, err)) != BUS_OK ||
	    (rc = adapter_source_encoding(yaml, conf, &encoding, err)) != BUS_OK ||
	    (rc = bus_yaml_int(yaml, conf, "title_rows", false, 0, ROWS_BEFORE_MAX, &s->title_rows, err)) !=
		BUS_OK ||
	    (rc = bus_yaml_int(yaml, conf, "header_rows", false, 0, 10, &s->header_rows, err)) != BUS_OK ||
	    (rc = adapter_source_word(yaml, conf, "defect", false, &s->defect, err)) != BUS_OK ||
	    (rc = adapter_rules_conf(yaml, conf, &s->rules, err)) != BUS_OK ||
	    (rc = conf_columns(yaml, conf, s, err)) != BUS_OK ||
	    (rc = bus_yaml_no_more(yaml, conf, err)) != BUS_OK)
		return rc;
	if (separator == quote)
		return bus_yaml_fail(yaml, conf, err, "separator and quote must differ");
	adapter_text_init(&s->text, encoding);
	adapter_csv_init(&s->csv, s->in, separator, quote);
	return BUS_OK;
}

/* ---- the header ---- */

static struct bus_str field(struct delimited *s, size_t i)
{
	const struct adapter_csv_field *f = &s->csv.field[i];
	struct bus_str part = { s->csv.raw.p + f->at, f->n };

	return f->doubled ? adapter_text_unquote(&s->text, part, s->csv.quote)
			  : adapter_text_decode(&s->text, part);
}

static enum bus_err read_before(struct delimited *s, const char *what, struct bus_error *err)
{
	enum bus_err rc = adapter_csv_next(&s->csv, err);

	if (rc == BUS_ENOENT)
		return bus_fail(err, BUS_EDATA,
				"berkas berakhir sebelum kepala tabel / the file ends before its %s", what);
	if (rc != BUS_OK)
		return rc;
	if (s->csv.too_long)
		return bus_fail(err, BUS_EDATA,
				"baris %llu terlalu panjang untuk %s / line %llu: %s over %zu bytes",
				(unsigned long long)s->csv.line, what, (unsigned long long)s->csv.line, what,
				ADAPTER_ROW_MAX);
	return BUS_OK;
}

/* One header row more: cells that are not empty become the short names; a merged cell, whose text stands in
 * its first column, goes into the long names of the empty ones right of it too, unless it is the last row. */
static void join_header(struct delimited *s, bool last)
{
	char *merged = NULL;

	if (s->csv.n > s->n_columns) {
		s->short_name = bus_xrealloc(s->short_name, s->csv.n * sizeof(char *));
		s->long_name = bus_xrealloc(s->long_name, s->csv.n * sizeof(char *));
		for (; s->n_columns < s->csv.n; s->n_columns++) {
			s->short_name[s->n_columns] = bus_xstrdup("");
			s->long_name[s->n_columns] = bus_xstrdup("");
		}
	}
	adapter_text_row(&s->text, s->csv.raw);
	for (size_t i = 0; i < s->csv.n; i++) {
		struct bus_str cell = adapter_source_trim(field(s, i));
		char *joined;

		if (cell.n > 0) {
			free(merged);
			merged = bus_xstrndup(cell.p, cell.n);
			free(s->short_name[i]);
			s->short_name[i] = bus_xstrdup(merged);
		} else if (last || !merged) {
			continue;
		}
		joined = bus_xasprintf("%s%s%s", s->long_name[i], s->long_name[i][0] ? " / " : "", merged);
		free(s->long_name[i]);
		s->long_name[i] = joined;
	}
	free(merged);
}

static enum bus_err read_header(struct delimited *s, struct bus_error *err)
{
	enum bus_err rc;

	adapter_csv_limit(&s->csv, COLUMNS_MAX);
	for (int64_t i = 0; i < s->title_rows; i++)
		if ((rc = read_before(s, "title", err)) != BUS_OK)
			return rc;
	for (int64_t i = 0; i < s->header_rows; i++) {
		if ((rc = read_before(s, "header", err)) != BUS_OK)
			return rc;
		if (s->csv.broken)
			return bus_fail(err, BUS_EDATA, "kepala tabel / the header, line %llu: %s",
					(unsigned long long)s->csv.line, s->csv.broken);
		if (s->csv.n > COLUMNS_MAX)
			return bus_fail(err, BUS_EDATA, "lebih dari %d kolom / more than %d columns",
					COLUMNS_MAX, COLUMNS_MAX);
		if (adapter_has_nul(s->csv.raw))
			return bus_fail(err, BUS_EDATA, "kepala tabel / the header: %s", ADAPTER_DETAIL_NUL);
		join_header(s, i + 1 == s->header_rows);
	}
	adapter_csv_limit(&s->csv, s->n_columns);
	return BUS_OK;
}

static enum bus_err find_column(struct delimited *s, const char *name, size_t *out, struct bus_error *err)
{
	size_t found = s->n_columns;

	for (size_t i = 0; i < s->n_columns; i++) {
		if (strcmp(s->short_name[i], name) != 0 && strcmp(s->long_name[i], name) != 0)
			continue;
		if (found < s->n_columns)
			return bus_fail(
			    err, BUS_EDATA,
			    "kolom '%s' ada dua kali / column '%s' is there twice: '%s' (%zu) and '%s' (%zu)",
			    name, name, s->long_name[found], found + 1, s->long_name[i], i + 1);
		found = i;
	}
	if (found == s->n_columns)
		return adapter_source_no_column(name, (const char *const *)s->short_name, s->n_columns, err);
	*out = found;
	return BUS_OK;
}

static enum bus_err find_columns(struct delimited *s, const char *const *wanted, size_t n_wanted,
				 struct bus_error *err)
{
	enum bus_err rc;

	s->at = bus_xcalloc(n_wanted + 1, sizeof(*s->at));
	s->cell = bus_xcalloc(n_wanted + 1, sizeof(*s->cell));
	s->n_wanted = n_wanted;
	for (size_t i = 0; i < n_wanted; i++)
		if ((rc = find_column(s, wanted[i], &s->at[i], err)) != BUS_OK)
			return rc;
	for (size_t i = 0; i < s->rules.n; i++)
		if ((rc = find_column(s, s->rules.rule[i].column, &s->rules.rule[i].at, err)) != BUS_OK)
			return rc;
	return s->rules.has_end_row ? find_column(s, s->rules.end_row.column, &s->rules.end_row.at, err)
				    : BUS_OK;
}

static enum bus_err delimited_open(struct bus_yaml *yaml, struct bus_yaml_node *conf,
				   struct adapter_input *in, const char *const *wanted, size_t n_wanted,
				   void **source, struct bus_error *err)
{
	struct delimited *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	*source = NULL;
	s->in = in;
	rc = configure(yaml, conf, s, err);
	if (rc == BUS_OK && in) {
		if ((rc = adapter_source_sniff(in, err)) == BUS_OK && (rc = read_header(s, err)) == BUS_OK)
			rc = find_columns(s, wanted, n_wanted, err);
	} else if (rc == BUS_OK && s->n_columns > 0) {
		rc = find_columns(s, wanted, n_wanted, err);
		if (rc == BUS_EDATA) /* without a header it is the mapping that contradicts itself */
			rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "columns"), err, "%s",
					   err ? err->text : "");
	}
	if (rc != BUS_OK || !in) {
		delimited_close(s);
		return rc;
	}
	*source = s;
	return BUS_OK;
}

/* ---- rows ---- */

static bool is_blank(const struct delimited *s)
{
	for (size_t i = 0; i < s->csv.n && i < s->n_columns; i++) {
		const struct adapter_csv_field *f = &s->csv.field[i];

		if (adapter_source_trim((struct bus_str){ s->csv.raw.p + f->at, f->n }).n > 0)
			return false;
	}
	return s->csv.n <= s->n_columns && !s->csv.broken;
}

static bool matches(struct delimited *s, const struct adapter_rule *rule)
{
	return rule->at < s->csv.n && s->csv.n <= s->n_columns && adapter_rule_holds(rule, field(s, rule->at));
}

static size_t count_filled(struct delimited *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->csv.n && i < s->n_columns; i++)
		n += adapter_source_trim(field(s, i)).n > 0;
	return n;
}

/* A row the options declare to be no data. */
static bool is_passed_over(struct delimited *s)
{
	bool passed = s->rules.filled > 0 && s->csv.n <= s->n_columns && count_filled(s) <= s->rules.filled;

	if (s->rules.has_end_row && matches(s, &s->rules.end_row)) {
		s->rules.end_seen = true;
		return true;
	}
	for (size_t i = 0; i < s->rules.n && !passed; i++)
		passed = matches(s, &s->rules.rule[i]);
	return passed;
}

static void set_defect(struct delimited *s, struct adapter_row *row)
{
	row->defect = s->defect;
	row->detail = s->detail;
	if (s->csv.too_long) {
		row->defect = ADAPTER_DEFECT_LONG;
		row->detail = ADAPTER_DETAIL_LONG;
	} else if (s->csv.broken) {
		row->detail = s->csv.broken;
	} else if (s->csv.n > s->n_columns) {
		snprintf(s->detail, sizeof(s->detail), "lebih dari %zu kolom / more than %zu fields",
			 s->n_columns, s->n_columns);
	} else if (s->csv.n < s->n_columns) {
		snprintf(s->detail, sizeof(s->detail), "%zu kolom, seharusnya %zu / %zu fields, expected %zu",
			 s->csv.n, s->n_columns, s->csv.n, s->n_columns);
		s->torn = adapter_input_unended(s->in);
	} else {
		row->detail = ADAPTER_DETAIL_NUL;
	}
}

static enum bus_err delimited_next(void *source, struct adapter_row *row, struct bus_error *err)
{
	struct delimited *s = source;

	for (;;) {
		enum bus_err rc = adapter_csv_next(&s->csv, err);
		const struct adapter_csv_field *first = &s->csv.field[0];

		if (rc != BUS_OK)
			return rc;
		*row = (struct adapter_row){ .line = s->csv.line, .raw = s->csv.raw, .cell = s->cell };
		if (s->csv.too_long || s->csv.broken) {
			s->torn = s->csv.broken && adapter_input_unended(s->in);
			set_defect(s, row);
			return BUS_OK;
		}
		if ((first->n == 0 || s->csv.raw.p[first->at] == ' ') && is_blank(s))
			continue;
		row->repaired = adapter_text_row(&s->text, s->csv.raw);
		if ((s->rules.n > 0 || s->rules.filled > 0 || s->rules.has_end_row) && is_passed_over(s))
			continue;
		if (s->csv.n != s->n_columns || adapter_has_nul(s->csv.raw)) {
			set_defect(s, row);
			return BUS_OK;
		}
		for (size_t i = 0; i < s->n_wanted; i++) {
			s->cell[i].kind = ADAPTER_TEXT;
			s->cell[i].text = field(s, s->at[i]);
		}
		row->n_cells = s->n_wanted;
		return BUS_OK;
	}
}

static void delimited_end(void *source, struct adapter_end *out)
{
	struct delimited *s = source;

	bool no_end = s->rules.has_end_row && !s->rules.end_seen;

	*out = (struct adapter_end){ .cut = s->torn || no_end };
	if (no_end)
		adapter_rules_why(&s->rules, out->why, sizeof(out->why));
	else if (s->torn)
		snprintf(out->why, sizeof(out->why),
			 "baris terakhir terpotong / the last line is broken off and has no line end");
}

const struct adapter_source_kind adapter_source_delimited = {
	.name = "delimited",
	.open = delimited_open,
	.next = delimited_next,
	.end = delimited_end,
	.close = delimited_close,
};
